"""The order of a frame's items along its main path, its spine, and the ways beside it."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_Ways = list[list[tuple[int, int]]]
"""For each item its edges on one side: the number of the edge, and the item at its other end."""


@dataclass(frozen=True, slots=True)
class Ear:
    """A way beside what is laid out already: from `start` through `inner` items to `end`.

    `start` None: it begins with a source; `end` None: it leads nowhere further. Without inner
    items it is a single edge. `ways` are the numbers of its edges, in order.
    """

    start: int | None
    inner: tuple[int, ...]
    end: int | None
    ways: tuple[int, ...]


@dataclass(slots=True)
class Order:
    """Items as numbers; `layer` is each one's row, `spine` the main path from start to end, and
    `spine_ways` the numbers of its edges."""

    layer: list[int]
    spine: list[int]
    spine_ways: list[int]
    ears: list[Ear]


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a frame begins and ends: its main items, those that stand in the first row alone, and
    those that stand in the last. The main path avoids the edges that are `bent`."""

    entry: int | None = None
    exit: int | None = None
    first: Collection[int] = ()
    last: Collection[int] = ()
    bent: Collection[int] = ()


def order(count: int, edges: Sequence[tuple[int, int]], ends: Ends, sums: Collection[int] = ()) -> Order:
    """Lay out an acyclic graph of `count` items whose numbers are in topological order.

    The edges into an item stand in the order of its operands. `sums` are the items whose operands
    are of one rank: the main path comes into them by the longest way, into others by the first; of
    three and more that part at one item and meet again, by the middle one.
    """
    before: _Ways = [[] for _ in range(count)]
    after: _Ways = [[] for _ in range(count)]
    for number, (a, b) in enumerate(edges):
        before[b].append((number, a))
        after[a].append((number, b))
    layer = _layers(count, before, after, ends)
    spine, ways = _spine(count, before, after, ends, sums)
    return Order(layer, spine, ways, _ears(count, edges, before, after, spine, ways))


def _layers(count: int, before: _Ways, after: _Ways, ends: Ends) -> list[int]:
    lowest = 1 if ends.first else 0
    layer = [0] * count
    anchored = [False] * count
    for i in range(count):
        least = 0 if i in ends.first else lowest
        layer[i] = max((layer[j] + 1 for _, j in before[i]), default=least)
        anchored[i] = i == ends.entry or i in ends.first or any(anchored[j] for _, j in before[i])
    # What does not hang on the main input stands right above where it is needed.
    for i in reversed(range(count)):
        if not anchored[i] and after[i] and (ends.entry is not None or not before[i]):
            layer[i] = min(layer[j] for _, j in after[i]) - 1
    last = {*ends.last, *([] if ends.exit is None else [ends.exit])}
    if last:
        bottom = max([layer[i] + 1 for i in range(count) if i not in last], default=1)
        if not ends.last:  # other items may end as low
            bottom = max([layer[i] + 1 for i in range(count) if i not in last and after[i]], default=1)
            bottom = max(bottom, *(layer[i] for i in last))
        for i in last:
            layer[i] = bottom
    lowest = min(layer, default=0)
    return [number - lowest for number in layer]


def _spine(
    count: int, before: _Ways, after: _Ways, ends: Ends, sums: Collection[int]
) -> tuple[list[int], list[int]]:
    """The way from the entry to the exit, and its edges."""
    length: list[int | None] = [None] * count
    back: list[tuple[int, int] | None] = [None] * count
    bent = [False] * count  # is the way to an item?
    fork: list[int | None] = [None] * count  # where the branch of an item parts from others
    for i in range(count):
        if len(before[i]) == 1:
            above = before[i][0][1]
            fork[i] = above if len(after[above]) > 1 else fork[above]
        if ends.entry is None and not before[i] or i == ends.entry:
            length[i] = 0
            continue
        reached = [(way, j) for way, j in before[i] if length[j] is not None]
        direct = [way for way in reached if way[0] not in ends.bent and not bent[way[1]]]
        bent[i], reached = not direct, direct or reached
        if not reached:
            continue
        chosen = max(reached, key=lambda way: length[way[1]] or 0) if i in sums else reached[0]
        alike = [way for way in reached if fork[way[1]] is not None and fork[way[1]] == fork[chosen[1]]]
        if len(alike) > 2 and (i not in sums or len({length[j] for _, j in alike}) == 1):
            chosen = alike[len(alike) // 2]
        length[i], back[i] = (length[chosen[1]] or 0) + 1, chosen
    reached_ends = [i for i in range(count) if length[i] is not None and i not in ends.last]
    here = ends.exit
    lost = None
    if here is None or length[here] is None:
        lost = here
        here = max(reached_ends, key=lambda i: length[i] or 0, default=0 if count else None)
    path, ways = [], []
    while here is not None:
        path.append(here)
        step = back[here]
        if step is not None:
            ways.append(step[0])
        here = None if step is None else step[1]
    path.reverse()
    if lost is not None and lost not in path:
        path.append(lost)
    return path, ways[::-1]


def _ears(
    count: int,
    edges: Sequence[tuple[int, int]],
    before: _Ways,
    after: _Ways,
    spine: list[int],
    spine_ways: list[int],
) -> list[Ear]:
    placed = [False] * count
    for i in spine:
        placed[i] = True
    used = [False] * len(edges)
    for way in spine_ways:
        used[way] = True
    depth = [0] * count  # the longest way on: an ear takes it
    for i in reversed(range(count)):
        depth[i] = max((depth[j] + 1 for _, j in after[i]), default=0)
    ears: list[Ear] = []

    def ear(start: int | None, first: int, way: int | None) -> None:
        inner, ways = [first], [] if way is None else [way]
        placed[first] = True
        while True:
            free = [(number, j) for number, j in after[inner[-1]] if not used[number]]
            if not free:
                break
            fresh = [(number, j) for number, j in free if not placed[j]]
            number, there = max(fresh or free, key=lambda way: depth[way[1]])
            used[number] = True
            ways.append(number)
            if placed[there]:
                ears.append(Ear(start, tuple(inner), there, tuple(ways)))
                return
            placed[there] = True
            inner.append(there)
        ears.append(Ear(start, tuple(inner), None, tuple(ways)))

    for i in range(count):
        if not placed[i]:
            assert not before[i], "what an item is made from comes before it"
            ear(None, i, None)
        for number, j in after[i]:
            if not placed[j]:
                used[number] = True
                ear(i, j, number)
    ears += [Ear(a, (), b, (number,)) for number, (a, b) in enumerate(edges) if not used[number]]
    return ears


def topological(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
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
