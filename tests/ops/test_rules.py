"""Refusals of shape rules: their words, and the ports or attributes at fault."""

import pytest

from archc.ops.activation import Prelu, Softmax
from archc.ops.arithmetic import Add, Equal, MatMul, Negative, Sub
from archc.ops.base import ShapeError
from archc.ops.conv import Conv1d, Conv2d, ConvTranspose2d
from archc.ops.linear import Bilinear, Embedding, Linear
from archc.ops.noise import DropPath, RandomReplace
from archc.ops.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from archc.ops.pointwise import MaskedFill, Where
from archc.shapes import Mismatch, Tensor, recording, symbol

B, C, H, W, T = map(symbol, "BCHWT")


@pytest.mark.parametrize(
    ("op", "inputs", "about", "message"),
    [
        (
            Conv2d(c_out=4, kernel=3),
            [Tensor((B, 3, H))],
            "x",
            "`x` must have 4 axes, [B, C, H, W], and has 3: [B, 3, H]",
        ),
        (Conv2d(c_out=4, kernel=3), [Tensor(None)], "x", "the rank of `x` must be known"),
        (
            Conv2d(c_out=4, kernel=3),
            [Tensor((B, C, H, W))],
            "x",
            "the number of channels must be known when the model is built, and `C` is not",
        ),
        (
            Conv2d(c_out=4, kernel=3, groups=2),
            [Tensor((B, 3, H, W))],
            "groups",
            "channels must be divisible by groups, and 3 is not by 2",
        ),
        (
            Conv1d(c_out=4, kernel=5, padding=1),
            [Tensor((B, 3, 2))],
            "kernel",
            "the kernel spans 5 and the padded input has only 4",
        ),
        (
            Conv2d(c_out=4, kernel=1, padding=3, padding_mode="reflect"),
            [Tensor((B, 3, 3, 8))],
            "padding",
            "3 cannot be padded by reflection, the input has 3",
        ),
        (
            Conv2d(c_out=4, kernel=1),
            [Tensor((B, 3, 3, 8), "int64")],
            "x",
            "`x` must be of the default dtype, as the weights are, and is int64",
        ),
        (
            ConvTranspose2d(c_out=4, kernel=1, padding=1),
            [Tensor((B, 3, 2, 8))],
            "padding",
            "the padding leaves nothing: a size of 0",
        ),
        (Linear(n=3), [Tensor(())], "x", "`x` must have at least 1 axis and has 0: []"),
        (
            Bilinear(n=3),
            [Tensor((B, 4)), Tensor((T, 4))],
            "a",
            "`a` and `b` differ in a leading size: B and T",
        ),
        (Embedding(n=3, dim=4), [Tensor((B,))], "ids", "`ids` must be int64 or int32 and is float"),
        (LayerNorm(axis=2), [Tensor((B, 4))], "axis", "there is no axis 2 of [B, 4]"),
        (LayerNorm(axis=(1, 1)), [Tensor((B, 4))], "axis", "an axis is given twice"),
        (
            GroupNorm(groups=5),
            [Tensor((B, 12, H))],
            "groups",
            "channels must be divisible by groups, and 12 is not by 5",
        ),
        (GroupNorm(groups=4), [Tensor((1, 4, 1))], "x", "a single value in all cannot be normalised"),
        (InstanceNorm(), [Tensor((B, 4, 1))], "x", "a single value in space cannot be normalised"),
        (BatchNorm(), [Tensor((4,))], "x", "`x` must have 2 or 3 or 4 or 5 axes and has 1: [4]"),
        (Softmax(), [Tensor((B,), "int64")], "x", "`x` must be floating point and is int64"),
        (Prelu(n=3), [Tensor((B, 4))], "n", "there must be one slope a channel: 4 and 3"),
        (Where(), [Tensor((B,)), Tensor((B,)), Tensor((B,))], "cond", "`cond` must be bool and is float"),
        (
            MaskedFill(value=0.5),
            [Tensor((B,), "int64"), Tensor((B,), "bool")],
            "value",
            "0.5 is no element of int64",
        ),
        (RandomReplace(p=0.1, value=0.5), [Tensor((B,), "int64")], "value", "0.5 is no element of int64"),
        (DropPath(p=0.1), [Tensor(())], "x", "`x` must have at least 1 axis and has 0: []"),
        (Sub(), [Tensor((B,)), Tensor((B,), "bool")], "b", "`-` has no meaning for bool"),
        (Negative(), [Tensor((B,), "bool")], "x", "`-` has no meaning for bool"),
        (
            MatMul(),
            [Tensor((2, 3)), Tensor((), weak=True)],
            "b",
            "`@` needs a tensor with axes and `b` is a number",
        ),
        (
            MatMul(),
            [Tensor((2, 3)), Tensor((4, 3))],
            "a",
            "the sizes that `@` sums over differ: 3 and 4",
        ),
        (
            MatMul(),
            [Tensor((2, 3)), Tensor((3, 3), "float16")],
            "a",
            "`@` needs both of one dtype: float and float16",
        ),
    ],
)
def test_refusals(op, inputs, about, message):
    with pytest.raises(ShapeError) as refused, recording():
        op.shape(*inputs)
    assert refused.value.message == message
    assert refused.value.about[0] == about


