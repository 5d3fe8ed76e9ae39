"""The exact set of values of one symbol for which conditions hold.

For each residue class s = start + i + L q the conditions are polynomial in q >= 0, so their truth
changes at finitely many q.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb, lcm
from typing import Any

from archc.shapes.atom import Opaque, Symbol
from archc.shapes.condition import Cond, equals_zero
from archc.shapes.dim import Dim, of_atom
from archc.shapes.residues import RESIDUES, Scan, TooManyResidues
from archc.shapes.verdict import congruent

Runs = tuple  # (truth at q = 0, every q at which it changes, ascending)

_HIGHEST = 8  # degree


class Solutions:
    """The values of `symbol` that are solutions: `runs[i]` for symbol = symbol.least + i + period * q."""

    __slots__ = ("symbol", "start", "period", "runs")

    def __init__(self, symbol: Symbol, period: int, runs: tuple[Runs, ...]):
        assert symbol.least is not None, "a number of any sign has no first"
        self.start = symbol.least
        self.symbol, self.period, self.runs = symbol, period, runs

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Solutions) or self.symbol is not other.symbol:
            return False
        period = lcm(self.period, other.period)
        return self.stretched(period) == other.stretched(period)

    __hash__ = None  # type: ignore[assignment]

    def __and__(self, other: Solutions) -> Solutions:
        return self._joined(other, True)

    def __or__(self, other: Solutions) -> Solutions:
        return self._joined(other, False)

    def __invert__(self) -> Solutions:
        return Solutions(self.symbol, self.period, tuple((not first, at) for first, at in self.runs))

    def _joined(self, other: Solutions, both: bool) -> Solutions:
        period = lcm(self.period, other.period)
        if period > RESIDUES:
            raise TooManyResidues
        pairs = zip(self.stretched(period), other.stretched(period), strict=True)
        return Solutions(self.symbol, period, tuple(_merged(a, b, both) for a, b in pairs))

    def stretched(self, period: int) -> tuple[Runs, ...]:
        """The runs for a multiple of the period."""
        if period == self.period:
            return self.runs
        times = period // self.period
        found = []
        for k in range(times):
            for first, changes in self.runs:
                # q = times * q' + k
                found.append(_tidy(first, [-((k - q) // times) for q in changes]))
        return tuple(found)

    @property
    def always(self) -> bool:
        return all(first and not changes for first, changes in self.runs)

    @property
    def never(self) -> bool:
        return not any(first or changes for first, changes in self.runs)

    @property
    def first(self) -> int:
        """The smallest solution."""
        return min(
            self.start + i + self.period * (0 if first else changes[0])
            for i, (first, changes) in enumerate(self.runs)
            if first or changes
        )

    @property
    def last(self) -> int | None:
        """The largest solution; None where there are endlessly many."""
        ends = []
        for i, (first, changes) in enumerate(self.runs):
            if first ^ (len(changes) & 1):
                return None
            if changes:
                ends.append(self.start + i + self.period * (changes[-1] - 1))
        return max(ends)

    def classes(self) -> set[int]:
        """The residues of the classes with solutions."""
        start = self.start
        return {(start + i) % self.period for i, (first, changes) in enumerate(self.runs) if first or changes}

    def step(self) -> int:
        """The largest g for which all solutions are alike modulo g."""
        classes = self.classes()
        one = min(classes)
        return max(
            g
            for g in range(1, self.period + 1)
            if self.period % g == 0 and all((c - one) % g == 0 for c in classes)
        )

    def conditions(self) -> tuple[Cond, ...] | None:
        """The set as conditions: a congruence and bounds. None where it is not of that form."""
        start, period = self.start, self.period
        first, last = self.first, self.last
        for i, runs in enumerate(self.runs):
            if runs == (False, ()):
                continue
            low = max(0, -((start + i - first) // period))
            high = None if last is None else (last - start - i) // period + 1
            if runs != _tidy(True, [0, low] if high is None else [0, low, high]):
                return None
        value = of_atom(self.symbol)
        if first == last:
            return (_certain(equals_zero(value - first)),)
        congruence = congruent(value, period, self.classes())
        if congruence is None:
            return None
        found = [] if congruence is True else [congruence]
        if any((s % period) in self.classes() for s in range(start, min(first, start + period))):
            found.append(_certain(value >= first))
        if last is not None:
            found.append(_certain(value <= last))
        return tuple(found)


def _certain(condition: Any) -> Cond:
    assert isinstance(condition, Cond)
    return condition


def _tidy(first: bool, changes: list[int]) -> Runs:
    """Changes at or before 0 belong to the beginning; two at one place cancel."""
    found: list[int] = []
    for q in sorted(changes):
        if q <= 0:
            first = not first
        elif found and found[-1] == q:
            found.pop()
        else:
            found.append(q)
    return first, tuple(found)


def _merged(a: Runs, b: Runs, both: bool) -> Runs:
    if a == b:
        return a
    for x, y in ((a, b), (b, a)):
        if not x[1]:
            return y if x[0] is both else x
    truth = all if both else any
    value = [a[0], b[0]]
    result = first = truth(value)
    found = []
    for q, which in sorted([(q, 0) for q in a[1]] + [(q, 1) for q in b[1]]):
        value[which] = not value[which]
        now = truth(value)
        if now is not result:
            result = now
            if found and found[-1] == q:
                found.pop()
            else:
                found.append(q)
    return first, tuple(found)


# -- solving -------------------------------------------------------------------------------


def solve(condition: Cond, symbol: Symbol) -> Solutions | None:
    """The solutions of a condition on no other symbol; None where they cannot be told."""
    try:
        return _solved(condition, symbol)
    except TooManyResidues:
        return None


@lru_cache(maxsize=512)
def _solved(condition: Cond, symbol: Symbol) -> Solutions | None:
    op, args = condition.op, condition.args
    if op in ("and", "or", "not"):
        parts = [_solved(a, symbol) for a in args]
        total = parts[0]
        for part in parts:
            if part is None or total is None:
                return None
            total = total & part if op == "and" else total | part
        return ~total if op == "not" and total is not None else total
    dim = args[0]
    if len(args) == 2 or not isinstance(dim, Dim):
        return None
    scan = Scan(dim)
    if len(scan.variables) != 1 or isinstance(scan.variables[0], Opaque) or scan.degree[0] > _HIGHEST:
        return None
    return Solutions(
        symbol, scan.period[0], tuple(_truth(signs(scan.coefficients(r)), op) for r in scan.residues())
    )


def _truth(runs: list[tuple[int, int]], op: str) -> Runs:
    holds = [(q, sign >= 0 if op == ">=" else (sign == 0) is (op == "==")) for q, sign in runs]
    first = holds[0][1]
    changes = [q for (q, now), (_, before) in zip(holds[1:], holds, strict=False) if now is not before]
    return first, tuple(changes)


def signs(c: list[int]) -> list[tuple[int, int]]:
    """Where the polynomial of these Newton coefficients changes its sign: (q, sign from there on), q >= 0.

    Between two sign changes of its differences it is monotone, so that each change is found by bisection.
    """
    while c and not c[-1]:
        c = c[:-1]
    if len(c) < 2:
        return [(0, _sign(c[0]) if c else 0)]
    found: list[tuple[int, int]] = []

    def note(q: int) -> None:
        sign = _sign(_value(c, q))
        if not found or found[-1][1] != sign:
            found.append((q, sign))

    steps = signs(c[1:])
    for i, (begin, slope) in enumerate(steps):
        end = steps[i + 1][0] if i + 1 < len(steps) else None
        note(begin)
        if slope:
            for level in (0, 1):  # first where slope * p >= 0, then where it is > 0
                q = _reached(c, slope, level, begin, end)
                if q is not None:
                    note(q)
    return found


def _reached(c: list[int], slope: int, level: int, begin: int, end: int | None) -> int | None:
    """The first q of [begin, end) where slope * p(q) >= level; slope * p rises there."""
    if end is None:
        length = 1
        while slope * _value(c, begin + length) < level:
            length *= 2
        end = begin + length + 1
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        if slope * _value(c, middle) >= level:
            high = middle
        else:
            low = middle + 1
    return low if low < end else None


def _value(c: list[int], q: int) -> int:
    return sum(k * comb(q, i) for i, k in enumerate(c))


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
