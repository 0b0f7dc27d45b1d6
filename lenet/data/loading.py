"""Data sets as tensors in memory, and their batches: what the face of this room hands out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from lenet import checks
from lenet.data.finding import find
from lenet.data.in_memory import InMemoryDataset, Transform

Device = str | torch.device
SPLITS = ("train", "test")


def dataset(
    name: str | os.PathLike[str],
    train: bool = True,
    transform: Transform | None = None,
    root: str | os.PathLike[str] | None = None,
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> InMemoryDataset:
    """Open a data set as torchvision does: `len`, indexing, `.data`, `.targets`, `.classes`.

    The images are those to learn from (`train`) or those to judge by. A `transform` is applied to
    each PIL image when it is accessed. The other arguments, and the errors, are those of `load`.
    """
    return find(name, root, size=size, channels=channels).open(train, transform)


def load(
    name: str | os.PathLike[str],
    root: str | os.PathLike[str] | None = None,
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> ImageData:
    """Load a whole data set into memory.

    Args:
        name: ``"fashion-mnist"``, ``"mnist"`` or ``"cifar-10"``, or the path of a folder with a
            folder of pictures for each class (`lenet.data.folders`).
        root: Folder of the real data sets; by default `data_root()`.
        size: Height and width to which your own pictures are brought; by default (28, 28) if
            they are all grey, else (32, 32).
        channels: 1 (grey) or 3 (colour) for your own pictures; by default as they are.

    Returns:
        Training and test images with class names, and mean and standard deviation of each channel
        over all training pixels.

    Raises:
        ValueError: There is no data set and no folder of this name, or `size` or `channels` are
            given for a published one, which has its own.
        DataError: The folder does not exist, a file is damaged, or ``LENET_REQUIRE_REAL=1`` and
            only the embedded digits are to be had.

    Example:
        >>> data = load("fashion-mnist")
        >>> data.train.images.shape[1:]
        torch.Size([1, 28, 28])
        >>> len(data.classes)
        10
    """
    source = find(name, root, size=size, channels=channels)
    opened = source.open(train=True)
    train, test = _tensors(opened), _tensors(source.open(train=False))
    classes = tuple(opened.classes)
    known_by = name if isinstance(name, str) else str(Path(name).absolute())
    return ImageData(known_by, str(source), classes, train, test, *channel_statistics(train.images))


def _tensors(opened: InMemoryDataset) -> LabelledImages:
    pixels = torch.as_tensor(opened.data)  # (N, H, W) when grey, (N, H, W, C) in colour
    if pixels.dim() == 3:
        pixels = pixels.unsqueeze(-1)
    images = pixels.permute(0, 3, 1, 2).contiguous()
    return LabelledImages(images, torch.as_tensor(opened.targets, dtype=torch.int64))


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images and their labels, in the same order.

    Attributes:
        images: uint8 (N, C, H, W), pixel values from 0 to 255.
        labels: int64 (N,), class numbers from 0.

    Raises:
        TypeError: They are no tensors.
        ValueError: Types, shapes or lengths are others.
    """

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        checks.tensor("images", self.images, "NCHW", torch.uint8, may_be_empty=True)
        checks.tensor("labels", self.labels, "N", torch.int64, may_be_empty=True)
        checks.labels(self.labels, len(self.images))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: slice | Tensor) -> LabelledImages:
        """Return the chosen examples: a slice such as ``[:1000]`` or a tensor of indices."""
        return LabelledImages(self.images[chosen], self.labels[chosen])

    def __repr__(self) -> str:
        channels, height, width = self.images.shape[1:]
        return f"{len(self):,} images, {channels}×{height}×{width}"

    def to(self, device: Device) -> LabelledImages:
        """Return a copy on another device, or itself when it is there already."""
        found = checks.device(device)
        return LabelledImages(self.images.to(found), self.labels.to(found))


