"""The flow of a block instance: lines and chains become nodes of its Graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archc.graph import presence
from archc.graph.binding import bind_target
from archc.graph.builder import Builder
from archc.graph.connect import Feed, inlets
from archc.graph.ir import Choose, Graph, Input, LineInfo, Output, Ref, Type
from archc.graph.lines import Taken, order, steps, take
from archc.graph.members import Members
from archc.graph.numbers import Numbers
from archc.graph.operands import Operands
from archc.graph.outline import OutlineBuilder
from archc.graph.undecided import Undecided
from archc.graph.values import ABSENT, UNKNOWN, Failed, Given, Nothing, Outcome, Results, Target, Value, first
from archc.lang.syntax import Chain, Expr, Line, Step
from archc.lang.walk import free_names
from archc.ops.base import Op
from archc.ops.outline import owns_weights
from archc.source.text import Span

if TYPE_CHECKING:
    from archc.graph.elaborate import Elaborator


class Flow:
    """Elaborates the flow of one block instance."""

    def __init__(
        self, elaborator: Elaborator, numbers: Numbers, graph: Graph, without: frozenset[Span] = frozenset()
    ) -> None:
        self._without = without
        self._added: dict[Line, range] = {}  # the nodes that each line added
        self._numbers = numbers
        self._context = numbers.context
        self._graph = graph
        self._in_places: dict[str, Op] = {}  # operators called in place, by the text of their steps
        self.values: dict[str, Outcome] = {}
        self.failed: set[str] = set()  # the steps of lines that failed
        self.builder = (OutlineBuilder if graph.outline else Builder)(numbers.context, graph)
        self.members = Members(elaborator, numbers, self.builder)
        self._operands = Operands(self, numbers)

    def run(self, types: dict[str, Type | None]) -> Graph:
        """Build the Graph from the inputs' types; raises Failed where an output is not known."""
        self._inputs(types)
        block = self._graph.block
        taken = self._take()
        wanted = self._outputs()
        ordered, circle = order(block, taken, [value for _, value, _ in wanted])
        for t in circle:  # told by the static checks
            self.values.update({n.id: UNKNOWN for n in t.line.names})
        for t in ordered:
            try:
                self._line(t)
            except Failed:
                self.values.update({n.id: UNKNOWN for n in t.line.names})
                self.failed.update(steps(t))
        self._finish(wanted)
        return self.builder.finish()

    def _take(self) -> list[Taken]:
        """The lines with the branches that may be taken; of one whose condition fails nothing is known."""
        found = []
        for line in self._graph.block.flow:
            if line.span in self._without:
                self.values.update({n.id: ABSENT for n in line.names})
                continue
            try:
                found.append(take(line, self._decide))
            except Failed:
                self.values.update({n.id: UNKNOWN for n in line.names})
        return found

    def _decide(self, condition: Expr) -> bool | tuple | Undecided:
        held = self._numbers.decide(condition, "a line's condition")
        if isinstance(held, tuple):
            cases = presence.where(held, self._graph.open)
            return True if cases == self.builder.full else held if cases else False
        return held

    # -- inputs and outputs ----------------------------------------------------------------

    def _inputs(self, types: dict[str, Type | None]) -> None:
        graph = self._graph
        for number, declared in enumerate(graph.block.inputs.values()):
            found = types.get(declared.name)
            if found is None:
                self.values[declared.name] = ABSENT
                continue
            cases = self.builder.full
            if declared.name in graph.open:
                cases = presence.given(graph.open.index(declared.name), len(graph.open))
            is_open = self.builder.is_open(cases)
            node = Input(
                declared.span,
                (Output("out", found, is_open),),
                declared.name,
                declared.optional,
                value=declared.name,
            )
            self.builder.add(node, (), at=number)
            graph.inputs[declared.name] = Ref(number)
            self.values[declared.name] = Results({"out": Value(Ref(number), found, cases)})

    def _outputs(self) -> list[tuple[str, str, Span]]:
        """The outputs: name, the value that gives it, and its place."""
        block = self._graph.block
        if block.outputs is not None:
            return [(o.name, o.value, o.value_span) for o in block.outputs]
        return [(n.id, n.id, n.span) for n in block.flow[-1].names] if block.flow else []

    def _finish(self, wanted: list[tuple[str, str, Span]]) -> None:
        failed = False
        for name, source, span in wanted:
            outcome = self.values.get(source, UNKNOWN)
            value = first(outcome)
            if value is UNKNOWN:
                failed = True
            elif value is ABSENT:
                continue
            elif not isinstance(value, Value):
                self._context.error("A403", f"output `{name}` is a number, not a tensor", span)
                failed = True
            else:
                self._graph.outputs[name] = value.ref
                self._graph.presence[name] = value.presence
        if failed:
            raise Failed

    # -- lines -----------------------------------------------------------------------------

    def _line(self, taken: Taken) -> None:
        line = taken.line
        before = self.builder.count
        try:
            self._values_of(taken, before)
        finally:
            self._added[line] = range(before, self.builder.count)

    def idle(self) -> frozenset[Span]:
        """The places of lines whose nodes no output is made of: `b` of `a or b` where `a` is there, or what
        would go into a node that is bypassed."""
        live = self.builder.reached()
        return frozenset(
            line.span
            for line, added in self._added.items()
            if added and live.isdisjoint(added) and self._is_made_of(line, added)
        )

    def _is_made_of(self, line: Line, nodes: range) -> bool:
        """Are all values of a line made by these nodes, and not passed on by it?"""
        outcomes = [self.values.get(name.id) for name in line.names]
        values = [value for o in outcomes if isinstance(o, Results) for value in o.outputs.values()]
        return all(isinstance(value, Value) and value.ref.node in nodes for value in values)

    def _values_of(self, taken: Taken, before: int) -> None:
        line = taken.line
        if len(taken.branches) == 1 and taken.branches[0].test is None:
            found = self._named(line, taken.branches[0].chain)
            self.values.update(found)
            self._note(line, found, before)
            return
        outcomes = self._outcomes(taken)
        if not outcomes:
            self.values.update({n.id: ABSENT for n in line.names})
            return
        test, found = outcomes[-1]
        if test is not None:
            found = {n: self._where(test, o, ABSENT, line.span) for n, o in found.items()}
        for test, above in reversed(outcomes[:-1]):
            assert test is not None
            found = {n: self._where(test, above[n], found[n], line.span) for n in above}
        self.values.update(found)
        self._note(line, found, before)

    def _outcomes(self, taken: Taken) -> list[tuple[tuple | Undecided | None, dict[str, Outcome]]]:
        """What each branch of a line gives. In an outline a branch may be one that is never taken: where
        it cannot be, it is left out."""
        line, branches = taken.line, taken.branches
        if not any(isinstance(b.test, Undecided) for b in branches):
            return [(b.test, self._named(line, b.chain)) for b in branches]
        assert isinstance(self.builder, OutlineBuilder)
        found = []
        for branch in branches:
            mark = self.builder.mark()
            made = self._context.attempt(lambda b=branch: self._named(line, b.chain))
            if made is None:
                self.builder.back(mark)
            else:
                self.builder.may_be_gone(mark)
                found.append((branch.test, made))
        return found or [(None, self._named(line, branches[0].chain))]  # which tells what is wrong

    def _named(self, line: Line, chain: Chain) -> dict[str, Outcome]:
        """The outcome of each name of a line."""
        outcome = self.chain(chain)
        names = line.names
        if len(names) == 1 or isinstance(outcome, Nothing):
            return {n.id: outcome for n in names}
        outputs = list(outcome.outputs.values())
        if len(names) > len(outputs):
            outputs += self.builder.further(outputs[-1], [n.id for n in names[len(outputs) :]]).values()
        if len(names) > len(outputs):
            has = f"{len(outputs)} output{'' if len(outputs) == 1 else 's'}"
            listed = ", ".join(f"`{o}`" for o in outcome.outputs)
            self._context.fail(
                "A417", f"{len(names)} names for {has}", names[len(outputs)].span, f"its outputs: {listed}"
            )
        return {
            n.id: v if isinstance(v, Nothing) else Results({"out": v})
            for n, v in zip(names, outputs, strict=False)
        }

    def _where(self, test: tuple | Undecided, then: Outcome, other: Outcome, span: Span) -> Outcome:
        """`then` where a condition over open inputs, or an undecided one, holds, else `other`."""
        if UNKNOWN in (then, other):
            return UNKNOWN
        if isinstance(test, Undecided):
            return self._perhaps(test, then, other, span)
        a = then.first if isinstance(then, Results) else ABSENT
        b = other.first if isinstance(other, Results) else ABSENT
        cases = presence.where(test, self._graph.open)
        inside = a.presence & cases if isinstance(a, Value) else 0
        outside = b.presence & ~cases if isinstance(b, Value) else 0
        if not inside | outside:
            return ABSENT
        if isinstance(a, Value) and a.presence == inside and not outside:
            return then
        types = [v.type for v, there in ((a, inside), (b, outside)) if isinstance(v, Value) and there]
        made = (
            types[0]
            if len(types) == 1
            else self.builder.infer.join(types[0], types[1], span, (inside, outside))
        )
        there = inside | outside
        node = Choose(
            span,
            (Output("out", made, self.builder.is_open(there)),),
            test,
            a.ref if isinstance(a, Value) and inside else None,
            b.ref if isinstance(b, Value) and outside else None,
        )
        return Results({"out": self.builder.value(node, [node.then, node.other], there)})

    def _perhaps(self, test: Undecided, then: Outcome, other: Outcome, span: Span) -> Outcome:
        """`then` where an undecided condition holds, else `other`; it counts as there."""
        assert isinstance(self.builder, OutlineBuilder)
        if not isinstance(then, Results):
            return other
        a, b = then.first, other.first if isinstance(other, Results) else None
        if isinstance(a, Nothing) or a == b:
            return other
        value = self.builder.choose(test, a, None if isinstance(b, Nothing) else b, span)
        return Results({"out": value})

    def _note(self, line: Line, found: dict[str, Outcome], before: int) -> None:
        """Give the line's names to its nodes, and keep the line for `check --shapes`."""
        names, refs = [], []
        for name, outcome in found.items():
            value = first(outcome)
            if isinstance(value, Value):
                names.append(name)
                refs.append(value.ref)
                node = self.builder.nodes[value.ref.node]
                if node.value is None and value.ref.out == 0:
                    node.value = name
        made = range(before, self.builder.count)
        self._graph.lines.append(LineInfo(tuple(names), tuple(refs), line.span, tuple(made)))

    # -- chains and steps ------------------------------------------------------------------

    def chain(self, chain: Chain) -> Outcome:
        """The outcome of a chain; raises Failed."""
        arguments = chain.arguments
        if not chain.steps:
            if len(arguments) == 1:
                return self._operands.outcome(arguments[0].value)
            feeds = self._operands.feeds(arguments)
            return Results({f"out{i}": f.operand for i, f in enumerate(feeds)})  # type: ignore[misc]
        feeds = self._operands.feeds(arguments)
        outcome: Outcome = ABSENT
        for step in chain.steps:
            outcome = self._step(step, feeds)
            if outcome is UNKNOWN:
                raise Failed
            arriving = outcome.first if isinstance(outcome, Results) else ABSENT
            feeds = [Feed(None, arriving, step.span)]
        return outcome

    def _step(self, step: Step, feeds: list[Feed]) -> Outcome:
        if any(f.operand is UNKNOWN for f in feeds):
            raise Failed
        name = step.name.id
        if name in self._numbers.block.nodes:
            return self.members.apply(name, [*feeds, *self._operands.feeds(step.arguments)], step.span)
        known = self._in_places.get(step.span.text)
        if known is not None:
            return self._operands.apply(known, feeds, step.span)
        target = self._numbers.target(name, (), step.name.span)
        return self._in_place(step, target, feeds)

    def _in_place(self, step: Step, target: Target, feeds: list[Feed]) -> Outcome:
        """An operator, an `op` param or a block without weights, called in place."""
        ports = {p.name for p in inlets(target)}
        given = list(target.arguments)
        further = []
        for argument in step.arguments:
            # of an `op` param that nobody gave, what holds a value is an input
            tensors = target.unsettled and free_names(argument.value) & self.values.keys()
            if argument.name in ports or (argument.name and tensors):
                further.append(Feed(argument.name, self._operands.operand(argument.value), argument.span))
            else:
                want = self._want(target, argument.name, sum(g.name is None for g in given))
                self._numbers.no_value(argument.value)
                value = self._numbers.evaluate(argument.value, want, bare=True)
                given.append(Given(argument.name, value, argument.span))
        target = Target(target.name, target.what, tuple(given), step.span)
        if further:
            feeds = [*feeds, *further]
        if not target.is_operator:
            return self.members.call_in_place(bind_target(self._context, target), feeds, step.span)
        bound = bind_target(self._context, self._numbers.with_sizes(target))
        assert bound.op is not None
        if owns_weights(bound.op):
            self._context.fail(
                "A430",
                f"`{target.name}` owns weights, so it must be a node",
                step.span,
                f"name it in `nodes`, `{_node_name(target.name, self._numbers)}: {step.span.text}`",
            )
        text = step.span.text
        # The same text is the same operator, unless YAML or a string of ours writes a sign as two.
        if not further and "\\" not in text and "''" not in text:
            self._in_places[text] = bound.op
        return self._operands.apply(bound.op, feeds, step.span)

    @staticmethod
    def _want(target: Target, name: str | None, position: int):
        if target.is_operator:
            return None
        params = list(target.what.params.values())
        if name is None:
            return params[position].type if position < len(params) else None
        return target.what.params[name].type if name in target.what.params else None


def _node_name(operator: str, numbers: Numbers) -> str:
    """A free name for a node of that operator."""
    stem = operator.rstrip("0123456789d") if operator.startswith("conv") else operator
    taken = {*numbers.block.nodes, *numbers.names}
    return stem if stem not in taken else f"{stem}_{len(taken)}"
