"""What makes the training step faster, and what does not: one change at a time.

Every round trains `NarrowLeNet` on the same Fashion-MNIST images once in each variant, in random
order, and with `lenet.train.train_epoch` as it is. The table shows how many images each variant
trains in the time in which the plain way trains one.

Run `python bench/step_variants.py`; `--device cuda` measures on a GPU. Rounds that are stored are
not repeated, unless you ask for it with `--again`.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from series import collect, make_parser
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lenet.data import Batches, ImageData, load, normalise
from lenet.models import NarrowLeNet
from lenet.train import Batch, MixedPrecision, pick_device, train_epoch
from lenet_book.results import FOLDER, Record
from lenet_book.timing import Stopwatch

RESULTS = FOLDER / "step_variants.json"
IMAGES = 6000
ROUNDS = 12
PLAIN = "as in the book"
FUSED_ADAM = partial(torch.optim.Adam, fused=True)

MakeBatches = Callable[[ImageData, int], Iterable[Batch]]


class PoolFirst(NarrowLeNet):
    """The same function: ReLU after max-pooling, on a quarter of the numbers."""

    def forward(self, t: Tensor) -> Tensor:
        """Map images (N, 1, 28, 28) to logits (N, 10)."""
        t = F.relu(F.max_pool2d(self.conv1(t), kernel_size=2))  # (N, 6, 12, 12)
        t = F.relu(F.max_pool2d(self.conv2(t), kernel_size=2))  # (N, 12, 4, 4)
        t = torch.flatten(t, start_dim=1)  # (N, 192)
        return self.out(F.relu(self.fc2(F.relu(self.fc1(t)))))


class InPlace(NarrowLeNet):
    """The same function: ReLU overwrites its input."""

    def forward(self, t: Tensor) -> Tensor:
        """Map images (N, 1, 28, 28) to logits (N, 10)."""
        t = F.max_pool2d(F.relu_(self.conv1(t)), kernel_size=2)  # (N, 6, 12, 12)
        t = F.max_pool2d(F.relu_(self.conv2(t)), kernel_size=2)  # (N, 12, 4, 4)
        t = torch.flatten(t, start_dim=1)  # (N, 192)
        return self.out(F.relu_(self.fc2(F.relu_(self.fc1(t)))))


def mixed_precision() -> nn.Module:
    """Return the network with its layers in bfloat16 where autocast holds that to be safe."""
    return MixedPrecision(NarrowLeNet())


def channels_last() -> nn.Module:
    """Return the network with its weights, hence its maps, in the order N, H, W, C."""
    return NarrowLeNet().to(memory_format=torch.channels_last)


def compiled() -> nn.Module:
    """Return the network behind `torch.compile`."""
    return torch.compile(NarrowLeNet())


def resident_bytes(data: ImageData, batch_size: int) -> Batches:
    """Return batches as the book makes them: bytes that are normalised batch by batch."""
    return data.batches("train", batch_size, shuffle=True)


def resident_floats(data: ImageData, batch_size: int) -> Iterable[Batch]:
    """Return batches cut from images that were normalised once: four times the memory."""
    images = normalise(data.train.images, data.mean, data.std)
    order = torch.randperm(len(images)).to(images.device)
    return [(images[chosen], data.train.labels[chosen]) for chosen in order.split(batch_size)]


def loader_over_tensors(data: ImageData, batch_size: int) -> DataLoader[Any]:
    """Return a DataLoader that picks single images from a tensor and stacks them."""
    images = normalise(data.train.images, data.mean, data.std)
    return DataLoader(TensorDataset(images, data.train.labels), batch_size, shuffle=True)


@dataclass(frozen=True)
class Variant:
    """One way to run the same training.

    Attributes:
        name: What the table calls it.
        network: Makes the network.
        optimizer: Makes the optimizer from the parameters.
        batches: Makes the batches from the data and the batch size.
        batch_size: Number of images in a batch.
    """

    name: str
    network: Callable[[], nn.Module] = NarrowLeNet
    optimizer: Callable[..., torch.optim.Optimizer] = FUSED_ADAM
    batches: MakeBatches = resident_bytes
    batch_size: int = 100


VARIANTS = [
    Variant(PLAIN),
    Variant("optimizer: one parameter at a time",
            optimizer=partial(torch.optim.Adam, foreach=False)),
    Variant("optimizer: foreach", optimizer=partial(torch.optim.Adam, foreach=True)),
    Variant("optimizer: fused SGD with momentum",
            optimizer=partial(torch.optim.SGD, momentum=0.9, fused=True)),
    Variant("pooling before ReLU", network=PoolFirst),
    Variant("ReLU in place", network=InPlace),
    Variant("channels_last", network=channels_last),
    Variant("bfloat16 (autocast)", network=mixed_precision),
    Variant("torch.compile", network=compiled),
    Variant("images kept as floats", batches=resident_floats),
    Variant("DataLoader over a tensor", batches=loader_over_tensors),
    Variant("batch size 50", batch_size=50),
    Variant("batch size 200", batch_size=200),
    Variant("batch size 1,000", batch_size=1000),
]  # fmt: skip


def trial(variant: Variant, data: ImageData, seed: int) -> Stopwatch:
    """Train one epoch in this variant, after a short one to warm up."""
    torch.manual_seed(seed)
    device = data.train.images.device
    model = variant.network().to(device)
    optimizer = variant.optimizer(model.parameters(), lr=0.01)
    train_epoch(model, variant.batches(data, variant.batch_size), optimizer)
    with Stopwatch(device) as watch:
        train_epoch(model, variant.batches(data, variant.batch_size), optimizer)
    return watch


def variants(device: torch.device) -> list[Variant]:
    """Return what can be measured here; `torch.compile` on a CPU needs a C++ compiler."""
    compiler = device.type != "cpu" or any(map(shutil.which, ("c++", "g++", "clang++")))
    return [v for v in VARIANTS if compiler or v.network is not compiled]


def trials(data: ImageData, chosen: list[Variant], number: int) -> Record:
    """Train once in every variant, in random order."""
    order = random.Random(number).sample(chosen, len(chosen))
    watches = {variant.name: trial(variant, data, number) for variant in order}
    return {
        "data": data.source,
        "seconds": {v.name: round(watches[v.name].seconds, 4) for v in chosen},
        "cpu_seconds": {v.name: round(watches[v.name].cpu_seconds, 4) for v in chosen},
    }


def table(records: list[Record], device: str, clock: str) -> str:
    """Write the speed of every variant relative to the plain way in the same round."""
    rounds = [r for r in records if r["device"] == device]
    lines = [f"{device}, {len(rounds)} rounds, by {clock}"]
    lines += [f"{'':38}{'images/s':>9}  speed relative to the book's (middle half)"]
    for name in rounds[-1]["seconds"]:
        speed = statistics.median(r["images"] / r[clock][name] for r in rounds)
        low, middle, high = statistics.quantiles(
            [r[clock][PLAIN] / r[clock][name] for r in rounds], n=4
        )
        lines.append(f"{name:38}{speed:9,.0f}  {middle:.2f} ({low:.2f} to {high:.2f})")
    return "\n".join(lines)


def main() -> None:
    parser = make_parser(__doc__, RESULTS, again=True)
    parser.add_argument("--device", default="cpu", help="such as cuda (default: cpu)")
    chosen = parser.parse_args()
    os.environ["LENET_REQUIRE_REAL"] = "1"  # numbers of the embedded digits have no place here
    torch.set_num_threads(1)
    device = pick_device(chosen.device)
    everything = load("fashion-mnist").to(device)
    data = replace(everything, train=everything.train[:IMAGES])
    can_run = variants(device)
    plan = []
    for number in range(ROUNDS):
        description = {"device": str(device), "images": IMAGES, "round": number}
        plan.append((description, partial(trials, data, can_run, number)))
    records = collect(plan, chosen.results, device, again=chosen.again)
    for clock in ("seconds", "cpu_seconds"):
        print(table(records, str(device), clock), end="\n\n")


if __name__ == "__main__":
    main()
