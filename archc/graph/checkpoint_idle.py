"""Entries of checkpoint maps that name nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from archc.graph.checkpoint_entries import Entry, Ours, name_map
from archc.graph.ir import Copy, Graph, graphs
from archc.graph.weights import of_copy
from archc.lang.schema import Node
from archc.lang.syntax import Compare, Conditional, Name
from archc.lang.walk import walk
from archc.ops.base import Op
from archc.shapes import Dim, Formula
from archc.source.diagnostic import Diagnostic, did_you_mean


def idle_entries(
    graph: Graph, name: str, used_in: Callable[[Graph], frozenset[Entry]]
) -> Iterator[Diagnostic]:
    """The entries that name nothing, here or in any other instance of their block.

    A part that is absent here, by a condition, may be there with other params: that is no mistake.
    """
    used: dict[Any, set[Entry]] = {}
    instances: dict[Any, list[Graph]] = {}
    for inside in graphs(graph):
        used.setdefault(inside.block, set()).update(used_in(inside))
        instances.setdefault(inside.block, []).append(inside)
    for block, found in instances.items():
        entries = name_map(block, name)
        for entry in entries.entries if entries is not None else ():
            if entry in used[block]:
                continue
            wrong = [_idle(entry.ours, inside, 0) for inside in found]
            first = wrong[0]
            if first is not None and None not in wrong:
                message, help = first
                yield Diagnostic("A612", message, entry.ours.span, help)


def _idle(ours: Ours, graph: Graph, start: int) -> tuple[str, str | None] | None:
    """Why an entry can name nothing below a Graph, from its segment `start` on; None: it may."""
    if start == len(ours.segments):
        return None if ours.rest else _stops(ours, f"`{graph.name}` is a block")
    nodes = graph.block.nodes
    matching = [nodes[n] for n in nodes if ours.may_be(start, n)]
    if not matching:
        close = did_you_mean(ours.texts[start], nodes)
        message = f"`{graph.name}` has no node `{ours.texts[start]}`"
        return message, f"did you mean `{close}`?" if close else None
    reasons = [_idle_below(ours, graph, node, start + 1) for node in matching]
    return reasons[0] if None not in reasons else None


def _idle_below(ours: Ours, graph: Graph, node: Node, start: int) -> tuple[str, str | None] | None:
    if (node.repeat is not None or node.parallel is not None) and not node.share:
        if start == len(ours.segments):
            return None if ours.rest else _stops(ours, f"`{node.name}` is a row of copies")
        text = ours.texts[start]
        if "<" not in text and not text.isdigit():
            way = ".".join((*ours.texts[:start], "<i>", *ours.texts[start:]))
            way += ".*" if ours.rest else ""
            return f"the copies of `{node.name}` are numbered", f"write `{way}`"
        start += 1
    member = graph.members.get(node.name)
    if member is None:
        return None
    copies = [copy for copy in member.copies if copy.target is not None]
    reasons = [_idle_target(ours, graph, node, copy, start) for copy in copies]
    return reasons[0] if reasons and None not in reasons else None


def _idle_target(
    ours: Ours, graph: Graph, node: Node, copy: Copy, start: int
) -> tuple[str, str | None] | None:
    if isinstance(copy.target, Graph):
        return _idle(ours, copy.target, start)
    weights = of_copy(copy)
    left = ".".join(ours.texts[start:])
    if not weights or left in weights or not _is_settled(node, graph, copy.target):
        return None
    if not left:
        return None if ours.rest else _stops(ours, f"`{node.name}` has {_listed(weights)}")
    close = did_you_mean(left, weights)
    help = f"did you mean `{close}`?" if close else f"it has {_listed(weights)}"
    return f"`{node.name}` has no weight `{left}`", help


def _is_settled(node: Node, graph: Graph, op: Any) -> bool:
    """Does an operator own the same tensors whatever the block's params are? Where a number is all that
    they decide, it does; a condition may give it a bias or take it."""
    if not isinstance(op, Op) or node.call is None or node.call.name.id != op.title():
        return False
    numbers = {**graph.dims, **graph.params, **graph.lets}
    parts = [part for argument in node.call.arguments for part in walk(argument.value)]
    names = [numbers.get(part.id) for part in parts if isinstance(part, Name)]
    return not any(isinstance(part, Compare | Conditional) for part in parts) and all(
        isinstance(value, int | float | Dim | Formula) and not isinstance(value, bool) for value in names
    )


def _stops(ours: Ours, reason: str) -> tuple[str, str]:
    return f"nothing is named `{'.'.join(ours.texts)}`: {reason}", f"write `{'.'.join(ours.texts)}.*`"


def _listed(weights: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in weights)
