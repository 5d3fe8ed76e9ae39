"""Blocks that call each other in a circle, which would have no end."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from archc.lang.schema import Block
from archc.lang.syntax import Call, Expr, Name
from archc.lang.walk import chains, walk
from archc.source.diagnostic import Related, Report
from archc.source.text import Span

if TYPE_CHECKING:
    import networkx

    from archc.lang.project import Project


MOST_SHOWN = 8
"""How many parts of a long way are shown."""


def shortened(names: list[str]) -> list[str]:
    """The names of a way, its middle left out where it is long."""
    half = MOST_SHOWN // 2
    return names if len(names) <= MOST_SHOWN + 1 else [*names[:half], "...", *names[-half:]]


def check_circles(project: Project, report: Report) -> None:
    """Report each circle of blocks once, with the way around it. A block also calls those that it
    names as an `op`: in an argument, a default, a value."""
    calls: dict[Block, dict[Block, Span]] = {}
    for block in project.blocks:
        found = calls.setdefault(block, {})
        seen = project.seen_by(block.file)
        for name, span in _mentions(block):
            if name in seen:
                found.setdefault(seen[name], span)
    try:
        TopologicalSorter(calls).prepare()
    except CycleError:
        _find(calls, report)


def _find(calls: dict[Block, dict[Block, Span]], report: Report) -> None:
    """Report the circles that there are."""
    import networkx  # here, since few specs have one and its import takes longer than a check

    graph: networkx.DiGraph = networkx.DiGraph()
    for block, called in calls.items():
        graph.add_edges_from((block, other, {"span": span}) for other, span in called.items())
    for blocks in networkx.strongly_connected_components(graph):
        first = min(blocks, key=lambda b: (b.file.source.name, b.span.start))
        if len(blocks) > 1 or graph.has_edge(first, first):
            _report(graph.subgraph(blocks), first, report)


def _report(circle: networkx.DiGraph, first: Block, report: Report) -> None:
    """Report the shortest way from a block back to it."""
    import networkx

    # The types of networkx have no overload for nodes that are objects.
    ways: list[list[Block]] = [
        networkx.shortest_path(circle, after, first)  # type: ignore[call-overload]
        for after in circle.successors(first)
    ]
    way = [first, *min(ways, key=len)]
    names = " -> ".join(shortened([block.name for block in way]))
    steps = [
        (circle.edges[a, b]["span"], f"`{a.name}` calls `{b.name}`")
        for a, b in zip(way, way[1:], strict=False)
    ]
    message = f"blocks call each other in a circle: {names}"
    if len(way) == 2:
        message = f"block `{first.name}` calls itself"
    report.error(
        "A124",
        message,
        steps[0][0],
        help="a block is built into its caller, so a circle has no end: repeat a node with `repeat` instead",
        related=[Related(span, said) for span, said in steps[1:MOST_SHOWN]],
    )


def _mentions(block: Block) -> Iterator[tuple[str, Span]]:
    """The names that may be those of called blocks, and where they stand: all but a block's own
    `op` params, which hide them."""
    for node in block.nodes.values():
        for call in node.calls:
            if call.name.id not in block.params:
                yield call.name.id, call.name.span
            for argument in call.arguments:
                yield from _in(argument.value, block)
    for param in block.params.values():
        if param.default is not None:
            yield from _in(param.default, block)
    for let in block.let.values():
        yield from _in(let.value, block)
    for line in block.flow:
        for chain in chains(line):
            for step in chain.steps:
                if step.name.id not in block.nodes and step.name.id not in block.params:
                    yield step.name.id, step.name.span
                for argument in step.arguments:
                    yield from _in(argument.value, block)


def _in(expr: Expr, block: Block) -> Iterator[tuple[str, Span]]:
    for part in walk(expr):
        name = part.name if isinstance(part, Call) else part
        if isinstance(name, Name) and name.id not in block.params:
            yield name.id, name.span
