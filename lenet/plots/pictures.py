"""Figures of picture files."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib as mpl
from PIL import Image

from lenet.plots.picture import IMAGE_MAP, STYLE, WIDTH, Picture

PAIRS_IN_A_ROW = 3
MOST_PAIRS = 60


@mpl.rc_context(STYLE)
def before_and_after(
    pairs: Sequence[tuple[Image.Image, Image.Image]], titles: Sequence[str]
) -> Picture:
    """Draw pictures side by side: as their file has them, and as a network sees them.

    Args:
        pairs: Pictures of mode ``"L"`` or ``"RGB"``, before and after; the first 60 are drawn.
        titles: One for each pair.

    Raises:
        ValueError: There is no pair, or there are not as many titles as pairs.
    """
    if not pairs or len(pairs) != len(titles):
        raise ValueError(f"there are {len(pairs)} pairs of pictures and {len(titles)} titles")
    drawn = min(len(pairs), MOST_PAIRS)
    columns = min(drawn, PAIRS_IN_A_ROW)
    rows = math.ceil(drawn / columns)
    picture = Picture(WIDTH * max(columns, 2) / PAIRS_IN_A_ROW, 1.4 * rows)
    axes = picture.subplots(rows, 2 * columns, squeeze=False).flatten()
    for ax in axes:
        ax.set_axis_off()
    for index in range(drawn):
        for ax, image in zip(axes[2 * index :], pairs[index], strict=False):
            ax.imshow(image, cmap=IMAGE_MAP, vmin=0, vmax=255)
        axes[2 * index].set_title(titles[index], fontsize=8, loc="left")
    return picture
