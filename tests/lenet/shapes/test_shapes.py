"""The formulas agree with PyTorch, and the table holds the numbers of the book."""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from lenet import tracing
from lenet.__main__ import main
from lenet.models import CifarLeNet, LeNet5, LeNet5Linear, NarrowLeNet
from lenet.shapes import (
    ShapeError,
    ShapeTable,
    conv_output_size,
    conv_transpose_output_size,
    conv_windows,
    explain,
    pool_output_size,
    pool_windows,
    trace,
)
from lenet.shapes.kinds import work_of
from lenet.shapes.table import Memory
from lenet.shapes.wording import layer_code
from lenet.tracing import layer_settings


def thorough(
    **arguments: st.SearchStrategy,
) -> Callable[[Callable[..., None]], Callable[[int], None]]:
    """Try a test with 500 random settings, and with 3,000 among the slow tests."""

    def tried(test: Callable[..., None]) -> Callable[[int], None]:
        @pytest.mark.parametrize("number", [500, pytest.param(3000, marks=pytest.mark.slow)])
        def run(number: int) -> None:
            options = {"derandomize": True, "deadline": None, "database": None}
            settings(max_examples=number, **options)(given(**arguments)(test))()

        return run

    return tried


def number(smallest: int, largest: int) -> st.SearchStrategy:
    """Mostly possible values, sometimes one just outside, sometimes no whole number."""
    possible = st.integers(smallest, largest)
    return st.one_of(*[possible] * 12, st.integers(-2, largest), st.just(1.5))


def size(smallest: int, largest: int) -> st.SearchStrategy:
    """One number, or one for each of the two axes."""
    one = number(smallest, largest)
    return one | st.tuples(one, one)


def pixels(smallest: int = 1) -> st.SearchStrategy:
    one = st.one_of(*[st.integers(1, 14)] * 12, st.integers(smallest, 14))
    return st.tuples(one, one)


def whole_pair(value: object) -> tuple[int, int] | None:
    pair = value if isinstance(value, tuple) else (value, value)
    return pair if all(isinstance(n, int) and n >= 0 for n in pair) else None


def theirs(operation, *args) -> tuple[int, ...] | None:
    """PyTorch's answer; None when it refuses, or returns nothing at all."""
    try:
        shape = tuple(operation(*args).shape[2:])
    except (RuntimeError, TypeError, ValueError):
        return None
    return shape if min(shape) > 0 else None


def ours(operation, *args) -> tuple[int, ...] | None:
    try:
        return operation(*args)
    except ShapeError:
        return None


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@thorough(
    pixels=pixels(0),
    kernel_size=size(1, 5),
    stride=size(1, 4),
    padding=size(0, 3) | st.sampled_from(["same", "valid"]),
    dilation=size(1, 3),
)
def test_convolution_sizes_are_those_of_pytorch(pixels, kernel_size, stride, padding, dilation):
    kernel = whole_pair(kernel_size)
    answer = ours(conv_output_size, pixels, kernel_size, stride, padding, dilation)
    if kernel is None:
        assert answer is None
        return
    images, weight = torch.zeros(1, 1, *pixels), torch.zeros(1, 1, *kernel)
    assert answer == theirs(F.conv2d, images, weight, None, stride, padding, dilation)


@thorough(
    pixels=pixels(0),
    kernel_size=size(1, 5),
    stride=st.none() | size(1, 4),
    padding=size(0, 2),
    dilation=size(1, 3),
    ceil_mode=st.booleans(),
)
def test_max_pooling_sizes_are_those_of_pytorch(
    pixels, kernel_size, stride, padding, dilation, ceil_mode
):
    arguments = (kernel_size, stride, padding, dilation, ceil_mode)
    expected = theirs(F.max_pool2d, torch.zeros(1, 1, *pixels), *arguments)
    assert ours(pool_output_size, pixels, *arguments) == expected


@thorough(
    pixels=pixels(0),
    kernel_size=size(1, 5),
    stride=st.none() | size(1, 4),
    padding=size(0, 2),
    ceil_mode=st.booleans(),
)
def test_average_pooling_sizes_are_those_of_pytorch(
    pixels, kernel_size, stride, padding, ceil_mode
):
    images = torch.zeros(1, 1, *pixels)
    expected = theirs(F.avg_pool2d, images, kernel_size, stride, padding, ceil_mode)
    assert ours(pool_output_size, pixels, kernel_size, stride, padding, 1, ceil_mode) == expected


@thorough(
    pixels=pixels(1),
    kernel_size=size(1, 5),
    stride=size(1, 4),
    padding=size(0, 3),
    output_padding=size(0, 3),
    dilation=size(1, 3),
)
def test_transposed_convolution_sizes_are_those_of_pytorch(
    pixels, kernel_size, stride, padding, output_padding, dilation
):
    kernel = whole_pair(kernel_size)
    answer = ours(
        conv_transpose_output_size, pixels, kernel_size, stride, padding, output_padding, dilation
    )
    if kernel is None or 0 in kernel:
        assert answer is None
        return
    images, weight = torch.zeros(1, 1, *pixels), torch.zeros(1, 1, *kernel)
    arguments = (None, stride, padding, output_padding, 1, dilation)
    assert answer == theirs(F.conv_transpose2d, images, weight, *arguments)


