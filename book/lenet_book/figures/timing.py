"""Chapter 7: how fast, who waits for whom, and how costs grow."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from lenet_book.figures.drawing import ACCENTS, INK, WIDTH, BookFigure, drawn

LABEL = 0.1  # how long a number is, as a share of the longest row
Work = tuple[int, float, float]  # its number, when it starts, how long it takes


@drawn()
def speeds(
    groups: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    form: str = ",.0f",
    marked: Iterable[str] = (),
    percent: bool = False,
    reference: float | None = None,
) -> BookFigure:
    """Draw repeated measurements in rows: every one as a dot, their median as a bar with its value.

    Args:
        groups: By the row's name, from top to bottom, the measurements.
        xlabel: What was measured, with its unit.
        form: Format of the medians' labels.
        marked: Rows to draw in another colour.
        percent: Whether the measurements are shares, to be labelled in per cent.
        reference: Where to draw a dotted line; none by default.
    """
    figure = BookFigure(WIDTH, 0.6 + 0.33 * len(groups))
    ax = figure.subplots()
    longest = max(max(values, default=0) for values in groups.values())
    for row, (name, values) in enumerate(groups.items()):
        colour = ACCENTS[1] if name in marked else ACCENTS[0]
        middle = statistics.median(values)
        ax.barh(row, middle, height=0.55, color=colour, alpha=0.75)
        ax.plot(values, np.full(len(values), row), "o", color=INK, markersize=3, alpha=0.6)
        end = max(*values, middle)
        if reference is not None and end <= reference < end + LABEL * longest:
            end = reference  # the line does not cross the number
        ax.annotate(
            format(middle, form),
            (end, row),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    if reference is not None:
        ax.axvline(reference, color=INK, linestyle=":")
    ax.set_yticks(range(len(groups)), list(groups))
    ax.invert_yaxis()
    ax.set(xlabel=xlabel, xlim=(0, 1.12 * longest))
    if percent:
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure


@drawn()
def timelines(panels: Mapping[str, Mapping[str, Sequence[Work]]], *, xlabel: str) -> BookFigure:
    """Draw who works when: a panel for each way of working, in it a row for each worker.

    Args:
        panels: By the panel's title and the worker's name, the pieces of work. The last row of
            every panel has another colour; numbers stand on pieces that are long enough.
        xlabel: The unit of time.
    """
    figure = BookFigure(WIDTH, 0.5 + sum(0.5 + 0.34 * len(rows) for rows in panels.values()))
    heights = [1 + len(rows) for rows in panels.values()]
    every = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)
    pieces = [piece for rows in panels.values() for row in rows.values() for piece in row]
    end = max(start + length for _, start, length in pieces)
    for ax, (title, rows) in zip(every[:, 0], panels.items(), strict=True):
        for row, (name, work) in enumerate(rows.items()):
            colour = ACCENTS[name == list(rows)[-1]]
            spans = [(start, length) for _, start, length in work]
            ax.broken_barh(spans, (row - 0.4, 0.8), facecolor=colour, edgecolor="white")
            for number, start, length in work:
                if length > 0.03 * end:
                    middle = start + length / 2
                    ax.text(middle, row, str(number), ha="center", va="center", color="white")
        ax.set_yticks(range(len(rows)), list(rows))
        ax.invert_yaxis()
        ax.set_title(title, loc="left")
    every[-1, 0].set(xlabel=xlabel, xlim=(0, 1.03 * end))
    return figure


@drawn()
def growth(
    rows: Mapping[str, Mapping[str, Mapping[float, Sequence[float]]]], *, columns: int = 2
) -> BookFigure:
    """Draw how several quantities grow, one panel each, the axes from zero.

    Args:
        rows: By what is varied and what was measured (with its unit), the measurements at each
            value. A line joins the medians.
        columns: Number of quantities measured: panels side by side.
    """
    figure = BookFigure(WIDTH, 1.75 * len(rows))
    panels = figure.subplots(len(rows), columns, squeeze=False)
    for line, (varied, quantities) in zip(panels, rows.items(), strict=True):
        for ax, (name, found), colour in zip(line, quantities.items(), ACCENTS, strict=False):
            values = sorted(found)
            for value in values:
                dots = np.full(len(found[value]), value)
                ax.plot(dots, found[value], "o", color=colour, markersize=4, alpha=0.5)
            ax.plot(values, [statistics.median(found[v]) for v in values], color=colour)
            highest = max(max(numbers) for numbers in found.values())
            ax.set(xlabel=varied, ylabel=name, xlim=(0, 1.06 * values[-1]), ylim=(0, 1.1 * highest))
            ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            ax.xaxis.set_major_formatter("{x:,.0f}")
            ax.grid(visible=True)
    return figure
