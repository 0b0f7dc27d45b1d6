"""The table of a network: one row for each operation of a forward pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from lenet import checks
from lenet.shapes import kinds, markup, wording
from lenet.shapes.diagnosis import Call, batch_of, dtype_name, works
from lenet.shapes.explanations import Explanation, explain_failure, find_device_mismatch
from lenet.shapes.fixes import SECONDS
from lenet.shapes.formulas import ShapeError
from lenet.shapes.wording import NamedShape, named_shape, shape_text
from lenet.tracing import NOWHERE, Recording, Step, run, tensors_in
from lenet.tracing.torch_calls import rebuilt

BATCH = 3
"""How many images `trace` makes up: an odd number, so that a batch axis which gets lost shows."""

LARGEST_IMAGE = 2**28
"""How many numbers an image that `trace` makes up may have."""

CONVENTION = (
    "Multiply-accumulates (MACs) are counted for one image, in convolutions, linear layers and "
    "matrix products: one for each weight used for each output. All else counts none."
)

Given = Tensor | Sequence[Any] | dict[str, Any]
Types = Iterator[torch.dtype | None]

_MB = 10**6


@dataclass(frozen=True)
class Row:
    """One operation of the table, or the sum of all inside one module.

    Attributes:
        step: what ran: its name, its settings, its place in the code, its parameters.
        operation: the operation with its settings, as it would be written.
        formula: the output size as a formula with its numbers; empty where the size stays.
        note: what PyTorch does when the stride does not divide; else empty.
        input_shape: the shape of the first tensor that goes in; "N" stands for the batch.
        output_shape: the shape of the first tensor that comes out.
        num_macs: multiply-accumulates for one image, without bias.
        num_bias_additions: additions of a bias for one image.
        num_bytes: new memory that the outputs take for one image.
        parameter_share: the part of the network's parameters that are first used here.
        receptive_field: input pixels that one unit depends on, per axis; None when undefined.
        jump: input pixels between neighbouring units, per axis; None when undefined.
    """

    step: Step
    operation: str
    formula: str
    note: str
    input_shape: NamedShape
    output_shape: NamedShape
    num_macs: int
    num_bias_additions: int
    num_bytes: int
    parameter_share: float
    receptive_field: tuple[int, ...] | None
    jump: tuple[int, ...] | None

    @property
    def name(self) -> str:
        """The layer's own name, or the function called."""
        return self.step.name

    @property
    def num_parameters(self) -> int:
        """Parameters first used here."""
        return self.step.num_parameters

    def to_dict(self) -> dict[str, Any]:
        """The row and its step's facts as numbers, strings and tuples."""
        own = {name: value for name, value in vars(self).items() if name != "step"}
        of_step = ("settings", "num_parameters", "num_trainable")
        facts = {n: getattr(self.step, n) for n in of_step} | {"dtype": COLUMNS["dtype"](self)}
        place = {"code": self.step.place.code, "line": self.step.place.line}
        return {"name": self.name, **own, **facts, **place, "place": self.step.place.text}

    def cells(self, columns: Iterable[str]) -> tuple[str, ...]:
        """The row as text, in the order of the columns."""
        return tuple(COLUMNS[name](self) for name in columns)


USUAL_COLUMNS = (
    "name", "operation", "formula", "output shape", "parameters", "MACs", "receptive field", "jump"
)  # fmt: skip

COLUMNS: dict[str, Callable[[Row], str]] = {
    "name": lambda row: row.name,
    "operation": lambda row: row.operation,
    "formula": lambda row: row.formula,
    "code": lambda row: " ".join(row.step.place.code.split()),
    "dtype": lambda row: dtype_name(row.step.output_dtypes[0]),
    "input shape": lambda row: shape_text(row.input_shape),
    "output shape": lambda row: shape_text(row.output_shape),
    "kernel": lambda row: _size(_kernel(row.step)),
    "parameters": lambda row: _count(row.num_parameters),
    "trainable": lambda row: _count(row.step.num_trainable),
    "share": lambda row: f"{row.parameter_share:.1%}" if row.num_parameters else "",
    "MACs": lambda row: _count(row.num_macs),
    "MB": lambda row: f"{row.num_bytes / _MB:.3f}" if row.num_bytes else "",
    "receptive field": lambda row: _size(row.receptive_field),
    "jump": lambda row: _size(row.jump),
}
"""What a table can show of a row; numbers, aligned to the right, come last."""

_NUMBERS = list(COLUMNS)[list(COLUMNS).index("parameters") :]


