"""The embedded data set: handwritten digits that come with scikit-learn.

They let everything run on a machine without a network, in the place and in the shape of a real
data set. The 1,797 images of 8×8 pixels with values from 0 to 16 were made by Alpaydin and Kaynak
(1998).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from lenet.data.in_memory import InMemoryDataset, Transform


def embedded_digits(
    train: bool, transform: Transform | None = None, *, coloured: bool = False
) -> InMemoryDataset:
    """Open the digits in MNIST's shape: 28×28, light on black.

    Every fifth image is a test image: the same split for ever, on every machine.

    Args:
        train: The images to learn from, or those to judge by.
        transform: Applied to each PIL image when it is accessed.
        coloured: In CIFAR-10's shape instead: 32×32, a light colour on a dark one.
    """
    from sklearn.datasets import load_digits  # takes a second to import

    bunch = load_digits()
    chosen = (torch.arange(len(bunch.target)) % 5 == 4) != train
    small = torch.from_numpy(bunch.images)[chosen, None].float()
    size = (32, 32) if coloured else (28, 28)
    large = F.interpolate(small, size=size, mode="bilinear", align_corners=False)
    ink = (large[:, 0] * (255 / 16)).round().clamp(0, 255).to(torch.uint8)
    return InMemoryDataset(
        "handwritten digits that come with scikit-learn",
        _colour(ink) if coloured else ink,
        torch.from_numpy(bunch.target)[chosen],
        [str(digit) for digit in range(10)],
        transform,
    )


def _colour(ink: Tensor) -> Tensor:
    """Blend grey images (N, H, W) from a dark ground to a light stroke: uint8 (N, H, W, 3)."""
    generator = torch.Generator().manual_seed(0)
    ground = torch.rand(len(ink), 1, 1, 3, generator=generator) * 110
    stroke = 145 + torch.rand(len(ink), 1, 1, 3, generator=generator) * 110
    share = ink[..., None] / 255
    return (ground + share * (stroke - ground)).round().to(torch.uint8)
