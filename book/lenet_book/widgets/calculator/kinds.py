"""The table of layer kinds as plain JSON: what the calculator offers of it, and which settings."""

from __future__ import annotations

from functools import cache
from inspect import Parameter
from types import NoneType
from typing import Any, get_args

from lenet.shapes.kinds import KINDS
from lenet.tracing import constructor_parameters

# Settings that stay at their defaults, beside those that are words.
_FREE = ("eps", "inplace", "momentum")  # of no consequence for shapes and costs
_NEEDED = (
    "affine", "count_include_pad", "divisor_override", "end_dim", "groups", "return_indices",
    "start_dim", "track_running_stats",
)  # fmt: skip
_FACTS = ("input_dims", "window", "width", "macs", "pointwise", "formula", "stem")


@cache
def offered() -> dict[str, dict[str, Any]]:
    """Describe the kinds of `lenet.shapes.kinds` that have a name for new layers.

    Returns:
        By the layer's class in `torch.nn`, in the order of the table:

        - ``settings``: those shown, by name, in the order of the constructor: the ``type`` ("int",
          "float", "bool"; "size" for a number or one for each axis, "size or name" where a word
          such as "same" will do as well), the ``default`` (None where there is none), and whether
          the setting is ``required``.
        - ``fits``: None, or the ``setting``, the ``noun`` and the ``axis`` of a `Fit`.
        - the other attributes of `Kind` that tell shapes and costs.

        A layer with a ``width`` has a weight for each pair of an input and an output channel (or
        feature) and place in its kernel, and a bias for each output one if ``bias`` is set; any
        other layer that ``fits`` has two parameters for each channel.
    """
    return {
        kind.name: {
            "settings": {
                name: _setting(parameter)
                for name, parameter in _parameters(kind.name).items()
                if _is_shown(parameter)
            },
            **{name: getattr(kind, name) for name in _FACTS},
            "fits": kind.fits and {**vars(kind.fits), "noun": kind.fits.noun},
        }
        for kind in KINDS
        if kind.stem
    }


@cache
def unchanged(name: str) -> dict[str, Any]:
    """List the settings of a layer that the calculator needs at their defaults, with these."""
    parameters = _parameters(name).items()
    return {n: p.default for n, p in parameters if not _is_shown(p) and n not in _FREE}


def _parameters(name: str) -> dict[str, Parameter]:
    """List what the constructor of a layer in `torch.nn` takes by position."""
    (layer,) = (kind.layer for kind in KINDS if kind.name == name)
    assert layer is not None
    parameters = constructor_parameters(layer).items()
    return {n: p for n, p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}


def _is_shown(parameter: Parameter) -> bool:
    return _type_name(parameter) != "str" and parameter.name not in (*_FREE, *_NEEDED)


def _setting(parameter: Parameter) -> dict[str, Any]:
    required = parameter.default is parameter.empty
    default = None if required else parameter.default
    return {"type": _type_name(parameter), "default": default, "required": required}


def _type_name(parameter: Parameter) -> str:
    """Name the type of a setting as `offered` does; "str" for a word."""
    options = set(get_args(parameter.annotation)) - {NoneType} or {parameter.annotation}
    for plain in (bool, int, float, str):
        if all(option is plain or type(option) is plain for option in options):
            return plain.__name__
    return "size or name" if str in options else "size"
