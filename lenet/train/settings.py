"""How to train: `Settings`, and the optimizer, schedule, precision and device that they name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Generic, Literal, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from lenet import checks

Augmentation = Callable[[Tensor, torch.Generator], Tensor]  # such as those of lenet.data.augment
Loss = Callable[[Tensor, Tensor], Tensor]  # of logits (N, K) and labels (N,): their mean loss ()
Counts = TypeVar("Counts")  # what a step finds out, in tensors

CHOICES = {
    "optimizer": ("adam", "sgd"),
    "schedule": ("constant", "one-cycle"),
    "precision": ("float32", "bfloat16", "float16"),
}
CODE = ("augment", "loss_function")  # the settings that JSON cannot hold


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        epochs: Number of passes over the training images.
        batch_size: Number of images per update of the weights.
        optimizer: ``"adam"`` (Kingma and Ba 2015) or ``"sgd"``.
        lr: Learning rate; for ``"one-cycle"`` the highest.
        momentum: Momentum of ``"sgd"``; ``"adam"`` has its own.
        weight_decay: Share by which weights shrink at every update, times the learning rate; for
            ``"adam"`` apart from the gradient (AdamW, Loshchilov and Hutter 2019).
        schedule: ``"constant"``, or ``"one-cycle"``: the learning rate rises for 30 % of all
            updates and falls to almost nothing for the rest (Smith and Topin 2019, as in
            `torch.optim.lr_scheduler.OneCycleLR`).
        precision: ``"float32"``, or mixed precision, `MixedPrecision`: ``"bfloat16"``, or
            ``"float16"`` for GPUs without it. It is for training; networks are judged in float32.
        seed: Seed of the shuffling and of PyTorch's global generator (dropout).
        device: ``"auto"``, or a device by name, such as ``"cpu"`` or ``"cuda:1"``.
        augment: Distorts each training batch, such as `lenet.data.augment.RandomAffine()`.
        loss_function: What to make small: a function of logits (N, K) and labels (N,) that returns
            their mean loss.
        graph: Whether a GPU of NVIDIA's records the operations of a step once in every epoch, as a
            CUDA graph, and then starts them all together: faster for small networks, whose steps
            wait for Python. Python in the network or the loss then runs a few times an epoch, not
            at every step; it must read no number from the GPU. Other devices record nothing.

    Raises:
        TypeError: `augment` or `loss_function` is no function.
        ValueError: Another value makes no sense.

    Example:
        >>> from dataclasses import replace
        >>> settings = Settings(epochs=3, optimizer="sgd", lr=0.1, schedule="one-cycle")
        >>> replace(settings, lr=0.05).lr
        0.05
    """

    epochs: int = 10
    batch_size: int = 100
    optimizer: Literal["adam", "sgd"] = "adam"
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: Literal["constant", "one-cycle"] = "constant"
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    seed: int = 0
    device: str = "auto"
    augment: Augmentation | None = None
    # Made by a factory, or it were a method; its repr would name a place in memory.
    loss_function: Loss = field(default_factory=lambda: F.cross_entropy, repr=False)
    graph: bool = False

    def __post_init__(self) -> None:
        whole, real = checks.whole_number, checks.real_number
        plain = {  # as JSON has it: no numbers of NumPy's, no torch.device
            "device": str(self.device),
            "epochs": whole("epochs", self.epochs, 1),
            "batch_size": whole("batch_size", self.batch_size, 1),
            "seed": whole("seed", self.seed, 0, checks.LARGEST_SEED),
            "lr": real("lr", self.lr, "above 0", lambda lr: lr > 0),
            "momentum": real("momentum", self.momentum, "from 0 to below 1", lambda m: 0 <= m < 1),
            "weight_decay": real("weight_decay", self.weight_decay, "from 0 on", lambda d: d >= 0),
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)
        for name, choices in CHOICES.items():
            checks.choice(name, getattr(self, name), choices)
        checks.instance("graph", self.graph, bool)
        if self.graph and (self.schedule != "constant" or self.precision == "float16"):
            raise ValueError(
                "graph repeats one recorded step; one-cycle schedules and float16 change steps as "
                "they go. Choose schedule='constant' and precision='float32' or 'bfloat16'"
            )
        for name in CODE:
            code = getattr(self, name)
            if (not callable(code) or isinstance(code, type)) and (name, code) != ("augment", None):
                raise TypeError(f"{name} must be a function, not {code!r}")

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold: all but `augment` and `loss_function`, which are code."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in CODE}


def make_optimizer(model: nn.Module, settings: Settings) -> Optimizer:
    """Make the optimizer that the settings name, for all parameters of the model.

    It is PyTorch's fused one: a single operation in place of many updates all parameters, the
    same but for rounding. `bench/throughput.py` measures what that gives.

    Raises:
        ValueError: The model has no parameter to train.
    """
    checks.instance("settings", settings, Settings)
    if not any(p.requires_grad for p in checks.instance("model", model, nn.Module).parameters()):
        raise ValueError(
            f"{type(model).__name__} has no parameter to train: it has none, or all of them are "
            "frozen (requires_grad=False)"
        )
    common: dict[str, Any] = {"lr": settings.lr, "weight_decay": settings.weight_decay}
    if settings.optimizer == "adam":  # AdamW without weight decay is Adam
        graph = settings.graph and next(model.parameters()).is_cuda
        return torch.optim.AdamW(model.parameters(), **common, fused=True, capturable=graph)
    return torch.optim.SGD(model.parameters(), **common, momentum=settings.momentum, fused=True)


