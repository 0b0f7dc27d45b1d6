"""Why a forward pass does not work, in words, with the fixes that were tried."""

from __future__ import annotations

import ast
import inspect
import sys
import traceback
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, product
from linecache import getline
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.module import register_module_forward_hook
from torch.overrides import TorchFunctionMode

from lenet import checks
from lenet.shapes import diagnosis
from lenet.shapes.diagnosis import Call, Problem, batch_of, diagnose, first_line, works
from lenet.shapes.edits import is_users, returning, rewritten
from lenet.shapes.fixes import SECONDS, Fix, Found, find_fixes
from lenet.shapes.formulas import ShapeError
from lenet.shapes.kinds import is_pointwise, kind_of
from lenet.shapes.markup import STYLE, problem_html
from lenet.shapes.wording import arguments_of, parsed, shape_text
from lenet.tracing import NOWHERE, Failure, Place, Recording, Step
from lenet.tracing.torch_calls import (
    Function,
    Keywords,
    place_of_error,
    place_of_frame,
    place_of_traceback,
)


@dataclass(frozen=True)
class Explanation:
    """Why a forward pass does not work.

    Attributes:
        name: the failing layer or call.
        what: what was needed and what came.
        why: the cause, where the fixes prove it, or what can be reckoned; else empty.
        fixes: changes that were tried and work, the likeliest first.
        tried: what was tried, in words: ``another padding``.
        untried: what there was no time for.
        where: the line with its file and its expression: ``models.py, line 118: self.fc1(x)``;
            empty when nothing was written (a bare `nn.Sequential`).
        error: the message that was raised; empty when nothing was.
        speaker: who raised it, PyTorch or Python.
        batch_is_wrong: the first axis of the images is not the batch.
    """

    name: str
    what: str
    why: str = ""
    fixes: tuple[Fix, ...] = ()
    tried: tuple[str, ...] = ()
    untried: tuple[str, ...] = ()
    where: str = ""
    error: str = ""
    speaker: str = "PyTorch"
    batch_is_wrong: bool = False

    def findings(self) -> list[str]:
        """What is wrong, where and why, one sentence each, ending before the list of fixes."""
        lines = [f"{self.what}."]
        lines += [f"Where: {self.where}"] if self.where else []
        lines += [f"Why: {self.why}."] if self.why else []
        lines += [f"There was no time to try {', '.join(self.untried)}."] if self.untried else []
        if self.fixes:
            several = "Any one of these works" if len(self.fixes) > 1 else "This works"
            return [*lines, f"{several} (tried):"]
        tried = f" Tried: {', '.join(self.tried)}." if self.tried else ""
        return [*lines, f"No single change was found that makes it work.{tried}"]

    def __str__(self) -> str:
        lines = self.findings()
        for fix in self.fixes:
            text = f"{fix.text}:" if fix.lines else fix.text
            lines += [f"  - {text}", *(f"      {line}" for line in fix.lines)]
        lines += [f"{self.speaker} says: {self.error}"] if self.error else []
        return "\n".join(lines)

    def to_html(self) -> str:
        """The explanation in HTML, without the style sheet."""
        fixes = [(fix.text, fix.lines) for fix in self.fixes]
        return problem_html(self.findings(), fixes, self.error, self.speaker)

    def _repr_html_(self) -> str:
        return STYLE + self.to_html()


def explain_failure(
    call: Call, recording: Recording, seconds: float, what: str = ""
) -> Explanation | None:
    """Explain why `recording`, of this call, failed or lost its batch; None if it did neither.

    Args:
        call: what was called.
        recording: its pass.
        seconds: how long to look for fixes.
        what: what is wrong with the loss behind the network, if that is what failed.

    Returns:
        The explanation with the fixes that were executed and work.
    """
    if explanation := _explain_silence(call, recording):
        return explanation
    problem = _find_problem(call, recording)
    if problem is None and (more := _with_more_images(call, recording.steps)):
        call, recording = more, more.run()
        problem = None if recording.failure else _find_problem(call, recording)
    if problem is None:
        return None
    failure, step = recording.failure, problem.step
    if what and failure and step is failure.step:
        problem = replace(problem, kind="operands", what=what)
    is_named_wrong = failure is not None and isinstance(failure.error, NameError)
    is_kept = recording.model.training or is_named_wrong  # what no search mends
    known = _KNOWN_FIXES.get(problem.kind, () if is_kept else None)
    found = find_fixes(call, recording, problem, seconds) if known is None else Found(known)
    place = step.place if step else failure.place if failure else NOWHERE
    is_pythons = failure and not failure.step and not isinstance(failure.error, RuntimeError)
    return Explanation(
        step.name if step else place.code,
        problem.what,
        _cause(found) or problem.why,
        **vars(found),
        where=_where(place),
        error=first_line(failure.error) if failure else "",
        speaker="Python" if is_pythons else "PyTorch",
        batch_is_wrong=any(fix.moves_batch for fix in found.fixes),
    )


