"""Floor division and its normal form."""

from __future__ import annotations

from functools import lru_cache
from math import gcd

from archc.shapes.atom import Floor, Opaque, Symbol
from archc.shapes.dim import Dim, Monomial, Poly, Size, accumulate, of_atom, size, terms_of, times


def floor_divide(dividend: Size, divisor: Size) -> Size:
    """`dividend // divisor`, exactly as Python's; ZeroDivisionError for the divisor 0."""
    if isinstance(divisor, Dim):
        return _by_size(dividend, divisor)
    if divisor == 0:
        raise ZeroDivisionError(f"{dividend} // 0")
    if isinstance(dividend, int):
        return int(dividend) // int(divisor)
    if divisor < 0:
        return _by_integer(-dividend, -int(divisor))
    return dividend if divisor == 1 else _by_integer(dividend, int(divisor))


@lru_cache(maxsize=1024)
def _by_integer(dividend: Dim, d: int) -> Size:
    """The normal form of floor(P / d), d >= 1. What remains below a floor has

    - coefficients in [0, d) that have no divisor in common with d: P = dQ + R, Q is out;
    - not just one floor with coefficient 1 or -1: floor((floor(A/e) + Q) / d) = floor((A + eQ) / (ed)),
      and -floor(A/e) is the floor of its mirror image less a polynomial;
    - of R and its mirror image, floor(R / d) = -floor((d - 1 - R) / d), the one with the smaller
      coefficients; so ceil(X / 3) is -floor(-X / 3), and ceil(X / 2) is X - floor(X / 2).
    """
    out: Poly = {}
    rest: Poly = dict(dividend.terms)
    while True:
        g = gcd(d, *(c for m, c in rest.items() if m))
        if g > 1:
            d //= g
            rest = {m: c // g for m, c in rest.items() if c // g}
        inner = _joinable(rest, d) if d > 1 else None
        if inner is None:
            break
        monomial = ((inner, 1),)
        c = rest.pop(monomial)
        if c % d == 1 and (c > 0 or d > 2):
            numerator = inner.numerator
            accumulate(out, ((monomial, c // d),))
        else:
            numerator = mirror(inner.numerator, inner.divisor)
            accumulate(out, ((monomial, -(-c // d)),))
            accumulate(rest, ((m, -1) for m, _ in numerator.terms if m))
        rest = {m: c * inner.divisor for m, c in rest.items()}
        accumulate(rest, numerator.terms)
        d *= inner.divisor
    accumulate(out, ((m, c // d) for m, c in rest.items()))
    rest = {m: c % d for m, c in rest.items() if c % d}
    if not any(rest):  # nothing but a constant below d is left
        return size(out)
    numerator = _dim(rest)
    mirrored = mirror(numerator, d)
    if _coefficients(mirrored) < _coefficients(numerator):
        accumulate(out, ((m, 1) for m in rest if m))
        accumulate(out, terms_of(_floor(mirrored, d)), -1)
    else:
        accumulate(out, terms_of(_floor(numerator, d)))
    return size(out)


def _dim(poly: Poly) -> Dim:
    found = size(poly)
    assert isinstance(found, Dim)
    return found


def _coefficients(dim: Dim) -> list[int]:
    return [c for m, c in dim.terms if m] + [dim.constant]


def _joinable(poly: Poly, d: int) -> Floor | None:
    """The one floor that stands alone with coefficient 1 or -1, as far as d can tell."""
    found = [m[0][0] for m, c in poly.items() if len(m) == 1 and m[0][1] == 1 and c % d in (1, d - 1)]
    floors = [a for a in found if isinstance(a, Floor)]
    return floors[0] if len(floors) == 1 else None


def _floor(numerator: Dim, d: int) -> Size:
    """floor(numerator / d) of a reduced numerator; min and max change places with it."""
    (monomial, c), *others = numerator.terms
    if c == 1 and len(monomial) == 1 and (not others or (len(others) == 1 and not others[0][0])):
        atom, exponent = monomial[0]
        if exponent == 1 and isinstance(atom, Opaque) and atom.op in ("min", "max"):
            from archc.shapes.functions import maximum, minimum

            constant = numerator.constant
            function = minimum if atom.op == "min" else maximum
            return function(*(floor_divide(a + constant, d) for a in atom.args))
    return of_atom(Floor(numerator, d))


def as_floor(value: Dim) -> tuple[int, Dim, int] | None:
    """`(c, P, d)` of a value that is c * floor(P / d) and a constant, also where the mirror image stands."""
    for monomial, c in value.terms:
        if len(monomial) != 1 or monomial[0][1] != 1 or not isinstance(monomial[0][0], Floor):
            continue
        atom = monomial[0][0]
        others = {m: k for m, k in value.terms if m and m != monomial}
        if not others:
            return c, atom.numerator, atom.divisor
        if others == {m: -c for m, _ in atom.numerator.terms if m}:
            # floor(P / d) is the sum of P's monomials less the floor of its mirror image
            return -c, mirror(atom.numerator, atom.divisor), atom.divisor
    return None


def mirror(dim: Dim, d: int) -> Dim:
    """R of a reduced P with floor(P / d) = (sum of P's monomials) - floor(R / d)."""
    poly = {m: d - c for m, c in dim.terms if m}
    constant = d - 1 - dim.constant
    if constant:
        poly[()] = constant
    return _dim(poly)


def _by_size(dividend: Size, divisor: Dim) -> Size:
    """floor(P / Q): what Q divides is out; else a function of which nothing more is known."""
    if dividend == 0 and divisor.least is not None and divisor.least > 0:
        return 0
    dividend, reduced = _reduced(dividend, divisor)
    if not isinstance(reduced, Dim):
        return floor_divide(dividend, reduced)
    divisor = reduced
    out: Size = 0
    if divisor.least is not None and divisor.least > 0:
        out, dividend = _divided(dividend, divisor)
        if isinstance(dividend, int) and dividend == 0:
            return out
        least, most = (dividend, dividend) if isinstance(dividend, int) else (dividend.least, dividend.most)
        if least is not None and least >= 0 and most is not None and most < divisor.least:
            return out
        if least is not None and least >= -divisor.least and most is not None and most < 0:
            return out - 1
    return out + of_atom(Opaque("floordiv", (dividend, divisor)))


def _reduced(dividend: Size, divisor: Dim) -> tuple[Size, Size]:
    """Both without the factors that they have in common and that cannot be 0: numbers, symbols."""
    terms = [*terms_of(dividend), *divisor.terms]
    g = gcd(*(c for _, c in terms))
    if all(c < 0 for _, c in divisor.terms):
        g = -g
    # What may be 0 is left out but for floors: dividing by one that is 0 is an error either way.
    common: dict = {
        a: e for a, e in terms[-1][0] if isinstance(a, Floor) or isinstance(a, Symbol) and (a.least or 0) > 0
    }
    for monomial, _ in terms:
        powers = dict(monomial)
        common = {a: min(e, powers[a]) for a, e in common.items() if a in powers}
    if g == 1 and not common:
        return dividend, divisor

    def without(value: Size) -> Size:
        return size({_quotient(m, common): c // g for m, c in terms_of(value)})

    return without(dividend), without(divisor)


def _quotient(monomial: Monomial, divisor: dict) -> Monomial:
    powers = ((a, e - divisor.get(a, 0)) for a, e in monomial)
    return tuple((a, e) for a, e in powers if e)


def _divided(dividend: Size, divisor: Dim) -> tuple[Size, Size]:
    """`dividend = out * divisor + rest`. A divisor of several terms takes out all or nothing."""
    lead, factor = divisor.terms[0]
    powers = dict(lead)
    out: Poly = {}
    rest: Poly = dict(terms_of(dividend))
    for _ in range(len(rest) if len(divisor.terms) == 1 else 50):
        for monomial, c in sorted(rest.items(), key=lambda t: -sum(e for _, e in t[0])):
            have = dict(monomial)
            if c // factor and all(have.get(a, 0) >= e for a, e in powers.items()):
                break
        else:
            break
        step = (_quotient(monomial, powers), c // factor)
        accumulate(out, (step,))
        accumulate(rest, ((times(step[0], m), -k * step[1]) for m, k in divisor.terms))
    if rest and len(divisor.terms) > 1:
        return 0, dividend
    return size(out), size(rest)
