"""Changes that make shapes fit: found by trying them.

Every fix is an edit of the user's source, or a statement where that is not the user's, and was
executed: the changed network ran from end to end and gave every image its row.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from lenet import tracing
from lenet.shapes import changes as candidates
from lenet.shapes import edits as writing
from lenet.shapes.changes import Change
from lenet.shapes.diagnosis import Call, Problem, batch_of, diagnose, loses_batch
from lenet.shapes.edits import Edit
from lenet.shapes.kinds import has_windows, kind_of
from lenet.shapes.wording import layer_code, layer_path
from lenet.tracing import Recording, Step

SECONDS = 2.0
"""How long a search may compute, if it is not told otherwise."""

MAX_FIXES = 5
_IMAGES = "images = "  # how a statement begins that other images are made by
_MAX_CHAIN = 4  # changes that have to go together
_LUCK = 6  # the rank of a change that only makes a product come out right


@dataclass(frozen=True)
class Fix:
    """Changes that were made together, and with which the network ran from end to end.

    Attributes:
        text: the changes in words.
        edits: what changes in the user's files.
        statements: lines to run where the source is not the user's to edit: what is done to the
            network when it is made, ``model.fc = nn.Linear(512, 10)``, and before the call,
            ``images = images.unsqueeze(1)``.
        reason: what is now, as a cause: of the last change that has one.
        rank: its place among others.
        moves_batch: the first axis of the images is the batch only with it.
    """

    text: str
    edits: tuple[Edit, ...] = ()
    statements: tuple[str, ...] = ()
    reason: str = field(default="", repr=False)
    rank: int = field(default=0, repr=False)
    moves_batch: bool = field(default=False, repr=False)

    @property
    def lines(self) -> list[str]:
        """The code as it stands afterwards; of other images the words say it."""
        statements = [line for line in self.statements if not line.startswith(_IMAGES)]
        return [*writing.lines_after(self.edits), *statements]


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        fixes: the likeliest first.
        tried: what was tried, in words: ``another padding``.
        untried: what there was no time for.
    """

    fixes: tuple[Fix, ...]
    tried: tuple[str, ...] = ()
    untried: tuple[str, ...] = ()


def find_fixes(call: Call, recording: Recording, problem: Problem, seconds: float) -> Found:
    """Try changes to a network, its calls and its images until enough of them work.

    Args:
        call: the call that does not work.
        recording: its pass.
        problem: what is wrong with it.
        seconds: the time that the search may compute.
    """
    return _Search(call, recording, problem, seconds).run()


@dataclass(frozen=True)
class _Plan:
    """How changes are made: what is printed, and what does the same to a private copy."""

    call: Call
    changes: Sequence[Change]
    edits: tuple[Edit, ...]
    statements: tuple[str, ...]
    additions: tuple[str, ...]

    def run(self) -> Recording:
        """Run the changed call; what cannot even be made is a failure like any other."""
        try:
            return self.call.run(prepare=self._prepare)
        except Exception as error:
            return Recording([], None, tracing.Failure(error), self.call.model, 0)

    def _prepare(self, twin: nn.Module) -> nn.Module:
        """Change a private copy; its new weights are zeros."""
        writing.rewritten(twin, self.edits)
        space: dict[str, Any] = {"model": twin, "nn": nn, "torch": torch}
        with torch.device("meta"):
            exec("\n".join(self.additions), space)
        return tracing.private_copy(space["model"]) if self.additions else twin


def _planned(call: Call, changes: Sequence[Change]) -> _Plan:
    """Write changes as edits or statements."""
    edits = [edit for change in changes for edit in change.edits]
    additions = [line for change in changes for line in change.additions]
    statements = []
    for change in changes:
        if change.images:
            images = eval(change.images, {"images": call.args[0], "torch": torch})
            call = replace(call, args=(images, *call.args[1:]))
            statements.append(f"{_IMAGES}{change.images}")
    for name in dict.fromkeys(change.layer for change in changes if change.layer is not None):
        own = [change for change in changes if change.layer == name]
        settings = {key: value for change in own for key, value in change.settings.items()}
        whole = replace(own[0], settings=settings, front="".join(change.front for change in own))
        made, lines = _edited_layer(call.model, name, whole)
        edits, additions = edits + made, additions + lines
        statements += [] if made else lines
    once = tuple(dict.fromkeys(edits))
    return _Plan(call, changes, once, tuple(statements), tuple(additions))


