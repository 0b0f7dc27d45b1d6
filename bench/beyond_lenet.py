"""Long experiments on CIFAR-10: what each idea since LeNet buys, alone and with the others.

Run `python bench/beyond_lenet.py`; `--help` lists the parts. Every finished run is stored at once,
and a run that is stored already is not repeated, so that an interrupted series resumes; a run under
way resumes after its last epoch. Name another file with `--results` to measure everything again on
your own machine.

A constant learning rate is the one that Adam's authors recommend. The peak of one-cycle is the best
of three on held-out training images, for each network; those short trainings come first and are
stored like the others.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
import time
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from lenet import checkpoint
from lenet.augment import RandomCropFlip
from lenet.data import Batches, ImageData, load
from lenet.models import CifarLeNet
from lenet.modern import CifarLeNetBN, SmallAlexNet, SmallResNet
from lenet.results import FOLDER, Record, environment, store_results
from lenet.train import Score, Settings, make_optimizer, pick_device, train_epoch

Schedule = Literal["constant", "one-cycle"]

RESULTS = FOLDER / "beyond_lenet.json"
DATA = "cifar-10"
NETWORKS: dict[str, type[nn.Module]] = {
    network.__name__: network for network in (CifarLeNet, CifarLeNetBN, SmallAlexNet, SmallResNet)
}
RECIPE = Settings(epochs=12, batch_size=128, optimizer="adam")
WEIGHT_DECAY = 0.05
HELD_OUT = 10_000  # training images that take the test images' place where peaks are compared
CONSTANT_RATE = 0.001  # Kingma and Ba 2015, algorithm 1
PEAK_RATES = (0.001, 0.003, 0.01)
PEAK_EPOCHS = 3
ROUNDS = 15
IMAGES_TO_TIME = 1280  # per network and round


@dataclass(frozen=True)
class Change:
    """One row of the table: a network and what is done in training it.

    Attributes:
        network: Name of its class.
        augmented: Whether training images are shifted and mirrored at random.
        schedule: That of the learning rate.
        decayed: Whether weights decay.
    """

    network: str
    augmented: bool = False
    schedule: Schedule = "constant"
    decayed: bool = False


def together(network: str) -> Change:
    """Return the row with everything at once."""
    return Change(network, augmented=True, schedule="one-cycle", decayed=True)


SMALL = (
    Change("CifarLeNet"),
    Change("CifarLeNetBN"),
    Change("CifarLeNet", augmented=True),
    Change("CifarLeNet", schedule="one-cycle"),
    Change("CifarLeNet", decayed=True),
    together("CifarLeNetBN"),
)
DEEP = (
    together("SmallResNet"),
    Change("SmallResNet"),
    Change("SmallAlexNet"),
    together("SmallAlexNet"),
)
SERIES = {"small": (SMALL, range(3)), "deep": (DEEP, range(2))}


def run(change: Change, settings: Settings, data: ImageData, unfinished: Path) -> Record:
    """Train a new network, or go on with an unfinished one, and return its scores by epoch."""
    torch.manual_seed(settings.seed)  # makes the initial weights
    model = NETWORKS[change.network]().to(memory_format=torch.channels_last)
    augment = RandomCropFlip() if change.augmented else None
    history = checkpoint.fit(model, data, settings, unfinished, augment=augment, progress=False)
    epochs = [{"train": _counts(e.train), "test": _counts(e.test)} for e in history.epochs]
    return {"data": data.source, "epochs": epochs}


def _counts(score: Score) -> Record:
    return {
        "loss": round(score.loss, 6),
        "num_correct": score.num_correct,
        "num_examples": score.num_examples,
    }


def time_networks(data: ImageData, round_number: int) -> Record:
    """Time the training of every network on the same images, in a random order, and augmentation.

    The time that the processor spent on this program counts, not the time on the clock, so that
    programs of others matter less. Interleaving spreads what remains over all networks alike.
    """
    examples = data.train[:IMAGES_TO_TIME]
    names = list(NETWORKS)
    random.Random(round_number).shuffle(names)
    seconds = {}
    for name in names:
        model = NETWORKS[name]().to(memory_format=torch.channels_last)
        optimizer = make_optimizer(model, RECIPE)
        warm_up, batches = (
            Batches(part, data.mean, data.std, RECIPE.batch_size)
            for part in (examples[: 2 * RECIPE.batch_size], examples)
        )
        train_epoch(model, warm_up, optimizer)
        start = time.process_time()
        train_epoch(model, batches, optimizer)
        seconds[name] = time.process_time() - start
    images = [images for images, _ in Batches(examples, data.mean, data.std, RECIPE.batch_size)]
    augment, generator = RandomCropFlip(), torch.Generator().manual_seed(round_number)
    start = time.process_time()
    for batch in images:
        augment(batch, generator)
    seconds["augmentation"] = time.process_time() - start
    microseconds = {name: round(s / len(examples) * 1e6, 2) for name, s in seconds.items()}
    return {"data": data.source, "microseconds_per_image": microseconds}


class Results:
    """A results file that grows by one record at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: list[Record] = (
            json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        )
        for record in self.records:
            if "settings" in record:  # fields that came later have their defaults
                record["settings"] = asdict(Settings(**record["settings"]))

    def find(self, description: Record) -> Record | None:
        """Return the record of what is described, if it has been measured."""
        return next((r for r in self.records if description.items() <= r.items()), None)

    def add(self, description: Record, found: Record, device: str) -> Record:
        """Store what was found at once, and return its record."""
        record = {**description, **found, "environment": environment(pick_device(device))}
        self.records.append(record)
        store_results(self.records, self.path)
        return record


