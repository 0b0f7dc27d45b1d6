"""Chapter 4: shares, a walk by hand, counting right answers, and judging a network."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lenet.models import NarrowLeNet
from lenet_book.exercises import NotYet, check, need

NOTHING = "Your function returns nothing. Is there a return?"
SCORES = torch.tensor([3.0, 1.0, 0.0])
TOLERANCE = 0.006  # two digits after the point


@check
def three_scores(share: float, plus_five: float, times_zero: float) -> None:
    """Check exercise 1: what the softmax makes of the scores 3, 1 and 0.

    Args:
        share: The share of the first class, from 0 to 1.
        plus_five: The same when all scores are larger by 5.
        times_zero: The same when all scores are multiplied by 0.
    """
    for answer in (share, plus_five, times_zero):
        need(isinstance(answer, (int, float)), f"{answer!r} is no number.")
        need(not 1 < answer <= 100, f"{answer} is a percentage. Give a share between 0 and 1.")
        need(0 <= answer <= 1, f"{answer} is no share: it does not lie between 0 and 1.")
    _check_first_share(share)
    need(
        _near(plus_five, share),
        "The first answer is right, the second is not. Adding 5 multiplies every power by e to the "
        "power of 5, above and below the fraction line.",
    )
    need(times_zero != 0, "The third: e to the power of 0 is not 0. What is it?")
    need(not _near(times_zero, share), "The third: times 0, the scores are no longer 3, 1 and 0.")
    need(_near(times_zero, 1 / 3), "The third is not right: can one of three equal scores win?")


def _near(answer: float, wanted: float) -> bool:
    return abs(answer - wanted) < TOLERANCE


def _check_first_share(share: float) -> None:
    powers = SCORES.exp()
    zero_for_one = (powers[0] / powers[:2].sum()).item()
    need(not _near(share, zero_for_one), "The power of the third score is missing. What is e⁰?")
    need(not _near(share, 0.75), "That is a share of the scores. Raise e to their powers first.")
    others = any(_near(share, other) for other in SCORES.softmax(dim=0)[1:].tolist())
    need(not others, "That is the share of another class.")
    need(share < 0.99, "The first class does not get everything: every power is positive.")
    wanted = SCORES.softmax(dim=0)[0].item()
    need(_near(share, wanted), "The first is not right. Divide the first power by the sum of all.")


def _walk(network: NarrowLeNet, images: Tensor, without: set[str]) -> Tensor:
    """Return the scores when the ReLUs after some layers are left out."""

    def relu(name: str, t: Tensor) -> Tensor:
        t = getattr(network, name)(t)
        return t if name in without else F.relu(t)

    t = F.max_pool2d(relu("conv1", images), 2)
    t = F.max_pool2d(relu("conv2", t), 2)
    t = relu("fc2", relu("fc1", t.flatten(start_dim=1)))
    return network.out(t)


@check
def walk(function: Callable[[NarrowLeNet, Tensor], Tensor]) -> None:
    """Check exercise 2: a forward pass through `NarrowLeNet`, layer by layer.

    Args:
        function: Takes the network and images (N, 1, 28, 28), returns the scores (N, 10).
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network, images = NarrowLeNet(), torch.randn(3, 1, 28, 28)
    whole_calls: list[bool] = []
    network.register_forward_hook(lambda *_: whole_calls.append(True))
    answer = _scores_by(function, network, images)
    need(not whole_calls, "That calls the whole network. Call its layers, one after the other.")
    for axis in (0, 1):
        ones = torch.ones(answer.shape[1 - axis])
        shares = torch.allclose(answer.sum(dim=axis), ones, atol=1e-4)
        need(not shares, "You return shares, which add up to 1. The network returns scores.")
    logs = torch.allclose(answer.exp().sum(dim=1), torch.ones(3), atol=1e-4)
    need(not logs, "You return logarithms of shares. The network returns scores.")
    mistakes = {
        f"The ReLU after {name} is missing.": _walk(network, images, {name})
        for name in ("conv1", "conv2", "fc1", "fc2")
    } | {
        "The ReLUs after fc1 and fc2 are missing.": _walk(network, images, {"fc1", "fc2"}),
        "There is a ReLU after the last layer. Scores may be negative.": F.relu(
            _walk(network, images, set())
        ),
    }
    for hint, mistaken in mistakes.items():
        need(not torch.allclose(answer, mistaken, atol=1e-6), hint)
    need(
        torch.allclose(answer, _walk(network, images, set()), atol=1e-6),
        "The shape is right, the scores are not. Print your steps beside those of the chapter.",
    )


