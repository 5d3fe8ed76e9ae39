"""What can be told of a block from its text, before any number is known and whichever branches are
taken: names that mean nothing, arguments that nothing takes, circles, what is never used."""

from __future__ import annotations

import re
from typing import Any

from archc.graph.static_expressions import NUMBER, Expressions, Where
from archc.graph.static_flow import FlowChecks
from archc.graph.static_names import Any_, Scope
from archc.graph.static_reach import check_circles, warn_unused
from archc.lang.project import Project
from archc.lang.schema import Block, Node
from archc.lang.syntax import Call, Compare, Dots, Expr, Name, Unary
from archc.lang.types import Bool, Choice
from archc.lang.walk import called, free_names
from archc.ops.table import Operators
from archc.source.collector import collector_paused
from archc.source.diagnostic import Report, did_you_mean
from archc.source.text import Span


def check_block(block: Block, project: Project, ops: Operators, report: Report) -> None:
    """Report all that is wrong with a block as it is written; `ops` are the operators it may use.

    Warnings about what is never used are given only where nothing is wrong.
    """
    if block.nameless:
        return
    checks = _Checks(block, project, ops, report)
    with collector_paused():
        checks.numbers()
        for node in block.nodes.values():
            checks.node(node)
        uses = FlowChecks(checks.scope, checks.expressions).run()
        check_circles(checks.scope, uses)
        checks.weights()
        checks.checkpoints()
        if not checks.scope.wrong:
            warn_unused(checks.scope, uses)


