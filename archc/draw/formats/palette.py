"""The colours of a diagram: by kind, light and dark. Never colour alone: every box has its name."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from archc.draw.scene.items import Style


@dataclass(frozen=True, slots=True)
class Colours:
    fill: str
    stroke: str


KINDS = ("conv", "linear", "norm", "activation", "attention", "resampling", "other")

LIGHT = {
    "conv": Colours("#dbeafe", "#2563eb"),
    "linear": Colours("#e0e7ff", "#4f46e5"),
    "norm": Colours("#dcfce7", "#16a34a"),
    "activation": Colours("#fef3c7", "#d97706"),
    "attention": Colours("#fae8ff", "#a21caf"),
    "resampling": Colours("#ffedd5", "#ea580c"),
    "other": Colours("#f8fafc", "#94a3b8"),
    "input": Colours("#eef2f7", "#64748b"),
    "output": Colours("#eef2f7", "#64748b"),
    "circle": Colours("#ffffff", "#334155"),
    "frame": Colours("#f8fafc", "#94a3b8"),
    "deep": Colours("#eef2f7", "#94a3b8"),
    "badge": Colours("#0f172a", "#0f172a"),
    "dots": Colours("#475569", "#475569"),
}
DARK = {
    "conv": Colours("#172a4d", "#60a5fa"),
    "linear": Colours("#252350", "#818cf8"),
    "norm": Colours("#12331f", "#4ade80"),
    "activation": Colours("#3a2a0b", "#fbbf24"),
    "attention": Colours("#3a1442", "#e879f9"),
    "resampling": Colours("#3d1f0d", "#fb923c"),
    "other": Colours("#1c2636", "#64748b"),
    "input": Colours("#243044", "#94a3b8"),
    "output": Colours("#243044", "#94a3b8"),
    "circle": Colours("#0d1420", "#cbd5e1"),
    "frame": Colours("#131c2b", "#475569"),
    "deep": Colours("#1a2436", "#475569"),
    "badge": Colours("#e2e8f0", "#e2e8f0"),
    "dots": Colours("#a3b1c6", "#a3b1c6"),
}


@dataclass(frozen=True, slots=True)
class Inks:
    """The colours of the page, of texts and of lines."""

    page: str
    text: str
    small: str
    on_badge: str
    data: str
    residual: str
    optional: str

    def __getitem__(self, name: str) -> str:
        return getattr(self, name)


LIGHT_INKS = Inks("#ffffff", "#0f172a", "#475569", "#ffffff", "#334155", "#7c3aed", "#64748b")
DARK_INKS = Inks("#0d1420", "#e5eaf2", "#a3b1c6", "#0f172a", "#b6c2d4", "#a78bfa", "#94a3b8")

DASHES: dict[Style, tuple[int, ...]] = {"data": (), "residual": (6, 4), "optional": (2, 3)}
DOTTED = (2, 3)
"""The border of what may be absent."""


def legend(kinds: Collection[str], styles: Collection[str]) -> list[tuple[Literal["kind", "style"], str]]:
    """The entries of a legend, in its order: the kinds of boxes and the styles of edges that occur.

    >>> legend({"norm", "conv", "input"}, {"data"})
    [('kind', 'conv'), ('kind', 'norm'), ('style', 'data')]
    """
    shown = [("kind", kind) for kind in KINDS if kind in kinds]
    return [*shown, *(("style", style) for style in DASHES if style in styles)]  # type: ignore[list-item]


def colours(ink: str, dark: bool = False) -> Colours:
    """The colours of an ink: of a name in the tables, or of a spec's own colour, `#rrggbb`.

    A colour of the spec keeps its hue; its tint fits the page, so that texts on it can be read.

    >>> colours("conv"), colours("#ff0000").fill, colours("#ff0000", dark=True).fill
    (Colours(fill='#dbeafe', stroke='#2563eb'), '#ffe0e0', '#3d101a')
    """
    if not ink.startswith("#"):
        return (DARK if dark else LIGHT)[ink]
    rgb = _rgb(ink)
    page = _rgb((DARK_INKS if dark else LIGHT_INKS).page)
    towards = (255, 255, 255) if dark else (0, 0, 0)
    steps = (_mix(rgb, towards, share / 10) for share in range(11))
    stroke = next(colour for colour in steps if _contrast(colour, page) >= 3)
    return Colours(_hex(_mix(page, rgb, 0.2 if dark else 0.12)), _hex(stroke))


def spec_ink(color: str | None) -> str | None:
    """The ink of a colour that a spec gives, `#rgb` or `#rrggbb`; None of any other text.

    >>> spec_ink("#F00"), spec_ink("reddish")
    ('#ff0000', None)
    """
    if not color or not _HEX.fullmatch(color):
        return None
    digits = color[1:].lower()
    return "#" + ("".join(digit * 2 for digit in digits) if len(digits) == 3 else digits)


_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_RGB = tuple[float, ...]


def _rgb(colour: str) -> _RGB:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def _hex(colour: _RGB) -> str:
    return "#" + "".join(f"{round(value):02x}" for value in colour)


def _mix(a: _RGB, b: _RGB, share: float) -> _RGB:
    return tuple(x + (y - x) * share for x, y in zip(a, b, strict=True))


def _contrast(a: _RGB, b: _RGB) -> float:
    """How far two colours stand apart, from 1 to 21, as WCAG 2 measures it."""
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: _RGB) -> float:
    linear = ((v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4) for v in colour)
    return sum(share * value for share, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
