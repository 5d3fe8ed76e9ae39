"""The checked Graph: what drawing, emission and reports see of a spec.

A `Graph` is a block with its numbers bound. Its `nx` is a networkx.MultiDiGraph whose nodes
are integers; `nx.nodes[i]["data"]` is one of the `Node` classes below, `nx.nodes[i]["graph"]` the
Graph of the block that it applies, and each edge carries `out` (which output of the source) and
`port` (which argument of the target).

Dimensions and numbers in a Graph are in the block's own names: a block that is used with the
same static sizes in two places is one Graph object, whatever the symbolic sizes around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from archc.ops.base import Op
from archc.shapes import Dim, Guard, Size, Tensor
from archc.source.notebook import Shown
from archc.source.text import Span

if TYPE_CHECKING:
    import networkx

    from archc.lang.schema import Block
    from archc.lang.schema import Node as NodeSpec
    from archc.ops.initialisers import Initialiser


class Bundle(NamedTuple):
    """An ordered list of tensors.

    `count`: of an outline, a number of members that nobody decided, as `layers + 1`; `members` is then
    one type that stands for all of them."""

    members: tuple[Tensor, ...]
    count: Dim | None = None

    @property
    def length(self) -> Size:
        """The number of members, known or not."""
        return len(self.members) if self.count is None else self.count

    def __str__(self) -> str:
        if self.count is not None:
            return f"a bundle of {self.count} x {self.members[0]}"
        if not self.members:
            return "an empty bundle"
        if len(set(self.members)) == 1:
            return f"a bundle of {len(self.members)} x {self.members[0]}"
        *first, last = map(str, self.members)
        return f"a bundle of {', '.join(first)} and {last}"


Type = Tensor | Bundle


class Ref(NamedTuple):
    """A value: output `out` of node `node`."""

    node: int
    out: int = 0


class Number(NamedTuple):
    """A number as an operand: an int, a float, a bool, or a symbolic size."""

    value: Any


Place = tuple[Ref, int] | tuple[Ref, int, int]
Operand = Ref | Number | None  # None: an absent optional input


class Output(NamedTuple):
    """A node's output: its name (the port's), its type, and `open`: may it be None when the model
    runs, because an optional input of the block was left open?"""

    name: str
    type: Type
    open: bool = False


@dataclass(slots=True)
class Node:
    """A node of a Graph. `value` is the name that the flow gives its first output, where it does."""

    span: Span
    outputs: tuple[Output, ...]
    value: str | None = field(default=None, kw_only=True)

    def inner(self, graph: Graph) -> dict[str, Graph]:
        """The Graph of the block that it applies, as the networkx attribute `graph`."""
        return {}


@dataclass(slots=True)
class Input(Node):
    """An input of the block. `outputs[0].open`: it may be None at run time."""

    name: str
    optional: bool = False


@dataclass(slots=True)
class Apply(Node):
    """An operator applied. `arguments`: one operand for each port, a variadic port's spread.

    Owned by `member` where it is a node of the spec, else written in place.
    A required argument that is open makes the outputs open; optional and variadic ones may be
    None one by one (`add`, `mul`, `concat` leave out what is None)."""

    op: Op
    arguments: tuple[Operand, ...]
    member: str | None = None
    ports: tuple[str, ...] = ()  # the port of each argument


@dataclass(slots=True)
class Call(Node):
    """A block, or anything repeated, applied: `members[member]` with these wires.

    `outputs` are the target's outputs by name; for a repeat, the last copy's first output and
    bundles of the others; for a parallel, bundles. A last output named `all`, where used, is the
    bundle of the copies' first outputs."""

    member: str
    arguments: tuple[Wire, ...]
    use: int = 0  # which of the member's `uses` this is

    def inner(self, graph: Graph) -> dict[str, Graph]:
        targets = (copy.target for copy in graph.members[self.member].uses[self.use])
        first = next((t for t in targets if isinstance(t, Graph)), None)
        return {} if first is None else {"graph": first}


