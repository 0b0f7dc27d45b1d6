"""The stage: its numbers add up as shown, and equal PyTorch's."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser
from torch import nn

from lenet.models import LeNet5, load_weights
from lenet_book.widgets import ForwardStepper
from tests.browsing import visiting
from tests.learners_networks import NETWORKS, build
from tests.stage import NUMBER, decimal, number, outputs_of, unit_in

ROOT = Path(__file__).parents[3]
NODE = shutil.which("node")
UNITS = 36  # of each network
CENT = Decimal("0.01")

# ---------------------------------------------------------------- modules alone


@pytest.fixture(scope="module")
def ask() -> Iterator[Callable[..., Any]]:
    """Ask the stage's modules, as `ask_stage.js` tells."""
    if NODE is None:
        pytest.skip("no node was found")
    program = Path(__file__).parent / "ask_stage.js"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([NODE, program], text=True, bufsize=1, encoding="utf-8", **pipes) as node:
        assert node.stdin is not None
        assert node.stdout is not None

        def ask(*question: Any) -> Any:
            print(json.dumps(question), file=node.stdin)
            return json.loads(node.stdout.readline())

        yield ask
        node.stdin.close()


sizes = st.floats(-1e4, 1e4, allow_subnormal=False)


@settings(deadline=None)
@given(
    terms=st.lists(sizes, min_size=1, max_size=40),
    error=st.floats(-0.4, 0.4),
    decimals=st.integers(1, 4),
    has_bias=st.booleans(),
)
def test_shown_sums_add_up_exactly(
    ask: Callable[..., Any], terms: list[float], error: float, decimals: int, has_bias: bool
) -> None:
    unit = Decimal(1).scaleb(-decimals)
    total = sum(terms) + error * float(unit)  # single precision is not more wrong
    fixed = int(has_bias and len(terms) > 1)
    shown = ask("sum", terms, total, decimals, fixed)
    in_column = [decimal(text) for text in shown["inColumn"]]
    assert sum(in_column) == decimal(shown["total"])
    assert abs(decimal(shown["total"]) - Decimal(total)) <= unit * Decimal("0.501")
    for term, text in zip(terms, in_column, strict=True):
        assert abs(text - Decimal(term)) <= unit * Decimal("1.001")
    if fixed:
        assert abs(in_column[-1] - Decimal(terms[-1])) <= unit * Decimal("0.501")
    assert read_sum(shown["inLine"]) == in_column


keys = st.sampled_from(["step", "unit", "channel", "picture", "Step", ""])
parts = st.tuples(keys, st.sampled_from(["=", "", "=="]), st.text(max_size=8)).map("".join)
links = st.lists(parts, max_size=5).map(lambda found: "#Stage-1:" + ";".join(found))


@settings(deadline=None)
@given(st.one_of(st.text(max_size=30), links, links.map(lambda text: f"#Stage-1:step=3;{text}")))
def test_no_text_behind_the_address_is_misread(ask: Callable[..., Any], text: str) -> None:
    found = ask("link", text, 14)
    if found is not None:
        assert found["step"] in range(14)
        assert found["channel"] is None or isinstance(found["channel"], int)
        places = [
            place in range(size) for place, size in zip(found["unit"], (3, 4, 5), strict=False)
        ]
        assert found["isUnit"] == (places == [True] * 3 and len(found["unit"]) == 3)


# ---------------------------------------------------------------- numbers

# What stands on the stage about a unit. With these frames, everything is shown at once.
AT_ONCE = """() => {
  window.requestAnimationFrame = show => { show(performance.now()); return 0; };
}"""
SHOWN = """async link => {
  const part = document.querySelector(".lenet-panel-operation");
  const rows = selector => [...part.querySelectorAll(selector)].map(
    row => [...row.children].map(cell => cell.textContent));
  history.replaceState(null, "", "#ForwardStepper-1:" + link);
  dispatchEvent(new HashChangeEvent("hashchange"));
  return {
    label: document.querySelector(".lenet-panel-out canvas").getAttribute("aria-label"),
    terms: part.querySelector(".lenet-equation span").textContent,
    result: part.querySelector(".lenet-result").textContent,
    exact: part.querySelector(".lenet-result").title,
    channels: rows(".lenet-channel"),
    table: rows(".lenet-terms tr"),
    grids: [...part.querySelectorAll(".lenet-grid")].map(
      grid => [...grid.querySelectorAll("td")].map(cell => cell.textContent)),
    said: part.querySelector(".lenet-column-sum")?.textContent ?? "",
  };
}"""
SUM = re.compile(rf"{NUMBER}(?: \([^)]*\))?(?: [+−] \d+(?:\.\d+)?(?: \([^)]*\))?)* = ")


def read_sum(text: str) -> list[Decimal]:
    """The terms of "0.91 − 0.41 (bias)"."""
    plain = re.sub(r"\([^)]*\)", "", text)
    return [decimal(term) for term in re.findall(r"[+−]? ?\d+(?:\.\d+)?", plain)]


