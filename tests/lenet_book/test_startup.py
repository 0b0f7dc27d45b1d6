"""What importing `lenet_book` brings along, and what it says where its extras are missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.lenet.test_startup import SLOW, loaded_by


@pytest.mark.parametrize(
    ("rooms", "unneeded"),
    [
        ("lenet_book.widgets", {"matplotlib"}),
        ("lenet_book.figures", {"anywidget", "ipywidgets"}),
        ("lenet_book.results, lenet_book.timing", {"anywidget", "ipywidgets", "matplotlib"}),
    ],
)
def test_no_room_imports_what_is_slow_or_anothers(rooms, unneeded):
    assert not loaded_by(f"import {rooms}") & (SLOW | unneeded)


@pytest.mark.parametrize("package", ["anywidget", "ipywidgets", "matplotlib"])
@pytest.mark.parametrize("room", ["figures", "widgets"])
def test_a_light_installation_is_told_what_to_install(room, package):
    program = f"import sys; sys.modules[{package!r}] = None; import lenet_book.{room}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    told = done.stderr.splitlines()[-1]
    assert told.startswith(f"ImportError: lenet_book needs {package}")
    assert 'pip install ".[book]"' in told
    assert 'pip install "lenet[book] @ git+https://' in told
