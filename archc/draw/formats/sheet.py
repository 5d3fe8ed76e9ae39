"""A scene on one page: the main chart, its insets in columns, a heading and a legend, all with places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from archc.draw.formats.palette import legend, spec_ink
from archc.draw.layout.layout import Area, Place, Point, lay_out
from archc.draw.layout.measure import SMALL
from archc.draw.layout.metrics import text_width
from archc.draw.layout.paging import Wrapping, wrappings
from archc.draw.scene.items import Direction, Edge, Frame, Scene

MARGIN, BETWEEN = 20.0, 28.0
HEADING, FACTS = 18.0, 11.0
"""Font sizes: the title, and the lines below it."""
LINE = 15.0
LEGEND_GAP, LEGEND_LINE = 30.0, 18.0
MARKS = {"kind": 20.0, "style": 36.0}
"""How wide the marks of the legend are, and the space behind them."""
NARROWEST = 360.0
"""As wide as a heading or a legend may be, however narrow the chart."""
BELOW, MOST_BELOW = 1.25, 5
"""How much nearer insets must come that all stand below the main chart and not beside it, and in less than
how many columns."""
TURNED, SLIM = 1.05, 0.93
"""How much worse a page is that is turned on its side, and how much slimmer than a page is too slim."""
CUT = 0.02
"""How much nearer each way of cutting a long main chart into more columns must come."""


@dataclass(frozen=True, slots=True)
class Page:
    """The size that a sheet keeps to, or whose proportions it comes near; `turns`: it may be turned."""

    width: float = 1200.0
    height: float = 1600.0
    turns: bool = True

    def excess(self, width: float, height: float) -> float:
        """How much too large something is, and how much too slim; 1 where it fits."""
        least = max(1.0, width / self.width, height / self.height)
        if self.turns:
            least = min(least, TURNED * max(1.0, width / self.height, height / self.width))
        slim = SLIM * min(self.width / self.height, self.height / self.width)
        return least + (max(0.0, slim - width / height, slim - height / width) if least > 1 else 0.0)


PAGE = Page()


@dataclass(frozen=True, slots=True)
class Panel:
    """A frame and its layout, with the absolute place of its top left corner."""

    frame: Frame
    area: Area
    x: float
    y: float
    main: bool
    direction: Direction = "TB"

    @property
    def place(self) -> Place:
        """The panel as a placed frame."""
        area = self.area
        return Place(self.frame, self.x, self.y, area.w, area.h, area.spine, area)

    @property
    def upright(self) -> bool:
        """Does its main path run up or down?"""
        return self.direction in ("TB", "BT")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the heading; `y` is its baseline."""

    text: str
    x: float
    y: float
    size: float
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the legend: a kind of boxes or a style of edges, and its name; `y` is its baseline,
    `mark` the width of its mark and the space behind it."""

    what: Literal["kind", "style"]
    name: str
    x: float
    y: float
    mark: float

    @property
    def w(self) -> float:
        return self.mark + text_width(self.name, SMALL)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole page. Everything is in px, from its top left corner."""

    title: str
    facts: list[str]
    heading: list[Line]
    panels: list[Panel]
    legend: list[Entry]
    width: int
    height: int


def sheet(scene: Scene, page: Page = PAGE) -> Sheet:
    """Lay out a scene and put it on a page, which grows where the scene is larger."""
    main, *insets = (
        lay_out(frame, header=frame is not scene.main, direction=scene.directions.get(frame.id, "TB"))
        for frame in scene.panels
    )
    chosen, spots, width, height = _arrange(_wrapped(main, scene, page), insets, page)
    main = chosen.area() if isinstance(chosen, Wrapping) else chosen
    room = max(width, NARROWEST, text_width(scene.title, HEADING, bold=True))
    heading = [Line(scene.title, MARGIN, MARGIN + HEADING - 3, HEADING, bold=True)]
    for line in _wrap(scene.facts, room):
        heading.append(Line(line, MARGIN, MARGIN + HEADING + 16 + (len(heading) - 1) * LINE, FACTS))
    top = MARGIN + HEADING + 6 + LINE * (len(heading) - 1) + 18
    panels = [
        Panel(frame, area, MARGIN + x, top + y, frame is scene.main, scene.directions.get(frame.id, "TB"))
        for frame, area, (x, y) in zip(scene.panels, [main, *insets], spots, strict=True)
    ]
    legend = _legend(scene, top + height + LEGEND_GAP, room)
    ends = [width, *(text_width(line.text, line.size, line.bold) for line in heading)]
    ends += [entry.x - MARGIN + entry.w for entry in legend]
    bottom = legend[-1].y if legend else top + height
    return Sheet(
        scene.title,
        scene.facts,
        heading,
        panels,
        legend,
        round(max(ends) + 2 * MARGIN + 0.5),
        round(bottom + MARGIN + 0.5),
    )


