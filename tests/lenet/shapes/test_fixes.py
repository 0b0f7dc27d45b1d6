"""A fix is an edit of the user's source, and what was executed is what it says."""

from __future__ import annotations

import math
from textwrap import indent

import pytest
import torch
import torchvision
from torch import Tensor, nn

from lenet import tracing
from lenet.models import CifarLeNet
from lenet.shapes import Fix, edits
from lenet.shapes.diagnosis import Call, diagnose
from lenet.shapes.edits import Edit, apply_edits
from lenet.shapes.fixes import Found, find_fixes
from tests.sources import make_by_hand, run_cell

SOURCE = """
class Block(nn.Module):
    def __init__(self, width, hidden=12):
        super().__init__()
        self.conv = nn.Conv2d(1, width,
            3,
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(100, hidden))
        self.tail = nn.Sequential(OrderedDict([("a", nn.ReLU()), ("last", nn.Linear(hidden, 5))]))
        layers = [nn.Linear(5, 4), nn.Linear(4, 3)]
        self.more = nn.Sequential(*layers)
        self.table = nn.ModuleDict({"a": nn.Linear(3, 3)})
    def forward(self, é):
        x = F.relu(self.conv(é)).view(-1,
            100)
        return super().__call__ and self.more(self.tail(self.head(x)))
"""


def network_of(init: str, forward: str) -> str:
    """Write a class with these lines."""
    init, forward = (indent(lines.replace("; ", "\n"), " " * 8) for lines in (init, forward))
    start = "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    return f"{start}{init}\n    def forward(self, x):\n{forward}\n"


def search(model: nn.Module, *inputs: Tensor, seconds: float = math.inf) -> Found:
    call = Call(model, inputs)
    recording = call.run()
    problem = diagnose(inputs, recording)
    assert problem is not None
    return find_fixes(call, recording, problem, seconds)


def mended(source: str, fix: Fix, images: Tensor) -> Tensor:
    """Do with a network's source, and with its images, what a fix says."""
    made = run_cell(apply_edits(source, fix.edits))["Net"]()
    model, images = make_by_hand(fix, made, images)
    output = model.eval()(images)
    return output[0] if isinstance(output, tuple) else output


def test_edits_are_made_where_they_say():
    source = "a = é(1)\nb = f(2,\n      3)\n"
    made = [
        Edit("f", 1, 6, "1", "10"),
        Edit("f", 2, 4, "f(2,\n      3)", "g()"),
        Edit("f", 1, 7, "", ", 2"),
    ]
    assert apply_edits(source, made) == "a = é(10, 2)\nb = g()\n"
    with pytest.raises(ValueError, match="line 1"):
        apply_edits(source, [Edit("f", 1, 0, "b", "c")])
    with pytest.raises(ValueError, match="line 1"):
        apply_edits(source, [Edit("f", 1, 4, "é(1)", "c"), Edit("f", 1, 6, "1", "2")])


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("conv", "nn.Conv2d(1, width,\n            3,\n        )"),
        ("head.1", "nn.Linear(100, hidden)"),
        ("tail.last", "nn.Linear(hidden, 5)"),
        ("more.1", "nn.Linear(4, 3)"),
        ("table.a", "nn.Linear(3, 3)"),
    ],
)
def test_a_layer_is_found_where_it_is_made(name, written):
    model = run_cell(SOURCE)["Block"](4)
    assert edits.layer_expression(model, name).text == written
    model.set_submodule(name, nn.Linear(2, 7))
    assert edits.layer_expression(model, name) is None or name in ("head.1", "tail.last")


def test_arguments_are_changed_or_added():
    model = run_cell(SOURCE)["Block"](4)
    call = edits.layer_expression(model, "conv")
    names = list(tracing.constructor_parameters(nn.Conv2d))
    made = call.with_arguments(names, {"in_channels": 3, "padding": (2, 2)})
    assert edits.lines_after(made) == ["self.conv = nn.Conv2d(3, width,", "padding=2)"]


def test_a_rewritten_method_runs_in_its_class():
    model = run_cell(SOURCE)["Block"](4)
    view = tracing.run(model, [torch.rand(3, 1, 7, 7)]).steps[2]
    call = edits.expression_at(view.place)
    assert call.text == "F.relu(self.conv(é)).view(-1,\n            100)"
    edits.rewritten(model, [call.replaced("self.conv(é).flatten(1)")])
    assert model(torch.rand(3, 1, 7, 7)).shape == (3, 3)


