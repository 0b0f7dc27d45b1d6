"""The kinds of layers: one table of what each of them is given, makes and costs.

A layer and its function are one kind: `nn.MaxPool2d` and `F.max_pool2d`, `nn.ReLU`, `torch.relu`
and `x.relu_()`. To add a kind, add its line here; where a page is to compute it, add its arithmetic
to the stepper's ``engine.js``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor, nn

from lenet.shapes.formulas import Spread, Window, conv_transpose_spreads, conv_windows, pool_windows
from lenet.tracing import Shape, Step

Windows = tuple[Window | Spread, ...]


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
        return "feature" if self.setting == "in_features" else "channel"


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
            or per input ("per input"), or the length of the sum per output ("sum").
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
    macs: Literal["", "per output", "per input", "sum"] = ""
    pointwise: bool = False
    formula: Literal["", "features", "flatten", "join"] = ""
    reshapes: bool = False
    engine: str = ""
    passes: tuple[tuple[str, str], ...] = ()
    stem: str = ""

    @property
    def layer(self) -> Callable[..., nn.Module] | None:
        """The layer's class, or None for what is only a function."""
        found: Callable[..., nn.Module] | None = getattr(nn, self.name, None)
        return found


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


_NORM = Kind("", fits=Fit("num_features", 1), pointwise=True)
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
    Kind(
        "Linear",
        fits=Fit("in_features", -1, -1),
        width="out_features",
        macs="sum",
        formula="features",
        engine="linear",
        stem="fc",
    ),
    # normalisation
    replace(_NORM, name="BatchNorm2d", axes=2, input_dims=(4,), engine="batchNorm", stem="bn"),
    replace(_NORM, name="BatchNorm1d", engine="batchNorm"),
    replace(_NORM, name="BatchNorm3d", axes=3, input_dims=(5,)),
    *_each(_NORM, "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "SyncBatchNorm"),
    Kind("batch_norm", pointwise=True, engine="batchNorm"),
    Kind("GroupNorm", fits=Fit("num_channels", 1)),
    # what does nothing after training, or nothing at all
    replace(_UNCHANGED, name="Dropout", stem="dropout"),
    *_each(_UNCHANGED, "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "Identity"),
    *_each(_UNCHANGED, "FeatureAlphaDropout", "contiguous", "clone", "detach", "float", "to"),
    # arithmetic
    *_each(Kind("", pointwise=True, engine="affine"), "add", "sub", "rsub", "mul", "div"),
    *_each(_POINTWISE, "abs", "clamp", "exp", "log", "neg", "pad", "pow", "rdiv", "sqrt", "square"),
    Kind("matmul", ("mm", "bmm"), macs="sum"),
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
    names = [step.operation]
    if step.module is not None:
        classes = type(step.module).__mro__
        names = [found.__name__ for found in classes if "torch.nn.modules" in found.__module__]
    known = (_BY_NAME[_plain(name)] for name in names if _plain(name) in _BY_NAME)
    return next(known, UNKNOWN)


def has_windows(step: Step) -> bool:
    """Tell whether a step is a convolution or pooling, and so makes maps."""
    return kind_of(step).window not in ("", "all")


def is_pointwise(step: Step) -> bool:
    """Tell whether every unit depends on the units at its own place only."""
    kind = kind_of(step)
    beside = kind.formula != "join" or step.settings.get("dim") == 1
    return bool(step.output_shapes) and kind.pointwise and beside


def weight_shape(step: Step) -> Shape:
    """Find the shape of a convolution's or linear step's weight; () when it has none."""
    if step.module is None:
        return step.input_shapes[1] if len(step.input_shapes) > 1 else ()
    weight = getattr(step.module, "weight", None)
    return tuple(weight.shape) if isinstance(weight, Tensor) else ()


def needed_size(step: Step) -> int | None:
    """Read from a step's weights which size they fit; None where anything will do."""
    fit, weight = kind_of(step).fits, weight_shape(step)
    if fit is None or (fit.weight_axis is None and step.module is None):
        return None
    if fit.weight_axis is None:
        return int(step.settings[fit.setting])
    groups = step.settings.get("groups", 1) if fit.weight_axis == 1 else 1
    return int(weight[fit.weight_axis] * groups)


_LAYOUTS: dict[str, Callable[..., Windows]] = {
    "conv": conv_windows,
    "pool": pool_windows,
    "transpose": conv_transpose_spreads,
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
    for window in windows if not step.output_shapes else ():
        if isinstance(window, Spread):
            window.check_size()
    return windows


def _covering_windows(step: Step, kind: Kind) -> Windows | None:
    """Lay out windows that tile the whole input: adaptive pooling, and means over all pixels."""
    sizes = step.input_shapes[0][2:]
    targets: Shape = ()
    if kind.window == "adaptive" and step.output_shapes:
        targets = step.output_shape[2:]
    elif kind.window == "all" and _reduced_axes(step) == set(range(2, len(sizes) + 2)):
        targets = (1,) * len(sizes)
    if not targets or any(size % target for size, target in zip(sizes, targets, strict=True)):
        return None
    kernels = [size // target for size, target in zip(sizes, targets, strict=True)]
    return tuple(Window(n, k, k, 0, 1) for n, k in zip(sizes, kernels, strict=True))


def _reduced_axes(step: Step) -> set[int]:
    given = step.settings.get("dim", ())
    axes = given if isinstance(given, tuple | list) else (given,)
    return {axis % len(step.input_shapes[0]) for axis in axes}


def num_macs(step: Step) -> int:
    """Count a step's multiply-accumulates for the whole batch, without bias.

    Convolutions and linear layers use each weight once per position; matrix products count the
    length of each sum; everything else counts none.
    """
    weight, image = weight_shape(step), step.input_shapes[0]
    if not weight:
        return 0
    match kind_of(step).macs:
        case "per output":
            return math.prod(step.output_shape) * math.prod(weight[1:])
        case "per input":
            return math.prod(image) * math.prod(weight[1:])
        case "sum":
            return math.prod(step.output_shape) * image[-1]
    return 0


def num_bias_additions(step: Step) -> int:
    """Count a step's additions of a bias for the whole batch: one per output of a biased layer."""
    if step.module is None:
        biased = len(step.input_shapes) > 2
    else:
        biased = getattr(step.module, "bias", None) is not None
    return math.prod(step.output_shape) if biased and num_macs(step) else 0


USUAL_SETTINGS = {"padding": 0, "dilation": 1, "groups": 1, "count_include_pad": True}
USUAL_SETTINGS |= dict.fromkeys(("ceil_mode", "inplace", "return_indices", "training"), False)
"""What functions do unless told otherwise; not worth a reader's attention."""
