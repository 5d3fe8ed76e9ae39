"""Shape rules as text: `[B, T, D], int64[B] -> [B, D]`.

Left stand the inputs' shapes in order, right the outputs'. A name that begins with an upper-case letter
is a size, bound where it stands alone; others are attributes. Sizes may be expressions, `...` is any
number of axes. A dtype in front is demanded of an input; an output without one has that of the first
input.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archc.lang.evaluate import evaluate
from archc.lang.parser import SpanPlace, parse_shape
from archc.lang.syntax import Dots, Expr, Name
from archc.lang.values import EvaluationError, NeedsStatic, Scope
from archc.lang.walk import free_names
from archc.ops.base import Port, ShapeError
from archc.ops.rules import sizes
from archc.shapes import DTYPES, Dim, Mismatch, Size, Tensor, same, symbols
from archc.source.diagnostic import Report
from archc.source.text import Source, Span

AXES = "..."
"""Under this key stand the sizes that `...` is."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One shape of a rule."""

    text: str
    dtype: str | None
    items: tuple[Expr | Dots, ...]

    def names(self) -> Iterator[str]:
        for item in self.items:
            if not isinstance(item, Dots):
                yield from free_names(item)

    def bound(self) -> Iterator[str]:
        """The sizes that it binds."""
        return (i.id for i in self.items if isinstance(i, Name) and i.id[0].isupper())