@dataclass(frozen=True, eq=False)
class ImageData:
    """A data set in memory.

    Attributes:
        name: The name it was loaded by.
        source: In words, which files these are: the published ones or others.
        classes: Class names; label k is class `classes[k]`.
        train: The images to learn from.
        test: The images to judge by.
        mean: Mean of each channel over the training pixels, pixel values scaled to 0…1.
        std: Standard deviation of each channel, likewise.

    Raises:
        ValueError: A label is of no class, training and test images differ in shape, or `mean` or
            `std` have not a number for each channel.
    """

    name: str
    source: str
    classes: tuple[str, ...]
    train: LabelledImages
    test: LabelledImages
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        train, test = (checks.instance(s, getattr(self, s), LabelledImages) for s in SPLITS)
        if train.images.shape[1:] != test.images.shape[1:]:
            raise ValueError(f"train has {train}, test has {test}: they must have one shape")
        for split in (train, test):
            checks.labels(split.labels, len(split), len(self.classes))
        checks.scaling(self.mean, self.std, train.images.shape[1], least_std=0)

    def __repr__(self) -> str:
        return (
            f"{self.name}: {len(self.classes)} classes\n"
            f"  source  {self.source}\n"
            f"  train   {self.train}\n"
            f"  test    {self.test}\n"
            f"  mean    {', '.join(f'{m:.4f}' for m in self.mean)}\n"
            f"  std     {', '.join(f'{s:.4f}' for s in self.std)}"
        )

    def to(self, device: Device) -> ImageData:
        """Return the data set with its images on another device."""
        return replace(self, train=self.train.to(device), test=self.test.to(device))

    def pad(self, num_pixels: int) -> ImageData:
        """Return the data set with a black frame, so many pixels wide, around every image.

        Mean and standard deviation stay as they are.

        Raises:
            ValueError: `num_pixels` is no whole number, or below 0.
        """
        checks.whole_number("num_pixels", num_pixels)
        train, test = (
            LabelledImages(F.pad(images.images, [num_pixels] * 4), images.labels)
            for images in (self.train, self.test)
        )
        return replace(self, train=train, test=test)

    def batches(
        self,
        split: Literal["train", "test"],
        batch_size: int = 100,
        *,
        shuffle: bool = False,
        generator: torch.Generator | None = None,
    ) -> Batches:
        """Return the training or test images as normalised batches; see `Batches`."""
        checks.choice("split", split, SPLITS)
        examples, scaling = getattr(self, split), (self.mean, self.std)
        return Batches(examples, *scaling, batch_size, shuffle=shuffle, generator=generator)

    def hold_out(self, num_images: int, seed: int = 0) -> ImageData:
        """Return a data set for choosing settings, with the real test images out of reach.

        Its `test` holds `num_images` training images drawn at random, its `train` the others.
        Mean and standard deviation stay those of the full training set.

        Raises:
            ValueError: Fewer than 1 or not fewer than all training images were asked for, or the
                seed is none.

        Example:
            >>> data = load("mnist").hold_out(100)
            >>> len(data.test)
            100
        """
        checks.whole_number("num_images", num_images, 1, len(self.train) - 1)
        checks.whole_number("seed", seed, most=checks.LARGEST_SEED)
        order = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(seed))
        order = order.to(self.train.labels.device)
        return replace(
            self,
            source=f"{self.source}; test holds {num_images:,} held-out training images",
            train=self.train[order[num_images:]],
            test=self.train[order[:num_images]],
        )


