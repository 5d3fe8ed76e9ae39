"""Outlines: a block of which not all numbers are given becomes a Graph that can be drawn.

The elaboration is the same as of a block that is bound; here stands what differs. A size that cannot
be told is a new symbol whose name begins with `?`; of a value of which nothing is known, not even
the rank, the type is `ANY`. What the flow asks of sizes is supposed to hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from archc.graph.builder import Builder
from archc.graph.connect import Feed
from archc.graph.context import Context
from archc.graph.infer import Inference, Slot, Variant, arriving, operand_type
from archc.graph.ir import Bundle, Choose, Graph, Node, Number, Operand, Output, Pack, Pick, Ref, Type
from archc.graph.labels import relabel
from archc.graph.numbers import Numbers
from archc.graph.signature import Inside
from archc.graph.undecided import ANY, Undecided, common, gathered, joined
from archc.graph.values import Failed, Given, Nothing, Target, Value
from archc.lang.schema import Block, Input
from archc.lang.syntax import Dots
from archc.lang.values import Unsettled
from archc.ops.base import Op, ShapeError
from archc.ops.outline import shapes
from archc.shapes import (
    Cond,
    Dim,
    Facts,
    Formula,
    Size,
    Tensor,
    parameter,
    recording,
    substitute,
    symbol,
    symbols,
)
from archc.source.text import Span

DOTS = "..."
"""The name of the dimension that stands for all those that an input leaves open."""


class OutlineInference(Inference):
    """Asks operators for types, and takes none for an answer."""

    def __init__(
        self,
        context: Context,
        origin: Callable[[Value], Span],
        new_size: Callable[[str], Dim],
        in_case: Callable[[Size, int], Size],
    ) -> None:
        super().__init__(context, origin, new_size, in_case)
        self.maybe: set[Ref] = set()
        """Values that are there only where an undecided condition holds."""
        self.unknown = lambda: new_size("nobody has decided it")

    def _once(self, op: Op, slots: Sequence[Slot], span: Span) -> tuple[tuple[Tensor, ...], Facts]:
        types: list[Tensor | None] = []
        for _, feed in slots:
            made = feed.operand.type if feed and isinstance(feed.operand, Value) else None
            if isinstance(made, Bundle):
                if made.count is not None:
                    return (ANY,) * len(op.outputs), Facts()
                types += made.members
            else:
                types.append(feed and operand_type(feed.operand))
        try:
            with recording(self.unknown):
                found = shapes(op, types)
        except ShapeError as wrong:
            self._refuse(op, slots, wrong, span)
        return (ANY,) * len(op.outputs) if found is None else found, Facts()

    def outputs(
        self, op: Op, slots: Sequence[Slot], cases: int, span: Span
    ) -> tuple[tuple[Tensor, ...], Facts]:
        """Also where an operand that an undecided condition decides is left out."""
        spare = {p.name for p in op.ports() if p.optional or p.variadic}
        left_out = [i for i, (port, feed) in enumerate(slots) if port in spare and self._is_spare(feed)]
        found, facts = super().outputs(op, slots, cases, span)
        for at in (*left_out, left_out) if len(left_out) > 1 else left_out:
            gone = {at} if isinstance(at, int) else set(at)
            kept = [(p, None if i in gone else f) for i, (p, f) in enumerate(slots)]
            if any(feed is not None for _, feed in kept):
                without, _ = super().outputs(op, self._packed(op, kept), cases, span)
                found = self._merge(op, [(found, cases), (without, cases)], span)
        return found, facts

    def _is_spare(self, feed: Feed | None) -> bool:
        return feed is not None and isinstance(feed.operand, Value) and feed.operand.ref in self.maybe

    @staticmethod
    def _packed(op: Op, slots: Sequence[Slot]) -> list[Slot]:
        variadic = any(p.variadic for p in op.ports())
        return [(port, feed) for port, feed in slots if feed is not None or not variadic]

    def _merge(self, op: Op, variants: list[Variant], span: Span) -> tuple[Tensor, ...]:
        most = max(len(v) for v, _ in variants)
        if any(len(v) < most for v, _ in variants):
            return (ANY,) * most
        return super()._merge(op, variants, span)

    def join(
        self, a: Type, b: Type, span: Span, cases: tuple[int, int] = (0, 0), test: Undecided | None = None
    ) -> Any:
        return joined(a, b, self.unknown, test)


class OutlineBuilder(Builder):
    """Builds a Graph of which not all is known."""

    def __init__(self, context: Context, graph: Graph) -> None:
        super().__init__(context, graph)
        self.infer = OutlineInference(
            context, lambda value: self.nodes[value.ref.node].span, self.new_size, self.in_case
        )
        self.maybe = self.infer.maybe

    def may_be_absent(self, value: Value) -> bool:
        return value.ref in self.maybe

    def new_size(self, reason: str) -> Dim:
        self._new_sizes += 1
        name = f"?{self._new_sizes}"
        self.graph.sizes[name] = None
        return symbol(name, reason)

    @property
    def unknown(self) -> Callable[[], Dim]:
        """Makes a size that nobody knows."""
        return self.infer.unknown  # type: ignore[attr-defined]

    def recording(self) -> recording:
        return recording(self.unknown)

    def add(self, node: Node, operands: Iterable[Operand], at: int | None = None) -> int:
        refs = tuple(operands)
        at = super().add(node, refs, at)
        main = refs[0] if refs and not isinstance(node, Choose) else None
        if isinstance(main, Ref) and main in self.maybe:
            self.maybe.update(Ref(at, out) for out in range(len(node.outputs)))
        return at

    def require(
        self,
        facts: Iterable[Cond],
        span: Span,
        message: str | None = None,
        trace=(),
        cases: int | None = None,
    ) -> None:
        """Nothing is demanded of an outline."""

    def _known_there(self, op: Op, slots: list[Slot], cases: int, span: Span) -> None:
        """All sizes are there."""

    def _few_open(self, slots: list[Slot], span: Span) -> None:
        """No code is written."""

    def slots(self, op: Op, fed: Mapping[str, list[Feed]]) -> Iterator[Slot]:
        for port in op.ports():
            for feed in fed.get(port.name, []) or [None] * (not port.variadic):
                spread = feed is not None and port.variadic and not op.starred
                for member in self._spread(feed) if spread and feed else (feed,):
                    yield port.name, member

    def _spread(self, feed: Feed) -> Iterable[Feed]:
        """The members of a bundle of known length, one by one; else what it is."""
        value = feed.operand
        if not isinstance(value, Value) or not isinstance(value.type, Bundle) or value.type.count is not None:
            return (feed,)
        return (Feed(None, member, feed.span) for member in self.members(value, feed.span))

    def pick(self, bundle: Value, index: Any, span: Span) -> Value:
        made = bundle.type
        assert isinstance(made, Bundle)
        if made.count is None and _is_known(index):
            return super().pick(bundle, index, span)
        found: Type = common(made.members, self.unknown)
        if isinstance(index, slice):
            turned = index == slice(None, None, -1)
            found = Bundle((found,), made.count if turned and made.count is not None else self.unknown())
        node = Pick(span, (self._output(found, bundle.presence),), bundle.ref, index)
        return self.value(node, [bundle.ref], bundle.presence)

    def pack(self, items: list[Value], span: Span) -> Value:
        made = gathered(tuple(item.type for item in items), self.unknown)
        refs = tuple(item.ref for item in items)
        return self.value(Pack(span, (self._output(made, self.full),), refs), refs, self.full)

    def origins(self, graph: Graph, origins: Mapping[str, Size]) -> dict[str, Size]:
        return dict(origins)  # what is new here is found as it is met

    def outside(self, found: Type, origins: Mapping[str, Size], numbers: Mapping[str, Any]) -> Type:
        if isinstance(found, Bundle):
            members = tuple(self.outside(m, origins, numbers) for m in found.members)
            count = None if found.count is None else self._size(found.count, origins, numbers)
            return Bundle(members, count)  # type: ignore[arg-type]
        if found.shape is None:
            return found
        return Tensor(tuple(self._size(s, origins, numbers) for s in found.shape), found.dtype)

    def _size(self, size: Size, origins: Mapping[str, Size], numbers: Mapping[str, Any]) -> Any:
        if not isinstance(size, Dim):
            return relabel(size, numbers)
        assert isinstance(origins, dict), "see `origins`"
        for name in symbols(size) - origins.keys():
            origins[name] = self.unknown()
        return substitute(size, origins)

    def choose(
        self, test: Undecided, then: Value | Number, other: Value | Number | None, span: Span
    ) -> Value:
        """`then` where the condition holds, else `other`; None: nothing, which counts as there."""
        types = [arriving(v) for v in (then, other) if v is not None]
        made = types[0] if other is None else self.infer.join(*types, span, test=test)  # type: ignore[call-arg]
        operands = [v.ref if isinstance(v, Value) else v for v in (then, other)]
        there = [v.presence if isinstance(v, Value) else self.full for v in (then, other) if v is not None]
        cases = there[0] | there[-1]
        node = Choose(span, (self._output(made, cases),), test.test, *operands)
        value = self.value(node, operands, cases)
        if other is None:
            self.maybe.add(value.ref)
        return value

    def mark(self) -> tuple[int, int, dict[str, int]]:
        """Where the Graph stands now."""
        uses = {name: len(member.uses) for name, member in self.graph.members.items()}
        return self.count, len(self._edges), uses

    def may_be_gone(self, mark: tuple[int, int, dict[str, int]]) -> None:
        """What was added since is there only where an undecided condition holds."""
        for at in range(mark[0], self.count):
            self.maybe.update(Ref(at, out) for out in range(len(self.nodes[at].outputs)))

    def back(self, mark: tuple[int, int, dict[str, int]]) -> None:
        """Take away what was added since."""
        count, edges, uses = mark
        for at in range(count, self.count):
            self.nodes.pop(at, None)
        self.count = count
        del self._edges[edges:]
        for name in list(self.graph.members):
            if name in uses:
                del self.graph.members[name].uses[uses[name] :]
            else:
                del self.graph.members[name]

    def further(self, value: Value | Number | Nothing, names: Sequence[str]) -> dict[str, Value]:
        made: dict[str, Value] = {}
        node = self.nodes[value.ref.node] if isinstance(value, Value) else None
        if node is None or not isinstance(value, Value) or any(o.type != ANY for o in node.outputs):
            return made
        for name in names:
            node.outputs += (Output(name, ANY, self.is_open(value.presence)),)
            made[name] = Value(Ref(value.ref.node, len(node.outputs) - 1), ANY, value.presence)
        return made


def _is_known(index: Any) -> bool:
    parts = (index.start, index.stop, index.step) if isinstance(index, slice) else (index,)
    return all(part is None or isinstance(part, int) for part in parts)


class OutlineInside(Inside):
    """What arrives at a block, of which not all is known."""

    def arrive(self, types: Mapping[str, Type | None], open_: Iterable[str]) -> dict[str, Type | None]:
        known = {name: self._fitting(self.block.inputs[name], found) for name, found in types.items()}
        inner = super().arrive(known, tuple(open_))
        for name, found in known.items():
            own = inner.get(name)
            if isinstance(found, Bundle) and isinstance(own, Bundle) and found.count is not None:
                count = length(name)
                self._bind(count, str(count), found.count, None)
                inner[name] = Bundle(own.members, count)
        for name in self.block.dims:
            if name not in self.dims:
                self.dims[name] = symbol(name)
                self.sizes[name] = None
        return inner

    @staticmethod
    def _fitting(declared: Input, found: Type | None) -> Type | None:
        """What arrives, without sizes where it is not of the rank that the block declares."""
        if found is None or isinstance(found, Bundle) or found.shape is None or declared.shape is None:
            return found
        dots = any(isinstance(item, Dots) for item in declared.shape)
        least = len(declared.shape) - dots
        fits = len(found.shape) >= least if dots else len(found.shape) == least
        return found if fits else ANY

    def _number(self, value: Any, label: str | None, name: str | None) -> Any:
        if isinstance(value, Unsettled):
            return Unsettled(label or value.text, value.type)
        if isinstance(value, Cond | Formula):
            return Unsettled(label or str(value))
        if isinstance(value, list | tuple):
            return [
                self._number(v, label and f"{label}[{i}]", label and f"{label}[{i}]")
                for i, v in enumerate(value)
            ]
        if isinstance(value, Target):
            given = tuple(self._argument(value, at, a) for at, a in enumerate(value.arguments))
            return Target(value.name, value.what, given, value.span)
        return super()._number(value, label, name)

    def _argument(self, target: Target, at: int, given: Given) -> Given:
        """What an operator or block is given, in words of its own."""
        names = list(target.what.params) if isinstance(target.what, Block) else target.what.attributes()
        name = given.name or (names[at] if at < len(names) else None)
        if isinstance(given.value, Unsettled | Cond | Formula):
            value: Any = Unsettled(name or str(given.value))
        else:
            own = {*self.block.params, *self.block.let, *self.block.dims, *self.sizes}
            value = self._number(given.value, None, None if name in own else name)
        return Given(given.name, value, given.span)

    def _translate(self, size: Dim, place: Any, name: str | None = None) -> Size:
        if name is None and str(size) == DOTS and DOTS not in self.sizes:
            inner = symbol(DOTS)
            self._bind(inner, DOTS, size, place)
            return inner
        if name is None or size in self._whole:
            return super()._translate(size, place, name)
        # by its own name, not as an expression: so the instances of a block are few
        inner = parameter(name)
        self._bind(inner, name, size, place)
        return inner


def length(name: str) -> Dim:
    """The number of members of a bundle that is an input."""
    return parameter(f"len({name})")


def suppose_inputs(numbers: Numbers, types: Mapping[str, Type | None]) -> dict[str, Type | None]:
    """The types of what arrives at a block, as its inputs declare them."""
    told = dict(types)
    for declared in numbers.block.inputs.values():
        found = types.get(declared.name)
        if found is None:
            continue
        if declared.bundle is None:
            told[declared.name] = _declared(numbers, declared, found)
            continue
        members = found.members if isinstance(found, Bundle) else (ANY,)
        count = found.count if isinstance(found, Bundle) else length(declared.name)
        told[declared.name] = Bundle(tuple(_declared(numbers, declared, m) for m in members), count)
    return told


def _declared(numbers: Numbers, declared: Input, found: Type) -> Tensor:
    """A tensor of which nothing is known is what it is declared to be."""
    if isinstance(found, Bundle):
        found = ANY
    if declared.shape is None:
        return found
    dots = next((i for i, item in enumerate(declared.shape) if isinstance(item, Dots)), None)
    if found.shape is None:
        if dots is not None:
            return Tensor(None, declared.dtype)
        shape: list[Any] = [None] * len(declared.shape)
    else:
        shape = list(found.shape)
    dtype = declared.dtype if found.shape is None or declared.dtype != "float" else found.dtype
    for index, item in enumerate(declared.shape):
        if isinstance(item, Dots):
            continue
        axis = index if dots is None or index < dots else index - len(declared.shape) + len(shape)
        wanted = _size(numbers, item)
        if wanted is not None:
            shape[axis] = wanted
    if any(size is None for size in shape):
        return Tensor(None, dtype)
    return Tensor(tuple(shape), dtype)


def _size(numbers: Numbers, item: Any) -> Any:
    """A size that an input declares, None where it is no number."""
    try:
        wanted = numbers.evaluate(item)
    except Failed:
        return None
    if isinstance(wanted, Unsettled):
        return parameter(wanted.text)
    return wanted if isinstance(wanted, int | Dim) and not isinstance(wanted, bool) else None
