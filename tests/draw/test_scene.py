"""What a drawing shows is what the Graph says."""

from __future__ import annotations

import archc
from archc.draw.options import Options
from archc.draw.scene.items import Box, Frame, Scene, parameters
from archc.draw.scene.stage import MOST_BOXES, scene
from archc.graph.ir import Graph
from archc.report.cost import Costs


def boxes(drawing: Scene) -> list[Box]:
    return [item for item in drawing.main.walk() if isinstance(item, Box)]


def test_the_counts_shown_sum_to_the_models(model, level) -> None:
    drawing = scene(model.graph, Options(level))
    assert parameters(drawing.main) == Costs().graph(model.graph).parameters


def test_ids_are_unique(model, level) -> None:
    ids = [item.id for item in scene(model.graph, Options(level)).main.walk()]
    assert len(ids) == len(set(ids))


def test_edges_join_items_of_their_own_frame(model, level) -> None:
    drawing = scene(model.graph, Options(level))
    frames = [*drawing.panels, *(i for p in drawing.panels for i in p.walk() if isinstance(i, Frame))]
    for frame in frames:
        own = {item.id for item in frame.items}
        assert all(edge.source in own and edge.target in own for edge in frame.edges)


def test_a_page_holds_about_forty_boxes(model) -> None:
    assert sum(box.form != "port" for box in boxes(scene(model.graph))) <= MOST_BOXES


def test_every_closed_block_has_its_inset(model) -> None:
    drawing = scene(model.graph)
    if any("not shown" in fact for fact in drawing.facts):
        return
    named = {box.definition for box in drawing.boxes() if box.definition}
    assert named == {inset.id for inset in drawing.insets}


def test_every_operator_is_drawn_once_at_full_depth(checked) -> None:
    """Fully opened, the chart of a Graph without repeats is the Graph."""
    for name in ("res", "open", "chain"):
        graph: Graph = checked(name)
        drawn = [box for box in boxes(scene(graph, Options(9))) if box.form not in ("port", "tag")]
        outputs = len(graph.outputs)
        assert len(drawn) - outputs == sum(
            1
            for number, node in graph.nx.nodes(data="data")
            if type(node).__name__ != "Input" or any(b.id == node.name for b in drawn)
        )


def test_repeats_are_merged_only_where_they_are_equal(checked) -> None:
    frames = {i.title: i for i in scene(checked("encoder")).main.walk() if isinstance(i, Frame)}
    assert {t: f.copies for t, f in frames.items() if t.startswith("down")} == {
        "down[0..1]": 2,
        "down[2..3]": 2,
        "down[4]": 1,
    }
    assert frames["down[0..1]"].note == "185,152 each"


def test_residuals_and_optional_edges_have_their_styles(checked) -> None:
    edges = {(e.source, e.target): e.style for e in scene(checked("open"), Options(9)).main.edges}
    assert edges["extra", "a"] == "optional"
    edges = scene(checked("chain"), Options(9)).main.edges
    assert sum(edge.style == "residual" for edge in edges) == 2
    assert all(e.target for e in edges if e.style == "residual")


def test_a_value_with_many_consumers_is_a_tag_at_each(checked) -> None:
    drawing = scene(checked("chain"))
    tags = [box for box in boxes(drawing) if box.form == "tag"]
    assert [tag.title for tag in tags] == ["scale"] * 4
    assert not any(box.id == "scale" for box in boxes(drawing))


def test_weights_used_again_are_marked(checked) -> None:
    shared = [box for box in boxes(scene(checked("chain"))) if box.title == "shared"]
    assert [box.shared for box in shared] == [True, True]
    assert [box.parameters for box in shared] == [72, None]


def test_sizes_use_what_the_guards_say(checked) -> None:
    labels = {edge.label for edge in scene(checked("unet")).main.edges}
    assert "64 × H/2 × W/2" in labels
    assert not any("//" in label for label in labels)


def test_parallel_copies_say_so(checked) -> None:
    frame = next(i for i in scene(checked("parallel"), Options(1)).main.items if isinstance(i, Frame))
    assert (frame.copies, frame.parallel) == (3, True)


def test_insets_count_their_uses(checked) -> None:
    notes = {inset.title.split()[0]: inset.note for inset in scene(checked("encoder")).insets}
    assert notes["ResnetBlock"] == "74,112 params · used ×12"
    assert notes["Downsample"] == "36,928 params · used ×4"


def test_kinds_of_closed_blocks(checked) -> None:
    kinds = {box.title: box.kind for box in boxes(scene(checked("encoder")))}
    assert (kinds["attn"], kinds["sampler"], kinds["res"]) == ("attention", "resampling", "conv")


def test_a_label_of_the_spec_is_shown() -> None:
    spec = archc.text(
        "archc: 1\nblocks:\n  A:\n    inputs: {x: '[B, 8]'}\n"
        "    nodes: {fc: {call: linear(8), label: Projection}}\n    flow: {y: x -> fc}\n"
    )
    assert "Projection" in archc.draw(spec)
