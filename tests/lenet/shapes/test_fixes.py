"""A fix is an edit of the user's source, and what was executed is what it says."""

from __future__ import annotations

import linecache
from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lenet import tracing
from lenet.shapes import edits
from lenet.shapes.edits import Edit, apply_edits

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
    def forward(self, é):
        x = F.relu(self.conv(é)).view(-1,
            100)
        return super().__call__ and self.more(self.tail(self.head(x)))
"""


def write(source: str) -> dict[str, object]:
    """Run a notebook cell whose source can be read back."""
    name = f"<ipython-input-{len(linecache.cache)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    space = {"nn": nn, "F": F, "torch": torch, "OrderedDict": OrderedDict, "__name__": "__main__"}
    exec(compile(source, name, "exec"), space)
    return space


def test_edits_are_made_where_they_say():
    source = "a = é(1)\nb = f(2,\n      3)\n"
    edits = [
        Edit("f", 1, 6, "1", "10"),
        Edit("f", 2, 4, "f(2,\n      3)", "g()"),
        Edit("f", 1, 7, "", ", 2"),
    ]
    assert apply_edits(source, edits) == "a = é(10, 2)\nb = g()\n"
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
    ],
)
def test_a_layer_is_found_where_it_is_made(name, written):
    model = write(SOURCE)["Block"](4)
    assert edits.layer_expression(model, name).text == written
    model.set_submodule(name, nn.Conv2d(2, 4, 7))
    assert edits.layer_expression(model, name) is None


def test_arguments_are_changed_or_added():
    model = write(SOURCE)["Block"](4)
    call = edits.layer_expression(model, "conv")
    names = edits.parameter_names(model.conv)
    made = call.with_arguments(names, {"in_channels": 3, "padding": (2, 2)})
    assert edits.lines_after(made) == ["self.conv = nn.Conv2d(3, width,", "3, padding=2,"]


def test_a_rewritten_method_runs_in_its_class():
    model = write(SOURCE)["Block"](4)
    view = tracing.run(model, [torch.rand(3, 1, 7, 7)]).steps[2]
    call = edits.expression_at(view.place)
    assert call.text == "F.relu(self.conv(é)).view(-1,\n            100)"
    edits.rewrite(model, [call.replaced("self.conv(é).flatten(1)")])
    assert model(torch.rand(3, 1, 7, 7)).shape == (3, 3)
