"""A tree from YAML's events, within bounds, every mistake with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from archc.source.advice import Place, advise
from archc.source.collector import collector_paused
from archc.source.diagnostic import Diagnostic, Related, Report
from archc.source.quoting import mangled, quoted, shortened
from archc.source.scalar import LONGEST_NUMBER, is_number
from archc.source.text import Source, Span
from archc.source.tree import Mapping, Node, Scalar, Sequence, Style

DEEPEST = 100
"""Levels of nesting. The events come one at a time and libyaml looks at most 1024 characters ahead,
so this bound is met before its cost in deep nesting (quadratic, then a crash) is."""

MOST_VALUES = 500_000
MOST_ALIASES = 1_000
MOST_REPEATED = 1_000_000
"""Characters and values that aliases may repeat, taken together."""

_LARGEST_MENDED = 1_000_000
"""Characters up to which a text that YAML refuses is read again, its mistakes hidden one by one."""
_MOST_MENDED = 20

_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)
_STYLES: dict[str | None, Style] = {
    None: "plain",
    "": "plain",
    "'": "single",
    '"': "double",
    "|": "literal",
    ">": "folded",
}
_ANCHOR_OR_TAG = re.compile(r"(?:[&!]\S*(?:\s+(?:#[^\n]*\n\s*)*|$))+")


class _Stop(Exception):
    """Reading ends here: the diagnostic says why. What is to `hide` is a text of which no more is told."""

    def __init__(self, diagnostic: Diagnostic, hide: Span | None = None) -> None:
        super().__init__()
        self.diagnostic = diagnostic
        self.hide = hide


class _Open:
    """A mapping or sequence whose end has not come."""

    __slots__ = ("anchor", "flow", "key", "nodes", "pairs", "seen", "start", "weight", "wrong")

    def __init__(self, start: int, flow: bool, pairs: bool, anchor: str | None, weight: int) -> None:
        self.start = start
        self.flow = flow
        self.pairs = pairs
        self.anchor = anchor
        self.weight = weight
        self.key: Node | None = None
        self.nodes: list[Any] = []
        self.seen: set[str] = set()
        self.wrong: list[Diagnostic] = []  # keys that are none; told unless a torn text explains them


def parse(source: Source, report: Report) -> Node | None:
    """The tree of a text. Mistakes go to the report; None where the text cannot be read at all.

    >>> from archc.source.text import Source
    >>> parse(Source("a.yaml", "x: [1, 2]"), Report()).get("x").span.text
    '[1, 2]'
    """
    text = source.text
    reached = -1
    with collector_paused():
        for _ in range(_MOST_MENDED):
            reader = _Reader(source, text, report)
            try:
                root = reader.read()
                return root if text is source.text else None
            except _Stop as stop:
                diagnostic, hide = stop.diagnostic, stop.hide
            except yaml.MarkedYAMLError as error:
                diagnostic, hide = advise(source, text, error, reader.last, reader.bracket)
            report.add(diagnostic)
            if hide is None or hide.start <= reached or len(text) > _LARGEST_MENDED:
                break
            # Hide the text that YAML refuses and read on, to tell the next mistake as well.
            reached = hide.start
            text = text[: hide.start] + "x" * (hide.end - hide.start) + text[hide.end :]
    return None


class _Reader:
    """One pass over the events of a text."""

    def __init__(self, source: Source, text: str, report: Report) -> None:
        self.source = source
        self.text = text
        self.report = report
        self.last: Place | None = None  # the value that ended last, for advice
        self.anchors: dict[str, tuple[Node | None, int]] = {}
        self.aliases = 0
        self.repeated = 0
        self.weight = 0
        self.stack: list[_Open] = []

    @property
    def bracket(self) -> int | None:
        """Where the innermost bracket opens that is still open."""
        inner = self.stack[-1] if self.stack and self.stack[-1].flow else None
        return None if inner is None or self.text[inner.start] not in "[{" else inner.start

    def error(
        self, code: str, message: str, start: int, end: int, help: str, *related: Related
    ) -> Diagnostic:
        return Diagnostic(code, message, Span(self.source, start, end), help, related)

    def read(self) -> Node | None:
        root: Node | None = None
        stack = self.stack
        inside: _Open | None = None
        documents = values = end = 0
        node: Node
        for event in self.events():
            kind = type(event)
            if kind is yaml.ScalarEvent:
                node = self.scalar(event)
                self.weight += 1 + len(node.text)
                values += 1
                if values > MOST_VALUES:
                    raise _Stop(self.too_many_values(node.start, node.end))
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                values += 1
                self.weight += 1
                inside = self.opened(event)
                stack.append(inside)
                if len(stack) > DEEPEST:
                    raise _Stop(self.too_deep(event.start_mark.index))
                continue
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                assert inside is not None
                node = self.closed(stack.pop(), event, end)
                inside = stack[-1] if stack else None
            elif kind is yaml.AliasEvent:
                node = self.alias(event)
                self.last = (event.start_mark.index, event.end_mark.index)
                end = event.end_mark.index
                if inside is not None:
                    self.put(inside, node)
                continue
            else:
                if kind is yaml.DocumentStartEvent:
                    documents += 1
                    if documents > 1:
                        raise _Stop(self.second_document(event.start_mark.index))
                continue
            end = node.end
            self.last = (node.start, end)
            if inside is None:
                root = node
            elif inside.pairs:
                self.put(inside, node)
            else:
                inside.nodes.append(node)
        if root is None or (isinstance(root, Scalar) and root.empty):
            raise _Stop(self.empty())
        return root

    def events(self) -> Iterator[Any]:
        return yaml.parse(self.text, Loader=_LOADER)  # type: ignore[no-untyped-call]

    def scalar(self, event: Any) -> Scalar:
        start, end, text = event.start_mark.index, event.end_mark.index, event.value
        style = _STYLES[event.style]
        if event.anchor is not None or event.tag is not None:
            start = self.after_properties(event, start, end)
        if style == "literal" or style == "folded":
            end = start + max(1, len(self.text[start:end].rstrip()))
        elif len(text) > LONGEST_NUMBER and style == "plain" and is_number(text):
            message = f"this number has {len(text)} digits"
            advice = f"write a number of at most {LONGEST_NUMBER} digits, or quote it where a text is meant"
            raise _Stop(self.error("A019", message, start, end, advice), Span(self.source, start, end))
        node = Scalar(self.source, start, end, text, style)
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, 1 + len(text))
        return node

    def after_properties(self, event: Any, start: int, end: int) -> int:
        """The start of a value behind its anchor and tag."""
        if event.tag is not None:
            tag = re.compile(r"!\S*").search(self.text, start)
            begin, stop = (tag.start(), tag.end()) if tag else (start, start + 1)
            message = f"the tag `{shortened(self.text[begin:stop])}` has no meaning here"
            advice = "leave the tag out; put the text in quotes where it starts with `!`"
            self.report.add(self.error("A015", message, begin, stop, advice))
        properties = _ANCHOR_OR_TAG.match(self.text, start)
        return start if properties is None else min(properties.end(), end)

    def opened(self, event: Any) -> _Open:
        start = event.start_mark.index
        anchor = event.anchor
        if anchor is not None or event.tag is not None:
            start = self.after_properties(event, start, len(self.text))
        if anchor is not None:
            self.anchors[anchor] = (None, 0)
        pairs = type(event) is yaml.MappingStartEvent
        return _Open(start, bool(event.flow_style), pairs, anchor, self.weight)

    def closed(self, frame: _Open, event: Any, end: int) -> Node:
        if frame.flow and event.end_mark.index > event.start_mark.index:
            end = event.end_mark.index
        end = max(end, frame.start)
        node: Mapping | Sequence
        if frame.pairs:
            node = Mapping(self.source, frame.start, end, frame.nodes, frame.flow)
            node.broken = bool(frame.wrong)
            torn = mangled(node) if frame.flow else None
            for diagnostic in [torn] if torn else frame.wrong:
                self.report.add(diagnostic)
            if torn and torn.span:
                node.entries[:] = _mended(node, torn.span)
            if len(frame.seen) < len(frame.nodes):
                self.drop_duplicates(node)
        else:
            node = Sequence(self.source, frame.start, end, frame.nodes, frame.flow)
        if frame.anchor is not None:
            self.anchors[frame.anchor] = (node, self.weight - frame.weight)
        return node

    def put(self, inside: _Open, node: Node) -> None:
        """Add a node to what is open: an item, a key, or the value of the last key."""
        if not inside.pairs:
            inside.nodes.append(node)
            return
        key = inside.key
        if key is None:
            inside.key = node
            return
        inside.key = None
        if isinstance(key, Scalar) and (key.style != "plain" or key.text not in ("", "<<")):
            inside.seen.add(key.text)
            inside.nodes.append((key, node))
        else:
            inside.wrong.append(self.wrong_key(key))

    def wrong_key(self, key: Node) -> Diagnostic:
        if not isinstance(key, Scalar):
            advice = f"put the key in quotes: {shortened(quoted(key.span.text))}"
            return self.error("A014", "a key must be a word", key.start, key.end, advice)
        if key.text == "<<":
            advice = "write out the keys; what repeats may become a block with params"
            return self.error("A016", "archc knows no merge keys", key.start, key.end, advice)
        advice = "write `name: value`, or put the text in quotes where it starts with `:` or `?`"
        return self.error("A014", "the key is missing", key.start, key.end + 1, advice)

    def drop_duplicates(self, node: Mapping) -> None:
        first: dict[str, Scalar] = {}
        kept: list[tuple[Scalar, Node]] = []
        for key, value in node.entries:
            if key.text not in first:
                first[key.text] = key
                kept.append((key, value))
                continue
            message = f"the key `{shortened(key.text)}` is given twice"
            related = Related(first[key.text].span, "given here first")
            advice = "rename or remove one of them"
            self.report.add(self.error("A013", message, key.start, key.end, advice, related))
        node.entries[:] = kept

    def alias(self, event: Any) -> Node:
        start, end, name = event.start_mark.index, event.end_mark.index, event.anchor
        if name not in self.anchors:
            diagnostic = self.unknown_alias(start, end, name)
            raise _Stop(diagnostic, diagnostic.span)
        node, weight = self.anchors[name]
        if node is None:
            message = f"the alias `*{shortened(name)}` stands within what it repeats"
            raise _Stop(self.error("A017", message, start, end, "write out what is meant here"))
        self.aliases += 1
        self.repeated += weight
        self.weight += weight
        if self.aliases > MOST_ALIASES or self.repeated > MOST_REPEATED:
            what = f"more than {MOST_ALIASES} aliases"
            if self.repeated > MOST_REPEATED:
                what = "aliases that repeat more than a million characters"
            advice = "use a block with params, or `repeat`, for what comes again and again"
            raise _Stop(self.error("A018", what, start, end, advice))
        return node

    def unknown_alias(self, start: int, end: int, name: str) -> Diagnostic:
        stop = self.text.find("\n", start)
        line = self.text[start : len(self.text) if stop < 0 else stop]
        words = re.split(r"\s#", line)[0].rstrip()
        if re.match(r"\s*(?:[,\]}]|$)", words[end - start :]):
            message = f"there is no anchor `&{shortened(name)}` before this alias"
            advice = f"quote it where a text is meant: {quoted('*' + shortened(name))}"
            return self.error("A017", message, start, end, advice)
        message = "a text that starts with `*` needs quotes"
        advice = f"quote it: {shortened(quoted(words), 100)}"
        return self.error("A023", message, start, start + len(words), advice)

    def too_deep(self, at: int) -> Diagnostic:
        message = f"nested more than {DEEPEST} levels deep"
        return self.error("A012", message, at, at + 1, "a spec is flat; is a bracket repeated by mistake?")

    def too_many_values(self, start: int, end: int) -> Diagnostic:
        message = f"more than {MOST_VALUES:,} values in one file"
        return self.error("A003", message, start, end, "use `repeat` and blocks, or several files")

    def second_document(self, at: int) -> Diagnostic:
        advice = "put one spec in a file; remove the line `---`"
        return self.error("A011", "a second document starts here", at, at + 3, advice)

    def empty(self) -> Diagnostic:
        advice = "start with `archc: 1` and `blocks:`; `archc new NAME` writes a starter"
        return self.error("A010", "there is nothing in this file", 0, 0, advice)


def _mended(node: Mapping, torn: Span) -> list[tuple[Scalar, Node]]:
    """The entries with the text whole that YAML tore, so that nothing more is told of its pieces."""
    whole = Scalar(torn.source, torn.start, torn.end, torn.text)
    whole.torn = True
    return [
        (key, whole if value.start == torn.start else value)
        for key, value in node.entries
        if not torn.start <= key.start < torn.end
    ]
