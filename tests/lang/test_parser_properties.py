"""What holds for every text: printing is the inverse of parsing, and nothing makes the parser fail."""

import ast

from hypothesis import given
from hypothesis import strategies as st

from archc.lang import printing
from archc.lang.parser import (
    SpanPlace,
    parse_call,
    parse_expression,
    parse_line,
    parse_names,
    parse_param,
    parse_repeat,
    parse_shape,
    parse_type,
)
from archc.source.diagnostic import Report
from archc.source.text import Source, Span

NAMES = st.sampled_from(["a", "b", "c_out", "x1", "H"])
SPACE = st.sampled_from(["", " ", "  ", "\n"])


def spaced(*parts):
    """Parts with any space between them."""
    pairs = []
    for part in parts:
        pairs += [st.just(part) if isinstance(part, str) else part, SPACE]
    return st.tuples(*pairs).map("".join)


def words(op):
    return f" {op} " if op.isalpha() or " " in op else op


ATOMS = st.one_of(
    NAMES,
    st.integers(0, 10**20).map(str),
    st.floats(0, 1e300).map(repr),
    st.sampled_from(["true", "null", "False", "'it'", '"a\\nb\\\\"', ".5", "1e-6", "0x1f", "[]", "()"]),
)
ARITHMETIC = ["+", "-", "*", "/", "//", "%", "**"]
OPERATORS = [*ARITHMETIC, "==", "!=", "<", "<=", ">", ">=", "and", "or", "in", "not in"]


def expressions(flow: bool):
    def more(inner):
        wide = inner if flow else inner | spaced(inner, " if ", inner, " else ", inner)
        items = st.lists(wide, min_size=1, max_size=3).map(", ".join)
        bounds = st.tuples(*[inner | st.just("")] * 2).map(":".join)
        index = st.lists(inner | bounds | st.just("..."), min_size=1, max_size=2).map(", ".join)
        options = [
            spaced("(", wide, ")"),
            spaced("[", items, "]"),
            spaced("(", items, ",)"),
            st.tuples(inner, st.sampled_from([*OPERATORS, *["@"] * flow]).map(words), inner).map("".join),
            spaced(st.sampled_from(["-", "+", "not "]), inner),
            spaced(NAMES, "(", items, ", k=", wide, ")"),
            st.tuples(inner.map("({})".format), index.map("[{}]".format)).map("".join),
            spaced("[", inner, " for ", NAMES, ", i in ", inner, " if ", inner, "]"),
            spaced("max(", inner, " for ", NAMES, " in ", inner, ")"),
        ]
        if flow:
            options += [
                inner.map("({}).port".format),
                spaced("(", items, ", m=", inner, "->", NAMES, "->", NAMES, "(", items, "))"),
            ]
        return st.one_of(options)

    return st.recursive(ATOMS, more, max_leaves=8)


EXPRESSIONS = expressions(flow=False)
OPERANDS = expressions(flow=True)
CHAINS = st.tuples(OPERANDS, OPERANDS, NAMES, NAMES).map(lambda p: f"{p[0]}, q={p[1]} -> {p[2]} -> {p[3]}()")
CONDITIONAL = st.tuples(CHAINS, EXPRESSIONS, CHAINS).map(lambda p: f"{p[0]} if ({p[1]}) else {p[2]}")
LINES = CHAINS | CONDITIONAL | CHAINS.map("x if y else {} if z".format)


def read(rule, text):
    report = Report()
    return rule(SpanPlace(Span(Source("t", text), 0, len(text))), report), report


def parse_any_line(place, report):
    return parse_line((), place, report)


@given(EXPRESSIONS)
def test_what_is_printed_parses_to_the_same_expression(bare, text):
    tree, report = read(parse_expression, text)
    if tree is None:  # operators that do not go together, such as `a == not b`
        assert len(report.diagnostics) == 1
        return
    again, report = read(parse_expression, printing.text(tree))
    assert report.ok and bare(again) == bare(tree)
    assert printing.text(again) == printing.text(tree)


@given(LINES)
def test_what_is_printed_parses_to_the_same_line(bare, text):
    tree, report = read(parse_any_line, text)
    if tree is None:
        assert len(report.diagnostics) == 1
        return
    again, report = read(parse_any_line, printing.text(tree))
    assert report.ok and bare(again) == bare(tree)


@given(EXPRESSIONS)
def test_python_reads_the_same(text):
    """Our grammar takes what Python's takes, and brackets it in the same way."""
    tree, _ = read(parse_expression, text)
    python = text.replace("true", "True").replace("null", "None")
    try:
        wanted = ast.dump(ast.parse(f"({python})", mode="eval"))
    except SyntaxError:
        wanted = None
    assert (tree is None) is (wanted is None)
    if tree is None:
        return
    printed = printing.text(tree).replace("true", "True").replace("false", "False").replace("null", "None")
    # a sole argument that is a comprehension is printed as a list
    assert ast.dump(ast.parse(printed, mode="eval")) == wanted.replace("GeneratorExp", "ListComp")


WORDS = "a b 3 .5 'x' if else for in not and or lambda is as true int op nn.X é"
SIGNS = '-> ( ) [ ] , = == . ... : + - ** * / ? | & ! { } # $ \\ "'
SOUP = st.lists(st.sampled_from([*WORDS.split(), *SIGNS.split(), "\n"]), max_size=14).map(" ".join)
RULES = [
    parse_expression,
    parse_call,
    parse_any_line,
    parse_names,
    parse_shape,
    parse_type,
    parse_param,
    parse_repeat,
]


@given(SOUP | st.text(max_size=30) | SOUP.map(lambda t: t.replace(" ", "")))
def test_every_text_is_read_or_has_one_mistake_in_it(text):
    for rule in RULES:
        found, report = read(rule, text)
        failed = found is None or found == (None, None)
        assert failed is not report.ok
        assert len(report.diagnostics) == failed
        for diagnostic in report.diagnostics:
            assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)


@given(st.text())
def test_every_string_can_be_written(text):
    tree, report = read(parse_expression, printing.literal(text))
    if "\ud800" <= max(text, default="") <= "\udfff":
        return
    assert report.ok and tree.value == text


@given(st.floats(allow_nan=False, min_value=0) | st.integers(0, 2**4000))
def test_every_number_can_be_written(number):
    tree, report = read(parse_expression, printing.literal(number))
    assert report.ok and tree.value == number and type(tree.value) is type(number)
