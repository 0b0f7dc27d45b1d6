# ruff: noqa: E501, F401 (a row is a line of its table, and uses what is imported)
"""What is handed to widgets and figures by mistake, and what they answer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lenet.models import NarrowLeNet
from lenet_book import figures, widgets
from lenet_book.figures import BookFigure
from tests.faults.wrong_inputs import ANYTHING, Door

NAN, INF = math.nan, math.inf
NET = NarrowLeNet()
SMALL = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(32, 3))
PIXELS = torch.randint(0, 256, (2, 1, 6, 6), dtype=torch.uint8)
IMAGES = torch.rand(2, 1, 6, 6)
CONV = nn.Conv2d(1, 2, 3)
LINEAR = nn.Linear(4, 2)


class AsDict(nn.Module):
    """Gives what a detection network gives."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"logits": images.flatten(1)}


class Nothing(nn.Module):
    """Computes nothing."""

    def forward(self, images: Tensor) -> Tensor:
        return images


class Branches(nn.Module):
    """Is no chain of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images) + images


NAMES = {**vars(figures), **vars(widgets), **globals(), "nan": NAN}


def widget_rows(call: str, rest: str) -> list[tuple[str, str]]:
    """List what a stepper and an explorer refuse alike; `rest` are labels where they are needed."""
    pictures = (
        (
            "PIXELS.long()",
            "images must be uint8 or float32 or float64 or float16 or bfloat16 (N, C, H, W), not int64 (2, 1, 6, 6)",
        ),
        ("PIXELS.int()", "not int32 (2, 1, 6, 6)"),
        ("PIXELS > 9", "not bool (2, 1, 6, 6)"),
        ("IMAGES.to(torch.complex64)", "not complex64"),
        ("IMAGES[:0]", "images must hold something, not float32 (0, 1, 6, 6)"),
        ("IMAGES[..., :0]", "images must hold something, not float32 (2, 1, 6, 0)"),
        ("IMAGES[None]", "not float32 (1, 2, 1, 6, 6)"),
        ("IMAGES[0, 0]", "not float32 (6, 6)"),
        (
            "IMAGES.numpy()",
            "images must be a tensor (N, C, H, W), not a ndarray; torch.as_tensor makes one",
        ),
        ("IMAGES.tolist()", "images must be a tensor (N, C, H, W), not a list"),
        ("None", "images must be a tensor (N, C, H, W), not None"),
        ("'digit.png'", "images must be a tensor (N, C, H, W), not 'digit.png'"),
        ("IMAGES * NAN", "infinite or not a number"),
        ("IMAGES / 0", "infinite or not a number"),
    )
    models = (
        ("None", "model must be a Module, not None"),
        ("NarrowLeNet", "NarrowLeNet() makes one"),
        ("'LeNet5'", "model must be a Module, not 'LeNet5'"),
        ("nn.Conv2d(3, 2, 3)", "channels"),
        ("nn.Linear(5, 2)", "5 features"),
    )
    labels = (
        ("[0]", "labels must be whole numbers (2,), one for each image, not [0]"),
        ("[0, 3]", "labels go from 0 to 3, and there are 3 classes, counted from 0"),
        ("[-1, 0]", "labels go from -1 to 0"),
        ("[0.0, 1.0]", "labels must be whole numbers (2,), one for each image, not [0.0, 1.0]"),
        ("[0.5, NAN]", "labels must be whole numbers"),
        ("[True, False]", "labels must be whole numbers"),
        ("torch.tensor([0.0, 1.0])", "not float32 (2,)"),
        ("torch.tensor([[0, 1]])", "not int64 (1, 2)"),
        ("['cat', 'dog']", "not ['cat', 'dog']"),
        ("5", "not 5"),
        ("'01'", "not '01'"),
        ("np.array([0.0, 1.0])", "not array([0., 1.])"),
    )
    others = (
        ("std=(0.0,)", "std must be a finite number above 0 for each of 1 channels, not (0.0,)"),
        ("std=(-1.0,)", "std must be a finite number above 0"),
        ("std=(NAN,)", "std must be a finite number above 0"),
        ("std=()", "std must be a finite number above 0"),
        ("std=(1.0, 1.0)", "for each of 1 channels, not (1.0, 1.0)"),
        ("std='1'", "std must be a finite number above 0"),
        ("mean=(INF,)", "mean must be a finite number for each of 1 channels, not (inf,)"),
        ("mean=None", "mean must be a finite number"),
        ("mean=(0.1, 0.2, 0.3)", "for each of 1 channels, not (0.1, 0.2, 0.3)"),
        (
            "dtype=torch.float64",
            "dtype is torch.float64; it must be torch.float32 or torch.float16",
        ),
        ("dtype='float16'", "dtype is float16; it must be"),
        ("dtype=None", "dtype is None; it must be"),
        ("classes=['a']", "1 class names for 3 outputs"),
    )
    return [
        *((f"{call}(SMALL, {images}{rest})", words) for images, words in pictures),
        *((f"{call}({model}, IMAGES{rest})", words) for model, words in models),
        *((f"{call}(SMALL, IMAGES, {truth})", words) for truth, words in labels),
        *((f"{call}(SMALL, PIXELS{rest}, {named})", words) for named, words in others),
    ]


WIDGET_ROWS = [
    *widget_rows("ForwardStepper", ""),
    *widget_rows("MistakeExplorer", ", [0, 1]"),
    ("ForwardStepper(Nothing(), IMAGES)", "Nothing has no operation that could be shown"),
    ("ForwardStepper(SMALL, IMAGES, lessons=True)", "lessons are digits in one square channel, of ten classes"),
    ("ForwardStepper(nn.Conv2d(1, 2, 3), IMAGES, [0, 1])", "labels go from 0 to 1, and there are 0 classes"),
    ("MistakeExplorer(SMALL, IMAGES, [0, 1], per_cell=0)", "per_cell must be a whole number, at least 1, not 0"),
    ("MistakeExplorer(SMALL, IMAGES, [0, 1], per_cell=2.5)", "per_cell must be a whole number"),
    ("MistakeExplorer(SMALL, IMAGES, None)", "labels must be whole numbers (2,)"),
    ("MistakeExplorer(nn.Conv2d(1, 2, 3), IMAGES, [0, 1])", "a tensor of scores (2, K)"),
    ("MistakeExplorer(AsDict(), IMAGES, [0, 1])", "it gave a dict"),
    ("ShapeCalculator('LeNet5')", "network must be a Module, not 'LeNet5'"),
    ("ShapeCalculator(NarrowLeNet)", "NarrowLeNet() makes one"),
    ("ShapeCalculator(NET, (3, 28, 28))", "channels"),
    ("ShapeCalculator(NET, (1, 5, 5))", "max_pool2d"),
    ("ShapeCalculator(Branches())", "add is add; the calculator knows"),
    ("ShapeCalculator(nn.Sequential(nn.LSTM(2, 3)))", "the calculator knows"),
    *((f"ShapeCalculator(NET, {shape})", f"input_shape must be channels, height and width, at least 1 each, not {shape}")
      for shape in ("(28, 28)", "28", "None", "(1, 28, 0)", "(1, 28, -1)", "(1, 28, 28.5)", "'1x28x28'", "(1, True, 28)", "(2, 1, 28, 28)", "nan")),
    ("ConvPlayground(0)", "input_size is 0: it must be at least 1"),
    ("ConvPlayground(-7)", "input_size is -7: it must be at least 1"),
    ("ConvPlayground(7.5)", "input_size is 7.5: it must be a whole number"),
    ("ConvPlayground('7')", "input_size is '7': it must be a whole number"),
    ("ConvPlayground(None)", "input_size is None: it must be a whole number"),
    ("ConvPlayground(True)", "input_size is True: it must be a whole number"),
    ("ConvPlayground((7, 7, 7))", "sizes are one number, or height and width"),
    ("ConvPlayground(())", "sizes are one number, or height and width"),
    ("ConvPlayground((7, NAN))", "input_size is nan: it must be a whole number"),
    ("ConvPlayground(25)", "the playground draws at most 24"),
    ("ConvPlayground(7, 9)", "kernel_size=9 is larger than the input of size 7"),
    ("ConvPlayground(7, 0)", "kernel_size is 0"),
    ("ConvPlayground(7, stride=0)", "stride is 0: it must be at least 1"),
    ("ConvPlayground(7, padding=-1)", "padding is -1: it must be at least 0"),
    ("ConvPlayground(7, padding='full')", "padding is 'full': give a number, 'same' or 'valid'"),
    ("ConvPlayground(7, padding=None)", "padding is None: it must be a whole number"),
    ("ConvPlayground(7, padding='same', stride=2)", "padding='same' needs stride=1"),
    ("ConvPlayground(7, padding='same', operation='max')", "padding is 'same': it must be a whole number"),
    ("ConvPlayground(7, ceil_mode=True)", "convolutions round down"),
    ("ConvPlayground(7, dilation=2, operation='avg')", "dilation is a setting of convolutions and max pooling"),
    ("ConvPlayground(7, operation='max3')", "operation must be 'conv' or 'max' or 'avg', not 'max3'"),
    ("ConvPlayground(7, operation=None)", "operation must be 'conv' or 'max' or 'avg', not None"),
    ("TrainingReplay(None)", "recording must be a Replay, not None"),
    ("TrainingReplay('a training')", "recording must be a Replay, not 'a training'"),
    ("TrainingReplay([])", "recording must be a Replay, not []"),
    ("TrainingLab(runs=[])", "there is no run of a loop with a fault"),
    ("TrainingLab(runs=[{}])", "each run must be a record of lenet_book.faults.run_loop, not {}"),
    ("TrainingLab(runs=[5])", "each run must be a record of lenet_book.faults.run_loop, not 5"),
    ("TrainingLab(runs=5)", "int"),
    ("TrainingLab(runs=[{'loop': 'healthy'}])", "each run must be a record"),
]  # fmt: skip

FIGURE_ROWS = [
    ("image_grid(None)", "images must be a tensor (N, C, H, W), not None"),
    ("image_grid(IMAGES.numpy())", "images must be a tensor (N, C, H, W), not a ndarray"),
    ("image_grid(IMAGES[0])", "images must be (N, C, H, W), not float32 (1, 6, 6)"),
    ("image_grid(IMAGES[:0])", "images must hold something"),
    ("image_grid(IMAGES * NAN)", "images must be finite real numbers"),
    ("image_grid(IMAGES.to(torch.complex64))", "images must be finite real numbers"),
    ("image_grid(IMAGES.expand(2, 2, 6, 6))", "images must be (N, 1 or 3, H, W)"),
    ("image_grid(IMAGES, ['one'])", "2 images but 1 titles"),
    ("image_grid(IMAGES, 5)", "no len()"),
    ("image_grid(IMAGES, columns=0)", "columns must be a whole number, at least 1, not 0"),
    ("image_grid(IMAGES, columns=2.5)", "columns must be a whole number"),
    ("image_grid(IMAGES, width=-1)", "must be"),
    ("image_grid(IMAGES, width='wide')", "str"),
    ("image_grid(IMAGES, colums=3)", "colums"),
    ("pixels(IMAGES[0, 0], 'x')", "image must be uint8 (H, W), not float32 (6, 6)"),
    ("pixels(PIXELS[0], 'x')", "image must be uint8 (H, W), not uint8 (1, 6, 6)"),
    ("pixels(None, 'x')", "image must be a tensor (H, W), not None"),
    ("image_stages({'raw': PIXELS[0, 0]})", "stages['raw'] must be (C, H, W), not uint8 (6, 6)"),
    ("image_stages({'raw': None})", "stages['raw'] must be a tensor"),
    ("image_stages({})", "stages is empty: there is nothing to draw"),
    ("image_stages(PIXELS[0], columns=0)", "image_stages cannot draw"),
    ("architecture(NET)", "give input_shape, such as (1, 28, 28), or an image"),
    ("architecture(None, (1, 28, 28))", "model must be a Module"),
    ("architecture(NET, (28, 28))", "architecture cannot draw"),
    ("architecture(NET, (3, 28, 28))", "architecture cannot draw"),
    ("architecture(NET, image=IMAGES)", "image must be (C, H, W), not float32 (2, 1, 6, 6)"),
    ("architecture(NET, image=torch.full((1, 28, 28), NAN))", "image must be finite real numbers"),
    ("shares({'a': torch.ones(2, 3)}, 'abc')", "logits['a'] must be (K,), not float32 (2, 3)"),
    ("shares({'a': torch.ones(3)}, 'ab')", "shape mismatch"),
    ("shares({}, 'abc')", "logits is empty: there is nothing to draw"),
    ("contributions(torch.ones(2, 4), LINEAR, 0)", "inputs must be (F,), not float32 (2, 4)"),
    ("contributions(torch.ones(4), LINEAR, 7, num_shown=2)", "contributions cannot draw"),
    ("contributions(torch.ones(4), None, 0, num_shown=2)", "contributions cannot draw"),
    ("contributions(torch.ones(4), LINEAR, 0, num_shown=9)", "contributions cannot draw"),
    ("confusion(torch.ones(2, 3), 'ab')", "counts must be (2, 2)"),
    ("confusion(torch.ones(3), 'abc')", "counts must be (K, K), not float32 (3,)"),
    ("confusion(None, 'abc')", "counts must be a tensor (K, K), not None"),
    ("confusion(torch.full((2, 2), NAN), 'ab')", "counts must be finite real numbers"),
    ("class_scores({}, 'ab')", "scores is empty: there is nothing to draw"),
    ("class_scores({'recall': [0.5, 0.5]}, 'ab')", "class_scores cannot draw"),
    ("reliability({})", "bins is empty: there is nothing to draw"),
    ("reliability({'net': []})", "not enough values"),
    ("convolution_step(PIXELS[0], torch.ones(3), 0, 0)", "kernel must be (H, W), not float32 (3,)"),
    ("convolution_step(PIXELS[0], torch.ones(3, 3), 9, 0)", "convolution_step cannot draw"),
    ("convolution_step(PIXELS[0], torch.ones(3, 3), -1, 0)", "convolution_step cannot draw"),
    ("convolution_step(PIXELS[0].expand(3, 6, 6), torch.ones(3, 3), 0, 0)", "image must be (1, H, W), not (3, 6, 6)"),
    ("convolution_sum(IMAGES, CONV, (0, 0, 0))", "inputs must be (C, H, W), not float32 (2, 1, 6, 6)"),
    ("convolution_sum(IMAGES[0], CONV, (5, 0, 0))", "convolution_sum cannot draw"),
    ("convolution_sum(IMAGES[0], CONV, (0, 9, 9))", "convolution_sum cannot draw"),
    ("convolution_sum(IMAGES[0], None, (0, 0, 0))", "convolution_sum cannot draw"),
    ("convolution_sum(IMAGES[0], nn.Conv2d(1, 2, 3, stride=2), (0, 0, 0))", "stride 1 and neither padding nor dilation"),
    ("convolution_sum(IMAGES[0], nn.Conv2d(1, 2, 3, padding=1), (0, 0, 0))", "stride 1 and neither padding nor dilation"),
    ("max_pooling(torch.ones(4))", "values must be (H, W), not float32 (4,)"),
    ("max_pooling(torch.ones(5, 4))", "both must be divisible by kernel_size=2"),
    ("max_pooling(torch.ones(4, 4), 0)", "kernel_size must be a whole number, at least 1, not 0"),
    ("window_places({'a': {'stride': 0}})", "stride is 0: it must be at least 1"),
    ("window_places({'a': {'strid': 1}})", "strid"),
    ("window_places({})", "settings is empty: there is nothing to draw"),
    ("kernel_positions(5, 7)", "kernel_size=7 is larger than the input of size 5"),
    ("kernel_positions('5', 3)", "input_size is '5': it must be a whole number"),
    ("window_grid(PIXELS[0], {'a': {}})", "kernel_size"),
    ("window_grid(PIXELS[0, 0], {'a': {'kernel_size': 3}})", "image must be (C, H, W), not uint8 (6, 6)"),
    ("receptive_fields(None, {'a': (0, 3, 1)})", "image must be a tensor (C, H, W), not None"),
    ("receptive_fields(PIXELS[0], {})", "fields is empty"),
    ("row_owners({'a': torch.ones(3)})", "owners['a'] must be (R, C), not float32 (3,)"),
    ("layer_costs({}, {})", "parameters is empty"),
    ("layer_costs({'a': 0}, {'a': 0})", "layer_costs cannot draw"),
    ("filters({'a': torch.ones(2, 3, 3, 3)})", "weights['a'] must be (F, 1, H, W), not (2, 3, 3, 3)"),
    ("filters({})", "weights is empty: there is nothing to draw"),
    ("filters(torch.ones(2, 1, 3, 3))", "filters cannot draw"),
    ("filter_depth(torch.ones(2, 1, 3))", "weight must be (F, C, H, W), not float32 (2, 1, 3)"),
    ("filter_maps(IMAGES, torch.ones(2, 3, 4), CONV.weight)", "maps must be (N, F, H, W), not float32 (2, 3, 4)"),
    ("filter_maps(IMAGES, torch.ones(3, 2, 4, 4), CONV.weight)", "zip()"),
    ("strongest_patches(CONV.weight, torch.ones(2, 3, 3))", "patches must be (F, P, H, W), not float32 (2, 3, 3)"),
    ("weight_histograms({})", "weights is empty"),
    ("weight_histograms({'a': None})", "weight_histograms cannot draw"),
    ("connections(torch.ones(3))", "table must be (O, I), not float32 (3,)"),
    ("code_images({})", "rows is empty"),
    ("score_map(PIXELS, ['1'], torch.ones(1), 4)", "image must be (1, H, W), not uint8 (2, 1, 6, 6)"),
    ("score_map(PIXELS[0], ['1', '2'], torch.ones(1), 4)", "there are 2 winners and 1 shares"),
    ("squashing({}, 1.0)", "functions is empty"),
    ("squashing({'f': 5}, 1.0)", "int"),
    ("trainability({})", "panels is empty"),
    ("learning_curves(None)", "learning_curves cannot draw"),
    ("learning_curves({'a': 5})", "learning_curves cannot draw"),
    ("curves({'a': 5}, xlabel='x', ylabel='y')", "int"),
    ("trade_offs({'a': {'net': [0.5]}}, {'s': {}})", "trade_offs cannot draw"),
    ("walks(lambda a, b: a, {'a': torch.ones(3, 3)}, ((0, 1), (0, 1)))", "paths['a'] must be (S, 2), not (3, 3)"),
    ("walks(lambda a, b: a, {}, ((0, 1), (0, 1)))", "paths is empty: there is nothing to draw"),
    ("descents(None, {'a': [1.0]}, (0, 1))", "NoneType"),
    ("slope_and_step(5, 1.0, 1.0, 0.1, (0, 1))", "int"),
    ("batch_losses({'a': 'x'})", "could not convert"),
    ("measured({'a': 5}, xlabel='x', ylabel='y')", "not iterable"),
    ("speeds({}, xlabel='x')", "groups is empty"),
    ("speeds({'a': []}, xlabel='x')", "no median"),
    ("timelines({}, xlabel='x')", "panels is empty"),
    ("growth({})", "rows is empty"),
]  # fmt: skip


def answer(code: str) -> str:
    """Run a row's code and return what it is refused with."""
    with pytest.raises((ValueError, TypeError)) as caught:
        eval(code, NAMES)
    return str(caught.value)


