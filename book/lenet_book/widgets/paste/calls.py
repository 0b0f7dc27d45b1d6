"""Functions of torch and methods of tensors, as the front end has to know them."""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from lenet.shapes.kinds import KINDS
from lenet.tracing.torch_calls import bind

_HOMES = (F, torch, Tensor)

# Beside those of a kind: what changes axes, and what keeps them.
_MORE = """
    permute transpose swapaxes t unflatten stack chunk split expand expand_as view_as repeat unbind
    interpolate upsample pixel_shuffle pixel_unshuffle max min amin argmax std var prod norm
    movedim layer_norm group_norm instance_norm local_response_norm normalize embedding
    gt ge lt le eq ne remainder floor_divide rsqrt log_softmax masked_fill where flip roll cumsum
    bool long int half double type_as zeros_like ones_like rand_like randn_like sign round maximum
    minimum erf log1p expm1 sin cos numel size dim cpu cuda requires_grad_ type
""".split()


@cache
def known() -> dict[str, dict[str, object]]:
    """Describe functions by their names: the ``kind`` in the table, and the ``names`` of arguments.

    In place of ``max_pool2d`` and the layer ``MaxPool2d`` stands one kind; an operation without a
    kind has an empty one. The first argument is ``input``, also where a method has it as its owner.
    """
    kinds = {_plain(name): kind.name for kind in KINDS for name in (kind.name, *kind.calls)}
    named = {name for home in _HOMES for name in dir(home) if _plain(name) in kinds}
    found = {}
    for name in sorted({*named, *_MORE}):
        function = next(getattr(home, name) for home in _HOMES if hasattr(home, name))
        if callable(function) and name == name.lower():
            kind, names = kinds.get(_plain(name), ""), bind(name, function, tuple(range(9)), {})
            found[name] = {
                "kind": kind,
                "names": [each for each in names if "argument" not in each],
            }
    return found


def _plain(name: str) -> str:
    """Spell a layer and its function alike, as `lenet.shapes.kinds` does."""
    return name.replace("_", "").lower() if not name.startswith("__") else name
