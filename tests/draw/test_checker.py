"""The checker of layouts finds what is broken in one, and nothing in one that is whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.draw.geometry import violations

Json = dict[str, Any]


def text(words: str, x: float, y: float, w: float = 30, size: float = 10) -> Json:
    return {"text": words, "x": x, "y": y, "w": w, "h": size, "size": size, "bold": False}


def box(id: str, x: float, y: float, w: float = 100, h: float = 40, **more: Any) -> Json:
    return {
        "id": id,
        "what": "box",
        "form": "card",
        "x": x,
        "y": y,
        "w": w,
        "h": h,
        "header": 0,
        "spine": x + w / 2,
        "parent": None,
        "group": False,
        "sheets": 0,
        "badge": None,
        "texts": [text(id, x + 10, y + 10)] if w else [],
        **more,
    }


def frame(id: str, x: float, y: float, w: float, h: float, **more: Any) -> Json:
    found = box(id, x, y, w, h, what="frame", form="frame", header=28)
    return {**found, "texts": [text(id, x + 10, y + 8)], "entry": None, "exit": None, **more}


def port(id: str, x: float, y: float, parent: str) -> Json:
    return box(id, x, y, 0, 0, form="port", parent=parent)


def edge(source: str, target: str, *points: tuple[float, float], **more: Any) -> Json:
    told = {"source": source, "target": target, "style": "data", "label": "", "label_box": None}
    ports = {"source_port": None, "target_port": None}
    return {**told, **ports, "parent": None, "points": [list(point) for point in points], **more}


def page() -> Json:
    """x -> a frame of two boxes, twice -> a group of one -> out, and rails beside it all."""
    items = [
        box("x", 100, 100),
        frame(
            "f", 80, 180, 140, 210, sheets=4, badge=[200, 172, 30, 16], copies=2, entry="f.in", exit="f.out"
        ),
        port("f.in", 150, 208, "f"),
        box("f.a", 100, 220, parent="f"),
        box("f.b", 100, 310, parent="f"),
        port("f.out", 150, 390, "f"),
        frame("g", 80, 430, 140, 100, group=True),
        port("g>f", 150, 458, "g"),
        port("g>x", 210, 458, "g"),
        box("a", 100, 470, parent="g"),
        box("out", 100, 570),
    ]
    edges = [
        edge("x", "f", (150, 140), (150, 180), label="64", label_box=[155, 150, 20, 10]),
        edge("f.in", "f.a", (150, 208), (150, 220), parent="f"),
        edge("f.a", "f.b", (150, 260), (150, 310), parent="f"),
        edge("f.b", "f.out", (150, 350), (150, 390), parent="f"),
        edge("f", "g", (150, 394), (150, 430), target_port="g>f"),
        edge(
            "x",
            "g",
            (150, 140),
            (150, 145),
            (240, 145),
            (240, 420),
            (210, 420),
            (210, 430),
            target_port="g>x",
        ),
        edge("g>f", "a", (150, 458), (150, 470), parent="g"),
        edge("g>x", "a", (210, 458), (210, 490), (200, 490), parent="g"),
        edge("g", "out", (150, 530), (150, 570)),
        edge("x", "out", (150, 140), (150, 145), (250, 145), (250, 590), (200, 590)),
    ]
    panel = {
        **{"id": "Net", "x": 60, "y": 80, "w": 220, "h": 560, "header": 0, "direction": "TB"},
        **{"entry": "x", "exit": "out", "texts": [], "items": items, "edges": edges},
    }
    legend = [{"text": "conv", "box": [60, 660, 40, 10], "texts": [text("conv", 70, 660)]}]
    heading = [text("Net", 60, 20, size=18)]
    return {"width": 300, "height": 700, "texts": heading, "legend": legend, "panels": [panel]}


def item(page: Json, id: str) -> Json:
    return next(item for item in page["panels"][0]["items"] if item["id"] == id)


def way(page: Json, source: str, target: str) -> Json:
    edges = page["panels"][0]["edges"]
    return next(edge for edge in edges if (edge["source"], edge["target"]) == (source, target))


def test_a_whole_layout_is_found_whole() -> None:
    assert violations(page()) == []


def move(id: str, **by: float) -> Callable[[Json], None]:
    def change(page: Json) -> None:
        for key, value in by.items():
            item(page, id)[key] += value

    return change


def put(id: str, **what: Any) -> Callable[[Json], None]:
    return lambda page: item(page, id).update(what)


def bend(source: str, target: str, *points: tuple[float, float]) -> Callable[[Json], None]:
    return lambda page: way(page, source, target).update(points=[list(point) for point in points])


def relabel(source: str, target: str, *box: float) -> Callable[[Json], None]:
    return lambda page: way(page, source, target).update(label="8", label_box=list(box) or None)


def add(*edges: Json) -> Callable[[Json], None]:
    return lambda page: page["panels"][0]["edges"].extend(edges)


def of_page(change: Callable[[Json], Any]) -> Callable[[Json], None]:
    return lambda page: change(page) and None


BROKEN: dict[str, tuple[Callable[[Json], None], str]] = {
    "overlapping boxes": (move("f.b", y=-55), "f.a overlaps f.b"),
    "a badge on a box": (put("out", badge=[150, 525, 30, 50]), "g overlaps out"),
    "sheets on a box": (move("f", h=40), "f overlaps g"),
    "a child outside its frame": (move("f.a", x=-30), "f.a is not inside f"),
    "a child in a header": (move("f.a", y=-15), "f.a is not inside f"),
    "a badge outside a panel": (put("x", badge=[270, 95, 20, 10]), "x is not inside its panel"),
    "a panel outside the page": (of_page(lambda p: p.update(width=250)), "Net is not in the page"),
    "a legend on a panel": (
        of_page(lambda p: p["legend"][0].update(box=[70, 600, 40, 10])),
        "Net overlaps legend conv",
    ),
    "a heading on a panel": (of_page(lambda p: p["texts"][0].update(y=75)), "Net overlaps heading 'Net'"),
    "small print": (lambda p: item(p, "x")["texts"][0].update(size=8), "'x' is set in 8 px"),
    "an id twice": (lambda p: item(p, "out").update(id="x"), "ids are not unique"),
    "an edge to nothing": (add(edge("x", "y", (150, 140), (150, 180))), "x -> y ends at nothing"),
    "an edge out of its frame": (
        add(edge("x", "f.b", (150, 140), (150, 310))),
        "x -> f.b ends at f.b, which is not in the panel",
    ),
    "an edge that ends in the air": (
        bend("x", "f", (150, 140), (150, 170)),
        "x -> f does not end at the border of f",
    ),
    "an edge aslant": (bend("f.a", "f.b", (140, 260), (150, 310)), "f.a -> f.b runs aslant"),
    "an edge through a box": (
        bend("x", "out", (150, 140), (150, 145), (210, 145), (210, 590), (200, 590)),
        "x -> out runs through f",
    ),
    "an edge through its own end": (
        bend("x", "f", (150, 100), (150, 180)),
        "x -> f runs its own end x",
    ),
    "an edge through a badge": (
        bend("x", "out", (150, 140), (150, 145), (228, 145), (228, 590), (200, 590)),
        "x -> out runs through the badge of f",
    ),
    "an edge through a title": (
        bend("f.in", "f.a", (150, 208), (150, 195), (90, 195), (90, 230), (100, 230)),
        "f.in -> f.a leaves f, or runs through its title",
    ),
    "an edge to a port elsewhere": (
        lambda p: way(p, "f", "g").update(target_port="f.in"),
        "f -> g ends at f.in, which is no port of g",
    ),
    "an edge beside its port": (
        bend("f", "g", (150, 394), (150, 410), (140, 410), (140, 430)),
        "f -> g does not end where the port g>f is",
    ),
    "an edge through a group": (
        bend("x", "out", (150, 140), (150, 145), (250, 145), (250, 520), (210, 520), (210, 590), (200, 590)),
        "x -> out runs through g",
    ),
    "an edge out of its panel": (
        bend("x", "out", (150, 140), (150, 145), (290, 145), (290, 590), (200, 590)),
        "x -> out leaves its panel",
    ),
    "two edges in one track": (
        bend("x", "g", (150, 140), (240, 140), (240, 420), (151, 420), (151, 428), (210, 428), (210, 430)),
        "f -> g and x -> g share a stretch",
    ),
    "a label without a place": (relabel("g", "out"), "the label of g -> out has no place"),
    "a label on a box": (relabel("g", "out", 155, 560, 20, 15), "the label of g -> out lies on out"),
    "a label on a line": (
        relabel("g", "out", 240, 540, 20, 10),
        "the label of g -> out lies on x -> out",
    ),
    "a label on a label": (
        relabel("x", "out", 160, 152, 20, 10),
        "the labels of x -> f and x -> out overlap",
    ),
    "a label outside": (relabel("x", "out", 275, 300, 20, 10), "the label of x -> out is not inside"),
    "a bent spine": (move("f.b", spine=3), "no straight way leads from f.in to f.out"),
    "a long text": (lambda p: item(p, "x")["texts"][0].update(w=120), "'x' is not inside x"),
    "a title below its header": (
        lambda p: item(p, "f")["texts"][0].update(y=205),
        "'f' is not inside f",
    ),
    "texts on each other": (
        lambda p: item(p, "x")["texts"].append(text("64", 120, 112)),
        "'x' and '64' of x overlap",
    ),
    "what stands beside a circle on a line": (
        lambda p: item(p, "out").update(
            form="circle", condition="e", texts=[text("if e", 245, 585, 10)], spine=150
        ),
        "the label of out lies on x -> out",
    ),
    "a text under a badge": (
        put("x", badge=[130, 95, 20, 20]),
        "'x' lies under the badge of x",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_found(what: str) -> None:
    change, told = BROKEN[what]
    broken = page()
    change(broken)
    found = violations(broken)
    assert any(told in line for line in found), found


def test_columns_may_lie_beside_each_other() -> None:
    """Where a chart is in columns, its spine is straight in each."""
    found = page()
    panel = found["panels"][0]
    panel["exit"] = "out"
    panel["edges"] = [edge for edge in panel["edges"] if edge["target"] not in ("g", "a", "out")]
    panel["items"] = [item for item in panel["items"] if item["id"] not in ("g", "g>f", "g>x", "a")]
    item(found, "out").update(x=300, y=130, spine=350, texts=[])
    panel["edges"].append(
        edge("f", "out", (150, 394), (150, 500), (270, 500), (270, 110), (350, 110), (350, 130))
    )
    panel["w"], found["width"] = 400, 500
    assert violations(found) == ["Net: no straight way leads from x to out"]
    panel["columns"] = [[60, 260], [280, 460]]
    assert violations(found) == []
