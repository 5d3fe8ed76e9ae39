"""The lines of a source under a diagnostic, with carets and labels below the very words."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from archc.source.text import Source, Span

_TAB = 4
_BESIDE = 8
"""Columns that stay beside a mark where a line is cut."""

_LONGEST_SPAN = 8
"""Lines of a span that are shown; of more, the first and last few."""


class Paint:
    """Colours of a terminal, or none."""

    def __init__(self, on: bool) -> None:
        self.on = on

    def _with(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text

    def severity(self, severity: str, text: str) -> str:
        return self._with({"error": "1;31", "warning": "1;33"}.get(severity, "1;36"), text)

    def strong(self, text: str) -> str:
        return self._with("1", text)

    def frame(self, text: str) -> str:
        return self._with("1;34", text)

    def help(self, text: str) -> str:
        return self._with("1;36", text)


def _width(text: str) -> int:
    return sum(map(_cells, text))


def _fitting(text: str, room: int) -> str:
    """As much of a text as fits into that many columns."""
    for at, char in enumerate(text):
        room -= _cells(char)
        if room < 0:
            return text[:at]
    return text


class Note(NamedTuple):
    """A place to underline: that of the error itself (`main`), or another with its label."""

    span: Span
    label: str
    main: bool


@dataclass(slots=True)
class _Mark:
    """A stretch of one line, in characters of the line, that is underlined."""

    start: int
    end: int
    label: str
    main: bool


@cache
def _cells(char: str) -> int:
    """Columns that a character takes on a terminal."""
    if char == "\t":
        return _TAB
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def visible(text: str) -> str:
    """A text without characters that would move the cursor, change colours or go unseen."""
    if text.isprintable():
        return text
    return "".join(char if char == "\n" or _harmless(char) else _stand_in(char) for char in text)


def _harmless(char: str) -> bool:
    return char.isprintable() or (_cells(char) == 0 and not _turns(char))


def _stand_in(char: str) -> str:
    """A sign as wide as the character: for a space that is none (U+00A0), or for any other."""
    return ("\u2423" if unicodedata.category(char) == "Zs" else "\ufffd") * max(1, _cells(char))


def _turns(char: str) -> bool:
    """Does a character turn the direction of writing?"""
    return unicodedata.bidirectional(char) in ("LRE", "LRO", "RLE", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def _shown(char: str) -> str:
    return " " * _TAB if char == "\t" else visible(char)


def lines(notes: list[Note], gutter: int, width: int, paint: Paint, severity: str) -> Iterator[str]:
    """The lines of one source with what is underlined in them."""
    source = notes[0].span.source
    long = next((note for note in notes if _last_line(note.span) > note.span.line and note.main), None)
    marks = _marks([note for note in notes if note is not long])
    bars = _Bars(long)
    view = _View(source, gutter, max(30, width - gutter - 4), paint, severity, bars)
    wanted = sorted(set(marks) | set(bars.lines()))
    before = 0
    for number in wanted:
        if before and number == before + 2:
            yield from view.line(number - 1, [])
        elif before and number > before + 1:
            yield paint.frame("...") + view.bar_between(before)
        yield from view.line(number, marks.get(number, []))
        before = number


def _last_line(span: Span) -> int:
    """The line of the last character, its line break not counted."""
    text = span.source.text
    end = span.end
    while end > span.start and text[end - 1] in "\r\n":
        end -= 1
    return span.source.position(end)[0]


def _marks(notes: list[Note]) -> dict[int, list[_Mark]]:
    marks: dict[int, list[_Mark]] = {}
    for note in notes:
        line, column = note.span.source.position(note.span.start)
        start = column - 1
        if note.span.end_line > line:  # of further long spans the first line stands for all
            end = max(start + 1, len(note.span.source.line(line)))
        else:
            end = max(start + 1, start + note.span.end - note.span.start)
        marks.setdefault(line, []).append(_Mark(start, end, note.label, note.main))
    return marks


@dataclass(slots=True)
class _Bars:
    """The bar at the left of a span of several lines: `/`, `|` and `|_^` at its end."""

    note: Note | None
    first: int = 0
    last: int = 0
    last_column: int = 0
    _lines: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.note is None:
            return
        self.first, self.last = self.note.span.line, _last_line(self.note.span)
        start = self.note.span.source.starts[self.last - 1]
        self.last_column = max(1, min(self.note.span.end - start, len(self.note.span.source.line(self.last))))
        numbers = list(range(self.first, min(self.last, self.first + _LONGEST_SPAN // 2 - 1) + 1))
        numbers += range(max(self.first, self.last - 1), self.last + 1)
        if self.last - self.first < _LONGEST_SPAN:
            numbers = list(range(self.first, self.last + 1))
        self._lines = numbers

    def lines(self) -> list[int]:
        return self._lines

    def at(self, number: int) -> str:
        """What stands between the gutter and the line's text."""
        if self.note is None:
            return ""
        if number == self.first:
            return "/ "
        return "| " if self.first < number <= self.last else "  "

    def below(self, number: int) -> str:
        if self.note is None:
            return ""
        return "| " if self.first <= number < self.last else "  "


