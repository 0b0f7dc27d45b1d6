"""What makes training on a GPU faster: the plain loop, each remedy alone, and remedies together.

Run `python bench/gpu.py` where there is a GPU, of any maker. It takes less than eight minutes and
needs PyTorch and `lenet`. Four things are measured with `NarrowLeNet`: the speed with every remedy,
the speed by batch size, the memory that gradients take, and ten epochs at a batch size of 100 and
a learning rate of 0.01 with Adam: their time, and their accuracy beside that of a CPU.

The images are Fashion-MNIST's. Where they cannot be had, random bytes of the same shape take their
place, and accuracies are not shown. What is stored of an experiment on the same GPU is replaced.
`--device cpu` tries the program out with few images; that is stored only in a file that `--results`
names.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, Dataset

from lenet.atomic import write_atomically
from lenet.data import DataError, ImageData, LabelledImages, load, normalise
from lenet.models import NarrowLeNet
from lenet.train import (
    EVALUATION_BATCH_SIZE,
    Batch,
    GraphedStep,
    ScaledOptimizer,
    Settings,
    evaluate,
    fit,
    in_precision,
    make_scaler,
    pick_device,
)

Record = dict[str, Any]
Step = Callable[
    [Tensor, Tensor], Tensor
]  # images (B, 1, 28, 28), labels (B,): summed loss, correct

# The book's folder of results. `lenet_book.results` would need the widgets' packages.
RESULTS = Path(__file__).parents[1] / "book" / "lenet_book" / "results"
BATCH_SIZE = 100
LR = 0.01
WORKERS = 4
RANDOM = "random bytes of Fashion-MNIST's shape"
PARTS = 10  # of a batch whose gradients are accumulated


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        images: Number of images on which a remedy trains at a time.
        rounds: How often each remedy does so.
        batch_sizes: The batch sizes that are compared.
        epochs: Length of a whole training.
        seeds: Number of whole trainings.
    """

    images: int = 12_000
    rounds: int = 5
    batch_sizes: tuple[int, ...] = (100, 1000, 10_000)
    epochs: int = 10
    seeds: int = 5


FEW = Sizes(images=1000, rounds=2, batch_sizes=(100, 500), epochs=1, seeds=2)


# ---------------------------------------------------------------------------- batches


@dataclass(frozen=True)
class Pictures(Dataset[tuple[Tensor, Tensor]]):
    """The training images one by one, as a `DataLoader` takes them."""

    data: ImageData

    def __len__(self) -> int:
        return len(self.data.train)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        one = self.data.train[index : index + 1]
        return normalise(one.images, self.data.mean, self.data.std)[0], one.labels[0]


@dataclass(frozen=True)
class Moved:
    """Batches of a loader, each moved to a device when its turn comes."""

    loader: DataLoader[tuple[Tensor, Tensor]]
    device: torch.device
    non_blocking: bool

    def __iter__(self) -> Iterator[Batch]:
        for images, labels in self.loader:
            yield (
                images.to(self.device, non_blocking=self.non_blocking),
                labels.to(self.device, non_blocking=self.non_blocking),
            )


def loaded(data: ImageData, size: int, device: torch.device) -> Iterable[Batch]:
    """Return batches that a plain `DataLoader` makes of single images."""
    return Moved(DataLoader(Pictures(data), size, shuffle=True), device, non_blocking=False)


def pinned(data: ImageData, size: int, device: torch.device) -> Iterable[Batch]:
    """Return such batches from page-locked memory, whose copies do not hold Python up."""
    loader = DataLoader(Pictures(data), size, shuffle=True, pin_memory=True)
    return Moved(loader, device, non_blocking=True)


def by_workers(data: ImageData, size: int, device: torch.device) -> Iterable[Batch]:
    """Return such batches, made ahead by other processes, from page-locked memory."""
    loader = DataLoader(
        Pictures(data), size, shuffle=True, pin_memory=True,
        num_workers=WORKERS, persistent_workers=True, prefetch_factor=4,
    )  # fmt: skip
    return Moved(loader, device, non_blocking=True)


def resident(data: ImageData, size: int, device: torch.device) -> Iterable[Batch]:
    """Return batches cut on the device from images that lie there as bytes."""
    return data.to(device).batches("train", size, shuffle=True)


