"""What `make execute` stores, and a chapter whose widgets are not stored when the site is built."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from execute import execute
from jupyter_server.services.contents.filemanager import FileContentsManager
from sphinx.errors import SphinxWarning

from lenet_book.widgets.shared.pages import VIEW_TYPE
from tests.book.small_site import build

CELLS = [
    (
        [],
        "import torch\nfrom lenet.models import NarrowLeNet\n"
        "from lenet_book.widgets import ForwardStepper\n"
        "ForwardStepper(NarrowLeNet().eval(), torch.zeros(1, 1, 28, 28))",
    ),
    (["hide-output"], "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"),
    (["hide-input"], "torch.zeros(3)"),
    (["solution"], "from tqdm.auto import tqdm\nfor _ in tqdm(range(3)): ..."),
]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small chapter with everything that chapters store, executed."""
    path = tmp_path_factory.mktemp("stored") / "chapter.ipynb"
    cells = [
        nbformat.v4.new_code_cell(source, id=f"cell-{i}", metadata={"tags": tags})
        for i, (tags, source) in enumerate(CELLS)
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TQDM_DISABLE", "1")  # as the program sets it
        execute(path)
    return path


def test_jupyter_saves_an_unchanged_chapter_as_it_was(stored: Path) -> None:
    before = stored.read_bytes()
    manager = FileContentsManager(root_dir=str(stored.parent))
    model = json.loads(json.dumps(manager.get(stored.name)["content"]))
    manager.save({"type": "notebook", "format": "json", "content": model}, stored.name)
    assert stored.read_bytes() == before


def test_a_progress_bar_leaves_nothing_behind(stored: Path) -> None:
    assert nbformat.read(stored, as_version=4).cells[-1].outputs == []
    assert "FloatProgress" not in stored.read_text(encoding="utf-8")


def test_a_widget_without_its_state_stops_the_build(tmp_path: Path) -> None:
    page = f'# Page\n\n<script type="{VIEW_TYPE}">{{"model_id": "1"}}</script>\n'
    with pytest.raises(SphinxWarning, match=r"state of 1 of its 1 widgets.*CHAPTERS=page\.ipynb"):
        build(tmp_path, {"page": page}, "widgets")


def test_a_page_without_widgets_is_left_alone(tmp_path: Path) -> None:
    assert build(tmp_path, {"page": "# Page\n"}, "widgets")["page"].h1
