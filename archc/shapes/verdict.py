"""Are two sizes equal? Is a condition true?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, islice, product
from typing import Any, NamedTuple

from archc.shapes.atom import Opaque, Symbol
from archc.shapes.bounds import leading
from archc.shapes.condition import Cond, equals_zero, or_
from archc.shapes.dim import Dim, Size, of_atom, symbol
from archc.shapes.limits import TooLarge
from archc.shapes.number import plain
from archc.shapes.residues import Scan, TooManyResidues, divisors, variables
from archc.shapes.walk import evaluate, substitute, symbols_of


class Verdict(NamedTuple):
    """What is known about the equality of two sizes.

    `kind`:
    - `equal`: always.
    - `guarded`: where all of `conditions` hold. They exclude what is equal by accident only: of
      `H % 2 * (W - 3)` against 0 the condition is `H % 2 == 0`.
    - `different`: as good as never, so it is a mistake. `example` are the smallest sizes of the
      symbols that fail, `left` and `right` what the two are there.
    - `undecided`: nothing can be said.
    """

    kind: str
    conditions: tuple[Cond, ...] = ()
    example: dict[str, int] | None = None
    left: int | None = None
    right: int | None = None


_EQUAL = Verdict("equal")
_UNDECIDED = Verdict("undecided")


def compare(a: Size, b: Size) -> Verdict:
    """Compare two sizes for equality.

    Two free dimensions are `different`, and so is a free dimension from a number: they are equal
    at some sizes, but a model that needs it should say so with one name.

    >>> from archc.shapes import symbol
    >>> H = symbol("H")
    >>> [str(c) for c in compare(2 * (H // 2), H).conditions]
    ['H % 2 == 0']
    >>> compare(H, 7)
    Verdict(kind='different', conditions=(), example={'H': 1}, left=1, right=7)
    """
    if isinstance(a, int) and isinstance(b, int):
        return _EQUAL if a == b else Verdict("different", (), {}, int(a), int(b))
    if a is b:
        return _EQUAL
    return _compared(plain(a), plain(b))


@lru_cache(maxsize=1024)
def _compared(a: Size, b: Size) -> Verdict:
    try:
        difference = a - b
    except TooLarge:
        return _UNDECIDED
    if not isinstance(difference, Dim):
        return _EQUAL if difference == 0 else _different(a, b)
    if equals_zero(difference) is False:
        return _different(a, b)
    if equals_zero(difference) is True:
        return _EQUAL
    found = variables(difference)
    free = all(isinstance(v, Symbol) and not v.unknown for v in found)
    if free and _tops_differ(difference):
        return _different(a, b)
    try:
        scan = Scan(difference)
    except TooManyResidues:
        return _UNDECIDED
    good, bad = [], False
    for residue in scan.residues():
        if scan.vanishes(residue):
            good.append(residue)
        else:
            bad = True
    if not bad:
        return _EQUAL
    if not free:
        return _by_example(a, b, difference)
    if not good:
        return _different(a, b)
    conditions = _projected(scan, good)
    return Verdict("guarded", conditions or (equals_zero(difference),))


def _tops_differ(difference: Dim) -> bool:
    """Do the terms of the highest degree fail to cancel, with P / d for every floor(P / d)?

    A floor is less than one below that, so what it changes is of a lower degree, and nothing can make
    up for the difference in any residue class.
    """
    try:
        return bool(leading(difference))
    except TooLarge:
        return False


def _by_example(a: Size, b: Size, difference: Dim) -> Verdict:
    """Opaque functions and unknown sizes: a condition where it is known to hold and to fail somewhere."""
    if any(s.unknown for s in symbols_of((a, b))):
        return _UNDECIDED
    holds = fails = False
    for sizes in _small(symbols_of((a, b)), 400):
        try:
            same = evaluate(difference, sizes) == 0
        except (ArithmeticError, ValueError):
            continue
        holds, fails = holds or same, fails or not same
        if holds and fails:
            return Verdict("guarded", (equals_zero(difference),))
    return _UNDECIDED


def _small(symbols: list[Symbol], most: int) -> Iterator[dict[str, int]]:
    """Sizes of the symbols, those with the smallest sum first; of one sum, the most even first."""
    names = [s.name for s in symbols]
    start = [s.least or 0 for s in symbols]
    count = 0
    extra = 0
    while True:
        rows = sorted(_shares(extra, len(names)), key=lambda row: (max(row, default=0), [-x for x in row]))
        for row in rows:
            yield {n: s + x for n, s, x in zip(names, start, row, strict=True)}
            count += 1
            if count >= most:
                return
        if not names:
            return
        extra += 1


def _shares(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts <= 1:
        yield (total,) * parts
        return
    for first in range(total + 1):
        for rest in _shares(total - first, parts - 1):
            yield (first, *rest)


def _different(a: Size, b: Size) -> Verdict:
    """The smallest sizes at which the two differ; those at which both are possible, 1 or more, come
    first, then those at which neither is negative."""
    symbols = symbols_of((a, b))
    fallback: list[Verdict | None] = [None, None]
    for sizes in chain(_small(symbols, 20_000 if len(symbols) == 1 else 4_000), _at_steps(symbols, (a, b))):
        try:
            left, right = evaluate(a, sizes), evaluate(b, sizes)
        except (ArithmeticError, ValueError):
            continue
        if left != right:
            verdict = Verdict("different", (), sizes, left, right)
            if left >= 1 and right >= 1:
                return verdict
            kind = int(left < 0 or right < 0)
            fallback[kind] = fallback[kind] or verdict
    return fallback[0] or fallback[1] or Verdict("different")


def _at_steps(symbols: list[Symbol], values: tuple[Size, ...]) -> Iterator[dict[str, int]]:
    """Sizes around the divisors in the values, where floors of large divisors make their steps."""
    steps = sorted(
        {1, 2, 3} | {d + k for v in values if isinstance(v, Dim) for d in divisors(v) for k in (-1, 0, 1)}
    )
    rows = islice(product(steps, repeat=len(symbols)), 4_000)
    for row in sorted(rows, key=lambda row: (sum(row), max(row, default=0))):
        yield {s.name: n for s, n in zip(symbols, row, strict=True)}


def _projected(scan: Scan, good: list[tuple[int, ...]]) -> tuple[Cond, ...]:
    """Conditions a symbol each, where the good residues are a product of such; else none."""
    axes = [sorted(set(column)) for column in zip(*good, strict=True)]
    count = 1
    for axis in axes:
        count *= len(axis)
    if count != len(good):
        return ()
    conditions = []
    for variable, period, axis in zip(scan.variables, scan.period, axes, strict=True):
        condition = congruent(of_atom(variable), period, {r % period for r in axis})
        if condition is None:
            return ()
        if condition is not True:
            conditions.append(condition)
    return tuple(conditions)


def congruent(value: Dim, period: int, residues: set[int]) -> Any:
    """`value % period in residues` as a condition, the shortest there is; None where it would be long."""
    for g in range(1, period + 1):
        if period % g == 0:
            classes = {r % g for r in residues}
            if len(classes) * (period // g) == len(residues):
                break
    else:
        return None
    if len(classes) == g:
        return True
    rest = value % g
    if len(classes) == 1:
        return equals_zero(rest - min(classes))
    if len(classes) == g - 1:
        (hole,) = set(range(g)) - classes
        return equals_zero(rest - hole, "!=")
    low, high = min(classes), max(classes)
    if high - low + 1 == len(classes):
        if low == 0:
            return rest <= high
        if high == g - 1:
            return rest >= low
    return or_(*(equals_zero(rest - c) for c in sorted(classes))) if len(classes) <= 4 else None


def decide(condition: Any) -> bool | None:
    """Whether a condition holds for all sizes (True), for none (False), or it depends or is unclear (None).

    >>> from archc.shapes import eq, symbol
    >>> H = symbol("H")
    >>> decide(2 * (H // 2) <= H), decide(eq(H, 2)), decide(eq(H * (H + 1) % 2, 1))
    (True, None, False)
    """
    if not isinstance(condition, Cond):
        return bool(condition)
    return _decided(condition)


@lru_cache(maxsize=1024)
def _decided(condition: Cond) -> bool | None:
    symbols = symbols_of(condition)
    signless = [s.name for s in symbols if s.least is None]
    if signless:
        return _of_any_sign(condition, signless)
    if len(symbols) == 1:
        from archc.shapes.solutions import solve

        solutions = solve(condition, symbols[0])
        if solutions is not None:
            return True if solutions.always else False if solutions.never else None
    op, args = condition.op, condition.args
    if op == "not":
        inner = decide(args[0])
        return None if inner is None else not inner
    if op in ("and", "or"):
        deciding = op == "or"
        parts = [decide(a) for a in args]
        if deciding in parts:
            return deciding
        return None if None in parts else not deciding
    if len(args) == 2:
        return None
    if op == "!=":
        inner = decide(Cond("==", args))
        return None if inner is None else not inner
    return _settled(op, args[0])


def _of_any_sign(condition: Cond, names: list[str]) -> bool | None:
    """The decision on a condition whose symbols `names` may be negative: one that holds of both signs."""
    if len(names) > 3:
        return None
    answers = set()
    for signs in product((True, False), repeat=len(names)):
        counted = {n: symbol(n, "one of two signs") for n in names}
        sizes = {n: c if up else -1 - c for (n, c), up in zip(counted.items(), signs, strict=True)}
        try:
            answers.add(decide(substitute(condition, sizes)))
        except (ArithmeticError, TooLarge):
            return None
        if None in answers or len(answers) > 1:
            return None
    return answers.pop()


def _settled(op: str, dim: Dim) -> bool | None:
    try:
        scan = Scan(dim)
    except TooManyResidues:
        return None
    opaque = any(isinstance(v, Opaque) for v in scan.variables)
    answers = set()
    for residue in scan.residues():
        c = scan.coefficients(residue)
        if not any(c):
            answers.add(True)
        elif opaque:
            return None
        elif all(x >= 0 for x in c) and c[0] > 0:
            answers.add(op == ">=")
        elif all(x >= 0 for x in c) and op == ">=":
            answers.add(True)
        elif all(x <= 0 for x in c) and c[0] < 0:
            answers.add(False)
        else:
            return None
        if len(answers) > 1:
            return None
    return answers.pop()
