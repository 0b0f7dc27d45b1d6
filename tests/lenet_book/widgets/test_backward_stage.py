"""The walk back on the stage, and a step of descent: what the screen says equals PyTorch."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor, nn
from torch.nn import functional as F

from lenet.data import ImageData, normalise
from lenet.models import WEIGHTS, LeNet5, load_weights
from lenet_book.widgets import ForwardStepper
from tests.browsing import COLUMN, PHONE, Show, Visit, too_small
from tests.learners_networks import build
from tests.stage import NUMBER, OUT, box_of, next_button, number, settle, still

LABEL = 4
LAST = 13
RATE = 0.01  # the stage begins with it


@dataclass(frozen=True)
class Case:
    """A network, its first picture, and a widget of both."""

    model: nn.Module
    image: Tensor  # (1, 1, 28, 28)
    widget: ForwardStepper


@pytest.fixture
def case() -> Case:
    model = LeNet5()
    load_weights(model, WEIGHTS / "lenet5_mnist.safetensors")
    torch.manual_seed(2)
    images = torch.randn(2, 1, 28, 28)
    return Case(model, images[:1], ForwardStepper(model, images, [LABEL, 7]))


def steps_of(model: LeNet5, image: Tensor) -> list[Tensor]:
    """The picture and what each step makes of it, all of which will have gradients."""
    image = image.clone().requires_grad_()
    values = [image]

    def then(value: Tensor) -> Tensor:
        value.retain_grad()
        values.append(value)
        return value

    x = then(F.relu(then(model.conv1(image))))
    x = then(F.relu(then(model.conv2(then(F.max_pool2d(x, 2))))))
    x = then(F.relu(then(model.conv3(then(F.max_pool2d(x, 2))))))
    x = then(F.relu(then(model.fc1(then(x.flatten(1))))))
    then(model.fc2(x))
    return values


def backward(model: nn.Module, image: Tensor, label: int = LABEL) -> tuple[float, list[Tensor]]:
    """The loss, and its gradients for all steps; those for the weights are added to theirs."""
    assert isinstance(model, LeNet5)
    values = steps_of(model, image)
    loss = F.cross_entropy(values[-1], torch.tensor([label]))
    loss.backward()
    return loss.item(), [value.grad[0] for value in values if value.grad is not None]


def back(page: Page, where: str) -> Page:
    """Follow a link into the walk back."""
    page.evaluate("text => { location.hash = 'ForwardStepper-1:back:' + text }", where)
    step = int(re.findall(r"step=(\d+)", where)[0])
    expect(page.locator(".lenet-position")).to_have_text(
        f"backward, step {LAST + 1 - step} of {LAST}"
    )
    settle(page)
    return page


def value_in(page: Page, maps: str) -> float:
    """The gradient that the description of maps names."""
    label = page.locator(maps).get_attribute("aria-label") or ""
    return float(label.split("; value ")[1].rstrip(".").replace("−", "-"))


def result_in(page: Page) -> float:
    """The gradient or the loss that the rule ends in, before it was rounded."""
    return float(page.locator(".lenet-rule .lenet-result").get_attribute("title") or "")


def test_the_walk_goes_on_from_the_answer(show: Show, case: Case) -> None:
    page = still(show(case.widget, f"#ForwardStepper-1:step={LAST}"))
    expect(next_button(page)).to_have_text("On: the loss ▶")
    next_button(page).click()
    position = page.locator(".lenet-position")
    for step in range(1, LAST):
        expect(position).to_have_text(f"backward, step {step} of {LAST}")
        next_button(page).click()
    expect(next_button(page)).to_have_attribute("aria-disabled", "true")
    expect(page.locator(".lenet-panel-out:visible .lenet-heading")).to_contain_text("∂loss/∂input")
    page.get_by_role("button", name="◀ Back").click()
    expect(position).to_have_text(f"backward, step {LAST - 1} of {LAST}")
    page.get_by_role("button", name="Forward").click()
    expect(position).to_have_text(f"step {LAST} of {LAST}")
    expect(page.locator(".lenet-panel-in:visible .lenet-heading")).to_contain_text("fc2")


def test_the_loss_is_opened_up(show: Show, case: Case) -> None:
    page = back(still(show(case.widget)), f"step={LAST}")
    logits = case.model(case.image)[0].detach()
    shares = logits.softmax(0)
    for label in (LABEL, 8):
        page.locator(".lenet-say").get_by_text(str(label), exact=True).click()
        settle(page)
        loss = F.cross_entropy(logits, torch.tensor(label))
        assert result_in(page) == pytest.approx(float(loss), rel=1e-4)
        rows = page.locator(".lenet-loss tbody tr").all_inner_texts()
        shown = [[number(cell) for cell in re.findall(NUMBER, row)] for row in rows]
        wanted = F.one_hot(torch.tensor(label), 10)
        for digit, (name, share, right, difference) in enumerate(shown):
            assert (name, right) == (digit, wanted[digit])
            assert share == pytest.approx(float(shares[digit]), abs=5.1e-5)
            assert difference == pytest.approx(float(shares[digit] - wanted[digit]), abs=5.1e-5)


def test_every_gradient_is_that_of_pytorch(show: Show, case: Case) -> None:
    page = still(show(case.widget))
    _, gradients = backward(case.model, case.image)
    names = {1: "conv1", 4: "conv2", 7: "conv3", 10: "fc1", 12: "fc2"}
    torch.manual_seed(5)
    for step in range(1, LAST):
        going_on = gradients[step - 1]
        unit = [int(torch.randint(size, ())) for size in going_on.shape]
        back(page, f"step={step};unit={','.join(map(str, unit))}")
        exact = float(going_on[tuple(unit)])
        assert value_in(page, f"{OUT} >> visible=true >> nth=-1") == pytest.approx(
            exact, rel=1e-4, abs=1e-9
        )
        assert result_in(page) == pytest.approx(exact, rel=1e-4, abs=1e-9)
        if step not in names:
            assert page.locator(".lenet-update").is_hidden()
            continue
        weights = case.model.get_submodule(names[step]).weight
        place = [int(torch.randint(size, ())) for size in weights.shape]
        back(page, f"step={step};weight={','.join(map(str, place))}")
        assert weights.grad is not None
        exact = float(weights.grad[tuple(place)])
        assert value_in(page, f"{OUT} >> visible=true >> nth=0") == pytest.approx(
            exact, rel=1e-4, abs=1e-9
        )
        weight, rate, *_, after = re.findall(NUMBER, page.locator(".lenet-update").inner_text())
        assert number(rate) == RATE
        old = weights[tuple(place)].item()
        assert number(weight) == pytest.approx(old, abs=5.1e-5)
        assert number(after) == pytest.approx(old - RATE * exact, abs=5.1e-5)
        biases = case.model.get_submodule(names[step]).bias
        back(page, f"step={step};bias=3")
        assert biases.grad is not None
        exact = float(biases.grad[3])
        assert value_in(page, f"{OUT} >> visible=true >> nth=1") == pytest.approx(exact, rel=1e-4)
        assert result_in(page) == pytest.approx(exact, rel=1e-4, abs=1e-9)


def with_norm() -> tuple[nn.Sequential, Tensor]:
    """A network with a batch norm that has seen pictures, and a picture."""
    torch.manual_seed(3)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(72, 4))
    model(torch.randn(8, 1, 8, 8))
    nn.init.normal_(model[1].weight)
    return model.eval(), torch.randn(1, 1, 8, 8)


def test_weights_and_biases_of_batch_norm_can_be_picked(show: Show) -> None:
    model, image = with_norm()
    page = still(show(ForwardStepper(model, image, [2]), "#ForwardStepper-1:back:step=2"))
    F.cross_entropy(model(image), torch.tensor([2])).backward()
    for role in ("weight", "bias"):
        page.evaluate(f"location.hash = 'ForwardStepper-1:back:step=2;{role}=1'")
        expect(page.locator(".lenet-rule .lenet-heading")).to_contain_text(f"{role} 1")
        settle(page)
        exact = float(model[1].get_parameter(role).grad[1])
        assert result_in(page) == pytest.approx(exact, rel=1e-4)
    page.locator(OUT).locator("visible=true").first.press("Home")
    expect(page.locator(".lenet-rule .lenet-heading")).to_contain_text("weight 0")


def test_a_frozen_weight_is_named_and_stays(show: Show) -> None:
    model, image = with_norm()
    for frozen in (model[0].weight, model[1].bias):
        frozen.requires_grad_(False)
    page = still(show(ForwardStepper(model, image, [2]), "#ForwardStepper-1:back:step=1"))
    expect(page.locator(".lenet-over").first).to_have_text(re.compile("; frozen$"))
    expect(page.locator(".lenet-update")).to_contain_text("it is frozen")
    num_trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    do_it = page.get_by_role("button", name=f"Do it, for all {num_trained}")
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    for _ in range(2):
        do_it.click()
        optimizer.zero_grad()
        F.cross_entropy(model(image), torch.tensor([2])).backward()
        optimizer.step()
    page.evaluate("location.hash = 'ForwardStepper-1:back:step=5'")
    expect(page.locator(".lenet-rule .lenet-heading")).to_contain_text("the loss")
    settle(page)
    loss = F.cross_entropy(model(image), torch.tensor([2]))
    assert result_in(page) == pytest.approx(loss.item(), rel=1e-3)


def test_shown_terms_add_up_to_the_gradient(show: Show, case: Case) -> None:
    page = still(show(case.widget))
    for where in ("step=12;unit=5", "step=10;unit=30", "step=7;unit=3,2,2", "step=4;unit=2,5,6"):
        back(page, where)
        rows = page.locator(".lenet-rule tbody tr td:nth-last-child(2)").all_inner_texts()
        assert len(rows) > 2
        total = number(page.locator(".lenet-rule .lenet-result").inner_text())
        decimals = len(rows[0].partition(".")[2])
        assert sum(map(number, rows)) == pytest.approx(
            total, abs=0.51 * 10**-decimals + 1e-3 * abs(total)
        )


def test_a_drawing_is_what_the_reader_says(show: Show, case: Case) -> None:
    page = back(still(show(case.widget)), f"step={LAST};picture=s1")
    right = page.locator(".lenet-true .lenet-score-name")
    expect(right).to_have_text("7")  # as recorded
    page.locator(".lenet-answer li").nth(2).click()
    expect(right).to_have_text("2")
    expect(page.locator(".lenet-say [aria-pressed=true]")).to_have_text("2")
    page.wait_for_function("location.hash.includes('label=2')")
    link = page.evaluate("location.hash")
    assert link.startswith(f"#ForwardStepper-1:back:step={LAST};")
    page.locator(".lenet-transport").get_by_role("button", name="Forward").click()
    expect(right).to_have_count(0)
    page.wait_for_function("!location.hash.includes('back')")
    back(page, link.split("back:")[1])
    expect(right).to_have_text("2")


def test_keys_pick_a_weight_and_a_number(show: Show, case: Case) -> None:
    page = back(still(show(case.widget)), "step=4;weight=3,2,1,1")
    weights = page.locator(OUT).locator("visible=true").first
    weights.focus()
    weights.press("ArrowRight")
    expect(weights).to_have_attribute(
        "aria-label", re.compile("filter 3, channel 2, row 1, column 2; value")
    )
    maps = page.locator(OUT).locator("visible=true").last
    maps.focus()
    maps.press("Home")
    expect(maps).to_have_attribute("aria-label", re.compile("Unit: channel 0, row 0, column 0;"))
    expect(page.locator(".lenet-update")).to_be_hidden()
    expect(page.locator("[aria-live=polite]")).to_contain_text("backward, step 10 of 13, conv2.")


def test_pointing_at_what_arrives_shows_a_number_under_it(show: Show, case: Case) -> None:
    page = back(still(show(case.widget)), "step=3;unit=0,1,1")
    heading = page.locator(".lenet-rule .lenet-heading")
    arrives = page.locator(".lenet-panel-in canvas").locator("visible=true")
    box = box_of(arrives)
    arrives.hover(position={"x": box["width"] - 5, "y": box["height"] - 5})
    expect(heading).to_contain_text("channel 5, row 26, column 26")
    page.mouse.move(0, 0)
    expect(heading).to_contain_text("channel 0, row 1, column 1")


def learned(
    case: Case,
    steps: int,
    *,
    forget: bool = False,
    label: int = LABEL,
    rate: float = RATE,
    kind: type[torch.optim.Optimizer] = torch.optim.SGD,
) -> tuple[nn.Module, float]:
    """The network after steps of descent on the picture, and its loss then."""
    optimizer = kind(case.model.parameters(), lr=rate)
    target = torch.tensor([label])
    for _ in range(steps):
        if not forget:
            optimizer.zero_grad()
        F.cross_entropy(case.model(case.image), target).backward()
        optimizer.step()
    with torch.no_grad():
        loss = F.cross_entropy(case.model(case.image), target)
    return case.model, float(loss)


@pytest.mark.parametrize(
    ("forget", "kind"),
    [(False, torch.optim.SGD), (True, torch.optim.SGD), (False, torch.optim.Adam)],
    ids=["zero_grad", "forgotten", "Adam"],
)
def test_steps_of_descent_equal_those_of_pytorch(
    show: Show, case: Case, forget: bool, kind: type[torch.optim.Optimizer]
) -> None:
    page = back(still(show(case.widget)), f"step={LAST}")
    before = result_in(page)
    if forget:
        page.get_by_label("forgot zero_grad").check()
    page.get_by_label("optimizer").select_option(kind.__name__)
    rate = 1e-3 if kind is torch.optim.Adam else RATE
    page.get_by_label("learning rate").fill(str(round(math.log10(rate))))
    do_it = page.get_by_role("button", name="Do it, for all 61,706")
    for _ in range(3):
        do_it.click()
    settle(page)
    model, loss = learned(case, 3, forget=forget, rate=rate, kind=kind)
    assert loss != pytest.approx(before, rel=1e-2)
    assert result_in(page) == pytest.approx(loss, rel=1e-3)
    shares = model(case.image)[0].softmax(0)
    rows = page.locator(".lenet-loss tbody tr td:nth-child(2)").all_inner_texts()
    assert [number(row) for row in rows] == pytest.approx(shares.tolist(), abs=2e-4)


def test_grad_is_none_then_zeroed_or_added_to(show: Show, case: Case) -> None:
    page = back(still(show(case.widget)), "step=4;weight=3,2,1,1")
    grad = page.locator(".lenet-grad")
    expect(grad).to_have_text("w.grad was None; this backward pass has filled it.")
    page.get_by_role("button", name="Do it").click()
    expect(grad).to_have_text("w.grad was zeroed; this backward pass has filled it.")
    page.get_by_label("forgot zero_grad").check()
    expect(grad).to_contain_text(re.compile("w.grad held .*; this backward pass has added"))
    backward(case.model, case.image)
    assert isinstance(case.model, LeNet5)
    assert case.model.conv2.weight.grad is not None
    held = number(re.findall(NUMBER, grad.inner_text())[0])
    assert held == pytest.approx(float(case.model.conv2.weight.grad[3, 2, 1, 1]), abs=1e-4)


def test_a_step_can_be_taken_back(show: Show, case: Case) -> None:
    page = back(still(show(case.widget)), f"step={LAST}")
    before = page.locator(".lenet-answer").inner_text()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    page.get_by_role("button", name="Do it").click()
    expect(page.locator(".lenet-outcome")).to_contain_text(re.compile(r"loss [\d.]+ → [\d.]+"))
    assert page.locator(".lenet-answer").inner_text() != before
    undo.click()
    settle(page)
    assert page.locator(".lenet-answer").inner_text() == before
    expect(undo).to_be_disabled()


def test_the_walk_forward_says_that_the_weights_are_changed(show: Show, case: Case) -> None:
    page = back(still(show(case.widget)), f"step={LAST}")
    answer = page.locator(".lenet-answer")
    page.get_by_role("button", name="Forward").click()
    settle(page)
    before = answer.inner_text()
    reset = page.get_by_role("button", name="Reset them")
    expect(reset).to_have_count(0)
    for undo in (True, False):
        page.get_by_role("button", name="Gradients").click()
        page.get_by_role("button", name="Do it").click()
        if undo:
            page.get_by_role("button", name="Undo").click()
        page.get_by_role("button", name="Forward").click()
        expect(page.locator(".lenet-sentence")).to_contain_text(f"step {LAST} of {LAST}")
        expect(reset).to_have_count(0 if undo else 1)
    settle(page)
    assert answer.inner_text() != before
    reset.click()
    settle(page)
    assert answer.inner_text() == before
    expect(reset).to_have_count(0)
    page.get_by_role("button", name="Gradients").click()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_too_large_a_rate_shows_itself(show: Show) -> None:
    model = LeNet5()
    load_weights(model, WEIGHTS / "lenet5_mnist.safetensors")
    torch.manual_seed(2)
    images = torch.randn(8, 1, 28, 28)
    labels = model(images).argmax(1)
    page = back(still(show(ForwardStepper(model, images, labels))), f"step={LAST};label=8")
    page.get_by_label("learning rate").fill("1")
    page.get_by_role("button", name="Do it").click()
    model, _ = learned(Case(model, images[:1], ForwardStepper(model, images)), 1, label=8, rate=10)
    right = int((model(images).argmax(1) == labels).sum())
    assert right < 8
    expect(page.locator(".lenet-outcome")).to_contain_text(
        f"right of the 8 pictures here: 8 → {right}"
    )


def test_the_walk_ends_where_an_operation_has_no_backward(show: Show) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Mish(), nn.Flatten(), nn.Linear(72, 4))
    page = still(
        show(ForwardStepper(model, torch.randn(1, 1, 8, 8), [2]), "#ForwardStepper-1:back:step=5")
    )
    position = page.locator(".lenet-position")
    expect(position).to_have_text("backward, step 1 of 4")
    for step in (2, 3, 4):
        next_button(page).click()
        expect(position).to_have_text(f"backward, step {step} of 4")
    expect(page.locator(".lenet-sentence")).to_contain_text("The walk ends here")
    expect(next_button(page)).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Do it").click()  # with the weights that have a gradient
    expect(page.locator(".lenet-outcome")).to_contain_text(re.compile(r"loss [\d.]+ → [\d.]+"))


def test_a_network_without_scores_has_no_way_back(show: Show) -> None:
    page = show(ForwardStepper(nn.Sequential(nn.Conv2d(1, 2, 3)), torch.randn(1, 1, 8, 8)))
    expect(page.get_by_role("button", name="Gradients")).to_have_count(0)
    next_button(page).click()
    expect(next_button(page)).to_have_text("The end")


@pytest.mark.parametrize("name", ["nested", "normalised", "strided"])
def test_the_walk_leads_through_other_networks(show: Show, name: str) -> None:
    model, images = build(name)
    widget = ForwardStepper(model, images)
    last = len(widget.meta["steps"]) - 1
    page = still(show(widget, f"#ForwardStepper-1:back:step={last}"))
    for step in range(2, last + 1):
        next_button(page).click()
        expect(page.locator(".lenet-position")).to_have_text(f"backward, step {step} of {last}")


@pytest.mark.parametrize(
    "show",
    [
        {"viewport": PHONE, "has_touch": True, "is_mobile": True},
        {"viewport": COLUMN, "color_scheme": "dark"},
        {"viewport": {"width": 1280, "height": 800}},
    ],
    ids=["phone", "dark column", "desk"],
    indirect=True,
)
def test_nothing_is_cut_or_too_small(show: Show, case: Case) -> None:
    page = back(still(show(case.widget)), "step=4;weight=3,2,1,1")
    for step in (4, 10, LAST):
        back(page, f"step={step}")
        small = [part for part in too_small(page) if not part.endswith("px high")]
        assert small == []
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= page.evaluate("innerWidth")
        cut = page.locator(".lenet-rule").evaluate(
            "node => [...node.querySelectorAll('button, input, .lenet-update, .lenet-equation')]"
            ".filter(part => part.offsetParent && part.getBoundingClientRect().bottom"
            " > node.getBoundingClientRect().bottom).map(part => part.outerHTML)"
        )
        assert cut == []
        assert (step, overflow(page)) == (step, [0, 0])
        for maps in page.locator(OUT).locator("visible=true").all():
            assert box_of(maps)["height"] > 12


def overflow(page: Page) -> list[int]:
    """By how many pixels the rule's pictures and tables are wider, and higher, than their room."""
    return page.locator(".lenet-rule .lenet-work").evaluate(
        "room => [room.scrollWidth - room.clientWidth, room.scrollHeight - room.clientHeight]"
    )


