"""The stage before its script has come, on paper, and where no script runs: its first state."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lenet_book.wording import share_text

BELOW, ABOVE = np.array([5, 80, 160]), np.array([178, 24, 43])  # as in shared.css
NUM_NAMED = 3  # of the classes, in the answer
NO_BREAK = "\N{NO-BREAK SPACE}"


def poster_of(
    name: str, picture: Tensor, steps: Sequence[tuple[str, Tensor]], classes: Sequence[str]
) -> str:
    """Write the HTML of a first state: the picture, what came out of each step, the answer.

    Args:
        name: Of the network.
        picture: (C, H, W), from 0 to 1.
        steps: Name and output of each step, for this picture: (C, H, W), or (features,). The last
            one holds the shares of the classes, if it has as many numbers.
        classes: Names of the classes; none where the network has no classes.
    """
    cells = [_cell("the picture", _grey(picture), picture.shape)]
    cells += [_cell(step, _signed(output), output.shape) for step, output in steps]
    shares = steps[-1][1]
    said = _answer(shares, classes) if len(classes) == shares.numel() else ""
    title = f"<p><b>Forward pass of {html.escape(name)}</b>, one operation after the other. {said}"
    return f'<div class="lenet-poster">{title}</p><ol>{"".join(cells)}</ol></div>'


def _answer(shares: Tensor, classes: Sequence[str]) -> str:
    best = shares.flatten().argsort(descending=True)[:NUM_NAMED].tolist()
    named = ", ".join(f"{classes[i]} {share_text(float(shares[i]), NO_BREAK)}" for i in best)
    return f"It must choose one of {len(classes)}, and says: {html.escape(named)}."


def _cell(name: str, pixels: NDArray[np.uint8], shape: Sequence[int]) -> str:
    size = "×".join(map(str, shape))
    return f'<li><img alt="" src="{_png(pixels)}"><span>{html.escape(name)}<br>{size}</span></li>'


def _grey(picture: Tensor) -> NDArray[np.uint8]:
    shades = (255 * picture.clamp(0, 1)).round().byte().numpy()
    return shades[0] if len(shades) != 3 else shades.transpose(1, 2, 0)


def _signed(output: Tensor) -> NDArray[np.uint8]:
    """Colour the first map of a step, or its features from top to bottom, as the stage does."""
    values = output.float().numpy()
    limit = np.abs(values).max() or 1.0
    is_maps = values.ndim > 1 and values.shape[-2:] != (1, 1)
    plane = values.reshape(-1, *values.shape[-2:])[0] if is_maps else values.reshape(-1, 1)
    share = (np.abs(plane) / limit)[..., None] ** 0.75
    full = np.where(plane[..., None] < 0, BELOW, ABOVE)
    return np.rint(255 + share * (full - 255)).astype(np.uint8)


def _png(pixels: NDArray[np.uint8]) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).convert("P", palette=Image.Palette.ADAPTIVE).save(
        stream, "PNG", optimize=True
    )
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