def _size(plan: _Plan) -> int:
    """Count the numbers that go in."""
    return sum(tensor.numel() for tensor in plan.call.tensors) or 1


def _edited_layer(model: nn.Module, name: str, change: Change) -> tuple[list[Edit], list[str]]:
    """Edit the call that makes a layer, and write the lines that exchange what it has made.

    Returns:
        The edits, none where the call is not the user's to edit; the lines.
    """
    modules = dict(model.named_modules())
    path = name if name in modules else ""  # the model itself is the layer
    find = writing.own_expression if change.front else writing.layer_expression
    call, names = find(model, path), writing.parameters_of(modules[path])
    with suppress(LookupError):
        if call is not None and not change.alone:
            edits = [writing.put_before(model, path, call, change.front)] if change.front else []
            given, settings = call.arguments(names), dict(change.settings)
            if change.instead is not None and settings:  # of which it has others
                whole = call.renamed(layer_code(change.instead, settings)).new
                edits, settings = [call.replaced(whole)], {}
            elif change.instead is not None:  # whose sizes have other axes
                edits.append(call.renamed(change.instead.__name__))
                now = tracing.layer_settings(modules[path])
                settings |= {n: now[n] for n, e in given.items() if isinstance(e.node, ast.Tuple)}
            edits += call.with_arguments(names, settings)
            alike = writing.layers_made_by(model, call, path, settings)
            return edits, [_layer_statement(model, each, change, given) for each in alike]
    return [], [_layer_statement(model, path, change)]


def _layer_statement(
    model: nn.Module, path: str, change: Change, given: Iterable[str] | None = None
) -> str:
    """Write the line that exchanges one layer: ``model.fc = nn.Linear(512, 10)``.

    The layer keeps those of its settings that are `given`, or else all.
    """
    layer = model.get_submodule(path)
    made = target = layer_path(path)
    if change.settings or change.instead:
        now = tracing.layer_settings(layer)
        kept = {name: now[name] for name in (now if given is None else given) if name in now}
        made = f"nn.{layer_code(change.instead or type(layer), {**kept, **change.settings})}"
        dtype = next((p.dtype for p in layer.parameters()), torch.float32)
        made += "" if dtype is torch.float32 else f".to({dtype})"
    return f"{target} = {f'nn.Sequential(nn.{change.front}, {made})' if change.front else made}"


@dataclass(frozen=True)
class _Family:
    """Changes of which one is enough, tried in order.

    Attributes:
        rank: the fix's place in the answer; fixes of rank 0 make all others pointless, those of
            rank `_LUCK` are sought when there are no others.
        words: what they are called together.
        changes: the candidates.
        limit: the number of fixes wanted from all families of this rank.
    """

    rank: int
    words: str
    changes: Iterable[Change]
    limit: int = 1


_RANKS = {"padding": 1, "output_padding": 1, "output_size": 2, "kernel_size": 5, "stride": 5}


