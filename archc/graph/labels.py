"""Labels of numbers as expressions: read, evaluated, and told anew in another block's names.

A label is Python source that `archc.shapes` wrote. It is checked against a short list of what may
stand in one before it is evaluated.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from archc.shapes import Num, Real, plain
from archc.shapes.number import call

FUNCTIONS: dict[str, str | None] = {
    **dict.fromkeys(("max", "min", "abs", "round", "int", "float")),
    **dict.fromkeys(("sqrt", "log", "log2", "exp", "floor", "ceil"), "math"),
}
"""The functions that may stand in a label, and the module of Python that has them."""

_CALLABLE = {
    **{"max": max, "min": min, "abs": abs, "round": round, "int": int, "float": float},
    **{name: getattr(math, name) for name, module in FUNCTIONS.items() if module},
}
_ALLOWED = (ast.Expression, ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.BinOp)
_ALLOWED += (ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Constant, ast.Name, ast.Call)


@lru_cache(maxsize=4096)
def _read(label: str) -> tuple[Any, frozenset[str]] | None:
    """A label's code and the names in it; None where it may not stand in generated code."""
    try:
        tree = ast.parse(label, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    names = set()
    functions = set()
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            return None
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
                return None
            functions.add(node.func)
        elif isinstance(node, ast.Name) and node not in functions:
            if node.id in FUNCTIONS:
                return None
            names.add(node.id)
    return compile(tree, "<label>", "eval"), frozenset(names)


def names(label: str) -> frozenset[str] | None:
    """The names in a label; None where it is no expression that generated code may hold.

    >>> sorted(names("4 * d // max(h, 1)"))
    ['d', 'h']
    """
    found = _read(label)
    return None if found is None else found[1]


def evaluate(label: str, numbers: Mapping[str, Any]) -> int | float | None:
    """What a label comes to; None where it is no label over these numbers.

    >>> evaluate("4 * d", {"d": 8})
    32
    """
    found = _value(label, {n: plain(v) for n, v in numbers.items()}, _CALLABLE)
    return plain(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def relabel(value: Any, numbers: Mapping[str, Any]) -> Any:
    """A number in the names that others have for the names of its label, plain where there are none.

    >>> from archc.shapes import labelled
    >>> inner = labelled(8, "d") * 4
    >>> relabel(inner, {"d": labelled(8, "width")}).label
    'width * 4'
    """
    if not isinstance(value, (Num, Real)):
        return value
    found = _value(value.label, numbers, _LABELLING)
    same = (
        isinstance(found, (Num, Real)) and found == value and isinstance(found, int) == isinstance(value, int)
    )
    return found if same else plain(value)


def _value(label: str, numbers: Mapping[str, Any], functions: Mapping[str, Any]) -> Any:
    read = _read(label)
    if read is None or not all(isinstance(numbers.get(n), int | float) for n in read[1]):
        return None
    known = {n: numbers[n] for n in read[1]}
    try:
        return eval(read[0], {"__builtins__": {}, **functions, **known})
    except (ArithmeticError, ValueError, TypeError):
        return None


def _labelling(name: str) -> Any:
    function = _CALLABLE[name]
    return lambda *arguments: call(name, function(*map(plain, arguments)), *arguments)


_LABELLING = {name: _labelling(name) for name in FUNCTIONS}
