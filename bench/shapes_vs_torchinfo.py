"""Compare `lenet.shapes.trace` with torchinfo: what each sees of a network, and how long it takes.

Run `python bench/shapes_vs_torchinfo.py`; it needs torchinfo, which the package does not. Both
programs run as many images through the same network in turns, so that whatever else the
machine does falls on both alike.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torchinfo
import torchvision
from series import make_parser
from torch import nn

from lenet.models import LeNet5
from lenet.shapes import trace
from lenet.shapes.table import BATCH
from lenet_book.results import FOLDER, environment

RESULTS = FOLDER / "shapes_vs_torchinfo.json"


def main() -> None:
    """Measure both networks and store what was found."""
    parser = make_parser(__doc__, RESULTS)
    parser.add_argument("--rounds", type=int, default=40, help="turns of each program")
    parser.add_argument("--threads", type=int, default=1, help="threads that PyTorch may use")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    networks = [
        compare("LeNet-5", LeNet5(), (1, 28, 28), options.rounds),
        compare("ResNet-18", torchvision.models.resnet18(), (3, 224, 224), options.rounds),
    ]
    versions = {"torchvision": torchvision.__version__, "torchinfo": torchinfo.__version__}
    machine = environment() | versions
    found = {"networks": networks, "rounds": options.rounds, "environment": machine}
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


def compare(name: str, model: nn.Module, shape: tuple[int, ...], rounds: int) -> dict[str, Any]:
    """Time both programs in turns on one network, and count the rows each of them shows."""
    batch_shape = (BATCH, *shape)
    programs = {
        "lenet": partial(trace, model, shape),
        "torchinfo": partial(torchinfo.summary, model, input_size=batch_shape, verbose=0),
    }
    times = time_in_turns(programs, rounds)
    layers = torchinfo.summary(model, input_size=batch_shape, verbose=0).summary_list
    return {
        "network": name,
        "input_shape": list(batch_shape),
        "rows": {
            "lenet": len(trace(model, shape).rows),
            "torchinfo": sum(layer.is_leaf_layer for layer in layers),
        },
        "elapsed": summarise({name: [t.elapsed for t in each] for name, each in times.items()}),
        "processor": summarise({name: [t.processor for t in each] for name, each in times.items()}),
    }


@dataclass(frozen=True)
class Time:
    """How long one call took, in seconds.

    Attributes:
        elapsed: by the clock on the wall.
        processor: of processor time, which what else the machine does hardly changes.
    """

    elapsed: float
    processor: float


def time_in_turns(programs: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[Time]]:
    """Run the programs one after the other, `rounds` times, the first one changing each time."""
    times: dict[str, list[Time]] = {name: [] for name in programs}
    names = list(programs)
    for name in names * 3:  # warm up
        programs[name]()
    for round_number in range(rounds):
        for name in names if round_number % 2 else reversed(names):
            times[name].append(time_one(programs[name]))
    return times


def time_one(program: Callable[[], object]) -> Time:
    """Time one call."""
    elapsed, processor = time.perf_counter(), time.process_time()
    program()
    return Time(time.perf_counter() - elapsed, time.process_time() - processor)


def summarise(seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Give each program's spread in milliseconds, and how they compare turn by turn."""
    ratios = [a / b for a, b in zip(seconds["lenet"], seconds["torchinfo"], strict=True)]
    spreads = {f"{name}_milliseconds": spread(each) for name, each in seconds.items()}
    return {**spreads, "median_of_paired_ratios": round(statistics.median(ratios), 3)}


def spread(seconds: list[float]) -> dict[str, float]:
    """Summarise times in milliseconds: the minimum and the quartiles."""
    low, median, high = statistics.quantiles(seconds, n=4)
    values = {"minimum": min(seconds), "lower": low, "median": median, "upper": high}
    return {name: round(1000 * value, 3) for name, value in values.items()}


if __name__ == "__main__":
    main()
