"""The mistake explorer counts as scikit-learn does, and leads from a cell into the network."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Locator, Page, expect
from sklearn.metrics import confusion_matrix
from torch import Tensor, nn

from lenet.models import CifarLeNet, NarrowLeNet
from lenet.shapes import ShapeError
from lenet_book.widgets import MistakeExplorer
from lenet_book.widgets.shared.joining import joined_script, joined_style
from tests.browsing import (
    COLUMN,
    PHONE,
    Show,
    Visit,
    changes_the_picture,
    is_seen,
    too_small,
)

CLASSES = [f"kind {letter}" for letter in "abcdefghij"]


class Given(nn.Module):
    """A network that reads its scores off the picture: pixel k is the score of class k."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


def examples(num_images: int = 300, seed: int = 0) -> tuple[nn.Module, Tensor, Tensor]:
    """An untrained network that names every class, random pictures, and random labels."""
    torch.manual_seed(seed)
    images = torch.randint(0, 256, (num_images, 1, 28, 28)).to(torch.uint8)
    model = NarrowLeNet().eval()
    with torch.no_grad():  # without this, it gives one class to all pictures
        logits = model(images / 255)
        spread = logits.std(dim=0).mean()
        model.out.weight.div_(spread)
        model.out.bias.sub_(logits.mean(dim=0)).div_(spread)
    return model, images, torch.randint(0, 10, (num_images,))


def explorer(**options: object) -> MistakeExplorer:
    model, images, labels = examples()
    return MistakeExplorer(model, images, labels, CLASSES, **options)


def scores_for(truth: list[int], answers: list[int], shares: list[float]) -> Tensor:
    """Pictures (N, 1, 1, 3) of which `Given` reads these answers with these shares."""
    rest = (1 - torch.tensor(shares)) / 2
    images = rest[:, None].repeat(1, 3)
    images[torch.arange(len(truth)), torch.tensor(answers)] = torch.tensor(shares)
    return images.log()[:, None, None, :]


# ---------------------------------------------------------------- Python


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_scikit_learn(seed: int) -> None:
    model, images, labels = examples(1500, seed)  # more than a batch
    made = MistakeExplorer(model, images, labels, mean=[0.1], std=[0.9])
    with torch.no_grad():
        answers = model((images / 255 - 0.1) / 0.9).argmax(dim=1)
    expected = confusion_matrix(labels, answers, labels=range(10))
    assert len(answers.unique()) > 3, "the network has to answer in several ways"
    np.testing.assert_array_equal(made.counts.numpy(), expected)
    wrong = expected - np.diag(np.diag(expected))
    assert tuple(made.cell) == np.unravel_index(wrong.argmax(), wrong.shape)
    truth, answer = made.cell
    words = f"mistake: {truth}, called {answer}, {wrong.max()} times."
    assert f"names {np.trace(expected)} of 1,500 pictures right. " in made.meta["poster"]
    assert words in made.meta["poster"]


pairs = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40)


@settings(derandomize=True, deadline=None, database=None)
@given(pairs, st.integers(1, 5), st.randoms(use_true_random=False))
def test_every_cell_keeps_its_surest_pictures(
    cells: list[tuple[int, int]], per_cell: int, random: object
) -> None:
    truth, answers = map(list, zip(*cells, strict=True))
    shares = [0.4 + 0.5 * place / len(cells) for place in range(len(cells))]
    random.shuffle(shares)
    images = scores_for(truth, answers, shares)
    made = MistakeExplorer(Given(), images, truth, per_cell=per_cell)
    for cell in set(cells):
        made.cell = list(cell)
        members = [place for place, other in enumerate(cells) if other == cell]
        assert made.shown == sorted(members, key=lambda place: -shares[place])[:per_cell]
        assert made.counts[cell] == len(members)


def test_a_network_that_gives_shares_is_not_softened_again() -> None:
    images = scores_for([0, 1], [0, 2], [0.9, 0.8])
    plain = MistakeExplorer(Given(), images, [0, 1])
    soft = MistakeExplorer(nn.Sequential(Given(), nn.Softmax(dim=1)), images, [0, 1])
    for made in (plain, soft):
        *_, shares, _ = made.meta["arrays"]
        assert shares["name"] == "shares"
        values = np.frombuffer(made.data, "<f4", 4, shares["offset"])
        np.testing.assert_allclose(values, [0.9, 0.9, 0.8, 0.1], atol=1e-6)


