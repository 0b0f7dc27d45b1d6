"""The table of a network: one row for each operation of a forward pass."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lenet import tracing
from lenet.shapes.explanations import Explanation, explain_failure, find_device_mismatch
from lenet.shapes.formulas import Field, ShapeError, Windows
from lenet.shapes.kinds import (
    depend_on_input,
    num_bias_additions,
    num_macs,
    receptive_fields,
    windows_of,
)
from lenet.shapes.markup import STYLE, notes_html, table_html
from lenet.shapes.wording import NamedShape, describe_operation, formula_of, named_shape, shape_text
from lenet.tracing import Recording, Step, tensors_in

CONVENTION = (
    "Multiply-accumulates (MACs) are counted for one image, in convolutions, linear layers and "
    "matrix products: one for each weight used for each output. All else counts none."
)

_HEADINGS = (
    "name", "operation", "formula", "output shape", "parameters", "MACs", "receptive field", "jump"
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One operation of the table.

    Attributes:
        step: what ran: its name, its settings, its place in the code, its parameters.
        operation: the operation with its settings, as it would be written.
        formula: the output size as a formula with its numbers; empty where the size stays.
        note: what PyTorch does when the stride does not divide; else empty.
        output_shape: the shape of the first tensor that comes out; "N" stands for the batch.
        num_macs: multiply-accumulates for one image, without bias.
        num_bias_additions: additions of a bias for one image.
        receptive_field: input pixels that one unit depends on, per axis; None when undefined.
        jump: input pixels between neighbouring units, per axis; None when undefined.
    """

    step: Step
    operation: str
    formula: str
    note: str
    output_shape: NamedShape
    num_macs: int
    num_bias_additions: int
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
        return {
            "name": self.name,
            **own,
            "settings": dict(self.step.settings),
            "num_parameters": self.num_parameters,
            "code": self.step.place.code,
            "line": self.step.place.line,
            "place": self.step.place.text,
        }

    def cells(self) -> tuple[str, ...]:
        """The row as text, in the order of the table's headings."""
        return (
            self.name,
            self.operation,
            self.formula,
            shape_text(self.output_shape),
            _count(self.num_parameters),
            _count(self.num_macs),
            _size(self.receptive_field),
            _size(self.jump),
        )


