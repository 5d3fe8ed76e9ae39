"""The right side of a checkpoint map's entry: names of a checkpoint, cut, turned and joined.

`down.<i>.block.<j>.*`, `attn.in_proj_weight[:D]`, `concat(q.weight.T, k.weight.T, axis=0)`: read as it is
written, and then made a recipe with the numbers of a block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, NoReturn, TypeVar

from archc.graph.recipes import Axes, Cut, Item, Join, Range, Recipe, Reshape, Take, Turn
from archc.lang.lexer import LENGTH, Place
from archc.lang.parser import parse_call, parse_expression, parse_index
from archc.lang.syntax import Dots, Expr, Literal, Slice
from archc.source.diagnostic import Diagnostic, Report
from archc.source.text import Span
from archc.source.tree import Scalar

DEPTH = 20
"""The most levels of `concat` and `stack`, and the most changes in a row."""

LITERAL = re.compile(r"[A-Za-z0-9_/:-]+")
"""What a part of a name may be made of."""

_NAME = re.compile(r"[A-Za-z0-9_/:.*-]+")
_JOIN = re.compile(r"(concat|stack)\s*\(")
_AXIS = re.compile(r"axis\s*=(?!=)\s*")
_CHANGE = re.compile(r"\.T(?![A-Za-z0-9_/:*<-])|\.reshape(?=\()|(?=\[)")
_OPENING = {"(": ")", "[": "]", "{": "}"}

T = TypeVar("T")


class Malformed(Exception):
    """An entry that cannot be read, and why."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics


def fail(message: str, span: Span, help: str, code: str = "A611") -> NoReturn:
    raise Malformed(Diagnostic(code, message, span, help))


class Name(NamedTuple):
    """A name of theirs: texts and expressions in turn. `rest`: behind it comes the rest of ours."""

    parts: tuple[str | Expr, ...]
    rest: bool
    span: Span


class CutAt(NamedTuple):
    of: Theirs
    items: tuple[Expr | Slice | Dots, ...]


class Turned(NamedTuple):
    of: Theirs


class Reshaped(NamedTuple):
    of: Theirs
    sizes: tuple[Expr, ...]


class Joined(NamedTuple):
    parts: tuple[Theirs, ...]
    axis: Expr | None
    stack: bool


Theirs = Name | CutAt | Turned | Reshaped | Joined


def names(theirs: Theirs) -> Iterator[Name]:
    """The names in it, in the order of the text."""
    if isinstance(theirs, Name):
        yield theirs
    elif isinstance(theirs, Joined):
        for part in theirs.parts:
            yield from names(part)
    else:
        yield from names(theirs.of)


def recipe(theirs: Theirs, text: Callable[[Expr], str], number: Callable[[Expr, str], int]) -> Recipe:
    """The recipe: `text` gives an expression in a name its text, `number` one in a change its number,
    told what that is for. A name that ends with `*` ends with its dot."""
    if isinstance(theirs, Name):
        return Take("".join(part if isinstance(part, str) else text(part) for part in theirs.parts))
    if isinstance(theirs, Joined):
        axis = number(theirs.axis, "axis") if theirs.axis is not None else 0
        return Join(tuple(recipe(part, text, number) for part in theirs.parts), axis, theirs.stack)
    of = recipe(theirs.of, text, number)
    if isinstance(theirs, Turned):
        return Turn(of)
    if isinstance(theirs, Reshaped):
        return Reshape(of, tuple(number(size, "size") for size in theirs.sizes))
    return Cut(of, tuple(_item(item, number) for item in theirs.items))


def _item(item: Expr | Slice | Dots, number: Callable[[Expr, str], int]) -> Item:
    if isinstance(item, Dots):
        return Axes.REST
    if isinstance(item, Literal) and item.value is None:
        return Axes.NEW
    if not isinstance(item, Slice):
        return number(item, "index")
    start, stop = (None if end is None else number(end, "index") for end in (item.start, item.stop))
    return Range(start, stop, 1 if item.step is None else number(item.step, "step"))


def read(value: Scalar) -> Theirs:
    """The right side of an entry; raises Malformed."""
    if len(value.text) > LENGTH:
        fail(f"more than {LENGTH:,} characters", value.span, "say less in one entry")
    reader = _Reader(value)
    found = reader.source(0)
    reader.skip()
    if reader.at < len(reader.text):
        rest = reader.text[reader.at :]
        help = "behind a name may stand `[:8]`, `.T` or `.reshape(4, -1)`"
        fail(f"`{rest}` has no place here", reader.span(reader.at, len(reader.text)), help)
    return found


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


