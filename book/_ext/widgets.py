"""The book's widgets on its pages: the present package shows what stored notebooks hold.

myst-nb writes the states of a notebook's widgets into the head of its page. They are moved to where
the widgets appear and made smaller, and the scripts that show them are written beside the site's
other files.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.util import logging

import lenet_book.widgets
from lenet_book.widgets import Widget
from lenet_book.widgets.shared import pages
from lenet_book.widgets.shared.pages import STATE_TYPE, VIEW_TYPE

if TYPE_CHECKING:
    from sphinx.application import Sphinx

logger = logging.getLogger(__name__)
FOLDER = "_static/widgets"
AFTER_MYST_NB = 900
SCRIPT = '<script async fetchpriority="high" src="{}/{}.js"></script>\n'
NOT_STORED = '<p class="lenet-static-failure">This widget was not stored with its chapter.</p>'
VIEW = re.compile(rf'<script type="{re.escape(VIEW_TYPE)}">(.*?)</script>', re.DOTALL)


def widget_classes() -> list[type[Widget]]:
    """All widgets that the package offers."""
    offered = (getattr(lenet_book.widgets, name) for name in lenet_book.widgets.__all__)
    return [widget for widget in offered if hasattr(widget, "front_end")]


def write_scripts(app: Sphinx) -> None:
    """Write the mounting script, and for each class a script with its front end."""
    if app.builder.format != "html":
        return
    folder = Path(app.outdir) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    style = pages.MOUNTING_STYLE.read_text(encoding="utf-8")
    (folder / pages.MOUNTING_STYLE.name).write_text(style, encoding="utf-8")
    (folder / pages.MOUNTING_SCRIPT.name).write_text(pages.mounting_script(), encoding="utf-8")
    for widget in widget_classes():
        script = folder / f"{widget.__name__}.js"
        script.write_text(widget.definition(), encoding="utf-8")
        for name, text in (widget.part_definitions() | widget.worker_programs()).items():
            (folder / f"{name}.js").write_text(text, encoding="utf-8")


def place_widgets(
    app: Sphinx, page: str, template: str, context: dict[str, Any], _: object
) -> None:
    """Put the states of a page's widgets, and what brings their front ends, where they appear."""
    files = context.get("script_files", [])
    states = [file for file in files if getattr(file, "attributes", {}).get("type") == STATE_TYPE]
    ids = [json.loads(view)["model_id"] for view in VIEW.findall(context.get("body", ""))]
    if not ids:
        return
    embedded = json.loads(states[0].attributes["body"]) if states else {"state": {}}
    context["script_files"] = [file for file in files if file not in states]
    stored = [model_id for model_id in ids if model_id in embedded["state"]]
    if len(stored) < len(ids):
        logger.warning(
            "%s.ipynb does not hold the state of %d of its %d widgets, as after saving it in "
            "JupyterLab: make execute CHAPTERS=%s.ipynb stores it",
            *(page, len(ids) - len(stored), len(ids), page),
        )
    folder = context["pathto"](FOLDER, 1)
    scripts = {
        widget.__name__: SCRIPT.format(folder, widget.__name__) for widget in widget_classes()
    }
    sentences = {widget.__name__: widget.sentence() for widget in widget_classes()}
    boxes = dict(zip(stored, pages.boxes(embedded, stored, scripts, sentences), strict=True))
    shown = iter([boxes.get(model_id, NOT_STORED) for model_id in ids])
    context["body"] = VIEW.sub(lambda _: next(shown), context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write_scripts)
    app.connect("html-page-context", place_widgets, priority=AFTER_MYST_NB)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
