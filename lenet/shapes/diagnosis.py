"""Where a forward pass went wrong: the step, what it needed and what came."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lenet import tracing
from lenet.shapes import fields
from lenet.shapes.formulas import ShapeError
from lenet.shapes.wording import named_shape, shape_text
from lenet.tracing import Recording, Step
from lenet.tracing.torch_calls import tensors_in

RESHAPES = ("view", "reshape", "flatten", "unflatten")


@dataclass(frozen=True)
class Problem:
    """What is wrong at one step, before any fix is sought.

    `kind` is "type", "axes", "channels", "features", "size", "batch", "maps" or "other"; `needed`
    and `came` are the numbers that differ, where numbers do.
    """

    kind: str
    what: str
    index: int
    step: Step | None
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
        what = f"{failure.code or 'forward'} raised {type(failure.error).__name__}"
        return Problem("other", f"{what}: {first_line(failure.error)}", len(steps), step)
    origin = _origin(step, steps, len(inputs[0]))
    checks = (_check_type, _check_axes, _check_width, _check_size, _check_reshape)
    found = (check(step, origin, inputs) for check in checks)
    given = " and ".join(map(shape_text, step.input_shapes))
    unknown = _Mismatch("other", f"{step.name} cannot work on {given}")
    mismatch = next(filter(None, found), unknown)
    return Problem(mismatch.kind, mismatch.what, len(steps), step, mismatch.needed, mismatch.came)


def _diagnose_batch(inputs: Sequence[Tensor], recording: Recording) -> Problem | None:
    """Find where the numbers of several images ended up in one row, though nothing was raised."""
    batch = len(inputs[0])
    if works(recording, batch):
        return None
    for index, step in enumerate(recording.steps):
        before, after = step.input_shapes[0][:1], step.output_shape[:1]
        if step.operation in RESHAPES and before == (batch,) != after:
            rows = after[0] if after else 0
            what = (
                f"{step.name} turns {shape_text(step.input_shapes[0])} into "
                f"{shape_text(step.output_shape)}: {batch} images go in, but the first axis is "
                f"{rows} afterwards, so the numbers of different images are mixed"
            )
            return Problem("batch", what, index, step)
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
    return Problem("maps", f"{what}: it gives {rows} instead of one row per image", index, step)


def _maps_in_linear(recording: Recording) -> int | None:
    """Find the first linear step behind all convolutions whose maps were not flattened.

    A network that returns one row per image is left alone: it may want a linear layer along one
    axis, as mixers do.
    """
    outputs = tensors_in(recording.output)
    if recording.failure is not None or all(tensor.dim() < 3 for tensor in outputs):
        return None
    steps = recording.steps
    first = max((i for i, step in enumerate(steps) if fields.has_windows(step)), default=len(steps))
    places = range(first, len(steps))
    return next((i for i in places if takes_maps(steps[i], steps)), None)


def takes_maps(step: Step, steps: Sequence[Step]) -> bool:
    """Tell whether a linear step gets the maps of a convolution or pooling, (N, C, H, W)."""
    if fields.kind_of(step) != "linear" or len(step.input_shapes[0]) != 4:
        return False
    source = step.sources[0]
    while source is not None and source >= 0:
        if fields.has_windows(steps[source]):
            return True
        source = steps[source].sources[0] if fields.is_pointwise(steps[source]) else None
    return False


@dataclass(frozen=True)
class _Mismatch:
    """What a failed step needed and what came, in words and, where numbers differ, in numbers."""

    kind: str
    what: str
    needed: int = 0
    came: int = 0


def _check_type(step: Step, origin: str, inputs: Sequence[Tensor]) -> _Mismatch | None:
    """Numbers of another type than the weights."""
    weight, images = getattr(step.module, "weight", None), inputs[0]
    if not isinstance(weight, Tensor) or tracing.MODEL_INPUT not in step.sources:
        return None
    if weight.dtype == images.dtype or not weight.is_floating_point():
        return None
    types = f"{dtype_name(weight.dtype)} weights, but the images are {dtype_name(images.dtype)}"
    return _Mismatch("type", f"{step.name} has {types}")


def _check_axes(step: Step, origin: str, inputs: Sequence[Tensor]) -> _Mismatch | None:
    """An image without channels, or a flattened one, where maps are needed."""
    kind, came = fields.kind_of(step), step.input_shapes[0]
    maps = re.fullmatch(r"(conv|max|avg|adaptive|batchnorm).*([123])d", kind)
    if maps is None or kind == "batchnorm1d":  # which takes rows as well
        return None
    num_axes = 2 + int(maps[2])
    unbatched = () if maps[1] == "batchnorm" else (num_axes - 1,)
    if len(came) in (num_axes, *unbatched):
        return None
    needed = _needed(step)
    pixels = ("L", "H, W", "D, H, W")[num_axes - 3]
    wanted = f"(N, {needed.size if needed else 'C'}, {pixels})"
    if tracing.MODEL_INPUT in step.sources:
        origin = f"gets {shape_text(came)}"
    return _Mismatch("axes", f"{step.name} expects the shape {wanted}, but {origin}")


def _check_width(step: Step, origin: str, inputs: Sequence[Tensor]) -> _Mismatch | None:
    """Another number of channels or features than the weights were made for."""
    needed, shape = _needed(step), step.input_shapes[0]
    if (
        needed is None
        or not -len(shape) <= needed.axis < len(shape)
        or shape[needed.axis] == needed.size
    ):
        return None
    came = shape[needed.axis]
    what = f"{step.name} expects {_plural(needed.size, needed.noun)}, but {origin}"
    return _Mismatch(f"{needed.noun}s", f"{what}: {_plural(came, needed.noun)}", needed.size, came)


def _check_size(step: Step, origin: str, inputs: Sequence[Tensor]) -> _Mismatch | None:
    """A kernel larger than what it slides over, or settings that are impossible."""
    try:
        fields.windows_of(step)
    except ShapeError as error:
        return _Mismatch("size", f"{step.name} does not fit, because {origin}. There, {error}")
    return None


def _check_reshape(step: Step, origin: str, inputs: Sequence[Tensor]) -> _Mismatch | None:
    """A `view` or `reshape` to another number of numbers."""
    if step.operation not in ("view", "reshape"):
        return None
    numbers = math.prod(step.input_shapes[0][1:])
    asked = shape_text(step.settings.get("shape", ()))
    what = f"{step.name} asks for {asked}, but {origin}: {_plural(numbers, 'number')} per image"
    wanted = [size for size in step.settings.get("shape", ())[1:] if isinstance(size, int)]
    return _Mismatch("features", what, max(math.prod(wanted), 0), numbers)


@dataclass(frozen=True)
class _Needed:
    """The axis of a step's input that its weights fit, and the size needed there."""

    noun: str
    axis: int
    size: int


def _needed(step: Step) -> _Needed | None:
    """Read from a step's weights what its input must be."""
    kind, weight = fields.kind_of(step), fields.weight_shape(step)
    if kind == "linear":
        return _Needed("feature", -1, weight[-1])
    if kind.startswith("conv"):
        transposed = kind.startswith("convtranspose")
        size = weight[0] if transposed else weight[1] * step.settings.get("groups", 1)
        return _Needed("channel", 1 - len(weight), size)
    if kind.startswith(("batchnorm", "instancenorm")) and step.module is not None:
        return _Needed("channel", 1, step.settings["num_features"])
    if kind == "groupnorm" and step.module is not None:
        return _Needed("channel", 1, step.settings["num_channels"])
    return None


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _origin(step: Step, steps: Sequence[Step], batch: int) -> str:
    """Say where a failed step's input comes from: ``flatten gives (N, 256)``."""
    source = step.sources[0]
    shape = shape_text(named_shape(step.input_shapes[0], batch))
    if source is None:
        return f"it gets {shape}"
    if source == tracing.MODEL_INPUT:
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
