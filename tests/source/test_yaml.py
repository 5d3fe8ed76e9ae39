"""The tree of a text: its places, and every mistake that YAML has or refuses."""

import sys

import pytest
import yaml as pyyaml

from archc.source.diagnostic import Diagnostic, Report
from archc.source.quoting import mangled
from archc.source.text import Source
from archc.source.tree import Mapping, Node, Scalar, Sequence
from archc.source.yaml import parse


def tree(text: str) -> Node:
    report = Report()
    node = parse(Source("spec.yaml", text), report)
    assert report.diagnostics == () and node is not None
    return node


def mistakes(text: str) -> tuple[Diagnostic, ...]:
    report = Report()
    parse(Source("spec.yaml", text), report)
    for item in report.diagnostics:
        assert item.span is not None and item.help, "each mistake has its place and says what to write"
    return report.diagnostics


def only(text: str) -> Diagnostic:
    found = mistakes(text)
    assert len(found) == 1, found
    return found[0]


def walk(node: Node):
    yield node
    if isinstance(node, Mapping):
        for key, value in node:
            yield key
            yield from walk(value)
    elif isinstance(node, Sequence):
        for item in node:
            yield from walk(item)


def test_spans_of_a_spec() -> None:
    text = (
        "archc: 1\n"
        "blocks:\n"
        "  A:  # a block\n"
        "    let: {ch: '[c * 2 for c in n]'}\n"
        "    inputs:\n"
        "      x: [B, max(a, b), W]   # the image\n"
        "\n"
        "    flow:\n"
        "      - 'it''s': |\n"
        "          é😀\n"
        "      - last\n"
        "\n"
        "# end\n"
    )
    root = tree(text)
    assert isinstance(root, Mapping) and root.keys() == ["archc", "blocks"]
    block = root.get("blocks").get("A")
    assert block.span.text.startswith("let:") and block.span.text.endswith("- last")
    shape = block.get("inputs").get("x")
    assert isinstance(shape, Sequence) and shape.flow
    assert shape.span.text == "[B, max(a, b), W]" and str(shape.span) == "spec.yaml:6:10"
    let = block.get("let")
    assert let.flow and let.span.text == "{ch: '[c * 2 for c in n]'}"
    flow = block.get("flow")
    assert not flow.flow and flow.span.text.startswith("- 'it''s'")
    assert [key.text for key, _ in flow.items[0]] == ["it's"]
    assert flow.items[0].key("it's").span.text == "'it''s'"
    assert flow.items[0].get("it's").span.text == "|\n          é😀"
    assert flow.items[1].text == "last" and flow.items[1].span.line == 11


@pytest.mark.parametrize(
    "text",
    [
        "a: b",
        "é😀: [😀, 'é', x]\nb: 😀",
        "a:\n  - &x [1, 2]\n  - *x\n  - {k: &y v, l: *y}\n",
        "---\na: b\n...\n",
        "%YAML 1.2\n---\na: b\n",
        "a: &m\n  b: c\n  d:\n  -\n  - e\nf: *m\n",
        "a: [x: 1, y, {z: 2}]\n",
        "? a\n: b\n",
        "a: b\r\nc:\r\n  - d\r\n  - 'e\r\n    f'\r\n",
    ],
)
def test_children_lie_within_their_parents(text: str) -> None:
    for node in walk(tree(text)):
        assert 0 <= node.start <= node.end <= len(text)
        if isinstance(node, Scalar) and node.style == "plain":
            assert node.span.text == node.text
        if isinstance(node, Sequence) and node.flow:
            assert node.span.text[0] + node.span.text[-1] == "[]"


def test_an_alias_is_what_it_names() -> None:
    root = tree("a: &x [1]\nb: *x")
    assert root.get("b") is root.get("a")


def test_the_values_of_a_file() -> None:
    root = tree("a: 1e-6\nb: no\nc: 'yes'\nd: 0o17\ne:\nf: ~")
    assert [value.value for _, value in root] == [1e-6, "no", "yes", 15, None, None]
    assert root.get("e").empty and not root.get("f").empty
    assert "a" in root and root.get("nothing") is None and len(root) == 6


def test_comments_are_found() -> None:
    root = tree("a: b # one\nc: d\t#two  \ne: f\n# three\ng: # four")
    comments = [value.comment.text if value.comment else None for _, value in root]
    assert comments == ["# one", "#two", None, "# four"]


