"""Long series of measurements, as the programs in `bench/` make them: what they share.

Every measurement is stored as soon as it is made, and one that is stored already is not repeated:
an interrupted series goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from lenet.train import History, Score, Settings, pick_device
from lenet_book.results import Record, environment, store_results


@dataclass(frozen=True)
class Choice:
    """What a program is asked to measure.

    Attributes:
        experiments: Names of its experiments.
        device: Where to measure, such as ``"cuda"``.
        results: The results file.
    """

    experiments: list[str]
    device: str
    results: Path


def make_parser(
    description: str | None, results: Path, *, again: bool = False
) -> argparse.ArgumentParser:
    """Make a parser for what every series may be asked for: its results file.

    Args:
        description: What `--help` says of the program.
        results: Its results file, unless `--results` names another.
        again: Whether there is `--again`, for `collect`.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--results", type=Path, default=results, help=f"default: the book's own {results.name}"
    )
    if again:
        parser.add_argument("--again", action="store_true", help="repeat what is stored already")
    return parser


def choose(description: str | None, experiments: Sequence[str], results: Path) -> Choice:
    """Read a program's options, and set PyTorch's threads and the need for real data accordingly.

    Progress bars are shown in a terminal only.

    Args:
        description: What `--help` says of the program.
        experiments: What it can measure: by default all, in this order.
        results: Its results file, unless another is named.
    """
    parser = make_parser(description, results)
    parser.add_argument(
        "experiments",
        nargs="*",
        default=[*experiments],
        metavar="experiment",
        help=f"any of: {', '.join(experiments)} (default: all, in this order)",
    )
    parser.add_argument("--device", default="cpu", help="such as cuda (default: cpu)")
    parser.add_argument(
        "--threads", type=int, default=1, help="CPU threads (default: 1, steady when shared)"
    )
    options = parser.parse_args()
    unknown = set(options.experiments) - {*experiments}
    if unknown:
        parser.error(f"no such experiment: {', '.join(sorted(unknown))}")
    if not sys.stderr.isatty():
        os.environ["TQDM_DISABLE"] = "1"  # a log needs no progress bars
    os.environ["LENET_REQUIRE_REAL"] = "1"  # numbers of the embedded digits have no place here
    torch.set_num_threads(options.threads)
    return Choice(options.experiments, str(pick_device(options.device)), options.results)


def collect(
    planned: Iterable[tuple[Record, Callable[[], Record]]],
    file: Path,
    device: str | torch.device = "cpu",
    *,
    again: bool = False,
) -> list[Record]:
    """Make the measurements that a results file does not hold yet, and store each at once.

    An interrupted series so goes on where it stopped.

    Args:
        planned: Of every measurement, a description that tells it from all others, and the
            function that makes it and returns what it found.
        file: The results file.
        device: Where the measurements are made: part of each record's environment.
        again: Whether to forget what is stored of these measurements and make all anew.

    Returns:
        All records of the file.
    """
    plan = list(planned)
    records = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    if again:
        records = [r for r in records if not any(is_of(r, d) for d, _ in plan)]
    for description, measure in plan:
        if any(is_of(record, description) for record in records):
            continue
        found = measure()
        records.append({**description, **found, "environment": environment(device)})
        store_results(records, file)
        print(*(f"{key} {value}" for key, value in description.items()), sep=", ", flush=True)
    return records


def is_of(record: Record, description: Record) -> bool:
    """Tell whether a record is of the measurement that is described.

    Settings of training that the record does not name had their defaults, so that a setting can be
    added without a change to what is stored. Where a training ran is part of its environment, not
    of what it is.
    """
    if "settings" in record and "settings" in description:
        same_place = {"device": description["settings"]["device"]}
        settings = Settings().as_json() | record["settings"] | same_place
        record = record | {"settings": settings}
    return description.items() <= record.items()


def scores(history: History) -> list[Record]:
    """Return what a training found, epoch by epoch."""
    return [
        {"train": _counts(e.train), "test": _counts(e.test), "seconds": round(e.seconds, 3)}
        for e in history.epochs
    ]


def _counts(score: Score) -> Record:
    return {
        "loss": round(score.loss, 6),
        "num_correct": score.num_correct,
        "num_examples": score.num_examples,
    }