# What is in `__init__` and `forward`, the shape of the images, and the first fix.
REPAIRS = {
    "a result that is thrown away": (
        "self.fc = nn.Linear(64, 5)",
        "x.view(x.shape[0], -1); return self.fc(x)",
        (3, 1, 8, 8),
        "x = x.view(x.shape[0], -1)",
    ),
    "the owner of a reshape stays": (
        "self.c = nn.Conv2d(1, 3, 3); self.pool = nn.MaxPool2d(2); self.fc = nn.Linear(432, 5)",
        "x = self.pool(F.relu(self.c(x))).view(-1, 216); return self.fc(x)",
        (3, 1, 26, 26),
        "flatten(1) instead of view(-1, 216)",
    ),
    "what is flattened is an expression": (
        "self.c = nn.Conv2d(1, 3, 3); self.pool = nn.MaxPool2d(2); self.fc = nn.Linear(108, 5)",
        "return self.fc(self.pool(self.c(x)))",
        (3, 1, 14, 14),
        "self.pool(self.c(x)).flatten(1) before fc",
    ),
    "a layer in a sequence": (
        "self.net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.MaxPool2d(2), nn.Linear(100, 5))",
        "return self.net(x)",
        (3, 1, 14, 14),
        "nn.Flatten() before net[2] and in_features=108 in net[2]",
    ),
    "torch.reshape": (
        "self.c = nn.Conv2d(1, 3, 3); self.fc = nn.Linear(72, 5)",
        "x = self.c(x); x = torch.reshape(x, (-1, 72)); return self.fc(x)",
        (3, 1, 14, 14),
        "x.flatten(1) instead of torch.reshape(x, (-1, 72)) and in_features=432 in fc",
    ),
    "a view of memory out of order": (
        "self.c = nn.Conv2d(1, 3, 3); self.fc = nn.Linear(432, 5)",
        "x = self.c(x).permute(0, 2, 3, 1); return self.fc(x.view(x.size(0), -1))",
        (3, 1, 14, 14),
        "reshape(x.size(0), -1) instead of view(x.size(0), -1)",
    ),
    "words before Conv1d": (
        "self.e = nn.Linear(4, 8); self.c = nn.Conv1d(8, 16, 3); self.fc = nn.Linear(16, 2)",
        "return self.fc(self.c(self.e(x)).mean(2))",
        (3, 10, 4),
        "self.e(x).permute(0, 2, 1) before c",
    ),
    "channels before attention": (
        "self.c = nn.Conv1d(4, 8, 3)\nself.a = nn.MultiheadAttention(8, 2, batch_first=True)",
        "x = self.c(x); x, _ = self.a(x, x, x); return x.mean(1)",
        (3, 4, 12),
        "x.permute(0, 2, 1) before a",
    ),
    "the features of an LSTM": (
        "self.l = nn.LSTM(30, 16, batch_first=True); self.fc = nn.Linear(16, 2)",
        "x, _ = self.l(x); return self.fc(x[:, -1])",
        (3, 10, 28),
        "input_size=28 in l",
    ),
    "batch_first": (
        "self.l = nn.GRU(28, 16); self.fc = nn.Linear(16, 2)",
        "x, _ = self.l(x); return self.fc(x[-1])",
        (3, 10, 28),
        "batch_first=True in l and [:, -1] instead of [-1]",
    ),
    "the last picture for the last time": (
        "self.l = nn.GRU(28, 16, batch_first=True); self.fc = nn.Linear(16, 2)",
        "x, _ = self.l(x); return self.fc(x[-1])",
        (3, 10, 28),
        "[:, -1] instead of [-1]",
    ),
    "LayerNorm": (
        "self.f = nn.Linear(10, 20); self.n = nn.LayerNorm(10); self.g = nn.Linear(20, 2)",
        "return self.g(self.n(self.f(x)))",
        (3, 10),
        "normalized_shape=20 in n",
    ),
    "cat along the batch": (
        "self.a = nn.Linear(10, 4); self.b = nn.Linear(10, 4); self.c = nn.Linear(8, 2)",
        "return self.c(torch.cat((self.a(x), self.b(x)), 0))",
        (3, 10),
        "dim=1 in cat (line 8 of the cell)",
    ),
    "mean over the batch": (
        "self.f = nn.Linear(4, 2)",
        "return self.f(x.mean(0))",
        (5, 7, 4),
        "dim=1 in mean (line 6 of the cell)",
    ),
    "a turned result": ("self.f = nn.Linear(4, 2)", "return self.f(x).t()", (5, 4), "no t()"),
    "one number for each map": (
        "self.c = nn.Conv2d(3, 8, 3); self.s = nn.Linear(8, 8)",
        "y = self.c(x); s = self.s(y.mean((2, 3))); return (y * s).flatten(1)",
        (5, 3, 9, 9),
        "s[:, :, None, None] before y * s",
    ),
    "a residual block that strides": (
        "self.a = nn.Conv2d(3, 8, 3, padding=1, stride=2)",
        "y = F.relu(self.a(x)); return (x + y).flatten(1)",
        (5, 3, 8, 8),
        "a 1×1 convolution on x",
    ),
    "a sum in place": (
        "self.a = nn.Conv2d(3, 8, 3, padding=1)",
        "y = self.a(x); y += x; return y.flatten(1)",
        (5, 3, 8, 8),
        "a 1×1 convolution on x",
    ),
    "maps before LayerNorm": (
        "self.c = nn.Conv2d(3, 6, 4, 4); self.n = nn.LayerNorm(6); self.f = nn.Linear(6, 2)",
        "return self.f(self.n(self.c(x)).flatten(2).mean(2))",
        (3, 3, 28, 28),
        "self.c(x).permute(0, 2, 3, 1) before n and back",
    ),
    "a number for a word": (
        "self.e = nn.Embedding(20, 6)",
        "return self.e(x).mean(1)",
        (3, 4),
        "x.long() before e",
    ),
    "an axis too many": (
        "self.c = nn.Conv2d(3, 6, 3)",
        "return self.c(x).flatten(1)",
        (1, 5, 3, 8, 8),
        "images.flatten(0, 1), of shape (5, 3, 8, 8)",
    ),
    "rows before maps": (
        "self.f = nn.Linear(10, 98); self.up = nn.ConvTranspose2d(2, 1, 4, 2, 1)",
        "return self.up(self.f(x))",
        (5, 10),
        "self.f(x).unflatten(1, (2, 7, 7)) before up",
    ),
    "rows before maps in a sequence": (
        "self.f = nn.Sequential(nn.Linear(10, 98), nn.ConvTranspose2d(2, 1, 4, 2, 1))",
        "return self.f(x)",
        (5, 10),
        "nn.Unflatten(1, (2, 7, 7)) before f[1]",
    ),
    "noise before maps": (
        "self.up = nn.ConvTranspose2d(10, 1, 4)",
        "return self.up(x).flatten(1)",
        (5, 10),
        "x[:, :, None, None] before up",
    ),
    "pictures in a row before Conv3d": (
        "self.c = nn.Conv3d(1, 4, 3); self.f = nn.Linear(2400, 2)",
        "return self.f(self.c(x).flatten(1))",
        (2, 8, 12, 12),
        "images.unsqueeze(1), of shape (2, 1, 8, 12, 12)",
    ),
    "transparent pictures": (
        "self.c = nn.Conv2d(3, 8, 3)",
        "return self.c(x).flatten(1)",
        (3, 4, 10, 10),
        "in_channels=4 in c",
    ),
    "layout and colour together": (
        "self.c = nn.Conv2d(1, 8, 3); self.f = nn.Linear(512, 2)",
        "return self.f(self.c(x).flatten(1))",
        (6, 10, 10, 3),
        "images.permute(0, 3, 1, 2).mean(dim=1, keepdim=True), of shape (6, 1, 10, 10)",
    ),
    "a decoder that loses a pixel": (
        "self.a = nn.Conv2d(1, 4, 3, padding=1); self.u = nn.ConvTranspose2d(4, 4, 2, 2)",
        "a = self.a(x); return torch.cat([a, self.u(F.max_pool2d(a, 2))], 1).flatten(1)",
        (5, 1, 25, 25),
        "output_padding=1 in u",
    ),
    "turned keys": (
        "self.a = nn.Linear(8, 6); self.b = nn.Linear(8, 6)",
        "q, k = self.a(x), self.b(x); return (q @ k).flatten(1)",
        (5, 4, 8),
        "k.transpose(-2, -1) before q @ k",
    ),
    "a name for a width": (
        "hidden = 12; self.a = nn.Linear(8, hidden); self.b = nn.Linear(13, hidden)",
        "return self.b(self.a(x))",
        (5, 8),
        "in_features=12 in b",
    ),
    "the channels of a view": (
        "self.f = nn.Linear(10, 98); self.up = nn.ConvTranspose2d(2, 1, 4, 2, 1)",
        "return self.up(self.f(x).view(-1, 4, 7, 7))",
        (6, 10),
        "2 instead of 4 in view (line 7 of the cell)",
    ),
    "the pixels of a view": (
        "self.f = nn.Linear(10, 98); self.side = 8; self.up = nn.ConvTranspose2d(2, 1, 4, 2, 1)",
        "return self.up(torch.reshape(self.f(x), (len(x), 2, self.side, self.side)))",
        (6, 10),
        "7 instead of self.side in reshape (line 8 of the cell)",
    ),
    "the channels of Unflatten": (
        "self.f = nn.Sequential(nn.Linear(10, 64), nn.Unflatten(1, (2, 4, 4)))\n"
        "self.up = nn.ConvTranspose2d(4, 1, 4, 2, 1)",
        "return self.up(self.f(x))",
        (6, 10),
        "unflattened_size=(4, 4, 4) in f[1]",
    ),
    "a normalisation for other axes": (
        "self.c = nn.Conv3d(3, 8, 3); self.n = nn.BatchNorm2d(8)",
        "return self.n(self.c(x)).mean((2, 3, 4))",
        (2, 3, 8, 8, 8),
        "BatchNorm3d instead of BatchNorm2d in n",
    ),
    "a pooling that takes the batch for channels": (
        "self.c = nn.Conv1d(1, 16, 5); self.p = nn.MaxPool2d((2, 2)); self.d = nn.Conv1d(16, 8, 3)",
        "return self.d(self.p(self.c(x))).mean(2)",
        (4, 1, 40),
        "MaxPool1d instead of MaxPool2d in p",
    ),
    "a function for other axes": (
        "self.c = nn.Conv3d(1, 4, 3)",
        "return F.avg_pool2d(self.c(x), 2).flatten(1)",
        (2, 1, 8, 8, 8),
        "avg_pool3d instead of avg_pool2d",
    ),
    "a normalisation of rows": (
        "self.f = nn.Linear(10, 6); self.n = nn.BatchNorm2d(6)",
        "return self.n(self.f(x))",
        (5, 10),
        "BatchNorm1d instead of BatchNorm2d in n",
    ),
    "maps that nothing enlarges": (
        "self.a = nn.Conv2d(3, 4, 1); self.b = nn.AdaptiveAvgPool2d(5)",
        "a = self.a(x); b = self.b(a); return (a * b).mean((2, 3))",
        (2, 3, 20, 20),
        "F.interpolate(b, size=a.shape[2:])",
    ),
    "maps that nothing crops": (
        "self.a = nn.Conv2d(3, 4, 3, padding=1); self.b = nn.Conv2d(4, 4, (7, 3), padding=(0, 1))",
        "a = self.a(x); b = self.b(a); return torch.cat([a, b], 1).mean((2, 3))",
        (2, 3, 20, 20),
        "F.interpolate(b, size=a.shape[2:])",
    ),
    "features on the last axis": (
        "self.n = nn.Sequential(nn.BatchNorm1d(8), nn.Linear(8, 4))",
        "return self.n(x).mean(1)",
        (3, 5, 8),
        "LayerNorm(normalized_shape=8) instead of BatchNorm1d in n[0]",
    ),
    "channels on the second axis": (
        "self.n = nn.Sequential(nn.Conv2d(3, 6, 4, 4), nn.LayerNorm(6))",
        "return self.n(x).mean((2, 3))",
        (3, 3, 16, 16),
        "GroupNorm(1, 6) instead of LayerNorm in n[1]",
    ),
    "a missing axis of channels": (
        "self.f = nn.Linear(10, 64); self.c = nn.Conv1d(1, 8, 3)",
        "return self.c(self.f(x)).flatten(1)",
        (5, 10),
        "self.f(x).unsqueeze(1) before c",
    ),
    "an axis of one pixel too many": (
        "self.c = nn.Conv2d(1, 8, (5, 1)); self.d = nn.Conv1d(8, 4, 3)",
        "return self.d(self.c(x)).flatten(1)",
        (4, 1, 5, 20),
        "self.c(x).squeeze(2) before d",
    ),
    "maps before an LSTM": (
        "self.c = nn.Conv2d(1, 8, 3, padding=1); self.l = nn.LSTM(8, 6, batch_first=True)",
        "x = self.c(x); return self.l(x)[0][:, -1]",
        (4, 1, 6, 6),
        "x.flatten(2).transpose(1, 2) before l",
    ),
    "a series before an LSTM": (
        "self.l = nn.GRU(1, 6, batch_first=True); self.f = nn.Linear(6, 2)",
        "return self.f(self.l(x)[0].mean(1))",
        (4, 30),
        "images.unsqueeze(2), of shape (4, 30, 1)",
    ),
    "a state of three axes": (
        "self.a = nn.Linear(8, 32); self.b = nn.Linear(32, 2)",
        "return self.b(F.relu(self.a(x)))",
        (4, 3, 5),
        "images.flatten(start_dim=1), of shape (4, 15) and in_features=15 in a",
    ),
    "a token for every picture": (
        "self.token = nn.Parameter(torch.zeros(1, 1, 24)); self.f = nn.Linear(24, 2)",
        "x = torch.cat((self.token, x), dim=1); return self.f(x[:, 0])",
        (4, 16, 24),
        "self.token.expand(len(x), -1, -1) before cat",
    ),
    "weights for a sum": (
        "self.s = nn.Linear(8, 1); self.f = nn.Linear(8, 2)",
        "w = self.s(x).squeeze(2); return self.f(w.bmm(x).squeeze(1))",
        (3, 9, 8),
        "w[:, None] before bmm",
    ),
    "a weight for every channel": (
        "self.c = nn.Conv2d(1, 3, 3); self.g = nn.Parameter(torch.zeros(3))",
        "x = self.c(x); return (self.g * x).flatten(1)",
        (3, 1, 9, 9),
        "self.g[:, None, None] before self.g * x",
    ),
    "a state without its layers": (
        "self.a = nn.Linear(3, 6); self.l = nn.LSTM(3, 6, batch_first=True)",
        "h = self.a(x); return self.l(x.unsqueeze(1), (h, h))[0][:, -1]",
        (4, 3),
        "h.unsqueeze(0) before l",
    ),
    "a join along another axis": (
        "self.a = nn.Conv2d(3, 4, 3, padding=1); self.b = nn.Conv2d(8, 2, 3)",
        "a = self.a(x); return self.b(torch.cat([a, a], dim=2)).flatten(1)",
        (5, 3, 9, 9),
        "dim=1 in cat (line 8 of the cell)",
    ),
    "pixels of too few channels": (
        "self.c = nn.Conv2d(3, 12, 3); self.s = nn.PixelShuffle(3); self.d = nn.Conv2d(3, 1, 1)",
        "return self.d(self.s(self.c(x))).flatten(1)",
        (2, 3, 9, 9),
        "upscale_factor=2 in s",
    ),
    "the usual size": (
        "self.c = nn.Sequential(nn.MaxPool2d(4), nn.MaxPool2d(8)); self.f = nn.Linear(147, 2)",
        "return self.f(self.c(x).flatten(1))",
        (2, 3, 200, 200),
        "in_features=108 in f",
    ),
}


