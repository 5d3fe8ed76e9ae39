"""The entries of a checkpoint map, `down.<i>.layer.<j>.res.*: down.<i>.block.<j>.*`, as they are read.

On the left stands a name of ours, on the right what it is of the published ones. Both are relative to
the block. `ignore` lists names that are published and not wanted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from archc.graph.checkpoint_right import LITERAL, Malformed, Name, Theirs, fail, names, read
from archc.lang.lexer import LITERALS
from archc.lang.schema import Block
from archc.source.diagnostic import Diagnostic
from archc.source.text import Span
from archc.source.tree import Mapping, Scalar, Sequence

CAPTURES = 8
"""The most captures of an entry: more is a mistake, or an attack."""

WILDCARDS = 3
"""The most `*` and `<i>` of a name to pass over."""

_CAPTURE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PATTERN = re.compile(r"(?:[A-Za-z0-9_/:.*-]|<[A-Za-z_]\w*>)+", re.ASCII)


class Ours(NamedTuple):
    """The left side: which names of ours an entry speaks of.

    `texts` are its segments, and `segments` what matches one with captures, None where it is its text;
    where `rest`, at least one more follows.
    `literal` counts the characters that are no capture."""

    span: Span
    segments: tuple[re.Pattern[str] | None, ...]
    texts: tuple[str, ...]
    rest: bool
    literal: int

    def match(self, name: list[str]) -> dict[str, str] | None:
        """The captures, where a name, in segments, is one of these; else None."""
        count = len(self.segments)
        if len(name) <= count if self.rest else len(name) != count:
            return None
        captures: dict[str, str] = {}
        for segment, text, pattern in zip(name, self.texts, self.segments, strict=False):
            if pattern is None:
                if segment != text:
                    return None
                continue
            found = pattern.fullmatch(segment)
            if found is None:
                return None
            for capture, part in found.groupdict().items():
                if captures.setdefault(capture, part) != part:
                    return None
        return captures

    def may_be(self, at: int, segment: str) -> bool:
        """May the segment `at` of a name that it speaks of be this one?"""
        pattern = self.segments[at]
        return segment == self.texts[at] if pattern is None else pattern.fullmatch(segment) is not None

    @property
    def rank(self) -> tuple[int, bool, int]:
        """Of several entries for a name the highest is taken: the longest literal; then the one for a
        whole name, then the one of more segments."""
        return self.literal, not self.rest, len(self.segments)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A line of a checkpoint map. Entries are compared by identity."""

    ours: Ours
    theirs: Theirs
    span: Span  # of the right side

    @property
    def plain(self) -> bool:
        """Does it give one name for another, and nothing else?"""
        return isinstance(self.theirs, Name)


class NameMap(NamedTuple):
    """A checkpoint map of a block: its entries, the patterns of names that it passes over, and what is
    wrong with those that cannot be read."""

    span: Span
    entries: tuple[Entry, ...]
    ignored: tuple[str, ...]
    problems: tuple[Diagnostic, ...]


def name_map(block: Block, name: str) -> NameMap | None:
    """A block's checkpoint map of that name, None where it has none."""
    maps = block.checkpoints
    tree = maps.get(name) if isinstance(maps, Mapping) else None
    return _read(maps.key(name), tree) if isinstance(tree, Mapping) else None


@lru_cache(maxsize=1024)
def _read(name: Scalar, tree: Mapping) -> NameMap:
    entries: list[Entry] = []
    ignored: tuple[str, ...] = ()
    problems: list[Diagnostic] = []
    for key, value in tree:
        try:
            if key.text == "ignore":
                ignored = _ignored(value)
            else:
                entries.append(_entry(key, value))
        except Malformed as wrong:
            problems.extend(wrong.diagnostics)
    return NameMap(name.span, tuple(entries), ignored, tuple(problems))


def map_names(block: Block) -> tuple[str, ...]:
    """The names of a block's checkpoint maps."""
    return tuple(block.checkpoints.keys()) if isinstance(block.checkpoints, Mapping) else ()


def _ignored(value: Any) -> tuple[str, ...]:
    found: list[str] = []
    for item in value if isinstance(value, Sequence) else [value]:
        if not isinstance(item, Scalar) or not _PATTERN.fullmatch(item.text):
            help = 'list names, in which `*` is any text: `ignore: ["*.mask"]`'
            fail("this is no name to pass over", item.span, help)
        if item.text.count("*") + item.text.count("<") > WILDCARDS:
            fail(f"more than {WILDCARDS} `*` and `<i>`", item.span, "write out more of the name")
        found.append(item.text)
    return tuple(found)


def _entry(key: Scalar, value: Any) -> Entry:
    if not isinstance(value, Scalar):
        fail("an entry gives one name for another", value.span, "write it like `conv1.*: c1.*`")
    ours = _ours(key)
    theirs = read(value)
    for name in names(theirs):
        if name.rest == ours.rest:
            continue
        help = "end both sides with `.*`, or neither"
        if ours.rest:
            fail("the left ends with `*`, the right does not", name.span, help)
        fail("the right ends with `*`, the left does not", key.span, help)
    return Entry(ours, theirs, value.span)


def _ours(key: Scalar) -> Ours:
    text, at = key.text, 0
    segments: list[re.Pattern[str] | None] = []
    texts: list[str] = []
    captures: list[str] = []
    rest = False
    literal = 0
    for segment in text.split("."):
        span, where = key.sub(at, at + len(segment)), at
        at += len(segment) + 1
        if rest:
            fail("`*` stands for the rest of a name", span, "end the name with `.*`")
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
                    fail(f"`<{name}>` is no capture", place, help)
                if pattern.endswith(")"):
                    help = "write something between them"
                    fail("nobody knows where one capture ends", place, help)
                pattern += f"(?P={name})" if f"(?P<{name}>" in pattern else f"(?P<{name}>.+)"
                captures.append(name)
                inside = end + 1
                continue
            found = LITERAL.match(segment, inside)
            if found is None:
                help = "a name is made of words and dots, captures `<i>`, and `*` at its end"
                one = key.sub(where + inside, where + inside + 1)
                fail(f"`{segment[inside]}` has no place in a name", one, help)
            pattern += re.escape(found[0])
            literal += len(found[0])
            inside = found.end()
        if not segment:
            fail("a part of the name is missing", key.span, "write one dot between parts")
        segments.append(re.compile(pattern) if "<" in segment else None)
        texts.append(segment)
    if len(captures) > CAPTURES:
        fail(f"more than {CAPTURES} captures", key.span, "use fewer of them")
    return Ours(key.span, tuple(segments), tuple(texts), rest, literal)
