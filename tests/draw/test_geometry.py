"""What a picture promises: nothing overlaps, no edge runs through what it does not belong to."""

from __future__ import annotations

from itertools import combinations

import pytest

from archc.draw.layout import Area, Place, lay_out
from archc.draw.measure import HEADER, SMALL
from archc.draw.metrics import text_width
from archc.draw.scene import Box, Frame
from archc.draw.stage import scene
from archc.graph.ir import Graph


def areas(graph: Graph, level: int | None) -> list[Area]:
    """All laid out areas of a drawing, nested ones too."""
    drawing = scene(graph, level)
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


def test_no_two_items_overlap(model, level: int | None) -> None:
    for area in areas(model.graph, level):
        for a, b in combinations(filter(seen, area.places), 2):
            assert not overlap(rectangle(a), rectangle(b)), (a.item.id, b.item.id)


def test_everything_is_inside_its_frame_and_below_its_header(model, level: int | None) -> None:
    drawing = scene(model.graph, level)
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


def test_no_edge_runs_through_a_foreign_item(model, level: int | None) -> None:
    for area in areas(model.graph, level):
        for wire in area.wires:
            ends = {wire.edge.source, wire.edge.target}
            for place in filter(seen, area.places):
                box = rectangle(place, less=0.5)
                for a, b in zip(wire.points, wire.points[1:], strict=False):
                    assert a[0] == pytest.approx(b[0]) or a[1] == pytest.approx(b[1]), "edges are orthogonal"
                    stretch = (
                        min(a[0], b[0]) - 0.01,
                        min(a[1], b[1]) - 0.01,
                        max(a[0], b[0]) + 0.01,
                        max(a[1], b[1]) + 0.01,
                    )
                    if place.item.id not in ends:
                        assert not overlap(box, stretch), (wire.edge, place.item.id)


def test_no_label_lies_on_an_item_or_another_label(model, level: int | None) -> None:
    for area in areas(model.graph, level):
        labels = []
        for wire in area.wires:
            if wire.label_at:
                x, y = wire.label_at
                width = text_width(wire.edge.label, SMALL)
                labels.append((wire.edge, (x, y - SMALL * 0.7, x + width, y)))
        for edge, label in labels:
            for place in filter(seen, area.places):
                assert not overlap(label, rectangle(place)), (edge, place.item.id)
        for (a, one), (b, other) in combinations(labels, 2):
            assert not overlap(one, other), (a, b)


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
