"""What a page costs its reader: time, bytes, things that move; and how the stage follows a pen.

Run `make book`, then `python bench/opening_pages.py`; it needs Chromium. The site is served on this
machine, compressed. Printed are, each beside its limit:

- when the stage of the front page can be drawn on, normally, with a processor slowed down six
  times, and on a phone (four times slower, 1.6 Mbit/s, answers after 150 ms);
- for every page, what it transfers with and without its pictures, what its widgets take of that
  (their code, and their states with the weights of the networks), and how much of it moves by
  itself while it opens and is scrolled through (Cumulative Layout Shift, on a desk and a phone);
- from a move of the pen until all layers are drawn again, normally and six times slower.

Its exit status is 1 when something is over its limit.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import statistics
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pen_to_redraw import FLAGS, FRAME, WATCH, Watch, find_browser, summary
from playwright.sync_api import Browser, CDPSession, Page, ViewportSize, sync_playwright

from lenet_book.widgets.shared.pages import MOUNTING_SCRIPT, MOUNTING_STYLE, STATE_TYPE

ROOT = Path(__file__).parent.parent
SITE = ROOT / "_build" / "html"
SCRIPTS = Path("_static") / "widgets"
FRONT_PAGE = "book/intro.html"
STATES = re.compile(rf'<script type="{re.escape(STATE_TYPE)}">(.*?)</script>', re.DOTALL)

BUDGET = 200_000  # bytes of a page's widgets, compressed
LIMITS = {FRONT_PAGE: 450_000}  # bytes, with pictures
LIMIT = 700_000  # bytes of any other page, without its pictures
SHIFT = 0.1
DESK = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)


@dataclass(frozen=True)
class Reader:
    """What a reader opens the front page with, and how many seconds it may take."""

    viewport: ViewportSize
    slower: int  # how many times
    limit: float
    bits: float | None = None  # a second
    latency: int = 0  # milliseconds


READERS = {
    "normal": Reader(DESK, 1, 1.0),
    "6x slower": Reader(DESK, 6, 2.5),
    "phone": Reader(PHONE, 4, 4.0, bits=1.6e6, latency=150),
}
PEN_LIMITS = {1: FRAME, 6: 50.0}  # milliseconds, by how many times slower

USABLE = """{
  const look = () => {
    const stage = document.querySelector(".lenet-static:not([data-model], [aria-busy]) .lenet-pad");
    if (stage) setTimeout(() => { window.usable = performance.now(); });
    else requestAnimationFrame(look);
  };
  look();
}"""
# The shifts of a page come in groups without a pause of a second; the worst group counts.
SHIFTS = """{
  let began = 0, last = 0, sum = 0;
  window.shift = 0;
  const add = ({ startTime, value, hadRecentInput }) => {
    if (hadRecentInput) return;
    if (startTime - last > 1000 || startTime - began > 5000) [began, sum] = [startTime, 0];
    [last, sum] = [startTime, sum + value];
    window.shift = Math.max(window.shift, sum);
  };
  new PerformanceObserver((list) => list.getEntries().forEach(add))
    .observe({ type: "layout-shift", buffered: true });
}"""
SCROLLING = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
    scrollTo({ top: y, behavior: "instant" });
    await frame();
    await frame();
  }
}"""


@dataclass(frozen=True)
class Opening:
    """What happened when a page was opened and scrolled through.

    Attributes:
        requests: What was fetched, and the bytes that came, by address.
        pictures: How many of the bytes were of pictures.
        shift: How much moved by itself.
    """

    requests: dict[str, int]
    pictures: int
    shift: float

    @property
    def total(self) -> int:
        """All bytes."""
        return sum(self.requests.values())


class Traffic:
    """Everything that a page fetches."""

    def __init__(self, session: CDPSession) -> None:
        self.asked: dict[str, tuple[str, str]] = {}
        self.came: dict[str, int] = {}
        session.on("Network.requestWillBeSent", self._ask)
        session.on("Network.loadingFinished", self._come)
        session.send("Network.enable")

    def _ask(self, event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):
            self.asked[event["requestId"]] = (event["request"]["url"], event["type"])

    def _come(self, event: dict[str, Any]) -> None:
        self.came[event["requestId"]] = int(event["encodedDataLength"])

    def sizes(self, kind: str | None = None) -> dict[str, int]:
        """Bytes by address, of one kind or of all."""
        return {
            url: self.came.get(key, 0)
            for key, (url, found) in self.asked.items()
            if kind in (None, found)
        }


