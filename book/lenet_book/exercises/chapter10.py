"""Chapter 10: updates, a filter for red, recall, pictures without colour, the whole program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler

from lenet_book.exercises import NotYet, check, need
from lenet_book.exercises.shared import check_loader
from lenet_book.stand_in import find_cifar

NO_RETURN = "Your function returns nothing. Is there a return?"
UPDATES = {
    12_500: "The first is one epoch. You train for ten.",
    500_000: "The first counts pictures. An update takes four of them.",
    50_000: "The first is the number of pictures. How many batches are they?",
    200_000: "The first multiplies by the batch size. A larger batch means fewer updates.",
}
UPDATES_32 = {
    1_563: "The second is one epoch. You train for ten.",
    1_562: "The second is one epoch, without the short batch at its end.",
    15_620: "The second leaves out a short batch in each of the ten epochs.",
    15_625: "The second rounds too late: half a batch at the end of an epoch is a batch.",
    15_621: "The second counts one short batch. Each epoch ends with one.",
}
RATES = {
    0.032: "The third: 32 times 0.001 would be right if 0.001 belonged to batches of 1.",
    0.001: "The third has not been raised.",
    0.000125: "The third went down. Fewer steps have to be larger ones.",
    0.004: "The third: 4 is the batch that 0.001 belongs to. How many times as large is 32?",
    0.0028: "The third grows like the square root. In proportion is asked.",
}


@check
def updates(num_updates: float, num_updates_32: float, lr: float) -> None:
    """Check exercise 1: ten epochs of 50,000 pictures.

    Args:
        num_updates: With batches of 4.
        num_updates_32: With batches of 32.
        lr: The learning rate for batches of 32, in proportion to 0.001 for batches of 4.
    """
    for answer in (num_updates, num_updates_32, lr):
        need(isinstance(answer, (int, float)), f"{answer!r} is no number.")
    need(num_updates not in UPDATES, UPDATES.get(int(num_updates), ""))
    need(num_updates == 125_000, "The first is not right. How many batches has one epoch?")
    need(num_updates_32 not in UPDATES_32, UPDATES_32.get(int(num_updates_32), ""))
    need(num_updates_32 == 15_630, "The second is not right. How many batches has one epoch?")
    for mistaken, hint in RATES.items():
        need(abs(lr - mistaken) > 0.03 * mistaken, hint)
    need(abs(lr - 0.008) < 1e-9, "The third is not right. How many times as large is the batch?")


@check
def red_filter(weight: Tensor) -> None:
    """Check exercise 2: a 1×1 filter for red.

    Args:
        weight: (1, 3, 1, 1): large for red, alike and below 0 for green and blue, 0 for grey.
    """
    need(torch.is_tensor(weight), f"Your filter is a {type(weight).__name__}, not a tensor.")
    shape = tuple(weight.shape)
    need(
        shape != (3, 1, 1, 1),
        "Those are three filters of one channel. One filter that is three deep is asked.",
    )
    need(shape == (1, 3, 1, 1), f"The shape is {shape}, not (1, 3, 1, 1): use reshape.")
    need(weight.is_floating_point(), "The weights are whole numbers; conv2d wants floats: 1.0.")
    red, green, blue = (float(F.conv2d(pure[None], weight.float())) for pure in _pure_colours())
    need(max(abs(red), abs(green), abs(blue)) > 0, "All weights are 0: it answers nothing at all.")
    need(red > 0, "It answers red with a number that is not above 0.")
    need(
        green < 0 and blue < 0,
        f"It answers green with {green:.3g} and blue with {blue:.3g}. Both should be below 0: "
        "subtract them.",
    )
    need(
        abs(red + green + blue) < 1e-3,
        f"It answers white with {red + green + blue:.3g}, not with 0. What do the three weights "
        "have to add up to?",
    )
    need(abs(green - blue) < 1e-3, "Green and blue get different answers. Treat them alike.")


def _pure_colours() -> Tensor:
    """Return one pixel each of pure red, green and blue: (3, 3, 1, 1)."""
    return torch.eye(3).reshape(3, 3, 1, 1)


@check
def recall(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Check exercise 3: the recall of each of ten classes.

    Args:
        function: Takes the true classes and the answers, both (N,); returns (10,).
    """
    generator = torch.Generator().manual_seed(0)
    truth = torch.arange(200) % 10
    noise = torch.randint(0, 10, (200,), generator=generator)
    answers = torch.where(torch.rand(200, generator=generator) < 0.6, truth, noise)
    found = function(truth.clone(), answers.clone())
    need(found is not None, NO_RETURN)
    shares = torch.as_tensor(found).float()
    need(
        tuple(shares.shape) == (10,),
        f"Ten shares are asked; you return the shape {tuple(shares.shape)}.",
    )
    counts = torch.bincount(10 * truth + answers, minlength=100).reshape(10, 10).float()
    hits, wanted = counts.diagonal(), counts.diagonal() / counts.sum(dim=1)
    mistakes = {
        "That is the precision: the share of right ones among the *answers* of a class. Recall "
        "begins with the pictures that *are* of it.": hits / counts.sum(dim=0),
        "You return counts. Divide by the pictures of the class.": hits,
        "You divide by all pictures. Divide by those of the class.": hits / counts.sum(),
        "These are percentages. Return shares from 0 to 1.": 100 * wanted,
        "That is the share of wrong answers.": 1 - wanted,
        "That is the accuracy, ten times over.": (hits.sum() / counts.sum()).expand(10),
        "Everything is right, you say. Choose the pictures by `truth`, then compare `answers`.": (
            torch.ones(10)
        ),
    }
    for hint, mistaken in mistakes.items():
        need(not torch.allclose(shares, mistaken, atol=1e-4), hint)
    need(torch.allclose(shares, wanted, atol=1e-4), "Not the recall. Count class 0 by hand.")


