"""A page in a browser, and everything that goes wrong while it is open."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from playwright.sync_api import Browser, Page, Request, ViewportSize

if TYPE_CHECKING:
    from lenet_book.widgets import Widget

Bases = dict[str, str]
Show = Callable[..., Page]
DESK = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)


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


@contextmanager
def visiting(browser: Browser, base: str, **settings: Any) -> Iterator[Visit]:
    """Open pages in a window of its own, with playwright's settings; nothing may go wrong."""
    context = browser.new_context(**settings)
    visit = Visit(context.new_page(), base)
    try:
        yield visit
    finally:
        context.close()
    assert not visit.trouble