def test_a_number_gives_a_number_and_a_pair_a_pair():
    assert conv_output_size(28, 5) == 24
    assert conv_output_size((28, 20), 5, padding="same") == (28, 20)
    assert conv_output_size(28, (5, 3)) == (24, 26)
    assert pool_output_size(24, 2) == 12
    assert conv_transpose_output_size(12, 2, stride=2) == 24


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: conv_output_size(3, 5), "kernel_size=5 is larger than the input of size 3"),
        (lambda: conv_output_size(6, 3, dilation=4), "dilation=4 spans 9 pixels"),
        (lambda: conv_output_size(28, 5, stride=0), "stride is 0: it must be at least 1"),
        (lambda: conv_output_size(-4, 5), "input_size is -4: it must be at least 1"),
        (lambda: conv_output_size(28, 2.5), "kernel_size is 2.5: it must be a whole number"),
        (lambda: conv_output_size(28, 5, padding="full"), "give a number, 'same' or 'valid'"),
        (lambda: conv_output_size(28, 5, 2, "same"), "padding='same' needs stride=1"),
        (lambda: conv_output_size((28, 28), (5, 5, 5)), "input_size is (28, 28): 2 numbers for 3"),
        (lambda: pool_output_size(8, 2, padding=2), "use padding=1 or less with kernel_size=2"),
        (lambda: conv_transpose_output_size(4, 2, output_padding=1), "must be smaller than"),
        (lambda: conv_transpose_output_size(2, 2, padding=2), "leaves none"),
    ],
)
def test_impossible_settings_are_refused_with_the_reason(call, words):
    with pytest.raises(ShapeError, match=re.escape(words)):
        call()


@pytest.mark.parametrize("padding", [0, 2, "same"])
@pytest.mark.parametrize(("kernel_size", "stride", "dilation"), [(3, 1, 1), (4, 1, 2), (2, 3, 2)])
def test_the_positions_of_a_window_are_the_pixels_that_are_summed(
    padding, kernel_size, stride, dilation
):
    if padding == "same" and stride > 1:
        return
    (window,) = conv_windows(11, kernel_size, stride, padding, dilation)
    pixels = torch.rand(11, dtype=torch.float64)
    weight = torch.ones(1, 1, kernel_size, dtype=torch.float64)
    expected = F.conv1d(pixels[None, None], weight, None, stride, padding, dilation)[0, 0]
    sums = [sum(pixels[i] for i in stop if 0 <= i < 11) for stop in window.positions]
    torch.testing.assert_close(torch.stack(sums), expected)


def test_the_formula_holds_where_a_window_is_left_out():
    (window,) = pool_windows(6, 1, stride=4, ceil_mode=True)
    assert window.formula == "⌈(6 − 1) / 4⌉ + 1 − 1 = 2"
    assert window.note == (
        "1.25 is rounded up to 2, but the window that starts behind the input is left out: "
        "no window reaches the last pixel"
    )
    assert F.max_pool2d(torch.zeros(1, 1, 6, 6), 1, 4, ceil_mode=True).shape[-1] == 2


def test_a_transposed_convolution_has_a_formula_and_no_receptive_field():
    layer = nn.ConvTranspose2d(1, 2, 3, stride=2, padding=1, output_padding=1, dilation=2)
    (row,) = trace(layer, (1, 7, 7)).rows
    assert row.formula == "(7 − 1)·2 − 2·1 + 2·(3 − 1) + 1 + 1 = 16"
    assert row.output_shape == ("N", 2, 16, 16)
    assert row.receptive_field is None
    misfit = trace(nn.Sequential(nn.ConvTranspose2d(1, 2, 3, output_padding=1)), (1, 7, 7))
    assert "output_padding is 1, but it must be smaller" in misfit.explanation.what


def test_pooling_over_a_whole_batch_of_rows_has_a_row():
    network = nn.Sequential(nn.Flatten(), nn.AdaptiveAvgPool2d(1))  # PyTorch lets it pass
    assert trace(network, (1, 4, 4)).rows[1].output_shape == (1, 1)


def test_the_size_of_the_batch_is_written_as_in_the_code():
    class Rows(nn.Module):
        def forward(self, x):
            return x.view(x.size(0), -1).reshape(len(x), 4, -1).view(3, 8)

    operations = [row.operation for row in trace(Rows(), (2, 2, 2)).rows]
    assert operations == ["view(x.size(0), -1)", "reshape(len(x), 4, -1)", "view(3, 8)"]


def test_the_formula_shows_its_numbers_and_says_when_it_rounds():
    (window,) = conv_windows(28, 5, padding=2)
    assert window.formula == "⌊(28 + 2·2 − 5) / 1⌋ + 1 = 28"
    assert window.note == ""
    (window,) = conv_windows(28, 3, stride=2)
    assert window.formula == "⌊(28 − 3) / 2⌋ + 1 = 13"
    assert window.note == "12.5 is rounded down to 12: no window reaches the last pixel"
    (window,) = conv_windows(9, 3, dilation=2)
    assert window.formula == "⌊(9 − (2·(3 − 1) + 1)) / 1⌋ + 1 = 5"


