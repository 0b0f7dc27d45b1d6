"""The replay and the lab show what was recorded, and do what a reader asks."""

from __future__ import annotations

import base64
import copy
import math
import re
from dataclasses import replace
from typing import Any

import pytest
import torch
import traitlets
from playwright.sync_api import Browser, Locator, Page, expect
from sklearn.metrics import confusion_matrix
from torch import nn

from lenet.data import ImageData, load
from lenet.models import CifarLeNet, NarrowLeNet
from lenet.train import Settings, evaluate, fit
from lenet_book.faults import FAULTS, LOOPS, loop
from lenet_book.replay import Replay, record_training
from lenet_book.widgets import TrainingLab, TrainingReplay, Widget
from lenet_book.widgets.shared.joining import joined_script, joined_style
from tests.browsing import COLUMN, PHONE, Show, changes_the_picture, is_seen, too_small

SETTINGS = Settings(epochs=3, batch_size=50, lr=0.005, device="cpu")
HOSTILE = "<img src=x onerror=alert(1)>"


def network(seed: int = 0) -> NarrowLeNet:
    torch.manual_seed(seed)
    return NarrowLeNet()


@pytest.fixture(scope="module")
def recorded(digits: ImageData) -> tuple[NarrowLeNet, Replay]:
    model = network()
    return model, record_training(model, digits, SETTINGS, progress=False)


@pytest.fixture(scope="module")
def recording(recorded: tuple[NarrowLeNet, Replay]) -> Replay:
    return recorded[1]


# ---------------------------------------------------------------- recordings


def test_watching_changes_nothing(recorded: tuple[NarrowLeNet, Replay], digits) -> None:
    watched, recording = recorded
    alone = network()
    history = fit(alone, digits, SETTINGS, progress=False)
    for a, b in zip(watched.parameters(), alone.parameters(), strict=True):
        assert torch.equal(a, b)
    assert [e.test for e in history.epochs] == [e.test for e in recording.history.epochs]
    assert [e.train for e in history.epochs] == [frame.train for frame in recording.frames[1:]]
    assert not watched.training
    assert repr(recording) == "Replay(NarrowLeNet, 3 epochs)"


def test_the_first_frame_is_the_untrained_network(recording: Replay, digits) -> None:
    model = network()
    first = recording.frames[0]
    assert torch.equal(first.filters, model.conv1.weight)
    assert first.test == evaluate(model, digits.batches("test", 1000))
    assert first.train.num_examples == len(digits.train)
    assert first.train.loss == pytest.approx(math.log(10), abs=0.1)


def test_frames_hold_what_pytorch_and_scikit_learn_say(recorded, digits) -> None:
    model, recording = recorded
    last = recording.frames[-1]
    with torch.no_grad():
        logits = torch.cat([model(images) for images, _ in digits.batches("test", 1000)])
    answers = logits.argmax(dim=1)
    labels = digits.test.labels
    assert torch.equal(last.confusion, torch.as_tensor(confusion_matrix(labels, answers)))
    assert torch.equal(last.filters, model.conv1.weight)
    firsts = [labels.tolist().index(k) for k in range(10)]
    assert torch.equal(recording.pictures.images, digits.test.images[firsts])
    assert torch.allclose(last.probabilities, logits[firsts].softmax(dim=1))
    assert last.test.num_correct == last.confusion.diagonal().sum()
    assert [frame.epoch for frame in recording.frames] == [0, 1, 2, 3]


def test_a_network_in_training_mode_stays_in_it(digits: ImageData) -> None:
    model = network()
    model.fc2 = nn.Sequential(nn.Dropout(0.5), model.fc2)
    few = replace(digits, train=digits.train[:100], test=digits.test[:60])
    twin = copy.deepcopy(model)
    record_training(model, few, replace(SETTINGS, epochs=2), progress=False)
    fit(twin, few, replace(SETTINGS, epochs=2), progress=False)
    for a, b in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(a, b)


