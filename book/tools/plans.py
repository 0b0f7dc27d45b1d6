"""Minutes of the page for teachers, counted from what the chapters state.

A line of ```` ```{plan} ```` is an hour of a course: its number, the chapters that are read, the
exercises done in class and what is left for home, as in ``1 | 1 | 1.1, 1.2 | 1.4``. A line of
```` ```{costs} ```` is a chapter, with what one run of it took: ``1 | 16 s | 2.4 GB``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CHAPTERS = Path(__file__).parents[2] / "chapters"
READING = re.compile(r"\*\*Time\*\*: about (\d+) minutes")
EXERCISE = re.compile(r"^### (\d+\. .+)\n\n\*(\w+), (\d+) minutes\.\*", re.MULTILINE)
PART = re.compile(r"\d+(?:\.\d+)?")  # a chapter, or an exercise of it

Row = list[str]


def prose(chapter: Path) -> str:
    """Return the Markdown of a chapter."""
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


@cache
def stated() -> dict[str, int]:
    """The minutes to read each chapter, by its number, and to do each exercise, by both numbers."""
    found = {}
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        chapter, text = int(path.name[:2]), prose(path)
        found[f"{chapter}"] = int(READING.findall(text)[0])
        for title, _, long in EXERCISE.findall(text):
            found[f"{chapter}.{title.partition('.')[0]}"] = int(long)
    return found


def minutes(parts: str) -> str:
    """Add up the minutes of chapters and exercises; nothing where there are none."""
    total = sum(stated()[part] for part in PART.findall(parts))
    return str(total or "")


def plan(lines: Iterable[str]) -> list[Row]:
    """Return hour, what is read, exercises, their minutes, what is done at home, its minutes."""
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [
        [hour, read, exercises, minutes(f"{read} {exercises}"), home, minutes(home)]
        for hour, read, exercises, home in rows
    ]


def costs(lines: Iterable[str]) -> list[Row]:
    """Return chapter, minutes to read, minutes of exercises, and what else the line says."""
    rows = []
    for line in lines:
        chapter, *measured = (cell.strip() for cell in line.split("|"))
        exercises = " ".join(part for part in stated() if part.startswith(f"{chapter}."))
        rows.append([chapter, minutes(chapter), minutes(exercises), *measured])
    return rows


class Table(Directive):
    """A table that is made from the lines of its content."""

    has_content = True
    columns: tuple[str, ...]
    rows: Callable[[Iterable[str]], list[Row]]

    def run(self) -> list[nodes.Node]:
        """Let the Markdown of the table be parsed."""
        rows = [self.columns, *type(self).rows(self.content)]
        lines = [f"| {' | '.join(cells)} |" for cells in rows]
        lines.insert(1, "|" + "---|" * len(self.columns))
        made = nodes.container()
        self.state.nested_parse(StringList(lines), 0, made)
        return made.children


class Plan(Table):
    """The hours of a course."""

    columns = ("hour", "read", "exercises", "minutes", "at home", "minutes")
    rows = plan


class Costs(Table):
    """What each chapter takes: a reader's minutes, a machine's time and memory."""

    columns = ("chapter", "minutes to read", "of exercises", "processor time", "memory")
    rows = costs


def setup(app: Sphinx) -> dict[str, Any]:
    """Register both directives with Sphinx."""
    app.add_directive("plan", Plan)
    app.add_directive("costs", Costs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
