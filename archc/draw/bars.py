"""A table whose numbers have bars: a row for each thing that is compared, a panel for each measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from archc.draw.draw import format_of
from archc.draw.formats.marks import Drawing, Line, Mark, Rect, Text, bounds
from archc.draw.layout.metrics import text_width

MARGIN, BETWEEN = 20.0, 30.0
TITLE, HEADING, CELL, SMALL = 18.0, 12.0, 12.0, 11.0
"""Font sizes: of the title, of a panel's, of names and numbers, of what stands beside them."""
LINE, ROW = 15.0, 26.0
BAR, THICK = 120.0, 14.0
"""How long the longest bar of a panel is, and how high they all are."""
GAP = 10.0

FORMATS = ("svg", "png", "pdf")


@dataclass(frozen=True, slots=True)
class Bar:
    """A number: how long its bar is, how it is written, its ratio to another, and from where to where it
    scatters. Without a length there is the text alone."""

    length: float | None
    text: str
    ratio: str = ""
    spread: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """A measure: its heading, a kind of the palette that colours it, a bar for each row, and the row that
    a line at its end holds against the others."""

    heading: str
    ink: str
    bars: Sequence[Bar]
    base: int = 0


def bars(title: str, facts: Sequence[str], names: Sequence[str], panels: Sequence[Panel]) -> Drawing:
    """Panels side by side, with the names of their rows at the left.

    >>> drawing = bars("Net", [], ["eager"], [Panel("run", "conv", [Bar(2.0, "2 ms", "1.00")])])
    >>> [mark.text for mark in drawing.marks if isinstance(mark, Text)]
    ['Net', 'run', 'eager', '2 ms', '1.00']
    """
    marks: list[Mark] = [Text(MARGIN, MARGIN + TITLE - 3, title, TITLE, bold=True)]
    for number, fact in enumerate(facts):
        marks.append(Text(MARGIN, MARGIN + TITLE + 16 + number * LINE, fact, SMALL, "small"))
    top = MARGIN + TITLE + LINE * len(facts) + 36
    x = MARGIN + max(text_width(name, CELL) for name in names) + BETWEEN
    cells: list[Mark] = [Text(MARGIN, _base(top, row, CELL), name, CELL) for row, name in enumerate(names)]
    for panel in panels:
        marks.append(Text(x, top - 8, panel.heading, HEADING, bold=True))
        cells += _cells(panel, x, top)
        x += _width(panel) + BETWEEN
    marks += cells
    _, _, right, bottom = bounds(marks)
    return Drawing(title, list(facts), marks, round(right + MARGIN + 0.5), round(bottom + MARGIN + 0.5))


def _columns(panel: Panel) -> tuple[float, float]:
    """How wide numbers and ratios are."""
    number = max(text_width(bar.text, CELL, bold=True) for bar in panel.bars)
    ratio = max(text_width(bar.ratio, SMALL) for bar in panel.bars)
    return number, ratio + GAP if ratio else 0.0


def _width(panel: Panel) -> float:
    return max(sum(_columns(panel)) + GAP + BAR, text_width(panel.heading, HEADING, bold=True))


def _cells(panel: Panel, x: float, top: float) -> Iterator[Mark]:
    number, ratio = _columns(panel)
    start = x + number + ratio + GAP
    lengths = [bar.length for bar in panel.bars if bar.length is not None]
    reach = [high for bar in panel.bars if bar.spread for high in bar.spread]
    scale = BAR / (max([*lengths, *reach], default=0.0) or 1.0)
    for row, bar in enumerate(panel.bars):
        best = bar.length is not None and bar.length == min(lengths) < max(lengths)
        yield Text(x + number, _base(top, row, CELL), bar.text, CELL, bold=best, anchor="end")
        if bar.ratio:
            yield Text(x + number + ratio, _base(top, row, CELL), bar.ratio, SMALL, "small", anchor="end")
        if bar.length is not None:
            middle = top + row * ROW + ROW / 2
            yield Rect(start, middle - THICK / 2, max(bar.length * scale, 1.0), THICK, 2.0, panel.ink)
            if bar.spread:
                low, high = (start + end * scale for end in bar.spread)
                yield Line(((low, middle), (high, middle)), "data", head=False)
    base = panel.bars[panel.base].length
    if base is not None and len(lengths) > 1:
        end = start + base * scale
        yield Line(((end, top), (end, top + ROW * len(panel.bars))), "optional", head=False)


def _base(top: float, row: int, size: float) -> float:
    """The baseline of a text in the middle of a row."""
    return top + row * ROW + ROW / 2 + 0.36 * size


def writer_for(path: Path) -> Callable[[Drawing], str | bytes] | None:
    """What writes a drawing in the format of a file's ending, None where that is none of FORMATS."""
    format = format_of(path)
    if format not in FORMATS:
        return None
    return getattr(import_module(f"archc.draw.formats.{format}"), format)
