"""A sheet as marks: rectangles, circles, polygons, lines and texts with absolute places, which any writer
can put down one after the other. Colours are names, light and dark ones are in the palette."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from archc.draw.layout import Area, Place, Point, Wire
from archc.draw.measure import DETAIL, SHEET, SHEETS, SMALL, TITLE, badge_text, badge_width, count_text
from archc.draw.metrics import text_width
from archc.draw.palette import spec_ink
from archc.draw.scene import Box, Frame, Style
from archc.draw.sheet import Entry, Sheet

Anchor = Literal["start", "middle", "end"]

FRAME_RADIUS, CARD_RADIUS, PILL_RADIUS = 9.0, 5.0, 12.0
CORNER = 6.0
"""How round the corners of a line are."""
FLAG = 8.0
"""How long the tip of a tag is."""
STROKE = 1.4
"""How wide a line is; borders are 1 px."""
HEAD = 9
"""How long an arrowhead is, and how wide without its margins."""
BADGE_HEIGHT = 17.0
ASCENT = 0.76
"""How far a text reaches above its baseline, in its size."""


@dataclass(frozen=True, slots=True)
class Rect:
    x: float
    y: float
    w: float
    h: float
    radius: float
    ink: str
    dotted: bool = False


@dataclass(frozen=True, slots=True)
class Circle:
    x: float
    y: float
    radius: float
    ink: str
    dotted: bool = False


@dataclass(frozen=True, slots=True)
class Polygon:
    points: tuple[Point, ...]
    ink: str
    dotted: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A way of horizontal and vertical stretches, with rounded corners, and an arrowhead at its end."""

    points: tuple[Point, ...]
    style: Style
    head: bool = True


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; `x` is its start, middle or end, `y` its baseline. `ink` is text, small or badge."""

    x: float
    y: float
    text: str
    size: float
    ink: str = "text"
    bold: bool = False
    anchor: Anchor = "start"

    @property
    def w(self) -> float:
        """The width that is kept free for it."""
        return text_width(self.text, self.size, self.bold)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """What it covers: left, top, width, height."""
        before = {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.w
        return self.x - before, self.y - ASCENT * self.size, self.w, self.size


@dataclass(frozen=True, slots=True)
class Group:
    """Marks that belong together. `hint` is shown on hover, `anchor` is the name that links go to, `link`
    is where these marks lead: `#name`, or an address outside."""

    marks: list[Mark] = field(default_factory=list)
    hint: str = ""
    anchor: str = ""
    link: str = ""


Mark = Rect | Circle | Polygon | Line | Text | Group


def marks(sheet: Sheet) -> list[Mark]:
    """All marks of a sheet, in the order of drawing."""
    return _Marker(sheet).marks()


def flat(drawn: Iterable[Mark]) -> Iterator[Mark]:
    """Marks and all that is in their groups."""
    for mark in drawn:
        yield mark
        if isinstance(mark, Group):
            yield from flat(mark.marks)


def bounds(drawn: Iterable[Mark]) -> tuple[float, float, float, float]:
    """What marks cover: left, top, right, bottom."""
    boxes = [_bounds(mark) for mark in flat(drawn) if not isinstance(mark, Group)]
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _bounds(mark: Mark) -> tuple[float, float, float, float]:
    match mark:
        case Rect():
            return mark.x, mark.y, mark.x + mark.w, mark.y + mark.h
        case Text():
            x, y, w, h = mark.box
            return x, y, x + w, y + h
        case Circle(x, y, radius):
            return x - radius, y - radius, x + radius, y + radius
        case Polygon(points) | Line(points):
            xs, ys = zip(*points, strict=True)
            return min(xs), min(ys), max(xs), max(ys)
    raise AssertionError(mark)


def badge_box(place: Place) -> tuple[float, float, float, float]:
    """Where the badge of a repeated thing lies, on the upper right corner: left, top, width, height."""
    item = place.item
    width = badge_width(item.copies, isinstance(item, Frame) and item.parallel)
    return place.x + place.w - width / 2 + 2, place.y - 7, width, BADGE_HEIGHT


class _Marker:
    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.insets = {panel.frame.id for panel in sheet.panels if not panel.main}
        # By inset: the name of the first place that uses it.
        self.uses: dict[str, str] = {}
        for panel in sheet.panels:
            for item in panel.frame.walk():
                if item.definition in self.insets:
                    self.uses.setdefault(item.definition, self._name(item, panel.main, panel.frame))

    def _name(self, item: Box | Frame, main: bool, panel: Frame) -> str:
        """The name of an item for links: its path, in an inset after the inset's."""
        return item.id if main else f"{panel.id}.{item.id}"

    def marks(self) -> list[Mark]:
        found: list[Mark] = [*heading(self.sheet)]
        for panel in self.sheet.panels:
            self.panel, self.main = panel.frame, panel.main
            if panel.main:
                found += self._area(panel.area, panel.x, panel.y, 0)
            else:
                found.append(self._frame(panel.place, 0.0, 0.0, 0))
        for entry in self.sheet.legend:
            found += [_legend_mark(entry), legend_word(entry)]
        return found

    def _area(self, area: Area, x: float, y: float, depth: int) -> Iterator[Mark]:
        for place in area.places:
            if isinstance(place.item, Frame):
                yield self._frame(place, x, y, depth)
            elif place.item.form != "port":
                yield self._box(place, x, y)
        ports = {p.item.id for p in area.places if isinstance(p.item, Box) and p.item.form == "port"}
        for wire in area.wires:
            # An arrow ends at the border of its block without a head: it goes on outside.
            yield from _wire(wire, x, y, head=wire.edge.target not in ports)

    def _group(self, item: Box | Frame, marks: list[Mark], link: str = "") -> Group:
        is_panel = item is self.panel
        name = item.id if is_panel else self._name(item, self.main, self.panel)
        named = self.main or is_panel or name in self.uses.values()
        where = "" if item.span is None else f" · {item.span.source.name}:{item.span.line}"
        hint = (self.panel.title if is_panel else item.id) + where
        return Group(marks, hint, name if named else "", link)

    def _link(self, item: Box | Frame) -> str:
        """Where an item leads: to its inset, else outside."""
        inside = f"#{item.definition}" if item.definition in self.insets else ""
        return inside or item.link or ""

    # Frames

    def _frame(self, place: Place, x: float, y: float, depth: int) -> Group:
        frame, area = place.item, place.inside
        assert isinstance(frame, Frame) and area is not None
        place = replace(place, x=x + place.x, y=y + place.y)
        found = [*_sheets(place, _frame_ink(depth), FRAME_RADIUS)]
        found.append(Rect(place.x, place.y, place.w, place.h, FRAME_RADIUS, _frame_ink(depth), frame.dotted))
        title, *others = frame_words(place)
        back = f"#{self.uses[frame.id]}" if frame is self.panel and frame.id in self.uses else ""
        link = back or self._link(frame)
        found.append(Group([title], link=link) if link else title)
        if frame.copies > 1:
            found.append(_badge(place))
        found += others
        found += self._area(area, place.x, place.y, depth + 1)
        return self._group(frame, found)

    # Boxes

    def _box(self, place: Place, x: float, y: float) -> Group:
        box = place.item
        assert isinstance(box, Box)
        place = replace(place, x=x + place.x, y=y + place.y)
        return self._group(box, [*_shape(place, box), *box_words(place)], self._link(box))


