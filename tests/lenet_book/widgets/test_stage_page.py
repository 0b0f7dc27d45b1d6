"""The stage in a browser: in view, the sweep, pointing and picking, links, the strongest way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect
from torch import Tensor

from lenet.data import ImageData
from lenet.models import CifarLeNet, LeNet5, load_weights
from lenet_book.widgets import ForwardStepper
from tests.browsing import PHONE, Bases, changes_the_picture, is_seen, visiting
from tests.drawn_digits import as_picture, drawn_digits
from tests.stage import (
    OUT,
    Finger,
    box_of,
    draw,
    draw_strokes,
    go,
    next_button,
    outputs_of,
    picked_in,
)

ROOT = Path(__file__).parents[3]
SCREENS = [(1440, 900), (1280, 800), (1366, 768)]
DESK = {"width": 1280, "height": 800}
STILL = {"reduced_motion": "reduce"}
Open = Callable[..., AbstractContextManager[Page]]


def trained() -> LeNet5:
    model = LeNet5()
    load_weights(model, ROOT / "lenet" / "models" / "trained" / "lenet5_mnist.safetensors")
    return model.eval()


def digits_of(digits: ImageData) -> tuple[Tensor, list[int]]:
    """The first picture of each digit."""
    labels = digits.test.labels
    places = [int((labels == digit).nonzero()[0]) for digit in range(10)]
    return digits.test.images[places], list(range(10))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, digits: ImageData) -> Path:
    """Pages of LeNet-5 and of a network for colour pictures."""
    folder = tmp_path_factory.mktemp("stages")
    images, labels = digits_of(digits)
    torch.manual_seed(0)
    known = {"mean": [0.1307], "std": [0.3081]}
    ForwardStepper(trained(), images, labels, draw=True, **known).save_html(folder / "lenet5.html")
    colours = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    model, classes = CifarLeNet().eval(), ["airplane", "automobile", *"bcdefgh", "truck"]
    cifar = ForwardStepper(model, colours, [0, 1, 2], classes, mean=[0.5], std=[0.25])
    cifar.save_html(folder / "cifar.html")
    return folder


@pytest.fixture
def opened(browser: Browser, folder: Path) -> Open:
    """Open a page, of LeNet-5 or another, with playwright's settings; nothing may go wrong."""

    @contextmanager
    def open_page(address: str = "", name: str = "lenet5.html", **settings: Any) -> Iterator[Page]:
        with visiting(browser, folder.as_uri(), **{"viewport": DESK, **settings}) as visit:
            page = visit.open(name + address)
            page.locator(".lenet-stepper").wait_for()
            yield page

    return open_page


# ---------------------------------------------------------------- in view

# Boxes of everything that must not move, by name.
FIXED = """() => {
  const stage = document.querySelector(".lenet-stepper");
  const boxes = {};
  const places = [".lenet-top .lenet-pad-box", ".lenet-strip", ".lenet-answer", ".lenet-panel-in",
    ".lenet-panel-operation", ".lenet-panel-out", ".lenet-equation", ".lenet-caption",
    ".lenet-transport button", ".lenet-transport input", ".lenet-strip button", ".lenet-count"];
  for (const place of places) {
    [...stage.querySelectorAll(place)].forEach((node, i) => {
      const hidden = node.matches(".lenet-panel-in") && node.hidden;
      const { x, y, width, height } = (hidden ? stage.querySelector(".lenet-input") : node)
        .getBoundingClientRect();
      boxes[`${place} ${i}`] = [x, y, width, height];
    });
  }
  return boxes;
}"""
# What is out of view, cut off, or written over something else.
FAULTS = """whole => {
  const stage = document.querySelector(".lenet-stepper .lenet-screen");
  const found = [];
  const name = node => `${node.className || node.tagName} ${node.textContent.slice(0, 40)}`;
  const inView = node => {
    const { left, top, right, bottom, width } = node.getBoundingClientRect();
    if (Math.min(left, top, innerWidth - right, innerHeight - bottom) < -0.5 || !width)
      found.push(`out of view: ${name(node)} ${[left, top, right, bottom].map(Math.round)}`);
  };
  for (const node of stage.querySelectorAll(whole)) node.hidden || inView(node);
  const walker = document.createTreeWalker(stage, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const node = text.parentElement;
    if (!text.data.trim() || !node.checkVisibility({ visibilityProperty: true })) continue;
    if (node.closest(".lenet-aloud, .lenet-ghost")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) {
      for (let outer = node; outer !== stage.parentElement; outer = outer.parentElement) {
        if (getComputedStyle(outer).overflow === "visible") continue;
        const { left, top, right, bottom } = outer.getBoundingClientRect();
        const isPhone = outer.matches(".lenet-narrow .lenet-panels, .lenet-narrow .lenet-strip");
        if (isPhone || getComputedStyle(outer).display.startsWith("inline")) continue;
        const across = Math.max(left - box.left, box.right - right);
        const down = Math.max(top - box.top, box.bottom - bottom);
        if (across > 0.75 || down > 3) found.push(`cut off by ${outer.className}: ${name(node)}`);
      }
      texts.push([box, node]);
    }
  }
  texts.forEach(([a, node], i) => texts.slice(i + 1).forEach(([b, other]) => {
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (across > 1 && down > 5 && node !== other) found.push(`${name(node)} over ${name(other)}`);
  }));
  return [...new Set(found)];
}"""
WHOLE = [
    ".lenet-top .lenet-pad-box",
    ".lenet-strip",
    ".lenet-answer",
    ".lenet-panel",
    ".lenet-equation",
    ".lenet-result",
    ".lenet-caption",
    ".lenet-transport",
]


