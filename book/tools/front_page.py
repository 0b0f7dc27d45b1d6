"""Draw the front page's picture: a trained LeNet-5 looking at a digit it has never seen.

    python book/tools/front_page.py

trains for three epochs on MNIST (about 20 seconds on two CPU cores) and writes
book/assets/architecture.svg.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import torch

from lenet.data import load, normalise
from lenet.models import LeNet5
from lenet.train import Settings, fit
from lenet_book.figures import architecture

TARGET = Path(__file__).parent.parent / "assets" / "architecture.svg"
DIGIT = 35  # of the test images: a clear 2


def main() -> None:
    """Train, draw and save."""
    data = load("mnist")
    torch.manual_seed(0)
    model = LeNet5()
    print(fit(model, data, Settings(epochs=3, lr=0.002)))
    image = normalise(data.test.images[DIGIT : DIGIT + 1], data.mean, data.std)[0]
    with mpl.rc_context({"svg.hashsalt": "lenet"}):  # the same file from the same numbers
        architecture(model.cpu(), image=image).savefig(TARGET, metadata={"Date": None})


if __name__ == "__main__":
    main()
