"""Tables and numbers as people read them."""

from __future__ import annotations

import re
from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset(), indent: str = "") -> str:
    """Rows as aligned columns, two spaces apart; the columns in `right` are aligned on the right.

    >>> print(table([["conv_in", "1,792"], ["norm", "128"]], frozenset({1})))
    conv_in  1,792
    norm       128
    """
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def seconds(value: float) -> str:
    """A duration.

    >>> seconds(0.00042), seconds(0.042), seconds(4.2)
    ('0.42 ms', '42 ms', '4.2 s')
    """
    if value < 0.001:
        return f"{value * 1e3:.2f} ms"
    if value < 1:
        return f"{value * 1e3:.3g} ms"
    return f"{value:.1f} s"


def size(count: float) -> str:
    """A number of bytes.

    >>> size(512), size(5_672_960)
    ('512 B', '5.4 MiB')
    """
    units = ["B", "KiB", "MiB", "GiB"]
    while count >= 1024 and len(units) > 1:
        count /= 1024
        del units[0]
    return f"{count:.0f} B" if units[0] == "B" else f"{count:.1f} {units[0]}"


def formula(text: str) -> str:
    """An expression over sizes as people write it; fractions have six digits.

    >>> formula("458752 * B * H ** 2 + 3 * (W // 2)"), formula("× 0.7071067811865476")
    ('458.8k·B·H² + 3·(W//2)', '× 0.707107')
    """
    text = re.sub(r"\b\d+\.\d+\b", lambda found: f"{float(found[0]):.6g}", text)
    text = re.sub(r"(?<![\d.])\d{4,}\b(?!\.)", lambda found: number(int(found[0])), text)
    for python, sign in ((" ** 2", "²"), (" ** 3", "³"), (" * ", "·"), (" // ", "//")):
        text = text.replace(python, sign)
    return text


def number(count: float) -> str:
    """A count, shortened to three or four digits.

    >>> number(950), number(74_112), number(295_424), number(1.34e9)
    ('950', '74.1k', '295.4k', '1.3G')
    """
    units = ["", "k", "M", "G", "T"]
    while count >= 999.95 and len(units) > 1:
        count /= 1000
        del units[0]
    return f"{count:.0f}" if not units[0] else f"{count:.1f}{units[0]}"
