"""What all widgets have in common: joining scripts, packing arrays, and pages without a kernel."""

from __future__ import annotations

import base64
import json
import platform
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import torch
import traitlets
from ipywidgets import HTML, IntSlider, VBox
from ipywidgets.embed import dependency_state
from matplotlib.colors import to_rgb
from playwright.sync_api import Browser, expect

import lenet_book.widgets
from lenet.models import NarrowLeNet
from lenet_book.figures import drawing
from lenet_book.widgets import ForwardStepper, MistakeExplorer, TrainingLab, Widget
from lenet_book.widgets.shared import pages
from lenet_book.widgets.shared.arrays import pack
from lenet_book.widgets.shared.joining import SHARED_STYLE, joined_script
from tests.browsing import Visit, visiting

ROOT = Path(__file__).parents[3]
FRONT_ENDS = Path(__file__).parent / "front_ends"
RENDER = "await frontEnd.render({ model, el: box });"
RENDER_APART = (  # as ipywidgets 7 does, in Colab
    "const place = document.createComment('');"
    f"box.replaceWith(place); {RENDER} place.replaceWith(box);"
)


class Probe(Widget):
    """A button that counts, and the sum of an array."""

    front_end = FRONT_ENDS / "probe.js"
    count = traitlets.Int(1).tag(sync=True)


def probe(name: str = "probe", values: tuple[float, ...] = (1.5, 2.5), **meta: Any) -> Probe:
    arrays = {"other": np.zeros(3, dtype="uint8"), "values": torch.tensor(values)}
    return Probe({"name": name, **meta}, arrays)


def page_of(*widgets: Any, spacer: str = "") -> str:
    """A page as the site makes it, with several widgets in it."""
    states = {"state": dependency_state(widgets, drop_defaults=False)}
    script = f"<script>{Probe.definition()}</script>"
    ids = [widget.model_id for widget in widgets]
    boxes = pages.boxes(states, ids, {"Probe": script}, {"Probe": Probe.sentence()})
    mounting = pages.mounting_script()
    start = f"<!doctype html><html lang=en><title>test</title><body><script>{mounting}</script>"
    return "\n".join([start, *(spacer + box for box in boxes)])


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Visit]:
    """Pages in a folder of their own, opened from disk."""
    with visiting(browser, tmp_path.as_uri()) as visit:
        yield visit


def test_scripts_are_joined_in_the_order_of_their_needs() -> None:
    script = joined_script(FRONT_ENDS / "probe.js")
    assert "import " not in script.replace("import(", "")
    order = [script.index(word) for word in ("function element(", "function double(", "render({")]
    assert order == sorted(order)
    assert script.count("export ") == script.count("export default") == 1


