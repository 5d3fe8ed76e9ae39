"""Walks over syntax trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from archc.lang import syntax
from archc.lang.syntax import Expr


def children(expr: Expr) -> Sequence[Expr]:
    """The expressions that an expression is made of, as they stand in the text."""
    parts = _PARTS.get(type(expr))
    return () if parts is None else parts(expr)


def _arguments(arguments: tuple[syntax.Argument, ...]) -> list[Expr]:
    return [argument.value for argument in arguments]


def _index(at: syntax.Index) -> list[Expr]:
    parts = [at.value]
    for item in at.items:
        if isinstance(item, syntax.Slice):
            parts += [part for part in (item.start, item.stop, item.step) if part is not None]
        elif not isinstance(item, syntax.Dots):
            parts.append(item)
    return parts


def _comprehension(at: syntax.Comprehension) -> list[Expr]:
    return [at.item, *(part for clause in at.clauses for part in (clause.iterable, *clause.tests))]


def _chain(at: syntax.Chain) -> list[Expr]:
    parts = _arguments(at.arguments)
    for step in at.steps:
        if step.arguments:
            parts += _arguments(step.arguments)
    return parts


_PARTS: dict[type, Callable[[Any], Sequence[Expr]]] = {
    syntax.Sequence: lambda at: at.items,
    syntax.Unary: lambda at: (at.operand,),
    syntax.Binary: lambda at: (at.left, at.right),
    syntax.Compare: lambda at: (at.first, *(operand for _, operand in at.rest)),
    syntax.Conditional: lambda at: (at.then, at.test, at.other),
    syntax.Call: lambda at: _arguments(at.arguments),
    syntax.Index: _index,
    syntax.Port: lambda at: (at.value,),
    syntax.Comprehension: _comprehension,
    syntax.Chain: _chain,
}
"""The parts of each kind of expression; a name and a literal have none."""


def walk(expr: Expr) -> Iterator[Expr]:
    """An expression and all expressions in it, each before its parts, in the order of the text.

    Names in call and step position are no expressions: see `called`.
    """
    stack = [expr]
    while stack:
        at = stack.pop()
        yield at
        if parts := children(at):
            stack.extend(reversed(parts))


def chains(line: syntax.Line) -> Iterator[syntax.Chain]:
    """All chains of a line, in the order of the text: its own, those in brackets, the else-line's."""
    at: syntax.Line | None = line
    while at is not None:
        yield from (part for part in walk(at.chain) if isinstance(part, syntax.Chain))
        at = at.otherwise


def called(expr: Expr) -> Iterator[syntax.Name]:
    """The names that are called in an expression, or steps of its chains, in the order of the text."""
    for at in walk(expr):
        if isinstance(at, syntax.Call):
            yield at.name
        elif isinstance(at, syntax.Chain):
            yield from (step.name for step in at.steps)


def free_occurrences(expr: Expr) -> Iterator[syntax.Name]:
    """Every `Name` in an expression that no comprehension around it binds."""
    stack: list[tuple[Expr, frozenset[str]]] = [(expr, frozenset())]
    while stack:
        at, bound = stack.pop()
        if isinstance(at, syntax.Name):
            if at.id not in bound:
                yield at
        elif isinstance(at, syntax.Comprehension):
            parts: list[tuple[Expr, frozenset[str]]] = []
            inner = bound
            for clause in at.clauses:
                parts.append((clause.iterable, inner))
                inner = inner.union(clause.names)
                parts.extend((test, inner) for test in clause.tests)
            stack.extend(reversed([(at.item, inner), *parts]))
        else:
            stack.extend((child, bound) for child in reversed(children(at)))


def free_names(expr: Expr) -> frozenset[str]:
    """The names that an expression needs from outside, those of what it calls left out.

    A name that is called may be a param of type `op`: see `called`.
    """
    return frozenset(name.id for name in free_occurrences(expr))
