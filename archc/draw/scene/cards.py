"""The box of each node of a Graph: its texts, its colour, what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archc.draw.scene.folds import differing_params, span_text
from archc.draw.scene.items import Box, Frame, Item
from archc.draw.scene.pieces import Piece
from archc.draw.scene.view import View, weights_path
from archc.draw.scene.words import (
    cases_text,
    given_text,
    label_of,
    operator_name,
    symbol_of,
    symbol_or_name,
    width_of,
)
from archc.graph.ir import Apply, Call, Cases, Copy, Graph, Member, Read, Type
from archc.ops.base import Op
from archc.report.cost import Alike, asked, flat, outer_type
from archc.shapes import Tensor

if TYPE_CHECKING:
    from archc.draw.scene.stage import Stage


class Cards:
    """Makes the boxes of one Graph, and the frames of its opened blocks."""

    def __init__(self, stage: Stage, view: View) -> None:
        self.stage = stage
        self.view = view
        self.graph = view.graph
        self._seen: set[str] = set()
        self._labels: dict[Alike, str] = {}

    # Operators

    def apply(self, number: int, node: Apply, id: str) -> Box:
        types = self.view.types(node.arguments)
        sign = symbol_of(node)
        if sign:
            box = Box(id, sign, form="circle", span=node.span)
        elif node.member is None:
            form = "pill" if node.op.kind == "activation" else "card"
            detail = self._label(node.op, self.view.all_seen(types))
            box = Box(id, symbol_or_name(node, self.graph), detail, node.op.kind, form, span=node.span)
        else:
            box = self._member(node, self.graph.members[node.member], id, types)
        box.operator = node.op.title()
        box.nodes = (number,)
        box.details.type = self._type(node.outputs[0].type)
        if not self.graph.outline:
            box.details.flops = self.view.flops(self.view.costs.operator(node.op, types))
        return box

    def _member(self, node: Apply, member: Member, id: str, types: list[Tensor | None]) -> Box:
        detail = self._label(node.op, self.view.all_seen(types))
        name = operator_name(node.op)
        box = Box(id, _title(member), f"{name} {detail}".strip(), node.op.kind, span=node.span)
        if not self.graph.outline:
            box.details.weights = self._weights(member, member.first, 0)
        self._tell(box, member, None)
        self._count(box, member, member.first)
        return box

    def read(self, number: int, node: Read, id: str) -> Box:
        member = self.graph.members[node.member]
        title = f"{node.member}.{node.attribute}" if node.attribute else _title(member)
        box = Box(id, title, self.view.shape(node.outputs[0].type), form="tag", span=node.span)
        box.nodes = (number,)
        box.details.type = self._type(node.outputs[0].type)
        if node.attribute:
            box.shared = True
            box.details.weights = (f"{self.view.weights}{node.member}.{node.attribute}",)
            return box
        # A `param` or `buffer`: its own elements are counted here.
        box.details.weights = (f"{self.view.weights}{node.member}",)
        self._tell(box, member, None)
        self._count(box, member, member.first)
        return box

    # Blocks, and whatever is repeated

    def piece(self, number: int, node: Call, piece: Piece, id: str) -> Item:
        """What is drawn of some copies of a member: a frame where its block is opened, else a box."""
        member, target = self.graph.members[node.member], piece.copy.target
        where = self.view.place(member, piece.first, piece.count)
        if isinstance(target, Graph) and self.stage.opening.block(target, where):
            return self._frame(number, node, piece, id, target)
        return self._closed(number, node, piece, id)

    def _frame(self, number: int, node: Call, piece: Piece, id: str, target: Graph) -> Frame:
        member = self.graph.members[node.member]
        name = target.name if member.hidden else _title(member)
        frame = Frame(id, name + piece.index, copies=piece.count, span=member.span)
        frame.parallel = member.arranged == "parallel"
        frame.graph, frame.block = target, target.name
        again = self._count(frame, member, piece.copy, piece, node.use)
        if frame.parameters:
            frame.note = f"{frame.parameters:,}" + (" each" if piece.count > 1 and not frame.shared else "")
        elif self.graph.outline:
            frame.note = given_text(piece.copy.numbers, {*target.block.params, *target.dims})
        elif again:
            frame.note = "shared"
        self._place(frame, number, member, piece, target)
        view = self.view.inside(
            target, member, piece.first, piece.count, piece.copy.numbers, id, again or self.view.again
        )
        self.stage.fill(frame, view)
        return frame

    def _closed(self, number: int, node: Call, piece: Piece, id: str) -> Box:
        member, copy = self.graph.members[node.member], piece.copy
        box = Box(id, _title(member) + piece.index, copies=piece.count, span=member.span)
        self._count(box, member, copy, piece, node.use)
        inputs = [self._tensor(type_) if type_ else None for type_ in flat(copy.inputs)]
        target = copy.target
        match target:
            case Op():
                box.operator = target.title()
                detail = self._label(target, inputs)
                box.detail, box.kind = f"{operator_name(target)} {detail}".strip(), target.kind
                if not self.graph.outline:
                    box.details.weights = self._weights(member, copy, piece.first)
            case Graph():
                box.block = target.name
                box.definition = self.stage.close(target)
                box.detail, box.kind = self._widths(target, copy, piece.last), self.stage.kind(target)
                self._unlike(box, piece)
                if member.hidden:  # written in place: its name is the block's
                    box.title, box.detail = target.name, box.detail.removeprefix(target.name).strip()
            case Cases():
                self._cases(box, target, copy, inputs)
            case None:
                raise AssertionError("a bypassed copy is not drawn")
        self._place(box, number, member, piece, target)
        return box

    def _cases(self, box: Box, target: Cases, copy: Copy, inputs: list[Any]) -> None:
        """A box that is one of several things, nobody knows which."""
        box.detail = cases_text(target.options, inputs)
        for block in copy.targets:
            if isinstance(block, Graph):
                definition = self.stage.close(block)
                box.definition = box.definition or definition
        kinds = {
            self.stage.kind(option) if isinstance(option, Graph) else option.kind
            for _, option in target.options
            if option is not None
        }
        box.kind = kinds.pop() if len(kinds) == 1 else "other"

    def _unlike(self, box: Box, piece: Piece) -> None:
        """What is told of copies whose numbers differ: the numbers, and the parameters of all."""
        blocks = [copy.target for copy in piece.unlike if isinstance(copy.target, Graph)]
        if not blocks:
            return
        for block in blocks:
            self.stage.close(block)
        for name, values in differing_params(blocks).items():
            box.detail += f", {name} {span_text(values)}"
        counts = [self.view.costs.copy(copy).parameters for copy in piece.unlike]
        if box.parameters is not None and len(set(counts)) > 1:
            box.parameters, box.together = sum(counts), True

    def _widths(self, target: Graph, copy: Copy, last: Copy) -> str:
        """The small line of a closed block: its name, its width in, and the width of the last copy out."""
        before = next((type_ for type_ in copy.inputs.values() if type_), None)
        after = self.output(last)
        if not isinstance(before, Tensor) or not isinstance(after, Tensor):
            return target.name
        widths = [width_of(tensor, self.view.divisors) for tensor in map(self._tensor, (before, after))]
        if None in widths:
            return target.name
        return f"{target.name} {widths[0]} → {widths[1]}"

    def _tensor(self, tensor: Tensor) -> Tensor:
        seen = self.view.seen(tensor)
        assert isinstance(seen, Tensor)
        return seen

    # What all have

    def _place(
        self, item: Item, number: int, member: Member, piece: Piece, target: Op | Graph | Cases | None
    ) -> None:
        """What an item of copies tells of its place in the Graph."""
        item.nodes, item.first = (number,), piece.first
        self._tell(item, member, target.block.doc if isinstance(target, Graph) else None)
        if isinstance(target, Graph) and item.link is None:
            item.link = target.block.link
        item.details.type = self._type(self.output(piece.last))
        if not self.graph.outline and not piece.unlike:
            item.details.flops = self.view.flops(self.view.costs.copy_flops(piece.copy))

    def _tell(self, item: Item, member: Member, doc: str | None) -> None:
        """What the spec says of a node."""
        spec = member.spec
        item.details.doc = _first_paragraph((spec.doc if spec else None) or doc or "")
        item.link = spec.link if spec else None
        if isinstance(item, Box):
            item.color = spec.color if spec else None

    def _count(
        self, item: Item, member: Member, copy: Copy, piece: Piece | None = None, use: int = 0
    ) -> bool:
        """Count the parameters of one copy, where they are not told elsewhere; were they?"""
        first, count = (piece.first, piece.count) if piece else (0, 1)
        path = weights_path(member, first)
        again = self.view.again or use > 0 or path in self._seen
        self._seen.add(path)
        tied = [gone for _, gone in self.view.tied(member, first)]
        item.shared = again or len(member.uses) > 1 or (member.share and count > 1) or bool(tied)
        if not again and not self.graph.outline:
            item.parameters = (self.view.costs.copy(copy).parameters + sum(tied)) or None
        return again

    def _weights(self, member: Member, copy: Copy, first: int) -> tuple[str, ...]:
        """The names of an operator's weights in the model."""
        path = f"{self.view.weights}{weights_path(member, first)}"
        return tuple(f"{path}.{name}" if name else path for name in self.view.costs.names(copy))

    def output(self, copy: Copy, name: str | None = None) -> Type | None:
        """What a copy gives, in the Graph's names: its output of that name, else its first."""
        target = copy.target
        if isinstance(target, Graph):
            ref = target.outputs.get(name or next(iter(target.outputs), ""))
            return None if ref is None else outer_type(target.type(ref), copy.numbers)
        if not isinstance(target, Op) or self.graph.outline:
            return None
        result = asked(target.shape, *flat(copy.inputs))
        return result if isinstance(result, Tensor) else result[0]

    def _type(self, type_: Type | None) -> str:
        return self.view.text(type_)

    def _label(self, op: Op, types: list[Tensor | None]) -> str:
        key = (op, tuple(types))
        if key not in self._labels:
            self._labels[key] = label_of(op, types)
        return self._labels[key]


def _title(member: Member) -> str:
    return (member.spec.label if member.spec else None) or member.name


def _first_paragraph(text: str) -> str:
    return " ".join(text.strip().split("\n\n")[0].split())