def channel_statistics(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Compute mean and (population) standard deviation of every channel over all pixels.

    Args:
        images: uint8 (N, C, H, W).

    Returns:
        Means and standard deviations, each (C,), for pixel values scaled to 0…1. They are exact
        to double precision: the 256 possible values are counted, not summed one by one.

    Raises:
        TypeError: `images` are no tensor.
        ValueError: They have another type or shape, or there are none.
    """
    checks.tensor("images", images, "NCHW", torch.uint8)
    values = torch.arange(256, dtype=torch.float64) / 255
    counts = [channel.flatten().bincount(minlength=256).cpu() for channel in images.unbind(1)]
    shares = torch.stack(counts).double() * images.shape[1] / images.numel()  # (C, 256)
    mean = shares @ values
    variance = (shares * (values - mean[:, None]) ** 2).sum(dim=1)
    return tuple(mean.tolist()), tuple(variance.sqrt().tolist())


def normalise(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Scale pixels to 0…1, subtract the mean and divide by the standard deviation per channel.

    Args:
        images: uint8 (N, C, H, W).
        mean: Mean of each channel, (C,).
        std: Standard deviation of each channel, (C,).

    Returns:
        float32 (N, C, H, W): what torchvision's `ToTensor` and `Normalize` give, image by image.

    Raises:
        TypeError: `images` are no tensor.
        ValueError: They have another type or shape, `mean` or `std` has not a number for each
            channel, or a channel's `std` is 0.

    Example:
        >>> data = load("mnist")
        >>> normalise(data.test.images[:2], data.mean, data.std).dtype
        torch.float32
    """
    checks.tensor("images", images, "NCHW", torch.uint8)
    checks.scaling(mean, std, images.shape[1])
    return _scale(images, _per_channel(mean, images.device), _per_channel(std, images.device))


def _scale(images: Tensor, centre: Tensor, spread: Tensor) -> Tensor:
    return images.float().div_(255).sub_(centre).div_(spread)


def _per_channel(values: tuple[float, ...], device: torch.device) -> Tensor:
    """Return the values as a tensor (1, C, 1, 1) that fits images (N, C, H, W)."""
    return torch.as_tensor(values, dtype=torch.float32, device=device).reshape(1, -1, 1, 1)


IMAGES_AT_ONCE = 1000  # picked and normalised together: what an operation costs to start is shared


@dataclass(frozen=True, eq=False)
class Batches:
    """Normalised batches of labelled images, made when they are asked for.

    Iterate over it as over a `DataLoader`: each turn gives images, float32 (B, C, H, W), and
    labels, int64 (B,), on the device where the examples lie. Every pass yields every example once;
    only the last batch may be smaller than the others.

    Attributes:
        examples: Images and labels.
        mean: Mean of each channel, (C,).
        std: Standard deviation of each channel, (C,).
        batch_size: Number of examples in a batch.
        shuffle: Whether each pass takes the examples in a new random order.
        generator: Source of that order; by default PyTorch's global one.

    Raises:
        ValueError: The batch size is not a positive whole number, `mean` or `std` has not a number
            for each channel, or a channel's `std` is 0: its pixels are equal in all images.

    Example:
        >>> batches = load("mnist").batches("train", batch_size=64, shuffle=True)
        >>> images, labels = next(iter(batches))
        >>> images.shape, labels.shape
        (torch.Size([64, 1, 28, 28]), torch.Size([64]))
    """

    examples: LabelledImages
    mean: tuple[float, ...]
    std: tuple[float, ...]
    batch_size: int
    _: KW_ONLY
    shuffle: bool = False
    generator: torch.Generator | None = None

    def __post_init__(self) -> None:
        checks.whole_number("batch_size", self.batch_size, 1)
        examples = checks.instance("examples", self.examples, LabelledImages)
        checks.scaling(self.mean, self.std, examples.images.shape[1])

    def __len__(self) -> int:
        """Return the number of batches: N / batch size, rounded up."""
        full, rest = divmod(len(self.examples), self.batch_size)
        return full + bool(rest)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        images, labels = self.examples.images, self.examples.labels
        # Once for all batches: copying them to a GPU makes Python wait for it.
        mean, std = (_per_channel(values, images.device) for values in (self.mean, self.std))
        order = self._order()
        size = min(self.batch_size, max(1, len(labels)))
        at_once = max(1, IMAGES_AT_ONCE // size) * size
        for start in range(0, len(labels), at_once):
            chosen = slice(start, start + at_once)
            picked = chosen if order is None else order[chosen]
            scaled = _scale(images[picked], mean, std)
            yield from zip(scaled.split(size), labels[picked].split(size), strict=True)

    def _order(self) -> Tensor | None:
        if not self.shuffle:
            return None
        order = torch.randperm(len(self.examples), generator=self.generator)
        return order.to(self.examples.labels.device)
