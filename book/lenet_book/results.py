"""Measured results that are stored with the book: written by `bench/`, shown by the chapters.

A results file, results/NAME.json beside this module, is a list of records. Each record says what
was run, what was found, and on what machine.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import urllib.request
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import torch

from lenet.atomic import write_atomically

Record = dict[str, Any]

FOLDER = Path(__file__).with_name("results")
NETWORK_TIMEOUT = 10  # seconds


def load_results(name: str) -> list[Record]:
    """Read a results file of the book by its name, such as ``"training_loop"``.

    It lies beside the package in the repository. Where the package was installed from the
    repository's address, as in Colab, the file is fetched from the same commit there.

    Raises:
        FileNotFoundError: The file is neither here nor there.
    """
    file = FOLDER / f"{name}.json"
    if file.is_file():
        records: list[Record] = json.loads(file.read_text(encoding="utf-8"))
        return records
    address = _published_at(file.name)
    if address is None:
        raise FileNotFoundError(
            f"{file.name} is not beside the package. Work in a clone of the book's repository, or "
            "install the package from the repository's address."
        )
    try:
        with urllib.request.urlopen(address, timeout=NETWORK_TIMEOUT) as answer:
            fetched: list[Record] = json.load(answer)
    except OSError as error:
        raise FileNotFoundError(f"{address} cannot be fetched: {error}") from error
    return fetched


def _published_at(file_name: str) -> str | None:
    """Return the address of a results file at the commit from which the package was installed."""
    try:
        origin = json.loads(distribution("lenet").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        return None
    if "vcs_info" not in origin:
        return None
    repository = origin["url"].removesuffix(".git")
    raw = repository.replace("https://github.com/", "https://raw.githubusercontent.com/")
    return f"{raw}/{origin['vcs_info']['commit_id']}/book/lenet_book/results/{file_name}"


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
