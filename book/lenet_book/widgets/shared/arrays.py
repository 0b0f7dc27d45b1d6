"""Arrays on their way to the browser: one block of bytes, and a list that says what is where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

ALIGNMENT = 4  # bytes
DTYPES = ("float16", "float32", "int32", "uint8")


def pack(arrays: Mapping[str, Tensor | np.ndarray]) -> tuple[list[dict[str, Any]], bytes]:
    """Write arrays one after another, little-endian, each at a multiple of 4 bytes.

    Args:
        arrays: By name, float16, float32, int32 or uint8.

    Returns:
        For each array its name, dtype, shape, offset and length in bytes; and all bytes.

    Raises:
        TypeError: An array has another type.
    """
    entries, blocks, offset = [], [], 0
    for name, array in arrays.items():
        values = array.detach().cpu().numpy() if isinstance(array, Tensor) else array
        if values.dtype.name not in DTYPES:
            raise TypeError(f"{name} is {values.dtype.name}; it must be one of {', '.join(DTYPES)}")
        block = values.astype(values.dtype.newbyteorder("<")).tobytes()
        entries.append(
            {
                "name": name,
                "dtype": values.dtype.name,
                "shape": list(values.shape),
                "offset": offset,
                "length": len(block),
            }
        )
        blocks.append(block + bytes(-len(block) % ALIGNMENT))
        offset += len(blocks[-1])
    return entries, b"".join(blocks)
