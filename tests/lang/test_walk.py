"""Walks over trees: their order, the names that are free, what is called."""

import pytest

from archc.lang.syntax import Literal, Name
from archc.lang.walk import called, chains, free_names, free_occurrences, walk

EVERYTHING = "[f(a, k=b) if -c < d else (e, g)[h:i, ...] for j in l if m] + [n or 3]"


def test_all_expressions_in_their_order(parse):
    names = [at.id for at in walk(parse(EVERYTHING)) if isinstance(at, Name)]
    assert names == ["a", "b", "c", "d", "e", "g", "h", "i", "l", "m", "n"]
    assert sum(isinstance(at, Literal) for at in walk(parse(EVERYTHING))) == 1


def test_walks_see_operands_of_chains(parse):
    chain = parse("x[i].port + (y, m=z -> f(b) -> g), w -> h(c)", "line").chain
    assert [at.id for at in walk(chain) if isinstance(at, Name)] == ["x", "i", "y", "z", "b", "w", "c"]


@pytest.mark.parametrize(
    "text, free",
    [
        ("a + b * a", "a b"),
        ("f(a, k=b)", "a b"),
        ("[x * a for x in b if x < c]", "a b c"),
        ("[x for x in x]", "x"),
        ("[x for x in a for y in x if y]", "a"),
        ("[x for x in y for y in x]", "y"),
        ("[[x for x in y] for y in a] + [x]", "a x"),
        ("x[a:b][c]", "x a b c"),
    ],
)
def test_free_names(parse, text, free):
    assert free_names(parse(text)) == set(free.split())


def test_free_occurrences_keep_their_places(parse):
    assert [n.span.start for n in free_occurrences(parse("a + [a for a in a]"))] == [0, 16]


def test_what_is_called(parse):
    assert [n.id for n in called(parse("f(g(1), x) + [h(y)]"))] == ["f", "g", "h"]
    line = parse("x + (y -> a -> b(c(2))) -> d", "line")
    assert [n.id for n in called(line.chain)] == ["d", "a", "b", "c"]


def test_chains_of_a_line(parse):
    line = parse("x + (y -> a) -> b if c else z -> d", "line")
    assert [[s.name.id for s in chain.steps] for chain in chains(line)] == [["b"], ["a"], ["d"]]
