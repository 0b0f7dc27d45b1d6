"""The base of all widgets: what they hand to their front ends, and how they are saved."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

import anywidget
import numpy as np
import traitlets
from torch import Tensor

from lenet_book.widgets.shared.arrays import pack
from lenet_book.widgets.shared.joining import joined_script, joined_style, worker_programs
from lenet_book.widgets.shared.pages import (
    MOUNTING_STYLE,
    definition,
    part_definitions,
    standalone_page,
)

Bundle = tuple[dict[str, Any], dict[str, Any]]

MOST_IN_OUTPUT = 250_000  # characters
_FRAME = (
    '<iframe sandbox="allow-scripts" title="{name}" '
    'style="width: 100%; height: 40rem; border: 0; overflow: auto; resize: vertical" '
    'srcdoc="{page}"></iframe>'
)


class Widget(anywidget.AnyWidget):
    """A widget whose front end computes all answers itself; `lenet_book.widgets` has the contract.

    Args:
        meta: Plain JSON for the front end. If there is a ``"poster"`` in it, that HTML stands in
            pages without a kernel until the front end has taken its place.
        arrays: By name, the arrays for the front end: float16, float32, int32 or uint8.
        **traits: Values of further traits.

    Attributes:
        front_end: The script of a class, a module with ``export default { render }``.
        version: The format of the states that a class writes.
        format_version: The same, in each state.
        data: The bytes of all arrays; ``meta["arrays"]`` says what is where.
    """

    front_end: ClassVar[Path]
    version: ClassVar[int] = 1

    format_version = traitlets.Int().tag(sync=True)
    meta = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "front_end" in cls.__dict__:
            cls._esm = joined_script(cls.front_end)
            cls._css = joined_style(cls.front_end)

    def __init__(
        self,
        meta: Mapping[str, Any] | None = None,
        arrays: Mapping[str, Tensor | np.ndarray] | None = None,
        /,
        **traits: object,
    ) -> None:
        entries, data = pack(arrays or {})
        super().__init__(
            format_version=self.version,
            meta={**(meta or {}), "arrays": entries},
            data=data,
            **traits,
        )

    @classmethod
    def definition(cls) -> str:
        """The classic script with which a page without a kernel gets to know this class."""
        return definition(cls.__name__, cls.version, cls.front_end)

    @classmethod
    def part_definitions(cls) -> dict[str, str]:
        """Scripts of what the front end imports later, by the names of their files."""
        return part_definitions(cls.__name__, cls.front_end)

    @classmethod
    def worker_programs(cls) -> dict[str, str]:
        """Programs of the workers that the front end starts, by the names of their files."""
        programs = worker_programs(cls.front_end)
        return {f"{cls.__name__}.{name}": program for name, program in programs.items()}

    @classmethod
    def sentence(cls) -> str:
        """What a page without scripts says in the place of a widget that brings no poster."""
        name = re.sub("(?<=[a-z])(?=[A-Z])", " ", cls.__name__).capitalize()
        return f"{name}. {inspect.getdoc(cls) or ''}".splitlines()[0]

    def save_html(self, path: str | Path, title: str | None = None) -> None:
        """Save the widget, as it is now, as one HTML file that needs nothing else.

        Args:
            path: Where to write the file.
            title: The page's title; by default the name of the class.
        """
        Path(path).write_text(self._page(title), encoding="utf-8")

    @classmethod
    def scripts(cls) -> str:
        """All classic scripts with which a page that fetches nothing shows this class."""
        return "".join([cls.definition(), *cls.part_definitions().values()])

    def _page(self, title: str | None = None) -> str:
        return standalone_page(self, self.scripts(), title or type(self).__name__, self.sentence())

    def _repr_mimebundle_(self, **kwargs: dict[str, Any]) -> Bundle:
        """Add what is shown where no widget can be, such as in a notebook saved by JupyterLab."""
        data, metadata = cast("Bundle", super()._repr_mimebundle_(**kwargs))
        return {**data, "text/html": self._without_widgets()}, metadata

    def _without_widgets(self) -> str:
        """Write the page in a frame of its own or, if that is large, the first state alone."""
        page = html.escape(self._page())
        if len(page) > MOST_IN_OUTPUT:
            style = MOUNTING_STYLE.read_text(encoding="utf-8")
            poster = self.meta.get("poster") or f"<p>{html.escape(self.sentence())}</p>"
            return f'<style>{style}</style><div class="lenet-static">{poster}</div>'
        return _FRAME.format(name=type(self).__name__, page=page)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
