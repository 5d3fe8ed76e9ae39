"""From the YAML tree to models: what a place may hold, and how an error says that it does not.

A reader takes the key and the value of an entry and gives what the model keeps, or WRONG where it
has reported an error. pydantic then checks the plain values; its words do not reach the user.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from archc.lang import syntax
from archc.lang.links import page
from archc.lang.parser import SpanPlace, parse_call, parse_expression
from archc.lang.schema import Part
from archc.source.diagnostic import Report, did_you_mean
from archc.source.quoting import mangled, quoted, shortened
from archc.source.text import Span
from archc.source.tree import Mapping, Node, Scalar, Sequence

WRONG: Final[Any] = object()


@dataclass(slots=True)
class Reading:
    """A file being read. `broken` holds the names of the block at hand whose part is wrong, so that
    nobody complains about them again."""

    report: Report
    broken: set[str] = field(default_factory=set)

    def error(self, code: str, message: str, span: Span, help: str | None = None) -> Any:
        """Report an error; gives WRONG."""
        self.report.error(code, message, span, help=help)
        return WRONG


Reader = Callable[[Reading, Scalar, Node], Any]
P = TypeVar("P", bound=Part)

WORDS_OF_THE_LANGUAGE = frozenset({"true", "false", "null"})
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
PASCAL_CASE = re.compile(r"[A-Z][A-Za-z0-9]*\Z")
PRESET_NAME = re.compile(r"[A-Za-z0-9_.-]+\Z")


def kind(node: Node) -> str:
    """What a value is, in a user's words."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if node.empty or node.value is None:
        return "nothing"
    return f"`{node.text}`" if len(node.text) <= 40 and "\n" not in node.text else "a text"


def wrong_kind(reading: Reading, node: Node, subject: str, wanted: str, example: str) -> Any:
    """Say that a value is of another kind than wanted, or is not there."""
    if isinstance(node, Scalar) and node.empty:
        return nothing(reading, node, subject, example)
    message = f"{subject} wants {wanted}, not {kind(node)}"
    return reading.error("A103", message, node.span, f"write it like `{example}`")


def spoilt(reading: Reading, node: Node, prose: bool = False) -> bool:
    """Has YAML made something else of a text than its author meant? Reported with how to quote it."""
    found = mangled(node, prose)
    if found is not None:
        reading.report.add(found)
    return found is not None


def nothing(reading: Reading, node: Scalar, subject: str, example: str) -> Any:
    if spoilt(reading, node):
        return WRONG
    message = f"{subject} has no value"
    return reading.error("A106", message, node.span, f"leave it out, or write it like `{example}`")


def unknown_key(reading: Reading, key: Scalar, what: str, keys: Iterable[str]) -> None:
    keys = list(keys)
    close = did_you_mean(key.text, keys)
    help = f"did you mean `{close}`?" if close else f"{what} may hold " + listing(keys)
    reading.error("A101", f"{what} has no key `{key.text}`", key.span, help)


def listing(words: Iterable[str]) -> str:
    """`a`, `b` and `c`."""
    quoted = [f"`{w}`" for w in words]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)


# Names


def is_identifier(text: str) -> bool:
    """May a text be a name?"""
    return (
        IDENTIFIER.match(text) is not None
        and not iskeyword(text)
        and text not in WORDS_OF_THE_LANGUAGE
        and not text.startswith("__")
    )


def identifier(reading: Reading, key: Scalar, what: str) -> bool:
    """Whether a key may be a name; an error where not."""
    text = key.text
    if is_identifier(text):
        return True
    if not IDENTIFIER.match(text):
        message = f"`{text}` is no name for {what}"
        help = "a name is made of the letters a to z, digits and `_`, and does not start with a digit"
    elif iskeyword(text) or text in WORDS_OF_THE_LANGUAGE:
        message, help = f"`{text}` is a word of the language, not a name for {what}", f"write `{text}_`"
    else:
        message = f"`{text}` is no name for {what}: two leading `_` are Python's own"
        help = f"write `{text.lstrip('_') or 'x'}`"
    reading.error("A104", message, key.span, help)
    return False


