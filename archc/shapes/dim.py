"""Dimensions: interned polynomials with integer coefficients over atoms.

An atom is a symbol (a free dimension, or an unknown size), `floor(P / d)` of a polynomial and
an integer, or an opaque function of other values. Polynomials are kept in one normal form and
interned, so equal ones are the same object and `==` is a comparison of addresses.
"""

from __future__ import annotations

from math import gcd
from typing import Any

from archc.shapes.atom import PARAMETER, Atom, Immutable, Symbol, interned
from archc.shapes.limits import BITS, DEGREE, DEPTH, TERMS, WEIGHT, TooLarge

Monomial = tuple  # of (atom, exponent), sorted by the atoms' keys; () is the constant's
Poly = dict  # Monomial -> int, no zeros


def _atom_key(power: tuple) -> tuple:
    return power[0].key


def _term_key(term: tuple) -> tuple:
    monomial = term[0]
    return (-sum(e for _, e in monomial), tuple((a.key, -e) for a, e in monomial))


def times(m: Monomial, n: Monomial) -> Monomial:
    """The product of two monomials."""
    if not m:
        return n
    if not n:
        return m
    powers = dict(m)
    for atom, exponent in n:
        powers[atom] = powers.get(atom, 0) + exponent
    if sum(powers.values()) > DEGREE:
        raise TooLarge(f"a size is a polynomial of a degree over {DEGREE}")
    return tuple(sorted(powers.items(), key=_atom_key))


def accumulate(total: Poly, terms: Any, factor: int = 1) -> None:
    """Add `factor` times the terms to `total`, in place."""
    for monomial, c in terms:
        c = total.get(monomial, 0) + c * factor
        if c:
            total[monomial] = c
        else:
            total.pop(monomial, None)


def product(left: Any, right: Any) -> Poly:
    """The product of two sequences of terms."""
    if len(left) * len(right) > 100 * TERMS:
        raise TooLarge(f"a size has more than {TERMS} terms")
    total: Poly = {}
    for m, c in left:
        for n, d in right:
            k = times(m, n)
            s = total.get(k, 0) + c * d
            if s:
                total[k] = s
            else:
                total.pop(k, None)
    return total


def size(poly: Poly) -> Size:
    """The Size of a polynomial; a plain int where it is constant."""
    if not poly:
        return 0
    if len(poly) == 1 and () in poly:
        return poly[()]
    return _of_terms(tuple(sorted(poly.items(), key=_term_key)) if len(poly) > 1 else tuple(poly.items()))


def _of_terms(terms: tuple) -> Dim:
    return interned(terms, lambda: Dim._create(terms))


def _rebuilt(terms: tuple) -> Size:
    return size(dict(terms))


def terms_of(value: Size) -> tuple:
    """The terms of a Size, an int's too."""
    if isinstance(value, Dim):
        return value.terms
    return (((), int(value)),) if value else ()


_UNSET = object()


