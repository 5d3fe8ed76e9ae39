"""How large each thing in a diagram is, and the sizes that all of it shares. Everything is in px."""

from __future__ import annotations

from archc.draw.layout.metrics import text_width
from archc.draw.scene.items import Box, Direction, Frame, Item
from archc.report.text import number

TITLE, DETAIL, SMALL = 13.0, 10.0, 9.5
"""Font sizes: names, the small line, counts and edge labels."""

CARD_HEIGHT, PILL_HEIGHT, TAG_HEIGHT, STRIP_HEIGHT, CIRCLE = 38.0, 24.0, 22.0, 18.0, 24.0
CONDITION = 12.0
"""Height of the line that says when a dotted box is there."""
DOTS = (16.0, 22.0)
"""Across and along the path that they stand in."""
BADGE_HEIGHT, BADGE_UP, BADGE_OUT = 17.0, 7.0, 2.0
"""A badge, and how far it looks out above; its middle lies a little outside the right border."""
HEADER = 28.0
"""Height of a frame's header strip, which no edge crosses."""
PADDING = 14.0
"""Between a frame's border and what is in it."""
SHEET = 4.0
"""How far each sheet behind a repeated thing looks out."""
SHEETS = 2
"""As many sheets as are drawn, whatever the number of copies."""


def count_text(box: Box) -> str:
    """What stands at the right of a box's name: its parameters, whether they are those of all its copies,
    and whether they are others' too."""
    counted = "" if box.parameters is None else number(box.parameters) + " in all" * box.together
    return f"{counted} shared".strip() if box.shared else counted


def badge_text(copies: int, parallel: bool = False) -> str:
    """The badge of a repeated thing: `×3`, or `×3 ∥`-like for parallel ones."""
    return f"×{copies}" + (" parallel" if parallel else "")


def badge_width(copies: int, parallel: bool = False) -> float:
    return text_width(badge_text(copies, parallel), DETAIL, bold=True) + 14


def badge_box(x: float, y: float, w: float, item: Item) -> tuple[float, float, float, float]:
    """Left, top, width and height of the badge of a repeated thing `w` wide, at `x`, `y`."""
    width = badge_width(item.copies, isinstance(item, Frame) and item.parallel)
    return x + w - width / 2 + BADGE_OUT, y - BADGE_UP, width, BADGE_HEIGHT


def condition_text(item: Item) -> str:
    """When a dotted thing is there."""
    return f"if {item.condition}" if item.condition and item.dotted else ""


def condition_at(x: float, y: float, w: float) -> tuple[float, float]:
    """Where the condition of a circle begins, on its baseline: beside it, above the line at its middle.
    `x`, `y` is its top left corner."""
    return x + w + 1, y + 4


def header_note(frame: Frame) -> str:
    """What stands at the right of a frame's title."""
    return " · ".join(filter(None, [condition_text(frame), frame.note]))


def header_width(frame: Frame) -> float:
    """As wide as a frame must be for what its header says."""
    width, note = text_width(frame.title, TITLE, bold=True) + 2 * 12, header_note(frame)
    if note:
        width += 16 + text_width(note, DETAIL)
    return width + (badge_width(frame.copies, frame.parallel) / 2 + 4 if frame.copies > 1 else 0.0)


def box_size(box: Box, direction: Direction = "TB") -> tuple[float, float]:
    """Width and height of a box, its further sheets not counted."""
    if box.form == "port":
        return 0.0, 0.0
    if box.form == "circle":
        return CIRCLE, CIRCLE
    if box.form == "dots":
        return DOTS if direction in ("TB", "BT") else (DOTS[1], DOTS[0])
    condition = condition_text(box) if box.form != "tag" else ""
    if box.form == "strip":
        width = text_width(box.title, DETAIL, bold=True) + text_width(box.detail, SMALL) + 16
        width = max(width + (6 if box.detail else 0), text_width(condition, SMALL) + 16)
        height = STRIP_HEIGHT
    else:
        title = text_width(box.title, TITLE, bold=True)
        count = count_text(box)
        if count:
            title += 10 + text_width(count, SMALL)
        width = max(title, text_width(box.detail, DETAIL), text_width(condition, SMALL))
        if box.form == "tag":
            return round(width + 26), CARD_HEIGHT if box.detail else TAG_HEIGHT
        width = max(width + (28 if box.form == "pill" else 20), 60)
        plain = PILL_HEIGHT if box.form == "pill" else CARD_HEIGHT - 8
        height = CARD_HEIGHT if box.detail else plain
    if condition:
        height += CONDITION
    if box.copies > 1:  # what it says and the main path stand beside the badge
        width, height = width + badge_width(box.copies), max(height, 2 * BADGE_HEIGHT - 4)
    return round(width), height


def sheets(copies: int) -> float:
    """The room at the right of and below a repeated thing."""
    return SHEET * min(SHEETS, copies - 1)
