"""What counts as true, and truths that are decided later: `Cond`s over sizes, `Given`s over inputs."""

from __future__ import annotations

from typing import Any

from archc.lang.functions import Symbolic
from archc.lang.values import Given, Unsettled
from archc.shapes import Cond, Dim, Formula, and_, decide, eq, not_, or_

Truth = bool | Cond | Given


def truth(value: Any) -> Truth:
    """Whether a value counts as true, as in Python; decided where it can be."""
    if isinstance(value, bool | Given):
        return value
    if isinstance(value, Dim | Formula):
        value = not_(eq(value, 0))
    if isinstance(value, Cond):
        held = decide(value)
        return value if held is None else held
    if value is None or isinstance(value, int | float | str | list):
        return bool(value)
    if isinstance(value, Unsettled):
        raise Symbolic()
    return True  # an operator


def negated(test: Truth) -> Truth:
    return test.negated() if isinstance(test, Given) else not_(test)


def joined(op: str, left: Truth, right: Truth) -> Truth:
    """`left and right` or `left or right`; raises Symbolic where one is over sizes, one over inputs."""
    for test, other in ((left, right), (right, left)):
        if isinstance(test, bool):
            return test if test is (op == "or") else other
    if isinstance(left, Given) and isinstance(right, Given):
        return left.joined(op, right)
    if isinstance(left, Cond) and isinstance(right, Cond):
        return (and_ if op == "and" else or_)(left, right)
    raise Symbolic(left, right)
