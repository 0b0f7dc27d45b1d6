"""Why a forward pass does not work, in words, with the fixes that were tried."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from linecache import getline
from types import CodeType, FrameType

import torch
from torch import Tensor

from lenet.shapes import diagnosis
from lenet.shapes.diagnosis import Call, Problem, batch_of, diagnose, first_line, works
from lenet.shapes.edits import is_users, returning, rewritten
from lenet.shapes.fixes import Fix, Found, find_fixes
from lenet.shapes.kinds import is_pointwise, kind_of
from lenet.shapes.markup import STYLE, problem_html
from lenet.shapes.wording import shape_text
from lenet.tracing import NOWHERE, Place, Recording, Step
from lenet.tracing.torch_calls import line_text


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
        where=where_text(place),
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
            where = f"{line_text(edit.file, line)}: {getline(edit.file, line).strip()}"
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


def where_text(place: Place) -> str:
    """Say where, in the user's own code."""
    return f"{place.text}: {' '.join(place.code.split())}" if is_users(place.file) else ""


def _cause(found: Found) -> str:
    """Say what all fixes undo: where several would do, none of them is proved to be the cause."""
    reasons = {fix.reason for fix in found.fixes}
    return reasons.pop() if len(reasons) == 1 and not found.untried else ""
