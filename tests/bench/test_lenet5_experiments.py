"""The experiments of chapter 9: every network fits its pictures, and what was found is whole."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

import pytest
from series import is_of

from lenet.data import load
from lenet.shapes import trace
from lenet_book.results import load_results

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
import lenet5

RUNS = [run for runs in lenet5.series().values() for run in runs]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.experiment}-{run.network}")
def test_every_network_takes_its_pictures(run, monkeypatch):
    monkeypatch.setenv("LENET_OFFLINE", "1")
    data = lenet5.PIXELS[run.pixels](load(run.data))
    model = lenet5.NETWORKS[run.network]() if isinstance(run.network, str) else run.network.make()
    table = trace(model, tuple(data.train.images.shape[1:]))
    assert table.explanation is None
    assert table.rows[-1].output_shape == ("N", 10)


def test_a_variant_without_changes_is_lenet5():
    assert sum(p.numel() for p in lenet5.Variant().make().parameters()) == 61_706


def stored(experiment: str, **wanted: object) -> list[float]:
    runs = [r for r in load_results("lenet5") if r["experiment"] == experiment]
    last = [r["epochs"][-1]["test"] for r in runs if wanted.items() <= r.items()]
    return [score["num_correct"] / score["num_examples"] for score in last]


@pytest.mark.parametrize(
    ("experiment", "network", "target"),
    [
        ("lenet5", "LeNet5", 0.990),
        ("lenet5", "LeNet5Linear", 0.990),
        ("distortions", "LeNet5", 0.992),
        ("1998", "LeNet5_1998", 0.988),
        ("fashion", "NarrowLeNet", 0.895),
    ],
)
def test_what_the_chapter_claims_is_stored(experiment, network, target):
    found = stored(experiment, network=network)
    assert len(found) == len(lenet5.SEEDS)
    assert statistics.mean(found) >= target


def test_every_stored_run_is_one_that_the_program_makes():
    planned = [
        json.loads(json.dumps(run.description())) for run in lenet5.planned(lenet5.series(), "cpu")
    ]
    for record in load_results("lenet5"):
        assert any(is_of(record, description) for description in planned)
