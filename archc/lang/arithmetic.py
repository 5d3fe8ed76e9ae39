"""What operators do with values: arithmetic, and comparisons that may stay symbolic."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from archc.lang.functions import MOST_ITEMS, Symbolic, Wrong, integer, number
from archc.lang.lexer import BITS
from archc.lang.values import Given, Unsettled, is_operator, shown
from archc.shapes import Cond, Dim, Formula, Num, Real, and_, eq, not_, or_, select
from archc.shapes.functions import power
from archc.shapes.number import written

_NUMBERS = (int, float, Dim, Formula, Cond, Given)


def _numbers(op: str, left: Any, right: Any) -> tuple[Any, Any]:
    left = number(left, 0, f"a number left of `{op}`")
    right = number(right, 1, f"a number right of `{op}`")
    if type(left) is float and isinstance(right, Num) and (text := written(left)):
        left = Real(left, *text)  # a plain float would take the int as one, and its label away
    return left, right


def _add(left: Any, right: Any) -> Any:
    for kind in (list, str):
        if isinstance(left, kind) and isinstance(right, kind):
            return left + right  # type: ignore[operator]
        if isinstance(left, kind) or isinstance(right, kind):
            at = 1 if isinstance(left, kind) else 0
            if not isinstance((left, right)[at], Given):
                raise Wrong(f"`+` cannot join {shown(left)} and {shown(right)}", at)
    left, right = _numbers("+", left, right)
    return left + right


def _multiply(left: Any, right: Any) -> Any:
    for at, (many, count) in enumerate(((left, right), (right, left))):
        if isinstance(many, list | str) and isinstance(count, _NUMBERS):
            count = integer(count, 1 - at)
            if len(many) * max(count, 0) > MOST_ITEMS:
                raise Wrong(f"the result has more than {MOST_ITEMS:,} items", code="A224")
            return many * count
    left, right = _numbers("*", left, right)
    return left * right


def _power(left: Any, right: Any) -> Any:
    base, exponent = _numbers("**", left, right)
    if isinstance(base, int) and isinstance(exponent, int):
        if exponent < 0 and base == 0:
            raise Wrong("division by zero", 0, "A222")
        if exponent > 0 and base not in (-1, 0, 1) and base.bit_length() * exponent > 2 * BITS:
            raise Wrong(f"the result has more than {BITS} bits", code="A224")
        return base**exponent
    if isinstance(base, Dim | Formula) or isinstance(exponent, Dim | Formula):
        return power(base, exponent)
    if base == 0 and exponent < 0:
        raise Wrong("division by zero", 0, "A222")
    found = base**exponent
    if isinstance(found, complex):
        raise Wrong("a negative number has no fractional power", 0, "A228")
    return found


def _plain(op: str, apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda left, right: apply(*_numbers(op, left, right))


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "-": _plain("-", operator.sub),
    "*": _multiply,
    "/": _plain("/", operator.truediv),
    "//": _plain("//", operator.floordiv),
    "%": _plain("%", operator.mod),
    "**": _power,
}
"""Functions of two values; `Wrong.at` 0 is the left one."""


def signed(op: str, value: Any) -> Any:
    """`-value` or `+value`."""
    found = number(value, 0, f"a number behind `{op}`")
    return -found if op == "-" else +found


_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compared(op: str, left: Any, right: Any, tick: Callable[[], None]) -> Any:
    """`left op right`, a bool or a Cond. `tick` is called for each step of comparing lists."""
    for at, value in enumerate((left, right)):
        if isinstance(value, Given):
            raise Wrong("whether an input is given cannot be compared", at, help="use `and`, `or` and `not`")
    if op in _ORDER:
        return _ordered(op, left, right, tick)
    if op in ("in", "not in"):
        found = _contains(left, right, tick)
        return found if op == "in" else not_(found)
    found = same(left, right, tick)
    return found if op == "==" else not_(found)


def _ordered(op: str, left: Any, right: Any, tick: Callable[[], None]) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return _ORDER[op](left, right)
    if isinstance(left, list) and isinstance(right, list):
        for x, y in zip(left, right, strict=False):
            equal = same(x, y, tick)
            if isinstance(equal, Cond):
                raise Symbolic(equal)
            if not equal:
                return _ordered(op, x, y, tick)
        return _ORDER[op](len(left), len(right))
    left, right = _numbers(op, left, right)
    return _ORDER[op](left, right)


def _contains(item: Any, values: Any, tick: Callable[[], None]) -> Any:
    if isinstance(values, str):
        if not isinstance(item, str):
            raise Wrong(f"a text is needed, not {shown(item)}", 0)
        return item in values
    if not isinstance(values, list):
        raise Wrong(f"a list is needed behind `in`, not {shown(values)}", 1)
    found: Any = False
    for value in values:
        found = or_(found, same(item, value, tick))
        if found is True:
            break
    return found


def same(left: Any, right: Any, tick: Callable[[], None]) -> Any:
    """Whether two values are equal: a bool, or a Cond where it depends on sizes."""
    tick()
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            return False
        found: Any = True
        for x, y in zip(left, right, strict=True):
            found = and_(found, same(x, y, tick))
            if found is False:
                break
        return found
    if isinstance(left, _NUMBERS) and isinstance(right, _NUMBERS):
        if isinstance(left, Cond | bool) and isinstance(right, Cond | bool):
            return eq(left, right)
        return eq(*(select(v, 1, 0) if isinstance(v, Cond) else v for v in (left, right)))
    if is_operator(left) or is_operator(right):
        return left is right or left == right
    if isinstance(left, Unsettled) or isinstance(right, Unsettled):
        raise Symbolic()
    return type(left) is type(right) and left == right or isinstance(left, str) and left == right
