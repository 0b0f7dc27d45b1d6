"""Candidates for a fix: one thing done differently in a layer, a call or the images."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from lenet.shapes.diagnosis import Problem, dtype_name, takes_maps
from lenet.shapes.kinds import kind_of, weight_shape
from lenet.shapes.wording import call_of, describe_operation, setting_text, shape_text, size_text
from lenet.tracing import VARIADIC, Step


@dataclass(frozen=True)
class Change:
    """One thing done differently.

    Attributes:
        text: the change in words: ``padding=2 in conv1``.
        code: the line that makes it, or empty.
        reason: what the network or the images are now, as a cause: ``conv1 has no padding``.
        layer: the name of the layer that changes, or None.
        call: the index and operation of the function call that changes, or None.
        settings: the settings that the layer or call gets instead.
        images: the images that the network gets instead, or None.
        leads_on: the next layer may have to follow, for example with other `in_features`.
        flattens: the layer's input is flattened first, one row per image.
    """

    text: str
    code: str = ""
    reason: str = ""
    layer: str | None = None
    call: tuple[int, str] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    images: Tensor | None = field(default=None, repr=False, compare=False)
    leads_on: bool = False
    flattens: bool = False

    @property
    def target(self) -> object:
        """What is changed: a layer or its input by name, a call by its place, or the images."""
        return (self.layer, self.flattens) if self.layer else self.call


_CHANNELS_LAST = "the channels come last, and PyTorch wants them first, (N, C, H, W)"
# By the number of axes that the images have: what to append, and why.
_LAYOUTS = {
    2: {"[None, None]": "a batch and a channel axis are missing"},
    3: {
        ".unsqueeze(0)": "the batch axis is missing: PyTorch took the first axis for one image's "
        "channels",
        ".unsqueeze(1)": "the channel axis is missing",
        ".permute(2, 0, 1).unsqueeze(0)": f"the batch axis is missing and {_CHANNELS_LAST}",
    },
    4: {".permute(0, 3, 1, 2)": _CHANNELS_LAST},
}


def layout_changes(images: Tensor, dtype: torch.dtype) -> Iterator[Change]:
    """Images as PyTorch wants them: numbers of the weights' type, batch first, then channels."""
    code = "images"
    if images.dtype != dtype:
        reason = f"the images are {dtype_name(images.dtype)} and the weights {dtype_name(dtype)}"
        code = "images.float()" if dtype is torch.float32 else f"images.to({dtype})"
        if not images.is_floating_point():  # pixels from 0 to 255 to numbers from 0 to 1
            code += " / 255"
        yield _images_change(code, images, reason)
        code = f"({code})" if " " in code else code
    for suffix, reason in _LAYOUTS.get(images.dim(), {}).items():
        yield _images_change(code + suffix, images, reason)
    if images.dim() > 2:
        reason = "a linear layer wants every image as one row"
        yield _images_change(f"{code}.flatten(start_dim=1)", images, reason)


def colour_changes(images: Tensor) -> Iterator[Change]:
    """Grey images as colour images, and the other way round."""
    if images.dim() == 4 and images.shape[1] == 1:
        yield _images_change("images.expand(-1, 3, -1, -1)", images)
    if images.dim() == 4 and images.shape[1] == 3 and images.is_floating_point():
        yield _images_change("images.mean(dim=1, keepdim=True)", images)


def size_changes(images: Tensor) -> Iterator[Change]:
    """Images of other sizes, the nearest first."""
    pixels = images.shape[2:]
    if images.dim() not in (3, 4) or not images.is_floating_point():
        return
    nearest = sorted(range(1 - min(pixels), 41), key=lambda d: (abs(d), -d))
    usual = [size - pixels[0] for size in (64, 96, 128, 224, 256, 299)]
    for difference in [*nearest[1:], *usual]:
        size = [number + difference for number in pixels]
        if min(size) > 0:
            yield Change(
                text=f"a {size_text(size)} input",
                reason=f"the input is {size_text(pixels)}",
                images=images.new_zeros((*images.shape[:2], *size)),
            )