# One row a mistake: the text, the code, the very words, and what the help says.
MISTAKES = [
    # keys, anchors, tags, documents
    ("a: 1\nb: 2\na: 3", "A013", "a", "rename or remove"),
    ("{a: 1, a: 2}", "A013", "a", "rename or remove"),
    ("'a': 1\na: 2", "A013", "a", "rename or remove"),
    ("a: &b {c: 1}\nd:\n  <<: *b", "A016", "<<", "write out the keys"),
    ("a: !x y", "A015", "!x", "leave the tag out"),
    (
        "a: !!python/object/apply:os.system [ls]",
        "A015",
        "!!python/object/apply:os.system",
        "leave the tag out",
    ),
    ("a: &b !!str c", "A015", "!!str", "leave the tag out"),
    ("!!map {a: b}", "A015", "!!map", "leave the tag out"),
    ("? [a]\n: b", "A014", "[a]", 'quotes: "[a]"'),
    ("{a: b}: c", "A014", "{a: b}", 'quotes: "{a: b}"'),
    (": b", "A014", ": b", "name: value"),
    ("a: *b", "A017", "*b", 'quote it where a text is meant: "*b"'),
    ("a: &b [*b]", "A017", "*b", "write out"),
    ("a: b\n---\nc: d", "A011", "---", "one spec in a file"),
    ("", "A010", "", "archc new"),
    ("# only a comment\n", "A010", "", "archc new"),
    ("---\n", "A010", "", "archc new"),
    # what needs quotes
    ("a: x[0: 3]", "A021", "x[0: 3]", '"x[0: 3]"'),
    ("- C > 0: too few: give more # note", "A021", "too few: give more", '"too few: give more"'),
    ("f:\n  q, k: x -> split(a: 3)", "A021", "x -> split(a: 3)", '"x -> split(a: 3)"'),
    ("a: {b: c: d}", "A021", "c: d", '"c: d"'),
    ('a: {b: "c":d}', "A021", '"c":d', "'\"c\":d'"),
    ("inputs: {ids: int64[B, T], m: x}", "A022", "int64[B, T]", '"int64[B, T]"'),
    ("inputs: {ids: int64[B, T]?}", "A022", "int64[B, T]?", '"int64[B, T]?"'),
    ("a: {b: x[0:3]}", "A022", "x[0:3]", '"x[0:3]"'),
    ("a: [b, c[0], d]", "A022", "c[0]", '"c[0]"'),
    ("n: {call: conv2d(c, [3, 3]), when: x}", "A022", "conv2d(c, [3, 3])", '"conv2d(c, [3, 3])"'),
    ("f: [a, b] + c", "A023", "[a, b] + c", '"[a, b] + c"'),
    ("f: [a, b] -> concat # both", "A023", "[a, b] -> concat", '"[a, b] -> concat"'),
    ("f: *p -> x", "A023", "*p -> x", '"*p -> x"'),
    ("f: * p", "A023", "* p", '"* p"'),
    ("f: 'b' + c", "A023", "'b' + c", "\"'b' + c\""),
    ('f: "b" + c', "A023", '"b" + c', "'\"b\" + c'"),
    ("f: - x", "A023", "- x", '"- x"'),
    ("f: >= 3", "A023", ">= 3", '">= 3"'),
    ("f: |x|", "A023", "|x|", '"|x|"'),
    ("f: @x", "A023", "@x", '"@x"'),
    ("f: {a: @x, b: 1}", "A023", "@x", '"@x"'),
    ("f: `x`", "A023", "`x`", '"`x`"'),
    ("f: %x", "A023", "%x", '"%x"'),
    ("f: ? x", "A023", "? x", '"? x"'),
    ("n: {call: conv2d(c, 3), when: x}", "A024", "conv2d(c, 3)", '"conv2d(c, 3)"'),
    ("n: {call: conv2d(c, 3, 3, 3)}", "A024", "conv2d(c, 3, 3, 3)", '"conv2d(c, 3, 3, 3)"'),
    ("n: {call: f(a, [1, 2], k=3), when: x}", "A024", "f(a, [1, 2], k=3)", '"f(a, [1, 2], k=3)"'),
    ("n: {when: a in (1, 2)}", "A024", "a in (1, 2)", '"a in (1, 2)"'),
    # brackets, quotes, escapes, lines
    ("a: [b, c", "A026", "[", "close it with `]`"),
    ("a: {b: c\nd: e\nf: g", "A026", "{", "close it with `}`"),
    ("a: {b: [c}", "A026", "[", "close it with `]`"),
    ("a: 'b\nc: d", "A026", "'", "close it"),
    ('a: "b\nc: "d"\ne: f', "A026", '"', "close it"),
    (r'a: "C:\models"', "A029", r"\m", "backslash"),
    (r'a: "\x4"', "A029", r"\x4", "backslash"),
    ("a:\n  b: 1\n c: 2", "A027", "c: 2", "indentation"),
    ("a: b\n  c: d", "A027", "c: d", "indentation"),
    ("  a: b\nc: d", "A027", "c: d", "indentation"),
    ("a:\n\tb: 1", "A028", "\t", "spaces"),
    ("a: 'it's'", "A023", "'it's'", '"it\'s"'),
    ("%YAML 3.0\n---\na: b", "A020", "%YAML 3.0", "remove this line"),
    ("- a\n-b", "A020", "-b", "space after the `-`"),
    ("a:\n  b: c\n  - d", "A027", "- d", "below the key"),
    ("a: b # c\n  d", "A027", "d", "comment on a line of its own"),
    ("a: {b: c\n  d: e}", "A020", "d: e}", "comma"),
    ("a: }", "A020", "}", "remove it"),
    ("[a, , b]", "A020", ",", "remove the comma"),
    ("a: [b,", "A026", "[", "close it with `]`"),
    ("a: b\nx -> y\nc: d", "A020", "x -> y", "name: value"),
    ("a: b\nx:y\nc: d", "A020", "x:y", "`x: y`"),
    ("a: b\nx = y + 1\nc: d", "A020", "x = y + 1", "`x: y + 1`"),
]


