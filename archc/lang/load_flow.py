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
    place,
    plain,
    text,
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
    found = []
    if isinstance(value, t.Mapping):
        for name, entry in value:
            got = _output(reading, name, entry) if identifier(reading, name, "an output") else None
            if got is not None:
                found.append(got)
    else:
        names = words(reading, value, "`outputs`", "outputs: [out]")
        for name in () if names is WRONG else names:
            if identifier(reading, name, "an output"):
                found.append(OutputSpec(**place(name, name), value=name.text, value_span=name.span))
    seen: dict[str, OutputSpec] = {}
    for spec in found:
        if seen.setdefault(spec.name, spec) is not spec:
            reading.error("A105", f"output `{spec.name}` is given twice", spec.name_span, "drop one")
    if not found:
        return WRONG if len(getattr(value, "items", value)) else nothing_there(reading, key)
    return tuple(seen.values())


def nothing_there(reading: Reading, key: t.Scalar) -> Any:
    return reading.error("A106", "`outputs` is empty", key.span, "leave it out: the last line is the output")


def _output(reading: Reading, key: t.Scalar, value: t.Node) -> OutputSpec | None:
    values: dict[str, Any] = {}
    if isinstance(value, t.Mapping):
        values = fields(reading, value, OUTPUT, f"output `{key.text}`")
        if "value" not in value:
            reading.error("A102", f"output `{key.text}` has no value", key.span, "add `value: out`")
        if "value" not in values:
            return None
        at = value.get("value")
    else:
        got = text(reading, key, value)
        if got is WRONG:
            return None
        values, at = {"value": got}, value
    return OutputSpec(**place(key, value), **values, value_span=at.span)


def _of(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    return words(reading, value, f"`{key.text}`", f"{key.text}: [norm, conv]")


GROUP: dict[str, Reader] = {"of": _of, "label": text, "collapsed": plain}


def group(reading: Reading, key: t.Scalar, value: t.Node) -> Group | None:
    if isinstance(value, t.Mapping):
        values = fields(reading, value, GROUP, f"group `{key.text}`")
        if "of" not in value:
            reading.error("A102", f"group `{key.text}` frames nothing", key.span, "add `of: [norm, conv]`")
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
