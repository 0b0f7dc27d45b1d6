"""The playground and the calculator agree with `lenet.shapes`, and do what a reader asks."""

from __future__ import annotations

import ast
import json
import math
import random
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Locator, Page, expect
from torch import nn

from lenet import tracing
from lenet.models import CifarLeNet, LeNet5, LeNet5Linear, NarrowLeNet
from lenet.shapes import ShapeError, conv_windows, explain, pool_windows, trace
from lenet.shapes.diagnosis import diagnose, first_line
from lenet_book.widgets import ConvPlayground, ShapeCalculator
from lenet_book.widgets.calculator.calculator import build, layers_of, presets
from lenet_book.widgets.shared.joining import joined_script
from tests.browsing import PHONE, Show

ROOT = Path(__file__).parents[3]
WIDGETS = ROOT / "book" / "lenet_book" / "widgets"

RunScript = Callable[[str, str, Any], Any]


@pytest.fixture(scope="module")
def run_script(request: pytest.FixtureRequest) -> RunScript:
    """Run a front end's functions on JSON: in node where there is one, else in Chromium."""

    def run(script: str, function: str, data: Any) -> Any:
        program = joined_script(WIDGETS / script).replace("export default", "void")
        body = f"{program}\nreturn JSON.stringify((data => {function})(data));"
        node = shutil.which("node")
        if node is None:
            page = request.getfixturevalue("browser").new_page()
            answer = page.evaluate(f"data => {{ {body} }}", data)
            page.close()
            return json.loads(answer)
        text = f"process.stdout.write((data => {{ {body} }})({json.dumps(data)}));"
        done = subprocess.run([node, "-"], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


# ---------------------------------------------------------------- stacks of layers


def pair(rng: random.Random, smallest: int, largest: int) -> Any:
    """One number, or now and then one for each axis."""
    numbers = [rng.randint(smallest, largest) for _ in range(2)]
    return numbers[0] if rng.random() < 0.8 else numbers


def nearly(rng: random.Random, number: int) -> int:
    """The number that fits, or now and then another one."""
    return number if rng.random() < 0.93 else max(1, number + rng.choice([-7, -2, -1, 1, 2, 12]))


class RandomStack:
    """Layers that mostly follow from one another, as a learner would put them together."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        height = rng.randint(4, 34)
        width = height if rng.random() < 0.7 else rng.randint(4, 34)
        self.image_shape = [rng.choice([1, 3]), height, width]
        self.shape = (3, *self.image_shape)
        self.layers: list[dict[str, Any]] = []
        if rng.random() < 0.05:  # channels last, a frequent slip
            self.image_shape = [*self.image_shape[1:], self.image_shape[0]]
        self.build()

    def build(self) -> None:
        rng = self.rng
        for _ in range(rng.randint(1, 3)):
            self.add_convolution()
            if rng.random() < 0.2:
                self.add("BatchNorm2d", num_features=nearly(rng, self.shape[1]))
            if rng.random() < 0.5:
                self.add(("ReLU", "ELU", "GELU")[len(self.layers) % 3])
            if rng.random() < 0.6:
                self.add_pooling()
            if rng.random() < 0.15:
                self.add_transposed()
        if rng.random() < 0.95:
            self.add("Flatten")
        for _ in range(rng.randint(0, 2)):
            features = {
                "in_features": nearly(rng, self.shape[-1]),
                "out_features": rng.randint(1, 20),
            }
            self.add("Linear", **features, **({"bias": False} if rng.random() < 0.2 else {}))
            if rng.random() < 0.4:
                self.add(*rng.choice([("ReLU",), ("Dropout",)]))
        if rng.random() < 0.04:
            rng.shuffle(self.layers)

    def add_convolution(self) -> None:
        rng = self.rng
        settings = {
            "in_channels": nearly(rng, self.shape[1]),
            "out_channels": rng.randint(1, 8),
            "kernel_size": pair(rng, 1, 6),
        }
        if rng.random() < 0.4:
            settings |= {"stride": pair(rng, 1, 3), "padding": pair(rng, 0, 3)}
        elif rng.random() < 0.1:
            settings["padding"] = "same"
        if rng.random() < 0.2:
            settings["dilation"] = pair(rng, 1, 3)
        if rng.random() < 0.15:
            settings["bias"] = False
        self.add("Conv2d", **settings)

    def add_transposed(self) -> None:
        rng = self.rng
        settings = {
            "in_channels": nearly(rng, self.shape[1]),
            "out_channels": rng.randint(1, 8),
            "kernel_size": pair(rng, 1, 4),
            "stride": pair(rng, 1, 3),
        }
        # What PyTorch says where more padding leaves nothing depends on the processor.
        smallest = min(settings["kernel_size"]) if isinstance(settings["kernel_size"], list) else 1
        choices = {
            "padding": pair(rng, 0, (smallest - 1) // 2),
            "output_padding": pair(rng, 0, 1),
            "dilation": pair(rng, 1, 2),
            "bias": False,
        }
        settings |= {name: value for name, value in choices.items() if rng.random() < 0.25}
        self.add("ConvTranspose2d", **settings)

    def add_pooling(self) -> None:
        rng = self.rng
        kind = rng.choice(["MaxPool2d", "AvgPool2d"])
        settings: dict[str, Any] = {"kernel_size": pair(rng, 1, 4)}
        choices = {"stride": pair(rng, 1, 4), "padding": pair(rng, 0, 2), "ceil_mode": True}
        if kind == "MaxPool2d":
            choices["dilation"] = pair(rng, 1, 2)
        settings |= {name: value for name, value in choices.items() if rng.random() < 0.25}
        self.add(kind, **settings)

    def add(self, kind: str, **settings: Any) -> None:
        """Add a layer, and follow the shape where the layer fits."""
        layer = {"name": f"{kind.lower()}{len(self.layers)}", "type": kind, "settings": settings}
        self.layers.append(layer)
        try:
            self.shape = tuple(build([layer]).eval()(torch.zeros(self.shape)).shape)
        except (IndexError, RuntimeError, ValueError):
            return

    def as_data(self) -> dict[str, Any]:
        return {"layers": self.layers, "imageShape": self.image_shape}


@pytest.fixture(scope="module", params=[150, pytest.param(1000, marks=pytest.mark.slow)])
def stacks(request: pytest.FixtureRequest) -> list[RandomStack]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return [RandomStack(seed) for seed in range(request.param)]


@pytest.fixture(scope="module")
def findings(run_script: RunScript, stacks: list[RandomStack]) -> list[dict[str, Any]]:
    """What the calculator finds, for all stacks at once."""
    function = """data.map((stack) => {
      const { pass, rows, explanation, refusal } = analyse(stack);
      const { layers, imageShape } = stack;
      const fixes = explanation?.fixes.map((fix) => ({ text: fixText(fix), code: fix.code,
        hasImages: fix.changes.some((change) => change.imageShape) }));
      return { rows, refusal, problem: diagnose(pass), totals: totalsText(layers, { rows }),
        explanation: explanation && { ...explanation, fixes, heading: fixesHeading(explanation) },
        code: refusal ? null : networkCode(layers, imageShape, pass) };
    })"""
    return run_script("calculator/calculator.js", function, [stack.as_data() for stack in stacks])


# What students meet: the calculator repeats these sentences of PyTorch's word for word, no others.
REPEATED = {
    "features": r"mat1 and mat2 shapes cannot be multiplied \(\d+x\d+ and \d+x\d+\)",
    "channels": r"Given (groups|transposed)=1, weight of size .* to have \d+ channels, but got .*",
    "kernel": r"Calculated padded input size per channel: .* Kernel size can't be greater .*",
    "pooling": r"Given input size: .* Calculated output size: .* Output size is too small",
}


def repeated(sentence: str) -> str:
    """The sentence, if the calculator repeats it; else nothing."""
    return sentence if any(re.fullmatch(form, sentence) for form in REPEATED.values()) else ""


def told(explanation: dict[str, Any]) -> str:
    """An explanation of the calculator as the package would print it."""
    lines = [f"{explanation['what']}."]
    if explanation["why"]:
        lines.append(f"Why: {explanation['why']}.")
    lines.append(explanation["heading"])
    for fix in explanation["fixes"]:
        code = "" if fix["hasImages"] else fix["code"]
        below = "".join(f"\n      {line}" for line in code.splitlines())
        lines.append(f"  - {fix['text']}:{below}" if code else f"  - {fix['text']}")
    if explanation["error"]:
        lines.append(f"PyTorch says: {explanation['error']}")
    return "\n".join(lines)


def rows_of(table: Any) -> list[dict[str, Any]]:
    """The rows of a table as the front end writes them."""
    return [
        {
            "name": row.name,
            "operation": row.operation,
            "formula": row.formula,
            "note": row.note,
            "outputShape": list(row.output_shape),
            "numParameters": row.num_parameters,
            "numMacs": row.num_macs,
            "numBiasAdditions": row.num_bias_additions,
            "receptiveField": row.receptive_field and list(row.receptive_field),
            "jump": row.jump and list(row.jump),
        }
        for row in table.rows
    ]


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_every_row_and_every_error_agrees_with_the_package(stacks, findings) -> None:
    sentences = []
    for stack, found in zip(stacks, findings, strict=True):
        if found["refusal"]:
            with pytest.raises(ValueError, match="padding='same'"):
                build(stack.layers)
            continue
        images = torch.zeros(3, *stack.image_shape)
        recording = tracing.run(build(stack.layers), images)
        problem = diagnose([images], recording)
        reached = stack.layers[: len(recording.steps)]
        assert found["rows"] == (
            rows_of(trace(build(reached), stack.image_shape)) if reached else []
        )
        assert bool(found["problem"]) == bool(problem)
        for name in ("kind", "what", "index", "needed", "came"):
            assert problem is None or found["problem"][name] == getattr(problem, name)
        if recording.failure:
            sentences.append(first_line(recording.failure.error))
            assert found["explanation"]["error"] == repeated(sentences[-1])
    assert len(stacks) / 5 < len(sentences) < 4 * len(stacks) / 5
    for form in REPEATED.values():
        assert sum(re.fullmatch(form, sentence) is not None for sentence in sentences) > 0.03 * len(
            stacks
        )
    assert 0.1 < sum(not repeated(sentence) for sentence in sentences) / len(sentences) < 0.4


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_every_fix_and_total_agrees_with_the_package(stacks, findings) -> None:
    misfits = [pair for pair in zip(stacks, findings, strict=True) if pair[1]["explanation"]]
    assert len(misfits) > len(stacks) / 5
    for stack, found in misfits if len(stacks) == 1000 else misfits[::2]:  # each takes its time
        images = torch.zeros(3, *stack.image_shape)
        table = explain(build(stack.layers), images, seconds=math.inf)
        explanation = table.explanation
        assert explanation is not None
        assert told(found["explanation"]) == str(
            replace(explanation, error=repeated(explanation.error))
        )
        assert found["totals"] in str(table).replace(".\n", ". ")


def test_copied_code_runs_and_gives_the_same_shapes(stacks, findings) -> None:
    fitting = [f for f in findings if f["code"] and not f["explanation"]]
    for found in fitting[:60]:
        printed: list[Any] = []
        space: dict[str, Any] = {"print": printed.append}
        exec(found["code"], space)
        shapes = [[3, *row["outputShape"][1:]] for row in found["rows"]]
        assert list(printed[0]) == shapes[-1]
        assert found["code"].rstrip().endswith(f"# torch.Size({shapes[-1]})")
        steps = tracing.record(space["model"], space["images"], keep_tensors=False)
        assert [list(step.output_shape) for step in steps] == shapes


def test_the_code_of_a_fix_changes_the_copied_network(findings) -> None:
    explained = [f for f in findings if f["code"] and f["explanation"]]
    fixes = [(found, fix) for found in explained for fix in found["explanation"]["fixes"]]
    plain = [(found, fix) for found, fix in fixes if not fix["hasImages"]][:60]
    assert len(plain) > 20
    for found, fix in plain:
        made, _, call = found["code"].rstrip().rpartition("\n")
        exec(f"{made}\n{fix['code']}\n{call}", {"print": lambda shape: None})


IMPOSSIBLE = [
    *({name: value} for name in ("kernel_size", "stride") for value in (0, -2, 1.5, "", "two")),
    *({"padding": value} for value in (-1, [0, -1], 0.5)),
    {"dilation": 0},
    {"kernel_size": [3, 0]},
    {"kernel_size": ["it's", 1]},
]


@pytest.mark.parametrize("kind", ["Conv2d", "MaxPool2d"])
def test_impossible_settings_are_refused_in_the_same_words(
    run_script: RunScript, kind: str
) -> None:
    windows = conv_windows if kind == "Conv2d" else pool_windows
    channels = {"in_channels": 1, "out_channels": 1} if kind == "Conv2d" else {}
    cases = [{"kernel_size": 3, **case} for case in IMPOSSIBLE]
    layers = [{"name": "it", "type": kind, "settings": {**channels, **case}} for case in cases]
    refusals = run_script(
        "calculator/calculator.js", "data.map((layer) => firstProblem([layer])?.refusal)", layers
    )
    for case, refusal in zip(cases, refusals, strict=True):
        settings = {k: tuple(v) if isinstance(v, list) else v for k, v in case.items()}
        with pytest.raises(ShapeError) as error:
            windows((9, 9), **settings)
        assert refusal == f"it: {error.value}"


def test_three_numbers_are_too_many(run_script: RunScript) -> None:
    layer = {"name": "it", "type": "MaxPool2d", "settings": {"kernel_size": [1, 2, 3]}}
    refusal = run_script("calculator/calculator.js", "firstProblem([data]).refusal", layer)
    assert refusal == "it: kernel_size is (1, 2, 3): 3 numbers for 2 axes"


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (NarrowLeNet, (1, 28, 28)),
        (LeNet5, (1, 28, 28)),
        (LeNet5Linear, (1, 28, 28)),
        (CifarLeNet, (3, 32, 32)),
    ],
)
def test_networks_of_the_book_are_offered_as_stacks(network: type[nn.Module], shape: Any) -> None:
    (preset,) = (preset for preset in presets() if preset["name"] == network.__name__)
    assert preset["input_shape"] == list(shape)
    told = ("output_shape", "num_parameters", "num_macs", "receptive_field", "jump", "formula")
    rows, stacked = trace(network(), shape).rows, trace(build(preset["layers"]), shape).rows
    for row, layer in zip(rows, stacked, strict=True):
        assert [getattr(row, name) for name in told] == [getattr(layer, name) for name in told]


# ---------------------------------------------------------------- sliding windows


def random_sizes(rng: random.Random) -> dict[str, Any]:
    ranges = {"input_size": (1, 12), "kernel_size": (1, 6), "stride": (1, 5), "padding": (0, 3)}
    sizes: dict[str, Any] = {
        name: [rng.randint(*limits) for _ in range(2)] for name, limits in ranges.items()
    }
    sizes["dilation"] = [rng.choice([1, 1, 1, 2, 3]) for _ in range(2)]
    if rng.random() < 0.1:
        sizes[rng.choice([*sizes])][rng.randrange(2)] = rng.choice([0, -1, 1.5])
    operation = rng.choice(["conv", "max", "avg"])
    if operation == "avg":
        sizes["dilation"] = [1, 1]
    if operation == "conv" and rng.random() < 0.2:
        sizes["padding"] = "same"
        if rng.random() < 0.8:
            sizes["stride"] = [1, 1]
    return {
        **sizes,
        "operation": operation,
        "ceil_mode": operation != "conv" and rng.random() < 0.5,
    }


def torch_output(case: dict[str, Any], picture: Any, kernel: Any) -> list[list[float]]:
    image = torch.tensor(picture, dtype=torch.float64)[None, None]
    kernel_size, stride, padding, dilation = (
        case[name] for name in ("kernel_size", "stride", "padding", "dilation")
    )
    if case["operation"] == "conv":
        weight = torch.tensor(kernel, dtype=torch.float64)[None, None]
        return F.conv2d(image, weight, None, stride, padding, dilation)[0, 0].tolist()
    if case["operation"] == "avg":
        return F.avg_pool2d(image, kernel_size, stride, padding, case["ceil_mode"])[0, 0].tolist()
    result = F.max_pool2d(image, kernel_size, stride, padding, dilation, case["ceil_mode"])
    return result[0, 0].tolist()


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_the_playground_slides_as_pytorch_and_the_package_do(run_script: RunScript) -> None:
    rng = random.Random(0)
    cases = [random_sizes(rng) for _ in range(1000)]
    function = """data.map((c) => {
      try {
        const windows = (c.operation === "conv" ? convWindows : poolWindows)(c);
        const picture = pictureOf("any digits", ...c.input_size);
        const kernel = kernelOf("sharpen", ...c.kernel_size);
        const results = resultsOf(slide(c.operation, picture, kernel, windows));
        return { windows: windows.map((w) => [w.outputSize, w.formula, w.note]), picture, kernel,
          results: results.map((line) => line.map((value) => Math.max(value, -1e9))),
          unseen: windows.map((w) => w.unseenPixels) };
      } catch (error) { return { error: error.message }; }
    })"""
    num_refused = 0
    for case, found in zip(
        cases, run_script("playground/playground.js", function, cases), strict=True
    ):
        windows, refusal = windows_or_refusal(case)
        if windows is None:
            num_refused += 1
            assert found == {"error": refusal}
            continue
        assert found["windows"] == [[w.output_size, w.formula, w.note] for w in windows]
        wanted = torch_output(case, found["picture"], found["kernel"])
        wanted = torch.tensor(wanted).clamp(min=-1e9)
        assert torch.allclose(torch.tensor(found["results"]).double(), wanted.double())
        assert found["unseen"] == [unseen_pixels(window) for window in windows]
    assert 100 < num_refused < 900


def windows_or_refusal(case: dict[str, Any]) -> tuple[Any, str]:
    given = {name: case[name] for name in list(case)[:5]}
    sizes = {n: tuple(v) if isinstance(v, list) else v for n, v in given.items()}
    try:
        if case["operation"] == "conv":
            return conv_windows(**sizes), ""
        return pool_windows(**sizes, ceil_mode=case["ceil_mode"]), ""
    except ShapeError as error:
        return None, str(error)


def unseen_pixels(window: Any) -> list[int]:
    """The padded pixels that receive no gradient: those that no window sees."""
    pixels = torch.zeros(1, 1, window.input_size + window.padding + 50, requires_grad=True)
    kernel = torch.ones(1, 1, window.kernel_size)
    out = F.conv1d(pixels, kernel, stride=window.stride, dilation=window.dilation)
    out[..., : window.output_size].sum().backward()
    assert pixels.grad is not None
    seen = pixels.grad[0, 0, : window.input_size + window.padding]
    return [int(pixel) - window.padding // 2 for pixel in (seen == 0).nonzero().flatten()]


def decimal(text: str) -> Decimal:
    return Decimal(text.replace("−", "-"))


def test_what_is_shown_of_a_sum_adds_up(run_script: RunScript) -> None:
    rng = random.Random(0)
    weights = [
        1,
        -1,
        12,
        0.5,
        -0.25,
        0.1,
        1.125,
        1 / 3,
        -2 / 7,
        1 / 9,
        0.0123,
        1e-5 / 3,
        3.14159265,
    ]
    cases = [
        [rng.randint(0, 9) * rng.choice(some) for _ in range(rng.randint(1, 25))]
        for some in (rng.sample(weights, rng.randint(1, 4)) for _ in range(1000))
    ]
    function = """data.map((products) => {
      const patch = { products: [products], isInside: [products], sum: 0 };
      const { texts, isExact } = shownProducts(products);
      return { terms: texts, isExact, result: outcomeOf({ kind: "conv", patches: [patch] }).text };
    })"""
    shown = run_script("playground/playground.js", function, cases)
    for products, found in zip(cases, shown, strict=True):
        terms, result = [decimal(term) for term in found["terms"]], decimal(found["result"])
        assert sum(terms) == result
        unit = float(Decimal(1).scaleb(int(result.as_tuple().exponent)))
        for term, product in zip(terms, products, strict=True):
            assert abs(float(term) - product) < (1e-6 if found["isExact"] else unit)
        assert abs(float(result) - sum(products)) < 0.51 * unit
    assert 200 < sum(found["isExact"] for found in shown) < 800


def test_weights_are_read_and_written_as_one_types_them(run_script: RunScript) -> None:
    read = {"12": 12, " 0.5 ": 0.5, "−0.25": -0.25, "-.5": -0.5, "1/3": 1 / 3, "−2/7": -2 / 7}
    refused = ["", " ", "-", "1/", "/3", "1/0", "1/2/3", "abc", "1,5", "Infinity"]
    function = "data.map((text) => [parseWeight(text), weightText(parseWeight(text))])"
    found = run_script("playground/playground.js", function, [*read, *refused])
    written = ["12", "0.5", "−0.25", "−0.5", "1/3", "−2/7"]
    assert found[: len(read)] == [[w, t] for w, t in zip(read.values(), written, strict=True)]
    assert all(weight is None for weight, _ in found[len(read) :])  # NaN


# ---------------------------------------------------------------- Python's side


def test_a_misfit_can_be_shown() -> None:
    network = nn.Sequential(nn.Conv2d(1, 6, (5, 3)), nn.Flatten(), nn.Linear(9, 10, bias=False))
    calculator = ShapeCalculator(network, (1, 8, 8))
    assert [layer["name"] for layer in calculator.layers] == ["0", "1", "2"]
    assert str(calculator.table().explanation).startswith("model[2] expects 9 features")
    assert repr(calculator.network()) == repr(network)
    assert repr(calculator) == "ShapeCalculator(3 layers, input (1, 8, 8))"


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            nn.Sequential(nn.Conv2d(1, 6, 5), nn.Sigmoid()),
            "1 is Sigmoid; the calculator knows Conv2d",
        ),
        (nn.Sequential(nn.Conv2d(2, 6, 5, groups=2)), "0 has groups=2"),
        (nn.Sequential(nn.MaxPool2d(2, return_indices=True)), "0 has return_indices=True"),
    ],
)
def test_what_the_calculator_lacks_is_named(network: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layers_of(network, (1, 28, 28))


def test_branches_are_no_stack() -> None:
    class Branch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.ReLU(), nn.Dropout()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.first(x)
            return self.second(x)

    with pytest.raises(ValueError, match="second does not follow"):
        layers_of(Branch(), (1, 4, 4))


def test_the_playground_refuses_what_it_cannot_begin_with() -> None:
    with pytest.raises(ShapeError, match="kernel_size=9 is larger than the input of size 7"):
        ConvPlayground(kernel_size=9)
    with pytest.raises(ShapeError, match="draws at most 24"):
        ConvPlayground((25, 7))
    with pytest.raises(ShapeError, match="convolutions round down"):
        ConvPlayground(ceil_mode=True)
    with pytest.raises(ShapeError, match="not of averages"):
        ConvPlayground(operation="avg", dilation=2)
    assert ConvPlayground((7, 9), 3, operation="max").output_size == (2, 3)
    assert "kernel_size=(3, 3)" in repr(ConvPlayground())


def test_their_first_states_can_be_read_without_a_script() -> None:
    assert ConvPlayground((7, 9), 3, 2).meta["poster"] == (
        "<p>The window of a convolution, 3×3, slides over 7×9 pixels: 3×4 numbers come out. "
        "H: ⌊(7 − 3) / 2⌋ + 1 = 3, W: ⌊(9 − 3) / 2⌋ + 1 = 4.</p>"
    )
    poster = misfit().meta["poster"]
    assert "(N, 6, 32, 32)" in poster
    assert "fc1 expects 400 features, but flatten gives (N, 576)" in poster


# ---------------------------------------------------------------- in a browser


def test_the_playground_by_mouse(show: Show) -> None:
    page = show(ConvPlayground())
    sentence = page.locator(".lenet-sentence")
    expect(sentence).to_contain_text("output[0, 0]: the sum of 9 products")
    page.get_by_role("button", name="Next").click()
    expect(sentence).to_contain_text("output[0, 1]")
    page.get_by_role("button", name="more stride", exact=True).click()
    expect(page.locator(".lenet-live")).to_have_text("⌊(7 − 3) / 2⌋ + 1 = 3")
    page.get_by_role("button", name="more input_size", exact=True).click()
    expect(page.locator(".lenet-leftover")).to_contain_text("no window reaches the last pixel")
    expect(page.locator(".lenet-leftover")).to_contain_text("hatched: row 7 and column 7")
    assert page.locator("svg.lenet-input .lenet-unseen").count() == 2
    page.locator("svg.lenet-output .lenet-empty").last.click()
    expect(sentence).to_contain_text("output[2, 2]")
    page.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished))")
    box = page.locator(".lenet-window .lenet-outline").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 2 * box["width"] / 3, y - 4 * box["width"] / 3, steps=5)
    page.mouse.up()
    expect(sentence).to_contain_text("output[0, 1]")
    page.get_by_label("kernel weight, row 1, column 1").fill("100")
    expect(page.get_by_role("combobox", name="kernel")).to_have_value("your own")
    expect(page.locator(".lenet-aloud")).to_contain_text("Output row 0, column 1: the sum of 9")


def misfit() -> ShapeCalculator:
    preset = presets()[-1]
    return ShapeCalculator(build(preset["layers"]), preset["input_shape"])


def weight_cell(page: Page, row: int = 0, column: int = 2) -> Locator:
    return page.get_by_label(f"kernel weight, row {row}, column {column}")


def test_kernel_weights_are_typed(show: Show) -> None:
    page = show(ConvPlayground())
    cell, problem = weight_cell(page), page.get_by_role("status")
    for typed, sum_ in (("12", "33"), ("0.5", "10"), ("-0.25", "8.5"), ("1/3", "9.67")):
        cell.select_text()
        page.keyboard.type(typed)
        expect(cell).to_be_focused()
        expect(cell).to_have_value(typed)
        expect(page.locator(".lenet-sentence")).to_have_text(
            f"output[0, 0]: the sum of 9 products is {sum_}"
        )
        terms = page.get_by_role("img", name="products").locator("span").all_inner_texts()
        assert sum(map(decimal, terms)) == decimal(page.locator(".lenet-result").inner_text())
    assert page.locator(".lenet-result").get_attribute("title") == "9.666666667"
    cell.select_text()
    page.keyboard.type("abc")
    expect(cell).to_have_attribute("aria-invalid", "true")
    expect(problem).to_contain_text("“abc” is no number")
    expect(problem).to_contain_text("the weight stays 1/3")
    weight_cell(page, 1, 1).fill("0.25")
    expect(cell).to_have_value("abc")  # nothing is lost
    expect(page.locator(".lenet-result")).to_have_text("11.92")
    cell.fill("")
    expect(problem).to_contain_text("An empty cell")
    cell.press("Escape")
    expect(cell).to_have_value("abc")
    cell.fill("2")
    expect(problem).to_be_empty()
    cell.fill("7")
    cell.press("Escape")
    expect(cell).to_have_value("abc")
    expect(cell).to_be_focused()


def test_the_readers_kernel_survives_another_size(show: Show) -> None:
    page = show(ConvPlayground(9))
    weight_cell(page, 1, 1).fill("0.25")
    weight_cell(page, 0, 0).fill("1/3")
    size = page.get_by_role("textbox", name="kernel_size")
    size.fill("5")
    expect(weight_cell(page, 2, 2)).to_have_value("0.25")
    expect(weight_cell(page, 1, 1)).to_have_value("1/3")
    expect(weight_cell(page, 0, 0)).to_have_value("0")
    size.fill("1")
    expect(weight_cell(page, 0, 0)).to_have_value("0.25")
    size.fill("3")
    expect(weight_cell(page, 0, 0)).to_have_value("1/3")
    kernel = page.get_by_role("combobox", name="kernel")
    kernel.select_option("all ones")
    expect(weight_cell(page, 1, 1)).to_have_value("1")
    kernel.select_option("your own")
    expect(weight_cell(page, 1, 1)).to_have_value("0.25")
    size.press("Escape")
    expect(size).to_have_value("3")
    size.fill("4")
    size.press("Escape")
    expect(size).to_have_value("3")


Finger = Callable[..., None]


def finger(page: Page) -> Finger:
    """What touches a page at some places: a function of the event's name and the places."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return touch


def middle_of(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


ON_A_PHONE = pytest.mark.parametrize(
    "show",
    [{"viewport": PHONE, "has_touch": True, "is_mobile": True}],
    indirect=True,
    ids=["phone"],
)


@ON_A_PHONE
def test_a_finger_drags_the_window_and_scrolls_elsewhere(show: Show) -> None:
    page = show(ConvPlayground(8))
    touch = finger(page)
    page.get_by_role("application").press("End")
    page.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished))")
    x, y = middle_of(page, ".lenet-window .lenet-outline")
    pixels = y - middle_of(page, "svg.lenet-input")[1]  # from the last window to the middle
    touch("touchStart", (x, y))
    for step in range(1, 11):  # upwards, as one scrolls down
        touch("touchMove", (x - pixels * step / 10, y - pixels * step / 10))
    expect(page.locator(".lenet-sentence")).to_contain_text(re.compile(r"output\[[23], [23]\]"))
    touch("touchEnd")
    assert page.evaluate("scrollY") == 0
    x, y = middle_of(page, ".lenet-formula")
    touch("touchStart", (x, y))
    for step in range(1, 11):
        touch("touchMove", (x, y - 20 * step))
    touch("touchEnd")
    page.wait_for_function("scrollY > 50")
    small = page.evaluate(
        """[...document.querySelectorAll(".lenet-widget :is(button, input, select)")]
        .filter((control) => control.getClientRects().length && control.type !== "checkbox")
        .filter((control) => Math.min(control.offsetWidth, control.offsetHeight) < 32)
        .map((control) => control.outerHTML)"""
    )
    assert not small


