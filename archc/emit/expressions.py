"""Expressions as documents: brackets where they are needed, breaks where ruff has them."""

from __future__ import annotations

import ast
import re

from archc.emit.layout import SOFT, SPACE, Comma, Doc, Group, Pieces, bracketed, flat_text

PIECE = 60  # columns of one of several adjacent string literals

BINARY = {
    ast.Add: ("+", 12),
    ast.Sub: ("-", 12),
    ast.Mult: ("*", 13),
    ast.Div: ("/", 13),
    ast.FloorDiv: ("//", 13),
    ast.Mod: ("%", 13),
    ast.MatMult: ("@", 13),
    ast.Pow: ("**", 15),
    ast.BitAnd: ("&", 10),
    ast.BitXor: ("^", 9),
    ast.BitOr: ("|", 8),
    ast.LShift: ("<<", 11),
    ast.RShift: (">>", 11),
}
_COMPARE = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
_UNARY = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~", ast.Not: "not "}

_IF, OR, AND, _NOT, _CMP, _UNARY_LEVEL, _POW, _ATOM = 1, 3, 4, 5, 6, 14, 15, 18


def expression(node: ast.expr) -> str:
    """An expression on one line."""
    return flat_text(document(node))


def number(value: int | float) -> str:
    """A number as one writes it: `1e-6`, not `1e-06`."""
    if isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            return 'float("inf")' if value > 0 else '-float("inf")'
        text = float.__repr__(value)
        if "e" in text:
            mantissa, exponent = text.split("e")
            return f"{mantissa}e{int(exponent)}"
        return text
    return int.__repr__(value)


def string(text: str) -> str:
    """A string literal in double quotes, or in single ones where that saves escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    body = repr("\"'" + text)[1:-1].replace("\\'", "'")[2:]
    return quote + body.replace(quote, "\\" + quote) + quote


def level_of(node: ast.expr) -> int:
    """How strongly an expression's outermost operator binds."""
    match node:
        case ast.IfExp():
            return _IF
        case ast.BoolOp(op=ast.Or()):
            return OR
        case ast.BoolOp():
            return AND
        case ast.UnaryOp(op=ast.Not()):
            return _NOT
        case ast.Compare():
            return _CMP
        case ast.BinOp():
            return BINARY[type(node.op)][1]
        case ast.UnaryOp():
            return _UNARY_LEVEL
        case ast.Constant(value=int() | float() as value) if value < 0:
            return _UNARY_LEVEL
        case ast.Tuple() | ast.Starred() | ast.GeneratorExp():
            return _ATOM
    return _ATOM


def _within(node: ast.expr, level: int) -> Doc:
    """An operand, in brackets where it binds more loosely than `level`."""
    if level_of(node) >= level:
        return document(node)
    return bracketed("(", (document(node),), ")")


def _separated(items: list[Doc]) -> tuple[Doc, ...]:
    out: list[Doc] = []
    for i, item in enumerate(items):
        if i:
            out += [",", SPACE]
        out.append(item)
    return (*out, Comma())


def _links(node: ast.expr) -> int:
    """How many attributes of a call's or index's result a chain like `a(x).b(y).c` takes."""
    count = 0
    while True:
        match node:
            case ast.Attribute(value=value):
                count += isinstance(value, (ast.Call, ast.Subscript))
                node = value
            case ast.Call(func=value) | ast.Subscript(value=value):
                node = value
            case _:
                return count


def is_chain(node: ast.expr) -> bool:
    """Is an expression written with a link of the chain on each line, where it does not fit on one?"""
    return isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)) and _links(node) >= 2


def _chain(node: ast.expr) -> tuple[Doc, ...]:
    """The links of a chain, which may break before each dot that follows a bracket."""
    links: list[tuple[Doc, ...]] = []
    while True:
        match node:
            case ast.Attribute(value=value):
                breaks = isinstance(value, (ast.Call, ast.Subscript))
                links.append((SOFT, "." + node.attr) if breaks else ("." + node.attr,))
                node = value
            case ast.Call(func=value):
                links.append((_arguments(node),))
                node = value
            case ast.Subscript(value=value):
                links.append((_subscript(node.slice),))
                node = value
            case _:
                links.append((_receiver(node),))
                return tuple(part for link in reversed(links) for part in link)