def _scores_by(
    function: Callable[[NarrowLeNet, Tensor], Tensor], network: NarrowLeNet, images: Tensor
) -> Tensor:
    """Return what the learner's function returns, once it has the right type and shape."""
    try:
        answer = function(network, images)
    except RuntimeError as error:
        need(
            "1x576" not in str(error),
            "With a batch of three, fc1 gets the numbers of all three pictures in one line. "
            "Flatten each picture by itself: from which axis on?",
        )
        raise
    need(answer is not None, NOTHING)
    need(isinstance(answer, Tensor), f"Return a tensor, not a {type(answer).__name__}.")
    shape = tuple(answer.shape)
    need(shape == (3, 10), f"A batch of three should give scores (3, 10); yours are {shape}.")
    return answer.detach()


@check
def num_correct(function: Callable[[Tensor, Tensor], int]) -> None:
    """Check exercise 3: how many answers are right, without `argmax`.

    Args:
        function: Takes scores (N, K) and labels int64 (N,), returns how many are right.
    """
    names = getattr(getattr(function, "__code__", None), "co_names", ())
    for num_pictures, num_classes, num_right in ((7, 4, 3), (12, 10, 5)):
        generator = torch.Generator().manual_seed(0)
        logits = torch.randn(num_pictures, num_classes, generator=generator)
        labels = logits.argmax(dim=1)
        labels[num_right:] = (labels[num_right:] + 1) % num_classes
        _check_count(function(logits, labels), num_right, logits, labels)
    need("argmax" not in names, "The number is right. Can you find it without argmax?")


def _check_count(
    answer: float | Tensor | list[bool], num_right: int, logits: Tensor, labels: Tensor
) -> None:
    num_pictures = len(labels)
    need(answer is not None, NOTHING)
    if isinstance(answer, Tensor) and answer.numel() == 1:
        answer = float(answer)
    if isinstance(answer, (Tensor, list)):
        raise NotYet(f"You return {len(answer)} values. Add up how many are right, to one number.")
    count = float(answer)
    every_pair = logits[:, labels] == logits.max(dim=1, keepdim=True).values
    mistakes = {
        "You return the share of right answers. Their number is asked.": num_right / num_pictures,
        "You count the wrong answers.": num_pictures - num_right,
        "You count every picture, right or wrong.": num_pictures,
        "logits[:, labels] takes the columns of all labels in every row. Pick one score per row, "
        "with a number for the row and a number for the column.": int(every_pair.sum()),
        "logits.max() is the largest of the whole table. Take the largest of each row.": int(
            (logits[range(num_pictures), labels] == logits.max()).sum()
        ),
    }
    for hint, mistaken in mistakes.items():
        need(not math.isclose(count, mistaken, rel_tol=1e-5), hint)
    need(
        count == num_right,
        f"Of {num_pictures} answers {num_right} are right; you count {count:g}.",
    )


