"""The chapters as a class gets them: without solutions, or with solutions and times."""

from __future__ import annotations

import copy
import re
import symtable
import zipfile
from pathlib import Path

import editions
import nbformat
import pytest
from nbformat import NotebookNode

CHAPTERS = sorted(editions.ROOT.glob("chapters/*.ipynb"))
chapters = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def made(path: Path, edition: str) -> tuple[list[NotebookNode], list[NotebookNode]]:
    """The cells of a chapter, and those of an edition of it."""
    notebook = nbformat.read(path, as_version=4)
    before = copy.deepcopy(notebook.cells)
    editions.EDITIONS[edition](notebook)
    nbformat.validate(notebook)
    return before, notebook.cells


def names(cells: list[NotebookNode]) -> tuple[set[str], set[str]]:
    """What code cells set at their top level, and what they read of that."""
    source = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    top = symtable.symtable(re.sub(r"(?m)^(\s*)%.*$", r"\1pass", source), "cells", "exec")
    tables = [top]
    for table in tables:
        tables += table.get_children()
    seen = [symbol for table in tables for symbol in table.get_symbols() if symbol.is_global()]
    return (
        {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned()},
        {symbol.get_name() for symbol in seen if symbol.is_referenced()},
    )


@chapters
def test_students_get_no_solution_and_every_check(path: Path) -> None:
    before, cells = made(path, "student")
    solutions = [cell for cell in before if "solution" in cell.metadata.get("tags", [])]
    assert solutions
    kept = [cell.source for cell in cells]
    assert not {cell.source for cell in solutions} & set(kept)
    assert "Solution" not in "\n".join(kept)

    def tagged(all_cells: list[NotebookNode], tag: str) -> list[str]:
        return [cell.source for cell in all_cells if tag in cell.metadata.get("tags", [])]

    assert tagged(cells, "self-check") == tagged(before, "self-check") != []
    assert not tagged(cells, "solution")


@chapters
def test_students_get_all_the_rest(path: Path) -> None:
    before, cells = made(path, "student")
    start = next(i for i, cell in enumerate(before) if cell.source.startswith("## Exercises"))
    assert cells[:start] == before[:start]
    tasks = [cell.source.split("### ")[1] for cell in before[start:] if "### " in cell.source]
    text = "\n".join(cell.source for cell in cells)
    assert all(f"### {task}" in text for task in tasks)
    assert cells[-1].source == before[-1].source[-len(cells[-1].source) :] != ""


@chapters
def test_the_student_edition_needs_nothing_that_a_solution_made(path: Path) -> None:
    before, cells = made(path, "student")
    solutions = [cell for cell in before if "solution" in cell.metadata.get("tags", [])]
    set_here, read_here = names(cells)
    assert not (names(solutions)[0] - set_here) & read_here


@chapters
def test_teachers_see_every_cell_and_the_solutions_unfolded(path: Path) -> None:
    before, cells = made(path, "teacher")
    plain = [cell.source.replace("<details open>", "<details>") for cell in cells]
    assert [plain[0], *plain[2:]] == [cell.source for cell in before]
    for cell in cells:
        if "solution" in cell.metadata.get("tags", []):
            assert cell.metadata == {"tags": ["solution"]}


@chapters
def test_the_minutes_of_a_chapter_are_those_that_it_states(path: Path) -> None:
    before, (_, notes, *_) = made(path, "teacher")
    rows = [row.split("|")[1:-1] for row in notes.source.splitlines() if row.startswith("| ")]
    *parts, total = [int(row[-1]) for row in rows[1:]]
    text = "\n\n".join(cell.source for cell in before)
    stated = re.search(r"about (\d+) minutes to read, and (\d+) more", text)
    assert stated
    assert [parts[0], sum(parts[1:])] == [int(minutes) for minutes in stated.groups()]
    assert total == sum(parts)
    exercises = text.partition("## Exercises")[2]
    assert len(parts) - 1 == len(re.findall(r"(?m)^### \d+\. ", exercises))


@chapters
def test_teachers_read_what_students_believe(path: Path) -> None:
    _, (title, notes, *_) = made(path, "teacher")
    number = re.findall(r"\d+", title.source)[0]
    told = re.findall(r"(?m)^- \*.+\* .+$", notes.source)
    page = editions.FOR_TEACHERS.read_text(encoding="utf-8")
    assert told
    assert page.count(f"\n| {number} | ") >= len(told)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both editions, unpacked."""
    folder = tmp_path_factory.mktemp("editions")
    wheel = editions.build_wheel(folder)
    for edition in editions.EDITIONS:
        editions.pack(edition, wheel, folder / f"{edition}.zip")
        with zipfile.ZipFile(folder / f"{edition}.zip") as archive:
            archive.extractall(folder)
    return {edition: folder / f"lenet-{edition}" for edition in editions.EDITIONS}


@pytest.mark.parametrize("edition", editions.EDITIONS)
def test_a_packed_edition_is_whole(edition: str, archives: dict[str, Path]) -> None:
    folder = archives[edition]
    packed = sorted(path.name for path in folder.glob("chapters/*.ipynb"))
    assert packed == [path.name for path in CHAPTERS]
    for page in [*folder.rglob("*.ipynb"), *folder.rglob("*.md")]:
        for link in editions.links(page):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
    package, *others = (folder / "requirements.txt").read_text("utf-8").splitlines()
    assert (folder / package.removesuffix("[book]")).is_file()
    assert {"torch", "anywidget", "jupyterlab"} < {line.partition("==")[0] for line in others}


def test_the_package_in_it_is_the_present_one(archives: dict[str, Path]) -> None:
    (wheel,) = archives["student"].glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if ".dist-info/" not in name:
                root = editions.ROOT / ("book" if name.startswith("lenet_book") else "")
                assert archive.read(name) == (root / name).read_bytes(), name
