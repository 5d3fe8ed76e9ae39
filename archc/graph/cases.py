"""A node of which an outline does not know what it is: every case applied, and what is common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archc.graph.context import Context
from archc.graph.infer import arriving
from archc.graph.ir import Cases, Copy, Graph, Type
from archc.graph.undecided import joined
from archc.graph.values import ABSENT, Failed
from archc.ops.base import Op
from archc.source.text import Span

if TYPE_CHECKING:
    from archc.graph.applications import Applications, Made
    from archc.graph.builder import Builder
    from archc.graph.connect import Feed
    from archc.graph.plan import Alternatives


def apply_cases(
    applications: Applications,
    builder: Builder,
    context: Context,
    cases: Alternatives,
    feeds: list[Feed],
    span: Span,
) -> Made | None:
    """The cases applied to the same feeds, as far as types go; those that cannot be are left out."""
    from archc.graph.outline import OutlineBuilder

    assert isinstance(builder, OutlineBuilder)
    options: list[tuple[str, Op | Graph | None]] = []
    outputs: dict[str, tuple[str, Type, int]] = {}
    taken: Made | None = None
    for text, bound in cases.options:
        if bound is None:
            options.append((text, None))
            continue
        frame = f"in `{bound.target.name}`"
        made = context.attempt(lambda b=bound, f=frame: applications.copy(b, feeds, span, f))
        if made is None:
            continue
        target = made.copy.target
        assert isinstance(target, Op | Graph)
        options.append((text, target))
        taken = taken or made
        for place, (name, found, there) in enumerate(made.outputs):
            # the first output is the one that goes on, whatever its name in each case
            key = next(iter(outputs), name) if place == 0 else name
            known = outputs.get(key)
            if known is not None:
                found, there = joined(known[1], found, builder.unknown), known[2] | there
            outputs[key] = (key, found, there)
    if taken is None:
        first = next(bound for _, bound in cases.options if bound is not None)
        return applications.copy(first, feeds, span, f"in `{first.target.name}`")  # which tells why
    if any(target is None for _, target in options):
        key, found, there = outputs[next(iter(outputs))]
        operand = feeds[0].operand if feeds else ABSENT
        if operand is ABSENT:
            raise Failed
        outputs[key] = (key, joined(found, arriving(operand), builder.unknown), there)
    copy = Copy(Cases(cases.expr, tuple(options)), taken.copy.inputs)
    return taken._replace(outputs=tuple(outputs.values()), copy=copy)
