"""Python source from `ast` nodes, laid out as ruff's formatter lays it out at 88 columns.

An expression becomes a document of texts, possible line breaks and groups (Wadler's pretty
printing, as ruff and prettier do it): a group stands on one line where it fits, else all
its own breaks are taken. What has no fixed place in the generated code (comments, lambdas,
dicts, f-strings across lines) is not here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

WIDTH = 88
PIECE = 60  # columns of one of several adjacent string literals
STEP = "    "


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a line may break: what stands there when it does not, and when it does."""

    flat: str = " "
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Comma:
    """A trailing comma, written where its group is broken."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A string literal, and the adjacent ones it falls into where its line is too short."""

    flat: str
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    parts: tuple[Doc, ...]


@dataclass(frozen=True, slots=True)
class Indent:
    parts: tuple[Doc, ...]


Doc = str | Break | Comma | Pieces | Group | Indent

SPACE = Break(" ")
SOFT = Break("")

_BINARY = {
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

_IF, _OR, _AND, _NOT, _CMP, _UNARY_LEVEL, _POW, _ATOM = 1, 3, 4, 5, 6, 14, 15, 18


def expression(node: ast.expr) -> str:
    """An expression on one line."""
    return _flat(_doc(node))


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


# --- expressions ---------------------------------------------------------------------------


def _level(node: ast.expr) -> int:
    """How strongly an expression's outermost operator binds."""
    match node:
        case ast.IfExp():
            return _IF
        case ast.BoolOp(op=ast.Or()):
            return _OR
        case ast.BoolOp():
            return _AND
        case ast.UnaryOp(op=ast.Not()):
            return _NOT
        case ast.Compare():
            return _CMP
        case ast.BinOp():
            return _BINARY[type(node.op)][1]
        case ast.UnaryOp():
            return _UNARY_LEVEL
        case ast.Constant(value=int() | float() as value) if value < 0:
            return _UNARY_LEVEL
        case ast.Tuple() | ast.Starred() | ast.GeneratorExp():
            return _ATOM
    return _ATOM


def _within(node: ast.expr, level: int) -> Doc:
    """An operand, in brackets where it binds more loosely than `level`."""
    if _level(node) >= level:
        return _doc(node)
    return _bracketed("(", (_doc(node),), ")")


def _bracketed(opening: str, parts: Iterable[Doc], closing: str) -> Group:
    return Group((opening, Indent((SOFT, *parts)), SOFT, closing))


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


def _is_chain(node: ast.expr) -> bool:
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


def _doc(node: ast.expr) -> Doc:
    if _is_chain(node):
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
            return _bracketed("[", _separated([_doc(e) for e in node.elts]), "]") if node.elts else "[]"
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
            level, word = (_OR, "or ") if isinstance(node.op, ast.Or) else (_AND, "and ")
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
            return _bracketed("(", _comprehension(node), ")")
        case ast.ListComp():
            return _bracketed("[", _comprehension(node), "]")
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
        return _bracketed("(", (_doc(node),), ")")
    return _within(node, _ATOM)


def _arguments(node: ast.Call) -> Doc:
    given: list[Doc] = [_doc(a) for a in node.args]
    if len(given) == 1 and not node.keywords and isinstance(node.args[0], ast.GeneratorExp):
        return _bracketed("(", _comprehension(node.args[0]), ")")
    if len(given) == 1 and not node.keywords and isinstance(node.args[0], ast.JoinedStr):
        return _bracketed("(", (Group((_pieces(node.args[0]),)),), ")")
    for keyword in node.keywords:
        value = _doc(keyword.value)
        given.append(Group((f"{keyword.arg}=" if keyword.arg else "**", value)))
    if not given:
        return "()"
    return _bracketed("(", (Group(_separated(given)),), ")")


def _comprehension(node: ast.GeneratorExp | ast.ListComp) -> tuple[Doc, ...]:
    parts: list[Doc] = [_doc(node.elt)]
    for clause in node.generators:
        target = _bare(clause.target)
        parts += [SPACE, Group(("for ", target, " in ", _within(clause.iter, _OR)))]
        for test in clause.ifs:
            parts += [SPACE, Group(("if ", _within(test, _OR)))]
    return (Group(tuple(parts)),)


def _bare(node: ast.expr) -> Doc:
    """A target: a tuple has no brackets there."""
    if isinstance(node, ast.Tuple):
        return ", ".join(_flat(_doc(e)) for e in node.elts) + ("," if len(node.elts) == 1 else "")
    return _flat(_doc(node))


def _tuple(node: ast.Tuple) -> Doc:
    if not node.elts:
        return "()"
    if len(node.elts) == 1:
        return _bracketed("(", (_doc(node.elts[0]), ","), ")")
    return _bracketed("(", _separated([_doc(e) for e in node.elts]), ")")


def _subscript(index: ast.expr) -> Doc:
    if isinstance(index, ast.Tuple) and len(index.elts) == 1:
        return _bracketed("[", (_item(index.elts[0]), ","), "]")
    if isinstance(index, ast.Tuple) and index.elts:
        return _bracketed("[", _separated([_item(e) for e in index.elts]), "]")
    return _bracketed("[", (_item(index),), "]")


def _item(node: ast.expr) -> Doc:
    if not isinstance(node, ast.Slice):
        return _doc(node)
    # A colon is an operator of lowest priority: spaces around it unless its sides are plain.
    bounds = [node.lower, node.upper, node.step]
    space = "" if all(b is None or _plain_bound(b) for b in bounds) else " "
    parts: list[Doc] = []
    if node.lower is not None:
        parts += [_doc(node.lower), space]
    parts.append(":")
    if node.upper is not None:
        parts += [space, _doc(node.upper)]
    if node.step is not None:
        parts += (
            [space, ":", space, _doc(node.step)] if node.upper is not None else [":", space, _doc(node.step)]
        )
    return Group(tuple(p for p in parts if p != ""))


def _plain_bound(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return not isinstance(node.op, ast.Not) and _plain_bound(node.operand)
    return isinstance(node, (ast.Name, ast.Constant))


def _binary(node: ast.BinOp) -> Doc:
    """A chain of operators that bind alike breaks before each of them; tighter ones stay together."""
    symbol, level = _BINARY[type(node.op)]
    if symbol == "**":
        left, right = _within(node.left, level + 1), _within(node.right, _UNARY_LEVEL)
        hugged = _plain_power(node.left) and _plain_power(node.right)
        return Group((left, "**", right)) if hugged else Group((left, SPACE, "** ", right))
    parts: list[Doc] = []
    rest: list[tuple[str, ast.expr]] = []
    first: ast.expr = node
    while isinstance(first, ast.BinOp) and _BINARY[type(first.op)][1] == level:
        rest.append((_BINARY[type(first.op)][0], first.right))
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


# --- layout --------------------------------------------------------------------------------


def _flat(doc: Doc) -> str:
    match doc:
        case str():
            return doc
        case Break(flat=flat):
            return flat
        case Comma():
            return ""
        case Pieces(flat=flat):
            return flat
    return "".join(map(_flat, doc.parts))


def _layout(docs: list[Doc], indent: int, column: int, room: int = 0) -> str:
    """Text of documents that start at `column`; `room` columns are kept free behind them."""
    out: list[str] = []
    # Work still to do, last first: (indent, broken, document).
    work: list[tuple[int, bool, Doc]] = [(indent, True, d) for d in reversed(docs)]
    while work:
        depth, broken, doc = work.pop()
        match doc:
            case str():
                out.append(doc)
                column += len(doc)
            case Comma():
                if broken:
                    out.append(",")
                    column += 1
            case Break():
                if broken:
                    out.append(doc.broken + "\n" + " " * depth)
                    column = depth
                else:
                    out.append(doc.flat)
                    column += len(doc.flat)
            case Pieces():
                out.append(("\n" + " " * depth).join(doc.pieces) if broken else doc.flat)
                column += len(doc.flat)
            case Indent():
                work += [(depth + len(STEP), broken, p) for p in reversed(doc.parts)]
            case Group():
                flat = not broken or _fits(doc, work, WIDTH - column - room)
                work += [(depth, not flat, p) for p in reversed(doc.parts)]
    return "".join(out)


def _fits(group: Group, rest: list[tuple[int, bool, Doc]], width: int) -> bool:
    """Does the group fit on the line, with what follows up to the next break that is taken?"""
    pending: list[tuple[bool, Doc]] = [(False, group)]
    upcoming = len(rest)
    while width >= 0:
        if not pending:
            if upcoming == 0:
                return True
            upcoming -= 1
            _, broken, doc = rest[upcoming]
            pending.append((broken, doc))
            continue
        broken, doc = pending.pop()
        match doc:
            case str():
                width -= len(doc)
            case Comma():
                width -= broken
            case Break():
                if broken:
                    return True
                width -= len(doc.flat)
            case Pieces():
                width -= len(doc.flat)
            case Indent():
                pending += [(broken, p) for p in reversed(doc.parts)]
            case Group():
                # What follows a group is measured flat, as far as it can be.
                pending += [(False, p) for p in reversed(doc.parts)]
    return False


# --- statements ----------------------------------------------------------------------------


def wrapped(prefix: str, node: ast.expr, indent: int, suffix: str = "") -> str:
    """`prefix expression suffix` as a statement's text, without its indentation."""
    flat = prefix + expression(node) + suffix
    if indent + len(flat) <= WIDTH:
        return flat
    if _splits_itself(node):
        split = prefix + _layout([_doc(node), suffix], indent, indent + len(prefix))
        # Where even the first bracket is too far to the right, the whole goes on a line of its own.
        if indent + split.find("\n") <= WIDTH:
            return split
    plain = (ast.Name, ast.Attribute, ast.Constant)
    if isinstance(node, ast.BinOp) and isinstance(node.left, plain) and _splits_itself(node.right):
        # One operator with brackets behind it: the brackets break, the operator does not.
        symbol = _BINARY[type(node.op)][0]
        docs: list[Doc] = [_doc(node.left), f" {symbol} ", _doc(node.right), suffix]
        return prefix + _layout(docs, indent, indent + len(prefix))
    if isinstance(node, ast.BoolOp) and len(node.values) == 2:
        left, right = node.values
        level, word = (_OR, "or") if isinstance(node.op, ast.Or) else (_AND, "and")
        if _level(left) > level and _level(right) <= level:
            docs = [f"{_flat(_doc(left))} {word} ", _bracketed("(", (_doc(right),), ")"), suffix]
            return prefix + _layout(docs, indent, indent + len(prefix))
    inner = _layout([_bracketed("(", (_doc(node),), ")"), suffix], indent, indent + len(prefix))
    longest = max(len(line) for line in inner.split("\n")[1:-1])
    if isinstance(node, (ast.Name, ast.Constant, ast.Attribute)) and longest > WIDTH:
        return flat
    return prefix + inner


def _splits_itself(node: ast.expr) -> bool:
    """Does an expression end in brackets of its own that may break?"""
    if _is_chain(node):
        return False
    if isinstance(node, ast.Call):
        return bool(node.args or node.keywords)
    return isinstance(node, (ast.List, ast.Tuple, ast.Subscript, ast.ListComp, ast.GeneratorExp))


Record = Callable[[ast.stmt], None]


class Printer:
    """Writes statements; `lines[i]` is the statement that line `i + 1` belongs to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.owners: list[ast.AST | None] = []

    def write(self, text: str, indent: int, owner: ast.AST | None = None) -> None:
        for i, line in enumerate(text.split("\n")):
            self.lines.append((" " * indent if i == 0 and line else "") + line)
            self.owners.append(owner)

    def blank(self, count: int = 1) -> None:
        for _ in range(count):
            self.write("", 0)

    def body(self, statements: Iterable[ast.stmt], indent: int) -> None:
        for statement in statements:
            self.statement(statement, indent)

    def statement(self, node: ast.stmt, indent: int) -> None:
        match node:
            case ast.Assign():
                prefix = "".join(_flat(_bare(t)) + " = " for t in node.targets)
                self.write(wrapped(prefix, node.value, indent), indent, node)
            case ast.AugAssign():
                prefix = f"{expression(node.target)} {_BINARY[type(node.op)][0]}= "
                self.write(wrapped(prefix, node.value, indent), indent, node)
            case ast.AnnAssign():
                prefix = f"{expression(node.target)}: {expression(node.annotation)}"
                if node.value is None:
                    self.write(prefix, indent, node)
                else:
                    self.write(wrapped(prefix + " = ", node.value, indent), indent, node)
            case ast.Expr():
                self.write(wrapped("", node.value, indent), indent, node)
            case ast.Return():
                self._return(node, indent)
            case ast.Raise():
                assert node.exc is not None
                self.write(wrapped("raise ", node.exc, indent), indent, node)
            case ast.Assert():
                self.write(wrapped("assert ", node.test, indent), indent, node)
            case ast.If():
                self._if(node, indent)
            case ast.For():
                prefix = f"for {_flat(_bare(node.target))} in "
                self.write(wrapped(prefix, node.iter, indent, ":"), indent, node)
                self.body(node.body, indent + len(STEP))
            case ast.Pass():
                self.write("pass", indent, node)
            case _:
                raise AssertionError(f"no layout for {type(node).__name__}")

    def _return(self, node: ast.Return, indent: int) -> None:
        if node.value is None:
            self.write("return", indent, node)
        elif isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
            flat = "return " + _flat(_bare(node.value))
            if indent + len(flat) <= WIDTH:
                self.write(flat, indent, node)
            else:
                self.write(wrapped("return ", node.value, indent), indent, node)
        else:
            self.write(wrapped("return ", node.value, indent), indent, node)

    def _if(self, node: ast.If, indent: int) -> None:
        word = "if "
        while True:
            self.write(wrapped(word, node.test, indent, ":"), indent, node)
            self.body(node.body, indent + len(STEP))
            if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
                node, word = node.orelse[0], "elif "
                continue
            break
        if node.orelse:
            self.write("else:", indent, node)
            self.body(node.orelse, indent + len(STEP))
