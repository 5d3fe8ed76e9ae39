"""From an address to a checked Graph: reading, static checks, elaboration, guards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from archc.graph.attributes import check_names
from archc.graph.checkpoints import check_maps
from archc.graph.context import Context
from archc.graph.elaborate import Elaborator, Library
from archc.graph.infer import FIX_PRESENCE
from archc.graph.ir import Graph, Place
from archc.graph.root import build_root, check_presets
from archc.graph.static import check_block
from archc.lang.address import Address, check_settings, parse_settings, python_settings, select
from archc.lang.project import Project
from archc.lang.schema import Block
from archc.lang.syntax import Expr
from archc.ops.asked import Probe
from archc.ops.extensions import load_extensions
from archc.shapes import Contradiction, Guard, describe, simplify, symbols, unknowns
from archc.source.collector import collector_paused
from archc.source.diagnostic import Diagnostic, Report, SpecError
from archc.source.notebook import Shown
from archc.source.text import Source


@dataclass(frozen=True, slots=True)
class Result(Shown):
    """What a check found.

    `graph` is the checked Graph, None where the spec is wrong or sizes are missing; `guards` what
    the model asks of the sizes that only its inputs tell, in words."""

    ok: bool
    diagnostics: tuple[Diagnostic, ...]
    graph: Graph | None
    block: Block | None
    project: Project
    guards: tuple[str, ...] = ()

    def __repr__(self) -> str:
        name = self.block.name if self.block else "no block"
        errors = [found for found in self.diagnostics if found.severity == "error"]
        if not errors:
            return f"<Result of {name}: {'ok' if self.ok else 'wrong'}, {len(self.diagnostics)} diagnostics>"
        more = f", and {len(errors) - 1} more" if errors[1:] else ""
        return f"<Result of {name}: error[{errors[0].code}]: {errors[0].message}{more}>"

    @property
    def shapes(self) -> dict[str, Any]:
        """The type of every named value of the block, by its name in the flow."""
        if self.graph is None:
            return {}
        lines = self.graph.lines
        return {n: self.graph.type(r) for li in lines for n, r in zip(li.names, li.refs, strict=True)}


class Text(NamedTuple):
    """A spec given as text: what `archc.text` makes."""

    text: str
    name: str = "<text>"


Entry = str | Path | Text | Mapping[str, Any] | Project


@collector_paused()
def check(
    entry: Entry,
    settings: Mapping[str, Any] | Iterable[str] = (),
    *,
    given: Iterable[str] = (),
    absent: Iterable[str] = (),
    root: str | Path | None = None,
    ops: Iterable[Any] = (),
    probe: Probe | None = None,
    report: Report | None = None,
    unbound: bool = False,
    outline: bool = False,
) -> Result:
    """Check a spec.

    `entry` is an address, a text, a dict or a Project that was read; `settings` params and free
    dimensions, as a mapping or as `name=value` texts; `given` and `absent` fix optional inputs; `ops` are
    the operator modules that may run; `probe` asks torch about its own layers, `nn.*`. `unbound`: a block
    whose numbers are not given is checked as far as it goes, which is noted. `outline`: numbers that are
    not given stay open, and the Graph is an outline, to be drawn (see outline.py). Mistakes are in the
    result's diagnostics, never raised.
    """
    report = Report() if report is None else report
    address = Address("<text>")
    what: Any = entry
    if isinstance(entry, str | Path):
        parsed = Address.parse(str(entry), report)
        if parsed is None:
            return Result(False, report.diagnostics, None, None, None)  # type: ignore[arg-type]
        address, what = parsed, parsed.path
    elif isinstance(entry, Text):
        what = Source(entry.name, entry.text)
    project = _read(what, root, report, ops)
    block = select(project, address, report)
    extensions = load_extensions(project, report)
    if block is None:
        return Result(report.ok, report.diagnostics, None, None, project)
    values = _settings(block, settings, report)
    readable = report.ok
    for each in project.blocks:
        check_block(each, project, extensions.seen_by(each.file), report)
    graph = None
    # What could not be read is missing, and would only be told as such. What the static checks found
    # is unknown to elaboration, which finds the rest.
    if readable:
        found = Report(report.diagnostics)
        elaborator = Elaborator(Library(project, extensions, probe), Context(found, outline))
        check_presets(elaborator, block)
        graph = build_root(elaborator, block, address.preset, values, tuple(given), tuple(absent))
        missing = [d for d in found.diagnostics if _asks(d, block)] if unbound and report.ok else []
        if missing and len(missing) == sum(d.severity == "error" for d in found.diagnostics):
            first = missing[0]
            report.error("A903", f"`{block.name}` is checked as far as it goes", first.span, first.help)
        else:
            for diagnostic in found.diagnostics:
                report.add(diagnostic)
    if graph is not None and report.ok and not outline:
        check_maps(graph, report)
        check_names(graph, report)
        graph = _with_guards(graph, report)
    if not report.ok:
        graph = None
    assert graph is not None or not report.ok or unbound, "nothing was told of what is wrong"
    told = (*_described(graph.guards), *(ask.message for ask in graph.asks)) if graph else ()
    return Result(report.ok, report.diagnostics, graph, block, project, told)


def outline(entry: Entry, settings: Mapping[str, Any] | Iterable[str] = (), **options: Any) -> Result:
    """Check a spec of which not all numbers are given, and outline it: see `check`.

    >>> block = "{params: {n: int}, inputs: {x: [B, C]}, nodes: {p: linear(n)}, flow: {y: x -> p}}"
    >>> found = outline(Text(f"archc: 1\\nblocks: {{A: {block}}}"))
    >>> print(found.graph.type(found.graph.outputs["y"]))
    [B, n]
    """
    return check(entry, settings, outline=True, **options)


def graph(entry: Entry, settings: Mapping[str, Any] | Iterable[str] = (), **options: Any) -> Graph:
    """The checked Graph of a spec; raises SpecError with every diagnostic. Arguments as of `check`."""
    result = check(entry, settings, **options)
    if result.graph is None:
        raise SpecError(result.diagnostics)
    return result.graph


def _read(what: Any, root: str | Path | None, report: Report, ops: Iterable[Any]) -> Project:
    """The project of an entry. One that was read before is not read again: what was wrong with it is."""
    if not isinstance(what, Project):
        return Project(what, root, report, ops)
    for diagnostic in what.report.diagnostics:
        if diagnostic.severity != "note":
            report.add(diagnostic)
    return what


def _asks(diagnostic: Diagnostic, block: Block) -> bool:
    """Does it ask the caller for a number of the outermost block?"""
    if diagnostic.code == "A401":
        return diagnostic.span in [param.name_span for param in block.params.values()]
    return diagnostic.code == "A406" and (diagnostic.help or "").startswith("give it")


def _settings(block: Block, settings: Any, report: Report) -> dict[str, Expr]:
    if isinstance(settings, Mapping):
        found = python_settings(settings, block, report)
    else:
        found = parse_settings(settings, report)
    check_settings(block, found, report)
    return found


def _with_guards(graph: Graph, report: Report) -> Graph:
    """The root's guards, joined and without those that follow from others."""
    for guard in graph.guards:
        _checkable(graph, guard, report)
    own = [g for g in graph.guards if g.message is not None]
    joined: list[Guard] = []
    try:
        for needs in dict.fromkeys(g.needs for g in graph.guards):
            rest = {g.condition: g for g in graph.guards if g.message is None and g.needs == needs}
            joined += [rest.get(c) or Guard(c, None, needs=needs) for c in simplify(rest)]
            simplify([*rest, *(g.condition for g in own if g.needs == needs)])
    except Contradiction as wrong:
        first = next((g for g in graph.guards if g.condition in wrong.conditions), graph.guards[0])
        report.error("A308", str(wrong), first.span, trace=first.trace)
        return graph
    graph.guards = (*joined, *own)
    return graph


def _checkable(graph: Graph, guard: Guard, report: Report) -> None:
    """A condition is checked when the model is called, so its inputs must tell the sizes."""
    inputs = {ref.node for ref in graph.inputs.values()}
    inner = [n for n in sorted(symbols(guard.condition)) if not _told_by(graph.sizes.get(n), inputs)]
    if not inner:
        return
    reasons = unknowns(guard.condition)
    asked = " and ".join(map(str, guard.sides)) + " are equal" if guard.sides else str(guard.condition)
    why = "; ".join(f"`{n}`: {reasons.get(n, 'it comes up inside the model')}" for n in inner)
    report.error(
        "A307", f"nothing tells whether {asked}", guard.span, f"{why}; {FIX_PRESENCE}", trace=guard.trace
    )


def _told_by(place: Place | None, inputs: set[int]) -> bool:
    return place is not None and place[0].node in inputs


def _described(guards: Iterable[Guard]) -> list[str]:
    guards = tuple(guards)
    return describe([g.condition for g in guards if not g.message]) + [g.message for g in guards if g.message]