class Dim(Immutable):
    """A symbolic size. Made by `symbol` and by arithmetic on one; never a constant.

    `==` and `hash` tell whether two are the same polynomial in normal form. `<`, `<=`, `>`, `>=`
    give a `Cond` (or a bool where one side is always right), `/` a `Formula`.

    >>> H = symbol("H")
    >>> str((H - 1) // 2 + 1), H + H == 2 * H, H - H
    ('(H + 1) // 2', True, 0)
    """

    __slots__ = ("terms", "depth", "weight", "_least", "_most", "_text", "__weakref__")
    terms: tuple
    depth: int
    weight: int

    @staticmethod
    def _create(terms: tuple) -> Dim:
        if len(terms) > TERMS:
            raise TooLarge(f"a size has more than {TERMS} terms")
        self = object.__new__(Dim)
        self.terms = terms
        depth, weight = 0, 0
        for monomial, c in terms:
            if c.bit_length() > BITS:
                raise TooLarge(f"a size has a coefficient of more than {BITS} bits")
            weight += 1
            for atom, _ in monomial:
                weight += atom.weight
                if atom.depth > depth:
                    depth = atom.depth
        if depth > DEPTH or weight > WEIGHT:
            raise TooLarge("the expression of a size is too large")
        self.depth, self.weight = depth, weight
        self._least = self._most = _UNSET
        self._text = None
        return self

    def __reduce__(self) -> tuple:
        return _rebuilt, (self.terms,)

    @property
    def constant(self) -> int:
        """The constant term."""
        last = self.terms[-1]
        return 0 if last[0] else last[1]

    @property
    def least(self) -> int | None:
        """A lower bound over all values of the symbols, the tightest that is easily found."""
        if self._least is _UNSET:
            from archc.shapes.bounds import lower

            self._least = lower(self.terms)
        return self._least

    @property
    def most(self) -> int | None:
        """An upper bound, as `least`."""
        if self._most is _UNSET:
            from archc.shapes.bounds import lower

            low = lower((-self).terms)
            self._most = None if low is None else -low
        return self._most

    def content(self) -> int:
        """The greatest common divisor of the coefficients, the constant term's not counted."""
        return gcd(*(c for m, c in self.terms if m))

    # -- arithmetic ------------------------------------------------------------------------

    def __add__(self, other: Any) -> Any:
        if isinstance(other, int):
            other = int(other)
            if not other:
                return self
            terms = self.terms
            if terms[-1][0]:
                return _of_terms((*terms, ((), other)))
            constant = terms[-1][1] + other
            return _of_terms((*terms[:-1], ((), constant)) if constant else terms[:-1])
        if isinstance(other, Dim):
            total = dict(self.terms)
            accumulate(total, other.terms)
            return size(total)
        return _floating("+", self, other)

    __radd__ = __add__

    def __neg__(self) -> Dim:
        return _of_terms(tuple((m, -c) for m, c in self.terms))

    def __pos__(self) -> Dim:
        return self

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, int):
            return self + -int(other)
        if isinstance(other, Dim):
            total = dict(self.terms)
            accumulate(total, other.terms, -1)
            return size(total)
        return _floating("-", self, other)

    def __rsub__(self, other: Any) -> Any:
        if isinstance(other, int):
            return -self + other
        return _floating("-", other, self)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, int):
            factor = int(other)
            if not factor:
                return 0
            return _of_terms(tuple((m, c * factor) for m, c in self.terms))
        if isinstance(other, Dim):
            return size(product(self.terms, other.terms))
        return _floating("*", self, other)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        if isinstance(other, (int, Dim)):
            from archc.shapes.division import floor_divide

            return floor_divide(self, other)
        return _floating("//", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        if isinstance(other, int):
            from archc.shapes.division import floor_divide

            return floor_divide(int(other), self)
        return _floating("//", other, self)

    def __mod__(self, other: Any) -> Any:
        if isinstance(other, (int, Dim)):
            return self - other * (self // other)
        return _floating("%", self, other)

    def __rmod__(self, other: Any) -> Any:
        if isinstance(other, int):
            return other - self * (other // self)
        return _floating("%", other, self)

    def __truediv__(self, other: Any) -> Any:
        return _floating("/", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _floating("/", other, self)

    def __pow__(self, exponent: Any) -> Any:
        if isinstance(exponent, int) and exponent >= 0:
            if exponent > DEGREE:
                raise TooLarge(f"a size is a polynomial of a degree over {DEGREE}")
            result: Size = 1
            for _ in range(exponent):
                result = self * result
            return result
        if isinstance(exponent, Dim):
            from archc.shapes.functions import power

            return power(self, exponent)
        return _floating("**", self, exponent)

    def __rpow__(self, base: Any) -> Any:
        if isinstance(base, int):
            from archc.shapes.functions import power

            return power(int(base), self)
        return _floating("**", base, self)

    def __abs__(self) -> Any:
        from archc.shapes.functions import absolute

        return absolute(self)

    # -- comparison ------------------------------------------------------------------------

    def __ge__(self, other: Any) -> Any:
        return _compared(">=", self, other)

    def __gt__(self, other: Any) -> Any:
        return _compared(">", self, other)

    def __le__(self, other: Any) -> Any:
        return _compared("<=", self, other)

    def __lt__(self, other: Any) -> Any:
        return _compared("<", self, other)

    def __bool__(self) -> bool:
        raise TypeError(f"the size {self} is symbolic: it has no truth value")

    def __int__(self) -> int:
        raise TypeError(f"the size {self} is symbolic: it is no number")

    def __str__(self) -> str:
        from archc.shapes.printing import text

        return text(self)

    def __repr__(self) -> str:
        return f"Dim({self})"


Size = int | Dim


def _floating(op: str, left: Any, right: Any) -> Any:
    from archc.shapes.formula import arithmetic

    return arithmetic(op, left, right)


def _compared(op: str, left: Any, right: Any) -> Any:
    from archc.shapes.condition import compared

    return compared(op, left, right)


def symbol(name: str, reason: str | None = None) -> Dim:
    """A free dimension, an integer >= 1, or >= 0 with the reason EMPTY; with any other `reason`, a size about
    which nothing is known.

    An unknown size may be 0, and equals nothing but itself; the reason says why it is unknown.
    """
    return of_atom(Symbol(name, reason))


def parameter(name: str) -> Dim:
    """A whole number that nobody has given, of any sign; `name` may be the text of an expression.

    >>> c = parameter("ch_mult[0]")
    >>> print(64 * c, c > 0)
    64 * ch_mult[0] ch_mult[0] >= 1
    """
    return of_atom(Symbol(name, PARAMETER))


def of_atom(atom: Atom) -> Dim:
    """The polynomial that is just this atom."""
    return _of_terms(((((atom, 1),), 1),))
