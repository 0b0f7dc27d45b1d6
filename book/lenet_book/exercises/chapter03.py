"""Chapter 3: counting weights, a layer on paper, filters turned off, a layer, hooks, a copy."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor, nn

from lenet.models import NarrowLeNet
from lenet_book.exercises import NotYet, check, need
from lenet_book.exercises.shared import images_in, made, output_of

NOTHING = "Your function returns nothing. Is there a return?"
SHAPES: dict[tuple[int, ...], str] = {
    (3, 16, 3, 3): "The filters come first in the shape, their depth second.",
    (3, 3, 3, 16): "The number of filters comes first in the shape.",
    (16, 3, 3): "The shape has four axes. A filter is as deep as its input has channels.",
    (16, 1, 3, 3): "Filters one deep are for grey pictures. How many channels come in here?",
    (3, 3): "That is one grid. How deep is a filter, and how many are there?",
    (3, 3, 3): "That is one filter. How many are there?",
}
COUNTS = {
    432: "The count leaves out the biases.",
    435: "There is a bias for each filter, not for each channel that comes in.",
    433: "There is a bias for each filter, not one for the whole layer.",
    144: "The count leaves out the depth: a filter is as deep as its input. And the biases count.",
    160: "The count leaves out the depth: a filter is as deep as its input.",
    27: "That is one filter without its bias. How many filters are there?",
    28: "That is one filter with its bias. How many filters are there?",
    864: "There is one bias for each filter, not one for each weight.",
}


@check
def count(shape: Sequence[int], number: int) -> None:
    """Check exercise 1: the parameters of ``nn.Conv2d(3, 16, kernel_size=3)``.

    Args:
        shape: The shape of its weight.
        number: How many parameters it has, biases included.
    """
    need(
        isinstance(shape, (tuple, list)),
        f"{shape!r} is no shape. Write the lengths of all axes in brackets.",
    )
    need(tuple(shape) not in SHAPES, SHAPES.get(tuple(shape), ""))
    need(
        tuple(shape) == (16, 3, 3, 3),
        "The shape is not right: number of filters, depth, height, width.",
    )
    whole = isinstance(number, int) and not isinstance(number, bool)
    need(whole, f"{number!r} is no whole number. Count the parameters.")
    need(number not in COUNTS, COUNTS.get(number, ""))
    need(
        number == 448,
        "The count is not right: multiply the lengths of the shape, and add the biases.",
    )


OUTPUTS: dict[tuple[float, ...], str] = {
    (5, -1): "The bias is missing.",
    (4, 5): "The two are the wrong way round.",
    (3, 10): "You took the columns of W. Each output has a row.",
    (3, 5): "You took the columns of W, and left out the bias. Each output has a row.",
    (5, 6): "The −1 of the second row has lost its sign.",
    (10, 4): "The 5 of b belongs to the second output.",
    (10, -1): "The 5 of b belongs to the second output.",
    (10, 5): "b has two numbers: 0 for the first output, 5 for the second.",
}


@check
def on_paper(output: Sequence[float]) -> None:
    """Check exercise 2: a linear layer with two inputs and two outputs.

    Args:
        output: The two numbers that it returns.
    """
    numbers = output.tolist() if torch.is_tensor(output) else output
    need(not isinstance(numbers, (int, float)), "That is one number. The layer has two outputs.")
    need(isinstance(numbers, (list, tuple)), f"{numbers!r} is no list of two numbers.")
    need(len(numbers) == 2, f"You give {len(numbers)} numbers. W has two rows: two outputs.")
    plain = all(isinstance(number, (int, float)) for number in numbers)
    need(plain, "Write plain numbers between the brackets, such as [1, 2].")
    pair = tuple(numbers)
    need(pair not in OUTPUTS, OUTPUTS.get(pair, ""))
    need(pair[0] == 5, "The first is not right: the first row of W times x, plus 0.")
    need(pair[1] == 4, "The second is not right: the second row of W times x, plus 5.")


@contextmanager
def _no_grad_hint() -> Iterator[None]:
    """Explain PyTorch's complaint about a parameter that is changed in place."""
    try:
        yield
    except RuntimeError as error:
        need(
            "leaf Variable" not in str(error),
            "PyTorch watches parameters, and refuses to change them in place. Put the lines that "
            "change them under `with torch.no_grad():`.",
        )
        raise


