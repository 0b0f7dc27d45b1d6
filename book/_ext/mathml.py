"""Mathematics as MathML, made while the site is built: the page needs no script for it.

latex2mathml turns LaTeX into MathML; what it writes is corrected here where browsers would set it
differently from TeX. LaTeX that it does not know is a warning, and so fails the build.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from docutils import nodes
from latex2mathml.converter import Converter
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

NUM_CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3}
BRACKETS = "⌊⌋⌈⌉⟨⟩"
OPENING_OR_RELATION = {"", *"([{|=<>≤≥≈∼∈→,;"}
CLOSING_OR_INFIX = set(")]}⌋⌉⟩=+−-×⋅/,.;:<>≤≥≈∼∈→↦|")
REWRITTEN = [  # what latex2mathml lacks, in words that it has
    (re.compile(r"\\(begin|end)\{(?:aligned|align|split)\}"), r"\\\1{align*}"),
    (re.compile(r"\\arg\s*\\(max|min)(?![A-Za-z])"), r"\\arg\1"),
]


def mathml(latex: str, display: str) -> ElementTree.Element:
    """Convert LaTeX to a `<math>` element; `display` is ``"inline"`` or ``"block"``.

    Raises:
        ValueError: The LaTeX is wrong, or holds a command that latex2mathml does not know.
    """
    known = latex
    for pattern, replacement in REWRITTEN:
        known = pattern.sub(replacement, known)
    try:
        math = Converter(display=display).convert_to_element(known)
    except Exception as error:  # latex2mathml has no common base class for its errors
        raise ValueError(f"{type(error).__name__} in {latex!r}") from error
    for element in math.iter():
        element.text = html.unescape(element.text) if element.text else None
    for row in list(math.iter()):
        _correct_children(row)
        _tighten_signs(row)
        if row.tag in ("mrow", "mtd"):
            _space_after_names(row)
    unknown = [
        e.text for e in math.iter() if e.tag != "mtext" and re.search(r"[\\&]", e.text or "")
    ]
    if unknown:
        raise ValueError(f"{', '.join(unknown)} in {latex!r} is not understood")
    if any(len(e) != NUM_CHILDREN.get(e.tag, len(e)) for e in math.iter()):
        raise ValueError(f"an argument is missing in {latex!r}")
    math.set("alttext", latex)
    return math


def _correct_children(row: ElementTree.Element) -> None:
    for element in row:
        if element.tag == "mi" and element.text and element.text in BRACKETS:
            element.tag = "mo"
            element.set("stretchy", "false")
            element.set("form", "prefix" if element.text in "⌊⌈⟨" else "postfix")
        elif element.tag == "mi" and element.text == "~":  # \sim
            element.tag, element.text = "mo", "∼"
        elif element.text == "′" and row.tag == "msup":  # fonts raise it: raised again, it is small
            row.tag, element.tag = "mrow", "mo"
            element.attrib.update(form="postfix", lspace="0", rspace="0")
        elif element.tag == "mo" and re.fullmatch(r"[A-Za-z\u2009]{2,}", element.text or ""):
            element.tag = "mi"  # \max, \operatorname{softmax}: names are not spaced as signs are


def _tighten_signs(row: ElementTree.Element) -> None:
    """Set a minus that negates, a slash and the comma of 60{,}000 without space around them."""
    previous = ""
    for element in row:
        sign = element.text if element.tag == "mo" else None
        if sign in ("+", "−") and previous in OPENING_OR_RELATION:
            element.set("form", "prefix")
        elif sign == "/" or (sign == "," and row.tag == "mrow" and len(row) == 1):
            element.set("lspace", "0")
            element.set("rspace", "0")
        if element.tag not in ("mspace", "mi") or element.text:  # an empty mi only aligns
            previous = sign or "operand"


def _space_after_names(row: ElementTree.Element) -> None:
    """Put TeX's thin space between a name such as log and what it is applied to."""
    for index in range(len(row) - 2, -1, -1):
        name, argument = row[index], row[index + 1]
        first = argument.text or ""
        if _is_name(name) and not (
            argument.tag == "mspace" or first == "(" or first in CLOSING_OR_INFIX
        ):
            row.insert(index + 1, ElementTree.Element("mspace", width="0.167em"))


def _is_name(element: ElementTree.Element) -> bool:
    base = element[0] if element.tag in ("msub", "msup", "munder") else element
    return base.tag == "mi" and base.get("mathvariant") is None and len(base.text or "") > 1


def _render(node: nodes.Element, display: str) -> str:
    try:
        return ElementTree.tostring(mathml(node.astext(), display), encoding="unicode")
    except ValueError as error:
        logger.warning("mathematics: %s", error, location=node)
        return html.escape(node.astext())


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(_render(node, "inline"))
    raise nodes.SkipNode


def visit_display(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    # A long equation scrolls on a phone, so the keyboard has to reach it.
    self.body.append(f'<div class="equation" tabindex="0">{_render(node, "block")}</div>')
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
