"""The tensors that a Graph owns, by the names that its state_dict gives them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from archc.graph.ir import Copy, Graph, Member, graphs
from archc.ops.base import Op, Weight
from archc.ops.outline import CANNOT_TELL, owns_weights


def weights(graph: Graph) -> dict[str, Weight]:
    """Every parameter and buffer, by the path of nodes to it: `down.0.res.conv1.weight`."""
    return {name: weight for member in graph.members.values() for name, weight in of_member(member)}


def of_member(member: Member) -> Iterator[tuple[str, Weight]]:
    """The tensors of a member, by their names in the block around it."""
    for path, copy in member.owned:
        for name, weight in of_copy(copy).items():
            yield (f"{path}.{name}" if name else path), weight


def of_copy(copy: Copy) -> dict[str, Weight]:
    """The tensors of one copy, by their names below it."""
    if copy.target is None:
        return {}
    if isinstance(copy.target, Op):
        return of_operator(copy.target, copy)
    return of_graph(copy.target)


def of_operator(op: Op, copy: Copy) -> dict[str, Weight]:
    """The tensors of an operator that works on what arrives at a copy."""
    return op.weights(*copy.inputs.values())  # type: ignore[arg-type]  (operators take no bundles)


def outlined(op: Op, copy: Copy) -> dict[str, Weight] | None:
    """The same in an outline; None where they cannot be told."""
    try:
        return of_operator(op, copy)
    except CANNOT_TELL:
        return None


@lru_cache(maxsize=4096)
def of_graph(graph: Graph) -> dict[str, Weight]:
    return weights(graph)


def owns_any(graph: Graph) -> bool:
    """Does a Graph own a tensor?"""
    if graph.outline:
        members = (member for inside in graphs(graph) for member in inside.members.values())
        targets = (target for member in members for copy in member.copies for target in copy.targets)
        return any(isinstance(target, Op) and owns_weights(target) for target in targets)
    return any(True for member in graph.members.values() for _ in of_member(member))


def difference(a: Copy, b: Copy) -> str | None:
    """How the tensors of two copies differ, None where one set serves both."""
    if a.target is b.target and a.inputs == b.inputs:
        return None
    first, second = of_copy(a), of_copy(b)
    for name in {**first, **second}:
        one, two = first.get(name), second.get(name)
        if one is None or two is None:
            return f"only one has `{name}`"
        if one.shape != two.shape:
            return f"`{name or 'it'}` is {_shape(one)} there and {_shape(two)} here"
    return None


def _shape(weight: Weight) -> str:
    return f"[{', '.join(map(str, weight.shape))}]"