class Wire(NamedTuple):
    """What feeds an input of a called block or repeated operator.

    `port` is the input's name. `each`: a bundle of which every copy takes its share, in order
    (`share` members each; a port that is a bundle gets a list, another the tensor).
    Of a `repeat`, the first input is carried from copy to copy and `operand` feeds the first."""

    port: str
    operand: Operand
    each: bool = False
    share: int = 1


@dataclass(slots=True)
class Pack(Node):
    """`bundle(...)`: tensors and bundles, flattened into one."""

    items: tuple[Ref, ...]


@dataclass(slots=True)
class Pick(Node):
    """`b[i]`, `b[a:b:c]` or `reversed(b)` of a bundle. `index` is an int or a slice."""

    bundle: Ref
    index: int | slice


@dataclass(slots=True)
class Choose(Node):
    """A choice made when the model runs: `then` where `test` holds, else `other`.

    `test` is a Python condition over the block's open inputs, as a nested tuple:
    ("given", name), ("not", t), ("and", t, u), ("or", t, u); or None for `a or b`:
    the first of `then` and `other` that is not None. Only in an outline: ("undecided", text), a
    condition on numbers that are not given; `other` is None where nothing is there without it."""

    test: tuple | None
    then: Operand
    other: Operand


@dataclass(slots=True)
class Read(Node):
    """`node.weight` or `node.bias` read as a value; of a `param` or `buffer`, `attribute` is ""."""

    member: str
    attribute: str


class Cases(NamedTuple):
    """What an undecided `choose` may be, in an outline: the text of what it hangs on, and each case
    by its own text with what it is; None where the case passes its input on."""

    expr: str
    options: tuple[tuple[str, Op | Graph | None], ...]


@dataclass(slots=True)
class Copy:
    """One copy of a member (the only one, where nothing is repeated).

    `target` None: bypassed. `inputs`: its inputs' types in the enclosing block's names, by port.
    `numbers`: the target block's params and free dimensions, by name, as the enclosing block's
    numbers (labelled in its names); empty for an operator."""

    target: Op | Graph | Cases | None
    inputs: Mapping[str, Type | None]
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def targets(self) -> tuple[Op | Graph | None, ...]:
        """What it is; in an outline, all that it may be."""
        if isinstance(self.target, Cases):
            return tuple(target for _, target in self.target.options)
        return (self.target,)


@dataclass(slots=True)
class Member:
    """What has a name in a block: a node of the spec, its copies and how they are arranged.

    `arranged` is "" (one copy), "repeat" or "parallel"; `share`: one set of weights for all.
    A member that is a step in several places has the same weights at each; `uses` are the
    applications, whose copies may differ in the sizes of what arrives, and `copies` the first's.
    `count`: the text of a number of copies that nobody decided, in an outline; `copies` are then the
    first and the last, and `indices` the texts of their numbers, ("0", "levels - 1")."""

    name: str
    spec: NodeSpec | None
    uses: list[tuple[Copy, ...]]
    span: Span
    arranged: str = ""
    share: bool = False
    hidden: bool = False  # a block without weights, written in place: its name is ours
    count: str | None = None
    indices: tuple[str, str] | None = None

    @property
    def copies(self) -> tuple[Copy, ...]:
        return self.uses[0]

    @property
    def first(self) -> Copy:
        """The first copy that is not bypassed, whose weights are those of all where they are shared."""
        return next((c for c in self.copies if c.target is not None), self.copies[0])

    @property
    def owned(self) -> list[tuple[str, Copy]]:
        """The copies with weights of their own, by the path of their names: `down.0`."""
        if self.arranged and not self.share:
            return [(f"{self.name}.{index}", copy) for index, copy in enumerate(self.copies)]
        return [(self.name, self.first)]


class Rule(NamedTuple):
    """An entry of `init`: how the weights named in `settings` begin, of the operators `ops` (all where
    empty) whose paths match one of the patterns `at` (all where empty)."""

    ops: tuple[str, ...]
    at: tuple[str, ...]
    settings: dict[str, Initialiser]
    span: Span


class LineInfo(NamedTuple):
    """A flow line that exists: what `check --shapes` prints. `refs` go with `names`."""

    names: tuple[str, ...]
    refs: tuple[Ref, ...]
    span: Span
    nodes: tuple[int, ...]


