"""Words and signs of expressions and flow lines.

A text comes as a `Place`, so that every token can be shown where it stands in the source.
"""

from __future__ import annotations

import re
from keyword import kwlist
from typing import Any, Literal, NamedTuple, NoReturn, Protocol

from archc.source.text import Span

LENGTH = 10_000
"""The most characters of one text."""
TOKENS = 5_000
"""The most words and signs of one text."""


class Place(Protocol):
    """A text and the places of its parts; a `Scalar` of the YAML tree is one."""

    @property
    def text(self) -> str: ...

    def sub(self, i: int, j: int) -> Span:
        """Where `text[i:j]` stands in the source."""
        ...


class SpanPlace:
    """A stretch of source that is read as it stands: the text of a YAML flow sequence.

    YAML's comments in it count as spaces.
    """

    def __init__(self, span: Span) -> None:
        self.span = span
        self._text = _COMMENT.sub(lambda m: m[1] or " " * len(m[0]), span.text)

    @property
    def text(self) -> str:
        return self._text

    def sub(self, i: int, j: int) -> Span:
        return Span(self.span.source, self.span.start + i, self.span.start + j)


class Problem(Exception):
    """What is wrong with a text; `start` and `end` are offsets in it."""

    def __init__(self, code: str, message: str, start: int, end: int, help: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.start = start
        self.end = end
        self.help = help


Kind = Literal["name", "keyword", "number", "string", "sign", "end"]


class Token(NamedTuple):
    kind: Kind
    text: str
    start: int
    end: int


LITERALS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "None"), None),
}
"""The words that are values, as YAML and Python spell them."""

KEYWORDS = frozenset(kwlist) - LITERALS.keys()

HINTS = {
    "&&": "write `and`",
    "&": "write `and`",
    "||": "write `or`",
    "|": "write `or`",
    "!": "write `not`",
    "~": "write `not`",
    "^": "write `**` for a power",
    "===": "write `==`",
    "!==": "write `!=`",
    "<>": "write `!=`",
    "=>": "write `->` for an arrow, `>=` to compare",
    "-->": "write `->`",
    "|>": "write `->`",
    "<<": "write `* 2 ** n`",
    ">>": "write `// 2 ** n`",
    ":=": "derive the value in `let` and use its name",
    ";": "write one line for each value",
    "?": "write `a if c else b` for a choice; `?` stands only behind a type or a shape",
    "{": "write a list in `[]`; there are no dictionaries or sets",
    "}": "write a list in `[]`; there are no dictionaries or sets",
    "$": "a name needs no sign before it",
    "`": "write a text in `\"` or `'`",
    "#": "a comment needs a line of its own, or a space before the `#` and no quotes around it",
    "→": "write `->`",
    "⇒": "write `->`",
    "×": "write `*`",
    "·": "write `*`",
    "⋅": "write `*`",
    "÷": "write `/`, or `//` to divide without a rest",
    "−": "write `-`",
    "–": "write `-`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "…": "write `...`",
    **dict.fromkeys("“”„«»‘’‚", "write a text in plain quotes: `\"` or `'`"),
    **{f"{op}=": "there is no assignment; give the new value a name of its own" for op in "+-*/%@"},
}
"""What to write in place of signs that the language does not have."""

_COMMENT = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<![^\s])\#[^\n]*""", re.DOTALL)

_TOKEN = re.compile(
    r"""
    [ \t\r\n]*
    (?: (?P<name> nn\.[A-Za-z_]\w* | [A-Za-z_]\w* )
      | (?P<number> 0[xXoObB]\w* | \.?\d (?: [eE][+-]\d | \w | \.(?!\.) )* )
      | (?P<string> "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )
      | (?P<sign> -->|===|!==|\.\.\.|->|\*\*|//|==|!=|<=|>=|&&|\|\||\|>|=>|<>|<<|>>|:=|[-+*/%@]=
                | [-+*/%@<>()\[\],:.=&|!~^;?{}$`\#] )
      | (?P<end> \Z )
      | (?P<wrong> . )
    )
    """,
    re.VERBOSE | re.ASCII | re.DOTALL,
)

_CLOSING = {"(": ")", "[": "]"}


