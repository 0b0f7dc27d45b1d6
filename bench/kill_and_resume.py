"""Kill trainings at random moments: no checkpoint is lost, and the end is the same bit for bit.

    python bench/kill_and_resume.py

trains a network with dropout and augmentation once without interruption, then again in processes
that are killed (SIGKILL) and resumed 30 times: half of them at a random moment, half as soon as
the next checkpoint is seen being written. After every kill the checkpoint is read. In the end the
weights are compared. It needs an operating system with fork and takes about two minutes.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from series import make_parser
from torch import nn

from lenet.atomic import PARTS
from lenet.data import ImageData, load
from lenet.data.augment import RandomAffine, RandomCropFlip
from lenet.train import Settings, Training, checkpoint
from lenet_book.results import FOLDER, Record, environment, store_results

RESULTS = FOLDER / "kill_and_resume.json"


def network() -> nn.Module:
    """Make a small network that draws random numbers while it is trained."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, kernel_size=5, stride=2),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Flatten(),
        nn.Linear(4 * 12 * 12, 10),
    )


@dataclass(frozen=True)
class Recipe:
    """What to train again and again.

    Attributes:
        name: What the records call it.
        settings: How to train.
        data: Training and test images.
    """

    name: str
    settings: Settings
    data: ImageData

    def train(self, path: Path) -> None:
        """Train to the end, from the checkpoint if there is one."""
        checkpoint.fit(network(), self.data, self.settings, path, progress=False)


def recipes(epochs: int, data: ImageData) -> Iterator[Recipe]:
    """Yield two trainings that between them use everything a checkpoint must hold."""
    settings = Settings(epochs, 100, "adam", lr=0.005, schedule="one-cycle", device="cpu")
    settings = replace(settings, augment=RandomAffine())
    yield Recipe("adam, one-cycle, affine", settings, data)
    settings = Settings(epochs, 64, "sgd", lr=0.02, weight_decay=0.001, device="cpu")
    settings = replace(settings, augment=RandomCropFlip(padding=2))
    yield Recipe("sgd, constant, crop and flip", settings, data)


def is_being_written(path: Path) -> bool:
    """Tell whether a checkpoint is on its way to the disk."""
    return any(path.parent.glob(PARTS))


def run(recipe: Recipe, path: Path, kill: str = "never", wait: float = 0.0) -> int | None:
    """Train in a process of its own, killed after a wait or amid a write; return its exit code."""
    process = multiprocessing.get_context("fork").Process(target=recipe.train, args=(path,))
    process.start()
    if kill == "at random":
        process.join(wait)
    while kill == "amid a write" and process.is_alive() and not is_being_written(path):
        pass
    if kill != "never":
        process.kill()
    process.join()
    return process.exitcode


def measure(recipe: Recipe, num_kills: int, folder: Path) -> Record:
    """Compare an uninterrupted training with one that is killed so many times."""
    whole, path = folder / "whole", folder / "killed"
    start = time.perf_counter()
    assert run(recipe, whole) == 0
    seconds = time.perf_counter() - start
    draw = random.Random(recipe.name)
    kills: list[Record] = []
    while len(kills) < num_kills:
        kind = "at random" if len(kills) % 2 == 0 else "amid a write"
        if run(recipe, path, kind, draw.uniform(0, 4 * seconds / num_kills)) == 0:
            compare(whole, path)  # it finished before it could be killed: begin another
            checkpoint.delete(path)
            continue
        done = len(checkpoint.read(path)[1]["history"]) if path.exists() else None
        parts = list(path.parent.glob(PARTS))
        kills.append({"kind": kind, "epochs_done": done, "write_cut": bool(parts)})
        for part in parts:
            part.unlink()
    assert run(recipe, path) == 0
    compare(whole, path)
    return {"kills": kills, "bytes": path.stat().st_size}


def compare(whole: Path, killed: Path) -> None:
    """Check that two checkpoints hold the same tensors bit for bit, and the same scores."""
    (expected, first), (found, second) = checkpoint.read(whole), checkpoint.read(killed)
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), f"{name} differs"
    for before, after in zip(first["history"], second["history"], strict=True):
        assert before | {"seconds": 0} == after | {"seconds": 0}, "the history differs"


def time_saving(recipe: Recipe, path: Path) -> float:
    """Return the median time of one save in milliseconds, forcing it to the disk included."""
    training = Training(network(), recipe.data, recipe.settings)
    next(training.epochs(progress=False))
    saved = checkpoint.Checkpoint(training, path)
    times = []
    for _ in range(21):
        start = time.perf_counter()
        saved.save()
        times.append(time.perf_counter() - start)
    return round(statistics.median(times) * 1e3, 2)


def main() -> None:
    parser = make_parser(__doc__, RESULTS)
    parser.add_argument("--kills", type=int, default=30, help="of each training (default: 30)")
    parser.add_argument("--epochs", type=int, default=40, help="of each training (default: 40)")
    options = parser.parse_args()
    torch.set_num_threads(1)  # a forked process cannot use the threads of its parent
    os.environ["LENET_OFFLINE"] = "1"  # small data: many writes in little time
    data = load("mnist")
    records = []
    for recipe in recipes(options.epochs, data):
        with tempfile.TemporaryDirectory() as folder:
            found = measure(recipe, options.kills, Path(folder))
            found["save_milliseconds"] = time_saving(recipe, Path(folder) / "timed")
        description = {"experiment": recipe.name, "epochs": options.epochs, "data": data.source}
        records.append({**description, **found, "environment": environment()})
        store_results(records, options.results)
        print(f"{recipe.name}: killed {options.kills} times, equal bit for bit", flush=True)


if __name__ == "__main__":
    main()
