"""What checks of several chapters ask of a class, of its `forward`, a loader and a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.utils.data import DataLoader

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


def check_loader(
    name: str, loader: DataLoader[Any], num_images: int, batch_size: int, kind: str = "images"
) -> None:
    """Check that a loader hands out the right pictures, as tensors, in batches of a size.

    Args:
        name: Which it is: ``"training"`` or ``"test"``.
        loader: The learner's.
        num_images: How many pictures there are.
        batch_size: What was asked for.
        kind: What the chapter calls its pictures.
    """
    need(
        isinstance(loader, DataLoader),
        f"The {name} loader is a {type(loader).__name__}, not a DataLoader.",
    )
    size = len(loader.dataset)  # type: ignore[arg-type]
    need(
        size == num_images,
        f"The {name} loader holds {size:,} {kind}; there are {num_images:,} {name} {kind}. "
        "Look at train=True and train=False.",
    )
    need(
        loader.batch_size == batch_size,
        f"The {name} loader makes batches of {loader.batch_size}, not of {batch_size}.",
    )
    need(
        torch.is_tensor(loader.dataset[0][0]),
        f"The {name} {kind} are no tensors yet: the data set needs a transform with ToTensor.",
    )