@dataclass(frozen=True, slots=True)
class ShapeRule:
    """A rule that was read."""

    inputs: tuple[Pattern, ...]
    outputs: tuple[Pattern, ...]

    def dimensions(self) -> frozenset[str]:
        """The sizes that the inputs bind."""
        return frozenset(name for pattern in self.inputs for name in pattern.bound())

    def bind(
        self, ports: Sequence[Port], inputs: Sequence[Tensor | None], attributes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The sizes that inputs of these types give; raises ShapeError where they do not fit."""
        found: dict[str, Any] = {}
        given = [
            (port.name, pattern, tensor)
            for port, pattern, tensor in zip(ports, self.inputs, inputs, strict=True)
            if tensor is not None
        ]
        for name, pattern, tensor in given:
            _bind(name, pattern, tensor, found)
        for name, pattern, tensor in given:
            _compare(name, pattern, tensor, {**attributes, **found})
        return found

    def results(self, inputs: Sequence[Tensor | None], names: Mapping[str, Any]) -> tuple[Tensor, ...]:
        """The outputs' types, where `names` are the sizes and attributes."""
        first = next((t for t in inputs if t is not None), None)
        made = []
        for pattern in self.outputs:
            shape: list[Size] = []
            for item in pattern.items:
                shape += names.get(AXES, ()) if isinstance(item, Dots) else [_value(item, names)]
            made.append(Tensor(tuple(shape), pattern.dtype or (first.dtype if first else "float")))
        return tuple(made)


def read_rule(text: str, what: str, ports: Sequence[Port], attributes: Collection[str]) -> ShapeRule:
    """A rule from its text; raises TypeError, in which `what` names the operator."""
    left, arrow, right = text.partition("->")
    if not arrow:
        raise TypeError(f"{what}: the shape rule {text!r} has no `->`")
    if any(port.variadic for port in ports):
        raise TypeError(f"{what}: of any number of inputs there is no rule as text; give a function")
    rule = ShapeRule(_patterns(left, what), _patterns(right, what))
    if len(rule.inputs) != len(ports):
        count = f"{len(rule.inputs)} input{'s' * (len(rule.inputs) != 1)}"
        raise TypeError(f"{what}: the shape rule has {count}, and the operator {len(ports)}")
    if not rule.outputs:
        raise TypeError(f"{what}: the shape rule {text!r} has no outputs")
    known = rule.dimensions() | set(attributes)
    for pattern in (*rule.inputs, *rule.outputs):
        for name in pattern.names():
            if name not in known:
                why = "stands alone in no input" if name[0].isupper() else "is no attribute"
                raise TypeError(f"{what}: in the shape rule {text!r}, `{name}` {why}")
    dots = any(isinstance(item, Dots) for pattern in rule.inputs for item in pattern.items)
    if not dots and any(isinstance(item, Dots) for pattern in rule.outputs for item in pattern.items):
        raise TypeError(f"{what}: in the shape rule {text!r}, `...` stands in no input")
    return rule


_SHAPE = re.compile(r"[^,\[\]]*\[(?:[^\[\]]|\[[^\]]*\])*\]\??")


def _patterns(text: str, what: str) -> tuple[Pattern, ...]:
    found = []
    rest = text.strip()
    while rest:
        match = _SHAPE.match(rest)
        written = (match[0] if match else rest).strip()
        report = Report()
        read = parse_shape(SpanPlace(Span(Source("shape", written), 0, len(written))), report)
        if read is None:
            raise TypeError(f"{what}: {report.diagnostics[0].message}, in the shape rule's {written!r}")
        dtype, items, _, empty = read
        if empty:
            raise TypeError(f"{what}: a shape rule takes no default for `{empty[0].id}`")
        if dtype is not None and dtype not in DTYPES:
            raise TypeError(f"{what}: there is no dtype `{dtype}`, in the shape rule's {written!r}")
        found.append(Pattern(written.rstrip("?"), dtype, items))
        rest = rest[match.end() if match else len(rest) :].strip()
        if rest and not rest.startswith(","):
            raise TypeError(f"{what}: between two shapes of a rule stands a comma, not {rest[:1]!r}")
        rest = rest[1:].strip()
    return tuple(found)


# --- applying ------------------------------------------------------------------------------


def _axes(name: str, pattern: Pattern, tensor: Tensor) -> list[tuple[Expr | Dots, Any]]:
    """Each item of a pattern with the size (or the sizes) that it stands for."""
    shape = sizes(tensor, name)
    dots = next((i for i, item in enumerate(pattern.items) if isinstance(item, Dots)), None)
    count = len(pattern.items)
    if dots is None:
        if len(shape) != count:
            _refuse(name, pattern, tensor)
        return list(zip(pattern.items, shape, strict=True))
    behind = count - dots - 1
    if len(shape) < count - 1:
        _refuse(name, pattern, tensor)
    end = len(shape) - behind
    return [
        *zip(pattern.items[:dots], shape[:dots], strict=True),
        (pattern.items[dots], shape[dots:end]),
        *zip(pattern.items[dots + 1 :], shape[end:], strict=True),
    ]


def _refuse(name: str, pattern: Pattern, tensor: Tensor, cause: Mismatch | None = None):
    message = f"`{name}` must be {pattern.text} and is {tensor}" + (f": {cause}" if cause else "")
    raise ShapeError(message, about=(name,)) from cause


def _bind(name: str, pattern: Pattern, tensor: Tensor, found: dict[str, Any]) -> None:
    if pattern.dtype is not None and pattern.dtype != tensor.dtype:
        help = f"cast it first: `{name} -> cast({pattern.dtype})`"
        raise ShapeError(f"`{name}` must be {pattern.text} and is {tensor}", about=(name,), help=help)
    for item, size in _axes(name, pattern, tensor):
        if isinstance(item, Dots):
            found.setdefault(AXES, size)
        elif isinstance(item, Name) and item.id[0].isupper():
            found.setdefault(item.id, size)


def _compare(name: str, pattern: Pattern, tensor: Tensor, names: Mapping[str, Any]) -> None:
    for item, size in _axes(name, pattern, tensor):
        try:
            if not isinstance(item, Dots):
                same(size, _value(item, names))
                continue
            if len(size) != len(names[AXES]):
                _refuse(name, pattern, tensor)
            for own, other in zip(size, names[AXES], strict=True):
                same(own, other)
        except Mismatch as wrong:
            _refuse(name, pattern, tensor, wrong)


def _value(item: Expr, names: Mapping[str, Any]) -> Size:
    """A size of a rule."""
    try:
        found = evaluate(item, Scope(names={k: v for k, v in names.items() if k != AXES}))
    except EvaluationError as wrong:
        raise ShapeError(f"{wrong.message}, in the shape rule's `{item.span.text}`") from wrong
    except NeedsStatic as wrong:
        size = next((v for v in names.values() if isinstance(v, Dim) and symbols(v)), None)
        raise ShapeError(f"`{item.span.text}` must be known", needs_static=size) from wrong
    if isinstance(found, bool) or not isinstance(found, int | Dim):
        raise ShapeError(f"the shape rule's `{item.span.text}` is no whole number")
    return found
