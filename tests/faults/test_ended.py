"""`train` is ended at any moment: one line says so, and the work is kept.

The moments are counted and not timed. Python tells of every import, opened file, rename and the
like; at the event of a chosen number the process sends itself the signal.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lenet.models.weights import read_card
from lenet.train import checkpoint

ENDED = """
import os, sys
number, wanted, signal, words = 0, int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
def count(event, arguments):
    global number
    number += 1
    if number == wanted:
        os.kill(os.getpid(), signal)
sys.argv = ["lenet", *words]
from lenet.__main__ import run
sys.addaudithook(count)
status = run()
if wanted == 0:
    print("events", number)
sys.exit(status)
"""
TRAIN = "train mnist --network NarrowLeNet --epochs 3 --batch-size 500 --device cpu --save weights"
TRAINING = 480  # so many events before the end the training begins, and saves
MOMENTS = [f"{share}/6 of the imports" for share in range(6)]
MOMENTS += [f"{share}/12 of the training" for share in range(12)]


def ended(folder: Path, moment: int, signal: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ENDED, str(moment), str(signal), *TRAIN.split(), "--resume"],
        cwd=folder,
        env=os.environ | {"LENET_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def num_events(tmp_path_factory: pytest.TempPathFactory) -> int:
    done = ended(tmp_path_factory.mktemp("whole"), 0, 0)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("signal", [2, 15], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_whoever_ends_a_training_reads_one_line_and_loses_nothing(
    moment: str, signal: int, num_events: int, tmp_path: Path
) -> None:
    share, all_of_them = map(int, moment.split()[0].split("/"))
    first, number = (num_events - TRAINING, TRAINING) if "training" in moment else (1, num_events)
    done = ended(tmp_path, first + share * number // all_of_them, signal)
    kept, weights = tmp_path / "weights.checkpoint", tmp_path / "weights"
    assert "Traceback" not in done.stderr
    if done.returncode == 0:  # it came too late: all was done
        assert read_card(weights).dataset == "mnist"
        return
    assert done.returncode == 1
    assert [line.split(".")[0] for line in done.stderr.splitlines()] == ["Stopped"]
    stored = len(checkpoint.read(kept)[1]["history"]) if kept.exists() else 0
    again = ended(tmp_path, 0, 0)
    assert again.returncode == 0, again.stderr
    numbers = [line.split()[0] for line in again.stdout.splitlines() if line.startswith("    ")]
    assert numbers == ["1", "2", "3"]
    assert stored == 0 or f"{stored} of 3 epochs" in done.stderr or stored == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["weights"]
