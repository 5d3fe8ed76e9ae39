"""What a YAML scalar says, and where each of its characters stands in the source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archc.source.tree import Scalar

_WORDS: dict[str, None | bool] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

LONGEST_NUMBER = 300
"""Digits of the longest number that a spec may hold: more than any float can tell apart."""


def is_number(text: str) -> bool:
    """Is a plain scalar written as a number?"""
    return any(form.fullmatch(text) for form in (_INT, _FLOAT, _SPECIAL))


def resolve(text: str) -> None | bool | int | float | str:
    """A plain scalar's value in the core schema of YAML 1.2.

    A number longer than LONGEST_NUMBER stays text; `yaml.parse` has refused it before.

    >>> [resolve(text) for text in ("1e-6", "no", "0o17", "0x1F", "~", "True", "1_000")]
    [1e-06, 'no', 15, 31, None, True, '1_000']
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789" or len(text) > LONGEST_NUMBER:
        return text
    if _INT.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return float(text)
    if special := _SPECIAL.fullmatch(text):
        return float("nan") if special[1] is None else float(special[1] + "inf")
    return text


class Offsets:
    """Where each character of a scalar's text starts and ends in the source."""

    __slots__ = ("ends", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        self.starts.append(start)
        self.ends.append(end)

    def run(self, start: int, end: int) -> None:
        """Characters that stand for themselves."""
        self.starts.extend(range(start, end))
        self.ends.extend(range(start + 1, end + 1))


def offsets(scalar: Scalar) -> Offsets:
    """The places of a scalar's characters; all of them the whole scalar where they cannot be told."""
    found = Offsets()
    lay = _block if scalar.style in ("literal", "folded") else _flow
    if not lay(scalar, found) or len(found.starts) != len(scalar.text):
        found.starts = [scalar.start] * len(scalar.text)
        found.ends = [scalar.end] * len(scalar.text)
    return found


_SINGLE = re.compile(r"(?P<space>[ \t\r\n]+)|(?P<escape>'')|[^ \t\r\n']+")
_DOUBLE = re.compile(
    r"(?P<space>[ \t\r\n]+)|(?P<joined>\\\r?\n[ \t\r\n]*)"
    r"|(?P<escape>\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.))|[^ \t\r\n\\]+",
    re.DOTALL,
)
_PLAIN = re.compile(r"(?P<space>[ \t\r\n]+)|[^ \t\r\n]+")
_BREAK = re.compile(r"\r?\n")


def _flow(scalar: Scalar, found: Offsets) -> bool:
    """Plain and quoted scalars: a line break is a space, n of them are n - 1 line breaks."""
    quotes = 0 if scalar.style == "plain" else 1
    tokens = {"plain": _PLAIN, "single": _SINGLE, "double": _DOUBLE}[scalar.style]
    text = scalar.source.text
    for token in tokens.finditer(text, scalar.start + quotes, scalar.end - quotes):
        kind = token.lastgroup
        if kind is None:
            found.run(token.start(), token.end())
        elif kind == "escape":
            found.add(token.start(), token.end())
        else:
            breaks = list(_BREAK.finditer(text, token.start(), token.end()))
            if kind == "joined" or len(breaks) > 1:
                breaks = breaks[1:]
            elif not breaks:
                found.run(token.start(), token.end())
            for one in breaks:
                found.add(one.start(), one.end())
    return True


def _block(scalar: Scalar, found: Offsets) -> bool:
    """Literal and folded scalars, by laying their text along the lines from the right.

    So the indentation, which may be given by a number that counts from the parent's, is not needed.
    Each line adds its own characters; the breaks before it add what of them the text kept.
    """
    source, text = scalar.source.text, scalar.text
    at = source.find("\n", scalar.start)
    done = 0
    pending: list[tuple[int, int]] = []
    while at >= 0 and done < len(text):
        start = at + 1
        end = source.find("\n", start)
        at = end
        end = len(source) if end < 0 else end
        bare = end - 1 if source[start:end].endswith("\r") else end
        content = source[start:bare].lstrip(" ")
        if content and start >= scalar.end:
            break
        if content:
            kept = 0
            while done + kept < len(text) and text[done + kept] == "\n":
                kept += 1
            if kept:
                taken = pending[-kept:]
                if len(taken) < kept:
                    return False
            else:
                taken = pending[-1:] if scalar.style == "folded" and text[done] == " " and done else []
            for one in taken:
                found.add(*one)
            done += len(taken)
            pending = []
            surplus = 0
            while done + surplus < len(text) and text[done + surplus] == " ":
                surplus += 1
            if not text.startswith(content, done + surplus):
                return False
            found.run(bare - len(content) - surplus, bare)
            done += surplus + len(content)
        pending.append((bare, bare + 1))
    last = pending[-1] if pending else (scalar.end, scalar.end)
    for k, char in enumerate(text[done:]):  # the breaks that `|+` keeps at the end
        if char != "\n":
            return False
        found.add(*(pending[k] if k < len(pending) else last))
    return True
