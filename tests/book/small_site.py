"""A site of a few pages, for what an extension of the book does to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

Pages = dict[str, BeautifulSoup]


def build(folder: Path, pages: dict[str, str], *extensions: str, **settings: Any) -> Pages:
    """Build pages of Markdown; return them parsed, by name. A warning is an error."""
    for name, text in pages.items():
        (folder / f"{name}.md").parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.md").write_text(f"---\norphan: true\n---\n{text}", encoding="utf-8")
    settings |= {"extensions": ["myst_parser", *extensions], "root_doc": next(iter(pages))}
    settings |= {"html_theme": "basic", "nitpicky": True}
    with docutils_namespace():
        app = Sphinx(
            *(folder, None, folder / "html", folder / "trees", "html"),
            confoverrides=settings,
            status=None,
            warningiserror=True,
        )
        app.build()
    return {
        name: BeautifulSoup((folder / "html" / f"{name}.html").read_text("utf-8"), "html.parser")
        for name in pages
    }
