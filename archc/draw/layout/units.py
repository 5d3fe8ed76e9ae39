"""An item of a frame as the layout sees it: how far it reaches along the main path and across it.

Everything is laid out in two coordinates, *along* the main path and *across* it, and turned at the
end. So one way of laying out serves all four directions: along is down, up, to the right or to the left;
across is to the right, or down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archc.draw.layout.measure import (
    HEADER,
    SMALL,
    badge_box,
    box_size,
    condition_at,
    condition_text,
    sheets,
)
from archc.draw.layout.metrics import text_width
from archc.draw.scene.items import Box, Direction, Frame, Item

if TYPE_CHECKING:
    from archc.draw.layout.layout import Area

Range = tuple[float, float]
Sides = tuple[float, float, float, float]

UPRIGHT: tuple[Direction, Direction] = ("TB", "BT")
PORT_GAP = 12.0
"""Between two ways that come into one side."""
CLOSEST = 8.0
MOST_PORTS = 24
"""As many further ways as come into one side each by itself; others join the last one."""
ARROW, STACK = 18.0, 6.0
"""The way from a name tag to its item, and the room between two tags."""


@dataclass(slots=True)
class Tag:
    """A name tag beside its item, or beside the port `port_id` of a frame.

    `at` is its start along, from the item's, `across` its near border, away from the item's spine; `port`
    is where its arrow comes in, from the item's start, `bend` where it bends, away from the spine."""

    box: Box
    edge: int
    direction: Direction
    port_id: str = ""
    at: float = 0.0
    across: float = 0.0
    port: float = 0.0
    bend: float = 0.0

    @property
    def extent(self) -> tuple[float, float]:
        """Its size along and across."""
        w, h = box_size(self.box, self.direction)
        return (h, w) if self.direction in UPRIGHT else (w, h)


