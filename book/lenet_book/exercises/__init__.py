"""Checks of the exercises: they answer what a learner wrote, and show no answer.

There is a module for each chapter, and in it a function for each exercise that takes the learner's
own objects: ``chapter01.batches(my_batches, my_dropped, my_last)``. A function has a signature
to look up, and its name says what is asked. It returns a `Verdict`, which a notebook shows as a
sentence: right; not yet, with a hint about this very mistake; or where the learner's code stopped.
"""

from __future__ import annotations

import linecache
import sysconfig
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec

P = ParamSpec("P")
LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))


@dataclass(frozen=True)
class Verdict:
    """What a check answers.

    Attributes:
        right: Whether the exercise is solved.
        text: The answer in a sentence or two.
    """

    right: bool
    text: str

    def __repr__(self) -> str:
        return self.text


class NotYet(Exception):  # noqa: N818 (no error: an answer)
    """The learner's object is not right; the message is the hint."""


def need(holds: bool, hint: str) -> None:
    """Raise `NotYet` with the hint unless the condition holds."""
    if not holds:
        raise NotYet(hint)


def check(body: Callable[P, None]) -> Callable[P, Verdict]:
    """Make a check of a function that raises: `NotYet`, or whatever the learner's code raises."""

    @wraps(body)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Verdict:
        if any(value is None for value in (*args, *kwargs.values())):
            return Verdict(False, "Not answered yet.")
        try:
            body(*args, **kwargs)
        except NotYet as hint:
            return Verdict(False, f"Not yet. {hint}")
        except Exception as error:
            return Verdict(False, told(error))
        return Verdict(True, "Right.")

    return checked


def told(error: Exception) -> str:
    """Say in plain words which line of the learner's stopped, and with what message."""
    message = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith((*LIBRARIES, str(Path(__file__).parent))):
            line = linecache.getline(frame.filename, frame.lineno or 0).strip()
            return f"Your code stopped at the line `{line}` with the message {message}"
    return f"Your code cannot be used as the exercise asks. Python says {message}"
