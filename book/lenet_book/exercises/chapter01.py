"""Chapter 1: batches, scales, axes, and a data set of one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler

from lenet_book.exercises import NotYet, check, need
from lenet_book.exercises.shared import check_loader, images_in
from lenet_book.stand_in import find_datasets

NOTHING = "{} returns nothing. Is there a return?"


@check
def batches(batches: int, dropped: int, last: int) -> None:
    """Check exercise 1: 60,000 images at batch size 256.

    Args:
        batches: How many batches one epoch has.
        dropped: How many with ``drop_last=True``.
        last: How many images the last of `batches` holds.
    """
    for answer in (batches, dropped, last):
        whole = isinstance(answer, int) and not isinstance(answer, bool)
        need(whole, f"{answer!r} is no whole number, and a loader makes whole batches. Round it.")
    need(batches not in (60_000, 256), "The first number asks for batches, not for images.")
    need((batches, dropped) != (234, 235), "The first two are the wrong way round.")
    need(batches != 234, "What the full batches leave over makes a batch, too: round up.")
    need(batches == 235, "The first number is not right: divide the images by the batch size.")
    need(dropped != 235, "With drop_last=True a batch that is not full is left out.")
    need(dropped == 234, "The second number is not right: count the full batches alone.")
    need(last != 256, "The last batch is not full: 256 does not divide 60,000.")
    need(last != 160, "That many are missing from the last batch. How many are in it?")
    need(last == 96, "The third number is not right: how many images do full batches leave over?")


def _scales(images: Tensor, mean: Tensor, std: Tensor) -> Mapping[str, Tensor]:
    """Return the hint for each typical mistake, and what that mistake computes."""
    mean, std = mean.reshape(3, 1, 1), std.reshape(3, 1, 1)
    unscaled, scaled = images.float(), images / 255
    own_mean = scaled.mean(dim=(0, 2, 3), keepdim=True)
    own_std = scaled.std(dim=(0, 2, 3), keepdim=True)
    return {
        "You return values from 0 to 1. Now subtract the mean and divide.": scaled,
        "Bring the values to 0…1 first: mean and std belong to that scale.": (unscaled - mean)
        / std,
        "The mean belongs to values from 0 to 1: divide by 255 before you subtract it.": (
            (unscaled - mean) / 255 / std
        ),
        "Put the subtraction in brackets: Python divides first.": scaled - mean / std,
        "Divide by std once, not twice.": (scaled - mean) / std**2,
        "Divide by std; do not multiply.": (scaled - mean) * std,
        "The mean is subtracted. Now divide by std.": scaled - mean,
        "Use the mean and std that you are given, not those of these few images.": (
            (scaled - own_mean) / own_std
        ),
        "All three channels use the first mean and std; each has its own.": (
            (scaled - mean[0]) / std[0]
        ),
    }


def _normalised_by(
    function: Callable[[Tensor, Tensor, Tensor], Tensor], images: Tensor, mean: Tensor, std: Tensor
) -> Tensor:
    """Return what the learner's function returns, once it has the right type and shape."""
    try:
        answer = function(images.clone(), mean.clone(), std.clone())
    except RuntimeError as error:
        need(
            "must match the size" not in str(error),
            "mean has the shape (3,), and PyTorch lines up shapes from the right: its 3 meets the "
            "columns. Give mean and std the shape (3, 1, 1) with reshape.",
        )
        raise
    need(answer is not None, NOTHING.format("Your function"))
    need(isinstance(answer, Tensor), f"Return a tensor, not a {type(answer).__name__}.")
    need(
        answer.shape == images.shape,
        f"The shape should stay {tuple(images.shape)}; yours is {tuple(answer.shape)}.",
    )
    need(answer.dtype == torch.float32, f"The type should be torch.float32, not {answer.dtype}.")
    return answer


