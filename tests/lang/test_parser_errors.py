"""What is wrong with a text: the code, the very words, and what to write."""

import pytest

from archc.lang.cursor import DEPTH
from archc.lang.parser import parse_expression
from archc.source.diagnostic import Report
from archc.source.text import Source
from archc.source.tree import Scalar

EXPRESSIONS = [
    ("", "A205", "", ""),
    ("a +", "A205", "+", ""),
    ("not", "A205", "not", ""),
    ("a if b", "A205", "b", ""),
    ("f(x=)", "A205", ")", ""),
    ("[1,,2]", "A205", ",", ""),
    ("x[]", "A205", "]", ""),
    ("f(,)", "A205", ",", ""),
    ("a b", "A206", "b", "operator"),
    ("a, b", "A206", ",", "`[a, b]`"),
    ("[1 2]", "A206", "2", "`,`"),
    ("a not b", "A206", "not", ""),
    ("a == not b", "A206", "not", "`(not ...)`"),
    ("if a", "A206", "if", ""),
    ("a : b", "A206", ":", ""),
    ("f(lambda=3)", "A207", "lambda", "`lambda_`"),
    ("[x for in in y]", "A207", "in", "`in_`"),
    ("[x for true in y]", "A207", "true", ""),
    ("a = b", "A208", "=", "`==`"),
    ("(a = b)", "A208", "=", "`==`"),
    ("[a = b]", "A208", "=", "`==`"),
    ("f(a[0]=b)", "A208", "=", "`==`"),
    ("lambda x: x", "A209", "lambda", ""),
    ("x is y", "A209", "is", "`==`"),
    ("x is not y", "A209", "is", "`!=`"),
    ("x.shape[0]", "A209", ".shape", "input's shape"),
    ("x.y", "A209", ".y", "params"),
    ("x.__class__", "A209", ".__class__", ""),
    ("(1).real", "A209", ".real", ""),
    ("f(x)(y)", "A209", "(", "only a name"),
    ("[f][0](x)", "A209", "(", "only a name"),
    ("f(*a)", "A209", "*", "`with:`"),
    ("f(**a)", "A209", "**", "`with:`"),
    ("[*a]", "A209", "*", "join lists"),
    ("(x for x in y)", "A209", "for", "square brackets"),
    ("max(a, x for x in y)", "A209", "for", "square brackets"),
    ("[a for (b, (c, d)) in e]", "A209", "(", "row[0]"),
    ("a @ b", "A209", "@", "`flow`"),
    ("...", "A209", "...", ""),
    ("x -> f", "A211", "->", "`flow`"),
    ("(x -> f)", "A211", "->", "`flow`"),
    ("f(x -> g)", "A211", "->", "`flow`"),
    ("f(1, a=2, 3)", "A213", "3", "position"),
    ("f(a=1, b=2, a=3)", "A213", "a", "remove"),
]

LINES = [
    ("x ->", "A205", "->", ""),
    ("-> f", "A205", "->", "arange(T)"),
    ("x,", "A205", ",", ""),
    ("x -> f if", "A205", "if", ""),
    ("x if c else", "A205", "else", ""),
    ("x else y", "A206", "else", "if condition"),
    ("h: x -> f", "A206", ":", "one colon"),
    ("bundle(x -> f, y)", "A206", "->", "brackets of its own"),
    ("x -> class", "A206", "class", ""),
    ("x, m=3", "A208", "=", "to a step"),
    ("x + (y, m=3)", "A208", "=", ""),
    ("x.view(3)", "A209", ".view", "as a step"),
    ("layer.0 + x", "A209", ".0", "node.all[0]"),
    ("y if x -> f", "A211", "->", "end of its line"),
    ("y if (x -> f)", "A211", "->", ""),
    ("(a if b else c) -> f", "A212", "if", "end of a line"),
    ("x -> drop(p if train else 0)", "A212", "if", "end of a line"),
    ("(x -> f if c) + y", "A212", "if", "end of a line"),
    ("x -> f + y", "A218", "+", "`(x -> f) + ...`"),
    ("x -> f[0]", "A218", "[", "`(x -> f)[...]`"),
    ("x -> f, y", "A218", ",", "brackets"),
    ("x -> f g", "A218", "g", "`f(g)`"),
    ("x -> f.skips", "A218", ".", ".port"),
    ("x -> 3", "A218", "3", "`-> conv1`"),
    ("x -> (f)", "A218", "(", "`-> conv1`"),
    ("x -> true", "A218", "true", ""),
    ("x --> f", "A201", "-->", "`->`"),
    ("x => f", "A201", "=>", "`->`"),
    ("x -> f; y -> g", "A201", ";", "one line"),
]

