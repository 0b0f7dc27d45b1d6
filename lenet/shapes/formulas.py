"""The output size of a kernel that slides over an image, one function per kind of layer.

The formulas are those in PyTorch's documentation of `torch.nn.Conv2d`, `torch.nn.MaxPool2d` and
`torch.nn.ConvTranspose2d`. Settings that PyTorch refuses are refused here, with the reason.

Sizes and settings are one number for every axis, or a tuple with one number per axis
(height, width). A result is a number when everything given was a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

Size = int | tuple[int, ...]
Padding = Size | Literal["same", "valid"]


class ShapeError(ValueError):
    """Shapes or settings that do not fit; the message says which, why, and what to do."""


@dataclass(frozen=True)
class _Kernel:
    """A kernel and the pixels along one axis."""

    input_size: int
    kernel_size: int
    stride: int
    padding: int
    dilation: int

    @property
    def span(self) -> int:
        """The number of pixels from the kernel's first weight to its last."""
        return self.dilation * (self.kernel_size - 1) + 1


@dataclass(frozen=True)
class Window(_Kernel):
    """A kernel sliding along one axis.

    Attributes:
        input_size: the number of pixels along the axis, without padding.
        kernel_size: the number of weights along the axis.
        stride: how far the kernel moves from one position to the next.
        padding: pixels added before and after, together.
        dilation: the distance between neighbouring weights.
        ceil_mode: round the number of positions up instead of down.
        padding_before: the part of `padding` in front of the first pixel.
    """

    ceil_mode: bool = False
    padding_before: int = 0

    @property
    def remainder(self) -> int:
        """The number of padded pixels behind the kernel's last full position."""
        return (self.input_size + self.padding - self.span) % self.stride

    @property
    def output_size(self) -> int:
        """The number of positions at which the kernel stops."""
        steps = self.input_size + self.padding - self.span
        rounded = -(-steps // self.stride) if self.ceil_mode else steps // self.stride
        return rounded + 1 - self.leaves_one_out

    @property
    def positions(self) -> list[range]:
        """The pixels under the weights at every stop of the kernel.

        Pixels are counted from 0, the input's first; those in the padding lie outside the input.
        """
        first = -self.padding_before
        starts = range(first, first + self.output_size * self.stride, self.stride)
        return [range(start, start + self.span, self.dilation) for start in starts]

    @property
    def leaves_one_out(self) -> bool:
        """Whether rounding up gave a window that starts behind the input, which PyTorch drops."""
        last = -(-(self.input_size + self.padding - self.span) // self.stride)
        return self.ceil_mode and last * self.stride >= self.input_size + self.padding_before

    @property
    def formula(self) -> str:
        """The formula with this window's numbers, such as ``⌊(28 + 2·2 − 5) / 1⌋ + 1 = 28``."""
        left, right = "⌈⌉" if self.ceil_mode else "⌊⌋"
        half, odd = divmod(self.padding, 2)
        padding = f" + 2·{half}" if not odd else f" + {self.padding}"
        span = f"{self.kernel_size}"
        if self.dilation != 1 and self.kernel_size != 1:
            span = f"({self.dilation}·({self.kernel_size} − 1) + 1)"
        top = f"({self.input_size}{padding if self.padding else ''} − {span})"
        left_out = " − 1" if self.leaves_one_out else ""
        return f"{left}{top} / {self.stride}{right} + 1{left_out} = {self.output_size}"

    @property
    def note(self) -> str:
        """What happens when the stride does not divide the way; else empty."""
        if not self.remainder:
            return ""
        steps = (self.input_size + self.padding - self.span) / self.stride
        rounded = self.output_size - 1
        if rounded > steps:
            return f"{steps:g} is rounded up to {rounded}: the last window reaches past the edge"
        unseen = self.remainder - (self.padding - self.padding // 2)
        pixels = "pixel" if unseen == 1 else f"{unseen} pixels"
        what = f"the last {pixels}" if unseen > 0 else "the end of the padding"
        how = f"down to {rounded}"
        if self.leaves_one_out:
            how = f"up to {rounded + 1}, but the window that starts behind the input is left out"
        return f"{steps:g} is rounded {how}: no window reaches {what}"

    def checked(self) -> Self:
        """Return the window, or raise `ShapeError` when it is larger than the padded input."""
        if self.output_size >= 1:
            return self
        kernel = f"kernel_size={self.kernel_size}"
        if self.dilation > 1:
            kernel += f" with dilation={self.dilation} spans {self.span} pixels: it"
        padding = f" ({self.input_size + self.padding} with padding)" if self.padding else ""
        raise ShapeError(
            f"{kernel} is larger than the input of size {self.input_size}{padding}: "
            "use a smaller kernel, more padding or a larger input"
        )


@dataclass(frozen=True)
class Spread(_Kernel):
    """A transposed convolution along one axis: every pixel is spread out over a kernel's span.

    Attributes:
        input_size: the number of pixels along the axis.
        kernel_size: the number of weights along the axis.
        stride: the distance at which neighbouring pixels are laid down.
        padding: pixels cut off at each end of what comes out.
        dilation: the distance between neighbouring weights.
        output_padding: pixels added behind the last one.
        note: nothing has to be said of rounding.
    """

    output_padding: int
    note: ClassVar[str] = ""

    @property
    def output_size(self) -> int:
        """The number of pixels that come out; below 1 when the padding leaves none."""
        whole = (self.input_size - 1) * self.stride + self.span
        return whole - 2 * self.padding + self.output_padding

    @property
    def formula(self) -> str:
        """The formula with this axis's numbers, such as ``(7 − 1)·2 − 2·1 + 3 + 1 = 14``."""
        padding = f" − 2·{self.padding}" if self.padding else ""
        span = str(self.kernel_size)
        if self.dilation != 1 and self.kernel_size != 1:
            span = f"{self.dilation}·({self.kernel_size} − 1) + 1"
        more = f" + {self.output_padding}" if self.output_padding else ""
        return f"({self.input_size} − 1)·{self.stride}{padding} + {span}{more} = {self.output_size}"

    def checked(self) -> Self:
        """Return the axis, or raise `ShapeError` when the padding leaves nothing of it."""
        if self.output_size >= 1:  # at 0, PyTorch refuses or returns nothing, as its backend does
            return self
        cut = 2 * self.padding
        raise ShapeError(
            f"padding={self.padding} cuts {cut} pixels and leaves none of "
            f"{self.output_size + cut}: use a smaller padding or a larger input"
        )


Windows = tuple[Window | Spread, ...]


@dataclass(frozen=True)
class Field:
    """The receptive field of a unit, one number per axis.

    Attributes:
        size: pixels of the input that the unit depends on.
        jump: pixels between the fields of neighbouring units; None when two branches disagree.
    """

    size: tuple[int, ...]
    jump: tuple[int, ...] | None

    def through(self, windows: Windows) -> Field | None:
        """Follow the field through a layer's windows; None where it is undefined.

        Through a window of kernel size k, dilation d and stride s, a field r with jump j becomes
        r + d(k − 1)j with jump js (Dumoulin and Visin, 2016, "A guide to convolution arithmetic for
        deep learning", relationship for stacked layers).
        """
        spreads = any(isinstance(window, Spread) for window in windows)
        if self.jump is None or len(self.size) != len(windows) or spreads:
            return None  # what a unit sees behind a `Spread` depends on its place
        axes = list(zip(windows, self.size, self.jump, strict=True))
        return Field(
            size=tuple(size + (window.span - 1) * jump for window, size, jump in axes),
            jump=tuple(jump * window.stride for window, _, jump in axes),
        )


def conv_output_size(
    input_size: Size, kernel_size: Size, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> Size:
    """Count the positions of a convolution's kernel: ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1.

    Raises:
        ShapeError: a setting is impossible, or the kernel is larger than the padded input.

    Example:
        >>> conv_output_size(28, 5), conv_output_size(28, 5, padding=2)
        (24, 28)
        >>> conv_output_size((28, 20), kernel_size=5, stride=2)
        (12, 8)
    """
    given = (input_size, kernel_size, stride, padding, dilation)
    return _sizes(conv_windows(*given), *given)


def conv_windows(
    input_size: Size, kernel_size: Size, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> tuple[Window, ...]:
    """Check a convolution's settings and lay out its window along every axis.

    Raises:
        ShapeError: a setting is impossible, or the kernel is larger than the padded input.
    """
    numbers = 0 if isinstance(padding, str) else padding
    axes = _axes(input_size, kernel_size, stride, numbers, dilation)
    return tuple(_conv_window(axis, padding).checked() for axis in axes)


def pool_output_size(
    input_size: Size,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Size:
    """Count the positions of a pooling window; the stride is the kernel size unless given.

    With `ceil_mode` the division is rounded up, but no window starts behind the input.

    Raises:
        ShapeError: a setting is impossible, or the window is larger than the padded input.

    Example:
        >>> pool_output_size(5, 2), pool_output_size(5, 2, ceil_mode=True)
        (2, 3)
    """
    windows = pool_windows(input_size, kernel_size, stride, padding, dilation, ceil_mode)
    return _sizes(windows, input_size, kernel_size, stride, padding, dilation)


def pool_windows(
    input_size: Size,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> tuple[Window, ...]:
    """Check a pooling layer's settings and lay out its window along every axis.

    Raises:
        ShapeError: a setting is impossible, or the window is larger than the padded input.
    """
    stride = kernel_size if stride is None else stride
    windows = []
    for size, kernel, step, pad, gap in _axes(input_size, kernel_size, stride, padding, dilation):
        if pad > kernel // 2:
            raise ShapeError(
                f"padding is {pad}, but pooling pads by at most half the kernel: "
                f"use padding={kernel // 2} or less with kernel_size={kernel}"
            )
        windows.append(Window(size, kernel, step, 2 * pad, gap, ceil_mode, pad).checked())
    return tuple(windows)


def conv_transpose_output_size(
    input_size: Size,
    kernel_size: Size,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
) -> Size:
    """Size what a transposed convolution spreads out: (n − 1)s − 2p + d(k − 1) + q + 1.

    Raises:
        ShapeError: a setting is impossible, `output_padding` (q) is not smaller than the stride or
            the dilation, or the padding leaves nothing.
    """
    given = (input_size, kernel_size, stride, padding, output_padding, dilation)
    return _sizes([spread.checked() for spread in conv_transpose_spreads(*given)], *given)


def conv_transpose_spreads(
    input_size: Size,
    kernel_size: Size,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
) -> tuple[Spread, ...]:
    """Check a transposed convolution's settings and lay it out along every axis.

    Raises:
        ShapeError: a setting is impossible, or `output_padding` is not smaller than the stride or
            the dilation.
    """
    axes = _axes(input_size, kernel_size, stride, padding, dilation, output_padding)
    spreads = tuple(Spread(*axis) for axis in axes)
    for spread in spreads:
        if spread.output_padding >= max(spread.stride, spread.dilation):
            raise ShapeError(
                f"output_padding is {spread.output_padding}, but it must be smaller than "
                f"stride={spread.stride} or dilation={spread.dilation}"
            )
    return spreads


def _conv_window(axis: tuple[int, ...], named: object) -> Window:
    size, kernel, stride, padding, dilation = axis
    if named == "same":
        if stride != 1:
            raise ShapeError(
                f"padding='same' needs stride=1, but stride is {stride}: give padding as a number"
            )
        added = dilation * (kernel - 1)  # an odd number has the larger half at the end
        return Window(size, kernel, stride, added, dilation, padding_before=added // 2)
    if isinstance(named, str) and named != "valid":
        raise ShapeError(f"padding is {named!r}: give a number, 'same' or 'valid'")
    return Window(size, kernel, stride, 2 * padding, dilation, padding_before=padding)


_SETTINGS = ("input_size", "kernel_size", "stride", "padding", "dilation", "output_padding")


def _axes(*settings: Size) -> list[tuple[int, ...]]:
    """Spread every setting over the axes, and refuse what is no whole number or too small."""
    spread = [value for value in settings if isinstance(value, tuple | list)]
    rank = max(map(len, spread), default=1)
    if not rank:
        raise ShapeError(f"sizes are {spread[0]}: give one number, or one for each axis")
    columns = []
    for name, value in zip(_SETTINGS, settings, strict=False):
        numbers = value if isinstance(value, tuple | list) else (value,) * rank
        if len(numbers) != rank:
            raise ShapeError(f"{name} is {value}: {len(numbers)} numbers for {rank} axes")
        smallest = 0 if "padding" in name else 1
        for number in numbers:
            if not isinstance(number, int) or isinstance(number, bool):
                raise ShapeError(f"{name} is {number!r}: it must be a whole number")
            if number < smallest:
                raise ShapeError(f"{name} is {number}: it must be at least {smallest}")
        columns.append(tuple(numbers))
    return list(zip(*columns, strict=True))


def _sizes(axes: Sequence[Window | Spread], *given: object) -> Size:
    """The output sizes; one number when everything given was one."""
    sizes = tuple(axis.output_size for axis in axes)
    return sizes if any(isinstance(value, tuple | list) for value in given) else sizes[0]
