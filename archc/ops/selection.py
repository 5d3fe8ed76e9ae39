"""Operators that look for values and pick them by their indices."""

from typing import ClassVar

from archc.ops.attributes import Axis, Bool, Dtype, Positive, RuntimeSize
from archc.ops.base import Example, Op, ShapeError
from archc.ops.python import call, py, torch_dtype, unless
from archc.ops.rules import (
    COMPLEX,
    at_least_rank,
    axis_of,
    enough,
    equal,
    integral,
    numeric,
    ranked,
    sizes,
)
from archc.shapes import Tensor


class _Arg(Op):
    """What argmax and argmin share."""

    examples = (
        Example(("[B, T, C]",), {"axis": (0, 1, -1, 3), "keepdim": (False, True)}),
        Example(("int32[B]",), {}),
        Example(("bool[B]",), {}),
    )

    axis: Axis = -1
    keepdim: Bool = False

    def shape(self, x: Tensor) -> Tensor:
        numeric(x)
        shape = sizes(x)
        axis = axis_of(self.axis, len(shape), x=x)
        return Tensor((*shape[:axis], *([1] if self.keepdim else []), *shape[axis + 1 :]), "int64")

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(f"{x}.{self.title()}", py(self.axis), keepdim=unless(self.keepdim, False))

    def label(self, x: Tensor) -> str:
        return f"axis {int(self.axis)}"


class Argmax(_Arg):
    """The index of the largest value along an axis: `[..., n] -> int64[...]`.

    As `torch.argmax`. Example: `logits -> argmax`.
    """


class Argmin(_Arg):
    """The index of the smallest value along an axis: `[..., n] -> int64[...]`.

    As `torch.argmin`. Example: `distances -> argmin`.
    """


