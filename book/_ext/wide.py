"""Pages that give a widget the whole width: `wide_pages` in `_config.yml` names them.

Their body has the class `lenet-wide-page`. They open with the list of chapters put away, and have
no list of their own contents at the right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def widen(app: Sphinx, page: str, template: str, context: dict[str, Any], _: object) -> None:
    """Tell the templates that a page is wide."""
    if page in app.config.wide_pages:
        context["wide"] = True
        removed = {"html_theme.sidebar_secondary.remove": True}
        context["meta"] = {**(context.get("meta") or {}), **removed}


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("wide_pages", [], "html")
    app.connect("html-page-context", widen)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