def _explain_silence(call: Call, recording: Recording) -> Explanation | None:
    """Explain a call that fails on None, or gives it, because a function lacks its `return`."""
    error = recording.failure.error if recording.failure else None
    if recording.output is not None or (error and "NoneType" not in str(error)):
        return None
    edits = ((c, e) for c in reversed(_functions_that_gave_none(call)) for e in returning(c))
    for code, edit in edits:
        mended = call.run(prepare=partial(rewritten, edits=[edit]))
        still = mended.failure.error if mended.failure else mended.output
        if still is not None and "NoneType" not in str(still):
            name, line = code.co_qualname.rpartition("<locals>.")[2], code.co_firstlineno
            what = f"{name} reaches its end without a return, so that what calls it gets None"
            fix = Fix(f"a return at the end of {name}", edits=(edit,))
            where = f"{Path(edit.file).name}, line {line}: {getline(edit.file, line).strip()}"
            says, fixes = first_line(error) if error else "", () if mended.failure else (fix,)
            return Explanation(name, what, "", fixes, where=where, error=says, speaker="Python")
    return None


def _functions_that_gave_none(call: Call) -> list[CodeType]:
    """List the functions of the user's own that gave None in a call, the last one last."""
    found, before = [], sys.getprofile()

    def watch(frame: FrameType, event: str, given: object) -> None:
        if event == "return" and given is None and is_users(frame.f_code.co_filename):
            found.append(frame.f_code)

    sys.setprofile(watch)
    try:
        call.run()
    finally:
        sys.setprofile(before)
    return list(dict.fromkeys(found))


def _find_problem(call: Call, recording: Recording) -> Problem | None:
    """Diagnose a pass; prove what became of a lost batch by marking the images."""
    steps, tensors = recording.steps, call.tensors
    alone = replace(call, args=tensors[:1], kwargs={})
    if recording.failure and len(tensors) > 1 and works(alone.run(), batch_of(tensors)):
        given = " and ".join(shape_text(tensor.shape) for tensor in tensors)
        what = f"The model takes one tensor, the images, but it was given {given}, as a loader "
        return Problem("arguments", f"{what}gives images with labels")
    problem = diagnose(tensors, recording)
    if problem is None:
        return _mixed_in_a_sequence(call, steps)
    fate = _fate_of_images(call, steps, problem.index) if problem.kind == "batch" else ""
    return replace(problem, what=f"{problem.what}, {fate}") if fate else problem


def _mixed_in_a_sequence(call: Call, steps: Sequence[Step]) -> Problem | None:
    """Find a layer that took the batch for a sequence, where every image has its row after all."""
    batch, last = batch_of(call.tensors), len(steps) - 1
    takers = (i for i, step in enumerate(steps) if diagnosis.takes_batch_second(step, batch))
    first = next(takers, None) if steps and len(steps[last].output_shape) == 2 else None
    if first is None or _fate_of_images(call, steps, last) != _MIXED:
        return None
    what = f"{diagnosis.lost_batch(steps[first], batch)}, {_MIXED}"
    return Problem("batch", what, steps[first], first)


def _with_more_images(call: Call, steps: Sequence[Step]) -> Call | None:
    """Add two images, where a step may have taken for the batch an axis that is just as long."""
    batch = batch_of(call.tensors)
    moved = (s.input_shapes[0] for s in steps if s.module is None and not is_pointwise(s))
    is_in_doubt = any(shape[:1] == (batch,) and batch in shape[1:] for shape in moved)
    are_tensors = not call.kwargs and all(isinstance(value, Tensor) for value in call.args)
    if not is_in_doubt or not are_tensors:
        return None
    rows = torch.arange(batch + 2) % batch
    return replace(call, args=[t[rows] if t.shape[:1] == (batch,) else t for t in call.args])


_MIXED = "so the numbers of different images are mixed"


def _fate_of_images(call: Call, steps: Sequence[Step], index: int) -> str:
    """Say what became of the images at a step: mixed, left out, or split into rows.

    One image after another is made not a number, which shows in what depends on it. The answer is a
    clause, such as ``because every image is split into 2 rows``, or empty where nothing is known.
    """
    images, found = next(iter(call.args), None), []
    if not isinstance(images, Tensor) or not images.is_floating_point() or len(images) < 2:
        return ""
    for image in range(min(3, len(images))):
        marked = images.index_fill(0, torch.tensor(image), torch.nan)
        now = replace(call, args=(marked, *call.args[1:])).run(keep_tensors=True).steps
        output = now[index].output if index < len(now) else None
        if output is None:
            return ""
        found.append(torch.atleast_1d(output.isnan()))
    rows = torch.stack(found).unsqueeze(-1).flatten(2).any(2)  # (images, rows that depend on it)
    num_rows = rows.sum(1)
    if not bool(num_rows.all()):
        return "because some images are left out"
    if bool((rows.sum(0) > 1).any()):
        return _MIXED
    verb = "is split into" if kind_of(steps[index]).reshapes else "has"
    return f"because every image {verb} {num_rows[0]} rows" if num_rows[0] > 1 else ""


