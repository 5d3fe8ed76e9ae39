"""What a Graph costs: parameters, buffers and floating point operations.

A block that is used in many places is one Graph, and is counted once: time grows with what is
distinct, not with what is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import Any

from archc.graph.ir import Apply, Bundle, Call, Copy, Graph, Member, Number, Operand, Ref, Type
from archc.ops.base import Op, Weight
from archc.shapes import Size, Tensor, TooLarge, plain, recording, substitute, symbol, symbols

Alike = tuple[Op, tuple[Tensor | None, ...]]
"""An operator with its attributes, on inputs of some types."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Elements of the parameters and buffers that a state_dict holds, and FLOPs of one forward.

    FLOPs count 2 a multiply-add and are an expression over the block's free dimensions; None
    where an operator cannot tell.
    """

    parameters: int = 0
    trainable: int = 0
    buffers: int = 0
    flops: Size | None = 0


class Costs:
    """Costs of Graphs and of what is in them, each distinct Graph counted once, and each operator
    with its attributes on inputs of each type."""

    def __init__(self) -> None:
        self._weights: dict[Graph, Cost] = {}
        self._flops: dict[Graph, Size | None] = {}
        self._owned: dict[Alike, tuple[Cost, tuple[str, ...]]] = {}
        self._done: dict[Alike, Size | None] = {}

    def graph(self, graph: Graph) -> Cost:
        """The cost of a whole Graph. Weights that are tied count once."""
        weights = self.weights(graph)
        return Cost(weights.parameters, weights.trainable, weights.buffers, self.flops(graph))

    def weights(self, graph: Graph) -> Cost:
        """Its parameters and buffers."""
        if graph not in self._weights:
            parts = [self.member(member) for member in graph.members.values()]
            parts += [self.tied(graph, left) for left, _ in graph.ties]
            self._weights[graph] = _total(parts)
        return self._weights[graph]

    def member(self, member: Member) -> Cost:
        """The weights of a member with all its copies; shared copies have one set."""
        copies = [copy for copy in member.copies if copy.target is not None]
        return _total([self.copy(copy) for copy in (copies[:1] if member.share else copies)])

    def copy(self, copy: Copy) -> Cost:
        """The weights of one copy."""
        if isinstance(copy.target, Graph):
            return self.weights(copy.target)
        return self._own(copy)[0]

    def names(self, copy: Copy) -> tuple[str, ...]:
        """The names of the tensors that a copy of an operator owns, below the node."""
        return self._own(copy)[1]

    def _own(self, copy: Copy) -> tuple[Cost, tuple[str, ...]]:
        """What a copy of an operator owns, and the names of it."""
        assert isinstance(copy.target, Op)
        if not copy.target.weighted:
            return Cost(), ()
        key = (copy.target, tuple(flat(copy.inputs)))
        if key not in self._owned:
            weights = weights_of(copy)
            self._owned[key] = _total([_elements(weight) for weight in weights.values()]), tuple(weights)
        return self._owned[key]

    def flops(self, graph: Graph) -> Size | None:
        """FLOPs of one forward, over the Graph's own free dimensions; None: cannot be told."""
        if graph not in self._flops:
            total: Size | None = 0
            for data in graph.nodes.values():
                total = _sum(total, self.node(graph, data))
            self._flops[graph] = total
        return self._flops[graph]

    def node(self, graph: Graph, node: Any) -> Size | None:
        """FLOPs of one node of a Graph, all its copies together."""
        if isinstance(node, Apply):
            types = [operand_type(graph, operand) for operand in spread(graph, node.arguments)]
            return self.operator(node.op, types)
        if isinstance(node, Call):
            total: Size | None = 0
            for _, alike in groupby(graph.members[node.member].uses[node.use], key=id):
                copies = list(alike)
                total = _sum(total, _times(self.copy_flops(copies[0]), len(copies)))
            return total
        return 0

    def copy_flops(self, copy: Copy) -> Size | None:
        """FLOPs of one copy, over the free dimensions of the block around it."""
        if copy.target is None:
            return 0
        if isinstance(copy.target, Op):
            return self.operator(copy.target, flat(copy.inputs))
        if not isinstance(copy.target, Graph):
            return None  # nobody knows what it is
        inner = self.flops(copy.target)
        try:
            return None if inner is None else in_outer(inner, copy.numbers)
        except TooLarge:
            return None

    def operator(self, op: Op, types: list[Tensor | None]) -> Size | None:
        """FLOPs of an operator on inputs of these types."""
        key = (op, tuple(types))
        if key not in self._done:
            self._done[key] = _flops(op, types)
        return self._done[key]

    def tied(self, graph: Graph, path: str) -> Cost:
        """Minus the weight at a path, `h.0.attn.qkv.weight`, that is another one's."""
        weight = _find(graph, path.split("."))
        cost = _elements(weight) if weight else Cost()
        return Cost(-cost.parameters, -cost.trainable, -cost.buffers)


