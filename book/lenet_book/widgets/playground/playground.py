"""A kernel that slides over a small picture, as convolution or pooling."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import traitlets

from lenet import checks
from lenet.shapes import ShapeError, conv_windows, pool_windows
from lenet_book.widgets.shared.base import Widget

OPERATIONS = ("conv", "max", "avg")
LARGEST_INPUT = 24  # pixels along an axis; more cannot be drawn so that numbers can be read

Size = int | tuple[int, int]


def _pair() -> traitlets.List[int]:
    return traitlets.List(traitlets.Int(), minlen=2, maxlen=2).tag(sync=True)


class ConvPlayground(Widget):
    """Play with the settings of a convolution or pooling layer, and watch its window slide.

    Sizes are one number, or height and width. All of them, and `position` (the window's, counted
    row by row), can be read and set while the widget is shown.

    Args:
        input_size: the picture's pixels, at most 24 along an axis.
        kernel_size: the kernel's weights.
        stride: the window's step; for pooling, the kernel size unless given.
        padding: pixels added on each side; "same" adds what keeps the size (convolutions only).
        dilation: the distance between weights.
        operation: "conv", or "max" or "avg" for pooling.
        ceil_mode: round the number of positions up; pooling only.

    Raises:
        ShapeError: the settings do not fit each other, or the input is too large to be drawn.
        ValueError: there is no such operation.
    """

    front_end = Path(__file__).with_suffix(".js")

    operation = traitlets.Enum(OPERATIONS, "conv").tag(sync=True)
    input_size = _pair()
    kernel_size = _pair()
    stride = _pair()
    padding = _pair()
    dilation = _pair()
    ceil_mode = traitlets.Bool(False).tag(sync=True)
    same = traitlets.Bool(False).tag(sync=True)  # padding="same"; the numbers then wait
    position = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        input_size: Size = 7,
        kernel_size: Size = 3,
        stride: Size | None = None,
        padding: Size | Literal["same"] = 0,
        dilation: Size = 1,
        *,
        operation: Literal["conv", "max", "avg"] = "conv",
        ceil_mode: bool = False,
        **traits: object,
    ) -> None:
        checks.choice("operation", operation, OPERATIONS)
        if stride is None:
            stride = 1 if operation == "conv" else kernel_size
        sizes: dict[str, Any] = {
            "input_size": input_size,
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
        }
        _check(sizes, operation, ceil_mode)
        same = padding == "same"
        pairs = {
            name: _as_pair(size)
            for name, size in {**sizes, "padding": 0 if same else padding}.items()
        }
        super().__init__(operation=operation, ceil_mode=ceil_mode, same=same, **pairs, **traits)
        self.meta = {**self.meta, "poster": f"<p>{self._in_words()}</p>"}

    @property
    def output_size(self) -> tuple[int, int]:
        """Height and width of the output with the present settings.

        Raises:
            ShapeError: the settings do not fit.
        """
        height, width = _windows(self._sizes(), self.operation, self.ceil_mode)
        return height.output_size, width.output_size

    def _sizes(self) -> dict[str, Any]:
        names = ("input_size", "kernel_size", "stride", "padding", "dilation")
        sizes: dict[str, Any] = {name: tuple(getattr(self, name)) for name in names}
        return {**sizes, "padding": "same"} if self.same else sizes

    def _in_words(self) -> str:
        """Say what goes in and what comes out, for readers without a script."""
        windows = _windows(self._sizes(), self.operation, self.ceil_mode)
        layer = {"conv": "a convolution", "max": "max pooling", "avg": "average pooling"}
        kernel, before, after = (
            "×".join(str(getattr(window, name)) for window in windows)
            for name in ("kernel_size", "input_size", "output_size")
        )
        down, across = (window.formula for window in windows)
        formula = down if down == across else f"H: {down}, W: {across}"
        return (
            f"The window of {layer[self.operation]}, {kernel}, slides over {before} pixels: "
            f"{after} numbers come out. {formula}."
        )

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}={size!r}" for name, size in self._sizes().items())
        return f"ConvPlayground({self.operation}, {sizes})"


def _as_pair(size: Size) -> list[int]:
    return [size, size] if isinstance(size, int) else list(size)


def _windows(sizes: dict[str, Any], operation: str, ceil_mode: bool) -> tuple[Any, ...]:
    if operation == "conv":
        return conv_windows(**sizes)
    return pool_windows(**sizes, ceil_mode=ceil_mode)


def _check(sizes: dict[str, Any], operation: str, ceil_mode: bool) -> None:
    """Refuse what the playground cannot begin with."""
    if any(isinstance(size, tuple | list) and len(size) != 2 for size in sizes.values()):
        raise ShapeError("sizes are one number, or height and width: two of them")
    _windows(sizes, operation, ceil_mode)
    if max(_as_pair(sizes["input_size"])) > LARGEST_INPUT:
        raise ShapeError(
            f"input_size is {sizes['input_size']}: the playground draws at most {LARGEST_INPUT}"
        )
    if ceil_mode and operation == "conv":
        raise ShapeError("ceil_mode is a setting of pooling: convolutions round down")
    if operation == "avg" and set(_as_pair(sizes["dilation"])) != {1}:
        raise ShapeError("dilation is a setting of convolutions and max pooling, not of averages")
