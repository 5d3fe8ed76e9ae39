"""A Graph drawn in a format: the table of formats, and what each takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from archc.draw.formats.sheet import sheet
from archc.draw.limits import Tell, fitted
from archc.draw.options import DEFAULTS, DrawError, Options
from archc.draw.scene.items import Scene
from archc.draw.scene.stage import scene
from archc.graph.ir import Graph
from archc.source.collector import collector_paused


@dataclass(frozen=True, slots=True)
class _Format:
    """A format: where its writer is (`module:function`, imported when it is first wanted), what that
    takes, and the endings of its files."""

    writer: str
    endings: tuple[str, ...]
    takes: Literal["sheet", "scene", "graph"] = "sheet"
    binary: bool = False


_FORMATS = {
    "svg": _Format("svg:svg", (".svg",)),
    "png": _Format("png:png", (".png",), binary=True),
    "pdf": _Format("pdf:pdf", (".pdf",), binary=True),
    "dot": _Format("dot:dot", (".dot", ".gv"), takes="scene"),
    "mermaid": _Format("mermaid:mermaid", (".mmd", ".mermaid"), takes="scene"),
    "html": _Format("html:html", (".html", ".htm"), takes="graph"),
    "json": _Format("layout_json:layout_json", (".json",)),
}

FORMATS = tuple(_FORMATS)
BINARY = frozenset(name for name, format in _FORMATS.items() if format.binary)
ENDINGS = {ending: name for name, format in _FORMATS.items() for ending in format.endings}
"""The format of each ending of a file's name."""

ENGINES = ("archc", "graphviz")
"""What lays a diagram out."""


def format_of(path: Path) -> str | None:
    """The format that a file's ending tells, if any does."""
    return ENDINGS.get(path.suffix.lower())


@collector_paused()
def draw(
    graph: Graph,
    format: str,
    options: Options = DEFAULTS,
    *,
    engine: str = "archc",
    tell: Tell | None = None,
) -> str | bytes:
    """A diagram of a Graph: bytes for a format of BINARY, else text.

    One that is too large for its format is opened less deep, until it fits; `tell` takes a line that
    says so, and one that names letters that a picture's font lacks. Raises DrawError where a diagram
    cannot be drawn as asked.
    """
    if engine not in ENGINES:
        raise DrawError(f"there is no engine {engine!r}", f"use {' or '.join(ENGINES)}")
    chosen = _FORMATS[format]
    if engine == "graphviz":
        render = partial(_imported("graphviz:render"), format=format)
        return fitted(partial(scene, graph), render, options, tell)
    writer = _imported(chosen.writer)
    if chosen.takes == "graph":
        return writer(graph, options)

    def write(drawing: Scene) -> str | bytes:
        if chosen.takes == "scene":
            return writer(drawing)
        page = sheet(drawing)
        written = writer(page)
        note = _imported("fonts:lacking_note")(page, format) if chosen.binary and tell else ""
        if note and tell:
            tell(note)
        return written

    return fitted(partial(scene, graph), write, options, tell)


def _imported(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    return getattr(import_module(f"archc.draw.formats.{module}"), function)
