"""From a picture file to what a certain network was trained on.

How a picture is prepared depends on what the network has learned from: digits and garments are cut
out and placed as MNIST's and Fashion-MNIST's makers did (`placing`), other pictures are scaled and
cut to the network's size (`picture_files`), as they are when a folder is loaded for training.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from PIL import Image
from torch import Tensor, nn

from lenet import checks
from lenet.data.in_memory import DataError
from lenet.data.loading import normalise
from lenet.data.picture_files import fit, read_picture, to_tensor
from lenet.data.placing import NothingDrawnError, place_digit, place_garment
from lenet.models.weights import ModelCard

Form = Literal["digit", "garment", "picture"]
FORMS: tuple[Form, ...] = get_args(Form)

DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class Prepared:
    """A picture as it was, as the network sees it, and what lies between.

    Attributes:
        path: Its file.
        original: The picture as it was read: upright, grey or colour.
        seen: The picture as the network sees it, before it is normalised.
        steps: What was done, in words.
    """

    path: Path
    original: Image.Image
    seen: Image.Image
    steps: tuple[str, ...]

    @property
    def pixels(self) -> Tensor:
        """The picture as the network sees it: uint8 (C, H, W)."""
        return to_tensor(self.seen)


def form_of(card: ModelCard) -> Form:
    """Tell how pictures have to be prepared for a network.

    The embedded digits may have taken Fashion-MNIST's place, so that the classes count, too.
    """
    if card.dataset not in ("mnist", "fashion-mnist"):
        return "picture"
    return "digit" if card.classes == DIGITS else "garment"


def prepare(path: str | Path, image_shape: tuple[int, int, int], form: Form) -> Prepared:
    """Read a picture file and bring it into the form that a network knows.

    Args:
        path: A picture file of any kind and size.
        image_shape: Channels, height and width of the network's images.
        form: How to prepare it; see `form_of`.

    Raises:
        DataError: The file is no picture, is damaged or shows nothing; the message names it.
        ValueError: Digits and garments were asked for in another shape than a grey square, or
            there is no such form or shape.
    """
    checks.choice("form", form, FORMS)
    checks.sizes("image_shape", image_shape, "channels, height and width", 3)
    channels, height, width = image_shape
    path = Path(path)
    original = read_picture(path)
    if form == "picture":
        seen = fit(original, channels, (height, width))
        steps = (
            f"{original.width}×{original.height} pixels, "
            f"{'grey' if original.mode == 'L' else 'colour'}",
            f"scaled until it covers {width}×{height} pixels, and cut to its centre",
            f"used in {'grey' if channels == 1 else 'colour'}",
        )
        return Prepared(path, original, seen, steps)
    if channels != 1 or height != width:
        raise ValueError(
            f"a picture is prepared as a {form} for networks that take grey squares; this one "
            f"takes {channels}×{height}×{width}"
        )
    place = place_digit if form == "digit" else place_garment
    try:
        drawing = place(original, height)
    except NothingDrawnError as error:
        raise DataError(f"{path} cannot be judged: {error}") from error
    return Prepared(path, original, drawing.picture, drawing.steps)


@torch.inference_mode()
def probabilities(model: nn.Module, card: ModelCard, pixels: Tensor) -> Tensor:
    """Ask a trained network about prepared pictures.

    Args:
        model: The network; its mode is put back afterwards.
        card: What it expects.
        pixels: uint8 (N, C, H, W).

    Returns:
        float32 (N, K): the softmax over the K classes that the card names. A network that has
        more outputs than its data set had classes has learned nothing about the others.

    Raises:
        ValueError: The pixels have another type or shape, or the network's answers have.
    """
    with checks.evaluation_mode(model):
        logits = model(normalise(pixels, card.mean, card.std))
    checks.scores(logits, len(pixels), len(card.classes))
    return logits[:, : len(card.classes)].softmax(dim=1)
