"""The operands of a flow: expressions over values, numbers and nodes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from archc.graph.binding import bind_target
from archc.graph.connect import Feed, connect, operator_inlets
from archc.graph.indexing import Indexing
from archc.graph.infer import FIX_PRESENCE
from archc.graph.ir import Bundle, Choose, Number, Output, Read
from archc.graph.lines import BUNDLES, OF_NODES
from archc.graph.numbers import Numbers
from archc.graph.outline import OutlineBuilder, length
from archc.graph.undecided import ANY
from archc.graph.values import (
    ABSENT,
    UNKNOWN,
    Each,
    Failed,
    Operand,
    Outcome,
    Results,
    Value,
    first,
    single,
)
from archc.graph.weights import of_operator, outlined
from archc.lang import syntax
from archc.lang.functions import FUNCTIONS
from archc.lang.names import stored
from archc.lang.syntax import Argument, Expr
from archc.lang.values import Given as Test
from archc.lang.values import Unsettled, shown
from archc.lang.walk import free_occurrences, walk
from archc.ops.arithmetic import INFIX, Negative
from archc.ops.base import Op, bind
from archc.shapes import Cond, Dim, Formula, Tensor
from archc.source.diagnostic import did_you_mean
from archc.source.text import Span

if TYPE_CHECKING:
    from archc.graph.flow import Flow


class Operands:
    """Evaluates the operands of one block instance's flow."""

    def __init__(self, flow: Flow, numbers: Numbers) -> None:
        self._flow = flow
        self._numbers = numbers
        self._context = numbers.context
        self._builder = flow.builder
        self._stored: dict[str, Operand] = {}

    def feeds(self, arguments: tuple[Argument, ...]) -> list[Feed]:
        """The arguments of a step or a chain, evaluated."""
        return [Feed(a.name, self.operand(a.value, each=True), a.span) for a in arguments]

    def operand(self, expr: Expr, *, each: bool = False) -> Operand:
        """The value of one operand; raises Failed, having told what is wrong with it.

        `each`: `each(bundle)` may stand here."""
        if isinstance(expr, syntax.Name):
            return self._name(expr)
        if isinstance(expr, syntax.Call) and expr.name.id in BUNDLES:
            return self._bundle_call(expr, each)
        if self._is_number(expr):
            return self._number(expr)
        match expr:
            case syntax.Binary(op="or"):
                return self._either(expr)
            case syntax.Binary(op=op) if op in INFIX:
                return self._infix(INFIX[op], [expr.left, expr.right], expr.span)
            case syntax.Unary(op="-"):
                return self._infix(Negative, [expr.operand], expr.span)
            case syntax.Compare(rest=((op, right),)) if op in INFIX:
                return self._infix(INFIX[op], [expr.first, right], expr.span)
            case syntax.Index():
                return Indexing(self, self._numbers, self._builder).index(expr)
            case syntax.Port() | syntax.Chain():
                return first(self.outcome(expr))
            case syntax.Call():
                return self._source(expr)
        return self._no_operand(expr)

    def outcome(self, expr: Expr) -> Outcome:
        """All outputs of an operand that has several."""
        match expr:
            case syntax.Name(id=name) if name in self._flow.values:
                return self._flow.values[name]
            case syntax.Chain():
                return self._flow.chain(expr)
            case syntax.Port():
                return single(self._port(expr))
        return single(self.operand(expr))

    # -- names and numbers -----------------------------------------------------------------

    def _name(self, name: syntax.Name) -> Operand:
        values = self._flow.values
        if name.id in values:
            return first(values[name.id])
        if name.id in self._numbers.names:
            return self._number(name)
        node = self._numbers.block.nodes.get(name.id)
        if node is not None:
            if not stored(node):
                raise Failed  # told by the static checks
            return self._stored_tensor(name)
        if self._context.told(name.span):
            raise Failed  # by the static checks, and what it may mean is a long search
        known = [*values, *self._numbers.names]
        close = did_you_mean(name.id, known)
        help = f"did you mean `{close}`?" if close else None
        self._context.fail("A240", f"there is no value `{name.id}`", name.span, help)

    def _stored_tensor(self, name: syntax.Name) -> Operand:
        """A `param` or `buffer` node by its name."""
        if name.id not in self._stored:
            found = self._flow.members.apply(name.id, [], name.span)
            self._stored[name.id] = first(found)
        return self._stored[name.id]

    def _is_number(self, expr: Expr) -> bool:
        """Does an expression speak of numbers alone?"""
        if isinstance(expr, syntax.Literal):
            return True
        names = self._numbers.names
        values = self._flow.values
        if any(n.id not in names or n.id in values for n in free_occurrences(expr)):
            return False
        for part in walk(expr):
            if isinstance(part, syntax.Port | syntax.Chain):
                return False
            if isinstance(part, syntax.Call) and part.name.id not in FUNCTIONS:
                return False
        return True

    def _number(self, expr: Expr) -> Number:
        value = self._numbers.evaluate(expr)
        if isinstance(value, bool | int | float | Dim | Formula | Cond | Unsettled):
            return Number(value)
        if isinstance(value, Test):
            self._context.fail("A406", "whether an input is given is no operand", expr.span)
        what = "a list" if isinstance(value, list | tuple) else shown(value)
        self._context.fail("A403", f"an operand is a value or a number, not {what}", expr.span)

    def _no_operand(self, expr: Expr) -> Operand:
        help = None
        if isinstance(expr, syntax.Conditional):
            help = "put the condition at the line's end: `y: a if cond else b`"
        elif isinstance(expr, syntax.Compare):
            help = "compare two at a time"
        elif isinstance(expr, syntax.Binary | syntax.Unary):
            help = "`and` and `not` are for conditions; on tensors write `a * b`, `where`"
        self._context.fail("A425", "this cannot be computed on values", expr.span, help)

    # -- arithmetic ------------------------------------------------------------------------

    def _infix(self, what: type[Op], sides: list[Expr], span: Span) -> Operand:
        feeds = [Feed(None, self.operand(side), side.span) for side in sides]
        if any(f.operand is UNKNOWN for f in feeds):
            raise Failed
        return first(self.apply(_plain(what), feeds, span))

    def apply(self, op: Op, feeds: list[Feed], span: Span) -> Outcome:
        """An operator in place. What adds or multiplies leaves out absent operands: one alone stays
        itself, unless it is a number."""
        for feed in feeds:
            if isinstance(feed.operand, Each):
                self._context.fail("A410", "`each` has no copies to give to here", feed.span)
        fed = connect(self._context, op.title(), operator_inlets(type(op)), feeds, span)
        if fed is None:
            return ABSENT
        if type(op) in (INFIX["+"], INFIX["*"]):
            there = [f for fs in fed.values() for f in fs]
            absent = any(f.operand is ABSENT for f in feeds)
            if absent and all(isinstance(f.operand, Number) for f in there):
                return ABSENT
            if len(there) == 1 and not _is_bundle(there[0].operand):
                return single(there[0].operand)
        return self._builder.apply(op, fed, span)[0]

    def _either(self, expr: syntax.Binary) -> Operand:
        """`a or b`: the first that is not absent."""
        left = self.operand(expr.left)
        if left is UNKNOWN:
            raise Failed
        if not isinstance(left, Value):
            return self.operand(expr.right) if left is ABSENT else left
        maybe = isinstance(self._builder, OutlineBuilder) and left.ref in self._builder.maybe
        if not maybe and not self._builder.is_open(left.presence):
            return left
        right = self.operand(expr.right)
        if right is UNKNOWN:
            raise Failed
        if not isinstance(right, Value):
            if right is ABSENT:
                return left
            self._context.fail("A403", "beside an open input, `or` takes a tensor", expr.right.span)
        return self._choose(None, left, right, left.presence | right.presence, expr.span)

    def _choose(self, test: tuple | None, then: Value, other: Value, cases: int, span: Span) -> Value:
        where = then.presence, other.presence & ~then.presence
        made = self._builder.infer.join(then.type, other.type, span, where)
        output = Output("out", made, self._builder.is_open(cases))
        node = Choose(span, (output,), test, then.ref, other.ref)
        return self._builder.value(node, [then.ref, other.ref], cases)

    # -- ports ---------------------------------------------------------------------------

    def _port(self, expr: syntax.Port) -> Operand:
        base = expr.value
        nodes = self._numbers.block.nodes
        if isinstance(base, syntax.Name) and base.id not in self._flow.values and base.id in nodes:
            return self._of_node(base.id, expr)
        found = self.outcome(base)
        if found is UNKNOWN:
            raise Failed
        if found is ABSENT:
            return ABSENT
        assert isinstance(found, Results)
        if expr.port not in found.outputs:
            further = self._builder.further(found.first, [expr.port])
            if further:
                return further[expr.port]
            ports = ", ".join(f"`{p}`" for p in found.outputs)
            close = did_you_mean(expr.port, found.outputs)
            help = f"did you mean `{close}`?" if close else f"its outputs: {ports}"
            self._context.fail("A418", f"there is no output `{expr.port}`", expr.span, help)
        return found.outputs[expr.port]

    def _of_node(self, name: str, expr: syntax.Port) -> Operand:
        """`node.all`, `node.weight`, `node.bias`."""
        if name in self._flow.failed or expr.port not in OF_NODES or self._context.told(expr.span):
            raise Failed  # told where the node is applied, or by the static checks
        if expr.port == "all":
            if name in self._flow.members.all:
                return self._flow.members.all[name]
            if name in self._builder.graph.members:
                self._context.fail("A418", f"`{name}` is not repeated: it has no `all`", expr.span)
            return ABSENT
        member = self._builder.graph.members.get(name)
        op = member.first.target if member else None
        if member is None:
            return ABSENT
        if not isinstance(op, Op) or member.arranged and not member.share:
            self._context.fail("A418", f"`{name}.{expr.port}` needs a node that is one operator", expr.span)
        weights = of_operator(op, member.first) if not self._context.outline else outlined(op, member.first)
        if weights is not None and expr.port not in weights:
            has = ", ".join(f"`{w}`" for w in weights) or "none"
            self._context.fail("A418", f"`{name}` has no `{expr.port}`", expr.span, f"its weights: {has}")
        made = ANY if weights is None else Tensor(weights[expr.port].shape, weights[expr.port].dtype)
        node = Read(expr.span, (Output("out", made),), name, expr.port)
        return self._builder.value(node, [], self._builder.full)

    # -- calls -----------------------------------------------------------------------------

    def _bundle_call(self, call: syntax.Call, each: bool) -> Operand:
        word = call.name.id
        if word == "bundle":
            return self._bundle(call)
        if len(call.arguments) != 1 or call.arguments[0].name:
            self._context.fail("A412", f"`{word}` takes one bundle", call.span, f"write `{word}(b)`")
        argument = call.arguments[0].value
        value = self.operand(argument)
        if value is UNKNOWN:
            raise Failed
        if value is ABSENT:
            return ABSENT
        if isinstance(value, Value) and value.type == ANY and self._context.outline:
            value = value._replace(type=Bundle((ANY,), length(argument.span.text)))
        if not isinstance(value, Value) or not isinstance(value.type, Bundle):
            what = "a number" if isinstance(value, Number) else "a tensor"
            self._context.fail(
                "A412", f"`{word}` takes a bundle, got {what}", argument.span, "`bundle(a, b)` makes one"
            )
        if word == "reversed":
            return self._builder.pick(value, slice(None, None, -1), call.span)
        if not each:
            self._context.fail("A410", "`each` is for the inputs of a `repeat` or `parallel` node", call.span)
        return Each(value, call.span)

    def _bundle(self, call: syntax.Call) -> Value:
        items = []
        for argument in call.arguments:
            value = self.operand(argument.value)
            if value is UNKNOWN:
                raise Failed
            if value is ABSENT:
                continue
            if argument.name or not isinstance(value, Value):
                self._context.fail("A412", "a bundle holds tensors and bundles", argument.span)
            if self._builder.is_open(value.presence) and not self._context.outline:
                self._context.fail(
                    "A413", "the length of a bundle depends on an open input", argument.span, FIX_PRESENCE
                )
            items.append(value)
        return self._builder.pack(items, call.span)

    def _source(self, call: syntax.Call) -> Operand:
        """A source operator as an operand: `arange(T)`."""
        if call.name.id in FUNCTIONS:
            arguments = ", ".join("x" for _ in call.arguments)
            step = f"on a tensor write a step: `x -> {call.name.id}`"
            self._context.fail(
                "A403", f"`{call.name.id}({arguments})` takes numbers, not tensors", call.span, step
            )
        target = self._numbers.target(call.name.id, (), call.name.span)
        if not target.is_operator or target.what.ports():
            raise Failed  # told by the static checks
        bound = bind_target(self._context, self._numbers.call(call))
        assert bound.op is not None
        return first(self._builder.apply(bound.op, {}, call.span)[0])


@cache
def _plain(op: type[Op]) -> Op:
    """An operator without attributes."""
    return bind(op)


def _is_bundle(operand: Operand) -> bool:
    return isinstance(operand, Value) and isinstance(operand.type, Bundle)