def tokenize(text: str) -> list[Token]:
    """The tokens of a text, its end as the last; raises Problem."""
    if len(text) > LENGTH:
        help = "derive parts of it in `let`, or split it into several lines"
        raise Problem("A214", f"the text is longer than {LENGTH:,} characters", 0, len(text), help)
    tokens = _tokens(text)
    if len(tokens) > TOKENS:
        help = "derive parts of it in `let`, or split it into several lines"
        raise Problem("A214", f"the text has more than {TOKENS:,} words and signs", 0, len(text), help)
    tokens.append(Token("end", "", len(text), len(text)))
    return tokens


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    opened: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind: Any = match.lastgroup
        if kind == "end":
            break
        word = match[kind]
        start, end = match.span(kind)
        if kind == "name" and word in KEYWORDS:
            kind = "keyword"
        elif kind == "wrong":
            _wrong(text, start)
        token = Token(kind, word, start, end)
        found.append(token)
        if word in _CLOSING:
            opened.append(token)
        elif word == ")" or word == "]":
            _close(token, opened)
    if opened:
        bracket = opened[-1]
        message = f"`{bracket.text}` is never closed"
        raise Problem("A204", message, bracket.start, bracket.end, f"add a `{_CLOSING[bracket.text]}`")
    return found


def _close(token: Token, opened: list[Token]) -> None:
    if not opened:
        help = "remove it, or open the bracket before it"
        raise Problem("A204", f"`{token.text}` closes nothing", token.start, token.end, help)
    wanted = _CLOSING[opened.pop().text]
    if token.text != wanted:
        message = f"`{token.text}` closes a bracket that `{wanted}` should close"
        raise Problem("A204", message, token.start, token.end, f"write `{wanted}`")


def _wrong(text: str, start: int) -> NoReturn:
    char = text[start]
    if char in "\"'":
        end = text.find("\n", start)
        help = f"add a `{char}` at its end"
        raise Problem(
            "A202", "the text in quotes is never closed", start, end if end >= 0 else len(text), help
        )
    if char in HINTS:
        message = f"`{char}` is not a sign of the language"
        raise Problem("A201", message, start, start + 1, HINTS[char])
    if char.isalnum():
        end = start + 1
        while end < len(text) and (text[end].isalnum() or text[end] == "_"):
            end += 1
        while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
            start -= 1
        help = "names and numbers are made of the letters a to z, digits and `_`; spell it with those"
        message = f"`{text[start:end]}` has a letter that may not stand in a name"
        raise Problem("A201", message, start, end, help)
    shown = f"`{char}`" if char.isprintable() else f"the character U+{ord(char):04X}"
    raise Problem("A201", f"{shown} is not a sign of the language", start, start + 1, "remove it")


_NUMBER = re.compile(
    r"""0[xX](?:_?[0-9a-fA-F])+ | 0[oO](?:_?[0-7])+ | 0[bB](?:_?[01])+
      | (?: (?P<int> [1-9](?:_?\d)* | 0(?:_?0)* )
          | (?: \d(?:_?\d)* (?:\.(?:\d(?:_?\d)*)?)? | \.\d(?:_?\d)* ) (?:[eE][+-]?\d(?:_?\d)*)? )
    """,
    re.VERBOSE | re.ASCII,
)
BITS = 4096
"""The most bits of an int."""


def number(token: Token) -> int | float:
    """A number's value, written as in Python; raises Problem."""
    text, start, end = token.text, token.start, token.end
    match = _NUMBER.fullmatch(text)
    if match is None:
        tail = re.fullmatch(r"([1-9]\d*)([A-Za-z_]\w*)", text, re.ASCII)
        help = f"write `{tail[1]} * {tail[2]}`" if tail else "write it like `3`, `0.5`, `1e-6` or `0x10`"
        raise Problem("A203", f"`{text}` is no number", start, end, help)
    if match["int"] is None and text[:2].lower() not in ("0x", "0o", "0b"):
        if not any(mark in text for mark in ".eE"):
            help = f"write `{text.lstrip('0_')}`, or `0o{text.lstrip('0_')}` for an octal number"
            raise Problem("A203", f"`{text}` starts with a zero", start, end, help)
        value = float(text)
        if value == float("inf"):
            raise Problem(
                "A203", f"`{text}` is too large for a float", start, end, "write `.inf` for infinity"
            )
        return value
    if len(text) > BITS or (value := int(text, 0)).bit_length() > BITS:
        raise Problem("A203", f"the number has more than {BITS} bits", start, end)
    return value


_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "\\": "\\",
    '"': '"',
    "'": "'",
    "/": "/",
}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)


def string(token: Token) -> str:
    """The text between a string's quotes, its escapes undone; raises Problem."""
    body = token.text[1:-1]
    if "\\" not in body:
        return body

    def undo(match: re.Match[str]) -> str:
        digits = match[1] or match[2] or match[3]
        code = int(digits, 16) if digits else 0
        found = chr(code) if digits and code < 0x110000 else _ESCAPES.get(match[4] or "")
        if found is None or "\ud800" <= found <= "\udfff":
            start = token.start + 1 + match.start()
            help = f"write `\\{match[0]}` for a backslash"
            raise Problem("A202", f"`{match[0]}` is no escape", start, start + len(match[0]), help)
        return found

    return _ESCAPE.sub(undo, body)
