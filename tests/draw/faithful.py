"""A drawing against its Graph: two networkx graphs, one of what is drawn and one of what is meant.

A node of either is the way to an item: for each frame around it, and for itself, the number of the node
that it stands for and of its first copy. An edge says that a value goes from one to the other, whatever
frames, ports, tags and bundles it passes. `differences(panel, graph)` compares them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

import networkx

from archc.graph.ir import Apply, Bundle, Call, Cases, Choose, Copy, Graph, Input, Pack, Pick, Read, Ref

Json = dict[str, Any]
Way = tuple[Any, ...]
Value = list[frozenset[Way]]
"""Where a value comes from: of a bundle, each of its members."""


class Run(NamedTuple):
    """An item that stands for copies of a node: `way` is its own, `opened` that it is a frame, `group`
    that it is a closed group, which stands for all copies."""

    first: int
    count: int
    way: Way
    opened: bool
    group: bool = False


def differences(panel: Json, graph: Graph) -> list[str]:
    """What a panel shows of a Graph that is not so, and what it does not show."""
    drawn = Drawn(panel)
    if drawn.wrong:
        return drawn.wrong
    meant = Meant(graph, drawn.runs)
    found = meant.wrong
    for what, ours, theirs in (
        ("node", set(drawn.nx), set(meant.nx)),
        ("edge", set(drawn.nx.edges), set(meant.nx.edges)),
    ):
        found += [f"{what} {way} is drawn, and is not there" for way in sorted(ours - theirs, key=str)]
        found += [f"{what} {way} is not drawn" for way in sorted(theirs - ours, key=str)]
    for way in set(drawn.nx) & set(meant.nx):
        shown, right = drawn.nx.nodes[way]["does"], meant.nx.nodes[way]["does"]
        if shown != right:
            found.append(f"{way} is drawn as {shown}, and is {right}")
    return found


def definitions(panel: Json, graph: Graph) -> Iterator[tuple[str | None, Graph]]:
    """The insets that a panel refers to, and the block that each is to show. Of a box that may be any of
    several blocks, the first one's name is known only."""
    drawn = Drawn(panel)
    closed = Meant(graph, drawn.runs).closed
    for item in drawn.items.values():
        if item["definition"] is not None and item["what"] == "box" and item["nodes"]:
            names = [item["definition"]]
            for block in closed.get(drawn.way(item), ()):
                yield names.pop() if names else None, block


