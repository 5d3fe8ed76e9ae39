"""What expressions evaluate to, what they may name, and how their evaluation fails.

Values are None, bools, strings, lists, numbers (plain, or `Num` and `Real` with a label), symbolic
`Dim`s, `Formula`s and `Cond`s, and the kinds below. A value of a kind that is not known here is
taken for an operator that a caller has bound to a name.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from archc.lang import syntax
from archc.lang.types import ParamType
from archc.shapes import Cond, Dim, Formula, Num, Real
from archc.source.text import Span


class _Unknown(enum.Enum):
    UNKNOWN = "unknown"


UNKNOWN: Final = _Unknown.UNKNOWN
"""Bound to a name whose own definition failed: what needs it fails silently."""


class Word(str):
    """A bare word: of a choice, or an argument such as `mode=nearest` that nothing defines."""

    __slots__ = ()


class Given(tuple):
    """Whether open inputs are given, decided when the model runs: `("given", name)`, `("not", t)`,
    `("and", t, u)`, `("or", t, u)`."""

    __slots__ = ()

    @staticmethod
    def of(value: Any) -> Any:
        """A test that came as a plain tuple; anything else as it is."""
        if type(value) is tuple and value and value[0] in ("given", "not", "and", "or"):
            return Given(value)
        return value

    @property
    def inputs(self) -> frozenset[str]:
        """The names of the inputs that it asks for."""
        if self[0] == "given":
            return frozenset((self[1],))
        return frozenset().union(*(Given(t).inputs for t in self[1:]))

    def negated(self) -> Given:
        return Given(self[1]) if self[0] == "not" else Given(("not", tuple(self)))

    def joined(self, op: str, other: Given) -> Given | bool:
        """`self and other` or `self or other`."""
        if self == other:
            return self
        if self.negated() == other:
            return op == "or"
        return Given((op, tuple(self), tuple(other)))


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A value that nobody has given or decided, in an outline (see `archc.lang.outline`): `text` says
    in the block's names what it is. `type`: of which type it is, where that is known."""

    text: str
    type: ParamType | None = None

    def __bool__(self) -> bool:
        raise TypeError(f"`{self.text}` is not settled: it has no truth value")

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Partial:
    """An operator, block or initialiser by its name, with arguments given so far.

    `base` is the operator that a caller has bound to the name, where it has.
    """

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False)
    base: Any = None

    def more(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], span: Span) -> Partial:
        """The same with further arguments; raises EvaluationError where one is given again."""
        for name in kwargs:
            if name in self.kwargs:
                message = f"`{name}` of `{self.name}` is already given"
                raise EvaluationError(message, span, "remove it here, or where it was given", "A404")
        return Partial(self.name, (*self.args, *args), {**self.kwargs, **kwargs}, span, self.base)


class EvaluationError(Exception):
    """A user's mistake in an expression."""

    def __init__(self, message: str, span: Span, help: str | None = None, code: str = "A221") -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.help = help
        self.code = code


class NeedsStatic(Exception):
    """What `span` says must be known when the model is built, but depends on free dimensions
    (`symbols`) or on whether open `inputs` are given."""

    def __init__(self, symbols: Iterable[str], span: Span, inputs: Iterable[str] = ()) -> None:
        self.symbols = frozenset(symbols)
        self.inputs = frozenset(inputs)
        self.span = span
        names = ", ".join(f"`{name}`" for name in sorted(self.symbols | self.inputs))
        self.message = f"this needs a number that is known when the model is built; it depends on {names}"
        super().__init__(self.message)


class Unavailable(Exception):
    """A name's value is unknown because its own definition failed, which has been reported."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.names = names


@dataclass(slots=True)
class Scope:
    """What an expression may name.

    `names` are values and `present` tells of each input whether it is there (True, False or a
    `Given`). `words` may stand bare where nothing has their name. Where `bare`, so may any name that
    stands for a whole argument, and calls of unknown names become `Partial`s. `missing` makes the
    exception for an undefined name, where its own words are wanted.

    `dropped` gathers the names that went into a result without leaving their label there.
    """

    names: Mapping[str, Any] = field(default_factory=dict)
    present: Mapping[str, Any] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    bare: bool = False
    missing: Callable[[syntax.Name], Exception] | None = None
    dropped: set[str] = field(default_factory=set)


def is_operator(value: Any) -> bool:
    """Is it a `Partial`, or an operator of the caller's own kind?"""
    return not isinstance(value, _PLAIN)


_PLAIN = (type(None), bool, int, float, str, list, tuple, Dim, Formula, Cond, _Unknown, Unsettled)


def label_names(value: Any) -> frozenset[str]:
    """The names in a number's label; of a list, those in its items' labels."""
    if isinstance(value, Num | Real):
        return value.names
    if isinstance(value, list):
        return frozenset().union(*map(label_names, value))
    return frozenset()


def shown(value: Any) -> str:
    """A value in a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Given):
        return "whether an input is given"
    if isinstance(value, Word):
        return f"the word `{value}`"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 and value.isprintable() else "a text"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)} items" if len(value) != 1 else "a list of one item"
    if isinstance(value, int):
        return int.__repr__(value) if value.bit_length() <= 64 else "a very large int"
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, Dim | Formula | Cond | Unsettled):
        return f"`{value}`"
    return f"the operator `{getattr(value, 'name', value)}`"
