"""How long the page's own training takes: the way back through LeNet-5, a step, and from nothing.

Run `python bench/way_back.py`; it needs Chromium. Printed are the median and the 95th percentile in
milliseconds: of one picture's forward and backward pass; of a training step of 32 digits, forward,
backward and Adam; and of a press of Next in the walk back, from the press until all is painted,
without the wait for the browser's next frame. Then LeNet-5 begins with random weights and learns
until it knows more than 180 of 200 digits it has not seen; that is looked at after each epoch.
Beside the times stands the machine's load, how many programs wanted a core of it.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch
from pen_to_redraw import FLAGS, find_browser, percentiles
from playwright.sync_api import Page, sync_playwright

from lenet.models import LeNet5
from lenet.tracing import record
from lenet_book.widgets import ForwardStepper
from lenet_book.widgets.stage.backward.digits import NUM_TRAINING, packed_digits
from lenet_book.widgets.stage.program import program_of

ROOT = Path(__file__).parent.parent
SETTINGS = {"batchSize": 32, "rate": 0.002, "enough": 180, "seed": 1}
MEASURE = "async question => (await import('/bench/way_back.js')).measure(question)"
PRESS = "async rounds => (await import('/bench/way_back.js')).measurePresses(rounds)"
ROUNDS = 10  # of the walk back and return


def main() -> None:
    """Measure and print."""
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(None), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}/bench/")
        began = os.getloadavg()[0]
        found = page.evaluate(MEASURE, question())
        found["times"]["a press of Next on the stage"] = presses(page, address)
        report(found, f"Chromium {browser.version}; load {began:.1f} to {os.getloadavg()[0]:.1f}")
        browser.close()


def report(found: dict[str, Any], where: str) -> None:
    print(f"{'milliseconds':40} median   95 %")
    for name, times in found["times"].items():
        of = percentiles(times)
        print(f"{name:40} {of['median']:6.2f} {of['p95']:6.2f}")
    epochs = len(found["times"]["training step"]) * SETTINGS["batchSize"] // NUM_TRAINING
    score = f"{found['numRight']} of {found['numTest']}"
    print(f"{score} after {epochs} epochs, {found['seconds']:.1f} s", where, sep="\n")


@contextmanager
def served() -> Iterator[str]:
    """Serve the repository, whose scripts a page may then import."""
    handler = partial(_Quiet, directory=ROOT)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def question() -> dict[str, object]:
    """LeNet-5 as a program, with random weights, and the digits."""
    images = torch.zeros(1, 1, 28, 28)
    program = program_of(record(LeNet5().eval(), images), images, torch.float32)
    arrays = {
        name: {"shape": list(array.shape), "data": array.flatten().tolist()}
        for name, array in program.arrays.items()
    }
    return {"steps": program.instructions, "arrays": arrays, "digits": packed_digits(), **SETTINGS}


def presses(page: Page, address: str) -> list[float]:
    """Walk back on the stage of LeNet-5."""
    stage = ForwardStepper(LeNet5().eval(), torch.rand(1, 1, 28, 28))
    page.goto(f"{address}/bench/#ForwardStepper-1:back:step=13")
    with tempfile.NamedTemporaryFile(suffix=".html") as file:
        stage.save_html(file.name)
        page.set_content(Path(file.name).read_text(encoding="utf-8"))
    page.locator(".lenet-loss").wait_for()
    times: list[float] = page.evaluate(PRESS, ROUNDS)
    return times


if __name__ == "__main__":
    main()
