"""The stepper in Firefox and in WebKitGTK, the engine that Safari has too.

Without the browser or its driver these tests are skipped, unless LENET_BROWSER_TESTS=1 demands
them.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
import torch
import torch.nn.functional as F

from lenet.models import LeNet5
from lenet_book.widgets import ForwardStepper
from tests.browsing import missing
from tests.drawn_digits import as_picture, drawn_digits
from tests.firefox import PATIENCE, Firefox

pytestmark = pytest.mark.slow
MINI_BROWSERS = ["lib*/*/webkit2gtk-*/MiniBrowser", "lib*/webkit2gtk-*/MiniBrowser"]
PAGE = "book/stepper.html"
STEPPER = "return document.querySelectorAll('.lenet-stepper').length"
POSITION = "return document.querySelector('.lenet-position')?.textContent"
LINK = "return location.hash"
UNIT_AND_SUM = """
const label = document.querySelector('.lenet-panel-out canvas').getAttribute('aria-label');
return [label, document.querySelector('.lenet-result').title];
"""
ANSWER = "return document.querySelector('.lenet-best .lenet-score-name')?.textContent"
WORDS = "return document.querySelector('.lenet-words').textContent"
MESSAGE = "return document.querySelector('.lenet-input-message').textContent"
HEADING = "return document.querySelector('.lenet-rule .lenet-heading span').textContent"
RESULT = "return Number(document.querySelector('.lenet-rule .lenet-result')?.title)"
OUTCOME = "return document.querySelector('.lenet-descent .lenet-outcome').textContent"
PROGRESS = "return document.querySelector('.lenet-lessons .lenet-outcome')?.textContent"
DROP = """
const bytes = Uint8Array.from(atob(arguments[0]), sign => sign.charCodeAt(0));
const dataTransfer = new DataTransfer();
dataTransfer.items.add(new File([bytes], "digit.png", { type: "image/png" }));
const options = { bubbles: true, cancelable: true, dataTransfer };
document.querySelector(".lenet-stepper").dispatchEvent(new DragEvent("drop", options));
"""
BOX = """
const found = [...document.querySelectorAll(arguments[0])];
const node = found.find(node => node.textContent.includes(arguments[1]));
node.scrollIntoView({ block: "center", behavior: "instant" });
const { left, top, width, height } = node.getBoundingClientRect();
return [left, top, width, height];
"""


class Driven(Protocol):
    """A browser that follows commands."""

    def open(self, url: str) -> None: ...
    def run(self, script: str, *arguments: Any) -> Any: ...
    def act(self, *devices: dict[str, Any]) -> None: ...


class WebKit:
    """WebKitGTK's small browser on a screen that nobody sees, driven over WebDriver."""

    def __init__(self, driver: str, program: Path, screen: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}/session"
        # As root it starts only without its sandbox; it opens nothing but our own pages.
        sandbox = {"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"} if os.geteuid() == 0 else {}
        settings = {**os.environ, **sandbox, "DISPLAY": screen, "NO_AT_BRIDGE": "1"}
        self.process = subprocess.Popen([driver, f"--port={port}"], env=settings)
        try:
            self._begin({"binary": str(program), "args": ["--automation"]})
        except BaseException:
            self.process.kill()
            raise

    def _begin(self, options: dict[str, Any]) -> None:
        wishes = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.address += "/" + self._post("", capabilities=wishes)["sessionId"]
                return
            except urllib.error.URLError as error:
                refused = isinstance(error.reason, ConnectionRefusedError)
                if not refused or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _post(self, command: str, **parameters: Any) -> Any:
        request = urllib.request.Request(self.address + command, json.dumps(parameters).encode())
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]

    def open(self, url: str) -> None:
        self._post("/url", url=url)

    def run(self, script: str, *arguments: Any) -> Any:
        return self._post("/execute/sync", script=script, args=arguments)

    def act(self, *devices: dict[str, Any]) -> None:
        self._post("/actions", actions=devices)

    def close(self) -> None:
        end = urllib.request.Request(self.address, method="DELETE")
        urllib.request.urlopen(end, timeout=PATIENCE).close()
        self.process.terminate()
        self.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """A screen that nobody sees."""
    program = shutil.which("Xvfb")
    if program is None:
        missing("no Xvfb was found (install xvfb)")
    ours, theirs = os.pipe()
    options = ["-displayfd", str(theirs), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    process = subprocess.Popen([program, *options], pass_fds=[theirs])
    os.close(theirs)
    with os.fdopen(ours) as number:
        yield f":{number.readline().strip()}"  # which comes once the screen is there
    process.terminate()
    process.wait(PATIENCE)


@pytest.fixture(scope="module")
def webkit(screen: str) -> Iterator[WebKit]:
    driver = shutil.which("WebKitWebDriver")
    programs = [path for glob in MINI_BROWSERS for path in Path("/usr").glob(glob)]
    if driver is None or not programs:
        missing("no WebKitGTK and driver were found (install webkit2gtk-driver)")
    started = WebKit(driver, programs[0], screen)
    yield started
    started.close()


def until(browser: Driven, script: str, expected: object, *arguments: Any) -> None:
    """Wait until a script returns what is expected."""
    end = time.monotonic() + PATIENCE
    while (found := browser.run(script, *arguments)) != expected:
        assert time.monotonic() < end, f"{script}: {found!r}, expected {expected!r}"
        time.sleep(0.02)


def drag(browser: Driven, points: list[tuple[float, float]]) -> None:
    """Press the mouse at the first point, and let it go at the last."""
    moves = [
        {"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)} for x, y in points
    ]
    press, release = ({"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp"))
    actions = [moves[0], press, *moves[1:], release]
    mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}}
    browser.act({**mouse, "actions": actions})