def test_the_playground_by_keyboard(show: Show) -> None:
    page = show(ConvPlayground(5))
    picture = page.get_by_role("application")
    picture.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "End", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator(".lenet-sentence")).to_contain_text("output[2, 2]")
    assert picture.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    kernel = page.get_by_role("textbox", name="kernel_size")
    kernel.press("ArrowUp")
    expect(page.locator(".lenet-live")).to_have_text("⌊(5 − 4) / 1⌋ + 1 = 2")
    for typed in ("7", "0", "1.5", ""):
        kernel.fill(typed)
        number = 0 if typed == "" else float(typed) if "." in typed else int(typed)
        with pytest.raises(ShapeError) as error:
            conv_windows(5, number if typed else "")
        expect(page.get_by_role("alert")).to_have_text(f"{error.value}.")
    kernel.fill("2")
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_label("position of the window").press("ArrowRight")
    expect(page.locator(".lenet-sentence")).to_contain_text("output[0, 1]")


def test_the_playground_plays_to_the_end_and_pools(show: Show) -> None:
    page = show(ConvPlayground(4))
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.locator(".lenet-sentence")).to_contain_text("output[1, 1]")
    page.get_by_role("button", name="Max pool").click()
    expect(page.locator(".lenet-formula code")).to_have_text("nn.MaxPool2d(kernel_size=3)")
    expect(page.locator(".lenet-sentence")).to_have_text(
        "output[0, 0]: the largest of 9 numbers is 9"
    )
    page.get_by_label("ceil_mode: round up").check()
    expect(page.locator(".lenet-formula code")).to_have_text(
        "nn.MaxPool2d(kernel_size=3, ceil_mode=True)"
    )
    expect(page.locator(".lenet-live")).to_have_text("⌈(4 − 3) / 3⌉ + 1 = 2")
    page.get_by_label("same for height and width").uncheck()
    page.get_by_role("textbox", name="padding width").fill("1")
    expect(page.locator(".lenet-formula code")).to_contain_text("padding=(0, 1)")
    page.get_by_role("button", name="Average pool").click()
    expect(page.get_by_role("textbox", name="dilation height")).to_be_hidden()


