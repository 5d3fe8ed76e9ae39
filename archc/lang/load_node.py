"""Reading a node: what it calls and how it is arranged."""

from __future__ import annotations

from typing import Any

from archc.lang.parser import parse_repeat
from archc.lang.reading import (
    WRONG,
    Reader,
    Reading,
    build,
    call,
    call_at,
    color,
    expression,
    expression_at,
    fields,
    identifier,
    key_span,
    link,
    mapping,
    one_line,
    place,
    plain,
    text,
    unknown_key,
    value_span,
    wrong_kind,
)
from archc.lang.schema import Node, Repeat
from archc.lang.syntax import Argument, Call
from archc.source import tree as t
from archc.source.diagnostic import did_you_mean
from archc.source.text import Span

EXAMPLE = "conv: conv2d(64, 3)"


def _repeat(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    example = f"{key.text}: 4 as i"
    if not isinstance(value, t.Scalar) or value.empty:
        return wrong_kind(reading, value, f"`{key.text}`", "a number of copies", example)
    count, names = parse_repeat(value, reading.report)
    return WRONG if count is None or names is None else Repeat(span=value.span, count=count, names=names)


def _with(reading: Reading, key: t.Scalar, value: t.Node) -> Any:
    """The arguments below `with`, one a line."""
    tree = mapping(reading, value, "`with`", "with: {kernel_size: 3}")
    if tree is None:
        return WRONG
    arguments = []
    for name, entry in tree:
        if not identifier(reading, name, "an argument"):
            return WRONG
        got = expression(reading, entry, f"`{name.text}`", f"{name.text}: 3")
        if got is WRONG:
            return WRONG
        arguments.append(Argument(name.text, got, Span(name.source, name.start, got.span.end)))
    return tuple(arguments)


KEYS: dict[str, Reader] = {
    "call": call_at("conv2d(64, 3)"),
    "with": _with,
    "preset": text,
    "choose": expression_at("conv_shortcut"),
    "else": call_at("conv2d(64, 1)"),
    "when": expression_at("C != c_out"),
    "repeat": _repeat,
    "parallel": _repeat,
    "share": plain,
    "doc": text,
    "label": one_line,
    "link": link,
    "color": color,
}


def node(reading: Reading, key: t.Scalar, value: t.Node) -> Node | None:
    """A node: `name: CALL`, or a mapping."""
    base = place(key, value)
    if not isinstance(value, t.Mapping):
        found = call(reading, value, f"node `{key.text}`", EXAMPLE)
        return None if found is WRONG else Node(**base, call=found)
    chosen = "choose" in value
    others = [k.text for k, _ in value if k.text not in KEYS]
    if not chosen and "call" not in value:
        for other, _ in value:
            if other.text in others and did_you_mean(other.text, ("call", "choose")):
                unknown_key(reading, other, f"node `{key.text}`", ("call", "choose"))
                return None
    values = fields(reading, value, KEYS, f"node `{key.text}`", others if chosen else ())
    if not _fits(reading, key, value):
        return None
    if chosen:
        cases = _cases(reading, value)
        if cases is None:
            return None
        values["cases"] = cases
        values["case_spans"] = {k.value: k.span for k, _ in value if k.value in cases}
    if ("call" in value and "call" not in values) or (chosen and "choose" not in values):
        return None
    given = values.pop("with", ())
    if given:
        values["call"] = _merged(reading, values["call"], given)
    if "else" in values:
        values["otherwise"] = values.pop("else")
    if "preset" in values:
        values["preset_span"] = value_span(value, "preset")
    return build(reading, Node, value, base | values)


def _fits(reading: Reading, key: t.Scalar, tree: t.Mapping) -> bool:
    """Whether the keys go together."""
    name = f"node `{key.text}`"
    if "call" not in tree and "choose" not in tree:
        if all(k.text in KEYS for k, _ in tree):  # else a key is unknown, which has been said
            help = f"add `call: ...`, or write the node as `{EXAMPLE}`"
            reading.error("A108", f"{name} calls nothing", key.span, help)
        return False
    for one, other, help in CLASHES:
        if one in tree and other in tree:
            reading.error("A108", f"{name} has both `{one}` and `{other}`", key_span(tree, other), help)
            return False
    for one, wanted, help in NEEDS:
        if one in tree and not any(w in tree for w in wanted):
            missing = " or ".join(f"`{w}`" for w in wanted)
            reading.error("A108", f"{name} has `{one}` without {missing}", key_span(tree, one), help)
            return False
    return True


CLASHES = (
    ("call", "choose", "a node calls one thing, or chooses among cases"),
    ("choose", "with", "give each case its arguments in brackets: `true: conv2d(64, 3)`"),
    ("choose", "preset", "a preset goes with `call`; choose between nodes in the flow instead"),
    ("repeat", "parallel", "copies stand in series (`repeat`) or side by side (`parallel`)"),
)
NEEDS = (
    ("else", ("choose",), "`else` is the case that catches the rest of a `choose`"),
    ("with", ("call",), "`with` gives the arguments of `call`"),
    ("preset", ("call",), "`preset` names a preset of the block in `call`"),
    (
        "share",
        ("repeat", "parallel"),
        "`share` gives all copies of a `repeat` or `parallel` the same weights",
    ),
)


def _cases(reading: Reading, tree: t.Mapping) -> dict[Any, Call] | None:
    """The cases of a `choose`: the keys that are none of a node's own."""
    found: dict[Any, Call] = {}
    right = True
    for key, value in tree:
        if key.text in KEYS:
            continue
        got = call(reading, value, f"case `{key.text}`", f"{key.text}: conv2d(64, 3)")
        if got is WRONG:
            right = False
        else:
            if key.value in found:
                reading.error("A109", f"case `{key.text}` stands here twice", key.span, "drop one")
            found[key.value] = got
    if right and not found and "else" not in tree:
        help = "add a key for each case: `true: conv2d(64, 3)`; `else:` catches the rest"
        reading.error("A108", "`choose` has no cases", key_span(tree, "choose"), help)
        right = False
    return found if right else None


def _merged(reading: Reading, call: Call, given: tuple[Argument, ...]) -> Call:
    """A call with the arguments of `with` behind its own."""
    own = {a.name for a in call.arguments if a.name}
    for argument in given:
        if argument.name in own:
            message = f"argument `{argument.name}` is given twice"
            reading.error("A109", message, argument.span, "it stands in `call` and in `with`: drop one")
    return call._replace(arguments=(*call.arguments, *(a for a in given if a.name not in own)))
