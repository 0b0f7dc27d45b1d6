"""The training loop, from top to bottom: a training, its epochs, the eight moves of a step.

After it comes how a network is judged: what it predicts, its score, and what it confuses.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler
from tqdm.auto import tqdm

from lenet import checks
from lenet.data import ImageData
from lenet.train.history import Epoch, History, Score, check_finite
from lenet.train.settings import (
    GraphedStep,
    Loss,
    ScaledOptimizer,
    Settings,
    in_precision,
    make_optimizer,
    make_scaler,
    make_scheduler,
    pick_device,
)

Batch = tuple[Tensor, Tensor]  # images (N, C, H, W) and labels (N,)

EVALUATION_BATCH_SIZE = 1000  # bounds memory only: the result does not depend on it


def fit(
    model: nn.Module, data: ImageData, settings: Settings | None = None, *, progress: bool = True
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
        progress: Whether to show a progress bar.

    Raises:
        DivergedError: The loss became infinite or not a number; the error holds the history.
        TypeError: An argument is of another kind.
        ValueError: The network does not take the images, does not give a score for each class, or
            has nothing to train; or there is no image.

    Example:
        >>> from lenet.data import load
        >>> from lenet.models import NarrowLeNet
        >>> network = NarrowLeNet()
        >>> print(fit(network, load("mnist"), Settings(epochs=2), progress=False))
        epoch  train loss  train acc.  test loss  test acc.  seconds
            1 ...
            2 ...
    """
    training = Training(model, data, Settings() if settings is None else settings)
    for _ in training.epochs(progress=progress):
        pass
    return training.history


class Training:
    """A training under way: all that its next epoch depends on.

    It takes the arguments of `fit`. The seed sets PyTorch's global generator at once.

    Attributes:
        device: Where it is trained.
        data: Training and test images, on that device.
        model: The network.
        settings: How it is trained.
        optimizer: Updates the weights.
        scheduler: Changes the learning rate after every update; None if it is constant.
        scaler: Keeps small gradients from vanishing in float16; None in other precisions.
        generator: Source of the order of the images and of their distortions.
        history: The epochs that are finished.
    """

    def __init__(self, model: nn.Module, data: ImageData, settings: Settings) -> None:
        self.device = pick_device(checks.instance("settings", settings, Settings).device)
        self.data = checks.instance("data", data, ImageData).to(self.device)
        self.model = checks.instance("model", model, nn.Module).to(self.device)
        _try(self.model, self.data, settings.loss_function)
        torch.manual_seed(settings.seed)
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.settings = settings
        self.history = History(settings)
        self._train = self.data.batches(
            "train", settings.batch_size, shuffle=True, generator=self.generator
        )
        self._test = self.data.batches("test", EVALUATION_BATCH_SIZE)
        self.scaler = make_scaler(settings, self.device)
        self._module = in_precision(model, settings.precision, self.scaler)
        self._loss = settings.loss_function
        self.optimizer = make_optimizer(model, settings)
        self._updates: torch.optim.Optimizer = self.optimizer
        if self.scaler is not None:
            self._updates = ScaledOptimizer(self.optimizer, self.scaler)
        self.scheduler = make_scheduler(self.optimizer, settings, len(self._train))

    def epochs(self, *, progress: bool = True) -> Iterator[Epoch]:
        """Train the epochs that are left, and yield each when it is finished and in the history.

        Between two of them the caller may store the training, or stop. Ctrl-C ends the series and
        is noted in the history.

        Raises:
            DivergedError: The loss became infinite or not a number.
        """
        total, done = self.settings.epochs, len(self.history.epochs)
        with _progress_bar(total, done, len(self._train), progress) as bar:
            try:
                for number in range(done + 1, total + 1):
                    bar.set_description(f"epoch {number}/{total}")
                    start = time.perf_counter()
                    train = train_epoch(
                        self._module, self._batches(bar), self._updates, self.scheduler,
                        self._loss, graph=self.settings.graph,
                    )  # fmt: skip
                    seconds = time.perf_counter() - start
                    test = evaluate(self.model, self._test, self.settings.loss_function)
                    epoch = Epoch(number, self._whole(train), self._whole(test), seconds)
                    check_finite(epoch, self.history)
                    self.history.epochs.append(epoch)
                    bar.set_postfix_str(f"test accuracy {epoch.test.accuracy:.1%}")
                    yield epoch
            except KeyboardInterrupt:
                self.history.interrupted = True
            finally:
                self.model.eval()

    def _batches(self, bar: tqdm[object]) -> Iterator[Batch]:
        """Yield the batches of an epoch, distorted if the settings say so."""
        augment = self.settings.augment
        for images, labels in self._train:
            yield augment(images, self.generator) if augment else images, labels
            bar.update()

    def _whole(self, score: Score) -> Score:
        """Return the score on all images, of which several processes have a share each."""
        return score


