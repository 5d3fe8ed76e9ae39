"""Places for everything in a scene. A block is laid out by itself and stands in its parent as one
item: cost grows with the number of items, and an edge never leaves its own block.

Items stand in rows. The main path is a straight spine; every other way gets a column of its own
at the left or the right of what it passes, so that no edge runs through a foreign item. Between two
rows lies a channel, in which edges change columns, each in a track of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from archc.draw.layers import Ear, order, topological
from archc.draw.measure import (
    DETAIL,
    HEADER,
    PADDING,
    SMALL,
    TITLE,
    badge_width,
    box_size,
    sheets,
)
from archc.draw.metrics import text_width
from archc.draw.scene import Box, Edge, Frame, Item

TRACK, HEAD, LEAD, LABEL = 9.0, 13.0, 8.0, 15.0
"""Heights within a channel: a track, the arrow's last stretch, the first stretch, a label."""
GAP, RAIL = 22.0, 14.0
"""Room beside an item, and between two lines."""

Point = tuple[float, float]


@dataclass(slots=True)
class Wire:
    """An edge with its way; `label_at` is where its label starts, on the baseline's left."""

    edge: Edge
    points: list[Point]
    label_at: Point | None = None


@dataclass(slots=True)
class Place:
    """An item with its place: its top left corner, its size, and its spine, where its edges come in
    and go out. `w` and `h` leave out the sheets behind a repeated thing."""

    item: Item
    x: float
    y: float
    w: float
    h: float
    spine: float
    inside: Area | None = None


@dataclass(slots=True)
class Area:
    """What is laid out in a frame, from its own top left corner."""

    w: float
    h: float
    spine: float
    places: list[Place] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)


def lay_out(frame: Frame, header: bool = True) -> Area:
    """Lay out a frame and all inside it. Without `header` it has neither border nor title."""
    inner = [lay_out(item) if isinstance(item, Frame) else None for item in frame.items]
    return _Layout(frame, inner).area(header)


@dataclass(slots=True)
class _Span:
    """A horizontal stretch in a channel. Stretches of one key share a track: they meet at one point."""

    low: float
    high: float
    incoming: bool
    track: int = 0


@dataclass(slots=True)
class _Column:
    """Where an ear runs: its centre and its side, -1 left or 1 right."""

    ear: Ear
    side: int
    x: float = 0.0


