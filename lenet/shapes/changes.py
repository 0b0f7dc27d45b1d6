"""Candidates for a fix: one thing done differently in a layer, a call or the images."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from lenet.shapes import wording
from lenet.shapes.diagnosis import (
    Problem,
    dtype_name,
    gets_maps,
    loses_batch,
    takes_maps,
    takes_sequences,
)
from lenet.shapes.edits import Edit, Expression, added_attribute, expression_at, transformer_call
from lenet.shapes.kinds import has_windows, is_pointwise, kind_of, needed_size, weight_shape
from lenet.shapes.wording import layer_code, setting_text, shape_text, size_text, title_of
from lenet.tracing import Step


@dataclass(frozen=True)
class Change:
    """One thing done differently.

    Attributes:
        text: the change in words: ``padding=2 in conv1``.
        reason: what the network or the images are now, as a cause: ``conv1 has no padding``.
        layer: the name of the layer that changes, or None.
        settings: the settings that the layer gets instead.
        instead: the class that it is of instead, or None.
        alone: where one call makes several layers, only this one changes.
        front: a layer that is put before it, such as ``Flatten()``.
        edits: what changes in a method's source.
        additions: lines that do to a network that is made what edits of its `__init__` do.
        images: what the network gets instead, in terms of its ``images``.
        leads_on: the next layer may have to follow, for example with other `in_features`.
        flattens: it flattens the maps in front of a linear layer.
    """

    text: str
    reason: str = ""
    layer: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    instead: type[nn.Module] | None = None
    alone: bool = False
    front: str = ""
    edits: tuple[Edit, ...] = ()
    additions: tuple[str, ...] = ()
    images: str = ""
    leads_on: bool = False
    flattens: bool = False

    @property
    def target(self) -> object:
        """What is changed: a layer or its input by name, a call by its place, or the images."""
        return (self.layer, self.front) if self.layer is not None else self.edits or self.images


_CHANNELS_LAST = "the channels come last, and PyTorch wants them first, (N, C, H, W)"
_CHANNEL_AXIS = "the channel axis is missing"
_BATCH_AXIS = "the batch axis is missing"
# By the axes that layers slide over, and those that the images have: what to append, and why.
_LAYOUTS = {
    (1, 2): {
        ".unsqueeze(1)": _CHANNEL_AXIS,
        ".unsqueeze(2)": "the axis of features is missing",
        ".unsqueeze(0)": _BATCH_AXIS,
    },
    (1, 3): {".transpose(1, 2)": "the channels come last, and PyTorch wants them first, (N, C, L)"},
    (2, 2): {"[None, None]": "a batch and a channel axis are missing"},
    (2, 3): {
        ".unsqueeze(0)": f"{_BATCH_AXIS}: PyTorch took the first axis for one image's channels",
        ".unsqueeze(1)": _CHANNEL_AXIS,
        ".permute(2, 0, 1).unsqueeze(0)": f"{_BATCH_AXIS} and {_CHANNELS_LAST}",
    },
    (2, 4): {".permute(0, 3, 1, 2)": _CHANNELS_LAST},
    (3, 4): {
        ".unsqueeze(1)": _CHANNEL_AXIS,
        ".unsqueeze(2)": "the axis of depth is missing",
        ".unsqueeze(0)": _BATCH_AXIS,
    },
    (3, 5): {".permute(0, 4, 1, 2, 3)": "the channels come last, and PyTorch wants them first"},
}
_CASTS = {torch.float32: ".float()", torch.int64: ".long()"}
_COLOURS = {1: ".expand(-1, 3, -1, -1)", 3: ".mean(dim=1, keepdim=True)", 4: "[:, :3]"}


def layout_changes(images: Tensor, dtype: torch.dtype, steps: Sequence[Step]) -> Iterator[Change]:
    """Images as PyTorch wants them: numbers of the weights' type, batch first, then channels."""
    code = "images"
    if images.dtype != dtype:
        reason = f"the images are {dtype_name(images.dtype)} and the weights {dtype_name(dtype)}"
        code = f"images{_CASTS.get(dtype, f'.to({dtype})')}"
        if images.dtype is torch.uint8:  # pixels from 0 to 255 to numbers from 0 to 1
            code += " / 255"
        yield _images_change(code, images, reason)
        code = f"({code})" if " " in code else code
    if (first := _first_taker(steps)) is None:
        return
    axes, channels = kind_of(first).axes or int(takes_sequences(first)), {needed_size(first)}
    channels |= set(_COLOURS) if axes == 2 else set()
    has_axes = images.dim() == axes + 2  # whose channels may stand in their place, and only there
    is_plain = has_axes and (images.shape[1] in channels or images.shape[-1] not in channels)
    layouts = {} if is_plain else dict(_LAYOUTS.get((axes, images.dim()), {}))
    if axes and images.dim() > axes + 2:
        single = [axis for axis, size in enumerate(images.shape) if size == 1]
        suffixes = [".flatten(0, 1)", *(f".squeeze({axis})" for axis in single)]
        layouts = dict.fromkeys(suffixes, "there is an axis more than those of a batch")
    for suffix, reason in layouts.items():
        change = _images_change(code + suffix, images, reason)
        yield replace(change, leads_on=images.dim() > axes + 2)
        if "permute" in suffix:  # the numbers lie as they did, which a later view does not take
            yield _images_change(f"{code}{suffix}.contiguous()", images, reason)
        changed = eval(code + suffix, {"images": images, "torch": torch})
        colour = _COLOURS.get(changed.shape[1])
        if changed.dim() == 4 and colour:
            yield _images_change(code + suffix + colour, images, reason)
    yield from (replace(each, leads_on=False) for each in row_changes(images, steps, code))


