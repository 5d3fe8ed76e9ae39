"""Where the values of a Graph come from: bundles taken apart, down to the copy that made each tensor."""

from __future__ import annotations

from typing import NamedTuple

from archc.draw.scene.choices import Choices
from archc.graph.ir import (
    Apply,
    Bundle,
    Call,
    Choose,
    Copy,
    Graph,
    Member,
    Operand,
    Pack,
    Pick,
    Ref,
    Type,
    Wire,
)
from archc.shapes import Tensor

ALL = -1
"""In place of a copy's number: all copies, of which nobody knows how many there are."""


class Strand(NamedTuple):
    """A tensor, or a bundle of unknown length: an output of a node that is drawn, or of one of its
    copies. `type` is None where a bundle's is not known."""

    ref: Ref
    copy: int | None = None
    type: Type | None = None


class Values:
    """The strands of every value of a Graph. `drawn`: the wiring nodes that stay items, since what
    they are made from cannot be told. `passed`: operators that do nothing, such as the `identity` that a
    caller gave for an activation; they are no items."""

    def __init__(self, graph: Graph, choices: Choices) -> None:
        self.graph = graph
        self.drawn: set[int] = set(choices.joins)
        self.passed: set[int] = set()
        self._known: dict[Ref, tuple[Strand, ...]] = {}
        for number, node in graph.nodes.items():
            match node:
                case Pack() | Pick():
                    self._wiring(number, node)
                case Choose() if number in choices.alias:
                    self._known[Ref(number)] = self.of(choices.alias[number])
                case Call():
                    self._call(number, node)
                case Apply() if does_nothing(node, graph) and self._is_plain(number, choices):
                    self.passed.add(number)
                    self._known[Ref(number)] = self.of(node.arguments[0])
                case _:
                    pass

    def _is_plain(self, number: int, choices: Choices) -> bool:
        """Has a node no part in a choice, and in no group of the spec?"""
        chosen = number in choices.dotted or number in choices.inside
        return not (chosen or self.graph.nodes[number].outputs[0].open or self.graph.block.groups)

    def of(self, operand: Operand) -> tuple[Strand, ...]:
        """Where an operand comes from, in the order of its tensors; nothing for a number."""
        if not isinstance(operand, Ref):
            return ()
        known = self._known.get(operand)
        if known is not None:
            return known
        type_ = self.graph.type(operand)
        if isinstance(type_, Bundle) and type_.count is None:
            return tuple(Strand(operand, None, member) for member in type_.members)
        return (Strand(operand, None, type_),)

    def share(self, wire: Wire, copy: int) -> tuple[Strand, ...]:
        """What one copy gets of a wire: its share of an `each`."""
        strands = self.of(wire.operand)
        if not wire.each or self.undecided(wire.operand):
            return strands
        return strands[copy * wire.share : (copy + 1) * wire.share]

    def undecided(self, operand: Operand) -> bool:
        """Is it a bundle of unknown length?"""
        if not isinstance(operand, Ref):
            return False
        type_ = self.graph.type(operand)
        return isinstance(type_, Bundle) and type_.count is not None

    def _wiring(self, number: int, node: Pack | Pick) -> None:
        operands = node.items if isinstance(node, Pack) else (node.bundle,)
        if any(self.undecided(operand) for operand in operands):
            self.drawn.add(number)
            return
        strands = tuple(strand for operand in operands for strand in self.of(operand))
        if isinstance(node, Pick):
            picked = strands[node.index]
            strands = (picked,) if isinstance(picked, Strand) else picked
        self._known[Ref(number)] = strands

    def _call(self, number: int, node: Call) -> None:
        member = self.graph.members[node.member]
        if not member.arranged:
            return
        for out, output in enumerate(node.outputs):
            ref = Ref(number, out)
            if not _collected(member, out):
                continue
            if member.count is not None:
                self._known[ref] = (Strand(ref, ALL, output.type),)
            else:
                self._known[ref] = self._collect(number, node, member, out)

    def _collect(self, number: int, node: Call, member: Member, out: int) -> tuple[Strand, ...]:
        """The tensors that the copies of a member make, one after the other."""
        output = node.outputs[out]
        ref = Ref(number, out)
        assert isinstance(output.type, Bundle)
        first = out == 0 or output.name == "all"
        main = node.arguments[0] if node.arguments else None
        before = self.of(main.operand) if main else ()
        types = iter(output.type.members)
        found: list[Strand] = []
        for index, copy in enumerate(member.uses[node.use]):
            if copy.target is not None:
                many = _width(copy, None if first else output.name)
                made = [Strand(ref, index, next(types, None)) for _ in range(many)]
            elif not first:
                continue
            else:  # it passes on what it gets
                got = self.share(main, index) if main and member.arranged == "parallel" else before
                made = [strand._replace(type=next(types, None)) for strand in got]
            found += made
            before = tuple(made)
        return tuple(found)


def does_nothing(node: Apply, graph: Graph) -> bool:
    """Is it an `identity`, or a join of one tensor, without a name of its own?"""
    if node.member is not None or len(node.arguments) != 1 or not isinstance(node.arguments[0], Ref):
        return False
    return node.op.title() == "identity" or (
        node.op.title() == "concat" and isinstance(graph.type(node.arguments[0]), Tensor)
    )


def _collected(member: Member, out: int) -> bool:
    """Is an output of a repeated member a bundle of what its copies make?"""
    return member.arranged == "parallel" or (member.arranged == "repeat" and out > 0)


def _width(copy: Copy, name: str | None) -> int:
    """How many tensors an output of a copy holds; None: its first."""
    if not isinstance(copy.target, Graph):
        return 1
    ref = copy.target.outputs.get(name or next(iter(copy.target.outputs)))
    if ref is None:
        return 0  # it has no such output
    type_ = copy.target.type(ref)
    return len(type_.members) if isinstance(type_, Bundle) else 1
