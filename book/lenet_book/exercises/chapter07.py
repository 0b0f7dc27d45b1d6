"""Chapter 7: devices that mix, a promise of speed, a loop for any device, float16, checkpoints."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.data import DataLoader, TensorDataset

from lenet_book.exercises import NotYet, check, need

Batches = Iterable[tuple[Tensor, Tensor]]
NO_RETURN = "Your function returns nothing. Is there a return?"

RAISE = {
    1: "Line 1: the network is on the GPU, `images` are not.",
    3: "Line 3: the logits are on the GPU. Where are the labels?",
    5: "Line 5: NumPy knows the CPU alone.",
    8: "Line 8: does `labels.to` change `labels`?",
}
WORK = {
    2: "Line 2: does a Python number need a device?",
    4: "Line 4: how many axes has `torch.tensor(0.5)`?",
    6: "Line 6: what `item` returns is a Python number, wherever the tensor was.",
    7: "Line 7: after `.cpu()`, where are the two tensors that meet?",
}


@check
def errors(lines: set[int]) -> None:
    """Check exercise 1: which of eight lines raise an error when the network is on a GPU.

    Args:
        lines: Their numbers.
    """
    need(isinstance(lines, (set, list, tuple)), f"Give a set, such as {{2, 6}}, not {lines!r}.")
    strange = set(lines) - set(RAISE) - set(WORK)
    need(not strange, f"There is no line {sorted(strange, key=str)}. They are numbered 1 to 8.")
    for number in sorted({*RAISE, *WORK}):
        if (number in lines) != (number in RAISE):
            raise NotYet({**RAISE, **WORK}[number])


GPU = {
    20.0: "The GPU: only what trains becomes 20 times as fast.",
    0.62: "The GPU: 0.62 of the time is left. How many times as fast is that?",
    12.0: "The GPU: that is 0.6 · 20. Work out the time that is left, first.",
    8.0: "The GPU: that is 0.4 · 20. Work out the time that is left, first.",
    1 / (0.4 + 0.6 / 20): "The GPU: it speeds up the training, not the fetching.",
    1 / 0.6: "The GPU: even 20 times as fast, training takes a little time.",
}
RESIDENT = {
    0.4: "Resident: 0.4 of the time is left. How many times as fast is that?",
    0.6: "Resident: 0.6 of the time is saved. What is left, and how many times as fast is it?",
    1 / 0.6: "Resident: it is the fetching that goes. Which share is left?",
    1.6: "Resident: saving 60 % is not being 60 % faster.",
    60.0: "Resident: 60 % is what is saved. Work out the time that is left.",
}
BOTH = {
    20.0: "Both: the GPU makes 20 times as fast what is left after the fetching is gone.",
    0.02: "Both: 0.02 of the time is left. How many times as fast is that?",
    2.5 + 1 / 0.62: "Both: speed-ups do not add up. Work out the time that is left.",
    2.5 / 0.62: "Both: the two share one time. Work out what is left of it.",
}


@check
def salesman(gpu: float, resident: float, both: float) -> None:
    """Check exercise 2: speed-ups when 60 % of the time goes into fetching.

    Args:
        gpu: Training 20 times as fast.
        resident: Fetching for nothing.
        both: The two together.
    """
    wanted = {"The GPU": 1 / 0.62, "Resident": 2.5, "Both": 50.0}
    for (name, right), answer, mistakes in zip(
        wanted.items(), (gpu, resident, both), (GPU, RESIDENT, BOTH), strict=True
    ):
        need(isinstance(answer, (int, float)), f"{name}: {answer!r} is no number.")
        if abs(answer - right) <= 0.01 * right:
            continue
        near = [hint for value, hint in mistakes.items() if abs(answer - value) <= 0.01 * value]
        raise NotYet(near[0] if near else f"{name}: add up the time that is left, out of 1.")


class FarDevice(TorchFunctionMode):
    """Lets `meta` stand in for a GPU: what comes back to the CPU is zeros, and is counted.

    Attributes:
        waits: How often Python had to wait for numbers.
    """

    READS = (Tensor.item, Tensor.tolist, Tensor.cpu, Tensor.__int__, Tensor.__float__)

    def __init__(self) -> None:
        super().__init__()
        self.waits = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        named = kwargs or {}
        reads = func in (*self.READS, Tensor.__bool__)
        if func is Tensor.to:
            target = named.get("device", args[1] if len(args) > 1 else None)
            reads = isinstance(target, (str, torch.device)) and torch.device(target).type == "cpu"
        if reads and args[0].is_meta:
            self.waits += 1
            args = (torch.zeros_like(args[0], device="cpu"), *args[1:])
        return func(*args, **named)


def _judge() -> tuple[nn.Module, list[tuple[Tensor, Tensor]]]:
    """Return a network and three batches of which it gets some right."""
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(784, 10)
    nn.init.normal_(layer.weight, generator=generator)
    model = nn.Sequential(nn.Flatten(), layer)
    images = torch.randn(25, 1, 28, 28, generator=generator)
    labels = model(images).argmax(dim=1)
    labels[::3] = (labels[::3] + 1) % 10  # of 9, 9 and 7 answers 6, 6 and 4 are right
    return model, list(zip(images.split(9), labels.split(9), strict=True))


@check
def count_correct(function: Callable[[nn.Module, Batches], int]) -> None:
    """Check exercise 3: counting right answers on any device, with one wait.

    Args:
        function: Takes a network and batches, returns how many answers are right.
    """
    model, batches = _judge()
    far = FarDevice()
    try:
        found = function(model, batches)
        with far:
            function(model.to("meta"), batches)
    except (RuntimeError, TypeError, AssertionError) as error:
        for text, hint in COUNT_HINTS.items():
            need(text not in str(error), hint)
        raise
    _check_count(found)
    hint = "You move the network. Leave it where it is."
    need(next(model.parameters()).is_meta, hint)
    need(far.waits > 0, "You never wait for the device: how does a number come back?")
    need(
        far.waits == 1,
        f"You wait {far.waits} times for {len(batches)} batches. Add up on the device, and read "
        "the sum once, after the loop.",
    )


COUNT_HINTS = {
    "to numpy": "On a GPU, `.numpy()` stops. You need no NumPy: `eq` and `sum` are PyTorch's.",
    "is not on the expected device": "Network and batches, or winners and labels, are in two "
    "places. Ask the network for its device, and move images *and* labels.",
    "NVIDIA driver": "You name `cuda`. Ask the network: next(model.parameters()).device.",
    "Torch not compiled": "You name a device. Ask the network: next(model.parameters()).device.",
}


def _check_count(found: object) -> None:
    need(found is not None, NO_RETURN)
    need(not isinstance(found, Tensor), "You return a tensor. `item()` makes a number of it.")
    need(isinstance(found, (int, float)), f"You return a {type(found).__name__}, not an int.")
    counts = [16, 6, 6, 4]  # all, then by batch
    need(found != 9, "You count mistakes: 9 of these 25 answers are wrong.")
    need(found != counts[1], "You return after the first batch. Is the return inside the loop?")
    need(found != counts[-1], "That is the last batch alone. Add up, and begin with 0.")
    need(found != counts[0] / 25, "You return a share. The count is asked.")
    need(isinstance(found, int), f"You return the float {found}, not an int.")
    need(found == counts[0], f"For 25 pictures of which 16 are right you return {found}.")


SCALE = 256.0


class WatchedScaler(torch.amp.GradScaler):
    """A `GradScaler` that notes what is asked of it, in order."""

    def __init__(self) -> None:
        super().__init__("cpu", init_scale=SCALE)
        self.calls: list[str] = []

    def scale(self, outputs: Any) -> Any:  # noqa: ANN401 (PyTorch's)
        """Note and do."""
        self.calls.append("scale")
        return super().scale(outputs)

    def unscale_(self, optimizer: torch.optim.Optimizer) -> None:
        """Note and do."""
        self.calls.append("unscale_")
        super().unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer, *args: Any, **kwargs: Any) -> float | None:  # noqa: ANN401
        """Note and do."""
        self.calls.append("step")
        return super().step(optimizer, *args, **kwargs)

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Note and do."""
        self.calls.append("update")
        super().update(new_scale)


