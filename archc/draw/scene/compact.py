"""Norms, activations and dropout as slim strips, those that follow each other as one."""

from __future__ import annotations

from archc.draw.scene.items import Box, Edge, Frame

_SLIM_KINDS = {"norm", "activation"}
_SLIM_OPERATORS = {"dropout", "drop_path", "identity"}


def slim(frame: Frame, groups: dict[str, str]) -> None:
    """Make strips of a frame's boxes. `groups` says in which group of the spec an item is, if any:
    strips of several groups are not merged."""
    into: dict[str, list[Edge]] = {}
    out_of: dict[str, list[Edge]] = {}
    for edge in frame.edges:
        into.setdefault(edge.target, []).append(edge)
        out_of.setdefault(edge.source, []).append(edge)
    strips = {item.id: item for item in frame.items if isinstance(item, Box) and _is_slim(item)}
    stands_in: dict[str, str] = {}
    for id, box in strips.items():
        box.form = "strip"
        edges = into.get(id, [])
        first = strips.get(stands_in.get(edges[0].source, edges[0].source)) if len(edges) == 1 else None
        alone = first is not None and len(out_of[edges[0].source]) == 1
        if alone and first and first.dotted == box.dotted and groups.get(first.id) == groups.get(id):
            stands_in[id] = first.id
            _merge(first, box)
    frame.items = [item for item in frame.items if item.id not in stands_in]
    moved = [edge for edge in frame.edges if edge.target not in stands_in]
    for edge in moved:
        edge.source = stands_in.get(edge.source, edge.source)
    frame.edges = moved
    if frame.exit is not None:
        frame.exit = stands_in.get(frame.exit, frame.exit)


def _is_slim(box: Box) -> bool:
    if box.form not in ("card", "pill") or box.copies > 1 or box.block is not None:
        return False
    return box.kind in _SLIM_KINDS or box.operator in _SLIM_OPERATORS


def _merge(first: Box, box: Box) -> None:
    first.title += f" · {box.title}"
    first.detail = ""
    first.nodes += box.nodes
    first.parameters = (first.parameters or 0) + (box.parameters or 0) or None
    first.shared = first.shared or box.shared
    first.condition = first.condition or box.condition
    first.details.type = box.details.type
    first.details.weights += box.details.weights
