"""Fills a frame with the items and edges of one Graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from archc.draw.cards import Cards
from archc.draw.choices import choices
from archc.draw.compact import slim
from archc.draw.groups import enclose, regions
from archc.draw.pieces import Piece, pieces, skip_cuts
from archc.draw.residuals import mark_residuals
from archc.draw.scene import Box, Edge, Frame, Item, Style
from archc.draw.values import ALL, Strand, Values
from archc.draw.view import View
from archc.draw.words import index_text
from archc.graph.ir import (
    Apply,
    Bundle,
    Call,
    Choose,
    Graph,
    Input,
    Node,
    Operand,
    Pack,
    Pick,
    Read,
    Ref,
    Wire,
)

if TYPE_CHECKING:
    from archc.draw.stage import Stage

TAGGED = 3
"""A value with more consumers at their sides than this is a name tag at each, not a web of lines."""


class End(NamedTuple):
    """Where an edge ends: an item, and the port on its border where that is a frame."""

    item: str
    port: str = ""


class _Feed(NamedTuple):
    """Tensors that go into an item together, as one operand of it or a part of one.

    `side`: it is not the first of its operands. `skip`: the way of an `each`, from copy to copy.
    `told`: what is written at it, in place of a shape."""

    strands: tuple[Strand, ...]
    target: End
    side: bool = False
    skip: bool = False
    told: str | None = None
    optional: bool = False


class Filler:
    """One Graph drawn into one frame. A panel shows inputs and outputs as pills, an opened block as
    the ports of its border."""

    def __init__(self, stage: Stage, frame: Frame, view: View, panel: bool) -> None:
        self.stage = stage
        self.frame = frame
        self.view = view
        self.graph = view.graph
        self.panel = panel
        self.cards = Cards(stage, view)
        self.choices = choices(self.graph)
        self.values = Values(self.graph, self.choices)
        self.skips = skip_cuts(self.graph, self.values)
        self.items: dict[str, Item] = {}
        self.feeds: list[_Feed] = []
        # The items of a node's copies, and the ports of the frames among them.
        self._of_node: dict[int, list[tuple[Piece | None, Item]]] = {}
        self._edges: dict[tuple[End, End], Edge] = {}
        self._skips: list[Edge] = []
        self._tagged: dict[str, list[Box]] = {}  # the name tags of each item
        self._told: set[tuple[End, str]] = set()

    def fill(self) -> None:
        for number, node in self.graph.nodes.items():
            if isinstance(node, Input):
                self._input(number, node)
        for number, node in self.graph.nodes.items():
            if not isinstance(node, Input):
                self._node(number, node)
        self._outputs()
        self._wire()
        frame = self.frame
        frame.items = list(self.items.values())
        frame.edges = list(self._edges.values())
        mark_residuals(frame, self._skips)
        groups = regions(frame, self.graph) if self.graph.block.groups else {}
        if self.stage.compact:
            slim(frame, {id: region.name for id, region in groups.items()})
        if groups:
            enclose(frame, groups, self.view.path, self.view.where, self.stage.opening)

    # Inputs and outputs

    def _input(self, number: int, node: Input) -> None:
        output = node.outputs[0]
        form = "pill" if self.panel else "port"
        id = input_id(self.graph, self.view.path, node.name)
        box = Box(id, node.name, self.view.shape(output.type), "input", form)
        box.span, box.dotted, box.nodes = node.span, output.open, (number,)
        box.details.type = self.view.text(output.type)
        declared = self.graph.block.inputs.get(node.name)
        box.details.doc = (declared.doc if declared else None) or ""
        self._add(number, box)
        if next(iter(self.graph.inputs), None) == node.name:
            self.frame.entry = box.id

    def _outputs(self) -> None:
        for position, (name, ref) in enumerate(self.graph.outputs.items()):
            id = self._free(self.view.path + f"out:{name}")
            type_ = self.graph.type(ref)
            box = Box(id, name, self.view.shape(type_), "output", "pill" if self.panel else "port")
            box.dotted = self.graph.node(ref).outputs[ref.out].open
            box.details.type = self.view.text(type_)
            self.items[id] = box
            self._feed(ref, End(id), told=None if isinstance(type_, Bundle) else "")
            if position == 0:
                self.frame.exit = id

    # Nodes

    def _node(self, number: int, node: Node) -> None:
        match node:
            case Apply():
                id = self._free(self.view.path + (node.member or f"n{number}"), number)
                self._add(number, self._marked(number, node, self.cards.apply(number, node, id)))
                refs = dict.fromkeys(operand for operand in node.arguments if isinstance(operand, Ref))
                for position, ref in enumerate(refs):
                    self._feed(ref, End(id), side=position > 0)
            case Call():
                self._call(number, node)
            case Read():
                box = self.cards.read(number, node, self._free(f"{self.view.path}n{number}"))
                self._add(number, box)
            case Pack() if number in self.values.drawn:
                self._pill(number, node, "bundle", node.items)
            case Pick() if number in self.values.drawn:
                self._pill(number, node, index_text(node.index), (node.bundle,))
            case Choose() if number in self.values.drawn:
                self._join(number, node)
            case _:
                pass  # wiring: it is seen in the edges

    def _pill(self, number: int, node: Node, title: str, operands: Iterable[Ref]) -> None:
        box = Box(f"{self.view.path}n{number}", title, form="pill", span=node.span, nodes=(number,))
        box.dotted = node.outputs[0].open
        self._add(number, box)
        for position, operand in enumerate(operands):
            self._feed(operand, End(box.id), side=position > 0)

    def _join(self, number: int, node: Choose) -> None:
        """Two ways of which one is taken, as a circle."""
        box = Box(f"{self.view.path}n{number}", "or", form="circle", span=node.span, nodes=(number,))
        box.dotted = node.outputs[0].open
        box.details.type = self.view.text(node.outputs[0].type)
        self._add(number, box)
        join = self.choices.joins[number]
        chosen = node.test is not None
        self._feed(node.then, End(box.id), told=join.then or None, optional=chosen)
        self._feed(node.other, End(box.id), told=join.other or None, optional=chosen, side=True)

    def _call(self, number: int, node: Call) -> None:
        member = self.graph.members[node.member]
        cuts = self.skips.get(number, set()) | self.stage.opening.alone(member, self.view.where)
        cuts |= self.view.tied_copies(member)
        drawn: list[tuple[Piece | None, Item]] = []
        for piece in pieces(member, node.use, cuts):
            id = self._free(self.view.path + member.name + piece.suffix, number, piece.first)
            item = self._marked(number, node, self.cards.piece(number, node, piece, id))
            if member.count is not None and drawn:
                dots = Box(self._free(f"{self.view.path}{member.name}.dots", number), "⋮", form="dots")
                drawn.append((None, dots))
                self.items[dots.id] = dots
            drawn.append((piece, item))
            self.items[id] = item
        self._of_node[number] = drawn
        for position, (piece, item) in enumerate(drawn):
            for at, wire in enumerate(node.arguments):
                if at == 0 and position and member.arranged == "repeat":
                    before, above = drawn[position - 1]
                    label = self.view.label(self.cards.output(before.copy)) if before else ""
                    self._edge(self._exit(above, None), self._entrance(item, wire.port), label, "data")
                elif piece is not None or at == 0:  # the dots are on the main way only
                    self._feed_copies(piece, item, wire, at > 0)

    def _feed_copies(self, piece: Piece | None, item: Item, wire: Wire, side: bool) -> None:
        target = self._entrance(item, wire.port)
        if piece is None or not wire.each or self.values.undecided(wire.operand):
            self._feed(wire.operand, target, side)
            return
        strands = tuple(strand for copy in piece.copies for strand in self.values.share(wire, copy))
        self.feeds.append(_Feed(strands, target, side, True, None, self._open(wire.operand)))

    def _marked(self, number: int, node: Node, item: Item) -> Item:
        """An item with the choices that it stands for, dotted where it may be absent."""
        item.nodes += tuple(self.choices.inside.get(number, ()))
        item.dotted = node.outputs[0].open or number in self.choices.dotted
        item.condition = self.choices.dotted.get(number, "")
        return item

    # What goes into what

    def _feed(
        self,
        operand: Operand,
        target: End,
        side: bool = False,
        told: str | None = None,
        optional: bool = False,
    ) -> None:
        if not isinstance(operand, Ref):
            return
        if operand.node in self.choices.labels:
            told, optional = self.choices.labels[operand.node], True
        strands = self.values.of(operand)
        self.feeds.append(_Feed(strands, target, side, False, told, optional or self._open(operand)))

    def _open(self, operand: Operand) -> bool:
        return isinstance(operand, Ref) and self.graph.node(operand).outputs[operand.out].open

    def _wire(self) -> None:
        """Draw all feeds as edges, those of a value with many consumers from name tags."""
        targets: dict[tuple[Ref, int | None], set[End]] = {}
        for feed in self.feeds:
            if feed.side and not feed.skip:
                for strand in feed.strands:
                    targets.setdefault(strand[:2], set()).add(feed.target)
        tagged = {key for key, ids in targets.items() if len(ids) > TAGGED}
        needed: set[str] = set()
        tags: dict[str, Box] = {}
        for feed in self.feeds:
            groups: dict[End, list[Strand]] = {}
            for strand in feed.strands:
                for source in self._sources(strand):
                    groups.setdefault(source, []).append(strand)
            for source, strands in groups.items():
                if feed.side and not feed.skip and strands[0][:2] in tagged:
                    tag = self._tag(strands[0], source, feed.target, tags)
                    self._edge(End(tag.id), feed.target, "", self._style(feed))
                    continue
                needed.add(source.item)
                edge = self._edge(source, feed.target, self._label(feed, strands), self._style(feed))
                if feed.skip and not isinstance(self.graph.node(strands[0].ref), Input):
                    self._skips.append(edge)
        self._place_tags(tags, needed)

    def _style(self, feed: _Feed) -> Style:
        return "optional" if feed.optional else "data"

    def _label(self, feed: _Feed, strands: list[Strand]) -> str:
        if feed.told is not None:
            return feed.told
        if len(strands) > 1:
            return f"×{len(strands)}"
        node = self.graph.node(strands[0].ref)
        if isinstance(node, Input | Read):
            return ""
        return self.view.label(strands[0].type) if feed.skip else self._change(strands[0], node)

    def _change(self, strand: Strand, node: Node) -> str:
        """The shape of a value where it is not that of what it is made from, or leaves a block."""
        if any(isinstance(item, Frame) for _, item in self._of_node[strand.ref.node]):
            return self.view.label(strand.type)
        before = next((operand for operand in _operands(node) if isinstance(operand, Ref)), None)
        return self.view.change(self.graph.type(before) if before else None, strand.type)

    def _edge(self, source: End, target: End, label: str, style: Style) -> Edge:
        known = self._edges.get((source, target))
        if known is not None:
            if known.style == "optional" and style == "data":
                known.style = "data"
            return known
        # A label stands once at a source: its further edges carry the same value.
        if (source, label) in self._told and not label.startswith("×"):
            label = ""
        self._told.add((source, label))
        edge = Edge(source.item, target.item, label, style, source.port, target.port)
        self._edges[source, target] = edge
        return edge

    # The items that values come from and go to

    def _sources(self, strand: Strand) -> list[End]:
        """The items or ports that a tensor comes from: several for the bundle of unknown copies."""
        node = self.graph.node(strand.ref)
        drawn = self._of_node[strand.ref.node]
        name = node.outputs[strand.ref.out].name
        if not isinstance(node, Call):
            return [End(drawn[0][1].id)]
        if strand.copy == ALL:
            return [self._exit(item, name) for _, item in drawn]
        if strand.copy is not None:
            made = [item for piece, item in drawn if piece is not None and strand.copy in piece.copies]
            return [self._exit(made[0], name)]
        if not drawn:  # all copies are bypassed
            return [source for s in self.values.of(node.arguments[0].operand) for source in self._sources(s)]
        return [self._exit(drawn[-1][1], name)]

    def _exit(self, item: Item, name: str | None) -> End:
        """Where an output leaves an item: the port of an opened block."""
        if not isinstance(item, Frame) or item.graph is None:
            return End(item.id)
        own = name if name in item.graph.outputs else next(iter(item.graph.outputs))
        return End(item.id, f"{item.id}.out:{own}")

    def _entrance(self, item: Item, port: str) -> End:
        """Where an input comes into an item."""
        if not isinstance(item, Frame) or item.graph is None:
            return End(item.id)
        return End(item.id, input_id(item.graph, f"{item.id}.", port))

    def _tag(self, strand: Strand, source: End, target: End, tags: dict[str, Box]) -> Box:
        """A name tag for a value, right above an item that takes it in."""
        node = self.graph.node(strand.ref)
        output = node.outputs[strand.ref.out]
        item = self.items.get(source.item)
        member = getattr(node, "member", None)
        name = node.name if isinstance(node, Input) else (item.title if item and member else node.value)
        name = name or output.name
        id = f"{target.port or target.item}<{name}"
        if id not in tags:
            kind = "input" if isinstance(node, Input) else "other"
            tags[id] = Box(id, name, "", kind, "tag", dotted=output.open, span=node.span, of=source.item)
            self._tagged.setdefault(target.item, []).append(tags[id])
        return tags[id]

    def _place_tags(self, tags: dict[str, Box], needed: set[str]) -> None:
        """Put every tag before its consumer; a panel's input that only tags name is no item."""
        placed: dict[str, Item] = {}
        for id, item in self.items.items():
            placed |= {tag.id: tag for tag in self._tagged.get(id, ())}
            placed[id] = item
        named = {tag.of for tag in tags.values()}
        for id in named - needed:
            if self.panel and id is not None and id in placed and id != self.frame.entry:
                item = placed[id]
                if isinstance(item, Box) and item.kind == "input":
                    del placed[id]
                    for tag in tags.values():
                        if tag.of == id:
                            tag.of = None
        self.items = placed

    def _add(self, number: int, item: Item) -> None:
        self.items[item.id] = item
        self._of_node[number] = [(None, item)]

    def _free(self, id: str, *marks: int) -> str:
        """An id that nothing has yet."""
        for mark in ("", *(f":{mark}" for mark in marks)):
            id += mark
            if id not in self.items:
                return id
        return id


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


def input_id(graph: Graph, path: str, name: str) -> str:
    """The id of an input's item; a node of the same name has the plain path."""
    return f"{path}in:{name}" if name in graph.members else path + name
