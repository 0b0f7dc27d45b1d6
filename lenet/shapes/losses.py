"""Why a loss does not take its output and targets, and which it takes."""

from __future__ import annotations

import ast
import inspect
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from lenet.shapes import diagnosis
from lenet.shapes.diagnosis import Call, first_line
from lenet.shapes.explanations import Explanation, explain_failure, where_text
from lenet.shapes.fixes import Fix
from lenet.shapes.wording import arguments_of, parsed, shape_text
from lenet.tracing.torch_calls import (
    Function,
    Keywords,
    place_of_error,
    place_of_frame,
)

Made = tuple[Call, Callable[[], object]]
"""A call, and what gives its output as long as that lives."""


def is_loss(module: object) -> bool:
    """Tell whether something is a loss of PyTorch's own."""
    return type(module).__module__ == "torch.nn.modules.loss"


class BroadcastWarner(TorchFunctionMode):
    """Warn, once for a line, where numbers for each image meet several of another tensor."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str | tuple[str, type[Warning], int], int] = {}

    def __torch_function__(
        self,
        func: Function,
        types: object,
        args: Sequence[Any] = (),
        kwargs: Keywords | None = None,
    ) -> object:
        """Run a function; where it made (N, N) of (N, 1) and (N,), say so."""
        tensors = [value for value in args[:2] if isinstance(value, Tensor)]
        given = sorted((t for t in tensors if t.dtype != torch.int64), key=Tensor.dim)
        row, column = [*(tuple(t.shape) for t in given), (), ()][:2]
        forgives = func.__name__ in _FORGIVING and () not in (row, column) and row != column
        if forgives:  # PyTorch would warn on this line
            try:
                args = (*torch.broadcast_tensors(*tensors), *args[2:])
            except RuntimeError:
                with warnings.catch_warnings(action="ignore"):
                    return func(*args, **(kwargs or {}))
        result = func(*args, **(kwargs or {}))
        is_pair = len(row) == 1 and column == (*row, 1)
        if forgives or (is_pair and tuple(result.shape) == 2 * row):
            place = place_of_frame(sys._getframe(1))
            takes = f"{func.__name__} takes {shape_text(column)} with {shape_text(row)}"
            text = f"{takes}: a number of the one meets several of the other."
            if is_pair:
                meets = "every number of the one meets every number of the other"
                text = f"{takes}: {meets}. squeeze(1) makes a row of a column."
            file, line = place.file or __file__, place.line or 1
            warnings.warn_explicit(text, UserWarning, file, line, registry=self._told)
        return result


_FORGIVING = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
_OF_CLASSES = ("cross_entropy", "nll_loss")
_RIGHT = (
    "input[0]", "input.transpose(1, 2)", "input.transpose(0, 1)", "target[:len(input)]",
    "target.argmax(dim=1)", "target.view_as(input).argmax(dim=1)", "target.long()",
    "target.squeeze(1)", "target[..., 0]", "target - 1", "target.float()", "target.unsqueeze(1)",
    "target.squeeze(1).long()", "target.unsqueeze(1).float()", "target.flatten()",
    "target.view_as(input)", "target[:, :, None, None].expand_as(input)"
)  # fmt: skip
_OTHERS = {"ctc_loss": "scores (T, N, C), time first, and for each of N texts a length up to T"}


def explain_loss(error: Exception, last: Sequence[Made], seconds: float) -> Explanation | None:
    """Explain a loss that failed: by its network if that lost the batch, else by its arguments."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    inside = (f for f in frames if f.f_code.co_filename == functional.__file__)
    frame = next((f for f in inside if {"target", "targets"} & f.f_locals.keys()), None)
    if frame is None:
        return None
    loss = getattr(functional, frame.f_code.co_name)
    given = {name: frame.f_locals[name] for name in inspect.signature(loss).parameters}
    names = list(given)
    aim = next(name for name in names if name in ("target", "targets"))
    output, target = given[names[0]], given[aim]
    shape = output.shape if isinstance(output, Tensor) else ()
    needs = _needs(loss, output, target, "input" in given)
    place = place_of_error(error)
    written = arguments_of(place.code)
    is_written = len(written) > names.index(aim)
    code = {names[0]: written[0] if is_written else "the output"}
    code[aim] = written[names.index(aim)] if is_written else "the target"
    gets = f"{code[names[0]]} is {_described(output)} and {code[aim]} is {_described(target)}"
    what = f"{loss.__name__} needs {needs}, but {gets}"
    right = tuple(islice(_right_arguments(loss, given, code), 1))
    where, said = where_text(place), first_line(error)
    is_cut = any("[:len(" in fix.text for fix in right)
    is_lost = len(shape) > 2 or shape[:1] != target.shape[:1] or not right
    goes_with = shape[:1] + shape[2:] if loss.__name__ in _OF_CLASSES else shape
    is_lost = is_lost and not is_cut and target.shape != goes_with and "input" in given
    for call, made in last if is_lost else ():
        whole = _with_loss(call, made(), given, loss)
        found = explain_failure(whole, whole.run(), seconds, what)
        if found and (found.what != what or not right):
            return replace(found, where=found.where or where, error=said)
    return Explanation(loss.__name__, what, fixes=right, where=where, error=said)


