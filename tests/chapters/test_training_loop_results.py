"""What the page *Measured* reports is what training_loop.json holds."""

from __future__ import annotations

import json
import re
import runpy
import statistics
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from series import is_of

ROOT = Path(__file__).parents[2]
TRAINING_LOOP = ROOT / "book" / "lenet_book" / "results" / "training_loop.json"
PAGE = ROOT / "book" / "measured.ipynb"
POWERS_OF_TWO = (64, 128, 256)

Record = dict[str, Any]


@cache
def records() -> list[Record]:
    return json.loads(TRAINING_LOOP.read_text(encoding="utf-8"))


def runs(experiment: str, **wanted: object) -> list[Record]:
    found = [record for record in records() if record["experiment"] == experiment]
    return [run for run in found if wanted.items() <= run["settings"].items()]


def accuracies(experiment: str, epoch: int, **wanted: object) -> list[float]:
    tests = [run["epochs"][epoch - 1]["test"] for run in runs(experiment, **wanted)]
    return [test["num_correct"] / test["num_examples"] for test in tests]


def spread(numbers: list[float], form: str) -> str:
    return f"{statistics.mean(numbers):{form}} ± {statistics.stdev(numbers):{form}}"


def rounds() -> list[dict[str, float]]:
    return [r["microseconds_per_image"] for r in records() if r["experiment"] == "timing"]


@cache
def outputs() -> str:
    """Everything that the stored page prints."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    found = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join("".join(output.get("text", [])) for output in found)


# ---------------------------------------------------------------------------- the file


def test_every_record_says_where_it_comes_from() -> None:
    for record in records():
        assert record["data"].startswith("Fashion-MNIST, the published files")
        assert {"cpu", "cores", "threads", "device", "python", "torch"} <= set(
            record["environment"]
        )
        assert all(record["environment"].values())
        if record["experiment"] != "timing":
            assert isinstance(record["settings"]["seed"], int)
            assert len(record["epochs"]) == record["settings"]["epochs"]


def test_every_planned_run_is_there_once() -> None:
    program = runpy.run_path(str(ROOT / "bench" / "training_loop.py"), run_name="bench")
    names = [*program["series"]("cpu"), "timing"]
    planned = [description for description, _ in program["planned"](names, None, "cpu")]
    for description in planned:
        stored = [record for record in records() if is_of(record, description)]
        assert len(stored) == 1, description
    assert len(records()) == len(planned)


def test_settings_were_compared_without_the_test_images() -> None:
    for record in records():
        if record["experiment"] == "batch-size":
            assert record["held_out"] == 10_000
            assert "held-out training images" in record["data"]


# ---------------------------------------------------------------------------- the page


def test_the_page_computes_its_numbers_from_the_file() -> None:
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert f'load_results("{TRAINING_LOOP.stem}")' in code
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert "bench/training_loop.py" in prose
    assert not re.search(r"\d ± \d", prose), "numbers with a spread are computed, not typed"


@pytest.mark.parametrize("epoch", [1, 10])
def test_the_page_shows_the_reference_run(epoch: int) -> None:
    trained = [run["epochs"][epoch - 1]["train"] for run in runs("reference")]
    correct = spread([score["num_correct"] for score in trained], ",.0f")
    sums = spread([score["loss"] * 600 for score in trained], ".1f")
    test = spread(accuracies("reference", epoch), ".2%")
    assert f"epoch {epoch:2}  correct {correct}  loss sum {sums}  test {test}" in outputs()


def test_the_reference_run_reproduces_the_published_one() -> None:
    """A widely read course reports 53,100 to 53,300 correct and a loss of 183 to 188 at the end."""
    last = [run["epochs"][-1]["train"] for run in runs("reference")]
    assert 53_000 < statistics.mean(score["num_correct"] for score in last) < 53_500
    assert 178 < statistics.mean(score["loss"] * 600 for score in last) < 190


@pytest.mark.parametrize("epoch", [1, 10])
@pytest.mark.parametrize(
    ("experiment", "title"), [("reference", "pixels 0 to 1"), ("normalised", "normalised")]
)
def test_the_page_shows_what_normalising_does(experiment: str, title: str, epoch: int) -> None:
    shown = spread(accuracies(experiment, epoch), ".2%")
    assert f"{title:14} epoch {epoch:2}: test accuracy {shown}" in outputs()


def test_normalising_gains_about_half_a_point_little_more_than_the_spread() -> None:
    leads = [
        statistics.mean(accuracies("normalised", epoch))
        - statistics.mean(accuracies("reference", epoch))
        for epoch in (1, 10)
    ]
    assert leads[0] > leads[1]
    assert 0.004 < leads[1] < 0.006
    assert leads[1] < 2 * statistics.stdev(accuracies("reference", 10))
    assert max(accuracies("reference", 10)) > min(accuracies("normalised", 10))


@pytest.mark.parametrize("size", [10, 100, 1000, 10_000])
def test_the_page_shows_the_effect_of_the_batch_size(size: int) -> None:
    columns = [
        spread(accuracies("batch-size", 3, batch_size=size, lr=lr), ".1%") for lr in (0.01, 0.001)
    ]
    assert re.search(
        rf"^ *{size:,} +{re.escape(columns[0])} +{re.escape(columns[1])}$", outputs(), re.M
    )


def test_the_best_batch_size_depends_on_the_learning_rate() -> None:
    best = {
        lr: max(
            (10, 100, 1000, 10_000),
            key=lambda size, lr=lr: statistics.mean(
                accuracies("batch-size", 3, batch_size=size, lr=lr)
            ),
        )
        for lr in (0.01, 0.001)
    }
    assert best == {0.01: 100, 0.001: 10}
    small, usual = (
        statistics.mean(accuracies("batch-size", 3, batch_size=size, lr=lr))
        for size, lr in ((10, 0.001), (100, 0.01))
    )
    assert small > usual, "the best of all eight"


def test_powers_of_two_are_neither_faster_nor_more_accurate_than_their_neighbours() -> None:
    pairs = [2 * r["128"] / (r["127"] + r["129"]) for r in rounds()]
    low, middle, high = statistics.quantiles(pairs, n=4)
    assert low < 1 < high
    assert f"{middle:.2f}" == "1.00"  # as the prose says
    assert (
        f"128 against 127 and 129 in the same round: {middle:.3f} ({low:.3f} to {high:.3f})"
        in outputs()
    )
    for size in POWERS_OF_TWO:
        assert spread(accuracies("batch-size", 3, batch_size=size, lr=0.01), ".1%") in outputs()
    best = max(
        (int(size) for size in rounds()[0]),
        key=lambda size: statistics.mean(accuracies("batch-size", 3, batch_size=size, lr=0.01)),
    )
    assert best not in POWERS_OF_TWO
