"""The layout of a diagram as JSON: every item, edge and text with its place, in px from the top left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from archc.draw.formats.marking import box_words, frame_words, heading, legend_word, wire_words
from archc.draw.formats.marks import Text
from archc.draw.formats.sheet import Panel, Sheet
from archc.draw.layout.layout import Area, Place, Wire
from archc.draw.layout.measure import HEADER, SMALL, badge_box, sheets
from archc.draw.scene.items import Box, Frame

VERSION = 1


def layout_json(sheet: Sheet) -> str:
    """The layout of a sheet, one item or edge a line.

    Items and edges are in the order of drawing. `parent` is the frame that holds them, null where the
    panel itself does; `header` is the height of a frame's strip that no edge crosses.
    """
    page = {
        "archc": VERSION,
        "drawn": "Drawn by archc",
        "title": sheet.title,
        "facts": sheet.facts,
        "width": sheet.width,
        "height": sheet.height,
        "texts": _texts(heading(sheet)),
        "legend": [
            {"what": entry.what, "text": entry.name}
            | {"box": _numbers((entry.x, entry.y - SMALL, entry.w, SMALL * 1.25))}
            | {"texts": _texts([legend_word(entry)])}
            for entry in sheet.legend
        ],
    }
    head = json.dumps(page, ensure_ascii=False)[:-1]
    panels = ",\n".join(_panel(panel) for panel in sheet.panels)
    return f'{head}, "panels": [\n{panels}\n]}}\n'


def _texts(texts: list[Text]) -> list[dict[str, Any]]:
    return [
        {"text": text.text}
        | dict(zip("xywh", _numbers(text.box), strict=True))
        | {"size": _n(text.size), "bold": text.bold}
        for text in texts
    ]


def _numbers(values: tuple[float, ...]) -> list[float]:
    return [_n(value) for value in values]


def _panel(panel: Panel) -> str:
    frame, area = panel.frame, panel.area
    across = panel.x if panel.upright else panel.y
    told = {
        "id": frame.id,
        "title": frame.title,
        "note": frame.note,
        "main": panel.main,
        "header": 0 if panel.main else HEADER,
        "x": _n(panel.x),
        "y": _n(panel.y),
        "w": _n(area.w),
        "h": _n(area.h),
        "direction": panel.direction,
        "spine": _n(across + area.spine),
        "texts": [] if panel.main else _texts(frame_words(panel.place)),
        "entry": frame.entry,
        "exit": frame.exit,
        "columns": [_numbers((start + across, end + across)) for start, end in area.columns],
        "copies": frame.copies,
        "parameters": frame.parameters,
        **_source(frame),
    }
    items, edges = [], []
    for what in _walk(panel, area, panel.x, panel.y, None):
        (items if "what" in what else edges).append(json.dumps(what, ensure_ascii=False))
    head = json.dumps(told, ensure_ascii=False)[:-1]
    return f'{head}, "items": [\n{_lines(items)}], "edges": [\n{_lines(edges)}]}}'


def _lines(parts: list[str]) -> str:
    return ",\n".join(parts)


def _walk(panel: Panel, area: Area, x: float, y: float, parent: str | None) -> Iterator[dict[str, Any]]:
    for place in area.places:
        yield _item(panel, place, x, y, parent)
        if place.inside is not None:
            yield from _walk(panel, place.inside, x + place.x, y + place.y, place.item.id)
    for wire in area.wires:
        yield _edge(wire, x, y, parent)


def _item(panel: Panel, place: Place, x: float, y: float, parent: str | None) -> dict[str, Any]:
    item = place.item
    is_box = isinstance(item, Box)
    details = item.details
    place = replace(place, x=x + place.x, y=y + place.y)
    return {
        "id": item.id,
        "what": "box" if is_box else "frame",
        "form": item.form if is_box else "frame",
        "title": item.title,
        "detail": item.detail if is_box else item.note,
        "kind": item.kind if is_box else "frame",
        "x": _n(place.x),
        "y": _n(place.y),
        "w": _n(place.w),
        "h": _n(place.h),
        "header": 0 if is_box else HEADER,
        "spine": _n(place.spine + (x if panel.upright else y)),
        "badge": _numbers(badge_box(place.x, place.y, place.w, item)) if item.copies > 1 else None,
        "sheets": _n(sheets(item.copies)),
        "texts": _texts(box_words(place) if is_box else frame_words(place)),
        "copies": item.copies,
        "first": item.first,
        "parallel": isinstance(item, Frame) and item.parallel,
        "parameters": item.parameters,
        "nodes": list(item.nodes),
        "block": item.block,
        "operator": item.operator if is_box else None,
        "of": item.of if is_box else None,
        "dotted": item.dotted,
        "condition": item.condition,
        "shared": item.shared,
        "together": is_box and item.together,
        "definition": item.definition,
        "entry": None if is_box else item.entry,
        "exit": None if is_box else item.exit,
        "group": item.group if is_box else item.graph is None,
        "parent": parent,
        **_source(item),
        "link": item.link,
        "color": item.color if is_box else None,
        "type": details.type,
        "flops": details.flops,
        "weights": list(details.weights),
        "doc": details.doc,
    }


def _edge(wire: Wire, x: float, y: float, parent: str | None) -> dict[str, Any]:
    edge = wire.edge
    return {
        "source": edge.source,
        "target": edge.target,
        "source_port": edge.source_port or None,
        "target_port": edge.target_port or None,
        "style": edge.style,
        "label": edge.label,
        "points": [[_n(x + px), _n(y + py)] for px, py in wire.points],
        "label_box": next((_numbers(text.box) for text in wire_words(wire, x, y)), None),
        "parent": parent,
    }


def _source(item: Box | Frame) -> dict[str, Any]:
    """Where the spec says it."""
    if item.span is None:
        return {"file": None, "line": None}
    return {"file": item.span.source.name, "line": item.span.line}


def _n(value: float) -> float:
    """A coordinate, to a hundredth; whole ones without a fraction."""
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded
