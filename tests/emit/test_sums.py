"""Sums and products of many values, as a programmer writes them."""

from __future__ import annotations

import torch
from torch.testing import assert_close as same


def test_members_of_a_list_are_written_where_they_are_used(emitted) -> None:
    source = emitted(
        """\
  Product:
    inputs: {apart: {bundle: 12, shape: "[B, 8]"}}
    flow: {the_product_of_all: apart -> mul}
"""
    ).source
    assert " * ".join(f"apart[{n}]" for n in range(12)) in " ".join(source.split())


def test_the_sum_of_a_long_bundle(emitted, model) -> None:
    blocks = """\
  A:
    inputs: {x: '[B, 4]'}
    nodes: {fc: {call: linear(4), parallel: COUNT}}
    flow: {parts: x -> fc, y: parts -> add, z: "parts[1:] -> add"}
    outputs: {y: y, z: z}
"""
    many = blocks.replace("COUNT", "5")
    loop = ["y = parts[0]", "for term in parts[1:]:", "y = y + term"]
    assert " ".join(loop) in " ".join(emitted(many).source.split())
    assert "for term" not in emitted(blocks.replace("COUNT", "3")).source
    x, made = torch.randn(2, 4), model(many)
    y, z = made(x)
    same(y, sum(fc(x) for fc in made.fc))
    same(z, sum(fc(x) for fc in made.fc[1:]))
    same(torch.compile(made, fullgraph=True, backend="eager")(x)[0], y)


def test_a_value_that_is_added_to_needs_no_copy(emitted, model) -> None:
    blocks = """\
  A:
    inputs: {x: '[B, 4]', mask: '[B, 4]?'}
    flow:
      real: mask -> abs
      total: x * real -> sum(1)
      y: total / (real -> sum(1)) if mask else x -> mean(1)
"""
    assert "total = x * real\n" in emitted(blocks).source
    assert "total = x\n" not in emitted(blocks).source
    x, mask = torch.randn(2, 4), torch.rand(2, 4)
    same(model(blocks)(x, mask), (x * mask).sum(1) / mask.sum(1))
    same(model(blocks)(x), x.mean(1))


def test_a_value_on_the_way_has_the_name_of_its_line(emitted, model) -> None:
    blocks = """\
  A:
    inputs: {x: '[B, 4]', prefix: '[B, 4]?'}
    nodes: {fc: linear(4), other: linear(4)}
    flow:
      tokens: x -> fc
      joined: prefix, (x -> other -> relu) -> concat(0)
      late: (prefix -> other -> relu -> fc) / 3
      y: tokens + (joined -> sum(0))
      z: y + late
"""
    source = emitted(blocks).source
    assert "_2" not in source
    x, prefix, made = torch.randn(2, 4), torch.randn(2, 4), model(blocks)
    second = torch.relu(made.other(x))
    same(made(x), made.fc(x) + second.sum(0))
    late = made.fc(torch.relu(made.other(prefix))) / 3
    same(made(x, prefix), made.fc(x) + torch.cat([prefix, second]).sum(0) + late)
