"""Python source from `ast` nodes, as ruff's formatter lays it out at 88 columns.

What has no place in generated code (comments, lambdas, dicts) is not here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from archc.emit.expressions import (
    AND,
    BINARY,
    OR,
    bare,
    document,
    expression,
    is_chain,
    level_of,
    number,
    string,
)
from archc.emit.layout import STEP, WIDTH, Doc, bracketed, flat_text, lay_out

__all__ = ["WIDTH", "Printer", "expression", "number", "string", "wrapped"]


def wrapped(prefix: str, node: ast.expr, indent: int, suffix: str = "") -> str:
    """`prefix expression suffix` as a statement's text, without its indentation."""
    flat = prefix + expression(node) + suffix
    if indent + len(flat) <= WIDTH:
        return flat
    if _splits_itself(node):
        split = prefix + lay_out([document(node), suffix], indent, indent + len(prefix))
        # Where even the first bracket is too far to the right, the whole goes on a line of its own.
        if indent + split.find("\n") <= WIDTH:
            return split
    plain = (ast.Name, ast.Attribute, ast.Constant)
    if isinstance(node, ast.BinOp) and isinstance(node.left, plain) and _splits_itself(node.right):
        # One operator with brackets behind it: the brackets break, the operator does not.
        symbol = BINARY[type(node.op)][0]
        docs: list[Doc] = [document(node.left), f" {symbol} ", document(node.right), suffix]
        return prefix + lay_out(docs, indent, indent + len(prefix))
    if isinstance(node, ast.BoolOp) and len(node.values) == 2:
        left, right = node.values
        level, word = (OR, "or") if isinstance(node.op, ast.Or) else (AND, "and")
        if level_of(left) > level and level_of(right) <= level:
            docs = [f"{flat_text(document(left))} {word} ", bracketed("(", (document(right),), ")"), suffix]
            return prefix + lay_out(docs, indent, indent + len(prefix))
    inner = lay_out([bracketed("(", (document(node),), ")"), suffix], indent, indent + len(prefix))
    longest = max(len(line) for line in inner.split("\n")[1:-1])
    if isinstance(node, (ast.Name, ast.Constant, ast.Attribute)) and longest > WIDTH:
        return flat
    return prefix + inner


def _splits_itself(node: ast.expr) -> bool:
    """Does an expression end in brackets of its own that may break?"""
    if is_chain(node):
        return False
    if isinstance(node, ast.Call):
        return bool(node.args or node.keywords)
    return isinstance(node, (ast.List, ast.Tuple, ast.Subscript, ast.ListComp, ast.GeneratorExp))


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
                prefix = "".join(flat_text(bare(t)) + " = " for t in node.targets)
                self.write(wrapped(prefix, node.value, indent), indent, node)
            case ast.AugAssign():
                prefix = f"{expression(node.target)} {BINARY[type(node.op)][0]}= "
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
                prefix = f"for {flat_text(bare(node.target))} in "
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
            flat = "return " + flat_text(bare(node.value))
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
