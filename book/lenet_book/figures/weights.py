"""Chapter 3: filters and weights, and what filters respond to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from lenet_book.figures.drawing import (
    ACCENTS,
    EDGE,
    IMAGE_MAP,
    INK,
    WIDTH,
    BookFigure,
    draw_image,
    draw_signed,
    drawn,
)


@drawn(weights="F1HW")
def filters(weights: Mapping[str, Tensor]) -> BookFigure:
    """Draw the filters of a first layer, a row for each state of the weights.

    Every row has its own scale: full red and full blue are its largest absolute value.

    Args:
        weights: float32 (F, 1, kH, kW) by title, such as ``{"before": ..., "after": ...}``.
    """
    number = max(len(weight) for weight in weights.values())
    figure = BookFigure(WIDTH, (WIDTH / number + 0.3) * len(weights))
    rows = figure.subfigures(len(weights), 1, squeeze=False)[:, 0]
    for row, (title, weight) in zip(rows, weights.items(), strict=True):
        limit = float(weight.abs().max())
        row.suptitle(f"{title} (full colour: ±{limit:.2f})", fontsize=10, color=INK)
        for ax, kernel in zip(row.subplots(1, number, squeeze=False)[0], weight, strict=True):
            draw_signed(ax, kernel[0], limit)
    return figure


@drawn()
def weight_histograms(weights: Mapping[str, Tensor], *, bins: int = 61) -> BookFigure:
    """Draw histograms of some tensors over each other, on one scale.

    Args:
        weights: Tensors of any shape by title, such as the same weight before and after training.
        bins: Number of bins between the largest absolute value and its negative.
    """
    figure = BookFigure(WIDTH, 2.8)
    ax = figure.subplots()
    values = {title: weight.detach().cpu().flatten() for title, weight in weights.items()}
    limit = max(float(flat.abs().max()) for flat in values.values())
    edges = np.linspace(-limit, limit, bins + 1)
    for (title, flat), colour in zip(values.items(), ACCENTS, strict=False):
        counts, _ = np.histogram(flat.numpy(), edges)
        ax.stairs(counts, edges, fill=True, alpha=0.5, color=colour, label=title)
    ax.set_yscale("log")
    ax.set(xlabel="value of a weight", ylabel="number of weights")
    ax.set_ylim(bottom=0.8)
    ax.grid(visible=True, axis="y")
    ax.legend()
    return figure


@drawn(weight="FCHW")
def filter_depth(weight: Tensor) -> BookFigure:
    """Draw all filters of a layer, each as a column of its grids, one for each input channel.

    Args:
        weight: float32 (F, C, kH, kW).
    """
    number, depth = weight.shape[:2]
    figure = BookFigure(WIDTH, WIDTH / (number + 1) * depth + 0.3)
    axes = figure.subplots(depth, number, squeeze=False)
    limit = float(weight.abs().max())
    for index, column in enumerate(axes.T):
        column[0].set_title(str(index), fontsize=9)
        for ax, kernel in zip(column, weight[index], strict=True):
            draw_signed(ax, kernel, limit)
    for channel in range(depth):
        axes[channel, 0].set_axis_on()
        axes[channel, 0].set(xticks=[], yticks=[])
        axes[channel, 0].set_ylabel(str(channel), fontsize=9, rotation=0, ha="right", va="center")
        axes[channel, 0].spines[:].set_visible(False)
    figure.supylabel("channel of the input", fontsize=10)
    figure.suptitle("filter", fontsize=10, color=INK)
    return figure


@drawn(images="N1HW", maps="NFHW", weight="F1HW")
def filter_maps(images: Tensor, maps: Tensor, weight: Tensor) -> BookFigure:
    """Draw what each filter of a first layer makes of some pictures; the filters stand on top.

    Args:
        images: float32 (N, 1, H, W).
        maps: float32 (N, F, H', W'), the layer's output; every map is drawn in its own scale.
        weight: float32 (F, 1, kH, kW).
    """
    number, columns = len(images), len(weight) + 1
    figure = BookFigure(WIDTH, WIDTH / columns * (number + 1))
    axes = figure.subplots(number + 1, columns)
    axes[0, 0].set_axis_off()
    for index, kernel in enumerate(weight):
        draw_signed(axes[0, index + 1], kernel[0], float(weight.abs().max()))
        axes[0, index + 1].set_title(str(index), fontsize=9)
    for image, row, line in zip(images, maps, axes[1:], strict=True):
        draw_image(line[0], image)
        for ax, values in zip(line[1:], row, strict=True):
            draw_signed(ax, values)
    return figure


@drawn(weight="F1HW", patches="FPHW")
def strongest_patches(weight: Tensor, patches: Tensor) -> BookFigure:
    """Draw each filter of a first layer, and beside it the patches that it answers most strongly.

    Args:
        weight: float32 (F, 1, kH, kW).
        patches: float32 (F, P, kH, kW), drawn in grey on one common scale.
    """
    number, count = patches.shape[:2]
    cell = WIDTH / (count + 2)
    figure = BookFigure(WIDTH, cell * number)
    axes = figure.subplots(number, count + 2, squeeze=False, width_ratios=[1, 0.4] + [1] * count)
    limit, low, high = float(weight.abs().max()), float(patches.min()), float(patches.max())
    for row, kernel, found in zip(axes, weight, patches, strict=True):
        draw_signed(row[0], kernel[0], limit)
        row[1].set_axis_off()
        for ax, patch in zip(row[2:], found, strict=True):
            ax.imshow(patch.numpy(), cmap=IMAGE_MAP, vmin=low, vmax=high)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color=EDGE)
    return figure
