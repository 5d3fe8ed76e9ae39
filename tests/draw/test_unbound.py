"""Blocks of which nothing is given: expressions, dotted parts, cases, first, dots and last."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import archc
from archc.draw.draw import draw
from archc.draw.options import Options
from archc.draw.scene.items import Box, Frame, Scene
from archc.draw.scene.stage import scene
from archc.graph.compile import check
from archc.graph.ir import Graph
from tests.draw.faithful import differences

WIRING = Path(__file__).parent / "wiring.yaml"
VQ = Path(__file__).parents[2] / "specs" / "vq"


@cache
def outline(address: str) -> Graph:
    found = check(address, [], outline=True).graph
    assert found is not None and found.outline
    return found


def drawn(address: str, **options) -> tuple[Scene, dict[str, Box | Frame]]:
    drawing = scene(outline(address), Options(**options))
    return drawing, {item.id: item for item in drawing.main.walk()}


def detail(item: Box | Frame) -> str:
    assert isinstance(item, Box)
    return item.detail


def test_labels_are_expressions_and_nothing_is_counted() -> None:
    drawing, items = drawn(f"{VQ}/nets.yaml#ResnetBlock")
    assert detail(items["conv1"]) == "Conv2d C → c_out, 3×3"
    assert detail(items["norm1"]) == "GroupNorm groups"
    assert not any(item.parameters or item.details.flops for item in items.values())
    assert drawing.facts == [
        "unbound: c_out (default C), groups (32), dropout (0), conv_shortcut (false)",
        "x: C × H × W, time_emb?: D → c_out × H × W",
    ]


def test_an_undecided_part_is_dotted_with_its_condition_and_cases() -> None:
    _, items = drawn(f"{VQ}/nets.yaml#ResnetBlock")
    shortcut = items["shortcut"]
    assert (shortcut.dotted, shortcut.condition) == (True, "C ≠ c_out")
    assert detail(shortcut) == "Conv2d C → c_out, 3×3 | 1×1"
    assert items["time_emb"].dotted and items["time_proj"].dotted


def test_a_shortcut_that_may_be_bypassed_is_a_residual() -> None:
    drawing, _ = drawn(f"{VQ}/nets.yaml#ResnetBlock")
    styles = {(e.source, e.target): e.style for e in drawing.main.edges}
    assert styles["x", "shortcut"] == styles["shortcut", "n15"] == "residual"
    assert styles["x", "block1"] == "data"


def test_a_repeat_is_first_dots_last() -> None:
    drawing, items = drawn(f"{VQ}/nets.yaml#SamplerBlock")
    assert items["layer.0"].title == "layer[0]" and items["layer.1"].title == "layer[layers − 1]"
    dots = items["layer.dots"]
    assert isinstance(dots, Box) and dots.form == "dots" and not dots.nodes
    ways = {(e.source, e.target) for e in drawing.main.edges}
    assert {("layer.0", "layer.dots"), ("layer.dots", "layer.1"), ("time_emb", "layer.1")} <= ways
    assert ("time_emb", "layer.dots") not in ways
    assert items["layer.0.attn"].condition == items["layer.1.attn"].condition == "attention"
    assert detail(items["sampler"]) == "Downsample | Upsample"
    assert items["sampler"].condition == "sampler ≠ none"


def test_an_opened_block_speaks_in_its_own_names() -> None:
    _, items = drawn(f"{VQ}/nets.yaml#Encoder")
    frame = items["down.0"]
    assert isinstance(frame, Frame) and frame.note.startswith("c_out = ch·ch_mult[0]")
    assert detail(items["down.0.layer.0.res"]) == "ResnetBlock C → c_out"


def test_an_inset_tells_in_what_the_blocks_differ_that_it_stands_for() -> None:
    drawing, _ = drawn(f"{VQ.parent}/std/vision.yaml#Bottleneck")
    assert [(inset.title, inset.note) for inset in drawing.insets] == [
        ("ConvNormAct (act=relu)", "elsewhere other kernel, stride, groups"),
        ("ConvNormAct (act=identity)", "elsewhere other stride"),
    ]


def test_each_case_of_a_choice_has_its_inset() -> None:
    drawing, items = drawn(f"{VQ}/nets.yaml#SamplerBlock")
    insets = {inset.block: inset.id for inset in drawing.insets}
    assert {"Downsample", "Upsample"} <= insets.keys()
    assert items["sampler"].definition == insets["Downsample"]


def test_two_ways_of_an_undecided_line_join() -> None:
    _, items = drawn(f"{VQ}/nets.yaml#Downsample")
    conditions = {item.title: item.condition for item in items.values() if item.dotted}
    assert conditions == {
        "pad": "with_conv and padded",
        "conv": "with_conv",
        "avg_pool2d": "not with_conv",
    }
    assert any(item.title == "or" for item in items.values())


def test_what_is_not_given_has_its_param_s_name() -> None:
    drawing, items = drawn(f"{WIRING}#Open")
    assert (items["last"].title, detail(items["last"])) == ("last", "last")
    assert drawing.facts[0] == "unbound: c_out (default C), layers (2), deep (false), how (none), last"
    assert detail(items["way"]) == "Linear → 2·c_out | 3·c_out | identity"


def test_parallel_copies_are_first_dots_last_side_by_side() -> None:
    drawing, _ = drawn(f"{WIRING}#Open")
    ways = {(e.source, e.target) for e in drawing.main.edges}
    heads = ("head.0", "head.dots", "head.1")
    assert {("fc.1", head) for head in heads} <= ways
    assert len({target for source, target in ways if source in heads}) == 1


def test_numbers_that_are_given_stay() -> None:
    _, items = drawn(f"{WIRING}#Caller", level=1)
    frame = items["up"]
    assert isinstance(frame, Frame) and "c_out = 2·width" in frame.note
    assert detail(items["up.last"]) == "Relu"


def test_bundles_of_unknown_length_stay_pills() -> None:
    drawing, _ = drawn(f"{VQ}/unet.yaml#UNet", level=0)
    assert {"bundle", "reversed"} <= {item.title for item in drawing.main.items}


def test_copies_of_what_nobody_decided_are_one_where_their_inputs_are_alike() -> None:
    """Whether there is a bias, and which case it is, is open."""
    spec = """archc: 1
