"""Widgets in a real JupyterLab: the page and Python see what the other has changed."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from execute import execute
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browsing import beside

pytestmark = pytest.mark.slow

CONTENTS = "/api/contents/"
PATIENCE = 120_000  # milliseconds until something that must happen counts as missing
CELLS = [
    "import torch\nfrom lenet.models import NarrowLeNet\n"
    "from lenet_book.widgets import ForwardStepper\n"
    "torch.manual_seed(0)\n"
    "stepper = ForwardStepper(NarrowLeNet().eval(), torch.randn(1, 1, 28, 28))\nstepper",
    "print('Python sees', stepper.step, stepper.picked)",
    "stepper.step = 4\nstepper.picked = [2, 3, 5]",
    "print('Python sees again', stepper.step, stepper.picked)",
    "stepper.step = 13",
]
EXPLORER_CELLS = [
    "import torch\n"
    "from lenet.models import NarrowLeNet\nfrom lenet_book.widgets import MistakeExplorer\n"
    "torch.manual_seed(0)\nimages, labels = torch.randn(60, 1, 28, 28), torch.arange(60) % 10\n"
    "explorer = MistakeExplorer(NarrowLeNet().eval(), images, labels)\nexplorer",
    "print('Python sees', explorer.cell, explorer.shown.index(explorer.picked))",
    "home, explorer.cell = explorer.cell, [9, 9]\nprint('picked:', explorer.picked)",
    "explorer.cell = home\nexplorer.picked = explorer.shown[0]",
]
TRAINING_CELLS = [
    "import os\nos.environ |= {'LENET_OFFLINE': '1', 'TQDM_DISABLE': '1'}\n"
    "from IPython.display import display\n"
    "from lenet.data import load\nfrom lenet.models import NarrowLeNet\n"
    "from lenet_book.replay import record_training\nfrom lenet.train import Settings\n"
    "from lenet_book.widgets import TrainingLab, TrainingReplay\n"
    "recording = record_training(NarrowLeNet(), load('mnist'), Settings(epochs=3, device='cpu'))\n"
    "replay, lab = TrainingReplay(recording), TrainingLab()\ndisplay(replay, lab)",
    "print('Python sees', replay.epoch, lab.fault)",
    "replay.epoch, lab.fault = 3, 'no-step'",
]
TAGGED_CELLS = {
    "hide-input": CELLS[0],
    "hide-output": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "solution": "print('α', 1.0)\ntorch.zeros(3)",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(json.load(answer))
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@pytest.fixture
def lab(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Start a JupyterLab of its own settings, with one notebook; yield the notebook's address."""
    cells = getattr(request, "param", CELLS)
    folder = tmp_path / "notebooks"
    folder.mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "live.ipynb")
    port, token = free_port(), secrets.token_hex(16)
    own = {
        f"{kind}_DIR": str(tmp_path / kind.lower())
        for kind in (
            "JUPYTER_CONFIG",
            "JUPYTER_DATA",
            "JUPYTER_RUNTIME",
            "JUPYTERLAB_SETTINGS",
            "JUPYTERLAB_WORKSPACES",
        )
    }
    options = [
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    log = (tmp_path / "lab.log").open("w", encoding="utf-8")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        env={**os.environ, **own, "JUPYTER_TOKEN": token},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        while not answers(f"{base}/api/status?token={token}"):  # within pytest's limit
            assert server.poll() is None, (tmp_path / "lab.log").read_text(encoding="utf-8")
        yield f"{base}/lab/tree/live.ipynb?token={token}"
    finally:
        server.terminate()
        server.wait(PATIENCE / 1000)
        log.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1400, "height": 1600})
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    yield page
    expect.set_options(timeout=5_000)  # what playwright begins with
    page.close()


def run_cell(page: Page, index: int) -> Locator:
    """Run a cell of the notebook and return it."""
    cell = page.locator(".jp-CodeCell").nth(index)
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    return cell


def open_notebook(page: Page, address: str) -> None:
    """Open a notebook and run its first cell."""
    page.goto(address)
    # The kernel's name stands in the status bar once it can be used.
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
    run_cell(page, 0)