def test_the_playground_keeps_the_size(show: Show) -> None:
    page = show(ConvPlayground(8, 4, dilation=2))
    page.get_by_label("padding='same'").check()
    expect(page.locator(".lenet-formula code")).to_contain_text("padding='same'")
    expect(page.locator(".lenet-live")).to_have_text("⌊(8 + 2·3 − (2·(4 − 1) + 1)) / 1⌋ + 1 = 8")
    expect(page.get_by_role("textbox", name="padding")).to_be_disabled()
    page.get_by_role("button", name="more stride").click()
    with pytest.raises(ShapeError) as error:
        conv_windows(8, 4, 2, "same", 2)
    expect(page.get_by_role("alert")).to_have_text(f"{error.value}.")
    page.get_by_role("button", name="Max pool").click()
    expect(page.get_by_label("padding='same'")).to_be_hidden()
    expect(page.locator(".lenet-formula code")).not_to_contain_text("same")


def test_python_sees_the_same_padding() -> None:
    playground = ConvPlayground((7, 9), 4, padding="same")
    assert (playground.output_size, playground.padding) == ((7, 9), [0, 0])
    assert "padding='same'" in repr(playground)
    with pytest.raises(ShapeError, match="needs stride=1"):
        ConvPlayground(7, 3, 2, padding="same")
    with pytest.raises(ShapeError, match="padding is 'same'"):
        ConvPlayground(7, 3, padding="same", operation="max")


