"""Reading what a block says of its weights and settings: `init`, `tie`, `presets`, `checkpoints`."""

from __future__ import annotations

from typing import Any

from archc.lang import syntax
from archc.lang.reading import (
    PRESET_NAME,
    WRONG,
    Reader,
    Reading,
    call,
    expression,
    expression_at,
    fields,
    mapping,
    missing,
    place,
    text,
    value_span,
    words,
    wrong_kind,
)
from archc.lang.schema import InitRule, Preset, Tie
from archc.source import tree as t
from archc.source.text import Span


def init(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    example = "- {op: linear, weight: normal(0.02), bias: zeros}"
    items = value.items if isinstance(value, t.Sequence) else [value]
    return tuple(r for i in items if (r := _init_rule(reading, i, example)) is not None)


def _init_rule(reading: Reading, item: t.Node, example: str) -> InitRule | None:
    tree = mapping(reading, item, "a rule of `init`", example)
    if tree is None:
        return None
    where: dict[str, list[t.Scalar]] = {"op": [], "at": []}
    settings: dict[str, syntax.Call] = {}
    right = True
    for key, value in tree:
        if key.text in where:
            got = words(reading, value, f"`{key.text}`", f"{key.text}: linear")
            if got is not WRONG:
                where[key.text] = got
        else:
            got = call(reading, value, f"`{key.text}`", f"{key.text}: normal(0.02)")
            if got is not WRONG:
                settings[key.text] = got
        right = right and got is not WRONG
    if right and not settings:
        reading.error("A102", "the rule sets no weight", tree.span, "add `weight: normal(0.02)`")
    if not right or not settings:
        return None
    return InitRule(
        span=tree.span,
        ops=tuple(s.text for s in where["op"]),
        ops_spans=tuple(s.span for s in where["op"]),
        at=tuple(s.text for s in where["at"]),
        settings=settings,
    )


TIE: dict[str, Reader] = {"a": text, "b": text, "when": expression_at("tied")}


def tie(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    example = "tie: {head.weight: embed.weight}"
    if isinstance(value, t.Mapping):
        found = []
        for a, b in value:
            got = text(reading, a, b)
            if got is not WRONG:
                found.append(
                    Tie(
                        span=Span(a.source, a.start, b.span.end),
                        a=a.text,
                        b=got,
                        a_span=a.span,
                        b_span=b.span,
                    )
                )
        return tuple(found)
    if not isinstance(value, t.Sequence):
        return wrong_kind(reading, value, "`tie`", "a mapping", example)
    found = []
    for item in value:
        tree = mapping(reading, item, "an item of `tie`", "- {a: head.weight, b: embed.weight, when: tied}")
        if tree is None:
            continue
        values = fields(reading, tree, TIE, "an item of `tie`")
        for name in ("a", "b"):
            message = f"an item of `tie` wants `{name}`"
            missing(reading, tree, name, TIE, message, tree.span, "write `{a: head.weight, b: embed.weight}`")
        if "a" in values and "b" in values:
            a_span, b_span = value_span(tree, "a"), value_span(tree, "b")
            found.append(Tie(span=tree.span, **values, a_span=a_span, b_span=b_span))
    return tuple(found)


def presets(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    tree = mapping(reading, value, "`presets`", "presets: {small: {ch: 64}}")
    if tree is None:
        return WRONG
    found = {}
    for name, entry in tree:
        if not PRESET_NAME.match(name.text):
            help = "a preset's name is made of letters, digits, `_`, `-` and `.`"
            reading.error("A104", f"`{name.text}` is no name for a preset", name.span, help)
            continue
        example = f"{name.text}: {{ch: 64}}"
        settings = mapping(reading, entry, f"preset `{name.text}`", example)
        if settings is None:
            reading.broken.add(f"@{name.text}")
            continue
        values, spans = {}, {}
        for param, setting in settings:
            got = expression(reading, setting, f"`{param.text}`", f"{param.text}: 64")
            if got is not WRONG:
                values[param.text], spans[param.text] = got, param.span
        found[name.text] = Preset(**place(name, entry), values=values, value_spans=spans)
    return found


def checkpoints(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    tree = mapping(reading, value, "`checkpoints`", "checkpoints: {taming: {conv1.*: c1.*}}")
    if tree is None:
        return WRONG
    for name, entry in tree:
        mapping(reading, entry, f"checkpoint map `{name.text}`", f"{name.text}: {{conv1.*: c1.*}}")
    return tree