def _wrapped(main: Area, scene: Scene, page: Page) -> list[Area | Wrapping]:
    """The main chart, and where it is too long for a page, also cut into columns."""
    direction = scene.directions.get(scene.main.id, "TB")
    (length, width), (most, across) = (main.h, main.w), (page.height, page.width)
    if direction not in ("TB", "BT"):
        (length, width), (most, across) = (main.w, main.h), (page.width, page.height)
    if length <= most:
        return [main]
    near = (length / width / most * across) ** 0.5  # as many columns make a page
    counts = sorted({max(2, int(near)), max(2, int(near) + 1)})
    return [main, *wrappings(main, counts, direction)]


def _arrange(
    mains: list[Area | Wrapping], insets: list[Area], page: Page
) -> tuple[Area | Wrapping, list[Point], float, float]:
    """Which main chart is taken, where the panels stand, and the size of them all: the insets in columns
    at the right of the main chart, and below it too where that is better; as many columns as keep to a
    page, or come nearest to its proportions."""
    choices = []
    most = range(len(insets) + 1)
    for cuts, main in enumerate(mains):
        for beside in most:
            for below in most[:MOST_BELOW]:
                if not 0 < beside + below <= max(1, len(insets)):
                    continue
                spots, width, height = _columns(main, insets, beside, below)
                cost = (page.excess(width, height) + CUT * cuts) * (1.0 if beside else BELOW)
                choices.append((round(cost, 2), width * height, beside + below, main, spots, width, height))
    return min(choices, key=lambda choice: choice[:3])[3:] if insets else _alone(mains, page)


def _alone(mains: list[Area | Wrapping], page: Page) -> tuple[Area | Wrapping, list[Point], float, float]:
    costs = [round(page.excess(main.w, main.h) + CUT * cuts, 1) for cuts, main in enumerate(mains)]
    best = mains[costs.index(min(costs))]
    return best, [(0.0, 0.0)], best.w, best.h


def _columns(
    main: Area | Wrapping, insets: list[Area], beside: int, below: int
) -> tuple[list[Point], float, float]:
    """The insets in columns below the main chart and beside it, and the size of all panels. Each stands
    in the column that is the lowest so far: they are read from the left."""
    ends = [main.h + BETWEEN] * below + [0.0] * beside
    columns: list[list[int]] = [[] for _ in ends]
    ys: list[float] = []
    for number, inset in enumerate(insets):
        column = ends.index(min(ends))
        ys.append(ends[column])
        columns[column].append(number)
        ends[column] += inset.h + BETWEEN
    xs = [0.0] * len(insets)
    x = 0.0
    for place, column in enumerate(columns):
        if place == below:
            x = max(x, main.w + BETWEEN) + BETWEEN
        for number in column:
            xs[number] = x
        x += max([insets[number].w for number in column], default=-BETWEEN) + BETWEEN
    spots = [(0.0, 0.0), *zip(xs, ys, strict=True)]
    height = max(y + inset.h for y, inset in zip(ys, insets, strict=True))
    return spots, max(main.w, x - BETWEEN), max(main.h, height)


def _wrap(facts: list[str], width: float) -> list[str]:
    """Facts joined by dots, as many on a line as fit; one that is longer than a line at its words."""
    lines: list[str] = []
    for fact in facts:
        for number, word in enumerate(_pieces(fact, width)):
            joined = f"{lines[-1]} · {word}" if lines and not number else word
            if lines and (number or text_width(joined, FACTS) > width):
                lines.append(word)
            else:
                lines[-1:] = [joined]
    return lines


def _pieces(text: str, width: float) -> list[str]:
    pieces: list[str] = []
    for word in text.split(" "):
        joined = f"{pieces[-1]} {word}" if pieces else word
        if pieces and text_width(joined, FACTS) > width:
            pieces.append(word)
        else:
            pieces[-1:] = [joined]
    return pieces


# The legend


def _legend(scene: Scene, top: float, width: float) -> list[Entry]:
    """The kinds and styles that occur, in as many lines as they need."""
    coloured = (box for box in scene.boxes() if box.form not in ("circle", "dots"))
    kinds = {box.kind for box in coloured if not spec_ink(box.color)}
    styles = {edge.style for panel in scene.panels for edge in _edges(panel)}
    if any(item.dotted for panel in scene.panels for item in panel.walk()):
        styles.add("optional")
    entries: list[Entry] = []
    x, y = MARGIN, top
    for what, name in legend(kinds, styles):
        mark = MARKS[what]
        end = x + mark + text_width(name, SMALL)
        if entries and end > MARGIN + width:
            end, x, y = end - x + MARGIN, MARGIN, y + LEGEND_LINE
        entries.append(Entry(what, name, round(x, 2), y, mark))
        x = end + 16
    return entries


def _edges(frame: Frame) -> Iterator[Edge]:
    yield from frame.edges
    for item in frame.items:
        if isinstance(item, Frame):
            yield from _edges(item)
