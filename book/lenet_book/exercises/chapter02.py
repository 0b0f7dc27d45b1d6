"""Chapter 2: a sum by hand, weights, a layer to order, lost layers, and networks of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor, nn

from lenet_book.exercises import NotYet, check, need
from lenet_book.exercises.shared import images_in, made, output_of

SUMS = {
    -570: "The sign is turned: the left column counts with 1, the right one with −1.",
    630: "The right column counts with −1: subtract it.",
    600: "That is the left column. What does the right one add?",
    -30: "That is the right column. What does the left one add?",
    190: "That is the first row. All nine products belong to the sum.",
    210: "That is the second row. All nine products belong to the sum.",
    170: "That is the third row. All nine products belong to the sum.",
    930: "The middle column counts, too, in your sum. What is 120 times 0?",
    990: "That is the sum of the patch. Multiply it by the kernel first.",
}


@check
def one_number(total: float) -> None:
    """Check exercise 1: one number of a feature map.

    Args:
        total: The sum of the nine products.
    """
    need(isinstance(total, (int, float)), f"{total!r} is no number. Add up the nine products.")
    need(total not in SUMS, SUMS.get(int(total), ""))
    need(abs(total - 570 / 9) > 0.5, "Add the products up; do not divide by nine.")
    need(total == 570, "Multiply each number of the patch by the one at its place in the kernel.")


LARGE = {
    1812: "The first number counts the biases, too. Leave them out.",
    300: "The first number leaves out the depth: a filter is as deep as its input.",
    150: "The first number is that of one filter. How many filters has the layer?",
    25: "The first number is that of one grid. How deep is a filter, and how many are there?",
}
SMALL = {
    1968: "The second number counts the biases, too. Leave them out.",
    1296: "The first small layer hands 12 channels to the second. Count both layers.",
    2592: "The first small layer gets 6 channels, not 12.",
    648: "The second number is that of the first small layer alone.",
    216: "The second number leaves out the depth: a filter is as deep as its input.",
}


@check
def weights(one_large: int, two_small: int) -> None:
    """Check exercise 2: the weights of one 5×5 layer and of two 3×3 layers in its place.

    Args:
        one_large: Weights from 6 to 12 channels, 5×5.
        two_small: Weights from 6 to 12 to 12 channels, 3×3.
    """
    for answer in (one_large, two_small):
        need(isinstance(answer, int), f"{answer!r} is no whole number. Count the weights.")
    need((one_large, two_small) != (1944, 1800), "The two numbers are the wrong way round.")
    need(one_large not in LARGE, LARGE.get(one_large, ""))
    need(one_large == 1800, "The first number is not right: filters × depth × height × width.")
    need(two_small not in SMALL, SMALL.get(two_small, ""))
    need(two_small == 1944, "The second number is not right. Count each small layer by itself.")


@check
def layer(layer: nn.Conv2d) -> None:
    """Check exercise 3: a convolution from (4, 3, 32, 32) to (4, 8, 16, 16).

    Args:
        layer: The convolution, with a kernel of 5×5.
    """
    need(not isinstance(layer, type), "That is the plan. Make a layer from it: nn.Conv2d(…).")
    need(not torch.is_tensor(layer), "That is what a layer returns. Hand over the layer itself.")
    need(isinstance(layer, nn.Conv2d), f"That is a {type(layer).__name__}, not a Conv2d.")
    need(layer.in_channels == 3, f"Your layer takes {layer.in_channels} channels, not 3.")
    need(layer.out_channels == 8, f"Your layer puts out {layer.out_channels} channels, not 8.")
    size = "×".join(str(length) for length in layer.kernel_size)
    need(layer.kernel_size == (5, 5), f"Your kernel is {size}, not 5×5.")
    height, width = layer(torch.zeros(4, 3, 32, 32)).shape[2:]
    reason = {
        (32, 32): "The size has stayed. Which argument makes the window take larger steps?",
        (28, 28): "Which argument makes the window take larger steps?",
        (14, 14): "Half is right, but the border is lost before. Which argument adds pixels there?",
        (15, 15): "Nearly: the border needs more pixels than that.",
    }.get((height, width), "It should be 16×16.")
    need((height, width) == (16, 16), f"The output is {height}×{width}. {reason}")


HINTS = {  # for what PyTorch says of a `forward`
    "shapes cannot be multiplied": "A linear layer gets a last axis of another length than it was "
    "made for. Is there a flatten, with start_dim=1, and is each convolution pooled?",
    "channels": "A convolution gets another number of channels than it was made for. Do they come "
    "in the right order?",
}
NO_LAYERS = "Your class has no layers yet. Make them in `__init__`, as attributes of `self`."


def _check_nothing_lost(network: nn.Module) -> None:
    """Look for layers and weights where `nn.Module` does not."""
    for name, value in vars(network).items():
        if name.startswith("_"):
            continue
        inside = list(value.values()) if isinstance(value, dict) else value
        if isinstance(inside, (list, tuple)) and any(isinstance(x, nn.Module) for x in inside):
            kind = type(value).__name__
            raise NotYet(f"`self.{name}` is a {kind}, and nn.Module does not look inside a {kind}.")
        need(
            not torch.is_tensor(value),
            f"`self.{name}` is a plain tensor, and training would not find it. Make a layer.",
        )
    need(any(True for _ in network.parameters()), NO_LAYERS)


@check
def registered(kind: type[Any]) -> None:
    """Check exercise 4: no layer is lost, and the network still computes the same.

    Args:
        kind: The class: 784 → 60 → 10, with ReLU between.
    """
    network = made(kind)
    need(  # as it was given: what is wrong with it is the question
        not isinstance(vars(network).get("layers"), dict),
        "Your network finds 0 parameters, so training has nothing to change. What did `self` get?",
    )
    _check_nothing_lost(network)
    count = sum(p.numel() for p in network.parameters())
    need(
        count == 47_710,
        f"Your network finds {count:,} parameters. Two linear layers, 784 → 60 → 10, have 47,710.",
    )
    (hidden, out) = _by_shape(network, [(60, 784), (10, 60)])
    images = _noise(3)
    flat = torch.flatten(images, start_dim=1)
    wanted = out(F.relu(hidden(flat)))
    mistakes = {"The ReLU between the layers is lost.": out(hidden(flat))}
    _compare(output_of(network, images, HINTS), wanted, mistakes)


def _noise(count: int) -> Tensor:
    return torch.randn(count, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def _by_shape(network: nn.Module, shapes: list[tuple[int, ...]]) -> list[Any]:
    """Return the layers in the order of their weights' shapes, all different."""
    found = {tuple(part.weight.shape): part for part in _layers(network)}
    for shape in shapes:
        need(shape in found, f"No layer has a weight of the shape {shape}. Yours: {list(found)}.")
    return [found[shape] for shape in shapes]


