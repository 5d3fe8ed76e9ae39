"""Graphviz charts: Graphviz reads them, and shows what the scene says."""

from __future__ import annotations

import json
import os
import re
import shutil
import string
import subprocess
import sysconfig
import xml.etree.ElementTree as ET
from collections import Counter
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archc.draw.formats.dot import dot
from archc.draw.options import Options
from archc.draw.scene.items import Box, Details, Edge, Frame, Scene
from archc.draw.scene.stage import scene
from archc.graph.compile import outline

from .scenes import BLOCKS, GRAPH, IN, OUT, chart, opened

PROGRAMS = {
    name: shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))
    for name in ("dot", "graphviz-pure")
}


@pytest.fixture(params=PROGRAMS)
def program(request) -> str:
    found = PROGRAMS[request.param]
    if found is None:
        pytest.skip(f"{request.param} is not installed")
    return found


@pytest.fixture
def one_program() -> str:
    found = [path for path in PROGRAMS.values() if path]
    if not found:
        missing = "Graphviz is not installed"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    return found[0]


def read(program: str, text: str) -> Any:
    """What Graphviz makes of a text, as its json; not one warning."""
    ended = subprocess.run([program, "-Tjson0"], input=text.encode(), capture_output=True)
    told = [row for row in ended.stderr.decode().splitlines() if "width of non-ASCII" not in row]
    assert ended.returncode == 0 and not told, told
    return json.loads(ended.stdout)


def nodes(found: Any) -> list[Any]:
    return [item for item in found.get("objects", []) if not item["name"].startswith("cluster")]


def clusters(found: Any) -> dict[str, Any]:
    return {item["name"]: item for item in found.get("objects", []) if item["name"].startswith("cluster")}


def seen_edges(found: Any) -> list[Any]:
    return [edge for edge in found.get("edges", []) if edge.get("style") != "invis"]


# Every chart of the specs


def test_graphviz_reads_what_the_scene_says(one_program: str, model, level) -> None:
    draws(one_program, scene(model.graph, Options(level=level)))


@pytest.mark.parametrize("address", BLOCKS.values(), ids=BLOCKS)
def test_graphviz_reads_every_block_that_nobody_gave_numbers(one_program: str, address: str) -> None:
    drawn_from = outline(address).graph
    assert drawn_from is not None
    for level in (None, 0, 1):
        draws(one_program, scene(drawn_from, Options(level=level)))


def draws(program: str, drawing: Scene) -> None:
    """Does Graphviz draw all that a scene has?"""
    found = read(program, dot(drawing))
    items = [item for panel in drawing.panels for item in panel.walk()]
    boxes = [plain(box.title) for box in items if isinstance(box, Box) and box.form != "port"]
    names = [plain(re.sub(r"</b>.*", "", node["label"]).removeprefix("<b>")) for node in nodes(found)]
    assert not Counter(boxes) - Counter(names)
    frames = sum(isinstance(item, Frame) for item in items) + len(drawing.insets)
    assert len(clusters(found)) == frames


def test_both_programs_read_the_same(model) -> None:
    if not all(PROGRAMS.values()):
        pytest.skip("one of the programs is not installed")
    text = dot(scene(model.graph))
    first, second = (read(str(path), text) for path in PROGRAMS.values())
    for part in (nodes, seen_edges):
        assert Counter(item.get("label") for item in part(first)) == Counter(
            item.get("label") for item in part(second)
        )


def plain(text: str) -> str:
    return " ".join(unescape(text).split())


# Single things


def test_a_box_tells_all_of_itself(program: str) -> None:
    box = Box("a", "attn", "Attn 64", "attention", parameters=1200, copies=3, dotted=True, condition="deep")
    box.link, box.details = "#attn-block", Details(doc='Attends\nto "all"')
    (node,) = nodes(read(program, dot(chart(box))))
    small = '<font point-size="9" color="#475569">'
    assert node["label"] == (
        f"<b>attn</b> {small}1.2k · ×3</font><br/>{small}Attn 64</font><br/>{small}if deep</font>"
    )
    assert node["peripheries"] == "2"
    assert node["style"] == "filled,rounded,dotted"
    assert (node["URL"], node["tooltip"]) == ("#attn-block", "a · Attends to &quot;all&quot;")
    assert (node["fillcolor"], node["color"]) == ("#fae8ff", "#a21caf")


