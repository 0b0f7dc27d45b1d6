"""Chapter 11: stacked kernels, augmentation, a folded norm, a block, and a modern training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.utils.data import DataLoader, TensorDataset

from lenet_book.exercises import NotYet, check, need
from lenet_book.exercises.shared import made, output_of

NO_RETURN = "Your function returns nothing. Is there a return?"
STACKS = {
    1: "One 3×3 convolution sees 3 pixels.",
    2: "Two see 5 pixels. How many does each further one add?",
    4: "Four see 9 pixels, two too many.",
    5: "Five see 11 pixels. Each after the first adds 2, not 1.",
}
PARAMETERS = {
    36_864: "That is one of the three.",
    200_704: "That is the 7×7 convolution. The stack has fewer.",
    110_784: "You counted biases. These layers have none.",
    1_728: "Each of the 64 filters is 64 channels deep.",
    27: "That is three kernels on one channel. Count input and output channels, too.",
}


@check
def stack(number: int, num_parameters: int) -> None:
    """Check exercise 1: 3×3 convolutions, 64 to 64 channels, in place of a 7×7.

    Args:
        number: How many have its receptive field.
        num_parameters: Of all of them together, without biases.
    """
    for answer in (number, num_parameters):
        need(isinstance(answer, int), f"{answer!r} is no whole number.")
    need(number not in STACKS, STACKS.get(number, ""))
    need(number == 3, f"{number} of them see {2 * number + 1} pixels.")
    need(num_parameters not in PARAMETERS, PARAMETERS.get(num_parameters, ""))
    need(num_parameters == 3 * 9 * 64 * 64, "The number is right, the parameters are not.")


KNOWN = ("digits", "clothes", "photos", "satellite")
MIRRORED = {
    "digits": "Mirrored: what would a mirrored 2 be?",
    "clothes": "Mirrored: is a shirt in a mirror another class?",
    "photos": "Mirrored: is a ship that sails the other way another class?",
    "satellite": "Mirrored: does a field in a mirror become something else?",
}
TURNED = {
    "digits": "Turned: turn a 6 twice.",
    "clothes": "Turned: the class stays, but is any test picture of clothes turned?",
    "photos": "Turned: the class stays, but how many ships stand on their bow?",
    "satellite": "Turned: where is up, seen from straight above?",
}


@check
def augmentations(mirrored: list[str], turned: list[str]) -> None:
    """Check exercise 2: what may be done to four data sets.

    Args:
        mirrored: Names of those that may be mirrored left to right.
        turned: Names of those that may be turned by a quarter.
    """
    for answer in (mirrored, turned):
        need(isinstance(answer, (list, tuple, set)), f"{answer!r} is no list of names.")
        for name in answer:
            need(name in KNOWN, f"{name!r} is none of {', '.join(KNOWN)}.")
    for name in KNOWN:
        need((name in mirrored) == (name != "digits"), MIRRORED[name])
        need((name in turned) == (name == "satellite"), TURNED[name])


def _judged_norm(channels: int) -> nn.BatchNorm2d:
    """Return a batch norm in evaluation mode in which every number matters."""
    norm = nn.BatchNorm2d(channels).eval()
    nn.init.uniform_(norm.weight, 0.5, 2.0)
    nn.init.normal_(norm.bias)
    norm.running_mean = torch.randn(channels)
    norm.running_var = torch.linspace(0.00001, 2.0, channels)  # the first is as small as eps
    return norm


@contextmanager
def _seeded() -> Iterator[None]:
    """Draw the same numbers each time, and leave the learner's generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@check
