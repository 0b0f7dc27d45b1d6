"""Whole pages that hold widgets, as axe-core judges them: on a desk and a phone, light and dark."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from lenet_book.widgets.shared import pages
from tests.browsing import DESK, PHONE

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def holds_widgets(notebook: Path) -> bool:
    metadata = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]
    return pages.STATE_TYPE in metadata.get("widgets", {})


NOTEBOOKS = [*ROOT.glob("book/*.ipynb"), *ROOT.glob("chapters/*.ipynb")]
NAMES = sorted(str(n.relative_to(ROOT).with_suffix("")) for n in NOTEBOOKS if holds_widgets(n))


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci)")
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_no_barrier_on_the_page(
    browser: Browser, site: Path, name: str, scheme: str, viewport: dict[str, int]
) -> None:
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{site.as_uri()}/{name}.html")
    for widget in page.locator(".lenet-static").all():
        widget.scroll_into_view_if_needed()
        expect(widget).not_to_have_attribute("aria-busy", "true", timeout=60_000)
    page.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished))")
    page.add_script_tag(path=AXE)
    # A page on disk may not read its style sheets again, as axe-core would for one rule.
    found = page.evaluate("axe.run({ preload: false })")["violations"]
    context.close()
    assert [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in found] == []


def test_the_tools_and_the_front_page_are_among_them() -> None:
    assert {"book/intro", "book/stepper", "book/playground", "book/calculator"} <= set(NAMES)
