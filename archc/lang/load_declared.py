"""Reading what a block declares: its params, values, requirements and inputs."""

from __future__ import annotations

from typing import Any

from archc.lang import syntax
from archc.lang.parser import Shape, SpanPlace, parse_param, parse_shape, parse_type
from archc.lang.reading import (
    WRONG,
    Reader,
    Reading,
    build,
    expression,
    expression_at,
    fields,
    key_span,
    missing,
    place,
    plain,
    text,
    wrong_kind,
)
from archc.lang.schema import Input, Let, Param, Require
from archc.shapes import DTYPES
from archc.source import tree as t
from archc.source.diagnostic import did_you_mean
from archc.source.text import Span


def _param_type(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    if not isinstance(value, t.Scalar) or value.empty:
        return wrong_kind(reading, value, "`type`", "a type", "type: int")
    found = parse_type(value, reading.report)
    return WRONG if found is None else found


PARAM: dict[str, Reader] = {"type": _param_type, "default": expression_at("32"), "doc": text}


def param(reading: Reading, key: t.Scalar, value: t.Node) -> Param | None:
    example = f"{key.text}: int = 32"
    if isinstance(value, t.Mapping):
        values = fields(reading, value, PARAM, f"param `{key.text}`")
        missing(reading, value, "type", PARAM, f"param `{key.text}` has no type", key.span, "add `type: int`")
        if "type" not in values or len(values) < len(value):
            return None
        return build(reading, Param, value, place(key, value) | values)
    if not isinstance(value, t.Scalar) or value.empty:
        return wrong_kind(reading, value, f"param `{key.text}`", "a type", example) and None
    found, default = parse_param(value, reading.report)
    return None if found is None else Param(**place(key, value), type=found, default=default)


def let(reading: Reading, key: t.Scalar, value: t.Node) -> Let | None:
    found = expression(reading, value, f"`{key.text}`", f"{key.text}: ch * 2")
    return None if found is WRONG else Let(**place(key, value), value=found)


def require(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    example = "C % groups == 0: the width must be divisible by its groups"
    items = value.items if isinstance(value, t.Sequence) else [value]
    found = []
    for item in items:
        if not isinstance(item, t.Mapping):
            wrong_kind(reading, item, "`require`", "`condition: message`", f"- {example}")
            continue
        for condition, message in item:
            test = expression(reading, condition, "a condition", example)
            said = text(reading, condition, message)
            if test is not WRONG and said is not WRONG:
                span = Span(condition.source, condition.start, message.span.end)
                found.append(Require(span=span, condition=test, message=said))
    return tuple(found)


def _shape(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    """A shape and what stands around it: `float[B, D]?`, or a list without quotes."""
    if isinstance(value, t.Mapping) or (isinstance(value, t.Scalar) and value.empty):
        return wrong_kind(reading, value, f"`{key.text}`", "a shape", f"{key.text}: [B, C, H, W]")
    if isinstance(value, t.Sequence) and not value.flow:
        return _listed(reading, key, value)
    at = value if isinstance(value, t.Scalar) else SpanPlace(value.span)
    if isinstance(at, t.Scalar) and at.torn and "[" not in at.text:
        return WRONG  # `{x: B, C}`, which has been told
    found = parse_shape(at, reading.report)
    if found is None:
        return WRONG
    if found[0] is not None and found[0] not in DTYPES:
        return _unknown_dtype(reading, found[0], at.sub(0, len(found[0])))
    return found


def _listed(reading: Reading, key: t.Scalar, value: t.Sequence) -> Any:
    """A shape whose dimensions stand on lines of their own."""
    found = []
    for item in value:
        if isinstance(item, t.Scalar) and item.text == "...":
            found.append(syntax.Dots(item.span))
        else:
            found.append(expression(reading, item, f"`{key.text}`", f"{key.text}: [B, C, H, W]"))
    return WRONG if WRONG in found else (None, tuple(found), False, ())


def _unknown_dtype(reading: Reading, word: str, span: Span) -> Any:
    close = did_you_mean(word, DTYPES)
    help = f"did you mean `{close}`?" if close else "dtypes are " + ", ".join(DTYPES)
    return reading.error("A107", f"`{word}` is no dtype", span, help)


def _dtype(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    word = text(reading, key, value)
    if word is WRONG or word in DTYPES:
        return word
    return _unknown_dtype(reading, word, value.span)


def _bundle(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    """`bundle: layers`; `bundle: true` takes the length from what is wired."""
    found = expression(reading, value, "`bundle`", "bundle: layers")
    if isinstance(found, syntax.Literal) and isinstance(found.value, bool):
        return True if found.value else None
    return found


INPUT: dict[str, Reader] = {
    "shape": _shape,
    "dtype": _dtype,
    "optional": plain,
    "bundle": _bundle,
    "doc": text,
}


def input(reading: Reading, key: t.Scalar, value: t.Node) -> Input | None:
    if isinstance(value, t.Scalar) and value.text.rstrip("?").strip() == "bundle":
        return Input(**place(key, value), bundle=True, optional=value.text.endswith("?"))
    if not isinstance(value, t.Mapping):
        found = _shape(reading, key, value)
        if found is WRONG:
            return None
        return _may_be_empty(reading, Input(**place(key, value), **_given(*found)), found)
    values = fields(reading, value, INPUT, f"input `{key.text}`")
    if len(values) < len(value):
        return None
    if "shape" in values:
        found = values.pop("shape")
        given = _given(*found)
        for name in ("dtype", "optional"):
            if name in given and name in values:
                message = f"the {name} of `{key.text}` is given twice"
                reading.error("A109", message, key_span(value, name), "it stands in `shape` too: drop one")
        made = build(reading, Input, value, place(key, value) | given | values)
        return made and _may_be_empty(reading, made, found)
    if values.get("bundle") is None:
        message = f"input `{key.text}` has no shape"
        missing(reading, value, "shape", INPUT, message, key.span, "add `shape: [B, C]`")
        return None
    return build(reading, Input, value, place(key, value) | values)


def _may_be_empty(reading: Reading, made: Input, shape: Shape) -> Input:
    """The input, told where a dimension is 0 if it is absent and it cannot be."""
    for name in () if made.optional else shape[3]:
        message = f"`{name.id} = 0` says what `{name.id}` is where `{made.name}` is absent, and it never is"
        reading.error("A216", message, name.span, f"declare it optional, or write `{name.id}` alone")
    return made


def _given(dtype: str | None, shape: Any, optional: bool, empty: tuple[syntax.Name, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {"shape": shape, "empty": tuple(name.id for name in empty)}
    if dtype is not None:
        values["dtype"] = dtype
    if optional:
        values["optional"] = True
    return values
