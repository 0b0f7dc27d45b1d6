"""Chapters 2, 4 and 9: windows that slide over a picture, and what they compute."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor, nn
from torch.nn import functional

from lenet import checks
from lenet.shapes import conv_windows
from lenet_book.figures.drawing import (
    ACCENTS,
    COLOUR_MAP,
    EDGE,
    IMAGE_MAP,
    SIGNED_MAP,
    WIDTH,
    WINDOW,
    BookFigure,
    draw_image,
    draw_numbers,
    draw_pixel,
    draw_signed,
    drawn,
)


def _outline(ax: Axes, row: float, column: float, height: float, width: float) -> None:
    """Draw a frame around the cells from (row, column) on."""
    corner = (column - 0.5, row - 0.5)
    ax.add_patch(
        Rectangle(corner, width, height, fill=False, edgecolor=WINDOW, linewidth=2.5, zorder=3)
    )


@drawn(image="1HW", kernel="HW")
def convolution_step(image: Tensor, kernel: Tensor, row: int, column: int) -> BookFigure:
    """Draw how one number of a feature map is made: the patch, the kernel, the products, the sum.

    Args:
        image: uint8 (1, H, W).
        kernel: float32 (kH, kW).
        row: Top row of the window in the image; the number's row in the map.
        column: Left column of the window; the number's column in the map.
    """
    pixels = image[0].float()
    sums = functional.conv2d(pixels[None, None], kernel[None, None])[0, 0]
    patch = pixels[row : row + kernel.shape[0], column : column + kernel.shape[1]]
    figure = BookFigure(WIDTH, 5.0)
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=[3.1, 1.9])[:, 0]
    left, right = above.subplots(1, 2)
    draw_image(left, image)
    left.set_title("picture, and the window on it")
    _outline(left, row, column, *kernel.shape)
    draw_signed(right, sums)
    right.set_title("the sum at every place")
    _outline(right, row - 0.5, column - 0.5, 2, 2)
    axes = below.subplots(1, 3)
    products = patch * kernel + 0.0  # + 0 turns −0 into 0
    limit = float(products.abs().max()) or 1.0
    draw_numbers(axes[0], patch, IMAGE_MAP, 0, 255)
    draw_numbers(axes[1], kernel, SIGNED_MAP, -1.5, 1.5, "{:g}")
    draw_numbers(axes[2], products, SIGNED_MAP, -1.5 * limit, 1.5 * limit)
    total = f"{products.sum():.0f}".replace("-", "−")
    for ax, title in zip(axes, ("patch", "× kernel", f"= products, sum {total}"), strict=True):
        ax.set_title(title)
    return figure


@drawn()
def window_places(
    settings: Mapping[str, Mapping[str, int]], size: int = 7, kernel_size: int = 3
) -> BookFigure:
    """Draw where a kernel lands on an image of `size` × `size` pixels under several settings.

    The first window is filled, the next one to its right is framed; pixels of padding are hatched.

    Args:
        settings: For each title, `stride`, `padding` and `dilation` where they are not 1, 0, 1.
        size: Height and width of the image.
        kernel_size: Height and width of the kernel.
    """
    figure = BookFigure(WIDTH, 2.1)
    axes = figure.subplots(1, len(settings), squeeze=False)[0]
    for ax, (title, chosen) in zip(axes, settings.items(), strict=True):
        (window,) = conv_windows(size, kernel_size, **chosen)
        padding = window.padding_before
        first, *others = ([pixel + padding for pixel in stop] for stop in window.positions)
        length = size + 2 * padding
        for row, column in np.ndindex(length, length):
            inside = all(padding <= i < size + padding for i in (row, column))
            draw_pixel(ax, row, column, hatch="" if inside else "////")
        for row, column in itertools.product(first, first):
            draw_pixel(ax, row, column, facecolor=ACCENTS[0])
        for row, column in itertools.product(first, others[0] if others else ()):
            corner = (column + 0.14, row + 0.14)
            ax.add_patch(
                Rectangle(corner, 0.72, 0.72, fill=False, edgecolor=WINDOW, linewidth=2, zorder=3)
            )
        ax.set(title=title, xlim=(-0.1, length + 0.1), ylim=(length + 0.1, -0.1), aspect="equal")
        ax.set_axis_off()
    return figure


@drawn(values="HW")
def max_pooling(values: Tensor, kernel_size: int = 2) -> BookFigure:
    """Draw max-pooling on a table of numbers, the largest of every window framed.

    Args:
        values: float32 (H, W), both divisible by `kernel_size`.
        kernel_size: Height and width of the window, and its stride.

    Raises:
        ValueError: They are not.
    """
    checks.whole_number("kernel_size", kernel_size, 1)
    if any(size % kernel_size for size in values.shape):
        raise ValueError(
            f"values are {tuple(values.shape)}: both must be divisible by {kernel_size=}"
        )
    pooled, winners = functional.max_pool2d(values[None], kernel_size, return_indices=True)
    figure = BookFigure(WIDTH, 2.9)
    left, right = figure.subplots(1, 2)
    low, high = float(values.min()), float(values.max())
    draw_numbers(left, values, COLOUR_MAP, low, high, "{:g}")
    draw_numbers(right, pooled[0], COLOUR_MAP, low, high, "{:g}")
    height, width = values.shape
    for place in range(0, height + 1, kernel_size):
        left.axhline(place - 0.5, color=EDGE, linewidth=4)
    for place in range(0, width + 1, kernel_size):
        left.axvline(place - 0.5, color=EDGE, linewidth=4)
    for index in winners.flatten().tolist():
        _outline(left, index // width, index % width, 1, 1)
    left.set_title(f"in: {height}×{width}, the largest framed")
    right.set_title(f"out: {height // kernel_size}×{width // kernel_size}")
    return figure


@drawn(inputs="CHW")
def convolution_sum(inputs: Tensor, layer: nn.Conv2d, unit: tuple[int, int, int]) -> BookFigure:
    """Draw one number of a convolution: for every channel the window, patch, filter and products.

    The products of a channel have their sum below them; the whole sum with the bias stands at the
    bottom. A single channel is drawn from left to right, several each from top to bottom.

    Args:
        inputs: float32 (C, H, W), what goes into the layer.
        layer: A convolution of C channels with stride 1 and neither padding nor dilation.
        unit: Channel, row and column of the number in the layer's output.

    Raises:
        ValueError: The layer has other settings, or no such unit.
    """
    if (layer.stride, layer.padding, layer.dilation) != ((1, 1), (0, 0), (1, 1)):
        raise ValueError(f"{layer} must have stride 1 and neither padding nor dilation")
    channel, row, column = unit
    kernel = layer.weight[channel].detach().cpu()
    height, width = kernel.shape[1:]
    patch = inputs[:, row : row + height, column : column + width]
    products = patch * kernel
    single = len(inputs) == 1
    figure = BookFigure(WIDTH, 2.3 if single else 4.9)
    axes = figure.subplots(1, 4) if single else figure.subplots(4, len(inputs))
    grid = axes.reshape(4, len(inputs))
    stages = {"picture": inputs, "patch": patch, "× filter": kernel, "= products": products}
    for (title, values), line in zip(stages.items(), grid, strict=True):
        limit = float(values.abs().max()) or 1.0
        for ax, cells in zip(line, values, strict=True):
            draw_signed(ax, cells, limit)
        if single or title != "picture":
            _name_line(line[0], title, above=single)
    if single:
        draw_image(grid[0, 0], inputs)
    for index, ax in enumerate(grid[0]):
        _outline(ax, row, column, height, width)
        if not single:
            ax.set_title(f"map {index}")
    sums = products.sum(dim=(1, 2))
    for ax, total in zip(grid[3], sums.tolist(), strict=True):
        ax.text(0.5, -0.06, _signed(total), ha="center", va="top", transform=ax.transAxes)
    bias = 0.0 if layer.bias is None else layer.bias[channel].item()
    whole = sums.sum().item()
    equation = f"sum {_signed(whole)}, with the bias {_signed(bias)}: {_signed(whole + bias)}"
    figure.supxlabel(equation, fontsize=11)
    return figure


def _name_line(ax: Axes, title: str, *, above: bool) -> None:
    """Write what a row of panels shows: above its first panel, or upright on its left."""
    if above:
        ax.set_title(title)
    else:
        name = ax.text(-0.1, 0.5, title, ha="right", va="center", transform=ax.transAxes)
        name.set(rotation=90, fontsize=11)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