def _layers(network: nn.Module) -> list[Any]:
    return [part for part in network.modules() if isinstance(part, (nn.Conv2d, nn.Linear))]


def _compare(scores: Tensor, wanted: Tensor, mistakes: dict[str, Tensor]) -> None:
    """Compare scores with the right ones, and with what typical mistakes make."""
    need(
        scores.shape == wanted.shape,
        f"{len(wanted)} pictures should get scores of the shape {tuple(wanted.shape)}; yours have "
        f"{tuple(scores.shape)}.",
    )
    softmaxed = {
        "The scores should stay as they are: leave the softmax out.": wanted.softmax(dim=1),
        "The last layer has no ReLU: scores may be negative.": F.relu(wanted),
    }
    for hint, mistaken in (softmaxed | mistakes).items():
        need(not torch.allclose(scores, mistaken, atol=1e-6), hint)
    need(torch.allclose(scores, wanted, atol=1e-5), "`forward` takes another way than the recipe.")


WRONG_SHAPES = {  # of weights; what each says
    (6, 1, 5, 5): "The first convolution still has 6 filters.",
    (12, 6, 5, 5): "The second convolution still has 6 channels in and 12 filters.",
    (12, 8, 5, 5): "The second convolution still has 12 filters.",
    (20, 6, 5, 5): "The second convolution takes 6 channels; the first one now hands it 8.",
    (20, 1, 5, 5): "The second convolution takes 1 channel; the first one hands it 8.",
    (120, 192): "The first linear layer still takes 12·4·4 numbers. How many maps are flattened?",
    (120, 20): "The first linear layer takes one number for each map. How large is a map?",
    (10, 60): "The last layer still gives ten scores.",
}
WANTED = [(8, 1, 5, 5), (20, 8, 5, 5), (120, 320), (60, 120), (5, 60)]


@check
def other_numbers(kind: type[Any]) -> None:
    """Check exercise 5: the recipe with 8 and 20 filters, for five classes.

    Args:
        kind: The class; its networks take (N, 1, 28, 28) and return (N, 5).
    """
    network = made(kind)
    _check_nothing_lost(network)
    _check_recipe(network, WANTED, _noise(3))


