"""What a name in a flow stands for while a block is elaborated."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from archc.graph.ir import Number, Ref, Type
from archc.ops.base import Op
from archc.ops.placeholder import Placeholder
from archc.source.text import Span


class Nothing(enum.Enum):
    """Values that are not there."""

    ABSENT = "absent"
    """Left out: an optional part that this instance does not have."""
    UNKNOWN = "unknown"
    """Its making failed and was reported; whatever needs it stays silent."""


ABSENT = Nothing.ABSENT
UNKNOWN = Nothing.UNKNOWN


class Value(NamedTuple):
    """A tensor or a bundle, and the cases in which it is there (see presence.py)."""

    ref: Ref
    type: Type
    presence: int


class Each(NamedTuple):
    """`each(bundle)`: every copy of a repeated node takes its share."""

    value: Value
    span: Span


Operand = Value | Number | Each | Nothing


class Results(NamedTuple):
    """What a chain yields: outputs by name, in order. A single name stands for the first."""

    outputs: Mapping[str, Value | Number | Nothing]

    @property
    def first(self) -> Value | Number | Nothing:
        return next(iter(self.outputs.values()), ABSENT)


Outcome = Results | Nothing


def single(value: Operand) -> Outcome:
    """The outcome of an expression that is one operand."""
    assert not isinstance(value, Each), value
    return value if isinstance(value, Nothing) else Results({"out": value})


def first(outcome: Outcome) -> Value | Number | Nothing:
    """What a single name of an outcome stands for."""
    return outcome.first if isinstance(outcome, Results) else outcome


class Given(NamedTuple):
    """An argument that a call gives: its name (None by position), its value and its place."""

    name: str | None
    value: Any
    span: Span


@dataclass(frozen=True, slots=True)
class Target:
    """An operator or a block, with arguments already given or not."""

    name: str
    what: Any  # type[Op] or a Block
    arguments: tuple[Given, ...]
    span: Span
    sizes: tuple[Given, ...] = ()  # free dimensions that a preset gives: what is wired must agree

    @property
    def is_operator(self) -> bool:
        return isinstance(self.what, type) and issubclass(self.what, Op)

    def __str__(self) -> str:
        given = [f"{g.name}={g.value}" if g.name else str(g.value) for g in self.arguments]
        return f"{self.name}({', '.join(given)})" if given and not self.unsettled else self.name

    @property
    def unsettled(self) -> bool:
        """Is it what nobody gave, of which an outline can decide nothing?"""
        return self.what is Placeholder


class Failed(Exception):
    """A mistake that has been reported; what needs the result becomes UNKNOWN."""


def passed(feeds: Sequence[Any]) -> Outcome:
    """What a bypassed node gives: its first input. `feeds` as `connect` has them."""
    if not feeds or feeds[0].operand is ABSENT:
        return ABSENT
    operand = feeds[0].operand
    assert not isinstance(operand, Each)
    return Results({"out": operand})
