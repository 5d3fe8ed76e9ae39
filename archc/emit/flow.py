"""The forward of a block instance as steps: coded statements, and what each needs and makes.

A value that an optional input decides is made under `if it is not None`; a step says which
values must be there (`guard`), and `guards.py` joins neighbours of one guard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from archc.emit.coded import Coder
from archc.emit.loops import Loops
from archc.emit.operands import Operands
from archc.emit.operators import Operators, targets
from archc.emit.order import NONE, Guard, Step, Value, name, order
from archc.graph.attributes import attribute
from archc.graph.ir import (
    Apply,
    Bundle,
    Call,
    Choose,
    Graph,
    Input,
    Node,
    Number,
    Pack,
    Pick,
    Read,
    Ref,
    Type,
    Wire,
)
from archc.shapes import Dim, Formula


@dataclass(slots=True)
class Flow:
    """The steps of a forward, in order, and the sizes that the caller must pass."""

    steps: list[Step]
    keywords: tuple[str, ...] = ()
    needs: dict[Value, Guard] = field(default_factory=dict)


class Flows:
    """Writes the flow of one Graph, of which `nodes` are the nodes: see `rewrites`."""

    def __init__(
        self,
        graph: Graph,
        nodes: Mapping[int, Node],
        coder: Coder,
        keywords_of: Callable[[Graph], tuple[str, ...]],
    ) -> None:
        self._graph = graph
        self._nodes = nodes
        self._coder = coder
        self._operands = Operands(graph, coder)
        self._operators = Operators(graph, coder, self._operands)
        self._loops = Loops(graph, coder, keywords_of, self._operands.text)
        self.shaping: set[str] = set()
        """The members whose applications change sizes that are only known at run time."""

    def flow(self) -> Flow:
        steps: dict[str, Step] = {}
        owners: dict[str, str] = {}  # coded name -> the step that makes it
        for at, node in self._nodes.items():
            if isinstance(node, Input):
                self._operands.needs[at, 0] = frozenset({(at, 0)}) if node.outputs[0].open else NONE
                continue
            made = self._step(at, node)
            self._judge(node, made)
            *parts, step = made
            for number, part in enumerate(parts):
                steps[f"ρ{at}.{number}"] = part
            steps[f"ρ{at}"] = step
            for out in range(len(node.outputs)):
                owners[f"ρ{at}_{out}"] = f"ρ{at}"
        keywords = []
        known: set[str] = set()
        while len(known) < len(self._coder.used_sizes):  # a place may be found by further sizes: never yet
            for size in list(self._coder.used_sizes):
                if size in known:
                    continue
                known.add(size)
                coded = self._coder.size(size)
                place = self._graph.sizes.get(size)
                if place is None:
                    keywords.append(size)
                    continue
                steps[coded] = self._size(size, place)
                owners[coded] = coded
        return Flow(order(self._graph, steps, owners), tuple(sorted(keywords)), self._operands.needs)

    def _judge(self, node: Node, steps: list[Step]) -> None:
        """Note whether run-time sizes may come of the numbers in a node's steps."""
        if not isinstance(node, (Apply, Call)):
            return
        operands = [a.operand if isinstance(a, Wire) else a for a in node.arguments]
        numbers = any(isinstance(o, Number) and isinstance(o.value, (Dim, Formula)) for o in operands)
        given = [self._graph.type(o) for o in operands if isinstance(o, Ref)]
        made = [output.type for output in node.outputs]
        if isinstance(node, Call) and self._graph.members[node.member].arranged == "repeat":
            given, made = given[:1], made[:1]
        if numbers or sizes_of(given) != sizes_of(made):
            scaling = isinstance(node, Apply) and node.op.kind == "resampling"
            for step in steps:
                step.shaping, step.scaling = True, scaling
            if node.member:
                self.shaping.add(node.member)

    def _size(self, size: str, place: tuple) -> Step:
        coded = self._coder.size(size)
        ref, *index, axis = place
        value = name(ref) + "".join(f"[{i}]" for i in index)
        span = self._graph.node(ref).span
        if self._graph.may_be_empty(size):
            return Step(span, f"{coded} = {value}.shape[{axis}] if {name(ref)} is not None else 0", ())
        guard = self._operands.needs.get((ref.node, ref.out), NONE)
        return Step(span, f"{coded} = {value}.shape[{axis}]", (), guard)

    # -- nodes -----------------------------------------------------------------------------

    def _step(self, at: int, node) -> list[Step]:
        """The steps that make a node's values, one after the other."""
        makes = tuple((at, out) for out in range(len(node.outputs)))
        match node:
            case Apply():
                steps = self._operators.apply(at, node, makes)
            case Call():
                steps = [self._call(at, node, makes)]
            case Pack():
                packed = ", ".join(self._operands.spread(item) for item in node.items)
                steps = [Step(node.span, f"ρ{at}_0 = [{packed}]", makes, self._operands.guard(node.items))]
            case Pick():
                text = f"ρ{at}_0 = {name(node.bundle)}[{_index(node.index)}]"
                steps = [Step(node.span, text, makes, self._operands.guard([node.bundle]))]
            case Choose():
                steps = [self._choose(at, node, makes)]
            case Read():
                member = attribute(self._graph.members[node.member])
                weight = f".{node.attribute}" if node.attribute else ""
                steps = [Step(node.span, f"ρ{at}_0 = self.{member}{weight}", makes)]
            case _:
                raise AssertionError(node)
        for value in makes:
            self._operands.needs.setdefault(value, steps[0].guard if node.outputs[value[1]].open else NONE)
        return steps

    # -- blocks and repeats ----------------------------------------------------------------

    def _call(self, at: int, node: Call, makes: tuple[Value, ...]) -> Step:
        member = self._graph.members[node.member]
        copies = member.uses[node.use]
        taken = next((c.target for c in copies if isinstance(c.target, Graph)), None)
        ports = node.arguments
        if taken is not None:
            # An input that a block has no use for, or takes as None, need not be there.
            ports = tuple(w for w in ports if w.port in taken.inputs and w.port not in taken.open)
        guard = self._operands.guard(w.operand for w in ports)
        if member.arranged:
            return Step(node.span, self._loops.write(at, node, member, copies), makes, guard)
        assert taken is not None
        for out, ref in enumerate(taken.outputs.values()):
            if taken.node(ref).outputs[ref.out].open:
                self._operands.own(at, out)
        wires = {w.port: str(self._operands.text(w.operand)) for w in node.arguments if w.operand is not None}
        call = self._loops.invoke(copies[0], f"self.{attribute(member)}", list(wires.items()))
        return Step(node.span, f"{targets(at, node)} = {call}", makes, guard)

    # -- choices ---------------------------------------------------------------------------

    def _choose(self, at: int, node: Choose, makes: tuple[Value, ...]) -> Step:
        if node.outputs[0].open:
            self._operands.own(at, 0)
        if node.then == node.other:
            text = f"ρ{at}_0 = {self._operands.text(node.then)}"
            return Step(node.span, text, makes, self._operands.guard([node.then]))
        if node.test is None:
            assert isinstance(node.then, Ref)
            test = f"{name(node.then)} is not None"
            known = self._operands.needs[node.then.node, node.then.out], NONE
        else:
            test = self._test(node.test)
            known = self._there(node.test, True), self._there(node.test, False)
        then, other = (f"    ρ{at}_0 = {self._operands.text(operand)}" for operand in (node.then, node.other))
        text = f"if {test}:\n{then}\nelse:\n{other}"
        return Step(node.span, text, makes, NONE, ([], []), known)

    def _there(self, test: tuple, holds: bool) -> Guard:
        """The inputs that are known to be there where a condition holds, or does not."""
        match test:
            case ("given", port):
                return frozenset({(self._graph.inputs[port].node, 0)}) if holds else NONE
            case ("not", inner):
                return self._there(inner, not holds)
            case (word, left, right):
                both = self._there(left, holds), self._there(right, holds)
                return both[0] | both[1] if holds == (word == "and") else both[0] & both[1]
        raise AssertionError(test)

    def _test(self, test: tuple) -> str:
        match test:
            case ("given", port):
                return f"{name(self._graph.inputs[port])} is not None"
            case ("not", ("given", port)):
                return f"{name(self._graph.inputs[port])} is None"
            case ("not", inner):
                return f"not ({self._test(inner)})"
            case (word, left, right):
                return f"({self._test(left)}) {word} ({self._test(right)})"
        raise AssertionError(test)


def sizes_of(types: Iterable[Type]) -> set[object]:
    """The sizes of tensors that are only known at run time; of a tensor of unknown rank, itself."""
    found: set[object] = set()
    for kind in types:
        for tensor in kind.members if isinstance(kind, Bundle) else (kind,):
            if tensor.shape is None:
                found.add(object())
            else:
                found.update(s for s in tensor.shape if isinstance(s, Dim))
    return found


def _index(index: int | slice) -> str:
    if isinstance(index, int):
        return str(index)
    start, stop, step = (
        "" if part is None else str(int(part)) for part in (index.start, index.stop, index.step)
    )
    return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"
