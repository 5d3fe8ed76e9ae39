"""Attention against a plain softmax in float64, with every mask that it may get."""

import math
from itertools import product

import pytest
import torch

from archc.ops.attention import Attention
from archc.ops.base import ShapeError
from archc.shapes import Tensor, recording, symbol

B, T, S, H = (symbol(name) for name in "BTSH")


def plain(q, k, v, *, causal=False, scale=None, mask=None, bias=None):
    """softmax(q k^T scale + bias) v, one head of k for several of q."""
    share = q.shape[-3] // k.shape[-3] if q.ndim > 2 else 1
    if share > 1:
        k, v = (x.repeat_interleave(share, -3) for x in (k, v))
    scores = q @ k.mT * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if bias is not None:
        scores = scores + bias
    queries, keys = scores.shape[-2:]
    if causal:
        last = keys - queries + torch.arange(queries)
        scores = scores.masked_fill(torch.arange(keys) > last[:, None], -torch.inf)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1) @ v


def mask_like(shape):
    """A mask that leaves every query a key, also together with causality."""
    mask = torch.rand(shape) > 0.4
    mask[..., 0] = True
    return mask


LAYOUTS = [
    ((2, 4, 3), (2, 4, 3)),  # [B, T, d]: q, k
    ((2, 4, 5, 3), (2, 4, 5, 3)),
    ((2, 4, 3, 3), (2, 4, 6, 3)),
    ((2, 4, 5, 3), (2, 2, 5, 3)),
    ((2, 4, 3, 3), (2, 1, 7, 3)),
    ((3, 2), (5, 2)),
    ((4, 3, 2), (2, 5, 2)),
    ((2, 3, 4, 5, 2), (2, 3, 2, 6, 2)),
]


@pytest.mark.parametrize(("ours", "theirs"), LAYOUTS)
@pytest.mark.parametrize("typed", [True, False])
def test_is_a_softmax_over_the_keys(apply, ours, theirs, typed):
    torch.manual_seed(0)
    q, k = torch.randn(ours, dtype=torch.float64), torch.randn(theirs, dtype=torch.float64)
    v = torch.randn((*theirs[:-1], 6), dtype=torch.float64)
    scores = (*ours[:-1], theirs[-2])
    masks = [None, mask_like(scores), mask_like(scores[-2:]), mask_like((1, theirs[-2]))]
    biases = [None, *(torch.randn(s, dtype=torch.float64) for s in (scores, (1, scores[-1])))]
    for causal, mask, bias, scale in product([False, True], masks, biases, [None, 0.3]):
        found = apply(Attention(causal=causal, scale=scale), q, k, v, mask, bias, typed=typed)
        expected = plain(q, k, v, causal=causal, scale=scale, mask=mask, bias=bias)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_causal_is_aligned_to_the_end(apply):
    q, k = torch.randn(1, 1, 2, 4), torch.randn(1, 1, 5, 4)
    v = torch.eye(5)[None, None]
    weights = apply(Attention(causal=True), q, k, v)[0, 0]
    assert (weights[1] > 0).all(), "the last query sees every key"
    assert (weights[0, :4] > 0).all() and weights[0, 4] == 0


def source(op, *shapes, mask=None, bias=None):
    types = [Tensor(shape) for shape in shapes]
    types += [mask and Tensor(mask, "bool"), bias and Tensor(bias)]
    return op.lower(["q", "k", "v", mask and "m", bias and "b"], types)


def test_pytorch_s_own_causality_serves_where_it_is_the_same():
    x = (B, 4, T, 8)
    assert source(Attention(causal=True), x, x, x) == (
        "F.scaled_dot_product_attention(q, k, v, is_causal=True)"
    )
    assert "is_causal" not in source(Attention(causal=True), x, (B, 4, S, 8), (B, 4, S, 8))
    assert "is_causal" not in source(Attention(causal=True), x, x, x, mask=(T, T))
    assert "is_causal" not in Attention(causal=True).call("q", "k", "v")


def test_groups_of_heads_are_told_to_pytorch_where_there_are_any():
    x, k = (B, 4, T, 8), (B, 2, T, 8)
    assert "enable_gqa" not in source(Attention(), x, x, x)
    assert source(Attention(), x, k, k).endswith("enable_gqa=True)")


def test_dropout_falls_in_training_only(apply):
    q = torch.randn(1, 2, 6, 4)
    op = Attention(dropout=0.5)
    assert op.random and not Attention().random
    torch.testing.assert_close(apply(op, q, q, q), apply(Attention(), q, q, q))
    assert not torch.allclose(apply(op, q, q, q, training=True), apply(Attention(), q, q, q))


def test_symbolic_sizes():
    with recording() as facts:
        out = Attention(causal=True).shape(Tensor((B, H, T, 8)), Tensor((B, H, S, 8)), Tensor((B, H, S, 5)))
    assert out == Tensor((B, H, T, 5))
    assert [str(f) for f in facts] == ["S >= T"]
    assert Attention().flops(Tensor((B, 4, T, 8)), Tensor((B, 2, S, 8)), Tensor((B, 2, S, 5))) == (
        2 * B * 4 * T * S * (8 + 5)
    )


X = Tensor((2, 4, 5, 8))


@pytest.mark.parametrize(
    ("op", "types", "words", "about"),
    [
        (Attention(), [Tensor((5,)), X, X], "`q` must have at least 2 axes", ("q",)),
        (Attention(), [X, Tensor((4, 5, 8)), X], "`k` must have 4 axes", ("k",)),
        (Attention(), [X, Tensor((2, 4, 5, 7)), X], "must have one width: 8 and 7", ("q", "k")),
        (Attention(), [X, X, Tensor((2, 4, 6, 8))], "must be equally many: 5 and 6", ("k", "v")),
        (Attention(), [X, *[Tensor((2, 3, 5, 8))] * 2], "3 heads of `k` cannot serve 4 heads", ("q", "k")),
        (
            Attention(),
            [X, Tensor((2, 4, 5, 8)), Tensor((2, 2, 5, 8))],
            "differ in their heads: 4 and 2",
            ("k", "v"),
        ),
        (
            Attention(),
            [X, *[Tensor((1, 4, 5, 8))] * 2],
            "`q` and `k` differ in their axis -4: 2 and 1",
            ("q", "k"),
        ),
        (Attention(), [X, X, Tensor((2, 4, 5, 8), "float16")], "differ in dtype", ("q", "v")),
        (Attention(causal=True), [X, *[Tensor((2, 4, 3, 8))] * 2], "at least as many keys", ("causal", "k")),
        (Attention(), [X, X, X, Tensor((5,), "bool")], "`mask` must have at least 2 axes", ("mask",)),
        (Attention(), [X, X, X, Tensor((5, 5))], "`mask` must be bool", ("mask",)),
        (
            Attention(),
            [X, X, X, Tensor((2, 5), "bool")],
            "`mask` bool.2, 5. does not fit the scores",
            ("mask",),
        ),
        (Attention(), [X, X, X, Tensor((1, 2, 4, 5, 5), "bool")], "`mask` has more axes", ("mask",)),
        (
            Attention(),
            [X, X, X, None, Tensor((5, 5), "int64")],
            "`q` and `bias` differ in dtype",
            ("q", "bias"),
        ),
    ],
)
def test_refuses(op, types, words, about):
    with pytest.raises(ShapeError, match=words) as refused:
        op.shape(*types)
    assert refused.value.about == about