def _frame_ink(depth: int) -> str:
    """Frames in frames take turns between two greys."""
    return "deep" if depth % 2 else "frame"


def _shape(place: Place, box: Box) -> Iterator[Mark]:
    x, y, w, h = place.x, place.y, place.w, place.h
    ink = spec_ink(box.color) or box.kind
    match box.form:
        case "circle":
            yield Circle(x + w / 2, y + h / 2, w / 2, "circle", box.dotted)
        case "dots":
            along = (0.0, h / 4) if h >= w else (w / 4, 0.0)
            for step in (-1, 0, 1):
                yield Circle(x + w / 2 + step * along[0], y + h / 2 + step * along[1], 1.8, "dots")
        case "tag":
            points = ((x, y), (x + w - FLAG, y), (x + w, y + h / 2), (x + w - FLAG, y + h), (x, y + h))
            yield Polygon(points, ink, box.dotted)
        case _:
            radius = min(PILL_RADIUS, h / 2) if box.form == "pill" else CARD_RADIUS
            yield from _sheets(place, ink, radius)
            yield Rect(x, y, w, h, radius, ink, box.dotted)
            if box.copies > 1:
                yield _badge(place)


def frame_words(place: Place) -> list[Text]:
    """The texts of a frame's header: its title first."""
    frame, (x, y, w) = place.item, (place.x, place.y, place.w)
    assert isinstance(frame, Frame)
    found = [Text(x + 12, y + 19, frame.title, TITLE, bold=True)]
    end = x + w - 12
    if frame.copies > 1:
        left, _, _, _ = badge_box(place)
        end = min(end, left - 4)
        found.append(_badge_text(place))
    if frame.note:
        found.append(Text(end, y + 18.5, frame.note, DETAIL, "small", anchor="end"))
    return found


