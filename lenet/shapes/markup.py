"""The table and its explanation as HTML, for a notebook and for the pages of the book.

It brings its own few rules of style, in the colours of the site, of Jupyter or of VS Code, and fits
a column of 700 pixels: a formula stands below its operation, which may be broken into lines. On a
narrower page the table scrolls in its own box.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

STYLE = f"<style>\n{Path(__file__).with_name('table.css').read_text('utf-8')}</style>"


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
