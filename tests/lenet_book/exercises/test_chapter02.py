"""What the checks of chapter 2 answer to typical mistakes: each has a hint of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import pytest
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor, nn

from lenet.models import NarrowLeNet
from lenet_book.exercises import Verdict
from lenet_book.exercises import chapter02 as check
from tests.sources import cells_of, value_of


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_every_exercise_has_a_solution_that_its_check_accepts() -> None:
    cells = cells_of("02_building_a_network")
    names: dict[str, Any] = {"__name__": "__main__"}
    for name in ("imports", "network", "checks", "answer-6", "solution-6-data"):
        value_of(cells[name], names)
    solutions = [cells[f"solution-{number}"] for number in (3, 4, 5, 6)]
    assert [str(value_of(cell, names)) for cell in solutions] == ["Right."] * 4
    in_words = check.one_number(570), check.weights(1800, 1944)
    assert [str(verdict) for verdict in in_words] == ["Right."] * 2


def test_what_is_not_filled_in_is_not_answered() -> None:
    assert str(check.one_number(None)) == "Not answered yet."  # type: ignore[arg-type]
    assert str(check.weights(1800, None)) == "Not answered yet."  # type: ignore[arg-type]
    assert not check.whole(None, None, None, None).right  # type: ignore[arg-type]


def said(verdict: Verdict, hint: str) -> None:
    assert not verdict.right
    assert hint in verdict.text


@pytest.mark.parametrize(
    ("total", "hint"),
    [
        (-570, "The sign is turned"),
        (630, "subtract it"),
        (600, "That is the left column"),
        (-30, "That is the right column"),
        (210, "the second row"),
        (930, "What is 120 times 0"),
        (990, "the sum of the patch"),
        (63.3, "do not divide"),
        ("570", "'570' is no number"),
        (571, "at its place in the kernel"),
    ],
)
def test_one_number(total: Any, hint: str) -> None:
    said(check.one_number(total), hint)


@pytest.mark.parametrize(
    ("large", "small", "hint"),
    [
        (1944, 1800, "the wrong way round"),
        (1812, 1968, "The first number counts the biases"),
        (1800, 1968, "The second number counts the biases"),
        (300, 216, "The first number leaves out the depth"),
        (1800, 216, "The second number leaves out the depth"),
        (150, 1944, "that of one filter"),
        (1800, 1296, "hands 12 channels to the second"),
        (1800, 2592, "gets 6 channels, not 12"),
        (1800, 648, "the first small layer alone"),
        (1800.5, 1944, "no whole number"),
        (1700, 1944, "filters × depth × height × width"),
        (1800, 1900, "each small layer by itself"),
    ],
)
def test_weights(large: Any, small: Any, hint: str) -> None:
    said(check.weights(large, small), hint)


@pytest.mark.parametrize(
    ("layer", "hint"),
    [
        (nn.Conv2d, "Make a layer from it"),
        (torch.zeros(4, 8, 16, 16), "Hand over the layer itself"),
        (nn.MaxPool2d(2), "a MaxPool2d, not a Conv2d"),
        (nn.Conv2d(8, 3, 5, stride=2, padding=2), "takes 8 channels, not 3"),
        (nn.Conv2d(3, 16, 5, stride=2, padding=2), "puts out 16 channels, not 8"),
        (nn.Conv2d(3, 8, 3, stride=2, padding=1), "3×3, not 5×5"),
        (nn.Conv2d(3, 8, 5), "28×28. Which argument"),
        (nn.Conv2d(3, 8, 5, padding=2), "The size has stayed"),
        (nn.Conv2d(3, 8, 5, stride=2), "the border is lost"),
        (nn.Conv2d(3, 8, 5, stride=2, padding=1), "needs more pixels"),
        (nn.Conv2d(3, 8, 5, stride=2, padding=3), "17×17. It should be 16×16"),
    ],
)
def test_layer(layer: Any, hint: str) -> None:
    said(check.layer(layer), hint)


def test_a_layer_without_bias_is_right_too() -> None:
    assert check.layer(nn.Conv2d(3, 8, 5, stride=2, padding=2, bias=False)).right


class TwoLayers(nn.Module):
    """A right answer to exercise 4, from which the wrong ones differ by a method."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(784, 60), nn.Linear(60, 10)

    def forward(self, x: Any) -> Any:
        return self.out(F.relu(self.hidden(x.flatten(1))))


class Recipe(nn.Module):
    """A right answer to exercise 5."""

    def __init__(self, filters: int = 8, more: int = 20, classes: int = 5) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, filters, 5), nn.Conv2d(filters, more, 5)
        self.fc1, self.fc2 = nn.Linear(more * 16, 120), nn.Linear(120, 60)
        self.out = nn.Linear(60, classes)

    def features(self, x: Any) -> Any:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        return F.max_pool2d(F.relu(self.conv2(x)), 2)

    def forward(self, x: Any) -> Any:
        x = F.relu(self.fc1(self.features(x).flatten(1)))
        return self.out(F.relu(self.fc2(x)))


