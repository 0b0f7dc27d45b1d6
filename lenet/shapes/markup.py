"""The table and its explanation as HTML, for a notebook and for the pages of the book.

It brings its own few rules of style, in the colours of the site, of Jupyter or of VS Code, and fits
a column of 700 pixels: a formula stands below its operation, which may be broken into lines. On a
narrower page the table scrolls in its own box.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

STYLE = f"<style>\n{Path(__file__).with_name('table.css').read_text('utf-8')}</style>"


def aligned_text(
    headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[str]
) -> list[str]:
    """Write a table as lines of text; the columns called `numbers` are aligned to the right."""
    columns = zip(headings, *rows, strict=True)
    padded = []
    for heading, *cells in columns:
        width = max(map(len, (heading, *cells)))
        align = str.rjust if heading in numbers else str.ljust
        padded.append([align(cell, width) for cell in (heading, *cells)])
    text = ["  ".join(line).rstrip() for line in zip(*padded, strict=True)]
    return [text[0], "─" * max(map(len, text)), *text[1:]]


def markdown_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[str]
) -> str:
    """Write a table in Markdown."""
    marks = ["--:" if heading in numbers else "---" for heading in headings]
    lines = [headings, marks, *([markdown(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def markdown(text: str) -> str:
    """Keep text from being read as Markdown or HTML."""
    marked = re.sub(r"[\\`*_|\[\]]", r"\\\g<0>", escape(text, quote=False))
    return re.sub(r"[ \n]+", " ", marked).strip(" ")


def table_html(
    title: str, headings: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]
) -> str:
    """Write a table in a box that scrolls; a formula stands below its operation.

    Args:
        title: stands above it, the network's name first.
        headings: the headings of a row's cells.
        rows: for each row its code and its cells.
    """
    joined = {"operation", "formula"} <= set(headings)
    names = {"operation": "operation, formula"} if joined else {}
    shown = (names.get(heading, heading) for heading in headings)
    head = "".join(f'<th scope="col">{h}</th>' for h in shown if not (joined and h == "formula"))
    body = "".join(_row_html(code, dict(zip(headings, cells, strict=True))) for code, cells in rows)
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
    findings: Sequence[str], fixes: Iterable[tuple[str, Sequence[str]]], error: str, speaker: str
) -> str:
    """Write an explanation.

    Args:
        findings: what is wrong, then where and why.
        fixes: each in words, with the lines of code that make it.
        error: the message that was raised, or empty.
        speaker: who raised it: PyTorch or Python.
    """
    what, *reasons = findings
    items = "".join(_fix_html(*fix) for fix in fixes)
    says = f"<p>{speaker} says: <code>{escape(error)}</code></p>" if error else ""
    return (
        f'<div class="lenet-problem" role="alert"><p><strong>{escape(what)}</strong></p>'
        f"{_paragraphs(reasons)}{f'<ul>{items}</ul>' if items else ''}{says}</div>"
    )


def _row_html(code: str, given: Mapping[str, str]) -> str:
    cells = {heading: escape(cell) for heading, cell in given.items()}
    if "operation" in cells and (formula := cells.pop("formula", "")):
        one_axis_per_line = re.sub(", ([HW]: )", r",\n\1", formula)
        cells["operation"] += f' <span class="formula">{one_axis_per_line}</span>'
    first, *rest = cells.values()
    columns = "".join(f"<td>{cell}</td>" for cell in rest)
    return f'<tr title="{escape(code)}"><th scope="row">{first}</th>{columns}</tr>'


def _fix_html(text: str, lines: Sequence[str]) -> str:
    code = "\n".join(map(escape, lines))
    return f"<li>{escape(text)}{f':<pre>{code}</pre>' if code else ''}</li>"


def _paragraphs(lines: Iterable[str]) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in lines)