# Readers of plain values


def text(reading: Reading, key: Scalar, value: Node) -> Any:
    """A text as it is written, a number's too."""
    if spoilt(reading, value, prose=True):
        return WRONG
    if not isinstance(value, Scalar) or value.empty:
        return wrong_kind(reading, value, f"`{key.text}`", "a text", f"{key.text}: some words")
    return value.text


def one_line(reading: Reading, key: Scalar, value: Node) -> Any:
    """A text that stands on one line, however the spec breaks it."""
    found = text(reading, key, value)
    return found if found is WRONG else " ".join(found.split())


def link(reading: Reading, key: Scalar, value: Node) -> Any:
    """The address of a page, which a diagram leads to: never one that a browser would run."""
    found = text(reading, key, value)
    if found is WRONG or page(found):
        return found
    return wrong_kind(reading, value, f"`{key.text}`", "the address of a page", _LINK)


_LINK = "link: https://arxiv.org/abs/1706.03762"


def color(reading: Reading, key: Scalar, value: Node) -> Any:
    """A colour as `#rgb` or `#rrggbb`."""
    found = text(reading, key, value)
    if found is WRONG or _COLOR.fullmatch(found):
        return found
    return wrong_kind(reading, value, f"`{key.text}`", "a colour in hexadecimal", 'color: "#ff8800"')


_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def plain(reading: Reading, key: Scalar, value: Node) -> Any:
    """A bool, a number or a text; pydantic says whether it fits."""
    if isinstance(value, Scalar):
        return nothing(reading, value, f"`{key.text}`", f"{key.text}: ...") if value.empty else value.value
    return value


def words(reading: Reading, node: Node, subject: str, example: str) -> list[Scalar] | Any:
    """One word or a list of words, as scalars with their places."""
    if spoilt(reading, node):
        return WRONG
    items = node.items if isinstance(node, Sequence) else [node]
    for item in items:
        if not isinstance(item, Scalar) or item.empty:
            return wrong_kind(reading, item, subject, "a name or a list of names", example)
    return items


# Readers of expressions


def expression(reading: Reading, node: Node, subject: str, example: str) -> Any:
    """An expression. Of a flow sequence the text between its brackets is the expression, so that
    `[c * 2 for c in ch]` needs no quotes; a list of lines is a list of expressions."""
    if isinstance(node, Mapping) or (isinstance(node, Scalar) and node.empty):
        return wrong_kind(reading, node, subject, "an expression", example)
    if isinstance(node, Scalar):
        if spoilt(reading, node):
            return WRONG
        found = parse_expression(node, reading.report)
    elif node.flow:
        found = parse_expression(SpanPlace(node.span), reading.report)
    else:
        items = tuple(expression(reading, item, subject, example) for item in node)
        found = None if WRONG in items else syntax.Sequence(items, node.span)
    return WRONG if found is None else found


def call(reading: Reading, node: Node, subject: str, example: str) -> Any:
    """An operator or block with its arguments."""
    if not isinstance(node, Scalar) or node.empty:
        wanted = "an operator or block with its arguments"
        return wrong_kind(reading, node, subject, wanted, example)
    if spoilt(reading, node):
        return WRONG
    found = parse_call(node, reading.report)
    return WRONG if found is None else found


def expression_at(example: str) -> Reader:
    """A reader of an expression below a key."""

    def read(reading: Reading, key: Scalar, value: Node) -> Any:
        return expression(reading, value, f"`{key.text}`", f"{key.text}: {example}")

    return read


def call_at(example: str) -> Reader:
    """A reader of a call below a key."""

    def read(reading: Reading, key: Scalar, value: Node) -> Any:
        return call(reading, value, f"`{key.text}`", f"{key.text}: {example}")

    return read


# Mappings


