"""Measured results that are stored with the book: written by `bench/`, shown by the chapters.

A results file, results/NAME.json beside this module, is a list of records and comes with the
package. Each record says what was run, what was found, and on what machine.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lenet.atomic import write_atomically

Record = dict[str, Any]

FOLDER = Path(__file__).with_name("results")


def load_results(name: str) -> list[Record]:
    """Read a results file of the book by its name, such as ``"training_loop"``.

    Raises:
        FileNotFoundError: There is none of that name.
    """
    file = FOLDER / f"{name}.json"
    if not file.is_file():
        names = ", ".join(sorted(path.stem for path in FOLDER.glob("*.json")))
        raise FileNotFoundError(f"there are no results {name!r} in {FOLDER}; there are {names}")
    records: list[Record] = json.loads(file.read_text(encoding="utf-8"))
    return records


def store_results(records: list[Record], file: Path) -> None:
    """Write all records, one a line; an interrupted write leaves the previous file as it was."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    write_atomically(file, f"[\n{lines}\n]\n".encode())


def spread(numbers: Sequence[float], form: str) -> str:
    """Write mean ± standard deviation (of a sample), each in a format such as ``".1%"``."""
    return f"{statistics.mean(numbers):{form}} ± {statistics.stdev(numbers):{form}}"


def environment(device: str | torch.device = "cpu") -> Record:
    """Describe the machine and the versions that a measurement was made with."""
    chosen = torch.device(device)
    gpu = {"gpu": torch.cuda.get_device_name(chosen)} if chosen.type == "cuda" else {}
    return {
        "device": chosen.type,
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        **gpu,
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _cpu_name() -> str:
    """Name the processor: on Linux as its maker does, elsewhere as Python knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
