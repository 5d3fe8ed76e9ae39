"""What a picture promises: nothing overlaps, no edge runs through what it does not belong to."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.draw.layout import Area, Place, Point, Wire, lay_out
from archc.draw.measure import HEADER, SMALL
from archc.draw.metrics import text_width
from archc.draw.options import Options
from archc.draw.scene import Box, Edge, Frame
from archc.draw.stage import scene
from archc.graph.ir import Graph


def areas(graph: Graph, level: int | None) -> list[Area]:
    """All laid out areas of a drawing, nested ones too."""
    drawing = scene(graph, Options(level))
    found = [lay_out(panel, header=panel is not drawing.main) for panel in drawing.panels]
    for area in found:
        found += [place.inside for place in area.places if place.inside]
    return found


def seen(place: Place) -> bool:
    return not (isinstance(place.item, Box) and place.item.form == "port")


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def rectangle(place: Place, less: float = 0.0) -> tuple[float, float, float, float]:
    return place.x + less, place.y + less, place.x + place.w - less, place.y + place.h - less


def segments(wire: Wire) -> list[tuple[Point, Point]]:
    return list(zip(wire.points, wire.points[1:], strict=False))


def stretch(a: Point, b: Point) -> tuple[float, float, float, float]:
    """A segment as a rectangle with next to no width."""
    return min(a[0], b[0]) - 0.01, min(a[1], b[1]) - 0.01, max(a[0], b[0]) + 0.01, max(a[1], b[1]) + 0.01


def label_box(wire: Wire) -> tuple[float, float, float, float]:
    assert wire.label_at is not None
    x, y = wire.label_at
    return x, y - SMALL * 0.7, x + text_width(wire.edge.label, SMALL), y


def check_items(area: Area) -> None:
    for a, b in combinations(filter(seen, area.places), 2):
        assert not overlap(rectangle(a), rectangle(b)), (a.item.id, b.item.id)


def check_edges(area: Area) -> None:
    """Edges are orthogonal and run through no foreign item."""
    for wire in area.wires:
        ends = {wire.edge.source, wire.edge.target}
        for a, b in segments(wire):
            assert a[0] == pytest.approx(b[0]) or a[1] == pytest.approx(b[1])
            for place in filter(seen, area.places):
                if place.item.id not in ends:
                    crossed = overlap(rectangle(place, less=0.5), stretch(a, b))
                    assert not crossed, (wire.edge, place.item.id)


def check_shared_ways(area: Area) -> None:
    """Edges that have no end in common share no stretch: one would be taken for the other."""
    for one, other in combinations(area.wires, 2):
        if {one.edge.source, one.edge.target} & {other.edge.source, other.edge.target}:
            continue
        for (a, b), (c, d) in product(segments(one), segments(other)):
            for axis in (0, 1):
                level = abs(a[axis] - b[axis]) < 0.1 and abs(c[axis] - d[axis]) < 0.1
                if level and abs(a[axis] - c[axis]) < 2:
                    low = max(min(a[1 - axis], b[1 - axis]), min(c[1 - axis], d[1 - axis]))
                    high = min(max(a[1 - axis], b[1 - axis]), max(c[1 - axis], d[1 - axis]))
                    assert high - low <= 1, (one.edge, other.edge)


def check_labels(area: Area) -> None:
    """A label lies on no item, no line and no other label."""
    labelled = [wire for wire in area.wires if wire.label_at]
    for wire in labelled:
        for place in filter(seen, area.places):
            assert not overlap(label_box(wire), rectangle(place)), (wire.edge, place.item.id)
        for other in area.wires:
            for a, b in segments(other):
                assert not overlap(label_box(wire), stretch(a, b)), (wire.edge, other.edge)
    for one, other in combinations(labelled, 2):
        assert not overlap(label_box(one), label_box(other)), (one.edge, other.edge)


CHECKS = [check_items, check_edges, check_shared_ways, check_labels]


@pytest.mark.parametrize("check", CHECKS)
def test_geometry(model, level: int | None, check: Callable[[Area], None]) -> None:
    for area in areas(model.graph, level):
        check(area)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """A frame of any acyclic graph: cards, pills, circles and tags, labels here and there."""
    count = draw(st.integers(2, 12))
    forms = ["card", "card", "pill", "circle", "tag"]
    items: list[Box | Frame] = []
    edges = []
    for number in range(count):
        form = draw(st.sampled_from(forms))
        title = "+" if form == "circle" else "n" * draw(st.integers(1, 14))
        copies = draw(st.sampled_from([1, 1, 1, 3])) if form == "card" else 1
        items.append(Box(str(number), title, "detail", form=form, copies=copies))  # type: ignore[arg-type]
        if number:
            before = draw(st.sets(st.integers(0, number - 1), min_size=0, max_size=3))
            edges += [
                Edge(str(a), str(number), draw(st.sampled_from(["", "", "64 × H"]))) for a in sorted(before)
            ]
    # As in a chart, a label stands once at a source.
    told: set[str] = set()
    for edge in edges:
        edge.label = "" if edge.source in told else edge.label
        told |= {edge.source} if edge.label else set()
    entry = "0" if draw(st.booleans()) else None
    last = str(count - 1)
    reached = {"0"}
    for edge in edges:
        reached |= {edge.target} if edge.source in reached else set()
    return Frame("any", "any", items=items, edges=edges, entry=entry, exit=last if last in reached else None)


@given(frame=frames())
def test_geometry_of_any_graph(frame: Frame) -> None:
    area = lay_out(frame)
    for check in CHECKS:
        check(area)


def test_everything_is_inside_its_frame_and_below_its_header(model, level: int | None) -> None:
    drawing = scene(model.graph, Options(level))
    for panel in drawing.panels:
        area = lay_out(panel)
        waiting = [area]
        while waiting:
            here = waiting.pop()
            for place in here.places:
                assert place.x >= 0 and place.x + place.w <= here.w + 0.1, place.item.id
                assert place.y >= HEADER and place.y + place.h <= here.h + 0.1, place.item.id
                if place.inside:
                    waiting.append(place.inside)
            for wire in here.wires:
                assert all(y >= HEADER - 0.1 for _, y in wire.points), wire.edge


def test_the_main_path_is_straight(model) -> None:
    drawing = scene(model.graph)
    area = lay_out(drawing.main, header=False)
    spine = {place.item.id: place.spine for place in area.places}
    assert drawing.main.entry is not None and drawing.main.exit is not None
    assert spine[drawing.main.entry] == pytest.approx(spine[drawing.main.exit], abs=1e-6)


def test_an_edge_ends_at_the_border_of_its_items(model, level: int | None) -> None:
    for area in areas(model.graph, level):
        places = {place.item.id: place for place in area.places}
        for wire in area.wires:
            source, target = places[wire.edge.source], places[wire.edge.target]
            x, y = wire.points[0]
            assert source.x <= x <= source.x + source.w and y >= source.y + source.h - 0.1
            x, y = wire.points[-1]
            on_top = y == pytest.approx(target.y) and target.x - 0.1 <= x <= target.x + target.w + 0.1
            at_side = y == pytest.approx(target.y + target.h / 2)
            assert on_top or at_side, wire.edge


def test_frames_hold_the_stacked_sheets_of_what_is_repeated(checked) -> None:
    drawing = scene(checked("encoder"))
    repeated = [i for i in drawing.main.walk() if isinstance(i, Frame) and i.copies > 1]
    assert {frame.title for frame in repeated} == {"down[0..1]", "down[2..3]", "layer"}
