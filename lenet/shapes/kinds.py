"""The kinds of layers: one table of what each of them is given, makes and costs.

A layer and its function are one kind: `nn.MaxPool2d` and `F.max_pool2d`, `nn.ReLU`, `torch.relu`
and `x.relu_()`. To add a kind, add its line here; where a page is to compute it, add its arithmetic
to the stepper's ``engine.js``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor

from lenet.shapes import formulas
from lenet.shapes.formulas import Field, Window, Windows
from lenet.tracing import MODEL_INPUT, Shape, Step


@dataclass(frozen=True)
class Fit:
    """The axis of a layer's input that its weights were made for.

    Attributes:
        setting: the constructor's argument that gives the size, such as ``in_channels``.
        axis: the axis of the input; counted from the end where a batch axis may be missing.
        weight_axis: the axis of the weight that has this size (in each group); None where the
            setting alone tells.
    """

    setting: str
    axis: int
    weight_axis: int | None = None

    @property
    def noun(self) -> str:
        """What is counted along the axis: ``feature`` or ``channel``."""
        return "feature" if self.axis == -1 else "channel"


@dataclass(frozen=True)
class Kind:
    """What there is to know about one kind of layer.

    Attributes:
        name: the layer's class in `torch.nn`, or the function of what has no layer. The layer's
            function, which is named alike (``max_pool2d``), belongs to the kind.
        calls: other functions of this kind.
        window: how the output's sizes follow: windows of a convolution ("conv") or of pooling
            ("pool"), pixels spread out ("transpose"), windows that tile the input ("adaptive"), or
            one window over all pixels ("all"); empty where nothing slides.
        axes: the number of spatial axes; None where any will do.
        input_dims: the numbers of axes that the input may have, with a batch axis first; empty
            where any will do.
        fits: what of its input the weights were made for.
        width: the setting that says how many channels or features come out; empty where they stay.
        macs: the multiply-accumulates: one for each weight of a filter per output ("per output"),
            or per input ("per input"), the length of the sum per output ("sum"), one for each
            number in the weights' matrices per row of the input ("per row"), the products of
            "attention", or what PyTorch's own counter finds in the call ("counter").
        pointwise: every unit depends on the units at its own place only.
        formula: how the output shape is written where nothing slides: "features", "flatten" or
            "join"; empty where it stays.
        reshapes: it passes its numbers on in another shape.
        engine: the operation of ``engine.js`` that computes it; empty for none.
        passes: settings that the engine needs to know: its own name for each, and PyTorch's.
        stem: how the book's calculator calls new layers of this kind; empty where it offers none.
    """

    name: str
    calls: tuple[str, ...] = ()
    window: Literal["", "conv", "pool", "transpose", "adaptive", "all"] = ""
    axes: int | None = None
    input_dims: tuple[int, ...] = ()
    fits: Fit | None = None
    width: str = ""
    macs: Literal["", "per output", "per input", "sum", "per row", "attention", "counter"] = ""
    pointwise: bool = False
    formula: Literal["", "features", "flatten", "join"] = ""
    reshapes: bool = False
    engine: str = ""
    passes: tuple[tuple[str, str], ...] = ()
    stem: str = ""


def _each(like: Kind, *names: str) -> Iterator[Kind]:
    """Describe several kinds that differ in name only."""
    return (replace(like, name=name) for name in names)


def _per_axes(like: Kind, weight_axis: int | None = None) -> Iterator[Kind]:
    """Describe a family such as `Conv1d`, `Conv2d`, `Conv3d`; pages compute the second only."""
    for axes in (1, 2, 3):
        kind = replace(like, name=f"{like.name}{axes}d", axes=axes, input_dims=(axes + 2, axes + 1))
        if weight_axis is not None:
            fits = Fit("in_channels", -1 - axes, weight_axis)
            kind = replace(kind, fits=fits, width="out_channels")
        yield kind if axes == 2 else replace(kind, engine="", stem="")


_LINEAR = Kind("Linear", fits=Fit("in_features", -1, -1), width="out_features", macs="sum")
_NORM = Kind("", fits=Fit("num_features", 1), pointwise=True)
_RECURRENT = Kind("", fits=Fit("input_size", -1), macs="per row", formula="features")
_POINTWISE = Kind("", pointwise=True)
_UNCHANGED = Kind("", pointwise=True, engine="identity")

KINDS: tuple[Kind, ...] = (
    *_per_axes(Kind("Conv", (), "conv", macs="per output", engine="conv", stem="conv"), 1),
    *_per_axes(Kind("ConvTranspose", (), "transpose", macs="per input", stem="up"), 0),
    *_per_axes(Kind("MaxPool", (), "pool", engine="maxPool", stem="pool")),
    *_per_axes(Kind("AvgPool", (), "pool", engine="avgPool", stem="pool")),
    *_per_axes(Kind("AdaptiveMaxPool", (), "adaptive", engine="maxPool")),
    *_per_axes(Kind("AdaptiveAvgPool", (), "adaptive", engine="avgPool")),
    # activations
    Kind("ReLU", pointwise=True, engine="relu", stem="relu"),
    Kind("LeakyReLU", pointwise=True, engine="leakyRelu", passes=(("slope", "negative_slope"),)),
    Kind("ELU", pointwise=True, engine="elu", passes=(("alpha", "alpha"),), stem="elu"),
    Kind("GELU", pointwise=True, engine="gelu", passes=(("form", "approximate"),), stem="gelu"),
    Kind("Tanh", pointwise=True, engine="tanh"),
    Kind("Sigmoid", pointwise=True, engine="sigmoid"),
    Kind("Softmax", pointwise=True, engine="softmax"),
    Kind("LogSoftmax", pointwise=True, engine="logSoftmax"),
    *_each(_POINTWISE, "CELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish"),
    *_each(_POINTWISE, "Hardtanh", "LogSigmoid", "Mish", "PReLU", "RReLU", "ReLU6", "SELU", "SiLU"),
    *_each(_POINTWISE, "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanhshrink"),
    *_each(_POINTWISE, "Threshold"),
    # shapes
    Kind("Flatten", formula="flatten", reshapes=True, engine="reshape", stem="flatten"),
    Kind("view", ("reshape",), formula="flatten", reshapes=True, engine="reshape"),
    Kind("Unflatten", reshapes=True, engine="reshape"),
    Kind("squeeze", ("unsqueeze",), engine="reshape"),
    Kind("cat", ("concat", "concatenate"), pointwise=True, formula="join"),
    replace(_LINEAR, formula="features", engine="linear", stem="fc"),
    Kind("Embedding", width="embedding_dim"),
    Kind("Bilinear", fits=Fit("in1_features", -1), macs="per row"),
    *_each(_RECURRENT, "RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"),
    Kind("MultiheadAttention", fits=Fit("embed_dim", -1), macs="attention"),
    # normalisation
    replace(_NORM, name="BatchNorm2d", axes=2, input_dims=(4,), engine="batchNorm", stem="bn"),
    replace(_NORM, name="BatchNorm1d", input_dims=(3, 2), engine="batchNorm"),
    replace(_NORM, name="BatchNorm3d", axes=3, input_dims=(5,)),
    replace(_NORM, name="SyncBatchNorm"),
    *_each(replace(_NORM, pointwise=False), "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"),
    Kind("batch_norm", pointwise=True, engine="batchNorm"),
    Kind("GroupNorm", fits=Fit("num_channels", 1)),
    # what does nothing after training, or nothing at all
    replace(_UNCHANGED, name="Dropout", stem="dropout"),
    *_each(_UNCHANGED, "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "Identity"),
    *_each(_UNCHANGED, "FeatureAlphaDropout", "contiguous", "clone", "detach", "float", "to"),
    # arithmetic
    *_each(Kind("", pointwise=True, engine="affine"), "add", "sub", "rsub", "mul", "div"),
    *_each(_POINTWISE, "abs", "clamp", "exp", "log", "neg", "pad", "pow", "rdiv", "sqrt", "square"),
    *_each(_POINTWISE, "masked_fill", "maximum", "minimum", "where"),
    Kind("matmul", ("mm", "bmm", "mv", "dot", "inner"), macs="sum"),
    *_each(Kind("", macs="counter"), "einsum", "tensordot", "addmm", "addbmm", "baddbmm"),
    *_each(Kind("", macs="counter"), "scaled_dot_product_attention", "chain_matmul"),
    Kind("mean", ("sum", "amax"), "all"),
)

UNKNOWN = Kind("")
"""The kind of every step that the table does not hold."""


def _plain(name: str) -> str:
    """Spell a layer and its function alike: ``maxpool2d``."""
    return name.replace("_", "").lower()


_BY_NAME = {_plain(name): kind for kind in KINDS for name in (kind.name, *kind.calls)}


def kind_of(step: Step) -> Kind:
    """Find a step's kind; a subclass of a layer is of the layer's kind."""
    layer: type = type(step.module)
    return _kind(step.operation, layer)


@lru_cache(maxsize=1024)
def _kind(operation: str, layer: type) -> Kind:
    names = [found.__name__ for found in layer.__mro__ if "torch.nn.modules" in found.__module__]
    plain = map(_plain, names or [operation])  # a function is of no layer
    return next((_BY_NAME[name] for name in plain if name in _BY_NAME), UNKNOWN)


def has_windows(step: Step) -> bool:
    """Tell whether a step is a convolution or pooling, and so makes maps."""
    return kind_of(step).window not in ("", "all")


def is_pointwise(step: Step) -> bool:
    """Tell whether every unit depends on the units at its own place only.

    What works along one axis, as `cat` and `softmax` do, must work along the channels.
    """
    kind = kind_of(step)
    if not (step.output_shapes and kind.pointwise):
        return False
    axis = step.settings.get("dim", 0 if kind.formula == "join" else 1)
    return axis is None or axis % max(len(step.input_shapes[0]), 1) == 1


def weight_shape(step: Step) -> Shape:
    """Find the shape of a convolution's or linear step's weight; () when it has none."""
    if step.module is None:
        return step.input_shapes[1] if len(step.input_shapes) > 1 else ()
    weight = getattr(step.module, "weight", None)
    return tuple(weight.shape) if isinstance(weight, Tensor) else ()


def needed_size(step: Step) -> int | None:
    """Read from a step's weights which size they fit; None where anything will do."""
    fit, weight = kind_of(step).fits, weight_shape(step)
    if fit is None or fit.weight_axis is None:
        return step.settings.get(fit.setting) if fit else None  # a function has no such setting
    groups = step.settings.get("groups", 1) if fit.weight_axis == 1 else 1
    return int(weight[fit.weight_axis] * groups)