@dataclass(slots=True)
class _View:
    """Shows single lines of a source, those that are too wide cut around their marks."""

    source: Source
    gutter: int
    width: int
    paint: Paint
    severity: str
    bars: _Bars

    def bar_between(self, number: int) -> str:
        below = self.bars.below(number)
        return " " * self.gutter + self._main(below.rstrip()) if below.strip() else ""

    def line(self, number: int, marks: list[_Mark]) -> Iterator[str]:
        """A line, the underlines below it and their labels."""
        text = self.source.line(number)
        for cluster in self._clusters(text, marks):
            shown, column = self._cut(text, cluster)
            yield self._row(str(number), self._main(self.bars.at(number)) + shown)
            where = [(column(mark.start), column(mark.end), mark) for mark in cluster]
            for row in self._under(where):
                yield self._row("", self._main(self.bars.below(number)) + row)
        if number == self.bars.last:
            reach = _width(text[: self.bars.last_column - 1])
            reach = min(reach, self.width - 2)
            yield self._row("", self._main("|" + "_" * (reach + 1) + "^"))

    def _main(self, text: str) -> str:
        return self.paint.severity(self.severity, text)

    def _row(self, number: str, text: str) -> str:
        row = f"{self.paint.frame(f'{number:>{self.gutter}} |')} {text}"
        return row.rstrip()

    def _clusters(self, text: str, marks: list[_Mark]) -> list[list[_Mark]]:
        """Marks of one line, apart where they do not fit into one view of it."""
        marks = sorted(marks, key=lambda mark: (mark.start, mark.end))
        if not marks or len(text) <= self.width // 2:
            return [marks]
        clusters: list[list[_Mark]] = [[]]
        for mark in marks:
            if clusters[-1] and mark.end - clusters[-1][0].start > self.width // 2:
                clusters.append([])
            clusters[-1].append(mark)
        return clusters

    def _cut(self, text: str, marks: list[_Mark]) -> tuple[str, Callable[[int], int]]:
        """The part of a line that is shown, and the column in it of each character of the line."""
        room = self.width - 2
        shift = 0
        part = text[: self.width + 1]
        if len(part) > self.width or _width(part) > self.width:
            first = min((mark.start for mark in marks), default=0)
            last = max((mark.end for mark in marks), default=0)
            marked = _width(text[first : min(last, first + room)])
            if first > room or _width(text[:first]) + marked + _BESIDE > room:
                lead = room // 3 if marked <= room // 2 else _BESIDE
                shift = max(0, first - lead)
            part = _fitting(text[shift : shift + room], room)
        head = "…" if shift else ""
        tail = "…" if shift + len(part) < len(text) else ""
        columns = [len(head)]
        for char in part:
            columns.append(columns[-1] + _cells(char))

        def column(at: int) -> int:
            at = max(0, at - shift)
            return columns[at] if at < len(columns) else columns[-1] + 1

        return head + "".join(map(_shown, part)) + tail, column

    def _under(self, where: list[tuple[int, int, _Mark]]) -> Iterator[str]:
        """The row of carets with the label that fits behind it, then one row for each further label."""
        if not where:
            return
        canvas = _Canvas()
        by_length = sorted(where, key=lambda item: (item[0] - item[1], item[2].main))
        for start, end, mark in by_length:  # the shortest on top
            canvas.put(0, start, ("^" if mark.main else "-") * max(1, end - start), mark.main)
        labelled = sorted((item for item in where if item[2].label), key=lambda item: (item[0], item[1]))
        if labelled and labelled[-1][1] == max(end for _, end, _ in where):
            start, end, mark = labelled.pop()
            canvas.put(0, max(end, start + 1) + 1, mark.label, mark.main)
        for below, (start, _, mark) in enumerate(reversed(labelled), start=2):
            for row in range(1, below):
                canvas.put(row, start, "|", mark.main, over=False)
            canvas.put(below, start, mark.label, mark.main)
        for row in range(len(canvas.rows)):
            yield canvas.row(row, self._main, self.paint.frame)


class _Canvas:
    """Rows of characters, each in the colour of the error or of the other places."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[int, tuple[str, bool]]] = {}

    def put(self, row: int, column: int, text: str, main: bool, over: bool = True) -> None:
        cells = self.rows.setdefault(row, {})
        for char in text:
            if over or column not in cells:
                cells[column] = (char, main)
            column += max(1, _cells(char))

    def row(self, row: int, main: Callable[[str], str], other: Callable[[str], str]) -> str:
        cells = self.rows.get(row, {})
        out, run, kind, column = "", "", False, 0
        for at in sorted(cells):
            char, is_main = cells[at]
            gap = " " * (at - column)
            if is_main != kind or gap:
                out += (main if kind else other)(run) + gap
                run = ""
            kind = is_main
            run += char
            column = at + max(1, _cells(char))
        return out + (main if kind else other)(run)
