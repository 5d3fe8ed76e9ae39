"""A checked Graph as Python source of a PyTorch module."""

from archc.emit.module import Emitted, emit
from archc.graph.ir import Graph
from archc.graph.sharing import may_differ
from archc.source.diagnostic import Diagnostic, SpecError


def source(graph: Graph, *, strict: bool = False) -> str:
    """The Python source of a checked Graph. Raises SpecError; see `emit`."""
    return emit(graph, strict=strict).source


def refusals(graph: Graph) -> tuple[Diagnostic, ...]:
    """What only the emitter finds wrong with a checked Graph: a node that is applied in several
    places which need different code. Costs little where none plainly is."""
    if may_differ(graph):
        try:
            emit(graph)
        except SpecError as refused:
            return refused.diagnostics
    return ()


__all__ = ["Emitted", "emit", "refusals", "source"]
