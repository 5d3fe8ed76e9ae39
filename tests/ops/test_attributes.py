"""What is wrong with a call's attributes is told all at once, in our words, at the argument."""

import pytest

from archc.lang.values import Given, Word
from archc.ops.base import AttributeProblem, BadAttributes, bind
from archc.ops.conv import Conv2d, ConvTranspose2d
from archc.ops.linear import Embedding, Linear
from archc.ops.noise import Dropout
from archc.ops.norm import LayerNorm
from archc.ops.pointwise import Cast, Clamp, MaskedFill
from archc.ops.weight import Param
from archc.shapes import Num, Real, labelled, symbol

H = symbol("H")


def problems(cls, *args, **kwargs) -> list[AttributeProblem]:
    with pytest.raises(BadAttributes) as refused:
        bind(cls, args, kwargs)
    return list(refused.value.problems)


def only(cls, *args, **kwargs) -> AttributeProblem:
    (problem,) = problems(cls, *args, **kwargs)
    return problem


def test_by_position_then_by_name():
    conv = bind(Conv2d, (64, [3, 1]), {"padding": (1, 0), "bias": False})
    assert (conv.c_out, conv.kernel, conv.stride, conv.padding, conv.bias) == (64, (3, 1), 1, (1, 0), False)


def test_operators_are_values():
    assert bind(Conv2d, (labelled(8, "c"), [3, 3])) == bind(Conv2d, (8, (3, 3)))
    assert hash(bind(Conv2d, (labelled(8, "c"), [3, 3]))) == hash(bind(Conv2d, (8, (3, 3))))
    assert bind(Conv2d, (8, 3)) != bind(Conv2d, (8, 5))


def test_labels_are_kept():
    op = bind(Dropout, (labelled(0.1, "rate"),))
    assert isinstance(op.p, Real) and op.p.label == "rate"
    op = bind(Param, ([1, labelled(4, "n")],))
    assert isinstance(op.sizes[1], Num)


def test_all_problems_at_once():
    found = problems(Conv2d, 0, "3", strid=2, bias=1)
    assert [(p.argument, p.message) for p in found] == [
        ("strid", "`conv2d` has no attribute `strid`"),
        (0, "`c_out` must be at least 1, not 0"),
        (1, '`kernel` must be a whole number, not "3"'),
        ("bias", "`bias` must be true or false, not 1"),
    ]
    assert found[0].help == "did you mean `stride`?"


@pytest.mark.parametrize(
    ("cls", "args", "kwargs", "argument", "message"),
    [
        (Linear, (), {}, None, "`linear` needs `n`"),
        (Linear, (1, True, 3), {}, 2, "`linear` takes at most 2 attributes, not 3"),
        (Linear, (1,), {"n": 2}, "n", "`n` is given twice"),
        (Linear, (True,), {}, 0, "`n` must be a whole number, not true"),
        (Linear, (2.0,), {}, 0, "`n` must be a whole number, not 2.0"),
        (Linear, (None,), {}, 0, "`n` must be a whole number, not null"),
        (Linear, (Word("c_otu"),), {}, 0, "`c_otu` is not defined"),
        (Linear, (4,), {"bias": Word("ture")}, "bias", "`ture` is not defined"),
        (
            Linear,
            (4,),
            {"bias": Given(("given", "mask"))},
            "bias",
            "`bias` must be known when the model is built, and depends on an open input",
        ),
        (
            Embedding,
            (4, 2),
            {"padding_idx": 4},
            "padding_idx",
            "`padding_idx` must be one of the 4 rows, not 4",
        ),
        (
            Conv2d,
            (4, [3, 3, 3]),
            {},
            1,
            "`kernel` must be one number or 2, not [3, 3, 3]",
        ),
        (Conv2d, (4, []), {}, 1, "`kernel` must not be empty"),
        (
            Conv2d,
            (4, 3),
            {"padding": "valid"},
            "padding",
            '`padding` must be whole numbers or "same", not "valid"',
        ),
        (Conv2d, (4, 3), {"groups": 3}, 0, "`c_out` must be divisible by `groups`, and 4 is not by 3"),
        (
            Conv2d,
            (4, 3),
            {"padding": "same", "stride": 2},
            "padding",
            '`padding` must be numbers where `stride` is not 1, not "same"',
        ),
        (
            ConvTranspose2d,
            (4, 3),
            {"output_padding": 1},
            "output_padding",
            "`output_padding` must be smaller than `stride` or `dilation`",
        ),
        (
            Conv2d,
            (4, 3),
            {"padding_mode": Word("zero")},
            "padding_mode",
            '`padding_mode` must be zeros, reflect, replicate or circular, not "zero"',
        ),
        (Dropout, (1.5,), {}, 0, "`p` must be from 0 to 1, not 1.5"),
        (Dropout, (float("nan"),), {}, 0, "`p` must be a number, not nan"),
        (LayerNorm, ([1, -1],), {}, 0, "`axis` must count all axes from one end"),
        (LayerNorm, (), {"eps": -1e-5}, "eps", "`eps` must be at least 0, not -1e-05"),
        (Cast, ("flaot16",), {}, 0, '`dtype` must be a dtype such as float, float16 or int64, not "flaot16"'),
        (Clamp, (), {}, None, "`clamp` needs `min` or `max`"),
        (Param, ([4, 0],), {}, 0, "`shape` must be at least 1, not 0"),
        (Param, (4,), {"init": "zeroes"}, "init", "there is no initialiser `zeroes`"),
        (Param, (4,), {"init": Word("normal")}, "init", "`normal` needs arguments"),
        (Param, (4,), {"init": 0}, "init", "`init` must be an initialiser, not 0"),
    ],
)
def test_messages(cls, args, kwargs, argument, message):
    problem = only(cls, *args, **kwargs)
    assert (problem.argument, problem.message) == (argument, message)


def test_symbolic_numbers_where_known_ones_are_needed():
    problem = only(Linear, 2 * H)
    assert problem.needs_static is 2 * H
    assert problem.message == "`n` must be known when the model is built, and `2 * H` is not"
    assert only(Linear, 4, bias=H > 2).needs_static is not None
    assert only(Dropout, 1 / H).needs_static is not None
    assert bind(MaskedFill, (1 / H,)).value == 1 / H


def test_a_word_may_be_bare_in_a_choice():
    conv = bind(Conv2d, (4, 3), {"padding_mode": Word("reflect")})
    assert type(conv.padding_mode) is str
