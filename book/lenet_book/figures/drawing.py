"""Every figure: the canvas that shows itself, colours, and how values are drawn."""

from __future__ import annotations

import base64
import functools
import inspect
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
import torch
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from lenet import checks

P = ParamSpec("P")
UNTOLD = (ArithmeticError, AttributeError, LookupError, RuntimeError, StopIteration)

COLOUR_MAP = "viridis"  # for values that are no pictures
IMAGE_MAP = "gray"  # for grey images: 0 is black, as in the data
SIGNED_MAP = "RdBu_r"  # for weights and sums: blue below zero, white at zero, red above
INK = "#7d7d7d"  # contrast above 4:1 on white and on the dark page alike
EDGE = "#c8c8c8"  # of sheets and blocks
ACCENTS = ("#2f7fd1", "#d9702b", "#2f9e6e", "#b4559f", "#a08a1f", "#6f6fd6")
WINDOW = ACCENTS[1]  # what a figure asks the reader to look at

STYLE: dict[Any, Any] = {
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=ACCENTS),
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "font.size": 10,
}

WIDTH = 6.2  # inches; wider figures have small labels on a phone, where they scroll
PIXELS_PER_INCH = 120  # of a figure: WIDTH fills the page's column; the PNG has twice as many


class BookFigure(Figure):
    """A matplotlib figure that shows itself in a notebook, sharp on screens of high resolution."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), layout="constrained")

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
        buffer = io.BytesIO()
        with mpl.rc_context(STYLE):
            self.savefig(buffer, format="png", dpi=2 * PIXELS_PER_INCH)
        width, height = (round(inches * PIXELS_PER_INCH) for inches in self.get_size_inches())
        return (
            {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": repr(self)},
            {"image/png": {"width": width, "height": height}},
        )

    def __repr__(self) -> str:
        width, height = self.get_size_inches()
        return f"<figure {width:g} × {height:g} in>"


def drawn(**axes: str) -> Callable[[Callable[P, BookFigure]], Callable[P, BookFigure]]:
    """Let a function draw in the book's style, and say in words what it cannot draw.

    Args:
        axes: For arguments that are tensors, or mappings of tensors, a letter or the size of each
            axis, such as ``"N1HW"``. They reach the function detached, on the CPU.
    """

    def decorate(draw: Callable[P, BookFigure]) -> Callable[P, BookFigure]:
        signature = inspect.signature(draw)

        @functools.wraps(draw)
        def draw_or_say(*args: P.args, **kwargs: P.kwargs) -> BookFigure:
            given = signature.bind(*args, **kwargs)
            for name, value in given.arguments.items():
                if isinstance(value, Mapping) and not value:
                    raise ValueError(f"{name} is empty: there is nothing to draw")
                if name in axes and value is not signature.parameters[name].default:
                    given.arguments[name] = _drawable(name, value, axes[name])
            try:
                with mpl.rc_context(STYLE):
                    return draw(*given.args, **given.kwargs)
            except UNTOLD as error:
                raise ValueError(
                    f"{draw.__name__} cannot draw what it was given: {error!r}. What it takes: "
                    f"help({draw.__name__})"
                ) from error

        return draw_or_say

    return decorate


def _drawable(name: str, value: object, axes: str) -> Any:  # noqa: ANN401
    """Return a tensor, or all of a mapping, once it can be drawn."""
    if isinstance(value, Mapping):
        return {k: _drawable(f"{name}[{k!r}]", each, axes) for k, each in value.items()}
    found = checks.tensor(name, value, axes).detach().cpu()
    if any(a.isdigit() and size != int(a) for a, size in zip(axes, found.shape, strict=True)):
        raise ValueError(f"{name} must be ({', '.join(axes)}), not {tuple(found.shape)}")
    if found.is_complex() or not found.isfinite().all():
        raise ValueError(f"{name} must be finite real numbers; some are infinite, NaN or complex")
    return found


def draw_image(ax: Axes, image: Tensor) -> None:
    """Draw one image, (1, H, W) or (3, H, W), as it is when uint8, else scaled to its own range."""
    pixels = image.permute(1, 2, 0).cpu().float()
    low, high = (0.0, 255.0) if image.dtype == torch.uint8 else (pixels.min(), pixels.max())
    scaled = ((pixels - low) / (high - low or 1)).numpy()
    ax.imshow(scaled.squeeze(-1) if len(image) == 1 else scaled, cmap=IMAGE_MAP, vmin=0, vmax=1)
    ax.set_axis_off()


def draw_signed(ax: Axes, values: Tensor, limit: float | None = None) -> None:
    """Draw values (H, W) in blue and red, white at zero and full colour at ±limit."""
    limit = limit or float(values.abs().max()) or 1.0
    ax.imshow(values.detach().cpu().numpy(), cmap=SIGNED_MAP, vmin=-limit, vmax=limit)
    ax.set_axis_off()


def draw_numbers(
    ax: Axes, values: Tensor, colours: str, low: float, high: float, number: str = "{:.0f}"
) -> None:
    """Draw values (H, W) as a table of coloured cells with the number in each."""
    colour_map = mpl.colormaps[colours]
    ax.imshow(values.numpy(), cmap=colours, vmin=low, vmax=max(high, low + 1e-6))
    for (row, column), value in np.ndenumerate(values.numpy()):
        red, green, blue, _ = colour_map((value - low) / max(high - low, 1e-6))
        ink = "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"
        text = number.format(value).replace("-", "−")
        ax.text(column, row, text, ha="center", va="center", color=ink, fontsize=11)
    ax.set_axis_off()


def run_colours(number: int) -> Sequence[object]:
    """Return one colour for each of several runs, told apart in light and dark."""
    if number <= len(ACCENTS):
        return ACCENTS[:number]
    return [mpl.colormaps[COLOUR_MAP](0.1 + 0.8 * i / (number - 1)) for i in range(number)]


def draw_pixel(
    ax: Axes, row: int, column: int, *, facecolor: str = "none", hatch: str = ""
) -> None:
    """Draw one cell of a grid whose corners lie at whole numbers."""
    look = Rectangle((column, row), 1, 1, facecolor=facecolor, edgecolor=INK, linewidth=0.7)
    look.set_hatch(hatch)
    ax.add_patch(look)