@dataclass(frozen=True)
class Bench:
    """What every measurement needs."""

    data: ImageData
    results: Results
    device: str

    def measure(self, experiment: str, change: Change, settings: Settings) -> Record:
        """Return the record of a training; train only if there is none yet."""
        settings = replace(
            settings,
            schedule=change.schedule,
            weight_decay=WEIGHT_DECAY if change.decayed else 0.0,
            device=self.device,
        )
        description = {
            "experiment": experiment,
            "network": change.network,
            "augmented": change.augmented,
            "settings": asdict(settings),
        }
        known = self.results.find(description)
        return known or self._train(description, change, settings)

    def _train(self, description: Record, change: Change, settings: Settings) -> Record:
        start = time.perf_counter()
        data = self.data.hold_out(HELD_OUT) if description["experiment"] == "peaks" else self.data
        checksum = hashlib.sha256(json.dumps(description).encode()).hexdigest()
        unfinished = self.results.path.with_name(f"{checksum[:16]}.checkpoint")
        found = run(change, settings, data, unfinished)
        record = self.results.add(description, found, self.device)
        unfinished.unlink()
        minutes = (time.perf_counter() - start) / 60
        print(f"{accuracy(record):.2%} in {minutes:.1f} minutes: {change}, {settings}", flush=True)
        return record

    def rate(self, change: Change) -> float:
        """Return the learning rate for a row: for one-cycle, what does best in a short training."""
        if change.schedule == "constant":
            return CONSTANT_RATE
        plain = Change(change.network, schedule=change.schedule)
        short = replace(RECIPE, epochs=PEAK_EPOCHS)
        scores = {
            peak: accuracy(self.measure("peaks", plain, replace(short, lr=peak)))
            for peak in PEAK_RATES
        }
        return max(scores, key=lambda peak: scores[peak])

    def measure_series(self, name: str) -> None:
        """Train every row of a series, all rows with one seed before the next seed."""
        changes, seeds = SERIES[name]
        for seed, change in product(seeds, changes):
            self.measure(name, change, replace(RECIPE, lr=self.rate(change), seed=seed))

    def measure_times(self) -> None:
        """Time the networks in as many rounds as are missing."""
        for number in range(ROUNDS):
            description = {"experiment": "timing", "round": number}
            if self.results.find(description) is None:
                self.results.add(description, time_networks(self.data, number), "cpu")


def accuracy(record: Record) -> float:
    """Return the accuracy on the test images (or those held out) after the last epoch."""
    score = record["epochs"][-1]["test"]
    return float(score["num_correct"] / score["num_examples"])


def main() -> None:
    parts = [*SERIES, "timing"]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts",
        nargs="*",
        default=parts,
        metavar="part",
        help=f"any of: {', '.join(parts)} (default: all, in this order)",
    )
    parser.add_argument("--device", default="cpu", help="such as cuda (default: cpu)")
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        help="CPU threads (default: 1, steady on a shared machine)",
    )
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="default: bench/results/beyond_lenet.json"
    )
    chosen = parser.parse_args()
    unknown = set(chosen.parts) - set(parts)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    os.environ["LENET_REQUIRE_REAL"] = "1"  # numbers of the embedded digits have no place here
    torch.set_num_threads(chosen.threads)
    bench = Bench(load(DATA), Results(chosen.results), chosen.device)
    for part in chosen.parts:
        if part == "timing":
            bench.measure_times()
        else:
            bench.measure_series(part)
    print(f"{len(bench.results.records)} records in {chosen.results.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
