"""What texts mean: the trees of expressions, calls, flow lines, shapes, types."""

import pytest

from archc.lang import printing
from archc.lang.syntax import (
    Binary,
    Call,
    Chain,
    Compare,
    Comprehension,
    Conditional,
    Dots,
    Index,
    Literal,
    Name,
    Port,
    Slice,
    Unary,
)
from archc.lang.types import Bool, Choice, Float, Int, List, Operator, Row, Str


def brackets(node) -> str:
    """A tree with all its brackets written out."""
    match node:
        case Name(id=id):
            return id
        case Literal():
            return printing.text(node)
        case Unary(op=op, operand=operand):
            return f"({op} {brackets(operand)})"
        case Binary(op=op, left=left, right=right):
            return f"({brackets(left)} {op} {brackets(right)})"
        case Compare(first=first, rest=rest):
            return f"({brackets(first)}{''.join(f' {op} {brackets(o)}' for op, o in rest)})"
        case Conditional(test=test, then=then, other=other):
            return f"({brackets(then)} if {brackets(test)} else {brackets(other)})"
    return printing.text(node)


@pytest.mark.parametrize(
    "text, meaning",
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a * b // c % d @ e", "((((a * b) // c) % d) @ e)"),
        ("-a ** b", "(- (a ** b))"),
        ("a ** -b", "(a ** (- b))"),
        ("a ** b ** c", "(a ** (b ** c))"),
        ("- - a", "(- (- a))"),
        ("+a * -b", "((+ a) * (- b))"),
        ("not a == b", "(not (a == b))"),
        ("not a and b or c", "(((not a) and b) or c)"),
        ("a < b <= c != d", "(a < b <= c != d)"),
        ("a not in b", "(a not in b)"),
        ("not a in b", "(not (a in b))"),
        ("(a < b) < c", "((a < b) < c)"),
        ("a + b < c * d", "((a + b) < (c * d))"),
    ],
)
def test_operators_bind_as_in_python(parse, text, meaning):
    flow = parse(text, "line").chain.arguments[0].value
    assert brackets(flow) == meaning
    if "@" not in text:
        assert brackets(parse(text)) == meaning


def test_conditional(parse):
    assert brackets(parse("a if b else c if d else e")) == "(a if b else (c if d else e))"
    assert brackets(parse("a or b if c or d else e")) == "((a or b) if (c or d) else e)"


def test_sequences(parse):
    assert parse("[]").items == () and not parse("[]").row
    assert parse("()").row
    assert isinstance(parse("(a)"), Name)
    assert parse("(a,)").row and len(parse("(a,)").items) == 1
    assert len(parse("[a, b,]").items) == 2


def test_comprehension(parse):
    found = parse("[a * b for a in rows if a if b for (b) in a]")
    assert isinstance(found, Comprehension)
    assert [(c.names, len(c.tests)) for c in found.clauses] == [(("a",), 2), (("b",), 0)]
    (clause,) = parse("[c for i, c in enumerate(ch) if i > 0]").clauses
    assert clause.names == ("i", "c")
    assert printing.text(clause.iterable) == "enumerate(ch)"
    assert [printing.text(t) for t in clause.tests] == ["i > 0"]


def test_a_sole_argument_may_be_a_comprehension_without_brackets(parse, bare):
    assert bare(parse("sum(c for c in ch)")) == bare(parse("sum([c for c in ch])"))


def test_calls(parse):
    found = parse("f(a, b=2 + 3, c=(1))")
    assert isinstance(found, Call)
    assert [(a.name, printing.text(a.value)) for a in found.arguments] == [
        (None, "a"),
        ("b", "2 + 3"),
        ("c", "1"),
    ]
    assert found.arguments[1].span.text == "b=2 + 3"


def test_index(parse):
    found = parse("x[0, 1:, ..., ::2, :n]", "line").chain.arguments[0].value
    assert isinstance(found, Index)
    zero, tail, dots, stepped, head = found.items
    assert isinstance(zero, Literal) and isinstance(dots, Dots)
    assert isinstance(tail, Slice) and tail.stop is None and tail.start.value == 1
    assert stepped.start is None and stepped.step.value == 2
    assert head.start is None and head.stop.id == "n"


def test_spans_cover_the_words(parse):
    found = parse("  (a + b) * f(c, d=e[0]) ")
    assert found.span.text == "(a + b) * f(c, d=e[0])"
    assert found.left.span.text == "a + b"
    assert found.right.span.text == "f(c, d=e[0])"
    assert found.right.name.span.text == "f"


def test_layers_of_torch(parse):
    assert parse("nn.Conv2d(3, 8)", "call").name.id == "nn.Conv2d"
    line = parse("x -> nn.GELU -> nn.Dropout(0.1)", "line")
    assert [s.name.id for s in line.chain.steps] == ["nn.GELU", "nn.Dropout"]
    assert isinstance(parse("nn.out", "line").chain.arguments[0].value, Port)


# Calls of nodes


def test_a_bare_name_is_a_call_without_arguments(parse):
    found = parse("swish", "call")
    assert (found.name.id, found.arguments) == ("swish", ())


# Flow


