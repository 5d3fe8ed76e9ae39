"""The grammar of chains, `x, mask=m -> attn -> norm(2)`: their arguments, and the steps behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from archc.lang import syntax
from archc.lang.lexer import HINTS, KEYWORDS, LITERALS, Token
from archc.lang.syntax import INFIX

if TYPE_CHECKING:
    from archc.lang.grammar import Parser


def chain(parser: Parser) -> syntax.Chain:
    start = parser.token.start
    arguments, comma, equals = parser.arguments(("->", "if", "else"))
    if not arguments:
        if parser.token.text == "->":
            help = "a `param` or another source is an operand by its own name: `pos`, `x + pos`, `arange(T)`"
            parser.fail("A205", "a value is missing before `->`", parser.token, help)
        parser.unexpected("a value")
    if comma:
        parser.unexpected("a value")
    if parser.token.text == "->":
        return syntax.Chain(arguments, steps(parser), parser.span(start))
    if equals is not None:
        help = "an argument by name goes to a step: `x, mask=m -> attn`"
        parser.fail("A208", "nothing takes this argument", equals, help)
    return syntax.Chain(arguments, (), parser.span(start))


def steps(parser: Parser) -> tuple[syntax.Step, ...]:
    """The steps behind a chain's arguments."""
    height = parser.height
    found = []
    while parser.take("->"):
        found.append(_step(parser))
        height = max(height, parser.height)
    parser.height = height
    parser.grow(0)
    return tuple(found)


def _step(parser: Parser) -> syntax.Step:
    token = parser.token
    parser.height = 0
    if token.kind != "name" or token.text in LITERALS:
        _no_step(parser, token)
    parser.advance()
    name = syntax.Name(token.text, parser.token_span(token))
    called = parser.token.text == "("
    arguments = parser.bracketed() if called else ()
    after = parser.token
    if after.text not in ("->", "if", "else", ")") and after.kind != "end":
        _after_step(parser, after, token)
    return syntax.Step(name, arguments, parser.span(token.start), called)


def _no_step(parser: Parser, token: Token) -> NoReturn:
    if token.kind == "end" or token.text in KEYWORDS or token.text in HINTS:
        parser.unexpected("a step, the name of a node or operator,")
    help = "a step is the name of a node or operator, with or without arguments: `-> conv1`, `-> split(3)`"
    parser.fail("A218", f"`{token.text}` is no step", token, help)


def _after_step(parser: Parser, after: Token, step: Token) -> NoReturn:
    text = after.text
    shown = f"`{text}`"
    if text in INFIX or text == "[":
        more = "[...]" if text == "[" else f" {text} ..."
        help = f"`->` binds loosest; put the chain in brackets: `(x -> {step.text}){more}`"
        parser.fail("A218", f"{shown} cannot follow a step", after, help)
    if text == ",":
        help = "give further inputs in the step's brackets, `-> attn(mask)`, or put a chain in brackets"
        parser.fail("A218", f"{shown} cannot follow a step", after, help)
    if text == ".":
        help = f"put the chain in brackets, `(x -> {step.text}).port`, or name the value"
        parser.fail("A218", "a step's port cannot be read here", after, help)
    if after.kind in ("name", "number", "string"):
        help = f"write `->` between steps, or give it in brackets: `{step.text}({text})`"
        parser.fail("A218", f"{shown} cannot follow a step", after, help)
    parser.unexpected("`->`, `if` or the end")