def test_the_focus_stays_in_the_playground(show: Show) -> None:
    page = show(ConvPlayground(4))
    following = page.get_by_role("button", name="Next")
    following.focus()
    for _ in range(4):
        page.keyboard.press("Enter")
    expect(page.locator(".lenet-sentence")).to_contain_text("output[1, 1]")
    expect(following).to_be_focused()
    back = page.get_by_role("button", name="Back")
    back.focus()
    for _ in range(4):
        page.keyboard.press("Enter")
    expect(back).to_be_focused()
    page.locator("svg.lenet-output").click()
    expect(page.get_by_role("application")).to_be_focused()
    for control in page.locator(".lenet-widget :is(button, input:not([type=range]), select)").all():
        if control.is_visible() and control.is_enabled():
            control.focus()
            control.press("Space")
            expect(control).to_be_focused()
            control.press("Escape")


@pytest.mark.parametrize("show", [{"reduced_motion": "reduce"}], indirect=True, ids=["still"])
def test_the_window_jumps_for_those_who_ask_for_less_motion(show: Show) -> None:
    page = show(ConvPlayground())
    window = page.locator("svg .lenet-window")
    assert window.evaluate("node => getComputedStyle(node).transitionProperty") == "none"


def test_a_stack_is_built_by_mouse(show: Show) -> None:
    page = show(ShapeCalculator(nn.Sequential(), (1, 28, 28)))
    for kind in ("Conv2d", "ReLU", "MaxPool2d", "Flatten", "Linear"):
        page.get_by_role("group", name="add a layer").get_by_role("button", name=kind).click()
    aloud = page.locator(".lenet-aloud")
    expect(aloud).to_have_text("5 layers fit. The output is (N, 10), with 8,806 parameters.")
    page.get_by_role("button", name="conv1", exact=True).click()
    page.get_by_role("textbox", name="padding").fill("2")
    expect(aloud).to_have_text(
        "fc1 expects 864 features, but flatten gives (N, 1176): 1176 features."
    )
    explanation = page.locator("tr.lenet-explanation")
    expect(explanation).to_contain_text(
        "mat1 and mat2 shapes cannot be multiplied (3x1176 and 864x10)"
    )
    page.get_by_role("button", name="Apply: in_features=1176 in fc1").click()
    expect(explanation).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(explanation).to_have_count(1)
    page.get_by_label("network").select_option("CifarLeNet")
    expect(page.locator(".lenet-totals")).to_contain_text(
        "62,006 parameters. 651,720 multiply-accumulates"
    )
    page.get_by_role("textbox", name="input channels").fill("1")
    expect(page.locator("tr.lenet-explanation .lenet-what")).to_contain_text(
        "conv1 expects 3 channels"
    )
    page.get_by_role("textbox", name="input channels").fill("")
    expect(page.locator("p.lenet-explanation")).to_have_text(
        "channels is '': it must be a whole number."
    )


