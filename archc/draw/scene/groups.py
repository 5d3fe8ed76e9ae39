"""The groups of a spec, as frames around items or as one box in their place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from archc.draw.scene.items import Box, Edge, Frame, Item, Style, parameters
from archc.draw.scene.opening import Opening, Path
from archc.draw.scene.words import short
from archc.graph.ir import Graph
from archc.lang.schema import Group


@dataclass(slots=True)
class Region:
    """A group with its nodes; `around` is the group that it is in."""

    group: Group
    nodes: set[int]
    around: Region | None = None
    inside: list[Region] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.group.name


def regions(frame: Frame, graph: Graph) -> tuple[dict[str, Region], dict[str, str]]:
    """The innermost group of each item of a frame that is in one, and the groups that cannot be framed,
    with the reason."""
    found = [Region(group, nodes) for group in graph.block.groups.values() if (nodes := _nodes(graph, group))]
    found.sort(key=lambda region: -len(region.nodes))
    held = _held(frame, found)
    edges = [(edge.source, edge.target) for edge in frame.edges]
    innermost: dict[str, Region] = {}
    torn: dict[str, str] = {}
    for region in found:
        mine = held[region.name]
        around = {id(innermost.get(item)): innermost.get(item) for item in mine}
        if len(around) > 1:
            torn[region.name] = "a part of it is in another group"
            continue
        region.around = next(iter(around.values()), None)
        scope = [i.id for i in frame.items if region.around is None or i.id in held[region.around.name]]
        place = {
            id: region.name if id in mine else _top(innermost.get(id), region.around, id) for id in scope
        }
        if mine and _circular({(place[a], place[b]) for a, b in edges if a in place and b in place}):
            torn[region.name] = "a way leaves it and comes back"
        elif mine:
            innermost |= dict.fromkeys(mine, region)
            if region.around is not None:
                region.around.inside.append(region)
    return innermost, torn


def _nodes(graph: Graph, group: Group) -> set[int]:
    """The nodes of a group: those of whole lines, and those that apply a member."""
    values = {name.id for line in graph.block.flow for name in line.names}
    lines = {name: line.nodes for line in graph.lines for name in line.names}
    found: set[int] = set()
    for name in group.of:
        if name in values:
            found.update(lines.get(name, ()))
        else:
            found.update(n for n, node in graph.nodes.items() if getattr(node, "member", None) == name)
    return found


def _held(frame: Frame, found: list[Region]) -> dict[str, set[str]]:
    """The ids of the items in each group: tags are where their consumers are."""
    beside = {edge.source: edge.target for edge in frame.edges}
    nodes = {item.id: item.nodes for item in frame.items}

    def node(item: Item) -> int | None:
        if isinstance(item, Box) and (item.form == "dots" or (item.form == "tag" and not item.nodes)):
            return next(iter(nodes.get(beside.get(item.id, ""), ())), None)
        return item.nodes[0] if item.nodes else None

    return {region.name: {i.id for i in frame.items if node(i) in region.nodes} for region in found}


def _top(region: Region | None, around: Region | None, id: str) -> str:
    """What stands for an item within a group: the outermost group in that one, or the item itself."""
    while region is not None and region is not around and region.around is not around:
        region = region.around
    return id if region is None or region is around else f"group {region.name}"


def _circular(edges: set[tuple[str, str]]) -> bool:
    after: dict[str, list[str]] = {}
    waiting: Counter[str] = Counter()
    for a, b in edges:
        if a != b:
            after.setdefault(a, []).append(b)
            waiting[b] += 1
    ready = [a for a in after if not waiting[a]]
    while ready:
        for b in after.get(ready.pop(), ()):
            waiting[b] -= 1
            if not waiting[b]:
                ready.append(b)
    return any(waiting.values())


def enclose(frame: Frame, innermost: dict[str, Region], path: str, where: Path, opening: Opening) -> None:
    """Put the items of a frame into the frames of their groups, or a box in the place of a closed one."""
    _Enclosing(frame, innermost, path, where, opening).run()


class _Enclosing:
    def __init__(
        self, frame: Frame, innermost: dict[str, Region], path: str, where: Path, opening: Opening
    ) -> None:
        self.frame = frame
        self.innermost = innermost
        self.path = path
        self.where = where
        self.opening = opening
        self.ids: set[str] = set()
        self.made: dict[str, Frame] = {}
        self.gates: dict[str, dict[str, tuple[int, Box]]] = {}
        self.edges: dict[tuple[str, str, str, str], Edge] = {}

    def run(self) -> None:
        items, self.frame.items = self.frame.items, []
        self.ids = {item.id for item in items}
        for item in items:
            self._around(self.innermost.get(item.id)).items.append(item)
        edges, self.frame.edges = self.frame.edges, []
        place = {item.id: number for number, item in enumerate(items)}
        for edge in edges:
            self._lead(edge, place)
        for made in self.made.values():
            own = [item for item in made.items if not isinstance(item, Box) or item.form != "tag"]
            made.dotted = all(item.dotted for item in own)
            made.parameters = sum(map(parameters, own)) or None
            made.note = f"{made.parameters:,}" if made.parameters else ""
            found = sorted(self.gates.get(made.id, {}).values(), key=lambda gate: gate[0])
            gates = [gate for _, gate in found]
            made.items[:0] = [gate for gate in gates if gate.kind == "input"]
            made.items += [gate for gate in gates if gate.kind == "output"]
        _collapse(self.frame, {self.made[r.name].id for r in self._regions() if not self._opened(r)})

    def _lead(self, edge: Edge, place: dict[str, int]) -> None:
        """Lead an edge through the borders of the groups between its ends, by a port in each."""
        out, into = (_outward(self.innermost.get(end)) for end in (edge.source, edge.target))
        shared = next((region for region in out if region in into), None)
        source, source_port = edge.source, edge.source_port
        for region in out[: out.index(shared)] if shared else out:
            frame = self._around(region)
            gate = self._gate(frame, "<", source_port or source, "output", place[edge.source])
            self._add(frame, Edge(source, gate, "", edge.style, source_port))
            source, source_port = frame.id, gate
        target, target_port = edge.target, edge.target_port
        for region in into[: into.index(shared)] if shared else into:
            frame = self._around(region)
            gate = self._gate(frame, ">", source_port or source, "input", place[edge.source])
            self._add(frame, Edge(gate, target, "", edge.style, "", target_port))
            target, target_port = frame.id, gate
        last = Edge(source, target, edge.label, edge.style, source_port, target_port)
        self._add(self._around(shared), last)

    def _gate(self, frame: Frame, mark: str, source: str, kind: str, place: int) -> str:
        """The port of a group for what comes from an item, the one at `place` in the flow."""
        id = f"{frame.id}{mark}{source}"
        self.gates.setdefault(frame.id, {})[id] = (place, Box(id, "", kind=kind, form="port"))
        return id

    def _add(self, frame: Frame, edge: Edge) -> None:
        """Add an edge; of several at one port the first is it, and data where one is."""
        key = (edge.source, edge.source_port, edge.target, edge.target_port)
        known = self.edges.get(key)
        if known is None:
            self.edges[key] = edge
            frame.edges.append(edge)
        else:
            known.label = known.label or edge.label
            known.style = "data" if edge.style != known.style else known.style

    def _regions(self) -> list[Region]:
        found = {region.name: region for inner in self.innermost.values() for region in _outward(inner)}
        return list(found.values())

    def _opened(self, region: Region) -> bool:
        return self.opening.group(region.name, self.where, region.group.collapsed)

    def _around(self, region: Region | None) -> Frame:
        """The frame of a group, made where it is first needed; without one, the block's."""
        if region is None:
            return self.frame
        if region.name not in self.made:
            group = region.group
            id = self.path + group.name
            id = f"{id}:group" if id in self.ids else id
            frame = Frame(id, group.label or group.name, span=group.span)
            self.made[region.name] = frame
            self._around(region.around).items.append(frame)
        return self.made[region.name]


