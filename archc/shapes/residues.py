"""Polynomials with floors, seen residue by residue.

With s = L q + r in place of each symbol s, for a fixed residue r and an L that every divisor on the
way up through the floors divides, the floors vanish: what is left is an ordinary polynomial in the q.
It is found by evaluation, in Newton's form: its finite differences at q = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from math import lcm, prod

from archc.shapes.atom import Floor, Opaque, Symbol
from archc.shapes.dim import Dim

RESIDUES = 4096
"""Most residue vectors that are looked at."""
POINTS = 65_536
"""Most evaluations of one polynomial."""


def variables(dim: Dim) -> list[Symbol | Opaque]:
    """What the polynomial is a function of: its symbols, and opaque functions taken as they are."""
    found: dict[Symbol | Opaque, None] = {}

    def visit(value: Dim) -> None:
        for monomial, _ in value.terms:
            for atom, _ in monomial:
                if isinstance(atom, Floor):
                    visit(atom.numerator)
                else:
                    found[atom] = None

    visit(dim)
    return sorted(found, key=lambda a: a.key)


def periods(dim: Dim) -> dict[Symbol | Opaque, int]:
    """For each variable the L after which nothing but the polynomial part changes."""
    found: dict[Symbol | Opaque, int] = {}
    for monomial, _ in dim.terms:
        for atom, _ in monomial:
            if isinstance(atom, Floor):
                for variable, period in periods(atom.numerator).items():
                    found[variable] = lcm(found.get(variable, 1), atom.divisor * period)
            else:
                found.setdefault(atom, 1)
    return found


def divisors(dim: Dim) -> set[int]:
    """The divisors of all floors."""
    found: set[int] = set()
    for monomial, _ in dim.terms:
        for atom, _ in monomial:
            if isinstance(atom, Floor):
                found |= divisors(atom.numerator) | {atom.divisor}
    return found


def degrees(dim: Dim) -> dict[Symbol | Opaque, int]:
    """The degree in each variable, floors not counted."""
    found: dict[Symbol | Opaque, int] = {}
    for monomial, _ in dim.terms:
        term: dict[Symbol | Opaque, int] = {}
        for atom, exponent in monomial:
            inner = degrees(atom.numerator) if isinstance(atom, Floor) else {atom: 1}
            for variable, degree in inner.items():
                term[variable] = term.get(variable, 0) + degree * exponent
        for variable, degree in term.items():
            found[variable] = max(found.get(variable, 0), degree)
    return found


@lru_cache(maxsize=512)
def compiled(dim: Dim) -> Callable[..., int]:
    """The polynomial as a function of its `variables`, in order."""
    names = {v: f"v{i}" for i, v in enumerate(variables(dim))}

    def source(value: Dim) -> str:
        terms = []
        for monomial, c in value.terms:
            factors = [str(c)]
            for atom, exponent in monomial:
                name = names.get(atom)
                factor = name or f"(({source(atom.numerator)})//{atom.divisor})"
                factors.append(factor if exponent == 1 else f"{factor}**{exponent}")
            terms.append("*".join(factors))
        return "+".join(terms)

    return eval(f"lambda {','.join(names.values())}: {source(dim)}", {})  # our own text, nobody else's


class Scan:
    """The polynomials of a Dim, residue vector by residue vector.

    `variables`, and for each its `period` and `start` (residues run from start up to start + period).
    """

    __slots__ = ("variables", "period", "start", "degree", "function")

    def __init__(self, dim: Dim):
        self.variables = variables(dim)
        period, degree = periods(dim), degrees(dim)
        self.period = [period[v] for v in self.variables]
        self.start = [(v.least or 0) if isinstance(v, Symbol) else 0 for v in self.variables]
        self.degree = [degree[v] for v in self.variables]
        if prod(self.period) > RESIDUES or prod(self.period) * prod(n + 1 for n in self.degree) > POINTS:
            raise TooManyResidues
        try:
            self.function = compiled(dim)
        except RecursionError:  # Python's own compiler, with very many terms
            raise TooManyResidues from None

    def residues(self) -> Iterator[tuple[int, ...]]:
        return product(*(range(s, s + p) for s, p in zip(self.start, self.period, strict=True)))

    def _grid(self, residue: tuple[int, ...]) -> Iterator[int]:
        """The values where each q runs from 0 to the degree: they determine the polynomial."""
        function, period = self.function, self.period
        for steps in product(*(range(n + 1) for n in self.degree)):
            yield function(*(r + p * q for r, p, q in zip(residue, period, steps, strict=True)))

    def vanishes(self, residue: tuple[int, ...]) -> bool:
        """Is the polynomial 0?"""
        return not any(self._grid(residue))

    def coefficients(self, residue: tuple[int, ...]) -> list[int]:
        """The Newton coefficients of the polynomial in the q: of products of binomials of q.

        The first is the value at the residue itself; the constant is the polynomial's value at q = 0.
        All of them 0: the polynomial is 0. None negative: it is never negative.
        """
        values = list(self._grid(residue))
        stride = 1
        for degree in reversed(self.degree):
            length = degree + 1
            if degree:
                for base in range(0, len(values), stride * length):
                    for offset in range(base, base + stride):
                        for k in range(1, length):
                            for i in range(degree, k - 1, -1):
                                at = offset + i * stride
                                values[at] -= values[at - stride]
            stride *= length
        return values


class TooManyResidues(Exception):
    """A size is too large to look at every residue."""
