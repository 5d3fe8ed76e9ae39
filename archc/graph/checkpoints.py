"""Checkpoint maps: by which names a published checkpoint calls the tensors of a Graph.

A block's map speaks of the names below it. What no entry names keeps the name of its node, and the
block there names the rest; so does the block at which an entry's `*` begins. Maps compose, and what
they give is kept for every Graph, so that the cost grows with what is distinct.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from archc.graph.checkpoint_entries import Entry, NameMap, Ours, map_names, name_map
from archc.graph.infer import FIX_PRESENCE
from archc.graph.ir import Copy, Graph, Member, graphs
from archc.graph.weights import of_copy
from archc.lang.evaluate import evaluate
from archc.lang.schema import Node
from archc.lang.syntax import Compare, Conditional, Expr, Name
from archc.lang.values import UNKNOWN, EvaluationError, NeedsStatic, Scope, Unavailable, shown
from archc.lang.walk import walk
from archc.ops.base import Op
from archc.shapes import Dim, Formula
from archc.source.diagnostic import Diagnostic, Frame, Related, Report, did_you_mean
from archc.source.text import Span


def resolve(graph: Graph, name: str, report: Report | None = None) -> dict[str, str]:
    """The published name of every tensor in a Graph's state_dict, by its name here.

    `name` is that of a checkpoint map: `taming`. Mistakes in the maps go into `report`, and what
    they spoil is left out; without a report they are raised as SpecError.

        resolve(graph, "taming")["down.0.sampler.conv.weight"]   # "down.0.downsample.conv.weight"
    """
    own = Report() if report is None else report
    known = known_maps(graph)
    table = _table(graph, name)
    if name not in known:
        close = did_you_mean(name, known)
        listed = ", ".join(f"`{n}`" for n in known)
        there = f"there are {listed}" if listed else "there is none; a file then has the nodes' own names"
        help = f"did you mean `{close}`?" if close else there
        own.error("A610", f"no block has a checkpoint map `{name}`", graph.block.name_span, help)
    for problem in table.problems:
        own.add(problem)
    for entry in _idle_entries(graph, name):
        own.add(entry)
    if report is None:
        own.raise_if_wrong()
    return dict(table.names)


def known_maps(graph: Graph) -> tuple[str, ...]:
    """The names of the checkpoint maps that the blocks of a Graph have."""
    return tuple(dict.fromkeys(name for inside in graphs(graph) for name in map_names(inside.block)))


def check_maps(graph: Graph, report: Report) -> None:
    """Report what is wrong with the checkpoint maps of a Graph. A name that waits for a size or an input
    to be given is no mistake until the map is used."""
    for name in known_maps(graph):
        found = Report()
        resolve(graph, name, found)
        for diagnostic in found.diagnostics:
            if diagnostic.code not in ("A406", "A413"):
                report.add(diagnostic)


class _Table(NamedTuple):
    """What a map makes of a Graph's names. `same` gives, of tensors that are tied, the one that
    stands for all; `used` are the entries of the block itself that named something."""

    names: dict[str, str]
    same: dict[str, str]
    used: frozenset[Entry]
    problems: tuple[Diagnostic, ...]


@lru_cache(maxsize=4096)
def _table(graph: Graph, name: str) -> _Table:
    return _Naming(graph, name).table()


class _Naming:
    """The naming of one Graph by one map."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name
        self.map = name_map(graph.block, name)
        self.problems: dict[tuple, Diagnostic] = {}
        self.by: dict[str, Entry] = {}  # which entry named which tensor
        self.texts: dict[tuple, str | None] = {}

    def table(self) -> _Table:
        names: dict[str, str] = {}
        same: dict[str, str] = {}
        for member in self.graph.members.values():
            for path, copy in member.owned:
                self.add_copy(member, path, copy, names, same)
        for a, b in self.graph.ties:
            same[a] = same.get(b, b)
        if self.map is not None:
            for problem in self.map.problems:
                self.tell(problem)
            names = self.renamed(names, self.map)
        if not self.problems:
            self.check_distinct(names, same)
        return _Table(names, same, frozenset(self.by.values()), tuple(self.problems.values()))

    def tell(self, problem: Diagnostic) -> None:
        """Keep a problem: of those at one place the first, though it may be found for many tensors."""
        self.problems.setdefault((problem.code, problem.span), problem)

    def add_copy(
        self, member: Member, path: str, copy: Copy, names: dict[str, str], same: dict[str, str]
    ) -> None:
        """The names of a copy of a member, as the block there has them."""
        if not isinstance(copy.target, Graph):
            for below, weight in of_copy(copy).items():
                if weight.persistent:
                    full = f"{path}.{below}" if below else path
                    names[full] = full
            return
        inner = _table(copy.target, self.name)
        names.update((f"{path}.{ours}", f"{path}.{theirs}") for ours, theirs in inner.names.items())
        same.update((f"{path}.{a}", f"{path}.{b}") for a, b in inner.same.items())
        if inner.problems:
            index = path.rpartition(".")[2]
            where = f"copy {index} of `{member.name}`" if path != member.name else f"`{member.name}`"
            frame = Frame(member.span, f"in `{copy.target.name}`, {where}")
            for problem in inner.problems:
                self.tell(problem._replace(trace=(*problem.trace, frame)))

    def renamed(self, names: dict[str, str], entries: NameMap) -> dict[str, str]:
        """The names with this block's own entries applied."""
        found = {}
        for ours, theirs in names.items():
            segments = ours.split(".")
            best = self.best(segments, entries)
            if best is None:
                found[ours] = theirs
                continue
            entry, captures = best
            self.by[ours] = entry
            rest = self.rest(segments, len(entry.ours.segments)) if entry.ours.rest else ""
            new = self.filled(entry, captures, rest)
            if new is not None:
                found[ours] = new
        return found

    def best(self, segments: list[str], entries: NameMap) -> tuple[Entry, dict[str, str]] | None:
        """The entry that speaks of a name, and its captures."""
        found = [(e, c) for e in entries.entries if (c := e.ours.match(segments)) is not None]
        if not found:
            return None
        found.sort(key=lambda pair: pair[0].ours.rank, reverse=True)
        if len(found) > 1 and found[0][0].ours.rank == found[1][0].ours.rank:
            first, second = sorted((e.ours.span for e, _ in found[:2]), key=lambda s: s.start)
            message = f"two entries speak of `{'.'.join(segments)}`, and neither more than the other"
            related = (Related(first, "this is the other"),)
            help = "write out more of one of the names"
            self.tell(Diagnostic("A615", message, second, help, related))
        return found[0]

    def rest(self, segments: list[str], start: int) -> str:
        """What `*` stands for: a name from segment `start` on, renamed by the block that is there."""
        graph, at = self.graph, 0
        while True:
            member = graph.members[segments[at]]
            alone = member.share or not member.arranged
            target = (member.first if alone else member.copies[int(segments[at + 1])]).target
            at += 1 if alone else 2
            if not isinstance(target, Graph):
                return ".".join(segments[start:])
            if at >= start:
                below = ".".join(segments[at:])
                return ".".join((*segments[start:at], _table(target, self.name).names.get(below, below)))
            graph = target

    def filled(self, entry: Entry, captures: Mapping[str, str], rest: str) -> str | None:
        """The published name, or None where an expression of it fails, which is told."""
        texts = {}
        for place, part in enumerate(entry.theirs.parts):
            if isinstance(part, str):
                continue
            key = (entry, place, *captures.items())
            if key not in self.texts:
                self.texts[key] = self.evaluated(part, captures)
            text = self.texts[key]
            if text is None:
                return None
            texts[place] = text
        return entry.theirs.fill(texts, rest)

    def evaluated(self, expr: Expr, captures: Mapping[str, str]) -> str | None:
        """The text of an expression in a name, or None where it fails, which is told."""
        try:
            value = evaluate(expr, self.scope(captures))
        except Unavailable:
            message, help = "this has no value here", "a dimension of an absent input has no value"
            self.tell(Diagnostic("A408", message, expr.span, help))
        except NeedsStatic as wrong:
            self.tell(_not_static(wrong.symbols, wrong.inputs, wrong.span))
        except EvaluationError as wrong:
            self.tell(Diagnostic(wrong.code, wrong.message, wrong.span, wrong.help))
        else:
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
            if whole or (isinstance(value, str) and value):
                return str(int(value)) if whole else str(value)
            if isinstance(value, Dim | Formula):
                self.tell(_not_static((str(value),), (), expr.span))
            else:
                message = f"a part of a name is a text or a number from 0 on, not {shown(value)}"
                help = 'write a number, or a text in quotes: `<"left" if i == 0 else "right">`'
                self.tell(Diagnostic("A614", message, expr.span, help))
        return None

    def scope(self, captures: Mapping[str, str]) -> Scope:
        """What an expression may name: the captures, the block's numbers, its inputs' presence."""
        graph = self.graph
        present = {
            name: ("given", name) if name in graph.open else name not in graph.absent
            for name in graph.block.inputs
        }
        words = frozenset(w for param in graph.block.params.values() for w in param.type.words)
        numbers = {name: _number(text) for name, text in captures.items()}
        missing = dict.fromkeys(graph.block.dims, UNKNOWN)
        names = {**missing, **graph.dims, **graph.params, **graph.lets, **numbers}
        return Scope(names, present, words)

    def check_distinct(self, names: dict[str, str], same: dict[str, str]) -> None:
        """No two tensors may have one name, unless they are tied."""
        owners: dict[str, str] = {}
        for ours, theirs in names.items():
            other = owners.setdefault(theirs, ours)
            if same.get(ours, ours) == same.get(other, other):
                continue
            places = [self.by[n].theirs.span for n in (ours, other) if n in self.by]
            span = places[0] if places else self.graph.block.name_span
            related = [Related(s, f"`{other}` is named here") for s in places[1:] if s != span]
            message = f"`{other}` and `{ours}` would both be `{theirs}`"
            help = "a name of a checkpoint is one tensor: give each entry names of its own"
            self.tell(Diagnostic("A613", message, span, help, tuple(related)))
            return


