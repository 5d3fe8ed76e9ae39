"""Do the types that arrive at a block fit what its inputs declare?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archc.graph.builder import Builder
from archc.graph.infer import names_help
from archc.graph.ir import Bundle, Type
from archc.graph.numbers import Numbers
from archc.graph.values import Failed
from archc.lang.schema import Input
from archc.lang.syntax import Dots, Name
from archc.lang.values import UNKNOWN
from archc.shapes import Dim, Mismatch, Num, Tensor, recording, same

FLOATS = frozenset({"float", "float16", "bfloat16", "float32", "float64"})


def check_inputs(
    numbers: Numbers, builder: Builder, types: Mapping[str, Type | None]
) -> dict[str, Type | None]:
    """Hold every input against its declaration; raises Failed, having told what does not fit.

    Tells the types, their sizes as the declaration writes them."""
    wrong = False
    told = dict(types)
    for declared in numbers.block.inputs.values():
        found = types.get(declared.name)
        if found is None:
            continue
        try:
            if isinstance(found, Bundle):
                _length(numbers, declared, len(found.members))
                members = (_tensor(numbers, builder, declared, member) for member in found.members)
                told[declared.name] = Bundle(tuple(members))
            else:
                told[declared.name] = _tensor(numbers, builder, declared, found)
        except Failed:
            wrong = True
    if wrong:
        raise Failed
    return told


def _length(numbers: Numbers, declared: Input, count: int) -> None:
    if declared.bundle is None or declared.bundle is True:
        return
    length = numbers.evaluate(declared.bundle)  # type: ignore[arg-type]
    if length != count:
        numbers.context.fail("A306", f"`{declared.name}` is a bundle of {length}, got {count}", declared.span)


def _tensor(numbers: Numbers, builder: Builder, declared: Input, found: Tensor) -> Tensor:
    context = numbers.context
    name = declared.name
    if not _dtype_fits(declared.dtype, found.dtype):
        help = f"cast it: `{name} -> cast({declared.dtype})`"
        context.fail("A305", f"`{name}` is {declared.dtype}, got {found.dtype}", declared.span, help)
    items = declared.shape
    if items is None or found.shape is None:
        return found
    rank = len(found.shape)
    dots = next((i for i, item in enumerate(items) if isinstance(item, Dots)), None)
    if rank != len(items) if dots is None else rank < len(items) - 1:
        least = "" if dots is None else "at least "
        wanted = len(items) if dots is None else len(items) - 1
        context.fail(
            "A306", f"`{name}` has {least}{wanted} dimensions, {shown(declared)}, got {found}", declared.span
        )
    shape = list(found.shape)
    for index, item in enumerate(items):
        if isinstance(item, Dots):
            continue
        axis = index if dots is None or index < dots else index - len(items) + rank
        size = shape[axis]
        wanted = numbers.names.get(item.id) if isinstance(item, Name) else None
        if wanted is None:
            wanted = numbers.evaluate(item)
        if wanted is UNKNOWN:
            raise Failed
        if wanted is size:
            continue
        _same(numbers, builder, declared, item, wanted, size, found)
        shape[axis] = wanted if isinstance(wanted, Num | Dim) else size
    return replace(found, shape=tuple(shape))


def _same(
    numbers: Numbers, builder: Builder, declared: Input, item: Any, wanted: Any, size: Any, found: Tensor
) -> None:
    name = item.span.text
    value = "" if str(wanted) == name else f" is {wanted} and"
    try:
        if isinstance(wanted, bool) or not isinstance(wanted, int | Dim):
            numbers.context.fail("A306", f"`{name}` is no size: it is {wanted}", item.span)
        with recording() as facts:
            same(wanted, size)
    except Mismatch as wrong:
        numbers.context.fail(
            "A306",
            f"`{declared.name}` is {shown(declared)}, got {found}: `{name}`{value} cannot be {size} here",
            item.span,
            wrong.example or names_help(wrong),
        )
    is_open = declared.name in builder.graph.open
    builder.require(facts, item.span, cases=builder.given(declared.name) if is_open else None)


def shown(declared: Input) -> str:
    """An input's shape as the spec writes it."""
    return f"[{', '.join(item.span.text for item in declared.shape or ())}]"


def _dtype_fits(declared: str, found: str) -> bool:
    return declared == found or (declared == "float" and found in FLOATS)
