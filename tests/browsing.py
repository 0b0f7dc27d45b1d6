"""A page in a browser, and everything that goes wrong while it is open."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Response, ViewportSize

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


@dataclass
class Visit:
    """A page, and everything that went wrong while it was open."""

    page: Page
    base: str
    trouble: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listeners: dict[Any, Callable[[Any], None]] = {
            "request": lambda request: self._check_address(request.url),
            "requestfailed": self._check_failure,
            "pageerror": lambda error: self._note("error", error),
            "response": self._check_response,
            "console": self._check_message,
        }
        for event, listener in self._listeners.items():
            self.page.on(event, listener)

    def _note(self, kind: object, what: object) -> None:
        self.trouble.append(f"{kind}: {what}")

    def _check_address(self, url: str) -> None:
        if not url.startswith((self.base, "data:", "blob:")):
            self._note("off the machine", url)

    def _check_response(self, response: Response) -> None:
        if response.status >= 400:
            self._note(response.status, response.url)

    def _check_failure(self, request: Request) -> None:
        # What a page still asks for when the reader leaves it is given up, not failed.
        if request.failure != "net::ERR_ABORTED":
            self._note("failed", request.url)

    def _check_message(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._note(message.type, message.text)

    def end(self) -> None:
        """Leave the page, and see no more of it."""
        self.page.goto("about:blank")
        for event, listener in self._listeners.items():
            self.page.remove_listener(event, listener)

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


# Pages left by tests, by their settings: a new one takes longer than most of what is done in it.
_left: dict[tuple[Browser, str], Page] = {}
_MOST_LEFT = 3


@contextmanager
def visiting(browser: Browser, base: str, **settings: Any) -> Iterator[Visit]:
    """Open pages in a window of its own, with playwright's settings; nothing may go wrong.

    A window for files is left to the next visit with these settings, as clean as a new one.
    """
    key = (browser, repr(sorted(settings.items())))
    page = _left.pop(key, None) if base.startswith("file:") else None
    visit = Visit(page or browser.new_context(**settings).new_page(), base)
    try:
        yield visit
    except BaseException:
        visit.page.context.close()
        raise
    visit.end()
    if base.startswith("file:") and _is_clean(visit.page, settings):
        _left[key] = visit.page
    else:
        visit.page.context.close()
    for old in [*_left][:-_MOST_LEFT]:
        _left.pop(old).context.close()
    assert not visit.trouble, visit.trouble


def _is_clean(page: Page, settings: dict[str, Any]) -> bool:
    """Put back what a visit may have changed of a page; tell whether that was all."""
    page.set_viewport_size(settings.get("viewport", ViewportSize(width=1280, height=720)))
    page.emulate_media(
        media="null",
        color_scheme=settings.get("color_scheme", "light"),
        reduced_motion=settings.get("reduced_motion", "no-preference"),
        forced_colors=settings.get("forced_colors", "none"),
    )
    page.mouse.up()
    page.mouse.move(0, 0)
    own_clock: bool = page.evaluate("/native code/.test(Date)")
    return own_clock and len(page.context.pages) == 1
