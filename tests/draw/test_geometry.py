"""What a layout promises: nothing overlaps, no edge runs through what it does not belong to. Here on
random frames in all directions, and what single forms look like; on real models in test_proof.py."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.draw.formats.layout_json import layout_json
from archc.draw.formats.sheet import Panel, Sheet, sheet
from archc.draw.layout.layout import Area, Place, Wire, lay_out
from archc.draw.layout.measure import HEADER
from archc.draw.layout.paging import wrappings
from archc.draw.layout.skyline import Skyline
from archc.draw.scene.items import Box, Direction, Edge, Frame, Scene
from tests.draw.geometry import violations
from tests.draw.random_frames import random_frame

DIRECTIONS: list[Direction] = ["TB", "BT", "LR", "RL"]
RANDOMS = st.integers(0, 2**32).map(Random)


def page(area: Area, frame: Frame, direction: Direction) -> dict:
    """The json of a page with one panel."""
    panel = Panel(frame, area, 0.0, 0.0, True, direction)
    return json.loads(layout_json(Sheet("", [], [], [panel], [], round(area.w + 1), round(area.h + 1))))


def merged(panel: dict) -> list[str]:
    """Edges that run together into one box from different places."""
    forms = {item["id"]: item["form"] for item in panel["items"]}
    found = []
    for one, other in combinations(panel["edges"], 2):
        same = one["parent"] == other["parent"] and one["target"] == other["target"]
        if not same or one["target_port"] or other["target_port"] or forms[one["target"]] in ("port", "dots"):
            continue
        if (one["source"], one["source_port"]) == (other["source"], other["source_port"]):
            continue
        for (a, b), (c, d) in ((s, t) for s in pairwise(one["points"]) for t in pairwise(other["points"])):
            for axis in (0, 1):
                if max(a[axis], b[axis], c[axis], d[axis]) - min(a[axis], b[axis], c[axis], d[axis]) < 2:
                    low = max(min(a[1 - axis], b[1 - axis]), min(c[1 - axis], d[1 - axis]))
                    high = min(max(a[1 - axis], b[1 - axis]), max(c[1 - axis], d[1 - axis]))
                    if high - low > 1:
                        found.append(f"{one['source']} and {other['source']} into {one['target']}")
    return found


@settings(max_examples=150, deadline=None)
@given(random=RANDOMS, count=st.integers(1, 9), direction=st.sampled_from(DIRECTIONS))
def test_any_frame_keeps_its_promises(random: Random, count: int, direction: Direction) -> None:
    frame = random_frame(random, count)
    drawn = json.loads(layout_json(sheet(Scene("", [], frame, [], {frame.id: direction}))))
    assert violations(drawn) == []
    assert merged(drawn["panels"][0]) == []


@settings(max_examples=60, deadline=None)
@given(
    random=RANDOMS,
    count=st.integers(8, 24),
    columns=st.integers(2, 4),
    direction=st.sampled_from(DIRECTIONS),
)
def test_a_chart_in_columns_keeps_them_too(
    random: Random, count: int, columns: int, direction: Direction
) -> None:
    frame = random_frame(random, count)
    area = lay_out(frame, header=False, direction=direction)
    for wrapping in wrappings(area, [columns], direction):
        assert len(wrapping.area().columns) == columns
        assert violations(page(wrapping.area(), frame, direction)) == []


@settings(deadline=None)
@given(random=RANDOMS)
def test_a_layout_is_the_same_every_time(random: Random) -> None:
    frame = random_frame(random, 8)
    assert lay_out(frame) == lay_out(frame)


# Single forms


def box(id: str, form: str = "card", title: str = "box") -> Box:
    return Box(id, "+" if form == "circle" else title, form=form)  # type: ignore[arg-type]


def drawn(
    items: Sequence[Box | Frame],
    edges: Sequence[tuple[str, str] | Edge],
    direction: Direction = "TB",
    ends: tuple = (None, None),
) -> tuple[dict[str, Place], dict[tuple[str, str], Wire]]:
    made = [edge if isinstance(edge, Edge) else Edge(*edge) for edge in edges]
    frame = Frame("f", "f", items=[*items], edges=made, entry=ends[0], exit=ends[1])
    area = lay_out(frame, direction=direction)
    places = {place.item.id: place for place in area.places}
    return places, {(wire.edge.source, wire.edge.target): wire for wire in area.wires}


def test_a_name_tag_stands_beside_its_item() -> None:
    items = [box("x"), box("emb<y", "tag", "emb"), box("y"), box("z")]
    places, wires = drawn(items, [("x", "y"), ("emb<y", "y"), ("y", "z")], ends=("x", "z"))
    tag, y = places["emb<y"], places["y"]
    assert tag.x + tag.w < y.x
    assert tag.y + tag.h / 2 == pytest.approx(y.y + y.h / 2, abs=0.1)
    assert wires["emb<y", "y"].points == [
        (tag.x + tag.w, tag.y + tag.h / 2),
        (y.x, pytest.approx(tag.y + tag.h / 2)),
    ]


def test_the_main_way_comes_in_in_the_middle_others_beside_it() -> None:
    items = [box("x"), box("a"), box("b"), box("c"), box("y")]
    edges = [("x", "a"), ("x", "b"), ("x", "c"), ("a", "y"), ("b", "y"), ("c", "y"), ("x", "y")]
    places, wires = drawn(items, edges, ends=("x", "y"))
    ends = [wires[id, "y"].points[-1] for id in ("a", "b", "c", "x")]
    assert len(set(ends)) == 4
    assert wires["b", "y"].points[-1] == (places["y"].spine, places["y"].y)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_branches_stand_in_the_order_of_the_items(direction: Direction) -> None:
    items = [box("x"), box("q"), box("k"), box("v"), box("attention")]
    edges = [e for id in "qkv" for e in (("x", id), (id, "attention"))]
    places, _ = drawn(items, edges, direction, ends=("x", "attention"))
    assert places["q"].spine < places["k"].spine < places["v"].spine
    assert places["k"].spine == places["x"].spine == places["attention"].spine


def test_skips_are_nested_and_cross_nothing() -> None:
    items = [box(f"down{i}") for i in range(4)] + [box("mid")] + [box(f"up{i}") for i in range(4)]
    chain = [(a.id, b.id) for a, b in pairwise(items)]
    skips = [Edge(f"down{i}", f"up{3 - i}", style="residual") for i in range(4)]
    _, wires = drawn(items, [*chain, *skips], ends=("down0", "up3"))
    rails = [max(x for x, _ in wires[f"down{i}", f"up{3 - i}"].points) for i in range(4)]
    assert rails == sorted(rails, reverse=True) and len(set(rails)) == 4
    ends = [wires[f"down{i}", f"up{3 - i}"].points for i in range(4)]
    assert all(points[-1][1] == points[-2][1] for points in ends), "they come in at the side"


def block(id: str, ins: int, outs: int) -> Frame:
    """A frame with one box in it, which takes all that comes in and gives all that goes out."""
    ports = [Box(f"{id}.in{n}", "", form="port", kind="input") for n in range(ins)]
    ends = [Box(f"{id}.out{n}", "", form="port", kind="output") for n in range(outs)]
    edges = [Edge(port.id, f"{id}.op") for port in ports] + [Edge(f"{id}.op", end.id) for end in ends]
    return Frame(
        id, id, items=[*ports, box(f"{id}.op"), *ends], edges=edges, entry=ports[0].id, exit=ends[0].id
    )


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_each_value_crosses_a_border_at_its_own_port(direction: Direction) -> None:
    items = [box("x"), box("y"), block("f", 2, 2), box("z"), box("w")]
    edges = [
        Edge("x", "f", target_port="f.in0"),
        Edge("y", "f", target_port="f.in1"),
        Edge("f", "z", source_port="f.out0"),
        Edge("f", "w", source_port="f.out1"),
    ]
    places, wires = drawn(items, edges, direction, ends=("x", "z"))
    frame = places["f"]
    assert frame.inside is not None
    ports = {place.item.id: place for place in frame.inside.places}
    axis = 0 if direction in ("TB", "BT") else 1
    start = (frame.x, frame.y)[axis]
    for (source, target), port in {("x", "f"): "f.in0", ("y", "f"): "f.in1"}.items():
        at = start + (ports[port].x, ports[port].y)[axis]
        assert wires[source, target].points[-1][axis] == pytest.approx(at, abs=0.15)
    assert wires["f", "z"].points[0][axis] != wires["f", "w"].points[0][axis]


def test_the_port_of_a_frames_name_tag_is_on_the_border_beside_it() -> None:
    items = [box("x"), box("emb<f", "tag", "emb"), block("f", 2, 1), box("y")]
    edges = [
        Edge("x", "f", target_port="f.in0"),
        Edge("emb<f", "f", target_port="f.in1"),
        Edge("f", "y", source_port="f.out0"),
    ]
    places, wires = drawn(items, edges, ends=("x", "y"))
    frame = places["f"]
    assert frame.inside is not None
    port = next(place for place in frame.inside.places if place.item.id == "f.in1")
    assert port.x == 0 and HEADER < port.y < frame.h
    assert wires["emb<f", "f"].points[-1] == (frame.x, pytest.approx(frame.y + port.y, abs=0.1))


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_headers_stay_at_the_top_and_boxes_keep_their_sizes(direction: Direction) -> None:
    items = [box("x"), block("f", 1, 1), box("y", title="a longer title")]
    edges = [Edge("x", "f", target_port="f.in0"), Edge("f", "y", source_port="f.out0")]
    places, _ = drawn(items, edges, direction, ends=("x", "y"))
    upright, _ = drawn(items, edges, ends=("x", "y"))
    assert (places["y"].w, places["y"].h) == (upright["y"].w, upright["y"].h)
    inside = places["f"].inside
    assert inside is not None and all(place.y >= HEADER for place in inside.places)
    order = [places[id] for id in ("x", "f", "y")]
    along = [{"TB": p.y, "BT": -p.y, "LR": p.x, "RL": -p.x}[direction] for p in order]
    assert along == sorted(along)


def test_a_small_page_is_not_cut_and_a_long_one_is() -> None:
    def chart(length: int) -> Frame:
        items = [box(str(i)) for i in range(length)]
        edges = [Edge(a.id, b.id) for a, b in pairwise(items)]
        return Frame("f", "f", items=[*items], edges=edges, entry="0", exit=str(length - 1))

    assert sheet(Scene("", [], chart(20))).panels[0].area.columns == []
    long = sheet(Scene("", [], chart(200)))
    assert len(long.panels[0].area.columns) > 4
    assert long.height < 2 * long.width < 4 * long.height


def test_what_cannot_be_cut_stays_whole() -> None:
    items = [box("a"), box("b")]
    area = lay_out(Frame("f", "f", items=[*items], edges=[Edge("a", "b")], entry="a", exit="b"), header=False)
    assert wrappings(area, [5]) == []


@given(
    st.lists(st.floats(0, 9), min_size=1, max_size=20),
    st.lists(st.tuples(st.integers(-2, 22), st.integers(-2, 22), st.floats(0, 20)), max_size=20),
)
def test_a_skyline_is_as_high_as_what_was_raised(
    heights: list[float], raised: list[tuple[int, int, float]]
) -> None:
    tree, plain = Skyline(list(heights)), list(heights)
    for low, high, height in raised:
        expected = max(plain[max(low, 0) : max(high, 0)], default=0.0)
        assert tree.highest(low, high) == expected
        tree.raise_to(low, high, height)
        plain = [max(h, height) if low <= i < high else h for i, h in enumerate(plain)]
    assert [tree.highest(i, i + 1) for i in range(len(plain))] == plain
