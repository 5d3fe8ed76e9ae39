"""What a node of a spec is made of: how many copies, and what each of them calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from archc.graph.binding import Bound, bind_target, with_preset
from archc.graph.infer import FIX_PRESENCE
from archc.graph.numbers import Numbers
from archc.graph.undecided import Undecided
from archc.graph.values import Failed, Target
from archc.lang.outline import item_of
from archc.lang.printing import literal
from archc.lang.schema import Node
from archc.lang.syntax import Call, Compare, Name
from archc.lang.types import Choice, List
from archc.lang.values import Given as Test
from archc.lang.values import Unsettled, Word, shown
from archc.lang.walk import free_names
from archc.shapes import Cond, Dim, Formula, parameter, plain, symbols

MOST_COPIES = 100_000
MIDDLE = "·"
"""Stands behind the name of a loop in what is told of any copy of many."""


class Alternatives(NamedTuple):
    """What a node may call where an outline does not decide it, by the texts of the cases; None passes
    the input on. `expr` is the text of what it hangs on."""

    expr: str
    options: tuple[tuple[str, Bound | None], ...]

    @property
    def target(self) -> Target:
        """The first that is something."""
        return next(bound.target for _, bound in self.options if bound is not None)

    @property
    def op(self) -> None:
        return None


Called = Bound | Alternatives | None
"""What a copy calls; None where it is bypassed."""


class Plan(NamedTuple):
    """A node's copies.

    `test`: a condition over open inputs, or undecided, under which the (single) copy is not bypassed.
    `count`: the text of an undecided number of copies; they are then the first and the last, with the
    texts of their numbers in `indices`, and `middle` is any one between them, in which the loop's name
    has MIDDLE behind it."""

    node: Node
    copies: tuple[Called, ...]
    arranged: str = ""
    test: tuple | Undecided | None = None
    count: Dim | None = None
    indices: tuple[str, str] | None = None
    middle: Called = None


def plan(numbers: Numbers, node: Node) -> Plan:
    """Evaluate a node's arguments; raises Failed, having told what is wrong with them."""
    arranged = "repeat" if node.repeat else "parallel" if node.parallel else ""
    repeat = node.repeat or node.parallel
    if repeat is None:
        bound, test = _one(numbers, node, None)
        return Plan(node, (bound,), "", test)
    count = undecided_count(numbers, node) if numbers.context.outline else None
    loops = _loops(numbers, node) if count is None else undecided_loops(numbers, node, count)
    if not loops:
        return Plan(node, (), arranged)
    if free_variables(node).isdisjoint(repeat.names):
        one = _copy(numbers, node, loops[0])
        return _arranged(node, (one,) * len(loops), arranged, count)
    if node.share and not _arguments(node).isdisjoint(repeat.names):
        raise Failed  # told by the static checks
    copies = [_copy(numbers, node, names) for names in loops]
    if node.share:
        one = next((bound for bound in copies if bound is not None), None)
        copies = [bound and one for bound in copies]
    return _arranged(node, tuple(copies), arranged, count)


def _arranged(node: Node, copies: tuple[Called, ...], arranged: str, count: Dim | None) -> Plan:
    if count is None:
        return Plan(node, copies, arranged)
    first, last, middle = copies
    return Plan(node, (first, last), arranged, None, count, ("0", str(count - 1)), middle)


def _copy(numbers: Numbers, node: Node, names: Mapping[str, Any]) -> Called:
    """What one of several copies calls."""
    bound, test = _one(numbers, node, names)
    if isinstance(test, Undecided):
        return (
            Alternatives(test.text, (("true", bound), ("false", None))) if isinstance(bound, Bound) else bound
        )
    _static(numbers, node, test)
    return bound


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


def _one(
    numbers: Numbers, node: Node, extra: Mapping[str, Any] | None
) -> tuple[Called, tuple | Undecided | None]:
    """What one copy calls (None: bypassed), and the condition that remains undecided."""
    test = None
    if node.when is not None:
        held = numbers.decide(node.when, "`when`", extra)
        if held is False:
            return None, None
        test = None if held is True else held
    call = node.call if node.choose is None else _case(numbers, node, extra)
    if call is None:
        return _cases(numbers, node, extra), test
    return _bound(numbers, node, call, extra), test


