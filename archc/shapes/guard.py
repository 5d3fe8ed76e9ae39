"""Guards: what a model asks of the sizes of its inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archc.shapes.condition import Cond

if TYPE_CHECKING:
    from archc.source.text import Span


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition on the free dimensions, and where it comes from.

    `message` is the spec's own words, of a `require`; `trace` the way through blocks and copies.
    """

    condition: Cond
    span: Span | None
    message: str | None = None
    trace: tuple[Any, ...] = ()


class Contradiction(Exception):
    """Conditions that no sizes fulfil together: `conditions`."""

    def __init__(self, conditions: tuple[Cond, ...]):
        super().__init__(" and ".join(str(c) for c in conditions) + " cannot hold together")
        self.conditions = conditions


def simplify(conditions: Iterable[Any]) -> tuple[Cond, ...]:
    """The conditions, without those that follow from others."""
    found: dict[Cond, None] = {}
    for condition in conditions:
        if isinstance(condition, Cond):
            found.update(dict.fromkeys(condition.args if condition.op == "and" else (condition,)))
    return tuple(found)


def describe(conditions: Iterable[Cond]) -> list[str]:
    """The conditions for people."""
    return [str(c) for c in conditions]
