"""A checked Graph as Python source of a PyTorch module."""

from archc.emit.module import Emitted, emit
from archc.graph.ir import Graph


def source(graph: Graph) -> str:
    """The Python source of a checked Graph. Raises SpecError; see `emit`."""
    return emit(graph).source


__all__ = ["Emitted", "emit", "source"]