def test_the_narrow_lenet_has_12_operations_and_32998_parameters():
    table = trace(NarrowLeNet(), (1, 28, 28))
    assert " ".join(row.name for row in table.rows) == (
        "conv1 relu max_pool2d conv2 relu max_pool2d flatten fc1 relu fc2 relu out"
    )
    assert table.num_parameters == 32_998
    assert table.rows[6].formula == "12·4·4 = 192"
    assert table.rows[-1].output_shape == ("N", 10)
    assert table.explanation is None


@pytest.mark.parametrize("network", [LeNet5, LeNet5Linear])
def test_lenet5_has_the_parameters_and_connections_of_the_book(network):
    table = trace(network(), (1, 28, 28))
    assert table.num_parameters == 61_706
    assert (table.num_macs, table.num_macs_with_bias) == (416_520, 423_038)


def test_the_cifar_network_has_the_parameters_and_macs_of_the_book():
    table = trace(CifarLeNet(), (3, 32, 32))
    assert (table.num_parameters, table.num_macs) == (62_006, 651_720)


def test_receptive_fields_of_lenet5():
    rows = {row.name: row for row in trace(LeNet5(), (1, 28, 28)).rows}
    layers = [rows[name] for name in ("conv1", "pool1", "conv2", "pool2", "conv3")]
    assert [row.receptive_field for row in layers] == [(n, n) for n in (5, 6, 14, 16, 32)]
    assert [row.jump for row in layers] == [(n, n) for n in (1, 2, 2, 4, 4)]
    assert rows["fc1"].receptive_field is None


class Branches(nn.Module):
    """A wide and a narrow branch, added, then both beside each other."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(1, 4, kernel_size=1)
        self.wide = nn.Conv2d(1, 4, kernel_size=5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.narrow(x) + self.wide(x)
        return F.max_pool2d(torch.cat([x, x.relu()], dim=1), 2)


def test_the_receptive_field_across_branches_is_the_largest():
    rows = {row.name: row for row in trace(Branches(), (1, 8, 8)).rows}
    assert rows["add"].receptive_field == (5, 5)
    assert rows["cat"].receptive_field == (5, 5)
    assert rows["cat"].formula == "4 + 4 = 8"
    assert (rows["max_pool2d"].receptive_field, rows["max_pool2d"].jump) == ((6, 6), (2, 2))


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_receptive_fields_are_where_the_gradient_arrives(data):
    """The pixels that move a unit in the middle are those the receptive field counts."""
    layers: list[nn.Module] = []
    for _ in range(data.draw(st.integers(1, 4))):
        kernel, stride = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2))
        dilation = data.draw(st.integers(1, 2))
        layers.append(nn.Conv2d(1, 1, kernel, stride, dilation=dilation))
        layers.append(nn.AvgPool2d(data.draw(st.integers(1, 2)), stride=1))
    network = nn.Sequential(*layers).double()
    for parameter in network.parameters():
        nn.init.ones_(parameter)
    images = torch.rand(1, 1, 90, 90, dtype=torch.float64, requires_grad=True)
    output = network(images)
    middle = output.shape[-1] // 2
    output[0, 0, middle, middle].backward()
    rows = (images.grad[0, 0] != 0).any(dim=1).nonzero()
    extent = int(rows.max() - rows.min()) + 1
    assert trace(network, (1, 90, 90)).rows[-1].receptive_field == (extent, extent)


def test_a_transposed_convolution_counts_every_multiplication():
    table = trace(nn.Sequential(nn.ConvTranspose2d(3, 8, kernel_size=4, stride=2)), (3, 5, 5))
    assert table.num_macs == 5 * 5 * 3 * 8 * 4 * 4
    assert table.rows[0].output_shape == ("N", 8, 12, 12)


class Function(nn.Module):
    """A network that is one expression."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)


def recurrent(draw: st.DrawFn, length: int, width: int) -> tuple[nn.Module, list[Tensor]]:
    kind = draw(st.sampled_from([nn.RNN, nn.LSTM, nn.GRU]))
    settings = {
        "num_layers": draw(st.integers(1, 3)),
        "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "bidirectional": draw(st.booleans()),
    }
    if kind is nn.LSTM:
        settings["proj_size"] = draw(st.integers(0, 2))
    return kind(width, draw(st.integers(3, 6)), **settings), [torch.rand(length, 2, width)]


def attention(draw: st.DrawFn, length: int, width: int) -> tuple[nn.Module, list[Tensor]]:
    settings = {
        "bias": draw(st.booleans()),
        "add_bias_kv": draw(st.booleans()),
        "add_zero_attn": draw(st.booleans()),
        "kdim": draw(st.none() | st.integers(1, 5)),
        "vdim": draw(st.none() | st.integers(1, 5)),
        "batch_first": draw(st.booleans()),
    }
    layer = nn.MultiheadAttention(2 * width, 2, **settings)
    keys = draw(st.integers(1, 4))
    if settings["batch_first"]:
        rows, others = (3, length), (3, keys)
    else:
        rows, others = (length, 3), (keys, 3)
    sizes = (layer.kdim, layer.vdim)
    return layer, [torch.rand(*rows, 2 * width), *(torch.rand(*others, n) for n in sizes)]


