"""What the whole model asks of its inputs when it runs: ranks, static sizes and guards."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable

from archc.emit.coded import expression, negated, replace, statements
from archc.emit.names import argument_name
from archc.emit.printer import expression as printed
from archc.emit.printer import string
from archc.graph.ir import Bundle, Graph
from archc.shapes import Dim, Guard, Tensor, describe, python, symbols

Text = Callable[[str], ast.expr | None]


def check(graph: Graph, text: Text) -> list[ast.stmt]:
    """Statements that raise ValueError where inputs do not fit the model."""
    found: list[ast.stmt] = []
    for port, ref in graph.inputs.items():
        kind = graph.type(ref)
        if isinstance(kind, Bundle):
            name, count = argument_name(port), len(kind.members)
            made = _refuse(
                f"len({name}) != {count}", f"{port}: expected {count} tensors, got {{len({name})}}"
            )
            found += _if_there(graph, port, made)
        elif kind.shape is not None:
            found += _if_there(graph, port, _shape(graph, port, kind, text))
    for ask in graph.asks:
        wrong = _presence(ask.test, False)
        found += statements(f"if {wrong}:\n    raise ValueError({string(ask.message)})")
    for guard in graph.guards:
        found += _guard(graph, guard)
    return found


def _presence(test: tuple, holds: bool) -> str:
    """A condition on which inputs are given, or its opposite, as code."""
    match test:
        case ("given", name):
            return f"{argument_name(name)} is {'not ' if holds else ''}None"
        case ("not", inner):
            return _presence(inner, not holds)
        case (word, *sides):
            sign = " and " if (word == "and") == holds else " or "
            parts = [_presence(side, holds) for side in sides]
            return sign.join(f"({p})" if " and " in p or " or " in p else p for p in parts)
    raise AssertionError(test)


def _if_there(graph: Graph, port: str, made: list[ast.stmt]) -> list[ast.stmt]:
    if port not in graph.open or not made:
        return made
    for branch in made:
        assert isinstance(branch, ast.If)
        there = expression(f"{argument_name(port)} is not None")
        rest = branch.test
        whole = isinstance(rest, ast.BoolOp) and isinstance(rest.op, ast.And)
        branch.test = ast.BoolOp(ast.And(), [there, *(rest.values if whole else [rest])])  # type: ignore[union-attr]
    return made


def _shape(graph: Graph, port: str, kind: Tensor, text: Text) -> list[ast.stmt]:
    """Rank and sizes of one input: static ones, and those that other inputs have told."""
    assert kind.shape is not None
    name = argument_name(port)
    tests = [f"{name}.ndim != {len(kind.shape)}"]
    shown = []
    values: dict[str, ast.expr] = {}
    further: dict[frozenset[str], list[str]] = {}  # open inputs that a size needs -> tests
    for axis, size in enumerate(kind.shape):
        here = f"{name}.shape[{axis}]"
        if isinstance(size, Dim):
            known = _run_time(graph, size)
            if known is None or graph.sizes.get(str(size)) == (graph.inputs[port], axis):
                shown.append(str(size))
                continue
            wanted, needs = known
            if needs - {port}:
                further.setdefault(needs - {port}, []).append(f"{here} != {wanted}")
                shown.append(str(size))
                continue
        else:
            label = getattr(size, "label", None)
            told = text(label) if label else None
            wanted = str(int(size)) if told is None else f"value_{axis}"
            if told is not None:
                values[wanted] = told
        tests.append(f"{here} != {wanted}")
        shown.append(wanted if wanted.isdigit() else f"{{{wanted}}}")
    literal = f"{port}: expected [{', '.join(shown)}], got {{list({name}.shape)}}"
    found = _refuse(" or ".join(tests), literal)
    for needs, tests in further.items():
        there = [f"{argument_name(p)} is not None" for p in graph.inputs if p in needs]
        wrong = f"({' or '.join(tests)})" if len(tests) > 1 else tests[0]
        found += _refuse(f"{' and '.join(there)} and {wrong}", literal)
    return [replace(s, lambda n: copy.deepcopy(values.get(n))) for s in found]


def _refuse(test: str, literal: str) -> list[ast.stmt]:
    return statements(f"if {test}:\n    raise ValueError(f{string(literal)})")


def _run_time(graph: Graph, size: Dim) -> tuple[str, frozenset[str]] | None:
    """A run-time size as code over the inputs, and the open inputs that it is read from."""
    ports = {ref.node: port for port, ref in graph.inputs.items()}
    values: dict[str, ast.expr] = {}
    needs = set()
    for name in symbols(size):
        place = graph.sizes.get(name)
        if place is None or place[0].node not in ports:
            return None
        port = ports[place[0].node]
        needs |= set() if graph.may_be_empty(name) else {port} & set(graph.open)
        values[name] = expression(_read(graph, name, port))
    tree = replace(expression(python(size)), lambda n: copy.deepcopy(values.get(n)))
    return f"({printed(tree)})" if isinstance(tree, ast.IfExp) else printed(tree), frozenset(needs)


def _read(graph: Graph, size: str, port: str, sure: bool = False) -> str:
    """A run-time size as code that reads it off an input, which may be `sure` to be there."""
    place = graph.sizes[size]
    assert place is not None
    _, *index, axis = place
    argument = argument_name(port)
    there = argument + "".join(f"[{i}]" for i in index) + f".shape[{axis}]"
    return f"{there} if {argument} is not None else 0" if graph.may_be_empty(size) and not sure else there


def _guard(graph: Graph, guard: Guard) -> list[ast.stmt]:
    """One condition on sizes that are only known when the model runs."""
    names = sorted(symbols(guard.condition))
    places = {n: graph.sizes.get(n) for n in names}
    values: dict[str, str] = {}
    ports = {ref.node: port for port, ref in graph.inputs.items()}
    opens = [port for port in graph.open if port in guard.needs]
    for name, place in places.items():
        if place is None or place[0].node not in ports:
            return []
        port = ports[place[0].node]
        opens += [port] if port in graph.open and not graph.may_be_empty(name) else []
        values[name] = _read(graph, name, port, sure=port in guard.needs)
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
    branch.test = negated(condition)
    branch.span = guard.span  # type: ignore[attr-defined]
    for port in dict.fromkeys(opens):
        made = _if_there(graph, port, made)
    return made
