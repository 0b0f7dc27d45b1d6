"""Figures say what the data and the networks say."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from lenet.models import CifarLeNet, LeNet5, NarrowLeNet
from lenet.train import Epoch, History, Score, Settings
from lenet_book import figures


def texts(picture) -> list[str]:
    return [text.get_text() for ax in picture.axes for text in ax.texts]


def history(num_epochs: int) -> History:
    rows = [
        Epoch(n, Score(2.0 / n, 5 + n, 20), Score(3.0 / n, 4 + n, 10), 1.0)
        for n in range(1, num_epochs + 1)
    ]
    return History(Settings(), rows)


@pytest.mark.parametrize(
    ("model", "input_shape", "sizes"),
    [
        (
            NarrowLeNet(),
            (1, 28, 28),
            ["1@28×28", "6@24×24", "6@12×12", "12@8×8", "12@4×4", "120", "60", "10"],
        ),
        (
            LeNet5(),
            (1, 28, 28),
            ["1@28×28", "6@28×28", "6@14×14", "16@10×10", "16@5×5", "120@1×1", "84", "10"],
        ),
        (
            CifarLeNet(),
            (3, 32, 32),
            ["3@32×32", "6@28×28", "6@14×14", "16@10×10", "16@5×5", "120", "84", "10"],
        ),
        (nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), (3, 2, 2), ["3@2×2", "3"]),
    ],
)
def test_the_architecture_figure_shows_the_sizes_of_the_forward_pass(model, input_shape, sizes):
    names_and_sizes = texts(figures.architecture(model, input_shape))
    assert names_and_sizes[1::2] == sizes
    assert names_and_sizes[0] == "input"


def test_the_architecture_figure_paints_what_the_network_makes_of_an_image():
    model, image = CifarLeNet(), torch.rand(3, 32, 32)
    picture = figures.architecture(model, image=image)
    sheets = [painted.get_array() for painted in picture.axes[0].images]
    np.testing.assert_array_equal(sheets[0], image[0])
    with torch.no_grad():
        maps, logits = model.conv1(image[None]).relu()[0], model(image[None])[0]
    np.testing.assert_allclose(sheets[3], maps[0], atol=1e-6)
    np.testing.assert_allclose(sheets[-1][:, 0], logits, atol=1e-6)
    with pytest.raises(ValueError, match="input_shape"):
        figures.architecture(model)


def test_images_are_drawn_pixel_for_pixel():
    images = torch.arange(2 * 3 * 4 * 5, dtype=torch.uint8).reshape(2, 3, 4, 5)
    picture = figures.image_grid(images, ["a", "<b>"])
    drawn = [ax.images[0].get_array() for ax in picture.axes if ax.images]
    for image, array in zip(images, drawn, strict=True):
        np.testing.assert_allclose(array * 255, image.permute(1, 2, 0).numpy(), atol=1e-4)
    assert [ax.get_title() for ax in picture.axes if ax.images] == ["a", "<b>"]


def test_constant_float_images_can_be_drawn():
    figures.image_grid(torch.zeros(1, 1, 4, 4))._repr_mimebundle_()


@pytest.mark.parametrize("shape", [(4, 4), (2, 4, 4), (1, 2, 4, 4)])
def test_tensors_that_are_no_images_are_refused(shape):
    with pytest.raises(ValueError, match="images must be"):
        figures.image_grid(torch.zeros(shape))
    with pytest.raises(ValueError, match="3 images but 1 titles"):
        figures.image_grid(torch.zeros(3, 1, 4, 4), ["one"])


def test_pixels_tell_their_numbers():
    picture = figures.pixels(torch.tensor([[0, 255], [17, 4]], dtype=torch.uint8), "an <i>")
    assert re.findall(r">(\d+)</td>", picture._repr_html_()) == ["0", "255", "17", "4"]
    assert 'aria-label="an &lt;i&gt;' in picture._repr_html_()
    with pytest.raises(ValueError, match="uint8"):
        figures.pixels(torch.zeros(2, 2), "floats")


def test_learning_curves_draw_every_score():
    picture = figures.learning_curves({"a": history(3), "b": history(5)})
    loss_axes, accuracy_axes = picture.axes
    assert list(loss_axes.lines[1].get_ydata()) == [3.0, 1.5, 1.0]
    assert list(accuracy_axes.lines[3].get_ydata()) == [0.5, 0.6, 0.7, 0.8, 0.9]
    labels = [text.get_text() for text in accuracy_axes.get_legend().get_texts()]
    assert labels == ["a train", "a test", "b train", "b test"]
    assert len(figures.learning_curves(history(1)).axes[0].lines) == 2
    many = {str(seed): history(1) for seed in range(9)}
    assert len({line.get_color() for line in figures.learning_curves(many).axes[0].lines}) == 9


def test_a_picture_shows_itself_sharp_and_transparent():
    picture = figures.image_grid(torch.zeros(3, 1, 4, 4, dtype=torch.uint8), "abc", columns=3)
    data, metadata = picture._repr_mimebundle_()
    image = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    shown = metadata["image/png"]
    assert abs(image.width - 2 * shown["width"]) <= 2
    assert image.convert("RGBA").getpixel((0, 0))[3] == 0
    assert data["text/plain"].startswith("<figure")


EDGES = torch.tensor([[-1.0, 0.0, 1.0]] * 3)


def test_one_step_of_a_convolution_shows_patch_kernel_products_and_their_sum():
    image = torch.arange(36, dtype=torch.uint8).reshape(1, 6, 6)
    picture = figures.convolution_step(image, EDGES, row=2, column=1)
    assert texts(picture) == [
        *(str(value) for value in image[0, 2:5, 1:4].flatten().tolist()),
        *["−1", "0", "1"] * 3,
        *["−13", "0", "15", "−19", "0", "21", "−25", "0", "27"],
    ]
    titles = [ax.get_title() for ax in picture.axes]
    assert titles[-1] == "= products, sum 6"


@pytest.mark.parametrize("num_channels", [1, 3])
def test_the_parts_of_a_convolution_add_up_to_what_pytorch_computes(num_channels):
    torch.manual_seed(0)
    layer, inputs = nn.Conv2d(num_channels, 2, 3), torch.rand(num_channels, 8, 9)
    picture = figures.convolution_sum(inputs, layer, (1, 4, 2))
    assert len(picture.axes) == 4 * num_channels
    products = inputs[:, 4:7, 2:5] * layer.weight[1].detach()
    sums = [f"{float(total):+.2f}".replace("-", "−") for total in products.sum(dim=(1, 2))]
    assert [text for text in texts(picture) if text[0] in "+−"] == sums
    result = f"{layer(inputs[None])[0, 1, 4, 2].item():+.2f}".replace("-", "−")
    assert picture.get_supxlabel().endswith(f": {result}")


def test_contributions_add_up_to_the_number_of_the_linear_layer():
    torch.manual_seed(0)
    layer, inputs = nn.Linear(12, 3), torch.rand(12)
    ax = figures.contributions(inputs, layer, 2, num_shown=4).axes[0]
    *parts, whole = [bar.get_width() for bar in ax.patches]
    assert len(parts) == 4 + 2
    assert sum(parts) == pytest.approx(whole, abs=1e-5)
    assert whole == pytest.approx(layer(inputs)[2].item(), abs=1e-5)
    assert abs(parts[0]) == pytest.approx((inputs * layer.weight[2]).abs().max().item())


def test_shares_are_those_of_the_softmax_and_the_largest_is_coloured():
    scores = {"new": torch.tensor([0.0, 1.0, -1.0]), "trained": torch.tensor([19.0, 0.0, 0.0])}
    picture = figures.shares(scores, ["a", "b", "c"])
    for ax, (name, logits), answer in zip(picture.axes, scores.items(), [1, 0], strict=True):
        assert ax.get_title() == name
        widths = [bar.get_width() for bar in ax.patches]
        assert widths == pytest.approx(logits.softmax(dim=0).tolist())
        colours = [bar.get_facecolor() for bar in ax.patches]
        assert colours.count(colours[answer]) == 1
    labels = [[text.get_text() for text in ax.texts] for ax in picture.axes]
    assert labels == [["24.5%", "66.5%", "9.0%"], [">99.9%", "<0.1%", "<0.1%"]]


def test_windows_land_where_stride_padding_and_dilation_put_them():
    settings = {"plain": {}, "all": {"stride": 2, "padding": 1, "dilation": 2}}
    plain, spread = figures.window_places(settings).axes
    frames = [[p.get_xy() for p in ax.patches if not p.get_fill()] for ax in (plain, spread)]
    assert [round(x) for x, _ in frames[0][:3]] == [1, 2, 3]
    assert [round(x) for x, _ in frames[1][:3]] == [2, 4, 6]
    assert len(plain.patches) == 7 * 7 + 9 + 9
    assert len(spread.patches) == 9 * 9 + 9 + 9


def test_max_pooling_shows_the_largest_of_every_window():
    table = torch.tensor([[1.0, 3, 0, 2], [5, 2, 1, 1], [0, 1, 7, 4], [2, 0, 3, 6]])
    picture = figures.max_pooling(table)
    assert texts(picture)[16:] == ["5", "2", "2", "7"]
    frames = [patch.get_xy() for patch in picture.axes[0].patches]
    assert frames == [(-0.5, 0.5), (2.5, -0.5), (-0.5, 2.5), (1.5, 1.5)]


def test_filters_are_drawn_one_by_one():
    model = NarrowLeNet()
    weight = model.conv1.weight.detach()
    drawn = [ax.images[0].get_array() for ax in figures.filters({"now": weight}).axes]
    np.testing.assert_array_equal(np.stack(drawn), weight[:, 0].numpy())
    deep = figures.filter_depth(model.conv2.weight.detach())
    grids = np.stack([ax.images[0].get_array() for ax in deep.axes])  # channel by channel
    expected = model.conv2.weight.detach().transpose(0, 1).flatten(0, 1)
    np.testing.assert_array_equal(grids, expected.numpy())


def test_maps_and_patches_stand_beside_their_filters():
    weight, images = torch.rand(2, 1, 3, 3), torch.rand(4, 1, 6, 6)
    maps = torch.nn.functional.conv2d(images, weight)
    picture = figures.filter_maps(images, maps, weight)
    drawn = [ax.images[0].get_array() for ax in picture.axes if ax.images]
    assert len(drawn) == 2 + 4 * 3
    np.testing.assert_allclose(drawn[3], maps[0, 0].numpy())
    patches = torch.rand(2, 5, 3, 3)
    rows = [ax for ax in figures.strongest_patches(weight, patches).axes if ax.images]
    np.testing.assert_allclose(rows[7].images[0].get_array(), patches[1, 0].numpy())


def test_weight_histograms_count_every_weight_on_one_scale():
    picture = figures.weight_histograms(
        {"before": torch.rand(500) - 0.5, "after": torch.randn(500)}
    )
    steps = [patch.get_data() for patch in picture.axes[0].patches]
    assert [int(data.values.sum()) for data in steps] == [500, 500]
    np.testing.assert_array_equal(steps[0].edges, steps[1].edges)


def boxes(ax) -> list[tuple[float, float]]:
    """Left and upper corners of the coloured boxes, to whole pixels."""
    return [(int(p.get_x()), p.get_y()) for p in ax.patches if p.get_width() < 1]


@pytest.mark.parametrize(
    ("settings", "starts", "beyond", "unseen"),
    [
        ({"input_size": 5, "kernel_size": 3}, [0, 1, 2], [], []),
        ({"input_size": 6, "kernel_size": 3, "stride": 2}, [0, 2], [4], [5]),
        ({"input_size": 4, "kernel_size": 3, "stride": 3, "padding": 1}, [0, 3], [], []),
        ({"input_size": 5, "kernel_size": 2, "stride": 2, "dilation": 2}, [0, 2], [], [1, 3]),
    ],
)
def test_a_kernel_stands_at_every_position_that_pytorch_counts(settings, starts, beyond, unseen):
    sizes = dict(settings)
    row = torch.zeros(1, 1, sizes.pop("input_size"))
    output = nn.Conv1d(1, 1, **sizes)(row)
    ax = figures.kernel_positions(**settings).axes[0]
    kernel, dilation = settings["kernel_size"], settings.get("dilation", 1)
    places = [start + dilation * k for start in starts + beyond for k in range(kernel)]
    assert output.shape[-1] == len(starts)
    assert [left for left, _ in boxes(ax)] == places
    assert len({top for _, top in boxes(ax)}) == len(starts + beyond)
    numbers = [text.get_text() for text in ax.texts]
    assert [t for t in numbers if t.startswith("→")] == [f"→ {i}" for i in range(len(starts))]
    assert numbers.count("no room") == len(beyond)
    assert [t for t in numbers if t.isdigit()] == [str(i) for i in range(row.shape[-1])]
    hatched = [p for p in ax.patches if p.get_hatch()]
    assert len(hatched) == 2 * settings.get("padding", 0)
    assert [round(min(line.get_xdata())) for line in ax.lines] == unseen


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 3},
        {"kernel_size": 2, "stride": 2},
        {"kernel_size": 3, "stride": (3, 2), "padding": (1, 0)},
        {"kernel_size": (3, 2), "dilation": 2, "padding": 2},
    ],
)
def test_the_window_grid_has_a_dot_for_every_output(settings):
    image = torch.randint(0, 256, (1, 7, 8), dtype=torch.uint8)
    outputs = nn.Conv2d(1, 1, **settings)(image[None].float())
    ax = figures.window_grid(image, {"one": settings}).axes[0]
    np.testing.assert_allclose(ax.images[0].get_array() * 255, image[0], atol=1e-4)
    (dots,) = ax.collections
    assert len(dots.get_offsets()) == outputs[0].numel()
    veil = ax.images[1].get_array()[..., 3] > 0
    np.testing.assert_array_equal(veil, ~touched(image.shape[1:], settings))
    first, last = (p for p in ax.patches if not p.get_hatch())
    above, left = (settings.get("padding", 0),) * 2
    above, left = above if isinstance(above, tuple) else (above, left)
    assert first.get_xy() == (-left - 0.5, -above - 0.5)
    middle = np.array(last.get_xy()) + np.array([last.get_width(), last.get_height()]) / 2
    np.testing.assert_allclose(dots.get_offsets()[-1], middle)
    assert bool([p for p in ax.patches if p.get_hatch()]) == bool(above or left)


def touched(shape: tuple[int, ...], settings: dict) -> np.ndarray:
    """The pixels on which some output of a convolution depends, found by its gradient."""
    image = torch.zeros(1, 1, *shape, requires_grad=True)
    kernel = settings["kernel_size"]
    sizes = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    rest = {name: value for name, value in settings.items() if name != "kernel_size"}
    nn.functional.conv2d(image, torch.ones(1, 1, *sizes), **rest).sum().backward()
    return (image.grad[0, 0] > 0).numpy()


def test_receptive_fields_are_framed_with_their_right_neighbours():
    image = torch.zeros(1, 12, 12, dtype=torch.uint8)
    picture = figures.receptive_fields(image, {"conv1": (2, 5, 1), "pool1": (1, 6, 2)})
    for ax, (start, size, jump) in zip(picture.axes, [(2, 5, 1), (1, 6, 2)], strict=True):
        neighbour, own = ax.patches
        assert own.get_xy() == (start - 0.5, start - 0.5)
        assert neighbour.get_xy() == (start + jump - 0.5, start - 0.5)
        assert {patch.get_width() for patch in ax.patches} == {size}
        assert {patch.get_height() for patch in ax.patches} == {size}
    titles = [ax.get_title() for ax in picture.axes]
    assert titles == ["conv1\nsees 5×5, jump 1", "pool1\nsees 6×6, jump 2"]


def test_row_owners_have_one_colour_per_image():
    owners = torch.arange(4).repeat_interleave(6).reshape(4, 6)
    whole, mixed = figures.row_owners({"whole": owners, "mixed": owners.reshape(3, 8)}).axes
    np.testing.assert_array_equal(whole.images[0].get_array(), owners)
    np.testing.assert_array_equal(mixed.images[0].get_array(), owners.reshape(3, 8))
    assert (whole.get_ylabel(), whole.get_xlabel()) == ("4 rows", "6 numbers")
    assert (mixed.get_title(), mixed.get_ylabel()) == ("mixed", "3 rows")


def test_the_bars_of_layer_costs_are_shares_and_their_labels_counts():
    parameters, macs = {"conv1": 250, "fc1": 750}, {"conv1": 9000, "fc1": 1000}
    left, right = figures.layer_costs(parameters, macs).axes
    assert [bar.get_width() for bar in left.patches] == [0.25, 0.75]
    assert [bar.get_width() for bar in right.patches] == [0.9, 0.1]
    assert [text.get_text() for text in right.texts] == ["9,000", "1,000"]
    assert [label.get_text() for label in left.get_yticklabels()] == ["conv1", "fc1"]
    assert left.yaxis_inverted()


def parabola(weights: torch.Tensor) -> torch.Tensor:
    return (weights - 3) ** 2


def test_a_step_goes_from_the_weight_against_its_slope():
    picture = figures.slope_and_step(parabola, 1.0, -4.0, 0.25, (0, 4))
    (ax,) = picture.axes
    curve, tangent, before, after = (np.array(line.get_data()) for line in ax.lines)
    np.testing.assert_allclose(curve[1], (curve[0] - 3) ** 2, atol=1e-5)
    np.testing.assert_allclose(np.diff(tangent[1]) / np.diff(tangent[0]), -4, rtol=1e-5)
    assert before.flatten().tolist() == [1, 4]
    assert after.flatten().tolist() == [2, 1]
    written = texts(picture)
    assert "slope −4" in written
    assert "−0.25 · (−4) = +1" in written
    assert {"w = 1, loss 4", "w = 2, loss 1"} <= set(written)


def test_descents_draw_every_weight_on_its_loss():
    paths = {"slow": [0.0, 1.0, 2.0], "wild": [0.0, 7.0], "still": [3.0]}
    axes = figures.descents(parabola, paths, (-1, 7)).axes
    for ax, (title, path) in zip(axes, paths.items(), strict=False):
        _, walk, start = ax.lines
        assert ax.get_title() == title
        assert list(walk.get_xdata()) == path
        assert walk.get_ydata().tolist() == [(w - 3) ** 2 for w in path]
        assert (start.get_xdata()[0], start.get_ydata()[0]) == (path[0], (path[0] - 3) ** 2)
    assert not axes[3].lines


def test_walks_pass_through_every_pair_of_weights_and_end_at_a_star():
    path = torch.tensor([[4.0, 1.0], [2.0, 0.5], [1.0, -0.25]])
    spans = ((-5.0, 5.0), (-2.0, 2.0))
    (ax,) = figures.walks(lambda a, b: a**2 + 10 * b**2, {"down": path}, spans).axes
    walk, start, star = ax.lines
    np.testing.assert_array_equal(walk.get_xydata(), path)
    np.testing.assert_array_equal(start.get_xydata(), path[:1])
    np.testing.assert_array_equal(star.get_xydata(), [[0, 0]])
    assert (ax.get_xlim(), ax.get_ylim()) == spans
    contours = ax.collections[0]
    for level, line in zip(contours.levels, contours.get_paths(), strict=True):
        heights = line.vertices[:, 0] ** 2 + 10 * line.vertices[:, 1] ** 2
        np.testing.assert_allclose(heights, level, rtol=0.02, atol=0.1)


def test_batch_losses_draw_every_update_and_the_running_mean():
    losses = {"a": [4.0, 2.0, 3.0, 1.0], "b": [1.0, 1.0, 4.0, 4.0]}
    (ax,) = figures.batch_losses(losses, window=2, ceiling=5).axes
    every_a, mean_a, every_b, mean_b, guess = (np.array(line.get_data()) for line in ax.lines)
    assert every_a.tolist() == [[1, 2, 3, 4], losses["a"]]
    assert mean_a.tolist() == [[2, 3, 4], [3, 2.5, 2]]
    assert (every_b[1].tolist(), mean_b[1].tolist()) == (losses["b"], [1, 2.5, 4])
    np.testing.assert_allclose(guess[1], np.log(10))
    assert ax.get_ylim() == (0, 5)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    (plain,) = figures.batch_losses({"a": [3.0, 2.0]}).axes
    assert len(plain.lines) == 2
    legend = figures.batch_losses(losses).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b"]


def test_measurements_are_dots_around_their_median():
    groups = {"one": {8: [1.0, 3.0, 2.0], 16: [5.0]}, "two": {8: [4.0, 6.0]}}
    options = {"xlabel": "batch size", "ylabel": "seconds", "marked": [16]}
    (ax,) = figures.measured(groups, **options).axes
    drawn = [line for line in ax.lines if len(line.get_xdata())]
    assert [list(line.get_ydata()) for line in drawn] == [[1, 3, 2], [5], [4, 6]]
    medians = [bars.get_segments()[0] for bars in ax.collections]
    assert [segment[0, 1] for segment in medians] == [2, 5, 5]
    for line, segment in zip(drawn, medians, strict=True):
        np.testing.assert_allclose(np.mean(line.get_xdata()), segment[:, 0].mean(), atol=0.081)
    assert [round(float(segment[:, 0].mean()), 2) for segment in medians] == [-0.15, 0.85, 0.15]
    assert drawn[1].get_color() != drawn[0].get_color()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["8", "16"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("batch size", "seconds")