# ---------------------------------------------------------------------------- steps


def adam(model: nn.Module, *, graph: bool) -> torch.optim.Optimizer:
    """Return Adam as PyTorch makes it unless told otherwise."""
    return torch.optim.Adam(model.parameters(), LR, capturable=graph)


def fused_adam(model: nn.Module, *, graph: bool) -> torch.optim.Optimizer:
    """Return Adam in one kernel for all parameters."""
    return torch.optim.Adam(model.parameters(), LR, fused=True, capturable=graph)


@contextmanager
def arithmetic(tf32: bool, cudnn_benchmark: bool) -> Iterator[None]:
    """Choose for a while whether matrix products round to TF32, and whether cuDNN tries kernels."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    torch.backends.cudnn.benchmark = cudnn_benchmark
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.benchmark = before[1]


def eager_step(model: Callable[[Tensor], Tensor], optimizer: torch.optim.Optimizer) -> Step:
    """Return the usual step, which starts kernel after kernel from Python."""

    def step(images: Tensor, labels: Tensor) -> Tensor:
        optimizer.zero_grad()
        logits = model(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        return torch.stack((loss.detach() * len(labels), logits.argmax(1).eq(labels).sum()))

    return step


# ---------------------------------------------------------------------------- remedies


@dataclass(frozen=True)
class Recipe:
    """A way to train: the plain loop, unless something is chosen otherwise.

    Attributes:
        fetch: Makes the batches.
        read: Whether Python reads loss and correct answers after every batch.
        optimizer: Makes the optimizer.
        precision: That of `Settings`.
        tf32: Whether matrix products may round to TF32.
        cudnn_benchmark: Whether cuDNN tries its kernels for a convolution and takes the fastest.
        channels_last: Whether weights and maps lie in the order N, H, W, C.
        compiled: Whether `torch.compile` translates the network.
        graph: Whether the step is a CUDA graph.
    """

    fetch: Callable[[ImageData, int, torch.device], Iterable[Batch]] = loaded
    read: bool = True
    optimizer: Callable[..., torch.optim.Optimizer] = adam
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    tf32: bool = False
    cudnn_benchmark: bool = False
    channels_last: bool = False
    compiled: bool = False
    graph: bool = False

    def step(self, model: nn.Module, device: torch.device) -> Step:
        """Return the step that trains a network, which is on the device already."""
        if self.channels_last:
            model.to(memory_format=torch.channels_last)
        optimizer = self.optimizer(model, graph=self.graph and device.type == "cuda")
        scaler = make_scaler(Settings(precision=self.precision), device)
        if scaler is not None:
            optimizer = ScaledOptimizer(optimizer, scaler)
        trained = in_precision(model, self.precision, scaler)
        step = eager_step(torch.compile(trained) if self.compiled else trained, optimizer)
        return GraphedStep(step) if self.graph else step

    def epoch(self, step: Step, batches: Iterable[Batch]) -> list[float]:
        """Train on all batches; return the summed loss and the number of correct answers."""
        totals: Any = 0.0
        with arithmetic(self.tf32, self.cudnn_benchmark):
            for images, labels in batches:
                counts = step(images, labels)
                totals = totals + (counts.cpu() if self.read else counts)
        return totals.tolist()


PLAIN = Recipe()
TOGETHER = Recipe(fetch=resident, read=False, optimizer=fused_adam)
FASTEST = replace(TOGETHER, graph=True)
REMEDIES = {
    "plain loop": PLAIN,
    "pinned memory, non_blocking": replace(PLAIN, fetch=pinned),
    f"pinned memory, {WORKERS} workers": replace(PLAIN, fetch=by_workers),
    "images on the device": replace(PLAIN, fetch=resident),
    "nothing read in the loop": replace(PLAIN, read=False),
    "fused Adam": replace(PLAIN, optimizer=fused_adam),
    "CUDA graph": replace(PLAIN, graph=True),
    "together: images on the device, nothing read, fused Adam": TOGETHER,
    "together, bfloat16": replace(TOGETHER, precision="bfloat16"),
    "together, float16 with GradScaler": replace(TOGETHER, precision="float16"),
    "together, TF32": replace(TOGETHER, tf32=True),
    "together, cudnn.benchmark": replace(TOGETHER, cudnn_benchmark=True),
    "together, channels_last": replace(TOGETHER, channels_last=True),
    "together, torch.compile": replace(TOGETHER, compiled=True),
    "together, CUDA graph": FASTEST,
    "together, CUDA graph, torch.compile": replace(FASTEST, compiled=True),
}
WHOLE = ("together, CUDA graph", "together, CUDA graph, torch.compile")  # trained to the end


def can_run(recipe: Recipe, device: torch.device) -> bool:
    """Tell whether a recipe is for this device; few images on a CPU are not worth compiling for."""
    if device.type == "cpu":
        return not (recipe.compiled or recipe.graph or recipe.fetch in (pinned, by_workers))
    return device.type == "cuda" or not recipe.graph


# ---------------------------------------------------------------------------- measurements


def seconds(device: torch.device, work: Callable[[], object]) -> float:
    """Return how long the device needs for some work."""
    wait = torch.accelerator.synchronize if device.type != "cpu" else lambda: None
    wait()
    start = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - start


def new_network(seed: int, device: torch.device) -> NarrowLeNet:
    torch.manual_seed(seed)
    return NarrowLeNet().to(device)


def speed(
    recipe: Recipe, data: ImageData, device: torch.device, seed: int, size: int = BATCH_SIZE
) -> float:
    """Return the images per second of a second epoch; the first warms up."""
    step = recipe.step(new_network(seed, device), device)
    batches = recipe.fetch(data, size, device)
    recipe.epoch(step, batches)
    return round(len(data.train) / seconds(device, lambda: recipe.epoch(step, batches)))


def rounds(
    works: Mapping[str, Callable[[int], Any]], number: int
) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """Do every work once in each round, in random order.

    Returns:
        What each work found, round by round; and why a work failed, of those that did.
    """
    found: dict[str, list[Any]] = {name: [] for name in works}
    failed: dict[str, str] = {}
    for seed in range(number):
        for name in random.Random(seed).sample(list(works), len(works)):
            if name in failed:
                continue
            try:
                found[name].append(works[name](seed))
            except Exception as error:  # a machine may lack what one remedy needs, as a compiler
                failed[name] = f"{type(error).__name__}: {error}".partition("\n")[0]
    return {name: values for name, values in found.items() if name not in failed}, failed


def remedies(data: ImageData, device: torch.device, sizes: Sizes) -> Record:
    """Measure the speed with every remedy."""
    part = replace(data, train=data.train[: sizes.images])
    works = {
        name: partial(speed, recipe, part, device)
        for name, recipe in REMEDIES.items()
        if can_run(recipe, device)
    }
    found, failed = rounds(works, sizes.rounds)
    return {"images": sizes.images, "images_per_second": found, "failed": failed}


def batch_sizes(data: ImageData, device: torch.device, sizes: Sizes) -> Record:
    """Measure the speed of the remedies together at several batch sizes."""
    works = {
        str(size): lambda seed, size=size: speed(TOGETHER, data, device, seed, size)
        for size in sizes.batch_sizes
    }
    found, failed = rounds(works, sizes.rounds)
    return {"images": len(data.train), "images_per_second": found, "failed": failed}


def by_fit(graph: bool, data: ImageData, device: torch.device, sizes: Sizes, seed: int) -> Record:
    """Train with `lenet.train.fit`, which notes how long its epochs take."""
    settings = Settings(
        sizes.epochs, BATCH_SIZE, "adam", LR, seed=seed, device=str(device), graph=graph
    )
    history = fit(new_network(seed, device), data, settings, progress=False)
    taken = sum(epoch.seconds for epoch in history.epochs)
    return {"seconds": round(taken, 3), "num_correct": history.epochs[-1].test.num_correct}


def by_recipe(
    recipe: Recipe, data: ImageData, device: torch.device, sizes: Sizes, seed: int
) -> Record:
    """Train by a recipe; recording a graph is part of the time."""
    model = new_network(seed, device)
    step, batches = recipe.step(model, device), recipe.fetch(data, BATCH_SIZE, device)
    epochs = range(sizes.epochs)
    taken = seconds(device, lambda: [recipe.epoch(step, batches) for _ in epochs])
    score = evaluate(model, data.to(device).batches("test", EVALUATION_BATCH_SIZE))
    return {"seconds": round(taken, 3), "num_correct": score.num_correct}


def trainings(data: ImageData, device: torch.device, sizes: Sizes) -> Record:
    """Measure whole trainings, on pixels from 0 to 1: their time, and how good they become."""
    data = replace(data, mean=(0.0,), std=(1.0,))
    works = {"lenet.train.fit": partial(by_fit, False, data, device, sizes)} | {
        name: partial(by_recipe, REMEDIES[name], data, device, sizes)
        for name in WHOLE
        if can_run(REMEDIES[name], device)
    }
    if device.type == "cuda":
        works["lenet.train.fit, graph=True"] = partial(by_fit, True, data, device, sizes)
    found, failed = rounds(works, sizes.seeds)
    return {"epochs": sizes.epochs, "trainings": found, "failed": failed}


# ---------------------------------------------------------------------------- memory


def at_once(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    """Compute the gradients of a batch as usual."""
    F.cross_entropy(model(images), labels).backward()


def in_bfloat16(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    """Compute them in mixed precision."""
    at_once(in_precision(model, "bfloat16"), images, labels)


def in_parts(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    """Add them up over parts of the batch, one after the other."""
    for some, theirs in zip(images.chunk(PARTS), labels.chunk(PARTS), strict=True):
        (F.cross_entropy(model(some), theirs, reduction="sum") / len(labels)).backward()


def recomputed(model: NarrowLeNet, images: Tensor, labels: Tensor) -> None:
    """Keep no maps within the two convolutional stages, but compute them again on the way back."""

    def stage(layer: nn.Module, maps: Tensor) -> Tensor:
        return F.max_pool2d(F.relu(layer(maps)), kernel_size=2)

    t = checkpoint(stage, model.conv1, images, use_reentrant=False)
    t = checkpoint(stage, model.conv2, t, use_reentrant=False)
    t = F.relu(model.fc1(torch.flatten(t, start_dim=1)))
    F.cross_entropy(model.out(F.relu(model.fc2(t))), labels).backward()


GRADIENTS: dict[str, Callable[..., None]] = {
    "all at once": at_once,
    "bfloat16": in_bfloat16,
    f"accumulated over {PARTS} parts": in_parts,
    "activation checkpointing": recomputed,
}


def peak_bytes(gradients: Callable[..., None], examples: LabelledImages, seed: int) -> int:
    """Return the most memory that gradients take at a time, beside weights and images."""
    device = examples.images.device
    model = new_network(seed, device)
    images = normalise(examples.images, (0.0,), (1.0,))
    gradients(model, images, examples.labels)  # libraries take memory of their own once
    model.zero_grad()
    torch.accelerator.reset_peak_memory_stats()
    before = torch.accelerator.memory_allocated()
    gradients(model, images, examples.labels)
    return torch.accelerator.max_memory_allocated() - before


def memory(data: ImageData, device: torch.device, sizes: Sizes) -> Record:
    """Measure the memory that the gradients of the largest batch take; a CPU does not count it."""
    if device.type == "cpu":
        return {"failed": {}}
    size = max(sizes.batch_sizes)
    examples = data.train[:size].to(device)
    works = {name: partial(peak_bytes, way, examples) for name, way in GRADIENTS.items()}
    found, failed = rounds(works, 1)
    return {"batch_size": size, "bytes": found, "failed": failed}


# ---------------------------------------------------------------------------- results

EXPERIMENTS: dict[str, Callable[[ImageData, torch.device, Sizes], Record]] = {
    "remedies": remedies,
    "batch sizes": batch_sizes,
    "trainings": trainings,
    "memory": memory,
}


def environment(device: torch.device) -> Record:
    """Say what was measured on and with."""
    name = getattr(torch.get_device_module(device), "get_device_name", str)
    return {
        "device": device.type,
        "gpu": name(device),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "hip": torch.version.hip,
    }


def measure(
    data: ImageData, device: torch.device, sizes: Sizes, experiments: Iterable[str] = EXPERIMENTS
) -> list[Record]:
    """Make measurements, by default all."""
    records = []
    for name in experiments:
        found = EXPERIMENTS[name](data, device, sizes)
        about = {"experiment": name, "data": data.source, "environment": environment(device)}
        records.append({**about, **found})
        print(table(records[-1]), end="\n\n", flush=True)
    return records


def table(record: Record) -> str:
    """Write one experiment's results, named after the device, with medians over n rounds."""
    where = record["environment"]
    lines = [f"{where['gpu']}, PyTorch {where['torch']}, {record['experiment']}, {record['data']}"]
    for name, found in record.get("images_per_second", {}).items():
        first = next(iter(record["images_per_second"].values()))
        times = statistics.median(a / b for a, b in zip(found, first, strict=True))
        middle = statistics.median(found)
        lines.append(f"{name:58}{middle:11,.0f} images/s, × {times:5.2f}, n = {len(found)}")
    for name, found in record.get("trainings", {}).items():
        taken = statistics.median(each["seconds"] for each in found)
        lines.append(f"{name:58}{taken:8.2f} s for {record['epochs']} epochs, n = {len(found)}")
        if record["data"] != RANDOM and record["epochs"] == Sizes().epochs:
            lines.append(f"{'':58}{accuracy(found)} (on a CPU {accuracy(on_a_cpu())})")
    for name, (found,) in record.get("bytes", {}).items():
        lines.append(f"{name:58}{found / 2**20:8.1f} MiB for {record['batch_size']:,} images")
    return "\n".join(lines + [f"{name:58}{why}" for name, why in record["failed"].items()])