def test_paper_has_the_numbers_and_no_buttons(show: Show, case: Case) -> None:
    page = back(still(show(case.widget)), f"step={LAST}")
    page.emulate_media(media="print")
    expect(page.locator(".lenet-rule .lenet-button:visible")).to_have_text([str(LABEL)])
    expect(page.locator(".lenet-rule .lenet-result")).to_be_visible()


# ---------------------------------------------------------------- teach it

NORMAL = {"mean": (0.1307,), "std": (0.3081,)}


@pytest.fixture
def taught(digits: ImageData) -> Case:
    """The trained network with three digits, ready to be taught."""
    model = LeNet5()
    load_weights(model, WEIGHTS / "lenet5_mnist.safetensors")
    model.conv1.requires_grad_(False)
    few = digits.test[:3]
    widget = ForwardStepper(model, few.images, few.labels, **NORMAL, draw=True, lessons=True)
    return Case(model, normalise(few.images, **NORMAL), widget)


def percent_right(model: nn.Module, digits: ImageData) -> float:
    """Of the 200 digits that the page holds back."""
    held = digits.test[:200]
    answers = model(normalise(held.images, **NORMAL)).argmax(1)
    return 100 * float((answers == held.labels).float().mean())


def shown_percents(page: Page) -> list[float]:
    text = page.locator(".lenet-knows").inner_text()
    return [float(share) for share in re.findall(r"([\d.]+) %", text)]


