"""Every page stays within the budget for the code, states and weights of its widgets."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "bench" / "page_weight.py"
sys.path.append(str(PROGRAM.parent))


def test_every_page_is_within_the_budget(site: Path) -> None:
    from page_weight import BUDGET, page_weights  # of bench/

    weights = {weight.page: weight for weight in page_weights(site)}
    assert weights["book/stepper.html"].widgets == ("ForwardStepper",)
    assert weights["book/stepper.html"].num_networks == 1
    for page, weight in weights.items():
        assert weight.code > 0, page
        assert weight.state > 0, page
        assert weight.total <= BUDGET, page


def write_page(site: Path, state: str) -> None:
    scripts = site / "_static" / "widgets"
    scripts.mkdir(parents=True)
    for name in ("pages.js", "pages.css", "Example.js"):
        (scripts / name).write_text(name, encoding="utf-8")
    kind = "application/vnd.jupyter.widget-state+json"
    html = f'<p>text</p><script type="{kind}">{state}</script>'
    (site / "page.html").write_text(html, encoding="utf-8")
    (site / "plain.html").write_text("<p>text</p>", encoding="utf-8")


EXAMPLE = (
    '{"state": {"1": {"model_module": "anywidget", "state": {"_anywidget_id": "a.b.Example"}}, '
    '"2": {"model_module": "@jupyter-widgets/base", "state": {}}}, "chunks": ["CHUNK"]}'
)


def test_a_page_weighs_its_scripts_and_its_state(tmp_path: Path) -> None:
    from page_weight import page_weights

    write_page(tmp_path, EXAMPLE)
    (weight,) = page_weights(tmp_path)
    names = ("pages.js", "pages.css", "Example.js")
    assert weight.page == "page.html"
    assert weight.widgets == ("Example",)
    assert weight.code == sum(len(gzip.compress(name.encode())) for name in names)
    assert weight.state == len(gzip.compress(EXAMPLE.encode()))


@pytest.mark.parametrize(("length", "status"), [(10, 0), (300_000, 1)])
def test_the_exit_status_tells_whether_a_page_is_too_heavy(
    tmp_path: Path, length: int, status: int
) -> None:
    noise = random.Random(0).randbytes(length).hex()
    write_page(tmp_path, EXAMPLE.replace("CHUNK", noise))
    done = subprocess.run(
        [sys.executable, PROGRAM, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert ("TOO HEAVY" in done.stdout) == bool(status)
