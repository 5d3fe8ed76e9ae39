"""Models filled and saved by checkpoint maps that cut, turn and join tensors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import archc
from archc.runtime import tensor_files
from archc.runtime.load import load
from archc.runtime.saving import save_weights
from archc.runtime.weights import load_weights, translated
from archc.source.diagnostic import SpecError

SPEC = archc.text("""\
archc: 1
blocks:
  Attention:
    inputs: {x: "[B, T, D]"}
    nodes: {q: linear(D), k: linear(D), v: linear(D), out: linear(D)}
    flow:
      scores: (x -> q) @ (x -> k -> transpose(1, 2)) -> softmax
      mixed: scores @ (x -> v)
      y: mixed -> out
    checkpoints:
      fused:
        q.weight: c_attn.weight[:, :D].T
        k.weight: c_attn.weight[:, D:2 * D].T
        v.weight: c_attn.weight[:, 2 * D:].T
        q.bias: c_attn.bias[:D]
        k.bias: c_attn.bias[D:2 * D]
        v.bias: c_attn.bias[2 * D:]
        out.weight: c_proj.weight.T
        out.bias: c_proj.bias
        ignore: [bias, "*.masked"]
      grouped:
        q.weight: qkv.weight.reshape(2, 3, D // 2, -1)[:, 0].reshape(D, -1)
  Layer:
    inputs: {x: "[B, T, D]"}
    nodes: {attn: Attention, mlp: "linear(D, bias=false)"}
    flow: {y: x -> attn -> mlp}
    checkpoints:
      stacked:
        mlp.weight: stack(odd, even, axis=1).reshape(D, D)
  Net:
    params: {layers: int = 3, words: int = 11}
    inputs: {ids: "int64[B, T]"}
    nodes:
      wte: embedding(words, 4)
      h: {call: Layer, repeat: layers}
      norm: batch_norm
      head: linear(words, bias=false)
    flow:
      x: ids -> wte -> h
      out: x -> transpose(1, 2) -> norm -> transpose(1, 2) -> head
    tie: {head.weight: wte.weight}
    checkpoints:
      fused:
        h.<i>.*: transformer.h.<i>.*
        wte.*: transformer.wte.*
        head.weight: lm_head.weight
      stacked:
        h.<i>.*: layers.*[i]
        wte.weight: concat(words.0, words.1)
        ignore: ["*.rope"]
main: Net
""")
LARGE = """\
archc: 1
blocks:
  Net:
    inputs: {x: "[B, 40]"}
    nodes: {fc: "linear(12, bias=false)"}
    flow: {y: x -> fc}
    checkpoints: {m: {fc.weight: w.T}}
"""
IDS = torch.tensor([[1, 5, 10, 0]])


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(1)
    return load(SPEC).eval()


def fused(model: nn.Module) -> dict[str, Tensor]:
    """The model's weights as GPT-2's files have them, put together by hand."""
    found = {"transformer.wte.weight": model.wte.weight, "norm.weight": model.norm.weight}
    found |= {f"norm.{n}": getattr(model.norm, n) for n in ("bias", "running_mean", "running_var")}
    for i, layer in enumerate(model.h):
        parts = (layer.attn.q, layer.attn.k, layer.attn.v)
        there = f"transformer.h.{i}."
        found[f"{there}attn.c_attn.weight"] = torch.cat([part.weight for part in parts]).T
        found[f"{there}attn.c_attn.bias"] = torch.cat([part.bias for part in parts])
        found[f"{there}attn.c_proj.weight"] = layer.attn.out.weight.T
        found[f"{there}attn.c_proj.bias"] = layer.attn.out.bias
        found[f"{there}mlp.weight"] = layer.mlp.weight
    return {name: tensor.detach().clone().contiguous() for name, tensor in found.items()}


def codes(error: pytest.ExceptionInfo[SpecError]) -> list[str]:
    return [d.code for d in error.value.diagnostics]


def test_loading_by_recipes(model: nn.Module) -> None:
    theirs = fused(model)
    theirs["transformer.h.0.attn.bias"] = torch.ones(1)
    theirs["transformer.h.2.attn.old.masked"] = torch.ones(1)
    other = load(SPEC, weights=theirs, names="fused").eval()
    assert torch.equal(other(IDS), model(IDS))
    assert other.head.weight is other.wte.weight
    assert other.norm.num_batches_tracked == 0


def test_saving_is_the_inverse_of_loading(model: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(model, path, names="fused")
    wanted = fused(model) | {"norm.num_batches_tracked": model.norm.num_batches_tracked}
    found = load_file(path)
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in wanted.items())
    assert torch.equal(load(SPEC, weights=path, names="fused").eval()(IDS), model(IDS))


def test_gradients_take_the_same_way(model: nn.Module) -> None:
    theirs = {name: torch.randn_like(tensor) for name, tensor in fused(model).items()}
    ours = translated(model.graph, theirs, "fused")
    assert "head.weight" not in ours
    bias = theirs["transformer.h.1.attn.c_attn.bias"]
    assert torch.equal(ours["h.1.attn.k.bias"], bias[4:8])
    there = {
        f"transformer.h.1.attn.c_proj.{n}": theirs[f"transformer.h.1.attn.c_proj.{n}"] for n in ("bias",)
    }
    assert translated(model.graph, there, "fused").keys() == {"h.1.attn.out.bias"}


def stacked(model: nn.Module) -> dict[str, Tensor]:
    """Layers behind each other in one tensor, the embedding in two."""
    layers = [dict(layer.named_parameters()) for layer in model.h]
    found = {f"layers.{n}": torch.stack([p[n] for p in layers]) for n in layers[0] if n != "mlp.weight"}
    halves = torch.stack([p["mlp.weight"] for p in layers]).reshape(len(layers), 2, 2, 4).unbind(2)
    found |= {"layers.odd": halves[0], "layers.even": halves[1]}
    found |= {"words.0": model.wte.weight[:7], "words.1": model.wte.weight[7:]}
    found |= {f"norm.{n}": t for n, t in model.norm.state_dict().items()}
    return {name: tensor.detach().clone() for name, tensor in found.items()}


def test_stacked_layers(model: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    theirs = stacked(model)
    save_file(theirs, path)
    other = load(SPEC, weights=path, names="stacked").eval()
    assert torch.equal(other(IDS), model(IDS))
    with pytest.raises(SpecError, match="nothing tells the shape of `words.0`|`layers.odd`") as error:
        save_weights(other, tmp_path / "new.safetensors", names="stacked")
    assert codes(error) == ["A607"]
    save_weights(other, tmp_path / "new.safetensors", names="stacked", like=path)
    found = load_file(tmp_path / "new.safetensors")
    assert found.keys() == theirs.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in theirs.items())


def test_a_map_that_leaves_holes_cannot_be_written(model: nn.Module, tmp_path: Path) -> None:
    """`grouped` takes the queries of a tensor with keys and values besides, which nobody has."""
    like = {f"h.{i}.attn.qkv.weight": torch.zeros(12, 4) for i in range(3)}
    rest = {n: t for n, t in model.state_dict().items() if ".q.weight" not in n and n != "head.weight"}
    with pytest.raises(SpecError, match="attn.qkv.weight \\(in part\\)") as error:
        save_weights(model, tmp_path / "new.safetensors", names="grouped", like=like | rest)
    assert codes(error) == ["A607"]
    assert not list(tmp_path.iterdir())


def test_every_mistake_at_once(model: nn.Module) -> None:
    theirs = fused(model)
    del theirs["transformer.h.0.attn.c_attn.bias"]
    theirs["transformer.h.1.attn.c_attn.weight"] = torch.zeros(4, 13)
    theirs["transformer.h.2.attn.c_attn.weight"] = torch.zeros(4, 11)
    theirs["transformer.h.1.attn.scale"] = torch.zeros(1)
    theirs["norm.bias"] = torch.zeros(4, dtype=torch.int64)
    before = {n: t.clone() for n, t in model.state_dict().items()}
    with pytest.raises(SpecError) as error:
        load_weights(model, theirs, names="fused")
    assert codes(error) == ["A602", "A603", "A604"]
    text = str(error.value)
    assert "lacks `transformer.h.0.attn.c_attn.bias`\n" in text
    assert "does not take, `transformer.h.1.attn.scale`\n" in text
    assert "`transformer.h.1.attn.c_attn.weight[:, 8:].T [5, 4], not [4, 4]`" in text
    assert "`transformer.h.2.attn.c_attn.weight[:, 8:].T [3, 4], not [4, 4]`" in text
    assert "`norm.bias of int64, not float32`" in text
    assert all(torch.equal(t, before[n]) for n, t in model.state_dict().items())


def test_one_of_theirs_for_two_of_ours(model: nn.Module, tmp_path: Path) -> None:
    names = {"h.0.attn.q.bias": "b", "h.1.attn.q.bias": "b"}
    theirs = {names.get(n, n): t for n, t in model.state_dict().items() if n != "head.weight"}
    with pytest.raises(SpecError, match="`h.1.attn.q.bias` would have elements of `b` that another") as error:
        load_weights(model, theirs, names=names)
    assert codes(error) == ["A613"]
    with pytest.raises(SpecError) as error:
        save_weights(model, tmp_path / "w.safetensors", names=names)
    assert codes(error) == ["A607"]


def test_tied_weights_that_both_are_there(model: nn.Module) -> None:
    theirs = fused(model)
    theirs["lm_head.weight"] = theirs["transformer.wte.weight"].clone()
    other = load(SPEC, weights=theirs, names="fused").eval()
    assert torch.equal(other(IDS), model(IDS))
    theirs["lm_head.weight"][0, 0] += 1
    with pytest.raises(SpecError) as error:
        load(SPEC, weights=theirs, names="fused")
    assert codes(error) == ["A608"]
    assert "`transformer.wte.weight` and `lm_head.weight`" in str(error.value)
    del theirs["transformer.wte.weight"]
    assert load(SPEC, weights=theirs, names="fused").wte.weight[0, 0] == theirs["lm_head.weight"][0, 0]
    del theirs["lm_head.weight"]
    with pytest.raises(SpecError, match="lacks `transformer.wte.weight`\n"):
        load(SPEC, weights=theirs, names="fused")


def test_a_file_like_another_has_its_names(model: nn.Module, tmp_path: Path) -> None:
    like = fused(model)
    like["lm_head.weight"] = like["transformer.wte.weight"].clone()
    save_weights(model, tmp_path / "w.safetensors", names="fused", like=like)
    assert load_file(tmp_path / "w.safetensors").keys() == like.keys()


def test_without_memory(model: nn.Module) -> None:
    """Models and checkpoints on the device `meta` are compared, and stay there."""
    theirs = {name: tensor.to("meta") for name, tensor in fused(model).items()}
    theirs["lm_head.weight"] = theirs["transformer.wte.weight"]
    other = load(SPEC, device="meta")
    load_weights(other, theirs, names="fused", device="meta")
    assert all(tensor.is_meta for tensor in other.state_dict().values())
    for target in (other, model):
        with pytest.raises(SpecError, match="is on the device `meta`: it has no values") as error:
            load_weights(target, theirs, names="fused")
        assert codes(error) == ["A605"]


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_large_tensors_are_copied_in_pieces(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_files, "_WINDOW", 100)
    model = load(SPEC, words=64).eval()
    theirs = {name: tensor.to(device) for name, tensor in fused(model).items()}
    other = load(SPEC, words=64, device="meta")
    load_weights(other, theirs, names="fused", device=device)
    turned = archc.text(LARGE)
    weight = torch.randn(40, 12, dtype=torch.float16).to(device)
    linear = load(turned, device="meta")
    load_weights(linear, {"w": weight}, names="m", device=device)
    if device == "cpu":
        assert torch.equal(other.eval()(IDS), model(IDS))
        assert torch.equal(linear.fc.weight, weight.T.float())


def test_a_model_of_another_dtype(model: nn.Module) -> None:
    other = load(SPEC, weights=fused(model), names="fused", dtype=torch.float64).eval()
    assert {p.dtype for p in other.parameters()} == {torch.float64}
    torch.testing.assert_close(other(IDS), model(IDS).double())


def test_what_is_loaded_is_not_the_source(model: nn.Module) -> None:
    theirs = fused(model)
    other = load(SPEC, weights=theirs, names="fused").eval()
    for tensor in theirs.values():
        tensor.zero_()
    assert torch.equal(other(IDS), model(IDS))


def test_what_fits_where_one_asks_for_it(model: nn.Module) -> None:
    theirs = {name: torch.full_like(tensor, 2.0) for name, tensor in fused(model).items()}
    del theirs["transformer.h.0.attn.c_attn.bias"]
    theirs["transformer.h.1.attn.c_attn.weight"] = torch.zeros(4, 13)
    before = {n: t.clone() for n, t in model.state_dict().items()}
    load_weights(model, theirs, names="fused", strict=False)
    kept = ("h.0.attn.q.bias", "h.0.attn.k.bias", "h.0.attn.v.bias", "norm.num_batches_tracked")
    assert all(torch.equal(model.state_dict()[name], before[name]) for name in kept)
    assert torch.equal(model.h[1].attn.v.weight, before["h.1.attn.v.weight"])
    assert model.h[0].attn.v.weight.eq(2).all()


def test_shards(model: nn.Module, tmp_path: Path) -> None:
    save_weights(model, tmp_path / "model.safetensors", max_shard_size=400)
    files = sorted(path.name for path in tmp_path.iterdir())
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert files[0].startswith("model-00001-of-0000")
    assert set(index["weight_map"].values()) == set(files[:-1])
    state = {n: t for n, t in model.state_dict().items() if n != "head.weight"}
    assert index["metadata"]["total_size"] == sum(t.nbytes for t in state.values())
    sizes = [sum(t.nbytes for t in load_file(tmp_path / file).values()) for file in files[:-1]]
    assert max(sizes) <= 400
    for source in (tmp_path, tmp_path / "model.safetensors.index.json"):
        assert torch.equal(load(SPEC, weights=source).eval()(IDS), model(IDS))
    save_weights(model, tmp_path / "one.safetensors", max_shard_size=10**9)
    assert (tmp_path / "one.safetensors").is_file()


def test_a_graph_is_needed_for_a_map_by_name(model: nn.Module) -> None:
    with pytest.raises(TypeError, match="give `graph=`"):
        load_weights(nn.Linear(2, 2), {}, names="fused")
    load_weights(nn.Linear(2, 2), {"w": torch.zeros(2, 2), "bias": torch.zeros(2)}, names={"weight": "w"})
