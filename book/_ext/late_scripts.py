"""Scripts that a page can do without come after it, or not at all.

Only the script that shows widgets runs while a page arrives. The theme's scripts of one line serve
what this book does not have. Search has a page of its own, whose scripts need one another at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sphinx.builders.html._assets import _JavaScript

if TYPE_CHECKING:
    from sphinx.application import Sphinx

AFTER_WIDGETS = 910
AT_ONCE = "_static/widgets/pages.js"
NEEDED_WITH = {"_static/design-tabs.js": "sd-tab-set"}  # by what stands in the page


def put_off(app: Sphinx, page: str, template: str, context: dict[str, Any], _: object) -> None:
    """Put off the scripts of a page."""
    if page == "search":
        return
    context["script_files"] = [
        file if file.filename == AT_ONCE else deferred(file)
        for file in context["script_files"]
        if file.filename and NEEDED_WITH.get(str(file.filename), "") in context.get("body", "")
    ]


def deferred(file: _JavaScript) -> _JavaScript:
    """Make a script wait for the page; other pages have the same object."""
    return _JavaScript(file.filename, priority=file.priority, **file.attributes, defer="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", put_off, priority=AFTER_WIDGETS)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
