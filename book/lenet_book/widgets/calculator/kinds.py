"""The layers that the calculator offers, and those of their settings that it shows."""

from __future__ import annotations

from functools import cache
from typing import Any

from lenet.shapes.kinds import as_data

_FREE = ("eps", "inplace", "momentum")  # not shown, but of no consequence for shapes and costs


@cache
def offered() -> dict[str, dict[str, Any]]:
    """Take from the table of kinds what has a name for new layers, as `as_data` describes it."""
    return {
        name: {
            **kind,
            "settings": {name: s for name, s in kind["settings"].items() if s["shown"]},
        }
        for name, kind in as_data().items()
        if kind["stem"]
    }


@cache
def unchanged(name: str) -> dict[str, Any]:
    """List the settings of a layer that the calculator needs at their defaults, with these."""
    settings = as_data()[name]["settings"].items()
    return {name: s["default"] for name, s in settings if not s["shown"] and name not in _FREE}
