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
        ("def test():\n    print(Net(2)(torch.rand(9, 1, 28, 29)))\n\n# test()\n", (1, 28, 29), 2),
        ("net = nn.Sequential(Net(3), nn.ReLU())\nx = torch.rand(9, 1, 28, 28)\n"
         "for part in net:\n    x = part(x)\n", (1, 28, 28), 3),
        ("def main():\n    net = Net(classes=3)\n    net(torch.zeros(2, 1, 30, 28))\n\nmain()\n",
         (1, 30, 28), 3),
        ("from torchsummary import summary\nsummary(Net(4), (1, 31, 30))\n", (1, 31, 30), 4),
        ("import torchinfo\nm = Net(6)\ntorchinfo.summary(m, input_size=(8, 1, 31, 30))\n",
         (1, 31, 30), 6),
        ("data = torchvision.datasets.CIFAR10('.')\ndata = FashionMNIST('.')\n", (1, 28, 28), 10),
        ("t = transforms.Compose([transforms.Resize(32), transforms.CenterCrop((28, 29))])\n",
         (1, 28, 29), 10),
        ("x = torch.from_numpy(np.zeros((8, 1, 28, 29)))\n", (1, 28, 29), 10),
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
        f"Hello, this is my network:\n\n```python{NET}```\nWhy doesn't it work (see above)?\n",
        f"I have this (see below\n- class of images: 3\n{NET}Then x = 3, and I get\n  * nothing\n",
        "\n".join(f"> {line}" for line in NET.strip().split("\n")),
        f"{NET.rstrip()}\n            ",
        NET.replace(
            "self.fc =", "self.dropout = nn.Dropout(1. if classes > 9. else 0.)\n        self.fc ="
        ),
        NET.replace("nn.Module", "PreTrainedModel"),
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
        "letter",
        "open brackets",
        "quoted",
        "last line",
        "last points",
        "base of elsewhere",
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
        ("model = nn.Sequential(nn.Linear(2, 3) nn.ReLU())\n", 1, "nn is not expected here"),
        (f"{NET}x = torch.rand(2, 1, 28, 28))\n", 11, "is not expected here"),
        ("model = resnet18()\n", 1, "resnet18 is not defined here"),
        (NET.replace("4 * 12 * 12", "4 * 9 * 9"), 8, "how large the pictures are"),
        ("print('hello')\n", 1, "no network was found"),
        ("", 1, "no network was found"),
    ],
    ids=["bracket", "colon", "deep", "deeper", "comma", "closed", "lost", "size", "none", "empty"],
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
        ("assert x.size(2) == 3, 'of three rows'", "x.size(2) == 3 does not hold"),
        ("x, other = x", "several inputs in one"),
        ("match x:\n            case 1: x = x", "match x: is not understood"),
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


def test_a_network_without_forward_is_said_to_be_one(run_script):
    reading = read(run_script, NET.replace("forward", "foward") + "net = Net()\n", (1, 28, 28))
    assert reading["unread"][0]["what"] == "Net has no method forward"


def test_a_forward_without_a_return_is_named(run_script):
    reading = read(run_script, NET.replace("return self.fc", "self.fc"), (1, 28, 28))
    assert "without a return" in reading["unread"][0]["what"]


def test_layers_are_changed_afterwards(run_script, tmp_path):
    more = "net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(6, 2))\nnet[-1] = nn.Linear(8, 4)\n"
    code = f"{HEAD}{more}net[0].stride = (2, 3)\nnet.insert(1, nn.ReLU())\n"
    reading = read(run_script, code, (1, 12, 25))
    agree(reading, code, trace(loaded(code, tmp_path / "pasted.py", "net"), (1, 12, 25)))


ZOO = """
class Net(nn.Module):
    def __init__(self, block, widths):
        super().__init__()
        self.body = nn.Sequential(*(block(width, width) for width in widths))

    def forward(self, x):
        return self.body(x)

def small():
    return Net(nn.Linear, [5])

def large():
    return Net(nn.Linear, [5, 5])
"""


