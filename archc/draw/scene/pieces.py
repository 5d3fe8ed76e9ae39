"""The copies of a repeated member as what is drawn of them: runs of equal ones, cut where a skip, a path
or a tied weight tells some of them apart."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from archc.draw.scene.folds import Fold, Folds
from archc.draw.scene.values import ALL, Values
from archc.draw.scene.words import expression
from archc.graph.ir import Call, Copy, Graph, Member, Wire
from archc.graph.runs import Run, runs

MOST_LEVELS = 8
"""Copies up to this number are cut apart where their skips lead to different levels."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Copies that are drawn as one, `count` from number `first` on. `copy` is the first; `unlike` are all
    of them where their numbers differ. `suffix` is what their path has behind the member's name, `index`
    what their title has."""

    first: int
    count: int
    copy: Copy
    suffix: str = ""
    index: str = ""
    unlike: tuple[Copy, ...] = ()

    @property
    def last(self) -> Copy:
        return self.unlike[-1] if self.unlike else self.copy

    @property
    def copies(self) -> range:
        return range(self.first, self.first + self.count)

    def takes(self, wire: Wire) -> bool:
        """Does it have the input that a wire feeds? Not where the value is never there when it is."""
        return self.copy.inputs.get(wire.port) is not None

    def gives(self, name: str) -> bool:
        """Does it have an output of this name? `all` is the first one of each copy."""
        return not isinstance(self.copy.target, Graph) or name in self.copy.target.outputs or name == "all"


def pieces(
    member: Member, use: int, cuts: Collection[frozenset[int]], folds: Folds, free: Callable[[Run], bool]
) -> list[Piece]:
    """What is drawn of a member's copies; those in one of the `cuts` are not merged with others, and only
    those that are `free` are folded."""
    if member.count is not None:
        return _ends(member, use)
    parts: list[Run] = []
    for run in runs(member, use):
        parts += _cut(run, cuts)
    cut = frozenset().union(*cuts)
    found = folds.of(parts, lambda run: cut.isdisjoint(range(run.first, run.first + run.count)) and free(run))
    return [_piece(member, fold, len(found) > 1) for fold in found]


def _ends(member: Member, use: int) -> list[Piece]:
    """The first and the last of copies whose number nobody knows."""
    indices = member.indices or ("0", "n")
    return [
        Piece(number, 1, copy, f".{number}", f"[{expression(index)}]")
        for number, (copy, index) in enumerate(zip(member.uses[use], indices, strict=True))
        if copy.target is not None
    ]


def _cut(run: Run, cuts: Collection[frozenset[int]]) -> list[Run]:
    """A run in parts: copies are together that are in the same of the `cuts`."""
    if run.count == 1 or not cuts:
        return [run]
    found: list[Run] = []
    known: list[bool] = []
    for number in range(run.first, run.first + run.count):
        among = [number in cut for cut in cuts]
        if found and among == known:
            found[-1] = Run(found[-1].first, found[-1].count + 1, run.copy)
        else:
            found.append(Run(number, 1, run.copy))
        known = among
    return found


def _piece(member: Member, fold: Fold, several: bool) -> Piece:
    run = Run(fold.first, fold.count, fold.runs[0].copy)
    name = run.name(member)
    last = run.first + run.count - 1
    index = f"[{run.first}]" if run.count == 1 else f"[{run.first}..{last}]"
    unlike = tuple(fold.copies) if len(fold.runs) > 1 else ()
    return Piece(run.first, run.count, run.copy, name[len(member.name) :], index if several else "", unlike)


def skip_cuts(graph: Graph, values: Values) -> dict[int, set[int]]:
    """For each node of copies, those that skips tell apart: they exchange bundles with other copies,
    or with other nodes, than the copies beside them."""
    partners: dict[tuple[int, int], set[tuple[int, int | None]]] = {}
    for number, node in graph.nodes.items():
        if not isinstance(node, Call):
            continue
        for wire in node.arguments:
            if not wire.each or values.undecided(wire.operand):
                continue
            for copy in range(len(graph.members[node.member].uses[node.use])):
                for strand in values.share(wire, copy):
                    partners.setdefault((number, copy), set()).add((strand.ref.node, strand.copy))
                    if strand.copy is not None and strand.copy != ALL:
                        partners.setdefault((strand.ref.node, strand.copy), set()).add((number, copy))
    cuts: dict[int, set[int]] = {}
    for number in {number for number, _ in partners}:
        node = graph.nodes[number]
        assert isinstance(node, Call)
        found = runs(graph.members[node.member], node.use)
        alone = [run.first for run in found if run.count == 1]  # those might be folded
        for copies in (alone, *(range(run.first, run.first + run.count) for run in found)):
            kinds = {frozenset(partners.get((number, copy), ())) for copy in copies}
            if len(kinds) > 1 and len(copies) <= MOST_LEVELS:
                cuts.setdefault(number, set()).update(copies)
    return cuts
