"""A scene as mermaid text: blocks are subgraphs, and edges go to subgraphs' names.

mermaid forgets a subgraph's direction where an edge goes to something in it; hence edges end at the
opened block itself, whose ports are drawn in it where there is more to tell than its border does.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from archc.draw.formats.chart import Label, Names, Ways, address, box_label, frame_label, is_port, one_line
from archc.draw.formats.palette import LIGHT, colours, spec_ink
from archc.draw.limits import TooLarge
from archc.draw.scene.items import Box, Direction, Edge, Frame, Scene

MOST_EDGES, MOST_CHARACTERS = 500, 50_000
"""mermaid refuses a chart of more, wherever a page does not raise its `maxEdges` and `maxTextSize`."""

_SETTINGS = (
    '%%{init: {"htmlLabels": true, "flowchart": {"htmlLabels": true, "padding": 12, "nodeSpacing": 30, '
    '"rankSpacing": 32, "wrappingWidth": 600, "subGraphTitleMargin": {"top": 4, "bottom": 8}}}}%%'
)
_FORMS = {
    "card": ('("', '")'),
    "strip": ('("', '")'),
    "pill": ('("', '")'),
    "port": ('("', '")'),
    "dots": ('["', '"]'),
    "circle": ('(("', '"))'),
    "tag": ('>"', '"]'),
}
_REPEATED = ('[["', '"]]')
_ARROWS = {"data": "-->", "residual": "-->", "optional": "-.->"}
# Colours that are read on a light and on a dark page alike: boxes are light with dark texts, frames
# a veil over the page, whose blocks have the page's own ink.
_INK = "#0f172a"
_CLASSES = {kind: f"fill:{c.fill},stroke:{c.stroke},color:{_INK}" for kind, c in LIGHT.items()} | {
    "frame": "fill:#94a3b81f,stroke:#94a3b8",
    "group": "fill:none,stroke:#94a3b8,stroke-dasharray:5 4",
    "pill": "rx:20,ry:20",
    "maybe": "stroke-dasharray:2 3",
    "dots": "fill:none,stroke:none",
}
_RESIDUAL = "stroke:#8b5cf6,stroke-width:1.5px,stroke-dasharray:6 4"


def mermaid(scene: Scene) -> str:
    """The text of a `.mmd` file, for a Markdown document or mermaid itself.

    The insets follow the main chart as subgraphs, as many as mermaid's limits leave room for. Raises
    TooLarge where the main chart alone is beyond them.
    """
    for count in range(len(scene.insets), -1, -1):
        chart = _Chart(scene, scene.insets[:count])
        text = chart.text()
        length = len(text.encode("utf-16-le")) // 2  # as JavaScript counts
        sizes = {"edges": (chart.edges, MOST_EDGES), "characters": (length, MOST_CHARACTERS)}
        over = [
            f"{most:,} {unit}, this chart has {size:,}" for unit, (size, most) in sizes.items() if size > most
        ]
        if not over:
            return text
    raise TooLarge(f"mermaid holds at most {over[0]}")


@dataclass(frozen=True, slots=True)
class _Panel:
    """The main chart or an inset: its direction, its edges, and what tells its items from others'."""

    direction: Direction
    ways: Ways
    prefix: str


