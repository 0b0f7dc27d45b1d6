"""The layers that the calculator offers, and those of their settings that it shows."""

from __future__ import annotations

from typing import Any

from lenet.shapes.kinds import as_data


def offered() -> dict[str, dict[str, Any]]:
    """Take from the table of kinds what has a name for new layers, as `as_data` describes it."""
    return {
        name: {**kind, "settings": _shown(kind["settings"])}
        for name, kind in as_data().items()
        if kind["stem"]
    }


def _shown(settings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: setting for name, setting in settings.items() if setting["shown"]}
