"""Chapter 5: output sizes, what a number has seen, three faults, and a network for any size."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenet.models import CifarLeNet
from lenet.shapes import conv_output_size, pool_output_size
from lenet_book.exercises import check, need
from lenet_book.exercises.shared import made, output_of

HINTS = {  # for what PyTorch says of a `forward`
    "shapes cannot be multiplied": "The layers are right, but in `forward` they do not meet: "
    "{error}. What does the first number tell?",
}
NO_RETURN = "Your function returns nothing. Is there a return?"
FIRST_WIDTHS = {
    111: "The first is one too small: a kernel that makes 111 steps stops at how many places?",
    113: "The first is one too large. Half a step is dropped, not rounded up.",
    111.5: "The first: 111.5 is the number of steps. Drop the half, and count the start.",
    112.5: "The first is no whole number. Drop the half of the step that does not fit.",
    109: "The first: without any padding it would be that. The padding is 3.",
    110: "The first: the padding of 3 is added on both sides.",
    115: "The first: the kernel is 7 pixels wide. Subtract them before you divide.",
    224: "The first: the padding would keep the size, but the stride is 2.",
    223: "The first: the distance is 223 pixels. How many steps of 2 are these?",
    218: "The first: the padding is 3 and the stride is 2.",
}
SECOND_WIDTHS = {
    55: "The second is one too small: count the place where the window begins.",
    57: "The second is one too large. Half a step is dropped, not rounded up.",
    55.5: "The second: 55.5 is the number of steps. Drop the half, and count the start.",
    56.5: "The second is no whole number. Drop the half of the step that does not fit.",
    37: "The second: the stride is given, it is not the kernel size.",
    38: "The second: the stride is given, it is not the kernel size.",
    112: "The second: this pooling has a stride of 2.",
}


@check
def two_widths(conv_width: float, pool_width: float) -> None:
    """Check exercise 1: widths of 224 pixels after a convolution and a pooling.

    Args:
        conv_width: After the convolution: kernel 7, stride 2, padding 3.
        pool_width: After the pooling: kernel 3, stride 2, padding 1.
    """
    for answer in (conv_width, pool_width):
        need(isinstance(answer, (int, float)), f"{answer!r} is no number. Give one width.")
    need(conv_width not in FIRST_WIDTHS, FIRST_WIDTHS.get(conv_width, ""))
    first = conv_output_size(224, 7, stride=2, padding=3)
    need(conv_width == first, "The first is not right. Write down the distance: n + 2p − k.")
    need(pool_width not in SECOND_WIDTHS, SECOND_WIDTHS.get(pool_width, ""))
    second = pool_output_size(first, 3, stride=2, padding=1)
    need(pool_width == second, "The second is not right. It begins with your first number.")


FEATURES = {
    400: "That is in_features for 32×32 pixels. Walk again, from 64.",
    1600: "Four times as many pixels do not make four times as many features: the kernels take "
    "off the same four pixels each time. Walk again, from 64.",
    13: "That is the width of a map. How many numbers are 16 such maps?",
    169: "That is one map. The second convolution makes 16.",
    208: "16 maps of one row each? A map is as high as it is wide.",
    507: "The maps have 16 channels at the end, not the 3 of the photographs.",
    1014: "The last maps are those of the second convolution. How many are they?",
    10816: "The second pooling is missing.",
    4096: "The width is not 64/4: each convolution takes off four pixels first.",
    3136: "Half a pixel is dropped nowhere here: 60 is halved to 30, 26 to 13.",
}
COUNTS = {
    324_480: "The biases are missing in the second: one for each of the 120 outputs.",
    327_184: "The second has one bias too many for each input: a bias belongs to an output.",
    48_120: "The second is the number from before. The layer has more inputs now.",
    2_824: "In the second, add the biases last: first multiply inputs and outputs.",
    192_480: "Not four times 48,120. Count weights and biases of the larger layer.",
}


@check
def larger_photographs(in_features: int, num_parameters: int) -> None:
    """Check exercise 2: the first linear layer of `CifarLeNet` for 64×64 pixels.

    Args:
        in_features: The inputs that the layer needs.
        num_parameters: Its weights and biases.
    """
    for answer in (in_features, num_parameters):
        need(isinstance(answer, int), f"{answer!r} is no whole number.")
    need(in_features not in FEATURES, FEATURES.get(in_features, ""))
    network = CifarLeNet()
    pooled = network.pool2(network.conv2(network.pool1(network.conv1(torch.zeros(1, 3, 64, 64)))))
    wanted = pooled[0].numel()
    need(in_features == wanted, "The first is not right. Write down the width after each step.")
    need(num_parameters not in COUNTS, COUNTS.get(num_parameters, ""))
    need(num_parameters == 120 * (wanted + 1), "The second is not right: weights and biases.")


Layers = list[tuple[int, int]]
LENET: Layers = [(5, 1), (2, 2), (5, 1), (2, 2)]
STACKS: list[Layers] = [[(3, 1)], [(3, 1), (3, 1)], [(2, 2), (5, 1)], LENET, [(7, 2), (3, 2)]]


def _field(
    layers: Layers,
    reach: Callable[[int, int, int], int] = lambda k, j, s: (k - 1) * j,
    jump: Callable[[int, int], int] = lambda j, s: j * s,
) -> tuple[int, int]:
    """Return field and jump after layers, by the right rules or by wrong ones."""
    r, j = 1, 1
    for k, s in layers:
        r, j = r + reach(k, j, s), jump(j, s)
    return r, j


@check
def field(function: Callable[[Layers], int]) -> None:
    """Check exercise 3: the receptive field after a list of layers.

    Args:
        function: Takes pairs of kernel size and stride, returns the width in pixels.
    """
    answers = [function(list(layers)) for layers in STACKS]
    need(answers[0] is not None, NO_RETURN)
    need(
        not isinstance(answers[0], (tuple, list, dict)),
        f"You return a {type(answers[0]).__name__}. Return the width alone.",
    )
    mistakes = {
        "You return the jump. The width of the field is asked.": [_field(x)[1] for x in STACKS],
        "A kernel of k reaches k − 1 numbers further, not k.": [
            _field(x, lambda k, j, s: k * j)[0] for x in STACKS
        ],
        "The jump never grows. What does the stride do to it?": [
            _field(x, jump=lambda j, s: j)[0] for x in STACKS
        ],
        "A layer reaches further by the jump from before it. Change r first, then j.": [
            _field(x, lambda k, j, s: (k - 1) * j * s)[0] for x in STACKS
        ],
        "The stride multiplies the jump; you add it.": [
            _field(x, jump=lambda j, s: j + s)[0] for x in STACKS
        ],
        "The jump is that of the last layer alone. Strides multiply.": [
            _field(x, jump=lambda j, s: s)[0] for x in STACKS
        ],
        "A field begins with one pixel, not with none.": [_field(x)[0] - 1 for x in STACKS],
        "You return after the first layer. Is the return inside the loop?": [
            _field(x[:1])[0] for x in STACKS
        ],
    }
    for hint, mistaken in mistakes.items():
        need(answers != mistaken, hint)
    for layers, answer in zip(STACKS, answers, strict=True):
        wanted = _field(layers)[0]
        need(answer == wanted, f"After {layers} the field is {wanted} wide; you say {answer}.")


Shape = tuple[int, ...]
UNDAMAGED: dict[str, Shape] = {
    "conv1": (8, 1, 3, 3), "conv2": (16, 8, 3, 3), "fc1": (64, 400), "fc2": (10, 64)
}  # fmt: skip
"""The shapes of the weights in exercise 4."""

FAULTS: dict[tuple[str, Shape], str] = {
    ("conv2", (16, 6, 3, 3)): "`conv2` takes 6 channels. How many does `conv1` hand it?",
    ("conv2", (8, 6, 3, 3)): "`conv2` should still have 16 kernels.",
    ("fc1", (64, 784)): "`fc1` takes 16·7·7 numbers. Walk the width: 28 → 26 → …",
    ("fc1", (64, 576)): "`fc1` takes 16·6·6 numbers. What is half of 11, rounded down?",
    ("fc1", (64, 25)): "`fc1` takes one map. How many maps are flattened?",
    ("fc1", (64, 200)): "`fc1` takes 8 maps. How many does `conv2` make?",
    ("fc1", (60, 400)): "`fc1` and `fc2` can meet at 60 or at 64. Leave `fc1` at 64 outputs.",
    ("fc2", (10, 60)): "`fc2` takes 60 numbers. How many does `fc1` give?",
}


@check
def repaired(kind: type[Any]) -> None:
    """Check exercise 4: three faults of a network for (N, 1, 28, 28), ten scores.

    Args:
        kind: The class, with its `conv1` and its `forward` as they were.
    """
    network = made(kind)
    for name, wanted in UNDAMAGED.items():
        part = getattr(network, name, None)
        need(isinstance(part, nn.Module), f"Your network has no layer `{name}`.")
        shape = tuple(part.weight.shape) if part is not None else ()
        need(name != "conv1" or shape == wanted, "`conv1` should stay as it was.")
        need((name, shape) not in FAULTS, FAULTS.get((name, shape), ""))
        need(shape == wanted, f"The weight of `{name}` has the shape {shape}, not {wanted}.")
    layers = [getattr(network, name) for name in UNDAMAGED]
    images = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    _check_scores(output_of(network, images, HINTS), layers, images)


SIZES = [(1, 28, 10), (3, 32, 10), (2, 39, 5)]  # the last drops half a pixel twice


@check
def any_size(kind: type[Any]) -> None:
    """Check exercise 5: a LeNet that computes the inputs of its first linear layer.

    Args:
        kind: The class; `kind(channels, size, num_classes)` takes pictures (N, channels, size,
            size) and returns scores (N, num_classes).
    """
    has_init = not isinstance(kind, type) or kind.__init__ is not nn.Module.__init__
    need(has_init, "Your class has no `__init__` yet, which takes channels, size and num_classes.")
    for channels, size, num_classes in SIZES:
        network = made(kind, channels, size, num_classes)
        images = torch.randn(3, channels, size, size, generator=torch.Generator().manual_seed(0))
        layers = _layers(network, images)
        _check_layers(layers, channels, size, num_classes)
        _check_scores(output_of(network, images, HINTS), layers, images)


def _layers(network: nn.Module, images: Tensor) -> list[Any]:
    kinds = (nn.Conv2d, nn.Linear)
    layers = [part for part in network.modules() if isinstance(part, kinds)]
    lazy = any(isinstance(part, nn.LazyLinear) for part in layers)
    need(not lazy, "A lazy layer counts for you. Compute the number from `size`.")
    counts = [sum(isinstance(part, kind) for part in layers) for kind in kinds]
    need(
        counts == [2, 3],
        f"Your network has {counts[0]} convolutions and {counts[1]} linear layers, not two and "
        "three. Is each an attribute of `self`?",
    )
    return sorted(layers, key=lambda part: isinstance(part, nn.Linear))


def _check_layers(layers: list[Any], channels: int, size: int, num_classes: int) -> None:
    conv1, conv2, fc1, fc2, out = layers
    case = f"For {channels} channel(s), {size}×{size} and {num_classes} classes"
    given = conv1.in_channels
    need(given == channels, f"{case}, the first convolution takes {given} channel(s).")
    shapes = [tuple(part.weight.shape) for part in (conv1, conv2)]
    wanted = [(6, channels, 5, 5), (16, 6, 5, 5)]
    need(shapes == wanted, f"{case}, the convolutions have weights {shapes}, not {wanted}.")
    _check_features(fc1.in_features, size, case)
    outputs = [part.out_features for part in (fc1, fc2, out)]
    need(outputs[2] == num_classes, f"{case}, the network gives {outputs[2]} scores.")
    need(outputs[:2] == [120, 84], f"{case}, the linear layers give {outputs}.")


def _check_features(features: int, size: int, case: str) -> None:
    width = ((size - 4) // 2 - 4) // 2
    rounded_up = math.ceil((math.ceil((size - 4) / 2) - 4) / 2)
    mistakes = {
        width: "That is the width of a map, and it takes all numbers of all maps.",
        width**2: "That is one map. How many maps does the second convolution make?",
        16 * width: "A map is as high as it is wide.",
        6 * width**2: "How many maps does the *second* convolution make?",
        16 * rounded_up**2: "Half a pixel is dropped, not rounded up: use //.",
        16 * (size // 4) ** 2: "The convolutions take off pixels, too.",
        16 * ((size - 8) // 2) ** 2: "Is every pooling in your walk?",
        16 * ((size - 4) // 2 - 4) ** 2: "Is every pooling in your walk?",
        16 * (size - 8) ** 2: "The poolings are missing in your walk.",
        256: "That is right for pictures of 28 pixels. Compute it from `size`.",
        400: "That is right for pictures of 32 pixels. Compute it from `size`.",
    }
    hint = mistakes.get(features, "Write down the width after each step.")
    need(
        features == 16 * width**2,
        f"{case}, the first linear layer takes {features}. {hint}",
    )


def _recipe(
    layers: list[Any], images: Tensor, hidden: Callable[[Tensor], Tensor] = F.relu
) -> Tensor:
    """Run two rounds and the linear layers, with another function between those."""
    conv1, conv2, *linear, out = layers
    maps = F.max_pool2d(F.relu(conv1(images)), 2)
    t = torch.flatten(F.max_pool2d(F.relu(conv2(maps)), 2), start_dim=1)
    for layer in linear:
        t = hidden(layer(t))
    scores: Tensor = out(t)
    return scores


def _check_scores(scores: Tensor, layers: list[Any], images: Tensor) -> None:
    wanted = _recipe(layers, images)
    shape = tuple(scores.shape)
    need(
        shape == tuple(wanted.shape),
        f"{len(images)} pictures should get scores {tuple(wanted.shape)}; yours are {shape}.",
    )
    mistakes = {
        "The ReLU between the linear layers is missing.": _recipe(layers, images, lambda t: t),
        "The last layer has no ReLU: scores may be negative.": F.relu(wanted),
        "Leave the softmax out: the network returns scores.": wanted.softmax(dim=1),
    }
    for hint, mistaken in mistakes.items():
        need(not torch.allclose(scores, mistaken, atol=1e-6), hint)
    hint = "The layers are right, but `forward` takes another way through them."
    need(torch.allclose(scores, wanted, atol=1e-5), hint)
