"""What the checks of chapter 4 answer to typical mistakes: each has a hint of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lenet.data import load
from lenet.models import NarrowLeNet
from lenet_book.exercises import chapter04 as check
from tests.sources import cells_of, value_of


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_every_exercise_has_a_solution_that_its_check_accepts() -> None:
    cells = cells_of("04_forward_pass")
    fashion = load("fashion-mnist")
    names: dict[str, Any] = {"fashion": fashion, "untrained": NarrowLeNet()}
    names["test_images"], _ = next(iter(fashion.batches("test", 100)))
    names |= {"mean": fashion.mean[0], "std": fashion.std[0]}
    for name in ("imports", "checks"):
        value_of(cells[name], names)
    verdicts = [value_of(cells[f"solution-{number}"], names) for number in (2, 3, 4, 5)]
    assert [str(verdict) for verdict in verdicts] == ["Right."] * 4
    value_of(cells["solution-5-program"], names)
    assert len(names["answers"]) == len(fashion.test)
    assert str(check.three_scores(0.84, 0.84, 0.33)) == "Right."


def test_what_is_not_filled_in_is_not_answered() -> None:
    assert str(check.three_scores(None, None, None)) == "Not answered yet."  # type: ignore[arg-type]
    assert "Is there a return?" in check.num_correct(lambda logits, labels: None).text  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        ((84.4, 0.84, 0.33), "84.4 is a percentage"),
        (("0.84", 0.84, 0.33), "'0.84' is no number"),
        ((-0.2, 0.84, 0.33), "does not lie between 0 and 1"),
        ((0.88, 0.84, 0.33), "What is e⁰?"),
        ((0.75, 0.84, 0.33), "a share of the scores"),
        ((0.114, 0.84, 0.33), "share of another class"),
        ((1, 1, 0.33), "does not get everything"),
        ((0.6, 0.84, 0.33), "Divide the first power"),
        ((0.84, 0.99, 0.33), "Adding 5 multiplies every power"),
        ((0.84, 0.42, 0.33), "Adding 5 multiplies every power"),
        ((0.84, 0.84, 0), "e to the power of 0 is not 0"),
        ((0.84, 0.84, 0.84), "no longer 3, 1 and 0"),
        ((0.84, 0.84, 1), "can one of three equal scores win"),
    ],
)
def test_three_scores(answers: tuple[float, float, float], hint: str) -> None:
    verdict = check.three_scores(*answers)
    assert not verdict.right
    assert hint in verdict.text


def maps(network: NarrowLeNet, images: Tensor) -> Tensor:
    t = F.max_pool2d(F.relu(network.conv1(images)), 2)
    return F.max_pool2d(F.relu(network.conv2(t)), 2).flatten(start_dim=1)


def scores(network: NarrowLeNet, images: Tensor) -> Tensor:
    t = F.relu(network.fc1(maps(network, images)))
    return network.out(F.relu(network.fc2(t)))


def as_in_the_exercise(network: NarrowLeNet, images: Tensor) -> Tensor:
    t = F.max_pool2d(F.relu(network.conv1(images)), 2)
    t = torch.flatten(F.max_pool2d(F.relu(network.conv2(t)), 2))
    return F.softmax(network.out(network.fc2(F.relu(network.fc1(t)))), dim=-1)


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (as_in_the_exercise, "from which axis on"),
        (lambda n, x: scores(n, x).softmax(dim=1), "You return shares"),
        (lambda n, x: scores(n, x).softmax(dim=0), "You return shares"),
        (lambda n, x: scores(n, x).log_softmax(dim=1), "logarithms of shares"),
        (lambda n, x: n.out(n.fc2(F.relu(n.fc1(maps(n, x))))), "after fc2 is missing"),
        (lambda n, x: n.out(F.relu(n.fc2(n.fc1(maps(n, x))))), "after fc1 is missing"),
        (lambda n, x: n.out(n.fc2(n.fc1(maps(n, x)))), "after fc1 and fc2 are missing"),
        (lambda n, x: F.relu(scores(n, x)), "after the last layer"),
        (lambda n, x: n(x), "calls the whole network"),
        (lambda n, x: scores(n, x)[0], "yours are (10,)"),
        (lambda n, x: scores(NarrowLeNet(), x), "Print your steps"),
        (lambda n, x: None, "Is there a return?"),
        (lambda n, x: scores(n, x).tolist(), "not a list"),
        (lambda n, x: n.fc1(x), "Your code stopped at the line"),
        (lambda n, x: n.conv3(x), "no attribute 'conv3'"),
    ],
)
def test_walk(function: Callable[..., Any], hint: str) -> None:
    verdict = check.walk(function)
    assert not verdict.right
    assert hint in verdict.text


def test_the_walk_that_is_right() -> None:
    assert check.walk(scores).right


def per_row(logits: Tensor, labels: Tensor) -> Tensor:
    return logits[torch.arange(len(labels)), labels]


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda s, y: s.argmax(dim=1).eq(y).sum(), "without argmax"),
        (lambda s, y: per_row(s, y) == s.max(dim=1).values, "You return 7 values"),
        (lambda s, y: (per_row(s, y) == s.max(dim=1).values).tolist(), "You return 7 values"),
        (lambda s, y: (per_row(s, y) == s.max(dim=1).values).float().mean(), "the share of"),
        (lambda s, y: (per_row(s, y) != s.max(dim=1).values).sum(), "the wrong answers"),
        (lambda s, y: (s == s.max(dim=1, keepdim=True).values).sum(), "every picture"),
        (lambda s, y: (s[:, y] == s.max(dim=1, keepdim=True).values).sum(), "one score per row"),
        (lambda s, y: (per_row(s, y) == s.max()).sum(), "the whole table"),
        (lambda s, y: (per_row(s, y) > 100).sum() + 2, "you count 2"),
        (lambda s, y: 3, "Of 12 answers 5 are right; you count 3"),
        (lambda s, y: (per_row(s, y) == s.max(dim=0).values).sum(), "The size of tensor"),
        (lambda s, y: print("3"), "Is there a return?"),
    ],
)
def test_num_correct(function: Callable[..., Any], hint: str) -> None:
    verdict = check.num_correct(function)
    assert not verdict.right
    assert hint in verdict.text


def test_another_way_to_count_is_right_too() -> None:
    assert check.num_correct(lambda s, y: int((per_row(s, y) == s.max(dim=1).values).sum())).right
    assert check.num_correct(lambda s, y: s.topk(1).indices[:, 0].eq(y).sum()).right  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda s: s - s.mean(dim=1), "the axis that disappears"),
        (lambda s: s - s.mean(dim=1, keepdim=True), "the mean of each row"),
        (lambda s: s - s.mean(), "one mean"),
        (lambda s: (s - s.mean(dim=0)) / s.std(dim=0), "Do not divide"),
        (lambda s: s.mean(dim=0), "Subtract them from the scores"),
        (lambda s: s.mean(dim=0) - s, "wrong way round"),
        (lambda s: s, "as they were"),
        (lambda s: None, "Is there a return?"),
        (lambda s: s[0] - s.mean(dim=0), "means of the columns"),
        (lambda s: s - s.median(dim=0).values, "do not all have the mean 0"),
        (lambda s: s.T, "yours are (2, 4)"),
        (lambda s: s - s.average(), "no attribute 'average'"),
    ],
)
def test_centred(function: Callable[..., Any], hint: str) -> None:
    verdict = check.centred(function)
    assert not verdict.right
    assert hint in verdict.text


def answers(network: Any, loader: Any, dim: int = 1) -> list[Tensor]:
    return [network(images).argmax(dim=dim) for images, _ in loader]


@torch.no_grad()
def judged(network: Any, loader: Any) -> tuple[Tensor, int]:
    said = torch.cat(answers(network, loader))
    return said, int(said.eq(loader.dataset.tensors[1]).sum())


def with_count(change: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A right judge but for the number it returns."""

    def changed(network: Any, loader: Any) -> tuple[Tensor, Any]:
        said, _ = judged(network, loader)
        return said, change(said, loader)

    return changed


