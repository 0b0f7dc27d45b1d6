"""Terms of the glossary become links where a chapter first uses them in its prose.

Headings, code, formulas, tables and what is a link already stay as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CHAPTERS = "chapters/"
ONLY_IN = {  # plain words elsewhere, terms in one chapter
    "01": ("balanced", "class", "sample", "scaling"),
    "02": ("registration",),
    "05": ("floor", "jump"),
    "06": ("step", "update"),
    "07": ("rank",),
    "08": ("confidence", "precision", "recall", "temperature"),
    "09": ("connections",),
    "10": ("classifier",),
    "11": ("schedule", "shortcut"),
}
PLURALS = {"is": "[ie]s", "y": "(?:y|ies)", "(?<=[^ais])s": "s?", "": "(?:e?s)?"}
NO_PROSE = (
    *(nodes.title, nodes.rubric, nodes.caption, nodes.table, nodes.reference, nodes.raw),
    *(nodes.literal, nodes.literal_block, nodes.math, nodes.math_block),
)


def pattern(term: str) -> str:
    """Return what finds a term as a word of its own, in the plural and at a sentence's start too.

    A term with capitals, such as "MAC", is found as it is written.
    """
    first, rest = term[0], re.escape(term[1:])
    if not re.search("[A-Z]", term):
        first = f"[{first}{first.upper()}]"
    for ending, forms in PLURALS.items():
        if re.search(f"{ending}$", rest):
            rest = re.sub(f"{ending}$", forms, rest)
            break
    return rf"(?<![\w-]){first}{rest}(?![\w-])"


class Terms(SphinxPostTransform):
    """Link a chapter's terms; cross-references of its own are resolved by then."""

    default_priority = 700

    def run(self, **_: object) -> None:
        """Go through the prose from top to bottom, and link each term once."""
        if not self.env.docname.startswith(CHAPTERS):
            return
        places = self._places()
        for chapter, terms in ONLY_IN.items():
            if not self.env.docname.startswith(f"{CHAPTERS}{chapter}_"):
                for term in terms:
                    places.pop(term, None)
        longest_first = sorted(places, key=len, reverse=True)
        groups = [f"(?P<t{i}>{pattern(term)})" for i, term in enumerate(longest_first)]
        finder = re.compile("|".join(groups) or "(?!)")
        for text in list(self.document.findall(nodes.Text)):
            if not self._stands_in(text, NO_PROSE):
                self._link(text, finder, longest_first, places)

    def _places(self) -> dict[str, str]:
        """Return where each term of the glossary stands, seen from this page."""
        objects = self.env.get_domain("std").get_objects()
        uri, here = self.app.builder.get_relative_uri, self.env.docname
        return {
            name: f"{uri(here, page)}#{anchor}"
            for name, _, kind, page, anchor, _ in objects
            if kind == "term"
        }

    def _stands_in(self, node: nodes.Node, kinds: tuple[type[nodes.Node], ...]) -> bool:
        while node.parent is not None:
            node = node.parent
            if isinstance(node, kinds):
                return True
        return False

    def _link(
        self,
        text: nodes.Text,
        finder: re.Pattern[str],
        terms: list[str],
        places: dict[str, str],
    ) -> None:
        """Replace the terms in a text that are still in `places`, and take them out there."""
        whole, done, parts = text.astext(), 0, []
        for match in finder.finditer(whole):
            place = places.pop(terms[int(str(match.lastgroup)[1:])], None)
            if place:
                link = nodes.reference("", match[0], refuri=place, internal=True, classes=["term"])
                parts += [nodes.Text(whole[done : match.start()]), link]
                done = match.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(whole[done:])])


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_post_transform(Terms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
