"""The stepper in a browser: stepping, picking, drawing, by mouse, finger and keyboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor, nn

from lenet import tracing
from lenet.models import LeNet5, NarrowLeNet, load_weights
from lenet_book.widgets import ForwardStepper
from tests.browsing import PHONE, Show, Visit
from tests.drawn_digits import DrawnDigit, drawn_digits
from tests.learners_networks import build

ROOT = Path(__file__).parents[3]
LEARNERS = ["nested", "oneline", "normalised", "inplace", "reused"]
PENS = {"thin": 0.045, "medium": 0.07, "thick": 0.11}


@pytest.fixture(scope="module")
def reader() -> ForwardStepper:
    """The network behind the drawing pad, with blank pictures to begin with."""
    model = LeNet5()
    load_weights(model, ROOT / "lenet" / "models" / "trained" / "lenet5_mnist.safetensors")
    pictures = torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
    pictures[1, 0, 4:24, 13:15] = 255
    return ForwardStepper(
        model, pictures, mean=[0.1307], std=[0.3081], draw=True, dtype=torch.float16
    )


def picked_in(page: Page) -> tuple[list[int], float]:
    """The unit that the output's description names, and its value."""
    label = page.locator(".lenet-panel-out canvas").get_attribute("aria-label") or ""
    unit, value = label.split("Unit: ")[1].split("; value ")
    return [int(n) for n in re.findall(r"\d+", unit)], number(value)


def number(text: str) -> float:
    return float(text.rstrip(".").replace("−", "-"))


def result_in(page: Page) -> float:
    return number(page.locator(".lenet-arithmetic .lenet-result").first.inner_text())


def outputs_of(model: nn.Module, images: Tensor) -> list[Tensor]:
    return [images, *(step.output for step in tracing.record(model, images))]


def next_button(page: Page) -> Any:
    return page.get_by_role("button", name="Next →")


@pytest.mark.parametrize("name", LEARNERS)
def test_networks_in_learners_styles_step_through(show: Show, name: str) -> None:
    model, images = build(name)
    stepper = ForwardStepper(model, images)
    page = show(stepper)
    steps = tracing.record(model, images)
    outputs = outputs_of(model, images)
    for index, step in enumerate(steps, start=1):
        next_button(page).click()
        assert page.locator(".lenet-position").inner_text() == (
            f"step {index} of {len(stepper.meta['steps']) - 1}"
        )
        expect(page.locator("[aria-current=step]")).to_contain_text(f"{index}. {step.name}")
        lit = "\n".join(page.locator(".lenet-code-line.lenet-lit").all_inner_texts())
        assert step.place.code.split("\n")[0] in lit
        canvas = page.locator(".lenet-panel-out canvas")
        box = canvas.bounding_box() or {"width": 0, "height": 0}
        for share in (0.05, 0.4, 0.9):
            place = {"x": 3 + share * (box["width"] - 8), "y": 3 + share * (box["height"] - 8)}
            canvas.click(position=place)
            unit, shown = picked_in(page)
            exact = float(outputs[index][0][tuple(unit)])
            assert shown == pytest.approx(exact, abs=1.01e-4), step.name
            assert result_in(page) == pytest.approx(exact, abs=1.01e-4), step.name


def test_the_arithmetic_of_a_convolution_adds_up(show: Show) -> None:
    torch.manual_seed(0)
    model, images = LeNet5().eval(), torch.randn(1, 1, 28, 28)
    page = show(ForwardStepper(model, images), "#ForwardStepper-1:step=4;unit=3,2,5")
    assert picked_in(page)[0] == [3, 2, 5]
    before, after = outputs_of(model, images)[3:5]
    patch = before[0, :, 2:7, 5:10]
    products = (patch * model.conv2.weight[3]).detach()
    buttons = page.locator(".lenet-sum")
    assert buttons.count() == 6
    for channel in range(6):
        expect(buttons.nth(channel)).to_contain_text(f"channel {channel}")
        shown = number(buttons.nth(channel).locator("b").inner_text())
        assert shown == pytest.approx(float(products[channel].sum()), abs=1e-4)
    buttons.nth(5).click()
    grids = page.locator(".lenet-grid")
    for grid, values in enumerate((patch[5], model.conv2.weight[3, 5], products[5])):
        cells = [number(text) for text in grids.nth(grid).locator("td").all_inner_texts()]
        assert cells == pytest.approx(values.flatten().tolist(), abs=0.00501)
    grids.nth(0).locator("td").nth(7).hover()
    terms = (patch[5, 1, 2], model.conv2.weight[3, 5, 1, 2], products[5, 1, 2])
    reading = page.locator(".lenet-reading").inner_text()
    shown = [number(text) for text in re.findall(r"−?\d+\.\d{4}", reading)]
    assert shown == pytest.approx([term.item() for term in terms], abs=1e-4)
    assert result_in(page) == pytest.approx(float(after[0, 3, 2, 5]), abs=1e-4)


