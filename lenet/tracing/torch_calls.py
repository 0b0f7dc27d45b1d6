"""Calls of torch functions, read back: the operation's name, its arguments by name, its code line.

It serves `lenet.tracing`, where `F.max_pool2d(x, 2)`, `x.view(-1, 400)` and `x + y` arrive as a
function object with positional arguments.
"""

from __future__ import annotations

import copy
import inspect
import linecache
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from textwrap import dedent
from types import CodeType, FrameType, TracebackType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import get_testing_overrides

Function = Callable[..., Any]
Keywords = Mapping[str, Any]

# Functions that take more arguments than PyTorch's list of them says.
_ARGUMENTS = {
    "getitem": ("input", "index"),
    **dict.fromkeys(("amax", "amin", "argmax", "max"), ("input", "dim", "keepdim")),
    **dict.fromkeys(("mean", "min", "prod", "sum"), ("input", "dim", "keepdim")),
}
# NumPy's names of arguments, which torch functions take as well.
ALIASES = {"axis": "dim", "keepdims": "keepdim"}
# Methods that take the rest of their arguments as one shape: x.view(2, 3) or x.view((2, 3)).
VARIADIC = {"permute": "dims", "repeat": "repeats"}
VARIADIC |= dict.fromkeys(("view", "reshape", "expand"), "shape")

# Frames in these places belong to the machinery between a user's `forward` and an operation.
_TORCH_FOLDER = str(Path(torch.__file__).parent) + os.sep
_TRACING_FILES = {str(Path(__file__).with_name("tracer.py")), __file__}
_TRACING_FILES.add(str(Path(__file__).parents[1] / "shapes" / "explanations.py"))


def tensors_in(value: object) -> list[Tensor]:
    """Find the tensors in nested tuples, lists and dictionaries, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [tensor for item in value for tensor in tensors_in(item)]


def rebuilt(value: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    """Make a container of the same kind with every item changed; what is no container stays."""
    if isinstance(value, dict):
        twin = copy.copy(value)
        twin.update((key, change(item)) for key, item in value.items())
        return twin
    if isinstance(value, list | tuple):
        make = getattr(type(value), "_make", type(value))  # a named tuple takes no sequence
        return make(map(change, value))
    return value


def operation_name(func: Function) -> str:
    """Name a torch function as it is written: ``relu``, ``add``, ``getitem``, ``T``."""
    name: str = getattr(func, "__name__", type(func).__name__)
    if name == "__get__":  # an attribute such as x.T, read by this function
        name = getattr(getattr(func, "__self__", None), "__name__", name)
    return name.strip("_") if name.startswith("__") else name


def bind(operation: str, func: Function, args: Sequence[Any], kwargs: Keywords) -> dict[str, Any]:
    """Give a call's arguments their names, in the order in which they were given."""
    if operation in VARIADIC and len(args) > 1:
        shape = args[1] if isinstance(args[1], list | tuple) else args[1:]
        return {"input": args[0], VARIADIC[operation]: tuple(shape), **kwargs}
    names = _ARGUMENTS.get(operation) or _parameters(func)
    names += tuple(f"argument{i}" for i in range(len(names), len(args)))
    named = {ALIASES.get(name, name): value for name, value in kwargs.items()}
    return {**dict(zip(names, args, strict=False)), **named}


def plain_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the arguments that a reader would recognise: no tensors, no None, nothing private."""
    public = (item for item in given.items() if not item[0].startswith("_"))
    return {name: value for name, value in public if value is not None and not tensors_in(value)}


@dataclass(frozen=True)
class Place:
    """A place in the user's code.

    Attributes:
        code: the exact text of the expression; empty when its source cannot be found.
        line: its line in its file or notebook cell, or None.
        text: the line and its file, for a reader: ``models.py, line 118`` or ``line 4 of the
            cell``; empty without a line.
        file: the name under which Python knows the file or cell.
        end: the last line of the expression and the column behind it, in UTF-8 bytes; or None.
    """

    code: str = ""
    line: int | None = None
    text: str = ""
    file: str = field(default="", repr=False, compare=False)
    end: tuple[int, int] | None = field(default=None, repr=False, compare=False)


NOWHERE = Place()


def place_of_frame(frame: FrameType | None) -> Place:
    """Find the expression of the user's code that `frame` is running.

    Returns:
        Its place; `NOWHERE` when no user code lies between the tracer and the operation (a bare
        `nn.Sequential`).
    """
    while frame is not None:
        code = frame.f_code
        if code.co_name == "run" and code.co_filename in _TRACING_FILES:
            break
        if not _is_machinery(code.co_filename):
            return _place(code, code.co_filename, frame.f_lasti)
        frame = frame.f_back
    return NOWHERE


def place_of_error(error: BaseException) -> Place:
    """Find the innermost expression of the user's code from which `error` came."""
    found, traceback = NOWHERE, error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not _is_machinery(code.co_filename) and code.co_name != "__torch_function__":
            found = place_of_traceback(traceback)
        traceback = traceback.tb_next
    return found


def place_of_traceback(traceback: TracebackType) -> Place:
    """Find the expression of one frame through which an error came."""
    code = traceback.tb_frame.f_code
    return _place(code, code.co_filename, traceback.tb_lasti)


@lru_cache(maxsize=1024)
def _parameters(func: Function) -> tuple[str, ...]:
    """Name the arguments that a function takes by position.

    Functions written in C++ have no Python signature; PyTorch lists theirs for its own tests.
    """
    for described in (func, get_testing_overrides().get(func)):
        with suppress(TypeError, ValueError):
            parameters = inspect.signature(described).parameters.values()  # type: ignore[arg-type]
            names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
            if names:
                return ("input" if names[0] in ("self", "tensor") else names[0], *names[1:])
    return ("input",)


@lru_cache(maxsize=4096)
def _is_machinery(filename: str) -> bool:
    return filename.startswith(_TORCH_FOLDER) or filename in _TRACING_FILES


@lru_cache(maxsize=4096)
def _place(code: CodeType, filename: str, instruction: int) -> Place:
    """Find the expression of one bytecode instruction in its source.

    The name of the file is given because equal code of two files is one key of the cache.
    """
    first, last, start, end = next(islice(code.co_positions(), instruction // 2, None))
    if first is None or last is None:
        return NOWHERE
    text = _cut_out(linecache.getlines(filename)[first - 1 : last], start, end)
    behind = None if end is None else (last, end)
    return Place(text, first, line_text(filename, first), filename, behind)


def _cut_out(lines: list[str], start: int | None, end: int | None) -> str:
    """Cut an expression out of its lines; columns are counted in UTF-8 bytes."""
    if not lines:
        return ""
    lines[-1] = lines[-1].encode()[:end].decode()
    text = lines[0].encode()[start:].decode()
    return (text + dedent("".join(lines[1:]))).strip()


def line_text(filename: str, line: int) -> str:
    """Say which line of what: a file by its name alone, a notebook cell as a cell.

    Jupyter compiles a cell under a name such as ``/tmp/ipykernel_8/123.py``, Colab as
    ``/tmp/ipython-input-8.py``, IPython as ``<ipython-input-8>``.
    """
    path = Path(filename)
    if path.parent.name.startswith("ipykernel_") or "ipython-input-" in path.name:
        return f"line {line} of the cell"
    return f"line {line}" if filename.startswith("<") else f"{path.name}, line {line}"
