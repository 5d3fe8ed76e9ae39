"""Functions of numbers, sizes and formulas.

On numbers they give the plain result; on symbolic values a size where the result is an integer,
else a formula.
"""

from __future__ import annotations

import math
from typing import Any

from archc.shapes.atom import Opaque
from archc.shapes.condition import Cond, and_, compared, not_, or_
from archc.shapes.dim import Dim, of_atom
from archc.shapes.formula import Formula, rational
from archc.shapes.limits import checked_power
from archc.shapes.number import call, plain


def _is_size(value: Any) -> bool:
    return isinstance(value, (int, Dim))


def _symbolic(*values: Any) -> bool:
    return any(isinstance(v, (Dim, Formula)) for v in values)


def minimum(*values: Any) -> Any:
    """The smallest."""
    return _extreme("min", values)


def maximum(*values: Any) -> Any:
    """The largest."""
    return _extreme("max", values)


def _extreme(op: str, values: tuple) -> Any:
    if not _symbolic(*values):
        chosen = (min if op == "min" else max)(values)
        return call(op, plain(chosen), *values)
    if not all(_is_size(v) for v in values):
        return Formula(op, tuple(plain(v) for v in values))
    kept: list = []
    for value in values:
        atom = _atom(value)
        for v in atom.args if atom is not None and atom.op == op else (plain(value),):
            kept = _with(kept, v, op)
    if len(kept) == 1:
        return kept[0]
    return of_atom(Opaque(op, tuple(sorted(kept, key=lambda v: (isinstance(v, int), str(v))))))


def _atom(value: Any) -> Opaque | None:
    """The opaque function that this size is, if it is one and nothing else."""
    if isinstance(value, Dim) and len(value.terms) == 1:
        monomial, c = value.terms[0]
        if c == 1 and len(monomial) == 1 and monomial[0][1] == 1 and isinstance(monomial[0][0], Opaque):
            return monomial[0][0]
    return None


def _with(kept: list, value: Any, op: str) -> list:
    """`kept` and `value`, without those that never are the extreme one."""
    order = "<=" if op == "min" else ">="
    if any(compared(order, k, value) is True for k in kept):
        return kept
    return [k for k in kept if compared(order, value, k) is not True] + [value]


def absolute(value: Any) -> Any:
    if isinstance(value, Dim):
        if value.least is not None and value.least >= 0:
            return value
        if value.most is not None and value.most <= 0:
            return -value
        return of_atom(Opaque("abs", (value if value.terms[0][1] > 0 else -value,)))
    return abs(value)


def floor(value: Any) -> Any:
    """The largest integer that is not above `value`."""
    if isinstance(value, Formula):
        exact = rational(value)
        return exact[0] // exact[1] if exact else of_atom(Opaque("floor", (value,)))
    return value if _is_size(value) else call("floor", math.floor(value), value)


def ceil(value: Any) -> Any:
    """The smallest integer that is not below `value`."""
    if isinstance(value, Formula):
        exact = rational(value)
        return -(-exact[0] // exact[1]) if exact else of_atom(Opaque("ceil", (value,)))
    return value if _is_size(value) else call("ceil", math.ceil(value), value)


def _real(name: str, function: Any) -> Any:
    def apply(value: Any) -> Any:
        return Formula(name, (value,)) if _symbolic(value) else call(name, function(value), value)

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"`math.{name}`."
    return apply


sqrt = _real("sqrt", math.sqrt)
log = _real("log", math.log)
log2 = _real("log2", math.log2)
exp = _real("exp", math.exp)


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent` of sizes; an integer only where the exponent is never negative."""
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        return checked_power(int(base), int(exponent))
    if not _symbolic(base, exponent):
        return base**exponent
    if not isinstance(exponent, Dim):
        return base**exponent
    if exponent.least is None or exponent.least < 0:
        return Formula("**", (plain(base), exponent))
    if isinstance(base, int) and base == 1:
        return 1
    return of_atom(Opaque("pow", (plain(base), exponent)))


def select(condition: Any, a: Any, b: Any) -> Any:
    """`a if condition else b`. Only the chosen one is evaluated."""
    if not isinstance(condition, Cond):
        return a if condition else b
    if a is b or (type(a) is type(b) and a == b):
        return a
    if isinstance(a, (Cond, bool)) and isinstance(b, (Cond, bool)):
        return or_(and_(condition, a), and_(not_(condition), b))
    if _is_size(a) and _is_size(b):
        return of_atom(Opaque("select", (condition, plain(a), plain(b))))
    for value in (a, b):
        if not isinstance(value, (int, float, Dim, Formula)):
            raise TypeError(f"a choice that depends on {condition} must be between numbers")
    return Formula("select", (condition, plain(a), plain(b)))
