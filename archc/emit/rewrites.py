"""Operators in the place of others, where torch is quicker so.

Each rule looks at one operator of a Graph and gives one that does its work: in one call that of several, or
in several what one call does worse. What only the operators before it were for falls away. Results agree to
rounding, not to the bit: a strict module is written without. `benchmarks/eager.py` is where a rule shows
its gain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from math import inf
from typing import Any, TypeGuard, TypeVar

from archc.graph.ir import Apply, Graph, Node, Number, Operand, Ref
from archc.ops.activation import Relu, ReluInPlace, Sigmoid, Silu, Softmax
from archc.ops.arithmetic import Add, Div, MatMul, Mul
from archc.ops.attention import Attention, PlainAttention
from archc.ops.base import Op, ShapeError
from archc.ops.layout import Transpose
from archc.ops.rules import FLOATS
from archc.shapes import Dim, Formula, Mismatch, Tensor, compare, recording

_Op = TypeVar("_Op", bound=Op)


class Operators:
    """The operators of a Graph, asked for by what they make."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        read = [place[0] for place in graph.sizes.values() if place is not None]
        taken = ((source, out) for source, _, out, _ in graph.edges)
        self._uses = Counter([*taken, *graph.outputs.values(), *read])

    def __call__(self, operand: Operand, kind: type[_Op]) -> tuple[_Op, tuple[Operand, ...]] | None:
        """The operator of that kind that makes an operand for this one use, and what it takes."""
        if not isinstance(operand, Ref) or self._uses[operand] != 1:
            return None
        node = self._graph.node(operand)
        if not isinstance(node, Apply) or type(node.op) is not kind or not self.sure(node):
            return None
        return node.op, node.arguments

    def sure(self, node: Apply) -> bool:
        """Is all there that it takes, whatever the model is given?"""
        values = [a for a in node.arguments if isinstance(a, Ref)]
        return not any(self._graph.node(ref).outputs[ref.out].open for ref in values)

    def type(self, operand: Operand) -> Tensor | None:
        """The type of a tensor of floats."""
        kind = self._graph.type(operand) if isinstance(operand, Ref) else None
        return kind if isinstance(kind, Tensor) and kind.dtype in FLOATS else None


def rewritten(graph: Graph) -> dict[int, Node]:
    """The nodes of a Graph by number, with what the rules put in their places.

    What no other node takes any more is still among them. Nothing of the Graph changes.
    """
    operators = Operators(graph)
    nodes = dict(graph.nodes)
    for at, node in graph.nodes.items():
        if isinstance(node, Apply) and operators.sure(node):
            for rule in RULES:
                node = rule(operators, node) or node
            nodes[at] = node
    return nodes


def _silu(operators: Operators, node: Apply) -> Apply | None:
    """`x * sigmoid(x)`, in either order."""
    if type(node.op) is not Mul or len(node.arguments) != 2:
        return None
    for x, gate in (node.arguments, node.arguments[::-1]):
        sigmoid = operators(gate, Sigmoid)
        if sigmoid is not None and sigmoid[1] == (x,) and isinstance(x, Ref):
            return _applied(node, Silu(), (x,))
    return None


def _attention(operators: Operators, node: Apply) -> Apply | None:
    """`softmax(scale * (q @ k^T)) @ v` of four axes, `k^T` written as `transpose`: torch's kernels for these
    keep no scores."""
    if type(node.op) is not MatMul:
        return None
    weights, v = node.arguments
    softmax = operators(weights, Softmax)
    kind = operators.type(weights)
    if softmax is None or softmax[0].axis not in (-1, 3) or kind is None or kind.shape is None:
        return None
    scores, scale = _scaled(operators, softmax[1][0])
    product = operators(scores, MatMul)
    transposed = product and operators(product[1][1], Transpose)
    if product is None or transposed is None:
        return None
    (q, _), (k,) = product[1], transposed[1]
    types = [operators.type(operand) for operand in (q, k, v)]
    if any(t is None or t.shape is None or len(t.shape) != 4 for t in types):
        return None
    if {axis % 4 for axis in (transposed[0].a, transposed[0].b)} != {2, 3}:
        return None
    attention = Attention(scale=scale)
    try:
        with recording() as conditions:
            attention.shape(*types)  # type: ignore[arg-type]
    except (ShapeError, Mismatch):  # such as heads that broadcast
        return None
    return None if conditions else _applied(node, attention, (q, k, v))


def _scaled(operators: Operators, scores: Operand) -> tuple[Operand, Any]:
    """Scores without the number that they are multiplied by or divided by, and the number."""
    product = operators(scores, Mul)
    if product is not None and len(product[1]) == 2:
        for value, number in (product[1], product[1][::-1]):
            if _scales(number):
                return value, number.value
    quotient = operators(scores, Div)
    if quotient is not None and _scales(quotient[1][1]):
        return quotient[1][0], 1 / quotient[1][1].value
    return scores, 1.0


def _scales(operand: Operand) -> TypeGuard[Number]:
    """Is this a number that attention takes for its scale?"""
    if not isinstance(operand, Number) or isinstance(operand.value, bool):
        return False
    return isinstance(operand.value, Dim | Formula) or 0 < operand.value < inf


def _plain_attention(operators: Operators, node: Apply) -> Apply | None:
    """Attention of three axes: torch has no kernel for it, and what stands in costs more than products and a
    softmax."""
    op = node.op
    if type(op) is not Attention or op.causal or op.dropout or any(node.arguments[3:]):
        return None
    kinds = map(operators.type, node.arguments[:3])
    shapes = [kind.shape for kind in kinds if kind is not None and kind.shape is not None]
    if [len(shape) for shape in shapes] != [3, 3, 3]:
        return None
    if any(compare(shape[0], shapes[0][0]).kind != "equal" for shape in shapes):  # heads that others share
        return None
    return _applied(node, PlainAttention(scale=op.scale), node.arguments[:3])


def _relu_in_place(operators: Operators, node: Apply) -> Apply | None:
    """A relu of a sum. What a layer gives stays as it is: hooks may have kept it."""
    total = operators(node.arguments[0], Add) if type(node.op) is Relu else None
    if total is None:
        return None
    summands = [a for a in total[1] if isinstance(a, Number) or operators.type(a) is not None]
    # Of one summand the sum would be that very tensor.
    return _applied(node, ReluInPlace(), node.arguments) if len(summands) > 1 else None


def _applied(node: Apply, op: Op, arguments: Iterable[Operand]) -> Apply:
    ports = tuple(port.name for port in op.ports())[: len(tuple(arguments))]
    return replace(node, op=op, arguments=tuple(arguments), member=None, ports=ports)


Rule = Callable[[Operators, Apply], Apply | None]

RULES: tuple[Rule, ...] = (_silu, _attention, _plain_attention, _relu_in_place)
"""In their order: each sees what the ones before it have made."""
