"""What the checks of chapter 3 answer to typical mistakes: each has a hint of its own."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import pytest
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor, nn

from lenet.models import NarrowLeNet
from lenet_book.exercises import chapter03 as check
from tests.sources import CHAPTERS, cells_of, value_of


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_every_exercise_has_a_solution_that_its_check_accepts() -> None:
    cells = cells_of("03_inside_the_weights")
    test = [(torch.rand(4, 1, 28, 28), torch.tensor([1, 2, 3, 4]))]
    names: dict[str, Any] = {"trained": NarrowLeNet(), "test": test}
    for name in ("imports", "checks"):
        value_of(cells[name], names)
    said = {name: str(value_of(cell, names)) for name, cell in cells.items() if "solution-" in name}
    assert said.pop("solution-6").startswith("<All keys matched")  # its second half has the check
    assert len(said) == 4  # the first two are in words
    assert set(said.values()) == {"Right."}
    assert check.count((16, 3, 3, 3), 448).right
    assert check.on_paper([5, 4]).right


def test_what_is_quoted_is_in_pytorch() -> None:
    notebook = nbformat.read(CHAPTERS / "03_inside_the_weights.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    quoted = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    functions: list[Callable[..., object]] = [
        nn.Linear.__init__,
        nn.Conv2d._conv_forward,
        nn.Module._call_impl,
        nn.Linear.reset_parameters,
    ]
    assert len(quoted) == len(functions)
    for quote, function in zip(quoted, functions, strict=True):
        source = re.sub(r"\s+", " ", inspect.getsource(function))
        assert re.sub(r"\s+", " ", quote).strip() in source


def test_what_is_not_filled_in_is_not_answered() -> None:
    assert str(check.count((16, 3, 3, 3), None)) == "Not answered yet."  # type: ignore[arg-type]
    assert not check.on_paper(None).right  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shape", "number", "hint"),
    [
        ((3, 16, 3, 3), 448, "come first in the shape, their depth second"),
        ((3, 3, 3, 16), 448, "comes first in the shape"),
        ((16, 3, 3), 448, "four axes"),
        ((16, 1, 3, 3), 448, "for grey pictures"),
        ((3, 3), 448, "one grid"),
        ([3, 3, 3], 448, "one filter"),
        (432, 448, "no shape"),
        ((16, 3, 5, 5), 448, "number of filters, depth"),
        ((16, 3, 3, 3), 432, "leaves out the biases"),
        ((16, 3, 3, 3), 435, "not for each channel"),
        ((16, 3, 3, 3), 433, "for the whole layer"),
        ((16, 3, 3, 3), 160, "leaves out the depth"),
        ((16, 3, 3, 3), 144, "leaves out the depth"),
        ((16, 3, 3, 3), 28, "with its bias"),
        ((16, 3, 3, 3), 27, "without its bias"),
        ((16, 3, 3, 3), 864, "not one for each weight"),
        ((16, 3, 3, 3), "448", "'448' is no whole number"),
        ((16, 3, 3, 3), 500, "add the biases"),
    ],
)
def test_count(shape: Any, number: Any, hint: str) -> None:
    verdict = check.count(shape, number)
    assert not verdict.right
    assert hint in verdict.text


@pytest.mark.parametrize(
    ("output", "hint"),
    [
        ([5, -1], "bias is missing"),
        ([4, 5], "wrong way round"),
        ([3, 10], "took the columns"),
        ([3, 5], "left out the bias"),
        ([5, 6], "lost its sign"),
        ([10, 4], "belongs to the second"),
        ([10, 5], "b has two numbers"),
        (9, "The layer has two outputs"),
        ([9], "You give 1 numbers"),
        ("5, 4", "no list"),
        ([[5], [4]], "plain numbers"),
        ([6, 4], "The first is not right"),
        ([5, 3], "The second is not right"),
        (torch.tensor([[1.0, 2], [3, 4]]), "plain numbers"),
    ],
)
def test_on_paper(output: Any, hint: str) -> None:
    verdict = check.on_paper(output)
    assert not verdict.right
    assert hint in verdict.text


def test_a_pair_and_a_tensor_are_right_too() -> None:
    assert check.on_paper((5.0, 4.0)).right
    assert check.on_paper(torch.tensor([5.0, 4.0])).right  # type: ignore[arg-type]


def twin(network: NarrowLeNet) -> NarrowLeNet:
    return copy.deepcopy(network)


@torch.no_grad()
def turned_off(network: NarrowLeNet, number: Any, *, bias: Any = None) -> NarrowLeNet:
    network.conv1.weight[number] = 0
    network.conv1.get_parameter("bias")[number if bias is None else bias] = 0
    return network


def watched(network: NarrowLeNet, number: int) -> NarrowLeNet:
    damaged = twin(network)
    damaged.conv1.weight[number] = 0
    return damaged


@torch.no_grad()
def without_weights(network: NarrowLeNet, number: int) -> NarrowLeNet:
    damaged = twin(network)
    damaged.conv1.weight[number] = 0
    return damaged


@torch.no_grad()
def shifted(network: NarrowLeNet, number: int) -> NarrowLeNet:
    damaged = twin(network)
    damaged.conv1.weight += 1
    return turned_off(damaged, number)


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda network, number: None, "Is there a return?"),
        (lambda network, number: network.conv1, "returns a Conv2d"),
        (watched, "with torch.no_grad()"),
        (turned_off, "makes a second name"),
        (lambda network, number: network, "makes a second name"),
        (lambda network, number: twin(network), "No filter of the copy"),
        (lambda network, number: turned_off(NarrowLeNet(), number), "Copy the parameters first"),
        (lambda network, number: turned_off(twin(network), slice(None)), "All six filters"),
        (lambda network, number: turned_off(twin(network), 4), "Asked for filter 1"),
        (lambda network, number: turned_off(twin(network), number - 1), "turns off 3"),
        (without_weights, "still has its bias"),
        (
            lambda network, number: turned_off(twin(network), number, bias=slice(None)),
            "Only the bias of filter 4",
        ),
        (shifted, "The other filters"),
        (lambda network, number: network.conv3, "no attribute 'conv3'"),
        (lambda network: network, "takes 1 positional argument"),
    ],
)
def test_without_filter(function: Callable[..., Any], hint: str) -> None:
    verdict = check.without_filter(function)
    assert not verdict.right
    assert hint in verdict.text


class Linear(nn.Module):
    """A right answer, from which the wrong ones below differ by a method."""

    weight: Tensor
    bias: Tensor

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        limit = in_features**-0.5
        weight = torch.empty(out_features, in_features)
        self.weight = nn.Parameter(weight.uniform_(-limit, limit))
        self.bias = nn.Parameter(torch.empty(out_features).uniform_(-limit, limit))

    def forward(self, x: Tensor) -> Any:
        return x @ self.weight.T + self.bias


def but(forward: Callable[..., Any]) -> type[Linear]:
    return type("MyLinear", (Linear,), {"forward": forward})


def begun(change: Callable[..., Any]) -> type[Linear]:
    def begin(self: Linear, in_features: int, out_features: int) -> None:
        Linear.__init__(self, in_features, out_features)
        change(self, in_features, out_features)

    return type("MyLinear", (Linear,), {"__init__": begin})


def filled(change: Callable[[Tensor, int, int], Any]) -> type[Linear]:
    def fill(self: Linear, in_features: int, out_features: int) -> None:
        change(self.weight.data, in_features, out_features)

    return begun(fill)


def plain(self: Linear, in_features: int, out_features: int) -> None:
    del self.weight
    self.weight = torch.rand(out_features, in_features)


def without_super(self: Linear, in_features: int, out_features: int) -> None:
    self.weight = nn.Parameter(torch.rand(out_features, in_features))


def shape_of(*order: int) -> Callable[..., None]:
    def reshape(self: Linear, *sizes: int) -> None:
        self.weight = nn.Parameter(torch.rand(*[sizes[place] for place in order]))

    return reshape


class Inside(nn.Module):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.layer = nn.Linear(in_features, out_features)


class Other(nn.Module):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.rand(out_features, in_features))


class Silent(nn.Module):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(out_features, in_features))
        self.bias = nn.Parameter(torch.rand(out_features))


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        (Linear(4, 3), "without brackets"),
        (type("MyLinear", (), {}), "does not extend nn.Module"),
        (type("MyLinear", (nn.Linear,), {}), "extends nn.Linear"),
        (type("MyLinear", (nn.Module,), {"__init__": without_super}), "`super().__init__()`"),
        (type("MyLinear", (nn.Module,), {"__init__": lambda self, i, o: None}), "`super()"),
        (begun(plain), "plain tensor"),
        (Inside, "without a layer inside"),
        (Other, "no parameter `self.weight`"),
        (begun(lambda self, i, o: delattr(self, "bias")), "no parameter `self.bias`"),
        (begun(shape_of(0, 1)), "PyTorch's is [out, in]"),
        (begun(shape_of(1, 1)), "yours is (3, 3)"),
        (
            begun(lambda self, i, o: setattr(self, "extra", nn.Parameter(torch.rand(1)))),
            "yours are weight, bias, extra",
        ),
        (Silent, "no `forward` yet"),
        (but(lambda self, x: None), "Is there a return?"),
        (but(lambda self, x: [1]), "returns a list"),
        (but(lambda self, x: x @ self.weight + self.bias), "`.T`"),
        (but(lambda self, x: x @ self.weight.T), "leaves out the bias"),
        (but(lambda self, x: x @ self.weight.T - self.bias), "not subtracted"),
        (but(lambda self, x: F.relu(x @ self.weight.T + self.bias)), "no ReLU inside"),
        (but(lambda self, x: (x @ self.weight.T + self.bias)[0]), "becomes (3,)"),
        (but(lambda self, x: x @ self.weight.T + 2 * self.bias), "something else"),
        (but(lambda self, x: x @ self.wieght.T), "no attribute 'wieght'"),
        (filled(lambda w, i, o: w.zero_()), "are the same"),
        (filled(lambda w, i, o: w.fill_(float("nan"))), "is not filled"),
        (filled(lambda w, i, o: w.uniform_()), "below zero"),
        (filled(lambda w, i, o: w.uniform_(-(o**-0.5), o**-0.5)), "the number of *inputs*"),
        (filled(lambda w, i, o: w.normal_()), "the limits are ±1/20"),
        (filled(lambda w, i, o: w.uniform_(-1 / i, 1 / i)), "should fill ±1/20"),
        (filled(lambda w, i, o: w.uniform_(-0.05, 0.05)), "the limits are ±1/2;"),
        (type("MyLinear", (Linear,), {"__init__": lambda self: None}), "takes 1 positional"),
    ],
)
def test_linear(kind: Any, hint: str) -> None:
    verdict = check.linear(kind)
    assert not verdict.right
    assert hint in verdict.text


def test_another_way_to_multiply_is_right_too() -> None:
    assert check.linear(but(lambda self, x: F.linear(x, self.weight, self.bias))).right


def spying(
    note: Callable[..., Any] = lambda module, inputs, output: (
        type(module).__name__,
        tuple(output.shape),
    ),
    layers: Callable[[nn.Module], Any] = lambda network: network.children(),
    *,
    remove: bool = True,
    call: Callable[[nn.Module, Tensor], Any] = lambda network, images: network(images),
) -> Callable[[nn.Module, Tensor], list[Any]]:
    def spy(network: nn.Module, images: Tensor) -> list[Any]:
        seen: list[Any] = []
        handles = [
            layer.register_forward_hook(lambda *told: seen.append(note(*told)))
            for layer in layers(network)
        ]
        call(network, images)
        if remove:
            for handle in handles:
                handle.remove()
        return seen

    return spy


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda network, images: None, "Is there a return?"),
        (lambda network, images: "Conv2d", "not a str"),
        (spying(remove=False), "still attached"),
        (spying(call=lambda network, images: None), "list is empty"),
        (spying(lambda m, i, o: tuple(o.shape)), "should be a pair"),
        (spying(lambda m, i, o: (m, tuple(o.shape))), "name of the class"),
        (spying(lambda m, i, o: ("Conv2d", tuple(o.shape))), "are not Conv2d, Conv2d"),
        (lambda network, images: [(n, ()) for n, _ in network.named_children()], "own names"),
        (spying(lambda m, i, o: (type(m).__name__, tuple(i[0].shape))), "goes *into*"),
        (spying(lambda m, i, o: (type(m).__name__, o.numel())), "should be a shape"),
        (spying(layers=lambda network: network.modules()), "The network itself"),
        (spying(layers=lambda network: [network]), "The network itself"),
        (spying(layers=lambda network: [*network.children()][:4]), "has 5 layers"),
        (
            spying(call=lambda network, images: network(images[:1])),
            "on the images that it is given",
        ),
        (lambda network, images: network.layers, "no attribute 'layers'"),
        (lambda network: [], "takes 1 positional argument"),
    ],
)
def test_spy(function: Callable[..., Any], hint: str) -> None:
    verdict = check.spy(function)
    assert not verdict.right
    assert hint in verdict.text


def test_a_shape_of_pytorch_is_a_shape_too() -> None:
    assert check.spy(spying(lambda m, i, o: [type(m).__name__, o.shape])).right


class Network(NarrowLeNet):
    """Of the reader's own module."""


