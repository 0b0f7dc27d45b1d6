"""What tests do on the stage, and what they read there."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from playwright.sync_api import Locator, Page, expect
from torch import Tensor, nn

from lenet import tracing
from tests.drawn_digits import DrawnDigit

PENS = {"thin": 0.045, "medium": 0.07, "thick": 0.11}
OUT = ".lenet-panel-out canvas"
NUMBER = r"[+−]?\d+(?:\.\d+)?"


def number(text: str) -> float:
    return float(decimal(text))


def decimal(text: str) -> Decimal:
    """Read a number exactly as it is written."""
    return Decimal(text.strip().rstrip(".").replace("−", "-").replace("- ", "-").replace("+ ", ""))


def still(page: Page) -> Page:
    """Let nothing move on a page."""
    page.emulate_media(reduced_motion="reduce")
    return page


def next_button(page: Page) -> Locator:
    return page.locator(".lenet-transport .lenet-main")


def go(page: Page, step: int, unit: tuple[int, ...] | list[int] | None = None) -> None:
    """Open a link to a step, and perhaps to a unit."""
    wanted = f"step={step}" + (f";unit={','.join(map(str, unit))}" if unit is not None else "")
    page.evaluate("text => { location.hash = 'ForwardStepper-1:' + text }", wanted)
    expect(page.locator(".lenet-position")).to_have_text(re.compile(rf"^step {step} of "))
    if unit is not None:
        expect(page.locator(OUT)).to_have_attribute("aria-label", unit_pattern(unit))


def unit_pattern(unit: tuple[int, ...] | list[int]) -> re.Pattern[str]:
    """What the output's description says of a unit."""
    return re.compile(r"Unit: " + r", ".join(rf"[a-z ]+{place}" for place in unit) + ";")


def unit_in(text: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", text.split("Unit: ")[1].split(";")[0])]


def settle(page: Page) -> None:
    """Wait until what was done is shown: that is when the browser draws next."""
    frames = "requestAnimationFrame(() => requestAnimationFrame(done))"
    page.evaluate(f"() => new Promise(done => {frames})")


def picked_in(page: Page) -> tuple[list[int], float]:
    """The unit that the output's description names, and its value."""
    label = page.locator(OUT).get_attribute("aria-label") or ""
    return unit_in(label), number(label.split("; value ")[1])


def result_in(page: Page) -> float:
    """What the sum ends in, before it was rounded."""
    title = page.locator(".lenet-result").get_attribute("title") or ""
    return number(title.split(",")[0])


def outputs_of(model: nn.Module, images: Tensor) -> list[Tensor]:
    """What goes into a network, and what comes out of each of its operations."""
    return [images, *(step.output for step in tracing.record(model, images))]


def pad_of(page: Page) -> Locator:
    """The largest pad in view."""
    return page.locator(".lenet-pad:visible").last


def draw(page: Page, digit: DrawnDigit) -> None:
    """Draw a digit's strokes on the pad with the mouse, which reports every fourth point."""
    pen = min(PENS, key=lambda name: abs(PENS[name] - digit.pen))
    if page.get_by_title(f"{pen} pen").is_visible():
        page.get_by_title(f"{pen} pen").click()
    pad_of(page).press("Delete")
    draw_strokes(page, [stroke[::4] for stroke in digit.strokes])


def draw_strokes(
    page: Page, strokes: list[list[tuple[float, float]]], pad: Locator | None = None
) -> None:
    """Draw strokes, in shares of the pad's side, beside those that are there."""
    box = box_of(pad or pad_of(page))
    for stroke in strokes:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def box_of(part: Locator) -> dict[str, float]:
    box: Any = part.bounding_box()
    assert box is not None
    return dict(box)


class Finger:
    """A finger on a page, moved over Chromium's own protocol."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def touch(self, kind: str, *places: tuple[float, float]) -> None:
        """Put fingers down ("touchStart"), move them ("touchMove"), or lift them ("touchEnd")."""
        points = [{"x": x, "y": y} for x, y in places]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def swipe(self, start: tuple[float, float], end: tuple[float, float], moves: int = 8) -> None:
        self.touch("touchStart", start)
        for move in range(1, moves + 1):
            share = move / moves
            self.touch(
                "touchMove",
                (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])),
            )
        self.touch("touchEnd")