@check
def grey(function: Callable[[Tensor], Tensor]) -> None:
    """Check exercise 4: pictures whose channels all hold the mean of the three.

    Args:
        function: Takes uint8 (N, 3, H, W), returns the same shape and type.
    """
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (4, 3, 6, 5), generator=generator).to(torch.uint8)
    found = function(images.clone())
    need(found is not None, NO_RETURN)
    need(torch.is_tensor(found), f"You return a {type(found).__name__}, not a tensor.")
    shape = tuple(found.shape)
    need(shape != (4, 1, 6, 5), "One channel is left. The network wants three: repeat it.")
    need(shape != (4, 6, 5), "The axis of the channels is gone: keepdim=True, then repeat it.")
    need(shape == (4, 3, 6, 5), f"From (4, 3, 6, 5) you make {shape}.")
    need(found.dtype == torch.uint8, f"The type is {found.dtype}. Go back to torch.uint8.")
    _check_grey(images, found)


def _check_grey(images: Tensor, found: Tensor) -> None:
    mean = images.float().mean(dim=1, keepdim=True)
    red, green, blue = images.float().split(1, dim=1)
    overflowed = images.sum(dim=1, keepdim=True).to(torch.uint8) // 3
    mistakes = {
        "The pictures are as colourful as before.": (images, 0),
        "The sum of the three overflowed: bytes end at 255. Use .float() first.": (overflowed, 0),
        "The fraction was cut off. Round before you go back to uint8.": (mean.floor(), 0),
        "You repeat one of the channels. Take the mean of all three.": (red, 0),
        "You mix the colours as the eye sees them. The plain mean is asked.": (
            0.299 * red + 0.587 * green + 0.114 * blue,
            1.1,
        ),
    }
    for hint, (mistaken, tolerance) in mistakes.items():
        need(bool(((found.float() - mistaken).abs() > tolerance).any()), hint)
    need(
        bool((found == found[:, :1]).all()),
        "The three channels differ from one another. Over which axis do you take the mean?",
    )
    hint = "The channels are alike, but do not hold their mean."
    need(bool((found == mean.round()).all()), hint)


