"""Which edges are residuals: they go around what their target is made of too."""

from __future__ import annotations

from collections.abc import Collection

from archc.draw.scene import Box, Edge, Frame


def mark_residuals(frame: Frame, skips: Collection[Edge] = ()) -> None:
    """Mark the edges into a sum, and those in `skips`, whose source reaches the target by another way.

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
            wanted = number in sums or id(edge) in skipping
            if wanted and edge.style == "data":
                around = any(made_of[other] >> source & 1 for other in sources if other != source)
                edge.style = "residual" if around else "data"
