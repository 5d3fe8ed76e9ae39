"""From texts to syntax trees: expressions, calls, flow lines, names, shapes and types.

Every `parse_*` function takes a `Place` and a `Report`. It gives the tree, or None after
reporting the first thing that is wrong, at the very words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from archc.lang import syntax
from archc.lang.chains import chain
from archc.lang.cursor import DEPTH
from archc.lang.grammar import Parser
from archc.lang.lexer import KEYWORDS, LENGTH, LITERALS, Place, Problem, SpanPlace
from archc.lang.types import Bool, Choice, Float, Int, List, Operator, ParamType, Row, Str
from archc.shapes.number import OR
from archc.source.diagnostic import Report, did_you_mean

__all__ = [
    "Place",
    "SpanPlace",
    "parse_call",
    "parse_expression",
    "parse_index",
    "parse_line",
    "parse_names",
    "parse_param",
    "parse_repeat",
    "parse_shape",
    "parse_type",
]

T = TypeVar("T")
Shape = tuple[str | None, tuple[syntax.Expr | syntax.Dots, ...], bool, tuple[syntax.Name, ...]]


def _parse(place: Place, report: Report, rule: Callable[[Parser], T], flow: bool = False) -> T | None:
    try:
        parser = Parser(place, flow)
        found = rule(parser)
        parser.finish()
    except Problem as problem:
        span = place.sub(problem.start, problem.end)
        report.error(problem.code, problem.message, span, help=problem.help)
        return None
    return found


# Expressions


def parse_expression(place: Place, report: Report) -> syntax.Expr | None:
    """`C // groups`, `[c * 2 for c in ch]`, `a if c else b`."""
    return _parse(place, report, Parser.expression)


def parse_call(place: Place, report: Report) -> syntax.Call | None:
    """`conv2d(c_out, 3)`; a bare name is a call without arguments."""
    return _parse(place, report, _call)


def _call(parser: Parser) -> syntax.Call:
    token = parser.token
    if token.kind != "name" or token.text in LITERALS:
        help = "write an operator or a block, with arguments or without: `linear(64)`"
        if token.kind in ("end", "keyword") or token.text == "->":
            parser.unexpected("an operator or a block")
        parser.fail("A219", f"`{token.text}` is no operator or block", token, help)
    parser.advance()
    name = syntax.Name(token.text, parser.token_span(token))
    found = parser.call(name, token.start) if parser.token.text == "(" else None
    after = parser.token
    if after.text in _AFTER_CALL:
        parser.fail("A219", f"`{after.text}` cannot follow a node's call", after, _AFTER_CALL[after.text])
    return found or syntax.Call(name, (), name.span)


def parse_index(place: Place, report: Report) -> tuple[syntax.Expr | syntax.Slice | syntax.Dots, ...] | None:
    """`[:8, 0]`, brackets included."""
    return _parse(place, report, Parser.index_items)


_AFTER_CALL = {
    "->": "a node is one operator or block; put several in a row in `flow`",
    "if": "choose between two calls with `choose: condition`, `true: ...`, `false: ...`; "
    "`when: condition` bypasses a node",
    "*": "repeat a node with `repeat: n`",
    ",": "give each node a line of its own",
}


def parse_repeat(place: Place, report: Report) -> tuple[syntax.Expr, tuple[str, ...]] | tuple[None, None]:
    """`n`, `n as i` or `rows as i, row`: what is counted, and the names for each copy."""
    return _parse(place, report, _repeat) or (None, None)


def _repeat(parser: Parser) -> tuple[syntax.Expr, tuple[str, ...]]:
    count = parser.expression()
    if not parser.take("as"):
        if parser.token.text == "for":
            help = "write `n as i`, or `rows as i, row`"
            parser.fail("A217", "a repeat is no comprehension", parser.token, help)
        parser.finish("`as` and names, or the end,")
        return count, ()
    names = _names(parser, "a copy's number or row", "A217")
    return count, tuple(name.id for name in names)


def _names(parser: Parser, what: str, doubled: str) -> tuple[syntax.Name, ...]:
    """Names between commas, all of them different: else an error of code `doubled`."""
    found: dict[str, syntax.Name] = {}
    while True:
        token = parser.name(what)
        if token.text in found:
            parser.fail(doubled, f"`{token.text}` stands here twice", token, "give each a name of its own")
        found[token.text] = syntax.Name(token.text, parser.token_span(token))
        if not parser.take(","):
            return tuple(found.values())


# Flow


def parse_names(place: Place, report: Report) -> tuple[syntax.Name, ...] | None:
    """The names left of a flow line's colon: `q, k, v`."""

    def rule(parser: Parser) -> tuple[syntax.Name, ...]:
        names = _names(parser, "a value", "A207")
        if parser.token.text == ".":
            help = "a line names the values that it makes; read ports on the right of the colon"
            parser.fail("A207", "a value's name has no dots", parser.token, help)
        return names

    return _parse(place, report, rule)


