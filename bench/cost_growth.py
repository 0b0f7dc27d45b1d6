"""How time and memory of a training grow with images, epochs, batch size and width.

Every training runs in a process of its own, with one thread, on images of random bytes: neither
speed nor memory depends on what they show. A process reports the time it spent in training and the
most memory that it ever held, Python and PyTorch included.

Run `python bench/cost_growth.py`. Points that are stored are not repeated, unless you ask for it
with `--again`.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial

import torch
from series import collect, make_parser
from torch import nn

from lenet.data import ImageData, LabelledImages
from lenet.models import NarrowLeNet
from lenet.train import Settings, fit
from lenet_book.results import FOLDER, Record
from lenet_book.timing import Stopwatch

RESULTS = FOLDER / "cost_growth.json"
REFERENCE = {"images": 20_000, "epochs": 1, "batch_size": 100, "width": 1}
GROWTH = {
    "images": (0, 10_000, 20_000, 40_000, 80_000),
    "epochs": (1, 2, 3, 4),
    "batch_size": (25, 50, 100, 200, 400, 800, 1600),
    "width": (1, 2, 3, 4),
}
ROUNDS = 2
BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


class WideLeNet(NarrowLeNet):
    """`NarrowLeNet` with so many times as many channels and features."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6 * width, kernel_size=5)
        self.conv2 = nn.Conv2d(6 * width, 12 * width, kernel_size=5)
        self.fc1 = nn.Linear(12 * width * 4 * 4, 120 * width)
        self.fc2 = nn.Linear(120 * width, 60 * width)
        self.out = nn.Linear(60 * width, 10)


def random_data(num_images: int) -> ImageData:
    """Return random bytes with random labels, and one test image."""
    images = torch.randint(0, 256, (num_images, 1, 28, 28), dtype=torch.uint8)
    train = LabelledImages(images, torch.randint(0, 10, (num_images,)))
    classes = tuple("0123456789")
    return ImageData("random", "random bytes", classes, train, train[:1], (0.5,), (0.29,))


def train(images: int, epochs: int, batch_size: int, width: int) -> Record:
    """Train in this process and return what it cost; no images, no training."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with Stopwatch() as watch:
        if images:
            settings = Settings(epochs=epochs, batch_size=batch_size, device="cpu")
            fit(WideLeNet(width), random_data(images), settings, progress=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_PER_UNIT
    return {"cpu_seconds": round(watch.cpu_seconds, 3), "peak_bytes": peak}


def train_in_a_new_process(point: Record) -> Record:
    """Run `train` there and return what it reports."""
    command = [sys.executable, __file__, "--point", json.dumps(point)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: Record = json.loads(done.stdout)
    return found


def planned() -> Iterator[tuple[Record, Callable[[], Record]]]:
    """Yield every point: the reference with one number changed."""
    for number in range(ROUNDS):
        for what, values in GROWTH.items():
            for value in values:
                point = REFERENCE | {what: value}
                description = {"growth": what, **point, "round": number}
                yield description, partial(train_in_a_new_process, point)


def table(records: list[Record]) -> str:
    """Write the median time and memory of every point."""
    lines = []
    for what, values in GROWTH.items():
        lines.append(f"{what:>12}{'CPU seconds':>13}{'peak MB':>9}")
        for value in values:
            found = [r for r in records if (r["growth"], r[what]) == (what, value)]
            seconds = statistics.median(r["cpu_seconds"] for r in found)
            peak = statistics.median(r["peak_bytes"] for r in found) / 1e6
            lines.append(f"{value:12,}{seconds:13.2f}{peak:9.0f}")
    return "\n".join(lines)


def main() -> None:
    parser = make_parser(__doc__, RESULTS, again=True)
    parser.add_argument("--point", help="train once as this JSON says, and report: used within")
    chosen = parser.parse_args()
    if chosen.point:
        print(json.dumps(train(**json.loads(chosen.point))))
    else:
        print(table(collect(planned(), chosen.results, again=chosen.again)))


if __name__ == "__main__":
    main()
