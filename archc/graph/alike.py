"""What operators told of their outputs, for applications that are alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archc.ops.base import Op
from archc.shapes import Facts, Num, Tensor

MOST = 4_096
"""Of how many applications the outputs are kept."""

Told = tuple[tuple[Tensor, ...], Facts]
"""An operator's outputs, and the conditions on sizes that they stand on."""


class Alike:
    """Keeps what operators told, by the identity of an operator and of the types that arrive.

    A type is one object here where its sizes are, so that what is alike stays so from operator to operator.
    Equality alone does not tell: equal numbers may have their texts from other names.
    """

    def __init__(self) -> None:
        # What is told by its identity is kept beside it, so that nothing else takes its place in memory.
        self._told: dict[tuple[int, ...], tuple[Op, Sequence[Tensor | None], Told]] = {}
        self._types: dict[tuple[Tensor, tuple[int, ...]], Tensor] = {}

    def told(self, op: Op, types: Sequence[Tensor | None], ask: Callable[[], Told]) -> Told:
        """What an operator tells of these types; `ask` asks it, once."""
        key = (id(op), *map(id, types))
        if key in self._told:
            return self._told[key][2]
        if len(self._told) >= MOST:
            self._told.clear()
            self._types.clear()
        outputs, facts = ask()
        found = tuple(map(self._one, outputs)), facts
        self._told[key] = (op, types, found)
        return found

    def _one(self, made: Tensor) -> Tensor:
        """The one object for a type."""
        named = tuple([id(size) for size in made.shape or () if isinstance(size, Num)])
        return self._types.setdefault((made, named), made)
