"""Frames of any acyclic graph, with all that a scene can hold, for tests of layouts."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from archc.draw.scene.items import Box, Edge, Frame, Item

FORMS = ["card", "card", "pill", "circle", "circle", "strip", "dots"]
STYLES = ["data", "data", "data", "residual", "optional"]
LABELS = ["64", "64 x H x W", "a very long label of an edge"]


def random_frame(random: Random, count: int) -> Frame:
    """A panel's frame of `count` boxes and frames in frames, beside its inputs, outputs and name tags."""
    return _Making(random, "", 0).frame(count)


@dataclass
class _Making:
    random: Random
    path: str
    depth: int

    def frame(self, count: int) -> Frame:
        ins, outs = self._ends("in"), self._ends("out")
        self.edges: list[Edge] = []
        self.tags: list[Box] = []
        self.told: set[str] = set()
        middle: list[Item] = []
        for number in range(count):
            item = self._item(f"{self.path}n{number}")
            self._lead_to(item, [*ins, *middle])
            middle.append(item)
        for out in outs:
            if self.random.random() < 0.9:
                self._join(self.random.choice([*ins, *middle][-4:]), out.id)
        items: list[Item] = [*ins, *middle, *outs]
        for tag in self.tags:
            items.insert(self.random.randint(0, len(items)), tag)
        entry = ins[0].id if self.random.random() < 0.8 else None
        exit = outs[0].id if self.random.random() < 0.8 else None
        distinct = {(e.source, e.target, e.source_port, e.target_port): e for e in self.edges}
        return Frame(
            self.path or "f", "frame", items=items, edges=[*distinct.values()], entry=entry, exit=exit
        )

    def _ends(self, which: str) -> list[Box]:
        """Inputs or outputs: pills of a panel, ports of a frame inside."""
        kind = f"{which}put"
        ids = [f"{self.path}{which}{number}" for number in range(self.random.choice([1, 1, 2, 3]))]
        if self.depth:
            return [Box(id, "", kind=kind, form="port") for id in ids]
        return [Box(id, "x" * self.random.randint(1, 8), "3 x H", kind, "pill") for id in ids]

    def _item(self, id: str) -> Item:
        random = self.random
        copies, dotted, condition = (
            random.choice([1, 1, 1, 4]),
            random.random() < 0.2,
            random.choice(["", "so"]),
        )
        if self.depth < 2 and random.random() < 0.2:
            frame = _Making(random, f"{id}.", self.depth + 1).frame(random.randint(1, 4))
            frame.id, frame.title, frame.copies = id, "t" * random.randint(1, 20), copies
            frame.note, frame.parallel = random.choice(["", "12,345 each"]), random.random() < 0.3
            frame.dotted, frame.condition = dotted, condition
            return frame
        form = random.choice(FORMS)
        title = "+" if form == "circle" else "n" * random.randint(1, 14)
        box = Box(id, title, random.choice(["", "detail"]), form=form, dotted=dotted, condition=condition)  # type: ignore[arg-type]
        box.copies = copies if form in ("card", "pill", "strip") else 1
        box.parameters = random.choice([None, 1234567])
        return box

    def _lead_to(self, item: Item, before: list[Item]) -> None:
        random = self.random
        if isinstance(item, Frame):
            for port in (box for box in item.items if isinstance(box, Box) and box.kind == "input"):
                if random.random() < 0.15 and port.form == "port":
                    self._tag(item.id, port.id)
                elif random.random() < 0.9 and port.form == "port":
                    self._join(random.choice(before), item.id, port.id)
            return
        most = 1 if item.form == "dots" else random.choice([0, 1, 1, 1, 2, 3, 5])
        for source in random.sample(before, min(len(before), most)):
            self._join(source, item.id)
        for _ in range(0 if item.form == "dots" else random.choice([0, 0, 0, 1, 2, 4])):
            self._tag(item.id)

    def _tag(self, target: str, port: str = "") -> None:
        id = f"{target}<{len(self.tags)}"
        self.tags.append(
            Box(id, "emb" * self.random.randint(1, 3), self.random.choice(["", "512"]), form="tag")
        )
        self.edges.append(Edge(id, target, "", self.random.choice(STYLES), "", port))  # type: ignore[arg-type]

    def _join(self, source: Item, target: str, port: str = "") -> None:
        out = ""
        if isinstance(source, Frame):
            ports = [box for box in source.items if isinstance(box, Box) and box.form == "port"]
            out = self.random.choice([box.id for box in ports if box.kind == "output"])
        label = ""
        if source.id not in self.told and self.random.random() < 0.4:
            self.told.add(source.id)
            label = self.random.choice(LABELS)
        self.edges.append(Edge(source.id, target, label, self.random.choice(STYLES), out, port))  # type: ignore[arg-type]