def check_sums(kind: str, shown: dict[str, Any]) -> None:
    """See that everything that is shown adds up as shown."""
    result = decimal(shown["result"])
    if kind in ("conv", "linear", "sum"):
        assert SUM.fullmatch(shown["terms"])
        assert sum(read_sum(shown["terms"])) == result
    if shown["channels"]:
        figures = [row[-2] for row in shown["channels"]]
        assert sum(map(decimal, figures)) == result
    if kind == "conv" and shown["grids"]:
        check_products(shown["grids"], shown["said"])
    if kind == "avgPool":
        check_average(shown)
    if kind == "linear":
        rows = shown["table"][1:]
        assert sum(decimal(row[3]) for row in rows) == result
        for _, value, weight, product, _ in (row for row in rows if row[1]):
            exact = number(value) * number(weight.removeprefix("× "))
            assert float(decimal(product)) == pytest.approx(exact, abs=0.0102, rel=1e-2)
    if kind == "sum":
        assert sum(decimal(row[1]) for row in shown["table"]) == result
    if kind in ("softmax", "logSoftmax"):
        check_shares(shown["table"])
    if kind == "batchNorm":
        lines = [row[1] for row in shown["table"]]
        value, mean, centred, _, _, scaled, bias = (decimal(t.strip("=/× ")) for t in lines)
        assert value + mean == centred
        assert abs(scaled + bias - result) <= CENT / 2
    if kind == "reshape":
        *terms, total = (decimal(row[1].strip("= ")) for row in shown["table"])
        assert sum(terms) == total


def check_products(grids: list[list[str]], said: str) -> None:
    patch, kernel, products = ([decimal(text) for text in grid if text] for grid in grids)
    if not products:
        return  # too small for numbers
    total = re.findall(NUMBER, said)
    assert [Decimal(len(products)), sum(products)] == [decimal(text) for text in total]
    for value, weight, product in zip(patch, kernel, products, strict=True):
        room = CENT * (abs(value) + abs(weight) + 3) / 2
        assert abs(value * weight - product) <= room


def check_average(shown: dict[str, Any]) -> None:
    total, divisor = (decimal(text) for text in re.findall(NUMBER, shown["terms"]))
    assert abs(total / divisor - decimal(shown["result"])) <= Decimal("0.0001")
    terms = re.match(rf"(?:{NUMBER} )+=", shown["said"])
    if terms:
        *numbers, sum_shown, by = (decimal(text) for text in re.findall(NUMBER, shown["said"]))
        assert sum(numbers) == sum_shown
        assert by == divisor
        assert abs(sum_shown - total) <= CENT / 2


def check_shares(table: list[list[str]]) -> None:
    *rows, foot = (row[1:4] for row in table[1:])
    shares = [decimal(row[2].removesuffix(" %")) for row in rows]
    assert sum(shares) == decimal(foot[2].removesuffix(" %")) == 100
    powers = [row[1].split("·10⁻") for row in rows]
    small = {ord(sign): str(digit) for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
    exact = [
        decimal(power[0]).scaleb(-int(power[1].translate(small)) if len(power) > 1 else 0)
        for power in powers
    ]
    assert round(sum(exact), 3) == decimal(foot[1])


def trained() -> tuple[nn.Module, torch.Tensor]:
    model = LeNet5()
    load_weights(model, ROOT / "lenet" / "models" / "trained" / "lenet5_mnist.safetensors")
    torch.manual_seed(1)
    return model.eval(), torch.randn(2, 1, 28, 28)


OFTEN = ("nested", "strided", "normalised", "trained")  # they have every operation


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in OFTEN else [pytest.mark.slow])
        for name in (*NETWORKS, "trained")
    ],
)
def test_every_shown_sum_adds_up_and_equals_pytorch(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    model, images = trained() if name == "trained" else build(name)
    stepper = ForwardStepper(model, images)
    steps = stepper.meta["steps"]
    with torch.no_grad():
        outputs = outputs_of(model, images)
    if len(outputs) < len(steps):
        outputs.append(outputs[-1].softmax(1))
    choose = random.Random(name)
    viewport = {"width": choose.choice([1440, 1000, 700, 390]), "height": 900}
    still: dict[str, Any] = {"viewport": viewport, "reduced_motion": "reduce"}
    with visiting(browser, tmp_path.as_uri(), **still) as visit:
        page = visit.show(stepper, tmp_path / "widget.html")
        page.evaluate(AT_ONCE)
        for _ in range(UNITS):
            index, sample = choose.randrange(1, len(steps)), choose.randrange(2)
            unit = [choose.randrange(size) for size in steps[index]["shape"]]
            channel = f";channel={choose.randrange(8)}" if choose.random() < 0.3 else ""
            link = f"step={index};unit={','.join(map(str, unit))};picture=s{sample}{channel}"
            print(name, steps[index]["kind"], link)  # pytest shows it where a check fails
            shown = page.evaluate(SHOWN, link)
            assert unit_in(shown["label"]) == unit
            exact = float(outputs[index][sample][tuple(unit)])
            near = pytest.approx(exact, abs=1.01e-4)
            assert number(shown["exact"].split(",")[0]) == near
            assert number(shown["label"].split("; value ")[1]) == near
            assert number(shown["result"]) == pytest.approx(exact, abs=0.00511)
            check_sums(steps[index]["kind"], shown)