def shown(line) -> str:
    return printing.text(line)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "x -> norm1 -> swish -> conv1",
        "h + t -> norm2",
        "q, k, v -> sdpa(causal=true)",
        "x, mask=m -> attn(bias=b)",
        "x + (x -> norm -> attn)",
        "(q, k=k -> attn) + x",
        "arange(T)",
        "bundle(a, b)",
        "each(reversed(bundle(h0, skips))), emb",
        "x[:, 0] -> head",
        "x[..., :n]",
        "layer.all",
        "down.skips -> up",
        "a or b",
        "x @ y.port * -z",
        "(x -> f).port + (x -> f)[0]",
        'x -> rearrange("b c h w -> b (h w) c")',
        "x if c",
        "x if c else y",
        "x -> a if p else y -> b if not q else z",
        "x -> a if (p if q else r) else y",
        "table[i]",
        "x -> f()",
        "x -> f([a for a in d if e])",
    ],
)
def test_lines(parse, text):
    assert shown(parse(text, "line")) == text


def test_the_if_of_a_line_is_its_condition(parse):
    line = parse("a + b -> f if c and d else e, g -> h", "line")
    assert printing.text(line.condition) == "c and d"
    assert [s.name.id for s in line.chain.steps] == ["f"]
    assert line.otherwise.condition is None and len(line.otherwise.chain.arguments) == 2
    assert line.otherwise.otherwise is None


def test_a_chain_in_brackets_is_an_operand(parse):
    value = parse("x + (x, m=y -> norm -> attn)", "line").chain.arguments[0].value
    assert isinstance(value, Binary) and isinstance(value.right, Chain)
    assert [a.name for a in value.right.arguments] == [None, "m"]
    assert value.right.span.text == "(x, m=y -> norm -> attn)"


def test_a_step_knows_whether_it_is_called(parse):
    line = parse("x -> f -> g()", "line")
    assert [s.called for s in line.chain.steps] == [False, True]


def test_the_fast_way_gives_the_same_tree(parse, bare):
    fast, slow = parse("  x1 ->norm->  conv_2 ", "line"), parse("(x1) -> norm -> conv_2", "line")
    assert bare(fast) == bare(slow)
    assert fast.chain.span.text == "x1 ->norm->  conv_2"
    assert bare(parse("x", "line")) == bare(parse("(x)", "line"))
    # a line with a word of the language goes the slow way
    assert parse("true", "line").chain.arguments[0].value.value is True


def test_names(parse):
    assert [n.id for n in parse("q, k,v", "names")] == ["q", "k", "v"]
    assert [n.span.text for n in parse("q, k,v", "names")] == ["q", "k", "v"]


# Shapes, repeats, types


@pytest.mark.parametrize(
    "text, dtype, items, optional",
    [
        ("[B, C, H, W]", None, ["B", "C", "H", "W"], False),
        ("int64[B, T]", "int64", ["B", "T"], False),
        ("float[B, D]?", "float", ["B", "D"], True),
        ("[B, ..., C // 2]", None, ["B", "...", "C // 2"], False),
        ("[]", None, [], False),
        ("[B, max(a, b), c if d else e]", None, ["B", "max(a, b)", "c if d else e"], False),
    ],
)
def test_shapes(parse, text, dtype, items, optional):
    found = parse(text, "shape")
    assert (found[0], [printing.text(i) for i in found[1]], found[2]) == (dtype, items, optional)


@pytest.mark.parametrize(
    "text, count, names",
    [
        ("4", "4", ()),
        ("n as i", "n", ("i",)),
        ("rows as i, row", "rows", ("i", "row")),
        ("zip(ch, [1, 2]) as i, a, b", "zip(ch, [1, 2])", ("i", "a", "b")),
    ],
)
def test_repeats(parse, text, count, names):
    found = parse(text, "repeat")
    assert (printing.text(found[0]), found[1]) == (count, names)


TYPES = {
    "int": Int(),
    "float": Float(),
    "bool": Bool(),
    "str": Str(),
    "op": Operator(),
    "int?": Int(optional=True),
    "int[]": List(Int()),
    "int?[]?": List(Int(optional=True), optional=True),
    "int[][]": List(List(Int())),
    "none | down | up": Choice(("none", "down", "up")),
    "none | down?": Choice(("none", "down"), optional=True),
    "(none | down)[]": List(Choice(("none", "down"))),
    "(int, op, bool)": Row((Int(), Operator(), Bool())),
    "(int, op)[]?": List(Row((Int(), Operator())), optional=True),
    "(int,)": Row((Int(),)),
    "(a | b, int)": Row((Choice(("a", "b")), Int())),
}


@pytest.mark.parametrize("text", TYPES)
def test_types(parse, text):
    found = parse(text, "type")
    assert found == TYPES[text]
    assert str(found) == text


def test_brackets_around_a_type_mean_nothing(parse):
    assert parse("(int)", "type") == Int()


def test_the_words_of_a_type(parse):
    assert parse("(a | b, (c | d)[])", "type").words == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    "text, type, default",
    [
        ("int", Int(), None),
        ("int = C // 2", Int(), "C // 2"),
        ("none | down = down", Choice(("none", "down")), "down"),
        ("op = ResnetBlock(dropout=dropout)", Operator(), "ResnetBlock(dropout=dropout)"),
        ("int[] = [1, 2]", List(Int()), "[1, 2]"),
        ("int? = null", Int(optional=True), "null"),
    ],
)
def test_params(parse, text, type, default):
    found, value = parse(text, "param")
    assert found == type
    assert (value and printing.text(value)) == default