@dataclass(frozen=True)
class ShapeTable:
    """Every operation of one forward pass, and what it cost.

    Attributes:
        model_name: the class of the network.
        input_shapes: the shape of every input; "N" stands for the batch.
        rows: the operations that ran.
        num_unused_parameters: parameters that none of them used.
        explanation: why the pass did not work, or None when it did.
    """

    model_name: str
    input_shapes: tuple[NamedShape, ...]
    rows: tuple[Row, ...]
    num_unused_parameters: int
    explanation: Explanation | None

    @property
    def num_parameters(self) -> int:
        """All parameters of the network, each counted once."""
        return sum(row.num_parameters for row in self.rows) + self.num_unused_parameters

    @property
    def num_macs(self) -> int:
        """Multiply-accumulates for one image, without bias."""
        return sum(row.num_macs for row in self.rows)

    @property
    def num_macs_with_bias(self) -> int:
        """Multiply-accumulates for one image, counting one addition per output for each bias."""
        return self.num_macs + sum(row.num_bias_additions for row in self.rows)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as dictionaries of numbers, strings and tuples."""
        return [row.to_dict() for row in self.rows]

    def to_markdown(self) -> str:
        """The table in Markdown, with its totals below."""
        lines: list[tuple[str, ...]] = [_HEADINGS, ("---",) * 4 + ("--:",) * 4]
        lines += [tuple(map(_markdown, row.cells())) for row in self.rows]
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        below = "\n".join(f"- {_markdown(line)}" for line in self.notes())
        parts = [f"**{_markdown(self.title)}**", table, below]
        if self.explanation is not None:
            parts.append(f"~~~text\n{self.explanation}\n~~~")
        return "\n\n".join(parts)

    def __str__(self) -> str:
        lines: list[tuple[str, ...]] = [_HEADINGS, *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = [_aligned(line, widths) for line in lines]
        text.insert(1, "─" * max(map(len, text)))
        parts = [self.title, "", *text, "", *self.notes()]
        if self.explanation is not None:
            parts += ["", str(self.explanation)]
        return "\n".join(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [(row.step.place.code, row.cells()) for row in self.rows]
        problem = "" if self.explanation is None else self.explanation.to_html()
        table = table_html(self.title, _HEADINGS, rows)
        return f"{STYLE}{table}{problem}{notes_html(self.notes())}"

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
        yield (
            f"{self.num_parameters:,} parameters. {self.num_macs:,} multiply-accumulates without "
            f"bias, {self.num_macs_with_bias:,} with one addition per output for the bias."
        )
        yield CONVENTION
        for row in self.rows:
            if row.note:
                yield f"{row.name}: {row.note}."


def trace(model: nn.Module, input_shape: Sequence[int]) -> ShapeTable:
    """Make the table of a network: one row for each operation of a forward pass.

    Two made-up images run through a private copy of the network, so that a batch axis which gets
    lost on the way shows.

    Args:
        model: any network that takes one tensor; it is not changed.
        input_shape: the shape of one image without the batch axis, such as ``(1, 28, 28)``.

    Returns:
        The table; when the shapes do not fit, its rows end before the failing operation and
        `ShapeTable.explanation` says what is wrong.

    Raises:
        ShapeError: `input_shape` is not the shape of one image.

    Example:
        >>> table = trace(nn.Sequential(nn.Conv2d(1, 6, 5), nn.MaxPool2d(2)), (1, 28, 28))
        >>> for row in table.rows:
        ...     print(row.formula, row.output_shape)
        ⌊(28 − 5) / 1⌋ + 1 = 24 ('N', 6, 24, 24)
        ⌊(24 − 2) / 2⌋ + 1 = 12 ('N', 6, 12, 12)
    """
    shape = _checked_shape(input_shape)
    table = explain(model, _made_up_images(model, shape))
    if table.explanation is not None and len(shape) == 4:
        without_batch = explain(model, _made_up_images(model, shape[1:]))
        if without_batch.explanation is None:
            raise ShapeError(
                f"input_shape is {shape}, which has a batch axis: give the shape of one image, "
                f"{shape[1:]}"
            )
    return table


def explain(
    model: nn.Module, images: Tensor | Sequence[Tensor], *, keep_tensors: bool = False
) -> ShapeTable:
    """Make the table of a real call `model(images)`, and explain the call when it fails.

    Args:
        model: any network; it is not changed.
        images: (N, C, H, W) or whatever the call was given; several inputs as a tuple.
        keep_tensors: let the rows' steps hold copies of their inputs and outputs.

    Returns:
        The table; `ShapeTable.explanation` is None when the call works and every image keeps its
        row.

    Raises:
        TypeError: `images` are no tensors.

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(1024, 10))
        >>> print(explain(network, torch.zeros(2, 1, 28, 28)).explanation)
        model[1] expects 1024 features, but model[0] gives (N, 784): 784 features.
        Why: ...
    """
    inputs = (images,) if isinstance(images, Tensor) else tuple(images)
    if not inputs or not all(isinstance(image, Tensor) and image.dim() for image in inputs):
        raise TypeError(
            "images must be a tensor, or a tuple of tensors for a network with several inputs: "
            "torch.as_tensor(...) makes one from an array"
        )
    recording = tracing.run(model, inputs, keep_tensors=keep_tensors)
    explanation = find_device_mismatch(model, inputs) or explain_failure(model, inputs, recording)
    return _table(model, inputs, recording, explanation)


def _table(
    model: nn.Module,
    inputs: Sequence[Tensor],
    recording: Recording,
    explanation: Explanation | None,
) -> ShapeTable:
    """Describe every step of a pass; N stands for the batch, where the first axis is one."""
    batch = None if explanation is not None and explanation.batch_is_wrong else len(inputs[0])
    steps = recording.steps
    windows = [windows_of(step) for step in steps]
    seen = receptive_fields(steps, windows)
    shares = [(batch or 1) if each else 1 for each in depend_on_input(steps)]
    rows = (
        _row(*parts, named_shape(parts[0].output_shape, batch))
        for parts in zip(steps, windows, seen, shares, strict=True)
    )
    return ShapeTable(
        model_name=type(model).__name__,
        input_shapes=tuple(named_shape(image.shape, batch) for image in inputs),
        rows=tuple(rows),
        num_unused_parameters=recording.num_unused_parameters,
        explanation=explanation,
    )


@contextmanager
def explaining(model: nn.Module) -> Iterator[None]:
    """Turn an error of `model(images)` inside a ``with`` block into its explanation.

    Only errors that the shapes, types or devices of the images explain are changed.

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
    calls: list[tuple[Any, ...]] = []
    handle = model.register_forward_pre_hook(lambda _, inputs: calls.append(inputs))
    try:
        yield
    except (AssertionError, IndexError, RuntimeError, TypeError, ValueError) as error:
        explanation = _explain_last(model, calls)
        if explanation is None:
            raise
        raise ShapeError(str(explanation)) from error
    finally:
        handle.remove()


