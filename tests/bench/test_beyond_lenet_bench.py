"""The bench of chapter 11: every run is trained once, stored at once, and found again."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lenet.data import load

FILE = Path(__file__).parents[2] / "bench" / "beyond_lenet.py"


@pytest.fixture
def program(monkeypatch):
    spec = importlib.util.spec_from_file_location("beyond_lenet", FILE)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "beyond_lenet", module)  # dataclasses look themselves up
    spec.loader.exec_module(module)
    module.RECIPE = replace(module.RECIPE, epochs=2)
    module.PEAK_EPOCHS = 1
    module.HELD_OUT = 20
    return module


@pytest.fixture
def bench(program, monkeypatch, tmp_path):
    monkeypatch.setenv("LENET_OFFLINE", "1")
    digits = load("cifar-10")
    few = replace(digits, train=digits.train[:60], test=digits.test[:30])
    return program.Bench(few, tmp_path / "results.json", "cpu")


def stored(bench):
    return json.loads(bench.file.read_text(encoding="utf-8"))


def timeless(epoch):
    return {key: value for key, value in epoch.items() if key != "seconds"}


def test_a_finished_run_is_stored_and_not_repeated(program, bench, monkeypatch):
    change = program.Change("CifarLeNet")
    record = bench.measure("small", change, program.RECIPE)
    assert stored(bench) == [record]
    assert [epoch["test"]["num_examples"] for epoch in record["epochs"]] == [30, 30]
    assert [path.name for path in bench.file.parent.iterdir()] == [
        "results.json"
    ]  # no checkpoint left
    monkeypatch.setattr(program, "run", lambda *_: pytest.fail("trained again"))
    assert bench.measure("small", change, program.RECIPE) == record


def test_a_run_that_was_stopped_goes_on_after_its_last_epoch(program, bench, monkeypatch):
    change = program.Change("CifarLeNetBN", augmented=True)
    expected = bench.measure("small", change, program.RECIPE)["epochs"]
    bench.file.unlink()

    def stopped(*arguments):
        *training, path = arguments
        training = program.checkpoint.Training(*training)
        next(program.checkpoint.epochs(training, path, progress=False))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(program.checkpoint, "fit", stopped)
        with pytest.raises(KeyboardInterrupt):
            bench.measure("small", change, program.RECIPE)
    assert len(list(bench.file.parent.glob("*.checkpoint"))) == 1
    resumed = bench.measure("small", change, program.RECIPE)["epochs"]
    assert [timeless(epoch) for epoch in resumed] == [timeless(epoch) for epoch in expected]


def test_the_peak_of_one_cycle_is_chosen_on_held_out_training_images(program, bench, monkeypatch):
    best = program.PEAK_RATES["SmallResNet"][1]

    def pretended(change, settings, data, unfinished):
        assert "held-out" in data.source
        unfinished.touch()
        right = 9 if settings.lr == best else 5
        return {"epochs": [{"test": {"num_correct": right, "num_examples": 10}}]}

    monkeypatch.setattr(program, "run", pretended)
    assert bench.rate(program.Change("SmallResNet", schedule="one-cycle")) == best
    assert bench.rate(program.Change("SmallResNet")) == program.CONSTANT_RATE
    assert {record["experiment"] for record in stored(bench)} == {"peaks"}
