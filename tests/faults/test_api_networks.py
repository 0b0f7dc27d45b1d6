# ruff: noqa: E501, F401 (a row is a line of its table, and uses what is imported)
"""What is handed to the rooms of networks, tracing and shapes by mistake, and what they answer."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lenet import models, shapes, tracing
from lenet.models import WEIGHTS, CifarLeNet, LeNet5Linear, NarrowLeNet
from lenet.shapes import ShapeError
from tests.faults.wrong_inputs import ANYTHING, Door

NET, IMAGES = NarrowLeNet(), torch.rand(2, 1, 28, 28)
NAMES = {**vars(models), **vars(shapes), **vars(tracing), **globals()}

TRACE = "give the shape of one image without the batch axis, such as (1, 28, 28)"
ROWS = [
    ("trace(NET, (28, 28))", "inputs is (28, 28), which has no channel axis: give channels, height and width, (1, 28, 28)"),
    ("trace(CifarLeNet(), (32, 32))", "which has no channel axis: give channels, height and width, (3, 32, 32)"),
    ("trace(LeNet5Linear(), [28, 28])", "(1, 28, 28)"),
    ("trace(NET, (2, 1, 28, 28))", "has a batch axis: give the shape of one image, (1, 28, 28)"),
    *((f"trace(NET, {shape})", f"inputs is {shape}: {TRACE}")
      for shape in ("()", "None", "28", "'1x28x28'", "(1, 28, -1)", "(1, 0, 28)", "(True, 28, 28)", "nan", "b'x'")),
    ("trace(NET, (1, 10**6, 10**6))", "for 268,435,456 numbers at most"),
    ("trace(NET, (1, 10**30, 28))", "for 268,435,456 numbers at most"),
    ("trace(NET, (1, 28.5, 28))", "images must be a tensor"),
    ("trace(NET, IMAGES.numpy())", TRACE),
    ("trace(NET, (1, 28, 28), dtypes='float')", "str"),
    ("trace(NET, (1, 28, 28), device='nowhere')", "device 'nowhere' cannot be used here"),
    ("trace(NET, (1, 28, 28), device=None)", "device None cannot be used here"),
    ("trace(NET, (1, 28, 28), device='cuda:99')", "device 'cuda:99' cannot be used here"),
    ("trace(NET, (1, 28, 28), columns=('size',))", "no column 'size': choose from name, operation"),
    ("trace(NET, (1, 28, 28), columns='name')", "no column 'n'"),
    ("trace(NET, (1, 28, 28), columns=5)", "int"),
    ("trace(NET, (1, 28, 28), depth=0)", "depth is 0: give 1 for the parts of the network, or more"),
    ("trace(NET, (1, 28, 28), depth=-1)", "depth is -1"),
    ("trace(NET, (1, 28, 28), depth=1.5)", "depth is 1.5"),
    ("trace(NET, (1, 28, 28), depth='2')", "depth is 2"),
    ("trace(NET, (1, 28, 28), kwargs=5)", "int"),
    *((f"{call}({model}, {images})", words)
      for call, images in (("trace", "(1, 28, 28)"), ("explain", "IMAGES"), ("record", "IMAGES"), ("run", "IMAGES"))
      for model, words in (
          ("None", "model must be a Module, not None"),
          ("'LeNet5'", "model must be a Module, not 'LeNet5'"),
          ("NarrowLeNet", "NarrowLeNet() makes one"),
          ("IMAGES", "model must be a Module, not float32 (2, 1, 28, 28)"),
          ("len", "model must be a Module, not <built-in function len>"))),
    *((f"explain(NET, {images})", "images must be a tensor, or a tuple of tensors for a network with several inputs")
      for images in ("None", "5", "'abc'", "[]", "(1, 28, 28)", "nan", "IMAGES.numpy()", "object()")),
    ("explain(NET, IMAGES, device='nowhere')", "device 'nowhere' cannot be used here"),
    ("record(NET, None)", "NoneType"),
    ("record(NET, IMAGES.tolist())", "takes 2 positional arguments"),
    ("run(NET, IMAGES, device='nowhere')", "device 'nowhere' cannot be used here"),
    ("private_copy(None)", "model must be a Module, not None"),
    ("private_copy(NET, 'nowhere')", "device 'nowhere' cannot be used here"),
    ("layer_settings(None)", "module must be a Module, not None"),
    ("layer_settings(nn.Linear)", "module must be a Module"),
    ("layer_settings('Conv2d')", "module must be a Module, not 'Conv2d'"),
    ("explaining(5).__enter__()", "model must be a Module, not 5"),
    ("explaining(NarrowLeNet).__enter__()", "NarrowLeNet() makes one"),
    ("apply_edits('abc', [Edit('f', 9, 0, 'x', 'y')])", "line 9 does not hold 'x' to replace"),
    ("apply_edits('abc', [Edit('f', 9, 0, '', 'y')])", "line 9 does not hold ''"),
    ("apply_edits('abc', [Edit('f', 0, 0, 'a', 'y')])", "line 0 does not hold 'a'"),
    ("apply_edits('abc', [Edit('f', 1, 7, 'a', 'y')])", "line 1 does not hold 'a'"),
    ("apply_edits('abc', [Edit('f', 1, 0, 'ab', 'y'), Edit('f', 1, 1, 'b', 'z')])", "does not hold 'ab'"),
    *((f"{call}({size}, 5)", f"input_size is {size}: it must be {words}")
      for call in ("conv_output_size", "pool_output_size", "conv_windows", "pool_windows", "conv_transpose_output_size")
      for size, words in (("'28'", "a whole number"), ("28.0", "a whole number"), ("None", "a whole number"),
                          ("True", "a whole number"), ("0", "at least 1"), ("-3", "at least 1"), ("{}", "a whole number"))),
    ("conv_output_size(torch.tensor(28), 5)", "it must be a whole number"),
    ("conv_output_size((28, None), 5)", "input_size is None: it must be a whole number"),
    ("conv_output_size(28, 0)", "kernel_size is 0: it must be at least 1"),
    ("conv_output_size(28, (5, 5, 5), stride=(1, 1))", "stride is (1, 1): 2 numbers for 3 axes"),
    ("conv_output_size((28,), (5, 5))", "input_size is (28,): 1 numbers for 2 axes"),
    ("conv_output_size((), 5)", "sizes are (): give one number, or one for each axis"),
    ("pool_output_size([], 2)", "sizes are []: give one number"),
    ("conv_output_size(28, 5, stride=0)", "stride is 0: it must be at least 1"),
    ("conv_output_size(28, 5, stride=1.5)", "stride is 1.5: it must be a whole number"),
    ("conv_output_size(28, 5, padding=-1)", "padding is -1: it must be at least 0"),
    ("conv_output_size(28, 5, padding=None)", "padding is None: it must be a whole number"),
    ("conv_output_size(28, 5, padding='full')", "padding is 'full': give a number, 'same' or 'valid'"),
    ("conv_output_size(28, 5, stride=2, padding='same')", "padding='same' needs stride=1"),
    ("conv_output_size(28, 5, dilation=0)", "dilation is 0: it must be at least 1"),
    ("conv_output_size(4, 5)", "kernel_size=5 is larger than the input of size 4"),
    ("pool_output_size(5, 2, padding=2)", "pooling pads by at most half the kernel"),
    ("pool_output_size(5, 2, padding='same')", "padding is 'same': it must be a whole number"),
    ("pool_output_size(5, None)", "kernel_size is None: it must be a whole number"),
    ("conv_transpose_output_size(7, 3, output_padding=5)", "must be smaller than stride=1 or dilation=1"),
    ("conv_transpose_output_size(1, 1, padding=3)", "use a smaller padding or a larger input"),
    *((f"{network}({number})", f"num_classes must be a whole number, at least 1, not {number}")
      for network in ("CifarLeNetBN", "SmallAlexNet", "SmallResNet")
      for number in ("0", "-1", "2.5", "'10'", "None", "True")),
    ("NarrowLeNet(10)", "takes 1 positional argument"),
    ("load_weights(NET, None)", "NoneType"),
    ("load_weights(NET, WEIGHTS / 'lenet5_mnist.safetensors')", "holds the weights of another network than NarrowLeNet"),
    ("read_card(None)", "NoneType"),
    ("load_weights(None, WEIGHTS / 'lenet5_mnist.safetensors')", "model must be a Module, not None"),
    ("load_weights(NarrowLeNet, WEIGHTS / 'lenet5_mnist.safetensors')", "NarrowLeNet() makes one"),
    ("save_weights(None, 'x')", "model must be a Module, not None"),
    ("save_weights({'conv1.weight': IMAGES}, 'x')", "model must be a Module, not a dict"),
    ("save_weights(NET, None)", "NoneType"),
    ("save_trained(NET, 'x', None)", "card must be a ModelCard, not None"),
    ("save_trained(NET, 'x', {'network': 'NarrowLeNet'})", "card must be a ModelCard, not {'network': 'NarrowLeNet'}"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "words"), ROWS)
def test_networks_and_shapes_say_what_is_wrong(code: str, words: str) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        eval(code, {**NAMES, "nan": math.nan})
    assert words in str(caught.value)


SIZES = {"input_size": 9, "kernel_size": 3, "stride": 1, "padding": 0, "dilation": 1}
DOORS = [
    Door(shapes.conv_output_size, SIZES),
    Door(shapes.pool_output_size, SIZES),
    Door(shapes.conv_windows, SIZES, lambda windows: len(windows) > 0),
    Door(shapes.conv_transpose_output_size, {**SIZES, "output_padding": 0}),
    Door(
        shapes.trace,
        {"model": nn.Flatten(), "inputs": (1, 4, 4), "columns": ("name",), "depth": 1},
    ),
    Door(shapes.explain, {"model": nn.Flatten(), "images": torch.rand(2, 1, 4, 4)}),
    Door(tracing.private_copy, {"model": nn.Flatten(), "device": "cpu"}),
    Door(tracing.layer_settings, {"module": nn.Flatten()}),
    Door(models.SmallResNet, {"num_classes": 3}),
]


@pytest.mark.parametrize("door", DOORS, ids=repr)
@settings(max_examples=40, deadline=None)
@given(chosen=st.data())
def test_whatever_comes_is_refused_in_words_or_right(door: Door, chosen: st.DataObject) -> None:
    name = chosen.draw(st.sampled_from(list(door.arguments)), "name")
    door.try_with(name, chosen.draw(ANYTHING, "value"))


class Unsqueezes(nn.Module):
    """Takes planes (N, H, W) and gives them their channel itself."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, planes: Tensor) -> Tensor:
        return self.conv(planes.unsqueeze(1))


