"""The texts of a diagram."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any

from archc.graph.ir import Apply, Bundle, Graph, Number, Type
from archc.ops import table as ops
from archc.ops.base import Op
from archc.ops.outline import label as told_label
from archc.report.text import formula
from archc.shapes import Dim, Tensor, evaluate, plain, recording, substitute, symbol, symbols

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
    if "?" in str(size):
        return "?"  # nobody knows it
    return _fraction(size, divisors) or expression(str(size))


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


def expression(text: str) -> str:
    """An expression of a spec with the signs that a diagram uses: `ch·ch_mult[levels − 1]`.

    >>> expression("ch * ch_mult[-1]"), expression("levels - 1 if last else levels")
    ('ch·ch_mult[−1]', 'levels − 1 | levels')
    """
    chosen = re.fullmatch(r"(.+) if .+ else (.+)", text)
    if chosen:
        return f"{expression(chosen[1])} | {expression(chosen[2])}"
    return formula(text).replace(" - ", " − ").replace("[-", "[−")


def given_text(numbers: Mapping[str, Any], names: Collection[str]) -> str:
    """What a block of an outline is given for its numbers: `c_out = ch·ch_mult[0]`."""
    found = []
    for name, value in numbers.items():
        value = plain(value)
        if name in names and isinstance(value, int | Dim) and not isinstance(value, bool):
            text = size_text(value)
            if text not in (name, "?"):
                found.append(f"{name} = {text}")
    return short(", ".join(found), 60)


def short(text: str, most: int = 30) -> str:
    """A text that is not longer than a box can take."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def operator_name(op: Op) -> str:
    """An operator as a diagram names it: `Conv2d`; one that nobody has given, by its param's name."""
    return operator_word(op) if op.title() == "placeholder" else type(op).__name__


def label_of(op: Op, types: Sequence[Tensor | None]) -> str:
    """An operator's small line with the signs that a diagram uses: `64 → 128, 3×3`."""
    with recording():  # what its rules ask of sizes is known
        label = told_label(op, types)
    label = re.sub(r"(?<=\d)x(?=\d)| x ", lambda found: found[0].replace("x", "×"), label)
    return expression(label) if re.search(r" (\*|\*\*|//|-) ", label) else label


def cases_text(options: Sequence[tuple[str, Op | Graph | None]], types: Sequence[Tensor | None]) -> str:
    """The cases of a choice that nobody has made: `Conv2d C → c_out, 3×3 | 1×1`, `Downsample | identity`."""
    texts = []
    for _, option in options:
        if isinstance(option, Graph):
            texts.append(option.name)
        elif option is None:
            texts.append("identity")
        else:
            texts.append(f"{operator_name(option)} {label_of(option, types)}".strip())
    words = [text.split(" ") for text in dict.fromkeys(texts)]
    alike = [w for w in words if w[0] == words[0][0]]
    same = 0  # the words that those of one operator begin with: they stand once
    while len(alike) > 1 and all(len(w) > same + 1 and w[same] == alike[0][same] for w in alike):
        same += 1
    rest = [w[same:] for w in alike] + [w for w in words if w not in alike]
    return " ".join([*words[0][:same], " | ".join(map(" ".join, rest))])


def shape_of(type_: Type | None, divisors: Divisors = NONE) -> str:
    """A shape as a label: without the batch, `64 × H × W`.

    >>> shape_of(Tensor((8, 64, 32, 32)))
    '8 × 64 × 32 × 32'
    """
    if type_ is None:
        return ""
    if isinstance(type_, Bundle):
        kinds = {shape_of(member, divisors) for member in type_.members}
        each = (kinds.pop() if len(kinds) == 1 else "") or "tensors"
        count = len(type_.members) if type_.count is None else size_text(type_.count, divisors)
        return f"[{count}: {each}]"
    if type_.shape is None:
        return ""
    shape = type_.shape
    if len(shape) > 1 and isinstance(shape[0], Dim) and str(shape[0]).isidentifier():
        shape = shape[1:]  # the batch: a free dimension that comes first
    if not shape:
        return "number"
    sizes = [_factor(short(size_text(size, divisors), 32)) for size in shape]
    return " × ".join(sizes) if set(sizes) != {"?"} else ""


def dtype_text(type_: Type, divisors: Divisors = NONE) -> str:
    """A type with its dtype and its batch, `int64[B, 77]`, where it is not of floats; else nothing."""
    if not isinstance(type_, Tensor) or type_.dtype == "float":
        return ""
    sizes = ", ".join(size_text(size, divisors) for size in type_.shape or ())
    return type_.dtype if type_.shape is None else f"{type_.dtype}[{sizes}]"


def _factor(text: str) -> str:
    """A size among others: a sum in brackets."""
    return f"({text})" if " " in re.sub(r"\[.*?\]", "", text) else text


def symbol_of(node: Apply) -> str | None:
    """The sign of an operator that is drawn as a circle; None where it is drawn otherwise."""
    numbers = any(isinstance(argument, Number) for argument in node.arguments)
    return None if numbers or node.member else SYMBOLS.get(node.op.title())


def symbol_or_name(node: Apply, graph: Graph) -> str:
    """An operator in place by the name that the spec has for it; arithmetic with a number as a formula:
    `× 0.5`."""
    sign = SYMBOLS.get(node.op.title()) or getattr(node.op, "sign", None)
    numbers = [a.value for a in node.arguments if isinstance(a, Number)]
    if sign and len(numbers) == 1:
        first = isinstance(node.arguments[0], Number) and sign not in "+×"
        value = size_text(numbers[0])
        return f"{value} {sign}" if first else f"{sign} {value}"
    written = re.match(r"\w+", node.span.text)
    word = written[0] if written else ""
    name = getattr(graph.params.get(word), "name", word)  # what an op param is
    return name if ops.get(name) is type(node.op) else operator_word(node.op)


def operator_word(op: Op) -> str:
    """An operator's name in a spec; of one that nobody has given, its param's."""
    return getattr(op, "name", op.title()) if op.title() == "placeholder" else op.title()


def width_of(tensor: Tensor, divisors: Divisors = NONE) -> str | None:
    """The size of a tensor's channels: its second axis where it is an image's, else its last."""
    if not tensor.shape or len(tensor.shape) < 2:
        return None
    return size_text(tensor.shape[1] if len(tensor.shape) > 3 else tensor.shape[-1], divisors)


def index_text(index: int | slice) -> str:
    if isinstance(index, int):
        return f"[{index}]"
    if (index.start, index.stop, index.step) == (None, None, -1):
        return "reversed"
    parts = ["" if part is None else str(part) for part in (index.start, index.stop)]
    step = "" if index.step is None else f":{index.step}"
    return f"[{parts[0]}:{parts[1]}{step}]"