@dataclass(frozen=True)
class Memory:
    """What a network takes of memory, in bytes.

    Attributes:
        parameters: all parameters.
        buffers: all buffers, such as the running means of batch normalisation.
        forward: the outputs of all operations for one image; training keeps them.
        backward: the gradients of those outputs and of the trainable parameters.
    """

    parameters: int
    buffers: int
    forward: int
    backward: int

    def __str__(self) -> str:
        sizes = (f"{name} {number / _MB:.3f}" for name, number in vars(self).items())
        return f"Memory in MB of 1,000,000 bytes, for one image: {', '.join(sizes)}."


@dataclass(frozen=True)
class ShapeTable:
    """Every operation of one forward pass, and what it cost.

    Attributes:
        model_name: the class of the network.
        input_shapes: the shape of every input; "N" stands for the batch.
        rows: the operations that ran.
        num_parameters: all parameters of the network, each counted once.
        num_unused_parameters: parameters that none of them used.
        explanation: why the pass did not work, or None when it did.
        num_unregistered_parameters: parameters used that the network does not know as its own.
        num_frozen_parameters: parameters that no training changes.
        memory: the sizes of the network and of its outputs.
        class_names: for the dotted name of each module its class.
        blind_spots: what the table cannot see, one sentence each.
        columns: what is shown of each row, names of `COLUMNS`.
        depth: how deep modules are opened and shown one inside the other; None for a flat list.
    """

    model_name: str
    input_shapes: tuple[NamedShape, ...]
    rows: tuple[Row, ...]
    num_parameters: int
    num_unused_parameters: int
    explanation: Explanation | None
    num_unregistered_parameters: int
    num_frozen_parameters: int
    memory: Memory
    class_names: Mapping[str, str]
    blind_spots: tuple[str, ...]
    columns: tuple[str, ...] = USUAL_COLUMNS
    depth: int | None = None

    @property
    def num_macs(self) -> int:
        """Multiply-accumulates for one image, without bias."""
        return sum(row.num_macs for row in self.rows)

    @property
    def num_macs_with_bias(self) -> int:
        """Multiply-accumulates for one image, counting one addition per output for each bias."""
        return self.num_macs + sum(row.num_bias_additions for row in self.rows)

    def show(self, *, columns: Sequence[str] | None = None, depth: int | None = None) -> ShapeTable:
        """The same table, shown otherwise.

        Args:
            columns: what to show of each row, names of `COLUMNS`; as now if None.
            depth: open modules so deep: 1 shows the parts of the network, each with the sum of
                what happens inside; None for a flat list of operations.

        Raises:
            ValueError: there is no such column, or `depth` is below 1.
        """
        shown = self.columns if columns is None else tuple(columns)
        unknown = [name for name in shown if name not in COLUMNS]
        if unknown:
            raise ValueError(f"no column {unknown[0]!r}: choose from {', '.join(COLUMNS)}")
        if depth is not None and not (isinstance(depth, int) and depth > 0):
            raise ValueError(f"depth is {depth}: give 1 for the parts of the network, or more")
        return replace(self, columns=shown, depth=depth)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as dictionaries of numbers, strings and tuples."""
        return [row.to_dict() for row in self.rows]

    def to_markdown(self) -> str:
        """The table in Markdown, with its totals below."""
        cells = [cells for _, cells in self._lines()]
        table = markup.markdown_table(self.columns, cells, _NUMBERS)
        below = "\n".join(f"- {markup.markdown(line)}" for line in self.notes())
        problem = [f"~~~text\n{self.explanation}\n~~~"] if self.explanation else []
        return "\n\n".join([f"**{markup.markdown(self.title)}**", table, below, *problem])

    def __str__(self) -> str:
        text = markup.aligned_text(self.columns, [cells for _, cells in self._lines()], _NUMBERS)
        problem = ["", str(self.explanation)] if self.explanation else []
        return "\n".join([self.title, "", *text, "", *self.notes(), *problem])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        lines = [(row.step.place.code, cells) for row, cells in self._lines()]
        problem = self.explanation.to_html() if self.explanation else ""
        table = markup.table_html(self.title, self.columns, lines)
        return f"{markup.STYLE}{table}{problem}{markup.notes_html(self.notes())}"

    def _lines(self) -> list[tuple[Row, tuple[str, ...]]]:
        """The rows that are shown, with their cells; a module's parts stand below it, indented."""
        rows = self.rows if self.depth is None else _nested(self.rows, self.class_names, self.depth)
        return [(row, row.cells(self.columns)) for row in rows]

    @property
    def title(self) -> str:
        """The network and its input in one line."""
        inputs = ", ".join(map(shape_text, self.input_shapes))
        return f"{self.model_name}, input {inputs}"

    def notes(self) -> Iterator[str]:
        """The lines below the table: totals, the convention, and where PyTorch rounds."""
        if self.num_unused_parameters:
            why = "were not reached" if self.explanation else "are not used in this forward pass"
            yield f"{self.num_unused_parameters:,} of the parameters below {why}."
        frozen = f", {self.num_frozen_parameters:,} of them frozen"
        yield (
            f"{self.num_parameters:,} parameters{frozen if self.num_frozen_parameters else ''}. "
            f"{self.num_macs:,} multiply-accumulates without bias, "
            f"{self.num_macs_with_bias:,} with one addition per output for the bias."
        )
        if self.num_unregistered_parameters:
            yield (
                f"Warning: {self.num_unregistered_parameters:,} parameters more are in layers that "
                "the network does not know as its own, such as those in a plain list: "
                "model.parameters() leaves them out, and no optimizer trains them. Keep the layers "
                "in an nn.ModuleList."
            )
        yield CONVENTION
        if "MB" in self.columns:
            yield str(self.memory)
        yield from self.blind_spots
        for row in self.rows:
            if row.note:
                yield f"{row.name}: {row.note}."


