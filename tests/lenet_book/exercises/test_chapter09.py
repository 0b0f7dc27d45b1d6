"""What the checks of chapter 9 answer to typical mistakes: each has a hint of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenet.models import LeNet5, lenet1998
from lenet_book.exercises import chapter09 as check
from tests.sources import cells_of, value_of


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    """The names of the chapter that its exercises need, and its cells by id."""
    cells = cells_of("09_lenet5")
    names: dict[str, Any] = {"cells": cells}
    for name in ("bitmaps", "imports", "squash-figure", "subsampling", "checks"):
        value_of(cells[name], names)
    return names


def test_every_exercise_has_a_solution_that_its_check_accepts(chapter: dict[str, Any]) -> None:
    verdicts = [value_of(chapter["cells"][f"solution-{number}"], chapter) for number in (4, 5)]
    assert [str(verdict) for verdict in verdicts] == ["Right."] * 2
    assert check.connections(60, 54_000).right
    assert check.suspicious(False, 59_740, 29_870).right
    assert check.pooling_order([3, 5, -6, -7]).right


def test_the_program_from_an_empty_file_learns(chapter: dict[str, Any]) -> None:
    for name in ("solution-5", "solution-5-data", "solution-5-program"):
        value_of(chapter["cells"][name], chapter)
    assert chapter["correct"] > len(chapter["test_set"]) / 2


@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_is_not_filled_in_is_not_answered(chapter: dict[str, Any], number: int) -> None:
    assert str(value_of(chapter["cells"][f"answer-{number}"], chapter)) == "Not answered yet."


@pytest.mark.parametrize(("number", "hint"), [(4, "Is there a return?"), (5, "no `__init__` yet")])
def test_what_is_not_written_gets_a_hint(chapter: dict[str, Any], number: int, hint: str) -> None:
    assert hint in str(value_of(chapter["cells"][f"answer-{number}"], chapter))


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        ((54, 54_000), "biases are missing"),
        ((156, 54_000), "its 5×5 kernels"),
        ((10, 54_000), "one kernel and its bias"),
        ((9, 54_000), "what comes with each"),
        ((150, 54_000), "3×3 now"),
        (("60", 54_000), "'60' is no whole number"),
        ((61, 54_000), "count one kernel"),
        ((60, 60), "not shared"),
        ((60, 48_600), "for its bias"),
        ((60, 47_040), "28 places"),
        ((60, 61_440), "Without padding"),
        ((60, 9_000), "of one map"),
        ((60, 5_400), "Those are the units."),
        ((60, 122_304), "number for 5×5"),
        ((60, 1), "Count the units first"),
    ],
)
def test_connections(answers: tuple[Any, Any], hint: str) -> None:
    verdict = check.connections(*answers)
    assert not verdict.right
    assert hint in verdict.text


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        (("no", 59_740, 29_870), "neither True nor False"),
        ((0, 59_740, 29_870), "neither True nor False"),
        ((True, 59_740, 29_870), "How many decimals"),
        ((False, 59_740.2, 29_870), "59740.2 is no whole number"),
        ((False, 9_957, 29_870), "out of 10,000 images"),
        ((False, 260, 29_870), "the number of *right* answers"),
        ((False, 59_741, 29_870), "59,741 of 60,000 are 99.568%"),
        ((False, 59_740, 59_740), "only 30,000 answers"),
        ((False, 59_740, 9_957), "Three together: that is out of 10,000"),
        ((False, 59_740, 29_871), "29,871 of 30,000 are 99.570%"),
        ((False, 59_740, 130), "Three together: the number of *right*"),
    ],
)
def test_suspicious(answers: tuple[Any, Any, Any], hint: str) -> None:
    verdict = check.suspicious(*answers)
    assert not verdict.right
    assert hint in verdict.text


@pytest.mark.parametrize(
    ("numbers", "hint"),
    [
        (8, "yours are 1"),
        ([8, -8, 0], "yours are 3"),
        ([-1, -2, -3, 0], "No number is above 0"),
        ([2, 2, 2, 2], "No number is below 0"),
        ([8, -4, 0, 0], "ReLU after pooling gives 1"),
        ([2, -2, 0, 0], "The positive numbers add up to 2"),
        ([4, -4, 0, 0], "ReLU before pooling gives 1, not 2"),
        (["8", "-8", "0", "0"], "cannot be used"),
    ],
)
def test_pooling_order(numbers: Any, hint: str) -> None:
    verdict = check.pooling_order(numbers)
    assert not verdict.right
    assert hint in verdict.text


def heads(
    network: LeNet5, kernel_size: int = 1, *, copy: bool = True, bias: bool = True
) -> list[nn.Conv2d]:
    found = []
    for linear in (network.fc1, network.fc2):
        head = nn.Conv2d(linear.in_features, linear.out_features, kernel_size)
        if copy:
            head.weight.data = linear.weight.data[:, :, None, None].clone()
        if bias:
            head.bias.data = linear.bias.data.clone()
        found.append(head)
    return found


def maps(network: LeNet5) -> list[nn.Module]:
    first = [network.conv1, nn.ReLU(), network.pool1, network.conv2, nn.ReLU(), network.pool2]
    return [*first, network.conv3]


def rows(network: LeNet5) -> list[nn.Module]:
    one, two = heads(network)
    return [*maps(network), nn.ReLU(), one, nn.ReLU(), two]


def without(network: LeNet5, *places: int) -> nn.Sequential:
    layers = [layer for i, layer in enumerate(rows(network)) if i not in places]
    return nn.Sequential(*layers)


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda n: n, "You return a LeNet5"),
        (rows, "You return a list"),
        (lambda n: nn.Sequential(*maps(n), nn.Flatten(), n.fc1, n.fc2), "A flatten lays"),
        (lambda n: nn.Sequential(*maps(n), n.fc1, n.fc2), "There is a Linear in it"),
        (lambda n: without(n, 7), "The ReLU behind C5"),
        (lambda n: without(n, 9), "between the two heads"),
        (lambda n: without(n, 7, 9), "Both ReLUs"),
        (lambda n: without(n, 10), "yours are (2, 84, 1, 9)"),
        (lambda n: nn.Sequential(*rows(n), nn.ReLU()), "The last head has no ReLU"),
        (
            lambda n: nn.Sequential(*maps(n), nn.ReLU(), *heads(n, 5, copy=False)),
            "one row high",
        ),
        (
            lambda n: nn.Sequential(*maps(n), nn.ReLU(), *reversed(heads(n))),
            "Two neighbours do not fit",
        ),
        (
            lambda n: nn.Sequential(
                *maps(n), nn.ReLU(), heads(n, bias=False)[0], nn.ReLU(), heads(n)[1]
            ),
            "weights *and biases*",
        ),
        (lambda n: nn.Sequential(n.conv4), "no attribute 'conv4'"),
    ],
)
def test_convolutional(function: Callable[[LeNet5], Any], hint: str) -> None:
    verdict = check.convolutional(function)
    assert not verdict.right
    assert hint in verdict.text


squash = lenet1998.squash


def same(t: Tensor) -> Tensor:
    return t


def half_old(
    f: Callable[[Tensor], Tensor] = squash,
    pooled: Callable[[Tensor], Tensor] | None = None,
    last: Callable[[Tensor], Tensor] | None = None,
    end: Callable[[Tensor], Tensor] = same,
    **parts: Callable[[], nn.Module],
) -> type[nn.Module]:
    """A class of exercise 5 with one thing another way."""
    layers: dict[str, Callable[[], nn.Module]] = {
        "c1": lambda: nn.Conv2d(1, 6, 5),
        "s2": lambda: lenet1998.Subsampling(6),
        "c3": lambda: nn.Conv2d(6, 16, 5),
        "s4": lambda: lenet1998.Subsampling(16),
        "c5": lambda: nn.Conv2d(16, 120, 5),
        "f6": lambda: nn.Linear(120, 84),
        "out": lambda: nn.Linear(84, 10),
    }

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, make in (layers | parts).items():
                setattr(self, name, make())

        def forward(self, x: Tensor) -> Tensor:
            x = (pooled or f)(self.s2(f(self.c1(x))))
            x = (pooled or f)(self.s4(f(self.c3(x))))
            x = f(self.c5(x)).flatten(start_dim=1)
            return end(self.out((last or f)(self.f6(x))))

    return Network


class Shared(nn.Module):
    """A subsampling with one weight and one bias for all maps, or with other parameters."""

    def __init__(self, *sizes: int, scale: float = 4.0) -> None:
        super().__init__()
        self.own = nn.ParameterList([torch.ones(size, 1, 1) for size in sizes])
        self.scale = scale

    def forward(self, maps: Tensor) -> Tensor:
        maps = self.scale * F.avg_pool2d(maps, 2) * self.own[0]
        return maps + self.own[1] if len(self.own) > 1 else maps


class NoForward(half_old()):  # type: ignore[misc]
    forward = nn.Module.forward


class NoSuper(nn.Module):
    def __init__(self) -> None:
        self.c1 = nn.Conv2d(1, 6, 5)


def averages(num_maps: int) -> Callable[[], nn.Module]:
    return lambda: Shared(num_maps, num_maps, scale=1.0)


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        (half_old()(), "without brackets"),
        (NoSuper, "has to come first"),
        (NoForward, "no `forward` yet"),
        (
            half_old(s2=lambda: nn.AvgPool2d(2), s4=lambda: nn.AvgPool2d(2)),
            "S2 and S4 have no parameters",
        ),
        (half_old(s4=lambda: nn.AvgPool2d(2)), "Only S2 has parameters"),
        (half_old(s2=lambda: nn.AvgPool2d(2)), "Only S4 has parameters"),
        (half_old(s2=lambda: Shared(6), s4=lambda: Shared(16)), "a weight *and* a bias"),
        (half_old(s2=lambda: Shared(1, 1), s4=lambda: Shared(1, 1)), "of its own"),
        (half_old(s4=lambda: Shared(1, 1)), "have 14 parameters together"),
        (half_old(s2=averages(6), s4=averages(16)), "The paper adds them up"),
        (half_old(pooled=same), "Nothing is squashed behind S2 and S4"),
        (half_old(last=same), "F6 is not squashed"),
        (half_old(f=same, pooled=squash, last=squash), "C1, C3 and C5 are not squashed"),
        (half_old(f=torch.tanh), "a plain tanh"),
        (half_old(f=F.relu), "This is a ReLU"),
        (half_old(f=lambda a: 1.7159 * torch.tanh(a)), "only the outer one"),
        (half_old(f=lambda a: torch.tanh(2 / 3 * a)), "only the inner one"),
        (half_old(end=squash), "linear output are not squashed"),
        (half_old(end=lambda t: t.softmax(dim=1)), "Leave the softmax out"),
        (half_old(end=lambda t: t[0]), "yours are (10,)"),
        (half_old(f=torch.sigmoid), "another way through them"),
        (half_old(c1=lambda: nn.Conv2d(1, 6, 5, padding=2)), "mat1 and mat2"),
        (half_old(c1=lambda: nn.Conv2d(1, 6, 3)), "No layer has the weight of C1"),
        (
            half_old(c3=lambda: lenet1998.SparseConv2d(lenet1998.connection_table(), 5)),
            "No layer has the weight of C3",
        ),
        (half_old(f6=lambda: nn.Linear(120, 84, bias=False)), "F6 has no bias"),
    ],
)
def test_half_old(kind: Any, hint: str) -> None:
    verdict = check.half_old(kind)
    assert not verdict.right
    assert hint in verdict.text


def test_a_half_old_network_in_two_forms() -> None:
    class Linear(half_old(c5=lambda: nn.Linear(400, 120))):  # type: ignore[misc]
        def forward(self, x: Tensor) -> Tensor:
            x = squash(self.s4(squash(self.c3(squash(self.s2(squash(self.c1(x))))))))
            scores: Tensor = self.out(squash(self.f6(squash(self.c5(x.flatten(start_dim=1))))))
            return scores

    assert check.half_old(half_old()).right
    assert check.half_old(Linear).right
