"""Where a forward pass went wrong: the step, what it needed and what came."""

from __future__ import annotations

import ast
import linecache
import math
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from lenet import tracing
from lenet.shapes.edits import Expression
from lenet.shapes.formulas import ShapeError
from lenet.shapes.kinds import (
    depend_on_input,
    has_windows,
    is_pointwise,
    kind_of,
    needed_size,
    windows_of,
)
from lenet.shapes.wording import parsed, shape_text, sizes_as_written, title_of
from lenet.tracing import MODEL_INPUT, Failure, Recording, Step, tensors_in
from lenet.tracing.tracer import Then


@dataclass(frozen=True)
class Call:
    """A call of a network, with its arguments as they were given.

    Attributes:
        model: the network.
        args: its arguments by position: images (N, C, H, W) first as a rule.
        kwargs: its arguments by name.
        then: what is done with its output, and has to work too: a loss.
        method: its method that was called.
    """

    model: nn.Module
    args: Sequence[Any]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    then: Then = None
    method: str = "__call__"

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors in the arguments."""
        return list(tensors_in((tuple(self.args), dict(self.kwargs))))

    def run(self, **options: Any) -> Recording:  # noqa: ANN401
        """Repeat the call on a private copy of the network."""
        options |= {"kwargs": self.kwargs, "then": self.then, "method": self.method}
        return tracing.run(self.model, self.args, **options)


@dataclass(frozen=True)
class Problem:
    """What is wrong at one step, before any fix is sought.

    `kind` is "type", "axes", "channels", "features", "size", "operands" (they do not go together),
    "order" (a view of numbers that do not lie in order), "arguments", "training", "batch", "maps"
    or "other"; `needed` and `came` are the numbers that differ, where numbers do; `why` is what
    they tell.
    """

    kind: str
    what: str
    step: Step | None = None
    index: int = -1
    needed: int = 0
    came: int = 0
    why: str = ""


def diagnose(inputs: Sequence[Any], recording: Recording) -> Problem | None:
    """Find the step that failed, or that spoiled the result though nothing was raised.

    Args:
        inputs: what the network was given, images (N, C, H, W) first as a rule.
        recording: its forward pass.

    Returns:
        The problem; None when every image kept its row and every map was flattened.
    """
    failure, steps, batch = recording.failure, recording.steps, batch_of(inputs)
    if failure is None or recording.output is not None:
        alone = replace(recording, failure=None)  # what came behind the network apart
        problem = next(chain(_taken_maps(alone), _lost_batches(inputs, alone)), None)
        if failure is None or problem is not None:
            return problem
    step = failure.step
    if step is None or not step.input_shapes:
        return Problem("other", _stopped(failure, batch), step, len(steps))
    misfits = chain(_wrong_kinds(step, batch), _wrong_sizes(step, steps, batch))
    problem = next(misfits, None) or _wrong_operands(step, steps, batch)
    why = _reckoned(step, steps, problem) if problem.kind == "features" else ""
    return replace(problem, step=step, index=len(steps), why=why)


def _reckoned(step: Step, steps: Sequence[Step], problem: Problem) -> str:
    """Take the features that are needed apart by the channels that are flattened."""
    source, needed = step.sources[0], problem.needed
    flatten = step if source is None or source < 0 or kind_of(step).reshapes else steps[source]
    shape = flatten.input_shapes[0]
    is_flat = len(flatten.settings.get("shape", ())) <= 2
    if len(shape) != 4 or not is_flat or not needed or math.prod(shape[1:]) != problem.came:
        return ""
    _, channels, height, width = shape
    if needed % channels:
        return f"{needed} is no multiple of {channels}, the number of channels that are flattened"
    side = math.isqrt(needed // channels)
    would = f"{needed} = {channels}·{side}·{side}: maps of {side}×{side} would fit"
    return f"{would}, but {height}×{width} came" if needed == channels * side * side else ""


def batch_of(inputs: object) -> int:
    """The number of images: the length of the first tensor that was given, 0 without one."""
    return next((len(tensor) for tensor in tensors_in(inputs) if tensor.dim()), 0)


def _stopped(failure: Failure, batch: int) -> str:
    """Say where Python code between two operations gave up, and the shapes of what it names."""
    place, names = failure.place, dict[str, object]()
    code = place.code or "forward"
    for frame, line in traceback.walk_tb(failure.error.__traceback__):
        written = linecache.getline(frame.f_code.co_filename, line).strip()
        if place.code and line == place.line and place.code in written:
            code, names = written, frame.f_locals
    shapes = [
        f"{name} is {seen(value, batch)}"
        for name, value in names.items()
        if isinstance(value, Tensor | tuple | list) and re.search(rf"\b{name}\b", code)
    ]
    where = f", where {' and '.join(shapes)}" if shapes else ""
    # "got (ReLU, Parameter, ...)", "must be Tensor, not ReLU": PyTorch names the class of what came
    came = re.search(r"(?:got \(|Tensor, not )(\w+)", str(failure.error))
    is_layer = came and issubclass(getattr(nn, came[1], object), nn.Module)
    why = f", because it gets a layer, {came[1]}, instead of a tensor" if came and is_layer else ""
    return f"{' '.join(code.split())} raises {type(failure.error).__name__}{where}{why}"


def seen(value: object, batch: int | None = None) -> str:
    """Write the shape of a tensor; of several, that they are a tuple or a list."""
    if isinstance(value, Tensor):
        return shape_text(value.shape, batch)
    shapes = [seen(tensor, batch) for tensor in tensors_in(value)]
    return f"a {type(value).__name__} of {' and '.join(shapes)}"


def _lost_batches(inputs: Sequence[Any], recording: Recording) -> Iterator[Problem]:
    """Find the steps behind which the first axis is no longer the batch, though nothing was raised.

    The last comes first, because a network may fold its images and unfold them again; or a layer
    before it that takes the batch for a sequence.
    """
    steps, batch = recording.steps, batch_of(inputs)
    has_batch = isinstance(recording.output, Tensor | tuple)  # which a list of findings has not
    if has_batch and not any(works(recording, len(t)) for t in tensors_in(inputs) if t.dim()):
        for last in reversed(range(len(steps))):
            if loses_batch(steps[last], batch):
                taken = (i for i in range(last) if takes_batch_second(steps[i], batch))
                index = next(taken, last)
                yield Problem("batch", lost_batch(steps[index], batch), steps[index], index)


def loses_batch(step: Step, batch: int) -> bool:
    """Tell whether a batch goes in first, and something else comes out."""
    starts = [shapes[0][:1] for shapes in (step.input_shapes, step.output_shapes) if shapes]
    return len(starts) == 2 and starts[0] == (batch,) != starts[1]


def takes_batch_second(step: Step, batch: int) -> bool:
    """Tell whether a recurrent or attention layer gets the batch where it takes the sequence."""
    layers = step.module.modules() if step.module is not None else ()
    is_sequence = len(step.input_shapes[0]) == 3 and step.input_shapes[0][0] == batch
    return is_sequence and any(getattr(layer, "batch_first", True) is False for layer in layers)


def lost_batch(step: Step, batch: int) -> str:
    """Say what a step does with the batch axis that it takes for another, or does away with."""
    came = shape_text(step.input_shapes[0])
    if takes_batch_second(step, batch):
        takes = f"it takes the first axis of {came} for the sequence and the second for the batch"
        return f"{title_of(step)} has batch_first=False: {takes}"
    images = f"{_plural(batch, 'image')} {'goes' if batch == 1 else 'go'} in"
    first = f"the first axis is {step.output_shape[0]}" if step.output_shape else "no axis is left"
    what = f"{title_of(step)} turns {came} into {shape_text(step.output_shape)}: {images}, but "
    return f"{what}{first} afterwards, and no longer the batch"


def _taken_maps(recording: Recording) -> Iterator[Problem]:
    """Find the linear steps behind all convolutions that took maps, though nothing was raised.

    The maps' width happens to be its number of features. A network that returns one row per image
    is left alone: it may want a linear layer along one axis, as mixers do.
    """
    steps = recording.steps
    last = max((i for i, step in enumerate(steps) if has_windows(step)), default=0)
    for index, step in enumerate(steps[last:], last):
        if takes_maps(step, steps) and any(t.dim() > 2 for t in tensors_in(recording.output)):
            batch, *_, width = maps = step.input_shapes[0]
            gets = f"{title_of(step)} gets maps, {shape_text(maps, batch)}"
            each = f"works on every row of {width} pixels by itself"
            gives = f"it gives {shape_text(step.output_shape, batch)} instead of one row per image"
            yield Problem("maps", f"{gets}, and {each}: {gives}", step, index)


def takes_maps(step: Step, steps: Sequence[Step]) -> bool:
    """Tell whether a linear step gets the maps of a convolution or pooling, (N, C, H, W)."""
    is_linear = kind_of(step).name == "Linear"
    return is_linear and len(step.input_shapes[0]) == 4 and gets_maps(step, steps)


def takes_sequences(step: Step) -> bool:
    """Tell whether a step is a recurrent or attention layer, which takes (N, L, features)."""
    return kind_of(step).macs in ("per row", "attention")


def gets_maps(step: Step, steps: Sequence[Step]) -> bool:
    """Tell whether what a step gets comes from a convolution or pooling, in its layout."""
    sources = list(step.sources)
    for source in sources:  # grows while it is read; what many paths lead to is read once
        if source is None or source < 0:
            continue
        if has_windows(steps[source]):
            return True
        if is_pointwise(steps[source]):
            sources += [each for each in steps[source].sources if each not in sources]
    return False


def _wrong_kinds(step: Step, batch: int) -> Iterator[Problem]:
    """What comes instead of one tensor, of the weights' type, with a spread to take in training."""
    kind, module, shapes, title = kind_of(step), step.module, step.input_shapes, title_of(step)
    takes_one = kind.window or kind.pointwise or kind.name == "Linear"
    if module is not None and takes_one and len(shapes) > 1:  # what an LSTM gives, for example
        given = " and ".join(shape_text(shape, batch) for shape in shapes)
        yield Problem("other", f"{title} takes one tensor, but gets a tuple of {given}")
    is_trained = isinstance(module, nn.modules.batchnorm._BatchNorm) and module.training
    if is_trained and math.prod(shapes[0]) == math.prod(shapes[0][1:2]):
        takes = f"{title} takes the spread of each channel over the batch in training"
        gets = f"{shape_text(shapes[0])} has one value for each channel"
        yield Problem("training", f"{takes}, but {gets}")
    weight, takes_words = getattr(module, "weight", None), isinstance(module, nn.Embedding)
    if isinstance(weight, Tensor) and step.inputs:
        came = step.inputs[0].dtype
        gets = "the images are" if MODEL_INPUT in step.sources else "it gets"
        but = f"has {dtype_name(weight.dtype)} weights, but {gets}"
        but = "takes whole numbers (int64), but gets" if takes_words else but
        if came.is_floating_point if takes_words else came != weight.dtype:
            yield Problem("type", f"{title} {but} {dtype_name(came)}")


