"""Mermaid charts: mermaid itself reads them, and shows what the scene says."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archc.draw.formats.mermaid import MOST_CHARACTERS, MOST_EDGES, mermaid
from archc.draw.limits import TooLarge
from archc.draw.options import Options
from archc.draw.scene.items import Box, Details, Edge, Frame, Scene
from archc.draw.scene.stage import scene
from archc.graph.compile import outline
from archc.graph.ir import Graph

from .mermaid_browser import Mermaid, Rendered, mermaid_page
from .scenes import BLOCKS, GRAPH, IN, OUT, chart, opened


@pytest.fixture(scope="module")
def page() -> Iterator[Mermaid]:
    with mermaid_page() as page:
        yield page


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def shown(drawing: Scene) -> tuple[Counter[str], Counter[str]]:
    """The names of the boxes and of the frames that a scene has, ports apart."""
    items = [item for panel in drawing.panels for item in panel.walk()]
    boxes = Counter(item.title for item in items if isinstance(item, Box) and item.form != "port")
    frames = Counter(item.title for item in items if isinstance(item, Frame))
    if drawing.insets:
        frames += Counter([drawing.title, *(inset.title for inset in drawing.insets)])
    return boxes, frames


def written(text: str) -> tuple[int, int, int]:
    """How many nodes, subgraphs and edges a text has."""
    rows = lines(text)
    nodes = sum(bool(re.match(r'\w+(\[\["|\["|\("|\(\("|>")', row)) for row in rows)
    edges = sum(bool(re.match(r"\w+ (-->|-\.->)", row)) for row in rows)
    return nodes, sum(row.startswith("subgraph ") for row in rows), edges


# Every chart of the specs


def test_mermaid_draws_what_the_scene_says(page: Mermaid, model, level) -> None:
    drawing, text = drawn(model.graph, level)
    draws(page, drawing, text)


def draws(page: Mermaid, drawing: Scene, text: str) -> None:
    """Does mermaid draw all that a scene has?"""
    seen = page.render(text)
    nodes, subgraphs, edges = written(text)
    assert (len(seen.nodes), len(seen.clusters), seen.edges) == (nodes, subgraphs, edges)
    boxes, frames = shown(drawing)
    names = Counter(title for node in seen.nodes for title in boxes if begins(node, title))
    assert not boxes - names, "each box is a node that begins with its name"
    headers = Counter(title for cluster in seen.clusters for title in frames if begins(cluster, title))
    assert not frames - headers
    labels = Counter(
        edge.label for panel in drawing.panels for frame in frames_of(panel) for edge in frame.edges
    )
    assert {label for label in labels if label} <= {part for text in seen.labels for part in parts(text)}


def drawn(graph: Graph, level: int | None) -> tuple[Scene, str]:
    """The scene and the chart of a level, or of the deepest below that mermaid holds."""
    drawing = scene(graph, Options(level=level, insets=level is None))
    try:
        return drawing, mermaid(drawing)
    except TooLarge:
        assert level, "what is chosen by default, and a closed chart, are never too large"
        return drawn(graph, level - 1)


def begins(text: str, title: str) -> bool:
    plain, title = " ".join(text.split()), " ".join(title.split())
    return plain == title or plain.startswith(f"{title} ") or not title


def parts(label: str) -> list[str]:
    """A label, and what of it follows the name of a port."""
    plain = " ".join(label.split())
    return [plain, *(plain[found.end() :] for found in re.finditer(" · ", plain))]


def frames_of(panel: Frame) -> list[Frame]:
    return [panel, *(item for item in panel.walk() if isinstance(item, Frame))]


@pytest.mark.parametrize("address", BLOCKS.values(), ids=BLOCKS)
def test_mermaid_draws_every_block_that_nobody_gave_numbers(page: Mermaid, address: str) -> None:
    drawn_from = outline(address).graph
    assert drawn_from is not None
    for level in (None, 1):
        draws(page, *drawn(drawn_from, level))


# Single things


def test_a_box_tells_its_name_count_repeats_and_condition(page: Mermaid) -> None:
    box = Box("a", "attn", "Attn 64", "attention", parameters=1200, copies=3, dotted=True, condition="deep")
    text = mermaid(chart(box))
    assert page.render(text).nodes == ["attn 1.2k · ×3\nAttn 64\nif deep"]
    assert "class a maybe" in lines(text)
    assert 'a[["' in text, "a repeated block has a frame of its own"


@pytest.mark.parametrize(
    "form, before", [("card", '("'), ("pill", '("'), ("circle", '(("'), ("tag", '>"'), ("strip", '("')]
)
def test_forms(page: Mermaid, form, before: str) -> None:
    text = mermaid(chart(Box("a", "silu", form=form)))
    assert f"a{before}" in text
    assert page.render(text).nodes == ["silu"]


def test_dots_between_copies(page: Mermaid) -> None:
    row = [Box("a", "layer[0]"), Box("b", "⋮", form="dots"), Box("c", "layer[n - 1]")]
    seen = page.render(mermaid(chart(*row)))
    assert seen.nodes == ["layer[0]", "⋮", "layer[n - 1]"]
    assert seen.edges == 2


def test_styles_of_edges(page: Mermaid) -> None:
    a, b, plus = Box("a", "a"), Box("b", "b"), Box("plus", "+", form="circle")
    edges = [Edge("a", "b"), Edge("a", "plus", style="residual"), Edge("b", "plus", "64", style="optional")]
    text = mermaid(chart(a, b, plus, edges=edges))
    rows = lines(text)
    assert rows[-1].startswith("linkStyle 1 stroke:")
    assert 'b -.->|"64"| plus' in rows
    seen = page.render(text)
    assert seen.labels == ["64"]
    assert "stroke-dasharray:6 4" in seen.svg.replace(": ", ":")


def test_a_block_that_repeats_in_parallel(page: Mermaid) -> None:
    frame = Frame("b", "branch", "1,200 each", 4, True, [Box("b.a", "a")], graph=GRAPH)
    frame.dotted, frame.condition = True, "wide"
    text = mermaid(chart(frame))
    assert page.render(text).clusters == ["branch ×4 parallel · if wide · 1,200 each"]
    assert "class b maybe" in lines(text)


def test_links(page: Mermaid) -> None:
    boxes = [
        Box("a", "a", link="#resnet-block", details=Details(doc='Two "stages"\nof it')),
        Box("b", "b", link='https://x.org/?a=1&b="2"#c d'),
    ]
    frame = Frame("f", "f", items=[Box("f.a", "inner")], link="#mid")
    plain = Frame("g", "g", items=[Box("g.a", "inner")])
    seen = page.render(mermaid(chart(*boxes, frame, plain)))
    assert sorted(seen.links) == ["#mid", "#resnet-block", "https://x.org/?a=1&b=%222%22#c%20d"]
    assert seen.hints == ['Two "stages" of it']
    assert len(seen.inks) == 1, "a title has the page's ink, link or not"


def test_a_link_runs_no_script(page: Mermaid) -> None:
    seen = page.render(mermaid(chart(Box("a", "a", link="javascript:alert(1)"))))
    assert not any("alert" in (link or "") for link in seen.links)


def test_colours(page: Mermaid) -> None:
    text = mermaid(chart(Box("a", "a", kind="conv"), Box("b", "b", color="#ff0000")))
    assert "classDef conv fill:#dbeafe,stroke:#2563eb,color:#0f172a" in lines(text)
    assert "classDef norm" not in text, "only what occurs"
    (style,) = (row for row in lines(text) if row.startswith("style b "))
    assert re.fullmatch(r"style b fill:#[0-9a-f]{6},stroke:#[0-9a-f]{6}", style)
    page.render(text)


def test_title_and_facts_are_read_out(page: Mermaid) -> None:
    drawing = Scene('A "b" <c>', ["3 × H", "#1"], Frame("A", "A", items=[Box("a", "a")]))
    seen = page.render(mermaid(drawing))
    assert (seen.title, seen.description) == ('A "b" <c>', "3 × H · #1")


# Where edges end


def test_edges_go_to_subgraphs_and_a_plain_port_is_the_border(page: Mermaid) -> None:
    edges = [Edge("f.x", "f.n"), Edge("f.n", "f.c"), Edge("f.c", "f.out:")]
    text = mermaid(opened(IN, OUT, edges=edges))
    assert {"a --> f", "f --> z", "n --> c"} <= set(lines(text))
    assert page.render(text).nodes == ["norm", "conv", "a", "z"] or written(text) == (4, 1, 3)


def test_a_residual_from_the_border_starts_at_the_input() -> None:
    edges = [
        Edge("f.x", "f.n"),
        Edge("f.n", "f.c"),
        Edge("f.x", "f.c", style="residual"),
        Edge("f.c", "f.out:"),
    ]
    rows = lines(mermaid(opened(IN, OUT, edges=edges)))
    assert {"x --> n", "x --> c", "a --> f", "f --> z"} <= set(rows)
    assert any(row.startswith('x("<b>x</b>")') for row in rows)
    assert not any(row.startswith("out") for row in rows)


def test_several_inputs_are_told_apart() -> None:
    time = Box("f.t", "time", form="port", kind="input")
    drawing = opened(IN, time, OUT, edges=[Edge("f.x", "f.n"), Edge("f.t", "f.c"), Edge("f.c", "f.out:")])
    drawing.main.edges.insert(1, Edge("a", "f", "512", target_port="f.t"))
    rows = lines(mermaid(drawing))
    assert {'a -->|"x"| f', 'a -->|"time · 512"| f', "t --> c", "f --> z"} <= set(rows)


def test_an_input_that_is_given_out_as_it_is() -> None:
    rows = lines(mermaid(opened(IN, OUT, edges=[Edge("f.x", "f.out:"), Edge("f.n", "f.c")])))
    assert "x --> out" in rows


def test_edges_into_groups_go_to_what_is_in_them(page: Mermaid) -> None:
    inner = Frame("h", "inner", items=[Box("h>x", "", form="port", kind="input"), Box("v", "v")])
    inner.edges = [Edge("h>x", "v", style="optional")]
    group = Frame("g", "qkv", items=[Box("g>x", "", form="port", kind="input"), Box("q", "q"), inner])
    group.items.append(Box("g<q", "", form="port", kind="output"))
    group.edges = [Edge("g>x", "q"), Edge("g>x", "h", target_port="h>x"), Edge("q", "g<q")]
    edges = [Edge("a", "g", "64", target_port="g>x"), Edge("g", "z", source_port="g<q")]
    text = mermaid(chart(Box("a", "a"), group, Box("z", "z"), edges=edges))
    assert {'a -->|"64"| q', 'a -.->|"64"| n_v', "q --> z", "class h,g group"} <= set(lines(text))
    assert written(text) == (4, 2, 3)
    assert page.render(text).edges == 3
    for target in ("q", "n_v"):
        assert page.reaches("a", target), "an edge is not cut at the group's border"


@pytest.mark.parametrize("direction", ["TB", "BT", "LR", "RL"])
def test_direction_holds_in_and_out_of_blocks(page: Mermaid, direction) -> None:
    edges = [Edge("f.x", "f.n"), Edge("f.n", "f.c"), Edge("f.c", "f.out:")]
    drawing = opened(IN, OUT, edges=edges)
    drawing.directions["Net"] = direction
    text = mermaid(drawing)
    page.render(text)
    assert page.direction("norm", "conv") == direction
    assert page.direction("a", "z") == direction


def test_an_inset_has_its_own_direction(page: Mermaid) -> None:
    inset = Frame("def-B", "Inset", items=[Box("n", "norm"), Box("c", "conv")], edges=[Edge("n", "c")])
    drawing = chart(Box("n", "start"), Box("c", "stop"), insets=[inset])
    drawing.directions["def-B"] = "LR"
    seen = page.render(mermaid(drawing))
    assert page.direction("norm", "conv") == "LR"
    assert page.direction("start", "stop") == "TB"
    assert sorted(seen.clusters) == ["Inset", "Net 12 params"]
    assert sorted(seen.nodes) == ["conv", "norm", "start", "stop"], "ids of an inset are its own"


# Texts

AWKWARD = [
    "conv_in",
    "_x_",
    "__init__",
    "*a* 2*3 **b**",
    "1. one",
    "12) two",
    "- a",
    "+",
    "# h #35; #quot;",
    "`c` ```",
    "<b>x</b> <br> a<b -> c",
    "&amp; &",
    "\"q\" 'q'",
    "$$x^2$$ $y$",
    "end",
    "graph TB",
    "subgraph",
    "fa:fa-car",
    "http://a.b www.a.b c@d.e",
    "![x](y) [x](y)",
    "~~x~~ ~~~",
    "x|y {x} (x) [[x]]",
    "a\\b \\n \\",
    "한국어 모델",
    "É ñ × → · ÷ √c 𝑥 😀",
    "a --> b; %% c %%{init}%%",
    "|a|",
    "> q",
    "===",
    ":::conv",
    "@{ shape: rect }",
    "click a",
]


@pytest.mark.parametrize("text", AWKWARD)
def test_mermaid_shows_exactly_the_text(page: Mermaid, text: str) -> None:
    shows(page, [text])


# No formatting signs, surrogates or signs without a name: they are not seen.
plain = st.characters(exclude_categories=["C", "Z"], include_characters=" ", exclude_characters="\ufb02")
hostile = st.one_of(
    st.text(plain, min_size=1, max_size=12),
    st.text(st.sampled_from(string.punctuation + " ae1"), min_size=1, max_size=12),
    st.lists(st.sampled_from(AWKWARD), min_size=1, max_size=3).map(" ".join),
)


@settings(max_examples=12)
@given(st.lists(hostile.map(lambda text: " ".join(text.split())).filter(bool), min_size=20, max_size=20))
def test_mermaid_shows_exactly_any_text(page: Mermaid, texts: list[str]) -> None:
    shows(page, texts)


def shows(page: Mermaid, texts: list[str]) -> None:
    """Do texts arrive as they are: names, small lines, subgraphs' headers, labels, hints?"""
    boxes = [
        Box(f"b{number}", text, text, link="#x", details=Details(doc=text))
        for number, text in enumerate(texts)
    ]
    frame = Frame("f", texts[0], texts[-1], items=[Box("z", "z")])
    edges = [Edge(box.id, "z0", text) for box, text in zip(boxes, texts, strict=True)]
    drawing = chart(frame, Box("z0", "z"), *boxes, edges=edges)
    drawing.title, drawing.facts = texts[0], texts
    seen: Rendered = page.render(mermaid(drawing))
    assert Counter(seen.nodes) == Counter([*(f"{text}\n{text}" for text in texts), "z", "z"])
    assert seen.clusters == [f"{texts[0]} {texts[-1]}"]
    assert Counter(seen.labels) == Counter(texts)
    assert Counter(map(joined, seen.hints)) == Counter(map(joined, texts))
    assert (seen.title, seen.description) == (texts[0], " · ".join(texts))


