"""What a diagram shows, before anything has a place: boxes, frames, edges and their texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from archc.source.text import Span

if TYPE_CHECKING:
    from archc.graph.ir import Graph

Form = Literal["card", "pill", "circle", "tag", "port", "strip", "dots"]
"""How a box is drawn. A port is a point on the border of its frame, a strip one slim line, dots the
copies that are left out between the first and the last."""
Style = Literal["data", "residual", "optional"]
Direction = Literal["TB", "BT", "LR", "RL"]


@dataclass(slots=True)
class Details:
    """What a viewer tells of an item on demand; no part of the still picture.

    `type` is the type of its first output, `flops` the operations of one copy as text, `weights`
    the names of its weights in the model (of a repeat, the first copy's)."""

    type: str = ""
    flops: str = ""
    weights: tuple[str, ...] = ()
    doc: str = ""


@dataclass(slots=True)
class Box:
    """Something drawn as one: an operator, a closed block, an input, an output.

    `id` is its path in the model. `definition` names the inset that shows what is in it. `nodes` are
    the numbers of the nodes that it stands for, in the Graph that its frame draws; where those are
    copies of a repeat, they are `copies` from number `first` on. `dotted` boxes may be absent,
    where the text of `condition` does not hold. `link` is an address outside, `color` the spec's own.

    `parameters` are those of one copy, or of all `together` where the copies differ; `shared`: its copies
    have one set of weights, or its weights are another box's too, of which one tells their number.
    `block` names the block that it calls, `operator` the operator. `of`: of a tag, the item of its frame
    whose value it names; None where it names an input that no item of its frame stands for."""

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
    nodes: tuple[int, ...] = ()
    first: int = 0
    condition: str = ""
    link: str | None = None
    color: str | None = None
    block: str | None = None
    operator: str | None = None
    group: bool = False
    of: str | None = None
    together: bool = False
    details: Details = field(default_factory=Details)


@dataclass(slots=True)
class Edge:
    """A value's way from one item of a frame to another.

    Where an end is a frame, `source_port` and `target_port` are the ports on its border where the way
    comes out and goes in."""

    source: str
    target: str
    label: str = ""
    style: Style = "data"
    source_port: str = ""
    target_port: str = ""


@dataclass(slots=True)
class Frame:
    """An opened block with what is in it, or a group of the spec.

    An opened block has a port for each input and output, a group for each value that crosses its border.
    `entry` and `exit` are the items where its main value comes in and goes out; `note` stands at the
    right of its header. `graph` is what a block's frame draws, None for a group; `nodes`, `first`,
    `copies`, `dotted`, `condition`, `shared`, `block` as of a Box. `definition` names the inset of the
    same block; `used`, of an inset, is the id of the first item that it shows."""

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
    shared: bool = False
    span: Span | None = None
    graph: Graph | None = None
    nodes: tuple[int, ...] = ()
    first: int = 0
    condition: str = ""
    definition: str | None = None
    parameters: int | None = None
    link: str | None = None
    block: str | None = None
    used: str | None = None
    details: Details = field(default_factory=Details)

    def walk(self) -> Iterator[Item]:
        """All items inside, at every depth."""
        for item in self.items:
            yield item
            if isinstance(item, Frame):
                yield from item.walk()


Item = Box | Frame


def parameters(item: Item) -> int:
    """The parameters that are told in an item, those of all its copies: shared ones count once."""
    inside = getattr(item, "items", None)
    one = (item.parameters or 0) if inside is None else sum(map(parameters, inside))
    once = item.shared or (isinstance(item, Box) and item.together)
    return one * (1 if once else item.copies)


@dataclass(slots=True)
class Scene:
    """A whole diagram: the main chart, and an inset for each distinct closed block.

    `directions` tells which way each panel runs, by its id; top-down where it is silent."""

    title: str
    facts: list[str]
    main: Frame
    insets: list[Frame] = field(default_factory=list)
    directions: dict[str, Direction] = field(default_factory=dict)

    @property
    def panels(self) -> list[Frame]:
        return [self.main, *self.insets]

    def boxes(self) -> Iterator[Box]:
        """All boxes of all panels that are seen."""
        for panel in self.panels:
            yield from (item for item in panel.walk() if isinstance(item, Box) and item.form != "port")