class _Reader:
    """Reads a right side from its start to its end."""

    def __init__(self, value: Scalar) -> None:
        self.value = value
        self.text = value.text
        self.at = 0

    def span(self, start: int, end: int) -> Span:
        return self.value.sub(start, end)

    def skip(self) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1

    def source(self, depth: int) -> Theirs:
        """A name or a join, with what is done to it."""
        self.skip()
        if depth > DEPTH:
            fail(
                f"more than {DEPTH} of them inside each other", self.span(self.at, len(self.text)), "do less"
            )
        join = _JOIN.match(self.text, self.at)
        found: Theirs = self.join(join, depth) if join else self.name()
        changes = 0
        while change := _CHANGE.match(self.text, self.at):
            changes += 1
            if changes > DEPTH:
                help = "do less in one entry"
                fail(f"more than {DEPTH} changes", self.span(self.at, len(self.text)), help)
            self.at = change.end()
            if change[0] == ".T":
                found = Turned(found)
                continue
            end = self.closing(self.at)
            place = _Part(self.value, self.at if not change[0] else change.start() + 1, end + 1)
            found = self.reshape(found, place) if change[0] else CutAt(found, _parsed(parse_index, place))
            self.at = end + 1
        return found

    def reshape(self, of: Theirs, place: Place) -> Reshaped:
        call = _parsed(parse_call, place)
        for argument in call.arguments:
            if argument.name is not None:
                fail("sizes have no names", argument.span, "write `.reshape(4, -1)`")
        if not call.arguments:
            fail("the sizes are missing", call.span, "write `.reshape(4, -1)`")
        return Reshaped(of, tuple(argument.value for argument in call.arguments))

    def join(self, opening: re.Match[str], depth: int) -> Joined:
        end = self.closing(opening.end() - 1)
        self.at = opening.end()
        parts: list[Theirs] = []
        axis: Expr | None = None
        while True:
            self.skip()
            if self.at == end and parts:
                break
            named = _AXIS.match(self.text, self.at)
            if named and parts:
                axis = _parsed(parse_expression, _Part(self.value, named.end(), end))
                break
            parts.append(self.source(depth + 1))
            self.skip()
            if self.at < end and self.text[self.at] == ",":
                self.at += 1
            elif self.at != end:
                help = f"write `{opening[1]}(a.weight, b.weight, axis=0)`"
                fail(f"`{self.text[self.at]}` has no place here", self.span(self.at, self.at + 1), help)
        self.at = end + 1
        return Joined(tuple(parts), axis, opening[1] == "stack")

    def name(self) -> Name:
        start = self.at
        parts: list[str | Expr] = []
        plain = ""  # the name so far, an expression as a letter
        while self.at < len(self.text):
            if self.text[self.at] == "<":
                end = _angle(self.text, self.at)
                if end < 0:
                    help = "write `<i>` or `<levels - 1 - i>`"
                    fail("`<` is never closed", self.span(self.at, len(self.text)), help)
                parts.append(_parsed(parse_expression, _Part(self.value, self.at + 1, end)))
                plain += "x"
                self.at = end + 1
                continue
            found = _NAME.match(self.text, self.at)
            if found is None:
                break
            end = self.before_changes(found.start(), found.end())
            parts.append(self.text[self.at : end])
            plain += self.text[self.at : end]
            self.at = end
            if end < found.end():
                break
        rest = plain == "*" or plain.endswith(".*")
        name = plain.removesuffix("*").removesuffix(".") if rest else plain
        if (name or not rest) and not all(LITERAL.fullmatch(part) for part in name.split(".")):
            end = self.at if self.at > start else len(self.text)
            help = "a name is made of words and dots, `<expression>`, and `*` at its end"
            fail(f"`{self.text[start:end]}` is no name", self.span(start, end), help)
        if rest:
            last = parts[-1]
            assert isinstance(last, str)
            parts[-1] = last.removesuffix("*")
        return Name(tuple(parts), rest, self.span(start, self.at))

    def before_changes(self, start: int, end: int) -> int:
        """Where a text of name characters ends, as changes written with a dot are none of it."""
        following = self.text[end : end + 1]
        if following == "(" and self.text[start:end].endswith(".reshape"):
            end -= len(".reshape")
        elif following == "<":
            return end
        while self.text[start:end].endswith(".T"):
            end -= len(".T")
        return end

    def closing(self, start: int) -> int:
        """Where the bracket is closed that opens at `start`."""
        wanted: list[str] = []
        quote = ""
        for at in range(start, len(self.text)):
            char = self.text[at]
            if quote:
                quote = "" if char == quote else quote
            elif char in "\"'":
                quote = char
            elif char in _OPENING:
                wanted.append(_OPENING[char])
            elif char in ")]}" and char == wanted[-1]:
                wanted.pop()
                if not wanted:
                    return at
        help = f"put a `{_OPENING[self.text[start]]}` at its end"
        fail(f"`{self.text[start]}` is never closed", self.span(start, len(self.text)), help)


def _angle(text: str, start: int) -> int:
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


def _parsed(parse: Callable[[Place, Report], T | None], place: Place) -> T:
    report = Report()
    found = parse(place, report)
    if found is None:
        raise Malformed(*report.diagnostics)
    return found