def _needs(loss: Function, output: Any, target: Tensor, is_plain: bool) -> str:  # noqa: ANN401
    """Say what a loss takes; a plain one compares an output and targets."""
    if not isinstance(output, Tensor):
        return "one tensor for its output"
    if loss.__name__ in _OF_CLASSES:
        num, *pixels = output.shape[1:] or ("C",)
        wanted, labels = shape_text(("N", num, *pixels)), shape_text(("N", *pixels))
        needs = f"an output {wanted} and labels {labels}, whole numbers below {num}"
        return needs + (", not one-hot rows" if output.shape == target.shape else "")
    if not is_plain:
        return _OTHERS.get(loss.__name__, "one target for each pair")
    return "an output and targets of one shape, both floating-point numbers"


def _with_loss(call: Call, made: Any, given: Mapping[str, Any], loss: Function) -> Call:  # noqa: ANN401
    """Put a loss behind the call that made its output, flattened perhaps.

    Targets that are the images are left out: images of other sizes may be needed.
    """
    rest = {name: value for name, value in given.items() if name != "input"}
    output: Any = given.get("input")
    if any(each is rest.get("target") for each in call.tensors):
        return call
    if made is output:
        return replace(call, then=partial(loss, **rest))
    is_pair = isinstance(made, Tensor) and isinstance(output, Tensor)
    if is_pair and output.shape == (made.numel(),):
        return replace(call, then=lambda each: loss(each.flatten(), **rest))
    return call


def _right_arguments(
    loss: Function, given: Mapping[str, Any], code: Mapping[str, str]
) -> Iterator[Fix]:
    """Change what a loss is given, its output or its targets; both must then go together.

    Args:
        loss: the function.
        given: its arguments.
        code: how its output and its targets are written, by the names of these two arguments.
    """
    (first, aim), by_class = code, loss.__name__ in _OF_CLASSES
    now = {"input": given[first], "target": given[aim]}
    is_one_hot = by_class and _is_one_hot(**now)
    if not by_class and "input" in given and _are_classes(**now):
        long = "" if given[aim].dtype == torch.int64 else ".long()"
        functional.cross_entropy(given[first], given[aim].long())
        classes = f"F.cross_entropy({code[first]}, {code[aim]}{long})"
        yield Fix(f"{classes}, whose targets are class numbers")
    for right in _RIGHT:
        name = "input" if right.startswith("input") else "target"
        are_several = not isinstance(now["input"], Tensor)
        if ("argmax" in right, "[0]" in right) != (is_one_hot, are_several):
            continue
        with suppress(IndexError, LookupError, RuntimeError, TypeError, ValueError):
            made = {**now, name: eval(right, dict(now))}
            with warnings.catch_warnings(action="ignore"):
                loss(**{**given, first: made["input"], aim: made["target"]})
            if _go_together(right, by_class, "input" in given, **made, before=now["target"]):
                text = right
                for each, written in zip(now, code.values(), strict=True):
                    is_whole = isinstance(parsed(written), ast.Name | ast.Call | ast.Attribute)
                    text = text.replace(each, written if is_whole else f"({written})")
                yield Fix(f"{text} instead of {code[first] if name == 'input' else code[aim]}")


def _go_together(
    right: str, by_class: bool, is_plain: bool, input: Tensor, target: Tensor, before: Tensor
) -> bool:
    """Tell whether an output and targets are of one kind, and nothing of them was left out."""
    if "..." in right and not bool((before == before[..., :1]).all()):
        return False
    if "view_as" in right and len(before) != len(input) and "argmax" not in right:
        return False
    if not is_plain:
        return target.dim() == 1 or not right.startswith("target")
    return target.dim() < input.dim() if by_class else target.shape == input.shape


def _is_one_hot(input: Any, target: Tensor) -> bool:  # noqa: ANN401
    """Tell whether targets are rows with one 1 each, as many numbers as the output has."""
    if not isinstance(input, Tensor) or target.numel() != input.numel():
        return False
    rows = target.reshape(input.shape)
    return bool((rows.sum(1) == 1).all() and (rows.amax(1) == 1).all())


def _are_classes(input: Any, target: Tensor) -> bool:  # noqa: ANN401
    """Tell whether targets are a class number for each row of the output."""
    is_table = isinstance(input, Tensor) and input.dim() == 2 and target.shape == input.shape[:1]
    if not is_table or not target.numel() or bool((target != target.long()).any()):
        return False
    return 0 <= int(target.min()) <= int(target.max()) < int(input.shape[1])


def _described(value: object) -> str:
    """A tensor's shape and type, with the range of labels: ``(4,) int64 from 1 to 10``."""
    if not isinstance(value, Tensor):
        return diagnosis.seen(value)
    text = f"{shape_text(value.shape)} {diagnosis.dtype_name(value.dtype)}"
    has_range = value.numel() and not value.is_floating_point()
    return f"{text} from {value.min().item()} to {value.max().item()}" if has_range else text
