"""What the whole model asks of its inputs when it runs: ranks, static sizes and guards."""

from __future__ import annotations

import ast
from collections.abc import Callable

from archc.emit.coded import expression, statements
from archc.emit.names import argument_name
from archc.emit.printer import string
from archc.graph.ir import Graph
from archc.shapes import Dim, Guard, Tensor, describe, python, symbols

Attribute = Callable[[str], ast.expr | None]


def check(graph: Graph, attribute: Attribute) -> list[ast.stmt]:
    """Statements that raise ValueError where inputs do not fit the model."""
    found: list[ast.stmt] = []
    for port, ref in graph.inputs.items():
        kind = graph.type(ref)
        if isinstance(kind, Tensor) and kind.shape is not None:
            made = _shape(graph, port, kind, attribute)
            found += _if_there(graph, port, made)
    for guard in graph.guards:
        found += _guard(graph, guard)
    return found


def _if_there(graph: Graph, port: str, made: list[ast.stmt]) -> list[ast.stmt]:
    if port not in graph.open or not made:
        return made
    for branch in made:
        assert isinstance(branch, ast.If)
        there = expression(f"{argument_name(port)} is not None")
        branch.test = ast.BoolOp(ast.And(), [there, branch.test])
    return made


def _shape(graph: Graph, port: str, kind: Tensor, attribute: Attribute) -> list[ast.stmt]:
    """Rank and static sizes of one input."""
    assert kind.shape is not None
    name = argument_name(port)
    tests = [f"{name}.ndim != {len(kind.shape)}"]
    shown = []
    values: dict[str, ast.expr] = {}
    for axis, size in enumerate(kind.shape):
        if isinstance(size, Dim):
            shown.append(str(size))
            continue
        label = getattr(size, "label", None)
        argument = attribute(label) if label else None
        if argument is None:
            tests.append(f"{name}.shape[{axis}] != {int(size)}")
            shown.append(str(int(size)))
        else:
            values[f"value_{axis}"] = argument
            tests.append(f"{name}.shape[{axis}] != value_{axis}")
            shown.append(f"{{value_{axis}}}")
    literal = f"{port}: expected [{', '.join(shown)}], got {{list({name}.shape)}}"
    text = f"if {' or '.join(tests)}:\n    raise ValueError(f{string(literal)})"
    from archc.emit.coded import replace

    return [replace(s, lambda n: values.get(n)) for s in statements(text)]


def _guard(graph: Graph, guard: Guard) -> list[ast.stmt]:
    """One condition on sizes that are only known when the model runs."""
    names = sorted(symbols(guard.condition))
    places = {n: graph.sizes.get(n) for n in names}
    values: dict[str, str] = {}
    ports = {ref.node: port for port, ref in graph.inputs.items()}
    opens = []
    for name, place in places.items():
        if place is None or place[0].node not in ports:
            return []
        ref, *index, axis = place
        port = ports[ref.node]
        opens += [port] if port in graph.open else []
        values[name] = argument_name(port) + "".join(f"[{i}]" for i in index) + f".shape[{axis}]"
    from archc.emit.coded import replace

    condition = replace(
        expression(python(guard.condition)), lambda n: expression(values[n]) if n in values else None
    )
    demand = guard.message or "; ".join(describe([guard.condition]))
    told = ", ".join(f"{n} = {{{values[n]}}}" for n in names)
    first = ports[places[names[0]][0].node] if names else ""  # type: ignore[index]
    literal = f"{first}: {demand.replace('{', '{{').replace('}', '}}')}, got {told}"
    made = statements(f"if not condition:\n    raise ValueError(f{string(literal)})")
    branch = made[0]
    assert isinstance(branch, ast.If)
    branch.test = _negated(condition)
    branch.span = guard.span  # type: ignore[attr-defined]
    for port in dict.fromkeys(opens):
        made = _if_there(graph, port, made)
    return made


_OPPOSITE = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}


def _negated(test: ast.expr) -> ast.expr:
    """`not test`, as one writes it."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _OPPOSITE:
        return ast.Compare(test.left, [_OPPOSITE[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)
