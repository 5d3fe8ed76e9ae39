"""Writing symbolic values, for people and as Python source."""

from __future__ import annotations

import math
from typing import Any

from archc.shapes.atom import Floor, Node, Opaque, Symbol
from archc.shapes.condition import Cond
from archc.shapes.dim import Dim, Poly, _term_key, accumulate, of_atom, times
from archc.shapes.division import mirror
from archc.shapes.formula import Formula
from archc.shapes.number import AND, ATOM, COMPARE, CONDITIONAL, NOT, OR, POWER, PRODUCT, SUM, UNARY, plain

Written = tuple  # of text and binding strength


class _Mod:
    """`numerator % divisor`: stands for P - d * floor(P / d) while a polynomial is written."""

    __slots__ = ("numerator", "divisor", "weight")

    def __init__(self, numerator: Dim, divisor: int):
        self.numerator, self.divisor, self.weight = numerator, divisor, numerator.weight + 1

    @property
    def key(self) -> tuple:
        return (1, text(self.numerator), f"% {self.divisor}")


def text(value: Any) -> str:
    """For people: `(H + 1) // 2`, `sqrt(H)`. What is no symbolic value is written by `str`."""
    if isinstance(value, Dim):
        if value._text is None:
            value._text = _polynomial(dict(value.terms), False)[0]
        return value._text
    return _written(value, False)[0]


def python(value: Any) -> str:
    """Python source over the symbols' names, and `math`, with the brackets that it needs.

    >>> from archc.shapes import sqrt, symbol
    >>> H = symbol("H")
    >>> python(2 * (H // 2)), python(1 / sqrt(H + 1))
    ('2 * (H // 2)', '1 / math.sqrt(H + 1)')
    """
    return _written(value, True)[0]


def atom_text(atom: Any) -> str:
    return _atom(atom, False)[0]


def _written(value: Any, exact: bool) -> Written:
    if isinstance(value, Dim):
        return _polynomial(dict(value.terms), exact)
    if isinstance(value, Cond):
        return _condition(value, exact)
    if isinstance(value, (Formula, Opaque, Symbol, Floor)):
        return _atom(value, exact)
    if isinstance(value, (list, tuple)):
        items = ", ".join(_written(v, exact)[0] for v in value)
        if isinstance(value, list):
            return f"[{items}]", ATOM
        return f"({items}{',' if len(value) == 1 else ''})", ATOM
    value = plain(value)
    if isinstance(value, float) and not math.isfinite(value):
        return ("math.nan" if value != value else f"{'-' if value < 0 else ''}math.inf"), UNARY
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(value), UNARY if math.copysign(1, value) < 0 else ATOM
    return (repr(value) if exact else str(value)), ATOM


def _in(written: Written, level: int) -> str:
    """The text, in brackets where it binds less than `level`."""
    return written[0] if written[1] >= level else f"({written[0]})"


# -- polynomials ---------------------------------------------------------------------------


def _polynomial(poly: Poly, exact: bool) -> Written:
    terms = _arranged(_shortest(poly, exact))
    # a leading minus reads badly: begin with something that is added, if there is any
    first = next((i for i, (_, c) in enumerate(terms) if c > 0), 0)
    terms.insert(0, terms.pop(first))
    return _sum(terms, exact)


def _arranged(poly: Poly) -> list:
    return sorted(poly.items(), key=_term_key)


def _sum(terms: list, exact: bool) -> Written:
    if not terms:
        return "0", ATOM
    if len(terms) == 1 and terms[0][1] > 0:
        monomial, c = terms[0]
        return _term(monomial, c, exact)
    parts = []
    for i, (monomial, c) in enumerate(terms):
        written = _term(monomial, abs(c), exact)
        if i:
            parts.append(f" {'-' if c < 0 else '+'} {_in(written, PRODUCT)}")
        elif c > 0:
            parts.append(_in(written, PRODUCT))
        else:
            # `-a // b` would divide -a
            divides = c == -1 and len(monomial) == 1
            parts.append(f"-{_in(written, UNARY if divides else PRODUCT)}")
    return "".join(parts), (SUM if len(terms) > 1 else PRODUCT)


def _term(monomial: tuple, c: int, exact: bool) -> Written:
    if not monomial:
        return str(c), ATOM
    factors = []
    for atom, exponent in monomial:
        factor = _atom(atom, exact)
        factors.append((f"{_in(factor, ATOM)} ** {exponent}", POWER) if exponent > 1 else factor)
    if c == 1 and len(factors) == 1:
        return factors[0]
    body = " * ".join(_in(f, UNARY) for f in factors)
    return (body if c == 1 else f"{c} * {body}"), PRODUCT


def _shortest(poly: Poly, exact: bool) -> Poly:
    """The polynomial with each floor written the way that makes the whole shortest:

    floor(X/d) as it is, as a remainder X % d, or as its mirror image floor((d - 1 - X) / d), and
    with a constant taken in.
    """
    for floor in [a for m in poly for a, e in m if isinstance(a, Floor) and e == 1]:
        if len(poly) > 12:
            break
        factor = {}  # poly = floor * factor + rest
        rest = {}
        for m, c in poly.items():
            powers = dict(m)
            if powers.get(floor) == 1:
                factor[tuple(p for p in m if p[0] is not floor)] = c
            else:
                rest[m] = c
        if not factor or any(p[0] is floor for m in rest for p in m):
            continue
        options = [poly, *_variants(floor, factor, rest)]
        if len(options) > 1:
            poly = min(options, key=lambda p: _cost(p, exact))
    return poly


def _cost(poly: Poly, exact: bool) -> tuple:
    written = _sum(_arranged(poly), exact)[0]
    weight = sum(1 + sum(a.weight for a, _ in m) for m in poly)
    return weight, len(written), written


