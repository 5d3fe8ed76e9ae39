"""Copies of which an outline does not know the number: the first, the last, and what holds between."""

from __future__ import annotations

from typing import Any

from archc.graph.applications import Made
from archc.graph.connect import Feed
from archc.graph.copies import Copies
from archc.graph.infer import arriving
from archc.graph.ir import Bundle, Copy, Type
from archc.graph.outline import OutlineBuilder
from archc.graph.plan import MIDDLE, Called, Plan
from archc.graph.undecided import ANY, common, forgotten, gathered, joined, settles
from archc.graph.values import ABSENT, Each, Outcome, Value
from archc.shapes import Dim, Tensor
from archc.source.text import Span


class OutlineCopies(Copies):
    """Applies the repeated nodes of an outline."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._counts: dict[str, Dim] = {}

    @property
    def _outline(self) -> OutlineBuilder:
        assert isinstance(self._builder, OutlineBuilder)
        return self._builder

    def apply(self, name: str, made: Plan, feeds: list[Feed], span: Span) -> Outcome:
        if made.count is None:
            return super().apply(name, made, feeds, span)
        found = self._undecided(name, made, feeds, span)
        member = self._builder.graph.members.get(name)
        if member is not None:
            member.count, member.indices = str(made.count), made.indices
        return found

    def _undecided(self, name: str, made: Plan, feeds: list[Feed], span: Span) -> Outcome:
        assert made.count is not None
        self._counts[name] = made.count
        if any(f.operand is ABSENT for f in feeds[:1]):
            return ABSENT
        series = made.arranged == "repeat"
        if series and not (feeds and isinstance(feeds[0].operand, Value)):
            return super().apply(name, made, feeds, span)  # which tells what is wrong
        if all(bound is None for bound in (*made.copies, made.middle)):
            return self._bypassed(name, made, feeds, span)
        carried: Any = feeds[0].operand if series else None
        copies: list[Copy] = []
        runs: list[Made | None] = []
        firsts: list[Type] = []
        for number, bound in enumerate(made.copies):
            if number:
                carried = self._between(name, made, feeds, span, carried, runs, firsts)
            run, first = self._run(name, made, bound, self._mine(name, made, feeds, number, carried), span)
            if bound is not None and run is None:
                return ABSENT
            copies.append(Copy(None, {}) if run is None else run.copy)
            runs.append(run)
            firsts.append(first)
            if series:
                there = run.outputs[0][2] if run else carried.presence
                carried = Value(carried.ref, first, there)
        return self._gather(name, made, feeds, span, copies, runs, firsts, carried)

    def _between(
        self,
        name: str,
        made: Plan,
        feeds: list[Feed],
        span: Span,
        carried: Value | None,
        runs: list[Made | None],
        firsts: list[Type],
    ) -> Value | None:
        """What arrives at the last copy: all that every copy after the first keeps.

        What a copy in the middle makes is added to `runs` and `firsts`."""
        unknown = self._outline.unknown
        found: Type = ANY if carried is None else carried.type
        rank = len(found.shape or ()) if isinstance(found, Tensor) else 0
        for _ in range(rank + 2):
            arriving = carried and carried._replace(type=found)
            mine = self._mine(name, made, feeds, 1, arriving)
            after = self._context.attempt(lambda m=mine: self._run(name, made, made.middle, m, span))
            run, type_ = after or (None, ANY)
            type_ = forgotten(type_, MIDDLE, unknown)
            if settles(found, type_) or carried is None:
                break
            found = joined(found, type_, unknown)
        else:
            run, type_, found = None, ANY, ANY
        firsts.append(type_)
        if run is not None:
            outputs = ((n, forgotten(t, MIDDLE, unknown), c) for n, t, c in run.outputs)
            runs.append(run._replace(outputs=tuple(outputs)))
        return carried and carried._replace(type=found)

    def _mine(self, name: str, made: Plan, feeds: list[Feed], number: int, carried: Any) -> list[Feed]:
        mine = self._share(name, made, feeds, number, 2)
        if carried is not None:
            mine[0] = feeds[0]._replace(operand=carried)
        return mine

    def _run(
        self, name: str, made: Plan, bound: Called, mine: list[Feed], span: Span
    ) -> tuple[Made | None, Type]:
        """A copy, and the type of its first output."""
        if bound is None:
            return None, arriving(mine[0].operand)
        run = self._applications.copy(bound, mine, span, f"in `{bound.target.name}`, a copy of `{name}`")
        return run, run.outputs[0][1] if run else ANY

    # -- bundles ---------------------------------------------------------------------------

    def _share(self, name: str, made: Plan, feeds: list[Feed], index: int, count: int) -> list[Feed]:
        mine = []
        for feed in feeds:
            if not isinstance(feed.operand, Each):
                mine.append(feed)
                continue
            value = feed.operand.value
            assert isinstance(value.type, Bundle)
            if made.count is None and value.type.count is None:
                return super()._share(name, made, feeds, index, count)
            one: Type = common(value.type.members, self._outline.unknown)
            if self._takes_bundle(made, feed, feeds):
                one = Bundle((one,), self._outline.unknown())
            mine.append(feed._replace(operand=value._replace(type=one)))
        return mine

    def _bundle(self, name: str, types: list[Type], span: Span) -> Bundle:
        found = gathered(tuple(types), self._outline.unknown)
        count = self._counts.get(name)
        if count is None:
            return found
        lengths = {t.length if isinstance(t, Bundle) else 1 for t in types}
        each = lengths.pop() if len(lengths) == 1 else self._outline.unknown()
        return Bundle((common(found.members, self._outline.unknown),), count * each)

    def _share_of_all(self, bundle: Type, count: int) -> int:
        """One, as far as is known: nobody knows how many members or copies there are."""
        return 1