def test_cell_and_picture_keep_together() -> None:
    made = explorer()
    made.picked = made.shown[0]
    home = made.cell
    made.cell = [0, 0] if home != [0, 0] else [1, 1]
    assert made.picked is None
    made.cell = home
    other = made.shown[-1]
    made.cell = [0, 0] if home != [0, 0] else [1, 1]
    made.picked = other
    assert made.cell == home


def test_choices_that_do_not_exist_are_refused() -> None:
    made = explorer(per_cell=1)
    for cell in ([], [1], [0, 10], [-1, 0], [1, 2, 3]):
        with pytest.raises(traitlets.TraitError, match="two class numbers from 0 to 9"):
            made.cell = cell
    made.cell = divmod(int(made.counts.argmax()), 10)
    held = made._cell_of
    left_out = next(place for place in range(300) if place not in held)
    with pytest.raises(traitlets.TraitError, match=rf"picture {left_out} is not in the explorer"):
        made.picked = left_out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": [0] * 299}, r"labels must be whole numbers \(300,\)"),
        (
            {"labels": [0] * 299 + [10]},
            "labels go from 0 to 10, and there are 10 classes, counted from 0",
        ),
        ({"labels": [0] * 299 + [-1]}, "labels go from -1 to 0"),
        ({"labels": [0.0] * 300}, r"labels must be whole numbers"),
        ({"classes": ["a", "b"]}, "there are 2 class names for 10 outputs"),
        ({"per_cell": 0}, "per_cell must be a whole number, at least 1, not 0"),
        ({"dtype": torch.float64}, "dtype is torch.float64"),
        ({"images": torch.zeros(0, 1, 28, 28)}, "images must hold something"),
        ({"images": torch.zeros(1, 28, 28)}, "images must be .*, not float32"),
        ({"images": torch.full((300, 1, 28, 28), torch.nan)}, "infinite or not a number"),
        ({"model": nn.Conv2d(1, 2, 3)}, r"\(300, K\).*gave float32 \(300, 2, 26, 26\)"),
        ({"model": nn.Sequential(nn.Flatten(), nn.Linear(784, 41))}, "there are 41 classes"),
    ],
)
def test_bad_input_is_named(change: dict[str, object], message: str) -> None:
    model, images, labels = examples()
    arguments = {"model": model, "images": images, "labels": labels, **change}
    with pytest.raises(ValueError, match=message):
        MistakeExplorer(**arguments)


def test_pictures_of_another_size_are_explained() -> None:
    with pytest.raises(ShapeError, match="channels"):
        MistakeExplorer(NarrowLeNet(), torch.zeros(5, 3, 28, 28), [0] * 5)


def test_the_stepper_and_its_style_come_along() -> None:
    script = joined_script(MistakeExplorer.front_end)
    assert script.count("export default") == 1
    assert script.count("{ render: mounting(Explorer) }") == 1
    style = joined_style(MistakeExplorer.front_end)
    sheets = [".lenet-widget {\n  --fallback", ".lenet-stepper {", ".lenet-explorer {"]
    places = [style.index(sheet) for sheet in sheets]
    assert places == sorted(places)
    assert all(style.count(sheet) == 1 for sheet in sheets[1:])


# ---------------------------------------------------------------- in a browser


def cell(page: Page, truth: int, answer: int) -> Locator:
    return page.locator(".lenet-confusion tbody tr").nth(truth).locator("button").nth(answer)


def pictures(page: Page) -> Locator:
    return page.locator(".lenet-mistakes button")


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))]


def places(page: Page) -> list[int]:
    texts = page.locator(".lenet-mistakes .lenet-muted").all_inner_texts()
    return [int(text.removeprefix("picture ")) for text in texts]


