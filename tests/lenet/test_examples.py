"""The examples in docstrings do what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest
import torch

from lenet.data import load

ROOT = Path(__file__).parents[2]
ENTRIES = {  # what a reader begins with has an example
    "lenet.data.loading": ["load", "Batches", "normalise"],
    "lenet.models.lenet": ["LeNet5"],
    "lenet.models.weights": ["load_weights", "read_card"],
    "lenet.shapes.formulas": ["conv_output_size", "pool_output_size"],
    "lenet.shapes.catching": ["explaining"],
    "lenet.shapes.table": ["trace", "explain"],
    "lenet.tracing.tracer": ["record"],
    "lenet.train.loop": ["fit", "confusion"],
    "lenet.train.settings": ["Settings"],
    "lenet_book.widgets.stage.stepper": ["ForwardStepper"],
}


@pytest.mark.parametrize("name", ENTRIES)
def test_examples(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENET_OFFLINE", "1")
    for dataset in ("fashion-mnist", "mnist"):
        load(dataset)  # tells once that these are other data
    torch.manual_seed(0)
    module = importlib.import_module(name)
    tests = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert {f"{name}.{entry}" for entry in ENTRIES[name]} <= {test.name for test in tests}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for test in tests:
        runner.run(test)
    assert runner.summarize().failed == 0


def test_every_example_is_run() -> None:
    files = [*ROOT.glob("lenet/**/*.py"), *ROOT.glob("book/lenet_book/**/*.py")]
    with_examples = {file for file in files if ">>> " in file.read_text(encoding="utf-8")}
    assert with_examples == {Path(importlib.import_module(name).__file__ or "") for name in ENTRIES}
