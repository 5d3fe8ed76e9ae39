"""What a layout promises, checked on its json: `violations(page)` says what is broken.

Everything is looked at as rectangles `(left, top, right, bottom)` in px. Nothing here knows how a layout
is made, which way it runs, or what its items mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, pairwise
from typing import Any

Rectangle = tuple[float, float, float, float]
Point = tuple[float, float]
Json = dict[str, Any]

STRAIGHT = 1.0
"""As far as a spine may be from straight."""
SMALLEST = 9.0
"""The smallest size of a text."""
_TOUCH = 0.25
"""Rectangles that share less than this touch: numbers are rounded."""


def rectangle(box: Json | Iterable[float]) -> Rectangle:
    """An item, or `[x, y, w, h]`, as a rectangle."""
    x, y, w, h = (box["x"], box["y"], box["w"], box["h"]) if isinstance(box, dict) else box
    return x, y, x + w, y + h


def overlap(a: Rectangle, b: Rectangle, touch: float = _TOUCH) -> bool:
    return a[0] + touch < b[2] and b[0] + touch < a[2] and a[1] + touch < b[3] and b[1] + touch < a[3]


def inside(inner: Rectangle, outer: Rectangle, touch: float = _TOUCH) -> bool:
    return (
        inner[0] >= outer[0] - touch
        and inner[1] >= outer[1] - touch
        and inner[2] <= outer[2] + touch
        and inner[3] <= outer[3] + touch
    )


def crosses(a: Point, b: Point, box: Rectangle, less: float = 0.5) -> bool:
    """Does a horizontal or vertical stretch run through a rectangle, its border apart?"""
    return (
        min(a[0], b[0]) < box[2] - less
        and max(a[0], b[0]) > box[0] + less
        and min(a[1], b[1]) < box[3] - less
        and max(a[1], b[1]) > box[1] + less
    )


def segments(edge: Json) -> list[tuple[Point, Point]]:
    return [((a[0], a[1]), (b[0], b[1])) for a, b in pairwise(edge["points"])]


def violations(page: Json) -> list[str]:
    """All that is broken in a layout; empty where it keeps what it promises."""
    found = list(_page(page))
    for panel in page["panels"]:
        found += [f"{panel['id']}: {what}" for what in _Panel(panel).violations()]
    return found


def _page(page: Json) -> Iterator[str]:
    whole = (0.0, 0.0, page["width"], page["height"])
    panels = [(panel["id"], rectangle(panel)) for panel in page["panels"]]
    legend = [(f"legend {entry['text']}", rectangle(entry["box"])) for entry in page["legend"]]
    heading = [(f"heading {text['text']!r}", rectangle(text)) for text in page["texts"]]
    for name, box in [*panels, *legend, *heading]:
        if not inside(box, whole):
            yield f"{name} is not in the page: {box} of {whole}"
    for (one, a), (other, b) in combinations([*panels, *legend, *heading], 2):
        if overlap(a, b):
            yield f"{one} overlaps {other}"
    for text in _texts(page):
        if text["size"] < SMALLEST:
            yield f"{text['text']!r} is set in {text['size']} px"


def _texts(page: Json) -> Iterator[Json]:
    """All texts of a page."""
    yield from page["texts"]
    for part in [*page["legend"], *page["panels"]]:
        yield from part.get("texts", ())
    for panel in page["panels"]:
        for item in panel["items"]:
            yield from item["texts"]


class _Panel:
    """One panel: its items as a tree of frames, the panel itself the root, named None. Each frame is a
    world of its own, which its edges do not leave."""

    def __init__(self, panel: Json) -> None:
        self.panel = panel
        self.items: dict[str | None, Json] = {item["id"]: item for item in panel["items"]}
        self.boxes = {id: rectangle(item) for id, item in self.items.items()}
        self.inside: dict[str | None, list[Json]] = {None: []}
        for item in panel["items"]:
            self.inside.setdefault(item["parent"], []).append(item)
        self.edges: dict[str | None, list[Json]] = {}
        for edge in panel["edges"]:
            self.edges.setdefault(edge["parent"], []).append(edge)

    def violations(self) -> Iterator[str]:
        if len(self.items) != len(self.panel["items"]):
            yield "ids are not unique"
        for frame, items in self.inside.items():
            yield from self._overlaps(items)
            yield from self._borders(items, self._room(frame))
        for frame, edges in self.edges.items():
            right = []
            for edge in edges:
                wrong = list(self._ends(edge))
                yield from wrong
                right += [] if wrong else [edge]
            for edge in right:
                yield from self._way(edge)
            yield from self._shared(right)
            yield from self._labels(frame, right)
            yield from self._spine(frame, right)
        for item in self.panel["items"]:
            yield from self._texts(item)
        yield from self._own_texts(self.panel, _strip(self.panel))

    def _owner(self, frame: str | None) -> Json:
        return self.panel if frame is None else self.items[frame]

    def _room(self, frame: str | None) -> Rectangle:
        """Where the items of a frame may stand: below its header."""
        owner = self._owner(frame)
        left, top, right, bottom = rectangle(owner)
        return left, top + owner["header"], right, bottom

    def _whole(self, item: Json) -> Rectangle:
        """An item with the sheets behind it."""
        left, top, right, bottom = self.boxes[item["id"]]
        return left, top, right + item["sheets"], bottom + item["sheets"]

    def _parts(self, item: Json) -> list[Rectangle]:
        return [self._whole(item), *([rectangle(item["badge"])] if item["badge"] else [])]

    def _seen(self, frame: str | None) -> list[Json]:
        return [item for item in self.inside.get(frame, []) if item["form"] != "port"]

    # Items

    def _overlaps(self, items: list[Json]) -> Iterator[str]:
        """Neighbours do not overlap, nor do their badges and sheets."""
        seen = sorted((item for item in items if item["form"] != "port"), key=lambda item: item["x"])
        parts = [self._parts(item) for item in seen]
        for number, item in enumerate(seen):
            reach = max(part[2] for part in parts[number])
            for other, others in zip(seen[number + 1 :], parts[number + 1 :], strict=True):
                if other["x"] - 40 > reach:  # a badge looks out at the left by less
                    break
                if any(overlap(a, b) for a in parts[number] for b in others):
                    yield f"{item['id']} overlaps {other['id']}"

    def _borders(self, items: list[Json], room: Rectangle) -> Iterator[str]:
        for item in items:
            for part in self._parts(item):
                if not inside(part, room):
                    yield f"{item['id']} is not inside {item['parent'] or 'its panel'}: {part} of {room}"

    # Edges

    def _ends(self, edge: Json) -> Iterator[str]:
        """An edge joins items of its frame, from border to border, at the ports that it names."""
        name = _name(edge)
        if len(edge["points"]) < 2:
            yield f"{name} has no way"
            return
        for id, port, point in (
            (edge["source"], edge["source_port"], edge["points"][0]),
            (edge["target"], edge["target_port"], edge["points"][-1]),
        ):
            if id not in self.items:
                yield f"{name} ends at nothing"
                return
            item = self.items[id]
            if item["parent"] != edge["parent"]:
                yield f"{name} ends at {id}, which is not in {edge['parent'] or 'the panel'}"
            if not self._at_border(item, point):
                yield f"{name} does not end at the border of {id}"
            if port is not None:
                if port not in self.items or self.items[port]["parent"] != id:
                    yield f"{name} ends at {port}, which is no port of {id}"
                elif min(abs(a - b) for a, b in zip(point, self.boxes[port][:2], strict=True)) > STRAIGHT:
                    yield f"{name} does not end where the port {port} is"
        for a, b in segments(edge):
            if abs(a[0] - b[0]) > 0.1 and abs(a[1] - b[1]) > 0.1:
                yield f"{name} runs aslant from {a} to {b}"

    def _at_border(self, item: Json, point: list[float]) -> bool:
        """Is a point on the border of an item, or of the sheets behind it?"""
        x, y = point
        left, top, right, bottom = self.boxes[item["id"]]
        if item["form"] == "port":
            return abs(x - left) <= 0.6 and abs(y - top) <= 0.6
        far = item["sheets"] + 0.6
        if not (left - 0.6 <= x <= right + far and top - 0.6 <= y <= bottom + far):
            return False
        near = (abs(x - left), abs(y - top))
        return min(near) <= 0.6 or x >= right - 0.6 or y >= bottom - 0.6

    def _way(self, edge: Json) -> Iterator[str]:
        """An edge runs through nothing: no item, its own ends neither, no title, no badge."""
        name, frame = _name(edge), edge["parent"]
        ends = {edge["source"], edge["target"]}
        seen = self._seen(frame)
        badged = [*seen, *([self.items[frame]] if frame is not None else [])]
        badges = [(item["id"], rectangle(item["badge"])) for item in badged if item["badge"]]
        room = self._room(frame)
        for a, b in segments(edge):
            low = (min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
            if not inside(low, room, 0.6):
                yield f"{name} leaves {frame or 'its panel'}, or runs through its title: {a} to {b}"
            for item in seen:
                if crosses(a, b, self.boxes[item["id"]]):
                    what = "its own end" if item["id"] in ends else "through"
                    yield f"{name} runs {what} {item['id']}"
            for id, box in badges:
                if crosses(a, b, box):
                    yield f"{name} runs through the badge of {id}"

    def _shared(self, edges: list[Json]) -> Iterator[str]:
        """Edges that have no end in common share no stretch: one would be taken for the other."""
        for axis in (0, 1):
            lines: list[tuple[float, float, float, Json]] = []
            for edge in edges:
                for a, b in segments(edge):
                    if abs(a[axis] - b[axis]) < 0.1:
                        low, high = sorted((a[1 - axis], b[1 - axis]))
                        lines.append((a[axis], low, high, edge))
            lines.sort(key=lambda line: line[0])
            for number, (at, low, high, edge) in enumerate(lines):
                for near, start, end, other in lines[number + 1 :]:
                    if near - at >= 2:
                        break
                    if _point(edge, "source") == _point(other, "source"):
                        continue
                    if _point(edge, "target") == _point(other, "target"):
                        continue
                    if min(high, end) - max(low, start) > 1:
                        yield f"{_name(edge)} and {_name(other)} share a stretch"

    def _labels(self, frame: str | None, edges: list[Json]) -> Iterator[str]:
        """A label, or what stands beside a circle, lies on no item, no line and no other label."""
        room = self._room(frame)
        labels = [(_name(edge), rectangle(edge["label_box"])) for edge in edges if edge["label_box"]]
        labels += [(item["id"], rectangle(text)) for item in self._seen(frame) for text in _beside(item)]
        for edge in edges:
            if edge["label"] and not edge["label_box"]:
                yield f"the label of {_name(edge)} has no place"
        for name, box in labels:
            if not inside(box, room):
                yield f"the label of {name} is not inside {frame or 'its panel'}: {box} of {room}"
            for item in self._seen(frame):
                if any(overlap(box, part) for part in self._parts(item)):
                    yield f"the label of {name} lies on {item['id']}"
            for other in edges:
                if any(crosses(a, b, box, 0.1) for a, b in segments(other)):
                    yield f"the label of {name} lies on {_name(other)}"
        for (one, a), (other, b) in combinations(labels, 2):
            if overlap(a, b):
                yield f"the labels of {one} and {other} overlap"

    def _spine(self, frame: str | None, edges: list[Json]) -> Iterator[str]:
        """From entry to exit a straight way leads, if any leads there; of a chart in columns, one that
        is straight in each."""
        owner = self._owner(frame)
        entry, exit = owner["entry"], owner["exit"]
        edges = [edge for edge in edges if self._is_main(edge)]
        if entry is None or exit is None or exit not in _reached(entry, edges):
            return
        axis = 0 if self.panel["direction"] in ("TB", "BT") else 1
        columns = owner.get("columns") or []
        straight = []
        for edge in edges:
            places = [self.items[edge[end]]["spine"] for end in ("source", "target")]
            columned = len({_column(place, columns) for place in places}) > 1
            places += [point[axis] for point in edge["points"]]
            if columned or max(places) - min(places) <= STRAIGHT:
                straight.append(edge)
        if exit not in _reached(entry, straight):
            yield f"no straight way leads from {entry} to {exit}"

    def _is_main(self, edge: Json) -> bool:
        """Does an edge lead from the main output of an item to the main input of another?"""
        exit, entry = self.items[edge["source"]].get("exit"), self.items[edge["target"]].get("entry")
        comes, goes = edge["source_port"], edge["target_port"]
        return (exit is None or comes in (None, exit)) and (entry is None or goes in (None, entry))

    # Texts

    def _texts(self, item: Json) -> Iterator[str]:
        """An item's texts lie in it: a frame's in its header, a badge's in the badge."""
        room = self.boxes[item["id"]]
        if item["what"] == "frame":
            room = _strip(item)
        yield from self._own_texts(item, room)

    def _own_texts(self, owner: Json, room: Rectangle) -> Iterator[str]:
        texts = [text for text in owner.get("texts", []) if text not in _beside(owner)]
        badge = rectangle(owner["badge"]) if owner.get("badge") else None
        for text in texts:
            box = rectangle(text)
            if not inside(box, room) and not (badge and inside(box, badge)):
                yield f"{text['text']!r} is not inside {owner['id']}: {box} of {room}"
            if badge and not inside(box, badge) and overlap(box, badge):
                yield f"{text['text']!r} lies under the badge of {owner['id']}"
        for one, other in combinations(texts, 2):
            if overlap(rectangle(one), rectangle(other)):
                yield f"{one['text']!r} and {other['text']!r} of {owner['id']} overlap"


def _beside(item: Json) -> list[Json]:
    """The texts of a circle that has no room for them: when it is there."""
    if item.get("form") != "circle" or not item["condition"]:
        return []
    return [text for text in item["texts"] if text["text"].endswith(item["condition"])]


def _strip(frame: Json) -> Rectangle:
    """The header strip of a frame."""
    return frame["x"], frame["y"], frame["x"] + frame["w"], frame["y"] + frame["header"]


def _name(edge: Json) -> str:
    return f"{edge['source']} -> {edge['target']}"


def _column(place: float, columns: list[list[float]]) -> int:
    """The column that a place is in, by its number."""
    return next((number for number, (low, high) in enumerate(columns) if low <= place <= high), -1)


def _point(edge: Json, end: str) -> tuple[str, str | None]:
    """What an edge starts or ends at: an item, or one port of it."""
    return edge[end], edge[f"{end}_port"]


def _reached(start: str, edges: list[Json]) -> set[str]:
    after: dict[str, list[str]] = {}
    for edge in edges:
        after.setdefault(edge["source"], []).append(edge["target"])
    seen = {start}
    waiting = [start]
    while waiting:
        for target in after.get(waiting.pop(), []):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen
