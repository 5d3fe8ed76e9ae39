"""Final names of a forward's variables: a name may serve again where its value is no longer needed."""

from __future__ import annotations

import ast
from bisect import bisect, insort
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass

from archc.emit.coded import negated, replace
from archc.emit.names import RESERVED
from archc.emit.variables import names

# Whether two variables meet is asked exactly where few have the name, in a short forward.
MOST_HOLDERS = 4
LONGEST = 200


@dataclass(slots=True, order=True)
class Life:
    """From where to where a variable is needed, in statements."""

    first: int
    last: int


def lives(body: list[ast.stmt], arguments: Iterable[str]) -> dict[str, Life]:
    """The life of every coded variable, in order of appearance."""
    found: dict[str, Life] = {name: Life(0, 0) for name in arguments}
    at = 0

    def note(node: ast.AST, position: int) -> None:
        for name in ast.walk(node):
            if isinstance(name, ast.Name) and name.id[0] in "ρδλ":
                life = found.setdefault(name.id, Life(position, position))
                life.last = max(life.last, position)

    def visit(statements: list[ast.stmt]) -> None:
        nonlocal at
        for statement in statements:
            at += 1
            if isinstance(statement, ast.If):
                note(statement.test, at)
                visit(statement.body)
                visit(statement.orelse)
            elif isinstance(statement, ast.For):
                before = set(found)
                note(statement.iter, at)
                note(statement.target, at)
                visit(statement.body)
                # What a loop reads is needed until its last turn.
                for name in names([statement]):
                    if name in before:
                        found[name].last = max(found[name].last, at + 1)
                at += 1
            else:
                note(statement, at)

    visit(body)
    return found


def settle(
    body: list[ast.stmt],
    arguments: dict[str, str],
    wishes: Callable[[str], list[str]],
    taken: Iterable[str],
    fixed: Callable[[str], str | None],
    declared: Container[str] = (),
) -> list[ast.stmt]:
    """Give every coded variable its name, in place. `arguments`: those that have theirs already;
    `fixed`: the name that the spec gives to a value, which nothing else may disturb; `declared`:
    arguments whose type says that they may be None, so that no other value may take their name."""
    found = lives(body, arguments)
    names: dict[str, str] = dict(arguments)
    held: dict[str, list[Life]] = {}
    holders: dict[str, list[str]] = {}
    for coded, name in arguments.items():
        insort(held.setdefault(name, []), found[coded])
        holders.setdefault(name, []).append(coded)
    forbidden = set(RESERVED) | set(taken)

    def free(name: str, life: Life) -> bool:
        if name in forbidden:
            return False
        # Lives of one name follow each other, so only the neighbours can be in the way.
        others = held.get(name, [])
        at = bisect(others, life)
        return not (
            (at and others[at - 1].last > life.first) or (at < len(others) and others[at].first < life.last)
        )

    def apart(coded: str, name: str) -> bool:
        """May a value have the name of others, though it lives from before them until after they begin?"""
        others = holders.get(name, [])
        if name in forbidden or len(others) > MOST_HOLDERS or len(body) > LONGEST:
            return False
        return all(other not in arguments and not _meet(body, coded, other) for other in others)

    def give(coded: str, candidates: list[str]) -> None:
        life = found[coded]
        chosen = next((c for c in candidates if free(c, life)), None)
        if chosen is None and coded[0] == "ρ" and apart(coded, candidates[0]):
            chosen = candidates[0]
            both = [*held[chosen], life]
            held[chosen] = []  # the lives of a name must follow each other
            life = Life(min(other.first for other in both), max(other.last for other in both))
        number = 1
        while chosen is None:
            number += 1
            candidate = f"{candidates[-1].rstrip('_')}_{number}"
            chosen = candidate if free(candidate, life) else None
        names[coded] = chosen
        insort(held.setdefault(chosen, []), life)
        holders.setdefault(chosen, []).append(coded)

    for coded in _unread(body):
        names[coded] = "_"
    carried = _carried(body)
    named = [c for c in found if c not in names and fixed(c) is not None]
    for coded in named:
        name = str(fixed(coded))
        give(coded, [name, f"{name}_"])
    for coded in found:
        if coded in names:
            continue
        candidates = wishes(coded)
        source = carried.get(coded)
        if source in names and source not in declared and found[source].last <= found[coded].first:
            candidates = [names[source], *candidates]
        give(coded, candidates)

    def rename(name: str) -> ast.expr | None:
        return ast.Name(names[name], ast.Load()) if name in names else None

    return _without_copies(_started([replace(s, rename) for s in body]))