def joined(hint: str) -> str:
    return hint.replace(" ", "")


def test_texts_where_a_page_wants_plain_labels(page: Mermaid) -> None:
    """The chart's own settings hold: its labels are HTML on a page that says otherwise."""
    with page.set_up(htmlLabels=False, flowchart={"htmlLabels": False}):
        assert page.render(mermaid(chart(Box("a", "#1 <x>", "y")))).nodes == ["#1 <x>\ny"]


@given(st.lists(st.text(max_size=8), unique=True, max_size=30))
@example(["end", "n_end", "End", "a.b", "a_b", "a b", "", "한", "style", "TB", "1", "graph2"])
def test_names_are_distinct_words(ids: list[str]) -> None:
    rows = lines(mermaid(chart(*(Box(id, "x") for id in ids))))
    names = [found[1] for row in rows if (found := re.match(r'(\w+)\("', row))]
    assert len(set(names)) == len(names) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) for name in names)


WORDS = """end graph subgraph flowchart default style linkStyle class classDef click call href direction
interpolate TB v x o accTitle acc_title_value endpoint ending graphs defaults styled classes"""


@pytest.mark.parametrize("word", WORDS.split())
def test_words_of_mermaids_are_no_names(page: Mermaid, word: str) -> None:
    text = mermaid(chart(Box(word, "a"), Frame(f"f.{word}", "b", items=[Box(f"{word}.x", "c")])))
    seen = page.render(text)
    assert (sorted(seen.nodes), seen.clusters, seen.edges) == (["a", "c"], ["b"], 1)


