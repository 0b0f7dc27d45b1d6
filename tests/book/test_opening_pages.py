"""What opening a page costs: bytes, and what moves; what is seen of its widgets without scripts."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from icons import LINES  # of book/_ext
from opening_pages import (  # of bench/
    BUDGET,
    DESK,
    LIMIT,
    LIMITS,
    PHONE,
    SHIFT,
    Report,
    open_page,
    weigh,
)
from playwright.sync_api import Browser, ViewportSize, expect

from tests.book.contents import PAGES
from tests.browsing import Bases, visiting

QUICK = ["book/intro", "chapters/02_building_a_network", "chapters/05_output_shapes"]
NEVER = ["fontawesome", "webfonts", "searchindex", "searchtools"]
EXAMPLE = (
    '{"state": {"1": {"model_module": "anywidget", "state": {"_anywidget_id": "a.b.Example"}}, '
    '"2": {"model_module": "@jupyter-widgets/base", "state": {}}}, "chunks": {"0": "CHUNK"}}'
)
KIND = "application/vnd.jupyter.widget-state+json"


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in PAGES]
)
def test_a_page_is_light_and_lies_still(
    browser: Browser, bases: Bases, name: str, viewport: ViewportSize
) -> None:
    opening = open_page(browser, f"{bases['http']}/{name}.html", viewport)
    limit = LIMITS.get(f"{name}.html", LIMIT + opening.pictures)
    assert 0 < opening.total <= limit
    assert opening.shift <= SHIFT
    if name != "search":
        assert not [url for url in opening.requests if any(word in url for word in NEVER)]


def test_widgets_are_within_their_budget(site: Path) -> None:
    weights = {name: weigh(site / f"{name}.html", site) for name in PAGES}
    assert weights["book/stepper"].classes == ("ForwardStepper",)
    assert weights["book/stepper"].num_networks == 1
    for name, weight in weights.items():
        assert bool(weight.code) == bool(weight.state) == bool(weight.classes), name
        assert weight.total <= BUDGET, name


def test_what_widgets_show_stands_in_the_page(browser: Browser, bases: Bases, site: Path) -> None:
    with visiting(browser, bases["file"], java_script_enabled=False) as visit:
        for name in PAGES:
            if weigh(site / f"{name}.html", site).classes:
                for box in visit.open(f"{name}.html").locator(".lenet-static").all():
                    first, *_, last = filter(None, box.inner_text().splitlines())
                    assert len(first) > 20, name
                    assert last == "The interactive part needs JavaScript.", name


def test_every_icon_is_drawn_and_no_font_is_needed_for_it(site: Path) -> None:
    fonts = [path.name for kind in ("woff*", "ttf", "otf") for path in site.rglob(f"*.{kind}")]
    assert fonts == ["math.woff2"]
    drawn = set(re.findall(r"[.](fa-[\w-]+)", " ".join(LINES)))
    for name in PAGES:
        html = (site / f"{name}.html").read_text(encoding="utf-8")
        for classes in re.findall(r'class="([^"]*fa-[^"]*)"', html):
            assert drawn & {*classes.split()}, f"{classes} in {name}"


@pytest.mark.parametrize("size", [(1440, 900), (1280, 800), (1366, 768)])
@pytest.mark.parametrize("name", ["book/intro", "book/stepper"])
def test_a_wide_page_gives_its_widget_the_screen(
    browser: Browser, bases: Bases, name: str, size: tuple[int, int]
) -> None:
    viewport = ViewportSize(width=size[0], height=size[1])
    with visiting(browser, bases["http"], viewport=viewport) as visit:
        page = visit.open(f"{name}.html")
        expect(page.locator("body")).to_have_class("lenet-wide-page")
        box = page.locator(".lenet-static").first.bounding_box()
        assert box
        assert box["y"] <= 110
        assert box["width"] >= min(size[0], 1400) - 40
        chapters = page.locator("#pst-primary-sidebar")
        expect(chapters).not_to_be_visible()
        page.locator(".primary-toggle").click()
        expect(chapters).to_be_visible()
        page.locator(".search-button").click()
        expect(page.locator("#pst-search-dialog input")).to_be_focused()


def write_page(site: Path, *states: str) -> Path:
    scripts = site / "_static" / "widgets"
    scripts.mkdir(parents=True)
    for name in ("pages.js", "pages.css", "Example.js"):
        (scripts / name).write_text(name, encoding="utf-8")
    html = "<p>text</p>".join(f'<script type="{KIND}">{state}</script>' for state in states)
    (site / "page.html").write_text(f"<p>text</p>{html}", encoding="utf-8")
    return site / "page.html"


def test_widgets_weigh_their_scripts_and_their_states(tmp_path: Path) -> None:
    weight = weigh(write_page(tmp_path, EXAMPLE, EXAMPLE), tmp_path)
    names = ("pages.js", "pages.css", "Example.js")
    assert weight.classes == ("Example",)
    assert weight.code == sum(len(gzip.compress(name.encode())) for name in names)
    assert weight.state == 2 * len(gzip.compress(EXAMPLE.encode()))


def test_a_page_without_widgets_weighs_nothing(tmp_path: Path) -> None:
    assert weigh(write_page(tmp_path), tmp_path).total == 0


def test_the_report_tells_what_is_over_its_limit() -> None:
    report = Report()
    assert report.verdict(1.0, 1.0) == ""
    assert report.is_within
    assert "TOO MUCH" in report.verdict(1.1, 1.0)
    assert report.verdict(1.0, 1.0) == ""
    assert not report.is_within
