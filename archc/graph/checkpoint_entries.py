"""The entries of a checkpoint map, `down.<i>.layer.<j>.res.*: down.<i>.block.<j>.*`, as they are read.

On the left stands a name of ours, on the right the published one. Both are relative to the block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from archc.lang.lexer import LITERALS, Place
from archc.lang.parser import parse_expression
from archc.lang.schema import Block
from archc.lang.syntax import Expr
from archc.source.diagnostic import Diagnostic, Report
from archc.source.text import Span
from archc.source.tree import Mapping, Scalar

CAPTURES = 8
"""The most captures of an entry: more is a mistake, or an attack."""

_CAPTURE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_LITERAL = re.compile(r"[A-Za-z0-9_/:-]+")
_CHANGES = re.compile(r"[\[\](),=]|\.T\Z")


class Ours(NamedTuple):
    """The left side: which names of ours an entry speaks of.

    `segments` match one segment of a name each; where `rest`, at least one more follows.
    `literal` counts the characters that are no capture."""

    span: Span
    segments: tuple[re.Pattern[str], ...]
    texts: tuple[str, ...]
    rest: bool
    literal: int

    def match(self, name: list[str]) -> dict[str, str] | None:
        """The captures, where a name, in segments, is one of these; else None."""
        count = len(self.segments)
        if len(name) <= count if self.rest else len(name) != count:
            return None
        captures: dict[str, str] = {}
        for segment, pattern in zip(name, self.segments, strict=False):
            found = pattern.fullmatch(segment)
            if found is None:
                return None
            for capture, text in found.groupdict().items():
                if captures.setdefault(capture, text) != text:
                    return None
        return captures

    @property
    def rank(self) -> tuple[int, bool, int]:
        """Of several entries for a name the highest is taken: the longest literal; then the one for a
        whole name, then the one of more segments."""
        return self.literal, not self.rest, len(self.segments)


class Theirs(NamedTuple):
    """The right side: texts and expressions in turn, and the rest of the name where the left has one."""

    span: Span
    parts: tuple[str | Expr, ...]

    def fill(self, texts: MappingOf[int, str], rest: str) -> str:
        """The published name: `texts` are its expressions' values, by their place among the parts."""
        return "".join(texts[n] if n in texts else str(part) for n, part in enumerate(self.parts)) + rest


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A line of a checkpoint map. Entries are compared by identity."""

    ours: Ours
    theirs: Theirs


class NameMap(NamedTuple):
    """A checkpoint map of a block: its entries, and what is wrong with those that cannot be read."""

    span: Span
    entries: tuple[Entry, ...]
    problems: tuple[Diagnostic, ...]


class _Malformed(Exception):
    """An entry that cannot be read, and why."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics


def _fail(message: str, span: Span, help: str, code: str = "A611") -> NoReturn:
    raise _Malformed(Diagnostic(code, message, span, help))


def name_map(block: Block, name: str) -> NameMap | None:
    """A block's checkpoint map of that name, None where it has none."""
    maps = block.checkpoints
    tree = maps.get(name) if isinstance(maps, Mapping) else None
    return _read(maps.key(name), tree) if isinstance(tree, Mapping) else None


@lru_cache(maxsize=1024)
def _read(name: Scalar, tree: Mapping) -> NameMap:
    entries: list[Entry] = []
    problems: list[Diagnostic] = []
    for key, value in tree:
        try:
            entries.append(_entry(key, value))
        except _Malformed as wrong:
            problems.extend(wrong.diagnostics)
    return NameMap(name.span, tuple(entries), tuple(problems))


def map_names(block: Block) -> tuple[str, ...]:
    """The names of a block's checkpoint maps."""
    return tuple(block.checkpoints.keys()) if isinstance(block.checkpoints, Mapping) else ()


def _entry(key: Scalar, value: Any) -> Entry:
    if key.text == "ignore" or not isinstance(value, Scalar):
        message = "checkpoint maps cannot do this yet: they give one name for another"
        _fail(message, key.span, "write it like `conv1.*: c1.*`", "A616")
    ours = _ours(key)
    theirs, rest = _theirs(value)
    if ours.rest and not rest:
        help = "end both sides with `.*`, or neither"
        _fail("the left ends with `*`, the right does not", value.span, help)
    if rest and not ours.rest:
        help = "end both sides with `.*`, or neither"
        _fail("the right ends with `*`, the left does not", key.span, help)
    return Entry(ours, theirs)


