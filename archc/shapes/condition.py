"""Symbolic truth values."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from archc.shapes.atom import Node, Opaque
from archc.shapes.dim import Dim, Size, of_atom, size
from archc.shapes.division import as_floor
from archc.shapes.formula import Formula
from archc.shapes.number import plain


class Cond(Node):
    """A condition on sizes.

    `op` is `==`, `!=` or `>=` with one argument, a Dim that is compared with 0; or `==`, `!=`, `<`,
    `<=` with two, of which one is a Formula; or `and`, `or`, `not` of conditions. Where a condition is
    seen to hold always or never, there is a bool in its place.

    >>> from archc.shapes import eq, symbol
    >>> H = symbol("H")
    >>> str(eq(H % 2, 0)), str(H > 3), H >= 1
    ('H % 2 == 0', 'H >= 4', True)
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        raise TypeError(f"the condition {self} is symbolic: it has no truth value")

    def __str__(self) -> str:
        from archc.shapes.printing import text

        return text(self)

    def __repr__(self) -> str:
        return f"Cond({self})"


@lru_cache(maxsize=1024)
def equals_zero(value: Size, op: str = "==") -> Any:
    """`value == 0` or `value != 0`, in normal form: no common factor, the first coefficient positive."""
    same = op == "=="
    if not isinstance(value, Dim):
        return (value == 0) is same
    constant, g = value.constant, value.content()
    if constant % g:
        return not same
    if value.terms[0][1] < 0:
        g = -g
    if g != 1:
        value = size({m: c // g for m, c in value.terms})
    assert isinstance(value, Dim)
    least, most = value.least, value.most
    if (least is not None and least > 0) or (most is not None and most < 0):
        return not same
    if least == most == 0:
        return same
    extreme = _extreme(value)
    if extreme is not None:
        return extreme if same else not_(extreme)
    return Cond(op, (value,))


def _extreme(value: Dim) -> Any:
    """`max(x, y) - x == 0` as `x >= y`, and min likewise; None for anything else."""
    for monomial, c in value.terms:
        atom, exponent = monomial[0] if len(monomial) == 1 else (None, 0)
        if isinstance(atom, Opaque) and exponent == 1 and abs(c) == 1 and atom.op in ("min", "max"):
            one = of_atom(atom) - value * c
            others = [a for a in atom.args if a is not one and a != one]
            if len(others) < len(atom.args):
                order = "<=" if atom.op == "min" else ">="
                return and_(*(compared(order, one, other) for other in others))
    return None


@lru_cache(maxsize=1024)
def at_least_zero(value: Size) -> Any:
    """`value >= 0`, in normal form: no common factor, floor(P / d) >= k as P >= d * k."""
    while True:
        if not isinstance(value, Dim):
            return value >= 0
        constant, g = value.constant, value.content()
        if g > 1:
            poly = {m: c // g for m, c in value.terms if m}
            if constant // g:
                poly[()] = constant // g
            value = size(poly)
            assert isinstance(value, Dim)
        found = as_floor(value)
        if found is None:
            break
        c, numerator, divisor = found
        if c == 1:
            value = numerator + divisor * value.constant
        elif c == -1:
            value = divisor * (value.constant + 1) - 1 - numerator
        else:
            break
    if value.least is not None and value.least >= 0:
        return True
    if value.most is not None and value.most < 0:
        return False
    return Cond(">=", (value,))


def compared(op: str, left: Any, right: Any) -> Any:
    """`left op right` for op among `< <= > >=`; NotImplemented for what is no number."""
    if op in (">", ">="):
        op, left, right = "<" + op[1:], right, left
    if isinstance(left, Dim) and isinstance(right, float) and math.isfinite(right):
        right = math.floor(right) if op == "<=" else math.ceil(right)
    elif isinstance(right, Dim) and isinstance(left, float) and math.isfinite(left):
        left = math.ceil(left) if op == "<=" else math.floor(left)
    if isinstance(left, (int, Dim)) and isinstance(right, (int, Dim)):
        return at_least_zero(right - left if op == "<=" else right - left - 1)
    for value in (left, right):
        if not isinstance(value, (int, float, Dim, Formula)):
            return NotImplemented
    return Cond(op, (plain(left), plain(right)))


def eq(a: Any, b: Any) -> Any:
    """Whether `a` and `b` are equal: a bool, or a Cond where it depends on the sizes."""
    if isinstance(a, (Cond, bool)) and isinstance(b, (Cond, bool)):
        return or_(and_(a, b), and_(not_(a), not_(b)))
    a, b = _integral(a), _integral(b)
    if isinstance(a, (int, Dim)) and isinstance(b, (int, Dim)):
        return equals_zero(a - b)
    if isinstance(a, (Dim, Formula)) or isinstance(b, (Dim, Formula)):
        if any(isinstance(v, Formula) for v in (a, b)) and all(
            isinstance(v, (int, float, Dim, Formula)) for v in (a, b)
        ):
            return True if a is b else Cond("==", (plain(a), plain(b)))
        return False
    return a == b


def _integral(value: Any) -> Any:
    """2.0 as 2."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def not_(condition: Any) -> Any:
    """The opposite."""
    if not isinstance(condition, Cond):
        return not condition
    op, args = condition.op, condition.args
    if op == "not":
        return args[0]
    if op in ("and", "or"):
        return (or_ if op == "and" else and_)(*(not_(a) for a in args))
    if len(args) == 2:
        return Cond("not", (condition,))
    if op == ">=":
        return at_least_zero(-args[0] - 1)
    return Cond("!=" if op == "==" else "==", args)


def and_(*conditions: Any) -> Any:
    """Whether all hold."""
    return _joined("and", conditions)


def or_(*conditions: Any) -> Any:
    """Whether one holds."""
    return _joined("or", conditions)


def _joined(op: str, conditions: tuple) -> Any:
    deciding = op == "or"  # the value of an argument that settles the whole
    found: dict[Cond, None] = {}
    for condition in conditions:
        if not isinstance(condition, Cond):
            if bool(condition) is deciding:
                return deciding
        elif condition.op == op:
            found.update(dict.fromkeys(condition.args))
        else:
            found[condition] = None
    if any(not_(c) in found for c in found if c.op not in ("and", "or")):
        return deciding
    if len(found) < 2:
        return next(iter(found), not deciding)
    return Cond(op, tuple(found))
