"""Every page of the site and every state of its widgets, on a desk and a phone, light and dark.

What is looked for is `CHECKS`. A state that a page does not open with stands in `STATES`, beside
how it is reached.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page, ViewportSize, expect
from torch import nn

from lenet.data import ImageData
from lenet.models import LeNet5Linear, NarrowLeNet
from lenet.train import Settings
from lenet_book.replay import record_training
from lenet_book.widgets import (
    ConvPlayground,
    ForwardStepper,
    MistakeExplorer,
    PastedNetwork,
    Predict,
    ShapeCalculator,
    TrainingLab,
    TrainingReplay,
    Widget,
)
from tests.book.contents import PAGES
from tests.browsing import DESK, PHONE, Bases, visiting

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@dataclass(frozen=True)
class View:
    """What a page is looked at with."""

    viewport: ViewportSize
    scheme: str
    way: str  # to the page: from a server or from a folder

    def settings(self) -> dict[str, Any]:
        return {"viewport": self.viewport, "color_scheme": self.scheme}


# Each screen, scheme and way to the page is in the first two.
VIEWS = {
    "desk-light": View(DESK, "light", "http"),
    "phone-dark": View(PHONE, "dark", "file"),
    "desk-dark": View(DESK, "dark", "file"),
    "phone-light": View(PHONE, "light", "http"),
}


RARELY = tuple(f"chapters/{number:02}" for number in range(1, 12) if number != 4)


def in_views(names: Sequence[str], *, in_turn: bool = False) -> list[Any]:
    """Pair names with views; slow are the last two, and in turn one of the first two.

    Most chapters are slow in all views: they are long, and made of the same parts.
    """
    pairs = []
    for place, name in enumerate(names):
        for number, (key, view) in enumerate(VIEWS.items()):
            slow = number != place % 2 if in_turn else number > 1
            marks = [pytest.mark.slow] if slow or name.startswith(RARELY) else []
            pairs.append(pytest.param(name, view, id=f"{name}-{key}", marks=marks))
    return pairs


UNREADABLE = """
() => {
  const parse = text => {
    const [r, g, b, ...alpha] = text.match(/[\\d.]+/g).map(Number);
    const unit = text.startsWith("color(srgb") ? 255 : 1;  // what color-mix() makes is from 0 to 1
    return [r * unit, g * unit, b * unit, ...alpha];
  };
  const luminance = rgb => {
    const [r, g, b] = rgb.map(v => v / 255).map(
      v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const [r, g, b, alpha = 1] = parse(getComputedStyle(e).backgroundColor);
      if (alpha === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!/[\\p{L}\\p{N}]/u.test(text)) continue;
    if (!element.checkVisibility({visibilityProperty: true})) continue;
    if (element.closest(".output.text_html, svg, .skip-link, [aria-hidden=true]")) continue;
    const ink = luminance(parse(getComputedStyle(element).color).slice(0, 3));
    const paper = luminance(ground(element));
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (contrast < 4.5) found.push(`${contrast.toFixed(1)} ${text.slice(0, 40)}`);
  }
  return found;
}
"""
PICTURES = "[...document.querySelectorAll('article img')]"
BARRIERS = """
async part => {
  if (!window.axe) return [];
  // A page on disk may not read its style sheets again, as axe-core would for one rule.
  const { violations } = await axe.run(part, { preload: false, resultTypes: ["violations"] });
  return violations.map(v => [v.id, ...v.nodes.map(node => node.html.slice(0, 200))]);
}
"""
CHECKS = {
    "wider than the screen": """() => {
        window.scrollTo(1000, 0);
        const { scrollWidth } = document.documentElement;
        return scrollWidth > innerWidth || scrollX ? [scrollWidth] : [];
    }""",
    "cut at the side, or scrolls without showing it": """() => {
        const article = document.querySelector("article");
        const shown = e => getComputedStyle(e).backgroundAttachment.startsWith("local");
        return [article, ...(article?.querySelectorAll("*") ?? [])]
            .filter(e => e && !e.closest(".lenet-widget, .lenet-static, math, .MathJax"))
            .filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)
            .filter(e => e === article || getComputedStyle(e).overflowX !== "visible")
            .filter(e => !shown(e)).map(e => `${e.tagName}: ${e.innerText.slice(0, 60)}`);
    }""",
    "figures whose labels are too small": f"""() => {PICTURES}
        .filter(image => image.clientWidth && image.style.width)
        .filter(image => image.clientWidth + 1 < parseFloat(image.style.width) * 2 / 3)
        .map(image => `${{image.clientWidth}} pixels: ${{image.alt}}`)""",
    "text without contrast": UNREADABLE,
    "pictures not drawn": f"""() => {PICTURES}
        .filter(image => !image.complete || !image.naturalWidth).map(image => image.src)""",
    "pictures distorted": f"""() => {PICTURES}.filter(image => image.clientHeight && Math.abs(
        image.clientWidth / image.clientHeight / (image.naturalWidth / image.naturalHeight) - 1
        ) > 0.05).map(image => image.src)""",
    "pictures without their own ground and ink": f"""() => {PICTURES}.filter(image => {{
        const {{ filter, backgroundColor }} = getComputedStyle(image);
        return filter !== "none" || backgroundColor !== "rgba(0, 0, 0, 0)";
    }}).map(image => image.src)""",
}


def check(page: Page, part: str = "html") -> None:
    """Look for everything that can be wrong with what a page shows now."""
    page.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished))")
    found = {name: page.evaluate(script) for name, script in CHECKS.items()}
    found["barriers, says axe-core"] = page.evaluate(BARRIERS, part)
    assert {name: faults for name, faults in found.items() if faults} == {}


def load_axe(page: Page) -> None:
    if AXE.exists():
        page.evaluate(AXE.read_text(encoding="utf-8"))  # a page's policy allows no script of ours
        assert page.evaluate("typeof axe") == "object"


def test_axe_core_has_looked() -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm ci): nothing has looked for barriers")


# ---------------------------------------------------------------- pages


def unfold(page: Page) -> None:
    """Open every folded part where it stands."""
    for part in page.locator("article details").all():
        if part.get_attribute("open") is None:
            part.locator("summary").first.click()
        assert part.get_attribute("open") is not None


def come_near(page: Page) -> None:
    """Scroll to what waits until a reader comes near."""
    for image in page.locator("article img:not(.lenet-static *)").all():
        image.scroll_into_view_if_needed()
    for widget in page.locator(".lenet-static").all():
        widget.scroll_into_view_if_needed()
        expect(widget).not_to_have_attribute("aria-busy", "true", timeout=60_000)
    page.wait_for_load_state("networkidle")  # whatever is fetched late must not fail either


@pytest.mark.parametrize(("name", "view"), in_views(PAGES, in_turn=True))
def test_a_page(browser: Browser, bases: Bases, name: str, view: View) -> None:
    with visiting(browser, bases[view.way], **view.settings()) as visit:
        page = visit.open(f"{name}.html")
        assert page.locator("html").get_attribute("data-theme") == view.scheme
        assert page.locator("article h1, #search-title").count() <= 1
        load_axe(page)
        come_near(page)
        unfold(page)
        check(page)


def test_a_chapter_on_paper(browser: Browser, bases: Bases) -> None:
    paper = ViewportSize(width=680, height=960)  # DIN A4 without its margins
    with visiting(browser, bases["file"], viewport=paper, color_scheme="dark") as visit:
        page = visit.open("chapters/06_training_loop.html")
        drawing = page.locator("article details.hide").first
        first, second, *_ = page.locator(
            "article details:not(.hide, .lenet-running, .lenet-widget *)"
        ).all()
        for opened in (drawing, first):
            opened.locator("summary").first.click()
        come_near(page)
        page.emulate_media(media="print")
        cut = "[...document.querySelectorAll('pre, a.image-reference, .lenet-shapes')].filter("
        cut += "e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"
        assert page.evaluate(cut) == []
        assert page.evaluate(UNREADABLE) == []
        for reading in (drawing.locator("pre"), first.locator("xpath=*[2]"), second):
            expect(reading.first).to_be_visible()
        expect(second.locator("xpath=*[2]")).to_be_hidden()
        navigation = "nav:not(.lenet-widget *), .copybtn, .search-button-field, .prev-next-area"
        navigation += ", details.hide > summary"
        assert not any(part.is_visible() for part in page.locator(navigation).all())


# ---------------------------------------------------------------- states of widgets

Walk = Callable[[Page], Iterator[str]]


def opened(page: Page) -> Iterator[str]:
    """What it opens with."""
    yield "opened"


def through_the_steps(page: Page) -> Iterator[str]:
    for step in (0, 1, 3, 9, 10, 13):
        page.evaluate("step => { location.hash = `ForwardStepper-1:step=${step}` }", step)
        expect(page.locator(".lenet-position")).to_have_text(f"step {step} of 13")
        yield f"step {step}"
    page.evaluate("location.hash = 'ForwardStepper-1:step=4;unit=3,2,5'")
    expect(page.locator(".lenet-position")).to_have_text("step 4 of 13")
    sixth = page.get_by_role("button", name=re.compile(r"^channel 5\s+whose products add up to"))
    expect(sixth).to_be_visible()
    yield "a sum, channel by channel"
    sixth.click()
    expect(page.locator(".lenet-panel-operation .lenet-heading")).to_contain_text("channel 5")
    yield "one channel"
    page.get_by_role("button", name="scores", exact=True).click()
    code, drawer = (
        page.get_by_role("button", name="Code", exact=True),
        page.locator(".lenet-drawer"),
    )
    for _ in range(2):
        code.click()
        yield f"code and facts, {drawer.is_visible()}"
    page.get_by_role("button", name="Help").click()
    yield "help"
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^Why")).click()
    expect(page.locator(".lenet-position")).to_have_text("step 0 of 13")
    yield "the way of the answer"
    page.get_by_role("button", name="Clear").click()
    yield "an empty pad"


def through_the_steps_back(page: Page) -> Iterator[str]:
    for step in (13, 12, 11, 6, 4):
        page.evaluate("step => { location.hash = `ForwardStepper-1:back:step=${step}` }", step)
        expect(page.locator(".lenet-position")).to_have_text(f"backward, step {14 - step} of 13")
        yield f"back at step {step}"
    page.get_by_role("button", name="Do it").click()
    yield "a step of descent"


def lessons(page: Page) -> Iterator[str]:
    expect(page.locator(".lenet-knows")).to_contain_text("Of 200 digits")
    yield "no lesson"
    page.get_by_role("button", name="Add the page's pictures").click()
    page.get_by_role("button", name="One step").click()
    yield "a step"


def in_a_column(page: Page) -> Iterator[str]:
    page.evaluate("document.body.style.maxWidth = '720px'")
    expect(page.locator(".lenet-stepper")).not_to_have_class(re.compile("lenet-wide"))
    yield from through_the_steps(page)
    wide = page.get_by_role("button", name="Wide stage")
    if wide.is_visible():
        wide.click()
        yield "the wide stage"


def picture_in_the_network(page: Page) -> Iterator[str]:
    page.locator(".lenet-mistakes button").first.click()
    expect(page.locator(".lenet-stepper")).to_be_visible()
    yield "a picture is open"


def editors(page: Page) -> Iterator[str]:
    for layer in ("conv1", "pool1", "fc1"):
        page.get_by_role("button", name=layer, exact=True).click()
        yield f"the editor of {layer}"


def misfit(page: Page) -> Iterator[str]:
    page.get_by_role("textbox", name="input height").fill("32")
    page.locator("tr.lenet-explanation").wait_for()
    yield "an explanation"
    page.locator(".lenet-name").first.click()
    yield "an explanation and an editor"


def pasted(page: Page) -> Iterator[str]:
    typed = page.get_by_role("textbox", name="Python code")
    code = typed.input_value()
    change = page.get_by_role("button", name="Apply").first
    change.wait_for()
    yield "changes"
    change.click()
    page.locator(".lenet-good").wait_for()
    yield "what fits"
    message = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x256 and 400x120)"
    for words, text in (("a message", message), ("both", f"{code}\n{message}"), ("nothing", "")):
        typed.fill(text)
        yield words
    typed.fill(code.replace("x = x.view(x.size(0), -1)", "x = unknown(x, 'text')  # a comment"))
    yield "an unknown function"


def charts(page: Page) -> Iterator[str]:
    right = "chart => chart.getBoundingClientRect().right"
    assert page.locator(".lenet-chart svg").first.evaluate(right) <= page.viewport_size["width"]
    yield "charts"


def revealed(page: Page) -> Iterator[str]:
    page.get_by_role("button", name="Show the whole loop").click()
    page.get_by_role("button", name="It stays at guessing").click()
    page.get_by_text("The curves in numbers").click()
    yield from charts(page)


def quiz(page: Page) -> Iterator[str]:
    page.get_by_role("button", name="Quiz").click()
    yield from charts(page)
    page.locator(".lenet-ask:visible .lenet-strip button").first.click()
    yield "a quiz with an answer"


def guessed(page: Page) -> Iterator[str]:
    yield "asked"
    for typed in ("nothing", "24 24", "6 28 28"):
        page.get_by_role("textbox").fill(typed)
        page.get_by_role("button", name="Guess").click()
        yield typed
    page.get_by_role("button", name="Show me").click()
    yield "shown"


def picked(page: Page) -> Iterator[str]:
    for answer in ("a wrong one", "the right one"):
        page.get_by_role("button", name=answer).click()
        yield answer


def stage(digits: ImageData) -> Widget:
    torch.manual_seed(0)
    pictures = digits.test.images[:3]
    return ForwardStepper(NarrowLeNet(), pictures, mean=[0.5], std=[0.5], draw=True)


def taught(digits: ImageData) -> Widget:
    torch.manual_seed(0)
    few = digits.test[:3]
    return ForwardStepper(NarrowLeNet(), few.images, few.labels, draw=True, lessons=True)


def explorer(digits: ImageData) -> Widget:
    torch.manual_seed(0)
    return MistakeExplorer(NarrowLeNet(), digits.test.images[:200], digits.test.labels[:200])


def replay(digits: ImageData) -> Widget:
    few = replace(digits, train=digits.train[:200], test=digits.test[:100])
    settings = Settings(epochs=3, batch_size=50, device="cpu")
    return TrainingReplay(record_training(NarrowLeNet(), few, settings, progress=False), epoch=3)


def playground(*sizes: Any, **options: Any) -> Callable[[ImageData], Widget]:
    return lambda _: ConvPlayground(*sizes, **options)


def calculator(*network: nn.Module) -> Callable[[ImageData], Widget]:
    return lambda _: ShapeCalculator(*network, *[(1, 28, 28)] * len(network))


def paste(_: ImageData) -> Widget:
    return PastedNetwork()


def lab(_: ImageData) -> Widget:
    return TrainingLab()


def predict(*asked: Any) -> Callable[[ImageData], Widget]:
    return lambda _: Predict("What comes out of `conv1`?", *asked, why="24 is 28 − `5` + 1.")


STATES: dict[str, tuple[Callable[[ImageData], Widget], Walk]] = {
    "stage": (stage, through_the_steps),
    "stage, backward": (stage, through_the_steps_back),
    "stage, taught": (taught, lessons),
    "stage in a column": (stage, in_a_column),
    "mistakes": (explorer, picture_in_the_network),
    "playground": (playground(8, 3, 2, 1), opened),
    "playground of unequal sizes": (playground((24, 20), (7, 5), (3, 2), operation="max"), opened),
    "calculator": (calculator(), editors),
    "calculator with a misfit": (calculator(LeNet5Linear()), misfit),
    "paste": (paste, pasted),
    "replay": (replay, charts),
    "lab": (lab, charts),
    "lab, revealed": (lab, revealed),
    "lab, quiz": (lab, quiz),
    "predict": (predict((6, 24, 24), {(6, 28, 28): "it keeps `28`."}), guessed),
    "predict, a choice": (predict("the right one", {"a wrong one": "it is."}), picked),
}


@pytest.mark.parametrize(("state", "view"), in_views([*STATES]))
def test_a_state(
    browser: Browser, digits: ImageData, tmp_path: Path, state: str, view: View
) -> None:
    make, walk = STATES[state]
    with visiting(browser, tmp_path.as_uri(), has_touch=True, **view.settings()) as visit:
        page = visit.show(make(digits), tmp_path / "widget.html")
        load_axe(page)
        for place in walk(page):
            print(place)  # pytest shows it where the check fails
            check(page, ".lenet-widget")