def test_lessons_are_learned_as_in_pytorch(show: Show, taught: Case, digits: ImageData) -> None:
    page = still(show(taught.widget))
    expect(page.locator(".lenet-knows")).to_contain_text("Of 200 digits")
    before = percent_right(taught.model, digits)
    assert shown_percents(page) == pytest.approx([before, before], abs=0.51)
    label = torch.tensor(taught.widget.meta["labels"][:1])
    losses = [F.cross_entropy(taught.model(taught.image[:1]), label).item()]
    as_three = page.get_by_role("group", name="Add the picture as").get_by_text("3", exact=True)
    as_three.click()
    page.get_by_role("button", name="Ten", exact=True).click()
    progress = page.locator(".lenet-lessons .lenet-outcome")
    expect(progress).to_contain_text("of your 1 lessons")
    optimizer = torch.optim.SGD(taught.model.parameters(), lr=RATE)
    loss = torch.tensor(0.0)
    for _ in range(10):
        optimizer.zero_grad()
        loss = F.cross_entropy(taught.model(taught.image[:1]), torch.tensor([3]))
        loss.backward()
        optimizer.step()
    shown = number(progress.inner_text().split("was ")[1])
    assert shown == pytest.approx(loss.item(), rel=0.01, abs=0.01)
    after = percent_right(taught.model, digits)
    assert after != before
    assert shown_percents(page) == pytest.approx([before, after], abs=1.01)
    cells = page.locator(".lenet-lessons .lenet-confusion tbody td").all_inner_texts()
    assert sum(int(cell) for cell in cells if cell) == 200
    page.get_by_role("button", name="Forward").click()
    page.get_by_role("button", name="Gradients").click()
    outcome = page.locator(".lenet-descent .lenet-outcome")
    expect(outcome).to_contain_text("→")
    losses.append(F.cross_entropy(taught.model(taught.image[:1]), label).item())
    shown_losses = [number(loss) for loss in re.findall(NUMBER, outcome.inner_text())[-2:]]
    assert shown_losses == pytest.approx(losses, rel=0.02, abs=0.01)


