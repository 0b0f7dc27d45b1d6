"""Break it: the training loop with one fault at a time, and what each fault leaves behind.

`train` is the healthy loop. Every other `Loop` is a change of its source, and what runs is the
changed source: the code that a reader sees is the code that made the curves.
"""

from __future__ import annotations

import difflib
import inspect
import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from lenet.data import Batches, ImageData
from lenet.models import NarrowLeNet
from lenet.train import num_correct
from lenet_book.results import Record

Moment = tuple[nn.Module, float, Batches]
Change = tuple[str, str]

NUM_UPDATES = 1200  # two epochs of Fashion-MNIST
LOSS_EVERY = 10  # updates whose losses are averaged to one point of the curve
TEST_EVERY = 100  # updates


def train(data: ImageData) -> Iterator[Moment]:
    """After every update, hand over the network, the batch's loss and the test batches."""
    model = NarrowLeNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    mean, std = data.mean, data.std
    pictures = data.train[data.train.labels.argsort()]  # class by class, as in folders
    batches = Batches(pictures, mean, std, batch_size=100, shuffle=True)
    tests = Batches(data.test, mean, std, batch_size=1000)
    while True:  # epoch after epoch, as long as somebody watches
        for images, labels in batches:
            model.train()
            optimizer.zero_grad()
            logits = model(images)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.step()
            model.eval()
            yield model, loss.item(), tests


_SOURCE = inspect.getsource(train)  # read at once: the file may change under a running program


@dataclass(frozen=True)
class Loop:
    """The loop with some lines of its source changed.

    In `seen`, `check` and `fix`, code stands between backticks.

    Attributes:
        name: What it is called in records.
        title: What it is called in a sentence.
        changes: Pairs of a line of the healthy loop and what stands there instead, without
            indentation; an empty text leaves the line out.
        healthy: The name of the loop that it is compared with; empty for a loop without a fault.
        seen: What its curves show.
        check: How to make sure that it is this fault.
        fix: What to change.
        flat: Whether its curves stay at those of guessing, like the curves of other faults.
    """

    name: str
    title: str
    changes: tuple[Change, ...] = ()
    healthy: str = ""
    seen: str = ""
    check: str = ""
    fix: str = ""
    flat: bool = False

    def source(self) -> str:
        """Return the code of the loop.

        Raises:
            ValueError: A line to change does not occur exactly once.
        """
        lines = _SOURCE.splitlines()
        for old, new in self.changes:
            places = [number for number, line in enumerate(lines) if line.strip() == old]
            if len(places) != 1:
                raise ValueError(f"{self.name}: {old!r} occurs {len(places)} times in the loop")
            indent = lines[places[0]].removesuffix(old)
            lines[places[0] : places[0] + 1] = [indent + line for line in new.splitlines()]
        return "\n".join(lines) + "\n"

    def difference(self) -> list[str]:
        """Return all lines of the loop, marked ``"- "`` or ``"+ "`` if changed, else ``"  "``."""
        before = loop(self.healthy).source() if self.healthy else self.source()
        compared = difflib.ndiff(before.splitlines(), self.source().splitlines())
        return [line for line in compared if not line.startswith("?")]

    def function(self) -> Callable[[ImageData], Iterator[Moment]]:
        """Return the loop as a function: its source, executed."""
        space: dict[str, Any] = dict(globals())
        exec(compile(self.source(), f"<{self.name}>", "exec"), space)
        made: Callable[[ImageData], Iterator[Moment]] = space["train"]
        return made


_MODEL = "model = NarrowLeNet()"
_ADAM = "optimizer = torch.optim.Adam(model.parameters(), lr={})"
_BATCHES = "batches = Batches(pictures, mean, std, batch_size=100{})"
_FORWARD = "logits = model(images)"
_WITH_DROPOUT = (
    _MODEL,
    f"{_MODEL}\n"
    "model.fc2 = nn.Sequential(nn.Dropout(0.5), model.fc2)  # half of its inputs become 0\n"
    "model.out = nn.Sequential(nn.Dropout(0.5), model.out)",
)

