"""Shows diagnostics: for people in rustc's manner, for tools as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archc.source.diagnostic import Diagnostic


def render(diagnostics: Iterable[Diagnostic], color: bool = False) -> str:
    """The diagnostics as text for a terminal (`color` adds ANSI colours)."""
    return "\n".join(
        f"{item.severity}[{item.code}]: {item.message}" + (f"\n  --> {item.span}" if item.span else "")
        for item in diagnostics
    )


def to_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    raise NotImplementedError
