"""The types of an operator's outputs, and the facts that they stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from archc.graph.connect import Feed
from archc.graph.context import Context
from archc.graph.ir import Bundle, Number, Type
from archc.graph.presence import ones
from archc.graph.values import Value
from archc.ops.base import Op, ShapeError
from archc.shapes import Cond, Dim, Facts, Mismatch, Size, Tensor, TooSmall, recording, symbols
from archc.source.diagnostic import Related
from archc.source.text import Span

Slot = tuple[str, "Feed | None"]  # a port and what feeds it, None where nothing does
Variant = tuple[tuple[Tensor, ...], int]  # an operator's outputs, and the cases in which they are these


def operand_type(operand: Any) -> Tensor:
    """The type of one operand of an operator."""
    if isinstance(operand, Value):
        assert isinstance(operand.type, Tensor), operand
        return operand.type
    assert isinstance(operand, Number), operand
    value = operand.value
    if isinstance(value, bool | Cond):
        return _BOOL
    return _INT if isinstance(value, int | Dim) else _FLOAT


_BOOL, _INT, _FLOAT = (Tensor((), dtype, weak=True) for dtype in ("bool", "int64", "float"))


def arriving(operand: Any) -> Type:
    """The type of what arrives at a port, a bundle's too."""
    return operand.type if isinstance(operand, Value) else operand_type(operand)


