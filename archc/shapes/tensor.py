"""The types of tensors, broadcasting and promotion."""

from __future__ import annotations

from dataclasses import dataclass

from archc.shapes.dim import Dim, Size
from archc.shapes.dtype import category, complex_of, default_of, wider
from archc.shapes.facts import same, supposing
from archc.shapes.verdict import compare

Shape = tuple  # of Size


@dataclass(frozen=True, slots=True)
class Tensor:
    """The type of a tensor.

    `shape` None: not even the rank is known. `dtype` "float" is the default dtype. `weak`: a Python
    number, which never raises a dtype within its kind.

    >>> from archc.shapes import symbol
    >>> print(Tensor((symbol("B"), 64, symbol("H") // 2)), Tensor((1, 8), "int64"))
    [B, 64, H // 2] int64[1, 8]
    """

    shape: tuple[Size, ...] | None
    dtype: str = "float"
    weak: bool = False

    @property
    def rank(self) -> int | None:
        """The number of dimensions; None where it is unknown."""
        return None if self.shape is None else len(self.shape)

    def __str__(self) -> str:
        dims = "..." if self.shape is None else ", ".join(map(str, self.shape))
        return f"{'' if self.dtype == 'float' else self.dtype}[{dims}]"


def broadcast(*shapes: tuple[Size, ...] | None) -> tuple[Size, ...] | None:
    """The shape of an elementwise operation; None where one of the shapes is unknown.

    A literal 1 stretches. A symbolic size is never taken to be 1: it must be equal, which is
    recorded where it depends on the sizes. Raises `Mismatch` for sizes that differ.
    """
    if not shapes:
        return ()
    result = shapes[0]
    for shape in shapes[1:]:
        if result is None or shape is None:
            result = None
        elif result != shape:
            result = _pair(result, shape)
    return result


def _pair(a: tuple[Size, ...], b: tuple[Size, ...]) -> tuple[Size, ...]:
    if len(a) < len(b):
        a, b = b, a
    extra = len(a) - len(b)
    return (*a[:extra], *(_stretched(x, y) for x, y in zip(a[extra:], b, strict=True)))


def _stretched(x: Size, y: Size) -> Size:
    if x is y:
        return x
    if not isinstance(x, Dim) and x == 1:
        return y
    if not isinstance(y, Dim) and y == 1:
        return x
    unknown = supposing()
    known = isinstance(x, int) and isinstance(y, int)
    if unknown and not known and compare(x, y).kind not in ("equal", "guarded"):
        return unknown()  # either may turn out to be 1
    return same(x, y)


def promote(*tensors: Tensor) -> str:
    """The dtype of an elementwise operation, as `torch.result_type`.

    Tensors with dimensions count first, then those without any, then Python numbers: the latter ones
    only raise the kind (bool, integer, float, complex). A tensor of unknown rank counts as one with
    dimensions. "float" is as wide as float32.
    """
    tiers: list[str | None] = [None, None, None]
    for t in tensors:
        tier = 2 if t.weak else 1 if t.shape == () else 0
        dtype = default_of(t.dtype) if t.weak else t.dtype
        have = tiers[tier]
        tiers[tier] = dtype if have is None else wider(have, dtype)
    result: str | None = None
    for dtype in tiers:
        if dtype is None:
            continue
        if result is None:
            result = dtype
        elif category(dtype) > category(result):
            # a complex number that meets floats becomes complex of their width
            both_real = category(dtype) == 3 and category(result) == 2
            result = (complex_of(result)) if both_real else wider(result, dtype)
    assert result is not None, "nothing to promote"
    if result == "complex32":
        raise TypeError("float16 and complex numbers give complex32, which is not supported")
    return result