def click(browser: Driven, selector: str, text: str = "", share: float = 0.5) -> None:
    """Click on the first such element with this text, at a share of its width and height."""
    left, top, width, height = browser.run(BOX, selector, text)
    drag(browser, [(left + share * width, top + share * height)])


def number(text: str) -> float:
    return float(text.rstrip(".").replace("−", "-"))


def check_stepping(browser: Driven, base: str) -> None:
    browser.open("about:blank")
    browser.open(f"{base}/{PAGE}")
    until(browser, STEPPER, 1)
    for step in range(4):
        until(browser, POSITION, f"step {step} of 13")
        click(browser, ".lenet-main")
    until(browser, POSITION, "step 4 of 13")


def check_picking(browser: Driven) -> None:
    until(browser, f"{LINK}.includes('step=4;')", True)
    strongest = browser.run(LINK)
    click(browser, ".lenet-panel-out canvas", share=0.1)
    until(browser, f"{LINK} !== arguments[0]", True, strongest)  # until then the window moves alone
    label, exact = browser.run(UNIT_AND_SUM)
    shown = number(label.split("; value ")[1])
    assert number(exact.split(",")[0]) == pytest.approx(shown, abs=1e-4)


def check_drawing(browser: Driven) -> None:
    click(browser, ".lenet-strip button")
    until(browser, POSITION, "step 0 of 13")
    for digit in (drawn_digits()[18], drawn_digits()[-1]):
        click(browser, "button", "Clear")
        until(browser, WORDS, "nothing is drawn yet")
        left, top, width, height = browser.run(BOX, ".lenet-input .lenet-pad", "")
        for stroke in digit.strokes:
            drag(browser, [(left + x * width, top + y * height) for x, y in stroke[::4]])
        until(browser, ANSWER, str(digit.digit))


def check_own_picture(browser: Driven) -> None:
    stream = io.BytesIO()
    as_picture(drawn_digits()[18], 200).save(stream, "PNG")
    browser.run(DROP, base64.b64encode(stream.getvalue()).decode())
    until(browser, ANSWER, "3")
    assert "picture" in browser.run(MESSAGE)