class Drawn:
    """What a panel shows. `runs` are the items of each node, by the ways around it and its number."""

    def __init__(self, panel: Json) -> None:
        self.wrong: list[str] = []
        self.runs: dict[Way, list[Run]] = {}
        self.nx = networkx.DiGraph()
        self.items: dict[str, Json] = {item["id"]: item for item in panel["items"]}
        ways = networkx.DiGraph()
        through: list[str] = []
        for id, item in self.items.items():
            ways.add_node(id)
            if item["what"] == "frame" or self._passes(item):
                through.append(id)
            if item["nodes"]:
                self._note(item)
            elif not (item["group"] or self._passes(item) or item["kind"] == "output" or self._is_dots(item)):
                self.wrong.append(f"{id} stands for no node")
            if item["form"] == "tag" and not item["nodes"]:
                ways.add_edge(self._named(item), id)
        for edge in panel["edges"]:
            ways.add_edge(self._port(edge, "source", "exit"), self._port(edge, "target", "entry"))
        for id in through:
            ways.add_edges_from([(a, b) for a in ways.pred[id] for b in ways.succ[id]])
            ways.remove_node(id)
        names = {id: self.way(self.items[id]) if id in self.items else ("input", id) for id in ways}
        for id, way in names.items():
            self.nx.add_node(way, does=self._does(self.items[id]) if id in self.items else "input")
        self.nx.add_edges_from((names[a], names[b]) for a, b in ways.edges if names[a] != names[b])

    def _passes(self, item: Json) -> bool:
        """Is an item no more than a place that values pass: a port of an opened block, or a tag?"""
        if item["form"] == "port":
            return item["parent"] is not None
        return item["form"] == "tag" and not item["nodes"]

    def _block(self, item: Json) -> Json | None:
        """The frame of the block that an item is in; None where that is the panel."""
        parent = item["parent"]
        while parent is not None and self.items[parent]["group"]:
            parent = self.items[parent]["parent"]
        return None if parent is None else self.items[parent]

    def way(self, item: Json) -> Way:
        if item["form"] == "pill" and item["kind"] == "output" and not item["nodes"]:
            return ("output", item["title"])
        block = self._block(item)
        around = self.way(block) if block else ()
        if self._is_dots(item):
            return (*around, (self.items[item["id"].removesuffix("dots") + "0"]["nodes"][0], "dots"))
        return (*around, (item["nodes"][0], item["first"]))

    def _is_dots(self, item: Json) -> bool:
        """Does an item stand for the copies between the first and the last, whose number is open?"""
        return item["form"] == "dots"

    def _does(self, item: Json) -> str | None:
        if item["kind"] in ("input", "output") and not item["parent"]:
            return item["kind"]
        if self._is_dots(item):
            return None
        return item["block"] or item["operator"]

    def _note(self, item: Json) -> None:
        """Each node is in one item, but for copies, which may be in several."""
        block = self._block(item)
        around = self.way(block) if block else ()
        opened = item["what"] == "frame"
        run = Run(item["first"], item["copies"], self.way(item), opened, item["group"])
        for number in item["nodes"]:
            self.runs.setdefault((*around, number), []).append(run)

    def _named(self, tag: Json) -> str:
        """The item whose value a tag names."""
        if tag["of"] in self.items:
            return self.items[tag["of"]].get("exit") or tag["of"]
        block = self._block(tag)
        for id, item in self.items.items():
            named = item["kind"] == "input" and item["form"] != "tag" and item["title"] == tag["title"]
            if named and self._block(item) is block:
                return id
        if block is not None:
            self.wrong.append(f"the tag {tag['id']} names what is not there")
        return tag["title"]

    def _port(self, edge: Json, end: str, main: str) -> str:
        """Where an edge ends: of an opened block, at the port that it names or at its main one."""
        port, id = edge[f"{end}_port"], edge[end]
        item = self.items.get(id)
        if item is None:
            self.wrong.append(f"an edge ends at {id}, which is not there")
            return id
        if item["what"] == "box":
            return id
        return port or item[main] or id