class Inference:
    """Asks operators for their outputs' types, once for each set of open inputs that may be there."""

    def __init__(
        self,
        context: Context,
        origin: Callable[[Value], Span],
        new_size: Callable[[str], Dim],
        in_case: Callable[[Size, int], Size],
    ) -> None:
        self._context = context
        self._origin = origin
        self._new_size = new_size
        self._in_case = in_case

    def outputs(
        self, op: Op, slots: Sequence[Slot], cases: int, span: Span
    ) -> tuple[tuple[Tensor, ...], Facts]:
        """The outputs of `op` in all `cases`, and the conditions on sizes that it stands on."""
        facts = Facts()
        variants: list[Variant] = []
        for kept, within in self._subsets(slots, cases):
            if any(feed is None for _, feed in kept) and any(p.variadic for p in op.ports()):
                kept = [(port, feed) for port, feed in kept if feed is not None]
            types, found = self._once(op, kept, span)
            if found:
                facts.join(found, within)
            variants.append((types, within))
        return self._merge(op, variants, span), facts

    @staticmethod
    def _subsets(slots: Sequence[Slot], cases: int) -> Iterable[tuple[Sequence[Slot], int]]:
        """The operands that may be there together, None for the others, and in which cases."""
        masks = [
            feed.operand.presence if feed is not None and isinstance(feed.operand, Value) else -1
            for _, feed in slots
        ]
        if all(mask & cases == cases for mask in masks):
            return [(slots, cases)]
        found: dict[tuple[bool, ...], int] = {}
        for bit in (1 << case for case in ones(cases)):
            there = tuple(bool(mask & bit) for mask in masks)
            found[there] = found.get(there, 0) | bit
        variants: list[tuple[Sequence[Slot], int]] = []
        for there, within in found.items():
            kept = [(port, feed if t else None) for (port, feed), t in zip(slots, there, strict=True)]
            variants.append((kept, within))
        return variants

    def _once(self, op: Op, slots: Sequence[Slot], span: Span) -> tuple[tuple[Tensor, ...], Facts]:
        types: list[Any] = []
        for _, feed in slots:
            if feed is None:
                types.append(None)
            elif isinstance(feed.operand, Value) and isinstance(feed.operand.type, Bundle):
                types += feed.operand.type.members
            else:
                types.append(operand_type(feed.operand))
        if op.new_sizes:
            return self._asked(op, types, slots, span)
        return self._context.alike.told(op, types, lambda: self._asked(op, types, slots, span))

    def _asked(
        self, op: Op, types: Sequence[Any], slots: Sequence[Slot], span: Span
    ) -> tuple[tuple[Tensor, ...], Facts]:
        """What an operator's shape rule tells."""
        try:
            with recording() as found:
                result = op.shape(*types)
        except ShapeError as wrong:
            self._refuse(op, slots, wrong, span)
        except (Mismatch, TooSmall) as wrong:
            error = ShapeError(str(wrong))
            error.__cause__ = wrong
            self._refuse(op, slots, error, span)
        return (result,) if isinstance(result, Tensor) else tuple(result), found

    def _refuse(self, op: Op, slots: Sequence[Slot], wrong: ShapeError, span: Span):
        feeds = [(port, feed) for port, feed in slots if feed is not None]
        place = span
        single = [p.name for p in op.ports() if not p.variadic]
        if len(feeds) > 1 and len(wrong.about) == 1 and wrong.about[0] in single:
            place = next((feed.span for port, feed in feeds if port in wrong.about), span)
        if wrong.needs_static is not None:
            self._context.needs_static(wrong.needs_static, wrong.message, place, wrong.help)
        related = []
        for _, feed in feeds:
            if isinstance(feed.operand, Value):
                name = feed.span.text if feed.span.text.isidentifier() else "this"
                message = f"`{name}` is {feed.operand.type}, from here".replace("`this`", "this")
                related.append(Related(self._origin(feed.operand), message))
        cause = wrong.__cause__
        code = "A301" if type(cause) is Mismatch else "A304" if isinstance(cause, TooSmall) else "A302"
        help = wrong.help or (names_help(cause) if isinstance(cause, Mismatch) else None)
        if isinstance(cause, Mismatch) and cause.example and cause.example not in wrong.message:
            help = f"{cause.example}; {help}" if help else cause.example
        self._context.fail(code, wrong.message, place, help, related=related)

    def _merge(self, op: Op, variants: list[Variant], span: Span) -> tuple[Tensor, ...]:
        first, cases = variants[0]
        for other, within in variants[1:]:
            if len(other) != len(first):
                self._context.fail(
                    "A413", "the number of outputs depends on an open input", span, FIX_PRESENCE
                )
            pairs = zip(first, other, strict=True)
            first = tuple(self.join(a, b, span, (cases, within)) for a, b in pairs)
            cases |= within
        return first

    def join(self, a: Type, b: Type, span: Span, cases: tuple[int, int]) -> Tensor:
        """The type of what is `a` or `b`, each in its cases, as the model decides when it runs."""
        if isinstance(a, Bundle) or isinstance(b, Bundle):
            self._context.fail("A413", "an open input decides between bundles", span, FIX_PRESENCE)
        if a.shape is None or b.shape is None or len(a.shape) != len(b.shape):
            self._context.fail(
                "A413", f"an open input decides between {a} and {b}, of different rank", span, FIX_PRESENCE
            )
        if a.dtype != b.dtype:
            self._context.fail(
                "A413", f"an open input decides between {a.dtype} and {b.dtype}", span, FIX_PRESENCE
            )
        reason = f"it is {a} or {b}, as an open input decides"
        both = (self._either(x, y, cases) for x, y in zip(a.shape, b.shape, strict=True))
        return replace(a, shape=tuple(self._new_size(reason) if x is None else x for x in both))

    def _either(self, a: Size, b: Size, cases: tuple[int, int]) -> Size | None:
        """The size that is `a` and `b`, each in its cases; None where neither serves for both."""
        if _same_size(a, b):
            return a
        for both, other, within in ((a, b, cases[1]), (b, a, cases[0])):
            if all(_same_size(self._in_case(both, c), self._in_case(other, c)) for c in ones(within)):
                return both
        return None


def names_help(wrong: Mismatch) -> str | None:
    """The advice where two free dimensions should be one."""
    names = [str(side) for side in (wrong.a, wrong.b) if isinstance(side, Dim) and str(side) in symbols(side)]
    if len(names) < 2:
        return None
    return f"where `{names[0]}` and `{names[1]}` are one size, give them one name"


FIX_PRESENCE = "fix the input with --given or --absent (`given=[...]`, `absent=[...]` in Python)"


def _same_size(a: Size, b: Size) -> bool:
    return a is b or a == b
