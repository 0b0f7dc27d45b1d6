"""Results files: read from beside the package or from where it was installed, written whole."""

from __future__ import annotations

import json
from importlib import metadata

import pytest

from lenet_book import results
from lenet_book.results import environment, load_results, spread, store_results

RECORDS = [{"experiment": "a", "found": 1.5}, {"experiment": "b", "found": "é"}]


def test_records_survive_a_round_trip(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    store_results(RECORDS, tmp_path / "results" / "test.json")
    assert load_results("test") == RECORDS
    assert [file.name for file in (tmp_path / "results").iterdir()] == ["test.json"]


def test_a_write_that_fails_leaves_the_file_before(tmp_path):
    file = tmp_path / "test.json"
    store_results(RECORDS, file)
    with pytest.raises(TypeError):
        store_results([{"found": object()}], file)
    assert json.loads(file.read_text(encoding="utf-8")) == RECORDS


class Installed:
    """A package installed from a folder that stands for the repository's address."""

    def __init__(self, origin):
        self.origin = origin

    def read_text(self, name):
        return json.dumps(self.origin) if name == "direct_url.json" else None


def install(monkeypatch, origin):
    monkeypatch.setattr(results, "FOLDER", results.FOLDER / "nowhere")
    monkeypatch.setattr(results, "distribution", lambda name: Installed(origin))


def test_a_file_that_is_not_here_comes_from_the_commit_that_was_installed(tmp_path, monkeypatch):
    store_results(RECORDS, tmp_path / "abc123" / "bench" / "results" / "test.json")
    install(monkeypatch, {"url": f"{tmp_path.as_uri()}.git", "vcs_info": {"commit_id": "abc123"}})
    assert load_results("test") == RECORDS
    with pytest.raises(FileNotFoundError, match="cannot be fetched"):
        load_results("other")


def test_github_has_raw_files_under_another_address(monkeypatch):
    origin = {"url": "https://github.com/owner/name.git", "vcs_info": {"commit_id": "abc"}}
    install(monkeypatch, origin)
    expected = "https://raw.githubusercontent.com/owner/name/abc/book/lenet_book/results/test.json"
    assert results._published_at("test.json") == expected


def test_without_a_repository_there_is_a_clear_error(monkeypatch):
    install(monkeypatch, {})
    with pytest.raises(FileNotFoundError, match="clone of the book's repository"):
        load_results("test")
    monkeypatch.setattr(results, "distribution", lambda name: metadata.distribution("no-such"))
    with pytest.raises(FileNotFoundError, match="clone of the book's repository"):
        load_results("test")


def test_spread_is_mean_and_sample_deviation():
    assert spread([1.0, 2.0, 3.0], ".2f") == "2.00 ± 1.00"


def test_the_environment_names_what_matters():
    assert {"cpu", "cores", "threads", "device", "python", "torch"} <= environment().keys()