class Meant:
    """What a Graph says, as far as it is opened in `runs`. `closed` are the blocks in closed boxes."""

    def __init__(self, graph: Graph, runs: Mapping[Way, list[Run]]) -> None:
        self.runs = runs
        self.closed: dict[Way, list[Graph]] = {}
        self.wrong: list[str] = []
        self.nx = networkx.DiGraph()
        for name, value in self.block(graph, (), None).items():
            self._add(("output", name), "output", value)

    def block(self, graph: Graph, around: Way, fed: Mapping[str, Value] | None) -> dict[str, Value]:
        """Where the outputs of a block come from whose inputs come from `fed`; None: it is the whole."""
        values: dict[Ref, Value] = {}

        def of(operand: Any) -> Value:
            return values[operand] if isinstance(operand, Ref) else []

        for number, node in graph.nodes.items():
            runs = self.runs.get((*around, number))
            way = runs[0].way if runs else None
            count = [_members(output.type) for output in node.outputs]
            match node:
                case Input():
                    given = None if fed is None else fed.get(node.name, [frozenset()] * count[0])
                    if fed is None:
                        way = way or ("input", node.name)
                        self.nx.add_node(way, does="input")
                        given = [frozenset({way})] * count[0]
                    values[Ref(number)] = given or [frozenset()]
                    continue
                case Call():
                    made = self.call(graph, number, node, around, of)
                    for out, value in enumerate(made):
                        values[Ref(number, out)] = value
                    continue
                case Pack():
                    operands, value = node.items, [member for item in node.items for member in of(item)]
                case Pick():
                    operands, value = (node.bundle,), _picked(of(node.bundle), node.index, graph, node)
                case Choose():
                    operands, value = (node.then, node.other), _either([of(node.then), of(node.other)])
                case Apply():
                    operands, value = node.arguments, []
                case Read():
                    operands, value = (), []
                case _:
                    raise AssertionError(node)
            if runs and (runs[0].opened or (len(runs) > 1 and _of_one(runs, number))):
                # A choice that a frame swallows, or that all of a node's copies do: they may be passed
                # by, which is not drawn as a way of its own.
                inner = [o for o in operands if self._are_in(runs, o, around)]
                values[Ref(number)] = of(inner[0]) if inner else value
            elif way is not None:
                if len(runs or ()) > 1:
                    self.wrong.append(f"node {(*around, number)} is drawn {len(runs or ())} times")
                grouped = bool(runs and runs[0].group)
                does = node.op.title() if isinstance(node, Apply) and not grouped else None
                self._add(way, does, *(of(operand) for operand in operands), main=way[-1][0] == number)
                for out, members in enumerate(count):
                    values[Ref(number, out)] = [frozenset({way})] * members
            elif isinstance(node, Apply) and not node.member and _passes_on(node, graph):
                values[Ref(number)] = of(node.arguments[0])
            elif isinstance(node, Apply | Read):
                self.wrong.append(f"node {(*around, number)} ({type(node).__name__}) is not drawn")
                for out, members in enumerate(count):
                    values[Ref(number, out)] = [frozenset()] * members
            else:
                values[Ref(number)] = value
        return {name: values[ref] for name, ref in graph.outputs.items()}

    def call(self, graph: Graph, number: int, node: Call, around: Way, of: Any) -> list[Value]:
        """Where the outputs of a call come from."""
        member = graph.members[node.member]
        copies = member.uses[node.use]
        runs = {}
        for run in self.runs.get((*around, number), ()):
            if run.group:
                return self._grouped(node, copies, run, of)
            for index in range(run.first, run.first + run.count):
                if index in runs or index >= len(copies) or copies[index].target is None:
                    self.wrong.append(f"copy {index} of {(*around, number)} is drawn, and is not there")
                runs[index] = run
        series = member.arranged == "repeat"
        carried = of(node.arguments[0].operand) if series else []
        firsts: list[Value] = []
        further: dict[str, Value] = {output.name: [] for output in node.outputs[1:]}
        made: dict[int, dict[str, Value]] = {}  # by the first copy of a run: its outputs
        for index, copy in enumerate(copies):
            if copy.target is None:
                firsts.append(carried)
                continue
            run = runs.get(index)
            if run is None:
                self.wrong.append(f"copy {index} of {(*around, number)} is not drawn")
                firsts.append([])
                continue
            if run.first not in made:
                alike = copies[run.first : run.first + run.count]
                if not all(_may_be_one(copy.target, other.target, run.opened) for other in alike):
                    self.wrong.append(f"unlike copies of {(*around, number)} are drawn as one")
                made[run.first] = self._copies(node, copy, run, series, carried, of)
            outputs = [made[run.first]]
            if member.count is not None and index == 0:
                dots = (*around, (number, "dots"))
                before = (
                    list(outputs[0].values())[:1] if series else [of(w.operand) for w in node.arguments[:1]]
                )
                self._add(dots, None, *before)
                outputs.append({name: [frozenset({dots})] for name in outputs[0]})
            for first, *others in (value.items() for value in outputs):
                firsts.append(first[1])
                carried = first[1]
                for name, other in others:
                    further.setdefault(name, []).extend(other)
        whole = [value for first in firsts for value in first]
        if not member.arranged:
            own = next(iter(made.values()), {})
            found = [own.get(output.name, carried) for output in node.outputs]
        else:
            found = [carried if series else whole, *(further[output.name] for output in node.outputs[1:])]
            if node.outputs[-1].name == "all" and not further.get("all"):
                found[-1] = whole
        return [
            [frozenset().union(*value)]
            if isinstance(output.type, Bundle) and _endless(output.type)
            else value
            for output, value in zip(node.outputs, found, strict=False)
        ]

    def _grouped(self, node: Call, copies: tuple[Copy, ...], run: Run, of: Any) -> list[Value]:
        """The outputs of copies that a closed group stands for."""
        there = [copy for copy in copies if copy.target is not None]
        taken = [wire for wire in node.arguments if any(copy.inputs.get(wire.port) for copy in there)]
        self._add(run.way, None, *(of(wire.operand) for wire in taken), main=False)
        return [[frozenset({run.way})] * _members(output.type) for output in node.outputs]

    def _copies(
        self, node: Call, copy: Copy, run: Run, series: bool, carried: Value, of: Any
    ) -> dict[str, Value]:
        """The outputs of the copies that an item stands for, taken together."""
        fed: dict[str, Value] = {}
        for position, wire in enumerate(node.arguments):
            if copy.inputs.get(wire.port) is None:
                continue  # the value is never there when the copy is
            value = of(wire.operand)
            if series and position == 0:
                value = carried
            elif wire.each and len(value) > wire.share:
                shares = range(run.first, run.first + run.count)
                value = _either([value[i * wire.share : (i + 1) * wire.share] for i in shares])
            fed[wire.port] = value
        if run.opened:
            assert isinstance(copy.target, Graph)
            # A bundle passes the border of a frame as one line: whose member is whose is not drawn.
            within = self.block(copy.target, run.way, {port: _one(value) for port, value in fed.items()})
            return {name: _one(value) for name, value in within.items()}
        self._add(run.way, _name(copy), *fed.values())
        self.closed[run.way] = [target for target in copy.targets if isinstance(target, Graph)]
        if isinstance(copy.target, Graph):
            outputs = copy.target.outputs.items()
            return {name: [frozenset({run.way})] * _members(copy.target.type(ref)) for name, ref in outputs}
        return {output.name: [frozenset({run.way})] for output in node.outputs}

    def _are_in(self, runs: list[Run], operand: Any, around: Way) -> bool:
        """Do these items stand for the node of an operand, too?"""
        own = self.runs.get((*around, operand.node), ()) if isinstance(operand, Ref) else ()
        return any(run.way == other.way for run in own for other in runs)

    def _add(self, way: Way, does: str | None, *values: Value, main: bool = True) -> None:
        if main or way not in self.nx:
            self.nx.add_node(way, does=does)
        for source in {source for value in values for sources in value for source in sources}:
            if source != way:
                self.nx.add_edge(source, way)


