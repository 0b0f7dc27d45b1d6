"""The page Recipes: every stored training has its line, and chapters link to theirs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import recipes

from lenet_book.results import load_results
from tests.book.small_site import build

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted(ROOT.glob("chapters/*.ipynb"))
LINK = re.compile(r"\[([^\]]*)\]\(\.\./book/recipes\.md#([\w-]+)\)")
ACCURACY = re.compile(r"\d\d\.\d+ %")
NOT_TRAINED = {  # cells whose percentages are of another kind
    "01 twenty-read",  # people
    "01 duplicates-read",  # nearest neighbours
    "09 exercise-2",  # what a percentage can be
    "09 exercise-3",
    "11 alexnet",  # errors of 2012
}


def prose(path: Path) -> dict[str, str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {c["id"]: "".join(c["source"]) for c in cells if c["cell_type"] == "markdown"}


def test_every_stored_training_is_in_one_line() -> None:
    for name, read in recipes.READERS.items():
        runs = [run for run in load_results(name) if read(run)]
        lines = {recipe for run in runs if (recipe := read(run))}
        assert sum(len(recipes.lines()[line]) for line in lines) == len(runs)
        trained = [run for run in load_results(name) if "settings" in run or "loop" in run]
        assert len(runs) >= len(trained)


def test_a_line_says_what_the_results_say() -> None:
    words = {
        name: recipes.in_words(recipes.lines()[line]) for name, line in recipes.names().items()
    }
    assert words["loop-normalised"] == "87.25 ± 0.26 %"
    assert words["cifar10-reference"] == "54.47 ± 1.80 %"
    assert words["cifar10-choosing-2"] == "62.8 %"  # one run has no spread


def test_what_a_chapter_printed_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = {
        "train": "train: 54,785 of 60,000, 91.3%\ntest: 8,919 of 10,000, 89.2%\n",
        "proper": "tutorial:  51.9%\none-cycle: 57.0%\n",
    }
    monkeypatch.setattr(recipes, "printed_in", lambda chapter: printed)
    assert recipes.printed_accuracy(8, "train", r"test: ([\d,]+)") == 89.19
    assert recipes.printed_accuracy(10, "proper", r"one-cycle: ([\d.]+)%") == 57.0


def test_what_a_cell_does_not_print_is_an_error() -> None:
    with pytest.raises(LookupError, match="no accuracy in the cell 'proper' of chapter 10"):
        recipes.printed_accuracy(10, "proper", r"two-cycle: ([\d.]+)%")


def test_a_line_can_be_linked_to(tmp_path: Path) -> None:
    link = "# A chapter\n\nIt reached [54 %](recipes.md#cifar10-reference).\n"
    text = "# Recipes\n\n```{recipes} 10\n```\n"
    pages = build(tmp_path, {"chapter": link, "recipes": text}, "recipes")
    href = pages["chapter"].find("a", string="54 %")["href"]
    assert href == "recipes.html#cifar10-reference"
    row = pages["recipes"].find("tr", id="cifar10-reference")
    assert row.find("td").text.split() == ["54.47", "±", "1.80", "%"]
    shown = [line for line in recipes.lines() if line.chapter == 10]
    assert len(pages["recipes"].select("tbody tr")) == len(shown)


def test_every_chapter_with_a_line_is_on_the_page() -> None:
    page = (ROOT / "book" / "recipes.md").read_text(encoding="utf-8")
    shown = [int(number) for number in re.findall(r"```\{recipes\} (\d+)", page)]
    assert shown == sorted({line.chapter for line in recipes.lines()})


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_trained_accuracies_link_to_their_lines(path: Path) -> None:
    for cell, text in prose(path).items():
        for words, name in LINK.findall(text):
            line = recipes.names()[name]
            if ACCURACY.search(words):
                assert words == recipes.in_words(recipes.lines()[line]), cell
        if f"{path.stem[:2]} {cell}" not in NOT_TRAINED:
            assert not ACCURACY.findall(LINK.sub("", text)), cell


def test_chapters_with_trainings_say_which_lines_they_are() -> None:
    texts = {int(path.stem[:2]): "".join(prose(path).values()) for path in CHAPTERS}
    shown = {line.chapter for line in recipes.lines()}
    assert not [chapter for chapter in shown if not LINK.search(texts[chapter])]


def test_the_runs_on_a_gpu_are_those_that_the_page_names() -> None:
    """The page says so of chapter 11; all other trainings of the results ran on a CPU."""
    on_gpu = {
        (name, run["experiment"], run["settings"]["epochs"], run["settings"]["seed"])
        for name in recipes.READERS
        for run in load_results(name)
        if run.get("settings", {}).get("device", "cpu") != "cpu"
    }
    deep = {("beyond_lenet", "deep", 12, seed) for seed in range(2, 6)}
    assert on_gpu == deep | {("beyond_lenet", "long", 24, seed) for seed in range(1, 6)}
    runs = [run for run in load_results("beyond_lenet") if run["environment"]["device"] != "cpu"]
    assert {run["environment"]["gpu"] for run in runs} == {"NVIDIA H100 80GB HBM3"}
    assert {run["environment"]["torch"].partition("+")[0] for run in runs} == {"2.11.0"}


def test_the_trainings_on_a_gpu_and_on_a_cpu_are_of_one_recipe() -> None:
    sizes = [
        len(found) for recipe, found in recipes.lines().items() if recipe.series == "beyond-deep"
    ]
    assert sizes == [6, 6, 6, 6]
