"""What archc tells its users, and the report that gathers it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archc.source.catalogue import CODES, Severity
from archc.source.text import Span


class Related(NamedTuple):
    """A second place that a diagnostic speaks of, and what is there."""

    span: Span
    message: str


class Frame(NamedTuple):
    """One step of the way to a place through blocks and copies: "in `ResnetBlock`, copy 2 of `down`"."""

    span: Span
    message: str


class Diagnostic(NamedTuple):
    """One thing to tell: what is wrong, where, and what to write instead.

    `span` is None where no text is to blame (a missing file). `trace` lists the way there,
    innermost first.
    """

    code: str
    message: str
    span: Span | None
    help: str | None = None
    related: tuple[Related, ...] = ()
    trace: tuple[Frame, ...] = ()

    @property
    def severity(self) -> Severity:
        return CODES[self.code].severity


class SpecError(Exception):
    """A spec is wrong. `diagnostics` holds everything found; `str()` shows it."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from archc.source.render import render  # here, since few specs are wrong

        return "\n" + render(self.diagnostics, color=False)


class Report:
    """Gathers diagnostics; what is said twice of one place is kept once."""

    def __init__(self, known: Iterable[Diagnostic] = ()) -> None:
        self._diagnostics: dict[tuple[object, ...], Diagnostic] = {}
        self.ok = True
        for diagnostic in known:
            self.add(diagnostic)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """In the order they were found."""
        return tuple(self._diagnostics.values())

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic, unless the same is known of the same place."""
        span = diagnostic.span
        place = None if span is None else (id(span.source), span.start, span.end)
        self._diagnostics.setdefault((diagnostic.code, place, diagnostic.message), diagnostic)
        if diagnostic.severity == "error":
            self.ok = False

    def error(
        self,
        code: str,
        message: str,
        span: Span | None,
        help: str | None = None,
        related: Iterable[Related] = (),
        trace: Iterable[Frame] = (),
    ) -> None:
        """Add a diagnostic of that code; the code tells whether it is an error or a warning."""
        self.add(Diagnostic(code, message, span, help, tuple(related), tuple(trace)))

    def raise_if_wrong(self) -> None:
        """Raise SpecError where there is an error, with the warnings too."""
        if not self.ok:
            raise SpecError(self.diagnostics)


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that is spelled most like a word, or None where none is close.

    >>> did_you_mean("conv2", ["conv2d", "linear"])
    'conv2d'
    """
    from difflib import get_close_matches  # here, since few specs are wrong

    names = list(dict.fromkeys(candidates))
    folded = [name for name in names if name.lower() == word.lower() and name != word]
    close = folded or get_close_matches(word, names, n=1, cutoff=0.6)
    return close[0] if close else None
