"""The layout as JSON: all that is drawn is told, with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import archc
from archc.draw.draw import draw
from archc.draw.formats.layout_json import layout_json
from archc.draw.formats.marking import marks
from archc.draw.formats.marks import Group, Line, Rect, Text, flat
from archc.draw.formats.sheet import sheet
from archc.draw.options import Options
from archc.draw.scene.items import Box, Edge, Frame, Scene
from archc.draw.scene.stage import scene

TEXT = {"text": str, "x": float, "y": float, "w": float, "h": float, "size": float, "bold": bool}
PAGE = {
    "archc": int,
    "drawn": str,
    "title": str,
    "facts": [str],
    "width": int,
    "height": int,
    "texts": [TEXT],
}
PLACE = {
    "id": str,
    "title": str,
    "x": float,
    "y": float,
    "w": float,
    "h": float,
    "header": float,
    "spine": float,
}
TOLD = {
    "spine": float,
    "copies": int,
    "parameters": (int, None),
    "file": (str, None),
    "line": (int, None),
    "texts": [TEXT],
}
TOLD |= {"entry": (str, None), "exit": (str, None)}
PANEL = PLACE | TOLD | {"note": str, "main": bool, "direction": str}
ITEM = (
    PLACE
    | TOLD
    | {"what": str, "form": str, "detail": str, "kind": str, "first": int, "parallel": bool, "nodes": [int]}
    | {"dotted": bool, "condition": str, "shared": bool, "definition": (str, None), "parent": (str, None)}
    | {"type": str, "flops": str, "weights": [str], "doc": str, "group": bool, "badge": ([float], None)}
    | {"sheets": float, "link": (str, None), "color": (str, None)}
)
EDGE = {
    "source": str,
    "target": str,
    "style": str,
    "label": str,
    "points": [[float]],
    "label_box": ([float], None),
    "parent": (str, None),
}


def check(value: Any, schema: Any, where: str) -> None:
    """Does a value have the keys and types of a schema? Further keys are welcome."""
    match schema:
        case dict():
            for key, inner in schema.items():
                assert key in value, f"{where} lacks {key}"
                check(value[key], inner, f"{where}.{key}")
        case [inner]:
            assert isinstance(value, list), where
            for number, one in enumerate(value):
                check(one, inner, f"{where}[{number}]")
        case (inner, None):
            if value is not None:
                check(value, inner, where)
        case _:
            numbers = (int, float) if schema is float else schema
            assert isinstance(value, numbers) and (schema is bool or not isinstance(value, bool)), where


def layout(graph, level: int | None) -> dict[str, Any]:
    return json.loads(draw(graph, "json", Options(level=level)))


def test_everything_has_its_keys(model, level) -> None:
    page = layout(model.graph, level)
    assert page["archc"] == 1
    check(page, PAGE, "page")
    for panel in page["panels"]:
        check(panel, PANEL, panel["id"])
        check(panel["items"], [ITEM], f"{panel['id']}.items")
        check(panel["edges"], [EDGE], f"{panel['id']}.edges")


def test_it_tells_every_text_that_is_drawn(model, level) -> None:
    page = layout(model.graph, level)
    drawn = list(flat(marks(sheet(scene(model.graph, Options(level=level))))))
    wanted = [(mark.text, *(round(v, 2) for v in mark.box)) for mark in drawn if isinstance(mark, Text)]
    told = [(text["text"], *(text[side] for side in "xywh")) for text in texts(page)]
    assert sorted(told) == sorted(wanted)
    lines = [mark for mark in drawn if isinstance(mark, Line)]
    assert sum(len(panel["edges"]) for panel in page["panels"]) == len(lines) - styles(page)


DOTTED = """\
archc: 1
blocks:
  Net:
    params: {wide: bool = false}
    inputs: {x: "[B, C]"}
    nodes: {fc: {call: linear(C), when: wide}}
    flow: {y: x -> fc}
"""


def test_a_dotted_box_is_in_the_legend_without_a_dotted_edge_too() -> None:
    for settings, wanted in (({}, ["linear", "data", "optional"]), ({"wide": True}, ["linear", "data"])):
        page = json.loads(archc.draw(archc.text(DOTTED), format="json", unbound=True, **settings))
        assert [entry["text"] for entry in page["legend"]] == wanted


def test_sizes_that_nobody_knows_have_no_numbers() -> None:
    nets = Path(__file__).parents[2] / "specs" / "vq" / "nets.yaml"
    page = json.loads(archc.draw(f"{nets}#SamplerBlock", format="json"))
    out = next(item for item in page["panels"][0]["items"] if item["id"] == "out:out")
    assert out["type"] == "[B, c_out, ?, ?]"


def texts(part: Any) -> Iterator[dict[str, Any]]:
    """All texts of a page; an edge's label as one."""
    if isinstance(part, dict):
        if part.get("label_box"):
            x, y, w, h = part["label_box"]
            yield {"text": part["label"], "x": x, "y": y, "w": w, "h": h}
        yield from part.get("texts", [])
        for inner in part.values():
            yield from texts(inner)
    elif isinstance(part, list):
        for inner in part:
            if not isinstance(inner, dict) or "bold" not in inner:
                yield from texts(inner)


def styles(page: dict[str, Any]) -> int:
    return sum(entry["what"] == "style" for entry in page["legend"])


def test_places_are_absolute_and_in_the_order_of_drawing() -> None:
    inner = Frame("f", "f", items=[Box("f.a", "a"), Box("f.b", "b")], edges=[Edge("f.a", "f.b", "8")])
    main = Frame("m", "m", items=[inner, Box("c", "c", copies=3)], edges=[Edge("f", "c")])
    drawing = sheet(Scene("m", [], main))
    (panel,) = json.loads(layout_json(drawing))["panels"]
    assert [item["id"] for item in panel["items"]] == ["f", "f.a", "f.b", "c"]
    assert [item["parent"] for item in panel["items"]] == [None, "f", "f", None]
    rects = [mark for mark in flat(marks(drawing)) if isinstance(mark, Rect)]
    for item in panel["items"]:
        here = [r for r in rects if (r.x, r.y) == pytest.approx((item["x"], item["y"]), abs=0.01)]
        assert [(r.w, r.h) for r in here] == [pytest.approx((item["w"], item["h"]), abs=0.01)], item["id"]
    last = panel["items"][-1]
    assert last["sheets"] == 8 and last["badge"] is not None and panel["items"][1]["badge"] is None
    (edge,) = [edge for edge in panel["edges"] if edge["parent"] == "f"]
    assert edge["points"][0][1] == pytest.approx(panel["items"][1]["y"] + panel["items"][1]["h"])
    assert edge["label_box"][2:] == [pytest.approx(5.28, abs=0.01), 9.5]


def test_anchors_of_links_are_ids_of_items(checked) -> None:
    drawing = sheet(scene(checked("encoder")))
    (main, *_) = json.loads(layout_json(drawing))["panels"]
    ids = {item["id"] for item in main["items"]}
    anchors = {m.anchor for m in flat(marks(drawing)) if isinstance(m, Group) and m.anchor}
    assert {anchor for anchor in anchors if not anchor.startswith("def-")} <= ids
