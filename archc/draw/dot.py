"""A scene as Graphviz text: blocks are clusters."""

from __future__ import annotations

import graphviz

from archc.draw.measure import badge_text, count_text
from archc.draw.palette import LIGHT, LIGHT_INKS
from archc.draw.scene import Box, Frame, Scene

_SHAPES = {"card": "box", "pill": "box", "circle": "circle", "tag": "cds", "port": "point"}
_STYLES = {"data": "solid", "residual": "dashed", "optional": "dotted"}


def dot(scene: Scene) -> str:
    """The text of a `.dot` file; `dot -Tsvg` draws it."""
    chart = graphviz.Digraph(
        scene.title,
        comment="Drawn by archc",
        graph_attr={
            "label": scene.title + "\n" + " · ".join(scene.facts),
            "labelloc": "t",
            "fontname": "Helvetica",
            "compound": "true",
            "ranksep": "0.35",
        },
        node_attr={"fontname": "Helvetica", "fontsize": "11", "style": "filled,rounded", "height": "0.3"},
        edge_attr={"fontname": "Helvetica", "fontsize": "9", "color": LIGHT_INKS.data, "arrowsize": "0.7"},
    )
    for number, panel in enumerate(scene.panels):
        prefix = f"p{number}:" if number else ""
        if number:
            chart.subgraph(_cluster(panel, prefix, ""))
        else:
            _fill(chart, panel, prefix)
    return chart.source


def _cluster(frame: Frame, prefix: str, id: str) -> graphviz.Digraph:
    """An opened block, or an inset, as a cluster."""
    cluster = graphviz.Digraph(f"cluster_{prefix}{id}")
    cluster.attr(label=_title(frame), style="rounded", color=LIGHT["frame"].stroke)
    _fill(cluster, frame, prefix)
    return cluster


def _fill(chart: graphviz.Digraph, frame: Frame, prefix: str) -> None:
    inside: dict[str, Frame] = {}
    for item in frame.items:
        if isinstance(item, Frame):
            inside[item.id] = item
            chart.subgraph(_cluster(item, prefix, item.id))
        else:
            _box(chart, item, prefix)
    for edge in frame.edges:
        # An edge of an opened block is one of its border: it ends at what is inside, cut at the cluster.
        attributes = {"style": _STYLES[edge.style]}
        if edge.label:
            attributes["label"] = edge.label
        if edge.source in inside:
            attributes["ltail"] = f"cluster_{prefix}{edge.source}"
        if edge.target in inside:
            attributes["lhead"] = f"cluster_{prefix}{edge.target}"
        if edge.style == "residual":
            attributes["color"] = LIGHT_INKS.residual
        source = _end(inside, edge.source, "exit")
        target = _end(inside, edge.target, "entry")
        chart.edge(_quoted(prefix + source), _quoted(prefix + target), **attributes)


def _end(inside: dict[str, Frame], id: str, border: str) -> str:
    """The box that stands for an item at an edge: a block's own port."""
    frame = inside.get(id)
    if frame is None:
        return id
    port = getattr(frame, border) or (frame.items[0].id if frame.items else id)
    deeper = {item.id: item for item in frame.items if isinstance(item, Frame)}
    return _end(deeper, port, border)


def _box(chart: graphviz.Digraph, box: Box, prefix: str) -> None:
    if box.form == "port":
        chart.node(_quoted(prefix + box.id), label="", shape="point", width="0.04")
        return
    colours = LIGHT["circle" if box.form == "circle" else box.kind]
    first = " ".join(part for part in (box.title, count_text(box)) if part)
    if box.copies > 1:
        first += f" {badge_text(box.copies)}"
    label = "\n".join(part for part in (first, box.detail) if part)
    extra = {"style": "filled,rounded,dotted"} if box.dotted else {}
    if box.form == "circle":
        extra |= {"width": "0.3", "fixedsize": "true"}
    chart.node(
        _quoted(prefix + box.id),
        label=graphviz.escape(label),
        shape=_SHAPES[box.form],
        fillcolor=colours.fill,
        color=colours.stroke,
        **extra,
    )


def _quoted(id: str) -> str:
    """An id without colons, which dot reads as ports."""
    return id.replace(":", "/")


def _title(frame: Frame) -> str:
    parts = [frame.title, frame.note, badge_text(frame.copies, frame.parallel) if frame.copies > 1 else ""]
    return "  ".join(part for part in parts if part)
