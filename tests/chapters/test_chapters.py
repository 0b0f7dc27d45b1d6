"""The form of a chapter: its frame, its cells and what is stored in it.

A chapter is `chapters/NN_name.ipynb`. It answers one question and has this frame, in this order:

1. A markdown cell that opens with ``# N. Title`` (N without leading zero) and poses the question.
   It, or the markdown cells before the imports, hold **What you will be able to do** (a list),
   **Prerequisites** and **Time** (``about 30 minutes``), in these words and in bold.
2. The setup cell: the first code cell, exactly `setup_source()`, tagged ``setup`` and
   ``remove-cell`` (the site leaves it out). A cell that draws the opening picture may follow,
   tagged ``hide-input``.
3. The imports: the first code cell that is visible (no ``hide-*`` or ``remove-*`` tag).
4. The body, in ``##`` sections.
5. ``## Summary``, ``## Exercises``, ``## What's next``: the last three ``##`` headings.

In the exercises:

- A solution in words folds in Jupyter, on GitHub and in the site alike when it is written as HTML,
  in the markdown cell of the exercise or in one of its own; the blank lines matter, and headings
  do not belong inside::

      <details>
      <summary>Solution</summary>

      Text, $formulas$ and ```code fences```.

      </details>

- A solution in code that should run is a code cell tagged ``solution``. `make execute` adds what
  folds it everywhere (the ``hide-cell`` tag for the site, JupyterLab's and Colab's own settings).
- A self-check is a visible code cell tagged ``self-check``. It reads what the learner wrote in it
  or above it (``my_size = None  # your answer``) and says whether that is right. It runs through
  when nothing is filled in and then says so ("Not answered yet."), so that the chapter still
  executes from top to bottom. In chapters of `EDITED` the checking code stands in
  `lenet_book.exercises`, out of sight.

Code that only draws is tagged ``hide-input``; the site folds it. What answers a **Predict** is
tagged ``hide-output``; `make execute` adds what folds it everywhere. Where the reader types the
guess, a cell with `Predict(...)` alone, tagged ``remove-input``, stands in that place. Cells whose
output is the same on any data carry nbval's comment ``# NBVAL_CHECK_OUTPUT`` or the tag
``nbval-check-output``.

A cell that draws says in its metadata, ``mystnb.image.alt``, what there is to see, for those who
do not see it.

Code cells have 20 lines at most and about 6 in the middle; no more than two stand in a row without
prose between them. Chapters are stored as `make execute` leaves them: executed once from top to
bottom, without messages on stderr, progress bars, or anything that names the machine.
"""

from __future__ import annotations

import json
import re
import statistics
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from lenet_book.widgets.shared.pages import VIEW_TYPE

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted(ROOT.glob("chapters/*.ipynb"))
MAX_BYTES = 1_500_000
MAX_LINES = 20
MAX_MEDIAN_LINES = 8
# What they say of time and prediction is held to; others follow.
EDITED = {
    "01_etl",
    "02_building_a_network",
    "03_inside_the_weights",
    "04_forward_pass",
    "05_output_shapes",
    "06_training_loop",
    "07_gpu_training",
    "08_reading_the_results",
    "10_cifar10",
    "11_beyond_lenet",
    "09_lenet5",
}
WORDS_A_MINUTE, LINES_A_MINUTE = 200, 8
HIDING_TAGS = {"hide-input", "hide-cell", "hide-output", "remove-input", "remove-cell"}
CLOSING_HEADINGS = ["Summary", "Exercises", "What's next"]
MACHINE_PATH = re.compile(
    r"(?<![\w.])/(home|root|Users|tmp|var|work|opt|mnt|private)/\w|\b[A-Z]:\\\\?\w"
)

Cell = dict[str, Any]
Notebook = dict[str, Any]