def trace(
    model: nn.Module,
    inputs: Given = (),
    *,
    kwargs: Mapping[str, Any] | None = None,
    dtypes: torch.dtype | Sequence[torch.dtype | None] = (),
    device: torch.device | str = "cpu",
    columns: Sequence[str] = USUAL_COLUMNS,
    depth: int | None = None,
) -> ShapeTable:
    """Make the table of a network: one row for each operation of a forward pass.

    It runs a private copy of the network, on `BATCH` made-up images where shapes are given.

    Args:
        model: any network; it is not changed.
        inputs: the shape of one image without the batch axis, such as ``(1, 28, 28)``; or the
            images; or a sequence of all arguments, with a shape or a tensor for each tensor, in any
            nesting of tuples, lists and dictionaries.
        kwargs: the arguments given by name, alike.
        dtypes: the types of the made-up tensors, in their order; None and the rest stand for the
            type of the network's weights.
        device: where to run the copy; on "meta" nothing is computed, whatever its size.
        columns: what to show of each row, names of `COLUMNS`.
        depth: show modules as one row each, opened so deep; None for a flat list.

    Returns:
        The table; when the shapes do not fit, its rows end before the failing operation and
        `ShapeTable.explanation` says what is wrong.

    Raises:
        ShapeError: `inputs` is not the shape of one image.
        TypeError: `model` is no network.
        ValueError: there is no such column or device, or `depth` is below 1.

    Example:
        >>> table = trace(nn.Sequential(nn.Conv2d(1, 6, 5), nn.MaxPool2d(2)), (1, 28, 28))
        >>> for row in table.rows:
        ...     print(row.formula, row.output_shape)
        ⌊(28 − 5) / 1⌋ + 1 = 24 ('N', 6, 24, 24)
        ⌊(24 − 2) / 2⌋ + 1 = 12 ('N', 6, 12, 12)
    """
    checks.instance("model", model, nn.Module)
    given = (_arguments(inputs, kwargs), dict(kwargs or {}))
    types = iter([dtypes] if isinstance(dtypes, torch.dtype) else dtypes)
    args, named = _made_up(given, model, types)
    if _is_shape(inputs) and not named:
        _check_axes(model, args[0], device)
    return explain(model, args, kwargs=named, device=device).show(columns=columns, depth=depth)


