"""The built site and a browser to open it in, for all tests; the programs of `book/` to import.

The browser tests need a Chromium. Without one they are skipped, unless LENET_BROWSER_TESTS=1
demands them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, sync_playwright

from tests.browsing import DESK, Visit

ROOT = Path(__file__).parent.parent
HTML = ROOT / "_build" / "html"
SOURCES = ["_config.yml", "_toc.yml", "book/**/*", "chapters/*.ipynb"]
SOURCES += ["lenet/**/*.py"]
BROWSERS = [
    "/usr/bin/chromium",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
]


@pytest.fixture(scope="session")
def site() -> Path:
    """The site, built again if any of its sources changed since it was."""
    built = HTML / "searchindex.js"
    changed = max(path.stat().st_mtime for glob in SOURCES for path in ROOT.glob(glob))
    if not built.exists() or built.stat().st_mtime < changed:
        program = Path(sys.executable).with_name("jupyter-book")
        options = ["-W", "-n", "--keep-going", "--all", "--quiet"]
        done = subprocess.run(
            [program, "build", ROOT, *options], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return HTML


@pytest.fixture(scope="session", params=["http", "file"])
def base(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    """Where the site begins: on a web server of this machine, or in a folder."""
    if request.param == "file":
        yield site.as_uri()
        return
    from serve import server  # of book/

    httpd = server(site)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        if os.environ.get("LENET_BROWSER_TESTS") == "1":
            pytest.fail("LENET_BROWSER_TESTS=1, but no Chromium was found")
        pytest.skip("no Chromium was found (install chromium or Google Chrome)")
    flags = [
        "--no-sandbox",
        "--disable-quic",
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    ]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, base: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    settings = {"viewport": DESK, "color_scheme": "light", **getattr(request, "param", {})}
    context = browser.new_context(**settings)
    visit = Visit(context.new_page(), base)
    yield visit
    context.close()
    assert not visit.trouble


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Small networks run faster on one thread, whatever else the machine does."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
