"""Numbers that remember how the spec wrote them.

`Num` and `Real` are an int and a float with the source text that gives them, in the names of
the block they stand in, so that generated code can say `nn.Linear(dim, 4 * dim)` rather than
`nn.Linear(64, 256)`. They behave as the plain number everywhere else: equality, hash, format,
json.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from archc.shapes.limits import BITS, TooLarge, checked_power

CONDITIONAL, OR, AND, NOT, COMPARE, SUM, PRODUCT, UNARY, POWER, ATOM = range(1, 11)
"""Binding strengths of Python's operators, the weakest first; ATOM is a name, number or call."""

LABEL_LENGTH = 120
"""A longer label says less than the number that it stands for."""

_NO_NAMES: frozenset[str] = frozenset()


class Num(int):
    """An int with the text that gives it.

    `label` is Python source over `names`, `level` the binding strength of its outermost operator.

    >>> c = labelled(64, "c")
    >>> n = (c + 1) * 2
    >>> n, n.label, sorted(n.names)
    (130, '(c + 1) * 2', ['c'])
    """

    label: str
    level: int
    names: frozenset[str]
    parts: tuple[Any, Any] | None = None
    """Of a quotient without a rest: what was divided, and by what."""

    def __new__(cls, value: int, label: str, level: int = ATOM, names: frozenset[str] = _NO_NAMES) -> Num:
        self = int.__new__(cls, value)
        self.label, self.level, self.names = label, level, names
        return self

    def __reduce__(self) -> tuple:
        return Num, (int(self), self.label, self.level, self.names)


class Real(float):
    """A float with the text that gives it; as `Num`."""

    label: str
    level: int
    names: frozenset[str]

    def __new__(cls, value: float, label: str, level: int = ATOM, names: frozenset[str] = _NO_NAMES) -> Real:
        self = float.__new__(cls, value)
        self.label, self.level, self.names = label, level, names
        return self

    def __reduce__(self) -> tuple:
        return Real, (float(self), self.label, self.level, self.names)


def labelled(value: Any, name: str) -> Any:
    """The number `value`, known by `name`. What is no number (a bool too) comes back as it is."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return Num(value, name, ATOM, frozenset((name,)))
    if isinstance(value, float):
        return Real(value, name, ATOM, frozenset((name,)))
    return value


def plain(value: Any) -> Any:
    """A number without its label; anything else as it is."""
    if isinstance(value, Num):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    return value


def stamped(value: Any, label: str, level: int, names: frozenset[str]) -> Any:
    """`value` with this text, or plain where the text is too long to be of use."""
    if len(label) > LABEL_LENGTH:
        return value
    if isinstance(value, int):
        return Num(value, label, level, names)
    if isinstance(value, float) and math.isfinite(value):
        return Real(value, label, level, names)
    return value


def written(value: Any) -> tuple[str, int, frozenset[str]] | None:
    """Text, level and names of a number; None where it has no short exact text."""
    if isinstance(value, (Num, Real)):
        return value.label, value.level, value.names
    if isinstance(value, int):
        if value.bit_length() > 64:
            return None
        value = int(value)
    elif not math.isfinite(value):
        return None
    return repr(value), (UNARY if math.copysign(1, value) < 0 else ATOM), _NO_NAMES


def call(function: str, value: Any, *arguments: Any) -> Any:
    """`value`, labelled `function(arguments)` where one of the arguments has a label."""
    if not any(isinstance(a, (Num, Real)) for a in arguments):
        return value
    texts = [written(a) for a in arguments]
    if None in texts:
        return value
    label = f"{function}({', '.join(t[0] for t in texts if t)})"
    return stamped(value, label, ATOM, frozenset().union(*(t[2] for t in texts if t)))


def _bracketed(text: str, bracket: bool) -> str:
    return f"({text})" if bracket else text


def _joined(symbol: str, level: int, left: Any, right: Any, value: Any) -> Any:
    a, b = written(left), written(right)
    if a is None or b is None:
        return value
    if symbol == "*":
        for one, other in ((left, right), (right, left)):
            if isinstance(other, Num) and other.parts and written(other.parts[1]) == written(one):
                return other.parts[0]  # heads * (dim // heads) is dim
    if symbol == "**":
        x = _bracketed(a[0], a[1] <= POWER)
        y = _bracketed(b[0], b[1] < UNARY)
    else:
        x = _bracketed(a[0], a[1] < level)
        y = _bracketed(b[0], b[1] <= level or b[1] == UNARY)
    found = stamped(value, f"{x} {symbol} {y}", level, a[2] | b[2])
    if symbol == "//" and isinstance(found, Num) and plain(left) == value * plain(right):
        found.parts = left, right
    return found


def _multiply(a: Any, b: Any) -> Any:
    value = a * b
    if isinstance(value, int) and value.bit_length() > BITS:
        raise TooLarge(f"a product has more than {BITS} bits")
    return value


def _power(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and b >= 0:
        return checked_power(a, b)
    return a**b


_OPERATORS: dict[str, tuple[str, int, Callable[[Any, Any], Any]]] = {
    "add": ("+", SUM, operator.add),
    "sub": ("-", SUM, operator.sub),
    "mul": ("*", PRODUCT, _multiply),
    "truediv": ("/", PRODUCT, operator.truediv),
    "floordiv": ("//", PRODUCT, operator.floordiv),
    "mod": ("%", PRODUCT, operator.mod),
    "pow": ("**", POWER, _power),
}


def _forward(symbol: str, level: int, function: Callable[[Any, Any], Any]) -> Callable:
    def method(self: Any, other: Any) -> Any:
        if isinstance(other, (int, float)):
            return _joined(symbol, level, self, other, function(plain(self), plain(other)))
        return NotImplemented

    return method


def _backward(symbol: str, level: int, function: Callable[[Any, Any], Any]) -> Callable:
    def method(self: Any, other: Any) -> Any:
        if isinstance(other, (int, float)):
            return _joined(symbol, level, other, self, function(plain(other), plain(self)))
        return NotImplemented

    return method


def _negated(self: Any) -> Any:
    return stamped(-plain(self), f"-{_bracketed(self.label, self.level <= UNARY)}", UNARY, self.names)


def _absolute(self: Any) -> Any:
    return call("abs", abs(plain(self)), self)


def _unchanged(self: Any) -> Any:
    return self


for _type in (Num, Real):
    for _name, _row in _OPERATORS.items():
        setattr(_type, f"__{_name}__", _forward(*_row))
        setattr(_type, f"__r{_name}__", _backward(*_row))
    _type.__neg__ = _negated
    _type.__abs__ = _absolute
    _type.__pos__ = _unchanged
