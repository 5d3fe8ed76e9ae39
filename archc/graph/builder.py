"""The Graph under construction: its nodes, its edges, and the conditions that it stands on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from archc.graph import presence
from archc.graph.connect import Feed
from archc.graph.context import Context
from archc.graph.infer import FIX_PRESENCE, Inference, Slot
from archc.graph.ir import Apply, Bundle, Graph, Node, Number, Operand, Output, Pack, Pick, Read, Ref, Type
from archc.graph.labels import relabel
from archc.graph.values import ABSENT, Nothing, Outcome, Results, Value
from archc.ops.base import Op
from archc.shapes import (
    Cond,
    Dim,
    Facts,
    Formula,
    Guard,
    Mismatch,
    Size,
    Tensor,
    decide,
    recording,
    same,
    substitute,
    symbol,
    symbols,
)
from archc.source.text import Span


class Builder:
    """Adds nodes to a Graph and tells the values that they make."""

    def __init__(self, context: Context, graph: Graph) -> None:
        self.context = context
        self.graph = graph
        self.full = presence.always(len(graph.open))
        self.nodes: dict[int, Node] = {}
        self.infer = Inference(
            context, lambda value: self.nodes[value.ref.node].span, self.new_size, self.in_case
        )
        self._edges: list[tuple[int, int, int, int]] = []
        self.count = len(graph.block.inputs)
        self._guards: dict[Cond, Guard] = {}
        self._new_sizes = 0
        self._unplaced: set[str] = set()

    # -- nodes -----------------------------------------------------------------------------

    def add(self, node: Node, operands: Iterable[Operand], at: int | None = None) -> int:
        """Add a node that uses these operands, as node `at` or the next number."""
        if at is None:
            at = self.count
            self.count += 1
        self.nodes[at] = node
        for port, operand in enumerate(operands):
            if isinstance(operand, Ref):
                self._edges.append((operand.node, at, operand.out, port))
        self._locate_sizes(at, node)
        return at

    def _locate_sizes(self, at: int, node: Node) -> None:
        """Note where a size that came up here is found when the model runs."""
        if not self._unplaced:
            return
        for out, output in enumerate(node.outputs):
            members = output.type.members if isinstance(output.type, Bundle) else (output.type,)
            for index, member in enumerate(members):
                for axis, size in enumerate(member.shape or ()):
                    name = str(size)
                    if name in self._unplaced:
                        ref = Ref(at, out)
                        bundled = isinstance(output.type, Bundle)
                        self._unplaced.discard(name)
                        self.graph.sizes[name] = (ref, index, axis) if bundled else (ref, axis)

    def new_size(self, reason: str) -> Dim:
        """A size that only the running model knows."""
        self._new_sizes += 1
        name = f"s{self._new_sizes}"
        self._unplaced.add(name)
        self.graph.sizes[name] = None
        return symbol(name, reason)

    def is_open(self, cases: int) -> bool:
        return cases != self.full

    def recording(self) -> recording:
        """Collects what is asked of sizes while a part is inferred."""
        return recording()

    def value(self, node: Node, operands: Iterable[Operand], cases: int) -> Value:
        """Add a node of one output and tell its value."""
        return Value(Ref(self.add(node, operands)), node.outputs[0].type, cases)

    def may_be_absent(self, value: Value) -> bool:
        """Is it left undecided whether a value is there? Never, where all numbers are given."""
        return False

    def further(self, value: Value | Number | Nothing, names: list[str]) -> dict[str, Value]:
        """Outputs that the node of a value may have though nobody knows of them: none, where all is
        known."""
        return {}

    # -- operators -------------------------------------------------------------------------

    def apply(
        self, op: Op, fed: Mapping[str, list[Feed]], span: Span, member: str | None = None
    ) -> tuple[Outcome, list[Slot]]:
        """Apply an operator to what its ports are fed with. Raises Failed where it does not fit."""
        slots = list(self.slots(op, fed))
        cases = self.cases(op, slots)
        if not cases:
            return ABSENT, slots
        if self.graph.open:
            self._known_there(op, slots, cases, span)
            self._few_open(slots, span)
        types, facts = self.infer.outputs(op, slots, cases, span)
        if facts:
            self.require(facts, span)
        names = op.output_names(len(types))
        is_open = self.is_open(cases)
        outputs = tuple([Output(name, made, is_open) for name, made in zip(names, types, strict=True)])
        arguments = tuple([self.operand(feed) for _, feed in slots])
        node = Apply(span, outputs, op, arguments, member, tuple([port for port, _ in slots]))
        at = self.add(node, arguments)
        found = {o.name: Value(Ref(at, i), o.type, cases) for i, o in enumerate(outputs)}
        return Results(found), slots

    def _few_open(self, slots: list[Slot], span: Span) -> None:
        """An operator is written out for each case of its operands that may be absent."""
        values = (feed.operand for _, feed in slots if feed is not None)
        open_ = {v.ref for v in values if isinstance(v, Value) and self.is_open(v.presence)}
        if len(open_) > presence.MOST_OPEN_OPERANDS:
            most = presence.MOST_OPEN_OPERANDS
            message = f"{len(open_)} operands may be absent, more than {most}"
            self.context.fail("A422", message, span, f"join {most} at most at a time, or fix some inputs")

    def _known_there(self, op: Op, slots: list[Slot], cases: int, span: Span) -> None:
        """A size that only an open input tells may be used only where that input is there."""
        used = dict.fromkeys(size_names(list(op.__dict__.values())), span)
        for _, feed in slots:
            if feed and isinstance(feed.operand, Number):
                used |= dict.fromkeys(size_names(feed.operand.value), feed.span)
        for name, where in used.items():
            port = self.graph.told_by(name)
            if port is not None and not self.graph.may_be_empty(name) and cases & ~self.given(port):
                message = f"`{name}` has no value where `{port}` is not given"
                self.context.fail("A413", message, where, FIX_PRESENCE)

    def given(self, port: str) -> int:
        """The cases in which an open input is given."""
        return presence.given(self.graph.open.index(port), len(self.graph.open))

    def in_case(self, size: Size, case: int) -> Size:
        """What a size is in one case of the open inputs: what some of them tell may then be 0."""
        if not isinstance(size, Dim) or not self.graph.open:
            return size
        empty = [n for n in symbols(size) if self.graph.may_be_empty(n)]
        absent = {n: 0 for n in empty if not self.given(self.graph.told_by(n) or "") >> case & 1}
        return substitute(size, absent) if absent else size

    def operand(self, feed: Feed | None) -> Operand:
        """What a node's argument is: a reference, a number or nothing."""
        if feed is None:
            return None
        assert isinstance(feed.operand, Value | Number), feed
        return feed.operand.ref if isinstance(feed.operand, Value) else feed.operand

    def slots(self, op: Op, fed: Mapping[str, list[Feed]]) -> Iterator[Slot]:
        for port in op.ports():
            feeds = fed.get(port.name, [])
            if not port.variadic:
                yield port.name, feeds[0] if feeds else None
                continue
            for feed in feeds:
                value = feed.operand
                if isinstance(value, Value) and isinstance(value.type, Bundle) and not op.starred:
                    for member in self.members(value, feed.span):
                        yield port.name, Feed(None, member, feed.span)
                else:
                    yield port.name, feed

    def cases(self, op: Op, slots: list[Slot]) -> int:
        """The cases in which a result is there: all that it needs, and one of what is variadic."""
        cases = self.full
        if not self.graph.open:
            return cases
        optional = {p.name for p in op.ports() if p.optional}
        variadic = [p.name for p in op.ports() if p.variadic]
        some = presence.NEVER
        numbers = True
        for port, feed in slots:
            if feed is None or not isinstance(feed.operand, Value):
                continue
            if port in variadic:
                numbers = False
                some |= feed.operand.presence
            elif port not in optional:
                cases &= feed.operand.presence
        return cases & some if variadic and not numbers else cases

    # -- bundles ---------------------------------------------------------------------------

    def members(self, bundle: Value, span: Span) -> list[Value]:
        """The members of a bundle, one by one."""
        count = len(bundle.type.members) if isinstance(bundle.type, Bundle) else 0
        return [self.pick(bundle, i, span) for i in range(count)]

    def pick(self, bundle: Value, index: int | slice, span: Span) -> Value:
        """One member of a bundle, or a part of it as a bundle."""
        assert isinstance(bundle.type, Bundle)
        picked = bundle.type.members[index]
        made: Type = Bundle(picked) if isinstance(picked, tuple) else picked
        node = Pick(span, (self._output(made, bundle.presence),), bundle.ref, index)
        return self.value(node, [bundle.ref], bundle.presence)

    def pack(self, items: list[Value], span: Span) -> Value:
        """Tensors and bundles as one bundle."""
        members: list[Tensor] = []
        for item in items:
            members += item.type.members if isinstance(item.type, Bundle) else [item.type]
        refs = tuple(i.ref for i in items)
        node = Pack(span, (self._output(Bundle(tuple(members)), self.full),), refs)
        return self.value(node, refs, self.full)

    def _output(self, made: Type, cases: int, name: str = "out") -> Output:
        return Output(name, made, self.is_open(cases))

    # -- conditions ------------------------------------------------------------------------

    def require(
        self,
        facts: Iterable[Cond],
        span: Span,
        message: str | None = None,
        trace=(),
        cases: int | None = None,
    ) -> None:
        """Note conditions on sizes that must hold when the model runs, in these cases or in all."""
        full = self.full if cases is None else cases
        for fact in facts:
            own = facts if isinstance(facts, Facts) else Facts()
            needs = self._needs(fact, own.cases.get(fact, full) & full)
            known = self._guards.get(fact)
            if known is None:
                self._guards[fact] = Guard(fact, span, message, tuple(trace), own.sides.get(fact), needs)
            elif known.needs - needs:
                self._guards[fact] = known._replace(needs=known.needs & needs)

    def _needs(self, fact: Cond, cases: int) -> frozenset[str]:
        """The open inputs without which a condition is not asked for: where it speaks of a size that is 0
        without one, that makes a difference."""
        if not any(self.graph.may_be_empty(name) for name in symbols(fact)):
            return frozenset()
        return frozenset(port for port in self.graph.open if not cases & ~self.given(port))

    def outside(self, found: Type, origins: Mapping[str, Size], numbers: Mapping[str, Any]) -> Type:
        """A called block's type in this block's sizes; `origins` as `Inside` tells them, `numbers` the
        block's numbers here."""
        if isinstance(found, Bundle):
            return Bundle(tuple(_outside(m, origins, numbers) for m in found.members))
        return _outside(found, origins, numbers)

    def origins(self, graph: Graph, origins: Mapping[str, Size]) -> dict[str, Size]:
        """What a called block's symbols are here; sizes that come up inside it are new ones here."""
        full = dict(origins)
        for name in graph.sizes:
            if name not in full:
                full[name] = self.new_size(f"it comes up inside `{graph.name}`")
        return full

    def reached(self) -> set[int]:
        """The nodes that the outputs are made of, or that tell a size."""
        sources: dict[int, list[int]] = {}
        for source, target, _, _ in self._edges:
            sources.setdefault(target, []).append(source)
        told = [place[0] for place in self.graph.sizes.values() if place is not None]
        waiting = [ref.node for ref in (*self.graph.outputs.values(), *told) if isinstance(ref, Ref)]
        found: set[int] = set()
        applied: dict[str | None, list[int]] | None = None
        while waiting:
            number = waiting.pop()
            if number in found:
                continue
            found.add(number)
            waiting += sources.get(number, ())
            read = self.nodes[number]
            if isinstance(read, Read):  # a weight of what is applied elsewhere
                applied = self._applied() if applied is None else applied
                waiting += applied.pop(read.member, ())
        return found

    def _applied(self) -> dict[str | None, list[int]]:
        """The nodes of each member; of None, those of no member."""
        found: dict[str | None, list[int]] = {}
        for number, node in self.nodes.items():
            found.setdefault(getattr(node, "member", None), []).append(number)
        return found

    def finish(self) -> Graph:
        """The Graph, whole."""
        self.graph.nodes = self.nodes
        self.graph.edges = self._edges
        self.graph.guards = tuple(self._guards.values())
        return self.graph


