"""What holds for every expression: Python agrees, labels tell the value, sizes may come later."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archc.lang.evaluate import evaluate
from archc.lang.values import EvaluationError, NeedsStatic, Scope
from archc.shapes import Cond, Dim, Formula, Num, Real, labelled, symbol
from archc.shapes import evaluate as at

FUNCTIONS = {
    **{name: getattr(math, name) for name in ("floor", "ceil", "sqrt", "log", "log2", "exp", "prod")},
    **{f.__name__: f for f in (len, sum, abs, round, int, float, list, all, any)},
    # a bool is a number there
    "min": lambda *values: +min(*values),
    "max": lambda *values: +max(*values),
    "range": lambda *bounds: list(range(*bounds)),
    "zip": lambda *lists: [list(row) for row in zip(*lists, strict=False)],
    "enumerate": lambda values: [[i, v] for i, v in enumerate(values)],
    "reversed": lambda values: values[::-1],
}

NUMBERS = st.one_of(
    st.integers(-20, 20).map(str), st.floats(-4, 4).map(lambda f: repr(round(f, 2))), st.sampled_from("abn")
)
CALLS = st.sampled_from(["abs", "round", "int", "float", "floor", "ceil", "sqrt", "log2"])
ROUNDING = st.sampled_from(["abs", "int", "floor", "ceil", "float"])


def binary(operators, operands):
    return st.tuples(operands, st.sampled_from(operators), operands).map(lambda p: f"({p[0]} {p[1]} {p[2]})")


def numbers(inner):
    tests = binary(["<", "<=", "==", "!=", ">"], inner) | inner.map("not {}".format)
    lists = st.one_of(
        st.lists(inner, max_size=3).map(", ".join).map("[{}]".format),
        inner.map("[{} for a in range(3) if a != 1]".format),
        st.just("ch"),
        st.just("ch[1:]"),
        st.just("[x * i for i, x in enumerate(ch)]"),
    )
    return st.one_of(
        binary(["+", "-", "*", "/", "//", "%", "**", "and", "or"], inner),
        inner.map("-{}".format),
        st.tuples(CALLS, inner).map("{0[0]}({0[1]})".format),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map("{0[0]}({0[1]}, {0[2]})".format),
        st.tuples(st.sampled_from(["sum", "prod", "len", "max"]), lists).map("{0[0]}({0[1]})".format),
        st.tuples(inner, tests, inner).map("({0[0]} if {0[1]} else {0[2]})".format),
        st.tuples(lists, st.integers(-3, 3)).map("{0[0]}[{0[1]}]".format),
        st.tuples(inner, lists).map("({0[0]} in {0[1]})".format),
    )


EXPRESSIONS = st.recursive(NUMBERS, numbers, max_leaves=8)
VALUES = {"a": 3, "b": 0.5, "n": 8, "ch": [1, 2, 4]}


def agree(ours, pythons) -> bool:
    if isinstance(pythons, float):
        return isinstance(ours, float) and (
            math.isnan(ours) if math.isnan(pythons) else math.isclose(ours, pythons, rel_tol=1e-12)
        )
    return ours == pythons and isinstance(ours, bool) is isinstance(pythons, bool)


@given(EXPRESSIONS)
def test_python_agrees(parse, text):
    names = {name: labelled(v, name) for name, v in VALUES.items()}
    scope = Scope(names=names)
    try:
        wanted = eval(text, {"__builtins__": {}, **FUNCTIONS, **VALUES})
    except (ArithmeticError, ValueError, TypeError, IndexError):
        wanted = None
    try:
        found = evaluate(parse(text), scope)
    except EvaluationError as wrong:
        assert wanted is None or isinstance(wanted, complex) or wrong.code == "A224"
        assert wrong.span.text in text
        return
    assert wanted is not None, "Python has no value there"
    assert agree(found, wanted)
    if isinstance(found, Num | Real):
        assert agree(eval(found.label, {"__builtins__": {}, **FUNCTIONS, **VALUES}), wanted)
        assert found.names <= VALUES.keys()


SIZES = st.one_of(st.integers(0, 12).map(str), st.sampled_from(["H", "W", "k", "0.5"]))


def sizes(inner):
    tests = binary(["<", "<=", "==", "!=", ">"], inner)
    return st.one_of(
        binary(["+", "-", "*", "//", "%"], inner),
        st.tuples(inner, st.sampled_from(["/ 2", "// 3", "* 2"])).map(" ".join).map("({})".format),
        st.tuples(ROUNDING, inner).map("{0[0]}({0[1]})".format),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map("{0[0]}({0[1]}, {0[2]})".format),
        st.tuples(inner, tests, inner).map("({0[0]} if {0[1]} else {0[2]})".format),
        st.tuples(inner, tests, tests, inner).map("({0[0]} if {0[1]} and not {0[2]} else {0[3]})".format),
    )


@given(st.recursive(SIZES, sizes, max_leaves=6), st.integers(1, 12), st.integers(1, 12))
def test_a_size_may_come_later(parse, text, h, w):
    tree = parse(text)
    k = labelled(2, "k")
    try:
        symbolic = evaluate(tree, Scope(names={"H": symbol("H"), "W": symbol("W"), "k": k}))
        static = evaluate(tree, Scope(names={"H": h, "W": w, "k": k}))
    except (EvaluationError, NeedsStatic):
        assume(False)
    if isinstance(symbolic, Dim | Formula | Cond):
        try:
            symbolic = at(symbolic, {"H": h, "W": w})
        except ZeroDivisionError:
            pytest.fail("static evaluation divides by something else")
    assert agree(symbolic, static) or math.isclose(symbolic, static, rel_tol=1e-9), (symbolic, static)