class Watched(nn.Module):
    """A network of one layer that notes in which precision it was called last."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(784, 10)
        nn.init.normal_(self.layer.weight, std=0.1, generator=torch.Generator().manual_seed(0))
        self.precision: torch.dtype | None = None

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 28, 28) to scores (N, 10)."""
        on = torch.is_autocast_enabled("cpu")
        self.precision = torch.get_autocast_dtype("cpu") if on else torch.float32
        scores: Tensor = self.layer(images.flatten(start_dim=1))
        return scores


HalfStep = Callable[[nn.Module, torch.optim.Optimizer, WatchedScaler, Tensor, Tensor], object]


@check
def half_step(function: HalfStep) -> None:
    """Check exercise 4: one step in float16 with a scaler and clipped gradients.

    Args:
        function: Takes model, optimizer, scaler, images and labels, and makes one step.
    """
    model, scaler = Watched(), WatchedScaler()
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(20, 1, 28, 28, generator=generator)
    labels = torch.randint(10, (20,), generator=generator)
    before = model.layer.weight.detach().clone()
    sgd = torch.optim.SGD(model.parameters(), lr=1.0)
    model.layer.weight.grad = torch.full_like(before, 9.0)  # left over from a step before
    function(model, sgd, scaler, images, labels)
    moved = (model.layer.weight.detach() - before).norm().item()
    _check_precision(model.precision)
    _check_calls(scaler.calls)
    _check_moved(moved, model, before, images, labels)


