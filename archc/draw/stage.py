"""From a checked Graph to a scene: which blocks are opened, what stands in each box."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha1
from typing import Any

from archc.draw.fill import Filler
from archc.draw.options import DEFAULTS, Options
from archc.draw.scene import Box, Frame, Scene
from archc.draw.words import NONE, Divisors, divisors_of, facts
from archc.graph.ir import Apply, Call, Copy, Graph
from archc.graph.runs import runs
from archc.report.cost import Costs
from archc.shapes import Tensor, plain

MOST_BOXES = 40
"""As many boxes as the main chart shows where no level is asked for."""
MOST_INSETS = 12

Opens = Callable[[Graph, int], bool]


def scene(graph: Graph, options: Options = DEFAULTS) -> Scene:
    """The scene of a Graph: blocks are opened `level` deep.

    Where no level is asked for, blocks made of blocks are opened and the innermost stay closed,
    as deep as about forty boxes allow.
    """
    costs = Costs()
    level = options.level
    if level is not None:
        stage = Stage(costs, lambda _, depth: depth <= level, divisors_of(graph))
        main = stage.panel(graph)
    else:
        for deepest in range(_depth(graph), -1, -1):
            stage = Stage(costs, _composite(deepest), divisors_of(graph))
            main = stage.panel(graph)
            if sum(isinstance(item, Box) and item.form != "port" for item in main.walk()) <= MOST_BOXES:
                break
    told = facts(graph, costs.graph(graph))
    insets = _insets(graph, stage, costs)
    if len(insets) > MOST_INSETS:
        told.append(f"{len(insets) - MOST_INSETS} more blocks are not shown")
    return Scene(graph.name, told, main, insets[:MOST_INSETS])


def _composite(deepest: int) -> Opens:
    """Opens the blocks that are made of blocks, down to a depth."""
    return lambda graph, depth: depth <= deepest and any(_blocks(graph))


def _blocks(graph: Graph) -> list[Graph]:
    """The blocks that a Graph uses, each copy named once."""
    copies = [copy for member in graph.members.values() for copy in member.copies]
    return [copy.target for copy in copies if isinstance(copy.target, Graph)]


def _depth(graph: Graph) -> int:
    """How deep blocks nest below a Graph."""
    known: dict[Graph, int] = {}

    def below(graph: Graph) -> int:
        if graph not in known:
            known[graph] = max((1 + below(block) for block in _blocks(graph)), default=0)
        return known[graph]

    return below(graph)


def _uses(graph: Graph) -> dict[Graph, int]:
    """How often each block is used in the whole model."""
    inside: dict[Graph, dict[Graph, int]] = {}

    def count(graph: Graph) -> dict[Graph, int]:
        if graph not in inside:
            found: dict[Graph, int] = {}
            for block in _blocks(graph):
                found[block] = found.get(block, 0) + 1
                for deeper, times in count(block).items():
                    found[deeper] = found.get(deeper, 0) + times
            inside[graph] = found
        return inside[graph]

    return count(graph)


def _insets(graph: Graph, stage: Stage, costs: Costs) -> list[Frame]:
    """An inset for each block that stays closed; of blocks that differ in sizes only, the most used."""
    uses = _uses(graph)
    closed = Stage(costs, lambda _, depth: False)
    waiting = list(stage.closed)
    seen: set[Graph] = set()
    kinds: dict[str, list[Graph]] = {}
    while waiting:
        block = waiting.pop(0)
        if block in seen:
            continue
        seen.add(block)
        kinds.setdefault(definition(block), []).append(block)
        closed.closed.clear()
        closed.panel(block)
        waiting += closed.closed
    insets = []
    for name, blocks in kinds.items():
        shown = max(blocks, key=lambda block: uses.get(block, 0))
        frame = closed.panel(shown)
        frame.id = name
        sizes = [f"{dim}={size}" for dim, size in shown.dims.items() if isinstance(plain(size), int)]
        frame.title = shown.name + (f"  ({', '.join(sizes)})" if sizes else "")
        own = [block for block in blocks if _numbers(block) == _numbers(shown)]
        notes = [f"{costs.weights(shown).parameters:,} params"]
        notes.append(f"used ×{sum(uses.get(block, 0) for block in own)}")
        others = sum(uses.get(block, 0) for block in blocks if block not in own)
        if others:
            notes.append(f"×{others} in other sizes")
        frame.note = " · ".join(notes)
        insets.append(frame)
    return insets


def _numbers(graph: Graph) -> dict[str, Any]:
    """What the params and dimensions of a block are, whatever they are called around it."""
    known = {**graph.dims, **graph.params}
    return {name: plain(value) for name, value in known.items() if isinstance(value, int | float | str)}


def definition(graph: Graph) -> str:
    """The name of the inset that shows a block: its own, and a number where its variants differ in
    more than sizes."""
    return f"def-{graph.name}-{_structure(graph)}"


def _structure(graph: Graph) -> str:
    """A short name for what a block is made of, sizes apart."""
    parts = []
    for number, node in graph.nodes.items():
        what = type(node).__name__
        if isinstance(node, Apply):
            what = type(node.op).__name__
        elif isinstance(node, Call):
            found = runs(graph.members[node.member], node.use)
            what = ",".join(f"{_target_name(run.copy)}" for run in found)
        parts.append(f"{number}:{what}")
    parts += [f"{a}>{b}" for a, b in sorted((edge[0], edge[1]) for edge in graph.edges)]
    return sha1(";".join(parts).encode()).hexdigest()[:6]


def _target_name(copy: Copy) -> str:
    return copy.target.name if isinstance(copy.target, Graph) else type(copy.target).__name__


class Stage:
    """Builds frames from Graphs. `closed` gathers the blocks that are drawn as one box; `divisors`
    is what the guards say of the sizes in the names of which all is told."""

    def __init__(self, costs: Costs, opens: Opens, divisors: Divisors = NONE) -> None:
        self.costs = costs
        self.divisors = divisors
        self.closed: list[Graph] = []
        self._opens = opens
        self._kinds: dict[Graph, str] = {}

    def panel(self, graph: Graph) -> Frame:
        """A Graph as a chart of its own, with its inputs and outputs."""
        frame = Frame(graph.name, graph.name, span=graph.block.span)
        Filler(self, frame, graph, "", {}, 0).fill(panel=True)
        return frame

    def opened(self, graph: Graph, frame: Frame, path: str, numbers: Mapping[str, Any], depth: int) -> None:
        """Fill the frame of an opened block."""
        Filler(self, frame, graph, path, numbers, depth).fill(panel=False)

    def opens(self, graph: Graph, depth: int) -> bool:
        return self._opens(graph, depth)

    def close(self, graph: Graph) -> str:
        """Note a block that stays closed; the name of its inset."""
        if graph not in self.closed:
            self.closed.append(graph)
        return definition(graph)

    def kind(self, graph: Graph) -> str:
        """The colour of a closed block: attention or resampling where it does that, else what most of
        its parameters are."""
        if graph not in self._kinds:
            self._kinds[graph] = self._kind(graph)
        return self._kinds[graph]

    def _kind(self, graph: Graph) -> str:
        weight: dict[str, int] = {}
        for node in graph.nodes.values():
            if isinstance(node, Apply):
                member = graph.members.get(node.member or "")
                weight.setdefault(node.op.kind, 0)
                weight[node.op.kind] += self.costs.member(member).parameters if member else 0
            elif isinstance(node, Call):
                for copy in graph.members[node.member].copies:
                    target = copy.target
                    if target is not None:
                        kind = self.kind(target) if isinstance(target, Graph) else target.kind
                        weight[kind] = weight.get(kind, 0) + self.costs.copy(copy).parameters
        if "attention" in weight or _attends(graph):
            return "attention"
        if "resampling" in weight or _resamples(graph):
            return "resampling"
        return max(weight, key=lambda kind: weight[kind]) if any(weight.values()) else "other"


def _attends(graph: Graph) -> bool:
    """Does a block write attention out, as a softmax between two products?"""
    names = [node.op.title() for node in graph.nodes.values() if isinstance(node, Apply)]
    return "softmax" in names and sum(name in ("mat_mul", "einsum") for name in names) >= 2


def _resamples(graph: Graph) -> bool:
    """Does a block change the size of an image, and nothing else?"""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return False
    before, after = (graph.type(next(iter(refs.values()))) for refs in (graph.inputs, graph.outputs))
    if not isinstance(before, Tensor) or not isinstance(after, Tensor) or not before.shape or not after.shape:
        return False
    same_rank = len(before.shape) == len(after.shape) >= 3
    return same_rank and before.shape[1] == after.shape[1] and before.shape[2:] != after.shape[2:]