def test_every_cell_shows_its_pictures(show: Show) -> None:
    made = explorer(per_cell=3)
    page = show(made)
    model, images, _ = examples()
    with torch.no_grad():
        shares = model(images / 255).softmax(dim=1)
    chosen = [[0, 0], list(made.cell), [9, 9]]
    chosen += [list(divmod(int(place), 10)) for place in made.counts.flatten().argsort()[-3:]]
    for truth, answer in chosen:
        count = int(made.counts[truth, answer])
        cell(page, truth, answer).click()
        expect(cell(page, truth, answer)).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".lenet-confusion [aria-pressed=true]")).to_have_count(1)
        expect(cell(page, truth, answer)).to_have_text(str(count) if count else "·")
        made.cell = [truth, answer]
        assert places(page) == made.shown
        expect(pictures(page)).to_have_count(min(count, 3))
        for button, place in zip(pictures(page).all(), made.shown, strict=True):
            shown = numbers(button.locator(".lenet-answer").inner_text().split(CLASSES[answer])[1])
            assert shown == [pytest.approx(100 * float(shares[place, answer]), abs=0.051)]
        left_out = f"{count - 3} more are left out" if count > 3 else ""
        expect(page.locator(".lenet-gallery > p").last).to_contain_text(left_out)


def test_a_cell_says_recall_and_precision(show: Show) -> None:
    made = explorer()
    page = show(made)
    truth, answer = made.cell
    count, row, column = (
        int(made.counts[truth, answer]),
        int(made.counts[truth].sum()),
        int(made.counts[:, answer].sum()),
    )
    facts = page.locator(".lenet-gallery > p").nth(1)
    expected = [row, count, 100 * count / row, column, 100 * count / column]
    assert numbers(facts.inner_text()) == pytest.approx(expected, abs=0.051)


def test_a_picture_opens_in_the_stepper_and_closes(show: Show) -> None:
    model, images, labels = examples()
    made = MistakeExplorer(model, images, labels, CLASSES, mean=[0.3], std=[0.4])
    page = show(made)
    expect(page.locator(".lenet-stepper")).to_have_count(0)
    for number in range(min(2, len(made.shown))):
        place = made.shown[number]
        pictures(page).nth(number).click()
        expect(page.locator(".lenet-stepper")).to_have_count(1)
        expect(page.locator(".lenet-opened")).to_contain_text(f"Picture {place}:")
        with torch.no_grad():
            shares = model((images[[place]] / 255 - 0.3) / 0.4).softmax(dim=1)[0]
        shown = page.locator(".lenet-score-figure").all_inner_texts()
        assert [numbers(text)[0] for text in shown] == pytest.approx(
            (100 * shares).clamp(0.1, 99.9).tolist(), abs=0.06
        )
        expect(page.locator(".lenet-position")).to_have_text(f"step {3 * number} of 13")
        for _ in range(3):  # the next picture opens where this one stands
            page.get_by_role("button", name="Next: ").click()
    for close in ("click", "Escape in the stepper", "Escape on the picture"):
        last = pictures(page).nth(min(1, len(made.shown) - 1))
        if close == "click":
            page.get_by_role("button", name="Close", exact=True).click()
        elif close == "Escape in the stepper":
            page.get_by_role("button", name="Close", exact=True).press("Escape")
        else:
            last.press("Escape")
        expect(page.locator(".lenet-stepper")).to_have_count(0)
        expect(page.locator(".lenet-mistakes [aria-pressed=true]")).to_have_count(0)
        expect(last).to_be_focused()
        last.press("Enter")
        expect(page.locator(".lenet-stepper")).to_have_count(1)


def test_another_cell_closes_the_picture(show: Show) -> None:
    made = explorer()
    page = show(made)
    pictures(page).first.click()
    expect(page.locator(".lenet-stepper")).to_be_visible()
    cell(page, *made.cell).click()
    expect(page.locator(".lenet-stepper")).to_be_visible()
    cell(page, made.cell[0], (made.cell[1] + 1) % 10).click()
    expect(page.locator(".lenet-stepper")).to_have_count(0)


def test_a_page_opens_at_what_was_chosen(show: Show) -> None:
    made = explorer()
    made.cell = list(divmod(int(made.counts.argmax()), 10))
    made.picked = made.shown[1]
    page = show(made)
    expect(cell(page, *made.cell)).to_have_attribute("aria-pressed", "true")
    expect(pictures(page).nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".lenet-opened")).to_contain_text(f"Picture {made.picked}:")


