"""What a node of a spec is made of: how many copies, and what each of them calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from archc.graph.binding import Bound, bind_target, with_preset
from archc.graph.infer import FIX_PRESENCE
from archc.graph.numbers import Numbers
from archc.graph.values import Failed, Target
from archc.lang.schema import Node
from archc.lang.syntax import Call
from archc.lang.values import Given as Test
from archc.lang.values import Word, shown
from archc.lang.walk import free_names
from archc.shapes import Cond, Dim, Formula, plain, symbols

MOST_COPIES = 100_000


class Plan(NamedTuple):
    """A node's copies: what each calls, None where it is bypassed.

    `test`: a condition over open inputs under which the (single) copy is not bypassed."""

    node: Node
    copies: tuple[Bound | None, ...]
    arranged: str = ""
    test: tuple | None = None


def plan(numbers: Numbers, node: Node) -> Plan:
    """Evaluate a node's arguments; raises Failed, having told what is wrong with them."""
    arranged = "repeat" if node.repeat else "parallel" if node.parallel else ""
    repeat = node.repeat or node.parallel
    if repeat is None:
        bound, test = _one(numbers, node, None)
        return Plan(node, (bound,), "", test)
    loops = _loops(numbers, node)
    if not loops:
        return Plan(node, (), arranged)
    if free_variables(node).isdisjoint(repeat.names):
        bound, test = _one(numbers, node, loops[0])
        _static(numbers, node, test)
        return Plan(node, (bound,) * len(loops), arranged)
    if node.share and not _arguments(node).isdisjoint(repeat.names):
        raise Failed  # told by the static checks
    copies = []
    for names in loops:
        bound, test = _one(numbers, node, names)
        _static(numbers, node, test)
        copies.append(bound)
    if node.share:
        one = next((bound for bound in copies if bound is not None), None)
        copies = [bound and one for bound in copies]
    return Plan(node, tuple(copies), arranged)


def _static(numbers: Numbers, node: Node, test: tuple | None) -> None:
    if test is not None:
        assert node.when is not None
        numbers.context.fail(
            "A413", "`when` of a repeated node depends on an open input", node.when.span, FIX_PRESENCE
        )


def free_variables(node: Node) -> set[str]:
    """The names that a node's calls and conditions use."""
    found = _arguments(node)
    for condition in (node.when, node.choose):
        if condition is not None:
            found |= free_names(condition)
    return found


def _arguments(node: Node) -> set[str]:
    """The names that a node's calls use."""
    found: set[str] = set()
    for call in node.calls:
        found.add(call.name.id)
        for argument in call.arguments:
            found |= free_names(argument.value)
    return found


def _loops(numbers: Numbers, node: Node) -> list[dict[str, Any]]:
    """The loop's names for each copy."""
    repeat = node.repeat or node.parallel
    word = "repeat" if node.repeat else "parallel"
    assert repeat is not None
    value = numbers.evaluate(repeat.count)
    if isinstance(value, Dim | Formula | Cond):
        numbers.needs_static(symbols(value), repeat.count.span)
    fail = numbers.context.fail
    if isinstance(value, list | tuple) and not isinstance(value, Test):
        if len(value) > MOST_COPIES:
            fail("A410", f"`{word}` has {len(value):,} copies, more than {MOST_COPIES:,}", repeat.count.span)
        return [_row(numbers, node, i, row) for i, row in enumerate(value)]
    if isinstance(value, bool) or not isinstance(value, int):
        fail(
            "A410",
            f"`{word}` takes a number of copies or a list, not {shown(value)}",
            repeat.count.span,
            f"write `{word}: 4 as i`, or a list with an item for each copy",
        )
    if not 0 <= value <= MOST_COPIES:
        fail("A410", f"`{word}` takes from 0 to {MOST_COPIES:,} copies, not {value:,}", repeat.count.span)
    if len(repeat.names) > 1:
        fail("A410", f"`{word}` of a number gives one name, the copy's number", repeat.span)
    return [dict.fromkeys(repeat.names, i) for i in range(value)]


def _row(numbers: Numbers, node: Node, index: int, row: Any) -> dict[str, Any]:
    repeat = node.repeat or node.parallel
    assert repeat is not None
    if not repeat.names:
        return {}
    first, *parts = repeat.names
    names = {first: index}
    if len(parts) == 1:
        names[parts[0]] = row
    elif parts:
        if not isinstance(row, list | tuple) or len(row) != len(parts):
            has = f"{len(row)} parts" if isinstance(row, list | tuple) else shown(row)
            numbers.context.fail(
                "A410",
                f"row {index} has {has}, and `as` names {len(parts)}: {', '.join(parts)}",
                repeat.span,
            )
        names.update(zip(parts, row, strict=True))
    return names


def _one(numbers: Numbers, node: Node, extra: Mapping[str, Any] | None) -> tuple[Bound | None, tuple | None]:
    """What one copy calls (None: bypassed), and the condition on open inputs that remains."""
    test = None
    if node.when is not None:
        held = numbers.decide(node.when, "`when`", extra)
        if held is False:
            return None, None
        test = None if held is True else held
    call = node.call if node.choose is None else _case(numbers, node, extra)
    assert call is not None
    target = numbers.call(call, extra)
    if node.preset is not None:
        target = with_preset(numbers, target, node.preset, node.preset_span or node.span)
    return bind_target(numbers.context, target), test


def _case(numbers: Numbers, node: Node, extra: Mapping[str, Any] | None) -> Call:
    assert node.choose is not None
    value = numbers.evaluate(node.choose, None, extra, decision=True)
    if isinstance(value, Dim | Formula | Cond):
        numbers.needs_static(symbols(value), node.choose.span)
    if isinstance(value, Test):
        numbers.context.fail("A413", "`choose` depends on an open input", node.choose.span, FIX_PRESENCE)
    key = str(value) if isinstance(value, Word) else value.name if isinstance(value, Target) else value
    key = plain(key) if isinstance(key, int | float) and not isinstance(key, bool) else key
    for case, call in node.cases.items():
        if type(case) is type(key) and case == key:
            return call
    if node.otherwise is None:
        if any(map(numbers.context.told, node.case_spans.values())):
            raise Failed  # a misspelt case
        cases = ", ".join(shown(c) for c in node.cases)
        numbers.context.fail(
            "A411",
            f"`choose` is {shown(value)}, and there is no such case",
            node.choose.span,
            f"its cases: {cases}; `else:` catches the rest",
        )
    return node.otherwise
