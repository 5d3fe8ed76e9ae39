"""Shapes through recipes, forwards and backwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Literal, NamedTuple

from archc.graph.recipes import Axes, Cut, Item, Join, Range, Recipe, Reshape, Take, Turn, text

Shape = tuple[int, ...]


class Misfit(Exception):
    """A recipe that cannot be followed with these shapes; the message says why."""


# Forwards


def shape_of(recipe: Recipe, shapes: Mapping[str, Shape]) -> Shape:
    """The shape that a recipe gives; raises Misfit, and KeyError for a name without a shape.

    >>> shape_of(Cut(Take("w"), (Range(None, 4),)), {"w": (12, 8)})
    (4, 8)
    """
    if isinstance(recipe, Take):
        return shapes[recipe.name]
    if isinstance(recipe, Join):
        return _joined(recipe, [shape_of(part, shapes) for part in recipe.parts])
    shape = shape_of(recipe.of, shapes)
    if isinstance(recipe, Turn):
        return shape[::-1]
    if isinstance(recipe, Reshape):
        return _reshaped(recipe, shape)
    return _cut(recipe, shape)


def _joined(recipe: Join, shapes: list[Shape]) -> Shape:
    axis = _axis(recipe, len(shapes[0]) + recipe.stack)
    rest = [shape if recipe.stack else shape[:axis] + shape[axis + 1 :] for shape in shapes]
    if len({len(shape) for shape in shapes}) > 1 or len(set(rest)) > 1:
        listed = " and ".join(str(list(shape)) for shape in dict.fromkeys(shapes))
        raise Misfit(f"{listed} cannot be joined at axis {recipe.axis}")
    size = len(shapes) if recipe.stack else sum(shape[axis] for shape in shapes)
    return (*shapes[0][:axis], size, *shapes[0][axis if recipe.stack else axis + 1 :])


def _axis(recipe: Join, rank: int) -> int:
    axis = recipe.axis + rank if recipe.axis < 0 else recipe.axis
    if not 0 <= axis < rank:
        raise Misfit(f"there is no axis {recipe.axis}: it has {rank}")
    return axis


def _reshaped(recipe: Reshape, shape: Shape) -> Shape:
    count, known = prod(shape), prod(size for size in recipe.sizes if size != -1)
    free = -1 in recipe.sizes
    if (count % known if free and known else count != known) or (free and not known):
        raise Misfit(f"{list(shape)} cannot become {list(recipe.sizes)}")
    return tuple(count // known if size == -1 else size for size in recipe.sizes)


def _cut(recipe: Cut, shape: Shape) -> Shape:
    found: list[int] = []
    sizes = iter(shape)
    for item in _spread(recipe.items, len(shape)):
        if item is Axes.NEW:
            found.append(1)
            continue
        size = next(sizes)
        if isinstance(item, int):
            if not -size <= item < size:
                raise Misfit(f"there is no index {item} in an axis of {size}")
            continue
        for end in item[:2]:
            if end is not None and not -size <= end <= size:
                raise Misfit(f"an axis of {size} has no place {end}")
        found.append(len(range(size)[item.start : item.stop : item.step]))
    return tuple(found)


def _spread(items: tuple[Item, ...], rank: int) -> list[int | Range | Literal[Axes.NEW]]:
    """One item for each axis, and the new ones between."""
    wanted: list[int | Range | Literal[Axes.NEW]] = [item for item in items if item != Axes.REST]
    named = sum(item is not Axes.NEW for item in wanted)
    if named > rank:
        raise Misfit(f"{named} axes are named, and it has {rank}")
    at = items.index(Axes.REST) if Axes.REST in items else len(items)
    return [*wanted[:at], *[Range(None, None)] * (rank - named), *wanted[at:]]


# Backwards


class Extent(NamedTuple):
    """An axis of theirs that reaches to this place at least."""

    stop: int


Axis = int | Extent | None
Partial = tuple[Axis, ...] | None
"""What is known of a shape of theirs; None: nothing."""


def needs(recipe: Recipe, shape: Shape) -> Iterator[tuple[str, Partial]]:
    """What a tensor of ours of that shape tells of the shapes of theirs; raises Misfit where its recipe
    can give no such shape.

    >>> dict(needs(Turn(Take("w")), (2, 3)))
    {'w': (3, 2)}
    """
    return _needs(recipe, shape)


def _needs(recipe: Recipe, shape: Partial) -> Iterator[tuple[str, Partial]]:
    if isinstance(recipe, Take):
        yield recipe.name, shape
    elif isinstance(recipe, Turn):
        yield from _needs(recipe.of, shape[::-1] if shape is not None else None)
    elif isinstance(recipe, Reshape):
        if shape is not None and all(isinstance(size, int) for size in shape):
            _check_reshape(recipe, shape)
        yield from _needs(recipe.of, None)
    elif isinstance(recipe, Join):
        for part, known in zip(recipe.parts, _parts(recipe, shape), strict=True):
            yield from _needs(part, known)
    else:
        yield from _needs(recipe.of, None if shape is None else _uncut(recipe, shape))


def _check_reshape(recipe: Reshape, shape: tuple[Axis, ...]) -> None:
    fits = len(shape) == len(recipe.sizes) and all(
        wanted in (-1, size) for wanted, size in zip(recipe.sizes, shape, strict=True)
    )
    if not fits:
        raise Misfit(f"`{text(recipe)}` gives {list(recipe.sizes)}, not {_listed(shape)}")


def _listed(shape: Iterable[Axis]) -> str:
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"


def _parts(recipe: Join, shape: Partial) -> list[Partial]:
    """What is known of the parts' shapes."""
    if shape is None:
        return [None] * len(recipe.parts)
    axis = _axis(recipe, len(shape))
    before, size, after = shape[:axis], shape[axis], shape[axis + 1 :]
    if recipe.stack:
        if isinstance(size, int) and size != len(recipe.parts):
            raise Misfit(f"`{text(recipe)}` has {len(recipe.parts)} at axis {recipe.axis}, not {size}")
        return [(*before, *after)] * len(recipe.parts)
    sizes = [_own_size(part, axis, len(shape)) for part in recipe.parts]
    told = sum(n for n in sizes if n is not None)
    open_ones = [at for at, n in enumerate(sizes) if n is None]
    if isinstance(size, int):
        if told != size if not open_ones else told >= size:
            raise Misfit(f"`{text(recipe)}` gives {told} or more at axis {recipe.axis}, not {size}")
        if len(open_ones) == 1:
            sizes[open_ones[0]] = size - told
    return [(*before, n, *after) for n in sizes]