def drawing(
    network: nn.Module, *, count: int = 6, title: str = "filter", own: bool = False, low: float = -1
) -> Figure:
    figure = Figure()
    weight = next(network.parameters()).detach()
    for number, ax in enumerate(figure.subplots(1, count, squeeze=False)[0]):
        limits = {} if own else {"vmin": low, "vmax": 1}
        ax.imshow(weight[number, 0].numpy(), **limits)
        ax.set_title(title)
    return figure


def answer(**changed: Any) -> tuple[Any, ...]:
    first = Network()
    parts: dict[str, Any] = {
        "first": first,
        "second": copy.deepcopy(first),
        "shapes": dict(check.NARROW),
        "total": 32_998,
        "figure": drawing(first),
    }
    for name, part in changed.items():
        parts[name] = part(first) if callable(part) and not isinstance(part, type) else part
    return tuple(parts.values())


def sharing(network: Network) -> Network:
    other = Network()
    for name, layer in network.named_children():
        setattr(other, name, layer)
    return other


def wider() -> nn.Module:
    network = Network()
    network.conv1 = nn.Conv2d(1, 8, 5)
    return network


def mute(network: Network) -> Network:
    network.forward = lambda t: None  # type: ignore[method-assign, assignment, return-value]
    return network


def flat(network: Network) -> Figure:
    figure = drawing(network)
    figure.axes[2].images[0].set_data(torch.zeros(24, 24).numpy())
    return figure


