"""The first line of every module of figures names the chapters that show them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

from lenet_book import figures

ROOT = Path(__file__).parents[3]
MODULES = sorted({getattr(figures, name).__module__ for name in figures.__all__})


def chapters_that_call(names: set[str]) -> set[int]:
    found = set()
    for path in (ROOT / "chapters").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        if names & set(re.findall(r"\bfigures\.(\w+)", code)):
            found.add(int(path.name[:2]))
    return found


@pytest.mark.parametrize("module", [m for m in MODULES if not m.endswith(".drawing")])
def test_a_module_names_its_chapters(module: str) -> None:
    own = {name for name in figures.__all__ if getattr(figures, name).__module__ == module}
    source = ROOT / "book" / Path(*module.split(".")).with_suffix(".py")
    first_line = (ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or "").split(
        ":"
    )[0]
    named = set(map(int, re.findall(r"\d+", first_line)))
    calling = chapters_that_call(own)
    assert named <= calling
    assert named == calling or "most others" in first_line
