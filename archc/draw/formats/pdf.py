"""A sheet as PDF: one page of its size, with lines and letters that stay sharp, text that can be found
and copied, and links."""

from __future__ import annotations

import io
from collections.abc import Iterable
from hashlib import sha1

from archc.draw.formats.fonts import Font, font, legible, needed
from archc.draw.formats.marking import marks
from archc.draw.formats.marks import (
    HEAD,
    STROKE,
    Circle,
    Drawing,
    Group,
    Line,
    Mark,
    Point,
    Polygon,
    Rect,
    Text,
    bounds,
    corners,
    flat,
)
from archc.draw.formats.palette import DASHES, DOTTED, LIGHT_INKS, colours
from archc.draw.formats.sheet import Sheet
from archc.draw.limits import TooLarge

POINT = 0.75
"""A px in PDF's points."""
MOST = 14_400
"""As many points as a side of a page may have."""
_USUAL = "".join(map(chr, range(32, 127))) + "→×·−‖≡√÷≤≥≠…²"
"""The letters of most diagrams. Fonts are registered for good: one of these, further ones only for texts
with other letters, named after them so that the same text is always set in the same font."""
_COMMENT = b"ReportLab Generated PDF document (opensource)"


def pdf(sheet: Sheet | Drawing) -> bytes:
    """The bytes of a PDF file, the same every time: it holds neither the time nor a random name.

    Raises TooLarge where a side of the sheet is longer than a page can be.
    """
    if max(sheet.width, sheet.height) * POINT > MOST:
        raise TooLarge(
            f"pdf holds at most {MOST / POINT:,.0f} px a side, not {sheet.width:,} x {sheet.height:,}"
        )
    letters = font("pdf")
    canvas = needed("reportlab.pdfgen.canvas", "pdf")
    drawn = legible(marks(sheet), letters)
    names = {bold: _registered(drawn, bold, letters) for bold in (False, True)}
    target = io.BytesIO()
    size = (sheet.width * POINT, sheet.height * POINT)
    page = canvas.Canvas(target, pagesize=size, invariant=1, pageCompression=1, initialFontName=names[False])
    page.setTitle(sheet.title)
    page.setSubject("; ".join(sheet.facts))
    page.setAuthor("")
    page.setCreator("archc")
    _PdfWriter(page, sheet, drawn, names).write(drawn)
    page.showPage()
    page.save()
    # The first lines of all that archc writes say so. The comment keeps its length: places are counted.
    return target.getvalue().replace(_COMMENT, b"Drawn by archc".ljust(len(_COMMENT)), 1)


def _registered(drawn: list[Mark], bold: bool, letters: Font) -> str:
    """The name of a font that has the letters of all texts of a weight."""
    texts = [mark.text for mark in flat(drawn) if isinstance(mark, Text) and mark.bold is bold]
    further = "".join(sorted(set("".join(texts)) - set(_USUAL)))
    name = f"Arimo-{'Bold' if bold else 'Regular'}"
    if further:
        name += "-" + sha1(further.encode()).hexdigest()[:8]
    ttfonts = needed("reportlab.pdfbase.ttfonts", "pdf")
    if name not in ttfonts.pdfmetrics.getRegisteredFontNames():
        file = letters.embedded(_USUAL + further, bold, name)
        ttfonts.pdfmetrics.registerFont(ttfonts.TTFont(name, file))
    return name


