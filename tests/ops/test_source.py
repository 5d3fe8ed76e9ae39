"""Sources: lengths for every small range, run-time sizes, wrong uses."""

from itertools import product

import pytest

from archc.ops.base import BadAttributes, ShapeError, bind
from archc.ops.python import plain_text
from archc.ops.source import Arange, Eye, Full, Linspace, Ones, Zeros
from archc.shapes import Tensor, evaluate, recording, symbol

B, T = symbol("B"), symbol("T")


@pytest.mark.parametrize("step", [-3, -2, -1, 1, 2, 5])
def test_arange_is_as_long_as_python_s_range(step):
    for start, end in product(range(-4, 8), repeat=2):
        if (end - start) * step < 0:
            with pytest.raises(ShapeError, match="there is no way"):
                Arange(start=start, end=end, step=step).shape()
        else:
            assert Arange(start=start, end=end, step=step).shape().shape == (len(range(start, end, step)),)


def test_run_time_sizes():
    with recording() as facts:
        assert Arange(start=T).shape() == Tensor((T,), "int64")
        assert Arange(start=2, end=T).shape() == Tensor((T - 2,), "int64")
        halves = Arange(start=0, end=T, step=2).shape().shape[0]
    assert [str(f) for f in facts] == ["T >= 2"]
    assert [evaluate(halves, {"T": t}) for t in range(1, 6)] == [1, 1, 2, 2, 3]
    assert Zeros(shape=(B, 1)).shape() == Tensor((B, 1))
    assert Eye(n=T, dtype="bool").shape() == Tensor((T, T), "bool")


@pytest.mark.parametrize(
    ("op", "text"),
    [
        (Arange(start=T), "torch.arange((T), device=DEVICE)"),
        (Arange(start=1, end=9, step=2), "torch.arange(1, 9, 2, device=DEVICE)"),
        (Zeros(shape=(B, 4)), "torch.zeros(((B), 4), dtype=DTYPE, device=DEVICE)"),
        (Ones(shape=(4,), dtype="bool"), "torch.ones((4,), dtype=torch.bool, device=DEVICE)"),
        (Full(shape=(2, 2), value=0.5), "torch.full((2, 2), 0.5, dtype=DTYPE, device=DEVICE)"),
        (Eye(n=3), "torch.eye(3, dtype=DTYPE, device=DEVICE)"),
        (Linspace(a=-1, b=1, n=5), "torch.linspace(-1, 1, 5, dtype=DTYPE, device=DEVICE)"),
    ],
)
def test_source(op, text):
    assert op.source and not op.ports()
    assert plain_text(op.call()) == text


def test_refuses():
    with pytest.raises(BadAttributes, match="`step` must not be 0"):
        bind(Arange, (0, 4, 0))
    with pytest.raises(BadAttributes, match="`shape` must be at least 1, not 0"):
        bind(Zeros, ([0, 3],))
    with pytest.raises(ShapeError, match="0.5 is no element of int64"):
        Full(shape=(2,), value=0.5, dtype="int64").shape()
