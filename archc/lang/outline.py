"""Expressions where some numbers are not given: what can be told is told, the rest is its own text.

An outline of a block is made of symbols. Arithmetic on whole numbers stays arithmetic; what the
evaluator cannot decide becomes `Unsettled`, or a symbol named by its text where it is a whole number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from archc.lang import syntax, types
from archc.lang.evaluate import Evaluation
from archc.lang.functions import Symbolic
from archc.lang.printing import literal
from archc.lang.printing import text as printed
from archc.lang.truth import truth
from archc.lang.types import ParamType
from archc.lang.values import EvaluationError, Given, NeedsStatic, Scope, Unavailable, Unsettled
from archc.lang.walk import free_names
from archc.shapes import Dim, Formula, parameter, symbols
from archc.source.text import Span

Loop = Mapping[str, Any]
"""The names of a loop and what they are in one copy: their values stand in a text."""


def outline(expr: syntax.Expr, scope: Scope, want: ParamType | None = None, loop: Loop | None = None) -> Any:
    """The value of an expression as far as it can be told; raises as `evaluate` does."""
    return _Outline(scope, loop or {}).result(expr, want)


def outline_text(expr: syntax.Expr, scope: Scope, loop: Loop | None = None) -> str:
    """The text of an expression, with what the loop's names are in their places."""
    return _Outline(scope, loop or {}).text(expr)


def supposed(text: str, type: ParamType | None) -> Any:
    """What stands for a value of this type that nobody gave."""
    if isinstance(type, types.Int) and not type.optional:
        return parameter(text)
    return Unsettled(text, type)


def item_of(text: str, type: ParamType | None, index: int) -> Any:
    """An item of a list that nobody gave: `text` is the item's."""
    if isinstance(type, types.List):
        return supposed(text, type.item)
    if isinstance(type, types.Row) and -len(type.items) <= index < len(type.items):
        return supposed(text, type.items[index])
    return Unsettled(text)


def renamed(value: Any, name: str) -> Any:
    """What a name stands for: by that name where it would be a text."""
    if isinstance(value, Unsettled):
        return Unsettled(name, value.type)
    if isinstance(value, Dim) and not all(s.isidentifier() for s in symbols(value)):
        return parameter(name)
    return value


_UNDECIDED = (NeedsStatic, Symbolic)


