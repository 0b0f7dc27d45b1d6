"""Figures of LeNet-5 show what they are given."""

from __future__ import annotations

import torch

from lenet.models.lenet1998 import class_bitmaps, connection_table, squash
from lenet_book import figures


def test_the_table_has_a_filled_cell_for_every_connection():
    (ax,) = figures.connections(connection_table()).axes
    filled = {
        (round(cell.get_x() + 0.44), round(cell.get_y() + 0.44))
        for cell in ax.patches
        if cell.get_facecolor()[3] > 0
    }
    assert filled == {tuple(pair) for pair in connection_table().nonzero().tolist()}
    assert len(ax.patches) == 16 * 6


def test_codes_are_drawn_in_colour_and_pictures_in_grey():
    drawings = class_bitmaps()
    picture = figures.code_images({"input": torch.rand(10, 1, 32, 32), "target": drawings})
    images = [ax.images[0] for ax in picture.axes]
    assert [image.get_cmap().name for image in images] == ["gray"] * 10 + ["RdBu_r"] * 10
    for image, drawing in zip(images[10:], drawings, strict=True):
        assert torch.equal(torch.tensor(image.get_array().data), drawing)


def test_every_window_has_its_winner_under_its_middle():
    image = torch.zeros(1, 32, 64, dtype=torch.uint8)
    shares = torch.linspace(0.1, 0.9, 9)
    picture = figures.score_map(image, list("777742222"), shares, jump=4)
    _, below = picture.axes
    assert [text.get_text() for text in below.texts] == list("777742222")
    bars = [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in below.patches]
    expected = [(15.5 + 4 * k, share) for k, share in enumerate(shares.tolist())]
    torch.testing.assert_close(torch.tensor(bars), torch.tensor(expected), check_dtype=False)


def test_the_marked_points_lie_on_the_first_curve():
    (ax,) = figures.squashing({"tanh": squash, "relu": torch.relu}, marked=1.0).axes
    curve, _, dots = ax.lines
    assert dots.get_xdata().tolist() == [-1.0, 1.0]
    torch.testing.assert_close(torch.tensor(dots.get_ydata()), squash(torch.tensor([-1.0, 1.0])))
    assert len(curve.get_xdata()) > 100


def test_every_training_has_its_line_and_every_series_one_entry():
    panels = {
        "relu": {"default": [[0.9, 0.95], [0.8, 0.9]], "xavier": [[0.7, 0.8]]},
        "sigmoid": {"default": [[0.1, 0.1]], "xavier": [[0.1, 0.5]]},
    }
    picture = figures.trainability(panels)
    left, right = picture.axes
    drawn = [line.get_ydata() for line in left.lines if len(line.get_ydata()) == 2]
    assert [0.8, 0.9] in [list(line) for line in drawn]
    assert [ax.get_title() for ax in (left, right)] == ["relu", "sigmoid"]
    assert [text.get_text() for text in picture.legends[0].get_texts()] == ["default", "xavier"]
