"""Changes that make shapes fit: found by trying them.

Every fix is one change to a layer, a call or the images (with what has to follow it), and was
executed: the changed network ran from end to end and gave every image its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from lenet import tracing
from lenet.shapes import changes as candidates
from lenet.shapes.changes import Change
from lenet.shapes.diagnosis import Problem, diagnose, works
from lenet.shapes.kinds import has_windows, num_macs
from lenet.tracing import Recording, Step

MAX_FIXES = 5
_MAX_CHAIN = 4  # changes that have to go together
_LUCK = 6  # the rank of a change that only makes a product come out right


@dataclass(frozen=True)
class Fix:
    """Changes that were made together, and with which the network ran from end to end."""

    changes: tuple[Change, ...]
    rank: int = field(default=0, repr=False)

    @property
    def text(self) -> str:
        """The changes in words."""
        return " and ".join(change.text for change in self.changes)

    @property
    def reason(self) -> str:
        """What is now, as a cause: of the last change that has one."""
        return next((change.reason for change in reversed(self.changes) if change.reason), "")

    @property
    def code(self) -> str:
        """The lines that make the changes; empty when there is no line to write."""
        return "\n".join(change.code for change in self.changes if change.code)

    @property
    def lines(self) -> list[str]:
        """The lines of code that say more than the words: none for other images."""
        says_more = all(change.images is None for change in self.changes)
        return self.code.splitlines() if says_more else []


def run_with(model: nn.Module, inputs: Sequence[Tensor], changes: Sequence[Change]) -> Recording:
    """Run a private copy of `model` with `changes` made to it, to its calls or to its images."""
    settings: dict[str, dict[str, Any]] = {}
    arguments: dict[tuple[int, str], dict[str, Any]] = {}
    for change in changes:
        if change.layer is not None:
            settings.setdefault(change.layer, {}).update(change.settings)
        if change.call is not None:
            arguments.setdefault(change.call, {}).update(change.settings)
        if change.images is not None:
            inputs = (change.images, *inputs[1:])
    layers = {name: _rebuild(model.get_submodule(name), new) for name, new in settings.items()}
    for change in changes:
        if change.layer is not None and change.flattens:
            layers[change.layer].register_forward_pre_hook(_flatten_input)
    return tracing.run(model, inputs, layers=layers, arguments=arguments)


def attempt(model: nn.Module, inputs: Sequence[Tensor], changes: Sequence[Change]) -> Recording:
    """Run with changes; a layer that cannot even be built is a failure like any other."""
    try:
        return run_with(model, inputs, changes)
    except (RuntimeError, TypeError, ValueError, AttributeError) as error:
        return Recording([], None, tracing.Failure(error), model, 0)


def _rebuild(layer: nn.Module, changes: dict[str, Any]) -> nn.Module:
    """Make a layer like `layer` with other settings; its weights' values do not matter."""
    constructor: Callable[..., nn.Module] = type(layer)
    settings = tracing.layer_settings(layer) | changes
    weight = next(layer.parameters(), None)
    if weight is None:
        return constructor(**settings)
    return nn.utils.skip_init(constructor, dtype=weight.dtype, **settings)