def _check_recipe(network: nn.Module, shapes: list[tuple[int, ...]], images: Tensor) -> Tensor:
    """Check layers and `forward` of a network of the recipe; return its scores (N, classes)."""
    for part in _layers(network):
        shape = tuple(part.weight.shape)
        need(shape in shapes or shape not in WRONG_SHAPES, WRONG_SHAPES.get(shape, ""))
        need(part.bias is not None, f"{part} has lost its bias.")
    layers = _by_shape(network, shapes)
    need(len(_layers(network)) == len(shapes), "Your network has more than five layers.")
    wanted = _recipe(layers, images)
    mistakes = {
        "A ReLU between the linear layers is missing.": _recipe(layers, images, hidden=_same),
        "The ReLUs after the convolutions are missing.": _recipe(layers, images, early=_same),
        "All ReLUs are missing.": _recipe(layers, images, early=_same, hidden=_same),
        "Keep the largest number of each window, not the mean.": _recipe(
            layers, images, pool=F.avg_pool2d
        ),
    }
    _compare(output_of(network, images, HINTS), wanted, mistakes)
    return wanted


def _same(values: Tensor) -> Tensor:
    return values


def _recipe(
    layers: list[Any],
    images: Tensor,
    early: Callable[[Tensor], Tensor] = F.relu,
    hidden: Callable[[Tensor], Tensor] = F.relu,
    pool: Callable[..., Tensor] = F.max_pool2d,
) -> Tensor:
    """Run the recipe, with other functions after the convolutions or the linear layers."""
    conv1, conv2, fc1, fc2, out = layers
    maps = pool(early(conv2(pool(early(conv1(images)), 2))), 2)
    scores: Tensor = out(hidden(fc2(hidden(fc1(torch.flatten(maps, start_dim=1))))))
    return scores


NARROW = [(6, 1, 5, 5), (12, 6, 5, 5), (120, 192), (60, 120), (10, 60)]


@check
def whole(images: Tensor, network: nn.Module, scores: Tensor, figure: Figure) -> None:
    """Check exercise 6: a batch, the network, its scores and its first maps.

    Args:
        images: A training batch, normalised, (100, 1, 28, 28).
        network: This chapter's network, of the learner's own class.
        scores: What it makes of the batch, (100, 10).
        figure: The six maps that the first convolution makes of the first picture, with titles.
    """
    _check_images(images)
    need(not isinstance(network, type), "`network` is the class. Make an object of it.")
    need(
        isinstance(network, nn.Module),
        f"`network` is a {type(network).__name__}. Its class should extend nn.Module.",
    )
    need(not type(network).__module__.startswith("lenet."), "Write the class yourself.")
    _check_nothing_lost(network)
    with torch.no_grad():
        wanted = _check_recipe(network, NARROW, images)
    need(torch.is_tensor(scores), f"`scores` is a {type(scores).__name__}, not a tensor.")
    need(scores.shape == wanted.shape, f"`scores` has the shape {tuple(scores.shape)}.")
    need(
        torch.allclose(scores.detach(), wanted, atol=1e-5),
        "`scores` is not what `network` makes of `images`. Were they made by another network, or "
        "from another batch?",
    )
    _check_figure(figure, images[0], _by_shape(network, NARROW)[0])


def _check_images(images: Tensor) -> None:
    need(
        not isinstance(images, (tuple, list)),
        "`images` is the whole batch, images and labels. Unpack it.",
    )
    need(torch.is_tensor(images), f"`images` is a {type(images).__name__}, not a tensor.")
    shape = tuple(images.shape)
    need(shape == (100, 1, 28, 28), f"`images` has the shape {shape}, not (100, 1, 28, 28).")
    need(bool(images.min() < 0), "`images` is not normalised: no value is below zero.")


def _check_figure(figure: Figure, image: Tensor, conv1: nn.Conv2d) -> None:
    drawn = images_in(figure, 6, "maps")
    shown = [torch.tensor(axes.images[0].get_array()) for axes in drawn]
    sizes = {tuple(values.shape) for values in shown}
    need(sizes != {(5, 5)}, "The figure shows the filters. Show the maps that they make.")
    need(sizes != {(28, 28)}, "The figure shows pictures. Show what the first convolution makes.")
    need(sizes != {(12, 12)}, "The figure shows the maps after pooling.")
    need(sizes == {(24, 24)}, f"A map has 24×24 numbers; yours have the shapes {sizes}.")
    maps = conv1(image[None])[0].detach()
    pairs = list(zip(shown, maps, strict=True))
    same = all(torch.allclose(mine, wanted.to(mine.dtype), atol=1e-4) for mine, wanted in pairs)
    after = all(torch.equal(mine, F.relu(wanted).to(mine.dtype)) for mine, wanted in pairs)
    need(same or after, "These are not the six maps, in order, of the first picture of `images`.")