def _explain_last(model: nn.Module, calls: Sequence[tuple[Any, ...]]) -> Explanation | None:
    inputs = tuple(tensors_in(calls[-1])) if calls else ()
    return explain(model, inputs).explanation if inputs else None


def _checked_shape(input_shape: Sequence[int]) -> tuple[int, ...]:
    """Refuse what is not the shape of one image, and say what to give."""
    example = "give the shape of one image without the batch axis, such as (1, 28, 28)"
    if isinstance(input_shape, int | str | Tensor):
        raise ShapeError(f"input_shape is {input_shape!r}: {example}")
    shape = tuple(input_shape)
    if any(isinstance(size, tuple | list) for size in shape):
        raise ShapeError(
            f"input_shape is {shape}, several shapes: {example}, and for a network with several "
            "inputs call explain(model, (first, second)) with tensors"
        )
    if not shape or not all(isinstance(size, int) and size > 0 for size in shape):
        raise ShapeError(f"input_shape is {shape}: {example}, in whole numbers from 1")
    return shape


def _made_up_images(model: nn.Module, shape: tuple[int, ...]) -> Tensor:
    """Make two images (2, *shape) of the type of the model's weights, from black to white."""
    images = torch.linspace(0, 1, 2 * math.prod(shape)).reshape(2, *shape)
    weights = (p for p in model.parameters() if p.is_floating_point())
    return images.to(next(weights, images).dtype)


def _row(
    step: Step, windows: Windows | None, field: Field | None, num_images: int, shape: NamedShape
) -> Row:
    """Describe one step; its work is shared by `num_images`."""
    notes = dict.fromkeys(window.note for window in windows or () if window.note)
    return Row(
        step=step,
        operation=describe_operation(step),
        formula=formula_of(step, windows),
        note="; ".join(notes),
        output_shape=shape,
        num_macs=num_macs(step) // num_images,
        num_bias_additions=num_bias_additions(step) // num_images,
        receptive_field=field.size if field else None,
        jump=field.jump if field else None,
    )


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _size(size: Sequence[int] | None) -> str:
    """Write a size per axis as one number where the axes agree."""
    if size is None:
        return ""
    return str(size[0]) if len(set(size)) == 1 else "×".join(map(str, size))


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    text = [cell.ljust(width) for cell, width in zip(cells[:4], widths[:4], strict=True)]
    numbers = [cell.rjust(width) for cell, width in zip(cells[4:], widths[4:], strict=True)]
    return "  ".join(text + numbers).rstrip()


def _markdown(text: str) -> str:
    """Keep text from being read as Markdown or HTML."""
    for mark in "\\`*_|[]<>":
        text = text.replace(mark, f"\\{mark}" if mark not in "<>" else html.escape(mark))
    return " ".join(text.split())