@pytest.mark.parametrize(("init", "forward", "shape", "text"), REPAIRS.values(), ids=REPAIRS.keys())
def test_every_fix_is_what_it_says_and_the_best_comes_first(init, forward, shape, text):
    source, images = network_of(init, forward), torch.rand(shape)
    found = search(run_cell(source)["Net"](), images)
    assert found.untried == ()
    assert found.fixes[0].text == text
    for fix in found.fixes:
        rows = shape[0] * shape[1] if fix.moves_batch and len(shape) == 5 else shape[0]
        assert len(mended(source, fix, images)) == rows, fix.text
        for edit in fix.edits:
            assert any(edit.new.split("\n")[0].strip() in line for line in fix.lines)


def test_behind_adaptive_pooling_another_output_size_is_a_fix():
    init = (
        "self.c = nn.Conv2d(3, 8, 3); self.p = nn.AdaptiveAvgPool2d(2); self.f = nn.Linear(72, 2)"
    )
    source = network_of(init, "return self.f(self.p(self.c(x)).flatten(1))")
    images = torch.rand(5, 3, 32, 32)
    fixes = search(run_cell(source)["Net"](), images).fixes
    assert [fix.text for fix in fixes[:2]] == ["in_features=32 in f", "output_size=3 in p"]
    assert mended(source, fixes[1], images).shape == (5, 2)


