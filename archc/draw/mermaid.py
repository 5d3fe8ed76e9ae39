"""A scene's main chart as mermaid text: blocks are subgraphs, and edges go to subgraphs' ids."""

from __future__ import annotations

from archc.draw.measure import badge_text, count_text
from archc.draw.palette import KINDS, LIGHT
from archc.draw.scene import Box, Frame, Scene

_FORMS = {
    "card": ('["', '"]'),
    "pill": ('(["', '"])'),
    "circle": ('(("', '"))'),
    "tag": ('>"', '"]'),
}
_ARROWS = {"data": "-->", "residual": "-.->", "optional": "-.->"}


def mermaid(scene: Scene) -> str:
    """The text of a `.mmd` file, for a Markdown document or mermaid itself."""
    return "\n".join(_Chart(scene).lines) + "\n"


class _Chart:
    def __init__(self, scene: Scene) -> None:
        self.names: dict[str, str] = {}
        self.boxes: list[Box] = []
        facts = " · ".join([scene.title, *scene.facts])
        self.lines = [f"%% Drawn by archc: {facts}", "flowchart TB"]
        self._fill(scene.main, "    ")
        for kind in [*KINDS, "input", "output"]:
            members = [self._id(box.id) for box in self.boxes if box.kind == kind and box.form != "circle"]
            if members:
                colours = LIGHT[kind]
                self.lines.append(
                    f"    classDef {kind} fill:{colours.fill},stroke:{colours.stroke},color:#0f172a"
                )
                self.lines.append(f"    class {','.join(members)} {kind}")

    def _fill(self, frame: Frame, indent: str) -> None:
        # A port of an opened block is its border: mermaid draws that edge to the subgraph.
        ports = {item.id for item in frame.items if isinstance(item, Box) and item.form == "port"}
        for item in frame.items:
            if isinstance(item, Frame):
                self.lines.append(f'{indent}subgraph {self._id(item.id)}["{_text(_title(item))}"]')
                self.lines.append(f"{indent}    direction TB")
                self._fill(item, indent + "    ")
                self.lines.append(f"{indent}end")
            elif item.id not in ports:
                before, after = _FORMS[item.form]
                self.lines.append(f"{indent}{self._id(item.id)}{before}{_label(item)}{after}")
                self.boxes.append(item)
        for edge in frame.edges:
            if edge.source in ports or edge.target in ports:
                continue
            label = f'|"{_text(edge.label)}"|' if edge.label else ""
            self.lines.append(
                f"{indent}{self._id(edge.source)} {_ARROWS[edge.style]}{label} {self._id(edge.target)}"
            )

    def _id(self, id: str) -> str:
        """A short id that is no word of mermaid's."""
        return self.names.setdefault(id, f"n{len(self.names)}")


def _title(frame: Frame) -> str:
    parts = [frame.title, badge_text(frame.copies, frame.parallel) if frame.copies > 1 else "", frame.note]
    return "  ".join(part for part in parts if part)


def _label(box: Box) -> str:
    first = " ".join(part for part in (box.title, count_text(box)) if part)
    if box.copies > 1:
        first += f" {badge_text(box.copies)}"
    return "<br/>".join(_text(part) for part in (first, box.detail) if part)


def _text(text: str) -> str:
    """A text as mermaid takes it between quotes. Signs alone would be read as Markdown lists."""
    for plain, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        text = text.replace(plain, entity)
    return {"+": "#43;", "−": "−", "*": "#42;"}.get(text, text)