def test_a_stack_is_changed_by_keyboard(show: Show) -> None:
    page = show(ShapeCalculator())
    names = page.locator(".lenet-name")
    page.get_by_role("button", name="pool1", exact=True).focus()
    page.keyboard.press("Alt+ArrowUp")
    assert names.all_inner_texts()[:3] == ["conv1", "pool1", "relu"]
    expect(page.get_by_role("button", name="pool1", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="pool1", exact=True)).to_have_attribute(
        "aria-expanded", "true"
    )
    kernel = page.get_by_role("textbox", name="kernel_size")
    kernel.press("ArrowUp")
    expect(kernel).to_have_value("3")
    expect(kernel).to_be_focused()
    expect(page.locator("tbody code").nth(1)).to_have_text("MaxPool2d(kernel_size=3)")
    kernel.fill("3, 2")
    expect(page.locator("tbody code").nth(1)).to_have_text("MaxPool2d(kernel_size=(3, 2))")
    kernel.fill("two")
    expect(page.locator("tr.lenet-explanation")).to_have_text(
        "pool1: kernel_size is 'two': it must be a whole number."
    )
    expect(page.get_by_role("button", name="Copy the PyTorch code")).to_be_hidden()
    page.get_by_role("button", name="pool1", exact=True).press("Delete")
    assert "pool1" not in names.all_inner_texts()
    expect(page.get_by_role("button", name="relu", exact=True)).to_be_focused()


