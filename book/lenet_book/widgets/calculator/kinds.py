"""The table of layer kinds as plain JSON: what the calculator offers of it, and which settings."""

from __future__ import annotations

from functools import cache
from inspect import Parameter
from types import NoneType
from typing import Any, get_args

from torch import nn

from lenet.shapes.kinds import KINDS, Kind
from lenet.tracing import constructor_parameters

# Settings that stay at their defaults, beside those that are words.
_FREE = ("eps", "inplace", "momentum")  # of no consequence for shapes and costs
_NEEDED = (
    "affine", "count_include_pad", "divisor_override", "end_dim", "groups", "return_indices",
    "start_dim", "track_running_stats",
)  # fmt: skip
_FACTS = ("axes", "input_dims", "window", "width", "macs", "pointwise", "formula", "stem")

# Layers that `lenet.shapes.kinds` need not know to find what comes out of them.
_MORE_LAYERS = (
    "LayerNorm", "RMSNorm", "LocalResponseNorm", "ChannelShuffle", "Upsample", "PixelShuffle",
    "PixelUnshuffle", "ZeroPad2d", "ConstantPad2d", "CircularPad2d", "ReflectionPad2d",
    "ReplicationPad2d", "UpsamplingNearest2d", "UpsamplingBilinear2d", "MaxUnpool2d",
)  # fmt: skip


@cache
def known() -> dict[str, dict[str, Any]]:
    """Describe all kinds of `lenet.shapes.kinds`, and more layers whose shapes are known.

    Returns:
        By the layer's class in `torch.nn`, or the function of what has no layer, in the order of
        the table:

        - ``settings``: what the constructor takes, by name, in its order: the ``type`` ("int",
          "float", "bool", "str"; "size" for a number or one for each axis, "size or name" where a
          word such as "same" will do as well), the ``default`` (None where there is none), whether
          the setting is ``required``, and whether the calculator has it ``shown``.
        - ``fits``: None, or the ``setting``, the ``noun`` and the ``axis`` of a `Fit`.
        - the other attributes of `Kind` that tell shapes and costs.

        A layer with a ``width`` has a weight for each pair of an input and an output channel (or
        feature) and place in its kernel, and a bias for each output one if ``bias`` is set; any
        other layer that ``fits`` has two parameters for each channel.
    """
    kinds = [*KINDS, *(Kind(name) for name in _MORE_LAYERS)]
    return {
        kind.name: {
            "settings": {name: _setting(p) for name, p in _parameters(kind.name).items()},
            **{name: getattr(kind, name) for name in _FACTS},
            "fits": kind.fits and {**vars(kind.fits), "noun": kind.fits.noun},
        }
        for kind in kinds
    }


@cache
def offered() -> dict[str, dict[str, Any]]:
    """The kinds that the calculator offers, with the settings that it shows."""
    return {
        name: kind | {"settings": {n: s for n, s in kind["settings"].items() if s["shown"]}}
        for name, kind in known().items()
        if kind["stem"]
    }


@cache
def unchanged(name: str) -> dict[str, Any]:
    """List the settings of a layer that the calculator needs at their defaults, with these."""
    parameters = _parameters(name).items()
    return {n: p.default for n, p in parameters if not _is_shown(p) and n not in _FREE}


def _parameters(name: str) -> dict[str, Parameter]:
    """List what the constructor of a layer in `torch.nn` takes; nothing for a function."""
    layer = getattr(nn, name, None)
    parameters = constructor_parameters(layer).items() if layer is not None else ()
    return {n: p for n, p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}


def _is_shown(parameter: Parameter) -> bool:
    is_plain = parameter.kind is not parameter.KEYWORD_ONLY and _type_name(parameter) != "str"
    return is_plain and parameter.name not in (*_FREE, *_NEEDED)


def _setting(parameter: Parameter) -> dict[str, Any]:
    required = parameter.default is parameter.empty
    return {
        "type": _type_name(parameter),
        "default": None if required else parameter.default,
        "required": required,
        "shown": _is_shown(parameter),
    }


def _type_name(parameter: Parameter) -> str:
    """Name the type of a setting as `offered` does; "str" for a word."""
    options = set(get_args(parameter.annotation)) - {NoneType} or {parameter.annotation}
    for plain in (bool, int, float, str):
        if all(option is plain or type(option) is plain for option in options):
            return plain.__name__
    return "size or name" if str in options else "size"