def _passes_on(node: Apply, graph: Graph) -> bool:
    """Does an operator do nothing: `identity`, or joining one tensor?"""
    if node.op.title() == "concat":
        return len(node.arguments) == 1 and not isinstance(graph.type(node.arguments[0]), Bundle)
    return node.op.title() == "identity"


def _may_be_one(first: Any, other: Any, opened: bool) -> bool:
    """May copies be drawn as one? Of a closed block also those that are made of the same things."""
    if not isinstance(first, Graph) or first is other:
        return True
    if opened or first.block is not other.block or len(first.nodes) != len(other.nodes):
        return False
    pairs = zip(first.nodes.values(), other.nodes.values(), strict=True)
    return all(
        type(a) is type(b) and (not isinstance(a, Apply) or type(a.op) is type(b.op)) for a, b in pairs
    )


def _of_one(runs: list[Run], number: int) -> bool:
    """Are these the items of one node, and not of this one?"""
    return {run.way[-1][0] for run in runs} == {runs[0].way[-1][0]} != {number}


def _name(copy: Copy) -> str | None:
    """The block or operator that a copy is; None where that is not decided."""
    if isinstance(copy.target, Graph):
        return copy.target.name
    return None if copy.target is None or isinstance(copy.target, Cases) else copy.target.title()


def _members(type: Any) -> int:
    return len(type.members) if isinstance(type, Bundle) else 1


def _endless(type: Bundle) -> bool:
    """Is a bundle of an unknown length, whose one member stands for all?"""
    return type.count is not None


def _picked(value: Value, index: int | slice, graph: Graph, node: Pick) -> Value:
    type = graph.type(node.bundle)
    if isinstance(type, Bundle) and _endless(type):
        return value
    return value[index] if isinstance(index, slice) else value[index : index + 1 or None]


def _one(value: Value) -> Value:
    """A bundle whose members are not told apart."""
    return [frozenset().union(*value)] * len(value)


def _either(values: Iterable[Value]) -> Value:
    """What comes from any of several values."""
    return [frozenset().union(*members) for members in zip_longest(*values, fillvalue=frozenset())]


def parameters(panel: Json) -> int:
    """The counts of a panel, times the repeats."""
    items = {item["id"]: item for item in panel["items"]}

    def times(item: Json) -> int:
        around = times(items[item["parent"]]) if item["parent"] is not None else 1
        return around * (1 if item["shared"] or item.get("together") else item["copies"])

    return sum((item["parameters"] or 0) * times(item) for item in panel["items"] if item["what"] == "box")


def opened(panel: Json) -> Iterator[Json]:
    """The frames of blocks in a panel."""
    return (item for item in panel["items"] if item["what"] == "frame" and not item["group"])
