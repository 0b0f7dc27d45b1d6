"""Long experiments on CIFAR-10: what each idea since LeNet buys, alone and with the others.

Run `python bench/beyond_lenet.py`; `--help` lists the experiments. Every finished run is stored at
once, and a run that is stored already is not repeated, so that an interrupted series resumes; a run
under way resumes after its last epoch. Name another file with `--results` to measure everything
again on your own machine.

A constant learning rate is the one that Adam's authors recommend. The peak of one-cycle is the best
of a few on held-out training images, for each network; those short trainings come first and are
stored like the others.

The two deep networks train in mixed precision: about twice as fast on CPUs with instructions for
bfloat16, slower on others. All networks are judged in float32.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Literal

import torch
from series import choose, collect, is_of, scores
from torch import nn

from lenet.data import Batches, ImageData, load
from lenet.data.augment import RandomCropFlip
from lenet.models import CifarLeNet
from lenet.models.modern import CifarLeNetBN, SmallAlexNet, SmallResNet
from lenet.train import Settings, checkpoint, in_precision, make_optimizer, train_epoch
from lenet_book.results import FOLDER, Record

Schedule = Literal["constant", "one-cycle"]
Precision = Literal["float32", "bfloat16"]

RESULTS = FOLDER / "beyond_lenet.json"
DATA = "cifar-10"
NETWORKS: dict[str, type[nn.Module]] = {
    network.__name__: network for network in (CifarLeNet, CifarLeNetBN, SmallAlexNet, SmallResNet)
}
PRECISION: dict[str, Precision] = {
    "CifarLeNet": "float32",
    "CifarLeNetBN": "float32",
    "SmallAlexNet": "bfloat16",
    "SmallResNet": "bfloat16",
}
RECIPE = Settings(epochs=12, batch_size=128, optimizer="adam")
LONG = 24  # epochs
WEIGHT_DECAY = 0.05
HELD_OUT = 10_000  # training images that take the test images' place where peaks are compared
CONSTANT_RATE = 0.001  # Kingma and Ba 2015, algorithm 1
PEAK_RATES = dict.fromkeys(NETWORKS, (0.001, 0.003, 0.01))
PEAK_RATES |= {
    "CifarLeNet": (0.001, 0.003, 0.01, 0.03),
    "CifarLeNetBN": (0.001, 0.003, 0.01, 0.03, 0.1),
}
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


@dataclass(frozen=True)
class Series:
    """Rows that are trained for the same number of epochs.

    Attributes:
        changes: The rows.
        seeds: Each is trained once with each of them.
        epochs: How long.
    """

    changes: Sequence[Change]
    seeds: Iterable[int]
    epochs: int = RECIPE.epochs


SERIES = {
    "small": Series(SMALL, range(6)),
    "deep": Series(DEEP, range(6)),
    "long": Series([together("SmallResNet")], range(6), LONG),
}


def run(change: Change, settings: Settings, data: ImageData, unfinished: Path) -> Record:
    """Train a new network, or go on with an unfinished one, and return its scores by epoch."""
    torch.manual_seed(settings.seed)  # makes the initial weights
    model = NETWORKS[change.network]().to(memory_format=torch.channels_last)
    augment = RandomCropFlip() if change.augmented else None
    history = checkpoint.fit(model, data, replace(settings, augment=augment), unfinished)
    return {"data": data.source, "epochs": scores(history)}


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
        trained = in_precision(model, PRECISION[name])
        train_epoch(trained, warm_up, optimizer)
        start = time.process_time()
        train_epoch(trained, batches, optimizer)
        seconds[name] = time.process_time() - start
    images = [images for images, _ in Batches(examples, data.mean, data.std, RECIPE.batch_size)]
    augment, generator = RandomCropFlip(), torch.Generator().manual_seed(round_number)
    start = time.process_time()
    for batch in images:
        augment(batch, generator)
    seconds["augmentation"] = time.process_time() - start
    microseconds = {name: round(s / len(examples) * 1e6, 2) for name, s in seconds.items()}
    return {"data": data.source, "microseconds_per_image": microseconds}


@dataclass(frozen=True)
class Bench:
    """What every measurement needs.

    Attributes:
        data: The images.
        file: The results file.
        device: Where to train.
    """

    data: ImageData
    file: Path
    device: str

    def measure(self, experiment: str, change: Change, settings: Settings) -> Record:
        """Return the record of a training; train only if there is none yet."""
        settings = replace(
            settings,
            schedule=change.schedule,
            weight_decay=WEIGHT_DECAY if change.decayed else 0.0,
            precision=PRECISION[change.network],
            device=self.device,
        )
        description = {
            "experiment": experiment,
            "network": change.network,
            "augmented": change.augmented,
            "settings": settings.as_json(),
        }
        checksum = hashlib.sha256(json.dumps(description).encode()).hexdigest()
        unfinished = self.file.with_name(f"{checksum[:16]}.checkpoint")

        def train() -> Record:
            held_out = experiment == "peaks"
            data = self.data.hold_out(HELD_OUT) if held_out else self.data
            return run(change, settings, data, unfinished)

        records = collect([(description, train)], self.file, self.device)
        checkpoint.delete(unfinished)
        return next(record for record in records if is_of(record, description))

    def rate(self, change: Change) -> float:
        """Return the learning rate for a row: for one-cycle, what does best in a short training."""
        if change.schedule == "constant":
            return CONSTANT_RATE
        plain = Change(change.network, schedule=change.schedule)
        short = replace(RECIPE, epochs=PEAK_EPOCHS)
        found = {
            peak: accuracy(self.measure("peaks", plain, replace(short, lr=peak)))
            for peak in PEAK_RATES[change.network]
        }
        return max(found, key=lambda peak: found[peak])

    def measure_series(self, name: str) -> None:
        """Train every row of a series, all rows with one seed before the next seed."""
        series = SERIES[name]
        for seed, change in product(series.seeds, series.changes):
            recipe = replace(RECIPE, epochs=series.epochs, lr=self.rate(change), seed=seed)
            self.measure(name, change, recipe)

    def measure_times(self) -> None:
        """Time the networks in as many rounds as are missing."""
        rounds = [
            ({"experiment": "timing", "round": number}, partial(time_networks, self.data, number))
            for number in range(ROUNDS)
        ]
        collect(rounds, self.file)


def accuracy(record: Record) -> float:
    """Return the accuracy on the test images (or those held out) after the last epoch."""
    score = record["epochs"][-1]["test"]
    return float(score["num_correct"] / score["num_examples"])


def main() -> None:
    choice = choose(__doc__, [*SERIES, "timing"], RESULTS)
    bench = Bench(load(DATA), choice.results, choice.device)
    for experiment in choice.experiments:
        if experiment == "timing":
            bench.measure_times()
        else:
            bench.measure_series(experiment)


if __name__ == "__main__":
    main()