def test_an_edit_is_one_step_and_can_be_given_up(show: Show) -> None:
    page = show(ShapeCalculator())
    codes, undo = page.locator("tbody code"), page.get_by_role("button", name="Undo")
    page.get_by_role("button", name="conv1", exact=True).click()
    padding = page.get_by_role("textbox", name="padding")
    field = padding.element_handle()
    padding.select_text()
    page.keyboard.type("1, 12")
    expect(codes.first).to_have_text("Conv2d(1, 6, kernel_size=5, padding=(1, 12))")
    assert page.evaluate("field => document.activeElement === field", field)  # not one made anew
    padding.press("Escape")
    expect(padding).to_have_value("2")
    expect(padding).to_be_focused()
    expect(codes.first).to_have_text("Conv2d(1, 6, kernel_size=5, padding=2)")
    expect(undo).to_have_attribute("aria-disabled", "true")
    padding.fill("10")
    page.keyboard.press("ArrowUp")
    kernel = page.get_by_role("textbox", name="kernel_size")
    kernel.fill("")
    kernel.fill("3")
    expect(codes.first).to_have_text("Conv2d(1, 6, kernel_size=3, padding=11)")
    page.get_by_role("textbox", name="input height").fill("29")
    for expected in ("28", "28"):
        undo.click()
        expect(page.get_by_role("textbox", name="input height")).to_have_value(expected)
    expect(codes.first).to_have_text("Conv2d(1, 6, kernel_size=5, padding=11)")
    undo.click()
    expect(codes.first).to_have_text("Conv2d(1, 6, kernel_size=5, padding=2)")
    expect(undo).to_be_focused()
    height = page.get_by_role("textbox", name="input height")
    height.fill("3")
    expect(page.locator(".lenet-incoming")).to_have_text("input (N, 1, 3, 28) → as far as conv2")
    height.press("Escape")
    expect(height).to_have_value("28")
    expect(page.locator(".lenet-incoming")).to_have_text("input (N, 1, 28, 28) → (N, 10)")