def check_view(page: Page, parts: list[str] = WHOLE) -> None:
    """Walk through all steps: everything is in view and whole, and no control moves."""
    position = page.locator(".lenet-position")
    last = page.locator(".lenet-strip button").count() - 1
    fixed = page.evaluate(FIXED)
    for step in range(last + 1):
        expect(position).to_have_text(f"step {step} of {last}")
        assert page.evaluate(FAULTS, ",".join(parts)) == [], f"step {step}"
        moved = page.evaluate(FIXED)
        assert {name: moved[name] for name in fixed if moved[name] != fixed[name]} == {}, step
        next_button(page).click(force=step == last)
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("size", SCREENS, ids=str)
@pytest.mark.parametrize(
    "name", [pytest.param("lenet5.html", marks=pytest.mark.slow), "cifar.html"]
)
def test_all_is_in_view_at_every_step_and_nothing_moves(
    opened: Open, size: tuple[int, int], name: str
) -> None:
    viewport = {"width": size[0], "height": size[1]}
    with opened(name=name, viewport=viewport, **STILL) as page:
        check_view(page)


@pytest.mark.parametrize("size", SCREENS, ids=str)
def test_all_is_in_view_on_its_own_page(
    browser: Browser, bases: Bases, size: tuple[int, int]
) -> None:
    viewport = {"width": size[0], "height": size[1]}
    with visiting(browser, bases["http"], viewport=viewport, **STILL) as visit:
        page = visit.open("book/stepper.html")
        page.locator(".lenet-stepper .lenet-position").wait_for()
        check_view(page)


def test_no_number_is_cut_off_in_a_column(opened: Open) -> None:
    with opened(viewport={"width": 736, "height": 1100}, **STILL) as page:
        for step in range(14):
            expect(page.locator(".lenet-position")).to_have_text(f"step {step} of 13")
            parts = ".lenet-equation, .lenet-result, .lenet-transport"
            assert page.evaluate(FAULTS, parts) == [], step
            next_button(page).click(force=step == 13)


ON_A_PHONE = [".lenet-top .lenet-pad-box", ".lenet-strip", ".lenet-answer", ".lenet-transport"]


def test_on_a_phone_strip_controls_and_one_panel_are_in_view(opened: Open) -> None:
    phone = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    with opened(**phone, **STILL) as page:
        tabs = page.locator(".lenet-tabs button")
        expect(tabs.nth(0)).to_have_attribute("aria-pressed", "true")
        for step in range(14):
            expect(page.locator(".lenet-position")).to_have_text(f"step {step} of 13")
            for tab, panel in enumerate(PANELS):
                tabs.nth(tab).tap()
                expect(tabs.nth(tab)).to_have_attribute("aria-pressed", "true")
                pad = ".lenet-input, .lenet-input .lenet-pad, .lenet-pens"
                shown = panel if step or tab else pad
                faults = page.evaluate(FAULTS, ",".join([*ON_A_PHONE, shown]))
                assert faults == [], f"step {step}, {panel}"
            next_button(page).tap(force=step == 13)
        assert page.evaluate("scrollX") == 0


PANELS = [".lenet-panel-in", ".lenet-panel-operation", ".lenet-panel-out"]


# ---------------------------------------------------------------- the sweep

