"""Where the time of a training step goes, and how far it is from the machine's own speed.

PyTorch's profiler watches some epochs over a part of Fashion-MNIST, and the time that the CPU
spends in every operation is added up by kind. Beside it stands the rate of multiplications: of the
training, counted with the shape calculator, and of one large matrix product, which shows what the
machine can do.

Run `python bench/profile_step.py`. It is about the CPU; results that are stored are not repeated,
unless you ask for it with `--again`.
"""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from series import collect, make_parser
from torch.profiler import ProfilerActivity, profile, record_function

from lenet.data import Batches, ImageData, load
from lenet.models import NarrowLeNet
from lenet.shapes import trace
from lenet.train import Batch, Settings, make_optimizer, train_epoch
from lenet_book.results import FOLDER, Record
from lenet_book.timing import Stopwatch

RESULTS = FOLDER / "profile_step.json"
IMAGES = 6000
ROUNDS = 7
MATRIX = 1024  # rows and columns of the matrices that are multiplied

# What the profiler calls an operation, by the kind it belongs to. None lies inside another.
KINDS = {
    "data: pick and normalise": ("fetch a batch",),
    "forward: convolution": ("aten::conv2d",),
    "forward: ReLU": ("aten::relu",),
    "forward: max-pooling": ("aten::max_pool2d",),
    "forward: linear": ("aten::linear",),
    "loss": ("aten::cross_entropy_loss", "NllLossBackward0", "LogSoftmaxBackward0"),
    "backward: convolution": ("ConvolutionBackward0",),
    "backward: ReLU": ("ReluBackward0",),
    "backward: max-pooling": ("MaxPool2DWithIndicesBackward0",),
    "backward: linear": ("AddmmBackward0",),
    "optimizer": ("Optimizer.step#AdamW.step", "Optimizer.zero_grad#AdamW.zero_grad"),
}
REST = "all else: Python, bookkeeping"


def watched(batches: Batches) -> Iterator[Batch]:
    """Yield the batches; the profiler sees how long it takes to make each."""
    source = iter(batches)
    for _ in range(len(batches)):
        with record_function("fetch a batch"):
            batch = next(source)
        yield batch


def shares(events: Any, total: float) -> dict[str, float]:  # noqa: ANN401
    """Return the share of the time that every kind of operation took.

    Args:
        events: The profiler's averages by name.
        total: Time of everything, in microseconds.
    """
    kind_of = {name: kind for kind, names in KINDS.items() for name in names}
    spent: Counter[str] = Counter()
    for event in events:
        if event.key in kind_of:
            spent[kind_of[event.key]] += event.cpu_time_total
    found = {kind: round(spent[kind] / total, 4) for kind in KINDS}
    return found | {REST: round(1 - sum(found.values()), 4)}


def operations_per_image() -> int:
    """Return the floating-point operations of training on one image, by the usual count.

    A multiply-accumulate is two operations. The backward pass does the forward's work twice: for
    the gradients of the weights and of the inputs; the first layer's input needs none.
    """
    table = trace(NarrowLeNet(), (1, 28, 28))
    first = next(row.num_macs for row in table.rows if row.num_macs)
    return 2 * (3 * table.num_macs - first)


def matrix_rate() -> float:
    """Return the floating-point operations per second of processor time in a matrix product."""
    a, b = torch.rand(2, MATRIX, MATRIX)
    a @ b
    with Stopwatch() as watch:
        for _ in range(5):
            a @ b
    return 5 * 2 * MATRIX**3 / watch.cpu_seconds


def measure(data: ImageData, number: int) -> Record:
    """Profile one epoch; take the time of another, which the profiler does not slow down."""
    torch.set_num_threads(1)
    torch.manual_seed(number)
    model = NarrowLeNet()
    optimizer = make_optimizer(model, Settings(device="cpu"))
    batches = data.batches("train", shuffle=True)
    train_epoch(model, batches, optimizer)
    with profile(activities=[ProfilerActivity.CPU]) as profiler, record_function("everything"):
        train_epoch(model, watched(batches), optimizer)
    averages = profiler.key_averages()
    total = next(event.cpu_time_total for event in averages if event.key == "everything")
    with Stopwatch() as watch:
        train_epoch(model, batches, optimizer)
    return {
        "data": data.source,
        "shares": shares(averages, total),
        "cpu_microseconds_per_image": round(watch.cpu_seconds / len(data.train) * 1e6, 2),
        "training_gflops": round(
            operations_per_image() * len(data.train) / watch.cpu_seconds / 1e9, 2
        ),
        "matrix_gflops": round(matrix_rate() / 1e9, 2),
    }


def table(records: list[Record]) -> str:
    """Write the median share of every kind of operation, and both rates."""
    lines = [f"shares of a step, median of {len(records)} rounds"]
    for kind in (*KINDS, REST):
        lines.append(f"{kind:32}{statistics.median(r['shares'][kind] for r in records):7.1%}")
    for name in ("training", "matrix"):
        rates = [r[f"{name}_gflops"] for r in records]
        lines.append(f"{name:12}{statistics.median(rates):7.1f} GFLOP/s of processor time")
    return "\n".join(lines)


def main() -> None:
    chosen = make_parser(__doc__, RESULTS, again=True).parse_args()
    os.environ["LENET_REQUIRE_REAL"] = "1"  # numbers of the embedded digits have no place here
    everything = load("fashion-mnist")
    data = replace(everything, train=everything.train[:IMAGES])
    plan = []
    for number in range(ROUNDS):
        description = {"images": IMAGES, "matrix": MATRIX, "round": number}
        plan.append((description, partial(measure, data, number)))
    print(table(collect(plan, chosen.results, again=chosen.again)))


if __name__ == "__main__":
    main()
