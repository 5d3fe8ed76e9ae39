"""The docstring of a class: the doc of its block, laid out for Python."""

from __future__ import annotations

import re
import textwrap

from archc.emit import printer
from archc.graph.ir import Graph

_WIDTH = printer.WIDTH - 4


def docstring(graph: Graph, note: str) -> list[str]:
    """The lines of a class's docstring: the block's doc, and what the class is besides (`note`)."""
    doc = (graph.block.doc or "").strip()
    parts = [p.strip() for p in re.split(r"\n\s*\n", doc) if p.strip()]
    if not parts:
        parts = [_typed(graph)]
    if note:
        parts.append(note)
    lines: list[str] = []
    for part in parts:
        if lines:
            lines.append("")
        kept = part.split("\n") if _keeps_lines(part) else [" ".join(part.split())]
        for line in kept:
            indent = " " * (len(line) - len(line.lstrip()))
            room = _WIDTH - len('r"""') * (not lines)
            lines += textwrap.wrap(
                line, room, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
            ) or [""]
    lines = [line.rstrip() for line in lines]
    # A backslash is itself in a raw string; where quotes need one it is written twice.
    text = "\n".join(lines)
    raw = "\\" in text and '"""' not in text and not text.endswith("\\")
    if not raw:
        lines = [line.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') for line in lines]
    opening = ("r" if raw else "") + '"""'
    lines[0] = opening + (" " if lines[0].startswith('"') else "") + lines[0].lstrip()
    if len(lines) == 1 and len(lines[0]) + 3 <= _WIDTH:
        end = " " if lines[0].endswith(('"', "\\")) else ""
        return [f'{lines[0]}{end}"""']
    if len(lines) == 1:  # lone quotes below a single line would be drawn up to it
        lines = lines[0].rsplit(" ", 1)
    return [*lines, '"""']


def _typed(graph: Graph) -> str:
    """What a block without a doc takes and gives, in the words of the spec."""
    given = []
    for name, declared in graph.block.inputs.items():
        text = " ".join(declared.span.text.split()).replace('"', "").replace("'", "")
        given.append(text if text.startswith(name) and text.endswith(("]", "?", "bundle")) else name)
    return f"{', '.join(given) or 'nothing'} -> {', '.join(graph.outputs)}."


def _keeps_lines(text: str) -> bool:
    """Is a paragraph of a doc a list, a table or code, whose lines matter?"""
    return any(re.match(r"\s*([-*|>]|\d+\.|```|    )", line) for line in text.split("\n"))
