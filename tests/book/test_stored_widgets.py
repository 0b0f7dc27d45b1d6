"""A chapter whose widgets are not stored is named when the site is built."""

from __future__ import annotations

from pathlib import Path

import pytest
from sphinx.errors import SphinxWarning

from lenet_book.widgets.shared.pages import VIEW_TYPE
from tests.book.small_site import build


def test_a_widget_without_its_state_stops_the_build(tmp_path: Path) -> None:
    page = f'# Page\n\n<script type="{VIEW_TYPE}">{{"model_id": "1"}}</script>\n'
    with pytest.raises(SphinxWarning, match=r"state of 1 of its 1 widgets.*CHAPTERS=page\.ipynb"):
        build(tmp_path, {"page": page}, "widgets")


def test_a_page_without_widgets_is_left_alone(tmp_path: Path) -> None:
    assert build(tmp_path, {"page": "# Page\n"}, "widgets")["page"].h1