def document(node: ast.expr) -> Doc:
    if is_chain(node):
        return Group(_chain(node))
    match node:
        case ast.Name(id=name):
            return name
        case ast.Constant():
            return _constant(node.value)
        case ast.Attribute():
            return Group((_receiver(node.value), "." + node.attr))
        case ast.Call():
            return Group((_receiver(node.func), _arguments(node)))
        case ast.Subscript():
            return Group((_receiver(node.value), _subscript(node.slice)))
        case ast.List():
            return bracketed("[", _separated([document(e) for e in node.elts]), "]") if node.elts else "[]"
        case ast.Tuple():
            return _tuple(node)
        case ast.Starred():
            return Group(("*", _within(node.value, _CMP + 1)))
        case ast.BinOp():
            return _binary(node)
        case ast.UnaryOp():
            level = _NOT if isinstance(node.op, ast.Not) else _UNARY_LEVEL
            return Group((_UNARY[type(node.op)], _within(node.operand, level)))
        case ast.Compare():
            parts: list[Doc] = [_within(node.left, _CMP + 1)]
            for op, right in zip(node.ops, node.comparators, strict=True):
                parts += [SPACE, _COMPARE[type(op)] + " ", _within(right, _CMP + 1)]
            return Group(tuple(parts))
        case ast.BoolOp():
            level, word = (OR, "or ") if isinstance(node.op, ast.Or) else (AND, "and ")
            parts = [_within(node.values[0], level + 1)]
            for value in node.values[1:]:
                parts += [SPACE, word, _within(value, level + 1)]
            return Group(tuple(parts))
        case ast.IfExp():
            return Group(
                (
                    _within(node.body, _IF + 1),
                    SPACE,
                    "if ",
                    _within(node.test, _IF + 1),
                    SPACE,
                    "else ",
                    _within(node.orelse, _IF),
                )
            )
        case ast.GeneratorExp():
            return bracketed("(", _comprehension(node), ")")
        case ast.ListComp():
            return bracketed("[", _comprehension(node), "]")
        case ast.JoinedStr():
            return _joined(node)
    raise AssertionError(f"no layout for {type(node).__name__}")


def _constant(value: object) -> str:
    if isinstance(value, str):
        return string(value)
    if value is None or isinstance(value, bool):
        return repr(value)
    if value is Ellipsis:
        return "..."
    assert isinstance(value, (int, float)), value
    return number(value)


