"""Pack the chapters for a class: `python book/tools/editions.py`.

The student edition leaves the solutions out; the checks of the exercises stay. The teacher edition
shows the solutions unfolded, and begins each chapter with its times and with what students tend to
believe of its matter. Both are zip files below
`_build/` and hold the chapters, what these link to, the package, and `requirements.txt`.
"""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbconvert.preprocessors import TagRemovePreprocessor
from nbformat import NotebookNode
from plans import EXERCISE, READING

ROOT = Path(__file__).parents[2]
FOR_TEACHERS = ROOT / "book" / "teachers.md"
PACKAGED = ("pyproject.toml", "README.md", "LICENSE", "lenet", "book/lenet_book")
FOLDED = re.compile(r"<details>.*?</details>\s*", re.DOTALL)
LINK = re.compile(r"\]\(([^)#:\s]+)[)#]")
BELIEF = re.compile(r"^\| (\d+) \| (.+) \| (.+) \|$", re.MULTILINE)
READ_ME = """# LeNet, step by step: the {edition} edition

You need Python 3.11 or newer. In this folder:

    python -m venv .venv
    .venv/bin/python -m pip install -r requirements.txt
    .venv/bin/jupyter lab chapters

On Windows write `.venv\\Scripts\\` in place of `.venv/bin/`. Code: MIT License; text and figures:
CC BY 4.0.
"""


def student(notebook: NotebookNode) -> None:
    """Leave out the solutions of a chapter: cells, what is folded, and texts that lead to them."""
    cells = exercises(notebook)
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = FOLDED.sub("", cell.source)
    for cell, after in itertools.pairwise(cells):
        leads_to_it = is_solution(after) and not cell.source.startswith("#")
        if cell.cell_type == "markdown" and (leads_to_it or not cell.source):
            cell.metadata.tags = ["solution"]
    TagRemovePreprocessor(remove_cell_tags={"solution"}).preprocess(notebook, {})


def teacher(notebook: NotebookNode) -> None:
    """Unfold the solutions of a chapter, and put notes for the teacher below its title."""
    cells = exercises(notebook)
    for cell in cells:
        if is_solution(cell):
            cell.metadata = NotebookNode(tags=["solution"])
        elif cell.cell_type == "markdown":
            cell.source = cell.source.replace("<details>", "<details open>")
    if cells:
        notes = f"**For the teacher**\n\n{times(notebook)}\n\n{beliefs(notebook)}"
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(notes, id="notes"))


def times(notebook: NotebookNode) -> str:
    """Return a table of what there is to do in a chapter, and of the minutes that it takes."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    reading = int(READING.search(text)[1])
    guesses = text.count("**Predict") + sum(c.source.startswith("Predict(") for c in notebook.cells)
    tasks = EXERCISE.findall(text)
    rows = [("Reading", f"{guesses} predictions", reading), *tasks]
    total = reading + sum(int(minutes) for *_, minutes in tasks)
    lines = [f"| {part} | {kind} | {minutes} |" for part, kind, minutes in rows]
    head = "| Part | What students do | Minutes |\n|---|---|--:|"
    return "\n".join([head, *lines, f"| Together | | {total} |"])


def beliefs(notebook: NotebookNode) -> str:
    """Return what the page for teachers says that students believe of a chapter's matter."""
    number = re.search(r"^# (\d+)\.", notebook.cells[0].source)[1]
    page = FOR_TEACHERS.read_text(encoding="utf-8")
    rows = BELIEF.findall(page.partition("## What students believe")[2].partition("\n## ")[0])
    lines = [
        f"- *{belief}* {shown.replace('](', '](../book/')}"
        for chapter, belief, shown in rows
        if chapter == number
    ]
    more = f"[For teachers](../book/{FOR_TEACHERS.name})"
    return "\n".join(
        ["What students tend to believe, and what shows otherwise:\n", *lines, "", more]
    )


def exercises(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells from the heading of the exercises on; none if there is no such heading."""
    for start, cell in enumerate(notebook.cells):
        if cell.source.startswith("## Exercises"):
            return notebook.cells[start:]
    return []


def is_solution(cell: NotebookNode) -> bool:
    """Say whether a cell holds a solution."""
    return "solution" in cell.metadata.get("tags", [])


EDITIONS = {"student": student, "teacher": teacher}
BESIDES: dict[str, list[Path]] = {"student": [], "teacher": [FOR_TEACHERS]}


def pack(edition: str, wheel: Path, target: Path) -> None:
    """Write the zip file of an edition.

    Args:
        edition: A key of `EDITIONS`.
        wheel: The package, as pip installs it.
        target: Where to write the file.
    """
    top = f"lenet-{edition}"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{top}/README.md", READ_ME.format(edition=edition))
        archive.writestr(f"{top}/requirements.txt", requirements(wheel.name))
        archive.write(wheel, f"{top}/{wheel.name}")
        for path in with_linked([*ROOT.glob("chapters/*.ipynb"), *BESIDES[edition]]):
            name = f"{top}/{path.relative_to(ROOT).as_posix()}"
            if path.suffix == ".ipynb":
                notebook = nbformat.read(path, as_version=4)
                EDITIONS[edition](notebook)
                archive.writestr(name, nbformat.writes(notebook) + "\n")
            else:
                archive.write(path, name)


def with_linked(pages: Iterable[Path]) -> list[Path]:
    """List pages, what they link to, what that links to, and so on."""
    found, left = set(), set(pages)
    while left:
        page = left.pop()
        found.add(page)
        left |= {(page.parent / link).resolve() for link in links(page)} - found
    return sorted(found)


def links(page: Path) -> list[str]:
    """List the files that a page links to, as it names them."""
    if page.suffix == ".md":
        return LINK.findall(page.read_text(encoding="utf-8"))
    if page.suffix != ".ipynb":
        return []
    cells = nbformat.read(page, as_version=4).cells
    return [link for c in cells if c.cell_type == "markdown" for link in LINK.findall(c.source)]


def requirements(wheel: str) -> str:
    """Return what pip is to install: the package, and in the tested versions what it needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["book"], "jupyterlab"]
    names = {re.split(r"[^\w-]", need)[0] for need in needed}
    tested = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line.split()[0] for line in tested if line.partition("==")[0] in names]
    return "\n".join([f"./{wheel}[book]", *pinned, ""])


def build_wheel(folder: Path) -> Path:
    """Build the package from a copy, because setuptools would leave files beside the original."""
    copy = folder / "copy"
    for name in PACKAGED:
        source, target = ROOT / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", folder, copy], check=True)
    return next(folder.glob("*.whl"))


def main() -> None:
    """Pack all editions and name the files."""
    build = ROOT / "_build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_wheel(Path(folder))
        for edition in EDITIONS:
            target = build / f"lenet-{edition}.zip"
            pack(edition, wheel, target)
            print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