def in_outer(value: Any, numbers: Mapping[str, Any]) -> Any:
    """A size, number or condition of a block, in the names of the block around it."""
    if isinstance(value, int):
        return value
    known = {name: plain(numbers[name]) for name in symbols(value) if name in numbers}
    # Most blocks call most sizes what the block around them does.
    changed = {name: size for name, size in known.items() if size is not symbol(name)}
    return substitute(value, changed) if changed else value


def outer_type(type_: Type, numbers: Mapping[str, Any]) -> Type:
    """A type of a block, in the names of the block around it."""
    if isinstance(type_, Bundle):
        return Bundle(tuple(_outer_tensor(member, numbers) for member in type_.members))
    return _outer_tensor(type_, numbers)


def _outer_tensor(tensor: Tensor, numbers: Mapping[str, Any]) -> Tensor:
    if tensor.shape is None:
        return tensor
    return Tensor(tuple(in_outer(size, numbers) for size in tensor.shape), tensor.dtype, tensor.weak)


def spread(graph: Graph, operands: tuple[Operand, ...]) -> list[Operand]:
    """Operands with the bundles among them taken apart: what an operator's shape rule receives."""
    found: list[Operand] = []
    for operand in operands:
        type_ = graph.type(operand) if isinstance(operand, Ref) else None
        found += type_.members if isinstance(type_, Bundle) else [operand]  # type: ignore[list-item]
    return found


def operand_type(graph: Graph, operand: Any) -> Tensor | None:
    """The type of an operand of an operator."""
    if operand is None or isinstance(operand, Tensor):
        return operand
    if isinstance(operand, Number):
        value = plain(operand.value)
        dtype = "bool" if isinstance(value, bool) else "float" if isinstance(value, float) else "int64"
        return Tensor((), dtype, weak=True)
    type_ = graph.type(operand)
    assert isinstance(type_, Tensor), "a bundle is spread before"
    return type_


def flat(inputs: Mapping[str, Type | None]) -> list[Tensor | None]:
    """The inputs of a copy, bundles taken apart."""
    found: list[Tensor | None] = []
    for type_ in inputs.values():
        found += type_.members if isinstance(type_, Bundle) else [type_]
    return found


def weights_of(copy: Copy) -> dict[str, Weight]:
    """The tensors that a copy of an operator owns, by their names below the node."""
    assert isinstance(copy.target, Op)
    return asked(copy.target.weights, *flat(copy.inputs))


def asked(method: Callable[..., Any], *types: Any) -> Any:
    """An operator's answer about inputs that it has accepted already: what its rules record on the
    way is known."""
    with recording():
        return method(*types)


def _find(graph: Graph, path: list[str]) -> Weight | None:
    """The weight at a path of names from a Graph on."""
    member = graph.members.get(path[0])
    if member is None:
        return None
    rest = path[1:]
    numbered = bool(member.arranged) and not member.share
    copy = member.copies[int(rest.pop(0)) if numbered and rest else 0]
    if isinstance(copy.target, Graph):
        return _find(copy.target, rest) if rest else None
    return weights_of(copy).get(".".join(rest)) if copy.target is not None else None


def _total(parts: Sequence[Cost]) -> Cost:
    """The weights of several together."""
    if len(parts) == 1:
        return parts[0]
    counts = (sum(part.parameters for part in parts), sum(part.trainable for part in parts))
    return Cost(*counts, sum(part.buffers for part in parts))


def _elements(weight: Weight) -> Cost:
    count = prod(int(plain(size)) for size in weight.shape)
    if weight.buffer:
        return Cost(buffers=count if weight.persistent else 0)
    return Cost(parameters=count, trainable=count if weight.trainable else 0)


def _flops(op: Op, types: list[Tensor | None]) -> Size | None:
    if any(type_ is not None and type_.shape is None for type_ in types):
        return None
    try:
        return asked(op.flops, *types)
    except TooLarge:
        return None


def _times(a: Size | None, count: int) -> Size | None:
    try:
        return None if a is None else a * count
    except TooLarge:
        return None


def _sum(a: Size | None, b: Size | None) -> Size | None:
    try:
        return None if a is None or b is None else a + b
    except TooLarge:
        return None
