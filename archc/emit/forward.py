"""A class's forward: steps put together as straight-line statements.

Values without a name of their own are written where they are used, as long as the line stays
readable.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from archc.emit import printer
from archc.emit.coded import expression, replace, statements
from archc.emit.guards import Guards, Piece
from archc.emit.measure import DEEPEST, Measure, expressions, nesting
from archc.emit.order import Guard, Step, Value
from archc.emit.variables import loads, names, sole_target
from archc.source.text import Span

_READ = re.compile(r"self(\.[A-Za-z_]\w*)+")


@dataclass(slots=True)
class Pending:
    """A value that is not written yet, because it may stand where it is used."""

    value: ast.expr
    guard: Guard
    span: Span


class Composer:
    """Turns the steps of a flow into statements whose values have coded names.

    `needs`: what must be there for a value to be; `resolve`: coded numbers and the like;
    `provisional`: about how a value will be called; `named`: the values that have names of their own."""

    def __init__(
        self,
        needs: dict[Value, Guard],
        resolve: Callable[[str], ast.expr | None],
        provisional: Callable[[str], str],
        named: set[str],
    ) -> None:
        self.resolve = resolve
        self.named = named
        self.measure = Measure(provisional)
        self.guards = Guards(needs, self.measure)
        self.counts: Counter[str] = Counter()
        self.repeated: set[str] = set()
        self.reads: dict[str, str] = {}
        self.pending: dict[str, Pending] = {}
        self.parsed: dict[int, list[ast.stmt]] = {}

    def compose(self, steps: list[Step], results: list[str]) -> list[ast.stmt]:
        steps = self._without_reads(steps, set(results))
        self._prepare(steps)
        for result in results:
            self.counts[result] += 1
        pieces = self._list(steps, 2, frozenset())
        for result in results:
            pieces += self._write([result])
        return self.guards.grouped(pieces, frozenset(), set(results))

    def _without_reads(self, steps: list[Step], results: set[str]) -> list[Step]:
        """A weight that is read stands as `self.name` wherever it is used."""
        kept = []
        for step in steps:
            target, _, source = step.text.partition(" = ")
            if _READ.fullmatch(source) and target not in self.named | results:
                self.reads[target] = source
                continue
            if step.arms is not None:
                for arm in step.arms:
                    arm[:] = self._without_reads(arm, results)
            kept.append(step)
        return kept

    def _prepare(self, steps: list[Step]) -> None:
        for step in steps:
            tree = statements(step.text)
            if self.reads:
                tree = [
                    replace(s, lambda n: expression(self.reads[n]) if n in self.reads else None) for s in tree
                ]
            tree = [replace(s, self.resolve) for s in tree]
            self.parsed[id(step)] = tree
            for statement in tree:
                for node in ast.walk(statement):
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                        self.counts[node.id] += 1
                    if isinstance(node, ast.For):
                        self.repeated |= names(node.body)
                    elif isinstance(node, (ast.ListComp, ast.GeneratorExp)):
                        self.repeated |= names([node.elt])
            for arm in step.arms or ():
                self._prepare(arm)

    # -- writing values where they are used ------------------------------------------------

    def _list(self, steps: list[Step], depth: int, known: Guard) -> list[Piece]:
        pieces: list[Piece] = []
        for step in steps:
            tree = self.parsed[id(step)]
            if step.arms is not None:
                pieces += self._choice(step, tree, depth, known)
                continue
            pieces += self._insert(tree, step.guard | known, depth + bool(step.guard - known))
            target = sole_target(tree)
            if target is not None and self._may_wait(target):
                assert isinstance(tree[0], ast.Assign)
                self.pending[target] = Pending(tree[0].value, step.guard, step.span)
            else:
                pieces.append(Piece(tree, step.guard, step.span))
        return pieces

    def _may_wait(self, name: str) -> bool:
        return (
            self.counts[name] == 1
            and name not in self.named
            and name not in self.repeated
            and name.startswith("ρ")
        )

    def _insert(self, tree: list[ast.stmt], guard: Guard, depth: int) -> list[Piece]:
        """Write pending values into statements that use them; those that do not fit become
        statements of their own, which are returned."""
        used = [n for n in loads(tree) if n in self.pending]
        if not used:
            return []
        before = [n for n in used if not self.pending[n].guard <= guard]
        inside = [n for n in used if n not in before]
        movable = [n for n in inside if not _is_plain(self.pending[n].value)]
        while movable and not self._fits(tree, inside, depth):
            largest = max(movable, key=lambda n: self.measure.length(self.pending[n].value))
            movable.remove(largest)
            inside.remove(largest)
            before.append(largest)
        pieces = self._write([n for n in used if n in before])
        values = {n: self.pending.pop(n).value for n in inside}
        for index, statement in enumerate(tree):
            tree[index] = replace(statement, values.get)
        return pieces

    def _write(self, names: Iterable[str]) -> list[Piece]:
        """Pending values as statements."""
        pieces = []
        for name in names:
            waiting = self.pending.pop(name, None)
            if waiting is not None:
                target = ast.Name(name, ast.Store())
                pieces.append(Piece([ast.Assign([target], waiting.value)], waiting.guard, waiting.span))
        return pieces

    def _fits(self, tree: list[ast.stmt], names: list[str], depth: int) -> bool:
        values = {n: self.pending[n].value for n in names}
        deep = {n: nesting(v) for n, v in values.items()}
        for statement in tree:
            room = printer.WIDTH - 4 * depth - self.measure.head(statement)
            for part in expressions(statement):
                if values.keys().isdisjoint(loads([part])):
                    continue
                if len(self.measure.text(part, values)) > room or nesting(part, deep) > DEEPEST:
                    return False
        return True

    # -- choices ---------------------------------------------------------------------------

    def _choice(self, step: Step, tree: list[ast.stmt], depth: int, known: Guard) -> list[Piece]:
        branch = tree[0]
        assert isinstance(branch, ast.If) and step.arms is not None
        pieces = self._write([n for n in loads([branch.test]) if n in self.pending])
        sides = []
        for arm, body, there in zip(step.arms, (branch.body, branch.orelse), step.known, strict=True):
            inner = self._list(arm, depth + 1, known | there)
            inner += self._insert(body, known | there, depth + 1)
            sides.append([*self.guards.grouped(inner, known | there, set(loads(body))), *body])
        branch.body, branch.orelse = sides
        short = self._conditional(branch, depth)
        return [*pieces, Piece([short or branch], step.guard, step.span)]

    def _conditional(self, branch: ast.If, depth: int) -> ast.stmt | None:
        """`x = a if test else b`, where that fits on a line."""
        if len(branch.body) != 1 or len(branch.orelse) != 1:
            return None
        then, other = branch.body[0], branch.orelse[0]
        if not isinstance(then, ast.Assign) or not isinstance(other, ast.Assign):
            return None
        value = ast.IfExp(branch.test, then.value, other.value)
        whole = ast.Assign(then.targets, value)
        fits = self.measure.length(value) + self.measure.head(whole) + 4 * depth <= printer.WIDTH
        return whole if fits and nesting(value) <= 2 else None


def _is_plain(value: ast.expr) -> bool:
    """Is it a member of something that has a name, `skips[2]`, and gains nothing from one of its own?"""
    return (
        isinstance(value, ast.Subscript)
        and isinstance(value.value, ast.Name)
        and isinstance(value.slice, ast.Constant)
    )
