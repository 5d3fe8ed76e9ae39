"""The names of a block: its free dimensions, and that no two things have one name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from archc.lang.reading import Reading
from archc.lang.schema import Block, Input, Node
from archc.lang.syntax import Dots, Name
from archc.lang.walk import walk
from archc.source.diagnostic import Related, did_you_mean
from archc.source.text import Span

STORED = frozenset({"param", "buffer"})
"""Operators without inputs whose nodes may stand as operands."""


def stored(node: Node) -> bool:
    """Is the node a `param` or a `buffer`, to be used as a value?"""
    return any(call.name.id in STORED for call in node.calls)


def free_dims(reading: Reading, values: Mapping[str, Any]) -> dict[str, Span]:
    """The free dimensions of a block, with their first places: the names in its inputs' shapes that
    are no params. `values` are the block's parts by key."""
    params, lets = values.get("params", {}), values.get("let", {})
    found: dict[str, Span] = {}
    inputs: dict[str, Input] = values.get("inputs", {})
    for spec in inputs.values():
        for entry in spec.shape or ():
            for name in () if isinstance(entry, Dots) else walk(entry):
                if not isinstance(name, Name) or name.id in params or name.id in found:
                    continue
                if name.id[0].isupper():
                    found[name.id] = name.span
                elif name.id not in reading.broken:
                    reading.broken.add(name.id)
                    _lower_case(reading, name, params, lets)
    return found


def _lower_case(reading: Reading, name: Name, params: Mapping[str, Any], lets: Mapping[str, Any]) -> None:
    message = f"`{name.id}` is no param of this block"
    close = did_you_mean(name.id, params)
    if name.id in lets:
        message = f"`{name.id}` is a `let`; a shape may hold params and free dimensions"
        help = "write its expression here"
    elif close:
        help = f"did you mean `{close}`? A free dimension starts with an upper-case letter"
    else:
        upper = name.id[0].upper() + name.id[1:]
        help = f"a free dimension starts with an upper-case letter: `{upper}`; a param stands in `params`"
    reading.error("A110", message, name.span, help)


def _named(block: Block, dims: Mapping[str, Span]) -> Iterator[tuple[str, str, Span]]:
    """Name, kind and place of everything that shares one space of names."""
    for param in block.params.values():
        yield param.name, "param", param.name_span
    for let in block.let.values():
        yield let.name, "let", let.name_span
    for name, span in dims.items():
        yield name, "free dimension", span
    for spec in block.inputs.values():
        yield spec.name, "input", spec.name_span
    for line in block.flow:
        for name in line.names:
            yield name.id, "value", name.span


def check_distinct(reading: Reading, block: Block, dims: Mapping[str, Span]) -> None:
    """Inputs, values, params, lets and free dimensions have names of their own, and so has a `param`
    or `buffer` node."""
    seen: dict[str, tuple[str, Span]] = {}
    for name, kind, span in _named(block, dims):
        if name not in seen:
            seen[name] = kind, span
            continue
        _clash(reading, name, kind, span, *seen[name])
    for node in block.nodes.values():
        if node.name in seen and stored(node):
            _clash(reading, node.name, "node used as a value", node.name_span, *seen[node.name])


def _clash(reading: Reading, name: str, kind: str, span: Span, other: str, first: Span) -> None:
    if first.start > span.start:
        kind, span, other, first = other, first, kind, span
    if kind == other == "value":
        message, help = f"value `{name}` is made twice", "give each line a name of its own"
    elif kind == other:
        message, help = f"{kind} `{name}` stands here twice", "drop one"
    else:
        article = "an" if other == "input" else "a"
        message, help = f"{kind} `{name}` has the name of {article} {other}", "rename one of them"
    reading.report.error("A105", message, span, help=help, related=[Related(first, f"the {other} `{name}`")])
