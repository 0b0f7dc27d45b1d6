"""The page of messages: each is what the package says, and each that it can say is there."""

from __future__ import annotations

import ast
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import lenet
from lenet.__main__ import main
from lenet.data import load
from lenet.models import NarrowLeNet, save_weights
from lenet.models.weights import ModelCard, pack, save_trained
from lenet.train import Settings, checkpoint
from tests.lenet.data.test_data import (
    FOLDERS,
    idx_bytes,
    write_cifar,
    write_idx,
    write_python2_pickle,
)

PACKAGE = Path(lenet.__file__).parent
PAGE = PACKAGE.parent / "book" / "messages.md"
CAUGHT = "shapes/edits.py"  # its errors are caught by the search for changes, and reach nobody
ANYTHING = "…"


class Example(NamedTuple):
    """What somebody writes, and the message that comes of it."""

    written: str
    message: str


def page_examples() -> list[Example]:
    blocks = re.findall(
        r"```(?:pycon|console)\n(?:>>>|\$) (.*?)\n(.*?)```", PAGE.read_text("utf-8"), re.S
    )
    return [Example(written, " ".join(message.split())) for written, message in blocks]


# ---------------------------------------------------------------------------- what is in the code


class Site(NamedTuple):
    """A place in the code that makes an error."""

    place: str
    template: re.Pattern[str]


def text_of(node: ast.expr, constants: dict[str, str]) -> str:
    """Make a pattern of the text that an expression gives."""
    match node:
        case ast.Constant(value=str(text)):
            return re.escape(text)
        case ast.JoinedStr():
            return "".join(text_of(part, constants) for part in node.values)
        case ast.FormattedValue(value=ast.Name(id=name)) | ast.Name(id=name) if name in constants:
            return re.escape(constants[name])
        case ast.BinOp(op=ast.Add()):
            return text_of(node.left, constants) + text_of(node.right, constants)
    return ".*?"


def sites() -> Iterator[Site]:
    """Find every error that is made with a text of its own."""
    for file in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name) and isinstance(node.value.value, str)
        }
        raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not (
                node in raised or ast.unparse(node.func).endswith("Error")
            ):
                continue
            patterns = [text_of(argument, constants) for argument in node.args]
            pattern = max(patterns, key=lambda text: len(text.replace(".*?", "")), default="")
            if re.search(r"[a-z]{3}", pattern.replace(".*?", "")):
                spaced = re.sub(r"(\\ |\\\n|\s)+", r"\\s+", pattern)
                place = f"{file.relative_to(PACKAGE).as_posix()}:{node.lineno}"
                yield Site(place, re.compile(spaced, re.S))


def test_every_message_of_the_package_is_on_the_page() -> None:
    told = re.findall(r"```(?:pycon|console|text)\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    missing = [
        f"{site.place}  {site.template.pattern}"
        for site in sites()
        if not site.place.startswith(CAUGHT)
        and not any(site.template.search(message) for message in told)
    ]
    assert not missing, "no example in book/messages.md:\n" + "\n".join(missing)


def test_there_are_as_many_sites_as_the_code_has() -> None:
    assert len(list(sites())) > 90


# ---------------------------------------------------------------------------- what it says


def save_pictures(root: Path, *classes: str, number: int = 3) -> None:
    for name in classes:
        (root / name).mkdir(parents=True, exist_ok=True)
        for index in range(number):
            Image.new("L", (8, 8), 80 * index).save(root / name / f"{index}.png")


def save_folders(root: Path) -> None:
    save_pictures(root / "pictures", "cat", "dog")
    save_pictures(root / "one", "cat")
    (root / "none").mkdir()
    save_pictures(root / "single", "cat")
    save_pictures(root / "single", "dog", number=1)
    save_pictures(root / "lacking", "cat")
    (root / "lacking" / "dog").mkdir()
    save_pictures(root / "divided" / "train", "cat", "dog")
    save_pictures(root / "divided" / "test", "cat", "cow")


def save_picture_files(root: Path) -> None:
    digit = Image.new("L", (28, 28))
    digit.paste(255, (12, 4, 16, 24))
    digit.save(root / "digit.png")
    (root / "cut.png").write_bytes((root / "digit.png").read_bytes()[:-30])
    (root / "text.png").write_text("no picture", encoding="utf-8")
    Image.new("L", (28, 28), 255).save(root / "blank.png")
    for side in (10_001, 14_000):
        Image.new("1", (side, side)).save(root / f"{side}.png")
    os.mkfifo(root / "pipe")
    (root / "circle").symlink_to(root / "circle")


