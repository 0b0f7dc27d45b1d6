"""TrainingLab: the training loop with a fault in it, beside the healthy one."""

from __future__ import annotations

import html
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from lenet_book.faults import FAULTS, Loop, loop
from lenet_book.results import Record, load_results
from lenet_book.widgets.shared.base import Widget

RESULTS = "training_faults"
NUM_CLASSES = 10
NEEDED = {"loop", "seed", "data", "num_updates", "tested_after", "loss", "test_accuracy"}


class TrainingLab(Widget):
    """Faults of a training loop: the changed line, its curves, how to find it out, and a quiz.

    Args:
        fault: The fault to begin with, by its name in `lenet_book.faults`, such as ``"no-step"``.
        runs: Records of `lenet_book.faults.run_loop`: of every fault that is to be offered, and of
            the healthy loop that it is compared with, at least one run. By default the book's own.

    Attributes:
        fault: The name of the fault that is shown.

    Raises:
        TraitError: There is no run of such a fault.
        ValueError: The runs cannot be drawn together.
        FileNotFoundError: The book's own runs are not where the package was installed.
    """

    front_end = Path(__file__).with_suffix(".js")

    fault = traitlets.Unicode("").tag(sync=True)

    def __init__(self, fault: str | None = None, runs: Sequence[Record] | None = None) -> None:
        runs = load_results(RESULTS) if runs is None else runs
        by_loop = _by_loop(runs)
        faults = [found for found in FAULTS if found.name in by_loop]
        _check(faults, by_loop)
        first = next(iter(by_loop.values()))[0]
        loops = {name: _summary(name, found) for name, found in by_loop.items()}
        meta = {
            "faults": [_describe(found) for found in faults],
            "loops": loops,
            "order": list(by_loop),
            "numClasses": NUM_CLASSES,
            "origin": _origin(runs),
            "poster": _poster(faults, loops, first["num_updates"]),
        }
        arrays = {
            "updates": _middles(first),
            "testedAfter": np.array(first["tested_after"], dtype="int32"),
            "loss": _edges(by_loop.values(), "loss"),
            "accuracy": _edges(by_loop.values(), "test_accuracy"),
        }
        super().__init__(meta, arrays, fault=faults[0].name if fault is None else fault)

    @property
    def faults(self) -> list[str]:
        """The names of the faults that can be shown."""
        return [fault["name"] for fault in self.meta["faults"]]

    @traitlets.validate("fault")
    def _check_fault(self, proposal: dict[str, Any]) -> str:
        name: str = proposal["value"]
        if name not in self.faults:
            raise traitlets.TraitError(
                f"there is no run of a fault {name!r}; there are {', '.join(self.faults)}"
            )
        return name

    def __repr__(self) -> str:
        return f"TrainingLab({self.fault}, {len(self.faults)} faults)"


def _by_loop(runs: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for run in runs:
        if not isinstance(run, Mapping) or not run.keys() >= NEEDED:
            raise ValueError(
                f"each run must be a record of lenet_book.faults.run_loop, not {run!r}"
            )
        found.setdefault(loop(run["loop"]).name, []).append(run)
    return found


def _check(faults: Sequence[Loop], by_loop: dict[str, list[Record]]) -> None:
    """Refuse runs that cannot be drawn together."""
    if not faults:
        raise ValueError("there is no run of a loop with a fault; see lenet_book.faults.FAULTS")
    for fault in faults:
        if fault.healthy not in by_loop:
            raise ValueError(f"there is no run of {fault.healthy!r} to compare {fault.name!r} with")
    runs = [run for found in by_loop.values() for run in found]
    times = {(run["num_updates"], tuple(run["tested_after"])) for run in runs}
    if len(times) > 1:
        numbers = sorted({number for number, _ in times})
        raise ValueError(f"all runs must have equally many updates, not {numbers}")


def _describe(fault: Loop) -> dict[str, Any]:
    return {
        "name": fault.name,
        "title": fault.title,
        "healthy": fault.healthy,
        "seen": fault.seen,
        "check": fault.check,
        "fix": fault.fix,
        "flat": fault.flat,
        "difference": fault.difference(),
    }


def _summary(name: str, runs: Sequence[Record]) -> dict[str, Any]:
    """What a loop is called, and the accuracies that its runs came to: means of the last tests."""
    last = max(1, len(runs[0]["test_accuracy"]) // 4)
    late = [statistics.fmean(run["test_accuracy"][-last:]) for run in runs]
    return {"title": loop(name).title, "late": late}


def _poster(faults: Sequence[Loop], loops: dict[str, Any], num_updates: int) -> str:
    """Say what the faults do, for pages without scripts; which does what stays to be predicted."""
    means = {name: 100 * statistics.fmean(summary["late"]) for name, summary in loops.items()}
    broken = [means[fault.name] for fault in faults]
    titles = html.escape(", ".join(fault.title for fault in faults))
    return (
        f"<p>A training loop with one of {len(faults)} faults in it: {titles}. "
        f"After {num_updates:,} updates the healthy loop names {means[faults[0].healthy]:.1f} % "
        "of the test pictures right, "
        f"the broken ones between {min(broken):.1f} % and {max(broken):.1f} %.</p>"
    )


def _origin(runs: Sequence[Record]) -> str:
    """Say how the runs came about."""
    seeds = len({run["seed"] for run in runs})
    sources = ", ".join(sorted({run["data"] for run in runs}))
    place = runs[0].get("environment", {})
    where = f"; {place['cpu']}, PyTorch {place['torch']}" if place else ""
    number = runs[0]["num_updates"]
    return f"{number:,} updates, {seeds} {'seed' if seeds == 1 else 'seeds'}; {sources}{where}"


def _middles(run: Record) -> np.ndarray:
    """The middle of each stretch of updates whose losses were averaged."""
    every = run["num_updates"] / len(run["loss"])
    middles: np.ndarray = np.arange(len(run["loss"])) * every + every / 2
    return middles.astype("float32")


def _edges(loops: Iterable[Sequence[Record]], key: str) -> np.ndarray:
    """Mean, lowest and highest value over the seeds, float32 (loops, 3, times)."""
    edges = []
    for runs in loops:
        values = np.array([run[key] for run in runs], dtype="float32")  # None becomes NaN
        edges.append([values.mean(axis=0), values.min(axis=0), values.max(axis=0)])
    return np.array(edges, dtype="float32")
