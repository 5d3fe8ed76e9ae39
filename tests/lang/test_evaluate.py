"""The values of expressions: numbers and their labels, symbolic sizes, presence, words, operators."""

import math

import pytest

from archc.lang import printing
from archc.lang.evaluate import evaluate
from archc.lang.types import Bool, Choice, Float, Int, List, Operator, Row, Str
from archc.lang.values import UNKNOWN, EvaluationError, Given, NeedsStatic, Partial, Scope, Unavailable, Word
from archc.lang.walk import walk
from archc.shapes import Cond, Dim, labelled, symbol

H, W = symbol("H"), symbol("W")
C, K = labelled(64, "c"), labelled(3, "k")
NAMES = {
    "c": C,
    "k": K,
    "half": labelled(0.5, "half"),
    "H": H,
    "W": W,
    "ch": [labelled(32, "ch[0]"), labelled(64, "ch[1]")],
    "plain": [1, 2, 3],
    "rows": [[1, "a"], [2, "b"]],
    "on": True,
    "off": False,
    "mode": "up",
    "none": None,
}
MASK, EMB = Given(("given", "mask")), Given(("given", "emb"))
PRESENT = {"mask": MASK, "emb": ("given", "emb"), "x": True, "gone": False}
SCOPE = {"names": NAMES, "present": PRESENT, "words": frozenset(["up", "down"])}


@pytest.mark.parametrize(
    "text, expected",
    [
        ("1 + 2 * 3", 7),
        ("7 // 2 + 7 % 3 - 2 ** 3", -4),
        ("7 / 2", 3.5),
        ("-2 ** 2", -4),
        ("[1, 'a', null, true]", [1, "a", None, True]),
        ("(1, 2)", [1, 2]),
        ("[1] + [2] * 2", [1, 2, 2]),
        ("'a' + 'b' * 2", "abb"),
        ("1 < 2 < 3 and not 1 > 2", True),
        ("1 < 1 < 1 / 0", False),
        ("2 in [1, 2] and 3 not in [1, 2] and 'b' in 'abc'", True),
        ("[[1, 2], [3]] == [[1, 2], [3]]", True),
        ("(1, 2) == [1, 2]", True),
        ("[1, 2] < [1, 3]", True),
        ("1 if 0 else 2", 2),
        ("0 or '' or [] or null or 5", 5),
        ("1 and 'a'", "a"),
        ("[c * 2 for c in [1, 2, 3] if c != 2]", [2, 6]),
        ("[[a, b] for a in [1, 2] for b in range(a)]", [[1, 0], [2, 0], [2, 1]]),
        ("[i * x for i, x in enumerate([5, 6])]", [0, 6]),
        ("[x for x in [x for x in [3]]]", [3]),
        ("sum(x for x in [1, 2])", 3),
        ("[1, 2, 3][-1] + [1, 2, 3][:2][1]", 5),
        ("[0, 1, 2, 3][::-2]", [3, 1]),
        ("[0, 1, 2, 3][null:2]", [0, 1]),
        ("'abc'[1:]", "bc"),
        ("len([1, 2]) + len('abc')", 5),
        ("range(1, 10, 4)", [1, 5, 9]),
        ("min(3, 1, 2) + max([3, 5])", 6),
        ("sum([1, 2], start=3) + prod([2, 5])", 16),
        ("abs(-3) + round(2.5) + round(3.14159, 2)", 8.14),
        ("int(3.9) + int('4') + int(-0.5)", 7),
        ("float('inf')", float("inf")),
        ("floor(-0.5) + ceil(0.5)", 0),
        ("sqrt(16) + log(8, 2) + log2(8) + exp(0)", 11.0),
        ("zip([1, 2], 'ab'[0:0] == '' and [3, 4])", [[1, 3], [2, 4]]),
        ("enumerate(['a'], start=1)", [[1, "a"]]),
        ("reversed([1, 2]) + list([3])", [2, 1, 3]),
        ("all([1, true]) and not any([0, null])", True),
        ("true + true", 2),
    ],
)
def test_values(value, text, expected):
    found = value(text)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    "text, label",
    [
        ("c", "c"),
        ("c * 2 + 1", "c * 2 + 1"),
        ("(c + 1) * k", "(c + 1) * k"),
        ("c // k ** 2", "c // k ** 2"),
        ("max(c, k, 8)", "max(c, k, 8)"),
        ("int(c * half)", "int(c * half)"),
        ("0.5 * c", "0.5 * c"),
        ("round(c / k)", "round(c / k)"),
        ("abs(-c)", "abs(-c)"),
        ("c if on else k", "c"),
        ("none or c", "c"),
        ("ch[0] * 2", "ch[0] * 2"),
        ("sum(ch)", "ch[0] + ch[1]"),
        ("float(c)", "float(c)"),
        ("sqrt(c) + k", "sqrt(c) + k"),
        ("ceil(c / k)", "ceil(c / k)"),
    ],
)
def test_labels(value, text, label):
    found = value(text, **SCOPE)
    assert found.label == label
    names = {"c": 64, "k": 3, "half": 0.5, "ch": [32, 64], "sqrt": math.sqrt, "ceil": math.ceil}
    assert eval(label, {}, names) == found