class _PdfWriter:
    """Writes marks on a page, whose points are counted from its bottom."""

    def __init__(self, page, sheet: Sheet | Drawing, drawn: list[Mark], names: dict[bool, str]) -> None:
        self.page = page
        self.height = sheet.height
        self.names = names
        self.font = font("pdf")
        groups = [mark for mark in flat(drawn) if isinstance(mark, Group)]
        # A link needs its target to be on the page.
        self.targets = {group.link[1:] for group in groups if group.link.startswith("#")}
        self.anchors = {group.anchor for group in groups if group.anchor}

    def at(self, point: Point) -> Point:
        return point[0] * POINT, (self.height - point[1]) * POINT

    def write(self, drawn: Iterable[Mark]) -> None:
        for mark in drawn:
            match mark:
                case Group():
                    self.group(mark)
                case Text():
                    self.text(mark)
                case Line():
                    self.line(mark)
                case Rect():
                    self.paint(mark.ink, mark.dotted)
                    x, y = self.at((mark.x, mark.y + mark.h))
                    shape = (x, y, mark.w * POINT, mark.h * POINT, mark.radius * POINT)
                    self.page.roundRect(*shape, stroke=1, fill=1)
                case Circle():
                    self.paint(mark.ink, mark.dotted)
                    x, y = self.at((mark.x, mark.y))
                    self.page.circle(x, y, mark.radius * POINT, stroke=1, fill=1)
                case Polygon():
                    self.paint(mark.ink, mark.dotted)
                    self.page.drawPath(self.polygon(mark.points), stroke=1, fill=1)

    def group(self, group: Group) -> None:
        self.write(group.marks)
        left, top, right, bottom = bounds(group.marks)
        if group.anchor in self.targets:
            x, y = self.at((left, top))
            self.page.bookmarkPage(group.anchor, fit="XYZ", left=x, top=y)
        area = (*self.at((left, bottom)), *self.at((right, top)))
        if group.link[1:] in self.anchors and group.link.startswith("#"):
            self.page.linkAbsolute("", group.link[1:], area)
        elif "://" in group.link or group.link.startswith("mailto:"):
            self.page.linkURL(group.link, area)

    def text(self, text: Text) -> None:
        start, stretch = self.font.fit(text)
        x, y = self.at((start, text.y))
        self.page.saveState()
        line = self.page.beginText(x, y)
        line.setFont(self.names[text.bold], text.size * POINT)
        line.setFillColor(LIGHT_INKS[text.ink])
        if stretch < 1:
            line.setHorizScale(100 * stretch)
        line.textOut(text.text)
        self.page.drawText(line)
        self.page.restoreState()

    def line(self, line: Line) -> None:
        page, ink = self.page, LIGHT_INKS[line.style]
        page.setLineWidth(STROKE * POINT)
        page.setStrokeColor(ink)
        page.setDash([length * POINT for length in DASHES[line.style]])
        path = page.beginPath()
        path.moveTo(*self.at(line.points[0]))
        for start, here, end in corners(line.points):
            path.lineTo(*self.at(start))
            # The curve of one control point, as one of two.
            controls = [_between(here, side) for side in (start, end)]
            path.curveTo(*self.at(controls[0]), *self.at(controls[1]), *self.at(end))
        path.lineTo(*self.at(line.points[-1]))
        page.drawPath(path, stroke=1, fill=0)
        if line.head:
            page.setFillColor(ink)
            page.drawPath(self.polygon(_head(line.points)), stroke=0, fill=1)

    def paint(self, ink: str, dotted: bool) -> None:
        light = colours(ink)
        self.page.setLineWidth(POINT)
        self.page.setFillColor(light.fill)
        self.page.setStrokeColor(light.stroke)
        self.page.setDash([length * POINT for length in DOTTED] if dotted else [])

    def polygon(self, points: Iterable[Point]):
        path = self.page.beginPath()
        for number, point in enumerate(points):
            (path.lineTo if number else path.moveTo)(*self.at(point))
        path.close()
        return path


def _between(corner: Point, end: Point) -> Point:
    """Two thirds of the way to a corner."""
    return end[0] + (corner[0] - end[0]) * 2 / 3, end[1] + (corner[1] - end[1]) * 2 / 3


def _head(points: tuple[Point, ...]) -> list[Point]:
    """The arrowhead at the end of a line."""
    (ax, ay), (bx, by) = next((a, points[-1]) for a in reversed(points[:-1]) if a != points[-1])
    length = abs(bx - ax) + abs(by - ay)
    dx, dy = (bx - ax) / length, (by - ay) / length
    half = HEAD * 0.4
    back, side = (bx - dx * HEAD * 0.9, by - dy * HEAD * 0.9), (-dy * half, dx * half)
    return [(back[0] + side[0], back[1] + side[1]), (bx, by), (back[0] - side[0], back[1] - side[1])]
