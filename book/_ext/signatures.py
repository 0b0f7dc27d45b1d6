"""Signatures as one calls things, where autodoc cannot find or read them by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sphinx.util.inspect import signature, stringify_signature

from lenet_book.widgets import Widget

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def mend(
    app: Sphinx, what: str, name: str, found: object, options: object, arguments: str, returns: str
) -> tuple[str, str]:
    """Write what a widget takes, which traitlets hides, and defaults that a factory makes."""
    if isinstance(found, type) and issubclass(found, Widget):
        own = signature(found.__init__, bound_method=True)
        own = own.replace(return_annotation=own.empty)
        arguments = stringify_signature(own, unqualified_typehints=True)
    return arguments and arguments.replace("<factory>", "..."), returns


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("autodoc-process-signature", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
