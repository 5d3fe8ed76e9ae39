"""Levels, `expand` and `collapse`, directions, insets: how much of a model a drawing shows."""

from __future__ import annotations

import pytest

import archc
from archc.draw.options import DrawError, Options
from archc.draw.scene.insets import MOST_INSETS
from archc.draw.scene.items import Box, Frame, Scene, parameters
from archc.draw.scene.opening import Step, path_of
from archc.draw.scene.stage import scene
from archc.report.cost import Costs


def titles(drawing: Scene) -> list[str]:
    return [item.title for item in drawing.main.items]


def frames(drawing: Scene) -> set[str]:
    return {item.id for item in drawing.main.walk() if isinstance(item, Frame) and item.graph}


@pytest.mark.parametrize(
    "text, steps",
    [
        ("down", [("down", None)]),
        ("down.2.layer", [("down", {2}), ("layer", None)]),
        ("down[2].layer", [("down", {2}), ("layer", None)]),
        ("down[0..1]", [("down", {0, 1})]),
        ("down.0-1.layer.3", [("down", {0, 1}), ("layer", {3})]),
    ],
)
def test_paths(text: str, steps: list) -> None:
    wanted = [Step(name, None if copies is None else frozenset(copies)) for name, copies in steps]
    assert path_of(text) == tuple(wanted)


def test_levels_open_one_more_depth_each(checked) -> None:
    graph = checked("encoder")
    assert frames(scene(graph, Options(0))) == set()
    assert frames(scene(graph, Options(1))) == {"down.0-1", "down.2-3", "down.4", "mid"}
    assert "down.0-1.layer.0-1" in frames(scene(graph, Options(2)))


def test_opening_one_copy_splits_its_run(checked) -> None:
    drawing = scene(checked("encoder"), Options(0, expand=("down.2",)))
    assert titles(drawing)[2:6] == ["down[0..1]", "down[2]", "down[3]", "down[4]"]
    assert frames(drawing) == {"down.2"}
    assert parameters(drawing.main) == Costs().graph(checked("encoder")).parameters


def test_a_path_opens_all_on_its_way(checked) -> None:
    drawing = scene(checked("encoder"), Options(0, expand=("down.3.layer.1.attn",)))
    assert frames(drawing) == {"down.3", "down.3.layer.1", "down.3.layer.1.attn"}


def test_a_member_s_path_opens_all_its_copies(checked) -> None:
    assert frames(scene(checked("encoder"), Options(0, expand=("down",)))) == {
        "down.0-1",
        "down.2-3",
        "down.4",
    }
    inside = frames(scene(checked("encoder"), Options(0, expand=("down.layer",))))
    assert {"down.0-1.layer.0-1", "down.2-3.layer.0-1", "down.4.layer.0-1"} <= inside


def test_a_run_s_path_leaves_it_whole(checked) -> None:
    assert frames(scene(checked("encoder"), Options(0, expand=("down[0..1]",)))) == {"down.0-1"}


def test_collapse_closes_blocks_by_name_and_path(checked) -> None:
    graph = checked("encoder")
    assert frames(scene(graph, Options(9, collapse=("SamplerBlock", "MidBlock")))) == set()
    closed = scene(graph, Options(1, collapse=("down.3",)))
    assert "down.2" in frames(closed) and "down.3" not in frames(closed)


def test_a_path_beats_the_name_of_a_block(checked) -> None:
    drawing = scene(checked("encoder"), Options(1, expand=("down.4",), collapse=("SamplerBlock",)))
    assert frames(drawing) == {"down.4", "mid"}