def accuracy(trainings: list[Record]) -> str:
    """Write mean and standard deviation of the accuracies on 10,000 test images."""
    found = [each["num_correct"] / 10_000 for each in trainings]
    return f"{statistics.mean(found):.2%} ± {statistics.stdev(found):.2%}"


def on_a_cpu() -> list[Record]:
    """Return what the same trainings reached on a CPU, by `bench/training_loop.py`."""
    records = json.loads((RESULTS / "training_loop.json").read_text(encoding="utf-8"))
    return [r["epochs"][-1]["test"] for r in records if r["experiment"] == "reference"]


def store(records: list[Record], file: Path) -> None:
    """Write records, one a line, in the place of those of the same device and experiment."""

    def what(record: Record) -> tuple[str, str]:
        return record["environment"]["gpu"], record["experiment"]

    stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    new = {what(record) for record in records}
    kept = [record for record in stored if what(record) not in new]
    lines = ",\n".join(json.dumps(r, ensure_ascii=False) for r in kept + records)
    write_atomically(file, f"[\n{lines}\n]\n".encode())


def images() -> ImageData:
    """Return Fashion-MNIST, or random bytes of its shape."""
    os.environ["LENET_REQUIRE_REAL"] = "1"  # digits are fewer
    try:
        return load("fashion-mnist")
    except DataError:
        return random_images(60_000, 10_000)


def random_images(num_train: int, num_test: int) -> ImageData:
    """Return random bytes in the place of images."""
    train, test = (
        LabelledImages(
            torch.randint(0, 256, (number, 1, 28, 28), dtype=torch.uint8),
            torch.randint(0, 10, (number,)),
        )
        for number in (num_train, num_test)
    )
    return ImageData("random", RANDOM, tuple("0123456789"), train, test, (0.5,), (0.29,))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", choices=EXPERIMENTS, nargs="+", default=[*EXPERIMENTS], help="default: all"
    )
    parser.add_argument("--device", default="auto", help="such as cuda:1 (default: the GPU here)")
    parser.add_argument("--results", type=Path, help="default: the book's own gpu.json")
    chosen = parser.parse_args()
    device = pick_device(chosen.device)
    few = device.type == "cpu"
    data = images()
    if few:
        data = replace(data, train=data.train[: FEW.images])
        print("There is no GPU here: few images, and nothing for the book is measured.")
    records = measure(data, device, FEW if few else Sizes(), chosen.only)
    if chosen.results or not few:
        store(records, chosen.results or RESULTS / "gpu.json")


if __name__ == "__main__":
    main()