@check
def without_filter(function: Callable[[NarrowLeNet, int], nn.Module]) -> None:
    """Check exercise 3: a copy of a network with one filter turned off.

    Args:
        function: Takes a `NarrowLeNet` and the number of a filter of ``conv1``; returns the copy.
    """
    for number in (4, 1):
        network = NarrowLeNet()
        given = copy.deepcopy(network.state_dict())
        with _no_grad_hint():
            damaged = function(network, number)
        need(damaged is not None, NOTHING)
        need(
            isinstance(damaged, NarrowLeNet),
            f"Your function returns a {type(damaged).__name__}, not a NarrowLeNet.",
        )
        kept = all(torch.equal(given[name], now) for name, now in network.state_dict().items())
        need(
            kept and damaged is not network,
            "The network that your function is given changes, too. `copy = network` makes a second "
            "name, not a second network.",
        )
        _compare_filters(damaged.state_dict(), given, number)


def _compare_filters(damaged: dict[str, Tensor], given: dict[str, Tensor], number: int) -> None:
    """Compare the parameters of the copy with those of the network, filter by filter."""
    weight, bias = damaged["conv1.weight"], damaged["conv1.bias"]
    off = [k for k in range(6) if not weight[k].any()]
    silent = [k for k in range(6) if not bias[k]]
    others = [name for name in given if not name.startswith("conv1.")]
    same = all(torch.equal(damaged[name], given[name]) for name in others)
    need(same, "Other layers of the copy are not those of the network. Copy the parameters first.")
    need(len(off) < 6, "All six filters are zero. An index picks one of them.")
    need(off != [], "No filter of the copy is zero throughout.")
    need(
        off == [number],
        f"Asked for filter {number}, your function turns off {' and '.join(map(str, off))}.",
    )
    need(silent != [], "The filter still has its bias.")
    need(silent == [number], f"Only the bias of filter {number} should be zero.")
    left = [k for k in range(6) if k != number]
    unchanged = torch.equal(weight[left], given["conv1.weight"][left])
    need(
        unchanged and torch.equal(bias[left], given["conv1.bias"][left]),
        "The other filters of the copy are not those of the network.",
    )


@check
def linear(kind: type[Any]) -> None:
    """Check exercise 4: a linear layer of one's own.

    Args:
        kind: The class, made with ``kind(in_features, out_features)``.
    """
    is_linear = isinstance(kind, type) and issubclass(kind, nn.Linear)
    need(not is_linear, "Your class extends nn.Linear. Extend nn.Module.")
    mine = made(kind, 4, 3)
    _check_parameters(mine)
    _check_forward(mine)
    _check_limits(kind(400, 900), kind(4, 900))


def _check_parameters(mine: nn.Module) -> None:
    """Check that weight and bias are registered, in their shapes."""
    for name, shape in (("weight", (3, 4)), ("bias", (3,))):
        value = getattr(mine, name, None)
        lost = torch.is_tensor(value) and not isinstance(value, nn.Parameter)
        need(
            not lost,
            f"`self.{name}` is a plain tensor, and training would not find it. Wrap it in "
            "nn.Parameter.",
        )
        need(not list(mine.children()), "Make the two parameters yourself, without a layer inside.")
        need(value is not None, f"There is no parameter `self.{name}` yet.")
        found = tuple(getattr(value, "shape", ()))
        need(
            not (name == "weight" and found == (4, 3)),
            "The shape of your weight is (in, out). PyTorch's is [out, in].",
        )
        need(
            found == shape,
            f"With 4 inputs and 3 outputs the shape of `{name}` is {shape}; yours is {found}.",
        )
    names = [name for name, _ in mine.named_parameters()]
    need(len(names) == 2, f"The parameters are weight and bias; yours are {', '.join(names)}.")


def _check_forward(mine: nn.Module) -> None:
    """Compare `forward` with PyTorch's, for numbers that tell the mistakes apart."""
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    weight, bias = mine.get_parameter("weight"), mine.get_parameter("bias")
    torch.nn.init.normal_(weight)
    torch.nn.init.normal_(bias)
    turned = (
        "x has one vector in each row, so the matrix stands on the right, with rows and columns "
        "swapped: `.T`."
    )
    answer = output_of(mine, x, {"shapes cannot be multiplied": turned})
    need(
        answer.shape == (5, 3),
        f"A batch (5, 4) should become (5, 3); yours becomes {tuple(answer.shape)}.",
    )
    mistakes = {
        "`forward` leaves out the bias.": F.linear(x, weight),
        "The bias is added, not subtracted.": F.linear(x, weight) - bias,
        "A linear layer has no ReLU inside.": F.relu(F.linear(x, weight, bias)),
    }
    for hint, mistaken in mistakes.items():
        need(not torch.allclose(answer, mistaken, atol=1e-5), hint)
    need(
        torch.allclose(answer, F.linear(x, weight, bias), atol=1e-5),
        "`forward` computes something else than Wx + b.",
    )


