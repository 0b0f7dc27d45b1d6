"""Chapter 8: scores from counts, how many pictures, a temperature, three patients, a report."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lenet.models import NarrowLeNet
from lenet_book.exercises import check, need
from lenet_book.exercises.shared import made, output_of

NO_RETURN = "Your function returns nothing. Is there a return?"
SCORES = {  # counts out of 100 pictures, and the shares that a slip makes of them
    "accuracy": (75 / 100, {
        45 / 100: "That is the cats alone. Dogs that are called dogs are right, too.",
        25 / 100: "That is the share of mistakes.",
        30 / 100: "That is the dogs alone. Cats that are called cats are right, too.",
    }),
    "recall": (45 / 60, {
        45 / 55: "Divided by the pictures *called* a cat. How many *are* one?",
        45 / 100: "Divided by all pictures. Dogs have no place here.",
        15 / 60: "That is the share of cats that were missed.",
        45 / 75: "Divided by all right answers. How many pictures are a cat?",
    }),
    "precision": (45 / 55, {
        45 / 60: "Divided by the pictures that *are* a cat. How many are *called* one?",
        45 / 100: "Divided by all pictures. How many are called a cat?",
        10 / 55: "That is the share that is called a cat and is none.",
        30 / 45: "That is the precision of \"dog\".",
        45 / 75: "Divided by all right answers. How many pictures are called a cat?",
    }),
}  # fmt: skip


@check
def cats_and_dogs(accuracy: float, recall: float, precision: float) -> None:
    """Check exercise 1: three scores of a matrix of four counts.

    Args:
        accuracy: Of all 100 pictures, from 0 to 1.
        recall: Of "cat", from 0 to 1.
        precision: Of "cat", from 0 to 1.
    """
    answers = {"accuracy": accuracy, "recall": recall, "precision": precision}
    for name, answer in answers.items():
        need(isinstance(answer, (int, float)), f"The {name}: {answer!r} is no number.")
        need(answer <= 1, f"The {name}: give a share from 0 to 1, not {answer}.")
        right, mistakes = SCORES[name]
        for mistaken, hint in mistakes.items():
            need(not math.isclose(answer, mistaken, abs_tol=0.003), f"The {name}: {hint}")
        hint = f"The {name} is not right. Write the four counts in a table first."
        need(math.isclose(answer, right, abs_tol=0.003), hint)


NUMBERS = {
    9: "0.1 percentage points are 0.001, not 0.1.",
    90: "The standard error is squared: solve the formula for n.",
    300: "Square both sides of the formula: n is under the root.",
    360_000: "That makes *two* standard errors 0.1 points. One is asked.",
    900_000: "p (1 − p) is 0.9 · 0.1. You have left out the second factor.",
    1_000_000: "That leaves p (1 − p) out.",
    22_500: "That makes the standard error 0.2 points.",
}
LEADS = {
    20: "That is one standard error. Two are asked.",
    400: "That is all of them. What is the root of b + c?",
    800: "Take the root of 400 first.",
    200: "That is half of them: a tie. How far from it is the lead?",
    0.4: "Count pictures, not points.",
    28: "Two of 400, under the root? First the root, then twice.",
}


@check
def how_many(num_pictures: float, lead: float) -> None:
    """Check exercise 2: pictures for a standard error, and the lead that is no luck.

    Args:
        num_pictures: For a standard error of 0.001 at an accuracy of 0.9.
        lead: Two standard errors of b − c, where b + c is 400.
    """
    for answer in (num_pictures, lead):
        need(isinstance(answer, (int, float)), f"{answer!r} is no number.")
    need(num_pictures > 0, "The first: you need some pictures.")
    error = math.sqrt(0.09 / num_pictures)
    known = f"The first: with so many pictures the standard error is {error:.3%}."
    hint = next((NUMBERS[n] for n in NUMBERS if math.isclose(n, num_pictures, rel_tol=0.01)), "")
    need(abs(error - 0.001) < 1e-5, f"The first: {hint}" if hint else known)
    hint = LEADS.get(lead, "Two times the root of b + c is asked.")
    need(math.isclose(lead, 40, abs_tol=0.5), f"The second: {hint}")


def _spread_scores(factor: float) -> tuple[Tensor, Tensor]:
    """Return scores (2000, 10) that fit at about the temperature `factor`, and labels (2000,)."""
    generator = torch.Generator().manual_seed(0)
    scores = 2 * torch.randn(2000, 10, generator=generator)
    labels = torch.multinomial(scores.softmax(dim=1), 1, generator=generator).flatten()
    return factor * scores, labels


def _losses(logits: Tensor, labels: Tensor) -> dict[float, float]:
    tried = [tenths / 10 for tenths in range(5, 31)]
    return {t: F.cross_entropy(logits / t, labels).item() for t in tried}


@check
def temperature(function: Callable[[Tensor, Tensor], float]) -> None:
    """Check exercise 3: the temperature of the lowest cross-entropy.

    Args:
        function: Takes scores (N, 10) and labels (N,), returns the temperature.
    """
    answers, tables = [], []
    for factor in (1.5, 0.7, 2.4):
        logits, labels = _spread_scores(factor)
        answer = function(logits, labels)
        need(answer is not None, NO_RETURN)
        is_number = isinstance(answer, (int, float)) or torch.is_tensor(answer)
        need(is_number, f"You return a {type(answer).__name__}. Return one number.")
        answers.append(round(float(answer), 3))
        tables.append(_losses(logits, labels))
    best = [min(table, key=table.__getitem__) for table in tables]
    mistakes = {
        "You return the lowest loss. At which temperature was it?": [
            round(min(table.values()), 3) for table in tables
        ],
        "You return the worst. The lowest is asked.": [
            max(table, key=table.__getitem__) for table in tables
        ],
        "Divide the scores by T; you multiply.": [
            _best_product(factor) for factor in (1.5, 0.7, 2.4)
        ],
        "You return the last T that was tried. Remember the best so far.": [3.0] * 3,
        "You return the first T, whatever the scores. Is the return inside the loop? Do you take "
        "the loss of scores, not of shares? (Accuracy does not depend on T.)": [0.5] * 3,
    }
    for hint, mistaken in mistakes.items():
        need(answers != mistaken, hint)
    for answer, right in zip(answers, best, strict=True):
        need(
            abs(answer - right) < 0.05,
            f"On scores of our own you find {answer:.2f}; the loss is lower at {right}.",
        )


def _best_product(factor: float) -> float:
    logits, labels = _spread_scores(factor)
    tried = [tenths / 10 for tenths in range(5, 31)]
    return min(tried, key=lambda t: F.cross_entropy(logits * t, labels).item())


FAILED: dict[str, set[int]] = {"A": {2, 3}, "B": {1}, "C": set()}
CLUES = {
    ("A", 1): "What is the loss when all ten scores are 0?",
    ("A", 2): "What is its loss after 200 updates?",
    ("A", 3): "What gets back through a ReLU that gives 0?",
    ("B", 1): "How large are its scores before training?",
    ("B", 2): "What is its loss after 200 updates?",
    ("B", 3): "A factor of 40 makes slopes larger, not zero.",
    ("C", 1): "How far from 2.30 is its loss?",
    ("C", 2): "What is its loss after 200 updates?",
    ("C", 3): "Print the gradients: is any missing, or zero throughout?",
}


@check
def patients(failed_a: set[int], failed_b: set[int], failed_c: set[int]) -> None:
    """Check exercise 4: which of the tests 1, 2 and 3 each patient fails.

    Args:
        failed_a: By `PatientA`.
        failed_b: By `PatientB`.
        failed_c: By `PatientC`.
    """
    for name, failed in zip("ABC", (failed_a, failed_b, failed_c), strict=True):
        is_set = isinstance(failed, (set, frozenset, list, tuple))
        hint = f"Patient {name}: give a set of numbers, such as {{1, 3}}, or set() for none."
        need(is_set and all(number in (1, 2, 3) for number in failed), hint)
        for number in sorted(set(failed) ^ FAILED[name]):
            says = "fails" if number in failed else "passes"
            clue = CLUES[name, number]
            need(False, f"You say that patient {name} {says} test {number}. {clue}")


@check
def cured(kind: type[Any]) -> None:
    """Check exercise 5: a network that subtracts from each picture its own mean.

    Args:
        kind: The class, a kind of `NarrowLeNet`.
    """
    network = made(kind)
    need(isinstance(network, NarrowLeNet), "Your class should still extend NarrowLeNet.")
    images = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(0)) + 0.5
    scores = output_of(network, images, {"must match": "The mean has the wrong shape for a "
                       "subtraction: {error}. What does keepdim=True do?"})  # fmt: skip
    shape = tuple(scores.shape)
    need(shape == (4, 10), f"Four pictures should get scores (4, 10); yours are {shape}.")
    alone = torch.cat([network(image[None]) for image in images])
    need(
        torch.allclose(scores, alone, atol=1e-5),
        "A picture alone gets other scores than in a batch. Over which axes do you take the mean?",
    )
    brighter = images + torch.tensor([0.0, 1.0, 2.0, 3.0]).reshape(4, 1, 1, 1)
    same = torch.allclose(scores, network(brighter), atol=1e-4)
    need(same, "A brighter copy of a picture gets other scores. Is its own mean subtracted?")
    wanted = NarrowLeNet.forward(network, images - images.mean(dim=(1, 2, 3), keepdim=True))
    need(
        torch.allclose(scores, wanted, atol=1e-4),
        "More than the picture's mean is taken away. One mean for each picture, over all its "
        "pixels, and nothing else.",
    )


CASES = [  # answers and labels; in the last, classes without pictures
    ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 1, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 0, 2, 1]),
    ([3, 3, 5, 9, 9, 3], [3, 5, 5, 9, 3, 3]),
]


@check
def report(function: Callable[[Tensor, Tensor], tuple[float, float, Tensor, Tensor]]) -> None:
    """Check exercise 6: a report on answers.

    Args:
        function: Takes answers and labels, (N,) each; returns the accuracy, twice its standard
            error, the confusion matrix (10, 10) and the recalls (10,).
    """
    for answers, labels in CASES:
        result = function(torch.tensor(answers), torch.tensor(labels))
        need(result is not None, NO_RETURN)
        is_four = isinstance(result, (tuple, list)) and len(result) == 4
        need(is_four, "Return four things: accuracy, twice its standard error, matrix, recalls.")
        accuracy, error, matrix, recall = result
        right = torch.tensor(answers).eq(torch.tensor(labels))
        _check_numbers(float(accuracy), float(error), right.float().mean().item(), len(labels))
        counts = torch.zeros(10, 10)
        for label, answer in zip(labels, answers, strict=True):
            counts[label, answer] += 1
        _check_matrix(matrix, counts)
        _check_recall(recall, counts)


def _check_numbers(accuracy: float, error: float, right: float, count: int) -> None:
    need(not math.isclose(accuracy, right * count), "The accuracy is a share, not a count.")
    need(not math.isclose(accuracy, 100 * right, rel_tol=1e-4), "Give the accuracy from 0 to 1.")
    need(math.isclose(accuracy, right, abs_tol=1e-5), f"You say {accuracy:.3f} where the accuracy "
         f"is {right:.3f}.")  # fmt: skip
    once = math.sqrt(right * (1 - right) / count)
    mistakes = {
        once: "That is *one* standard error. Twice is asked.",
        2 * once**2: "The root is missing in the standard error.",
        2 * math.sqrt(right * (1 - right)): "The standard error: divide by the number of pictures.",
        2 * once * math.sqrt(count / 10): "n is the number of pictures, not of classes.",
    }
    for mistaken, hint in mistakes.items():
        need(not math.isclose(error, mistaken, rel_tol=1e-4), hint)
    hint = "The second number is not twice the standard error."
    need(math.isclose(error, 2 * once, rel_tol=1e-3), hint)


def _check_matrix(matrix: Any, counts: Tensor) -> None:  # noqa: ANN401 (of the learner's)
    need(torch.is_tensor(matrix), f"The matrix is a {type(matrix).__name__}, not a tensor.")
    shape = tuple(matrix.shape)
    need(shape == (10, 10), f"The matrix has the shape {shape}, not (10, 10).")
    found = matrix.to(counts)
    need(not torch.equal(found, counts.T), "Your matrix lies on its side: rows are for the truth.")
    shares = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
    need(not torch.allclose(found, shares), "The matrix holds shares. Counts are asked.")
    missing = found.sum() < counts.sum()
    need(
        not missing, "The matrix has too few tallies. Are all pictures counted? (= instead of +=?)"
    )
    need(torch.equal(found, counts), "Some cells of the matrix hold wrong counts.")


def _check_recall(recall: Any, counts: Tensor) -> None:  # noqa: ANN401 (of the learner's)
    need(torch.is_tensor(recall), f"The recalls are a {type(recall).__name__}, not a tensor.")
    shape = tuple(recall.shape)
    need(shape == (10,), f"The recalls have the shape {shape}, not (10,).")
    found, diagonal = recall.to(counts), counts.diagonal()
    need(not found.isnan().any(), "A class without pictures has 0/0, which is nan. Give it 0.")
    precision = diagonal / counts.sum(dim=0).clamp(min=1)
    wanted = diagonal / counts.sum(dim=1).clamp(min=1)
    precise = torch.allclose(found, precision) and not torch.allclose(precision, wanted)
    need(not precise, "That is the precision. Divide by the sums of the rows.")
    whole = torch.allclose(found, diagonal / counts.sum())
    need(not whole, "You divide by all pictures. Divide by those of the class.")
    need(torch.allclose(found, wanted), "The recalls are not right.")
