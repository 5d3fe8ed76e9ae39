"""Specs, results, Graphs and models show themselves in a notebook, and stay what they are otherwise."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import archc
from archc import api

TEXT = archc.text("""\
archc: 1
blocks:
  Mlp:
    params: {hidden: int = 4 * C}
    inputs: {x: "[B, C]"}
    nodes: {fc1: linear(hidden), fc2: linear(C)}
    flow: {y: x -> fc1 -> gelu -> fc2}
""")
WRONG = archc.text(TEXT.text.replace("gelu", "geluu"))


def test_a_graph_a_result_and_a_model_show_one_picture() -> None:
    graph = archc.graph(TEXT, C=4)
    picture = archc.draw(graph)
    model = archc.load(TEXT, C=4)
    for thing in (graph, archc.check(TEXT, C=4), model, torch.compile(model)):
        assert thing._repr_svg_() == picture  # type: ignore[operator]


def test_what_is_read_shows_its_main_block_unbound() -> None:
    assert archc.read(TEXT)._repr_svg_() == archc.draw(TEXT, unbound=True)


def test_a_wrong_spec_has_no_picture() -> None:
    result = archc.check(archc.text(TEXT.text.replace("gelu", "gelo")), C=4)
    assert not result.ok and result._repr_svg_() is None


def test_a_picture_that_fails_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise RuntimeError("no paper")

    model = archc.load(TEXT, C=4)
    monkeypatch.setattr(api, "draw", fail)
    with pytest.warns(UserWarning, match="it could not be drawn: no paper"):
        assert model._repr_svg_() is None
    assert "fc1" in repr(model)


def test_what_is_too_large_to_wait_for_has_no_picture() -> None:
    lines = "\n".join(f"      h{i + 1}: h{i} -> relu" for i in range(api.MOST_SHOWN))
    spec = f"archc: 1\nblocks:\n  A:\n    inputs: {{h0: '[B, 8]'}}\n    flow:\n{lines}\n"
    graph = archc.graph(archc.text(spec))
    assert graph._repr_svg_() is None
    assert repr(graph) == f"<Graph A: {api.MOST_SHOWN + 1} nodes, 0 members>"


def test_a_model_of_many_layers_is_shown_folded() -> None:
    layers = "archc: 1\nblocks:\n  L: {inputs: {x: '[B, C]'}, nodes: {fc: linear(C)}, flow: {y: x -> fc}}\n"
    nodes = "  N: {inputs: {x: '[B, 8]'}, nodes: {l: {call: L, repeat: 5000}}, flow: {y: x -> l}}\n"
    picture = archc.graph(archc.text(layers + nodes))._repr_svg_()
    assert picture is not None and "×5000" in picture and len(picture) < 50_000


def test_a_model_stays_an_ordinary_module() -> None:
    model = archc.load(TEXT, C=4)
    x = torch.ones(2, 4)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(other(x), model(x))
        assert other._repr_svg_() == model._repr_svg_()
    assert not any("repr" in name for name in [*model.state_dict(), *dict(model.named_modules())])


def test_a_node_may_have_the_name_of_a_method_of_notebooks() -> None:
    spec = archc.text(
        "archc: 1\nblocks: {A: {inputs: {x: '[B, 4]'}, nodes: {graph: linear(4)}, flow: {y: x -> graph}}}"
    )
    model = archc.load(spec)
    assert isinstance(model.graph, torch.nn.Linear)
    assert model._repr_svg_() == archc.draw(spec)


def test_ordinary_texts_are_one_line() -> None:
    things = {
        "<Graph Mlp: 4 nodes, 2 members>": archc.graph(TEXT, C=4),
        "<Result of Mlp: ok, 0 diagnostics>": archc.check(TEXT, C=4),
        "<Result of Mlp: error[A250]: there is no node or operator `geluu`>": archc.check(WRONG, C=4),
        "<Project <text>: 1 files, 1 blocks>": archc.read(TEXT),
    }
    for text, thing in things.items():
        assert repr(thing) == text


@pytest.mark.parametrize("call", ["archc.load(spec)", "archc.graph(spec)", "archc.read(spec)"])
def test_whatever_is_imported_first_shows_itself(call: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("archc: 1\nblocks: {A: {inputs: {x: '[B]'}, flow: {y: x -> relu}}}\n")
    script = f"import archc\nspec = 'a.yaml'\nprint({call}._repr_svg_()[:4])"
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "<svg\n"
