"""A sheet as PNG, at twice its size so that it is sharp on every screen; light, with a white page."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from archc.draw.formats.chunks import SOFTWARE, with_chunks
from archc.draw.formats.fonts import Font, font, legible, needed
from archc.draw.formats.marks import Drawing, Group, Mark, Text, flat
from archc.draw.formats.palette import LIGHT_INKS
from archc.draw.formats.sheet import Sheet
from archc.draw.formats.svg import SvgWriter, heads
from archc.draw.limits import TooLarge

MOST_SIDE, MOST_PIXELS = 16_000, 100_000_000
"""More than this, and programs that show pictures refuse them."""
PIXELS_PER_METRE = 96 / 0.0254
"""Of a picture in its natural size."""


def png(sheet: Sheet | Drawing) -> bytes:
    """The bytes of a PNG file. Where twice the size is too much, it is drawn in its natural size.

    Raises TooLarge where that is too much as well.
    """
    zoom = next((zoom for zoom in (2, 1) if _fits(sheet.width * zoom, sheet.height * zoom)), None)
    if zoom is None:
        raise TooLarge(
            f"png holds at most {MOST_SIDE:,} px a side and {MOST_PIXELS // 10**6} million px, "
            f"not {sheet.width:,} x {sheet.height:,}"
        )
    resvg = needed("resvg_py", "png")
    # Letters are outlines by now: no font is looked up.
    picture = bytes(
        resvg.svg_to_bytes(svg_string=_Outlined().write(sheet), zoom=zoom, skip_system_fonts=True)
    )
    density = round(PIXELS_PER_METRE * zoom)
    return with_chunks(picture, SOFTWARE, (b"pHYs", struct.pack(">IIB", density, density, 1)))


def _fits(width: int, height: int) -> bool:
    return max(width, height) <= MOST_SIDE and width * height <= MOST_PIXELS


class _Outlined(SvgWriter):
    """Writes letters as their outlines, and nothing that a picture cannot show."""

    def __init__(self) -> None:
        self.font: Font = font("png")

    def head(self, sheet: Sheet | Drawing, drawn: list[Mark]) -> Iterator[str]:
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{sheet.width}" height="{sheet.height}" '
            f'viewBox="0 0 {sheet.width} {sheet.height}">'
        )
        texts = (mark for mark in flat(drawn) if isinstance(mark, Text))
        used = {(letter, text.bold) for text in texts for letter in text.text}
        letters = "".join(
            f'<path id="{_name(letter, bold)}" d="{self.font.outline(letter, bold)}"/>'
            for letter, bold in sorted(used)
        )
        yield f"<defs>{heads(drawn)}{letters}</defs>"

    def drawn(self, sheet: Sheet | Drawing) -> list[Mark]:
        return legible(super().drawn(sheet), self.font)

    def group(self, group: Group) -> Iterator[str]:
        yield from self.marks(group.marks)

    def text(self, text: Text) -> str:
        x, stretch = self.font.fit(text)
        scale = text.size / self.font.unit
        parts, at = [], 0.0
        for letter in text.text:
            parts.append(f'<use href="#{_name(letter, text.bold)}" x="{at:g}"/>')
            at += self.font.width(letter, text.bold)
        return (
            f'<g fill="{LIGHT_INKS[text.ink]}" transform="matrix({scale * stretch:.6f} 0 0 {-scale:.6f} '
            f'{x:.2f} {text.y:.2f})">{"".join(parts)}</g>'
        )


def _name(letter: str, bold: bool) -> str:
    return f"{'b' if bold else 'r'}{ord(letter)}"