def _wrong_axes(step: Step, origin: str) -> Iterator[Problem]:
    """Axes that a step names, and that what it gets does not have."""
    rank, title, settings = len(step.input_shapes[0]), title_of(step), step.settings
    order = settings.get("dims", ())
    if step.operation == "permute" and len(order) != rank:
        named = f"{title} puts {_plural(len(order), 'axis')} in order"
        yield Problem("axes", f"{named}, but {origin}: {_plural(rank, 'axis')}")
    for axis in (settings.get(name) for name in ("dim", "dim0", "dim1", "start_dim", "end_dim")):
        for each in axis if isinstance(axis, tuple | list) else (axis,):
            if isinstance(each, int) and not -rank <= each < rank:
                last = f"the last of its axes is {rank - 1}"
                yield Problem("axes", f"{title} works along axis {each}, but {origin}: {last}")


def _wrong_sizes(step: Step, steps: Sequence[Step], batch: int) -> Iterator[Problem]:
    """Axes, channels, features and pixels other than a step was made for."""
    kind, came, needed = kind_of(step), step.input_shapes[0], needed_size(step)
    title, origin = title_of(step), _origin(step, steps, batch)
    fit, possible = kind.fits, kind.input_dims
    is_unfit = fit is not None and -len(came) <= fit.axis < len(came) and came[fit.axis] != needed
    is_as_one_image = is_unfit and len(came) in possible[1:] and kind.axes is not None
    if possible and (len(came) not in possible or is_as_one_image):
        axes = {3: "L", 4: "H, W", 5: "D, H, W"}[possible[0]]
        gets = f"gets {shape_text(came)}" if MODEL_INPUT in step.sources else origin
        rows = f"(N, {needed}) or " if kind.axes is None else ""  # a norm of rows takes both
        what = f"{title} expects the shape {rows}(N, {needed or 'C'}, {axes}), but {gets}"
        mistaken = " and takes its first axis for the channels" if is_as_one_image else ""
        yield Problem("axes", f"{what}{mistaken}")
    if fit is not None and is_unfit and needed is not None:
        number = came[fit.axis]
        expects, gets = _plural(needed, fit.noun), f"{origin}: {_plural(number, fit.noun)}"
        what = f"{title} expects {expects}, but {gets}"
        yield Problem(f"{fit.noun}s", what, needed=needed, came=number)
    try:
        windows_of(step)
    except ShapeError as error:
        yield Problem("size", f"{title} does not fit, because {origin}. There, {error}")
    if kind.name in ("view", "Unflatten"):
        yield _wrong_view(step, origin)
    yield from _wrong_axes(step, origin)


