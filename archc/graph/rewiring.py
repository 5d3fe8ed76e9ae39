"""Nodes and members of a Graph with other operands and other blocks, for passes that make a Graph anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from archc.graph.ir import Apply, Call, Choose, Copy, Graph, Member, Node, Pack, Pick, Ref


def with_targets(member: Member, called: Callable[[Graph], Graph]) -> Member:
    """A member whose blocks are those that stand for them; copies that were one object stay one."""
    known: dict[int, Copy] = {}

    def made(copy: Copy) -> Copy:
        if id(copy) not in known:
            target = called(copy.target) if isinstance(copy.target, Graph) else copy.target
            known[id(copy)] = replace(copy, target=target)
        return known[id(copy)]

    return replace(member, uses=[tuple(map(made, copies)) for copies in member.uses])


def operands(node: Node) -> list[Ref]:
    """The values that a node needs, once for each time."""
    match node:
        case Apply():
            found: list[Any] = list(node.arguments)
        case Call():
            found = [wire.operand for wire in node.arguments]
        case Pack():
            found = list(node.items)
        case Pick():
            found = [node.bundle]
        case Choose():
            found = [node.then, node.other]
        case _:
            found = []
    return [operand for operand in found if isinstance(operand, Ref)]


def rewired(node: Node, now: Callable[[Ref], Ref]) -> Node:
    """A node whose operands are the values that stand for them."""

    def of(operand: Any) -> Any:
        return now(operand) if isinstance(operand, Ref) else operand

    match node:
        case Apply():
            return replace(node, arguments=tuple(map(of, node.arguments)))
        case Call():
            return replace(node, arguments=tuple(w._replace(operand=of(w.operand)) for w in node.arguments))
        case Pack():
            return replace(node, items=tuple(map(of, node.items)))
        case Pick():
            return replace(node, bundle=of(node.bundle))
        case Choose():
            return replace(node, then=of(node.then), other=of(node.other))
    return node