def _own_size(recipe: Recipe, axis: int, rank: int) -> int | None:
    """The size of an axis as the recipe itself tells it."""
    if isinstance(recipe, Turn):
        return _own_size(recipe.of, rank - 1 - axis, rank)
    if isinstance(recipe, Reshape):
        return recipe.sizes[axis] if axis < len(recipe.sizes) and recipe.sizes[axis] != -1 else None
    if isinstance(recipe, Cut):
        kept = [i for i in _spread(recipe.items, _rank_before(recipe, rank)) if not isinstance(i, int)]
        return _length(kept[axis])
    if isinstance(recipe, Join):
        if recipe.stack and _axis(recipe, rank) == axis:
            return len(recipe.parts)
        if not recipe.stack and _axis(recipe, rank) == axis:
            sizes = [_own_size(part, axis, rank) for part in recipe.parts]
            return None if None in sizes else sum(n for n in sizes if n is not None)
    return None


def _rank_before(recipe: Cut, rank: int) -> int:
    """How many axes there are before a cut that gives so many."""
    before = rank + sum(isinstance(i, int) for i in recipe.items) - recipe.items.count(Axes.NEW)
    if before < 0:
        raise Misfit(f"`{text(recipe)}` has more axes than the {rank} that are wanted")
    return before


def _length(item: Item) -> int | None:
    """How long a stretch is, whatever the axis; None where that decides."""
    if item is Axes.NEW:
        return 1
    if not isinstance(item, Range) or item.stop is None:
        return None
    start = item.start or 0
    if (start < 0) != (item.stop < 0):
        return None
    return len(range(start, item.stop, item.step))


def _uncut(recipe: Cut, shape: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """What is known of a shape before a cut."""
    sizes = iter(shape)
    found: list[Axis] = []
    for item in _spread(recipe.items, _rank_before(recipe, len(shape))):
        if isinstance(item, int):
            found.append(Extent(item + 1) if item >= 0 else None)
            continue
        size = next(sizes)
        if isinstance(item, Range):
            found.append(_uncut_axis(recipe, item, size))
        elif isinstance(size, int) and size != 1:
            raise Misfit(f"`{text(recipe)}` has 1 where {size} are wanted")
    return tuple(found)


def _uncut_axis(recipe: Cut, item: Range, size: Axis) -> Axis:
    if item == Range(None, None):
        return size
    start, stop, step = item.start or 0, item.stop, item.step
    length = _length(item)
    whole = isinstance(size, int)
    if length is not None and whole and length != size:
        raise Misfit(f"`{text(recipe)}` has {length} where {size} are wanted")
    if start < 0:
        if stop is None and step == 1 and whole and -start != size:
            raise Misfit(f"`{text(recipe)}` has {-start} where {size} are wanted")
        return None
    if stop is not None and stop >= 0:
        return Extent(stop if step == 1 else range(start, stop, step)[-1] + 1 if length else start)
    if not whole:
        return None
    if step == 1:
        return start + size - (stop or 0)
    return Extent(start + (size - 1) * step + 1) if stop is None and size else None


def settled(name: str, known: Iterable[Partial]) -> Shape | None:
    """The shape of a tensor of theirs of which every element is wanted, from all that is known of it;
    None where that is too little. Raises Misfit where two of it disagree.

    >>> settled("w", [(Extent(4), 8), (Extent(12), 8)])
    (12, 8)
    """
    known = list(known)
    shapes = [shape for shape in known if shape is not None]
    if not shapes:
        return None
    if len({len(shape) for shape in shapes}) > 1:
        listed = " and ".join(str(n) for n in dict.fromkeys(map(len, shapes)))
        raise Misfit(f"`{name}` would have {listed} axes at once")
    found: list[int | None] = []
    for axis in zip(*shapes, strict=True):
        exact = list(dict.fromkeys(size for size in axis if isinstance(size, int)))
        reach = max((size.stop for size in axis if isinstance(size, Extent)), default=None)
        open_end = None in axis or None in known  # one of them may lie behind all others
        if len(exact) > 1 or (exact and reach is not None and reach > exact[0]):
            listed = " and ".join(map(str, exact if len(exact) > 1 else [*exact, reach]))
            raise Misfit(f"an axis of `{name}` would be {listed} long at once")
        found.append(exact[0] if exact else None if open_end else reach)
    return None if None in found else tuple(n for n in found if n is not None)
