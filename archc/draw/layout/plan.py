"""What is settled of a frame before anything in it has a place: rows, the spine, the ways beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from archc.draw.layout.layers import Ear, Ends, order, topological
from archc.draw.scene.items import Box, Edge, Frame, Item

LOW, HIGH, LOW_BORDER, HIGH_BORDER = -1, 1, -2, 2
"""Where a port of a frame stands: to the low side of the main path or to the high one, left and right
where that runs up or down; or on the border at that side."""

MOST_TAGS = 3
"""As many name tags as stand at one side of an item; of a small one, one."""


class Way(NamedTuple):
    """An edge between two items, told by their numbers."""

    source: int
    target: int
    edge: Edge


@dataclass(slots=True)
class Plan:
    """Items and edges are told by their numbers; `placed` are the items that have a row, `rank` the same
    in the order of the flow.

    `layer` is each item's row. `coming` and `leaving` are an item's edges, `main_in` and `main_out`
    those of the way that it stands in. `tags` are the edges of the name tags that stand beside an
    item, by the item and its side; these tags have no row and their edges no way. `side` tells the
    items of branches at the low side, -1, from those at the high one, 1, and from the spine's, 0."""

    frame: Frame
    items: list[Item]
    edges: list[Way]
    tags: dict[int, dict[int, list[int]]]
    placed: list[int] = field(default_factory=list)
    rank: list[int] = field(default_factory=list)
    layer: list[int] = field(default_factory=list)
    rows: int = 1
    spine: list[int] = field(default_factory=list)
    spine_ways: list[int] = field(default_factory=list)
    ears: list[Ear] = field(default_factory=list)
    coming: list[list[int]] = field(default_factory=list)
    leaving: list[list[int]] = field(default_factory=list)
    main_in: dict[int, int] = field(default_factory=dict)
    main_out: dict[int, int] = field(default_factory=dict)
    side: dict[int, int] = field(default_factory=dict)
    borders: dict[int, int] = field(default_factory=dict)
    ports_first: bool = False
    ports_last: bool = False

    def through(self, i: int) -> tuple[str | None, str | None]:
        """The ports at which the way that a frame stands in goes into it and out of it."""
        item = self.items[i]
        assert isinstance(item, Frame)
        ways = [*([self.main_in[i]] if i in self.main_in else []), *self.coming[i]]
        entry = next((self.edges[e].edge.target_port for e in ways if self.edges[e].edge.target_port), None)
        ways = [*([self.main_out[i]] if i in self.main_out else []), *self.leaving[i]]
        exit = next((self.edges[e].edge.source_port for e in ways if self.edges[e].edge.source_port), None)
        return item.entry or entry, item.exit or exit

    def port_sides(self, i: int, out: Callable[[int], float] = lambda e: 0.0) -> dict[str, int]:
        """Where the ports of a frame are to stand, for the ways that come to them: those of name tags on
        the border, rails' at the right, and else on the side from which the value comes, or in the
        order of the operands. `out` tells how far across from its source's spine a way comes out."""
        found = {
            self.edges[e].edge.target_port: 2 * side
            for side, edges in self.tags.get(i, {}).items()
            for e in edges
        }
        passed = False
        for e in self.coming[i]:
            a, _, edge = self.edges[e]
            if e == self.main_in.get(i):
                passed = True
            elif edge.style == "residual":
                found.setdefault(edge.target_port, HIGH)
            else:
                side = self.side[a] or out(e) or (HIGH if passed else LOW)
                found.setdefault(edge.target_port, HIGH if side > 0 else LOW)
        return found


def plan(
    frame: Frame,
    entry: str | None,
    exit: str | None,
    ports: Mapping[str, int] | None = None,
    upright: bool = True,
) -> Plan:
    """Settle the rows and the sides of a frame between two of its items; `ports` says where its own ports
    are to stand."""
    items = frame.items
    index = {item.id: i for i, item in enumerate(items)}
    edges = [Way(index[edge.source], index[edge.target], edge) for edge in frame.edges]
    ends = {i for i in (index.get(entry or ""), index.get(exit or "")) if i is not None}
    made = Plan(frame, items, edges, _tags(items, edges, ends, upright))
    beside = {edges[e].source for sides in made.tags.values() for es in sides.values() for e in es}
    made.placed = [i for i in range(len(frame.items)) if i not in beside]
    ways = [e for e, way in enumerate(edges) if way.source not in beside]
    made.coming, made.leaving = [[] for _ in items], [[] for _ in items]
    for e in ways:
        made.leaving[edges[e].source].append(e)
        made.coming[edges[e].target].append(e)
    _order(made, ways, index.get(entry or ""), index.get(exit or ""))
    wanted = ports or {}
    made.borders = {
        i: 1 if wanted[items[i].id] > 0 else -1
        for i in made.placed
        if abs(wanted.get(items[i].id, 0)) > 1 and not made.coming[i] and i not in made.spine
    }
    _sides(made, wanted)
    return made