@pytest.mark.parametrize(
    "form, shape",
    [("card", "box"), ("pill", "box"), ("circle", "circle"), ("tag", "cds"), ("dots", "plain")],
)
def test_forms(program: str, form, shape: str) -> None:
    (node,) = nodes(read(program, dot(chart(Box("a", "⋮", form=form)))))
    assert node["shape"] == shape


def test_a_colour_of_the_spec(program: str) -> None:
    (node,) = nodes(read(program, dot(chart(Box("a", "a", color="#f00")))))
    assert node["fillcolor"] == "#ffe0e0"


def test_styles_of_edges(program: str) -> None:
    a, b, plus = Box("a", "a"), Box("b", "b"), Box("plus", "+", form="circle")
    edges = [Edge("a", "b"), Edge("a", "plus", style="residual"), Edge("b", "plus", "64", style="optional")]
    data, residual, optional = seen_edges(read(program, dot(chart(a, b, plus, edges=edges))))
    assert "style" not in data
    assert (residual["style"], residual["color"]) == ("dashed", "#7c3aed")
    assert optional["style"] == "dotted" and ">64<" in optional["label"]


@pytest.mark.parametrize("direction", ["TB", "BT", "LR", "RL"])
def test_direction(program: str, direction) -> None:
    drawing = chart(Box("a", "a"), Box("b", "b"))
    drawing.directions["Net"] = direction
    ends = [tuple(map(float, node["pos"].split(","))) for node in nodes(read(program, dot(drawing)))]
    (ax, ay), (bx, by) = ends
    assert {"TB": ay > by, "BT": ay < by, "LR": ax < bx, "RL": ax > bx}[direction]


def test_title_and_facts(program: str) -> None:
    assert "<b>Net</b>" in (label := read(program, dot(chart(Box("a", "a"))))["label"])
    assert "12 params" in label


# Blocks


def ends(found: Any) -> set[tuple[str, str, str | None, str | None]]:
    names = {item["_gvid"]: item["name"] for item in found["objects"]}
    return {
        (names[edge["tail"]], names[edge["head"]], edge.get("ltail"), edge.get("lhead"))
        for edge in seen_edges(found)
    }


def test_edges_are_cut_at_the_border_of_a_block(program: str) -> None:
    edges = [Edge("f.x", "f.n"), Edge("f.n", "f.c"), Edge("f.c", "f.out:")]
    found = read(program, dot(opened(IN, OUT, edges=edges)))
    assert ends(found) == {
        ("a", "n", None, "cluster_f"),
        ("n", "c", None, None),
        ("c", "z", "cluster_f", None),
    }
    assert "<b>block</b>" in clusters(found)["cluster_f"]["label"]
    assert "×2 · 1,200 each" in clusters(found)["cluster_f"]["label"]


def test_a_port_where_more_starts_is_a_node(program: str) -> None:
    edges = [
        Edge("f.x", "f.n"),
        Edge("f.n", "f.c"),
        Edge("f.x", "f.c", style="residual"),
        Edge("f.c", "f.out:"),
    ]
    found = ends(read(program, dot(opened(IN, OUT, edges=edges))))
    assert {("a", "x", None, None), ("x", "n", None, None), ("x", "c", None, None)} <= found


def test_a_block_in_a_block(program: str) -> None:
    """An edge to the outer block is cut at its border, though it goes on to what is in the inner."""
    inner = Frame("f.g", "inner", items=[Box("f.g.x", "x", form="port", kind="input"), Box("f.g.a", "deep")])
    inner.graph, inner.edges = GRAPH, [Edge("f.g.x", "f.g.a")]
    outer = Frame(
        "f", "outer", items=[IN, inner], edges=[Edge("f.x", "f.g", target_port="f.g.x")], graph=GRAPH
    )
    found = read(program, dot(chart(Box("b", "b"), outer, edges=[Edge("b", "f", target_port="f.x")])))
    assert ends(found) == {("b", "a", None, "cluster_f")}


def test_an_empty_block(program: str) -> None:
    found = read(program, dot(chart(Box("a", "a"), Frame("f", "empty", graph=GRAPH), Box("z", "z"))))
    assert len(seen_edges(found)) == 2 and "cluster_f" in clusters(found)


