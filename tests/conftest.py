"""What tests share: the embedded digits, the built site, and a browser to open pages in.

The tests in a browser need a Chromium, the slow ones also Firefox and WebKitGTK. What is missing
is skipped, unless LENET_BROWSER_TESTS=1 demands it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from browser import BROWSERS
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright

from lenet.data import ImageData, load
from tests.browsing import DESK, Bases, Show, Visit, missing, visiting
from tests.firefox import Firefox

ROOT = Path(__file__).parent.parent
HTML = ROOT / "_build" / "html"
SOURCES = ["_config.yml", "_toc.yml", "book/**/*.*", "chapters/*.ipynb", "lenet/**/*.py"]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Small networks run faster on one thread, whatever else the machine does."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits() -> ImageData:
    """The digits that come with the package, in MNIST's place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENET_OFFLINE", "1")
        return load("mnist")


def newest_source() -> float:
    """When a source of the site was last changed."""
    sources = (path for glob in SOURCES for path in ROOT.glob(glob) if path.suffix != ".pyc")
    return max(path.stat().st_mtime for path in sources)


@pytest.fixture(scope="session")
def site() -> Path:
    """The site, built again if any of its sources changed since it was; by one worker alone."""
    built = HTML / "searchindex.js"
    HTML.parent.mkdir(exist_ok=True)
    with FileLock(HTML.parent / "building.lock"):
        if not built.exists() or built.stat().st_mtime < newest_source():
            program = Path(sys.executable).with_name("jupyter-book")
            options = ["-W", "-n", "--keep-going", "--all", "--quiet"]
            done = subprocess.run(
                [program, "build", ROOT, *options], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
    return HTML


@pytest.fixture(scope="session")
def bases(site: Path) -> Iterator[Bases]:
    """Where the site begins: on a web server of this machine, and in a folder."""
    from serve import server  # of book/tools

    httpd = server(site)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield {"http": f"http://127.0.0.1:{httpd.server_port}", "file": site.as_uri()}
    httpd.shutdown()


@pytest.fixture(scope="session", params=["http", "file"])
def base(request: pytest.FixtureRequest, bases: Bases) -> str:
    return bases[request.param]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        missing("no Chromium was found (install chromium or Google Chrome)")
    flags = [
        "--no-sandbox",
        "--disable-quic",
        "--disable-background-networking",
        "--use-fake-device-for-media-stream",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    ]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    program = shutil.which("firefox-esr")
    if program is None:
        missing("no Firefox ESR was found (install firefox-esr)")
    started = Firefox(program, tmp_path_factory.mktemp("firefox"))
    yield started
    started.close()


@pytest.fixture
def visit(browser: Browser, base: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Pages of the site."""
    settings = {"viewport": DESK, "color_scheme": "light", **getattr(request, "param", {})}
    with visiting(browser, base, **settings) as visit:
        yield visit


@pytest.fixture
def show(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Show]:
    """Save a widget as a page, open it from disk, and see that nothing goes wrong."""
    settings = {"viewport": {"width": 900, "height": 1000}, **getattr(request, "param", {})}
    with visiting(browser, tmp_path.as_uri(), **settings) as visit:
        yield lambda widget, address="": visit.show(widget, tmp_path / "widget.html", address)