class _Search:
    """One search, with the time that it may take."""

    def __init__(self, call: Call, recording: Recording, problem: Problem, seconds: float) -> None:
        self._deadline = time.thread_time() + seconds
        self._seconds_per_square = 0.0  # of numbers that go in
        self._tried: dict[str, bool] = {}  # and whether there was time for all
        self._take(call, recording, problem)

    def run(self) -> Found:
        """Take the first change that works from every family."""
        found: list[Fix] = []
        for family in self._families():
            enough = len(found) >= MAX_FIXES or any(fix.rank == 0 for fix in found)
            if enough or (found and family.rank == _LUCK):
                break
            if sum(fix.rank == family.rank for fix in found) < family.limit:
                known = [(fix.edits, fix.statements) for fix in found]
                found += [f for f in self._first(family) if (f.edits, f.statements) not in known]
        tried = [words for words, in_time in self._tried.items() if in_time]
        untried = tuple(words for words in self._tried if words not in tried)
        return Found(tuple(sorted(found, key=lambda fix: fix.rank)), tuple(tried), untried)

    def _families(self) -> Iterator[_Family]:
        images = self._call.args[0] if self._call.args else None
        if isinstance(images, Tensor):
            weights = (p.dtype for p in self._call.model.parameters() if p.is_floating_point())
            dtype = next(weights, torch.get_default_dtype())
            layouts = candidates.layout_changes(images, dtype, self._steps)
            yield _Family(0, "other layouts of the images", layouts)
            yield _Family(3, "images of other colours", candidates.colour_changes(images))
            self._take_fewer_images(images)
        if self._problem.kind == "rows":  # for which no other layer helps
            yield _Family(0, "fewer rows", self._operands())
            return
        yield from self._other_axes(images)
        yield from self._other_numbers(images)

    def _operands(self) -> list[Change]:
        return [*candidates.operand_changes(self._call.model, self._problem, self._steps)]

    def _other_axes(self, images: object) -> Iterator[_Family]:
        """Other axes between layers: flattened, turned, added or left out."""
        problem, steps, model = self._problem, self._steps, self._call.model
        operands, batch = self._operands(), batch_of(self._call.tensors)
        yield _Family(0, "layers for other axes", candidates.axes_changes(steps, batch))
        kept = candidates.kept_changes(steps)
        wrong = candidates.call_changes(filter(candidates.flattens_wrong_axes, steps))
        flattening = [*kept, *(change for change in operands if change.flattens), *wrong]
        yield _Family(0, "flattening", flattening)
        others = [change for change in operands if not change.flattens]
        rows = list(candidates.row_changes(images, steps)) if isinstance(images, Tensor) else []
        yield _Family(1, "images as rows", rows)
        yield _Family(int(bool(rows)), "other layouts between layers", others, limit=2)
        lost = list(self._suspects(batch))
        yield _Family(1, "other sizes in views", candidates.view_changes(lost))
        if problem.kind in ("features", "channels"):  # what turns axes does not change a size
            lost = [s for s in lost if s.operation not in candidates.TURNS]
        yield _Family(0, "batch_first=True", candidates.transformer_changes(model, lost))
        yield _Family(0, "other masks", candidates.padding_changes(problem))
        rank = 0 if problem.kind in ("batch", "order") else 2
        yield _Family(rank, "other axes in calls", candidates.call_changes(lost))

    def _suspects(self, batch: int) -> Iterator[Step]:
        """Find the steps that may work along a wrong axis: of joins, all but those of channels."""
        for step in self._steps:
            if kind_of(step).formula == "join":
                is_suspect = step.settings.get("dim") != 1 or len(step.input_shapes[0]) < 4
            else:
                is_suspect = step is self._problem.step or loses_batch(step, batch)
            if is_suspect:
                yield step

    def _other_numbers(self, images: object) -> Iterator[_Family]:
        """Other sizes and widths of layers, and images of other sizes."""
        problem, steps = self._problem, self._steps
        shortcuts = candidates.shortcut_changes(self._call.model, problem, steps)
        yield _Family(1, "a convolution on the shortcut", shortcuts)
        yield _Family(2, "other sizes of the layer", candidates.own_changes(problem))
        by_luck = candidates.is_product(problem, steps)
        widths = candidates.width_changes(problem, steps)
        last = [_Family(_LUCK if by_luck else 4, "other widths", widths)]
        sizes = self._other_sizes(images) if candidates.sizes_matter(problem, steps) else []
        yield from [*sizes, *last] if by_luck else [*last, *sizes]

    def _other_sizes(self, images: object) -> list[_Family]:
        """Windows and images of other sizes."""
        windows = [step for step in self._steps if has_windows(step)]
        if self._problem.kind == "size":  # of the failing layer, most likely
            windows.reverse()
        families = [
            _Family(rank, f"another {setting}", candidates.setting_changes(step, setting), limit=2)
            for setting, rank in _RANKS.items()
            for step in windows
        ]
        if isinstance(images, Tensor) and (windows or images.dim() > 3):
            others = candidates.size_changes(images, self._problem, self._steps)
            is_small = self._problem.kind == "size"  # too small for a window, most likely
            behind = 0 if is_small else sum(family.rank < 3 for family in families)
            larger, smaller = (candidates.map_changes(self._problem, c) for c in (False, True))
            families[behind:behind] = [
                _Family(4, "larger maps", larger, limit=2),
                _Family(4, "cropped maps", smaller, limit=2),
                _Family(3, "images of other sizes", others),
            ]
        return families

    def _take(self, call: Call, recording: Recording, problem: Problem) -> None:
        """Search from here."""
        self._call, self._problem = call, problem
        failed = [problem.step] if problem.step is not None else []
        self._steps = [*recording.steps[: problem.index], *failed]

    def _take_fewer_images(self, images: Tensor) -> None:
        """Search with three images of a batch, if they show the same problem."""
        few = replace(self._call, args=(images[:3],))
        if len(self._call.tensors) == len(self._call.args) == 1 and self._call.then is None:
            recording = few.run()
            problem = diagnose(few.args, recording)
            if problem is not None and problem.index == self._problem.index:
                self._take(few, recording, problem)

    def _first(self, family: _Family) -> Iterator[Fix]:
        """Find the first change that works, and where maps have to be flattened a second way."""
        alone = list(family.changes)
        chains = [*((c, 1) for c in alone), *((c, _MAX_CHAIN) for c in alone if c.leads_on)]
        for change, longest in chains:
            self._tried[family.words] = self._has_time()
            for plan in self._plans(change) if self._has_time() else ():
                if not self._has_time(plan):
                    self._tried[family.words] = False
                elif done := self._completed(plan, longest):
                    yield self._fix(done, family.rank)
                    if change.flattens and len(done.changes) > 1:
                        yield from self._padded(change)
                    return
            if not self._tried[family.words]:
                return

    def _plans(self, change: Change) -> Iterator[_Plan]:
        """Change all layers that one call makes, or else the one."""
        yield (plan := _planned(self._call, [change]))
        if change.layer is not None and len(plan.additions) > 1:
            yield _planned(self._call, [replace(change, alone=True)])

    def _has_time(self, plan: _Plan | None = None) -> bool:
        """Tell whether there is time for a run; attention takes the square of the images' size."""
        left = self._deadline - time.thread_time()
        grows = plan is not None and any(change.images for change in plan.changes)
        size = _size(plan) if plan is not None and grows else 0
        return left > max(0, self._seconds_per_square * size**2)

    def _padded(self, flatten: Change) -> Iterator[Fix]:
        """Keep the features behind a flatten, and pad the maps instead."""
        for step in filter(has_windows, self._steps):
            for change in candidates.setting_changes(step, "padding"):
                plan = _planned(self._call, [flatten, change]) if self._has_time() else None
                if plan is not None and (done := self._completed(plan, 2)):
                    yield self._fix(done, 1)
                    return

    def _fix(self, plan: _Plan, rank: int) -> Fix:
        text = " and ".join(change.text for change in plan.changes)
        reason = next((each.reason for each in reversed(plan.changes) if each.reason), "")
        pairs = zip(self._call.tensors, plan.call.tensors, strict=False)
        moves_batch = any(before.dim() != after.dim() for before, after in pairs)
        return Fix(text, plan.edits, plan.statements, reason, rank, moves_batch)

    def _completed(self, plan: _Plan, longest: int) -> _Plan | None:
        """Make changes, and what has to follow them, until the network runs, or else give up."""
        changes, start = plan.changes, time.thread_time()
        recording = plan.run()
        self._seconds_per_square = (time.thread_time() - start) / _size(plan) ** 2
        problem = diagnose(plan.call.args, recording)
        if problem is None:
            return None if self._fits_by_luck(recording) else plan
        problem = _as_named_before(problem, changes)
        steps = [*recording.steps, *([problem.step] if problem.step else [])]
        followers = candidates.followers(plan.call.model, problem, steps, changes[-1])
        follower = next(followers, None) if len(changes) < longest else None
        if follower is None or any(follower.target == made.target for made in changes):
            return None
        return self._completed(_planned(self._call, [*changes, follower]), longest)

    def _fits_by_luck(self, recording: Recording) -> bool:
        """Tell whether operands that did not go together now do so by being repeated."""
        failed = self._problem.step
        if failed is None or self._problem.kind != "operands":
            return False
        adds = kind_of(failed).pointwise and kind_of(failed).formula != "join"
        again = [step.input_shapes for step in recording.steps if step.place == failed.place]
        ones = [1 in sizes for sizes in zip(*failed.input_shapes, strict=False)]  # repeated anyhow
        repeats = any(
            len(set(sizes)) > 1 and not was_one
            for shapes in again
            for sizes, was_one in list(zip(zip(*shapes, strict=False), ones, strict=False))[1:]
        )
        return adds and repeats and len({len(shape) for shape in failed.input_shapes}) == 1


def _as_named_before(problem: Problem, changes: Sequence[Change]) -> Problem:
    """Name a layer behind one that was put before it as it was named before."""
    named = {f"{change.layer}.1": change.layer for change in changes if change.front}
    if problem.step and (name := named.get(problem.step.name)):
        return replace(problem, step=replace(problem.step, name=name))
    return problem
