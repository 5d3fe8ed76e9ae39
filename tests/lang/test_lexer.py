"""Words, numbers, strings and places."""

import pytest

from archc.lang.lexer import LENGTH, SpanPlace, tokenize
from archc.lang.syntax import Literal
from archc.source.text import Source, Span


def test_tokens_know_their_places():
    tokens = tokenize("x1 ->\tconv(3.5, 'a b')")
    assert [(t.kind, t.text) for t in tokens] == [
        ("name", "x1"),
        ("sign", "->"),
        ("name", "conv"),
        ("sign", "("),
        ("number", "3.5"),
        ("sign", ","),
        ("string", "'a b'"),
        ("sign", ")"),
        ("end", ""),
    ]
    assert [(t.start, t.end) for t in tokens[:3]] == [(0, 2), (3, 5), (6, 10)]


NUMBERS = [
    "0",
    "00",
    "7",
    "1_000",
    "0x1F",
    "0b101",
    "0o17",
    "1.5",
    ".5",
    "5.",
    "1e6",
    "1e-6",
    "1.5E+3",
    "0.0",
]


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_are_pythons(parse, text):
    found = parse(text)
    assert isinstance(found, Literal)
    expected = eval(text)
    assert found.value == expected and type(found.value) is type(expected)


def test_infinity_is_yamls(parse):
    assert parse(".inf").value == float("inf")
    assert parse(".nan").value != parse(".nan").value


@pytest.mark.parametrize(
    "word, value", [("true", True), ("True", True), ("false", False), ("null", None), ("None", None)]
)
def test_words_that_are_values(parse, word, value):
    assert parse(word).value is value


STRINGS = ["'a'", '"a"', r"'it\'s'", r'"\n\t\\ \x41 \u00e9 \U0001F600"', '"it\'s"', "''", "'a # b -> c'"]


@pytest.mark.parametrize("text", STRINGS)
def test_strings_are_pythons(parse, text):
    assert parse(text).value == eval(text)


def test_a_string_may_hold_any_letter(parse):
    assert parse('"größe → 猫"').value == "größe → 猫"


@pytest.mark.parametrize(
    "text, code, words, help",
    [
        ("a && b", "A201", "&&", "`and`"),
        ("a || b", "A201", "||", "`or`"),
        ("!a", "A201", "!", "`not`"),
        ("a ^ 2", "A201", "^", "`**`"),
        ("a ? b : c", "A201", "?", "`a if c else b`"),
        ("{1: 2}", "A201", "{", "list"),
        ("a := 3", "A201", ":=", "`let`"),
        ("a × b", "A201", "×", "`*`"),
        ("a ≤ b", "A201", "≤", "`<=`"),
        ("a → b", "A201", "→", "`->`"),
        ("“a”", "A201", "“", "plain quotes"),
        ("a += 1", "A201", "+=", "name of its own"),
        ("naïve + 1", "A201", "naïve", "a to z"),
        ("größe", "A201", "größe", "a to z"),
        ("x + ٣", "A201", "٣", "a to z"),
        ("a \x07 b", "A201", "\x07", "remove"),
        ("'abc", "A202", "'abc", "add a `'`"),
        ('f("a, b)', "A202", '"a, b)', 'add a `"`'),
        (r"'a\qb'", "A202", r"\q", r"`\\q`"),
        (r"'\ud800'", "A202", r"\ud800", "backslash"),
        (r"'\x4'", "A202", r"\x", "backslash"),
        ("3x + 1", "A203", "3x", "`3 * x`"),
        ("1.2.3", "A203", "1.2.3", "0.5"),
        ("0x", "A203", "0x", "0x10"),
        ("1__0", "A203", "1__0", ""),
        ("012", "A203", "012", "`12`"),
        ("1e999", "A203", "1e999", ".inf"),
        ("9" * 1300, "A203", "9" * 1300, ""),
        ("(a + b", "A204", "(", "add a `)`"),
        ("a)", "A204", ")", "remove"),
        ("[a)", "A204", ")", "write `]`"),
    ],
)
def test_mistakes(mistake, text, code, words, help):
    found = mistake(text)
    assert (found.code, found.words) == (code, words)
    assert help in found.help


def test_length_is_bounded(mistake):
    assert mistake("a" * (LENGTH + 1)).code == "A214"
    assert mistake("[" + "a," * (LENGTH // 2 - 1) + "]").code == "A214"


def test_comments_of_a_flow_sequence_are_spaces(parse):
    source = Source("t.yaml", 'x: [B, # the batch\n "#", C]')
    place = SpanPlace(Span(source, 3, len(source.text)))
    assert place.text == "[B, " + " " * len("# the batch") + '\n "#", C]'
    assert place.sub(1, 2).text == "B" and place.sub(1, 2).start == 4