@dataclass(slots=True)
class Unit:
    """An item: its `length` along, how far it reaches across to either side of its spine, `low` and
    `high`, and the same with what looks out of it, sheets, badge and tags: `before` and `after` along,
    `left` and `right` across.

    `first_in` and `last_out` are what its sheets add where ways come in and go out, `far` at its high
    side. Ways come in within `ins` and go out within `outs`, across from its spine, and at the sides
    within `sides`, along from its start. `ports` are those of a frame, across from its spine."""

    item: Item
    inside: Area | None
    length: float
    low: float
    high: float
    before: float = 0.0
    after: float = 0.0
    left: float = 0.0
    right: float = 0.0
    first_in: float = 0.0
    last_out: float = 0.0
    far: float = 0.0
    ins: Range = (0.0, 0.0)
    outs: Range = (0.0, 0.0)
    sides: dict[int, Range] = field(default_factory=dict)
    ports: dict[str, float] = field(default_factory=dict)
    tags: dict[int, list[Tag]] = field(default_factory=dict)

    @property
    def form(self) -> str:
        return self.item.form if isinstance(self.item, Box) else "frame"

    def move_port(self, id: str, by: float, upright: bool) -> None:
        """Move a port of a frame a little across, with what leads on straight from it."""
        assert self.inside is not None
        axis = 0 if upright else 1
        for place in self.inside.places:
            if place.item.id == id:
                old = (place.x, place.y)[axis]
                place.x, place.y = (place.x + by, place.y) if upright else (place.x, place.y + by)
                place.spine += by
        for wire in self.inside.wires:
            if wire.edge.source == id:
                for number, point in enumerate(wire.points):
                    if point[axis] != old:
                        break
                    moved = list(point)
                    moved[axis] = round(moved[axis] + by, 1)
                    wire.points[number] = moved[0], moved[1]
        self.ports[id] = round(self.ports[id] + by, 1)

    def room(self, side: int) -> int:
        """How many ways can come in at a side."""
        if self.form in ("circle", "strip"):
            return 1
        low, high = self.sides[side]
        return max(0, int((high - low) // CLOSEST) + 1)

    def towards(self, side: int) -> float:
        """How far it reaches to a side."""
        return self.right if side > 0 else self.left


def turned(box: tuple[float, float, float, float], w: float, h: float, direction: Direction) -> Sides:
    """A rectangle (left, top, width, height) in an item of a size, as its start and end along, and its
    start and end across."""
    x, y, bw, bh = box
    match direction:
        case "TB":
            return y, y + bh, x, x + bw
        case "BT":
            return h - y - bh, h - y, x, x + bw
        case "LR":
            return x, x + bw, y, y + bh
        case "RL":
            return w - x - bw, w - x, y, y + bh


def unit(item: Item, inside: Area | None, ways: int, sides: int, direction: Direction) -> Unit:
    """An item with up to `ways` ways that come in beside its main one, `sides` of its sides being free."""
    upright = direction in UPRIGHT
    if inside is not None:
        w, h, spine = inside.w, inside.h, inside.spine
    else:
        assert isinstance(item, Box)
        w, h = box_size(item, direction)
        need = 2 * (_margin(item) + CLOSEST * min(ways, MOST_PORTS))
        if item.form == "circle":  # which two more ways come into at its sides
            need = w + 2 * CLOSEST * max(0, min(ways, MOST_PORTS) - sides)
        if ways and item.form not in ("port", "dots"):
            w, h = (max(w, need), h) if upright else (w, max(h, need))
        spine = (w if upright else h) / 2
    length, width = (h, w) if upright else (w, h)
    found = Unit(item, inside, length, spine, width - spine, left=spine, right=width - spine)
    margin = _margin(item)
    found.ins = found.outs = _within(margin - spine, width - spine - margin)
    found.sides = {-1: _within(6, length - 6), 1: _within(6, length - 6)}
    if isinstance(item, Frame):
        _open(found, upright, w, h, direction)
    if item.copies > 1:
        _repeated(found, w, h, direction)
    if isinstance(item, Box) and item.form == "circle" and condition_text(item):
        x, y = condition_at(0, 0, w)
        text = (x, y - SMALL * 0.8, text_width(condition_text(item), SMALL), SMALL * 1.1)
        part = turned(text, w, h, direction)
        _look_out(found, part)
        if part[0] < 0:
            found.ins = _beside(found.ins, part[2] - spine - 1, part[3] - spine + 1)
    return found


def _margin(item: Item) -> float:
    """How far from an item's corners ways come in."""
    if isinstance(item, Frame):
        return 12.0
    return {"pill": 12.0, "circle": 6.0}.get(item.form, 8.0)


def _within(low: float, high: float) -> Range:
    return (low, high) if low < high else ((low + high) / 2, (low + high) / 2)


def _open(found: Unit, upright: bool, w: float, h: float, direction: Direction) -> None:
    """The ports of a frame, and where ways come in at its sides: below its header."""
    assert found.inside is not None
    for place in found.inside.places:
        if isinstance(place.item, Box) and place.item.form == "port":
            found.ports[place.item.id] = round((place.x if upright else place.y) - found.low, 1)
    if upright:
        start, end, _, _ = turned((0, HEADER, w, h - HEADER), w, h, direction)
        found.sides = dict.fromkeys((-1, 1), _within(start + 8, end - 8))
    else:
        found.ins = found.outs = _within(HEADER + 4 - found.low, found.high - 12)


def _repeated(found: Unit, w: float, h: float, direction: Direction) -> None:
    """Sheets look out at the right and below, the badge at the top right corner."""
    room = sheets(found.item.copies)
    found.far = room
    found.right += room
    if direction in ("TB", "LR"):
        found.last_out = found.after = room
    else:
        found.first_in = found.before = room
    start, end, low, high = turned(badge_box(0, 0, w, found.item), w, h, direction)
    _look_out(found, (start, end, low, high))
    low, high = low - found.low, high - found.low
    if start < 0:
        found.ins = _beside(found.ins, low - 5, high + 4)
    if end > found.length:
        found.outs = _beside(found.outs, low - 5, high + 4)
    for side, out in ((-1, low < -found.low), (1, high > found.high)):
        if out:
            found.sides[side] = _beside(found.sides[side], start - 5, end + 4)


def _beside(room: Range, low: float, high: float) -> Range:
    """A range without what lies between `low` and `high`, at one end of it."""
    if low + high > room[0] + room[1]:
        return _within(room[0], min(room[1], low))
    return _within(max(room[0], high), room[1])


def _look_out(found: Unit, part: Sides) -> None:
    start, end, low, high = part
    found.before, found.after = max(found.before, -start), max(found.after, end - found.length)
    found.left = max(found.left, found.low - low)
    found.right = max(found.right, high - found.low)


def spread(count: int, room: Range, step: float, middle: float) -> list[float]:
    """`count` places within a range, a step apart where there is room for it, about a middle."""
    low, high = room
    if count > 1:
        step = min(step, (high - low) / (count - 1))
    first = middle - step * (count - 1) / 2
    first = max(low, min(first, high - step * (count - 1)))
    return [first + step * number for number in range(count)]


def put_tags(found: Unit, direction: Direction) -> None:
    """Stand the tags beside their item, each side's in a stack, and note how far they reach."""
    for side, tags in found.tags.items():
        border = _at_border(found, tags, direction) if found.form == "frame" else []
        lengths, widths = [tag.extent[0] for tag in tags], [tag.extent[1] for tag in tags]
        whole = sum(lengths) + STACK * (len(tags) - 1)
        low, high = found.sides[side]
        middle = found.length / 2
        ports = border or spread(len(tags), found.sides[side], whole / len(tags), middle)
        if border or len(tags) == 1:
            middle = (ports[0] + ports[-1]) / 2
        at = middle - whole / 2
        bends = len(tags) - 1
        edge = (found.high + found.far) if side > 0 else found.low
        near = max(edge + ARROW + STACK * bends, found.towards(side) + STACK)
        for number, tag in enumerate(tags):
            tag.at, tag.port = at, ports[number]
            at += lengths[number] + STACK
            tag.across = near
            order = abs(2 * number - bends)  # the outermost bend next to the item
            tag.bend = edge + ARROW - STACK + 3 * (bends - order)
        found.before = max(found.before, -tags[0].at)
        found.after = max(found.after, at - STACK - found.length)
        reach = near + max(widths)
        if side > 0:
            found.right = max(found.right, reach)
        else:
            found.left = max(found.left, reach)


def _at_border(found: Unit, tags: list[Tag], direction: Direction) -> list[float]:
    """Where a frame's ports on its border are along; its tags are put into their order."""
    assert found.inside is not None
    size = found.inside.w, found.inside.h
    places = {place.item.id: place for place in found.inside.places}
    along = {}
    for tag in tags:
        place = places[tag.port_id]
        along[tag.port_id] = turned((place.x, place.y, 0, 0), *size, direction)[0]
    tags.sort(key=lambda tag: along[tag.port_id])
    return [along[tag.port_id] for tag in tags]