# What a canvas shows, one number for each pixel.
PIXELS = """canvas => {
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  return new Uint32Array(data.buffer);
}"""
KEEP = f"canvas => {{ window.whole = ({PIXELS})(canvas); }}"
# Of what the maps show in the end: which share is blank now, and which neither blank nor the same.
COMPARED = f"""canvas => {{
  const now = ({PIXELS})(canvas);
  const white = 0xffffffff;
  let [maps, blank, wrong] = [0, 0, 0];
  now.forEach((pixel, i) => {{
    if (whole[i] >>> 24 === 0 || whole[i] === white) return;
    maps += 1;
    blank += pixel === white;
    wrong += pixel !== white && pixel !== whole[i];
  }});
  return [blank / maps, wrong / maps];
}}"""


def stopped(page: Page) -> None:
    """Let time stand still on a page, until it is run."""
    page.clock.install(time=0)
    page.reload()
    page.locator(".lenet-stepper").wait_for()
    page.clock.pause_at(3_600_000)


def reached(page: Page) -> int:
    return int(page.locator(".lenet-count").inner_text().split(" / ")[0])


def test_the_window_crosses_the_picture_and_the_maps_fill_behind_it(opened: Open) -> None:
    with opened("#ForwardStepper-1:step=1;unit=2,27,27") as page:
        out = page.locator(OUT)
        stopped(page)
        out.evaluate(KEEP)
        page.get_by_role("button", name="Back").click()
        next_button(page).click()
        before = 0
        for milliseconds in (400, 600, 800, 600):
            page.clock.run_for(milliseconds)
            stop = reached(page)
            assert stop > before
            blank, wrong = out.evaluate(COMPARED)
            assert blank == pytest.approx(1 - stop / 784, abs=0.05)  # lines are never blank
            assert wrong < 0.01  # the frame of the unit
            before = stop
        assert 700 < before < 784
        page.clock.run_for(300)
        assert out.evaluate(COMPARED)[0] < 0.001
        slider = page.get_by_role("slider", name="Place of the window")
        slider.focus()
        for key, place in (("Home", 1), ("ArrowRight", 2), ("End", 784)):
            slider.press(key)
            page.clock.run_for(20)
            assert reached(page) == place
            assert out.evaluate(COMPARED)[0] == pytest.approx(1 - place / 784, abs=0.05)
            assert picked_in(page)[0][1:] == [(place - 1) // 28, (place - 1) % 28]
        slider.press("Home")
        page.clock.run_for(20)
        out.hover(position={"x": 5, "y": 5})
        page.clock.run_for(20)
        assert out.evaluate(COMPARED)[0] < 0.001


def test_whoever_does_something_else_ends_the_sweep(opened: Open) -> None:
    with opened() as page:
        stopped(page)
        next_button(page).click()
        page.clock.run_for(500)
        page.locator(OUT).click(position={"x": 5, "y": 5})
        page.clock.run_for(100)
        assert picked_in(page)[0] == [0, 0, 0]
        page.clock.run_for(3000)
        assert picked_in(page)[0] == [0, 0, 0]
        next_button(page).click()
        next_button(page).click()
        page.clock.run_for(500)  # over the pooling
        assert reached(page) > 10
        page.get_by_role("button", name="Back").click()
        page.clock.run_for(3000)
        expect(page.locator(".lenet-position")).to_have_text("step 2 of 13")


NEXT_AT_ONCE = """() => {
  document.querySelector(".lenet-transport .lenet-main").click();
  return [document.getAnimations().length, document.querySelector(".lenet-count").textContent];
}"""
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def test_nothing_moves_for_who_wants_less_motion(opened: Open) -> None:
    with opened(**STILL) as page:
        for _ in range(13):
            num_moving, count = page.evaluate(NEXT_AT_ONCE)
            assert num_moving == 0
            page.locator(OUT).evaluate(KEEP)
            page.evaluate(TWO_FRAMES)
            assert page.locator(".lenet-count").inner_text() == count
            assert page.locator(OUT).evaluate(COMPARED) == [0, 0]
        page.get_by_role("button", name="Why this answer?").click()
        assert page.evaluate("document.getAnimations().length") == 0


def test_what_came_out_travels_to_where_it_goes_in(opened: Open) -> None:
    with opened("#ForwardStepper-1:step=1") as page:
        moving = page.evaluate("""() => {
          document.querySelector(".lenet-transport .lenet-main").click();
          const targets = document.getAnimations().map(({ effect }) => effect.target);
          return targets.map(target => target.closest(".lenet-panels") !== null);
        }""")
        assert moving
        assert all(moving)
        finished = "Promise.all(document.getAnimations().map(({ finished }) => finished))"
        page.evaluate(f"{finished}.then(() => 0)")
        assert page.evaluate("document.getAnimations().length") == 0


# ---------------------------------------------------------------- pointing and picking


def label(unit: str) -> re.Pattern[str]:
    return re.compile(f"Unit: {unit};")


def test_the_mouse_points_picks_and_drags(opened: Open) -> None:
    with opened("#ForwardStepper-1:step=1;unit=2,20,9", **STILL) as page:
        out, into = page.locator(OUT), page.locator(".lenet-panel-in .lenet-maps")
        picked = label("channel 2, row 20, column 9")
        expect(out).to_have_attribute("aria-label", picked)
        out.hover(position={"x": 5, "y": 5})
        expect(out).to_have_attribute("aria-label", label("channel 0, row 0, column 0"))
        page.mouse.move(5, 5)
        expect(out).to_have_attribute("aria-label", picked)
        into.hover(position={"x": 5, "y": 5})
        expect(out).to_have_attribute("aria-label", label("channel 2, row 0, column 0"))
        page.mouse.move(5, 5)
        expect(out).to_have_attribute("aria-label", picked)
        box = box_of(into)
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        seen = set()
        for share in (0.4, 0.3, 0.2, 0.1):
            page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
            page.evaluate(TWO_FRAMES)
            seen.add(tuple(picked_in(page)[0]))
        assert len(seen) == 4
        page.mouse.up()
        page.mouse.move(5, 5)
        page.evaluate(TWO_FRAMES)
        assert tuple(picked_in(page)[0]) in seen
        expect(page.locator(".lenet-position")).to_have_text("step 1 of 13")
        out.click(position={"x": 5, "y": 5})
        page.mouse.move(5, 5)
        expect(out).to_have_attribute("aria-label", label("channel 0, row 0, column 0"))
        page.wait_for_function("location.hash.includes(';unit=0,0,0;')")


# Whether nothing has scrolled for ten frames.
AT_REST = """async () => {
  const panels = document.querySelector(".lenet-panels");
  const [down, across] = [scrollY, panels.scrollLeft];
  for (let i = 0; i < 10; i++) await new Promise(requestAnimationFrame);
  return down === scrollY && across === panels.scrollLeft;
}"""


FINGER = {"viewport": {"width": 390, "height": 700}, "has_touch": True, "is_mobile": True}


def out_on_a_phone(page: Page) -> Locator:
    """Turn to what comes out."""
    tab = page.locator(".lenet-tabs button").nth(2)
    tab.tap()
    expect(tab).to_have_attribute("aria-pressed", "true")
    page.wait_for_function(AT_REST)
    return page.locator(OUT)


def test_swipes_that_begin_on_a_map_pick_nothing(opened: Open) -> None:
    with opened("#ForwardStepper-1:step=1;unit=0,8,8", **FINGER, **STILL) as page:
        finger, out = Finger(page), out_on_a_phone(page)
        box, down = box_of(out), page.evaluate("scrollY")
        right, low = box["x"] + box["width"], box["y"] + box["height"]
        finger.swipe((right - 20, low - 20), (right - 20, low - 120))
        page.wait_for_function("from => scrollY > from", arg=down)
        page.wait_for_function(AT_REST)
        middle = box_of(out)["y"] + 140
        finger.swipe((70, middle), (375, middle))
        tab = page.locator(".lenet-tabs button").nth(1)
        expect(tab).to_have_attribute("aria-pressed", "true")
        assert picked_in(page)[0] == [0, 8, 8]
        expect(page.locator(".lenet-position")).to_have_text("step 1 of 13")


def test_a_finger_taps_a_unit_and_drags_its_frame(opened: Open) -> None:
    with opened("#ForwardStepper-1:step=1;unit=0,8,8", **FINGER, **STILL) as page:
        finger, out = Finger(page), out_on_a_phone(page)
        x, y = box_of(out)["x"] + 5, box_of(out)["y"] + 5
        finger.swipe((x, y), (x, y), moves=0)
        expect(out).to_have_attribute("aria-label", label("channel 0, row 0, column 0"))
        scrolled = "[scrollY, document.querySelector('.lenet-panels').scrollLeft]"
        before = page.evaluate(scrolled)
        finger.swipe((x, y), (x + 60, y + 40))
        unit = re.compile(r"Unit: channel 0, row [1-9]\d*, column [1-9]\d*;")
        expect(out).to_have_attribute("aria-label", unit)
        assert page.evaluate(scrolled) == before
        expect(page.locator(".lenet-position")).to_have_text("step 1 of 13")


# The lines of the strip: where each begins and ends, and whether it adds or takes away.
STRIP_TIES = """() => [...document.querySelectorAll(".lenet-strip .lenet-ties path")].map(path => {
  const box = path.getBoundingClientRect();
  return [box.left, box.right, path.className.baseVal, Number(path.getAttribute("stroke-width"))];
})"""


def test_the_strip_shows_what_feeds_the_unit_under_the_pointer(
    opened: Open, digits: ImageData
) -> None:
    images, _ = digits_of(digits)
    model = trained().requires_grad_(False)
    relu4 = outputs_of(model, (images[:1] / 255 - 0.1307) / 0.3081)[-2][0]
    with opened(**STILL) as page:
        signs = page.locator(".lenet-strip canvas")
        for step, num_lines in ((1, 1), (2, 1), (4, 4), (12, 12), (13, 1)):
            signs.nth(step - 1).hover()
            ties = page.evaluate(STRIP_TIES)
            assert len(ties) == num_lines, step
            here, before = box_of(signs.nth(step - 1)), box_of(signs.nth(max(step - 2, 0)))
            for left, right, _, _ in ties:
                assert here["x"] <= right <= here["x"] + here["width"] + 1
                assert step == 1 or before["x"] <= left <= before["x"] + before["width"] + 1
        place, box = 7, box_of(signs.nth(11))
        page.mouse.move(box["x"] + 5, box["y"] + (place + 0.5) / 10 * box["height"])
        products = model.fc2.weight[place] * relu4
        strongest = products[products.abs().argsort(descending=True)[:12]]
        ties = page.evaluate(STRIP_TIES)
        assert [name == "lenet-tie-below" for *_, name, _ in ties] == (strongest < 0).tolist()
        widths = (5 * strongest.abs() / strongest.abs().max()).clamp(0.5)
        assert [width for *_, width in ties] == pytest.approx(widths.tolist(), rel=1e-3)
        page.mouse.move(5, 400)
        assert page.evaluate(STRIP_TIES) == []
        page.locator(".lenet-strip button").nth(4).focus()
        assert len(page.evaluate(STRIP_TIES)) == 4


def test_next_carries_the_picked_unit_along(opened: Open) -> None:
    with opened("#ForwardStepper-1:step=1;unit=2,20,9", **STILL) as page:
        for unit in ([2, 20, 9], [2, 10, 4]):
            next_button(page).click()
            assert picked_in(page)[0] == unit
        page.get_by_role("button", name="Back").click()
        channel, row, column = picked_in(page)[0]
        assert (channel, row // 2, column // 2) == (2, 10, 4)  # the largest of its window


# ---------------------------------------------------------------- links

OPENED = """() => ({
  position: document.querySelector(".lenet-position").textContent,
  label: document.querySelector(".lenet-panel-out canvas").getAttribute("aria-label"),
  heading: document.querySelector(".lenet-panel-operation .lenet-heading").textContent,
  sum: document.querySelector(".lenet-equation").textContent,
  answer: document.querySelector(".lenet-answer").textContent,
  pad: document.querySelector(".lenet-top .lenet-pad").toDataURL(),
})"""


def choose_sample(page: Page, _: Path) -> None:
    page.locator(".lenet-sample").nth(7).click()


def choose_strokes(page: Page, _: Path) -> None:
    draw(page, drawn_digits()[26])


def choose_own(page: Page, folder: Path) -> None:
    path = folder / "own.png"
    as_picture(drawn_digits()[20], 200).save(path)
    page.locator("input[type=file]").first.set_input_files(path)
    expect(page.locator(".lenet-top .lenet-pad")).to_have_attribute(
        "aria-label", re.compile("your picture")
    )


@pytest.mark.parametrize("choose", [choose_sample, choose_strokes, choose_own])
def test_the_address_leads_back_to_everything(
    opened: Open, tmp_path: Path, choose: Callable[[Page, Path], None]
) -> None:
    with opened(**STILL) as page:
        choose(page, tmp_path)
        for _ in range(4):
            next_button(page).click()
        page.locator(OUT).click(position={"x": 60, "y": 60})
        page.locator("button.lenet-channel").nth(2).click()
        expect(page.locator(".lenet-panel-operation .lenet-heading")).to_contain_text("channel 2")
        page.mouse.move(5, 5)
        page.wait_for_function("location.hash.includes(';channel=2;')")
        address, left = page.evaluate("location.hash"), page.evaluate(OPENED)
    with opened(address, **STILL) as page:
        page.evaluate(TWO_FRAMES)
        assert page.evaluate(OPENED) == left


def test_a_key_that_is_held_down_changes_the_address_a_few_times_in_a_second(opened: Open) -> None:
    with opened("#ForwardStepper-1:step=1;unit=0,3,0") as page:
        stopped(page)
        page.evaluate("""() => {
          window.changes = 0;
          const replace = history.replaceState.bind(history);
          history.replaceState = (...given) => { changes += 1; replace(...given); };
        }""")
        for _ in range(25):
            page.locator(OUT).press("ArrowRight")
            page.clock.run_for(40)
        assert page.evaluate("changes") <= 4  # Safari allows a hundred in thirty seconds
        page.clock.run_for(1000)
        assert ";unit=0,3,25;" in page.evaluate("location.hash")


def test_an_address_that_another_has_changed_meanwhile_stays(opened: Open) -> None:
    with opened("#ForwardStepper-1:step=1;unit=0,3,0") as page:
        stopped(page)
        for _ in range(2):  # the first is written at once, the second after a while
            page.locator(OUT).press("ArrowRight")
            page.clock.run_for(40)
        assert ";unit=0,3,1;" in page.evaluate("location.hash")
        page.evaluate("history.replaceState(null, '', '#elsewhere')")
        page.clock.run_for(1000)
        assert page.evaluate("location.hash") == "#elsewhere"


BROKEN = [
    "step=4;unit=99,99,99",
    "step=4;unit=",
    "step=4;unit=1e400,NaN,null;channel=77",
    "step=4;channel=-1",
    "step=4;picture=",
    "step=4;picture=s99",
    "step=4;picture=s-1",
    "step=4;picture=d!!!",
    "step=4;picture=dAAAA",
    "step=4;picture=pAAAA",
    "step=4;picture=<img src=x onerror=alert(1)>",
    "step=4;;;===;%E0%A4%A",
]


def test_a_broken_link_harms_nothing(opened: Open) -> None:
    with opened(**STILL) as page:
        for text in BROKEN:
            go(page, 0)
            page.evaluate("text => { location.hash = 'ForwardStepper-1:' + text }", text)
            expect(page.locator(".lenet-position")).to_have_text("step 4 of 13")
            expect(page.locator(".lenet-choice")).to_have_text("0")
        for text in ("step=14", "step=-1", "step=NaN", "step", ""):
            page.evaluate("text => { location.hash = 'ForwardStepper-1:' + text }", text)
        expect(page.locator(".lenet-position")).to_have_text("step 4 of 13")


# ---------------------------------------------------------------- the strongest way


def parts_of(model: LeNet5, step: dict[str, Any], below: Tensor, unit: list[int]) -> Tensor:
    """What each number adds to a unit, or how large it is in its window; -inf for all others."""
    parts = torch.full_like(below, -torch.inf)
    kind = step["kind"]
    if kind in ("conv", "maxPool"):
        weight = getattr(model, step["name"]).weight[unit[0]] if kind == "conv" else None
        for i in range(step["kernel"][0]):
            for j in range(step["kernel"][1]):
                row, column = (
                    place * step["stride"][axis] - step["padding"][axis] + (i, j)[axis]
                    for axis, place in enumerate(unit[1:])
                )
                if not (0 <= row < below.shape[1] and 0 <= column < below.shape[2]):
                    continue
                numbers = below[:, row, column]
                if weight is None:
                    parts[unit[0], row, column] = numbers[unit[0]]
                else:
                    parts[:, row, column] = numbers * weight[:, i, j]
    elif kind == "linear":
        parts = below * getattr(model, step["name"]).weight[unit[0]]
    elif kind == "reshape":
        parts.view(-1)[unit[0]] = 0
    else:
        parts[tuple(unit)] = 0
    return parts


def hops(page: Page) -> list[tuple[int, list[int]]]:
    """Where "Why this answer?" leads, step by step."""
    page.get_by_role("button", name="Why this answer?").click()
    seen = []
    while True:
        page.clock.run_for(20)  # shows it
        step = int(page.locator(".lenet-position").inner_text().split()[1])
        if seen and seen[-1][0] == step:
            return seen
        seen.append((step, picked_in(page)[0]))
        page.clock.run_for(290)


def test_why_leads_from_the_answer_to_a_pixel_by_the_largest_numbers(
    opened: Open, digits: ImageData
) -> None:
    images, _ = digits_of(digits)
    model = trained().requires_grad_(False)
    x = (images[3:4] / 255 - 0.1307) / 0.3081
    outputs = outputs_of(model, x)
    steps = ForwardStepper(model, x).meta["steps"]
    with opened("#ForwardStepper-1:step=0;picture=s3") as page:
        stopped(page)
        way = hops(page)
        assert [step for step, _ in way] == list(range(13, -1, -1))
        assert way[0][1] == way[1][1] == [int(outputs[-1][0].argmax())]
        for (step, unit), (_, below) in pairwise(way[1:]):
            parts = parts_of(model, steps[step], outputs[step - 1][0], unit)
            assert parts[tuple(below)] == pytest.approx(float(parts.max()), abs=1e-5), step
        assert page.locator(".lenet-strip .lenet-on-path").count() == 14
        page.get_by_role("button", name="Next").click()  # the way can be walked back
        page.clock.run_for(20)
        assert picked_in(page)[0] == way[-2][1]
        page.keyboard.press("Escape")
        page.clock.run_for(20)
        assert page.locator(".lenet-on-path").count() == 0
        page.get_by_role("button", name="Why this answer?").click()
        page.clock.run_for(700)
        draw_strokes(page, [[(0.3, 0.5), (0.7, 0.5)]])
        page.clock.run_for(20)
        assert page.locator(".lenet-on-path").count() == 0
        position = page.locator(".lenet-position").inner_text()
        page.clock.run_for(3000)
        expect(page.locator(".lenet-position")).to_have_text(position)


# ---------------------------------------------------------------- keyboard


def focused(page: Page) -> str:
    """The text of what has the focus, which must be on the stage."""
    found: str | None = page.evaluate("""() => {
      const node = document.activeElement;
      const isThere = node.closest(".lenet-stepper, .lenet-dialog") && node.checkVisibility();
      return isThere ? node.textContent : null;
    }""")
    assert found is not None, page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    return found


def test_the_focus_is_never_lost(opened: Open) -> None:
    with opened(**STILL) as page:
        next_button(page).focus()
        for _ in range(30):  # forward to the answer, and back
            page.keyboard.press("Enter")
            focused(page)
        assert focused(page) == "The end"
        page.get_by_role("button", name="Back").focus()
        for _ in range(30):
            page.keyboard.press("Enter")
            assert "Back" in focused(page)
        expect(page.locator(".lenet-position")).to_have_text("step 0 of 13")
        code = page.get_by_role("button", name="Code", exact=True)
        code.focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Close the code").focus()
        page.keyboard.press("Enter")
        assert focused(page) == "Code"
        for key in ("Enter", "Escape"):
            page.get_by_role("button", name="Help").focus()
            page.keyboard.press("Enter")
            assert focused(page) == "Got it"
            page.keyboard.press(key)
            assert focused(page) == "?"
        go(page, 4, (0, 1, 1))
        page.locator("button.lenet-channel").nth(2).focus()
        page.keyboard.press("Enter")
        expect(page.locator(".lenet-panel-operation .lenet-heading")).to_contain_text("channel 2")
        assert "all channels" in focused(page)
        page.keyboard.press("Enter")
        expect(page.locator("button.lenet-channel").first).to_be_visible()
        assert focused(page).startswith("channel 2 ")
        page.locator(".lenet-strip button").first.focus()
        page.keyboard.press("End")
        page.keyboard.press(" ")
        assert "softmax" in focused(page)


def test_help_on_a_phone_leaves_the_strip_free(opened: Open) -> None:
    phone = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    with opened("#ForwardStepper-1:step=4", **phone, **STILL) as page:
        page.get_by_role("button", name="Help").tap()
        strip = box_of(page.locator(".lenet-strip"))
        tips = page.locator(".lenet-tip")
        assert tips.count() == 4
        for i in range(4):
            expect(tips.nth(i)).to_be_in_viewport(ratio=1)
            assert box_of(tips.nth(i))["y"] >= strip["y"] + strip["height"]


def test_the_wide_stage_opens_from_a_column_and_gives_the_focus_back(opened: Open) -> None:
    with opened("#ForwardStepper-1:step=4", **STILL) as page:
        page.evaluate("document.body.style.maxWidth = '720px'")
        stage = page.locator(".lenet-stepper")
        expect(stage).to_have_class(re.compile("lenet-column"))
        wide = page.get_by_role("button", name="Wide stage")
        for close in ("Escape", "Close"):
            wide.focus()
            page.keyboard.press("Enter")
            expect(stage).to_have_class(re.compile("lenet-wide"))
            assert page.evaluate("document.activeElement.closest('dialog') !== null")
            assert page.evaluate(FAULTS, ",".join(WHOLE)) == []
            expect(page.locator(".lenet-position")).to_have_text("step 4 of 13")
            if close == "Close":
                page.get_by_role("button", name="Close", exact=True).focus()
            page.keyboard.press("Enter" if close == "Close" else close)
            expect(stage).to_have_class(re.compile("lenet-column"))
            assert focused(page) == "Wide"


# ---------------------------------------------------------------- colours, paper


def current(page: Page) -> Locator:
    return page.locator(".lenet-strip [aria-current]")


def is_told_apart(page: Page) -> bool:
    """Whether the present step looks different from the others."""
    return changes_the_picture(current(page), "node.removeAttribute('aria-current')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_few_colours_are_enough(opened: Open, scheme: str) -> None:
    settings = {"forced_colors": "active", "color_scheme": scheme, **STILL}
    with opened("#ForwardStepper-1:step=4", **settings) as page:
        assert is_told_apart(page)
        for part in (
            ".lenet-best .lenet-score-fill",
            ".lenet-channel .lenet-total i:not(.lenet-zero)",
            ".lenet-result",
            ".lenet-ramp",
            ".lenet-tile",
        ):
            assert is_seen(page.locator(part).first), part
        go(page, 0)
        assert changes_the_picture(
            page.locator(".lenet-sample").first, "node.setAttribute('aria-pressed', 'false')"
        )


def test_the_stage_is_printed(opened: Open) -> None:
    with opened("#ForwardStepper-1:step=4", **STILL) as page:
        page.emulate_media(media="print")
        expect(page.locator(".lenet-transport")).to_be_hidden()
        assert is_told_apart(page)
        for part in (".lenet-best .lenet-score-fill", ".lenet-channel .lenet-total i:last-child"):
            bar = page.locator(part).first
            assert bar.evaluate("node => getComputedStyle(node).printColorAdjust") == "exact"
            assert is_seen(bar), part
        assert is_seen(page.locator(".lenet-equation"))


# ---------------------------------------------------------------- an honest answer


def test_a_drawing_can_be_reset_at_every_step(opened: Open) -> None:
    with opened("#ForwardStepper-1:step=4", **STILL) as page:
        reset = page.get_by_role("button", name="Reset")
        expect(reset).to_be_hidden()
        draw_strokes(page, LETTER)
        expect(page.locator(".lenet-choice")).to_have_text(re.compile(r"^\d$"))
        reset.click()
        expect(page.locator(".lenet-words")).to_have_text("nothing is drawn yet")
        expect(reset).to_be_hidden()


LETTER = [[(0.25, 0.9), (0.5, 0.1), (0.75, 0.9)], [(0.35, 0.6), (0.65, 0.6)]]
SCRIBBLE = [[(0.1, 0.2), (0.9, 0.3), (0.2, 0.5), (0.8, 0.9), (0.5, 0.1), (0.3, 0.8)]]


@pytest.mark.parametrize("size", [(1280, 800), (700, 900), (390, 844)], ids=str)
def test_the_answer_says_that_it_must_choose_one_of_ten(
    opened: Open, size: tuple[int, int]
) -> None:
    settings = {"viewport": {"width": size[0], "height": size[1]}, **STILL}
    with opened("#ForwardStepper-1:step=1", **settings) as page:
        pad = page.locator(".lenet-top .lenet-pad")
        words, figures = page.locator(".lenet-words"), page.locator(".lenet-score-figure")
        pad.press("Delete")
        draw_strokes(page, [stroke[::4] for stroke in drawn_digits()[18].strokes], pad)
        expect(figures.nth(3)).to_have_text(">99.9 %")
        expect(words).to_have_text("clearly 3")
        assert not {"100.0 %", "0.0 %"} & {*figures.all_inner_texts()}
        for strokes in (LETTER, SCRIBBLE):
            pad.press("Delete")
            expect(words).to_have_text("nothing is drawn yet")
            assert [*map(str.strip, figures.all_inner_texts())] == [""] * 10
            draw_strokes(page, strokes, pad)
            expect(page.locator(".lenet-choice")).to_have_text(re.compile(r"^\d$"))
            must = page.locator(".lenet-must")
            expect(must).to_have_text(re.compile("must choose one of 10.* cannot say “none”"))
            expect(must).to_be_in_viewport()
        page.get_by_role("button", name="scores", exact=True).click()
        assert not [text for text in figures.all_inner_texts() if "%" in text]
