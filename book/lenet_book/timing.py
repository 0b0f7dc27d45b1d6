"""Measuring time on any device: warm up, wait for the device, interleave, look at medians."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Self

import torch

Times = dict[str, list[float]]


def synchronise(device: str | torch.device) -> None:
    """Wait until the device has finished everything that it was told to do.

    On a CPU an operation is done when its call returns; a GPU only notes it and goes on later.
    """
    device = torch.device(device)
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


class Stopwatch:
    """Takes the time that a device needs for the code in a `with` block.

    Args:
        device: Where the work is done; the watch waits for it at both ends of the block.

    Attributes:
        seconds: Time on the clock.
        cpu_seconds: Time that the processor spent on this program, summed over its threads. On a
            CPU that runs other programs too, it is the steadier measure of work in one thread.
    """

    seconds: float
    cpu_seconds: float

    def __init__(self, device: str | torch.device = "cpu") -> None:
        self.device = device

    def __enter__(self) -> Self:
        synchronise(self.device)
        self._start = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        synchronise(self.device)
        wall, cpu = self._start
        self.seconds = time.perf_counter() - wall
        self.cpu_seconds = time.process_time() - cpu


def compare(
    candidates: Mapping[str, Callable[[], object]],
    rounds: int = 7,
    device: str | torch.device = "cpu",
) -> Times:
    """Time several ways to do the same work, side by side.

    Every candidate runs once unmeasured. Then each round runs all of them in a random order, so
    that whatever else the machine does falls on all alike.

    Returns:
        By candidate, the seconds on the clock of every round, in the order of the rounds.
    """
    names = list(candidates)
    for work in candidates.values():
        work()
    times: Times = {name: [] for name in names}
    for number in range(rounds):
        for name in random.Random(number).sample(names, len(names)):
            with Stopwatch(device) as watch:
                candidates[name]()
            times[name].append(watch.seconds)
    return times


def ratio(slow: list[float], fast: list[float]) -> float:
    """Return the median over the rounds of how many times as long the first took as the second."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))
