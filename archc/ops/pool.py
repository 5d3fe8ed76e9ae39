"""Pooling: the largest or the mean value of each window."""

from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from archc.ops.attributes import Bool, NonNegativeInts, PositiveInts, Valid, Wrong, integer, sequence
from archc.ops.base import Example, Op
from archc.ops.python import OMIT, call, py, unless
from archc.ops.rules import enough, floating, ranked, sizes, spread
from archc.ops.window import check_lengths, window_shape
from archc.shapes import Size, Tensor

AXES = ("", "L", "H, W", "D, H, W")


def _size(value):
    return None if value is None else integer(1)(value)


OutputSize = Annotated[int | tuple[int | None, ...], Valid(sequence(_size))]
"""Sizes, null where the axis keeps its own."""


class _Pool(Op):
    """What pooling with windows shares: `dims` spatial axes."""

    kind: ClassVar[str] = "resampling"
    dims: ClassVar[int]
    function: ClassVar[str]

    kernel: PositiveInts
    stride: PositiveInts | None = None
    padding: NonNegativeInts = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        windows = {"kernel": self.kernel, "stride": self._stride(), "padding": self.padding}
        check_lengths(self.dims, **windows, dilation=self._dilation())
        each = zip(spread(self.padding, self.dims), spread(self.kernel, self.dims), strict=True)
        for padding, kernel in each:
            if padding > kernel // 2:
                raise Wrong(f"must be at most half the kernel of {kernel}, not {padding}", about=("padding",))
        return self

    def _stride(self) -> int | tuple[int, ...]:
        return self.kernel if self.stride is None else self.stride

    def _dilation(self) -> int | tuple[int, ...]:
        return 1

    def _ceil_mode(self) -> bool:
        raise NotImplementedError

    def shape(self, x: Tensor) -> Tensor:
        floating(x)
        shape = ranked(x, self.dims + 2, layout=f"[B, C, {AXES[self.dims]}]")
        lead, space = shape[:2], shape[2:]
        windows = window_shape(
            space, self.kernel, self._stride(), self.padding, self._dilation(), self._ceil_mode()
        )
        return Tensor((*lead, *windows), x.dtype)

    def _call(self, x: str, **further) -> str:
        stride = OMIT if self.stride is None else unless(self.stride, self.kernel)
        return call(
            f"F.{self.function}_pool{self.dims}d",
            x,
            py(self.kernel),
            None if stride is OMIT else py(stride),
            padding=unless(self.padding, 0),
            **further,
            ceil_mode=unless(self._ceil_mode(), False),
        )

    def label(self, x: Tensor) -> str:
        kernel, stride = spread(self.kernel, self.dims), spread(self._stride(), self.dims)
        text = "x".join(map(str, kernel)) if self.dims > 1 else f"k{kernel[0]}"
        return f"{text} s{'x'.join(map(str, stride if len(set(stride)) > 1 else stride[:1]))}"


class _MaxPool(_Pool):
    function = "max"

    dilation: PositiveInts = 1
    ceil_mode: Bool = False

    def _ceil_mode(self) -> bool:
        return self.ceil_mode

    def _dilation(self) -> int | tuple[int, ...]:
        return self.dilation

    def call(self, x: str, *, self_: str | None = None) -> str:
        return self._call(x, dilation=unless(self.dilation, 1))


class _AvgPool(_Pool):
    function = "avg"

    ceil_mode: Bool = False
    count_include_pad: Bool = True

    def _ceil_mode(self) -> bool:
        return self.ceil_mode

    def call(self, x: str, *, self_: str | None = None) -> str:
        return self._call(x, count_include_pad=unless(self.count_include_pad, True))


_TRIED = {
    "kernel": (1, 2, 3, 4),
    "stride": (None, 1, 2, 3, 5),
    "padding": (0, 1, 2),
    "ceil_mode": (False, True),
}
_TRIED_MAX = _TRIED | {"dilation": (1, 2)}
_TRIED_AVG = _TRIED | {"count_include_pad": (True, False)}
_UNEVEN = {
    "kernel": ((2, 3),),
    "stride": (None, (2, 1), 2),
    "padding": ((1, 0), 1),
    "ceil_mode": (False, True),
}


class MaxPool1d(_MaxPool):
    """The largest value of each window: `[B, C, L] -> [B, C, L']`, L' = (L + 2p - d(k - 1) - 1) // s + 1.

    The stride is the kernel where it is not given; `ceil_mode` rounds up. As
    `torch.nn.MaxPool1d`. Example: `max_pool1d(2)`.
    """

    dims = 1
    examples = (Example(("[B, C, L]",), _TRIED_MAX),)


