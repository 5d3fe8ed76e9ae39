"""Places for everything in a scene. A block is laid out by itself and stands in its parent as one
item: cost grows with the number of items, and an edge never leaves its own block.

Items stand in rows. The main path is a straight spine; every other way gets a column of its own
beside what it passes, so that no edge runs through a foreign item. Between two rows lies a channel,
in which edges change columns, each in a track of its own. In what order: `plan` settles rows and ways,
`units` sizes, `columns` places across, `arrivals` where ways come in, `channels` places along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archc.draw.layout.arrivals import Arrivals, arrivals
from archc.draw.layout.channels import BORDER, Rows, into_key, out_key, rows
from archc.draw.layout.columns import ABOVE, BESIDE, Columns
from archc.draw.layout.measure import HEADER, PADDING, SMALL, badge_width, header_width
from archc.draw.layout.metrics import text_width
from archc.draw.layout.plan import Plan, plan
from archc.draw.layout.units import UPRIGHT, Tag, Unit, put_tags, unit
from archc.draw.scene.items import Box, Direction, Edge, Frame, Item

Point = tuple[float, float]

EMPTY = (120.0, HEADER + PADDING)
"""The size of a frame with nothing in it."""


@dataclass(slots=True)
class Wire:
    """An edge with its way; `label_at` is where its label starts, on the baseline's left."""

    edge: Edge
    points: list[Point]
    label_at: Point | None = None


@dataclass(slots=True)
class Place:
    """An item with its place: its top left corner, its size, and its spine, where its main edges come
    in and go out: an x where the main path runs up or down, else a y. `w` and `h` leave out the sheets
    behind a repeated thing; they may be larger than its texts need."""

    item: Item
    x: float
    y: float
    w: float
    h: float
    spine: float
    inside: Area | None = None


@dataclass(slots=True)
class Area:
    """What is laid out in a frame, from its own top left corner. `columns` has the start and the end,
    across, of each column that a long chart is cut into."""

    w: float
    h: float
    spine: float
    places: list[Place] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    columns: list[tuple[float, float]] = field(default_factory=list)


def lay_out(
    frame: Frame,
    header: bool = True,
    direction: Direction = "TB",
    ports: Mapping[str, int] | None = None,
) -> Area:
    """Lay out a frame and all inside it. Without `header` it has neither border nor title. `ports` says
    where its ports are to stand (see `Plan.port_sides`)."""
    return _lay_out(frame, header, direction, frame.entry, frame.exit, ports or {})


def _lay_out(
    frame: Frame,
    header: bool,
    direction: Direction,
    entry: str | None,
    exit: str | None,
    ports: Mapping[str, int],
) -> Area:
    if not frame.items:
        w = max(EMPTY[0], header_width(frame))
        return Area(round(w, 1), EMPTY[1], round((w if direction in UPRIGHT else EMPTY[1]) / 2, 1))
    made = plan(frame, entry, exit, ports, direction in UPRIGHT)
    units: dict[int, Unit] = {}

    def out(e: int) -> float:
        """Where a way comes out of a frame that stands before."""
        return units[made.edges[e].source].ports.get(made.edges[e].edge.source_port, 0.0)

    for i in made.rank:
        item, inside = made.items[i], None
        if isinstance(item, Frame):
            inside = _lay_out(item, True, direction, *made.through(i), made.port_sides(i, out))
        tags = made.tags.get(i, {})
        units[i] = unit(item, inside, max(0, len(made.coming[i]) - 1), 2 - len(tags), direction)
        for side, edges in tags.items():
            units[i].tags[side] = [
                Tag(box, e, direction, made.edges[e].edge.target_port)
                for e in edges
                if isinstance(box := made.items[made.edges[e].source], Box)
            ]
        put_tags(units[i], direction)
    columns = Columns(made, units, direction)
    found = arrivals(columns)
    return _Drawing(made, columns, found, rows(columns, found), header).area()


