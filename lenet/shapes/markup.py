"""The table and its explanation as HTML, for a notebook and for the pages of the book.

It brings its own few rules of style, in the colours of the site, of Jupyter or of VS Code, and fits
a column of 700 pixels: a formula stands below its operation, which may be broken into lines. On a
narrower page the table scrolls in its own box.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

STYLE = """<style>
.lenet-shapes { overflow-x: auto; max-width: 100%; }
.lenet-shapes table {
  border-collapse: collapse; margin: 0; color: inherit;
  font-size: 0.8125rem; line-height: 1.4; font-variant-numeric: tabular-nums;
}
.lenet-shapes caption {
  caption-side: top; text-align: left; font-weight: bold; padding: 0.25em 0; color: inherit;
}
.lenet-shapes :is(th, td) {
  padding: 0.3em 0.55em; text-align: left; vertical-align: top; white-space: nowrap;
  color: inherit; background: none; border: 0;
  border-bottom: 1px solid var(--pst-color-border, var(--jp-border-color2, currentColor));
}
.lenet-shapes :is(th, td):first-child { padding-left: 0; }
.lenet-shapes thead th {
  white-space: normal; vertical-align: bottom; font-weight: 600; border-bottom-width: 2px;
  color: var(--pst-color-text-muted, var(--jp-ui-font-color2, inherit));
}
.lenet-shapes td:nth-child(2) { white-space: normal; min-width: 13em; }
.lenet-shapes :is(th, td):nth-child(n + 4) { text-align: right; }
.lenet-shapes tbody tr { background: none; }
.lenet-shapes .formula {
  display: block; white-space: pre;
  color: var(--pst-color-text-muted, var(--jp-ui-font-color2, inherit));
}
.lenet-shapes-notes { font-size: 0.875em; line-height: 1.5; overflow-wrap: anywhere; }
.lenet-shapes-notes p { margin: 0.4em 0; }
.lenet-problem {
  margin: 0.75em 0; padding: 0.6em 1em;
  font-size: 0.9375em; line-height: 1.5; overflow-wrap: anywhere;
  border-left: 4px solid var(--pst-color-secondary, var(--jp-warn-color1, currentColor));
  background: var(--pst-color-surface, var(--jp-layout-color2, transparent));
}
.lenet-problem p { margin: 0 0 0.4em; }
.lenet-problem p:last-child { margin-bottom: 0; }
.lenet-problem ul { margin: 0 0 0.5em; padding-left: 1.4em; }
.lenet-problem pre {
  margin: 0.1em 0 0.3em; padding: 0; border: 0; background: none; color: inherit;
  font-size: 0.8125rem; line-height: 1.4; white-space: pre-wrap;
}
</style>"""


def table_html(
    title: str, headings: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]
) -> str:
    """Write a table in a box that scrolls.

    Args:
        title: stands above it, the network's name first.
        headings: the headings of a row's cells.
        rows: for each row its code, and its cells: a name, an operation, its formula, and others.
    """
    name, operation, formula, *others = headings
    shown = (name, f"{operation}, {formula}", *others)
    head = "".join(f'<th scope="col">{heading}</th>' for heading in shown)
    body = "".join(_row_html(*row) for row in rows)
    return (
        f'<div class="lenet-shapes" tabindex="0" role="region" '
        f'aria-label="Shapes of {escape(title.partition(",")[0])}"><table>'
        f"<caption>{escape(title)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def notes_html(notes: Iterable[str]) -> str:
    """Write the lines below a table."""
    return f'<div class="lenet-shapes-notes">{_paragraphs(notes)}</div>'


def problem_html(
    findings: Sequence[str], fixes: Iterable[tuple[str, Sequence[str]]], error: str
) -> str:
    """Write an explanation.

    Args:
        findings: what is wrong, then where and why.
        fixes: each in words, with the lines of code that make it.
        error: PyTorch's own message, or empty.
    """
    what, *reasons = findings
    items = "".join(_fix_html(*fix) for fix in fixes)
    says = f"<p>PyTorch says: <code>{escape(error)}</code></p>" if error else ""
    return (
        f'<div class="lenet-problem" role="alert"><p><strong>{escape(what)}</strong></p>'
        f"{_paragraphs(reasons)}{f'<ul>{items}</ul>' if items else ''}{says}</div>"
    )


def _row_html(code: str, cells: Sequence[str]) -> str:
    name, operation, formula, *rest = map(escape, cells)
    if formula:
        one_axis_per_line = re.sub(", ([HW]: )", r",\n\1", formula)
        operation += f' <span class="formula">{one_axis_per_line}</span>'
    columns = "".join(f"<td>{cell}</td>" for cell in (operation, *rest))
    return f'<tr title="{escape(code)}"><th scope="row">{name}</th>{columns}</tr>'


def _fix_html(text: str, lines: Sequence[str]) -> str:
    code = "\n".join(map(escape, lines))
    return f"<li>{escape(text)}{f':<pre>{code}</pre>' if code else ''}</li>"


def _paragraphs(lines: Iterable[str]) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in lines)
