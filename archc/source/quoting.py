"""Texts that need quotes: what YAML mangles without a word, and how to quote it."""

from __future__ import annotations

import re
from itertools import pairwise

from archc.source.diagnostic import Diagnostic
from archc.source.text import Span
from archc.source.tree import Mapping, Node, Scalar, Sequence

_KEY_LIKE = re.compile(r"[a-z_]\w*", re.ASCII)
_SIZES = re.compile(r"(\w+|\.\.\.)(, (\w+|\.\.\.))*", re.ASCII)
_CLOSING = {")": "(", "]": "[", "}": "{"}
_BRACKET_OR_STRING = re.compile(r"""[()\[\]{}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_BRACKET_OR_QUOTE = re.compile(_BRACKET_OR_STRING.pattern + "|[\"']", re.DOTALL)


def quoted(text: str) -> str:
    """A text as a YAML scalar in quotes.

    >>> print(quoted('x[0: 3]'), quoted('rearrange("b c -> c b")'))
    "x[0: 3]" 'rearrange("b c -> c b")'
    """
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def shortened(text: str, length: int = 60) -> str:
    """A text for a message: one line, not long."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def _open_brackets(text: str) -> list[str] | None:
    """The brackets left open at the end of a text; None where one closes that was never opened."""
    stack: list[str] = []
    for token in _BRACKET_OR_STRING.findall(text):
        if token in _CLOSING:
            if not stack or stack.pop() != _CLOSING[token]:
                return None
        elif token in "([{":
            stack.append(token)
    return stack


def balanced(text: str) -> bool:
    """Do the brackets of a text close, those in strings not counted?"""
    return _open_brackets(text) == []


def closes(text: str, start: int) -> bool:
    """Does the bracket at `start` close further on?"""
    depth = 0
    for token in _BRACKET_OR_STRING.finditer(text, start):
        depth += {"[": 1, "{": 1, "(": 1, "]": -1, "}": -1, ")": -1}.get(token[0], 0)
        if depth == 0:
            return True
    return False


def _whole(text: str) -> bool:
    """Do the brackets of a text close, and its quotes too?"""
    return balanced(text) and not any(token in ("'", '"') for token in _BRACKET_OR_QUOTE.findall(text))


def mangled(node: Node, prose: bool = False) -> Diagnostic | None:
    """What YAML made of a node where the author meant a longer text, or None where all is well.

    Of a scalar: is it cut short by ` #`? `prose` says that it is a text, not an expression: a
    message, a title, a link, a colour. There a `#` after one space, or with no space after it, is
    taken to belong to the text. Of a flow mapping or sequence: does it split a text at a comma
    within brackets? For a sequence ask only where it is not taken from its raw text.
    """
    if isinstance(node, Scalar):
        return _cut_by_comment(node, prose)
    return _split_at_comma(node) if node.flow else None


def _cut_by_comment(scalar: Scalar, prose: bool) -> Diagnostic | None:
    comment = scalar.comment if scalar.style == "plain" else None
    if comment is None:
        return None
    words = comment.text
    glued = words[1:2] not in ("", " ", "\t", "#")
    if scalar.empty:
        if not glued:
            return None
        return Diagnostic(
            "A025",
            f"YAML takes `{shortened(words)}` for a comment, so nothing is given here",
            comment,
            f"quote it: {shortened(quoted(words))}",
        )
    single = comment.start == scalar.end + 1
    cut = (glued or single) if prose else not _whole(scalar.text)
    if not cut:
        return None
    whole = scalar.source.text[scalar.start : comment.end]
    advice = f"quote the whole: {shortened(quoted(whole), 100)}"
    if prose:
        advice += ", or put two spaces before the `#` and one after where a comment is meant"
    return Diagnostic("A025", f"YAML takes `{shortened(words)}` for a comment and drops it", comment, advice)


def _split_at_comma(node: Mapping | Sequence) -> Diagnostic | None:
    if isinstance(node, Mapping):
        if not any(_missing(value) for _, value in node.entries):
            return None
        parts = [part for entry in node.entries for part in entry]
    else:
        parts = node.items
    first: Scalar | None = None
    for part in parts:
        if not isinstance(part, Scalar) or part.style != "plain":
            continue
        if first is None:
            if not balanced(part.text):
                first = part
        elif balanced(node.source.text[first.start : part.end]):
            return _comma(Span(node.source, first.start, part.end))
    if first is not None:
        return _comma(first.span)
    return _torn_text(node) if isinstance(node, Mapping) else None


def _torn_text(node: Mapping) -> Diagnostic | None:
    """A text without brackets that YAML splits: `{out: x, y -> concat}`, `{x: B, C}`. A word in lower
    case without a value may be a key that lacks one."""
    for (_, value), (key, after) in pairwise(node.entries):
        if not isinstance(value, Scalar) or value.style != "plain" or value.empty:
            continue
        if _missing(after) and key.style == "plain" and not _KEY_LIKE.fullmatch(key.text):
            found = _comma(Span(node.source, value.start, key.end))
            words = f"{value.text}, {key.text}"
            if _SIZES.fullmatch(words):
                return found._replace(help=f"write a shape in brackets: [{words}]")
            return found
    return None


def _missing(node: Node) -> bool:
    return isinstance(node, Scalar) and node.empty and node.style == "plain"


def _comma(span: Span) -> Diagnostic:
    return Diagnostic(
        "A024",
        f"YAML splits `{shortened(span.text)}` at its comma",
        span,
        f"quote it: {shortened(quoted(span.text), 100)}",
    )
