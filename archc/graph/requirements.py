"""A block's `require`: what must hold of its numbers and inputs."""

from __future__ import annotations

from archc.graph import presence
from archc.graph.builder import Builder
from archc.graph.infer import FIX_PRESENCE
from archc.graph.ir import Ask
from archc.graph.numbers import Numbers
from archc.graph.values import Failed
from archc.lang.schema import Require
from archc.lang.values import Given as Test
from archc.lang.walk import free_names
from archc.shapes import Cond, Dim, Formula, decide


def require(numbers: Numbers, builder: Builder) -> None:
    """Check each condition; one on what only the running model knows, sizes or which of its inputs are
    given, is checked there.

    Raises Failed where one does not hold, having told it.
    """
    wrong = False
    for requirement in numbers.block.require:
        try:
            _one(numbers, builder, requirement)
        except Failed:
            wrong = True
    if wrong:
        raise Failed


def _one(numbers: Numbers, builder: Builder, requirement: Require) -> None:
    condition = requirement.condition
    held = numbers.evaluate(condition, decision=True)
    if numbers.context.outline:
        held = held is not False
    if isinstance(held, Test):
        cases = presence.where(held, builder.graph.open)
        if cases == builder.full:
            return
        if not cases or len(numbers.context.blocks) > 1:
            numbers.context.fail("A407", requirement.message, condition.span, FIX_PRESENCE)
        builder.graph.asks += (Ask(tuple(held), requirement.message),)
        return
    if isinstance(held, Cond):
        answer = decide(held)
        if answer is None:
            builder.require([held], condition.span, requirement.message)
            return
        held = answer
    if isinstance(held, Dim | Formula):
        numbers.context.fail("A403", "a requirement must be true or false", condition.span)
    if not held:
        numbers.context.fail("A407", requirement.message, condition.span, _numbers(numbers, requirement))


def _numbers(numbers: Numbers, requirement: Require) -> str | None:
    """The numbers that a condition speaks of, as they are here."""
    known = [(n, numbers.names.get(n)) for n in sorted(free_names(requirement.condition))]
    listed = [f"{n} = {v}" for n, v in known if isinstance(v, int | float | Dim) and not isinstance(v, bool)]
    return f"here {', '.join(listed)}" if listed else None
