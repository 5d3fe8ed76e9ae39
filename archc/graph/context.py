"""Where elaboration stands: the way through blocks and copies, and what is told about it."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from archc.graph.alike import Alike
from archc.graph.values import Failed
from archc.lang.syntax import Name
from archc.shapes import Size, symbols
from archc.source.diagnostic import Frame, Related, Report
from archc.source.text import Span

if TYPE_CHECKING:
    from archc.lang.schema import Block


T = TypeVar("T")

UNDEFINED = frozenset({"A240", "A250"})


class Context:
    """The report, and the frames of the blocks that are being elaborated.

    A mistake in a block is a mistake of each of its instances: it is told once, for the first; so is
    one that the static checks have told already.

    `outline`: numbers that are not given are symbols, and what cannot be decided is left open (see
    outline.py). `muted`: under way is what may never be, so nothing is told of it.
    """

    def __init__(self, report: Report, outline: bool = False) -> None:
        self.report = report
        self.outline = outline
        self.muted = False
        self.alike = Alike()
        self.frames: list[Frame] = []
        # For each block under way: its symbols as sizes of the block around it.
        self.origins: list[dict[str, Size]] = []
        self.blocks: list[Block] = []
        self._undefined = {d.message for d in report.diagnostics if d.code in UNDEFINED}
        # Of each source the places that have been told, in order: start and end.
        self._told: dict[int, list[tuple[int, int]]] = {}
        for diagnostic in report.diagnostics:
            if diagnostic.severity == "error" and diagnostic.span is not None:
                self._note(diagnostic.span)

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
        if self.muted:
            return
        if message in self._undefined:
            return  # told once, wherever the name stands
        if code in UNDEFINED:
            self._undefined.add(message)
        if span is not None:
            if self.told(span):
                self.report.ok = False
                return
            self._note(span)
        way = (*trace, *reversed(self.frames))
        self.report.error(code, message, span, help, tuple(related), way)

    def told(self, span: Span) -> bool:
        """Has a mistake been told of these words, or of some of them?"""
        places = self._told.get(id(span.source), [])
        at = bisect_left(places, (span.start, span.start))
        inside = at < len(places) and places[at][0] < max(span.end, span.start + 1)
        return inside or (at > 0 and places[at - 1][1] > span.start)

    def _note(self, span: Span) -> None:
        insort(self._told.setdefault(id(span.source), []), (span.start, span.end))

    def fail(self, code: str, message: str, span: Span | None, help: str | None = None, **more) -> NoReturn:
        """Tell a mistake, and give up what it was found in."""
        self.error(code, message, span, help, **more)
        raise Failed

    def attempt(self, work: Callable[[], T]) -> T | None:
        """What `work` gives; None where it fails, of which nothing is told."""
        before, self.muted = self.muted, True
        try:
            return work()
        except Failed:
            return None
        finally:
            self.muted = before

    @contextmanager
    def inside(self, frame: Frame, origins: dict[str, Size]) -> Iterator[None]:
        """Go on: `frame` says where to, `origins` what the symbols there are outside."""
        self.frames.append(frame)
        self.origins.append(origins)
        try:
            yield
        finally:
            self.frames.pop()
            self.origins.pop()

    @contextmanager
    def block(self, block: Block) -> Iterator[None]:
        """Elaborate a block."""
        self.blocks.append(block)
        try:
            yield
        finally:
            self.blocks.pop()

    def needs_static(self, value: Any, message: str, span: Span, help: str | None = None) -> NoReturn:
        """Tell that a number must be known when the model is built, which inputs it comes from, and how
        to give it."""
        names = sorted(symbols(value))
        block = self.blocks[-1]
        related = []
        for declared in block.inputs.values():
            own = [n for n in names if any(isinstance(i, Name) and i.id == n for i in declared.shape or ())]
            if own:
                listed = " and ".join(f"`{n}`" for n in own)
                what = "is a free dimension" if len(own) == 1 else "are free dimensions"
                related.append(Related(declared.span, f"{listed} {what} of input `{declared.name}`"))
            names = [n for n in names if n not in own]
        self.fail("A406", message, span, help or self._how_to_give(symbols(value)), related=related)

    def _how_to_give(self, names: Iterable[str]) -> str | None:
        dims = self.blocks[0].dims
        outer = [n for n in self.outermost(names) if n in dims]
        return "give it: " + " ".join(f"-p {n}=64" for n in outer) if outer else None

    def outermost(self, names: Iterable[str]) -> list[str]:
        """The free dimensions of the outermost block that symbols of the innermost stand for."""
        found = set(names)
        for origins in reversed(self.origins):
            found = {s for name in found for s in (symbols(origins[name]) if name in origins else (name,))}
        return sorted(found)