def test_a_class_that_needs_more_is_made_as_a_function_makes_it(run_script):
    assert len(read(run_script, ZOO)["rows"]) == 1


UNKNOWN_LOOP = """
class Net(nn.Module):
    def __init__(self, settings):
        super().__init__()
        layers, self.more, self.last = [], nn.ModuleList(), nn.ReLU()
        for width in settings.widths:
            FILLED
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        for each in self.more:
            x = each(x)
        return self.last(self.body(x))
"""


@pytest.mark.parametrize(
    "filled",
    ["layers.append(nn.ReLU())",
     "self.more.insert(0, nn.ReLU())", "layers += [nn.ReLU()]", "self.more.append(nn.ReLU())",
     "self.more.add_module('a', nn.ReLU())", "self.last = nn.Linear(28, width)"],
)  # fmt: skip
def test_what_a_loop_over_something_unknown_fills_is_unknown(filled, run_script):
    reading = read(run_script, UNKNOWN_LOOP.replace("FILLED", filled), (1, 28, 28))
    assert any("settings.widths is not known" in each["what"] for each in reading["unread"])


BLOCKS_BY_NAME = """
class Block(nn.Module):
    def __init__(self, before, after, kernel, padding):
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, padding=padding)

    def forward(self, x):
        return F.max_pool2d(self.conv(x), 2)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1 = Block(1, 2, 9, 0)
        self.block2 = Block(2, 6, 5, padding=0)
        self.fc = nn.Linear(54, 10)

    def forward(self, x):
        return self.fc(self.block2(self.block1(x)).flatten(1))
"""


def test_a_fix_edits_the_argument_of_the_call_that_it_names(run_script):
    fixes = read(run_script, BLOCKS_BY_NAME, (1, 24, 24))["explanation"]["fixes"]
    lines = {fix["text"]: fix["lines"] for fix in fixes}
    assert lines["padding=2 in block1.conv"] == ["self.block1 = Block(1, 2, 9, 2)"]
    assert lines["padding=1 in block2.conv"] == ["self.block2 = Block(2, 6, 5, padding=1)"]


RESIDUAL = """
class Block(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.conv = nn.Conv2d(before, after, 3, stride=2, padding=1)

    def forward(self, x):
        return F.relu(self.conv(x) + x)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block(3, 8)

    def forward(self, x):
        return self.block(x)
"""


def test_a_convolution_is_put_on_a_shortcut(run_script, tmp_path):
    fixes = read(run_script, HEAD + RESIDUAL, (3, 12, 12))["explanation"]["fixes"]
    (fix,) = (fix for fix in fixes if fix["text"] == "a 1×1 convolution on x")
    model = loaded(mended(HEAD + RESIDUAL, fix["edits"]), tmp_path / "mended.py", "Net")
    assert model(torch.rand(2, 3, 12, 12)).shape == (2, 8, 6, 6)
    assert model.block.shortcut.kernel_size == (1, 1)


SHARED_ARGUMENTS = """
class Block(nn.Module):
    def __init__(self, before, after, **more):
        super().__init__()
        self.conv = nn.Conv2d(before, after, **more)
        self.norm = nn.BatchNorm2d(after)

    def forward(self, x):
        return self.norm(self.conv(x))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = Block(1, 4, kernel_size=3)
        self.two = Block(8, 4, kernel_size=3)

    def forward(self, x):
        return self.two(self.one(x))
"""


def test_an_argument_that_serves_several_layers_is_edited_once(run_script):
    fixes = read(run_script, SHARED_ARGUMENTS, (1, 24, 24))["explanation"]["fixes"]
    lines = {fix["text"]: fix["lines"] for fix in fixes}
    assert lines["in_channels=4 in two.conv"] == ["self.two = Block(4, 4, kernel_size=3)"]
    assert lines["out_channels=8 in one.conv"] == ["self.one = Block(1, 8, kernel_size=3)"]


