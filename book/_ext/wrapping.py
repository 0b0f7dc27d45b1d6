"""Lines that are longer than the page is wide continue below, marked; tables keep their columns.

Pygments closes every element before a line ends, so each long line can become an element of its
own. `book.css` lets it continue under its own indentation; what stands in columns scrolls instead.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

BLOCK = re.compile(  # on the pages of sources, no language is named
    r'((?:class="[^"]*\bhighlight-(\w+)[^>]*>)?<div class="highlight">)<pre>(.*?)</pre>', re.DOTALL
)
TAG = re.compile(r"<[^>]*>")
ROW = re.compile(r"\S {2,}[^\s#]|^ *\[")  # of a table (a comment is no column), or of a tensor
OUTPUTS = ("myst", "text", "default")
NARROWEST = 36  # characters that stand beside each other on a phone


def mark(app: Sphinx, page: str, template: str, context: dict[str, Any], _: object) -> None:
    """Mark long lines, and texts in columns, in all code and output of a page."""
    if "body" in context:
        context["body"] = BLOCK.sub(_marked, context["body"])


def _marked(block: re.Match[str]) -> str:
    start, language, text = block.groups()
    lines = text.split("\n")
    plain = [html.unescape(TAG.sub("", line)) for line in lines]
    rows = [language in OUTPUTS and bool(ROW.search(line)) for line in plain]
    look = ' class="columns"' if sum(rows) > 1 else ""
    marked = "\n".join(
        line if look and row else _wrapped(line, words)
        for line, words, row in zip(lines, plain, rows, strict=True)
    )
    return f"{start}<pre{look}>{marked}</pre>"


def _wrapped(line: str, plain: str) -> str:
    if len(plain) <= NARROWEST:
        return line
    line, *ends = line.partition("</div>")  # of an object, on the page of its module
    indent = len(plain) - len(plain.lstrip())
    style = f' style="--indent: {indent}ch"' if indent else ""
    return f'<span class="line"{style}>{line}</span>{"".join(ends)}'


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
