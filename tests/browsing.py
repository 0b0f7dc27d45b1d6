"""A page in a browser, and everything that goes wrong while it is open."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, ViewportSize

if TYPE_CHECKING:
    from lenet_book.widgets import Widget

Bases = dict[str, str]
Show = Callable[..., Page]
DESK = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)
COLUMN = ViewportSize(width=720, height=800)  # a widget in it is as wide as the book's column


def missing(what: str) -> NoReturn:
    """Skip what needs a browser that is not there, or fail where it is demanded."""
    if os.environ.get("LENET_BROWSER_TESTS") == "1":
        pytest.fail(f"LENET_BROWSER_TESTS=1, but {what}")
    pytest.skip(what)


def beside(work: Callable[[], object]) -> None:
    """Do what starts a browser of its own: beside that of the tests, playwright wants a thread."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(work).result()


@dataclass
class Visit:
    """A page, and everything that went wrong while it was open."""

    page: Page
    base: str
    trouble: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self._check_address(request.url))
        self.page.on("requestfailed", self._check_failure)
        self.page.on("pageerror", lambda error: self._note("error", error))
        self.page.on("response", lambda r: r.status >= 400 and self._note(r.status, r.url))
        self.page.on("console", self._check_message)

    def _note(self, kind: object, what: object) -> None:
        self.trouble.append(f"{kind}: {what}")

    def _check_address(self, url: str) -> None:
        if not url.startswith((self.base, "data:", "blob:")):
            self._note("off the machine", url)

    def _check_failure(self, request: Request) -> None:
        # What a page still asks for when the reader leaves it is given up, not failed.
        if request.failure != "net::ERR_ABORTED":
            self._note("failed", request.url)

    def _check_message(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._note(message.type, message.text)

    def open(self, name: str) -> Page:
        self.page.goto(f"{self.base}/{name}")
        return self.page

    def show(self, widget: Widget, path: Path, address: str = "") -> Page:
        """Save a widget as a page below the base, and open that."""
        widget.save_html(path)
        page = self.open(path.name + address)
        page.locator(".lenet-widget").first.wait_for()
        return page


def changes_the_picture(part: Locator, change: str) -> bool:
    """Whether a page looks different when a part of it, ``node``, is changed by a script."""
    part.evaluate("node => node.scrollIntoView({ block: 'nearest' })")
    part.page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    before = part.page.screenshot()
    part.evaluate(f"node => {{ {change} }}")
    return part.page.screenshot() != before


def is_seen(part: Locator) -> bool:
    """Whether a page looks different without a part of it, which is hidden for good."""
    return changes_the_picture(part, "node.style.visibility = 'hidden'")


# Of what is shown of a widget: texts below 12 px, and controls that a finger would miss.
_TOO_SMALL = """
widget => [...widget.querySelectorAll('*')].flatMap(node => {
  const { width, height } = node.getBoundingClientRect();
  if (!width || !height || node.closest('.lenet-aloud')) return [];
  const style = getComputedStyle(node);
  const isText = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim());
  const size = parseFloat(style.fontSize);
  const isControl = node.matches('button, select, input, summary, a');
  return [
    ...(isText && size > 0 && size < 12 ? [`${node.textContent} in ${style.fontSize}`] : []),
    ...(isControl && Math.min(width, height) < 32 ? [`${node.outerHTML} ${height} px high`] : []),
  ];
})
"""


def too_small(page: Page) -> list[str]:
    """Name the texts of a page's first widget below 12 pixels, and its controls below 32."""
    found: list[str] = page.locator(".lenet-widget").first.evaluate(_TOO_SMALL)
    return found


@contextmanager
def visiting(browser: Browser, base: str, **settings: Any) -> Iterator[Visit]:
    """Open pages in a window of its own, with playwright's settings; nothing may go wrong."""
    context = browser.new_context(**settings)
    visit = Visit(context.new_page(), base)
    try:
        yield visit
    finally:
        context.close()
    assert not visit.trouble, visit.trouble
