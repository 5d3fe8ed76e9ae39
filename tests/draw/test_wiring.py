"""Bundles, choices, tags and weights of several owners: what a drawing makes of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

import archc
from archc.draw.draw import draw
from archc.draw.options import Options
from archc.draw.scene.items import Box, Frame, Scene, parameters
from archc.draw.scene.pieces import MOST_LEVELS
from archc.draw.scene.stage import scene
from archc.graph.compile import graph
from archc.graph.ir import Graph
from archc.report.cost import Costs
from tests.draw.faithful import differences

SPEC = Path(__file__).parent / "wiring.yaml"
NAMES = [
    *("Skips", "Many", "Bundles", "Broadcast", "Choice", "Around", "Groups"),
    *("Torn", "Tied", "TiedCopy", "Keys", "Outer", "Compact"),
]


@cache
def block(name: str, *given: str) -> Graph:
    return graph(f"{SPEC}#{name}", given=given)


def drawn(name: str, **options) -> Scene:
    return scene(block(name), Options(**options))


def items(drawing: Scene) -> dict[str, Box | Frame]:
    return {item.id: item for item in drawing.main.walk()}


def ways(frame: Frame) -> dict[tuple[str, str], tuple[str, str]]:
    """Label and style of each edge."""
    return {(edge.source, edge.target): (edge.label, edge.style) for edge in frame.edges}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("compact", [False, True])
def test_counts_sum_and_edges_end_at_items(name: str, level: int | None, compact: bool) -> None:
    drawing = drawn(name, level=level, compact=compact)
    assert parameters(drawing.main) == Costs().graph(block(name)).parameters
    assert len(items(drawing)) == len(list(drawing.main.walk())), "ids are unique"
    for frame in [*drawing.panels, *(i for i in drawing.main.walk() if isinstance(i, Frame))]:
        own = {item.id: item for item in frame.items}
        for edge in frame.edges:
            for end, port in ((edge.source, edge.source_port), (edge.target, edge.target_port)):
                inside = getattr(own[end], "items", None)
                assert bool(port) == (inside is not None)
                assert inside is None or port in {inner.id for inner in inside}


@pytest.mark.parametrize("name", NAMES)
def test_every_node_is_in_one_item_or_is_wiring(name: str) -> None:
    shown = [number for item in drawn(name, level=0).main.walk() for number in item.nodes]
    copies = {n for n in shown if shown.count(n) > 1}
    kinds = {number: type(node).__name__ for number, node in block(name).nodes.items()}
    assert all(kinds[number] == "Call" for number in copies), "only copies of a repeat stand apart"
    assert {kinds[n] for n in kinds.keys() - set(shown)} <= {"Pack", "Pick", "Choose", "Input"}


# Bundles


def test_skips_go_from_level_to_level() -> None:
    found = ways(drawn("Skips", level=0).main)
    assert found["down.1", "up.1"] == ("8", "residual")
    assert found["down.0", "up.2"] == ("8", "residual")
    assert found["down.2", "up.0"] == ("skip", "data"), "it goes the way of the main value"
    assert not any("bundle" in box.title or "reversed" in box.title for box in drawn("Skips").boxes())


def test_skips_of_opened_levels_leave_at_their_own_port() -> None:
    edges = drawn("Skips", level=1).main.edges
    skips = {(e.source_port, e.target_port) for e in edges if e.source_port.endswith("skip")}
    assert skips == {(f"down.{i}.out:skip", f"up.{2 - i}.skip") for i in range(3)}


def test_many_equal_levels_stay_one_stack() -> None:
    drawing = drawn("Many", level=0)
    assert {item.copies for item in items(drawing).values()} == {1, 12} and MOST_LEVELS < 12
    assert ways(drawing.main)["down.0-11", "up.0-11"][0] == "12 skips, reversed"


def test_a_bundle_that_is_an_output_is_its_pill() -> None:
    found = ways(drawn("Bundles", level=0).main)
    assert found["down.0-2", "out:all"][0] == "×3"
    assert ("x", "out:all") in found and ("fc", "out:all") in found
    assert not any(box.title == "bundle" for box in drawn("Bundles").boxes())


def test_the_u_net_is_drawn_level_to_level(checked) -> None:
    found = ways(scene(checked("time"), Options(level=0)).main)
    assert {(a, b) for a, b in found if a.startswith("down") and b.startswith("up")} == {
        *((f"down.{i}", f"up.{3 - i}") for i in range(4)),
        *((f"down.{i}", f"up.{2 - i}") for i in range(3)),
    }
    assert found["down.0", "up.3"] == ("×2", "residual")
    assert found["conv_in", "up.3"][1] == "residual"


def test_a_name_like_that_of_a_nameless_node_is_kept() -> None:
    spec = """archc: 1
blocks:
  Net:
    inputs: {x: '[B, 4]', a: '[B, 4]?'}
    nodes: {n4: linear(4), n5: linear(4)}
    flow: {y: x -> n4 if a else x -> n5}
