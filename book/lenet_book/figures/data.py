"""Chapter 1, and pictures in most others: images, and what a data set holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import torch
from torch import Tensor

from lenet import checks
from lenet_book.figures.drawing import WIDTH, BookFigure, draw_image, drawn

PIXEL_STYLE = """<style>
.lenet-pixels { max-width: 40rem; }
.lenet-pixels:has(:checked) { min-width: 38rem; }
.lenet-pixels table { display: block; width: 100%; margin: 0.5rem 0; }
.lenet-pixels tbody { display: grid; grid-template-columns: repeat(var(--columns), 1fr); }
.lenet-pixels tr { display: contents; }
.lenet-pixels td {
  display: grid; place-items: center; aspect-ratio: 1; min-width: 0; padding: 0; border: 0;
  --grey: rgb(var(--v), var(--v), var(--v)); background: var(--grey);
  box-shadow: 0 1px var(--grey); /* no ground shows between rows */
  color: hsl(0, 0%, calc((127 - var(--v)) * 100%)); font: 0/1 sans-serif;
}
.lenet-pixels:has(:checked) td, .lenet-pixels td:hover { font-size: 0.62rem; }
.lenet-pixels td:hover { outline: 2px solid #d9702b; outline-offset: -2px; }
</style>"""


@drawn(images="NCHW")
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
    checks.whole_number("columns", columns, 1)
    if images.shape[1] not in (1, 3):
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


class PixelTable:
    """A grey picture as a table of its numbers, which a box to tick shows; see `pixels`."""

    def __init__(self, image: Tensor, name: str) -> None:
        self._values, self._name = image.tolist(), name

    def __repr__(self) -> str:
        return f"<picture of {self._name} as a table of {len(self._values)} rows>"

    def _repr_html_(self) -> str:
        cells = ("".join(f'<td style="--v:{v}">{v}</td>' for v in row) for row in self._values)
        rows = "".join(f"<tr>{row}</tr>" for row in cells)
        style, name = f"--columns:{len(self._values[0])}", escape(self._name)
        table = f'<table style="{style}" aria-label="{name}"><tbody>{rows}</tbody></table>'
        box = '<label><input type="checkbox"> Show the numbers</label>'
        return f'{PIXEL_STYLE}<div class="lenet-pixels">{box}{table}</div>'


def pixels(image: Tensor, name: str) -> PixelTable:
    """Show one picture whose pixels tell their numbers: the one pointed at, or all of them.

    Args:
        image: uint8 (H, W), from 0 (black) to 255 (white).
        name: What it shows.

    Raises:
        ValueError: The image has another type or shape.
    """
    return PixelTable(checks.tensor("image", image, "HW", torch.uint8), name)


@drawn(stages="CHW")
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
