"""A trained network as a file: its weights, and what one must know to use them on new images.

The file is an ordinary safetensors file. What there is to know stands in its metadata, as JSON, so
that reading it runs no code.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn

from lenet.atomic import write_atomically

WEIGHTS = Path(__file__).parent / "trained"  # networks that come with the package


def save_weights(
    model: nn.Module, path: str | Path, metadata: dict[str, str] | None = None
) -> None:
    """Save a network's parameters and buffers, and what else is to be known, as a safetensors file.

    Raises:
        OSError: The file cannot be written; what was there before is untouched.
    """
    # Copies, because layers may share a tensor, and a file holds each under its own name.
    copies = {name: t.detach().cpu().clone().contiguous() for name, t in model.state_dict().items()}
    write_atomically(path, save(copies, metadata))


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Load a safetensors file into a network of the same layers; no code in the file is run.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or holds the weights of another network. The network
            keeps the weights it had.

    Example:
        >>> from lenet.models import LeNet5
        >>> network = LeNet5()
        >>> load_weights(network, WEIGHTS / "lenet5_mnist.safetensors")
    """
    try:
        weights = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from error
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    wrong = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
    if wrong:
        name = wrong[0]
        raise ValueError(
            f"{path} holds the weights of another network than {type(model).__name__}: "
            f"{name!r} is {found.get(name, 'missing')} in the file and "
            f"{wanted.get(name, 'missing')} in the network ({len(wrong)} such differences)"
        )
    model.load_state_dict(weights)


@dataclass(frozen=True)
class ModelCard:
    """What a trained network expects and what came of its training.

    Named after the model cards of Mitchell et al. (2019).

    Attributes:
        network: Its class in `lenet.models`, or ``package.module:NAME`` for another.
        dataset: The name its data set was loaded by, such as ``"fashion-mnist"``.
        source: In words, which files these were.
        classes: Class names; logit k is the score of `classes[k]`.
        image_shape: Channels, height and width of the images.
        mean: Mean of each channel that was subtracted from pixels scaled to 0…1, (C,).
        std: Standard deviation of each channel by which they were divided, (C,).
        accuracy: Share of the test images that it classifies correctly, 0…1.
    """

    network: str
    dataset: str
    source: str
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    accuracy: float


def save_trained(model: nn.Module, path: str | Path, card: ModelCard) -> None:
    """Save weights with the card in the file's metadata.

    Raises:
        OSError: The file cannot be written; what was there before is untouched.
    """
    metadata = {key: json.dumps(value, ensure_ascii=False) for key, value in asdict(card).items()}
    save_weights(model, path, metadata)


def read_card(path: str | Path) -> ModelCard:
    """Read the card of a trained network; `lenet.models.load_weights` reads its weights.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, or holds weights without a card.

    Example:
        >>> card = read_card(WEIGHTS / "lenet5_mnist.safetensors")
        >>> card.network, card.image_shape
        ('LeNet5', (1, 28, 28))
    """
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from error
    try:
        found = {key: json.loads(text) for key, text in metadata.items()}
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in found.items()
        }
        return ModelCard(**values)
    except (TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path} holds weights, but does not say which network and data they are for. "
            "Files that `python -m lenet train` has saved do."
        ) from error
