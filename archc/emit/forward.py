"""A class's forward: steps put together as straight-line statements.

Values without a name of their own are written where they are used, as long as the line stays
readable; neighbours that need the same optional value share one `if`.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from archc.emit import printer
from archc.emit.coded import CODED, expression, replace, statements
from archc.emit.order import Guard, Step, Value
from archc.graph.ir import Graph, Ref
from archc.source.text import Span

DEEPEST = 3
"""Calls inside each other on one line."""


_READ = re.compile(r"self(\.[A-Za-z_]\w*)+")


@dataclass(slots=True)
class Pending:
    """A value that is not written yet, because it may stand where it is used."""

    name: str
    value: ast.expr
    guard: Guard
    span: Span


@dataclass(slots=True)
class Piece:
    """Statements under one guard."""

    statements: list[ast.stmt]
    guard: Guard
    span: Span


@dataclass(slots=True)
class Composer:
    """Turns the steps of a flow into statements whose values have coded names."""

    graph: Graph
    needs: dict[Value, Guard]
    resolve: Callable[[str], ast.expr | None]  # coded numbers and the like
    provisional: Callable[[str], str]  # about how a value will be called
    named: set[str]
    counts: Counter[str] = field(default_factory=Counter)
    repeated: set[str] = field(default_factory=set)
    reads: dict[str, str] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)
    parsed: dict[int, list[ast.stmt]] = field(default_factory=dict)

    def compose(self, steps: list[Step], results: list[str]) -> list[ast.stmt]:
        steps = self._without_reads(steps, set(results))
        self._prepare(steps)
        for result in results:
            self.counts[result] += 1
        pieces = self._list(steps, 2, frozenset())
        for result in results:
            pieces += self._write([result])
        return self._grouped(pieces, frozenset(), set(results))

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
                        self.repeated |= _names(node.body)
                    elif isinstance(node, (ast.ListComp, ast.GeneratorExp)):
                        self.repeated |= _names([node.elt])
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
            pieces += self._insert(tree, step.guard | known, depth + bool(step.guard - known), step)
            target = _single_target(tree)
            if target is not None and self._may_wait(target):
                assert isinstance(tree[0], ast.Assign)
                self.pending[target] = Pending(target, tree[0].value, step.guard, step.span)
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

    def _insert(self, tree: list[ast.stmt], guard: Guard, depth: int, step: Step) -> list[Piece]:
        """Write pending values into statements that use them; those that do not fit become
        statements of their own, which are returned."""
        used = [n for n in _loads(tree) if n in self.pending]
        if not used:
            return []
        before = [n for n in used if not self.pending[n].guard <= guard]
        inside = [n for n in used if n not in before]
        while inside and not self._fits(tree, inside, depth):
            largest = max(inside, key=lambda n: self._length(self.pending[n].value))
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
        deep = {n: _nesting(v) for n, v in values.items()}
        for statement in tree:
            room = printer.WIDTH - 4 * depth - self._head(statement)
            for part in _expressions(statement):
                if not _loads_of(part) & values.keys():
                    continue
                if len(self._text(part, values)) > room or _nesting(part, deep) > DEEPEST:
                    return False
        return True

    def _head(self, statement: ast.stmt) -> int:
        """About how long the statement is besides its value."""
        if isinstance(statement, ast.Assign):
            return sum(len(self._text(t)) + 3 for t in statement.targets)
        if isinstance(statement, ast.For):
            return len(self._text(statement.target)) + 9
        return 7

    def _text(self, node: ast.expr, values: Mapping[str, ast.expr] | None = None) -> str:
        """About how an expression will read, with `values` for names."""

        def name(match: re.Match[str]) -> str:
            value = values.get(match[0]) if values else None
            return self.provisional(match[0]) if value is None else self._text(value)

        return CODED.sub(name, printer.expression(node))

    def _length(self, node: ast.expr) -> int:
        return len(self._text(node))

    # -- choices ---------------------------------------------------------------------------

    def _choice(self, step: Step, tree: list[ast.stmt], depth: int, known: Guard) -> list[Piece]:
        branch = tree[0]
        assert isinstance(branch, ast.If) and step.arms is not None
        pieces = self._write([n for n in _loads_of(branch.test) if n in self.pending])
        sides = []
        for arm, body, there in zip(step.arms, (branch.body, branch.orelse), step.known, strict=True):
            inner = self._list(arm, depth + 1, known | there)
            inner += self._insert(body, known | there, depth + 1, step)
            sides.append([*self._grouped(inner, known | there, set(_loads(body))), *body])
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
        fits = self._length(value) + self._head(whole) + 4 * depth <= printer.WIDTH
        return whole if fits and _nesting(value) <= 2 else None

    # -- guards ----------------------------------------------------------------------------

    def _grouped(self, pieces: list[Piece], known: Guard, results: set[str]) -> list[ast.stmt]:
        """Neighbours of one guard under one `if`."""
        groups: list[tuple[Guard, list[ast.stmt]]] = []
        sure = {f"ρ{n}_{o}" for n, o in known}
        for piece in pieces:
            _spanned(piece)
            guard = frozenset(v for v in piece.guard - known if f"ρ{v[0]}_{v[1]}" not in sure)
            if not guard and known:
                piece.statements = self._simplified(piece.statements, sure)
            if groups and groups[-1][0] == guard:
                groups[-1][1].extend(piece.statements)
            else:
                groups.append((guard, list(piece.statements)))
        last = {name: number for number, (_, body) in enumerate(groups) for name in _names(body)}
        out: list[ast.stmt] = []
        for number, (guard, body) in enumerate(groups):
            if not guard:
                out += body
                continue
            short = self._short(guard, body)
            escaping = [
                n
                for n in _stored(body)
                if n[0] == "ρ" and self.needs.get(_value(n)) and (n in results or last[n] > number)
            ]
            if escaping and short is not None:
                out.append(short)
                continue
            for name in escaping:
                none = ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None))
                none.span = getattr(body[0], "span", None)  # type: ignore[attr-defined]
                out.append(none)
            branch = ast.If(self._test(guard, body), body, [])
            branch.span = getattr(body[0], "span", None)  # type: ignore[attr-defined]
            branch.body = self._joined(body)
            out.append(branch)
        return self._joined(out)

    def _joined(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """`x = a` and `x = x + b` behind it as one statement."""
        out: list[ast.stmt] = []
        for statement in body:
            target = _single_target([statement])
            if out and target is not None and target[0] == "ρ" and _single_target([out[-1]]) == target:
                before = out[-1]
                assert isinstance(before, ast.Assign) and isinstance(statement, ast.Assign)
                reads = [n for n in ast.walk(statement.value) if isinstance(n, ast.Name) and n.id == target]
                if len(reads) == 1:
                    whole = replace(copy.deepcopy(statement.value), {target: before.value}.get)
                    if (
                        self._length(whole) + self._head(statement) + 8 <= printer.WIDTH
                        and _nesting(whole) <= DEEPEST
                    ):
                        statement.value = whole
                        out.pop()
            out.append(statement)
        return out

    def _simplified(self, body: list[ast.stmt], sure: set[str]) -> list[ast.stmt]:
        """Statements without tests of what is sure to be there; what they make is added to `sure`."""
        out: list[ast.stmt] = []
        for statement in body:
            if isinstance(statement, ast.If):
                holds = _known_test(statement.test, sure)
                if holds is not None:
                    out += self._simplified(statement.body if holds else statement.orelse, sure)
                    continue
                before = set(sure)
                for part in (statement.body, statement.orelse):
                    inner = set(before)
                    part[:] = self._simplified(part, inner)
                    sure &= inner
            elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                while isinstance(statement.value, ast.IfExp):
                    holds = _known_test(statement.value.test, sure)
                    if holds is None:
                        break
                    statement.value = statement.value.body if holds else statement.value.orelse
                if self._is_there(statement.value, sure):
                    sure.add(statement.targets[0].id)
                else:
                    sure.discard(statement.targets[0].id)
            out.append(statement)
        return out

    def _is_there(self, value: ast.expr, sure: set[str]) -> bool:
        """Is an expression surely no None?"""
        match value:
            case ast.Name(id=name):
                return name in sure or (name[0] == "ρ" and not self.needs.get(_value(name)))
            case ast.IfExp():
                return self._is_there(value.body, sure) and self._is_there(value.orelse, sure)
            case ast.Constant(value=None):
                return False
        return True

    def _short(self, guard: Guard, body: list[ast.stmt]) -> ast.stmt | None:
        """`t = f(x) if x is not None else None`, where that is all and fits on a line."""
        target = _single_target(body)
        if target is None or target[0] != "ρ":
            return None
        assert isinstance(body[0], ast.Assign)
        value = ast.IfExp(self._test(guard, body), body[0].value, ast.Constant(None))
        short = ast.Assign(body[0].targets, value)
        short.span = getattr(body[0], "span", None)  # type: ignore[attr-defined]
        return short if self._length(value) + self._head(short) + 8 <= printer.WIDTH else None

    def _test(self, guard: Guard, body: list[ast.stmt]) -> ast.expr:
        """That what the statements use is there: by the values themselves, so that a type
        checker follows."""
        made: set[str] = set()
        used: list[Value] = []
        covered: set[Value] = set()
        for statement in body:
            for name in _loads([statement]):
                if name[0] != "ρ" or name in made:
                    continue
                value = _value(name)
                needs = self.needs.get(value, frozenset())
                if needs and needs <= guard and value not in used:
                    used.append(value)
                    covered |= needs
            made |= set(_stored([statement]))
        tested = sorted(guard - covered) + used
        tests = [
            ast.Compare(ast.Name(f"ρ{n}_{o}", ast.Load()), [ast.IsNot()], [ast.Constant(None)])
            for n, o in tested
        ]
        return tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), list(tests))


def _known_test(test: ast.expr, sure: set[str]) -> bool | None:
    """What `x is None` or `x is not None` comes to where x is sure to be there."""
    match test:
        case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[ast.Constant(value=None)]) if (
            name in sure
        ):
            return isinstance(op, ast.IsNot)
    return None


def _value(name: str) -> Value:
    node, _, out = name[1:].partition("_")
    return int(node), int(out)


def _spanned(piece: Piece) -> None:
    for statement in piece.statements:
        if getattr(statement, "span", None) is None:
            statement.span = piece.span  # type: ignore[attr-defined]


def _names(tree: Iterable[ast.AST]) -> set[str]:
    return {n.id for part in tree for n in ast.walk(part) if isinstance(n, ast.Name)}


def _loads(tree: Iterable[ast.AST]) -> list[str]:
    """The names that statements read, in order."""
    found: dict[str, None] = {}
    for part in tree:
        for node in ast.walk(part):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found[node.id] = None
    return list(found)


def _loads_of(node: ast.AST) -> set[str]:
    return set(_loads([node]))


def _stored(tree: Iterable[ast.AST]) -> list[str]:
    found: dict[str, None] = {}
    for part in tree:
        for node in ast.walk(part):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found[node.id] = None
    return list(found)


def _single_target(tree: list[ast.stmt]) -> str | None:
    """The name that one plain assignment makes."""
    if len(tree) != 1 or not isinstance(tree[0], ast.Assign):
        return None
    target = tree[0].targets[0]
    return target.id if isinstance(target, ast.Name) else None


def _expressions(statement: ast.stmt) -> list[ast.expr]:
    """The expressions that stand on a line with others of a statement."""
    if isinstance(statement, (ast.Assign, ast.Return, ast.Expr)):
        return [statement.value] if statement.value is not None else []
    found = []
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            found += _expressions(child)
        elif isinstance(child, ast.expr):
            found.append(child)
    return found


def _nesting(node: ast.AST, known: Mapping[str, int] | None = None) -> int:
    """How deep calls stand inside each other's arguments; `known` for values that names stand for."""
    if isinstance(node, ast.Name):
        return known.get(node.id, 0) if known else 0
    if isinstance(node, ast.Call):
        given = [*node.args, *(k.value for k in node.keywords)]
        inner = max((_nesting(a, known) for a in given), default=0)
        return max(inner + 1, _nesting(node.func, known))
    return max((_nesting(child, known) for child in ast.iter_child_nodes(node)), default=0)


def result_names(graph: Graph) -> list[str]:
    return [f"ρ{r.node}_{r.out}" for r in graph.outputs.values()]


def line_names(graph: Graph) -> dict[Ref | int, str]:
    """Names that the flow gives: of values by Ref, of the other nodes of a line by number."""
    found: dict[Ref | int, str] = {}
    for line in graph.lines:
        for name, ref in zip(line.names, line.refs, strict=False):
            found.setdefault(ref, name)
        for node in line.nodes:
            if line.names:
                found.setdefault(node, line.names[0])
    return found
