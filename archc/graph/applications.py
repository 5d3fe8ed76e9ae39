"""One copy of a node applied to what arrives, as far as types go."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from archc.graph import presence
from archc.graph.binding import Bound
from archc.graph.builder import Builder, settle
from archc.graph.cases import apply_cases
from archc.graph.connect import Feed, connect, inlets
from archc.graph.infer import FIX_PRESENCE, arriving, names_help
from archc.graph.ir import Copy, Graph, Type
from archc.graph.labels import relabel
from archc.graph.numbers import Numbers
from archc.graph.plan import Alternatives
from archc.graph.signature import Inside
from archc.graph.values import Failed, Given, Target, Value
from archc.shapes import Guard, Mismatch, Num, Real, Size, describe, plain, symbols
from archc.source.diagnostic import Frame, Related
from archc.source.text import Span

if TYPE_CHECKING:
    from archc.graph.elaborate import Elaborator


class Made(NamedTuple):
    """One copy applied: its outputs (name, type, cases), the copy, and its wires' ports."""

    outputs: tuple[tuple[str, Type, int], ...]
    copy: Copy
    fed: dict[str, list[Feed]]


class Applications:
    """Applies operators and blocks to the types of what arrives, and collects what they demand."""

    def __init__(self, elaborator: Elaborator, numbers: Numbers, builder: Builder) -> None:
        self._elaborator = elaborator
        self._numbers = numbers
        self._builder = builder
        self._context = numbers.context
        self._guarded: set[tuple] = set()

    def copy(self, bound: Bound | Alternatives, feeds: list[Feed], span: Span, frame: str) -> Made | None:
        """One copy, applied to its feeds, as far as types go."""
        if isinstance(bound, Alternatives):
            return apply_cases(self, self._builder, self._context, bound, feeds, span)
        fed = connect(self._context, bound.target.name, inlets(bound.target), feeds, span)
        if fed is None:
            return None
        if bound.op is None:
            return self.block(bound, fed, span, frame)
        slots = list(self._builder.slots(bound.op, fed))
        cases = self._builder.cases(bound.op, slots)
        with self._context.inside(Frame(span, frame), {}):
            types, facts = self._builder.infer.outputs(bound.op, slots, cases, span)
        self._builder.require(facts, span)
        names = bound.op.output_names(len(types))
        inputs = {port: arriving(feed.operand) if feed else None for port, feed in slots}
        outputs = tuple((n, t, cases) for n, t in zip(names, types, strict=True))
        return Made(outputs, Copy(bound.op, inputs), fed)

    # -- blocks ----------------------------------------------------------------------------

    def block(self, bound: Bound, fed: dict[str, list[Feed]], span: Span, frame: str) -> Made | None:
        """A block applied, as far as types go; None where what it needs is never there together."""
        builder = self._builder
        cases = builder.full
        types: dict[str, Type | None] = {}
        for declared in bound.block.inputs.values():
            feeds = fed.get(declared.name, [])
            operand = feeds[0].operand if feeds else None
            if isinstance(operand, Value) and not declared.optional:
                cases &= operand.presence
            types[declared.name] = None if operand is None else arriving(operand)
        if not cases:
            return None
        open_: dict[str, int] = {}
        for declared in bound.block.inputs.values():
            operand = fed[declared.name][0].operand if fed.get(declared.name) else None
            if isinstance(operand, Value) and declared.optional and builder.may_be_absent(operand):
                open_[declared.name] = operand.presence
            elif isinstance(operand, Value) and operand.presence & cases != cases:
                if operand.presence & cases:
                    open_[declared.name] = operand.presence
                else:
                    types[declared.name] = None
        try:
            with builder.recording() as facts:
                graph, inside = self._elaborator.enter(bound, types, tuple(open_), Frame(span, frame))
        except Mismatch as wrong:
            self._disagree(bound, types, wrong, span)
        if graph is None:
            raise Failed
        builder.require(facts, span, cases=cases)
        if not self._context.outline:
            for size in bound.target.sizes:
                self._agree(bound.block.name, size, inside)
            self._vanish(graph, inside, open_, span)
        origins = builder.origins(graph, inside.origins)
        self._guards(graph, origins, span, frame, open_, cases)
        # Inside lists and operators, numbers arrive without their labels.
        for value in bound.params.values():
            if not isinstance(value, Num | Real):
                self._numbers.folded |= label_names(value)
        numbers = self._numbers_of(graph, bound, inside, origins)
        outputs = []
        for name, ref in graph.outputs.items():
            inner = graph.presence[name]
            where = cases & presence.compose(inner, list(open_.values()), builder.full) if open_ else cases
            outputs.append((name, builder.outside(graph.type(ref), origins, numbers), where))
        if not outputs:
            return None
        return Made(tuple(outputs), Copy(graph, types, numbers), fed)

    @staticmethod
    def _numbers_of(
        graph: Graph, bound: Bound, inside: Inside, origins: Mapping[str, Size]
    ) -> dict[str, Any]:
        """A block's params and free dimensions, and what else it calls a size, as the caller's numbers."""
        numbers: dict[str, Any] = {**bound.params, **inside.outside}
        for name, value in graph.defaults.items():
            numbers[name] = relabel(value, numbers)
        known = {n: numbers[n] for n in (*graph.params, *graph.dims) if n in numbers}
        run = {} if graph.outline else graph.sizes
        return known | {n: origins[n] for n, place in run.items() if place is None or n not in known}

    def _disagree(self, bound: Bound, types: dict[str, Type | None], wrong: Mismatch, span: Span) -> NoReturn:
        """Tell that what arrives at a block gives one of its dimensions two sizes."""
        related = []
        shown = []
        for declared in bound.block.inputs.values():
            if types.get(declared.name) is not None:
                related.append(Related(declared.span, f"`{declared.name}` is declared here"))
                shown.append(f"`{declared.name}` is {types[declared.name]}")
        self._context.fail(
            "A301",
            f"{wrong}, and `{bound.block.name}` has one name for them",
            span,
            "; ".join(shown),
            related=related,
        )

    def _refuse(self, guard: Guard, fact: bool | Mismatch, origins: dict) -> NoReturn:
        """Tell that a block demands of its sizes what is not so here."""
        if isinstance(fact, Mismatch):
            self._context.fail("A301", str(fact), guard.span, names_help(fact), trace=guard.trace)
        needed = guard.message or "; ".join(describe([guard.condition]))
        known = ", ".join(f"{n} is {s}" for n, s in origins.items() if n in symbols(guard.condition))
        self._context.fail("A303", f"{needed}, and {known}", guard.span, trace=guard.trace)

    def _agree(self, block: str, size: Given, inside: Inside) -> None:
        """A free dimension that a preset gives must be what is wired."""
        found = inside.outside.get(str(size.name))
        if found is not None and plain(found) != size.value:
            self._context.fail("A306", f"`{size.name}` of `{block}` is {found} here", size.span)

    def _vanish(self, graph: Graph, inside: Inside, open_: Mapping[str, int], span: Span) -> None:
        """A dimension that is 0 in a block where its input is absent must be nothing here, too."""
        for name in sorted(graph.block.empty & inside.outside.keys()):
            ports = graph.block.tellers(name)
            if not all(port in open_ or port in graph.absent for port in ports):
                continue
            size = inside.outside[name]
            given = reduce(or_, (open_[port] for port in ports if port in open_))
            absent = presence.ones(self._builder.full & ~given)
            if any(self._builder.in_case(size, case) != 0 for case in absent):
                message = (
                    f"`{name}` of `{graph.name}` is 0 where `{ports[0]}` is absent, and here it is {size}"
                )
                self._context.fail("A413", message, span, FIX_PRESENCE)

    def _guards(
        self, graph: Graph, origins: dict, span: Span, frame: str, open_: Mapping[str, int], cases: int
    ) -> None:
        """What a block demands of its sizes, demanded of this block's."""
        key = (id(graph), tuple(origins.items()), tuple(open_.items()), cases)
        if key in self._guarded:
            return
        self._guarded.add(key)
        for guard in graph.guards:
            assert guard.span is not None
            fact = settle(guard, origins)
            if fact is True:
                continue
            if isinstance(fact, bool | Mismatch):
                with self._context.inside(Frame(span, frame), origins):
                    self._refuse(guard, fact, origins)
            way = (*guard.trace, Frame(span, frame))
            there = reduce(and_, (open_[port] for port in guard.needs), cases)
            self._builder.require(fact, guard.span, guard.message, way, there)


def label_names(value: Any) -> frozenset[str]:
    """The names in the labels of all numbers in a value."""
    if isinstance(value, Num | Real):
        return value.names
    if isinstance(value, list | tuple):
        return frozenset().union(*map(label_names, value))
    if isinstance(value, Target):
        return frozenset().union(*(label_names(given.value) for given in value.arguments))
    return frozenset()
