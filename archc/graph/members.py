"""Applying a node of a spec to what arrives: once, in series or side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from archc.graph import presence
from archc.graph.binding import Bound
from archc.graph.builder import Builder, settle
from archc.graph.connect import Feed, connect, inlets
from archc.graph.infer import FIX_PRESENCE, operand_type
from archc.graph.ir import (
    Bundle,
    Call,
    Choose,
    Copy,
    Graph,
    Member,
    Output,
    Ref,
    Type,
    Wire,
)
from archc.graph.numbers import Numbers
from archc.graph.plan import Plan, plan
from archc.graph.values import ABSENT, Each, Failed, Outcome, Results, Value
from archc.graph.weights import difference, owns_any
from archc.ops.base import Op
from archc.shapes import Mismatch, Tensor, describe, plain, recording
from archc.source.diagnostic import Frame, Related
from archc.source.text import Span

if TYPE_CHECKING:
    from archc.graph.elaborate import Elaborator


@dataclass(frozen=True, slots=True)
class Made:
    """One copy applied: its outputs (name, type, cases), the copy, and its wires' ports."""

    outputs: tuple[tuple[str, Type, int], ...]
    copy: Copy
    fed: dict[str, list[Feed]]


class Members:
    """The nodes of a block instance, and their applications."""

    def __init__(self, elaborator: Elaborator, numbers: Numbers, builder: Builder) -> None:
        self._elaborator = elaborator
        self._numbers = numbers
        self._builder = builder
        self._context = numbers.context
        self._plans: dict[str, Plan | None] = {}
        self._guarded: set[tuple] = set()
        self.all: dict[str, Value] = {}

    def plan(self, name: str) -> Plan:
        """A node's copies, evaluated once; raises Failed."""
        if name not in self._plans:
            self._plans[name] = None
            self._plans[name] = plan(self._numbers, self._numbers.block.nodes[name])
        found = self._plans[name]
        if found is None:
            raise Failed
        return found

    def apply(self, name: str, feeds: list[Feed], span: Span) -> Outcome:
        """A node of the spec as a step; raises Failed, having told what does not fit."""
        made = self.plan(name)
        if made.arranged:
            return self._many(name, made, feeds, span)
        bound = made.copies[0]
        if bound is None:
            return _first(feeds)
        self._no_each(feeds)
        if made.test is None:
            return self._single(name, bound, feeds, span)
        cases = presence.where(made.test, self._builder.graph.open)
        if not cases:
            return _first(feeds)
        found = self._single(name, bound, feeds, span)
        return found if cases == self._builder.full else self._bypassed(made.test, cases, feeds, found, span)

    def call_in_place(self, bound: Bound, feeds: list[Feed], span: Span) -> Outcome:
        """A block without weights as a step, without a node."""
        self._no_each(feeds)
        name = self._hidden_name(bound.block.name)
        found = self._single(name, bound, feeds, span, hidden=True)
        member = self._builder.graph.members.get(name)
        target = member.copies[0].target if member else None
        if isinstance(target, Graph) and owns_any(target):
            self._context.fail(
                "A430",
                f"`{bound.block.name}` owns weights, so it must be a node",
                span,
                f"add `{name}: {bound.target.span.text}` to `nodes` and write `-> {name}`",
            )
        return found

    def _hidden_name(self, block: str) -> str:
        stem = "".join("_" + c.lower() if c.isupper() else c for c in block).strip("_")
        taken = {*self._builder.graph.members, *self._numbers.block.nodes}
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}_{number}"
        return name

    def _no_each(self, feeds: list[Feed]) -> None:
        for feed in feeds:
            if isinstance(feed.operand, Each):
                self._context.fail(
                    "A410", "`each` is for the inputs of a `repeat` or `parallel` node", feed.span
                )

    # -- once ------------------------------------------------------------------------------

    def _single(
        self, name: str, bound: Bound, feeds: list[Feed], span: Span, *, hidden: bool = False
    ) -> Outcome:
        fed = connect(self._context, bound.target.name, inlets(bound.target), feeds, span)
        if fed is None:
            return ABSENT
        if bound.op is not None:
            found, slots = self._builder.apply(bound.op, fed, span, name)
            if found is not ABSENT:
                inputs = {port: operand_type(feed.operand) if feed else None for port, feed in slots}
                self._register(name, (Copy(bound.op, inputs),), "", span, hidden)
            return found
        made = self._block(bound, fed, span, f"in `{bound.block.name}`")
        if made is None:
            return ABSENT
        use = self._register(name, (made.copy,), "", span, hidden)
        full = self._builder.full
        outputs = tuple(Output(n, t, cases != full) for n, t, cases in made.outputs)
        wires = tuple(self._wire(port, feeds) for port, feeds in fed.items() if feeds)
        at = self._builder.add(Call(span, outputs, name, wires, use), [w.operand for w in wires])
        found = {n: Value(Ref(at, i), t, cases) for i, (n, t, cases) in enumerate(made.outputs)}
        return Results({n: found.get(n, ABSENT) for n in self._elaborator.outputs(bound.block)})

    def _bypassed(self, test: tuple, cases: int, feeds: list[Feed], found: Outcome, span: Span) -> Outcome:
        """A node whose `when` an open input decides: its first output, or its first input."""
        first = feeds[0].operand if feeds else ABSENT
        if not isinstance(found, Results) or not isinstance(found.first, Value):
            return found
        name = next(iter(found.outputs))
        rest = {
            n: replace(v, presence=v.presence & cases) if isinstance(v, Value) else v
            for n, v in found.outputs.items()
        }
        made = rest[name]
        assert isinstance(made, Value)
        if not isinstance(first, Value):
            return Results(rest)
        joined = self._builder.infer.join(found.first.type, first.type, span)
        there = made.presence | first.presence & ~cases
        output = Output("out", joined, there != self._builder.full)
        node = Choose(span, (output,), test, found.first.ref, first.ref)
        value = self._builder.value(node, [found.first.ref, first.ref], there)
        return Results({**rest, name: value})

    # -- many ------------------------------------------------------------------------------

    def _many(self, name: str, made: Plan, feeds: list[Feed], span: Span) -> Outcome:
        if not made.copies:
            return self._none(name, made, feeds, span)
        series = made.arranged == "repeat"
        if series and feeds and isinstance(feeds[0].operand, Each):
            self._context.fail(
                "A410",
                "the first input of a `repeat` goes from copy to copy and cannot be `each`",
                feeds[0].span,
            )
        if any(f.operand is ABSENT for f in feeds[:1]):
            return ABSENT
        count = len(made.copies)
        carried = feeds[0].operand if series and feeds else None
        copies: list[Copy] = []
        runs: list[Made | None] = []
        firsts: list[Type] = []
        memo: dict[tuple, Made | None] = {}
        previous: tuple | None = None
        for index, bound in enumerate(made.copies):
            mine = self._share(name, made, feeds, index, count)
            if carried is not None:
                mine[0] = replace(feeds[0], operand=carried)
            key = (id(bound), *((f.name, _key(f.operand)) for f in mine))
            if key == previous and isinstance(runs[-1], Made):
                run = runs[-1]
            elif bound is None:
                run = None
            elif key in memo:
                run = memo[key]
            else:
                frame = f"in `{bound.target.name}`, copy {index} of `{name}`"
                run = memo[key] = self._copy(bound, mine, span, frame)
                if run is None:
                    return ABSENT
            previous = key
            runs.append(run)
            if run is None:
                copies.append(Copy(None, {}))
                value = mine[0].operand if mine else ABSENT
                firsts.append(value.type if isinstance(value, Value) else operand_type(value))
                continue
            copies.append(run.copy)
            first = run.outputs[0]
            firsts.append(first[1])
            if series:
                assert isinstance(carried, Value)
                carried = Value(carried.ref, first[1], first[2])
        return self._gather(name, made, feeds, span, copies, runs, firsts, carried)

    def _share(self, name: str, made: Plan, feeds: list[Feed], index: int, count: int) -> list[Feed]:
        """The feeds of one copy: its share of every `each`."""
        if not any(isinstance(f.operand, Each) for f in feeds):
            return list(feeds)
        mine = []
        for feed in feeds:
            if isinstance(feed.operand, Each):
                value = feed.operand.value
                assert isinstance(value.type, Bundle)
                members = value.type.members
                share = self._share_size(name, made, feed, feeds, len(members), count)
                part = members[index * share : (index + 1) * share]
                whole = self._takes_bundle(made, feed, feeds)
                feed = replace(feed, operand=replace(value, type=Bundle(part) if whole else part[0]))
            mine.append(feed)
        return mine

    def _share_size(
        self, name: str, made: Plan, feed: Feed, feeds: list[Feed], members: int, count: int
    ) -> int:
        if members == count or (members % count == 0 and self._takes_bundle(made, feed, feeds)):
            return members // count
        self._context.fail(
            "A410",
            f"`each` has {members} member{'' if members == 1 else 's'} for {count} copies of `{name}`",
            feed.span,
            f"the bundle must have {count}, or a multiple of it where the input is a bundle",
        )

    @staticmethod
    def _takes_bundle(made: Plan, feed: Feed, feeds: list[Feed]) -> bool:
        bound = next((b for b in made.copies if b is not None), None)
        if bound is None:
            return False
        ports = inlets(bound.target)
        if feed.name is not None:
            return any(p.name == feed.name and p.bundle for p in ports)
        position = [f for f in feeds if f.name is None].index(feed)
        return position < len(ports) and bool(ports[position].bundle)

    def _copy(self, bound: Bound, feeds: list[Feed], span: Span, frame: str) -> Made | None:
        """One copy, applied to its feeds, as far as types go."""
        fed = connect(self._context, bound.target.name, inlets(bound.target), feeds, span)
        if fed is None:
            return None
        if bound.op is None:
            return self._block(bound, fed, span, frame)
        slots = list(self._builder.slots(bound.op, fed))
        cases = self._builder.cases(bound.op, slots)
        with self._context.inside(Frame(span, frame), self._identity()):
            types, facts = self._builder.infer.outputs(bound.op, slots, cases, span)
        self._builder.require(facts, span)
        names = bound.op.output_names(len(types))
        inputs = {port: operand_type(feed.operand) if feed else None for port, feed in slots}
        outputs = tuple((n, t, cases) for n, t in zip(names, types, strict=True))
        return Made(outputs, Copy(bound.op, inputs), fed)

    def _identity(self) -> dict:
        return {}

    def _gather(
        self,
        name: str,
        made: Plan,
        feeds: list[Feed],
        span: Span,
        copies: list[Copy],
        runs: list[Made | None],
        firsts: list[Type],
        carried: Any,
    ) -> Outcome:
        """The node of many copies, and what it gives."""
        there = next((r for r in runs if r is not None), None)
        if there is None and made.arranged == "repeat":
            return _first(feeds)
        outputs: list[tuple[str, Type, int]] = []
        full = self._builder.full
        first_name = there.outputs[0][0] if there else "out"
        if made.arranged == "repeat":
            assert isinstance(carried, Value)
            outputs.append((first_name, carried.type, carried.presence))
        else:
            outputs.append((first_name, self._bundle(name, firsts, span), full))
        collected: dict[str, list[Type]] = {}
        for run in runs:
            for n, t, cases in run.outputs[1:] if run else ():
                if cases != full:
                    self._context.fail(
                        "A413",
                        f"output `{n}` of `{name}` is open, and is collected in a bundle",
                        span,
                        FIX_PRESENCE,
                    )
                collected.setdefault(n, []).append(t)
        outputs += [(n, self._bundle(name, ts, span), full) for n, ts in collected.items()]
        use = self._register(name, tuple(copies), made.arranged, span)
        told = list(outputs)
        if made.arranged == "repeat" and name in self._elaborator.read_whole(self._numbers.block):
            told.append(("all", self._bundle(name, firsts, span), full))
        wires = self._wires(there, feeds, made, len(copies)) if there else ()
        node = Call(span, tuple(Output(n, t, c != full) for n, t, c in told), name, wires, use)
        at = self._builder.add(node, [w.operand for w in wires])
        values = {n: Value(Ref(at, i), t, c) for i, (n, t, c) in enumerate(told)}
        self._note_all(name, values.get("all") or values[first_name], span)
        return Results({n: values[n] for n, _, _ in outputs})

    def _note_all(self, name: str, value: Value, span: Span) -> None:
        self.all[name] = value

    def _bundle(self, name: str, types: list[Type], span: Span) -> Bundle:
        members: list[Tensor] = []
        for t in types:
            members += t.members if isinstance(t, Bundle) else [t]
        return Bundle(tuple(members))

    def _none(self, name: str, made: Plan, feeds: list[Feed], span: Span) -> Outcome:
        """No copies: the input passes through; all else is empty."""
        empty = self._builder.pack([], span)
        self.all[name] = empty
        further = {n: empty for n in self._elaborator.further_outputs(self._numbers, made.node)}
        if made.arranged == "parallel":
            return Results({"out": empty, **further})
        passed = _first(feeds)
        return Results({**passed.outputs, **further}) if isinstance(passed, Results) else passed

    def _wires(self, there: Made, feeds: list[Feed], made: Plan, count: int) -> tuple[Wire, ...]:
        """The wires of all copies: as those of the first, but whole bundles where each takes its share."""
        by_place = {f.span: f for f in feeds}
        wires = []
        for port, port_feeds in there.fed.items():
            for feed in port_feeds:
                original = by_place.get(feed.span, feed)
                if isinstance(original.operand, Each):
                    value = original.operand.value
                    assert isinstance(value.type, Bundle)
                    share = len(value.type.members) // count
                    wires.append(Wire(port, value.ref, True, share))
                else:
                    wires.append(Wire(port, self._builder.operand(original)))
        return tuple(wires)

    # -- blocks ----------------------------------------------------------------------------

    def _block(self, bound: Bound, fed: dict[str, list[Feed]], span: Span, frame: str) -> Made | None:
        """A block applied, as far as types go; None where what it needs is never there together."""
        builder = self._builder
        cases = builder.full
        types: dict[str, Type | None] = {}
        for declared in bound.block.inputs.values():
            feeds = fed.get(declared.name, [])
            operand = feeds[0].operand if feeds else None
            if isinstance(operand, Value) and not declared.optional:
                cases &= operand.presence
            types[declared.name] = None if operand is None else _type(operand)
        if not cases:
            return None
        open_: dict[str, int] = {}
        for declared in bound.block.inputs.values():
            operand = fed[declared.name][0].operand if fed.get(declared.name) else None
            if isinstance(operand, Value) and operand.presence & cases != cases:
                if operand.presence & cases:
                    open_[declared.name] = operand.presence
                else:
                    types[declared.name] = None
        try:
            with recording() as facts:
                graph, inside = self._elaborator.enter(bound, types, tuple(open_), Frame(span, frame))
        except Mismatch as wrong:
            self._disagree(bound, types, wrong, span)
        if graph is None:
            raise Failed
        builder.require(facts, span)
        origins = builder.origins(graph, inside.origins)
        self._guards(graph, origins, span)
        defaults = {n: plain(v) for n, v in graph.params.items()}  # their labels mean nothing here
        numbers = {**defaults, **bound.params, **inside.outside}
        numbers = {n: numbers[n] for n in numbers if n in bound.block.params or n in graph.dims}
        outputs = []
        for name, ref in graph.outputs.items():
            inner = graph.presence[name]
            where = cases & presence.compose(inner, list(open_.values()), builder.full) if open_ else cases
            outputs.append((name, builder.outside(graph.type(ref), origins, numbers), where))
        if not outputs:
            return None
        return Made(tuple(outputs), Copy(graph, types, numbers), fed)

    def _disagree(self, bound: Bound, types: dict[str, Type | None], wrong: Mismatch, span: Span):
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

    def _guards(self, graph: Graph, origins: dict, span: Span) -> None:
        """What a block demands of its sizes, demanded of this block's."""
        key = (id(graph), tuple(origins.items()))
        if key in self._guarded:
            return
        self._guarded.add(key)
        for guard in graph.guards:
            fact = settle(guard.condition, origins)
            if fact is True:
                continue
            if isinstance(fact, Mismatch):
                self._context.fail(
                    "A301",
                    f"{fact}",
                    span,
                    f"`{graph.name}` needs them to be equal",
                    related=[Related(guard.span, "needed here")],
                    trace=guard.trace,
                )
            if fact is False:
                needed = guard.message or "; ".join(describe([guard.condition]))
                known = ", ".join(f"{n} is {s}" for n, s in origins.items())
                self._context.fail(
                    "A303",
                    f"`{graph.name}`: {needed}, and {known}",
                    span,
                    related=[Related(guard.span, "needed here")],
                )
            way = (*guard.trace, Frame(span, f"in `{graph.name}`"))
            self._builder.require(fact, guard.span, guard.message, way)

    # -- what is where ---------------------------------------------------------------------

    def _wire(self, port: str, feeds: list[Feed]) -> Wire:
        return Wire(port, self._builder.operand(feeds[0]))

    def _register(
        self, name: str, copies: tuple[Copy, ...], arranged: str, span: Span, hidden: bool = False
    ) -> int:
        """Note an application of a member; its weights must be those of the first. Tells its number."""
        graph = self._builder.graph
        node = self._numbers.block.nodes.get(name)
        member = graph.members.get(name)
        if member is None:
            share = bool(node and node.share)
            graph.members[name] = Member(name, node, [copies], span, arranged, share, hidden)
            if share:
                self._alike(name, copies[:1] * len(copies), copies, span, span)
            return 0
        self._alike(name, member.copies, copies, member.span, span)
        member.uses.append(copies)
        return len(member.uses) - 1

    def _alike(self, name: str, first: tuple, second: tuple, before: Span, span: Span) -> None:
        for a, b in zip(first, second, strict=True):
            differs = difference(a, b)
            if differs:
                self._context.fail(
                    "A420",
                    f"`{name}` has one set of weights, and what arrives here needs another: {differs}",
                    span,
                    "use a node of its own here",
                    related=[Related(before, "first applied here")],
                )


def _type(operand: Any) -> Type:
    return operand.type if isinstance(operand, Value) else operand_type(operand)


def _key(operand: Any) -> Any:
    return (operand.type, operand.presence) if isinstance(operand, Value) else operand


def _first(feeds: list[Feed]) -> Outcome:
    """What a bypassed node gives: its first input."""
    if not feeds or feeds[0].operand is ABSENT:
        return ABSENT
    operand = feeds[0].operand
    assert not isinstance(operand, Each)
    return Results({"out": operand})


__all__ = ["Members", "Op"]
