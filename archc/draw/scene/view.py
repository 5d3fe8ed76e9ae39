"""A Graph as it is seen in a diagram: its numbers and types in the names of the whole chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archc.draw.scene.opening import Path, Step
from archc.draw.scene.words import NONE, Divisors, shape_of
from archc.graph.ir import Graph, Member, Operand, Type
from archc.report.cost import Costs, in_outer, operand_type, outer_type, spread
from archc.report.summary import flops_text, type_text
from archc.shapes import Size, Tensor, TooLarge

Tied = tuple[tuple[str, ...], int]
"""A weight that is another's: the words of its path, and minus its number of elements."""

LONGEST_LABEL = 28
"""As long as the labels of an outline's edges are at most."""


@dataclass(slots=True)
class View:
    """A Graph at a place of the chart. `path` starts the ids of its items, `weights` the names of its
    weights; `where` is the place as a path. `numbers` says what its own symbols are in the names of the
    chart; an outline speaks in its own. `again`: its weights are told elsewhere."""

    graph: Graph
    costs: Costs
    path: str = ""
    weights: str = ""
    where: Path = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    divisors: Divisors = field(default_factory=lambda: NONE)
    ties: tuple[Tied, ...] = ()
    again: bool = False
    _shapes: dict[Type | None, str] = field(default_factory=dict)
    _texts: dict[Type | None, str] = field(default_factory=dict)
    _seen: dict[Type, Type] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.graph.outline:
            self.numbers = {}
        if not self.graph.outline:
            own = [(left, self.costs.tied(self.graph, left).parameters) for left, _ in self.graph.ties]
            self.ties += tuple((tuple(path.split(".")), count) for path, count in own)

    def inside(
        self,
        graph: Graph,
        member: Member,
        first: int,
        count: int,
        numbers: Mapping[str, Any],
        id: str,
        again: bool,
    ) -> View:
        """The view of a block that one of its members is."""
        return View(
            graph,
            self.costs,
            f"{id}.",
            f"{self.weights}{weights_path(member, first)}.",
            self.place(member, first, count),
            {key: self.number(value) for key, value in numbers.items()},
            self.divisors,
            tuple((words, count) for words, count in self.tied(member, first) if words),
            again,
        )

    def place(self, member: Member, first: int, count: int) -> Path:
        """Where some copies of a member are."""
        copies = frozenset(range(first, first + count)) if member.arranged else None
        return (*self.where, Step(member.name, copies))

    def tied(self, member: Member, first: int = 0) -> list[Tied]:
        """The tied weights below a copy of a member, by their paths from there on."""
        if not self.ties:
            return []
        start = tuple(weights_path(member, first).split("."))
        return [(words[len(start) :], count) for words, count in self.ties if words[: len(start)] == start]

    def tied_copies(self, member: Member) -> set[int]:
        """The copies of a member that have tied weights: they are unlike those beside them."""
        if not member.arranged or member.share:
            return set()
        return {int(words[1]) for words, _ in self.ties if words[0] == member.name and len(words) > 1}

    def number(self, value: Any) -> Any:
        """A number in the chart's names."""
        return in_outer(value, self.numbers) if self.numbers else value

    def seen(self, type_: Type) -> Type:
        """A type in the chart's names."""
        if not self.numbers:
            return type_
        known = self._seen.get(type_)
        if known is None:
            known = self._seen[type_] = outer_type(type_, self.numbers)
        return known

    def shape(self, type_: Type | None) -> str:
        """A type of the Graph as a label."""
        known = self._shapes.get(type_)
        if known is None:
            known = self._shapes[type_] = shape_of(None if type_ is None else self.seen(type_), self.divisors)
        return known

    def text(self, type_: Type | None) -> str:
        """A type of the Graph as a viewer tells it: `int64[B, 77]`."""
        known = self._texts.get(type_)
        if known is None:
            known = self._texts[type_] = "" if type_ is None else type_text(self.seen(type_))
        return known

    def change(self, before: Type | None, after: Type | None) -> str:
        """The label of a value, where its shape is not that of what it is made from."""
        text = self.label(after)
        return "" if before is not None and text == self.label(before) else text

    def label(self, type_: Type | None) -> str:
        """A type of the Graph as the label of an edge: none where it would be a long expression."""
        text = self.shape(type_)
        return "" if self.graph.outline and len(text) > LONGEST_LABEL else text

    def types(self, operands: tuple[Operand, ...]) -> list[Tensor | None]:
        """The types of an operator's operands, bundles taken apart."""
        return [operand_type(self.graph, operand) for operand in spread(self.graph, operands)]

    def all_seen(self, types: list[Tensor | None]) -> list[Tensor | None]:
        """Types of tensors in the chart's names."""
        if not self.numbers:
            return types
        return [None if type_ is None else self.seen(type_) for type_ in types]  # type: ignore[misc]

    def flops(self, flops: Size | None) -> str:
        """FLOPs of one application as text."""
        if flops is None:
            return ""
        try:
            text = flops_text(self.number(flops))
        except TooLarge:
            return ""
        return "" if text in ("?", "-") else text


def weights_path(member: Member, first: int) -> str:
    """The name of a member's copy in the model, as its weights have it."""
    return f"{member.name}.{first}" if member.arranged and not member.share else member.name