def _outside(found: Tensor, origins: Mapping[str, Size], numbers: Mapping[str, Any]) -> Tensor:
    if found.shape is None:
        return found
    shape: list[Size] = []
    for size in found.shape:
        if isinstance(size, Dim):
            shape.append(substitute(size, origins))
        else:
            shape.append(relabel(size, numbers))
    return Tensor(tuple(shape), found.dtype)


def size_names(value: Any) -> frozenset[str]:
    """The symbols in all numbers of a value."""
    if isinstance(value, Dim | Formula | Cond):
        return symbols(value)
    if isinstance(value, list | tuple):
        return frozenset().union(*map(size_names, value))
    return frozenset()


def settle(guard: Guard, origins: Mapping[str, Size]) -> Facts | tuple[Cond, ...] | bool | Mismatch:
    """A called block's condition in the caller's sizes: decided, or what remains of it."""
    if guard.sides is not None:
        # An equality that the block could not decide; the caller knows more.
        try:
            with recording() as facts:
                same(*(substitute(side, origins) for side in guard.sides))
        except Mismatch as wrong:
            return wrong
        return facts or True
    found = substitute(guard.condition, origins)
    answer = found if isinstance(found, bool) else decide(found)
    if answer is None:
        assert isinstance(found, Cond)
        return (found,)
    return answer