def test_usual_sizes_come_before_nearer_ones_and_tiny_ones_never():
    def sizes(init: str, shape: tuple[int, ...]) -> list[str]:
        source = network_of(init, "return self.f(self.c(x).flatten(1))")
        fixes = search(run_cell(source)["Net"](), torch.rand(shape)).fixes
        return [fix.text for fix in fixes if fix.text.endswith("input")]

    pools = "self.c = nn.Sequential(nn.MaxPool2d(4), nn.MaxPool2d(8)); "
    assert sizes(f"{pools}self.f = nn.Linear(147, 2)", (2, 3, 200, 200)) == ["a 224×224 input"]
    assert sizes(f"{pools}self.f = nn.Linear(3, 2)", (2, 3, 200, 200)) == []
    convs = "self.c = nn.Sequential(*[nn.Sequential(nn.Conv2d(3, 3, 5), nn.MaxPool2d(2)) "
    four = f"{convs}for _ in range(4)]); self.f = nn.Flatten()"
    assert sizes(four, (2, 3, 32, 32)) == ["a 96×96 input"]


def test_maps_in_a_list_that_has_a_name_are_joined_without_a_crash():
    source = network_of(
        "self.a = nn.Conv2d(3, 4, 1); self.b = nn.Conv2d(3, 4, 3)",
        "maps = [self.a(x), self.b(x)]; return torch.cat(maps, dim=1).flatten(1)",
    )
    found = search(run_cell(source)["Net"](), torch.rand(2, 3, 9, 9))
    assert [fix.text for fix in found.fixes][:1] == ["padding=1 in b"]


