"""What the text charts share: names of items, lines of labels, and where edges end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, TypeGuard
from urllib.parse import quote

from archc.draw.layout.measure import badge_text, condition_text, count_text
from archc.draw.scene.items import Box, Edge, Frame, Item
from archc.lang.links import page

# Words that mermaid or Graphviz read as their own, at a name's beginning too.
_TAKEN = re.compile(
    r"(call|class|click|cluster|default|digraph|direction|edge|end|flowchart|graph|href|interpolate|link"
    r"|node|strict|style|subgraph|acc|[tblrd]{2}$|v$|\d)",
    re.IGNORECASE,
)


class Names:
    """Short names for items of any id, by the last word of it: letters, digits and `_`, and no word of
    a chart's own.

    >>> names = Names()
    >>> names["down.0-1.res"], names["down.2.res"], names["down.2"], names["end"]
    ('res', 'res_2', 'down_2', 'n_end')
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._given: set[str] = set()

    def __getitem__(self, id: str) -> str:
        if id not in self._names:
            last = re.split(r"\.(?=[^\d.])", id)[-1]
            plain = re.sub(r"[^A-Za-z0-9]+", "_", last).strip("_") or "n"
            plain = f"n_{plain}" if _TAKEN.match(plain) else plain
            name, number = plain, 1
            while name in self._given:
                number += 1
                name = f"{plain}_{number}"
            self._given.add(name)
            self._names[id] = name
        return self._names[id]


@dataclass(slots=True)
class Label:
    """The texts of an item: its name, what stands small beside it, and small lines below."""

    name: str
    beside: list[str]
    below: list[str] = field(default_factory=list)


def box_label(box: Box) -> Label:
    """The texts of a box."""
    beside = [count_text(box), badge_text(box.copies) if box.copies > 1 else ""]
    below = [box.detail, condition_text(box)]
    return Label(box.title, [text for text in beside if text], [text for text in below if text])


def frame_label(frame: Frame) -> Label:
    """The texts of a frame's header."""
    badge = badge_text(frame.copies, frame.parallel) if frame.copies > 1 else ""
    return Label(frame.title, [text for text in (badge, condition_text(frame), frame.note) if text])


class Ways:
    """The edges of a panel as a text chart draws them.

    Edges lead to a block's frame, and to what is in a group: a group has no ports. A block's port with
    one plain way on is its border, and `behind` it is what that leads to; the others are `shown` in the
    block, as many ways start or end there, or there are several and their names tell them apart."""

    def __init__(self, panel: Frame) -> None:
        self.shown: set[str] = set()
        self.behind: dict[str, Edge] = {}
        self._names: dict[str, str] = {}
        self._groups: dict[str, Frame] = {}
        frames = [item for item in panel.walk() if isinstance(item, Frame)]
        self._groups |= {frame.id: frame for frame in frames if frame.graph is None}
        for frame in (panel, *(frame for frame in frames if frame.graph is not None)):
            self._find_shown(frame)

    def _find_shown(self, frame: Frame) -> None:
        ways: dict[str, list[Edge]] = {}
        for edge in self._all(frame):
            for end in (edge.source, edge.target):
                ways.setdefault(end, []).append(edge)
        ports = [item for item in frame.items if is_port(item)]
        for kind in ("input", "output"):
            used = [port for port in ports if port.kind == kind and port.id in ways]
            if len(used) > 1:
                self._names |= {port.id: port.title for port in used}
            for port in used:
                if len(used) == 1 and _is_border(ways[port.id], ports):
                    self.behind[port.id] = ways[port.id][0]
                else:
                    self.shown.add(port.id)

    def edges(self, frame: Frame) -> Iterator[Edge]:
        """The edges of a frame that are drawn; those of a group's border come with the frame around."""
        hidden = {item.id for item in frame.items if is_port(item)} - self.shown
        yield from (way for way in self._all(frame) if way.source not in hidden and way.target not in hidden)

    def _all(self, frame: Frame) -> Iterator[Edge]:
        for edge in frame.edges:
            for before in self._resolved(edge, "source"):
                yield from self._resolved(before, "target")

    def _resolved(self, edge: Edge, end: Literal["source", "target"]) -> Iterator[Edge]:
        """An edge that ends at a group, on to what is in the group."""
        port, other = f"{end}_port", "target" if end == "source" else "source"
        group = self._groups.get(getattr(edge, end))
        if group is None or not getattr(edge, port):
            yield edge
            return
        for inner in group.edges:
            if getattr(inner, other) == getattr(edge, port):
                on = {end: getattr(inner, end), port: getattr(inner, port)}
                style = inner.style if edge.style == "data" else edge.style
                yield from self._resolved(
                    replace(edge, **on, label=edge.label or inner.label, style=style), end
                )

    def label(self, edge: Edge) -> str:
        """The label of an edge that ends at frames: which ports it leads to, and its own."""
        names = [self._names[port] for port in (edge.source_port, edge.target_port) if port in self._names]
        return " · ".join(text for text in [" → ".join(names), edge.label] if text)


def address(item: Item) -> str:
    """Where an item leads, as an address that may stand between quotes; nothing where it leads nowhere.

    >>> address(Box("a", "a", link='https://x.org/"a b"'))
    'https://x.org/%22a%20b%22'
    """
    return quote(page(item.link), safe="%/:?#[]@!$&()*+,;=~")


def one_line(text: str) -> str:
    r"""A text on one line, without signs that are no text.

    >>> one_line("a \x07 b\nc")
    'a b c'
    """
    return " ".join("".join(sign for sign in text if sign.isprintable() or sign.isspace()).split())


def is_port(item: Item) -> TypeGuard[Box]:
    """Is an item a point on the border of its frame?"""
    return isinstance(item, Box) and item.form == "port"


def _is_border(ways: list[Edge], ports: list[Box]) -> bool:
    """Is all there is to tell of a port that its value goes on to one item?"""
    if len(ways) != 1:
        return False
    (way,) = ways
    through = {way.source, way.target} <= {port.id for port in ports}
    return not through and not way.label and way.style == "data"