class _Outline(Evaluation):
    """An evaluation that does not insist."""

    def __init__(self, scope: Scope, loop: Loop) -> None:
        super().__init__(scope)
        self.loop = loop

    def result(self, expr: syntax.Expr, want: ParamType | None) -> Any:
        bare, names = self.bare, self.locals
        try:
            return super().result(expr, want)
        except _UNDECIDED:
            self.bare, self.locals = bare, names
        if isinstance(want, types.Choice):
            want = types.Choice(tuple(w for w in want.words if w in self.words_of(expr, want)), want.optional)
        return supposed(self.text(expr), want or self.type_of(expr))

    def fitting(self, value: Any, want: ParamType, span: Span) -> Any:
        """The value as one of the wanted type; a power such as `2 ** layers` may well be a whole number."""
        if isinstance(want, types.Int) and isinstance(value, Formula) and "**" in str(value):
            raise NeedsStatic((), span)
        return super().fitting(value, want, span)

    def call(self, expr: syntax.Call, want: ParamType | None = None) -> Any:
        """A call of a function; `list` and `reversed` hand on what is wanted, also a list nobody gave."""
        if expr.name.id in ("list", "reversed") and expr.arguments:
            given = self.result(expr.arguments[0].value, want)
            if isinstance(given, Unsettled):
                raise NeedsStatic((), expr.span)
        return super().call(expr, want)

    def words_of(self, expr: syntax.Expr, want: types.Choice) -> set[str]:
        """The words that an expression may be."""
        if isinstance(expr, syntax.Conditional):
            return self.words_of(expr.then, want) | self.words_of(expr.other, want)
        found = self.result(expr, want)
        if isinstance(found, Unsettled) and isinstance(found.type, types.Choice):
            return set(found.type.words)
        return {found} if isinstance(found, str) else set(want.words)

    def value(self, expr: syntax.Expr) -> Any:
        """The value of an operand: a whole number at least by its text; else raises NeedsStatic."""
        bare, names = self.bare, self.locals
        try:
            if isinstance(expr, syntax.Index) and isinstance(self.result(expr.value, None), Unsettled):
                raise NeedsStatic((), expr.span)
            found = super().value(expr)
        except _UNDECIDED:
            found = None
            self.bare, self.locals = bare, names
            if isinstance(self.type_of(expr), types.Int):
                text = self.text(expr)
                return parameter(text if _ATOM.fullmatch(text) else f"({text})")
            raise
        finally:
            self.bare = bare
        if isinstance(found, Unsettled) or getattr(found, "unsettled", False):
            raise NeedsStatic((), expr.span)
        return found

    def logic(self, expr: syntax.Binary, want: ParamType | None) -> Any:
        left = self.result(expr.left, None)
        if isinstance(left, Unsettled):
            raise NeedsStatic((), expr.left.span)
        if not isinstance(truth(left), bool):
            right = self.result(expr.right, want)
            mixed = isinstance(left, Given) != isinstance(right, Given) and not isinstance(right, bool)
            if mixed or isinstance(right, Unsettled):
                raise NeedsStatic((), expr.right.span)
        return super().logic(expr, want)

    # Types of what is not settled

    def type_of(self, expr: syntax.Expr) -> ParamType | None:
        """The type of an expression's value, where its parts tell it."""
        match expr:
            case syntax.Name():
                return self._of_value(self.lookup(expr))
            case syntax.Literal(value=value):
                return self._of_value(value)
            case syntax.Index(value=owner, items=(item,)):
                return self._of_item(self.type_of(owner), item)
            case syntax.Call(name=name) if name.id in ("len", "round", "floor", "ceil"):
                return types.Int()
            case syntax.Call(name=name) if name.id == "int":
                return types.Int()
            case syntax.Call(name=name, arguments=arguments) if name.id in (
                "min",
                "max",
                "abs",
                "sum",
                "prod",
            ):
                kinds = {self.type_of(a.value) for a in arguments}
                kinds = {k.item if isinstance(k, types.List) and len(kinds) == 1 else k for k in kinds}
                return types.Int() if kinds == {types.Int()} else None
            case syntax.Unary(op="-" | "+", operand=operand):
                return self.type_of(operand)
            case syntax.Unary() | syntax.Compare():
                return types.Bool()
            case syntax.Conditional(then=then, other=other):
                one = self.type_of(then)
                return one if one == self.type_of(other) else None
            case syntax.Binary(op="+" | "-" | "*" | "//" | "%", left=left, right=right):
                one = self.type_of(left)
                return one if one == types.Int() and one == self.type_of(right) else None
        return None

    @staticmethod
    def _of_value(value: Any) -> ParamType | None:
        if isinstance(value, Unsettled):
            return value.type
        if isinstance(value, bool):
            return types.Bool()
        return types.Int() if isinstance(value, int | Dim) else None

    @staticmethod
    def _of_item(owner: ParamType | None, item: Any) -> ParamType | None:
        if isinstance(item, syntax.Slice):
            return owner if isinstance(owner, types.List) else None
        if isinstance(owner, types.List):
            return owner.item
        if isinstance(owner, types.Row) and isinstance(item, syntax.Literal) and isinstance(item.value, int):
            return owner.items[item.value] if -len(owner.items) <= item.value < len(owner.items) else None
        return None

    # Texts

    def text(self, expr: syntax.Expr) -> str:
        """The text of an expression, for people: numbers of the loop put in."""
        return printed(self._told(expr))

    def _told(self, part: Any, whole: bool = True) -> Any:
        """A part of the tree with the loop's names replaced; `whole`: no brackets are needed around it."""
        if isinstance(part, syntax.Name | syntax.Binary | syntax.Unary) and self._loops(part):
            number = self._number(part)
            if number is not None:
                return (
                    number
                    if whole or _ATOM.fullmatch(number.id)
                    else syntax.Name(f"({number.id})", part.span)
                )
        if isinstance(part, syntax.Call):
            arguments = tuple(a._replace(value=self._told(a.value)) for a in part.arguments)
            return part._replace(arguments=arguments)
        if isinstance(part, syntax.Index):
            items = tuple(self._told(item) for item in part.items)
            return part._replace(value=self._told(part.value, False), items=items)
        if isinstance(part, syntax.Argument):
            return part._replace(value=self._told(part.value))
        if isinstance(part, syntax.Compare):
            rest = tuple((op, self._told(side)) for op, side in part.rest)
            return part._replace(first=self._told(part.first), rest=rest)
        if isinstance(part, syntax.Binary):
            left, right = self._told(part.left, False), self._told(part.right, False)
            if (part.op, getattr(right, "id", None)) in _NEUTRAL:
                return left
            return part._replace(left=left, right=right)
        if type(part) is tuple:
            return tuple(self._told(item, False) for item in part)
        if isinstance(part, tuple) and type(part).__module__ == syntax.__name__:
            return type(part)(*(self._told(field, False) for field in part))
        return part

    def _loops(self, part: Any) -> bool:
        return not free_names(part).isdisjoint({*self.loop, *self.locals})

    def _number(self, part: syntax.Expr) -> syntax.Name | None:
        """What a part of an expression is, as a name to print; None where it has no short text."""
        try:
            found = super().value(part)
        except (*_UNDECIDED, EvaluationError, Unavailable):
            return None
        if isinstance(found, Dim | Unsettled):
            return syntax.Name(str(found), part.span)
        if found is None or isinstance(found, int | float | str):
            return syntax.Name(literal(found), part.span)
        return None


_NEUTRAL = {("*", "1"), ("/", "1"), ("//", "1"), ("**", "1"), ("+", "0"), ("-", "0")}
"""What on the right of a number changes nothing."""
_ATOM = re.compile(r"[\w.]+(\[[^][]*\]|\([^()]*\))?|\"[^\"]*\"")