def test_a_sum_of_maps_is_not_mended_by_repeating_one_of_them():
    source = network_of(
        "self.a = nn.Conv2d(3, 3, 3, padding=1, stride=2)", "return (x + self.a(x)).flatten(1)"
    )
    texts = [fix.text for fix in search(run_cell(source)["Net"](), torch.rand(3, 3, 8, 8)).fixes]
    assert "stride=1 in a" in texts
    assert not any(text.endswith("input") for text in texts)


def test_a_picture_whose_layout_is_plain_keeps_it():
    source = network_of("self.f = nn.Linear(9, 2)", "return self.f(x.transpose(1, 2).view(-1, 12))")
    fixes = search(run_cell(source)["Net"](), torch.rand(2, 3, 4)).fixes
    assert not any("images" in fix.text for fix in fixes)


def test_one_call_that_makes_several_layers_changes_them_all():
    source = """
class Block(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.conv = nn.Conv2d(before, after, 3)
    def forward(self, x):
        return F.relu(self.conv(x))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = Block(1, 4), Block(4, 4)
        self.f = nn.Linear(4 * 64, 2)
    def forward(self, x):
        return self.f(self.b(self.a(x)).flatten(1))
"""
    images = torch.rand(3, 1, 8, 8)
    fixes = search(run_cell(source)["Net"](), images).fixes
    padded = next(fix for fix in fixes if "padding=1 in a.conv" in fix.text)
    assert padded.lines == ["self.conv = nn.Conv2d(before, after, 3, padding=1)"]
    for fix in fixes:
        assert len(mended(source, fix, images)) == 3