def _outward(region: Region | None) -> list[Region]:
    """A group and those around it, from inside out."""
    found = []
    while region is not None:
        found.append(region)
        region = region.around
    return found


def _collapse(frame: Frame, closed: set[str]) -> None:
    """Put a box in the place of each closed group."""
    stands_in: dict[str, str] = {}
    _close(frame, closed, stands_in)
    for item in frame.walk():
        if isinstance(item, Box) and item.of in stands_in:
            item.of = stands_in[item.of]


def _close(frame: Frame, closed: set[str], stands_in: dict[str, str]) -> None:
    """Put boxes in the places of closed groups; `stands_in` gathers which of them has an item inside."""
    for number, item in enumerate(frame.items):
        if not isinstance(item, Frame) or item.graph is not None:
            continue
        if item.id in closed:
            box = frame.items[number] = closed_box(item)
            stands_in |= {inner.id: box.id for inner in _own(item)}
            for tag, style in _tags(item):
                frame.items.append(tag)
                frame.edges.append(Edge(tag.id, box.id, "", style))
        else:
            _close(item, closed, stands_in)
    kept: dict[tuple[str, str, str, str], Edge] = {}
    for edge in frame.edges:
        edge.source_port = "" if edge.source in closed else edge.source_port
        edge.target_port = "" if edge.target in closed else edge.target_port
        kept.setdefault((edge.source, edge.source_port, edge.target, edge.target_port), edge)
    frame.edges = list(kept.values())


def _tags(group: Frame) -> list[tuple[Box, Style]]:
    """The name tags in a group of what comes from outside, one for each value, with how its way is
    drawn."""
    own = _own(group)
    inside = {item.id for item in own}
    styles = {
        edge.source: edge.style for each in [group, *group.walk()] for edge in getattr(each, "edges", ())
    }
    found: dict[tuple[str | None, str], tuple[Box, Style]] = {}
    for tag in own:
        if isinstance(tag, Box) and tag.form == "tag" and not tag.nodes and tag.of not in inside:
            known = found.setdefault((tag.of, tag.title), (tag, styles[tag.id]))
            if styles[tag.id] == "data":
                found[tag.of, tag.title] = known[0], "data"
    return list(found.values())


def closed_box(group: Frame) -> Box:
    """A closed group as one box."""
    inner = [item for item in _own(group) if item.nodes]
    detail = short(" · ".join(item.title for item in inner), 40)
    kinds = Counter[str]()
    for item in group.walk():
        if isinstance(item, Box) and item.form != "port":
            kinds[item.kind] += item.parameters or 0
    kind = max(kinds, key=lambda name: kinds[name]) if any(kinds.values()) else "other"
    box = Box(group.id, group.title, detail, kind, span=group.span, dotted=group.dotted, group=True)
    box.parameters = group.parameters
    box.nodes = tuple(dict.fromkeys(number for item in inner for number in item.nodes))
    return box


def _own(group: Frame) -> list[Item]:
    """The items of a group and of the groups in it, whose nodes are its block's."""
    found: list[Item] = []
    for item in group.items:
        found += _own(item) if isinstance(item, Frame) and item.graph is None else [item]
    return found
