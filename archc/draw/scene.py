"""What a diagram shows, before anything has a place: boxes, frames, edges and their texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from archc.source.text import Span

Form = Literal["card", "pill", "circle", "tag", "port"]
"""How a box is drawn. A port is a point on the border of its frame."""
Style = Literal["data", "residual", "optional"]


@dataclass(slots=True)
class Box:
    """Something drawn as one: an operator, a closed block, an input, an output.

    `id` is its path in the model. `definition` names the inset that shows what is in it.
    """

    id: str
    title: str
    detail: str = ""
    kind: str = "other"
    form: Form = "card"
    parameters: int | None = None
    copies: int = 1
    dotted: bool = False
    shared: bool = False
    definition: str | None = None
    span: Span | None = None


@dataclass(slots=True)
class Edge:
    """A value's way from one item to another of the same frame."""

    source: str
    target: str
    label: str = ""
    style: Style = "data"


@dataclass(slots=True)
class Frame:
    """An opened block with what is in it. `entry` and `exit` are the items where its main value
    comes in and goes out; `note` stands at the right of its header."""

    id: str
    title: str
    note: str = ""
    copies: int = 1
    parallel: bool = False
    items: list[Item] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    entry: str | None = None
    exit: str | None = None
    dotted: bool = False
    span: Span | None = None

    def walk(self) -> Iterator[Item]:
        """All items inside, at every depth."""
        for item in self.items:
            yield item
            if isinstance(item, Frame):
                yield from item.walk()


Item = Box | Frame


@dataclass(slots=True)
class Scene:
    """A whole diagram: the main chart, and an inset for each distinct closed block."""

    title: str
    facts: list[str]
    main: Frame
    insets: list[Frame] = field(default_factory=list)

    @property
    def panels(self) -> list[Frame]:
        return [self.main, *self.insets]

    def boxes(self) -> Iterator[Box]:
        """All boxes of all panels that are seen."""
        for panel in self.panels:
            yield from (item for item in panel.walk() if isinstance(item, Box) and item.form != "port")