class Ask(NamedTuple):
    """What a model asks of its open inputs when it is called: `test` as in `Choose`, in the spec's own
    words."""

    test: tuple
    message: str


@dataclass(slots=True, eq=False)
class Graph(Shown):
    """A block, bound: its numbers known, its absent parts gone, its shapes inferred.

    `params` and `dims` are its numbers, labelled with their own names, and `lets` what follows from
    them; a symbolic one is a `Dim` over the symbols in `sizes`. `sizes` tells where the model finds
    each symbol when it runs: an axis of a value, `(ref, axis)`, or of a bundle's member, `(ref,
    member, axis)`; None: the caller passes it as a keyword argument of forward (a param that depends
    on a run-time size). `defaults`: params that were not given, in the names that their defaults use.
    `folded`: names that went into numbers without a label there.
    `open`: the inputs that may be None at run time; `absent`: those that are not there at all.
    `asks`: which of the open inputs must be given, of the outermost block.
    `presence`: for each output, in which cases of the open inputs it is there (see presence.py).
    `outline`: its numbers are not all given. Params and sizes may be symbols named as they are, or
    `Unsettled`, and types may have unknown sizes or rank. It can be drawn, not built.
    """

    name: str
    block: Block
    params: dict[str, Any]
    dims: dict[str, Size]
    defaults: dict[str, Any] = field(default_factory=dict)
    lets: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Ref] = field(default_factory=dict)
    outputs: dict[str, Ref] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    sizes: dict[str, Place | None] = field(default_factory=dict)
    presence: dict[str, int] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    lines: list[LineInfo] = field(default_factory=list)
    guards: tuple[Guard, ...] = ()
    asks: tuple[Ask, ...] = ()
    initialisers: tuple[Rule, ...] = ()
    ties: tuple[tuple[str, str], ...] = ()
    folded: frozenset[str] = frozenset()
    outline: bool = False
    nodes: dict[int, Node] = field(default_factory=dict)
    edges: list[tuple[int, int, int, int]] = field(default_factory=list)  # source, target, out, port
    _nx: Any = field(default=None, repr=False)

    def __repr__(self) -> str:
        """One line: a Graph holds those of all its blocks."""
        return f"<Graph {self.name}: {len(self.nodes)} nodes, {len(self.members)} members>"

    @property
    def nx(self) -> networkx.MultiDiGraph:
        """The networkx graph, made when it is first asked for: `check` does without its import."""
        if self._nx is None:
            import networkx

            self._nx = networkx.MultiDiGraph(name=self.name)
            self._nx.add_nodes_from(
                (at, {"data": node, **node.inner(self)}) for at, node in self.nodes.items()
            )
            self._nx.add_edges_from((a, b, {"out": out, "port": port}) for a, b, out, port in self.edges)
        return self._nx

    def node(self, ref: Ref | int) -> Node:
        return self.nodes[ref.node if isinstance(ref, Ref) else ref]

    def type(self, ref: Ref) -> Type:
        return self.node(ref).outputs[ref.out].type

    def told_by(self, size: str) -> str | None:
        """The open input at which the model finds a size, None where it is found elsewhere."""
        place = self.sizes.get(size)
        inputs = list(self.block.inputs)  # the first nodes, in their order
        port = inputs[place[0].node] if place and place[0].node < len(inputs) else None
        return port if port in self.open else None

    def may_be_empty(self, size: str) -> bool:
        """Is a size 0 where the open input that tells it is not given?"""
        port = self.told_by(size)
        return port is not None and size in self.block.inputs[port].empty


def targets(graph: Graph) -> Iterator[Op | Graph]:
    """What the members of a Graph are, once for each application and copy; in an outline also all that
    they may be."""
    for member in graph.members.values():
        for copy in {id(copy): copy for use in member.uses for copy in use}.values():
            yield from (target for target in copy.targets if target is not None)


def graphs(root: Graph) -> list[Graph]:
    """A Graph and all that it calls, at every depth, each once."""
    found = {root: None}
    waiting = [root]
    while waiting:
        for target in targets(waiting.pop()):
            if isinstance(target, Graph) and target not in found:
                found[target] = None
                waiting.append(target)
    return list(found)
