"""Figures of results show the counts and shares that they are given."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lenet_book import figures

COUNTS = torch.tensor([[8, 2, 0], [0, 5, 5], [1, 0, 1009]])


def test_every_count_of_a_confusion_matrix_is_written_in_its_cell():
    ax = figures.confusion(COUNTS, ["a", "b", "c"]).axes[0]
    written = {
        (text.get_position()[1], text.get_position()[0]): text.get_text() for text in ax.texts
    }
    expected = {
        (row, column): f"{int(COUNTS[row, column]):,}" if COUNTS[row, column] else "·"
        for row in range(3)
        for column in range(3)
    }
    assert written == expected
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]


def test_right_answers_are_blue_mistakes_red_and_the_commonest_the_reddest():
    colours = figures.confusion(COUNTS, ["a", "b", "c"]).axes[0].images[0].get_array()
    assert (np.diag(colours) < 0).all()
    assert colours[1, 2] == colours.max() == 1  # half of its row
    assert 0 < colours[0, 1] < 1
    assert colours.mask[0, 2]
    assert colours.mask[1, 0]


def test_a_matrix_without_mistakes_can_be_drawn():
    colours = figures.confusion(torch.eye(2, dtype=torch.int64) * 3, ["a", "b"]).axes[0].images[0]
    assert colours.get_array().tolist() == [[-1, None], [None, -1]]


def test_a_matrix_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"counts must be \(2, 2\).* not \(3, 3\)"):
        figures.confusion(COUNTS, ["a", "b"])


def test_scores_of_classes_stand_at_their_values():
    scores = {"recall": torch.tensor([0.5, 0.9]), "precision": torch.tensor([0.7, torch.nan])}
    ax = figures.class_scores(scores, ["a", "b"]).axes[0]
    for line, (name, values) in zip(ax.lines, scores.items(), strict=True):
        assert line.get_label() == name
        np.testing.assert_allclose(line.get_xdata(), values.numpy())
    assert ax.yaxis_inverted()


def test_reliability_sets_shares_against_probabilities():
    bins = {"before": [(10, 0.35, 0.2), (90, 0.95, 0.8)], "after": [(100, 0.7, 0.74)]}
    picture = figures.reliability(bins)
    above, below = picture.axes[:2], picture.axes[2:]
    for ax, counts, (name, groups) in zip(above, below, bins.items(), strict=True):
        assert ax.get_title() == name
        diagonal, line = ax.lines
        assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 1]
        assert list(line.get_xdata()) == [probability for _, probability, _ in groups]
        assert list(line.get_ydata()) == [right for *_, right in groups]
        assert [bar.get_height() for bar in counts.patches] == [count for count, *_ in groups]
