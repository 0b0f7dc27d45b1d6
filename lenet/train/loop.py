"""Training and evaluation: a loop you can read."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from tqdm.auto import tqdm

from lenet.data import ImageData

Batch = tuple[Tensor, Tensor]
Augmentation = Callable[[Tensor, torch.Generator], Tensor]  # such as those of lenet.data.augment
Loss = Callable[[Tensor, Tensor], Tensor]  # of logits (N, K) and labels (N,): their mean loss ()

EVALUATION_BATCH_SIZE = 1000  # bounds memory only: the result does not depend on it


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
        precision: ``"float32"``, or ``"bfloat16"``: mixed precision, `MixedPrecision`. It is for
            training; networks are judged in float32.
        seed: Seed of the shuffling and of PyTorch's global generator (dropout).
        device: ``"auto"``, or a device by name, such as ``"cpu"`` or ``"cuda:1"``.

    Raises:
        ValueError: A value makes no sense.
    """

    epochs: int = 10
    batch_size: int = 100
    optimizer: Literal["adam", "sgd"] = "adam"
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: Literal["constant", "one-cycle"] = "constant"
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(
                f"epochs and batch_size must be at least 1, not {self.epochs} and {self.batch_size}"
            )
        if not (self.lr > 0 and math.isfinite(self.lr)):
            raise ValueError(f"lr must be a positive number, not {self.lr}")
        if self.optimizer not in ("adam", "sgd"):
            raise ValueError(f"optimizer must be 'adam' or 'sgd', not {self.optimizer!r}")
        if not (0 <= self.weight_decay < math.inf):
            raise ValueError(f"weight_decay must be 0 or more, not {self.weight_decay}")
        if self.schedule not in ("constant", "one-cycle"):
            raise ValueError(f"schedule must be 'constant' or 'one-cycle', not {self.schedule!r}")
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision must be 'float32' or 'bfloat16', not {self.precision!r}")


@dataclass(frozen=True)
class Score:
    """How a network did on some examples.

    Attributes:
        loss: Mean loss per example; for cross-entropy, the usual loss, in nats.
        num_correct: Number of examples whose highest logit is that of their label.
        num_examples: Number of examples.
    """

    loss: float
    num_correct: int
    num_examples: int

    @property
    def accuracy(self) -> float:
        """Share of examples classified correctly, 0…1."""
        return self.num_correct / self.num_examples


@dataclass(frozen=True)
class Epoch:
    """One line of a `History`.

    Attributes:
        number: 1 for the first epoch.
        train: Score on the training batches, each taken just before its update, so that it mixes
            the weights of a whole epoch.
        test: Score on the test images with the weights at the end of the epoch.
        seconds: Time spent training; evaluation is not counted.
    """

    number: int
    train: Score
    test: Score
    seconds: float


@dataclass
class History:
    """What happened during `fit`, epoch by epoch.

    Attributes:
        settings: The settings that were used.
        epochs: One entry per finished epoch.
        interrupted: Whether training was stopped from the keyboard.
    """

    settings: Settings
    epochs: list[Epoch] = field(default_factory=list)
    interrupted: bool = False

    def __str__(self) -> str:
        lines = ["epoch  train loss  train acc.  test loss  test acc.  seconds"]
        lines += [
            f"{e.number:5}  {e.train.loss:10.4f}  {e.train.accuracy:10.2%}"
            f"  {e.test.loss:9.4f}  {e.test.accuracy:9.2%}  {e.seconds:7.1f}"
            for e in self.epochs
        ]
        return "\n".join(lines + ["interrupted"] * self.interrupted)


