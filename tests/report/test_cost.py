"""Counts are those of the model that is built."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import archc
from archc.report.cost import Costs
from archc.shapes import symbol

SPECS = Path(__file__).parents[2] / "specs"
HEAD = "archc: 1\nblocks:\n"

TIED = (
    HEAD
    + """\
  Lm:
    inputs: {ids: "int64[B, T]"}
    nodes:
      wte: embedding(50, 16)
      head: linear(50, bias=False)
    flow:
      logits: ids -> wte -> head
    tie: {head.weight: wte.weight}
"""
)
SHARED = (
    HEAD
    + """\
  Net:
    inputs: {x: "[B, 8]"}
    nodes:
      many: {call: Layer, repeat: 5, share: true}
      each: {call: Layer, repeat: 3}
      norm: batch_norm
      twice: linear(8)
      table: param([2, 8])
      offsets: buffer([8])
    flow:
      h: x -> many -> each -> norm -> twice -> twice
      out: h + table[0] + offsets
  Layer:
    inputs: {x: "[B, C]"}
    nodes: {fc: linear(C)}
    flow: {y: x -> fc -> relu}
main: Net
"""
)
FROZEN = (
    HEAD
    + """\
  Net:
    inputs: {x: "[B, 8]"}
    nodes:
      table:
        call: param([8], trainable=false)
      fc: linear(4)
    flow: {y: x + table -> fc}
"""
)


@pytest.mark.parametrize(
    "spec",
    [
        archc.text(TIED),
        archc.text(SHARED),
        archc.text(FROZEN),
        f"{SPECS}/vq/nets.yaml#Encoder@iris",
        f"{SPECS}/vq/nets.yaml#Decoder@taming",
        f"{SPECS}/vq/unet.yaml",
        f"{SPECS}/vq/tokenizer.yaml",
    ],
    ids=["tied", "shared", "frozen", "encoder", "decoder", "unet", "tokenizer"],
)
def test_parameters_and_buffers_are_the_models(spec: archc.api.Spec) -> None:
    cost = Costs().graph(archc.graph(spec))
    model = archc.load(spec, device="meta")
    assert cost.parameters == sum(p.numel() for p in model.parameters())
    assert cost.trainable == sum(p.numel() for p in model.parameters() if p.requires_grad)
    state = {id(t): t for t in model.state_dict(keep_vars=True).values()}
    assert cost.parameters + cost.buffers == sum(t.numel() for t in state.values())


def test_flops_are_torchs_count() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    address = f"{SPECS}/vq/nets.yaml#Encoder@iris"
    cost = Costs().graph(archc.graph(address, B=2, H=32, W=32))
    model = archc.load(address, B=2, H=32, W=32)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.randn(2, 3, 32, 32))
    assert cost.flops == pytest.approx(counter.get_total_flops(), rel=0.01)


def test_flops_of_free_sizes_agree_with_those_of_set_ones() -> None:
    from archc.shapes import evaluate

    address = f"{SPECS}/vq/nets.yaml#Encoder@iris"
    free = Costs().graph(archc.graph(address)).flops
    known = Costs().graph(archc.graph(address, B=2, H=48, W=32)).flops
    assert evaluate(free, {"B": 2, "H": 48, "W": 32}) == known


def test_flops_are_told_in_the_sizes_of_the_whole(tmp_path: Path) -> None:
    """A block may have axes that it has no name for; its caller has one."""
    file = tmp_path / "net.yaml"
    file.write_text(
        HEAD
        + """\
  Part:
    inputs: {x: "[..., D]"}
    nodes: {fc: linear(4)}
    flow: {out: x -> fc}
  Net:
    inputs: {x: "[B, T, 8]"}
    nodes: {fc: linear(8), part: Part}
    flow: {out: x -> fc -> part}
"""
    )
    B, T = symbol("B"), symbol("T")
    assert Costs().graph(archc.graph(file)).flops == 2 * B * T * (8 * 8 + 8 * 4)


def test_cost_grows_with_what_is_distinct() -> None:
    class Counting(Costs):
        calls = 0

        def node(self, graph, node):
            Counting.calls += 1
            return super().node(graph, node)

    spec = archc.text(SHARED.replace("repeat: 3", "repeat: 3000"))
    total = Counting().graph(archc.graph(spec))
    assert total.parameters > 3000 * 72
    assert Counting.calls < 30
