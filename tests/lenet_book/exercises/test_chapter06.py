"""What the checks of chapter 6 answer to typical mistakes: each has a hint of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenet.models import NarrowLeNet
from lenet_book.exercises import chapter06 as check
from tests.sources import cells_of, value_of


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    """The names of the chapter that its exercises need, and its cells by id."""
    cells = cells_of("06_training_loop")
    names: dict[str, Any] = {"cells": cells}
    for name in ("imports", "root", "data", "checks"):
        value_of(cells[name], names)
    return names


@pytest.mark.parametrize("number", [3, 4, 5, 6])
def test_solutions_are_right(chapter: dict[str, Any], number: int) -> None:
    if number == 3:
        value_of(chapter["cells"]["answer-3"], chapter)
    assert str(value_of(chapter["cells"][f"solution-{number}"], chapter)) == "Right."


def test_the_whole_program_runs(chapter: dict[str, Any]) -> None:
    value_of(chapter["cells"]["solution-6"], chapter)
    value_of(chapter["cells"]["solution-6-program"], chapter)
    assert len(chapter["losses"]) == 2 * len(chapter["train_loader"])


def test_numbers_of_the_solutions_in_words() -> None:
    assert check.one_update(16, 0.84).right
    assert check.one_update(16.016, 0.83984).right, "a nudged slope is a slope"
    assert check.orders({"A", "C"}).right


@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_is_not_filled_in_is_not_answered(chapter: dict[str, Any], number: int) -> None:
    assert str(value_of(chapter["cells"][f"answer-{number}"], chapter)) == "Not answered yet."


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        (("16", 0.84), "'16' is no number"),
        ((-16, 1.16), "the sign is not"),
        ((4, 0.96), "three factors"),
        ((2, 0.98), "that is the error"),
        ((8, 0.92), "a factor is missing"),
        ((64, 0.36), "e is 2, not 8"),
        ((32, 0.68), "the factor 2 once"),
        ((5, 0.95), "multiply the three factors"),
        ((16, 1.16), "went up the slope"),
        ((16, 0.16), "Where does it arrive"),
        ((16, -15), "learning rate is missing"),
        ((16, 0.2), "not 0.05"),
        ((16, 0.5), "w − lr · slope"),
    ],
)
def test_one_update(answers: tuple[Any, Any], hint: str) -> None:
    verdict = check.one_update(*answers)
    assert not verdict.right
    assert hint in verdict.text


@pytest.mark.parametrize(
    ("letters", "hint"),
    [
        (set(), "A does not learn"),
        ({"A"}, "C does not learn"),
        ({"A", "B", "C"}, "what is in `grad` when `step` reads it"),
        ({"A", "C", "D"}, "follow it into the second round"),
        ("A, C", "Give a set of letters"),
        ({"E"}, "Give a set of letters"),
        (3, "Give a set of letters"),
    ],
)
def test_orders(letters: Any, hint: str) -> None:
    verdict = check.orders(letters)
    assert not verdict.right
    assert hint in verdict.text


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(100, 1, 28, 28, generator=generator)
    return images, torch.randint(10, (100,), generator=generator)


def accumulated(
    scale: float = 0.25,
    parts: tuple[int, ...] = (0, 25, 50, 75),
    reduction: str = "mean",
    clear: bool = False,
    times: int = 1,
) -> Tensor:
    images, labels = batch()
    torch.manual_seed(0)
    network = NarrowLeNet()
    for start in times * parts:
        if clear:
            network.zero_grad()
        some = slice(start, start + 25)
        loss = F.cross_entropy(network(images[some]), labels[some], reduction=reduction)
        (scale * loss).backward()
    assert network.out.bias.grad is not None
    return network.out.bias.grad


def test_quarters_add_up() -> None:
    assert check.quarters(accumulated(), *batch()).right
    assert check.quarters(accumulated(0.01, reduction="sum"), *batch()).right


@pytest.mark.parametrize(
    ("gradient", "hint"),
    [
        (0.5, "A gradient is a tensor"),
        (torch.zeros(10, 60), "yours is (10, 60)"),
        (NarrowLeNet().out.bias, "That is the bias itself"),
        (accumulated(1), "Four times too large"),
        (accumulated(1, reduction="sum"), "A hundred times too large"),
        (accumulated(1 / 16), "Four times too small"),
        (accumulated(1 / 100), "Twenty-five times too small"),
        (accumulated(clear=True), "Is something cleared between the calls?"),
        (accumulated(1, clear=True), "not divided by 4"),
        (accumulated(parts=(0, 0, 0, 0)), "does the slice move on?"),
        (accumulated(parts=(0,)), "divided by 4. Are there four calls?"),
        (accumulated(times=2), "Is the network new"),
    ],
)
def test_quarters(gradient: Any, hint: str) -> None:
    verdict = check.quarters(gradient, *batch())
    assert not verdict.right
    assert hint in verdict.text


def looped(
    give: Callable[[list[float], list[int]], Any],
    *,
    scores: Callable[[Tensor], Tensor] = lambda scores: scores,
    clear: bool = True,
    clear_late: bool = False,
    step: bool = True,
    another: bool = False,
) -> Callable[..., Any]:
    """A loop with one thing another way; `give` makes what it returns of losses and lengths."""

    def loop(model: nn.Module, batches: Any, optimizer: torch.optim.Optimizer, epochs: int = 1):
        losses, lengths = [], []
        if another:
            optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.5)
        for _ in range(epochs):
            for images, labels in batches:
                if clear:
                    optimizer.zero_grad()
                loss = F.cross_entropy(scores(model(images)), labels)
                loss.backward()
                if clear_late:
                    optimizer.zero_grad()
                if step:
                    optimizer.step()
                losses.append(loss.item())
                lengths.append(len(labels))
        return give(losses, lengths)

    return loop


def mean(losses: list[float], lengths: list[int]) -> float:
    return sum(loss * n for loss, n in zip(losses, lengths, strict=True)) / sum(lengths)


def shares(scores: Tensor) -> Tensor:
    return scores.softmax(dim=1)


WEIGHTS = [  # slips that show in the weights, and their hints
    ({"step": False}, "has not changed"),
    ({"clear_late": True}, "has not changed"),
    ({"another": True}, "has made no step"),
    ({"clear": False}, "Which line is missing?"),
    ({"scores": shares}, "Hand it the scores"),
    ({"clear": False, "scores": shares}, "Two faults show in the weights"),
    ({"scores": torch.relu}, "not as they should"),
]


@pytest.mark.parametrize(("slip", "hint"), WEIGHTS)
def test_weights_that_a_loop_leaves(slip: dict[str, Any], hint: str) -> None:
    for verdict in (
        check.epoch(looped(mean, **slip)),
        check.train(looped(lambda losses, _: losses, **slip)),
    ):
        assert not verdict.right
        assert hint in verdict.text


@pytest.mark.parametrize(
    ("give", "hint"),
    [
        (lambda losses, _: None, "returns nothing"),
        (lambda losses, _: torch.tensor(losses).mean(), "not a Tensor"),
        (lambda losses, _: sum(losses) / len(losses), "as much say as the others"),
        (lambda losses, _: sum(losses), "the sum over batches"),
        (lambda losses, n: mean(losses, n) * 9, "Divide by their number"),
        (lambda losses, n: mean(losses, n) * 3, "divide by batches"),
        (lambda losses, _: sum(losses) / 9, "a sum of means"),
        (lambda losses, _: losses[-1], "you return"),
        (lambda losses, _: undefined, "NameError"),  # type: ignore[name-defined]  # noqa: F821
    ],
)
def test_epoch(give: Callable[..., Any], hint: str) -> None:
    verdict = check.epoch(looped(give))
    assert not verdict.right
    assert hint in verdict.text


def test_a_right_epoch_and_the_one_that_was_given(chapter: dict[str, Any]) -> None:
    assert check.epoch(looped(mean)).right
    assert "Two faults" in str(value_of(chapter["cells"]["answer-4"], chapter))


class Right:
    """SGD with momentum, written another way: the learning rate is in the velocity."""

    added, lost, late = 1.0, False, False

    def __init__(self, parameters: Iterator[nn.Parameter], lr: float, momentum: float) -> None:
        self.parameters, self.lr, self.momentum = list(parameters), lr, momentum
        self.velocities = [torch.zeros_like(p) for p in self.parameters]

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        with torch.no_grad():
            for number, parameter in enumerate(self.parameters):
                gradient = parameter.grad
                velocity = self.momentum * self.velocities[number] - self.lr * self.added * gradient
                if not self.lost:
                    self.velocities[number] = velocity
                parameter += velocity


class NoMomentum(Right):
    lost = True


class Averaged(Right):
    added = 0.1


class Uphill(Right):
    added = -1.0


class NeverClears(Right):
    def zero_grad(self) -> None: ...


class WithoutRate(Right):
    added = 10.0


class Generator(Right):
    def __init__(self, parameters: Iterator[nn.Parameter], lr: float, momentum: float) -> None:
        super().__init__(parameters, lr, momentum)
        self.parameters = iter(self.parameters)  # type: ignore[assignment]


class Rebinds(Right):
    def step(self) -> None:
        for parameter in self.parameters:
            parameter = parameter - self.lr * parameter.grad


class OneVelocity(Right):
    def step(self) -> None:
        with torch.no_grad():
            for parameter in self.parameters:
                shared = self.velocities[0].flatten()[0]
                self.velocities[0] = self.momentum * shared + parameter.grad
                parameter -= self.lr * self.velocities[0]


class HalfForgets(Right):
    def step(self) -> None:
        self.velocities[1] = torch.zeros_like(self.velocities[1])
        super().step()


class Tracked(Right):
    def step(self) -> None:
        for parameter in self.parameters:
            parameter -= self.lr * parameter.grad


class Empty: ...


class NoStep:
    def __init__(self, parameters: Iterator[nn.Parameter], lr: float, momentum: float) -> None: ...

    def zero_grad(self) -> None: ...


class TwoArguments(Right):
    def __init__(self, parameters: Iterator[nn.Parameter], lr: float) -> None: ...


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        (Empty, "no `__init__` yet"),
        (Right([], 0.1, 0.9), "without brackets"),
        (NoStep, "no method `step` yet"),
        (NoMomentum, "momentum is missing"),
        (Averaged, "as Adam does"),
        (Uphill, "up the slope"),
        (NeverClears, "clears nothing"),
        (WithoutRate, "learning rate is missing"),
        (Generator, "walked through only once"),
        (Rebinds, "makes a new tensor"),
        (OneVelocity, "another one than SGD's"),
        (HalfForgets, "later ones are not"),
        (Tracked, "in-place operation"),
        (TwoArguments, "unexpected keyword argument 'momentum'"),
    ],
)
def test_optimizer(kind: Any, hint: str) -> None:
    verdict = check.optimizer(kind)
    assert not verdict.right
    assert hint in verdict.text


def test_an_optimizer_written_another_way() -> None:
    assert check.optimizer(Right).right


@pytest.mark.parametrize(
    ("give", "hint"),
    [
        (lambda losses, _: None, "returns nothing"),
        (lambda losses, _: tuple(losses), "yours is a tuple"),
        (lambda losses, _: [torch.tensor(loss) for loss in losses], "`item()`"),
        (lambda losses, _: [], "Is `append` inside"),
        (lambda losses, _: losses[:1], "Is the return inside"),
        (lambda losses, _: [sum(losses[:3]), sum(losses[3:])], "Keep that of every batch"),
        (lambda losses, _: losses[3:], "begin anew in each"),
        (lambda losses, _: losses[:5], "two epochs, 5 losses"),
        (lambda losses, n: [a * b for a, b in zip(losses, n, strict=True)], "not the batches'"),
    ],
)
def test_train(give: Callable[..., Any], hint: str) -> None:
    verdict = check.train(looped(give))
    assert not verdict.right
    assert hint in verdict.text


def test_an_unwritten_program(chapter: dict[str, Any]) -> None:
    assert "returns nothing" in str(value_of(chapter["cells"]["answer-6"], chapter))
    assert check.train(looped(lambda losses, _: losses)).right
