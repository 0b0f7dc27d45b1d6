"""Long experiments on the training loop: what the page *Measured* reports, with mean and spread.

Run `python bench/training_loop.py`; `--help` lists the experiments. Every finished run is stored
at once, and a run that is stored already is not repeated, so that an interrupted series resumes.
Name another file with `--results` to measure everything again on your own machine.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import torch
from series import choose, collect, scores

from lenet.data import Batches, ImageData, load
from lenet.models import NarrowLeNet
from lenet.train import Settings, fit, make_optimizer, pick_device, train_epoch
from lenet_book.results import FOLDER, Record

RESULTS = FOLDER / "training_loop.json"
DATA = "fashion-mnist"
HELD_OUT = 10_000  # training images that take the test images' place where settings are compared
SIZES_TO_TIME = (60, 64, 100, 127, 128, 129, 250, 256)
IMAGES_TO_TIME = 6000  # per batch size and round
ROUNDS = 40


@dataclass(frozen=True)
class Run:
    """One training from fresh weights.

    Attributes:
        experiment: The series it belongs to.
        settings: How to train; the seed also makes the initial weights.
        normalised: Whether pixels are normalised, or left as they are from 0 to 1.
        held_out: Number of training images that serve as test images; 0 for the real test images.
    """

    experiment: str
    settings: Settings
    normalised: bool = False
    held_out: int = 0

    def description(self) -> Record:
        """Return everything that tells this run from another, as JSON has it."""
        return {
            "experiment": self.experiment,
            "network": NarrowLeNet.__name__,
            "normalised": self.normalised,
            "held_out": self.held_out,
            "settings": self.settings.as_json(),
        }


def series(device: str) -> dict[str, list[Run]]:
    """Return the runs of every experiment."""
    recipe = Settings(epochs=10, batch_size=100, optimizer="adam", lr=0.01, device=device)
    short = replace(recipe, epochs=3)
    orders_of_magnitude = (10, 100, 1000, 10_000)
    near = [size for size in SIZES_TO_TIME if size not in orders_of_magnitude]
    return {
        "reference": [Run("reference", replace(recipe, seed=seed)) for seed in range(5)],
        "normalised": [
            Run("normalised", replace(recipe, seed=seed), normalised=True) for seed in range(5)
        ],
        "batch-size": [
            Run("batch-size", replace(short, seed=seed, batch_size=size, lr=lr), held_out=HELD_OUT)
            for seed in range(3)
            for size, lr in [*product(near, (0.01,)), *product(orders_of_magnitude, (0.01, 0.001))]
        ],
    }


def train(run: Run, data: ImageData) -> Record:
    """Train a new network and return its scores, epoch by epoch."""
    if not run.normalised:
        data = replace(data, mean=(0.0,), std=(1.0,))
    if run.held_out:
        data = data.hold_out(run.held_out)
    torch.manual_seed(run.settings.seed)
    history = fit(NarrowLeNet(), data, run.settings)
    return {"data": data.source, "epochs": scores(history)}


def time_batch_sizes(data: ImageData, round_number: int, device: str) -> Record:
    """Time one pass over the same images at every batch size, in a random order.

    Interleaving spreads whatever else the machine does over all sizes alike. On the CPU the time
    that the processor spent on this program counts, not the time on the clock, so that programs
    of others matter less.
    """
    target = pick_device(device)
    examples = data.train[:IMAGES_TO_TIME].to(target)
    settings = Settings(device=device)
    sizes = list(SIZES_TO_TIME)
    random.Random(round_number).shuffle(sizes)
    clock = time.process_time if target.type == "cpu" else time.perf_counter
    microseconds = {}
    for size in sizes:
        torch.manual_seed(round_number)
        model = NarrowLeNet().to(target)
        optimizer = make_optimizer(model, settings)
        batches = Batches(examples, (0.0,), (1.0,), size)
        train_epoch(model, Batches(examples[: 3 * size], (0.0,), (1.0,), size), optimizer)
        start = clock()
        train_epoch(model, batches, optimizer)  # returns numbers, so a GPU has finished
        seconds = clock() - start
        microseconds[str(size)] = round(seconds / len(examples) * 1e6, 3)
    return {"data": data.source, "microseconds_per_image": microseconds}


def planned(
    experiments: Iterable[str], data: ImageData, device: str
) -> Iterator[tuple[Record, Callable[[], Record]]]:
    """Yield every measurement: its description, and the function that makes it."""
    runs = series(device)
    for experiment in experiments:
        if experiment == "timing":
            for number in range(ROUNDS):
                description = {"experiment": "timing", "device": device, "round": number}
                yield description, partial(time_batch_sizes, data, number, device)
        else:
            for run in runs[experiment]:
                yield run.description(), partial(train, run, data)


def main() -> None:
    choice = choose(__doc__, ["reference", "normalised", "batch-size", "timing"], RESULTS)
    plan = planned(choice.experiments, load(DATA), choice.device)
    collect(plan, choice.results, choice.device)


if __name__ == "__main__":
    main()
