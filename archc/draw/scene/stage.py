"""From a checked Graph to a scene: the main chart, and an inset for each block that stays closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archc.draw.options import DEFAULTS, Options
from archc.draw.scene.facts import facts
from archc.draw.scene.fill import Filler
from archc.draw.scene.folds import Folds
from archc.draw.scene.insets import Definitions, insets
from archc.draw.scene.items import Box, Direction, Frame, Scene
from archc.draw.scene.named import check_names
from archc.draw.scene.opening import Opening, blocks
from archc.draw.scene.view import View
from archc.draw.scene.words import NONE, Divisors, divisors_of
from archc.graph.ir import Apply, Call, Graph, Read, Ref
from archc.graph.runs import Run, runs
from archc.ops.base import Op
from archc.report.cost import Costs
from archc.shapes import Tensor
from archc.source.collector import collector_paused

MOST_BOXES = 40
"""As many boxes as the main chart shows where no level is asked for."""


_OUTLINE_WEIGHT = {"conv": 4, "linear": 2}
"""What an operator counts for its block's colour where nobody knows its parameters."""


@collector_paused()
def scene(graph: Graph, options: Options = DEFAULTS) -> Scene:
    """The scene of a Graph.

    Where no level is asked for, blocks made of blocks are opened and the innermost stay closed,
    as deep as about forty boxes allow. Raises DrawError where `expand` or `collapse` name what is
    not there.
    """
    check_names(graph, options)
    costs = Costs()
    stage, main = _main(graph, options, costs)
    told = facts(graph, costs)
    shown: list[Frame] = []
    if options.insets:
        shown, hidden = insets(graph, stage, main)
        if hidden:
            told.append(f"{hidden} more blocks are not shown")
    else:
        _unlink(main)
    for (block, name), why in stage.torn.items():
        told.append(f"group {name} of {block} has no frame: {why}")
    panels = {graph.name: graph, **{inset.id: inset.graph for inset in shown if inset.graph}}
    directions: dict[str, Direction] = {}
    for id, block in panels.items():
        way = options.direction or block.block.direction
        if way is not None:
            directions[id] = way
    return Scene(graph.name, told, main, shown, directions)


def _main(graph: Graph, options: Options, costs: Costs) -> tuple[Stage, Frame]:
    """The main chart, opened as far as is asked for or as fits."""
    divisors = divisors_of(graph)
    if options.level is not None:
        stage = Stage(costs, Opening.of(options, options.level), divisors, options.compact)
        return stage, stage.panel(graph)
    counts: dict[tuple[Graph, int], int] = {}
    folds = Folds(Definitions())
    for deepest in range(_depth(graph), -1, -1):
        if deepest and _count(graph, deepest, counts, folds) > MOST_BOXES:
            continue
        stage = Stage(costs, Opening.of(options, deepest, composite=True), divisors, options.compact)
        main = stage.panel(graph)
        boxes = sum(isinstance(item, Box) and item.form != "port" for item in main.walk())
        if boxes <= MOST_BOXES or not deepest:
            return stage, main
    raise AssertionError("nothing is opened at depth 0")


def _depth(graph: Graph) -> int:
    """How deep blocks nest below a Graph."""
    known: dict[Graph, int] = {}

    def below(graph: Graph) -> int:
        if graph not in known:
            known[graph] = max((1 + below(block) for block in blocks(graph)), default=0)
        return known[graph]

    return below(graph)


def _count(graph: Graph, deepest: int, known: dict[tuple[Graph, int], int], folds: Folds) -> int:
    """How many boxes a Graph shows at least, where blocks made of blocks are opened down to a depth."""
    if (graph, deepest) not in known:
        total = 0
        for node in graph.nodes.values():
            if isinstance(node, Call):
                for fold in folds.of(
                    runs(graph.members[node.member], node.use), lambda run: not _opens(run, deepest)
                ):
                    run = fold.runs[0]
                    opened = _opens(run, deepest)
                    total += _count(run.copy.target, deepest - 1, known, folds) if opened else 1  # type: ignore[arg-type]
            else:
                total += isinstance(node, Apply)
        known[graph, deepest] = total
    return known[graph, deepest]


