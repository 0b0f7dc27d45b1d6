"""A traced forward pass as a program that a front end can run by itself.

Every step becomes one instruction for `engine.js`: plain JSON that names its inputs, its
settings and its weights. What the engine does not know, or could not repeat exactly, becomes a
``recorded`` instruction with the reason and the activations that PyTorch computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from lenet.shapes.kinds import Kind, kind_of
from lenet.tracing import Step, constructor_parameters

MAX_WEIGHTS = 4_000_000  # of one step: more would make a page of tens of megabytes

Settings = Mapping[str, Any]


class NotRepeatableError(Exception):
    """Why the engine cannot compute a step."""


@dataclass
class Program:
    """The instructions of a forward pass and the arrays they refer to.

    Attributes:
        instructions: One for each step, the first for the input itself.
        arrays: Weights, and recorded activations (N, ...), by the names used in `instructions`.
    """

    instructions: list[dict[str, Any]] = field(default_factory=list)
    arrays: dict[str, Tensor] = field(default_factory=dict)


def program_of(steps: Sequence[Step], images: Tensor, dtype: torch.dtype) -> Program:
    """Translate a recording into a program.

    Args:
        steps: The recording of `images`, with its tensors.
        images: float32 (N, C, H, W), what the model was given.
        dtype: float16 or float32, for weights and recorded activations. The recorded model must
            have weights that are exact in it.
    """
    program = Program([{"kind": "input", "inputs": [], "shape": list(images.shape[1:])}])
    known: dict[object, str] = {}
    for index, step in enumerate(steps):
        instruction: dict[str, Any]
        weights: dict[str, Tensor] = {}
        try:
            tensors = _Tensors(step, steps, images)
            instruction, weights = _translate(step, tensors)
            instruction["inputs"] = tensors.places
        except NotRepeatableError as reason:
            instruction = _recorded(program, step, index, len(images), dtype, str(reason))
        for role, weight in weights.items():
            place = (weight.data_ptr(), weight.shape, weight.stride())
            name = known.setdefault(place, f"{role}{index + 1}")
            program.arrays[name] = weight.detach().to(dtype if role in _ROUNDED else torch.float32)
            instruction[role] = name
        program.instructions.append(instruction)
    return program


_ROUNDED = ("weight", "bias")


def _recorded(
    program: Program, step: Step, index: int, num_images: int, dtype: torch.dtype, reason: str
) -> dict[str, Any]:
    """Keep what PyTorch computed in a step that the engine cannot repeat."""
    output = step.output
    assert output is not None
    values = output.float() if not output.is_complex() else output.abs()
    name = f"values{index + 1}"
    program.arrays[name] = values.contiguous().to(dtype)
    per_image = output.dim() > 0 and output.shape[0] == num_images
    return {
        "kind": "recorded",
        "inputs": [source + 1 for source in step.sources if source is not None],
        "shape": list(output.shape[1:] if per_image else output.shape),
        "perImage": per_image,
        "values": name,
        "reason": reason,
    }


def _equal(first: Tensor, second: Tensor) -> bool:
    """Tell whether two tensors have the same shape and numbers; what is no number equals itself."""
    return torch.equal(first.nan_to_num(), second.nan_to_num())


class _Tensors:
    """The tensors that went into a step: which came from other steps, and which are weights.

    Raises:
        NotRepeatableError: An input is not what its source made, or has lost its batch axis.
    """

    def __init__(self, step: Step, steps: Sequence[Step], images: Tensor) -> None:
        assert step.inputs is not None
        self.places: list[int] = []
        self.weights: list[Tensor] = []
        self.inputs: list[Tensor] = []
        for tensor, source in zip(step.inputs, step.sources, strict=True):
            if source is None:
                self.weights.append(tensor)
                continue
            made = images if source < 0 else steps[source].output
            if made is None or not _equal(made, tensor):
                raise NotRepeatableError("its input was changed on the way")
            self.places.append(source + 1)
            self.inputs.append(tensor)
        for tensor in (*self.inputs, *(step.outputs or ())[:1]):
            if tensor.dim() < 2 or tensor.shape[0] != len(images):
                raise NotRepeatableError("it does not keep one result for each picture")
        if not self.inputs:
            raise NotRepeatableError("it does not depend on the picture")


Translation = tuple[dict[str, Any], dict[str, Tensor]]
"""What the engine must know beside a step's kind and shape, and the step's weights by role."""


def _translate(step: Step, tensors: _Tensors) -> Translation:
    """Describe a step for the engine.

    Raises:
        NotRepeatableError: The engine has no such operation.
    """
    assert step.output is not None
    kind = kind_of(step)
    if not kind.engine:
        raise NotRepeatableError(f"{step.operation} is none of the operations that a page computes")
    if step.output.dtype != torch.float32:
        raise NotRepeatableError(f"it computes in {step.output.dtype}")
    settings, weights = _TRANSLATIONS.get(kind.engine, _pointwise)(step, tensors, kind)
    if sum(weight.numel() for weight in weights.values()) > MAX_WEIGHTS:
        raise NotRepeatableError("it has too many weights for a page")
    return {"kind": kind.engine, **settings, "shape": list(step.output.shape[1:])}, weights


def _weights_of(step: Step, tensors: _Tensors) -> dict[str, Tensor]:
    """Find a step's weight and bias, which a layer owns and a function is given."""
    if step.module is None:
        found = dict(zip(("weight", "bias"), tensors.weights, strict=False))
    else:
        own = {name: getattr(step.module, name, None) for name in ("weight", "bias")}
        found = {name: value for name, value in own.items() if isinstance(value, Tensor)}
    if "weight" not in found or len(tensors.inputs) != 1:
        raise NotRepeatableError("its weights are computed from the picture")
    return found


