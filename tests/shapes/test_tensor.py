"""Tensor types: broadcasting and promotion against torch."""

import copy
import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archc.shapes import DTYPES, Mismatch, Tensor, broadcast, eq, promote, recording, symbol

H, W = symbol("H"), symbol("W")
_shapes = st.lists(st.sampled_from([1, 1, 2, 3, 0]), max_size=4).map(tuple)


@given(st.lists(_shapes, min_size=1, max_size=4))
def test_broadcast_as_torch(shapes):
    try:
        expected = tuple(torch.broadcast_shapes(*shapes))
    except RuntimeError:
        with pytest.raises(Mismatch):
            broadcast(*shapes)
    else:
        assert broadcast(*shapes) == expected


def test_broadcast_of_symbolic_sizes():
    assert broadcast((H, 1, 3), (W, 3)) == (H, W, 3)
    assert broadcast((H, W), ()) == (H, W) and broadcast() == ()
    assert broadcast((2, 3), None, (7,)) is None
    with recording() as facts:
        assert broadcast((1, H), (4, 2 * (H // 2))) == (4, H)
    assert facts == [eq(H % 2, 0)]
    for a, b in (((H,), (W,)), ((H,), (7,)), ((H, 3), (H, 4))):
        with pytest.raises(Mismatch):
            broadcast(a, b)


def _torch_dtype(name):
    return torch.get_default_dtype() if name == "float" else getattr(torch, name)


_values = st.tuples(st.sampled_from(DTYPES), st.sampled_from([(2, 3), (), "number"]))
_NUMBERS = {"bool": True, "int64": 1, "float": 1.5, "complex64": 1j}


def _both(dtype, shape):
    if shape == "number":
        dtype = {0: "bool", 1: "int64", 2: "float", 3: "complex64"}[
            3 if "complex" in dtype else 2 if "float" in dtype else dtype != "bool"
        ]
        return Tensor((), dtype, weak=True), _NUMBERS[dtype]
    return Tensor(shape, dtype), torch.empty(shape, dtype=_torch_dtype(dtype))


def _check(values):
    ours, theirs = zip(*(_both(*v) for v in values), strict=True)
    tensors = [t for t in theirs if isinstance(t, torch.Tensor)]
    # torch's own accumulation, of which `result_type` is the one with two operands
    expected = torch.result_type(*theirs) if len(theirs) == 2 else None
    if expected is None:
        expected = (theirs[0] if tensors else torch.tensor(theirs[0])).dtype
    if expected == torch.complex32:
        with pytest.raises(TypeError, match="complex32"):
            promote(*ours)
    else:
        assert _torch_dtype(promote(*ours)) == expected


@given(_values, _values)
def test_promote_two_as_torch(a, b):
    _check([a, b])


def test_promote_every_pair_of_dtypes_as_torch():
    for a in DTYPES:
        for b in DTYPES:
            for shape in ((2,), (), "number"):
                _check([(a, (3,)), (b, shape)])
                _check([(a, shape), (b, (3,))])


def test_promote_many():
    x = Tensor((2,), "float16")
    assert promote(x) == "float16" and promote(x, x, Tensor((2,), "int64")) == "float16"
    assert promote(Tensor((2,), "int64"), Tensor((), "float", weak=True)) == "float"
    assert promote(Tensor((2,), "int8"), Tensor((), "int64", weak=True)) == "int8"
    assert promote(Tensor((2,), "int8"), Tensor((), "int64"), Tensor((), "float", weak=True)) == "float"
    assert promote(Tensor((2,)), Tensor((), "float64")) == "float"
    assert promote(Tensor(None, "float64"), Tensor((2,), "float32")) == "float64"
    assert promote(Tensor((2,)), Tensor((2,), "float32")) == "float32"
    assert promote(Tensor((2,)), Tensor((2,), "bfloat16")) == "float"


def test_text():
    assert str(Tensor((H, 64, W // 2))) == "[H, 64, W // 2]"
    assert str(Tensor((H,), "int64")) == "int64[H]"
    assert str(Tensor(None)) == "[...]" and str(Tensor(())) == "[]"
    assert Tensor((H, 2)).rank == 2 and Tensor(None).rank is None


def test_tensors_are_values():
    t = Tensor((H, 2), "int64")
    assert (
        t == Tensor((H, 2), "int64")
        and hash(t) == hash(Tensor((H, 2), "int64"))
        and t != Tensor((W, 2), "int64")
    )
    assert copy.deepcopy(t) == t == pickle.loads(pickle.dumps(t))
    with pytest.raises(AttributeError):
        t.dtype = "float"
