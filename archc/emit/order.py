"""Steps of a forward, and the order in which they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archc.emit.coded import key
from archc.graph.ir import Graph, Ref
from archc.source.text import Span

Value = tuple[int, int]  # node, output
Guard = frozenset[Value]
NONE: Guard = frozenset()


@dataclass(slots=True)
class Step:
    """Statements that make `makes` where all values of `guard` are there.

    `arms`: the steps that stand in the two branches of a choice, whose last statements `text` holds
    as `if test: ... else: ...`."""

    span: Span
    text: str
    makes: tuple[Value, ...] = ()
    guard: Guard = NONE
    arms: tuple[list[Step], list[Step]] | None = None
    known: tuple[Guard, Guard] = (NONE, NONE)  # the values that are sure to be there in each arm
    shaping: bool = False  # may sizes that are only known at run time come of its whole numbers,
    scaling: bool = False  # of the others?
    idle: str | None = None  # the text where number `switch` is 0 in all instances
    switch: int = -1

    def key(self) -> tuple:
        inner = tuple(tuple(s.key() for s in arm) for arm in self.arms or ())
        return key(self.text), self.makes, tuple(sorted(self.guard)), inner


def name(ref: Ref) -> str:
    return f"ρ{ref.node}_{ref.out}"


def _used(text: str) -> Iterator[str]:
    for match in re.finditer(r"ρ\d+_\d+|δ\d+", text):
        yield match[0]


def order(graph: Graph, steps: dict[str, Step], owners: dict[str, str]) -> list[Step]:
    """The steps in the order of the spec's lines; what is guarded as late as may be, so that it
    stands under one `if` with what uses it; what one arm of a choice alone needs, in that arm."""
    needs: dict[str, list[str]] = {}
    previous = ""
    for made, step in steps.items():
        own = made.partition(".")[0]
        # The parts of one node follow each other.
        wanted = [previous] if previous.partition(".")[0] == own else []
        wanted += [owners[n] for n in _used(step.text) if n in owners and owners[n] != own]
        wanted += [
            owners[f"ρ{n}_{o}"] for n, o in sorted(step.guard) if f"ρ{n}_{o}" in owners and f"ρ{n}" != own
        ]
        needs[made] = list(dict.fromkeys(wanted))
        previous = made
    wanted_at = [f"ρ{at}" for line in graph.lines for at in line.nodes]
    results = [owners[n] for r in graph.outputs.values() if (n := name(r)) in owners]
    live = _reachable(results, needs)
    sizes = [s for s, step in steps.items() if s[0] == "δ" and not step.guard and not needs[s]]
    sizes.sort(key=lambda s: steps[s].text.partition(" = ")[2])
    early = [s for s in [*sizes, *wanted_at, *steps] if s in live and not steps[s].guard]
    ordered = _topological([*early, *results], needs)

    places: dict[str, tuple] = {}
    uses: dict[str, list[tuple]] = {r: [()] for r in results}
    for made in reversed(ordered):
        place = _common(uses.get(made, [()]))
        places[made] = place
        step = steps[made]
        for wanted in needs[made]:
            uses.setdefault(wanted, []).append((*place, *_arm(made, step, wanted)))
    lists: dict[tuple, list[Step]] = {(): []}
    for made in ordered:
        step = steps[made]
        if step.arms is not None:
            for number in (0, 1):
                lists.setdefault((*places[made], (made, number)), step.arms[number])
    for made in ordered:
        lists[places[made]].append(steps[made])
    return lists[()]


def _arm(made: str, step: Step, wanted: str) -> tuple:
    """The arm of a choice that a value is for, if it is for one alone."""
    if step.arms is None:
        return ()
    head, then, _, other = (line for line in step.text.split("\n"))
    places = [any(n.rsplit("_", 1)[0] == wanted for n in _used(part)) for part in (head, then, other)]
    if places == [False, True, False]:
        return ((made, 0),)
    if places == [False, False, True]:
        return ((made, 1),)
    return ()


def _common(places: list[tuple]) -> tuple:
    first, *rest = places
    length = len(first)
    for other in rest:
        length = min(length, len(other))
        while first[:length] != other[:length]:
            length -= 1
    return first[:length]


def _reachable(roots: Iterable[str], needs: dict[str, list[str]]) -> set[str]:
    found: set[str] = set()
    work = list(roots)
    while work:
        at = work.pop()
        if at not in found:
            found.add(at)
            work += needs[at]
    return found


def _topological(roots: Iterable[str], needs: dict[str, list[str]]) -> list[str]:
    """What the roots need before them, in their order."""
    found: dict[str, None] = {}
    for root in roots:
        work = [(root, iter(needs[root]))] if root not in found else []
        while work:
            at, rest = work[-1]
            wanted = next((n for n in rest if n not in found), None)
            if wanted is None:
                found[at] = None
                work.pop()
            else:
                work.append((wanted, iter(needs[wanted])))
    return list(found)