TWO_INPUTS = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.fc = nn.Linear(72 + 48, 2)

    def forward(self, image, strip):
        both = [self.conv(each).flatten(1) for each in (image, strip)]
        return self.fc(torch.cat(both, 1))
"""


def test_a_second_input_is_as_the_script_gives_it(run_script, tmp_path):
    script = "net = Net()\nnet(torch.rand(4, 1, 8, 8), torch.rand(4, 1, 8, 6))\n"
    reading = read(run_script, HEAD + TWO_INPUTS + script)
    model = loaded(HEAD + TWO_INPUTS, tmp_path / "pasted.py", "Net")
    agree(reading, HEAD + TWO_INPUTS + script, trace(model, [(1, 8, 8), (1, 8, 6)]))
    assert reading["command"].endswith("--input 1x8x8 --input 1x8x6")
    assert "strip is not given" in read(run_script, TWO_INPUTS)["unread"][0]["what"]


# What a reader may compute a size with: each line or block gives `n`, here as in Python.
PYTHON = """
n = len([1, 2, 3]) + int(7.9) + int("12") + round(2.5) + abs(-3) + pow(2, 3)
n = max([3, 9]) * min(4, 2) - sum(v for v in range(3)) + bool([1])
n = sorted([3, 1, 2])[0] + list(reversed([1, 2]))[0] + len(set([1, 1, 2])) + tuple([4, 5])[1]
n = [i + k for i, k in enumerate([5, 6], 1)][1] + [a * b for a, b in zip([1, 2], [3, 4])][1]
n = list(map(lambda v, w=2: v * w, [1, 2]))[1] + (3 if any([0, 1]) and all([1, 1]) else 4)
n = (type(3) == int) + (type((1,)) == tuple) + (type("a") == list) + (6 & 3) + (6 | 1) + (1 << 2)
n = isinstance(3, int) + isinstance("a", str) + isinstance([1], (tuple, list)) + callable(len)
n = math.floor(3.7) + math.ceil(3.2) + int(math.sqrt(16)) + int(math.log2(8)) + math.prod([2, 3])
n = int(math.log(8, 2) + 0.5) + int(np.prod([2, 3])) + int(math.pow(2, 3))
n = 2 ** 3 // 3 + 7 % 4 + (-7 // 2) + 9 + +3 + 0x10 + 1_0 + int(-2.5 * -2)
n = {"a": 3}["a"] + dict(a=4).get("a", 1) + {"a": 3}.get("b", 5) + len({**{"a": 1}, "b": 2})
n = list({"a": 7}.values())[0] + len(list({"a": 1}.items())) + len(list({"a": 1}.keys()))
n = [1, 2, 3][-1] + [1, 2, 3][1:][0] + [1, 2, 3][::-1][0] + len("abc"[:2]) + len((1, 2) + (3,))
n = ([1] * 3 + [2]).count(1) + [4, 5].index(5) + len(2 * [1]) + len([1].copy())
n = (3 if 1 < 2 < 3 else 4) + (3 if not [] else 4) + (3 if 2 in (1, 2) and "a" in "ab" else 4)
n = (3 if None is None else 4) + (5 if [1] == [1] and 1 != 2 and 2 >= 1 and 1 <= 2 else 6)
n = [v for row in [[1], [2, 3]] for v in row if v > 1][1] + len({k: k for k in range(3)})
n = (m := 4) + m + len(f"{1}{2}" "c") + len({1, 2}) + len([*range(2), 3])
n = len("a%d_%s%%" % (12, "b")) + len("%02d" % 7) - len("{:>4}".format(8)) + len(f"{7:03d}{1}")
n = argparse.Namespace(width=3).width + types.SimpleNamespace(depth=2).depth + typing.cast(int, 4)
n = "AbC".lower().startswith("ab") + len("{}x".format(3)) + len(",".join(["a", "B".upper()]))
---
first, *rest, last = range(5)
n = first + len(rest) + last
---
table = {}
table["a"] = [1, 2]
table["a"][0] = 5
table.update({"b": 1})
n = table["a"].pop(0) + table.pop("b") + table.pop("c", 3) + len(table)
---
values = [1]
values.append(2)
values.extend([3, 4])
values.insert(0, 9)
values += [5]
n = values[0] + len(values) + values.pop()
---
n = 1
for i in range(10):
    if i == 2:
        continue
    if i > 4:
        break
    n += i
