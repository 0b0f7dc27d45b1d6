"""The book as one PDF: whole, with its links, and with or without solutions."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import browser as tool
import nbformat
import printed
import pytest
from bs4 import Tag
from playwright.sync_api import Browser
from pypdf import PdfReader

import lenet_book.widgets
from tests.browsing import beside

pytestmark = pytest.mark.timeout(1800)  # a busy machine prints for minutes

PAGES = [page for part in printed.parts().values() for page in part]
NOTEBOOKS = [page for page in PAGES if (printed.ROOT / f"{page}.ipynb").exists()]
CHAPTERS = [page for page in PAGES if page.startswith("chapters/")]
UNSEEN = {"remove-cell", "remove-input"}
MOST_BYTES = 20_000_000


def plain(text: str) -> str:
    """Text without ligatures, spaces, line ends, and the marks of lines that go on."""
    return re.sub(r"[\s↪\u200b]", "", unicodedata.normalize("NFKC", text))


def sources(page: str, tag: str | None = None) -> list[str]:
    """The code of a notebook that its page shows; of cells with a tag, or of all."""
    cells = nbformat.read(printed.ROOT / f"{page}.ipynb", as_version=4).cells
    tagged = [(cell, {*cell.metadata.get("tags", [])}) for cell in cells if cell.source.strip()]
    return [
        plain(cell.source)
        for cell, tags in tagged
        if cell.cell_type == "code" and not tags & UNSEEN and (tag is None or tag in tags)
    ]


@pytest.fixture(scope="module")
def articles(site: Path) -> dict[str, Tag]:
    return {page: printed.article_of(page, solutions=True) for page in PAGES}


@pytest.fixture(scope="module")
def pdf(site: Path, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The printed book; the browser of the other tests is not used, but has to be there."""
    path = tmp_path_factory.mktemp("printed") / "book.pdf"
    beside(lambda: printed.print_book(solutions=True, target=path))
    return path


@pytest.fixture(scope="module")
def reader(pdf: Path) -> PdfReader:
    return PdfReader(pdf)


@pytest.fixture(scope="module")
def sheets(reader: PdfReader) -> list[str]:
    """The text of each sheet, without the number at its foot."""
    texts = [plain(sheet.extract_text()) for sheet in reader.pages]
    return [text.removesuffix(str(number)) for number, text in enumerate(texts, start=1)]


@pytest.mark.parametrize("page", CHAPTERS)
def test_without_solutions_the_rest_stays(page: str, articles: dict[str, Tag]) -> None:
    with_them = plain(articles[page].get_text())
    without = printed.article_of(page, solutions=False)
    solutions = sources(page, "solution")
    assert all(code in with_them for code in solutions)
    text = plain(without.get_text())
    assert not [code for code in solutions if code in text]
    assert "Solution" not in text
    assert [code for code in sources(page) if code not in text] == solutions
    assert len(without.select("h3")) == len(articles[page].select("h3"))


def test_nothing_is_printed_while_it_fades_in(
    articles: dict[str, Tag], browser: Browser, tmp_path: Path
) -> None:
    styles, article = printed.styles(CHAPTERS[0]), articles[CHAPTERS[0]]
    text = printed.BOOK.format(title="One chapter", contents="", styles=styles, articles=article)
    (tmp_path / "chapter.html").write_text(text, encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "chapter.html").as_uri())
    page.emulate_media(media="print")
    assert page.locator("details[open]").count()
    animations = page.evaluate(
        "[...document.querySelectorAll('*')].map(e => getComputedStyle(e).animationName)"
    )
    page.close()
    assert {*animations} == {"none"}


def test_without_a_browser_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tool, "BROWSERS", ())
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="install Chromium or Google Chrome"):
        beside(lambda: tool.chromium().__enter__())


@pytest.mark.slow
def test_the_pdf_holds_every_heading_and_all_code(
    sheets: list[str], articles: dict[str, Tag]
) -> None:
    book = "".join(sheets)
    for page, article in articles.items():
        for heading in article.select("h1, h2, h3"):
            assert plain(heading.get_text()) in book, f"{page}: {heading.get_text()}"
    for page in NOTEBOOKS:
        missing = [code for code in sources(page) if code not in book]
        assert not missing, f"{page}: {missing}"


@pytest.mark.slow
def test_the_pdf_shows_every_picture_and_names_every_widget(
    reader: PdfReader, sheets: list[str], articles: dict[str, Tag]
) -> None:
    book = "".join(sheets)
    boxes = [box["data-widget"] for a in articles.values() for box in a.select(".lenet-static")]
    shown = [name for name in boxes if name != "Predict"]
    for name in shown:
        sentence = plain(getattr(lenet_book.widgets, name).sentence())
        assert book.count(sentence) >= shown.count(name), name
    pictures = sum(len(article.select("img[src*='_images']")) for article in articles.values())
    held = {image.indirect_reference for sheet in reader.pages for image in sheet.images}
    assert len(held) >= pictures


@pytest.mark.slow
def test_its_links_and_its_contents_lead_to_the_places_that_they_name(
    reader: PdfReader, sheets: list[str], articles: dict[str, Tag]
) -> None:
    places = reader.named_destinations
    named = [
        note.get_object()["/Dest"]
        for sheet in reader.pages
        for note in sheet.get("/Annots", [])
        if "/Dest" in note.get_object()
    ]
    assert len(named) > 500
    assert {str(name) for name in named} <= places.keys()
    for page, article in articles.items():
        number = reader.get_destination_page_number(places[f"/{printed.name_of(page)}"])
        title = plain(article.h1.get_text())
        assert title in sheets[number]
        assert f"{title}{number + 1}" in "".join(sheets[1:3])
    assert reader.outline


@pytest.mark.slow
def test_the_pdf_can_be_sent(pdf: Path, reader: PdfReader) -> None:
    assert pdf.stat().st_size < MOST_BYTES
    assert 250 < len(reader.pages) < 600