def _number(text: str) -> int | str:
    """A capture as a number, where it is one."""
    return int(text) if text.isascii() and text.isdigit() and str(int(text)) == text else text


def _not_static(symbols: Any, inputs: Any, span: Span) -> Diagnostic:
    if inputs:
        listed = " and ".join(f"`{name}`" for name in sorted(inputs))
        return Diagnostic("A413", f"this name depends on whether {listed} is given", span, FIX_PRESENCE)
    listed = " and ".join(f"`{name}`" for name in sorted(symbols))
    help = "give the size: `-p C=64` on the command line, a keyword argument in Python"
    return Diagnostic("A406", f"this name depends on {listed}, which only the inputs tell", span, help)


# Entries that name nothing


def _idle_entries(graph: Graph, name: str) -> Iterator[Diagnostic]:
    """The entries that name nothing, here or in any other instance of their block.

    A part that is absent here, by a condition, may be there with other params: that is no mistake.
    """
    used: dict[Any, set[Entry]] = {}
    instances: dict[Any, list[Graph]] = {}
    for inside in graphs(graph):
        used.setdefault(inside.block, set()).update(_table(inside, name).used)
        instances.setdefault(inside.block, []).append(inside)
    for block, found in instances.items():
        entries = name_map(block, name)
        for entry in entries.entries if entries is not None else ():
            if entry in used[block]:
                continue
            wrong = [_idle(entry.ours, inside, 0) for inside in found]
            first = wrong[0]
            if first is not None and None not in wrong:
                message, help = first
                yield Diagnostic("A612", message, entry.ours.span, help)


