"""Pasting a network: the page reads it, says what does not fit, and changes the reader's code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Browser, Locator, Page, expect
from torch import nn

from lenet_book.widgets import PastedNetwork
from tests.browsing import DESK, PHONE, Show, too_small, visiting

ERRORS = Path(__file__).parents[3] / "book" / "errors.ipynb"
MESSAGE = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x256 and 400x120)"
TRACEBACK = f"""\
Traceback (most recent call last):
  File "train.py", line 31, in <module>
    scores = net(images)
  File "/usr/lib/python3/torch/nn/modules/module.py", line 1775, in _wrapped_call_impl
    return self._call_impl(*args, **kwargs)
  File "train.py", line 13, in forward
    x = F.relu(self.fc1(x))
{MESSAGE}
"""
BLOCKS = """\
class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, 2 * channels, 3, padding=1)

    def forward(self, x):
        return F.max_pool2d(self.conv(x), 2)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Block(1), Block(2))
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(49, 10),
        )

    def forward(self, x):
        x = self.blocks(x)
        return self.head(x)
"""
UNKNOWN = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(784, 10)
        self.out = nn.Linear(10, 10)

    def forward(self, x):
        x = self.fc(x.flatten(1))
        x = scramble(x)
        return self.out(x)
"""


@pytest.fixture
def page(show: Show) -> Page:
    """A page that begins with a network that does not fit."""
    return show(PastedNetwork())


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Python code")


def size(page: Page) -> Locator:
    return page.get_by_role("textbox", name="shape of one image")


def line(page: Page, number: int) -> Locator:
    return page.locator(".lenet-line").nth(number - 1)


def note(page: Page, number: int) -> Locator:
    return line(page, number).locator(".lenet-note")


