"""Where a forward pass went wrong: the step, what it needed and what came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lenet.shapes.formulas import ShapeError
from lenet.shapes.kinds import has_windows, is_pointwise, kind_of, needed_size, windows_of
from lenet.shapes.wording import named_shape, shape_text
from lenet.tracing import MODEL_INPUT, Recording, Step, tensors_in


@dataclass(frozen=True)
class Problem:
    """What is wrong at one step, before any fix is sought.

    `kind` is "type", "axes", "channels", "features", "size", "batch", "maps" or "other"; `needed`
    and `came` are the numbers that differ, where numbers do.
    """

    kind: str
    what: str
    step: Step | None
    index: int = -1
    needed: int = 0
    came: int = 0


def diagnose(inputs: Sequence[Tensor], recording: Recording) -> Problem | None:
    """Find the step that failed, or that spoiled the result though nothing was raised.

    Args:
        inputs: what the network was given, (N, C, H, W) as a rule.
        recording: its forward pass.

    Returns:
        The problem; None when every image kept its row and every map was flattened.
    """
    failure, steps = recording.failure, recording.steps
    if failure is None:
        return _diagnose_maps(recording) or _diagnose_batch(inputs, recording)
    step = failure.step
    if step is None or not step.input_shapes:
        what = f"{failure.place.code or 'forward'} raised {type(failure.error).__name__}"
        return Problem("other", f"{what}: {first_line(failure.error)}", step, len(steps))
    origin = _origin(step, steps, len(inputs[0]))
    checks = (_check_type, _check_axes, _check_width, _check_size, _check_reshape)
    found = (check(step, origin, inputs) for check in checks)
    given = " and ".join(map(shape_text, step.input_shapes))
    unknown = Problem("other", f"{step.name} cannot work on {given}", step)
    return replace(next(filter(None, found), unknown), index=len(steps))


def _diagnose_batch(inputs: Sequence[Tensor], recording: Recording) -> Problem | None:
    """Find where the numbers of several images ended up in one row, though nothing was raised."""
    batch = len(inputs[0])
    if works(recording, batch):
        return None
    for index, step in enumerate(recording.steps):
        before, after = step.input_shapes[0][:1], step.output_shape[:1]
        if kind_of(step).reshapes and before == (batch,) != after:
            rows = after[0] if after else 0
            what = (
                f"{step.name} turns {shape_text(step.input_shapes[0])} into "
                f"{shape_text(step.output_shape)}: {batch} images go in, but the first axis is "
                f"{rows} afterwards, so the numbers of different images are mixed"
            )
            return Problem("batch", what, step, index)
    return None


def _diagnose_maps(recording: Recording) -> Problem | None:
    """Find the linear layer that took maps whose width happens to be its number of features."""
    index = _maps_in_linear(recording)
    if index is None:
        return None
    step = recording.steps[index]
    batch, *_, width = step.input_shapes[0]
    maps = shape_text(named_shape(step.input_shapes[0], batch))
    rows = shape_text(named_shape(step.output_shape, batch))
    what = f"{step.name} gets maps, {maps}, and works on every row of {width} pixels by itself"
    return Problem("maps", f"{what}: it gives {rows} instead of one row per image", step, index)


def _maps_in_linear(recording: Recording) -> int | None:
    """Find the first linear step behind all convolutions whose maps were not flattened.

    A network that returns one row per image is left alone: it may want a linear layer along one
    axis, as mixers do.
    """
    outputs = tensors_in(recording.output)
    if recording.failure is not None or all(tensor.dim() < 3 for tensor in outputs):
        return None
    steps = recording.steps
    first = max((i for i, step in enumerate(steps) if has_windows(step)), default=len(steps))
    places = range(first, len(steps))
    return next((i for i in places if takes_maps(steps[i], steps)), None)


def takes_maps(step: Step, steps: Sequence[Step]) -> bool:
    """Tell whether a linear step gets the maps of a convolution or pooling, (N, C, H, W)."""
    if kind_of(step).name != "Linear" or len(step.input_shapes[0]) != 4:
        return False
    source = step.sources[0]
    while source is not None and source >= 0:
        if has_windows(steps[source]):
            return True
        source = steps[source].sources[0] if is_pointwise(steps[source]) else None
    return False


def _check_type(step: Step, origin: str, inputs: Sequence[Tensor]) -> Problem | None:
    """Numbers of another type than the weights."""
    weight, images = getattr(step.module, "weight", None), inputs[0]
    if not isinstance(weight, Tensor) or MODEL_INPUT not in step.sources:
        return None
    if weight.dtype == images.dtype or not weight.is_floating_point():
        return None
    types = f"{dtype_name(weight.dtype)} weights, but the images are {dtype_name(images.dtype)}"
    return Problem("type", f"{step.name} has {types}", step)


def _check_axes(step: Step, origin: str, _: Sequence[Tensor]) -> Problem | None:
    """An image without channels, or a flattened one, where maps are needed."""
    possible, came = kind_of(step).input_dims, step.input_shapes[0]
    if not possible or len(came) in possible:
        return None
    pixels = ("L", "H, W", "D, H, W")[possible[0] - 3]
    wanted = f"(N, {needed_size(step) or 'C'}, {pixels})"
    if MODEL_INPUT in step.sources:
        origin = f"gets {shape_text(came)}"
    return Problem("axes", f"{step.name} expects the shape {wanted}, but {origin}", step)


def _check_width(step: Step, origin: str, _: Sequence[Tensor]) -> Problem | None:
    """Another number of channels or features than the weights were made for."""
    fit, needed, shape = kind_of(step).fits, needed_size(step), step.input_shapes[0]
    if fit is None or needed is None or not -len(shape) <= fit.axis < len(shape):
        return None
    came = shape[fit.axis]
    if came == needed:
        return None
    what = f"{step.name} expects {_plural(needed, fit.noun)}, but {origin}"
    what += f": {_plural(came, fit.noun)}"
    return Problem(f"{fit.noun}s", what, step, needed=needed, came=came)


def _check_size(step: Step, origin: str, _: Sequence[Tensor]) -> Problem | None:
    """A kernel larger than what it slides over, or settings that are impossible."""
    try:
        windows_of(step)
    except ShapeError as error:
        what = f"{step.name} does not fit, because {origin}. There, {error}"
        return Problem("size", what, step)
    return None


def _check_reshape(step: Step, origin: str, _: Sequence[Tensor]) -> Problem | None:
    """A `view` or `reshape` to another number of numbers."""
    if kind_of(step).name != "view":
        return None
    numbers = math.prod(step.input_shapes[0][1:])
    shape = step.settings.get("shape", ())
    what = f"{step.name} asks for {shape_text(shape)}, but {origin}"
    what += f": {_plural(numbers, 'number')} per image"
    wanted = math.prod(size for size in shape[1:] if isinstance(size, int))
    return Problem("features", what, step, needed=max(wanted, 0), came=numbers)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _origin(step: Step, steps: Sequence[Step], batch: int) -> str:
    """Say where a failed step's input comes from: ``flatten gives (N, 256)``."""
    source = step.sources[0]
    shape = shape_text(named_shape(step.input_shapes[0], batch))
    if source is None:
        return f"it gets {shape}"
    if source == MODEL_INPUT:
        return f"the images are {shape}"
    return f"{steps[source].name} gives {shape}"


def works(recording: Recording, batch: int) -> bool:
    """Tell whether a pass reached its end with one row for each image, all maps flattened."""
    outputs = [tensor for tensor in tensors_in(recording.output) if tensor.dim()]
    if recording.failure is not None or _maps_in_linear(recording) is not None:
        return False
    return not outputs or any(len(tensor) == batch for tensor in outputs)


def first_line(error: Exception) -> str:
    """The first line of an error's message, without PyTorch's C++ stack."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def dtype_name(dtype: torch.dtype) -> str:
    """Name a type as one says it: ``float32``."""
    return str(dtype).removeprefix("torch.")
