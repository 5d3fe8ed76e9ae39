"""Operands of a Graph's nodes: their coded texts, and what must be there for them to be."""

from __future__ import annotations

from collections.abc import Iterable

from archc.emit.coded import Coder
from archc.emit.order import Guard, Value, name
from archc.graph.infer import operand_type
from archc.graph.ir import Graph, Operand, Ref, Type


class Operands:
    """The operands of one Graph. `needs`: what must be there for a value to be."""

    def __init__(self, graph: Graph, coder: Coder) -> None:
        self._graph = graph
        self._coder = coder
        self.needs: dict[Value, Guard] = {}

    def text(self, operand: Operand) -> str | None:
        if operand is None:
            return None
        return name(operand) if isinstance(operand, Ref) else self._coder.number(operand.value)

    def spread(self, ref: Ref) -> str:
        """The text of a value among others: of a bundle, that of its members."""
        return f"*{name(ref)}" if hasattr(self._graph.type(ref), "members") else name(ref)

    def type(self, operand: Operand) -> Type:
        return self._graph.type(operand) if isinstance(operand, Ref) else operand_type(operand)

    def open(self, operand: Operand) -> bool:
        """May it be None?"""
        return isinstance(operand, Ref) and self._graph.node(operand).outputs[operand.out].open

    def own(self, at: int, out: int) -> None:
        """An output of which only itself tells whether it is there."""
        self.needs[at, out] = frozenset({(at, out)})

    def guard(self, operands: Iterable[Operand]) -> Guard:
        """What must be there for all of these to be."""
        found: set[Value] = set()
        for operand in operands:
            if isinstance(operand, Ref) and self.open(operand):
                found |= self.needs[operand.node, operand.out]
        return frozenset(found)
