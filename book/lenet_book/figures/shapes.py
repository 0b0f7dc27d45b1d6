"""Chapters 5 and 11: positions, receptive fields and costs, where output shapes come from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter
from torch import Tensor

from lenet.shapes import conv_windows
from lenet_book.figures.drawing import (
    ACCENTS,
    INK,
    WIDTH,
    WINDOW,
    BookFigure,
    draw_image,
    draw_pixel,
    drawn,
)


@drawn()
def kernel_positions(
    input_size: int, kernel_size: int, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> BookFigure:
    """Draw every position of a kernel that slides along one row of pixels, one line for each.

    Padding is hatched. Where the stride does not divide the way, the pixels that no position
    reaches are crossed out, and the next position, which would stick out, is dashed.

    Args:
        input_size: Number of pixels of the row, without padding.
        kernel_size: Number of weights of the kernel.
        stride: Pixels from one position to the next.
        padding: Pixels added on either side.
        dilation: Pixels from one weight to the next.
    """
    (window,) = conv_windows(input_size, kernel_size, stride, padding, dilation)
    stops, edge = window.positions, input_size + padding
    last = stops[-1]
    beyond = [range(last.start + stride, last.stop + stride, dilation)] if window.remainder else []
    columns = max(edge, *(stop.stop for stop in beyond), 0) + padding + 2.4
    lines = len(stops) + len(beyond)
    figure = BookFigure(4.4, 4.4 / columns * (1.7 + 0.78 * lines))
    ax = figure.subplots()
    ax.set(xlim=(-0.1, columns), ylim=(1.65 + 0.78 * lines, -0.05), aspect="equal")
    ax.set_axis_off()
    for pixel in range(-padding, edge):
        inside, column = 0 <= pixel < input_size, pixel + padding
        draw_pixel(ax, 0, column, hatch="" if inside else "////")
        if inside:
            _cell_text(ax, column + 0.5, 0.5, str(pixel))
        if not any(pixel in stop for stop in stops):
            cross = [column, column + 1, column, column + 1]
            ax.plot(cross, [0, 1, 1, 0], color=WINDOW, linewidth=2)
    for line, stop in enumerate([*stops, *beyond]):
        top = 1.3 + 0.78 * line
        for pixel in stop:
            box = Rectangle((pixel + padding + 0.06, top), 0.88, 0.6, facecolor=ACCENTS[0])
            if stop in beyond:
                box.set(facecolor="none", edgecolor=WINDOW, linestyle="--", linewidth=1.5)
            ax.add_patch(box)
        _cell_text(ax, columns - 1.2, top + 0.3, "no room" if stop in beyond else f"→ {line}")
    _cell_text(ax, columns - 1.2, 0.5, "output")
    return figure


def _cell_text(ax: Axes, x: float, y: float, text: str) -> None:
    ax.text(x, y, text, ha="center", va="center", fontsize=11)


@drawn(image="CHW")
def window_grid(image: Tensor, settings: Mapping[str, Mapping[str, Any]]) -> BookFigure:
    """Draw where a kernel stops on an image, one dot at the middle of each position.

    The first position is framed, the last one framed with a dashed line. Padding is hatched;
    pixels that no weight ever touches are covered.

    Args:
        image: uint8 (1, H, W) or (3, H, W).
        settings: For each title, `kernel_size` and where they are not 1, 0 and 1 `stride`,
            `padding` and `dilation`: a number, or a pair (vertical, horizontal).
    """
    sizes = tuple(image.shape[1:])
    panel = 2.7  # inches
    figure = BookFigure(panel * len(settings), panel * sizes[0] / sizes[1] + 0.35)
    axes = figure.subplots(1, len(settings), squeeze=False)[0]
    for ax, (title, chosen) in zip(axes, settings.items(), strict=True):
        windows = conv_windows(sizes, **chosen)
        places = [window.positions for window in windows]
        draw_image(ax, image)
        _draw_ground(ax, sizes, [window.padding_before for window in windows])
        _cover_unseen(ax, sizes, places)
        middles = [[(line[0] + line[-1]) / 2 for line in axis] for axis in places]
        ys, xs = np.meshgrid(*middles, indexing="ij")
        ax.scatter(xs, ys, s=max(2.0, min(18.0, 1200 / xs.size)), color=ACCENTS[0], zorder=4)
        for index, line_style in ((0, "-"), (-1, "--")):
            rows, columns = (axis[index] for axis in places)
            _frame(ax, rows[0], columns[0], rows[-1], columns[-1], line_style)
        ax.set_title(title, fontsize=11.5)
    return figure


def _draw_ground(ax: Axes, sizes: Sequence[int], padding: Sequence[int]) -> None:
    """Draw the padding around an image as a hatched frame, and make room for it."""
    height, width = sizes
    (above, left), bottom, right = padding, height + padding[0], width + padding[1]
    if above or left:
        ground = Rectangle((-left - 0.5, -above - 0.5), width + 2 * left, height + 2 * above)
        ground.set(facecolor="none", edgecolor=INK, linewidth=0, hatch="////", zorder=-1)
        ax.add_patch(ground)
    ax.set(xlim=(-left - 0.9, right - 0.1), ylim=(bottom - 0.1, -above - 0.9))


def _cover_unseen(ax: Axes, sizes: Sequence[int], places: Sequence[Sequence[range]]) -> None:
    """Cover the pixels that no position touches with a colour that no grey image has."""
    seen = [
        np.isin(np.arange(n), [*itertools.chain(*p)]) for n, p in zip(sizes, places, strict=True)
    ]
    colour = (*mpl.colors.to_rgb(WINDOW), 0.75)
    veil = np.zeros((*sizes, 4))
    veil[~np.logical_and.outer(*seen)] = colour
    ax.imshow(veil, zorder=1)


def _frame(
    ax: Axes, top: float, left: float, bottom: float, right: float, line_style: str = "-"
) -> None:
    """Frame the pixels from (top, left) to (bottom, right)."""
    frame = Rectangle((left - 0.5, top - 0.5), right - left + 1, bottom - top + 1)
    frame.set(fill=False, edgecolor=WINDOW, linewidth=2.2, linestyle=line_style, zorder=5)
    ax.add_patch(frame)


@drawn(image="CHW")
def receptive_fields(image: Tensor, fields: Mapping[str, tuple[int, int, int]]) -> BookFigure:
    """Draw what one unit of each layer sees of an image, and what its right neighbour sees.

    Args:
        image: uint8 (1, H, W) or (3, H, W).
        fields: For each layer, by its title, the first row and column of the unit's field, the
            field's size, and the jump to the next unit's field, all in pixels.
    """
    columns = 2 if len(fields) > 3 else len(fields)
    rows = math.ceil(len(fields) / columns)
    figure = BookFigure(WIDTH * 0.8, rows * (0.35 + WIDTH * 0.8 / columns))
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for ax in axes[len(fields) :]:
        ax.set_axis_off()
    for ax, (title, (start, size, jump)) in zip(axes, fields.items(), strict=False):
        draw_image(ax, image)
        last = start + size - 1
        _frame(ax, start, start + jump, last, last + jump, "--")
        _frame(ax, start, start, last, last)
        ax.patches[-2].set(edgecolor=ACCENTS[0])
        ax.set_title(f"{title}\nsees {size}×{size}, jump {jump}", fontsize=11.5)
    return figure


@drawn(owners="RC")
def row_owners(owners: Mapping[str, Tensor]) -> BookFigure:
    """Draw from which image every number of a table comes, one colour per image.

    Args:
        owners: For each title, int64 (rows, columns): the index of the image whose number stands
            there.
    """
    figure = BookFigure(5.4, 3.0)
    axes = figure.subplots(1, len(owners), squeeze=False)[0]
    for ax, (title, table) in zip(axes, owners.items(), strict=True):
        colours = (table % 10).numpy()
        ax.imshow(colours, cmap="tab10", vmin=0, vmax=9, aspect="auto", interpolation="none")
        rows, columns = table.shape
        ax.set(title=title, xlabel=f"{columns} numbers", ylabel=f"{rows} rows")
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    return figure


@drawn()
def layer_costs(parameters: Mapping[str, int], macs: Mapping[str, int]) -> BookFigure:
    """Draw what share of a network's parameters and of its work each layer has.

    Args:
        parameters: Number of parameters by layer.
        macs: Multiply-accumulates for one image by layer, the same layers.
    """
    figure = BookFigure(5.4, 0.36 * len(parameters) + 0.9)
    axes = figure.subplots(1, 2, sharey=True)
    sides = (("parameters", parameters), ("multiply-accumulates", macs))
    for ax, (title, counts), colour in zip(axes, sides, ACCENTS, strict=False):
        total = sum(counts.values())
        shares = [count / total for count in counts.values()]
        bars = ax.barh(range(len(counts)), shares, color=colour)
        labels = [f"{count:,}" for count in counts.values()]
        ax.bar_label(bars, labels, padding=3, fontsize=9, color=INK)
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        ax.xaxis.set_major_locator(MaxNLocator(3))
        ax.set(title=title, xlim=(0, max(shares) * 1.5))
    axes[0].set_yticks(range(len(parameters)), list(parameters))
    axes[0].invert_yaxis()
    return figure
