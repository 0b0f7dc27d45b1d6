"""Long experiments with the LeNet of the CIFAR-10 tutorials: what chapter 10 reports with spread.

Run `python bench/cifar10.py`; `--help` lists the experiments. Every finished run is stored at once,
and a run that is stored already is not repeated, so that an interrupted series resumes. Name
another file with `--results` to measure everything again on your own machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import partial

import torch
from series import choose, collect, scores

from lenet.data import ImageData, load
from lenet.data.augment import RandomCropFlip
from lenet.models import CifarLeNet
from lenet.train import EVALUATION_BATCH_SIZE, Settings, confusion, fit, pick_device, predict
from lenet_book.results import FOLDER, Record

RESULTS = FOLDER / "cifar10.json"
SEEDS = range(3)
HELD_OUT = 10_000  # training images that take the test images' place where settings are compared
ONE_CYCLE_LRS = (0.005, 0.02, 0.05)


@dataclass(frozen=True)
class Run:
    """One training of a `CifarLeNet` from fresh weights.

    Attributes:
        experiment: The series it belongs to.
        settings: How to train; the seed also makes the initial weights.
        normalised: Whether pixels are normalised, or left as they are from 0 to 1.
        crop_flip: Whether training images are shifted and mirrored at random.
        held_out: Number of training images that serve as test images; 0 for the real test images.
    """

    experiment: str
    settings: Settings
    normalised: bool = True
    crop_flip: bool = False
    held_out: int = 0

    def description(self) -> Record:
        """Return everything that tells this run from another, as JSON has it."""
        return asdict(self) | {"settings": self.settings.as_json()}


def series(device: str) -> dict[str, list[Run]]:
    """Return the runs of every experiment."""
    reference = Settings(epochs=2, batch_size=4, optimizer="sgd", lr=0.001, device=device)
    longer = replace(reference, epochs=10)
    cycle = Settings(
        epochs=10,
        batch_size=32,
        optimizer="sgd",
        lr=0.02,
        weight_decay=0.0005,
        schedule="one-cycle",
        device=device,
    )
    every = {
        "reference": [Run("reference", reference)],
        "choosing": [
            Run("choosing", replace(cycle, epochs=5, lr=lr), held_out=HELD_OUT)
            for lr in ONE_CYCLE_LRS
        ],
        "one-cycle": [Run("one-cycle", cycle)],
        "crop-flip": [Run("crop-flip", cycle, crop_flip=True)],
        "long": [Run("long", replace(cycle, epochs=30), crop_flip=True)],
        "not-normalised": [Run("not-normalised", reference, normalised=False)],
        "longer": [Run("longer", longer)],
    }
    return {
        name: [
            replace(run, settings=replace(run.settings, seed=seed))
            for seed in (SEEDS[:1] if name == "choosing" else SEEDS)
            for run in runs
        ]
        for name, runs in every.items()
    }


def train(run: Run, data: ImageData) -> Record:
    """Train a new network; return its scores epoch by epoch and its confusion matrix at the end."""
    if not run.normalised:
        data = replace(data, mean=(0.0,) * 3, std=(1.0,) * 3)
    if run.held_out:
        data = data.hold_out(run.held_out)
    torch.manual_seed(run.settings.seed)
    model = CifarLeNet()
    augment = RandomCropFlip() if run.crop_flip else None
    history = fit(model, data, replace(run.settings, augment=augment))
    device = pick_device(run.settings.device)
    logits, labels = predict(model, data.to(device).batches("test", EVALUATION_BATCH_SIZE))
    found = {"data": data.source, "epochs": scores(history)}
    return {**found, "confusion": confusion(logits, labels).tolist()}


def planned(experiments: Iterable[str], device: str) -> list[Run]:
    """Return the runs of the experiments, the first seed of all of them first."""
    chosen = [run for name in experiments for run in series(device)[name]]
    return sorted(chosen, key=lambda run: run.settings.seed)


def main() -> None:
    choice = choose(__doc__, list(series("cpu")), RESULTS)
    data = load("cifar-10")
    runs = planned(choice.experiments, choice.device)
    plan = [(run.description(), partial(train, run, data)) for run in runs]
    collect(plan, choice.results, choice.device)


if __name__ == "__main__":
    main()