def transformer(draw: st.DrawFn, length: int, width: int) -> tuple[nn.Module, list[Tensor]]:
    layer = nn.TransformerEncoderLayer(2 * width, 2, dim_feedforward=5, batch_first=True)
    network = draw(st.sampled_from([layer, nn.TransformerEncoder(layer, 2)]))
    return network, [torch.rand(2, length, 2 * width)]


def convolution(draw: st.DrawFn, length: int, width: int) -> tuple[nn.Module, list[Tensor]]:
    axes = draw(st.integers(1, 3))
    kind = draw(st.sampled_from(["Conv", "ConvTranspose"]))
    groups, bias = draw(st.sampled_from([1, width])), draw(st.booleans())
    layer = getattr(nn, f"{kind}{axes}d")(width, 2 * width, 2, 2, groups=groups, bias=bias)
    return layer, [torch.rand(2, width, *[length + 1] * axes)]


PRODUCTS = {
    "bij,bjk->bik": lambda a, b: torch.einsum("bij,bjk->bik", a, b),
    "bij,bjk->kb": lambda a, b: torch.einsum("bij,bjk->kb", [a, b]),
    "ij,jk": lambda a, b: torch.einsum("...ij,...jk", a, b),
    "matmul": lambda a, b: a @ b,
    "bmm": torch.bmm,
    "baddbmm": lambda a, b: torch.baddbmm(torch.zeros(()), a, b),
    "tensordot": lambda a, b: torch.tensordot(a[0], b[0], dims=1),
    "chain_matmul": lambda a, b: torch.chain_matmul(a[0], b[0], b[0].T),
    "attention": lambda a, b: F.scaled_dot_product_attention(a, b.mT, b.mT),
}


def product(draw: st.DrawFn, length: int, width: int) -> tuple[nn.Module, list[Tensor]]:
    function = PRODUCTS[draw(st.sampled_from(sorted(PRODUCTS)))]
    return Function(function), [torch.rand(2, length, width), torch.rand(2, width, 3)]


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("number", [30, pytest.param(300, marks=pytest.mark.slow)])
def test_multiply_accumulates_are_those_of_pytorchs_counter(number):
    """It counts two operations for each; what it does not count in fast kernels runs without."""
    kinds = (recurrent, attention, transformer, convolution, product)

    @settings(max_examples=number, derandomize=True, deadline=None, database=None)
    @given(data=st.data(), kind=st.sampled_from(kinds))
    def compare(data: st.DataObject, kind: Callable[..., tuple[nn.Module, list[Tensor]]]) -> None:
        network, inputs = kind(
            data.draw, data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
        )
        ours = sum(work_of(step)[0] for step in tracing.record(network, inputs))
        plain = (torch.backends.mkldnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH))
        with FlopCounterMode(display=False) as counter, plain[0], plain[1]:
            network(*inputs)
        assert 2 * ours == counter.get_total_flops()

    compare()


def test_a_bilinear_layer_uses_each_weight_once_per_row():
    inputs = (torch.rand(5, 3), torch.rand(5, 4))
    layer = explain(nn.Bilinear(3, 4, 2), inputs)
    assert (layer.num_macs, layer.num_macs_with_bias) == (24, 26)
    weight = torch.rand(2, 3, 4)
    function = explain(Function(lambda x, y: F.bilinear(x, y, weight)), inputs)
    assert (function.num_macs, function.num_macs_with_bias) == (24, 24)


def test_every_bias_of_recurrent_layers_and_attention_is_added():
    lstm = trace(nn.LSTM(3, 4, batch_first=True), (5, 3))
    assert lstm.num_macs_with_bias - lstm.num_macs == 5 * 2 * 16
    attention = trace(nn.MultiheadAttention(4, 2, batch_first=True), [(5, 4), (6, 4), (6, 4)])
    assert attention.num_macs_with_bias - attention.num_macs == (5 + 6 + 6 + 5) * 4


@pytest.mark.parametrize(
    "layer",
    [
        nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True),
        nn.GRU(3, 4, bias=False),
        nn.RNN(3, 4, nonlinearity="relu"),
        nn.LSTM(3, 4, proj_size=2, dropout=0.5, num_layers=2),
        nn.LSTMCell(3, 4),
        nn.MultiheadAttention(4, 2, dropout=0.1, bias=False, add_zero_attn=True, batch_first=True),
        nn.MultiheadAttention(4, 2, add_bias_kv=True, kdim=3, vdim=5),
        nn.Bilinear(3, 3, 2, bias=False),
        nn.Linear(3, 4),
        nn.Conv2d(3, 4, (3, 1), stride=(2, 1), padding="valid", bias=False),
        nn.ConvTranspose2d(3, 4, 3, stride=2, output_padding=1),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.AdaptiveAvgPool2d((None, 3)),
        nn.BatchNorm2d(3, eps=0.1, affine=False),
        nn.GroupNorm(1, 3),
        nn.LayerNorm((3, 4), bias=False),
        nn.Embedding(5, 3, padding_idx=0),
        nn.Unflatten(1, (3, 3)),
        nn.LayerNorm((3, 3)),
        nn.Upsample(scale_factor=2.0),
        nn.PReLU(3),
        nn.Softmax(dim=1),
    ],
)
def test_printed_layers_can_be_built(layer):
    built = eval(layer_code(type(layer), layer_settings(layer)), vars(nn))
    assert repr(built) == repr(layer)
    shapes = [{name: p.shape for name, p in each.named_parameters()} for each in (built, layer)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    "layer",
    [nn.InstanceNorm2d(2), nn.Softmax(dim=-1), nn.Softmax(dim=2), nn.GLU(), nn.GroupNorm(1, 2)],
)
def test_what_looks_at_more_than_its_place_has_no_receptive_field(layer):
    table = trace(nn.Sequential(nn.Conv2d(1, 2, 3), layer), (1, 8, 8))
    assert [row.receptive_field for row in table.rows] == [(3, 3), None]


