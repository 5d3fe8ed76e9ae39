"""Applications that are alike are inferred once, and nobody can tell."""

from __future__ import annotations

from archc.graph.compile import Text, check, graph
from archc.graph.infer import Inference
from archc.ops.activation import Relu

HEAD = "archc: 1\nblocks:\n  Net:\n"


def spec(inputs: str, *lines: str, params: str = "{}") -> Text:
    flow = "".join(f"      {line}\n" for line in lines)
    return Text(f"{HEAD}    params: {params}\n    inputs: {inputs}\n    flow:\n{flow}")


def test_once_for_all_that_are_alike(monkeypatch) -> None:
    asked: list[tuple] = []
    ask = Inference._asked
    monkeypatch.setattr(Inference, "_asked", lambda self, *of: asked.append(of) or ask(self, *of))
    graph(spec("{x: '[B, C]'}", "a: x -> relu -> softmax(axis=-1)", "b: a -> relu -> softmax(axis=-1)"))
    assert [type(op) is Relu for op, *_ in asked] == [True, False]


def test_equal_sizes_keep_their_names() -> None:
    lines = ("a: x -> relu", "b: y -> relu", "out: a, b -> concat(axis=0)")
    found = graph(spec("{x: '[B, c]', y: '[B, d]'}", *lines, params="{c: int = 8, d: int = 8}"))
    a, b = (found.type(line.refs[0]).shape[1] for line in found.lines[:2])
    assert (a.label, b.label) == ("c", "d")


def test_conditions_are_of_each_application() -> None:
    lines = ("a: x -> split(2, 1)", "b: a -> split(2, 1)", "c: y -> split(2, 1)", "d: b, c -> concat(1)")
    found = check(spec("{x: '[B, C]', y: '[B, D]'}", *lines))
    assert set(found.guards) == {"C must be divisible by 4", "D must be divisible by 2"}


def test_masks_choose_as_many_as_they_choose() -> None:
    lines = ("m: x -> argmax(1)", "k: m < 3", "a: x[k]", "b: x[k]", "out: a, b -> concat(0)")
    found = graph(spec("{x: '[B, C]'}", *lines))
    a, b = (found.type(line.refs[0]).shape[0] for line in found.lines[2:4])
    assert a != b


def test_one_text_that_yaml_reads_in_two_ways() -> None:
    lines = ("a: x -> gelu('tanh')", "b: \"a -> gelu('tanh')\"", "c: 'b -> gelu(''tanh'')'")
    found = graph(spec("{x: '[B, C]'}", *lines))
    ops = [node.op for node in found.nodes.values() if hasattr(node, "op")]
    assert len(ops) == 3
    assert len(set(ops)) == 1
