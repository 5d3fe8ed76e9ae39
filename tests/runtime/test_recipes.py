"""Recipes followed with tensors, both ways: random ones, of which every element's way is known."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from archc.graph import checkpoint_right as right
from archc.graph.checkpoint_layout import Layout
from archc.graph.recipe_shapes import Misfit, Shape, needs, settled, shape_of
from archc.graph.recipes import Axes, Cut, Join, Range, Recipe, Reshape, Take, Turn, leaves, text
from archc.lang.evaluate import evaluate
from archc.lang.syntax import Expr
from archc.lang.values import Scope
from archc.runtime.proof import Proof, prove
from archc.runtime.recipes import Numbers, made, undone
from archc.runtime.tensor_files import Tensors
from archc.source.text import Source
from archc.source.tree import Scalar


class Piece(NamedTuple):
    """A tensor of ours: how it is made of theirs, and its values."""

    recipe: Recipe
    values: Tensor


class Case(NamedTuple):
    """A checkpoint, every element another number, and tensors that take all of it."""

    theirs: dict[str, Tensor]
    ours: dict[str, Piece]


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def split(draw: Random, piece: Piece) -> list[Piece]:
    """An axis in two, by place or by step, or into its elements."""
    recipe, values = piece
    axis = draw.randrange(values.dim())
    size = values.shape[axis]
    before: tuple = (Range(None, None),) * axis if draw.random() < 0.7 else (Axes.REST,)
    behind: tuple = () if before != (Axes.REST,) else (Range(None, None),) * (values.dim() - axis - 1)

    def cut(item: int | Range) -> Piece:
        index = item if isinstance(item, int) else slice(*item)
        chosen = values[(slice(None),) * axis + (index,)]
        return Piece(Cut(recipe, (*before, item, *behind)), chosen)

    if size <= 3 and values.dim() > 1 and draw.random() < 0.4:
        return [cut(i if draw.random() < 0.7 else i - size) for i in range(size)]
    if size < 2:
        return [piece]
    if draw.random() < 0.3:
        return [cut(Range(0 if draw.random() < 0.5 else None, None, 2)), cut(Range(1, None, 2))]
    at = draw.randrange(1, size)
    first = Range(draw.choice((None, 0)), draw.choice((at, at - size)))
    second = Range(draw.choice((at, at - size)), draw.choice((None, size)))
    return [cut(first), cut(second)]


def changed(draw: Random, piece: Piece) -> Piece:
    """Turned, or in another shape."""
    recipe, values = piece
    if draw.random() < 0.2:
        axis = draw.randint(0, values.dim())
        return Piece(Cut(recipe, (*(Range(None, None),) * axis, Axes.NEW)), values.unsqueeze(axis))
    if draw.random() < 0.4:
        return Piece(Turn(recipe), values.permute(*reversed(range(values.dim()))))
    first = draw.choice(divisors(values.numel()))
    second = draw.choice(divisors(values.numel() // first))
    sizes = [first, second, values.numel() // first // second][: draw.randint(1, 3)]
    sizes[-1] = -1 if draw.random() < 0.5 else values.numel() // max(1, torch.Size(sizes[:-1]).numel())
    return Piece(Reshape(recipe, tuple(sizes)), values.reshape(sizes))


def joined(draw: Random, a: Piece, b: Piece) -> Piece | None:
    """Two along an axis, where their shapes let them."""
    if a.values.dim() != b.values.dim():
        return None
    sizes = list(zip(a.values.shape, b.values.shape, strict=True))
    other = [n for n, (x, y) in enumerate(sizes) if x != y]
    if not other and draw.random() < 0.4:
        axis = draw.randint(-a.values.dim() - 1, a.values.dim())
        return Piece(Join((a.recipe, b.recipe), axis, True), torch.stack([a.values, b.values], axis))
    if len(other) > 1:
        return None
    axis = other[0] if other else draw.randrange(a.values.dim())
    axis -= draw.choice((0, a.values.dim()))
    return Piece(Join((a.recipe, b.recipe), axis, False), torch.cat([a.values, b.values], axis))


def case(draw: Random) -> Case:
    theirs: dict[str, Tensor] = {}
    start = 0
    for name in "uvw"[: draw.randint(1, 3)]:
        shape = [draw.randint(1, 6) for _ in range(draw.randint(1, 3))]
        count = torch.Size(shape).numel()
        theirs[name] = torch.arange(start, start + count, dtype=torch.float64).view(shape)
        start += count
    pieces = [Piece(Take(name), tensor) for name, tensor in theirs.items()]
    for _ in range(draw.randint(1, 8)):
        piece = pieces.pop(draw.randrange(len(pieces)))
        kind = draw.random()
        if kind < 0.45:
            pieces += split(draw, piece)
        elif kind < 0.75 or not pieces:
            pieces.append(changed(draw, piece))
        else:
            at = draw.randrange(len(pieces))
            one = joined(draw, piece, pieces[at])
            if one is None:
                pieces.append(piece)
            else:
                pieces[at] = one
    return Case(theirs, {f"p{n}": piece for n, piece in enumerate(pieces)})


def proof(found: Case) -> Proof:
    ours = {name: piece.values for name, piece in found.ours.items()}
    layout = Layout({name: piece.recipe for name, piece in found.ours.items()})
    return prove(ours, layout, Tensors(found.theirs))


cases = st.randoms(use_true_random=False).map(case)


@settings(max_examples=150, deadline=None)
@given(cases)
def test_theirs_become_ours_and_ours_theirs(found: Case) -> None:
    recipes = {name: piece.recipe for name, piece in found.ours.items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in found.theirs.items()}
    for name, (recipe, values) in found.ours.items():
        assert torch.equal(made(recipe, found.theirs.__getitem__), values), text(recipe)
        assert shape_of(recipe, shapes) == tuple(values.shape), name
    back = undone(recipes, {name: piece.values for name, piece in found.ours.items()}, shapes)
    assert back.keys() == found.theirs.keys()
    for name, tensor in found.theirs.items():
        assert torch.equal(back[name], tensor)


@settings(max_examples=150, deadline=None)
@given(cases)
def test_all_of_theirs_taken_once_is_right(found: Case) -> None:
    assert [d.message for d in proof(found).problems] == []


@settings(max_examples=100, deadline=None)
@given(cases)
def test_whatever_is_left_over_is_told(found: Case) -> None:
    for name, piece in found.ours.items():
        if not piece.values.numel():
            continue
        rest = {n: p for n, p in found.ours.items() if n != name}
        codes = [d.code for d in proof(Case(found.theirs, rest)).problems]
        assert codes == ["A603"], text(piece.recipe)


@settings(max_examples=100, deadline=None)
@given(cases)
def test_whatever_is_taken_twice_is_told(found: Case) -> None:
    for piece in found.ours.values():
        if isinstance(piece.recipe, Take) or not piece.values.numel():
            continue
        twice = {**found.ours, "again": Piece(piece.recipe, piece.values.clone())}
        assert "A613" in [d.code for d in proof(Case(found.theirs, twice)).problems]


@settings(max_examples=200, deadline=None)
@given(cases)
def test_a_shape_that_ours_tell_is_theirs(found: Case) -> None:
    told: dict[str, list] = {}
    for piece in found.ours.values():
        for leaf, partial in needs(piece.recipe, tuple(piece.values.shape)):
            told.setdefault(leaf, []).append(partial)
    for leaf, partials in told.items():
        assert settled(leaf, partials) in (None, tuple(found.theirs[leaf].shape))


@settings(max_examples=150, deadline=None)
@given(cases)
def test_what_is_written_is_read(found: Case) -> None:
    for piece in found.ours.values():
        written = text(piece.recipe)
        scalar = Scalar(Source("map.yaml", written), 0, len(written), written)

        def number(expr: Expr, what: str) -> int:
            assert what in ("index", "step", "size", "axis")
            return evaluate(expr, Scope())

        assert right.recipe(right.read(scalar), lambda _: "", number) == piece.recipe


TOLD: dict[str, tuple[dict[str, tuple[Recipe, Shape]], Shape | None]] = {
    "alone": ({"a": (Take("w"), (2, 3))}, (2, 3)),
    "turned": ({"a": (Turn(Take("w")), (2, 3))}, (3, 2)),
    "three in a row": (
        {
            "q": (Cut(Take("w"), (Range(None, 4),)), (4, 8)),
            "k": (Cut(Take("w"), (Range(4, 6),)), (2, 8)),
            "v": (Cut(Take("w"), (Range(6, None),)), (2, 8)),
        },
        (8, 8),
    ),
    "the last ones open": ({"a": (Cut(Take("w"), (Range(None, -2),)), (4, 8))}, (6, 8)),
    "counted from the end alone": ({"a": (Cut(Take("w"), (Range(-4, None),)), (4, 8))}, None),
    "every second": (
        {
            "a": (Cut(Take("w"), (Range(None, None, 2),)), (4,)),
            "b": (Cut(Take("w"), (Range(1, None, 2),)), (4,)),
        },
        (8,),
    ),
    "stacked layers": ({f"l{i}": (Cut(Take("w"), (i,)), (4, 8)) for i in range(3)}, (3, 4, 8)),
    "new axes": ({"a": (Cut(Take("w"), (Axes.REST, Axes.NEW, 0, Axes.NEW)), (4, 8, 1, 1))}, (4, 8, 1)),
    "another shape": ({"a": (Reshape(Take("w"), (2, 3)), (2, 3))}, None),
    "joined, one of them told": (
        {"a": (Join((Cut(Take("x"), (Range(None, 3),)), Take("w")), 0, False), (8, 4))},
        (5, 4),
    ),
    "a part of unknown length besides": (
        {
            "a": (Cut(Take("w"), (Range(None, 4),)), (4,)),
            "b": (Cut(Take("w"), (Range(-2, None),)), (2,)),
        },
        None,
    ),
    "joined, nothing told": ({"a": (Join((Take("x"), Take("w")), 0, False), (8, 4))}, None),
    "stacked": ({"a": (Join((Take("x"), Take("w")), 1, True), (8, 2, 4))}, (8, 4)),
}


@pytest.mark.parametrize("name", TOLD)
def test_the_shape_of_theirs(name: str) -> None:
    ours, shape = TOLD[name]
    known = [p for recipe, own in ours.values() for leaf, p in needs(recipe, own) if leaf == "w"]
    assert settled("w", known) == shape


WRONG: dict[str, tuple[Recipe, Shape]] = {
    "a slice of another length": (Cut(Take("w"), (Range(2, 6),)), (5,)),
    "more axes than there are": (Cut(Take("w"), (Range(None, 2), Range(None, 2))), (2,)),
    "a new axis of two": (Cut(Take("w"), (Range(None, None), Axes.NEW)), (3, 2)),
    "more new axes than there are": (Cut(Take("w"), (Axes.NEW, Axes.NEW)), (1,)),
    "a reshape": (Reshape(Take("w"), (2, 3)), (3, 2)),
    "a stack": (Join((Take("w"), Take("x")), 0, True), (3, 2)),
    "a concat that is full": (
        Join((Cut(Take("w"), (Range(None, 3),)), Cut(Take("x"), (Range(None, 3),))), 0, False),
        (7,),
    ),
    "a concat without room": (Join((Cut(Take("w"), (Range(None, 8),)), Take("x")), 0, False), (8,)),
    "an axis": (Join((Take("w"), Take("x")), 2, False), (8, 4)),
}


@pytest.mark.parametrize("name", WRONG)
def test_shapes_that_cannot_be(name: str) -> None:
    with pytest.raises(Misfit):
        list(needs(*WRONG[name]))


@pytest.mark.parametrize(
    "recipe",
    [
        Cut(Take("w"), (Range(None, 7),)),
        Cut(Take("w"), (Range(-7, None),)),
        Cut(Take("w"), (6,)),
        Cut(Take("w"), (0, 0, 0)),
        Reshape(Take("w"), (5, -1)),
        Reshape(Take("w"), (6, 5)),
        Reshape(Take("w"), (0, -1)),
        Join((Take("w"), Take("x")), 0, False),
        Join((Take("w"), Take("x")), 0, True),
        Join((Take("w"), Take("w")), 3, False),
    ],
    ids=text,
)
def test_theirs_of_another_shape(recipe: Recipe) -> None:
    with pytest.raises(Misfit):
        shape_of(recipe, {"w": (6, 4), "x": (6,)})


def test_a_number_alone() -> None:
    recipe = Turn(Reshape(Take("n"), ()))
    assert made(recipe, lambda _: torch.tensor(3)).shape == ()
    assert torch.equal(undone({"a": recipe}, {"a": torch.tensor(3)}, {"n": (1,)})["n"], torch.tensor([3]))
    assert settled("n", [p for _, p in needs(Turn(Take("n")), ())]) == ()


def test_numbers_tell_the_way_back() -> None:
    recipe = Turn(Join((Take("a"), Cut(Take("b"), (0,))), 0, False))
    numbers = Numbers({"a": (1, 2), "b": (2, 1, 2)})
    (a, at_a, _), (b, at_b, _) = numbers.split(recipe)
    assert (a, at_a.tolist(), b, at_b.tolist()) == ("a", [0, 1], "b", [0, 1])
    assert list(leaves(recipe)) == ["a", "b"]
