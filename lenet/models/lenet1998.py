"""What the network of 1998 had and PyTorch has no name for.

Source of everything here: LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning
applied to document recognition", sections II.B (layers), II.C (losses) and appendix A (squashing
and initial weights). `lenet.models.LeNet5_1998` puts the parts together.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BACKGROUND, INK = -0.1, 1.175  # what the paper's network sees of an empty and of a full pixel
PIXEL_MEAN = (-BACKGROUND / (INK - BACKGROUND),)  # `normalise` with these two turns 0 into -0.1
PIXEL_STD = (1 / (INK - BACKGROUND),)  # and 255 into 1.175

AMPLITUDE, SLOPE = 1.7159, 2 / 3  # A and S of the squashing function: f(1) = 1 and f(-1) = -1

# Table I: which of the six maps of S2 (digits) each of the sixteen maps of C3 looks at.
C3_INPUTS = (
    *("012", "123", "234", "345", "045", "015"),
    *("0123", "1234", "2345", "0345", "0145", "0125"),
    *("0134", "1245", "0235"),
    "012345",
)

# A stylised image of each digit on 7×12 pixels, drawn in the manner of the paper's figure 3.
_DRAWINGS = """
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
..###.. ...#... .#####. .#####. .....#. ####### ..####. ####### .#####. .#####.
.#...#. ..##... #.....# #.....# ....##. #...... .#..... ......# #.....# #.....#
#.....# .#.#... ......# ......# ...#.#. #...... #...... .....#. #.....# #.....#
#.....# ...#... .....#. ......# ..#..#. ######. #...... .....#. #.....# #.....#
#.....# ...#... ...##.. ..####. .#...#. ......# ######. ....#.. .#####. .######
#.....# ...#... ..#.... ......# ####### ......# #.....# ....#.. #.....# ......#
#.....# ...#... .#..... ......# .....#. ......# #.....# ...#... #.....# ......#
.#...#. ...#... #...... #.....# .....#. #.....# #.....# ...#... #.....# .....#.
..###.. .#####. ####### .#####. .....#. .#####. .#####. ...#... .#####. .####..
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""


def class_bitmaps() -> Tensor:
    """Return the drawing of each digit, float32 (10, 12, 7): 1 for ink, -1 for paper."""
    rows = [line.split() for line in _DRAWINGS.split("\n") if line]
    drawings = zip(*rows, strict=True)  # one digit after the other
    return torch.tensor([[[1.0 if p == "#" else -1.0 for p in row] for row in d] for d in drawings])


def connection_table() -> Tensor:
    """Return Table I, bool (16, 6): whether a map of C3 (row) looks at a map of S2 (column)."""
    return torch.tensor([[str(i) in inputs for i in range(6)] for inputs in C3_INPUTS])


def squash(sums: Tensor) -> Tensor:
    """Apply the paper's squashing function f(a) = A tanh(Sa), elementwise."""
    return AMPLITUDE * torch.tanh(SLOPE * sums)


def draw_uniformly(weights: Tensor, fan_in: float | Tensor) -> None:
    """Fill weights in place with random numbers between -2.4 and 2.4, divided by the fan-in.

    Args:
        weights: Any shape.
        fan_in: Number of inputs of the unit; a tensor if it differs among the units.
    """
    with torch.no_grad():
        weights.uniform_(-2.4, 2.4).div_(fan_in)


