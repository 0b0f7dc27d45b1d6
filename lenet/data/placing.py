"""What is drawn on a picture, cut out and placed as MNIST's and Fashion-MNIST's makers did.

A network knows pictures as they were in training. MNIST's digits are white on black, scaled into
a box of 20 × 20 pixels and put into 28 × 28 with their centre of mass in the middle (LeCun et al.
1998, section III.A). Fashion-MNIST's garments are light on black, trimmed, scaled so that the
longer side has 28 pixels, and centred (Xiao et al. 2017). A photographed or drawn picture is
brought into the same form before it is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from lenet import checks

WORKING_SIDE = 280  # pixels of the longer side while ink is looked for; it ends in 20 or 28
FRAME_SHARE = 0.03  # of the longer side: how wide a border tells about the ground
FAINTEST = 0.1  # contrast of a drawing, of the way from black to white
SMOOTHING = 1 / 200  # of the longer side: removes a camera's noise, not lines
SPECK = 0.02  # share of the ink below which a patch that stands alone is dirt
INK = 0.35  # share of the strongest ink from which a pixel counts as drawn


@dataclass(frozen=True)
class Drawing:
    """A picture brought into the form that a network knows.

    Attributes:
        picture: Mode ``"L"``, light on black, 28×28 or larger.
        steps: What was done, in words.
    """

    picture: Image.Image
    steps: tuple[str, ...]


class NothingDrawnError(ValueError):
    """A picture shows nothing that stands out from its ground."""


def place_digit(picture: Image.Image, side: int = 28) -> Drawing:
    """Bring a picture of one digit into MNIST's form.

    Args:
        picture: Mode ``"L"`` or ``"RGB"``, of any size; dark on light or light on dark.
        side: Height and width of the result; beyond 28, MNIST's form with a black frame.

    Raises:
        NothingDrawnError: The picture is blank.
        ValueError: `side` is below 28.
    """
    return _place(picture, 20, "mass", side)


def place_garment(picture: Image.Image, side: int = 28) -> Drawing:
    """Bring a picture of one garment on a plain ground into Fashion-MNIST's form.

    Args:
        picture: Mode ``"L"`` or ``"RGB"``, of any size, on a light or dark ground.
        side: Height and width of the result; beyond 28, that form with a black frame.

    Raises:
        NothingDrawnError: The picture is blank.
        ValueError: `side` is below 28.
    """
    return _place(picture, 28, "middle", side)


def _place(picture: Image.Image, box: int, by: Literal["mass", "middle"], side: int) -> Drawing:
    checks.whole_number("side", side, 28)
    grey = checks.instance("picture", picture, Image.Image).convert("L")
    grey.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    ink, dark_on_light = find_ink(np.asarray(grey, dtype=np.float64) / 255)
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scaled = _scaled(cut, box)
    canvas = _centred(scaled, by, side)
    height, width = cut.shape
    steps = (
        f"{picture.width}×{picture.height} pixels, "
        + ("colour turned into grey" if picture.mode == "RGB" else "grey"),
        "the border is lighter than the drawing: turned into light on black"
        if dark_on_light
        else "the border is darker than the drawing: kept as light on black",
        f"the drawing cut out: {width / grey.width:.0%} of the width and "
        f"{height / grey.height:.0%} of the height",
        f"scaled into a box of {box}×{box} pixels, proportions kept: "
        f"{scaled.shape[1]}×{scaled.shape[0]}",
        f"placed in {side}×{side} with its {'centre of mass' if by == 'mass' else 'middle'} in the "
        "centre",
    )
    return Drawing(Image.fromarray((canvas * 255).round().astype(np.uint8)), steps)


def find_ink(grey: np.ndarray) -> tuple[np.ndarray, bool]:
    """Find what stands out from the ground of a picture.

    The ground is a plane through the brightness of the border, so that uneven light does no harm.
    Ink is the side, lighter or darker, on which the picture leaves that plane the furthest.

    Args:
        grey: float (H, W), from 0 for black to 1 for white.

    Returns:
        How much ink every pixel holds, (H, W) from 0 to 1, zero on the ground; and whether the
        ink is darker than the ground.

    Raises:
        NothingDrawnError: No pixel differs enough from the ground.
    """
    from scipy import ndimage  # not needed for anything else, and slow to import

    smooth = ndimage.gaussian_filter(grey, max(grey.shape) * SMOOTHING)
    contrast = smooth - _ground(smooth)
    dark_on_light = bool(-contrast.min() > contrast.max())
    ink = np.clip(-contrast if dark_on_light else contrast, 0, None)
    strongest = ink.max()
    if strongest < FAINTEST:
        raise NothingDrawnError("nothing on it stands out from the ground")
    ink = ink / strongest
    drawn = _without_specks(ink > INK)
    near = ndimage.binary_dilation(drawn, iterations=max(1, round(max(grey.shape) * SMOOTHING)))
    return np.where(near, ink, 0.0), dark_on_light


def _ground(grey: np.ndarray) -> np.ndarray:
    """Fit a plane to the border, leaving out what lies far from it, such as lines that cross it."""
    height, width = grey.shape
    frame = max(1, round(max(height, width) * FRAME_SHARE))
    rows, columns = np.mgrid[0:height, 0:width]
    terms = np.stack([np.ones_like(rows), rows / height, columns / width], axis=-1)
    border = np.ones((height, width), dtype=bool)
    border[frame:-frame, frame:-frame] = False
    at, values = terms[border], grey[border]
    kept = np.abs(values - np.median(values)) < 0.25
    for _ in range(2):
        plane = np.linalg.lstsq(at[kept], values[kept], rcond=None)[0]
        away = np.abs(values - at @ plane)
        kept = away <= max(2 * float(np.median(away)), 0.02)
    return terms @ plane


def _without_specks(drawn: np.ndarray) -> np.ndarray:
    """Leave out patches that hold less than a small share of all drawn pixels."""
    from scipy import ndimage

    patches, _ = ndimage.label(drawn, structure=np.ones((3, 3)))
    sizes = np.bincount(patches[drawn])
    return (sizes > SPECK * sizes.sum())[patches] & drawn


def _scaled(ink: np.ndarray, box: int) -> np.ndarray:
    """Scale ink (H, W) so that the longer side has `box` pixels, and the most is 1."""
    height, width = ink.shape
    scale = box / max(height, width)
    new = max(1, round(width * scale)), max(1, round(height * scale))
    sharp = Image.fromarray(ink.astype(np.float32))
    filtered = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    scaled = np.asarray(sharp.resize(new, filtered), dtype=np.float64)
    return scaled / scaled.max()


def _centred(ink: np.ndarray, by: str, side: int) -> np.ndarray:
    """Put ink into a square with its centre of mass, or the middle of its box, in the centre."""
    canvas = np.zeros((side, side))
    corner = []
    for axis, extent in enumerate(ink.shape):
        mass = np.average(np.arange(extent), weights=ink.sum(axis=1 - axis))
        wanted = round((side - 1) / 2 - mass) if by == "mass" else (side - extent) // 2
        corner.append(min(max(wanted, 0), side - extent))
    top, left = corner
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return canvas
