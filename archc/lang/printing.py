"""Syntax trees as text, in the one canonical form: one space around operators, double quotes, and
brackets only where the tree needs them. What is printed parses to the same tree."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from archc.lang import syntax
from archc.lang.syntax import INFIX
from archc.shapes.number import ATOM, COMPARE, CONDITIONAL, NOT, OR, POWER, UNARY


def text(node: syntax.Expr | syntax.Line | syntax.Step | syntax.Argument | syntax.Slice | syntax.Dots) -> str:
    """The text of a tree; of a line, what stands right of its colon."""
    return _PRINTERS[type(node)](node)[0]


def name_text(names: Iterable[syntax.Name]) -> str:
    """What stands left of a line's colon."""
    return ", ".join(name.id for name in names)


def literal(value: int | float | str | bool | None) -> str:
    """A value as the language writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else "-.inf" if value < 0 else ".inf"
    mantissa, e, exponent = float.__repr__(value).partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def quoted(value: str) -> str:
    """A string in double quotes."""

    def escape(char: str) -> str:
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char.isprintable():
            return char
        code = ord(char)
        return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"

    return f'"{"".join(map(escape, value))}"'


def _at(node: syntax.Expr, level: int) -> str:
    """The text of an operand, in brackets where it binds less tightly than `level`."""
    found, own = _PRINTERS[type(node)](node)
    return found if own >= level else f"({found})"


def _arguments(arguments: Iterable[syntax.Argument]) -> str:
    return ", ".join(text(a) for a in arguments)


def _literal(node: syntax.Literal) -> tuple[str, int]:
    found = literal(node.value)
    return found, UNARY if found.startswith("-") else ATOM


def _sequence(node: syntax.Sequence) -> tuple[str, int]:
    items = ", ".join(map(text, node.items))
    if not node.row:
        return f"[{items}]", ATOM
    return f"({items},)" if len(node.items) == 1 else f"({items})", ATOM


def _unary(node: syntax.Unary) -> tuple[str, int]:
    if node.op == "not":
        return f"not {_at(node.operand, NOT)}", NOT
    return f"{node.op}{_at(node.operand, UNARY)}", UNARY


def _binary(node: syntax.Binary) -> tuple[str, int]:
    level = INFIX[node.op]
    if level == POWER:
        return f"{_at(node.left, ATOM)} ** {_at(node.right, UNARY)}", POWER
    return f"{_at(node.left, level)} {node.op} {_at(node.right, level + 1)}", level


def _compare(node: syntax.Compare) -> tuple[str, int]:
    rest = "".join(f" {op} {_at(operand, COMPARE + 1)}" for op, operand in node.rest)
    return _at(node.first, COMPARE + 1) + rest, COMPARE


def _conditional(node: syntax.Conditional) -> tuple[str, int]:
    return f"{_at(node.then, OR)} if {_at(node.test, OR)} else {text(node.other)}", CONDITIONAL


def _call(node: syntax.Call) -> tuple[str, int]:
    return f"{node.name.id}({_arguments(node.arguments)})", ATOM


def _index(node: syntax.Index) -> tuple[str, int]:
    return f"{_at(node.value, ATOM)}[{', '.join(map(text, node.items))}]", ATOM


def _slice(node: syntax.Slice) -> tuple[str, int]:
    start, stop, step = ("" if part is None else text(part) for part in (node.start, node.stop, node.step))
    return f"{start}:{stop}" + (f":{step}" if step else ""), ATOM


def _port(node: syntax.Port) -> tuple[str, int]:
    number = isinstance(node.value, syntax.Literal)
    value = f"({text(node.value)})" if number else _at(node.value, ATOM)
    return f"{value}.{node.port}", ATOM


def _comprehension(node: syntax.Comprehension) -> tuple[str, int]:
    clauses = []
    for clause in node.clauses:
        # A single name with a comma would be unpacked in Python; here it is the same as without.
        clauses.append(f" for {', '.join(clause.names)} in {_at(clause.iterable, OR)}")
        clauses.extend(f" if {_at(test, OR)}" for test in clause.tests)
    return f"[{text(node.item)}{''.join(clauses)}]", ATOM


def _steps(chain: syntax.Chain) -> str:
    return _arguments(chain.arguments) + "".join(f" -> {text(step)}" for step in chain.steps)


def _chain(node: syntax.Chain) -> tuple[str, int]:
    return f"({_steps(node)})", ATOM


def _step(node: syntax.Step) -> tuple[str, int]:
    brackets = f"({_arguments(node.arguments)})" if node.called else ""
    return node.name.id + brackets, ATOM


def _argument(node: syntax.Argument) -> tuple[str, int]:
    value = text(node.value)
    return (value if node.name is None else f"{node.name}={value}"), ATOM


def _line(node: syntax.Line) -> tuple[str, int]:
    parts = []
    at: syntax.Line | None = node
    while at is not None:
        parts.append(_steps(at.chain))
        if at.condition is not None:
            parts[-1] += f" if {_at(at.condition, OR)}"
        at = at.otherwise
    return " else ".join(parts), CONDITIONAL


_PRINTERS: dict[type, Callable[[Any], tuple[str, int]]] = {
    syntax.Literal: _literal,
    syntax.Name: lambda node: (node.id, ATOM),
    syntax.Sequence: _sequence,
    syntax.Unary: _unary,
    syntax.Binary: _binary,
    syntax.Compare: _compare,
    syntax.Conditional: _conditional,
    syntax.Call: _call,
    syntax.Index: _index,
    syntax.Slice: _slice,
    syntax.Dots: lambda node: ("...", ATOM),
    syntax.Port: _port,
    syntax.Comprehension: _comprehension,
    syntax.Chain: _chain,
    syntax.Step: _step,
    syntax.Argument: _argument,
    syntax.Line: _line,
}
