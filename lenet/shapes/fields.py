"""What a kernel sees: windows, receptive fields and multiply-accumulates of traced steps.

The receptive field is the size of the input region that one unit depends on, the jump the
distance in the input between neighbouring units. Through a window of kernel size k, dilation d
and stride s, a field r with jump j becomes r + d(k − 1)j with jump js (Dumoulin and Visin, 2016,
"A guide to convolution arithmetic for deep learning", relationship for stacked layers).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from lenet.shapes.formulas import (
    Spread,
    Window,
    conv_transpose_spreads,
    conv_windows,
    pool_windows,
)
from lenet.tracing import MODEL_INPUT, Shape, Step

_POINTWISE_LAYERS = ("activation", "batchnorm", "dropout", "instancenorm", "linear.Identity")
_POINTWISE_CALLS = frozenset(
    (
        "abs", "add", "batch_norm", "cat", "clamp", "clone", "concat", "contiguous",
        "detach", "div", "dropout", "dropout2d", "elu", "exp", "float", "gelu",
        "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "log", "log_softmax", "mul",
        "neg", "pad", "pow", "relu", "relu6", "rdiv", "rsub", "selu", "sigmoid", "silu",
        "softmax", "softplus", "sqrt", "square", "sub", "tanh", "to",
    )
)  # fmt: skip
_REDUCTIONS = ("mean", "sum", "amax")


Windows = tuple[Window | Spread, ...]


@dataclass(frozen=True)
class Field:
    """The receptive field of a unit, one number per axis.

    Attributes:
        size: pixels of the input that the unit depends on.
        jump: pixels between the fields of neighbouring units; None when two branches disagree.
    """

    size: tuple[int, ...]
    jump: tuple[int, ...] | None


def kind_of(step: Step) -> str:
    """Name a step by what PyTorch runs: ``conv2d``, ``maxpool2d``, ``linear``, ``relu``.

    A layer and its function have one kind, and so has a subclass of a layer.
    """
    if step.module is None:
        return step.operation.replace("_", "").lower()
    classes = (kind for kind in type(step.module).__mro__ if "torch.nn.modules" in kind.__module__)
    return next(classes).__name__.lower()


def windows_of(step: Step) -> Windows | None:
    """Lay out the windows of a convolution or pooling step, one per axis.

    Those of a transposed convolution are no windows, but spread pixels out.

    Returns:
        The windows; None for every other operation, and for adaptive pooling whose windows differ
        in size.

    Raises:
        ShapeError: the step's settings and input do not fit (the step itself failed).
    """
    kind = kind_of(step)
    get = step.settings.get
    if kind in ("conv1d", "conv2d", "conv3d"):
        kernel = weight_shape(step)[2:]
        size = step.input_shapes[0][-len(kernel) :]
        return conv_windows(size, kernel, get("stride", 1), get("padding", 0), get("dilation", 1))
    if kind.startswith("convtranspose"):
        return _spreads_of(step)
    if kind.startswith(("maxpool", "avgpool")):
        size = step.input_shapes[0][-int(kind[-2]) :]
        return pool_windows(
            size,
            step.settings["kernel_size"],
            get("stride"),
            get("padding", 0),
            get("dilation", 1),
            bool(get("ceil_mode", False)),
        )
    return _covering_windows(step, kind)


def _spreads_of(step: Step) -> tuple[Spread, ...]:
    kernel = weight_shape(step)[2:]
    get = step.settings.get
    spreads = conv_transpose_spreads(
        step.input_shapes[0][-len(kernel) :],
        kernel,
        get("stride", 1),
        get("padding", 0),
        get("output_padding", 0),
        get("dilation", 1),
    )
    for spread in spreads if not step.output_shapes else ():
        spread.check_size()
    return spreads


def has_windows(step: Step) -> bool:
    """Tell whether a step is a convolution or pooling, and so makes maps."""
    return kind_of(step).startswith(("conv", "maxpool", "avgpool", "adaptive"))


def _covering_windows(step: Step, kind: str) -> tuple[Window, ...] | None:
    """Lay out windows that tile the whole input: adaptive pooling, and means over all pixels."""
    sizes = step.input_shapes[0][2:]
    if kind.startswith("adaptive") and sizes and step.output_shapes:
        targets = step.output_shape[2:]
        if any(size % target for size, target in zip(sizes, targets, strict=True)):
            return None
        kernels = [size // target for size, target in zip(sizes, targets, strict=True)]
        return tuple(Window(n, k, k, 0, 1) for n, k in zip(sizes, kernels, strict=True))
    if kind in _REDUCTIONS and sizes and _reduced_axes(step) == set(range(2, len(sizes) + 2)):
        return tuple(Window(size, size, size, 0, 1) for size in sizes)
    return None


def _reduced_axes(step: Step) -> set[int]:
    given = step.settings.get("dim", ())
    axes = given if isinstance(given, tuple | list) else (given,)
    return {axis % len(step.input_shapes[0]) for axis in axes}


def weight_shape(step: Step) -> Shape:
    """Find the shape of a convolution's or linear step's weight; () when it has none."""
    if step.module is None:
        return step.input_shapes[1] if len(step.input_shapes) > 1 else ()
    weight = getattr(step.module, "weight", None)
    return tuple(weight.shape) if isinstance(weight, Tensor) else ()


def receptive_fields(
    steps: Sequence[Step], windows: Sequence[Windows | None]
) -> list[Field | None]:
    """Follow the receptive field through every step and its windows; None where undefined."""
    fields: list[Field | None] = []
    for step, own in zip(steps, windows, strict=True):
        arriving = [_arriving(step, i, fields) for i, s in enumerate(step.sources) if s is not None]
        if own is not None:
            fields.append(_through(own, arriving[0]) if arriving else None)
        elif is_pointwise(step):
            fields.append(_merged(step, arriving))
        else:
            fields.append(None)
    return fields


def _arriving(step: Step, index: int, fields: Sequence[Field | None]) -> Field | None:
    source = step.sources[index]
    if source == MODEL_INPUT:
        pixel = (1,) * (len(step.input_shapes[index]) - 2)
        return Field(pixel, pixel) if pixel else None
    return fields[source] if source is not None else None


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


def is_pointwise(step: Step) -> bool:
    """Tell whether every unit depends on the units at its own place only."""
    if not step.output_shapes:
        return False
    if step.module is None:
        known = step.operation.rstrip("_") in _POINTWISE_CALLS
        return known and (step.operation not in ("cat", "concat") or step.settings.get("dim") == 1)
    home = f"{type(step.module).__module__}.{type(step.module).__name__}"
    return any(f".{part}" in home for part in _POINTWISE_LAYERS) and "Multihead" not in home


def _merged(step: Step, fields: Sequence[Field | None]) -> Field | None:
    """Join the branches of a pointwise step: the largest field, the jump they agree on."""
    known = [field for field in fields if field is not None]
    if not known or len(known) < len(fields) or len({len(field.size) for field in known}) > 1:
        return None
    shapes = [
        shape for shape, s in zip(step.input_shapes, step.sources, strict=True) if s is not None
    ]
    pixels = step.output_shape[2:]
    jumps = {f.jump for f, shape in zip(known, shapes, strict=True) if shape[2:] == pixels}
    sizes = zip(*(field.size for field in known), strict=True)
    return Field(tuple(map(max, sizes)), jumps.pop() if len(jumps) == 1 else None)


def depend_on_input(steps: Sequence[Step]) -> list[bool]:
    """Tell which steps work on the images, and not on weights alone (once for a whole batch)."""
    found: list[bool] = []
    for step in steps:
        sources = [source for source in step.sources if source is not None]
        found.append(any(source == MODEL_INPUT or found[source] for source in sources))
    return found


def num_macs(step: Step) -> int:
    """Count a step's multiply-accumulates for the whole batch, without bias.

    Convolutions and linear layers use each weight once per position; matrix products count the
    length of each sum; everything else counts none.
    """
    kind = kind_of(step)
    weight = weight_shape(step)
    if kind.startswith("convtranspose"):
        return math.prod(step.input_shapes[0]) * math.prod(weight[1:])
    if kind.startswith("conv") and weight:
        return math.prod(step.output_shape) * math.prod(weight[1:])
    if kind in ("linear", "matmul", "mm", "bmm") and weight:
        return math.prod(step.output_shape) * step.input_shapes[0][-1]
    return 0


def num_bias_additions(step: Step) -> int:
    """Count a step's additions of a bias for the whole batch: one per output of a biased layer."""
    if step.module is None:
        biased = kind_of(step).startswith(("conv", "linear")) and len(step.input_shapes) > 2
    else:
        biased = num_macs(step) > 0 and getattr(step.module, "bias", None) is not None
    return math.prod(step.output_shape) if biased else 0
