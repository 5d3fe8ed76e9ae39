"""What is joined for inference, and what is not because a value is needed elsewhere."""

from __future__ import annotations

import textwrap
from collections.abc import Collection

import pytest
import torch
from hypothesis import given, note, settings

import archc
from archc.emit import emit
from archc.graph import inference
from archc.graph.compile import Text, check
from archc.graph.inference import ACTIVATED, FOLDED, LEVERS, Optimized, optimized
from archc.graph.ir import Apply, Graph
from archc.runtime.build import build_module
from tests.emit.interpreter import run
from tests.emit.test_random import specs


@pytest.fixture(autouse=True)
def small_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "_LEAST", 0)


def net(nodes: str, flow: str, inputs: str = "x: '[B, 4, H, W]'") -> Graph:
    blocks = "archc: 1\nblocks:\n  Net:\n" + textwrap.indent(
        f"inputs: {{{inputs}}}\nnodes: {{{nodes}}}\nflow:\n{textwrap.indent(textwrap.dedent(flow), '  ')}",
        "    ",
    )
    return archc.graph(archc.text(blocks))


def joined(graph: Graph, levers: Collection[str] = (FOLDED, ACTIVATED)) -> list[str]:
    """The members that stand for others."""
    made = optimized(graph, levers).graph
    names = {node.member for node in made.nodes.values() if isinstance(node, Apply)}
    return sorted(str(name) for name in names - graph.members.keys() - {None})


CONV = "c: 'conv2d(8, 3, bias=false)', n: batch_norm"


def test_a_norm_is_folded_with_the_activation_behind_it() -> None:
    assert joined(net(CONV, "y: x -> c -> n -> relu")) == ["c_n_relu"]
    assert joined(net(CONV, "y: x -> c -> n -> gelu(approximate=tanh)")) == ["c_n_gelu_tanh"]


def test_an_activation_that_has_no_place_there_stays() -> None:
    assert joined(net(CONV, "y: x -> c -> n -> softmax(axis=1)")) == ["c_n"]


@pytest.mark.parametrize(
    "flow",
    [
        "h: x -> c\nm: h -> n\ny: h + m",
        "h: x -> c\na: h -> n\nb: h -> n\ny: a * b",
        "h: x -> c -> relu\ny: h -> n",
    ],
)
def test_a_value_that_is_needed_elsewhere_keeps_its_layer(flow: str) -> None:
    assert joined(net(CONV, flow)) == []


def test_an_output_keeps_its_layer() -> None:
    text = f"""
    archc: 1
    blocks:
      Net:
        inputs: {{x: '[B, 4, H, W]'}}
        nodes: {{{CONV}}}
        flow:
          h: x -> c
          y: h -> n
        outputs: [h, y]
    """
    assert joined(archc.graph(archc.text(textwrap.dedent(text)))) == []


@pytest.mark.parametrize("norm", ["batch_norm(track=false)", "group_norm(2)", "instance_norm"])
def test_norms_of_the_input_itself_are_not_folded(norm: str) -> None:
    assert joined(net(f"c: 'conv2d(8, 3)', n: '{norm}'", "y: x -> c -> n")) == []


def test_a_layer_that_may_not_run_is_left_alone() -> None:
    graph = net(CONV, "y: x -> c -> n", "x: '[B, 4, H, W]?', z: '[B]'")
    assert joined(graph) == []


def test_a_linear_layer_is_folded_where_its_last_axis_is_the_norms() -> None:
    assert joined(net("c: linear(8), n: batch_norm", "y: x -> c -> n", "x: '[B, 4]'")) == ["c_n"]
    assert joined(net("c: linear(8), n: batch_norm", "y: x -> c -> n", "x: '[B, 5, 4]'")) == []


def test_layers_of_one_input_are_joined_if_they_are_alike() -> None:
    nodes = "q: linear(8), k: linear(2), o: 'linear(8, bias=false)', v: linear(3)"
    flow = "a: x -> q\nb: x -> k\nc: x -> o\nd: x -> v -> relu\ny: a, b, c, d -> concat(-1)"
    assert joined(net(nodes, flow, "x: '[B, 4]'"), LEVERS) == ["o_packed", "q_k", "v_relu"]


def test_convolutions_of_one_input_are_joined_if_they_reach_alike() -> None:
    nodes = "q: 'conv2d(8, 1)', k: 'conv2d(2, 1)', o: 'conv2d(8, 3, padding=1)', g: 'conv2d(8, 1, groups=2)'"
    flow = "a: x -> q\nb: x -> k\nc: x -> o\nd: x -> g\ny: a, b, c, d -> concat(1)"
    assert joined(net(nodes, flow), LEVERS) == ["g_packed", "o_packed", "q_k"]


def test_a_layer_applied_twice_may_be_part_of_two() -> None:
    flow = "a: x -> c -> relu\nb: a -> c -> tanh\ny: a + b"
    assert joined(net("c: 'conv2d(4, 1)'", flow), LEVERS) == ["c_relu", "c_tanh"]


def test_the_graph_itself_stays_as_it_is() -> None:
    graph = net(CONV, "y: x -> c -> n -> relu")
    before = emit(graph).source
    optimized(graph)
    assert emit(graph).source == before


def test_blocks_that_were_one_stay_one() -> None:
    layers = archc.graph("specs/text/gpt2.yaml", layers=50, width=32, heads=2, vocab=50)
    made: Optimized = optimized(layers)
    targets = {id(copy.target) for copy in made.graph.members["layer"].copies}
    assert len(targets) == 1
    assert all(len(done.places) % 50 < 2 for done in made.optimizations)


@settings(max_examples=100, report_multiple_bugs=False)
@given(specs())
def test_random_specs_do_what_their_graphs_say(text: str) -> None:
    note(text)
    graph = check(Text(text)).graph
    if graph is None:
        return
    made = optimized(graph)
    source = emit(made.graph)
    note(source.source)
    model = build_module(source)().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    x, a, b = (torch.randn(3, 4, generator=generator) for _ in range(3))
    for given_a in (a, None):
        for given_b in (b, None):
            ours = model(x, a=given_a, b=given_b) if graph.open else model(x)
            ours = list(ours) if isinstance(ours, tuple) else [ours]
            wanted = run(graph, model, {"x": x, "a": given_a, "b": given_b})
            assert [o is None for o in ours] == [w is None for w in wanted]
            for left, right in zip(ours, wanted, strict=True):
                if left is not None:
                    torch.testing.assert_close(left, right)
