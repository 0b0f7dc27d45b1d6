"""A trained network as a file: its weights, and what one must know to use them on new images.

The file is an ordinary safetensors file. What there is to know stands in its metadata, as JSON, so
that reading it runs no code; so does the SHA-256 checksum of the file itself, so that damage is
noticed. Equal weights make equal files, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from lenet import __version__, checks
from lenet.atomic import read_whole, write_atomically

WEIGHTS = Path(__file__).parent / "trained"  # networks that come with the package
NO_CHECKSUM_YET = "SHA-256 of this file with this text in the checksum's place".ljust(64)


def pack(tensors: dict[str, Tensor], metadata: dict[str, str]) -> bytes:
    """Make the bytes of a safetensors file that holds its own checksum."""
    # Copies, because layers may share a tensor, and a file holds each under its own name.
    copies = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    packed = save(copies, metadata | {"lenet": __version__, "checksum": NO_CHECKSUM_YET})
    header = json.loads(_header(packed))  # its order is another in every process
    ordered = json.dumps(header, sort_keys=True, ensure_ascii=False).encode()
    ordered += b" " * (-len(ordered) % 8)
    packed = len(ordered).to_bytes(8, "little") + ordered + packed[8 + len(_header(packed)) :]
    checksum = hashlib.sha256(packed).hexdigest()
    return packed.replace(NO_CHECKSUM_YET.encode(), checksum.encode(), 1)


def unpack(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file, and check that it is whole if this package has written it.

    Returns:
        Its tensors by name, and its metadata.

    Raises:
        OSError: There is no such file, or it cannot be read.
        ValueError: It is damaged.
    """
    packed = read_whole(path)
    try:
        tensors = load(packed)
        metadata = json.loads(_header(packed)).get("__metadata__", {})
    except (SafetensorError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from error
    version, checksum = metadata.pop("lenet", ""), metadata.pop("checksum", "")
    if version or checksum:  # a file of an older version has neither
        blank = packed.replace(checksum.encode(), NO_CHECKSUM_YET.encode(), 1)
        if hashlib.sha256(blank).hexdigest() != checksum:
            raise ValueError(f"{path} is damaged: its checksum does not fit its content")
    return tensors, metadata


def _header(packed: bytes) -> bytes:
    return packed[8 : 8 + int.from_bytes(packed[:8], "little")]


def save_weights(
    model: nn.Module, path: str | Path, metadata: dict[str, str] | None = None
) -> None:
    """Save a network's parameters and buffers, and what else is to be known, as a safetensors file.

    Raises:
        OSError: The file cannot be written; what was there before is untouched.
    """
    state = checks.instance("model", model, nn.Module).state_dict()
    write_atomically(path, pack(state, metadata or {}))


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
    checks.instance("model", model, nn.Module)
    weights, _ = unpack(path)
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
    known = asdict(checks.instance("card", card, ModelCard))
    metadata = {key: json.dumps(value, ensure_ascii=False) for key, value in known.items()}
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
    _, metadata = unpack(path)
    try:
        found = {key: json.loads(text) for key, text in metadata.items()}
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in found.items()
        }
        return ModelCard(**values)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} holds weights, but does not say which network and data they are for. "
            "Files that `python -m lenet train` has saved do."
        ) from error