@pytest.mark.parametrize(
    ("model", "shape", "last"),
    [
        (nn.Sequential(nn.Unflatten(1, (1, 28)), nn.Conv2d(1, 2, 3)), (28, 28), ("N", 2, 26, 26)),
        (
            nn.Sequential(nn.Flatten(), nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 2, 3)),
            (28, 28),
            ("N", 2, 26, 26),
        ),
        (Unsqueezes(), (28, 28), ("N", 2, 26, 26)),
        (nn.Linear(28, 3), (28, 28), ("N", 28, 3)),
        (nn.Conv1d(4, 5, 3), (4, 28), ("N", 5, 26)),
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 3)), (28, 28), ("N", 3)),
        (nn.Conv2d(1, 2, 3), (1, 28, 28), ("N", 2, 26, 26)),
    ],
)
def test_two_numbers_are_a_shape_where_a_network_takes_them(
    model: nn.Module, shape: tuple[int, ...], last: tuple[Any, ...]
) -> None:
    table = shapes.trace(model, shape)
    assert table.explanation is None
    assert table.rows[-1].output_shape == last


def test_a_trace_that_is_refused_leaves_no_trace() -> None:
    model = nn.Sequential(nn.Dropout(), NarrowLeNet()).train()
    torch.manual_seed(3)
    state = torch.get_rng_state()
    for shape in ((0, 28, 28), (28, 28)):
        with pytest.raises(ShapeError):
            shapes.trace(model, shape)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(module.training for module in model.modules())
