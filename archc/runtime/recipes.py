"""Recipes followed with tensors: what becomes of theirs, which elements are taken, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from types import EllipsisType

import torch
from torch import Tensor

from archc.graph.recipes import Axes, Cut, Item, Join, Range, Recipe, Reshape, Take, Turn, leaves


def made(recipe: Recipe, get: Callable[[str], Tensor]) -> Tensor:
    """The tensor that a recipe makes of theirs, a view of them where it can be."""
    if isinstance(recipe, Take):
        return get(recipe.name)
    if isinstance(recipe, Join):
        parts = [made(part, get) for part in recipe.parts]
        return torch.stack(parts, recipe.axis) if recipe.stack else torch.cat(parts, recipe.axis)
    tensor = made(recipe.of, get)
    if isinstance(recipe, Turn):
        return tensor.permute(tuple(reversed(range(tensor.dim()))))
    if isinstance(recipe, Reshape):
        return tensor.reshape(recipe.sizes)
    return tensor[tuple(map(_index, recipe.items))]


def _index(item: Item) -> int | slice | EllipsisType | None:
    if isinstance(item, Axes):
        return ... if item is Axes.REST else None
    return slice(*item) if isinstance(item, Range) else item


def joins(recipe: Recipe) -> bool:
    """Does it put tensors together, so that what it makes is no view?"""
    return isinstance(recipe, Join) or (not isinstance(recipe, Take) and joins(recipe.of))


class Marks:
    """Which elements of one tensor of theirs are taken."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self._name = name
        self._taken = torch.zeros(shape, dtype=torch.bool)

    @property
    def whole(self) -> bool:
        """Is every element taken?"""
        return bool(self._taken.all())

    def take(self, recipe: Recipe, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Mark what a recipe takes of the tensor; was one of these elements taken before? `shapes` are
        those of all that the recipe takes."""
        if isinstance(recipe, Take):
            return recipe.name == self._name and self._mark(self._taken)
        if isinstance(recipe, Join):
            return any([self.take(part, shapes) for part in recipe.parts])
        if not isinstance(recipe, Cut):
            return self.take(recipe.of, shapes)
        if self._name not in leaves(recipe):
            return False
        view = None if joins(recipe) else self._view(recipe)
        if view is not None:
            return self._mark(view)
        numbers = Numbers({name: shapes[name] for name in leaves(recipe)})
        [at] = [at for name, at, _ in numbers.split(recipe) if name == self._name]
        flat = self._taken.view(-1)
        again = bool(flat[at].any()) or at.unique().numel() < at.numel()
        flat[at] = True
        return again

    def _mark(self, view: Tensor) -> bool:
        again = bool(view.any())
        view.fill_(True)
        return again

    def _view(self, recipe: Recipe) -> Tensor | None:
        """The marks of what a recipe takes, as a view; None where there is none."""
        if isinstance(recipe, Take):
            return self._taken
        assert not isinstance(recipe, Join)
        of = self._view(recipe.of)
        if of is None:
            return None
        found = made(recipe._replace(of=Take("")), lambda _: of)
        return found if _shares(found, of) else None


def _shares(a: Tensor, b: Tensor) -> bool:
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


class Numbers:
    """A number for every element of theirs: where a recipe brings it tells the way back."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self._numbers: dict[str, Tensor] = {}
        self._starts: dict[str, int] = {}
        start = 0
        for name, shape in shapes.items():
            self._starts[name] = start
            self._numbers[name] = torch.arange(start, start + prod(shape)).view(shape)
            start += prod(shape)

    def split(self, recipe: Recipe) -> list[tuple[str, Tensor, Tensor]]:
        """For each tensor that a recipe takes: the places of its elements, and where ours has them."""
        brought = made(recipe, self._numbers.__getitem__).reshape(-1)
        found = []
        for name in dict.fromkeys(leaves(recipe)):
            start = self._starts[name]
            here = (brought >= start) & (brought < start + self._numbers[name].numel())
            found.append((name, brought[here] - start, here))
        return found


def undone(
    recipes: Mapping[str, Recipe], ours: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    """Their tensors, of these shapes, of ours: what `made` makes of them is ours again, if every element
    is taken."""
    found: dict[str, Tensor] = {}
    for name, recipe in recipes.items():
        value = ours[name].detach().cpu().reshape(-1)
        numbers = Numbers({leaf: shapes[leaf] for leaf in leaves(recipe)})
        for leaf, at, here in numbers.split(recipe):
            store = found.setdefault(leaf, torch.zeros(shapes[leaf], dtype=value.dtype))
            store.view(-1)[at] = value[here].to(store.dtype)
    return found
