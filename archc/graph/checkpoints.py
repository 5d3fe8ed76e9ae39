"""Checkpoint maps: by which names a published checkpoint calls the tensors of a Graph.

A block's map speaks of the names below it. What no entry names keeps the name of its node, and the
block there names the rest; so does the block at which an entry's `*` begins. Maps compose, and what
they give is kept for every Graph, so that the cost grows with what is distinct.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from archc.graph import checkpoint_right as right
from archc.graph.checkpoint_entries import Entry, NameMap, map_names, name_map
from archc.graph.checkpoint_idle import idle_entries
from archc.graph.checkpoint_layout import Layout
from archc.graph.infer import FIX_PRESENCE
from archc.graph.ir import Copy, Graph, Member, graphs
from archc.graph.recipe_shapes import Misfit, Partial, needs, settled
from archc.graph.recipes import Recipe, Take, leaves, replaced, text, whole_leaves
from archc.graph.weights import of_copy, of_graph
from archc.lang.evaluate import evaluate
from archc.lang.syntax import Expr
from archc.lang.values import UNKNOWN, EvaluationError, NeedsStatic, Scope, Unavailable, shown
from archc.shapes import Dim, Formula
from archc.source.diagnostic import Diagnostic, Frame, Related, Report, did_you_mean
from archc.source.text import Span


def resolve(graph: Graph, name: str, report: Report | None = None) -> Layout:
    """What the checkpoint map of that name makes of a Graph's tensors.

    Mistakes in the maps go into `report`, and what they spoil is left out; without a report they are
    raised as SpecError.

        resolve(graph, "taming").recipes["down.0.sampler.conv.weight"]
        # Take(name="down.0.downsample.conv.weight")
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
    for problem in idle_entries(graph, name, lambda inside: _table(inside, name).used):
        own.add(problem)
    if report is None:
        own.raise_if_wrong()
    ignored = dict.fromkeys(pattern for found in table.ignored.values() for pattern in found)
    return Layout(dict(table.recipes), tuple(ignored), table.same, _optional(graph))


def plain_layout(graph: Graph) -> Layout:
    """The layout of a checkpoint that has our names."""
    table = _table(graph, None)
    return Layout(dict(table.recipes), (), table.same, _optional(graph))


