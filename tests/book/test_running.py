"""Each chapter's page says, below its title, how to run it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import running

from tests.book.small_site import build

ROOT = Path(__file__).parents[2]


def test_a_chapter_says_how_to_run_it_and_another_page_does_not(tmp_path: Path) -> None:
    text = "# 1. Bytes\n\nWhere from?\n"
    pages = build(tmp_path, {"front": "# Front\n", "chapters/01_etl": text}, "running")
    assert not pages["front"].select("details")
    (box,) = pages["chapters/01_etl"].select("h1 + details")
    assert not box.has_attr("open")
    assert ".venv/bin/jupyter lab chapters/01_etl.ipynb\n" in box.text
    assert ".venv\\Scripts\\jupyter lab chapters\\01_etl.ipynb\n" in box.text
    assert box.find("a", download=True)["href"] == "../_sources/chapters/01_etl.ipynb"
    assert "Colab" not in box.text


def test_a_published_chapter_opens_in_colab_and_on_kaggle() -> None:
    box = running.box("chapters/01_etl", "x.ipynb", "https://colab.research.google.com/github/a/b")
    assert '<a href="https://colab.research.google.com/github/a/b">open it in Colab</a>' in box
    assert "On Kaggle" in box
    assert "Kaggle" not in running.box("chapters/01_etl", "x.ipynb", colab="")


def test_the_commands_are_those_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for commands in running.COMMANDS.values():
        install = [command for command in commands if "jupyter" not in command]
        assert "\n".join(install) in readme


def test_commands_for_windows_name_programs_that_the_book_installs() -> None:
    commands = "\n".join(running.COMMANDS["Windows"]) + (ROOT / "README.md").read_text("utf-8")
    programs = set(re.findall(r"\.venv\\Scripts\\([\w-]+)", commands))
    assert {"python", "jupyter", "jupyter-book"} <= programs
    assert all(Path(sys.executable).with_name(name).exists() for name in programs)
