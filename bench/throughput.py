"""How fast `lenet.train.fit` trains, beside other ways to run the same training.

All train `NarrowLeNet` on the same Fashion-MNIST images with batches of 100 and Adam at a learning
rate of 0.01. Every round trains once with each, in random order. PyTorch Lightning and skorch take
part when they are installed: `pip install -r bench/requirements.txt`.

Run `python bench/throughput.py`; `--device cuda` measures on a GPU. Rounds that are stored are not
repeated, unless you ask for it with `--again`.
"""

from __future__ import annotations

import os
import random
import statistics
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from io import StringIO
from typing import Any

import torch
import torch.nn.functional as F
from series import collect, make_parser
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision.transforms import ToTensor

from lenet.data import ImageData, dataset, load, normalise
from lenet.data.in_memory import InMemoryDataset
from lenet.models import NarrowLeNet
from lenet.train import EVALUATION_BATCH_SIZE, Settings, evaluate, fit, num_correct, pick_device
from lenet_book.results import FOLDER, Record
from lenet_book.timing import Stopwatch

RESULTS = FOLDER / "throughput.json"
DATA = "fashion-mnist"
BATCH_SIZE = 100
LR = 0.01
WARM_UP = 3 * BATCH_SIZE  # images that are trained on before the time is taken
IMAGES = 24_000  # per round and way
ROUNDS = 10
EPOCHS = 3  # where accuracies are compared
SEEDS = 5


@dataclass(frozen=True)
class Work:
    """One epoch of training for one of the ways.

    Attributes:
        pictures: The training images, used as a torchvision dataset is.
        data: The same images in memory, on the device; one test image only, so that `fit`
            spends no time on evaluation.
        device: Where to train.
        seed: Seed of the network and of the order of the images.
    """

    pictures: InMemoryDataset
    data: ImageData
    device: torch.device
    seed: int

    def network(self) -> NarrowLeNet:
        """Return a new network; the same seed gives the same weights."""
        torch.manual_seed(self.seed)
        return NarrowLeNet().to(self.device)

    def first(self, num_images: int) -> Work:
        """Return the same work with the first images only."""
        cut = replace(self.data, train=self.data.train[:num_images], test=self.data.test[:1])
        pictures = dataset(DATA, transform=ToTensor())
        pictures.data = pictures.data[:num_images]
        pictures.targets = pictures.targets[:num_images]
        return replace(self, pictures=pictures, data=cut)

    def resident(self) -> tuple[Tensor, Tensor]:
        """Return all images, normalised and as float32 (N, 1, 28, 28), and their labels (N,)."""
        train = self.data.train
        return normalise(train.images, self.data.mean, self.data.std), train.labels


def with_fit(work: Work) -> Stopwatch:
    """Train as the book does: progress bar (drawn out of sight), history and all."""
    settings = Settings(1, BATCH_SIZE, "adam", LR, seed=work.seed, device=str(work.device))
    model = work.network()
    with redirect_stderr(StringIO()):
        fit(model, work.first(WARM_UP).data, settings)
        with Stopwatch(work.device) as watch:
            fit(model, work.data, settings)
    return watch


def with_bare_loop(work: Work) -> Stopwatch:
    """Train with the least code that does: the floor. Nothing is counted or shown."""
    model = work.network()
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, fused=True)
    images, labels = work.resident()

    def epoch(num_images: int) -> None:
        order = torch.randperm(num_images).to(work.device)
        for chosen in order.split(BATCH_SIZE):
            optimizer.zero_grad()
            F.cross_entropy(model(images[chosen]), labels[chosen]).backward()
            optimizer.step()

    epoch(WARM_UP)
    with Stopwatch(work.device) as watch:
        epoch(len(images))
    return watch


