"""Functions of torch and methods of tensors, as the front end has to know them."""

from __future__ import annotations

import inspect
from functools import cache
from types import FunctionType

import torch
import torch.nn.functional as F
from torch import Tensor

from lenet.shapes.kinds import KINDS, USUAL_SETTINGS
from lenet.tracing.torch_calls import ALIASES, VARIADIC, bind

_HOMES = (F, torch, Tensor)

# Beside those of a kind: what changes axes, and what keeps them.
_CHANGING = (
    "amin", "argmax", "argmin", "chunk", "cosine_similarity", "expand", "expand_as", "interpolate",
    "logsumexp", "max", "min", "moveaxis", "movedim", "narrow", "norm", "permute", "pixel_shuffle",
    "pixel_unshuffle", "prod", "repeat", "select", "sort", "split", "stack", "std", "swapaxes",
    "swapdims", "t", "topk", "transpose", "unbind", "upsample", "var", "view_as",
)  # fmt: skip
_KEEPING = (
    "bool", "cos", "cpu", "cuda", "cumsum", "double", "eq", "erf", "expm1", "flip", "floor_divide",
    "ge", "group_norm", "gt", "half", "instance_norm", "int", "layer_norm", "le",
    "local_response_norm", "log1p", "long", "lt", "masked_fill", "maximum", "minimum", "ne",
    "normal_", "normalize", "ones_like", "rand_like", "randn_like", "remainder", "requires_grad_",
    "roll", "round", "rpow", "rsqrt", "sign", "sin", "tril", "triu", "type", "type_as", "where",
    "zeros_like",
)  # fmt: skip


@cache
def known() -> dict[str, dict[str, object]]:
    """Describe functions by their names: the ``kind`` in the table, and the ``names`` of arguments.

    For ``max_pool2d`` and the layer ``MaxPool2d`` there is one kind; an operation without a kind
    has an empty one. What ``keeps`` gives as much as it gets; ``passed`` are the defaults that show
    in a recorded call; the second argument of a method that takes the ``rest`` is any number of
    sizes. The first argument is ``input``, also where a method has it as its owner.
    """
    kinds = {_plain(name): kind.name for kind in KINDS for name in (kind.name, *kind.calls)}
    alike = {name for home in _HOMES for name in dir(home) if _plain(name) in kinds}
    found: dict[str, dict[str, object]] = {}
    for name in sorted({*alike, *_CHANGING, *_KEEPING}):
        homes = (getattr(home, name, getattr(home, f"__{name}__", None)) for home in _HOMES)
        function = next(filter(callable, homes), None)
        if function is not None and name == name.lower() and not name.startswith("__"):
            names = bind(name, function, tuple(range(9)), {})
            named = [each for each in names if "argument" not in each]
            kind = kinds.get(_plain(name), "")
            passed, keeps = _passed(name), name in _KEEPING
            facts = {"passed": passed, "rest": name in VARIADIC, "keeps": keeps}
            found[name] = {"kind": kind, "names": named, **facts}
    return found


def usual() -> dict[str, object]:
    """List the settings that a recorded call leaves out, with the values at which it does."""
    return dict(USUAL_SETTINGS)


def aliases() -> dict[str, str]:
    """Name the arguments of torch that NumPy calls otherwise."""
    return dict(ALIASES)


def _passed(name: str) -> dict[str, object]:
    """List the defaults that a function of `torch.nn.functional` in Python hands on by name."""
    function = getattr(F, name, None)
    if not isinstance(function, FunctionType):
        return {}
    parameters = inspect.signature(function).parameters.values()
    plain = [p for p in parameters if isinstance(p.default, int | float | str) and p.name[0] != "_"]
    return {p.name: p.default for p in plain if p.default is not p.empty}


def _plain(name: str) -> str:
    """Spell a layer and its function alike, as `lenet.shapes.kinds` does."""
    return name.replace("_", "").lower()
