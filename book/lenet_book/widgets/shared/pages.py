"""Widgets in pages without a kernel: the states they carry, and the scripts that show them.

A page begins with the mounting script `pages.js`. Each widget has a box in it, made by `boxes`: its
poster, which is what can be seen without a script, its state (as ipywidgets writes it, made smaller
by `slim`), and for its class the front end, wrapped by `definition` into a classic script, because
pages opened from disk may not import modules from files. What the front end imports later comes in
scripts of their own, fetched from beside the first: `part_definitions`. The programs of workers lie
there too, for pages from a web server, whose policy then can do without programs made of text.

The poster is HTML without scripts in ``meta["poster"]``, as a class has written it: the first state
as pictures and text. Without one, a sentence says what the widget shows.
"""

from __future__ import annotations

import base64
import html
import itertools
import json
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
from ipywidgets.embed import dependency_state

from lenet_book.widgets.shared import joining
from lenet_book.widgets.shared.joining import joined_parts, joined_script, joined_style

STATE_TYPE = "application/vnd.jupyter.widget-state+json"
VIEW_TYPE = "application/vnd.jupyter.widget-view+json"
MOUNTING_SCRIPT = Path(__file__).with_name("pages.js")
MOUNTING_STYLE = Path(__file__).with_name("pages.css")

_FRONT_END = ("_esm", "_css")
_LOOKS = ("LayoutModel", "StyleModel")
_REFERENCE = re.compile(r"IPY_MODEL_(\w+)")

_BOX = """<div class="lenet-static" data-model="{model_id}"{named}>
{poster}
<noscript><p>The interactive part needs JavaScript.</p></noscript>
</div>
{front_end}<script type="{state_type}">{state}</script>
<script>lenetWidgets.mount()</script>"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5; }}
body {{ max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem; }}
body:has(> * > .lenet-stepper) {{ max-width: 90rem; }} /* the stage is as wide as the screen */
@media (prefers-color-scheme: dark) {{ body {{ background: #14191e; }} }}
{style}</style>
</head>
<body>
<script>{mounting}</script>
{box}
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
    meta = state["meta"] if isinstance(state.get("meta"), dict) else {}
    if "poster" in meta:  # it stands in the page itself
        state["meta"] = {key: value for key, value in meta.items() if key != "poster"}
    arrays = meta.get("arrays", [])
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


def mounting_script() -> str:
    """Write the classic script that shows the widgets of a page, with what it imports."""
    return f'(() => {{\n"use strict";\n{joined_script(MOUNTING_SCRIPT)}}})();\n'


def definition(name: str, version: int, front_end: Path) -> str:
    """Write the classic script that hands the front end of a class to the mounting script."""
    start = as_script_text({"version": version, "style": joined_style(front_end)}).removesuffix("}")
    make = _inline(joining.front_end(front_end))
    return f'lenetWidgets.define({json.dumps(name)}, {start},"make":{make}}});\n'


def part_definitions(name: str, front_end: Path) -> dict[str, str]:
    """Write the scripts of what a front end imports later, by the names of their files."""
    parts = {f"{name}.{part}": text for part, text in joined_parts(front_end).items()}
    return {
        part: f"lenetWidgets.define({json.dumps(part)}, {_inline(text)});\n"
        for part, text in parts.items()
    }


def _inline(script: str) -> str:
    """Write a script so that it may stand in a page."""
    return script.replace("</script", r"<\/script").replace("<!--", r"<\!--")


def standalone_page(widget: ipywidgets.Widget, definition: str, title: str, sentence: str) -> str:
    """Write an HTML page that shows one widget, given its `definition`, and needs no other file."""
    states = {"state": dependency_state(widget, drop_defaults=False)}
    return page_of(states, str(widget.model_id), definition, title, sentence)


def page_of(
    embedded: Mapping[str, Any], model_id: str, definition: str, title: str, sentence: str
) -> str:
    """Write such a page of one of the widgets whose states ipywidgets has written down."""
    name = class_of(embedded, model_id)
    script = f"<script>{definition}</script>\n"
    (box,) = boxes(embedded, [model_id], {name: script}, {name: sentence})
    return _PAGE.format(
        title=html.escape(title),
        style=MOUNTING_STYLE.read_text(encoding="utf-8"),
        mounting=mounting_script(),
        box=box,
    )


def boxes(
    embedded: Mapping[str, Any],
    model_ids: Iterable[str],
    scripts: Mapping[str, str],
    sentences: Mapping[str, str],
) -> Iterator[str]:
    """Write what stands in a page where its widgets are to appear.

    A box comes with the states, arrays and front end that no box before it brought: its widget can
    be shown when the page has arrived as far as that.

    Args:
        embedded: The states of all widgets, as ipywidgets writes them into notebooks and pages.
        model_ids: The widgets, in the order of the page.
        scripts: By the name of a class, the script element that brings its front end.
        sentences: By the name of a class, what its widgets show.

    Yields:
        The HTML of each box.
    """
    slimmed = slim(embedded)
    states, chunks = slimmed["state"], dict(enumerate(slimmed["chunks"]))
    places: Counter[str] = Counter()
    for model_id in model_ids:
        widget = embedded["state"][model_id]["state"]
        name = class_of(embedded, model_id)
        places[name] += 1
        own = {key: states.pop(key) for key in _needed(model_id, embedded["state"], states)}
        numbers = {n for state in own.values() for b in state["buffers"] for n in b["chunks"]}
        new = {number: chunks.pop(number) for number in sorted(numbers & chunks.keys())}
        yield _BOX.format(
            model_id=model_id,
            named=f' id="{name}-{places[name]}" data-widget="{name}"' if name else "",
            poster=_poster(widget) or f"<p>{html.escape(sentences.get(name, ''))}</p>",
            front_end=scripts[name] if places[name] == 1 and name in scripts else "",
            state_type=STATE_TYPE,
            state=as_script_text({"state": own, "chunks": new}),
        )


def class_of(embedded: Mapping[str, Any], model_id: str) -> str:
    """Return the name of a widget's class; empty if it is none of anywidget's."""
    widget = embedded["state"][model_id]["state"]
    return str(widget.get("_anywidget_id", "")).rpartition(".")[2]


def _needed(model_id: str, states: Mapping[str, Any], left: Container[str]) -> list[str]:
    """List the models that a model is made of, itself among them, which are still `left`."""
    needed, found = [], [model_id]
    while found:
        key = found.pop()
        if key in left and key not in needed:
            needed.append(key)
            found += _REFERENCE.findall(json.dumps(states[key]["state"]))
    return needed


def _poster(state: Mapping[str, Any]) -> str:
    meta = state.get("meta")
    return meta.get("poster", "") if isinstance(meta, dict) else ""


def as_script_text(value: object) -> str:
    """Write JSON that can stand in a script element, whatever texts it holds."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
