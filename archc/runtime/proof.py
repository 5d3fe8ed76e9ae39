"""The proof that a checkpoint is a model's, from their headers alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from archc.graph.checkpoint_layout import Layout
from archc.graph.recipe_shapes import Misfit, shape_of
from archc.graph.recipes import Recipe, Take, leaves, text
from archc.runtime.recipes import Marks
from archc.runtime.tensor_files import Tensors
from archc.source.diagnostic import Diagnostic

_SHOWN = 10  # names in one message


@dataclass
class Proof:
    """What is to be done to load a checkpoint, and all that speaks against it.

    `recipes` are those that can be followed, by our names. Of tensors that are tied, `twins` gives those
    that are there besides the first, with its name. `kept`: ours that a checkpoint may lack, and does."""

    recipes: dict[str, Recipe] = field(default_factory=dict)
    twins: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)


def prove(ours: Mapping[str, Tensor], layout: Layout, theirs: Tensors) -> Proof:
    """Compare the tensors of a model with those of a checkpoint, both ways.

    All of ours must be there with their shapes and kinds, and every element of theirs must be taken by
    one of ours, or be passed over.
    """
    return _Prover(ours, layout, theirs).proof


class _Prover:
    def __init__(self, ours: Mapping[str, Tensor], layout: Layout, theirs: Tensors) -> None:
        self.ours = ours
        self.layout = layout
        self.headers = theirs.headers
        self.where = theirs.where
        self.shapes = {name: header.shape for name, header in self.headers.items()}
        self.proof = Proof()
        missing = self.follow()
        misshapen = dict(self.misshapen())
        left = self.left([*missing, *misshapen])
        self.tell(list(dict.fromkeys(self.lacking(missing))), left, list(misshapen.values()))

    def recipe(self, name: str) -> Recipe:
        return self.layout.recipes.get(name, Take(name))

    def follow(self) -> list[str]:
        """Sort ours by what is there for them; those that are missing."""
        first: dict[int, str] = {}
        absent: list[str] = []
        for name, tensor in self.ours.items():
            recipe = self.recipe(name)
            if not all(leaf in self.headers for leaf in leaves(recipe)):
                absent.append(name)
            elif id(tensor) in first:
                self.proof.twins[name] = first[id(tensor)]
            else:
                first[id(tensor)] = name
                self.proof.recipes[name] = recipe
        missing: list[str] = []
        for name in absent:
            twin = first.setdefault(id(self.ours[name]), name)
            if twin != name:
                continue
            (self.proof.kept if name in self.layout.optional else missing).append(name)
        return missing

    def lacking(self, missing: list[str]) -> Iterator[str]:
        """The names of theirs that are missing."""
        for name in missing:
            yield from (leaf for leaf in leaves(self.recipe(name)) if leaf not in self.headers)

    def misshapen(self) -> Iterator[tuple[str, str]]:
        """Ours of which theirs has another shape, or holds another kind of numbers, and how."""
        for name, recipe in [(n, self.recipe(n)) for n in (*self.proof.recipes, *self.proof.twins)]:
            tensor = self.ours[name]
            wanted = list(tensor.shape)
            try:
                shape = list(shape_of(recipe, self.shapes))
            except Misfit as wrong:
                told = f"{text(recipe)}: {wrong}"
            else:
                told = f"{text(recipe)} {shape}, not {wanted}" if shape != wanted else None
            kinds = {_kind(self.headers[leaf].dtype) for leaf in leaves(recipe)}
            if told is None and kinds != {_kind(tensor.dtype)}:
                listed = " and ".join(
                    sorted(_short(self.headers[leaf].dtype) for leaf in set(leaves(recipe)))
                )
                told = f"{text(recipe)} of {listed}, not {_short(tensor.dtype)}"
            if told is not None:
                self.proof.recipes.pop(name, None)
                yield name, told

    def left(self, wrong: list[str]) -> list[str]:
        """The names of theirs of which something is left over; not where one of ours is `wrong`, which
        is told."""
        recipes = self.proof.recipes
        whole: set[str] = set()
        for name, recipe in recipes.items():
            if isinstance(recipe, Take) and recipe.name in whole:
                self.shared(name, recipe.name)
            elif isinstance(recipe, Take):
                whole.add(recipe.name)
        parts = {name: recipe for name, recipe in recipes.items() if not isinstance(recipe, Take)}
        twins = [self.recipe(name) for name in self.proof.twins]
        told = [self.recipe(name) for name in wrong]
        takers: dict[str, list[str]] = {}
        for name, recipe in parts.items():
            for leaf in dict.fromkeys(leaves(recipe)):
                takers.setdefault(leaf, []).append(name)
        unfinished = [leaf for leaf, names in takers.items() if not self.finished(leaf, names, leaf in whole)]
        known = whole | {leaf for recipe in (*twins, *told) for leaf in leaves(recipe)}
        rest = [name for name in self.headers if name not in known and name not in takers]
        over = self.layout.passed_over(rest)
        cut = [f"{leaf} (in part)" for leaf in unfinished if leaf not in known]
        return [name for name in rest if name not in over] + cut

    def finished(self, leaf: str, names: list[str], whole: bool) -> bool:
        """Do ours of these names take all of a tensor of theirs? That they share none of it is told;
        `whole`: another one takes all of it."""
        marks = Marks(leaf, self.shapes[leaf])
        for name in names:
            if marks.take(self.recipe(name), self.shapes) or whole:
                self.shared(name, leaf)
        return marks.whole

    def shared(self, name: str, leaf: str) -> None:
        message = f"`{name}` would have elements of `{leaf}` that another tensor has as well"
        help = "give each entry of the checkpoint map a part of its own"
        self.proof.problems.append(Diagnostic("A613", message, None, help))

    def tell(self, missing: list[str], left: list[str], other: list[str]) -> None:
        advice = "`names=` tells how a file names its parts; `strict=False` loads what fits"
        for code, what, found, help in (
            ("A602", "lacks", missing, None if left or other else advice),
            ("A603", "has, and the model does not take,", left, None if other else advice),
            ("A604", "has other tensors:", other, "check the params with which the model was built"),
        ):
            if found:
                self.proof.problems.append(
                    Diagnostic(code, f"{self.where} {what} {listed(found)}", None, help)
                )


def _kind(dtype: torch.dtype) -> str:
    """Numbers of one kind may become each other."""
    if dtype.is_complex:
        return "complex"
    return "float" if dtype.is_floating_point else "int"


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def listed(found: Iterable[str]) -> str:
    names = list(found)
    shown = ", ".join(f"`{n}`" for n in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
