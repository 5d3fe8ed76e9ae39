"""Checkpoint maps that change tensors and pass over names: how they are read, and how they compose."""

import pytest

from archc.graph.checkpoint_layout import Layout
from archc.graph.checkpoints import resolve
from archc.graph.compile import graph
from tests.graph.maps import LAYERS, THROUGH, block, theirs

CHANGES = {
    "w[:8]": ("fc.weight", "w[:8]"),
    "w.T": ("fc.weight", "w.T"),
    "w[last:last + 8, :: 2 ]": ("fc.weight", "w[2:10, ::2]"),
    "w[..., 0]": ("fc.bias", "w[..., 0]"),
    "w.reshape(n, -1)[0].T.reshape(8, 8)": ("fc.weight", "w.reshape(3, -1)[0].T.reshape(8, 8)"),
    "concat( a.<n>.weight.T , b[0:8], axis = -1 )": ("fc.weight", "concat(a.3.weight.T, b[0:8], axis=-1)"),
    "stack(a, b, c, d, e, f, g, concat(h, i),)": (
        "fc.weight",
        "stack(a, b, c, d, e, f, g, concat(h, i, axis=0), axis=0)",
    ),
    "w[..., null, 0][:, 0, null][:, 0]": ("fc.bias", "w[..., null, 0][:, 0, null][:, 0]"),
    "w.T.weight": ("fc.weight", "w.T.weight"),
    "w.<'T'>": ("fc.weight", "w.T"),
    "concat.weight": ("fc.weight", "concat.weight"),
}


@pytest.mark.parametrize("written", CHANGES)
def test_changes_are_read(written: str) -> None:
    ours, wanted = CHANGES[written]
    assert theirs(block(f'{ours}: "{written}"'))[ours] == wanted


def test_a_change_behind_a_star_goes_through_all_below() -> None:
    names = theirs(block("layer.<i>.*: 'h.qkv.*[8 * i:8 * i + 8]'", LAYERS, THROUGH))
    assert names["layer.0.bias"] == "h.qkv.bias[0:8]"
    assert names["layer.2.weight"] == "h.qkv.weight[16:24]"


INNER = """
  Inner:
    params: {a: int = 4}
    inputs: {x: [B, C]}
    nodes: {q: linear(C), k: linear(C)}
    flow: {out: x -> q -> k}
    checkpoints:
      m:
        q.weight: concat(left.weight.T, right.weight[:a])
        k.*: qk.*[C:]
        ignore: [mask, "*.rot"]
"""


def test_names_in_a_change_are_renamed_outward() -> None:
    nodes = "row: {call: Inner, repeat: n}"
    names = theirs(block("row.<i>.*: h.<last - i>.att.*", nodes, "out: x -> row", INNER))
    assert names["row.0.q.weight"] == "concat(h.2.att.left.weight.T, h.2.att.right.weight[:4], axis=0)"
    assert names["row.2.k.bias"] == "h.0.att.qk.bias[8:]"
    assert names["row.1.q.bias"] == "h.1.att.q.bias"


def test_a_change_of_all_that_an_inner_map_names() -> None:
    nodes = "row: {call: Inner, repeat: n}"
    names = theirs(block("row.<i>.*: 'h.*[i]'", nodes, "out: x -> row", INNER))
    assert names["row.1.q.weight"] == "concat(h.left.weight[1].T, h.right.weight[1][:4], axis=0)"
    assert names["row.2.k.bias"] == "h.qk.bias[2][8:]"


def ignored(entries: str, nodes: str = "row: {call: Inner, repeat: 2}", rest: str = INNER) -> list[str]:
    flow = "out: x -> row"
    return list(resolve(graph(block(entries, nodes, flow, rest), absent=("y",)), "m").ignored)


def test_patterns_are_renamed_outward() -> None:
    assert ignored("") == ["row.0.mask", "row.0.*.rot", "row.1.mask", "row.1.*.rot"]
    assert ignored("row.<i>.*: h.<1 - i>.*")[:2] == ["h.1.mask", "h.1.*.rot"]
    assert ignored("row.*: h.*, ignore: junk")[2:] == ["h.1.mask", "h.1.*.rot", "junk"]
    assert ignored("row.<i>.q.*: h.<i>.*, '*': all.*")[0] == "all.row.0.mask"
    assert ignored("row.<i>.*: 'concat(a.<i>.*, b.<i>.*)'")[:2] == ["a.0.mask", "b.0.mask"]


def test_patterns_pass_through_blocks_between() -> None:
    rest = (
        INNER
        + """
  Outer:
    inputs: {x: [B, C]}
    nodes: {att: Inner}
    flow: {out: x -> att}
    checkpoints: {m: {att.*: attention.*}}
"""
    )
    nodes = "row: {call: Outer, repeat: 1}"
    assert ignored("", nodes, rest)[0] == "row.0.attention.mask"
    assert ignored("row.<i>.*: h.<i>.*", nodes, rest)[0] == "h.0.attention.mask"
    assert ignored("row.<i>.att.*: h.<i>.*", nodes, rest)[0] == "h.0.mask"


def test_what_is_passed_over() -> None:
    layout = Layout({}, ("mask", "*.rot", "h.<i>.attn.bias", "a.*"))
    names = ["mask", "h.mask", "x.rot", "rot", "h.0.attn.bias", "h.0.1.attn.bias", "a.b.c", "aa.b"]
    assert layout.passed_over(names) == {"mask", "x.rot", "h.0.attn.bias", "a.b.c"}
