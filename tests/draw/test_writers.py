"""The formats: what every viewer can read, the same bytes every time."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path

import pytest

import archc
from archc.draw.draw import BINARY, ENDINGS, FORMATS, draw, format_of
from archc.draw.formats.marking import marks
from archc.draw.formats.marks import Group, Text, bounds, flat
from archc.draw.formats.palette import DARK, LIGHT, colours
from archc.draw.formats.sheet import Page, sheet
from archc.draw.formats.svg import svg
from archc.draw.options import DEFAULTS, Options
from archc.draw.scene.items import Box, Frame, Scene
from archc.draw.scene.stage import scene
from archc.graph.ir import Graph

SVG = "{http://www.w3.org/2000/svg}"


def svg_of(graph: Graph, options: Options = DEFAULTS) -> ET.Element:
    return ET.fromstring(draw(graph, "svg", options))


def test_svg_is_well_formed_and_self_contained(model, level) -> None:
    text = draw(model.graph, "svg", Options(level=level))
    assert isinstance(text, str)
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg" and root.get("role") == "img" and root.get("aria-label")
    assert "var(" not in text and "@import" not in text
    assert not re.search(r'(href|src)="(?!#)', text), "it refers to nothing outside itself"
    assert not re.search(r"url\((?!#head-)", text)


def test_links_lead_to_insets_and_back(model, level) -> None:
    """Each link has its target; each inset leads back to a place that leads to it."""
    drawing = scene(model.graph, Options(level=level))
    root = ET.fromstring(svg(sheet(drawing)))
    named = {element.get("id", ""): element for element in root.iter() if element.get("id")}
    assert len(named) == sum(1 for element in root.iter() if element.get("id")), "no name twice"
    for element in root.iter(f"{SVG}a"):
        assert element.get("href", "")[1:] in named, element.get("href")
    for inset in drawing.insets:
        back = [link.get("href", "") for link in links(named[inset.id]) if title_of(link) == inset.title]
        assert back, f"{inset.id} is used nowhere"
        place = named[back[0][1:]]
        assert f"#{inset.id}" in {place.get("href"), *(link.get("href") for link in links(place))}


def links(element: ET.Element) -> list[ET.Element]:
    return list(element.iter(f"{SVG}a"))


def title_of(link: ET.Element) -> str:
    return "".join(text.text or "" for text in link.iter(f"{SVG}text"))


def test_every_item_of_the_main_chart_has_a_name_to_link_to(checked) -> None:
    drawing = scene(checked("encoder"))
    root = ET.fromstring(svg(sheet(drawing)))
    ids = {element.get("id") for element in root.iter()}
    seen = {i.id for i in drawing.main.walk() if isinstance(i, Frame) or i.form != "port"}
    assert seen <= ids


def test_hints_tell_the_path_and_the_line(checked) -> None:
    hints = {title.text for title in svg_of(checked("encoder")).iter(f"{SVG}title")}
    assert any(re.fullmatch(r"down\.2-3\.sampler · \S*nets\.yaml:\d+", hint or "") for hint in hints)


def test_the_encoder_fits_on_a_page(checked) -> None:
    text = draw(checked("encoder"), "svg")
    assert isinstance(text, str)
    root = ET.fromstring(text)
    assert len(text.encode()) <= 60_000
    assert int(root.get("width", "")) <= 1200 and int(root.get("height", "")) <= 1600


def test_no_text_is_small_and_all_is_inside_the_page(model, level) -> None:
    page = sheet(scene(model.graph, Options(level=level)))
    for mark in flat(marks(page)):
        if isinstance(mark, Text):
            assert mark.size >= 9, mark
        if not isinstance(mark, Group):
            left, top, right, bottom = bounds([mark])
            assert left >= 0 and top >= 0 and right <= page.width and bottom <= page.height, mark


def test_panels_do_not_overlap(model, level) -> None:
    page = sheet(scene(model.graph, Options(level=level)))
    for a, b in combinations(page.panels, 2):
        beside = a.x + a.area.w <= b.x or b.x + b.area.w <= a.x
        assert beside or a.y + a.area.h <= b.y or b.y + b.area.h <= a.y, (a.frame.id, b.frame.id)


def test_light_by_attributes_dark_by_one_style(model) -> None:
    assert LIGHT.keys() == DARK.keys()
    text = draw(model.graph, "svg")
    assert isinstance(text, str)
    assert text.count("<style>") == 1 and "prefers-color-scheme:dark" in text
    used = set(re.findall(r'class="([\w-]+)"', text))
    assert {"page", "input", "output", "data", "head-data", "s"} <= used
    for name in used & DARK.keys():
        assert f".{name}{{fill:{DARK[name].fill};stroke:{DARK[name].stroke}}}" in text
    styled = set(re.findall(r"\.([\w-]+)\{", text))
    assert used <= styled, "all that is drawn has a dark colour"
    root = ET.fromstring(text)
    above = {inner: outer for outer in root.iter() for inner in outer}
    for shape in root.iter():
        if shape.tag[len(SVG) :] in ("rect", "circle", "path"):
            told = {**above[shape].attrib, **shape.attrib}
            assert {"class", "fill"} <= told.keys() and (
                "stroke" in told or told["class"].startswith(("page", "head-"))
            )


def one(call: str) -> Graph:
    """The Graph of a block with one node."""
    return archc.graph(archc.text(ONE.replace("linear(8)", call)))


def test_a_colour_of_the_spec_is_honoured() -> None:
    text = draw(one("{call: linear(8), color: '#E11'}"), "svg")
    assert isinstance(text, str)
    light, dark = colours("#ee1111"), colours("#ee1111", dark=True)
    assert f'class="c-ee1111" fill="{light.fill}" stroke="{light.stroke}"' in text
    assert f".c-ee1111{{fill:{dark.fill};stroke:{dark.stroke}}}" in text
    assert 'class="linear"' not in text, "it is no kind of the legend's then"


def test_a_sheet_keeps_to_its_page(checked) -> None:
    drawing = scene(checked("encoder"))
    for page in (Page(), Page(880, 4000, turns=False)):
        found = sheet(drawing, page)
        assert found.width <= page.width and found.height <= page.height
    assert sheet(drawing, Page(4000, 900, turns=False)).width > 1200


@pytest.mark.parametrize("link", ["https://arxiv.org/abs/1505.04597?a=1&b=2", "notes.md#fc"])
def test_a_link_of_the_spec_leads_outside(link: str) -> None:
    drawn = svg_of(one(f"{{call: linear(8), link: '{link}'}}"))
    assert [element.get("href") for element in drawn.iter(f"{SVG}a")] == [link]


def test_a_link_runs_no_program() -> None:
    for link in ("javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x"):
        box = Box("fc", "fc", link=link)  # no spec may say so, and no scene gets by with it
        drawn = ET.fromstring(svg(sheet(Scene("A", [], Frame("A", "A", items=[box])))))
        assert not list(drawn.iter(f"{SVG}a")), link


def test_a_name_leads_outside_and_its_box_to_the_inset() -> None:
    inner = Frame("def-B", "B", items=[Box("x", "x")])
    box = Box("b", "b", "B", definition="def-B", link="https://example.org")
    drawn = ET.fromstring(svg(sheet(Scene("A", [], Frame("A", "A", items=[box]), [inner]))))
    by_link = {element.get("href"): title_of(element) for element in drawn.iter(f"{SVG}a")}
    assert by_link == {"#def-B": "B", "https://example.org": "b", "#b": "B"}
    nested = [a for a in drawn.iter(f"{SVG}a") for inside in a if list(inside.iter(f"{SVG}a"))]
    assert not nested, "no link within a link"


ONE = "archc: 1\nblocks: {A: {doc: d, inputs: {x: '[B, 8]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc}}}"


@pytest.mark.parametrize("format", FORMATS)
def test_bytes_are_the_same_every_time(checked, format: str) -> None:
    here = draw(checked("unet"), format)
    assert draw(checked("unet"), format) == here
    code = (
        "import sys, archc; from archc.draw.draw import draw; sys.path.insert(0, sys.argv[1]);"
        "from conftest import _graph; x = draw(_graph('unet'), sys.argv[2]);"
        "sys.stdout.buffer.write(x.encode() if isinstance(x, str) else x)"
    )
    words = [sys.executable, "-c", code, str(Path(__file__).parent), format]
    for seed in ("1", "2"):
        ended = subprocess.run(
            words, capture_output=True, check=True, env={**ENVIRONMENT, "PYTHONHASHSEED": seed}
        )
        assert ended.stdout == (here.encode() if isinstance(here, str) else here)


ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.mark.parametrize(
    ("label", "shown"),
    [('<b>\\"&', '<b>"&'), ("]]></svg>", "]]></svg>"), ("bell \\a\\0", "bell \ufffd\ufffd")],
)
def test_texts_are_escaped(label: str, shown: str) -> None:
    drawn = svg_of(one(f'{{call: linear(8), label: "{label}"}}'))
    assert shown in [element.text for element in drawn.iter(f"{SVG}text")]


def test_a_label_stands_on_one_line() -> None:
    graph = one('{call: linear(8), label: "two\\n  lines"}')
    for format, shown in {
        "svg": ">two lines</text>",
        "dot": "<b>two lines</b>",
        "html": '"two lines"',
    }.items():
        assert shown in draw(graph, format)  # type: ignore[operator]


def test_the_format_is_told_by_the_ending(tmp_path: Path) -> None:
    told = {"svg": "svg", "PNG": "png", "pdf": "pdf", "json": "json", "gv": "dot", "mmd": "mermaid"}
    assert {ending: format_of(Path(f"x.{ending}")) for ending in told} == told
    assert format_of(Path("x.bmp")) is None and format_of(Path("svg")) is None
    assert set(ENDINGS.values()) == set(FORMATS) and {"png", "pdf"} == BINARY
    archc.draw(archc.text(ONE), tmp_path / "a.mmd")
    assert (tmp_path / "a.mmd").read_text().startswith("%% Drawn by archc")
    with pytest.raises(ValueError, match="no format for .*bmp; there are svg, png, pdf"):
        archc.draw(archc.text(ONE), tmp_path / "a.bmp")


def test_large_charts_stay_in_proportion() -> None:
    """A chain of 1,000 nodes: its text grows with the number of nodes, not with the square."""
    sizes = []
    for count in (250, 1000):
        lines = "\n".join(f"      h{i + 1}: h{i} + h{max(i - 3, 0)} -> relu" for i in range(count))
        spec = f"archc: 1\nblocks:\n  A:\n    inputs: {{h0: '[B, 8]'}}\n    flow:\n{lines}\n"
        sizes.append(len(svg(sheet(scene(archc.graph(archc.text(spec)))))))
    assert 3 * sizes[0] < sizes[1] < 5 * sizes[0], sizes