def test_a_size_that_must_be_known_is_told():
    with pytest.raises(ShapeError) as refused:
        Linear(n=3).shape(Tensor((B, 2 * C)))
    assert refused.value.needs_static is 2 * C


def test_facts_of_a_convolution():
    with recording() as facts:
        out = Conv2d(c_out=8, kernel=3, stride=2).shape(Tensor((B, 3, H, W)))
    assert out.shape == (B, 8, (H - 1) // 2, (W - 1) // 2)
    assert [str(f) for f in facts] == ["H >= 3", "W >= 3"]


def test_no_facts_where_nothing_can_go_wrong():
    with recording() as facts:
        assert Conv2d(c_out=8, kernel=3, padding=1).shape(Tensor((B, 3, H, W))).shape == (B, 8, H, W)
        assert Conv2d(c_out=8, kernel=4, padding="same").shape(Tensor((B, 3, H, W))).shape == (B, 8, H, W)
        GroupNorm(groups=2).shape(Tensor((B, 8, H, W)))
    assert facts == []


def test_weightless_norms_take_symbolic_channels():
    with recording() as facts:
        GroupNorm(groups=4, affine=False).shape(Tensor((B, C, H)))
    assert [str(f) for f in facts][0] == "C % 4 == 0"
    assert LayerNorm(affine=False).shape(Tensor((B, C))).shape == (B, C)
    assert not LayerNorm(affine=False).owns_weights


def test_matmul_counts_vectors_too():
    assert MatMul().flops(Tensor((7,)), Tensor((7,))) == 14
    assert MatMul().flops(Tensor((B, 3, 7)), Tensor((7, 5))) == 2 * B * 3 * 7 * 5


def test_bilinear_counts_both_products():
    assert Bilinear(n=5).flops(Tensor((2, 3)), Tensor((2, 4))) == 2 * 2 * 5 * (3 * 4 + 4)


def test_numbers_do_not_raise_the_dtype():
    number = Tensor((), "float", weak=True)
    assert Add().shape(Tensor((B,), "float16"), number).dtype == "float16"
    assert Add().shape(Tensor((B,), "int64"), number).dtype == "float"
    assert Equal().shape(Tensor((B,), "int64"), number).dtype == "bool"


def test_sizes_that_differ():
    with pytest.raises(Mismatch):
        Add().shape(Tensor((B, 3)), Tensor((B, 4)))


@pytest.mark.parametrize(
    ("op", "inputs", "label"),
    [
        (Conv2d(c_out=128, kernel=3, stride=2, padding=1), [Tensor((B, 64, H, W))], "64 → 128, 3x3 s2"),
        (Conv2d(c_out=64, kernel=(7, 1), groups=64), [Tensor((B, 64, H, W))], "64 → 64, 7x1 g64"),
        (Conv1d(c_out=8, kernel=3, dilation=4), [Tensor((B, 8, T))], "8 → 8, k3 d4"),
        (Linear(n=256), [Tensor((B, 64))], "64 → 256"),
        (Embedding(n=1000, dim=64), [Tensor((B,), "int64")], "1000 x 64"),
        (GroupNorm(groups=32), [Tensor((B, 64, H))], "32 groups"),
    ],
)
def test_labels(op, inputs, label):
    assert op.label(*inputs) == label
