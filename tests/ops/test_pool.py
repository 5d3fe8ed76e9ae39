"""Pooling: PyTorch's rounding for every small window, symbolic sizes, wrong uses."""

from itertools import product

import pytest
import torch
import torch.nn.functional as F

from archc.ops.base import BadAttributes, ShapeError, bind
from archc.ops.pool import AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, AvgPool3d, MaxPool1d, MaxPool2d
from archc.ops.window import window_shape
from archc.shapes import Tensor, evaluate, recording, symbol

B, L, H, W = (symbol(name) for name in "BLHW")

WINDOWS = [
    (kernel, stride, padding, dilation, ceil_mode)
    for kernel, stride, dilation, ceil_mode in product((1, 2, 3, 5), (1, 2, 3, 4, 7), (1, 2), (False, True))
    for padding in range(kernel // 2 + 1)
]


@pytest.mark.parametrize("window", WINDOWS)
def test_the_number_of_windows_is_torch_s(window):
    kernel, stride, padding, dilation, ceil_mode = window
    with recording() as facts:
        [count] = window_shape((L,), kernel, stride, padding, dilation, ceil_mode)
    for n in range(1, 16):
        x = torch.zeros(1, 1, n, device="meta")
        holds = all(evaluate(fact, {"L": n}) for fact in facts)
        try:
            expected = F.max_pool1d(x, kernel, stride, padding, dilation, ceil_mode).shape[-1]
        except RuntimeError:
            assert not holds, n
            continue
        assert holds and evaluate(count, {"L": n}) == expected, n


def test_symbolic_sizes_stay_short():
    with recording() as facts:
        assert MaxPool2d(kernel=2).shape(Tensor((B, 8, H, W))) == Tensor((B, 8, H // 2, W // 2))
        assert AvgPool2d(kernel=3, stride=2, padding=1).shape(Tensor((B, 8, H, W))).shape[2] == (H + 1) // 2
    assert [str(f) for f in facts][:2] == ["H >= 2", "W >= 2"]


@pytest.mark.parametrize(
    ("op", "text"),
    [
        (MaxPool2d(kernel=2), "F.max_pool2d(x, 2)"),
        (MaxPool2d(kernel=2, stride=2), "F.max_pool2d(x, 2)"),
        (MaxPool2d(kernel=3, stride=2, padding=1), "F.max_pool2d(x, 3, 2, padding=1)"),
        (AvgPool1d(kernel=2, ceil_mode=True), "F.avg_pool1d(x, 2, ceil_mode=True)"),
        (AdaptiveAvgPool2d(size=(None, 4)), "F.adaptive_avg_pool2d(x, (None, 4))"),
    ],
)
def test_source(op, text):
    assert op.call("x") == text


def test_adaptive_pooling_keeps_what_is_null():
    assert AdaptiveAvgPool2d(size=(None, 4)).shape(Tensor((B, 8, H, W))) == Tensor((B, 8, H, 4))


@pytest.mark.parametrize(
    ("operator", "attributes", "argument", "words"),
    [
        (MaxPool2d, {"kernel": 3, "padding": 2}, "padding", "at most half the kernel of 3, not 2"),
        (MaxPool2d, {"kernel": (2, 2, 2)}, "kernel", r"must be one number or 2, not \[2, 2, 2\]"),
        (MaxPool2d, {"kernel": 0}, "kernel", "must be at least 1"),
        (MaxPool1d, {"kernel": 2, "stride": (1, 1)}, "stride", "must be one number or 1"),
        (AvgPool2d, {"kernel": 2, "dilation": 2}, "dilation", "has no attribute `dilation`"),
        (AdaptiveAvgPool2d, {"size": (1, 2, 3)}, "size", "must be one number or 2"),
    ],
)
def test_refuses_attributes(operator, attributes, argument, words):
    with pytest.raises(BadAttributes, match=words) as bad:
        bind(operator, (), attributes)
    assert [p.argument for p in bad.value.problems] == [argument]


@pytest.mark.parametrize(
    ("op", "x", "words"),
    [
        (MaxPool2d(kernel=2), Tensor((B, 8, L)), r"`x` must have 4 axes, \[B, C, H, W\], and has 3"),
        (MaxPool2d(kernel=4), Tensor((B, 8, 3, 3)), "the window spans 4 and the padded input has only 3"),
        (MaxPool2d(kernel=2), Tensor((B, 8, 4, 4), "int64"), "must be floating point and is int64"),
        (AvgPool3d(kernel=2, padding=1), Tensor((B, 8, 1, 4, 4)), "has only 1, padding left aside"),
    ],
)
def test_refuses(op, x, words):
    with recording(), pytest.raises(ShapeError, match=words):
        op.shape(x)
