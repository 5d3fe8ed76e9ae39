"""How weights begin, and which are one tensor: a block's `init` and `tie`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from archc.graph.ir import Graph, Rule
from archc.graph.numbers import Numbers
from archc.graph.values import Failed
from archc.graph.weights import of_operator
from archc.lang.schema import Block, InitRule, Tie
from archc.ops.base import Op, ShapeError, Weight
from archc.ops.table import TABLE
from archc.source.diagnostic import did_you_mean

if TYPE_CHECKING:
    from archc.ops.initialisers import Initialiser

Owned = tuple[str, Op, Weight]
"""A tensor below a block: its path, the operator that owns it, and what it is."""

STORED = ("param", "buffer")
"""Operators that are one tensor: its path is the node's."""


def read_rules(numbers: Numbers, block: Block, graph: Graph) -> None:
    """Evaluate a block's `init` and `tie` and put them into its Graph; raises Failed."""
    wrong = False
    rules = []
    # An outline does not know all its weights.
    owned = tuple(_owned(graph)) if (block.init or block.tie) and not graph.outline else ()
    for rule in block.init:
        try:
            settings = {name: numbers.initialiser(call) for name, call in rule.settings.items()}
            rules.append(Rule(rule.ops, rule.at, settings, rule.span))
            if not graph.outline:
                _check_rule(numbers, owned, rule, rules[-1])
        except Failed:
            wrong = True
    graph.initialisers = tuple(rules)
    ties = []
    for tie in block.tie if not graph.outline else ():
        try:
            if tie.when is None or numbers.decide(tie.when, "`when`") is True:
                _check_tie(numbers, {path: weight for path, _, weight in owned}, tie)
                ties.append((tie.a, tie.b))
        except Failed:
            wrong = True
    graph.ties = tuple(ties)
    if wrong:
        raise Failed


def _check_rule(numbers: Numbers, owned: tuple[Owned, ...], written: InitRule, rule: Rule) -> None:
    """Each setting of a rule must speak of a weight that there is, and fit all that it matches."""
    matched: dict[str, set[tuple]] = {}
    for path, op, weight in owned:
        name = _speaks_of(rule, path, op)
        if name is not None:
            matched.setdefault(name, set()).add(weight.shape)
    unknown = any(
        numbers.library.operator(numbers.block, op) is None for op in rule.ops
    )  # told by the static checks
    for name, initialiser in rule.settings.items():
        if name not in matched and not unknown:
            known = ", ".join(f"`{k}`" for k in sorted(matched))
            help = f"it finds {known}" if known else "nothing has these operators or paths"
            numbers.context.error("A505", f"this rule finds no `{name}`", rule.span, help)
        for shape in matched.get(name, ()):
            try:
                initialiser.check(shape)
            except ShapeError as refused:
                numbers.context.fail("A502", refused.message, written.settings[name].span, refused.help)


def _check_tie(numbers: Numbers, owned: dict[str, Weight], tie: Tie) -> None:
    for name, span in ((tie.a, tie.a_span), (tie.b, tie.b_span)):
        if name not in owned:
            close = did_you_mean(name, owned)
            help = f"did you mean `{close}`?" if close else None
            numbers.context.fail("A503", f"there is no weight `{name}`", span, help)
    a, b = owned[tie.a], owned[tie.b]
    if a.shape != b.shape:
        shapes = (f"[{', '.join(map(str, w.shape))}]" for w in (a, b))
        numbers.context.fail("A504", f"`{tie.a}` is {next(shapes)} and `{tie.b}` is {next(shapes)}", tie.span)


def initial(graph: Graph) -> dict[str, Initialiser]:
    """What a block must set once its parts are made: an initialiser for each weight below it that
    its own rules decide. Rules of the blocks inside it come later and win; so does the `init` that a
    `param` of theirs gives itself. Where several rules match, the last one does."""
    if not graph.initialisers:
        return {}
    found: dict[str, Initialiser] = {}
    decided = _decided_inside(graph)
    for path, op, _ in _owned(graph):
        if path in decided:
            continue
        for rule in graph.initialisers:
            name = _speaks_of(rule, path, op)
            if name in rule.settings:
                found[path] = rule.settings[name]
    return found


@lru_cache(maxsize=4096)
def _decided(graph: Graph) -> frozenset[str]:
    """The weights below a block that its rules, or those inside it, decide."""
    own = {path for path, op, _ in _owned(graph) if "." not in path and _has_init(op)}
    return frozenset({*initial(graph), *_decided_inside(graph), *own})


def _decided_inside(graph: Graph) -> set[str]:
    found: set[str] = set()
    for member in graph.members.values():
        for path, copy in member.owned:
            if isinstance(copy.target, Graph):
                found.update(f"{path}.{inner}" for inner in _decided(copy.target))
    return found


def _has_init(op: Op) -> bool:
    return "init" in op.model_fields_set


def _owned(graph: Graph) -> Iterator[Owned]:
    """Every tensor below a block."""
    for member in graph.members.values():
        for path, copy in member.owned:
            if isinstance(copy.target, Op):
                for name, weight in of_operator(copy.target, copy).items():
                    yield f"{path}.{name}" if name else path, copy.target, weight
            elif copy.target is not None:
                for inner, op, weight in _below(copy.target):
                    yield f"{path}.{inner}", op, weight


@lru_cache(maxsize=4096)
def _below(graph: Graph) -> tuple[Owned, ...]:
    return tuple(_owned(graph))


def _speaks_of(rule: Rule, path: str, op: Op) -> str | None:
    """The setting of a rule that a weight has, by its name below its node; None: no match."""
    if rule.ops and not _is_one_of(type(op), rule.ops):
        return None
    node, _, name = (path, "", "weight") if _is_one_of(type(op), STORED) else path.rpartition(".")
    if rule.at and not any(_pattern(a).fullmatch(node) for a in rule.at):
        return None
    return name


@lru_cache(maxsize=1024)
def _is_one_of(op: type[Op], names: tuple[str, ...]) -> bool:
    """Is an operator one of these, by this name or another?"""
    own = op.title()
    return any(TABLE.get(name, name) == TABLE.get(own, own) for name in names)


@lru_cache(maxsize=1024)
def _pattern(at: str) -> re.Pattern[str]:
    """A path with `*` for anything, dots included."""
    return re.compile(".*".join(re.escape(part) for part in at.split("*")))
