"""Positions against formulas written out from the papers."""

import math

import pytest
import torch

from archc.ops.base import BadAttributes, ShapeError, bind
from archc.ops.positions import Alibi, GaussianFourier, SinusoidalEmbedding, T5Bucket
from archc.shapes import Tensor, symbol

B, T, S = (symbol(name) for name in "BTS")


# --- embeddings of time ------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [2, 7, 16])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(("shift", "scale", "period"), [(0, 1.0, 10000), (0.5, 1000.0, 100.0)])
def test_sinusoidal_embedding(apply, dim, flip, shift, scale, period):
    op = SinusoidalEmbedding(dim=dim, flip=flip, shift=shift, scale=scale, max_period=period)
    t = torch.tensor([0.0, 0.5, 3.0])
    found = apply(op, t)
    half = dim // 2
    for row, time in zip(found, t.tolist(), strict=True):
        turns = [time * scale * period ** (-i / (half - shift)) for i in range(half)]
        sines, cosines = [math.sin(a) for a in turns], [math.cos(a) for a in turns]
        expected = (cosines + sines if flip else sines + cosines) + [0.0] * (dim % 2)
        torch.testing.assert_close(row, torch.tensor(expected), rtol=1e-4, atol=1e-4)


def test_sinusoidal_embedding_refuses_a_shift_that_divides_by_zero():
    with pytest.raises(BadAttributes, match="`shift` must be less than dim / 2 = 1"):
        bind(SinusoidalEmbedding, (2,))
    with pytest.raises(BadAttributes, match="`dim` must be at least 2"):
        bind(SinusoidalEmbedding, (1,))


@pytest.mark.parametrize("log", [True, False])
def test_gaussian_fourier(apply, log):
    op = GaussianFourier(dim=3, scale=16.0, log=log)
    scope = {"torch": torch, "nn": torch.nn, "math": math}
    exec(op.helpers["GaussianFourier"], scope)
    module = eval(op.module(Tensor((2,))), scope)
    t = torch.tensor([0.2, 0.7])
    angles = 2 * math.pi * (t.log() if log else t)[:, None] * module.weight
    expected = torch.cat([angles.sin(), angles.cos()], 1)
    torch.testing.assert_close(apply(op, t, module=module), expected, rtol=1e-4, atol=1e-4)
    assert list(module.state_dict()) == ["weight"]


# --- distances ---------------------------------------------------------------------------------


def bucket(away, buckets, distance, bidirectional):
    """T5's bucket of a distance (key's position less the query's)."""
    start = 0
    if bidirectional:
        buckets //= 2
        start = buckets if away > 0 else 0
        away = abs(away)
    else:
        away = max(-away, 0)
    exact = buckets // 2
    if away < exact:
        return start + away
    octaves = math.log(away / exact) / math.log(distance / exact)
    return start + min(exact + int(octaves * (buckets - exact)), buckets - 1)


@pytest.mark.parametrize(("buckets", "distance"), [(32, 128), (8, 20), (4, 3)])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_t5_bucket(apply, buckets, distance, bidirectional):
    op = T5Bucket(buckets=buckets, distance=distance, bidirectional=bidirectional)
    q, k = torch.arange(60, 63), torch.arange(150)
    found = apply(op, q, k)
    expected = [[bucket(j - i, buckets, distance, bidirectional) for j in range(150)] for i in range(60, 63)]
    assert (found - torch.tensor(expected)).abs().sum() <= 1  # a float32 logarithm may cut one off
    assert found.dtype == torch.int64


def test_t5_bucket_refuses():
    with pytest.raises(BadAttributes, match="`buckets` must be even and at least 4, not 7"):
        bind(T5Bucket, (7,))
    with pytest.raises(BadAttributes, match="`distance` must be more than the 8 distances"):
        bind(T5Bucket, (32, 8))
    with pytest.raises(ShapeError, match="`k` must be whole numbers"):
        T5Bucket().shape(Tensor((T,), "int64"), Tensor((S,)))


def test_alibi(apply):
    q, k = torch.arange(3), torch.arange(5)
    distance = (q[:, None] - k).abs()
    found = apply(Alibi(heads=4), q, k)
    for head, exponent in enumerate([2, 4, 6, 8]):
        torch.testing.assert_close(found[head], -(2.0**-exponent) * distance)
    slopes = -apply(Alibi(heads=6), torch.tensor([1]), torch.tensor([0]))[:, 0, 0]
    torch.testing.assert_close(slopes, torch.tensor([2.0**-e for e in (2, 4, 6, 8, 1, 3)]))


def test_distances_of_symbolic_sizes():
    q, k = Tensor((T,), "int64"), Tensor((S,), "int64")
    assert T5Bucket().shape(q, k) == Tensor((T, S), "int64")
    assert Alibi(heads=8).shape(q, k) == Tensor((8, T, S))
