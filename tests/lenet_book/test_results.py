"""Results files: they lie in the package, and are written whole."""

from __future__ import annotations

import json

import pytest

from lenet_book import results
from lenet_book.results import environment, load_results, spread, store_results

RECORDS = [{"experiment": "a", "found": 1.5}, {"experiment": "b", "found": "é"}]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    return tmp_path / "results"


def test_records_survive_a_round_trip(folder):
    store_results(RECORDS, folder / "test.json")
    assert load_results("test") == RECORDS
    assert [file.name for file in folder.iterdir()] == ["test.json"]


def test_a_write_that_fails_leaves_the_file_before(tmp_path):
    file = tmp_path / "test.json"
    store_results(RECORDS, file)
    with pytest.raises(TypeError):
        store_results([{"found": object()}], file)
    assert json.loads(file.read_text(encoding="utf-8")) == RECORDS


def test_a_name_that_is_not_there_is_answered_with_those_that_are(folder):
    for name in ("one", "other"):
        store_results(RECORDS, folder / f"{name}.json")
    with pytest.raises(FileNotFoundError, match=r"no results 'test' in .*; there are one, other"):
        load_results("test")


def test_all_files_of_the_book_lie_in_the_package_and_can_be_read():
    names = [file.stem for file in results.FOLDER.glob("*.json")]
    assert len(names) >= 10
    assert all(load_results(name) for name in names)


def test_spread_is_mean_and_sample_deviation():
    assert spread([1.0, 2.0, 3.0], ".2f") == "2.00 ± 1.00"


def test_the_environment_names_what_matters():
    assert {"cpu", "cores", "threads", "device", "python", "torch"} <= environment().keys()
