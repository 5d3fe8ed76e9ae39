"""Initialisers: their calls run, and fill what they say."""

import numpy
import pytest
import torch

from archc.ops import initialisers, table
from archc.ops.base import ShapeError, bind
from archc.ops.python import plain_text
from archc.ops.weight import Param
from archc.shapes import labelled

USES = {
    "zeros": ((), {}, (3, 4)),
    "ones": ((), {}, (3,)),
    "constant": ((0.5,), {}, (2, 2)),
    "normal": ((0.02,), {"mean": 1}, (40, 50)),
    "trunc_normal": ((0.02,), {}, (40, 50)),
    "uniform": ((0.5, 1), {}, (40, 50)),
    "xavier_uniform": ((), {"gain": 2.0}, (40, 50)),
    "xavier_normal": ((), {}, (40, 50)),
    "kaiming_uniform": ((), {"nonlinearity": "relu", "mode": "fan_out"}, (8, 4, 3, 3)),
    "kaiming_normal": ((), {"a": 0.2}, (8, 4, 3)),
    "orthogonal": ((), {}, (4, 4)),
    "eye": ((), {}, (3, 5)),
    "dirac": ((), {}, (4, 4, 3)),
    "sincos_1d": ((6,), {}, (1, 6, 8)),
    "sincos_2d": (([2, 3],), {}, (1, 6, 8)),
}


def run(text: str, initialiser) -> torch.Tensor:
    scope = {"torch": torch, "nn": torch.nn}
    for source in initialiser.helpers.values():
        exec(source, scope)
    return eval(plain_text(text), scope)


def made(name: str, *args, shape, **kwargs) -> torch.Tensor:
    initialiser = bind(table.initialiser(name), args, kwargs)
    initialiser.check(shape)
    torch.manual_seed(0)
    new = run(initialiser.tensor(shape), initialiser)
    torch.manual_seed(0)
    filled = run(initialiser.fill(f"torch.empty({shape})"), initialiser)
    assert torch.equal(new, filled) and new.dtype == torch.float32
    return new


def test_every_initialiser_is_tried():
    assert USES.keys() == table.INITIALISERS.keys()


@pytest.mark.parametrize("name", USES)
def test_runs(name):
    args, kwargs, shape = USES[name]
    assert made(name, *args, shape=shape, **kwargs).shape == shape
    assert "Example" in table.initialiser(name).__doc__


def test_what_they_fill():
    assert made("constant", 3, shape=(2,)).tolist() == [3, 3]
    assert made("normal", 0.5, shape=(100, 100)).std().item() == pytest.approx(0.5, rel=0.05)
    low, high = made("uniform", 0.25, shape=(100, 100)).aminmax()
    assert -0.25 <= low < -0.2 and 0.2 < high <= 0.25
    assert torch.equal(made("eye", shape=(3, 3)), torch.eye(3))


def mae_table(dim: int, height: int, width: int) -> numpy.ndarray:
    """The table of MAE's paper, written with numpy."""

    def line(half: int, positions: numpy.ndarray) -> numpy.ndarray:
        omega = 1.0 / 10000 ** (numpy.arange(half // 2, dtype=float) / (half / 2.0))
        angles = numpy.einsum("m,d->md", positions.reshape(-1), omega)
        return numpy.concatenate([numpy.sin(angles), numpy.cos(angles)], axis=1)

    columns, rows = numpy.meshgrid(numpy.arange(width), numpy.arange(height))
    return numpy.concatenate([line(dim // 2, columns), line(dim // 2, rows)], axis=1)


def test_sincos_2d_is_mae_s():
    expected = torch.from_numpy(mae_table(16, 3, 5)).float()
    assert torch.equal(made("sincos_2d", [3, 5], shape=(1, 15, 16))[0], expected)


@pytest.mark.parametrize(
    ("name", "args", "shape", "message"),
    [
        ("xavier_uniform", (), (3,), "fills tensors of 2 or more axes"),
        ("eye", (), (3, 3, 3), "fills tensors of 2 axes"),
        ("dirac", (), (3, 3), "fills tensors of 3 to 5 axes"),
        ("sincos_1d", (5,), (1, 6, 8), "fills 5 rows"),
        ("sincos_2d", (2,), (1, 4, 6), "divisible by 4"),
    ],
)
def test_what_they_cannot_fill(name, args, shape, message):
    with pytest.raises(ShapeError, match=message):
        bind(table.initialiser(name), args).check(shape)


def test_a_parameter_cannot_be_filled():
    with pytest.raises(ShapeError, match="2 or more"):
        bind(Param, (4,), {"init": "orthogonal"}).shape()


def test_param_is_one_expression():
    n = labelled(4, "n")
    text = bind(Param, ([1, n],), {"init": bind(initialisers.Normal, (0.02,)), "trainable": False}).module()
    assert plain_text(text) == (
        "nn.Parameter(nn.init.normal_(torch.empty(1, 4), std=0.02), requires_grad=False)"
    )
