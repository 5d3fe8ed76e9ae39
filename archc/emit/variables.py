"""The variables that statements read and make."""

from __future__ import annotations

import ast
from collections.abc import Iterable


def names(tree: Iterable[ast.AST]) -> set[str]:
    """All names in statements."""
    return {n.id for part in tree for n in ast.walk(part) if isinstance(n, ast.Name)}


def loads(tree: Iterable[ast.AST]) -> list[str]:
    """The names that statements read, in order."""
    found: dict[str, None] = {}
    for part in tree:
        for node in ast.walk(part):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found[node.id] = None
    return list(found)


def stored(tree: Iterable[ast.AST]) -> list[str]:
    """The names that statements make, in order."""
    found: dict[str, None] = {}
    for part in tree:
        for node in ast.walk(part):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found[node.id] = None
    return list(found)


def sole_target(tree: list[ast.stmt]) -> str | None:
    """The name that one plain assignment makes."""
    if len(tree) != 1 or not isinstance(tree[0], ast.Assign):
        return None
    target = tree[0].targets[0]
    return target.id if isinstance(target, ast.Name) else None
