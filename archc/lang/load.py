"""Reading a file: the tree of its YAML becomes a `File` with its blocks.

>>> from archc.source.diagnostic import Report
>>> from archc.source.text import Source
>>> text = "archc: 1\\nblocks: {Act: {inputs: {x: [B, C]}, flow: {out: x -> swish}}}"
>>> load(Source("act.yaml", text), Report()).entry.name
'Act'
"""

from __future__ import annotations

import re
from typing import Any

from archc.lang.load_block import KEYS as BLOCK
from archc.lang.load_block import block
from archc.lang.reading import (
    WRONG,
    Reader,
    Reading,
    build,
    fields,
    identifier,
    mapping,
    missing,
    plain,
    text,
    value_span,
    words,
    wrong_kind,
)
from archc.lang.schema import File, Use
from archc.source import tree as t
from archc.source.collector import collector_paused
from archc.source.diagnostic import Report, did_you_mean
from archc.source.text import Source
from archc.source.yaml import parse

MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z", re.ASCII)


def _blocks(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    tree = mapping(reading, value, "`blocks`", "blocks: {Net: {flow: {out: x -> swish}}}")
    if tree is None:
        return WRONG
    found = {}
    for name, entry in tree:
        part = block(reading, name, entry)
        if part is None:
            reading.broken.add(name.text)
        else:
            found.setdefault(name.text, part)
    if not len(tree):
        reading.error("A102", "the file has no blocks", key.span, "add a block below `blocks`")
    return found


def _use(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    """`./blocks.yaml`, `./blocks.yaml#Block`, or `{Alias: ./blocks.yaml#Block}`."""
    example = "use: [./blocks.yaml, {Dec: ./decoder.yaml#Decoder}, std:vision]"
    found = []
    for item in value.items if isinstance(value, t.Sequence) else [value]:
        if isinstance(item, t.Mapping):
            found += [_used(reading, path, name) for name, path in item]
        elif isinstance(item, t.Scalar) and not item.empty:
            found.append(_used(reading, item, None))
        else:
            wrong_kind(reading, item, "`use`", "a list of files", example)
    return tuple(use for use in found if use is not None)


def _used(reading: Reading, value: t.Node, alias: t.Scalar | None) -> Use | None:
    if not isinstance(value, t.Scalar) or value.empty:
        subject = "`use`" if alias is None else f"`{alias.text}`"
        return wrong_kind(reading, value, subject, "a file", "./decoder.yaml#Decoder") and None
    path, _, name = value.text.partition("#")
    if alias is not None and not identifier(reading, alias, "a block"):
        return None
    if not path or ("#" in value.text and not name) or (alias is not None and not name):
        message = f"`{value.text}` names no {'file' if not path else 'block'}"
        reading.error("A120", message, value.span, "write `./file.yaml#Block`")
        return None
    span = value.span
    return Use(span=span, path=path, block=name or None, alias=alias.text if alias else None)


def _ops(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    found = words(reading, value, "`ops`", "ops: [my_package.ops]")
    if found is WRONG:
        return WRONG
    right = []
    for item in found:
        if MODULE.match(item.text):
            right.append(item)
            continue
        help = "write it as in an `import`: `my_package.ops`; paths are not taken"
        reading.error("A117", f"`{item.text}` is no importable module", item.span, help)
    return right


KEYS: dict[str, Reader] = {
    "archc": plain,
    "doc": text,
    "use": _use,
    "blocks": _blocks,
    "main": text,
    "ops": _ops,
}


def load(source: Source, report: Report) -> File | None:
    """The file that a source holds; None where too little of it can be read. Every mistake in it is
    reported, but none that needs another file or an operator."""
    with collector_paused():
        tree = parse(source, report)
        return None if tree is None else load_tree(source, tree, report)


def load_tree(source: Source, tree: t.Node, report: Report) -> File | None:
    """The file that a tree holds."""
    reading = Reading(report)
    root = mapping(reading, tree, "a spec file", "archc: 1")
    if root is None:
        return None
    for key, _ in root:
        if key.text in BLOCK and key.text not in KEYS:
            message = f"a file has no key `{key.text}`"
            reading.error("A101", message, key.span, "it belongs in a block, below `blocks:` and its name")
    values = fields(reading, root, KEYS, "a file", BLOCK.keys() - KEYS.keys())
    _version(reading, root, values)
    if "blocks" not in root and not any(key.text in BLOCK and key.text != "doc" for key, _ in root):
        message, help = "the file has no blocks", "add a block below `blocks`"
        missing(reading, root, "blocks", KEYS, message, root.span, help)
    modules = values.pop("ops", [])
    values |= {"ops": tuple(m.text for m in modules), "ops_spans": tuple(m.span for m in modules)}
    file = build(reading, File, root, {"span": root.span, "source": source} | values)
    if file is None:
        return None
    for part in file.blocks.values():
        part.belongs(file)
    file.set_broken(reading.broken)
    if file.main is not None and file.main not in file.blocks and file.main not in reading.broken:
        close = did_you_mean(file.main, file.blocks)
        help = f"did you mean `{close}`?" if close else "`main` names a block of this file"
        reading.error("A116", f"there is no block `{file.main}`", value_span(root, "main"), help)
    return file


def _version(reading: Reading, root: t.Mapping, values: dict[str, Any]) -> None:
    """Say that the version is missing or another one, and go on as if it were 1."""
    if "archc" not in root:
        reading.error("A100", "the file does not say its language's version", root.span, "add `archc: 1`")
    elif "archc" in values and (values["archc"] != 1 or isinstance(values["archc"], bool)):
        at = value_span(root, "archc")
        help = "this archc reads version 1: `archc: 1`"
        reading.error("A100", "the language's version is another one", at, help)
    values["archc"] = 1