def _check_precision(precision: torch.dtype | None) -> None:
    need(precision is not None, "Your function never calls the network.")
    need(
        precision != torch.float32,
        "The forward pass runs in float32. Put it, and the loss, into torch.autocast.",
    )
    need(precision == torch.float16, f"autocast is set to {precision}. A T4 wants torch.float16.")


def _check_calls(calls: list[str]) -> None:
    need("scale" in calls, "The loss is not scaled: small gradients become 0 on the way back.")
    need(
        "step" in calls,
        "Your optimizer steps by itself, even on infinite gradients. Let the scaler take the step.",
    )
    need("update" in calls, "The scaler never learns whether its factor was right: `update`.")
    need(
        calls.index("update") > calls.index("step"),
        "`update` comes last: the factor may change once the step is taken.",
    )
    own = "unscale_" in calls and calls.index("unscale_") < calls.index("step")
    need(own, "The gradients are clipped while they are still too large: `unscale_` is missing.")


def _check_moved(
    moved: float, model: Watched, before: Tensor, images: Tensor, labels: Tensor
) -> None:
    """Compare how far a step of learning rate 1 went with the clipped gradient's length."""
    weight = before.clone().requires_grad_()
    loss = F.cross_entropy(F.linear(images.flatten(start_dim=1), weight), labels)
    (gradient,) = torch.autograd.grad(loss, weight)
    length = gradient.norm().item()
    need(moved > 0, "No weight has moved. Is there a `backward`?")
    need(
        moved > 2 / SCALE,
        "The step is hundreds of times too short. Is something divided twice, or clipped before "
        "`unscale_`?",
    )
    need(abs(moved - length) > 0.05 * length, "The gradients are not clipped.")
    need(moved < 2, "The step is too long. Are old gradients forgotten, and new ones unscaled?")
    need(0.9 < moved < 1.01, "The step has another length than the norm allows.")
    direction = torch.cosine_similarity(
        (before - model.layer.weight).flatten(), gradient.flatten(), 0
    )
    need(bool(direction > 0.99), "Old gradients are mixed in. Where is `zero_grad`?")


Train = Callable[[nn.Module, Batches, int, str], object]
PICTURES = torch.randn(60, 1, 4, 4, generator=torch.Generator().manual_seed(0))
LABELS = torch.randint(10, (60,), generator=torch.Generator().manual_seed(1))
ALL = frozenset({"model", "adam", "random"})
LEFT_OUT = {
    "model": "The second run does not begin with the stored weights.",
    "adam": "After the stop, Adam begins with empty averages. Store the optimizer's state, too.",
    "random": "After the stop, the pictures come in another order. Store the random state, too, "
    "and set it after everything that draws numbers.",
}


