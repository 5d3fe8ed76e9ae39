"""The insets of a diagram: what is in each block that stays closed."""

from __future__ import annotations

from hashlib import sha1
from typing import TYPE_CHECKING, Any

from archc.draw.opening import CLOSED, blocks
from archc.draw.scene import Box, Frame
from archc.graph.ir import Apply, Call, Cases, Copy, Graph
from archc.graph.runs import runs
from archc.shapes import plain

if TYPE_CHECKING:
    from archc.draw.stage import Stage

MOST_INSETS = 24
"""More blocks than this are not all shown: the most used are, and it is said how many are not."""


def insets(graph: Graph, stage: Stage, main: Frame) -> tuple[list[Frame], int]:
    """An inset for each block that stays closed, and how many more there would be; of blocks that differ
    in sizes only, the most used is shown. The links of boxes whose block is not shown are taken away."""
    uses = _uses(graph)
    within = type(stage)(stage.costs, CLOSED, compact=stage.compact)
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
    _link(main, found, set(shown))
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
    frame.title = shown.name + (f"  ({', '.join(words)})" if words else "")
    own = [block for block in alike if _numbers(block) == _numbers(shown)]
    notes = [] if shown.outline else [f"{stage.costs.weights(shown).parameters:,} params"]
    if not shown.outline:
        frame.parameters = stage.costs.weights(shown).parameters or None
        notes.append(f"used ×{sum(uses.get(block, 0) for block in own)}")
        others = sum(uses.get(block, 0) for block in alike if block not in own)
        if others:
            notes.append(f"×{others} in other sizes")
    frame.note = " · ".join(notes)
    return frame


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
    return found


def _link(main: Frame, found: list[Frame], shown: set[str]) -> None:
    """Tell each inset where it is used first, and take away the links to what is not shown."""
    by_name = {inset.id: inset for inset in found}
    for panel in (main, *found):
        for item in panel.walk():
            if item.definition is None and isinstance(item, Frame) and item.graph is not None:
                name = definition(item.graph)
                item.definition = name if name in shown else None
            if item.definition not in shown:
                item.definition = None
            elif by_name[item.definition].used is None and isinstance(item, Box):
                by_name[item.definition].used = item.id


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


def definition(graph: Graph) -> str:
    """The name of the inset that shows a block: its own, and a number where its variants differ in
    more than sizes. An outline has one: it leaves open what is decided in some places."""
    if graph.outline:
        return f"def-{graph.name}"
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
    match copy.target:
        case Graph():
            return copy.target.name
        case Cases():
            names = [getattr(o, "name", None) or type(o).__name__ for _, o in copy.target.options]
            return "|".join(map(str, names))
        case _:
            return type(copy.target).__name__
