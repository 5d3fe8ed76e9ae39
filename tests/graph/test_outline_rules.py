"""What an outline makes of what is given, of conditions, copies and operators."""

from __future__ import annotations

from typing import Any

import pytest

from archc.graph.compile import check as bound
from archc.graph.ir import Apply, Choose, graphs
from archc.ops.placeholder import Placeholder
from tests.graph.outlines import NETS, ROOT, block, dump, graph, inner, spec


def test_settings_that_are_given_are_taken() -> None:
    found = graph(f"{NETS}#SamplerBlock", {"attention": True, "layers": 3, "sampler": "up"})
    assert found.members["layer"].count is None and len(found.members["layer"].copies) == 3
    assert dump(found)[-1] == "3 sampler: Upsample(x=2) -> [B, c_out, 2 * H, 2 * W]"
    [*_, last] = inner(found, "Layer")
    assert not any(isinstance(node, Choose) for node in last.nodes.values())


def test_presets_and_presence_are_taken() -> None:
    found = graph(f"{NETS}#Encoder@taming")
    assert len(found.members["down"].copies) == 5
    assert found.params["ch"] == 128 and str(found.params["in_channels"]) == "in_channels"
    assert "time_emb" not in graph(f"{NETS}#ResnetBlock", absent=["time_emb"]).inputs
    assert graph(f"{NETS}#ResnetBlock", given=["time_emb"]).open == ()


@pytest.mark.parametrize(
    "entry", [f"{NETS}#Encoder@iris", f"{NETS}#Decoder@taming", "specs/vq/unet.yaml#UNet"]
)
def test_all_given_is_the_ordinary_graph(entry: str) -> None:
    ordinary = bound(str(ROOT / entry)).graph
    assert ordinary is not None
    given = {n: v for n, v in ordinary.params.items() if isinstance(v, int | float | str | list)}
    found = graph(entry, given)
    for mine, theirs in zip(graphs(found), graphs(ordinary), strict=True):
        assert [type(n) for n in mine.nodes.values()] == [type(n) for n in theirs.nodes.values()]
        assert [n.outputs for n in mine.nodes.values()] == [n.outputs for n in theirs.nodes.values()]
        assert mine.edges == theirs.edges
        assert {n: len(m.copies) for n, m in mine.members.items()} == {
            n: len(m.copies) for n, m in theirs.members.items()
        }


# Conditions


def test_lines_with_conditions() -> None:
    flow = """
        h: "x -> p if on", y: "x -> relu if n > 3 else x -> tanh if on else x", out: "h or y"
    """.strip()
    found = graph(spec(block(flow, "p: linear(n)", params="on: bool = true, n: int")))
    assert dump(found)[1:] == [
        "1 p: linear [C → n](0) -> [B, n]",
        "2 ('undecided', 'on'): 1 or None -> [B, n]",
        "3 relu(0) -> [B, C]",
        "4 tanh(0) -> [B, C]",
        "5 ('undecided', 'on'): 4 or 0 -> [B, C]",
        "6 ('undecided', 'n > 3'): 3 or 5 -> [B, C]",
        "7 None: 2 or 6 -> [B, ?]",
    ]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("C != n", "[B, n]"),
        ("C != n or s != 1", "[B, n]"),
        ("2 * C != 2 * n", "[B, n]"),
        ("C > n", "[B, ?]"),
        ("s != 1", "[B, ?]"),
        ("C == n", "[B, C]"),
    ],
)
def test_a_condition_tells_sizes_where_it_holds(condition: str, kept: str) -> None:
    node = f"p: {{call: linear(n), when: {condition}}}"
    rows = dump(graph(spec(block("y: x -> p", node, params="n: int, s: int"))))
    assert rows[-1] == f"2 ('undecided', '{condition}'): 1 or 0 -> {kept}"