def test_flatten_maps_both_ways(show: Show) -> None:
    torch.manual_seed(0)
    page = show(
        ForwardStepper(NarrowLeNet(), torch.randn(1, 1, 28, 28)), "#ForwardStepper-1:step=7"
    )
    out = page.locator(".lenet-panel-out canvas")
    out.focus()
    for key in ["Home", "ArrowRight", "ArrowRight", "ArrowDown"]:
        out.press(key)
    (feature,) = picked_in(page)[0]
    channel, row, column = feature // 16, feature // 4 % 4, feature % 4
    words = f"channel {channel}, row {row}, column {column} ↔"
    expect(page.locator(".lenet-equation")).to_contain_text(words)
    expect(page.locator(".lenet-equation")).to_contain_text(f"= {feature}")
    below = page.locator(".lenet-panel-below canvas")
    below.click(position={"x": 6, "y": 6})
    assert picked_in(page)[0] == [0]
    expect(page.locator(".lenet-equation")).to_contain_text("channel 0, row 0, column 0 ↔")


def test_softmax_shows_its_arithmetic(show: Show) -> None:
    torch.manual_seed(0)
    model, images = NarrowLeNet().eval(), torch.randn(1, 1, 28, 28)
    page = show(ForwardStepper(model, images), "#ForwardStepper-1:step=13;unit=4")
    with torch.no_grad():
        scores = model(images)[0]
    shares = scores.softmax(0)
    rows = page.locator(".lenet-table tbody tr")
    for index in range(10):
        cells = rows.nth(index).locator("td").all_inner_texts()
        expected = [scores[index], (scores[index] - scores.max()).exp(), shares[index]]
        assert [number(t) for t in cells] == pytest.approx([float(e) for e in expected], abs=1e-4)
    assert result_in(page) == pytest.approx(float(shares[4]), abs=1e-4)


def test_everything_can_be_done_from_the_keyboard(show: Show, reader: ForwardStepper) -> None:
    page = show(reader)
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => { const e = document.activeElement; const s = getComputedStyle(e);"
            "const own = e.closest('.lenet-stepper') ? e.tagName : '';"
            "return [e.className + '|' + own, s.outlineStyle] }"
        )
        if focused[0].endswith("|"):
            continue  # the browser's own controls
        assert focused[1] != "none", f"no visible focus on {focused[0]}"
        seen.add(focused[0].split("|")[0])
    assert {"lenet-pad", "lenet-sample", "lenet-maps", "lenet-code lenet-mono"} <= seen
    page.locator(".lenet-rail button").nth(1).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".lenet-position")).to_have_text("step 2 of 13")
    out = page.locator(".lenet-panel-out canvas")
    out.focus()
    out.press("PageDown")
    first = picked_in(page)[0]
    out.press("ArrowDown")
    out.press("ArrowRight")
    assert picked_in(page)[0] == [first[0], first[1] + 1, first[2] + 1]
    pad = page.locator(".lenet-pad")
    pad.focus()
    for key in [*["ArrowUp"] * 9, " ", *["ArrowDown"] * 18, " "]:
        pad.press(key)
    expect(page.locator("[aria-live=polite]")).to_have_text(re.compile("The network says 1, "))
    shares = page.locator(".lenet-scores")
    drawn = shares.inner_text()
    pad.press("Delete")
    expect(shares).not_to_have_text(drawn)


def test_what_is_shown_is_read_aloud(show: Show) -> None:
    model, images = build("narrow")
    page = show(ForwardStepper(model, images))
    next_button(page).click()
    words = re.compile(r"Step 1, conv1, shape \(N, 6, 24, 24\)\. channel \d, row \d+, column \d+: ")
    expect(page.locator("[aria-live=polite]")).to_have_text(words)


