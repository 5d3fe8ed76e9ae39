"""Operators that arrange values anew without computing on them."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from archc.ops.attributes import (
    Axes,
    Axis,
    NonNegativeInts,
    PositiveInts,
    RuntimeInts,
    RuntimeSizes,
    Valid,
    Wrong,
    integer,
    sequence,
)
from archc.ops.base import Example, Op, ShapeError
from archc.ops.python import OMIT, call, py, unless
from archc.ops.rules import (
    at_least_rank,
    axes_of,
    axis_of,
    equal,
    floating,
    multiple,
    product,
    ranked,
    sizes,
    spread,
)
from archc.ops.window import check_lengths, window_shape
from archc.shapes import Dim, Size, Tensor

Kept = Annotated[int | Dim | tuple[int | Dim, ...], Valid(sequence(integer(-1, runtime=True)))]
"""Sizes, run-time ones too; -1 keeps the axis's."""


class Transpose(Op):
    """Two axes change places: `torch.transpose`.

    Example: `x -> transpose(1, 2)` takes `[B, T, C]` to `[B, C, T]`.
    """

    examples = (Example(("[B, T, C]",), {"a": [0, 1, -1, 3], "b": [0, 2, -3, -4]}),)

    a: Axis
    b: Axis

    def shape(self, x: Tensor) -> Tensor:
        shape = list(sizes(x))
        a, b = (axis_of(axis, len(shape), name, x=x) for axis, name in ((self.a, "a"), (self.b, "b")))
        shape[a], shape[b] = shape[b], shape[a]
        return Tensor(tuple(shape), x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(f"{x}.transpose", py(self.a), py(self.b))

    def label(self, x: Tensor) -> str:
        return f"{int(self.a)} ↔ {int(self.b)}"


class Flatten(Op):
    """The axes from `start` to `end`, inclusive, become one: `torch.flatten`.

    Example: `x -> flatten(2)` takes `[B, C, H, W]` to `[B, C, H * W]`.
    """

    examples = (
        Example(("[B, C, H, W]",), {"start": [0, 1, 2, -1, 4], "end": [-1, 1, 2, -5]}),
        Example(("[B]",), {}),
    )

    start: Axis = 1
    end: Axis = -1

    def shape(self, x: Tensor) -> Tensor:
        shape = at_least_rank(x, 1)
        start = axis_of(self.start, len(shape), "start", x=x)
        end = axis_of(self.end, len(shape), "end", x=x)
        if start > end:
            raise ShapeError(
                f"axis {int(self.start)} of {x} comes after axis {int(self.end)}", about=("start",)
            )
        return Tensor((*shape[:start], product(shape[start : end + 1]), *shape[end + 1 :]), x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        end = unless(self.end, -1)
        return call(f"{x}.flatten", py(self.start), None if end is OMIT else py(self.end))


class Unsqueeze(Op):
    """A new axis of size 1 at `axis`: `torch.unsqueeze`.

    Example: `x -> unsqueeze(1)` takes `[B, T]` to `[B, 1, T]`.
    """

    examples = (Example(("[B, T]",), {"axis": [0, 1, 2, 3, -1, -3, -4]}),)

    axis: Axis

    def shape(self, x: Tensor) -> Tensor:
        shape = sizes(x)
        axis = axis_of(self.axis, len(shape) + 1)
        return Tensor((*shape[:axis], 1, *shape[axis:]), x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(f"{x}.unsqueeze", py(self.axis))


class Squeeze(Op):
    """Drop one or more axes of size 1: `torch.squeeze`. An axis of another size is refused.

    Example: `x -> squeeze([2, 3])` takes `[B, C, 1, 1]` to `[B, C]`.
    """

    examples = (Example(("[1, C, 1]",), {"axis": [0, 2, -1, (0, 2), (0, -1), 5]}),)

    axis: Axes

    def shape(self, x: Tensor) -> Tensor:
        shape = sizes(x)
        gone = axes_of(self.axis, len(shape), x=x)
        for axis in gone:
            equal(shape[axis], 1, f"axis {axis} of {x} must have size 1", "x", "axis")
        return Tensor(tuple(size for i, size in enumerate(shape) if i not in gone), x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(f"{x}.squeeze", py(self.axis))


class Expand(Op):
    """Repeat along axes of size 1, without a copy: `torch.Tensor.expand`.

    `shape` has a size for each axis, -1 where it stays, and may begin with new axes. Sizes may be
    known only when the model runs.

    Example: `cls -> expand([B, -1, -1])` takes `[1, 1, D]` to `[B, 1, D]`.
    """

    examples = (
        Example(("[1, T, 1]",), {"shape": [(4, -1, 5), (2, 3, -1, 1), (-1, -1, -1), (3, -1)]}),
        Example(("[1]",), {"shape": [3, (2, 3)]}),
    )

    to: Kept = Field(alias="shape")

    def shape(self, x: Tensor) -> Tensor:
        shape = sizes(x)
        wanted = self.to if isinstance(self.to, tuple) else (self.to,)
        new = len(wanted) - len(shape)
        if new < 0:
            raise ShapeError(
                f"{len(wanted)} sizes are given for the {len(shape)} axes of {x}", about=("shape",)
            )
        result: list[Size] = []
        for i, size in enumerate(wanted):
            if i < new:
                if isinstance(size, int) and size < 0:
                    raise ShapeError("a new axis has no size to keep", about=("shape",))
            elif isinstance(size, int) and size < 0:
                size = shape[i - new]
            elif shape[i - new] != 1:
                message = f"axis {i - new} of {x} cannot be expanded"
                size = equal(shape[i - new], size, message, "x", "shape")
            if size == 0:
                raise ShapeError("a size must be at least 1", about=("shape",))
            result.append(size)
        return Tensor(tuple(result), x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        wanted = self.to if isinstance(self.to, tuple) else (self.to,)
        return call(f"{x}.expand", *map(py, wanted))


class Roll(Op):
    """Shift values along axes, what leaves at the end comes in at the front: `torch.roll`.

    Example: `x -> roll([-shift, -shift], [1, 2])`
    """

    examples = (
        Example(("[B, H, W]",), {"shifts": [1, -2], "axes": [0, -1, 3]}),
        Example(("[B, H, W]",), {"shifts": [(1, -2), (0, 3)], "axes": [(1, 2), (-1, 0)]}),
    )

    shifts: RuntimeInts
    axes: Axes

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        counts = [len(v) if isinstance(v, tuple) else 1 for v in (self.shifts, self.axes)]
        if counts[0] != counts[1]:
            message = f"there must be one for each of the {counts[1]} axes, not {counts[0]}"
            raise Wrong(f"of shifts {message}", about=("shifts",), whole=True)
        return self

    def shape(self, x: Tensor) -> Tensor:
        axes = self.axes if isinstance(self.axes, tuple) else (self.axes,)
        for axis in axes:
            axis_of(axis, len(sizes(x)), "axes", x=x)
        return Tensor(x.shape, x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(f"{x}.roll", py(self.shifts), py(self.axes))


class Flip(Op):
    """Values in reversed order along axes: `torch.flip`.

    Example: `x -> flip(-1)`
    """

    examples = (Example(("[B, H, W]",), {"axes": [0, -1, (1, 2), (0, -3), 3]}),)

    axes: Axes

    def shape(self, x: Tensor) -> Tensor:
        axes_of(self.axes, len(sizes(x)), "axes", x=x)
        return Tensor(x.shape, x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(f"{x}.flip", py(self.axes))


class Unfold(Op):
    """Windows of an image as columns: `[B, C, H, W] -> [B, C * kh * kw, L]`, `torch.nn.Unfold`.

    Example: `x -> unfold(16, stride=16)` cuts an image into patches.
    """

    examples = (
        Example(
            ("[B, C, H, W]",),
            {"kernel": [1, 2, (3, 2)], "stride": [1, 2], "padding": [0, (1, 2)], "dilation": [1, 2]},
        ),
    )

    kernel: PositiveInts
    stride: PositiveInts = 1
    padding: NonNegativeInts = 0
    dilation: PositiveInts = 1

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_lengths(2, kernel=self.kernel, stride=self.stride, padding=self.padding, dilation=self.dilation)
        return self

    def shape(self, x: Tensor) -> Tensor:
        floating(x, complex=True)
        batch, channels, *space = ranked(x, 4, layout="[B, C, H, W]")
        kernel = spread(self.kernel, 2)
        windows = window_shape(space, kernel, self.stride, self.padding, self.dilation)
        return Tensor((batch, channels * product(kernel), product(windows)), x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(
            "F.unfold",
            x,
            py(self.kernel),
            dilation=unless(self.dilation, 1),
            padding=unless(self.padding, 0),
            stride=unless(self.stride, 1),
        )


class Fold(Op):
    """Columns back into an image, overlaps summed: `[B, C * kh * kw, L] -> [B, C, *size]`, `torch.nn.Fold`.

    Example: `cols -> fold([H, W], 16, stride=16)`
    """

    examples = (
        Example(
            ("[B, 12, L]",),
            {"size": [(4, 6), 5], "kernel": [2, (1, 3), (2, 4)], "stride": [1, 2], "padding": [0, 1]},
            {"L": (1, 24)},
        ),
        Example(("[B, 12, 6]",), {"size": ((4, 6),), "kernel": (2,), "stride": (2,)}),
    )

    size: RuntimeSizes
    kernel: PositiveInts
    stride: PositiveInts = 1
    padding: NonNegativeInts = 0
    dilation: PositiveInts = 1

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_lengths(
            2,
            size=self._size(),
            kernel=self.kernel,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
        )
        return self

    def _size(self) -> tuple[Size, ...]:
        return self.size * 2 if len(self.size) == 1 else self.size

    def shape(self, x: Tensor) -> Tensor:
        floating(x, complex=True)
        batch, columns, length = ranked(x, 3, layout="[B, C * kh * kw, L]")
        kernel = spread(self.kernel, 2)
        size = self._size()
        message = f"the {columns} channels of `x` are no multiple of the window's {product(kernel)} values"
        multiple(columns, product(kernel), message, "x", "kernel")
        windows = window_shape(size, kernel, self.stride, self.padding, self.dilation)
        equal(length, product(windows), "`x` and the image have different numbers of windows", "x", "size")
        return Tensor((batch, columns // product(kernel), *size), x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(
            "F.fold",
            x,
            py(self._size()),
            py(self.kernel),
            dilation=unless(self.dilation, 1),
            padding=unless(self.padding, 0),
            stride=unless(self.stride, 1),
        )
