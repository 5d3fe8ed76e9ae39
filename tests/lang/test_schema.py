"""Files and blocks: what they may hold, and what is said of what they may not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.lang.load import load
from archc.lang.schema import Block, File
from archc.lang.syntax import Dots
from archc.source.diagnostic import Diagnostic, Report
from archc.source.text import Source

WHOLE = """
archc: 1
doc: All that a block may say.
main: Net
blocks:
  Part:
    inputs: {x: [B, C]}
    flow: {out: x -> relu}
  Net:
    doc: A net.
    link: https://example.org
    direction: LR
    params:
      ch: int[] = [1, 2]
      mode: none | down = down
      act: {type: op, default: silu, doc: The activation.}
    let: {w: "ch[0] * 2", v: w + 1}
    require:
      - w > 0: the width must be positive
    inputs:
      x: [B, ..., C]
      ids: int64[B, T]?
      skips: bundle
      caches: {bundle: w, shape: [B, 1], dtype: float16, optional: true, doc: From before.}
    nodes:
      a: {call: linear(w), repeat: "ch as i, row", when: i > 0, label: A, color: "#fff"}
      c:
        choose: mode
        none: linear(3)
        down: linear(4)
        else: linear(5)
      d: {call: linear(3), parallel: 3, share: true, with: {bias: false}}
      e: {call: Part, preset: small-1.5}
    flow:
      h, k: x -> a -> c
      out: h + k -> d -> e
    outputs:
      y: out
      z: {value: h, doc: Hidden.}
    groups: {one: h, two: {of: [d, e], label: Two, collapsed: true}}
    init:
      - {op: linear, weight: normal(0.02)}
      - {at: [a.*, c], weight: zeros, bias: zeros}
    tie:
      - {a: a.weight, b: c.weight, when: mode == down}
    presets: {small-1.5: {ch: [1]}, none: {}}
    checkpoints: {theirs: {a.*: b.*}}
