"""The public face: `import archc`."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
import torch

import archc

NETS = Path(__file__).parents[1] / "specs" / "vq" / "nets.yaml"
TEXT = """\
archc: 1
blocks:
  Mlp:
    params: {hidden: int = 4 * C}
    inputs: {x: "[B, C]"}
    nodes: {fc1: linear(hidden), fc2: linear(C)}
    flow: {y: x -> fc1 -> gelu -> fc2}
"""


@pytest.mark.parametrize("name", archc.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(archc, name)
    assert inspect.getdoc(value)
    assert name in dir(archc)


def test_unknown_names_are_told() -> None:
    with pytest.raises(AttributeError, match="module 'archc' has no attribute 'lode'"):
        archc.lode  # noqa: B018


@pytest.mark.parametrize("name", ["graph", "source", "draw"])
def test_functions_are_not_hidden_by_subpackages_of_their_name(name: str) -> None:
    importlib.import_module(f"archc.{name}")
    importlib.reload(importlib.import_module(f"archc.{name}"))
    assert inspect.isfunction(getattr(archc, name))


@pytest.mark.parametrize("spec", [f"{NETS}#Encoder@iris", NETS], ids=["address", "path"])
def test_specs_from_files(spec: str | Path) -> None:
    assert archc.check(spec).ok


def test_specs_from_texts_and_dicts() -> None:
    blocks = {"A": {"inputs": {"x": "[B, 4]"}, "nodes": {"fc": "linear(2)"}, "flow": {"y": "x -> fc"}}}
    for spec in (archc.text(TEXT), {"archc": 1, "blocks": blocks}):
        model = archc.load(spec, **({} if isinstance(spec, dict) else {"C": 4}))
        assert model(torch.ones(3, 4)).shape[0] == 3


def test_a_wrong_spec_raises_every_diagnostic() -> None:
    wrong = archc.text(TEXT.replace("gelu", "gelo").replace("linear(C)", "linear(D)"))
    result = archc.check(wrong, C=4)
    assert not result.ok and result.graph is None and result.shapes == {} and result.guards == ()
    with pytest.raises(archc.SpecError) as caught:
        archc.graph(wrong, C=4)
    assert len(caught.value.diagnostics) == 2
    assert "gelo" in str(caught.value) and "-->" in str(caught.value)


def test_settings_are_keywords() -> None:
    graph = archc.graph(archc.text(TEXT), C=4, hidden=3)
    assert archc.summary(graph).total.parameters == 4 * 3 + 3 + 3 * 4 + 4
    with pytest.raises(archc.SpecError, match="A707"):
        archc.graph(archc.text(TEXT), C=4, hiden=3)


def test_read_binds_nothing() -> None:
    project = archc.read(NETS)
    assert "Encoder" in project.entry.blocks
    with pytest.raises(archc.SpecError, match="A001"):
        archc.read("nowhere.yaml")


def test_source_is_the_module() -> None:
    text = archc.source(archc.text(TEXT), C=4)
    assert text == archc.source(archc.graph(archc.text(TEXT), C=4))
    assert "class Mlp(nn.Module)" in text


def test_a_model_draws_and_sums_itself(tmp_path: Path) -> None:
    model = archc.load(archc.text(TEXT), C=4)
    picture = archc.draw(model, tmp_path / "mlp.svg")
    assert (tmp_path / "mlp.svg").read_text() == picture
    assert archc.summary(model).total.parameters == sum(p.numel() for p in model.parameters())


def test_what_is_bound_takes_no_settings() -> None:
    graph = archc.graph(archc.text(TEXT), C=4)
    for function in (archc.draw, archc.summary, archc.source):
        with pytest.raises(TypeError, match="takes no settings: C"):
            function(graph, C=8)
    with pytest.raises(TypeError, match="takes no settings: unbound, given$"):
        archc.draw(graph, unbound=False, given=["x"])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"engine": "dot"}, "there is no engine 'dot'; use archc or graphviz"),
        ({"direction": "left"}, "there is no direction 'left'; use TB, BT, LR, RL"),
        ({"level": -1}, "level -1 opens nothing; 0 closes all blocks"),
    ],
)
def test_no_diagram_is_like_that(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError) as caught:
        archc.draw(archc.text(TEXT), **asked)
    assert str(caught.value) == told


def test_graph_has_its_networkx_graph() -> None:
    graph = archc.graph(archc.text(TEXT), C=4)
    assert [type(data).__name__ for _, data in graph.nx.nodes(data="data")] == ["Input"] + ["Apply"] * 3