def _wrong_view(step: Step, origin: str) -> Problem:
    """A `view` or `reshape` to another number of numbers, or of numbers that are not in order."""
    unflat = step.settings.get("unflattened_size", step.settings.get("sizes", ()))
    if unflat:
        makes = f"{title_of(step)} makes {tuple(unflat)} of each image, {math.prod(unflat)} numbers"
        return Problem("other", f"{makes}, but {origin}")
    sizes = [size for size in step.settings.get("shape", ()) if isinstance(size, int)]
    numbers, each = (math.prod(step.input_shapes[0][axis:]) for axis in (0, 1))
    known = math.prod(size for size in sizes if size > 0)
    if numbers == known or (-1 in sizes and numbers % known == 0):
        what = f"{step.name} needs numbers that lie in memory in the order of the axes, but "
        return Problem("order", f"{what}{origin} in another order")
    asks = f"{step.name} asks for {shape_text(sizes_as_written(step))}"
    what = f"{asks}, but {origin}: {_plural(each, 'number')} per image"
    return Problem("features", what, needed=max(math.prod(sizes[1:]), 0), came=each)


def _wrong_operands(step: Step, steps: Sequence[Step], batch: int) -> Problem:
    """Say what a step works on, as its code names it, and what it needs where that is known."""
    shapes, names, title = step.input_shapes, _operands(step), title_of(step)
    on_images = depend_on_input(steps)
    made = [s == MODEL_INPUT or (s is not None and on_images[s]) for s in step.sources]
    counts = takes_sequences(step)  # what it needs is told in numbers
    is_n = all(s[:1] == (batch,) for s, m in zip(shapes, made, strict=True) if m) and not counts
    texts = [
        shape_text(s, batch if is_n and m else None) for s, m in zip(shapes, made, strict=True)
    ]
    each = [f"{name} is {text}" for name, text in zip(names, texts, strict=False)] or texts
    given = " and ".join(dict.fromkeys(each) if step.module is not None else each)
    gets = given if names else f"it gets {given}"
    if not names and len(shapes) == 1 and made[0] and step.sources[0] != MODEL_INPUT:
        gets = _origin(step, steps, batch)
    if isinstance(step.module, nn.MultiheadAttention) and len(shapes) > 2:
        kind = "batch" if takes_batch_second(step, batch) else "operands"
        return Problem(kind, f"{_attends(step)}, but {gets}")
    if all(shape[:1] == (batch,) for shape in shapes) and takes_batch_second(step, batch):
        return Problem("batch", f"{lost_batch(step, batch)}; {given}")
    if _differ_in_batch(step, batch):
        return Problem("rows", f"{gets}: their first axes differ, as in batches of other sizes")
    if needs := _needs(step):
        return Problem("operands", f"{title} needs {needs}, but {gets}")
    return Problem("other", f"{title} cannot work on {given.replace(' is ', ', ')}")


