"""Values that may be None: statements under one `if` with their neighbours, and no test of what is sure."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass

from archc.emit import printer
from archc.emit.coded import replace
from archc.emit.measure import DEEPEST, Measure, nesting
from archc.emit.order import Guard, Value
from archc.emit.variables import loads, names, sole_target, stored
from archc.source.text import Span


@dataclass(slots=True)
class Piece:
    """Statements under one guard."""

    statements: list[ast.stmt]
    guard: Guard
    span: Span


@dataclass(slots=True)
class Guards:
    """Writes the tests of one forward. `needs`: what must be there for a value to be."""

    needs: dict[Value, Guard]
    measure: Measure

    def grouped(self, pieces: list[Piece], known: Guard, results: set[str]) -> list[ast.stmt]:
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
        last = {name: number for number, (_, body) in enumerate(groups) for name in names(body)}
        out: list[ast.stmt] = []
        for number, (guard, body) in enumerate(groups):
            if not guard:
                out += body
                continue
            short = self._short(guard, body)
            escaping = [
                n
                for n in stored(body)
                if n[0] == "ρ" and self.needs.get(_value(n)) and (n in results or last[n] > number)
            ]
            if escaping and short is not None:
                out.append(short)
                continue
            for name in escaping:
                none = ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None))
                none.span = getattr(body[0], "span", None)  # type: ignore[attr-defined]
                out.append(none)
            branch = ast.If(self._test(guard, body), self._joined(body), [])
            branch.span = getattr(body[0], "span", None)  # type: ignore[attr-defined]
            out.append(branch)
        return self._joined(out)

    def _joined(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """`x = a` and `x = x + b` behind it as one statement."""
        out: list[ast.stmt] = []
        for statement in body:
            target = sole_target([statement])
            if out and target is not None and target[0] == "ρ" and sole_target([out[-1]]) == target:
                before = out[-1]
                assert isinstance(before, ast.Assign) and isinstance(statement, ast.Assign)
                reads = [n for n in ast.walk(statement.value) if isinstance(n, ast.Name) and n.id == target]
                if len(reads) == 1:
                    whole = replace(copy.deepcopy(statement.value), {target: before.value}.get)
                    if (
                        self.measure.length(whole) + self.measure.head(statement) + 8 <= printer.WIDTH
                        and nesting(whole) <= DEEPEST
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
        target = sole_target(body)
        if target is None or target[0] != "ρ":
            return None
        assert isinstance(body[0], ast.Assign)
        value = ast.IfExp(self._test(guard, body), body[0].value, ast.Constant(None))
        short = ast.Assign(body[0].targets, value)
        short.span = getattr(body[0], "span", None)  # type: ignore[attr-defined]
        return short if self.measure.length(value) + self.measure.head(short) + 8 <= printer.WIDTH else None

    def _test(self, guard: Guard, body: list[ast.stmt]) -> ast.expr:
        """That what the statements use is there: by the values themselves, so that a type
        checker follows."""
        made: set[str] = set()
        used: list[Value] = []
        covered: set[Value] = set()
        for statement in body:
            for name in loads([statement]):
                if name[0] != "ρ" or name in made:
                    continue
                value = _value(name)
                needs = self.needs.get(value, frozenset())
                if needs and needs <= guard and value not in used:
                    used.append(value)
                    covered |= needs
            made |= set(stored([statement]))
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
