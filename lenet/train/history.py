"""What a training found: the `History` of its epochs, each with its scores."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from lenet import checks
from lenet.train.settings import Settings


@dataclass(frozen=True)
class Score:
    """How a network did on some examples.

    Attributes:
        loss: Mean loss per example; for cross-entropy, the usual loss, in nats.
        num_correct: Number of examples whose highest logit is that of their label.
        num_examples: Number of examples.

    Raises:
        ValueError: There is no example, or more of them are right than there are.
    """

    loss: float
    num_correct: int
    num_examples: int

    def __post_init__(self) -> None:
        checks.whole_number("num_examples", self.num_examples, 1)
        checks.whole_number("num_correct", self.num_correct, 0, self.num_examples)

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


def check_finite(epoch: Epoch, history: History) -> None:
    """Check the loss of an epoch that is not in the history yet.

    Raises:
        DivergedError: It is infinite or not a number.
    """
    if not math.isfinite(epoch.train.loss):
        raise DivergedError(
            f"the loss became {epoch.train.loss} in epoch {epoch.number}, so the weights are lost. "
            f"Try a smaller learning rate than lr={history.settings.lr} on a newly made network, "
            "and check that the images are normalised.",
            history,
        )