"""


def read(text: str) -> tuple[File | None, tuple[Diagnostic, ...]]:
    report = Report()
    file = load(Source("a.yaml", text), report)
    return file, report.diagnostics


def read_block(body: str) -> tuple[Block | None, list[Diagnostic]]:
    """A block `Net` with this body, indented by nothing; `flow` and `x` are there unless given."""
    if "inputs:" not in body:
        body += "\ninputs: {x: [B, C]}"
    if "flow:" not in body:
        body += "\nflow: {out: x -> relu}"
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    file, told = read(f"archc: 1\nblocks:\n  Net:\n{lines}\n")
    return (file.blocks.get("Net") if file else None), list(told)


def only(told: list[Diagnostic] | tuple[Diagnostic, ...]) -> Diagnostic:
    assert len(told) == 1, [f"{d.code} {d.message}" for d in told]
    return told[0]


def test_a_whole_file() -> None:
    file, told = read(WHOLE)
    assert not told
    assert file is not None and file.entry is file.blocks["Net"]
    net = file.blocks["Net"]
    assert net.file is file and net.address == "a.yaml#Net" and net.direction == "LR"
    assert net.dims == ("B", "C", "T")
    assert str(net.params["mode"].type) == "none | down" and net.params["act"].doc == "The activation."
    assert [let.name for let in net.let.values()] == ["w", "v"]
    assert net.require[0].message == "the width must be positive"
    assert isinstance(net.inputs["x"].shape[1], Dots) and net.inputs["x"].dtype == "float"
    assert net.inputs["ids"].dtype == "int64" and net.inputs["ids"].optional
    assert net.inputs["skips"].bundle is True and net.inputs["skips"].shape is None
    caches = net.inputs["caches"]
    assert caches.bundle.id == "w" and caches.dtype == "float16" and caches.optional
    assert net.nodes["a"].repeat.names == ("i", "row") and net.nodes["a"].color == "#fff"
    assert list(net.nodes["c"].cases) == ["none", "down"] and net.nodes["c"].otherwise is not None
    assert [c.span.text for c in net.nodes["c"].calls] == ["linear(3)", "linear(4)", "linear(5)"]
    assert [a.name for a in net.nodes["d"].call.arguments] == [None, "bias"] and net.nodes["d"].share
    assert net.nodes["e"].preset == "small-1.5" and net.nodes["e"].preset_span.text == "small-1.5"
    assert [[n.id for n in line.names] for line in net.flow] == [["h", "k"], ["out"]]
    assert [(o.name, o.value, o.doc) for o in net.outputs] == [("y", "out", None), ("z", "h", "Hidden.")]
    assert net.groups["one"].of == ("h",) and net.groups["two"].collapsed
    assert net.init[0].ops == ("linear",) and net.init[1].at == ("a.*", "c")
    assert list(net.init[1].settings) == ["weight", "bias"]
    assert net.tie[0].a == "a.weight" and net.tie[0].b_span.text == "c.weight"
    assert net.presets["small-1.5"].values["ch"].span.text == "[1]" and not net.presets["none"].values
    assert net.checkpoints.get("theirs").keys() == ["a.*"]
    assert net.whole and not net.broken


def test_every_name_knows_its_place() -> None:
    file, _ = read(WHOLE)
    net = file.blocks["Net"]
    for parts in (net.params, net.let, net.inputs, net.nodes, net.groups, net.presets):
        for name, part in parts.items():
            assert part.name_span.text == name == part.name


def test_a_part_is_itself_only() -> None:
    file, _ = read(WHOLE)
    again, _ = read(WHOLE)
    assert file.blocks["Net"] != again.blocks["Net"]
    assert len({file.blocks["Net"], again.blocks["Net"], file.blocks["Net"]}) == 2


@pytest.mark.parametrize(
    ("body", "code", "at", "help"),
    [
        ("node: {a: relu}", "A101", "node", "did you mean `nodes`?"),
        ("colour: red", "A101", "colour", "may hold"),
        ("direction: XY", "A103", "XY", "direction: LR"),
        ("direction: 3", "A103", "3", "direction: LR"),
        ("params: [a]", "A103", "[a]", "params: {c_out: int = 64}"),
        ("params: {a: {default: 3}}", "A102", "a", "type: int"),
        ("params: {a: {typ: int}}", "A101", "typ", "did you mean `type`?"),
        ("params: {a: {type: int, default: }}", "A106", "", "default: 32"),
        ("params: {if: int}", "A104", "if", "if_"),
        ("params: {__a: int}", "A104", "__a", "write `a`"),
        ("params: {2x: int}", "A104", "2x", "does not start with a digit"),
        ("params: {größe: int}", "A104", "größe", "letters a to z"),
        ("nodes: {true: relu}", "A104", "true", "true_"),
        ("let: {w: {a: b}}", "A103", "{a: b}", "w: ch * 2"),
        ("require: C > 2", "A103", "C > 2", "C % groups == 0"),
        ("require: [C > 2]", "A103", "C > 2", "- C % groups == 0: "),
        ("inputs: {x: {dtype: int64}}", "A102", "x", "shape: [B, C]"),
        ('inputs: {x: "int6[B, C]"}', "A107", "int6", "did you mean `int64`?"),
        ("inputs: {x: {shape: [B], dtype: string}}", "A107", "string", "float16"),
        ('inputs: {x: {shape: "int64[B]", dtype: int64}}', "A109", "dtype", "drop one"),
        ("inputs: {x: {shape: [B], optional: maybe}}", "A103", "maybe", "optional: true"),
        ("inputs: {x: [b, C]}", "A110", "b", "`B`"),
        ("let: {w: 3}\ninputs: {x: [B, w]}", "A110", "w", "write its expression here"),
        ("params: {dim: int}\ninputs: {x: [B, dmi]}", "A110", "dmi", "did you mean `dim`?"),
        ("flow: [x -> relu]", "A103", "[x -> relu]", "flow: {out:"),
        ("flow: {out: [x]}", "A103", "[x]", "out: x -> conv"),
        ("flow: {}", "A102", "{}", "out: x -> conv"),
        ("outputs: [y]", "A111", "y", "the values are `out`"),
        ("outputs: [ou]", "A111", "ou", "did you mean `out`?"),
        ("nodes: {act: relu}\nflow: {out: x -> act}\noutputs: [act]", "A111", "act", "is a node"),
        ("outputs: []", "A106", "outputs", "the last line"),
        ("outputs: {y: {doc: a}}", "A102", "y", "value: out"),
        ("outputs: [out, out]", "A105", "out", "drop one"),
        ("groups: {g: [out, nothing]}", "A112", "nothing", "values (whole lines) and nodes"),
        ("groups: {g: []}", "A102", "g", "of: [norm, conv]"),
        ("groups: {g: {off: out}}", "A101", "off", "did you mean `of`?"),
        ("groups: {g: {of: out, collapsed: si}}", "A103", "si", "collapsed: true"),
        ("presets: {a b: {}}", "A104", "a b", "letters, digits"),
        ("presets: {small: {with: 3}}", "A114", "with", "params and free dimensions"),
        ("presets: {small: 3}", "A103", "3", "small: {ch: 64}"),
        ("checkpoints: {hf: [a]}", "A103", "[a]", "hf: {conv1.*: c1.*}"),
        ("init: [{op: linear}]", "A102", "{op: linear}", "weight: normal(0.02)"),
        ("init: [weight]", "A103", "weight", "{op: linear"),
        ("tie: a.weight", "A103", "a.weight", "tie: {head.weight"),
        ("tie: [{a: x.weight}]", "A102", "{a: x.weight}", "b: embed.weight"),
        ("tie: [{a: x.weight, b: y.weight, if: z}]", "A101", "if", "`a`, `b` and `when`"),
    ],
)
def test_one_mistake_is_one_error_at_its_place(body: str, code: str, at: str, help: str) -> None:
    error = only(read_block(body)[1])
    assert (error.code, error.span.text) == (code, at)
    assert help in error.help


@pytest.mark.parametrize(
    ("body", "second", "first"),
    [
        ("params: {a: int}\nlet: {a: 3}", "let", "param"),
        ("params: {x: int}\ninputs: {x: [B]}", "input", "param"),
        ("params: {out: int}", "value", "param"),
        ("let: {B: 3}", "free dimension", "let"),
        ("inputs: {x: [B], B: [B]}", "input", "free dimension"),
        ("inputs: {x: [B]}\nflow: {x: x -> relu}", "value", "input"),
        ("inputs: {x: [B]}\nflow: {B: x -> relu}", "value", "free dimension"),
        ('flow: {h: x -> relu, "h, k": x -> tanh}', "value", "value"),
        ('inputs: {x: [B]}\nnodes: {x: "param([1])"}', "node used as a value", "input"),
    ],
)
def test_names_are_distinct(body: str, second: str, first: str) -> None:
    error = only(read_block(body)[1])
    assert error.code == "A105"
    assert second in error.message and first in error.message
    assert error.related[0].message.startswith(f"the {first} ")
    assert error.related[0].span.start < error.span.start


def test_nodes_may_have_the_names_of_values() -> None:
    _, told = read_block("nodes: {x: relu, out: tanh}\nflow: {out: x -> x -> out}")
    assert not told


def test_the_version() -> None:
    blocks = "blocks: {Net: {inputs: {x: [B]}, flow: {out: x -> relu}}}"
    assert only(read(blocks)[1]).code == "A100"
    assert only(read(f"archc: 2\n{blocks}")[1]).help == "this archc reads version 1: `archc: 1`"
    assert only(read(f"archc: true\n{blocks}")[1]).code == "A100"
    assert only(read(f'archc: "1"\n{blocks}')[1]).code == "A100"


@pytest.mark.parametrize(
    ("text", "code", "help"),
    [
        ("archc: 1", "A102", "below `blocks`"),
        ("archc: 1\nblocks: {}", "A102", "add a block"),
        ("archc: 1\nblocks: [Net]", "A103", "blocks: {Net:"),
        ("archc: 1\nflow: {out: x -> relu}", "A101", "belongs in a block"),
        ("archc: 1\nblocks: {my_net: {flow: {out: x}}}", "A104", "`MyNet`"),
        ("archc: 1\nblocks: {Net: relu}", "A103", "flow"),
        ("- archc: 1", "A103", "archc: 1"),
        ("archc: 1\nops: my/ops.py\nblocks: {A: {inputs: {x: [B]}, flow: {o: x -> relu}}}", "A117", "import"),
        ("archc: 1\nuse: [{a: }]\nblocks: {A: {inputs: {x: [B]}, flow: {o: x -> relu}}}", "A106", "decoder"),
        (
            "archc: 1\nuse: [./a.yaml#]\nblocks: {A: {inputs: {x: [B]}, flow: {o: x -> relu}}}",
            "A120",
            "#Block",
        ),
        ("archc: 1\nuse: [[a]]\nblocks: {A: {inputs: {x: [B]}, flow: {o: x -> relu}}}", "A103", "std:vision"),
    ],
)
def test_what_a_file_may_not_be(text: str, code: str, help: str) -> None:
    error = only(read(text)[1])
    assert error.code == code and help in error.help


def test_other_mistakes_are_told_too() -> None:
    _, told = read_block("direction: UP\nparams: {a: in}\nnodes: {b: {cal: relu}}\nflow: {out: x ->}")
    assert [d.code[:2] for d in told] == ["A2", "A1", "A2", "A1"]


def test_a_part_that_cannot_be_read_is_named() -> None:
    block, told = read_block("params: {a: in}\nnodes: {b: {call: 3}}\nflow: {h: x ->, out: x -> relu}")
    assert block.broken == {"a", "b", "h"} and not block.whole
    assert len(told) == 3


@pytest.mark.parametrize("text", ["[B, max(C, 2), 3]", '"[B, max(C, 2), 3]"', '"[B, x[0], 3]"'])
def test_a_shape_keeps_its_text(text: str) -> None:
    block, _ = read_block(f"inputs: {{x: {text}}}")
    assert block.inputs["x"].shape[1].span.text in ("max(C, 2)", "x[0]")


def test_a_list_on_lines_is_a_list_of_expressions() -> None:
    block, told = read_block("params:\n  ch:\n    type: int[]\n    default:\n      - 1\n      - 2 * 3\n")
    assert not told
    assert [item.span.text for item in block.params["ch"].default.items] == ["1", "2 * 3"]
    block, told = read_block("inputs:\n  x:\n    shape:\n      - B\n      - ...\n      - C * 2\n      - C\n")
    assert not told
    assert [item.span.text for item in block.inputs["x"].shape] == ["B", "...", "C * 2", "C"]


def test_groups_nest_or_are_disjoint() -> None:
    flow = "nodes: {n: relu, m: relu}\nflow: {a: x -> n -> m, b: a -> tanh, out: b -> tanh}\n"
    fine = "groups: {all: [a, b, out], one: [a], two: [n], other: [b, out], again: [b, out]}"
    assert not read_block(flow + fine)[1]
    error = only(read_block(flow + "groups: {one: [m, b], two: [a]}")[1])
    assert error.code == "A113" and error.span.text == "two" and error.related[0].span.text == "one"


def test_a_node_used_twice_belongs_to_both_lines() -> None:
    flow = "nodes: {n: relu}\nflow: {a: x -> n, out: a -> n}\n"
    assert not read_block(flow + "groups: {one: a, two: out}")[1]
    assert only(read_block(flow + "groups: {one: a, two: n}")[1]).code == "A113"


def test_texts_are_kept_as_written() -> None:
    block, told = read_block('nodes: {n: {call: relu, label: 1e-6, color: "#ff0000", doc: yes}}')
    assert not told
    assert (block.nodes["n"].label, block.nodes["n"].color, block.nodes["n"].doc) == (
        "1e-6",
        "#ff0000",
        "yes",
    )


def test_what_yaml_mangles_says_how_to_quote_it() -> None:
    _, told = read_block("nodes:\n  n:\n    call: relu\n    color: #fff")
    assert only(told).code == "A025" and '"#fff"' in only(told).help
    _, told = read_block("nodes: {n: {call: conv2d(C, 3), when: C}}")
    assert only(told).code == "A024" and '"conv2d(C, 3)"' in only(told).help
    _, told = read_block("nodes: {n: {call: relu, repeat: [1, 2] as i}}")
    assert len(told) == 1
    _, told = read_block("nodes: {n: {call: relu, repeat: C as i, row}}")
    assert only(told).code == "A024" and '"C as i, row"' in only(told).help


BITS = ["[", "]", "{", "}", ": ", ",", "- ", "\n", "      ", "x", "->", "(", "?", "null", "|", '"', " #", "*"]


@given(st.integers(0, 2**32), st.integers(1, 4))
def test_no_text_makes_it_fail(seed: int, edits: int) -> None:
    """Whatever is typed, reading ends in a file or in errors that say where."""
    rng = random.Random(seed)
    text = WHOLE
    for _ in range(edits):
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(BITS) + text[at + rng.choice([0, 0, 1, 8]) :]
    file, told = read(text)
    assert file is not None or told
    assert all(d.span is not None for d in told)
