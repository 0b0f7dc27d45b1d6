"""The embedded data set: handwritten digits that come with scikit-learn.

They let everything run on a machine without a network, in the place and in the shape of a real
data set. The 1,797 images of 8×8 pixels with values from 0 to 16 were made by Alpaydin and Kaynak
(1998).
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F


def embedded_digits(train: bool, size: int = 28) -> tuple[np.ndarray, np.ndarray]:
    """Return the digits, light on black, uint8 (N, size, size), and their labels, int64 (N,).

    Every fifth image is a test image: the same split for ever, on every machine.
    """
    from sklearn.datasets import load_digits  # takes a second

    bunch = load_digits()
    chosen = (torch.arange(len(bunch.target)) % 5 == 4) != train
    small = torch.from_numpy(bunch.images)[chosen, None].float()
    large = F.interpolate(small, size=(size, size), mode="bilinear", align_corners=False)
    images = (large[:, 0] * (255 / 16)).round().clamp(0, 255).to(torch.uint8)
    return images.numpy(), bunch.target[chosen.numpy()]


def coloured_digits(train: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the digits in CIFAR-10's place, uint8 (N, 32, 32, 3): light on a dark colour."""
    ink, labels = embedded_digits(train, size=32)
    generator = torch.Generator().manual_seed(0)
    ground = torch.rand(len(ink), 1, 1, 3, generator=generator) * 110
    stroke = 145 + torch.rand(len(ink), 1, 1, 3, generator=generator) * 110
    share = torch.from_numpy(ink)[..., None] / 255
    return (ground + share * (stroke - ground)).round().to(torch.uint8).numpy(), labels