@pytest.mark.parametrize(("text", "code", "words", "help"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_mistake(text: str, code: str, words: str, help: str) -> None:
    found = only(text)
    assert (found.code, found.span.text) == (code, words)
    assert help in found.help


@pytest.mark.parametrize(("text", "code", "words", "help"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_yaml_speaks_in_our_words(text: str, code: str, words: str, help: str) -> None:
    for theirs in ("mapping values", "did not find", "while ", "token", "scalar", "block mapping", "context"):
        assert theirs not in only(text).message + only(text).help


@pytest.mark.parametrize(("text", "code", "words", "help"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_without_libyaml_the_same(
    text: str, code: str, words: str, help: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["archc.source.yaml"], "_LOADER", pyyaml.Loader)
    test_mistake(text, code, words, help)


def test_the_first_of_two_keys_is_shown() -> None:
    (related,) = only("a: 1\nb: 2\na: 3").related
    assert str(related.span) == "spec.yaml:1:1"


def test_all_that_yaml_refuses_is_told_at_once() -> None:
    found = mistakes("a: b: c\nd: e[1: 2]\nf: {g: h[1]}\ni: 'j' k\nl: m\n")
    assert [(item.code, item.span.line) for item in found] == [
        ("A021", 1),
        ("A021", 2),
        ("A022", 3),
        ("A023", 4),
    ]


def test_a_torn_text_is_mended_in_the_tree() -> None:
    node = parse(Source("spec.yaml", "{call: conv2d(c, 3), when: x}"), Report())
    assert [(key.text, value.text) for key, value in node] == [("call", "conv2d(c, 3)"), ("when", "x")]


def test_no_text_of_a_spec_is_refused() -> None:
    """What the language's own examples write without quotes."""
    text = """
flow:
  t: time_emb -> time_act -> rearrange("b c -> b c 1 1")
  q, k, v: x -> qkv -> split(3)
  u: m -> up(each(reversed(bundle(h0, skips))), emb)      # a repeat; takes its share each
  y: x[:, 0] + x[..., :n]
  z: -x if a >= 1 and b != 2 else h: x -> y
ch: [c * 2 for c in ch]
shape: [B, max(a, b), W]
params: {res: op = ResnetBlock, groups: int = 32, maybe: int?}
choice: none | down | up
require:
  - C % groups == 0 and c_out % groups == 0: GroupNorm needs widths
"""
    found = mistakes(text)
    assert [(item.code, item.span.line) for item in found] == [("A021", 7)], (
        "only the line with a second colon"
    )


# What YAML drops or tears without a word: `mangled` for what the schema reads.
CUT = [
    ("link: #resblock", True, "#resblock", '"#resblock"'),
    ("color: #fff", False, "#fff", '"#fff"'),
    ("m: Use #heads > 0", True, "#heads > 0", '"Use #heads > 0"'),
    ("m: the number # of heads", True, "# of heads", '"the number # of heads"'),
    ("p: str = 'a # b'", False, "# b'", "\"str = 'a # b'\""),
    ("p: f(a # b)", False, "# b)", '"f(a # b)"'),
]


@pytest.mark.parametrize(("text", "prose", "words", "help"), CUT, ids=[row[0] for row in CUT])
def test_cut_short_by_a_comment(text: str, prose: bool, words: str, help: str) -> None:
    found = mangled(tree(text).entries[0][1], prose)
    assert found and (found.code, found.span.text) == ("A025", words) and help in found.help


@pytest.mark.parametrize(
    ("text", "prose"),
    [
        ("p: bool = false        # a 3x3 shortcut", False),
        ("p: relu # don't", False),
        ("m: a message  # a comment", True),
        ("m: a message   ## a comment", True),
        ("m: 'a # b'", True),
        ("m: a#b", True),
        ("m: # a comment", True),
        ("m: don't", True),
        ("m: |\n  a # b", True),
    ],
)
def test_not_cut_short(text: str, prose: bool) -> None:
    assert mangled(tree(text).entries[0][1], prose) is None


def test_sequence_torn_at_a_comma() -> None:
    found = mangled(tree("[a, f(b, c), d]"))
    assert found and (found.code, found.span.text) == ("A024", "f(b, c)")
    assert mangled(tree("[a, f(b), d]")) is None
    assert mangled(tree("- a(\n- b)")) is None


def test_a_bracket_in_prose_is_no_mistake() -> None:
    tree("{doc: see a) b), x: 1}")
    tree("{doc: don't, x: }")