def _try(model: nn.Module, data: ImageData, loss_function: Loss) -> None:
    """Find out before a training whether its first step can be made, and leave no trace.

    Raises:
        ValueError: It cannot; the message says why.
    """
    _check_some(min(len(data.train), len(data.test)))
    images, labels = next(iter(data.batches("train", 2)))
    with checks.evaluation_mode(model), _told_of(model):
        logits = checks.scores(model(images), len(images), len(data.classes))
    with _told_of(loss_function):
        loss = loss_function(logits, labels)
    if not (isinstance(loss, Tensor) and loss.dim() == 0 and loss.requires_grad):
        raise ValueError(
            "the loss must be one number, a tensor (), that depends on parameters to train. Are "
            f"they all frozen (requires_grad=False)? The loss is {loss!r}"
        )


@contextmanager
def _told_of(function: Callable[..., Tensor]) -> Iterator[None]:
    """Say of an error of PyTorch's which network or loss it came from, and what explains it."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (IndexError, RuntimeError) as error:  # PyTorch's, of shapes
        name = getattr(function, "__name__", type(function).__name__)
        said = ValueError(
            f"{name} does not take what it is given: {error}\n"
            "`with lenet.shapes.explaining(model):` around the call says why, and what to change"
        )
        raise said.with_traceback(error.__traceback__) from error


def _progress_bar(total: int, done: int, num_batches: int, progress: bool) -> tqdm[object]:
    # In a notebook, tqdm itself does not look at TQDM_DISABLE.
    hidden = not progress or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
    return tqdm(total=total * num_batches, initial=done * num_batches, leave=False, disable=hidden)


def train_epoch(
    model: nn.Module,
    batches: Iterable[Batch],
    optimizer: torch.optim.Optimizer,
    scheduler: LRScheduler | None = None,
    loss_function: Loss = F.cross_entropy,
    *,
    graph: bool = False,
) -> Score:
    """Train on every batch once.

    Args:
        model: A network that maps images to logits (N, K).
        batches: Images (N, C, H, W) and labels (N,), on the model's device.
        optimizer: Updates the model's parameters.
        scheduler: Changes the learning rate after every update, if there is one.
        loss_function: Says how wrong the logits are.
        graph: Whether moves 2 to 7 are recorded as a CUDA graph, see `Settings`.

    Returns:
        Loss and correct predictions on each batch just before its update.

    Raises:
        ValueError: There is no example, or a label is of no class.
    """
    checks.instance("optimizer", optimizer, torch.optim.Optimizer)
    checks.instance("model", model, nn.Module).train()
    loss_function = _checked(loss_function)

    def step(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        optimizer.zero_grad()  # 2 forget the gradients of the batch before
        logits = model(images)  # 3 forward
        loss = loss_function(logits, labels)  # 4 how wrong?
        loss.backward()  # 5 fill in every parameter's gradient
        optimizer.step()  # 6 move every parameter a little
        return loss.detach() * len(labels), logits.argmax(dim=1).eq(labels).sum()  # 7 count

    make_step = GraphedStep(step) if graph else step
    # Sums over examples, since the last batch may be smaller than the others. They stay on the
    # device: reading a number makes the CPU wait for a GPU.
    total_loss: Tensor | float = 0.0
    total_correct: Tensor | int = 0
    num_examples = 0
    for images, labels in batches:  # 1 fetch a batch
        loss, correct = make_step(images, labels)
        if scheduler is not None:
            scheduler.step()
        total_loss += loss
        total_correct += correct
        num_examples += len(labels)
    _check_some(num_examples)
    return Score(float(total_loss) / num_examples, int(total_correct), num_examples)  # 8 report


@torch.inference_mode()
def predict(model: nn.Module, batches: Iterable[Batch]) -> tuple[Tensor, Tensor]:
    """Run a network on every batch, in evaluation mode and without gradients.

    Args:
        model: A network that maps images to logits (N, K); its mode is put back afterwards.
        batches: Images (N, C, H, W) and labels (N,), on the model's device.

    Returns:
        The logits of all images, (N, K), and their labels, (N,), on that device.

    Raises:
        ValueError: There is no example.
    """
    checks.instance("model", model, nn.Module)
    with checks.evaluation_mode(model), _told_of(model):
        answered = [
            (checks.scores(model(checks.instance("images", images, Tensor)), len(labels)), labels)
            for images, labels in batches
        ]
    _check_some(len(answered))
    logits, labels = zip(*answered, strict=True)
    return torch.cat(logits), torch.cat(labels)


def evaluate(
    model: nn.Module, batches: Iterable[Batch], loss_function: Loss = F.cross_entropy
) -> Score:
    """Judge a network on every batch: `predict`, then `score`."""
    return score(*predict(model, batches), loss_function)


@torch.inference_mode()
def score(logits: Tensor, labels: Tensor, loss_function: Loss = F.cross_entropy) -> Score:
    """Judge logits (N, K) by their labels (N,).

    Raises:
        ValueError: Types or shapes are others, or a label is of no class.
    """
    right = num_correct(logits, labels)
    loss = loss_function(logits, torch.as_tensor(labels, device=logits.device).long())
    return Score(float(loss), right, len(labels))


def num_correct(logits: Tensor, labels: Tensor) -> int:
    """Count the rows of logits (N, K) whose largest entry is at the label, labels (N,).

    A row that holds what is not a number is never right.

    Raises:
        ValueError: Types or shapes are others, or a label is of no class.
    """
    labels = _check_pair(logits, labels)
    largest, answers = logits.max(dim=1)
    return int((answers.eq(labels) & ~largest.isnan()).sum())


def confusion(logits: Tensor, labels: Tensor) -> Tensor:
    """Count the examples of every class by the class that they were given to.

    Args:
        logits: Scores of any kind, (N, K); the largest of a row is the answer.
        labels: The true classes, int64 (N,).

    Returns:
        int64 (K, K), on the CPU: a row for each true class, a column for each answer.

    Raises:
        ValueError: Types or shapes are others, a label is of no class, or a score is not a number.

    Example:
        >>> logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0]])
        >>> confusion(logits, labels=torch.tensor([0, 1, 1])).tolist()
        [[1, 0], [1, 1]]
    """
    labels, num_classes = _check_pair(logits, labels), logits.shape[1]
    if logits.isnan().any():
        raise ValueError("some scores are not a number (NaN): there is no answer to count")
    cells = labels * num_classes + logits.argmax(dim=1)
    return cells.bincount(minlength=num_classes**2).reshape(num_classes, num_classes).cpu()


def _check_pair(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the labels of logits (N, K) as int64 (N,), once both can be used."""
    checks.tensor("logits", logits, "NK")
    return checks.labels(labels, *logits.shape).to(logits.device)


def _checked(loss_function: Loss) -> Loss:
    """Make a loss that checks every batch on the CPU; elsewhere one, because reading it waits."""
    numbers = itertools.count(1)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        number = next(numbers)
        if number == 1 or labels.device.type == "cpu":
            checks.tensor("labels", labels, "N", torch.int64, may_be_empty=number > 1)
            num_classes = checks.scores(logits, len(labels)).shape[1]
            checks.labels(labels, len(labels), num_classes, name=f"in batch {number}, labels")
        return loss_function(logits, labels)

    return loss


def _check_some(number: int) -> None:
    if number == 0:
        raise ValueError("there is no example to score: every batch was empty or left out")
