"""Static checks of a flow: that every operand and every step means something, on all branches."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from archc.graph.lines import BUNDLES, OF_NODES, before
from archc.graph.static_expressions import NUMBER, Expressions, attributes, inputs
from archc.graph.static_names import Any_, Callee, Scope
from archc.lang.functions import FUNCTIONS
from archc.lang.schema import Block, Node, Param
from archc.lang.syntax import (
    Argument,
    Call,
    Chain,
    Comprehension,
    Dots,
    Expr,
    Index,
    Line,
    Literal,
    Name,
    Port,
    Slice,
    Step,
)
from archc.lang.walk import chains, children, free_occurrences
from archc.ops.base import Op
from archc.source.text import Span


@dataclass(slots=True)
class Uses:
    """What the lines of a flow use. `lines[i]`: the lines whose values line `i` needs."""

    lines: list[list[int]]
    nodes: list[list[str]]  # the nodes that a line applies or reads
    inputs: set[str] = field(default_factory=set)
    applied: dict[str, list[int]] = field(default_factory=dict)  # node -> lines in which it is a step
    read: list[tuple[int, str, Span]] = field(default_factory=list)  # line, node, place of each `node.all`


class FlowChecks:
    """Checks the lines of one block, and notes what they use."""

    def __init__(self, scope: Scope, expressions: Expressions) -> None:
        self.scope = scope
        self.expressions = expressions
        self.nodes = scope.block.nodes
        self.repeated = {n for n, node in self.nodes.items() if node.repeat or node.parallel}
        count = len(scope.block.flow)
        self.uses = Uses([[] for _ in range(count)], [[] for _ in range(count)])
        self._fine: set[str] = set()  # what may be a step without arguments
        self._line = 0
        self._needs: list[int] = []
        self._steps: Counter[str] | None = None  # how often each node is a step, counted when asked

    def run(self) -> Uses:
        """Check all lines."""
        for number, line in enumerate(self.scope.block.flow):
            self._line = number
            self._needs = self.uses.lines[number]
            at: Line | None = line
            while at is not None:
                self._chain(at.chain)
                if at.condition is not None:
                    self.expressions.check(at.condition, NUMBER)
                at = at.otherwise
        for number, name, span in self.uses.read:
            applied = self.uses.applied.get(name, ())
            if not applied and name not in self.scope.stored:
                message = f"`{name}` is a step of no line, so there is no `{span.text}`"
                self.scope.error("A418", message, span, f"apply it: `x -> {name}`")
            self.uses.lines[number].extend(before(number, applied))
        return self.uses

    def _chain(self, chain: Chain) -> None:
        values = self.scope.values
        first = chain.steps[0].name.id if chain.steps else ""
        for argument in chain.arguments:
            value = argument.value
            if type(value) is Name and value.id in values:
                self._needs.append(values[value.id])
            else:
                self._operand(value, each=first in self.repeated)
        for step in chain.steps:
            name = step.name.id
            if name in self.nodes:
                self.uses.applied.setdefault(name, []).append(self._line)
                self.uses.nodes[self._line].append(name)
            if name not in self._fine or step.arguments:
                self._step(step)

    # Operands

    def _operand(self, expr: Expr, each: bool = False) -> None:
        """Check an operand; `each`: `each(bundle)` may stand here."""
        if isinstance(expr, Name):
            self._name(expr)
        elif isinstance(expr, Chain):
            self._chain(expr)
        elif isinstance(expr, Port):
            self._port(expr)
        elif isinstance(expr, Call):
            self._call(expr, each)
        elif isinstance(expr, Comprehension):
            self.expressions.check(expr, NUMBER)
        elif isinstance(expr, Index):
            self._operand(expr.value)
            for item in expr.items:
                bounds = (item.start, item.stop, item.step) if isinstance(item, Slice) else (item,)
                for bound in bounds:
                    if bound is not None and not isinstance(bound, Dots | Literal):
                        self._operand(bound)
        else:
            for part in children(expr):
                self._operand(part)

    def _name(self, name: Name) -> None:
        scope = self.scope
        word = name.id
        if word in scope.values:
            self._needs.append(scope.values[word])
        elif word in scope.block.inputs:
            self.uses.inputs.add(word)
        elif word in scope.numbers:
            scope.used.add(word)
        elif word in scope.stored:
            self.uses.nodes[self._line].append(word)
        else:
            scope.no_value(name)

    def _applied(self, node: str) -> int:
        """In how many places a node is a step."""
        if self._steps is None:
            self._steps = Counter(
                step.name.id
                for line in self.scope.block.flow
                for chain in chains(line)
                for step in chain.steps
            )
        return self._steps[node]

    def _port(self, port: Port) -> None:
        base = port.value
        scope = self.scope
        if not isinstance(base, Name) or base.id in scope.values or base.id in scope.block.inputs:
            self._operand(base)
            return
        if base.id == "nn" or base.id not in self.nodes:
            if base.id != "nn":
                scope.no_value(base)
            return
        node = base.id
        if port.port not in OF_NODES:
            message = f"a node has no output `{port.port}` of its own"
            help = f"name the value of a line, `h: x -> {node}`, and write `h.{port.port}`"
            scope.error("A240", message, port.span, help)
            return
        self.uses.nodes[self._line].append(node)
        self.uses.read.append((self._line, node, port.span))
        if port.port == "all":
            if self._applied(node) > 1:
                message = f"`{node}` is applied in several places, so `{node}.all` could be of any"
                scope.error("A241", message, port.span, "use a node of its own for one of them")
            if node not in self.repeated:
                message = f"`{node}` has no copies, so there is no `{node}.all`"
                scope.error("A241", message, port.span, "`all` needs a node with `repeat` or `parallel`")

    def _call(self, call: Call, each: bool) -> None:
        """`bundle(a, b)`, `each(b)`, a function of numbers, or a source operator."""
        scope = self.scope
        word = call.name.id
        if word in BUNDLES:
            if word == "each" and not each:
                help = (
                    "`each` gives every copy of a `repeat` or `parallel` node its own: `x -> node(each(b))`"
                )
                scope.error("A248", "`each` has no copies to give to here", call.name.span, help)
            for argument in call.arguments:
                self._operand(argument.value)
            return
        if word in FUNCTIONS and not isinstance(scope.callee(word), Param):
            for argument in call.arguments:
                self._operand(argument.value)
            return
        callee = scope.callee(word)
        if callee is None:
            known = [*scope.callables(), *FUNCTIONS, *BUNDLES]
            if word in self.nodes:
                message = f"node `{word}` is a step, not an operand"
                scope.error("A242", message, call.name.span, f"write `(x -> {word})`")
            else:
                scope.no_callee(call.name, "operator or function", known)
            return
        if isinstance(callee, type) and not callee.ports():
            if callee.weighted:
                self._needs_node(call.name, call.span, callee, as_operand=True)
            else:
                self.expressions.arguments(call.arguments, callee, word)
        elif not isinstance(callee, Any_):
            message = f"`{word}` takes inputs, so it is no operand"
            scope.error("A242", message, call.name.span, f"write it as a step: `(x -> {word})`")

    # Steps

    def _step(self, step: Step) -> None:
        scope = self.scope
        name = step.name.id
        node = self.nodes.get(name)
        if node is not None:
            self._node_step(step, node)
            return
        callee = scope.callee(name)
        if callee is None:
            self._no_step(step)
            return
        if isinstance(callee, type):
            if not callee.ports():
                self._source_step(step, callee)
                return
            if callee.weighted and callee.owns_weights is Op.owns_weights:
                self._needs_node(step.name, step.span, callee)
                return
        elif isinstance(callee, Block) and not callee.inputs and callee.whole:
            scope.error("A249", f"`{name}` has no inputs, so it is no step", step.name.span)
            return
        if not step.arguments:
            self._fine.add(name)
            return
        self._in_place(step, callee)

    def _source_step(self, step: Step, callee: type[Op]) -> None:
        name = step.name.id
        help = f"write it as an operand: `{step.span.text}`"
        if callee.weighted:
            help = f"make it a node, and write that as an operand: `x + {self._free_name(name)}`"
        self.scope.error("A249", f"`{name}` takes no inputs, so it is no step", step.name.span, help)

    def _node_step(self, step: Step, node: Node) -> None:
        name = step.name.id
        if name in self.scope.stored:
            message = f"`{name}` is a `{node.calls[0].name.id}`, a value without inputs, so it is no step"
            self.scope.error("A249", message, step.name.span, f"write it as an operand: `x + {name}`")
            return
        for argument in step.arguments:
            self._operand(argument.value, each=name in self.repeated)
        if not step.arguments:
            self._fine.add(name)

    def _in_place(self, step: Step, callee: Callee) -> None:
        """Arguments of an operator or block in place: attributes by position, ports also by name."""
        ports = set(inputs(callee))
        known = attributes(callee)
        further: list[Argument] = []
        for argument in step.arguments:
            if argument.name in ports or (known is None and argument.name is not None):
                further.append(argument)
            elif isinstance(argument.value, Name) and self._is_value(argument.value.id):
                self._value_as_attribute(argument, argument.value, step, inputs(callee))
                return
        for argument in further:
            if known is None:
                self._note(argument.value)
            else:
                self._operand(argument.value)
        self.expressions.arguments(step.arguments, callee, step.name.id, ports=ports)

    def _is_value(self, name: str) -> bool:
        return name in self.scope.values or name in self.scope.block.inputs

    def _note(self, expr: Expr) -> None:
        """Note the values in what goes to a port or an attribute: nobody knows which before elaboration."""
        for name in free_occurrences(expr):
            if name.id in self.scope.values:
                self._needs.append(self.scope.values[name.id])
            elif name.id in self.scope.block.inputs:
                self.uses.inputs.add(name.id)

    def _value_as_attribute(self, argument: Argument, value: Name, step: Step, ports: list[str]) -> None:
        further = ports[1:] or ["port"]
        if argument.name is not None:
            message = f"`{step.name.id}` has no input `{argument.name}`"
            help = f"its inputs are {', '.join(ports)}" if ports else None
            self.scope.error("A244", message, argument.span, help)
            return
        message = f"`{value.id}` is a value; an operator in place takes attributes by position"
        by_name = f"{step.name.id}({further[0]}={value.id})"
        help = f"give inputs by name, `{by_name}`, or before the arrow: `x, {value.id} ->`"
        self.scope.error("A244", message, value.span, help)

    def _no_step(self, step: Step) -> None:
        scope = self.scope
        name = step.name
        if name.id in BUNDLES or name.id in FUNCTIONS:
            written = f"{name.id}(...)"
            message = f"`{name.id}` is no step"
            scope.error("A242", message, name.span, f"write it as an operand: `{written}`")
            return
        scope.no_callee(name, "node or operator", [*self.nodes, *scope.callables()])

    def _needs_node(self, name: Name, span: Span, callee: type[Op], as_operand: bool = False) -> None:
        """An operator that owns weights is called in place: show the node that is wanted."""
        node = self._free_name(name.id)
        use = f"`{node}`" if as_operand else f"`-> {node}`"
        call = span.text if "(" in span.text else callee.signature()
        help = f"add `{node}: {call}` to `nodes`, and write {use} here"
        self.scope.error("A243", f"`{name.id}` owns weights, so it must be a node", name.span, help)

    def _free_name(self, operator: str) -> str:
        """A name for a node of that operator: `conv` for `conv2d`."""
        stem = operator.rstrip("d").rstrip("0123456789").rstrip("_") if operator[-1:] == "d" else operator
        taken = {*self.nodes, *self.scope.values, *self.scope.numbers, *self.scope.block.inputs}
        if stem not in taken:
            return stem
        return next(f"{stem}_{i}" for i in range(1, len(taken) + 2) if f"{stem}_{i}" not in taken)
