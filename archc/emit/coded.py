"""Source text whose names are not settled yet.

A block's code is first written with Greek names that stand for what is decided later, for all
instances of the block together: `ρ3_0` is output 0 of node 3, `ν4` number 4 of the instance,
`δ0` its run-time size 0, `λblock_2` a local variable that may be called `block`, and `κ1` the
class of its child 1. A name of a spec is ASCII, so the two never meet. Text that is equal but
for the numbers' values is one class.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from archc.graph import labels
from archc.ops.python import END, LABEL, RUNTIME, RUNTIME_END, VALUE
from archc.shapes import Cond, Dim, Formula, Num, Real, python, symbol, symbols

VALUE_NAME = re.compile(r"ρ(\d+)_(\d+)")
CODED = re.compile(r"ρ\d+_\d+|ν\d+|δ\d+|λ\w+|κ\d+")

_PIECE = re.compile(
    r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
    rf"|{LABEL}(?P<label>[^{VALUE}]*){VALUE}(?P<value>[^{END}]*){END}"
    rf"|{RUNTIME}(?P<runtime>[^{RUNTIME_END}]*){RUNTIME_END}"
    r"|(?<![\w.])(?P<number>\d+\.?\d*(?:e[+-]?\d+)?)(?![\w.])"
)
_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")

# A plain whole number up to this in a forward says where (an axis, a count of parts), not how much.
_STRUCTURAL = 4


@dataclass(frozen=True, slots=True)
class Slot:
    """A number in an instance's code: its value and, where it has one, its text in the block's names."""

    value: int | float
    label: str | None = None


@dataclass(slots=True)
class Coder:
    """Codes an instance's text and gathers what its names stand for."""

    sizes: tuple[str, ...] = ()
    slots: list[Slot] = field(default_factory=list)
    used_sizes: dict[str, int] = field(default_factory=dict)
    _locals: int = 0

    def number(self, value: Any) -> str:
        """The name of a number: of a slot, or an expression over run-time sizes in brackets."""
        if isinstance(value, bool) or value is None:
            return repr(value)
        if isinstance(value, (Dim, Formula, Cond)):
            return self._runtime(python(value), symbols(value))
        label = value.label if isinstance(value, (Num, Real)) else None
        plain = int(value) if isinstance(value, int) else float(value)
        return self.slot(Slot(plain, label))

    def slot(self, slot: Slot) -> str:
        self.slots.append(slot)
        return f"ν{len(self.slots) - 1}"

    def local(self, hint: str) -> str:
        """A new local variable, to be called `hint` if that is free."""
        self._locals += 1
        return f"λ{hint}_{self._locals}"

    def size(self, name: str) -> str:
        """A run-time size of the block."""
        return f"δ{self.used_sizes.setdefault(name, len(self.used_sizes))}"

    def text(self, source: str, *, building: bool) -> str:
        """An operator's source, coded. `building`: it stands in `__init__`, where every number
        may differ from instance to instance; in a forward, small whole numbers are structure."""

        def code(match: re.Match[str]) -> str:
            if match["label"] is not None:
                return self.slot(Slot(_read(match["value"]), match["label"] or None))
            if match["runtime"] is not None:
                return self._runtime(match["runtime"], None)
            if match["number"] is None:
                return match[0]
            value = _read(match["number"])
            if not building and isinstance(value, int) and value <= _STRUCTURAL:
                return match[0]
            return self.slot(Slot(value))

        return _PIECE.sub(code, source)

    def _runtime(self, source: str, names: frozenset[str] | None) -> str:
        known = self.sizes if names is None else names

        def code(match: re.Match[str]) -> str:
            return self.size(match[0]) if match[0] in known else match[0]

        return f"({_WORD.sub(code, source)})"


def _read(text: str) -> int | float:
    return float(text.replace('"', "")[len("float(") : -1]) if "inf" in text else _number(text)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def key(text: str) -> str:
    """Coded text as it is compared between instances: where numbers stand, not which."""
    return re.sub(r"ν\d+", "ν", text)


def expression(text: str) -> ast.expr:
    """The expression that a coded text holds."""
    return ast.parse(text, mode="eval").body


def statements(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


class _Replace(ast.NodeTransformer):
    def __init__(self, name: Callable[[str], ast.expr | None]):
        self.name = name

    def visit_Name(self, node: ast.Name) -> ast.expr:
        found = self.name(node.id)
        return node if found is None else found


def replace(node: Any, name: Callable[[str], ast.expr | None]) -> Any:
    """A tree with names replaced, in place; what `name` tells None for stays."""
    return _Replace(name).visit(node)


# --- labels --------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def simplified(label: str) -> str:
    """A label of whole numbers in fewer words: `3 * d // 3` is `d`."""
    found = _size(label)
    text = label if found is None else python(found)
    return text if len(text) < len(label) else label


def equal(a: str, b: str) -> bool:
    """Are two labels one number, whatever their names stand for? Not where nothing can be said."""
    found = _size(a)
    return a == b or (found is not None and found == _size(b))


def _size(label: str) -> Dim | None:
    """A label as a size over its names; None where it is none, or has no names."""
    names = labels.names(label)
    if not names:
        return None
    code = compile(ast.parse(label, mode="eval"), "<label>", "eval")
    try:
        found = eval(code, {"__builtins__": {}, **{n: symbol(n) for n in names}})
    except Exception:  # what sizes refuse: true division, a function
        return None
    return found if isinstance(found, Dim) else None


def label_expression(label: str, name: Callable[[str], ast.expr]) -> ast.expr:
    """A label as an expression of generated code; `name` tells what a name of the block is there."""

    def code(identifier: str) -> ast.expr | None:
        if identifier not in labels.FUNCTIONS:
            return name(identifier)
        module = labels.FUNCTIONS[identifier]
        return expression(f"{module}.{identifier}") if module else None

    return replace(expression(simplified(label)), code)


_OPPOSITE = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}


def negated(test: ast.expr) -> ast.expr:
    """`not test`, as one writes it."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _OPPOSITE:
        return ast.Compare(test.left, [_OPPOSITE[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)
