"""Every distinct block of a model, laid out once with all blocks in it closed: what a viewer needs to
open and close them in place.

The layouts are plain data for JSON, in tables, since much is said many times:

- `texts`: all words; the first is empty. A text elsewhere is its number here.
- `items`: rows, an item's values in the order of `COLUMNS`, those that are 0 at the end left out.
- `wires`: rows of source and target (places in the block's items), the ports where they go out and come
  in when those are opened, style, label, the label's x and y (0 and 0 without one), the points' x and y.
- `blocks`: `{"w", "h", "spine", "items", "wires", "name"}`, items in the order of the flow. The
  main path runs at `spine`, an x where it runs up or down, else a y.

Coordinates are px from a block's own corner. An item's `block` is the number of the block that it opens
to and one more; its header says `heading` and `note` then and is at least `least` wide. The ids in an
opened block start with the item's, those in a group (`group`) with what the group's own starts with.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from archc.draw.formats.palette import spec_ink
from archc.draw.layout.layout import Area, Place, Wire, lay_out
from archc.draw.layout.measure import count_text, header_note, header_width
from archc.draw.layout.plan import plan
from archc.draw.layout.units import UPRIGHT
from archc.draw.options import Options
from archc.draw.scene.fill import Filler
from archc.draw.scene.groups import closed_box
from archc.draw.scene.items import Box, Direction, Frame
from archc.draw.scene.opening import Opening, Path
from archc.draw.scene.stage import Stage
from archc.draw.scene.view import View, weights_path
from archc.draw.scene.words import divisors_of
from archc.graph.ir import Graph
from archc.lang.links import page
from archc.report.cost import Costs
from archc.shapes import plain

Data = dict[str, Any]
Sides = tuple[tuple[str, int], ...]
"""Where ports are to stand, as `Plan.port_sides` says it."""

TEXTS = {"id", "title", "kind", "form", "detail", "count", "type", "flops", "heading", "note"}
TEXTS |= {"condition", "link", "path", "doc", "weights"}
COLUMNS = ("id", "x", "y", "w", "h", "spine", "title", "line", "file", "kind", "form", "detail", "type")
COLUMNS += ("parameters", "count", "flops", "weights", "dotted", "copies", "shared")
COLUMNS += ("block", "heading", "note", "least", "path", "parallel", "group", "inline")
COLUMNS += ("condition", "link", "doc")
"""What is said of an item; those in `TEXTS` as numbers of texts. `weights`, and `path`, the name of a
member's first copy where that is not its `id`, begin with the path of the block around it. `file` is
the number of a spec's name among `files`. Groups that are `inline` are always open."""


