"""Fills a frame with the items and edges of one Graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from archc.draw.scene.cards import Cards
from archc.draw.scene.choices import choices
from archc.draw.scene.compact import slim
from archc.draw.scene.groups import enclose, regions
from archc.draw.scene.items import Box, Frame, Item
from archc.draw.scene.pieces import Piece, pieces, skip_cuts
from archc.draw.scene.residuals import mark_residuals
from archc.draw.scene.values import Values
from archc.draw.scene.view import View
from archc.draw.scene.wiring import End, Wiring, entering, input_id, leave_out_unused, leaving, output_id
from archc.draw.scene.words import dtype_text, index_text
from archc.graph.ir import (
    Apply,
    Bundle,
    Call,
    Choose,
    Graph,
    Input,
    Member,
    Node,
    Pack,
    Pick,
    Read,
    Ref,
    Wire,
)
from archc.graph.runs import Run

if TYPE_CHECKING:
    from archc.draw.scene.stage import Stage


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
        self.wiring = Wiring(view, self.choices, self.values)

    def fill(self) -> None:
        for number, node in self.graph.nodes.items():
            if isinstance(node, Input):
                self._input(number, node)
        for number, node in self.graph.nodes.items():
            if not isinstance(node, Input) and number not in self.values.passed:
                self._node(number, node)
        self._outputs()
        frame = self.frame
        frame.items = self.wiring.wire(self.items, panel=self.panel)
        frame.edges = self.wiring.edges
        leave_out_unused(frame)
        mark_residuals(frame, self.wiring.skips)
        groups, torn = regions(frame, self.graph) if self.graph.block.groups else ({}, {})
        self.stage.torn |= {(self.graph.name, name): why for name, why in torn.items()}
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
        if self.panel:
            box.detail = dtype_text(self.view.seen(output.type), self.view.divisors) or box.detail
        self._add(number, box)
        if next(iter(self.graph.inputs), None) == node.name:
            self.frame.entry = box.id

    def _outputs(self) -> None:
        for position, (name, ref) in enumerate(self.graph.outputs.items()):
            id = output_id(self.view.path, name)
            type_ = self.graph.type(ref)
            box = Box(id, name, self.view.shape(type_), "output", "pill" if self.panel else "port")
            box.dotted = self.graph.node(ref).outputs[ref.out].open
            if self.panel:
                box.detail = dtype_text(self.view.seen(type_), self.view.divisors) or box.detail
            box.details.type = self.view.text(type_)
            self.items[id] = box
            self.wiring.feed(ref, End(id), told=None if isinstance(type_, Bundle) else "")
            if position == 0:
                self.frame.exit = id

    # Nodes

    def _node(self, number: int, node: Node) -> None:
        match node:
            case Apply():
                id = (
                    self._free(self.view.path + node.member, number)
                    if node.member
                    else self._nameless(number)
                )
                box = self._marked(number, node, self.cards.apply(number, node, id))
                box.nodes += tuple(self.choices.inside.get(number, ()))
                self._add(number, box)
                refs = dict.fromkeys(operand for operand in node.arguments if isinstance(operand, Ref))
                for position, ref in enumerate(refs):
                    self.wiring.feed(ref, End(id), side=position > 0)
            case Call():
                self._call(number, node)
            case Read():
                box = self.cards.read(number, node, self._nameless(number))
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
        box = Box(self._nameless(number), title, form="pill", span=node.span, nodes=(number,))
        box.dotted = node.outputs[0].open
        self._add(number, box)
        for position, operand in enumerate(operands):
            self.wiring.feed(operand, End(box.id), side=position > 0)

    def _join(self, number: int, node: Choose) -> None:
        """Two ways of which one is taken, as a circle."""
        box = Box(self._nameless(number), "or", form="circle", span=node.span, nodes=(number,))
        box.dotted = node.outputs[0].open
        box.details.type = self.view.text(node.outputs[0].type)
        self._add(number, box)
        join = self.choices.joins[number]
        chosen = node.test is not None
        self.wiring.feed(node.then, End(box.id), told=join.then or None, optional=chosen)
        self.wiring.feed(node.other, End(box.id), told=join.other or None, optional=chosen, side=True)

    def _call(self, number: int, node: Call) -> None:
        member = self.graph.members[node.member]
        cuts = [frozenset({copy}) for copy in self.skips.get(number, set()) | self.view.tied_copies(member)]
        cuts += self.stage.opening.named(member, self.view.where)
        drawn: list[tuple[Piece | None, Item]] = []
        for piece in pieces(member, node.use, cuts, self.stage.folds, lambda run: self._folds(member, run)):
            id = self._free(self.view.path + member.name + piece.suffix, number, piece.first)
            item = self._marked(number, node, self.cards.piece(number, node, piece, id))
            if member.count is not None and drawn:
                dots = Box(self._free(f"{self.view.path}{member.name}.dots", number), "⋮", form="dots")
                drawn.append((None, dots))
                self.items[dots.id] = dots
            drawn.append((piece, item))
            self.items[id] = item
        if drawn:  # the choices that the copies stand for are in the last item: there they go on
            drawn[-1][1].nodes += tuple(self.choices.inside.get(number, ()))
        self.wiring.of_node[number] = drawn
        for position, (piece, item) in enumerate(drawn):
            for at, wire in enumerate(node.arguments):
                if piece is not None and not piece.takes(wire):
                    continue
                if at == 0 and position and member.arranged == "repeat":
                    before, above = drawn[position - 1]
                    label = self._passed(before, above) if before else ""
                    self.wiring.edge(leaving(above, None), entering(item, wire.port), label)
                elif piece is not None or at == 0:  # the dots are on the main way only
                    self._feed_copies(piece, item, wire, at > 0)

    def _folds(self, member: Member, run: Run) -> bool:
        """May copies be folded with others? Not where their block is opened, or the viewer opens it."""
        target = run.copy.target
        closed = isinstance(target, Graph) and not self.stage.opening.block(
            target, self.view.place(member, run.first, run.count)
        )
        return closed and self.stage.folding

    def _passed(self, piece: Piece, item: Item) -> str:
        """What is written where some copies pass their result on to the next."""
        before = next(iter(piece.copy.inputs.values()), None)
        after = self.cards.output(piece.last)
        return self.view.label(after) if isinstance(item, Frame) else self.view.change(before, after)

    def _feed_copies(self, piece: Piece | None, item: Item, wire: Wire, side: bool) -> None:
        target = entering(item, wire.port)
        if piece is None or not wire.each or self.values.undecided(wire.operand):
            self.wiring.feed(wire.operand, target, side)
            return
        strands = tuple(strand for copy in piece.copies for strand in self.values.share(wire, copy))
        self.wiring.share(strands, wire.operand, target, side)

    def _marked(self, number: int, node: Node, item: Item) -> Item:
        """An item, dotted where it may be absent."""
        item.dotted = node.outputs[0].open or number in self.choices.dotted
        item.condition = self.choices.dotted.get(number, "")
        return item

    # What goes into what

    def _add(self, number: int, item: Item) -> None:
        self.items[item.id] = item
        self.wiring.of_node[number] = [(None, item)]

    def _nameless(self, number: int) -> str:
        """The id of a node that has no name in the spec: one that no node and no input has."""
        name = f"n{number}"
        taken = name in self.graph.members or name in self.graph.inputs
        return self.view.path + (f"{name}:" if taken else name)

    def _free(self, id: str, *marks: int) -> str:
        """An id that nothing has yet."""
        for mark in ("", *(f":{mark}" for mark in marks)):
            id += mark
            if id not in self.items:
                return id
        return id