def _differ_in_batch(step: Step, batch: int) -> bool:
    """Tell whether what is combined with the images has as many rows as another batch."""
    shapes, joined = step.input_shapes, step.settings.get("dim", 0)
    firsts, rests = {shape[:1] for shape in shapes}, {shape[1:] for shape in shapes}
    is_pair = len(shapes) == 2 and len(firsts) == 2 and len(rests) == 1
    is_row_by_row = kind_of(step).pointwise and (joined != 0 or kind_of(step).formula != "join")
    is_weight = any(isinstance(tensor, nn.Parameter) for tensor in step.inputs or ())
    return is_pair and is_row_by_row and (batch,) in firsts and (1,) not in firsts and not is_weight


def _attends(step: Step) -> str:
    """Say how an attention layer takes its first input, and what has to go with it."""
    given, query, key = step.settings, *step.input_shapes[:2]
    axis = int(not given["batch_first"])
    num, length, num_keys, heads = query[axis], query[1 - axis], key[1 - axis], given["num_heads"]
    takes = f"{title_of(step)} has batch_first={not axis} and takes {shape_text(query)} for "
    takes += f"{_plural(num, 'sequence')} of {length}"
    if len(step.input_shapes) == 3:
        return f"{takes}, and keys and values of {given['kdim']} and {given['vdim']} features"
    masks = f"{(length, num_keys)}, or {(heads * num, length, num_keys)} with one for each head"
    return f"{takes}: attn_mask has to be {masks}, and key_padding_mask {(num, num_keys)}"


