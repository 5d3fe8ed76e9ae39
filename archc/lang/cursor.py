"""A cursor over the tokens of a text, and what it says of a token that cannot stand there."""

from __future__ import annotations

from typing import NoReturn

from archc.lang import lexer
from archc.lang.lexer import HINTS, LITERALS, Place, Problem, Token
from archc.source.text import Span

DEPTH = 100
"""The most levels of an expression, so that every walk over it may recurse."""

_FOREIGN = {
    "lambda": ("functions cannot be defined in a spec", "write the expression where it is used"),
    "is": ("`is` is not part of the language", "write `==`, or `!=` for `is not`"),
    "await": ("`await` is not part of the language", None),
    "yield": ("`yield` is not part of the language", None),
}


class Cursor:
    """Takes tokens one by one. In a `flow` arrows are known."""

    def __init__(self, place: Place, flow: bool = False) -> None:
        self.place = place
        self.tokens = lexer.tokenize(place.text)
        self.index = 0
        self.token = self.tokens[0]
        self.flow = flow
        self.brackets = 0  # how many are open
        self.depth = 0  # of the rules under way
        self.height = 0  # of the expression just parsed

    def advance(self) -> Token:
        """Take the current token."""
        token = self.token
        if token.kind == "sign":
            self.brackets += (token.text in "([") - (token.text in ")]")
        self.index += 1
        self.token = self.tokens[self.index]
        return token

    def take(self, text: str) -> bool:
        """Take the current token if it is this sign or word."""
        if self.token.text != text:
            return False
        self.advance()
        return True

    def expect(self, text: str, wanted: str) -> None:
        if not self.take(text):
            self.unexpected(wanted)

    def peek(self) -> Token:
        return self.tokens[min(self.index + 1, len(self.tokens) - 1)]

    def before(self) -> Token | None:
        return self.tokens[self.index - 1] if self.index else None

    def end(self) -> int:
        """Where the last token taken ends."""
        return self.tokens[self.index - 1].end

    def span(self, start: int) -> Span:
        """From an offset to the end of the last token taken."""
        return self.place.sub(start, self.end())

    def token_span(self, token: Token) -> Span:
        return self.place.sub(token.start, token.end)

    # Errors

    def fail(self, code: str, message: str, token: Token, help: str | None = None) -> NoReturn:
        raise Problem(code, message, token.start, token.end, help)

    def fail_at(self, code: str, message: str, start: int, help: str | None = None) -> NoReturn:
        """Blame everything from `start` to the last token taken."""
        raise Problem(code, message, start, self.end(), help)

    def unexpected(self, wanted: str) -> NoReturn:
        """Say that the current token cannot stand here; `wanted` is what could."""
        token = self.token
        text = token.text
        if token.kind == "end":
            before = self.before()
            if before is None:
                raise Problem("A205", f"{wanted} is missing", 0, max(len(self.place.text), 0))
            self.fail("A205", f"{wanted} is missing after `{before.text}`", before)
        if text in HINTS:
            self.fail("A201", f"`{text}` is not a sign of the language", token, HINTS[text])
        if text in _FOREIGN:
            self.fail("A209", _FOREIGN[text][0], token, _FOREIGN[text][1])
        if text == "=":
            self.no_comparison(token)
        if text in (")", "]", ","):
            self.fail("A205", f"{wanted} is missing before `{text}`", token)
        if text == "->" and not self.flow:
            help = "wire values in `flow`; here stands what is known before the model runs"
            self.fail("A211", "`->` has no place in an expression", token, help)
        self.fail("A206", f"unexpected `{text}`", token, f"{wanted} is wanted here")

    def no_comparison(self, equals: Token) -> NoReturn:
        self.fail("A208", "`=` gives an argument in a call; it does not compare", equals, "write `==`")

    def finish(self, wanted: str = "an operator or the end") -> None:
        """The text must end here."""
        if self.token.kind == "end":
            return
        if self.token.text == ",":
            self.fail("A206", "unexpected `,`", self.token, "several values need brackets: `[a, b]`")
        self.unexpected(wanted)

    def name(self, what: str) -> Token:
        """Take a plain name."""
        token = self.token
        if token.kind == "keyword" or token.text in LITERALS:
            message = f"`{token.text}` is a word of the language, not a name for {what}"
            self.fail("A207", message, token, f"take another name, such as `{token.text}_`")
        if token.kind != "name":
            self.unexpected(f"the name of {what}")
        if "." in token.text:
            self.fail("A207", f"`{token.text}` is no name for {what}", token, "a name has no dots")
        return self.advance()

    def descend(self) -> None:
        """Go a level down; `depth` goes back up by one afterwards."""
        self.depth += 1
        if self.depth > DEPTH:
            self.too_deep()

    def grow(self, height: int) -> None:
        """The expression just parsed and one of `height` became parts of one."""
        self.height = max(height, self.height) + 1
        if self.height > DEPTH:
            self.too_deep()

    def too_deep(self) -> NoReturn:
        help = "derive parts of it in `let`, or give them lines of their own in `flow`"
        message = f"the expression has more than {DEPTH} levels"
        raise Problem("A214", message, 0, len(self.place.text), help)
