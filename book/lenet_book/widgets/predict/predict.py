"""Predict: a guess before the answer, and what makes a wrong one tempting."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lenet_book.widgets.shared.base import Widget

Answer = float | Sequence[int] | str
Plain = float | list[int] | str  # what JSON can hold of it


class Predict(Widget):
    """A guess before the answer: a number, a shape, or one of several texts.

    What kind it is follows from the answer. The reader guesses until it is right, or lets the
    answer be shown; then the folded output of the next cell, tagged ``hide-output``, unfolds in a
    page of the book. The guesses stay on the reader's device. In a chapter the cell is tagged
    ``remove-input``, for its code tells the answer::

        Predict(
            "Which shape has the output of `conv1`?",
            tuple(conv1(images).shape[1:]),
            {(6, 28, 28): "it keeps 28, as it would with padding."},
            why="A kernel of 5 has 28 − 5 + 1 = 24 places on 28 pixels.",
        )

    Args:
        question: What is asked, with code between backticks, as in `tempting` and `why`.
        answer: The right answer.
        tempting: Wrong answers, each with what makes it tempting: how the sentence goes on that
            begins with "Not yet, but tempting:".
        why: What is said with the answer, whole sentences.
        tolerance: How far from the answer a number may be.

    Raises:
        ValueError: A wrong answer is the right one, or there is nothing to choose from.
    """

    front_end = Path(__file__).with_suffix(".js")

    def __init__(
        self,
        question: str,
        answer: Answer,
        tempting: Mapping[Any, str],
        *,
        why: str,
        tolerance: float = 0,
    ) -> None:
        kind, right = _plain(answer)
        wrong = [(_plain(guess)[1], reason) for guess, reason in tempting.items()]
        if not wrong and kind == "choice":
            raise ValueError("there is one answer alone to choose")
        if any(_is_near(guess, right, tolerance) for guess, _ in wrong):
            raise ValueError(f"the answer, {answer!r}, is among the wrong ones")
        asked = re.sub("`(.*?)`", r"<code>\1</code>", html.escape(question))
        meta = {"question": question, "kind": kind, "answer": right, "tempting": wrong, "why": why}
        super().__init__({**meta, "tolerance": tolerance, "poster": f"<p>{asked}</p>"})

    def __repr__(self) -> str:
        return f"Predict({self.meta['question']!r})"


def _plain(answer: Answer) -> tuple[str, Plain]:
    """Name the kind of an answer, and write it for JSON."""
    if isinstance(answer, str):
        return "choice", answer
    return ("shape", [*answer]) if isinstance(answer, Sequence) else ("number", float(answer))


def _is_near(guess: Plain, answer: Plain, tolerance: float) -> bool:
    if isinstance(guess, float) and isinstance(answer, float):
        return abs(guess - answer) <= tolerance
    return guess == answer
