"""An error of the user's own run, turned into its explanation."""

from __future__ import annotations

import ast
import inspect
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import product
from types import TracebackType
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from lenet import checks
from lenet.shapes.diagnosis import Call, first_line
from lenet.shapes.explanations import Explanation, explain_failure, find_device_mismatch
from lenet.shapes.fixes import SECONDS
from lenet.shapes.formulas import ShapeError
from lenet.shapes.losses import BroadcastWarner, Made, explain_loss, is_loss
from lenet.shapes.wording import parsed
from lenet.tracing import NOWHERE, Failure
from lenet.tracing.torch_calls import place_of_error, place_of_traceback


@contextmanager
def explaining(model: nn.Module | None = None, *, seconds: float = SECONDS) -> Iterator[None]:
    """Turn an error of `model(images)`, or of a loss behind it, into its explanation.

    The call that failed is repeated on a private copy, with the same arguments. Where the copy does
    not fail as the network did, and where shapes, types and devices do not explain an error, it
    stays as it was raised, with a note at most. Of a column (N, 1) that meets a row (N,), so that
    every number of one meets every number of the other, it warns.

    Args:
        model: the network; None for any.
        seconds: how long to look for fixes.

    Raises:
        ShapeError: with the explanation, from PyTorch's own error.

    Example:
        >>> import torch
        >>> network, images = nn.Linear(1024, 10), torch.zeros(2, 784)
        >>> with explaining(network):
        ...     logits = network(images)
        Traceback (most recent call last):
            ...
        lenet.shapes.formulas.ShapeError: ...
    """
    if model is not None:
        checks.instance("model", model, nn.Module)
    last: list[Made] = []  # the last call that did

    def remember(module: nn.Module, args: Any, kwargs: Any, output: object) -> None:  # noqa: ANN401
        if not is_loss(module):
            made = weakref.ref(output) if isinstance(output, Tensor) else lambda: None
            last[:] = [(Call(module, args, kwargs), made)]

    register = register_module_forward_hook if model is None else model.register_forward_hook
    handle = register(remember, with_kwargs=True)
    try:
        with BroadcastWarner():
            yield
    except Exception as error:
        explanation = _explain_error(error, model, last, seconds)
        if explanation is None:
            raise
        raise ShapeError(str(explanation)) from error
    finally:
        handle.remove()
        last.clear()


def _explain_error(
    error: Exception, model: nn.Module | None, last: Sequence[Made], seconds: float
) -> Explanation | None:
    """Explain an error; None leaves it as it is, with a note where there is something to say."""
    try:
        calls = list(_calls_in(error, model))
        calls = calls if model is not None else calls[:1]  # what another calls is no network
        inside = any(call.method in ("__call__", "forward") for call in calls)
        if not inside and (explanation := explain_loss(error, last, seconds)):
            return explanation
        if not calls and "NoneType" in str(error):  # what the last call gave, most likely
            calls = [call for call, _ in last]
        return _explain_calls(calls, error, seconds)
    except Exception as own:  # whatever fails here, the user's error is what counts
        error.add_note(f"No explanation was found: {type(own).__name__}: {first_line(own)}")
    return None


def _calls_in(error: Exception, model: nn.Module | None) -> Iterator[Call]:
    """List the calls of the network, or of any, that an error came through, the first one first."""
    caller, callee = None, error.__traceback__
    while callee is not None:
        frame, code = callee.tb_frame, callee.tb_frame.f_code
        names, rest, named, values = inspect.getargvalues(frame)
        called = values.get(names[0]) if names else None
        is_torchs = code is nn.Module._wrapped_call_impl.__code__
        own = getattr(inspect.unwrap(getattr(type(called), code.co_name, id)), "__code__", None)
        is_wanted = called is model if model is not None else not is_loss(called)
        if is_wanted and isinstance(called, nn.Module) and (is_torchs or own is code):
            args = [values[name] for name in names[1:]] + [*(values[rest] if rest else ())]
            kwargs = values[named] if named else {}
            if not is_torchs and caller is not None:  # the method may have used its names anew
                args, kwargs = _written_arguments(caller, called) or (args, kwargs)
            if code.co_name != "__init__":
                yield Call(called, args, kwargs, method="__call__" if is_torchs else code.co_name)
        caller, callee = callee, callee.tb_next


def _written_arguments(
    caller: TracebackType, called: nn.Module
) -> tuple[list[Any], dict[str, Any]] | None:
    """Read a call's arguments where it is written, if that needs no call but torch's own."""
    call, frame = parsed(place_of_traceback(caller).code), caller.tb_frame
    inner = list(ast.walk(call))[1:] if isinstance(call, ast.Call) else []
    doing = (each for each in inner if isinstance(each, ast.Call | ast.NamedExpr | ast.Await))
    acts = any(not ast.unparse(each).startswith("torch.") for each in doing)
    if isinstance(call, ast.Call) and not acts:
        space, args, named = (frame.f_globals, frame.f_locals), call.args, call.keywords
        with suppress(Exception):  # a name that was taken away
            method = eval(ast.unparse(call.func), *space)
            if called in (method, getattr(method, "__self__", None)):
                given = eval(f"[{', '.join(map(ast.unparse, args))}]", *space)
                return given, eval(f"dict({', '.join(map(ast.unparse, named))})", *space)
    return None


def _explain_calls(calls: Sequence[Call], error: Exception, seconds: float) -> Explanation | None:
    """Repeat what failed, in its own mode if need be, and explain the first that fails alike."""
    place = place_of_error(error)
    for call, prepare in product(calls, (None, nn.Module.train)):
        if mismatch := find_device_mismatch(call):
            return mismatch
        recording = call.run(prepare=prepare)
        failure = recording.failure or Failure(error)
        is_alike = first_line(failure.error) in str(error) or failure.place == place != NOWHERE
        explanation = explain_failure(call, recording, seconds) if is_alike else None
        if explanation and not failure.step and recording.failure and not explanation.fixes:
            error.add_note(f"{explanation.what} ({failure.place.text}).")
            return None
        if explanation:
            return replace(explanation, error=first_line(error))
    if calls:
        error.add_note("No explanation was found: a copy of the network does not fail in this way.")
    return None
