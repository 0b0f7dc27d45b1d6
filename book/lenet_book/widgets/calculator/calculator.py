"""A stack of layers to build, with its shapes, costs and mistakes explained."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import traitlets
from torch import nn

from lenet import checks
from lenet.models import CifarLeNet, LeNet5, LeNet5Linear, NarrowLeNet
from lenet.shapes import ShapeError, ShapeTable, trace
from lenet.shapes.kinds import kind_of
from lenet.tracing import Step, layer_settings
from lenet_book.widgets.calculator.kinds import known, offered, unchanged
from lenet_book.widgets.shared.base import Widget

LayerEntry = dict[str, Any]
"""A layer in a widget's state: its ``name``, its ``type`` in `torch.nn` and its ``settings``."""

# A title, the network, the images it was made for, and those it is shown with.
_BOOK: tuple[tuple[str, type[nn.Module], tuple[int, ...], tuple[int, ...]], ...] = (
    ("NarrowLeNet", NarrowLeNet, (1, 28, 28), (1, 28, 28)),
    ("LeNet5", LeNet5, (1, 28, 28), (1, 28, 28)),
    ("LeNet5Linear", LeNet5Linear, (1, 28, 28), (1, 28, 28)),
    ("CifarLeNet", CifarLeNet, (3, 32, 32), (3, 32, 32)),
    ("LeNet5Linear on 32×32 images", LeNet5Linear, (1, 28, 28), (1, 32, 32)),
)


class ShapeCalculator(Widget):
    """Build a stack of layers and see the shape, cost and receptive field of every one.

    `layers` and `input_shape` follow what the reader does, and can be set.

    Args:
        network: the stack to begin with: an `nn.Sequential`, whether it fits or not, or any
            network whose forward pass is a chain of layers that the calculator offers.
        input_shape: the shape of one image, (channels, height, width).

    Raises:
        ShapeError: a network that is no `nn.Sequential` cannot take the images.
        TypeError: it is no network.
        ValueError: the network has another layer, or is no chain; a shape is impossible.
    """

    front_end = Path(__file__).with_suffix(".js")

    layers = traitlets.List(traitlets.Dict()).tag(sync=True)
    input_shape = traitlets.List(traitlets.Any(), minlen=3, maxlen=3).tag(sync=True)

    def __init__(
        self,
        network: nn.Module | None = None,
        input_shape: Sequence[int] = (1, 28, 28),
        **traits: object,
    ) -> None:
        checks.sizes("input_shape", input_shape, "channels, height and width", 3)
        layers = layers_of(LeNet5() if network is None else network, input_shape)
        table = trace(build(layers), input_shape)
        super().__init__(
            {"presets": presets(), "poster": table._repr_html_()},
            layers=layers,
            input_shape=list(input_shape),
            **traits,
        )

    def network(self) -> nn.Sequential:
        """Make the present stack, with new weights.

        Raises:
            Exception: PyTorch's own, when settings are impossible.
        """
        return build(self.layers)

    def table(self) -> ShapeTable:
        """Trace the present stack: the table that the widget shows."""
        return trace(self.network(), [int(size or 0) for size in self.input_shape])

    def __repr__(self) -> str:
        return f"ShapeCalculator({len(self.layers)} layers, input {tuple(self.input_shape)})"


def build(layers: Iterable[Mapping[str, Any]]) -> nn.Sequential:
    """Make a network from the layers of a widget's state.

    Raises:
        ValueError: a layer's type is not offered.
    """
    modules = OrderedDict[str, nn.Module]()
    for layer in layers:
        if layer["type"] not in known() or not hasattr(nn, layer["type"]):
            raise ValueError(f"{layer['type']} is none of {', '.join(offered())}")
        settings = {name: _tuple(value) for name, value in layer["settings"].items()}
        modules[layer["name"]] = getattr(nn, layer["type"])(**settings)
    return nn.Sequential(modules)


def layers_of(network: nn.Module, input_shape: Sequence[int]) -> list[LayerEntry]:
    """Read the layers of a network, in the order in which they run.

    Args:
        network: an `nn.Sequential`, whether its shapes fit or not, or any network that runs.
        input_shape: the shape of one image.

    Raises:
        ShapeError: a network that is no `nn.Sequential` cannot take the images.
        ValueError: a layer is not offered, has weights and runs twice, or the network is no chain.
    """
    if isinstance(checks.instance("network", network, nn.Module), nn.Sequential):
        leaves = [(name, module) for name, module in network.named_modules() if _is_leaf(module)]
        entries = [
            _entry(name, type(module).__name__, layer_settings(module)) for name, module in leaves
        ]
    else:
        entries = _layers_that_ran(network, input_shape)
    return _named_apart(entries)


@cache
def presets() -> list[dict[str, Any]]:
    """The networks of the book as stacks, and one that does not fit."""
    return [
        {"name": title, "input_shape": list(shown), "layers": layers_of(network(), fitting)}
        for title, network, fitting, shown in _BOOK
    ]


def _is_leaf(module: nn.Module) -> bool:
    return not isinstance(module, nn.Sequential) and not list(module.children())


def _layers_that_ran(network: nn.Module, input_shape: Sequence[int]) -> list[LayerEntry]:
    table = trace(network, input_shape)
    if table.explanation is not None:
        raise ShapeError(str(table.explanation))
    entries = []
    for index, step in enumerate(row.step for row in table.rows):
        if step.sources[0] != index - 1 or len(step.output_shapes) != 1:
            raise ValueError(f"{step.name} does not follow the step before it: no chain of layers")
        entries.append(_entry(step.name, _type_of(step), step.settings))
    return entries


def _type_of(step: Step) -> str:
    kind = kind_of(step)
    flattens = kind.formula == "flatten" and len(step.output_shape) == 2
    return "Flatten" if flattens else kind.name or step.operation


def _entry(name: str, kind: str, settings: Mapping[str, Any]) -> LayerEntry:
    """Describe a layer by the settings that the calculator shows."""
    if kind not in offered():
        raise ValueError(f"{name} is {kind}; the calculator knows {', '.join(offered())}")
    for setting, expected in unchanged(kind).items():
        if settings.get(setting, expected) != expected:
            raise ValueError(
                f"{name} has {setting}={settings[setting]}, which the calculator lacks"
            )
    shown = {
        name: _list(settings[name]) for name in offered()[kind]["settings"] if name in settings
    }
    if "Pool" in kind and shown.get("stride") == shown["kernel_size"]:
        del shown["stride"]  # so that it follows when the kernel is changed
    return {"name": name, "type": kind, "settings": shown}


def _named_apart(entries: Sequence[LayerEntry]) -> list[LayerEntry]:
    """Give names that an `nn.Sequential` takes: without points, and no two alike."""
    taken: set[str] = set()
    named = []
    for entry in entries:
        stem, number = entry["name"].replace(".", "_"), 1
        name = stem
        while name in taken:
            number += 1
            name = f"{stem}{number}"
        taken.add(name)
        named.append({**entry, "name": name})
    return named


def _list(value: object) -> object:
    """Write a pair as JSON, a square one as one number."""
    if not isinstance(value, tuple | list):
        return value
    return value[0] if len(set(value)) == 1 else list(value)


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
