"""Figures that compare networks show every run, and leave out what was not measured."""

from __future__ import annotations

import numpy as np
import pytest

from lenet_book import figures


def test_curves_begin_at_one_and_are_named():
    picture = figures.curves({"a": [3.0, 2.0, 1.0], "b": [1.0]}, xlabel="x", ylabel="y")
    lines = picture.axes[0].lines
    assert [line.get_label() for line in lines] == ["a", "b"]
    np.testing.assert_array_equal(lines[0].get_xydata(), [(1, 3), (2, 2), (3, 1)])
    assert [text.get_text() for text in picture.legends[0].get_texts()] == ["a", "b"]


@pytest.mark.parametrize(("logarithmic", "scale"), [(True, "log"), (False, "linear")])
def test_curves_have_the_scale_asked_for(logarithmic, scale):
    picture = figures.curves({"a": [1, 10]}, xlabel="x", ylabel="y", logarithmic=logarithmic)
    assert picture.axes[0].get_yscale() == scale
    assert not picture.legends  # one line needs no name


def test_trade_offs_draw_every_run_and_name_the_mean():
    accuracies = {"small": {"A": [0.5, 0.7], "B": []}, "large": {"C": [0.9]}}
    costs = {"parameters": {"A": 10, "B": 20, "C": 30}, "seconds": {"A": 1, "B": 2, "C": 3}}
    picture = figures.trade_offs(accuracies, costs)
    for ax, cost in zip(picture.axes, costs.values(), strict=True):
        assert {text.get_text(): text.xy for text in ax.texts} == {
            "A": (cost["A"], pytest.approx(0.6)),
            "C": (cost["C"], 0.9),
        }
        dots = [tuple(dot) for line in ax.lines for dot in line.get_xydata()]
        assert dots[:3] == [(cost["A"], 0.5), (cost["A"], 0.7), (cost["C"], 0.9)]
    assert [text.get_text() for text in picture.legends[0].get_texts()] == ["small", "large"]


def test_names_that_would_cover_each_other_share_a_label():
    accuracies = {"small": {"A": [0.50], "B": [0.51], "C": [0.7]}, "large": {"D": [0.505]}}
    picture = figures.trade_offs(accuracies, {"seconds": {"A": 10, "B": 11, "C": 10, "D": 10}})
    assert [text.get_text() for text in picture.axes[0].texts] == ["AB", "C", "D"]
    assert picture.axes[0].texts[0].xy == (10, pytest.approx(0.505))