def test_networks_that_cannot_be_recorded_are_refused(digits: ImageData) -> None:
    linear = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    with pytest.raises(ValueError, match="Sequential has no Conv2d layer"):
        record_training(linear, digits, SETTINGS)
    narrow, wide = (nn.Sequential(nn.Conv2d(1, n, 28), nn.Flatten()) for n in (2, 12))
    with pytest.raises(ValueError, match=r"each of 10 classes or more; it gave float32 \(2, 2\)"):
        record_training(narrow, digits, SETTINGS)
    with pytest.raises(ValueError, match=r"shape \(12,\) for an image; it must be \(10,\)"):
        record_training(wide, digits, SETTINGS)


# ---------------------------------------------------------------- Python's side


def test_python_sees_and_sets_the_epoch(recording: Replay) -> None:
    replay = TrainingReplay(recording, epoch=2)
    assert repr(replay) == "TrainingReplay(NarrowLeNet, epoch 2 of 3)"
    first, last = (100 * recording.frames[k].test.accuracy for k in (0, 3))
    words = f"over 3 epochs: {first:.1f} % of the test pictures named right before it, {last:.1f} %"
    assert words in replay.meta["poster"]
    replay.epoch = 0
    with pytest.raises(traitlets.TraitError, match="epoch is 4; the recording goes from 0 to 3"):
        replay.epoch = 4
    with pytest.raises(traitlets.TraitError, match="epoch is -1"):
        TrainingReplay(recording, epoch=-1)
    assert replay.epoch == 0


def run(name: str, seed: int = 0, level: float = 0.5, **changes: Any) -> dict[str, Any]:
    """A record with straight curves."""
    times = [1, 50, 100]
    return {
        "loop": name,
        "code": loop(name).source(),
        "seed": seed,
        "num_updates": 100,
        "data": HOSTILE,
        "loss": [2.0 - level + 0.02 * seed for _ in range(10)],
        "tested_after": times,
        "test_accuracy": [level + 0.01 * seed for _ in times],
        **changes,
    }


LEVELS = {"healthy": 0.8, "healthy-dropout": 0.8, "no-eval": 0.8, "lr-over-100": 0.6}


def runs() -> list[dict[str, Any]]:
    """Two seeds of every loop; one fault ends as high, one lower, the others nowhere."""
    made = [run(x.name, seed, LEVELS.get(x.name, 0.1)) for x in LOOPS for seed in (0, 1)]
    for record in made:
        if record["loop"] == "lr-times-100":
            record["loss"] = [123456.0, None, *record["loss"][2:]]
    return made


