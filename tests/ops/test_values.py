"""What the written PyTorch computes, where it is more than a call of the function of that name."""

import pytest
import torch
from torch.nn import functional as F

from archc.ops.activation import QuickGelu
from archc.ops.arithmetic import Add, Mul
from archc.ops.noise import Dropout, DropPath, RandomReplace
from archc.ops.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm
from archc.ops.python import plain_text
from archc.shapes import Tensor


class Block(torch.nn.Module):
    """Runs one operator as the emitter would write it."""

    def __init__(self, op, *inputs: torch.Tensor):
        super().__init__()
        self.scope = {"torch": torch, "nn": torch.nn, "F": F}
        for source in op.helpers.values():
            exec(source, self.scope)
        types = [Tensor(tuple(x.shape)) for x in inputs]
        text = op.module(*types)
        self.owned = None if text is None else eval(plain_text(text), self.scope)
        names = [f"x{i}" for i in range(len(inputs))]
        exec(
            f"def run(self, {', '.join(names)}): return {plain_text(op.call(*names, self_='self.owned'))}",
            self.scope,
        )

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.scope["run"](self, *inputs)


def randomised(block: Block) -> Block:
    for p in block.parameters():
        torch.nn.init.normal_(p)
    return block


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("axis", [1, -3, (1,), 3, (2, 3), (1, 2), (-3, -2), (3, 1)])
def test_layer_norm_over_any_axes(axis, affine):
    x = torch.randn(2, 3, 4, 5)
    block = randomised(Block(LayerNorm(axis=axis, eps=1e-3, affine=affine), x))
    axes = sorted(a % 4 for a in (axis if isinstance(axis, tuple) else (axis,)))
    expected = (x - x.mean(axes, keepdim=True)) / (x.var(axes, keepdim=True, unbiased=False) + 1e-3).sqrt()
    if affine:
        shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
        expected = expected * block.owned.weight.reshape(shape) + block.owned.bias.reshape(shape)
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("axis", [1, -1, (1, 2)])
def test_rms_norm_over_any_axes(axis, affine):
    x = torch.randn(2, 3, 4, 5)
    block = randomised(Block(RmsNorm(axis=axis, eps=1e-3, affine=affine), x))
    axes = sorted(a % 4 for a in (axis if isinstance(axis, tuple) else (axis,)))
    expected = x / ((x * x).mean(axes, keepdim=True) + 1e-3).sqrt()
    if affine:
        shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
        expected = expected * block.owned.weight.reshape(shape)
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize(
    ("op", "module"),
    [
        (GroupNorm(groups=3, affine=False), torch.nn.GroupNorm(3, 6, affine=False)),
        (InstanceNorm(), torch.nn.InstanceNorm2d(6)),
        (
            BatchNorm(affine=False, track=False),
            torch.nn.BatchNorm2d(6, affine=False, track_running_stats=False),
        ),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_norms_without_weights(op, module, training):
    x = torch.randn(4, 6, 5, 5)
    torch.testing.assert_close(Block(op, x).train(training)(x), module.train(training)(x))


def test_quick_gelu():
    x = torch.randn(5)
    torch.testing.assert_close(Block(QuickGelu(), x)(x), x / (1 + torch.exp(-1.702 * x)))


def test_drop_path_drops_samples():
    x = torch.ones(1000, 2, 3)
    block = Block(DropPath(p=0.25), x)
    assert torch.equal(block.eval()(x), x)
    out = block.train()(x).flatten(1)
    assert torch.equal(out, out[:, :1].expand_as(out)), "a sample is dropped as a whole"
    kept = out[:, 0] != 0
    torch.testing.assert_close(out[kept], torch.full_like(out[kept], 4 / 3))
    assert 0.65 < kept.float().mean() < 0.85
    assert not Block(DropPath(p=1), x).train()(x).any()


def test_random_replace_in_training_only():
    labels = torch.arange(1000)
    block = Block(RandomReplace(p=0.25, value=-1), labels)
    assert torch.equal(block.eval()(labels), labels)
    out = block.train()(labels)
    replaced = out == -1
    assert out.dtype == torch.int64 and torch.equal(out[~replaced], labels[~replaced])
    assert 0.15 < replaced.float().mean() < 0.35


@pytest.mark.parametrize("op", [Dropout(p=0), DropPath(p=0.0), RandomReplace(p=0, value=1)])
def test_nothing_random_is_left_out(op):
    assert op.call("x") == "x"


def test_many_operands():
    assert (Add().call("a", "b", "c"), Mul().call("a")) == ("a + b + c", "a")
