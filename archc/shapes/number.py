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

Terms = tuple[tuple[tuple[str, int], int], ...]
"""A sum: texts with their binding strengths, and how often each of them is added."""


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
    terms: Terms = ()
    """Of a sum or a multiple: what is added up."""
    lost: frozenset[str] = _NO_NAMES
    """Names that went into the number and for which its text had no room."""

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
    lost: frozenset[str] = _NO_NAMES

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


def stamped(value: Any, label: str, level: int, names: frozenset[str], *of: Any) -> Any:
    """`value` with this text, or its own digits where the text is too long to be of use. `of` are the
    numbers that it was made of: what their texts have lost is lost to this one too."""
    lost = frozenset().union(*(v.lost for v in of if isinstance(v, (Num, Real))))
    if len(label) > LABEL_LENGTH:
        lost |= names
        label, level, names = repr(value), UNARY if value < 0 else ATOM, _NO_NAMES
    if isinstance(value, int):
        found: Any = Num(value, label, level, names)
    elif isinstance(value, float) and math.isfinite(value):
        found = Real(value, label, level, names)
    else:
        return value
    if lost:
        found.lost = lost
    return found


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
    return stamped(value, label, ATOM, frozenset().union(*(t[2] for t in texts if t)), *arguments)


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
    terms = _terms(symbol, left, right) if isinstance(value, int) else ()
    text = f"{x} {symbol} {y}"
    if symbol == "+" and 0 < len(terms) < len(_summed(left)) + len(_summed(right)):
        text, level = _sum(terms)
    found = stamped(value, text, level, a[2] | b[2], left, right)
    if isinstance(found, Num):
        found.terms = terms
    if symbol == "//" and isinstance(found, Num) and plain(left) == value * plain(right):
        found.parts = left, right
    return found


def _summed(value: Any) -> Terms:
    """What is added up in a number: of one that is no sum, the number itself."""
    if not isinstance(value, Num):
        return ()
    return value.terms or (((value.label, value.level), 1),)


def _terms(symbol: str, left: Any, right: Any) -> Terms:
    """The terms of a sum or of a multiple, equal ones together: `c + g` and `g` are `c` and twice `g`."""
    if symbol == "+" and isinstance(left, Num) and isinstance(right, Num):
        counts = dict(_summed(left))
        for term, count in _summed(right):
            counts[term] = counts.get(term, 0) + count
        return tuple(counts.items())
    if symbol == "*":
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Num) and type(other) is int and other > 0 and not one.terms:
                return (((one.label, one.level), other),)
    return ()


def _sum(terms: Terms) -> tuple[str, int]:
    """Text and level of a sum."""
    texts = []
    for position, ((text, level), count) in enumerate(terms):
        if count == 1:
            texts.append(_bracketed(text, level < SUM or (level == SUM and position > 0)))
        else:
            texts.append(f"{count} * {_bracketed(text, level <= PRODUCT)}")
    if len(terms) > 1:
        return " + ".join(texts), SUM
    (_, level), count = next(iter(terms))
    return texts[0], level if count == 1 else PRODUCT


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
    text = f"-{_bracketed(self.label, self.level <= UNARY)}"
    return stamped(-plain(self), text, UNARY, self.names, self)


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