@check
def normalised(function: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    """Check exercise 2: `ToTensor`'s scale and `Normalize`, for a batch of colour pictures.

    Args:
        function: Takes images uint8 (N, 3, H, W), mean (3,) and std (3,) of values from 0 to 1;
            returns float32 (N, 3, H, W).
    """
    images = torch.randint(256, (2, 3, 5, 4), generator=torch.Generator().manual_seed(0))
    images = images.to(torch.uint8)
    mean, std = torch.tensor([0.49, 0.48, 0.45]), torch.tensor([0.25, 0.24, 0.26])
    answer = _normalised_by(function, images, mean, std)
    for hint, mistaken in _scales(images, mean, std).items():
        need(not torch.allclose(answer, mistaken, atol=1e-4), hint)
    wanted = (images / 255 - mean.reshape(3, 1, 1)) / std.reshape(3, 1, 1)
    need(
        torch.allclose(answer, wanted, atol=1e-4),
        "The shape is right, the values are not. Follow one pixel by hand: which operation "
        "comes first?",
    )


WRONG_AXES: dict[tuple[int, ...], str] = {  # what an image (3, 4, 6) became
    (3, 4, 6): "The channels still come first.",
    (6, 4, 3): "The channels are last, but rows and columns are exchanged: the picture lies on "
    "its side.",
    (4, 3, 6): "The channels are in the middle. Which axis comes first, which last?",
    (3, 6, 4): "The channels still come first, and rows and columns are exchanged.",
}


@check
def picture(function: Callable[[Tensor], Any]) -> None:
    """Check exercise 3: from PyTorch's axes to matplotlib's.

    Args:
        function: Takes an image (3, H, W); returns (H, W, 3) with every value at its pixel.
    """
    image = torch.arange(3 * 4 * 6).reshape(3, 4, 6)
    answer = function(image.clone())
    need(answer is not None, NOTHING.format("Your function"))
    need(hasattr(answer, "shape"), f"Return a tensor or an array, not a {type(answer).__name__}.")
    answer = torch.as_tensor(answer)
    shape = tuple(answer.shape)
    other = f"An image (3, 4, 6) should become (4, 6, 3); yours is {shape}."
    need(shape == (4, 6, 3), WRONG_AXES.get(shape, other))
    need(
        not torch.equal(answer, image.reshape(4, 6, 3)),
        "The shape is right and the picture is scrambled: reshape and view cut the same row of "
        "numbers elsewhere, they move no axis.",
    )
    wanted = image.permute(1, 2, 0)
    flipped = any(torch.equal(answer.flip(axis), wanted) for axis in range(3))
    need(not flipped, "All is right, but one axis runs backwards.")
    need(torch.equal(answer, wanted), "The shape is right; the values are not at their pixels.")


@check
def two_classes(kind: type[Any]) -> None:
    """Check exercise 4: a data set that keeps two classes of another.

    Args:
        kind: The class, made with ``kind(samples, labels, first, second)``.
    """
    need(isinstance(kind, type), "Hand over the class itself, without brackets behind it.")
    for method in ("__init__", "__len__", "__getitem__"):
        missing = not any(method in vars(each) for each in kind.__mro__[:-1] if each is not Dataset)
        need(not missing, f"Your class has no {method} yet.")
    labels = [0, 9, 7, 9, 3, 7, 7]
    samples = [(torch.full((1, 2, 2), place), label) for place, label in enumerate(labels)]
    for first, second in ((7, 9), (9, 7)):
        kept = [place for place, label in enumerate(labels) if label in (first, second)]
        mine = kind(samples, torch.tensor(labels), first, second)
        _compare_sizes(len(mine), len(kept), len(labels))
        for index, place in enumerate(kept):
            _compare_samples(mine[index], place, labels, first, second)


def _compare_sizes(size: int, wanted: int, of_all: int) -> None:
    need(size != of_all, "__len__ counts the samples of all classes. Count those you keep.")
    need(
        size == wanted,
        f"Of seven samples with the labels 0, 9, 7, 9, 3, 7, 7 your data set keeps {size}. "
        "How many are a 7 or a 9?",
    )


def _compare_samples(
    sample: tuple[Tensor, int], place: int, labels: list[int], first: int, second: int
) -> None:
    need(sample is not None, NOTHING.format("__getitem__"))
    pair = isinstance(sample, (tuple, list)) and len(sample) == 2
    need(pair, "__getitem__ should return a pair: the image and its label.")
    image, label = sample
    need(
        not isinstance(image, (tuple, list)),
        "Your image is a pair itself: a sample of samples is already (image, label). Unpack it.",
    )
    need(
        torch.is_tensor(image) and bool((image == place).all()),
        "A sample has the wrong image. Number 0 of yours is the first one that you keep, wherever "
        "it stands in samples.",
    )
    need(label != labels[place], "The labels are still the old ones. They should be 0 and 1.")
    need(label in (0, 1), f"A label should be 0 or 1, not {label!r}.")
    wanted = int(labels[place] == second)
    need(
        int(label) == wanted,
        f"With first={first} and second={second} a {labels[place]} should get the label {wanted}.",
    )


@check
def whole(train_loader: DataLoader[Any], test_loader: DataLoader[Any], figure: Figure) -> None:
    """Check exercise 5: from files to batches and a figure, written from an empty file.

    Args:
        train_loader: Over the training images, normalised, 100 at a time, in a random order.
        test_loader: Over the test images, normalised alike, 1,000 at a time, in stored order.
        figure: Ten images under the names of their classes.
    """
    root, datasets = find_datasets()
    train, test = datasets.FashionMNIST(root, train=True), datasets.FashionMNIST(root, train=False)
    for name, loader, images, size in (
        ("training", train_loader, train.data, 100),
        ("test", test_loader, test.data, 1000),
    ):
        check_loader(name, loader, len(images), size)
        shape = tuple(loader.dataset[0][0].shape)
        need(
            shape == (1, 28, 28),
            f"One of the {name} images has the shape {shape}, not (1, 28, 28).",
        )
    need(
        isinstance(train_loader.sampler, RandomSampler),
        "The training loader goes through its images in the same order in each epoch. Shuffle it.",
    )
    need(
        not isinstance(test_loader.sampler, RandomSampler),
        "The test loader shuffles. It need not, and unshuffled, answer 17 belongs to image 17.",
    )
    scaled = train.data / 255
    for name, loader, raw in (
        ("test", test_loader, test.data[:1]),
        ("training", train_loader, train.data[:1]),
    ):
        _check_scale(name, loader.dataset[0][0], raw, float(scaled.mean()), float(scaled.std()))
    _check_figure(figure, train.classes)


def _check_scale(name: str, image: Tensor, raw: Tensor, mean: float, std: float) -> None:
    """Compare one image with what mean and std of the training pixels make of its bytes."""
    scaled = raw / 255
    wanted = (scaled - mean) / std
    if torch.allclose(image, wanted, atol=0.01):
        return
    mistakes = {
        "are not normalised: values still go from 0 to 1.": scaled,
        "are normalised with MNIST's numbers. Compute the mean and std of your own training "
        "images.": (scaled - 0.1307) / 0.3081,
        "go from −1 to 1: 0.5 is not the mean of your training images.": (scaled - 0.5) / 0.5,
        "are normalised twice.": (wanted - mean) / std,
    }
    for hint, mistaken in mistakes.items():
        need(not torch.allclose(image, mistaken, atol=1e-3), f"The {name} images {hint}")
    raise NotYet(
        f"The {name} images are not normalised with the mean and std of the training images, "
        "computed on values from 0 to 1."
    )


def _check_figure(figure: Figure, classes: list[str]) -> None:
    titles = [axes.get_title() for axes in images_in(figure, 10)]
    need(
        all(title in classes for title in titles),
        f"A title should be the name of a class; one of yours is {titles[0]!r}. "
        "A label is an index into classes.",
    )
