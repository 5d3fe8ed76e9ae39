"""Applying a node of a spec to what arrives, and keeping what has a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archc.graph import presence
from archc.graph.applications import Applications
from archc.graph.binding import Bound
from archc.graph.builder import Builder
from archc.graph.connect import Feed, connect, inlets
from archc.graph.copies import Copies
from archc.graph.infer import arriving
from archc.graph.ir import Call, Choose, Copy, Graph, Member, Output, Ref, Wire
from archc.graph.numbers import Numbers
from archc.graph.outline import OutlineBuilder
from archc.graph.outline_copies import OutlineCopies
from archc.graph.plan import Alternatives, Plan, plan
from archc.graph.undecided import Undecided
from archc.graph.values import ABSENT, Each, Failed, Outcome, Results, Value, passed
from archc.graph.weights import difference, owns_any
from archc.source.diagnostic import Related
from archc.source.text import Span

if TYPE_CHECKING:
    from archc.graph.elaborate import Elaborator


class Members:
    """The nodes of a block instance, and their applications."""

    def __init__(self, elaborator: Elaborator, numbers: Numbers, builder: Builder) -> None:
        self._elaborator = elaborator
        self._numbers = numbers
        self._builder = builder
        self._context = numbers.context
        self._plans: dict[str, Plan | None] = {}
        self._hidden: dict[str, int] = {}  # by the stem of a hidden name: the last number that it had
        self._applications = Applications(elaborator, numbers, builder)
        kind = OutlineCopies if self._context.outline else Copies
        self._copies = kind(elaborator, numbers, builder, self._applications, self)

    def plan(self, name: str) -> Plan:
        """A node's copies, evaluated once; raises Failed."""
        if name not in self._plans:
            self._plans[name] = None
            self._plans[name] = plan(self._numbers, self._numbers.block.nodes[name])
        found = self._plans[name]
        if found is None:
            raise Failed
        return found

    @property
    def all(self) -> dict[str, Value]:
        """`node.all` of the repeated nodes that were applied."""
        return self._copies.all

    def apply(self, name: str, feeds: list[Feed], span: Span) -> Outcome:
        """A node of the spec as a step; raises Failed, having told what does not fit."""
        made = self.plan(name)
        if made.arranged:
            return self._copies.apply(name, made, feeds, span)
        bound = made.copies[0]
        if bound is None:
            return self._passed(name, feeds)
        self._no_each(feeds)
        if made.test is None:
            return self._single(name, bound, feeds, span)
        if isinstance(made.test, Undecided):
            found = self._context.attempt(lambda: self._single(name, bound, feeds, span))
            if not isinstance(found, Results):
                return self._passed(name, feeds)
            return self._perhaps(made.test, feeds, found, span)
        cases = presence.where(made.test, self._builder.graph.open)
        if not cases:
            return self._passed(name, feeds)
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
        members, nodes = self._builder.graph.members, self._numbers.block.nodes
        number = self._hidden.get(stem, 0)
        while True:
            number += 1
            name = stem if number == 1 else f"{stem}_{number}"
            if name not in members and name not in nodes:
                self._hidden[stem] = number
                return name

    def _no_each(self, feeds: list[Feed]) -> None:
        for feed in feeds:
            if isinstance(feed.operand, Each):
                self._context.fail(
                    "A410", "`each` is for the inputs of a `repeat` or `parallel` node", feed.span
                )

    # -- once ------------------------------------------------------------------------------

    def _single(
        self, name: str, bound: Bound | Alternatives, feeds: list[Feed], span: Span, *, hidden: bool = False
    ) -> Outcome:
        if isinstance(bound, Alternatives):
            return self._one_of(name, bound, feeds, span)
        fed = connect(self._context, bound.target.name, inlets(bound.target), feeds, span)
        if fed is None:
            return ABSENT
        if bound.op is not None:
            found, slots = self._builder.apply(bound.op, fed, span, name)
            if found is not ABSENT:
                inputs = {port: arriving(feed.operand) if feed else None for port, feed in slots}
                self.register(name, (Copy(bound.op, inputs),), "", span, hidden)
            return found
        made = self._applications.block(bound, fed, span, f"in `{bound.block.name}`")
        if made is None:
            return ABSENT
        use = self.register(name, (made.copy,), "", span, hidden)
        full = self._builder.full
        outputs = tuple(Output(n, t, cases != full) for n, t, cases in made.outputs)
        wires = tuple(self._wire(port, feeds) for port, feeds in fed.items() if feeds)
        at = self._builder.add(Call(span, outputs, name, wires, use), [w.operand for w in wires])
        found = {n: Value(Ref(at, i), t, cases) for i, (n, t, cases) in enumerate(made.outputs)}
        return Results({n: found.get(n, ABSENT) for n in self._elaborator.outputs(bound.block)})

    def _passed(self, name: str, feeds: list[Feed]) -> Outcome:
        """A bypassed node: its first input, its further outputs absent."""
        found = passed(feeds)
        if not isinstance(found, Results):
            return found
        further = self._elaborator.further_outputs(self._numbers, self._numbers.block.nodes[name])
        return Results({**found.outputs, **dict.fromkeys(further, ABSENT)})

    def _bypassed(self, test: tuple, cases: int, feeds: list[Feed], found: Outcome, span: Span) -> Outcome:
        """A node whose `when` an open input decides: its first output, or its first input."""
        first = feeds[0].operand if feeds else ABSENT
        if not isinstance(found, Results) or not isinstance(found.first, Value):
            return found
        name = next(iter(found.outputs))
        rest = {
            n: v._replace(presence=v.presence & cases) if isinstance(v, Value) else v
            for n, v in found.outputs.items()
        }
        made = rest[name]
        assert isinstance(made, Value)
        if not isinstance(first, Value):
            return Results(rest)
        where = made.presence, first.presence & ~cases
        joined = self._builder.infer.join(found.first.type, first.type, span, where)
        there = made.presence | first.presence & ~cases
        output = Output("out", joined, there != self._builder.full)
        node = Choose(span, (output,), test, found.first.ref, first.ref)
        value = self._builder.value(node, [found.first.ref, first.ref], there)
        return Results({**rest, name: value})

    def _one_of(self, name: str, cases: Alternatives, feeds: list[Feed], span: Span) -> Outcome:
        """A node of which an outline does not know what it is."""
        made = self._applications.copy(cases, feeds, span, f"in a case of `{name}`")
        if made is None:
            return ABSENT
        use = self.register(name, (made.copy,), "", span)
        full = self._builder.full
        outputs = tuple(Output(n, t, there != full) for n, t, there in made.outputs)
        wires = tuple(self._wire(port, fed) for port, fed in made.fed.items() if fed)
        at = self._builder.add(Call(span, outputs, name, wires, use), [w.operand for w in wires])
        return Results({n: Value(Ref(at, i), t, c) for i, (n, t, c) in enumerate(made.outputs)})

    def _perhaps(self, test: Undecided, feeds: list[Feed], found: Results, span: Span) -> Outcome:
        """A node whose `when` an outline does not decide: its first output, or its first input."""
        builder = self._builder
        assert isinstance(builder, OutlineBuilder)
        if not isinstance(found.first, Value):
            return found
        first = feeds[0].operand if feeds else ABSENT
        name, *further = found.outputs
        value = builder.choose(test, found.first, first if isinstance(first, Value) else None, span)
        builder.maybe.update(v.ref for n in further if isinstance(v := found.outputs[n], Value))
        return Results({**found.outputs, name: value})

    def _wire(self, port: str, feeds: list[Feed]) -> Wire:
        return Wire(port, self._builder.operand(feeds[0]))

    def register(
        self, name: str, copies: tuple[Copy, ...], arranged: str, span: Span, hidden: bool = False
    ) -> int:
        """Note an application of a member; its weights must be those of the first. Tells its number."""
        graph = self._builder.graph
        node = self._numbers.block.nodes.get(name)
        member = graph.members.get(name)
        if member is None:
            share = bool(node and node.share)
            graph.members[name] = Member(name, node, [copies], span, arranged, share, hidden)
            if share and not self._context.outline:
                made = [copy for copy in copies if copy.target is not None]
                self._alike(name, tuple(made[:1] * len(made)), tuple(made), span, span)
            return 0
        if not self._context.outline:
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
