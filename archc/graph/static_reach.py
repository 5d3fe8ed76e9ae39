"""Circles of values, and what never reaches an output."""

from __future__ import annotations

from archc.graph.static_flow import Uses
from archc.graph.static_names import Scope
from archc.lang.circle import MOST_SHOWN, shortened
from archc.lang.schema import Block
from archc.lang.syntax import Dots, Line, Name
from archc.lang.walk import walk
from archc.source.diagnostic import Related

MOST_NAMED = 5
"""How many further values or nodes a warning lists."""


def check_circles(scope: Scope, uses: Uses) -> None:
    """Report each circle of values once, with the way around it."""
    flow = scope.block.flow
    users: list[list[int]] = [[] for _ in flow]
    waiting = [0] * len(flow)
    for line, needs in enumerate(uses.lines):
        waiting[line] = len(needs)
        for other in needs:
            users[other].append(line)
    ready = [line for line, count in enumerate(waiting) if not count]
    while ready:
        for user in users[ready.pop()]:
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    left = {line for line, count in enumerate(waiting) if count}
    seen: set[int] = set()
    # Each line that is left needs another one that is left: following them leads into a circle.
    for start in sorted(left):
        way: dict[int, int] = {}
        at = start
        while at not in seen:
            seen.add(at)
            way[at] = len(way)
            at = next(other for other in uses.lines[at] if other in left)
        if at in way:
            _report(scope, [line for line, place in way.items() if place >= way[at]][::-1])


def _report(scope: Scope, circle: list[int]) -> None:
    """Report a circle of lines, each of which the next one needs."""
    first = circle.index(min(circle))
    lines = [scope.block.flow[i] for i in circle[first:] + circle[:first]]
    names = [line.names[0].id for line in lines]
    if any(name in scope.block.inputs for name in names):
        return  # two things of one name, which has been told
    message = f"`{names[0]}` needs itself"
    if len(names) > 1:
        message = f"values need each other: {' -> '.join(shortened([*names, names[0]]))}"
    related = [
        Related(line.names[0].span, f"`{line.names[0].id}` needs `{before}`")
        for line, before in zip(lines[1:MOST_SHOWN], names, strict=False)
    ]
    help = "each line makes a new value: give the later ones other names, or use a node with `repeat`"
    scope.error("A245", message, lines[0].names[0].span, help, related)


def warn_unused(scope: Scope, uses: Uses) -> None:
    """Warn of values, inputs and nodes that never reach an output, whichever branches are taken.

    A value that only others need which are not used either is told with those.
    """
    block = scope.block
    if not block.flow:
        return
    reached = _upstream(uses, _outputs(scope), set())
    needed = {other for needs in uses.lines for other in needs}
    nodes = {name for line in reached for name in uses.nodes[line]}
    told = set(nodes)
    seen = set(reached)
    for number, line in enumerate(block.flow):
        if number in seen or number in needed:
            continue
        behind = _upstream(uses, [number], seen)
        with_it = [block.flow[i].names[0].id for i in sorted(behind) if i != number]
        lost = dict.fromkeys(n for i in sorted(behind) for n in uses.nodes[i] if n not in told)
        told.update(lost)
        _warn(scope, line, with_it, list(lost))
    for node in block.nodes.values():
        if node.name not in told:
            help = f"write it in a line of the flow, `... -> {node.name}`, or drop it"
            if node.name in scope.stored:
                help = f"write it as an operand, `x + {node.name}`, or drop it"
            scope.report.error(
                "A901", f"node `{node.name}` never reaches an output", node.name_span, help=help
            )
    _warn_inputs(scope, uses)


def _outputs(scope: Scope) -> list[int]:
    """The lines whose values are the block's outputs."""
    outputs = scope.block.outputs
    if outputs is None:
        return [len(scope.block.flow) - 1]
    return [scope.values[o.value] for o in outputs if o.value in scope.values]


def _upstream(uses: Uses, lines: list[int], seen: set[int]) -> set[int]:
    """These lines and all that they need; those in `seen` are left out, and the rest is added to it."""
    found: set[int] = set()
    stack = list(lines)
    while stack:
        line = stack.pop()
        if line not in seen:
            seen.add(line)
            found.add(line)
            stack.extend(uses.lines[line])
    return found


def _warn(scope: Scope, line: Line, values: list[str], nodes: list[str]) -> None:
    names = [name.id for name in line.names]
    what = f"value `{names[0]}` never reaches"
    if len(names) > 1:
        what = "values " + " and ".join(f"`{n}`" for n in names) + " never reach"
    behind = [f"value{'s' * (len(values) > 1)} {_some(values)}"] if values else []
    behind += [f"node{'s' * (len(nodes) > 1)} {_some(nodes)}"] if nodes else []
    help = "use it, name it in `outputs`, or drop its line"
    if behind:
        help += f"; nor do{'es' * (len(values) + len(nodes) == 1)} {' and '.join(behind)}"
    scope.report.error("A902", f"{what} an output", line.names[0].span, help=help)


def _some(names: list[str]) -> str:
    shown = ", ".join(f"`{n}`" for n in names[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED} more"


def _warn_inputs(scope: Scope, uses: Uses) -> None:
    """An input is used where a line has it, a condition asks for it, or a dimension of it is used."""
    block = scope.block
    outputs = {o.value for o in block.outputs or ()}
    for spec in block.inputs.values():
        if spec.name in uses.inputs or spec.name in scope.used or spec.name in outputs:
            continue
        if not scope.used.isdisjoint(_dims(block, spec.name)):
            continue
        help = "wire it, or drop it"
        scope.report.error("A902", f"input `{spec.name}` is never used", spec.name_span, help=help)


def _dims(block: Block, name: str) -> set[str]:
    shape = block.inputs[name].shape or ()
    parts = (part for entry in shape if not isinstance(entry, Dots) for part in walk(entry))
    return {part.id for part in parts if isinstance(part, Name) and part.id in block.dims}
