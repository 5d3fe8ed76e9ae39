"""Which lines of a flow exist, and in which order they come about."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from archc.graph.undecided import Undecided
from archc.lang.schema import Block
from archc.lang.syntax import Chain, Expr, Line, Name, Port
from archc.lang.walk import walk

OF_NODES = frozenset({"all", "weight", "bias"})
"""What a flow may read off a node: it comes after the lines that apply the node."""
BUNDLES = frozenset({"bundle", "reversed", "each"})
"""What reads like a function in a flow and makes bundles."""


class Branch(NamedTuple):
    """A line's chain, and its condition where an open input decides it, or nobody has."""

    chain: Chain
    test: tuple | Undecided | None


class Taken(NamedTuple):
    """A line of which at least one branch may be taken, in order; without one its names are absent."""

    line: Line
    branches: tuple[Branch, ...]


def take(line: Line, decide: Callable[[Expr], bool | tuple | Undecided]) -> Taken:
    """Choose among a line's branches. `decide` tells whether a condition holds: yes, no, or what it
    hangs on."""
    branches = []
    at: Line | None = line
    while at is not None:
        held = True if at.condition is None else decide(at.condition)
        if held is not False:
            branches.append(Branch(at.chain, None if held is True else held))
        if held is True:
            break
        at = at.otherwise
    return Taken(line, tuple(branches))


def order(block: Block, taken: list[Taken], wanted: Iterable[str]) -> tuple[list[Taken], list[Taken]]:
    """The lines that `wanted` values need, each after what it uses, else as they are written;
    and those of a circle, which have no order."""
    source: dict[str, int] = {}  # value -> the line that makes it
    for index, t in enumerate(taken):
        for name in t.line.names:
            source.setdefault(name.id, index)
    mentioned = [_mentioned(t) for t in taken]
    applies: dict[str, list[int]] = {}  # node -> the lines in which it is a step
    if any(read for _, read in mentioned):
        for index, t in enumerate(taken):
            for step in steps(t):
                applies.setdefault(step, []).append(index)

    needs: dict[int, list[int]] = {}
    stack = [source[name] for name in wanted if name in source]
    while stack:
        index = stack.pop()
        if index in needs:
            continue
        names, read = mentioned[index]
        used = [source[name] for name in names if name in source]
        for node in read:
            if node not in source and node in block.nodes:
                used += before(index, applies.get(node, ()))
        needs[index] = list(dict.fromkeys(used))
        stack.extend(needs[index])

    waiting = {index: len(used) for index, used in needs.items()}
    users: dict[int, list[int]] = {index: [] for index in needs}
    for index, used in needs.items():
        for other in used:
            users[other].append(index)
    ready = [index for index, count in waiting.items() if not count]
    heapq.heapify(ready)
    ordered = []
    while ready:
        index = heapq.heappop(ready)
        ordered.append(taken[index])
        for user in users[index]:
            waiting[user] -= 1
            if not waiting[user]:
                heapq.heappush(ready, user)
    circle = [taken[index] for index, count in sorted(waiting.items()) if count]
    return ordered, circle


def before(line: int, applied: Sequence[int]) -> Sequence[int]:
    """Of the lines that apply a node, those that must come before a line that reads something off it."""
    return [other for other in applied if other != line] or applied


def _mentioned(taken: Taken) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that a line speaks of, and the nodes that it reads something off."""
    names: list[str] = []
    read: list[str] = []
    for part in _parts(taken):
        if isinstance(part, Name):
            names.append(part.id)
        elif isinstance(part, Port) and part.port in OF_NODES and isinstance(part.value, Name):
            read.append(part.value.id)
    return tuple(names), tuple(read)


def _parts(taken: Taken) -> Iterator[object]:
    for branch in taken.branches:
        chain = branch.chain
        for argument in chain.arguments:
            if isinstance(argument.value, Name):
                yield argument.value
            else:
                yield from walk(argument.value)
        for step in chain.steps:
            for argument in step.arguments:
                yield from walk(argument.value)


def steps(taken: Taken) -> Iterator[str]:
    """The names of all steps of a line, those in brackets too."""
    for branch in taken.branches:
        yield from (step.name.id for step in branch.chain.steps)
    for part in _parts(taken):
        if isinstance(part, Chain):
            yield from (step.name.id for step in part.steps)
