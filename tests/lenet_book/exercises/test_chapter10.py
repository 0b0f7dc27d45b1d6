"""What the checks of chapter 10 answer to typical mistakes: each has a hint of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import pytest
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset
from torchvision import transforms

from lenet.data import load
from lenet.models import CifarLeNet
from lenet_book.exercises import chapter10 as check
from lenet_book.stand_in import find_cifar
from tests.sources import cells_of, value_of


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    """The names of the chapter that its exercises need, and its cells by id."""
    cells = cells_of("10_cifar10")
    names: dict[str, Any] = {"cells": cells, "find_cifar": find_cifar}
    for name in ("imports", "root", "network-class", "checks"):
        value_of(cells[name], names)
    return names


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
@pytest.mark.parametrize("name", ["solution-2", "solution-3", "solution-5"])
def test_every_exercise_has_a_solution_that_its_check_accepts(
    chapter: dict[str, Any], name: str
) -> None:
    cells, names = chapter["cells"], dict(chapter)
    names["photo"] = names["datasets"].CIFAR10(names["root"], train=True).data[0]
    torch.manual_seed(0)
    if name == "solution-5":
        value_of(cells["solution-5-train"], names)
    assert str(value_of(cells[name], names)) == "Right."


def test_pictures_without_colour_are_accepted_and_train_a_network(chapter: dict[str, Any]) -> None:
    cells, names = chapter["cells"], dict(chapter)
    names |= {"cifar": load("cifar-10"), "load": load}
    sizes = {"source": "".join(cells["sizes"]["source"]).partition("\nfor size")[0]}
    proper = {"source": "".join(cells["proper"]["source"]).partition("\ntorch.manual_seed")[0]}
    for cell in (sizes, proper):
        value_of(cell, names)
    assert str(value_of(cells["solution-4"], names)) == "Right."


def test_the_numbers_of_exercise_1_are_right() -> None:
    assert check.updates(125_000, 15_630, 0.008).right
    assert check.updates(125_000, 15_630, 0.001 * 32 / 4).right


@pytest.mark.parametrize("number", [1, 2, 5])
def test_what_is_not_filled_in_is_not_answered(chapter: dict[str, Any], number: int) -> None:
    answer = value_of(chapter["cells"][f"answer-{number}"], dict(chapter))
    assert str(answer) == "Not answered yet."


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        (("many", 15_630, 0.008), "'many' is no number"),
        ((12_500, 1_563, 0.008), "The first is one epoch"),
        ((500_000, 15_630, 0.008), "counts pictures"),
        ((200_000, 15_630, 0.008), "multiplies by the batch size"),
        ((124_000, 15_630, 0.008), "The first is not right"),
        ((125_000, 1_563, 0.008), "The second is one epoch"),
        ((125_000, 15_620, 0.008), "leaves out a short batch"),
        ((125_000, 15_625, 0.008), "rounds too late"),
        ((125_000, 15_621, 0.008), "counts one short batch"),
        ((125_000, 15_000, 0.008), "The second is not right"),
        ((125_000, 15_630, 0.032), "batches of 1"),
        ((125_000, 15_630, 0.001), "has not been raised"),
        ((125_000, 15_630, 0.001 / 8), "went down"),
        ((125_000, 15_630, 0.001 * 8**0.5), "square root"),
        ((125_000, 15_630, 0.08), "How many times as large"),
    ],
)
def test_updates(answers: tuple[Any, Any, Any], hint: str) -> None:
    verdict = check.updates(*answers)
    assert not verdict.right
    assert hint in verdict.text


def filter_of(*weights: float) -> Tensor:
    return torch.tensor(weights).reshape(1, 3, 1, 1)


@pytest.mark.parametrize(
    ("weight", "hint"),
    [
        ([1.0, -0.5, -0.5], "a list, not a tensor"),
        (torch.tensor([1.0, -0.5, -0.5]), "use reshape"),
        (torch.tensor([1.0, -0.5, -0.5]).reshape(3, 1, 1, 1), "three filters of one channel"),
        (torch.tensor([2, -1, -1]).reshape(1, 3, 1, 1), "whole numbers"),
        (filter_of(0.0, 0.0, 0.0), "All weights are 0"),
        (filter_of(-1.0, 0.5, 0.5), "It answers red"),
        (filter_of(1.0, 0.0, 0.0), "subtract them"),
        (filter_of(1.0, -1.0, -1.0), "have to add up to"),
        (filter_of(1.0, -0.7, -0.3), "Treat them alike"),
    ],
)
def test_red_filter(weight: Any, hint: str) -> None:
    verdict = check.red_filter(weight)
    assert not verdict.right
    assert hint in verdict.text


def test_any_scale_of_the_filter_is_right() -> None:
    assert check.red_filter(filter_of(2.0, -1.0, -1.0)).right


def counted(truth: Tensor, answers: Tensor) -> Tensor:
    return torch.bincount(10 * truth + answers, minlength=100).reshape(10, 10).float()


def recall(truth: Tensor, answers: Tensor) -> Tensor:
    counts = counted(truth, answers)
    return counts.diagonal() / counts.sum(dim=1)


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda t, a: None, "Is there a return?"),
        (lambda t, a: (t == a).float().mean(), "you return the shape ()"),
        (lambda t, a: counted(t, a).diagonal() / counted(t, a).sum(dim=0), "That is the precision"),
        (lambda t, a: counted(t, a).diagonal(), "You return counts"),
        (lambda t, a: counted(t, a).diagonal() / len(t), "You divide by all pictures"),
        (lambda t, a: 100 * recall(t, a), "percentages"),
        (lambda t, a: 1 - recall(t, a), "share of wrong answers"),
        (lambda t, a: (t == a).float().mean().expand(10), "ten times over"),
        (lambda t, a: torch.ones(10), "Everything is right, you say"),
        (lambda t, a: torch.full((10,), 0.1), "Count class 0 by hand"),
        (lambda t, a: a[t == 10][0], "IndexError"),
    ],
)
def test_recall(function: Callable[..., Any], hint: str) -> None:
    verdict = check.recall(function)
    assert not verdict.right
    assert hint in verdict.text


def test_the_function_as_it_was_given_returns_the_precision(chapter: dict[str, Any]) -> None:
    given = value_of(chapter["cells"]["answer-3"], dict(chapter))
    assert "That is the precision" in str(given)
    assert check.recall(lambda t, a: recall(t, a).tolist()).right


def repeated(images: Tensor) -> Tensor:
    return images.repeat(1, 3, 1, 1)


def mean_of(images: Tensor) -> Tensor:
    return images.float().mean(dim=1, keepdim=True)


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda x: None, "Is there a return?"),
        (lambda x: x.numpy(), "a ndarray, not a tensor"),
        (lambda x: mean_of(x).round().byte(), "One channel is left"),
        (lambda x: x.float().mean(dim=1).byte(), "keepdim=True"),
        (lambda x: x.float().mean(dim=0), "you make (3, 6, 5)"),
        (lambda x: repeated(mean_of(x)), "Go back to torch.uint8"),
        (lambda x: x, "as colourful as before"),
        (lambda x: repeated(mean_of(x).byte()), "fraction was cut off"),
        (lambda x: repeated(x.sum(dim=1, keepdim=True).byte() // 3), "overflowed"),
        (lambda x: repeated(x[:, :1]), "one of the channels"),
        (lambda x: transforms.Grayscale(3)(x), "as the eye sees them"),
        (
            lambda x: x.float().mean(dim=0, keepdim=True).round().byte().repeat(4, 1, 1, 1),
            "Over which axis",
        ),
        (lambda x: torch.full_like(x, 128), "do not hold their mean"),
        (lambda x: x.mean(dim=1), "Your code stopped"),
    ],
)
def test_grey(function: Callable[[Tensor], Any], hint: str) -> None:
    verdict = check.grey(function)
    assert not verdict.right
    assert hint in verdict.text


def loader(
    train: bool,
    batch_size: int,
    shuffle: bool,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] = (0.5, 0.5, 0.5),
) -> DataLoader[Any]:
    """A loader over the stand-in for CIFAR-10; without a mean, standardised with its own."""
    cifar = load("cifar-10")
    scale = transforms.Normalize(mean or cifar.mean, std if mean else cifar.std)
    prepare = transforms.Compose([transforms.ToTensor(), scale])
    root, datasets = find_cifar()
    opened = datasets.CIFAR10(root, train=train, transform=prepare)
    return DataLoader(opened, batch_size=batch_size, shuffle=shuffle)


def to_learn() -> DataLoader[Any]:
    return loader(True, 32, True)


def to_judge() -> DataLoader[Any]:
    return loader(False, 1000, False)


class Knowing(CifarLeNet):
    """Answers as a table of the test pictures says, whatever its weights."""

    def forward(self, x: Tensor) -> Tensor:
        images, labels = next(iter(to_judge()))
        places = torch.cdist(x.flatten(1), images.flatten(1)).argmin(dim=1)
        return F.one_hot(labels[places], 10).float()


def drawing(count: int = 100, *names: str) -> Figure:
    figure, ax = plt.subplots()
    ax.plot(range(count))
    for setter, name in zip((ax.set_xlabel, ax.set_ylabel), names, strict=False):
        setter(name)
    return figure


def curve() -> Figure:
    return drawing(100, "update", "loss")


def answer(
    train: Callable[[], Any] = to_learn,
    test: Callable[[], Any] = to_judge,
    network: Callable[[], Any] = Knowing,
    accuracy: float = 1.0,
    figure: Callable[[], Any] = curve,
) -> Any:
    return check.whole(train(), test(), network(), accuracy, figure())


def test_the_whole_is_right() -> None:
    assert str(answer()) == "Right."


@pytest.mark.parametrize(
    ("train", "hint"),
    [
        (lambda: [1], "a list, not a DataLoader"),
        (lambda: loader(False, 32, True), "Look at train=True"),
        (lambda: loader(True, 4, True), "batches of 4, not of 32"),
        (lambda: loader(True, 32, False), "Shuffle it"),
        (lambda: DataLoader(find_cifar()[1].CIFAR10(find_cifar()[0]), 32, True), "no tensors yet"),
        (lambda: loader(True, 32, True, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), "from 0 to 1"),
        (lambda: loader(True, 32, True, (0.5, 0.5, 0.5)), "0.5 is scaling"),
        (lambda: loader(True, 32, True, (0.1307, 0.1307, 0.1307)), "not near 0 and 1"),
    ],
)
def test_the_training_loader(train: Callable[[], Any], hint: str) -> None:
    verdict = answer(train=train)
    assert not verdict.right
    assert hint in verdict.text


@pytest.mark.parametrize(
    ("test", "hint"),
    [
        (lambda: loader(True, 1000, False), "The test loader holds"),
        (lambda: loader(False, 100, False), "batches of 100"),
        (lambda: loader(False, 1000, True), "need not"),
        (lambda: DataLoader(Subset(to_judge().dataset, range(100)), 1000), "holds 100 pictures"),
    ],
)
def test_the_test_loader(test: Callable[[], Any], hint: str) -> None:
    verdict = answer(test=test)
    assert not verdict.right
    assert hint in verdict.text


@pytest.mark.parametrize(
    ("network", "accuracy", "hint"),
    [
        (lambda: [CifarLeNet()], 1.0, "`network` is a list"),
        (lambda: nn.Linear(3072, 10), 1.0, "30,730 parameters"),
        (CifarLeNet, 0.55, "little more than guessing"),
        (Knowing, 100.0, "is a percentage"),
        (Knowing, 360, "is above 1"),
        (Knowing, 0.9, "You say 90.00%"),
    ],
)
def test_the_network_and_its_accuracy(
    network: Callable[[], Any], accuracy: float, hint: str
) -> None:
    torch.manual_seed(0)
    verdict = answer(network=network, accuracy=accuracy)
    assert not verdict.right
    assert hint in verdict.text


@pytest.mark.parametrize(
    ("figure", "hint"),
    [
        (lambda: plt.plot([1, 2]), "yours is a list"),
        (plt.figure, "shows no line"),
        (lambda: drawing(10, "update", "loss"), "Keep loss.item()"),
        (lambda: drawing(100, "update"), "An axis has no name"),
        (drawing, "An axis has no name"),
    ],
)
def test_the_figure(figure: Callable[[], Any], hint: str) -> None:
    verdict = answer(figure=figure)
    assert not verdict.right
    assert hint in verdict.text