class _Chart:
    def __init__(self, scene: Scene, insets: list[Frame]) -> None:
        self.names = Names()
        self.body: list[str] = []
        self.kinds: set[str] = set()
        self.classes: dict[str, list[str]] = {}
        self.styles: list[str] = []
        self.clicks: list[str] = []
        self.edges = 0
        self.residuals: list[int] = []
        direction = scene.directions.get(scene.main.id, "TB")
        missing = len(scene.insets) - len(insets)
        facts = [*scene.facts, *([f"mermaid has no room for {missing} more blocks"] if missing else [])]
        self.body += ["%% Drawn by archc", _SETTINGS, f"flowchart {direction}"]
        self.body.append(f"  accTitle: {_hint(scene.title)}")
        if facts:
            self.body.append(f"  accDescr: {_hint(' · '.join(facts))}")
        main = _Panel(direction, Ways(scene.main), "")
        blocks = Counter(inset.block for inset in insets)
        # mermaid sets what is not connected from right to left: what comes last stands at the left.
        # All of a row are as high as the highest of it, the main chart in the first: hence few rows.
        rows = max(1, round((len(insets) / 2) ** 0.5))
        columns = [insets[start : start + rows] for start in range(0, len(insets), rows)]
        for column in reversed(columns):
            for inset in column:
                turned = scene.directions.get(inset.id, direction)
                own = inset.block if inset.block and blocks[inset.block] == 1 else inset.id
                panel = _Panel(turned, Ways(inset), f"{own}.")
                self._subgraph(inset, panel, "  ", frame_label(inset), inset.id)
            for above, below in pairwise(column):
                self.body.append(f"  {self.names[above.id]} ~~~ {self.names[below.id]}")
                self.edges += 1
        if insets:
            self._subgraph(scene.main, main, "  ", Label(scene.title, facts), "main")
        else:
            self._fill(scene.main, main, "  ")

    def text(self) -> str:
        lines = [
            f"  classDef {name} {style}"
            for name, style in _CLASSES.items()
            if name in self.kinds or name in self.classes
        ]
        lines += [f"  class {','.join(members)} {name}" for name, members in sorted(self.classes.items())]
        lines += self.styles
        if self.residuals:
            lines.append(f"  linkStyle {','.join(map(str, self.residuals))} {_RESIDUAL}")
        return "\n".join([*self.body, *lines, *self.clicks]) + "\n"

    # Items

    def _subgraph(self, frame: Frame, panel: _Panel, indent: str, label: Label, id: str) -> None:
        name = self.names[id]
        self.body.append(f'{indent}subgraph {name}["{_header(label, address(frame))}"]')
        if frame.graph is not None or not any(map(is_port, frame.items)):
            # mermaid cuts an edge at the border of a subgraph that says its direction; edges go into a
            # group, which has the direction of what is around it then.
            self.body.append(f"{indent}  direction {panel.direction}")
        self._fill(frame, panel, indent + "  ")
        self.body.append(f"{indent}end")
        self._of_class("group" if frame.graph is None else "frame", name)
        if frame.dotted:
            self._of_class("maybe", name)

    def _fill(self, frame: Frame, panel: _Panel, indent: str) -> None:
        for item in frame.items:
            if isinstance(item, Frame):
                self._subgraph(item, panel, indent, frame_label(item), panel.prefix + item.id)
            elif item.form != "port" or item.id in panel.ways.shown:
                self._box(item, self.names[panel.prefix + item.id], indent)
        for edge in panel.ways.edges(frame):
            self._edge(edge, panel, indent)

    def _box(self, box: Box, name: str, indent: str) -> None:
        before, after = _REPEATED if box.copies > 1 and box.form == "card" else _FORMS[box.form]
        kind = box.form if box.form in ("circle", "dots") else box.kind
        self.kinds.add(kind)
        self.body.append(f"{indent}{name}{before}{_label(box_label(box))}{after}:::{kind}")
        if box.form in ("pill", "port"):
            self._of_class("pill", name)
        if box.dotted:
            self._of_class("maybe", name)
        ink = spec_ink(box.color)
        if ink:
            own = colours(ink)
            self.styles.append(f"  style {name} fill:{own.fill},stroke:{own.stroke}")
        link = address(box)
        if link:
            doc = _hint(_ENDS.sub(r"\1 ", box.details.doc))
            hint = f' "{doc}"' if doc else ""
            self.clicks.append(f'  click {name} "{link}"{hint}')

    def _of_class(self, kind: str, name: str) -> None:
        self.classes.setdefault(kind, []).append(name)

    def _edge(self, edge: Edge, panel: _Panel, indent: str) -> None:
        source, target = (self.names[panel.prefix + end] for end in (edge.source, edge.target))
        label = panel.ways.label(edge)
        label = f'|"{_text(label)}"|' if label else ""
        self.body.append(f"{indent}{source} {_ARROWS[edge.style]}{label} {target}")
        if edge.style == "residual":
            self.residuals.append(self.edges)
        self.edges += 1


def _label(label: Label) -> str:
    name = f"<b>{_text(label.name)}</b>" if label.name else ""
    beside = f"<small>{_text(' · '.join(label.beside))}</small>" if label.beside else ""
    first = " ".join(text for text in (name, beside) if text)
    return "<br/>".join([first, *(f"<small>{_text(text)}</small>" for text in label.below)])


def _header(label: Label, link: str) -> str:
    """A subgraph's title, with spaces that do not break: older versions make no room for two lines."""
    name, note = (_text(text).replace(" ", "\u00a0") for text in (label.name, " · ".join(label.beside)))
    name = f"<b>{name}</b>"
    if link:
        name = f"<a href='{link}' style='color:inherit'>{name}</a>"
    return name + (f"\u00a0<small>{note}</small>" if note else "")


def _text(text: str) -> str:
    """A text as mermaid shows it in a label, where it would take signs for its own: exactly that text
    from mermaid 11.16 on; older ones take some of Markdown's signs for theirs all the same.

    >>> _text('a_b < "c" #1, `d` 2 * 3')
    'a_b #lt; #quot;c#quot; #35;1, #96;d#96; 2 #42; 3'
    """
    return _SPLIT.sub(lambda found: found[0] + "<i></i>", _hint(text))


def _hint(text: str) -> str:
    """A text where there is no markup: a chart's title, or what is seen on hover."""
    return _OWN.sub(lambda found: _ENTITIES.get(found[0], f"#{ord(found[0])};"), one_line(text))


# The ligature stands for mermaid's entities while it works.
_ENTITIES = {"&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "\ufb02": "fl"}
_OWN = re.compile(
    r"""[#&"<>`*\\~$%\ufb02]   # HTML's, Markdown's, KaTeX' and comments' signs
    | (?<!\w)_ | _(?!\w)      # Markdown's too, but for those in a word
    | (?<=[a-z]):(?=\S) | (?<=www)\. | (?<=\w)@  # addresses, and icons: `fa:fa-car`
    | ^[-+](?=\s|$) | (?<=^\d)[.)](?=\s|$) | (?<=^\d\d)[.)](?=\s|$)  # lists""",
    re.VERBOSE,
)
# Signs that are read together after the entities are resolved: formulas, icons, line breaks.
_SPLIT = re.compile(r"#36;(?=#36;)|#58;|#92;(?=n)")
# What would end a comment or an element keeps a text from being seen on hover.
_ENDS = re.compile(r"(--!?|\]|<)(?=[>/])")