def _ours(key: Scalar) -> Ours:
    text, at = key.text, 0
    segments: list[re.Pattern[str]] = []
    texts: list[str] = []
    captures: list[str] = []
    rest = False
    literal = 0
    for segment in text.split("."):
        span, where = key.sub(at, at + len(segment)), at
        at += len(segment) + 1
        if rest:
            _fail("`*` stands for the rest of a name", span, "end the name with `.*`")
        if segment == "*":
            rest = True
            continue
        pattern, inside = "", 0
        while inside < len(segment):
            if segment[inside] == "<":
                end = segment.find(">", inside)
                name = segment[inside + 1 : end] if end >= 0 else segment[inside + 1 :]
                place = key.sub(where + inside, where + (end + 1 if end >= 0 else len(segment)))
                if end < 0 or not _CAPTURE.fullmatch(name) or name in LITERALS:
                    help = "on the left, `<i>` gives a part of the name that name"
                    _fail(f"`<{name}>` is no capture", place, help)
                if pattern.endswith(")"):
                    help = "write something between them"
                    _fail("nobody knows where one capture ends", place, help)
                pattern += f"(?P={name})" if f"(?P<{name}>" in pattern else f"(?P<{name}>.+)"
                captures.append(name)
                inside = end + 1
                continue
            found = _LITERAL.match(segment, inside)
            if found is None:
                help = "a name is made of words and dots, captures `<i>`, and `*` at its end"
                one = key.sub(where + inside, where + inside + 1)
                _fail(f"`{segment[inside]}` has no place in a name", one, help)
            pattern += re.escape(found[0])
            literal += len(found[0])
            inside = found.end()
        if not segment:
            _fail("a part of the name is missing", key.span, "write one dot between parts")
        segments.append(re.compile(pattern))
        texts.append(segment)
    if len(captures) > CAPTURES:
        _fail(f"more than {CAPTURES} captures", key.span, "use fewer of them")
    return Ours(key.span, tuple(segments), tuple(texts), rest, literal)


class _Part(NamedTuple):
    """A part of a scalar, as a text of its own."""

    whole: Scalar
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.whole.text[self.start : self.end]

    def sub(self, i: int, j: int) -> Span:
        return self.whole.sub(self.start + i, self.start + j)


def _theirs(value: Scalar) -> tuple[Theirs, bool]:
    text = value.text
    parts: list[str | Expr] = []
    plain = ""  # the name so far, an expression as a letter
    at = 0
    while at < len(text):
        if text[at] == "<":
            end = _closing(text, at)
            if end < 0:
                span = value.sub(at, len(text))
                _fail("`<` is never closed", span, "write `<i>` or `<levels - 1 - i>`")
            parts.append(_expression(_Part(value, at + 1, end)))
            plain += "x"
            at = end + 1
            continue
        end = text.find("<", at)
        end = len(text) if end < 0 else end
        parts.append(text[at:end])
        plain += text[at:end]
        at = end
    if _CHANGES.search(plain):
        message = "checkpoint maps cannot cut, turn or join tensors yet: they give one name for another"
        _fail(message, value.span, "write a name alone", "A616")
    rest = plain == "*" or plain.endswith(".*")
    name = plain.removesuffix("*").removesuffix(".") if rest else plain
    if (name or not rest) and not all(_LITERAL.fullmatch(s) for s in name.split(".")):
        help = "a name is made of words and dots, `<expression>`, and `*` at its end"
        _fail(f"`{text}` is no name", value.span, help)
    if rest:
        last = parts[-1]
        assert isinstance(last, str)
        parts[-1] = last.removesuffix("*")
    return Theirs(value.span, tuple(parts)), rest


def _closing(text: str, start: int) -> int:
    """Where the `>` stands that closes a `<`: outside of quotes, and no comparison, which has a space
    or `=` behind it. -1: nowhere."""
    quote = ""
    for at in range(start + 1, len(text)):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == ">" and text[at + 1 : at + 2] not in (" ", "="):
            return at
    return -1


def _expression(place: Place) -> Expr:
    report = Report()
    found = parse_expression(place, report)
    if found is None:
        raise _Malformed(*report.diagnostics)
    return found
