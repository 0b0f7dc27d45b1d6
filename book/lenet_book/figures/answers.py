"""Chapter 4: what a network answers, and what speaks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.ticker import PercentFormatter
from torch import Tensor, nn

from lenet_book.figures.drawing import ACCENTS, EDGE, INK, WIDTH, BookFigure, drawn
from lenet_book.wording import share_text


@drawn(logits="K")
def shares(logits: Mapping[str, Tensor], classes: Sequence[str]) -> BookFigure:
    """Draw what the softmax makes of the scores of several networks, the largest share coloured.

    Args:
        logits: By the network's name, its scores for one picture, (K,).
        classes: The K class names.
    """
    figure = BookFigure(WIDTH, 0.26 * len(classes) + 0.8)
    axes = figure.subplots(1, len(logits), sharey=True, squeeze=False)[0]
    for ax, (name, scores) in zip(axes, logits.items(), strict=True):
        values = scores.softmax(dim=0)
        answer = int(values.argmax())
        colours = [ACCENTS[1] if k == answer else EDGE for k in range(len(classes))]
        bars = ax.barh(range(len(classes)), values.tolist(), color=colours)
        texts = [share_text(value) for value in values.tolist()]
        ax.bar_label(bars, texts, padding=3, fontsize=9, color=INK)
        ax.set(title=name, xlim=(0, 1.45), xticks=(0, 0.5, 1))
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(classes)), classes)
    axes[0].invert_yaxis()
    return figure


@drawn(inputs="F")
def contributions(inputs: Tensor, layer: nn.Linear, unit: int, *, num_shown: int = 8) -> BookFigure:
    """Draw one number of a linear layer as the strongest of its products, the rest and the bias.

    Args:
        inputs: float32 (in_features,), what goes into the layer.
        layer: A linear layer with a bias.
        unit: Which of its outputs.
        num_shown: How many products are drawn one by one.
    """
    products = inputs * layer.weight[unit].detach().cpu()
    strongest = products.abs().topk(num_shown).indices
    rest = products.sum() - products[strongest].sum()
    bias = layer.bias[unit].detach().cpu()
    names = [f"input {index}" for index in strongest.tolist()]
    names += [f"the other {len(products) - num_shown}", "bias", "all together"]
    lengths = [*products[strongest].tolist(), rest.item(), bias.item()]
    lengths.append((products.sum() + bias).item())
    colours = [ACCENTS[1] if length > 0 else ACCENTS[0] for length in lengths]
    figure = BookFigure(WIDTH, 0.27 * len(names) + 0.5)
    ax = figure.subplots()
    bars = ax.barh(range(len(names)), lengths, color=colours)
    texts = [f"{length:+.2f}".replace("-", "−") for length in lengths]
    ax.bar_label(bars, texts, padding=4, color=INK)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.axhline(len(names) - 1.5, color=INK, linewidth=0.8, linestyle=":")
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.margins(x=0.16)
    ax.spines["left"].set_visible(False)
    return figure
