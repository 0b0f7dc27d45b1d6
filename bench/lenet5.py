"""Long experiments with LeNet-5, then and now: what chapter 9 reports with mean and spread.

Run `python bench/lenet5.py`; `--help` lists the experiments. Every finished run is stored at once,
and a run that is stored already is not repeated, so that an interrupted series resumes. Name
another file with `--results` to measure everything again on your own machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product

import torch
import torch.nn.functional as F
from series import choose, collect, scores
from torch import Tensor, nn

from lenet.data import ImageData, load
from lenet.data.augment import RandomAffine
from lenet.models import LeNet5, LeNet5_1998, LeNet5Linear, NarrowLeNet
from lenet.models.lenet1998 import (
    PIXEL_MEAN,
    PIXEL_STD,
    EuclideanRBF,
    SparseConv2d,
    Subsampling,
    class_bitmaps,
    connection_table,
    discriminative_loss,
    draw_uniformly,
    squash,
)
from lenet.train import Augmentation, Loss, Settings, fit
from lenet_book.results import FOLDER, Record

RESULTS = FOLDER / "lenet5.json"
SEEDS = range(3)

RECIPE = Settings(  # for every network alike: none was tuned on the test images
    epochs=10, batch_size=100, optimizer="adam", lr=0.005, weight_decay=0.01, schedule="one-cycle"
)
PLAIN = Settings(epochs=3, batch_size=50, optimizer="sgd", lr=0.05)
WIDTHS = (8, 15, 30, 60, 120, 240, 480)

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    network.__name__: network for network in (LeNet5, LeNet5Linear, LeNet5_1998, NarrowLeNet)
}
PIXELS: dict[str, Callable[[ImageData], ImageData]] = {
    "normalised": lambda data: data,
    "normalised, black frame": lambda data: data.pad(2),
    "from 0 to 1": lambda data: replace(data, mean=(0.0,), std=(1.0,)),
    "as in 1998": lambda data: replace(data.pad(2), mean=PIXEL_MEAN, std=PIXEL_STD),
}
LOSSES: dict[str, Loss] = {
    "cross-entropy": F.cross_entropy,
    "discriminative": discriminative_loss,
}
DISTORTIONS: dict[str, Augmentation | None] = {
    "none": None,
    "as in 1998": RandomAffine(degrees=0, scale=1.15, shear=0.25, shift=2, squeeze=1.15),
}
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
POOLINGS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


@dataclass(frozen=True)
class Variant:
    """A `LeNet5Linear` with one thing or another changed.

    Attributes:
        width: Number of features of C5.
        activation: A name of `ACTIVATIONS`.
        pooling: A name of `POOLINGS`.
        initialisation: ``"default"`` (PyTorch's) or ``"xavier"`` (Glorot and Bengio 2010).
        padding: Padding of C1.
    """

    width: int = 120
    activation: str = "relu"
    pooling: str = "max"
    initialisation: str = "default"
    padding: int = 2

    def make(self) -> nn.Module:
        """Make the network, with weights from PyTorch's global generator."""
        activation, pool = ACTIVATIONS[self.activation], POOLINGS[self.pooling]
        features = [nn.Conv2d(1, 6, 5, padding=self.padding), activation(), pool(2)]
        features += [nn.Conv2d(6, 16, 5), activation(), pool(2), nn.Flatten()]
        features += [nn.Linear(400, self.width), activation(), nn.Linear(self.width, 84)]
        model = nn.Sequential(*features, activation(), nn.Linear(84, 10))
        if self.initialisation == "xavier":
            for parameter in model.parameters():
                fill = nn.init.xavier_uniform_ if parameter.dim() > 1 else nn.init.zeros_
                fill(parameter)
        return model


class Squash(nn.Module):
    """The paper's squashing function as a layer."""

    def forward(self, sums: Tensor) -> Tensor:
        """Map sums to outputs of the same shape."""
        return squash(sums)


class Likeness(EuclideanRBF):
    """The paper's output layer with its sign changed, so that the largest output wins."""

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, F) to negative squared distances (N, classes)."""
        return -super().forward(x)


@dataclass(frozen=True)
class Design:
    """A `LeNet5_1998` with one part or another as it is made today.

    With drawings as targets F6 is always squashed: their -1 is out of ReLU's reach.

    Attributes:
        c3: ``"table"`` or ``"full"``: which maps of S2 each map of C3 looks at.
        subsampling: ``"trainable"`` (and squashed), or a name of `POOLINGS`.
        activation: ``"squash"`` or ``"relu"``.
        output: ``"drawings"``, distances from them, or ``"linear"``.
        start: How weights begin: as in the paper, ``"1998"``, or ``"today"``, uniformly between
            -1/√n and 1/√n for n inputs (subsampling has no way of today and keeps the paper's).
    """

    c3: str = "table"
    subsampling: str = "trainable"
    activation: str = "squash"
    output: str = "drawings"
    start: str = "1998"

    def make(self) -> nn.Module:
        """Make the network, with weights from PyTorch's global generator."""
        activation = {"squash": Squash, "relu": nn.ReLU}[self.activation]
        table = connection_table()
        c3 = SparseConv2d(table, 5) if self.c3 == "table" else nn.Conv2d(6, 16, 5)
        maps = [nn.Conv2d(1, 6, 5), activation(), *self._subsampling(6, activation)]
        maps += [c3, activation(), *self._subsampling(16, activation)]
        features = [nn.Conv2d(16, 120, 5), activation(), nn.Flatten(), nn.Linear(120, 84)]
        drawings = Squash(), Likeness(class_bitmaps().flatten(start_dim=1))
        output = drawings if self.output == "drawings" else (activation(), nn.Linear(84, 10))
        model = nn.Sequential(*maps, *features, *output)
        for layer in model:
            if self.start == "1998" and isinstance(layer, (nn.Conv2d, nn.Linear)):
                for parameter in layer.parameters():
                    draw_uniformly(parameter, fan_in=layer.weight[0].numel())
            if self.start == "today" and isinstance(layer, SparseConv2d):
                fan_in = table.sum(dim=1) * 25
                draw_uniformly(layer.bias, 2.4 * fan_in.sqrt())
                of_kernels = fan_in.repeat_interleave(table.sum(dim=1))[:, None, None]
                draw_uniformly(layer.kernels, 2.4 * of_kernels.sqrt())
        return model

    def _subsampling(self, num_maps: int, activation: type[nn.Module]) -> list[nn.Module]:
        if self.subsampling == "trainable":
            return [Subsampling(num_maps), activation()]
        return [POOLINGS[self.subsampling](2)]


@dataclass(frozen=True)
class Run:
    """One training from fresh weights.

    Attributes:
        experiment: The series it belongs to.
        network: A name of `NETWORKS`, a variant of LeNet-5, or a design of 1998 with changes.
        settings: How to train; the seed also makes the initial weights.
        data: Name of the data set.
        num_images: Number of training images, the first ones; 0 for all.
        pixels: What the network sees, a name of `PIXELS`.
        distortions: What is done to the training images, a name of `DISTORTIONS`.
        loss: A name of `LOSSES`.
    """

    experiment: str
    network: str | Variant | Design
    settings: Settings = RECIPE
    data: str = "mnist"
    num_images: int = 0
    pixels: str = "normalised"
    distortions: str = "none"
    loss: str = "cross-entropy"

    def description(self) -> Record:
        """Return everything that tells this run from another, as JSON has it."""
        return asdict(self) | {"settings": self.settings.as_json()}


DESIGNS = (
    Design(),
    Design(c3="full"),
    Design(subsampling="average"),
    Design(subsampling="max"),
    Design(activation="relu"),
    Design(start="today"),
    Design(activation="relu", start="today"),
    Design(output="linear"),
    Design("full", "max", "relu", "linear", "today"),
)


def one_at_a_time() -> list[Run]:
    """Return the design of 1998 and each change of it, all with the same settings."""
    losses = {"drawings": "discriminative", "linear": "cross-entropy"}
    brief = Run("one at a time", DESIGNS[0], replace(RECIPE, epochs=4), num_images=20_000)
    brief = replace(brief, pixels="as in 1998")
    runs = [replace(brief, network=design, loss=losses[design.output]) for design in DESIGNS]
    return [*runs, replace(runs[0], distortions="as in 1998")]


def series() -> dict[str, list[Run]]:
    """Return the runs of every experiment, for one seed."""
    eight, short = replace(RECIPE, epochs=8), replace(RECIPE, epochs=2)
    old = Run("1998", "LeNet5_1998", eight, pixels="as in 1998", loss="discriminative")
    return {
        "lenet5": [Run("lenet5", name) for name in ("LeNet5", "LeNet5Linear")],
        "fashion": [Run("fashion", "NarrowLeNet", data="fashion-mnist")],
        "1998": [old],
        "distortions": [Run("distortions", "LeNet5", eight, distortions="as in 1998")],
        "one at a time": one_at_a_time(),
        "width": [Run("width", Variant(width=width), short, num_images=12_000) for width in WIDTHS],
        "trainability": [
            Run("trainability", Variant(120, *choice), PLAIN, num_images=12_000)
            for choice in product(ACTIVATIONS, POOLINGS, ("default", "xavier"))
        ],
        "pixels": [
            replace(
                Run("pixels", Variant(padding=padding), short), num_images=12_000, pixels=pixels
            )
            for padding, pixels in (
                (2, "normalised"),
                (0, "normalised, black frame"),
                (2, "from 0 to 1"),
            )
        ],
    }


def train(run: Run) -> Record:
    """Train a new network and return its scores, epoch by epoch."""
    data = load(run.data)
    data = PIXELS[run.pixels](replace(data, train=data.train[: run.num_images or None]))
    torch.manual_seed(run.settings.seed)
    model = NETWORKS[run.network]() if isinstance(run.network, str) else run.network.make()
    settings = replace(
        run.settings, augment=DISTORTIONS[run.distortions], loss_function=LOSSES[run.loss]
    )
    history = fit(model, data, settings)
    return {"source": data.source, "epochs": scores(history)}


def planned(experiments: Iterable[str], device: str) -> list[Run]:
    """Return the runs of the experiments in their order, each with every seed."""
    return [
        replace(run, settings=replace(run.settings, seed=seed, device=device))
        for name in experiments
        for seed in SEEDS
        for run in series()[name]
    ]


def main() -> None:
    choice = choose(__doc__, list(series()), RESULTS)
    runs = planned(choice.experiments, choice.device)
    plan = [(run.description(), partial(train, run)) for run in runs]
    collect(plan, choice.results, choice.device)


if __name__ == "__main__":
    main()
