"""Random distortions of images: more to learn from, with the same labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class AffineRange:
    """How far a random affine distortion may go; each image draws its own values, uniformly.

    Attributes:
        degrees: Rotation to either side.
        scale: Largest factor of enlarging, and of shrinking.
        shear: Sideways shift from the centre to the upper edge, in half heights.
        shift: Translation in each direction, in pixels.
    """

    degrees: float = 10.0
    scale: float = 1.15
    shear: float = 0.2
    shift: float = 2.0


def random_affine(
    images: Tensor, limits: AffineRange, generator: torch.Generator | None = None
) -> Tensor:
    """Rotate, scale, shear and shift every image by amounts of its own.

    Args:
        images: float32 (N, C, H, W). What comes in from outside repeats the edge pixels, which
            are ground in MNIST and Fashion-MNIST.
        limits: How far a distortion may go.
        generator: Source of randomness on the CPU; by default PyTorch's global one.

    Returns:
        float32 (N, C, H, W).
    """
    matrices = _matrices(len(images), images.shape[-2:], limits, generator).to(images.device)
    grid = F.affine_grid(matrices, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _matrices(
    num: int, size: torch.Size, limits: AffineRange, generator: torch.Generator | None
) -> Tensor:
    """Draw float32 (N, 2, 3): where each output pixel looks, in coordinates from -1 to 1."""
    amounts = torch.rand(5, num, generator=generator) * 2 - 1
    angle = amounts[0] * math.radians(limits.degrees)
    scale = limits.scale ** amounts[1]
    shear = amounts[2] * limits.shear
    cos, sin = angle.cos() / scale, angle.sin() / scale
    rows = [
        torch.stack([cos, shear * cos - sin, amounts[3] * limits.shift * 2 / size[1]], dim=1),
        torch.stack([sin, shear * sin + cos, amounts[4] * limits.shift * 2 / size[0]], dim=1),
    ]
    return torch.stack(rows, dim=1)


class Distorted:
    """Batches whose images are distorted anew in every pass.

    Args:
        batches: Batches of images, float32 (B, C, H, W), and labels.
        limits: How far a distortion may go.
        generator: Source of randomness; by default PyTorch's global one.
    """

    def __init__(
        self,
        batches: Iterable[tuple[Tensor, Tensor]],
        limits: AffineRange,
        generator: torch.Generator | None = None,
    ) -> None:
        self.batches = batches
        self.limits = limits
        self.generator = generator

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for images, labels in self.batches:
            yield random_affine(images, self.limits, self.generator), labels
