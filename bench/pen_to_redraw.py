"""How long the stepper takes from a move of the pen to all layers drawn again.

Run `make book`, then `python bench/pen_to_redraw.py`; it needs Chromium. The digits of the exam are
drawn on the built page `book/stepper.html`, with every step of LeNet-5 open once, and every
move of the pen is timed in the page, in milliseconds:

- `script`: all that the page's script does about it, to the last drawing of the last layer;
- `work`: the same, and laying out and painting the page;
- `elapsed`: from the page's hearing of the move until it is painted, which `work` is a part of;
  the rest is waiting for the browser's next frame.

What happens then outside of the page, until the screen lights up, is not included.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Page, sync_playwright

from lenet.results import FOLDER, Record, environment, store_results

if TYPE_CHECKING:
    from drawn_digits import DrawnDigit

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "_build" / "html" / "book" / "stepper.html"
RESULTS = FOLDER / "pen_to_redraw.json"
FRAME = 1000 / 60  # milliseconds
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]

# What is asked for before the page asks for it runs before the page's own part, the rest after it.
# A message sent in a frame arrives when the frame has been painted.
WATCH = """() => {
  const shares = () => document.querySelector(".lenet-scores").textContent;
  let times = null, done = null;
  addEventListener("pointermove", () => {
    if (!done) return;
    times.began = performance.now();
    requestAnimationFrame(() => { times.frame = performance.now(); });
  }, true);
  addEventListener("pointermove", () => {
    if (!done) return;
    const tell = done;
    done = null;
    times.handled = performance.now();
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      times.painted = performance.now();
      times.changed = shares() !== times.before;
      tell(times);
    };
    requestAnimationFrame(() => {
      times.script = performance.now();
      channel.port2.postMessage(null);
    });
  });
  window.watchNextMove = () => {
    times = { before: shares() };
    window.watched = new Promise((resolve) => { done = resolve; });
  };
}"""
A_FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def measure_step(page: Page, step: int, digits: Sequence[DrawnDigit]) -> list[Record]:
    """Open a step, draw the digits, and return the times of every move of the pen."""
    page.evaluate("step => { location.hash = `ForwardStepper-1:step=${step}` }", step)
    page.locator(".lenet-position", has_text=f"step {step} of").wait_for()
    return [times for digit in digits for times in draw(page, digit)]


def draw(page: Page, digit: DrawnDigit) -> Iterator[Record]:
    """Draw a digit; the pen moves on when the page has painted what the last move changed."""
    page.get_by_role("button", name="Clear").click()
    pad = page.locator(".lenet-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    if box is None:
        raise RuntimeError("the drawing pad cannot be seen")
    for stroke in digit.strokes:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        page.evaluate(A_FRAME)
        for point in points[1:]:
            page.evaluate("() => watchNextMove()")
            page.mouse.move(*point)
            yield page.evaluate("() => watched")
        page.mouse.up()


def summary(moves: Sequence[Record]) -> Record:
    """Median, 95th percentile and worst time of the moves.

    Shares are shown to a tenth of a percent, so that not every move changes what stands there.
    """
    spans = {
        "script": [m["handled"] - m["began"] + m["script"] - m["frame"] for m in moves],
        "work": [m["handled"] - m["began"] + m["painted"] - m["frame"] for m in moves],
        "elapsed": [m["painted"] - m["began"] for m in moves],
    }
    return {
        "moves": len(moves),
        "shares_changed": sum(m["changed"] for m in moves),
        "milliseconds": {name: percentiles(times) for name, times in spans.items()},
    }


def percentiles(times: Sequence[float]) -> Record:
    return {
        "median": round(statistics.median(times), 2),
        "p95": round(statistics.quantiles(times, n=20, method="inclusive")[-1], 2),
        "worst": round(max(times), 2),
    }


def find_browser(named: str | None) -> str:
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome"]
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        sys.exit(f"none of these was found: {', '.join(names)}; name your Chromium with --browser")
    return found


def read_steps(page: Page) -> list[str]:
    """Name the steps, in order, as the page does."""
    return page.locator(".lenet-rail-name").all_inner_texts()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--browser", help="the program to run (default: the Chromium on the path)")
    parser.add_argument("--digits", type=int, default=3, help="digits drawn at every step")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file to write")
    chosen = parser.parse_args()
    if not PAGE.exists():
        sys.exit("there is no built page: run make book first")
    sys.path.append(str(ROOT / "tests"))
    from drawn_digits import drawn_digits

    digits = drawn_digits()
    every_move: list[Record] = []
    records: list[Record] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(chosen.browser), args=FLAGS
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(PAGE.as_uri())
        page.locator(".lenet-pad").wait_for()
        page.evaluate(WATCH)
        about = {
            "network": "LeNet5",
            "browser": f"Chromium {browser.version}, headless",
            "environment": environment(),
        }
        list(draw(page, digits[0]))  # lets the browser compile what it will run
        for step, name in enumerate(read_steps(page)):
            drawn = [digits[(step + 13 * i) % len(digits)] for i in range(chosen.digits)]
            moves = measure_step(page, step, drawn)
            every_move += moves
            records.append({"open_step": step, "name": name, **summary(moves), **about})
            report(records[-1])
        browser.close()
    records.insert(0, {"open_step": "each", "name": "all steps", **summary(every_move), **about})
    report(records[0])
    within = sum(times["painted"] - times["began"] <= FRAME for times in every_move)
    print(f"{within:,} of {len(every_move):,} moves were painted within {FRAME:.1f} ms")
    store_results(records, chosen.results)


def report(record: Record) -> None:
    times = record["milliseconds"]
    columns = [f"{span} {t['median']:5.1f} / {t['p95']:5.1f}" for span, t in times.items()]
    print(f"{record['name']:12} {record['moves']:5} moves, median / p95 in ms:", *columns, sep="  ")


if __name__ == "__main__":
    main()
