"""Floating-point expressions over sizes."""

from __future__ import annotations

from typing import Any

from archc.shapes.atom import Node
from archc.shapes.dim import Dim
from archc.shapes.number import plain


class Formula(Node):
    """A float that depends on sizes: `1 / (H * W)`, `sqrt(H)`. Evaluated as Python would.

    Arithmetic with numbers, sizes and formulas gives formulas; comparison gives a `Cond`.

    >>> from archc.shapes import evaluate, symbol
    >>> scale = 1 / symbol("D") ** 0.5
    >>> str(scale), evaluate(scale, {"D": 4})
    ('1 / D ** 0.5', 0.5)
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        raise TypeError(f"{self} is symbolic: it has no truth value")

    def __float__(self) -> float:
        raise TypeError(f"{self} is symbolic: it is no number")

    def __neg__(self) -> Any:
        return Formula("neg", (self,))

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return Formula("abs", (self,))

    def __str__(self) -> str:
        from archc.shapes.printing import text

        return text(self)

    def __repr__(self) -> str:
        return f"Formula({self})"


def arithmetic(op: str, left: Any, right: Any) -> Any:
    """`left op right` as a Formula; NotImplemented for what is no number."""
    for value in (left, right):
        if not isinstance(value, (int, float, Dim, Formula)):
            return NotImplemented
    left, right = plain(left), plain(right)
    if op in ("/", "//", "%") and isinstance(right, (int, float)) and right == 0:
        raise ZeroDivisionError(f"{left} {op} 0")
    return Formula(op, (left, right))


def _compared(op: str, left: Any, right: Any) -> Any:
    from archc.shapes.condition import compared

    return compared(op, left, right)


def _operators() -> None:
    names = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow"}
    for symbol, name in names.items():
        setattr(Formula, f"__{name}__", lambda self, other, op=symbol: arithmetic(op, self, other))
        setattr(Formula, f"__r{name}__", lambda self, other, op=symbol: arithmetic(op, other, self))
    for symbol, name in {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}.items():
        setattr(Formula, f"__{name}__", lambda self, other, op=symbol: _compared(op, self, other))


_operators()


def rational(value: Any) -> tuple[Dim, int] | None:
    """`(P, d)` where the formula is exactly P / d of a size and a small integer, else None.

    So `floor(H / 2)` and `floor(H * 0.5)` are `H // 2`.
    """
    if not isinstance(value, Formula) or value.op not in ("*", "/"):
        return None
    left, right = value.args
    if value.op == "*" and isinstance(left, float):
        left, right = right, left
    if not isinstance(left, Dim) or not isinstance(right, (int, float)):
        return None
    if isinstance(right, float) and (right - right != 0 or right == 0):  # inf, nan, 0.0
        return None
    n, d = right.as_integer_ratio()
    if value.op == "/":
        n, d = d, n
    if d < 0:
        n, d = -n, -d
    # an inexact float like 0.1 is a ratio of huge numbers: that is not what was meant
    return (left * n, d) if abs(n) < 1 << 20 and 0 < d < 1 << 20 else None
