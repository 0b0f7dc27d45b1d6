"""The code of a forward pass: which lines to show, and what each step lights up in them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from torch import nn

from lenet.tracing import Step


@dataclass
class Listing:
    """Lines of code under a title.

    Attributes:
        title: Whose code it is, such as ``LeNet5.forward``.
        first: The line in its file or notebook cell of the first line shown.
        lines: The lines, without their common indentation.
    """

    title: str
    first: int
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Spot:
    """Where a step stands: lines of a listing, and columns when it is part of one line."""

    listing: int
    line: int
    num_lines: int = 1
    columns: tuple[int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """The spot as plain JSON."""
        return {**vars(self), "columns": list(self.columns) if self.columns else None}


def find_source(model: nn.Module, steps: Sequence[Step]) -> tuple[list[Listing], list[Spot]]:
    """Find the lines of code behind each step.

    A step that no code of its own has made, such as a layer of a bare `nn.Sequential`, gets a line
    with its expression in a listing of all such steps.
    """
    listings: list[Listing] = []
    known: dict[object, int] = {}
    spots = []
    for step in steps:
        function = _function_around(model, step)
        if function is None:
            spots.append(_in_outline(model, step, listings, known))
            continue
        if function not in known:
            known[function] = len(listings)
            listings.append(_listing_of(function))
        spots.append(_locate(step, known[function], listings[known[function]]))
    return listings, spots


def _function_around(model: nn.Module, step: Step) -> FunctionType | None:
    """Find the method, of a module that was running, in whose source a step's line lies."""
    if step.place.line is None:
        return None
    scope = step.scope
    while True:
        kind = type(model.get_submodule(scope))
        for owner in kind.__mro__:
            for function in vars(owner).values():
                if isinstance(function, FunctionType) and _covers(function, step):
                    return function
        if not scope:
            return None
        scope = scope.rpartition(".")[0]


def _covers(function: FunctionType, step: Step) -> bool:
    if function.__module__.startswith("torch."):
        return False
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return False
    assert step.place.line is not None
    first_words = step.place.code.split("\n")[0]
    at = step.place.line - first
    return 0 <= at < len(lines) and first_words in lines[at]


def _listing_of(function: FunctionType) -> Listing:
    lines, first = inspect.getsourcelines(function)
    kept = [line.rstrip() for line in lines]
    indent = min(len(line) - len(line.lstrip()) for line in kept if line)
    return Listing(
        function.__qualname__.rpartition(".<locals>.")[2], first, [line[indent:] for line in kept]
    )


def _locate(step: Step, index: int, listing: Listing) -> Spot:
    assert step.place.line is not None
    line = step.place.line - listing.first
    code = step.place.code.split("\n")
    if len(code) > 1:
        return Spot(index, line, len(code))
    start = listing.lines[line].index(code[0])
    return Spot(index, line, 1, (start, start + len(code[0])))


def _in_outline(
    model: nn.Module, step: Step, listings: list[Listing], known: dict[object, int]
) -> Spot:
    if "outline" not in known:
        known["outline"] = len(listings)
        listings.append(Listing(type(model).__name__, 1))
    lines = listings[known["outline"]].lines
    lines.append(step.place.code.split("\n")[0])
    return Spot(known["outline"], len(lines) - 1)
