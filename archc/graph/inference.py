"""A Graph for inference: the same values from fewer and larger calls.

The Graph tells what a program cannot see: that a convolution feeds one batch norm and nothing else, on every
use, or that three linears have one input. What is joined is an operator `Fused` behind the nodes that it
stands for; they stay members, with their weights and their names. Nothing else of the Graph changes.

To add a lever: find its nodes in `_Block`, put what stands for them into `self.nodes`, and note the places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple

from archc.graph.ir import Apply, Copy, Graph, LineInfo, Member, Node, Output, Ref
from archc.graph.rewiring import operands, rewired, with_targets
from archc.ops.activation import Gelu, Hardsigmoid, Hardswish, Identity, Relu, Relu6, Sigmoid, Silu, Tanh
from archc.ops.base import Op
from archc.ops.conv import Conv1d, Conv2d, Conv3d
from archc.ops.fused import Fused
from archc.ops.linear import Linear
from archc.ops.noise import Dropout, Dropout2d, DropPath, RandomReplace
from archc.ops.norm import BatchNorm
from archc.shapes import Tensor

DROPPED = "left out, as it does nothing in inference"
FOLDED = "batch norm folded into the layer before it"
ACTIVATED = "activation in one call with its layer"
JOINED = "layers of one input joined"
PACKED = "oneDNN with packed weights for large calls, images in channels_last"

LEVERS = frozenset({FOLDED, ACTIVATED, JOINED, PACKED})
"""All that may be chosen; `JOINED` gains with `PACKED` only."""

_NOTHING = (Identity, Dropout, Dropout2d, DropPath, RandomReplace)
"""What passes its input on when it is not training."""

_LAYERS = (Conv1d, Conv2d, Conv3d, Linear)

_PACKABLE = (Conv2d, Linear)

_ACTIVATIONS: dict[type[Op], str] = {
    Relu: "relu",
    Relu6: "relu6",
    Silu: "silu",
    Sigmoid: "sigmoid",
    Tanh: "tanh",
    Hardswish: "hardswish",
    Hardsigmoid: "hardsigmoid",
}

_LEAST = 2**14
"""As many weights has a linear layer at least that is worth a call of ours."""


class Optimization(NamedTuple):
    """One kind of change for inference, and the paths of what it was done to.

    >>> print(Optimization(FOLDED, ("stem.conv", "head.conv")))
    batch norm folded into the layer before it: 2 places (stem.conv, head.conv)
    """

    lever: str
    places: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join([*self.places[:3], *["..."] * (len(self.places) > 3)])
        return f"{self.lever}: {len(self.places)} place{'s' * (len(self.places) != 1)} ({shown})"


class Optimized(NamedTuple):
    """A Graph for inference, and what was done to it."""

    graph: Graph
    optimizations: tuple[Optimization, ...]


def optimized(root: Graph, levers: Collection[str] = LEVERS) -> Optimized:
    """A Graph that computes the same in evaluation mode, to rounding, in fewer calls; `root` stays as it is.

    What does nothing in inference is left out always, the other `levers` are used where they are told.
    """
    blocks: dict[Graph, _Block] = {}

    def visit(graph: Graph) -> _Block:
        if graph not in blocks:
            blocks[graph] = _Block(graph, lambda called: visit(called).made, levers)
        return blocks[graph]

    made = visit(root).made
    order = (FOLDED, ACTIVATED, JOINED, PACKED, DROPPED)
    found: dict[str, list[str]] = {lever: [] for lever in order}
    for lever, path in _places(root, blocks, ""):
        found[lever].append(path)
    return Optimized(made, tuple(Optimization(lever, tuple(p)) for lever, p in found.items() if p))


def _places(graph: Graph, blocks: dict[Graph, _Block], path: str) -> Iterator[tuple[str, str]]:
    """The levers that were used in a block and below it, by path."""
    for lever, name in blocks[graph].places:
        yield lever, path + name
    for member in graph.members.values():
        for name, copy in member.owned:
            if isinstance(copy.target, Graph):
                yield from _places(copy.target, blocks, f"{path}{name}.")


@dataclass(slots=True)
class _Chain:
    """A layer, and what follows it alone: the numbers of their nodes, in order."""

    nodes: list[int]
    layer: Op
    members: list[str]
    activation: str = ""

    @property
    def folds(self) -> bool:
        return len(self.members) > 1


class _Block:
    """One block's Graph made anew. `made` is the result, `places` what was done in it."""

    def __init__(self, graph: Graph, called: Callable[[Graph], Graph], levers: Collection[str]) -> None:
        self.graph = graph
        self.levers = levers
        self.places: list[tuple[str, str]] = []
        self.nodes = dict(graph.nodes)
        self.members = {name: with_targets(m, called) for name, m in graph.members.items()}
        self.instead: dict[Ref, Ref] = {}  # a value that is gone -> the one that stands for it
        self._drop()
        self._uses = Counter(ref for ref in self._used())
        for chain in self._join(self._chains()):
            self._fuse(chain)
        self.made = self._finish()

    # -- levers ----------------------------------------------------------------------------

    def _drop(self) -> None:
        """Leave out what passes its input on."""
        for at, node in self.graph.nodes.items():
            if isinstance(node, Apply) and isinstance(node.op, _NOTHING):
                source = node.arguments[0]
                if isinstance(source, Ref) and self.graph.type(source) == node.outputs[0].type:
                    self.instead[Ref(at)] = self._now(source)
                    del self.nodes[at]
                    if getattr(node.op, "p", 0):
                        self.places.append((DROPPED, node.member or type(node.op).title()))

    def _chains(self) -> list[_Chain]:
        """The layers that are worth it, with what follows each of them alone."""
        found = []
        after = {ref: at for at, node in self.nodes.items() for ref in map(self._now, operands(node))}
        for at, node in self.nodes.items():
            if not (isinstance(node, Apply) and isinstance(node.op, _LAYERS) and self._settled(node)):
                continue
            chain = _Chain([at], node.op, [node.member or ""])
            packs = self._packs(node)
            following = self._following(at, after)
            if following is not None and self._folds(node, following[1]):
                chain.nodes.append(following[0])
                chain.members.append(following[1].member or "")
                following = self._following(following[0], after)
            if not packs and not chain.folds:
                continue
            if following is not None and ACTIVATED in self.levers and _activation(following[1].op):
                chain.nodes.append(following[0])
                chain.activation = _activation(following[1].op)
            found.append(chain)
        return found

    def _join(self, chains: list[_Chain]) -> list[_Chain]:
        """Leave aside the chains that are one layer alone and share their input with others: joined."""
        alike: dict[tuple, list[_Chain]] = {}
        for chain in chains if JOINED in self.levers else ():
            if len(chain.nodes) == 1 and getattr(chain.layer, "groups", 1) == 1:
                shape = chain.layer.model_dump(exclude={"n", "c_out"})
                key = self._argument(chain), type(chain.layer), tuple(map(repr, shape.items()))
                alike.setdefault(key, []).append(chain)
        joined = [together for together in alike.values() if len(together) > 1]
        for together in joined:
            self._siblings(together)
        gone = {id(chain) for together in joined for chain in together}
        return [chain for chain in chains if id(chain) not in gone]

    def _siblings(self, together: list[_Chain]) -> None:
        """One node in the place of the first of several layers of one input."""
        members = tuple(chain.members[0] for chain in together)
        applied = [self._apply(chain.nodes[0]) for chain in together]
        first = together[0].nodes[0]
        outputs = tuple(node.outputs[0]._replace(name=m) for node, m in zip(applied, members, strict=True))
        self._put(first, Fused(form="Siblings", members=members), outputs, "_".join(members))
        for out, chain in enumerate(together[1:], 1):
            self.instead[Ref(chain.nodes[0])] = Ref(first, out)
            del self.nodes[chain.nodes[0]]
        self.places += [(lever, "+".join(members)) for lever in (JOINED, PACKED)]

    def _fuse(self, chain: _Chain) -> None:
        """One node in the place of the last of a chain."""
        *gone, last = chain.nodes
        packs = self._packs(self._apply(chain.nodes[0]))
        name = "_".join([*chain.members, chain.activation] if gone else [*chain.members, "packed"]).strip("_")
        op = Fused(form="Chain", members=tuple(chain.members), activation=chain.activation)
        argument = self._apply(chain.nodes[0]).arguments
        self._put(last, op, self._apply(last).outputs, name, argument)
        for at in gone:
            self.instead[Ref(at)] = Ref(last)
            del self.nodes[at]
        place = chain.members[0]
        told = {FOLDED: chain.folds, ACTIVATED: bool(chain.activation), PACKED: packs}
        self.places += [(lever, place) for lever, done in told.items() if done]

    def _put(self, at: int, op: Fused, outputs: tuple[Output, ...], name: str, arguments: Any = None) -> None:
        """An operator of ours as node `at`, with a member of its own."""
        node = self._apply(at)
        arguments = node.arguments if arguments is None else arguments
        while name in self.members:
            name += "_"
        given = self.graph.type(arguments[0])
        self.members[name] = Member(name, None, [(Copy(op, {"x": given}),)], node.span)
        self.nodes[at] = Apply(node.span, outputs, op, arguments, name, ("x",), value=node.value)

    # -- what holds ------------------------------------------------------------------------

    def _settled(self, node: Apply) -> bool:
        """Is a node there always, with weights of its own?"""
        if node.member is None or len(node.arguments) != 1 or any(o.open for o in node.outputs):
            return False
        return isinstance(node.arguments[0], Ref) and not self.graph.members[node.member].arranged

    def _following(self, at: int, after: dict[Ref, int]) -> tuple[int, Apply] | None:
        """The operator that alone uses a node's value."""
        ref = Ref(at)
        node = self.nodes.get(after.get(ref, -1))
        if self._uses[ref] != 1 or not isinstance(node, Apply) or len(node.arguments) != 1:
            return None
        return after[ref], node

    def _folds(self, node: Apply, norm: Apply) -> bool:
        """Is the second a batch norm over what the first makes?"""
        op, made = norm.op, node.outputs[0].type
        if not (FOLDED in self.levers and isinstance(op, BatchNorm) and op.track and self._settled(norm)):
            return False
        # Of a linear layer the last axis must be that of the channels.
        return not isinstance(node.op, Linear) or (isinstance(made, Tensor) and len(made.shape or ()) == 2)

    def _packs(self, node: Apply) -> bool:
        """Has a layer so many weights that packing them gains more than a call of ours costs?"""
        if PACKED not in self.levers or not isinstance(node.op, _PACKABLE):
            return False
        given = self.graph.type(node.arguments[0])  # type: ignore[arg-type]
        return isinstance(node.op, Conv2d) or prod(node.op.weights(given)["weight"].shape) >= _LEAST  # type: ignore[arg-type]

    def _apply(self, at: int) -> Apply:
        node = self.nodes[at]
        assert isinstance(node, Apply)
        return node

    def _argument(self, chain: _Chain) -> Ref:
        argument = self._apply(chain.nodes[0]).arguments[0]
        assert isinstance(argument, Ref)
        return self._now(argument)

    # -- the Graph anew --------------------------------------------------------------------

    def _now(self, ref: Ref) -> Ref:
        """The value that stands for another."""
        while ref in self.instead:
            ref = self.instead[ref]
        return ref

    def _used(self) -> Iterator[Ref]:
        """The values that nodes and outputs need, once for each time."""
        for node in self.nodes.values():
            yield from map(self._now, operands(node))
        yield from map(self._now, self.graph.outputs.values())

    def _finish(self) -> Graph:
        graph = self.graph
        nodes = {at: rewired(node, self._now) for at, node in self.nodes.items()}
        edges = [
            (ref.node, at, ref.out, port)
            for at, node in nodes.items()
            for port, ref in enumerate(operands(node))
        ]
        sizes = {n: p and (self._now(p[0]), *p[1:]) for n, p in graph.sizes.items()}
        return replace(
            graph,
            nodes=nodes,
            edges=edges,
            members=self.members,
            outputs={name: self._now(ref) for name, ref in graph.outputs.items()},
            sizes=sizes,
            lines=[self._line(line, nodes) for line in graph.lines],
            _nx=None,
        )

    def _line(self, line: LineInfo, nodes: dict[int, Node]) -> LineInfo:
        at = dict.fromkeys(self._now(Ref(number)).node for number in line.nodes)
        refs = tuple(map(self._now, line.refs))
        return line._replace(refs=refs, nodes=tuple(number for number in at if number in nodes))


def _activation(op: Op) -> str:
    """What the runtime calls an activation; "" where it has none like it."""
    if isinstance(op, Gelu):
        return "gelu" if op.approximate == "none" else "gelu_tanh"
    return _ACTIVATIONS.get(type(op), "")