LOOPS = (
    Loop("healthy", "healthy"),
    Loop("healthy-dropout", "healthy, with dropout", changes=(_WITH_DROPOUT,)),
    Loop(
        "no-zero-grad",
        "gradients never cleared",
        changes=(("optimizer.zero_grad()", ""),),
        healthy="healthy",
        seen="The loss begins to fall, turns round within the first updates, and ends above the "
        "dotted line: worse than guessing. Every step follows the sum of all slopes since the "
        "start, most of them taken at weights that were left long ago.",
        check="After each `loss.backward()`, print `model.out.bias.grad.norm()`. If it grows and "
        "grows, `backward` is adding to old gradients.",
        fix="Call `optimizer.zero_grad()` once per update, before `loss.backward()`.",
    ),
    Loop(
        "no-step",
        "step forgotten",
        changes=(("optimizer.step()", ""),),
        healthy="healthy",
        seen="Both curves are flat. The loss stays near the dotted line, and the accuracy does not "
        "change at all, from the first update to the last: these are the same weights.",
        check="Keep `before = model.out.bias.detach().clone()`, make one update, and look at "
        "`torch.equal(before, model.out.bias)`. It must be False. It is True as well when the "
        "optimizer was given the parameters of another network.",
        fix="Call `optimizer.step()` after `loss.backward()`.",
        flat=True,
    ),
    Loop(
        "double-softmax",
        "softmax before the loss",
        changes=((_FORWARD, "logits = model(images).softmax(dim=1)"),),
        healthy="healthy",
        seen="It begins like a training: the loss falls and the accuracy rises above chance. But "
        "the loss stays far above the healthy one (below 1.46 it cannot go), and most of what was "
        "learned is lost again: once a share is close to 0 or 1, a softmax passes hardly any slope "
        "back. How far it comes depends on the seed, as the wide band shows.",
        check="Look at what goes into the loss: `logits.sum(dim=1)` is 1 in every row. Or train "
        "on a single batch: a healthy loss goes to 0, this one stops at 1.46.",
        fix="Hand the raw logits to `F.cross_entropy`: it contains the softmax.",
    ),
    Loop(
        "lr-times-100",
        "learning rate × 100",
        changes=((_ADAM.format("0.01"), _ADAM.format("1.0")),),
        healthy="healthy",
        seen="The loss jumps far out of the picture within the first updates. It comes back, and "
        "then stays near the dotted line: the first steps were so long that the ReLUs put out "
        "zeros for every picture, and through a zero no slope gets back.",
        check="Print the loss of the first twenty updates. A rise at once, by orders of "
        "magnitude, speaks for steps that are too long.",
        fix="Make a new network and lower the learning rate by factors of ten until the first "
        "losses fall. The old network cannot be revived.",
    ),
    Loop(
        "lr-over-100",
        "learning rate ÷ 100",
        changes=((_ADAM.format("0.01"), _ADAM.format("0.0001")),),
        healthy="healthy",
        seen="Nothing looks broken: the loss falls smoothly and the accuracy rises. Both are "
        "late, and still on their way when the healthy run has arrived.",
        check="Train for a few hundred updates with ten times the learning rate. If the loss "
        "falls much faster, the steps were too short.",
        fix="Raise the learning rate by factors of ten until training becomes unsteady, then go "
        "back by one.",
    ),
    Loop(
        "not-shuffled",
        "pictures not shuffled",
        changes=((_BATCHES.format(", shuffle=True"), _BATCHES.format("")),),
        healthy="healthy",
        seen="A saw. While pictures of one class come, one answer is always right, and the loss "
        "falls, at first to almost nothing. At every change of class it leaps. On test pictures of "
        "all classes the network is as good as a guess: it knows the last class only.",
        check="Print the labels of a few batches. They should be a mixture of all classes.",
        fix="Use `shuffle=True` for the training batches. Data that lie class by class, as "
        "folders do, need it most.",
    ),
    Loop(
        "mixed-labels",
        "labels of other pictures",
        changes=((_FORWARD, f"images = images[torch.randperm(len(images))]\n{_FORWARD}"),),
        healthy="healthy",
        seen="The loss settles on the dotted line at once, and the accuracy is that of guessing. "
        "The pictures were shuffled without their labels, so there is nothing to be learned but "
        "how frequent each class is.",
        check="Draw some pictures of a batch with the names of their labels above, as they go "
        "into the loss. Do this once in every project.",
        fix="Take pictures and labels by the same order, always in one step.",
        flat=True,
    ),
    Loop(
        "zero-weights",
        "all weights begin at zero",
        changes=(
            (
                _MODEL,
                f"{_MODEL}\nfor parameter in model.parameters():\n    nn.init.zeros_(parameter)",
            ),
        ),
        healthy="healthy",
        seen="Flat: the first loss is that of guessing to the last digit, and it stays there. "
        "Every layer puts out zeros, and a slope that passes a zero becomes zero. Only the last "
        "bias moves.",
        check="After `loss.backward()`, print `parameter.grad.abs().max()` for every parameter. "
        "All but the last bias have 0.",
        fix="Leave the random weights that PyTorch's layers begin with, or use another random "
        "initialisation. Zero is fine for biases.",
        flat=True,
    ),
    Loop(
        "raw-pixels",
        "pixels from 0 to 255",
        changes=(("mean, std = data.mean, data.std", "mean, std = (0.0,), (1 / 255,)"),),
        healthy="healthy",
        seen="The first losses are far above the dotted line: the network is sure of itself and "
        "wrong. It recovers, learns, and stays behind the healthy run.",
        check="Print `images.mean()` and `images.std()` of a batch. They should be near 0 and 1. "
        "And look at the very first loss: it should be close to ln 10.",
        fix="Normalise: scale to 0…1, subtract the mean, divide by the standard deviation. Do the "
        "same to test pictures.",
    ),
    Loop(
        "no-eval",
        "evaluation mode forgotten",
        changes=(_WITH_DROPOUT, ("model.eval()", "")),
        healthy="healthy-dropout",
        seen="The training loss is as it should be; only the test accuracy is lower. Dropout "
        "still sets half of the numbers to zero while the network is tested.",
        check="Ask for the same picture twice: the answers differ. And `model.training` must be "
        "False wherever a network is tested or used.",
        fix="Call `model.eval()` before testing and `model.train()` before training.",
    ),
)
_BY_NAME = {found.name: found for found in LOOPS}
FAULTS = tuple(found for found in LOOPS if found.healthy)