@pytest.mark.parametrize(
    "text, dropped",
    [
        ("c * k", set()),
        ("sqrt(c) + k", set()),
        ("c + H", {"c"}),
        ("c == 64", {"c"}),
        ("k if c > 3 else 0", {"c"}),
        ("plain[0]", {"plain"}),
        ("plain[k - 3]", {"plain", "k"}),
        ("ch[0]", set()),
        ("range(k)", {"k"}),
        ("on", {"on"}),
        ("[c, on]", {"on"}),
        ("not none", {"none"}),
        ("mode", {"mode"}),
        ("ceil(c / k)", set()),
        ("H * 2", set()),
        ("[x * 2 for x in plain]", {"plain"}),
    ],
)
def test_names_without_a_label_in_the_result_are_told(parse, text, dropped):
    scope = Scope(**SCOPE)
    evaluate(parse(text), scope)
    assert scope.dropped == dropped


# Symbolic sizes


@pytest.mark.parametrize(
    "text, expected",
    [
        ("H + H", 2 * H),
        ("H // 2 * 2", H // 2 * 2),
        ("max(H, W) - min(W, H)", None),
        ("H - H", 0),
        ("abs(H)", H),
        ("int(H / 2)", H // 2),
        ("ceil(H / 2)", (H + 1) // 2),
        ("round(H)", H),
        ("sum([H, W, c])", H + W + 64),
        ("prod([H, W])", H * W),
        ("H == H", True),
        ("H >= 1", True),
        ("H or 3", H),
        ("1 if H > 0 else 2", 1),
        ("H if on else W", H),
    ],
)
def test_sizes(value, text, expected):
    found = value(text, **SCOPE)
    if expected is None:
        assert isinstance(found, Dim)
    else:
        assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("H > 3", "H >= 4"),
        ("not H > 3", "H <= 3"),
        ("H > 3 and W > 3", "H >= 4 and W >= 4"),
        ("H > 3 or false", "H >= 4"),
        ("on and H > 3", "H >= 4"),
        ("2 < H <= 5", "H >= 3 and H <= 5"),
        ("H in [3, 4]", "H == 3 or H == 4"),
        ("[H, 1] == [2, 1]", "H == 2"),
        ("all([H > 2, true, W > 2])", "H >= 3 and W >= 3"),
        ("any([H > 2, false])", "H >= 3"),
    ],
)
def test_conditions_on_sizes(value, text, expected):
    found = value(text, **SCOPE)
    assert isinstance(found, Cond) and str(found) == expected


def test_a_decided_side_settles_a_condition(value):
    assert value("H > 3 and false", **SCOPE) is False
    assert value("H > 3 or true", **SCOPE) is True


def test_a_choice_by_size_stays_symbolic(value):
    found = value("4 if H > 3 else W", **SCOPE)
    assert isinstance(found, Dim) and str(found) == "4 if H >= 4 else W"


@pytest.mark.parametrize(
    "text, words, symbols",
    [
        ("range(H)", "H", {"H"}),
        ("plain[H // W]", "H // W", {"H", "W"}),
        ("plain[:H]", "H", {"H"}),
        ("[x for x in plain if x < H]", "x < H", {"H"}),
        ("plain * H", "H", {"H"}),
        ("'a' if H > 3 else 'b'", "H > 3", {"H"}),
        ("round(H / 3)", "H / 3", {"H"}),
        ("[[1] if H > 3 else [2]]", "H > 3", {"H"}),
        ("H % 2 == 0 and c", "H % 2 == 0", {"H"}),
    ],
)
def test_a_number_that_must_be_known(value, text, words, symbols):
    with pytest.raises(NeedsStatic) as wrong:
        value(text, **SCOPE)
    assert wrong.value.span.text == words
    assert (wrong.value.symbols, wrong.value.inputs) == (symbols, frozenset())


# Presence


@pytest.mark.parametrize(
    "text, expected",
    [
        ("mask", MASK),
        ("not mask", ("not", MASK)),
        ("not not mask", MASK),
        ("mask and emb", ("and", MASK, EMB)),
        ("mask or not emb", ("or", MASK, ("not", EMB))),
        ("mask and x", MASK),
        ("x and mask", MASK),
        ("mask and gone", False),
        ("mask or on", True),
        ("mask and mask", MASK),
        ("mask and not mask", False),
        ("mask or not mask", True),
        ("all([mask, x, emb])", ("and", MASK, EMB)),
        ("any([mask, x])", True),
        ("x and not gone", True),
        ("c > 3 and mask", MASK),
    ],
)
def test_presence(value, text, expected):
    assert value(text, **SCOPE) == expected


@pytest.mark.parametrize(
    "text, symbols, inputs",
    [
        ("3 if mask else 4", set(), {"mask"}),
        ("mask and H > 3", {"H"}, {"mask"}),
        ("mask + 1", set(), {"mask"}),
        ("[x for x in plain if mask or emb]", set(), {"mask", "emb"}),
    ],
)
def test_presence_that_must_be_known(value, text, symbols, inputs):
    with pytest.raises(NeedsStatic) as wrong:
        value(text, **SCOPE)
    assert (wrong.value.symbols, wrong.value.inputs) == (symbols, inputs)


# Words, operators, types


def test_words(value):
    assert value("mode == up", **SCOPE) is True
    assert isinstance(value("down", **SCOPE), Word)
    # what has the name is before the word
    assert value("up", names={"up": 3}, words=frozenset(["up"])) == 3
    assert value("up", want=Choice(("up", "down"))) == "up"
    assert type(value("up", want=Choice(("up", "down")))) is str


def test_bare_words_stand_for_whole_arguments_only(value):
    assert value("nearest", bare=True) == Word("nearest")
    assert value("[nearest, 1]", bare=True) == ["nearest", 1]
    assert value("nearest if true else area", bare=True) == "nearest"
    for text in ("nearest + 1", "len(nearest)", "[nearest][0]", "(nearest or 1) + 1", "-nearest"):
        with pytest.raises(EvaluationError, match="`nearest` is not defined"):
            value(text, bare=True)
    with pytest.raises(EvaluationError, match="`nearest` is not defined"):
        value("nearest", want=Int(), bare=True)


def test_operators(value):
    res = Partial("ResnetBlock", (), {"dropout": 0.1})
    names = {"res": res, "c": C, "dropout": 0.5}
    assert value("swish", want=Operator()) == Partial("swish")
    assert value("res", want=Operator(), names=names) == res
    assert value("res", names=names) == res
    assert value("res(c, groups=8)", want=Operator(), names=names) == Partial(
        "ResnetBlock", (64,), {"dropout": 0.1, "groups": 8}
    )
    # other params never hide an operator
    assert value("dropout", want=Operator(), names=names) == Partial("dropout")
    assert value("max(2)", want=Operator()) == Partial("max", (2,))
    assert value("null", want=Operator(optional=True)) is None
    assert value("normal(0.02)", bare=True) == Partial("normal", (0.02,))
    found = value("f(act=relu, inner=g(x))", want=Operator())
    assert found.kwargs == {"act": "relu", "inner": Partial("g", ("x",))}


def test_an_operator_of_the_callers_kind(value):
    class Target:
        name = "Block"

    target = Target()
    assert value("op", names={"op": target}) is target
    assert value("op", want=Operator(), names={"op": target}) is target
    found = value("[o(3) for o in ops]", names={"ops": [target]})
    assert found == [Partial("o", (3,), base=target)]


def test_types_reach_into_lists(value):
    relu, gelu = Partial("relu"), Partial("gelu")
    assert value("[relu, gelu]", want=List(Operator())) == [relu, gelu]
    assert value("[(1, relu)] * 2", want=List(Row((Int(), Operator())))) == [[1, relu]] * 2
    assert value("[relu if i else gelu for i in [0, 1]]", want=List(Operator())) == [gelu, relu]
    assert value("[relu] + [gelu]", want=List(Operator())) == [relu, gelu]
    assert value("reversed([relu, gelu])", want=List(Operator())) == [gelu, relu]
    assert value("[up] if true else [down]", want=List(Choice(("up", "down")))) == ["up"]


def test_a_number_for_a_float_keeps_its_label(value):
    found = value("c + 1", want=Float(), **SCOPE)
    assert isinstance(found, float) and (found, found.label) == (65.0, "c + 1")


@pytest.mark.parametrize(
    "text, want, words",
    [
        ("3.0", Int(), "3.0"),
        ("true", Int(), "true"),
        ("null", Int(), "null"),
        ("[1, 2.5, 3]", List(Int()), "2.5"),
        ("[(1, 2), (1, 'a')]", List(Row((Int(), Int()))), "'a'"),
        ("[x / 2 for x in [1]]", List(Int()), "x / 2"),
        ("1", Str(), "1"),
        ("'sideways'", Choice(("up", "down")), "'sideways'"),
        ("3", Operator(), "3"),
        ("(1, 2, 3)", Row((Int(), Int())), "(1, 2, 3)"),
        ("[1] * 2", Row((Int(), Bool())), "[1] * 2"),
    ],
)
def test_what_does_not_fit_its_type(value, text, want, words):
    with pytest.raises(EvaluationError) as wrong:
        value(text, want=want)
    assert (wrong.value.code, wrong.value.span.text) == ("A226", words)


# Mistakes


@pytest.mark.parametrize(
    "text, code, words, help",
    [
        ("cc + 1", "A240", "cc", "`c`"),
        ("sqrt", "A240", "sqrt", "`sqrt(x)`"),
        ("none + 1", "A221", "none", ""),
        ("c - 'a'", "A221", "'a'", ""),
        ("mode + 1", "A221", "1", ""),
        ("[1] + 2", "A221", "2", ""),
        ("-mode", "A221", "mode", ""),
        ("c < 'a'", "A221", "'a'", ""),
        ("c in 3", "A221", "3", ""),
        ("[x for x in c]", "A221", "c", ""),
        ("c[0]", "A221", "c", ""),
        ("plain[0.5]", "A221", "0.5", "`//`"),
        ("plain['a']", "A221", "'a'", ""),
        ("plain[0, 1]", "A221", "plain[0, 1]", "rows[i][j]"),
        ("plain[...]", "A221", "plain[...]", ""),
        ("plain[::0]", "A221", "::0", ""),
        ("range(0, 1, 0)", "A221", "0", ""),
        ("len(3)", "A221", "3", ""),
        ("max(c, 'a')", "A221", "'a'", ""),
        ("mask == true", "A221", "mask", "`not`"),
        ("1 + (c - 64) / (c - 64)", "A222", "c - 64", ""),
        ("H // 0", "A222", "0", ""),
        ("5 % 0.0", "A222", "0.0", ""),
        ("0 ** -1", "A222", "0", ""),
        ("plain[3]", "A223", "3", "0 to 2"),
        ("plain[-4]", "A223", "-4", "0 to 2"),
        ("[][0]", "A223", "0", "no items"),
        ("len()", "A227", "len()", "len(list)"),
        ("len(1, 2)", "A227", "2", ""),
        ("len(x=[1])", "A227", "x=[1]", ""),
        ("sqrt(-1)", "A228", "sqrt(-1)", ""),
        ("log(0)", "A228", "log(0)", ""),
        ("exp(1000)", "A228", "exp(1000)", ""),
        ("(-8) ** 0.5", "A228", "-8", ""),
        ("max([])", "A228", "[]", ""),
        ("int(.nan)", "A228", "int(.nan)", ""),
        ("[a for a, b in rows + [[1]]]", "A229", "rows + [[1]]", ""),
        ("flor(2.5)", "A250", "flor", "`floor`"),
        ("pow(2, 3)", "A250", "pow", "`a ** b`"),
        ("ResnetBlock(3)", "A250", "ResnetBlock", "`nodes`"),
    ],
)
def test_mistakes(value, text, code, words, help):
    with pytest.raises(EvaluationError) as wrong:
        value(text, **SCOPE)
    assert (wrong.value.code, wrong.value.span.text) == (code, words)
    assert help in (wrong.value.help or "")


def test_an_argument_given_again(value):
    with pytest.raises(EvaluationError) as wrong:
        value("res(dropout=0)", names={"res": Partial("R", (), {"dropout": 0.1})})
    assert wrong.value.code == "A404"


@pytest.mark.parametrize(
    "text",
    [
        "10 ** 10 ** 10",
        "(2 ** 4000) ** 2",
        "2 ** 4000 * 2 ** 4000",
        "prod([2 ** 4000, 2 ** 4000])",
        "'a' * 10 ** 9",
        "[0] * 10 ** 9",
        "range(10 ** 12)",
        "range(-10 ** 1000, 10 ** 1000)",
        "[range(100000) for i in range(1000)]",
        "[[j for j in range(1000)] for i in range(1000)]",
        "sum(x for a in range(1000) for b in range(1000) for x in [a, b])",
        "['a' * 9000 for i in range(1000)]",
        "[i for i in range(100000) if [0] * 90000 == [0] * 90000]",
        "H ** 1000 + W",
        "(H + W + 1) ** 90",
    ],
)
def test_work_is_bounded(value, text):
    with pytest.raises(EvaluationError) as wrong:
        value(text, **SCOPE)
    assert wrong.value.code == "A224"


def test_lists_in_lists_are_bounded(value):
    nested: list = []
    for _ in range(40):
        nested = [nested]
    with pytest.raises(EvaluationError) as wrong:
        value("a + a", names={"a": nested})
    assert wrong.value.code == "A224"
    wide: list = [1] * 100
    for _ in range(20):
        wide = [wide] * 100
    with pytest.raises(EvaluationError) as wrong:
        value("[a]", names={"a": wide})
    assert wrong.value.code == "A224"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("(" * 99 + "1" + ")" * 99, 1),
        ("abs(" * 99 + "1" + ")" * 99, 1),
        ("-" * 98 + "1", 1),
        ("+".join("1" * 100), 100),
        ("1 if 1 else " * 99 + "2", 1),
        ("[1 " + "for i in [1] " * 100 + "]", [1]),
    ],
)
def test_the_deepest_expressions_can_be_walked_printed_and_evaluated(parse, value, text, expected):
    tree = parse(text)
    assert list(walk(tree)) and printing.text(tree)
    assert value(text) == expected


# What failed elsewhere, and other words


def test_a_name_whose_definition_failed_is_silent(value):
    with pytest.raises(Unavailable) as wrong:
        value("1 + bad", names={"bad": UNKNOWN})
    assert wrong.value.names == ("bad",)
    # where it is not needed, it does no harm
    assert value("1 if true else bad", names={"bad": UNKNOWN}) == 1


def test_the_caller_may_word_an_undefined_name(value):
    def missing(name):
        return LookupError(f"no {name.id} at {name.span.start}")

    with pytest.raises(LookupError, match="no D at 4"):
        value("1 + D", missing=missing)
