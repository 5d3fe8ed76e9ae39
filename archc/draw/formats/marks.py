"""What a page is drawn with: rectangles, circles, polygons, lines and texts with absolute places, which any
writer can put down one after the other. Colours are names; light and dark ones are in the palette."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from archc.draw.layout.layout import Point
from archc.draw.layout.metrics import text_width
from archc.draw.scene.items import Style

Anchor = Literal["start", "middle", "end"]

CORNER = 6.0
"""How round the corners of a line are."""
STROKE = 1.4
"""How wide a line is; borders are 1 px."""
HEAD = 9
"""How long an arrowhead is, and how wide without its margins."""
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


@dataclass(frozen=True, slots=True)
class Drawing:
    """Marks on a page of a size in px, with its title and what is told of it: what a writer writes down."""

    title: str
    facts: list[str]
    marks: list[Mark]
    width: int
    height: int


Mark = Rect | Circle | Polygon | Line | Text | Group


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


def corners(points: tuple[Point, ...]) -> list[tuple[Point, Point, Point]]:
    """The corners of a line: where its rounding begins, the corner itself, where it ends."""
    if len(points) < 3:
        return []
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
