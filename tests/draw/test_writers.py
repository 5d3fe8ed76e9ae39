"""The formats: what every viewer can read, the same bytes every time."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import archc
from archc.draw.formats import FORMATS, draw, format_of
from archc.draw.options import Options
from archc.draw.palette import DARK, LIGHT
from archc.draw.sheet import sheet
from archc.draw.stage import scene
from archc.draw.svg import svg

SVG = "{http://www.w3.org/2000/svg}"


def test_svg_is_well_formed_and_self_contained(model, level) -> None:
    text = draw(model.graph, "svg", Options(level))
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert "var(" not in text
    assert not re.search(r'(href|src)="(?!#)', text), "it refers to nothing outside itself"
    ids = {element.get("id") for element in root.iter() if element.get("id")}
    links = {element.get("href", "")[1:] for element in root.iter(f"{SVG}a")}
    assert links <= ids or any("not shown" in (e.text or "") for e in root.iter(f"{SVG}text"))


def test_the_encoder_fits_on_a_page(checked) -> None:
    text = draw(checked("encoder"), "svg")
    root = ET.fromstring(text)
    assert len(text.encode()) <= 60_000
    assert int(root.get("width", "")) <= 1200 and int(root.get("height", "")) <= 1600
    sizes = [float(element.get("font-size", "")) for element in root.iter(f"{SVG}text")]
    assert min(sizes) >= 9


def test_everything_is_inside_the_page(model) -> None:
    root = ET.fromstring(draw(model.graph, "svg"))
    width, height = float(root.get("width", "")), float(root.get("height", ""))

    def walk(element: ET.Element, dx: float, dy: float) -> None:
        shift = re.match(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
        if shift:
            dx, dy = dx + float(shift[1]), dy + float(shift[2])
        if element.tag == f"{SVG}rect" and element.get("class") != "page":
            x, y = float(element.get("x", "")) + dx, float(element.get("y", "")) + dy
            assert x >= 0 and x + float(element.get("width", "")) <= width
            assert y >= 0 and y + float(element.get("height", "")) <= height
        for child in element:
            walk(child, dx, dy)

    walk(root, 0, 0)


def test_light_by_attributes_dark_by_one_style() -> None:
    assert LIGHT.keys() == DARK.keys()
    text = archc.draw(archc.text(ONE))
    assert text.count("<style>") == 1 and "prefers-color-scheme:dark" in text
    used = set(re.findall(r'class="([\w-]+)"', text))
    assert {"linear", "input", "output", "data", "s"} <= used
    for name in used & DARK.keys():
        assert f".{name}{{fill:{DARK[name].fill};stroke:{DARK[name].stroke}}}" in text
    styled = set(re.findall(r"\.([\w-]+)\{", text))
    assert used <= styled, "all that is drawn has a dark colour"


ONE = "archc: 1\nblocks: {A: {doc: d, inputs: {x: '[B, 8]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc}}}"


@pytest.mark.parametrize("format", FORMATS)
def test_bytes_are_the_same_every_time(checked, format: str) -> None:
    here = draw(checked("unet"), format)
    assert draw(checked("unet"), format) == here
    code = (
        "import sys, archc; from archc.draw.formats import draw; sys.path.insert(0, sys.argv[1]);"
        "from conftest import _graph; sys.stdout.buffer.write(draw(_graph('unet'), sys.argv[2]).encode())"
    )
    words = [sys.executable, "-c", code, str(Path(__file__).parent), format]
    for seed in ("1", "2"):
        ended = subprocess.run(
            words, capture_output=True, check=True, env={**ENVIRONMENT, "PYTHONHASHSEED": seed}
        )
        assert ended.stdout.decode() == here


ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2])}


def test_texts_are_escaped() -> None:
    spec = ONE.replace("fc: linear(8)", "fc: {call: linear(8), label: '<b>\"&'}")
    text = archc.draw(archc.text(spec))
    assert "&lt;b&gt;" in text
    ET.fromstring(text)
    mermaid = archc.draw(archc.text(spec), format="mermaid")
    assert "#lt;b#gt;#quot;&" in mermaid


def test_dot_has_a_cluster_for_every_opened_block(checked) -> None:
    text = draw(checked("encoder"), "dot")
    assert text.startswith("// Drawn by archc")
    assert text.count("subgraph") == 3 + 3 + 1 + 3  # levels, layers, mid, insets
    assert "style=dashed" in text and "ltail=" in text


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_dot_is_read_by_graphviz(model) -> None:
    subprocess.run(
        ["dot", "-Tcanon"], input=draw(model.graph, "dot"), text=True, check=True, capture_output=True
    )


MERMAID_LINE = re.compile(
    r"""\s*(
        %%.* | flowchart\ TB | direction\ TB | end
        | subgraph\ n\d+\["[^"]*"\]
        | n\d+(\["[^"]*"\] | \(\["[^"]*"\]\) | \(\("[^"]*"\)\) | >"[^"]*"\])
        | n\d+\ (-->|-\.->)(\|"[^"]*"\|)?\ n\d+
        | classDef\ \w+\ [\w#:,]+ | class\ n\d+(,n\d+)*\ \w+
    )""",
    re.VERBOSE,
)


def test_mermaid_lines_are_of_its_grammar(model, level) -> None:
    text = draw(model.graph, "mermaid", Options(level))
    for line in text.splitlines():
        assert MERMAID_LINE.fullmatch(line), line
    assert text.count("subgraph") == sum(line.strip() == "end" for line in text.splitlines())


def test_mermaid_edges_go_to_subgraphs(checked) -> None:
    lines = draw(checked("encoder"), "mermaid").splitlines()
    frames = {m[1] for line in lines if (m := re.match(r"\s*subgraph (\w+)", line))}
    ends = {end for line in lines if (m := re.match(r"\s*(\w+) -.*[>|] (\w+)$", line)) for end in m.groups()}
    assert frames & ends


def test_the_format_is_told_by_the_ending(tmp_path: Path) -> None:
    assert [format_of(Path(f"x.{e}")) for e in ("svg", "dot", "gv", "mmd", "png")] == [
        "svg",
        "dot",
        "dot",
        "mermaid",
        None,
    ]
    archc.draw(archc.text(ONE), tmp_path / "a.mmd")
    assert (tmp_path / "a.mmd").read_text().startswith("%% Drawn by archc")
    with pytest.raises(ValueError, match="no format for .*bmp; there are svg, dot, mermaid"):
        archc.draw(archc.text(ONE), tmp_path / "a.bmp")


def test_large_charts_stay_in_proportion() -> None:
    """A chain of 1,000 nodes: its text grows with the number of nodes, not with the square."""
    sizes = []
    for count in (250, 1000):
        lines = "\n".join(f"      h{i + 1}: h{i} + h{max(i - 3, 0)} -> relu" for i in range(count))
        spec = f"archc: 1\nblocks:\n  A:\n    inputs: {{h0: '[B, 8]'}}\n    flow:\n{lines}\n"
        sizes.append(len(svg(sheet(scene(archc.graph(archc.text(spec)))))))
    assert 3 * sizes[0] < sizes[1] < 5 * sizes[0], sizes
