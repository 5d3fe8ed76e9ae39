"""What tests of outlines share: small specs, and Graphs told as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from archc.graph.compile import Text, outline
from archc.graph.ir import (
    Apply,
    Call,
    Cases,
    Choose,
    Copy,
    Graph,
    Input,
    Number,
    Pack,
    Pick,
    Read,
    Ref,
    graphs,
)
from archc.ops.base import Op
from archc.ops.outline import label
from archc.shapes import Tensor

ROOT = Path(__file__).parents[2]
NETS = "specs/vq/nets.yaml"


def graph(entry: Any, settings: Any = (), **options: Any) -> Graph:
    """The outline of a block, which must have one and no diagnostics; paths begin at the root."""
    found = outline(str(ROOT / entry) if isinstance(entry, str) else entry, settings, **options)
    assert not found.diagnostics, found.diagnostics
    assert found.graph is not None and found.graph.outline
    return found.graph


def block(
    flow: str,
    nodes: str = "",
    *,
    params: str = "n: int",
    inputs: str = "x: [B, C]",
    name: str = "A",
    more: str = "",
) -> str:
    """A block, on one line."""
    return (
        f"  {name}: {{params: {{{params}}}, inputs: {{{inputs}}}, nodes: {{{nodes}}}, "
        f"flow: {{{flow}}}{more}}}\n"
    )


def spec(*parts: str) -> Text:
    """A file of these blocks; the last one is drawn."""
    return Text("archc: 1\nblocks:\n" + "".join(parts))


def dump(found: Graph) -> list[str]:
    """The nodes of a Graph as text, a line each."""
    return [
        f"{at} {_node(found, node)} -> {', '.join(_type(o) for o in node.outputs)}"
        for at, node in found.nodes.items()
    ]


def _type(output: Any) -> str:
    unknown = (
        "" if isinstance(output.type, Tensor) and output.type.shape is None else _plain(str(output.type))
    )
    return (unknown or "?") + ("?" if output.open else "")


def _plain(text: str) -> str:
    """Unknown sizes without their numbers."""
    return "".join(c for i, c in enumerate(text) if not (c.isdigit() and _of_unknown(text, i)))


def _of_unknown(text: str, at: int) -> bool:
    before = text[:at].rstrip("0123456789")
    return before.endswith("?")


def _operand(operand: Any) -> str:
    if isinstance(operand, Ref):
        return str(operand.node) + (f".{operand.out}" if operand.out else "")
    return f"`{operand.value}`" if isinstance(operand, Number) else str(operand)


def _node(found: Graph, node: Any) -> str:
    match node:
        case Input():
            return f"input {node.name}"
        case Apply():
            inputs = [found.type(a) if isinstance(a, Ref) else None for a in node.arguments]
            own = label(node.op, inputs)  # type: ignore[arg-type]
            name = f"{node.member}: " if node.member else ""
            where = " ".join(_operand(a) for a in node.arguments if a is not None)
            return f"{name}{node.op.title()}{f' [{own}]' if own else ''}({where})"
        case Call():
            member = found.members[node.member]
            copies = " .. ".join(dict.fromkeys(_target(copy) for copy in member.uses[node.use]))
            many = f" {member.arranged} {member.count or len(member.copies)}" if member.arranged else ""
            wires = " ".join(f"{w.port}={'each ' * w.each}{_operand(w.operand)}" for w in node.arguments)
            return f"{node.member}{many}: {copies}({wires})"
        case Choose():
            return f"{node.test}: {_operand(node.then)} or {_operand(node.other)}"
        case Pack():
            return f"bundle({' '.join(map(_operand, node.items))})"
        case Pick():
            return f"{_operand(node.bundle)}[{node.index}]"
        case Read():
            return f"{node.member}.{node.attribute}"
    raise AssertionError(node)


def _target(copy: Copy) -> str:
    target: Any = copy.target
    if isinstance(target, Cases):
        return f"{target.expr} ? " + " | ".join(f"{text}: {_name(each)}" for text, each in target.options)
    given = (
        {n: v for n, v in copy.numbers.items() if n in target.params and n not in target.defaults}
        if isinstance(target, Graph)
        else {}
    )
    return _name(target) + (f"[{', '.join(f'{n}={v}' for n, v in given.items())}]" if given else "")


def _name(target: Op | Graph | None) -> str:
    if target is None:
        return "identity"
    return target.name if isinstance(target, Graph) else target.title()


def inner(found: Graph, name: str) -> list[Graph]:
    """The Graphs of a block within another's."""
    return [g for g in graphs(found) if g.name == name]
