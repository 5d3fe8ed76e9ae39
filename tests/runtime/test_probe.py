"""Layers of torch.nn tell their shapes themselves."""

from __future__ import annotations

import pytest

from archc.runtime.probe import Refused, Unknown, probe
from archc.shapes import Tensor, symbol

B, C, H, W, T = map(symbol, "BCHWT")


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
        ("Identity", (), {}, [(3, 4)], [(3, 4)]),
    ],
)
def test_shapes(layer: str, args: tuple, kwargs: dict, inputs: list, outputs: list) -> None:
    found = probe(layer, args, kwargs, [Tensor(tuple(s)) for s in inputs])
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


def test_dtypes() -> None:
    assert probe("Embedding", (5, 4), {}, [Tensor((B, T), "int64")]).outputs == (Tensor((B, T, 4)),)


@pytest.mark.parametrize(
    ("layer", "args", "inputs", "message"),
    [
        ("Lin", (), [], "there is no layer `nn.Lin`"),
        ("Module.forward", (), [], "there is no layer"),
        ("functional", (), [], "there is no layer"),
        ("Linear", (8,), [Tensor((B, 8))], "out_features"),
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
    ],
)
def test_unknown(layer: str, args: tuple, inputs: list) -> None:
    with pytest.raises(Unknown):
        probe(layer, args, {}, inputs)
