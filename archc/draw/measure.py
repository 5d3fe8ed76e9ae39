"""How large each thing in a diagram is, and the sizes that all of it shares. Everything is in px."""

from __future__ import annotations

from archc.draw.metrics import text_width
from archc.draw.scene import Box
from archc.report.text import number

TITLE, DETAIL, SMALL = 13.0, 10.0, 9.5
"""Font sizes: names, the small line, counts and edge labels."""

CARD_HEIGHT, PILL_HEIGHT, TAG_HEIGHT, CIRCLE = 38.0, 24.0, 22.0, 24.0
HEADER = 28.0
"""Height of a frame's header strip, which no edge crosses."""
PADDING = 14.0
"""Between a frame's border and what is in it."""
SHEET = 4.0
"""How far each sheet behind a repeated thing looks out."""
SHEETS = 2
"""As many sheets as are drawn, whatever the number of copies."""


def count_text(box: Box) -> str:
    """What stands at the right of a box's name: its parameters, or that they are another's."""
    if box.shared and box.parameters is None:
        return "shared"
    return "" if box.parameters is None else number(box.parameters)


def badge_text(copies: int, parallel: bool = False) -> str:
    """The badge of a repeated thing: `×3`, or `×3 ∥`-like for parallel ones."""
    return f"×{copies}" + (" parallel" if parallel else "")


def badge_width(copies: int, parallel: bool = False) -> float:
    return text_width(badge_text(copies, parallel), DETAIL, bold=True) + 14


def box_size(box: Box) -> tuple[float, float]:
    """Width and height of a box, its further sheets not counted."""
    if box.form == "port":
        return 0.0, 0.0
    if box.form == "circle":
        return CIRCLE, CIRCLE
    title = text_width(box.title, TITLE, bold=True)
    count = count_text(box)
    if count:
        title += 10 + text_width(count, SMALL)
    width = max(title, text_width(box.detail, DETAIL))
    if box.form == "tag":
        return round(width + 26), CARD_HEIGHT if box.detail else TAG_HEIGHT
    height = CARD_HEIGHT if box.detail else (PILL_HEIGHT if box.form == "pill" else CARD_HEIGHT - 8)
    return round(max(width + (28 if box.form == "pill" else 20), 60)), height


def sheets(copies: int) -> float:
    """The room at the right of and below a repeated thing."""
    return SHEET * min(SHEETS, copies - 1)
