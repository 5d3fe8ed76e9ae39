"""What can be asked of any value: its symbols, its value, the value with other sizes in it."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from archc.shapes import functions
from archc.shapes.atom import Floor, Node, Opaque, Symbol
from archc.shapes.condition import Cond, and_, at_least_zero, compared, eq, equals_zero, not_, or_
from archc.shapes.dim import Dim, Size
from archc.shapes.division import as_floor
from archc.shapes.formula import Formula, arithmetic
from archc.shapes.limits import checked_power
from archc.shapes.number import plain


def _symbols(value: Any, found: dict[Symbol, None], seen: set) -> None:
    if isinstance(value, Symbol):
        found[value] = None
    elif isinstance(value, (list, tuple)):
        for item in value:
            _symbols(item, found, seen)
    elif isinstance(value, (Dim, Floor, Node)) and value not in seen:
        seen.add(value)
        if isinstance(value, Dim):
            for monomial, _ in value.terms:
                for atom, _ in monomial:
                    _symbols(atom, found, seen)
        elif isinstance(value, Floor):
            _symbols(value.numerator, found, seen)
        else:
            _symbols(value.args, found, seen)


def symbols_of(value: Any) -> list[Symbol]:
    """The symbols of a value, sorted by name."""
    found: dict[Symbol, None] = {}
    _symbols(value, found, set())
    return sorted(found, key=lambda s: s.key)


def symbols(value: Any) -> frozenset[str]:
    """The names of the free dimensions and unknown sizes in a value, or in a tuple or list of values."""
    return frozenset(s.name for s in symbols_of(value))


def unknowns(value: Any) -> dict[str, str]:
    """The unknown sizes in a value, and why each is unknown."""
    return {s.name: s.reason or "" for s in symbols_of(value) if s.unknown}


# -- substitution --------------------------------------------------------------------------

_OPAQUE: dict[str, Any] = {
    "min": functions.minimum,
    "max": functions.maximum,
    "abs": functions.absolute,
    "floor": functions.floor,
    "ceil": functions.ceil,
    "pow": functions.power,
    "select": functions.select,
    "floordiv": operator.floordiv,
}


def _python_power(a: Any, b: Any) -> Any:
    return checked_power(a, b) if isinstance(a, int) and isinstance(b, int) and b >= 0 else a**b


_ARITHMETIC: dict[str, Any] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": _python_power,
}

_FLOAT: dict[str, Any] = {
    "neg": operator.neg,
    "abs": abs,
    "sqrt": functions.sqrt,
    "log": functions.log,
    "log2": functions.log2,
    "exp": functions.exp,
    "min": functions.minimum,
    "max": functions.maximum,
    "select": functions.select,
}


def _rebuilt_formula(op: str, args: tuple) -> Any:
    if op in _ARITHMETIC:
        if any(isinstance(a, (Dim, Formula)) for a in args):
            return arithmetic(op, *args)
        return _ARITHMETIC[op](*args)
    return _FLOAT[op](*args)


_SIDES: dict[str, Any] = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le}


def _rebuilt_condition(op: str, args: tuple) -> Any:
    if op in ("and", "or"):
        return (and_ if op == "and" else or_)(*args)
    if op == "not":
        return not_(args[0])
    if len(args) == 2:
        if op == "==":
            return eq(*args)
        return not_(eq(*args)) if op == "!=" else compared_or_bool(op, *args)
    return at_least_zero(args[0]) if op == ">=" else equals_zero(args[0], op)


def compared_or_bool(op: str, left: Any, right: Any) -> Any:
    """`left op right`, also of plain numbers."""
    if any(isinstance(v, (Dim, Formula)) for v in (left, right)):
        return compared(op, left, right)
    return _SIDES[op](left, right)


def substitute(value: Any, sizes: Mapping[str, Size]) -> Any:
    """The value with sizes put in for symbols, all at once; symbols that are not named stay.

    Tuples and lists are gone through.

    >>> from archc.shapes import symbol
    >>> H = symbol("H")
    >>> str(substitute((H - 1) // 2, {"H": 2 * H})), substitute(H * H, {"H": 3})
    ('H - 1', 9)
    """
    known = {name: plain(size) for name, size in sizes.items()}
    return _substituted(value, known, {})


def _substituted(value: Any, sizes: dict[str, Size], done: dict) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_substituted(v, sizes, done) for v in value)
    if not isinstance(value, (Dim, Symbol, Floor, Node)):
        return value
    if value in done:
        return done[value]
    if isinstance(value, Dim) and (whole := as_floor(value)) is not None:
        # As one floor, also where its mirror image stands, so that floors put in for symbols join it.
        c, numerator, divisor = whole
        result: Any = c * (_substituted(numerator, sizes, done) // divisor) + value.constant
    elif isinstance(value, Dim):
        result = 0
        for monomial, c in value.terms:
            term: Any = c
            for atom, exponent in monomial:
                put = _substituted(atom, sizes, done)
                power = put if exponent == 1 else put**exponent
                term = power if term is c and c == 1 else term * power
            result = term if result == 0 and isinstance(result, int) else result + term
    elif isinstance(value, Symbol):
        result = sizes[value.name] if value.name in sizes else _as_dim(value)
    elif isinstance(value, Floor):
        result = _substituted(value.numerator, sizes, done) // value.divisor
    elif value.op == "select":  # the branch that is not taken may not even have a value
        test, then, other = value.args
        test = _substituted(test, sizes, done)
        if isinstance(test, bool):
            result = _substituted(then if test else other, sizes, done)
        else:
            result = functions.select(test, _substituted(then, sizes, done), _substituted(other, sizes, done))
    else:
        args = tuple(_substituted(a, sizes, done) for a in value.args)
        if isinstance(value, Opaque):
            result = _OPAQUE[value.op](*args)
        elif isinstance(value, Formula):
            result = _rebuilt_formula(value.op, args)
        else:
            result = _rebuilt_condition(value.op, args)
    done[value] = result
    return result


def _as_dim(atom: Symbol) -> Dim:
    from archc.shapes.dim import of_atom

    return of_atom(atom)


# -- evaluation ----------------------------------------------------------------------------


def evaluate(value: Any, sizes: Mapping[str, int]) -> Any:
    """The number (or bool) that a value is for these sizes.

    Raises KeyError for a symbol without a size, and what Python raises where there is no value
    (ZeroDivisionError, ValueError). Tuples and lists are gone through.

    >>> from archc.shapes import symbol
    >>> evaluate((symbol("H") + 1) // 2, {"H": 4})
    2
    """
    if isinstance(value, (list, tuple)):
        return type(value)(evaluate(v, sizes) for v in value)
    if isinstance(value, Dim):
        total = 0
        for monomial, c in value.terms:
            for atom, exponent in monomial:
                c *= checked_power(evaluate(atom, sizes), exponent) if exponent > 1 else evaluate(atom, sizes)
            total += c
        return total
    if isinstance(value, Symbol):
        return int(sizes[value.name])
    if isinstance(value, Floor):
        return evaluate(value.numerator, sizes) // value.divisor
    if isinstance(value, Cond):
        return _evaluated_condition(value, sizes)
    if isinstance(value, (Opaque, Formula)):
        if value.op == "select":
            test, then, other = value.args
            return evaluate(then if evaluate(test, sizes) else other, sizes)
        args = tuple(evaluate(a, sizes) for a in value.args)
        if isinstance(value, Opaque):
            return _OPAQUE[value.op](*args)
        return _ARITHMETIC[value.op](*args) if value.op in _ARITHMETIC else _FLOAT[value.op](*args)
    return plain(value)


def _evaluated_condition(value: Cond, sizes: Mapping[str, int]) -> bool:
    op, args = value.op, value.args
    if op == "and":
        return all(evaluate(a, sizes) for a in args)
    if op == "or":
        return any(evaluate(a, sizes) for a in args)
    if op == "not":
        return not evaluate(args[0], sizes)
    left = evaluate(args[0], sizes)
    right = evaluate(args[1], sizes) if len(args) == 2 else 0
    return left >= right if op == ">=" else _SIDES[op](left, right)
