"""The embedded data set: handwritten digits that come with scikit-learn.

They let everything run on a machine without a network, in the place and in the shape of a real
data set. The 1,797 images of 8×8 pixels with values from 0 to 16 were made by Alpaydin and Kaynak
(1998).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.datasets import MNIST, VisionDataset

from lenet.data.in_memory import InMemoryDataset, Transform

ORIGIN = "scikit-learn"
CLASSES = [str(digit) for digit in range(10)]


class EmbeddedDigits(MNIST):
    """The digits in MNIST's place: 28×28, light on black."""

    classes = CLASSES

    def __init__(self, train: bool, transform: Transform | None = None) -> None:
        VisionDataset.__init__(self, ORIGIN, transform=transform)
        self.train = train
        self.data, self.targets = _digits(train, size=28)


def coloured_digits(train: bool, transform: Transform | None = None) -> InMemoryDataset:
    """Open the digits in CIFAR-10's place: 32×32, a light colour on a dark one."""
    ink, labels = _digits(train, size=32)
    return InMemoryDataset(ORIGIN, _colour(ink), labels, CLASSES, transform)


def _digits(train: bool, size: int) -> tuple[Tensor, Tensor]:
    """Return scikit-learn's digits as uint8 (N, size, size) and labels int64 (N,).

    Every fifth image is a test image: the same split for ever, on every machine.
    """
    from sklearn.datasets import load_digits  # takes a second

    bunch = load_digits()
    chosen = (torch.arange(len(bunch.target)) % 5 == 4) != train
    small = torch.from_numpy(bunch.images)[chosen, None].float()
    large = F.interpolate(small, size=(size, size), mode="bilinear", align_corners=False)
    images = (large[:, 0] * (255 / 16)).round().clamp(0, 255).to(torch.uint8)
    return images, torch.from_numpy(bunch.target)[chosen]


def _colour(ink: Tensor) -> Tensor:
    """Blend grey images (N, H, W) from a dark ground to a light stroke: uint8 (N, H, W, 3)."""
    generator = torch.Generator().manual_seed(0)
    ground = torch.rand(len(ink), 1, 1, 3, generator=generator) * 110
    stroke = 145 + torch.rand(len(ink), 1, 1, 3, generator=generator) * 110
    share = ink[..., None] / 255
    return (ground + share * (stroke - ground)).round().to(torch.uint8)
