"""``python -m lenet explain``, as a user types it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lenet.__main__ import main

NETWORK = """
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(100, 10)

    def forward(self, x):
        x = F.max_pool2d(self.conv(x), 2)
        return self.fc(x.flatten(1))

"""


@pytest.fixture
def script(tmp_path, monkeypatch) -> Path:
    """An empty script, in a process that is left as it was."""
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path / "training.py"


def test_the_error_is_shown_as_always_and_explained_below(script, capsys):
    script.write_text(f"{NETWORK}print(Net()(torch.rand(3, 1, 14, 14)).shape)\n")
    assert main(["explain", str(script)]) == 1
    shown, _, explained = capsys.readouterr().err.partition("\n\n")
    lines = shown.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].strip() == f'File "{script}", line 17, in <module>'
    assert "lenet" not in "".join(line for line in lines if line.strip().startswith("File"))
    assert lines[-1].startswith("RuntimeError: mat1 and mat2 shapes cannot be multiplied (3x144")
    assert explained.startswith("fc expects 100 features, but flatten gives (N, 144)")
    assert "self.fc = nn.Linear(144, 10)" in explained


def test_the_line_behind_the_network_is_explained_too(script, capsys):
    script.write_text(
        f"{NETWORK}scores = Net()(torch.rand(5, 1, 12, 12))\n"
        "F.cross_entropy(scores, torch.zeros(5, 1, dtype=torch.int64))\n"
    )
    assert main(["explain", str(script)]) == 1
    shown, _, explained = capsys.readouterr().err.partition("\n\n")
    assert shown.endswith("0D or 1D target tensor expected, multi-target not supported")
    assert "(5, 1)" in explained


def test_a_script_runs_as_python_runs_it(script, capsys):
    script.with_name("beside.py").write_text("ANSWER = 42\n")
    script.write_text(
        "import sys\nfrom beside import ANSWER\nprint(__name__, ANSWER, sys.argv)\nsys.exit(3)\n"
    )
    with pytest.raises(SystemExit) as ended:
        main(["explain", str(script), "--epochs", "1", "-v"])
    assert ended.value.code == 3
    words = [str(script), "--epochs", "1", "-v"]
    assert capsys.readouterr().out == f"__main__ 42 {words}\n"
    script.write_text("")
    assert main(["explain", str(script)]) == 0


def test_another_error_is_shown_and_nothing_more(script, capsys):
    script.write_text("ages = {}\nages['Ada']\n")
    assert main(["explain", str(script)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "KeyError: 'Ada'"
    script.write_text("print('unfinished'\n")
    assert main(["explain", str(script)]) == 1
    assert "SyntaxError" in capsys.readouterr().err


def test_a_script_that_is_missing(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["explain", str(tmp_path / "missing.py")])
    assert ended.value.code == 2
    assert "there is no file" in capsys.readouterr().err
