"""Inputs to try a model on: small sizes that its guards allow, and random values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Any

import torch

from archc.graph.ir import Apply, Bundle, Call, Graph, Ref, Type
from archc.shapes import Tensor, evaluate, plain, symbols

USUAL = (32, 16, 64, 8, 4, 2, 1, 128, 256, 24, 48, 96)
"""The sizes that are tried first, alike for all free dimensions but the batch."""
FURTHER = (*USUAL, *(n for n in range(1, 65) if n not in USUAL), 512, 1024)
MOST_TRIES = 50_000


class NoSizes(Exception):
    """No sizes were found that the model accepts. The message says what it asks of them."""


def sizes(graph: Graph, given: Mapping[str, int] | None = None) -> dict[str, int]:
    """A size for each free dimension of a Graph's inputs, small and such that its guards hold.

    `given` fixes some. What stands first in an input is taken for the batch, and is 1.
    Raises NoSizes, also where `given` names what is no free dimension.
    """
    fixed = dict(given or {})
    free = _free(graph)
    if strange := sorted(fixed.keys() - set(free)):
        known = f"free are {', '.join(free)}" if free else "all its sizes are set"
        raise NoSizes(f"{graph.name} has no free dimension {', '.join(strange)}: {known}")
    for condition in (guard.condition for guard in graph.guards):
        if (names := symbols(condition)) <= fixed.keys() and not evaluate(condition, fixed):
            wrong = ", ".join(f"{name} = {fixed[name]}" for name in sorted(names))
            raise NoSizes(f"{graph.name} asks {condition}, and {wrong}")
    batch = {name for name in _first(graph) if name not in fixed}
    rest = [name for name in free if name not in fixed and name not in batch]
    for found in islice(_tries(fixed, batch, rest), MOST_TRIES):
        if _allowed(graph, found):
            return {name: found[name] for name in free}
    asked = ", ".join(str(guard.condition) for guard in graph.guards)
    raise NoSizes(
        f"no sizes were found for {', '.join(rest or free)} with {asked}; give them, as in --size H=64"
    )


def _tries(fixed: dict[str, int], batch: set[str], rest: list[str]) -> Iterator[dict[str, int]]:
    for ones in (1, 2, 8):
        start = fixed | dict.fromkeys(batch, ones)
        for size in USUAL:
            yield start | dict.fromkeys(rest, size)
    for together in product(FURTHER, repeat=len(rest)):
        yield fixed | dict.fromkeys(batch, 1) | dict(zip(rest, together, strict=True))


def _types(graph: Graph) -> list[Tensor]:
    found: list[Tensor] = []
    for ref in graph.inputs.values():
        type_ = graph.type(ref)
        found += type_.members if isinstance(type_, Bundle) else [type_]
    return found


def _free(graph: Graph) -> list[str]:
    """The free dimensions of the inputs, in their order."""
    found: dict[str, None] = {}
    for tensor in _types(graph):
        for size in tensor.shape or ():
            found |= dict.fromkeys(sorted(symbols(size)))
    return list(found)


def _first(graph: Graph) -> set[str]:
    """The free dimensions that stand first in an input of more than one."""
    firsts = (tensor.shape[0] for tensor in _types(graph) if tensor.shape and len(tensor.shape) > 1)
    return {str(size) for size in firsts if not isinstance(size, int) and str(size).isidentifier()}


def _allowed(graph: Graph, found: Mapping[str, int]) -> bool:
    for tensor in _types(graph):
        if any(evaluate(size, found) < 1 for size in tensor.shape or ()):
            return False
    conditions = (guard.condition for guard in graph.guards)
    return all(evaluate(c, found) for c in conditions if symbols(c) <= found.keys())


def inputs(
    graph: Graph,
    sizes: Mapping[str, int],
    device: str,
    dtype: torch.dtype,
    types: Mapping[str, Type] | None = None,
) -> dict[str, torch.Tensor | list[torch.Tensor]]:
    """Random inputs by name: normal numbers, and whole numbers that a table has rows for.

    `types` are those of the inputs that are wanted, where they are not all, or not the Graph's own."""
    made: dict[str, torch.Tensor | list[torch.Tensor]] = {}
    wanted = {name: graph.type(ref) for name, ref in graph.inputs.items()} if types is None else types
    for name, type_ in wanted.items():
        if isinstance(type_, Bundle):
            made[name] = [_random(member, sizes, 2, device, dtype) for member in type_.members]
        else:
            made[name] = _random(type_, sizes, rows(graph, graph.inputs[name]) or 2, device, dtype)
    return made


def _random(
    type_: Tensor, sizes: Mapping[str, int], below: int, device: str, dtype: torch.dtype
) -> torch.Tensor:
    shape = [int(evaluate(plain(size), sizes)) for size in type_.shape or ()]
    if type_.dtype == "bool":
        return torch.rand(shape, device=device) < 0.5
    wanted = dtype if type_.dtype == "float" else getattr(torch, type_.dtype)
    if wanted.is_floating_point or wanted.is_complex:
        return torch.randn(shape, device=device, dtype=wanted)
    return torch.randint(below, shape, device=device, dtype=wanted)


def rows(graph: Graph, ref: Ref) -> int | None:
    """The fewest rows of the tables (embeddings) that a value of whole numbers looks up, if any."""
    found: list[int] = []
    waiting: list[tuple[Graph, Ref]] = [(graph, ref)]
    seen: set[tuple[Graph, Ref]] = set()
    while waiting:
        here, value = waiting.pop()
        if (here, value) in seen or not _whole(here.type(value)):
            continue
        seen.add((here, value))
        for number in here.nx.successors(value.node):
            node = here.node(number)
            if isinstance(node, Apply) and value in node.arguments:
                if node.op.title() == "embedding":
                    found.append(int(plain(node.op.n)))  # type: ignore[attr-defined]
                waiting += [(here, Ref(number, out)) for out in range(len(node.outputs))]
            elif isinstance(node, Call):
                waiting += _inside(here, node, value)
                found += _tables(here, node, value)
    return min(found, default=None)


def _inside(graph: Graph, node: Call, value: Ref) -> Iterator[tuple[Graph, Ref]]:
    """The inputs of called blocks that a value feeds."""
    for copy in graph.members[node.member].uses[node.use]:
        for wire in node.arguments:
            if wire.operand == value and isinstance(copy.target, Graph) and wire.port in copy.target.inputs:
                yield copy.target, copy.target.inputs[wire.port]


def _tables(graph: Graph, node: Call, value: Ref) -> list[int]:
    """The rows of repeated tables that a value is looked up in."""
    if all(wire.operand != value for wire in node.arguments):
        return []
    targets: list[Any] = [copy.target for copy in graph.members[node.member].uses[node.use]]
    return [int(plain(t.n)) for t in targets if t is not None and getattr(t, "title", str)() == "embedding"]


def _whole(type_: Type) -> bool:
    return isinstance(type_, Tensor) and type_.dtype.startswith(("int", "uint"))