class Moves(TorchFunctionMode):
    """Counts how many batches of pictures are moved."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        self.count += func is Tensor.to and args[0].shape[1:] == PICTURES.shape[1:]
        return func(*args, **(kwargs or {}))


def _loader() -> DataLoader[tuple[Tensor, ...]]:
    return DataLoader(TensorDataset(PICTURES, LABELS), batch_size=20, shuffle=True)


def _begin(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 10))


def _epochs(
    model: nn.Module, optimizer: torch.optim.Optimizer, count: int, *, forget: bool = True
) -> None:
    for _ in range(count):
        for images, labels in _loader():
            if forget:
                optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()


def _weights(model: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def _continued(kept: frozenset[str], more: int) -> Tensor:
    """Return the weights after two epochs and, with these parts kept, so many more."""
    model = _begin(0)
    adam = torch.optim.Adam(model.parameters(), lr=0.003)
    _epochs(model, adam, 2)
    random = torch.get_rng_state()
    second = _begin(1)
    second_adam = torch.optim.Adam(second.parameters(), lr=0.003)
    if "model" in kept:
        second.load_state_dict(model.state_dict())
    if "adam" in kept:
        second_adam.load_state_dict(adam.state_dict())
    if "random" in kept:
        torch.set_rng_state(random)
    _epochs(second, second_adam, more)
    return _weights(second)


@check
def train(function: Train) -> None:
    """Check exercise 5: a training that goes on where it was stopped.

    Args:
        function: Takes a model, a loader, the epochs in all and the checkpoint's file.
    """
    state = torch.get_rng_state()
    try:
        with tempfile.TemporaryDirectory() as folder:
            _check_training(function, Path(folder) / "training.pt")
    except UnpicklingError:
        raise NotYet(
            "torch.load refuses your file: it holds whole objects. Store their state_dict()."
        ) from None
    finally:
        torch.set_rng_state(state)


def _check_training(function: Train, file: Path) -> None:
    first = _begin(0)
    with Moves() as moves:
        function(first, _loader(), 2, str(file))
    _check_first(first)
    need(moves.count > 0, "Your batches stay on the CPU. Move them to where the model is.")
    need(file.is_file(), "The training is right, but leaves no checkpoint in `file`.")
    second = _begin(1)
    function(second, _loader(), 3, str(file))
    _check_second(_weights(second))
    third = _begin(2)
    function(third, _loader(), 3, str(file))
    hint = "When all epochs are done, the model should get the stored weights, and no more epochs."
    need(torch.allclose(_weights(third), _weights(second), atol=1e-6), hint)


def _check_first(model: nn.Module) -> None:
    """Compare two epochs without a stop with those of wrong loops."""

    def trained(count: int = 2, *, lr: float = 0.003, forget: bool = True) -> Tensor:
        copy = _begin(0)
        _epochs(copy, torch.optim.Adam(copy.parameters(), lr=lr), count, forget=forget)
        return _weights(copy)

    mistakes = {
        "Your function trains nothing.": trained(0),
        "Your function trains for one epoch, not for `epochs`.": trained(1),
        "Your function trains for one epoch too many.": trained(3),
        "Adam's learning rate should be 0.003; yours is the default.": trained(lr=0.001),
        "The gradients of all batches add up: `zero_grad` is missing.": trained(forget=False),
    }
    found = _weights(model)
    for hint, mistaken in mistakes.items():
        need(not torch.allclose(found, mistaken, atol=1e-6), hint)
    hint = "Without any stop, the weights are not those of Adam at 0.003 and cross-entropy."
    need(torch.allclose(found, trained(), atol=1e-6), hint)


def _check_second(found: Tensor) -> None:
    """Name what a training that went on has left out: epochs first, then parts of the state."""
    if torch.allclose(found, _continued(ALL, 1), atol=1e-6):
        return
    for part, hint in LEFT_OUT.items():
        need(not torch.allclose(found, _continued(ALL - {part}, 1), atol=1e-6), hint)
    started_anew = _continued(frozenset(), 3)
    need(not torch.allclose(found, started_anew, atol=1e-6), "The second run begins anew: where "
         "does it read `file`?")  # fmt: skip
    need(
        not torch.allclose(found, _continued(frozenset({"model"}), 1), atol=1e-6),
        "Weights are not enough. What do Adam and the shuffling remember?",
    )
    need(
        not any(
            torch.allclose(found, _continued(kept, 3), atol=1e-6)
            for kept in (ALL, ALL - {"random"}, frozenset({"model"}))
        ),
        "`epochs` is how many in all: of three, two were done. Store how many are done.",
    )
    need(
        not torch.allclose(found, _continued(ALL, 0), atol=1e-6),
        "The second run stops with the stored weights. One of three epochs was still to do.",
    )
    raise NotYet("After the stop the training goes on, but ends in other weights.")
