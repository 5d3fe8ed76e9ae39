"""A scene as SVG: light by its attributes, dark by one `prefers-color-scheme` style.

The file refers to nothing outside itself and uses no `var()`, so that every viewer shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from archc.draw.layout import Area, Place, Point, Wire, lay_out
from archc.draw.measure import (
    DETAIL,
    SHEET,
    SHEETS,
    SMALL,
    TITLE,
    badge_text,
    badge_width,
    count_text,
)
from archc.draw.metrics import FAMILY, text_width
from archc.draw.palette import DARK, DARK_INKS, DASHES, KIND_NAMES, KINDS, LIGHT, LIGHT_INKS, Colours
from archc.draw.scene import Box, Frame, Scene

MARGIN, BETWEEN = 20.0, 28.0
HEADING = 18.0
LINE = 15.0
LEGEND = 34.0
CORNER = 6.0


def svg(scene: Scene) -> str:
    """The text of an SVG file.

    The main chart stands at the left; the insets stand beside it, in columns about as high.
    """
    main = lay_out(scene.main, header=False)
    insets = [(frame, lay_out(frame)) for frame in scene.insets]
    spots, width, height = _arrange(main, [area for _, area in insets])
    lines = _wrap(scene.facts, max(width, 360.0))
    top = MARGIN + HEADING + 6 + LINE * len(lines) + 18
    legend = _legend(scene)
    width = max(
        width,
        text_width(scene.title, HEADING, bold=True),
        *(text_width(line, 11) for line in lines),
        sum(w for w, _ in legend),
    )
    total_width, total_height = round(width + 2 * MARGIN), round(top + height + LEGEND + MARGIN)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total_width} {total_height}" '
        f'width="{total_width}" height="{total_height}" role="img" aria-label="{escape(scene.title)}" '
        f'font-family="{FAMILY}">',
        "<!-- Drawn by archc -->",
        f"<title>{escape(scene.title)}</title>",
        _style(),
        f'<rect class="page" width="100%" height="100%" fill="{LIGHT_INKS.page}"/>',
        _text(MARGIN, MARGIN + HEADING - 3, scene.title, HEADING, bold=True),
    ]
    for number, line in enumerate(lines):
        out.append(_text(MARGIN, MARGIN + HEADING + 16 + number * LINE, line, 11, small=True))
    for (frame, area), (x, y) in zip([(scene.main, main), *insets], spots, strict=True):
        out.append(f'<g transform="translate({_n(MARGIN + x)} {_n(top + y)})">')
        if frame is scene.main:
            out += _area(area, 0)
        else:
            place = Place(frame, 0, 0, area.w, area.h, area.spine, area)
            out += _frame(place, 0, anchor=frame.id)
        out.append("</g>")
    x, y = MARGIN, top + height + LEGEND
    for step, parts in legend:
        out.append(f'<g transform="translate({_n(x)} {_n(y)})">{parts}</g>')
        x += step
    out.append("</svg>\n")
    return "\n".join(out)


def _arrange(main: Area, insets: list[Area]) -> tuple[list[Point], float, float]:
    """Where the panels stand, and the size of them all: columns as high as the main chart, or as the
    highest inset, or as makes the page not much wider than high."""
    if not insets:
        return [(0.0, 0.0)], main.w, main.h
    area = sum((inset.w + BETWEEN) * (inset.h + BETWEEN) for inset in insets) + main.w * main.h
    limit = max(main.h, *(inset.h for inset in insets), area**0.5)
    spots: list[Point] = [(0.0, 0.0)]
    x, y, widest, height = main.w + 2 * BETWEEN, 0.0, 0.0, main.h
    for inset in insets:
        if y and y + inset.h > limit:
            x, y, widest = x + widest + BETWEEN, 0.0, 0.0
        spots.append((x, y))
        widest = max(widest, inset.w)
        height = max(height, y + inset.h)
        y += inset.h + BETWEEN
    return spots, x + widest, height


def _wrap(parts: list[str], width: float) -> list[str]:
    """Facts joined by dots, as many on a line as fit."""
    lines: list[str] = []
    for part in parts:
        joined = f"{lines[-1]} · {part}" if lines else part
        if lines and text_width(joined, 11) > width:
            lines.append(part)
        else:
            lines[-1:] = [joined]
    return lines


def _style() -> str:
    """The dark values, and arrowheads in the colours of their lines."""
    rules = [f".{name}{{fill:{c.fill};stroke:{c.stroke}}}" for name, c in DARK.items()]
    ink = DARK_INKS
    rules += [f".page{{fill:{ink.page}}}", f".t{{fill:{ink.text}}}", f".s{{fill:{ink.small}}}"]
    rules.append(f".b{{fill:{ink.badge}}}")
    rules += [f".{s}{{stroke:{getattr(ink, s)}}}.h-{s}{{fill:{getattr(ink, s)}}}" for s in DASHES]
    dark = f"<style>@media (prefers-color-scheme:dark){{{''.join(rules)}}}</style>"
    heads = "".join(
        f'<marker id="{style}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto">'
        f'<path class="h-{style}" d="M0 1 9 5 0 9z" fill="{getattr(LIGHT_INKS, style)}"/></marker>'
        for style in DASHES
    )
    return f"{dark}<defs>{heads}</defs>"


# Items


def _area(area: Area, depth: int) -> Iterator[str]:
    for place in area.places:
        yield from _frame(place, depth) if isinstance(place.item, Frame) else _box(place)
    ports = {p.item.id for p in area.places if isinstance(p.item, Box) and p.item.form == "port"}
    for wire in area.wires:
        # An arrow ends at the border of its block without a head: it goes on outside.
        yield from _wire(wire, head=wire.edge.target not in ports)


def _frame(place: Place, depth: int, anchor: str | None = None) -> Iterator[str]:
    frame, area = place.item, place.inside
    assert isinstance(frame, Frame) and area is not None
    name = "deep" if depth % 2 else "frame"
    id = f' id="{escape(anchor)}"' if anchor else ""
    yield f"<g{id}>{_hint(frame.id, frame.span)}"
    yield from _sheets(place, name, 9)
    yield _rect(place.x, place.y, place.w, place.h, LIGHT[name], name, 9, dotted=frame.dotted)
    yield _text(place.x + 12, place.y + 19, frame.title, TITLE, bold=True)
    end = place.x + place.w - 12
    if frame.copies > 1:
        badge = badge_width(frame.copies, frame.parallel)
        yield _badge(place, badge_text(frame.copies, frame.parallel), badge)
        end = place.x + place.w - badge / 2 - 4 if not frame.note else end - badge / 2 + 6
    if frame.note:
        yield _text(end, place.y + 18.5, frame.note, DETAIL, small=True, anchor="end")
    yield f'<g transform="translate({_n(place.x)} {_n(place.y)})">'
    yield from _area(area, depth + 1)
    yield "</g></g>"


def _box(place: Place) -> Iterator[str]:
    box = place.item
    assert isinstance(box, Box)
    if box.form == "port":
        return
    link = f'<a href="#{escape(box.definition)}">' if box.definition else ""
    yield f"<g>{_hint(box.id, box.span)}{link}"
    middle = place.x + place.w / 2
    if box.form == "circle":
        yield (
            f'<circle class="circle" cx="{_n(middle)}" cy="{_n(place.y + place.h / 2)}" '
            f'r="{_n(place.w / 2)}" '
            f"{_paint(LIGHT['circle'])}{_dots(box.dotted)}/>"
        )
        yield _text(middle, place.y + place.h / 2 + 5, box.title, 15, anchor="middle")
        yield "</a></g>" if link else "</g>"
        return
    radius = 12.0 if box.form == "pill" else 5.0
    yield from _sheets(place, box.kind, radius)
    if box.form == "tag":
        yield _flag(place, box)
    else:
        yield _rect(place.x, place.y, place.w, place.h, LIGHT[box.kind], box.kind, radius, box.dotted)
    count = count_text(box)
    title_y = place.y + (16.5 if box.detail else place.h / 2 + 4.5)
    if count:
        width = text_width(box.title, TITLE, bold=True) + 10 + text_width(count, SMALL)
        left = middle - width / 2
        yield _text(left, title_y, box.title, TITLE, bold=True)
        yield _text(left + width, title_y - 0.5, count, SMALL, small=True, anchor="end")
    else:
        yield _text(middle, title_y, box.title, TITLE, bold=True, anchor="middle")
    if box.detail:
        yield _text(middle, place.y + 30.5, box.detail, DETAIL, small=True, anchor="middle")
    if box.copies > 1:
        yield _badge(place, badge_text(box.copies), badge_width(box.copies))
    yield "</a></g>" if link else "</g>"


def _sheets(place: Place, kind: str, radius: float) -> Iterator[str]:
    """The sheets behind a repeated thing, the hindmost first."""
    for sheet in range(min(SHEETS, place.item.copies - 1), 0, -1):
        shift = sheet * SHEET
        yield _rect(place.x + shift, place.y + shift, place.w, place.h, LIGHT[kind], kind, radius)


def _badge(place: Place, text: str, width: float) -> str:
    x, y = place.x + place.w - width / 2 + 2, place.y - 7
    return (
        _rect(x, y, width, 17, LIGHT["badge"], "badge", 8.5)
        + f'<text class="b" x="{_n(x + width / 2)}" y="{_n(y + 12.2)}" font-size="{DETAIL:g}" '
        f'font-weight="700" text-anchor="middle" fill="{LIGHT_INKS.badge}">{escape(text)}</text>'
    )


def _flag(place: Place, box: Box) -> str:
    x, y, w, h = place.x, place.y, place.w, place.h
    return (
        f'<path class="{box.kind}" '
        f'd="M{_n(x)} {_n(y)}h{_n(w - 8)}l8 {_n(h / 2)}l-8 {_n(h / 2)}h-{_n(w - 8)}z" '
        f"{_paint(LIGHT[box.kind])}{_dots(box.dotted)}/>"
    )


# Edges


def _wire(wire: Wire, head: bool) -> Iterator[str]:
    style = wire.edge.style
    end = f' marker-end="url(#{style})"' if head else ""
    dash = f' stroke-dasharray="{DASHES[style]}"' if DASHES[style] else ""
    ink = getattr(LIGHT_INKS, style)
    yield (
        f'<path class="{style}" d="{_path(wire.points)}" fill="none" stroke="{ink}" '
        f'stroke-width="1.4"{dash}{end}/>'
    )
    if wire.label_at:
        x, y = wire.label_at
        yield _text(x, y, wire.edge.label, SMALL, small=True)


def _path(points: list[Point]) -> str:
    """A way with rounded corners."""
    points = [p for i, p in enumerate(points) if i == 0 or _apart(p, points[i - 1])]
    parts = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(CORNER, _distance(before, here) / 2, _distance(here, after) / 2)
        a, b = _towards(here, before, radius), _towards(here, after, radius)
        parts.append(f"L{_n(a[0])} {_n(a[1])}Q{_n(here[0])} {_n(here[1])} {_n(b[0])} {_n(b[1])}")
    parts.append(f"L{_n(points[-1][0])} {_n(points[-1][1])}")
    return "".join(parts)


def _apart(a: Point, b: Point) -> bool:
    return _distance(a, b) > 0.05


def _distance(a: Point, b: Point) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _towards(a: Point, b: Point, length: float) -> Point:
    whole = _distance(a, b) or 1.0
    return a[0] + (b[0] - a[0]) * length / whole, a[1] + (b[1] - a[1]) * length / whole


# The legend


def _legend(scene: Scene) -> list[tuple[float, str]]:
    """The kinds and lines that occur, each with its width."""
    kinds = {box.kind for box in scene.boxes() if box.form != "circle"}
    parts = []
    for kind in KINDS:
        if kind in kinds:
            name = KIND_NAMES[kind]
            mark = _rect(0, -9, 14, 11, LIGHT[kind], kind, 3)
            parts.append((20 + text_width(name, SMALL) + 16, mark + _text(20, 0, name, SMALL, small=True)))
    styles = {edge.style for panel in scene.panels for edge in _edges(panel)}
    for style, dash in DASHES.items():
        if style in styles:
            dashes = f' stroke-dasharray="{dash}"' if dash else ""
            line = (
                f'<path class="{style}" d="M0 -3.5H30" stroke="{getattr(LIGHT_INKS, style)}" '
                f'stroke-width="1.4"{dashes} marker-end="url(#{style})"/>'
            )
            parts.append((36 + text_width(style, SMALL) + 16, line + _text(36, 0, style, SMALL, small=True)))
    return parts


def _edges(frame: Frame) -> Iterator:
    yield from frame.edges
    for item in frame.items:
        if isinstance(item, Frame):
            yield from _edges(item)


# Marks


def _rect(
    x: float, y: float, w: float, h: float, colours: Colours, name: str, radius: float, dotted: bool = False
) -> str:
    return (
        f'<rect class="{name}" x="{_n(x)}" y="{_n(y)}" width="{_n(w)}" height="{_n(h)}" rx="{_n(radius)}" '
        f"{_paint(colours)}{_dots(dotted)}/>"
    )


def _paint(colours: Colours) -> str:
    return f'fill="{colours.fill}" stroke="{colours.stroke}"'


def _dots(dotted: bool) -> str:
    return ' stroke-dasharray="2 3"' if dotted else ""


def _text(
    x: float,
    y: float,
    text: str,
    size: float,
    bold: bool = False,
    small: bool = False,
    anchor: str = "",
) -> str:
    ink, name = (LIGHT_INKS.small, "s") if small else (LIGHT_INKS.text, "t")
    weight = ' font-weight="700"' if bold else ""
    place = f' text-anchor="{anchor}"' if anchor else ""
    return (
        f'<text class="{name}" x="{_n(x)}" y="{_n(y)}" font-size="{size:g}"{weight}{place} fill="{ink}">'
        f"{escape(text, quote=False)}</text>"
    )


def _hint(path: str, span: object) -> str:
    """What a viewer shows on hover: the path in the model and the line of the spec."""
    where = "" if span is None else f" · {span.source.name}:{span.line}"  # type: ignore[attr-defined]
    return f"<title>{escape(path + where, quote=False)}</title>"


def _n(value: float) -> str:
    """A coordinate, to a tenth."""
    return f"{value:.1f}".removesuffix(".0") if abs(value) > 0.04 else "0"
