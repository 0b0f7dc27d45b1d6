"""The site as a whole, on a web server and as files on disk: contents, links, search, keyboard."""

from __future__ import annotations

import importlib
import inspect
import re
import shlex
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from publishing import PUBLISHED

from lenet.__main__ import _parser
from tests.book.contents import PAGES
from tests.browsing import Visit

ROOT = Path(__file__).parents[2]

pages = pytest.mark.parametrize("name", PAGES)


def test_the_site_opens_at_the_front_page(visit: Visit) -> None:
    page = visit.open("index.html")
    page.wait_for_url(f"**/{PAGES[0]}.html")
    assert page.locator("html").get_attribute("lang") == "en"


def test_search_finds_a_word(visit: Visit) -> None:
    page = visit.open("search.html?q=convolutional")
    result = page.locator("#search-results li a").first
    result.wait_for()
    if visit.base.startswith("http"):
        page.locator("#search-results li .context").first.wait_for()
    result.click()
    page.wait_for_load_state("networkidle")
    assert "convolution" in page.locator("article").inner_text().lower()  # found by its stem


def test_search_opens_from_the_keyboard(visit: Visit) -> None:
    page = visit.open(f"{PAGES[0]}.html")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+K")
    page.keyboard.type("network")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.wait_for()


def test_keyboard_focus_is_visible(visit: Visit) -> None:
    page = visit.open(f"{PAGES[0]}.html")
    page.locator("article a").first.focus()
    page.keyboard.press("Tab")
    focused = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate("document.activeElement.tagName") != "BODY"
    assert page.evaluate(focused) != "none"


def test_every_chapter_is_in_the_contents_and_on_the_front_page() -> None:
    written = [f"chapters/{path.stem}" for path in sorted(ROOT.glob("chapters/*.ipynb"))]
    assert [page for page in PAGES if page.startswith("chapters/")] == written
    cells = nbformat.read(ROOT / "book" / "intro.ipynb", as_version=4).cells
    cards = "\n".join(cell.source for cell in cells).split("{grid-item-card}")[1:]
    assert [card.split(":link: /")[1].split()[0] for card in cards] == written


@cache
def parsed(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(page: Path) -> set[str]:
    return {str(element["id"]) for element in parsed(page).select("[id]")}


@pages
def test_links_within_the_site_lead_somewhere(site: Path, name: str) -> None:
    page = site / f"{name}.html"
    for link in parsed(page).select("a[href]"):
        target = urlsplit(str(link["href"]))
        if target.scheme or target.netloc:
            continue
        path = (page.parent / unquote(target.path)).resolve() if target.path else page
        assert path.is_file(), f"{link['href']} in {name}"
        if target.fragment and path.suffix == ".html":
            assert unquote(target.fragment) in anchors(path), f"{link['href']} in {name}"


@pages
def test_buttons_wait_for_an_address(site: Path, name: str) -> None:
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    published = bool(PUBLISHED.fullmatch(config["repository"]["url"]))
    html = (site / f"{name}.html").read_text(encoding="utf-8")
    if not published:
        assert config["repository"]["url"] not in html
    if name.startswith("chapters/"):
        for mark in ("colab.research.google.com", "mybinder.org", "dropdown-download-buttons"):
            assert (mark in html) == published, mark


FACES = {
    "lenet.data": "data",
    "lenet.models": "models",
    "lenet.train": "train",
    "lenet.tracing": "tracing",
    "lenet.shapes": "shapes",
    "lenet_book.widgets": "widgets",
    "lenet_book.figures": "figures",
}


@pytest.mark.parametrize(("face", "name"), FACES.items())
def test_every_public_name_has_an_entry_with_its_source(site: Path, face: str, name: str) -> None:
    page, module = site / "book" / "api" / f"{name}.html", importlib.import_module(face)
    for public in module.__all__:
        entry = parsed(page).find(id=f"{face}.{public}")
        assert entry, f"{public} of {face}"
        found = getattr(module, public)
        if inspect.isfunction(found) or inspect.isclass(found):
            source = entry.select_one("a[href*=_modules]")
            assert source, f"{public} of {face}"
            path, _, anchor = str(source["href"]).partition("#")
            assert anchor in anchors((page.parent / path).resolve())
            assert "<factory>" not in entry.text
            assert "*args" not in entry.text


def test_the_commands_are_written_as_they_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "book" / "api" / "commands.md").read_text(encoding="utf-8")
    for chapter in ROOT.glob("chapters/*.ipynb"):
        text += "\n".join(cell.source for cell in nbformat.read(chapter, as_version=4).cells)
    text = text.replace("\\\n", " ")  # a line that goes on
    commands = [shlex.split(line) for line in re.findall(r"-m lenet ([a-z].+)", text)]
    assert {words[0] for words in commands} == {"shapes", "explain", "train", "evaluate", "predict"}
    monkeypatch.chdir(tmp_path)
    for weights in ("narrow.safetensors", "mine.safetensors"):
        (tmp_path / weights).touch()
    (tmp_path / "train.py").touch()
    networks = "from torch.nn import Identity\n\ndef Net(*args, **kwargs): return Identity()\n"
    (tmp_path / "nets.py").write_text(f"{networks}Reader = Net\n")
    monkeypatch.setattr("sys.path", list(sys.path))
    for words in commands:
        _parser(chosen=words[:1]).parse_args(words)