class Library:
    """The blocks of a model by number; the model itself is `root`. `kinds` are the inks of its boxes,
    `styles` those of its edges."""

    def __init__(self, graph: Graph, options: Options) -> None:
        self.direction: Direction = options.direction or graph.block.direction or "TB"
        self.blocks, self.items, self.wires = _Table(), _Table(), _Table()
        self.files, self.texts = _Table(), _Table([""])
        self.kinds: set[str] = set()
        self.styles: set[str] = set()
        costs, divisors = Costs(), divisors_of(graph)
        # Each copy opens to what is its own: none are folded.
        self._closed = Stage(costs, _Everything(0), divisors, options.compact, folding=False)
        self._opened = _Recorder(costs, _Everything(1), divisors, options.compact)
        self._known: dict[Hashable, int] = {}
        self.root = self._block(View(graph, costs, divisors=divisors), (), panel=True)

    def data(self) -> Data:
        """All of it, for JSON."""
        return {
            "columns": COLUMNS,
            "wordy": [name for name in COLUMNS if name in TEXTS],
            "sideways": self.direction in ("LR", "RL"),
            "backwards": self.direction in ("BT", "RL"),
            "root": self.root,
            "files": self.files.rows,
            "texts": self.texts.rows,
            "items": self.items.rows,
            "wires": self.wires.rows,
            "blocks": self.blocks.rows,
        }

    def _block(self, view: View, sides: Sides, panel: bool = False) -> int:
        """The number of a block as it is seen at a place, where ways come to its ports from these sides."""
        numbers = sorted((name, str(plain(value))) for name, value in view.numbers.items())
        key = view.graph, tuple(numbers), view.ties, view.again, sides
        if key not in self._known:
            view = replace(view, path="", weights="", where=(), _shapes={})
            self._opened.views = views = {}
            frame = _filled(self._opened, view, panel)
            closed = _filled(self._closed, view, panel).walk() if views else ()
            boxes = {item.id: item for item in closed if isinstance(item, Box)}
            around = _Around(view.graph, boxes, views)
            self._known[key] = self._frame(frame, around, view.graph.name, sides, not panel)
        return self._known[key]

    def _frame(self, frame: Frame, around: _Around, name: str, sides: Sides, header: bool = True) -> int:
        """The number of what is in a frame."""
        self._close(frame, around, sides)
        area = lay_out(frame, header, self.direction, dict(sides))
        return self.blocks(self._area(area, around) | {"name": self.texts(name)})

    def _close(self, frame: Frame, around: _Around, sides: Sides = ()) -> None:
        """Put closed boxes into the places of opened blocks, and of the groups that the spec closes; note
        the ports at which ways go through their borders."""
        made = plan(frame, frame.entry, frame.exit, dict(sides), self.direction in UPRIGHT)
        for number, item in enumerate(frame.items):
            if not isinstance(item, Frame):
                continue
            if item.graph is None and not around.collapsed(item):
                self._close(item, around)
                continue
            inner = made.port_sides(number).items()
            inner = sorted((port.removeprefix(f"{item.id}."), side) for port, side in inner)
            around.opened[item.id] = _Opened(item, tuple(inner))
            if item.graph is None:
                item.entry, item.exit = made.through(number)
                frame.items[number] = closed_box(item)
            else:
                frame.items[number] = around.boxes[item.id]
        for edge in frame.edges:
            around.ports[id(edge)] = edge.source_port, edge.target_port
            edge.source_port = "" if edge.source in around.opened else edge.source_port
            edge.target_port = "" if edge.target in around.opened else edge.target_port

    def _area(self, area: Area, around: _Around) -> Data:
        order = sorted(area.places, key=self._along)
        position = {place.item.id: number for number, place in enumerate(order)}
        wires = [list(self._wire(wire, position, around.ports[id(wire.edge)])) for wire in area.wires]
        return {
            "w": area.w,
            "h": area.h,
            "spine": area.spine,
            "items": [self.items(self._row(self._item(place, around))) for place in order],
            "wires": [self.wires(wire) for wire in wires],
        }

    def _along(self, place: Place) -> tuple[float, float]:
        """Where a place lies along the flow, and across it."""
        middle = place.x + place.w / 2, place.y + place.h / 2
        along, across = middle if self.direction in ("LR", "RL") else middle[::-1]
        return -along if self.direction in ("BT", "RL") else along, across

    def _wire(self, wire: Wire, position: Mapping[str, int], ports: tuple[str, str]) -> Iterator[Any]:
        edge = wire.edge
        self.styles.add(edge.style)
        yield position[edge.source]
        yield position[edge.target]
        for port, end in zip(ports, (edge.source, edge.target), strict=True):
            yield self.texts(port.removeprefix(f"{end}."))
        yield self.texts(edge.style)
        yield self.texts(edge.label if wire.label_at else "")
        for x, y in [wire.label_at or (0.0, 0.0), *wire.points]:
            yield _tenths(x)
            yield _tenths(y)

    def _item(self, place: Place, around: _Around) -> Data:
        item = place.item
        values: Data = {name: getattr(item, name, 0) for name in COLUMNS}
        values |= {name: getattr(item.details, name) for name in ("type", "flops", "doc", "weights")}
        values |= {name: _tenths(getattr(place, name)) for name in ("x", "y", "w", "h", "spine")}
        values |= {"link": page(item.link), "copies": item.copies if item.copies > 1 else 0}
        if item.span is not None:
            values |= {"file": self.files(item.span.source.name), "line": item.span.line}
        if isinstance(item, Frame):
            assert place.inside is not None
            return values | self._inline(item, place.inside, around)
        ink = spec_ink(item.color) or item.kind
        if item.dotted:
            self.styles.add("optional")
        if item.form not in ("circle", "dots", "port"):
            self.kinds.add(ink)
        form = "" if item.form == "card" else item.form
        values |= {"kind": ink, "form": form, "count": count_text(item)}
        return values | (self._inside(item, around) if item.id in around.opened else {})

    def _inline(self, group: Frame, area: Area, around: _Around) -> Data:
        """A group that is always open."""
        block = self.blocks(self._area(area, around) | {"name": self.texts(group.title)})
        found = {"heading": group.title, "note": header_note(group), "least": _tenths(header_width(group))}
        return {**found, "group": True, "inline": True, "block": block + 1}

    def _inside(self, box: Box, around: _Around) -> Data:
        """What a closed box opens to."""
        opened, sides = around.opened[box.id]
        found: Data = {"heading": opened.title, "note": header_note(opened), "parallel": opened.parallel}
        found["least"] = _tenths(header_width(opened))
        if opened.graph is None:
            return found | {"group": True, "block": self._frame(opened, around, opened.title, sides) + 1}
        path = around.path(box)
        return found | {
            "block": self._block(around.views[box.id], sides) + 1,
            "path": "" if path == box.id else path,
        }

    def _row(self, values: Data) -> list[Any]:
        row = []
        for name in COLUMNS:
            value = values[name] or 0
            if value and name == "weights":
                value = [self.texts(weight) for weight in value]
            elif name in TEXTS:
                value = self.texts(value or "")
            row.append(int(value) if isinstance(value, bool) else value)
        while not row[-1]:
            row.pop()
        return row