def test_the_focus_stays_in_the_calculator(show: Show) -> None:
    page = show(ShapeCalculator(nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU()), (1, 8, 8)))
    name = page.get_by_role("button", name="0", exact=True)
    name.press("Enter")
    page.get_by_role("textbox", name="kernel_size").press("Escape")
    expect(page.locator(".lenet-editor")).to_have_count(0)
    expect(name).to_be_focused()
    name.press("Enter")
    page.get_by_role("checkbox", name="bias").press("Space")
    expect(page.get_by_role("checkbox", name="bias")).to_be_focused()
    page.get_by_role("button", name="Move down 0").press("Enter")
    expect(name).to_be_focused()
    page.get_by_role("button", name="Delete 0").press("Enter")
    expect(page.get_by_role("button", name="1", exact=True)).to_be_focused()
    page.keyboard.press("Delete")  # the last layer
    adding = page.get_by_role("group", name="add a layer").get_by_role("button", name="Conv2d")
    expect(adding).to_be_focused()
    adding.press("Enter")
    expect(page.get_by_role("button", name="conv1", exact=True)).to_be_focused()
    preset = page.get_by_role("combobox", name="network")
    preset.focus()
    preset.select_option("LeNet5Linear on 32×32 images")
    expect(preset).to_be_focused()
    page.get_by_role("button", name="Apply").first.press("Enter")
    assert page.evaluate("document.activeElement.dataset.key").startswith("name ")


