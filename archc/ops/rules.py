"""What shape rules share: looking at ranks, axes and sizes, and refusing in the same words.

A refusal names the ports or attributes it is `about`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import mul

from archc.ops.base import ShapeError
from archc.shapes import Cond, Dim, Mismatch, Size, Tensor, TooSmall, at_least, divisible, same, supposing

FLOATS = frozenset({"float", "float16", "bfloat16", "float32", "float64"})
INTEGERS = frozenset({"int8", "int16", "int32", "int64", "uint8"})
COMPLEX = frozenset({"complex64", "complex128"})


def sizes(x: Tensor, port: str = "x") -> tuple[Size, ...]:
    """The sizes of an input whose rank must be known."""
    if x.shape is None:
        raise ShapeError(f"the rank of `{port}` must be known", about=(port,), help="give the input a shape")
    return x.shape


def ranked(x: Tensor, *ranks: int, port: str = "x", layout: str = "") -> tuple[Size, ...]:
    """The sizes of an input that must have one of these ranks; `layout` shows it, as `[B, C, H, W]`."""
    shape = sizes(x, port)
    if len(shape) not in ranks:
        wanted = " or ".join(map(str, ranks)) + " axes" + f", {layout}," * bool(layout)
        raise ShapeError(f"`{port}` must have {wanted} and has {len(shape)}: {x}", about=(port,))
    return shape


def at_least_rank(x: Tensor, rank: int, port: str = "x") -> tuple[Size, ...]:
    """The sizes of an input that must have this many axes or more."""
    shape = sizes(x, port)
    if len(shape) < rank:
        wanted = f"{rank} axis" if rank == 1 else f"{rank} axes"
        raise ShapeError(f"`{port}` must have at least {wanted} and has {len(shape)}: {x}", about=(port,))
    return shape


def axis_of(axis: int, rank: int, about: str = "axis", *, x: Tensor | None = None) -> int:
    """An axis counted from the front; negative ones count from the end."""
    if not -rank <= axis < rank:
        of = f" of {x}" if x is not None else ""
        span = f"{-rank} to {rank - 1}" if rank else "none, it is a scalar"
        raise ShapeError(f"there is no axis {int(axis)}{of}", about=(about,), help=f"its axes are {span}")
    return int(axis) % rank


def axes_of(
    axes: int | Sequence[int], rank: int, about: str = "axis", *, x: Tensor | None = None
) -> list[int]:
    """Distinct axes counted from the front, in the order given."""
    given = (axes,) if isinstance(axes, int) else axes
    found = [axis_of(a, rank, about, x=x) for a in given]
    if len(set(found)) < len(found):
        raise ShapeError("an axis is given twice", about=(about,))
    return found


def static(size: Size, what: str, about: str = "x") -> int:
    """A size that must be known when the model is built, such as a weight's; in an outline it is what
    it is."""
    if isinstance(size, Dim) and not supposing():
        message = f"{what} must be known when the model is built, and `{size}` is not"
        raise ShapeError(message, about=(about,), needs_static=size)
    return size  # type: ignore[return-value]


def equal(a: Size, b: Size, message: str, *about: str, help: str | None = None) -> Size:
    """Two sizes that must be equal; the message is followed by both."""
    try:
        return same(a, b)
    except Mismatch as mismatch:
        raise ShapeError(f"{message}: {a} and {b}", about=about, help=help) from mismatch


def enough(size: Size, least: Size, message: str, *about: str, help: str | None = None) -> None:
    """A size that must be at least so large."""
    try:
        at_least(size, least)
    except TooSmall as small:
        raise ShapeError(message, about=about, help=help) from small


def multiple(size: Size, of: Size, message: str, *about: str, help: str | None = None) -> None:
    """A size that must be a multiple."""
    try:
        divisible(size, of)
    except Mismatch as mismatch:
        raise ShapeError(message, about=about, help=help) from mismatch


def floating(x: Tensor, port: str = "x", *, complex: bool = False) -> None:
    """An input that must be floating point."""
    if x.dtype in FLOATS or (complex and x.dtype in COMPLEX):
        return
    help = f"cast it first: `{port} -> cast(float)`"
    raise ShapeError(f"`{port}` must be floating point and is {x.dtype}", about=(port,), help=help)


def integral(x: Tensor, *dtypes: str, port: str) -> None:
    """An input that must be of whole numbers, of one of `dtypes` where given."""
    allowed = dtypes or INTEGERS
    if x.dtype not in allowed:
        wanted = " or ".join(dtypes) if dtypes else "whole numbers"
        help = f"cast it first: `{port} -> cast(int64)`"
        raise ShapeError(f"`{port}` must be {wanted} and is {x.dtype}", about=(port,), help=help)


def boolean(x: Tensor, port: str) -> None:
    """An input of truth values."""
    if x.dtype != "bool":
        help = f"compare it, as in `{port} != 0`"
        raise ShapeError(f"`{port}` must be bool and is {x.dtype}", about=(port,), help=help)


def numeric(x: Tensor, port: str = "x") -> None:
    """An input of real numbers: no truth values, no complex ones."""
    if x.dtype == "bool" or x.dtype in COMPLEX:
        raise ShapeError(f"`{port}` must be of real numbers and is {x.dtype}", about=(port,))


def number_type(value: object) -> Tensor:
    """The type of a number as an operand."""
    if isinstance(value, (bool, Cond)):
        return Tensor((), "bool", weak=True)
    return Tensor((), "int64" if isinstance(value, (int, Dim)) else "float", weak=True)


def fits(value: object, dtype: str, about: str) -> None:
    """A number that must not lose anything as an element of this dtype."""
    kinds = {"bool": 0, "int64": 1, "float": 2}
    room = 0 if dtype == "bool" else 1 if dtype in INTEGERS else 2
    if kinds[number_type(value).dtype] > room:
        raise ShapeError(f"{value} is no element of {dtype}", about=(about,))


def default_float(x: Tensor, port: str = "x") -> None:
    """An input that meets weights: it must be of the default dtype, as they are."""
    if x.dtype != "float":
        help = f"cast it first: `{port} -> cast(float)`" + ", or leave its dtype out" * (x.dtype in FLOATS)
        message = f"`{port}` must be of the default dtype, as the weights are, and is {x.dtype}"
        raise ShapeError(message, about=(port,), help=help)


def product(sizes: Iterable[Size]) -> Size:
    """The number of elements."""
    return reduce(mul, sizes, 1)


def spread(value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """One number an axis, from one for all or one each."""
    return tuple(value) if isinstance(value, Sequence) else (value,) * rank
