"""Where ways come into an item: at its side where nothing stands between, else at points of its own
along its first border, the main one in the middle."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from archc.draw.layout.columns import Columns
from archc.draw.layout.units import MOST_PORTS, PORT_GAP, spread


@dataclass(slots=True)
class Arrivals:
    """By edge: `sides` has the side and the place along, from the item's start; `ins` and `outs` the
    places across, from the spines of the target and of the source."""

    sides: dict[int, tuple[int, float]] = field(default_factory=dict)
    ins: dict[int, float] = field(default_factory=dict)
    outs: dict[int, float] = field(default_factory=dict)


def arrivals(columns: Columns) -> Arrivals:
    found = Arrivals()
    _sideways(columns, found)
    plan = columns.plan
    for i in plan.placed:
        for e in plan.leaving[i]:
            found.outs[e] = columns.units[i].ports.get(plan.edges[e].edge.source_port, 0.0)
        _first_border(columns, i, found)
    return found


def _sideways(columns: Columns, found: Arrivals) -> None:
    """The ways that end with a stretch across, in the row of their target."""
    plan, x, units = columns.plan, columns.x, columns.units
    rows: dict[int, list[tuple[float, int]]] = {}
    for i in plan.placed:
        rows.setdefault(plan.layer[i], []).append((x[i], i))
    for row in rows.values():
        row.sort()
    wanted: dict[tuple[int, int], list[int]] = {}  # by target and side
    for ear in plan.ears:
        e = ear.ways[-1] if ear.ways else None
        if e is None or ear.end is None or not columns.beside(e):
            continue
        side = 1 if columns.column[e] > x[ear.end] else -1
        b, column = ear.end, columns.column[e]
        if side in units[b].tags or not _is_free(rows[plan.layer[b]], b, side, column, columns):
            continue
        wanted.setdefault((b, side), []).append(e)
    taken: dict[int, float] = {}  # by row: the end of the stretch that reaches furthest
    spans: list[tuple[float, float, int, int]] = []
    for (b, side), edges in wanted.items():
        edges.sort(key=lambda e: abs(columns.column[e] - x[b]))
        del edges[units[b].room(side) :]
        spans += [(*sorted((x[b], columns.column[edges[-1]])), b, side)]  # type: ignore[list-item]
    for low, high, b, side in sorted(spans):
        row = plan.layer[b]
        if low < taken.get(row, float("-inf")) + 4:
            continue
        # Where both sides of one item are come into, its own middle is no obstacle.
        taken[row] = high if side > 0 else max(taken.get(row, high - 5), high - 5)
        edges = wanted[b, side]
        unit = units[b]
        places = spread(len(edges), unit.sides[side], PORT_GAP, unit.length / 2)
        if unit.form == "frame":  # near its header, where its main input comes in too
            places = spread(len(edges), unit.sides[side], PORT_GAP, 0.0)
        found.sides.update((e, (side, place)) for e, place in zip(edges, places, strict=True))


def _is_free(row: list[tuple[float, int]], b: int, side: int, column: float, columns: Columns) -> bool:
    """Does nothing stand between an item and a column beside it?"""
    position = bisect_left(row, (columns.x[b], b)) + side
    if not 0 <= position < len(row):
        return True
    x, other = row[position]
    near = x - side * columns.units[other].towards(-side)
    return (near - column) * side > 1


def _first_border(columns: Columns, i: int, found: Arrivals) -> None:
    """Spread the ways that come into an item: those from the low side are before the main one."""
    plan, unit = columns.plan, columns.units[i]
    free: list[int] = []
    for e in plan.coming[i]:
        port = plan.edges[e].edge.target_port
        if e in found.sides:
            continue
        if port in unit.ports:
            found.ins[e] = unit.ports[port]
        else:
            free.append(e)
    if unit.form in ("port", "dots"):
        found.ins.update(dict.fromkeys(free, 0.0))
        return
    here = columns.x[i]
    free.sort(key=lambda e: columns.column[e])
    straight = [e for e in free if abs(columns.column[e] - here) < 0.05]
    main = straight[0] if straight else min(free, key=lambda e: abs(columns.column[e] - here), default=None)
    if main is None:
        return
    found.ins[main] = 0.0
    at = free.index(main)
    for side, edges in ((-1, free[:at][::-1]), (1, free[at + 1 :])):
        room = abs(unit.ins[0 if side < 0 else 1])
        count = min(len(edges), MOST_PORTS)
        step = min(PORT_GAP, room / count) if count else 0.0
        for number, e in enumerate(edges):
            found.ins[e] = side * step * min(number + 1, count)