def _optional(graph: Graph) -> frozenset[str]:
    return frozenset(name for name, weight in of_graph(graph).items() if weight.optional)


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
    stands for all; `ignored` the patterns of every block, by the path to it; `used` are the entries of
    the block itself that named something."""

    recipes: dict[str, Recipe]
    same: dict[str, str]
    ignored: dict[str, tuple[str, ...]]
    used: frozenset[Entry]
    problems: tuple[Diagnostic, ...]


@lru_cache(maxsize=4096)
def _table(graph: Graph, name: str | None) -> _Table:
    return _Naming(graph, name).table()


class _Wrong(Exception):
    """An expression of an entry fails, which has been told."""


class _Naming:
    """The naming of one Graph by one map; by none, where `name` is None."""

    def __init__(self, graph: Graph, name: str | None) -> None:
        self.graph = graph
        self.name = name
        self.map = name_map(graph.block, name) if name is not None else None
        self.problems: dict[tuple, Diagnostic] = {}
        self.by: dict[str, Entry] = {}  # which entry named which tensor
        self.bases: dict[tuple, Recipe | None] = {}
        self.recipes: dict[str, Recipe] = {}
        self.same: dict[str, str] = {}
        self.ignored: dict[str, tuple[str, ...]] = {}

    def table(self) -> _Table:
        for member in self.graph.members.values():
            for path, copy in member.owned:
                self.add_copy(member, path, copy)
        for a, b in self.graph.ties:
            self.same[a] = self.same.get(b, b)
        if self.map is not None:
            for problem in self.map.problems:
                self.tell(problem)
            self.recipes = dict(self.renamed(self.map))
            self.ignored = dict(self.renamed_patterns(self.map))
        if not self.problems:
            self.check_distinct()
        if not self.problems:
            self.check_shapes()
        used = frozenset(self.by.values())
        return _Table(self.recipes, self.same, self.ignored, used, tuple(self.problems.values()))

    def tell(self, problem: Diagnostic) -> None:
        """Keep a problem: of those at one place the first, though it may be found for many tensors."""
        self.problems.setdefault((problem.code, problem.span), problem)

    def add_copy(self, member: Member, path: str, copy: Copy) -> None:
        """The names of a copy of a member, as the block there has them."""
        if not isinstance(copy.target, Graph):
            for below, weight in of_copy(copy).items():
                if weight.persistent:
                    full = f"{path}.{below}" if below else path
                    self.recipes[full] = Take(full)
            return
        inner = _table(copy.target, self.name)
        for ours, theirs in inner.recipes.items():
            self.recipes[f"{path}.{ours}"] = _under(f"{path}.", theirs)
        self.same.update((f"{path}.{a}", f"{path}.{b}") for a, b in inner.same.items())
        for below, patterns in inner.ignored.items():
            full = f"{path}.{below}" if below else path
            self.ignored[full] = tuple(f"{path}.{pattern}" for pattern in patterns)
        if inner.problems:
            index = path.rpartition(".")[2]
            where = f"copy {index} of `{member.name}`" if path != member.name else f"`{member.name}`"
            frame = Frame(member.span, f"in `{copy.target.name}`, {where}")
            for problem in inner.problems:
                self.tell(problem._replace(trace=(*problem.trace, frame)))

    # Entries applied

    def renamed(self, entries: NameMap) -> Iterator[tuple[str, Recipe]]:
        """The recipes with this block's own entries applied."""
        for ours, theirs in self.recipes.items():
            segments = ours.split(".")
            best = self.best(segments, entries.entries)
            if best is None:
                yield ours, theirs
                continue
            entry, captures = best
            self.by[ours] = entry
            base = self.base(entry, captures)
            if base is None:
                continue
            yield ours, _behind(base, self.rest(segments, entry)) if entry.ours.rest else base

    def renamed_patterns(self, entries: NameMap) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The patterns of names to pass over, renamed by the entries that rename their blocks."""
        outer = [entry for entry in entries.entries if entry.ours.rest]
        for path, patterns in self.ignored.items():
            segments = path.split(".")
            best = self.best([*segments, "*"], outer)
            if best is None:
                yield path, patterns
                continue
            entry, captures = best
            base = self.base(entry, captures)
            if base is not None:
                target, at = self.reached(segments, len(entry.ours.segments))
                assert target is not None, "a path to a block"
                below = "".join(f"{segment}." for segment in segments[len(entry.ours.segments) : at])
                inner = _table(target, self.name).ignored.get(".".join(segments[at:]), ())
                yield path, tuple(f"{start}{below}{end}" for end in inner for start in leaves(base))
        if entries.ignored:
            yield "", entries.ignored

    def best(self, segments: list[str], entries: Iterable[Entry]) -> tuple[Entry, dict[str, str]] | None:
        """The entry that speaks of a name, and its captures."""
        found = [(e, c) for e in entries if (c := e.ours.match(segments)) is not None]
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

    def rest(self, segments: list[str], entry: Entry) -> Recipe:
        """What `*` stands for: what is behind the entry's segments, renamed by the block that is there."""
        start = len(entry.ours.segments)
        target, at = self.reached(segments, start)
        if target is None:
            return Take(".".join(segments[start:]))
        below = ".".join(segments[at:])
        inner = _table(target, self.name).recipes.get(below, Take(below))
        return _under("".join(f"{segment}." for segment in segments[start:at]), inner)

    def reached(self, segments: list[str], start: int) -> tuple[Graph | None, int]:
        """The first block on the way of a name at or behind its segment `start`, and the segment
        behind it; None where there is none."""
        graph, at = self.graph, 0
        while True:
            member = graph.members[segments[at]]
            alone = member.share or not member.arranged
            target = (member.first if alone else member.copies[int(segments[at + 1])]).target
            at += 1 if alone else 2
            if not isinstance(target, Graph):
                return None, at
            if at >= start:
                return target, at
            graph = target

    def base(self, entry: Entry, captures: Mapping[str, str]) -> Recipe | None:
        """The recipe of an entry's right side, its names as far as they are written; None where an
        expression of it fails, which is told."""
        key = (entry, *captures.items())
        if key not in self.bases:
            scope = self.scope(captures)
            try:
                found = right.recipe(
                    entry.theirs,
                    lambda expr: self.text(expr, scope),
                    lambda expr, what: self.number(expr, scope, what),
                )
            except _Wrong:
                found = None
            self.bases[key] = found
        return self.bases[key]

    # Expressions

    def text(self, expr: Expr, scope: Scope) -> str:
        """The text of an expression in a name."""
        value = self.evaluated(expr, scope)
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if whole or (isinstance(value, str) and all(map(right.LITERAL.fullmatch, value.split(".")))):
            return str(int(value)) if whole else str(value)
        message = f"a part of a name is a text or a number from 0 on, not {shown(value)}"
        help = 'write a number, or a text in quotes: `<"left" if i == 0 else "right">`'
        self.tell(Diagnostic("A614", message, expr.span, help))
        raise _Wrong

    def number(self, expr: Expr, scope: Scope, what: str) -> int:
        """The number of an expression in a change."""
        value = self.evaluated(expr, scope)
        least = {"step": 1, "size": -1}.get(what)
        if isinstance(value, int) and not isinstance(value, bool) and (least is None or value >= least):
            return int(value)
        article = "an" if what[0] in "ai" else "a"
        wanted = "a whole number" + (f" from {least} on" if least is not None else "")
        help = "write a number, or an expression of the block's params and dimensions"
        message = f"{article} {what} is {wanted}, not {shown(value)}"
        self.tell(Diagnostic("A617", message, expr.span, help))
        raise _Wrong

    def evaluated(self, expr: Expr, scope: Scope) -> Any:
        """The value of an expression, known as the model is built; what fails is told."""
        try:
            value = evaluate(expr, scope)
        except Unavailable:
            message, help = "this has no value here", "a dimension of an absent input has no value"
            self.tell(Diagnostic("A408", message, expr.span, help))
        except NeedsStatic as wrong:
            self.tell(_not_static(wrong.symbols, wrong.inputs, wrong.span))
        except EvaluationError as wrong:
            self.tell(Diagnostic(wrong.code, wrong.message, wrong.span, wrong.help))
        else:
            if not isinstance(value, Dim | Formula):
                return value
            self.tell(_not_static((str(value),), (), expr.span))
        raise _Wrong

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

    # What can be told without a file

    def check_distinct(self) -> None:
        """No two tensors may be one of theirs, unless they are tied."""
        owners: dict[str, tuple[str, bool]] = {}
        made: dict[Recipe, str] = {}
        for ours, theirs in self.recipes.items():
            twin = made.setdefault(theirs, ours)
            if not self.tied(twin, ours):
                return self.shared(twin, ours, f"both be `{text(theirs)}`")
            whole = list(whole_leaves(theirs))
            for name in leaves(theirs):
                other, all_of_it = owners.setdefault(name, (ours, name in whole))
                if not self.tied(other, ours) and (all_of_it or name in whole):
                    return self.shared(other, ours, f"both have elements of `{name}`")
                if whole.count(name) > 1:
                    return self.shared(ours, ours, f"have elements of `{name}` twice")

    def tied(self, a: str, b: str) -> bool:
        return self.same.get(a, a) == self.same.get(b, b)

    def shared(self, other: str, ours: str, what: str) -> None:
        """Tell that two tensors take the same of theirs."""
        places = [self.by[n].span for n in (ours, other) if n in self.by]
        span = places[0] if places else self.graph.block.name_span
        related = [Related(s, f"`{other}` is named here") for s in places[1:] if s != span]
        both = f"`{other}` and `{ours}`" if other != ours else f"`{ours}`"
        help = "a name of a checkpoint is one tensor: give each entry names of its own"
        self.tell(Diagnostic("A613", f"{both} would {what}", span, help, tuple(related)))

    def check_shapes(self) -> None:
        """The changes of this block's entries must be able to give the shapes that we have."""
        changing = {ours: entry for ours, entry in self.by.items() if not entry.plain}
        if not changing:
            return
        shapes = {ours: weight.shape for ours, weight in of_graph(self.graph).items() if ours in changing}
        known: dict[str, list[Partial]] = {}
        last: dict[str, Entry] = {}
        for ours, entry in changing.items():
            sizes = [int(size) for size in shapes[ours] if isinstance(size, int)]
            if len(sizes) != len(shapes[ours]):
                continue
            try:
                for name, partial in needs(self.recipes[ours], tuple(sizes)):
                    known.setdefault(name, []).append(partial)
                    last[name] = entry
            except Misfit as wrong:
                self.tell(Diagnostic("A616", str(wrong), entry.span, f"`{ours}` is {sizes}"))
        for name, partials in known.items():
            try:
                settled(name, partials)
            except Misfit as wrong:
                help = "compare the entries that take it"
                self.tell(Diagnostic("A616", str(wrong), last[name].span, help))


def _under(prefix: str, recipe: Recipe) -> Recipe:
    """A recipe with something before every name."""
    if isinstance(recipe, Take):
        return Take(prefix + recipe.name)
    return replaced(recipe, lambda name: Take(prefix + name))


def _behind(base: Recipe, rest: Recipe) -> Recipe:
    """What becomes of a recipe, `rest`, of which a map around it renames every name by its own, `base`."""
    if isinstance(base, Take):
        return _under(base.name, rest)
    return replaced(rest, lambda name: replaced(base, lambda start: Take(start + name)))


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
