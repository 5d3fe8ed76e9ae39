"""Reductions: values against torch, symbolic sizes, wrong uses."""

import pytest
import torch

from archc.ops.base import BadAttributes, ShapeError, bind
from archc.ops.reduction import Cumsum, Max, Mean, Min, Norm, Prod, Sum, Var
from archc.shapes import Tensor, symbol

B, C, H, W = (symbol(name) for name in "BCHW")
X = Tensor((B, C, H, W))


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("axis", [1, -1, (0, 2), (-1, 1), (-3, 2), (2, 0, 1)])
def test_values(apply, axis, keepdim):
    x = torch.randn(3, 4, 5)
    axes = axis if isinstance(axis, tuple) else (axis,)
    given = {"axis": axis, "keepdim": keepdim}
    product = x.numpy().prod(axes, keepdims=keepdim)
    for op, expected in [
        (Sum(**given), x.sum(axes, keepdim)),
        (Mean(**given), x.mean(axes, keepdim)),
        (Max(**given), x.amax(axes, keepdim)),
        (Min(**given), x.amin(axes, keepdim)),
        (Prod(**given), torch.as_tensor(product)),
        (Var(**given), x.var(axes, keepdim=keepdim)),
        (Var(**given, unbiased=False), x.var(axes, correction=0, keepdim=keepdim)),
        (Norm(**given), x.square().sum(axes, keepdim).sqrt()),
        (Norm(**given, p=1), x.abs().sum(axes, keepdim)),
    ]:
        torch.testing.assert_close(apply(op, x), expected)
        assert op.shape(Tensor((3, 4, 5))).shape == tuple(expected.shape)


@pytest.mark.parametrize(
    ("op", "shape", "text"),
    [
        (Sum(axis=(2, 3)), (B, C), "x.sum((2, 3))"),
        (Mean(axis=1, keepdim=True), (B, 1, H, W), "x.mean(1, keepdim=True)"),
        (Max(axis=-1), (B, C, H), "x.amax(-1)"),
        (Prod(axis=(0, -1)), (C, H), "x.prod(0, keepdim=True).prod(-1, keepdim=True).squeeze((0, -1))"),
        (Var(axis=1, unbiased=False), (B, H, W), "x.var(1, unbiased=False)"),
        (Norm(axis=1, p=1), (B, H, W), "torch.linalg.vector_norm(x, ord=1, dim=1)"),
        (Cumsum(axis=1), (B, C, H, W), "x.cumsum(1)"),
    ],
)
def test_symbolic_sizes_and_source(op, shape, text):
    assert op.shape(X).shape == shape
    assert op.call("x") == text


@pytest.mark.parametrize(
    ("op", "x", "words"),
    [
        (Sum(axis=4), X, "there is no axis 4"),
        (Sum(axis=(0, -4)), X, "an axis is given twice"),
        (Mean(axis=0), Tensor((2,), "int64"), "must be floating point and is int64"),
        (Var(axis=0), Tensor((2,), "bool"), "must be floating point"),
        (Max(axis=0), Tensor((2,), "complex64"), "complex numbers have no order"),
        (Sum(axis=0), Tensor(None), "the rank of `x` must be known"),
    ],
)
def test_refuses(op, x, words):
    with pytest.raises(ShapeError, match=words):
        op.shape(x)


def test_an_axis_is_needed():
    with pytest.raises(BadAttributes, match="`sum` needs `axis`"):
        bind(Sum)
