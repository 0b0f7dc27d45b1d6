"""Chapter 1, and pictures in most others: images, and what a data set holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.ticker import StrMethodFormatter
from torch import Tensor

from lenet_book.figures.drawing import ACCENTS, INK, STYLE, WIDTH, BookFigure, draw_image

LARGEST_CONTRAST = 20  # of the highest bar to the median one, on an axis that begins at 0


@mpl.rc_context(STYLE)
def image_grid(
    images: Tensor,
    titles: Sequence[object] | None = None,
    *,
    columns: int = 5,
    width: float = WIDTH,
) -> BookFigure:
    """Draw images in rows, each under its title.

    Args:
        images: (N, 1, H, W) grey or (N, 3, H, W) colour: uint8, or float scaled to each image's
            own range.
        titles: One for each image, such as class names.
        columns: Images in a row.
        width: Width of the figure in inches.

    Raises:
        ValueError: The images have another shape, or there are not as many titles as images.
    """
    if images.dim() != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"images must be (N, 1 or 3, H, W), not {tuple(images.shape)}")
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"there are {len(images)} images but {len(titles)} titles")
    rows = math.ceil(len(images) / columns)
    cell = width / columns
    figure = BookFigure(width, rows * (cell + (0.22 if titles is not None else 0)))
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for index, ax in enumerate(axes):
        ax.axis("off")
        if index < len(images):
            draw_image(ax, images[index])
            if titles is not None:
                ax.set_title(str(titles[index]), fontsize=9, pad=3)
    return figure


@mpl.rc_context(STYLE)
def class_counts(
    counts: Mapping[str, Sequence[int] | Tensor], classes: Sequence[str]
) -> BookFigure:
    """Draw how many examples each class has, in one or several sets side by side.

    Args:
        counts: For each set, by its name, the number of examples of every class.
        classes: Class names.
    """
    figure = BookFigure(WIDTH, 0.34 * len(classes) + 0.9)
    ax = figure.subplots()
    thickness = 0.8 / len(counts)
    for index, (name, numbers) in enumerate(counts.items()):
        positions = np.arange(len(classes)) + index * thickness
        bars = ax.barh(positions, [int(n) for n in numbers], height=thickness * 0.9, label=name)
        ax.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=8, color=INK)
    ax.set_yticks(np.arange(len(classes)) + 0.4 - thickness / 2, classes)
    ax.invert_yaxis()
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_xlabel("number of images")
    ax.margins(x=0.12)
    if len(counts) > 1:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=len(counts))
    return figure


@mpl.rc_context(STYLE)
def value_histograms(values: Mapping[str, Tensor], *, bins: int = 64) -> BookFigure:
    """Draw histograms of all values of some tensors, with mean and standard deviation.

    The counts stand on one axis for all. It begins at 0, unless a single bar is so high that the
    others would vanish beside it: then each step up the axis multiplies.

    Args:
        values: Tensors of any shape by title, for example the same pixels before and after
            normalising.
        bins: Number of bins of each histogram.
    """
    figure = BookFigure(WIDTH, 2.6)
    axes = figure.subplots(1, len(values), squeeze=False, sharey=True)[0]
    contrasts = []
    for ax, (title, tensor), colour in zip(axes, values.items(), ACCENTS, strict=False):
        flat = tensor.detach().cpu().float().flatten()
        counts, _, _ = ax.hist(flat.numpy(), bins=bins, color=colour)
        contrasts.append(counts.max() / np.median(counts[counts > 0]))
        numbers = f"mean {flat.mean():.3f}, std {flat.std():.3f}".replace("-", "−")
        ax.set_title(f"{title}\n{numbers}", fontsize=11 if len(values) < 3 else 9)
        ax.set_xlabel("value")
    axes[0].yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes[0].set_ylabel("count")
    if max(contrasts) > LARGEST_CONTRAST:
        axes[0].set_yscale("log", nonpositive="clip")
        axes[0].set_ylabel("count (log scale)")
    return figure


@mpl.rc_context(STYLE)
def image_stages(
    stages: Mapping[str, Tensor], *, columns: int = 3, width: float = 4.8
) -> BookFigure:
    """Draw what became of one picture, step by step, all on one scale: a pixel is a pixel.

    Args:
        stages: By the step's name, the picture after it: uint8, (1, H, W) or (3, H, W), of any
            size.
        columns: Pictures in a row.
        width: Width of the figure in inches.
    """
    widest = max(image.shape[2] for image in stages.values())
    names, images = list(stages), list(stages.values())
    starts = range(0, len(images), columns)
    heights = [max(image.shape[1] for image in images[at : at + columns]) for at in starts]
    inches = width / columns / widest
    figure = BookFigure(width, sum(heights) * inches + 0.5 * len(heights))
    axes = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights).flatten()
    for ax in axes:
        ax.set_axis_off()
    for index, image in enumerate(images):
        draw_image(axes[index], image)
        rows, pixels = image.shape[1:]
        axes[index].set(xlim=(-1, widest), ylim=(heights[index // columns], -1))
        title = f"{index + 1}. {names[index]}" if len(images) > 1 else names[index]
        axes[index].set_title(f"{title}\n{pixels}×{rows}", fontsize=10, pad=3, loc="left")
    return figure
