"""What the widgets of each page weigh, compressed as a web server sends them, against the budget.

Run `make book`, then `python bench/page_weight.py`; its exit status is 1 when a page is too heavy.
A page's code is the mounting script and the front end of each of its widgets, with their styles;
its state holds what the widgets begin with, the weights of its networks among it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup

from lenet_book.widgets.shared.pages import MOUNTING_SCRIPT, MOUNTING_STYLE, STATE_TYPE

SITE = Path(__file__).parent.parent / "_build" / "html"
SCRIPTS = Path("_static") / "widgets"
BUDGET = 200_000  # bytes


@dataclass(frozen=True)
class PageWeight:
    """The compressed sizes of one page, in bytes.

    Attributes:
        page: The page's path within the site.
        widgets: The classes of its widgets.
        num_networks: How many different networks its steppers bring with their weights.
        code: The mounting script and the front ends, each file compressed by itself.
        state: The states of all widgets.
    """

    page: str
    widgets: tuple[str, ...]
    num_networks: int
    code: int
    state: int

    @property
    def total(self) -> int:
        """Code and state together."""
        return self.code + self.state


def page_weights(site: Path) -> list[PageWeight]:
    """Weigh every page of a built site that has widgets, heaviest first."""
    weights = [weigh(page, site) for page in sorted(site.rglob("*.html"))]
    return sorted(filter(None, weights), key=lambda weight: -weight.total)


def weigh(page: Path, site: Path) -> PageWeight | None:
    """Weigh one page; None if it has no widget of this package."""
    html = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    states = [element.get_text() for element in html.find_all("script", type=STATE_TYPE)]
    models = [model for state in states for model in json.loads(state)["state"].values()]
    own = [model for model in models if model["model_module"] == "anywidget"]
    classes = sorted({class_of(model) for model in own})
    if not classes:
        return None
    mounting = (MOUNTING_SCRIPT.name, MOUNTING_STYLE.name)
    files = [site / SCRIPTS / name for name in (*mounting, *(f"{name}.js" for name in classes))]
    return PageWeight(
        page=page.relative_to(site).as_posix(),
        widgets=tuple(classes),
        num_networks=len(networks(own)),
        code=sum(compressed(file.read_bytes()) for file in files),
        state=sum(compressed(state.encode()) for state in states),
    )


def class_of(model: dict[str, Any]) -> str:
    return str(model["state"]["_anywidget_id"]).rpartition(".")[2]


def networks(models: list[dict[str, Any]]) -> set[tuple[int, ...]]:
    """Tell networks apart by their weights: all that a stepper holds but its pictures, the last."""
    steppers = [model for model in models if class_of(model) == "ForwardStepper"]
    return {tuple(buffer["chunks"][:-1]) for model in steppers for buffer in model["buffers"]}


def compressed(content: bytes) -> int:
    return len(gzip.compress(content, mtime=0))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("site", nargs="?", type=Path, default=SITE, help="default: _build/html")
    weights = page_weights(parser.parse_args().site)
    if not weights:
        parser.error("there is no page with widgets: run make book first")
    print(f"{'page':36} {'code':>9} {'state':>9} {'sum':>9}  networks, widgets")
    for weight in weights:
        sizes = " ".join(f"{n / 1000:6.1f} kB" for n in (weight.code, weight.state, weight.total))
        verdict = "" if weight.total <= BUDGET else "  TOO HEAVY"
        print(
            f"{weight.page:36} {sizes}  {weight.num_networks} {', '.join(weight.widgets)}{verdict}"
        )
    print(f"The budget of a page is {BUDGET / 1000:.0f} kB.")
    return int(weights[0].total > BUDGET)


if __name__ == "__main__":
    sys.exit(main())