@pytest.mark.parametrize(
    "show", [{"forced_colors": "active"}, {"forced_colors": "active", "color_scheme": "dark"}],
    indirect=True, ids=["light", "dark"],
)  # fmt: skip
def test_states_show_in_the_readers_own_colours(show: Show) -> None:
    def style(selector: str, name: str) -> str:
        return page.locator(selector).first.evaluate(f"node => getComputedStyle(node).{name}")

    page = show(ConvPlayground(6, 3, 2, 1))
    ground = style(".lenet-widget", "backgroundColor")
    pressed, other = ('[aria-pressed="true"]', '[aria-pressed="false"]')
    assert style(pressed, "backgroundColor") != style(other, "backgroundColor")
    assert style("svg.lenet-output .lenet-outline", "stroke") not in (ground, "none")
    assert style(".lenet-window .lenet-outline", "stroke") not in (ground, "none")
    assert style(".lenet-window .lenet-grip", "stroke") == ground  # on any pixels
    assert style("svg.lenet-output .lenet-empty", "stroke") != ground
    black = page.locator("svg.lenet-input .lenet-pixel").first
    assert black.evaluate("node => getComputedStyle(node).fill") == "rgb(0, 0, 0)"
    assert black.evaluate("node => getComputedStyle(node.nextSibling).fill") == "rgb(255, 255, 255)"
    weight_cell(page).fill("no")
    assert style("[aria-invalid=true]", "outlineStyle") == "dashed"
    page = show(misfit())
    assert style("tr.lenet-wrong th", "borderTopWidth") == "2px"
    assert style("tr.lenet-wrong th", "borderTopColor") != style(".lenet-widget", "backgroundColor")


A_SHEET = {"viewport": {"width": 720, "height": 1000}}


@pytest.mark.parametrize("show", [A_SHEET], indirect=True, ids=["sheet"])
@pytest.mark.parametrize("widget", [lambda: ConvPlayground(24, 7), lambda: ShapeCalculator()])
def test_they_print_whole(show: Show, widget: Callable[[], Any]) -> None:
    page = show(widget())
    page.emulate_media(media="print")
    clipped = page.evaluate(
        """[...document.querySelectorAll(".lenet-widget *")]
        .filter((node) => !node.closest(".lenet-aloud, svg, select") && node.clientWidth)
        .filter((node) => node.scrollWidth > node.clientWidth + 1)
        .map((node) => node.outerHTML.slice(0, 120))"""
    )
    assert not clipped
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    adjust = "getComputedStyle(document.querySelector('.lenet-widget')).printColorAdjust"
    assert page.evaluate(adjust) == "exact"


def small_texts(page: Page) -> list[str]:
    """What is written smaller than 12 pixels."""
    return page.evaluate(
        """[...document.querySelectorAll(".lenet-widget *:not(title, .lenet-aloud)")]
        .filter((node) => [...node.childNodes].some((part) => part.nodeType === 3))
        .filter((node) => node.getClientRects().length)
        .filter((node) => {
          const scale = node.closest("svg")?.getScreenCTM().a ?? 1;
          return parseFloat(getComputedStyle(node).fontSize) * scale < 11.9;
        }).map((node) => node.outerHTML)"""
    )


COLUMN = "body {{ width: {}px; max-width: none; margin: 0 auto; padding: 0 }}"


@pytest.mark.parametrize(
    "show", [{"viewport": {"width": 1280, "height": 800}}], indirect=True, ids=["1280"]
)
@pytest.mark.parametrize("column", [688, 1248])
def test_cause_and_effect_are_in_one_view(show: Show, column: int) -> None:
    """In the width that a page leaves, below a heading of 80 pixels."""
    page = show(ConvPlayground(8, 3, 2, 1))
    page.add_style_tag(content=COLUMN.format(column))
    whole = page.locator(".lenet-board").bounding_box()
    assert whole is not None
    assert whole["height"] <= 720
    assert not small_texts(page)
    page = show(ShapeCalculator())
    page.add_style_tag(content=COLUMN.format(column))
    table = page.locator(".lenet-layers").bounding_box()
    assert table is not None
    assert table["y"] + table["height"] <= 720
    assert not small_texts(page)


@ON_A_PHONE
def test_nothing_is_too_small_or_too_wide_on_a_phone(show: Show) -> None:
    for widget in (
        ConvPlayground((24, 20), 5, padding=2),
        misfit(),
    ):
        page = show(widget)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert not small_texts(page)
    page = show(ConvPlayground())
    box = page.locator(".lenet-formula").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= PHONE["height"]


@pytest.mark.parametrize(
    "show",
    [{"permissions": ["clipboard-read", "clipboard-write"]}],
    indirect=True,
    ids=["clipboard"],
)
def test_code_is_copied(show: Show) -> None:
    page = show(ShapeCalculator(NarrowLeNet()))
    page.get_by_role("button", name="Copy the PyTorch code").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    space: dict[str, Any] = {"print": lambda *_: None}
    exec(page.evaluate("navigator.clipboard.readText()"), space)
    assert sum(p.numel() for p in space["model"].parameters()) == 32998


def test_hostile_names_are_text(show: Show) -> None:
    calculator = ShapeCalculator(nn.Sequential(nn.ReLU(), nn.Linear(3, 4)))
    hostile = "<img src=x onerror=alert(1)>\nimport os"
    calculator.layers = [
        {**layer, "name": f"{hostile}{i}"} for i, layer in enumerate(calculator.layers)
    ]
    page = show(calculator)
    assert page.locator(".lenet-name").first.text_content() == f"{hostile}0"
    assert page.locator(".lenet-widget img").count() == 0
    code = ast.parse(page.locator("pre").inner_text())
    imported = [alias.name for node in ast.walk(code) for alias in getattr(node, "names", [])]
    assert imported == ["OrderedDict", "torch", "nn"]
    expect(page.locator("tr.lenet-explanation .lenet-what")).to_contain_text("<img src=x")
