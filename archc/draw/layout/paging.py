"""A long chart cut into columns beside each other, as a text is set: lines go on from the foot of one
through the gutter to the head of the next."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from archc.draw.layout.layout import Area, Place, Point, Wire
from archc.draw.layout.measure import BADGE_OUT, BADGE_UP, SMALL, badge_width, sheets
from archc.draw.layout.metrics import text_width
from archc.draw.scene.items import Box, Direction, Frame

TRACK, AWAY = 9.0, 14.0
"""Between two lines in a gutter, and between lines and what is beside them."""
CROSSING = 12.0
"""As many px longer may a column be, if one line less is cut for it."""
MOST_LINES = 24
"""As many lines as a gutter has room for."""
SHORTEST = 0.4
"""The shortest column, of an equal share."""

Sides = tuple[float, float, float, float]


def wrappings(area: Area, counts: Iterable[int], direction: Direction = "TB") -> list[Wrapping]:
    """A panel without a header in so many columns about equally long, side by side; one that runs across
    in rows, one below the other. For each of `counts` for which it can be cut so often."""
    flow = _Flow(area, direction)
    cuts = ((count, flow.cuts(count)) for count in counts)
    return [Wrapping(flow, found) for count, found in cuts if len(found) == count - 1 > 0]


class _Flow:
    """An area with its main path running along: the ways of its wires, and what its places and labels
    cover: start and end along, and across."""

    def __init__(self, area: Area, direction: Direction) -> None:
        self.area = area
        self.upright = direction in ("TB", "BT")
        self.backwards = direction in ("BT", "RL")
        self.length = area.h if self.upright else area.w
        self.reaches = [self._reach(place) for place in area.places]
        self.labels = [self._label(wire) if wire.label_at else None for wire in area.wires]
        self.ways = [[self.turn(x, y) for x, y in wire.points] for wire in area.wires]
        self._find_places()

    def turn(self, x: float, y: float) -> Point:
        """A point as its place along and across."""
        along, across = (y, x) if self.upright else (x, y)
        return (self.length - along if self.backwards else along), across

    def _reach(self, place: Place) -> Sides:
        """A place with its sheets and its badge."""
        item, right, bottom, top = place.item, 0.0, 0.0, 0.0
        if item.copies > 1:
            badge = badge_width(item.copies, isinstance(item, Frame) and item.parallel)
            right, bottom, top = (
                max(sheets(item.copies), badge / 2 + BADGE_OUT),
                sheets(item.copies),
                BADGE_UP,
            )
        if isinstance(item, Box) and item.form == "circle" and item.condition:
            right, top = max(right, text_width(f"if {item.condition}", SMALL) + 2), 4.0
        return self._sides(place.x, place.y - top, place.x + place.w + right, place.y + place.h + bottom)

    def _label(self, wire: Wire) -> Sides:
        assert wire.label_at is not None
        x, y = wire.label_at
        return self._sides(x, y - SMALL * 0.8, x + text_width(wire.edge.label, SMALL), y + SMALL * 0.3)

    def _sides(self, left: float, top: float, right: float, bottom: float) -> Sides:
        one, other = self.turn(left, top), self.turn(right, bottom)
        return min(one[0], other[0]), max(one[0], other[0]), min(one[1], other[1]), max(one[1], other[1])

    def _find_places(self) -> None:
        """Find where it may be cut, between rows, and how many lines run there."""
        taken = [(start - 4, end + 4) for start, end, _, _ in self.reaches]
        taken += [(label[0] - 2, label[1] + 2) for label in self.labels if label]
        runs: list[tuple[float, float]] = []
        for way in self.ways:
            for (a, x), (b, y) in pairwise(way):
                if abs(a - b) < 0.1:
                    taken.append((a - 3, a + 3))
                elif abs(x - y) < 0.1:
                    runs.append((a, b) if a < b else (b, a))
        places = [(start + end) / 2 for start, end in _free(taken)]
        starts, ends = sorted(start for start, _ in runs), sorted(end for _, end in runs)
        lines = {at: bisect_right(starts, at) - bisect_right(ends, at) for at in places}
        self.lines = {at: count for at, count in lines.items() if count <= MOST_LINES}
        self.places = list(self.lines)

    def cuts(self, count: int) -> list[float]:
        """Where to cut: where few lines run, near equal shares."""
        share = self.length / count
        cuts: list[float] = []
        for number in range(1, count):
            last = cuts[-1] if cuts else 0.0
            near = share * (1 - SHORTEST)
            low = max(last + SHORTEST * share, number * share - near)
            high = min(self.length - SHORTEST * share, number * share + near)
            ahead = self.places[bisect_right(self.places, low) : bisect_right(self.places, high)]
            if ahead:
                cuts.append(min(ahead, key=lambda at: abs(at - number * share) + CROSSING * self.lines[at]))
        return cuts


def _free(taken: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """What lies between stretches."""
    free: list[tuple[float, float]] = []
    reached = None
    for start, end in sorted(taken):
        if reached is not None and start > reached:
            free.append((reached, start))
        reached = end if reached is None else max(reached, end)
    return free


@dataclass(slots=True)
class _Column:
    """A column between two cuts: what it reaches across, by how much it is moved, and the lines that come
    into it from the last one, each by the place across where it was cut, from low to high."""

    start: float
    end: float
    low: float = float("inf")
    high: float = float("-inf")
    along: float = 0.0
    across: float = 0.0
    lines: tuple[float, ...] = ()

    def cover(self, low: float, high: float) -> None:
        self.low, self.high = min(self.low, low), max(self.high, high)


class Wrapping:
    """An area cut into columns; `w` and `h` are its new size."""

    def __init__(self, flow: _Flow, cuts: list[float]) -> None:
        self.flow = flow
        self.cuts = cuts
        edges = [float("-inf"), *cuts, float("inf")]
        self.columns = [_Column(a, b) for a, b in pairwise(edges)]
        self._measure()
        self._arrange()

    def _at(self, along: float) -> int:
        return bisect_right(self.cuts, along)

    def _measure(self) -> None:
        lines: list[set[float]] = [set() for _ in self.columns]
        for start, _, low, high in (*self.flow.reaches, *filter(None, self.flow.labels)):
            self.columns[self._at(start)].cover(low, high)
        for way in self.flow.ways:
            first, last = self._ends(way)
            if first == last:
                xs = [x for _, x in way]
                self.columns[first].cover(min(xs), max(xs))
                continue
            for (a, x), (b, y) in pairwise(way):
                first, last = self._at(min(a, b)), self._at(max(a, b))
                for number in range(first, last + 1):
                    self.columns[number].cover(min(x, y), max(x, y))
                    if number > first:
                        lines[number].add(x)
        for column, found in zip(self.columns, lines, strict=True):
            column.lines = tuple(sorted(found))

    def _ends(self, way: list[Point]) -> tuple[int, int]:
        """The first and the last column in which a way runs."""
        along = [a for a, _ in way]
        return self._at(min(along)), self._at(max(along))

    def _arrange(self) -> None:
        """Put the columns beside each other, their heads in one line below the lines' ways into them."""
        heads = [len(column.lines) * TRACK + (AWAY if column.lines else 0.0) for column in self.columns]
        across = 0.0
        for number, column in enumerate(self.columns):
            gutter = len(column.lines) * TRACK + 2 * AWAY if number else 0.0
            column.across = across + gutter - column.low
            across += gutter + column.high - column.low
            start = self.cuts[number - 1] if number else 0.0
            column.along = heads[number] - start
        ends = [*self.cuts, self.flow.length]
        feet = [len(column.lines) * TRACK + 4 for column in self.columns[1:]] + [0.0]
        self.length = max(
            end + column.along + foot for end, column, foot in zip(ends, self.columns, feet, strict=True)
        )
        size = (across, self.length) if self.flow.upright else (self.length, across)
        self.w, self.h = round(size[0], 1), round(size[1], 1)

    def area(self) -> Area:
        """The new area."""
        flow = self.flow
        columns = [
            (round(column.low + column.across, 1), round(column.high + column.across, 1))
            for column in self.columns
        ]
        spine = round(flow.area.spine + self.columns[0].across, 1)
        zero = flow.turn(0.0, 0.0)
        shifts = [self._back(zero[0] + column.along, zero[1] + column.across) for column in self.columns]
        places = [
            self._place(place, shifts[self._at(reach[0])])
            for place, reach in zip(flow.area.places, flow.reaches, strict=True)
        ]
        wires = [
            Wire(wire.edge, self._way(way), wire.label_at)
            for wire, way in zip(flow.area.wires, flow.ways, strict=True)
        ]
        for wire, label in zip(wires, flow.labels, strict=True):
            if wire.label_at and label:
                wire.label_at = _moved(wire.label_at, shifts[self._at(label[0])])
        return Area(self.w, self.h, spine, places, wires, columns)

    def _back(self, along: float, across: float) -> Point:
        """A point of the new area from its places along and across."""
        along = self.length - along if self.flow.backwards else along
        x, y = (across, along) if self.flow.upright else (along, across)
        return round(x, 1), round(y, 1)

    def _place(self, place: Place, shift: Point) -> Place:
        x, y = _moved((place.x, place.y), shift)
        spine = round(place.spine + (shift[0] if self.flow.upright else shift[1]), 1)
        return Place(place.item, x, y, place.w, place.h, spine, place.inside)

    def _way(self, way: list[Point]) -> list[Point]:
        """The way of a wire from column to column."""
        number, last = self._at(way[0][0]), self._ends(way)[1]
        column = self.columns[number]
        points: list[Point] = []
        for along, across in way:
            while number < last and self._at(along) > number:
                number += 1
                points += self._over(across, number)
                column = self.columns[number]
            points.append(self._back(along + column.along, across + column.across))
        return points

    def _over(self, across: float, number: int) -> list[Point]:
        """The way of a line from the foot of a column to the head of the next, crossing none of the
        others: the outermost turns first, runs nearest, and comes in first."""
        before, column = self.columns[number - 1], self.columns[number]
        place = len(column.lines) - 1 - column.lines.index(across)
        foot = self.cuts[number - 1] + before.along + 4 + place * TRACK
        gutter = before.high + before.across + AWAY + place * TRACK
        head = place * TRACK
        there, here = across + column.across, across + before.across
        return [self._back(*point) for point in ((foot, here), (foot, gutter), (head, gutter), (head, there))]


def _moved(point: Point, shift: Point) -> Point:
    return round(point[0] + shift[0], 1), round(point[1] + shift[1], 1)
