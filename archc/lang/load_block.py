"""Reading a block: its keys, one reader each."""

from __future__ import annotations

from archc.lang.load_declared import input, let, param, require
from archc.lang.load_flow import flow, group, outputs
from archc.lang.load_node import node
from archc.lang.load_weights import checkpoints, init, presets, tie
from archc.lang.names import check_distinct, free_dims
from archc.lang.reading import (
    PASCAL_CASE,
    Reader,
    Reading,
    build,
    entries,
    fields,
    link,
    mapping,
    missing,
    misspelt,
    place,
    plain,
    text,
)
from archc.lang.references import check_references
from archc.lang.schema import Block
from archc.source import tree as t

KEYS: dict[str, Reader] = {
    "doc": text,
    "link": link,
    "direction": plain,
    "params": entries(param, "a param", "c_out: int = 64"),
    "let": entries(let, "a value", "width: ch * 2"),
    "require": require,
    "inputs": entries(input, "an input", "x: [B, C, H, W]"),
    "nodes": entries(node, "a node", "conv: conv2d(64, 3)"),
    "flow": flow,
    "outputs": outputs,
    "groups": entries(group, "a group", "head: [norm, conv]"),
    "init": init,
    "tie": tie,
    "presets": presets,
    "checkpoints": checkpoints,
}

NAMING = ("params", "let", "inputs", "nodes", "flow")
"""Keys that give names to the rest of a block."""


def block(reading: Reading, key: t.Scalar, value: t.Node) -> Block | None:
    """A block; None where too little of it can be read. What is wrong in it has been reported."""
    if not PASCAL_CASE.match(key.text):
        name = "".join(w[:1].upper() + w[1:] for w in key.text.replace("-", "_").split("_"))
        help = (
            f"a block's name is PascalCase: `{name}`"
            if PASCAL_CASE.match(name)
            else "a block's name is PascalCase"
        )
        reading.error("A104", f"`{key.text}` is no name for a block", key.span, help)
        return None
    example = f"{key.text}: {{inputs: {{x: [B, C]}}, flow: {{out: x -> swish}}}}"
    tree = mapping(reading, value, f"block `{key.text}`", example)
    if tree is None:
        return None
    inner = Reading(reading.report)
    before = len(reading.report.diagnostics)
    values = fields(inner, tree, KEYS, f"block `{key.text}`")
    message = f"block `{key.text}` has no `flow`"
    missing(inner, tree, "flow", KEYS, message, key.span, "add `flow: {out: x -> swish}`")
    nameless = any(name not in values if name in tree else misspelt(tree, name, KEYS) for name in NAMING)
    values.setdefault("flow", ())
    dims = {} if nameless else free_dims(inner, values)
    found = build(inner, Block, tree, place(key, value) | values | {"dims": tuple(dims)})
    if found is not None:
        check_distinct(inner, found, dims)
        if not nameless:
            check_references(inner, found)
        found.note_reading(inner.broken, len(reading.report.diagnostics) == before, nameless)
    return found
