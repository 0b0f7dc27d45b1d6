"""The Content-Security-Policy of the site: what it forbids, and that the pages work under it.

Pages come from a server that sends the policy as a header and has browsers report to it whatever
they refuse.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page, expect
from policy import HEADERS, NAME, policy  # of book/_ext
from serve import Handler, site_headers  # of book/tools

from tests.book.contents import PAGES
from tests.book.test_other_browsers import Driven, until
from tests.browsing import DESK, Bases, visiting
from tests.firefox import PATIENCE, Firefox

QUICK = ["book/intro", "book/teach", "search"]
DRIVEN = [*PAGES, "py-modindex", "_modules/lenet/models/lenet"]
pages = pytest.mark.parametrize("name", PAGES)


def directives(text: str) -> dict[str, list[str]]:
    named = [directive.split() for directive in text.split("; ")]
    return {name: sources for name, *sources in named}


@pytest.fixture(scope="session")
def sent(site: Path) -> dict[str, list[str]]:
    """The policy that a host sends with every page."""
    ((name, value),) = site_headers(site)
    assert name == NAME
    return directives(value)


# ---------------------------------------------------------------- what it says


def test_nothing_is_allowed_but_what_is_named(sent: dict[str, list[str]]) -> None:
    assert sent["default-src"] == ["'none'"]
    own, *hashes = sent["script-src"]
    assert own == "'self'"
    assert len(hashes) <= 5
    assert all(re.fullmatch(r"'sha256-[\w+/]{43}='", value) for value in hashes)
    others = {name: sources for name, sources in sent.items() if name != "script-src"}
    assert others == {
        "default-src": ["'none'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
    }


@pages
def test_a_page_holds_no_script_but_those_of_its_policy(
    site: Path, sent: dict[str, list[str]], name: str
) -> None:
    check_scripts(site / f"{name}.html", sent)


def test_pages_that_no_contents_name_hold_no_other_scripts(
    site: Path, sent: dict[str, list[str]]
) -> None:
    named = {site / "_static", *(site / f"{name}.html" for name in PAGES)}
    others = [file for file in site.rglob("*.html") if not named & {file, *file.parents}]
    assert {site / "index.html", site / "py-modindex.html"} < {*others}
    for file in others:
        check_scripts(file, sent)


def check_scripts(file: Path, sent: dict[str, list[str]]) -> None:
    page = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
    meta = page.select_one(f'head meta[charset] + meta[http-equiv="{NAME}"]')
    assert meta
    own = directives(str(meta["content"]))
    assert own.pop("worker-src") == ["'self'", "blob:"]  # on a disk
    hashes = own["script-src"]
    assert {*hashes} <= {*sent["script-src"]}
    assert own | {"worker-src": 0, "script-src": 0} == sent | {"worker-src": 0, "script-src": 0}
    for script in page.select("script:not([type])"):
        if "src" in script.attrs:
            assert not re.match(r"\w+:|//", str(script["src"]))
        else:
            digest = b64encode(sha256(script.text.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in hashes
    assert not [e for e in page.find_all(True) for key in e.attrs if key.startswith("on")]
    assert not page.select('[href^="javascript:" i], script[type*=javascript], script[type=module]')
    assert not page.select("iframe, object, embed, base")


def test_a_script_counts_as_it_stands() -> None:
    text = "const a = '<b>';\n"
    digest = b64encode(sha256(text.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy([text, text])
    assert "script-src 'self';" in policy([])


# ---------------------------------------------------------------- how pages work under it


@dataclass
class Watch:
    """Where the site is, and what browsers have refused there so far."""

    base: str
    refused: list[dict[str, Any]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def add(self, report: bytes) -> None:
        with self.arrived:
            self.refused.append(json.loads(report)["csp-report"])
            self.arrived.notify()

    def take(self, *expected: str) -> list[str]:
        """Wait until these directives have refused something; return all that was refused."""
        with self.arrived:
            came = self.arrived.wait_for(lambda: {*expected} <= {*self._directives()}, PATIENCE)
            assert came, self.refused
            refused = [
                f"{report['blocked-uri']} in {report['document-uri']}" for report in self.refused
            ]
            self.refused.clear()
        return refused

    def _directives(self) -> Iterator[str]:
        return (report["effective-directive"] for report in self.refused)


ELSEWHERE = "http://elsewhere.invalid/"
DELIBERATE = f"document.createElement('img').src = '{ELSEWHERE}';"


@pytest.fixture(scope="session")
def watch(site: Path) -> Iterator[Watch]:
    class Watching(Handler):
        def send_header(self, keyword: str, value: str) -> None:
            reported = "; report-uri /reports" if keyword == NAME else ""
            super().send_header(keyword, value + reported)

        def do_POST(self) -> None:  # noqa: N802
            found.add(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

    assert (site / HEADERS).is_file()
    handler = functools.partial(Watching, directory=str(site))
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    found = Watch(f"http://127.0.0.1:{httpd.server_port}")
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield found
    httpd.shutdown()


@dataclass
class Chromium:
    """Chromium, driven as `Firefox` is."""

    page: Page

    def open(self, url: str) -> None:
        self.page.goto(url)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.page.evaluate(
            f"(given) => (function () {{ {script} }})(...given)", list(arguments)
        )

    def act(self, *devices: dict[str, Any]) -> None:
        raise NotImplementedError


COME_NEAR = """
const waiting = document.querySelector(".lenet-static:is([data-model], [aria-busy])");
waiting?.scrollIntoView({ behavior: "instant" });
return !waiting && document.readyState === "complete";
"""
FAILURES = "return document.querySelectorAll('.lenet-static-failure').length"
SAYS = """
const parts = [...document.querySelectorAll(arguments[0])];
return parts.some(({ textContent }) => textContent.includes(arguments[1]));
"""
PRESS = """
const parts = [...document.querySelectorAll(arguments[0])];
parts.find(({ textContent }) => textContent.includes(arguments[1])).click();
"""
TYPE = """
const typed = document.querySelector(".lenet-paste textarea");
typed.value = arguments[0];
typed.dispatchEvent(new Event("input", { bubbles: true }));
"""
MESSAGE = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x256 and 400x120)"


def wait_for(browser: Driven, part: str, words: str) -> None:
    until(browser, SAYS, True, part, words)


def press(browser: Driven, words: str, part: str = "button") -> None:
    wait_for(browser, part, words)
    browser.run(PRESS, part, words)


def step_and_walk_back(browser: Driven) -> None:
    press(browser, "Next", ".lenet-main")
    wait_for(browser, ".lenet-position", "step 1 of 13")
    browser.run("location.hash = 'ForwardStepper-1:back:step=11'")
    wait_for(browser, ".lenet-position", "backward, step 3 of 13")


def train(browser: Driven) -> None:
    press(browser, "Continue from random weights")
    wait_for(browser, ".lenet-widget p", "Epoch ")


def paste(browser: Driven) -> None:
    browser.run(TYPE, MESSAGE)
    wait_for(browser, ".lenet-answers", "PyTorch says: mat1 and mat2")
    wait_for(browser, ".lenet-answers", "Paste the class as well")


def search(browser: Driven) -> None:
    browser.open(browser.run("return `${location.href}?q=convolutional`"))
    wait_for(browser, "#search-results .context", "convolution")


USES: dict[str, Callable[[Driven], None]] = {
    "book/intro": step_and_walk_back,
    "book/stepper": step_and_walk_back,
    "book/teach": train,
    "book/paste": paste,
    "search": search,
}


def use(browser: Driven, watch: Watch, name: str) -> None:
    """Open a page, come near to all that it has, use it, and see that nothing was refused."""
    browser.open(f"{watch.base}/{name}.html")
    until(browser, COME_NEAR, True)
    USES.get(name, lambda _: None)(browser)
    assert browser.run(FAILURES) == 0
    browser.run(DELIBERATE)
    here = browser.run("return location.href.split('#')[0]")
    assert watch.take("img-src") == [f"{ELSEWHERE} in {here}"]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in DRIVEN]
)
def test_a_page_works_in_chromium(browser: Browser, watch: Watch, name: str) -> None:
    context = browser.new_context(viewport=DESK)
    use(Chromium(context.new_page()), watch, name)
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", DRIVEN)
def test_a_page_works_in_firefox(firefox: Firefox, watch: Watch, name: str) -> None:
    use(firefox, watch, name)


@pytest.mark.slow
def test_what_is_refused_is_reported(browser: Browser, firefox: Firefox, watch: Watch) -> None:
    refused = """
    document.body.setAttribute("onclick", "void 0");
    document.head.append(Object.assign(document.createElement("script"), { text: "void 0" }));
    try { new Worker(URL.createObjectURL(new Blob([""]))); } catch {}
    """
    context = browser.new_context()
    for driven in (Chromium(context.new_page()), firefox):
        driven.open(f"{watch.base}/book/teach.html")
        driven.run(f"{refused}{DELIBERATE}")
        assert len(watch.take("img-src", "script-src-attr", "script-src-elem", "worker-src")) == 4
    context.close()


def test_the_themes_buttons_act(browser: Browser, bases: Bases) -> None:
    with visiting(browser, bases["http"]) as visit:
        page = visit.open("book/intro.html")
        expect(page.locator("html")).to_have_js_property("lang", "en")
        page.locator(".btn-fullscreen-button").click()
        page.wait_for_function("document.fullscreenElement !== null")