def _tags(
    items: list[Item], edges: list[Way], ends: set[int], upright: bool
) -> dict[int, dict[int, list[int]]]:
    """The name tags that stand beside what takes them in: the first ones at its low side; those of a
    frame where its header is not in the way."""
    coming, leaving = [0] * len(items), [0] * len(items)
    taken: dict[str, int] = {}
    for way in edges:
        leaving[way.source] += 1
        coming[way.target] += 1
        taken[way.edge.target_port] = taken.get(way.edge.target_port, 0) + 1
    found: dict[int, dict[int, list[int]]] = {}
    for e, (a, b, edge) in enumerate(edges):
        tag, item = items[a], items[b]
        if not isinstance(tag, Box) or tag.form != "tag" or tag.copies > 1 or coming[a] or leaving[a] != 1:
            continue
        form, sides = "frame" if isinstance(item, Frame) else item.form, (-1, 1)
        if isinstance(item, Frame):
            if taken[edge.target_port] > 1 or edge.target_port in ("", item.entry):
                continue
            sides = (-1,) if upright else (1,)
        if form in ("port", "tag", "dots") or edge.label or a in ends:
            continue
        most = 1 if form in ("circle", "strip") else MOST_TAGS
        beside = found.setdefault(b, {})
        for side in sides:
            if len(beside.get(side, ())) < most:
                beside.setdefault(side, []).append(e)
                break
    return {b: beside for b, beside in found.items() if beside}


def _sides(made: Plan, ports: Mapping[str, int]) -> None:
    """The sides of branches, first of those from ports whose side is settled. They keep the order of the
    items, unless more of what they take in stands at the other side."""
    made.side = dict.fromkeys(made.placed, 0)
    rails = any(not ear.inner for ear in made.ears)
    branches = [ear for ear in made.ears if ear.inner]
    for ear in sorted(branches, key=lambda ear: made.items[ear.inner[0]].id not in ports):
        side = _side(made, ear, rails, ports)
        rails = rails or (side > 0 and ear.start is not None)
        made.side.update(dict.fromkeys(ear.inner, side))


def _side(made: Plan, ear: Ear, rails: bool, ports: Mapping[str, int]) -> int:
    near = [made.side[i] for i in (ear.start, ear.end) if i is not None]
    first = ear.inner[0]
    wanted = ports.get(made.items[first].id)
    if ear.start is None and wanted:
        return 1 if wanted > 0 else -1
    if any(near):
        return next(filter(None, near))
    around = sum(made.side[made.edges[e].source] for i in ear.inner for e in made.coming[i])
    if around:
        return 1 if around > 0 else -1
    if ear.start is None:  # at the left where lines run at the right
        before = not made.spine or first < made.spine[0]
        return -1 if rails or before or ear.end is None else 1
    on = made.main_out.get(ear.start)
    return -1 if on is not None and first < made.edges[on].target else 1


def _order(made: Plan, ways: list[int], entry: int | None, exit: int | None) -> None:
    """Rows, spine and ears, by way of numbers in topological order."""
    items, edges = made.items, made.edges
    number = {i: n for n, i in enumerate(made.placed)}
    rank = topological(len(number), [(number[edges[e].source], number[edges[e].target]) for e in ways])
    rank = made.rank = [made.placed[n] for n in rank]
    place = {i: r for r, i in enumerate(rank)}

    def boxes(form: str, *kinds: str) -> list[int]:
        mine = ((i, items[i]) for i in rank)
        return [i for i, item in mine if isinstance(item, Box) and item.form == form and item.kind in kinds]

    ports = [i for i in rank if isinstance(item := items[i], Box) and item.form == "port"]
    outputs = {i for i in ports if made.coming[i] or (not made.leaving[i] and items[i].kind == "output")}  # type: ignore[union-attr]
    first = [i for i in ports if i not in outputs]
    made.ports_first, made.ports_last = bool(first), bool(outputs)
    last = [*outputs, *(i for i in boxes("pill", "output") if not made.leaving[i])]
    sums = {i for i in rank if isinstance(item := items[i], Box) and item.title in "+−×"}
    found = order(
        len(rank),
        [(place[edges[e].source], place[edges[e].target]) for e in ways],
        Ends(
            None if entry is None else place[entry],
            None if exit is None else place[exit],
            {place[i] for i in first},
            {place[i] for i in last},
            {n for n, e in enumerate(ways) if _is_bent(made, edges[e])},
        ),
        {place[i] for i in sums},
    )
    made.layer = [0] * len(items)
    for r, row in enumerate(found.layer):
        made.layer[rank[r]] = row
    made.rows = max(found.layer, default=0) + 1
    made.spine = [rank[r] for r in found.spine]
    made.spine_ways = [ways[n] for n in found.spine_ways]
    for ear in found.ears:
        start = None if ear.start is None else rank[ear.start]
        end = None if ear.end is None else rank[ear.end]
        inner, own = tuple(rank[r] for r in ear.inner), tuple(ways[n] for n in ear.ways)
        made.ears.append(Ear(start, inner, end, own))
        if inner:
            made.main_in.update((edges[e].target, e) for e in own if edges[e].target in inner)
            made.main_out.update((edges[e].source, e) for e in own if edges[e].source in inner)
    made.main_in.update((edges[e].target, e) for e in made.spine_ways)
    made.main_out.update((edges[e].source, e) for e in made.spine_ways)


def _is_bent(made: Plan, way: Way) -> bool:
    """Does a way leave or enter a frame elsewhere than where the frame's own main path does?"""
    source, target = made.items[way.source], made.items[way.target]
    out = isinstance(source, Frame) and way.edge.source_port not in ("", source.exit or way.edge.source_port)
    into = isinstance(target, Frame) and way.edge.target_port not in (
        "",
        target.entry or way.edge.target_port,
    )
    return out or into
