"""Recipes: how a tensor of ours is made of the tensors of a checkpoint.

Most are a name alone. The rest cut, turn, reshape and join tensors, and compute nothing: every element of
ours is one of theirs. So a recipe can be followed both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import NamedTuple


class Take(NamedTuple):
    """A tensor of the checkpoint, by its name there."""

    name: str


class Range(NamedTuple):
    """A stretch of an axis, as a slice of Python."""

    start: int | None
    stop: int | None
    step: int = 1


class Axes(Enum):
    """`...` in a cut, all axes that nothing else names; `null`, a new axis of one."""

    REST = "..."
    NEW = "null"


Item = int | Range | Axes


class Cut(NamedTuple):
    """`w[:8, 0, null]`; a number takes its axis away, `null` makes one."""

    of: Recipe
    items: tuple[Item, ...]


class Turn(NamedTuple):
    """`w.T`: the axes in reverse order."""

    of: Recipe


class Reshape(NamedTuple):
    """`w.reshape(4, -1)`; one size may be -1."""

    of: Recipe
    sizes: tuple[int, ...]


class Join(NamedTuple):
    """`concat(a, b, axis=0)`; `stack` puts them along a new axis."""

    parts: tuple[Recipe, ...]
    axis: int
    stack: bool


Recipe = Take | Cut | Turn | Reshape | Join


def leaves(recipe: Recipe) -> Iterator[str]:
    """The names of theirs that a recipe takes, in the order of its text; one may come twice."""
    if isinstance(recipe, Take):
        yield recipe.name
    elif isinstance(recipe, Join):
        for part in recipe.parts:
            yield from leaves(part)
    else:
        yield from leaves(recipe.of)


def whole_leaves(recipe: Recipe) -> Iterator[str]:
    """Those of which it takes all."""
    if isinstance(recipe, Take):
        yield recipe.name
    elif isinstance(recipe, Join):
        for part in recipe.parts:
            yield from whole_leaves(part)
    elif not isinstance(recipe, Cut):
        yield from whole_leaves(recipe.of)


def replaced(recipe: Recipe, new: Callable[[str], Recipe]) -> Recipe:
    """The recipe with another in the place of each name."""
    if isinstance(recipe, Take):
        return new(recipe.name)
    if isinstance(recipe, Join):
        return recipe._replace(parts=tuple(replaced(part, new) for part in recipe.parts))
    return recipe._replace(of=replaced(recipe.of, new))


def text(recipe: Recipe) -> str:
    """As a map writes it.

    >>> text(Join((Turn(Take("q")), Cut(Take("kv"), (Range(None, 8), 0))), axis=0, stack=False))
    'concat(q.T, kv[:8, 0], axis=0)'
    """
    if isinstance(recipe, Take):
        return recipe.name
    if isinstance(recipe, Join):
        word = "stack" if recipe.stack else "concat"
        return f"{word}({', '.join(map(text, recipe.parts))}, axis={recipe.axis})"
    if isinstance(recipe, Turn):
        return f"{text(recipe.of)}.T"
    if isinstance(recipe, Reshape):
        return f"{text(recipe.of)}.reshape({', '.join(map(str, recipe.sizes))})"
    return f"{text(recipe.of)}[{', '.join(map(_item, recipe.items))}]"


def _item(item: Item) -> str:
    if isinstance(item, Axes):
        return item.value
    if isinstance(item, int):
        return str(item)
    start, stop = ("" if end is None else str(end) for end in item[:2])
    return f"{start}:{stop}" + (f":{item.step}" if item.step != 1 else "")
