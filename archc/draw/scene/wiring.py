"""The edges of a frame, and the name tags where a value would be a web of lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archc.draw.scene.choices import Choices
from archc.draw.scene.items import Box, Edge, Frame, Item, Style
from archc.draw.scene.pieces import Piece
from archc.draw.scene.values import ALL, Strand, Values
from archc.draw.scene.view import View
from archc.graph.ir import Apply, Bundle, Call, Choose, Graph, Input, Node, Operand, Pack, Pick, Read, Ref

TAGGED = 3
"""A value with more consumers at their sides than this is a name tag at each."""


class End(NamedTuple):
    """Where an edge ends: an item, and the port on its border where that is an opened block."""

    item: str
    port: str = ""


class _Feed(NamedTuple):
    """Tensors that go into an item together, as one operand of it or as its share of one.

    `side`: it is not the first of its operands. `skip`: the way of an `each`, from copy to copy.
    `told`: what is written at it, in place of a shape."""

    strands: tuple[Strand, ...]
    target: End
    side: bool = False
    skip: bool = False
    told: str | None = None
    optional: bool = False


class Wiring:
    """Gathers what goes into the items of a Graph, and draws it. `of_node` has the items of each node,
    with the copies that they stand for; `skips` are the edges that lead from copy to copy."""

    def __init__(self, view: View, choices: Choices, values: Values) -> None:
        self.view = view
        self.graph = view.graph
        self.choices = choices
        self.values = values
        self.of_node: dict[int, list[tuple[Piece | None, Item]]] = {}
        self.skips: list[Edge] = []
        self._feeds: list[_Feed] = []
        self._edges: dict[tuple[End, End], Edge] = {}
        self._told: set[tuple[End, str]] = set()
        self._tags: dict[str, Box] = {}
        self._tags_of: dict[str, list[Box]] = {}  # by the item that they stand at

    @property
    def edges(self) -> list[Edge]:
        return list(self._edges.values())

    def feed(
        self,
        operand: Operand,
        target: End,
        side: bool = False,
        told: str | None = None,
        optional: bool = False,
    ) -> None:
        """Lead a value into an item."""
        if isinstance(operand, Ref):
            if operand.node in self.choices.labels:
                told, optional = self.choices.labels[operand.node], True
            optional = optional or self._open(operand)
            self._feeds.append(_Feed(self.values.of(operand), target, side, False, told, optional))

    def share(self, strands: tuple[Strand, ...], operand: Operand, target: End, side: bool) -> None:
        """Lead what some copies get of an `each` into their item."""
        self._feeds.append(_Feed(strands, target, side, True, None, self._open(operand)))

    def _open(self, operand: Operand) -> bool:
        return isinstance(operand, Ref) and self.graph.node(operand).outputs[operand.out].open

    def wire(self, items: dict[str, Item], panel: bool) -> list[Item]:
        """Draw all, those values from name tags that have many consumers. Tells all items; in a panel, an
        input that only tags name is none."""
        tagged = self._tagged()
        needed: set[str] = set()
        for feed in self._feeds:
            groups: dict[End, list[Strand]] = {}
            for strand in feed.strands:
                for source in self._sources(strand):
                    groups.setdefault(source, []).append(strand)
            style: Style = "optional" if feed.optional else "data"
            for source, strands in groups.items():
                if feed.side and not feed.skip and strands[0][:2] in tagged:
                    tag = self._tag(strands[0], source, feed.target, items.get(source.item))
                    self.edge(End(tag.id), feed.target, "", style)
                else:
                    needed.add(source.item)
                    self._lead(feed, strands, source, style)
        placed = self._placed(items)
        return [item for item in placed if not panel or not self._is_only_named(item, needed)]

    def _tagged(self) -> set[tuple[Ref, int | None]]:
        """The values that have many consumers at their sides."""
        targets: dict[tuple[Ref, int | None], set[End]] = {}
        for feed in self._feeds:
            if feed.side and not feed.skip:
                for strand in feed.strands:
                    targets.setdefault(strand[:2], set()).add(feed.target)
        return {value for value, ends in targets.items() if len(ends) > TAGGED}

    def _lead(self, feed: _Feed, strands: list[Strand], source: End, style: Style) -> None:
        known = self._edges.get((source, feed.target))
        if feed.skip and known is not None:  # the skips go the way of another value
            known.label = f"{known.label} + {_skips_text(strands)}".removeprefix(" + ")
            return
        edge = self.edge(source, feed.target, self._label(feed, strands), style)
        if feed.skip and not isinstance(self.graph.node(strands[0].ref), Input):
            self.skips.append(edge)

    def edge(self, source: End, target: End, label: str, style: Style = "data") -> Edge:
        """The edge between two ends."""
        known = self._edges.get((source, target))
        if known is not None:
            known.style = "data" if style == "data" else known.style
            return known
        # A label stands once at a source: its further edges carry the same value.
        if (source, label) in self._told and not label.startswith("×"):
            label = ""
        self._told.add((source, label))
        edge = Edge(source.item, target.item, label, style, source.port, target.port)
        self._edges[source, target] = edge
        return edge

    # What is written

    def _label(self, feed: _Feed, strands: list[Strand]) -> str:
        if feed.told is not None:
            return feed.told
        if len(strands) > 1:
            return f"×{len(strands)}" + (", reversed" if _reversed(strands) else "")
        node = self.graph.node(strands[0].ref)
        if isinstance(node, Input | Read):
            return ""
        if strands[0].copy == ALL and isinstance(strands[0].type, Bundle):
            return self.view.label(strands[0].type.members[0])
        return self.view.label(strands[0].type) if feed.skip else self._change(strands[0], node)

    def _change(self, strand: Strand, node: Node) -> str:
        """The shape of a value where it is not that of what it is made from, or leaves a block."""
        if any(isinstance(item, Frame) for _, item in self.of_node[strand.ref.node]):
            return self.view.label(strand.type)
        before = next((operand for operand in _operands(node) if isinstance(operand, Ref)), None)
        return self.view.change(self.graph.type(before) if before else None, strand.type)

    # Where values come from

    def _sources(self, strand: Strand) -> list[End]:
        """The items or ports that a tensor comes from: several for the bundle of unknown copies."""
        node = self.graph.node(strand.ref)
        drawn = self.of_node[strand.ref.node]
        name = node.outputs[strand.ref.out].name
        if not isinstance(node, Call):
            return [End(drawn[0][1].id)]
        if strand.copy == ALL:
            return [leaving(item, name) for piece, item in drawn if piece is None or piece.gives(name)]
        if strand.copy is not None:
            made = (item for piece, item in drawn if piece is not None and strand.copy in piece.copies)
            return [leaving(next(made), name)]
        if not drawn:  # all copies are bypassed
            return [source for s in self.values.of(node.arguments[0].operand) for source in self._sources(s)]
        return [leaving(drawn[-1][1], name)]

    def _tag(self, strand: Strand, source: End, target: End, item: Item | None) -> Box:
        """A name tag for a value, right above an item that takes it in."""
        node = self.graph.node(strand.ref)
        output = node.outputs[strand.ref.out]
        if isinstance(node, Input):
            name = node.name
        else:
            name = (item.title if item and getattr(node, "member", None) else node.value) or output.name
        id = f"{target.port or target.item}<{name}"
        while id in self._tags and self._tags[id].of != source.item:
            id += "'"
        if id not in self._tags:
            kind = "input" if isinstance(node, Input) else "other"
            tag = Box(id, name, "", kind, "tag", dotted=output.open, span=node.span, of=source.item)
            self._tags[id] = tag
            self._tags_of.setdefault(target.item, []).append(tag)
        return self._tags[id]

    def _placed(self, items: dict[str, Item]) -> list[Item]:
        """All items, every tag before its consumer."""
        placed: list[Item] = []
        for id, item in items.items():
            placed += self._tags_of.get(id, ())
            placed.append(item)
        return placed

    def _is_only_named(self, item: Item, needed: set[str]) -> bool:
        """Is it an input that nothing but name tags stand for? They name no item then."""
        if not isinstance(item, Box) or item.kind != "input" or item.form != "pill" or item.id in needed:
            return False
        named = [tag for tag in self._tags.values() if tag.of == item.id]
        for tag in named:
            tag.of = None
        return bool(named)


def leaving(item: Item, name: str | None) -> End:
    """Where an output leaves an item: the port of an opened block. None: its first."""
    if not isinstance(item, Frame) or item.graph is None:
        return End(item.id)
    own = name if name in item.graph.outputs else next(iter(item.graph.outputs))
    return End(item.id, output_id(f"{item.id}.", own))


def entering(item: Item, port: str) -> End:
    """Where an input comes into an item."""
    if not isinstance(item, Frame) or item.graph is None:
        return End(item.id)
    return End(item.id, input_id(item.graph, f"{item.id}.", port))


def leave_out_unused(frame: Frame) -> None:
    """Take the outputs that nobody uses off the borders of a frame's opened blocks, and the ways to them."""
    used = {edge.source_port for edge in frame.edges}
    for block in frame.items:
        if not isinstance(block, Frame) or block.graph is None:
            continue
        outputs = [item for item in block.items if isinstance(item, Box) and item.kind == "output"]
        carried = {block.exit} if block.copies > 1 else set()  # from copy to copy
        gone = {port.id for port in outputs} - used - carried
        if gone and len(gone) < len(outputs):
            block.items = [item for item in block.items if item.id not in gone]
            block.edges = [edge for edge in block.edges if edge.target not in gone]
            if block.exit in gone:
                block.exit = next(port.id for port in outputs if port.id not in gone)
            leave_out_unused(block)


def input_id(graph: Graph, path: str, name: str) -> str:
    """The id of an input's item; a node of the same name has the plain path."""
    return f"{path}in:{name}" if name in graph.members else path + name


def output_id(path: str, name: str) -> str:
    """The id of an output's item."""
    return f"{path}out:{name}"


def _operands(node: Node) -> Iterable[Operand]:
    """What a node is made from, the main one first."""
    match node:
        case Apply():
            return node.arguments
        case Call():
            return [wire.operand for wire in node.arguments]
        case Choose():
            return (node.then, node.other)
        case Pack():
            return node.items
        case Pick():
            return (node.bundle,)
        case _:
            return ()


def _reversed(strands: list[Strand]) -> bool:
    """Do they come from copies, the last one first?"""
    copies = [strand.copy for strand in strands if strand.copy is not None]
    return len(copies) > 1 and all(a > b for a, b in zip(copies, copies[1:], strict=False))


def _skips_text(strands: list[Strand]) -> str:
    if len(strands) == 1:
        return "skip"
    return f"{len(strands)} skips" + (", reversed" if _reversed(strands) else "")