# What makes the layers, the fix in words, and a line that it changes.
MAKERS = {
    "a class of one's own": (
        """
class Block(nn.Sequential):
    def __init__(self, width):
        super().__init__(nn.Conv2d(2, width, 3), nn.ReLU())
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block(4)
    def forward(self, x):
        return self.block(x).flatten(1)
""",
        "in_channels=1 in block[0]",
        "super().__init__(nn.Conv2d(1, width, 3), nn.ReLU())",
    ),
    "a function": (
        """
def conv(before, after, kernel=3):
    return nn.Conv2d(before, after, kernel, bias=False)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = conv(1, 1), conv(1, 1)
        self.last = nn.Conv2d(1, 2, 3)
    def forward(self, x):
        return (self.b(self.a(x)) + x).flatten(1)
""",
        "padding=1 in a",
        "return nn.Conv2d(before, after, kernel, bias=False, padding=1)",
    ),
    "a method with a loop over a list": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = self._make([1, 2, 3])
        self.fc = nn.Linear(3 * 6 * 6, 5)
    def _make(self, widths):
        layers = []
        for before, after in zip(widths, widths[1:]):
            layers += [nn.Conv2d(before, after, 3, padding=0), nn.ReLU()]
        return nn.Sequential(*layers)
    def forward(self, x):
        return self.fc(self.features(x).flatten(1))
""",
        "padding=1 in features[0]",
        "model.features[0] = nn.Conv2d(1, 2, kernel_size=3, padding=1)",
    ),
    "modules that are added in a loop": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        for i in range(2):
            self.add_module(f"conv{i}", nn.Conv2d(1, 1, 3))
    def forward(self, x):
        return (self.conv1(self.conv0(x)) + x).flatten(1)
""",
        "padding=1 in conv0",
        'self.add_module(f"conv{i}", nn.Conv2d(1, 1, 3, padding=1))',
    ),
}