@pytest.mark.parametrize(("code", "words"), WIDGET_ROWS)
def test_widgets_say_what_is_wrong(code: str, words: str) -> None:
    assert words in answer(code)


@pytest.mark.parametrize(("code", "words"), FIGURE_ROWS)
def test_figures_say_what_is_wrong(code: str, words: str) -> None:
    assert words in answer(code)


def drawn(result: object) -> bool:
    return isinstance(result, BookFigure) and len(result._repr_mimebundle_()[0]["image/png"]) > 0


def held(widget: Any) -> bool:
    """Tell whether a widget's arrays and scaling hold numbers alone."""
    meta = widget.meta
    return all(math.isfinite(each) for each in (*meta["mean"], *meta["std"]))


FIGURES = [
    Door(figures.image_grid, {"images": IMAGES, "titles": "ab", "columns": 2}, drawn),
    Door(figures.image_stages, {"stages": {"raw": PIXELS[0]}, "columns": 2}, drawn),
    Door(figures.pixels, {"image": PIXELS[0, 0], "name": "x"}),
    Door(figures.shares, {"logits": {"a": torch.ones(3)}, "classes": "abc"}, drawn),
    Door(figures.contributions, {"inputs": torch.ones(4), "layer": LINEAR, "unit": 1, "num_shown": 2}, drawn),
    Door(figures.confusion, {"counts": torch.ones(2, 2), "classes": "ab"}, drawn),
    Door(figures.class_scores, {"scores": {"a": torch.ones(2)}, "classes": "ab"}),
    Door(figures.convolution_step, {"image": PIXELS[0], "kernel": torch.ones(3, 3), "row": 1, "column": 1}, drawn),
    Door(figures.convolution_sum, {"inputs": IMAGES[0], "layer": CONV, "unit": (0, 1, 1)}, drawn),
    Door(figures.max_pooling, {"values": torch.rand(4, 4), "kernel_size": 2}, drawn),
    Door(figures.kernel_positions, {"input_size": 7, "kernel_size": 3, "stride": 1}, drawn),
    Door(figures.window_places, {"settings": {"a": {}}, "size": 7, "kernel_size": 3}, drawn),
    Door(figures.filters, {"weights": {"a": CONV.weight}}, drawn),
    Door(figures.filter_depth, {"weight": CONV.weight}, drawn),
    Door(figures.filter_maps, {"images": IMAGES, "maps": torch.ones(2, 2, 4, 4), "weight": CONV.weight}, drawn),
    Door(figures.strongest_patches, {"weight": CONV.weight, "patches": torch.rand(2, 1, 3, 3)}, drawn),
    Door(figures.connections, {"table": torch.ones(2, 3)}, drawn),
    Door(figures.row_owners, {"owners": {"a": torch.ones(2, 3).long()}}, drawn),
    Door(figures.layer_costs, {"parameters": {"a": 1}, "macs": {"a": 1}}, drawn),
]  # fmt: skip
WIDGETS = [
    Door(
        widgets.ForwardStepper,
        {"model": SMALL, "images": PIXELS, "labels": [0, 1], "classes": "abc", "mean": (0.5,), "std": (0.5,), "dtype": torch.float16},
        held,
    ),
    Door(
        widgets.MistakeExplorer,
        {"model": SMALL, "images": PIXELS, "labels": [0, 1], "classes": "abc", "std": (0.5,), "per_cell": 2},
        held,
    ),
    Door(widgets.ShapeCalculator, {"network": SMALL, "input_shape": (1, 6, 6)}),
    Door(widgets.ConvPlayground, {"input_size": 7, "kernel_size": 3, "stride": 1, "padding": 0, "dilation": 1, "operation": "max"}),
    Door(widgets.TrainingReplay, {"recording": None}),
    Door(widgets.TrainingLab, {"runs": []}),
]  # fmt: skip