def open_page(browser: Browser, address: str, viewport: ViewportSize) -> Opening:
    """Open a page with nothing in the browser's memory, and scroll through it."""
    context = browser.new_context(viewport=viewport)
    page = context.new_page()
    traffic = Traffic(context.new_cdp_session(page))
    page.add_init_script(SHIFTS)
    page.goto(address, wait_until="networkidle")
    page.evaluate(SCROLLING)
    page.wait_for_load_state("networkidle")
    shift = page.evaluate("window.shift")
    context.close()
    return Opening(traffic.sizes(), sum(traffic.sizes("Image").values()), shift)


def seconds_until_usable(browser: Browser, address: str, reader: Reader) -> float:
    """Open the front page as a reader would, and wait for its stage."""
    context = browser.new_context(viewport=reader.viewport, has_touch=reader.bits is not None)
    page = context.new_page()
    session = context.new_cdp_session(page)
    slow_down(session, reader.slower)
    if reader.bits:
        network = {"downloadThroughput": reader.bits / 8, "uploadThroughput": reader.bits / 8}
        session.send("Network.enable")
        session.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": reader.latency, **network},
        )
    page.add_init_script(USABLE)
    page.goto(address)
    usable: float = page.wait_for_function("window.usable").json_value()
    context.close()
    return usable / 1000


def slow_down(session: CDPSession, times: int) -> None:
    session.send("Emulation.setCPUThrottlingRate", {"rate": times})


@dataclass(frozen=True)
class Widgets:
    """What the widgets of one page weigh, compressed, in bytes.

    Attributes:
        classes: Their classes.
        num_networks: How many different networks the steppers bring with their weights.
        code: The mounting script and the front ends, each file compressed by itself.
        state: The states of all.
    """

    classes: tuple[str, ...]
    num_networks: int
    code: int
    state: int

    @property
    def total(self) -> int:
        """Code and state together."""
        return self.code + self.state


def weigh(page: Path, site: Path) -> Widgets:
    """Weigh the widgets of a page of a built site."""
    states = STATES.findall(page.read_text(encoding="utf-8"))
    models = [model for state in states for model in json.loads(state)["state"].values()]
    own = [model for model in models if model["model_module"] == "anywidget"]
    classes = sorted({class_of(model) for model in own})
    mounting = (MOUNTING_SCRIPT.name, MOUNTING_STYLE.name) if classes else ()
    files = [site / SCRIPTS / name for name in (*mounting, *(f"{name}.js" for name in classes))]
    return Widgets(
        classes=tuple(classes),
        num_networks=len(networks(own)),
        code=sum(compressed(file.read_bytes()) for file in files),
        state=sum(compressed(state.encode()) for state in states),
    )


def class_of(model: dict[str, Any]) -> str:
    return str(model["state"]["_anywidget_id"]).rpartition(".")[2]


def networks(models: list[dict[str, Any]]) -> set[tuple[int, ...]]:
    """Tell networks apart by their weights: all that a stepper holds but its pictures, the last."""
    steppers = [model for model in models if class_of(model) == "ForwardStepper"]
    return {tuple(buffer["chunks"][:-1]) for model in steppers for buffer in model["buffers"]}


def compressed(content: bytes) -> int:
    return len(gzip.compress(content, mtime=0))


def pen_milliseconds(page: Page, digits: int, slower: int) -> dict[str, float]:
    """Draw digits on the stage of a page; return the times until what changed is painted."""
    from drawn_digits import drawn_digits

    page.locator(".lenet-static:not([aria-busy]) .lenet-pad").first.wait_for()
    page.evaluate(WATCH)
    watch = Watch(page)
    first, *others = drawn_digits()[: digits + 1]
    list(watch.draw(first))  # lets the browser compile what it will run
    slow_down(watch.session, slower)
    moves = [times for digit in others for times in watch.draw(digit)]
    slow_down(watch.session, 1)
    return dict(summary(moves)["milliseconds"]["elapsed"])