def test_other_imports_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "wrong.js"
    path.write_text('import * as all from "https://example.org/all.js";\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"wrong\.js: only files of the package"):
        joined_script(path)


def test_data_of_python_is_joined_as_json(tmp_path: Path) -> None:
    path = tmp_path / "version.js"
    path.write_text('export const VERSION = fromPython("platform:python_version");\n', "utf-8")
    assert joined_script(path) == f'const VERSION = "{platform.python_version()}";\n'


HEX = r"#(?:[0-9a-fA-F]{3}){1,2}\b"


@pytest.mark.parametrize(("files", "hexadecimal"), [("*.css", HEX), ("*.js", rf"[\"'`]{HEX}")])
def test_every_colour_stands_in_the_shared_sheet(files: str, hexadecimal: str) -> None:
    for path in SHARED_STYLE.parents[1].rglob(files):
        found = re.findall(rf"{hexadecimal}|rgb\(\d", path.read_text(encoding="utf-8"))
        others = {colour.strip("\"'`") for colour in found} - {"#000", "#fff"}
        assert not others or path == SHARED_STYLE, f"{path.name}: {others}"


def test_the_figures_have_the_colours_of_the_widgets() -> None:
    sheet = SHARED_STYLE.read_text(encoding="utf-8")
    light = dict(re.findall(r"--lenet-(\w+): (#\w+);", sheet.split(".lenet-dark")[0]))
    assert light["window"] == drawing.WINDOW
    signed = mpl.colormaps[drawing.SIGNED_MAP]
    for name, share in (("below", 0.1), ("above", 0.9)):
        assert to_rgb(light[name]) == pytest.approx(signed(share)[:3], abs=0.12)


def test_arrays_lie_at_multiples_of_four_bytes() -> None:
    entries, data = pack({"a": torch.arange(3, dtype=torch.uint8), "b": torch.ones(2, 2)})
    assert [(e["name"], e["offset"], e["length"], e["shape"]) for e in entries] == [
        ("a", 0, 3, [3]),
        ("b", 4, 16, [2, 2]),
    ]
    assert np.frombuffer(data[4:], "<f4").tolist() == [1, 1, 1, 1]
    with pytest.raises(TypeError, match="c is int64"):
        pack({"c": torch.zeros(1, dtype=torch.int64)})


def test_pages_hold_equal_arrays_once_and_no_front_end() -> None:
    twins = [probe("one"), probe("two"), probe("three", (7.0,))]
    state = pages.slim({"state": dependency_state(twins, drop_defaults=False)})
    assert not any({"_esm", "_css"} & entry["state"].keys() for entry in state["state"].values())
    assert len(state["state"]) == 3
    zeros, first, second = (base64.b64decode(chunk) for chunk in state["chunks"])
    assert (zeros, len(first), len(second)) == (bytes(4), 8, 4)


def test_widgets_work_without_a_kernel(visit: Visit, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)></script>"
    (tmp_path / "page.html").write_text(page_of(probe("a"), probe(hostile, (4.0,))), "utf-8")
    page = visit.open("page.html")
    first, second = page.locator("output").nth(0), page.locator("output").nth(1)
    expect(first).to_have_text("a: 2, 4")
    expect(second).to_have_text(f"{hostile}: 2, 4")
    page.locator("button").nth(1).click()
    expect(second).to_have_text(f"{hostile}: 4, 4")
    expect(first).to_have_text("a: 2, 4")


FAR = "<div style='height: 5000px'></div>"
BUSY = "<script>window.requestIdleCallback = () => {}</script>"


def test_widgets_wait_until_they_come_near(visit: Visit, tmp_path: Path) -> None:
    html = page_of(probe("near"), probe("far"), spacer=FAR).replace("<body>", "<body>" + BUSY)
    (tmp_path / "page.html").write_text(html)
    page = visit.open("page.html")
    expect(page.locator("#Probe-2")).to_have_attribute("aria-busy", "true")
    assert page.locator("output").count() == 0
    page.locator("#Probe-2").scroll_into_view_if_needed()
    expect(page.locator("output")).to_have_text(["far: 2, 4"])


def test_widgets_far_below_come_when_there_is_nothing_else_to_do(
    visit: Visit, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_text(page_of(probe("far"), probe("farther"), spacer=FAR))
    page = visit.open("page.html")
    expect(page.locator("output")).to_have_text(["far: 2, 4", "farther: 2, 4"])


def test_all_widgets_are_printed(visit: Visit, tmp_path: Path) -> None:
    html = page_of(probe("near"), probe("far"), spacer=FAR).replace("<body>", "<body>" + BUSY)
    (tmp_path / "page.html").write_text(html)
    page = visit.open("page.html")
    page.evaluate("lenetWidgets.seen = []")
    script = "() => lenetWidgets.seen.push(document.querySelectorAll('output').length)"
    page.evaluate(f"matchMedia('print').addEventListener('change', {script})")
    page.pdf()
    assert page.evaluate("lenetWidgets.seen")[0] == 2  # when the page was laid out for printing


def test_a_link_opens_a_widget_far_below(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page_of(probe("near"), probe("far"), spacer=FAR))
    page = visit.open("page.html#Probe-2:step=1")
    expect(page.locator("output").last).to_be_in_viewport()


def test_widgets_do_not_wait_for_the_rest_of_the_page(visit: Visit, tmp_path: Path) -> None:
    html = page_of(probe("early"), probe("late"))
    watch = (
        "<script>window.states = []; new MutationObserver(() => {"
        "if (document.querySelector('output')) states.push(document.readyState) })"
        ".observe(document, { childList: true, subtree: true })</script>"
    )
    rest = "<p>The rest of the page.</p>" * 50_000
    (tmp_path / "page.html").write_text(html.replace("<body>", "<body>" + watch) + rest)
    page = visit.open("page.html")
    expect(page.locator("output")).to_have_text(["early: 2, 4", "late: 2, 4"])
    assert page.evaluate("states[0]") == "loading"


SENTENCE = "Probe. A button that counts, and the sum of an array."


@pytest.mark.parametrize(
    ("meta", "seen"),
    [({}, SENTENCE), ({"poster": "<p><b>six</b> &amp; seven</p>"}, "six & seven")],
)
def test_a_poster_stands_in_until_the_widget_comes(
    browser: Browser, visit: Visit, tmp_path: Path, meta: dict[str, str], seen: str
) -> None:
    probe("saved", **meta).save_html(tmp_path / "saved.html")
    with visiting(browser, tmp_path.as_uri(), java_script_enabled=False) as without_scripts:
        box = without_scripts.open("saved.html").locator("#Probe-1")
        lines = [*filter(None, box.inner_text().splitlines())]
        assert lines == [seen, "The interactive part needs JavaScript."]
    page = visit.open("saved.html")
    expect(page.locator("#Probe-1")).to_have_text("moresaved: 2, 4")  # and nothing of the poster
    assert "six" not in page.content()


def test_a_failing_widget_harms_nothing_else(visit: Visit, tmp_path: Path) -> None:
    old = probe("old")
    old.format_version = 0
    (tmp_path / "page.html").write_text(page_of(probe(fails=True), old, probe("well")))
    page = visit.open("page.html")
    expect(page.locator("#Probe-1 [role=alert]")).to_contain_text("the probe was told to fail")
    expect(page.locator("#Probe-2 [role=alert]")).to_contain_text("another version")
    expect(page.locator("#Probe-3 output")).to_have_text("well: 2, 4")
    assert len(visit.trouble) == 2  # both failures are reported on the console
    visit.trouble.clear()


def test_controls_of_ipywidgets_show_their_last_state(visit: Visit, tmp_path: Path) -> None:
    box = VBox([IntSlider(4, 0, 10, description="size"), HTML("<b>done</b>")])
    (tmp_path / "page.html").write_text(page_of(box, probe()))
    page = visit.open("page.html")
    expect(page.locator(".lenet-static-control")).to_contain_text("need a running Python kernel")
    expect(page.locator(".lenet-static-control")).to_contain_text("size: 4")
    expect(page.locator(".lenet-static-control")).to_contain_text("done")
    expect(page.locator("output")).to_be_visible()


def test_one_file_is_a_whole_page(visit: Visit, tmp_path: Path) -> None:
    widget = probe("saved")
    widget.count = 21
    widget.save_html(tmp_path / "saved.html", title="<A title>")
    page = visit.open("saved.html")
    expect(page.locator("output")).to_have_text("saved: 42, 4")
    assert page.title() == "<A title>"


@pytest.mark.parametrize("name", lenet_book.widgets.__all__)
def test_stored_states_are_of_the_present_version(name: str) -> None:
    stale = []
    for path in [*ROOT.glob("chapters/*.ipynb"), *ROOT.glob("book/*.ipynb")]:
        metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("widgets", {})
        for entry in metadata.get(pages.STATE_TYPE, {}).get("state", {}).values():
            state = entry["state"]
            if str(state.get("_anywidget_id")).endswith(f".{name}"):
                present = getattr(lenet_book.widgets, name).version
                stale += [path.name] * (state["format_version"] != present)
    assert not stale, f"execute again: {sorted(set(stale))}"


@pytest.mark.parametrize("kind", [ForwardStepper, MistakeExplorer, TrainingLab])
def test_a_widget_that_is_made_outside_of_the_page_looks_the_same(
    kind: type[Widget], visit: Visit, tmp_path: Path
) -> None:
    network = [NarrowLeNet().eval(), torch.rand(20, 1, 28, 28), torch.arange(20) % 10]
    widget = kind() if kind is TrainingLab else kind(*network)
    seen = []
    for render in (RENDER, RENDER_APART):
        widget.save_html(tmp_path / "page.html")
        text = (tmp_path / "page.html").read_text(encoding="utf-8")
        assert text.count(RENDER) == 1
        (tmp_path / "page.html").write_text(text.replace(RENDER, render), encoding="utf-8")
        page = visit.open("page.html")
        shown = page.locator(".lenet-widget").first
        shown.wait_for()
        expect(shown).not_to_have_class(re.compile("lenet-dark"))
        page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        seen.append(shown.screenshot())
    assert seen[0] == seen[1]
