"""A sheet as SVG: light by its attributes, dark by one `prefers-color-scheme` style.

The file refers to nothing outside itself and uses no `var()`, so that every viewer shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from html import escape
from itertools import groupby

from archc.draw.formats.marking import marks
from archc.draw.formats.marks import (
    HEAD,
    STROKE,
    Circle,
    Drawing,
    Group,
    Line,
    Mark,
    Polygon,
    Rect,
    Text,
    corners,
    flat,
)
from archc.draw.formats.palette import DARK_INKS, DASHES, DOTTED, LIGHT_INKS, colours
from archc.draw.formats.sheet import Sheet
from archc.draw.layout.metrics import FAMILY
from archc.draw.scene.items import Style

_SHORT = {"small": "s", "on_badge": "b"}
"""The classes of texts; ordinary ones need none."""


def svg(sheet: Sheet | Drawing) -> str:
    """The text of an SVG file."""
    return SvgWriter().write(sheet)


class SvgWriter:
    """Writes the marks of a sheet down."""

    def write(self, sheet: Sheet | Drawing) -> str:
        drawn = self.drawn(sheet)
        return "\n".join(
            [
                *self.head(sheet, drawn),
                f'<rect class="page" width="100%" height="100%" fill="{LIGHT_INKS.page}"/>',
                *self.marks(drawn),
                "</svg>\n",
            ]
        )

    def drawn(self, sheet: Sheet | Drawing) -> list[Mark]:
        """What is written."""
        return marks(sheet)

    def head(self, sheet: Sheet | Drawing, drawn: list[Mark]) -> Iterator[str]:
        title = _escaped(sheet.title)
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {sheet.width} {sheet.height}" '
            f'width="{sheet.width}" height="{sheet.height}" role="img" aria-label="{title}" '
            f'fill="{LIGHT_INKS.text}" font-family="{FAMILY}">'
        )
        yield "<!-- Drawn by archc -->"
        yield f"<title>{title}</title>"
        yield f"<desc>{_escaped('; '.join(sheet.facts), quote=False)}</desc>"
        yield f"{_style(drawn)}<defs>{heads(drawn)}</defs>"

    def marks(self, drawn: Iterable[Mark]) -> Iterator[str]:
        # Lines that are drawn alike, one after the other, say it once.
        for stroke, alike in groupby(drawn, _stroke_of):
            if stroke:
                yield f"<g{stroke}>"
                yield from (f'<path d="{_way(mark)}"/>' for mark in alike if isinstance(mark, Line))
                yield "</g>"
            else:
                for mark in alike:
                    yield from self.mark(mark)

    def mark(self, mark: Mark) -> Iterator[str]:
        match mark:
            case Group():
                yield from self.group(mark)
            case Text():
                yield self.text(mark)
            case Rect():
                yield (
                    f'<rect{_ink(mark.ink)} x="{_n(mark.x)}" y="{_n(mark.y)}" width="{_n(mark.w)}" '
                    f'height="{_n(mark.h)}" rx="{_n(mark.radius)}"{_dots(mark.dotted)}/>'
                )
            case Circle():
                yield (
                    f'<circle{_ink(mark.ink)} cx="{_n(mark.x)}" cy="{_n(mark.y)}" '
                    f'r="{_n(mark.radius)}"{_dots(mark.dotted)}/>'
                )
            case Polygon():
                way = "L".join(_at(point) for point in mark.points)
                yield f'<path{_ink(mark.ink)} d="M{way}z"{_dots(mark.dotted)}/>'

    def group(self, group: Group) -> Iterator[str]:
        """A group with what is shown on hover: the path in the model and the line of the spec."""
        anchor = f' id="{_escaped(group.anchor)}"' if group.anchor else ""
        hint = f"<title>{_escaped(group.hint, quote=False)}</title>" if group.hint else ""
        tag, link = ("a", f' href="{_escaped(group.link)}"') if group.link else ("g", "")
        yield f"<{tag}{anchor}{link}>{hint}"
        yield from self.marks(group.marks)
        yield f"</{tag}>"

    def text(self, text: Text) -> str:
        name = _SHORT.get(text.ink)
        ink = f' class="{name}" fill="{LIGHT_INKS[text.ink]}"' if name else ""
        weight = ' font-weight="700"' if text.bold else ""
        anchor = f' text-anchor="{text.anchor}"' if text.anchor != "start" else ""
        return (
            f'<text{ink} x="{_n(text.x)}" y="{_n(text.y)}" font-size="{text.size:g}"{weight}{anchor}>'
            f"{_escaped(text.text, quote=False)}</text>"
        )


def heads(drawn: list[Mark]) -> str:
    """The arrowheads of the lines that are drawn, in their colours."""
    return "".join(
        f'<marker id="head-{style}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="{HEAD}" '
        f'markerHeight="{HEAD}" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path class="head-{style}" d="M0 1 9 5 0 9z" fill="{LIGHT_INKS[style]}"/></marker>'
        for style in _styles(drawn)
    )


def _style(drawn: list[Mark]) -> str:
    """The dark values of what is drawn; names of links are underlined when they are pointed at."""
    shapes = (mark for mark in flat(drawn) if isinstance(mark, Rect | Circle | Polygon))
    ink = DARK_INKS
    rules = [f"text{{fill:{ink.text}}}.page{{fill:{ink.page}}}"]
    rules += [f".{name}{{fill:{ink[long]}}}" for long, name in _SHORT.items()]
    for name in sorted({mark.ink for mark in shapes}):
        dark = colours(name, dark=True)
        rules.append(f".{_class(name)}{{fill:{dark.fill};stroke:{dark.stroke}}}")
    rules += [f".{s}{{stroke:{ink[s]}}}.head-{s}{{fill:{ink[s]}}}" for s in _styles(drawn)]
    hover = "a:hover text{text-decoration:underline}"
    return f"<style>{hover}@media (prefers-color-scheme:dark){{{''.join(rules)}}}</style>"


def _styles(drawn: list[Mark]) -> list[Style]:
    """The styles of the lines that are drawn, in the order of the legend."""
    used = {mark.style for mark in flat(drawn) if isinstance(mark, Line)}
    return [style for style in DASHES if style in used]


def _stroke_of(mark: Mark) -> str:
    return _stroke(mark.style, mark.head) if isinstance(mark, Line) else ""


@cache
def _stroke(style: Style, head: bool) -> str:
    """What lines of one style have in common."""
    dash = f' stroke-dasharray="{" ".join(map(str, DASHES[style]))}"' if DASHES[style] else ""
    end = f' marker-end="url(#head-{style})"' if head else ""
    return f' class="{style}" fill="none" stroke="{LIGHT_INKS[style]}" stroke-width="{STROKE:g}"{dash}{end}'


def _way(line: Line) -> str:
    parts = [f"M{_at(line.points[0])}"]
    parts += [f"L{_at(start)}Q{_at(here)} {_at(end)}" for start, here, end in corners(line.points)]
    return "".join([*parts, f"L{_at(line.points[-1])}"])


@lru_cache
def _ink(name: str) -> str:
    light = colours(name)
    return f' class="{_class(name)}" fill="{light.fill}" stroke="{light.stroke}"'


def _class(ink: str) -> str:
    """The class of an ink: its name, `c-ff0000` of a colour of the spec's own."""
    return ink.replace("#", "c-")


def _dots(dotted: bool) -> str:
    return f' stroke-dasharray="{" ".join(map(str, DOTTED))}"' if dotted else ""


def _at(point: tuple[float, float]) -> str:
    return f"{_n(point[0])} {_n(point[1])}"


@lru_cache(maxsize=4096)  # what stands together has places in common
def _n(value: float) -> str:
    """A coordinate, to a tenth."""
    return f"{value:.1f}".removesuffix(".0") if abs(value) > 0.04 else "0"


def _escaped(text: str, quote: bool = True) -> str:
    r"""A text within XML, which has no place for control signs at all.

    >>> _escaped('<b> "\x07"')
    '&lt;b&gt; &quot;�&quot;'
    """
    return escape(_NOT_XML.sub("\ufffd", text), quote)


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