def row_changes(images: Tensor, steps: Sequence[Step], code: str = "images") -> Iterator[Change]:
    """Images as rows, where a linear layer comes first; it may have to take more features."""
    first = _first_taker(steps)
    if first is not None and kind_of(first).name == "Linear" and images.dim() > 2:
        reason = "a linear layer wants every image as one row"
        change = _images_change(f"{code}.flatten(start_dim=1)", images, reason)
        yield replace(change, leads_on=True)


def _first_taker(steps: Sequence[Step]) -> Step | None:
    """Find the first step that does not take images of any shape."""
    takers = (s for s in steps if kind_of(s).axes or kind_of(s).fits or not is_pointwise(s))
    return next(takers, None)


def colour_changes(images: Tensor) -> Iterator[Change]:
    """Grey images as colour images, and the other way round; transparent ones as either."""
    if images.dim() == 4 and images.shape[1] in _COLOURS and images.is_floating_point():
        colour = _COLOURS[images.shape[1]]
        yield _images_change(f"images{colour}", images)
        if images.shape[1] == 4:
            yield _images_change(f"images{colour}{_COLOURS[3]}", images)


_USUAL_SIZES = (28, 32, 64, 96, 128, 224, 256, 299)


def size_changes(images: Tensor, problem: Problem, steps: Sequence[Step]) -> Iterator[Change]:
    """Images of other sizes: usual, with as many pixels as are needed, even, and the nearest."""
    pixels, ratio = tuple(images.shape[2:]), _pixel_ratio(problem, steps)
    if not pixels or not images.is_floating_point():
        return
    usual = sorted(_USUAL_SIZES, key=lambda size: (abs(size - pixels[0]), -size))
    nearest = sorted(range(-(min(pixels) // 2), 101), key=lambda d: (abs(d), -d))
    scaled = [int(number * ratio ** (1 / len(pixels)) + 0.5) for number in pixels]
    is_square = len(set(pixels)) == 1
    sizes = [(s,) * len(pixels) for s in usual if is_square and 2 * s >= min(pixels)]
    sizes += [tuple(size + d for size in scaled) for d in nearest[:5] if ratio != 1]
    sizes += [tuple(-(-size // n) * n for size in pixels) for n in (4, 8, 16, 32)]
    sizes += [tuple(number + d for number in pixels) for d in nearest]
    if not is_square:
        sizes += [(*pixels[:-1], pixels[-1] + d) for d in nearest]
    for size in dict.fromkeys(sizes):
        if size != pixels and min(size) > 0:
            text = f"a {size_text(size)} input" if len(size) > 1 else f"an input of {size[0]}"
            code = f"torch.nn.functional.interpolate(images, {setting_text(size)})"
            yield Change(text, f"the input is {size_text(pixels)}", images=code)


def setting_changes(step: Step, setting: str) -> Iterator[Change]:
    """Other values for one setting of a convolution or pooling step, the nearest first.

    Zero sizes, kernels of one pixel, and padding in which a kernel sees nothing are left out.
    """
    current, is_pool = step.settings.get(setting), kind_of(step).window == "pool"
    keeps = _largest(step.settings.get("kernel_size", weight_shape(step)[2:] or 1)) // 2
    now, is_kept = _largest(current), current in (keeps, (keeps, keeps))
    if not isinstance(now, int):
        return
    values = {
        "padding": range(1 if is_pool else 0 if is_kept else keeps + 1),
        "output_padding": range(1, _largest(step.settings.get("stride")) or 1),
        "kernel_size": range(2, 9) if is_pool else range(3, 9, 2),
    }.get(setting, range(1, 9))
    has = "no padding" if (setting, now) == ("padding", 0) else f"{setting}={setting_text(current)}"
    kernel = _largest(step.settings.get("kernel_size"))
    usual = {"padding": keeps, "stride": kernel}.get(setting, now)
    for value in sorted(values, key=lambda v: (v != usual, abs(v - now), v)):
        if value != now:
            yield from _setting_change(step, {setting: value}, f"{title_of(step)} has {has}")


def own_changes(problem: Problem) -> Iterator[Change]:
    """Make the failing layer fit what came, where that has as many axes as the layer takes."""
    step = problem.step
    if step is None or step.module is None or not step.input_shapes or problem.kind == "axes":
        return
    shape, fit = step.input_shapes[0], kind_of(step).fits
    if isinstance(step.module, nn.MultiheadAttention) and len(step.input_shapes) > 2:
        widths = {"kdim": step.input_shapes[1][-1], "vdim": step.input_shapes[2][-1]}
        if any(step.settings[name] != width for name, width in widths.items()):
            yield from _setting_change(step, widths)
    if isinstance(step.module, nn.Embedding) and step.inputs:
        yield from _setting_change(step, {"num_embeddings": int(step.inputs[0].max()) + 1})
    if isinstance(step.module, nn.PixelShuffle):
        for factor in (2, 3, 4):
            yield from _setting_change(step, {"upscale_factor": factor}, leads_on=True)
    if kind_of(step).name == "BatchNorm1d" and shape[-1] == needed_size(step) != shape[1]:
        yield from _replaced(step, nn.LayerNorm, {"normalized_shape": shape[-1]})
    elif len(shape) > 2 and step.settings.get("normalized_shape") == shape[1:2]:
        yield from _replaced(step, nn.GroupNorm, {"num_groups": 1, "num_channels": shape[1]})
    elif "normalized_shape" in step.settings:
        came = shape[-len(step.settings["normalized_shape"]) :]
        yield from _setting_change(step, {"normalized_shape": came}, leads_on=True)
    elif fit and -len(shape) <= fit.axis < len(shape) and shape[fit.axis] != needed_size(step):
        yield from _setting_change(step, {fit.setting: shape[fit.axis]}, leads_on=True)


def _replaced(step: Step, layer: type[nn.Module], settings: Mapping[str, Any]) -> Iterator[Change]:
    """Another layer, which takes the axis on which the size that is needed stands."""
    reason = f"{title_of(step)} takes another axis than that of its features"
    text = f"{layer_code(layer, settings)} instead of {step.operation} in {title_of(step)}"
    yield Change(text, reason, step.name, settings, layer)


def followers(
    model: nn.Module, problem: Problem, steps: Sequence[Step], before: Change
) -> Iterator[Change]:
    """What may have to follow another change."""
    yield from (replace(c, reason="") for c in operand_changes(model, problem, steps) if c.flattens)
    yield from own_changes(problem)
    step = problem.step
    if step is not None and before.instead is not None:
        yield from axes_changes([step], step.input_shapes[0][0])
    if problem.kind == "batch" and step is not None:
        yield from call_changes([step])


def call_changes(steps: Iterable[Step]) -> Iterator[Change]:
    """Calls and layers that move axes, made to do what may have been meant."""
    for step in steps:
        if step.module is None:
            yield from _rewritings(step)
        elif wrong := {k: v for k, v in _AS_A_RULE.items() if step.settings.get(k, v) != v}:
            yield from _setting_change(step, wrong, _loses(step), leads_on=True)


_AS_A_RULE = {"start_dim": 1, "end_dim": -1, "batch_first": True}  # what keeps the batch first


def kept_changes(steps: Sequence[Step]) -> Iterator[Change]:
    """Calls whose result nothing uses, given to what they work on: ``x = x.view(n, -1)``."""
    used = {source for step in steps for source in step.sources}
    for step in (s for i, s in enumerate(steps[:-1]) if i not in used and s.module is None):
        call = expression_at(step.place)
        operand = next(iter(call.operands()), None) if call else None
        if call and operand and isinstance(operand.node, ast.Name) and call.is_statement():
            kept = f"{operand.text} = {call.text}"
            reason = f"what {title_of(step)} gives is thrown away"
            yield Change(kept, reason, edits=(call.replaced(kept),), leads_on=True)


def flattens_wrong_axes(step: Step) -> bool:
    """Tell whether a step flattens some axes of an image only."""
    flattens = step.operation.lower() == "flatten" and len(step.output_shapes) > 0
    return flattens and step.output_shape[1:] != (math.prod(step.input_shapes[0][1:]),)


def _rewritings(step: Step) -> Iterator[Change]:
    """What may have been meant by a call that changes axes."""
    call = expression_at(step.place)
    if call is None or not call.operands():
        return
    is_long = step.operation in ("view", "reshape") and len(call.sizes()) > 2
    for written in _MEANT.get(step.operation, ()):
        if is_long and "flatten" in written:
            continue
        operand, *given = call.operands()
        new = operand.with_suffix(written.format(", ".join(each.text for each in given))).new
        starts = {(each.node.lineno, each.node.col_offset) for each in (call, operand)}
        kept = len(operand.text) if len(starts) == 1 else 0
        old, new_words = _words(call.text[kept:]), _words(new[kept:])
        text = f"{new_words} instead of {old}" if new_words else f"no {old}"
        yield Change(text, _loses(step), edits=(call.replaced(new),), leads_on=True)
    is_call = isinstance(call.node, ast.Call)
    has_axis = is_call and "dim" in call.argument_names(step.operation)
    if is_call and "keepdim" in call.argument_names(step.operation):
        yield from _setting_change(step, {"keepdim": True}, _loses(step), leads_on=True)
    now, num_axes = step.settings.get("dim", 0), len(step.input_shapes[0]) or 1
    axes = (1, 2, -1) if has_axis and isinstance(now, int) else ()
    for axis in (each for each in axes if (each - now) % num_axes):
        yield from _setting_change(step, {"dim": axis}, _loses(step), leads_on=True)


TURNS = ("t", "T", "transpose", "permute")
# For an operation that changes axes, what may be written instead.
_MEANT = {
    "view": (".reshape({})", ".flatten(1)"),
    **dict.fromkeys(("reshape", "flatten", "squeeze"), (".flatten(1)",)),
    **dict.fromkeys(TURNS, ("",)),
    "getitem": ("[:, {}]",),
}


def _words(code: str) -> str:
    return " ".join(code.split()).removeprefix(".")


def _loses(step: Step) -> str:
    if loses_batch(step, step.input_shapes[0][0]):
        return f"{title_of(step)} does not keep the batch axis"
    wrong = flattens_wrong_axes(step)
    return f"{title_of(step)} leaves more than one axis for each image" if wrong else ""


def shortcut_changes(model: nn.Module, problem: Problem, steps: Sequence[Step]) -> Iterator[Change]:
    """A 1×1 convolution on the shortcut of a residual block whose maps change on the other way."""
    step = problem.step
    call = expression_at(step.place) if step else None
    is_sum = isinstance(getattr(call and call.node, "op", None), ast.Add)
    if step is None or call is None or not (is_sum and gets_maps(step, steps)):
        return
    block, shapes = model.get_submodule(step.scope), step.input_shapes
    for operand, came, wanted in zip(call.operands(), shapes, shapes[::-1], strict=False):
        axes = len(came) - 2
        if axes not in (1, 2, 3) or len(wanted) != len(came) or hasattr(block, "shortcut"):
            return
        settings = {"in_channels": came[1], "out_channels": wanted[1], "kernel_size": 1}
        settings["stride"] = -(-came[2] // wanted[2])
        layer = f"nn.{layer_code(getattr(nn, f'Conv{axes}d'), settings)}"
        alike = [name for name, each in model.named_modules() if type(each) is type(block)]
        if new := added_attribute(model, step.scope, f"shortcut = {layer}"):
            edits = (new, operand.replaced(f"self.shortcut({operand.text})"))
            made = tuple(f"{wording.layer_path(name)}.shortcut = {layer}" for name in alike)
            text = f"a 1×1 convolution on {operand.text}"
            yield Change(text, edits=edits, additions=made)


def axes_changes(steps: Iterable[Step], batch: int) -> Iterator[Change]:
    """Layers and calls for the number of axes that come: ``MaxPool1d`` for ``MaxPool2d``."""
    for step in steps:
        shape, now = next(iter(step.input_shapes), ()), step.operation
        other = re.sub(r"(?<=[a-zA-Z])[123]d$", f"{max(len(shape) - 2, 1)}d", now)
        is_row = len(shape) < 3 and bool(kind_of(step).window)  # over which nothing slides
        if other == now or shape[:1] != (batch,) or is_row:
            continue
        reason = f"{now} is for other axes than those of {shape_text(shape, batch)}"
        change = Change(f"{other} instead of {now}", reason, leads_on=True)
        layer, call = getattr(nn, other, None), expression_at(step.place)
        if step.module is not None and layer is not None:
            text = f"{change.text} in {title_of(step)}"
            yield replace(change, text=text, layer=step.name, instead=layer)
        elif step.module is None and call is not None:
            with suppress(LookupError):
                yield replace(change, edits=(call.renamed(other),))


def view_changes(steps: Iterable[Step]) -> Iterator[Change]:
    """Views with another size along one axis, or along those that are alike.

    What fits is as many numbers as there are for each image; a size that is written as a number
    comes before one that has a name.
    """
    for step in steps:
        numbers, unflat = math.prod(next(iter(step.input_shapes), ())[1:]), "unflattened_size"
        sizes = step.settings.get(unflat) or step.settings.get("shape", ())[1:]
        if len(sizes) < 2 or min(sizes) < 1:
            continue
        others, call = list(_fitting(sizes, numbers)), expression_at(step.place)
        if step.module is not None:
            for other in others:
                yield from _setting_change(step, {unflat: other}, leads_on=True)
        elif call is not None and len(call.sizes()) == len(sizes) + 1:
            made = [_resized(step, call.sizes()[1:], sizes, other) for other in others]
            yield from sorted(made, key=lambda change: not change.edits[0].old.isdigit())


def _resized(
    step: Step, written: Sequence[Expression], sizes: Sequence[int], others: Sequence[int]
) -> Change:
    """Write other sizes in a view."""
    pairs = zip(written, sizes, others, strict=True)
    edits = tuple(size.replaced(str(new)) for size, old, new in pairs if new != old)
    text = f"{edits[0].new} instead of {edits[0].old} in {step.name} ({step.place.text})"
    return Change(text, edits=edits, leads_on=True)


def _fitting(sizes: Sequence[int], numbers: int) -> Iterator[tuple[int, ...]]:
    """Change one size, wherever it stands, so that the product becomes so many numbers."""
    for size in dict.fromkeys(sizes):
        times = sizes.count(size)
        rest = math.prod(sizes) // size**times
        fitting = round((numbers / rest) ** (1 / times))
        if fitting**times * rest == numbers != math.prod(sizes):
            yield tuple(fitting if each == size else each for each in sizes)


def padding_changes(problem: Problem) -> Iterator[Change]:
    """A mask for the pairs of places that is one for the places that are filled up."""
    call = expression_at(problem.step.place) if problem.step else None
    for keyword in getattr(call and call.node, "keywords", []):
        other = {"attn_mask": "key_padding_mask", "mask": "src_key_padding_mask"}.get(keyword.arg)
        if call and other:
            edit = Expression(call.file, keyword).replaced(f"{other}={ast.unparse(keyword.value)}")
            yield Change(f"{edit.new} instead of {edit.old}", edits=(edit,))


def transformer_changes(model: nn.Module, steps: Iterable[Step]) -> Iterator[Change]:
    """`batch_first=True` for a whole transformer of PyTorch's own, where it is made."""
    for name in (s.name for s in steps if s.settings.get("batch_first") is False):
        if call := transformer_call(model, name):
            edits = call.with_arguments((), {"batch_first": True})
            text = f"batch_first=True in {call.text.partition('(')[0]}"
            root = name.split(".")[0]
            modules = (n for n, m in model.named_modules() if hasattr(m, "batch_first"))
            parts = (wording.layer_path(n) for n in modules if n.split(".")[0] == root)
            lines = (f"{part}.batch_first = True" for part in parts)
            yield Change(text, edits=tuple(edits), additions=tuple(lines), leads_on=True)


def map_changes(problem: Problem, crops: bool) -> Iterator[Change]:
    """Maps that are joined: all as large as the largest, or cropped to the smallest."""
    step = problem.step
    call = expression_at(step.place) if step and step.module is None else None
    if step is None or call is None or problem.kind != "operands" or kind_of(step).macs:
        return
    sizes, operands = [shape[2:] for shape in step.input_shapes], call.operands()
    is_unequal = len(set(sizes)) > 1 == len({len(size) for size in sizes})
    if not is_unequal or len(operands) < len(sizes):  # a list is joined that has a name
        return
    maps = sorted(zip(operands, sizes, strict=False), key=lambda each: each[1])
    (_, least), *_, (largest, most) = maps
    smaller = [(each, size) for each, size in maps if size != most]
    is_named = isinstance(largest.node, ast.Name | ast.Attribute)
    wanted = f"{largest.text}.shape[2:]" if is_named else str(most)
    for home in ("F", "nn.functional", "torch.nn.functional") if not crops else ():
        new = f"{home}.interpolate({{}}, size={wanted})"
        edits = tuple(each.replaced(new.format(each.text)) for each, _ in smaller)
        yield Change(_words(edits[0].new), edits=edits)
    if crops and 2 * math.prod(least) > math.prod(most):
        larger = [(each, size) for each, size in maps if size != least]
        edits = tuple(each.with_suffix(_cropped(size, least)) for each, size in larger)
        yield Change(_words(edits[0].new), edits=edits)


def _cropped(size: Sequence[int], wanted: Sequence[int]) -> str:
    """Write how the middle of maps is cut out: ``[:, :, 2:-2, 2:-2]``."""
    margins = [(now - then, (now - then) // 2) for now, then in zip(size, wanted, strict=True)]
    cuts = [f"{half or ''}:{half - both or ''}" for both, half in margins]
    return f"[{', '.join([':', ':', *cuts])}]"


def operand_changes(model: nn.Module, problem: Problem, steps: Sequence[Step]) -> Iterator[Change]:
    """What the failing step works on, in the layout that it takes."""
    step = problem.step
    if step is None or not step.input_shapes:
        return
    owner = dict(model.named_modules()).get(step.scope)
    in_sequence = step.module is not None and isinstance(owner, nn.Sequential)
    call = None if in_sequence else expression_at(step.place)
    operands = call.given(step.module is not None, len(step.input_shapes)) if call else []
    title, found = title_of(step), list(range(len(step.input_shapes)))
    for index in found if step.module is not None else reversed(found):
        for suffix, front in _suffixes(step, steps, index):
            flattens = front == "Flatten()"
            takes = "takes only the last axis of what it gets for its features"
            reason = f"nothing flattens the maps before {title}, which {takes}" if flattens else ""
            change = Change("", reason, leads_on=True, flattens=flattens)
            if in_sequence and front:
                text = f"nn.{front} before {title}"
                yield replace(change, text=text, layer=step.name, front=front)
            elif index < len(operands):
                one, other = operands[index], operands[int(index == 0) % len(operands)]
                same = [e for e in operands if e.text == one.text] if step.module else [one]
                suffix = suffix.replace("OTHER", other.text)
                edits = tuple(each.with_suffix(suffix) for each in same)
                if step.module is not None and 0 < index < len(operands) < len(found):
                    pair = f"tuple(each{suffix} for each in {one.text})"  # of states, with one name
                    edits = (one.replaced(pair),)
                text = f"{_words(edits[0].new)} before {title}"
                yield replace(change, text=text, edits=edits)
                if call and suffix.startswith(".permute") and len(operands) == 1:
                    turned_back = (_and_back(call, edits[0]),)
                    yield replace(change, text=f"{text} and back", edits=turned_back)


def _and_back(call: Expression, turned: Edit) -> Edit:
    """Turn the axes of what a layer takes, and those of what it gives back again."""
    order = [int(axis) for axis in turned.new.rpartition("(")[2].rstrip(")").split(",")]
    back = ", ".join(str(order.index(axis)) for axis in range(len(order)))
    layer = call.text.removesuffix(f"({turned.old})")
    return call.replaced(f"{layer}({turned.new}).permute({back})")


def _suffixes(step: Step, steps: Sequence[Step], index: int) -> Iterator[tuple[str, str]]:
    """List what to append to an operand, and the layer that does the same or an empty text."""
    shape = step.input_shapes[index]
    axes, needed, fit = len(shape), needed_size(step), kind_of(step).fits
    axis = fit.axis if fit else -1
    if len(normalised := step.settings.get("normalized_shape", ())) == 1:
        (needed,) = normalised
    wanted = next(iter(kind_of(step).input_dims), axes)
    if takes_maps(step, steps):
        yield ".flatten(1)", "Flatten()"
    weight = getattr(step.module, "weight", None)
    if isinstance(weight, Tensor) and step.inputs:
        dtype = torch.int64 if isinstance(step.module, nn.Embedding) else weight.dtype
        if step.inputs[0].dtype != dtype:
            yield _CASTS.get(dtype, f".to({dtype})"), ""
    if takes_sequences(step) and axes == 4 and index == 0:
        yield ".squeeze(1)", ""
        yield ".flatten(2).transpose(1, 2)", ""
        yield ".flatten(1, 2).transpose(1, 2)", ""
    if axes + 1 == wanted:
        yield from [(f".unsqueeze({axis})", "") for axis in (1, 2)]
    if axes == wanted + 1 > 3:
        yield from [(f".squeeze({axis})", "") for axis in range(1, axes) if shape[axis] == 1]
        yield ".flatten(2)", ""
    if needed and axes == 2 < wanted and shape[1] % needed == 0:
        side = round((shape[1] // needed) ** (1 / (wanted - 2)))
        size = (needed, *[side] * (wanted - 2))
        added = f"[:, :{', None' * (wanted - 2)}]"
        front = f"Unflatten(1, {size})" if kind_of(step).window == "transpose" else ""
        yield added if side == 1 else f".unflatten(1, {size})", front
    may_be_turned = axes > 2 and not (has_windows(step) and gets_maps(step, steps))
    if needed and may_be_turned and shape[axis] != needed and needed in shape[1:]:
        order = list(range(axes))
        order.insert(axis % axes, order.pop(shape.index(needed, 1)))
        yield f".permute({', '.join(map(str, order))})", ""
    axis_of_batch, heads = int(not step.settings.get("batch_first", True)), "num_heads"
    if index and isinstance(step.module, nn.RNNBase | nn.RNNCellBase):
        fewer = f"[:, :OTHER.size({axis_of_batch})]"
        yield from ((each, "") for each in (".unsqueeze(0)", ".squeeze(0)", fewer))
    elif index > 2 and heads in step.settings and not _is_turned(step, steps):
        length = f"OTHER.size({1 - axis_of_batch})"
        per_head = f".repeat_interleave({step.settings[heads]}, dim=0)"
        yield from ((e, "") for e in (f"[:{length}, :{length}]", ".transpose(0, 1)", per_head))
    elif index > 2 and step.operation == "scaled_dot_product_attention":
        yield "[:, None, None]", ""  # (N, length) for every head and every place
    if fit is None and len(step.input_shapes) == 2:
        other = step.input_shapes[1 - index]
        batch = steps[0].input_shapes[0][:1] if steps[0].input_shapes else ()
        if shape[1:] == other[1:] and shape[:1] > other[:1] == batch:  # no image is left out
            yield "[:len(OTHER)]", ""
        if step.sources[index] is None and shape[:1] == (1,) and axes == len(other):
            yield f".expand(len(OTHER){', -1' * (axes - 1)})", ""
        if axes < len(other):  # of weights, the first axis is that of channels
            ones = ["None"] * (len(other) - axes - (step.sources[index] is None))
            places = (1, axes) if step.operation == "masked_fill" else (axes, 1)
            yield from [(f"[{', '.join([':'] * n + ones)}]", "") for n in places]
        elif len(other) == 2 < axes:
            yield ".flatten(1)", ""
        elif axes > 1 and shape[:-1] == other[:-1]:
            yield ".transpose(-2, -1)", ""
        elif axes > 2:
            yield ".transpose(0, 1)", ""


def _is_turned(step: Step, steps: Sequence[Step]) -> bool:
    """Tell whether a step works on what was turned right before."""
    source = next(iter(step.sources), None)
    return source is not None and source >= 0 and steps[source].operation in TURNS


def width_changes(problem: Problem, steps: Sequence[Step]) -> Iterator[Change]:
    """Make an earlier layer give as many channels or features as are needed."""
    sources, needs = problem.step.sources if problem.step else (), [(problem.needed, problem.came)]
    if problem.step and problem.kind == "operands":
        shapes = problem.step.input_shapes[:2]
        joined = problem.step.settings.get("dim", 0) if kind_of(problem.step).formula else None
        pairs = list(enumerate(zip(*shapes, strict=False)))
        axes = (i for i, pair in pairs if i and i != joined and len(set(pair)) > 1)
        axis = next(axes, 1)
        sizes = [shape[axis] if len(shape) > axis else 0 for shape in shapes]
        needs = list(zip(reversed(sizes), sizes, strict=True))
    for source, (needed, came) in zip(sources, needs, strict=False):
        path, width = _from_width(source, steps)
        if 0 < needed != came > 0 and width and width * needed % came == 0:
            settings = {kind_of(path[0]).width: width * needed // came}
            yield from _setting_change(path[0], settings, leads_on=True)


def is_product(problem: Problem, steps: Sequence[Step]) -> bool:
    """Tell whether what came is a product, of channels and pixels, and no layer's own width.

    Another width then fits by luck, if at all, and teaches nothing.
    """
    _, width = _arriving(problem, steps)
    return width > 0 and problem.needed > 0 and width != problem.came


def _pixel_ratio(problem: Problem, steps: Sequence[Step]) -> float:
    """How many times as many pixels a layer behind a flatten needs; 1 where that is not known."""
    _, width = _arriving(problem, steps)
    is_known = is_product(problem, steps) and problem.needed >= width and problem.came > 0
    return problem.needed / problem.came if is_known else 1


def sizes_matter(problem: Problem, steps: Sequence[Step]) -> bool:
    """Tell whether the failing step gets numbers that depend on the size of the maps."""
    if problem.kind in ("type", "axes", "channels", "order"):
        return False
    given = problem.step.settings if problem.step else {}
    if "normalized_shape" in given:
        return False  # the sizes of maps are no features
    path, _ = _arriving(problem, steps)
    if problem.kind != "features" or not path or is_product(problem, steps):
        return True
    windows = [kind_of(step).window for step in path]
    return bool(windows[0]) and not {"adaptive", "all"} & set(windows)


def _from_width(source: int | None, steps: Sequence[Step]) -> tuple[Sequence[Step], int]:
    """Go back from a step's input to the layer that decided its number of channels or features.

    Returns:
        The steps from that layer on, without the last, and the number; none and 0 where the images
        decide.
    """
    while source is not None and source >= 0:
        step = steps[source]
        if kind_of(step).width in step.settings:
            return steps[source:-1], step.settings[kind_of(step).width]
        source = next(iter(step.sources), None)
    return [], 0


def _arriving(problem: Problem, steps: Sequence[Step]) -> tuple[Sequence[Step], int]:
    """Find what decided how many channels or features the failing step gets."""
    return _from_width(next(iter(problem.step.sources if problem.step else ()), None), steps)


def _setting_change(
    step: Step, settings: Mapping[str, Any], reason: str = "", leads_on: bool = False
) -> Iterator[Change]:
    """Give a layer or a call other settings, where its code can be edited."""
    changed = ", ".join(f"{name}={setting_text(value, name)}" for name, value in settings.items())
    if step.module is not None:
        text = f"{changed} in {title_of(step)}"
        yield Change(text, reason, step.name, settings, leads_on=leads_on)
    elif (call := expression_at(step.place)) and isinstance(call.node, ast.Call):
        with suppress(LookupError):
            edits = call.with_arguments(call.argument_names(step.operation), settings)
            text = f"{changed} in {step.name} ({step.place.text})"
            yield Change(text, reason, edits=tuple(edits), leads_on=leads_on)


def _images_change(code: str, images: Tensor, reason: str = "") -> Change:
    """Change the images by the very line that is shown."""
    changed = eval(code, {"images": images, "torch": torch})
    return Change(f"{code}, of shape {shape_text(tuple(changed.shape))}", reason, images=code)


def _largest(value: Any) -> Any:  # noqa: ANN401
    """The largest number of a setting that may be one for each axis."""
    return max(filter(None, value), default=0) if isinstance(value, tuple | list) else value
