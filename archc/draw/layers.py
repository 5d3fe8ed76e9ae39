"""The order of a frame's items from top to bottom, its spine, and the ways beside it."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ear:
    """A way beside what is laid out already: from `start` through `inner` items to `end`.

    `start` None: it begins with a source; `end` None: it leads nowhere further. Without inner
    items it is a single edge.
    """

    start: int | None
    inner: tuple[int, ...]
    end: int | None


@dataclass(slots=True)
class Order:
    """Items as numbers; `layer` is each one's row, `spine` the main path from top to bottom."""

    layer: list[int]
    spine: list[int]
    ears: list[Ear]


def order(
    count: int,
    edges: Sequence[tuple[int, int]],
    entry: int | None,
    exit: int | None,
    sums: Collection[int] = (),
) -> Order:
    """Lay out an acyclic graph of `count` items whose numbers are in topological order.

    The edges into an item stand in the order of its operands. `sums` are the items whose operands
    are of one rank: the main path comes into them by the longest way, into others by the first.
    """
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    layer = _layers(count, before, after, entry, exit)
    spine = _spine(count, before, entry, exit, sums)
    return Order(layer, spine, _ears(count, edges, before, after, spine))


def _layers(
    count: int, before: list[list[int]], after: list[list[int]], entry: int | None, exit: int | None
) -> list[int]:
    layer = [0] * count
    anchored = [False] * count
    for i in range(count):
        layer[i] = max((layer[j] + 1 for j in before[i]), default=0)
        anchored[i] = i == entry or any(anchored[j] for j in before[i])
    # What does not hang on the main input stands right above where it is needed.
    for i in reversed(range(count)):
        if not anchored[i] and after[i] and (entry is not None or not before[i]):
            layer[i] = min(layer[j] for j in after[i]) - 1
    if exit is not None:
        layer[exit] = max([layer[exit], *(layer[i] + 1 for i in range(count) if i != exit and after[i])])
    lowest = min(layer, default=0)
    return [number - lowest for number in layer]


def _spine(
    count: int, before: list[list[int]], entry: int | None, exit: int | None, sums: Collection[int]
) -> list[int]:
    """The way from the entry to the exit, by first operands; through sums, the longest."""
    length: list[int | None] = [None] * count
    back: list[int | None] = [None] * count
    for i in range(count):
        if entry is None and not before[i] or i == entry:
            length[i] = 0
        for j in before[i]:
            reached, own = length[j], length[i]
            if reached is not None and (own is None or (i in sums and reached + 1 > own)):
                length[i], back[i] = reached + 1, j
    ends = [i for i in range(count) if length[i] is not None]
    if exit is None or length[exit] is None:
        exit = max(ends, key=lambda i: length[i] or 0, default=0 if count else None)
    path: list[int] = []
    here = exit
    while here is not None:
        path.append(here)
        here = back[here]
    return path[::-1]


def _ears(
    count: int,
    edges: Sequence[tuple[int, int]],
    before: list[list[int]],
    after: list[list[int]],
    spine: list[int],
) -> list[Ear]:
    placed = [False] * count
    for i in spine:
        placed[i] = True
    used = set(zip(spine, spine[1:], strict=False))
    depth = [0] * count  # the longest way on: an ear takes it
    for i in reversed(range(count)):
        depth[i] = max((depth[j] + 1 for j in after[i]), default=0)
    ears: list[Ear] = []

    def ear(start: int | None, first: int) -> None:
        inner = [first]
        placed[first] = True
        if start is not None:
            used.add((start, first))
        while True:
            here = inner[-1]
            ways = [j for j in after[here] if (here, j) not in used]
            if not ways:
                ears.append(Ear(start, tuple(inner), None))
                return
            fresh = [j for j in ways if not placed[j]]
            there = max(fresh or ways, key=lambda j: depth[j])
            used.add((here, there))
            if placed[there]:
                ears.append(Ear(start, tuple(inner), there))
                return
            placed[there] = True
            inner.append(there)

    for i in range(count):
        if not placed[i] and not before[i]:
            ear(None, i)
        assert placed[i], "what an item is made from comes before it"
        for j in after[i]:
            if not placed[j]:
                ear(i, j)
    ears += [Ear(a, (), b) for a, b in edges if (a, b) not in used]
    return ears


def topological(count: int, edges: list[tuple[int, int]]) -> list[int]:
    """The items' numbers, each after what it is made from; else in their own order."""
    waiting = [0] * count
    after: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        waiting[b] += 1
        after[a].append(b)
    ready = [i for i in range(count) if not waiting[i]]
    heapq.heapify(ready)
    found = []
    while ready:
        here = heapq.heappop(ready)
        found.append(here)
        for there in after[here]:
            waiting[there] -= 1
            if not waiting[there]:
                heapq.heappush(ready, there)
    assert len(found) == count, "a Graph has no circles"
    return found
