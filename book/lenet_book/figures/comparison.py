"""Chapter 11: networks compared, a line for each, or a point for what it costs and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from lenet_book.figures.drawing import WIDTH, BookFigure, drawn, run_colours

LABEL_HEIGHT = 0.015  # accuracies that lie closer have labels that cover each other …
LABEL_WIDTH = 1.25  # … where costs differ by a smaller factor


@drawn()
def curves(
    series: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    logarithmic: bool = False,
) -> BookFigure:
    """Draw numbers in their order, one line for each series, the first at 1.

    Args:
        series: The numbers by the line's name.
        xlabel: What is counted along the x axis.
        ylabel: What the numbers are, with their unit.
        logarithmic: Whether each step up the y axis multiplies.
    """
    figure = BookFigure(WIDTH, 3.2)
    ax = figure.subplots()
    for (name, numbers), colour in zip(series.items(), run_colours(len(series)), strict=True):
        ax.plot(range(1, len(numbers) + 1), numbers, label=name, color=colour, linewidth=2)
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if logarithmic else "linear")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(visible=True)
    if len(series) > 1:
        figure.legend(loc="outside upper center", ncols=2, fontsize=9)
    return figure


@drawn()
def trade_offs(
    accuracies: Mapping[str, Mapping[str, Sequence[float]]],
    costs: Mapping[str, Mapping[str, float]],
) -> BookFigure:
    """Draw accuracy against each of several costs: every run as a dot, the name beside their mean.

    Names of a family that would cover each other share a label, to the left of their dots.

    Args:
        accuracies: By family and short name, the accuracy of every run, 0…1. A family has one
            colour; names without runs are left out.
        costs: By the cost's name with its unit, what each name costs, drawn on a scale on which
            each step multiplies.
    """
    figure = BookFigure(WIDTH, 3.8)
    panels = figure.subplots(1, len(costs), sharey=True, squeeze=False)[0]
    for ax, (title, cost) in zip(panels, costs.items(), strict=True):
        for members, colour in zip(accuracies.values(), run_colours(len(accuracies)), strict=True):
            _draw_runs(ax, members, cost, colour)
        ax.set(xlabel=title, xscale="log")
        ax.margins(x=0.42)
        ax.grid(visible=True)
    for family, colour in zip(accuracies, run_colours(len(accuracies)), strict=True):
        panels[0].plot([], [], "o", color=colour, label=family)
    panels[0].set_ylabel("test accuracy")
    panels[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    figure.legend(loc="outside upper center", ncols=len(accuracies), fontsize=9)
    return figure


def _draw_runs(
    ax: Axes, members: Mapping[str, Sequence[float]], costs: Mapping[str, float], colour: object
) -> None:
    """Draw all runs of a family; names whose places would cover each other stand in one label."""
    measured = {name: runs for name, runs in members.items() if runs}
    groups: list[list[str]] = []
    for name in sorted(measured, key=lambda name: mean(measured[name])):
        runs = measured[name]
        ax.plot([costs[name]] * len(runs), runs, "o", color=colour, markersize=5, alpha=0.6)
        last = groups[-1] if groups else []
        near = [costs[other] for other in last] + [costs[name]]
        rise = mean(runs) - mean(measured[last[-1]]) if last else 1.0
        if rise < LABEL_HEIGHT and max(near) < LABEL_WIDTH * min(near):
            last.append(name)
        else:
            groups.append([name])
    for names in groups:
        several = len(names) > 1
        place = min(costs[name] for name in names), mean(mean(measured[name]) for name in names)
        ax.annotate(
            "".join(sorted(names)),
            place,
            xytext=(-6 if several else 6, -3),
            textcoords="offset points",
            ha="right" if several else "left",
            color=colour,
            fontweight="bold",
        )