def textbook_epoch(
    model: nn.Module, loader: DataLoader[Any], optimizer: torch.optim.Optimizer
) -> tuple[float, int]:
    """Train as courses do; return the summed loss and the number of correct predictions."""
    device = next(model.parameters()).device
    total_loss, total_correct = 0.0, 0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        logits = model(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        total_loss += loss.item()
        total_correct += num_correct(logits, labels)
    return total_loss, total_correct


def with_textbook_loop(work: Work, *, workers: int = 0) -> Stopwatch:
    """Train with a DataLoader that opens and converts image by image.

    Args:
        work: What to train on.
        workers: Number of processes that fetch batches ahead; with 0 the loop fetches them.
    """
    model = work.network()
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    for pictures in (work.first(WARM_UP).pictures, work.pictures):
        loader = DataLoader(pictures, BATCH_SIZE, shuffle=True, num_workers=workers)
        with Stopwatch(work.device) as watch:
            textbook_epoch(model, loader, optimizer)
    return watch


def with_lightning(work: Work, *, resident: bool = False) -> Stopwatch:
    """Train with PyTorch Lightning, bare: no progress bar, logger, checkpoint or summary.

    Args:
        work: What to train on.
        resident: Whether the batches are those of `lenet.data.Batches`, or a `DataLoader`'s.
    """
    import logging

    import pytorch_lightning as lightning

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = work.network()

        def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
            images, labels = batch
            return F.cross_entropy(self.network(images), labels)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=LR)

    class SecondEpoch(lightning.Callback):
        """Takes the time of an epoch without what Lightning does before and after a training."""

        watch = Stopwatch(work.device)

        def on_train_epoch_start(self, *trained: object) -> None:
            self.watch.__enter__()

        def on_train_epoch_end(self, *trained: object) -> None:
            self.watch.__exit__()

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    timed, module = SecondEpoch(), Module()
    lean = dict.fromkeys(
        ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False
    )
    accelerator = "cpu" if work.device.type == "cpu" else "auto"
    for part in (work.first(WARM_UP), work):
        loader: Any = DataLoader(part.pictures, batch_size=BATCH_SIZE, shuffle=True)
        if resident:
            loader = part.data.batches("train", BATCH_SIZE, shuffle=True)
        trainer = lightning.Trainer(
            max_epochs=1, accelerator=accelerator, devices=1, callbacks=[timed], **lean
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there are no workers, that the loader is ours
            trainer.fit(module, loader)
    return timed.watch


def with_skorch(work: Work) -> Stopwatch:
    """Train with skorch on a tensor of normalised images."""
    from skorch import NeuralNetClassifier

    network = NeuralNetClassifier(
        work.network(),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=LR,
        batch_size=BATCH_SIZE,
        max_epochs=1,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
        device=str(work.device),
    )
    images, labels = work.resident()
    network.partial_fit(images[:WARM_UP], labels[:WARM_UP])
    with Stopwatch(work.device) as watch:
        network.partial_fit(images, labels)
    return watch


Way = Callable[[Work], Stopwatch]
WAYS: dict[str, Way] = {
    "lenet.train.fit": with_fit,
    "bare loop": with_bare_loop,
    "textbook loop": with_textbook_loop,
    "textbook, 2 workers": partial(with_textbook_loop, workers=2),
}
GUESTS: dict[str, tuple[str, Way]] = {  # by name: the package that each needs
    "Lightning": ("pytorch_lightning", with_lightning),
    "Lightning, our batches": ("pytorch_lightning", partial(with_lightning, resident=True)),
    "skorch": ("skorch", with_skorch),
}


def ways() -> dict[str, Way]:
    """Return the ways that can be measured here, and say which cannot."""
    found = dict(WAYS)
    for name, (package, way) in GUESTS.items():
        if find_spec(package):
            found[name] = way
        else:
            print(f"{name} is left out: pip install -r bench/requirements.txt")
    return found


def race(work: Work, threads: int) -> Record:
    """Train once with every way, in random order."""
    torch.set_num_threads(threads)
    taking_part = ways()
    names = random.Random(work.seed).sample(list(taking_part), len(taking_part))
    watches = {name: taking_part[name](work) for name in names}
    packages = {package for package, _ in GUESTS.values() if find_spec(package)}
    return {
        "data": work.data.source,
        "seconds": {name: round(watches[name].seconds, 4) for name in taking_part},
        "cpu_seconds": {name: round(watches[name].cpu_seconds, 4) for name in taking_part},
        "versions": {package: version(package) for package in sorted(packages)},
    }


def scores(way: str, work: Work) -> Record:
    """Train for some epochs on all images, not normalised, and return test accuracies."""
    torch.set_num_threads(1)
    data = replace(work.data, mean=(0.0,), std=(1.0,))
    model = work.network()
    if way == "lenet.train.fit":
        settings = Settings(EPOCHS, BATCH_SIZE, "adam", LR, seed=work.seed, device=str(work.device))
        history = fit(model, data, settings, progress=False)
        return {"num_correct": [e.test.num_correct for e in history.epochs]}
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    loader = DataLoader(work.pictures, batch_size=BATCH_SIZE, shuffle=True)
    found = []
    for _ in range(EPOCHS):
        textbook_epoch(model, loader, optimizer)
        found.append(evaluate(model, data.batches("test", EVALUATION_BATCH_SIZE)).num_correct)
    return {"num_correct": found}


def planned(work: Work, threads: list[int]) -> Iterator[tuple[Record, Callable[[], Record]]]:
    """Yield every measurement: what it is, and how to make it."""
    device, measured = str(work.device), list(ways())
    part = work.first(IMAGES)
    for number in range(ROUNDS):
        for count in threads:
            yield (
                {
                    "experiment": "race",
                    "device": device,
                    "threads": count,
                    "images": IMAGES,
                    "ways": measured,
                    "round": number,
                },
                lambda number=number, count=count: race(replace(part, seed=number), count),
            )
    for seed in range(SEEDS):
        for way in ("lenet.train.fit", "textbook loop"):
            yield (
                {"experiment": "accuracy", "device": device, "way": way, "seed": seed},
                lambda seed=seed, way=way: scores(way, replace(work, seed=seed)),
            )


def table(records: list[Record], device: str, threads: int, clock: str = "seconds") -> str:
    """Write images per second of every way, and how many times as fast `fit` is."""
    rounds = [
        r
        for r in records
        if (r["experiment"], r["device"], r.get("threads")) == ("race", device, threads)
    ]
    lines = [f"{device}, {threads} CPU thread(s), {len(rounds)} rounds, by {clock}"]
    lines += [f"{'':24}{'images/s':>10}  fit is … times as fast (middle half of the rounds)"]
    for name in rounds[-1]["ways"] if rounds else []:
        pairs = [(r[clock][name], r[clock]["lenet.train.fit"], r["images"]) for r in rounds]
        speed = statistics.median(images / seconds for seconds, _, images in pairs)
        low, middle, high = statistics.quantiles([a / b for a, b, _ in pairs], n=4)
        lines.append(f"{name:24}{speed:10,.0f}  {middle:.2f} ({low:.2f} to {high:.2f})")
    return "\n".join(lines)


def main() -> None:
    parser = make_parser(__doc__, RESULTS, again=True)
    experiments = ["race", "accuracy"]
    parser.add_argument(
        "experiments",
        nargs="*",
        default=experiments,
        metavar="experiment",
        help="race or accuracy (default: both)",
    )
    parser.add_argument("--device", default="cpu", help="such as cuda (default: cpu)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="default: 1 2")
    chosen = parser.parse_args()
    unknown = set(chosen.experiments) - set(experiments)
    if unknown:
        parser.error(f"no such experiment: {', '.join(sorted(unknown))}")
    os.environ["LENET_REQUIRE_REAL"] = "1"  # numbers of the embedded digits have no place here
    os.environ["TQDM_DISABLE"] = "0"  # the progress bar is part of what is measured
    device = pick_device(chosen.device)
    work = Work(dataset(DATA, transform=ToTensor()), load(DATA).to(device), device, seed=0)
    plan = [p for p in planned(work, chosen.threads) if p[0]["experiment"] in chosen.experiments]
    records = collect(plan, chosen.results, device, again=chosen.again)
    for threads in chosen.threads:
        for clock in ("seconds", "cpu_seconds"):
            print(table(records, str(device), threads, clock), end="\n\n")


if __name__ == "__main__":
    main()
