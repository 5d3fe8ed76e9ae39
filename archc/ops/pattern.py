"""Patterns in einops' language, `b (h w) c -> b c h w`: read, and solved for the axes' sizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple

from archc.ops.attributes import Valid, Wrong, text
from archc.ops.base import ShapeError
from archc.ops.rules import equal, multiple, product, sizes
from archc.shapes import Size, Tensor

Entry = str | tuple[str, ...]
"""What stands for one axis of a tensor: an axis by name, `...`, or a bracket; `1` is the empty bracket."""

ELLIPSIS = "..."
TOKEN = re.compile(r"\s*(?:(?P<ellipsis>\.\.\.|…)|(?P<name>[A-Za-z]\w*)|(?P<number>\d+)|(?P<bracket>[()]))")


class PatternError(Wrong):
    """A pattern that cannot be read, or does not fit its operator."""

    def __init__(self, message: str, help: str | None = None):
        super().__init__(message, help, about=("pattern",), whole=True)


class Pattern(NamedTuple):
    """`left -> right`. `numbers` are the axes without a name, `(h 2)`, under names of our own."""

    left: tuple[Entry, ...]
    right: tuple[Entry, ...]
    numbers: Mapping[str, int]


class Product(NamedTuple):
    """An einsum's pattern: the axes of each operand, and of the result."""

    operands: tuple[tuple[str, ...], ...]
    result: tuple[str, ...]


def atoms(side: Iterable[Entry]) -> Iterator[str]:
    """The axes of a side, brackets opened: `b (h w)` gives b, h, w."""
    for entry in side:
        if isinstance(entry, str):
            yield entry
        else:
            yield from entry


@cache
def axis_names(text: str) -> frozenset[str]:
    """The names that stand for axes in a pattern of any of the operators; none where it is unreadable."""
    return frozenset(re.findall(r"[A-Za-z]\w*", text))


@cache
def parse(text: str) -> Pattern:
    """Read `left -> right`.

    >>> parse("b (h w) 1 -> b h w").left
    ('b', ('h', 'w'), ())
    """
    left, right = _sides(text)
    numbers: dict[str, int] = {}
    pattern = Pattern(_side(left, numbers), _side(right, numbers), numbers)
    if (ELLIPSIS in atoms(pattern.left)) != (ELLIPSIS in atoms(pattern.right)):
        raise PatternError("`...` stands on one side of the pattern only")
    if any(isinstance(e, tuple) and ELLIPSIS in e for e in pattern.left):
        raise PatternError("`...` cannot stand in brackets left of the arrow")
    return pattern


@cache
def parse_product(text: str) -> Product:
    """Read an einsum's pattern.

    >>> parse_product("b i d, b j d -> b i j").operands
    (('b', 'i', 'd'), ('b', 'j', 'd'))
    """
    left, right = _sides(text)
    product = Product(tuple(_plain(operand) for operand in left.split(",")), _plain(right))
    if len(set(product.result)) < len(product.result):
        raise PatternError("an axis stands twice right of the arrow")
    known = {a for operand in product.operands for a in operand}
    for axis in product.result:
        if axis not in known:
            raise PatternError(f"`{axis}` stands only right of the arrow")
    return product


Solved = dict[str, tuple[Size, ...]]
"""The size of each axis; `...` has one for each of its axes."""


def solve(pattern: Pattern, x: Tensor, given: Mapping[str, Size]) -> Solved:
    """The sizes of the axes, from what arrives at the left of the pattern and what is given by name."""
    left, shape = pattern.left, sizes(x)
    known = {**given, **pattern.numbers}
    solved: Solved = {name: (size,) for name, size in known.items()}
    free = len(shape) - len(left)
    if ELLIPSIS in left and free >= -1:
        start = left.index(ELLIPSIS)
        solved[ELLIPSIS] = shape[start : start + free + 1]
        left = left[:start] + left[start + 1 :]
        shape = shape[:start] + shape[start + free + 1 :]
    elif free:
        count = f"at least {len(left) - 1}" if ELLIPSIS in left else str(len(left))
        message = f"the pattern takes {count} axes and `x` has {len(shape)}: {x}"
        raise ShapeError(message, about=("pattern", "x"))
    for entry, size in zip(left, shape, strict=True):
        if entry == ():
            equal(size, 1, "`1` in the pattern stands for an axis of another size", "pattern", "x")
        elif isinstance(entry, str):
            if entry in known:
                size = equal(known[entry], size, f"axis `{entry}` is given in another size", entry, "x")
            solved[entry] = (size,)
        else:
            _open(entry, size, known, solved)
    return solved


