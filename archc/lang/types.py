"""The types of params. `words` are those of the choices in a type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class _Simple:
    """A type that is one word; `optional`: null will do, too."""

    optional: bool = False
    word: ClassVar[str]
    words: ClassVar[tuple[str, ...]] = ()

    def __str__(self) -> str:
        return self.word + "?" * self.optional


class Int(_Simple):
    """A whole number; a symbolic size is one."""

    __slots__ = ()
    word = "int"


class Float(_Simple):
    """A number; an int is one."""

    __slots__ = ()
    word = "float"


class Bool(_Simple):
    __slots__ = ()
    word = "bool"


class Str(_Simple):
    __slots__ = ()
    word = "str"


class Operator(_Simple):
    """An operator, a block or an initialiser, with arguments already given or not."""

    __slots__ = ()
    word = "op"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words: `none | down | up`."""

    words: tuple[str, ...]
    optional: bool = False

    def __str__(self) -> str:
        return " | ".join(self.words) + "?" * self.optional


@dataclass(frozen=True, slots=True)
class List:
    """A list of any length: `int[]`."""

    item: ParamType
    optional: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return self.item.words

    def __str__(self) -> str:
        item = f"({self.item})" if isinstance(self.item, Choice) else str(self.item)
        return f"{item}[]" + "?" * self.optional


@dataclass(frozen=True, slots=True)
class Row:
    """A list with a type for each item: `(int, op)`."""

    items: tuple[ParamType, ...]
    optional: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for item in self.items for word in item.words)

    def __str__(self) -> str:
        comma = "," if len(self.items) == 1 else ""
        return f"({', '.join(map(str, self.items))}{comma})" + "?" * self.optional


ParamType = Int | Float | Bool | Str | Operator | Choice | List | Row
