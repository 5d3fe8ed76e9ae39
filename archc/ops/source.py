"""Tensors made of nothing: sources may stand in a flow line as operands. Sizes may be run-time ones."""

from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from archc.ops.attributes import (
    Dtype,
    Int,
    RuntimeFloat,
    RuntimeInt,
    RuntimeScalar,
    RuntimeSize,
    RuntimeSizes,
    Wrong,
)
from archc.ops.base import Example, Op
from archc.ops.python import Code, call, py, torch_dtype
from archc.ops.rules import enough, fits
from archc.shapes import Tensor


class _Source(Op):
    source: ClassVar[bool] = True

    def _made(self, function: str, *arguments: Any, dtype: str | None = None) -> str:
        kinds = {} if dtype is None else {"dtype": torch_dtype(dtype)}
        return call(f"torch.{function}", *map(py, arguments), **kinds, device=Code("DEVICE"))


class Arange(_Source):
    """Whole numbers in order: `arange(n)` is 0 to n - 1, `arange(a, b)` a to b - 1, with an optional step.

    int64, as `torch.arange`. Example: `arange(T)`.
    """

    examples = (
        Example((), {"start": (0, 1, 5)}),
        Example((), {"start": (0, 2, -3), "end": (7, 2, 9), "step": (1, 2, 4)}),
        Example((), {"start": (7,), "end": (2, 0), "step": (-1, -3)}),
    )

    start: RuntimeInt
    end: RuntimeInt | None = None
    step: Int = 1

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.step == 0:
            raise Wrong("must not be 0", about=("step",))
        return self

    def shape(self) -> Tensor:
        low, high = (0, self.start) if self.end is None else (self.start, self.end)
        step = abs(self.step)
        length = high - low if self.step > 0 else low - high
        about = ("start",) if self.end is None else ("start", "end", "step")
        enough(length, 0, f"from {low} there is no way to {high} in steps of {self.step}", *about)
        return Tensor(((length + (step - 1)) // step if step > 1 else length,), "int64")

    def call(self, *, self_: str | None = None) -> str:
        if self.end is None:
            return self._made("arange", self.start)
        step = () if type(self.step) is int and self.step == 1 else (self.step,)
        return self._made("arange", self.start, self.end, *step)


class Zeros(_Source):
    """Zeros: `-> shape`. As `torch.zeros`. Example: `zeros([B, 1, D])`."""

    examples = (Example((), {"shape": ((2, 3), 4, ()), "dtype": ("float", "int64", "bool")}),)

    sizes: RuntimeSizes = Field(alias="shape")
    dtype: Dtype = "float"

    def shape(self) -> Tensor:
        return Tensor(self.sizes, self.dtype)

    def call(self, *, self_: str | None = None) -> str:
        return self._made("zeros", self.sizes, dtype=self.dtype)


class Ones(Zeros):
    """Ones: `-> shape`. As `torch.ones`. Example: `ones([B, T], dtype=bool)`."""

    def call(self, *, self_: str | None = None) -> str:
        return self._made("ones", self.sizes, dtype=self.dtype)


class Full(_Source):
    """One value everywhere: `-> shape`. As `torch.full`. Example: `full([B, 1], 7, dtype=int64)`."""

    examples = (
        Example((), {"shape": ((2, 3), 4), "value": (1, 0), "dtype": ("float", "int64")}),
        Example((), {"shape": ((2,),), "value": (0.5,), "dtype": ("float", "float16")}),
        Example(
            (), {"shape": (3,), "value": (0.5,), "dtype": ("int64",)}, stricter=True
        ),  # torch would cut it off
    )

    sizes: RuntimeSizes = Field(alias="shape")
    value: RuntimeScalar
    dtype: Dtype = "float"

    def shape(self) -> Tensor:
        fits(self.value, self.dtype, "value")
        return Tensor(self.sizes, self.dtype)

    def call(self, *, self_: str | None = None) -> str:
        return self._made("full", self.sizes, self.value, dtype=self.dtype)


class Eye(_Source):
    """The unit matrix: `-> [n, n]`. As `torch.eye`. Example: `eye(T, dtype=bool)`."""

    examples = (Example((), {"n": (1, 4), "dtype": ("float", "bool")}),)

    n: RuntimeSize
    dtype: Dtype = "float"

    def shape(self) -> Tensor:
        return Tensor((self.n, self.n), self.dtype)

    def call(self, *, self_: str | None = None) -> str:
        return self._made("eye", self.n, dtype=self.dtype)


class Linspace(_Source):
    """`n` numbers at equal distances from `a` to `b`, both included: `-> [n]`.

    As `torch.linspace`. Example: `linspace(-1, 1, W)`.
    """

    examples = (Example((), {"a": (0, -1.5), "b": (1, 2.5), "n": (1, 2, 5)}),)

    a: RuntimeFloat
    b: RuntimeFloat
    n: RuntimeSize

    def shape(self) -> Tensor:
        return Tensor((self.n,))

    def call(self, *, self_: str | None = None) -> str:
        return self._made("linspace", self.a, self.b, self.n, dtype="float")
