"""Elaboration: a block and its numbers become a Graph, and so does every block that it uses.

Instances are shared: a block with the same numbers and the same types arriving is one Graph,
so that the cost grows with what is distinct, not with what is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from archc.graph.binding import Bound
from archc.graph.context import Context
from archc.graph.flow import Flow
from archc.graph.initial import read_rules
from archc.graph.inputs import check_inputs
from archc.graph.ir import Graph, Type
from archc.graph.numbers import Numbers
from archc.graph.outline import OutlineInside, suppose_inputs
from archc.graph.requirements import require
from archc.graph.signature import Inside
from archc.graph.values import Failed, Target
from archc.lang.project import Project
from archc.lang.schema import Block, Node
from archc.lang.syntax import Chain, Name, Port
from archc.lang.walk import walk
from archc.ops.asked import Probe
from archc.ops.base import Op
from archc.ops.extensions import Extensions
from archc.ops.layer import layer
from archc.ops.table import Operators
from archc.shapes import Dim, Size, plain
from archc.source.diagnostic import Frame
from archc.source.text import Span

DEEPEST = 64
"""Blocks in blocks; more is a mistake, or an attack."""
MOST_INSTANCES = 10_000
"""Blocks with numbers or inputs of their own; those that are alike are one."""


class Library:
    """What the names of a block may call: the blocks that its file sees, and the operators."""

    def __init__(self, project: Project, extensions: Extensions, probe: Probe | None = None) -> None:
        self.project = project
        self._extensions = extensions
        self._probe = probe

    def block(self, where: Block, name: str) -> Block | None:
        return self.project.block(where.file, name)

    def operators(self, where: Block) -> Operators:
        """The operators and initialisers that a block may use."""
        return self._extensions.seen_by(where.file)

    def operator(self, where: Block, name: str) -> type[Op] | None:
        if name.startswith("nn.") and self._probe is not None:
            return layer(name.removeprefix("nn."), self._probe)
        operators = self.operators(where)
        found = operators.get(name)
        if name in operators.extra and self._probe is not None:
            assert found is not None
            from archc.ops.user import asking

            return asking(found, self._probe)
        return found

    def callables(self, where: Block) -> Iterator[str]:
        yield from self.project.seen_by(where.file)
        yield from self.operators(where).names()


class Elaborator:
    """Makes Graphs; one for each distinct instance of a block."""

    def __init__(self, library: Library, context: Context) -> None:
        self.library = library
        self.context = context
        self._graphs: dict[tuple, Graph | None] = {}
        self._untold: set[tuple] = set()  # those that failed, of which nothing was told
        self._read_whole: dict[Block, frozenset[str]] = {}

    def enter(
        self, bound: Bound, types: Mapping[str, Type | None], open_: tuple[str, ...], frame: Frame
    ) -> tuple[Graph | None, Inside]:
        """The Graph of a block that is used with these params and inputs, and the translation between
        its sizes and the caller's. None where it is wrong, which has been told.

        Raises Mismatch where a free dimension of the block is two sizes of the caller's; what the
        translation stands on is recorded (archc.shapes.recording)."""
        block = bound.block
        inside = OutlineInside(block) if self.context.outline else Inside(block)
        inner = inside.arrive(types, open_)
        params = {name: inside.number(name, value) for name, value in bound.params.items()}
        key = (
            id(block),
            tuple((name, frozen(params[name])) for name in sorted(params)),
            tuple((name, inner[name]) for name in block.inputs),
            open_,
        )
        if key in self._graphs and (key not in self._untold or self.context.muted):
            return self._graphs[key], inside
        if len(self._graphs) >= MOST_INSTANCES:
            message = f"the model has more than {MOST_INSTANCES:,} blocks that differ in a number or an input"
            self.context.error("A415", message, frame.span, "let copies be alike, or split the model")
            return None, inside
        self._graphs[key] = None  # a block inside itself is told by the static checks
        if len(self.context.frames) >= DEEPEST:
            self.context.error("A414", f"blocks are nested more than {DEEPEST} deep", frame.span)
            return None, inside
        with self.context.inside(frame, inside.origins), self.context.block(block):
            graph = self.build(block, inside.dims, params, inner, open_, inside.sizes)
        self._graphs[key] = graph
        self._untold.discard(key)
        if graph is None and self.context.muted:
            self._untold.add(key)
        return graph, inside

    def build(
        self,
        block: Block,
        dims: Mapping[str, Size],
        params: Mapping[str, Any],
        types: Mapping[str, Type | None],
        open_: tuple[str, ...],
        sizes: Mapping[str, Any],
        without: frozenset[Span] = frozenset(),
    ) -> Graph | None:
        """A new Graph of a block whose dimensions, params and inputs are in its own names. Lines that turn
        out to be used by no line that is taken are left out: `without` are the places of those."""
        numbers = Numbers(self.context, block, self.library)
        numbers.bind_dims(dims, presence_of(types, open_))
        numbers.bind_params(params)
        outline = self.context.outline
        graph = Graph(block.name, block, {}, dict(dims), open=open_, sizes=dict(sizes), outline=outline)
        graph.absent = tuple(name for name in block.inputs if types.get(name) is None)
        flow = Flow(self, numbers, graph, without)
        try:
            told = suppose_inputs(numbers, types) if outline else check_inputs(numbers, flow.builder, types)
            require(numbers, flow.builder)
            flow.run(told)
            if not outline and not without and (idle := flow.idle()):
                return self.build(block, dims, params, types, open_, sizes, idle)
            read_rules(numbers, block, graph)
        except Failed:
            return None
        graph.params = {name: numbers.names[name] for name in block.params}
        graph.lets = {name: numbers.names[name] for name in block.let}
        graph.defaults = numbers.defaults
        graph.folded = frozenset(numbers.folded)
        return graph

    # -- what blocks tell ------------------------------------------------------------------

    @staticmethod
    def outputs(block: Block) -> list[str]:
        """The names of a block's outputs, those that may be absent too."""
        if block.outputs is not None:
            return [o.name for o in block.outputs]
        return [n.id for n in block.flow[-1].names] if block.flow else []

    def further_outputs(self, numbers: Numbers, node: Node) -> list[str]:
        """The names of a node's outputs behind the first."""
        name = node.calls[0].name.id
        known = numbers.names.get(name)
        if isinstance(known, Target):
            what = known.what
        elif name in numbers.block.params:
            return []  # nothing, or unknown
        else:
            what = self.library.block(numbers.block, name) or self.library.operator(numbers.block, name)
        if what is None:
            return []
        return (self.outputs(what) if isinstance(what, Block) else list(what.outputs))[1:]

    def read_whole(self, block: Block) -> frozenset[str]:
        """The nodes of which a block's flow reads `.all`."""
        if block not in self._read_whole:
            self._read_whole[block] = frozenset(_read_whole(block))
        return self._read_whole[block]

    @cached_property
    def instances(self) -> list[Graph]:
        """All Graphs that were made."""
        return [g for g in self._graphs.values() if g is not None]


def presence_of(types: Mapping[str, Type | None], open_: tuple[str, ...]) -> dict[str, Any]:
    """For each input, whether it is there: what its name says in a condition."""
    return {name: ("given", name) if name in open_ else found is not None for name, found in types.items()}


def frozen(value: Any) -> Any:
    """A number as a part of a key: equal only where type and value are."""
    if isinstance(value, list | tuple):
        return tuple(frozen(v) for v in value)
    if isinstance(value, Target):
        given = tuple((g.name, frozen(g.value)) for g in value.arguments)
        return (value.what, given)
    if isinstance(value, Dim):
        return value
    value = plain(value)
    return (type(value).__name__, value)


def _read_whole(block: Block) -> Iterator[str]:
    for line in block.flow:
        at = line
        while at is not None:
            for part in walk(Chain(at.chain.arguments, at.chain.steps, at.span)):
                if isinstance(part, Port) and part.port == "all" and isinstance(part.value, Name):
                    yield part.value.id
            at = at.otherwise
