"""Mathematics is set as TeX would set it, as MathML, without a script."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from mathml import mathml


def texts(latex: str, tag: str) -> list[str]:
    return [element.text or "" for element in mathml(latex, "inline").iter(tag)]


def test_mathematics_is_set_as_tex_would() -> None:
    assert texts(r"\operatorname{softmax}(z)", "mi") == ["softmax", "z"]
    assert "∼" in texts(r"x \sim y", "mo")
    assert texts(r"\lfloor x \rfloor", "mo") == ["⌊", "⌋"]
    assert len(texts(r"\begin{aligned} a &= b \\ &= c \end{aligned}", "mtr")) == 2
    assert len(texts(r"\log x", "mspace")) == 1
    assert texts(r"\log(x)", "mspace") == []
    assert texts("f'", "msup") == []  # the glyph of a prime is raised as it is
    assert texts("f'_1", "msubsup")  # the index stays one
    (minus,) = (e for e in mathml("a = -b", "inline").iter("mo") if e.text == "−")
    assert minus.get("form") == "prefix"


@pytest.mark.parametrize("wrong", [r"\notacommand{x}", r"\frac{1}", r"a & b", r"\left( x"])
def test_mathematics_that_is_not_understood_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="in '"):
        mathml(wrong, "block")


def test_mathematics_is_well_formed_and_can_be_read_aloud() -> None:
    latex = r"a < b \text{ and } \frac{x_1}{2}"
    math = ElementTree.fromstring(ElementTree.tostring(mathml(latex, "block")))
    assert math.get("alttext") == latex