def _filled(stage: Stage, view: View, panel: bool) -> Frame:
    frame = Frame(view.graph.name, view.graph.name, graph=view.graph)
    Filler(stage, frame, view, panel).fill()
    return frame


class _Everything(Opening):
    """Opens every group too."""

    def group(self, name: str, where: Path, collapsed: bool) -> bool:
        return True


class _Recorder(Stage):
    """Notes how opened blocks are seen, and leaves them empty: they are laid out by themselves."""

    def __init__(self, *settings: Any) -> None:
        super().__init__(*settings)
        self.views: dict[str, View] = {}

    def fill(self, frame: Frame, view: View) -> None:
        self.views[frame.id] = view


class _Opened(NamedTuple):
    """An item that is opened, and where its ports are to stand."""

    frame: Frame
    sides: Sides


@dataclass(frozen=True, slots=True)
class _Around:
    """The block around a frame's items: its Graph, its items where all is closed, and the views of
    those that open. `opened` are the frames that closed boxes stand for, `ports` the ports of edges at
    their borders."""

    graph: Graph
    boxes: Mapping[str, Box]
    views: Mapping[str, View]
    opened: dict[str, _Opened] = field(default_factory=dict)
    ports: dict[int, tuple[str, str]] = field(default_factory=dict)

    def collapsed(self, frame: Frame) -> bool:
        """Does the spec close a group?"""
        group = self.graph.block.groups.get(frame.id.removesuffix(":group"))
        return group is not None and group.collapsed

    def path(self, box: Box) -> str:
        """The name of a box's first copy in the model, as its weights have it."""
        member = self.graph.members[self.graph.nodes[box.nodes[0]].member]  # type: ignore[attr-defined]
        return weights_path(member, box.first)


class _Table:
    """Distinct rows; called with a row, its number."""

    def __init__(self, rows: list[Any] | None = None) -> None:
        self.rows: list[Any] = rows or []
        self._numbers: dict[str, int] = {str(row): number for number, row in enumerate(self.rows)}

    def __call__(self, row: Any) -> int:
        number = self._numbers.setdefault(str(row), len(self.rows))
        if number == len(self.rows):
            self.rows.append(row)
        return number


def _tenths(number: float) -> float:
    """A coordinate to a tenth, a whole one without it."""
    tenth = round(number, 1)
    return int(tenth) if tenth == int(tenth) else tenth
