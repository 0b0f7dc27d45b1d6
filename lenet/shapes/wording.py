"""Steps in words: an operation as it would be written, its shape, its formula with numbers."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from torch import nn

from lenet.shapes.formulas import Windows
from lenet.shapes.kinds import USUAL_SETTINGS, kind_of
from lenet.tracing import VARIADIC, Step, constructor_parameters

NamedShape = tuple[int | str, ...]


def named_shape(shape: Sequence[int | str], batch: int | None) -> NamedShape:
    """Write N for the batch axis of a shape."""
    return ("N", *shape[1:]) if tuple(shape[:1]) == (batch,) else tuple(shape)


def shape_text(shape: Sequence[int | str], batch: int | None = None) -> str:
    """Write a shape as Python does, with N for the batch axis: ``(N, 1, 28, 28)``, ``(N,)``."""
    sizes = ", ".join(map(str, named_shape(shape, batch)))
    return f"({sizes}{',' if len(shape) == 1 else ''})"


def size_text(size: Sequence[int]) -> str:
    """Write height and width: ``28×28``."""
    return "×".join(map(str, size))


def describe_operation(step: Step) -> str:
    """Write an operation with its settings: ``Conv2d(1, 6, kernel_size=5)``, ``view(-1, 400)``."""
    if step.module is not None:
        return layer_code(type(step.module), step.settings)
    if step.operation in VARIADIC:
        return f"{step.operation}({', '.join(sizes_as_written(step))})"
    unusual = (item for item in step.settings.items() if item not in USUAL_SETTINGS.items())
    arguments = ", ".join(f"{name}={setting_text(value)}" for name, value in unusual)
    return f"{step.operation}({arguments})"


def title_of(step: Step) -> str:
    """Name a step as one would: a layer ``fc1``, ``features[0]`` or ``model[4]``, a call ``view``.

    Anything else is named by its code, ``x[0]``.
    """
    if step.module is not None:
        return layer_path(step.name).removeprefix("model.")
    is_call = isinstance(parsed(step.place.code), ast.Call)
    return step.name if is_call else " ".join(step.place.code.split())


def layer_path(name: str) -> str:
    """Write where a layer is in a network that is made: ``model.features[0]``."""
    return re.sub(r"\.(\d+)\b", r"[\1]", f"model.{name}" if name else "model")


def arguments_of(code: str) -> list[str]:
    """Write what a call is given by position, as its code does; [] for what is no call."""
    call = parsed(code)
    return [ast.unparse(node) for node in call.args] if isinstance(call, ast.Call) else []


def sizes_as_written(step: Step) -> Sequence[str]:
    """Write the sizes that a view asks for, that of the batch as the code does: ``x.size(0)``."""
    sizes = [str(size) for size in step.settings.get(VARIADIC[step.operation], ())]
    written = arguments_of(step.place.code)
    if not sizes or len(written) != len(sizes) or written[0].lstrip("-").isdigit():
        return sizes
    return [written[0], *sizes[1:]] if sizes[0] == str(step.input_shapes[0][0]) else sizes


def parsed(code: str) -> ast.AST | None:
    """Parse an expression, or a statement that has no other in it; None for what is no code."""
    for written in (f"({code})", code):  # an expression may span lines
        with suppress(SyntaxError):
            statement = ast.parse(written).body[0]
            return statement.value if isinstance(statement, ast.Expr) else statement
    return None


def layer_code(layer: Callable[..., nn.Module], settings: Mapping[str, Any]) -> str:
    """Write the constructor call of a layer, without the settings that are defaults."""
    arguments: list[str] = []
    for name, parameter in constructor_parameters(layer).items():
        value, required = settings.get(name), parameter.default is parameter.empty
        if value is None or (not required and _is_default(name, parameter.default, settings)):
            continue
        text = setting_text(value, name)
        follows_names = any("=" in argument for argument in arguments)
        is_named = follows_names or not (required and name.startswith(_POSITIONAL))
        arguments.append(f"{name}={text}" if is_named else text)
    return f"{getattr(layer, '__name__', layer)}({', '.join(arguments)})"


_POSITIONAL = ("in_", "in1_", "in2_", "out_", "num_", "embed_dim", "input_size", "hidden_size")
_LISTS = ("normalized_shape", "unflattened_size")  # of which one number means something else
_LIKE = {"stride": "kernel_size", "kdim": "embed_dim", "vdim": "embed_dim"}  # unless it is given


def setting_text(value: object, name: str = "") -> str:
    """Write a setting; a square size such as ``(5, 5)`` as one number, if that means the same."""
    if isinstance(value, tuple | list) and len(set(map(repr, value))) == 1:
        return repr(value if name in _LISTS and len(value) > 1 else value[0])
    return repr(value)


def formula_of(step: Step, windows: Windows | None) -> str:
    """Fill a step's numbers into the formula of its output size; empty where the size stays."""
    if windows is not None:
        axes = [f"{axis}: " for axis in "DHW"[-len(windows) :]] if len(set(windows)) > 1 else [""]
        each = zip(axes, windows, strict=False)
        return ", ".join(f"{axis}{window.formula}" for axis, window in each)
    came, given = step.input_shapes[0], step.output_shape
    match kind_of(step).formula:
        case "features":
            return f"{came[-1]} → {given[-1]}"
        case "flatten" if given[1:] == (math.prod(came[1:]),):
            return f"{'·'.join(map(str, came[1:]))} = {given[1]}"
        case "join" if isinstance(dim := step.settings.get("dim", 0), int):
            sizes = [shape[dim] for shape in step.input_shapes]
            return f"{' + '.join(map(str, sizes))} = {given[dim]}"
    return ""


def _is_default(name: str, default: object, settings: Mapping[str, Any]) -> bool:
    value = settings[name]
    if default is None and name in _LIKE:
        default = settings.get(_LIKE[name])
    if isinstance(value, tuple) and not isinstance(default, tuple):
        return all(number == default for number in value)
    return bool(value == default)