def _pair(value: object) -> list[int]:
    """Write a setting for height and width, which may be given once for both."""
    if isinstance(value, int):
        return [value, value]
    if isinstance(value, list | tuple) and len(value) in (1, 2):
        return [int(value[0]), int(value[-1])]
    raise NotRepeatableError(f"its setting {value!r} is unusual")


def _image_size(step: Step) -> None:
    if len(step.input_shapes[0]) != 4:
        raise NotRepeatableError("its input is not a batch of maps")


def _convolution(step: Step, tensors: _Tensors, _: Kind) -> Translation:
    _image_size(step)
    get = step.settings.get
    weights = _weights_of(step, tensors)
    kernel, stride, dilation = (
        list(weights["weight"].shape[2:]),
        _pair(get("stride", 1)),
        _pair(get("dilation", 1)),
    )
    if get("padding_mode", "zeros") != "zeros":
        raise NotRepeatableError(f"it pads with {get('padding_mode')!r}")
    padding = get("padding", 0)
    if padding == "same":  # the odd one goes to the end
        padding = [d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True)]
    settings = {
        "kernel": kernel,
        "stride": stride,
        "padding": [0, 0] if padding == "valid" else _pair(padding),
        "dilation": dilation,
        "groups": get("groups", 1),
    }
    return settings, weights


def _pooling(step: Step, _: _Tensors, kind: Kind) -> Translation:
    _image_size(step)
    if kind.window == "adaptive":
        return {"adaptive": True}, {}
    get = step.settings.get
    kernel = _pair(get("kernel_size"))
    settings: dict[str, Any] = {
        "kernel": kernel,
        "stride": _pair(get("stride") or kernel),
        "padding": _pair(get("padding", 0)),
        "dilation": _pair(get("dilation", 1)),
    }
    if kind.engine == "avgPool":
        settings["countPadding"] = bool(get("count_include_pad", True))
        settings["divisor"] = get("divisor_override")
    return settings, {}


def _batch_norm(step: Step, tensors: _Tensors, _: Kind) -> Translation:
    module = step.module
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        given = [module.running_mean, module.running_var, module.weight, module.bias]
        eps, momentum = module.eps, module.momentum
    else:
        if step.settings.get("training"):
            raise NotRepeatableError("it normalises with the statistics of this batch")
        given = [*tensors.weights]
        eps, momentum = step.settings.get("eps", 1e-5), step.settings.get("momentum", 0.1)
    mean, variance, weight, bias = [*given, *[None] * 4][:4]
    if mean is None or variance is None:
        raise NotRepeatableError("it normalises with the statistics of this batch")
    arrays = {"mean": mean, "deviation": (variance + eps).sqrt(), "weight": weight, "bias": bias}
    settings = {"eps": eps, "momentum": 0.1 if momentum is None else momentum}
    return settings, {name: a for name, a in arrays.items() if a is not None}


def _linear(step: Step, tensors: _Tensors, _: Kind) -> Translation:
    if len(step.input_shapes[0]) != 2:
        raise NotRepeatableError("its input is not one row of features for each picture")
    return {}, _weights_of(step, tensors)


def _pointwise(step: Step, _: _Tensors, kind: Kind) -> Translation:
    """Translate what changes every number by itself, with the settings that the table names."""
    settings = {}
    for name, setting in kind.passes:
        usual = constructor_parameters(getattr(nn, kind.name))[setting].default
        settings[name] = step.settings.get(setting, usual)
    return settings, {}


def _same_numbers(step: Step, tensors: _Tensors, _: Kind) -> Translation:
    """Translate what passes its numbers on, in their order, perhaps in another shape."""
    assert step.output is not None
    if not _equal(tensors.inputs[0].reshape(-1), step.output.reshape(-1)):
        raise NotRepeatableError("it changes or reorders its numbers")
    return {}, {}


def _softmax(step: Step, _: _Tensors, __: Kind) -> Translation:
    axis = step.settings.get("dim")
    if len(step.input_shapes[0]) != 2 or axis not in (1, -1):
        raise NotRepeatableError("it does not run over the scores of one picture")
    return {}, {}


def _arithmetic(step: Step, tensors: _Tensors, kind: Kind) -> Translation:
    """Translate ``a * x + b`` with numbers a and b, and the sum of two tensors of one shape."""
    other = step.settings.get("other")
    if isinstance(other, int | float) and len(tensors.inputs) == 1 and not tensors.weights:
        scale, shift = _SCALAR[kind.name](float(other))
        return {"scale": scale, "shift": shift}, {}
    same = len({tuple(tensor.shape) for tensor in tensors.inputs}) == 1
    plain = not set(step.settings) - {"other"}
    if kind.name == "add" and len(tensors.inputs) == 2 and same and plain:
        return {"kind": "sum"}, {}
    raise NotRepeatableError(f"{step.operation} is none of the operations that a page computes")


_SCALAR: dict[str, Callable[[float], tuple[float, float]]] = {
    "add": lambda other: (1.0, other),
    "sub": lambda other: (1.0, -other),
    "rsub": lambda other: (-1.0, other),
    "mul": lambda other: (other, 0.0),
    "div": lambda other: (1.0 / other if other else math.inf, 0.0),
}

# By the engine's operation; all others change every number by itself.
_TRANSLATIONS: dict[str, Callable[[Step, _Tensors, Kind], Translation]] = {
    "conv": _convolution,
    **dict.fromkeys(("maxPool", "avgPool"), _pooling),
    "batchNorm": _batch_norm,
    "linear": _linear,
    **dict.fromkeys(("identity", "reshape"), _same_numbers),
    **dict.fromkeys(("softmax", "logSoftmax"), _softmax),
    "affine": _arithmetic,
}
