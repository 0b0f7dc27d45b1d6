"""How long the stepper takes from a move of the pen to all layers drawn again.

Run `make book`, then `python bench/pen_to_redraw.py`; it needs Chromium. The digits of the exam are
drawn on the built page `book/stepper.html`, with every step of LeNet-5 open once, and every
move of the pen is timed in the page, in milliseconds:

- `script`: all that the page's script does about it, to the last drawing of the last layer;
- `work`: the same, and laying out and painting the page;
- `elapsed`: from the page's hearing of the move until it is painted, which `work` is a part of;
  the rest is waiting for the browser's next frame;
- `cpu`: the processor's time of the page's main thread, this program's questions to it included;
  unlike the others it is not longer when other programs want the processor, too.

What happens then outside of the page, until the screen lights up, is not included. Beside the times
stands `load`, how many programs wanted a core of the machine when the measurement began and ended.

Beside it stands another way to draw the same maps, modelled on CNN Explainer (Wang et al., 2021) as
its public source describes it: every map is coloured pixel by pixel into a canvas of its own,
enlarged to three times 40 pixels, written as a PNG address and handed to an image of an SVG
picture. CNN Explainer does so once for each chosen photo and makes no claim to follow a pen. The
model is kind to it: it draws the maps of LeNet-5, 67 of them, and none of the vectors behind them,
it leaves out computing the network, the objects made for neurons and links, and the animations.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import CDPSession, Page, sync_playwright
from series import make_parser
from torch import Tensor

from lenet.data import load, normalise
from lenet.models import WEIGHTS, LeNet5, load_weights
from lenet.tracing import record
from lenet_book.results import FOLDER, Record, environment, store_results

if TYPE_CHECKING:
    from drawn_digits import DrawnDigit

ROOT = Path(__file__).parent.parent
SITE = ROOT / "_build" / "html"
RESULTS = FOLDER / "pen_to_redraw.json"
FRAME = 1000 / 60  # milliseconds
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]

# What is asked for before the page asks for it runs before the page's own part, the rest after it.
# A message sent in a frame arrives when the frame has been painted.
WATCH = """() => {
  const shares = () => document.querySelector(".lenet-answer").textContent;
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
# The maps as images: each picture is a list of layers, each layer a list of maps, each map rows.
AS_IMAGES = """() => {
  const side = 40, sharp = 3 * side, svg = "http://www.w3.org/2000/svg";
  const mixed = (from, to, share) => from.map((start, i) => start + share * (to[i] - start));
  const colour = (value, limit) =>
    mixed([255, 255, 255], value < 0 ? [5, 80, 160] : [178, 24, 43], Math.abs(value) / limit);
  const written = (map, limit) => {
    const small = document.createElement("canvas");
    [small.width, small.height] = [map[0].length, map.length];
    const context = small.getContext("2d");
    const pixels = context.getImageData(0, 0, small.width, small.height);
    map.flat().forEach((value, i) => pixels.data.set([...colour(value, limit), 255], 4 * i));
    context.putImageData(pixels, 0, 0);
    const large = document.createElement("canvas");
    large.width = large.height = sharp;
    large.getContext("2d").drawImage(small, 0, 0, sharp, sharp);
    return large.toDataURL();
  };
  const root = document.createElementNS(svg, "svg");
  const images = [];
  window.drawAsImages = (layers) => {
    layers.forEach((maps, column) => {
      const limit = Math.max(...maps.flat(2).map(Math.abs)) || 1;
      maps.forEach((map, row) => {
        const at = `${column} ${row}`;
        if (!images[at]) {
          images[at] = root.appendChild(document.createElementNS(svg, "image"));
          const place = { x: column * side, y: row * side, width: side, height: side };
          for (const name in place) images[at].setAttribute(name, place[name]);
        }
        images[at].setAttribute("href", written(map, limit));
      });
    });
  };
  window.timeAsImages = (layers) => new Promise((tell) => {
    const channel = new MessageChannel();
    const times = {};
    channel.port1.onmessage = () => tell({ ...times, painted: performance.now() });
    requestAnimationFrame(() => {
      times.began = times.handled = times.frame = performance.now();
      drawAsImages(layers);
      times.script = performance.now();
      channel.port2.postMessage(null);
    });
  });
  root.setAttribute("width", 7 * side);
  root.setAttribute("height", 16 * side);
  document.body.replaceChildren(root);
}"""
A_FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Watch:
    """A page whose answers to the pen are timed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def cpu(self) -> float:
        """What the page's main thread has worked until now, in milliseconds."""
        metrics = self.session.send("Performance.getMetrics")["metrics"]
        return next(1000 * m["value"] for m in metrics if m["name"] == "TaskDuration")

    def draw(self, digit: DrawnDigit) -> Iterator[Record]:
        """Draw a digit; the pen moves on when the page has painted what the last move changed."""
        page = self.page
        pad = page.locator(".lenet-pad:visible").last  # the larger, if there are two
        pad.press("Delete")
        box = pad.bounding_box()
        if box is None:
            raise RuntimeError("the drawing pad cannot be seen")
        for stroke in digit.strokes:
            points = [
                (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke
            ]
            page.mouse.move(*points[0])
            page.mouse.down()
            page.evaluate(A_FRAME)
            for point in points[1:]:
                yield self.move(point)
            page.mouse.up()

    def move(self, point: tuple[float, float]) -> Record:
        """Move the pen, and return when what happened in the page, in its milliseconds."""
        self.page.evaluate("() => watchNextMove()")
        before = self.cpu()
        self.page.mouse.move(*point)
        times: Record = self.page.evaluate("() => watched")
        return {**times, "cpu": self.cpu() - before}

    def draw_as_images(self, layers: list[Any]) -> Record:
        """Draw a network's maps as images, and return when what happened."""
        self.page.evaluate("layers => { window.layers = layers }", layers)
        before = self.cpu()
        times: Record = self.page.evaluate("() => timeAsImages(layers)")
        return {**times, "cpu": self.cpu() - before}


def measure_step(watch: Watch, step: int, digits: Sequence[DrawnDigit]) -> list[Record]:
    """Open a step, draw the digits, and return the times of every move of the pen."""
    page = watch.page
    page.evaluate("step => { location.hash = `ForwardStepper-1:step=${step}` }", step)
    page.locator(".lenet-position", has_text=f"step {step} of").wait_for()
    return [times for digit in digits for times in watch.draw(digit)]


def summary(moves: Sequence[Record]) -> Record:
    """Median, 95th percentile and worst time of the moves."""
    spans = {
        "script": [m["handled"] - m["began"] + m["script"] - m["frame"] for m in moves],
        "work": [m["handled"] - m["began"] + m["painted"] - m["frame"] for m in moves],
        "elapsed": [m["painted"] - m["began"] for m in moves],
        "cpu": [m["cpu"] for m in moves],
    }
    return {
        "moves": len(moves),
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
    return page.locator(".lenet-strip .lenet-name").all_inner_texts()


def layers_of(picture: Tensor) -> list[Any]:
    """Compute the maps of LeNet-5 for a picture, and the picture itself.

    Args:
        picture: uint8 (1, 28, 28).

    Returns:
        By layer, the maps as lists of rows, without those of a single number.
    """
    model = LeNet5()
    load_weights(model, WEIGHTS / "lenet5_mnist.safetensors")
    images = normalise(picture[None], (0.1307,), (0.3081,))
    outputs = [images, *(step.output for step in record(model, images) if step.output is not None)]
    return [out[0].tolist() for out in outputs if out.dim() == 4 and out.shape[-1] > 1]


def main() -> None:
    parser = make_parser(__doc__, RESULTS)
    parser.add_argument("--browser", help="the program to run (default: the Chromium on the path)")
    parser.add_argument("--digits", type=int, default=3, help="digits drawn at every step")
    parser.add_argument("--site", type=Path, default=SITE, help="the folder of the built site")
    chosen = parser.parse_args()
    address = chosen.site / "book" / "stepper.html"
    if not address.exists():
        sys.exit(f"there is no {address}: run make book first")
    sys.path.append(str(ROOT / "tests"))
    from drawn_digits import drawn_digits

    digits = drawn_digits()
    pictures = load("mnist").test.images
    every_move: list[Record] = []
    as_images: list[Record] = []
    records: list[Record] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(chosen.browser), args=FLAGS
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address.resolve().as_uri())
        page.locator(".lenet-pad").first.wait_for()
        page.evaluate(WATCH)
        watch = Watch(page)
        other = Watch(browser.new_page(viewport={"width": 1280, "height": 900}))
        other.page.evaluate(AS_IMAGES)
        about: Record = {
            "network": "LeNet5",
            "browser": f"Chromium {browser.version}, headless",
            "environment": environment(),
        }
        began = os.getloadavg()[0]
        list(watch.draw(digits[0]))  # lets the browser compile what it will run
        for picture in pictures[:5]:
            other.draw_as_images(layers_of(picture))
        for step, name in enumerate(read_steps(page)):
            drawn = [digits[(step + 13 * i) % len(digits)] for i in range(chosen.digits)]
            page.bring_to_front()
            moves = measure_step(watch, step, drawn)
            every_move += moves
            records.append({"open_step": step, "name": name, **summary(moves), **about})
            report(records[-1])
            other.page.bring_to_front()
            some = pictures[step * chosen.digits : (step + 1) * chosen.digits]
            as_images += [other.draw_as_images(layers_of(picture)) for picture in some]
        browser.close()
    about["load"] = [round(average, 1) for average in (began, os.getloadavg()[0])]
    records.insert(0, {"open_step": "each", "name": "all steps", **summary(every_move), **about})
    report(records[0])
    records.append({"open_step": "none", "name": "67 images", **summary(as_images), **about})
    report(records[-1])
    within = sum(times["painted"] - times["began"] <= FRAME for times in every_move)
    print(f"{within:,} of {len(every_move):,} moves were painted within {FRAME:.1f} ms")
    store_results(records, chosen.results)


def report(found: Record) -> None:
    times = found["milliseconds"]
    columns = [f"{span} {t['median']:5.1f} / {t['p95']:5.1f}" for span, t in times.items()]
    print(f"{found['name']:12} {found['moves']:5} moves, median / p95 in ms:", *columns, sep="  ")


if __name__ == "__main__":
    main()