class Subsampling(nn.Module):
    """Adds up each 2×2 square of a map, times one trainable coefficient per map, plus one bias."""

    def __init__(self, num_maps: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(num_maps, 1, 1))
        self.bias = nn.Parameter(torch.empty(num_maps, 1, 1))
        for parameter in self.parameters():
            draw_uniformly(parameter, fan_in=4)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, H/2, W/2)."""
        sums = F.avg_pool2d(maps, kernel_size=2, divisor_override=1)
        return sums * self.coefficient + self.bias


class SparseConv2d(nn.Module):
    """A convolution in which each map looks only at the maps that a table names.

    Only the kernels that exist are parameters. For the sum they are put in their places among
    kernels of zeros.

    Args:
        table: bool (out_channels, in_channels): whether there is a kernel.
        kernel_size: Height and width of the kernels.
    """

    places: Tensor  # bool (out_channels, in_channels, kernel_size, kernel_size)

    def __init__(self, table: Tensor, kernel_size: int) -> None:
        super().__init__()
        self.kernels = nn.Parameter(torch.empty(int(table.sum()), kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.empty(len(table)))
        places = table[:, :, None, None].expand(-1, -1, kernel_size, kernel_size)
        self.register_buffer("places", places.contiguous(), persistent=False)
        fan_in = table.sum(dim=1) * kernel_size**2
        draw_uniformly(self.bias, fan_in)
        draw_uniformly(self.kernels, fan_in.repeat_interleave(table.sum(dim=1))[:, None, None])

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H - k + 1, W - k + 1)."""
        weight = torch.zeros_like(self.places, dtype=self.kernels.dtype)
        return F.conv2d(maps, weight.masked_scatter(self.places, self.kernels), self.bias)


class EuclideanRBF(nn.Module):
    """One unit per class: the squared distance between its input and its fixed vector (eq. 7).

    Args:
        centres: float (classes, features).
    """

    centres: Tensor

    def __init__(self, centres: Tensor) -> None:
        super().__init__()
        self.register_buffer("centres", centres, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, F) to squared distances (N, classes)."""
        return (x[:, None, :] - self.centres).square().sum(dim=2)


def mean_squared_error(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the paper's first loss (eq. 8): the mean distance to the right class's vector.

    Args:
        logits: Negative squared distances (N, classes), as `lenet.models.LeNet5_1998` gives them.
        labels: int64 (N,).
    """
    return F.nll_loss(logits, labels)


def discriminative_loss(logits: Tensor, labels: Tensor, j: float = 10.0) -> Tensor:
    """Compute the paper's second loss (eq. 9), which also pushes the wrong classes away.

    With distances y and the right class D it is the mean of y_D + log(exp(-j) + Σ exp(-y_i)): the
    cross-entropy of the negative distances and of one more class, "none of these", at distance j.

    Args:
        logits: Negative squared distances (N, classes), as `lenet.models.LeNet5_1998` gives them.
        labels: int64 (N,).
        j: A positive distance; wrong classes that are further away are hardly pushed any more. The
            paper gives no value.
    """
    none_of_these = logits.new_full((len(logits), 1), -j)
    return F.cross_entropy(torch.cat([logits, none_of_these], dim=1), labels)


class LeNet5_1998(nn.Module):  # noqa: N801  (a year is no second word)
    """LeNet-5 as LeCun et al. (1998) describe it.

    Subsampling has trainable weights, C3 does not see all of S2, every sum is squashed, and the
    output compares F6 with a fixed 7×12 drawing of each digit. It has 60,000 trainable parameters.
    The paper trained it with a second-order method of its own; here any optimizer may.
    """

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, kernel_size=5)
        self.s2 = Subsampling(6)
        self.c3 = SparseConv2d(connection_table(), kernel_size=5)
        self.s4 = Subsampling(16)
        self.c5 = nn.Conv2d(16, 120, kernel_size=5)
        self.f6 = nn.Linear(120, 84)
        self.output = EuclideanRBF(class_bitmaps().flatten(start_dim=1))
        for layer in (self.c1, self.c5, self.f6):
            for parameter in layer.parameters():
                draw_uniformly(parameter, fan_in=layer.weight[0].numel())

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 1, 32, 32), about -0.1 to 1.175, to negative distances (N, 10)."""
        x = squash(self.c1(x))  # (N, 6, 28, 28)
        x = squash(self.s2(x))  # (N, 6, 14, 14)
        x = squash(self.c3(x))  # (N, 16, 10, 10)
        x = squash(self.s4(x))  # (N, 16, 5, 5)
        x = squash(self.c5(x))  # (N, 120, 1, 1)
        x = torch.flatten(x, start_dim=1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return -self.output(x)  # (N, 10)
