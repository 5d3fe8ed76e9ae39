"""Shows diagnostics: for people in rustc's manner, for tools as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from archc.source.snippet import Note, Paint, visible
from archc.source.snippet import lines as snippet_lines

if TYPE_CHECKING:
    from archc.source.diagnostic import Diagnostic
    from archc.source.text import Span

_MOST_SHOWN = 100
"""Diagnostics that are shown; of the rest, how many there are."""

_MOST_FRAMES = 6
"""Steps of the way that are shown; of more, the first and the last."""


def render(diagnostics: Iterable[Diagnostic], color: bool = False, width: int = 110) -> str:
    """The diagnostics as text for a terminal of `width` columns; `color` adds ANSI colours."""
    items = list(diagnostics)
    shown = [_render(item, Paint(color), width) for item in items[:_MOST_SHOWN]]
    if len(items) > _MOST_SHOWN:
        shown.append(f"... and {len(items) - _MOST_SHOWN} more")
    return "\n\n".join(shown)


def summary(diagnostics: Iterable[Diagnostic], color: bool = False) -> str:
    """How many errors and warnings there are: "2 errors, 1 warning"; empty where there are none."""
    found = [item.severity for item in diagnostics]
    parts = [
        Paint(color).severity(kind, f"{found.count(kind)} {kind}" + "s" * (found.count(kind) > 1))
        for kind in ("error", "warning")
        if kind in found
    ]
    return ", ".join(parts)


def _render(item: Diagnostic, paint: Paint, width: int) -> str:
    head = paint.severity(item.severity, f"{item.severity}[{item.code}]")
    message = visible(item.message).split("\n")
    out = [head + paint.strong(": " + message[0]), *(paint.strong("  " + line) for line in message[1:])]
    groups = _by_source(item)
    gutter = max((len(str(note.span.end_line)) for notes in groups for note in notes), default=1)
    pad = " " * gutter
    for number, notes in enumerate(groups):
        main = next((note for note in notes if note.main), notes[0])
        arrow = "-->" if number == 0 else ":::"
        out.append(f"{pad}{paint.frame(arrow)} {visible(str(main.span))}")
        out.append(f"{pad} {paint.frame('|')}")
        out.extend(snippet_lines(notes, gutter, width, paint, item.severity))
    if groups and (item.help or item.trace):
        out.append(f"{pad} {paint.frame('|')}")
    for line in _way(item):
        out.append(f"{pad} {paint.frame('=')} {line}")
    if item.help:
        first, *rest = visible(item.help).split("\n")
        out.append(f"{pad} {paint.frame('=')} {paint.help('help')}: {first}")
        out.extend(f"{pad}   {'':6}{line}" for line in rest)
    return "\n".join(out)


def _by_source(item: Diagnostic) -> list[list[Note]]:
    """The places that are shown, by source: that of the error first."""
    notes = [] if item.span is None else [Note(item.span, "", True)]
    notes += [Note(related.span, visible(related.message), False) for related in item.related]
    groups: dict[int, list[Note]] = {}
    for note in notes:
        groups.setdefault(id(note.span.source), []).append(note)
    return list(groups.values())


def _way(item: Diagnostic) -> Sequence[str]:
    """The way to the place through blocks and copies, one line a step."""
    steps = [f"{visible(frame.message)}, used at {visible(str(frame.span))}" for frame in item.trace]
    if len(steps) > _MOST_FRAMES:
        left_out = len(steps) - _MOST_FRAMES
        steps[_MOST_FRAMES // 2 : -(_MOST_FRAMES // 2)] = [f"... {left_out} more steps ..."]
    return steps


def to_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """The diagnostics for a tool: lines and columns from 1, `end_column` just behind the last character.

    Where no text is to blame, `file` and the four numbers are None.
    """
    return [
        {
            "code": item.code,
            "severity": item.severity,
            "message": item.message,
            **_place(item.span),
            "help": item.help,
            "related": [{"message": one.message, **_place(one.span)} for one in item.related],
            "trace": [{"message": one.message, **_place(one.span)} for one in item.trace],
        }
        for item in diagnostics
    ]


def _place(span: Span | None) -> dict[str, Any]:
    if span is None:
        return dict.fromkeys(("file", "line", "column", "end_line", "end_column"))
    return {
        "file": span.source.name,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
