"""What an evaluation may spend, and how it fails; what becomes of the labels of its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from archc.lang import syntax
from archc.lang.functions import MOST_ITEMS, Symbolic, Wrong, bounded
from archc.lang.values import EvaluationError, Given, NeedsStatic, Scope, is_operator, label_names
from archc.shapes import Cond, Dim, Formula, Num, Real, TooLarge, symbols
from archc.source.text import Span

STEPS = 100_000
"""The most steps of one evaluation."""
WORK = 1_000_000
"""The most items and characters that one evaluation may make."""
MOST_CHARACTERS = 10_000
"""The longest string."""
NESTING = 32
"""The most levels of lists in lists."""


class Bounded:
    """An evaluation's scope, the names that comprehensions bind, and the work left."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.locals: dict[str, Any] = {}
        self.steps = STEPS
        self.work = WORK

    # Labels

    def note(self, expr: syntax.Name, value: Any) -> None:
        """A name was read: without a label, its way into the result is lost."""
        if expr.id in self.locals or isinstance(value, Num | Real | Dim | Formula | Cond | Given):
            return
        if not is_operator(value):
            self.scope.dropped.add(expr.id)

    def lose(self, *values: Any) -> None:
        """The labels of these values go no further."""
        for value in values:
            self.scope.dropped.update(label_names(value))

    def kept(self, found: Any, *values: Any, span: Span) -> Any:
        """What was made of some values, its size checked; what it lost of their labels is noted."""
        before = frozenset().union(*map(label_names, values))
        if before:
            self.scope.dropped |= before - label_names(found)
        return self.made(found, span)

    # Bounds and errors

    def spend(self, span: Span, work: int = 0) -> None:
        """Take a step."""
        self.steps -= 1
        self.work -= work
        if self.steps < 0 or self.work < 0:
            self.too_large("the expression takes too many steps", span)

    def tick(self) -> None:
        """A step inside a comparison of lists."""
        self.steps -= 1
        if self.steps < 0:
            raise Wrong("the expression takes too many steps", code="A224")

    def made(self, value: Any, span: Span) -> Any:
        """A value that was made here, if it is not too large."""
        if isinstance(value, int):
            self.applied(bounded, (value,), (), span)
        elif isinstance(value, str):
            if len(value) > MOST_CHARACTERS:
                self.too_large(f"the text has more than {MOST_CHARACTERS:,} characters", span)
            self.spend(span, len(value))
        elif isinstance(value, list):
            if len(value) > MOST_ITEMS:
                self.too_large(f"the list has more than {MOST_ITEMS:,} items", span)
            self.spend(span, self.weight(value, span, NESTING))
        return value

    def weight(self, value: list[Any], span: Span, levels: int) -> int:
        """How many items a list has, those of lists in it too."""
        if not levels:
            self.too_large(f"the list has more than {NESTING} levels", span)
        total = len(value)
        for item in value:
            if isinstance(item, list):
                total += self.weight(item, span, levels - 1)
                if total > WORK:
                    break
        return total

    def applied(
        self, work: Callable[..., Any], values: Iterable[Any], operands: tuple[Span, ...], span: Span
    ) -> Any:
        """`work(*values)`; what it raises becomes an error at the operand that is to blame."""
        try:
            return work(*values)
        except Wrong as wrong:
            at = span if wrong.at is None else operands[wrong.at]
            raise EvaluationError(wrong.message, at, wrong.help, wrong.code) from None
        except Symbolic as needed:
            at = span if needed.at is None else operands[needed.at]
            raise self.undecided(*needed.values, span=at) from None
        except ZeroDivisionError:
            raise EvaluationError("division by zero", operands[-1], code="A222") from None
        except TooLarge as wrong:
            raise EvaluationError(str(wrong), span, code="A224") from None
        except OverflowError:
            raise EvaluationError("the result is too large for a float", span, code="A228") from None
        except ValueError:
            raise EvaluationError("there is no such number", span, code="A228") from None

    def undecided(self, *values: Any, span: Span) -> NeedsStatic:
        """The exception for values that must be known and are not."""
        inputs = frozenset().union(*(v.inputs for v in values if isinstance(v, Given)))
        sizes = frozenset().union(*(symbols(v) for v in values if not isinstance(v, Given)))
        return NeedsStatic(sizes, span, inputs)

    def too_large(self, message: str, span: Span) -> NoReturn:
        raise EvaluationError(message, span, code="A224")

    def wrong(self, message: str, span: Span, help: str | None = None) -> NoReturn:
        raise EvaluationError(message, span, help)