def make_scheduler(
    optimizer: Optimizer, settings: Settings, num_batches: int
) -> LRScheduler | None:
    """Make the scheduler that the settings name, for epochs of so many batches."""
    checks.whole_number("num_batches", num_batches, 1)
    if settings.schedule == "constant":
        return None
    return OneCycleLR(optimizer, max_lr=settings.lr, total_steps=settings.epochs * num_batches)


class MixedPrecision(nn.Module):
    """A network that computes in 16 bits where `torch.autocast` holds that to be safe.

    Those are convolutions and matrix products: what takes the time. Weights, and the logits that
    come out, stay float32. It is faster where the device has instructions for the type.

    Args:
        model: The network, which is not changed.
        dtype: `torch.bfloat16`, or `torch.float16`.
        scaler: Multiplies the gradients that go back through the network, if there is one.
    """

    def __init__(
        self,
        model: nn.Module,
        dtype: torch.dtype = torch.bfloat16,
        scaler: GradScaler | None = None,
    ) -> None:
        super().__init__()
        self.model = checks.instance("model", model, nn.Module)
        self.dtype, self.scaler = dtype, scaler

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) to what the network makes of them, in float32."""
        with torch.autocast(images.device.type, dtype=self.dtype):
            logits: Tensor = self.model(images)
        logits = logits.float()
        if self.scaler is not None and logits.requires_grad:
            logits.register_hook(self.scaler.scale)
        return logits


class ScaledOptimizer(Optimizer):
    """An optimizer for gradients that a `GradScaler` has multiplied.

    float16 holds no number below 6e-8, and gradients become as small. They go back through the
    network multiplied, and are divided again before the update. Where one became infinite instead,
    the update is left out, and the scaler takes a smaller factor.

    Args:
        optimizer: Makes the updates.
        scaler: Has multiplied the gradients of its parameters.
    """

    def __init__(self, optimizer: Optimizer, scaler: GradScaler) -> None:
        super().__init__(checks.instance("optimizer", optimizer, Optimizer).param_groups, {})
        checks.instance("scaler", scaler, GradScaler)
        self.optimizer, self.scaler = optimizer, scaler

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every parameter, unless a gradient is infinite or not a number."""
        self.scaler.step(self.optimizer)
        self.scaler.update()


class GraphedStep(Generic[Counts]):
    """A training step whose operations are recorded once as a CUDA graph, then started together.

    The graph reads its batch from two fixed tensors, and writes what the step returns into fixed
    ones. The first batches, and those of another size, make the step as usual; so does every batch
    that is not on an NVIDIA GPU.

    Args:
        step: Trains on images (N, C, H, W) and labels (N,), and returns what it counted.
    """

    WARM_UP = 3  # steps before the recording: libraries choose and allocate in the first ones

    def __init__(self, step: Callable[[Tensor, Tensor], Counts]) -> None:
        self.step, self.num_steps = step, 0
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, images: Tensor, labels: Tensor) -> Counts:
        """Train on a batch; what is returned is overwritten by the next call."""
        if not images.is_cuda:
            return self.step(images, labels)
        if self.num_steps == 0:
            self.images, self.labels = images.clone(), labels.clone()
            self.aside = torch.cuda.Stream(images.device)
        if images.shape != self.images.shape:
            return self._as_usual(images, labels)
        self.num_steps += 1
        if self.num_steps <= self.WARM_UP:
            return self._as_usual(images, labels)
        self.images.copy_(images)
        self.labels.copy_(labels)
        if self.graph is None:
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph, stream=self.aside):
                self.counts = self.step(self.images, self.labels)  # noted, not run
        self.graph.replay()
        return self.counts

    def _as_usual(self, images: Tensor, labels: Tensor) -> Counts:
        """Make the step on the queue of the recording, but now."""
        main = torch.cuda.current_stream()
        self.aside.wait_stream(main)
        with torch.cuda.stream(self.aside):
            counts = self.step(images, labels)
        main.wait_stream(self.aside)
        return counts


def make_scaler(settings: Settings, device: torch.device) -> GradScaler | None:
    """Make what keeps small gradients from vanishing, for the precision that needs it."""
    return GradScaler(device.type) if settings.precision == "float16" else None


def in_precision(model: nn.Module, precision: str, scaler: GradScaler | None = None) -> nn.Module:
    """Return the model as it trains in a precision of `Settings`: itself, or with its weights."""
    checks.choice("precision", precision, CHOICES["precision"])
    if precision == "float32":
        return model
    return MixedPrecision(model, getattr(torch, precision), scaler)


def pick_device(name: str = "auto") -> torch.device:
    """Return the device of that name; for ``"auto"`` the accelerator of this machine, else the CPU.

    Accelerators are cuda (AMD's too), mps, xpu and whatever else this PyTorch is made for.

    Raises:
        ValueError: The name is none of PyTorch's, or there is no such device on this machine.
    """
    if name == "auto":
        here = torch.accelerator.is_available()
        name = str(torch.accelerator.current_accelerator()) if here else "cpu"
    return checks.device(name)
