"""The tree of a YAML file: scalars, mappings and sequences that know their places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from archc.source.scalar import Offsets, offsets, resolve
from archc.source.text import Source, Span

Style = Literal["plain", "single", "double", "literal", "folded"]


class Scalar:
    """A text of the tree. `span` covers its quotes or its `|`, not its anchor.

    `text` is what YAML made of it, `value` what the core schema of YAML 1.2 says it is:
    None, a bool, an int, a float, or (always where it is quoted) the text.
    """

    __slots__ = ("_offsets", "end", "source", "start", "style", "text", "torn")

    def __init__(self, source: Source, start: int, end: int, text: str, style: Style = "plain") -> None:
        self.source = source
        self.start = start
        self.end = end
        self.text = text
        self.style: Style = style
        self.torn = False  # YAML had it in pieces, which has been told
        self._offsets: Offsets | None = None

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)

    @property
    def value(self) -> None | bool | int | float | str:
        return resolve(self.text) if self.style == "plain" else self.text

    @property
    def empty(self) -> bool:
        """Nothing is written: `key:` or an item `-` alone."""
        return self.start == self.end

    def sub(self, i: int, j: int) -> Span:
        """Where `text[i:j]` stands in the source, quotes, escapes and line folds seen through."""
        if self.end - self.start == len(self.text) and self.style == "plain":
            return Span(self.source, self.start + i, self.start + j)
        if self._offsets is None:
            self._offsets = offsets(self)
        starts, ends = self._offsets.starts, self._offsets.ends
        if i < j:
            return Span(self.source, starts[i], ends[j - 1])
        if not starts:
            return Span(self.source, self.end, self.end)
        at = starts[i] if i < len(starts) else ends[-1]
        return Span(self.source, at, at)

    @property
    def comment(self) -> Span | None:
        """The comment that follows on the last line of the scalar, or None."""
        text = self.source.text
        at = self.end
        while text[at : at + 1] in (" ", "\t"):
            at += 1
        if at == self.end or text[at : at + 1] != "#":
            return None
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        return Span(self.source, at, at + len(text[at:end].rstrip()))

    def __repr__(self) -> str:
        return f"Scalar({self.text!r})"


class Mapping:
    """`key: value` pairs in their order; `flow` tells `{}` from indented lines.

    The span of a flow mapping covers its brackets, so `span.text` is its raw text.
    """

    __slots__ = ("_index", "broken", "end", "entries", "flow", "source", "start")

    def __init__(
        self, source: Source, start: int, end: int, entries: list[tuple[Scalar, Node]], flow: bool = False
    ) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.entries = entries
        self.flow = flow
        self.broken = False  # a key could not be read: more may be meant than stands here
        self._index: dict[str, int] | None = None

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)

    def _find(self, name: str) -> int | None:
        if self._index is None:
            self._index = {key.text: i for i, (key, _) in enumerate(self.entries)}
        return self._index.get(name)

    def get(self, name: str) -> Node | None:
        """The value of a key, or None where the key is not there."""
        at = self._find(name)
        return None if at is None else self.entries[at][1]

    def key(self, name: str) -> Scalar | None:
        """The key of that name, for its place."""
        at = self._find(name)
        return None if at is None else self.entries[at][0]

    def keys(self) -> list[str]:
        """The keys' texts, in order."""
        return [key.text for key, _ in self.entries]

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def __iter__(self) -> Iterator[tuple[Scalar, Node]]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"Mapping({self.entries!r})"


class Sequence:
    """Items in their order; `flow` tells `[]` from lines with `-`.

    The span of a flow sequence covers its brackets, so `span.text` is its raw text.
    """

    __slots__ = ("end", "flow", "items", "source", "start")

    def __init__(self, source: Source, start: int, end: int, items: list[Node], flow: bool = False) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.items = items
        self.flow = flow

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"Sequence({self.items!r})"


Node = Scalar | Mapping | Sequence