def _opens(run: Run, deepest: int) -> bool:
    """Is the block of some copies opened, where blocks made of blocks are?"""
    return deepest > 0 and isinstance(run.copy.target, Graph) and any(blocks(run.copy.target))


def _unlink(main: Frame) -> None:
    """Take away the links to insets where there are none."""
    for item in main.walk():
        item.definition = None


class Stage:
    """Builds frames from Graphs. `closed` gathers the blocks that are drawn as one box, in order;
    `divisors` is what the guards say of the sizes in the names of which all is told; `compact`
    makes norms, activations and dropout slim; `folding` draws closed copies as one though their
    numbers differ."""

    def __init__(
        self,
        costs: Costs,
        opening: Opening,
        divisors: Divisors = NONE,
        compact: bool = False,
        folding: bool = True,
    ) -> None:
        self.costs = costs
        self.opening = opening
        self.divisors = divisors
        self.compact = compact
        self.folding = folding
        self.closed: dict[Graph, str] = {}
        self.definitions = Definitions()
        self.folds = Folds(self.definitions)
        self.torn: dict[tuple[str, str], str] = {}  # blocks' groups that have no frame, with the reason
        self._kinds: dict[Graph, str] = {}

    def panel(self, graph: Graph) -> Frame:
        """A Graph as a chart of its own, with its inputs and outputs."""
        frame = Frame(graph.name, graph.name, span=graph.block.span, graph=graph, block=graph.name)
        view = View(graph, self.costs, divisors=self.divisors)
        Filler(self, frame, view, panel=True).fill()
        return frame

    def opened(self, graph: Graph, frame: Frame, path: str, numbers: Mapping[str, Any]) -> None:
        """Fill the frame of an opened block; the names of its weights start with `path` too."""
        frame.graph = graph
        self.fill(frame, View(graph, self.costs, path, path, (), numbers, self.divisors))

    def fill(self, frame: Frame, view: View) -> None:
        """Fill the frame of an opened block that is seen so."""
        Filler(self, frame, view, panel=False).fill()

    def close(self, graph: Graph) -> str:
        """Note a block that stays closed; the name of its inset."""
        if graph not in self.closed:
            self.closed[graph] = self.definitions.of(graph)
        return self.closed[graph]

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
                if graph.outline:
                    own = _OUTLINE_WEIGHT.get(node.op.kind, 1) if member else 0
                else:
                    own = self.costs.member(member).parameters if member else 0
                weight[node.op.kind] = weight.get(node.op.kind, 0) + own
            elif isinstance(node, Call):
                for copy in graph.members[node.member].copies:
                    for target in copy.targets:
                        if isinstance(target, Graph | Op):
                            kind = self.kind(target) if isinstance(target, Graph) else target.kind
                            own = 1 if graph.outline else self.costs.copy(copy).parameters
                            weight[kind] = weight.get(kind, 0) + own
        if "attention" in weight or _attends(graph):
            return "attention"
        if "resampling" in weight or _resamples(graph):
            return "resampling"
        return max(weight, key=lambda kind: weight[kind]) if any(weight.values()) else "other"


def _attends(graph: Graph) -> bool:
    """Does a block write attention out: a product of what was made of one product more, and no weight
    of its own among the factors?"""
    made_of: dict[int, bool] = {}  # is it a product, or made of one step by step?
    for number, node in graph.nodes.items():
        if not isinstance(node, Apply) or node.member is not None:
            continue
        refs = [operand for operand in node.arguments if isinstance(operand, Ref)]
        made = any(made_of.get(ref.node, False) for ref in refs)
        if node.op.title() in ("mat_mul", "einsum"):
            if any(isinstance(graph.node(ref), Read) for ref in refs):
                continue
            if made:
                return True
            made = True
        made_of[number] = made
    return False


def _resamples(graph: Graph) -> bool:
    """Does a block change the size of an image, and nothing else?"""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return False
    before, after = (graph.type(next(iter(refs.values()))) for refs in (graph.inputs, graph.outputs))
    if not isinstance(before, Tensor) or not isinstance(after, Tensor) or not before.shape or not after.shape:
        return False
    same_rank = len(before.shape) == len(after.shape) >= 3
    return same_rank and before.shape[1] == after.shape[1] and before.shape[2:] != after.shape[2:]
