"""What the checks of chapter 8 answer to typical mistakes: each has a hint of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lenet.models import NarrowLeNet
from lenet_book.exercises import chapter08 as check
from tests.sources import cells_of, value_of

UP, DOWN = 45 / 60, 45 / 55


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    """The names of the chapter that its exercises need, and its cells by id."""
    cells = cells_of("08_reading_the_results")
    names: dict[str, Any] = {"cells": cells}
    for name in ("imports", "checks", "patients"):
        value_of(cells[name], names)
    names["answers"] = names["labels"] = torch.arange(10)
    names["logits"] = torch.eye(10)
    for name in ("groups", "overfit", "overfit-broken"):
        source = "".join(cells[name]["source"])
        for block in source.split("\n\n\n")[:-1]:  # the definitions, not what they are used for
            value_of({"source": block}, names)
    return names


@pytest.mark.parametrize("number", [3, 5, 6])
def test_solutions_are_right(chapter: dict[str, Any], number: int) -> None:
    verdict = value_of(chapter["cells"][f"solution-{number}"], chapter)
    assert str(verdict) == "Right."


def test_the_patients_fail_the_tests_that_the_solution_names(chapter: dict[str, Any]) -> None:
    chapter["few"] = torch.randn(50, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    chapter["few_labels"] = torch.arange(50) % 10
    assert str(value_of(chapter["cells"]["solution-4"], chapter)) == "Right."
    failed = {}
    for kind in "ABC":
        model = chapter["new"](chapter[f"Patient{kind}"])
        loss = F.cross_entropy(model(chapter["few"]), chapter["few_labels"])
        loss.backward()
        slopes = [parameter.grad for parameter in model.parameters()]
        losses = chapter["overfit"](model, chapter["few"], chapter["few_labels"])
        found = {
            1: abs(loss.item() - math.log(10)) > 0.5,
            2: losses[-1] > 0.5,
            3: any(slope is None or not slope.any() for slope in slopes),
        }
        failed[kind] = {number for number, fails in found.items() if fails}
    assert failed == check.FAILED


def test_numbers_of_the_solutions_in_words() -> None:
    assert check.cats_and_dogs(0.75, 0.75, 0.818).right
    assert check.how_many(90_000, 40).right


@pytest.mark.parametrize("number", [1, 2, 4])
def test_what_is_not_filled_in_is_not_answered(chapter: dict[str, Any], number: int) -> None:
    assert str(value_of(chapter["cells"][f"answer-{number}"], chapter)) == "Not answered yet."


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        (("0.75", UP, DOWN), "is no number"),
        ((75, UP, DOWN), "from 0 to 1, not 75"),
        ((0.45, UP, DOWN), "The accuracy: That is the cats alone"),
        ((0.25, UP, DOWN), "the share of mistakes"),
        ((0.3, UP, DOWN), "the dogs alone"),
        ((0.7, UP, DOWN), "The accuracy is not right"),
        ((0.75, DOWN, UP), "The recall: Divided by the pictures *called* a cat"),
        ((0.75, 0.45, DOWN), "Dogs have no place here"),
        ((0.75, 0.25, DOWN), "were missed"),
        ((0.75, 0.6, DOWN), "all right answers"),
        ((0.75, UP, UP), "The precision: Divided by the pictures that *are* a cat"),
        ((0.75, UP, 10 / 55), "is none"),
        ((0.75, UP, 30 / 45), 'precision of "dog"'),
        ((0.75, UP, 0.45), "How many are called a cat?"),
        ((0.75, UP, 0.9), "The precision is not right"),
    ],
)
def test_cats_and_dogs(answers: tuple[Any, Any, Any], hint: str) -> None:
    verdict = check.cats_and_dogs(*answers)
    assert not verdict.right
    assert hint in verdict.text


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        (("many", 40), "'many' is no number"),
        ((0, 40), "you need some pictures"),
        ((9, 40), "are 0.001, not 0.1"),
        ((90, 40), "is squared"),
        ((300, 40), "Square both sides"),
        ((360_000, 40), "*two* standard errors"),
        ((900_000, 40), "left out the second factor"),
        ((10_000, 40), "the standard error is 0.300%"),
        ((88_000, 40), "the standard error is 0.101%"),
        ((90_000, 20), "Two are asked"),
        ((90_000, 400), "That is all of them"),
        ((90_000, 200), "a tie"),
        ((90_000, 0.4), "not points"),
        ((90_000, 41), "the root of b + c"),
    ],
)
def test_how_many(answers: tuple[Any, Any], hint: str) -> None:
    verdict = check.how_many(*answers)
    assert not verdict.right
    assert hint in verdict.text


def search(
    loss: Callable[[Tensor, Tensor, float], Tensor],
    choose: Callable[..., Any] = min,
) -> Callable[[Tensor, Tensor], Any]:
    def temperature(logits: Tensor, labels: Tensor) -> Any:
        tried = [tenths / 10 for tenths in range(5, 31)]
        return choose(tried, key=lambda t: loss(logits, labels, t).item())

    return temperature


def divided(logits: Tensor, labels: Tensor, t: float) -> Tensor:
    return F.cross_entropy(logits / t, labels)


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda logits, labels: None, "Is there a return?"),
        (lambda logits, labels: "1.2", "Return one number"),
        (
            lambda logits, labels: min(
                divided(logits, labels, n / 10).item() for n in range(5, 31)
            ),
            "the lowest loss",
        ),
        (search(divided, max), "You return the worst"),
        (search(lambda z, y, t: F.cross_entropy(z * t, y)), "you multiply"),
        (
            search(lambda z, y, t: F.cross_entropy(z.softmax(dim=1) / t, y)),
            "the loss of scores, not of shares",
        ),
        (lambda logits, labels: 3.0, "the last T that was tried"),
        (
            search(lambda z, y, t: -(z / t).argmax(dim=1).eq(y).float().mean()),
            "Accuracy does not depend on T",
        ),
        (lambda logits, labels: 1.1, "you find 1.10; the loss is lower"),
        (lambda logits, labels: logits.size(dim=2), "IndexError"),
    ],
)
def test_temperature(function: Callable[..., Any], hint: str) -> None:
    verdict = check.temperature(function)
    assert not verdict.right
    assert hint in verdict.text


@pytest.mark.parametrize(
    ("sets", "hint"),
    [
        ((2, {1}, set()), "give a set of numbers"),
        (({2, 3}, {4}, set()), "Patient B: give a set"),
        (({1, 2, 3}, {1}, set()), "patient A fails test 1. What is the loss when all ten"),
        (({3}, {1}, set()), "patient A passes test 2"),
        (({2}, {1}, set()), "patient A passes test 3"),
        (({2, 3}, set(), set()), "patient B passes test 1"),
        (({2, 3}, {1, 3}, set()), "larger, not zero"),
        (({2, 3}, {1}, {1}), "patient C fails test 1"),
        (({2, 3}, {1}, {3}), "is any missing"),
    ],
)
def test_patients(sets: tuple[Any, Any, Any], hint: str) -> None:
    verdict = check.patients(*sets)
    assert not verdict.right
    assert hint in verdict.text


def centred(change: Callable[[Tensor], Tensor]) -> type[NarrowLeNet]:
    class Centred(NarrowLeNet):
        def forward(self, t: Tensor) -> Tensor:
            return super().forward(change(t))

    return Centred


class NoSuper(NarrowLeNet):
    def __init__(self) -> None:
        self.ready = True


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        (NarrowLeNet(), "without brackets"),
        (NoSuper, "has to come first"),
        (NarrowLeNet, "A brighter copy"),
        (centred(lambda t: t - t.mean(dim=0)), "Over which axes"),
        (centred(lambda t: t - t.mean()), "Over which axes"),
        (centred(lambda t: t - t.mean(dim=(1, 2, 3))), "What does keepdim=True do?"),
        (centred(lambda t: t - t.mean(dim=(2, 3))[0]), "Over which axes"),
        (centred(lambda t: t - t.mean(dim=3, keepdim=True)), "More than the picture's mean"),
        (
            centred(
                lambda t: (t - t.mean((1, 2, 3), keepdim=True)) / t.std((1, 2, 3), keepdim=True)
            ),
            "More than the picture's mean",
        ),
        (centred(lambda t: t - t.average()), "AttributeError"),  # type: ignore[operator]
    ],
)
def test_cured(kind: Any, hint: str) -> None:
    verdict = check.cured(kind)
    assert not verdict.right
    assert hint in verdict.text


def test_the_third_patient_as_it_was_given(chapter: dict[str, Any]) -> None:
    assert "Over which axes" in str(value_of(chapter["cells"]["answer-5"], chapter))


def counted(answers: Tensor, labels: Tensor) -> Tensor:
    matrix = torch.zeros(10, 10)
    for label, answer in zip(labels, answers, strict=True):
        matrix[label, answer] += 1
    return matrix


def marked(answers: Tensor, labels: Tensor) -> Tensor:
    matrix = torch.zeros(10, 10)
    matrix[labels, answers] = 1
    return matrix


def changed(
    accuracy: Callable[[float, int], float] = lambda p, n: p,
    error: Callable[[float, int], float] = lambda p, n: 2 * math.sqrt(p * (1 - p) / n),
    matrix: Callable[[Tensor, Tensor], Any] = counted,
    recall: Callable[[Tensor], Any] = lambda m: m.diagonal() / m.sum(dim=1).clamp(min=1),
) -> Callable[[Tensor, Tensor], Any]:
    """A report with one thing another way."""

    def report(answers: Tensor, labels: Tensor) -> Any:
        share, count = answers.eq(labels).float().mean().item(), len(labels)
        tallies = counted(answers, labels)
        parts = accuracy(share, count), error(share, count)
        return *parts, matrix(answers, labels), recall(tallies)

    return report


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda answers, labels: None, "Is there a return?"),
        (lambda answers, labels: 0.5, "Return four things"),
        (changed(accuracy=lambda p, n: p * n), "not a count"),
        (changed(accuracy=lambda p, n: 100 * p), "from 0 to 1"),
        (changed(accuracy=lambda p, n: 1 - p), "You say"),
        (changed(error=lambda p, n: math.sqrt(p * (1 - p) / n)), "*one* standard error"),
        (changed(error=lambda p, n: 2 * p * (1 - p) / n), "The root is missing"),
        (changed(error=lambda p, n: 2 * math.sqrt(p * (1 - p))), "divide by the number"),
        (changed(error=lambda p, n: 2 * math.sqrt(p * (1 - p) / 10)), "not of classes"),
        (changed(matrix=lambda a, y: counted(a, y).tolist()), "is a list, not a tensor"),
        (changed(matrix=lambda a, y: counted(a, y)[:6, :6]), "has the shape (6, 6)"),
        (changed(matrix=lambda a, y: counted(y, a)), "lies on its side"),
        (changed(matrix=marked), "too few tallies"),
        (
            changed(matrix=lambda a, y: F.normalize(counted(a, y), p=1, dim=1)),
            "holds shares",
        ),
        (changed(recall=lambda m: m.diagonal() / m.sum(dim=1)), "Give it 0"),
        (changed(recall=lambda m: m.diagonal() / m.sum(dim=0).clamp(min=1)), "the precision"),
        (changed(recall=lambda m: m.diagonal() / m.sum()), "divide by all pictures"),
        (changed(recall=lambda m: m.diagonal()), "The recalls are not right"),
        (changed(recall=lambda m: m.diagonal().mean()), "have the shape ()"),
        (lambda answers, labels: answers.confusion(), "AttributeError"),
    ],
)
def test_report(function: Callable[..., Any], hint: str) -> None:
    verdict = check.report(function)
    assert not verdict.right
    assert hint in verdict.text


def test_a_whole_report() -> None:
    assert check.report(changed()).right
