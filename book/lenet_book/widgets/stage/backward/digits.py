"""The digits that a page trains on: scikit-learn's, small enough to come with it."""

from __future__ import annotations

from typing import TypedDict

NUM_TRAINING = 400  # with more, a page would weigh more than 200 kB
NUM_TEST = 200
LEVELS = "0123456789abcdefg"  # pixels from 0 to 16


class PackedDigits(TypedDict):
    """Digits as text: it is smaller in a compressed page than their bytes would be.

    Attributes:
        pixels: Characters of `LEVELS`: the first pixel of all digits, the second of all, and so on
            to the 64th, row by row. Like stands beside like, which packs best.
        labels: A character for each digit; they ascend.
    """

    pixels: str
    labels: str


def packed_digits() -> dict[str, PackedDigits]:
    """Pack the first digits that train and the first that test, each sorted by label.

    The split is that of the embedded data set: every fifth digit is for tests.
    """
    from sklearn.datasets import load_digits  # takes a second

    bunch = load_digits()
    places = range(len(bunch.target))
    chosen = {
        "training": [place for place in places if place % 5 != 4][:NUM_TRAINING],
        "test": [place for place in places if place % 5 == 4][:NUM_TEST],
    }
    by_label = {name: sorted(own, key=bunch.target.__getitem__) for name, own in chosen.items()}
    return {
        name: {
            "pixels": "".join(LEVELS[int(level)] for level in bunch.data[own].T.flat),
            "labels": "".join(str(label) for label in bunch.target[own]),
        }
        for name, own in by_label.items()
    }
