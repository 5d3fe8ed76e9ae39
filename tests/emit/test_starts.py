"""How `reset_parameters` starts weights: what it sets, and with how few lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from torch import nn

import archc
from archc.emit import Emitted
from archc.runtime.build import build_module

LOOP = "for module in self.modules():"


def reset(made: Emitted, cls: str = "A") -> str:
    """The body of a class's `reset_parameters`."""
    pattern = rf"class {cls}\(.*?def reset_parameters\(self\) -> None:\n.*?\n(.*?)\n\n"
    found = re.search(pattern, made.source, re.DOTALL)
    assert found is not None, made.source
    return found[1]


def constants(made: Emitted) -> dict[str, float]:
    """What each weight starts as, where it starts as one number."""
    state: dict = build_module(made)().state_dict()
    return {name: float(t.flatten()[0]) for name, t in state.items() if (t == t.flatten()[0]).all()}


MANY = """\
  A:
    inputs: {x: '[B, 3, H, W]'}
    nodes:
      a: conv2d(4, 3)
      b: conv2d(4, 3, bias=false)
      c: {call: 'conv2d(4, 3, padding=1)', repeat: 3}
      fc1: linear(5)
      fc2: linear(5)
    flow: {y: "x -> a -> b -> c -> mean([2, 3]) -> fc1 -> fc2"}
    init:
      - {op: [conv2d, linear], weight: constant(2), bias: constant(3)}
"""


def test_layers_of_a_kind_are_found_by_a_loop(emitted) -> None:
    made = emitted(MANY)
    assert (
        reset(made)
        == """\
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.constant_(module.weight, 2)
                if module.bias is not None:
                    nn.init.constant_(module.bias, 3)
            elif isinstance(module, nn.Linear):
                nn.init.constant_(module.weight, 2)
                nn.init.constant_(module.bias, 3)"""
    )
    assert constants(made) == {
        name: 2 if name.endswith("weight") else 3 for name in build_module(made)().state_dict()
    }


def test_an_exception_comes_after_the_loop(emitted) -> None:
    made = emitted(MANY + "      - {at: 'c.*', weight: constant(7)}\n")
    assert reset(made).count(LOOP) == 1
    found = constants(made)
    assert [found[f"{at}.weight"] for at in ("a", "b", "c.0", "c.1", "c.2", "fc1")] == [2, 2, 7, 7, 7, 2]
    assert found["c.1.bias"] == 3


def test_few_layers_are_set_one_by_one(emitted) -> None:
    made = emitted("""\
  A:
    inputs: {x: '[B, 8]'}
    nodes: {a: linear(4), b: linear(4)}
    flow: {y: x -> a -> b}
    init: [{op: linear, weight: constant(2)}]
""")
    assert (
        reset(made)
        == """\
        nn.init.constant_(self.a.weight, 2)
        nn.init.constant_(self.b.weight, 2)"""
    )


def test_what_a_block_inside_decides_stays(emitted) -> None:
    made = emitted("""\
  Own:
    inputs: {x: '[B, C]'}
    nodes: {fc: linear(C)}
    flow: {y: x -> fc}
    init: [{op: linear, weight: constant(5)}]
  A:
    inputs: {x: '[B, 8]'}
    nodes: {a: linear(8), b: linear(8), c: linear(8), own: Own}
    flow: {y: x -> a -> b -> c -> own}
    init: [{op: linear, weight: constant(2), bias: constant(3)}]
""")
    assert "bias" in reset(made).partition(LOOP)[2]
    assert constants(made) == {
        **{f"{name}.weight": 2 for name in "abc"},
        **{f"{name}.bias": 3 for name in ("a", "b", "c", "own.fc")},
        "own.fc.weight": 5,
    }


def test_a_layer_with_layers_inside_is_let_alone(tmp_path: Path) -> None:
    spec = tmp_path / "a.yaml"
    spec.write_text("""\
archc: 1
blocks:
  A:
    inputs: {x: '[B, T, 8]'}
    nodes:
      a: linear(8)
      b: linear(8)
      c: linear(8)
      inner: nn.MultiheadAttention(8, 2, batch_first=true)
    flow: {y: "x -> a -> b -> c -> inner(x, x)"}
    init: [{op: linear, weight: constant(2)}]
""")
    net: Any = archc.load(spec)
    assert isinstance(net.inner.out_proj, nn.Linear)
    assert {name for name, weight in net.named_parameters() if (weight == 2).all()} == {
        "a.weight",
        "b.weight",
        "c.weight",
    }


TIED = """\
  A:
    inputs: {ids: 'int64[B]'}
    nodes: {table: 'embedding(9, 4)', a: linear(4), b: linear(4), head: 'linear(9, bias=false)'}
    flow: {y: ids -> table -> a -> b -> head}
    tie: {head.weight: table.weight}
    init: [{op: linear, weight: constant(2)}%s]
"""


def test_one_tensor_may_start_by_either_name(emitted) -> None:
    made = emitted(TIED % "")
    assert LOOP in reset(made)
    assert constants(made)["table.weight"] == 2


def test_where_one_tensor_is_to_start_in_two_ways_the_last_name_counts(emitted) -> None:
    made = emitted(TIED % ", {op: embedding, weight: constant(6)}")
    assert LOOP not in reset(made)
    assert constants(made)["table.weight"] == 2


def test_other_modules_of_torch_are_no_layers_of_the_kind(emitted) -> None:
    made = emitted("""\
  A:
    inputs: {x: '[B, 3, T]'}
    nodes: {a: 'conv1d(4, 1)', b: 'conv1d(4, 1)', c: 'conv1d(4, 1)', n: batch_norm}
    flow: {y: x -> a -> b -> c -> n}
    init: [{op: conv1d, weight: constant(2)}]
""")
    root = build_module(made)()
    assert isinstance(root.n, nn.BatchNorm1d)
    assert constants(made)["n.weight"] == 1


def test_copies_begin_in_a_loop_over_them(emitted) -> None:
    blocks = """\
  Mlp: {inputs: {x: '[B, C]'}, nodes: {a: linear(C), b: linear(C)}, flow: {y: x -> a -> b}}
  A:
    inputs: {x: '[B, 8]'}
    nodes: {m: {call: Mlp, repeat: 3}}
    flow: {y: x -> m}
    init:
      - {at: 'm.*.a', weight: constant(5)}
      - {at: m.0.b, weight: constant(2)}
      - {at: m.1.b, weight: constant(2)}
"""
    made = emitted(blocks)
    assert (
        reset(made)
        == """\
        for block in self.m:
            nn.init.constant_(block.get_parameter("a.weight"), 5)
        for i in range(2):
            nn.init.constant_(self.get_parameter(f"m.{i}.b.weight"), 2)"""
    )
    found = constants(made)
    assert [found[f"m.{i}.a.weight"] for i in range(3)] == [5, 5, 5]
    assert [found[f"m.{i}.b.weight"] for i in range(2)] == [2, 2]
