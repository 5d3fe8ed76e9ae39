"""Indexes in a flow: `x[:, 0]` of a tensor, `skips[-1]` of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archc.graph.binding import bind_target
from archc.graph.builder import Builder
from archc.graph.connect import Feed
from archc.graph.ir import Bundle, Number
from archc.graph.numbers import Numbers
from archc.graph.values import ABSENT, UNKNOWN, Failed, Given, Operand, Target, Value, first
from archc.lang import syntax
from archc.lang.syntax import Expr
from archc.lang.values import Unsettled
from archc.lang.walk import free_names
from archc.ops.index import AT, Index
from archc.shapes import Dim, parameter

if TYPE_CHECKING:
    from archc.graph.operands import Operands


class Indexing:
    """Evaluates the indexes among the operands of a flow."""

    def __init__(self, operands: Operands, numbers: Numbers, builder: Builder) -> None:
        self._operands = operands
        self._numbers = numbers
        self._context = numbers.context
        self._builder = builder

    def index(self, expr: syntax.Index) -> Operand:
        value = self._operands.operand(expr.value)
        if value is UNKNOWN:
            raise Failed
        if value is ABSENT:
            return ABSENT
        if not isinstance(value, Value):
            self._context.fail("A403", "a number has no index", expr.span)
        if isinstance(value.type, Bundle):
            return self._member(expr, value)
        items: list[Any] = []
        feeds = [Feed(None, value, expr.value.span)]
        for item in expr.items:
            items.append(self._item(item, feeds))
        if any(f.operand is ABSENT for f in feeds):
            return ABSENT
        target = Target("index", Index, (Given(None, items, expr.span),), expr.span)
        op = bind_target(self._context, target).op
        assert op is not None
        return first(self._operands.apply(op, feeds, expr.span))

    def _item(self, item: Any, feeds: list[Feed]) -> Any:
        """An item as `Index` takes it; a tensor among them becomes a further feed."""
        if isinstance(item, syntax.Dots):
            return ...
        if isinstance(item, syntax.Slice):
            parts = (item.start, item.stop, item.step)
            return slice(*(p if p is None else self._size(p) for p in parts))
        if isinstance(item, syntax.Literal) and item.value is None:
            return None
        found = self._operands.operand(item)
        if isinstance(found, Number):
            return _settled(found)
        if found is UNKNOWN:
            raise Failed
        feeds.append(Feed(None, found, item.span))
        return AT

    def _size(self, expr: Expr) -> Any:
        found = self._operands.operand(expr)
        if isinstance(found, Number) and isinstance(_settled(found), int | Dim):
            return _settled(found)
        if found is UNKNOWN:
            raise Failed
        self._context.fail("A403", "a slice takes whole numbers", expr.span)

    def _member(self, expr: syntax.Index, bundle: Value) -> Value:
        assert isinstance(bundle.type, Bundle)
        count = len(bundle.type.members)
        if len(expr.items) != 1 or isinstance(expr.items[0], syntax.Dots):
            self._context.fail("A412", "a bundle has one index", expr.span)
        item = expr.items[0]
        if isinstance(item, syntax.Slice):
            parts = [None if p is None else self._static(p) for p in (item.start, item.stop, item.step)]
            if parts[2] == 0:
                self._context.fail("A412", "a slice's step cannot be 0", item.span)
            return self._builder.pick(bundle, slice(*parts), expr.span)
        index = self._static(item)
        known = bundle.type.count is None and isinstance(index, int)
        if known and not -count <= index < count:
            has = f"the bundle has {count} member{'' if count == 1 else 's'}"
            self._context.fail("A412", f"there is no member {index}: {has}", item.span)
        return self._builder.pick(bundle, index, expr.span)

    def _static(self, expr: Expr) -> Any:
        found = self._size(expr)
        if isinstance(found, Dim) and not self._context.outline:
            self._numbers.needs_static(free_names(expr), expr.span)
        return int(found) if isinstance(found, int) else found


def _settled(number: Number) -> Any:
    """A number as an index takes it: one that nobody gave is a size of its own."""
    return parameter(number.value.text) if isinstance(number.value, Unsettled) else number.value
