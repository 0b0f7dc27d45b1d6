"""Random distortions of images: more to learn from, with the same labels.

Each is an `Augmentation` of `lenet.train`: it takes a batch and a source of randomness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from lenet import checks


@dataclass(frozen=True)
class RandomAffine:
    """Rotates, scales, squeezes, shears and shifts every image by amounts of its own.

    They are drawn uniformly, for factors on the logarithmic scale.

    Attributes:
        degrees: Largest rotation to either side.
        scale: Largest factor of enlarging, and of shrinking.
        shear: Largest sideways shift from the centre to the upper edge, in half heights.
        shift: Largest translation in each direction, in pixels.
        squeeze: Largest factor by which one axis is stretched and the other compressed.

    Raises:
        ValueError: A number makes no sense.
    """

    degrees: float = 10.0
    scale: float = 1.15
    shear: float = 0.2
    shift: float = 2.0
    squeeze: float = 1.0

    def __post_init__(self) -> None:
        for name in ("degrees", "shear", "shift"):
            checks.real_number(name, getattr(self, name), "from 0 on", lambda number: number >= 0)
        for name in ("scale", "squeeze"):
            checks.real_number(name, getattr(self, name), "above 0", lambda number: number > 0)

    def __call__(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Distort a batch.

        Args:
            images: float32 (N, C, H, W). What comes in from outside repeats the edge pixels,
                which are ground in MNIST and Fashion-MNIST.
            generator: Source of randomness on the CPU; by default PyTorch's global one.

        Returns:
            float32 (N, C, H, W).
        """
        checks.tensor("images", images, "NCHW", torch.float32)
        matrices = self._matrices(len(images), images.shape[-2:], generator).to(images.device)
        grid = F.affine_grid(matrices, list(images.shape), align_corners=False)
        return F.grid_sample(images, grid, padding_mode="border", align_corners=False)

    def _matrices(self, num: int, size: torch.Size, generator: torch.Generator | None) -> Tensor:
        """Draw float32 (N, 2, 3): where each output pixel looks, in coordinates from -1 to 1."""
        amounts = torch.rand(5, num, generator=generator) * 2 - 1
        angle = amounts[0] * math.radians(self.degrees)
        scale = self.scale ** amounts[1]
        shear = amounts[2] * self.shear
        cos, sin = angle.cos() / scale, angle.sin() / scale
        rows = [
            torch.stack([cos, shear * cos - sin, amounts[3] * self.shift * 2 / size[1]], dim=1),
            torch.stack([sin, shear * sin + cos, amounts[4] * self.shift * 2 / size[0]], dim=1),
        ]
        matrices = torch.stack(rows, dim=1)
        if self.squeeze != 1:
            squeeze = self.squeeze ** (torch.rand(num, generator=generator) * 2 - 1)
            matrices[:, :, :2] *= torch.stack([1 / squeeze, squeeze], dim=1)[:, :, None]
        return matrices


@dataclass(frozen=True)
class RandomCropFlip:
    """Shifts every image by whole pixels of its own, and mirrors half of them left to right.

    Padding all sides and cropping to the old size is the augmentation usual for CIFAR-10
    (Lee et al. 2015, He et al. 2016).

    Attributes:
        padding: Largest shift in each direction, in pixels.
        flip: Probability that an image is mirrored.

    Raises:
        ValueError: A number makes no sense.
    """

    padding: int = 4
    flip: float = 0.5

    def __post_init__(self) -> None:
        checks.whole_number("padding", self.padding)
        checks.real_number("flip", self.flip, "from 0 to 1", lambda share: 0 <= share <= 1)

    def __call__(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Distort a batch.

        Args:
            images: float32 (N, C, H, W). What comes in from outside is 0, the mean of normalised
                pixels.
            generator: Source of randomness on the CPU; by default PyTorch's global one.

        Returns:
            float32 (N, C, H, W).
        """
        num, _, height, width = checks.tensor("images", images, "NCHW").shape
        padded = F.pad(images, [self.padding] * 4)
        places = torch.randint(0, 2 * self.padding + 1, (2, num), generator=generator)
        mirrored = torch.rand(num, generator=generator) < self.flip
        rows = places[0, :, None] + torch.arange(height)  # (N, H)
        columns = places[1, :, None] + torch.arange(width)  # (N, W)
        columns = torch.where(mirrored[:, None], columns.flip(1), columns)
        index = torch.arange(num)[:, None, None], rows[:, :, None], columns[:, None, :]
        device = images.device
        picked = padded.permute(0, 2, 3, 1)[tuple(part.to(device) for part in index)]
        return picked.permute(0, 3, 1, 2).contiguous()
