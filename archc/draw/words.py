"""The texts of a diagram."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from archc.graph.ir import Apply, Bundle, Graph, Number, Type
from archc.report.cost import Cost
from archc.report.summary import flops_text
from archc.report.text import formula
from archc.shapes import Dim, Tensor, describe, evaluate, plain, substitute, symbol, symbols

SYMBOLS = {
    "add": "+",
    "sub": "−",
    "mul": "×",
    "div": "÷",
    "mat_mul": "@",
    "concat": "‖",
    "stack": "≡",
}
"""The operators that are drawn as a small circle."""


Divisors = Mapping[str, int]
"""What the guards say of free dimensions: `H` divisible by 8 is `{"H": 8}`."""

NONE: Divisors = {}

_DIVISIBLE = re.compile(r"(\w+) % (\d+) == 0")


def divisors_of(graph: Graph) -> Divisors:
    """What a Graph's guards say that its free dimensions are divisible by."""
    found = (_DIVISIBLE.fullmatch(str(guard.condition)) for guard in graph.guards)
    return {match[1]: int(match[2]) for match in found if match}


def size_text(size: Any, divisors: Divisors = NONE) -> str:
    """A size with signs as people write them; where `H` is divisible, `H//8` is `H/8`.

    >>> size_text((symbol("H") + 3) // 4, {"H": 8}), size_text(symbol("H") // 4)
    ('H/4', 'H//4')
    """
    if isinstance(size, int):
        return str(plain(size))
    return _fraction(size, divisors) or formula(str(size))


def _fraction(size: Any, divisors: Divisors) -> str | None:
    """A size that is a multiple or a fraction of one free dimension, if the guards make it that."""
    names = symbols(size)
    if len(names) != 1 or "//" not in str(size) or not names <= divisors.keys():
        return None
    (name,) = names
    one = symbol(name)
    whole = substitute(size, {name: divisors[name] * one})
    times = evaluate(whole, {name: 1})
    if whole != times * one:
        return None
    factor = Fraction(times, divisors[name])
    text = name if factor.numerator == 1 else f"{factor.numerator}·{name}"
    return text if factor.denominator == 1 else f"{text}/{factor.denominator}"


def short(text: str, most: int = 30) -> str:
    """A text that is not longer than a box can take."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def operator_text(label: str) -> str:
    """An operator's label with the signs that a drawing uses: `3×3` for `3x3`."""
    return re.sub(r"(?<=\d)x(?=\d)", "×", label)


def shape_of(type_: Type | None, divisors: Divisors = NONE) -> str:
    """A shape as a label: without the batch, `64 × H × W`.

    >>> shape_of(Tensor((8, 64, 32, 32)))
    '8 × 64 × 32 × 32'
    """
    if type_ is None:
        return ""
    if isinstance(type_, Bundle):
        kinds = {shape_of(member, divisors) for member in type_.members}
        each = kinds.pop() if len(kinds) == 1 else "tensors"
        return f"[{len(type_.members)}: {each}]"
    if type_.shape is None:
        return "?"
    shape = type_.shape
    if len(shape) > 1 and isinstance(shape[0], Dim) and str(shape[0]).isidentifier():
        shape = shape[1:]  # the batch: a free dimension that comes first
    if not shape:
        return "number"
    return " × ".join(_factor(short(size_text(size, divisors), 12)) for size in shape)


def _factor(text: str) -> str:
    """A size among others: a sum in brackets."""
    return f"({text})" if " " in text else text


def edge_text(before: Type | None, after: Type | None, divisors: Divisors = NONE) -> str:
    """The label of a value, where its shape is not that of what it was made from."""
    text = shape_of(after, divisors)
    return "" if text == shape_of(before, divisors) else text


def symbol_of(node: Apply) -> str | None:
    """The sign of an operator that is drawn as a circle; None where it is drawn otherwise."""
    numbers = any(isinstance(argument, Number) for argument in node.arguments)
    return None if numbers or node.member else SYMBOLS.get(node.op.title())


def symbol_or_name(node: Apply) -> str:
    """An operator in place by its name; arithmetic with a number as a formula: `× 0.5`."""
    sign = SYMBOLS.get(node.op.title())
    numbers = [a.value for a in node.arguments if isinstance(a, Number)]
    if sign and len(numbers) == 1:
        first = isinstance(node.arguments[0], Number) and sign in "−÷"
        value = size_text(numbers[0])
        return f"{value} {sign}" if first else f"{sign} {value}"
    return node.op.title()


def choice_text(test: Any) -> str:
    """The condition of a choice made when the model runs.

    >>> choice_text(("and", ("given", "mask"), ("not", ("given", "bias"))))
    'mask and not bias'
    """
    if test is None:
        return "or"
    match test:
        case ("given", name):
            return name
        case ("not", inner):
            return f"not {choice_text(inner)}"
        case (word, left, right):
            return f"{choice_text(left)} {word} {choice_text(right)}"
    raise AssertionError(test)


def facts(graph: Graph, cost: Cost) -> list[str]:
    """What stands under the title: parameters, FLOPs, shapes, guards."""
    found = [f"{cost.parameters:,} params"]
    flops = flops_text(cost.flops)
    if flops not in ("?", "-", "…"):
        found.append(f"{flops} FLOPs")
    divisors = divisors_of(graph)
    inputs = ", ".join(shape_of(graph.type(ref), divisors) for ref in graph.inputs.values())
    outputs = ", ".join(shape_of(graph.type(ref), divisors) for ref in graph.outputs.values())
    found.append(f"{inputs} → {outputs}" if inputs else outputs)
    found += describe([guard.condition for guard in graph.guards if not guard.message])
    found += [guard.message for guard in graph.guards if guard.message]
    return found


def width_of(tensor: Tensor) -> Any:
    """The size of a tensor's channels: its second axis where it is an image's, else its last."""
    if not tensor.shape or len(tensor.shape) < 2:
        return None
    return size_text(tensor.shape[1] if len(tensor.shape) > 3 else tensor.shape[-1])


def index_text(index: int | slice) -> str:
    if isinstance(index, int):
        return f"[{index}]"
    if (index.start, index.stop, index.step) == (None, None, -1):
        return "reversed"
    parts = ["" if part is None else str(part) for part in (index.start, index.stop)]
    step = "" if index.step is None else f":{index.step}"
    return f"[{parts[0]}:{parts[1]}{step}]"