def answer(page: Page) -> Locator:
    return page.locator(".lenet-answers")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def paste(page: Page, text: str, *, clear: bool = True) -> None:
    """Put a text into the editor as a reader does, through the clipboard."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if clear:
        press(page, "Clear")
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    editor(page).focus()
    page.keyboard.press("Control+V")


def copied(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def runs(code: str, *shape: int) -> bool:
    """Whether the class Net of a code takes pictures of a shape, in PyTorch."""
    space = {"nn": nn, "F": F, "torch": torch}
    exec(code, space)
    try:
        space["Net"]()(torch.zeros(2, *shape))
    except RuntimeError:
        return False
    return True


# ---------------------------------------------------------------- code


def test_it_begins_with_what_it_can_do(page: Page) -> None:
    expect(note(page, 4)).to_have_text("156 parameters")
    expect(note(page, 9)).to_have_text("(N, 1, 28, 28)")
    expect(note(page, 10)).to_have_text("(N, 6, 24, 24) → (N, 6, 12, 12)")
    expect(note(page, 12)).to_have_text("(N, 256)")
    expect(line(page, 13)).to_have_class(re.compile("lenet-wrong"))
    expect(note(page, 13)).to_have_text("fc1 needs 400, gets 256")
    expect(note(page, 14)).to_have_text("not reached")
    expect(answer(page)).to_contain_text("fc1 expects 400 features")
    assert answer(page).get_by_role("button").count() > 1
    assert too_small(page) == []


def test_every_change_that_is_offered_runs_and_can_be_undone(page: Page) -> None:
    before = editor(page).input_value()
    changes = answer(page).get_by_role("button")
    expect(changes).not_to_have_count(0)
    for index in range(changes.count()):
        changes.nth(index).click()
        expect(answer(page)).to_contain_text("It fits")
        shape = [int(number) for number in size(page).input_value().split("×")]
        assert runs(editor(page).input_value(), *shape)
        press(page, "Undo")
        expect(answer(page)).to_contain_text("fc1 expects 400 features")
        expect(size(page)).to_have_value("1×28×28")
        assert editor(page).input_value() == before


def test_the_browsers_own_undo_takes_a_change_back(page: Page) -> None:
    before = editor(page).input_value()
    answer(page).get_by_role("button").first.click()
    assert editor(page).input_value() != before
    expect(editor(page)).to_be_focused()
    page.keyboard.press("Control+Z")
    assert editor(page).input_value() == before
    expect(answer(page)).to_contain_text("fc1 expects 400 features")


def test_shapes_follow_what_is_typed(page: Page) -> None:
    size(page).fill("1x32x32")
    expect(note(page, 12)).to_have_text("(N, 400)")
    expect(answer(page)).to_contain_text("(N, 10) comes out")
    size(page).fill("a few")
    expect(page.locator(".lenet-strip")).to_contain_text("Write it as 1×28×28.")
    size(page).fill("1, 64, 64")
    expect(note(page, 12)).to_have_text("(N, 2704)")
    editor(page).fill("nn.Sequential(nn.Conv2d(1, 6, 5),\n    nn.Flatten())")
    expect(note(page, 1)).to_contain_text("(N, 6, 60, 60)")
    expect(note(page, 2)).to_have_text("(N, 21600)")


def test_what_is_typed_can_be_undone_step_by_step(page: Page) -> None:
    before = editor(page).input_value()
    editor(page).press("Control+Home")
    page.keyboard.type("# mine")
    paste(page, "# copied\n", clear=False)
    press(page, "Undo")
    assert editor(page).input_value() == f"# mine{before}"
    press(page, "Undo")
    assert editor(page).input_value() == before
    expect(page.get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")


def test_code_comes_back_with_its_shapes(page: Page) -> None:
    before = editor(page).input_value()
    paste(page, f"{before}{TRACEBACK}")
    size(page).fill("1×32×32")
    press(page, "Copy with shapes")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    code = copied(page)
    assert "x = x.view(x.size(0), -1)  # (N, 400)\n" in code
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(before))
    paste(page, code)
    size(page).fill("1×32×32")
    press(page, "Copy with shapes")
    assert copied(page) == code


def test_a_link_carries_the_code(browser: Browser, tmp_path: Path) -> None:
    code = (
        "class Net(nn.Module):\n  'größer 🙂'\n  def forward(self, x):\n    return x.flatten(1)\n"
    )
    PastedNetwork().save_html(tmp_path / "page.html")
    with visiting(browser, tmp_path.as_uri(), viewport=DESK) as visit:
        page = visit.open("page.html")
        paste(page, code)
        size(page).fill("3×20×10")
        press(page, "Link")
        page.wait_for_url("**#PastedNetwork-1:3x20x10.*")
        assert copied(page) == page.url
        address = page.url
        page.goto("about:blank")
        page.goto(address)
        expect(note(page, 4)).to_have_text("(N, 600)")
        assert editor(page).input_value() == code


@pytest.mark.parametrize(
    "hash_", ["z####", "1x2.q", "1x28x28.z!", "1x28x28.zAAAA", ".", "1x28x28.", ""]
)
def test_a_link_that_is_none_changes_nothing(show: Show, hash_: str) -> None:
    page = show(PastedNetwork(), f"#PastedNetwork-1:{hash_}")
    expect(answer(page)).to_contain_text("fc1 expects 400 features")


def test_what_it_does_not_understand_it_names(page: Page) -> None:
    paste(page, UNKNOWN)
    expect(line(page, 9)).to_have_class(re.compile("lenet-unknown"))
    expect(answer(page)).to_contain_text("Line 9: ")
    expect(answer(page)).to_contain_text("python -m lenet shapes")
    expect(answer(page)).not_to_contain_text("It fits")


def test_blocks_say_what_they_give_and_sequences_where_they_fail(page: Page) -> None:
    paste(page, BLOCKS)
    size(page).fill("1×28×28")
    expect(note(page, 4)).to_have_text("96 parameters")
    expect(note(page, 7)).to_have_text("(N, 2, 14, 14), then (N, 4, 7, 7)")
    expect(note(page, 14)).to_have_text("(N, 196)")
    expect(note(page, 15)).to_contain_text("needs 49, gets 196")
    expect(line(page, 15)).to_have_class(re.compile("lenet-wrong"))
    expect(note(page, 18)).to_have_text("(N, 1, 28, 28)")
    expect(note(page, 19)).to_have_text("(N, 4, 7, 7)")


def test_the_diagram_leads_to_the_lines(page: Page) -> None:
    page.get_by_role("button", name="conv2 16×8×8").click()
    expect(line(page, 11)).to_have_class(re.compile("lenet-picked"))
    page.get_by_role("button", name="fc1 ✗").click()
    expect(line(page, 11)).not_to_have_class(re.compile("lenet-picked"))
    expect(line(page, 13)).to_have_class(re.compile("lenet-picked"))


def test_a_syntax_error_has_a_place(page: Page) -> None:
    paste(page, "class Net(nn.Module):\n    def forward(self, x):\n        return x +* 2\n")
    expect(answer(page)).to_contain_text("Line 3: ")
    expect(line(page, 3)).to_have_class(re.compile("lenet-wrong"))


def test_one_of_several_networks_is_chosen(page: Page) -> None:
    two = "first = nn.Sequential(nn.Flatten())\nsecond = nn.Sequential(nn.Conv2d(1, 4, 3))\n"
    paste(page, two)
    box = page.get_by_role("combobox", name="network")
    for name, shown in (("first", "(N, 784)"), ("second", "(N, 4, 26, 26)")):
        box.select_option(name)
        size(page).fill("1×28×28")
        expect(answer(page)).to_contain_text(f"{shown} comes out")


# ---------------------------------------------------------------- messages


def quoted_on_the_errors_page() -> Iterator[str]:
    """Every message of the page: its headings, what its cells print, what it quotes."""
    for cell in nbformat.read(ERRORS, as_version=4).cells:
        if cell.cell_type == "code":
            printed = "".join(output.get("text", "") for output in cell.outputs)
            yield from re.findall(
                r"^\w+(?:Error|Exception): .*|^Using a target size .*", printed, re.M
            )
        else:
            headings = re.findall(r"^### (.*)", cell.source.replace("\\", ""), re.M)
            yield from (heading for heading in headings if "…" not in heading)
            if cell.id == "gpu":
                yield from re.findall(r"\*\*(.+?)[.,]\*\*", cell.source)


def test_every_message_of_the_errors_page_is_known(page: Page) -> None:
    messages = list(quoted_on_the_errors_page())
    assert len(messages) > 60
    for message in messages:
        editor(page).fill(message)
        expect(answer(page)).to_contain_text("Paste the class as well")
        assert "none of those" not in answer(page).inner_text(), message
        assert not re.search(r"\{\d\}|undefined", answer(page).inner_text()), message


def test_a_message_alone_is_explained(page: Page) -> None:
    paste(page, MESSAGE)
    expect(answer(page)).to_contain_text("64 pictures of 256 numbers each")
    expect(answer(page)).to_contain_text("made for 400 numbers")
    expect(answer(page)).to_contain_text("Paste the class as well")


@pytest.mark.parametrize("sentence", ["Why do I get {}?", "## {}", "It says `{}`", '"{}"'])
def test_a_message_in_a_sentence_is_explained(sentence: str, page: Page) -> None:
    asked = sentence.format(MESSAGE)
    paste(page, asked)
    expect(answer(page)).to_contain_text("64 pictures of 256 numbers each")
    expect(answer(page)).to_contain_text("Paste the class as well")
    paste(page, f"{asked}\n\nThis is it:\n\n{BLOCKS}Net()(torch.rand(9, 1, 28, 28))\n")
    expect(answer(page)).to_contain_text("64 pictures of 256 numbers each")
    expect(answer(page)).to_contain_text("head[1] expects 49 features")
    expect(line(page, 1)).to_have_class(re.compile("lenet-message"))


def test_a_text_that_is_no_code_is_told_what_to_paste(page: Page) -> None:
    paste(page, "hello world")
    expect(answer(page)).to_contain_text("Paste a network here")
    expect(answer(page)).not_to_contain_text("python -m")


def test_a_picture_without_its_batch_axis_is_recognised(page: Page) -> None:
    paste(page, "RuntimeError: mat1 and mat2 shapes cannot be multiplied (12x16 and 192x120)")
    expect(answer(page)).to_contain_text("12·16 = 192: one picture came")


def test_an_unknown_message_is_said_to_be_one(page: Page) -> None:
    paste(page, "ZeroDivisionError: division by zero")
    expect(answer(page)).to_contain_text("none of those that the page knows")


@pytest.mark.parametrize("before", [True, False])
def test_a_traceback_beside_the_code_says_how_large_the_pictures_are(
    page: Page, before: bool
) -> None:
    code = editor(page).input_value()
    paste(page, f"{TRACEBACK}\n{code}" if before else f"{code}\n{TRACEBACK}")
    expect(size(page)).to_have_value("1×28×28")
    expect(answer(page)).to_contain_text(f"it is line {13 + 9 * before}, fc1")
    change = answer(page).get_by_role("button").first
    change.click()
    expect(answer(page)).to_contain_text("It fits")
    assert TRACEBACK in editor(page).input_value()


@pytest.mark.parametrize(("came", "shown"), [(7744, "1×100×100"), (1000, "")])
def test_the_size_is_found_with_which_the_code_gives_a_message(
    page: Page, came: int, shown: str
) -> None:
    code = editor(page).input_value()
    paste(page, f"{code}\n{MESSAGE.replace('64x256', f'64x{came}')}")
    expect(size(page)).to_have_value(shown)
    expect(answer(page)).not_to_contain_text("It fits")
    expect(answer(page)).to_contain_text("fc1" if shown else "with no square picture")


# ---------------------------------------------------------------- the page around


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 800), (390, 844)])
def test_cause_and_effect_are_in_view_together(
    browser: Browser, tmp_path: Path, width: int, height: int
) -> None:
    viewport = {"width": width, "height": height}
    with visiting(browser, tmp_path.as_uri(), viewport=viewport) as visit:
        page = visit.show(PastedNetwork(), tmp_path / "widget.html")
        change = answer(page).get_by_role("button").first
        change.scroll_into_view_if_needed()
        reason = page.locator(".lenet-bad .lenet-what")
        for part in (note(page, 12), note(page, 13), reason, change):
            expect(part).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("show", [{"viewport": DESK}, {"viewport": PHONE}], indirect=True)
def test_what_is_typed_lies_on_the_lines_that_are_shown(page: Page) -> None:
    """It has no colour of its own: font, lines and room have to be the same."""
    fonts = [
        page.locator(name).evaluate(
            "node => { const { font, tabSize } = getComputedStyle(node); return [font, tabSize]; }"
        )
        for name in (".lenet-typed", ".lenet-lines")
    ]
    assert fonts[0] == fonts[1]
    height = "node => node.getBoundingClientRect().height"
    line_height = editor(page).evaluate("node => parseFloat(getComputedStyle(node).lineHeight)")
    assert line(page, 1).evaluate(height) == pytest.approx(line_height, abs=0.02)
    room = "node => node.scrollHeight <= node.clientHeight && node.scrollWidth <= node.clientWidth"
    assert editor(page).evaluate(room)


def test_python_knows_code_and_pictures() -> None:
    widget = PastedNetwork("nn.Linear(4, 2)  # <4>", (4,))
    assert repr(widget) == "PastedNetwork(1 lines, input (4,))"
    assert widget.meta["poster"] == "<pre>nn.Linear(4, 2)  # &lt;4&gt;</pre>"
    assert repr(PastedNetwork("")) == "PastedNetwork(0 lines, input as the code says)"


def test_where_no_change_can_be_tried_to_the_end_the_line_is_named(page: Page) -> None:
    editor(page).fill(UNKNOWN.replace("nn.Linear(784, 10)", "nn.Linear(700, 10)"))
    size(page).fill("1×28×28")
    reason = "because of line 9: scramble is not defined here. The package does it, see below."
    expect(answer(page)).to_contain_text(reason)