class _Checks:
    """The checks of one block, part by part."""

    def __init__(self, block: Block, project: Project, ops: Operators, report: Report) -> None:
        self.block = block
        self.scope = Scope(block, project, ops, report)
        self.expressions = Expressions(self.scope)

    # Numbers

    def numbers(self) -> None:
        """Shapes, params, presets, lets and requirements."""
        block, check = self.block, self.expressions.check
        lets = frozenset(block.let)
        for spec in block.inputs.values():
            for entry in spec.shape or ():
                if not isinstance(entry, Dots | Name):
                    check(entry, Where(calls=False, hidden=lets))
            if spec.bundle is not None and not isinstance(spec.bundle, bool):
                check(spec.bundle, NUMBER)
        for param in block.params.values():
            if param.default is not None:
                words = frozenset(param.type.words)
                hidden = lets | {param.name}
                check(param.default, Where(hidden=hidden, words=words, own=param.name))
        self._circle_of_defaults()
        for preset in block.presets.values():
            for name, value in preset.values.items():
                of = block.params.get(name)
                words = frozenset(of.type.words) if of is not None else frozenset()
                check(value, Where(hidden=lets, words=words))
        later = dict.fromkeys(block.let)
        for let in block.let.values():
            check(let.value, Where(hidden=frozenset(later)))
            del later[let.name]
        for rule in block.require:
            check(rule.condition, NUMBER)

    def _circle_of_defaults(self) -> None:
        """Defaults may name other params in any order, but not in a circle."""
        needs = {
            p.name: [
                n
                for n in (*free_names(p.default), *(c.id for c in called(p.default)))
                if n in self.block.params and n != p.name
            ]
            for p in self.block.params.values()
            if p.default is not None
        }
        done: set[str] = set()
        for start in needs:
            way: list[str] = []
            at: str | None = start
            while at is not None and at not in done and at not in way:
                way.append(at)
                at = next((n for n in needs.get(at, ()) if n not in done and n in needs), None)
            if at in way:
                circle = way[way.index(at) :]
                shown = " -> ".join([*circle, circle[0]])
                span = self.block.params[circle[0]].name_span
                self.scope.error(
                    "A251", f"defaults need each other: {shown}", span, "give one of them a number"
                )
            done.update(way)

    # Nodes

    def node(self, node: Node) -> None:
        """A node: what it calls, with which arguments, and how it is arranged."""
        repeat = node.repeat or node.parallel
        extra = frozenset(repeat.names) if repeat is not None else frozenset()
        if repeat is not None:
            self.expressions.check(repeat.count, Where())
        for condition in (node.when, node.choose):
            if condition is not None:
                self.expressions.check(condition, Where(extra=extra, calls=False))
        for call in node.calls:
            self._call(node, call, extra)
            if node.share:
                self._shared(node, call, extra)
        if node.choose is not None:
            self._cases(node, node.choose)

    def _call(self, node: Node, call: Call, extra: frozenset[str]) -> None:
        scope = self.scope
        name = call.name.id
        callee = Any_.CALLEE if name in extra else scope.callee(name)
        if callee is None:
            scope.no_callee(call.name, "operator or block", scope.callables())
            return
        self.expressions.arguments(call.arguments, callee, name, extra)
        if node.preset is None or isinstance(callee, Any_):
            return
        if isinstance(callee, type):
            message = f"`{name}` is an operator and has no presets"
            scope.error("A256", message, node.preset_span or node.name_span, "drop `preset`")
        elif isinstance(callee, Block) and node.preset not in callee.presets:
            if f"@{node.preset}" in callee.broken:
                return
            close = did_you_mean(node.preset, callee.presets)
            listed = ", ".join(f"`{p}`" for p in callee.presets)
            help = f"did you mean `{close}`?" if close else f"it has {listed or 'no presets'}"
            scope.error(
                "A256", f"`{name}` has no preset `{node.preset}`", node.preset_span or node.name_span, help
            )

    def _shared(self, node: Node, call: Call, extra: frozenset[str]) -> None:
        """One set of weights has one set of arguments."""
        if call.name.id in extra:
            message = f"the copies of `{node.name}` share their weights, so they cannot call `{call.name.id}`"
            help = "drop `share`, or call the same for all copies"
            self.scope.error("A254", message, call.name.span, help)
        for argument in call.arguments:
            for name in sorted(free_names(argument.value) & extra):
                message = f"the copies of `{node.name}` share their weights, so no argument may use `{name}`"
                help = "drop `share`, or write the same arguments for all copies"
                self.scope.error("A254", message, argument.span, help)

    def _cases(self, node: Node, choose: Expr) -> None:
        """The cases must be values that the expression can have, where its type is plain to see."""
        possible = self._values(choose)
        if possible is None:
            return
        wanted = ", ".join(_shown(v) for v in possible)
        for key in node.cases:
            if not any(key is v or (isinstance(key, str) and key == v) for v in possible):
                message = f"`choose` never gives {_shown(key)}: it gives {wanted}"
                close = (
                    did_you_mean(key, [v for v in possible if isinstance(v, str)])
                    if isinstance(key, str)
                    else None
                )
                help = f"did you mean `{close}`?" if close else f"the cases are {wanted}"
                self.scope.error("A257", message, node.case_spans[key], help)

    def _values(self, expr: Expr) -> list[Any] | None:
        """All values that an expression can have; None where they cannot be told."""
        if isinstance(expr, Compare) or (isinstance(expr, Unary) and expr.op == "not"):
            return [True, False]
        param = self.block.params.get(expr.id) if isinstance(expr, Name) else None
        if param is None:
            return [True, False] if isinstance(expr, Name) and expr.id in self.block.inputs else None
        null = [None] if param.type.optional else []
        if isinstance(param.type, Bool):
            return [True, False, *null]
        return [*param.type.words, *null] if isinstance(param.type, Choice) else None

    def checkpoints(self) -> None:
        """Note what the maps of checkpoints name in brackets; their own checks read them."""
        if self.block.checkpoints is not None:
            for inner in re.findall(r"[<\[(]([^<>\n]*)", self.block.checkpoints.span.text):
                self.scope.used.update(re.findall(r"[A-Za-z_]\w*", inner, re.ASCII))

    # Weights

    def weights(self) -> None:
        """`init` and `tie`: the operators and nodes that they name must be there."""
        for rule in self.block.init:
            for name, span in zip(rule.ops, rule.ops_spans, strict=True):
                self._init_op(name, span)
            for call in rule.settings.values():
                for argument in call.arguments:
                    self.expressions.check(argument.value, Where(words=None, calls=False))
        for tie in self.block.tie:
            self._path(tie.a, tie.a_span)
            self._path(tie.b, tie.b_span)
            if tie.when is not None:
                self.expressions.check(tie.when, NUMBER)

    def _init_op(self, name: str, span: Span) -> None:
        ops = self.scope.ops
        if name.startswith("nn.") or ops.get(name) is not None or not ops.whole:
            return
        close = did_you_mean(name, ops.names())
        help = (
            f"did you mean `{close}`?" if close else "`op` names operators; `at` names nodes by their paths"
        )
        self.scope.error("A253", f"there is no operator `{name}`", span, help)

    def _path(self, path: str, span: Span) -> None:
        node = path.partition(".")[0]
        if node in self.block.nodes or node in self.block.broken:
            return
        close = did_you_mean(node, self.block.nodes)
        help = (
            f"did you mean `{close}`?"
            if close
            else "a weight's name is the path of nodes to it: `head.weight`"
        )
        self.scope.error("A252", f"`{path}`: there is no node `{node}`", span, help)


def _shown(value: Any) -> str:
    words = {True: "true", False: "false", None: "null"}
    return f"`{words[value] if value is None or isinstance(value, bool) else value}`"
