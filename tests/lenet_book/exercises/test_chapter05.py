"""What the checks of chapter 5 answer to typical mistakes: each has a hint of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenet.data import load
from lenet_book.exercises import chapter05 as check
from tests.sources import cells_of, value_of


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    """The names of the chapter that its exercises need, and its cells by id."""
    cells = cells_of("05_output_shapes")
    names: dict[str, Any] = {"cells": cells}
    needed = ("imports", "output-size", "walk-cifar-sizes", "checks")
    for name in needed:
        source = "".join(cells[name]["source"])
        cell = {"source": source.partition("\nsizes, kernels")[0]}  # the test of the formula aside
        value_of(cell, names)
    return names


def test_every_exercise_has_a_solution_that_its_check_accepts(chapter: dict[str, Any]) -> None:
    cells = chapter["cells"]
    value_of(cells["answer-4"], chapter)
    verdicts = [value_of(cells[f"solution-{number}"], chapter) for number in (3, 4, 5)]
    assert [str(verdict) for verdict in verdicts] == ["Right."] * 3
    chapter |= {"clothes": load("fashion-mnist"), "photos": load("cifar-10")}
    value_of(cells["solution-5-program"], chapter)
    assert chapter["count"] == len(chapter["photos"].test)
    assert check.two_widths(112, 56).right
    assert check.larger_photographs(2704, 324_600).right


@pytest.mark.parametrize("number", [1, 2])
def test_what_is_not_filled_in_is_not_answered(chapter: dict[str, Any], number: int) -> None:
    assert str(value_of(chapter["cells"][f"answer-{number}"], chapter)) == "Not answered yet."


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        (("112", 56), "'112' is no number"),
        ((111, 56), "stops at how many places"),
        ((113, 56), "dropped, not rounded up"),
        ((112.5, 56), "no whole number"),
        ((109, 54), "The padding is 3"),
        ((110, 55), "on both sides"),
        ((115, 58), "Subtract them"),
        ((224, 112), "the stride is 2"),
        ((100, 56), "Write down the distance"),
        ((112, 55), "The second is one too small"),
        ((112, 57), "The second is one too large"),
        ((112, 38), "not the kernel size"),
        ((112, 112), "has a stride of 2"),
        ((112, 50), "begins with your first number"),
    ],
)
def test_two_widths(answers: tuple[Any, Any], hint: str) -> None:
    verdict = check.two_widths(*answers)
    assert not verdict.right
    assert hint in verdict.text


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        ((400, 48_120), "for 32×32 pixels"),
        ((1600, 192_120), "Four times as many pixels"),
        ((13, 324_600), "the width of a map"),
        ((169, 324_600), "That is one map"),
        ((208, 324_600), "as high as it is wide"),
        ((10816, 324_600), "second pooling is missing"),
        ((4096, 324_600), "takes off four pixels"),
        ((2704.0, 324_600), "no whole number"),
        ((2000, 324_600), "width after each step"),
        ((2704, 324_480), "biases are missing"),
        ((2704, 327_184), "belongs to an output"),
        ((2704, 48_120), "number from before"),
        ((2704, 192_480), "Not four times"),
        ((2704, 1), "weights and biases"),
    ],
)
def test_larger_photographs(answers: tuple[Any, Any], hint: str) -> None:
    verdict = check.larger_photographs(*answers)
    assert not verdict.right
    assert hint in verdict.text


def follow(
    layers: list[tuple[int, int]], rule: Callable[[int, int, int, int], tuple[int, int]]
) -> tuple[int, int]:
    r, j = 1, 1
    for k, s in layers:
        r, j = rule(r, j, k, s)
    return r, j


def right_rule(r: int, j: int, k: int, s: int) -> tuple[int, int]:
    return r + (k - 1) * j, j * s


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda x: None, "Is there a return?"),
        (lambda x: follow(x, right_rule), "You return a tuple"),
        (lambda x: follow(x, right_rule)[1], "You return the jump"),
        (lambda x: follow(x, lambda r, j, k, s: (r + k * j, j * s))[0], "k − 1 numbers further"),
        (lambda x: follow(x, lambda r, j, k, s: (r + k - 1, j))[0], "The jump never grows"),
        (
            lambda x: follow(x, lambda r, j, k, s: (r + (k - 1) * j * s, j * s))[0],
            "Change r first",
        ),
        (lambda x: follow(x, lambda r, j, k, s: (r + (k - 1) * j, j + s))[0], "you add it"),
        (lambda x: follow(x, lambda r, j, k, s: (r + (k - 1) * j, s))[0], "Strides multiply"),
        (lambda x: follow(x, right_rule)[0] - 1, "begins with one pixel"),
        (lambda x: x[0][0], "inside the loop"),
        (lambda x: follow(x, lambda r, j, k, s: (r + k, j))[0], "the field is 3 wide; you say 4"),
        (lambda x: [k.size for k in x], "no attribute 'size'"),
    ],
)
def test_field(function: Callable[..., Any], hint: str) -> None:
    verdict = check.field(function)
    assert not verdict.right
    assert hint in verdict.text


def faulty(**layers: nn.Module) -> type[nn.Module]:
    """The network of exercise 4 without faults, but for the layers given."""

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(1, 8, kernel_size=3)
            self.conv2 = nn.Conv2d(8, 16, kernel_size=3)
            self.fc1 = nn.Linear(16 * 5 * 5, 64)
            self.fc2 = nn.Linear(64, 10)
            for name, layer in layers.items():
                setattr(self, name, layer)

        def forward(self, x: Tensor) -> Tensor:
            x = F.max_pool2d(F.relu(self.conv1(x)), 2)
            x = F.max_pool2d(F.relu(self.conv2(x)), 2)
            scores: Tensor = self.fc2(F.relu(self.fc1(torch.flatten(x, start_dim=1))))
            return scores

    return Network


class WithoutRelu(faulty()):  # type: ignore[misc]
    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        scores: Tensor = self.fc2(self.fc1(torch.flatten(x, start_dim=1)))
        return scores


class Unfinished(nn.Module):
    def __init__(self) -> None:
        self.conv1 = nn.Conv2d(1, 8, kernel_size=3)


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        (faulty(conv1=nn.Conv2d(1, 6, 3)), "`conv1` should stay"),
        (faulty(conv2=nn.Conv2d(6, 16, 3)), "How many does `conv1` hand it?"),
        (faulty(conv2=nn.Conv2d(8, 16, 3, padding=1), fc1=nn.Linear(576, 64)), "16·6·6"),
        (faulty(fc1=nn.Linear(784, 64)), "Walk the width"),
        (faulty(fc1=nn.Linear(25, 64)), "takes one map"),
        (faulty(fc1=nn.Linear(400, 60), fc2=nn.Linear(60, 10)), "at 60 or at 64"),
        (faulty(fc2=nn.Linear(60, 10)), "How many does `fc1` give?"),
        (faulty(fc2=nn.Linear(64, 5)), "has the shape (5, 64)"),
        (faulty()(), "without brackets"),
        (WithoutRelu, "ReLU between the linear layers"),
        (Unfinished, "has to come first"),
    ],
)
def test_repaired(kind: Any, hint: str) -> None:
    verdict = check.repaired(kind)
    assert not verdict.right
    assert hint in verdict.text


def test_the_network_as_it_was_given(chapter: dict[str, Any]) -> None:
    assert "`conv2` takes 6 channels" in str(value_of(chapter["cells"]["answer-4"], chapter))
    assert check.repaired(faulty()).right


def size_right(size: int) -> int:
    return 16 * (((size - 4) // 2 - 4) // 2) ** 2


def sized(
    inputs: Callable[[int], int] = size_right,
    end: Callable[[Tensor], Tensor] = lambda scores: scores,
    flat: Callable[[Tensor], Tensor] = lambda t: torch.flatten(t, start_dim=1),
    classes: int | None = None,
    channels: int | None = None,
) -> type[nn.Module]:
    """A class of exercise 5, with one thing another way."""
    fixed_channels = channels

    class Sized(nn.Module):
        def __init__(self, channels: int, size: int, num_classes: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(fixed_channels or channels, 6, 5)
            self.conv2 = nn.Conv2d(6, 16, 5)
            self.fc1 = nn.Linear(inputs(size), 120)
            self.fc2 = nn.Linear(120, 84)
            self.out = nn.Linear(84, classes or num_classes)

        def forward(self, t: Tensor) -> Tensor:
            t = F.max_pool2d(F.relu(self.conv1(t)), 2)
            t = flat(F.max_pool2d(F.relu(self.conv2(t)), 2))
            return end(self.out(F.relu(self.fc2(F.relu(self.fc1(t))))))

    return Sized


class Lazy(sized()):  # type: ignore[misc]
    def __init__(self, channels: int, size: int, num_classes: int) -> None:
        super().__init__(channels, size, num_classes)
        self.fc1 = nn.LazyLinear(120)


class InAList(nn.Module):
    def __init__(self, channels: int, size: int, num_classes: int) -> None:
        super().__init__()
        self.convs = [nn.Conv2d(channels, 6, 5), nn.Conv2d(6, 16, 5)]
        self.fc1 = nn.Linear(size_right(size), 120)


class NoForward(sized()):  # type: ignore[misc]
    forward = nn.Module.forward


class Empty(nn.Module): ...


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        (Empty, "no `__init__` yet"),
        (sized(lambda size: 400), "right for pictures of 32 pixels"),
        (sized(lambda size: 256), "right for pictures of 28 pixels"),
        (sized(lambda size: ((size - 4) // 2 - 4) // 2), "the width of a map"),
        (sized(lambda size: size_right(size) // 16), "That is one map"),
        (sized(lambda size: 16 * ((size - 4) // 2 - 4) ** 2), "Is every pooling"),
        (sized(lambda size: 16 * (size // 4) ** 2), "take off pixels"),
        (sized(lambda size: 16 * round((size - 12) / 4 + 0.26) ** 2), "rounded up"),
        (sized(classes=10), "the network gives 10 scores"),
        (sized(channels=1), "the first convolution takes 1 channel"),
        (sized(flat=torch.flatten), "What does the first number tell?"),
        (sized(end=lambda scores: scores.softmax(dim=1)), "Leave the softmax out"),
        (sized(end=F.relu), "The last layer has no ReLU"),
        (sized(end=lambda scores: scores[0]), "should get scores (3, 10)"),
        (Lazy, "A lazy layer counts for you"),
        (InAList, "Is each an attribute"),
        (NoForward, "no `forward` yet"),
        (sized(lambda size: size / 0), "ZeroDivisionError"),  # type: ignore[arg-type,return-value]
    ],
)
def test_any_size(kind: Any, hint: str) -> None:
    verdict = check.any_size(kind)
    assert not verdict.right
    assert hint in verdict.text


def test_a_network_for_any_size() -> None:
    assert check.any_size(sized()).right
