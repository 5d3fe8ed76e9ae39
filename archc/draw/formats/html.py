"""A diagram as one HTML file that opens and closes blocks: the data of every block, a picture for
readers without scripts, and the viewer in one plain script. It needs no network and asks for none."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from importlib.resources import files
from typing import Any

from archc.draw.formats.library import Library
from archc.draw.formats.palette import DARK_INKS, DASHES, LIGHT_INKS, Inks, colours, legend
from archc.draw.formats.sheet import sheet
from archc.draw.formats.svg import svg
from archc.draw.options import DEFAULTS, Options
from archc.draw.scene.items import Frame
from archc.draw.scene.stage import scene
from archc.graph.ir import Graph

_PAGE = """\
<!doctype html>
<!-- Drawn by archc -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'; script-src 'sha256-{hash}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="archc">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{colours}
{css}</style>
</head>
<body>
<main id="chart">
{picture}</main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""

_SCRIPTS = ("library.js", "layout.js", "shapes.js", "view.js", "panel.js", "moving.js", "controls.js")
"""The parts of the viewer's script, in order."""


def html(graph: Graph, options: Options = DEFAULTS) -> str:
    """The text of an HTML file that shows a Graph. `options` say what is open at first.

    Raises DrawError where it cannot be drawn as asked.
    """
    drawing = scene(graph, replace(options, insets=False))
    library = Library(graph, options)
    data = {
        "title": drawing.title,
        "facts": drawing.facts,
        "legend": legend(library.kinds, library.styles),
        "open": [item.id for item in drawing.main.walk() if isinstance(item, Frame)],
        **library.data(),
    }
    script = '\n(() => {\n"use strict";\n' + "\n".join(map(_packaged, _SCRIPTS)) + "})();\n"
    return _PAGE.format(
        hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        title=escape(drawing.title),
        colours="\n".join(_colours(sorted(library.kinds - {"input", "output"}))),
        css=_packaged("viewer.css"),
        picture=svg(sheet(drawing)),
        data=_embedded(data),
        script=script,
    )


def _packaged(name: str) -> str:
    return files("archc.draw.formats").joinpath("viewer", name).read_text("utf-8")


def _embedded(data: Any) -> str:
    """JSON that can stand in a page: no text in it ends the script that it stands in."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


# Colours


def _colours(inks: list[str]) -> Iterator[str]:
    """The palette as rules: light on paper, else as the system or the reader's choice says."""
    inks = [*inks, "input", "output", "circle", "frame", "deep", "badge", "dots"]
    yield f":root{{color-scheme:light;{_values(LIGHT_INKS, inks, False)}}}"
    dark = f"color-scheme:dark;{_values(DARK_INKS, inks, True)}"
    yield f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
    yield f"@media screen{{:root[data-theme=dark]{{{dark}}}}}"
    for ink in inks:
        name = ink.lstrip("#")
        yield f".ink-{name}{{fill:var(--{name});stroke:var(--{name}-line)}}"


def _values(lines: Inks, inks: list[str], dark: bool) -> str:
    values = {
        "page": lines.page,
        "text": lines.text,
        "small": lines.small,
        "on-badge": lines.on_badge,
        **{style: lines[style] for style in DASHES},
        "rule": "#334155" if dark else "#cbd5e1",
        "raised": "#131c2b" if dark else "#ffffff",
        "focus": "#38bdf8" if dark else "#0369a1",
        "hit": "#facc15" if dark else "#ca8a04",
    }
    for ink in inks:
        both = colours(ink, dark)
        values[ink.lstrip("#")] = both.fill
        values[f"{ink.lstrip('#')}-line"] = both.stroke
    return ";".join(f"--{name}:{value}" for name, value in values.items())
