"""Reading a block's flow, its outputs and the frames around its parts."""

from __future__ import annotations

from typing import Any

from archc.lang.parser import parse_line, parse_names
from archc.lang.reading import (
    WRONG,
    Reader,
    Reading,
    build,
    fields,
    identifier,
    is_identifier,
    mapping,
    missing,
    one_line,
    place,
    plain,
    text,
    value_span,
    words,
    wrong_kind,
)
from archc.lang.schema import Group, OutputSpec
from archc.lang.syntax import Name
from archc.source import tree as t


def flow(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    tree = mapping(reading, value, "`flow`", "flow: {out: x -> conv -> swish}")
    if tree is None:
        return WRONG
    lines = []
    for head, body in tree:
        names = _names(reading, head)
        if not names:
            continue
        if not isinstance(body, t.Scalar) or body.empty:
            wrong_kind(reading, body, f"line `{head.text}`", "a chain", f"{head.text}: x -> conv -> swish")
            line = None
        else:
            line = parse_line(names, body, reading.report)
        if line is None:
            reading.broken.update(n.id for n in names)
        else:
            lines.append(line)
    if not len(tree):
        reading.error("A102", "`flow` has no lines", tree.span, "write a line: `out: x -> conv`")
    return tuple(lines)


def _names(reading: Reading, head: t.Scalar) -> tuple[Name, ...] | None:
    """The names left of a line's colon."""
    if is_identifier(head.text):  # the fast way of most lines
        return (Name(head.text, head.span),)
    names = parse_names(head, reading.report)
    for name in names or ():
        if name.id.startswith("__"):
            message = f"`{name.id}` is no name for a value: two leading `_` are Python's own"
            reading.error("A104", message, name.span, f"write `{name.id.lstrip('_') or 'x'}`")
    return names


OUTPUT: dict[str, Reader] = {"value": text, "doc": text}


def outputs(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    if isinstance(value, t.Mapping):
        entries = value.entries
    else:
        names = words(reading, value, "`outputs`", "outputs: [out]")
        if names is WRONG:
            return WRONG
        entries = [(name, name) for name in names]
    if not entries:
        help = "leave it out: the last line is the output"
        return reading.error("A106", "`outputs` is empty", key.span, help)
    found: dict[str, OutputSpec] = {}
    for name, entry in entries:
        got = _output(reading, name, entry) if identifier(reading, name, "an output") else None
        if got is not None and found.setdefault(got.name, got) is not got:
            reading.error("A105", f"output `{got.name}` is given twice", got.name_span, "drop one")
    return tuple(found.values()) if found else WRONG


def _output(reading: Reading, key: t.Scalar, value: t.Node) -> OutputSpec | None:
    values: dict[str, Any] = {}
    if isinstance(value, t.Mapping):
        values = fields(reading, value, OUTPUT, f"output `{key.text}`")
        message = f"output `{key.text}` has no value"
        missing(reading, value, "value", OUTPUT, message, key.span, "add `value: out`")
        if "value" not in values:
            return None
        span = value_span(value, "value")
    else:
        got = text(reading, key, value)
        if got is WRONG:
            return None
        values, span = {"value": got}, value.span
    return OutputSpec(**place(key, value), **values, value_span=span)


def _of(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    return words(reading, value, f"`{key.text}`", f"{key.text}: [norm, conv]")


GROUP: dict[str, Reader] = {"of": _of, "label": one_line, "collapsed": plain}


def group(reading: Reading, key: t.Scalar, value: t.Node) -> Group | None:
    if isinstance(value, t.Mapping):
        values = fields(reading, value, GROUP, f"group `{key.text}`")
        message = f"group `{key.text}` frames nothing"
        missing(reading, value, "of", GROUP, message, key.span, "add `of: [norm, conv]`")
        if "of" not in values:
            return None
    else:
        got = _of(reading, key, value)
        if got is WRONG:
            return None
        values = {"of": got}
    items = values.pop("of")
    if not items:
        reading.error("A102", f"group `{key.text}` frames nothing", key.span, "add `of: [norm, conv]`")
        return None
    values |= {"of": tuple(i.text for i in items), "of_spans": tuple(i.span for i in items)}
    return build(reading, Group, value, place(key, value) | values)
