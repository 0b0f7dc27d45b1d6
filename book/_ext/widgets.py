"""The book's widgets on its pages: the present package shows what stored notebooks hold.

myst-nb writes the states of a notebook's widgets into its page. They are made smaller here, and
the scripts that show them are written beside the site's other files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lenet_book.widgets
from lenet_book.widgets import Widget
from lenet_book.widgets.shared import pages

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "_static/widgets"
AFTER_MYST_NB = 900


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
    for source in (pages.MOUNTING_SCRIPT, pages.MOUNTING_STYLE):
        text = source.read_text(encoding="utf-8")
        (folder / source.name).write_text(text, encoding="utf-8")
    for widget in widget_classes():
        script = folder / f"{widget.__name__}.js"
        script.write_text(widget.definition(), encoding="utf-8")


def slim_states(app: Sphinx, page: str, template: str, context: dict[str, Any], _: object) -> None:
    """Make the states in a page smaller."""
    for script in context.get("script_files", []):
        attributes = getattr(script, "attributes", {})
        if attributes.get("type") == pages.STATE_TYPE and "slim" not in attributes:
            embedded = json.loads(attributes["body"])
            attributes["body"] = pages.as_script_text(pages.slim(embedded))
            attributes["slim"] = ""


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write_scripts)
    app.connect("html-page-context", slim_states, priority=AFTER_MYST_NB)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