@pytest.mark.parametrize("door", [*FIGURES, *WIDGETS], ids=repr)
@settings(max_examples=12, deadline=None)
@given(chosen=st.data())
def test_whatever_comes_is_refused_in_words_or_right(door: Door, chosen: st.DataObject) -> None:
    name = chosen.draw(st.sampled_from(list(door.arguments)), "name")
    door.try_with(name, chosen.draw(ANYTHING, "value"))


def test_tensors_with_a_gradient_are_drawn() -> None:
    weight = nn.Parameter(torch.rand(2, 1, 4, 4))
    assert drawn(figures.image_grid(weight * 1))
    assert drawn(figures.filters({"now": weight}))
    assert drawn(figures.filter_depth(weight))
    assert weight.requires_grad


@pytest.mark.parametrize(
    "labels",
    [[1, 2], (1, 2), torch.tensor([1, 2]), torch.tensor([1, 2]).byte(), np.array([1, 2])],
)
def test_labels_of_any_whole_kind_are_labels(labels: Any) -> None:
    assert widgets.ForwardStepper(SMALL, IMAGES, labels).meta["labels"] == [1, 2]
    assert widgets.MistakeExplorer(SMALL, PIXELS, labels).counts.sum(1).tolist() == [0, 1, 1]


@pytest.mark.parametrize("mean", [(0.5,), [0.5], torch.tensor([0.5]), torch.full((1, 1, 1), 0.5)])
def test_scaling_of_any_kind_is_kept(mean: Any) -> None:
    assert widgets.ForwardStepper(SMALL, PIXELS, mean=mean).meta["mean"] == [0.5]


def test_a_network_that_is_refused_keeps_its_mode_and_weights() -> None:
    model = nn.Sequential(nn.Dropout(), SMALL).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for refused in ({"labels": [0, 9]}, {"std": (0.0,)}):
        with pytest.raises(ValueError, match=r"labels go|std must"):
            widgets.MistakeExplorer(model, PIXELS, **{"labels": [0, 1], **refused})
    assert all(module.training for module in model.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
