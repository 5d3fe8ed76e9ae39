"""Sums, means and other reductions of axes."""

from typing import ClassVar

from archc.ops.attributes import Axes, Axis, Bool, Float
from archc.ops.base import Example, Op, ShapeError
from archc.ops.python import call, py, unless
from archc.ops.rules import COMPLEX, FLOATS, axes_of, axis_of, floating, sizes
from archc.shapes import Tensor

_AXES = (0, -1, (0, 2), (-1, 1), 3)
_EXAMPLES = tuple(
    Example((f"{dtype}[B, T, C]",), {"axis": _AXES, "keepdim": (False, True)})
    for dtype in ("", "float16", "int32", "bool")
)


class _Reduction(Op):
    """What reductions share: the axes go, or stay with size 1 where `keepdim`."""

    function: ClassVar[str]
    examples = _EXAMPLES

    axis: Axes
    keepdim: Bool = False

    def dtype_of(self, x: Tensor) -> str:
        """The dtype of the result; raises ShapeError where `x` has none."""
        return x.dtype

    def shape(self, x: Tensor) -> Tensor:
        dtype = self.dtype_of(x)
        shape = sizes(x)
        gone = axes_of(self.axis, len(shape), x=x)
        if self.keepdim:
            return Tensor(tuple(1 if i in gone else size for i, size in enumerate(shape)), dtype)
        return Tensor(tuple(size for i, size in enumerate(shape) if i not in gone), dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(f"{x}.{self.function}", py(self.axis), keepdim=unless(self.keepdim, False))

    def label(self, x: Tensor) -> str:
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        return f"axis {', '.join(str(int(a)) for a in axes)}"


class _Accumulated(_Reduction):
    def dtype_of(self, x: Tensor) -> str:
        return x.dtype if x.dtype in FLOATS | COMPLEX else "int64"


class Sum(_Accumulated):
    """The sum over one or more axes. As `torch.sum`: whole numbers give int64. Example: `sum([2, 3])`."""

    function = "sum"


class Mean(_Reduction):
    """The mean over one or more axes. As `torch.mean`. Example: `mean(-1, keepdim=true)`."""

    function = "mean"

    def dtype_of(self, x: Tensor) -> str:
        floating(x, complex=True)
        return x.dtype


class _Extreme(_Reduction):
    def dtype_of(self, x: Tensor) -> str:
        if x.dtype in COMPLEX:
            raise ShapeError(f"complex numbers have no order: {x}", about=("x",))
        return x.dtype


class Max(_Extreme):
    """The largest value over one or more axes. As `torch.amax`. Example: `max(-1)`."""

    function = "amax"


class Min(_Extreme):
    """The smallest value over one or more axes. As `torch.amin`. Example: `min(-1)`."""

    function = "amin"


class Prod(_Accumulated):
    """The product over one or more axes. As `torch.prod`: whole numbers give int64. Example: `prod(-1)`."""

    def call(self, x: str, *, self_: str | None = None) -> str:
        if not isinstance(self.axis, tuple):
            return call(f"{x}.prod", py(self.axis), keepdim=unless(self.keepdim, False))
        for axis in self.axis:
            x = call(f"{x}.prod", py(axis), keepdim=True)
        return x if self.keepdim else call(f"{x}.squeeze", py(self.axis))


class Var(_Reduction):
    """The variance over one or more axes, divided by n - 1, or by n where not `unbiased`.

    As `torch.var`. Example: `var(-1, unbiased=false)`.
    """

    function = "var"
    examples = (
        Example(
            ("[B, T, C]",),
            {"axis": _AXES, "keepdim": (False, True), "unbiased": (True, False)},
            {"B": (2, 9), "T": (2, 9), "C": (2, 9)},
        ),
        Example(("int64[B]",), {"axis": (0,)}),
    )

    unbiased: Bool = True

    def dtype_of(self, x: Tensor) -> str:
        floating(x)
        return x.dtype

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(
            f"{x}.var",
            py(self.axis),
            unbiased=unless(self.unbiased, True),
            keepdim=unless(self.keepdim, False),
        )


class Norm(_Reduction):
    """The p-norm over one or more axes: (sum of |x|^p)^(1/p).

    As `torch.linalg.vector_norm`. Example: `norm(-1, keepdim=true)`.
    """

    examples = (
        Example(("[B, T, C]",), {"axis": _AXES, "keepdim": (False, True), "p": (2, 1, 2.5, 0)}),
        Example(("int64[B]",), {"axis": (0,)}),
    )

    p: Float = 2

    def dtype_of(self, x: Tensor) -> str:
        floating(x)
        return x.dtype

    def call(self, x: str, *, self_: str | None = None) -> str:
        p = unless(self.p, 2)
        return call(
            "torch.linalg.vector_norm",
            x,
            ord=p,
            dim=self.axis,
            keepdim=unless(self.keepdim, False),
        )


class Cumsum(Op):
    """The sum of all values up to each, along an axis: `x -> x`.

    As `torch.cumsum`: whole numbers give int64. Example: `cumsum(-1)`.
    """

    examples = tuple(
        Example((f"{dtype}[B, T, C]",), {"axis": (0, -1, 3)}) for dtype in ("", "bfloat16", "uint8", "bool")
    )

    axis: Axis

    def shape(self, x: Tensor) -> Tensor:
        axis_of(self.axis, len(sizes(x)), x=x)
        return Tensor(x.shape, x.dtype if x.dtype in FLOATS | COMPLEX else "int64")

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(f"{x}.cumsum", py(self.axis))

    def label(self, x: Tensor) -> str:
        return f"axis {int(self.axis)}"
