"""A long chart cut into columns beside each other, as a text is set: lines go on from the foot of one
through the gutter to the head of the next."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace

from archc.draw.layout import Area, Place, Point, Wire
from archc.draw.measure import BADGE_OUT, BADGE_UP, SMALL, badge_width, sheets
from archc.draw.metrics import text_width
from archc.draw.scene import Box, Direction, Frame

TRACK, AWAY = 9.0, 14.0
"""Between two lines in a gutter, and between lines and what is beside them."""
CROSSING = 12.0
"""As many px longer may a column be, if one line less is cut for it."""
MOST_LINES = 24
"""As many lines as a gutter has room for."""
SHORTEST = 0.4
"""The shortest column, of an equal share."""


def wrap(area: Area, count: int, direction: Direction = "TB") -> Area:
    """A panel without a header in `count` columns about equally long, side by side; one that runs across
    in rows, one below the other. The area itself where it cannot be cut so often."""
    flow = _Flow(area, direction)
    cuts = _cuts(flow, count)
    return _Wrapping(flow, cuts).area() if cuts and len(cuts) == count - 1 else area


@dataclass(slots=True)
class _Flow:
    """An area with its main path running along."""

    area: Area
    direction: Direction

    @property
    def upright(self) -> bool:
        return self.direction in ("TB", "BT")

    @property
    def length(self) -> float:
        return self.area.h if self.upright else self.area.w

    def turn(self, x: float, y: float) -> Point:
        """A point as its place along and across."""
        along, across = (y, x) if self.upright else (x, y)
        return (self.length - along if self.direction in ("BT", "RL") else along), across

    def reach(self, place: Place) -> tuple[float, float, float, float]:
        """A place with its sheets and its badge: start and end along, and across."""
        item, right, bottom, top = place.item, sheets(place.item.copies), sheets(place.item.copies), 0.0
        if item.copies > 1:
            badge = badge_width(item.copies, isinstance(item, Frame) and item.parallel)
            right, top = max(right, badge / 2 + BADGE_OUT), BADGE_UP
        if isinstance(item, Box) and item.form == "circle" and item.condition:
            right, top = max(right, text_width(f"if {item.condition}", SMALL) + 2), 4.0
        one = self.turn(place.x, place.y - top)
        other = self.turn(place.x + place.w + right, place.y + place.h + bottom)
        return *sorted((one[0], other[0])), *sorted((one[1], other[1]))  # type: ignore[return-value]

    def label(self, wire: Wire) -> tuple[float, float, float, float]:
        assert wire.label_at is not None
        x, y = wire.label_at
        width = text_width(wire.edge.label, SMALL)
        one, other = self.turn(x, y - SMALL * 0.8), self.turn(x + width, y + SMALL * 0.3)
        return *sorted((one[0], other[0])), *sorted((one[1], other[1]))  # type: ignore[return-value]

    def way(self, wire: Wire) -> list[Point]:
        return [self.turn(*point) for point in wire.points]


def _cuts(flow: _Flow, count: int) -> list[float]:
    """Where to cut: between rows, where few lines run, near equal shares."""
    taken: list[tuple[float, float]] = []
    runs: list[tuple[float, float]] = []
    for place in flow.area.places:
        start, end, _, _ = flow.reach(place)
        taken.append((start - 4, end + 4))
    for wire in flow.area.wires:
        if wire.label_at:
            start, end, _, _ = flow.label(wire)
            taken.append((start - 2, end + 2))
        way = flow.way(wire)
        for (a, x), (b, y) in zip(way, way[1:], strict=False):
            if abs(a - b) < 0.1:
                taken.append((a - 3, a + 3))
            elif abs(x - y) < 0.1:
                runs.append((min(a, b), max(a, b)))
    places = [(start + end) / 2 for start, end in _free(taken)]
    starts, ends = sorted(start for start, _ in runs), sorted(end for _, end in runs)
    lines = {at: bisect_right(starts, at) - bisect_right(ends, at) for at in places}
    places = [at for at in places if lines[at] <= MOST_LINES]
    share = flow.length / count
    cuts: list[float] = []
    for number in range(1, count):
        last = cuts[-1] if cuts else 0.0
        near = share * (1 - SHORTEST)
        low = max(last + SHORTEST * share, number * share - near)
        high = min(flow.length - SHORTEST * share, number * share + near)
        ahead = places[bisect_right(places, low) : bisect_right(places, high)]
        if ahead:
            cuts.append(min(ahead, key=lambda at: abs(at - number * share) + CROSSING * lines[at]))
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


class _Wrapping:
    def __init__(self, flow: _Flow, cuts: list[float]) -> None:
        self.flow = flow
        self.cuts = cuts
        edges = [float("-inf"), *cuts, float("inf")]
        self.columns = [_Column(a, b) for a, b in zip(edges, edges[1:], strict=False)]
        self.ways = [flow.way(wire) for wire in flow.area.wires]
        self._measure()
        self._arrange()

    def _at(self, along: float) -> int:
        return bisect_right(self.cuts, along)

    def _measure(self) -> None:
        lines: list[set[float]] = [set() for _ in self.columns]
        for place in self.flow.area.places:
            start, _, low, high = self.flow.reach(place)
            self.columns[self._at(start)].cover(low, high)
        for wire, way in zip(self.flow.area.wires, self.ways, strict=True):
            if wire.label_at:
                start, _, low, high = self.flow.label(wire)
                self.columns[self._at(start)].cover(low, high)
            for (a, x), (b, y) in zip(way, way[1:], strict=False):
                first, last = self._at(min(a, b)), self._at(max(a, b))
                for number in range(first, last + 1):
                    self.columns[number].cover(min(x, y), max(x, y))
                    if number > first:
                        lines[number].add(x)
        for column, found in zip(self.columns, lines, strict=True):
            column.lines = tuple(sorted(found))

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
        self.width = across

    def area(self) -> Area:
        """The new area."""
        w, h = (self.width, self.length) if self.flow.upright else (self.length, self.width)
        columns = [
            (round(column.low + column.across, 1), round(column.high + column.across, 1))
            for column in self.columns
        ]
        spine = round(self.flow.area.spine + self.columns[0].across, 1)
        places = [self._place(place) for place in self.flow.area.places]
        wires = [self._wire(wire, way) for wire, way in zip(self.flow.area.wires, self.ways, strict=True)]
        return Area(round(w, 1), round(h, 1), spine, places, wires, columns)

    def _back(self, along: float, across: float) -> Point:
        """A point of the new area from its places along and across."""
        along = self.length - along if self.flow.direction in ("BT", "RL") else along
        x, y = (across, along) if self.flow.upright else (along, across)
        return round(x, 1), round(y, 1)

    def _shift(self, column: _Column) -> Point:
        """By how much what is in a column moves, in x and y."""
        zero = self.flow.turn(0.0, 0.0)
        return self._back(zero[0] + column.along, zero[1] + column.across)

    def _place(self, place: Place) -> Place:
        column = self.columns[self._at(self.flow.reach(place)[0])]
        dx, dy = self._shift(column)
        spine = round(place.spine + (dx if self.flow.upright else dy), 1)
        return replace(place, x=round(place.x + dx, 1), y=round(place.y + dy, 1), spine=spine)

    def _wire(self, wire: Wire, way: list[Point]) -> Wire:
        column = self._at(way[0][0])
        points = [self._moved(way[0], column)]
        for point in way[1:]:
            while self._at(point[0]) > column:
                points += self._over(point[1], column + 1)
                column += 1
            points.append(self._moved(point, column))
        label = wire.label_at
        if label:
            dx, dy = self._shift(self.columns[self._at(self.flow.label(wire)[0])])
            label = round(label[0] + dx, 1), round(label[1] + dy, 1)
        return Wire(wire.edge, [self._back(*point) for point in points], label)

    def _moved(self, point: Point, column: int) -> Point:
        there = self.columns[column]
        return point[0] + there.along, point[1] + there.across

    def _over(self, across: float, number: int) -> list[Point]:
        """The way of a line from the foot of a column to the head of the next, crossing none of the
        others: the outermost turns first, runs nearest, and comes in first."""
        before, column = self.columns[number - 1], self.columns[number]
        place = len(column.lines) - 1 - column.lines.index(across)
        foot = self.cuts[number - 1] + before.along + 4 + place * TRACK
        gutter = before.high + before.across + AWAY + place * TRACK
        head = place * TRACK
        there, here = across + column.across, across + before.across
        return [(foot, here), (foot, gutter), (head, gutter), (head, there)]
