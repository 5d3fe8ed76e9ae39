"""The syntax tree of expressions and flow lines.

One grammar serves both: a flow operand is an expression that may also hold ports
(`value.port`) and chains in brackets. Every node keeps its place in the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from archc.source.text import Span


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a string, `true`, `false` or `null`."""

    value: int | float | str | bool | None
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    id: str
    span: Span


@dataclass(frozen=True, slots=True)
class Sequence:
    """`[a, b]`, or a row in round brackets `(a, b)`: only the printer tells them apart."""

    items: tuple[Expr, ...]
    span: Span
    row: bool = False


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`, `+x` or `not x`."""

    op: str
    operand: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`+ - * / // % ** @`, and the short-circuit `and`, `or`."""

    op: str
    left: Expr
    right: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Compare:
    """`a < b <= c`: operators `== != < <= > >= in`, `not in`."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """`then if test else other`."""

    test: Expr
    then: Expr
    other: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call; `name` is None where it is given by position.

    `span` covers the whole, name included.
    """

    name: str | None
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`. A bare name where a call is wanted is a call without arguments."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Slice:
    start: Expr | None
    stop: Expr | None
    step: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Dots:
    """`...` in an index or a shape."""

    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """`value[items]`."""

    value: Expr
    items: tuple[Expr | Slice | Dots, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Port:
    """`value.port` in a flow."""

    value: Expr
    port: str
    span: Span


@dataclass(frozen=True, slots=True)
class Clause:
    """`for names in iterable if tests` of a comprehension."""

    names: tuple[str, ...]
    iterable: Expr
    tests: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Comprehension:
    item: Expr
    clauses: tuple[Clause, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Step:
    """`-> name` or `-> name(more)`. `called` tells `name()` from `name`."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span
    called: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """`args -> step -> step`; inside an expression, a chain in brackets."""

    arguments: tuple[Argument, ...]
    steps: tuple[Step, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Line:
    """`names: chain if condition else line`. `names` of an else-line are those of its line."""

    names: tuple[Name, ...]
    chain: Chain
    condition: Expr | None
    otherwise: Line | None
    span: Span


Expr = Union[
    Literal, Name, Sequence, Unary, Binary, Compare, Conditional, Call, Index, Port, Comprehension, Chain
]