def but(base: type[nn.Module], **methods: Any) -> type[nn.Module]:
    return type("Mine", (base,), methods)


def keep(name: str, value: Callable[[], Any]) -> Callable[[Any], None]:
    """Return an `__init__` that keeps one attribute, and nothing else."""

    def initialise(self: Any) -> None:
        nn.Module.__init__(self)
        setattr(self, name, value())

    return initialise


def changed(base: type[nn.Module], **layers: Callable[[], Any]) -> type[nn.Module]:
    """Return a class whose networks have some layers replaced."""

    def initialise(self: Any) -> None:
        base.__init__(self)
        for name, layer in layers.items():
            vars(self)["_modules"].pop(name, None)
            setattr(self, name, layer())

    return but(base, __init__=initialise)


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        (TwoLayers(), "without brackets"),
        (type("Mine", (), {}), "does not extend nn.Module"),
        (but(TwoLayers, __init__=lambda self: setattr(self, "a", nn.Linear(1, 1))), "super()"),
        (but(TwoLayers, __init__=lambda self: None), "has to come first"),
        (but(nn.Module), "has no layers yet"),
        (
            but(nn.Module, __init__=keep("layers", lambda: {"a": nn.Linear(784, 60)})),
            "finds 0 parameters",
        ),
        (
            but(nn.Module, __init__=keep("mine", lambda: {"a": nn.Linear(784, 60)})),
            "`self.mine` is a dict",
        ),
        (
            but(nn.Module, __init__=keep("layers", lambda: [nn.Linear(784, 60)])),
            "`self.layers` is a list",
        ),
        (changed(TwoLayers, out=lambda: [nn.Linear(60, 10)]), "`self.out` is a list"),
        (changed(TwoLayers, hidden=lambda: nn.Linear(784, 10)), "finds 8,460 parameters"),
        (but(TwoLayers, forward=lambda self, x: self.out(self.hidden(x.flatten(1)))), "is lost"),
        (but(TwoLayers, forward=lambda self, x: self.out(self.hiden(x))), "'hiden'"),
        (but(TwoLayers, forward=nn.Module.forward), "no `forward` yet"),
    ],
)
def test_registered(kind: Any, hint: str) -> None:
    said(check.registered(kind), hint)


def in_a_dictionary(self: Any) -> None:
    nn.Module.__init__(self)
    parts = {"hidden": nn.Linear(784, 60), "out": nn.Linear(60, 10)}
    self.layers = nn.ModuleDict(parts)


def by_name(self: Any, x: Any) -> Any:
    return self.layers["out"](F.relu(self.layers["hidden"](x.flatten(1))))


def test_two_ways_to_keep_layers_are_right() -> None:
    assert check.registered(TwoLayers).right
    assert check.registered(but(nn.Module, __init__=in_a_dictionary, forward=by_name)).right


def narrow(self: Any) -> None:
    Recipe.__init__(self, 6, 12, 10)


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        (but(nn.Module), "has no layers yet"),
        (but(Recipe, __init__=lambda self: None), "super().__init__()"),
        (but(Recipe, forward=nn.Module.forward), "no `forward` yet"),
        (but(nn.Module, __init__=keep("layers", lambda: [nn.Conv2d(1, 8, 5)])), "is a list"),
        (but(nn.Module, __init__=keep("w", lambda: torch.zeros(8, 1, 5, 5))), "a plain tensor"),
        (but(Recipe, __init__=narrow), "still has 6 filters"),
        (changed(Recipe, conv2=lambda: nn.Conv2d(8, 12, 5)), "still has 12 filters"),
        (changed(Recipe, conv2=lambda: nn.Conv2d(6, 20, 5)), "now hands it 8"),
        (changed(Recipe, fc1=lambda: nn.Linear(192, 120)), "still takes 12·4·4"),
        (changed(Recipe, fc1=lambda: nn.Linear(20, 120)), "How large is a map"),
        (changed(Recipe, out=lambda: nn.Linear(60, 10)), "still gives ten scores"),
        (changed(Recipe, fc2=lambda: nn.Linear(120, 84)), "weight of the shape (60, 120)"),
        (changed(Recipe, fc2=lambda: nn.Linear(120, 60, bias=False)), "has lost its bias"),
        (changed(Recipe, more=lambda: nn.Linear(60, 60)), "more than five layers"),
        (but(Recipe, forward=lambda self, x: self.out(self.features(x))), "Is there a flatten"),
        (but(Recipe, forward=lambda self, x: self.conv2(x)), "in the right order"),
        (but(Recipe, forward=lambda self, x: None), "Is there a return?"),
        (but(Recipe, forward=lambda self, x: [x]), "returns a list"),
        (but(Recipe, forward=lambda self, x: self.features(x)), "yours have (3, 20, 4, 4)"),
        (
            but(Recipe, forward=lambda self, x: Recipe.forward(self, x).softmax(1)),
            "leave the softmax out",
        ),
        (
            but(Recipe, forward=lambda self, x: F.relu(Recipe.forward(self, x))),
            "The last layer has no ReLU",
        ),
        (
            but(
                Recipe,
                forward=lambda self, x: self.out(self.fc2(self.fc1(self.features(x).flatten(1)))),
            ),
            "between the linear layers is missing",
        ),
        (
            but(
                Recipe,
                features=lambda self, x: F.max_pool2d(
                    self.conv2(F.max_pool2d(self.conv1(x), 2)), 2
                ),
            ),
            "after the convolutions are missing",
        ),
        (
            but(
                Recipe,
                features=lambda self, x: F.avg_pool2d(
                    F.relu(self.conv2(F.avg_pool2d(F.relu(self.conv1(x)), 2))), 2
                ),
            ),
            "not the mean",
        ),
        (but(Recipe, forward=lambda self, x: -Recipe.forward(self, x)), "another way"),
        (but(Recipe, forward=lambda self, x: self.conv3(x)), "no attribute 'conv3'"),
    ],
)
def test_other_numbers(kind: Any, hint: str) -> None:
    said(check.other_numbers(kind), hint)


