"""The pages of the site, in the order of its table of contents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def listed(contents: Any) -> list[str]:
    """The pages that a table of contents names, in order."""
    if isinstance(contents, list):
        return [page for entry in contents for page in listed(entry)]
    if not isinstance(contents, dict):
        return []
    own = [contents[key] for key in ("root", "file") if key in contents]
    return own + [page for value in contents.values() for page in listed(value)]


PAGES = [*listed(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))), "search"]
