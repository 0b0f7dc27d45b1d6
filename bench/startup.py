"""Measure what starting costs: importing each room, and the commands, beside importing PyTorch.

Run `python bench/startup.py`. Each program runs in a process of its own, in turns with the others
in a random order, so that whatever else the machine does falls on all alike. Printed are the median
seconds on the clock and on the processor, and the median ratio of processor time to that of
`import torch` in the same round.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import time

from lenet_book.timing import ratio

BASE = "import torch"
ROOMS = ["lenet." + room for room in ("shapes", "models", "tracing", "data", "train")]
ROOMS += ["lenet_book." + room for room in ("results", "figures", "widgets")]
COMMANDS = ["--help", "shapes NarrowLeNet --input 1x28x28", "evaluate --help", "predict --help"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="turns of each program")
    rounds = parser.parse_args().rounds
    programs = {name: ["-c", name] for name in (BASE, *(f"import {room}" for room in ROOMS))}
    programs |= {f"lenet {words}": ["-m", "lenet", *words.split()] for words in COMMANDS}
    for arguments in programs.values():
        seconds(arguments)  # files are in the system's memory from here on
    clock: dict[str, list[float]] = {name: [] for name in programs}
    processor: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(rounds):
        for name in random.Random(number).sample([*programs], len(programs)):
            for times, value in zip((clock, processor), seconds(programs[name]), strict=True):
                times[name].append(value)
    print(f"{'':40}  clock  processor  beside {BASE}")
    for name in programs:
        middle, work = statistics.median(clock[name]), statistics.median(processor[name])
        print(
            f"{name:40} {middle:5.2f}s {work:9.2f}s {ratio(processor[name], processor[BASE]):6.2f}"
        )


def seconds(arguments: list[str]) -> tuple[float, float]:
    """Run Python on one thread; return the seconds on the clock and on the processor."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "LENET_OFFLINE": "1"}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment
    )
    clock, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
