"""Widgets that are used for long, or come and go often, leave nothing behind."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from lenet.data import ImageData
from lenet.models import LeNet5Linear
from lenet_book.widgets import Predict, Widget
from lenet_book.widgets.shared import arrays
from lenet_book.widgets.shared.joining import joined_script, joined_style
from tests.book.test_pages import (
    calculator,
    explorer,
    lab,
    paste,
    playground,
    replay,
    stage,
    taught,
)
from tests.browsing import Visit, visiting

pytestmark = pytest.mark.slow

VALUES = Path(arrays.__file__).with_name("values.js")
START = """async ([script, style, values, states, bytes, id]) => {
  const url = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const { Values } = await import(url(values));
  const { render } = (await import(url(script))).default;
  const data = new DataView(Uint8Array.from(atob(bytes), (sign) => sign.charCodeAt(0)).buffer);
  document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
  const model = new Values({ ...states, data });
  window.mount = async () => {
    const el = document.createElement("div");
    el.id = id;
    document.body.append(el);
    const stop = await render({ model, el });
    return () => {
      stop();
      el.remove();
    };
  };
  window.frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  window.press = (words, part = ".lenet-widget button") => {
    const found = [...document.querySelectorAll(part)].filter((e) => e.textContent.includes(words));
    found[window.turn++ % found.length]?.click();
  };
  window.turn = 0;
  window.type = (text) => {
    const field = document.querySelector("textarea, .lenet-widget input");
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
}"""
MOUNTS = """async ([count, step]) => {
  const act = eval(step);
  for (let i = 0; i < count; i++) {
    const unmount = await mount();
    act(i);
    await frame();
    unmount();
  }
}"""
STEPS = """async ([count, step]) => {
  const act = eval(step);
  for (let i = 0; i < count; i++) {
    act(i);
    await frame();
  }
}"""


@dataclass(frozen=True)
class Kept:
    """What a page holds after its garbage was collected: counts, and bytes."""

    listeners: int
    nodes: int
    heap: int

    def grows_to(self, later: Kept) -> bool:
        """Whether what is held grew by more than what engines keep of code that runs often."""
        limits = Kept(self.listeners + 100, self.nodes + 500, self.heap + 300_000)
        return any(getattr(later, k) > limit for k, limit in asdict(limits).items())


def kept(page: Page) -> Kept:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    for _ in range(3):  # what weak references held until now goes as well
        session.send("HeapProfiler.collectGarbage")
    found = {m["name"]: int(m["value"]) for m in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return Kept(found["JSEventListeners"], found["Nodes"], found["JSHeapUsedSize"])


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    with visiting(browser, "about:") as visit:
        yield visit


def open_widget(page: Page, widget: Widget) -> None:
    """Bring a widget's module and its values into an empty page, as a notebook does."""
    states = {k: v for k, v in widget.get_state().items() if not k.startswith("_")}
    data = base64.b64encode(bytes(states.pop("data"))).decode()
    states.pop("layout", None)
    front_end = type(widget).front_end
    values = joined_script(VALUES) + "\nexport { Values };\n"
    given = [
        joined_script(front_end),
        joined_style(front_end),
        values,
        states,
        data,
        f"{type(widget).__name__}-1",
    ]
    page.goto("about:blank")
    page.evaluate(START, [*given, f"{type(widget).__name__}-1"])


def predict(_: ImageData) -> Widget:
    return Predict("How many rows come out?", 24, {28: "it is what goes in."}, why="28 − 4.")


# By what they are called: what makes a widget, and what is done in it time and again.
USES: dict[str, tuple[Callable[[ImageData], Widget], str]] = {
    "stage": (stage, "i => { location.hash = `ForwardStepper-1:step=${i % 14}` }"),
    "stage, backward": (
        stage,
        "i => { location.hash = `ForwardStepper-1:back:step=${i % 13 + 1}` }",
    ),
    "stage, taught": (taught, "i => press(['Add the page', 'One step', 'Empty'][i % 3])"),
    "mistakes": (explorer, "i => i % 2 ? press('Close') : press('', '.lenet-mistakes button')"),
    "playground": (playground(8, 3, 2, 1), "() => press('', '.lenet-transport button')"),
    "calculator": (calculator(LeNet5Linear()), "i => press(i % 2 ? 'Undo' : 'Conv2d')"),
    "paste": (paste, "i => type(['mat1 and mat2', 'class Net(nn.Module): pass'][i % 2])"),
    "replay": (replay, "() => press('', '.lenet-transport button')"),
    "lab": (lab, "() => press('')"),
    "predict": (predict, "i => type(`${i % 20}`)"),
}
uses = pytest.mark.parametrize("name", USES)


@uses
def test_300_that_came_and_went_leave_nothing(visit: Visit, digits: ImageData, name: str) -> None:
    make, step = USES[name]
    open_widget(visit.page, make(digits))
    visit.page.evaluate(MOUNTS, [30, step])
    before = kept(visit.page)
    visit.page.evaluate(MOUNTS, [300, step])
    after = kept(visit.page)
    for _ in range(20):  # the browser may hold the last one for a while, as the field typed in
        if (after.listeners, after.nodes) == (before.listeners, before.nodes):
            break
        visit.page.wait_for_timeout(100)
        after = kept(visit.page)
    assert (after.listeners, after.nodes) == (before.listeners, before.nodes)
    assert not before.grows_to(after), f"{before} {after}"


@uses
def test_1000_steps_leave_nothing(visit: Visit, digits: ImageData, name: str) -> None:
    make, step = USES[name]
    open_widget(visit.page, make(digits))
    visit.page.evaluate("mount()")
    visit.page.evaluate(STEPS, [300, step])
    before = kept(visit.page)
    visit.page.evaluate(STEPS, [1000, step])
    after = kept(visit.page)
    assert not before.grows_to(after), f"{before} {after}"


def test_what_stays_is_seen(visit: Visit, digits: ImageData) -> None:
    open_widget(visit.page, stage(digits))
    before = kept(visit.page)
    visit.page.evaluate(
        "window.mount = (old => async () => { await old(); return () => {} })(mount)"
    )
    visit.page.evaluate(MOUNTS, [10, "() => {}"])
    after = kept(visit.page)
    assert after.listeners > before.listeners + 500
    assert after.nodes > before.nodes + 500
    assert before.grows_to(after)