def folded(function: Callable[[nn.Conv2d, nn.BatchNorm2d], Any]) -> None:
    """Check exercise 3: a convolution and a batch norm as one convolution.

    Args:
        function: Takes both, returns weight (C_out, C_in, 3, 3) and bias (C_out,).
    """
    with _seeded(), torch.no_grad():
        conv, norm = nn.Conv2d(3, 8, kernel_size=3, bias=False), _judged_norm(8)
        images = torch.randn(2, 3, 6, 6)
        answer = function(conv, norm)
    need(answer is not None, NO_RETURN)
    pair = isinstance(answer, (tuple, list)) and len(answer) == 2
    need(pair, "Return two things: weight, bias.")
    weight, bias = answer
    for part, shape in ((weight, (8, 3, 3, 3)), (bias, (8,))):
        need(torch.is_tensor(part), f"You return a {type(part).__name__} in place of a tensor.")
        found = tuple(part.shape)
        need(found == shape, f"For 3 channels in and 8 out, one has shape {found}, not {shape}.")
    _check_folded(weight, bias, conv, norm)
    wanted = norm(conv(images))
    need(torch.allclose(F.conv2d(images, weight, bias), wanted, atol=1e-3), "It differs still.")


def _check_folded(weight: Tensor, bias: Tensor, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    mean, var = norm.running_mean, norm.running_var
    assert mean is not None
    assert var is not None
    factor = norm.weight / (var + norm.eps).sqrt()
    weights = {
        "The weight is the convolution's own. What does the norm multiply it by?": factor * 0 + 1,
        "In the weight, the square root is missing.": norm.weight / (var + norm.eps),
        "In the weight, ε is missing: it is norm.eps.": norm.weight / var.sqrt(),
        "In the weight, γ is missing: it is norm.weight.": factor / norm.weight,
        "The weight is multiplied by γ alone.": norm.weight,
    }
    for hint, scale in weights.items():
        need(not torch.allclose(weight, conv.weight * scale.reshape(-1, 1, 1, 1)), hint)
    right = torch.allclose(weight, conv.weight * factor.reshape(-1, 1, 1, 1), rtol=1e-3)
    need(right, "The weight is not right. Each filter has one factor: γ / √(σ² + ε).")
    biases = {
        "In the bias, μ is missing: what does the norm make of a sum of 0?": norm.bias,
        "In the bias, μ has to be scaled like the weight.": norm.bias - mean,
        "In the bias, μ is subtracted, not added.": norm.bias + mean * factor,
        "In the bias, β is missing: it is norm.bias.": -mean * factor,
    }
    for hint, mistaken in biases.items():
        need(not torch.allclose(bias, mistaken), hint)


PARTS = ("conv1", "bn1", "conv2", "bn2", "shortcut")
FITS = {
    "must match": "Where channels or size change, `y` and the shortcut do not fit: {error}. "
    "What can change both?",
}


@check
def block(kind: type[Any]) -> None:
    """Check exercise 4: a residual block.

    Args:
        kind: The class; `kind(in_channels, out_channels, stride)` maps (N, C_in, H, W) to
            (N, C_out, H / stride, W / stride).
    """
    with _seeded(), torch.no_grad():
        for case in ((4, 4, 1), (4, 8, 1), (4, 8, 2)):
            made_block = made(kind, *case).eval()
            for name in PARTS:
                need(hasattr(made_block, name), f"Your block has no `{name}`.")
            for part in made_block.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.load_state_dict(_judged_norm(part.num_features).state_dict())
            images = torch.randn(2, case[0], 8, 8)
            output = output_of(made_block, images, FITS)
            _check_shortcut(made_block.shortcut, case)
            _check_block(output, made_block, images)


def _check_shortcut(shortcut: nn.Module, case: tuple[int, int, int]) -> None:
    in_channels, out_channels, stride = case
    convs = [part for part in shortcut.modules() if isinstance(part, nn.Conv2d)]
    if stride == 1 and in_channels == out_channels:
        need(not convs, "Where nothing changes, the shortcut should let its input pass untouched.")
        return
    need(len(convs) == 1, "Where channels or size change, the shortcut needs one convolution.")
    size = convs[0].kernel_size
    need(size == (1, 1), f"The shortcut's kernel is {size[0]}×{size[1]}. 1×1 is enough.")
    norms = [part for part in shortcut.modules() if isinstance(part, nn.BatchNorm2d)]
    need(len(norms) == 1, "A batch norm follows the shortcut's convolution.")


def _check_block(output: Tensor, parts: nn.Module, images: Tensor) -> None:
    conv1, bn1, conv2, bn2, shortcut = (getattr(parts, name) for name in PARTS)
    first = F.relu(bn1(conv1(images)))
    y, twice = bn2(conv2(first)), bn1(conv2(first))
    around = shortcut(images)
    wanted = F.relu(y + around)
    mistakes = {
        "`bn1` stands behind both convolutions. Who uses `bn2`?": [
            F.relu(twice) + around, F.relu(twice + around), twice + around
        ],
        "The ReLU comes before the sum, so that the block can add and never take away.": [
            F.relu(y) + around, F.relu(F.relu(y) + around)
        ],
        "The last ReLU is missing.": [y + around],
        "The shortcut is not added.": [F.relu(y), y],
        "The ReLU between the convolutions is missing.": [
            F.relu(bn2(conv2(bn1(conv1(images)))) + around)
        ],
    }  # fmt: skip
    for hint, results in mistakes.items():
        for result in results:
            same = result.shape == output.shape and torch.allclose(output, result, atol=1e-5)
            need(not same or torch.allclose(result, wanted), hint)
    shapes = tuple(output.shape), tuple(wanted.shape)
    need(shapes[0] == shapes[1], f"The output has shape {shapes[0]}, not {shapes[1]}.")
    need(torch.allclose(output, wanted, atol=1e-5), "`forward` takes another way.")


NUM_DRAWS = 60
PLACES = [(dy, dx) for dy in range(-4, 5) for dx in range(-4, 5)]


@check
def transforms(train: Callable[[Any], Any], test: Callable[[Any], Any]) -> None:
    """Check exercise 5: the transforms of training and test pictures.

    Args:
        train: Shifts by up to four pixels, mirrors half, ends like `test`.
        test: Maps a PIL picture of 32×32 to a normalised tensor (3, 32, 32).
    """
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    with _seeded():
        plain, again = test(picture), test(picture)
        draws = [train(picture) for _ in range(NUM_DRAWS)]
    for name, given in (("test", plain), ("training", draws[0])):
        kind = type(given).__name__
        need(torch.is_tensor(given), f"The {name} transform gives a {kind}. Where is ToTensor?")
        shape = tuple(given.shape)
        need(shape == (3, 32, 32), f"The {name} transform gives the shape {shape}.")
        need(bool(given.min() < 0), f"The {name} transform gives nothing below 0: no Normalize?")
    need(torch.equal(plain, again), "There is chance in the test transform.")
    _check_draws(plain, draws)


def _check_draws(plain: Tensor, draws: list[Tensor]) -> None:
    changes = [_change(plain, draw) for draw in draws]
    known = [change for change in changes if change is not None]
    upside_down = any(_change(plain.flip(1), draw) for draw in draws)
    need(not upside_down, "Some training pictures are upside down. That is no horizontal flip.")
    hint = "Some training pictures are more than shifted and mirrored, or are normalised otherwise."
    need(len(known) == len(draws), hint)
    farthest = max(max(abs(dy), abs(dx)) for _, dy, dx in known)
    need(farthest > 0, "Training pictures are never shifted: RandomCrop(32, padding=4).")
    need(farthest == 4, f"Training pictures are shifted by up to {farthest} pixels, not 4.")
    mirrored = sum(flip for flip, _, _ in known)
    need(mirrored > 0, "Training pictures are never mirrored.")
    need(mirrored < len(draws), "All training pictures are mirrored. Half of them should be.")


def _change(plain: Tensor, draw: Tensor) -> tuple[bool, int, int] | None:
    """Return whether a picture was mirrored and how far it was shifted; None if by neither."""
    middle = draw[:, 8:24, 8:24]
    for flip in (False, True):
        source = plain.flip(2) if flip else plain
        for dy, dx in PLACES:
            if torch.allclose(source[:, 8 + dy : 24 + dy, 8 + dx : 24 + dx], middle, atol=1e-5):
                return flip, dy, dx
    return None


EPOCHS, NUM_BATCHES, STALE = 5, 4, 1e6


@check
def training(function: Callable[[nn.Module, DataLoader[Any], int], object]) -> None:
    """Check exercise 5: a training with AdamW, weight decay and one-cycle.

    Args:
        function: Takes a network, a loader and the number of epochs.
    """
    with _seeded():
        linear = nn.Linear(3 * 8 * 8, 10)
        network = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(3 * 8 * 8), linear).eval()
        data = TensorDataset(torch.randn(40, 3, 8, 8), torch.arange(40) % 10)
        loader: DataLoader[Any] = DataLoader(data, batch_size=40 // NUM_BATCHES)
        with _watched(network, linear) as steps:
            try:
                function(network, loader, EPOCHS)
            except ValueError as error:
                hint = "OneCycleLR was made for fewer steps than you take: epochs × batches."
                need("Tried to step" not in str(error), hint)
                raise
    need(bool(steps), "No weight was updated. Is there a loop with optimizer.step()?")
    _check_optimizer(steps[0])
    _check_updates(steps)
    _check_rates([step["lr"] for step in steps])


@contextmanager
def _watched(network: nn.Module, linear: nn.Linear) -> Iterator[list[dict[str, Any]]]:
    """Note what holds at each update of any optimizer, and spoil the gradients after it."""
    steps: list[dict[str, Any]] = []

    def before(optimizer: torch.optim.Optimizer, *_: object) -> None:
        gradient = linear.weight.grad
        steps.append(
            {
                "optimizer": type(optimizer).__name__,
                "lr": float(optimizer.param_groups[0]["lr"]),
                "decay": optimizer.param_groups[0].get("weight_decay"),
                "training": network.training,
                "gradient": 0.0 if gradient is None else gradient.abs().max().item(),
            }
        )

    def after(*_: object) -> None:
        if linear.weight.grad is not None:
            linear.weight.grad.fill_(STALE)  # what zero_grad has to take away

    hooks = [register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)]
    try:
        yield steps
    finally:
        for hook in hooks:
            hook.remove()