def setting_changes(index: int, step: Step, setting: str) -> Iterator[Change]:
    """Other values for one setting of a convolution or pooling step, the nearest first."""
    if setting not in step.settings:
        return
    current = step.settings[setting]
    now = max(filter(None, current), default=0) if isinstance(current, tuple | list) else current
    if not isinstance(now, int):
        return
    values = sorted(range(9), key=lambda value: (abs(value - now), value))
    if setting == "padding":
        values.insert(0, _padding_that_keeps_the_size(step))
    has = "no padding" if (setting, now) == ("padding", 0) else f"{setting}={setting_text(current)}"
    for value in values:
        if value != now and _is_sensible(step, setting, value):
            yield _setting_change(index, step, {setting: value}, f"{step.name} has {has}")


def flatten_changes(problem: Problem, steps: Sequence[Step], batch: int) -> Iterator[Change]:
    """Flatten the maps in front of a linear layer, or the right axes of what is flattened."""
    for index, earlier in enumerate(steps):
        if _flattens_wrong_axes(earlier, batch):
            yield _flatten_each_image(index, earlier)
    step = problem.step
    if step is not None and step.module is not None and takes_maps(step, steps):
        yield Change(
            text=f"{_flatten_code(step)} before {step.name}",
            reason=f"nothing flattens the maps before {step.name}, which takes only the last axis "
            "of what it gets for its features",
            layer=step.name,
            leads_on=True,
            flattens=True,
        )


def _flattens_wrong_axes(step: Step, batch: int) -> bool:
    """Tell whether a step puts a batch into one row, or flattens some axes of an image only."""
    before, after = step.input_shapes[0], step.output_shapes[:1]
    if not after or before[:1] != (batch,):
        return False
    if step.operation.lower() == "flatten":
        return after[0][1:] != (math.prod(before[1:]),)
    return step.operation in ("view", "reshape") and len(after[0]) == 1 < len(before)


def own_change(problem: Problem) -> Change | None:
    """Make the failing operation fit what came."""
    step = problem.step
    if step is None:
        return None
    if kind_of(step).reshapes and step.module is None:
        return _flatten_each_image(problem.index, step)
    fit = kind_of(step).fits
    if problem.kind not in ("features", "channels") or step.module is None or fit is None:
        return None
    return _setting_change(problem.index, step, {fit.setting: problem.came}, leads_on=True)


def reshape_changes(steps: Sequence[Step], batch: int) -> Iterator[Change]:
    """Calls that flatten the batch axis away, made to keep it."""
    for index, step in enumerate(steps):
        lost = step.output_shapes and step.output_shape[:1] != (batch,)
        if kind_of(step).reshapes and lost and step.input_shapes[0][:1] == (batch,):
            yield _flatten_each_image(index, step)


