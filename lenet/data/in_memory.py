"""What every source of images opens: pictures in memory, used as torchvision's data sets are.

They stand beside torchvision's own classes, which take seconds to import.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

if TYPE_CHECKING:
    from torchvision.datasets import VisionDataset

Transform = Callable[[Any], Any]


class DataError(ValueError):
    """The data asked for cannot be used; the message says why and what to do."""


class InMemoryDataset(Dataset[tuple[Any, int]]):
    """Pictures of one size and their classes; each is a PIL image when it is accessed.

    Attributes:
        origin: In words, where the pictures come from.
        data: uint8 (N, H, W) for grey, (N, H, W, 3) for colour; an array or a tensor.
        targets: The class number of each picture.
        classes: The names of the classes.
        class_to_idx: Class number by name.
        transform: Applied to each PIL image, if given.
        files: The file of each picture, where each has one.
    """

    def __init__(
        self,
        origin: str,
        data: np.ndarray | Tensor,
        targets: Sequence[int] | Tensor,
        classes: Sequence[str],
        transform: Transform | None = None,
        files: Sequence[Path] = (),
    ) -> None:
        self.origin, self.data, self.targets = origin, data, targets
        self.classes, self.transform, self.files = list(classes), transform, files
        self.class_to_idx = {name: number for number, name in enumerate(classes)}

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """Return a picture, transformed if a transform was given, and its class number."""
        picture = Image.fromarray(np.asarray(self.data[index]))
        return self.transform(picture) if self.transform else picture, int(self.targets[index])

    def __repr__(self) -> str:
        return f"{len(self):,} pictures of {len(self.classes)} classes: {self.origin}"


OpenedDataset: TypeAlias = "VisionDataset | InMemoryDataset"
