"""With a kernel, PyTorch's own gradients stand beside the page's."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from torch import Tensor, nn
from torch.nn import functional as F

from lenet.models import LeNet5
from lenet_book.widgets import ForwardStepper
from tests.browsing import DESK, Show, visiting
from tests.learners_networks import build
from tests.stage import still

LABEL = 4
TOLERANCE = 1e-4
QUESTION = {"number": 1, "label": 2, "names": []}
NOTEBOOK = """async ([script, state, data]) => {
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const { render } = (await import(url)).default;
  const bytesOf = text => Uint8Array.from(atob(text), sign => sign.charCodeAt(0));
  const values = { ...state, data: new DataView(bytesOf(data).buffer) };
  const listeners = [];
  const hearing = event => listeners.filter(([name]) => name === event);
  const tell = (event, ...what) => hearing(event).forEach(([, hear]) => hear(...what));
  const model = {
    get: key => values[key],
    set: (key, value) => { values[key] = value; tell(`change:${key}`); },
    save_changes() {},
    on: (event, hear) => listeners.push([event, hear]),
    off() {},
    async send(question, callbacks, buffers) {
      const numbers = buffers.map(buffer => Array.from(new Float32Array(buffer)));
      const [content, answers] = await kernel(question, numbers);
      tell("msg:custom", content, answers.map(text => new DataView(bytesOf(text).buffer)));
    },
  };
  document.body.innerHTML = "<div id=stage>";
  render({ model, el: document.body.firstChild });
}"""


Answer = tuple[dict[str, Any], list[bytes]]


def ask(widget: ForwardStepper, question: dict[str, Any], numbers: list[Tensor]) -> Answer:
    """Send a widget a message as a front end does, and get what it sends back."""
    answers: list[Answer] = []
    buffers = [memoryview(one.contiguous().numpy().tobytes()) for one in numbers]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(widget, "send", lambda content, data=(): answers.append((content, [*data])))
        widget._handle_custom_msg(question, buffers)
    (answer,) = answers
    return answer


@pytest.fixture
def notebook(browser: Browser, tmp_path: Path) -> Iterator[Show]:
    """Shows a widget, at a place of the walk back, in a page that reaches its Python."""
    (tmp_path / "empty.html").write_text("<!doctype html><html lang=en><title>test</title>")
    with visiting(browser, tmp_path.as_uri(), viewport=DESK) as visit:

        def show(widget: ForwardStepper, where: str) -> Page:
            def kernel(question: dict[str, Any], numbers: list[list[float]]) -> Any:
                content, data = ask(widget, question, [torch.tensor(one) for one in numbers])
                return content, [base64.b64encode(one).decode() for one in data]

            page = still(visit.open(f"empty.html#stage:back:{where}"))
            page.expose_function("kernel", kernel)
            state = {name: getattr(widget, name) for name in ("meta", "step", "picked", "sample")}
            data = base64.b64encode(widget.data).decode()
            page.evaluate(NOTEBOOK, [widget._esm, state, data])
            return page

        yield show


@dataclass(frozen=True)
class Comparison:
    """What the page says of PyTorch's gradients."""

    theirs: float
    difference: float
    count: int
    largest: float  # difference, as a share of the largest gradient of its tensor


SAID = re.compile(
    r"PyTorch's (?:loss|\.grad): (\S+), difference (\S+)\. "
    r"Of all (\S+) gradients, none is off by more than (\S+) of its layer's largest\."
)


def said(page: Page) -> Comparison:
    line = page.locator(".lenet-pytorch")
    expect(line).to_have_text(SAID)
    found = SAID.fullmatch(line.inner_text())
    assert found is not None
    theirs, difference, count, largest = (text.replace("−", "-") for text in found.groups())
    return Comparison(float(theirs), float(difference), int(count.replace(",", "")), float(largest))


def test_pytorchs_gradient_stands_beside_the_pages(notebook: Show) -> None:
    model = LeNet5().train()
    torch.manual_seed(2)
    images = torch.randn(2, 1, 28, 28)
    page = notebook(ForwardStepper(model, images, [LABEL, 7]), "step=4;weight=3,2,1,1")
    comparison = said(page)
    assert comparison.count == 61_706
    assert max(comparison.difference, comparison.largest) < TOLERANCE
    F.cross_entropy(model(images[:1]), torch.tensor([LABEL])).backward()
    assert model.conv2.weight.grad is not None
    assert comparison.theirs == pytest.approx(float(model.conv2.weight.grad[3, 2, 1, 1]), rel=0.01)


