"""Operators that put tensors together and take them apart."""

from typing import Annotated, Any, ClassVar

from archc.ops.attributes import Axis, Valid, integer, sequence
from archc.ops.base import Example, Op, ShapeError
from archc.ops.python import call, listing, py
from archc.ops.rules import at_least_rank, axis_of, equal, multiple, sizes, static
from archc.shapes import Dim, Size, Tensor, promote

MOST_OUTPUTS = 10_000
"""Of one operator. More is a mistake: as many names or members of a bundle would be wanted."""


def _some(xs: tuple[Tensor, ...], title: str) -> None:
    if not xs:
        raise ShapeError(f"`{title}` needs at least one input", about=("xs",))


def _check_count(outputs: int) -> None:
    if outputs > MOST_OUTPUTS:
        raise ShapeError(f"an operator has at most {MOST_OUTPUTS:,} outputs, not {outputs:,}")


class Concat(Op):
    """Tensors one behind the other along an axis: `xs[..., n_i, ...] -> [..., sum of n_i, ...]`.

    The other sizes must agree. As `torch.cat`. Example: `x, skip -> concat(1)`.
    """

    starred: ClassVar[bool] = True
    examples = (
        Example(("[B, C, H]", "[B, D, H]", "[B, C, H]"), {"axis": (1, -2, 3)}),
        Example(("[B, C]", "int64[B, D]"), {}),
        Example(("[B, C]",), {"axis": (0, -1)}),
    )

    axis: Axis = -1

    def shape(self, *xs: Tensor) -> Tensor:
        _some(xs, "concat")
        first = at_least_rank(xs[0], 1, "xs")
        axis = axis_of(self.axis, len(first), x=xs[0])
        joined = list(first)
        for x in xs[1:]:
            shape = sizes(x, "xs")
            if len(shape) != len(first):
                raise ShapeError(f"what is joined must have as many axes: {xs[0]} and {x}", about=("xs",))
            for i, size in enumerate(shape):
                if i == axis:
                    joined[i] += size
                else:
                    message = f"{xs[0]} and {x} differ in axis {i}, and are joined along axis {axis}"
                    joined[i] = equal(joined[i], size, message, "xs")
        return Tensor(tuple(joined), promote(*xs))

    def call(self, *xs: str, self_: str | None = None) -> str:
        alone = len(xs) == 1 and not xs[0].startswith("*")
        return xs[0] if alone else call("torch.cat", f"[{', '.join(xs)}]", py(self.axis))

    def label(self, *xs: Tensor) -> str:
        return f"axis {int(self.axis)}"


class Stack(Op):
    """Tensors of one shape along a new axis: `xs[...] -> [..., number of xs, ...]`.

    As `torch.stack`. Example: `a, b -> stack(1)`.
    """

    starred: ClassVar[bool] = True
    examples = (
        Example(("[B, C]", "[B, C]", "[B, C]"), {"axis": (0, 1, 2, 3, -1, -4)}),
        Example(("[]", "int64[]"), {}),
        Example(("[B, C]", "[B, D]"), {}),
    )

    axis: Axis = 0

    def shape(self, *xs: Tensor) -> Tensor:
        _some(xs, "stack")
        first = list(sizes(xs[0], "xs"))
        for x in xs[1:]:
            shape = sizes(x, "xs")
            if len(shape) != len(first):
                raise ShapeError(f"what is stacked must have one shape: {xs[0]} and {x}", about=("xs",))
            for i, size in enumerate(shape):
                message = f"what is stacked must have one shape: {xs[0]} and {x}"
                first[i] = equal(first[i], size, message, "xs")
        axis = axis_of(self.axis, len(first) + 1)
        return Tensor((*first[:axis], len(xs), *first[axis:]), promote(*xs))

    def call(self, *xs: str, self_: str | None = None) -> str:
        return call("torch.stack", f"[{', '.join(xs)}]", py(self.axis))

    def label(self, *xs: Tensor) -> str:
        return f"axis {int(self.axis)}"


_parts = sequence(integer(1, runtime=True))


def _number_or_sizes(value: Any) -> Any:
    return _parts(value) if isinstance(value, (list, tuple)) else integer(1)(value)


class Split(Op):
    """Parts along an axis: `n` equal ones, or ones of the sizes in `n`.

    As `torch.chunk` and `torch.split`. Example: `q, k, v: x -> qkv -> split(3)`.
    """

    examples = (
        Example(("[B, C, 12]",), {"n": (1, 2, 3, (3, 9), (5, 4, 3), (1, 2)), "axis": (-1, 2, -4)}),
        Example(("[B, C]",), {"n": (1, 2, 3), "axis": (0, 1)}, stricter=True),  # torch gives uneven parts
    )

    n: Annotated[int | tuple[int | Dim, ...], Valid(_number_or_sizes)]
    axis: Axis = -1

    def shape(self, x: Tensor) -> tuple[Tensor, ...]:
        shape = sizes(x)
        axis = axis_of(self.axis, len(shape), x=x)
        size = shape[axis]
        if isinstance(self.n, tuple):
            total = sum(self.n[1:], self.n[0])
            equal(size, total, f"the parts are not together as large as axis {axis} of {x}", "x", "n")
            parts: list[Size] = list(self.n)
        else:
            message = f"axis {axis} of {x} must be divisible into {self.n} equal parts"
            multiple(size, self.n, message, "x", "n")
            _check_count(self.n)
            parts = [size // self.n] * self.n
        return tuple(Tensor((*shape[:axis], part, *shape[axis + 1 :]), x.dtype) for part in parts)

    def call(self, x: str, *, self_: str | None = None) -> str:
        if isinstance(self.n, tuple):
            return call(f"{x}.split", listing(self.n), py(self.axis))
        return call(f"{x}.chunk", py(self.n), py(self.axis))

    def label(self, x: Tensor) -> str:
        return f"{len(self.n) if isinstance(self.n, tuple) else self.n} parts of axis {int(self.axis)}"


class Unbind(Op):
    """The slices of an axis, one output each: `[n, ...] -> n x [...]`. The size must be known.

    As `torch.unbind`. Example: `q, k, v: x -> unbind(2)`.
    """

    examples = (Example(("[B, 3, C]",), {"axis": (0, 1, -2, 3)}),)

    axis: Axis = 0

    def shape(self, x: Tensor) -> tuple[Tensor, ...]:
        shape = sizes(x)
        axis = axis_of(self.axis, len(shape), x=x)
        count = static(shape[axis], f"the size of axis {axis}, the number of outputs,")
        _check_count(count)
        return (Tensor((*shape[:axis], *shape[axis + 1 :]), x.dtype),) * count

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(f"{x}.unbind", py(self.axis))

    def label(self, x: Tensor) -> str:
        return f"axis {int(self.axis)}"
