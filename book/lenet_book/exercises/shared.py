"""What checks of several chapters ask of a class, of its `forward`, and of a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from lenet_book.exercises import NotYet, need

SUPER = (
    "`super().__init__()` has to come first in `__init__`: it makes the lists of layers and "
    "parameters."
)
WORDS = {6: "six", 10: "ten"}


def made(kind: type[Any], *arguments: int) -> Any:  # noqa: ANN401 (of a class of the learner's)
    """Make a network of the learner's class.

    Args:
        kind: What should be a class that extends `nn.Module`.
        arguments: What it is made with.
    """
    need(isinstance(kind, type), "Hand over the class itself, without brackets behind it.")
    need(issubclass(kind, nn.Module), "Your class does not extend nn.Module.")
    try:
        network = kind(*arguments)
    except AttributeError as error:
        need("before Module.__init__" not in str(error), SUPER)
        raise
    need("_modules" in vars(network), SUPER)
    return network


def output_of(network: nn.Module, inputs: Tensor, hints: Mapping[str, str]) -> Tensor:
    """Return what the learner's `forward` makes of inputs, or say why it cannot.

    Args:
        network: Of the learner's class.
        inputs: A batch.
        hints: What to say to an error in whose message a text stands; ``{error}`` repeats it.
    """
    try:
        output = network(inputs)
    except NotImplementedError:
        raise NotYet("Your class has no `forward` yet.") from None
    except RuntimeError as error:
        for text, hint in hints.items():
            need(text not in str(error), hint.format(error=error))
        raise
    need(output is not None, "`forward` returns nothing. Is there a return?")
    need(torch.is_tensor(output), f"`forward` returns a {type(output).__name__}, not a tensor.")
    return output


def images_in(figure: Figure, count: int, kind: str = "images") -> list[Axes]:
    """Return the drawing areas that show an image, once there are enough, each with a title."""
    need(
        isinstance(figure, Figure),
        "`figure` should be the first thing that plt.subplots returns; yours is a "
        f"{type(figure).__name__}.",
    )
    drawn = [axes for axes in figure.axes if axes.images]
    need(len(drawn) == count, f"The figure shows {len(drawn)} images, not {WORDS[count]}.")
    need(all(axes.get_title() for axes in drawn), f"Some {kind} have no title: ax.set_title(…).")
    return drawn