def _meet(body: list[ast.stmt], a: str, b: str) -> bool:
    """Is there a place where one of two variables is made while the other is still needed?"""
    met = False

    def before(statements: list[ast.stmt], needed: set[str]) -> set[str]:
        nonlocal met
        for statement in reversed(statements):
            used = names([statement]) & {a, b}
            if isinstance(statement, ast.If):
                after = needed
                needed = before(statement.body, after) | before(statement.orelse, after)
                needed |= names([statement.test]) & {a, b}
            elif isinstance(statement, ast.Assign):
                made = names(statement.targets) & {a, b}
                met |= len(made) == 2 or bool(made and needed - made)
                needed = (needed - made) | (names([statement.value]) & {a, b})
            elif isinstance(statement, ast.Return):
                needed = used
            else:
                met |= bool(used)  # a loop begins anew with what it made
        return needed

    before(body, set())
    return met


def _unread(body: list[ast.stmt]) -> set[str]:
    """Variables that only take up a place among several outputs."""
    found: set[str] = set()
    read: set[str] = set()
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                read.add(node.id)
            elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Store):
                found.update(n.id for n in node.elts if isinstance(n, ast.Name))
    return {name for name in found - read if name[0] in "ρλ"}


def _carried(body: list[ast.stmt]) -> dict[str, str]:
    """Variables that start as another: `x = h`."""
    found: dict[str, str] = {}
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = node.value
                # `h + t` of a sum that goes on: the first operand's name serves for the whole.
                while isinstance(value, ast.BinOp):
                    value = value.left
                if isinstance(value, ast.Name):
                    found.setdefault(node.targets[0].id, value.id)
    return found


def _started(body: list[ast.stmt]) -> list[ast.stmt]:
    """`t = x` that goes on as `t = t * y`, with nothing about either between: `t = x * y`."""
    kept = []
    for at, statement in enumerate(body):
        for part in ("body", "orelse"):
            if getattr(statement, part, None):
                setattr(statement, part, _started(getattr(statement, part)))
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Name(id=value)):
                first = _goes_on(body[at + 1 :], target, value)
                if first is not None:
                    first.id = value
                    continue
        kept.append(statement)
    return kept


def _goes_on(body: list[ast.stmt], target: str, value: str) -> ast.Name | None:
    """Where `target`, so far `value`, is the first operand of what it becomes."""
    for statement in body:
        if target in names([statement]):
            match statement:
                case ast.Assign(targets=[ast.Name(id=made)], value=first) if made == target:
                    while isinstance(first, ast.BinOp) and target not in names([first.right]):
                        first = first.left
                    return first if isinstance(first, ast.Name) and first.id == target else None
            return None
        if not isinstance(statement, ast.Assign) or value in names(statement.targets):
            return None
    return None


def _without_copies(body: list[ast.stmt]) -> list[ast.stmt]:
    """Without `x = x`."""
    kept = []
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Name(id=value)) if target == value:
                continue
        for part in ("body", "orelse"):
            if getattr(statement, part, None):
                setattr(statement, part, _without_copies(getattr(statement, part)))
        if isinstance(statement, ast.If) and not statement.body:
            if not statement.orelse:
                continue
            statement.test = negated(statement.test)
            statement.body, statement.orelse = statement.orelse, []
        kept.append(statement)
    return kept