def test_what_may_be_absent_adds_no_size() -> None:
    part = block('y: "x, t -> concat(1)"', name="P", params="", inputs='x: [B, C], t: "[B, E]?"')
    flow = 'h: "x -> relu if on", y: "x, h -> concat(1)", z: "x -> p(h)", w: x + h'
    found = graph(spec(part, block(flow, "p: P", params="on: bool", more=", outputs: [y, z, w]")))
    assert dump(found)[3:] == [
        "3 concat [axis 1](0 2) -> [B, ?]",
        "4 p: P(x=0 t=2) -> [B, ?]",
        "5 add(0 2) -> [B, C]",
    ]
    assert inner(found, "P")[0].open == ("t",)


def test_sizes_that_may_differ_are_unknown() -> None:
    rows = dump(graph(spec(block("y: x + (x -> p)", "p: linear(n)"))))
    assert rows[-1] == "2 add(0 1) -> [B, ?]"


@pytest.mark.parametrize(
    ("condition", "decided"), [("n >= 0", False), ("n > 0", False), ("n * n >= 0", True), ("C >= 1", True)]
)
def test_a_param_may_be_negative_or_zero(condition: str, decided: bool) -> None:
    rows = dump(graph(spec(block(f"y: x -> relu if {condition} else x"))))
    assert (len(rows) == 2) == decided, rows


def test_an_undecided_branch_that_cannot_be_is_left_out() -> None:
    flow = 'y: "x -> transpose(1, 5) if on else x -> relu"'
    assert dump(graph(spec(block(flow, params="on: bool"))))[1:] == ["1 relu(0) -> [B, C]"]


def test_an_undecided_node_that_cannot_be_is_bypassed() -> None:
    node = "p: {call: max_pool2d(2), when: on}"
    assert dump(graph(spec(block("y: x -> p", node, params="on: bool")))) == ["0 input x -> [B, C]"]


# Copies


def test_copies_of_undecided_number_that_keep_what_arrives() -> None:
    found = graph(spec(block("y: x -> p", "p: {call: linear(C), repeat: n}")))
    assert dump(found)[1:] == ["1 p repeat n: linear(x=0) -> [B, C]"]
    assert found.members["p"].indices == ("0", "n - 1")


def test_copies_of_undecided_number_that_change_what_arrives() -> None:
    part = block('y: "x, x -> concat(1)"', name="Part", params="")
    found = graph(spec(part, block("y: x -> p", "p: {call: Part, repeat: n}")))
    first, last = found.members["p"].copies
    assert str(first.inputs["x"]) == "[B, C]" and str(last.inputs["x"]).startswith("[B, ?")
    assert dump(found)[1:] == ["1 p repeat n: Part(x=0) -> [B, 2 * ?]"]


def test_axes_that_turn_are_not_taken_to_be_kept() -> None:
    node = 'p: {call: "transpose(0, 2)", repeat: n}'
    rows = dump(graph(spec(block("y: x -> p", node, inputs="x: [C, C, D]"))))
    assert rows[-1].endswith("-> [?, C, ?]")


def test_copies_over_a_list() -> None:
    node = 'p: {call: "linear(c, b)", repeat: "rows as i, c, b"}'
    member = graph(spec(block("y: x -> p", node, params='rows: "(int, bool)[]"'))).members["p"]
    assert (member.count, member.indices) == ("len(rows)", ("0", "len(rows) - 1"))
    told = [(str(copy.target.n), str(copy.target.bias)) for copy in member.copies]  # type: ignore[union-attr]
    assert told == [("rows[0][0]", "rows[0][1]"), ("rows[-1][0]", "rows[-1][1]")]


def test_a_copy_that_may_be_bypassed() -> None:
    node = "p: {call: linear(C), when: i < n, repeat: 3 as i}"
    copies = graph(spec(block("y: x -> p", node))).members["p"].copies
    cases: Any = [copy.target for copy in copies]
    assert [case.expr for case in cases] == ["0 < n", "1 < n", "2 < n"]
    assert [text for text, _ in cases[0].options] == ["true", "false"]


def test_each_of_a_bundle_of_unknown_length() -> None:
    part = block('y: "x, s -> concat(1)"', name="Part", params="", inputs="x: [B, C], s: [B, S]")
    main = block(
        'y: "x -> p(each(skips))", z: "y[0]"',
        "p: {call: Part, parallel: n}",
        inputs="x: [B, C], skips: {bundle: true, shape: [B, D]}",
        more=", outputs: [y, z]",
    )
    assert dump(graph(spec(part, main)))[1:] == [
        "1 input skips -> a bundle of len(skips) x [B, D]",
        "2 p parallel n: Part(x=0 s=each 1) -> a bundle of n x [B, C + D]",
        "3 2[0] -> [B, C + D]",
    ]


