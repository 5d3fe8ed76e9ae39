"""Walks over syntax trees."""

from __future__ import annotations

from collections.abc import Iterator

from archc.lang import syntax
from archc.lang.syntax import Expr


def children(expr: Expr) -> Iterator[Expr]:
    """The expressions that an expression is made of, as they stand in the text."""
    match expr:
        case syntax.Sequence(items=items):
            yield from items
        case syntax.Unary(operand=operand):
            yield operand
        case syntax.Binary(left=left, right=right):
            yield left
            yield right
        case syntax.Compare(first=first, rest=rest):
            yield first
            for _, operand in rest:
                yield operand
        case syntax.Conditional(test=test, then=then, other=other):
            yield then
            yield test
            yield other
        case syntax.Call(arguments=arguments):
            for argument in arguments:
                yield argument.value
        case syntax.Index(value=value, items=items):
            yield value
            for item in items:
                if isinstance(item, syntax.Slice):
                    yield from (part for part in (item.start, item.stop, item.step) if part is not None)
                elif not isinstance(item, syntax.Dots):
                    yield item
        case syntax.Port(value=value):
            yield value
        case syntax.Comprehension(item=item, clauses=clauses):
            yield item
            for clause in clauses:
                yield clause.iterable
                yield from clause.tests
        case syntax.Chain(arguments=arguments, steps=steps):
            for argument in arguments:
                yield argument.value
            for step in steps:
                for argument in step.arguments:
                    yield argument.value


def walk(expr: Expr) -> Iterator[Expr]:
    """An expression and all expressions in it, each before its parts, in the order of the text.

    Names in call and step position are no expressions: see `called`.
    """
    stack = [expr]
    while stack:
        at = stack.pop()
        yield at
        stack.extend(reversed(list(children(at))))


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
            stack.extend((child, bound) for child in reversed(list(children(at))))


def free_names(expr: Expr) -> frozenset[str]:
    """The names that an expression needs from outside, those of what it calls left out.

    A name that is called may be a param of type `op`: see `called`.
    """
    return frozenset(name.id for name in free_occurrences(expr))