@pytest.mark.parametrize(
    "layer", [nn.Softmax(dim=1), nn.Softmax(dim=-3), nn.GLU(1), nn.Softmax2d()]
)
def test_what_looks_along_the_channels_keeps_its_receptive_field(layer):
    table = trace(nn.Sequential(nn.Conv2d(1, 2, 3), layer), (1, 8, 8))
    assert [row.receptive_field for row in table.rows] == [(3, 3), (3, 3)]


def test_grouped_and_functional_convolutions_count_as_layers_do():
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.rand(8, 2, 3, 3))

        def forward(self, x: Tensor) -> Tensor:
            return F.conv2d(x, self.weight, padding=1, groups=2)

    layer = trace(nn.Sequential(nn.Conv2d(4, 8, 3, padding=1, groups=2, bias=False)), (4, 6, 6))
    function = trace(Functional(), (4, 6, 6))
    assert function.num_macs == layer.num_macs == 6 * 6 * 8 * 2 * 9
    assert function.num_parameters == layer.num_parameters == 144
    assert function.rows[0].formula == layer.rows[0].formula
    assert function.rows[0].receptive_field == (3, 3)


def test_work_on_weights_alone_is_counted_once_for_the_batch():
    class Generated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.make = nn.Linear(3, 4, bias=False)
            self.register_buffer("code", torch.rand(6, 3))

        def forward(self, x: Tensor) -> Tensor:
            return F.linear(x, self.make(self.code).t())

    table = trace(Generated(), (6,))
    assert [row.num_macs for row in table.rows] == [6 * 3 * 4, 0, 6 * 4]


def test_unused_parameters_stand_on_a_line_of_their_own():
    network = NarrowLeNet()
    network.spare = nn.Linear(3, 4)
    table = trace(network, (1, 28, 28))
    assert table.num_unused_parameters == 16
    assert table.num_parameters == 32_998 + 16
    assert "16 of the parameters below are not used" in str(table)


def test_frozen_parameters_are_counted_and_told():
    network = NarrowLeNet()
    network.conv1.requires_grad_(False)
    table = trace(network, (1, 28, 28), columns=("name", "parameters", "trainable", "share"))
    assert (table.num_parameters, table.num_frozen_parameters) == (32_998, 156)
    assert "32,998 parameters, 156 of them frozen." in str(table)
    assert table.rows[0].cells(table.columns) == ("conv1", "156", "", "0.5%")


def test_tied_and_shared_layers_count_once():
    layer = nn.Linear(4, 4)
    tied = nn.Linear(4, 4)
    tied.weight = layer.weight
    network = nn.Sequential(layer, layer, tied)
    table = trace(network, (4,))
    assert table.num_parameters == sum(p.numel() for p in network.parameters()) == 24
    assert table.num_macs == 3 * 16


def test_layers_in_a_plain_list_are_warned_of():
    class Listed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [nn.Linear(2, 3)]
            self.fc = nn.Linear(3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.layers[0](x))

    table = trace(Listed(), (2,))
    assert (table.num_parameters, table.num_unregistered_parameters) == (4, 9)
    assert "Warning: 9 parameters more" in str(table)
    assert "nn.ModuleList" in str(table)


