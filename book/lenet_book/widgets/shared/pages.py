"""Widgets in pages without a kernel: the states they carry, and the scripts that show them.

A page holds the states of its widgets (as ipywidgets writes them, made smaller by `slim`), the
mounting script `pages.js`, and for each class of widget its front end, wrapped by `definition`
into a classic script, because pages opened from disk may not import modules from files.
"""

from __future__ import annotations

import base64
import html
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
from ipywidgets.embed import dependency_state

from lenet_book.widgets.shared.joining import joined_script, joined_style

STATE_TYPE = "application/vnd.jupyter.widget-state+json"
VIEW_TYPE = "application/vnd.jupyter.widget-view+json"
MOUNTING_SCRIPT = Path(__file__).with_name("pages.js")
MOUNTING_STYLE = Path(__file__).with_name("pages.css")

_FRONT_END = ("_esm", "_css")
_LOOKS = ("LayoutModel", "StyleModel")

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5; }}
body {{ max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #14191e; }} }}
{style}</style>
</head>
<body>
<script type="{state_type}">{state}</script>
<script type="{view_type}">{view}</script>
<script>{mounting}</script>
<script>{definition}</script>
</body>
</html>
"""


def slim(embedded: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of the states of a page what the page has already, or does not need.

    The front ends go, because a page brings the present ones. Buffers are cut into the arrays
    they hold, and equal arrays, such as the weights of one network in several widgets, are kept
    once for all.

    Args:
        embedded: The states of all widgets, as ipywidgets writes them into notebooks and pages.

    Returns:
        The states by the models' ids, and the list of all ``chunks``, base64; in place of the
        bytes of a buffer stands the list of its chunks.
    """
    chunks: dict[str, int] = {}
    states = {
        model_id: _slim_model(entry, chunks)
        for model_id, entry in embedded["state"].items()
        if not str(entry["model_name"]).endswith(_LOOKS)
    }
    return {"state": states, "chunks": list(chunks)}


def _slim_model(entry: Mapping[str, Any], chunks: dict[str, int]) -> dict[str, Any]:
    state = {key: value for key, value in entry["state"].items() if key not in _FRONT_END}
    arrays = state.get("meta", {}).get("arrays", []) if isinstance(state.get("meta"), dict) else []
    buffers = []
    for buffer in entry.get("buffers", []):
        cuts = [array["offset"] for array in arrays] if buffer["path"] == ["data"] else []
        blocks = _cut(base64.b64decode(buffer["data"]), cuts)
        texts = [base64.b64encode(block).decode() for block in blocks]
        numbers = [chunks.setdefault(text, len(chunks)) for text in texts]
        buffers.append({"path": buffer["path"], "chunks": numbers})
    return {
        "model_name": entry["model_name"],
        "model_module": entry["model_module"],
        "state": state,
        "buffers": buffers,
    }


def _cut(data: bytes, offsets: Sequence[int]) -> list[bytes]:
    places = sorted({0, *offsets, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


def definition(name: str, version: int, front_end: Path) -> str:
    """Write the classic script that hands the front end of a class to the mounting script."""
    parts = {
        "version": version,
        "script": joined_script(front_end),
        "style": joined_style(front_end),
    }
    return f"lenetWidgets.define({json.dumps(name)}, {as_script_text(parts)});"


def standalone_page(widget: ipywidgets.Widget, definition: str, title: str) -> str:
    """Write an HTML page that shows one widget, given its `definition`, and needs no other file."""
    states = dependency_state(widget, drop_defaults=False)
    return _PAGE.format(
        title=html.escape(title),
        style=MOUNTING_STYLE.read_text(encoding="utf-8"),
        state_type=STATE_TYPE,
        state=as_script_text(slim({"state": states})),
        view_type=VIEW_TYPE,
        view=as_script_text({"model_id": widget.model_id}),
        mounting=MOUNTING_SCRIPT.read_text(encoding="utf-8"),
        definition=definition,
    )


def as_script_text(value: object) -> str:
    """Write JSON that can stand in a script element, whatever texts it holds."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
