"""Closed copies of one block that are drawn as one box though their numbers differ: the layers of a dense
block, of which each is wider than the one before, or blocks that differ in a rate of dropout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from archc.draw.scene.insets import Definitions
from archc.graph.ir import Copy, Graph
from archc.graph.runs import Run, flat
from archc.graph.weights import of_graph
from archc.shapes import plain

FEWEST = 3
"""Fewer copies than this are drawn one by one."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Runs of copies that follow each other and are drawn as one."""

    runs: tuple[Run, ...]

    @property
    def first(self) -> int:
        return self.runs[0].first

    @property
    def count(self) -> int:
        return sum(run.count for run in self.runs)

    @property
    def copies(self) -> list[Copy]:
        """All copies, in order."""
        return [run.copy for run in self.runs for _ in range(run.count)]


class Folds:
    """Finds what can be folded; `definitions` tells which blocks are made of the same things."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def of(self, runs: list[Run], free: Callable[[Run], bool]) -> list[Fold]:
        """Runs as what is drawn of them; only those that are `free` are folded."""
        groups: list[list[Run]] = []
        for run in runs:
            last = groups[-1][-1] if groups else None
            follows = last is not None and last.first + last.count == run.first
            if last and follows and free(last) and free(run) and self._alike(groups[-1][0].copy, run.copy):
                groups[-1].append(run)
            else:
                groups.append([run])
        found: list[Fold] = []
        for group in groups:
            fold = Fold(tuple(group))
            found += [fold] if fold.count >= FEWEST else [Fold((run,)) for run in group]
        return found

    def _alike(self, a: Copy, b: Copy) -> bool:
        """Are two copies the same block, called alike on what grows from copy to copy, or with other
        numbers that change no shape and no weight?"""
        if not isinstance(a.target, Graph) or not isinstance(b.target, Graph):
            return False
        if a.target.outline or a.target.block is not b.target.block:
            return False
        if self._definitions.of(a.target) != self._definitions.of(b.target):
            return False
        differing = differing_params([a.target, b.target])
        return not differing or (_sizes(a) == _sizes(b) and all(map(_numeric, differing.values())))


def differing_params(blocks: list[Graph]) -> dict[str, list[Any]]:
    """The params in which instances of a block differ, with the values that they have, in order."""
    found: dict[str, list[Any]] = {}
    for name in blocks[0].params:
        values = [value for value, _ in groupby(plain(block.params.get(name)) for block in blocks)]
        if len(values) > 1:
            found[name] = values
    return found


def span_text(values: list[Any]) -> str:
    """The least and the largest of some numbers.

    >>> span_text([0.25, 0.0, 0.1234567]), span_text([1, 512, 1024, 1])
    ('0 … 0.25', '1 … 1024')
    """
    ends = min(values), max(values)
    return " … ".join(str(end) if isinstance(end, int) else f"{end:.3g}" for end in ends)


def _numeric(values: list[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _sizes(copy: Copy) -> Any:
    """The types of a copy's inputs and outputs, and its weights."""
    assert isinstance(copy.target, Graph)
    outputs = {name: copy.target.type(ref) for name, ref in copy.target.outputs.items()}
    return flat(copy), outputs, of_graph(copy.target)