@check
def whole(
    train_loader: DataLoader[Any],
    test_loader: DataLoader[Any],
    network: nn.Module,
    accuracy: float,
    figure: Figure,
) -> None:
    """Check exercise 5: from files to an accuracy and a curve, written from an empty file.

    Args:
        train_loader: Over the training pictures, standardised, 32 at a time, in a random order.
        test_loader: Over the test pictures, standardised alike, 1,000 at a time, in stored order.
        network: The LeNet of the chapter, trained.
        accuracy: Its share of right answers on the test pictures.
        figure: The loss of every batch.
    """
    root, datasets = find_cifar()
    sizes = [len(datasets.CIFAR10(root, train=train)) for train in (True, False)]
    check_loader("training", train_loader, sizes[0], 32, "pictures")
    check_loader("test", test_loader, sizes[1], 1000, "pictures")
    need(
        isinstance(train_loader.sampler, RandomSampler),
        "The training loader goes through its pictures in the same order in each epoch. "
        "Shuffle it.",
    )
    need(
        not isinstance(test_loader.sampler, RandomSampler),
        "The test loader shuffles. It need not, and unshuffled, answer 17 belongs to picture 17.",
    )
    _check_scale(train_loader)
    need(isinstance(network, nn.Module), f"`network` is a {type(network).__name__}.")
    num_parameters = sum(parameter.numel() for parameter in network.parameters())
    need(
        num_parameters == 62_006,
        f"Your network has {num_parameters:,} parameters; the LeNet of this chapter has 62,006.",
    )
    _check_accuracy(network, test_loader, accuracy)
    _check_figure(figure, len(train_loader))


def _check_scale(loader: DataLoader[Any]) -> None:
    """Look at mean and standard deviation of each channel of some training pictures."""
    places = range(min(1000, len(loader.dataset)))  # type: ignore[arg-type]
    images = torch.stack([loader.dataset[place][0] for place in places])
    raw = torch.tensor(np.asarray(loader.dataset.data[: len(places)])) / 255  # type: ignore[attr-defined]
    raw = raw.permute(0, 3, 1, 2)
    mistakes = {
        "The pictures are not normalised: values still go from 0 to 1.": raw,
        "The values go from −1 to 1: 0.5 is scaling. Standardise with the mean and std of each "
        "channel.": (raw - 0.5) / 0.5,
    }
    for hint, mistaken in mistakes.items():
        need(not torch.allclose(images, mistaken, atol=1e-3), hint)
    means, stds = images.mean(dim=(0, 2, 3)), images.std(dim=(0, 2, 3))
    need(
        bool((means.abs() < 0.15).all() and ((stds - 1).abs() < 0.15).all()),
        "The channels are not standardised: over 1,000 pictures the means are "
        f"{[round(value, 2) for value in means.tolist()]} and the standard deviations "
        f"{[round(value, 2) for value in stds.tolist()]}, not near 0 and 1.",
    )


def _check_accuracy(network: nn.Module, loader: DataLoader[Any], accuracy: float) -> None:
    with torch.no_grad():
        found = [(network(images).argmax(dim=1) == labels) for images, labels in loader]
    share = float(torch.cat(found).float().mean())
    claimed = float(accuracy)
    if claimed > 1 and abs(claimed - 100 * share) < 1:
        raise NotYet("`accuracy` is a percentage. Give the share, from 0 to 1.")
    if claimed > 1:
        raise NotYet("`accuracy` is above 1. Divide the right answers by the number of pictures.")
    need(
        share > 0.2,
        f"Your network gets {share:.1%} of the test pictures right, little more than guessing. "
        "Does the loop call backward and step, on scores without softmax?",
    )
    need(
        abs(claimed - share) < 1e-4,
        f"You say {claimed:.2%}, but your network gets {share:.2%} of the test pictures right. "
        "Count over all batches of the test loader, with the network as it is now.",
    )


def _check_figure(figure: Figure, num_batches: int) -> None:
    kind = type(figure).__name__
    need(
        isinstance(figure, Figure),
        f"`figure` should be the first thing that plt.subplots returns; yours is a {kind}.",
    )
    drawn = [axes for axes in figure.axes if axes.lines]
    need(bool(drawn), "The figure shows no line.")
    axes = drawn[0]
    num_points = len(np.asarray(axes.lines[0].get_xdata()))
    need(
        num_points >= num_batches,
        f"The line has {num_points:,} points; an epoch has {num_batches:,} batches. Keep "
        "loss.item() of every batch.",
    )
    named = axes.get_xlabel() and axes.get_ylabel()
    need(bool(named), "An axis has no name: ax.set_xlabel(…) and ax.set_ylabel(…).")
