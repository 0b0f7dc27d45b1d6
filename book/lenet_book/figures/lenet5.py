"""Chapter 9: LeNet-5 as it was and as it is, what made it up, and what matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter
from torch import Tensor

from lenet_book.figures.drawing import (
    ACCENTS,
    EDGE,
    INK,
    WIDTH,
    WINDOW,
    BookFigure,
    draw_image,
    draw_signed,
    drawn,
)

FULL_COLOUR = 1.5  # above ±1: the two ends of the colours are too dark to be told apart
RUN_STYLES = (("-", ACCENTS[0]), ("--", ACCENTS[0]), ("-", ACCENTS[1]), ("--", ACCENTS[1]))


@drawn(table="OI")
def connections(table: Tensor) -> BookFigure:
    """Draw which maps of one layer each map of the next looks at.

    Args:
        table: bool (maps of the next layer, maps of the layer before).
    """
    num_outputs, num_inputs = table.shape
    figure = BookFigure(WIDTH, WIDTH * (num_inputs + 2) / (num_outputs + 2))
    ax = figure.subplots()
    for (column, row), connected in np.ndenumerate(table.numpy()):
        cell = Rectangle((column - 0.44, row - 0.44), 0.88, 0.88)
        cell.set(facecolor=ACCENTS[0] if connected else "none", edgecolor=INK, linewidth=0.6)
        ax.add_patch(cell)
    ax.set(xlim=(-0.6, num_outputs - 0.4), ylim=(num_inputs - 0.4, -0.6), aspect="equal")
    ax.set(xlabel="map of C3", ylabel="map of S2")
    ax.set_xticks(range(num_outputs))
    ax.set_yticks(range(num_inputs))
    ax.tick_params(length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    return figure


@drawn()
def code_images(rows: Mapping[str, Tensor]) -> BookFigure:
    """Draw codes of ±1, what comes close to them, and pictures, a row for each title.

    Args:
        rows: By title, codes as float (N, H, W), red above zero, blue below it and white at zero;
            or grey pictures (N, 1, H, W). All rows have the same N.
    """
    number = len(next(iter(rows.values())))
    heights = [WIDTH / number * rows[title].shape[-2] / rows[title].shape[-1] for title in rows]
    figure = BookFigure(WIDTH, sum(heights) + 0.35 * len(rows))
    bands = figure.subfigures(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
    for band, (title, images) in zip(bands, rows.items(), strict=True):
        band.suptitle(title, fontsize=10, color=INK)
        for ax, image in zip(band.subplots(1, number, squeeze=False)[0], images, strict=True):
            if image.dim() == 3:
                draw_image(ax, image)
            else:
                draw_signed(ax, image, FULL_COLOUR)
    return figure


@drawn(image="1HW", shares="P")
def score_map(image: Tensor, winners: Sequence[str], shares: Tensor, jump: int) -> BookFigure:
    """Draw a wide image and, below it, what a network sees in each of its windows.

    Args:
        image: uint8 or float (1, H, W).
        winners: The name of the best class at every position, from left to right.
        shares: float (positions,): its share of the softmax.
        jump: Pixels from one position to the next; windows are as wide as the image is high.

    Raises:
        ValueError: There are not as many winners as shares.
    """
    _, height, width = image.shape
    if len(winners) != len(shares):
        raise ValueError(f"there are {len(winners)} winners and {len(shares)} shares")
    figure = BookFigure(WIDTH, WIDTH * height / width + 1.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[WIDTH * height / width, 1.4])
    draw_image(above, image)
    window = Rectangle((-0.5, -0.5), height, height, fill=False, edgecolor=WINDOW, linewidth=2.2)
    window.set_clip_on(False)
    above.add_patch(window)
    middles = [height / 2 - 0.5 + jump * position for position in range(len(winners))]
    below.bar(middles, shares.tolist(), width=0.8 * jump, color=EDGE)
    below.patches[0].set_color(WINDOW)
    for middle, winner in zip(middles, winners, strict=True):
        below.annotate(winner, (middle, 0.06), ha="center", fontsize=12, color="#222222")
    below.set(xlabel="middle of the window (column)", ylabel="share", ylim=(0, 1.05))
    return figure


@drawn()
def squashing(functions: Mapping[str, Callable[[Tensor], Tensor]], marked: float) -> BookFigure:
    """Draw activation functions over each other, with dots at ±`marked` on the first.

    Args:
        functions: Elementwise functions by name.
        marked: Where to put the dots.
    """
    figure = BookFigure(WIDTH, 3.0)
    ax = figure.subplots()
    sums = torch.linspace(-4, 4, 201)
    for (name, function), colour in zip(functions.items(), ACCENTS, strict=False):
        ax.plot(sums, function(sums), color=colour, linewidth=2, label=name)
    dots = torch.tensor([-marked, marked])
    ax.plot(dots, next(iter(functions.values()))(dots), "o", color=ACCENTS[0], markersize=8)
    ax.set(xlabel="weighted sum a", ylabel="f(a)", ylim=(-2, 2.4))
    ax.grid(visible=True)
    ax.legend(fontsize=9, loc="upper left")
    return figure


Runs = Sequence[Sequence[float]]


@drawn()
def trainability(panels: Mapping[str, Mapping[str, Runs]], chance: float = 0.1) -> BookFigure:
    """Draw accuracy against the epoch, a panel per title, a thin line for each run.

    Args:
        panels: By the panel's title and the series' name, for each run its accuracy after every
            epoch, 0…1. All panels have the same series.
        chance: The accuracy of guessing.
    """
    figure = BookFigure(WIDTH, 3.4)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, (title, groups) in zip(axes, panels.items(), strict=True):
        for (name, runs), (line, colour) in zip(groups.items(), RUN_STYLES, strict=False):
            for index, accuracies in enumerate(runs):
                epochs = range(1, len(accuracies) + 1)
                label = name if index == 0 else None
                ax.plot(epochs, accuracies, line, color=colour, label=label, alpha=0.8)
        ax.axhline(chance, color=INK, linestyle=":")
        ax.set(title=title, xlabel="epoch", ylim=(0, 1.02))
        ax.set_xticks(epochs)
        ax.grid(visible=True)
    axes[0].set_ylabel("test accuracy")
    axes[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=9)
    return figure
