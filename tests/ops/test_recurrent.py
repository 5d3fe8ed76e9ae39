"""Recurrent layers: PyTorch's weights, values, states, cost and wrong uses."""

import pytest
import torch
from torch import nn

from archc.ops.base import BadAttributes, ShapeError, bind
from archc.ops.recurrent import Gru, GruCell, Lstm, LstmCell, Rnn, RnnCell
from archc.shapes import Tensor, recording, symbol

B, T, N = (symbol(name) for name in "BTN")
SETTINGS = [
    {},
    {"layers": 3},
    {"layers": 2, "bidirectional": True},
    {"bias": False},
    {"layers": 2, "batch_first": False, "dropout": 0.1},
]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(("operator", "theirs"), [(Lstm, nn.LSTM), (Gru, nn.GRU), (Rnn, nn.RNN)])
def test_is_pytorch_s(apply, operator, theirs, setting):
    op = operator(hidden=4, **setting)
    x = torch.randn(2, 5, 3)
    expected = theirs(
        3, 4, **{"batch_first": True} | {"num_layers" if k == "layers" else k: v for k, v in setting.items()}
    )
    module = eval(op.module(Tensor((2, 5, 3))), {"nn": nn})
    shapes = {name: tuple(p.shape) for name, p in expected.named_parameters()}
    assert {name: w.shape for name, w in op.weights(Tensor((2, 5, 3))).items()} == shapes
    module.load_state_dict(expected.state_dict())
    module.eval(), expected.eval()
    states = len(op.outputs) - 1
    batch = 2 if op.batch_first else 5
    wired = [torch.randn(op.layers * (2 if op.bidirectional else 1), batch, 4) for _ in range(states)]
    for given in ([], wired):
        out, *mine = apply(op, x, *given, module=module)
        known, state = expected(x, tuple(given) if states == 2 else given[0]) if given else expected(x)
        torch.testing.assert_close(out, known)
        for a, b in zip(mine, state if states == 2 else [state], strict=True):
            torch.testing.assert_close(a, b)
        types = op.shape(*(Tensor(tuple(t.shape)) for t in (x, *given)))
        assert [t.shape for t in types] == [tuple(t.shape) for t in (out, *mine)]


@pytest.mark.parametrize("operator", [Lstm, Gru, Rnn])
def test_a_state_arrives_in_one_piece(apply, operator):
    """An expanded one does not lie so, and cuDNN refuses it."""
    op = operator(hidden=4, layers=2)
    module = eval(op.module(Tensor((3, 5, 3))), {"nn": nn})
    pieces = []
    module.register_forward_pre_hook(
        lambda _, inputs: pieces.extend(s.is_contiguous() for s in torch.utils._pytree.tree_leaves(inputs))
    )
    state = torch.randn(1, 3, 4).expand(2, -1, -1)
    apply(op, torch.randn(3, 5, 3), *[state] * (len(op.outputs) - 1), module=module)
    assert pieces == [True] * len(op.outputs)


@pytest.mark.parametrize("bias", [True, False])
def test_a_cell_is_one_step_of_its_layer(apply, bias):
    x, h, c = torch.randn(2, 3), torch.randn(2, 4), torch.randn(2, 4)
    for layer, cell, states in [(Lstm, LstmCell, [h, c]), (Gru, GruCell, [h]), (Rnn, RnnCell, [h])]:
        whole, step = layer(hidden=4, bias=bias), cell(hidden=4, bias=bias)
        long = eval(whole.module(Tensor((2, 1, 3))), {"nn": nn})
        short = eval(step.module(Tensor((2, 3))), {"nn": nn})
        short.load_state_dict({name.removesuffix("_l0"): p for name, p in long.state_dict().items()})
        _, *expected = apply(whole, x[:, None], *(s[None] for s in states), module=long)
        found = apply(step, x, *states, module=short)
        for a, b in zip(found if len(states) == 2 else [found], expected, strict=True):
            torch.testing.assert_close(a, b[0])
        assert len(step.outputs) == len(states)


def test_the_nonlinearity_of_a_plain_network():
    assert Rnn(hidden=4, nonlinearity="relu").module(Tensor((1, 1, 3))) == (
        'nn.RNN(3, 4, nonlinearity="relu", batch_first=True)'
    )
    assert (
        RnnCell(hidden=4, nonlinearity="relu").module(Tensor((1, 3)))
        == 'nn.RNNCell(3, 4, nonlinearity="relu")'
    )


def test_symbolic_sizes():
    x, state = Tensor((B, T, 3)), Tensor((4, B, 8))
    op = Lstm(hidden=8, layers=2, bidirectional=True)
    assert op.shape(x, state, state) == (Tensor((B, T, 16)), state, state)
    assert op.flops(x) == B * T * 2 * 4 * 2 * 8 * ((3 + 8) + (16 + 8))
    assert LstmCell(hidden=8).flops(Tensor((B, 3))) == 2 * B * 4 * 8 * 11
    flipped = Gru(hidden=8, batch_first=False).shape(Tensor((T, B, 3)))
    assert flipped == (Tensor((T, B, 8)), Tensor((1, B, 8)))


@pytest.mark.parametrize(
    ("op", "types", "words"),
    [
        (Lstm(hidden=4), [Tensor((B, T, 3)), Tensor((1, B, 4))], "`h` goes with `c`, which is not wired"),
        (Lstm(hidden=4), [Tensor((B, T, 3)), None, Tensor((1, B, 4))], "`c` goes with `h`"),
        (Gru(hidden=4), [Tensor((B, T, 3)), Tensor((1, B, 5))], r"must have the shape \[1, B, 4\]: 5 and 4"),
        (Gru(hidden=4), [Tensor((B, T, 3)), Tensor((B, 4))], "`h` must have 3 axes"),
        (Gru(hidden=4), [Tensor((B, 3))], r"`x` must have 3 axes, \[B, T, D\]"),
        (Gru(hidden=4), [Tensor((B, T, N))], "the last size must be known when the model is built"),
        (Gru(hidden=4), [Tensor((B, T, 3), "float16")], "must be of the default dtype"),
        (GruCell(hidden=4), [Tensor((B, 3)), Tensor((T, 4))], "must have the shape"),
    ],
)
def test_refuses(op, types, words):
    with recording(), pytest.raises(ShapeError, match=words):
        op.shape(*types)


def test_dropout_needs_a_second_layer():
    with pytest.raises(BadAttributes, match="`dropout` falls between layers, and there is only one"):
        bind(Lstm, (4,), {"dropout": 0.1})
    assert Lstm(hidden=4, layers=2, dropout=0.1).random