# Limits


def chain(length: int, title: str = "a") -> Scene:
    return chart(*(Box(f"n{number}", title) for number in range(length)))


def test_a_chart_as_large_as_mermaid_holds_is_drawn(page: Mermaid) -> None:
    assert page.render(mermaid(chain(MOST_EDGES + 1))).edges == MOST_EDGES


def test_a_larger_chart_says_so() -> None:
    with pytest.raises(TooLarge, match="^mermaid holds at most 500 edges, this chart has 501$"):
        mermaid(chain(MOST_EDGES + 2))
    with pytest.raises(TooLarge, match=r"^mermaid holds at most 50,000 characters, this chart has [\d,]+$"):
        mermaid(chain(100, "긴 이름" * 150))


def test_characters_are_counted_as_mermaid_counts() -> None:
    """A sign beyond the first 65,536 is two to JavaScript."""
    per_node = 4 * len("😀" * 300)
    assert len(mermaid(chain(100, "a" * 300))) < MOST_CHARACTERS
    with pytest.raises(TooLarge):
        mermaid(chain(100, "😀" * 300))
    assert per_node > 0


def test_insets_without_room_are_left_out(page: Mermaid) -> None:
    ids = count()

    def inset(name: str) -> Frame:
        items = [Box(f"i{next(ids)}", "a") for _ in range(200)]
        edges = [Edge(a.id, b.id) for a, b in zip(items, items[1:], strict=False)]
        return Frame(f"def-{name}", name, items=list(items), edges=edges)

    drawing = chart(Box("a", "a"), insets=[inset(name) for name in "ABC"])
    text = mermaid(drawing)
    seen = page.render(text)
    assert sorted(seen.clusters) == ["A", "B", "Net 12 params · mermaid has no room for 1 more blocks"]
    assert seen.edges == 2 * 199