def test_the_loss_is_compared_after_each_step_of_descent(notebook: Show) -> None:
    torch.manual_seed(2)
    page = notebook(ForwardStepper(LeNet5(), torch.randn(1, 1, 28, 28), [LABEL]), "step=13")
    losses = [said(page).theirs]
    for name in ("Do it", "Do it", "Undo"):
        page.get_by_role("button", name=name).click()
        expect(page.locator(".lenet-pytorch")).not_to_contain_text(f"loss: {losses[-1]},")
        comparison = said(page)
        assert max(comparison.difference, comparison.largest) < TOLERANCE
        losses.append(comparison.theirs)
    assert losses[0] > losses[1] > losses[2]
    assert losses[3] == losses[1]


@pytest.mark.parametrize("name", ["normalised", "reused", "inplace", "nested"])
def test_all_gradients_are_compared(notebook: Show, name: str) -> None:
    model, images = build(name)
    widget = ForwardStepper(model, images, dtype=torch.float16)
    comparison = said(notebook(widget, f"step={len(widget.meta['steps']) - 1}"))
    assert comparison.count == sum(p.numel() for p in model.parameters())
    assert comparison.largest < TOLERANCE


class Drawing(nn.Sequential):
    """Draws a random number that it does not need."""

    def forward(self, x: Tensor) -> Tensor:
        torch.rand(())
        return super().forward(x)


def test_the_learners_network_stays_as_it_is() -> None:
    torch.manual_seed(2)
    model = Drawing(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Dropout(0.5))
    model = model.append(nn.Linear(72, 4)).train()
    widget = ForwardStepper(model, torch.randn(1, 1, 8, 8), [2])
    before = copy.deepcopy(model.state_dict())
    picture = torch.randn(1, 1, 8, 8)
    numbers = torch.get_rng_state()
    first = ask(widget, QUESTION, [picture])
    assert torch.equal(torch.get_rng_state(), numbers)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 1  # the reader trains on; the page does not
    assert ask(widget, QUESTION, [picture]) == first


def test_what_lessons_change_in_a_batch_norm_is_taken_over() -> None:
    model, images = build("normalised")
    widget = ForwardStepper(model, images)
    steps = [step for step in widget.meta["steps"] if step["kind"] == "batchNorm"]
    norm = model.get_submodule(steps[0]["name"])
    assert isinstance(norm, nn.BatchNorm2d)
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None
    assert variance is not None
    names = [steps[0]["mean"], steps[0]["deviation"]]
    given = [mean + 1, (4 * variance + norm.eps).sqrt()]
    _, untouched = ask(widget, QUESTION, [images[0]])
    content, answers = ask(widget, QUESTION | {"names": names}, [images[0], *given])
    mean += 1
    variance *= 4
    loss = F.cross_entropy(model.eval()(images[:1]), torch.tensor([2]))
    assert content["loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert answers != untouched
    assert ask(widget, QUESTION, [images[0]])[1] == untouched


class Shares(nn.Module):
    """Returns its own shares, from weights that functions are given."""

    def __init__(self) -> None:
        super().__init__()
        self.second, self.first = (nn.Parameter(torch.randn(4, n)) for n in (4, 9))
        self.register_buffer("kernel", torch.ones(1, 1, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(x, self.kernel).flatten(1)
        return F.linear(F.linear(x, self.first).relu(), self.second).softmax(1)


def test_functions_are_given_weights_and_shares_have_a_loss(notebook: Show) -> None:
    torch.manual_seed(2)
    model = Shares()
    images = torch.randn(1, 1, 5, 5)
    widget = ForwardStepper(model, images, [1])
    comparison = said(notebook(widget, f"step={len(widget.meta['steps']) - 1}"))
    assert comparison.count == 52
    assert comparison.largest < TOLERANCE


class Closed(nn.Sequential):
    """Lets no gradient pass."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return super().forward(x)


def test_the_page_says_why_there_are_no_gradients(notebook: Show) -> None:
    widget = ForwardStepper(Closed(nn.Flatten(), nn.Linear(4, 3)), torch.randn(1, 1, 2, 2))
    page = notebook(widget, "step=3")
    line = page.locator(".lenet-pytorch")
    expect(line).to_contain_text("PyTorch gives no gradients: element 0 of tensors does not")


def test_a_page_without_a_kernel_says_nothing_of_it(show: Show) -> None:
    widget = ForwardStepper(LeNet5(), torch.randn(1, 1, 28, 28))
    page = still(show(widget, "#ForwardStepper-1:back:step=13"))
    expect(page.locator(".lenet-loss")).to_be_visible()
    expect(page.locator(".lenet-pytorch")).to_be_hidden()
