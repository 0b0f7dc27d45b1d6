"""Print the book as one PDF: `python book/tools/printed.py` makes `_build/lenet.pdf` of the site.

The pages of the site are joined in the order of `_toc.yml`, behind a title and contents. In place
of each widget stands a picture of it; a question keeps its text. Chromium prints them, twice: after
the first time it is known where each page begins, and the second time the contents say so.
"""

from __future__ import annotations

import argparse
import base64
import os
import posixpath
import tempfile
from pathlib import Path
from typing import Any

import pikepdf
import yaml
from browser import chromium
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser

import lenet_book.widgets

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
PDF = ROOT / "_build" / "lenet.pdf"
STYLE = ROOT / "book" / "assets" / "printed.css"
LEFT_OUT = "script, noscript, .headerlink, .lenet-running"
WIDTH, HEIGHT = 1000, 1200  # of the window in which widgets are shown, in pixels
FOOTER = (
    '<div style="width: 100%; text-align: center; font: 8pt sans-serif">'
    '<span class="pageNumber"></span></div>'
)
BOOK = """<!doctype html>
<html lang="en" data-theme="light" data-mode="light">
<head><meta charset="utf-8"><title>{title}</title>{styles}</head>
<body><header><h1>{title}</h1></header>
<nav><h2>Contents</h2>{contents}</nav>
<main class="bd-main"><div class="bd-content">
<div class="bd-article-container">{articles}</div>
</div></main></body></html>"""


def parts() -> dict[str, list[str]]:
    """Return the pages of each part of the book, by its caption; the front page has none."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    found = {"": [toc["root"]]}
    for part in toc["parts"]:
        chapters = [(chapter, *chapter.get("sections", [])) for chapter in part["chapters"]]
        found[part["caption"]] = [page["file"] for pages in chapters for page in pages]
    return found


def article_of(page: str, solutions: bool) -> Tag:
    """Return what a page of the site says, unfolded, with or without the solutions."""
    html = (SITE / f"{page}.html").read_text(encoding="utf-8")
    article = BeautifulSoup(html, "html.parser").select_one("article.bd-article")
    for left_out in article.select(LEFT_OUT):
        left_out.decompose()
    if not solutions:
        drop_solutions(article)
    for folded in article.select("details"):
        folded["open"] = ""
    return article


def drop_solutions(article: Tag) -> None:
    """Leave out the solutions, what is folded in the text of exercises, and what leads to them."""
    for folded in article.select("section#exercises details:not(.hide)"):
        folded.decompose()
    for cell in article.select(".tag_solution"):
        text = cell.find_previous_sibling()
        if text.name == "p" and "cell" in text.find_previous_sibling().get("class", []):
            text.decompose()
        cell.decompose()


def name_of(page: str, place: str = "") -> str:
    """Return the name that a page, or a place on it, has in the book."""
    return f"{page.replace('/', '-')}{place and f'--{place}'}"


def retarget(article: Tag, page: str, pages: list[str]) -> None:
    """Let the links and pictures of a page lead where they do when all pages are one."""
    for named in article.select("[id]"):
        named["id"] = name_of(page, named["id"])
    article["id"] = name_of(page)
    for picture in article.select("img[src]:not([src^='data:'])"):
        picture["src"] = (SITE / page).parent.joinpath(picture["src"]).resolve().as_uri()
    for link in article.select("a[href]:not([href*=':'])"):
        path, _, place = link["href"].partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
        target = target.removesuffix(".html") if path else page
        if target in pages:
            link["href"] = f"#{name_of(target, place)}"
        else:
            del link["href"]


def show_widgets(article: Tag, page: str, browser: Browser) -> None:
    """Put a picture of each widget, with a caption, where it stands in a page."""
    boxes = article.select(".lenet-static:not([data-widget=Predict])")
    if not boxes:
        return
    window = browser.new_page(
        viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=2, reduced_motion="reduce"
    )
    window.goto((SITE / f"{page}.html").as_uri())
    for box in boxes:
        widget = window.locator(f"#{box['id']} .lenet-widget").first
        widget.wait_for()
        picture = base64.b64encode(widget.screenshot()).decode()
        kind = getattr(lenet_book.widgets, box["data-widget"])
        sentence = f"{kind.sentence()} It can be operated on its page, and in Jupyter."
        box.replace_with(figure(f"data:image/png;base64,{picture}", sentence))
    window.close()


def figure(source: str, caption: str) -> Tag:
    """Return a picture with a caption."""
    soup = BeautifulSoup('<figure class="widget"><img alt=""><figcaption/></figure>', "html.parser")
    soup.img["src"], soup.figcaption.string = source, caption
    return soup.figure.extract()


def contents(articles: dict[str, Tag], numbers: dict[str, int]) -> str:
    """Return the list of all pages, with the number of the sheet on which each begins."""
    lines = []
    for caption, pages in parts().items():
        lines.append(f"<h3>{caption}</h3>" if caption else "")
        for page in pages:
            name, title = name_of(page), articles[page].h1.get_text()
            number = numbers.get(name, 0)
            lines.append(f'<a href="#{name}"><span>{title}</span><span>{number}</span></a>')
    return "\n".join(lines)


def styles(page: str) -> str:
    """Return the style sheets of a page of the site, and the book's own."""
    soup = BeautifulSoup((SITE / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
    sheets = [link["href"].partition("?")[0] for link in soup.select("link[rel=stylesheet]")]
    paths = [*((SITE / page).parent / sheet for sheet in sheets), STYLE]
    return "".join(f'<link rel="stylesheet" href="{path.resolve().as_uri()}">' for path in paths)


def print_book(solutions: bool, target: Path = PDF) -> None:
    """Print all pages of the site.

    Args:
        solutions: Whether the solutions of the exercises are printed.
        target: Where to write the PDF.
    """
    pages = [page for part in parts().values() for page in part]
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        articles = {page: article_of(page, solutions) for page in pages}
        for page, article in articles.items():
            show_widgets(article, page, browser)
            retarget(article, page, pages)
        filled: dict[str, Any] = {
            "title": yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["title"],
            "styles": styles(pages[-1]),
            "articles": "\n".join(map(str, articles.values())),
        }
        joined, printed = Path(folder) / "book.html", Path(folder) / "book.pdf"
        joined.write_text(BOOK.format(contents=contents(articles, {}), **filled), "utf-8")
        to_pdf(browser, joined, printed)
        numbered = contents(articles, starts(printed))
        joined.write_text(BOOK.format(contents=numbered, **filled), "utf-8")
        to_pdf(browser, joined, printed, outline=True, tagged=True)
        with pikepdf.open(printed) as pdf:  # what tags it fills half of the file, uncompressed
            pdf.save(target, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def to_pdf(browser: Browser, page: Path, target: Path, **options: bool) -> None:
    """Print an HTML file."""
    window = browser.new_page()
    window.goto(page.as_uri())
    window.pdf(
        path=target,
        format="A4",
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOTER,
        print_background=True,
        **options,
    )
    window.close()


def starts(path: Path) -> dict[str, int]:
    """Return the number of the sheet on which each place that is linked to lies."""
    with pikepdf.open(path) as pdf:
        sheets = {sheet.objgen: number for number, sheet in enumerate(pdf.pages, start=1)}
        return {name[1:]: sheets[place[0].objgen] for name, place in pdf.Root.Dests.items()}


def main() -> None:
    """Print the book and name the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-solutions", action="store_true", help="leave the solutions out")
    print_book(solutions=not parser.parse_args().no_solutions)
    print(os.path.relpath(PDF))


if __name__ == "__main__":
    main()
