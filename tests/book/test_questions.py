"""Where do I find …?: every question leads to a section that is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from myst_parser.mdit_to_docutils.base import default_slugify

BOOK = Path(__file__).parents[2] / "book"
PAGE = (BOOK / "questions.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^- \[(.+)\]\((.+?)(?:#(.+))?\)$", PAGE, re.MULTILINE)


def sections(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
        text = "\n".join("".join(cell["source"]) for cell in cells)
    titles = re.findall(r"^#{1,3} +(.+?) *$", text, re.MULTILINE)
    return {default_slugify(title) for title in titles}


@pytest.mark.parametrize(("question", "page", "section"), QUESTIONS)
def test_a_question_leads_to_a_section(question: str, page: str, section: str) -> None:
    assert question.endswith("?")
    assert (BOOK / page).is_file()
    if section:
        assert section in sections(BOOK / page)


def test_there_are_questions_for_every_chapter() -> None:
    assert len({question for question, _, _ in QUESTIONS}) == len(QUESTIONS) >= 60
    assert sum(bool(section) for _, _, section in QUESTIONS) >= 60
    asked = {Path(page).name[:2] for _, page, _ in QUESTIONS if "chapters/" in page}
    assert asked == {f"{number:02}" for number in range(1, 12)}