def test_python_sees_and_sets_the_fault() -> None:
    lab = TrainingLab(runs=runs())
    assert lab.faults == [fault.name for fault in FAULTS]
    assert repr(lab) == "TrainingLab(no-zero-grad, 10 faults)"
    words = "healthy loop names 80.5 % of the test pictures right, the broken ones between 10.5 %"
    assert words in lab.meta["poster"]
    lab.fault = "no-eval"
    with pytest.raises(traitlets.TraitError, match="of a fault 'healthy'; there are no-zero"):
        lab.fault = "healthy"
    with pytest.raises(traitlets.TraitError, match="no run of a fault 'no-eva'"):
        TrainingLab("no-eva", runs())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([], "there is no run of a loop with a fault"),
        ([run("healthy")], "there is no run of a loop with a fault"),
        ([run("healthy"), run("no-eval")], "no run of 'healthy-dropout' to compare 'no-eval'"),
        (
            [run("healthy"), run("no-step", num_updates=50)],
            r"many updates, not \[50, 100\]",
        ),
        ([run("healthy"), {**run("no-step"), "loop": "other"}], "there is no loop 'other'"),
    ],
    ids=["none", "no fault", "no healthy", "lengths", "unknown"],
)
def test_runs_that_do_not_fit_are_refused(wrong: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainingLab(runs=wrong)


def test_the_lab_holds_mean_and_extremes() -> None:
    lab = TrainingLab(runs=[run("healthy"), *(run("no-step", seed, 0.1) for seed in (0, 1, 5))])
    entry = next(e for e in lab.meta["arrays"] if e["name"] == "accuracy")
    bytes_ = bytearray(lab.data[entry["offset"] : entry["offset"] + entry["length"]])
    accuracy = torch.frombuffer(bytes_, dtype=torch.float32).reshape(entry["shape"])
    assert torch.allclose(accuracy[1, :, 0], torch.tensor([0.12, 0.10, 0.15]))
    assert lab.meta["loops"]["no-step"]["late"] == pytest.approx([0.10, 0.11, 0.15])


def test_the_book_has_runs_of_its_own() -> None:
    lab = TrainingLab("not-shuffled")
    assert lab.faults == [fault.name for fault in FAULTS]
    assert "1,200 updates, 3 seeds; Fashion-MNIST" in lab.meta["origin"]


# ---------------------------------------------------------------- in a browser


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


def place(page: Page) -> Locator:
    return page.locator(".lenet-place")


def confusion_in(page: Page) -> list[list[int]]:
    rows = page.locator(".lenet-confusion tbody tr").all()
    return [[int(text or 0) for text in row.locator("td").all_inner_texts()] for row in rows]


def pixels(page: Page) -> str:
    return str(page.locator(".lenet-filters canvas").evaluate("canvas => canvas.toDataURL()"))


def test_all_parts_follow_the_epoch(show: Show, recording: Replay) -> None:
    page = show(TrainingReplay(recording))
    expect(place(page)).to_have_text("before training")
    drawings = set()
    for frame in recording.frames:
        scores = (frame.test, frame.train)
        wanted = [f"{score.loss:.3f}" for score in scores]
        wanted += [f"{100 * score.accuracy:.1f} %" for score in scores]
        assert page.locator(".lenet-value").all_inner_texts() == wanted
        assert confusion_in(page) == frame.confusion.tolist()
        answers = page.locator(".lenet-answer").all_inner_texts()
        for text, shares in zip(answers, frame.probabilities, strict=True):
            share, answer = shares.max(dim=0)
            assert text.split()[1] == str(answer.item())
            shown = int(text.split()[2].removeprefix(">"))
            assert shown == pytest.approx(100 * share.item(), abs=1 if ">" in text else 0.6)
        drawings.add(pixels(page))
        if frame.epoch < 3:
            button(page, "Next").click()
            expect(place(page)).to_have_text(f"epoch {frame.epoch + 1} of 3")
    assert len(drawings) == 4
    expect(button(page, "Next")).to_be_disabled()


def test_the_focus_stays_where_the_reader_left_it(show: Show, recording: Replay) -> None:
    page = show(TrainingReplay(recording, epoch=2))
    for name, end in (("Next", "epoch 3 of 3"), ("Back", "before training")):
        for _ in range(4):  # more often than there are epochs
            button(page, name).press("Enter")
        expect(place(page)).to_have_text(end)
        expect(button(page, name)).to_be_disabled()
        expect(button(page, name)).to_be_focused()


def test_playing_ends_when_the_reader_takes_over(show: Show, recording: Replay) -> None:
    page = show(TrainingReplay(recording))
    page.clock.install()
    slider = page.get_by_role("slider", name="epoch")
    chart = page.locator(".lenet-scrub").first
    for take_over in (
        lambda: slider.dispatch_event("pointerdown"),
        lambda: slider.press("ArrowRight"),
        lambda: chart.click(position={"x": 60, "y": 60}),
        lambda: button(page, "Back").click(),
    ):
        slider.press("Home")
        button(page, "Play").click()
        page.clock.run_for(800)
        expect(place(page)).to_have_text("epoch 1 of 3")
        take_over()
        expect(button(page, "Play")).to_be_visible()
        reached = place(page).inner_text()
        page.clock.run_for(5000)
        expect(place(page)).to_have_text(reached)


@pytest.mark.parametrize("show", [{"viewport": COLUMN}], indirect=True)
def test_all_of_the_replay_is_in_view(show: Show, recording: Replay) -> None:
    names = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker")
    page = show(TrainingReplay(replace(recording, classes=(*names, "Bag", "Ankle boot"))))
    for end in ("Home", "End"):
        page.get_by_role("slider", name="epoch").press(end)
        box = page.locator(".lenet-widget").bounding_box() or {}
        assert box["width"] == 688
        assert box["height"] <= 736, "the page's header takes the rest of 800"


FORCED = [{"forced_colors": "active", "color_scheme": scheme} for scheme in ("light", "dark")]


@pytest.mark.parametrize("show", FORCED, indirect=True, ids=["light", "dark"])
def test_the_replay_is_seen_in_forced_colours(show: Show, recording: Replay) -> None:
    page = show(TrainingReplay(recording, epoch=1))
    bars = page.locator(".lenet-bars i")
    tallest = bars.evaluate_all("all => all.map(i => i.offsetHeight)")
    assert is_seen(bars.nth(tallest.index(max(tallest))))
    for part in (".lenet-cursor-bar", "polyline.first", "polyline.second", ".lenet-ramp"):
        assert is_seen(page.locator(part).first), part
    cell = page.locator(".lenet-confusion tbody td").first
    assert changes_the_picture(cell, "node.style.background = 'none'")
    assert is_seen(page.locator(".lenet-filters canvas"))
    play = button(page, "Play")
    assert changes_the_picture(play, "node.classList.remove('lenet-main')")


@pytest.mark.parametrize("show", [{"viewport": PHONE, "has_touch": True}], indirect=True)
def test_the_training_widgets_suit_a_finger(show: Show, recording: Replay) -> None:
    for widget in (TrainingReplay(recording), TrainingLab(runs=runs())):
        page = show(widget)
        assert not too_small(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_charts_shrink_to_the_sheet_of_paper(show: Show, recording: Replay) -> None:
    page = show(TrainingReplay(recording))
    page.emulate_media(media="print")
    widget = page.locator(".lenet-widget")
    assert widget.evaluate("node => getComputedStyle(node).printColorAdjust") == "exact"
    widths = widget.evaluate(  # at once: no observer is heard before a page is printed
        """node => {
          node.style.width = "300px";
          const parts = [...node.querySelectorAll(".lenet-chart > svg, canvas")];
          return parts.map(part => part.getBoundingClientRect().width);
        }"""
    )
    assert max(widths) <= 300


def test_the_replay_is_wound_by_keyboard_and_plays(show: Show, recording: Replay) -> None:
    page = show(TrainingReplay(recording, epoch=1))
    slider = page.get_by_role("slider", name="epoch")
    expect(slider).to_have_attribute("aria-valuetext", "epoch 1 of 3")
    slider.press("ArrowRight")
    expect(place(page)).to_have_text("epoch 2 of 3")
    slider.press("Home")
    expect(place(page)).to_have_text("before training")
    slider.press("End")
    expect(place(page)).to_have_text("epoch 3 of 3")
    button(page, "Play").press("Enter")
    expect(place(page)).to_have_text("epoch 1 of 3")
    button(page, "Pause").press("Enter")
    expect(button(page, "Play")).to_be_visible()
    button(page, "Play").press("Enter")
    expect(place(page)).to_have_text("epoch 3 of 3")
    expect(button(page, "Play")).to_be_visible()  # it stops at the end by itself


def test_the_cursor_follows_the_pointer_on_the_curves(show: Show, recording: Replay) -> None:
    page = show(TrainingReplay(recording))
    chart = page.locator(".lenet-scrub").first
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 60, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 14, middle, steps=5)
    expect(place(page)).to_have_text("epoch 3 of 3")
    page.mouse.up()
    page.mouse.move(box["x"] + 60, middle)
    expect(place(page)).to_have_text("epoch 3 of 3")
    assert page.locator(".lenet-cursor").count() == 2
    assert page.locator(".lenet-dot").count() == 4


def test_the_replay_is_read_aloud(show: Show, recording: Replay) -> None:
    page = show(TrainingReplay(recording, epoch=3))
    aloud = page.locator("[aria-live]")
    frame = recording.frames[3]
    expect(aloud).to_contain_text(f"epoch 3 of 3. Test: loss {frame.test.loss:.3f}, accuracy ")
    mistakes = frame.confusion.clone().fill_diagonal_(0)
    truth, answer = divmod(int(mistakes.argmax()), 10)
    total = frame.confusion[truth].sum()
    words = f"mistake: {truth} called {answer}, {mistakes.max()} of {total}."
    expect(aloud).to_contain_text(words)
    label = page.locator(".lenet-filters canvas").get_attribute("aria-label") or ""
    moved = (frame.filters - recording.frames[0].filters).pow(2).mean().sqrt().item()
    shown = re.search(r"([\d.]+) away from where it began", label)
    assert shown is not None
    assert float(shown[1]) == pytest.approx(moved, abs=0.001)


def test_colours_and_many_classes_can_be_replayed(show: Show) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENET_OFFLINE", "1")
        data = load("cifar-10")
    few = replace(data, train=data.train[:50], test=data.test[:50])
    coloured = record_training(CifarLeNet(), few, replace(SETTINGS, epochs=1), progress=False)
    page = show(TrainingReplay(coloured, epoch=1))
    expect(page.locator(".lenet-filters")).to_contain_text("a square for each input channel")
    labels = data.test.labels % 2
    many = replace(few, classes=tuple(map(str, range(20))), test=replace(data.test, labels=labels))
    model = nn.Sequential(nn.Conv2d(3, 70, 32), nn.Flatten(), nn.Linear(70, 20))
    page = show(TrainingReplay(record_training(model, many, SETTINGS, progress=False), epoch=3))
    assert page.locator(".lenet-confusion tbody td").count() == 400
    assert page.locator(".lenet-card").count() == 2
    expect(page.locator(".lenet-filters")).to_contain_text("The first 21 of 70 filters of 0")


def test_names_of_classes_are_text(show: Show, recording: Replay) -> None:
    hostile = replace(recording, classes=tuple(f"{HOSTILE}{k}" for k in range(10)))
    page = show(TrainingReplay(hostile, epoch=3))
    assert page.locator(".lenet-widget img").count() == 0
    expect(page.locator(".lenet-truth").first).to_have_text(f"{HOSTILE}0")
    expect(page.locator(".lenet-mistakes")).to_contain_text(HOSTILE)


def lines(page: Page) -> int:
    """The number of curves in each chart."""
    charts = page.locator(".lenet-chart").all()
    (count,) = {chart.locator("polyline").count() for chart in charts}
    return count


def test_a_prediction_comes_before_the_curves(show: Show) -> None:
    page = show(TrainingLab(runs=runs()))
    words = page.locator(".lenet-words")
    for fault, right in (
        ("no-step", "It stays at guessing"),
        ("lr-over-100", "It learns, but ends lower"),
        ("no-eval", "It ends as high"),
    ):
        page.get_by_label("fault", exact=True).select_option(fault)
        assert lines(page) == 1
        expect(words).to_be_hidden()
        button(page, right).click()
        expect(page.locator(".lenet-reply:visible")).to_contain_text("As you said")
        assert lines(page) == 2
        expect(words).to_contain_text(loop(fault).fix.replace("`", ""))
    page.get_by_label("fault", exact=True).select_option("raw-pixels")
    button(page, "It ends as high").click()
    expect(page.locator(".lenet-reply:visible")).to_have_text("Not quite: it stays at guessing.")
    page.get_by_label("fault", exact=True).select_option("no-step")
    assert lines(page) == 2  # seen already
    expect(button(page, "It ends as high")).to_be_disabled()


@pytest.mark.parametrize("show", [{}, *FORCED], indirect=True, ids=["own", "light", "dark"])
def test_right_and_wrong_answers_differ_in_words_and_frames(show: Show) -> None:
    page = show(TrainingLab("no-step", runs()))
    answers = page.locator(".lenet-ask:visible button")
    answers.nth(2).press("Enter")
    assert answers.all_inner_texts() == [
        "✓ It stays at guessing: right",
        "It learns, but ends lower",
        "✗ It ends as high: no",
    ]
    frames = answers.evaluate_all("all => all.map(node => getComputedStyle(node).borderStyle)")
    assert frames == ["solid", "solid", "dashed"]
    expect(answers.nth(2)).to_be_focused()
    answers.nth(0).press("Enter")  # nothing more is taken
    expect(page.locator(".lenet-reply:visible")).to_have_text("Not quite: it stays at guessing.")
    picker = page.get_by_label("fault", exact=True)
    picker.select_option("no-eval")
    assert answers.all_inner_texts()[0] == "It stays at guessing"
    picker.select_option("no-step")  # what was answered is still there
    expect(answers.nth(2)).to_have_text("✗ It ends as high: no")
    for part in ("polyline.first", "polyline.second"):
        assert is_seen(page.locator(part).first), part


@pytest.mark.parametrize("show", [{"viewport": COLUMN}], indirect=True)
def test_the_change_and_its_curves_are_in_view_together(show: Show) -> None:
    page = show(TrainingLab("lr-times-100"))
    button(page, "It ends as high").click()
    top = (page.locator(".lenet-widget").bounding_box() or {})["y"]
    for part in ("pre", ".lenet-reply", ".lenet-chart >> nth=0", ".lenet-chart >> nth=1"):
        box = page.locator(part).locator("visible=true").bounding_box() or {}
        assert box["y"] + box["height"] - top <= 736, part


def test_the_changed_line_is_shown_in_the_loop(show: Show) -> None:
    page = show(TrainingLab("double-softmax", runs()))
    removed, added = page.locator(".lenet-removed"), page.locator(".lenet-added")
    expect(removed).to_have_text(re.compile(r"− *removed: +logits = model\(images\)\s*$"))
    expect(added).to_contain_text("logits = model(images).softmax(dim=1)")
    assert "def train" not in page.locator("pre").inner_text()
    button(page, "Show the whole loop").click()
    shown = page.locator("pre code > span").all_text_contents()
    assert len(shown) == len(loop("double-softmax").difference())
    button(page, "Show the change only").click()
    assert "def train" not in page.locator("pre").inner_text()


def test_numbers_and_what_leaves_the_picture(show: Show) -> None:
    page = show(TrainingLab("lr-times-100", runs()))
    button(page, "It stays at guessing").click()
    expect(page.locator(".lenet-reading")).to_have_text(
        "Accuracy over the last tests: healthy 80.5 % (80.0 % to 81.0 %); "
        "learning rate × 100 10.5 % (10.0 % to 11.0 %). "
        "The loss leaves the picture: it reaches 123,456. "
        "Some losses were infinite or not a number."
    )
    page.get_by_text("The curves in numbers").click()
    rows = page.locator(".lenet-numbers tbody tr")
    assert rows.first.inner_text().split("\t") == ["1", "1.21", "80.5 %", "123456.00", "10.5 %"]
    assert rows.last.inner_text().split("\t") == ["100", "1.21", "80.5 %", "1.91", "10.5 %"]


def test_the_quiz_hides_its_fault_and_tells_it(show: Show) -> None:
    page = show(TrainingLab(runs=runs()))
    button(page, "Quiz").click()
    titles = [fault.title for fault in FAULTS]
    choices = page.locator(".lenet-ask:visible .lenet-strip button")
    for asked in (1, 2):
        expect(page.locator("pre")).to_be_hidden()
        assert choices.all_inner_texts() == titles
        assert page.locator(".lenet-legend").first.inner_text().split("\n") == [
            "healthy",
            "?",
            "guessing",
        ]
        for choice in choices.all():
            choice.click()
            reply = page.locator(".lenet-reply:visible").inner_text()
            if reply.startswith("Right"):
                break
            assert reply.startswith(("No. With", "It could be"))
        assert re.search(rf"Right: .+\. \d of {asked} at the first try\.", reply)
        marks = [text[0] for text in choices.all_inner_texts()]
        assert marks.count("✓") == 1
        assert marks.index("✓") == marks.count("✗"), "all before it were tried"
        expect(choices.nth(marks.index("✓"))).to_be_focused()
        expect(page.locator("pre")).to_be_visible()
        expect(page.locator(".lenet-words")).to_be_visible()
        button(page, "Another one").press("Enter")
        expect(choices.first).to_be_focused()
    button(page, "Choose a fault").click()
    expect(page.get_by_label("fault", exact=True)).to_have_value("no-zero-grad")


def test_the_quiz_asks_for_every_fault_before_it_repeats_one(show: Show) -> None:
    page = show(TrainingLab(runs=runs()))
    button(page, "Quiz").click()
    asked = set()
    for _ in FAULTS:
        for choice in page.locator(".lenet-ask:visible .lenet-strip button").all():
            choice.click()
            reply = page.locator(".lenet-reply:visible").inner_text()
            if reply.startswith("Right"):
                asked.add(reply.split(".")[0])
                break
        button(page, "Another one").click()
    assert len(asked) == len(FAULTS)


def test_the_lab_is_used_by_keyboard(show: Show) -> None:
    page = show(TrainingLab(runs=runs()))
    picker = page.get_by_label("fault", exact=True)
    picker.focus()
    page.keyboard.press("ArrowDown")
    expect(picker).to_have_value("no-step")
    answer = button(page, "It stays at guessing")
    answer.press("Enter")
    expect(answer).to_have_attribute("aria-pressed", "true")
    button(page, "Quiz").press("Space")
    page.locator(".lenet-ask:visible .lenet-strip button").first.press("Enter")
    expect(page.locator(".lenet-reply:visible")).not_to_be_empty()
    assert page.locator(".lenet-reply:visible").get_attribute("aria-live") == "polite"


def test_where_the_runs_come_from_is_text(show: Show) -> None:
    page = show(TrainingLab(runs=runs()))
    assert page.locator(".lenet-widget img").count() == 0
    expect(page.locator(".lenet-widget")).to_contain_text(f"100 updates, 2 seeds; {HOSTILE}")


KERNEL = """
async ([script, style, values, data]) => {
  const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
  const listeners = new Map();
  window.saved = [];
  window.python = {
    get: key => (key === "data" ? new DataView(bytes.buffer) : values[key]),
    set(key, value) {
      if (values[key] === value) return;
      values[key] = value;
      for (const listener of listeners.get(`change:${key}`) ?? []) listener();
    },
    save_changes: () => window.saved.push({ ...values }),
    on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
    off: (event, gone) => listeners.set(event, listeners.get(event).filter(l => l !== gone)),
  };
  window.numListeners = () => [...listeners.values()].flat().length;
  document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const front = (await import(address)).default;
  window.stop = front.render({ model: window.python, el: document.body });
}
"""


def with_a_kernel(page: Page, widget: Widget, key: str) -> None:
    """Show a widget whose values somebody else can change and hear of."""
    page.goto("about:blank")
    values = {"meta": widget.meta, key: getattr(widget, key)}
    data = base64.b64encode(widget.data).decode()
    front_end = type(widget).front_end
    page.evaluate(KERNEL, [joined_script(front_end), joined_style(front_end), values, data])


def test_the_epoch_goes_both_ways_between_page_and_python(
    browser: Browser, recording: Replay
) -> None:
    page = browser.new_page()
    with_a_kernel(page, TrainingReplay(recording), "epoch")
    page.evaluate("python.set('epoch', 2)")
    expect(place(page)).to_have_text("epoch 2 of 3")
    button(page, "Next").click()
    assert page.evaluate("saved.at(-1).epoch") == 3
    page.evaluate("stop()")
    assert page.evaluate("numListeners()") == 0
    page.close()


def test_the_fault_goes_both_ways_between_page_and_python(browser: Browser) -> None:
    page = browser.new_page()
    with_a_kernel(page, TrainingLab(runs=runs()), "fault")
    button(page, "Quiz").click()
    page.evaluate("python.set('fault', 'raw-pixels')")  # ends the quiz
    picker = page.get_by_label("fault", exact=True)
    expect(picker).to_have_value("raw-pixels")
    picker.select_option("no-eval")
    assert page.evaluate("saved.at(-1).fault") == "no-eval"
    expect(page.locator(".lenet-removed")).to_contain_text("model.eval()")
    page.evaluate("stop()")
    assert page.evaluate("numListeners()") == 0
    page.close()


def test_the_replay_follows_the_theme(show: Show, recording: Replay) -> None:
    page = show(TrainingReplay(recording, epoch=3))
    before = pixels(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "before => document.querySelector('.lenet-filters canvas').toDataURL() !== before",
        arg=before,
    )


@pytest.mark.parametrize("show", [{"reduced_motion": "reduce"}], indirect=True, ids=["still"])
def test_nothing_moves_by_itself(show: Show, recording: Replay) -> None:
    page = show(TrainingReplay(recording, epoch=1))
    button(page, "Next").click()
    assert page.evaluate("document.getAnimations().length") == 0