@torch.no_grad()
def by_class(network: Any, loader: Any) -> tuple[Tensor, int]:
    return torch.cat(answers(network, loader, dim=0)), 4


def tracked(network: Any, loader: Any) -> tuple[Tensor, int]:
    return torch.cat(answers(network, loader)), 4


def global_switch(network: Any, loader: Any) -> tuple[Tensor, int]:
    torch.set_grad_enabled(False)
    return torch.cat(answers(network, loader)), 4


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda n, d: None, "Is there a return?"),
        (lambda n, d: judged(n, d)[0], "Return two things"),
        (lambda n, d: judged(n, d)[::-1], "First come the answers"),
        (lambda n, d: (answers(n, d), 4), "torch.cat joins batches"),
        (lambda n, d: (answers(n, d)[-1], 0), "the last batch alone"),
        (lambda n, d: (answers(n, d)[0], 2), "one batch alone"),
        (lambda n, d: (torch.cat([n(x) for x, _ in d]), 4), "not its scores"),
        (by_class, "Along which axis"),
        (with_count(lambda said, d: 4 / 7), "not a share"),
        (with_count(lambda said, d: (2 / 3 + 2 / 3 + 0) / 3), "not a share"),
        (with_count(lambda said, d: 0), "of the last batch alone"),
        (with_count(lambda said, d: 3), "the wrong answers"),
        (with_count(lambda said, d: len(said)), "every picture"),
        (with_count(lambda said, d: 5), "you count 5"),
        (tracked, "with tracking on"),
        (global_switch, "leaves tracking off"),
        (lambda n, d: (torch.zeros(7), 4), "does not call the network"),
        (lambda n, d: (judged(n, d)[0].flip(0), 4), "not those of the network"),
        (lambda n, d: judged(n, d.images), "no attribute 'images'"),
    ],
)
def test_judge(function: Callable[..., Any], hint: str) -> None:
    verdict = check.judge(function)
    assert not verdict.right
    assert hint in verdict.text
    assert torch.is_grad_enabled()


def test_a_count_may_be_a_tensor() -> None:
    assert check.judge(judged).right
    assert check.judge(with_count(lambda said, d: torch.tensor(4))).right