def _idle(ours: Ours, graph: Graph, start: int) -> tuple[str, str | None] | None:
    """Why an entry can name nothing below a Graph, from its segment `start` on; None: it may."""
    if start == len(ours.segments):
        return None if ours.rest else _stops(ours, f"`{graph.name}` is a block")
    nodes = graph.block.nodes
    segment = ours.segments[start]
    matching = [nodes[n] for n in nodes if segment.fullmatch(n)]
    if not matching:
        close = did_you_mean(ours.texts[start], nodes)
        message = f"`{graph.name}` has no node `{ours.texts[start]}`"
        return message, f"did you mean `{close}`?" if close else None
    reasons = [_idle_below(ours, graph, node, start + 1) for node in matching]
    return reasons[0] if None not in reasons else None


def _idle_below(ours: Ours, graph: Graph, node: Node, start: int) -> tuple[str, str | None] | None:
    if (node.repeat is not None or node.parallel is not None) and not node.share:
        if start == len(ours.segments):
            return None if ours.rest else _stops(ours, f"`{node.name}` is a row of copies")
        text = ours.texts[start]
        if "<" not in text and not text.isdigit():
            way = ".".join((*ours.texts[:start], "<i>", *ours.texts[start:]))
            way += ".*" if ours.rest else ""
            return f"the copies of `{node.name}` are numbered", f"write `{way}`"
        start += 1
    member = graph.members.get(node.name)
    if member is None:
        return None
    copies = [copy for copy in member.copies if copy.target is not None]
    reasons = [_idle_target(ours, graph, node, copy, start) for copy in copies]
    return reasons[0] if reasons and None not in reasons else None


def _idle_target(
    ours: Ours, graph: Graph, node: Node, copy: Copy, start: int
) -> tuple[str, str | None] | None:
    if isinstance(copy.target, Graph):
        return _idle(ours, copy.target, start)
    weights = of_copy(copy)
    left = ".".join(ours.texts[start:])
    if not weights or left in weights or not _is_settled(node, graph, copy.target):
        return None
    if not left:
        return None if ours.rest else _stops(ours, f"`{node.name}` has {_listed(weights)}")
    close = did_you_mean(left, weights)
    help = f"did you mean `{close}`?" if close else f"it has {_listed(weights)}"
    return f"`{node.name}` has no weight `{left}`", help


def _is_settled(node: Node, graph: Graph, op: Any) -> bool:
    """Does an operator own the same tensors whatever the block's params are? Where a number is all that
    they decide, it does; a condition may give it a bias or take it."""
    if not isinstance(op, Op) or node.call is None or node.call.name.id != op.title():
        return False
    numbers = {**graph.dims, **graph.params, **graph.lets}
    parts = [part for argument in node.call.arguments for part in walk(argument.value)]
    names = [numbers.get(part.id) for part in parts if isinstance(part, Name)]
    return not any(isinstance(part, Compare | Conditional) for part in parts) and all(
        isinstance(value, int | float | Dim | Formula) and not isinstance(value, bool) for value in names
    )


def _stops(ours: Ours, reason: str) -> tuple[str, str]:
    return f"nothing is named `{'.'.join(ours.texts)}`: {reason}", f"write `{'.'.join(ours.texts)}.*`"


def _listed(weights: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in weights)
