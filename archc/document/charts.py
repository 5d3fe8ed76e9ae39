"""The pictures of a block: its chart, and a chart of each part that the spec frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from archc.draw.mermaid import mermaid
from archc.draw.options import Options
from archc.draw.scene import Box, Edge, Frame, Item, Scene
from archc.draw.sheet import sheet
from archc.draw.stage import scene
from archc.draw.svg import svg
from archc.graph.ir import Graph

Links = Mapping[str, str]
"""Where a block or an operator is told of: its name -> an anchor of the document, `#resnetblock`."""

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
    found = [_picture(name, whole, links, document)]
    for number, frame in enumerate(_groups(whole.main), 1):
        part = _part(whole, frame)
        found.append(_picture(f"{name}-{number}", part, links, document, " ".join(frame.title.split())))
    return found


def _picture(name: str, drawing: Scene, links: Links, document: str, part: str = "") -> Picture:
    own = {item.id for item in _items(drawing) if item.link}
    _lead(drawing, links, "", own)
    text = mermaid(drawing)
    _lead(drawing, links, document, own)
    return Picture(name, _described(drawing), svg(sheet(drawing)), text, part)


def _items(drawing: Scene) -> Iterator[Item]:
    for panel in drawing.panels:
        yield from panel.walk()


def _lead(drawing: Scene, links: Links, before: str, own: set[str]) -> None:
    """Link what stands for a block or an operator with a section; the spec's own links stay."""
    for item in _items(drawing):
        name = item.block or (item.operator if isinstance(item, Box) else None)
        if name is not None and name in links and item.id not in own:
            item.link = before + links[name]


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
    items: dict[str, Item] = {}
    edges = []
    before, after = [], []
    for edge in main.edges:
        if edge.source == group.id:
            other = _end(main, edge, edge.target, "output")
            edges.append(replace(edge, target=other.id, target_port="", label=_left(edge, other)))
            after.append(other.id)
        elif edge.target == group.id:
            other = _end(main, edge, edge.source, "input")
            edges.append(replace(edge, source=other.id, source_port="", label=_left(edge, other)))
            before.insert(0 if edge.style == "data" and not before else len(before), other.id)
        else:
            continue
        items.setdefault(other.id, other)
    order = [item for item in items.values() if item.id not in after]
    order += [group, *(item for item in items.values() if item.id in after)]
    title = f"{drawing.title}: {group.title}"
    entry, exit_ = (ends[0] if ends else group.id for ends in (before, after))
    frame = replace(main, title=title, items=order, edges=edges, entry=entry, exit=exit_)
    return Scene(title, [], frame, [], drawing.directions)


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
    source = next(item for item in main.items if item.id == edge.source)
    if isinstance(source, Frame):
        made = edge.source_port.rpartition("<")[2]
        source = next((item for item in source.walk() if item.id == made), source)
    named = main.graph.nodes[source.nodes[0]].value if main.graph is not None and source.nodes else None
    return named or source.title
