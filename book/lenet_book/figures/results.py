"""Chapters 8 and 10: classes mistaken for others, and what probabilities are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from torch import Tensor

from lenet_book.figures.drawing import ACCENTS, EDGE, INK, SIGNED_MAP, WIDTH, BookFigure, drawn

Bin = tuple[int, float, float]  # number of answers, their mean probability, share that is right


@drawn(counts="KK")
def confusion(counts: Tensor, classes: Sequence[str]) -> BookFigure:
    """Draw a confusion matrix, coloured by shares of its rows: right in blue, mistakes in red.

    Args:
        counts: int64 (K, K), rows are true classes, columns answered ones.
        classes: The K class names.

    Raises:
        ValueError: There is not one row and one column for each class.
    """
    size = len(classes)
    if counts.shape != (size, size):
        raise ValueError(
            f"counts must be ({size}, {size}), a row and a column for each class, "
            f"not {tuple(counts.shape)}"
        )
    figure = BookFigure(WIDTH, 0.36 * size + 1.4)
    ax = figure.subplots()
    colours = _row_colours(counts.numpy())
    ax.imshow(np.ma.masked_equal(colours, 0), cmap=SIGNED_MAP, vmin=-1, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts.numpy()):
        ink = INK if not count else "white" if abs(colours[row, column]) > 0.6 else "black"
        ax.text(column, row, f"{count:,}" if count else "·", ha="center", va="center", color=ink)
    ax.set_xticks(range(size), classes, rotation=90)
    ax.set_yticks(range(size), classes)
    ax.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    ax.set(xlabel="what the network says", ylabel="what it is")
    ax.xaxis.set_label_position("top")
    ax.spines[:].set_visible(False)
    return figure


def _row_colours(counts: np.ndarray) -> np.ndarray:
    """Return -1 for a row's right answers in full, 1 for the most frequent kind of mistake."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right = np.diag(np.diag(shares))
    wrong = shares - right
    strengths: np.ndarray = (wrong / (wrong.max() or 1)) ** 0.75 - right  # small shares show, too
    return strengths


@drawn()
def class_scores(scores: Mapping[str, Tensor], classes: Sequence[str]) -> BookFigure:
    """Draw scores of every class, such as recall and precision, as dots on one line per class.

    Args:
        scores: By name, a share from 0 to 1 for each class, (K,); NaN where there is none.
        classes: The K class names.
    """
    figure = BookFigure(WIDTH, 0.3 * len(classes) + 0.9)
    ax = figure.subplots()
    places = np.arange(len(classes))
    table = np.stack([values.cpu().double().numpy() for values in scores.values()])
    ax.hlines(places, np.nanmin(table, axis=0), np.nanmax(table, axis=0), color=EDGE, linewidth=3)
    for (name, _), values, colour, mark in zip(
        scores.items(), table, ACCENTS, "osD^vP", strict=False
    ):
        ax.plot(values, places, mark, color=colour, markersize=7, label=name)
    ax.set_yticks(places, classes)
    ax.invert_yaxis()
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(visible=True)
    ax.tick_params(axis="y", length=0)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(scores))
    return figure


@drawn()
def reliability(bins: Mapping[str, Sequence[Bin]]) -> BookFigure:
    """Draw reliability diagrams: how often answers of about the same probability are right.

    A network whose probabilities can be believed lies on the diagonal; below it, the network is
    surer than it should be.

    Args:
        bins: By the network's name, for each group of answers: how many there are, the mean of
            their probabilities, and the share that is right. Empty groups are left out.
    """
    figure = BookFigure(WIDTH, 3.9)
    panels = figure.subplots(2, len(bins), height_ratios=(3, 1), sharex=True, squeeze=False)
    for index, (name, groups) in enumerate(bins.items()):
        _draw_reliability(panels[0, index], panels[1, index], groups)
        panels[0, index].set_title(name)
        panels[1, index].set_xlabel("probability of the answer")
    panels[0, 0].set_ylabel("share that is right")
    panels[1, 0].set_ylabel("answers")
    return figure


def _draw_reliability(above: Axes, below: Axes, groups: Sequence[Bin]) -> None:
    counts, probabilities, right = (np.array(column) for column in zip(*groups, strict=True))
    above.plot([0, 1], [0, 1], color=INK, linestyle=":")
    above.vlines(probabilities, right, probabilities, color=ACCENTS[1], linewidth=3, alpha=0.6)
    above.plot(probabilities, right, "o-", color=ACCENTS[0], markersize=5)
    below.bar(probabilities, counts, width=0.05, color=EDGE)
    above.set(xlim=(0, 1.03), ylim=(0, 1.03))
    for ax in (above, below):
        ax.grid(visible=True)
    for axis in (above.xaxis, above.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