"""
    drawing = scene(archc.graph(archc.text(spec)))
    found = {item.id: item.title for item in drawing.main.items}
    assert found["n4"] == "n4" and found["n5"] == "n5" and found["n4:"] == "or"


# Name tags


def test_a_value_with_many_side_consumers_is_a_tag_at_each() -> None:
    drawing = drawn("Broadcast", level=0)
    tags = [item for item in drawing.main.items if isinstance(item, Box) and item.form == "tag"]
    assert {(tag.title, tag.of) for tag in tags} == {("temb", "temb")} and len(tags) == 5
    order = [item.id for item in drawing.main.items]
    for tag in tags:
        (edge,) = (e for e in drawing.main.edges if e.source == tag.id)
        assert order.index(tag.id) < order.index(edge.target)
    assert "temb" in items(drawing) and not any(e.source == "temb" for e in drawing.main.edges)


# Choices


def test_a_bypass_is_a_dotted_box() -> None:
    found = items(drawn("Choice"))
    assert (found["c"].dotted, found["c"].condition, found["c"].nodes) == (True, "m", (7, 8))


def test_two_ways_join_in_a_circle() -> None:
    drawing = drawn("Choice")
    found = items(drawing)
    (circle,) = (item for item in found.values() if item.title == "or")
    assert (found["a"].condition, found["n4"].condition, found["b"].condition) == ("m", "", "not m")
    assert found["n4"].dotted
    edges = ways(drawing.main)
    assert edges["n4", circle.id] == edges["b", circle.id] == ("", "optional")


def test_a_way_around_copies_is_drawn() -> None:
    for expand in ((), ("st.1",)):
        drawing = drawn("Around", level=0, expand=expand)
        (circle,) = (item for item in drawing.main.items if item.title == "or")
        found = ways(drawing.main)
        assert found["x", circle.id] == ("else", "optional")
        copies = [item for item in drawing.main.items if item.id.startswith("st")]
        assert all(item.dotted and item.condition == "m" for item in copies)


def test_an_absent_value_is_dotted_or_its_way_says_when() -> None:
    drawing = drawn("Choice")
    assert items(drawing)["d"].condition == "n"
    assert ("if m and not n", "optional") in ways(drawing.main).values()


def test_what_is_given_is_not_dotted() -> None:
    drawing = scene(block("Choice", "m", "n"))
    assert not any(item.dotted for item in drawing.main.walk())


def test_nothing_leads_to_an_input_that_is_never_there() -> None:
    spec = """archc: 1
blocks:
  Part:
    inputs: {x: '[B, 4]', e: '[B, 4]?'}
    nodes: {l: linear(4)}
    flow: {h: x -> l, out: h + e -> tanh}
  Net:
    inputs: {x: '[B, 4]', a: '[B, 4]?'}
    nodes: {fc: linear(4), part: Part}
    flow:
      other: x -> fc if not a
      own: a -> part(other)
      out: own or x
"""
    for level in (0, 1):
        main = scene(archc.graph(archc.text(spec)), Options(level=level)).main
        assert {edge.source for edge in main.edges if edge.target == "part"} == {"a"}


# Groups


def test_groups_are_frames_and_nest() -> None:
    drawing = drawn("Groups", expand=("inner",))
    (outer,) = (item for item in drawing.main.items if isinstance(item, Frame))
    (inner,) = (item for item in outer.items if isinstance(item, Frame))
    assert (outer.title, outer.graph, outer.parameters) == ("The whole", None, 216)
    assert [item.id for item in inner.items if item.nodes] == ["b"]
    assert {(e.source, e.target, e.target_port) for e in drawing.main.edges} >= {("x", "outer", "outer>x")}


def test_a_collapsed_group_is_a_box() -> None:
    inner = items(drawn("Groups"))["inner"]
    assert isinstance(inner, Box) and (inner.detail, inner.parameters, inner.nodes) == ("b", 72, (3,))
    outer = items(drawn("Groups", collapse=("outer",)))["outer"]
    assert isinstance(outer, Box) and outer.nodes == (1, 2, 3, 4, 5)


GROUPED = """archc: 1
blocks:
  Step:
    inputs: {x: '[B, 8]', e: '[B, 8]'}
    nodes: {fc: linear(8)}
    flow: {out: (x -> fc) + e}
  Net:
    inputs: {x: '[B, 8]', t: '[B, 8]'}
    nodes:
      emb: linear(8)
      a: {call: Step, repeat: 3 as i, when: i != 1}
      b: Step
      c: Step
      d: Step
    flow:
      e: t -> emb
      h: x -> a(e) -> b(e)
      i: h -> c(e)
      out: i -> d(e)
    groups:
      first: {of: [e], collapsed: true}
      rest: {of: [h, i], collapsed: true}