def test_frequent_mistakes_are_one_click_away(show: Show) -> None:
    made = explorer()
    page = show(made)
    wrong = made.counts - made.counts.diagonal().diag()
    buttons = page.locator(".lenet-frequent button")
    found = [numbers(text)[-1] for text in buttons.all_inner_texts()]
    assert found == wrong.flatten().sort(descending=True).values[:5].tolist()
    buttons.nth(2).click()
    expect(page.locator(".lenet-confusion [aria-pressed=true]")).to_have_text(f"{found[2]:.0f}")


def test_everything_can_be_done_from_the_keyboard(show: Show) -> None:
    made = explorer()
    page = show(made)
    truth, answer = made.cell
    page.keyboard.press("Tab")
    expect(cell(page, truth, answer)).to_be_focused()
    page.keyboard.press("End")
    expect(cell(page, truth, 9)).to_be_focused()
    page.keyboard.press("Home")
    for key in [*["ArrowUp"] * 10, "ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft"]:
        page.keyboard.press(key)
    expect(cell(page, 1, 1)).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    expect(page.locator(".lenet-cell-title").first).to_have_text("kind b, recognised")
    cell(page, truth, answer).click()
    page.keyboard.press("Tab")  # the frequent mistakes
    for _ in range(page.locator(".lenet-frequent button").count()):
        page.keyboard.press("Tab")
    expect(pictures(page).first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".lenet-stepper")).to_be_visible()
    page.get_by_role("button", name="Close", exact=True).focus()
    page.keyboard.press("Enter")
    expect(pictures(page).first).to_be_focused()


def test_what_is_shown_is_read_aloud(show: Show) -> None:
    made = explorer()
    page = show(made)
    aloud = page.locator(".lenet-explorer > [aria-live=polite]")
    truth, answer = (CLASSES[number] for number in made.cell)
    expect(aloud).to_contain_text(f"{truth}, called {answer}. Of ")
    pictures(page).first.click()
    words = f"Picture {made.shown[0]}, {truth}, called {answer}, is open in the stepper below."
    expect(aloud).to_have_text(words)
    table = page.get_by_role("table", name="Confusion matrix")
    assert table.get_by_role("columnheader").all_inner_texts() == CLASSES
    assert table.get_by_role("rowheader").all_inner_texts() == CLASSES
    name = f"{truth}, called {answer}: {int(made.counts[tuple(made.cell)])}"
    expect(table.get_by_role("button", name=name)).to_be_visible()


def test_texts_of_classes_are_never_html(show: Show) -> None:
    hostile = "<img src=x onerror=document.title='broken'>"
    images = scores_for([0, 0, 1], [0, 1, 1], [0.9, 0.8, 0.7])
    made = MistakeExplorer(Given(), images, [0, 0, 1], [hostile, f"</script>{hostile}", "c"])
    assert "<img" not in made.meta["poster"]
    page = show(made)
    pictures(page).first.click()
    expect(page.locator(".lenet-stepper")).to_be_visible()
    assert page.locator(".lenet-explorer img").count() == 0
    lefts = page.locator(".lenet-score-bar").evaluate_all(
        "all => all.map(node => node.getBoundingClientRect().left)"
    )
    assert len(lefts) == 3
    assert len(set(lefts)) == 1, "bars are compared from one line, however long the names are"
    assert page.title() == "MistakeExplorer"
    words = f"{hostile}, called </script>{hostile}"
    expect(page.locator(".lenet-cell-title").first).to_have_text(words)


def test_nothing_wrong_and_empty_classes_are_said(show: Show) -> None:
    page = show(MistakeExplorer(Given(), scores_for([1], [1], [0.9]), [1], CLASSES[:3]))
    expect(page.locator(".lenet-frequent")).to_have_count(0)
    expect(page.locator(".lenet-cell-title").first).to_have_text("kind b, recognised")
    cell(page, 0, 2).click()
    expect(page.locator(".lenet-gallery")).to_contain_text("No picture of kind a is called kind c.")
    expect(pictures(page)).to_have_count(0)


def test_colour_pictures_and_operations_that_only_pytorch_computes(show: Show) -> None:
    class Mish(CifarLeNet):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(nn.functional.mish(x))

    torch.manual_seed(0)
    model, images = Mish().eval(), torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8)
    labels = torch.arange(6)
    made = MistakeExplorer(model, images, labels)
    page = show(made)
    with torch.no_grad():
        shares = model(images / 255).softmax(dim=1)
    for place in range(3):
        made.picked = place
        cell(page, *made.cell).click()
        pictures(page).nth(made.shown.index(place)).click()
        expect(page.locator(".lenet-opened")).to_contain_text(f"Picture {place}:")
        shown = page.locator(".lenet-score-figure").all_inner_texts()
        expected = (100 * shares[place]).tolist()
        assert [numbers(text)[0] for text in shown] == pytest.approx(expected, abs=0.06)


