"""Networks and cells from their text, run as a file or a notebook runs it; fixes made by hand."""

from __future__ import annotations

import ast
import importlib.util
import json
import linecache
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenet.shapes import Fix

CHAPTERS = Path(__file__).parents[1] / "chapters"
NAMES = {"nn": nn, "F": F, "torch": torch, "OrderedDict": OrderedDict, "__name__": "__main__"}


def run_cell(source: str, name: str = "") -> dict[str, Any]:
    """Run the text of a notebook's cell, which can be read back; return the names it leaves."""
    name = name or f"<ipython-input-{len(linecache.cache)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    space = dict(NAMES)
    exec(compile(source, name, "exec"), space)
    return space


def load_file(path: Path, source: str | None = None) -> ModuleType:
    """Run a file as a module of its own; with another source if one is given."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if source is None:
        spec.loader.exec_module(module)
    else:
        exec(compile(source, path, "exec", dont_inherit=True), vars(module))
    return module


def make_by_hand(fix: Fix, model: nn.Module, images: Tensor) -> tuple[nn.Module, Tensor]:
    """Run the statements of a fix."""
    space = NAMES | {"model": model, "images": images}
    for statement in fix.statements:
        exec(statement, space)
    return space["model"], space["images"]


def cells_of(chapter: str) -> dict[str, dict[str, Any]]:
    """The code cells of a chapter, by their ids."""
    notebook = json.loads((CHAPTERS / f"{chapter}.ipynb").read_text(encoding="utf-8"))
    return {cell["id"]: cell for cell in notebook["cells"] if cell["cell_type"] == "code"}


def value_of(cell: dict[str, Any], names: dict[str, Any]) -> object:
    """Run a cell and return the value of its last line, as a notebook shows it."""
    *lines, last = ast.parse("".join(cell["source"])).body
    exec(compile(ast.Module(lines, []), "<cell>", "exec"), names)
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([last], []), "<cell>", "exec"), names)
        return None
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