@check
def centred(function: Callable[[Tensor], Tensor]) -> None:
    """Check exercise 4: subtract from each column its mean.

    Args:
        function: Takes scores (N, K), returns them with columns of mean 0, (N, K).
    """
    scores = torch.tensor([[1.0, 5.0], [2.0, 9.0], [6.0, 4.0], [7.0, 6.0]])
    means = scores.mean(dim=0)
    try:
        answer = function(scores.clone())
    except RuntimeError as error:
        need(
            "must match the size" not in str(error),
            "dim is the axis that disappears: mean(dim=1) is the mean of each row.",
        )
        raise
    need(answer is not None, NOTHING)
    need(isinstance(answer, Tensor), f"Return a tensor, not a {type(answer).__name__}.")
    shape = tuple(answer.shape)
    need(shape != (2,), "These are means of the columns. Subtract them from the scores.")
    need(shape == (4, 2), f"Scores (4, 2) should stay (4, 2); yours are {shape}.")
    mistakes = {
        "You subtract the mean of each row.": scores - scores.mean(dim=1, keepdim=True),
        "You subtract one mean, that of the whole table.": scores - scores.mean(),
        "Do not divide by the standard deviation.": (scores - means) / scores.std(dim=0),
        "You subtract the scores from the means: all signs are the wrong way round.": means
        - scores,
        "You return the scores as they were.": scores,
    }
    for hint, mistaken in mistakes.items():
        need(not torch.allclose(answer, mistaken), hint)
    need(torch.allclose(answer, scores - means), "The columns do not all have the mean 0.")


class Watched(nn.Module):
    """A small network that notes whether it was called, and with tracking."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(4, 3)
        self.tracked: list[bool] = []

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores (N, 3) of images (N, 1, 2, 2)."""
        self.tracked.append(torch.is_grad_enabled())
        return self.out(images.flatten(start_dim=1))


@check
def judge(function: Callable[[nn.Module, DataLoader[Any]], tuple[Tensor, int]]) -> None:
    """Check exercise 5: the answers of a network, batch by batch, and how many are right.

    Args:
        function: Takes a network and a loader of N pictures; returns the answers int64 (N,), and
            how many of them are right.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network, images = Watched(), torch.randn(7, 1, 2, 2)
        labels = network.out(images.flatten(start_dim=1)).argmax(dim=1)
    labels[[1, 3, 6]] = (labels[[1, 3, 6]] + 1) % 3  # 2, 2 and 0 right of 3, 3 and 1
    loader = DataLoader(TensorDataset(images, labels), batch_size=3)
    with torch.enable_grad():
        answer = function(network, loader)
        still_on = torch.is_grad_enabled()
    need(answer is not None, NOTHING)
    need(bool(network.tracked), "Your function does not call the network that it is given.")
    need(still_on, "Your function leaves tracking off for all that follows. Use a with block.")
    pair = isinstance(answer, (tuple, list)) and len(answer) == 2
    need(pair, "Return two things: the answers, and how many are right.")
    said, num_right = answer
    wanted = network.out(images.flatten(start_dim=1)).argmax(dim=1)
    _check_answers(said, wanted)
    _check_total(float(num_right))
    need(not any(network.tracked), "All is right, but the network is called with tracking on.")


def _check_answers(said: Tensor | list[Tensor], wanted: Tensor) -> None:
    if isinstance(said, list):
        raise NotYet("The answers are a list. Put them into one tensor: torch.cat joins batches.")
    kind = type(said).__name__
    need(isinstance(said, Tensor), f"First come the answers, one tensor. Yours is of type {kind}.")
    shape = tuple(said.shape)
    need(shape != (7, 3), "The first thing should be one class per picture, not its scores.")
    need(shape != (1,), "These are the answers of the last batch alone. Collect those of all.")
    need(shape != (3,), "These are the answers of one batch alone. Collect those of all.")
    need(
        shape != (9,),
        "Each batch gives one answer per class, not one per picture. Along which axis does argmax "
        "have to walk?",
    )
    need(shape == (7,), f"The loader has 7 pictures; your answers have the shape {shape}.")
    need(
        torch.equal(said.long(), wanted),
        "The answers are not those of the network. Is the largest score of each row meant?",
    )


def _check_total(num_right: float) -> None:
    mistakes = {
        "The second thing should be a number of pictures, not a share.": (4 / 7, 4 / 9),
        "You count the right answers of the last batch alone. Add those of all.": (0,),
        "You count the wrong answers.": (3,),
        "You count every picture, right or wrong.": (7,),
    }
    for hint, mistaken in mistakes.items():
        need(not any(math.isclose(num_right, each, rel_tol=1e-5) for each in mistaken), hint)
    need(num_right == 4, f"Of 7 answers 4 are right; you count {num_right:g}.")