def _check_optimizer(step: dict[str, Any]) -> None:
    name = step["optimizer"]
    need(name != "Adam", "Adam mixes the decay into the gradient. Use AdamW.")
    need(name == "AdamW", f"Your optimizer is {name}. Use AdamW.")
    need(step["decay"] > 0, "The weight decay is 0.")


def _check_updates(steps: list[dict[str, Any]]) -> None:
    need(all(step["gradient"] > 0 for step in steps), "There is no gradient: where is backward?")
    stale = any(step["gradient"] > STALE / 2 for step in steps)
    need(not stale, "Gradients of the batch before are still there. Where is zero_grad?")
    hint = "The network came in evaluation mode, and you trained it so. Call network.train()."
    need(all(step["training"] for step in steps), hint)
    wanted = EPOCHS * NUM_BATCHES
    hint = f"{EPOCHS} epochs of {NUM_BATCHES} batches should make {wanted} updates; yours make "
    need(len(steps) == wanted, f"{hint}{len(steps)}.")


def _check_rates(rates: list[float]) -> None:
    if len(set(rates)) == 1:
        raise NotYet("The learning rate never changes. Where is scheduler.step()?")
    hint = "The learning rate changes once an epoch. One-cycle steps after every update."
    need(len(set(rates)) > EPOCHS, hint)
    peak = rates.index(max(rates))
    need(peak > 0, "The learning rate only falls. One-cycle rises first.")
    hint = "The last rate is still high. Is total_steps the number of all updates?"
    need(rates[-1] < max(rates) / 10, hint)