---
n, i = 1, 0
while i < 3:
    i += 1
    n *= 2
---
class Sizes:
    base = 4
    def __init__(self, by):
        self.by = by
    def __call__(self, more):
        return self.whole + more
    @property
    def whole(self):
        return self.base * self.by
    @staticmethod
    def one():
        return 1
    def plus(self, more=base):
        return more + 1
class More(Sizes):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        setattr(self, "extra", getattr(self, "missing", 2))
sizes = More(by=3)
n = sizes(1) + sizes.plus() + sizes.one() + sizes.extra
n += hasattr(sizes, "base") + isinstance(sizes, Sizes)
---
@dataclasses.dataclass
class Settings:
    widths: list = dataclasses.field(default_factory=lambda: [4, 8])
    times: int = dataclasses.field(default=3)
    @property
    def whole(self):
        return self.times * len(self.widths)
n = Settings().whole + Settings(times=2).whole + Settings([1]).widths[0]
---
parser = argparse.ArgumentParser(description="none")
parser.add_argument("--batch-size", "-b", type=int, default=64)
parser.add_argument("--bias", action="store_true")
opt = parser.parse_args([])
n = opt.batch_size + opt.bias
---
n = functools.partial(max, 3)(2)
"""
LINES, *BLOCKS = (part.strip() for part in PYTHON.split("---\n"))


def test_sizes_are_computed_as_python_does(run_script):
    imports = "import argparse, dataclasses, functools, math, types, typing\n"
    imports += "import numpy as np\nfrom torch import nn\n"
    network = "net = nn.Sequential(nn.Linear(4, n))\n"
    blocks = [*LINES.splitlines(), *BLOCKS]
    data = [(f"{imports}{block}\n{network}", (4,), False) for block in blocks]
    for (code, *_), reading in zip(data, run_script(SCRIPT, READ, data), strict=True):
        names: dict[str, Any] = {}
        exec(code, names)
        assert [row["outputShape"] for row in reading["rows"]] == [["N", names["n"]]], code


EXPRESSIONS = """
x.swapaxes(2, 3)
x.movedim(1, -1)
torch.moveaxis(x, -1, 1)
x @ x.mT
x.flatten(2).T
x.narrow(2, 3, 4)
x.select(2, 0)
x.topk(3, dim=2).values + 1
torch.topk(x, 5)[1]
torch.sort(x, dim=1)[0]
torch.logsumexp(x, dim=1)
F.pixel_unshuffle(x, 2)
F.cosine_similarity(x, x)
torch.tril(x)
torch.cat([x, x.new_zeros(x.size(0), 1, 28, 28)], 1)
x.type(torch.float64)
x.flatten(1).T
x.mean(axis=1)
torch.sum(x, axis=(2, 3), keepdims=True)
x - torch.tensor([[0.5], [0.1]])[:1]
F.max_pool2d(x, 2).normal_()
x.flatten(1).t()
x.view_as(x)
torch.relu(x.unbind(1)[0])
torch.max(x)
x.max(2).values + 1
x.min(1)[0] + 1
torch.max(x, x)
torch.relu(x.chunk(3, 3)[2])
torch.relu(x.split([4, 24], 3)[1])
torch.relu(x.split(5, 2)[-1])
x[..., -3:, None]
x[:, 0, 1:5]
F.pixel_shuffle(x.repeat(1, 4, 1, 1), 2)
x.expand(-1, 3, -1, -1)
x.expand_as(x)
x.mean((2, 3), keepdim=True)
F.layer_norm(x, [28, 28])
x.unflatten(2, (4, -1))
torch.stack([x, x], 1)
F.pad(x, (1, 2, 3, 4))
x.squeeze(1)
x @ x.transpose(2, 3)
x.norm(dim=1)
x.prod(1)
x.amin((2, 3))
x.cumsum(1)
2 ** x
1 - x
x * x.size(dim=2)
x.numel() + x
x.dim() * x
x.ndim / x
F.conv2d(x, torch.ones(2, 1, 3, 3), padding=1)
F.conv_transpose2d(x, torch.ones(1, 2, 2, 2))
F.interpolate(x, size=(30, 31))
[y + 1 for y in x][0]
"""
LAYERS = """
nn.InstanceNorm2d(7)
nn.ConstantPad2d((1, 2, 3, 4), 0.5)
nn.CircularPad2d(2)
nn.RMSNorm([28, 28])
nn.ChannelShuffle(1)
nn.LazyConv2d(4, 3, stride=2)
nn.Sequential(nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(5))
nn.PixelUnshuffle(2)
nn.ZeroPad2d((1, 2, 3, 4))
nn.ReflectionPad2d(2)
nn.UpsamplingBilinear2d(scale_factor=2)
nn.Upsample((30, 31))
nn.Unflatten(3, (4, -1))
nn.LayerNorm([28, 28])
nn.AdaptiveAvgPool2d((None, 3))
nn.Sequential(*list(nn.Sequential(nn.Tanh(), nn.ReLU()))[:1])
nn.Sequential(nn.Tanh(), nn.Flatten())[1:]
nn.ModuleDict([["a", nn.Tanh()], ["b", nn.Flatten()]])["b"]
nn.Sequential(*nn.Sequential(nn.Tanh(), nn.Flatten())._modules.values())
"""


def test_shapes_are_those_of_pytorch(run_script):
    head = f"{HEAD}class Net(nn.Module):\n    def forward(self, x):\n        return "
    codes = [f"{head}{expression}\n" for expression in EXPRESSIONS.strip().splitlines()]
    codes += [
        f"{HEAD}Net = lambda: nn.Sequential({layer})\n" for layer in LAYERS.strip().splitlines()
    ]
    readings = run_script(SCRIPT, READ, [(code, (1, 28, 28), False) for code in codes])
    for code, reading in zip(codes, readings, strict=True):
        names: dict[str, Any] = {}
        exec(code, names)
        batch, *sizes = [*names["Net"]()(torch.rand(3, 1, 28, 28)).shape, None]
        expected = ["N" if batch == 3 else batch, *sizes][:-1]
        assert reading["rows"][-1]["outputShape"] == expected, code
        assert not reading["unread"]


SLIPS = [
    ("super().__init__()", "pass", "super().__init__() has to run before self.conv is set"),
    ("super().__init__()", "super().init()", "super().__init__() has to run"),
    ("super().__init__()", "super(Net).__init__()", "super().__init__() has to run"),
    ("super().__init__()", "super(LeNet, self).__init__()", "super().__init__() has to run"),
    ("(1, 4, 5)", "(1, 4, 5, pading=2)", "gives pading, which it does not take"),
    ("(1, 4, 5)", "(1, 4, 5, kernel_size=5)", "gives kernel_size twice"),
    ("(1, 4, 5)", "(1, 4, 5, stride=2, padding='same')", "padding='same' needs stride=1"),
    ("classes)", "classes, True, None, None, 3)", "gives argument3, which it does not take"),
    ("nn.Conv2d(1, 4, 5)", "nn.Sequential([nn.Conv2d(1, 4, 5)])", "holds what is no layer"),
    ("nn.Conv2d(1, 4, 5)", "nn.Sequential(nn.Conv2d(1, 4, 5), F.relu)", "holds what is no layer"),
    ("nn.Conv2d(1, 4, 5)", "nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU)", "holds what is no layer"),
    ("nn.Conv2d(1, 4, 5)", "nn.Sequential(nn.Conv2d(1, 4, 5), nn.Dropout(50))", "p is 50"),
    ("self.conv =", "self.norm = nn.GroupNorm(4, 6)\n        self.conv =", "does not divide 6"),
    ("self.conv =", "self.attend = nn.MultiheadAttention(8, 3)\n        self.conv =",
     "num_heads is 3, which does not divide 8 features"),
    ("x.flatten(1)", "F.relu(x.max(1)).flatten(1)", "gets several tensors instead of one"),
    ("x.flatten(1)", "x.transpose(1).flatten(1)", "which axis is meant"),
    ("x.flatten(1)", "x.view(None, 576)", "no whole number"),
    ("x.flatten(1)", "torch.cat(x, x)", "no list of tensors"),
    ("x.flatten(1)", "x[:, ::-1].flatten(1)", "a step backwards"),
    ("self.conv =", "self.drop = nn.Dropout(50)\n        self.conv =", "p is 50"),
    ("self.conv =", "self.more = nn.ModuleList(nn.ReLU(), nn.ReLU())\n        self.conv =",
     "gives more than one list"),
    ("self.conv(x)", "self.conv(x, 2)", "gives more than one tensor"),
    ("self.conv(x)", "self.conv(nn.ReLU(x))", "gets a layer, ReLU, instead of a tensor"),
    ("self.conv(x)", "self.conv(print(x))", "gets nothing instead of a tensor"),
    ("self.conv(x)", "self.half(x, by=2)", "gives by, which half does not take"),
    ("self.conv(x)", "self.half(x, x)", "gives one argument more, which half does not take"),
    ("F.relu", "nn.relu", "what torch.nn.relu gives"),
    ("F.relu", "F.ReLU", "what torch.nn.functional.ReLU gives"),
    ("x.flatten(1)", "x.flatten(dim=1)", "gives dim, which it does not take"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "what"), SLIPS)
def test_what_python_refuses_is_named(right, wrong, what, run_script):
    code = f"{HEAD}{NET}\n    def half(self, x):\n        return x / 2\n".replace(right, wrong)
    names: dict[str, Any] = {}
    exec(code, names)
    with pytest.raises((AssertionError, AttributeError, NameError, TypeError, ValueError)):
        names["Net"]()(torch.rand(3, 1, 28, 28))
    reading = read(run_script, code, (1, 28, 28))
    assert reading["problem"] is None
    assert what in reading["unread"][0]["what"]


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ("nn.Softmax(dim=4)", (1, 28, 28)),
        ("nn.Upsample()", (1, 28, 28)),
        ("nn.Conv2d(1, 3, 5), nn.BatchNorm1d(3)", (1, 28, 28)),
        ("nn.Unflatten(1, (2, 2))", (1, 28, 28)),
        ("nn.Flatten(), nn.LayerNorm(10)", (1, 28, 28)),
        ("nn.LSTM(28, 4, batch_first=True), nn.Linear(4, 2)", (28, 28)),
    ],
)
def test_what_does_not_fit_is_told_as_the_package_tells_it(layers, shape, run_script):
    code = f"{HEAD}model = nn.Sequential({layers})\n"
    names: dict[str, Any] = {}
    exec(code, names)
    explanation = trace(names["model"], shape).explanation
    assert explanation is not None
    assert read(run_script, code, shape)["explanation"]["what"] == explanation.what


def test_nothing_is_run():
    scripts = Path(__file__).parents[3] / "book" / "lenet_book" / "widgets" / "paste"
    for script in scripts.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert "eval(" not in text.replace("#eval(", ""), script.name
        assert "new Function" not in text, script.name
