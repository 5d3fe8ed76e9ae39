"""Bounds of a polynomial over all values of its symbols."""

from __future__ import annotations

from math import comb
from typing import Any

from archc.shapes.atom import Floor, Opaque
from archc.shapes.dim import Dim, Poly, accumulate, product
from archc.shapes.limits import TERMS, TooLarge


def range_of(value: Any) -> tuple[int | None, int | None]:
    """Lower and upper bound of a Size; of anything else, nothing is known."""
    if isinstance(value, Dim):
        return value.least, value.most
    if isinstance(value, int):
        return int(value), int(value)
    return None, None


def lower(terms: tuple) -> int | None:
    """A lower bound of the polynomial; None where none is found.

    Floors are weighed as they are, and with (P - d + 1) / d <= floor(P / d) <= P / d put in
    for those with a negative coefficient, and for all.
    """
    found = [_shifted(dict(terms))]
    if any(isinstance(a, Floor) for m, _ in terms for a, _ in m):
        try:
            for only_negative in (True, False):
                relaxed, denominator = _relaxed(terms, only_negative)
                low = _shifted(relaxed)
                if low is not None:
                    found.append(-(-low // denominator))
        except TooLarge:
            pass
    return max((low for low in found if low is not None), default=None)


def _relaxed(terms: tuple, only_negative: bool) -> tuple[Poly, int]:
    """A polynomial and a denominator: their quotient is no more than `terms`, with fewer floors."""
    poly, denominator = dict(terms), 1
    for _ in range(TERMS):
        for monomial, c in poly.items():
            if only_negative and c > 0:
                continue
            at = _replaceable(monomial)
            if at is not None:
                break
        else:
            break
        floor, exponent = monomial[at]
        rest = (*monomial[:at], *(((floor, exponent - 1),) if exponent > 1 else ()), *monomial[at + 1 :])
        instead = dict(floor.numerator.terms)
        if c > 0:
            accumulate(instead, (((), 1 - floor.divisor),))
        del poly[monomial]
        poly = {m: k * floor.divisor for m, k in poly.items()}
        denominator *= floor.divisor
        accumulate(poly, product(tuple(instead.items()), ((rest, c),)).items())
    return poly, denominator


def _replaceable(monomial: tuple) -> int | None:
    """The place of a floor whose fellow factors are never negative."""
    for at, (atom, exponent) in enumerate(monomial):
        if isinstance(atom, Floor):
            others = [a for i, (a, _) in enumerate(monomial) if i != at or exponent > 1]
            if all(a.least is not None and a.least >= 0 for a in others):
                return at
    return None


def _shifted(poly: Poly) -> int | None:
    """The bound that is seen when every atom is its least value plus something not negative."""
    total: Poly = {}
    try:
        for monomial, c in poly.items():
            expanded: Poly = {(): c}
            for atom, exponent in monomial:
                least = atom.least
                if least is None:
                    return None
                powers = {
                    (((atom, k),) if k else ()): comb(exponent, k) * least ** (exponent - k)
                    for k in range(exponent + 1)
                }
                expanded = product(tuple(expanded.items()), tuple((m, v) for m, v in powers.items() if v))
            accumulate(total, expanded.items())
    except TooLarge:
        return None
    low = 0
    for monomial, c in total.items():
        if not monomial:
            low += c
        elif c < 0:
            for atom, exponent in monomial:
                if atom.most is None:
                    return None
                c *= (atom.most - atom.least) ** exponent
            low += c
    return low


def opaque_bounds(atom: Opaque) -> tuple[int | None, int | None]:
    """Bounds of an opaque function's values."""
    rule = _RULES.get(atom.op)
    return rule(*(range_of(a) for a in atom.args)) if rule else (None, None)


def _known(values: Any) -> list[int]:
    return [v for v in values if v is not None]


def _all_known(values: Any) -> list[int] | None:
    values = list(values)
    return None if None in values else values


def _minimum(*ranges: tuple) -> tuple:
    lows = _all_known(r[0] for r in ranges)
    return min(lows) if lows else None, min(_known(r[1] for r in ranges), default=None)


def _maximum(*ranges: tuple) -> tuple:
    highs = _all_known(r[1] for r in ranges)
    return max(_known(r[0] for r in ranges), default=None), max(highs) if highs else None


def _either(test: tuple, then: tuple, other: tuple) -> tuple:
    lows, highs = _all_known((then[0], other[0])), _all_known((then[1], other[1]))
    return min(lows) if lows else None, max(highs) if highs else None


def _absolute(value: tuple) -> tuple:
    low, high = value
    if low is not None and low >= 0:
        return low, high
    if high is not None and high <= 0:
        return -high, None if low is None else -low
    return 0, None if low is None or high is None else max(-low, high)


def _quotient(dividend: tuple, divisor: tuple) -> tuple:
    if dividend[0] is not None and dividend[0] >= 0 and divisor[0] is not None and divisor[0] >= 1:
        return 0, None if dividend[1] is None else dividend[1] // divisor[0]
    return None, None


def _power(base: tuple, exponent: tuple) -> tuple:
    return (1 if base[0] is not None and base[0] >= 1 else None), None


_RULES: dict[str, Any] = {
    "min": _minimum,
    "max": _maximum,
    "select": _either,
    "abs": _absolute,
    "floordiv": _quotient,
    "pow": _power,
}


def leading(dim: Dim) -> Poly:
    """The terms of the highest degree, P / d put in for floor(P / d), times a common denominator.

    Where they do not cancel, they are what the polynomial grows like in every residue class.
    """
    top, poly, denominator = 0, {}, 1
    for monomial, c in dim.terms:
        terms, divisor = _without_floors(monomial, c)
        degree = max((sum(e for _, e in m) for m in terms), default=0)
        if degree > top:
            top = degree
        poly = {m: k * divisor for m, k in poly.items()}
        accumulate(poly, terms.items(), denominator)
        denominator *= divisor
    return {m: c for m, c in poly.items() if sum(e for _, e in m) == top} if top else {}


def _without_floors(monomial: tuple, c: int) -> tuple[Poly, int]:
    poly: Poly = {(): c}
    denominator = 1
    for atom, exponent in monomial:
        for _ in range(exponent):
            if isinstance(atom, Floor):
                inner: Poly = {}
                divisor = 1
                for m, k in atom.numerator.terms:
                    terms, d = _without_floors(m, k)
                    inner = {n: v * d for n, v in inner.items()}
                    accumulate(inner, terms.items(), divisor)
                    divisor *= d
                poly = product(tuple(poly.items()), tuple(inner.items()))
                denominator *= divisor * atom.divisor
            else:
                poly = product(tuple(poly.items()), ((((atom, 1),), 1),))
    return poly, denominator
