"""What polynomials are made of, and interning.

Everything symbolic is interned: equal ones are the same object, so `==` is a comparison of addresses.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from archc.shapes.limits import DEPTH, WEIGHT, TooLarge

if TYPE_CHECKING:
    from archc.shapes.dim import Dim

_table: WeakValueDictionary[Any, Any] = WeakValueDictionary()
_lock = Lock()


def interned(key: tuple, create: Any) -> Any:
    """The one object of this key, made by `create` where there is none yet."""
    found = _table.get(key)
    if found is not None:
        return found
    with _lock:
        found = _table.get(key)
        if found is None:
            found = _table[key] = create()
    return found


class Immutable:
    """Interned: a copy is the object itself."""

    __slots__ = ()

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict) -> Any:
        return self


PARAMETER = "nobody has given it"
"""The reason of a symbol that is no size but a number of any sign."""


EMPTY = "its input may be absent"
"""The reason of a free dimension that may be 0."""


class Symbol(Immutable):
    """A named integer: a free dimension (>= 1, or with the reason EMPTY >= 0), or with another reason an
    unknown size (>= 0), or with the reason PARAMETER any number."""

    __slots__ = ("name", "reason", "key", "__weakref__")
    depth = 0
    weight = 1

    def __new__(cls, name: str, reason: str | None = None) -> Symbol:
        def create() -> Symbol:
            self = object.__new__(cls)
            self.name, self.reason, self.key = name, reason, (0, name, reason or "")
            return self

        return interned((cls, name, reason), create)

    def __reduce__(self) -> tuple:
        return Symbol, (self.name, self.reason)

    @property
    def least(self) -> int | None:
        if self.reason is None:
            return 1
        return None if self.reason == PARAMETER else 0

    @property
    def unknown(self) -> bool:
        """Is it no free dimension?"""
        return self.reason is not None and self.reason != EMPTY

    most = None


class Floor(Immutable):
    """`floor(numerator / divisor)`, divisor >= 2, in the normal form that `division.py` makes."""

    __slots__ = ("numerator", "divisor", "depth", "weight", "_key", "__weakref__")

    def __new__(cls, numerator: Dim, divisor: int) -> Floor:
        def create() -> Floor:
            self = object.__new__(cls)
            self.numerator, self.divisor = numerator, divisor
            self.depth, self.weight = numerator.depth + 1, numerator.weight + 1
            self._key = None
            return self

        return interned((cls, numerator, divisor), create)

    def __reduce__(self) -> tuple:
        return Floor, (self.numerator, self.divisor)

    @property
    def key(self) -> tuple:
        if self._key is None:
            from archc.shapes.printing import atom_text

            self._key = (1, atom_text(self), "")
        return self._key

    @property
    def least(self) -> int | None:
        low = self.numerator.least
        return None if low is None else low // self.divisor

    @property
    def most(self) -> int | None:
        high = self.numerator.most
        return None if high is None else high // self.divisor


class Node(Immutable):
    """An interned application of a named function to values."""

    __slots__ = ("op", "args", "depth", "weight", "__weakref__")

    def __new__(cls, op: str, args: tuple) -> Any:
        def create() -> Any:
            self = object.__new__(cls)
            self.op, self.args = op, args
            self.depth = 1 + max((getattr(a, "depth", 0) for a in args), default=0)
            self.weight = 1 + sum(getattr(a, "weight", 1) for a in args)
            if self.depth > DEPTH or self.weight > WEIGHT:
                raise TooLarge("a symbolic expression is too large")
            self._start()
            return self

        # 1, 1.0 and True are equal to Python, and so are 0.0 and -0.0
        return interned((cls, op, tuple((type(a), repr(a) if type(a) is float else a) for a in args)), create)

    def _start(self) -> None:
        """Set what a subclass adds."""

    def __reduce__(self) -> tuple:
        return type(self), (self.op, self.args)


class Opaque(Node):
    """An integer-valued function of which the polynomials know nothing but its bounds."""

    __slots__ = ("_key", "_bounds")

    def _start(self) -> None:
        self._key = self._bounds = None

    @property
    def key(self) -> tuple:
        if self._key is None:
            from archc.shapes.printing import atom_text

            self._key = (2, atom_text(self), "")
        return self._key

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        if self._bounds is None:
            from archc.shapes.bounds import opaque_bounds

            self._bounds = opaque_bounds(self)
        return self._bounds

    @property
    def least(self) -> int | None:
        return self.bounds[0]

    @property
    def most(self) -> int | None:
        return self.bounds[1]


Atom = Symbol | Floor | Opaque