def test_names_and_order_of_layers_are_free() -> None:
    class Mine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(60, 5)
            self.maps = nn.Sequential(
                nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(8, 20, 5), nn.ReLU(), nn.MaxPool2d(2),
            )  # fmt: skip
            self.rest = nn.Sequential(nn.Linear(320, 120), nn.ReLU(), nn.Linear(120, 60))

        def forward(self, x: Tensor) -> Tensor:
            answer: Tensor = self.last(F.relu(self.rest(self.maps(x).flatten(1))))
            return answer

    assert str(check.other_numbers(Mine)) == "Right."
    assert check.other_numbers(Recipe).right


def drawing(pictures: Any, title: str = "map") -> Figure:
    figure = Figure()
    for picture, ax in zip(pictures, figure.subplots(1, len(pictures)), strict=True):
        ax.imshow(picture.numpy())
        ax.set_title(title)
    return figure


class Built:
    """A right answer to exercise 6."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.images = torch.randn(100, 1, 28, 28)
        self.network = Recipe(6, 12, 10)
        self.scores = self.network(self.images)
        self.maps = self.network.conv1(self.images).detach()
        self.figure = drawing(self.maps[0])


def test_the_whole_so_far_is_right() -> None:
    mine = Built()
    assert str(check.whole(mine.images, mine.network, mine.scores, mine.figure)) == "Right."
    after = drawing(F.relu(mine.maps[0]))
    assert check.whole(mine.images, mine.network, mine.scores, after).right


@pytest.mark.parametrize(
    ("name", "wrong", "hint"),
    [
        ("images", lambda mine: (mine.images, 0), "Unpack it"),
        ("images", lambda mine: mine.images.numpy(), "not a tensor"),
        ("images", lambda mine: mine.images[:10], "not (100, 1, 28, 28)"),
        ("images", lambda mine: mine.images.abs(), "is not normalised"),
        ("network", lambda mine: Recipe, "Make an object of it"),
        ("network", lambda mine: mine.network.forward, "should extend nn.Module"),
        ("network", lambda mine: NarrowLeNet(), "Write the class yourself"),
        ("network", lambda mine: Recipe(), "weight of the shape (6, 1, 5, 5)"),
        ("network", lambda mine: Recipe(6, 12, 10), "another network"),
        ("scores", lambda mine: mine.scores.tolist(), "is a list"),
        ("scores", lambda mine: mine.scores[0], "has the shape (10,)"),
        ("scores", lambda mine: mine.scores.flip(0), "from another batch"),
        ("figure", lambda mine: plt, "yours is a module"),
        ("figure", lambda mine: Figure(), "shows 0 images"),
        ("figure", lambda mine: drawing(mine.maps[0], ""), "no title"),
        ("figure", lambda mine: drawing(mine.images[:6, 0]), "The figure shows pictures"),
        (
            "figure",
            lambda mine: drawing(mine.network.conv1.weight[:, 0].detach()),
            "shows the filters",
        ),
        ("figure", lambda mine: drawing(F.max_pool2d(mine.maps[0], 2)), "after pooling"),
        ("figure", lambda mine: drawing(mine.maps[1]), "of the first picture"),
        ("figure", lambda mine: drawing(mine.maps[0].flip(0)), "in order"),
    ],
)
def test_a_wrong_part_of_the_whole(name: str, wrong: Callable[[Built], Any], hint: str) -> None:
    mine = Built()
    parts = {key: getattr(mine, key) for key in ("images", "network", "scores", "figure")}
    said(check.whole(**{**parts, name: wrong(mine)}), hint)
