"""What stands under a diagram's title."""

from __future__ import annotations

from archc.draw.words import Divisors, divisors_of, dtype_text, expression, shape_of, short
from archc.graph.ir import Bundle, Graph, Ref
from archc.lang.values import Unsettled
from archc.ops.placeholder import Placeholder
from archc.report.cost import Costs
from archc.report.summary import flops_text
from archc.shapes import Dim, Tensor, describe


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
    flops = flops_text(cost.flops)
    if flops not in ("?", "-", "…"):
        found.append(f"{flops} FLOPs")
    found.append(ways)
    found += guards(graph)
    return found


def _open_params(graph: Graph) -> list[str]:
    """The params that nobody has given, with their defaults."""
    found = []
    for name, param in graph.block.params.items():
        value = graph.params.get(name)
        if isinstance(value, Dim | Unsettled) or getattr(value, "what", None) is Placeholder:
            default = "" if param.default is None else f" = {expression(param.default.span.text)}"
            found.append(f"{name}{default}")
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
    """What must hold of the free dimensions, in words: `H, W divisible by 16`."""
    found = []
    for text in describe([guard.condition for guard in graph.guards if not guard.message]):
        subject, must, predicate = text.partition(" must be ")
        found.append(f"{subject.replace(' and ', ', ')} {predicate}" if must else text)
    return found + [guard.message for guard in graph.guards if guard.message]