def _open(bracket: tuple[str, ...], size: Size, known: Mapping[str, Size], solved: Solved) -> None:
    """Solve a bracket on the left, of which all sizes but one must be known."""
    shown = f"({' '.join(name.partition('.')[0] for name in bracket)})"
    values = product(known[axis] for axis in bracket if axis in known)
    unknown = [axis for axis in bracket if axis not in known]
    if len(unknown) > 1:
        names = " or ".join(f"`{axis}`" for axis in unknown)
        help = f"give it by name: {unknown[0]}=..."
        raise ShapeError(f"the size of {names} in `{shown}` must be given", about=("pattern",), help=help)
    if not unknown:
        equal(values, size, f"`{shown}` and the axis that it opens differ", "pattern", "x")
        return
    message = f"`{shown}` opens an axis of {size}, which is no multiple of {values}"
    multiple(size, values, message, "pattern", "x")
    solved[unknown[0]] = (size // values,)


def shape_of(side: Iterable[Entry], solved: Solved) -> tuple[Size, ...]:
    """The shape of one side of a pattern."""
    shape: list[Size] = []
    for entry in side:
        if isinstance(entry, str):
            shape += solved[entry]
        else:
            shape.append(product(size for axis in entry for size in solved[axis]))
    return tuple(shape)


def _readable(reader: Callable[[str], Any]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        reader(text(value))
        return str(value)

    return check


def _sides(text: str) -> tuple[str, str]:
    sides = text.split("->")
    if len(sides) != 2:
        raise PatternError("a pattern has one `->`", 'write the axes before and after, "b c h w -> b h w c"')
    return sides[0], sides[1]


def _plain(text: str) -> tuple[str, ...]:
    """An operand of an einsum: names and `...` only."""
    entries = _side(text, {}, repeated=True)
    if not all(isinstance(e, str) for e in entries) or any(e[0].isdigit() for e in entries if e):
        raise PatternError("einsum takes names and `...` only, no brackets or numbers")
    return tuple(atoms(entries))


def _side(text: str, numbers: dict[str, int], repeated: bool = False) -> tuple[Entry, ...]:
    """One side. Brackets around one axis and units inside brackets mean nothing and are dropped."""
    entries: list[Entry] = []
    bracket: list[str] | None = None
    end = 0
    while text[end:].strip():
        token = TOKEN.match(text, end)
        if token is None:
            raise PatternError(f"`{text[end:].strip()[0]}` has no meaning in a pattern")
        end = token.end()
        word = token[token.lastgroup or 0]
        if word == "(":
            if bracket is not None:
                raise PatternError("brackets do not nest in a pattern")
            bracket = []
        elif word == ")":
            if bracket is None:
                raise PatternError("a `)` without `(`")
            named = len(bracket) == 1 and bracket[0] != ELLIPSIS
            entries.append(bracket[0] if named else tuple(bracket))
            bracket = None
        elif word == "1":
            if bracket is None:
                entries.append(())
        else:
            axis = _axis(token, numbers)
            if bracket is None:
                entries.append(axis)
            else:
                bracket.append(axis)
    if bracket is not None:
        raise PatternError("a `(` without `)`")
    names = list(atoms(entries))
    for name in names:
        if names.count(name) > 1 and not (repeated and name != ELLIPSIS):
            raise PatternError(f"`{name}` stands twice on one side")
    return tuple(entries)


def _axis(token: re.Match[str], numbers: dict[str, int]) -> str:
    if token["ellipsis"]:
        return ELLIPSIS
    if token["name"]:
        return token["name"]
    if int(token["number"]) == 0:
        raise PatternError("an axis of size 0")
    name = f"{token['number']}.{len(numbers)}"
    numbers[name] = int(token["number"])
    return name


PatternText = Annotated[str, Valid(_readable(parse))]
ProductText = Annotated[str, Valid(_readable(parse_product))]