def loop(name: str) -> Loop:
    """Return the loop of that name.

    Raises:
        ValueError: There is none.
    """
    if name not in _BY_NAME:
        raise ValueError(f"there is no loop {name!r}; there are {', '.join(_BY_NAME)}")
    return _BY_NAME[name]


def run_loop(name: str, data: ImageData, seed: int = 0, num_updates: int = NUM_UPDATES) -> Record:
    """Run a loop and return its curves, as JSON has them.

    Args:
        name: The loop's, such as ``"no-step"``.
        data: Training and test images, 28×28 and grey.
        seed: Of weights, order and dropout.
        num_updates: How many updates to make; the last `LOSS_EVERY` must be complete.

    Returns:
        What was run; ``loss``, means over `LOSS_EVERY` updates each, None where a loss was not
        finite; and ``test_accuracy`` after the updates that ``tested_after`` lists.

    Raises:
        ValueError: There is no such loop, or the number of updates does not suit.
    """
    if num_updates < 1 or num_updates % LOSS_EVERY:
        raise ValueError(f"num_updates must be a multiple of {LOSS_EVERY}, not {num_updates}")
    chosen = loop(name)
    torch.manual_seed(seed)
    losses: list[float] = []
    accuracy: dict[int, float] = {}
    moments = islice(chosen.function()(data), num_updates)
    for number, (model, loss, tests) in enumerate(moments, start=1):
        losses.append(loss)
        if number == 1 or number % TEST_EVERY == 0 or number == num_updates:
            accuracy[number] = _accuracy(model, tests)
    return {
        "loop": name,
        "code": chosen.source(),
        "seed": seed,
        "num_updates": num_updates,
        "data": data.source,
        "loss": [_mean(losses[i : i + LOSS_EVERY]) for i in range(0, num_updates, LOSS_EVERY)],
        "tested_after": list(accuracy),
        "test_accuracy": list(accuracy.values()),
    }


def _mean(losses: list[float]) -> float | None:
    mean = statistics.fmean(losses)
    return round(mean, 5) if math.isfinite(mean) else None


@torch.no_grad()
def _accuracy(model: nn.Module, batches: Batches) -> float:
    """Test a network in the mode in which the loop left it."""
    correct = sum(num_correct(model(images), labels) for images, labels in batches)
    return correct / len(batches.examples)