class DivergedError(RuntimeError):
    """The loss became infinite or not a number.

    Attributes:
        history: The epochs that were finished before.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def num_correct(logits: Tensor, labels: Tensor) -> int:
    """Count the rows of logits (N, K) whose largest entry is at the label, labels (N,)."""
    return int(logits.argmax(dim=1).eq(labels).sum())


def train_epoch(
    model: nn.Module,
    batches: Iterable[Batch],
    optimizer: torch.optim.Optimizer,
    scheduler: LRScheduler | None = None,
    loss_function: Loss = F.cross_entropy,
) -> Score:
    """Train on every batch once.

    Args:
        model: A network that maps images to logits (N, K).
        batches: Images (N, C, H, W) and labels (N,), on the model's device.
        optimizer: Updates the model's parameters.
        scheduler: Changes the learning rate after every update, if there is one.
        loss_function: Says how wrong the logits are.

    Returns:
        Loss and correct predictions on each batch just before its update.
    """
    model.train()
    tally = _Tally()
    for images, labels in batches:
        optimizer.zero_grad()  # forget the gradients of the batch before
        logits = model(images)  # forward
        loss = loss_function(logits, labels)
        loss.backward()  # fill in every parameter's gradient
        optimizer.step()  # move every parameter a little
        if scheduler is not None:
            scheduler.step()
        tally.add(logits.detach(), labels, loss.detach())
    return tally.score()


@torch.inference_mode()
def evaluate(
    model: nn.Module, batches: Iterable[Batch], loss_function: Loss = F.cross_entropy
) -> Score:
    """Judge a network on every batch, in evaluation mode and without gradients.

    Args:
        model: A network that maps images to logits (N, K); its mode is put back afterwards.
        batches: Images (N, C, H, W) and labels (N,), on the model's device.
        loss_function: Says how wrong the logits are.
    """
    was_training = model.training
    model.eval()
    tally = _Tally()
    for images, labels in batches:
        logits = model(images)
        tally.add(logits, labels, loss_function(logits, labels))
    model.train(was_training)
    return tally.score()


class _Tally:
    """Sums over examples, not over batches: the last batch may be smaller than the others.

    The sums stay on the device, because reading one makes the CPU wait for a GPU.
    """

    def __init__(self) -> None:
        self.loss: Tensor | float = 0.0
        self.num_correct: Tensor | int = 0
        self.num_examples = 0

    def add(self, logits: Tensor, labels: Tensor, mean_loss: Tensor) -> None:
        self.loss = self.loss + mean_loss * len(labels)
        self.num_correct = self.num_correct + logits.argmax(dim=1).eq(labels).sum()
        self.num_examples += len(labels)

    def score(self) -> Score:
        if self.num_examples == 0:
            raise ValueError("there is no example to score: every batch was empty or left out")
        return Score(float(self.loss) / self.num_examples, int(self.num_correct), self.num_examples)


def fit(
    model: nn.Module,
    data: ImageData,
    settings: Settings | None = None,
    *,
    augment: Augmentation | None = None,
    loss_function: Loss = F.cross_entropy,
    progress: bool = True,
) -> History:
    """Train a network and judge it on the test images after every epoch.

    Called again, it goes on from the model's present weights. Two calls with the same initial
    weights, data and settings give the same weights bit for bit on the CPU. Ctrl-C (in Jupyter:
    *Interrupt*) stops and returns the history so far.

    Args:
        model: A network that maps images (N, C, H, W) to logits (N, K). It is moved to the chosen
            device, trained in place, and left there in evaluation mode.
        data: Training and test images.
        settings: How to train; `Settings()` by default.
        augment: Distorts each training batch, such as `lenet.data.augment.RandomAffine`.
        loss_function: What to make small: a function of logits and labels.
        progress: Whether to show a progress bar.

    Raises:
        DivergedError: The loss became infinite or not a number; the error holds the history.
    """
    training = Training(model, data, settings or Settings(), augment, loss_function)
    for _ in training.epochs(progress=progress):
        pass
    return training.history


class MixedPrecision(nn.Module):
    """A network that computes in bfloat16 where `torch.autocast` holds that to be safe.

    Those are convolutions and matrix products: what takes the time. Weights, and the logits that
    come out, stay float32. It is faster where the device has instructions for bfloat16.

    Args:
        model: The network, which is not changed.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) to what the network makes of them, in float32."""
        with torch.autocast(images.device.type, dtype=torch.bfloat16):
            logits: Tensor = self.model(images)
        return logits.float()


class Training:
    """A training under way: all that its next epoch depends on.

    Args:
        model: A network that maps images (N, C, H, W) to logits (N, K). It is moved to the chosen
            device and trained in place.
        data: Training and test images.
        settings: How to train. The seed sets PyTorch's global generator at once.
        augment: Distorts each training batch.
        loss_function: What to make small: a function of logits and labels.

    Attributes:
        device: Where it is trained.
        data: Training and test images, on that device.
        model: The network.
        settings: How it is trained.
        optimizer: Updates the weights.
        scheduler: Changes the learning rate after every update; None if it is constant.
        generator: Source of the order of the images and of their distortions.
        history: The epochs that are finished.
    """

    def __init__(
        self,
        model: nn.Module,
        data: ImageData,
        settings: Settings,
        augment: Augmentation | None = None,
        loss_function: Loss = F.cross_entropy,
    ) -> None:
        device = pick_device(settings.device)
        torch.manual_seed(settings.seed)
        data = data.to(device)
        self.device = device
        self.data = data
        self.model = model.to(device)
        self._trained = in_precision(model, settings.precision)
        self.settings = settings
        self.augment = augment
        self.loss_function = loss_function
        self.generator = torch.Generator().manual_seed(settings.seed)
        self._train = data.batches(
            "train", settings.batch_size, shuffle=True, generator=self.generator
        )
        self._test = data.batches("test", EVALUATION_BATCH_SIZE)
        self.optimizer = make_optimizer(model, settings)
        self.scheduler = make_scheduler(self.optimizer, settings, len(self._train))
        self.history = History(settings)

    def epochs(self, *, progress: bool = True) -> Iterator[Epoch]:
        """Train the epochs that are left, and yield each when it is finished and in the history.

        Ctrl-C ends the series and is noted in the history.

        Raises:
            DivergedError: The loss became infinite or not a number.
        """
        total, done = self.settings.epochs, len(self.history.epochs)
        # In a notebook, tqdm itself does not look at TQDM_DISABLE.
        hidden = not progress or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
        steps = len(self._train)
        with tqdm(total=total * steps, initial=done * steps, leave=False, disable=hidden) as bar:
            try:
                for number in range(done + 1, total + 1):
                    bar.set_description(f"epoch {number}/{total}")
                    epoch = self._epoch(number, bar)
                    bar.set_postfix_str(f"test accuracy {epoch.test.accuracy:.1%}")
                    yield epoch
            except KeyboardInterrupt:
                self.history.interrupted = True
        self.model.eval()

    def _epoch(self, number: int, bar: tqdm[object]) -> Epoch:
        start = time.perf_counter()
        score = self._train_epoch(bar)
        seconds = time.perf_counter() - start
        _check_finite(score, number, self.history)
        epoch = Epoch(number, score, self._evaluate(), seconds)
        self.history.epochs.append(epoch)
        return epoch

    def _train_epoch(self, bar: tqdm[object]) -> Score:
        return train_epoch(
            self._trained, self._batches(bar), self.optimizer, self.scheduler, self.loss_function
        )

    def _evaluate(self) -> Score:
        return evaluate(self.model, self._test, self.loss_function)

    def _batches(self, bar: tqdm[object]) -> Iterator[Batch]:
        for images, labels in self._train:
            yield self.augment(images, self.generator) if self.augment else images, labels
            bar.update()


def _check_finite(score: Score, number: int, history: History) -> None:
    if not math.isfinite(score.loss):
        raise DivergedError(
            f"the loss became {score.loss} in epoch {number}, so the weights are lost. Try a "
            f"smaller learning rate than lr={history.settings.lr} on a newly made network, and "
            "check that the images are normalised.",
            history,
        )


def make_optimizer(model: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    """Make the optimizer that the settings name, for all parameters of the model.

    It is PyTorch's fused one: a single operation in place of many updates all parameters, the
    same but for rounding. `bench/throughput.py` measures what that gives.
    """
    if settings.optimizer == "adam":  # AdamW without weight decay is Adam
        return torch.optim.AdamW(
            model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay, fused=True
        )
    return torch.optim.SGD(
        model.parameters(),
        lr=settings.lr,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def in_precision(model: nn.Module, precision: str) -> nn.Module:
    """Return the model as it trains in a precision of `Settings`: itself, or with its weights."""
    return MixedPrecision(model) if precision == "bfloat16" else model


def make_scheduler(
    optimizer: torch.optim.Optimizer, settings: Settings, num_batches: int
) -> LRScheduler | None:
    """Make the scheduler that the settings name, for epochs of so many batches."""
    if settings.schedule == "constant":
        return None
    return OneCycleLR(optimizer, max_lr=settings.lr, total_steps=settings.epochs * num_batches)


def pick_device(name: str = "auto") -> torch.device:
    """Return the device of that name; for ``"auto"`` the best one here: cuda, else mps, else cpu.

    Raises:
        ValueError: The name is none of PyTorch's, or there is no such device on this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device {name!r} cannot be used here: {error}") from error
    return device
