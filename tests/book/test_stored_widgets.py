"""What `make execute` stores, and a chapter whose widgets are not stored when the site is built."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import torch
from bs4 import BeautifulSoup
from execute import execute
from jupyter_server.services.contents.filemanager import FileContentsManager
from nbconvert import Exporter, HTMLExporter, LatexExporter
from PIL import Image
from playwright.sync_api import Browser, expect
from sphinx.errors import SphinxWarning

from lenet.models import NarrowLeNet
from lenet_book.widgets import (
    ConvPlayground,
    ForwardStepper,
    Predict,
    ShapeCalculator,
    TrainingLab,
    Widget,
)
from lenet_book.widgets.shared.pages import VIEW_TYPE
from tests.book.small_site import build
from tests.browsing import beside, visiting

MOST_OF_A_PICTURE = 200_000  # characters
SMALL = [
    ConvPlayground,
    ShapeCalculator,
    TrainingLab,
    lambda: Predict("How many?", 3, {4: "it is near."}, why="So it is."),
]
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
        beside(lambda: execute(path))
    return path


def test_jupyter_saves_an_unchanged_chapter_as_it_was(stored: Path) -> None:
    before = stored.read_bytes()
    manager = FileContentsManager(root_dir=str(stored.parent))
    model = json.loads(json.dumps(manager.get(stored.name)["content"]))
    manager.save({"type": "notebook", "format": "json", "content": model}, stored.name)
    assert stored.read_bytes() == before


def test_a_stored_widget_carries_a_picture(stored: Path) -> None:
    (output,) = nbformat.read(stored, as_version=4).cells[0].outputs
    assert output.data.keys() == {VIEW_TYPE, "image/png", "text/plain"}
    picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
    assert picture.width > 600
    assert len(picture.getcolors()) > 20
    assert len(output.data["image/png"]) < MOST_OF_A_PICTURE
    assert output.metadata["image/png"] == {"width": picture.width, "height": picture.height}


@pytest.mark.parametrize("exporter", [HTMLExporter, LatexExporter])
def test_nbconvert_shows_the_picture_where_it_shows_no_widgets(
    stored: Path, exporter: type[Exporter]
) -> None:
    config = exporter().default_config
    base = config.NbConvertBase
    base.display_data_priority = [k for k in base.display_data_priority if k != VIEW_TYPE]
    notebook = nbformat.read(stored, as_version=4)
    del notebook.cells[1:]
    text, resources = exporter(config=config).from_notebook_node(notebook)
    page = BeautifulSoup(text, "html.parser")
    assert len(page.select("img")) + len(resources["outputs"]) == 1
    assert not page.select("iframe")


@pytest.mark.parametrize("make", SMALL, ids=["playground", "calculator", "lab", "predict"])
def test_a_small_widget_works_in_a_frame_without_anything_of_jupyter(
    make: Callable[[], Widget], browser: Browser, tmp_path: Path
) -> None:
    data, _ = make()._repr_mimebundle_()
    assert {VIEW_TYPE, "text/html", "text/plain"} == data.keys()
    (tmp_path / "page.html").write_text(data["text/html"], encoding="utf-8")
    with visiting(browser, tmp_path.as_uri()) as visit:
        page = visit.open("page.html")
        widget = page.frame_locator("iframe[sandbox=allow-scripts]").locator(".lenet-widget").first
        widget.wait_for()
        expect(widget.locator("button, select").first).to_be_enabled()


def test_a_large_widget_shows_its_first_state() -> None:
    stepper = ForwardStepper(NarrowLeNet(), torch.rand(1, 1, 28, 28))
    html = stepper._repr_mimebundle_()[0]["text/html"]
    assert stepper.meta["poster"] in html
    assert "<script" not in html
    assert len(html) < MOST_OF_A_PICTURE


def test_a_progress_bar_leaves_nothing_behind(stored: Path) -> None:
    assert nbformat.read(stored, as_version=4).cells[-1].outputs == []
    assert "FloatProgress" not in stored.read_text(encoding="utf-8")


def test_a_widget_without_its_state_stops_the_build(tmp_path: Path) -> None:
    page = f'# Page\n\n<script type="{VIEW_TYPE}">{{"model_id": "1"}}</script>\n'
    with pytest.raises(SphinxWarning, match=r"state of 1 of its 1 widgets.*CHAPTERS=page\.ipynb"):
        build(tmp_path, {"page": page}, "widgets")


def test_a_page_without_widgets_is_left_alone(tmp_path: Path) -> None:
    assert build(tmp_path, {"page": "# Page\n"}, "widgets")["page"].h1