def width_changes(problem: Problem, steps: Sequence[Step]) -> Iterator[Change]:
    """Make an earlier layer give as many channels or features as are needed."""
    for source, needed, came in _width_needs(problem):
        index = _widest_before(source, steps)
        if index is None:
            continue
        name = kind_of(steps[index]).width
        width = steps[index].settings[name] * needed
        if came and width % came == 0 and width > 0:
            change = {name: width // came}
            yield _setting_change(index, steps[index], change, leads_on=True)


def is_product(problem: Problem, steps: Sequence[Step]) -> bool:
    """Tell whether what came is a product, of channels and pixels, and no layer's own width.

    Another width then fits by luck, if at all, and teaches nothing.
    """
    index = _widest_before(problem.step.sources[0], steps) if problem.step else None
    if index is None or not problem.needed:
        return False
    return bool(steps[index].settings[kind_of(steps[index]).width] != problem.came)


def _width_needs(problem: Problem) -> list[tuple[int | None, int, int]]:
    """List which steps would have to give how many channels or features, and how many they give."""
    step = problem.step
    if step is None:
        return []
    if problem.needed:
        return [(step.sources[0], problem.needed, problem.came)]
    if problem.kind == "operands" and len(step.input_shapes) > 1:
        first, second = (shape[1] if len(shape) > 1 else 0 for shape in step.input_shapes[:2])
        return [(step.sources[0], second, first), (step.sources[1], first, second)]
    return []


def _widest_before(source: int | None, steps: Sequence[Step]) -> int | None:
    """Go back from a step's input to the layer that decided its number of channels."""
    while source is not None and source >= 0:
        if kind_of(steps[source]).width in steps[source].settings:
            return source
        source = next(iter(steps[source].sources), None)
    return None


def _flatten_each_image(index: int, step: Step) -> Change:
    """Let a reshaping step keep the first axis and flatten the rest."""
    reason = f"{step.name} does not keep the batch axis"
    if step.output_shapes and step.output_shape[0] == step.input_shapes[0][0]:
        reason = f"{step.name} leaves more than one axis for each image"
    axes = {"start_dim": 1, "end_dim": -1}
    if step.module is not None:
        wrong = {name: axis for name, axis in axes.items() if step.settings.get(name) != axis}
        return _setting_change(index, step, wrong, reason, leads_on=True)
    tensor = _tensor_name(step)
    code = f"torch.flatten({tensor}, start_dim=1)"
    if step.operation in VARIADIC:
        code = f"{tensor}.{step.operation}({tensor}.size(0), -1)"
    settings = axes if step.operation == "flatten" else {"shape": (step.input_shapes[0][0], -1)}
    return Change(
        text=f"{code} instead of {step.place.code}",
        reason=reason,
        call=(index, step.operation),
        settings=settings,
        leads_on=True,
    )


def _flatten_code(step: Step) -> str:
    """Write the line that flattens the input of a layer."""
    if step.place.line is None:  # in a bare `nn.Sequential` there is no line to add
        return "nn.Flatten()"
    tensor = _tensor_name(step)
    return f"{tensor} = torch.flatten({tensor}, start_dim=1)"


def _tensor_name(step: Step) -> str:
    """Read from its code which variable a step works on; ``x`` where that has no name."""
    call = call_of(step)
    if call is None:
        return "x"
    if isinstance(call.func, ast.Attribute) and call.func.attr == step.operation:
        owner = call.func.value
        if isinstance(owner, ast.Name) and owner.id not in ("torch", "F"):
            return owner.id
    first = next(iter(call.args), None)
    return first.id if isinstance(first, ast.Name) else "x"


def _setting_change(
    index: int, step: Step, settings: dict[str, Any], reason: str = "", leads_on: bool = False
) -> Change:
    """Give a layer or a call other settings."""
    changed = ", ".join(f"{name}={setting_text(value)}" for name, value in settings.items())
    code = describe_operation(replace(step, settings={**step.settings, **settings}))
    if step.module is None:
        where = f"{step.name} ({step.place.text})" if step.place.text else step.name
        call = (index, step.operation)
        return Change(f"{changed} in {where}", code, reason, None, call, settings, None, leads_on)
    code = f"{_attribute(step.name)} = nn.{code}"
    text = f"{changed} in {step.name}"
    return Change(text, code, reason, step.name, None, settings, None, leads_on)


def _attribute(name: str) -> str:
    """Write a layer's dotted name as code: ``self.features[0]``."""
    return "self" + "".join(f"[{p}]" if p.isdigit() else f".{p}" for p in name.split("."))


def _images_change(code: str, images: Tensor, reason: str = "") -> Change:
    """Change the images by the very line that is shown."""
    images = eval(code, {"images": images, "torch": torch})
    shape = shape_text(tuple(images.shape))
    return Change(f"{code}, of shape {shape}", f"images = {code}", reason, images=images)


def _padding_that_keeps_the_size(step: Step) -> int:
    kernel = step.settings.get("kernel_size", weight_shape(step)[2:] or 1)
    return (max(kernel) if isinstance(kernel, tuple | list) else kernel) // 2


def _is_sensible(step: Step, setting: str, value: int) -> bool:
    """Leave out zero sizes, kernels of one pixel, and padding in which a kernel sees nothing."""
    if setting != "padding":
        return value > (setting == "kernel_size")
    return value <= 2 * _padding_that_keeps_the_size(step)
