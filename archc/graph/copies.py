"""A node of many copies: in series, each on what the one before makes, or side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archc.graph.applications import Applications, Made
from archc.graph.builder import Builder
from archc.graph.connect import Feed, inlets
from archc.graph.infer import FIX_PRESENCE, arriving
from archc.graph.ir import Bundle, Call, Copy, Number, Output, Ref, Type, Wire
from archc.graph.numbers import Numbers
from archc.graph.plan import Plan
from archc.graph.values import ABSENT, Each, Outcome, Results, Value, passed
from archc.shapes import Tensor
from archc.source.text import Span

if TYPE_CHECKING:
    from archc.graph.elaborate import Elaborator
    from archc.graph.members import Members


class Copies:
    """Applies the repeated nodes of a block instance."""

    def __init__(
        self,
        elaborator: Elaborator,
        numbers: Numbers,
        builder: Builder,
        applications: Applications,
        members: Members,
    ) -> None:
        self._elaborator = elaborator
        self._numbers = numbers
        self._builder = builder
        self._context = numbers.context
        self._applications = applications
        self._members = members
        self.all: dict[str, Value] = {}

    # -- many ------------------------------------------------------------------------------

    def apply(self, name: str, made: Plan, feeds: list[Feed], span: Span) -> Outcome:
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
        if series and feeds and isinstance(feeds[0].operand, Number):
            self._context.fail("A403", "a `repeat` takes a tensor first, not a number", feeds[0].span)
        if not series and all(bound is None for bound in made.copies):
            return self._bypassed(name, made, feeds, span)
        if series and not feeds and not any(b is not None and inlets(b.target) for b in made.copies):
            message = f"the copies of `{name}` have no input to pass from one to the next"
            self._context.fail("A410", message, span, "use `parallel`, which makes a bundle of them")
        if any(b is not None and b.op is not None and not b.op.copied for b in made.copies):
            message = f"`{name}` cannot have copies: torch keeps no list of buffers"
            help = "write one with an axis more, `buffer([n, ...])`, and take it apart with `unbind`"
            self._context.fail("A410", message, span, help)
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
                mine[0] = feeds[0]._replace(operand=carried)
            key = (id(bound), *((f.name, _key(f.operand)) for f in mine))
            if key == previous and isinstance(runs[-1], Made):
                run = runs[-1]
            elif bound is None:
                run = None
            elif key in memo:
                run = memo[key]
            else:
                frame = f"in `{bound.target.name}`, copy {index} of `{name}`"
                run = memo[key] = self._applications.copy(bound, mine, span, frame)
                if run is None:
                    return ABSENT
            previous = key
            runs.append(run)
            if run is None:
                copies.append(Copy(None, {}))
                value = mine[0].operand if mine else ABSENT
                if value is ABSENT:
                    message = f"copy {index} of `{name}` is bypassed, and has no input to pass on"
                    self._context.fail("A410", message, span)
                firsts.append(arriving(value))
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
                feed = feed._replace(operand=value._replace(type=Bundle(part) if whole else part[0]))
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
            return passed(feeds)
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
                if cases != full and not self._context.outline:
                    self._context.fail(
                        "A413",
                        f"output `{n}` of `{name}` is open, and is collected in a bundle",
                        span,
                        FIX_PRESENCE,
                    )
                collected.setdefault(n, []).append(t)
        outputs += [(n, self._bundle(name, ts, span), full) for n, ts in collected.items()]
        use = self._members.register(name, tuple(copies), made.arranged, span)
        told = list(outputs)
        if made.arranged == "repeat" and name in self._elaborator.read_whole(self._numbers.block):
            told.append(("all", self._bundle(name, firsts, span), full))
        wires = self._wires(there, feeds, len(copies)) if there else ()
        node = Call(span, tuple(Output(n, t, c != full) for n, t, c in told), name, wires, use)
        at = self._builder.add(node, [w.operand for w in wires])
        values = {n: Value(Ref(at, i), t, c) for i, (n, t, c) in enumerate(told)}
        self.all[name] = values.get("all") or values[first_name]
        return Results({n: values[n] for n, _, _ in outputs})

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
        through = passed(feeds)
        return Results({**through.outputs, **further}) if isinstance(through, Results) else through

    def _bypassed(self, name: str, made: Plan, feeds: list[Feed], span: Span) -> Outcome:
        """Copies side by side that are all bypassed: the bundle of their first inputs."""
        operand = feeds[0].operand if feeds else ABSENT
        count = len(made.copies)
        if isinstance(operand, Each):
            assert isinstance(operand.value.type, Bundle)
            self._share_size(name, made, feeds[0], feeds, len(operand.value.type.members), count)
            bundle = operand.value
        elif isinstance(operand, Value):
            bundle = self._builder.pack([operand] * count, span)
        else:
            self._context.fail("A403", "a bypassed copy passes a tensor on, not a number", span)
        self.all[name] = bundle
        empty = self._builder.pack([], span)
        return Results(
            {
                "out": bundle,
                **{n: empty for n in self._elaborator.further_outputs(self._numbers, made.node)},
            }
        )

    def _wires(self, there: Made, feeds: list[Feed], count: int) -> tuple[Wire, ...]:
        """The wires of all copies: as those of the first, but whole bundles where each takes its share."""
        by_place = {f.span: f for f in feeds}
        wires = []
        for port, port_feeds in there.fed.items():
            for feed in port_feeds:
                original = by_place.get(feed.span, feed)
                if isinstance(original.operand, Each):
                    value = original.operand.value
                    wires.append(Wire(port, value.ref, True, self._share_of_all(value.type, count)))
                else:
                    wires.append(Wire(port, self._builder.operand(original)))
        return tuple(wires)

    def _share_of_all(self, bundle: Type, count: int) -> int:
        """How many members of a bundle each of `count` copies takes."""
        assert isinstance(bundle, Bundle)
        return len(bundle.members) // count


def _key(operand: Any) -> Any:
    return (operand.type, operand.presence) if isinstance(operand, Value) else operand
