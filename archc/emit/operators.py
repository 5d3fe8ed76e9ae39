"""An operator as coded statements; operands that may be None are left out where they are."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from archc.emit.coded import Coder, Slot, expression, key
from archc.emit.operands import Operands
from archc.emit.order import NONE, Guard, Step, Value, name
from archc.graph.attributes import attribute
from archc.graph.ir import Apply, Bundle, Graph, Node, Pick, Ref
from archc.graph.presence import MOST_OPEN_OPERANDS
from archc.shapes import plain

# From this many members on, the sum of a bundle is not written out.
LONG = 4

_ON = 0.71828182845  # stands for a probability that is not zero


class Operators:
    """Writes the operators of one Graph."""

    def __init__(self, graph: Graph, coder: Coder, operands: Operands) -> None:
        self._graph = graph
        self._coder = coder
        self._operands = operands

    def apply(self, at: int, node: Apply, makes: tuple[Value, ...]) -> list[Step]:
        """The steps that make an operator's values."""
        ports = {p.name: p for p in node.op.ports()}
        names = node.ports or [p.name for p in node.op.ports()]
        pairs = list(zip(names, node.arguments, strict=True))
        guard = self._operands.guard(
            a for port, a in pairs if not (ports[port].optional or ports[port].variadic)
        )
        open_ = [
            i
            for i, (port, a) in enumerate(pairs)
            if (ports[port].optional or ports[port].variadic) and self._operands.open(a)
        ]
        if not open_:
            return [self._plain(at, node, makes, guard)]
        if all(node.outputs[out].open for out in range(len(node.outputs))) and any(
            ports[pairs[i][0]].variadic for i in open_
        ):
            self._operands.own(at, 0)
        if _adds(node):
            return self._sum(at, node, makes, guard)
        return [Step(node.span, self._branches(at, node, open_), makes, guard)]

    def _plain(self, at: int, node: Apply, makes: tuple[Value, ...], guard: Guard) -> Step:
        """An operator all of whose operands are there."""
        made = targets(at, node)
        bundle = self._whole_bundle(node)
        if bundle is not None and _adds(node) == "+":
            term = self._coder.local("term")
            loop = f"for {term} in {name(bundle)}[1:]:\n    {made} = {made} + {term}"
            return Step(node.span, f"{made} = {name(bundle)}[0]\n{loop}", makes, guard)
        if node.op.random and not getattr(node.op, "p", 1):
            # Off here, perhaps on in another instance: one code for both, and none where all are off.
            idle = f"{made} = {self._lower(node)}"
            p = node.op.p  # type: ignore[attr-defined]
            text = self._lower(replace(node, op=node.op.model_copy(update={"p": _ON})))
            slots = self._coder.slots
            switch = next(i for i in reversed(range(len(slots))) if slots[i].value == _ON)
            slots[switch] = Slot(plain(p), getattr(p, "label", None))
            return Step(node.span, f"{made} = {text}", makes, guard, idle=idle, switch=switch)
        return Step(node.span, f"{made} = {self._lower(node)}", makes, guard)

    def _whole_bundle(self, node: Apply) -> Ref | None:
        """The bundle whose members, all of them and in order, are the operands."""
        picks = [self._graph.node(a) if isinstance(a, Ref) else None for a in node.arguments]
        if len(picks) < LONG or not all(isinstance(pick, Pick) for pick in picks):
            return None
        bundle = picks[0].bundle  # type: ignore[union-attr]
        kind = self._graph.type(bundle)
        whole = isinstance(kind, Bundle) and len(kind.members) == len(picks)
        in_order = all(p.bundle == bundle and p.index == i for i, p in enumerate(picks))  # type: ignore[union-attr]
        return bundle if whole and in_order else None

    def _lower(self, node: Apply, without: Sequence[int] = ()) -> str:
        """An operator's source, coded; arguments number `without` are absent."""
        variadic = {p.name for p in node.op.ports() if p.variadic}
        names = node.ports or [p.name for p in node.op.ports()]
        inputs: list[str | None] = []
        types: list = []
        for i, (port, argument) in enumerate(zip(names, node.arguments, strict=True)):
            if i in without or argument is None:
                if port not in variadic:
                    inputs.append(None)
                    types.append(None)
                continue
            if port in variadic and isinstance(argument, Ref):
                inputs.append(self._operands.spread(argument))
            else:
                inputs.append(self._operands.text(argument))
            types.append(self._operands.type(argument))
        self_ = f"self.{attribute(self._graph.members[node.member])}" if node.member else None
        return self._coder.text(node.op.lower(inputs, types, self_), building=False)

    def _branches(self, at: int, node: Apply, open_: list[int]) -> str:
        """An operator some of whose operands may be None."""
        target = targets(at, node)
        values: dict[str, list[int]] = {}  # what may be None -> the places where it stands
        for index in open_:
            values.setdefault(str(self._operands.text(node.arguments[index])), []).append(index)
        assert len(values) <= MOST_OPEN_OPERANDS, values
        nothing = "None" if node.outputs[0].open else None
        if len(open_) == 1 and nothing is None:
            # An optional argument of a torch function may be None: no branch is needed for it.
            whole, rest = self._lower(node), self._lower(node, open_)
            if key(_without_argument(whole, next(iter(values)))) == key(rest):
                return f"{target} = {whole}"
        text, word = "", "if"
        for size in range(len(values), -1, -1):
            for there in combinations(values, size):
                absent = [i for value, places in values.items() if value not in there for i in places]
                test = " and ".join(f"{value} is not None" for value in there)
                head = f"{word} {test}:" if there else "else:"
                made = self._lower(node, absent) if there or nothing is None else nothing
                text += f"{head}\n    {target} = {made}\n"
                word = "elif"
        return text

    def _sum(self, at: int, node: Apply, makes: tuple[Value, ...], guard: Guard) -> list[Step]:
        """Operands joined by one operator, in order; what is None is left out.

        Each operand that may be None is a step of its own, so that it can stand under one `if`
        with what makes it."""
        target = f"ρ{at}_0"
        joined = self._coder.text(node.op.lower(["ρ1_1", "ρ2_2"], [None, None], None), building=False)
        symbol = joined[len("ρ1_1") : -len("ρ2_2")]
        steps: list[Step] = []

        def add(text: str, more: Guard = NONE) -> None:
            steps.append(Step(node.span, text, makes, guard | more))

        made: str | None = None  # what is joined so far, not yet stored
        open_ = False  # is it perhaps None?
        for argument in node.arguments:
            value = self._operands.text(argument)
            assert value is not None
            if made is None and not steps:
                made, open_ = value, self._operands.open(argument)
                continue
            if not self._operands.open(argument) and not open_:
                made = f"{made or target}{symbol}{value}"
                continue
            if made is not None:
                add(f"{target} = {made}")
                made = None
            if not self._operands.open(argument):
                add(f"{target} = {value} if {target} is None else {target}{symbol}{value}")
                open_ = False
            elif open_:
                both = f"{value} if {target} is None else {target}{symbol}{value}"
                add(f"if {value} is not None:\n    {target} = {both}")
            else:
                add(f"{target} = {target}{symbol}{value}", self._operands.guard([argument]))
        if made is not None:
            add(f"{target} = {made}")
        return steps


def targets(at: int, node: Node) -> str:
    """The names that a node's outputs are assigned to."""
    return ", ".join(f"ρ{at}_{out}" for out in range(len(node.outputs)))


def _adds(node: Apply) -> str | None:
    """The sign, where the operator is a plain Python operator between its operands."""
    if node.member or not any(p.variadic for p in node.op.ports()) or node.op.starred:
        return None
    text = node.op.lower(["ρ1_1", "ρ2_2"], [None, None], None)
    return {"ρ1_1 + ρ2_2": "+", "ρ1_1 * ρ2_2": "*"}.get(text)


def _without_argument(text: str, value: str) -> str:
    """A call's text less the argument that is just this value."""
    tree = expression(text)
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            call.keywords = [k for k in call.keywords if not _is(k.value, value)]
            if call.args and _is(call.args[-1], value):
                call.args.pop()
    return ast.unparse(tree)


def _is(node, value: str) -> bool:
    return getattr(node, "id", None) == value