def explain(
    model: nn.Module,
    images: Tensor | Sequence[Any],
    *,
    kwargs: Mapping[str, Any] | None = None,
    keep_tensors: bool = False,
    device: torch.device | str = "cpu",
    seconds: float = SECONDS,
) -> ShapeTable:
    """Make the table of a real call `model(images)`, and explain the call when it fails.

    Args:
        model: any network; it is not changed.
        images: (N, C, H, W) or whatever the call was given; several inputs as a tuple.
        kwargs: what the call was given by name.
        device: where to run the copy.
        keep_tensors: let the rows' steps hold copies of their inputs and outputs.
        seconds: how long to look for fixes where it fails.

    Returns:
        The table; `ShapeTable.explanation` is None when the call works and every image keeps its
        row.

    Raises:
        TypeError: `images` are no tensors, or `model` is no network.

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(1024, 10))
        >>> print(explain(network, torch.zeros(2, 1, 28, 28)).explanation)
        model[1] expects 1024 features, but model[0] gives (N, 784): 784 features.
        Why: ...
    """
    inputs = tuple(images) if isinstance(images, tuple | list) else (images,)
    call = Call(model, inputs, kwargs or {})
    if all(tensor.dim() == 0 for tensor in call.tensors):
        raise TypeError(
            "images must be a tensor, or a tuple of tensors for a network with several inputs: "
            "torch.as_tensor(...) makes one from an array"
        )
    recording = call.run(keep_tensors=keep_tensors, device=device)
    explanation = find_device_mismatch(call) or explain_failure(call, recording, seconds)
    return _table(model, call.tensors, recording, explanation)


def _table(
    model: nn.Module, given: object, recording: Recording, explanation: Explanation | None
) -> ShapeTable:
    """Describe every step of a pass; N stands for the batch, where the first axis is one."""
    batch = None if explanation is not None and explanation.batch_is_wrong else batch_of(given)
    rows, twin = tuple(_rows(recording, batch)), recording.model
    own = [p for p in twin.parameters() if not is_lazy(p)]
    forward = sum(row.num_bytes for row in rows)
    trained = [p for p in own if p.requires_grad]
    return ShapeTable(
        model_name=getattr(twin, "original_name", type(twin).__name__),
        input_shapes=tuple(named_shape(tensor.shape, batch) for tensor in tensors_in(given)),
        rows=rows,
        num_parameters=sum(p.numel() for p in own),
        num_unused_parameters=recording.num_unused_parameters,
        explanation=explanation,
        num_unregistered_parameters=recording.num_unregistered_parameters,
        num_frozen_parameters=sum(p.numel() for p in own if not p.requires_grad),
        memory=Memory(_bytes(own), _bytes(twin.buffers()), forward, forward + _bytes(trained)),
        class_names={name: type(module).__name__ for name, module in twin.named_modules()},
        blind_spots=tuple(_blind_spots(model, recording.steps)),
    )


def _rows(recording: Recording, batch: int | None) -> Iterator[Row]:
    """Describe the steps, each with its share in the work for one image."""
    steps = recording.steps
    windows = [kinds.windows_of(step) for step in steps]
    fields = kinds.receptive_fields(steps, windows)
    total = sum(step.num_parameters for step in steps) + recording.num_unused_parameters
    on_images = kinds.depend_on_input(steps)
    for step, own, field, is_shared in zip(steps, windows, fields, on_images, strict=True):
        # What PyTorch computes unseen has no source: its first axis tells.
        images = batch if is_shared or step.output_shape[:1] == (batch,) else None
        num_macs, num_bias_additions = kinds.work_of(step)
        yield Row(
            step=step,
            operation=wording.describe_operation(step),
            formula=wording.formula_of(step, own),
            note="; ".join(dict.fromkeys(window.note for window in own or () if window.note)),
            input_shape=named_shape(step.input_shapes[0], images),
            output_shape=named_shape(step.output_shape, images),
            num_macs=num_macs // (images or 1),
            num_bias_additions=num_bias_additions // (images or 1),
            num_bytes=step.num_bytes // (images or 1),
            parameter_share=step.num_parameters / (total or 1),
            receptive_field=field.size if field else None,
            jump=field.jump if field else None,
        )


def _nested(
    rows: Iterable[Row], class_names: Mapping[str, str], depth: int, scope: str = "", level: int = 0
) -> Iterator[Row]:
    """Put a row before those of each module, and leave out what is deeper than `depth`."""

    def inner_scope(row: Row) -> str:
        return ".".join(row.step.scope.split(".")[: level + 1])

    for name, group in groupby(rows, inner_scope):
        inside = list(group)
        if name == scope:
            yield from (_indented(row, level) for row in inside)
            continue
        yield _indented(_sum(name, class_names.get(name, ""), inside), level)
        if level + 1 < depth:
            yield from _nested(inside, class_names, depth, name, level + 1)


def _indented(row: Row, level: int) -> Row:
    name = "\N{NO-BREAK SPACE}" * 2 * level + row.name.rpartition(".")[2]
    return replace(row, step=replace(row.step, name=name))


