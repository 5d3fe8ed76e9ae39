"""What a name in an expression stands for: a value, a bare word, an operator; or that nothing defines it."""

from __future__ import annotations

from typing import Any

from archc.lang import syntax
from archc.lang.bounds import Bounded
from archc.lang.functions import FUNCTIONS
from archc.lang.types import Choice, Operator, ParamType, Str
from archc.lang.values import UNKNOWN, EvaluationError, Given, Partial, Scope, Unavailable, Word, is_operator
from archc.shapes import Dim, Formula, Num, Real
from archc.source.diagnostic import did_you_mean

MISSING = object()
"""What a name stands for that nothing defines."""


class Lookup(Bounded):
    """The names of an evaluation. `bare`: may a bare word stand where a whole value does?"""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.bare = scope.bare

    def lookup(self, expr: syntax.Name) -> Any:
        name = expr.id
        for names in (self.locals, self.scope.names, self.scope.present):
            if name in names:
                value = names[name]
                if value is UNKNOWN:
                    raise Unavailable(name)
                return Given.of(value)
        return MISSING

    def name(self, expr: syntax.Name) -> Any:
        self.spend(expr.span)
        value = self.lookup(expr)
        if value is MISSING:
            if expr.id in self.scope.words:
                return Word(expr.id)
            raise self.undefined(expr)
        self.note(expr, value)
        return value

    def word(self, expr: syntax.Name, want: ParamType | None) -> Any:
        """A name as a whole value."""
        value = self.lookup(expr)
        if isinstance(want, Operator):
            if value is MISSING or not (value is None or is_operator(value)):
                return Partial(expr.id, span=expr.span)  # what is no operator does not hide one
            return value.more((), {}, expr.span) if isinstance(value, Partial) else value
        if value is MISSING:
            if isinstance(want, Choice) and expr.id in want.words:
                return expr.id
            if expr.id in self.scope.words or (self.bare and want is None):
                return Word(expr.id)
            raise self.undefined(expr, want)
        if isinstance(value, list) and _fully_labelled(value):
            return value
        self.note(expr, value)
        return value

    def undefined(self, expr: syntax.Name, want: ParamType | None = None) -> Exception:
        if self.scope.missing is not None:
            return self.scope.missing(expr)
        if expr.id in FUNCTIONS:
            message, help = f"`{expr.id}` is a function", f"call it: `{FUNCTIONS[expr.id].usage}`"
        else:
            known = [*self.locals, *self.scope.names, *self.scope.present, *self.scope.words]
            near = did_you_mean(expr.id, known)
            message, help = f"`{expr.id}` is not defined", f"did you mean `{near}`?" if near else None
            if help is None and isinstance(want, Str):
                help = f'a text stands in quotes: "{expr.id}"'
        return EvaluationError(message, expr.span, help, "A240")


def _fully_labelled(value: Any) -> bool:
    """Does every number of a list carry a label?"""
    if isinstance(value, list):
        return all(map(_fully_labelled, value))
    return isinstance(value, Num | Real | Dim | Formula) or is_operator(value)
