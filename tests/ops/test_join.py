"""Joining and splitting: symbolic sizes, source, wrong uses."""

import pytest
import torch

from archc.ops.base import BadAttributes, ShapeError, bind
from archc.ops.join import Concat, Split, Stack, Unbind
from archc.ops.python import plain_text
from archc.shapes import Tensor, recording, symbol

B, T, H, W, N = (symbol(name) for name in "BTHWN")


def test_sizes_add_up_along_the_axis():
    xs = [Tensor((B, 8, H, W)), Tensor((B, N, H, W)), Tensor((B, 4, H, W))]
    assert Concat(axis=1).shape(*xs) == Tensor((B, N + 12, H, W))
    assert Stack(axis=1).shape(*xs[:1] * 3) == Tensor((B, 3, 8, H, W))


def test_the_halves_of_a_net_meet_under_a_guard():
    with recording() as facts:
        Concat(axis=1).shape(Tensor((B, 8, 2 * (H // 2))), Tensor((B, 8, H)))
    assert [str(f) for f in facts] == ["H % 2 == 0"]


def test_dtypes_promote():
    assert Concat().shape(Tensor((2,)), Tensor((3,), "int64")).dtype == "float"
    assert Stack().shape(Tensor((2,), "int32"), Tensor((2,), "bool")).dtype == "int32"


@pytest.mark.parametrize(
    ("op", "x", "sizes", "text"),
    [
        (Split(n=3), Tensor((B, 12)), [4, 4, 4], "x.chunk(3, -1)"),
        (Split(n=2), Tensor((B, 2 * N)), [N, N], "x.chunk(2, -1)"),
        (Split(n=(3, 9)), Tensor((B, 12)), [3, 9], "x.split([3, 9], -1)"),
        (Split(n=(N, T)), Tensor((B, N + T)), [N, T], "x.split([(N), (T)], -1)"),
        (Split(n=1), Tensor((B, 5)), [5], "x.chunk(1, -1)"),
    ],
)
def test_split(op, x, sizes, text):
    outputs = op.shape(x)
    assert [o.shape[1] for o in outputs] == sizes
    assert len(op.output_names(len(outputs))) == len(sizes)
    assert plain_text(op.call("x")) == text


def test_parts_joined_again(apply):
    x = torch.randn(2, 6, 3)
    parts = apply(Split(n=(1, 2, 3), axis=1), x)
    torch.testing.assert_close(apply(Concat(axis=1), *parts), x)
    torch.testing.assert_close(apply(Stack(axis=1), *apply(Unbind(axis=1), x)), x)


def test_equal_parts_of_an_odd_size_are_guarded():
    with recording() as facts:
        Split(n=2).shape(Tensor((B, N)))
    assert [str(f) for f in facts] == ["N % 2 == 0"]


@pytest.mark.parametrize(
    ("op", "types", "words"),
    [
        (Concat(), [], "`concat` needs at least one input"),
        (
            Concat(axis=1),
            [Tensor((B, 8, 5)), Tensor((B, 8, 4))],
            "differ in axis 2, and are joined along axis 1: 5 and 4",
        ),
        (Concat(axis=1), [Tensor((B, 8, H)), Tensor((B, 8, W))], "H and W"),
        (Concat(axis=1), [Tensor((B, 8, 5)), Tensor((B, 8))], "must have as many axes"),
        (Concat(axis=3), [Tensor((B, 8, 5))], "there is no axis 3"),
        (Concat(), [Tensor(())], "at least 1 axis"),
        (Stack(), [Tensor((B, 8)), Tensor((B, 9))], "must have one shape"),
        (Stack(axis=4), [Tensor((B, 8))], "there is no axis 4"),
        (Split(n=5), [Tensor((B, 12))], r"axis 1 of \[B, 12\] must be divisible into 5 equal parts"),
        (Split(n=(3, 8)), [Tensor((B, 12))], "not together as large as axis 1 of .B, 12.: 12 and 11"),
        (Unbind(axis=1), [Tensor((B, N))], "must be known when the model is built, and `N` is not"),
    ],
)
def test_refuses(op, types, words):
    with recording(), pytest.raises(ShapeError, match=words):
        op.shape(*types)


def test_the_number_of_parts_must_be_known():
    with pytest.raises(BadAttributes, match="`n` must be known when the model is built") as bad:
        bind(Split, (N,))
    assert bad.value.problems[0].needs_static == N
    with pytest.raises(BadAttributes, match="`n` must be at least 1"):
        bind(Split, ([0, 3],))
