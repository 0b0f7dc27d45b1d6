"""Chapters 6, 8 and 11: losses, how weights find their values, and measurements of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.ticker import MaxNLocator, PercentFormatter
from torch import Tensor

from lenet.train import History
from lenet_book.figures.drawing import ACCENTS, INK, WIDTH, BookFigure, drawn, run_colours


@drawn()
def learning_curves(histories: History | Mapping[str, History]) -> BookFigure:
    """Draw loss and accuracy against the epoch, one colour per run.

    Solid lines are test scores, dashed lines are running scores on the training batches.
    """
    runs = {"": histories} if isinstance(histories, History) else histories
    figure = BookFigure(WIDTH, 3.1)
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    for (name, history), colour in zip(runs.items(), run_colours(len(runs)), strict=True):
        for split, line in (("train", "--"), ("test", "-")):
            scores = [getattr(epoch, split) for epoch in history.epochs]
            numbers = [epoch.number for epoch in history.epochs]
            label = f"{name} {split}".strip()
            style = {"color": colour, "linestyle": line, "marker": "o", "markersize": 3}
            loss_axes.plot(numbers, [score.loss for score in scores], **style)
            accuracy_axes.plot(numbers, [s.accuracy for s in scores], label=label, **style)
    loss_axes.set(title="loss", xlabel="epoch")
    accuracy_axes.set(title="accuracy", xlabel="epoch")
    accuracy_axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    for ax in (loss_axes, accuracy_axes):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(visible=True)
    accuracy_axes.legend(fontsize=8)
    return figure


Curve = Callable[[Tensor], Tensor]


@drawn()
def slope_and_step(
    loss: Curve, weight: float, slope: float, lr: float, span: tuple[float, float]
) -> BookFigure:
    """Draw the loss as a curve over one weight, its slope at that weight, and one update.

    Args:
        loss: Maps weights, float (N,), to losses (N,).
        weight: The weight before the update.
        slope: The loss's slope there: the gradient.
        lr: Learning rate: the update is −lr · slope.
        span: First and last weight on the axis.
    """
    figure = BookFigure(WIDTH, 3.4)
    ax = figure.subplots()
    weights = torch.linspace(*span, 200)
    ax.plot(weights, loss(weights), color=INK, linewidth=2)
    after = weight - lr * slope
    before_loss, after_loss = (float(loss(torch.tensor([w]))) for w in (weight, after))
    reach = 0.16 * (span[1] - span[0])
    ends = torch.tensor([weight - reach, weight + reach])
    ax.plot(ends, before_loss + slope * (ends - weight), color=ACCENTS[1], linewidth=2)
    ax.annotate(
        f"slope {slope:g}".replace("-", "−"),
        (float(ends[1]), before_loss + slope * reach),
        xytext=(6, -3),
        textcoords="offset points",
        color=ACCENTS[1],
    )
    ax.annotate(
        "",
        (after, before_loss),
        xytext=(weight, before_loss),
        arrowprops={"arrowstyle": "-|>", "color": ACCENTS[2], "linewidth": 2, "mutation_scale": 18},
    )
    ax.annotate(
        f"−{lr:g} · ({slope:g}) = {after - weight:+g}".replace("-", "−"),
        (after, before_loss),
        xytext=(8, -3),
        textcoords="offset points",
        color=ACCENTS[2],
    )
    ax.vlines(after, after_loss, before_loss, color=ACCENTS[2], linestyle=":")
    for w, value, side in ((weight, before_loss, "right"), (after, after_loss, "left")):
        ax.plot(w, value, "o", color=ACCENTS[0], markersize=8)
        ax.annotate(
            f"w = {w:g}, loss {value:g}",
            (w, value),
            xytext=(-10 if side == "right" else 10, -3),
            textcoords="offset points",
            ha=side,
            color=ACCENTS[0],
        )
    ax.set(xlabel="weight w", ylabel="loss", xlim=span)
    return figure


@drawn()
def descents(
    loss: Curve, paths: Mapping[str, Sequence[float]], span: tuple[float, float]
) -> BookFigure:
    """Draw several walks of one weight down the same loss curve, each in a panel of its own.

    Args:
        loss: Maps weights, float (N,), to losses (N,).
        paths: By title, the weight before the first update and after each one.
        span: First and last weight on the axis; what leaves it is not drawn.
    """
    rows = math.ceil(len(paths) / 2)
    figure = BookFigure(WIDTH, 2.1 * rows)
    panels = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False).flatten()
    weights = torch.linspace(*span, 200)
    top = float(loss(weights).max())
    for ax, (title, path), colour in zip(panels, paths.items(), ACCENTS, strict=False):
        ax.plot(weights, loss(weights), color=INK, alpha=0.6)
        ax.plot(path, loss(torch.tensor(path)), "o-", color=colour, markersize=4, linewidth=1)
        ax.plot(path[0], float(loss(torch.tensor(path[:1]))), "o", color=colour, markersize=9)
        ax.set(title=title, xlim=span, ylim=(-0.05 * top, top))
    for ax in panels[len(paths) :]:
        ax.axis("off")
    for ax in panels[-2:]:
        ax.set_xlabel("weight w")
    for ax in panels[::2]:
        ax.set_ylabel("loss")
    return figure


@drawn(paths="S2")
def walks(
    loss: Callable[[Tensor, Tensor], Tensor],
    paths: Mapping[str, Tensor],
    span: tuple[tuple[float, float], tuple[float, float]],
) -> BookFigure:
    """Draw walks over a landscape of two weights, seen from above, as on a map.

    Args:
        loss: Maps two grids of weights, each (N, M), to losses (N, M).
        paths: By title, float (steps + 1, 2): the two weights before and after each update.
        span: First and last value on the axis of each weight.
    """
    figure = BookFigure(WIDTH, 1.75 * len(paths))
    panels = figure.subplots(len(paths), 1, sharex=True, squeeze=False)[:, 0]
    first, second = torch.meshgrid(
        *(torch.linspace(*limits, 120) for limits in span), indexing="xy"
    )
    heights = loss(first, second)
    levels = float(heights.max()) * torch.linspace(0, 1, 12) ** 2
    for ax, (title, path), colour in zip(panels, paths.items(), ACCENTS, strict=False):
        ax.contour(first, second, heights, levels=levels[1:], colors=INK, alpha=0.45, linewidths=1)
        ax.plot(path[:, 0], path[:, 1], "o-", color=colour, markersize=3.5, linewidth=1.2)
        ax.plot(path[0, 0], path[0, 1], "o", color=colour, markersize=9)
        ax.plot(0, 0, "*", color=ACCENTS[4], markersize=13)
        ax.set(title=title, ylabel="weight b", xlim=span[0], ylim=span[1])
    panels[-1].set_xlabel("weight a")
    return figure


@drawn()
def batch_losses(
    losses: Mapping[str, Sequence[float]], *, window: int = 1, ceiling: float | None = None
) -> BookFigure:
    """Draw the loss of every batch, in the order of the updates.

    Args:
        losses: By the run's name, one loss per update.
        window: Number of updates over which the thick line averages; 1 for none.
        ceiling: Upper end of the axis; higher losses leave the figure.
    """
    figure = BookFigure(WIDTH, 3.0)
    ax = figure.subplots()
    for (name, values), colour in zip(losses.items(), run_colours(len(losses)), strict=True):
        series = np.asarray(values, dtype=float)
        look = {"alpha": 0.35} if window > 1 else {"label": name}
        ax.plot(np.arange(1, len(series) + 1), series, color=colour, linewidth=0.8, **look)
        if window > 1:
            means = np.convolve(series, np.ones(window) / window, mode="valid")
            updates = np.arange(window, len(series) + 1)
            ax.plot(updates, means, color=colour, linewidth=2, label=name)
    ax.axhline(math.log(10), color=INK, linestyle=":")
    ax.annotate(
        "guessing: ln 10 = 2.30",
        (1, math.log(10)),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),  # above the line: a curve that learns is below
        textcoords="offset points",
        ha="right",
        fontsize=9,
    )
    ax.set(xlabel="update", ylabel="loss of its batch", ylim=(0, ceiling))
    ax.grid(visible=True)
    if len(losses) > 1:
        ax.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=2)
    return figure


@drawn()
def measured(
    groups: Mapping[str, Mapping[object, Sequence[float]]],
    *,
    xlabel: str,
    ylabel: str,
    marked: Iterable[object] = (),
    percent: bool = False,
) -> BookFigure:
    """Draw repeated measurements: every one as a dot, their median as a bar.

    Args:
        groups: By the series' name, the measurements at every value of the x axis.
        xlabel: What varies along the x axis; its values stand side by side, evenly spaced.
        ylabel: What was measured, with its unit.
        marked: Values of the x axis to draw in another colour.
        percent: Whether the measurements are shares, to be labelled in per cent.
    """
    figure = BookFigure(WIDTH, 3.0)
    ax = figure.subplots()
    values = list(dict.fromkeys(value for group in groups.values() for value in group))
    marked = set(marked)
    for index, ((name, group), colour) in enumerate(
        zip(groups.items(), run_colours(len(groups)), strict=True)
    ):
        shift = 0.3 * (index - (len(groups) - 1) / 2)
        for value, numbers in group.items():
            ink = ACCENTS[1] if value in marked else colour
            x = values.index(value) + shift
            aside = 0.08 if len(numbers) > 1 else 0
            scatter = x + np.linspace(-aside, aside, len(numbers))
            ax.plot(scatter, numbers, "o", color=ink, markersize=4, alpha=0.45)
            ax.hlines(float(np.median(numbers)), x - 0.14, x + 0.14, color=ink, linewidth=3)
        ax.plot([], [], color=colour, linewidth=3, label=name)
    ax.set_xticks(range(len(values)), [f"{v:,}" if isinstance(v, int) else str(v) for v in values])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(visible=True, axis="y")
    if percent:
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if len(groups) > 1:
        ax.legend(fontsize=9)
    return figure