def test_it_trains_until_it_knows_the_lessons_and_can_be_reset(show: Show, taught: Case) -> None:
    page = still(show(taught.widget))
    answer = page.locator(".lenet-answer")
    before = answer.inner_text()
    page.get_by_role("button", name="Until it knows them").click()
    progress = page.locator(".lenet-lessons .lenet-outcome")
    expect(progress).to_have_text("Add a lesson first.")
    page.get_by_role("button", name="Add the page's pictures").click()
    page.get_by_role("group", name="Add the picture as").get_by_text("0", exact=True).click()
    lessons = page.locator(".lenet-tray button")
    expect(lessons).to_have_count(4)
    lessons.first.click()  # a lesson that another contradicts
    expect(lessons).to_have_count(3)
    page.get_by_role("button", name="Until it knows them").click()
    expect(progress).to_contain_text("It knows 3 of your 3 lessons")
    assert answer.inner_text() != before
    page.get_by_role("button", name="Reset").click()
    settle(page)
    assert answer.inner_text() == before


@pytest.mark.slow
def test_a_network_learns_from_nothing_in_the_page(show: Show, taught: Case) -> None:
    page = still(show(taught.widget))
    page.get_by_role("button", name="Continue from random weights").click()
    page.wait_for_function(
        "() => Number(/now ([0-9.]+)/.exec(document.querySelector('.lenet-knows').textContent)[1])"
        " > 90",
        timeout=120_000,
    )