def test_texts_of_a_network_are_never_html(show: Show) -> None:
    hostile = "<img src=x onerror=document.title='broken'>"
    model = nn.Sequential()
    model.add_module(hostile.replace(".", "_"), nn.Conv2d(1, 2, 3))
    model.add_module("flatten", nn.Flatten())
    model.add_module("fc", nn.Linear(72, 2))
    stepper = ForwardStepper(
        model, torch.randn(1, 1, 8, 8), labels=[1], classes=[hostile, f"</script>{hostile}"]
    )
    page = show(stepper)
    for _ in range(len(stepper.meta["steps"]) - 1):
        next_button(page).click()
    assert page.locator(".lenet-stepper img").count() == 0
    assert page.title() == "ForwardStepper"
    expect(page.locator(".lenet-score-name").nth(1)).to_have_text(f"</script>{hostile}")
    names = page.locator(".lenet-rail-name").all_inner_texts()
    assert hostile.replace(".", "_") in names


class Unusual(nn.Module):
    """A network with operations that the page cannot compute."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.fc = nn.Linear(108, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.mish(self.conv(x)).transpose(2, 3)
        return self.fc(x.flatten(1))


def test_unknown_operations_show_what_pytorch_computed(show: Show) -> None:
    torch.manual_seed(0)
    model, images = Unusual().eval(), torch.randn(2, 1, 8, 8)
    page = show(ForwardStepper(model, images, draw=True), "#ForwardStepper-1:step=2;unit=1,2,3")
    outputs = outputs_of(model, images)
    expect(page.locator(".lenet-hint")).to_contain_text("Drawing is switched off: mish is not")
    assert result_in(page) == pytest.approx(float(outputs[2][0, 1, 2, 3]), abs=1e-4)
    expect(page.locator(".lenet-arithmetic")).to_contain_text("The page cannot repeat it")
    page.locator(".lenet-sample").nth(1).click()
    assert result_in(page) == pytest.approx(float(outputs[2][1, 1, 2, 3]), abs=1e-4)


def test_a_drawing_that_cannot_be_shown_and_a_broken_link_harm_nothing(show: Show) -> None:
    stepper = ForwardStepper(Unusual().eval(), torch.randn(2, 1, 8, 8), draw=True)
    stepper.sample = -1
    page = show(stepper, "#%E0%A4%A")
    expect(page.locator(".lenet-sample").nth(0)).to_have_attribute("aria-pressed", "true")
    next_button(page).click()
    expect(page.locator(".lenet-position")).to_contain_text("step 1 of")


def test_play_and_reset(show: Show) -> None:
    model, images = build("narrow")
    page = show(ForwardStepper(model, images, step=2))
    page.clock.install()
    page.reload()
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(3400)
    expect(page.locator(".lenet-position")).to_have_text("step 4 of 13")
    page.locator(".lenet-sample").nth(1).click()
    page.get_by_role("button", name="Reset").click()
    expect(page.locator(".lenet-position")).to_have_text("step 2 of 13")
    expect(page.locator(".lenet-sample").nth(0)).to_have_attribute("aria-pressed", "true")
    page.clock.run_for(5000)
    expect(page.locator(".lenet-position")).to_have_text("step 2 of 13")


def draw(page: Page, digit: DrawnDigit) -> None:
    """Draw a digit's strokes on the pad with the mouse, which reports every fourth point."""
    pen = min(PENS, key=lambda name: abs(PENS[name] - digit.pen))
    page.get_by_role("button", name="Clear").click()
    page.get_by_title(f"{pen} pen").click()
    box = page.locator(".lenet-pad").bounding_box()
    assert box is not None
    for stroke in digit.strokes:
        points = [
            (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke[::4]
        ]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


@pytest.mark.parametrize("variants", [2, pytest.param(6, marks=pytest.mark.slow)])
def test_drawn_digits_are_recognised(show: Show, reader: ForwardStepper, variants: int) -> None:
    page = show(reader)
    digits = [digit for index, digit in enumerate(drawn_digits()) if index % 6 < variants]
    correct = 0
    for digit in digits:
        draw(page, digit)
        expect(page.locator("[aria-live=polite]")).to_have_text(re.compile("The network says"))
        said = page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame("
            "() => done(document.querySelector('.lenet-best .lenet-score-name').textContent))))"
        )
        correct += said == str(digit.digit)
        print(f"{digit.digit} ({digit.name}): read as {said}")
    print(f"{correct} of {len(digits)} recognised")
    assert correct >= 0.9 * len(digits)


@pytest.mark.parametrize(
    "show", [{"viewport": PHONE, "has_touch": True, "is_mobile": True}], indirect=True
)
def test_a_finger_draws_and_does_not_scroll(show: Show, reader: ForwardStepper) -> None:
    page = show(reader)
    box = page.locator(".lenet-pad").bounding_box()
    assert box is not None
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    middle = box["x"] + box["width"] / 2
    touch("touchStart", (middle, box["y"] + 0.85 * box["height"]))
    for step in range(17):
        touch("touchMove", (middle, box["y"] + (0.85 - 0.04 * step) * box["height"]))
    touch("touchEnd")
    expect(page.locator(".lenet-best .lenet-score-name")).to_have_text("1")
    drawn = page.locator(".lenet-scores").inner_text()
    start = (middle, box["y"] + 0.5 * box["height"])
    touch("touchStart", start)
    touch("touchMove", (middle, start[1] + 4))
    touch("touchStart", (middle, start[1] + 4), (box["x"] + 5, box["y"] + 5))  # a second finger
    touch("touchMove", (middle, start[1] + 8), (box["x"] + 60, box["y"] + 5))
    touch("touchEnd")
    assert page.locator(".lenet-scores").inner_text() == drawn  # on the line there was already
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("show", [{"viewport": PHONE}], indirect=True)
def test_on_a_phone_pad_answer_and_layers_are_in_view_together(
    show: Show, reader: ForwardStepper
) -> None:
    page = show(reader)
    pad = page.locator(".lenet-pad").bounding_box()
    answer = page.locator(".lenet-scores").bounding_box()
    layers = page.locator(".lenet-rail").bounding_box()
    assert pad is not None
    assert answer is not None
    assert layers is not None
    assert answer["x"] >= pad["x"] + pad["width"]
    assert answer["y"] < pad["y"] + pad["height"]
    assert layers["y"] + layers["height"] - pad["y"] < 560  # the smallest phones show so much
    names = page.locator(".lenet-rail-name").evaluate_all(
        "names => names.filter(name => name.scrollWidth > name.clientWidth).length"
    )
    assert names == 0


def test_an_empty_pad_has_no_answer(show: Show, reader: ForwardStepper) -> None:
    page = show(reader)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".lenet-score-title")).to_have_text("nothing is drawn yet")
    expect(page.locator("[aria-live=polite]")).to_have_text("Nothing is drawn yet.")
    assert page.locator(".lenet-best").count() == 0
    assert "%" not in page.locator(".lenet-scores").inner_text()
    draw(page, drawn_digits()[-1])
    expect(page.locator(".lenet-score-title")).to_have_text("the network says")
    expect(page.locator(".lenet-best .lenet-score-name")).to_have_text("9")