OTHERS = {
    "call": [
        ("", "A205", "", ""),
        ("3", "A219", "3", "linear(64)"),
        ("(linear)(3)", "A219", "(", ""),
        ("conv(3) -> relu", "A219", "->", "`flow`"),
        ("conv(3) if c else swish", "A219", "if", "`choose: condition`"),
        ("conv(3) * 4", "A219", "*", "`repeat: n`"),
        ("conv(3), relu", "A219", ",", "line of its own"),
        ("conv(c_out 3)", "A206", "3", ""),
    ],
    "names": [
        ("", "A205", "", ""),
        ("q,", "A205", ",", ""),
        ("q k", "A206", "k", ""),
        ("3", "A206", "3", ""),
        ("class", "A207", "class", "`class_`"),
        ("true", "A207", "true", ""),
        ("q.k", "A207", ".", "right of the colon"),
        ("q, k, q", "A207", "q", "own"),
        ("wörd", "A201", "wörd", ""),
    ],
    "shape": [
        ("", "A205", "", ""),
        ("float", "A216", "float", "`float[B, C, H, W]`"),
        ("B, C", "A216", ",", "[B, C, H, W]"),
        ("3", "A216", "3", "[B, C, H, W]"),
        ("[B, *S]", "A216", "*", "`...`"),
        ("[..., C, ...]", "A216", "...", "one"),
        ("[B, 'C']", "A216", "'C'", "whole shape"),
        ("[B C]", "A206", "C", ""),
        ("[B, C] D", "A206", "D", ""),
    ],
    "repeat": [
        ("n as", "A205", "as", ""),
        ("n i", "A206", "i", "`as`"),
        ("n as 3", "A206", "3", ""),
        ("n as if", "A207", "if", "`if_`"),
        ("n as i, i", "A217", "i", "own"),
        ("n for i in x", "A217", "for", "`n as i`"),
    ],
    "type": [
        ("integer", "A215", "integer", "`int`"),
        ("Int", "A215", "Int", "`int`"),
        ("down", "A215", "down", "`one | two`"),
        ("int[3]", "A215", "3", "`(int, int)`"),
        ("int | none", "A215", "int", "`?`"),
        ("none | null", "A215", "null", "`?`"),
        ("a | a", "A215", "a", "remove"),
        ("'a' | b", "A215", "'a'", "`a`"),
        ("a | 'b'", "A215", "'b'", "`b`"),
        ("a | b[]", "A215", "a | b", "`(a | b)[]`"),
        ("int??", "A215", "?", "remove"),
        ("in | out", "A207", "in", "`in_`"),
    ],
    "param": [
        ("32", "A215", "32", "`int = 32`"),
        ("0.5", "A215", "0.5", "`float = 0.5`"),
        ("'a'", "A215", "'a'", "`str = 'a'`"),
        ("true", "A215", "true", "`bool = true`"),
        ("int =", "A205", "=", ""),
        ("int 3", "A206", "3", "default"),
    ],
}

CASES = [("expression", *case) for case in EXPRESSIONS] + [("line", *case) for case in LINES]
CASES += [(rule, *case) for rule, cases in OTHERS.items() for case in cases]


@pytest.mark.parametrize("rule, text, code, words, help", CASES)
def test_mistakes(mistake, rule, text, code, words, help):
    found = mistake(text, rule)
    assert (found.code, found.words) == (code, words)
    assert help in found.help


def test_the_last_of_equal_words_is_blamed(mistake):
    assert mistake("f(a=1, b=2, a=3)").start == 12
    assert mistake("a | b | a", "type").start == 8


DEEP = {
    "brackets": "(" * 200 + "a" + ")" * 200,
    "lists": "[" * 2000 + "]" * 2000,
    "calls": "f(" * 1500 + ")" * 1500,
    "signs": "-" * 4000 + "a",
    "nots": "not " * 2000 + "a",
    "sum": "+".join("a" * 2000),
    "powers": "**".join("a" * 2000),
    "indices": "a" + "[0]" * 1500,
    "conditionals": "a if b else " * 800 + "c",
    "clauses": "[a " + "for a in b " * 800 + "]",
    "everything": "(a or b and c < d + e * -f ** " * 300 + "a" + ")" * 300,
}


@pytest.mark.parametrize("kind", DEEP)
def test_depth_is_bounded(mistake, kind):
    found = mistake(DEEP[kind])
    assert found.code == "A214" and str(DEPTH) in found.message


DEEP_OTHERS = [
    ("line", "x if c else " * 800 + "y"),
    ("line", "(x + " * 600 + "y" + " -> f)" * 600),
    ("line", "x" + ".a" * 3000),
    ("type", "(" * 1000 + "int" + ")" * 1000),
    ("type", "int" + "[]" * 2000),
]


@pytest.mark.parametrize("rule, text", DEEP_OTHERS)
def test_depth_of_the_others_is_bounded(mistake, rule, text):
    assert mistake(text, rule).code == "A214"


def test_a_scalar_in_quotes_is_blamed_at_its_words():
    text = 'x: "a \\u002b \\"b\\" + é"'
    source = Source("t.yaml", text)
    report = Report()
    scalar = Scalar(source, 3, len(text), 'a + "b" + é', "double")
    assert parse_expression(scalar, report) is None
    (diagnostic,) = report.diagnostics
    assert diagnostic.span.text == "é"