def _bound(numbers: Numbers, node: Node, call: Call, extra: Mapping[str, Any] | None) -> Bound:
    target = numbers.call(call, extra)
    if node.preset is not None:
        target = with_preset(numbers, target, node.preset, node.preset_span or node.span)
    return bind_target(numbers.context, target)


def _cases(numbers: Numbers, node: Node, extra: Mapping[str, Any] | None) -> Called:
    """All that an undecided `choose` may be; one that could not be is left out."""
    assert node.choose is not None
    value = numbers.evaluate(node.choose, None, extra, decision=True)
    words = _words(node, value)
    calls = [(c, call) for c, call in node.cases.items() if words is None or c in words]
    calls = [(c if isinstance(c, str) else literal(c), call) for c, call in calls]
    if node.otherwise is not None and (words is None or not words <= node.cases.keys()):
        calls.append(("else", node.otherwise))
    options = []
    for text, call in calls:
        bound = numbers.context.attempt(lambda call=call: _bound(numbers, node, call, extra))
        if bound is not None:
            options.append((text, None if bound.op and bound.op.title() == "identity" else bound))
    if not options:
        return _bound(numbers, node, calls[0][1], extra)  # which tells what is wrong
    if all(bound is None for _, bound in options):
        return None
    return Alternatives(numbers.text(node.choose, extra), tuple(options))


def _case(numbers: Numbers, node: Node, extra: Mapping[str, Any] | None) -> Call | None:
    """The case that is taken; None where an outline cannot tell."""
    assert node.choose is not None
    value = numbers.evaluate(node.choose, None, extra, decision=True)
    if numbers.context.outline and _is_open(value):
        words = _words(node, value)
        if words is None or len(words) > 1:
            return None
        (value,) = words
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


# -- undecided -----------------------------------------------------------------------------


def _is_open(value: Any) -> bool:
    if isinstance(value, Target):
        return value.unsettled
    return isinstance(value, Cond | Dim | Formula | Unsettled | Test)


def _words(node: Node, value: Any) -> set[str] | None:
    """The words that an open `choose` may be: not that which `when` leaves out."""
    if not isinstance(value, Unsettled) or not isinstance(value.type, Choice):
        return None
    words = set(value.type.words)
    when = node.when
    if (
        isinstance(when, Compare)
        and _name(when.first) is not None
        and _name(when.first) == _name(node.choose)
    ):
        words -= {side.id for op, side in when.rest if op == "!=" and isinstance(side, Name)}
    return words or None


def _name(expr: Any) -> str | None:
    return expr.id if isinstance(expr, Name) else None


def undecided_count(numbers: Numbers, node: Node) -> Dim | None:
    """The number of copies where it is not decided."""
    repeat = node.repeat or node.parallel
    assert repeat is not None
    value = numbers.evaluate(repeat.count)
    if isinstance(value, Dim):
        return value
    if not isinstance(value, Unsettled | Cond | Formula):
        return None
    text = str(value)
    listed = isinstance(value, Unsettled) and isinstance(value.type, List) or len(repeat.names) > 1
    return parameter(f"len({text})" if listed else text)


def undecided_loops(numbers: Numbers, node: Node, count: Dim) -> list[dict[str, Any]]:
    """The loop's names for the first copy, for the last, and for any one between them."""
    repeat = node.repeat or node.parallel
    assert repeat is not None
    if not repeat.names:
        return [{}, {}, {}]
    rows = numbers.evaluate(repeat.count)
    index, *parts = repeat.names
    any_ = f"{index}{MIDDLE}"
    loops = []
    for number, text, at in ((0, "0", 0), (count - 1, "-1", -1), (parameter(any_), any_, 0)):
        names: dict[str, Any] = {index: number}
        row = item_of(f"{rows}[{text}]", rows.type if isinstance(rows, Unsettled) else None, at)
        if len(parts) == 1:
            names[parts[0]] = row
        for place, part in enumerate(parts) if len(parts) > 1 else ():
            kind = row.type if isinstance(row, Unsettled) else None
            names[part] = item_of(f"{rows}[{text}][{place}]", kind, place)
        loops.append(names)
    return loops
