"""Trained networks by the name of their weights, as it is written on the command line."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from torch import nn

from lenet.commands import book_networks, load_network
from lenet.data import ImageData, load
from lenet.data.finding import expanded
from lenet.data.published_files import PUBLISHED
from lenet.models import WEIGHTS, load_weights
from lenet.models.weights import ModelCard, read_card

DATASETS = f"{', '.join(PUBLISHED)}, or a folder with a folder of pictures for each class"


def add_weights(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a trained network."""
    weights = (
        "a file that `python -m lenet train` has saved, or the name of weights that come with the "
        f"package: {', '.join(shipped())}"
    )
    parser.add_argument("weights", type=weights_file, metavar="WEIGHTS", help=weights)
    network = (
        "the network that the weights are for, where their file does not say, or says that it is "
        "one of your own (package.module:NAME)"
    )
    parser.add_argument("--network", type=load_network, metavar="NAME", help=network)


def shipped() -> list[str]:
    """Return the names of the weights that come with the package."""
    return sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))


def weights_file(name: str) -> Path:
    """Find the file of weights that a name on the command line stands for.

    Raises:
        argparse.ArgumentTypeError: There is no such file.
    """
    for path in (expanded(name), WEIGHTS / f"{name}.safetensors"):
        if path.is_file():
            return path
    raise argparse.ArgumentTypeError(
        f"there is no file {name!r}; the package comes with the weights {', '.join(shipped())}"
    )


def load_trained(
    path: Path, network: nn.Module | None, dataset: str | None
) -> tuple[nn.Module, ModelCard]:
    """Load a trained network, and what it expects.

    Args:
        path: The file of its weights.
        network: The network to load them into; by default the one that the file names.
        dataset: The data set that it was trained on, in case that the file does not say.

    Raises:
        ValueError: The file is damaged, is for another network, or does not say enough.
        DataError: The data set's files cannot be used.
    """
    try:
        card = read_card(path)
    except ValueError as error:
        if network is None or dataset is None:
            raise ValueError(
                f"{error} Of others, name the network (--network) and its data set as well."
            ) from error
        card = card_for(type(network).__name__, load(dataset), accuracy=math.nan)
    if network is None:
        if card.network not in book_networks():  # a file must not choose which code is run
            raise ValueError(
                f"{path.name} is for {card.network}, which is not of this book. "
                f"If you trust that code, add: --network {card.network}"
            )
        network = load_network(card.network)
    load_weights(network, path)
    return network.eval(), card


def card_for(network: str, data: ImageData, accuracy: float) -> ModelCard:
    """Describe a network by its name and the data set that it was trained on."""
    channels, height, width = data.train.images.shape[1:]
    return ModelCard(
        network=network,
        dataset=data.name,
        source=data.source,
        classes=data.classes,
        image_shape=(channels, height, width),
        mean=data.mean,
        std=data.std,
        accuracy=accuracy,
    )
