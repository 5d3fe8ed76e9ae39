"""Functions of single elements, casts and masks."""

from typing import ClassVar, Self

from pydantic import model_validator

from archc.ops.attributes import Dtype, RuntimeFloat, RuntimeScalar, Wrong
from archc.ops.base import Example, Op
from archc.ops.python import call, py, torch_dtype
from archc.ops.rules import COMPLEX, FLOATS, boolean, fits, number_type, numeric
from archc.shapes import Tensor, broadcast, promote

_EXAMPLES = tuple(Example((f"{dtype}[B, T]",)) for dtype in ("", "bfloat16", "int64", "bool"))


class _ToFloat(Op):
    """A function of torch that turns whole numbers into floats of the default dtype."""

    kind: ClassVar[str] = "activation"
    examples = _EXAMPLES

    def shape(self, x: Tensor) -> Tensor:
        return Tensor(x.shape, x.dtype if x.dtype in FLOATS | COMPLEX else "float")

    def call(self, x: str, *, self_: str | None = None) -> str:
        return f"torch.{self.title()}({x})"


class Exp(_ToFloat):
    """e^x. As `torch.exp`. Example: `x -> exp`."""


class Log(_ToFloat):
    """The natural logarithm. As `torch.log`. Example: `x -> log`."""


class Sqrt(_ToFloat):
    """The square root. As `torch.sqrt`. Example: `x -> sqrt`."""


class Rsqrt(_ToFloat):
    """1 / sqrt(x). As `torch.rsqrt`. Example: `x -> rsqrt`."""


class Sin(_ToFloat):
    """The sine, of radians. As `torch.sin`. Example: `x -> sin`."""


class Cos(_ToFloat):
    """The cosine, of radians. As `torch.cos`. Example: `x -> cos`."""


class _OnNumbers(Op):
    """A function of torch on real numbers that keeps their dtype."""

    kind: ClassVar[str] = "activation"
    examples = _EXAMPLES

    def shape(self, x: Tensor) -> Tensor:
        numeric(x)
        return x

    def call(self, x: str, *, self_: str | None = None) -> str:
        return f"torch.{self.title()}({x})"


class Abs(_OnNumbers):
    """The absolute value. As `torch.abs`. Example: `x -> abs`."""


class Sign(_OnNumbers):
    """-1, 0 or 1. As `torch.sign`. Example: `x -> sign`."""

    def shape(self, x: Tensor) -> Tensor:
        return x


class Floor(_OnNumbers):
    """The largest whole number not above x, in x's dtype. As `torch.floor`. Example: `x -> floor`."""


class Round(_OnNumbers):
    """The nearest whole number, halves to even, in x's dtype. As `torch.round`. Example: `x -> round`."""


class Clamp(Op):
    """x kept within `min` and `max`, of which one may be left out: `x -> x`.

    As `torch.clamp`. Example: `clamp(min=0)`.
    """

    kind: ClassVar[str] = "activation"
    examples = tuple(
        Example((x,), {"min": (0, -1.5), "max": (None, 2, 2.5)}) for x in ("[B, T]", "int64[B]", "float16[B]")
    ) + (Example(("int32[B]",), {"max": (3, 0.5)}),)

    min: RuntimeFloat | None = None
    max: RuntimeFloat | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.min is None and self.max is None:
            raise Wrong("`clamp` needs `min` or `max`", whole=True)
        return self

    def shape(self, x: Tensor) -> Tensor:
        numeric(x)
        bounds = [number_type(b) for b in (self.min, self.max) if b is not None]
        return Tensor(x.shape, promote(x, *bounds))

    def call(self, x: str, *, self_: str | None = None) -> str:
        bounds = {k: v for k, v in (("min", self.min), ("max", self.max)) if v is not None}
        return call(f"{x}.clamp", **bounds)


class Detach(Op):
    """The input, through which no gradient flows. As `torch.Tensor.detach`. Example: `x -> detach`."""

    examples = (Example(("[B, T]",)), Example(("int64[B]",)))

    def shape(self, x: Tensor) -> Tensor:
        return x

    def call(self, x: str, *, self_: str | None = None) -> str:
        return f"{x}.detach()"


class Cast(Op):
    """The input in another dtype; `float` is the model's default one. As `torch.Tensor.to`.

    Example: `cast(float32)`.
    """

    examples = (
        Example(("[B, T]",), {"dtype": ("float", "float32", "bfloat16", "int64", "bool")}),
        Example(("bool[B]",), {"dtype": ("float", "int32")}),
    )

    dtype: Dtype

    def shape(self, x: Tensor) -> Tensor:
        return Tensor(x.shape, self.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(f"{x}.to", torch_dtype(self.dtype))

    def label(self, x: Tensor) -> str:
        return self.dtype


class Where(Op):
    """`a` where `cond` holds, else `b`; all three are broadcast: `cond bool[...], a, b -> [...]`.

    As `torch.where`. Example: `keep, x, 0 -> where`.
    """

    examples = (
        Example(("bool[B, 1, T]", "[B, T, T]", "[T]")),
        Example(("bool[B]", "float16[B]", "float32[B]")),
        Example(("bool[B]", "int64[B]", "[]")),
        Example(("int64[B]", "int64[B]", "int64[B]")),
    )

    def shape(self, cond: Tensor, a: Tensor, b: Tensor) -> Tensor:
        boolean(cond, "cond")
        return Tensor(broadcast(cond.shape, a.shape, b.shape), promote(a, b))

    def call(self, cond: str, a: str, b: str, *, self_: str | None = None) -> str:
        return f"torch.where({cond}, {a}, {b})"


class MaskedFill(Op):
    """`value` where `mask` is true, else x; both are broadcast: `x, mask bool[...] -> x`.

    As `torch.Tensor.masked_fill`. Example: `scores, mask -> masked_fill(float("-inf"))`.
    """

    examples = (
        Example(("[B, T, T]", "bool[T, T]"), {"value": (0, -1e9, float("-inf"), True)}),
        # torch cuts 1.5 down to 1
        Example(("int64[B, 1]", "bool[B, T]"), {"value": (0, 1.5)}, stricter=True),
        Example(("bool[B]", "bool[B]"), {"value": (True,)}),
        Example(("[B]", "int64[B]"), {"value": (0,)}),
    )

    value: RuntimeScalar

    def shape(self, x: Tensor, mask: Tensor) -> Tensor:
        boolean(mask, "mask")
        fits(self.value, x.dtype, "value")
        return Tensor(broadcast(x.shape, mask.shape), x.dtype)

    def call(self, x: str, mask: str, *, self_: str | None = None) -> str:
        return f"{x}.masked_fill({mask}, {py(self.value)})"