def box_words(place: Place) -> list[Text]:
    """The texts in a box, and on its badge."""
    box, middle, y = place.item, place.x + place.w / 2, place.y
    assert isinstance(box, Box)
    found: list[Text] = []
    match box.form:
        case "port" | "dots":
            return []
        case "circle":
            return [Text(middle, y + place.h / 2 + 5, box.title, 15, anchor="middle")]
        case "strip":
            parts = [(box.title, DETAIL, True), (box.detail, SMALL, False)]
            found += _beside(middle, y + place.h / 2 + 3.5, parts, 6)
        case _:
            count = count_text(box)
            base = y + (16.5 if box.detail else place.h / 2 + 4.5)
            found += _beside(middle, base, [(box.title, TITLE, True), (count, SMALL, False)], 10)
            if box.detail:
                found.append(Text(middle, y + 30.5, box.detail, DETAIL, "small", anchor="middle"))
    if box.copies > 1:
        found.append(_badge_text(place))
    return found


def _beside(middle: float, base: float, parts: list[tuple[str, float, bool]], gap: float) -> list[Text]:
    """Texts beside each other, centred; bold ones are names, the others small. Empty ones are left out."""
    shown = [part for part in parts if part[0]]
    if len(shown) == 1:
        text, size, bold = shown[0]
        return [Text(middle, base, text, size, "text" if bold else "small", bold, "middle")]
    widths = [text_width(*part) for part in shown]
    x = middle - (sum(widths) + gap * (len(shown) - 1)) / 2
    found = []
    for (text, size, bold), width in zip(shown, widths, strict=True):
        found.append(Text(x, base - (0 if bold else 0.5), text, size, "text" if bold else "small", bold))
        x += width + gap
    return found


def _sheets(place: Place, ink: str, radius: float) -> Iterator[Mark]:
    """The sheets behind a repeated thing, the hindmost first."""
    for sheet in range(min(SHEETS, place.item.copies - 1), 0, -1):
        shift = sheet * SHEET
        yield Rect(place.x + shift, place.y + shift, place.w, place.h, radius, ink)


def _badge(place: Place) -> Rect:
    x, y, w, h = badge_box(place)
    return Rect(x, y, w, h, h / 2, "badge")


def _badge_text(place: Place) -> Text:
    item = place.item
    x, y, w, _ = badge_box(place)
    text = badge_text(item.copies, isinstance(item, Frame) and item.parallel)
    return Text(x + w / 2, y + 12.2, text, DETAIL, "on_badge", True, "middle")


# Edges and the legend


def _wire(wire: Wire, x: float, y: float, head: bool) -> Iterator[Mark]:
    yield Line(tuple((x + px, y + py) for px, py in wire.points), wire.edge.style, head)
    yield from wire_words(wire, x, y)


def wire_words(wire: Wire, x: float, y: float) -> list[Text]:
    """The label of an edge, if it has one; its area begins at `x`, `y`."""
    if not wire.label_at:
        return []
    return [Text(x + wire.label_at[0], y + wire.label_at[1], wire.edge.label, SMALL, "small")]


def heading(sheet: Sheet) -> list[Text]:
    """The lines of the heading."""
    return [
        Text(line.x, line.y, line.text, line.size, "text" if line.bold else "small", line.bold)
        for line in sheet.heading
    ]


def _legend_mark(entry: Entry) -> Mark:
    if entry.what == "kind":
        return Rect(entry.x, entry.y - 9, 14, 11, 3, entry.name)
    middle = entry.y - 3.5
    return Line(((entry.x, middle), (entry.x + 30, middle)), entry.name)  # type: ignore[arg-type]


def legend_word(entry: Entry) -> Text:
    return Text(entry.x + entry.mark, entry.y, entry.text, SMALL, "small")


# The geometry that writers share


def corners(points: tuple[Point, ...]) -> list[tuple[Point, Point, Point]]:
    """The corners of a line: where its rounding begins, the corner itself, where it ends."""
    points = _distinct(points)
    found = []
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(CORNER, _distance(before, here) / 2, _distance(here, after) / 2)
        found.append((_towards(here, before, radius), here, _towards(here, after, radius)))
    return found


def _distinct(points: tuple[Point, ...]) -> tuple[Point, ...]:
    return tuple(p for i, p in enumerate(points) if i == 0 or _distance(p, points[i - 1]) > 0.05)


def _distance(a: Point, b: Point) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _towards(a: Point, b: Point, length: float) -> Point:
    whole = _distance(a, b) or 1.0
    return a[0] + (b[0] - a[0]) * length / whole, a[1] + (b[1] - a[1]) * length / whole
