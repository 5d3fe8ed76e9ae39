"""Layers of torch.nn tell their shapes themselves."""

from __future__ import annotations

import pytest
import torch

import archc
from archc.ops.asked import Question
from archc.runtime.probe import Probed, Refused, Unknown
from archc.runtime.probe import probe as ask
from archc.shapes import Tensor, symbol

B, C, H, W, T = map(symbol, "BCHWT")


def probe(layer: str, args: tuple, kwargs: dict, inputs: list) -> Probed:
    names: list = [port.name for port in ask.ports(layer)][: len(inputs)]
    names += [None] * (len(inputs) - len(names))
    return ask(Question(layer, args, tuple(kwargs.items()), tuple(names), tuple(inputs)))


@pytest.mark.parametrize(
    ("layer", "args", "kwargs", "inputs", "outputs"),
    [
        ("Linear", (8, 4), {}, [(B, T, 8)], [(B, T, 4)]),
        ("Conv2d", (3, 8, 3), {"padding": 1}, [(B, 3, H, W)], [(B, 8, H, W)]),
        ("Conv2d", (3, 8, 4), {"stride": 4, "padding": 2}, [(B, 3, H, W)], [(B, 8, H // 4 + 1, W // 4 + 1)]),
        ("AdaptiveAvgPool2d", (4,), {}, [(B, C, H, W)], [(B, C, 4, 4)]),
        ("Flatten", (), {}, [(B, 3, H)], [(B, 3 * H)]),
        ("MultiheadAttention", (8, 2), {"batch_first": True}, [(B, T, 8)] * 3, [(B, T, 8), (B, T, T)]),
        ("PixelShuffle", (2,), {}, [(B, 8, H, W)], [(B, 2, 2 * H, 2 * W)]),
        ("PixelUnshuffle", (2,), {}, [(B, 2, H, W)], [(B, 8, H // 2, W // 2)]),
        ("Upsample", (), {"scale_factor": 2}, [(B, C, H, W)], [(B, C, 2 * H, 2 * W)]),
        ("Upsample", (), {"scale_factor": 1.5}, [(B, C, H, W)], [(B, C, 3 * H // 2, 3 * W // 2)]),
        ("Upsample", (), {"size": 7, "mode": "bilinear"}, [(B, C, H, W)], [(B, C, 7, 7)]),
        ("LSTM", (8, 5), {"batch_first": True}, [(B, T, 8)], [(B, T, 5), (1, B, 5), (1, B, 5)]),
        ("GRU", (8, 5), {"bidirectional": True}, [(T, B, 8)], [(T, B, 10), (2, B, 5)]),
        ("LSTMCell", (8, 5), {}, [(B, 8)], [(B, 5), (B, 5)]),
        ("MaxPool1d", (3,), {}, [(B, C, H)], [(B, C, H // 3)]),
        ("ZeroPad2d", (1,), {}, [(B, C, H, W)], [(B, C, H + 2, W + 2)]),
        ("EmbeddingBag", (5, 4), {}, [(B, T, "int64")], [(B, 4)]),
        ("Bilinear", (8, 4, 3), {}, [(B, 8), (B, 4)], [(B, 3)]),
        ("LocalResponseNorm", (2,), {}, [(B, C, H)], [(B, C, H)]),
        ("Identity", (), {}, [(3, 4)], [(3, 4)]),
    ],
)
def test_shapes(layer: str, args: tuple, kwargs: dict, inputs: list, outputs: list) -> None:
    types = [Tensor(s[:-1], s[-1]) if isinstance(s[-1], str) else Tensor(s) for s in inputs]
    found = probe(layer, args, kwargs, types)
    assert [t.shape for t in found.outputs] == outputs


def test_weights() -> None:
    weights = probe("BatchNorm2d", (3,), {}, [Tensor((B, 3, H, W))]).weights
    assert {n: (w.shape, w.buffer, w.dtype) for n, w in weights.items()} == {
        "weight": ((3,), False, "float"),
        "bias": ((3,), False, "float"),
        "running_mean": ((3,), True, "float"),
        "running_var": ((3,), True, "float"),
        "num_batches_tracked": ((), True, "int64"),
    }
    assert [n for n, w in weights.items() if w.optional] == ["num_batches_tracked"]


def test_dtypes() -> None:
    assert probe("Embedding", (5, 4), {}, [Tensor((B, T), "int64")]).outputs == (Tensor((B, T, 4)),)


@pytest.mark.parametrize(
    ("layer", "args", "inputs", "message"),
    [
        ("Lin", (), [], "there is no layer `nn.Lin`"),
        ("Module.forward", (), [], "there is no layer"),
        ("functional", (), [], "there is no layer"),
        ("Linear", (8,), [Tensor((B, 8))], "out_features"),
        ("LazyLinear", (8,), [Tensor((B, 8))], "has no sizes until it runs"),
    ],
)
def test_refused(layer: str, args: tuple, inputs: list, message: str) -> None:
    with pytest.raises(Refused, match=message):
        probe(layer, args, {}, inputs)


def test_sizes_that_are_refused_are_told() -> None:
    found = probe("Conv2d", (3, 8, 9), {}, [Tensor((B, 3, H, W))])
    assert found.outputs == (Tensor((B, 8, H - 8, W - 8)),)
    assert found.refuses is not None
    assert "H = " in found.refuses
    assert probe("Linear", (8, 4), {}, [Tensor((B, 8))]).refuses is None


@pytest.mark.parametrize(
    ("layer", "args", "inputs"),
    [
        ("Linear", (8, 4), [Tensor((B, C))]),
        ("Linear", (8, 4), [Tensor(None)]),
        ("CrossMapLRN2d", (2,), [Tensor((B, C, H, W))]),
    ],
)
def test_unknown(layer: str, args: tuple, inputs: list) -> None:
    with pytest.raises(Unknown):
        probe(layer, args, {}, inputs)


@pytest.mark.parametrize(
    ("layer", "ports"),
    [
        ("Conv2d", "input"),
        ("LSTM", "input"),
        ("Bilinear", "input1 input2"),
        ("EmbeddingBag", "input offsets? per_sample_weights?"),
        ("MultiheadAttention", "query key value key_padding_mask? attn_mask?"),
        ("Identity", "input"),
        ("NoSuchLayer", "*inputs"),
    ],
)
def test_inputs(layer: str, ports: str) -> None:
    found = (("*" if p.variadic else "") + p.name + ("?" if p.optional else "") for p in ask.ports(layer))
    assert " ".join(found) == ports


def net(inputs: str, layer: str, flow: str) -> dict:
    flows = dict(line.split(": ", 1) for line in flow.split("; "))
    block = {"inputs": dict(i.split(": ") for i in inputs.split("; ")), "nodes": {"layer": layer}}
    return {"archc": 1, "blocks": {"Net": {**block, "flow": flows, "outputs": list(flows)[-1:]}}}


def test_nested_outputs() -> None:
    spec = net(
        "x: [B, T, 8]",
        "nn.LSTM(8, 5, batch_first=true)",
        "y, h, c: x -> layer; out: (y -> mean(1)) + h[0] + c[0]",
    )
    model = archc.load(spec)
    x = torch.randn(2, 3, 8)
    y, (h, c) = model.layer(x)
    assert torch.equal(model(x), y.mean(1) + h[0] + c[0])
    first = archc.load(net("x: [B, T, 8]", "nn.LSTM(8, 5)", "out: x -> layer"))
    assert first(x).shape == (2, 3, 5)


def test_inputs_by_name() -> None:
    spec = net(
        "x: [B, T, 8]; mask: bool[B, T]?",
        "nn.MultiheadAttention(8, 2, batch_first=true)",
        "out: x -> layer(x, x, key_padding_mask=mask)",
    )
    model = archc.load(spec)
    x, mask = torch.randn(2, 3, 8), torch.tensor([[False, True, True], [False, False, True]])
    for given in (None, mask):
        expected, _ = model.layer(x, x, x, key_padding_mask=given)
        torch.testing.assert_close(model(x, given), expected)


def test_numbers_are_no_tensors() -> None:
    found = archc.check(net("x: [B, 8]", "nn.CosineSimilarity", "out: x -> layer(2.0)"))
    assert [(d.code, d.message) for d in found.diagnostics] == [("A302", "`x2` takes a tensor, not a number")]


def test_a_summary_tells_no_flops() -> None:
    spec = net("x: [B, 8]", "nn.Linear(8, 4)", "out: x -> layer")
    total = archc.summary(spec).total
    assert (total.parameters, total.flops) == (36, None)
