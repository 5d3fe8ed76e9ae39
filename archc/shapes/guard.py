"""Guards: what a model asks of the sizes of its inputs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from archc.shapes.atom import Floor, Symbol
from archc.shapes.condition import Cond
from archc.shapes.dim import Dim, Size, of_atom, size, terms_of
from archc.shapes.limits import TooLarge
from archc.shapes.residues import TooManyResidues
from archc.shapes.solutions import Solutions, solve
from archc.shapes.verdict import decide
from archc.shapes.walk import substitute, symbols_of

if TYPE_CHECKING:
    from archc.source.text import Span


class Guard(NamedTuple):
    """A condition on the free dimensions, and where it comes from.

    `message` is the spec's own words, of a `require`; `trace` the way through blocks and copies.
    `sides` are the sizes that it compares, where it is an equality that could not be decided. `needs`: it
    is asked for only where these open inputs of the block are given.
    """

    condition: Cond
    span: Span | None
    message: str | None = None
    trace: tuple[Any, ...] = ()
    sides: tuple[Size, Size] | None = None
    needs: frozenset[str] = frozenset()


class Contradiction(Exception):
    """Conditions that no sizes fulfil together.

    `conditions` are some of those given (or parts of an `and` among them); none for a plain False.
    """

    def __init__(self, conditions: tuple[Cond, ...]):
        super().__init__(conditions)
        self.conditions = conditions

    def __str__(self) -> str:
        return f"{' and '.join(str(c) for c in self.conditions) or 'false'} cannot hold"


ROUNDS = 4
"""Conditions are rewritten this often at most; the second round mostly finds nothing."""


def simplify(conditions: Iterable[Any]) -> tuple[Cond, ...]:
    """Fewer and plainer conditions that hold for the same sizes.

    What is asked of one symbol is joined; what follows from the rest is left out. Raises
    Contradiction where no sizes are left.

    >>> from archc.shapes import eq, symbol
    >>> H = symbol("H")
    >>> [str(c) for c in simplify([H >= 3, eq(H % 2, 0), eq(H // 2 % 2, 0), eq(H // 4 % 2, 0)])]
    ['H % 8 == 0']
    """
    found = _flat(conditions)
    for _ in range(ROUNDS):
        joined = _joined(found)
        if joined == tuple(found):
            break
        found = dict.fromkeys(joined)  # what was rewritten may join again
    return tuple(found)


def _joined(found: Iterable[Cond]) -> tuple[Cond, ...]:
    """One round of `simplify`."""
    found = dict.fromkeys(found)
    of_one: dict[Symbol, dict[Cond, Solutions]] = {}
    others: list[Cond] = []
    for condition in found:
        symbols = symbols_of(condition)
        solutions = solve(condition, symbols[0]) if len(symbols) == 1 else None
        if solutions is None:
            others.append(condition)
        else:
            of_one.setdefault(symbols[0], {})[condition] = solutions
    result: list[Cond] = []
    known: dict[str, Size] = {}
    for symbol, parts in of_one.items():
        total, used, left = _intersection(parts)
        others.extend(left)
        kept = total.conditions()
        in_order = {c: parts[c] for c in parts if c in used}
        result.extend(_needed(in_order, total) if kept is None else kept)
        # every solution is the first one, or some steps further
        step = 0 if total.first == total.last else total.step()
        known[symbol.name] = of_atom(symbol) * step + (total.first - step * total.start)
    result.extend(c for c in _strongest(others) if not _follows(c, known, found))
    return tuple(result)


def _flat(conditions: Iterable[Any]) -> dict[Cond, None]:
    found: dict[Cond, None] = {}
    for condition in conditions:
        if isinstance(condition, Cond):
            found.update(dict.fromkeys(condition.args if condition.op == "and" else (condition,)))
        elif not condition:
            raise Contradiction(())
    return found


def _intersection(parts: dict[Cond, Solutions]) -> tuple[Solutions, dict[Cond, Solutions], list[Cond]]:
    """What holds for all; the conditions that went into it, and those that could not be joined."""
    total: Solutions | None = None
    used: dict[Cond, Solutions] = {}
    left: list[Cond] = []
    for condition, solutions in sorted(parts.items(), key=lambda p: p[1].period):
        try:
            total = solutions if total is None else total & solutions
        except TooManyResidues:
            left.append(condition)
            continue
        used[condition] = solutions
        if total.never:
            raise Contradiction(_conflict(used))
    assert total is not None
    return total, used, left


def _conflict(parts: dict[Cond, Solutions]) -> tuple[Cond, ...]:
    for n in (1, 2):
        for some in combinations(parts, n) if len(parts) <= 50 else ():
            joined = parts[some[0]] & parts[some[-1]]
            if joined.never:
                return some
    return tuple(parts)


def _needed(parts: dict[Cond, Solutions], total: Solutions) -> list[Cond]:
    """The conditions without those that the others imply."""
    kept = list(parts)
    for condition in list(parts) if len(parts) <= 50 else ():
        rest = [parts[c] for c in kept if c is not condition]
        if not rest:
            break
        joined = rest[0]
        for solutions in rest[1:]:
            joined = joined & solutions
        if joined == total:
            kept.remove(condition)
    return kept


def _strongest(conditions: list[Cond]) -> list[Cond]:
    """Of bounds on one expression, the tightest."""
    tightest: dict[tuple, int] = {}

    def bound(condition: Cond) -> tuple | None:
        if condition.op != ">=":
            return None
        return tuple(t for t in condition.args[0].terms if t[0])

    for condition in conditions:
        expression = bound(condition)
        if expression is not None:
            constant = condition.args[0].constant
            tightest[expression] = min(constant, tightest.get(expression, constant))
    return [c for c in conditions if (e := bound(c)) is None or c.args[0].constant == tightest[e]]


def _follows(condition: Cond, known: dict[str, Size], given: Iterable[Cond]) -> bool:
    """Does the condition hold for all sizes that fulfil what is known of each symbol?"""
    answer = decide(condition)
    if answer is None:
        try:
            answer = decide(substitute(condition, known))
        except (TooLarge, ArithmeticError, ValueError):
            answer = None
    if answer is False:
        own = set(symbols_of(condition))
        raise Contradiction(
            (*(c for c in given if c is not condition and set(symbols_of(c)) < own), condition)
        )
    return answer is True


# -- telling people ------------------------------------------------------------------------


def describe(conditions: Iterable[Cond]) -> list[str]:
    """The conditions in words, one sentence for what is asked alike of several sizes.

    >>> from archc.shapes import eq, symbol
    >>> H, W = symbol("H"), symbol("W")
    >>> describe([eq(H % 16, 0), eq(W % 16, 0), H >= 32])
    ['H and W must be divisible by 16', 'H must be at least 32']
    """
    subjects: dict[str, dict[str, None]] = {}
    for condition in conditions:
        subject, predicate = _words(condition)
        subjects.setdefault(predicate, {})[subject] = None
    sentences = []
    for predicate, names in subjects.items():
        if predicate:
            *some, last = names
            sentences.append(f"{', '.join(some)} and {last} {predicate}" if some else f"{last} {predicate}")
        else:
            sentences.extend(names)
    return sentences


def _words(condition: Cond) -> tuple[str, str]:
    """Subject and predicate; the condition itself and nothing where it has none."""
    bound = _bound(condition)
    if bound is not None:
        return bound
    congruence = _congruence(condition)
    if congruence is None:
        return _compared(condition) or (str(condition), "")
    value, divisor, remainder = congruence
    if remainder == 0:
        return str(value), f"must be divisible by {divisor}"
    if divisor == 2:
        return str(value), "must be odd"
    return str(value % divisor), f"must be {remainder}"


def _compared(condition: Cond) -> tuple[str, str] | None:
    """Of two sizes, one at least as large as the other, or both equal."""
    if condition.op not in (">=", "==") or len(condition.args) != 1:
        return None
    terms = terms_of(condition.args[0])
    more, less = size({m: c for m, c in terms if c > 0}), size({m: -c for m, c in terms if c < 0})
    if not isinstance(more, Dim) or not isinstance(less, Dim):
        return None
    if not all(isinstance(atom, Symbol) for monomial, _ in terms for atom, _ in monomial):
        return None  # `H % 4 <= 1` says it better
    return str(more), f"must be at least {less}" if condition.op == ">=" else f"must be {less}"


def _bound(condition: Cond) -> tuple[str, str] | None:
    """`symbol >= n`, `symbol <= n` or `symbol == n`."""
    if condition.op not in (">=", "==") or len(condition.args) != 1:
        return None
    dim = condition.args[0]
    (monomial, c), *constant = dim.terms
    if len(constant) > 1 or (constant and constant[0][0]) or len(monomial) != 1 or monomial[0][1] != 1:
        return None
    symbol = monomial[0][0]
    if not isinstance(symbol, Symbol) or abs(c) != 1:
        return None
    number = -dim.constant * c
    if condition.op == "==":
        return symbol.name, f"must be {number}"
    return symbol.name, f"must be at {'least' if c > 0 else 'most'} {number}"


def _congruence(condition: Cond) -> tuple[Dim, int, int] | None:
    """`(P, d, r)` of a condition `P % d == r`."""
    if condition.op != "==" or len(condition.args) != 1:
        return None
    for dim in (condition.args[0], -condition.args[0]):
        for monomial, c in dim.terms:
            if len(monomial) == 1 and monomial[0][1] == 1 and isinstance(monomial[0][0], Floor):
                floor = monomial[0][0]
                d = floor.divisor
                remainder = floor.numerator - d * of_atom(floor) - dim
                if c == -d and isinstance(remainder, int) and 0 <= remainder < d:
                    return floor.numerator, d, remainder
    return None
