"""The plain program of the page The script does what the page says."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import torch

from lenet_book.stand_in import find_datasets
from tests.sources import load_file

SCRIPT = Path(__file__).parents[2] / "book" / "fashion.py"


def test_it_needs_nothing_of_the_book() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {
        a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names
    }
    packages = {str(name).partition(".")[0] for name in modules}
    assert packages == {"matplotlib", "torch", "torchvision"}


def test_it_trains_saves_and_plots(tmp_path: Path) -> None:
    root, _ = find_datasets()
    (tmp_path / "data").symlink_to(root)
    done = subprocess.run(
        [sys.executable, SCRIPT], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    accuracies = [line.rpartition(" ")[2] for line in done.stdout.splitlines()]
    assert len(accuracies) == 3
    assert float(accuracies[-1].rstrip("%")) > 50  # chance is 10
    assert (tmp_path / "fashion.png").stat().st_size > 5000

    model = load_file(SCRIPT).Net()
    model.load_state_dict(torch.load(tmp_path / "fashion.pt", weights_only=True))
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
