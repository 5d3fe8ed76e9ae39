"""A scene as Graphviz text: blocks are clusters, labels are Graphviz' own HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from itertools import pairwise, product
from textwrap import wrap
from typing import Literal

import graphviz

from archc.draw.formats.chart import Label, Names, Ways, address, box_label, frame_label, one_line
from archc.draw.formats.palette import LIGHT, LIGHT_INKS, colours, spec_ink
from archc.draw.scene.items import Box, Edge, Frame, Item, Scene

_FONT = "Helvetica"
_TITLE, _SMALL = 11, 9
_LINE = 100
"""As many letters as a line of facts has."""
_FORMS: dict[str, dict[str, str]] = {
    "circle": {"shape": "circle", "width": "0.3", "margin": "0.02"},
    "dots": {"shape": "plain", "style": "solid"},
    "pill": {"margin": "0.2,0.05"},
    "port": {"margin": "0.2,0.05"},
    "tag": {"shape": "cds", "style": "filled", "margin": "0.2,0.05"},
}
"""What differs from a card, a box with round corners."""
_EDGES = {
    "data": {},
    "residual": {"style": "dashed", "color": LIGHT_INKS.residual},
    "optional": {"style": "dotted", "color": LIGHT_INKS.optional},
}


def dot(scene: Scene, **attributes: str) -> str:
    """The text of a `.dot` file; `dot -Tsvg` draws it. `attributes` are further ones of the graph."""
    heading = Label(scene.title, [], wrap(" · ".join(scene.facts), _LINE))
    chart = graphviz.Digraph(
        name=Names()[scene.title],
        comment="Drawn by archc",
        graph_attr={
            "label": _label(heading),
            "labelloc": "t",
            "rankdir": scene.directions.get(scene.main.id, "TB"),
            "compound": "true",
            "fontname": _FONT,
            "fontsize": "14",
            "fontcolor": LIGHT_INKS.text,
            "bgcolor": LIGHT_INKS.page,
            "pad": "0.2",
            "nodesep": "0.3",
            "ranksep": "0.35",
            **attributes,
        },
        node_attr={
            "shape": "box",
            "style": "filled,rounded",
            "fontname": _FONT,
            "fontsize": str(_TITLE),
            "fontcolor": LIGHT_INKS.text,
            "height": "0.3",
            "margin": "0.12,0.05",
        },
        edge_attr={
            "fontname": _FONT,
            "fontsize": str(_SMALL),
            "fontcolor": LIGHT_INKS.small,
            "color": LIGHT_INKS.data,
            "arrowsize": "0.7",
        },
    )
    nodes, clusters = Names(), Names()
    _Panel(scene.main, nodes, clusters, "").fill(chart, scene.main)
    for column in _columns(scene.main, scene.insets):
        panels = [_Panel(inset, nodes, clusters, f"{inset.id}.") for inset in column]
        for panel in panels:
            chart.subgraph(panel.cluster(panel.frame, panel.frame.id))
        for above, below in pairwise(panels):
            for end, start in product(above.ends("target"), below.ends("source")):
                chart.edge(end, start, style="invis")
    return chart.source


@dataclass(slots=True)
class _Panel:
    """The main chart or an inset; `prefix` tells its items from those of others."""

    frame: Frame
    nodes: Names
    clusters: Names
    prefix: str
    ways: Ways = field(init=False)
    frames: dict[str, Frame] = field(init=False)

    def __post_init__(self) -> None:
        self.ways = Ways(self.frame)
        self.frames = {item.id: item for item in self.frame.walk() if isinstance(item, Frame)}

    def ends(self, end: Literal["source", "target"]) -> list[str]:
        """The nodes where the panel begins, to which no edge goes, or where it ends."""
        inside = {getattr(edge, "target" if end == "source" else "source") for edge in self.frame.edges}
        boxes = [item for item in self.frame.items if isinstance(item, Box) and item.id not in inside]
        return [self.nodes[self.prefix + box.id] for box in boxes]

    def cluster(self, frame: Frame, id: str, depth: int = 0) -> graphviz.Digraph:
        """An opened block, a group, or an inset."""
        cluster = graphviz.Digraph(self._cluster_name(id))
        ink = LIGHT["deep" if depth % 2 else "frame"]
        attributes = {
            "label": _label(frame_label(frame)),
            "labeljust": "l",  # where the main path does not cross it
            "fontsize": str(_TITLE),
            "style": ",".join(["filled,rounded", *(["dotted"] if frame.dotted else [])]),
            "fillcolor": ink.fill,
            "color": ink.stroke,
        }
        if frame.graph is None and depth:
            attributes["style"] = "rounded,dashed"
        cluster.attr(**attributes, **_on_hover(frame))
        self.fill(cluster, frame, depth)
        if not frame.items:  # Graphviz draws no cluster without a node
            cluster.node(self.nodes[f"{self.prefix}{frame.id}.nothing"], label="", style="invis")
        return cluster

    def fill(self, chart: graphviz.Digraph, frame: Frame, depth: int = 0) -> None:
        for item in frame.items:
            if isinstance(item, Frame):
                chart.subgraph(self.cluster(item, self.prefix + item.id, depth + 1))
            elif item.form != "port" or item.id in self.ways.shown:
                chart.node(self.nodes[self.prefix + item.id], **_box(item))
        for edge in self.ways.edges(frame):
            self._edge(chart, edge)

    def _edge(self, chart: graphviz.Digraph, edge: Edge) -> None:
        source, tail = self._end(edge.source, edge.source_port)
        target, head = self._end(edge.target, edge.target_port)
        attributes = {"ltail": tail, "lhead": head, **_EDGES[edge.style]}
        if edge.label:
            # Within an element: a `]` right before the end of a label is an error.
            attributes["label"] = f"<&#160;{_small(edge.label)}>"
        chart.edge(source, target, **{name: value for name, value in attributes.items() if value})

    def _end(self, id: str, port: str) -> tuple[str, str]:
        """The node at an edge's end; and the cluster that the edge is cut at, where it ends at the
        border of a block."""
        frame = self.frames.get(id)
        if frame is None:
            return self.nodes[self.prefix + id], ""
        if port in self.ways.shown:
            return self.nodes[self.prefix + port], ""
        way = self.ways.behind.get(port)
        if way is None:
            drawn = (item.id for item in frame.items if isinstance(item, Frame) or item.form != "port")
            inner, deeper = next(drawn, f"{id}.nothing"), ""
        elif way.source == port:
            inner, deeper = way.target, way.target_port
        else:
            inner, deeper = way.source, way.source_port
        return self._end(inner, deeper)[0], self._cluster_name(self.prefix + id)

    def _cluster_name(self, id: str) -> str:
        return f"cluster_{self.clusters[id]}"


def _columns(main: Frame, insets: list[Frame]) -> list[list[Frame]]:
    """The insets one below the other, in columns about as long as the longest panel."""

    def length(frame: Frame) -> int:
        return 3 + sum(isinstance(item, Frame) or item.form != "port" for item in frame.walk())

    most = max(length(frame) for frame in (main, *insets))
    found: list[list[Frame]] = []
    for inset in insets:
        if found and sum(map(length, found[-1])) + length(inset) <= most:
            found[-1].append(inset)
        else:
            found.append([inset])
    return found


def _box(box: Box) -> dict[str, str]:
    """The attributes of a node."""
    ink = spec_ink(box.color)
    paint = colours(ink) if ink else LIGHT["circle" if box.form == "circle" else box.kind]
    attributes = {"label": _label(box_label(box)), "fillcolor": paint.fill, "color": paint.stroke}
    attributes |= _FORMS.get(box.form, {})
    if box.dotted:
        attributes["style"] = attributes.get("style", "filled,rounded") + ",dotted"
    if box.copies > 1:
        attributes["peripheries"] = "2"
    return attributes | _on_hover(box)


def _on_hover(item: Item) -> dict[str, str]:
    """The link of an item, and what is seen where the pointer is on it."""
    where = "" if item.span is None else f"{item.span.source.name}:{item.span.line}"
    parts = (" ".join(text.split()) for text in (item.id, where, item.details.doc))
    hint = " · ".join(text for text in parts if text)
    link = address(item)
    # Graphviz takes backslashes for its own twice here.
    shown = {"tooltip": graphviz.nohtml(escape(one_line(hint)).replace("\\", "\\" * 4))}
    return shown | ({"URL": escape(link)} if link else {})


def _label(label: Label) -> str:
    """Texts as Graphviz' HTML."""
    name = f"<b>{_text(label.name)}</b>" if one_line(label.name) else ""
    first = " ".join(text for text in (name, _small(" · ".join(label.beside))) if text)
    return f"<{'<br/>'.join(text for text in [first, *map(_small, label.below)] if text)}>"


def _small(text: str) -> str:
    if not one_line(text):
        return ""
    return f'<font point-size="{_SMALL}" color="{LIGHT_INKS.small}">{_text(text)}</font>'


def _text(text: str) -> str:
    r"""A text between HTML's tags: a backslash is Graphviz' own there too.

    >>> _text(r"a<b \N")
    'a&lt;b \\\\N'
    """
    return escape(one_line(text)).replace("\\", "\\\\")
