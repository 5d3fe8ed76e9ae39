"""The evaluator of expressions: bounded in work and size, symbolic where a size is not known yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from archc.lang import syntax
from archc.lang.arithmetic import BINARY, compared, signed
from archc.lang.coerce import coerce
from archc.lang.functions import FUNCTIONS, INSTEAD, MOST_ITEMS, Function, integer
from archc.lang.lookup import MISSING, Lookup
from archc.lang.truth import joined, negated, truth
from archc.lang.types import List, Operator, ParamType, Row
from archc.lang.values import (
    EvaluationError,
    Given,
    NeedsStatic,
    Partial,
    Scope,
    is_operator,
    label_names,
    shown,
)
from archc.shapes import Cond, and_, select
from archc.source.diagnostic import did_you_mean
from archc.source.text import Span


def evaluate(expr: syntax.Expr, scope: Scope, want: ParamType | None = None) -> Any:
    """The value of an expression.

    `want` is the type that its place has: bare words are then words of a choice or operators, also
    inside lists, and the value is checked to be of that type.

    Raises EvaluationError for a mistake, NeedsStatic where a number must be known and is symbolic,
    Unavailable where a name is `UNKNOWN`.
    """
    return Evaluation(scope).result(expr, want)


class Evaluation(Lookup):
    """One evaluation."""

    # Whole values: where a type is wanted, and a bare word may stand

    def result(self, expr: syntax.Expr, want: ParamType | None) -> Any:
        """The value of an expression that is an argument, a default or an item by itself."""
        if isinstance(expr, syntax.Name):
            value = self.word(expr, want)
        elif isinstance(expr, syntax.Call):
            value = self.partial(expr, want)
        elif isinstance(expr, syntax.Conditional):
            value = self.conditional(expr, want)
        elif isinstance(expr, syntax.Sequence):
            value = self.sequence(expr, want)
        elif isinstance(expr, syntax.Comprehension):
            value = self.comprehension(expr, want)
        elif isinstance(expr, syntax.Binary):
            value = self.binary(expr, want)
        else:
            value = self.value(expr)
        return value if want is None else self.fitting(value, want, expr.span)

    def fitting(self, value: Any, want: ParamType, span: Span) -> Any:
        """The value as one of the wanted type."""
        if isinstance(value, Given):
            raise NeedsStatic((), span, value.inputs)
        found, problem = coerce(value, want)
        if problem:
            raise EvaluationError(f"this {problem}", span, code="A226")
        return found

    def partial(self, expr: syntax.Call, want: ParamType | None) -> Any:
        """A call as a whole value: of an operator where one is wanted or bound to the name, else of
        a function."""
        name = expr.name.id
        base = self.lookup(expr.name)
        bound = base is not MISSING and is_operator(base)
        if not bound and not isinstance(want, Operator) and (name in FUNCTIONS or not self.bare):
            return self.call(expr, want)
        self.spend(expr.span)
        bare, self.bare = self.bare, True
        args = tuple(self.result(a.value, None) for a in expr.arguments if a.name is None)
        kwargs = {a.name: self.result(a.value, None) for a in expr.arguments if a.name is not None}
        self.bare = bare
        if not bound:
            return Partial(name, args, kwargs, expr.span)
        known = base if isinstance(base, Partial) else Partial(name, base=base)
        return known.more(args, kwargs, expr.span)

    def conditional(self, expr: syntax.Conditional, want: ParamType | None = None) -> Any:
        self.spend(expr.span)
        condition = self.value(expr.test)
        test = truth(condition)
        if isinstance(test, bool):
            self.lose(condition)
            return self.result(expr.then if test else expr.other, want)
        if isinstance(test, Given):
            raise self.undecided(test, span=expr.test.span)
        then, other = self.result(expr.then, want), self.result(expr.other, want)
        try:
            found = select(test, then, other)
        except TypeError:
            raise self.undecided(test, span=expr.test.span) from None
        self.lose(then, other)
        return found

    def sequence(self, expr: syntax.Sequence, want: ParamType | None = None) -> list[Any]:
        self.spend(expr.span)
        wanted: list[ParamType | None] = [None] * len(expr.items)
        if isinstance(want, List):
            wanted = [want.item] * len(expr.items)
        elif isinstance(want, Row):
            if len(want.items) != len(expr.items):
                message = f"this must be a row `{want}` of {len(want.items)}, not of {len(expr.items)}"
                raise EvaluationError(message, expr.span, code="A226")
            wanted = list(want.items)
        return self.made([self.result(*pair) for pair in zip(expr.items, wanted, strict=True)], expr.span)

    def comprehension(self, expr: syntax.Comprehension, want: ParamType | None = None) -> list[Any]:
        item = want.item if isinstance(want, List) else None
        outer = self.locals
        found = []
        for names in self.bindings(expr, 0, outer):
            self.locals = names
            found.append(self.result(expr.item, item))
            if len(found) > MOST_ITEMS:
                self.too_large(f"the list has more than {MOST_ITEMS:,} items", expr.span)
        self.locals = outer
        return self.made(found, expr.span)

    def bindings(
        self, expr: syntax.Comprehension, at: int, names: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """The names that a comprehension's clauses bind, for each item."""
        if at == len(expr.clauses):
            yield names
            return
        clause = expr.clauses[at]
        self.locals = names
        values = self.value(clause.iterable)
        if not isinstance(values, list):
            self.wrong(f"a list is needed behind `in`, not {shown(values)}", clause.iterable.span)
        for value in values:
            self.spend(expr.span)
            self.locals = inner = {**names, **self.unpacked(clause, value)}
            if all(self.decided(test) for test in clause.tests):
                yield from self.bindings(expr, at + 1, inner)

    def unpacked(self, clause: syntax.Clause, value: Any) -> dict[str, Any]:
        names = clause.names
        if len(names) == 1:
            return {names[0]: value}
        if not isinstance(value, list) or len(value) != len(names):
            message = f"{len(names)} names cannot be taken from {shown(value)}"
            raise EvaluationError(message, clause.iterable.span, code="A229")
        return dict(zip(names, value, strict=True))

    def binary(self, expr: syntax.Binary, want: ParamType | None = None) -> Any:
        if expr.op in ("and", "or"):
            return self.logic(expr, want)
        self.spend(expr.span)
        if isinstance(want, List) and expr.op in _LIST_SIDES:
            # [a] + [b], [a] * n: the items of the lists are wanted, not what stands beside them
            sides = _LIST_SIDES[expr.op]
            left, right = (
                self.result(side, want) if isinstance(side, sides) else self.value(side)
                for side in (expr.left, expr.right)
            )
        else:
            left, right = self.value(expr.left), self.value(expr.right)
        apply = BINARY.get(expr.op)
        if apply is None:
            self.wrong(f"`{expr.op}` has no place in an expression", expr.span)
        found = self.applied(apply, (left, right), (expr.left.span, expr.right.span), expr.span)
        return self.kept(found, left, right, span=expr.span)

    def logic(self, expr: syntax.Binary, want: ParamType | None) -> Any:
        """`and` and `or`: the side that decides is the value, as in Python."""
        self.spend(expr.span)
        op = expr.op
        left = self.result(expr.left, None)
        test = truth(left)
        if isinstance(test, bool):
            if test is (op == "or"):
                return left
            self.lose(left)
            return self.result(expr.right, want)
        right = self.result(expr.right, want)
        if isinstance(left, Cond | Given) and isinstance(right, bool | Cond | Given):
            return self.applied(joined, (op, test, truth(right)), (), expr.span)
        if isinstance(left, Given) or isinstance(right, Given):
            self.wrong(f"`{op}` needs a condition on both sides here", expr.span)
        try:
            found = select(test, right, left) if op == "and" else select(test, left, right)
        except TypeError:
            raise self.undecided(test, span=expr.left.span) from None
        self.lose(right)
        return found

    # Operands

    def value(self, expr: syntax.Expr) -> Any:
        """The value of an operand."""
        handler = _OPERANDS.get(type(expr))
        if handler is None:
            self.wrong("this has no place in an expression", expr.span, "wire values in `flow`")
        bare, self.bare = self.bare, False
        found = handler(self, expr)
        self.bare = bare
        return found

    def unary(self, expr: syntax.Unary) -> Any:
        self.spend(expr.span)
        operand = self.value(expr.operand)
        if expr.op == "not":
            self.lose(operand)
            return negated(truth(operand))
        found = self.applied(signed, (expr.op, operand), (expr.operand.span,), expr.span)
        return self.kept(found, operand, span=expr.span)

    def compare(self, expr: syntax.Compare) -> Any:
        """A chain of comparisons; the first that is false decides."""
        self.spend(expr.span)
        left, left_span = self.value(expr.first), expr.first.span
        found: Any = True
        for op, operand in expr.rest:
            right = self.value(operand)
            spans = (left_span, operand.span)
            self.lose(left, right)
            held = self.applied(compared, (op, left, right, self.tick), spans, expr.span)
            found = and_(found, held)
            if found is False:
                return False
            left, left_span = right, operand.span
        return found

    def index(self, expr: syntax.Index) -> Any:
        self.spend(expr.span)
        owner = expr.value
        if isinstance(owner, syntax.Name):
            value = self.lookup(owner)
            if value is MISSING:
                value = self.name(owner)
        else:
            value = self.value(owner)
        if not isinstance(value, list | str):
            self.wrong(f"{shown(value)} cannot be indexed", owner.span, "only lists and texts can")
        if len(expr.items) != 1 or isinstance(expr.items[0], syntax.Dots):
            help = "index step by step: `rows[i][j]`"
            self.wrong("a list has one index", expr.span, help)
        item = expr.items[0]
        found = self.picked(value, item) if not isinstance(item, syntax.Slice) else self.sliced(value, item)
        if isinstance(owner, syntax.Name) and not label_names(found):
            self.note(owner, value)
        return found

    def picked(self, value: list[Any] | str, item: syntax.Expr) -> Any:
        at = self.whole(item)
        if not -len(value) <= at < len(value):
            count = len(value)
            help = f"it has {count} items: 0 to {count - 1}" if count else "it has no items"
            raise EvaluationError(f"there is no item {shown(at)}", item.span, help, "A223")
        return value[at]

    def sliced(self, value: list[Any] | str, item: syntax.Slice) -> Any:
        start, stop, step = (
            None if part is None else self.whole(part, null=True)
            for part in (item.start, item.stop, item.step)
        )
        if step == 0:
            self.wrong("the step of a slice cannot be 0", item.span)
        return self.made(value[start:stop:step], item.span)

    def whole(self, expr: syntax.Expr, null: bool = False) -> Any:
        """A whole number that is known; null too, where that will do."""
        found = self.value(expr)
        self.lose(found)
        if null and found is None:
            return None
        return self.applied(integer, (found, 0), (expr.span,), expr.span)

    def call(self, expr: syntax.Call, want: ParamType | None = None) -> Any:
        """A call of a function."""
        self.spend(expr.span)
        name = expr.name.id
        function = FUNCTIONS.get(name)
        if function is None:
            base = self.lookup(expr.name)
            if base is not MISSING and is_operator(base):
                self.wrong(f"the operator `{name}` is no number", expr.span)
            help = INSTEAD.get(name)
            near = did_you_mean(name, FUNCTIONS)
            help = help or (f"did you mean `{near}`?" if near else "operators and blocks stand in `nodes`")
            raise EvaluationError(f"there is no function `{name}`", expr.name.span, help, "A250")
        arguments = self.placed(expr, function)
        passed_on = want if name in ("list", "reversed") else None
        values = [self.result(a.value, passed_on) if passed_on else self.value(a.value) for a in arguments]
        spans = tuple(a.value.span for a in arguments)
        found = self.applied(function.apply, values, spans, expr.span)
        if name in ("all", "any"):
            return self.quantified(name, found, expr.span)
        return self.kept(found, *values, span=expr.span)

    def placed(self, expr: syntax.Call, function: Function) -> tuple[syntax.Argument, ...]:
        """The arguments by position, checked against what a function takes."""
        arguments = expr.arguments
        for at, argument in enumerate(arguments):
            last = function.most is not None and at == function.most - 1
            if argument.name is not None and not (argument.name == function.keyword and last):
                message = f"`{expr.name.id}` has no argument `{argument.name}`"
                raise EvaluationError(message, argument.span, f"write `{function.usage}`", "A227")
        if len(arguments) < function.least:
            message = f"`{expr.name.id}` needs an argument"
            raise EvaluationError(message, expr.span, f"write `{function.usage}`", "A227")
        if function.most is not None and len(arguments) > function.most:
            plural = "" if function.most == 1 else "s"
            message = f"`{expr.name.id}` takes at most {function.most} argument{plural}"
            span = arguments[function.most].span
            raise EvaluationError(message, span, f"write `{function.usage}`", "A227")
        return arguments

    def quantified(self, name: str, values: list[Any], span: Span) -> Any:
        """`all` and `any`: the truths of the values, joined."""
        op = "and" if name == "all" else "or"
        found: Any = name == "all"
        self.lose(*values)
        for value in values:
            found = self.applied(joined, (op, found, truth(value)), (), span)
            if found is (op == "or"):
                break
        return found

    def decided(self, expr: syntax.Expr) -> bool:
        """The truth of a condition that must be known."""
        value = self.value(expr)
        self.lose(value)
        test = truth(value)
        if not isinstance(test, bool):
            raise self.undecided(test, span=expr.span)
        return test


_LIST_SIDES = {
    "*": (syntax.Sequence, syntax.Comprehension),
    "+": (syntax.Sequence, syntax.Comprehension, syntax.Binary, syntax.Conditional, syntax.Call),
}
"""What may be a list that an operator joins or repeats."""

_OPERANDS: dict[type, Callable[[Evaluation, Any], Any]] = {
    syntax.Literal: lambda self, expr: expr.value,
    syntax.Name: Evaluation.name,
    syntax.Sequence: Evaluation.sequence,
    syntax.Unary: Evaluation.unary,
    syntax.Binary: Evaluation.binary,
    syntax.Compare: Evaluation.compare,
    syntax.Conditional: Evaluation.conditional,
    syntax.Call: Evaluation.call,
    syntax.Index: Evaluation.index,
    syntax.Comprehension: Evaluation.comprehension,
}
