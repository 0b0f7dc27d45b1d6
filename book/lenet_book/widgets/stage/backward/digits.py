"""The digits that a page trains on: scikit-learn's, small enough to come with it."""

from __future__ import annotations

from typing import TypedDict

NUM_TEST = 200
LEVELS = "0123456789abcdefg"  # pixels from 0 to 16


class PackedDigits(TypedDict):
    """Digits as text: it is smaller in a compressed page than their bytes would be.

    Attributes:
        pixels: 64 characters of `LEVELS` for each digit, row by row.
        labels: A character for each digit.
    """

    pixels: str
    labels: str


def packed_digits() -> dict[str, PackedDigits]:
    """Pack digits for training, and the first 200 of those that test.

    The split is that of the embedded data set: every fifth digit is for tests.
    """
    from sklearn.datasets import load_digits  # takes a second

    bunch = load_digits()
    places = range(len(bunch.target))
    chosen = {
        "training": [place for place in places if place % 5 != 4],
        "test": [place for place in places if place % 5 == 4][:NUM_TEST],
    }
    return {
        name: {
            "pixels": "".join(LEVELS[int(level)] for level in bunch.images[own].flat),
            "labels": "".join(str(label) for label in bunch.target[own]),
        }
        for name, own in chosen.items()
    }