def _sum(name: str, class_name: str, rows: Sequence[Row]) -> Row:
    """Add up the rows of one module; its shapes are those of its first input and last output."""
    sums: dict[str, Any] = {each: sum(getattr(row, each) for row in rows) for each in _SUMS}
    counts: dict[str, Any] = {n: sum(getattr(row.step, n) for row in rows) for n in _COUNTS}
    step = replace(rows[-1].step, name=name, settings={}, place=NOWHERE, module=None, **counts)
    whole = replace(rows[-1], step=step, operation=class_name, formula="", note="", **sums)
    return replace(whole, input_shape=rows[0].input_shape)


_SUMS = ("num_macs", "num_bias_additions", "num_bytes", "parameter_share")
_COUNTS = ("num_parameters", "num_trainable")


def _blind_spots(model: nn.Module, steps: Sequence[Step]) -> Iterator[str]:
    """Say what the table cannot know."""
    if any(tensor.is_meta for tensor in model.parameters()):
        yield "Weights on the meta device have no numbers: zeros stood in for them."
    homes = {step.name: type(step.module).__module__ for step in steps}
    closed = [name for name, home in homes.items() if home.startswith(("torch.ao.", "torch.jit."))]
    if closed:
        yield (
            "TorchScript or quantized, so that their multiply-accumulates and packed weights are "
            f"not seen: {', '.join(closed)}."
        )


def _arguments(inputs: Given, kwargs: Mapping[str, Any] | None) -> tuple[Any, ...]:
    """Read what `trace` is given; refuse what is not the shape of one image."""
    if isinstance(inputs, Tensor | dict) or _is_shape(inputs):
        return (inputs,)
    is_sequence = isinstance(inputs, list | tuple)
    if is_sequence and (kwargs if not inputs else not all(isinstance(n, int) for n in inputs)):
        return tuple(inputs)
    raise ShapeError(
        f"inputs is {inputs!r}: give the shape of one image without the batch axis, such as "
        f"(1, 28, 28), in whole numbers from 1, for {LARGEST_IMAGE:,} numbers at most"
    )


def _is_shape(given: object) -> bool:
    sizes = given if isinstance(given, list | tuple) and given else [0]
    is_plain = all(type(size) is int and size > 0 for size in sizes)
    return is_plain and math.prod(sizes) <= LARGEST_IMAGE


def _check_axes(model: nn.Module, images: Tensor, device: torch.device | str) -> None:
    """Refuse a shape with a batch axis, or without the channels that the network works with."""
    first = next((module for module in model.modules() if isinstance(module, nn.Conv2d)), None)
    if images.dim() == 5:
        right, why = images[:, 0], "has a batch axis: give the shape of one image"
    elif images.dim() == 3 and first is not None:
        right = images[:, None].expand(-1, first.in_channels, -1, -1)
        why = "has no channel axis: give channels, height and width"
    else:
        return

    def fits(given: Tensor) -> bool:
        recording = run(model, given, device=device)
        # A convolution takes three axes for one image, and raises nothing.
        maps = (s.input_shapes[0] for s in recording.steps if isinstance(s.module, nn.Conv2d))
        return any(len(shape) == 4 for shape in maps) if first else works(recording, BATCH)

    if fits(right) and not fits(images):
        came, shape = tuple(images.shape[1:]), tuple(right.shape[1:])
        raise ShapeError(f"inputs is {came}, which {why}, {shape}")


def _made_up(given: Any, model: nn.Module, dtypes: Types) -> Any:  # noqa: ANN401
    """Put tensors in the place of shapes, in nested containers.

    The numbers rise from 0, black, to 1, white; whole numbers, such as words, are all 0 but the
    last.
    """
    if _is_shape(given):
        weight = next((p for p in model.parameters() if p.dtype.is_floating_point), torch.empty(0))
        images = torch.linspace(0, 1, BATCH * math.prod(given)).reshape(BATCH, *given)
        return images.to(weight.device, next(dtypes, None) or weight.dtype)
    return rebuilt(given, lambda item: _made_up(item, model, dtypes))


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(t.numel() * t.element_size() for t in tensors if not is_lazy(t))


def _kernel(step: Step) -> int | Sequence[int]:
    """Find the size of a kernel or window; () where nothing slides."""
    return step.settings.get("kernel_size", kinds.weight_shape(step)[2:])


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _size(size: int | Sequence[int] | None) -> str:
    """Write a size per axis as one number where the axes agree."""
    sizes = (size,) if isinstance(size, int) else size or ()
    return str(sizes[0]) if len(set(sizes)) == 1 else "×".join(map(str, sizes))