def _receiver(node: ast.expr) -> Doc:
    """What stands before a dot, a bracket or the arguments of a call."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return bracketed("(", (document(node),), ")")
    return _within(node, _ATOM)


def _arguments(node: ast.Call) -> Doc:
    given: list[Doc] = [document(a) for a in node.args]
    if len(given) == 1 and not node.keywords and isinstance(node.args[0], ast.GeneratorExp):
        return bracketed("(", _comprehension(node.args[0]), ")")
    if len(given) == 1 and not node.keywords and isinstance(node.args[0], ast.JoinedStr):
        return bracketed("(", (Group((_pieces(node.args[0]),)),), ")")
    for keyword in node.keywords:
        value = document(keyword.value)
        given.append(Group((f"{keyword.arg}=" if keyword.arg else "**", value)))
    if not given:
        return "()"
    return bracketed("(", (Group(_separated(given)),), ")")


def _comprehension(node: ast.GeneratorExp | ast.ListComp) -> tuple[Doc, ...]:
    parts: list[Doc] = [document(node.elt)]
    for clause in node.generators:
        target = bare(clause.target)
        parts += [SPACE, Group(("for ", target, " in ", _within(clause.iter, OR)))]
        for test in clause.ifs:
            parts += [SPACE, Group(("if ", _within(test, OR)))]
    return (Group(tuple(parts)),)


def bare(node: ast.expr) -> Doc:
    """A target: a tuple has no brackets there."""
    if isinstance(node, ast.Tuple):
        return ", ".join(flat_text(document(e)) for e in node.elts) + ("," if len(node.elts) == 1 else "")
    return flat_text(document(node))


def _tuple(node: ast.Tuple) -> Doc:
    if not node.elts:
        return "()"
    if len(node.elts) == 1:
        return bracketed("(", (document(node.elts[0]), ","), ")")
    return bracketed("(", _separated([document(e) for e in node.elts]), ")")


def _subscript(index: ast.expr) -> Doc:
    if isinstance(index, ast.Tuple) and len(index.elts) == 1:
        return bracketed("[", (_item(index.elts[0]), ","), "]")
    if isinstance(index, ast.Tuple) and index.elts:
        return bracketed("[", _separated([_item(e) for e in index.elts]), "]")
    return bracketed("[", (_item(index),), "]")


def _item(node: ast.expr) -> Doc:
    if not isinstance(node, ast.Slice):
        return document(node)
    # A colon is an operator of lowest priority: spaces around it unless its sides are plain.
    bounds = [node.lower, node.upper, node.step]
    space = "" if all(b is None or _plain_bound(b) for b in bounds) else " "
    parts: list[Doc] = []
    if node.lower is not None:
        parts += [document(node.lower), space]
    parts.append(":")
    if node.upper is not None:
        parts += [space, document(node.upper)]
    if node.step is not None:
        parts += (
            [space, ":", space, document(node.step)]
            if node.upper is not None
            else [":", space, document(node.step)]
        )
    return Group(tuple(p for p in parts if p != ""))


def _plain_bound(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return not isinstance(node.op, ast.Not) and _plain_bound(node.operand)
    return isinstance(node, (ast.Name, ast.Constant))


def _binary(node: ast.BinOp) -> Doc:
    """A chain of operators that bind alike breaks before each of them; tighter ones stay together."""
    symbol, level = BINARY[type(node.op)]
    if symbol == "**":
        left, right = _within(node.left, level + 1), _within(node.right, _UNARY_LEVEL)
        hugged = _plain_power(node.left) and _plain_power(node.right)
        return Group((left, "**", right)) if hugged else Group((left, SPACE, "** ", right))
    parts: list[Doc] = []
    rest: list[tuple[str, ast.expr]] = []
    first: ast.expr = node
    while isinstance(first, ast.BinOp) and BINARY[type(first.op)][1] == level:
        rest.append((BINARY[type(first.op)][0], first.right))
        first = first.left
    parts.append(_within(first, level))
    for symbol, right in reversed(rest):
        parts += [SPACE, symbol + " ", _within(right, level + 1)]
    return Group(tuple(parts))


def _plain_power(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return not isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _joined(node: ast.JoinedStr) -> str:
    return f'f"{"".join(_words(node))}"'


def _pieces(node: ast.JoinedStr) -> Pieces:
    pieces = [""]
    for word in _words(node):
        if pieces[-1] and len(pieces[-1]) + len(word) > PIECE:
            pieces.append("")
        pieces[-1] += word
    return Pieces(_joined(node), tuple(f'f"{piece}"' if "{" in piece else f'"{piece}"' for piece in pieces))


def _words(node: ast.JoinedStr) -> list[str]:
    """The words of an f-string, each with the space behind it; a value in braces is part of one."""
    body = ""
    for value in node.values:
        if isinstance(value, ast.Constant):
            body += _escaped(str(value.value)).replace("{", "{{").replace("}", "}}")
        else:
            assert isinstance(value, ast.FormattedValue)
            body += "{" + expression(value.value).replace('"', "'") + "}"
    return re.findall(r"(?:\{[^{}]*\}|[^ {])+ ?|[ {]", body)


def _escaped(text: str) -> str:
    """Text as it stands between double quotes."""
    return repr("'" + text)[2:-1].replace("\\'", "'").replace('"', '\\"')