class _Drawing:
    """Puts together what was found of a frame, and turns it to its direction."""

    def __init__(self, made: Plan, columns: Columns, found: Arrivals, rows: Rows, header: bool) -> None:
        self.plan = made
        self.frame = made.frame
        self.columns = columns
        self.units = columns.units
        self.direction: Direction = columns.direction
        self.upright = columns.direction in UPRIGHT
        self.found = found
        self.rows = rows
        self.header = header
        self.places: list[Place] = []
        self.wires: list[Wire] = []
        self.on_border: list[Wire] = []
        self.xs: list[float] = []  # of all that has to be inside
        self.ys: list[float] = []

    def area(self) -> Area:
        self._stretch()
        middles, x = self.rows.middles, self.columns.x
        self.start = {i: middles[self.plan.layer[i]] - self.units[i].length / 2 for i in self.plan.placed}
        for i in self.plan.placed:
            unit, start = self.units[i], self.start[i]
            if i in self.plan.borders:
                self._border_port(i)
                continue
            self._stand(unit.item, start, x[i], unit.length, unit.low, unit.high, unit.inside)
            self._cover(start - unit.before, x[i] - unit.left)
            self._cover(start + unit.length + unit.after, x[i] + unit.right)
            for side, tags in unit.tags.items():
                for tag in tags:
                    self._tag(i, side, tag)
            for e in self.plan.leaving[i]:
                self._wire(e)
        return self._close()

    def _border_port(self, i: int) -> None:
        """A port at a side; where the border is comes out in the end."""
        side, channel = self.plan.borders[i], self.rows.channels[self.plan.layer[i]]
        level = channel.out_at((i, 0.0))
        self._cover(self.rows.middles[self.plan.layer[i]], self.columns.x[i])
        self._cover(level, self.columns.x[i])
        for e in self.plan.leaving[i]:
            self._wire(e, [(level, self.columns.column[e])])
            wire = self.wires[-1]
            wire.points.insert(0, self._turn(level, side * BORDER))
            self.on_border.append(wire)
        self._stand(self.plan.items[i], level, side * BORDER, 0.0, 0.0, 0.0, None)

    def _stretch(self) -> None:
        """Where the title is longer than a chart that runs across, its last ports move on to the border."""
        if self.upright or not self.header or not self.plan.ports_last:
            return
        missing = header_width(self.frame) - self.rows.end - (0 if self.plan.ports_first else PADDING)
        if missing > 0:
            self.rows.middles[-1] += missing

    # Turning

    def _turn(self, along: float, across: float) -> Point:
        match self.direction:
            case "TB":
                return across, along
            case "BT":
                return across, -along
            case "LR":
                return along, across
            case "RL":
                return -along, across

    def _cover(self, along: float, across: float) -> None:
        """Note that something is there."""
        x, y = self._turn(along, across)
        self.xs.append(x)
        self.ys.append(y)

    def _stand(
        self, item: Item, start: float, x: float, length: float, low: float, high: float, inside: Area | None
    ) -> None:
        one, other = self._turn(start, x - low), self._turn(start + length, x + high)
        left, top = min(one[0], other[0]), min(one[1], other[1])
        w, h = (low + high, length) if self.upright else (length, low + high)
        self.places.append(Place(item, left, top, w, h, x, inside))

    # Edges

    def _wire(self, e: int, points: list[Point] | None = None) -> None:
        """The way of an edge; `points` are its first ones where it does not leave an item as usual."""
        a, b, edge = self.plan.edges[e]
        layer, x, channels = self.plan.layer, self.columns.x, self.rows.channels
        source, target = self.units[a], self.units[b]
        column, at = self.columns.column[e], x[a] + self.found.outs[e]
        channel = channels[layer[a]]
        if points is None:
            points = [(self.start[a] + source.length + source.last_out, at)]
            if abs(column - at) > 0.04:
                level = channel.out_at(out_key(self.columns, self.found, e))
                points += [(level, at), (level, column)]
        if e in self.found.sides:
            side, place = self.found.sides[e]
            level = self.start[b] + place
            border = x[b] - target.low if side < 0 else x[b] + target.high + target.far
            points += [(level, column), (level, border)]
        else:
            port = x[b] + self.found.ins[e]
            if abs(column - port) > 0.04:
                level = channels[layer[b] - 1].into_at(into_key(self.columns, self.found, e))
                points += [(level, column), (level, port)]
            points.append((self.start[b] - target.first_in, port))
        self._draw(edge, points)
        if edge.label:
            self._label(channel.label_at, channel.label, column, self.columns.label_side(e))

    def _tag(self, i: int, side: int, tag: Tag) -> None:
        """A name tag beside an item, and its arrow."""
        unit, x, start = self.units[i], self.columns.x[i], self.start[i]
        length, wide = tag.extent
        middle = x + side * (tag.across + wide / 2)
        at, port = start + tag.at + length / 2, start + tag.port
        self._stand(tag.box, start + tag.at, middle, length, wide / 2, wide / 2, None)
        points = [(at, x + side * tag.across)]
        if abs(at - port) > 0.04:
            points += [(at, x + side * tag.bend), (port, x + side * tag.bend)]
        points.append((port, x + unit.high + unit.far if side > 0 else x - unit.low))
        self._draw(self.plan.edges[tag.edge].edge, points)

    def _draw(self, edge: Edge, points: list[Point]) -> None:
        turned = [self._turn(along, across) for along, across in points]
        self.xs += [x for x, _ in turned]
        self.ys += [y for _, y in turned]
        self.wires.append(Wire(edge, turned))

    def _label(self, start: float, room: float, column: float, side: int) -> None:
        wire = self.wires[-1]
        width = text_width(wire.edge.label, SMALL)
        x, y = self._turn(start + room / 2, column)
        if self.upright:
            left, base = (x + BESIDE if side > 0 else x - BESIDE - width), y + SMALL * 0.36
        else:
            left, base = x - width / 2, (y + ABOVE + SMALL * 0.8 if side > 0 else y - ABOVE)
        wire.label_at = left, base
        self.xs += (left, left + width)
        self.ys += (base - SMALL * 0.8, base + SMALL * 0.25)

    # The frame around

    def _close(self) -> Area:
        """Move everything into a frame with a header, as wide as what is in it and its title."""
        left, top, right, bottom = self._padding()
        low, high, up, down = min(self.xs), max(self.xs), min(self.ys), max(self.ys)
        width = high - low + left + right
        if self.header:
            width += self._beside_badge(high + right, up)
            missing = header_width(self.frame) - width
            if missing > 0:
                width += missing
                if self.upright:
                    low -= missing / 2
                elif self.direction == "RL" and not self.plan.ports_last:
                    low -= missing
        dx, dy = left - low, top - up
        height = down - up + top + bottom
        self._reach_border(width - dx, height - dy, -dx, -dy)
        for place in self.places:
            place.x, place.y = round(place.x + dx, 1), round(place.y + dy, 1)
            place.w, place.h = round(place.w, 1), round(place.h, 1)
            place.spine = round(place.spine + (dx if self.upright else dy), 1)
        for wire in self.wires:
            wire.points = [(round(x + dx, 1), round(y + dy, 1)) for x, y in wire.points]
            if wire.label_at:
                wire.label_at = round(wire.label_at[0] + dx, 1), round(wire.label_at[1] + dy, 1)
        spine = dx if self.upright else dy
        return Area(round(width, 1), round(height, 1), round(spine, 1), self.places, self.wires)

    def _reach_border(self, right: float, bottom: float, left: float, top: float) -> None:
        """Move what stands on a side's border there."""
        axis = 0 if self.upright else 1
        ends = {-1: (left, top)[axis], 1: (right, bottom)[axis]}
        for wire in self.on_border:
            point = list(wire.points[0])
            point[axis] = ends[1 if point[axis] > 0 else -1]
            wire.points[0] = point[0], point[1]
        for place in self.places:
            if abs(place.spine) == BORDER:
                place.spine = ends[1 if place.spine > 0 else -1]
                if self.upright:
                    place.x = place.spine
                else:
                    place.y = place.spine

    def _padding(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom; ports stand on the border itself."""
        if not self.header:
            return 0.0, 0.0, 0.0, 0.0
        around = dict.fromkeys(("left", "right", "bottom"), PADDING) | {"top": 6.0}
        starts = {"TB": ("top", "bottom"), "BT": ("bottom", "top"), "LR": ("left", "right")}
        start, end = starts.get(self.direction, ("right", "left"))
        around |= {start: 0.0} if self.plan.ports_first else {}
        around |= {end: 0.0} if self.plan.ports_last else {}
        return around["left"], HEADER + around["top"], around["right"], around["bottom"]

    def _beside_badge(self, right: float, top: float) -> float:
        """What is missing at the right of a repeated frame, that its ways pass beside its badge."""
        if self.frame.copies < 2 or not self.upright:
            return 0.0
        ports = [place.x for place in self.places if not place.w and place.y == top]
        free = badge_width(self.frame.copies, self.frame.parallel) / 2 + 4
        return max([0.0, *(x + free - right for x in ports)])
