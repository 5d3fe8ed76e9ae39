"""Where elaboration stands: the way through blocks and copies, and what is told about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from archc.graph.values import Failed
from archc.shapes import Size, symbols
from archc.source.diagnostic import Frame, Related, Report
from archc.source.text import Span


class Context:
    """The report, and the frames of the blocks that are being elaborated.

    A mistake in a block is a mistake of each of its instances: it is told once, for the first; so is
    one that the static checks have told already.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.frames: list[Frame] = []
        # For each block under way: its symbols as sizes of the block around it.
        self.origins: list[dict[str, Size]] = []
        spans = [d.span for d in report.diagnostics if d.severity == "error" and d.span is not None]
        self._told = {(id(s.source), s.start) for s in spans}

    def error(
        self,
        code: str,
        message: str,
        span: Span | None,
        help: str | None = None,
        related: Iterable[Related] = (),
        trace: Iterable[Frame] = (),
    ) -> None:
        """Tell a mistake at `span`; `trace` is a way on from here, innermost first."""
        if span is not None:
            place = (id(span.source), span.start)
            if place in self._told:
                self.report.ok = False
                return
            self._told.add(place)
        way = (*trace, *reversed(self.frames))
        self.report.error(code, message, span, help, tuple(related), way)

    def fail(self, code: str, message: str, span: Span | None, help: str | None = None, **more) -> NoReturn:
        """Tell a mistake, and give up what it was found in."""
        self.error(code, message, span, help, **more)
        raise Failed

    @contextmanager
    def inside(self, frame: Frame, origins: dict[str, Size]) -> Iterator[None]:
        """Go into a block: `frame` says where it is used, `origins` what its symbols are outside."""
        self.frames.append(frame)
        self.origins.append(origins)
        try:
            yield
        finally:
            self.frames.pop()
            self.origins.pop()

    def outermost(self, names: Iterable[str]) -> list[str]:
        """The free dimensions of the outermost block that symbols of the innermost stand for."""
        found = set(names)
        for origins in reversed(self.origins):
            found = {s for name in found for s in (symbols(origins[name]) if name in origins else (name,))}
        return sorted(found)
