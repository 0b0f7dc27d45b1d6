"""The experiments of chapter 9: every network fits its pictures, and what was found is whole."""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from series import is_of
from torch import nn

from lenet.data import load
from lenet.models import LeNet5_1998
from lenet.models.lenet1998 import SparseConv2d, connection_table
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


def test_a_design_without_changes_is_the_network_of_1998():
    design, original = lenet5.Design().make(), LeNet5_1998()
    for ours, theirs in zip(design.parameters(), original.parameters(), strict=True):
        ours.data.copy_(theirs.data)
    images = torch.randn(3, 1, 32, 32)
    assert torch.equal(design(images), original(images))


@pytest.mark.parametrize(
    ("start", "bound"), [("1998", lambda n: 2.4 / n), ("today", lambda n: n**-0.5)]
)
@pytest.mark.parametrize("c3", ["table", "full"])
def test_weights_begin_within_the_bounds_that_a_design_names(start, bound, c3):
    for layer in lenet5.Design(c3=c3, start=start).make():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            largest = layer.weight.abs().max() / bound(layer.weight[0].numel())
            assert 0.8 < largest <= 1.001
        if isinstance(layer, SparseConv2d):
            fan_in = connection_table().sum(dim=1) * 25
            of_kernels = fan_in.repeat_interleave(connection_table().sum(dim=1))
            largest = layer.kernels.abs().amax(dim=(1, 2)) / bound(of_kernels)
            assert 0.8 < largest.max() <= 1.001


def test_one_thing_is_changed_at_a_time():
    first, *others = lenet5.one_at_a_time()
    original = asdict(first.network) | {"distortions": first.distortions}
    for run in others:
        parts = asdict(run.network) | {"distortions": run.distortions}
        changed = [name for name in parts if parts[name] != original[name]]
        assert len(changed) in (1, 5) or changed == ["activation", "start"]
        assert run.settings == first.settings


def errors_of(design, distortions="none") -> torch.Tensor:
    wanted = {"network": asdict(design), "distortions": distortions}
    accuracies = stored("one at a time", **wanted)
    assert len(accuracies) == len(lenet5.SEEDS)
    return (1 - torch.tensor(accuracies)) * 10_000


@pytest.mark.parametrize(
    ("design", "distortions", "low", "high"),  # in standard errors over the seeds
    [
        (lenet5.Design(c3="full"), "none", -2, 2),
        (lenet5.Design(subsampling="average"), "none", 4, 99),
        (lenet5.Design(subsampling="max"), "none", -99, -4),
        (lenet5.Design(start="today"), "none", -99, -4),
        (lenet5.Design(output="linear"), "none", -4, 0),
        (lenet5.Design(), "as in 1998", -4, 0),
        (lenet5.Design("full", "max", "relu", "linear", "today"), "none", -99, -4),
    ],
)
def test_what_the_chapter_says_of_one_change_is_stored(design, distortions, low, high):
    more = errors_of(design, distortions) - errors_of(lenet5.Design())
    assert low < more.mean() / (more.std() / len(more) ** 0.5) < high


def test_relu_needs_the_start_of_today():
    alone = errors_of(lenet5.Design(activation="relu"))
    assert sorted(alone.round().int().tolist())[1:] == [8_990, 8_990]
    started = errors_of(lenet5.Design(activation="relu", start="today"))
    assert (started > errors_of(lenet5.Design(start="today"))).all()
    assert (started < 500).all()
