"""The syntax tree of expressions and flow lines.

One grammar serves both: a flow operand is an expression that may also hold ports
(`value.port`) and chains in brackets. Every node keeps its place in the source.
"""

from __future__ import annotations

from typing import NamedTuple

from archc.shapes.number import AND, COMPARE, CONDITIONAL, OR, POWER, PRODUCT, SUM
from archc.source.text import Span

INFIX = {
    "if": CONDITIONAL,
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "not"), COMPARE),
    **dict.fromkeys("+-", SUM),
    **dict.fromkeys(("*", "/", "//", "%", "@"), PRODUCT),
    "**": POWER,
}
"""What may stand between two operands, and how tightly it binds."""


class Literal(NamedTuple):
    """A number, a string, `true`, `false` or `null`."""

    value: int | float | str | bool | None
    span: Span


class Name(NamedTuple):
    id: str
    span: Span


class Sequence(NamedTuple):
    """`[a, b]`, or a row in round brackets `(a, b)`: only the printer tells them apart."""

    items: tuple[Expr, ...]
    span: Span
    row: bool = False


class Unary(NamedTuple):
    """`-x`, `+x` or `not x`."""

    op: str
    operand: Expr
    span: Span


class Binary(NamedTuple):
    """`+ - * / // % ** @`, and the short-circuit `and`, `or`."""

    op: str
    left: Expr
    right: Expr
    span: Span


class Compare(NamedTuple):
    """`a < b <= c`: operators `== != < <= > >= in`, `not in`."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]
    span: Span


class Conditional(NamedTuple):
    """`then if test else other`."""

    test: Expr
    then: Expr
    other: Expr
    span: Span


class Argument(NamedTuple):
    """An argument of a call; `name` is None where it is given by position.

    `span` covers the whole, name included.
    """

    name: str | None
    value: Expr
    span: Span


class Call(NamedTuple):
    """`name(arguments)`. A bare name where a call is wanted is a call without arguments."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span


class Slice(NamedTuple):
    start: Expr | None
    stop: Expr | None
    step: Expr | None
    span: Span


class Dots(NamedTuple):
    """`...` in an index or a shape."""

    span: Span


class Index(NamedTuple):
    """`value[items]`."""

    value: Expr
    items: tuple[Expr | Slice | Dots, ...]
    span: Span


class Port(NamedTuple):
    """`value.port` in a flow."""

    value: Expr
    port: str
    span: Span


class Clause(NamedTuple):
    """`for names in iterable if tests` of a comprehension."""

    names: tuple[str, ...]
    iterable: Expr
    tests: tuple[Expr, ...]


class Comprehension(NamedTuple):
    item: Expr
    clauses: tuple[Clause, ...]
    span: Span


class Step(NamedTuple):
    """`-> name` or `-> name(more)`. `called` tells `name()` from `name`."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span
    called: bool = False


class Chain(NamedTuple):
    """`args -> step -> step`; inside an expression, a chain in brackets."""

    arguments: tuple[Argument, ...]
    steps: tuple[Step, ...]
    span: Span


class Line(NamedTuple):
    """`names: chain if condition else line`. `names` of an else-line are those of its line."""

    names: tuple[Name, ...]
    chain: Chain
    condition: Expr | None
    otherwise: Line | None
    span: Span


Expr = (
    Literal
    | Name
    | Sequence
    | Unary
    | Binary
    | Compare
    | Conditional
    | Call
    | Index
    | Port
    | Comprehension
    | Chain
)
