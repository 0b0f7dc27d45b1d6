"""Whatever a learner may hand to a function by mistake, and what may come of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor, nn

DTYPES = (torch.uint8, torch.int64, torch.float32, torch.bool, torch.float16, torch.complex64)


def _tensor(shape: tuple[int, ...], dtype: torch.dtype, content: float) -> Tensor:
    whole = not (dtype.is_floating_point or dtype.is_complex)
    return torch.full(shape, 0 if whole and not math.isfinite(content) else content).to(dtype)


TENSORS = st.builds(
    _tensor,
    st.lists(st.integers(0, 3), max_size=5).map(tuple),
    st.sampled_from(DTYPES),
    st.sampled_from((0.0, 1.0, 7.0, math.nan, math.inf)),
)
NUMBERS = st.one_of(st.integers(-3, 40), st.floats(-3, 3), st.sampled_from((math.nan, math.inf)))
PLAIN = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=3), st.binary(max_size=2))
ANYTHING = st.one_of(
    PLAIN,
    TENSORS,
    TENSORS.filter(lambda t: not t.is_complex()).map(lambda t: t.numpy()),
    st.lists(PLAIN, max_size=4),
    st.lists(NUMBERS, max_size=4).map(tuple),
    st.dictionaries(st.text(max_size=2), PLAIN, max_size=2),
    st.sampled_from((nn.Identity(), nn.Linear(2, 2), nn.Flatten, object(), np.float32(1), len)),
)


@dataclass(frozen=True)
class Door:
    """A function that learners call.

    Attributes:
        call: The function.
        arguments: What it takes, and works with.
        is_right: Whether what came out can be; by default anything.
    """

    call: Callable[..., Any]
    arguments: dict[str, Any]
    is_right: Callable[[Any], bool] = field(default=lambda _: True)

    def __repr__(self) -> str:
        return getattr(self.call, "__name__", repr(self.call))

    def try_with(self, name: str, value: object) -> None:
        """Give one wrong argument: it is refused with words, or the result can be right."""
        try:
            result = self.call(**{**self.arguments, name: value})
        except (ValueError, TypeError) as error:
            assert len(str(error)) > 10, repr(error)  # noqa: PT017
        else:
            assert self.is_right(result), f"{name}={value!r} gave {result!r}"


def finite(result: Any) -> bool:
    """Tell whether a tensor, or every tensor of a sequence, holds numbers alone."""
    if isinstance(result, Tensor):
        return bool(result.isfinite().all())
    return all(finite(part) for part in result) if isinstance(result, tuple | list) else True
