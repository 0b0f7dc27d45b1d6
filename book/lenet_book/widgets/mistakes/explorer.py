"""MistakeExplorer: from a cell of the confusion matrix to its pictures, and into the network."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import traitlets
from torch import Tensor, nn

from lenet import checks
from lenet.shapes import explaining
from lenet.train import EVALUATION_BATCH_SIZE, confusion, predict
from lenet_book.widgets.shared.base import Widget
from lenet_book.widgets.stage.stepper import (
    PICTURES,
    Pixels,
    check_dtype,
    rounded_copy,
    stepper_parts,
)

MOST_CLASSES = 40  # a table of more cannot be read


class MistakeExplorer(Widget):
    """A confusion matrix whose cells show their pictures, and pictures that open in the stepper.

    The network is run on all images when the explorer is made. The page then carries the counts,
    the weights, and of each cell the pictures that the network is surest of.

    Args:
        model: Any network that takes one batch of images and gives a score per class; it is not
            changed.
        images: float32 (N, C, H, W) as the network takes them, or uint8 (N, C, H, W), which `mean`
            and `std` turn into what the network takes.
        labels: The class of every picture, (N,).
        classes: The names of the classes.
        mean: Mean of each channel, pixel values scaled to 0…1: the network takes
            ``(pixel / 255 - mean) / std``.
        std: Standard deviation of each channel, likewise.
        per_cell: How many pictures of a cell are kept.
        dtype: `torch.float32`, or `torch.float16` to halve the weights in the page; the weights are
            rounded to it before anything is computed, the counts included.

    Attributes:
        cell: The chosen cell, as (true class, answered class). The most frequent mistake at first.
        picked: The picture in the stepper, as its place among `images`; None for none.

    Raises:
        ShapeError: The network cannot take the pictures; the message explains why.
        ValueError: Arguments do not fit together, or the network's scores are no numbers.
    """

    front_end = Path(__file__).with_suffix(".js")

    cell = traitlets.List(traitlets.Int()).tag(sync=True)
    picked = traitlets.Int(None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Sequence[int] | Tensor,
        classes: Sequence[str] | None = None,
        *,
        mean: Sequence[float] | Tensor = (0.0,),
        std: Sequence[float] | Tensor = (1.0,),
        per_cell: int = 6,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        truth = _checked(images, labels, per_cell, dtype)
        shares = _shares(rounded_copy(model, dtype), images, truth, mean, std)
        _check_classes(truth, shares.shape[1], classes)
        answers = shares.argmax(dim=1)
        counts = confusion(shares, truth)
        kept = _surest_of_each_cell(truth, answers, shares.amax(dim=1), per_cell)
        meta, arrays = stepper_parts(
            model,
            images[kept],
            truth[kept],
            classes,
            mean=mean,
            std=std,
            draw=False,
            dtype=dtype,
        )
        own = {
            "places": kept.int(),
            "answers": answers[kept].int(),
            "shares": torch.stack([shares[kept, answers[kept]], shares[kept, truth[kept]]], dim=1),
        }
        pictures = arrays.pop("pictures")
        super().__init__(
            {**meta, "counts": counts.tolist(), "poster": _poster(counts, meta["classes"])},
            {**arrays, **own, "pictures": pictures},
            cell=_most_frequent_mistake(counts),
        )
        self._cell_of = {
            place: [true, answer]
            for place, true, answer in zip(
                kept.tolist(), truth[kept].tolist(), answers[kept].tolist(), strict=True
            )
        }

    @property
    def counts(self) -> Tensor:
        """The confusion matrix, int64 (K, K): rows are true classes, columns answered ones."""
        return torch.tensor(self.meta["counts"], dtype=torch.int64)

    @property
    def shown(self) -> list[int]:
        """The places among all images of the chosen cell's pictures, the surest answer first."""
        return [place for place, cell in self._cell_of.items() if cell == self.cell]

    @traitlets.validate("cell")
    def _check_cell(self, proposal: dict[str, Any]) -> list[int]:
        cell: list[int] = proposal["value"]
        num_classes = len(self.meta["counts"])
        if len(cell) != 2 or not all(0 <= number < num_classes for number in cell):
            raise traitlets.TraitError(
                f"cell is {cell}; it must be two class numbers from 0 to {num_classes - 1}: the "
                "true class, then the answered one"
            )
        return cell

    @traitlets.validate("picked")
    def _check_picked(self, proposal: dict[str, Any]) -> int | None:
        picked: int | None = proposal["value"]
        if picked is not None and picked not in self._cell_of:
            raise traitlets.TraitError(
                f"picture {picked} is not in the explorer, which keeps the surest of each cell "
                "only: choose one of `shown`, or make an explorer with a larger per_cell"
            )
        return picked

    @traitlets.observe("cell")
    def _close_pictures_of_other_cells(self, _: object) -> None:
        if self.picked is not None and self._cell_of[self.picked] != self.cell:
            self.picked = None

    @traitlets.observe("picked")
    def _show_the_cell_of_the_picture(self, _: object) -> None:
        if self.picked is not None:
            self.cell = self._cell_of[self.picked]

    def __repr__(self) -> str:
        total = int(self.counts.sum())
        wrong = total - int(self.counts.trace())
        return f"MistakeExplorer({self.meta['model']}, {total:,} pictures, {wrong:,} wrong)"


