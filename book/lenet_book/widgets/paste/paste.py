"""A network's code, read in the page and never run, with its shapes, mistakes and repairs."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import traitlets

from lenet_book.widgets.shared.base import Widget

_EXAMPLE = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(x.size(0), -1)
        x = F.relu(self.fc1(x))
        return self.fc2(x)
"""


class PastedNetwork(Widget):
    """Paste a network, and see the shape behind each line, what does not fit, and what mends it.

    The code is read on the page: it is never run, and never leaves the machine. `code` and
    `input_shape` follow what the reader does, and can be set.

    Args:
        code: Python code with a network in it, a message of PyTorch's, or both; by default a small
            network that does not fit its pictures.
        input_shape: the shape of one image, (channels, height, width); by default what the code
            says of it, or suggests.
    """

    front_end = Path(__file__).with_suffix(".js")

    code = traitlets.Unicode().tag(sync=True)
    input_shape = traitlets.List(traitlets.Any()).tag(sync=True)

    def __init__(
        self, code: str | None = None, input_shape: Sequence[int] | None = None, **traits: object
    ) -> None:
        if code is None:
            code, input_shape = _EXAMPLE, input_shape or (1, 28, 28)
        poster = f"<pre>{html.escape(code)}</pre>"
        super().__init__(
            {"poster": poster}, code=code, input_shape=list(input_shape or ()), **traits
        )

    def __repr__(self) -> str:
        shape = tuple(self.input_shape) or "as the code says"
        return f"PastedNetwork({len(self.code.splitlines())} lines, input {shape})"
