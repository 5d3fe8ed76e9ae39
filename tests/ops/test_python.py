"""Source text of attribute values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.ops.linear import Linear
from archc.ops.python import Code, call, listing, plain_text, py, torch_dtype, unless
from archc.shapes import Tensor, labelled, symbol

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)


@given(values)
def test_text_is_the_value(value):
    assert repr(eval(py(value))) == repr(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-05, "1e-5"),
        (1e16, "1e16"),
        (-2.5e-07, "-2.5e-7"),
        ((1,), "(1,)"),
        ('say "hi"\'', '"say \\"hi\\"\'"'),
    ],
)
def test_as_one_writes_it(value, text):
    assert py(value) == text


def test_labels_and_sizes_are_marked():
    dim = labelled(64, "dim")
    text = py((4 * dim, 2))
    assert "4 * dim" in text and plain_text(text) == "(256, 2)"
    text = py(symbol("H") // 2)
    assert "H // 2" in text and plain_text(text) == "(H // 2)"


def test_calls_leave_defaults_out():
    text = call(
        "f", "x", None, a=unless(0, 0), b=unless(False, False), c=unless(1, True), d=Code("torch.int8")
    )
    assert text == "f(x, c=1, d=torch.int8)"


def test_a_labelled_default_stays():
    groups = labelled(1, "groups")
    assert plain_text(call("f", groups=unless(groups, 1))) == "f(groups=1)"


def test_module_text_shows_the_labels():
    width, hidden = labelled(8, "width"), labelled(32, "hidden")
    text = Linear(n=hidden).module(Tensor((symbol("B"), width)))
    assert "width" in text and "hidden" in text
    assert plain_text(text) == "nn.Linear(8, 32)"


def test_small_helpers():
    assert listing((1, 2)) == "[1, 2]"
    assert (torch_dtype("float"), torch_dtype("int64")) == ("DTYPE", "torch.int64")


def test_marks_in_a_string_are_no_marks():
    value = "\ue000a\ue001b\ue002"
    assert value not in py(value) and eval(py(value)) == value
