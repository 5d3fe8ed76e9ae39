"""Indexing: masks, run-time sizes, and every combination against torch."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.ops.attributes import Wrong
from archc.ops.base import ShapeError
from archc.ops.index import AT, Index, Slice
from archc.ops.python import plain_text
from archc.shapes import Dim, Tensor, recording, symbol

B, T, N = symbol("B"), symbol("T"), symbol("N")

bound = st.none() | st.integers(-5, 5)
item = (
    st.integers(-4, 4)
    | st.just(Ellipsis)
    | st.none()
    | st.just(AT)
    | st.builds(Slice, bound, bound, st.none() | st.integers(1, 3))
)
index_shapes = st.lists(st.sampled_from([(), (1,), (3,), (2, 1), (2, 3)]), min_size=5, max_size=5)


@settings(max_examples=400, deadline=None)
@given(
    shape=st.lists(st.integers(1, 4), max_size=4), items=st.lists(item, max_size=5), index_shapes=index_shapes
)
def test_known_sizes_are_torch_s(shape, items, index_shapes):
    if items.count(Ellipsis) > 1:
        return
    op = Index(items=items)
    tensors = [torch.zeros(s, dtype=torch.int64) for s in index_shapes[: items.count(AT)]]
    x = torch.empty(shape)
    names = [f"i{n}" for n in range(len(tensors))]
    try:
        expected = eval(op.call("x", *names), {"x": x} | dict(zip(names, tensors, strict=True)))
    except (IndexError, RuntimeError):
        expected = None
    types = [Tensor(tuple(t.shape), "int64") for t in tensors]
    try:
        with recording() as facts:
            found = op.shape(Tensor(tuple(shape)), *types)
    except Exception as refused:
        assert expected is None, refused
        return
    assert facts == []
    assert expected is not None and found.shape == tuple(expected.shape)


@pytest.mark.parametrize(
    ("items", "shape", "facts"),
    [
        ((Slice(), 0), (B,), []),
        ((Slice(), 2), (B,), ["T >= 3"]),
        ((Slice(), -2), (B,), ["T >= 2"]),
        ((Slice(), Slice(None, 3)), (B, 3), ["T >= 3"]),
        ((Slice(), Slice(None, N)), (B, N), ["T >= N"]),
        ((Slice(), Slice(1)), (B, T - 1), []),
        ((Slice(), Slice(-4)), (B, 4), ["T >= 4"]),
        ((Slice(), Slice(None, -1)), (B, T - 1), []),
        ((Slice(), Slice(None, None, 2)), (B, (T + 1) // 2), []),
        ((Slice(), Slice(T - 1)), (B, 1), []),
        ((Ellipsis, Slice(None, T)), (B, T), []),
        ((Slice(), T - 1), (B,), []),
    ],
)
def test_symbolic_sizes(items, shape, facts):
    with recording() as found:
        out = Index(items=items).shape(Tensor((B, T)))
    assert out.shape == shape
    assert [str(f) for f in found] == facts


def test_a_mask_chooses_an_unknown_number():
    x, mask = Tensor((B, T, 8)), Tensor((B, T), "bool")
    out = Index(items=(AT,)).shape(x, mask)
    assert len(out.shape) == 2 and isinstance(out.shape[0], Dim) and out.shape[1] == 8
    other = Index(items=(AT,)).shape(x, mask)
    assert out.shape[0] != other.shape[0], "two masks may choose different numbers"
    with pytest.raises(ShapeError, match="mask must have the sizes"):
        Index(items=(AT,)).shape(x, Tensor((T, B), "bool"))


@pytest.mark.parametrize(
    ("items", "index", "message"),
    [
        ((3,), (), "there is no element 3, the axis has 3"),
        ((-4,), (), "there is no element -4, the axis has 3"),
        ((0, 0, 0), (), r"the index takes 3 axes and \[3, 5\] has 2"),
        ((AT,), (Tensor((2,)),), "must be int64, int32 or bool and is float"),
        ((AT,), (Tensor((2,), "uint8"),), "is uint8"),
        ((AT,), (Tensor((), "bool"),), "a single truth value"),
    ],
)
def test_refusals(items, index, message):
    with pytest.raises(ShapeError, match=message):
        Index(items=items).shape(Tensor((3, 5)), *index)


def test_a_number_cannot_be_indexed():
    with pytest.raises(ShapeError, match="a number has no axes"):
        Index(items=(Ellipsis,)).shape(Tensor((), weak=True))


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ((Slice(None, None, -1),), "a slice's step must be at least 1, not -1"),
        ((Slice(None, None, 0),), "a slice's step must be at least 1, not 0"),
        ((Ellipsis, Ellipsis), "may stand once"),
        ((1.5,), "must be a whole number"),
        ((True,), "must be a whole number"),
        ((Slice(0.5),), "must be a whole number"),
    ],
)
def test_bad_items(items, message):
    with pytest.raises(ValueError, match=message) as refused:
        Index(items=items)
    assert isinstance(refused.value.errors()[0]["ctx"]["error"], Wrong)


def test_text():
    op = Index(items=(Slice(), Slice(None, N), AT, None, Slice(1, -1, 2), Ellipsis))
    assert plain_text(op.call("x", "ids")) == "x[:, :(N), ids, None, 1:-1:2, ...]"
