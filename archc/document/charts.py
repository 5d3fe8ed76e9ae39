"""The pictures of a block: its chart, and a chart of each part that the spec frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from archc.draw.formats.mermaid import mermaid
from archc.draw.formats.sheet import Page, sheet
from archc.draw.formats.svg import svg
from archc.draw.options import Options
from archc.draw.scene.items import Box, Edge, Frame, Scene
from archc.draw.scene.stage import scene
from archc.graph.ir import Graph

Links = Mapping[str, str]
"""Where a block or an operator is told of: its name -> an anchor of the document, `#resnetblock`."""

COLUMN = Page(880.0, 2400.0, turns=False)
"""A picture stands in a column of text: rather long than wide."""
MOST_BOXES = 30
"""As many boxes as a chart has before the blocks in it stay closed: each has a chart of its own."""
FEW_NAMES = 8
"""As many parts as a picture's description names."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as an SVG file and as mermaid text. `part` is the title of the frame that it shows; of the
    chart of a whole block it is empty."""

    name: str
    alt: str
    svg: str
    mermaid: str
    part: str = ""


def pictures(graph: Graph, name: str, links: Links, document: str) -> list[Picture]:
    """The chart of a block and those of its parts, linked to what they show. `name` is that of its
    files, `document` the address of the document as seen from the pictures' folder."""
    whole = scene(graph, Options(insets=False))
    if sum(box.form not in ("tag", "dots") for box in whole.boxes()) > MOST_BOXES:
        whole = scene(graph, Options(level=0, insets=False))
    leads = _Leads(links, document, frozenset(item.id for item in whole.main.walk() if item.link))
    found = [_picture(name, whole, leads)]
    for number, frame in enumerate(_groups(whole.main), 1):
        part = _part(whole, frame)
        found.append(_picture(f"{name}-{number}", part, leads, frame.title))
    return found


@dataclass(frozen=True, slots=True)
class _Leads:
    """Where charts lead: `links` within the document, which is at `document` for a picture; items with a
    link of the spec's `own` keep it."""

    links: Links
    document: str
    own: frozenset[str]

    def put(self, drawing: Scene, before: str) -> None:
        """Link what stands for a block or an operator with a section."""
        for item in drawing.main.walk():
            name = item.block or (item.operator if isinstance(item, Box) else None)
            if name is not None and name in self.links and item.id not in self.own:
                item.link = before + self.links[name]


def _picture(name: str, drawing: Scene, leads: _Leads, part: str = "") -> Picture:
    leads.put(drawing, "")
    text = mermaid(drawing)
    leads.put(drawing, leads.document)
    return Picture(name, _described(drawing), svg(sheet(drawing, COLUMN)), text, part)


def _described(drawing: Scene) -> str:
    """What a picture shows, for who cannot see it."""
    boxes = [
        item
        for item in drawing.main.items
        if not (isinstance(item, Box) and item.form in ("port", "circle", "tag", "dots"))
    ]
    titles = [item.title for item in boxes]
    shown = ", ".join(titles[:FEW_NAMES]) + (
        f" and {len(titles) - FEW_NAMES} more" if len(titles) > FEW_NAMES else ""
    )
    return f"Chart of {drawing.title}: {shown}"


def _groups(frame: Frame) -> list[Frame]:
    """The frames that the spec draws around parts of a block."""
    return [item for item in frame.items if isinstance(item, Frame) and item.graph is None]


def _part(drawing: Scene, group: Frame) -> Scene:
    """A frame of a block as a chart of its own: what comes in and goes out are pills with the names of
    the values."""
    main = drawing.main
    made = {item.id: number for number, item in enumerate(main.walk())}
    before: dict[str, Box] = {}
    after: dict[str, Box] = {}
    edges = []
    for edge in sorted(main.edges, key=lambda edge: (edge.style != "data", made[_maker(edge)])):
        if edge.source == group.id:
            other = _end(main, edge, edge.target, "output")
            edges.append(replace(edge, target=other.id, target_port="", label=_left(edge, other)))
            after.setdefault(other.id, other)
        elif edge.target == group.id:
            other = _end(main, edge, edge.source, "input")
            edges.append(replace(edge, source=other.id, source_port="", label=_left(edge, other)))
            before.setdefault(other.id, other)
    title = f"{drawing.title}: {group.title}"
    items = [*before.values(), group, *after.values()]
    entry, exit_ = next(iter(before), group.id), next(iter(after), group.id)
    frame = replace(main, title=title, items=items, edges=edges, entry=entry, exit=exit_)
    return Scene(title, [], frame, [], drawing.directions)


def _maker(edge: Edge) -> str:
    """The item that makes the value of an edge: of a group's, the one in it."""
    return edge.source_port.rpartition("<")[2] or edge.source


def _end(main: Frame, edge: Edge, id: str, kind: str) -> Box:
    """The other end of an edge of a part."""
    item = next(item for item in main.items if item.id == id)
    if isinstance(item, Box) and item.kind in ("input", "output"):
        return item
    name = _value(main, edge)
    return Box(f"{kind}:{name}", name, edge.label, kind, "pill", dotted=edge.style == "optional")


def _left(edge: Edge, other: Box) -> str:
    """The label of an edge whose other end may say it already."""
    return "" if other.detail == edge.label else edge.label


def _value(main: Frame, edge: Edge) -> str:
    """What the flow calls the value of an edge; the title of what makes it where it has no name."""
    source = next(item for item in main.walk() if item.id == _maker(edge))
    named = main.graph.nodes[source.nodes[0]].value if main.graph is not None and source.nodes else None
    return named or source.title
