"""Picture files of every kind, as the pixels that a network takes.

Files are read by Pillow. A picture comes out upright, in grey or colour, with 8 bits per channel,
whatever the file held; `fit` brings it to the size of a network's input.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from lenet.atomic import is_device
from lenet.data.in_memory import DataError

# Of Pillow's formats those that are pixels: it hands others, such as PostScript, to programs.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM")
MOST_PIXELS = 100_000_000  # in the file; a camera has half of that
LARGEST_NEEDED = 1024  # pixels; Pillow decodes a larger JPEG at half, a quarter or an eighth
WHITE, BLACK, MIDDLE = 255, 0, 127


def read_picture(path: str | Path) -> Image.Image:
    """Read a picture file: PNG, JPEG, GIF, BMP, TIFF, WebP, AVIF, PPM or PGM.

    A camera's note about how it was held (EXIF orientation) is obeyed. A transparent ground
    becomes white, or black where what is drawn on it is light. Grey of 16 bits is scaled to 8;
    grey of 32 bits has no agreed white, so that its own range becomes 0 to 255. Of an animation
    the first picture counts.

    Returns:
        A picture of mode ``"L"`` (grey) or ``"RGB"``.

    Raises:
        DataError: There is no such file, it is no picture, or it is damaged; the message names it.
    """
    path = Path(path)
    Image.init()  # a Pillow without AVIF reads the others
    try:
        if is_device(path):
            raise DataError(f"{path} is a device or pipe, not a file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata, and about size before the limit
            with Image.open(path, formats=[f for f in FORMATS if f in Image.OPEN]) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise DataError(
                        f"{path} has {opened.width:,} × {opened.height:,} pixels, more than the "
                        f"{MOST_PIXELS:,} that are read. Make it smaller."
                    )
                opened.draft(None, (LARGEST_NEEDED, LARGEST_NEEDED))
                upright = ImageOps.exif_transpose(opened)
                upright.load()
                return _plain(upright)
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError(
            f"{path} is not a picture that can be read. Save it as PNG or JPEG."
        ) from error
    except Image.DecompressionBombError as error:
        raise DataError(f"{path} is too large to be read safely: {error}") from error
    except Exception as error:  # a damaged file can raise almost anything
        if isinstance(error, OSError) and error.filename is not None:
            raise DataError(f"{path} cannot be opened: {error.strerror}") from error
        raise DataError(f"{path} is a damaged picture: {error}. Replace or delete it.") from error


def _plain(picture: Image.Image) -> Image.Image:
    """Return a picture of any of Pillow's modes as ``"L"`` or ``"RGB"``."""
    if picture.has_transparency_data:
        return _on_ground(picture.convert("RGBA"))
    if picture.mode in ("1", "L"):  # black and white, and 8-bit grey
        return picture.convert("L")
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) / 257).round().astype(np.uint8))
    if picture.mode in ("I", "F"):
        return Image.fromarray(_stretched(np.asarray(picture, dtype=np.float64)))
    return picture.convert("RGB")


def _on_ground(picture: Image.Image) -> Image.Image:
    """Lay an RGBA picture on white, or on black where what can be seen of it is light."""
    opacity = np.asarray(picture.getchannel("A"), dtype=np.float64)
    grey = np.asarray(picture.convert("RGB").convert("L"))
    is_light = opacity.any() and np.average(grey, weights=opacity) > MIDDLE
    has_hole = opacity.min() < WHITE
    level = BLACK if is_light and has_hole else WHITE
    ground = Image.new("RGBA", picture.size, (level, level, level, 255))
    return Image.alpha_composite(ground, picture).convert("RGB")


def _stretched(values: np.ndarray) -> np.ndarray:
    """Scale values (H, W) so that the lowest becomes 0 and the highest 255: uint8 (H, W)."""
    values = np.nan_to_num(values)
    low, high = values.min(), values.max()
    return ((values - low) * (255 / (high - low or 1))).round().astype(np.uint8)


def is_grey(picture: Image.Image) -> bool:
    """Tell whether a picture holds no colour, even where its file has room for some."""
    if picture.mode == "L":
        return True
    pixels = np.asarray(picture)  # (H, W, 3)
    return bool((pixels == pixels[..., :1]).all())


def fit(picture: Image.Image, channels: int, size: tuple[int, int]) -> Image.Image:
    """Scale a picture until it covers a size, proportions kept, and cut it to its centre.

    Args:
        picture: Of mode ``"L"`` or ``"RGB"``.
        channels: 1 for grey, 3 for colour.
        size: Height and width in pixels.

    Returns:
        A picture of mode ``"L"`` or ``"RGB"`` and exactly this size.
    """
    height, width = size
    plain = picture.convert("L" if channels == 1 else "RGB")
    return ImageOps.fit(plain, (width, height), Image.Resampling.BICUBIC)


def to_tensor(picture: Image.Image) -> Tensor:
    """Return the pixels of a picture of mode ``"L"`` or ``"RGB"``: uint8 (1 or 3, H, W)."""
    pixels = torch.from_numpy(np.array(picture))  # (H, W) or (H, W, 3)
    return pixels.unsqueeze(0) if pixels.dim() == 2 else pixels.permute(2, 0, 1).contiguous()
