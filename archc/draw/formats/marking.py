"""A sheet as marks: what each item, edge and entry of the legend is drawn with, and where links lead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archc.draw.formats.marks import Circle, Drawing, Group, Line, Mark, Polygon, Rect, Text
from archc.draw.formats.palette import DASHES, spec_ink
from archc.draw.formats.sheet import Entry, Sheet
from archc.draw.layout.layout import Area, Place, Wire
from archc.draw.layout.measure import (
    CONDITION,
    DETAIL,
    SHEET,
    SHEETS,
    SMALL,
    TITLE,
    badge_box,
    badge_text,
    condition_at,
    condition_text,
    count_text,
    header_note,
)
from archc.draw.layout.metrics import text_width
from archc.draw.scene.items import Box, Frame
from archc.lang.links import page

FRAME_RADIUS, CARD_RADIUS, PILL_RADIUS = 9.0, 5.0, 12.0
_ORDER = {style: number for number, style in enumerate(DASHES)}
FLAG = 8.0
"""How long the tip of a tag is."""


def marks(sheet: Sheet | Drawing) -> list[Mark]:
    """All marks of a sheet, in the order of drawing; a drawing has them."""
    return sheet.marks if isinstance(sheet, Drawing) else _Marker(sheet).marks()


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
        # An arrow ends at the border of its block without a head: it goes on outside.
        lines = [_line(wire, x, y, head=wire.edge.target not in ports) for wire in area.wires]
        yield from sorted(lines, key=lambda line: (-_ORDER[line.style], line.head))
        for wire in area.wires:
            yield from wire_words(wire, x, y)

    def _group(self, item: Box | Frame, marks: list[Mark], link: str = "") -> Group:
        is_panel = item is self.panel
        name = item.id if is_panel else self._name(item, self.main, self.panel)
        named = self.main or is_panel or name in self.uses.values()
        where = "" if item.span is None else f" · {item.span.source.name}:{item.span.line}"
        hint = (self.panel.title if is_panel else item.id) + where
        return Group(marks, hint, name if named else "", link)

    def _inside(self, item: Box | Frame) -> str:
        """The link to an item's inset."""
        return f"#{item.definition}" if item.definition in self.insets else ""

    # Frames

    def _frame(self, place: Place, x: float, y: float, depth: int) -> Group:
        frame, area = place.item, place.inside
        assert isinstance(frame, Frame) and area is not None
        place = replace(place, x=x + place.x, y=y + place.y)
        found = [*_sheets(place, _frame_ink(depth), FRAME_RADIUS)]
        found.append(Rect(place.x, place.y, place.w, place.h, FRAME_RADIUS, _frame_ink(depth), frame.dotted))
        title, *others = frame_words(place)
        back = f"#{self.uses[frame.id]}" if frame is self.panel and frame.id in self.uses else ""
        link = back or page(frame.link) or self._inside(frame)
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
        drawn, link, inside = [*_shape(place, box)], page(box.link), self._inside(box)
        words: list[Mark] = [*box_words(place)]
        if link and inside:  # the name leads outside, all else to the inset
            name, *others = words
            return self._group(box, [Group(drawn + others, link=inside), Group([name], link=link)])
        return self._group(box, drawn + words, link or inside)


def _frame_ink(depth: int) -> str:
    """Frames in frames take turns between two greys."""
    return "deep" if depth % 2 else "frame"


def _shape(place: Place, box: Box) -> Iterator[Mark]:
    x, y, w, h = place.x, place.y, place.w, place.h
    ink = spec_ink(box.color) or box.kind
    match box.form:
        case "circle":
            if w > h + 0.1:  # room for many ways that come in
                yield Rect(x, y, w, h, h / 2, "circle", box.dotted)
            else:
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
        end = min(end, badge_box(x, y, w, frame)[0] - 4)
        found.append(_badge_text(place))
    note = header_note(frame)
    if note:
        found.append(Text(end, y + 18.5, note, DETAIL, "small", anchor="end"))
    return found


def box_words(place: Place) -> list[Text]:
    """The texts in a box, and on its badge."""
    box, x, middle = place.item, place.x + place.w / 2, place.y + place.h / 2
    assert isinstance(box, Box)
    condition = condition_text(box)
    found: list[Text] = []
    match box.form:
        case "port" | "dots":
            return []
        case "circle":
            size = 15.0 if len(box.title) == 1 else 11.0  # a sign, or a short word
            found.append(Text(x, middle + size / 3, box.title, size, anchor="middle"))
            if condition:
                found.append(Text(*condition_at(place.x, place.y, place.w), condition, SMALL, "small"))
            return found
        case "strip":
            base, detail = middle + 3.5, ""
            line, gap = [(box.title, DETAIL, True), (box.detail, SMALL, False)], 6
        case _:
            base, detail = middle + (-2.5 if box.detail else 4.5), box.detail
            line, gap = [(box.title, TITLE, True), (count_text(box), SMALL, False)], 10
    if box.form == "tag":
        condition = ""
    if condition:
        base -= CONDITION / 2
    found += _beside(x, base, line, gap)
    if detail:
        base += 14
        found.append(Text(x, base, detail, DETAIL, "small", anchor="middle"))
    if condition:
        found.append(Text(x, base + CONDITION, condition, SMALL, "small", anchor="middle"))
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
    x, y, w, h = badge_box(place.x, place.y, place.w, place.item)
    return Rect(x, y, w, h, h / 2, "badge")


def _badge_text(place: Place) -> Text:
    item = place.item
    x, y, w, _ = badge_box(place.x, place.y, place.w, item)
    text = badge_text(item.copies, isinstance(item, Frame) and item.parallel)
    return Text(x + w / 2, y + 12.2, text, DETAIL, "on_badge", True, "middle")


# Edges and the legend


def _line(wire: Wire, x: float, y: float, head: bool) -> Line:
    return Line(tuple((x + px, y + py) for px, py in wire.points), wire.edge.style, head)


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
    return Text(entry.x + entry.mark, entry.y, entry.name, SMALL, "small")
