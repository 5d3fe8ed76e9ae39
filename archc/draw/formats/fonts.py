"""The letters of pictures that carry their own: png and pdf.

They are Arimo's, from a package of the extras: their widths are those that boxes are measured with,
and no font of the system is looked up, so that a picture is the same everywhere.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from itertools import groupby
from typing import Any
from unicodedata import bidirectional, normalize

from archc.draw.formats.marking import marks
from archc.draw.formats.marks import Drawing, Group, Mark, Rect, Text, flat
from archc.draw.formats.sheet import Sheet
from archc.draw.options import DrawError

WEIGHTS = {False: 400, True: 700}
"""The weights of regular and bold."""
MOST_TOLD = 8
"""As many letters as a note names."""


def needed(module: str, extra: str) -> Any:
    """A module of an extra; where it is not installed, one line says how to get it."""
    try:
        return import_module(module)
    except ImportError:
        raise DrawError(
            f"{extra} needs a package that is not here", f"pip install 'archc[{extra}]'"
        ) from None


class Font:
    """The font's letters, regular and bold."""

    def __init__(self, extra: str) -> None:
        root = needed("fontpkg_arimo", extra).ROOT
        self._fonttools = needed("fontTools.ttLib", extra)
        self._path = root / "files" / "Arimo[wght].ttf"
        self._font = self._fonttools.TTFont(self._path, lazy=True)
        self._names: dict[int, str] = self._font.getBestCmap()
        self.unit: int = self._font["head"].unitsPerEm
        self._glyphs = {
            bold: self._font.getGlyphSet(location={"wght": weight}) for bold, weight in WEIGHTS.items()
        }

    def has(self, letter: str) -> bool:
        """Can a letter be drawn? Those that are written from right to left cannot."""
        return ord(letter) in self._names and bidirectional(letter) not in ("R", "AL")

    def width(self, text: str, bold: bool) -> float:
        """The width of letters that the font has, in its units."""
        return sum(self._glyphs[bold][self._names[ord(letter)]].width for letter in text)

    def outline(self, letter: str, bold: bool) -> str:
        """The outline of a letter as an SVG path, in the font's units, upwards."""
        pen = import_module("fontTools.pens.svgPathPen").SVGPathPen(
            self._glyphs[bold], ntos=lambda v: f"{v:g}"
        )
        self._glyphs[bold][self._names[ord(letter)]].draw(pen)
        return pen.getCommands()

    def fit(self, text: Text) -> tuple[float, float]:
        """Where a text starts, and how much narrower than the letters are it is drawn, so that it keeps
        to the room that was measured for it: at most 1."""
        width = self.width(text.text, text.bold) * text.size / self.unit
        stretch = 1.0 if width <= text.w + 0.05 else text.w / width
        before = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor]
        return text.x - before * width * stretch, stretch

    def embedded(self, letters: str, bold: bool, name: str) -> io.BytesIO:
        """A font file of a name that holds these letters in one weight, the same bytes every time."""
        subset = import_module("fontTools.subset")
        instancer = import_module("fontTools.varLib.instancer")
        font = self._fonttools.TTFont(self._path, recalcTimestamp=False)
        cutter = subset.Subsetter(subset.Options(layout_features=[], notdef_outline=True))
        cutter.populate(unicodes=[ord(letter) for letter in letters])
        cutter.subset(font)
        instancer.instantiateVariableFont(font, {"wght": WEIGHTS[bold]}, inplace=True)
        font["name"].setName(name, 6, 3, 1, 0x409)
        file = io.BytesIO()
        font.save(file)
        file.seek(0)
        return file


@cache
def font(extra: str) -> Font:
    """The font, read once; `extra` is named where its package is not installed."""
    return Font(extra)


def legible(drawn: Iterable[Mark], letters: Font) -> list[Mark]:
    """Marks whose texts the font can draw. A letter that it lacks becomes a box with the letter's number
    in Unicode's tables: never a blank."""
    found: list[Mark] = []
    for mark in drawn:
        if isinstance(mark, Group):
            found.append(replace(mark, marks=legible(mark.marks, letters)))
        elif isinstance(mark, Text):
            found += _spelled(replace(mark, text=normalize("NFC", mark.text)), letters)
        else:
            found.append(mark)
    return found


def _spelled(text: Text, letters: Font) -> Iterator[Mark]:
    if all(letters.has(letter) for letter in text.text):
        yield text
        return
    x, _, _, _ = text.box
    for here, parts in groupby(text.text, letters.has):
        for part in ["".join(parts)] if here else parts:
            piece = replace(text, text=part, x=x, anchor="start")
            if here:
                yield piece
            else:
                yield from _boxed(piece)
            x += piece.w


def _boxed(letter: Text) -> Iterator[Mark]:
    """The number of a letter in a box, its digits in two lines."""
    x, y, w, h = letter.box
    yield Rect(x + 0.5, y + 0.05 * h, w - 1, 0.95 * h, 1, "other")
    code = f"{ord(letter.text):04X}"
    half = len(code) // 2
    for digits, base in ((code[:half], 0.47), (code[half:], 0.89)):
        yield Text(x + w / 2, y + base * h, digits, 0.4 * h, "small", anchor="middle")


def lacking(drawn: Iterable[Mark], letters: Font) -> list[str]:
    """The letters of texts that the font lacks, in the order of their numbers."""
    texts = (mark.text for mark in flat(drawn) if isinstance(mark, Text))
    used = {letter for text in texts for letter in normalize("NFC", text)}
    return sorted(letter for letter in used if not letters.has(letter))


def lacking_note(sheet: Sheet | Drawing, format: str) -> str:
    """What is told of the letters of a sheet that the font lacks; nothing where it has them all."""
    letters = lacking(marks(sheet), font(format))
    if not letters:
        return ""
    names = [letter if letter.isprintable() else f"U+{ord(letter):04X}" for letter in letters[:MOST_TOLD]]
    shown = ", ".join(names) + (", ..." if len(letters) > MOST_TOLD else "")
    return (
        f"{format} has no letter for {shown}: boxes with their Unicode numbers stand for them; svg shows them"
    )