def setup_source() -> str:
    """The setup cell with the address of the site's settings and the tag of this version."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    place = f"{config['repository']['url']}@v{project['version']}"
    return (
        "# Installs the book's package where it is missing, as in Colab.\n"
        "import importlib.util\n"
        "\n"
        'if importlib.util.find_spec("lenet_book") is None:\n'
        f'    %pip install --quiet "lenet[book] @ git+{place}"\n'
        "    importlib.invalidate_caches()\n"
        '    if importlib.util.find_spec("lenet_book") is None:\n'
        '        raise RuntimeError("The book could not be installed here; pip says why above.")'
    )


@cache
def read(path: Path) -> Notebook:
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell: Cell) -> str:
    return "".join(cell["source"])


def tags(cell: Cell) -> set[str]:
    return set(cell["metadata"].get("tags", []))


def name(cell: Cell) -> str:
    """What an error message calls a cell: its first line."""
    return repr(source(cell).split("\n", 1)[0][:70])


def is_visible_code(cell: Cell) -> bool:
    return cell["cell_type"] == "code" and not tags(cell) & {*HIDING_TAGS, "solution"}


def code_cells(notebook: Notebook) -> list[Cell]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def markdown(cells: list[Cell]) -> str:
    return "\n\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")


def sections(text: str) -> dict[str, str]:
    """The `##` headings of a text and what stands below each."""
    unfenced = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    parts = re.split(r"^## +(.+?) *$", unfenced, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def num_words(text: str) -> int:
    """Count the words that everybody reads: no code, no addresses, no folded boxes."""
    unseen = r"<details>.*?</details>|^```.*?^```|(?<=\])\([^)]*\)"
    shown = re.sub(unseen, "", text, flags=re.DOTALL | re.MULTILINE)
    return sum(bool(re.search(r"\w", word)) for word in shown.split())


def minutes_to_read(cells: list[Cell]) -> float:
    """Return how long prose and visible code take, without the exercises."""
    end = next(i for i, cell in enumerate(cells) if source(cell).startswith("## Exercises"))
    body = cells[:end]
    shown = [cell for cell in body if is_visible_code(cell) or "hide-output" in tags(cell)]
    num_lines = sum(bool(line.strip()) for cell in shown for line in source(cell).splitlines())
    return num_words(markdown(body)) / WORDS_A_MINUTE + num_lines / LINES_A_MINUTE


def text_outputs(cell: Cell) -> list[str]:
    """Every text that a cell's outputs hold, pictures left out."""
    texts = []
    for output in cell["outputs"]:
        texts.append("".join(output.get("text", [])))
        for kind, data in output.get("data", {}).items():
            if kind.startswith("text/"):
                texts.append("".join(data))
    return texts


pytestmark = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def test_opens_with_its_number_its_question_and_what_it_takes(path: Path) -> None:
    cells = read(path)["cells"]
    imports = next(i for i, cell in enumerate(cells) if is_visible_code(cell))
    opening = markdown(cells[:imports])
    number = int(path.stem.split("_")[0])
    assert re.match(rf"# {number}\. \S", opening), f"open with '# {number}. Title'"
    assert "?" in opening, "pose the chapter's question on its first screen"
    assert "**What you will be able to do" in opening
    assert "**Prerequisites" in opening
    assert re.search(r"\*\*Time.*\d+ minutes", opening), "say **Time**: about NN minutes"


def test_says_how_long_it_takes(path: Path) -> None:
    cells = read(path)["cells"]
    if path.stem in EDITED:
        stated = re.search(r"\*\*Time.*?(\d+) minutes", markdown(cells))
        assert stated
        assert abs(int(stated[1]) - minutes_to_read(cells)) < 4
        exercises = markdown(cells).split("## Exercises")[1]
        each = [int(number) for number in re.findall(r"\*\w+, (\d+) minutes\.\*", exercises)]
        assert 4 <= len(each) <= 6
        assert f"{sum(each)} more for the exercises" in markdown(cells)


def test_answers_to_predictions_are_folded(path: Path) -> None:
    cells = read(path)["cells"]
    for before, cell in pairwise(cells):
        is_typed = source(before).startswith("Predict(")
        assert is_typed == ("remove-input" in tags(before)), name(before)
        asked = is_typed or "**Predict" in source(before).split("\n\n")[-1]
        if path.stem in EDITED and cell["cell_type"] == "code":
            assert asked == ("hide-output" in tags(cell)), name(cell)
        if "hide-output" in tags(cell):
            assert cell["metadata"]["jupyter"]["outputs_hidden"], f"make execute: {name(cell)}"
            assert "guess" in cell["metadata"]["mystnb"]["code_prompt_show"], name(cell)
            assert cell["outputs"], name(cell)


def test_installs_the_package_where_it_is_missing(path: Path) -> None:
    first, *others = code_cells(read(path))
    assert source(first) == setup_source()
    assert {"setup", "remove-cell"} <= tags(first)
    imports = next(cell for cell in others if is_visible_code(cell))
    assert re.search(r"^(import|from) ", source(imports), re.MULTILINE), "imports come first"
    hidden = others[: others.index(imports)]
    assert len(hidden) <= 1, "one opening picture"


def test_has_one_title_and_closes_as_every_chapter_does(path: Path) -> None:
    text = markdown(read(path)["cells"])
    headings = list(sections(text))
    assert headings[-3:] == CLOSING_HEADINGS
    unfenced = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    assert len(re.findall(r"^# ", unfenced, re.MULTILINE)) == 1, "one title"


