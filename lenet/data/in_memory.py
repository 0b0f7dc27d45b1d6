"""What every source of images opens: pictures in memory, used as torchvision's data sets are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
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