def _checked(
    images: Tensor, labels: Sequence[int] | Tensor, per_cell: int, dtype: torch.dtype
) -> Tensor:
    """Return the labels as int64 (N,) on the CPU, once they and the images can be used."""
    check_dtype(dtype)
    checks.whole_number("per_cell", per_cell, 1)
    checks.tensor("images", images, "NCHW", *PICTURES)
    return checks.labels(labels, len(images)).cpu()


def _check_classes(truth: Tensor, num_classes: int, classes: Sequence[str] | None) -> None:
    if classes is not None and len(classes) != num_classes:
        raise ValueError(f"there are {len(classes)} class names for {num_classes} outputs")
    if num_classes > MOST_CLASSES:
        raise ValueError(
            f"there are {num_classes} classes; the table can be read with at most {MOST_CLASSES}"
        )
    checks.labels(truth, len(truth), num_classes)


def _shares(
    model: nn.Module,
    images: Tensor,
    truth: Tensor,
    mean: Sequence[float] | Tensor,
    std: Sequence[float] | Tensor,
) -> Tensor:
    """Run a network on all pictures and return the share of every class, (N, K)."""
    parts = images.split(EVALUATION_BATCH_SIZE), truth.split(EVALUATION_BATCH_SIZE)
    batches = (
        (Pixels(pixels, mean, std).normalised, labels)
        for pixels, labels in zip(*parts, strict=True)
    )
    with explaining(model):
        scores, _ = predict(model, batches)
    if not scores.isfinite().all():
        raise ValueError("some of the network's scores are infinite or not a number")
    are_shares = (scores >= 0).all() and torch.allclose(scores.sum(dim=1), torch.ones(len(scores)))
    return scores if are_shares else scores.softmax(dim=1)


def _surest_of_each_cell(truth: Tensor, answers: Tensor, sureness: Tensor, per_cell: int) -> Tensor:
    """Return places of pictures, cell by cell, in each the surest answer first."""
    order = np.lexsort((-sureness.numpy(), answers.numpy(), truth.numpy()))
    cells = torch.stack([truth, answers], dim=1)[order]
    _, sizes = torch.unique_consecutive(cells, dim=0, return_counts=True)
    ranks = torch.cat([torch.arange(int(size)) for size in sizes])
    return torch.as_tensor(order)[ranks < per_cell]


def _poster(counts: Tensor, classes: Sequence[str]) -> str:
    """Say what is named right and what is mistaken most, for pages without scripts."""
    truth, answer = _most_frequent_mistake(counts)
    right, total = int(counts.trace()), int(counts.sum())
    names = f"{classes[truth]}, called {classes[answer]}"
    worst = f" Its most frequent mistake: {names}, {counts[truth, answer]:,} times."
    sentence = f"The network names {right:,} of {total:,} pictures right."
    return f"<p>{html.escape(sentence + (worst if right < total else ''))}</p>"


def _most_frequent_mistake(counts: Tensor) -> list[int]:
    """Return the largest cell off the diagonal, or the largest of all when nothing is wrong."""
    wrong = counts - counts.diagonal().diag()
    largest = int((wrong if wrong.any() else counts).argmax())
    return list(divmod(largest, len(counts)))