# Operators


def test_operators_with_attributes_that_are_not_given() -> None:
    found = graph(
        spec(
            block(
                'y: "x -> p -> n -> r -> upsample(2, mode=m)", z: "x -> mean([2, 3])"',
                'p: "conv2d(c, k, s, padding=k // 2, bias=b)", n: "group_norm(k, eps=d)", r: dropout(d)',
                params="c: int, k: int = 3, s: int = 1, b: bool, d: float = 0.1, m: nearest | bilinear",
                inputs="x: [B, C, H, W]",
                more=", outputs: [y, z]",
            )
        )
    )
    shape = "[B, c, (H - k % 2) // s + 1, (W - k % 2) // s + 1]"
    assert dump(found)[1:] == [
        f"1 p: conv2d [C → c, k x k s = s](0) -> {shape}",
        f"2 n: group_norm [k](1) -> {shape}",
        f"3 r: dropout [p = d](2) -> {shape}",
        "4 upsample [×2 m](3) -> [B, c, 2 * ((H - k % 2) // s) + 2, 2 * ((W - k % 2) // s) + 2]",
        "5 mean [axis 2, 3](0) -> [B, C]",
    ]


def test_an_operator_that_cannot_tell_is_no_error() -> None:
    found = graph(spec(block('h: "x -> unsqueeze(n)", y: h -> p', "p: 'conv2d(n, 3)'")))
    assert dump(found)[1:] == ["1 unsqueeze(0) -> ?", "2 p: conv2d [→ n, 3x3](1) -> ?"]


def test_an_operator_that_nobody_gave() -> None:
    main = block(
        '"h, g": "x -> p(time=t)", y: h + g',
        'p: "act(c, 3)"',
        params="act: op, c: int",
        inputs="x: [B, C], t: [B, D]",
    )
    found = graph(spec(main))
    assert dump(found)[2:] == ["2 p: placeholder [c, 3](0 1) -> ?, ?", "3 add(2 2.1) -> ?"]
    target = found.members["p"].copies[0].target
    assert isinstance(target, Placeholder) and target.name == "act"


def test_an_operator_that_nobody_gave_called_in_place() -> None:
    """What holds a value is an input of it, other arguments are numbers."""
    main = block('y: "x -> act(time=t, width=c)"', params="act: op, c: int", inputs="x: [B, C], t: [B, D]")
    assert dump(graph(spec(main)))[2:] == ["2 placeholder [width=c](0 1) -> ?"]


def test_an_operator_of_a_row_that_nobody_gave_is_handed_on() -> None:
    """It is known by its place in the list, and a block may be given it for its `op` param."""
    row = block("out: x -> act", params="act: op", name="Row")
    many = block(
        "out: x -> row",
        "row: {call: Row(act), repeat: 'rows as i, n, act'}",
        params='rows: {type: "(int, op)[]"}',
    )
    found = graph(spec(row, many))
    assert found.members["row"].count == "len(rows)"
    for copy in found.members["row"].copies:
        assert [type(node.op) for node in copy.target.nodes.values() if isinstance(node, Apply)] == [
            Placeholder
        ]


def test_a_power_of_what_nobody_gave_is_a_whole_number_by_its_text() -> None:
    found = graph(spec(block("out: x -> p", "p: 'linear(8 * min(2 ** n, 4))'")))
    assert dump(found)[-1] == "1 p: linear [C → 8 * min(2 ** n, 4)](0) -> [B, 8 * min(2 ** n, 4)]"


def test_a_list_that_nobody_gave_is_turned_by_its_text() -> None:
    turned = 'widths: "int[]", ups: {type: "int[]", default: "reversed(widths[:-1])"}'
    found = graph(spec(block("out: x -> p", "p: 'linear(ups[0])'", params=turned)))
    assert dump(found)[-1].endswith("[B, ups[0]]")
