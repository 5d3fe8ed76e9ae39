"""Which edges are residuals: they go around what their target is made of too."""

from __future__ import annotations

from collections.abc import Collection

from archc.draw.scene.items import Box, Edge, Frame, Item


def mark_residuals(frame: Frame, skips: Collection[Edge] = ()) -> None:
    """Mark the edges into a sum, and those in `skips`, whose source reaches the target by another way;
    a box that may be bypassed on its way to a sum is a part of that way.

    Items stand after what they are made from. What that is, is a set of bits for each: a chain of any
    length takes time in proportion to it.
    """
    place = {item.id: number for number, item in enumerate(frame.items)}
    sums = {place[item.id] for item in frame.items if isinstance(item, Box) and item.title == "+"}
    before: list[list[tuple[int, Edge]]] = [[] for _ in frame.items]
    for edge in frame.edges:
        before[place[edge.target]].append((place[edge.source], edge))
    skipping = {id(edge) for edge in skips}
    made_of: list[int] = []
    for number, edges in enumerate(before):
        sources = {source for source, _ in edges}
        bits = 0
        for source in sources:
            bits |= made_of[source] | 1 << source
        made_of.append(bits)
        for source, edge in edges:
            if edge.style != "data" or number not in sums and id(edge) not in skipping:
                continue
            first = before[source][0] if _may_be_bypassed(frame.items[source], before[source]) else None
            start = source if first is None else first[0]
            if any(made_of[other] >> start & 1 for other in sources if other != source):
                edge.style = "residual"
                if first is not None:
                    first[1].style = "residual"


def _may_be_bypassed(item: Item, edges: list[tuple[int, Edge]]) -> bool:
    return isinstance(item, Box) and len(item.nodes) > 1 and item.dotted and len(edges) == 1