def _operands(step: Step) -> list[str]:
    """Write what a step works on as its code does, ``["y", "self.b(y)"]``; [] if it cannot tell."""
    code = parsed(step.place.code) if step.place.line is not None else None
    if not isinstance(code, ast.expr | ast.AugAssign):
        return []
    func = getattr(code, "func", None) if step.module is not None else None
    if isinstance(func, ast.Attribute) and func.attr != step.name.rpartition(".")[2]:
        return []  # the code calls a module around the layer
    operands = Expression(step.place.file, code).operands(step.module is not None)
    nodes = [each.node for each in operands] + [k.value for k in getattr(code, "keywords", [])]
    names = [ast.unparse(node) for node in nodes if not isinstance(node, ast.Constant)]
    return names[: len(step.input_shapes)] if len(names) >= len(step.input_shapes) else []


def _needs(step: Step) -> str:
    """Say what a step needs of its operands; empty where it is not known."""
    kind, module = kind_of(step), step.module
    if kind.formula == "join":
        return f"the same size on every axis but axis {step.settings.get('dim', 0)}"
    if step.operation == "stack":
        return "tensors of one shape"
    if "equation" in step.settings:
        return f"for '{step.settings['equation']}' one size for each letter"
    if step.operation == "bmm":
        return "two batches of matrices, (N, n, m) and (N, m, p)"
    if isinstance(module, nn.PixelShuffle):
        return f"a number of channels that {module.upscale_factor}² divides"
    if kind.name == "matmul":
        return "as many columns on the left as rows on the right"
    if kind.pointwise and len(step.input_shapes) > 1 and module is None:
        return "the same sizes"
    if isinstance(module, nn.Embedding):
        return f"whole numbers below {module.num_embeddings}"
    if isinstance(module, nn.LayerNorm):
        return f"shapes that end in {shape_text(module.normalized_shape)}"
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):
        given, came = step.settings, step.input_shapes[0]
        layers = (
            [given["num_layers"] * (1 + given["bidirectional"])] if "num_layers" in given else []
        )
        axis = 0 if given.get("batch_first", True) else 1
        batch = came[axis : axis + len(came) - 1 - len(layers)]
        state = "a pair of states" if isinstance(module, nn.LSTM | nn.LSTMCell) else "a state"
        return f"{state} {(*layers, *batch, given['hidden_size'])}"
    return ""


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {_PLURALS.get(noun, f'{noun}s')}"


_PLURALS = {"axis": "axes"}


def _origin(step: Step, steps: Sequence[Step], batch: int) -> str:
    """Say where a failed step's input comes from: ``flatten gives (N, 256)``."""
    source, shape = step.sources[0], shape_text(step.input_shapes[0], batch)
    if source is None:
        return f"it gets {shape}"
    if source == MODEL_INPUT:
        return f"the images are {shape}"
    maker, came = title_of(steps[source]), steps[source].input_shapes[0]
    is_turned = came[:1] == (batch,) != step.input_shapes[0][:1]
    turns = f"turns {shape_text(came, batch)} into" if is_turned else "gives"
    return f"{maker} {turns} {shape}"


def works(recording: Recording, batch: int) -> bool:
    """Tell whether a pass reached its end with one row for each image, all maps flattened."""
    if recording.failure is not None or next(_taken_maps(recording), None) is not None:
        return False
    outputs = [tensor for tensor in tensors_in(recording.output) if tensor.dim()]
    return not outputs or any(len(tensor) == batch for tensor in outputs)


def first_line(error: Exception) -> str:
    """The first line of an error's message, without PyTorch's C++ stack."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def dtype_name(dtype: torch.dtype) -> str:
    """Name a type as one says it: ``float32``."""
    return str(dtype).removeprefix("torch.")
