"""Execute chapters in place on the real data: `python book/tools/execute.py CHAPTER...`.

What is stored afterwards depends on the chapter, the data and Python's version alone: no times, no
progress bars, no messages on stderr, and cell ids that stay as they were. When JupyterLab saves a
chapter that nobody has changed, it stores the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from browser import chromium
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from PIL import Image

import lenet_book.widgets
from lenet_book.widgets.shared.pages import STATE_TYPE, VIEW_TYPE, class_of, page_of

CONTROLS = "@jupyter-widgets/controls"
NUM_COLOURS = 64
WINDOW = {"width": 900, "height": 1000}  # in pixels
PNG = "image/png"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
CELL_TIMEOUT_SECONDS = 1800


def execute(path: Path) -> None:
    """Run a chapter from top to bottom and store it with its outputs.

    Raises:
        CellExecutionError: A cell fails; the file stays as it was.
        ValueError: A cell writes to stderr; the file stays as it was.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        coalesce_streams=True,  # what a cell prints is one output, however it arrived
    )
    client.execute()
    refuse_stderr(notebook)
    drop_progress_bars(notebook)
    add_pictures(notebook)
    tidy(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def refuse_stderr(notebook: NotebookNode) -> None:
    """Raise `ValueError` when a cell wrote to stderr."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise ValueError(f"a cell wrote to stderr:\n{cell.source}\n\n{output.text}")


def drop_progress_bars(notebook: NotebookNode) -> None:
    """Leave out the controls of ipywidgets, which a page without a kernel cannot show."""
    states = notebook.metadata.get("widgets", {}).get(STATE_TYPE, {}).get("state", {})
    dropped = [key for key, model in states.items() if model["model_module"] == CONTROLS]
    for key in dropped:
        del states[key]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if viewed_by(out) not in dropped]


def add_pictures(notebook: NotebookNode) -> None:
    """Store a picture of each widget, for places that show none, such as GitHub.

    It takes the place of the page that an output carries: that one is larger, and GitHub would
    prefer it and then leave it blank.
    """
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", []) if viewed_by(out)]
    if not outputs:
        return
    states = notebook.metadata.widgets[STATE_TYPE]
    with chromium() as browser, TemporaryDirectory() as folder:
        window = browser.new_page(viewport=WINDOW, reduced_motion="reduce")
        for output in outputs:
            page = Path(folder) / "widget.html"
            page.write_text(page_of_view(states, viewed_by(output)), encoding="utf-8")
            window.goto(page.as_uri())
            widget = window.locator(".lenet-widget").first
            widget.wait_for()
            output.data.pop("text/html")
            output.data[PNG] = in_few_colours(widget.screenshot())


def page_of_view(states: NotebookNode, model_id: str) -> str:
    """Write a page that shows a widget whose state is stored."""
    name = class_of(states, model_id)
    kind = getattr(lenet_book.widgets, name)
    return page_of(states, model_id, kind.scripts(), name, kind.sentence())


def in_few_colours(picture: bytes) -> str:
    """Make a PNG smaller by a palette; return it in base64."""
    stream = io.BytesIO()
    colours = Image.open(io.BytesIO(picture)).convert("RGB").quantize(NUM_COLOURS)
    colours.save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def viewed_by(output: NotebookNode) -> str:
    """Return the id of the model that an output views; empty if it views none."""
    return str(output.get("data", {}).get(VIEW_TYPE, {}).get("model_id", ""))


def tidy(notebook: NotebookNode) -> None:
    """Leave in the metadata what JupyterLab would store as well, and nothing of this run."""
    kept = {"kernelspec": KERNEL, "language_info": notebook.metadata.language_info}
    if "widgets" in notebook.metadata:
        kept["widgets"] = json.loads(
            json.dumps(notebook.metadata.widgets), parse_float=as_browsers_do
        )
    notebook.metadata = NotebookNode(kept)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "solution" in tags and "hide-cell" not in tags:
            tags.append("hide-cell")
        kept = {"tags": tags, "mystnb": cell.metadata.get("mystnb")}  # the latter holds alt texts
        cell.metadata = NotebookNode({key: value for key, value in kept.items() if value})
        for output in cell.get("outputs", []):
            if PNG in output.get("data", {}) and PNG not in output.metadata:
                output.metadata[PNG] = size_of(output.data[PNG])  # so that a page keeps its room
        if "solution" in tags:
            cell.metadata.jupyter = {"source_hidden": True, "outputs_hidden": True}
            cell.metadata.collapsed = True
            cell.metadata.cellView = "form"  # Colab's way to fold code
            prompts = {"code_prompt_show": "Solution", "code_prompt_hide": "Solution"}
            cell.metadata.mystnb = {**cell.metadata.get("mystnb", {}), **prompts}
        elif {"hide-input", "remove-input"} & set(tags):
            cell.metadata.jupyter = {"source_hidden": True}
        elif "hide-output" in tags:  # what a reader predicts
            cell.metadata.jupyter = {"outputs_hidden": True}
            cell.metadata.collapsed = True  # the same in Colab; JupyterLab stores both
            prompts = {"code_prompt_show": "My guess is made: show", "code_prompt_hide": "Hide"}
            cell.metadata.mystnb = {**cell.metadata.get("mystnb", {}), **prompts}


def as_browsers_do(number: str) -> float:
    """Read a number so that it is written as a browser writes it: 1.0 as 1."""
    value = float(number)
    return int(value) if value.is_integer() else value


def size_of(picture: str) -> NotebookNode:
    """Measure a picture, a PNG in base64, in pixels."""
    width, height = Image.open(io.BytesIO(base64.b64decode(picture))).size
    return NotebookNode(width=width, height=height)


def main() -> int:
    """Execute the chapters named on the command line; stop at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chapters", type=Path, nargs="+")
    chapters = parser.parse_args().chapters
    os.environ.update(LENET_REQUIRE_REAL="1", TQDM_DISABLE="1")
    for path in chapters:
        print(f"{path} ...", flush=True)
        started = time.perf_counter()
        try:
            execute(path)
        except (CellExecutionError, ValueError) as error:
            print(error, file=sys.stderr)
            print(f"{path} was left as it was.", file=sys.stderr)
            return 1
        print(f"{path} took {time.perf_counter() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