def _flatten_input(layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (inputs[0].flatten(start_dim=1), *inputs[1:])


def find_fixes(
    model: nn.Module, inputs: Sequence[Tensor], recording: Recording, problem: Problem
) -> tuple[Fix, ...]:
    """Try changes to a network, its calls and its images until enough of them work.

    The number of runs is limited by their cost, so that a large network is explained in seconds.

    Returns:
        Up to `MAX_FIXES` fixes, the likeliest first.
    """
    return _Search(model, inputs, recording, problem).fixes()


@dataclass(frozen=True)
class _Family:
    """Changes of which one is enough, tried in order.

    Attributes:
        rank: the fix's place in the answer; fixes of rank 0 make all others pointless, those of
            rank `_LUCK` are sought when there are no others.
        changes: the candidates.
        limit: the number of fixes wanted from all families of this rank.
    """

    rank: int
    changes: Iterable[Change]
    limit: int = 1


class _Search:
    """One search, with the runs it may still make."""

    def __init__(
        self, model: nn.Module, inputs: Sequence[Tensor], recording: Recording, problem: Problem
    ) -> None:
        self._model = model
        self._take(inputs, recording, problem)
        macs = sum(map(num_macs, recording.steps))
        self._runs_left = max(12, min(400, 10**10 // (macs + 1)))

    def fixes(self) -> tuple[Fix, ...]:
        """Take the first change that works from every family."""
        found: list[Fix] = []
        for family in self._families():
            same_rank = sum(fix.rank == family.rank for fix in found)
            if len(found) == MAX_FIXES or any(fix.rank == 0 for fix in found):
                break
            if found and family.rank == _LUCK:
                break
            fix = self._first(family) if same_rank < family.limit else None
            if fix is not None:
                found.append(fix)
        found += self._padded(found)
        return tuple(sorted(found, key=lambda fix: fix.rank))

    def _padded(self, found: Sequence[Fix]) -> Iterator[Fix]:
        """Where the maps have to be flattened, keep the features and pad the images instead."""
        for fix in found:
            flatten, *followers = fix.changes
            if not flatten.flattens or not followers:
                continue
            for index, step in self._windows():
                pairs = ((flatten, c) for c in candidates.setting_changes(index, step, "padding"))
                works_together = next(filter(self._runs, pairs), None)
                if works_together:
                    yield Fix(works_together, 1)
                    return

    def _windows(self) -> list[tuple[int, Step]]:
        return [(i, step) for i, step in enumerate(self._steps) if has_windows(step)]

    def _runs(self, changes: Sequence[Change]) -> bool:
        """Try changes of the network that belong together."""
        if self._runs_left <= 0:
            return False
        self._runs_left -= 1
        return works(attempt(self._model, self._inputs, changes), len(self._inputs[0]))

    def _families(self) -> Iterator[_Family]:
        weights = (p.dtype for p in self._model.parameters() if p.is_floating_point())
        dtype = next(weights, torch.get_default_dtype())
        yield _Family(0, candidates.layout_changes(self._inputs[0], dtype))
        yield _Family(3, candidates.colour_changes(self._inputs[0]))
        self._take_fewer_images()
        problem, steps, images = self._problem, self._steps, self._inputs[0]
        yield _Family(0, candidates.flatten_changes(problem, steps, len(images)))
        yield _Family(2, filter(None, [candidates.own_change(problem)]))
        yield _Family(2, candidates.reshape_changes(steps, len(images)))
        by_luck = candidates.is_product(problem, steps)
        if not by_luck:
            yield _Family(4, candidates.width_changes(problem, steps))
        if problem.kind in ("type", "axes", "channels"):
            return
        windows = self._windows()
        for index, step in windows:
            yield _Family(1, candidates.setting_changes(index, step, "padding"), limit=2)
        yield _Family(3, candidates.size_changes(images))
        for setting in ("kernel_size", "stride", "output_size"):
            for index, step in windows:
                yield _Family(5, candidates.setting_changes(index, step, setting), limit=2)
        if by_luck:
            yield _Family(_LUCK, candidates.width_changes(problem, steps))

    def _take(self, inputs: Sequence[Tensor], recording: Recording, problem: Problem) -> None:
        """Search from here."""
        self._inputs = inputs
        self._problem = problem
        failed = [problem.step] if problem.step is not None else []
        self._steps = [*recording.steps[: problem.index], *failed]

    def _take_fewer_images(self) -> None:
        """Search with two images of a batch, if they show the same problem."""
        few = tuple(tensor[:2] for tensor in self._inputs)
        recording = attempt(self._model, few, ())
        problem = diagnose(few, recording)
        if problem is not None and problem.index == self._problem.index and len(few[0]) == 2:
            self._take(few, recording, problem)

    def _first(self, family: _Family) -> Fix | None:
        for change in family.changes:
            changes = self._completed(change)
            if changes:
                return Fix(changes, family.rank)
        return None

    def _completed(self, change: Change) -> tuple[Change, ...]:
        """Make a change, and what has to follow it, until the network runs; () if it does not."""
        changes = [change]
        while self._runs_left > 0 and len(changes) <= _MAX_CHAIN:
            self._runs_left -= 1
            images = change.images if change.images is not None else self._inputs[0]
            recording = attempt(self._model, self._inputs, changes)
            if works(recording, len(images)):
                return tuple(changes)
            problem = diagnose((images, *self._inputs[1:]), recording)
            follower = candidates.own_change(problem) if change.leads_on and problem else None
            if follower is None or any(follower.target == made.target for made in changes):
                return ()
            changes.append(follower)
        return ()
