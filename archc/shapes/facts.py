"""What a shape rule asks for, and what it records when the answer depends on the sizes.

with recording() as facts:
    size = same(a, b)
# facts: conditions under which the rule holds
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any

from archc.shapes.condition import Cond, at_least_zero, equals_zero
from archc.shapes.dim import Dim, Size
from archc.shapes.verdict import Verdict, compare, decide


class Mismatch(Exception):
    """Two sizes that had to be equal: `a`, `b`, and the `verdict`, `different` or `undecided`."""

    def __init__(self, a: Size, b: Size, verdict: Verdict):
        super().__init__(a, b, verdict)
        self.a, self.b, self.verdict = a, b, verdict

    @property
    def example(self) -> str:
        """The smallest sizes that fail, and what the two are there: "for H = 1: 1 and 7"."""
        return _where(self.verdict).removeprefix(": ")

    def __str__(self) -> str:
        if self.verdict.kind == "undecided":
            return f"cannot tell whether {self.a} and {self.b} are equal"
        return f"{self.a} and {self.b} differ{_where(self.verdict)}"


class TooSmall(Mismatch):
    """A size that had to be at least `b` and never is."""

    def __str__(self) -> str:
        return f"{self.a} is less than {self.b}{_where(self.verdict)}"


class Indivisible(Mismatch):
    """A size that had to be divisible by `b` and never is."""

    def __str__(self) -> str:
        return f"{self.a} is not divisible by {self.b}{_where(self.verdict)}"


def _where(verdict: Verdict) -> str:
    if not verdict.example:
        return ""
    sizes = ", ".join(f"{name} = {size}" for name, size in verdict.example.items())
    return f": for {sizes}: {verdict.left} and {verdict.right}"


class Facts(list[Cond]):
    """Recorded conditions; `sides` are the sizes that an equality among them compares.

    `cases`: in which cases of a block's open inputs a condition is asked for, where not in all.
    `unknown`: nothing is recorded, what is asked for is supposed to hold; it makes a size where none
    can be told (see `supposing`)."""

    def __init__(self, unknown: Callable[[], Dim] | None = None) -> None:
        super().__init__()
        self.sides: dict[Cond, tuple[Size, Size]] = {}
        self.cases: dict[Cond, int] = {}
        self.unknown = unknown

    def join(self, other: Facts, cases: int) -> None:
        """Add what was recorded elsewhere, in some cases."""
        self.extend(other)
        self.sides |= other.sides
        self.cases |= {fact: self.cases.get(fact, 0) | cases for fact in other}


_facts: ContextVar[Facts | None] = ContextVar("facts", default=None)


class recording:  # noqa: N801  (reads as a verb: `with recording() as facts`)
    """Collects the conditions that the calls inside record, innermost block first.

    `unknown`: see `Facts`."""

    __slots__ = ("facts", "_token")

    def __init__(self, unknown: Callable[[], Dim] | None = None) -> None:
        self.facts = Facts(unknown)
        self._token: Token | None = None

    def __enter__(self) -> Facts:
        self._token = _facts.set(self.facts)
        return self.facts

    def __exit__(self, *exception: Any) -> None:
        assert self._token is not None
        _facts.reset(self._token)


def supposing() -> Callable[[], Dim] | None:
    """Is what is asked for supposed to hold, because numbers are not given? Then it makes new sizes."""
    facts = _facts.get()
    return None if facts is None else facts.unknown


def _record(conditions: tuple[Cond, ...], sides: tuple[Size, Size] | None = None) -> None:
    facts = _facts.get()
    assert facts is not None, f"{conditions[0]} can only be recorded inside `with recording()`"
    if facts.unknown is not None:
        return
    facts.extend(conditions)
    if sides is not None:
        facts.sides[conditions[0]] = sides


def record(facts: Facts) -> None:
    """Record again what was recorded elsewhere."""
    for condition in facts:
        _record((condition,), facts.sides.get(condition))


def same(a: Size, b: Size) -> Size:
    """The size that `a` and `b` both are. Records the condition under which they are equal.

    Where nothing can be said, the equality itself is recorded: whoever knows more of the sizes
    decides. Raises Mismatch where they differ.
    """
    if a is b or a == b:
        return a
    if supposing() and not (isinstance(a, int) and isinstance(b, int)):
        return min(a, b, key=_complexity)
    verdict = compare(a, b)
    if verdict.kind == "guarded":
        _record(verdict.conditions)
    elif verdict.kind == "undecided":
        _record((equals_zero(a - b),), (a, b))
    elif verdict.kind != "equal":
        raise Mismatch(a, b, verdict)
    return min(a, b, key=_complexity)


def _complexity(size: Size) -> int:
    return size.weight if isinstance(size, Dim) else 0


def at_least(size: Size, n: Size) -> Size:
    """`size`, which must be at least `n`: records that where it depends. TooSmall where it never is."""
    if isinstance(size, int) and isinstance(n, int):
        if size < n:
            raise TooSmall(size, n, Verdict("different", (), {}, int(size), int(n)))
        return size
    condition = at_least_zero(size - n)
    if condition is True:
        return size
    answer = decide(condition)
    if answer is False:
        raise TooSmall(size, n, compare(size, n))
    if answer is None:
        _record((condition,))
    return size


def divisible(size: Size, n: Size) -> Size:
    """`size // n`, exactly: records that `n` divides `size` where it depends on the symbols.

    Raises Indivisible where it never does.
    """
    quotient = size // n
    if isinstance(size, int) and isinstance(n, int):
        if quotient * n != size:
            raise Indivisible(size, n, Verdict("different", (), {}, int(size), int(quotient * n)))
        return quotient
    exact = quotient * n
    if exact is size or exact == size:
        return quotient
    verdict = compare(size, exact)
    if verdict.kind == "different":
        raise Indivisible(size, n, verdict)
    if verdict.kind == "guarded":
        _record(verdict.conditions)
    elif verdict.kind == "undecided":
        condition = equals_zero(size - exact)
        if decide(condition) is False:
            raise Indivisible(size, n, verdict)
        _record((condition,))
    return quotient
