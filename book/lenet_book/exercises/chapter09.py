"""Chapter 9: connections, a suspicious accuracy, an order, LeNet-5 as convolutions and half old."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenet.models import LeNet5
from lenet.models.lenet1998 import squash
from lenet_book.exercises import check, need
from lenet_book.exercises.shared import made, output_of

NO_RETURN = "Your function returns nothing. Is there a return?"


def _whole(number: object, which: str) -> None:
    whole = isinstance(number, int) and not isinstance(number, bool)
    need(whole, f"{which}: {number!r} is no whole number.")


WEIGHTS = {
    54: "Weights: the biases are missing, one for each kernel.",
    156: "Weights: that is C1 with its 5×5 kernels.",
    10: "Weights: that is one kernel and its bias. How many kernels has C1?",
    9: "Weights: that is one kernel. How many has C1, and what comes with each?",
    150: "Weights: the kernels are 3×3 now, and each has a bias.",
    55: "Weights: each of the six kernels has a bias of its own.",
}
CONNECTIONS = {
    60: "The weights are right. Connections are not shared: count them for every unit.",
    48_600: "The weights are right. A unit also has a connection for its bias.",
    47_040: "The weights are right. 28 places along a side is the number for 5×5 kernels.",
    61_440: "The weights are right. Without padding, how often does the kernel fit along a side?",
    9_000: "The weights are right. Those are the connections of one map.",
    5_400: "The weights are right. Those are the units. How many connections has each?",
    900: "The weights are right. Those are the units of one map.",
    122_304: "The weights are right. That is the number for 5×5 kernels.",
    324_000: "The weights are right. Each unit belongs to one map, and has one kernel.",
}


@check
def connections(num_weights: int, num_connections: int) -> None:
    """Check exercise 1: C1 with six kernels of 3×3 on 32×32 pixels.

    Args:
        num_weights: Its weights and biases.
        num_connections: As the paper counts: for every unit its inputs and its bias.
    """
    _whole(num_weights, "Weights")
    _whole(num_connections, "Connections")
    layer = nn.Conv2d(1, 6, kernel_size=3)
    need(num_weights not in WEIGHTS, WEIGHTS.get(num_weights, ""))
    wanted = sum(parameter.numel() for parameter in layer.parameters())
    need(num_weights == wanted, "Weights: count one kernel, add its bias, then all kernels.")
    need(num_connections not in CONNECTIONS, CONNECTIONS.get(num_connections, ""))
    num_units = layer(torch.zeros(1, 1, 32, 32)).numel()
    right = num_connections == num_units * (9 + 1)
    need(right, "The weights are right. Count the units first, then the connections of one.")


def _fits(number: int, of: int, which: str) -> None:
    """Ask for the number of right answers that rounds to 99.567 %."""
    _whole(number, which)
    need(number not in (9_956, 9_957), f"{which}: that is out of 10,000 images.")
    need(number > of / 2, f"{which}: the number of *right* answers is asked, out of {of:,}.")
    need(number <= of, f"{which}: there are only {of:,} answers.")
    share = f"{number / of:.3%}"
    need(share == "99.567%", f"{which}: {number:,} of {of:,} are {share}.")


@check
def suspicious(one_test: bool, training_images: int, three_together: int) -> None:
    """Check exercise 2: what 99.567 % can be.

    Args:
        one_test: Whether it can be one network on 10,000 images.
        training_images: The right answers out of 60,000.
        three_together: The right answers of three networks out of 10,000 each.
    """
    need(isinstance(one_test, bool), f"{one_test!r} is neither True nor False.")
    need(not one_test, "One of 10,000 images is 0.01 %. How many decimals can the accuracy have?")
    _fits(training_images, 60_000, "Training images")
    _fits(three_together, 30_000, "Three together")


@check
def pooling_order(numbers: Sequence[float]) -> None:
    """Check exercise 3: ReLU and average pooling in two orders.

    Args:
        numbers: The four numbers of a 2×2 square.
    """
    values = torch.as_tensor(numbers).float()
    need(values.numel() == 4, f"Give four numbers; yours are {values.numel()}.")
    need(bool((values > 0).any()), "No number is above 0, so ReLU gives 0 in both orders.")
    need(bool((values < 0).any()), "No number is below 0: ReLU changes nothing in either order.")
    before, after = values.relu().mean().item(), values.mean().relu().item()
    need(after == 0, f"ReLU after pooling gives {after:g}, because the average is above 0.")
    divided = values.relu().sum().item() != 2
    need(divided, "The positive numbers add up to 2. What does the average do with their sum?")
    need(before == 2, f"ReLU after pooling gives 0. ReLU before pooling gives {before:g}, not 2.")


HEADS = {  # for what PyTorch says of the sequence
    "greater than actual input size": "A kernel of a head is larger than the map, which is one "
    "row high. Which kernel sees one place only?",
    "but got": "Two neighbours do not fit: {error}",
}


Steps = tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]


def _heads(network: LeNet5, x: Tensor, steps: Steps) -> Tensor:
    """Run a LeNet-5 at every place, with functions behind C5, F6 and the output."""
    x = network.pool1(F.relu(network.conv1(x)))
    x = steps[0](network.conv3(network.pool2(F.relu(network.conv2(x)))))
    x = steps[1](network.fc1(x.movedim(1, -1)))
    return steps[2](network.fc2(x)).movedim(-1, 1)


def _same(scores: Tensor) -> Tensor:
    return scores


@check
def convolutional(function: Callable[[LeNet5], nn.Sequential]) -> None:
    """Check exercise 4: a `LeNet5` as convolutions, ReLUs and poolings only.

    Args:
        function: Takes the network, returns a sequence that maps (N, 1, 28, 60) to (N, 10, 1, 9).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = LeNet5()
    result = function(network)
    need(result is not None, NO_RETURN)
    need(not isinstance(result, list), "You return a list. Put it into nn.Sequential(*…).")
    sequence = isinstance(result, nn.Sequential)
    need(sequence, f"You return a {type(result).__name__}, not an nn.Sequential.")
    for layer in result.modules():
        name = type(layer).__name__
        need(not isinstance(layer, nn.Flatten), "A flatten lays all places out in one row.")
        allowed = isinstance(layer, (nn.Sequential, nn.Conv2d, nn.ReLU, nn.MaxPool2d))
        need(allowed, f"There is a {name} in it. Convolutions, ReLUs and poolings are enough.")
    images = torch.randn(2, 1, 28, 60, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        scores = output_of(result, images, HEADS)
        _check_heads(scores, network, images)


def _check_heads(scores: Tensor, network: LeNet5, images: Tensor) -> None:
    shape = tuple(scores.shape)
    need(shape == (2, 10, 1, 9), f"Two pictures should get (2, 10, 1, 9); yours are {shape}.")
    mistakes: dict[str, Steps] = {
        "The ReLU behind C5 is missing.": (_same, F.relu, _same),
        "The ReLU between the two heads is missing.": (F.relu, _same, _same),
        "Both ReLUs behind C5 and behind the first head are missing.": (_same, _same, _same),
        "The last head has no ReLU: scores may be negative.": (F.relu, F.relu, F.relu),
    }
    for hint, steps in mistakes.items():
        need(not torch.allclose(scores, _heads(network, images, steps), atol=1e-5), hint)
    wanted = _heads(network, images, (F.relu, F.relu, _same))
    hint = "The shapes are right, the scores are not. Do weights *and biases* come along?"
    need(torch.allclose(scores, wanted, atol=1e-4), hint)


SHAPES: dict[str, list[tuple[int, ...]]] = {
    "C1": [(6, 1, 5, 5)],
    "C3": [(16, 6, 5, 5)],
    "C5": [(120, 16, 5, 5), (120, 400)],
    "F6": [(84, 120)],
    "the output": [(10, 84)],
}
OF_SUBSAMPLING = {
    0: "S2 and S4 have no parameters. A number that should be learned is an `nn.Parameter`, or "
    "part of a layer.",
    22: "S2 and S4 have one parameter for each map. Each map has a weight *and* a bias.",
    4: "S2 and S4 have two parameters each. Each *map* has a weight and a bias of its own.",
    12: "Only S2 has parameters. S4 has its own, for sixteen maps.",
    32: "Only S4 has parameters. S2 has its own, for six maps.",
    24: "S4 has 16 maps and so 16 weights and 16 biases. Do S2 and S4 share their parameters?",
}


@dataclass(frozen=True)
class _Way:
    """How a half old LeNet-5 runs: right by default, or with a mistake.

    Attributes:
        squash: What is done to the sums of C1, C3 and C5.
        pooled: What is done behind S2 and S4.
        last: What is done to F6.
        scores: What is done to the output.
        neighbours: By what the average of four is multiplied: 4 makes their sum.
    """

    squash: Callable[[Tensor], Tensor] = squash
    pooled: Callable[[Tensor], Tensor] = squash
    last: Callable[[Tensor], Tensor] = squash
    scores: Callable[[Tensor], Tensor] = _same
    neighbours: float = 4.0

    def __call__(self, layers: list[Any], own: list[Tensor], x: Tensor) -> Tensor:
        """Run the layers; `own` are weight and bias of S2, then of S4."""
        c1, c3, c5, f6, output = layers
        x = self._subsample(self.squash(c1(x)), *own[:2])
        x = self._subsample(self.squash(c3(x)), *own[2:])
        x = x if isinstance(c5, nn.Conv2d) else x.flatten(start_dim=1)
        x = self.squash(c5(x)).flatten(start_dim=1)
        return self.scores(output(self.last(f6(x))))

    def _subsample(self, maps: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        sums = self.neighbours * F.avg_pool2d(maps, kernel_size=2)
        return self.pooled(weight.reshape(-1, 1, 1) * sums + bias.reshape(-1, 1, 1))


def _all(function: Callable[[Tensor], Tensor]) -> _Way:
    return _Way(function, function, function)


MISTAKES = {
    "The four neighbours are averaged. The paper adds them up.": _Way(neighbours=1.0),
    "Nothing is squashed behind S2 and S4.": _Way(pooled=_same),
    "C1, C3 and C5 are not squashed.": _Way(squash=_same),
    "F6 is not squashed.": _Way(last=_same),
    "This is a plain tanh. Which two constants has the paper's?": _all(torch.tanh),
    "This is a ReLU. The paper squashes by a scaled tanh.": _all(F.relu),
    "Of the two constants only the outer one is there.": _all(lambda a: 1.7159 * torch.tanh(a)),
    "Of the two constants only the inner one is there.": _all(lambda a: torch.tanh(2 / 3 * a)),
    "The scores of a linear output are not squashed.": _Way(scores=squash),
    "Leave the softmax out: the loss contains it.": _Way(scores=lambda s: s.softmax(dim=1)),
}


@check
def half_old(kind: type[Any]) -> None:
    """Check exercise 5: LeNet-5 with a C3 and an output of today, and the rest of 1998.

    Args:
        kind: The class; `kind()` takes images (N, 1, 32, 32) and returns scores (N, 10).
    """
    has_init = not isinstance(kind, type) or kind.__init__ is not nn.Module.__init__
    need(has_init, "Your class has no `__init__` yet, which makes the layers.")
    network = made(kind)
    layers = [_layer(network, name) for name in SHAPES]
    known = {id(parameter) for layer in layers for parameter in layer.parameters()}
    own = [parameter for parameter in network.parameters() if id(parameter) not in known]
    count = sum(parameter.numel() for parameter in own)
    hint = f"S2 and S4 have {count} parameters together, not 44."
    need(count == 44, OF_SUBSAMPLING.get(count, hint))
    four = [p.numel() for p in own] == [6, 6, 16, 16]
    need(four, "Make S2 before S4, each with one tensor of weights and one of biases.")
    images = torch.randn(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in own:  # a weight of 1 or a bias of 0 would hide mistakes
            parameter.copy_(torch.linspace(0.3, 0.6, parameter.numel()).reshape(parameter.shape))
        _check_half_old(output_of(network, images, {}), layers, own, images)


def _layer(network: nn.Module, name: str) -> Any:  # noqa: ANN401 (a layer of the learner's)
    kinds = (nn.Conv2d, nn.Linear)
    layers = [part for part in network.modules() if isinstance(part, kinds)]
    found = [layer for layer in layers if tuple(layer.weight.shape) in SHAPES[name]]
    have = [tuple(layer.weight.shape) for layer in layers]
    hint = f"No layer has the weight of {name}, {SHAPES[name][0]}. Yours have {have}."
    need(len(found) == 1, hint)
    need(found[0].bias is not None, f"{name} has no bias.")
    return found[0]


def _check_half_old(scores: Tensor, layers: list[Any], own: list[Tensor], images: Tensor) -> None:
    shape = tuple(scores.shape)
    need(shape == (3, 10), f"Three pictures should get scores (3, 10); yours are {shape}.")

    def is_made_by(way: _Way) -> bool:
        biases_first = [own[1], own[0], own[3], own[2]]
        orders = own, biases_first
        return any(torch.allclose(scores, way(layers, o, images), atol=1e-5) for o in orders)

    for hint, way in MISTAKES.items():
        need(not is_made_by(way), hint)
        need(not is_made_by(replace(way, neighbours=1.0)), hint)
    need(is_made_by(_Way()), "The layers are right, but `forward` takes another way through them.")
