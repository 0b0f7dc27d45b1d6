"""The stepper: its engine against PyTorch, and the widget in a browser."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from torch import Tensor, nn

from lenet import tracing
from lenet.shapes import ShapeError, trace
from lenet_book.widgets import ForwardStepper
from lenet_book.widgets.calculator.kinds import offered
from lenet_book.widgets.shared.arrays import pack
from lenet_book.widgets.stage.program import program_of
from tests.learners_networks import NETWORKS, build

ROOT = Path(__file__).parents[3]
JS = Path(__file__).parent
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="no node was found")


def round_weights(model: nn.Module, dtype: torch.dtype) -> nn.Module:
    for parameter in model.parameters():
        parameter.data = parameter.data.to(dtype).float()
    return model


def write_case(
    folder: Path, name: str, model: nn.Module, images: Tensor, dtype: torch.dtype
) -> None:
    """Write a network and pictures for `run_engine.js`."""
    program = program_of(tracing.record(model, images), images, dtype)
    assert [i["reason"] for i in program.instructions if "reason" in i] == []
    entries, data = pack({**program.arrays, "pictures": images})
    meta = {"steps": program.instructions, "arrays": entries}
    (folder / f"{name}.json").write_text(json.dumps(meta), encoding="utf-8")
    (folder / f"{name}.bin").write_bytes(data)


def compute(folder: Path, dtype: torch.dtype, *, rounded: bool) -> dict[str, tuple[Tensor, Tensor]]:
    """By network, all activations (N, ...) by the engine and by PyTorch, float32.

    The engine has weights rounded to `dtype`; PyTorch has the same ones, or the exact ones.
    """
    expected = {}
    for name in NETWORKS:
        exact, images = build(name)
        model = round_weights(copy.deepcopy(exact), dtype)
        write_case(folder, name, model, images, dtype)
        steps = tracing.record(model if rounded else exact, images)
        layers = [images, *(step.output for step in steps)]
        expected[name] = torch.cat([layer.flatten(1) for layer in layers], 1)
    subprocess.run([NODE, JS / "run_engine.js", folder], check=True, timeout=120)
    outputs = {name: np.fromfile(folder / f"{name}.out", "<f4") for name in NETWORKS}
    return {name: (torch.tensor(outputs[name]).reshape(e.shape), e) for name, e in expected.items()}


@needs_node
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_the_engine_equals_pytorch_on_every_layer(tmp_path: Path, dtype: torch.dtype) -> None:
    for name, (found, expected) in compute(tmp_path, dtype, rounded=True).items():
        assert float((found - expected).abs().max()) <= 1e-4, name


def inside(activation: nn.Module) -> nn.Sequential:
    """A small network around an activation, with numbers far below and above 0 on its way."""
    torch.manual_seed(3)
    layers = nn.Sequential(nn.Conv2d(1, 3, 3), activation, nn.Flatten(), nn.Linear(192, 4))
    layers[0].weight.data *= 8
    return layers.eval()


@pytest.mark.parametrize(
    "activation", [nn.ELU(), nn.ELU(0.3), nn.GELU(), nn.GELU(approximate="tanh")], ids=str
)
def test_an_activation_of_the_table_is_known_everywhere(
    tmp_path: Path, activation: nn.Module
) -> None:
    model, images = inside(activation), torch.randn(2, 1, 10, 10)
    conv, row, *_ = trace(model, (1, 10, 10)).rows
    usual = {"ELU(alpha=1.0)": "ELU()", "GELU(approximate='none')": "GELU()"}
    assert row.operation == usual.get(str(activation), str(activation))
    assert (row.receptive_field, row.num_macs) == (conv.receptive_field, 0)
    forgotten = trace(nn.Sequential(model[0], activation, model[3]), (1, 10, 10)).explanation
    assert [fix.text for fix in forgotten.fixes] == ["nn.Flatten() before model[2]"]
    name = type(activation).__name__
    assert (offered()[name]["stem"], offered()[name]["pointwise"]) == (name.lower(), True)
    if NODE is not None:
        write_case(tmp_path, "case", model, images, torch.float32)
        subprocess.run([NODE, JS / "run_engine.js", tmp_path], check=True, timeout=120)
        layers = [images, *(step.output for step in tracing.record(model, images))]
        expected = torch.cat([layer.flatten(1) for layer in layers], 1)
        found = torch.tensor(np.fromfile(tmp_path / "case.out", "<f4")).reshape(expected.shape)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


@needs_node
def test_half_precision_changes_activations_by_a_thousandth(tmp_path: Path) -> None:
    for name, (found, expected) in compute(tmp_path, torch.float16, rounded=False).items():
        assert float((found - expected).abs().max()) <= 1e-3 * float(expected.abs().max()), name


@needs_node
def test_the_front_end_alone() -> None:
    """The tests that are themselves written in JavaScript."""
    done = subprocess.run(
        [NODE, "--test", *JS.glob("*.test.js")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout


def stepper(**options: Any) -> ForwardStepper:
    model, images = build("narrow")
    return ForwardStepper(model, images, **options)


def test_it_describes_itself_the_same_every_time() -> None:
    assert repr(stepper()) == "ForwardStepper(NarrowLeNet, 2 pictures, step 0 of 13)"


def test_python_moves_the_view() -> None:
    widget = stepper(step=2)
    widget.picked = [5, 23, 0]
    widget.step = 1  # of the same shape
    assert widget.picked == [5, 23, 0]
    widget.step = 7
    assert widget.picked == []
    widget.step = 99
    assert widget.step == 13
    with pytest.raises(traitlets.TraitError, match=r"picked is \[10\]; step 13 has shape \[10\]"):
        widget.picked = [10]
    for drawn_or_brought in (-1, -2):
        widget.sample = drawn_or_brought
    for missing in (2, -3):
        with pytest.raises(traitlets.TraitError, match=r"0 to 1, the drawn one is -1, .* is -2"):
            widget.sample = missing


def test_the_page_moves_step_and_unit_at_once() -> None:
    widget = stepper(step=2)
    widget.set_state({"picked": [3], "step": 13})
    assert (widget.step, widget.picked) == (13, [3])


def test_the_model_is_left_alone() -> None:
    model, images = build("normalised")
    model.train()
    before = copy.deepcopy(model.state_dict())
    ForwardStepper(model, images, dtype=torch.float16)
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="3 class names for 10 outputs"):
        stepper(classes=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"labels must be whole numbers \(2,\), one for each"):
        stepper(labels=[1])
    with pytest.raises(ValueError, match="there are 10 classes"):
        stepper(labels=[1, 10])
    with pytest.raises(ValueError, match=r"torch\.float32 or torch\.float16"):
        stepper(dtype=torch.float64)
    with pytest.raises(ShapeError, match="32"):
        ForwardStepper(build("narrow")[0], torch.zeros(1, 1, 32, 32))
    large = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    nn.init.constant_(large[1].weight, 1e6)
    with pytest.raises(ValueError, match=r"too large for torch\.float16"):
        ForwardStepper(large, torch.zeros(1, 1, 2, 2), dtype=torch.float16)


def test_pixels_are_normalised_in_the_page() -> None:
    pixels = torch.randint(0, 256, (3, 1, 28, 28), dtype=torch.uint8)
    widget = ForwardStepper(build("narrow")[0], pixels, mean=[0.5], std=[0.25])
    pictures = widget.meta["arrays"][-1]
    assert (pictures["name"], pictures["dtype"]) == ("pictures", "uint8")
    assert (widget.meta["mean"], widget.meta["std"]) == ([0.5], [0.25])


def test_equal_weights_are_packed_once() -> None:
    shared = nn.Linear(6, 6)
    model = nn.Sequential(nn.Flatten(), shared, nn.ReLU(), shared)
    names = [a["name"] for a in ForwardStepper(model, torch.zeros(1, 1, 2, 3)).meta["arrays"]]
    assert names == ["weight2", "bias2", "pictures"]


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (nn.Mish(), "none of the operations"),
        (nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"), "pads with 'reflect'"),
        (nn.BatchNorm2d(1, track_running_stats=False), "statistics of this batch"),
        (nn.Softmax(dim=2), "does not run over the scores"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_what_the_page_cannot_compute_is_recorded(operation: nn.Module, reason: str) -> None:
    images = torch.rand(2, 1, 4, 4)
    widget = ForwardStepper(nn.Sequential(operation, nn.Flatten(), nn.Linear(16, 2)), images)
    recorded, *others = widget.meta["steps"][1:]
    assert recorded["kind"] == "recorded"
    assert reason in recorded["reason"]
    assert [step["kind"] for step in others] == ["reshape", "linear", "softmax"]


def test_the_first_state_is_html_without_a_script() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    model, images = build("lenet5")
    widget = ForwardStepper(model, images, classes=[hostile, *"123456789"])
    poster = widget.meta["poster"]
    with torch.no_grad():
        shares = model(images[:1]).softmax(1)[0]
    best = int(shares.argmax())
    assert f"{100 * float(shares[best]):.1f}\N{NO-BREAK SPACE}%" in poster
    assert poster.count("<li>") == len(widget.meta["steps"])
    assert all(f"<span>{step['name']}<br>" in poster for step in widget.meta["steps"][1:])
    assert hostile not in poster
