"""ForwardStepper: walk through a network's forward pass, one operation at a time."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import traitlets
from torch import Tensor, nn

from lenet import checks, shapes, tracing
from lenet.shapes import Row, ShapeError
from lenet_book.widgets.shared.base import Widget
from lenet_book.widgets.stage.backward.digits import packed_digits
from lenet_book.widgets.stage.backward.reference import Reference, mark_frozen
from lenet_book.widgets.stage.poster import poster_of
from lenet_book.widgets.stage.program import Program, program_of
from lenet_book.widgets.stage.source import find_source

PICTURES = (torch.uint8, torch.float32, torch.float64, torch.float16, torch.bfloat16)


class ForwardStepper(Widget):
    """A forward pass to walk through: every operation, and how each number came about.

    All operations are computed in the browser, from the network's weights; what the browser cannot
    compute is shown with the activations that PyTorch recorded.

    From the answer the walk goes on, back through the gradients, to a step of gradient descent.
    While a kernel runs, PyTorch's own loss and gradients stand beside those of the page.

    Args:
        model: Any network that takes one batch of images; it is not changed.
        images: The pictures to choose from: float32 (N, C, H, W) as the network takes them, or
            uint8 (N, C, H, W), which `mean` and `std` turn into what the network takes. A single
            picture may come without the batch axis.
        labels: The class of every picture, shown beside it.
        classes: The names of the network's outputs.
        mean: Mean of each channel, pixel values scaled to 0…1: the network takes
            ``(pixel / 255 - mean) / std``.
        std: Standard deviation of each channel, likewise.
        draw: Offer a pad to draw a picture on. It appears when every operation can be computed in
            the browser, else the reason.
        dtype: `torch.float32`, or `torch.float16` to halve the size of the page; the weights are
            then rounded to it before anything is computed.
        step: The step to begin with.
        lessons: Begin where the network is taught, with digits to learn from and to see what it
            knows: it takes one square channel and has ten classes.

    Attributes:
        step: 0 for the picture, then the number of the operation; the softmax that turns scores
            into shares comes last.
        picked: The unit that is explained, as its index in the step's output: (channel, row,
            column), or (feature,); empty for the one that the widget chooses.
        sample: Which picture is shown; -1 for a drawn one, -2 for a picture of the reader's own
            that the page was given, by upload, drop, paste or camera.

    Raises:
        ShapeError: The network cannot take the pictures; the message explains why.
        TypeError: The model is no network, or the images are no tensor.
        ValueError: Arguments make no sense, or do not fit together.

    Example:
        >>> from lenet.models import NarrowLeNet
        >>> ForwardStepper(NarrowLeNet(), torch.rand(3, 1, 28, 28), draw=True)
        ForwardStepper(NarrowLeNet, 3 pictures, step 0 of 13)
    """

    front_end = Path(__file__).with_suffix(".js")

    step = traitlets.Int(0).tag(sync=True)
    picked = traitlets.List(traitlets.Int()).tag(sync=True)
    sample = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Sequence[int] | Tensor | None = None,
        classes: Sequence[str] | None = None,
        *,
        mean: Sequence[float] | Tensor = (0.0,),
        std: Sequence[float] | Tensor = (1.0,),
        draw: bool = False,
        dtype: torch.dtype = torch.float32,
        step: int = 0,
        lessons: bool = False,
    ) -> None:
        meta, arrays = stepper_parts(
            model, images, labels, classes, mean=mean, std=std, draw=draw, dtype=dtype
        )
        if lessons:
            _check_takes_digits(meta)
            meta["digits"] = packed_digits()
        super().__init__(meta, arrays, step=step)
        self.on_msg(Reference(rounded_copy(model, dtype), meta["steps"], arrays).answer)

    @traitlets.validate("step")
    def _keep_step_in_range(self, proposal: dict[str, Any]) -> int:
        return int(min(max(proposal["value"], 0), len(self.meta["steps"]) - 1))

    @traitlets.validate("picked")
    def _check_picked(self, proposal: dict[str, Any]) -> list[int]:
        picked: list[int] = proposal["value"]
        shape = self.meta["steps"][self.step]["shape"]
        if picked and not _is_unit(picked, shape):
            raise traitlets.TraitError(f"picked is {picked}; step {self.step} has shape {shape}")
        return picked

    @traitlets.validate("sample")
    def _check_sample(self, proposal: dict[str, Any]) -> int:
        sample: int = proposal["value"]
        num_pictures = self.meta["arrays"][-1]["shape"][0]
        if not -2 <= sample < num_pictures:
            raise traitlets.TraitError(
                f"sample is {sample}; the pictures are 0 to {num_pictures - 1}, the drawn one is "
                "-1, one that the reader brought is -2"
            )
        return sample

    @traitlets.observe("step")
    def _forget_units_that_are_not_there(self, _: object) -> None:
        if self.picked and not _is_unit(self.picked, self.meta["steps"][self.step]["shape"]):
            self.picked = []

    def __repr__(self) -> str:
        num_pictures = self.meta["arrays"][-1]["shape"][0]
        pictures = "1 picture" if num_pictures == 1 else f"{num_pictures} pictures"
        last = len(self.meta["steps"]) - 1
        return f"ForwardStepper({self.meta['model']}, {pictures}, step {self.step} of {last})"


def stepper_parts(
    model: nn.Module,
    images: Tensor,
    labels: Sequence[int] | Tensor | None,
    classes: Sequence[str] | None,
    *,
    mean: Sequence[float] | Tensor,
    std: Sequence[float] | Tensor,
    draw: bool,
    dtype: torch.dtype,
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Make what the stepper's front end needs: its `meta` and its arrays, the pictures last.

    The arguments are those of `ForwardStepper`, and so are the errors.
    """
    check_dtype(dtype)
    checks.instance("model", model, nn.Module)
    if isinstance(images, Tensor) and images.dim() == 3:
        images = images.unsqueeze(0)
    pixels = Pixels(images, mean, std)
    twin = rounded_copy(model, dtype)
    rows = rows_of(twin, pixels.normalised)
    steps = [row.step for row in rows]
    program = program_of(steps, pixels.normalised, dtype)
    listings, spots = find_source(model, steps)
    described = [
        {**instruction, **_describe(row), "name": name, "place": spot.to_json()}
        for instruction, row, name, spot in zip(
            program.instructions[1:], rows, names_of(rows), spots, strict=True
        )
    ]
    program.instructions[1:] = described
    program.instructions[0] |= {"name": "input", "operation": "the picture"}
    mark_frozen(twin, program, steps)
    _add_softmax(program)
    names = _class_names(classes, program)
    truth = None if labels is None else checks.labels(labels, len(images), len(names)).tolist()
    meta = {
        "model": type(model).__name__,
        "steps": program.instructions,
        "listings": [vars(listing) for listing in listings],
        "classes": names,
        "labels": truth,
        "mean": pixels.mean.flatten().tolist(),
        "std": pixels.std.flatten().tolist(),
        "draw": draw,
    }
    meta["poster"] = _first_state(meta, pixels, [row.step.output for row in rows])
    return meta, {**program.arrays, "pictures": pixels.stored}