def _check_limits(wide: nn.Module, tall: nn.Module) -> None:
    """Check how the parameters are filled: 400 inputs give ±1/20, 4 inputs ±1/2."""
    for name, p in wide.state_dict().items():
        need(bool(torch.isfinite(p).all()), f"`{name}` is not filled: it holds {p.flatten()[0]}.")
        need(float(p.std()) > 0, f"All numbers of `{name}` are the same. Make them random.")
        need(bool(p.min() < 0), f"No number of `{name}` is below zero.")
        largest = float(p.abs().max())
        need(
            not math.isclose(largest, 1 / math.sqrt(900), rel_tol=0.1),
            f"The limits of `{name}` are those of the outputs: n is the number of *inputs*.",
        )
        need(
            largest <= 0.05 + 1e-6,
            f"With 400 inputs the limits are ±1/20; `{name}` reaches ±{largest:.2f}.",
        )
        need(
            largest > 0.04,
            f"With 400 inputs the numbers should fill ±1/20; `{name}` reaches ±{largest:.3f}.",
        )
    largest = float(tall.state_dict()["weight"].abs().max())
    need(
        0.45 < largest <= 0.5 + 1e-6,
        f"With 4 inputs the limits are ±1/2; your weight reaches ±{largest:.2f}.",
    )


@check
def spy(function: Callable[[nn.Module, Tensor], list[tuple[str, tuple[int, ...]]]]) -> None:
    """Check exercise 5: the class and the output's shape of each layer, seen by hooks.

    Args:
        function: Takes a network and images; returns pairs such as ``("Linear", (1, 10))``.
    """
    for network, images in (
        (NarrowLeNet(), torch.zeros(2, 1, 28, 28)),
        (nn.Sequential(nn.Flatten(), nn.Linear(12, 5)), torch.zeros(3, 1, 3, 4)),
    ):
        answer = function(network, images)
        need(answer is not None, NOTHING)
        need(isinstance(answer, list), f"Return a list, not a {type(answer).__name__}.")
        attached = [type(part).__name__ for part in network.modules() if part._forward_hooks]
        need(
            not attached,
            "Your hooks are still attached. Keep what register_forward_hook returns, and call its "
            "remove.",
        )
        _compare_pairs(answer, network, images)


def _compare_pairs(answer: list[Any], network: nn.Module, images: Tensor) -> None:
    """Compare the list with what passes through the layers."""
    wanted: list[tuple[str, tuple[int, ...]]] = []
    entered: list[tuple[int, ...]] = []

    def see(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        wanted.append((type(module).__name__, tuple(output.shape)))
        entered.append(tuple(inputs[0].shape))

    handles = [layer.register_forward_hook(see) for layer in network.children()]
    network(images)
    for handle in handles:
        handle.remove()
    need(len(answer) > 0, "Your list is empty. Does the network run while the hooks are attached?")
    pairs = all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in answer)
    need(pairs, f"Each entry should be a pair of a name and a shape; one of yours is {answer[0]}.")
    names = [name for name, _ in answer]
    need(
        type(network).__name__ not in names,
        "The network itself is in your list, too. children() gives the layers alone.",
    )
    need(
        len(answer) == len(wanted),
        f"This network has {len(wanted)} layers; your list has {len(answer)} entries.",
    )
    need(
        all(isinstance(name, str) for name in names),
        "The first of a pair should be the name of the class: `type(module).__name__`.",
    )
    own = [name for name, _ in network.named_children()]
    need(
        names != own,
        "Those are the layers' own names. The class of each is asked for: `type(module).__name__`.",
    )
    need(
        names == [name for name, _ in wanted],
        f"The classes, in order, are not {', '.join(names)}.",
    )
    try:
        shapes = [tuple(shape) for _, shape in answer]
    except TypeError:
        raise NotYet("The second of a pair should be a shape: `tuple(output.shape)`.") from None
    need(shapes != entered, "Those are the shapes of what goes *into* the layers.")
    need(
        shapes == [shape for _, shape in wanted],
        f"For images {tuple(images.shape)} the shapes are other ones. Does your function run the "
        "network on the images that it is given?",
    )


