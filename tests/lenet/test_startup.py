"""What importing `lenet` brings along, in a fresh interpreter; `bench/startup.py` has the times."""

from __future__ import annotations

import subprocess
import sys

import pytest

ROOMS = ["data", "models", "tracing", "shapes", "train", "commands"]
SLOW = {"scipy", "sklearn", "torchvision"}
BOOKISH = {"IPython", "anywidget", "ipywidgets", "lenet_book", "matplotlib", "traitlets"}


def loaded_by(program: str) -> set[str]:
    """Run a program in a fresh interpreter; return the names of all modules it has imported."""
    told = f"{program}\nimport sys; print('loaded', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", told], check=True, capture_output=True, text=True, timeout=300
    )
    return set(done.stdout.splitlines()[-1].split())


def test_no_room_imports_what_is_slow_or_the_books():
    rooms = ", ".join(f"lenet.{room}" for room in ROOMS)
    assert not loaded_by(f"import {rooms}") & (SLOW | BOOKISH)


def test_shapes_need_torch_alone():
    added = loaded_by("import lenet.shapes") - loaded_by("import torch")
    others = {name.partition(".")[0] for name in added} - sys.stdlib_module_names
    assert others == {"lenet"}
    rooms = {name.split(".")[1] for name in added if name.startswith("lenet.")}
    assert rooms == {"checks", "shapes", "tracing"}


def test_the_command_for_shapes_imports_no_other():
    words = ["shapes", "NarrowLeNet", "--input", "1x28x28"]
    loaded = loaded_by(f"from lenet.__main__ import main; main({words})")
    assert "lenet.commands.shapes" in loaded
    assert not loaded & {"PIL", "lenet.data", "lenet.train", *SLOW, *BOOKISH}
    assert not [
        name for name in loaded if name.startswith(("lenet.commands.p", "lenet.commands.t"))
    ]


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_help_imports_no_torch(word):
    program = f"from lenet.__main__ import main\ntry: main(['{word}'])\nexcept SystemExit: pass"
    assert "torch" not in loaded_by(program)


def test_judging_a_picture_needs_neither_torchvision_nor_scikit_learn(tmp_path):
    loaded = loaded_by(
        "from PIL import Image, ImageDraw; from lenet.__main__ import main\n"
        "picture = Image.new('L', (60, 60), 255)\n"
        "ImageDraw.Draw(picture).line([30, 10, 30, 50], 0, 6)\n"
        f"picture.save({str(tmp_path / 'one.png')!r})\n"
        f"assert main(['predict', 'lenet5_mnist', {str(tmp_path / 'one.png')!r}]) == 0"
    )
    assert not loaded & {"sklearn", "torchvision", *BOOKISH}