def test_exercises_have_foldable_solutions_and_a_self_check(path: Path) -> None:
    cells = read(path)["cells"]
    start = next(i for i, cell in enumerate(cells) if "## Exercises" in source(cell))
    exercises = cells[start:]
    text = markdown(exercises)
    assert text.count("<details>") == text.count("</details>")
    for details in re.findall(r"<details>.*?</details>", text, re.DOTALL):
        assert re.match(r"<details>\n<summary>.+</summary>\n\n", details), details[:60]
        assert details.endswith("\n\n</details>"), "a blank line before </details>"
        assert not re.search(r"^#+ ", details, re.MULTILINE), "no heading inside <details>"
    solutions = text.count("<details>") + sum("solution" in tags(cell) for cell in exercises)
    assert solutions, "at least one exercise with its solution"
    checks = [cell for cell in exercises if "self-check" in tags(cell)]
    assert checks, "at least one self-check"
    assert all(any(text_outputs(cell)) for cell in checks), "a self-check says what it found"


def test_solutions_fold_everywhere(path: Path) -> None:
    for cell in code_cells(read(path)):
        if "solution" in tags(cell):
            assert "hide-cell" in tags(cell), f"run make execute: {name(cell)}"
            assert cell["metadata"].get("jupyter", {}).get("source_hidden"), name(cell)


def test_code_comes_in_small_pieces_between_prose(path: Path) -> None:
    notebook = read(path)
    lengths = {name(cell): len(source(cell).splitlines()) for cell in code_cells(notebook)}
    too_long = {cell: lines for cell, lines in lengths.items() if lines > MAX_LINES}
    assert not too_long, f"longer than {MAX_LINES} lines: {too_long}"
    assert statistics.median(lengths.values()) <= MAX_MEDIAN_LINES
    kinds = "".join(cell["cell_type"][0] for cell in notebook["cells"])
    assert "ccc" not in kinds, "three code cells in a row; put prose between them"


def test_figures_are_told_in_words_too(path: Path) -> None:
    drawing = [
        cell
        for cell in code_cells(read(path))
        if any(
            "image/png" in output.get("data", {}) and VIEW_TYPE not in output["data"]
            for output in cell["outputs"]
        )
    ]
    told = [cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "") for cell in drawing]
    silent = [name(cell) for cell, words in zip(drawing, told, strict=True) if len(words) < 40]
    assert not silent
    assert len(set(told)) == len(told)


def test_figures_say_how_large_they_are(path: Path) -> None:
    outputs = [output for cell in code_cells(read(path)) for output in cell["outputs"]]
    drawn = [output["metadata"] for output in outputs if "image/png" in output.get("data", {})]
    assert all(size["image/png"]["width"] > 100 for size in drawn), "run make execute"


def test_was_executed_once_from_top_to_bottom(path: Path) -> None:
    cells = code_cells(read(path))
    counts = [cell["execution_count"] for cell in cells]
    assert counts == list(range(1, len(cells) + 1)), "run make execute"
    assert any(cell["outputs"] for cell in cells)
    assert all(source(cell).strip() for cell in cells), "no empty cells"


def test_stores_results_alone(path: Path) -> None:
    notebook = read(path)
    assert path.stat().st_size < MAX_BYTES
    assert "@jupyter-widgets/controls" not in json.dumps(notebook), "a progress bar was stored"
    for cell in code_cells(notebook):
        kinds = {(output["output_type"], output.get("name")) for output in cell["outputs"]}
        assert ("stream", "stderr") not in kinds, f"stderr below {name(cell)}"
        assert "error" not in {kind for kind, _ in kinds}, f"an error below {name(cell)}"
        assert "execution" not in cell["metadata"], f"times below {name(cell)}"
        for text in text_outputs(cell):
            assert not re.search(r"\d(it/s|s/it)|[█▏▎▍▌▋▊▉]{2}", text), f"progress: {name(cell)}"


def test_names_no_machine(path: Path) -> None:
    for cell in read(path)["cells"]:
        texts = [source(cell), *(text_outputs(cell) if cell["cell_type"] == "code" else [])]
        for text in texts:
            found = MACHINE_PATH.search(text) or (str(Path.home()) + "/" in text and Path.home())
            assert not found, f"{found} in {name(cell)}"


def test_cells_have_stable_ids(path: Path) -> None:
    notebook = read(path)
    ids = [cell.get("id") for cell in notebook["cells"]]
    assert None not in ids
    assert len(set(ids)) == len(ids)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