def mapping(reading: Reading, node: Node, subject: str, example: str) -> Mapping | None:
    """A mapping, or an error."""
    if not isinstance(node, Mapping):
        return wrong_kind(reading, node, subject, "a mapping", example) and None
    return None if spoilt(reading, node) else node


def value_span(tree: Mapping, name: str) -> Span:
    """Where the value of a key stands that is there."""
    value = tree.get(name)
    assert value is not None, name
    return value.span


def key_span(tree: Mapping, name: str) -> Span:
    """Where a key stands that is there."""
    key = tree.key(name)
    assert key is not None, name
    return key.span


def fields(
    reading: Reading, tree: Mapping, readers: dict[str, Reader], what: str, others: Collection[str] = ()
) -> dict[str, Any]:
    """What the keys of a mapping say, by key; wrong ones are left out. `others` are keys that the
    caller reads itself."""
    found = {}
    before: Node | None = None
    for key, value in tree:
        reader = readers.get(key.text)
        if reader is not None:
            got = reader(reading, key, value)
            if got is not WRONG:
                found[key.text] = got
        elif key.text not in others and not (tree.flow and _split(reading, before, key, value)):
            unknown_key(reading, key, what, [*readers, *others])
        before = value
    return found


def missing(
    reading: Reading,
    tree: Mapping,
    name: str,
    readers: dict[str, Reader],
    message: str,
    span: Span,
    help: str,
) -> bool:
    """Is a key missing that is needed? Reported, unless another key was meant to be it."""
    if name in tree:
        return False
    if tree.broken:
        return True
    if not misspelt(tree, name, readers):
        reading.error("A102", message, span, help)
    return True


def misspelt(tree: Mapping, name: str, readers: dict[str, Reader]) -> bool:
    """Was another key, which there is not, meant to be this one?"""
    return any(key.text not in readers and did_you_mean(key.text, readers) == name for key, _ in tree)


def _split(reading: Reading, before: Node | None, key: Scalar, value: Node) -> bool:
    """Is a key without a value the rest of the text before it, cut at a comma: `{repeat: n as i, row}`?"""
    if not isinstance(value, Scalar) or not value.empty:
        return False
    if not isinstance(before, Scalar) or before.empty or before.style != "plain":
        return False
    whole = Span(key.source, before.start, key.end)
    message = f"YAML splits `{shortened(whole.text)}` at its comma"
    reading.error("A024", message, whole, f"quote it: {shortened(quoted(whole.text), 100)}")
    return True


def build(reading: Reading, model: type[P], tree: Node, values: dict[str, Any]) -> P | None:
    """The model of these values; pydantic's complaints come out in our words, at their places."""
    try:
        return model(**values)
    except ValidationError as wrong:
        for error in wrong.errors(include_url=False, include_context=False, include_input=False):
            name = str(error["loc"][0])
            at = (tree.get(name) if isinstance(tree, Mapping) else None) or tree
            spec = model.model_fields[name]
            wanted = spec.description or "a text"
            example = (spec.examples or [f"{name}: ..."])[0]
            wrong_kind(reading, at, f"`{name}`", wanted, example)
    return None


def place(key: Scalar, value: Node) -> dict[str, Any]:
    """The name and the places of an entry."""
    return {"name": key.text, "name_span": key.span, "span": Span(key.source, key.start, value.span.end)}


def entries(one: Any, what: str, example: str) -> Reader:
    """A reader of a mapping from names to parts, each read by `one`."""

    def read(reading: Reading, key: Scalar, value: Node) -> Any:
        tree = mapping(reading, value, f"`{key.text}`", f"{key.text}: {{{example}}}")
        if tree is None:
            return WRONG
        found = {}
        for name, entry in tree:
            right = identifier(reading, name, what)
            if isinstance(entry, Mapping) and spoilt(reading, entry):
                right = False
            part = one(reading, name, entry) if right else None
            if part is None:
                reading.broken.add(name.text)
            else:
                found.setdefault(name.text, part)
        return found

    return read
