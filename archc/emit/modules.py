"""The modules of users' operators that generated code imports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from archc.graph.ir import Apply, Graph


def modules(graph: Graph) -> frozenset[str]:
    """The modules that the code of a block names, less that of the blocks in it."""
    return frozenset(name for part in _parts(graph) for name in getattr(part, "imports", ()))


def roots(names: Iterable[str]) -> set[str]:
    """The names that `import a.b` binds: `a`."""
    return {name.partition(".")[0] for name in names}


def _parts(graph: Graph) -> Iterator[Any]:
    """Its operators and initialisers."""
    nodes = map(graph.node, graph.nodes)
    operators: list[Any] = [node.op for node in nodes if isinstance(node, Apply)]
    operators += [copy.target for member in graph.members.values() for copy in member.copies]
    for operator in operators:
        yield operator
        yield getattr(operator, "init", None)
    for rule in graph.initialisers:
        yield from rule.settings.values()
