"""The static checks: each mistake is told once, at its words, with what to write."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.graph.static import check_block
from archc.lang.project import Project
from archc.ops.table import Operators
from archc.source.diagnostic import Diagnostic, Report
from archc.source.text import Source

PARTS = """
  Part:
    params: {width: int = 8, mode: none | down = none, act: op = relu}
    inputs: {x: [B, C], time: "[B, D]?"}
    nodes: {proj: linear(width)}
    flow: {out: x -> proj -> act, rest: out + time}
    outputs: [out, rest]
    presets: {small: {width: 4}}
  Plain:
    inputs: {x: [B, C], y: "[B, C]?"}
    flow: {out: x + y -> relu}
"""


def told(body: str) -> list[Diagnostic]:
    """What is said of a block `Net` with this body; inputs `x` and a flow are there unless given."""
    if "inputs:" not in body:
        body += "\ninputs: {x: [B, C]}"
    if "flow:" not in body:
        body += "\nflow: {out: x -> relu}"
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    report = Report()
    project = Project(Source("a.yaml", f"archc: 1\nblocks:{PARTS}  Net:\n{lines}\n"), report=report)
    for block in project.blocks:
        check_block(block, project, Operators(), report)
    return list(report.diagnostics)


def only(found: list[Diagnostic]) -> Diagnostic:
    assert len(found) == 1, [f"{d.code} {d.message}" for d in found]
    return found[0]


USE = "\nflow: {out: x -> n}"
BUNDLE = "inputs: {x: [B, C], s: bundle}\n"


@pytest.mark.parametrize(
    "body",
    [
        # names in expressions
        "params: {a: int = b, b: int = C + 1}\nlet: {c: a + b, d: c}\nnodes: {n: linear(d)}" + USE,
        "let: {a: C + 1}\nrequire: [a > B: no]",
        "params: {silu: op = silu}\nflow: {out: x -> silu}",
        'params: {rows: "(int, op)[]"}\nnodes:\n  n: {call: f(i), repeat: "rows as i, n, f", when: n > 0}'
        + USE,
        "let: {a: '[i * j for i in range(3) for j in range(i) if i > j]'}\nnodes: {n: 'linear(a[0])'}" + USE,
        "inputs: {x: [B, C], m: '[B]?'}\nnodes: {n: {call: relu, when: m}}" + USE,
        # words
        "params: {mode: up | down = down}\nnodes: {n: {call: relu, when: mode == up}}" + USE,
        "nodes: {n: Part(mode=down)}" + USE,
        'params: {res: op}\nnodes: {n: "res(8, mode=sideways)"}' + USE,
        "flow: {out: x -> cast(float16)}",
        'nodes: {n: "param([1, C], init=zeros)"}\nflow: {out: x + n}',
        'nodes: {n: "param([1, C], init=normal(0.02))"}\nflow: {out: x * n}',
        # operators and blocks as arguments
        "nodes: {n: 'Part(C, act=gelu)'}" + USE,
        'nodes: {n: "Part(act=gelu(approximate=true))"}' + USE,
        # flow
        "flow: {out: x + (x -> relu) * 2 -> tanh}",
        "flow: {h: x -> split(2), out: h -> relu}",
        "nodes: {p: Part}\nflow: {r: x -> p, out: r.rest + r}",
        "inputs: {x: [B, C], ids: 'int64[B]'}\nflow: {out: 'x[ids, :-1, ..., null]'}",
        "flow: {out: 'x + arange(C) / max(B, 2)'}",
        "flow: {out: x -> Plain(y=x)}",
        f"{BUNDLE}nodes: {{n: {{call: Plain, repeat: 3}}}}\nflow: {{out: x -> n(each(reversed(s)))}}",
        f"{BUNDLE}nodes: {{n: {{call: relu, parallel: 3}}}}\nflow: {{b: each(s) -> n, out: 'b, x -> add'}}",
        "nodes: {n: {call: linear(8), repeat: 3}}\nflow: {h: x -> n, out: n.all -> add}",
        "nodes: {n: linear(8)}\nflow: {h: x -> n, out: h @ n.weight + n.bias}",
        "inputs: {x: [B, C], m: '[B, C]?'}\nflow: {out: x + m -> relu if m else x}",
        "flow: {out: h -> relu, h: x -> tanh}\noutputs: [out]",
        # used, though no line uses it
        "inputs: {x: [B, C], shape: [H, W]}\nflow: {out: x + H}",
        "inputs: {x: [B, C], m: '[B]?'}\nrequire: [m: give it]",
        "flow: {a: x -> split(2), 'b, c': x -> split(2), out: a + b}",
        "inputs: {x: [B, C], y: [B, C]}\nflow: {out: x -> relu}\noutputs: {a: out, b: y}",
        # weights
        "nodes: {n: linear(8), m: linear(8)}\nflow: {out: x -> n -> m}\ntie: {n.weight: m.weight}",
        "nodes: {n: linear(8)}\ninit: [{op: [linear, conv2d], at: 'n.*', weight: normal(0.02)}]" + USE,
        "nodes: {n: {call: Part, preset: small}}" + USE,
        "params: {b: bool = true}\nnodes: {n: {choose: b, true: relu, false: tanh}}" + USE,
        "nodes: {n: {choose: C > 3, true: relu, else: tanh}}" + USE,
        "nodes: {n: nn.Tanhshrink}" + USE,
    ],
)
def test_what_is_right(body: str) -> None:
    assert not told(body), [f"{d.code} {d.message} {d.help}" for d in told(body)]


@pytest.mark.parametrize(
    ("body", "code", "at", "help"),
    [
        # expressions
        (
            "params: {width: int = 3}\nnodes: {n: linear(wdith)}" + USE,
            "A240",
            "wdith",
            "did you mean `width`?",
        ),
        ("let: {a: b, b: 3}\nnodes: {n: linear(a)}" + USE, "A240", "b", "move it up"),
        ("params: {a: int = b}\nlet: {b: 3}\nnodes: {n: linear(a)}" + USE, "A240", "b", None),
        ("let: {a: out}\nnodes: {n: linear(a)}" + USE, "A240", "out", "a value of the flow"),
        ("nodes: {n: linear(n)}" + USE, "A240", "n", "is a node"),
        ("nodes: {n: {call: relu, when: cond}}" + USE, "A240", "cond", "`B`"),
        ("nodes: {n: {call: relu, repeat: 3 as i, when: j > 0}}" + USE, "A240", "j", "`i`"),
        ("nodes: {n: {call: relu, repeat: i as i}}" + USE, "A240", "i", None),
        ("require: [relu > 3: no]", "A240", "relu", None),
        ("nodes: {n: linear(foo(3))}" + USE, "A250", "foo", "did you mean"),
        ("require: [linear(3) > 3: no]", "A242", "linear", "the functions are"),
        ("let: {a: bundle(3)}\nnodes: {n: linear(a)}" + USE, "A242", "bundle", "flow"),
        ("params: {a: int = a + 1}\nnodes: {n: linear(a)}" + USE, "A251", "a", "other params"),
        ("params: {a: int = b, b: int = a}\nnodes: {n: 'linear(a + b)'}" + USE, "A251", "a", "a number"),
        ("presets: {s: {C: D}}", "A240", "D", "`B`"),
        ("flow: {out: x -> relu if cond else x}", "A240", "cond", "`C`"),
        # words
        ("nodes: {n: Part(mode=dwon)}" + USE, "A240", "dwon", None),
        # calls
        ("nodes:\n  n: linear(8, bais=true)" + USE, "A244", "bais", "did you mean `bias`?"),
        ("nodes:\n  n: Part(8, widht=3)" + USE, "A244", "widht", "did you mean `width`?"),
        ("nodes: {n: Part(time=x)}" + USE, "A244", "time", "wire it in the flow"),
        ("nodes: {n: Part(D=3)}" + USE, "A244", "D", "comes from what is wired"),
        ('nodes: {n: "Part(act=gelu(approx=true))"}' + USE, "A244", "approx", "did you mean `approximate`?"),
        ("nodes:\n  n: linear(8, n=3)" + USE, "A246", "n=3", "drop one"),
        ("nodes:\n  n: Part(8, none, relu, 3)" + USE, "A247", "3", "Part(width=..., mode=..., act=...)"),
        ("nodes: {n: liner(8)}" + USE, "A250", "liner", "did you mean `linear`?"),
        ("nodes: {n: Prat}" + USE, "A250", "Prat", "did you mean `Part`?"),
        ("params: {f: int}\nnodes: {n: f(3)}" + USE, "A250", "f", "type int, not an `op`"),
        ("nodes: {n: {call: Part, preset: smal}}" + USE, "A256", "smal", "did you mean `small`?"),
        ("nodes: {n: {call: relu, preset: small}}" + USE, "A256", "small", "drop `preset`"),
        ("params: {b: bool}\nnodes: {n: {choose: b, yes: relu}}" + USE, "A257", "yes", "`true`, `false`"),
        ("nodes: {n: {choose: C > 3, 1: relu}}" + USE, "A257", "1", "`true`, `false`"),
        ("nodes: {n: {call: dropout(i), repeat: 3 as i, share: true}}" + USE, "A254", "i", "drop `share`"),
        # operands
        ("flow: {out: h + x -> relu}", "A240", "h", "`x`"),
        ("flow: {out: 'x[y] -> relu'}", "A240", "y", "`x`"),
        ("flow: {h: x -> relu, out: hh -> relu}", "A240", "hh", "did you mean `h`?"),
        ("nodes: {n: linear(8)}\nflow: {out: n + x}", "A240", "n", "`x -> n`"),
        ("nodes: {n: linear(8)}\nflow: {h: x -> n, out: n.out + h}", "A240", "n.out", "`h.out`"),
        ("flow: {out: y.rest + x}", "A240", "y", "`x`"),
        (
            "nodes: {n: linear(8)}\nflow: {h: x -> n, out: 'h + n.all[0]'}",
            "A241",
            "n.all",
            "`repeat` or `parallel`",
        ),
        ("flow: {out: x + relu(x)}", "A242", "relu", "`(x -> relu)`"),
        ("flow: {out: x + Plain(x)}", "A242", "Plain", "`(x -> Plain)`"),
        ("nodes: {n: relu}\nflow: {h: x -> n, out: h + n(x)}", "A242", "n", "`(x -> n)`"),
        ("flow: {out: x + foo(x)}", "A250", "foo", None),
        ("flow: {out: x + each(x)}", "A248", "each", "`x -> node(each(b))`"),
        ("nodes: {n: Plain}\nflow: {out: x -> n(each(x))}", "A248", "each", "`repeat` or `parallel`"),
        ("flow: {out: 'x, each(x) -> concat(1)'}", "A248", "each", "`repeat` or `parallel`"),
        # steps
        ("flow: {out: x -> rleu -> tanh}", "A250", "rleu", "did you mean `relu`?"),
        ("flow: {out: x -> xyzzy}", "A250", "xyzzy", "add `xyzzy: ...` to `nodes`"),
        ("flow: {out: x -> Xyzzy}", "A250", "Xyzzy", "bring it with `use`"),
        ("nodes: {n: xyzzy}" + USE, "A250", "xyzzy", "nn.Name(...)"),
        ("flow: {out: x -> x}", "A250", "x", "is a value"),
        ("flow: {out: x -> bundle}", "A242", "bundle", "operand: `bundle(...)`"),
        ("flow: {out: x -> arange(3)}", "A249", "arange", "operand: `arange(3)`"),
        ('nodes: {n: "param([1])"}\nflow: {out: x -> n}', "A249", "n", "operand: `x + n`"),
        (
            "flow: {out: 'x -> conv2d(8, 3) -> relu'}",
            "A243",
            "conv2d",
            "add `conv: conv2d(8, 3)` to `nodes`, and write `-> conv`",
        ),
        ("flow: {linear: x -> linear(8)}", "A243", "linear", "add `linear_1: linear(8)`"),
        (
            "flow: {out: 'x + param([1])'}",
            "A243",
            "param",
            "add `param: param([1])` to `nodes`, and write `param` here",
        ),
        ("flow: {out: x -> softmax(axes=1)}", "A244", "axes", "did you mean `axis`?"),
        ("flow: {out: 'x -> softmax(1, 2, 3, 4)'}", "A247", None, "softmax"),
        ("flow: {h: x -> relu, out: x -> Plain(h)}", "A244", "h", "`Plain(y=h)`"),
        # circles
        ("flow: {a: x + b, b: a -> relu, out: b -> relu}", "A245", "a", "other names"),
        ("flow: {out: x + out -> relu}", "A245", "out", "other names"),
        (
            "nodes: {n: {call: linear(8), repeat: 2}}\nflow: {a: 'n.all[0]', out: a + x -> n}",
            "A245",
            "a",
            "`repeat`",
        ),
        # weights
        (
            "nodes: {n: linear(8), m: linear(8)}\nflow: {out: x -> n -> m}\ntie: {n.weight: mm.weight}",
            "A252",
            "mm.weight",
            "did you mean `m`?",
        ),
        (
            "nodes: {n: linear(8)}\ninit: [{op: [linear, con2d], weight: zeros}]" + USE,
            "A253",
            "con2d",
            "did you mean `conv2d`?",
        ),
        # warnings
        ("nodes: {n: linear(8)}", "A901", "n", "`... -> n`"),
        ('nodes: {n: "param([1])"}', "A901", "n", "`x + n`"),
        ("flow: {a: x -> relu, out: x -> tanh}", "A902", "a", "name it in `outputs`"),
        ("inputs: {x: [B, C], y: [B, C]}", "A902", "y", "wire it"),
    ],
)
def test_a_mistake_is_told_once_at_its_place(body: str, code: str, at: str | None, help: str | None) -> None:
    error = only(told(body))
    assert error.code == code
    if at is not None:
        assert error.span.text == at
    if help is not None:
        assert error.help is not None and help in error.help


def test_an_undefined_name_is_told_once_however_often_it_stands() -> None:
    error = only(told("flow: {a: y -> relu, b: y + y -> tanh, out: a + b + y}"))
    assert error.code == "A240" and error.span.line == 14 and error.span.column == 15
    error = only(told("nodes: {n: linear(w), m: linear(w)}\nflow: {out: x -> n -> m}"))
    assert error.span.text == "w"


def test_what_could_not_be_read_is_not_missed() -> None:
    found = told(
        "params: {w: integer}\nnodes: {n: linear(w), m: {call: 3}}\nflow: {h: x ->, out: h -> n -> m}"
    )
    assert sorted(d.code for d in found) == ["A205", "A215", "A219"]
    found = told("params: [w]\nnodes: {n: linear(w)}\nflow: {out: x -> n}")
    assert [d.code for d in found] == ["A103"]


def test_a_circle_is_shown_the_way_values_go() -> None:
    error = only(told("flow: {c: b -> relu, a: c + x, b: a -> tanh, out: a}"))
    assert error.message == "values need each other: c -> a -> b -> c"
    assert [(r.span.text, r.message) for r in error.related] == [
        ("a", "`a` needs `c`"),
        ("b", "`b` needs `a`"),
    ]


def test_each_circle_is_told_once() -> None:
    found = told("flow: {a: b, b: a, c: d + a, d: c, e: a + c, out: e + x}")
    assert [(d.code, d.span.text) for d in found] == [("A245", "a"), ("A245", "c")]


def test_what_hangs_on_an_unused_value_is_told_with_it() -> None:
    nodes = "nodes: {n: linear(8), m: linear(8)}\n"
    warning = only(told(nodes + "flow: {a: x -> n, b: a -> m, 'c, d': b -> split(2), out: x -> relu}"))
    assert warning.message == "values `c` and `d` never reach an output"
    assert "nor do values `a`, `b` and nodes `n`, `m`" in warning.help
    assert warning.severity == "warning"


def test_all_branches_count() -> None:
    body = (
        "params: {b: bool = true}\nnodes: {n: linear(8), m: linear(8)}\nflow: {out: x -> n if b else x -> m}"
    )
    assert not told(body)


def test_there_are_no_warnings_where_something_is_wrong() -> None:
    found = told("nodes: {n: linear(8)}\nflow: {a: x -> relu, out: x -> tnh}")
    assert [d.code for d in found] == ["A250"]


@pytest.mark.parametrize(
    ("word", "needs_quotes"),
    [("down", True), ("up", False), ("out", True), ('"down"', False), ('"out"', False)],
)
def test_a_word_that_is_a_name_needs_quotes(word: str, needs_quotes: bool) -> None:
    params = "params: {down: bool = true, mode: up | down | out = up}\nrequire: [down: yes]\n"
    found = told(f"{params}nodes:\n  n: {{call: relu, when: 'mode == {word}'}}{USE}")
    assert [(d.code, d.help) for d in found] == ([("A255", f'write `"{word}"`')] if needs_quotes else [])


@pytest.mark.parametrize("quote", ['"', "'"])
def test_the_quotes_around_a_word_may_be_yaml_s(quote: str) -> None:
    params = f"params: {{mode: {{type: up | out, default: {quote}out{quote}}}}}\n"
    (found,) = told(f"{params}nodes: {{n: {{call: relu, when: mode == up}}}}{USE}")
    assert (found.code, found.help) == (
        "A255", "write `'\"out\"'`: YAML takes one pair of quotes for itself",
    )  # fmt: skip
    params = "params: {mode: {type: up | out, default: '\"out\"'}}\n"
    assert not told(f"{params}nodes: {{n: {{call: relu, when: mode == up}}}}{USE}")


def test_a_hundred_thousand_lines_take_about_a_second() -> None:
    lines = "\n".join(f"      v{i + 1}: v{i} + x -> relu" for i in range(100_000))
    text = f"archc: 1\nblocks:\n  Net:\n    inputs: {{x: [B, C]}}\n    flow:\n      v0: x\n{lines}\n"
    report = Report()
    project = Project(Source("a.yaml", text), report=report)
    start = time.process_time()
    check_block(project.entry.blocks["Net"], project, Operators(), report)
    assert time.process_time() - start < 4
    assert not report.diagnostics


@pytest.mark.parametrize(
    "line",
    ["v{j}: v{i} + y{i}", "v{j}: v{i} -> rel{i}", "v{j}: v{i} + v{k} -> relu", "v{j}: v{i} -> relu(a{i}=3)"],
)
def test_many_mistakes_do_not_take_for_ever(line: str) -> None:
    count = 5_000
    lines = "\n".join("      " + line.format(i=i, j=i + 1, k=(i + 2) % count) for i in range(count))
    text = f"archc: 1\nblocks:\n  Net:\n    inputs: {{x: [B, C]}}\n    flow:\n      v0: x\n{lines}\n"
    report = Report()
    project = Project(Source("a.yaml", text), report=report)
    start = time.process_time()
    check_block(project.entry.blocks["Net"], project, Operators(), report)
    assert not report.ok
    assert time.process_time() - start < 20


WHOLE = """
params: {ch: int = 2, mode: none | down = down, act: op = silu}
let: {w: ch * 2}
inputs: {x: [B, C], s: bundle, m: "[B, C]?"}
nodes:
  a: {call: linear(w), repeat: ch as i, when: i > 0}
  b: {choose: mode, none: linear(3), down: linear(4)}
  p: param([1, w], init=normal(0.02))
  c: {call: Part, with: {width: 3}}
flow:
  h: x -> a(each(s)) -> b
  g: h + p -> act if m else x -> b
  o: bundle(g, a.all[0]) -> add
  out: (o -> silu) * g[:, 0, ...] -> c
outputs: [out]
presets: {big: {ch: 3}}
"""
BITS = [
    "x",
    "h",
    "->",
    "relu",
    "(",
    ")",
    ",",
    "=",
    ".all",
    "each(",
    "Part",
    "[0]",
    "i",
    "3",
    '"',
    "if m",
    "+",
    "nn.X",
]


@settings(max_examples=settings().max_examples // 5)
@given(st.integers(0, 2**32), st.integers(1, 3))
def test_no_text_makes_it_fail(seed: int, edits: int) -> None:
    rng = random.Random(seed)
    text = WHOLE
    for _ in range(edits):
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(BITS) + text[at + rng.choice([0, 0, 1, 4]) :]
    for diagnostic in told(text):
        assert diagnostic.span is not None
