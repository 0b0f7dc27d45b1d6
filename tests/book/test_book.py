"""The built site, as a reader's browser meets it: on a web server and as files on disk."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from mathml import mathml
from publishing import PUBLISHED

from tests.browsing import PHONE, Visit

ROOT = Path(__file__).parents[2]


def listed(contents: Any) -> list[str]:
    """The pages that a table of contents names, in order."""
    if isinstance(contents, list):
        return [page for entry in contents for page in listed(entry)]
    if not isinstance(contents, dict):
        return []
    own = [contents[key] for key in ("root", "file") if key in contents]
    return own + [page for value in contents.values() for page in listed(value)]


PAGES = [*listed(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))), "search"]

phone = pytest.mark.parametrize("visit", [{"viewport": PHONE}], indirect=True, ids=["phone"])
themes = pytest.mark.parametrize(
    "visit",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}],
    indirect=True,
    ids=["light", "dark"],
)
pages = pytest.mark.parametrize("name", PAGES)


@pages
def test_page_opens_without_any_trouble(visit: Visit, name: str) -> None:
    page = visit.open(f"{name}.html")
    assert page.locator("article h1, #search-title").count() <= 1
    undrawn = "images => images.filter(image => !image.complete || !image.naturalWidth).length"
    for image in page.locator("article img").all():
        image.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")  # whatever is fetched late must not fail either
    assert page.locator("img").evaluate_all(undrawn) == 0


def test_the_site_opens_at_the_front_page(visit: Visit) -> None:
    page = visit.open("index.html")
    page.wait_for_url(f"**/{PAGES[0]}.html")
    assert page.locator("html").get_attribute("lang") == "en"


@phone
@pages
def test_page_does_not_scroll_sideways_on_a_phone(visit: Visit, name: str) -> None:
    page = visit.open(f"{name}.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.evaluate("window.scrollTo(1000, 0)")
    assert page.evaluate("window.scrollX") == 0


@phone
@pages
def test_pictures_keep_their_proportions_on_a_phone(visit: Visit, name: str) -> None:
    page = visit.open(f"{name}.html")
    distorted = """images => images
      .filter(image => image.clientHeight)
      .map(i => i.clientWidth / i.clientHeight / (i.naturalWidth / i.naturalHeight))
      .filter(ratio => Math.abs(ratio - 1) > 0.05).length"""
    for image in page.locator("article img").all():
        image.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    assert page.locator("article img").evaluate_all(distorted) == 0


UNREADABLE = """
() => {
  const parse = text => {
    const [r, g, b, ...alpha] = text.match(/[\\d.]+/g).map(Number);
    const unit = text.startsWith("color(srgb") ? 255 : 1;  // what color-mix() makes is from 0 to 1
    return [r * unit, g * unit, b * unit, ...alpha];
  };
  const luminance = rgb => {
    const [r, g, b] = rgb.map(v => v / 255).map(
      v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const [r, g, b, alpha = 1] = parse(getComputedStyle(e).backgroundColor);
      if (alpha === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!/[\\p{L}\\p{N}]/u.test(text)) continue;
    if (!element.checkVisibility({visibilityProperty: true})) continue;
    if (element.closest(".output.text_html, svg, .skip-link, [aria-hidden=true]")) continue;
    const ink = luminance(parse(getComputedStyle(element).color).slice(0, 3));
    const paper = luminance(ground(element));
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (contrast < 4.5) found.push(`${contrast.toFixed(1)} ${text.slice(0, 40)}`);
  }
  return found;
}
"""


@themes
@pages
def test_text_has_contrast_in_light_and_dark(
    visit: Visit, name: str, request: pytest.FixtureRequest
) -> None:
    page = visit.open(f"{name}.html")
    wanted = request.node.callspec.params["visit"]["color_scheme"]
    assert page.locator("html").get_attribute("data-theme") == wanted
    page.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished))")
    assert page.evaluate(UNREADABLE) == []


@pytest.mark.parametrize("visit", [{"color_scheme": "dark"}], indirect=True, ids=["dark"])
@pages
def test_pictures_keep_their_own_ground_and_ink_in_the_dark(visit: Visit, name: str) -> None:
    page = visit.open(f"{name}.html")
    style = (
        "images => images.map(image => getComputedStyle(image))"
        ".filter(s => s.filter !== 'none' || s.backgroundColor !== 'rgba(0, 0, 0, 0)').length"
    )
    assert page.locator("article img").evaluate_all(style) == 0


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


@pages
def test_folded_parts_open_on_the_spot(visit: Visit, name: str) -> None:
    page = visit.open(f"{name}.html")
    for part in page.locator("article details").all():
        if part.get_attribute("open") is None:
            part.locator("summary").first.click()
        assert part.get_attribute("open") is not None


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


def texts(latex: str, tag: str) -> list[str]:
    return [element.text or "" for element in mathml(latex, "inline").iter(tag)]


def test_mathematics_is_set_as_tex_would() -> None:
    assert texts(r"\operatorname{softmax}(z)", "mi") == ["softmax", "z"]
    assert "∼" in texts(r"x \sim y", "mo")
    assert texts(r"\lfloor x \rfloor", "mo") == ["⌊", "⌋"]
    assert len(texts(r"\begin{aligned} a &= b \\ &= c \end{aligned}", "mtr")) == 2
    assert len(texts(r"\log x", "mspace")) == 1
    assert texts(r"\log(x)", "mspace") == []
    (minus,) = (e for e in mathml("a = -b", "inline").iter("mo") if e.text == "−")
    assert minus.get("form") == "prefix"


@pytest.mark.parametrize("wrong", [r"\notacommand{x}", r"\frac{1}", r"a & b", r"\left( x"])
def test_mathematics_that_is_not_understood_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="in '"):
        mathml(wrong, "block")


def test_mathematics_is_well_formed_and_can_be_read_aloud() -> None:
    latex = r"a < b \text{ and } \frac{x_1}{2}"
    math = ElementTree.fromstring(ElementTree.tostring(mathml(latex, "block")))
    assert math.get("alttext") == latex
