"""Chapters 2, 4, 5 and the front page: a network drawn as its stages."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from lenet.tracing import record
from lenet_book.figures.drawing import ACCENTS, COLOUR_MAP, EDGE, IMAGE_MAP, INK, BookFigure, drawn


@dataclass(frozen=True)
class _Stage:
    """One block of the architecture figure: a layer's name, its output's shape, what to paint."""

    name: str
    shape: tuple[int, ...]  # (C, H, W) or (features,)
    colour: str
    values: Tensor | None  # of that shape, or None for a plain block

    @property
    def is_maps(self) -> bool:
        return len(self.shape) == 3

    @property
    def size(self) -> str:
        return "{}@{}×{}".format(*self.shape) if self.is_maps else str(self.shape[0])

    @property
    def sheets(self) -> int:
        return min(self.shape[0], MAX_SHEETS) if self.is_maps else 1

    @property
    def sheet_size(self) -> tuple[float, float]:
        if not self.is_maps:
            return 0.24, 0.5 + 0.24 * math.sqrt(self.shape[0])
        height, width = (0.3 + 0.33 * math.sqrt(length) for length in self.shape[1:])
        return width, height

    @property
    def extent(self) -> tuple[float, float]:
        width, height = self.sheet_size
        overhang = SHEET_SHIFT * (self.sheets - 1)
        return width + overhang, height + overhang


MAX_SHEETS = 12  # of a stack; more channels would hide each other
SHEET_SHIFT = 0.1  # between two sheets of a stack, in units of the drawing
STAGE_GAP = 0.55


@drawn(image="CHW")
def architecture(
    model: nn.Module,
    input_shape: tuple[int, int, int] | None = None,
    *,
    image: Tensor | None = None,
    width: float = 8.0,
) -> BookFigure:
    """Draw a network as its stages, like figure 2 of LeCun et al. (1998).

    Feature maps are stacks of sheets, one per channel (12 at most are drawn), features are bars.
    The sizes are those of one traced forward pass, so the figure cannot disagree with the network.
    Layers that keep the shape, such as ReLU, belong to the stage before them.

    Args:
        model: A network that maps a batch of images to one tensor.
        input_shape: (C, H, W) of one image; may be left out when `image` is given.
        image: float32 (C, H, W), prepared as the network expects it: the sheets then show what
            the network makes of it.
        width: Width of the figure in inches.

    Raises:
        ValueError: Neither `input_shape` nor `image` was given.
    """
    if image is None and input_shape is None:
        raise ValueError("give input_shape, such as (1, 28, 28), or an image")
    stages = _stages(model, torch.zeros(input_shape or ()) if image is None else image)
    if image is None:
        stages = [replace(stage, values=None) for stage in stages]
    total = sum(stage.extent[0] for stage in stages) + STAGE_GAP * (len(stages) - 1)
    tallest = max(stage.extent[1] for stage in stages) + 1.3  # and a line of text on either side
    figure = BookFigure(width, width * tallest / total)
    ax = figure.subplots()
    ax.set_axis_off()
    ax.set(xlim=(0, total), ylim=(-tallest / 2, tallest / 2), aspect="equal")
    left = 0.0
    for stage in stages:
        _draw_stage(ax, left, stage)
        left += stage.extent[0] + STAGE_GAP
    return figure


def _stages(model: nn.Module, image: Tensor) -> list[_Stage]:
    stages = [_Stage("input", tuple(image.shape), INK, image)]
    for step in record(model, torch.stack([image, image])):
        shape, values = step.output_shape[1:], None if step.output is None else step.output[0]
        if shape == stages[-1].shape:
            stages[-1] = replace(stages[-1], values=values)
        elif len(shape) == 3 or (len(shape) == 1 and step.num_parameters):
            colour = ACCENTS[0 if step.num_parameters else 1]
            stages.append(_Stage(step.name, shape, colour, values))
    return stages


def _draw_stage(ax: Axes, left: float, stage: _Stage) -> None:
    width, height = stage.sheet_size
    total_width, total_height = stage.extent
    for sheet in range(stage.sheets):
        x = left + SHEET_SHIFT * sheet
        y = total_height / 2 - height - SHEET_SHIFT * sheet
        box = (x, x + width, y, y + height)
        if stage.values is None:
            ax.add_patch(Rectangle((x, y), width, height, color=stage.colour, zorder=sheet))
        else:
            _paint(ax, box, stage, sheet)
        frame = Rectangle((x, y), width, height, fill=False, edgecolor=EDGE, linewidth=0.7)
        ax.add_patch(frame).set_zorder(sheet)
    middle = left + total_width / 2
    ax.text(middle, total_height / 2 + 0.15, stage.name, ha="center", va="bottom")
    ax.text(middle, -total_height / 2 - 0.15, stage.size, ha="center", va="top", weight="bold")


def _paint(ax: Axes, box: tuple[float, float, float, float], stage: _Stage, channel: int) -> None:
    """Paint one sheet with its channel, or a bar with its features, in the stage's own range."""
    values = stage.values.detach().cpu().float() if stage.values is not None else torch.zeros(1)
    pixels = values[channel] if stage.is_maps else values.unsqueeze(1)
    low, high = float(values.min()), float(values.max())
    ax.imshow(
        pixels.numpy(),
        cmap=IMAGE_MAP if stage.name == "input" else COLOUR_MAP,
        vmin=low,
        vmax=max(high, low + 1e-6),
        extent=box,
        interpolation="nearest",
        zorder=channel,
    )
