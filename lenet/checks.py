"""What public doors ask of their arguments: asked in one way, and refused in one form.

A number or a tensor that makes no sense is a `ValueError`, another thing in its place a
`TypeError`. Both say what is wanted and what came.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from typing import TypeVar

import torch
from torch import Tensor, nn

LARGEST_SEED = 2**64 - 1  # that PyTorch takes
TINY = math.ulp(0.0)  # the least number above 0

Thing = TypeVar("Thing")


def instance(name: str, value: object, kind: type[Thing]) -> Thing:
    """Return a thing that is of the kind wanted.

    Raises:
        TypeError: It is not.
    """
    if isinstance(value, kind):
        return value
    article = "an" if kind.__name__[0] in "AEIOU" else "a"
    is_class = isinstance(value, type) and issubclass(value, kind)
    hint = f"; {value.__name__}() makes one" if is_class else ""  # type: ignore[attr-defined]
    raise TypeError(f"{name} must be {article} {kind.__name__}, not {_came(value)}{hint}")


def whole_number(name: str, value: object, least: int = 0, most: float = math.inf) -> int:
    """Return a whole number between two bounds as an int.

    Raises:
        ValueError: It is none, or lies outside.
    """
    if isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most:
        return int(value)
    bounds = _bounds(least, most)
    raise ValueError(f"{name} must be a whole number, {bounds}, not {_came(value)}")


def sizes(name: str, value: object, wanted: str, number: int, most: float = math.inf) -> None:
    """Check that there are so many whole numbers from 1 on, such as a height and a width.

    Raises:
        ValueError: There are others.
    """
    try:
        found = [whole_number(name, size, 1, most) for size in value]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        found = []
    if len(found) != number:
        bounds = _bounds(1, most)
        raise ValueError(f"{name} must be {wanted}, {bounds} each, not {_came(value)}")


def real_number(name: str, value: object, wanted: str, fits: Callable[[float], bool]) -> float:
    """Return a finite number that fits what is wanted as a float.

    Raises:
        ValueError: It is none, or does not fit.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and fits(number):
            return number
    raise ValueError(f"{name} must be a finite number {wanted}, not {_came(value)}")


def device(name: str | torch.device, *, computes: bool = True) -> torch.device:
    """Return the device of that name; one that only holds shapes where nothing is computed.

    Raises:
        ValueError: The name is none of PyTorch's, or there is no such device on this machine.
    """
    try:
        found = torch.device(name)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, TypeError, ImportError) as error:
        why = str(error).partition("\n")[0].partition(". ")[0]  # the rest can be pages long
        raise ValueError(f"device {name!r} cannot be used here: {why}") from error
    if found.type == "meta" and computes:
        raise ValueError("device 'meta' cannot be used here: it holds shapes and no numbers")
    return found


def choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Check that one of several texts was chosen.

    Raises:
        ValueError: It was none of them.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be {' or '.join(map(repr, choices))}, not {_came(value)}")


def tensor(
    name: str, value: object, axes: str, *dtypes: torch.dtype, may_be_empty: bool = False
) -> Tensor:
    """Return a tensor that has these axes and one of these types.

    Args:
        name: What it is called.
        value: What came.
        axes: A letter for each axis, such as ``"NCHW"``.
        dtypes: The types that will do; none for every one.
        may_be_empty: Whether it may hold nothing.

    Raises:
        TypeError: It is no tensor.
        ValueError: It has another type or other axes, or is empty.
    """
    form = f"({', '.join(axes)}{',' * (len(axes) == 1)})"
    if not isinstance(value, Tensor):
        hint = "torch.as_tensor makes one from an array or a list"
        raise TypeError(f"{name} must be a tensor {form}, not {_came(value)}; {hint}")
    if value.dim() != len(axes) or (dtypes and value.dtype not in dtypes):
        kinds = " or ".join(_dtype_name(dtype) for dtype in dtypes)
        raise ValueError(f"{name} must be {kinds + ' ' if kinds else ''}{form}, not {_came(value)}")
    if not value.numel() and not may_be_empty:
        raise ValueError(f"{name} must hold something, not {_came(value)}")
    return value


def labels(
    value: object, num_images: int, num_classes: int | None = None, *, name: str = "labels"
) -> Tensor:
    """Return class numbers, a sequence or a tensor of whole numbers, as int64 (N,).

    Args:
        value: What came.
        num_images: How many there must be.
        num_classes: How many classes there are; None leaves open which numbers are right.
        name: What they are called.

    Raises:
        ValueError: They are no whole numbers, of another number, or of no class.
    """
    try:
        found = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        found = torch.empty(0)
    is_whole = not (found.is_floating_point() or found.is_complex() or found.dtype == torch.bool)
    found = found.long() if is_whole else found
    if not is_whole or found.shape != (num_images,):
        raise ValueError(
            f"{name} must be whole numbers ({num_images},), one for each image, not {_came(value)}"
        )
    if num_classes is not None and num_images:
        low, high = (int(end) for end in found.aminmax())
        if low < 0 or high >= num_classes:
            there = f"there are {num_classes} classes, counted from 0"
            raise ValueError(f"{name} go from {low} to {high}, and {there}")
    return found


def scores(logits: object, num_images: int, num_classes: int = 1) -> Tensor:
    """Return what a network gave, if it is a row of scores for each image.

    Raises:
        ValueError: It is not, or has fewer scores than there are classes.
    """
    if isinstance(logits, Tensor) and logits.dim() == 2 and logits.is_floating_point():
        found, num_scores = logits.shape
        if found == num_images and num_scores >= num_classes:
            return logits
    raise ValueError(
        f"the network must give a tensor of scores ({num_images}, K) for {num_images} images, one "
        f"for each of {num_classes} classes or more; it gave {_came(logits)}"
    )


def scaling(mean: object, std: object, num_channels: int, least_std: float = TINY) -> None:
    """Check that there is a mean and a standard deviation for each channel, or one for all.

    Raises:
        ValueError: There are more or fewer, they are not finite, or a channel's `std` is 0.
    """
    for name, values, least in (("mean", mean, -math.inf), ("std", std, least_std)):
        try:
            given = torch.as_tensor(values, dtype=torch.float64)
            found = given.flatten().tolist() if given.dim() else []
        except (TypeError, ValueError, RuntimeError):
            found = []
        fits = all(math.isfinite(each) and each >= least for each in found)
        if len(found) not in (1, num_channels) or not fits:
            kind = "a finite number above 0" if least == TINY else "a finite number"
            raise ValueError(
                f"{name} must be {kind} for each of {num_channels} channels, not {_came(values)}"
            )


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and in the end every module back into its own mode."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _bounds(least: int, most: float) -> str:
    return f"at least {least}" if most == math.inf else f"from {least:,} to {most:,}"


def _came(value: object) -> str:
    """Say what came: a tensor by its type and shape, the rest as it is written, if it is short."""
    if isinstance(value, Tensor):
        return f"{_dtype_name(value.dtype)} {tuple(value.shape)}"
    written = repr(value)
    is_short = len(written) <= 60 and "\n" not in written
    return written if is_short else f"a {type(value).__name__}"


def _dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
