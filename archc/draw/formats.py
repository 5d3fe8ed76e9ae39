"""The formats a diagram is written in."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from archc.draw.options import DEFAULTS, Options
from archc.draw.stage import scene
from archc.graph.ir import Graph

_WRITERS = {"svg": "archc.draw.svg:svg", "dot": "archc.draw.dot:dot", "mermaid": "archc.draw.mermaid:mermaid"}
_ENDINGS = {".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".mermaid": "mermaid"}

FORMATS = tuple(_WRITERS)


def format_of(path: Path) -> str | None:
    """The format that a file's ending tells, if any does."""
    return _ENDINGS.get(path.suffix.lower())


def draw(graph: Graph, format: str, options: Options = DEFAULTS) -> str:
    """The text of a diagram of a Graph. Raises DrawError where it cannot be drawn as asked."""
    module, _, name = _WRITERS[format].partition(":")
    return getattr(import_module(module), name)(scene(graph, options))