# What fails only in training is not searched, because the search runs networks as they predict.
_KNOWN_FIXES: dict[str, tuple[Fix, ...]] = {
    "arguments": (Fix("only the images: model(images)"),),
    "training": (  # PyTorch raises in training mode, and for one value only
        Fix("evaluation mode, only to predict", statements=("model.eval()",)),
        Fix("2 images or more in every batch: DataLoader(..., drop_last=True)"),
    ),
}


def find_device_mismatch(call: Call) -> Explanation | None:
    """Explain images and weights that live on different devices; None when they do not."""
    homes = {name: p.device for name, p in call.model.named_parameters()}
    devices = {tensor.device for tensor in call.tensors}
    wrong = next((name for name, device in homes.items() if devices - {device}), None)
    if wrong is None:
        return None
    layer, device = wrong.rpartition(".")[0] or wrong, homes[wrong]
    other, *_ = devices - {device}
    moved = f'images.to("{device}")'
    images = Fix(f"{moved}, on the device of the weights", statements=(f"images = {moved}",))
    network = Fix(f"the network on {other}", statements=(f'model.to("{other}")',))
    fixes = (images, network) if len(set(homes.values())) == 1 else (network,)
    what = f"{layer} has its weights on {device}, but the images are on {other}"
    works_together = works(call.run(), batch_of(call.args))
    why = "PyTorch computes only with tensors on one device"
    return Explanation(layer, what, why, fixes if works_together else ())


def _where(place: Place) -> str:
    """Say where, in the user's own code."""
    return f"{place.text}: {' '.join(place.code.split())}" if is_users(place.file) else ""


def _cause(found: Found) -> str:
    """Say what all fixes undo: where several would do, none of them is proved to be the cause."""
    reasons = {fix.reason for fix in found.fixes}
    return reasons.pop() if len(reasons) == 1 and not found.untried else ""


_Made = tuple[Call, Callable[[], object]]  # what a call gave, as long as it lives


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
        >>> network, images = nn.Linear(1024, 10), torch.zeros(2, 784)
        >>> with explaining(network):
        ...     logits = network(images)
        Traceback (most recent call last):
            ...
        lenet.shapes.formulas.ShapeError: ...
    """
    if model is not None:
        checks.instance("model", model, nn.Module)
    last: list[_Made] = []  # the last call that did

    def remember(module: nn.Module, args: Any, kwargs: Any, output: object) -> None:  # noqa: ANN401
        if not _is_loss(module):
            made = weakref.ref(output) if isinstance(output, Tensor) else lambda: None
            last[:] = [(Call(module, args, kwargs), made)]

    register = register_module_forward_hook if model is None else model.register_forward_hook
    handle = register(remember, with_kwargs=True)
    try:
        with _BroadcastWarner():
            yield
    except Exception as error:
        explanation = _explain_error(error, model, last, seconds)
        if explanation is None:
            raise
        raise ShapeError(str(explanation)) from error
    finally:
        handle.remove()
        last.clear()


def _is_loss(module: object) -> bool:
    return type(module).__module__ == "torch.nn.modules.loss"


def _explain_error(
    error: Exception, model: nn.Module | None, last: Sequence[_Made], seconds: float
) -> Explanation | None:
    """Explain an error; None leaves it as it is, with a note where there is something to say."""
    try:
        calls = list(_calls_in(error, model))
        calls = calls if model is not None else calls[:1]  # what another calls is no network
        inside = any(call.method in ("__call__", "forward") for call in calls)
        if not inside and (explanation := _explain_loss(error, last, seconds)):
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
        is_wanted = called is model if model is not None else not _is_loss(called)
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


class _BroadcastWarner(TorchFunctionMode):
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
            with suppress(RuntimeError):
                args = (*torch.broadcast_tensors(*tensors), *args[2:])
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
_NEEDS = {"ctc_loss": "scores (T, N, C), time first, and for each of N texts a length up to T"}


def _explain_loss(error: Exception, last: Sequence[_Made], seconds: float) -> Explanation | None:
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
    needs = "an output and targets of one shape, both floating-point numbers"
    if not isinstance(output, Tensor):
        needs = "one tensor for its output"
    elif loss.__name__ in _OF_CLASSES:
        num, *pixels = shape[1:] or ("C",)
        wanted, labels = shape_text(("N", num, *pixels)), shape_text(("N", *pixels))
        needs = f"an output {wanted} and labels {labels}, whole numbers below {num}"
        needs += ", not one-hot rows" if shape == target.shape else ""
    elif "input" not in given:
        needs = _NEEDS.get(loss.__name__, "one target for each pair")
    place = place_of_error(error)
    written = arguments_of(place.code)
    is_written = len(written) > names.index(aim)
    code = {names[0]: written[0] if is_written else "the output"}
    code[aim] = written[names.index(aim)] if is_written else "the target"
    gets = f"{code[names[0]]} is {_described(output)} and {code[aim]} is {_described(target)}"
    what = f"{loss.__name__} needs {needs}, but {gets}"
    right = tuple(islice(_right_arguments(loss, given, code), 1))
    where, said = _where(place), first_line(error)
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
