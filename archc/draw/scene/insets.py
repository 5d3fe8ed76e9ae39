"""The insets of a diagram: what is in each block that stays closed."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from archc.draw.scene.items import Box, Frame
from archc.draw.scene.opening import CLOSED, blocks
from archc.draw.scene.words import size_text
from archc.graph.ir import Apply, Call, Choose, Copy, Graph
from archc.graph.runs import runs
from archc.graph.values import Target
from archc.shapes import Dim, plain

if TYPE_CHECKING:
    from archc.draw.scene.stage import Stage

MOST_INSETS = 24
"""More blocks than this are not all shown: the most used are, and it is said how many are not."""


def insets(graph: Graph, stage: Stage, main: Frame) -> tuple[list[Frame], int]:
    """An inset for each block that stays closed, and how many more there would be; of blocks that differ
    in sizes only, the most used is shown. The links of boxes whose block is not shown are taken away."""
    uses = _uses(graph)
    within = type(stage)(stage.costs, CLOSED, compact=stage.compact)
    within.definitions = stage.definitions
    kinds: dict[str, list[Graph]] = {}
    waiting = list(stage.closed)
    seen: set[Graph] = set()
    while waiting:
        block = waiting.pop(0)
        if block not in seen:
            seen.add(block)
            kinds.setdefault(within.close(block), []).append(block)
            waiting += [inner for inner in _closed_in(block) if inner not in seen]
    shown = list(kinds)
    if len(shown) > MOST_INSETS:
        often = {name: sum(uses.get(block, 0) for block in kinds[name]) for name in kinds}
        most = sorted(shown, key=lambda name: -often[name])[:MOST_INSETS]
        shown = [name for name in shown if name in most]
    found = [_inset(name, kinds[name], kinds, uses, within) for name in shown]
    stage.torn |= within.torn
    _link(main, found, stage.definitions)
    return found, len(kinds) - len(shown)


def _closed_in(block: Graph) -> list[Graph]:
    """The blocks in a block, in the order of its flow."""
    found: dict[Graph, None] = {}
    for node in block.nodes.values():
        if isinstance(node, Call):
            for copy in block.members[node.member].uses[node.use]:
                found |= {target: None for target in copy.targets if isinstance(target, Graph)}
    return list(found)


def _inset(
    name: str, alike: list[Graph], kinds: dict[str, list[Graph]], uses: dict[Graph, int], stage: Stage
) -> Frame:
    shown = max(alike, key=lambda block: (len(block.nodes) * block.outline, uses.get(block, 0)))
    frame = stage.panel(shown)
    frame.id = name
    words = [] if shown.outline else _sizes(shown)
    words += _marks(shown, [blocks for blocks in kinds.values() if blocks[0].name == shown.name])
    frame.title = shown.name + (f" ({', '.join(words)})" if words else "")
    own = [block for block in alike if _numbers(block) == _numbers(shown)]
    notes = [] if shown.outline else [f"{stage.costs.weights(shown).parameters:,} params"]
    if not shown.outline:
        frame.parameters = stage.costs.weights(shown).parameters or None
        notes.append(f"used ×{sum(uses.get(block, 0) for block in own)}")
        others = sum(uses.get(block, 0) for block in alike if block not in own)
        if others:
            notes.append(f"×{others} in other sizes")
    elif differing := _differing(shown, alike):
        notes.append(f"elsewhere other {', '.join(differing)}")
    frame.note = " · ".join(notes)
    return frame


def _differing(shown: Graph, alike: list[Graph]) -> list[str]:
    """The params that are a number in an outline's inset or in a block that it stands for, and another there:
    `kernel`. Those that are an expression in both are names in the inset too."""
    found: dict[str, None] = {}
    for block in alike:
        for name, value in block.params.items():
            here, there = plain(shown.params.get(name)), plain(value)
            if here != there and any(isinstance(number, int | float) for number in (here, there)):
                found[name] = None
    return list(found)


def _sizes(graph: Graph) -> list[str]:
    return [f"{dim}={size}" for dim, size in graph.dims.items() if isinstance(plain(size), int)]


def _marks(graph: Graph, kinds: list[list[Graph]]) -> list[str]:
    """What tells a block from its namesakes that are made of other things: the params that differ."""
    if len(kinds) < 2:
        return []
    found = []
    for name, value in graph.params.items():
        value = plain(value)
        others = {str(plain(blocks[0].params.get(name))) for blocks in kinds}
        if len(others) > 1 and isinstance(value, bool | str):
            found.append(f"{name}={str(value).lower() if isinstance(value, bool) else value}")
        elif len(others) > 1 and isinstance(value, Target) and value.is_operator and not value.unsettled:
            found.append(f"{name}={value.name}")
        elif len(others) > 1 and graph.outline and isinstance(value, Dim) and str(value) != name:
            found.append(f"{name} = {size_text(value)}")
    return found


def _link(main: Frame, found: list[Frame], names: Definitions) -> None:
    """Tell each inset where it is used first, and take away the links to what is not shown."""
    shown = {inset.id: inset for inset in found}
    for panel in (main, *found):
        for item in panel.walk():
            if item.definition is None and isinstance(item, Frame) and item.graph is not None:
                name = names.of(item.graph)
                item.definition = name if name in shown else None
            if item.definition not in shown:
                item.definition = None
            elif isinstance(item, Box) and shown[item.definition].used is None:
                shown[item.definition].used = item.id


def _uses(graph: Graph) -> dict[Graph, int]:
    """How often each block is used in the whole model."""
    inside: dict[Graph, dict[Graph, int]] = {}

    def count(graph: Graph) -> dict[Graph, int]:
        if graph not in inside:
            found: dict[Graph, int] = {}
            for block in blocks(graph):
                found[block] = found.get(block, 0) + 1
                for deeper, times in count(block).items():
                    found[deeper] = found.get(deeper, 0) + times
            inside[graph] = found
        return inside[graph]

    return count(graph)


def _numbers(graph: Graph) -> dict[str, Any]:
    """What the params and dimensions of a block are, whatever they are called around it."""
    known = {**graph.dims, **graph.params}
    return {name: plain(value) for name, value in known.items() if isinstance(value, int | float | str)}


class Definitions:
    """The names of insets: a block's own, and a number for what it is made of at every depth, sizes
    apart."""

    def __init__(self) -> None:
        self._known: dict[Graph, str] = {}

    def of(self, graph: Graph) -> str:
        if graph not in self._known:
            text = ";".join(self._parts(graph))
            self._known[graph] = f"def-{graph.name}-{sha1(text.encode()).hexdigest()[:6]}"
        return self._known[graph]

    def _parts(self, graph: Graph) -> Iterator[str]:
        for number, node in graph.nodes.items():
            match node:
                case Apply():
                    yield f"{number}:{node.op.title()}"
                case Call():
                    member = graph.members[node.member]
                    found = runs(member, node.use)
                    copies = (f"{run.count}*{self._copy(run.copy)}" for run in found)
                    yield f"{number}:{','.join(copies)}"
                case Choose():
                    yield f"{number}:{node.test}"
                case _:
                    yield f"{number}:{type(node).__name__}"
        yield from (f"{a}>{b}" for a, b in sorted((edge[0], edge[1]) for edge in graph.edges))

    def _copy(self, copy: Copy) -> str:
        return "|".join(self.of(t) if isinstance(t, Graph) else type(t).__name__ for t in copy.targets)
