"""Long series: what is asked for, what is measured once and stored at once."""

from __future__ import annotations

import json
import runpy
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import series
import torch
from series import choose, collect, is_of, make_parser, scores

from lenet.train import Epoch, History, Score, Settings
from lenet_book.results import load_results, store_results

BENCH = Path(__file__).parents[2] / "bench"


def test_a_choice_names_experiments_device_and_file(tmp_path, monkeypatch):
    for name in ("LENET_REQUIRE_REAL", "TQDM_DISABLE"):  # which it sets
        monkeypatch.setenv(name, "0")
    file = tmp_path / "test.json"
    monkeypatch.setattr(sys, "argv", ["test.py"])
    assert choose("Of a test.", ["a", "b"], file).experiments == ["a", "b"]
    own = tmp_path / "own.json"
    monkeypatch.setattr(sys, "argv", ["test.py", "b", "--results", str(own), "--threads", "2"])
    choice = choose("Of a test.", ["a", "b"], file)
    assert (choice.experiments, choice.device, choice.results) == (["b"], "cpu", own)
    assert torch.get_num_threads() == 2


def test_an_unknown_experiment_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["test.py", "b", "c"])
    with pytest.raises(SystemExit):
        choose("Of a test.", ["a", "b"], tmp_path / "test.json")
    assert "no such experiment: c" in capsys.readouterr().err


def test_scores_are_counts_by_epoch():
    epoch = Epoch(1, Score(0.12345678, 3, 4), Score(2.0, 1, 2), seconds=1.23456)
    assert scores(History(Settings(), [epoch])) == [
        {
            "train": {"loss": 0.123457, "num_correct": 3, "num_examples": 4},
            "test": {"loss": 2.0, "num_correct": 1, "num_examples": 2},
            "seconds": 1.235,
        }
    ]


def test_a_series_goes_on_where_it_was_interrupted(tmp_path):
    file, made = tmp_path / "test.json", []

    def measure(number):
        if number == 2 and 2 not in made:
            made.append(2)
            raise KeyboardInterrupt
        made.append(number)
        return {"found": 10 * number}

    plan = [({"round": n}, lambda n=n: measure(n)) for n in range(4)]
    with pytest.raises(KeyboardInterrupt):
        collect(plan, file)
    assert [record["round"] for record in json.loads(file.read_text(encoding="utf-8"))] == [0, 1]
    records = collect(plan, file)
    assert [(r["round"], r["found"]) for r in records] == [(0, 0), (1, 10), (2, 20), (3, 30)]
    assert made == [0, 1, 2, 2, 3]
    assert json.loads(file.read_text(encoding="utf-8")) == records
    assert {"cpu", "torch"} <= records[0]["environment"].keys()


def test_a_series_made_again_leaves_the_records_of_others(tmp_path):
    file = tmp_path / "test.json"
    store_results([{"round": 0, "found": 1}, {"round": 7, "found": 2}], file)
    records = collect([({"round": 0}, lambda: {"found": 3})], file, again=True)
    assert [(r["round"], r["found"]) for r in records] == [(7, 2), (0, 3)]


def test_a_record_without_a_setting_is_of_the_training_with_its_default():
    planned = [{"name": "a", "settings": Settings(epochs=3, lr=lr).as_json()} for lr in (0.1, 0.2)]
    for missing in ("precision", "momentum", "seed"):
        stored = json.loads(json.dumps(planned[0]))
        del stored["settings"][missing]
        assert is_of(stored, planned[0])
        assert not is_of(stored, planned[1])
        other = planned[0] | {"settings": planned[0]["settings"] | {missing: "another"}}
        assert not is_of(stored, other)


def test_a_new_setting_changes_no_stored_file(monkeypatch):
    @dataclass(frozen=True)
    class NewSettings(Settings):
        clip: float = 0.0

    monkeypatch.setattr(series, "Settings", NewSettings)
    stored = load_results("cifar10")
    for record in stored:
        settings = NewSettings(**record["settings"])
        assert is_of(record, {**record, "settings": settings.as_json()})
        assert not is_of(record, {**record, "settings": replace(settings, clip=1.0).as_json()})


def test_programs_without_experiments_share_the_options_of_all(tmp_path):
    parser = make_parser("Of a test.", tmp_path / "test.json", again=True)
    assert vars(parser.parse_args([])) == {"results": tmp_path / "test.json", "again": False}
    own = tmp_path / "own.json"
    options = parser.parse_args(["--again", "--results", str(own)])
    assert (options.results, options.again) == (own, True)


def test_every_planned_training_on_cifar10_is_stored_once():
    program = runpy.run_path(str(BENCH / "cifar10.py"), run_name="bench")
    planned = program["planned"](program["series"]("cpu"), "cpu")
    stored = load_results("cifar10")
    for run in planned:
        found = [record for record in stored if is_of(record, run.description())]
        assert len(found) == 1, run
    assert len(stored) == len(planned)


def test_every_line_of_the_comparison_is_stored_with_all_its_seeds():
    program = runpy.run_path(str(BENCH / "beyond_lenet.py"), run_name="beyond_lenet")
    everything = load_results("beyond_lenet")
    stored = [record for record in everything if "network" in record]
    for name, rows in program["SERIES"].items():
        for change in rows.changes:
            found = [
                record["settings"]["seed"]
                for record in stored
                if (record["experiment"], record["network"], record["augmented"])
                == (name, change.network, change.augmented)
                and record["settings"]["schedule"] == change.schedule
                and (record["settings"]["weight_decay"] > 0) == change.decayed
                and len(record["epochs"]) == rows.epochs
            ]
            assert sorted(found) == list(rows.seeds), change
    rounds = [record["round"] for record in everything if record["experiment"] == "timing"]
    assert rounds == list(range(program["ROUNDS"]))
