"""About how long a line will be and how deep its calls: whether a value can stand where it is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archc.emit import printer
from archc.emit.coded import CODED

DEEPEST = 3
"""Calls inside each other on one line."""


@dataclass(slots=True)
class Measure:
    """Lengths of coded text. `provisional`: about how a value will be called."""

    provisional: Callable[[str], str]

    def head(self, statement: ast.stmt) -> int:
        """About how long the statement is besides its value."""
        if isinstance(statement, ast.Assign):
            return sum(len(self.text(t)) + 3 for t in statement.targets)
        if isinstance(statement, ast.For):
            return len(self.text(statement.target)) + 9
        return 7

    def text(self, node: ast.expr, values: Mapping[str, ast.expr] | None = None) -> str:
        """About how an expression will read, with `values` for names."""

        def name(match: re.Match[str]) -> str:
            value = values.get(match[0]) if values else None
            return self.provisional(match[0]) if value is None else self.text(value)

        return CODED.sub(name, printer.expression(node))

    def length(self, node: ast.expr) -> int:
        return len(self.text(node))


def expressions(statement: ast.stmt) -> list[ast.expr]:
    """The expressions that stand on a line with others of a statement."""
    if isinstance(statement, (ast.Assign, ast.Return, ast.Expr)):
        return [statement.value] if statement.value is not None else []
    found = []
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            found += expressions(child)
        elif isinstance(child, ast.expr):
            found.append(child)
    return found


def nesting(node: ast.AST, known: Mapping[str, int] | None = None) -> int:
    """How deep calls stand inside each other's arguments; `known` for values that names stand for."""
    if isinstance(node, ast.Name):
        return known.get(node.id, 0) if known else 0
    if isinstance(node, ast.Call):
        given = [*node.args, *(k.value for k in node.keywords)]
        inner = max((nesting(a, known) for a in given), default=0)
        return max(inner + 1, nesting(node.func, known))
    return max((nesting(child, known) for child in ast.iter_child_nodes(node)), default=0)
