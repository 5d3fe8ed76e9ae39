"""Documents of texts, possible line breaks and groups, laid out within 88 columns.

Wadler's pretty printing as ruff and prettier do it: a group stands on one line where it fits,
else all its own breaks are taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 88
STEP = "    "


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a line may break: what stands there when it does not, and when it does."""

    flat: str = " "
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Comma:
    """A trailing comma, written where its group is broken."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A string literal, and the adjacent ones it falls into where its line is too short."""

    flat: str
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    parts: tuple[Doc, ...]


@dataclass(frozen=True, slots=True)
class Indent:
    parts: tuple[Doc, ...]


Doc = str | Break | Comma | Pieces | Group | Indent

SPACE = Break(" ")
SOFT = Break("")


def bracketed(opening: str, parts: Iterable[Doc], closing: str) -> Group:
    return Group((opening, Indent((SOFT, *parts)), SOFT, closing))


def flat_text(doc: Doc) -> str:
    match doc:
        case str():
            return doc
        case Break(flat=flat):
            return flat
        case Comma():
            return ""
        case Pieces(flat=flat):
            return flat
    return "".join(map(flat_text, doc.parts))


def lay_out(docs: list[Doc], indent: int, column: int, room: int = 0) -> str:
    """Text of documents that start at `column`; `room` columns are kept free behind them."""
    out: list[str] = []
    # Work still to do, last first: (indent, broken, document).
    work: list[tuple[int, bool, Doc]] = [(indent, True, d) for d in reversed(docs)]
    while work:
        depth, broken, doc = work.pop()
        match doc:
            case str():
                out.append(doc)
                column += len(doc)
            case Comma():
                if broken:
                    out.append(",")
                    column += 1
            case Break():
                if broken:
                    out.append(doc.broken + "\n" + " " * depth)
                    column = depth
                else:
                    out.append(doc.flat)
                    column += len(doc.flat)
            case Pieces():
                out.append(("\n" + " " * depth).join(doc.pieces) if broken else doc.flat)
                column += len(doc.flat)
            case Indent():
                work += [(depth + len(STEP), broken, p) for p in reversed(doc.parts)]
            case Group():
                flat = not broken or _fits(doc, work, WIDTH - column - room)
                work += [(depth, not flat, p) for p in reversed(doc.parts)]
    return "".join(out)


def _fits(group: Group, rest: list[tuple[int, bool, Doc]], width: int) -> bool:
    """Does the group fit on the line, with what follows up to the next break that is taken?"""
    pending: list[tuple[bool, Doc]] = [(False, group)]
    upcoming = len(rest)
    while width >= 0:
        if not pending:
            if upcoming == 0:
                return True
            upcoming -= 1
            _, broken, doc = rest[upcoming]
            pending.append((broken, doc))
            continue
        broken, doc = pending.pop()
        match doc:
            case str():
                width -= len(doc)
            case Comma():
                width -= broken
            case Break():
                if broken:
                    return True
                width -= len(doc.flat)
            case Pieces():
                width -= len(doc.flat)
            case Indent():
                pending += [(broken, p) for p in reversed(doc.parts)]
            case Group():
                # What follows may break in its own brackets: of a chain's, the last are broken first.
                pending += [(broken, p) for p in reversed(doc.parts)]
    return False
