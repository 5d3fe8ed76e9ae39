"""Which models have to be written out before a check can tell whether they can be built."""

from __future__ import annotations

import pytest

from archc.graph.compile import Text, graph
from archc.graph.sharing import may_differ

BLOCKS = """\
archc: 1
blocks:
  Add:
    inputs: {x: '[B, C]', y: '[B, C]?'}
    nodes: {fc: linear(C)}
    flow: {out: x + y -> fc}
  Conv:
    inputs: {x: '[B, C, H]'}
    nodes: {conv: 'conv1d(C, 3, padding=1)'}
    flow: {out: x -> conv}
  Net:
"""
ALIKE = {
    "an operator in two places": ("x: [B, 8]", "fc: linear(8)", "out: x -> fc -> fc"),
    "an operator at two sizes": ("x: [B, 4, 8]", "fc: linear(8)", "out: (x -> fc) + (x[:, :1] -> fc)"),
    "a block in two places": ("x: [B, 8]", "add: Add", "out: x -> add -> add"),
    "a block at two sizes": (
        "x: [B, 8, L]",
        "c: Conv",
        "out: (x -> c), (x -> avg_pool1d(2) -> c) -> concat(2)",
    ),
    "copies that share": ("x: [B, 8]", "add: {call: Add, repeat: 3, share: true}", "out: x -> add"),
    "what is bypassed": ("x: [B, 8]", "fc: {call: linear(8), when: 1 > 2}", "out: x -> fc -> fc"),
    "nothing twice": ("x: [B, 8]", "add: Add", "out: x, y=x -> add"),
}
PERHAPS = {
    "a block with and without an input": ("x: [B, 8]", "add: Add", "a: x -> add\n      out: a -> add(x)"),
    "a block at sizes that are numbers": (
        "x: [B, 8, 16]",
        "c: Conv",
        "out: (x -> c), (x[:, :, :4] -> c) -> concat(2)",
    ),
}


def made(parts: tuple[str, str, str]) -> bool:
    inputs, nodes, flow = parts
    name, shape = inputs.split(": ")
    block = f"    inputs: {{{name}: '{shape}'}}\n    nodes:\n      {nodes}\n    flow:\n      {flow}\n"
    return may_differ(graph(Text(BLOCKS + block)))


@pytest.mark.parametrize("parts", ALIKE.values(), ids=ALIKE)
def test_alike(parts: tuple[str, str, str]) -> None:
    assert not made(parts)


@pytest.mark.parametrize("parts", PERHAPS.values(), ids=PERHAPS)
def test_perhaps(parts: tuple[str, str, str]) -> None:
    assert made(parts)