"""


def test_names_of_values_cross_the_borders_of_closed_groups() -> None:
    graph = archc.graph(archc.text(GROUPED))
    for level in (0, 1):
        main = scene(graph, Options(level=level)).main
        found = {item.id: item for item in main.items}
        tags = {edge.target: found[edge.source] for edge in main.edges if edge.source.endswith("<emb")}
        assert set(tags) == {"rest", "d"}
        assert {tag.of for tag in tags.values() if isinstance(tag, Box)} == {"first"}
        rest = found["rest"]
        assert isinstance(rest, Box) and rest.group
        assert len(rest.nodes) == len(set(rest.nodes)), "each node once, whatever copies it has"
        panel = json.loads(draw(graph, "json", Options(level=level)))["panels"][0]
        assert not differences(panel, graph)


def test_a_closed_group_of_opened_blocks_is_in_a_page() -> None:
    spec = """archc: 1
blocks:
  Net:
    inputs: {x: '[B, 8]'}
    nodes: {a: In}
    flow: {y: x -> a}
    groups: {all: {of: [y], collapsed: true}}
  In:
    inputs: {x: '[B, 8]'}
    nodes: {fc: linear(8)}
    flow: {y: x -> fc}
"""
    assert "linear 8" in draw(archc.graph(archc.text(spec + "main: Net\n")), "html").lower()  # type: ignore[union-attr]


def test_a_group_that_a_way_comes_back_to_has_no_frame() -> None:
    drawing = drawn("Torn")
    assert not any(isinstance(item, Frame) for item in drawing.main.items)
    assert any("torn" in fact for fact in drawing.facts)


def test_a_group_that_is_partly_in_another_has_no_frame() -> None:
    """A node is in the line where it is first used, too."""
    spec = """archc: 1
blocks:
  Net:
    inputs: {x: '[B, 8]'}
    nodes: {table: "param([8, 8])"}
    flow:
      a: x @ table -> relu
      b: a @ table -> relu
      c: b -> tanh
    groups: {line: [a], tables: [table, c]}
"""
    drawing = scene(archc.graph(archc.text(spec)))
    assert [item.id for item in drawing.main.items if isinstance(item, Frame)] == ["line"]
    assert "group tables of Net has no frame: a part of it is in another group" in drawing.facts


# Weights


def test_tied_weights_count_once() -> None:
    found = items(drawn("Tied", level=0))
    assert (found["wte"].parameters, found["head"].parameters, found["head"].shared) == (800, 100, True)


def test_a_copy_with_a_tied_weight_stands_apart() -> None:
    found = items(drawn("TiedCopy", level=0))
    assert {id: found[id].parameters for id in ("st.0", "st.1", "st.2")} == {
        "st.0": 72,
        "st.1": 8,
        "st.2": 72,
    }


def test_a_node_of_several_places_is_marked_at_each() -> None:
    drawing = drawn("Keys", level=1)
    found = items(drawing)
    assert (found["fc"].shared, found["fc"].parameters) == (True, 72)
    assert (found["fc:4"].shared, found["fc:4"].parameters) == (True, None)
    assert found["st:5"].shared and found["st:5.fc"].parameters is None and found["st:5.fc"].shared
    assert (found["sh"].shared, found["sh"].copies, found["sh"].parameters) == (True, 3, 72)


def test_what_the_spec_says_of_a_node_is_on_its_box() -> None:
    found = items(drawn("Keys", level=0))
    box, closed = found["fc"], found["st"]
    assert isinstance(box, Box) and isinstance(closed, Box)
    assert (box.title, box.link, box.color) == ("Projection", "https://example.org", "#ff0000")
    assert box.details.doc == "What it is for." and box.operator == "linear"
    assert (closed.title, closed.block) == ("A step", "Step")
    assert closed.details.doc == "A linear layer and a way around it."
    assert found["up"].link == "https://example.org/up"


def test_a_block_in_place_has_the_block_s_name() -> None:
    (box,) = (item for item in drawn("InPlace", level=0).main.items if item.block == "Half")
    assert isinstance(box, Box) and (box.title, box.detail) == ("Half", "8 → 4")
    assert "Half" in {item.title for item in drawn("InPlace", level=1).main.items}


def test_details_are_in_the_names_of_the_model() -> None:
    found = items(drawn("Outer", level=2))
    details = found["deep.0-3.st.fc"].details
    assert details.weights == ("deep.0.st.fc.weight", "deep.0.st.fc.bias")
    assert (details.type, details.flops) == ("[B, 8]", "128·B")


# Compact


def test_strips_merge_where_they_follow_each_other() -> None:
    found = items(drawn("Compact", compact=True))
    strips = {i.title: i for i in found.values() if isinstance(i, Box) and i.form == "strip"}
    assert set(strips) == {"norm1", "relu · drop", "norm2", "gelu"}, "of one group, and with one user"
    assert strips["relu · drop"].nodes == (2, 3)
    assert not any(i.form == "strip" for i in items(drawn("Compact")).values() if isinstance(i, Box))