class Report:
    """Prints what was found beside its limit."""

    def __init__(self) -> None:
        self.is_within = True

    def verdict(self, value: float, limit: float) -> str:
        """Say whether a value is over its limit."""
        self.is_within &= value <= limit
        return "" if value <= limit else "  TOO MUCH"

    def usable(self, browser: Browser, base: str, rounds: int) -> None:
        """Report when the front page can be used."""
        print("the front page can be drawn on after, median and worst in seconds")
        for name, reader in READERS.items():
            times = [
                seconds_until_usable(browser, f"{base}/{FRONT_PAGE}", reader) for _ in range(rounds)
            ]
            median = statistics.median(times)
            verdict = self.verdict(median, reader.limit)
            print(f"  {name:10} {median:5.2f} {max(times):5.2f}  limit {reader.limit}{verdict}")

    def pages(self, browser: Browser, base: str, site: Path, pages: Sequence[Path]) -> None:
        """Report what pages transfer, and what moves in them."""
        print("pages: kB without pictures, with them, of widgets; what moves on desk and phone")
        for page in pages:
            name, widgets = page.relative_to(site).as_posix(), weigh(page, site)
            desk, phone = (open_page(browser, f"{base}/{name}", v) for v in (DESK, PHONE))
            text = desk.total - desk.pictures
            counted, limit = (desk.total, LIMITS[name]) if name in LIMITS else (text, LIMIT)
            sizes = " ".join(f"{n / 1000:6.1f}" for n in (text, desk.total, widgets.total))
            verdict = self.verdict(counted, limit) or self.verdict(widgets.total, BUDGET)
            verdict = verdict or self.verdict(max(desk.shift, phone.shift), SHIFT)
            print(f"  {name:34} {sizes}  {desk.shift:.3f} {phone.shift:.3f}{verdict}")
        print(
            f"  limits: {LIMIT / 1000:.0f} without pictures, {BUDGET / 1000:.0f} of widgets,", SHIFT
        )
        print(f"  of the front page {LIMITS[FRONT_PAGE] / 1000:.0f} with pictures")

    def pen(self, browser: Browser, base: str, digits: int) -> None:
        """Report how the stage follows a pen."""
        print("from a move of the pen until it is painted, median and 95th percentile in ms")
        page = browser.new_page(viewport=DESK)
        page.goto(f"{base}/{FRONT_PAGE}")
        for slower, limit in PEN_LIMITS.items():
            times = pen_milliseconds(page, digits, slower)
            verdict = self.verdict(times["p95"], limit)
            found = f"{times['median']:6.1f} {times['p95']:6.1f}"
            print(f"  {slower}x {found}  limit {limit:.1f}{verdict}")
        page.close()


def html_pages(site: Path) -> Iterator[Path]:
    """List the pages of the book."""
    for folder in ("book", "chapters"):
        yield from sorted((site / folder).rglob("*.html"))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("site", nargs="?", type=Path, default=SITE, help="default: _build/html")
    parser.add_argument("--browser", help="the program to run (default: the Chromium on the path)")
    parser.add_argument("--rounds", type=int, default=5, help="how often the front page is opened")
    parser.add_argument("--digits", type=int, default=5, help="how many digits are drawn")
    chosen = parser.parse_args()
    pages = [*html_pages(chosen.site)]
    if not pages:
        parser.error("there is no page: run make book first")
    sys.path += [str(ROOT / "tests"), str(ROOT / "book" / "tools")]
    from serve import server

    httpd = server(chosen.site)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{httpd.server_port}"
    report = Report()
    with sync_playwright() as playwright:
        program = find_browser(chosen.browser)
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        report.usable(browser, base, chosen.rounds)
        report.pages(browser, base, chosen.site, pages)
        report.pen(browser, base, chosen.digits)
        browser.close()
    return int(not report.is_within)


if __name__ == "__main__":
    sys.exit(main())
