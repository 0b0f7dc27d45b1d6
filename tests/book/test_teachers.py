"""The page for teachers: its minutes, its map and its sections are those of the chapters."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import plans
import pytest

from tests.book.small_site import build

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book" / "teachers.md").read_text(encoding="utf-8")
MAP = ElementTree.parse(ROOT / "book" / "assets" / "prerequisites.svg")
PLANS = {
    int(hours): plans.plan(lines.splitlines())
    for hours, lines in re.findall(
        r"^### (\d+) hours: .+\n\n```\{plan\}\n((?:.+\n)+?)```$", PAGE, re.MULTILINE
    )
}
CHAPTERS = {int(path.name[:2]): plans.prose(path) for path in ROOT.glob("chapters/*.ipynb")}


def parts(*cells: str) -> list[str]:
    return [part for cell in cells for part in plans.PART.findall(cell)]


def test_minutes_are_those_that_the_chapters_state() -> None:
    for chapter, text in CHAPTERS.items():
        assert plans.minutes(f"{chapter}") == plans.READING.findall(text)[0]
        for title, _, length in plans.EXERCISE.findall(text):
            assert plans.minutes(f"{chapter}.{title.partition('.')[0]}") == length


@pytest.mark.parametrize("hours", [6, 12, 24])
def test_a_plan_fits_its_hours(hours: int) -> None:
    planned, last = [], 0
    for hour, read, exercises, in_class, home, _ in PLANS[hours]:
        first, *rest = (int(number) for number in parts(hour))
        assert first == last + 1
        last = (rest or [first])[-1]
        assert int(in_class or 0) <= 62, f"hour {hour} of {hours}"
        planned += parts(read, exercises, home)
    assert last == hours
    assert len(set(planned)) == len(planned), "nothing twice"
    assert hours < 24 or set(planned) == set(plans.stated()), "the longest plan leaves nothing out"


@pytest.mark.parametrize("hours", [6, 12, 24])
def test_a_plan_reads_no_chapter_before_those_that_it_needs(hours: int) -> None:
    read: set[int] = set()
    for _, in_class, _, _, home, _ in PLANS[hours]:
        for part in [part for part in parts(in_class, home) if "." not in part]:
            assert needed()[int(part)] <= read, f"chapter {part}"
            read.add(int(part))


def needed() -> dict[int, set[int]]:
    """The chapters that a chapter names as its prerequisites, without what only exercises need."""
    found = {}
    for chapter, text in CHAPTERS.items():
        (line,) = re.findall(r"^\*\*Prerequisites\*\*: (.+?)\.(?: |$)", text, re.MULTILINE)
        plain = re.sub(r"\]\(.+?\)", "]", line)
        found[chapter] = {int(number) for number in re.findall(r"\d+", plain)}
    return found


def all_before(arrows: dict[int, set[int]], chapter: int) -> set[int]:
    return arrows[chapter].union(*(all_before(arrows, before) for before in arrows[chapter]))


def test_the_map_shows_the_prerequisites_of_the_chapters() -> None:
    arrows: dict[int, set[int]] = {chapter: set() for chapter in CHAPTERS}
    for path in MAP.iter("{http://www.w3.org/2000/svg}path"):
        if found := re.fullmatch(r"from-(\d+)-to-(\d+)", path.get("id", "")):
            arrows[int(found[2])].add(int(found[1]))
    for chapter in CHAPTERS:
        assert all_before(arrows, chapter) == all_before(needed(), chapter), chapter
    told = [text.text for text in MAP.iter("{http://www.w3.org/2000/svg}text")]
    for chapter, text in CHAPTERS.items():
        assert text.startswith(f"# {chapter}. {told[told.index(str(chapter)) + 1]}\n")


def test_a_page_shows_the_minutes(tmp_path: Path) -> None:
    (chapters,) = re.findall(r"^```\{costs\}\n(?:.+\n)+?```$", PAGE, re.MULTILINE)
    text = f"# Page\n\n```{{plan}}\n1 | 1, 2 | 1.1, 2.2 |\n2 |  |  | 3\n```\n\n{chapters}\n"
    page = build(tmp_path, {"page": text}, "plans")["page"]
    hours, costs = ([row.text.split() for row in table("tr")] for table in page("table"))
    stated = plans.stated()
    in_class = stated["1"] + stated["2"] + stated["1.1"] + stated["2.2"]
    assert hours[1] == ["1", "1,", "2", "1.1,", "2.2", f"{in_class}"]
    assert hours[2] == ["2", "3", f"{stated['3']}"]
    assert [int(row[0]) for row in costs[1:]] == sorted(CHAPTERS)
    exercises = sum(length for part, length in stated.items() if part.startswith("11."))
    assert costs[-1][:3] == ["11", f"{stated['11']}", f"{exercises}"]


def test_sections_and_beliefs_are_of_chapters_that_are_there() -> None:
    sections = set(re.findall(r"^## (.+)$", "\n".join(CHAPTERS.values()), re.MULTILINE))
    named = {" ".join(name.split()) for name in re.findall(r'"([A-Z].+?)"', PAGE, re.DOTALL)}
    assert named
    assert named <= sections
    _, beliefs, _ = re.split("## What students believe\n|## Two projects", PAGE)
    rows = re.findall(r"^\| (\d+) \|", beliefs, re.MULTILINE)
    assert set(map(int, rows)) == CHAPTERS.keys()


def test_the_page_stays_short() -> None:
    words = re.sub(r"\]\(.*?\)", "]", PAGE)
    assert sum(bool(re.search(r"[^\W\d]", word)) for word in words.split()) <= 1600