def _first_state(meta: dict[str, Any], pixels: Pixels, outputs: Sequence[Tensor | None]) -> str:
    """Write the poster of the first picture; a softmax that is added stands in no recording."""
    steps = [
        (str(step["name"]), output[0] if output.dim() > 1 else output)
        for step, output in zip(meta["steps"][1:], outputs, strict=False)
        if output is not None and not output.is_complex()
    ]
    if meta["steps"][-1].get("added"):
        steps.append(("softmax", steps[-1][1].softmax(0)))
    picture = pixels.normalised[0] * pixels.std + pixels.mean
    return poster_of(meta["model"], picture, steps, meta["classes"])


class Pixels:
    """Pictures as they are stored, and as the network takes them.

    Raises:
        TypeError: The images are no tensor.
        ValueError: They have another type or shape, there are none, they hold what is not a
            number, or `mean` and `std` do not fit them.
    """

    def __init__(
        self, images: Tensor, mean: Sequence[float] | Tensor, std: Sequence[float] | Tensor
    ) -> None:
        checks.tensor("images", images, "NCHW", *PICTURES)
        checks.scaling(mean, std, images.shape[1])
        if not images.isfinite().all():
            raise ValueError("the images hold numbers that are infinite or not a number (NaN)")
        self.mean, self.std = (
            torch.as_tensor(values, dtype=torch.float32).reshape(-1, 1, 1) for values in (mean, std)
        )
        images = images.detach().cpu()
        if images.dtype == torch.uint8:
            self.stored = images.contiguous()
            self.normalised = (images.float() / 255 - self.mean) / self.std
        else:
            self.stored = self.normalised = images.float().contiguous()


