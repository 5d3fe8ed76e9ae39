"""The formats a diagram is written in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

from archc.draw.options import DEFAULTS, Options
from archc.draw.sheet import sheet
from archc.draw.stage import scene
from archc.graph.ir import Graph

Tell = Callable[[str], None]
"""Takes notes for the user, each of one line."""


@dataclass(frozen=True, slots=True)
class _Format:
    """A format: where its writer is (`module:function`, imported when it is first wanted), what that
    takes, and the endings of its files."""

    writer: str
    endings: tuple[str, ...]
    takes: Literal["sheet", "scene", "graph"] = "sheet"

    def write(self, graph: Graph, options: Options) -> str | bytes:
        module, _, name = self.writer.partition(":")
        writer = getattr(import_module(f"archc.draw.{module}"), name)
        if self.takes == "graph":
            return writer(graph, options)
        drawing = scene(graph, options)
        return writer(sheet(drawing) if self.takes == "sheet" else drawing)


_FORMATS = {
    "svg": _Format("svg:svg", (".svg",)),
    "dot": _Format("dot:dot", (".dot", ".gv"), takes="scene"),
    "mermaid": _Format("mermaid:mermaid", (".mmd", ".mermaid"), takes="scene"),
    "json": _Format("layout_json:layout_json", (".json",)),
}

FORMATS = tuple(_FORMATS)
ENDINGS = {ending: name for name, format in _FORMATS.items() for ending in format.endings}
"""The format of each ending of a file's name."""


def format_of(path: Path) -> str | None:
    """The format that a file's ending tells, if any does."""
    return ENDINGS.get(path.suffix.lower())


def draw(graph: Graph, format: str, options: Options = DEFAULTS) -> str | bytes:
    """A diagram of a Graph. Raises DrawError where it cannot be drawn as asked."""
    return _FORMATS[format].write(graph, options)
