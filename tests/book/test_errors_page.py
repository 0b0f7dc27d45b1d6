"""The page of error messages shows what today's PyTorch says, whole, and where it says it.

Its messages are compared when `make test` runs the page; here is what makes sure of that, and what
the page quotes without running it.
"""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from lenet.shapes import explain

PAGE = Path(__file__).parents[2] / "book" / "errors.ipynb"
CELLS = {cell.id: cell for cell in nbformat.read(PAGE, as_version=4).cells}
HEADINGS = [
    heading.replace("\\", "")
    for cell in CELLS.values()
    for heading in re.findall(r"^### (.*)", cell.source, re.M)
]
TABLE = "mat1-table"


def printed(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.get("outputs", []))


def message_of(action: Any) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011 (any error: its message is the matter)
        action()
    return str(caught.value)


class Dying(Dataset):
    """A data set that ends the worker that reads it."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> int:
        os._exit(1)


def test_what_the_page_prints_is_compared_whenever_it_runs():
    silent = {"setup", "imports", TABLE}
    for name, cell in CELLS.items():
        if cell.cell_type == "code" and name not in silent:
            assert printed(cell), name
            assert "nbval-check-output" in cell.metadata.get("tags", []), name


def test_every_heading_is_a_message_that_was_produced():
    messages = " ".join(map(printed, CELLS.values()))
    messages += message_of(lambda: next(iter(DataLoader(Dying(), num_workers=1))))
    assert len(HEADINGS) > 30
    for heading in HEADINGS:
        for part in re.split(r"…|, and |: |, ", heading):
            assert part.strip() in messages, heading


def test_the_explanation_on_the_page_is_that_of_today():
    """Its line numbers too: they are those of the network in the package."""
    space: dict[str, Any] = {}
    exec(CELLS["imports"].source, space)
    exec(CELLS["mat1-code"].source, space)
    (output,) = CELLS[TABLE].outputs
    assert output["data"]["text/plain"] == repr(
        explain(space["unpadded"], space["images"], seconds=60)
    )


def test_what_is_quoted_of_another_machine_is_what_pytorch_says():
    """As far as this machine can tell: the rest is compiled and needs a GPU."""
    quoted = re.findall(r"\*\*(.+?)[.,]\*\*", CELLS["gpu"].source)
    written = inspect.getsource(torch.cuda)
    assert {message for message in quoted if message in written} == {
        "Torch not compiled with CUDA enabled",
        "Cannot re-initialize CUDA in forked subprocess",
    }
    if torch.version.cuda and not torch.cuda.is_available():
        message = message_of(lambda: torch.ones(1).cuda())
        assert any(message.startswith(f"{each}.") for each in quoted)