_PLAIN = re.compile(r"\s*([A-Za-z_]\w*)((?:\s*->\s*[A-Za-z_]\w*)*)\s*", re.ASCII)
_STEP = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def parse_line(names: tuple[syntax.Name, ...], place: Place, report: Report) -> syntax.Line | None:
    """The right side of a flow line: `x, mask=m -> attn(b) if c else x`."""
    text = place.text
    plain = _PLAIN.fullmatch(text) if len(text) < LENGTH else None
    if plain is not None:
        found = _plain_line(names, place, plain)
        if found is not None:
            return found
    return _parse(place, report, lambda parser: _line(parser, names), flow=True)


def _plain_line(names: tuple[syntax.Name, ...], place: Place, match: re.Match[str]) -> syntax.Line | None:
    """The fast way for lines that are names and arrows only: most lines of a large spec."""
    word, start, end = match[1], match.start(1), match.end()
    if word in KEYWORDS or word in LITERALS:
        return None
    sub = place.sub
    span = sub(start, match.end(1))
    arguments = (syntax.Argument(None, syntax.Name(word, span), span),)
    steps = []
    for step in _STEP.finditer(place.text, match.end(1)):
        word = step[0]
        if word in KEYWORDS or word in LITERALS:
            return None
        end = step.end()
        at = sub(step.start(), end)
        steps.append(syntax.Step(syntax.Name(word, at), (), at))
    whole = sub(start, end) if steps else span
    return syntax.Line(names, syntax.Chain(arguments, tuple(steps), whole), None, None, whole)


def _line(parser: Parser, names: tuple[syntax.Name, ...]) -> syntax.Line:
    parts: list[tuple[int, syntax.Chain, syntax.Expr | None]] = []
    while True:
        start = parser.token.start
        found = chain(parser)
        condition = None
        if parser.take("if"):
            parser.flow = False
            condition = parser.expression(OR)
            if parser.token.text == "->":
                help = "a condition stands at the end of its line: `out: x -> norm if condition`"
                parser.fail("A211", "`->` has no place in a condition", parser.token, help)
            parser.flow = True
        parts.append((start, found, condition))
        if condition is None or not parser.take("else"):
            break
        if len(parts) >= DEPTH:
            parser.too_deep()
    if parser.token.text == "else":
        parser.fail("A206", "`else` without `if`", parser.token, "write `a if condition else b`")
    if parser.token.text == ":":
        help = "a line has one colon: `NAMES: a -> b`"
        parser.fail("A206", "unexpected `:`", parser.token, help)
    line = None
    for start, found, condition in reversed(parts):
        line = syntax.Line(names, found, condition, line, parser.span(start))
    assert line is not None
    return line


# Shapes


def parse_shape(place: Place, report: Report) -> Shape | None:
    """`[B, C, H, W]`, `int64[B, T]`, `float[B, D]?`: the word for the dtype (None where none is
    written), the dimensions, whether the input is optional, and the dimensions written `P = 0`."""
    return _parse(place, report, _shape)


def _shape(parser: Parser) -> Shape:
    dtype = None
    token = parser.token
    if token.kind == "name":
        dtype = parser.advance().text
    if parser.token.text != "[":
        example = f"{dtype or ''}[B, C, H, W]"
        if parser.token.kind == "end" and dtype:
            parser.fail("A216", "the shape is missing", token, f"write it like `{example}`")
        if parser.token.kind not in ("end", "keyword"):
            help = f"write it like `{example}`"
            parser.fail("A216", f"`{parser.token.text}` is no shape", parser.token, help)
        parser.unexpected("a shape")
    parser.advance()
    items: list[syntax.Expr | syntax.Dots] = []
    empty: list[syntax.Name] = []
    while parser.token.text != "]":
        items.append(_dimension(parser, items))
        if parser.token.text == "=":
            empty.append(_empty(parser, items[-1]))
        if not parser.take(",") and parser.token.text != "]":
            parser.unexpected("`,` or `]`")
    parser.advance()
    return dtype, tuple(items), parser.take("?"), tuple(empty)


def _empty(parser: Parser, item: syntax.Expr | syntax.Dots) -> syntax.Name:
    """`P = 0`: what a free dimension is where the input is absent."""
    token = parser.advance()
    if not isinstance(item, syntax.Name):
        parser.fail(
            "A216", "only a free dimension may be 0 where the input is absent", token, "write `P = 0`"
        )
    if parser.token.text != "0":
        help = f"`{item.id} = 0` says that it is 0 where the input is absent"
        parser.fail("A216", "a dimension of what is absent can only be 0", parser.token, help)
    parser.advance()
    return item


