"""What stands under a diagram's title."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from math import lcm

from archc.draw.scene.words import Divisors, divisors_of, dtype_text, expression, shape_of, short
from archc.graph.ir import Bundle, Graph, Ref
from archc.lang.values import Unsettled
from archc.ops.placeholder import Placeholder
from archc.report.cost import Costs
from archc.report.summary import flops_text
from archc.report.text import formula, number
from archc.shapes import Dim, Size, Tensor, TooLarge, describe, substitute, symbol, symbols


def facts(graph: Graph, costs: Costs) -> list[str]:
    """Parameters, FLOPs, what comes in and goes out, and the guards; of an outline, its open params."""
    divisors = divisors_of(graph)
    inputs = [_value(graph, name, ref, divisors, len(graph.inputs)) for name, ref in graph.inputs.items()]
    outputs = [_value(graph, name, ref, divisors, len(graph.outputs)) for name, ref in graph.outputs.items()]
    ways = " → ".join(", ".join(side) for side in (inputs, outputs) if side)
    if graph.outline:
        return [*_open_params(graph), ways]
    cost = costs.graph(graph)
    found = [f"{cost.parameters:,} params"]
    flops = whole_flops(cost.flops, divisors)
    if flops:
        found.append(f"{flops} FLOPs")
    found.append(ways)
    found += guards(graph)
    return found


def whole_flops(flops: Size | None, divisors: Divisors) -> str:
    """FLOPs as text: a number, or a polynomial over the free sizes. One with parts of them, `H // 16`, is
    told for sizes that are divisible, exact where the guards demand that.

    >>> H = symbol("H")
    >>> whole_flops(4096 * H * (H // 16) + 64 * (H // 2) + 100000 * H + 8192, {})
    '≈ 256·H² + 100.0k·H + 8.2k'
    """
    text = flops_text(flops)
    if text in ("?", "-"):
        return ""
    if text != "…" and "//" not in text:
        return text
    shares = [int(share) for share in re.findall(r"// (\d+)", str(flops))]
    step = {name: divisors.get(name, lcm(*shares)) for name in symbols(flops)}
    try:
        whole = str(substitute(flops, {name: by * symbol(name) for name, by in step.items()}))
    except TooLarge:
        return ""
    if "//" in whole or " - " in whole or "(" in whole:
        return ""
    parts = [_term(part, step) for part in whole.split(" + ")]
    exact = all(name in divisors for name in symbols(flops) if re.search(rf"\b{name} // ", str(flops)))
    return ("" if exact else "≈ ") + " + ".join(parts)


def _term(text: str, step: Mapping[str, int]) -> str:
    """A term over sizes of so many steps each, in those sizes."""
    value, factors = Fraction(1), []
    for factor in text.split(" * "):
        if factor.isdecimal():
            value *= int(factor)
            continue
        name, _, power = factor.partition(" ** ")
        value /= step[name] ** int(power or 1)
        factors.append(formula(factor))
    count = number(float(value)) if value >= 10 else f"{float(value):.2g}"
    return "·".join([count, *factors] if value != 1 or not factors else factors)


def _open_params(graph: Graph) -> list[str]:
    """The params that nobody has given, their defaults in brackets."""
    found: list[str] = []
    word = "default "  # the first says what stands in brackets
    for name, param in graph.block.params.items():
        value = graph.params.get(name)
        if isinstance(value, Dim | Unsettled) or getattr(value, "what", None) is Placeholder:
            if param.default is None:
                found.append(name)
                continue
            found.append(f"{name} ({word}{expression(param.default.span.text)})")
            word = ""
    return ["unbound" + (f": {short(', '.join(found), 150)}" if found else "")]


def _value(graph: Graph, name: str, ref: Ref, divisors: Divisors, several: int) -> str:
    """An input or output: its shape, and its name where there are several or the shape alone says little."""
    type_ = graph.type(ref)
    text = dtype_text(type_, divisors) or shape_of(type_, divisors)
    if isinstance(type_, Tensor) and type_.shape is not None and len(type_.shape) == 1 and "[" not in text:
        text = f"[{text}]"
    if not text:
        return name
    mark = "?" if graph.node(ref).outputs[ref.out].open else ""
    named = several > 1 or isinstance(type_, Bundle) or "[" in text
    return f"{name}{mark}: {text}" if named else text


def guards(graph: Graph) -> list[str]:
    """What must hold of the free dimensions and of the inputs, in words: `H, W divisible by 16`."""
    found = []
    for text in describe([guard.condition for guard in graph.guards if not guard.message]):
        subject, must, predicate = text.partition(" must be ")
        found.append(f"{subject.replace(' and ', ', ')} {predicate}" if must else text)
    return found + [asked.message for asked in (*graph.guards, *graph.asks) if asked.message]