@pytest.mark.parametrize(
    "options, words",
    [
        ({"expand": ("dwon",)}, ("`dwon`", "`down`")),
        ({"expand": ("down.2.layr",)}, ("`layr`", "`layer`")),
        ({"expand": ("down.9",)}, ("9", "0 to 4")),
        ({"expand": ("conv_in",)}, ("conv_in", "operator")),
        ({"expand": ("mid.0",)}, ("mid", "not repeated")),
        ({"collapse": ("ResnetBlok",)}, ("`ResnetBlok`", "`ResnetBlock`")),
        ({"collapse": ("down.2.x",)}, ("x",)),
    ],
)
def test_what_is_not_there_is_an_error(checked, options: dict, words: tuple[str, ...]) -> None:
    with pytest.raises(DrawError) as error:
        scene(checked("encoder"), Options(**options))
    assert all(word in str(error.value) for word in words)
    assert isinstance(error.value, ValueError) and "\n" not in str(error.value)


def test_directions_are_the_spec_s_unless_asked(checked) -> None:
    assert scene(checked("decoder")).directions == {"Decoder": "BT"}
    asked = scene(checked("decoder"), Options(direction="LR"))
    assert set(asked.directions.values()) == {"LR"}
    assert asked.directions.keys() == {panel.id for panel in asked.panels}
    assert scene(checked("encoder")).directions == {}


# Insets


def test_insets_are_linked_both_ways(checked) -> None:
    drawing = scene(checked("encoder"))
    boxes = {box.id: box for box in drawing.boxes()}
    for inset in drawing.insets:
        assert inset.used is not None and boxes[inset.used].definition == inset.id


def test_insets_tell_apart_what_differs_in_more_than_sizes(checked) -> None:
    found = [inset.title for inset in scene(checked("time"), Options(0)).insets]
    assert len(found) == len(set(found))
    assert {"attention=true", "attention=false"} <= {
        word.strip("(),") for title in found if title.startswith("Layer") for word in title.split()
    }


def test_without_insets_nothing_links_to_one(checked) -> None:
    drawing = scene(checked("encoder"), Options(insets=False))
    assert drawing.insets == [] and not any(box.definition for box in drawing.boxes())


def test_an_opened_block_names_the_inset_of_its_like(checked) -> None:
    drawing = scene(checked("encoder"), Options(0, expand=("down.2",)))
    opened = next(i for i in drawing.main.items if i.id == "down.2")
    closed = next(i for i in drawing.main.items if i.id == "down.3")
    assert opened.definition == closed.definition is not None


def test_too_many_insets_are_told() -> None:
    count = MOST_INSETS + 3
    lines = ["archc: 1", "blocks:"]
    for i in range(count):
        lines += [f"  B{i}:", "    inputs: {x: '[B, 8]'}", "    flow: {y: x -> relu}"]
    lines += ["  Net:", "    inputs: {x: '[B, 8]'}", "    nodes:"]
    lines += [f"      b{i}: B{i}" for i in range(count)]
    lines += ["    flow:", "      y: x -> " + " -> ".join(f"b{i}" for i in range(count)), "main: Net"]
    drawing = scene(archc.graph(archc.text("\n".join(lines))), Options(0))
    assert len(drawing.insets) == MOST_INSETS
    assert "3 more blocks are not shown" in drawing.facts
    links = {box.definition for box in drawing.main.walk() if isinstance(box, Box) and box.definition}
    assert links == {inset.id for inset in drawing.insets}


# The heading


def test_facts(checked) -> None:
    assert scene(checked("encoder")).facts == [
        "1,418,240 params",
        "≈ 2.1·B·H²·W² + 429.5k·B·H·W FLOPs",
        "3 × H × W → 512 × H//16 × W//16",
        "H, W at least 16",
    ]
    told = scene(checked("time")).facts
    assert "320·B·H²·W² + 11.8M·B·H·W + 5.8M·B FLOPs" in told, "exact: the guards make all sizes whole"
    assert "x: 3 × H × W, t?: int64[B] → 3 × H × W" in told and "H, W divisible by 8" in told
    assert "640·B FLOPs" in scene(checked("chain")).facts


def test_an_input_of_whole_numbers_says_so(checked) -> None:
    drawing = scene(checked("time"))
    (pill,) = (box for box in drawing.main.items if box.id == "t")
    assert isinstance(pill, Box) and pill.detail == "int64[B]"