@pytest.mark.parametrize("show", [{"viewport": {"width": 900, "height": 260}}], indirect=True)
def test_what_was_out_of_view_has_kept_up_with_the_pen(show: Show, reader: ForwardStepper) -> None:
    page = show(reader, "#ForwardStepper-1:step=12;unit=9")
    pad = page.locator(".lenet-pad")
    pad.scroll_into_view_if_needed()
    expect(page.locator(".lenet-arithmetic")).not_to_be_in_viewport()
    before = result_in(page)
    draw(page, drawn_digits()[-1])
    assert result_in(page) != before
    assert result_in(page) == pytest.approx(picked_in(page)[1], abs=1e-4)


def test_the_stepper_lives_in_the_built_site(visit: Visit) -> None:
    page = visit.open("book/stepper.html#ForwardStepper-1:step=5;unit=2,3,4")
    expect(page.locator(".lenet-position")).to_have_text("step 5 of 13")
    assert picked_in(page)[0] == [2, 3, 4]
    next_button(page).click()
    expect(page.locator(".lenet-position")).to_have_text("step 6 of 13")
    draw(page, drawn_digits()[-1])
    expect(page.locator(".lenet-best .lenet-score-name")).to_have_text("9")


@pytest.mark.parametrize("show", [{"color_scheme": "dark"}], indirect=True)
def test_the_widget_follows_the_theme(show: Show) -> None:
    model, images = build("narrow")
    page = show(ForwardStepper(model, images))
    expect(page.locator(".lenet-stepper")).to_have_class(re.compile("lenet-dark"))
    page.emulate_media(color_scheme="light")
    expect(page.locator(".lenet-stepper")).not_to_have_class(re.compile("lenet-dark"))