class Sort(Op):
    """Values in rising order along an axis, and where they stood: `x -> values, int64 indices`.

    As `torch.sort`. Example: `values, order: x -> sort(-1, descending=true)`.
    """

    outputs: ClassVar[tuple[str, ...]] = ("values", "indices")
    examples = (
        Example(("[B, T, C]",), {"axis": (0, 1, -1, 3), "descending": (False, True)}),
        Example(("bool[B]",), {}),
    )

    axis: Axis = -1
    descending: Bool = False

    def shape(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if x.dtype in COMPLEX:
            raise ShapeError(f"complex numbers have no order: {x}", about=("x",))
        axis_of(self.axis, len(sizes(x)), x=x)
        return Tensor(x.shape, x.dtype), Tensor(x.shape, "int64")

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(f"{x}.sort", py(self.axis), descending=unless(self.descending, False))


class Topk(Op):
    """The k largest values along an axis, the largest first, and where they stood: `values, int64 indices`.

    As `torch.topk`. Example: `scores, experts: x -> topk(2)`.
    """

    outputs: ClassVar[tuple[str, ...]] = ("values", "indices")
    examples = (
        Example(("[B, T, C]",), {"k": (1, 2, 5), "axis": (0, -1, 3)}),
        Example(("int32[B]",), {"k": (1,)}),
    )

    k: RuntimeSize
    axis: Axis = -1

    def shape(self, x: Tensor) -> tuple[Tensor, Tensor]:
        numeric(x)
        shape = sizes(x)
        axis = axis_of(self.axis, len(shape), x=x)
        enough(shape[axis], self.k, f"axis {axis} of {x} has fewer than {self.k} values", "k", "x")
        result = (*shape[:axis], self.k, *shape[axis + 1 :])
        return Tensor(result, x.dtype), Tensor(result, "int64")

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(f"{x}.topk", py(self.k), py(self.axis))

    def label(self, x: Tensor) -> str:
        return f"k = {self.k}"


class OneHot(Op):
    """A 1 at each index and zeros elsewhere: `int64[...] -> [..., n]`.

    As `torch.nn.functional.one_hot`. Example: `ids -> one_hot(vocab, dtype=float)`.
    """

    examples = (
        Example(("int64[B, T]",), {"n": (1, 7), "dtype": ("int64", "float", "bool", "float16")}, meta=False),
        Example(("int32[B]",), {"n": (3,)}, meta=False),
    )

    n: Positive
    dtype: Dtype = "int64"

    def shape(self, x: Tensor) -> Tensor:
        integral(x, "int64", port="x")
        return Tensor((*sizes(x), self.n), self.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        hot = call("F.one_hot", x, py(self.n))
        return hot if self.dtype == "int64" else call(f"{hot}.to", torch_dtype(self.dtype))

    def label(self, x: Tensor) -> str:
        return str(self.n)


class Pick(Op):
    """One entry of an axis for each sample: `x[B, T, ...], index int64[B] -> [B, ...]`.

    An index counts from 0; a negative one counts from the end. Example: `h, last -> pick`.
    """

    examples = (
        Example(("[B, T, C]", "int64[B]"), {"axis": (1, 2, -1, -2, 3)}),
        Example(("[B, T]", "int32[B]"), {"axis": (0, 1)}, stricter=True),  # of a batch nothing is picked
        Example(("[B, T]", "int64[C]"), {}, stricter=True),  # torch would broadcast
    )

    axis: Axis = 1

    def shape(self, x: Tensor, index: Tensor) -> Tensor:
        shape = at_least_rank(x, 2)
        integral(index, "int64", "int32", port="index")
        axis = axis_of(self.axis, len(shape), x=x)
        if axis == 0:
            raise ShapeError("axis 0 is the batch, of which nothing is picked", about=("axis",))
        [count] = ranked(index, 1, port="index", layout="[B]")
        batch = equal(shape[0], count, "`x` and `index` differ in the batch", "x", "index")
        return Tensor((batch, *shape[1:axis], *shape[axis + 1 :]), x.dtype)

    def call(self, x: str, index: str, *, self_: str | None = None) -> str:
        source = x if self.axis == 1 else call(f"{x}.movedim", py(self.axis), "1")
        return f"{source}[torch.arange({x}.shape[0], device={x}.device), {index}]"


def _covered(small: Tensor, large: Tensor, axis: int, about: tuple[str, str]) -> None:
    """The sizes of one tensor do not exceed those of another, but for one axis."""
    for i, (m, n) in enumerate(zip(sizes(small), sizes(large), strict=True)):
        if i != axis:
            message = f"`{about[0]}` exceeds `{about[1]}` in axis {i}: {small} and {large}"
            enough(n - m, 0, message, *about)


class Gather(Op):
    """Values by their indices along an axis: `x, int64 index -> index's shape`.

    `out[i][j] = x[index[i][j]][j]` for axis 0. As `torch.gather`. Example: `logits, ids -> gather(-1)`.
    """

    examples = (
        Example(("[B, T, C]", "int64[B, 2, C]"), {"axis": (1, -2, 0, 3)}),
        Example(("[4, T]", "int64[3, T]"), {"axis": (0, 1)}),
    )

    axis: Axis

    def shape(self, x: Tensor, index: Tensor) -> Tensor:
        shape = at_least_rank(x, 1)
        integral(index, "int64", port="index")
        result = ranked(index, len(shape), port="index")
        _covered(index, x, axis_of(self.axis, len(shape), x=x), ("index", "x"))
        return Tensor(result, x.dtype)

    def call(self, x: str, index: str, *, self_: str | None = None) -> str:
        return call(f"{x}.gather", py(self.axis), index)

    def label(self, x: Tensor, index: Tensor) -> str:
        return f"axis {int(self.axis)}"


class Scatter(Op):
    """Values to the places that indices tell along an axis of size `n`, zeros elsewhere.

    `values[...], index int64[...] -> [...]` with `n` on the axis; an index that stands twice keeps
    one of its values. As `torch.scatter`. Example: `weights, experts -> scatter(-1, n_experts)`.
    """

    examples = (
        Example(("[B, T, C]", "int64[B, T, C]"), {"axis": (0, 1, -1, -2, 3), "n": (9, 12)}),
        Example(
            ("[B, T]", "int64[B, 2]"), {"axis": (1,), "n": (4,)}, stricter=True
        ),  # torch would leave out values
    )

    axis: Axis
    n: RuntimeSize

    def shape(self, values: Tensor, index: Tensor) -> Tensor:
        shape = list(at_least_rank(values, 1, "values"))
        integral(index, "int64", port="index")
        other = ranked(index, len(shape), port="index")
        axis = axis_of(self.axis, len(shape), x=values)
        for i, (m, n) in enumerate(zip(shape, other, strict=True)):
            shape[i] = equal(m, n, "`values` and `index` must have one shape", "values", "index")
        shape[axis] = self.n
        return Tensor(tuple(shape), values.dtype)

    def call(self, values: str, index: str, *, self_: str | None = None) -> str:
        axis = int(self.axis)
        lead = f"*{values}.shape[:{axis}], " if axis else ""
        rest = f", *{values}.shape[{axis + 1}:]" if axis != -1 else ""
        shape = f"({lead}{py(self.n)}{rest or ','})" if not lead else f"({lead}{py(self.n)}{rest})"
        return f"{values}.new_zeros({shape}).scatter({py(self.axis)}, {index}, {values})"

    def label(self, values: Tensor, index: Tensor) -> str:
        return f"axis {int(self.axis)} of {self.n}"
