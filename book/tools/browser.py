"""Chromium, which prints the book and takes the pictures of widgets that notebooks carry."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, sync_playwright

BROWSERS = (
    "/usr/bin/chromium",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
MISSING = (
    "This needs Chromium, and none was found: install Chromium or Google Chrome, or run "
    f"{sys.executable} -m playwright install chromium"
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium, or leave the program when there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found)
        except Error:
            sys.exit(MISSING)
        yield browser
        browser.close()
