"""Copies that are drawn as one though their numbers differ, and what is not drawn at all."""

from __future__ import annotations

from typing import Any

import archc
from archc.draw.options import Options
from archc.draw.scene.items import Box, Frame, Scene, parameters
from archc.draw.scene.stage import scene
from archc.graph.ir import Graph
from archc.report.cost import Costs

LAYERS = """
  Dense:
    params: {growth: int}
    inputs: {x: "[B, C]"}
    nodes: {fc: linear(growth)}
    flow: {out: "x, (x -> fc) -> concat"}
  Residual:
    params: {p: float, hidden: int, deep: bool = false}
    inputs: {x: "[B, C]"}
    nodes: {fc: linear(hidden), back: linear(C), drop: dropout(p)}
    flow: {h: x -> fc -> drop -> back, out: h + x if deep else h}
"""


def drawn(node: str, level: int | None = 0, **options: Any) -> tuple[Scene, Graph]:
    """A chain of copies, `n`, as one block."""
    net = f"  Net:\n    inputs: {{x: '[B, 8]'}}\n    nodes: {{n: {node}}}\n    flow: {{y: x -> n}}\n"
    graph = archc.graph(archc.text(f"archc: 1\nblocks:{LAYERS}{net}"))
    return scene(graph, Options(level=level, **options)), graph


def copies(drawing: Scene) -> list[tuple[str, int, str]]:
    """The boxes and frames of the node: title, number of copies, small line."""
    items = [i for i in drawing.main.items if i.title.startswith("n")]
    return [(i.title, i.copies, i.detail if isinstance(i, Box) else "") for i in items]


def test_layers_that_grow_are_one_box() -> None:
    drawing, graph = drawn("{call: Dense(4), repeat: 5}")
    assert copies(drawing) == [("n", 5, "Dense 8 → 28")]
    [box] = [item for item in drawing.main.items if item.title == "n"]
    assert isinstance(box, Box) and box.together
    assert box.parameters == sum(4 * (8 + 4 * i) + 4 for i in range(5))
    assert parameters(drawing.main) == Costs().graph(graph).parameters


def test_what_differs_in_a_number_that_makes_no_size_is_one_box_that_tells_it() -> None:
    drawing, graph = drawn("{call: 'Residual(0.1 * (2 - i) ** 2, 16)', repeat: 5 as i}")
    assert copies(drawing) == [("n", 5, "Residual 8 → 8, p 0 … 0.4")]
    [box] = [item for item in drawing.main.items if item.title == "n"]
    assert isinstance(box, Box) and not box.together
    assert box.parameters == 8 * 16 + 16 + 16 * 8 + 8
    assert parameters(drawing.main) == Costs().graph(graph).parameters


def test_other_sizes_other_parts_and_few_copies_stay_apart() -> None:
    for node in (
        "{call: 'Residual(0.1, 16 + 2 * i)', repeat: 3 as i}",
        "{call: 'Residual(0.1 * i, 16, i == 1)', repeat: 3 as i}",
        "{call: Dense(4), repeat: 2}",
    ):
        drawing, _ = drawn(node)
        assert all(count == 1 for _, count, _ in copies(drawing)) and len(copies(drawing)) > 1, node


def test_opened_and_named_copies_are_not_folded() -> None:
    opened, _ = drawn("{call: Dense(4), repeat: 4}", level=1)
    assert [title for title, *_ in copies(opened)] == ["n[0]", "n[1]", "n[2]", "n[3]"]
    named, _ = drawn("{call: Dense(4), repeat: 5}", expand=("n.0",))
    assert copies(named) == [("n[0]", 1, ""), ("n[1..4]", 4, "Dense 12 → 28")]


TOWER = """archc: 1
blocks:
  Tower:
    params: {act: op = identity}
    inputs: {x: "[B, 8]"}
    nodes: {a: linear(8), b: linear(8)}
    flow: {c1: x -> a -> act, c2: c1 -> b}
    outputs: [c1, c2]
  Net:
    inputs: {x: "[B, 8]", t: "[B, 8]?"}
    nodes: {tower: Tower}
    flow:
      c1, c2: x -> tower
      y: ((c2, t -> concat) ** 2)[:, 1:]
"""


def test_outputs_that_nobody_uses_and_operators_that_do_nothing_are_not_drawn() -> None:
    drawing = scene(archc.graph(archc.text(TOWER), absent=["t"]), Options(level=1))
    [tower] = [item for item in drawing.main.items if isinstance(item, Frame)]
    inside = [(item.title, item.form) for item in tower.items if isinstance(item, Box)]
    assert inside == [("x", "port"), ("a", "card"), ("b", "card"), ("c2", "port")]
    assert [(e.source, e.target) for e in tower.edges if e.source == "tower.a"] == [("tower.a", "tower.b")]
    after = [(i.title, i.detail) for i in drawing.main.items if isinstance(i, Box) and i.form == "card"]
    assert after == [("** 2", ""), ("index", "[:, 1:]")]


def test_outputs_that_are_used_are_drawn() -> None:
    text = TOWER.replace("c2, t -> concat", "c1 + c2")
    drawing = scene(archc.graph(archc.text(text), absent=["t"]), Options(level=1))
    [tower] = [item for item in drawing.main.items if isinstance(item, Frame)]
    assert {item.title for item in tower.items if isinstance(item, Box) and item.form == "port"} == {
        *("x", "c1", "c2")
    }