def save_damaged(root: Path) -> None:
    """A root for each way in which a data set can be damaged."""
    empty, five, labels = np.zeros(0, np.uint8), np.zeros((20, 5, 5), np.uint8), "t10k-labels"
    changes: dict[str, tuple[str, Any]] = {
        "other": (labels, lambda content: b"PK" + content[2:]),
        "cut": (labels, lambda content: content[:-1]),
        "empty": (labels, lambda content: idx_bytes(empty)),
        "small": ("t10k-images", lambda content: idx_bytes(five)),
        "fewer": (labels, lambda content: idx_bytes(np.zeros(3, np.uint8))),
        "twelve": (labels, lambda content: content[:-1] + b"\x0c"),
    }
    for name, (start, change) in changes.items():
        write_idx(root / "damaged" / name, "mnist")
        (file,) = (root / "damaged" / name / FOLDERS["mnist"]).glob(f"{start}*")
        file.write_bytes(change(file.read_bytes()))
    rows = np.zeros((2, 3072), np.uint8)
    batches: dict[str, object] = {
        "floats": {"data": rows.astype(float), "labels": [0, 1]},
        "none": {"data": rows[:0], "labels": []},
        "one-label": {"data": rows, "labels": [0]},
        "label-12": {"data": rows, "labels": [0, 12]},
        "list": [rows],
        "code": {"data": Path, "labels": []},
    }
    for name, content in batches.items():
        write_cifar(root / "cifar" / name)
        write_python2_pickle(
            root / "cifar" / name / "cifar-10-batches-py" / "data_batch_1", content
        )
    write_cifar(root / "cifar" / "names")
    write_python2_pickle(root / "cifar/names/cifar-10-batches-py/batches.meta", {"label_names": []})


def save_networks(root: Path) -> None:
    torch.manual_seed(0)
    save_weights(NarrowLeNet(), root / "bare.safetensors")
    whole = (root / "bare.safetensors").read_bytes()
    (root / "flipped.safetensors").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (root / "newer.checkpoint").write_bytes(pack({}, {"checkpoint": '{"format": 99}'}))
    settings = Settings(epochs=1, batch_size=500, device="cpu")
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    checkpoint.fit(model, load("mnist"), settings, root / "stopped", progress=False)
    digits = tuple("0123456789")
    card = ModelCard("nets.py:Net", "mnist", "", digits, (1, 28, 28), (0.1,), (0.3,), 0.5)
    save_trained(NarrowLeNet(), root / "foreign.safetensors", card)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A folder with what the examples speak of, and the names that they use."""
    root, before = tmp_path_factory.mktemp("examples"), Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENET_OFFLINE", "1")
        for save in (save_folders, save_picture_files, save_damaged, save_networks):
            save(root)
        os.chdir(root)
        patch.syspath_prepend(root)
        found: dict[str, Any] = {}
        (imports,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
        exec(imports, found)
        yield found
        os.chdir(before)


def run_command(written: str, patch: pytest.MonkeyPatch) -> None:
    """Run a command line that is refused, with its settings of the environment before it."""
    words = shlex.split(written)
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        patch.setenv(name, value)
    if words[0] == "torchrun":  # as one of its two processes sees it
        for name in ("TORCHELASTIC_RUN_ID", "LOCAL_RANK"):
            patch.setenv(name, "0")
        patch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(SystemExit) as caught:
        main(words[words.index("lenet") + 1 :])
    assert caught.value.code == 2


def code_says(written: str, names: dict[str, Any]) -> str:
    """Return the last line of the traceback that somebody's code ends with."""
    try:
        eval(written, names)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


@pytest.mark.parametrize("example", page_examples(), ids=lambda example: example.written)
def test_a_message_is_what_the_package_says(
    example: Example,
    names: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if "lenet " in example.written:
        run_command(example.written, monkeypatch)
        said = capsys.readouterr().err
    else:
        if "load(" in example.written:
            monkeypatch.delenv("LENET_OFFLINE")
        said = code_says(example.written, names)
    wanted = ".*".join(map(re.escape, example.message.split(ANYTHING)))
    assert re.fullmatch(wanted, " ".join(said.split()), re.S), said