def test_the_explorer_lives_in_the_built_site(visit: Visit) -> None:
    page = visit.open("chapters/08_reading_the_results.html")
    page.locator("#MistakeExplorer-1").scroll_into_view_if_needed()
    page.locator(".lenet-frequent button").nth(1).click()
    title = page.locator(".lenet-frequent button").nth(1).inner_text().split(":")[0]
    expect(page.locator(".lenet-cell-title").first).to_have_text(title.replace(" →", ", called"))
    pictures(page).first.click()
    expect(page.locator(".lenet-position")).to_have_text("step 0 of 13")
    answer = pictures(page).first.locator(".lenet-answer").inner_text()
    assert answer.startswith(page.locator(".lenet-best .lenet-score-name").inner_text())
    share = page.locator(".lenet-best .lenet-score-figure").inner_text()
    assert numbers(share) == pytest.approx(numbers(answer)[-1:], abs=0.11)


@pytest.mark.parametrize(
    ("show", "behaviour"),
    [({"reduced_motion": "reduce"}, "auto"), ({"reduced_motion": "no-preference"}, "smooth")],
    indirect=["show"],
)
def test_the_page_glides_only_for_those_who_like_motion(show: Show, behaviour: str) -> None:
    page = show(explorer())
    page.evaluate("Element.prototype.scrollIntoView = options => { window.scrolled = options }")
    pictures(page).first.click()
    assert page.evaluate("window.scrolled.behavior") == behaviour


@pytest.mark.parametrize("show", [{"viewport": PHONE}], indirect=True)
def test_it_fits_a_phone(show: Show) -> None:
    page = show(explorer())
    assert not too_small(page)
    scroller = page.locator(".lenet-confusion")
    assert scroller.evaluate("node => node.scrollWidth <= node.clientWidth")
    heads = page.locator(".lenet-confusion tbody th span").evaluate_all(
        "all => all.map(node => node.getBoundingClientRect().bottom)"
    )
    tops = [(row.bounding_box() or {})["y"] for row in page.locator("tbody tr button").all()[::10]]
    assert all(head <= top for head, top in zip(heads, tops, strict=True)), "names stand above"
    pictures(page).first.click()
    expect(page.locator(".lenet-stepper")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("show", [{"viewport": COLUMN}], indirect=True)
def test_table_and_pictures_are_in_view_together(show: Show) -> None:
    page = show(explorer())
    box = page.locator(".lenet-widget").bounding_box() or {}
    assert box["width"] == 688
    assert box["height"] <= 736, "the page's header takes the rest of 800"


@pytest.mark.parametrize(
    "show",
    [
        {"forced_colors": "active", "color_scheme": scheme, "reduced_motion": "reduce"}
        for scheme in ("light", "dark")
    ],
    indirect=True,
    ids=["light", "dark"],
)
def test_what_is_chosen_is_seen_in_forced_colours(show: Show) -> None:
    made = explorer()
    page = show(made)
    page.mouse.move(0, 0)
    chosen = cell(page, *made.cell)
    for unset in ("node.style.background = 'none'", "node.removeAttribute('aria-pressed')"):
        assert changes_the_picture(chosen, unset)
    pictures(page).first.click()
    expect(page.locator(".lenet-stepper")).to_be_visible()
    opened = "node.setAttribute('aria-pressed', 'false')"
    assert changes_the_picture(pictures(page).first, opened)
    assert is_seen(page.locator(".lenet-confusion .lenet-ramp"))


@pytest.mark.parametrize("show", [{"color_scheme": "dark"}], indirect=True)
def test_the_table_follows_the_theme(show: Show) -> None:
    made = explorer()
    page = show(made)
    colour = "node => getComputedStyle(node).backgroundColor"
    dark = cell(page, *made.cell).evaluate(colour)
    page.emulate_media(color_scheme="light")
    expect(cell(page, *made.cell)).not_to_have_css("background-color", dark)