_LAYOUTS: dict[str, Callable[..., Windows]] = {
    "conv": formulas.conv_windows,
    "pool": formulas.pool_windows,
    "transpose": formulas.conv_transpose_spreads,
}
_SLIDING = {"stride", "padding", "output_padding", "dilation", "ceil_mode"}


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
    lay_out = _LAYOUTS.get(kind.window)
    if lay_out is None or kind.axes is None:
        return _covering_windows(step, kind)
    kernel = weight_shape(step)[2:] or step.settings["kernel_size"]
    given = {name: step.settings[name] for name in _SLIDING & step.settings.keys()}
    windows = lay_out(step.input_shapes[0][-kind.axes :], kernel, **given)
    return windows if step.output_shapes else tuple(window.checked() for window in windows)


def _covering_windows(step: Step, kind: Kind) -> Windows | None:
    """Lay out windows that tile the whole input: adaptive pooling, and means over all pixels."""
    sizes = step.input_shapes[0][2:]
    targets: Shape = ()
    if kind.window == "adaptive" and step.output_shapes:
        targets = step.output_shape[2:]
    elif kind.window == "all":
        dim, rank = step.settings.get("dim", ()), len(sizes) + 2
        reduced = {axis % rank for axis in ((dim,) if isinstance(dim, int) else dim)}
        targets = (1,) * len(sizes) if reduced == set(range(2, rank)) else ()
    axes = list(zip(sizes, targets, strict=False))
    if not axes or any(not target or size % target for size, target in axes):
        return None
    return tuple(Window(size, size // target, size // target, 0, 1) for size, target in axes)


def work_of(step: Step) -> tuple[int, int]:
    """Count a step's multiply-accumulates and its additions of a bias, for the whole batch.

    Convolutions and linear layers use each weight once per position; matrix products count the
    length of each sum, and recurrent layers and attention are made of those; everything else counts
    none. A bias is added once per output; recurrent layers and attention have one for each of
    their products.
    """
    image, weight, macs = step.input_shapes[0], weight_shape(step), 0
    num_outputs, is_biased = math.prod(step.output_shape), len(step.input_shapes) > 2
    match kind_of(step).macs:
        case "per row":
            return _recurrent_work(step)
        case "attention":
            return _attention_work(step)
        case "counter":
            macs = _counted_by_pytorch(step)
        case "per output" if weight:
            macs = num_outputs * math.prod(weight[1:])
        case "per input" if weight:
            macs = math.prod(image) * math.prod(weight[1:])
        case "sum" if weight:
            macs = num_outputs * image[-1]
    if step.module is not None:
        is_biased = isinstance(getattr(step.module, "bias", None), Tensor)
    return macs, num_outputs if macs and is_biased else 0


def _recurrent_work(step: Step) -> tuple[int, int]:
    """Count the numbers in all matrices, and in all biases, once for each row of the input."""
    parameters = step.module.parameters() if step.module is not None else ()
    shapes = [p.shape for p in parameters] or step.input_shapes[2:]
    matrices = (math.prod(shape) for shape in shapes if len(shape) > 1)
    biases = (math.prod(shape) for shape in shapes if len(shape) == 1)
    rows = math.prod(step.input_shapes[0][:-1])
    return rows * sum(matrices), rows * sum(biases)


def _attention_work(step: Step) -> tuple[int, int]:
    """Count the four projections, the scores and the weighted sums of multi-head attention."""
    query, key, value = (math.prod(shape[:-1]) for shape in step.input_shapes[:3])
    keys, width = step.input_shapes[1], step.settings["embed_dim"]
    batch_axis = 0 if step.settings["batch_first"] else 1
    length = key // (keys[batch_axis] if len(keys) == 3 else 1)
    length += step.settings["add_bias_kv"] + step.settings["add_zero_attn"]
    projections = 2 * query * width + key * keys[-1] + value * step.input_shapes[2][-1]
    num_biases = (2 * query + key + value) * step.settings["bias"]
    return (projections + 2 * query * length) * width, num_biases * width


def _counted_by_pytorch(step: Step) -> int:
    """Repeat a call without numbers under PyTorch's counter; 0 for what it cannot repeat."""
    from torch.utils.flop_counter import FlopCounterMode  # which imports a compiler

    home = torch if hasattr(torch, step.operation) else torch.nn.functional
    settings = dict(step.settings)
    first = [settings.pop("equation")] if "equation" in settings else []
    tensors = [torch.empty(shape, device="meta") for shape in step.input_shapes]
    with FlopCounterMode(display=False) as counter, suppress(RuntimeError, TypeError):
        getattr(home, step.operation)(*first, *tensors, **settings)
    return counter.get_total_flops() // 2  # of which it counts two for each multiply-accumulate


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
        if own is not None:
            first = next((field for _, field in arriving), None)
            fields.append(first and first.through(own))
        else:
            fields.append(_merged(step.output_shape[2:], arriving) if is_pointwise(step) else None)
    return fields


def _pixel(num_axes: int) -> Field | None:
    """The field of a pixel of the input; None for a row without pixels."""
    return Field((1,) * num_axes, (1,) * num_axes) if num_axes > 0 else None


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


USUAL_SETTINGS = {"padding": 0, "dilation": 1, "groups": 1, "count_include_pad": True}
USUAL_SETTINGS |= dict.fromkeys(("ceil_mode", "inplace", "return_indices", "training"), False)
"""What functions do unless told otherwise; not worth a reader's attention."""
