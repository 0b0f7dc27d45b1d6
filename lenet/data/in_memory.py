"""Pictures in memory: what every source of images opens, and the digits that are always there.

The embedded digits come with scikit-learn. They let everything run on a machine without a network,
in the place and in the shape of a real data set. The 1,797 images of 8×8 pixels with values from 0
to 16 were made by Alpaydin and Kaynak (1998).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

Transform = Callable[[Any], Any]


class DataError(ValueError):
    """The data asked for cannot be used; the message says why and what to do."""


@dataclass(eq=False, repr=False)
class InMemoryDataset(Dataset[tuple[Any, int]]):
    """Pictures of one size and their classes; each is a PIL image when it is accessed.

    Attributes:
        origin: In words, where the pictures come from.
        data: uint8 (N, H, W) for grey, (N, H, W, 3) for colour.
        targets: The class number of each picture.
        classes: The names of the classes.
        transform: Applied to each PIL image, if given.
        files: The file of each picture, where each has one.
    """

    origin: str
    data: np.ndarray
    targets: Sequence[int] | np.ndarray
    classes: Sequence[str]
    transform: Transform | None = None
    files: Sequence[Path] = ()

    def __post_init__(self) -> None:
        self.classes = list(self.classes)

    @property
    def class_to_idx(self) -> dict[str, int]:
        """Class number by name."""
        return {name: number for number, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """Return a picture, transformed if a transform was given, and its class number."""
        picture = Image.fromarray(self.data[index])
        return self.transform(picture) if self.transform else picture, int(self.targets[index])

    def __repr__(self) -> str:
        return f"{len(self):,} pictures of {len(self.classes)} classes: {self.origin}"


def embedded_digits(train: bool, *, coloured: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return the embedded digits and their labels, int64 (N,).

    They take MNIST's place, light on black, uint8 (N, 28, 28), or CIFAR-10's, a light colour on a
    dark one, uint8 (N, 32, 32, 3). Every fifth image is a test image: the same split for ever, on
    every machine.
    """
    from sklearn.datasets import load_digits  # takes a second

    bunch, size = load_digits(), 32 if coloured else 28
    chosen = (torch.arange(len(bunch.target)) % 5 == 4) != train
    small = torch.from_numpy(bunch.images)[chosen, None].float()
    large = F.interpolate(small, size=(size, size), mode="bilinear", align_corners=False)
    ink = (large[:, 0] * (255 / 16)).round().clamp(0, 255).to(torch.uint8)
    return (_coloured(ink) if coloured else ink).numpy(), bunch.target[chosen.numpy()]


def _coloured(ink: Tensor) -> Tensor:
    """Blend grey images (N, H, W) from a dark ground to a light stroke: uint8 (N, H, W, 3)."""
    generator = torch.Generator().manual_seed(0)
    ground = torch.rand(len(ink), 1, 1, 3, generator=generator) * 110
    stroke = 145 + torch.rand(len(ink), 1, 1, 3, generator=generator) * 110
    share = ink[..., None] / 255
    return (ground + share * (stroke - ground)).round().to(torch.uint8)
