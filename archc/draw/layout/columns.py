"""Columns: every way beside the spine runs along one of its own, beyond what it passes."""

from __future__ import annotations

from archc.draw.layout.layers import Ear
from archc.draw.layout.measure import SMALL
from archc.draw.layout.metrics import text_width
from archc.draw.layout.plan import Plan
from archc.draw.layout.skyline import Skyline
from archc.draw.layout.units import PORT_GAP, UPRIGHT, Direction, Unit
from archc.draw.scene.items import Box, Frame

GAP, RAIL = 22.0, 14.0
"""Room beside an item, and between two lines."""
SNAP = 4.0
"""A bend as small as this is made straight."""
BESIDE, ABOVE = 6.0, 4.0
"""Between a line and its label: at the right of one that runs down, above one that runs across."""


def label_reach(label: str, direction: Direction) -> float:
    """How far a label reaches across from its line, on the side on which it stands."""
    return BESIDE + text_width(label, SMALL) + 2 if direction in UPRIGHT else ABOVE + SMALL


class Columns:
    """Finds where each item of a plan stands across, `x`, and each edge runs, `column`; the spine is 0.

    Places along are told by slots: `2 * row` is a row, `2 * row + 1` the channel after it."""

    def __init__(self, plan: Plan, units: dict[int, Unit], direction: Direction) -> None:
        self.plan = plan
        self.units = units
        self.direction: Direction = direction
        self.x: dict[int, float] = dict.fromkeys(plan.placed, 0.0)
        self.column = [0.0] * len(plan.edges)
        self.inward: set[int] = set()
        self.stubs = {i: self._stubs(i) for i in plan.placed}
        self.side = plan.side
        self.reach = {side: Skyline(self._spine_reach(side)) for side in (-1, 1)}
        self._stand_ears()

    @property
    def spine_labels(self) -> int:
        """The side of the spine on which its labels stand: at its right, or above it."""
        return 1 if self.direction in UPRIGHT else -1

    def label_side(self, e: int) -> int:
        """The side of an edge's line on which its label stands: away from the spine where there is more."""
        column = self.column[e]
        if not column:
            return self.spine_labels
        return -1 if (column < 0) != (e in self.inward) else 1

    def _stubs(self, i: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """How far from an item's middle ways come in, to either side, and how far they go out."""
        unit, coming = self.units[i], self.plan.coming[i]
        into, out = [0.0], [0.0]
        if unit.ports:
            into += [unit.ports.get(self.plan.edges[e].edge.target_port, 0.0) for e in coming]
            out += [unit.ports.get(self.plan.edges[e].edge.source_port, 0.0) for e in self.plan.leaving[i]]
        if len(coming) > 1:
            far = PORT_GAP * (len(coming) - 1)
            low, high = unit.ins
            into += [max(low, -far), min(high, far)]
        return (-min(into), max(into)), (-min(out), max(out))

    def _spine_reach(self, side: int) -> list[float]:
        """How far the spine's items and labels reach to a side, by slot."""
        part = 0 if side < 0 else 1
        reach = [0.0] * (2 * self.plan.rows + 1)
        for i in self.plan.spine:
            row = 2 * self.plan.layer[i]
            into, out = self.stubs[i]
            reach[row] = self.units[i].towards(side)
            reach[row - 1] = max(reach[row - 1], into[part])  # of the first row: a slot that nothing has
            reach[row + 1] = max(reach[row + 1], out[part])
        for e in self.plan.spine_ways:
            a, _, edge = self.plan.edges[e]
            if edge.label:
                slot = 2 * self.plan.layer[a] + 1
                if self.spine_labels == side:
                    reach[slot] = max(reach[slot], label_reach(edge.label, self.direction))
        return reach

    def _side(self, ear: Ear) -> int:
        """A branch's side is settled; a rail runs where its ends are, else at the right."""
        if ear.inner:
            return self.side[ear.inner[0]]
        assert ear.start is not None and ear.end is not None
        out, into = self._points(ear.ways[0])
        near = (self.side[ear.end], self.side[ear.start], into, out)
        return -1 if next(filter(None, near), 1.0) < 0 else 1

    # Places

    def _points(self, e: int) -> tuple[float, float]:
        """Where an edge leaves and comes into frames, from their spines; 0 for boxes."""
        a, b, edge = self.plan.edges[e]
        return self.units[a].ports.get(edge.source_port, 0.0), self.units[b].ports.get(edge.target_port, 0.0)

    def _straight_down(self) -> set[int]:
        """The ways between neighbours on the spine that run straight out of a frame's port beside it,
        until they turn to where they come in: where no other way and no label is in between."""
        below: dict[int, dict[int, float]] = {}  # by the item above, edges to the next row
        for ear in self.plan.ears:
            a, b = ear.start, ear.end
            if ear.inner or a is None or b is None or self.side[a] or self.side[b]:
                continue
            if self.plan.layer[b] == self.plan.layer[a] + 1 and (out := self._points(ear.ways[0])[0]):
                below.setdefault(a, {})[ear.ways[0]] = out
        return {e for a, edges in below.items() for e in self._clear(a, edges)}

    def _clear(self, a: int, edges: dict[int, float]) -> set[int]:
        slot = 2 * self.plan.layer[a] + 1
        b = self.plan.edges[next(iter(edges))].target
        taken = [(self._points(e)[1], e) for e in self.plan.coming[b]]
        found: set[int] = set()
        for side in (-1, 1):
            main = self.plan.main_out.get(a)
            end = 0.0
            if main is not None and self.spine_labels == side:
                label = self.plan.edges[main].edge.label
                end = label_reach(label, self.direction) if label else 0.0
            for e in sorted((e for e in edges if edges[e] * side > 0), key=lambda e: abs(edges[e])):
                out, into = self._points(e)
                meets = [f for at, f in taken if f != e and abs(at - out) < RAIL / 2]
                if abs(out) < end + ABOVE or any(not self._turns_before(e, f, edges) for f in meets):
                    continue
                if not self.units[b].ports and abs(out) < self.stubs[b][0][0 if side < 0 else 1] + RAIL / 2:
                    continue
                found.add(e)
                self.column[e] = out
                if 0 < abs(out - into) <= SNAP:
                    port = self.plan.edges[e].edge.target_port
                    self.units[b].move_port(port, out - into, self.direction in UPRIGHT)
                label = self.plan.edges[e].edge.label
                end = abs(out) + (label_reach(label, self.direction) if label else 0.0)
                self.reach[side].raise_to(slot, slot + 1, end + 0.1)
        return found

    def _turns_before(self, e: int, other: int, edges: dict[int, float]) -> bool:
        """Does an edge leave its column before another one comes in there?"""
        if other not in edges:
            return False
        (out, into), (other_out, other_into) = self._points(e), self._points(other)
        return (out < into) == (other_out < other_into)

    def _at_ports(self, sides: dict[Ear, int], straight: set[int]) -> set[Ear]:
        """Items that hang on a port of a frame on the spine alone stand right above or below it, where
        there is room."""
        turning = {end for e in straight for end in self.plan.edges[e][:2]}
        labels = {
            self.plan.layer[self.plan.edges[e].source]: self.plan.edges[e].edge.label
            for e in self.plan.spine_ways
        }
        wanted: list[tuple[float, float, Ear]] = []
        for ear in sides:
            if len(ear.inner) != 1 or len(ear.ways) != 1 or self.plan.edges[ear.ways[0]].edge.label:
                continue
            a, b, _ = self.plan.edges[ear.ways[0]]
            frame, port = (b, 1) if ear.start is None else (a, 0)
            at = self._points(ear.ways[0])[port]
            alone = len(self.plan.coming[ear.inner[0]]) + len(self.plan.leaving[ear.inner[0]]) == 1
            near = alone and self.plan.layer[b] == self.plan.layer[a] + 1
            if near and not self.side[frame] and frame not in turning and at * sides[ear] > 0:
                wanted.append((abs(at), at, ear))
        found: set[Ear] = set()
        for distance, at, ear in sorted(wanted, key=lambda one: one[0]):
            i, side, reach = ear.inner[0], sides[ear], self.reach[sides[ear]]
            row, channel = 2 * self.plan.layer[i], self.plan.layer[self.plan.edges[ear.ways[0]].source]
            label = labels.get(channel, "") if self.spine_labels == side else ""
            beside = label_reach(label, self.direction) + ABOVE if label else 0.0
            unit = self.units[i]
            if distance >= max(beside, reach.highest(row, row + 1) + RAIL + unit.towards(-side)):
                self.x[i] = self.column[ear.ways[0]] = at
                reach.raise_to(row, row + 1, distance + unit.towards(side))
                found.add(ear)
        return found

    def _stand_ears(self) -> None:
        sides = {ear: self._side(ear) for ear in self.plan.ears}
        straight = self._straight_down()
        standing = self._at_ports(sides, straight)

        def first(ear: Ear) -> int:
            return ear.inner[0] if ear.inner else 0

        around = {i: ear for ear in self.plan.ears for i in ear.inner}

        length: dict[Ear, int] = {}
        for ear in self.plan.ears:
            low, high = self._interval(ear)
            length[ear] = high - low
            whole = around.get(ear.start) if ear.inner and ear.start is not None else None
            if whole and whole.end == ear.end:  # a branch of a branch counts as one as long
                length[ear] = max(high - low, length[whole])
        for side in (-1, 1):  # ports keep their order, but for those that rails begin at
            longest = 0
            for ear in sorted((ear for ear in length if sides[ear] == side), key=lambda e: side * first(e)):
                if self._is_port(ear):
                    longest = length[ear] = max(longest, length[ear])

        def out(ear: Ear) -> tuple[int, bool, int]:
            """Short ways stand inside long ones; else the order of the items holds from low to high."""
            return length[ear], not ear.inner, first(ear) * sides[ear]

        for ear in sorted(sides, key=out):
            if ear not in standing and (ear.inner or ear.ways[0] not in straight):
                self._stand(ear, sides[ear])

    def _is_port(self, ear: Ear) -> bool:
        """Does a way begin at a port of the frame, and no rail there?"""
        if ear.start is not None or ear.inner[0] in self.plan.borders:
            return False
        item, leaving = self.plan.items[ear.inner[0]], self.plan.leaving[ear.inner[0]]
        rail = all(self.plan.edges[e].edge.style == "residual" for e in leaving)
        return isinstance(item, Box) and item.form == "port" and not rail

    def _interval(self, ear: Ear) -> tuple[int, int]:
        """The slots that an ear passes, from the first to the last."""
        layer = self.plan.layer
        if ear.start is not None:
            low = 2 * layer[ear.start] + 1
        else:
            low = 2 * layer[ear.inner[0]] - (1 if self.plan.coming[ear.inner[0]] else 0)
        if ear.end is not None:
            return low, 2 * layer[ear.end] - (0 if self.beside(ear.ways[-1]) else 1)
        return low, 2 * layer[ear.inner[-1]] + (1 if self.plan.leaving[ear.inner[-1]] else 0)

    def beside(self, e: int) -> bool:
        """May an edge come in at a side of its target?"""
        way = self.plan.edges[e]
        item = self.plan.items[way.target]
        if isinstance(item, Frame):
            return not way.edge.target_port
        return item.form not in ("port", "dots")

    def _stand(self, ear: Ear, side: int) -> None:
        """Move an ear out as far as what it passes asks for, and note how far it reaches."""
        reach, part = self.reach[side], 0 if side < 0 else 1
        low, high = self._interval(ear)
        distance = RAIL + reach.highest(low, high + 1)
        for i in ear.inner:
            slot, unit = 2 * self.plan.layer[i], self.units[i]
            into, out = self.stubs[i]
            distance = max(
                distance,
                reach.highest(slot, slot + 1) + GAP + unit.towards(-side),
                reach.highest(slot - 1, slot) + RAIL + into[1 - part],
                reach.highest(slot + 1, slot + 2) + RAIL + out[1 - part],
            )
        labels = []
        for e in ear.ways:
            a, _, edge = self.plan.edges[e]
            if edge.label:
                slot, wide = 2 * self.plan.layer[a] + 1, label_reach(edge.label, self.direction)
                if not ear.inner and reach.highest(slot, slot + 1) + RAIL / 2 + wide <= distance:
                    self.inward.add(e)  # between its line and the spine is room that others leave
                else:
                    labels.append((slot, wide))
        reach.raise_to(low, high + 1, distance + 0.1)
        for slot, wide in labels:
            reach.raise_to(slot, slot + 1, distance + wide)
        for i in ear.inner:
            slot, unit = 2 * self.plan.layer[i], self.units[i]
            into, out = self.stubs[i]
            reach.raise_to(slot, slot + 1, distance + unit.towards(side))
            reach.raise_to(slot - 1, slot, distance + into[part])
            reach.raise_to(slot + 1, slot + 2, distance + out[part])
            self.x[i] = side * distance
        for e in ear.ways:
            self.column[e] = side * distance
