"""Values against the types of params, also values from Python and JSON."""

import json

import numpy
import pytest

from archc.lang.coerce import coerce
from archc.lang.types import Bool, Choice, Float, Int, List, Operator, Row, Str
from archc.lang.values import Given, Partial, Word
from archc.shapes import labelled, symbol

H = symbol("H")
WAYS = Choice(("none", "up"))


@pytest.mark.parametrize(
    "value, type, expected",
    [
        (3, Int(), 3),
        (H // 2, Int(), H // 2),
        (None, Int(optional=True), None),
        (numpy.int64(3), Int(), 3),
        (3, Float(), 3.0),
        (0.5, Float(), 0.5),
        (H / 2, Float(), H / 2),
        (numpy.float32(0.5), Float(), 0.5),
        (True, Bool(), True),
        (H > 3, Bool(), H > 3),
        ("a", Str(), "a"),
        ("up", WAYS, "up"),
        (Word("up"), WAYS, "up"),
        ("relu", Operator(), Partial("relu")),
        (Word("nn.GELU"), Operator(), Partial("nn.GELU")),
        (Partial("relu", (3,)), Operator(), Partial("relu", (3,))),
        ((1, 2), List(Int()), [1, 2]),
        ([], List(Int()), []),
        ([1, None], List(Int(optional=True)), [1, None]),
        ([1, "relu"], Row((Int(), Operator())), [1, Partial("relu")]),
        (json.loads("[[1, 2], [3]]"), List(List(Int())), [[1, 2], [3]]),
    ],
)
def test_what_fits(value, type, expected):
    found, problem = coerce(value, type)
    assert problem is None
    assert found == expected and found.__class__ is expected.__class__


def test_labels_stay():
    assert coerce(labelled(3, "n"), Int())[0].label == "n"
    found, _ = coerce(labelled(3, "n"), Float())
    assert isinstance(found, float) and found.label == "n"


@pytest.mark.parametrize(
    "value, type, words",
    [
        (True, Int(), "whole number, not true"),
        (3.0, Int(), "not 3.0: write 3"),
        (3.5, Int(), "whole number, not 3.5"),
        ("3", Int(), 'whole number, not "3"'),
        (None, Int(), "`int?`"),
        (H / 2, Int(), "fraction"),
        (2**5000, Int(), "4096 bits"),
        (numpy.float64(3), Int(), "not 3.0"),
        (numpy.array([3, 4]), Int(), "whole number"),
        (True, Float(), "number, not true"),
        (10**400, Float(), "float can hold"),
        ("a", Float(), "number"),
        (1, Bool(), "true or false, not 1"),
        (Given(("given", "x")), Bool(), "fix whether"),
        (3, Str(), "text, not 3"),
        (Word("up"), Str(), "not defined"),
        ("upp", WAYS, "did you mean `up`?"),
        (True, WAYS, "`none` or `up`"),
        ("a b", Operator(), "name of an operator"),
        (3, Operator(), "operator or a block, not 3"),
        (3, List(Int()), "list `int[]`, not 3"),
        ("abc", List(Str()), "list"),
        ([1, 2.5], List(Int()), "has an item 1 that must be a whole number"),
        ([[1], ["a"]], List(List(Int())), "has an item 1 that has an item 0 that must be"),
        ([1], Row((Int(), Int())), "of 2 items, not a list of one item"),
        ({"a": 1}, List(Int()), "list"),
        ({"a": 1}, Int(), "whole number"),
    ],
)
def test_what_does_not_fit(value, type, words):
    _, problem = coerce(value, type)
    assert problem is not None and words in problem
