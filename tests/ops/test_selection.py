"""Finding and picking values: against torch, symbolic sizes, wrong uses."""

import pytest
import torch

from archc.ops.base import BadAttributes, ShapeError, bind
from archc.ops.selection import Argmax, Argmin, Gather, OneHot, Pick, Scatter, Sort, Topk
from archc.shapes import Tensor, recording, symbol

B, T, C, N = (symbol(name) for name in "BTCN")


def test_values(apply):
    x = torch.randn(3, 4, 5)
    torch.testing.assert_close(apply(Argmax(axis=1), x), x.argmax(1))
    torch.testing.assert_close(apply(Argmin(keepdim=True), x), x.argmin(-1, keepdim=True))
    for mine, theirs in zip(apply(Sort(axis=0, descending=True), x), x.sort(0, descending=True), strict=True):
        torch.testing.assert_close(mine, theirs)
    for mine, theirs in zip(apply(Topk(k=2, axis=1), x), x.topk(2, 1), strict=True):
        torch.testing.assert_close(mine, theirs)
    hot = apply(OneHot(n=4, dtype="float"), torch.tensor([[0, 3]]))
    assert hot.tolist() == [[[1, 0, 0, 0], [0, 0, 0, 1]]] and hot.dtype == torch.get_default_dtype()


@pytest.mark.parametrize("axis", [1, 2, -1, -2])
def test_pick_takes_one_entry_for_each_sample(apply, axis):
    x, index = torch.randn(3, 4, 5), torch.tensor([0, -1, 2])
    expected = torch.stack([x[i].select((axis % 3) - 1, int(index[i])) for i in range(3)])
    torch.testing.assert_close(apply(Pick(axis=axis), x, index), expected)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_scatter_is_the_reverse_of_gather(apply, axis):
    x = torch.rand(3, 4, 5)
    index = torch.rand(3, 4, 5).argsort(axis)
    values = apply(Gather(axis=axis), x, index)
    torch.testing.assert_close(values, x.gather(axis, index))
    n = 7
    back = apply(Scatter(axis=axis, n=n), values, index)
    assert back.shape == tuple(n if i == axis % 3 else size for i, size in enumerate(x.shape))
    torch.testing.assert_close(back.narrow(axis, 0, x.shape[axis]), x)
    torch.testing.assert_close(back.sum(), x.sum())  # zeros elsewhere


def test_symbolic_sizes():
    x, index = Tensor((B, T, C)), Tensor((B,), "int64")
    assert Argmax().shape(x) == Tensor((B, T), "int64")
    assert Pick().shape(x, index) == Tensor((B, C))
    assert OneHot(n=9).shape(Tensor((B, T), "int64")) == Tensor((B, T, 9), "int64")
    with recording() as facts:
        values, indices = Topk(k=2).shape(x)
    assert (values, indices) == (Tensor((B, T, 2)), Tensor((B, T, 2), "int64"))
    assert [str(f) for f in facts] == ["C >= 2"]
    assert Scatter(axis=-1, n=N).shape(values, indices) == Tensor((B, T, N))
    assert Gather(axis=-1).shape(x, indices) == Tensor((B, T, 2))


@pytest.mark.parametrize(
    ("op", "types", "words"),
    [
        (Argmax(axis=3), [Tensor((B, T, C))], "there is no axis 3"),
        (Argmax(), [Tensor((B, T), "bool")], "must be of real numbers and is bool"),
        (Topk(k=4), [Tensor((B, 3))], r"axis 1 of \[B, 3\] has fewer than 4 values"),
        (OneHot(n=4), [Tensor((B,), "int32")], "`x` must be int64 and is int32"),
        (Pick(axis=0), [Tensor((B, T)), Tensor((B,), "int64")], "axis 0 is the batch"),
        (Pick(), [Tensor((B, T)), Tensor((T,), "int64")], "`x` and `index` differ in the batch: B and T"),
        (Pick(), [Tensor((B, T)), Tensor((B,))], "`index` must be"),
        (Pick(), [Tensor((B, T)), Tensor((B, 1), "int64")], "`index` must have 1 axes"),
        (Gather(axis=1), [Tensor((2, 3)), Tensor((3, 3), "int64")], "`index` exceeds `x` in axis 0"),
        (Gather(axis=1), [Tensor((2, 3)), Tensor((3,), "int64")], "`index` must have 2 axes"),
        (Scatter(axis=1, n=4), [Tensor((2, 3)), Tensor((2, 2), "int64")], "must have one shape: 3 and 2"),
    ],
)
def test_refuses(op, types, words):
    with recording(), pytest.raises(ShapeError, match=words):
        op.shape(*types)


def test_refuses_attributes():
    with pytest.raises(BadAttributes, match="`k` must be at least 1"):
        bind(Topk, (0,))
    with pytest.raises(BadAttributes, match="`dtype` must be a dtype such as"):
        bind(OneHot, (4,), {"dtype": "int"})