def test_groups_are_dashed_and_edges_go_into_them(program: str) -> None:
    group = Frame("g", "qkv", items=[Box("g>x", "", form="port", kind="input"), Box("q", "q"), Box("k", "k")])
    group.edges = [Edge("g>x", "q"), Edge("g>x", "k")]
    found = read(program, dot(chart(Box("a", "a"), group, edges=[Edge("a", "g", target_port="g>x")])))
    assert ends(found) == {("a", "q", None, None), ("a", "k", None, None)}
    assert clusters(found)["cluster_g"]["style"] == "rounded,dashed"


def test_insets_are_clusters_of_their_own(program: str) -> None:
    inset = Frame("def-B", "B", items=[Box("a", "a"), Box("b", "b")], edges=[Edge("a", "b")])
    other = Frame("def-C", "C", items=[Box("a", "a")])
    row = [Box(f"n{number}", "n") for number in range(9)]
    found = read(program, dot(chart(Box("a", "a"), *row, insets=[inset, other])))
    assert len(nodes(found)) == 13
    boxes = {name: [float(at) for at in item["bb"].split(",")] for name, item in clusters(found).items()}
    assert boxes["cluster_def_C"][3] <= boxes["cluster_def_B"][1], "one stands below the other"


# Texts

AWKWARD = [
    "<b>x</b>",
    "&lt; &amp;#65; &",
    "\\N \\G \\l \\\\",
    "\\",
    'a "quoted" \\"text\\"',
    "{a|b}",
    "한국어 模型 É 😀",
    "<<x>>",
    "-> -- ; // /* #",
    "]]> <!-- -->",
    "'",
]
letters = st.characters(exclude_categories=["C", "Z"], include_characters=" ")
hostile = st.one_of(
    st.text(letters, min_size=1, max_size=12),
    st.text(st.sampled_from(string.punctuation + "NGELTH "), min_size=1, max_size=12),
).map(lambda text: " ".join(text.split()))


@settings(max_examples=25)
@given(st.lists(hostile.filter(bool), min_size=1, max_size=12))
@example(AWKWARD)
def test_graphviz_shows_exactly_the_text(one_program: str, texts: list[str]) -> None:
    boxes = [Box(text, text, text, details=Details(doc=text), link="#x") for text in dict.fromkeys(texts)]
    frame = Frame("f", texts[0], texts[-1], items=[Box("z", "z")], link="#f")
    drawing = chart(frame, *boxes, edges=[Edge(boxes[0].id, "f", texts[0])])
    drawing.title, drawing.facts = texts[0], texts
    program = [one_program, "-q", "-Tsvg"]
    root = ET.fromstring(subprocess.check_output(program, input=dot(drawing).encode()))
    svg, title = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}title"
    shown = [words("".join(element.itertext())) for element in root.iter(f"{svg}text")]
    wanted = Counter(2 * [words(box.title) for box in boxes])
    wanted += Counter([words(texts[0]), words(texts[0]), words(texts[-1]), "z"])
    assert not wanted - Counter(shown)
    assert words(" · ".join(texts)).replace(" ", "") in "".join(shown).replace(" ", "")
    hints = {words(element.get(title, "")) for element in root.iter(f"{svg}a")}
    assert {words(f"{box.id} · {box.details.doc}") for box in boxes} <= hints


def words(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


@given(st.lists(st.text(max_size=8), unique=True, max_size=20))
@example(["node", "edge", "graph", "digraph", "subgraph", "strict", "a:b", "a:n", "", "1", "한"])
@settings(max_examples=25)
def test_ids_are_distinct(one_program: str, ids: list[str]) -> None:
    found = read(one_program, dot(chart(*(Box(id, "x") for id in ids))))
    assert len(nodes(found)) == len(ids)
    assert len(seen_edges(found)) == max(len(ids) - 1, 0)


def test_a_link_runs_no_script(one_program: str) -> None:
    (node,) = nodes(read(one_program, dot(chart(Box("a", "a", link=" JavaScript:alert(1)")))))
    assert "URL" not in node


def test_the_text_says_who_drew_it(checked, tmp_path: Path) -> None:
    text = dot(scene(checked("encoder")))
    assert text.startswith("// Drawn by archc")
    assert text == dot(scene(checked("encoder")))
