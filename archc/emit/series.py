"""Copies of one class that differ in numbers, as a generator: over their index, or over a table of the
numbers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archc.emit.coded import Coder, Slot, equal
from archc.graph import labels

# From this many copies on, a list of copies runs over what they differ in.
SERIES = 4
# As many numbers a row of the table may have; with more, calls with their keywords are better to read.
MOST = 3


def series(
    rows: Sequence[Sequence[Slot]],
    names: Sequence[str],
    numbers: Mapping[str, Any],
    coder: Coder,
    one: Callable[[dict[int, str]], str],
) -> str | None:
    """A generator of calls; None where a list of them is as good.

    `rows` are the arguments of each call, `names` what these are called, `numbers` what the names in
    their texts stand for. `one` writes the call, where some arguments have another text.
    """
    if len(rows) < SERIES:
        return None
    columns = list(zip(*rows, strict=True))
    varying = [at for at, column in enumerate(columns) if any(slot != column[0] for slot in column)]
    index = coder.local("i")
    texts = {at: _text(columns[at], index, numbers, coder) for at in varying}
    if all(_first_alone(columns[at]) for at in varying):
        return None
    table = [at for at in varying if texts[at] is None]
    if len(table) > MOST:
        return None
    variables = {at: coder.local(names[at]) for at in table}
    call = one({at: text for at, text in (texts | variables).items() if text is not None})
    if not table:
        return f"{call} for {index if index in call else '_'} in range({coder.number(len(rows))})"
    target = _row(list(variables.values()))
    values = ", ".join(_row([coder.slot(row[at]) for at in table]) for row in rows)
    if index in call:
        return f"{call} for {index}, {target} in enumerate(({values}))"
    target = target[1:-1] if len(table) > 1 else target
    return f"{call} for {target} in ({values})"


def _row(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _first_alone(column: Sequence[Slot]) -> bool:
    """Are all numbers but the first the same?"""
    return all(slot == column[1] for slot in column[1:])


def _text(column: Sequence[Slot], index: str, numbers: Mapping[str, Any], coder: Coder) -> str | None:
    """All numbers of a column as one text, by the index where they are not the same."""
    step = _step(column)
    if step is not None:
        return f"{coder.slot(column[0])} + {index} * {coder.slot(step)}"
    if all(slot.label is not None and labels.names(slot.label) is not None for slot in column):
        found = _by_index([_tree(slot) for slot in column], index, numbers, coder)
        if found is not None:
            return ast.unparse(found)
    if _first_alone(column):
        return f"{coder.slot(column[0])} if {index} == 0 else {coder.slot(column[1])}"
    value = column[0].value
    texts = dict.fromkeys(slot.label for slot in column)
    if None not in texts and all(s.value == value and type(s.value) is type(value) for s in column):
        # The texts together are no expression, so what they name is no argument.
        return coder.slot(Slot(value, ", ".join(map(str, texts))))
    return None


def _tree(slot: Slot) -> ast.expr:
    return ast.parse(str(slot.label), mode="eval").body


def _by_index(
    trees: Sequence[ast.expr], index: str, numbers: Mapping[str, Any], coder: Coder
) -> ast.expr | None:
    """Expressions that differ in whole numbers alone as one, in which these come of the index."""
    first = trees[0]
    text = ast.unparse(first)
    if all(ast.unparse(tree) == text for tree in trees):
        value = labels.evaluate(text, numbers)
        named = None if isinstance(first, ast.Constant) else text
        return None if value is None else ast.Name(coder.slot(Slot(value, named)))
    match first:
        case ast.Constant():
            values = [tree.value if isinstance(tree, ast.Constant) else None for tree in trees]
            return _affine(values, index)
        case ast.BinOp():
            same = [t for t in trees if isinstance(t, ast.BinOp) and type(t.op) is type(first.op)]
            if len(same) < len(trees):
                return None
            left = _by_index([t.left for t in same], index, numbers, coder)
            right = _by_index([t.right for t in same], index, numbers, coder)
            return ast.BinOp(left, first.op, right) if left is not None and right is not None else None
    return None


def _affine(values: Sequence[Any], index: str) -> ast.expr | None:
    """`i`, `i + 1`, `2 * i`, ... for whole numbers; None where they are none of these."""
    if any(type(value) is not int for value in values):
        return None
    start, step = values[0], values[1] - values[0]
    if any(value != start + at * step for at, value in enumerate(values)) or step < 1 or start < 0:
        return None
    text = index if step == 1 else f"{step} * {index}"
    return ast.parse(f"{text} + {start}" if start else text, mode="eval").body


def _step(slots: Sequence[Slot]) -> Slot | None:
    """What is added from one number to the next, where that is one number of the block's."""
    first, second = slots[0], slots[1]
    step = (second.label or "").removeprefix(f"{first.label} + ")
    if first.label is None or step == second.label or labels.names(step) is None:
        return None
    values = [slot.value for slot in slots]
    gap = values[1] - values[0]
    if any(not isinstance(v, int) or v != values[0] + i * gap for i, v in enumerate(values)):
        return None
    for i, slot in enumerate(slots[2:], 2):
        if slot.label is None or not equal(slot.label, f"{first.label} + {i} * ({step})"):
            return None
    return Slot(gap, step)