@dataclass(frozen=True)
class Learning:
    """A page with a network and three pictures, and what PyTorch makes of the first."""

    url: str
    gradient: float  # of conv2's weight [3, 2, 1, 1]
    loss: float
    loss_after: float  # one step of descent


@pytest.fixture(scope="module")
def learning(tmp_path_factory: pytest.TempPathFactory) -> Learning:
    torch.manual_seed(2)
    model, images, labels = LeNet5(), torch.randn(3, 1, 28, 28), torch.tensor([4, 7, 1])
    path = tmp_path_factory.mktemp("learning") / "page.html"
    ForwardStepper(model, images, labels, draw=True).save_html(path)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss = F.cross_entropy(model(images[:1]), labels[:1])
    loss.backward()
    assert model.conv2.weight.grad is not None
    gradient = float(model.conv2.weight.grad[3, 2, 1, 1])
    optimizer.step()
    after = F.cross_entropy(model(images[:1]), labels[:1])
    return Learning(path.as_uri(), gradient, loss.item(), after.item())


def check_learning(browser: Driven, learning: Learning) -> None:
    browser.open("about:blank")
    browser.open(f"{learning.url}#ForwardStepper-1:back:step=13")
    until(browser, POSITION, "backward, step 1 of 13")
    assert browser.run(RESULT) == pytest.approx(learning.loss, rel=1e-4)
    for step in range(1, 10):
        click(browser, ".lenet-transport .lenet-main")
        until(browser, POSITION, f"backward, step {step + 1} of 13")
    browser.run("location.hash = 'ForwardStepper-1:back:step=4;weight=3,2,1,1'")
    until(browser, HEADING, "filter 3, channel 2, row 1, column 1")
    assert browser.run(RESULT) == pytest.approx(learning.gradient, rel=1e-4)
    click(browser, "button", "Do it")
    until(browser, f"{OUTCOME}.includes('→')", True)
    losses = browser.run(OUTCOME).split("loss ")[1].split("; ")[0].split(" → ")
    assert [float(one) for one in losses] == pytest.approx(
        [learning.loss, learning.loss_after], abs=1e-3
    )
    click(browser, "button", "Teach it")
    until(browser, PROGRESS, "")
    click(browser, "button", "Add the page")
    click(browser, "button", "Until it knows them")
    until(browser, f"{PROGRESS}.split(';')[0]", "It knows 3 of your 3 lessons")


def test_firefox_steps_picks_and_reads_drawings_and_pictures(firefox: Firefox, base: str) -> None:
    check_stepping(firefox, base)
    check_picking(firefox)
    check_drawing(firefox)
    check_own_picture(firefox)
    assert firefox.complaints() == []


def test_firefox_walks_back_and_learns(firefox: Firefox, learning: Learning) -> None:
    check_learning(firefox, learning)
    assert firefox.complaints() == []


def test_errors_in_firefox_are_seen(firefox: Firefox, tmp_path: Path) -> None:
    page = tmp_path / "broken.html"
    script = "console.error('said'); Promise.reject(Error('refused')); throw Error('thrown')"
    page.write_text(f"<!doctype html><script>{script}</script>", encoding="utf-8")
    firefox.open(page.as_uri())
    seen = "\n".join(firefox.complaints())
    assert all(word in seen for word in ("said", "refused", "thrown")), seen
    assert firefox.complaints() == []


def test_webkit_steps_picks_and_reads_drawings_and_pictures(webkit: WebKit, base: str) -> None:
    check_stepping(webkit, base)
    check_picking(webkit)
    check_drawing(webkit)
    check_own_picture(webkit)


def test_webkit_walks_back_and_learns(webkit: WebKit, learning: Learning) -> None:
    check_learning(webkit, learning)
