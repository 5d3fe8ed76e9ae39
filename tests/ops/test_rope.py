"""Rotary positions against pairs of features turned as complex numbers."""

import math

import pytest
import torch

from archc.ops.base import BadAttributes, ShapeError, bind
from archc.ops.rope import Rope
from archc.shapes import Tensor, recording, symbol

B, T, S = (symbol(name) for name in "BTS")


def angles_of(op, d, length):
    """The angle of each pair from one position to the next, by the definition of each scaling."""
    theta = op.theta
    if op.scaling == "dynamic":
        stretch = op.factor * max(length, op.max_positions) / op.max_positions - (op.factor - 1)
        theta *= stretch ** (d / (d - 2))
    angles = [theta ** (-2 * i / d) for i in range(d // 2)]
    if op.scaling == "linear":
        return [a / op.factor for a in angles]
    if op.scaling == "llama3":
        return [llama3(op, a) for a in angles]
    if op.scaling == "yarn":
        return [yarn(op, a, i, d) for i, a in enumerate(angles)]
    return angles


def llama3(op, angle):
    wavelength = 2 * math.pi / angle
    if wavelength < op.max_positions / op.high_freq_factor:
        return angle
    if wavelength > op.max_positions / op.low_freq_factor:
        return angle / op.factor
    smooth = op.max_positions / wavelength - op.low_freq_factor
    smooth /= op.high_freq_factor - op.low_freq_factor
    return (1 - smooth) * angle / op.factor + smooth * angle


def yarn(op, angle, i, d):
    def pair(turns):  # the pair that turns so often over the positions of training
        return d * math.log(op.max_positions / (2 * math.pi * turns)) / (2 * math.log(op.theta))

    low = max(math.floor(pair(op.beta_fast or 32)), 0)
    high = min(math.ceil(pair(op.beta_slow or 1)), d - 1)
    ramp = min(max((i - low) / (high - low), 0), 1) if high != low else float(i > low)
    return angle / op.factor * ramp + angle * (1 - ramp)


def turned(op, x, positions):
    """Each pair of features as a complex number, multiplied by e^(i position angle)."""
    d, positions = op.dim or x.shape[-1], positions.double()
    out = x.clone()
    angles = angles_of(op, d, int(positions.max()) + 1)
    scale = 1.0
    if op.scaling == "yarn":
        scale = op.attention_factor or 0.1 * math.log(op.factor) + 1
    for i, angle in enumerate(angles):
        a, b = (2 * i, 2 * i + 1) if op.interleaved else (i, i + d // 2)
        turn = torch.polar(torch.full_like(positions, scale), positions * angle)
        pair = torch.complex(x[..., a], x[..., b]) * turn
        out[..., a], out[..., b] = pair.real, pair.imag
    return out


SCALINGS = [
    {},
    {"theta": 500.0},
    {"scaling": "linear", "factor": 4},
    {"scaling": "dynamic", "factor": 2.0, "max_positions": 5},
    {"scaling": "dynamic", "factor": 2.0, "max_positions": 50},
    {"scaling": "yarn", "factor": 4.0, "max_positions": 64},
    {"scaling": "yarn", "factor": 4.0, "max_positions": 640, "beta_fast": 16.0, "beta_slow": 2.0},
    {"scaling": "yarn", "factor": 2.0, "max_positions": 64, "attention_factor": 1.5},
    {
        "scaling": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "max_positions": 256,
    },
]


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize("dim", [None, 8])
def test_rope_turns_pairs(apply, scaling, interleaved, dim):
    op = Rope(interleaved=interleaved, dim=dim, **scaling)
    x = torch.randn(2, 3, 12, 16, dtype=torch.float64)
    found = apply(op, x)
    torch.testing.assert_close(found, turned(op, x, torch.arange(12)), rtol=1e-5, atol=1e-5)
    assert found.dtype == x.dtype


def test_rope_at_given_positions(apply):
    x = torch.randn(2, 3, 4, 8, dtype=torch.float64)
    positions = torch.tensor([[3, 4, 5, 6], [0, 1, 2, 9]])
    found = apply(Rope(), x, positions)
    for sample in range(2):
        expected = turned(Rope(), x[sample], positions[sample])
        torch.testing.assert_close(found[sample], expected, rtol=1e-5, atol=1e-5)
    same = torch.tensor([3, 4, 5, 6])
    torch.testing.assert_close(apply(Rope(), x, same)[0], found[0])


def test_rope_depends_on_distances_only(apply):
    q, k = torch.randn(6, 8), torch.randn(6, 8)
    here = apply(Rope(), q) @ apply(Rope(), k).T
    there = apply(Rope(), q, torch.arange(6) + 40) @ apply(Rope(), k, torch.arange(6) + 40).T
    torch.testing.assert_close(here, there, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("attributes", "argument", "words"),
    [
        ({"dim": 3}, "dim", "`dim` must be even, not 3"),
        ({"factor": 2.0}, "factor", "`factor` has no meaning for no scaling"),
        ({"scaling": "linear"}, "scaling", "linear scaling needs `factor`"),
        (
            {"scaling": "linear", "factor": 2.0, "beta_fast": 3.0},
            "beta_fast",
            "no meaning for linear scaling",
        ),
        ({"scaling": "ntk"}, "scaling", "must be none, linear, dynamic, yarn or llama3"),
        ({"theta": 0}, "theta", "must be greater than 0"),
    ],
)
def test_rope_refuses_attributes(attributes, argument, words):
    with pytest.raises(BadAttributes, match=words) as bad:
        bind(Rope, (), attributes)
    assert [p.argument for p in bad.value.problems] == [argument]


@pytest.mark.parametrize(
    ("op", "types", "words"),
    [
        (Rope(), [Tensor((2, 4, 7))], "the 7 features of `x` must be an even number"),
        (Rope(dim=8), [Tensor((2, 4, 6))], "has only 6 features, of which 8 shall turn"),
        (Rope(), [Tensor((B, 4, T, 8)), Tensor((B, S), "int64")], "do not fit `x`"),
        (Rope(), [Tensor((B, T, 8)), Tensor((B, 1, T), "int64")], "too many axes"),
        (Rope(), [Tensor((B, T, 8)), Tensor((T,))], "`positions` must be whole numbers"),
        (Rope(), [Tensor((8,))], "at least 2 axes"),
    ],
)
def test_rope_refuses(op, types, words):
    with recording(), pytest.raises(ShapeError, match=words):
        op.shape(*types)


def test_rope_of_symbolic_sizes():
    x = Tensor((B, 4, T, 8))
    assert Rope().shape(x, Tensor((B, T), "int64")) == x
