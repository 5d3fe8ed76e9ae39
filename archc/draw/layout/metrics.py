"""Widths of texts, from a table that ships with archc: no font is looked up, so that a picture has
the same bytes everywhere.

The advance widths are those of Helvetica, Arial and Liberation Sans, in thousandths of the size.
"""

from __future__ import annotations

from functools import lru_cache

FAMILY = "Helvetica, Arial, 'Liberation Sans', Arimo, 'Nimbus Sans', sans-serif"

# Printable ASCII, from the space on, regular and bold.
_REGULAR = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 "
    "556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 "
    "667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 "
    "556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)
_BOLD = (
    "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 "
    "556 556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 "
    "667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611 "
    "611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584"
)
_FURTHER = {
    "→": 1000,
    "×": 584,
    "·": 278,
    "≥": 549,
    "≤": 549,
    "≠": 549,
    "√": 549,
    "−": 584,
    "÷": 549,
    "…": 1000,
}
_UNKNOWN = 700  # wide enough for most letters of other alphabets
_WIDE = 1000  # Chinese, Japanese, Korean


def _table(widths: str) -> dict[str, int]:
    return {chr(32 + i): int(width) for i, width in enumerate(widths.split())} | _FURTHER


_TABLES = {False: _table(_REGULAR), True: _table(_BOLD)}


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width of a text set in a size, in the size's unit.

    >>> text_width("conv", 10)
    21.12
    """
    table = _TABLES[bold]
    total = sum(table.get(c) or (_WIDE if ord(c) >= 0x1100 else _UNKNOWN) for c in text)
    return round(total * size / 1000, 2)