class _Layout:
    def __init__(self, frame: Frame, inner: list[Area | None]) -> None:
        self.frame = frame
        self.inner = inner
        self.items = frame.items
        index = {item.id: i for i, item in enumerate(self.items)}
        self.edges = [(index[edge.source], index[edge.target], edge) for edge in frame.edges]
        self.labels = {(a, b): edge.label for a, b, edge in self.edges}
        rank = topological(len(self.items), [(a, b) for a, b, _ in self.edges])
        self._rank, place = rank, {i: r for r, i in enumerate(rank)}
        found = order(
            len(self.items),
            [(place[a], place[b]) for a, b, _ in self.edges],
            None if frame.entry is None else place[index[frame.entry]],
            None if frame.exit is None else place[index[frame.exit]],
            {place[i] for i, item in enumerate(self.items) if isinstance(item, Box) and item.title in "+−×"},
        )
        self.layer = [found.layer[place[i]] for i in range(len(self.items))]
        self.spine = [rank[r] for r in found.spine]
        self.ears = [
            Ear(
                None if ear.start is None else rank[ear.start],
                tuple(rank[r] for r in ear.inner),
                None if ear.end is None else rank[ear.end],
            )
            for ear in found.ears
        ]
        self.rows = max(self.layer, default=0) + 1
        self.in_row: list[list[int]] = [[] for _ in range(self.rows)]
        for i, row in enumerate(self.layer):
            self.in_row[row].append(i)
        self.left, self.right, self.height = self._sizes()
        self.x = [0.0] * len(self.items)
        # The way of each edge that leaves its row's neighbour: the column it runs down.
        self.column: dict[tuple[int, int], float] = {}
        self.sideways: set[tuple[int, int]] = set()

    def _sizes(self) -> tuple[list[float], list[float], list[float]]:
        """How far each item reaches left and right of its spine, and its height with its sheets."""
        left, right, height = [], [], []
        for item, area in zip(self.items, self.inner, strict=True):
            if isinstance(item, Frame):
                assert area is not None
                w, h, spine = area.w, area.h, area.spine
                badge = badge_width(item.copies, item.parallel) / 2 if item.copies > 1 else 0.0
            else:
                (w, h), badge = box_size(item), 0.0
                spine = w / 2
                badge = badge_width(item.copies) / 2 if item.copies > 1 else 0.0
            room = sheets(item.copies)
            left.append(spine)
            right.append(w - spine + max(room, badge))
            height.append(h + room)
        return left, right, height

    # Columns

    def area(self, header: bool) -> Area:
        if not self.items:
            return Area(120.0, HEADER + PADDING, 60.0)
        self._columns()
        self.sideways = self._side_entries()
        spans = self._spans()
        tops, channels = self._rows(spans)
        places = self._places(tops)
        wires = self._wires(places, spans, channels)
        return self._close(places, wires, header)

    def _columns(self) -> None:
        """Give every way beside the spine its column."""
        rows = 2 * self.rows
        reach = {-1: [0.0] * rows, 1: [0.0] * rows}
        for i in self.spine:
            reach[-1][2 * self.layer[i]] = self.left[i]
            reach[1][2 * self.layer[i]] = self.right[i]
        on_spine = set(self.spine)
        for a, _, edge in self.edges:
            if edge.label and a in on_spine:
                slot = 2 * self.layer[a] + 1
                reach[1][slot] = max(reach[1][slot], text_width(edge.label, SMALL) + 8)
        sides = self._sides()
        for ear in self._by_length():
            column = _Column(ear, sides[ear])
            self._place(column, reach[column.side])
            for i in ear.inner:
                self.x[i] = column.x

    def _by_length(self) -> list[Ear]:
        """Short ways first, so that long ones run outside them; those with items before mere lines."""
        return sorted(self.ears, key=lambda ear: (self._length(ear), not ear.inner))

    def _length(self, ear: Ear) -> int:
        low, high = self._interval(ear)
        return high - low

    def _interval(self, ear: Ear) -> tuple[int, int]:
        """The slots that an ear passes: even ones are rows, odd ones the channels below them."""
        first = ear.inner[0] if ear.inner else None
        low = 2 * self.layer[ear.start] + 1 if ear.start is not None else 2 * self.layer[first or 0]
        if ear.end is None:
            return low, 2 * self.layer[ear.inner[-1]]
        return low, 2 * self.layer[ear.end] - (0 if self._is_circle(ear.end) else 1)

    def _is_circle(self, i: int) -> bool:
        item = self.items[i]
        return isinstance(item, Box) and item.form == "circle"

    def _sides(self) -> dict[Ear, int]:
        """The side of each ear: of those with items first, since lines follow them."""
        side_of: dict[int, int] = {}
        used = {-1: 0, 1: 0}
        starts = Counter(ear.start for ear in self.ears if ear.inner)
        sides: dict[Ear, int] = {}
        for ear in sorted(self._by_length(), key=lambda ear: not ear.inner):
            sides[ear] = side = self._side(ear, side_of, used, starts)
            used[side] += 1
            side_of.update(dict.fromkeys(ear.inner, side))
        return sides

    def _side(self, ear: Ear, side_of: dict[int, int], used: dict[int, int], starts: Counter) -> int:
        for end in (ear.end, ear.start):
            if end is not None and side_of.get(end):
                return side_of[end]
        if not ear.inner:
            return 1  # a rail runs at the right
        if ear.start is None:
            return -1
        return 1 if starts[ear.start] == 1 or used[-1] > used[1] else -1

    def _place(self, column: _Column, reach: list[float]) -> None:
        """Move a column out as far as what it passes asks for, and note how far it reaches."""
        low, high = self._interval(column.ear)
        towards, away = (self.right, self.left) if column.side < 0 else (self.left, self.right)
        rows = {2 * self.layer[i]: i for i in column.ear.inner}
        distance = RAIL
        for slot in range(low, high + 1):
            if slot in rows:
                distance = max(distance, reach[slot] + GAP + towards[rows[slot]])
            elif reach[slot]:
                distance = max(distance, reach[slot] + RAIL)
        if column.ear.inner:
            distance = max(distance, GAP + towards[column.ear.inner[0]])
        label = self._label_width(column.ear)
        if column.side < 0:  # a label stands at the right of its line: here, on the inner side
            distance = max(distance, max(reach[low : high + 1]) + RAIL + label)
        for slot in range(low, high + 1):
            own = away[rows[slot]] if slot in rows else (label if slot % 2 and column.side > 0 else 0.1)
            reach[slot] = max(reach[slot], distance + own)
        column.x = column.side * distance
        path = [column.ear.start, *column.ear.inner, column.ear.end]
        for a, b in zip(path, path[1:], strict=False):
            if a is not None and b is not None:
                self.column[a, b] = column.x

    def _label_width(self, ear: Ear) -> float:
        """The room for the labels of an ear's own edges."""
        path = [ear.start, *ear.inner, ear.end]
        own = (self.labels.get(pair, "") for pair in zip(path, path[1:], strict=False))
        return max((text_width(label, SMALL) + 8 for label in own if label), default=0.0)

    # Channels and rows

    def _side_entries(self) -> set[tuple[int, int]]:
        """The edges that come into a circle from the side: where nothing stands or runs between."""
        found: set[tuple[int, int]] = set()
        taken: dict[int, list[tuple[float, float, int]]] = {}  # by row: from, to, whose
        for a, b, _ in self.edges:
            x = self.column.get((a, b), self.x[b])
            if not self._is_circle(b) or abs(x - self.x[b]) < 1 or (a, b) in found:
                continue
            low, high = sorted((x, self.x[b]))
            free = all(
                i == b or self.x[i] + self.right[i] < low or self.x[i] - self.left[i] > high
                for i in self.in_row[self.layer[b]]
            )
            lines = taken.setdefault(self.layer[b], [])
            if free and all(c == b or until < low or start > high for start, until, c in lines):
                found.add((a, b))
                lines.append((low, high, b))
        return found

    def _spans(self) -> list[dict[tuple[str, int], _Span]]:
        """The horizontal stretches of every channel, with their tracks."""
        channels: list[dict[tuple[str, int], _Span]] = [{} for _ in range(self.rows)]

        def stretch(channel: int, key: tuple[str, int], a: float, b: float) -> None:
            if abs(a - b) < 0.5:
                return
            low, high = min(a, b), max(a, b)
            span = channels[channel].get(key)
            if span is None:
                channels[channel][key] = _Span(low, high, key[0] == "in")
            else:
                span.low, span.high = min(span.low, low), max(span.high, high)

        for a, b, _ in self.edges:
            x = self.column.get((a, b), self.x[b])
            stretch(self.layer[a], ("out", a), self.x[a], x)
            if (a, b) not in self.sideways:
                stretch(self.layer[b] - 1, ("in", b), x, self.x[b])
        for channel in channels:
            for incoming in (False, True):
                spans = sorted((s for s in channel.values() if s.incoming is incoming), key=lambda s: s.low)
                ends: list[float] = []
                for span in spans:
                    free = next((t for t, end in enumerate(ends) if end + 4 < span.low), len(ends))
                    ends[free : free + 1] = [span.high]
                    span.track = free
        return channels

    def _rows(
        self, spans: list[dict[tuple[str, int], _Span]]
    ) -> tuple[list[float], list[Callable[[_Span | None], float]]]:
        """The tops of all rows, and for each channel the height of a stretch (of a label for None)."""
        heights = [0.0] * self.rows
        for i, height in enumerate(self.height):
            heights[self.layer[i]] = max(heights[self.layer[i]], height)
        labelled = [False] * self.rows
        for a, _, edge in self.edges:
            labelled[self.layer[a]] = labelled[self.layer[a]] or bool(edge.label)
        tops: list[float] = []
        channels: list[Callable[[_Span | None], float]] = []
        y = 0.0
        for row in range(self.rows):
            tops.append(y)
            y += heights[row]
            outs = max((s.track + 1 for s in spans[row].values() if not s.incoming), default=0)
            ins = max((s.track + 1 for s in spans[row].values() if s.incoming), default=0)
            label = y + LEAD + outs * TRACK + (LABEL / 2 + 1 if labelled[row] else 0)
            after = y + LEAD + outs * TRACK + (LABEL if labelled[row] else 0)

            def level(span: _Span | None, y: float = y, label: float = label, after: float = after) -> float:
                if span is None:
                    return label
                return (after if span.incoming else y + LEAD) + span.track * TRACK

            channels.append(level)
            y = after + ins * TRACK + HEAD
            if not heights[row] and row == 0:
                y -= HEAD - LEAD  # below the port of a frame a short stretch is enough
        self.bottom = tops[-1] + heights[-1]
        self._heights = heights
        return tops, channels

    def _places(self, tops: list[float]) -> list[Place]:
        places = []
        for i, item in enumerate(self.items):
            row = self._heights[self.layer[i]]
            w, h = (self.inner[i].w, self.inner[i].h) if self.inner[i] else box_size(item)  # type: ignore
            y = tops[self.layer[i]] + (row - self.height[i]) / 2
            x = self.x[i] - self.left[i]
            places.append(Place(item, x, y, w, h, self.x[i], self.inner[i]))
        return places

    # Edges

    def _wires(
        self,
        places: list[Place],
        spans: list[dict[tuple[str, int], _Span]],
        channels: list[Callable[[_Span | None], float]],
    ) -> list[Wire]:
        wires = []
        for a, b, edge in self.edges:
            start, end = places[a], places[b]
            x = self.column.get((a, b), self.x[b])
            points = [(start.spine, start.y + self.height[a])]
            out = spans[self.layer[a]].get(("out", a))
            if abs(x - start.spine) > 0.5:
                assert out is not None
                level = channels[self.layer[a]](out)
                points += [(start.spine, level), (x, level)]
            if (a, b) in self.sideways:
                middle = end.y + end.h / 2
                side = end.x if x < end.spine else end.x + end.w
                points += [(x, middle), (side, middle)]
            else:
                if abs(x - end.spine) > 0.5:
                    level = channels[self.layer[b] - 1](spans[self.layer[b] - 1]["in", b])
                    points += [(x, level), (end.spine, level)]
                points.append((end.spine, end.y))
            at = None
            if edge.label:
                at = (x + 6, channels[self.layer[a]](None) + SMALL * 0.36)
            wires.append(Wire(edge, points, at))
        return wires

    # The frame around

    def _close(
        self,
        places: list[Place],
        wires: list[Wire],
        header: bool,
    ) -> Area:
        """Move everything into a frame with a header, as wide as what is in it and its title."""
        low = min([place.x for place in places])
        high = max(place.spine + self.right[i] for i, place in enumerate(places))
        for wire in wires:
            low = min(low, *(x for x, _ in wire.points))
            high = max(high, *(x for x, _ in wire.points))
            if wire.label_at:
                high = max(high, wire.label_at[0] + text_width(wire.edge.label, SMALL))
        padding = PADDING if header else 0.0
        top = HEADER if header else 0.0
        if header and (self.items[self.spine[0]] if self.spine else None) is not None:
            first = self.items[self.spine[0]]
            top += 0.0 if isinstance(first, Box) and first.form == "port" else 6.0
        width = high - low + 2 * padding
        if header:
            title = text_width(self.frame.title, TITLE, bold=True) + 2 * 12
            if self.frame.note:
                title += 16 + text_width(self.frame.note, DETAIL)
            if self.frame.copies > 1:
                title += badge_width(self.frame.copies, self.frame.parallel) / 2
            if title > width:
                low -= (title - width) / 2
                width = title
        dx, dy = padding - low, top
        for place in places:
            place.x += dx
            place.y += dy
            place.spine += dx
        for wire in wires:
            wire.points = [(x + dx, y + dy) for x, y in wire.points]
            if wire.label_at:
                wire.label_at = (wire.label_at[0] + dx, wire.label_at[1] + dy)
        last = self.items[self.spine[-1]] if self.spine else None
        below = 0.0 if isinstance(last, Box) and last.form == "port" else padding
        height = self.bottom + top + (below if header else 0.0)
        return Area(round(width, 1), round(height, 1), round(dx, 1), places, wires)
