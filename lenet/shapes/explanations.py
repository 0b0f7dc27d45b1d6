"""Why a forward pass does not work, in words, with the fixes that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from lenet import tracing
from lenet.shapes.changes import Change
from lenet.shapes.diagnosis import (
    Problem,
    are_mixed,
    batch_of,
    diagnose,
    fate_of_images,
    first_line,
    lost_batch,
    takes_batch_second,
    works,
)
from lenet.shapes.fixes import Fix, attempt, find_fixes
from lenet.shapes.markup import STYLE, problem_html
from lenet.tracing import NOWHERE, Recording, Step


@dataclass(frozen=True)
class Explanation:
    """Why a forward pass does not work.

    Attributes:
        name: the failing layer or call.
        what: what was needed and what came.
        why: the cause, as far as a fix reveals it; else empty.
        fixes: changes that were tried and work, the likeliest first.
        where: the line with its file and its expression: ``models.py, line 118: self.fc1(x)``;
            empty when nothing was written (a bare `nn.Sequential`).
        error: PyTorch's own message; empty when nothing was raised.
        batch_is_wrong: the first axis of the images is not the batch.
    """

    name: str
    what: str
    why: str = ""
    fixes: tuple[Fix, ...] = ()
    where: str = ""
    error: str = ""
    batch_is_wrong: bool = False

    def findings(self) -> list[str]:
        """What is wrong, where and why, one sentence each, ending before the list of fixes."""
        lines = [f"{self.what}."]
        if self.where:
            lines.append(f"Where: {self.where}")
        if self.why:
            lines.append(f"Why: {self.why}.")
        if not self.fixes:
            return [*lines, "No single change that was tried makes it work."]
        several = "Any one of these works" if len(self.fixes) > 1 else "This works"
        return [*lines, f"{several} (tried):"]

    def __str__(self) -> str:
        lines = self.findings()
        lines += map(_bullet, self.fixes)
        if self.error:
            lines.append(f"PyTorch says: {self.error}")
        return "\n".join(lines)

    def to_html(self) -> str:
        """The explanation in HTML, without the style sheet."""
        fixes = [(fix.text, fix.lines) for fix in self.fixes]
        return problem_html(self.findings(), fixes, self.error)

    def _repr_html_(self) -> str:
        return STYLE + self.to_html()


def explain_failure(
    model: nn.Module, inputs: Sequence[Tensor], recording: Recording
) -> Explanation | None:
    """Explain why `recording` failed or mixed up its images; None when it did neither.

    Args:
        model: the network that was recorded.
        inputs: what it was given, (N, C, H, W) as a rule.
        recording: the forward pass.

    Returns:
        The explanation with the fixes that were executed and work.
    """
    problem = find_problem(model, inputs, recording)
    if problem is None:
        return None
    fixes = find_fixes(model, inputs, recording, problem)
    failure = recording.failure
    step = problem.step
    spot = failure or step
    place = spot.place if spot else NOWHERE
    return Explanation(
        name=step.name if step else place.code,
        what=problem.what,
        why=_cause(fixes),
        fixes=fixes,
        where=f"{place.text}: {' '.join(place.code.split())}" if place.text else "",
        error=first_line(failure.error) if failure else "",
        batch_is_wrong=any(
            change.images is not None and change.images.dim() != inputs[0].dim()
            for fix in fixes
            for change in fix.changes
        ),
    )


def find_problem(
    model: nn.Module, inputs: Sequence[Tensor], recording: Recording
) -> Problem | None:
    """Diagnose a pass; where the batch was lost, prove what became of it by marking the images."""
    problem, steps = diagnose(inputs, recording), recording.steps
    if problem is None:
        return _mixed_in_a_sequence(model, inputs, steps)
    if problem.kind != "batch" or problem.step is None:
        return problem
    marks = _marks(model, inputs, problem.index)
    fate = "" if marks is None else fate_of_images(marks, problem.step)
    return replace(problem, what=f"{problem.what}, {fate}" if fate else problem.what)


def _mixed_in_a_sequence(
    model: nn.Module, inputs: Sequence[Tensor], steps: Sequence[Step]
) -> Problem | None:
    """Find a layer that took the batch for a sequence, where every image has its row after all."""
    batch = batch_of(inputs)
    index = next((i for i, step in enumerate(steps) if takes_batch_second(step, batch)), None)
    if index is None or len(steps[-1].output_shape) != 2:
        return None
    marks = _marks(model, inputs, len(steps) - 1)
    if marks is None or not are_mixed(marks):
        return None
    what = f"{lost_batch(steps[index], batch)}, {fate_of_images(marks, steps[-1])}"
    return Problem("batch", what, steps[index], index)


def _marks(model: nn.Module, inputs: Sequence[Any], index: int) -> Tensor | None:
    """Make one image after another not a number, and see which numbers of a step's output are not.

    Returns:
        bool (images, *output_shape), of at most 3 images; None where images cannot be marked.
    """
    images, found = inputs[0], []
    if not isinstance(images, Tensor) or not images.is_floating_point() or len(images) < 2:
        return None
    for image in range(min(3, len(images))):
        marked = images.index_fill(0, torch.tensor(image), torch.nan)
        steps = tracing.run(model, (marked, *inputs[1:]), keep_tensors=True).steps
        if len(steps) <= index:
            return None
        found += [output.isnan() for output in (steps[index].outputs or ())[:1]]
    return torch.stack(found)


def find_device_mismatch(model: nn.Module, inputs: Sequence[Tensor]) -> Explanation | None:
    """Explain images and weights that live on different devices; None when they do not."""
    homes = {name: p.device for name, p in model.named_parameters()}
    devices = {image.device for image in inputs}
    wrong = [name for name, device in homes.items() if devices - {device}]
    if not wrong:
        return None
    name = wrong[0].rpartition(".")[0] or wrong[0]
    device, image_device = homes[wrong[0]], next(iter(devices - {homes[wrong[0]]}))
    changes = [Change(f"the network on {image_device}", f'model.to("{image_device}")')]
    if len(set(homes.values())) == 1:
        changes.insert(0, Change(f"the images on {device}", f'images = images.to("{device}")'))
    runs = works(attempt(model, inputs, ()), len(inputs[0]))
    return Explanation(
        name=name,
        what=f"{name} has its weights on {device}, but the images are on {image_device}",
        why="PyTorch computes only with tensors on one device",
        fixes=tuple(Fix((change,)) for change in changes if runs),
    )


def _bullet(fix: Fix) -> str:
    """Write a fix as a line of a list, with its code below."""
    code = "".join(f"\n      {line}" for line in fix.lines)
    return f"  - {fix.text}:{code}" if code else f"  - {fix.text}"


def _cause(fixes: Sequence[Fix]) -> str:
    """Say what is as it is in the places where a fix would change it.

    A setting is a cause if changing it, and nothing else, makes the network run.
    """
    reasons = [(fix.rank, fix.reason) for fix in fixes if fix.reason]
    about_images = [reason for rank, reason in reasons if rank in (0, 3)]
    about_layers = [reason for rank, reason in reasons if rank not in (0, 3)]
    return " and ".join(about_images[:1] + about_layers[:1])