def test_a_link_leads_past_the_lessons(show: Show, taught: Case) -> None:
    page = still(show(taught.widget, "#ForwardStepper-1:back:step=4;bias=3"))
    expect(page.locator(".lenet-rule .lenet-heading")).to_contain_text("bias 3")
    page.evaluate("location.hash = 'ForwardStepper-1:step=4'")
    expect(page.locator(".lenet-position")).to_have_text(f"step 4 of {LAST}")
    page.get_by_role("button", name="Teach it").evaluate(
        "teach => { teach.click(); teach.previousSibling.click(); }"
    )
    expect(page.locator(".lenet-position")).to_have_text(f"backward, step 1 of {LAST}")
    settle(page)
    expect(page.locator(".lenet-lessons")).to_have_count(0)


def test_the_lessons_live_in_the_built_site(visit: Visit) -> None:
    page = still(visit.open("book/teach.html"))
    expect(page.locator(".lenet-knows")).to_contain_text("Of 200 digits")
    page.get_by_role("button", name="Add the page's pictures").click()
    page.get_by_role("button", name="One step").click()
    expect(page.locator(".lenet-lessons .lenet-outcome")).to_contain_text("of your 10 lessons")
    page.get_by_role("button", name="Forward").click()
    page.get_by_role("button", name="Gradients").click()
    expect(page.locator(".lenet-position")).to_have_text("backward, step 1 of 13")


def test_lessons_need_a_network_that_takes_digits() -> None:
    with pytest.raises(ValueError, match="one square channel, of ten classes"):
        ForwardStepper(
            nn.Sequential(nn.Flatten(), nn.Linear(12, 10)), torch.zeros(1, 3, 2, 2), lessons=True
        )
