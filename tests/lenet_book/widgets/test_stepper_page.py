"""The stepper in a browser: stepping, picking, drawing, by mouse, finger and keyboard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect
from torch import Tensor, nn

from lenet import tracing
from lenet.models import LeNet5, NarrowLeNet, load_weights
from lenet_book.widgets import ForwardStepper
from tests.browsing import PHONE, Show, Visit
from tests.drawn_digits import drawn_digits
from tests.learners_networks import build
from tests.stage import (
    OUT,
    Finger,
    box_of,
    draw,
    go,
    next_button,
    number,
    outputs_of,
    pad_of,
    picked_in,
    result_in,
    settle,
    still,
)

ROOT = Path(__file__).parents[3]
LEARNERS = ["nested", "oneline", "normalised", "inplace", "reused"]


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


@pytest.mark.parametrize("name", LEARNERS)
def test_networks_in_learners_styles_step_through(show: Show, name: str) -> None:
    model, images = build(name)
    stepper = ForwardStepper(model, images)
    page = still(show(stepper))
    steps = tracing.record(model, images)
    outputs = outputs_of(model, images)
    for index, step in enumerate(steps, start=1):
        next_button(page).click()
        assert page.locator(".lenet-position").inner_text() == (
            f"step {index} of {len(stepper.meta['steps']) - 1}"
        )
        name = stepper.meta["steps"][index]["name"]
        current = page.locator("[aria-current=step]")
        expect(current).to_have_attribute("title", re.compile(rf"^{re.escape(name)}: "))
        expect(current).to_contain_text(f"{index}. ")
        lit = "\n".join(page.locator(".lenet-code-line.lenet-lit").all_inner_texts())
        assert step.place.code.split("\n")[0] in lit
        canvas = page.locator(OUT)
        box = canvas.bounding_box() or {"width": 0, "height": 0}
        for share in (0.05, 0.4, 0.9):
            place = {"x": 3 + share * (box["width"] - 8), "y": 3 + share * (box["height"] - 8)}
            canvas.click(position=place)
            settle(page)
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
    rows = page.locator("button.lenet-channel")
    assert rows.count() == 6
    for channel in range(6):
        expect(rows.nth(channel).locator("b > span:not(.lenet-aloud)")).to_have_text(str(channel))
        shown = number(rows.nth(channel).locator(".lenet-figure").inner_text())
        assert shown == pytest.approx(float(products[channel].sum()), abs=0.0101)
    rows.nth(5).click()
    grids = page.locator(".lenet-grid")
    for grid, values in enumerate((patch[5], model.conv2.weight[3, 5], products[5])):
        cells = [number(text) for text in grids.nth(grid).locator("td").all_inner_texts()]
        rounding = 0.0101 if grid == 2 else 0.00501  # products are rounded to add up
        assert cells == pytest.approx(values.flatten().tolist(), abs=rounding)
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
    out = page.locator(OUT)
    out.focus()
    for key in ["Home", "ArrowRight", "ArrowRight", "ArrowDown"]:
        out.press(key)
    settle(page)
    (feature,) = picked_in(page)[0]
    channel, row, column = feature // 16, feature // 4 % 4, feature % 4
    lines = page.locator(".lenet-lines tr")
    expect(lines.nth(0)).to_contain_text(f"{channel} × 4 × 4")
    expect(lines.nth(1)).to_contain_text(f"{row} × 4+{row * 4}")
    expect(lines.nth(2)).to_contain_text(f"+{column}")
    expect(lines.nth(3)).to_contain_text(f"= {feature}")
    below = page.locator(".lenet-panel-in canvas").first
    below.click(position={"x": box_of(below)["width"] - 6, "y": 6})
    settle(page)
    assert picked_in(page)[0][0] % 16 == 3  # the last column of the first row of a map
    below.click(position={"x": 6, "y": 6})
    settle(page)
    assert picked_in(page)[0] == [0]
    expect(lines.nth(3)).to_contain_text("= 0")


def test_softmax_shows_its_arithmetic(show: Show) -> None:
    torch.manual_seed(0)
    model, images = NarrowLeNet().eval(), torch.randn(1, 1, 28, 28)
    page = show(ForwardStepper(model, images), "#ForwardStepper-1:step=13;unit=4")
    with torch.no_grad():
        scores = model(images)[0]
    shares = scores.softmax(0)
    rows = page.locator(".lenet-terms tbody tr")
    expect(rows.nth(4)).to_have_class("lenet-lit")
    for index in range(10):
        texts = rows.nth(index).locator("td").all_inner_texts()[:3]
        cells = [number(text.removesuffix(" %")) for text in texts]
        power = float((scores[index] - scores.max()).exp())
        assert cells[0] == pytest.approx(float(scores[index]), abs=0.00501)
        assert cells[1] == pytest.approx(power, abs=0.00101)
        assert cells[2] == pytest.approx(100 * float(shares[index]), abs=0.101)
    assert result_in(page) == pytest.approx(float(shares[4]), abs=1e-4)


def test_everything_can_be_done_from_the_keyboard(show: Show, reader: ForwardStepper) -> None:
    page = still(show(reader))
    seen = set()
    for step in [0] * 30 + [4] * 30:
        if page.locator(".lenet-position").inner_text() != f"step {step} of 13":
            go(page, step)
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
    assert {
        "lenet-pad",
        "lenet-sample",
        "lenet-maps",
        "lenet-code lenet-mono",
        "lenet-channel",
    } <= seen
    page.locator(".lenet-strip button").nth(0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".lenet-position")).to_have_text("step 2 of 13")
    out = page.locator(OUT)
    out.focus()
    out.press("PageDown")
    settle(page)
    first = picked_in(page)[0]
    out.press("ArrowDown")
    out.press("ArrowRight")
    settle(page)
    assert picked_in(page)[0] == [first[0], first[1] + 1, first[2] + 1]
    pad = pad_of(page)
    pad.focus()
    for key in [*["ArrowUp"] * 9, " ", *["ArrowDown"] * 18, " "]:
        pad.press(key)
    expect(page.locator("[aria-live=polite]")).to_have_text(re.compile("The network says 1, "))
    answer = page.locator(".lenet-answer")
    drawn = answer.inner_text()
    pad.press("Delete")
    expect(answer).not_to_have_text(drawn)
    expect(page.locator(".lenet-words")).to_have_text("nothing is drawn yet")


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
    page = still(show(stepper))
    for _ in range(len(stepper.meta["steps"]) - 1):
        next_button(page).click()
    assert page.locator(".lenet-stepper img").count() == 0
    assert page.title() == "ForwardStepper"
    expect(page.locator(".lenet-score-name").nth(1)).to_have_text(f"</script>{hostile}")
    names = page.locator(".lenet-strip .lenet-name").all_text_contents()
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
    equation = page.locator(".lenet-equation")
    expect(equation).to_contain_text("The page cannot repeat this (mish is none")
    assert result_in(page) == pytest.approx(float(outputs[2][0, 1, 2, 3]), abs=1e-4)
    page.locator(".lenet-strip button").first.click()
    message = page.locator(".lenet-input-message")
    expect(message).to_contain_text("Drawing is switched off: mish is not")
    page.locator(".lenet-sample").nth(1).click()
    go(page, 2, (1, 2, 3))
    assert result_in(page) == pytest.approx(float(outputs[2][1, 1, 2, 3]), abs=1e-4)


def test_a_drawing_that_cannot_be_shown_and_a_broken_link_harm_nothing(show: Show) -> None:
    stepper = ForwardStepper(Unusual().eval(), torch.randn(2, 1, 8, 8), draw=True)
    stepper.sample = -1
    page = show(stepper, "#%E0%A4%A")
    expect(page.locator(".lenet-sample").nth(0)).to_have_attribute("aria-pressed", "true")
    next_button(page).click()
    expect(page.locator(".lenet-position")).to_contain_text("step 1 of")


def test_play_walks_until_the_reader_does_something(show: Show) -> None:
    model, images = build("narrow")
    page = still(show(ForwardStepper(model, images, step=2)))
    page.clock.install(time=0)
    page.reload()
    page.clock.pause_at(3_600_000)
    position = page.locator(".lenet-position")
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(7400)
    expect(position).to_have_text("step 4 of 13")
    page.locator(OUT).click(position={"x": 6, "y": 6})
    page.clock.run_for(8000)
    expect(position).to_have_text("step 4 of 13")
    page.locator(".lenet-strip button").last.click()
    page.get_by_role("button", name="Play").click()  # from the end it begins again
    page.clock.run_for(4000)
    expect(position).to_have_text("step 1 of 13")
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(4000)
    expect(position).to_have_text("step 1 of 13")


@pytest.mark.parametrize("variants", [2, pytest.param(6, marks=pytest.mark.slow)])
def test_drawn_digits_are_recognised(show: Show, reader: ForwardStepper, variants: int) -> None:
    page = still(show(reader))
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
    box = box_of(pad_of(page))
    finger = Finger(page)
    middle = box["x"] + box["width"] / 2
    finger.swipe(
        (middle, box["y"] + 0.85 * box["height"]), (middle, box["y"] + 0.17 * box["height"]), 17
    )
    answer = page.locator(".lenet-answer")
    expect(page.locator(".lenet-best .lenet-score-name")).to_have_text("1")
    drawn = answer.inner_text()
    start = (middle, box["y"] + 0.5 * box["height"])
    finger.touch("touchStart", start)
    finger.touch("touchMove", (middle, start[1] + 4))
    second = (box["x"] + 5, box["y"] + 5)
    finger.touch("touchStart", (middle, start[1] + 4), second)
    finger.touch("touchMove", (middle, start[1] + 8), (box["x"] + 60, box["y"] + 5))
    finger.touch("touchEnd")
    assert answer.inner_text() == drawn  # on the line there was already
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_an_empty_pad_has_no_answer(show: Show, reader: ForwardStepper) -> None:
    page = still(show(reader))
    page.get_by_role("button", name="Clear").click()
    words = page.locator(".lenet-words")
    expect(words).to_have_text("nothing is drawn yet")
    expect(page.locator("[aria-live=polite]")).to_have_text("Nothing is drawn yet.")
    expect(page.locator(".lenet-choice")).to_have_text("?")
    assert page.locator(".lenet-best").count() == 0
    assert "%" not in page.locator(".lenet-answer").inner_text()
    next_button(page).click()
    expect(page.locator(".lenet-caption .lenet-hint")).to_contain_text("Nothing is drawn yet")
    draw(page, drawn_digits()[-1])
    expect(words).to_have_text("clearly 9")
    expect(page.locator(".lenet-best .lenet-score-name")).to_have_text("9")


@pytest.mark.parametrize("show", [{"viewport": {"width": 900, "height": 260}}], indirect=True)
def test_what_was_out_of_view_has_kept_up_with_the_pen(show: Show, reader: ForwardStepper) -> None:
    page = still(show(reader, "#ForwardStepper-1:step=12;unit=9"))
    pad_of(page).scroll_into_view_if_needed()
    expect(page.locator(".lenet-equation")).not_to_be_in_viewport()
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