def test_images_and_arguments_of_every_kind_are_traced():
    class Many(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(10, 4)

        def forward(
            self, batch: dict[str, Tensor], scale: float, *, mask: Tensor, more: list[Tensor]
        ) -> Tensor:
            x = self.words(batch["tokens"]).mean(1) + batch["pixels"]
            return torch.where(mask, x * scale, more[0])

    batch = {"tokens": (7,), "pixels": (4,)}
    kwargs = {"mask": (4,), "more": [torch.zeros(3, 4)]}
    table = trace(
        Many(), [batch, 2.0], kwargs=kwargs, dtypes=(torch.long, torch.float32, torch.bool)
    )
    assert table.explanation is None
    assert table.rows[-1].output_shape == ("N", 4)
    assert table.input_shapes == (("N", 7), ("N", 4), ("N", 4), ("N", 4))
    assert table.rows[0].step.sources == (tracing.MODEL_INPUT,)


def test_one_dictionary_and_keywords_alone_will_do():
    class Named(nn.Module):
        def forward(self, given: dict[str, Tensor]) -> Tensor:
            return given["x"].relu()

    assert trace(Named(), {"x": (4,)}).rows[0].output_shape == ("N", 4)
    assert trace(Named(), kwargs={"given": {"x": (4,)}}).rows[0].output_shape == ("N", 4)
    assert trace(nn.ReLU(), torch.zeros(6, 2)).rows[0].output_shape == ("N", 2)


def test_a_gradient_of_weights_inside_forward_has_a_table():
    class Learning(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            (slope,) = torch.autograd.grad(self.fc(x).sum(), self.fc.weight)
            return F.linear(x, self.fc.weight - slope, self.fc.bias)

    table = trace(Learning(), (3,))
    assert table.explanation is None
    assert table.rows[-1].output_shape == ("N", 2)


def test_a_table_can_be_made_without_computing():
    computed, not_computed = (trace(LeNet5(), (1, 28, 28), device=d) for d in ("cpu", "meta"))
    assert str(computed) == str(not_computed)
    assert computed.memory == not_computed.memory


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_network_on_the_gpu_has_the_same_table_on_either_device():
    tables = [trace(LeNet5().cuda(), (1, 28, 28), device=device) for device in ("cpu", "cuda")]
    assert str(tables[0]) == str(tables[1]) == str(trace(LeNet5(), (1, 28, 28)))


def test_the_made_up_batch_is_odd():
    assert trace(nn.ReLU(), (4,)).rows[0].step.output_shape == (3, 4)


def test_the_columns_can_be_chosen():
    columns = ("name", "input shape", "kernel", "dtype", "code", "share", "MB", "MACs")
    table = trace(LeNet5(), (1, 28, 28), columns=columns)
    conv, pool = (row.cells(columns) for row in (table.rows[3], table.rows[2]))
    assert conv[:4] == ("conv2", "(N, 6, 14, 14)", "5", "float32")
    assert conv[4] == table.rows[3].step.place.code
    assert conv[5:] == (f"{2416 / 61_706:.1%}", f"{16 * 100 * 4 / 1e6:.3f}", "240,000")
    assert pool[2] == "2"
    assert str(table).splitlines()[2].split("  ")[0] == "name"
    assert '<th scope="col">input shape</th>' in table._repr_html_()
    assert "| name | input shape |" in table.to_markdown()
    assert table.show(columns=["name"]).columns == ("name",)
    with pytest.raises(ValueError, match="no column 'nmae': choose from name, operation"):
        trace(LeNet5(), (1, 28, 28), columns=("nmae",))


def test_memory_is_that_of_the_tensors():
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(8, 5)
    )
    network[4].requires_grad_(False)
    table = trace(network.double(), (1, 4, 4), columns=("name", "MB"))
    parameters = 8 * (20 + 4 + 45)
    buffers = 8 * 4 + 8  # running mean and variance, and a count in whole numbers
    forward = 8 * (8 + 8 + 5)  # nothing for what is done in place, or is a view
    assert table.memory == Memory(parameters, buffers, forward, forward + 8 * 24)
    assert "Memory in MB of 1,000,000 bytes, for one image: parameters 0.001" in str(table)
    assert "Memory" not in str(trace(network, (1, 4, 4)))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def test_modules_are_opened_to_the_depth_asked_for():
    blocks = nn.Sequential(Block(), Block())
    network = nn.Sequential(nn.Conv2d(1, 2, 1), blocks, nn.Flatten())
    table = trace(network, (1, 4, 4), columns=("name", "operation", "parameters", "MACs"))

    def shown(depth: int) -> list[tuple[str, str, str, str]]:
        return [cells for _, cells in table.show(depth=depth)._lines()]

    first, block, body = ("4", "32"), ("38", "576"), ("38", "576")
    assert shown(1) == [
        ("0", "Conv2d(1, 2, kernel_size=1)", *first),
        ("1", "Sequential", "76", "1,152"),
        ("2", "Flatten()", "", ""),
    ]
    indent = "\N{NO-BREAK SPACE}" * 2
    assert shown(2)[1:4] == [
        ("1", "Sequential", "76", "1,152"),
        (f"{indent}0", "Block", *block),
        (f"{indent}1", "Block", *block),
    ]
    assert shown(3)[2:5] == [
        (f"{indent}0", "Block", *block),
        (f"{indent * 2}body", "Sequential", *body),
        (f"{indent * 2}add", "add()", "", ""),
    ]
    assert [name for name, *_ in shown(9)].count(f"{indent * 3}0") == 2
    assert len(table.show(depth=9).rows) == len(table.rows) == 8
    assert f"| {indent}0 | Block |" in table.show(depth=2).to_markdown()
    with pytest.raises(ValueError, match="depth is 0"):
        table.show(depth=0)


def test_the_row_of_a_module_is_the_sum_of_its_rows():
    table = trace(CifarLeNet(), (3, 32, 32))
    whole = trace(nn.Sequential(CifarLeNet()), (3, 32, 32), depth=1)
    ((row, _),) = whole._lines()
    assert (row.num_parameters, row.num_macs) == (table.num_parameters, table.num_macs)
    assert (row.input_shape, row.output_shape) == (("N", 3, 32, 32), ("N", 10))
    assert row.parameter_share == pytest.approx(1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_the_table_says_what_it_cannot_see():
    network = nn.Sequential(nn.Linear(5, 4), nn.ReLU())
    assert "meta device have no numbers" in str(trace(copy.deepcopy(network).to("meta"), (5,)))
    scripted = nn.Sequential(torch.jit.script(network), nn.Linear(4, 2))
    table = trace(scripted, (5,))
    assert (table.num_parameters, table.num_macs) == (34, 8)
    assert "multiply-accumulates and packed weights are not seen: 0." in str(table)
    quantized = torch.ao.quantization.quantize_dynamic(network, {nn.Linear})
    assert "not seen: 0." in str(trace(quantized, (5,)))


def test_a_lazy_network_has_a_table_and_stays_lazy():
    network = nn.Sequential(nn.Flatten(), nn.LazyLinear(10))
    table = trace(network, (1, 28, 28))
    assert table.num_parameters == 7_850
    assert isinstance(network[1], nn.LazyLinear)


@pytest.mark.parametrize(
    "layers",
    [
        (nn.AdaptiveAvgPool2d((None, 3)), nn.Flatten(), nn.Linear(5, 2)),
        (nn.Unflatten(0, (1, 2)), nn.Linear(5, 2)),
        (nn.LazyLinear(3), nn.Linear(5, 2)),
    ],
)
def test_what_does_not_fit_never_breaks_the_table(layers):
    assert trace(nn.Sequential(nn.Conv2d(1, 4, 3), *layers), (1, 9, 9)).explanation is not None


def test_the_table_says_that_pytorch_floors():
    table = trace(nn.Sequential(nn.MaxPool2d(2)), (1, 7, 7))
    assert "2.5 is rounded down to 2" in str(table)


def test_every_rendering_holds_every_row():
    table = trace(LeNet5(), (1, 28, 28))
    renderings = (str(table), table.to_markdown(), table._repr_html_())
    for row in table.rows:
        for text in renderings:
            assert row.name.replace("_", "\\_") in text or row.name in text
            assert row.formula in text
    dicts = table.to_dicts()
    assert dicts[0]["output_shape"] == ("N", 6, 28, 28)
    assert dicts[0]["settings"]["padding"] == (2, 2)
    assert json.loads(json.dumps(dicts))[4]["name"] == "relu"


class TagCounter(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_names_stay_text():
    network = nn.Sequential()
    network.add_module("<img src=x onerror=alert(1)>|`", nn.Linear(4, 4))
    network.add_module("</td></table><script>", nn.Linear(5, 5))
    table = trace(network, (4,))
    parser = TagCounter()
    parser.feed(table._repr_html_())
    assert not {"img", "script"} & parser.tags.keys()
    assert "<img src=x" in parser.text
    row = next(line for line in table.to_markdown().splitlines() if "img src" in line)
    assert "<" not in row
    assert len(re.findall(r"(?<!\\)\|", row)) == 9


def test_the_html_scrolls_in_its_own_box_and_takes_the_themes_colours():
    text = trace(LeNet5(), (1, 28, 28))._repr_html_()
    assert "overflow-x: auto" in text
    assert "--pst-color-border" in text
    assert "--jp-border-color2" in text
    assert not re.search(r"#[0-9a-f]{3,6}\b|rgb\(|\b(black|white)\b(?!-)", text)


def failing() -> ShapeTable:
    model = LeNet5Linear()
    model.conv1 = nn.Conv2d(1, 6, kernel_size=5)
    return trace(model, (1, 28, 28))


def test_the_explanation_says_the_same_as_text_and_as_html():
    table = failing()
    for text in (table._repr_html_(), table.explanation._repr_html_()):
        parser = TagCounter()
        parser.feed(text)
        for line in str(table.explanation).splitlines():
            assert line.strip().removeprefix("- ") in parser.text
        assert parser.tags["li"] == len(table.explanation.fixes)


@pytest.mark.parametrize("fails", [False, True])
def test_the_html_fits_a_column_of_the_book_and_scrolls_on_a_phone(browser, fails):
    table = failing() if fails else trace(LeNet5(), (1, 28, 28))
    page = browser.new_page()
    sizes = "e => [e.scrollWidth, e.clientWidth]"
    for width, fits in ((700, True), (390, False)):
        page.set_viewport_size({"width": width, "height": 800})
        page.set_content(f'<body style="margin: 0; font-family: sans-serif">{table._repr_html_()}')
        needed, room = page.locator(".lenet-shapes").evaluate(sizes)
        assert (needed <= room) == fits
        assert page.locator("body").evaluate(sizes) == [width, width]
    page.close()


def test_the_formula_of_an_oblong_kernel_stands_on_a_line_per_axis():
    text = trace(nn.Sequential(nn.Conv2d(1, 2, (3, 5))), (1, 9, 9))._repr_html_()
    assert "H: ⌊(9 − 3) / 1⌋ + 1 = 7,\nW: ⌊(9 − 5) / 1⌋ + 1 = 5" in text


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (28, "such as (1, 28, 28)"),
        ((1, 28, -28), "in whole numbers from 1"),
        ((), "whole numbers"),
        ("1x28x28", "such as (1, 28, 28)"),
        ((64, 1, 28, 28), "has a batch axis: give the shape of one image, (1, 28, 28)"),
    ],
)
def test_a_wrong_input_shape_gets_a_helpful_error(shape, words):
    with pytest.raises(ShapeError, match=re.escape(words)):
        trace(LeNet5(), shape)


@pytest.mark.parametrize("shape", [(28, 28), (64, 1, 28, 28)])
def test_a_wrong_number_of_axes_is_told_before_what_else_is_wrong(shape):
    network = LeNet5Linear()
    network.fc1 = nn.Linear(100, 120)
    with pytest.raises(ShapeError, match=re.escape("(1, 28, 28)")):
        trace(network, shape)


def test_networks_with_several_inputs_and_outputs_have_a_table():
    class Two(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            return torch.cat([x, y], 1), (x + y).flatten(1)

    table = explain(Two(), (torch.rand(3, 2, 4, 4), torch.rand(3, 2, 4, 4)))
    assert table.explanation is None
    assert [row.name for row in table.rows] == ["cat", "add", "flatten"]
    assert table.input_shapes == (("N", 2, 4, 4), ("N", 2, 4, 4))


def test_images_that_are_no_tensor_are_refused():
    with pytest.raises(TypeError, match="images must be a tensor"):
        explain(LeNet5(), [[0.0]])


def test_half_precision_networks_are_traced_in_their_own_type():
    assert trace(NarrowLeNet().to(torch.bfloat16), (1, 28, 28)).explanation is None


def test_the_command_prints_the_table(capsys):
    assert main(["shapes", "LeNet5", "--input", "1x28x28"]) == 0
    printed = capsys.readouterr().out
    assert "conv1" in printed
    assert "61,706 parameters" in printed


def test_the_command_explains_and_fails_when_shapes_do_not_fit(capsys):
    assert main(["shapes", "LeNet5Linear", "--input", "1x32x32"]) == 1
    printed = capsys.readouterr().out
    assert "fc1 expects 400 features, but flatten gives (N, 576): 576 features" in printed
    assert "in_features=576 in fc1" in printed


def test_the_command_takes_networks_of_ones_own(capsys, tmp_path, monkeypatch):
    (tmp_path / "my_networks.py").write_text(
        "from torch import nn\n\ndef tiny():\n    return nn.Sequential(nn.Linear(3, 2))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["shapes", "my_networks:tiny", "--input", "3", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["num_parameters"] == 8
    assert found["rows"][0]["name"] == "0"
    assert main(["shapes", "my_networks:tiny", "--input", "3", "--format", "markdown"]) == 0
    assert "| 0 | Linear(3, 2) |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Foo", "--input", "1x28x28"], "'Foo' is not one of NarrowLeNet, LeNet5"),
        (["LeNet5", "--input", "28 by 28"], "write channels, height and width as 1x28x28"),
        (["LeNet5", "--input", "1x0x28"], "is no shape"),
        (["LeNet5", "--input", "1x28x28:tensor"], "'tensor' is no type"),
        (["LeNet5", "--input", "1x28x28", "--columns", "name, nmae"], "no column 'nmae'"),
        (["LeNet5", "--input", "1x28x28", "--depth", "0"], "depth is 0"),
        (["missing.py:Net", "--input", "1"], "cannot be made: FileNotFoundError"),
        (["lenet.models:LeNet5(print)", "--input", "1"], "cannot be made: ValueError"),
        (["no.such:Net", "--input", "1"], "cannot be made: ModuleNotFoundError"),
        (["json:dumps", "--input", "1"], "cannot be made: TypeError"),
        (["builtins:dict", "--input", "1"], "makes a dict, not a torch.nn.Module"),
        (["LeNet5"], "the following arguments are required: --input"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["shapes", *arguments])
    assert stopped.value.code == 2
    assert words in " ".join(capsys.readouterr().err.split())


OWN_FILE = """
import torch
from torch import nn

print("imported")


class Reader(nn.Module):
    def __init__(self, words, width=4):
        super().__init__()
        self.words = nn.Embedding(words, width)

    def forward(self, tokens, *, mask):
        print("running")
        return self.words(tokens).masked_fill(mask[..., None], 0).mean(1)


instance = Reader(3)
"""


@pytest.mark.parametrize("name", ["Reader(7, width=5)", "instance"])
def test_the_command_takes_files_arguments_and_several_inputs(name, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.delitem(sys.modules, "nets_of_a_file", raising=False)
    file = tmp_path / "nets_of_a_file.py"
    file.write_text(OWN_FILE)
    inputs = ["--input", "mask=6:bool", "--input", "6:long"]
    assert main(["shapes", f"{file}:{name}", *inputs, "--format", "json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["num_parameters"] == (12 if name == "instance" else 35)
    assert found["bytes"]["parameters"] == 4 * found["num_parameters"]
    assert printed.err.splitlines() == ["imported", "running"]
    columns = ["--columns", "name,dtype,output shape", "--depth", "1"]
    assert main(["shapes", f"{file}:{name}", *inputs, *columns]) == 0
    assert "words        float32  (N, 6," in capsys.readouterr().out
