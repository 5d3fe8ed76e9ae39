"""Moving axes about: symbolic sizes, source, wrong uses. The contract test covers the rest."""

import pytest
import torch

from archc.ops.base import BadAttributes, ShapeError, bind
from archc.ops.layout import Expand, Flatten, Flip, Fold, Roll, Squeeze, Transpose, Unfold, Unsqueeze
from archc.ops.python import plain_text
from archc.shapes import Tensor, labelled, recording, symbol

B, C, H, W, N = (symbol(name) for name in "BCHWN")
X = Tensor((B, C, H, W))


@pytest.mark.parametrize(
    ("op", "x", "shape", "text"),
    [
        (Transpose(a=1, b=-1), X, (B, W, H, C), "x.transpose(1, -1)"),
        (Flatten(start=2), X, (B, C, H * W), "x.flatten(2)"),
        (Flatten(start=0, end=1), X, (B * C, H, W), "x.flatten(0, 1)"),
        (Unsqueeze(axis=-1), X, (B, C, H, W, 1), "x.unsqueeze(-1)"),
        (Squeeze(axis=(0, -1)), Tensor((1, B, 1)), (B,), "x.squeeze((0, -1))"),
        (Expand(shape=(B, -1, -1)), Tensor((1, 4, 8)), (B, 4, 8), "x.expand((B), -1, -1)"),
        (Expand(shape=(N, -1)), Tensor((N, 4)), (N, 4), "x.expand((N), -1)"),
        (Expand(shape=(3, -1)), Tensor((8,)), (3, 8), "x.expand(3, -1)"),
        (Roll(shifts=(-2, N), axes=(2, 3)), X, (B, C, H, W), "x.roll((-2, (N)), (2, 3))"),
        (Flip(axes=-1), X, (B, C, H, W), "x.flip(-1)"),
    ],
)
def test_symbolic_sizes_and_source(op, x, shape, text):
    assert op.shape(x).shape == shape
    assert plain_text(op.call("x")) == text


def test_a_labelled_number_keeps_its_name_in_the_source():
    axis = labelled(1, "axis")
    assert "axis" in Unsqueeze(axis=axis).call("x")


def test_patches_there_and_back(apply):
    image = torch.randn(2, 3, 4, 6)
    cut = apply(Unfold(kernel=2, stride=2), image)
    torch.testing.assert_close(apply(Fold(size=(4, 6), kernel=2, stride=2), cut), image)


def test_folding_symbolic_sizes():
    with recording() as facts:
        cut = Unfold(kernel=4, stride=4).shape(Tensor((B, 3, H, W)))
        assert cut == Tensor((B, 48, (H // 4) * (W // 4)))
        assert Fold(size=(H, W), kernel=4, stride=4).shape(cut) == Tensor((B, 3, H, W))
    assert {str(f) for f in facts} == {"H >= 4", "W >= 4"}


@pytest.mark.parametrize(
    ("op", "x", "words"),
    [
        (Transpose(a=0, b=4), X, r"there is no axis 4 of \[B, C, H, W\]"),
        (Flatten(start=2, end=1), X, "comes after axis 1"),
        (Flatten(), Tensor((4,)), "there is no axis 1"),
        (Unsqueeze(axis=5), X, "there is no axis 5"),
        (Squeeze(axis=1), Tensor((B, 3)), r"axis 1 of \[B, 3\] must have size 1: 3 and 1"),
        (Squeeze(axis=1), Tensor((B, N)), "must have size 1"),
        (Squeeze(axis=(0, -2)), Tensor((1, 3)), "an axis is given twice"),
        (Expand(shape=(-1,)), X, "1 sizes are given for the 4 axes"),
        (Expand(shape=(-1, 3)), Tensor((3,)), "a new axis has no size to keep"),
        (Expand(shape=(4,)), Tensor((3,)), "axis 0 of .3. cannot be expanded: 3 and 4"),
        (Expand(shape=(4,)), Tensor((N,)), "cannot be expanded: N and 4"),
        (Expand(shape=(0,)), Tensor((1,)), "a size must be at least 1"),
        (Roll(shifts=1, axes=4), X, "there is no axis 4"),
        (Flip(axes=(1, 1)), X, "an axis is given twice"),
        (Unfold(kernel=5), Tensor((B, 3, 4, 4)), "the window spans 5"),
        (Unfold(kernel=2), Tensor((B, 3, 4)), "`x` must have 4 axes"),
        (
            Fold(size=4, kernel=2),
            Tensor((B, 6, 9)),
            "the 6 channels of `x` are no multiple of the window's 4",
        ),
        (Fold(size=4, kernel=2), Tensor((B, 8, 4)), "different numbers of windows: 4 and 9"),
        (Flip(axes=0), Tensor(None), "the rank of `x` must be known"),
    ],
)
def test_refuses(op, x, words):
    with recording(), pytest.raises(ShapeError, match=words):
        op.shape(x)


@pytest.mark.parametrize(
    ("operator", "attributes", "argument", "words"),
    [
        (Roll, {"shifts": 1, "axes": (1, 2)}, "shifts", "there must be one for each of the 2 axes, not 1"),
        (Expand, {"shape": (-2, 1)}, "shape", "must be at least -1"),
        (Unfold, {"kernel": (1, 2, 3)}, "kernel", "must be one number or 2"),
        (Fold, {"size": (1, 2, 3), "kernel": 1}, "size", "must be one number or 2"),
        (Transpose, {"a": 1}, None, "needs `b`"),
        (Transpose, {"a": 1, "b": 1.5}, "b", "must be a whole number"),
    ],
)
def test_refuses_attributes(operator, attributes, argument, words):
    with pytest.raises(BadAttributes, match=words) as bad:
        bind(operator, (), attributes)
    assert [p.argument for p in bad.value.problems] == [argument]
