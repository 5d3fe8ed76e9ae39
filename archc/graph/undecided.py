"""What an outline cannot decide: conditions, cases, and types of which not all is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from archc.graph.ir import Bundle, Type
from archc.lang.values import Unsettled
from archc.shapes import Cond, Dim, Size, Tensor, not_, substitute, symbols

ANY = Tensor(None)
"""The type of a value of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """A condition that nobody decided: its text, and what it says of sizes, where that is known."""

    text: str
    condition: Cond | None = None

    @property
    def test(self) -> tuple[str, str]:
        """As a `Choose` has it."""
        return ("undecided", self.text)


Facts = Mapping[str, Size]
"""What symbols are, where a condition holds."""


def facts(condition: Any, holds: bool) -> Facts:
    """The sizes that a condition tells where it holds, or where it does not.

    >>> from archc.shapes import eq, not_, symbol
    >>> facts(not_(eq(symbol("C"), symbol("D"))), False)
    {'C': Dim(D)}
    """
    if not holds and isinstance(condition, Cond):
        condition = not_(condition)
    found: dict[str, Size] = {}
    if isinstance(condition, Cond) and condition.op in ("and", "=="):
        parts = condition.args if condition.op == "and" else (condition,)
        for part in parts:
            if part.op == "==" and len(part.args) == 1:
                found |= _solved(substitute(part.args[0], found), found)
    return found


def _solved(dim: Any, known: Facts) -> Facts:
    """`dim == 0` for one of its symbols, where it is linear in it."""
    for name in sorted(symbols(dim) - known.keys()):
        rest = substitute(dim, {name: 0})
        once = substitute(dim, {name: 1}) - rest
        if once in (1, -1) and name not in symbols(rest) and substitute(dim, {name: 2}) - rest == 2 * once:
            return {name: -rest * once}
    return {}


def joined(a: Type, b: Type, unknown: Callable[[], Dim], test: Undecided | None = None) -> Type:
    """The type of what is `a` where `test` holds, else `b`; sizes that differ are unknown."""
    if a == b:
        return a
    if isinstance(a, Bundle) and isinstance(b, Bundle):
        return _bundles(a, b, unknown)
    if isinstance(a, Bundle) or isinstance(b, Bundle) or a.shape is None or b.shape is None:
        return ANY
    if len(a.shape) != len(b.shape) or a.dtype != b.dtype:
        return ANY
    then, other = (facts(test.condition, holds) if test else {} for holds in (True, False))
    sizes = []
    for x, y in zip(a.shape, b.shape, strict=True):
        if x is y or x == y or _agree(x, y, other):
            sizes.append(x)
        else:
            sizes.append(y if _agree(x, y, then) else unknown())
    return replace(a, shape=tuple(sizes), weak=a.weak and b.weak)


def _agree(x: Size, y: Size, known: Facts) -> bool:
    return bool(known) and substitute(x, known) == substitute(y, known)


def _bundles(a: Bundle, b: Bundle, unknown: Callable[[], Dim]) -> Bundle:
    if a.count is None and b.count is None and len(a.members) == len(b.members):
        pairs = zip(a.members, b.members, strict=True)
        return Bundle(tuple(_tensor(joined(x, y, unknown)) for x, y in pairs))
    return Bundle((common((*a.members, *b.members), unknown),), a.count if a.count == b.count else unknown())


def common(members: tuple[Tensor, ...], unknown: Callable[[], Dim]) -> Tensor:
    """One type that stands for all of these."""
    if not members:
        return ANY
    first: Type = members[0]
    for member in members[1:]:
        first = joined(first, member, unknown)
    return _tensor(first)


def gathered(items: tuple[Type, ...], unknown: Callable[[], Dim]) -> Bundle:
    """Tensors and bundles as one bundle, of which a bundle may have an unknown length."""
    members: tuple[Tensor, ...] = ()
    count: Any = 0
    for item in items:
        members += item.members if isinstance(item, Bundle) else (item,)
        count += item.length if isinstance(item, Bundle) else 1
    if not isinstance(count, Dim):
        return Bundle(members)
    return Bundle((common(members, unknown),), count)


def _tensor(found: Type) -> Tensor:
    return found if isinstance(found, Tensor) else ANY


def is_unknown(size: Size) -> bool:
    """Is it a size that is not known and that nothing else is named by?"""
    return isinstance(size, Dim) and str(size).startswith("?")


def settles(type: Type, after: Type) -> bool:
    """Is every value of type `after` one of `type`, whose unknown sizes may be any?"""
    if not isinstance(type, Tensor) or not isinstance(after, Tensor):
        return type == after
    if type.shape is None or after.shape is None or len(type.shape) != len(after.shape):
        return type.shape is None
    return all(is_unknown(x) or x == y for x, y in zip(type.shape, after.shape, strict=True))


def forgotten(type: Type, name: str, unknown: Callable[[], Dim]) -> Type:
    """The type with unknown sizes for those whose text has `name` in it."""
    if isinstance(type, Bundle):
        members = tuple(_tensor(forgotten(m, name, unknown)) for m in type.members)
        count = type.count
        return Bundle(members, unknown() if count is not None and name in str(count) else count)
    if type.shape is None:
        return type
    return replace(type, shape=tuple(unknown() if name in str(s) else s for s in type.shape))


def undecided_count(value: Any) -> Any:
    """A number that may not be settled, as one that can be reckoned with."""
    from archc.shapes import parameter

    return parameter(value.text) if isinstance(value, Unsettled) else value
