"""Receptive fields: the pixels of the input that a unit depends on, followed step by step.

The receptive field is the size of the input region that one unit depends on, the jump the
distance in the input between neighbouring units. Through a window of kernel size k, dilation d
and stride s, a field r with jump j becomes r + d(k − 1)j with jump js (Dumoulin and Visin, 2016,
"A guide to convolution arithmetic for deep learning", relationship for stacked layers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lenet.shapes.formulas import Spread
from lenet.shapes.kinds import Windows, is_pointwise
from lenet.tracing import MODEL_INPUT, Shape, Step


@dataclass(frozen=True)
class Field:
    """The receptive field of a unit, one number per axis.

    Attributes:
        size: pixels of the input that the unit depends on.
        jump: pixels between the fields of neighbouring units; None when two branches disagree.
    """

    size: tuple[int, ...]
    jump: tuple[int, ...] | None


def receptive_fields(
    steps: Sequence[Step], windows: Sequence[Windows | None]
) -> list[Field | None]:
    """Follow the receptive field through every step and its windows; None where undefined."""
    fields: list[Field | None] = []
    for step, own in zip(steps, windows, strict=True):
        arriving = [
            (shape[2:], _pixel(len(shape) - 2) if source == MODEL_INPUT else fields[source])
            for shape, source in zip(step.input_shapes, step.sources, strict=True)
            if source is not None
        ]
        if own is not None and arriving:
            fields.append(_through(own, arriving[0][1]))
        else:
            fields.append(_merged(step.output_shape[2:], arriving) if is_pointwise(step) else None)
    return fields


def _pixel(num_axes: int) -> Field | None:
    """The field of a pixel of the input; None for a row without pixels."""
    return Field((1,) * num_axes, (1,) * num_axes) if num_axes > 0 else None


def _through(windows: Windows, field: Field | None) -> Field | None:
    if field is None or field.jump is None or len(field.size) != len(windows):
        return None
    if any(isinstance(window, Spread) for window in windows):
        return None  # what a unit sees then depends on its place
    axes = list(zip(windows, field.size, field.jump, strict=True))
    return Field(
        size=tuple(size + (window.span - 1) * jump for window, size, jump in axes),
        jump=tuple(jump * window.stride for window, _, jump in axes),
    )


def _merged(pixels: Shape, arriving: Sequence[tuple[Shape, Field | None]]) -> Field | None:
    """Join the branches of a pointwise step: the largest field, the jump they agree on."""
    known = [(shape, field) for shape, field in arriving if field is not None]
    if not known or len(known) < len(arriving) or len({len(f.size) for _, f in known}) > 1:
        return None
    jumps = {field.jump for shape, field in known if shape == pixels}
    sizes = zip(*(field.size for _, field in known), strict=True)
    return Field(tuple(map(max, sizes)), jumps.pop() if len(jumps) == 1 else None)


def depend_on_input(steps: Sequence[Step]) -> list[bool]:
    """Tell which steps work on the images, and not on weights alone (once for a whole batch)."""
    found: list[bool] = []
    for step in steps:
        sources = [source for source in step.sources if source is not None]
        found.append(any(source == MODEL_INPUT or found[source] for source in sources))
    return found