def test_the_whole_so_far_is_right() -> None:
    assert str(check.whole(*answer())) == "Right."


@pytest.mark.parametrize(
    ("changed", "hint"),
    [
        ({"second": Network}, "`second` is the class"),
        ({"second": lambda first: Network().load_state_dict(first.state_dict())}, "is a report"),
        ({"first": lambda first: NarrowLeNet()}, "Write the class yourself"),
        ({"first": lambda first: wider()}, "`first` has other layers"),
        ({"second": lambda first: wider()}, "`second` has other layers"),
        ({"second": lambda first: first}, "two names of one network"),
        ({"second": sharing}, "share parameters"),
        ({"second": lambda first: Network()}, "do not have the same numbers"),
        ({"first": mute}, "returns no tensor"),
        ({"shapes": [*check.NARROW.values()]}, "not a dictionary"),
        ({"shapes": {"conv1.weight": (6, 1, 5, 5)}}, "has no conv1.bias, conv2.weight"),
        ({"shapes": check.NARROW | {"relu": ()}}, "names that no parameter has"),
        ({"shapes": check.NARROW | {"fc1.weight": (192, 120)}}, "says (192, 120)"),
        ({"shapes": check.NARROW | {"fc1.weight": 23_040}}, "is no shape"),
        ({"total": 32_730}, "leaves out the biases"),
        ({"total": 10}, "counts the tensors"),
        ({"total": 65_996}, "both networks"),
        ({"total": 7}, "Add up numel()"),
        ({"figure": lambda first: plt}, "yours is a module"),
        ({"figure": lambda first: drawing(first, count=3)}, "shows 3 images"),
        ({"figure": lambda first: drawing(first, title="")}, "no title"),
        ({"figure": flat}, "shape (24, 24)"),
        ({"figure": lambda first: drawing(Network())}, "is not filter 0"),
        ({"figure": lambda first: drawing(first, own=True)}, "scale of its own"),
        ({"figure": lambda first: drawing(first, low=0)}, "let vmin be −vmax"),
    ],
)
def test_whole(changed: dict[str, Any], hint: str) -> None:
    verdict = check.whole(*answer(**changed))
    assert not verdict.right
    assert hint in verdict.text