def test_the_page_and_python_see_each_other(page: Page, lab: str) -> None:
    open_notebook(page, lab)
    stepper = page.locator(".lenet-stepper")
    expect(stepper).to_be_visible()
    position = stepper.locator(".lenet-position")
    expect(position).to_have_text("step 0 of 13")

    for step in (1, 2, 3):
        stepper.locator(".lenet-main").click()
        expect(position).to_have_text(f"step {step} of 13")
    out = stepper.locator(".lenet-panel-out canvas")
    out.focus()
    for key in ("Home", "ArrowRight"):
        out.press(key)
    expect(out).to_have_attribute("aria-label", re.compile("column 1;"))
    label = out.get_attribute("aria-label") or ""
    words = label.split("Unit: ")[1].split(";")[0]
    picked = [int(word) for word in words.replace(",", "").split() if word.isdigit()]
    seen = run_cell(page, 1).locator(".jp-OutputArea-output")
    expect(seen).to_have_text(f"Python sees 3 {picked}\n")

    run_cell(page, 2)
    expect(position).to_have_text("step 4 of 13")
    expect(out).to_have_attribute("aria-label", re.compile("Unit: channel 2, row 3, column 5;"))
    stepper.locator(".lenet-main").click()
    expect(position).to_have_text("step 5 of 13")
    again = run_cell(page, 3).locator(".jp-OutputArea-output")
    expect(again).to_contain_text("Python sees again 5 ")

    run_cell(page, 4)
    expect(position).to_have_text("step 13 of 13")
    stepper.locator(".lenet-main").click()
    reference = stepper.locator(".lenet-pytorch")
    expect(reference).to_contain_text(re.compile(r"^PyTorch's loss: \S+, difference"))
    loss = reference.inner_text().split(",")[0]
    stepper.get_by_role("button", name="Do it").click()
    expect(reference).not_to_contain_text(loss)
    expect(reference).to_contain_text(re.compile(r"none is off by more than \de−[5-9] of"))


@pytest.mark.parametrize("lab", [EXPLORER_CELLS], indirect=True)
def test_the_page_and_python_choose_the_same_picture(page: Page, lab: str) -> None:
    open_notebook(page, lab)
    explorer = page.locator(".lenet-explorer")
    expect(explorer).to_be_visible()

    name = explorer.locator(".lenet-frequent button").nth(1).inner_text()
    truth, answer = (int(digit) for digit in re.findall(r"\d", name)[:2])
    explorer.locator(".lenet-frequent button").nth(1).click()
    explorer.locator(".lenet-mistakes button").nth(1).click()
    expect(explorer.locator(".lenet-stepper")).to_be_visible()
    seen = run_cell(page, 1).locator(".jp-OutputArea-output")
    expect(seen).to_have_text(f"Python sees [{truth}, {answer}] 1\n")

    closed = run_cell(page, 2).locator(".jp-OutputArea-output")
    expect(closed).to_have_text("picked: None\n")
    expect(explorer.locator(".lenet-stepper")).to_have_count(0)
    expect(explorer.locator(".lenet-cell-title").first).to_contain_text("9")

    run_cell(page, 3)
    expect(explorer.locator(".lenet-mistakes button").first).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(explorer.locator(".lenet-opened")).to_contain_text(f"{truth}, called {answer}")


@pytest.mark.parametrize("lab", [TRAINING_CELLS], indirect=True)
def test_the_page_and_python_watch_the_same_training(page: Page, lab: str) -> None:
    open_notebook(page, lab)
    epoch = page.get_by_role("slider", name="epoch")
    fault = page.get_by_label("fault", exact=True)
    expect(fault).to_be_visible()

    epoch.focus()
    epoch.press("ArrowRight")
    fault.select_option("raw-pixels")
    seen = run_cell(page, 1).locator(".jp-OutputArea-output")
    expect(seen).to_have_text("Python sees 1 raw-pixels\n")

    fault.focus()
    fault.press("ArrowUp")
    expect(fault).not_to_have_value("raw-pixels")

    run_cell(page, 2)
    expect(epoch).to_have_value("3")
    expect(fault).to_have_value("no-step")


@pytest.mark.parametrize("lab", [list(TAGGED_CELLS.values())], indirect=True)
def test_saving_an_unchanged_chapter_changes_no_byte(page: Page, lab: str, tmp_path: Path) -> None:
    path = tmp_path / "notebooks" / "live.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell, tag in zip(notebook.cells, TAGGED_CELLS, strict=True):
        cell.metadata.tags = [tag]
    nbformat.write(notebook, path)
    beside(lambda: execute(path))
    stored = path.read_bytes()

    page.goto(lab)
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
    page.locator(".jp-Notebook:visible").click(position={"x": 5, "y": 200})
    with page.expect_response(
        lambda answer: answer.request.method == "PUT" and CONTENTS in answer.url
    ):
        page.keyboard.press("Control+s")
    assert path.read_bytes() == stored
