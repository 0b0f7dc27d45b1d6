"""Buttons that wait until the repository has an address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

# GitHub allows letters, digits and hyphens in an owner's name: the placeholder is none.
PUBLISHED = re.compile(r"https://github\.com/[A-Za-z0-9-]+/[\w.-]+")


def show_buttons_once_published(app: Sphinx, config: Config) -> None:
    """Hide what leads to the repository until `make publish-to` has set its address."""
    options = config.html_theme_options
    if PUBLISHED.fullmatch(options["repository_url"]):
        app.tags.add("published")
        return
    options["launch_buttons"] = {}
    for button in ("use_repository_button", "use_issues_button", "use_download_button"):
        options[button] = False


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", show_buttons_once_published)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