def check_dtype(dtype: object) -> None:
    """Refuse a type in which weights are not stored."""
    if dtype not in (torch.float16, torch.float32):
        raise ValueError(f"dtype is {dtype}; it must be torch.float32 or torch.float16")


def rounded_copy(model: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Copy a network, its weights rounded to `dtype` and then single precision again."""
    twin = tracing.private_copy(model)
    for parameter in twin.parameters():
        rounded = parameter.data.to(dtype)
        if not torch.isfinite(rounded).all() and torch.isfinite(parameter.data).all():
            raise ValueError("a weight is too large for torch.float16: use dtype=torch.float32")
        parameter.data = rounded.float()
    return twin.float()


def rows_of(model: nn.Module, images: Tensor) -> tuple[Row, ...]:
    """Trace a network in one pass: the rows of its table, whose steps hold their tensors.

    Raises:
        ShapeError: the network cannot take the images; the message explains why.
    """
    table = shapes.explain(model, images, keep_tensors=True)
    if table.explanation is not None:
        raise ShapeError(str(table.explanation))
    if not table.rows:
        raise ValueError(f"{type(model).__name__} has no operation that could be shown")
    return table.rows


def names_of(rows: Sequence[Row]) -> list[str]:
    """Name the steps as one speaks of them: layers by their names, functions with a number.

    The calls of ``relu`` become relu1, relu2, ... in their order, those of ``max_pool2d`` pool1,
    pool2, ...; what is called once has no number.
    """
    taken = {row.name for row in rows if row.step.module is not None}
    spoken = [
        None if row.step.module is not None else _SPOKEN.get(row.name, row.name.strip("_"))
        for row in rows
    ]
    names = {
        word: _numbered(word, taken) if spoken.count(word) > 1 or word in taken else iter([word])
        for word in spoken
        if word is not None
    }
    return [
        row.name if word is None else next(names[word])
        for row, word in zip(rows, spoken, strict=True)
    ]


def _numbered(word: str, taken: Collection[str]) -> Iterator[str]:
    names = (f"{word}{number}" for number in itertools.count(1))
    return (name for name in names if name not in taken)


_POOLS = ("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d")
_SPOKEN = dict.fromkeys(_POOLS, "pool")


def _describe(row: Row) -> dict[str, Any]:
    """What stands beside a step: its row of the shape table."""
    return {
        "operation": row.operation,
        "formula": row.formula,
        "note": row.note,
        "numParameters": row.num_parameters,
        "numMacs": row.num_macs,
        "field": list(row.receptive_field) if row.receptive_field else None,
        "jump": list(row.jump) if row.jump else None,
        "code": row.step.place.code,
    }


def _add_softmax(program: Program) -> None:
    """Let the scores be followed by their shares, unless the network does that itself."""
    last = program.instructions[-1]
    if last["kind"] == "softmax" or len(last["shape"]) != 1 or last["shape"][0] < 2:
        return
    program.instructions.append(
        {
            "kind": "softmax",
            "inputs": [len(program.instructions) - 1],
            "shape": last["shape"],
            "name": "softmax",
            "operation": "softmax(dim=1)",
            "note": "not part of the network: it turns the scores into shares that add up to 1",
            "added": True,
        }
    )


def _class_names(classes: Sequence[str] | None, program: Program) -> list[str]:
    shape = program.instructions[-1]["shape"]
    if len(shape) != 1:
        return []
    if classes is None:
        return [str(number) for number in range(shape[0])]
    if len(classes) != shape[0]:
        raise ValueError(f"there are {len(classes)} class names for {shape[0]} outputs")
    return [str(name) for name in classes]


def _check_takes_digits(meta: dict[str, Any]) -> None:
    channels, *size = meta["steps"][0]["shape"]
    if channels != 1 or size[0] != size[1] or len(meta["classes"]) != 10:
        raise ValueError(
            "lessons are digits in one square channel, of ten classes; the network takes pictures "
            f"of shape {meta['steps'][0]['shape']} and has {len(meta['classes'])} classes"
        )


def _is_unit(picked: Sequence[int], shape: Sequence[int]) -> bool:
    return len(picked) == len(shape) and all(
        0 <= place < size for place, size in zip(picked, shape, strict=True)
    )