NARROW = {
    "conv1.weight": (6, 1, 5, 5),
    "conv1.bias": (6,),
    "conv2.weight": (12, 6, 5, 5),
    "conv2.bias": (12,),
    "fc1.weight": (120, 192),
    "fc1.bias": (120,),
    "fc2.weight": (60, 120),
    "fc2.bias": (60,),
    "out.weight": (10, 60),
    "out.bias": (10,),
}


@check
def whole(
    first: nn.Module,
    second: nn.Module,
    shapes: Mapping[str, Sequence[int]],
    total: int,
    figure: Figure,
) -> None:
    """Check exercise 6: two networks with the same parameters, their inventory and their filters.

    Args:
        first: A network of the learner's own class.
        second: Another one, with the parameters of `first`.
        shapes: The shape of each parameter by its name.
        total: How many numbers there are.
        figure: The six filters of the first convolution.
    """
    _check_networks(first, second)
    need(isinstance(shapes, Mapping), f"`shapes` is a {type(shapes).__name__}, not a dictionary.")
    names = {name: tuple(p.shape) for name, p in first.named_parameters()}
    missing = [name for name in names if name not in shapes]
    need(not missing, f"`shapes` has no {', '.join(missing[:3])}. named_parameters gives ten.")
    need(len(shapes) == len(names), "`shapes` has names that no parameter has.")
    for name, wanted in names.items():
        length = getattr(shapes[name], "__len__", None)
        need(length is not None, f"`shapes` says {shapes[name]!r} for {name}, which is no shape.")
        mine = tuple(shapes[name])
        need(mine == wanted, f"{name} has the shape {wanted}; `shapes` says {str(mine)[:40]}.")
    need(total != 32_730, "`total` leaves out the biases.")
    need(total != 268, "`total` counts the biases alone.")
    need(total != 10, "`total` counts the tensors. numel() counts the numbers of one.")
    need(total != 65_996, "`total` counts both networks.")
    need(total == 32_998, f"`total` is {total!r}. Add up numel() over all parameters.")
    _check_figure(figure, first)


def _check_networks(first: nn.Module, second: nn.Module) -> None:
    for name, network in (("first", first), ("second", second)):
        need(not isinstance(network, type), f"`{name}` is the class. Make an object of it.")
        need(
            isinstance(network, nn.Module),
            f"`{name}` is a {type(network).__name__}, not a network. `load_state_dict` changes "
            "the network that it is called on; what it returns is a report.",
        )
        need(not type(network).__module__.startswith("lenet."), "Write the class yourself.")
        found = sorted(tuple(p.shape) for p in network.parameters())
        need(
            found == sorted(NARROW.values()),
            f"`{name}` has other layers than chapter 2's network: two convolutions with 6 and 12 "
            "filters, and linear layers to 120, 60 and 10.",
        )
    need(first is not second, "`first` and `second` are two names of one network. Make two.")
    pairs = list(zip(first.parameters(), second.parameters(), strict=True))
    need(
        all(mine is not other for mine, other in pairs),
        "The two networks share parameters: what changes one changes the other. Copy them.",
    )
    need(
        all(torch.equal(mine, other) for mine, other in pairs),
        "The two networks do not have the same numbers yet. state_dict collects them, "
        "load_state_dict puts them in.",
    )
    images = torch.rand(2, 1, 28, 28)
    scores = first(images)
    need(torch.is_tensor(scores), "`forward` returns no tensor. Is there a return?")
    need(
        scores.shape == (2, 10),
        f"Two images should get scores of the shape (2, 10), not {tuple(scores.shape)}.",
    )


def _check_figure(figure: Figure, network: nn.Module) -> None:
    """Check that the figure shows the filters of the network's first convolution."""
    drawn = images_in(figure, 6, "filters")
    weight = next(p for p in network.parameters() if p.shape == (6, 1, 5, 5)).detach()
    for number, axes in enumerate(drawn):
        shown = torch.as_tensor(axes.images[0].get_array())
        size = tuple(shown.shape)
        need(size == (5, 5), f"A filter has 5×5 numbers; one of yours has the shape {size}.")
        need(
            torch.allclose(shown.to(weight.dtype), weight[number, 0]),
            f"Image {number} is not filter {number} of `first`.",
        )
    scales = {axes.images[0].get_clim() for axes in drawn}
    need(
        len(scales) == 1,
        "Each filter has a colour scale of its own. Give all six the same vmin and vmax.",
    )
    ((low, high),) = scales
    need(
        math.isclose(float(low or 0), -float(high or 0), rel_tol=1e-4),
        "Zero does not lie in the middle of the colour scale: let vmin be −vmax.",
    )