blocks:
  Net:
    params: {bias: bool = true, how: near | far = near}
    inputs: {x: '[B, 4]'}
    nodes:
      same: {call: "linear(4, bias)", repeat: 3}
      other: {call: "linear(8, bias)", repeat: 3}
      case: {choose: how, near: linear(8), far: relu, repeat: 2}
    flow: {y: x -> same -> other -> case}
"""
    graph = check(archc.text(spec), outline=True).graph
    assert graph is not None
    found = {item.id: item.copies for item in scene(graph, Options(level=0)).main.items}
    assert found == {"x": 1, "same.0-2": 3, "other.0": 1, "other.1-2": 2, "case.0-1": 2, "out:y": 1}


def test_what_stands_for_copies_side_by_side_takes_what_they_take() -> None:
    spec = """archc: 1
blocks:
  Net:
    params: {n: int = 2}
    inputs: {x: '[B, 4]'}
    nodes: {head: {call: linear(4), parallel: n}}
    flow: {y: x -> head -> concat(1)}
"""
    graph = check(archc.text(spec), outline=True).graph
    assert graph is not None
    panel = json.loads(draw(graph, "json", Options()))["panels"][0]
    assert {e["source"] for e in panel["edges"] if e["target"] == "head.dots"} == {"x"}
    assert not differences(panel, graph)


def test_an_output_that_a_copy_does_not_have_leaves_the_others_only() -> None:
    spec = """archc: 1
blocks:
  Level:
    params: {down: bool}
    inputs: {x: '[B, 4]'}
    nodes: {a: linear(4), b: linear(4)}
    flow:
      out: x -> a
      skip: out -> b if down
    outputs: [out, skip]
  Net:
    params: {n: int = 3}
    inputs: {x: '[B, 4]'}
    nodes: {level: {call: Level(i < n - 1), repeat: n as i}}
    flow:
      h, skips: x -> level
      s: skips -> stack -> sum(axis=0)
      out: h + s
"""
    graph = check(archc.text(spec), outline=True).graph
    assert graph is not None
    for level in (0, 1):
        panel = json.loads(draw(graph, "json", Options(level=level)))["panels"][0]
        stack = next(item["id"] for item in panel["items"] if item["operator"] == "stack")
        assert {e["source"] for e in panel["edges"] if e["target"] == stack} == {"level.0", "level.dots"}
        assert not differences(panel, graph)
        bound = archc.graph(archc.text(spec))
        assert not differences(json.loads(draw(bound, "json", Options(level=level)))["panels"][0], bound)