def _variants(floor: Floor, factor: Poly, rest: Poly) -> list[Poly]:
    x, d = floor.numerator, floor.divisor
    found = []
    # F = (X - X % d) / d, and the same where F = floor(G / d) of another floor G
    dividends = [(x, d)]
    for inner in [a for m in rest for a, _ in m if isinstance(a, Floor)]:
        if d % inner.divisor == 0 and of_atom(inner) // (d // inner.divisor) is of_atom(floor):
            dividends.append((of_atom(inner), d // inner.divisor))
    for dividend, divisor in dividends:
        if all(c % divisor == 0 for c in factor.values()):
            shares = {m: c // divisor for m, c in factor.items()}
            plainer = dict(rest)
            for m, c in shares.items():
                accumulate(plainer, ((times(m, n), k) for n, k in dividend.terms), c)
            if len(plainer) < len(rest):
                accumulate(plainer, ((_with(m, _Mod(dividend, divisor)), -c) for m, c in shares.items()))
                found.append(plainer)
    found.extend(_absorbed(x, d, factor, rest))
    # F = S - G with G = floor(Y / d), Y the mirror image of X and S the sum of its monomials
    moved = dict(rest)
    for m, c in factor.items():
        accumulate(moved, ((times(m, n), 1) for n, _ in x.terms if n), c)
    if len(moved) < len(rest):
        y = mirror(x, d)
        negated = {m: -c for m, c in factor.items()}
        found.append(_added(moved, y, d, negated))
        found.extend(_absorbed(y, d, negated, moved))
    return found


def _absorbed(x: Dim, d: int, factor: Poly, rest: Poly) -> list[Poly]:
    """floor(X/d) + k as floor((X + dk) / d)."""
    constant = rest.get((), 0)
    if not constant or len(factor) != 1:
        return []
    ((monomial, c),) = factor.items()
    if monomial or constant % c:
        return []
    less = {m: k for m, k in rest.items() if m}
    return [_added(less, x + d * (constant // c), d, factor)]


def _added(rest: Poly, x: Any, d: int, factor: Poly) -> Poly:
    total = dict(rest)
    floor = Floor(x, d)
    accumulate(total, ((_with(m, floor), c) for m, c in factor.items()))
    return total


def _with(monomial: tuple, atom: Any) -> tuple:
    return (*monomial, (atom, 1))


# -- atoms and formulas --------------------------------------------------------------------

_FUNCTIONS = {"min": "min", "max": "max", "abs": "abs"}
_MATH = ("floor", "ceil", "sqrt", "log", "log2", "exp")
_INFIX = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT}


def _atom(atom: Any, exact: bool) -> Written:
    if isinstance(atom, Symbol):
        return atom.name, ATOM
    if isinstance(atom, (Floor, _Mod)):
        numerator = _written(atom.numerator, exact)
        nested = " // " in numerator[0] or " % " in numerator[0]
        body = _in(numerator, ATOM if nested else PRODUCT)
        return f"{body} {'//' if isinstance(atom, Floor) else '%'} {atom.divisor}", PRODUCT
    return _node(atom, exact)


def _node(node: Node, exact: bool) -> Written:
    op = node.op
    args = [_written(a, exact) for a in node.args]
    if op in _FUNCTIONS:
        return f"{_FUNCTIONS[op]}({', '.join(a[0] for a in args)})", ATOM
    if op in _MATH:
        return f"{'math.' if exact else ''}{op}({args[0][0]})", ATOM
    if op == "neg":
        return f"-{_in(args[0], POWER)}", UNARY
    if op == "select":
        test, then, other = args
        return f"{_in(then, OR)} if {_in(test, OR)} else {_in(other, CONDITIONAL + 1)}", CONDITIONAL
    if op in ("**", "pow"):
        return f"{_in(args[0], ATOM)} ** {_in(args[1], POWER)}", POWER
    op = "//" if op == "floordiv" else op
    level = _INFIX[op]
    return f"{_in(args[0], level)} {op} {_in(args[1], level + 1)}", level


# -- conditions ----------------------------------------------------------------------------


def _condition(condition: Cond, exact: bool) -> Written:
    op, args = condition.op, condition.args
    if op in ("and", "or"):
        level = AND if op == "and" else OR
        return f" {op} ".join(_in(_written(a, exact), level + 1) for a in args), level
    if op == "not":
        return f"not {_in(_written(args[0], exact), COMPARE + 1)}", NOT
    if len(args) == 2:
        if not isinstance(args[0], (Dim, Formula)):  # sqrt(H) > 2 rather than 2 < sqrt(H)
            args, op = args[::-1], op.replace("<", ">")
        left, right = (_in(_written(a, exact), COMPARE + 1) for a in args)
        return f"{left} {op} {right}", COMPARE
    return _comparison(op, dict(args[0].terms), exact), COMPARE


def _comparison(op: str, poly: Poly, exact: bool) -> str:
    """`poly op 0`, with what is subtracted brought to the other side."""
    poly = _shortest(poly, exact)
    constant = poly.pop((), 0)
    left = {m: c for m, c in poly.items() if c > 0}
    right = {m: -c for m, c in poly.items() if c < 0}
    if not left:
        left, right, constant = right, left, -constant
        op = "<=" if op == ">=" else op
    # left + constant op right
    if not right:
        right = {(): -constant} if constant else {}
    elif op == ">=" and constant == -1:
        op = ">"
    elif constant > 0:
        left[()] = constant
    elif constant < 0:
        right[()] = -constant
    return f"{_in(_sum(_arranged(left), exact), SUM)} {op} {_in(_sum(_arranged(right), exact), SUM)}"