@pytest.mark.parametrize("style", MAKERS)
def test_what_makes_several_layers_is_edited_once(style):
    source, text, line = MAKERS[style]
    images = torch.rand(3, 1, 8, 8)
    fixes = search(run_cell(source)["Net"](), images).fixes
    assert line in next(fix for fix in fixes if fix.text == text).lines
    for fix in fixes:
        assert len(mended(source, fix, images)) == 3


def test_what_is_not_the_users_to_edit_is_changed_by_a_statement():
    model = torchvision.models.resnet18()
    model.fc = nn.Linear(256, 10)
    (fix, *_) = search(model, torch.rand(3, 3, 64, 64)).fixes
    assert fix.edits == ()
    assert fix.lines == ["model.fc = nn.Linear(512, 10)"]
    (fix, *_) = search(nn.Linear(8, 2), torch.rand(3, 9)).fixes
    assert fix.lines == ["model = nn.Linear(9, 2)"]
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.MaxPool2d(2), nn.Linear(100, 10))
    (fix, *_) = search(model, torch.rand(3, 1, 14, 14)).fixes
    assert fix.lines == ["model[2] = nn.Sequential(nn.Flatten(), nn.Linear(144, 10))"]


def test_a_search_without_time_says_what_it_did_not_try():
    found = search(CifarLeNet(), torch.rand(3, 1, 32, 32), seconds=0)
    assert found.fixes == ()
    assert "images of other colours" in found.untried


def test_images_whose_run_would_outlast_the_search_are_not_tried(monkeypatch):
    now = 0.0
    monkeypatch.setattr("lenet.shapes.fixes.time.thread_time", lambda: now)

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3)
            self.fc = nn.Linear(31**2, 2)

        def forward(self, x):
            nonlocal now
            now += 0.1 * (x[0].numel() / 12**2) ** 2
            return self.fc(self.conv(x).flatten(1))

    found = search(Attention(), torch.rand(3, 1, 12, 12), seconds=20.0)
    assert now < 25
    assert "images of other sizes" in found.untried


def test_torch_may_be_imported_by_any_name():
    source = """
import torch as th
import torch.nn.functional as tf
class Net(nn.Module):
    def __init__(net):
        super().__init__()
        net.conv, net.fc = nn.Conv2d(1, 2, 3), nn.Linear(2 * 4 * 4, 5)
    def forward(net, x):
        x = tf.max_pool2d(tf.relu(net.conv(x)), 2)
        return net.fc(th.flatten(x, 1))
"""
    images = torch.rand(3, 1, 8, 8)
    fixes = search(run_cell(source)["Net"](), images).fixes
    assert "padding=1 in conv" in [fix.text for fix in fixes]
    for fix in fixes:
        assert len(mended(source, fix, images)) == 3
