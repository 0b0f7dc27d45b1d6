"""How long the page's own training takes: the way back through LeNet-5, a step, and from nothing.

Run `python bench/way_back.py`; it needs node, which computes as Chromium does. Printed are the
median and the 95th percentile in milliseconds: of one picture's forward and backward pass, and of a
training step of 32 digits, forward, backward and Adam. Then LeNet-5 begins with random weights and
learns until it knows more than 180 of 200 digits it has not seen; that is looked at after each
epoch.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

import torch

from lenet.models import LeNet5
from lenet.tracing import record
from lenet_book.widgets.stage.backward.digits import NUM_TRAINING, packed_digits
from lenet_book.widgets.stage.program import program_of

SCRIPT = Path(__file__).with_suffix(".js")
SETTINGS = {"batchSize": 32, "rate": 0.002, "enough": 180, "seed": 1}


def main() -> None:
    """Measure and print."""
    node = shutil.which("node")
    if node is None:
        raise SystemExit("node was not found")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(question(), file)
        file.flush()
        answer = subprocess.run([node, SCRIPT, file.name], check=True, stdout=subprocess.PIPE)
    found = json.loads(answer.stdout)
    print(f"{'milliseconds':40} median   95 %")
    for name, times in found["times"].items():
        last = statistics.quantiles(times, n=20)[-1]
        print(f"{name:40} {statistics.median(times):6.2f} {last:6.2f}")
    epochs = len(found["times"]["training step"]) * SETTINGS["batchSize"] // NUM_TRAINING
    score = f"{found['numRight']} of {found['numTest']}"
    print(f"{score} after {epochs} epochs, {found['seconds']:.1f} s")


def question() -> dict[str, object]:
    """LeNet-5 as a program, with random weights, and the digits."""
    images = torch.zeros(1, 1, 28, 28)
    program = program_of(record(LeNet5().eval(), images), images, torch.float32)
    arrays = {
        name: {"shape": list(array.shape), "data": array.flatten().tolist()}
        for name, array in program.arrays.items()
    }
    return {"steps": program.instructions, "arrays": arrays, "digits": packed_digits(), **SETTINGS}


if __name__ == "__main__":
    main()