class MaxPool2d(_MaxPool):
    """The largest value of each window: `[B, C, H, W] -> [B, C, H', W']`, each H' as in `max_pool1d`.

    As `torch.nn.MaxPool2d`. Example: `max_pool2d(3, stride=2, padding=1)`.
    """

    dims = 2
    examples = (Example(("[B, C, H, W]",), _TRIED_MAX), Example(("[B, C, H, W]",), _UNEVEN))


class MaxPool3d(_MaxPool):
    """The largest value of each window: `[B, C, D, H, W] -> [B, C, D', H', W']`, as `max_pool1d`.

    As `torch.nn.MaxPool3d`. Example: `max_pool3d([1, 2, 2])`.
    """

    dims = 3
    examples = (Example(("[B, C, D, H, W]",), _TRIED_MAX),)


class AvgPool1d(_AvgPool):
    """The mean of each window: `[B, C, L] -> [B, C, L']`, L' = (L + 2p - k) // s + 1.

    The stride is the kernel where it is not given; `ceil_mode` rounds up; `count_include_pad=false`
    leaves the padding out of the mean. As `torch.nn.AvgPool1d`. Example: `avg_pool1d(2)`.
    """

    dims = 1
    examples = (Example(("[B, C, L]",), _TRIED_AVG),)


class AvgPool2d(_AvgPool):
    """The mean of each window: `[B, C, H, W] -> [B, C, H', W']`, each H' as in `avg_pool1d`.

    As `torch.nn.AvgPool2d`. Example: `avg_pool2d(2)`.
    """

    dims = 2
    examples = (Example(("[B, C, H, W]",), _TRIED_AVG), Example(("[B, C, H, W]",), _UNEVEN))


class AvgPool3d(_AvgPool):
    """The mean of each window: `[B, C, D, H, W] -> [B, C, D', H', W']`, as `avg_pool1d`.

    As `torch.nn.AvgPool3d`. Example: `avg_pool3d([1, 2, 2])`.
    """

    dims = 3
    examples = (Example(("[B, C, D, H, W]",), _TRIED_AVG),)

    def shape(self, x: Tensor) -> Tensor:
        out = super().shape(x)
        for n, kernel in zip(sizes(x)[2:], spread(self.kernel, 3), strict=True):
            message = f"the window spans {kernel} and the input has only {n}, padding left aside"
            enough(n, kernel, message, "kernel", "x")
        return out


class _AdaptivePool(Op):
    """What pooling to a given size shares."""

    kind: ClassVar[str] = "resampling"
    dims: ClassVar[int] = 2
    function: ClassVar[str]

    size: OutputSize

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_lengths(self.dims, size=self.size)
        return self

    def _sizes(self) -> tuple[int | None, ...]:
        return self.size if isinstance(self.size, tuple) else (self.size,) * self.dims

    def shape(self, x: Tensor) -> Tensor:
        floating(x)
        *lead, height, width = ranked(x, 4, layout="[B, C, H, W]")
        wanted: list[Size] = [
            own if size is None else size for own, size in zip((height, width), self._sizes(), strict=True)
        ]
        return Tensor((*lead, *wanted), x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(f"F.adaptive_{self.function}_pool{self.dims}d", x, py(self.size))

    def label(self, x: Tensor) -> str:
        return "→ " + "x".join("·" if n is None else str(n) for n in self._sizes())


_SIZES = {"size": (1, 3, (2, 5), (None, 4))}


class AdaptiveAvgPool2d(_AdaptivePool):
    """The means of as many windows as `size` wants: `[B, C, H, W] -> [B, C, *size]`.

    `null` keeps an axis. As `torch.nn.AdaptiveAvgPool2d`. Example: `adaptive_avg_pool2d(1)`.
    """

    function = "avg"
    examples = (Example(("[B, C, H, W]",), _SIZES),)


class AdaptiveMaxPool2d(_AdaptivePool):
    """The largest values of as many windows as `size` wants: `[B, C, H, W] -> [B, C, *size]`.

    `null` keeps an axis. As `torch.nn.AdaptiveMaxPool2d`. Example: `adaptive_max_pool2d([7, 7])`.
    """

    function = "max"
    examples = (Example(("[B, C, H, W]",), _SIZES),)