def _dimension(parser: Parser, before: list[syntax.Expr | syntax.Dots]) -> syntax.Expr | syntax.Dots:
    token = parser.token
    if token.text == "...":
        if any(isinstance(item, syntax.Dots) for item in before):
            parser.fail("A216", "`...` stands here twice", token, "a shape has one `...` at most")
        return syntax.Dots(parser.token_span(parser.advance()))
    if token.text == "*":
        parser.fail("A216", "`*` cannot unpack here", token, "write `...` for any number of dimensions")
    if token.kind == "string":
        help = "put quotes around the whole shape instead"
        parser.fail("A216", "a dimension is no text", token, help)
    return parser.expression()


# Types


def parse_type(place: Place, report: Report) -> ParamType | None:
    """`int`, `none | down | up`, `(int, op)[]?`."""
    return _parse(place, report, _type)


def parse_param(place: Place, report: Report) -> tuple[ParamType, syntax.Expr | None] | tuple[None, None]:
    """`TYPE` or `TYPE = DEFAULT`."""
    return _parse(place, report, _param) or (None, None)


_TYPES = {"int": Int(), "float": Float(), "bool": Bool(), "str": Str(), "op": Operator()}
_OTHER_NAMES = {
    "integer": "int",
    "number": "float",
    "double": "float",
    "boolean": "bool",
    "string": "str",
    "text": "str",
    "list": "int[]",
    "tuple": "(int, int)",
    "block": "op",
    "module": "op",
    "callable": "op",
    "operator": "op",
}


def _param(parser: Parser) -> tuple[ParamType, syntax.Expr | None]:
    token = parser.token
    guess = {"number": "float" if "." in token.text else "int", "string": "str"}.get(token.kind)
    if token.text in LITERALS and LITERALS[token.text] is not None:
        guess = "bool"
    if guess is not None:
        help = f"write `{guess} = {token.text}`"
        parser.fail("A215", "a param begins with its type", token, help)
    found = _type(parser)
    if parser.token.kind == "end":
        return found, None
    parser.expect("=", "`=` and a default, or the end,")
    return found, parser.expression()


def _type(parser: Parser) -> ParamType:
    parser.descend()
    token = parser.token
    found = _row(parser) if token.text == "(" else _word(parser)
    while True:
        if parser.token.text == "[":
            if isinstance(found, Choice) and parser.tokens[parser.index - 1].text != ")":
                parser.fail_at(
                    "A215", "a list of a choice needs brackets", token.start, f"write `({found})[]`"
                )
            parser.advance()
            if parser.token.text != "]":
                help = f"write `{found}[]` for a list, `({found}, {found})` for one of two items"
                parser.fail("A215", "a list type has no length", parser.token, help)
            parser.advance()
            found = List(found)
            parser.grow(0)
        elif parser.token.text == "?":
            if found.optional:
                parser.fail("A215", "`?` stands here twice", parser.token, "remove one of them")
            parser.advance()
            found = replace(found, optional=True)
        else:
            break
    parser.depth -= 1
    return found


def _row(parser: Parser) -> ParamType:
    parser.advance()
    items = [_type(parser)]
    height = parser.height
    comma = False
    while parser.take(","):
        comma = True
        if parser.token.text == ")":
            break
        items.append(_type(parser))
        height = max(height, parser.height)
    parser.expect(")", "`,` or `)`")
    if not comma:
        return items[0]
    parser.grow(height)
    return Row(tuple(items))


def _word(parser: Parser) -> ParamType:
    token = parser.token
    parser.height = 0
    if token.kind == "string":
        parser.fail("A215", "a word of a choice stands without quotes", token, f"write `{token.text[1:-1]}`")
    name = parser.name("a type")
    if parser.token.text != "|":
        if name.text in _TYPES:
            return _TYPES[name.text]
        near = _OTHER_NAMES.get(name.text.lower()) or did_you_mean(name.text, _TYPES)
        help = f"write `{near}`" if near else "the types are int, float, bool, str, op and `one | two`"
        parser.fail("A215", f"`{name.text}` is no type", name, help)
    names = [name]
    while parser.take("|"):
        if parser.token.text in LITERALS and LITERALS[parser.token.text] is None:
            parser.fail("A215", "null is no word of a choice", parser.token, "write `?` behind the type")
        if parser.token.kind == "string":
            help = f"write `{parser.token.text[1:-1]}`"
            parser.fail("A215", "a word of a choice stands without quotes", parser.token, help)
        names.append(parser.name("a word of a choice"))
    for index, word in enumerate(names):
        if word.text in _TYPES:
            help = "a param has one type; write `?` behind it where null will do"
            parser.fail("A215", f"`{word.text}` is a type, not a word of a choice", word, help)
        if word.text in (n.text for n in names[:index]):
            parser.fail("A215", f"the word `{word.text}` stands here twice", word, "remove one of them")
    return Choice(tuple(n.text for n in names))
