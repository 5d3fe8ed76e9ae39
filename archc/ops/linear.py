"""Affine and bilinear maps, and the lookup of embeddings."""

from typing import ClassVar, Self

from pydantic import model_validator

from archc.ops.attributes import Bool, Int, Positive, Wrong
from archc.ops.base import Example, Op, ShapeError, Weight
from archc.ops.python import call, py, unless
from archc.ops.rules import at_least_rank, default_float, equal, integral, product, sizes, static
from archc.shapes import Size, Tensor


class Linear(Op):
    """Affine map of the last axis: `[..., D] -> [..., n]`.

    As `torch.nn.Linear`. Example: `linear(4 * d, bias=false)`.
    """

    formula: ClassVar[str] = r"y = x W^\top + b"
    kind: ClassVar[str] = "linear"
    weighted: ClassVar[bool] = True
    examples = tuple(
        Example((x,), {"n": (1, 3, 8), "bias": (True, False)}) for x in ("[B, T, 16]", "[B, 8]", "[5]")
    )

    n: Positive
    bias: Bool = True

    def shape(self, x: Tensor) -> Tensor:
        *lead, last = at_least_rank(x, 1)
        default_float(x)
        static(last, "the last size")
        return Tensor((*lead, self.n), x.dtype)

    def weights(self, x: Tensor) -> dict[str, Weight]:
        weight = {"weight": Weight((self.n, sizes(x)[-1]))}
        return weight | ({"bias": Weight((self.n,))} if self.bias else {})

    def module(self, x: Tensor) -> str:
        return call("nn.Linear", py(sizes(x)[-1]), py(self.n), bias=unless(self.bias, True))

    def flops(self, x: Tensor) -> Size:
        return 2 * product(sizes(x)) * self.n

    def label(self, x: Tensor) -> str:
        return f"{sizes(x)[-1]} → {self.n}"


class Bilinear(Op):
    """Bilinear map of two last axes: `[..., D], [..., E] -> [..., n]`, with equal leading sizes.

    As `torch.nn.Bilinear`. Example: `bilinear(64)`, in a flow `a, b -> mix`.
    """

    kind: ClassVar[str] = "linear"
    weighted: ClassVar[bool] = True
    examples = (Example(("[B, T, 4]", "[B, T, 6]"), {"n": (1, 5), "bias": (True, False)}),)

    n: Positive
    bias: Bool = True

    def shape(self, a: Tensor, b: Tensor) -> Tensor:
        *lead, d = at_least_rank(a, 1, "a")
        *other, e = at_least_rank(b, 1, "b")
        default_float(a, "a")
        default_float(b, "b")
        static(d, "the last size of `a`", "a")
        static(e, "the last size of `b`", "b")
        if len(lead) != len(other):
            raise ShapeError(f"`a` and `b` must have as many axes: {a} and {b}", about=("a", "b"))
        same = [
            equal(m, n, "`a` and `b` differ in a leading size", "a", "b")
            for m, n in zip(lead, other, strict=True)
        ]
        return Tensor((*same, self.n), a.dtype)

    def weights(self, a: Tensor, b: Tensor) -> dict[str, Weight]:
        weight = {"weight": Weight((self.n, sizes(a)[-1], sizes(b)[-1]))}
        return weight | ({"bias": Weight((self.n,))} if self.bias else {})

    def module(self, a: Tensor, b: Tensor) -> str:
        return call(
            "nn.Bilinear", py(sizes(a)[-1]), py(sizes(b)[-1]), py(self.n), bias=unless(self.bias, True)
        )

    def flops(self, a: Tensor, b: Tensor) -> Size:
        return 2 * product(sizes(b)) * self.n * (sizes(a)[-1] + 1)

    def label(self, a: Tensor, b: Tensor) -> str:
        return f"{sizes(a)[-1]}, {sizes(b)[-1]} → {self.n}"


class Embedding(Op):
    """Rows of a table by their numbers: `int[...] -> [..., dim]`; `n` rows.

    The row `padding_idx` starts as zeros and gets no gradient. As `torch.nn.Embedding`.
    Example: `embedding(vocab, d)`.
    """

    kind: ClassVar[str] = "linear"
    weighted: ClassVar[bool] = True
    examples = (
        Example(("int64[B, T]",), {"n": (5, 9), "dim": (1, 4), "padding_idx": (None, 0, -1)}),
        Example(("int32[]",), {"n": (5,), "dim": (4,)}),
    )

    n: Positive
    dim: Positive
    padding_idx: Int | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.padding_idx is not None and not -self.n <= self.padding_idx < self.n:
            raise Wrong(f"must be one of the {self.n} rows, not {self.padding_idx}", about=("padding_idx",))
        return self

    def shape(self, ids: Tensor) -> Tensor:
        integral(ids, "int64", "int32", port="ids")
        return Tensor((*sizes(ids, "ids"), self.dim))

    def weights(self, ids: Tensor) -> dict[str, Weight]:
        return {"weight": Weight((self.n, self.dim))}

    def module(self, ids: Tensor) -> str:
        return call("nn.Embedding", py(self.n), py(self.dim), padding_idx=unless(self.padding_idx, None))

    def label(self, ids: Tensor) -> str:
        return f"{self.n} x {self.dim}"
