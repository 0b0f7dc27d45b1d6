"""A guess is answered: right, tempting, not yet; it is kept on the device."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from ipywidgets.embed import dependency_state
from playwright.sync_api import Browser, Locator, Page, expect

from lenet_book.widgets import Predict
from lenet_book.widgets.shared import pages
from tests.browsing import PHONE, Show, too_small, visiting
from tests.stage import box_of

FORCED = [{"forced_colors": "active", "color_scheme": scheme} for scheme in ("light", "dark")]
HOSTILE = "<img src=x onerror=alert(1)>"


def count(**changes: Any) -> Predict:
    """Ask how many batches `len(loader)` counts."""
    asked = "How many batches does `len(loader)` count?"
    return Predict(
        asked, 6000, {60_000: "these are the images."}, why="`len` counts batches.", **changes
    )


def shape() -> Predict:
    layer = torch.nn.Conv2d(1, 6, 5)
    answer = layer(torch.zeros(1, 28, 28)).shape
    wrong = {(6, 28, 28): "it keeps 28.", (1, 24, 24): "one picture went in."}
    return Predict("Which shape comes out?", answer, wrong, why="28 − 5 + 1 = 24.")


def choice(tempting: str = "a message came.") -> Predict:
    wrong = {"it fails": tempting, "another": "the order is another."}
    return Predict("Are they equal?", "equal", wrong, why="Both are sums.")


def reply(page: Page) -> Locator:
    return page.locator(".lenet-reply")


def guess(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="your guess").fill(text)
    page.get_by_role("textbox").press("Enter")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


# ---------------------------------------------------------------- Python


def test_the_kind_follows_from_the_answer() -> None:
    kinds = {widget.meta["kind"]: widget.meta["answer"] for widget in (count(), shape(), choice())}
    assert kinds == {"number": 6000.0, "shape": [6, 24, 24], "choice": "equal"}
    tensor = torch.tensor(0.25)
    assert Predict("How much?", tensor.item(), {}, why="").meta["answer"] == 0.25


@pytest.mark.parametrize(
    ("answer", "tempting", "message"),
    [
        ((1, 2), {(1, 2): ""}, r"\(1, 2\), is among the wrong ones"),
        (6.0, {5.5: ""}, r"6\.0, is among"),
        ("yes", {}, "one answer alone"),
    ],
)
def test_what_cannot_be_asked_is_refused(answer: Any, tempting: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Predict("?", answer, tempting, why="", tolerance=0.5)


def test_neither_text_nor_poster_tells_the_answer() -> None:
    widget = count()
    assert repr(widget) == "Predict('How many batches does `len(loader)` count?')"
    poster = "<p>How many batches does <code>len(loader)</code> count?</p>"
    assert widget.meta["poster"] == poster
    assert HOSTILE not in Predict(HOSTILE, 1, {}, why="").meta["poster"]


def test_its_state_is_small() -> None:
    (entry,) = pages.slim({"state": dependency_state([shape()], drop_defaults=False)})[
        "state"
    ].values()
    assert len(pages.as_script_text(entry)) < 1000


# ---------------------------------------------------------------- in a page


def test_a_number_is_guessed_until_it_is_right(show: Show) -> None:
    page = show(count())
    expect(page.locator(".lenet-question code")).to_have_text("len(loader)")
    expect(button(page, "Show me")).to_be_hidden()
    guess(page, "many")
    expect(reply(page)).to_have_text("Type a number.")
    expect(button(page, "Show me")).to_be_hidden()
    guess(page, "60 000")
    expect(reply(page)).to_have_text("Not yet, but tempting: these are the images.")
    for near in ("0", "-6000", "6000.5", "600"):
        guess(page, near)
        expect(reply(page)).to_contain_text("Not yet. Try once more")
    guess(page, "6,000")
    expect(reply(page)).to_have_text("Right: 6,000. len counts batches.")
    page.get_by_role("textbox").press("Enter")
    button(page, "Guess").click(force=True)  # nothing more is taken
    assert page.evaluate("JSON.parse(Object.values(localStorage)[0]).at(-1)") == "6,000"
    assert reply(page).get_attribute("aria-live") == "polite"


def test_a_number_may_be_near(show: Show) -> None:
    page = show(count(tolerance=100))
    guess(page, "5,899")
    expect(reply(page)).to_contain_text("Not yet")
    guess(page, "5,900")
    expect(reply(page)).to_have_text("Right: 6,000. len counts batches.")


@pytest.mark.parametrize("typed", ["6 24 24", "(6,24,24)", "[6, 24, 24]", "6×24×24", "6x24x24"])
def test_a_shape_is_read_however_it_is_typed(show: Show, typed: str) -> None:
    page = show(shape())
    guess(page, "()")
    expect(reply(page)).to_have_text("Type a shape, such as (2, 3).")
    guess(page, typed.replace("24", "28"))
    expect(reply(page)).to_have_text("Not yet, but tempting: it keeps 28.")
    page.get_by_role("textbox").fill(typed)
    button(page, "Guess").click()
    expect(reply(page)).to_have_text("Right: (6, 24, 24). 28 − 5 + 1 = 24.")


def test_one_of_several_is_picked_by_keyboard(show: Show) -> None:
    page = show(choice())
    answers = page.locator(".lenet-ask button")
    assert answers.all_inner_texts() == ["another", "equal", "it fails"]  # not the right one first
    answers.nth(2).press("Enter")
    expect(reply(page)).to_contain_text("Not yet, but tempting: a message came.")
    answers.nth(1).press("Space")
    expect(reply(page)).to_have_text("Right: equal. Both are sums.")
    assert answers.all_inner_texts() == ["another", "✓ equal: right", "✗ it fails: no"]
    expect(answers.nth(1)).to_be_focused()


def test_who_gives_up_is_shown_the_answer_and_may_be_asked_again(show: Show) -> None:
    page = show(shape())
    guess(page, "1")
    button(page, "Show me").click()
    expect(reply(page)).to_have_text("The answer: (6, 24, 24). 28 − 5 + 1 = 24.")
    expect(button(page, "Ask me again")).to_be_focused()
    expect(page.get_by_role("textbox")).not_to_be_editable()
    button(page, "Ask me again").click()
    expect(reply(page)).to_be_empty()
    guess(page, "6 24 24")
    expect(reply(page)).to_contain_text("Right")


def test_guesses_stay_on_the_device(show: Show) -> None:
    page = show(shape())
    guess(page, "6 28 28")
    page.reload()
    expect(reply(page)).to_have_text("Not yet, but tempting: it keeps 28.")
    expect(page.get_by_role("textbox")).to_have_value("6 28 28")
    page.evaluate("localStorage.setItem(Object.keys(localStorage)[0], '{}')")
    page.reload()
    expect(reply(page)).to_be_empty()  # what is no list of guesses is passed over


def test_it_works_where_nothing_can_be_kept(browser: Browser, tmp_path: Path) -> None:
    forbidden = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no') } })"
    with visiting(browser, tmp_path.as_uri()) as visit:
        visit.page.add_init_script(forbidden)
        page = visit.show(shape(), tmp_path / "widget.html")
        guess(page, "6 24 24")
        expect(reply(page)).to_contain_text("Right")


FOLDED = """</div><div class="cell"><details class="hide below-input">
<summary>My guess is made: show</summary><p id="output">(6, 24, 24)</p></details></div></body>"""


def test_the_output_of_the_next_cell_unfolds(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "widget.html"
    shape().save_html(path)
    saved = path.read_text(encoding="utf-8")
    cells = saved.replace("<body>", '<body><div class="cell">').replace("</body>", FOLDED)
    path.write_text(cells, encoding="utf-8")
    with visiting(browser, tmp_path.as_uri()) as visit:
        page = visit.open(path.name)
        output = page.locator("#output")
        guess(page, "6 28 28")
        expect(reply(page)).to_contain_text("tempting")
        expect(output).to_be_hidden()
        guess(page, "6 24 24")
        expect(output).to_be_visible()
        button(page, "Ask me again").click()
        expect(output).to_be_hidden()


def test_what_is_asked_and_said_is_text(show: Show) -> None:
    page = show(choice(HOSTILE))
    button(page, "it fails").click()
    expect(reply(page)).to_contain_text(HOSTILE)
    assert page.locator(".lenet-widget img").count() == 0


@pytest.mark.parametrize("show", [{"viewport": PHONE, "has_touch": True}], indirect=True)
def test_it_suits_a_finger(show: Show) -> None:
    for widget in (shape(), choice()):
        page = show(widget)
        assert too_small(page) == []
        field = page.locator("input:visible").or_(page.locator(".lenet-ask button")).first
        assert box_of(field)["width"] > 60


@pytest.mark.parametrize("show", FORCED, indirect=True, ids=["light", "dark"])
def test_its_frames_are_seen_in_forced_colours(show: Show) -> None:
    page = show(choice())
    page.locator(".lenet-ask button").nth(0).click()
    frames = page.locator(".lenet-ask button").evaluate_all(
        "all => all.map(node => getComputedStyle(node).borderStyle)"
    )
    assert frames == ["dashed", "solid", "solid"]
    assert re.match("✗", page.locator(".lenet-ask button").nth(0).inner_text())
