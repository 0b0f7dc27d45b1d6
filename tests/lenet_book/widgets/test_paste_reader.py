"""Pasted code is read as the package runs it: row for row, diagnosis for diagnosis."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from lenet.shapes import ShapeTable, trace
from tests.lenet.shapes.test_printed_fixes import STYLES, broken_network, num_pictures
from tests.lenet_book.widgets.test_shape_widgets import RunScript, rows_of, run_script
from tests.sources import load_file

__all__ = ["run_script"]

SCRIPT = "paste/repairs.js"
READ = """data.map(([code, imageShape, isExplained]) => {
  const reading = readNetwork(code, imageShape ? { imageShape } : {});
  const explanation = isExplained ? explainReading(reading) : null;
  return { ...reading, program: null, explanation };
})"""
ROW = (
    "name", "operation", "formula", "note", "outputShape", "numParameters", "numMacs",
    "numBiasAdditions", "receptiveField", "jump",
)  # fmt: skip
HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"


def code_at(code: str, place: dict[str, int]) -> str:
    return code[place["from"] : place["to"]]


def agree(reading: dict[str, Any], code: str, table: ShapeTable) -> None:
    """The rows with their places, the totals, and what is wrong are those of the package."""
    assert reading["refusal"] is None
    assert reading["unread"] == []
    found = [{key: row[key] for key in ROW} for row in reading["rows"]]
    for row in found:
        if row["name"] == "to":  # on which device is not followed
            row["operation"] = "to(dtype=device(type='cpu'))"
    assert found == rows_of(table)
    for row, expected in zip(reading["rows"], table.rows, strict=True):
        if expected.step.place.line is not None:
            written = " ".join(code_at(code, row["place"]).split())
            assert written == " ".join(expected.step.place.code.split())
            assert row["place"]["line"] == expected.step.place.line
    assert reading["numParameters"] == table.num_parameters
    what = reading["problem"] and reading["problem"]["what"]
    assert what == (table.explanation and table.explanation.what)


# ---------------------------------------------------------------- networks that are broken


def mended(code: str, edits: list[dict[str, Any]]) -> str:
    for edit in sorted(edits, key=lambda edit: edit["from"], reverse=True):
        assert code[edit["from"] : edit["to"]] == edit["old"]
        code = code[: edit["from"]] + edit["new"] + code[edit["to"] :]
    return code


UNMENDED = {100, 125}  # channels in a loop's table; the shape of a parameter, used by a function
READ_STYLES = [style for style in STYLES if style != "torchvision"]


@pytest.mark.parametrize("style", READ_STYLES)
@pytest.mark.parametrize(
    "rounds", [range(3), pytest.param(range(3, 25), marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_a_broken_network_is_read_explained_and_mended(style, rounds, run_script, tmp_path):
    seeds = [list(STYLES).index(style) + len(STYLES) * number for number in rounds]
    networks = [(seed, *broken_network(seed, tmp_path)) for seed in seeds]
    networks = [(s, p, x) for s, p, x in networks if x.dim() == 4 and x.dtype is torch.float32]
    data = [(path.read_text(), tuple(x.shape[1:]), True) for _, path, x in networks]
    for (seed, path, images), reading in zip(networks, run_script(SCRIPT, READ, data), strict=True):
        code = path.read_text()
        agree(reading, code, trace(load_file(path).Net(), tuple(images.shape[1:])))
        fixes = reading["explanation"]["fixes"]
        assert fixes or seed in UNMENDED
        for fix in fixes:
            copy = path.with_stem(f"{path.stem}_mended")
            copy.write_text(mended(code, fix["edits"]))
            pictures = torch.rand(len(images), *fix.get("imageShape", images.shape[1:]))
            output = load_file(copy).Net().eval()(pictures)
            assert output.shape == (num_pictures(images), 10), fix["text"]
            assert set(fix["lines"]) <= {line.strip() for line in copy.read_text().splitlines()}


# ---------------------------------------------------------------- networks as people post them


@dataclass(frozen=True)
class Pasted:
    """A network in `pasted_networks.txt`.

    Attributes:
        style: what is special in how it is written.
        shape: of one image.
        refused: what of it is named as not understood; empty where all is.
        code: all of it, with the imports that snippets leave out.
    """

    style: str
    shape: tuple[int, ...]
    refused: str
    code: str


def pasted_networks() -> list[Pasted]:
    text = Path(__file__).with_name("pasted_networks.txt").read_text(encoding="utf-8")
    found = []
    for part in text.split("#% ")[1:]:
        head, _, code = part.partition("\n")
        sizes, *marks, style = (piece.strip() for piece in head.split("|"))
        refused = marks[0].removeprefix("refused ") if marks else ""
        shape = tuple(map(int, sizes.split("x")))
        found.append(Pasted(style, shape, refused, HEAD + code))
    return found


@pytest.fixture(scope="module")
def readings(run_script: RunScript) -> dict[str, dict[str, Any]]:
    networks = pasted_networks()
    found = run_script(SCRIPT, READ, [(each.code, each.shape, False) for each in networks])
    return {each.style: reading for each, reading in zip(networks, found, strict=True)}


class Lightning(nn.Module):
    """In place of a package that is not installed here."""

    def save_hyperparameters(self) -> None:
        pass


def loaded(code: str, path: Path, name: str) -> nn.Module:
    path.write_text(code, encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()):
        found = getattr(load_file(path), name)
    return found if isinstance(found, nn.Module) else found()


@pytest.mark.parametrize("pasted", pasted_networks(), ids=lambda pasted: pasted.style)
def test_a_network_as_people_post_it(pasted, readings, tmp_path, monkeypatch):
    reading = readings[pasted.style]
    if pasted.refused:
        assert any(pasted.refused in unread["what"] for unread in reading["unread"])
        assert not reading["rows"] or not reading["rows"][-1]["isKnown"] or reading["unread"]
        return
    lightning = ModuleType("pytorch_lightning")
    monkeypatch.setattr(lightning, "LightningModule", Lightning, raising=False)
    monkeypatch.setitem(sys.modules, "pytorch_lightning", lightning)
    model = loaded(pasted.code, tmp_path / "pasted.py", reading["network"])
    agree(reading, pasted.code, trace(model, pasted.shape))


def test_most_of_them_are_understood_whole():
    networks = pasted_networks()
    assert len(networks) >= 60
    assert sum(not each.refused for each in networks) >= 54


# ---------------------------------------------------------------- what else is pasted

NET = """
class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 5)
        self.fc = nn.Linear(4 * 12 * 12, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        return self.fc(x.flatten(1))
"""


def read(run_script: RunScript, code: str, shape: tuple[int, ...] | None = None) -> dict[str, Any]:
    (reading,) = run_script(SCRIPT, READ, [(code, shape, True)])
    return reading


@pytest.mark.parametrize(
    ("script", "shape", "classes"),
    [
        ("", (1, 28, 28), 10),
        ("net = Net(7)\n", (1, 28, 28), 7),
        ("images = torch.randn(16, 1, 28, 28)\n", (1, 28, 28), 10),
        ("def main():\n    net = Net(classes=3)\n    net(torch.zeros(2, 1, 30, 28))\n\nmain()\n",
         (1, 30, 28), 10),
        ("net = Net(5).cuda()\nx = torch.rand((8, 1, 29, 28))\nprint(net(x).shape)\n",
         (1, 29, 28), 5),
    ],
)  # fmt: skip
def test_a_script_says_what_goes_in(script, shape, classes, run_script):
    reading = read(run_script, NET + script)
    assert tuple(reading["imageShape"]) == shape
    assert reading["numParameters"] == 104 + 576 * classes + classes
    assert not reading["unread"]


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("nn.Conv2d(1, 4, 5)", (1, 28, 28)),
        ("nn.Conv2d(3, 4, 5)", (3, 32, 32)),
        ("nn.Conv1d(2, 4, 5)", (2, 128)),
        ("nn.Conv3d(1, 4, 5)", (1, 16, 16, 16)),
        ("nn.ConvTranspose2d(100, 4, 5)", (100, 1, 1)),
        ("nn.Linear(20, 4)", (20,)),
        ("nn.Flatten(), nn.Linear(784, 4)", (1, 28, 28)),
        ("nn.Flatten(), nn.Linear(3072, 4)", (3, 32, 32)),
    ],
)
def test_the_shape_of_an_image_follows_from_the_first_layer(layer, shape, run_script):
    reading = read(run_script, f"model = nn.Sequential({layer}, nn.ReLU())\n")
    assert tuple(reading["imageShape"]) == shape
    assert reading["problem"] is None


def session(code: str) -> str:
    """Prompt for every line, as Python does where code is typed in."""
    lines = code.strip().splitlines()
    return "".join(f"{'...' if line[:1] in ' ' else '>>>'} {line}\n" for line in lines)


@pytest.mark.parametrize(
    "code",
    [
        NET.replace("\n", "\r\n"),
        f"!pip install torch\n%matplotlib inline\n{NET}",
        NET.replace("    ", "\t"),
        NET.replace("nn.", ""),
        session(NET) + ">>> Net()(torch.rand(2, 1, 28, 28)).shape\ntorch.Size([2, 10])\n",
        NET.replace("x =", 'print "pictures", x\n        x ='),
        NET.replace("x =", 'assert x.dim() == 4, f"{x.shape} has not 4 axes"\n        x ='),
        NET.replace("x", "bilder_ä").replace("mabilder_ä_pool", "max_pool"),
        NET + "\nwhile True:\n    pass\n",
        NET + "\nfor a in range(10 ** 9):\n    for b in range(10 ** 9):\n        c = a / 2.\n",
        NET + "\n" + "# " + "ä" * 100_000 + "\n",
        NET + "".join(f"\nvalue_{i} = [{i}, {i} * 2, 'text']" for i in range(3_000)),
    ],
    ids=[
        "windows",
        "notebook",
        "tabs",
        "bare names",
        "session",
        "python 2",
        "assert",
        "unicode",
        "endless",
        "long",
        "100 kB",
        "script",
    ],
)
def test_it_is_read_all_the_same(code, run_script):
    reading = read(run_script, code)
    assert [row["outputShape"] for row in reading["rows"]][-1] == ["N", 10]
    assert not reading["unread"]


@pytest.mark.parametrize(
    ("code", "line", "what"),
    [
        (NET.replace("1, 4, 5)", "1, 4, 5"), 6, "is not expected here|is missing"),
        (NET.replace("def forward(self, x):", "def forward(self, x)"), 8, "is missing"),
        ("x = " + "(" * 2_000 + "1" + ")" * 2_000, 1, "nested more than"),
        ("x = " + "[" * 60_000, 1, "nested more than|is missing"),
        ("print('hello')\n", 1, "no network was found"),
        ("", 1, "no network was found"),
    ],
    ids=["bracket", "colon", "deep", "deeper", "none", "empty"],
)
def test_what_is_no_network_is_refused(code, line, what, run_script):
    refusal = read(run_script, code)["refusal"]
    assert refusal["place"]["line"] == line
    assert re.search(what, refusal["what"])


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("x = my_function(x)", "my_function is not defined here"),
        ("x = F.grid_sample(x, x)", "what torch.nn.functional.grid_sample gives"),
        ("while True: x = x + 1", "more steps"),
        ("x = self.missing(x)", "self.missing is not set"),
        ("if x.sum() > 0: x = x[:1]", "depends on numbers"),
        ("x = x[x > 0]", "an index that is a tensor"),
        ("x = self.forward(x)", "calls itself too often"),
    ],
)
def test_what_is_not_understood_is_named_and_nothing_is_guessed(line, what, run_script):
    code = NET.replace("        x = F.max", f"        {line}\n        x = F.max")
    reading = read(run_script, code, (1, 28, 28))
    assert reading["problem"] is None
    assert what in reading["unread"][0]["what"]
    assert reading["unread"][0]["place"]["line"] == 9
    assert not any(row["isKnown"] for row in reading["rows"] if row["place"]["line"] > 9)
    assert reading["command"] == "python -m lenet shapes mymodel.py:Net --input 1x28x28"


def test_nothing_is_run():
    scripts = Path(__file__).parents[3] / "book" / "lenet_book" / "widgets" / "paste"
    for script in scripts.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert "eval(" not in text.replace("#eval(", ""), script.name
        assert "new Function" not in text, script.name
