"""A tree table of a Graph: path, block, output shape, parameters, FLOPs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archc.graph.ir import Apply, Bundle, Call, Copy, Graph, Member, Type
from archc.graph.runs import Run, runs
from archc.ops.base import Op
from archc.report.cost import Cost, Costs, asked, flat, in_outer, outer_type
from archc.report.text import formula, number, table
from archc.shapes import Size, Tensor, plain, symbols


@dataclass(slots=True)
class Row:
    """A line of the table: one part of the model, with the parts inside it.

    Costs and shapes are of one copy, in the names of the whole model's free dimensions;
    `copies` says how many there are.
    """

    path: str
    name: str
    what: str
    output: Type | None
    parameters: int
    flops: Size | None
    copies: int = 1
    parts: list[Row] = field(default_factory=list)

    def walk(self, level: int | None = None, depth: int = 0) -> Iterator[tuple[int, Row]]:
        """This row and those inside it, with their depths, down to a level."""
        yield depth, self
        if level is None or depth < level:
            for part in self.parts:
                yield from part.walk(level, depth + 1)


def summary(graph: Graph, level: int | None = None) -> Row:
    """The table of a Graph as a tree of rows, `level` blocks deep (None: all).

    Copies that follow each other and are alike are one row.
    """
    costs = Costs()
    total = costs.graph(graph)
    root = Row("", graph.name, graph.name, _first_output(graph), total.parameters, total.flops)
    root.parts = _parts(graph, "", {}, costs, level)
    return root


def _parts(graph: Graph, path: str, numbers: Mapping[str, Any], costs: Costs, level: int | None) -> list[Row]:
    if level == 0:
        return []
    rows = []
    for node in graph.nodes.values():
        if isinstance(node, Apply):
            member = graph.members.get(node.member) if node.member else None
            if member is None and costs.node(graph, node) == 0:
                continue  # in place and for nothing: a reshape, an activation
            name = member.name if member else node.op.title()
            rows.append(
                Row(
                    path + name,
                    name,
                    type(node.op).__name__,
                    outer_type(node.outputs[0].type, numbers),
                    costs.member(member).parameters if member else 0,
                    _seen(costs.node(graph, node), numbers),
                )
            )
        elif isinstance(node, Call):
            member = graph.members[node.member]
            for run in runs(member, node.use):
                rows.append(_run(member, run, path, numbers, costs, level))
    return rows


def _run(
    member: Member, run: Run, path: str, numbers: Mapping[str, Any], costs: Costs, level: int | None
) -> Row:
    copy = run.copy
    here = path + run.name(member)
    inner = {name: _seen(value, numbers) for name, value in copy.numbers.items()}
    target = copy.target
    assert target is not None
    return Row(
        here,
        run.name(member),
        target.name if isinstance(target, Graph) else type(target).__name__,
        _copy_output(copy, inner, numbers),
        costs.copy(copy).parameters,
        _seen(costs.copy_flops(copy), numbers),
        run.count,
        _parts(target, here + ".", inner, costs, None if level is None else level - 1)
        if isinstance(target, Graph)
        else [],
    )


def _copy_output(copy: Copy, inner: Mapping[str, Any], numbers: Mapping[str, Any]) -> Type | None:
    if isinstance(copy.target, Graph):
        first = _first_output(copy.target)
        return None if first is None else outer_type(first, inner)
    assert isinstance(copy.target, Op)
    result = asked(copy.target.shape, *flat(copy.inputs))
    return outer_type(result if isinstance(result, Tensor) else result[0], numbers)


def _first_output(graph: Graph) -> Type | None:
    return next((graph.type(ref) for ref in graph.outputs.values()), None)


def _seen(value: Any, numbers: Mapping[str, Any]) -> Any:
    """A number of a block, in the names of the whole model."""
    return value if value is None or not numbers else in_outer(value, numbers)


def shape_text(type_: Type | None) -> str:
    """A type as a table shows it; a bundle by its length and, where they agree, its members' shape."""
    if type_ is None:
        return ""
    if isinstance(type_, Bundle):
        kinds = {str(member) for member in type_.members}
        return f"{len(type_.members)} × {kinds.pop()}" if len(kinds) == 1 else f"{len(type_.members)} tensors"
    return type_text(type_)


def type_text(type_: Type) -> str:
    """A type, `[B, C, ?]`: sizes that nobody knows are numbered inside only."""
    return re.sub(r"\?\d+", "?", str(type_))


class Summary:
    """A table of a model's parts; `str()` is the table, `rows` are its lines with their depths."""

    def __init__(self, graph: Graph, level: int | None = None) -> None:
        self.graph = graph
        self.root = summary(graph, level)
        self.total = Costs().graph(graph)
        self.level = level

    @property
    def rows(self) -> list[tuple[int, Row]]:
        return list(self.root.walk(self.level))

    def __str__(self) -> str:
        lines = [["path", "block", "output", "parameters", "FLOPs"]]
        for depth, row in self.rows:
            count = f" ×{row.copies}" if row.copies > 1 else ""
            lines.append(
                [
                    "  " * depth + (row.name or "") + count,
                    row.what if depth else "",
                    shape_text(row.output),
                    f"{row.parameters:,}" if row.parameters else "-",
                    flops_text(row.flops),
                ]
            )
        text = table(lines, frozenset({3, 4})) + "\n\n" + totals(self.total)
        if any(line[4] == "…" for line in lines):
            free = ", ".join(sorted(symbols(self.total.flops)))
            text += f"\n… is long: it depends on {free}, which -p sets"
        return text


def totals(cost: Cost) -> str:
    """The last line: what the whole model has and does."""
    parts = [f"{cost.parameters:,} parameters"]
    if cost.trainable != cost.parameters:
        parts.append(f"{cost.trainable:,} trainable")
    if cost.buffers:
        parts.append(f"{cost.buffers:,} elements in buffers")
    parts.append(f"{flops_text(cost.flops, 100)} FLOPs")
    return ", ".join(parts)


def flops_text(flops: Size | None, most: int = 40) -> str:
    """FLOPs: a number, an expression where sizes are free (`…` for a long one), `?` where unknown."""
    if flops is None:
        return "?"
    value = plain(flops)
    if isinstance(value, int):
        return number(value) if value else "-"
    text = formula(str(value))
    return text if len(text) <= most else "…"
