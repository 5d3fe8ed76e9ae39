"""Fills a frame with the items and edges of one Graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archc.draw.scene import Box, Edge, Frame, Item, Style
from archc.draw.words import (
    choice_text,
    edge_text,
    index_text,
    operator_text,
    shape_of,
    symbol_of,
    symbol_or_name,
    width_of,
)
from archc.graph.ir import (
    Apply,
    Call,
    Choose,
    Copy,
    Graph,
    Input,
    Node,
    Operand,
    Pack,
    Pick,
    Read,
    Ref,
    Type,
)
from archc.graph.runs import Run, runs
from archc.ops.base import Op
from archc.report.cost import asked, flat, operand_type, outer, outer_type, spread
from archc.shapes import Tensor, substitute

if TYPE_CHECKING:
    from archc.draw.stage import Stage

TAGGED = 3
"""An input with more consumers than this is a name tag at each, not a web of lines."""


class Filler:
    """One Graph drawn into one frame. Shapes are told in the names of the whole chart: `numbers`
    says what the Graph's own symbols are there."""

    def __init__(
        self, stage: Stage, frame: Frame, graph: Graph, path: str, numbers: Mapping[str, Any], depth: int
    ) -> None:
        self.stage = stage
        self.frame = frame
        self.graph = graph
        self.path = path
        self.numbers = numbers
        self.depth = depth
        self.divisors = stage.divisors
        # For each value, the items that it comes from: several where copies' outputs are collected.
        self.origins: dict[Ref, list[str]] = {}
        # What is written at a value's edges; at those of a collected one, by the item too.
        self.labels: dict[Ref | tuple[Ref, str], str] = {}
        self.sides: dict[Ref, int] = {}
        self._members_seen: set[str] = set()
        self._ids: set[str] = set()
        self._pairs: set[tuple[str, str]] = set()
        self._told: set[tuple[str, str]] = set()

    def fill(self, panel: bool) -> None:
        """Draw everything. A panel shows inputs and outputs; inside a frame they are its border."""
        order = list(self.graph.nodes.items())
        self._count_sides()
        for number, node in order:
            if isinstance(node, Input):
                self._input(number, node, panel)
        for number, node in order:
            if not isinstance(node, Input):
                self._node(number, node)
        self._outputs(panel)
        _mark_residuals(self.frame)

    # Inputs and outputs

    def _input(self, number: int, node: Input, panel: bool) -> None:
        ref = Ref(number)
        main = next(iter(self.graph.inputs), None) == node.name
        if not main and (not panel or self._tagged(ref)):
            self.origins[ref] = []  # a tag at each consumer, made there
            return
        dotted = node.optional or node.outputs[0].open
        detail = self._shape(node.outputs[0].type)
        form = "pill" if panel else "port"
        self._add(Box(self._id(node.name), node.name, detail, "input", form, dotted=dotted, span=node.span))
        self.origins[ref] = [self._id(node.name)]
        if main:
            self.frame.entry = self._id(node.name)

    def _count_sides(self) -> None:
        """For each value, how many items take it in beside their main one: of a repeat, every run."""
        for node in self.graph.nodes.values():
            if isinstance(node, Call):
                # A bundle of which each copy takes its share is drawn with its ways.
                operands = [None if wire.each else wire.operand for wire in node.arguments]
                times = len(runs(self.graph.members[node.member], node.use))
            else:
                operands, times = list(getattr(node, "arguments", ())), 1
            for operand in operands[1:]:
                if isinstance(operand, Ref):
                    self.sides[operand] = self.sides.get(operand, 0) + times

    def _tagged(self, ref: Ref) -> bool:
        """Is a value a name tag where it comes in at the side?"""
        return self.sides.get(ref, 0) > TAGGED

    def _outputs(self, panel: bool) -> None:
        for position, (name, ref) in enumerate(self.graph.outputs.items()):
            if panel:
                id = self._id(f"out:{name}")
                detail = self._shape(self.graph.type(ref))
                node = self.graph.node(ref)
                self._add(Box(id, name, detail, "output", "pill", dotted=node.outputs[ref.out].open))
                self._wire(ref, id, labelled=False)
                if position == 0:
                    self.frame.exit = id
            else:
                if position == 0:
                    self.frame.exit = self._id("out:")
                    self._add(Box(self.frame.exit, "", form="port", kind="output"))
                assert self.frame.exit is not None
                self._wire(ref, self.frame.exit, labelled=False)

    # Nodes

    def _node(self, number: int, node: Node) -> None:
        match node:
            case Apply():
                self._apply(number, node)
            case Call():
                self._call(number, node)
            case Pack():
                self._simple(number, node, "bundle", list(node.items))
            case Pick():
                self._simple(number, node, index_text(node.index), [node.bundle])
            case Choose():
                self._simple(number, node, choice_text(node.test), [node.then, node.other])
            case Read():
                name = f"{node.member}.{node.attribute}" if node.attribute else node.member
                self._read(number, node, name)
            case _:
                raise AssertionError(node)

    def _simple(self, number: int, node: Node, title: str, operands: list[Operand]) -> None:
        id = self._id(f"n{number}")
        self._add(Box(id, title, form="pill", span=node.span, dotted=node.outputs[0].open))
        self._finish(number, node, id, operands)

    def _read(self, number: int, node: Read, name: str) -> None:
        id = self._id(f"n{number}")
        detail = self._shape(node.outputs[0].type)
        box = Box(id, name, detail, form="tag", span=node.span)
        if not node.attribute:  # a `param` or `buffer`: its own elements are counted here
            box.parameters = self._parameters(node.member) or None
        box.shared = node.attribute != ""
        self._add(box)
        self._finish(number, node, id, [])

    def _apply(self, number: int, node: Apply) -> None:
        id = self._id(node.member or f"n{number}")
        if node.member and id in self._ids:
            id = self._id(f"{node.member}:{number}")
        dotted = node.outputs[0].open
        sign = symbol_of(node)
        if sign:
            box = Box(id, sign, form="circle", span=node.span, dotted=dotted)
        else:
            box = self._operator(id, node, dotted)
        self._add(box)
        self._finish(number, node, id, list(node.arguments))

    def _operator(self, id: str, node: Apply, dotted: bool) -> Box:
        types = [self._type(operand) for operand in spread(self.graph, node.arguments)]
        label = operator_text(asked(node.op.label, *types))
        what = type(node.op).__name__
        pill = node.op.kind == "activation" and not node.member
        if node.member is None:
            return Box(
                id,
                symbol_or_name(node),
                label,
                node.op.kind,
                "pill" if pill else "card",
                span=node.span,
                dotted=dotted,
            )
        spec = self.graph.members[node.member].spec
        box = Box(
            id,
            (spec.label if spec and spec.label else None) or node.member,
            f"{what} {label}".strip(),
            node.op.kind,
            span=node.span,
            dotted=dotted,
        )
        box.shared = node.member in self._members_seen
        box.parameters = None if box.shared else self._parameters(node.member) or None
        return box

    def _parameters(self, name: str) -> int:
        self._members_seen.add(name)
        return self.stage.costs.member(self.graph.members[name]).parameters

    def _call(self, number: int, node: Call) -> None:
        member = self.graph.members[node.member]
        found = runs(member, node.use)
        series = member.arranged == "repeat"
        items = [self._run(number, node, run, len(found) > 1) for run in found]
        for item in items:
            self._add(item)
        main = node.arguments[0] if node.arguments else None
        for position, item in enumerate(items):
            for wire in node.arguments:
                if wire is main and series and position:
                    before = items[position - 1]
                    self._edge(
                        before.id,
                        item.id,
                        shape_of(self._run_output(found[position - 1]), self.divisors),
                        "data",
                    )
                elif isinstance(wire.operand, Ref):
                    self._wire(wire.operand, item.id, side=wire is not main and not wire.each)
        first = self._type(main.operand) if main and isinstance(main.operand, Ref) else None
        for out, output in enumerate(node.outputs):
            ref = Ref(number, out)
            collected = member.arranged == "parallel" or (series and out > 0)
            self.origins[ref] = [item.id for item in (items if collected else items[-1:])]
            if not items and main and isinstance(main.operand, Ref):  # all copies are bypassed
                self.origins[ref] = self.origins.get(main.operand, [])
            opened = any(isinstance(item, Frame) for item in items)
            shown = self._seen(output.type)
            if collected:
                for item, run in zip(items, found, strict=True):
                    one = self._run_output(run, None if output.name == "all" else output.name)
                    self.labels[ref, item.id] = shape_of(one, self.divisors)
            self.labels[ref] = (
                shape_of(shown, self.divisors) if opened else edge_text(first, shown, self.divisors)
            )

    def _run(self, number: int, node: Call, run: Run, several: bool) -> Item:
        member = self.graph.members[node.member]
        id = self._id(run.name(member))
        if id in self._ids:
            id = f"{id}:{number}"
        name = (member.spec.label if member.spec and member.spec.label else None) or member.name
        if several:
            last = run.first + run.count - 1
            name += f"[{run.first}]" if run.count == 1 else f"[{run.first}..{last}]"
        dotted = node.outputs[0].open
        cost = self.stage.costs.copy(run.copy).parameters
        target = run.copy.target
        assert target is not None
        if isinstance(target, Graph) and self.stage.opens(target, self.depth + 1):
            each = " each" if run.count > 1 else ""
            frame = Frame(
                id,
                name,
                f"{cost:,}{each}" if cost else "",
                run.count,
                member.arranged == "parallel",
                dotted=dotted,
                span=member.span,
            )
            numbers = {key: self._number(value) for key, value in run.copy.numbers.items()}
            self.stage.opened(target, frame, f"{id}.", numbers, self.depth + 1)
            return frame
        box = Box(id, name, copies=run.count, dotted=dotted, span=member.span, parameters=cost or None)
        box.shared = member.share and run.count > 1
        inputs = [self._seen(type_) if type_ else None for type_ in flat(run.copy.inputs)]
        if isinstance(target, Op):
            box.detail = f"{type(target).__name__} {operator_text(asked(target.label, *inputs))}".strip()
            box.kind = target.kind
        else:
            box.definition = self.stage.close(target)
            box.detail = self._widths(target, run.copy)
            box.kind = self.stage.kind(target)
        return box

    def _widths(self, target: Graph, copy: Copy) -> str:
        """The small line of a closed block: its name, and its width in and out."""
        before = next((type_ for type_ in copy.inputs.values() if type_), None)
        after = next((target.type(ref) for ref in target.outputs.values()), None)
        if not isinstance(before, Tensor) or not isinstance(after, Tensor):
            return target.name
        widths = [width_of(tensor) for tensor in (before, after)]
        if None in widths:
            return target.name
        return f"{target.name} {widths[0]} → {widths[1]}"

    def _run_output(self, run: Run, name: str | None = None) -> Type | None:
        """What a copy of a run gives: its output of that name, else its first."""
        target = run.copy.target
        if isinstance(target, Graph):
            numbers = {key: self._number(value) for key, value in run.copy.numbers.items()}
            ref = target.outputs.get(name or next(iter(target.outputs), ""))
            return None if ref is None else outer_type(target.type(ref), numbers)
        assert isinstance(target, Op)
        result = asked(target.shape, *flat(run.copy.inputs))
        return self._seen(result if isinstance(result, Tensor) else result[0])

    # Edges

    def _finish(self, number: int, node: Node, id: str, operands: list[Operand]) -> None:
        """Wire a box to what it is made from, and note where its outputs come from."""
        refs = list(dict.fromkeys(operand for operand in operands if isinstance(operand, Ref)))
        for position, ref in enumerate(refs):
            self._wire(ref, id, side=position > 0)
        before = self._seen(self.graph.type(refs[0])) if refs else None
        for out, output in enumerate(node.outputs):
            self.origins[Ref(number, out)] = [id]
            self.labels[Ref(number, out)] = edge_text(before, self._seen(output.type), self.divisors)

    def _wire(self, ref: Ref, target: str, labelled: bool = True, side: bool = False) -> None:
        node = self.graph.node(ref)
        style: Style = "optional" if node.outputs[ref.out].open else "data"
        origins = self.origins[ref]
        if (not origins and isinstance(node, Input)) or (side and self._tagged(ref)):
            origins = [self._tag(ref, target)]
        for origin in origins:
            own = self.labels.get((ref, origin), self.labels.get(ref, ""))
            tag = origin.startswith(f"{target}<")
            label = "" if isinstance(node, Input) or tag or not labelled else own
            self._edge(origin, target, label, style)

    def _edge(self, source: str, target: str, label: str, style: Style) -> None:
        # A label stands once at a source: its further edges carry the same value.
        if (source, target) in self._pairs:
            return
        self._pairs.add((source, target))
        if (source, label) in self._told:
            label = ""
        self._told.add((source, label))
        self.frame.edges.append(Edge(source, target, label, style))

    def _tag(self, ref: Ref, target: str) -> str:
        """A name tag for a value, right above an item that takes it in."""
        node = self.graph.node(ref)
        output = node.outputs[ref.out]
        name = node.name if isinstance(node, Input) else (node.value if not ref.out else None)
        name = name or getattr(node, "member", None) or output.name
        id = f"{target}<{name}"
        if id not in self._ids:
            kind = "input" if isinstance(node, Input) else "other"
            self._add(Box(id, name, kind=kind, form="tag", dotted=output.open, span=node.span))
        return id

    # Names and types

    def _add(self, item: Item) -> None:
        self._ids.add(item.id)
        self.frame.items.append(item)

    def _id(self, name: str) -> str:
        return self.path + name

    def _number(self, value: Any) -> Any:
        return substitute(value, outer(value, self.numbers)) if self.numbers else value

    def _seen(self, type_: Type) -> Type:
        return outer_type(type_, self.numbers) if self.numbers else type_

    def _shape(self, type_: Type) -> str:
        return shape_of(self._seen(type_), self.divisors)

    def _type(self, operand: Operand) -> Any:
        type_ = operand_type(self.graph, operand)
        return None if type_ is None else self._seen(type_)


def _mark_residuals(frame: Frame) -> None:
    """An edge into a sum is a residual where its source reaches the sum by a longer way too."""
    after: dict[str, list[str]] = {}
    for edge in frame.edges:
        after.setdefault(edge.source, []).append(edge.target)
    circles = {item.id for item in frame.items if isinstance(item, Box) and item.title == "+"}
    for edge in frame.edges:
        if edge.target not in circles or edge.style == "optional":
            continue
        seen: set[str] = set()
        waiting = [target for target in after.get(edge.source, []) if target != edge.target]
        while waiting:
            here = waiting.pop()
            if here == edge.target:
                edge.style = "residual"
                break
            if here not in seen:
                seen.add(here)
                waiting += after.get(here, [])
