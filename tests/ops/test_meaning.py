"""What operators compute, beside what they are said to: attributes must reach the numbers.

Each row is a step of a spec, its inputs, and the same in plain torch, of the inputs and the node's module.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import archc

X3, X4, X5 = "[2, 4, 9]", "[2, 4, 9, 8]", "[2, 4, 6, 7, 8]"


def per_channel(t: Tensor, x: Tensor) -> Tensor:
    return t.view(1, -1, *[1] * (x.ndim - 2))


def normed(x: Tensor, axes: Any, eps: float) -> Tensor:
    mean = x.mean(axes, keepdim=True)
    return (x - mean) / ((x - mean).square().mean(axes, keepdim=True) + eps).sqrt()


def windows(x: Tensor, k: int, s: int) -> Tensor:
    """All windows of `[B, C, H, W]`: `[B, C, h, w, k, k]`."""
    return x.unfold(2, k, s).unfold(3, k, s)


def by_head(
    q: Tensor, k: Tensor, v: Tensor, scale: float, allowed: Tensor, bias: Tensor | float = 0.0
) -> Tensor:
    group = q.shape[-3] // k.shape[-3]
    k, v = k.repeat_interleave(group, -3), v.repeat_interleave(group, -3)
    scores = (q @ k.mT * scale + bias).masked_fill(~allowed, -math.inf)
    return scores.softmax(-1) @ v


Row = tuple[str, str, Callable[..., Any]]

OWNING: list[Row] = [
    (
        "conv2d(6, [3, 2], stride=[2, 1], padding=[1, 0], dilation=[1, 2], groups=2, bias=false)",
        X4,
        lambda m, x: F.conv2d(x, m.weight, None, (2, 1), (1, 0), (1, 2), 2),
    ),
    (
        "conv1d(6, 3, padding=same, dilation=2)",
        X3,
        lambda m, x: F.conv1d(F.pad(x, (2, 2)), m.weight, m.bias, dilation=2),
    ),
    (
        "conv2d(5, 3, padding=1, padding_mode=circular)",
        X4,
        lambda m, x: F.conv2d(F.pad(x, (1, 1, 1, 1), "circular"), m.weight, m.bias),
    ),
    (
        "conv1d(5, 3, padding=2, padding_mode=reflect)",
        X3,
        lambda m, x: F.conv1d(F.pad(x, (2, 2), "reflect"), m.weight, m.bias),
    ),
    ("conv3d(3, 2, stride=2)", X5, lambda m, x: F.conv3d(x, m.weight, m.bias, 2)),
    (
        "conv_transpose2d(6, 3, stride=2, padding=1, output_padding=1, groups=2)",
        X4,
        lambda m, x: F.conv_transpose2d(x, m.weight, m.bias, 2, 1, 1, 2),
    ),
    (
        "conv_transpose1d(3, 3, stride=3, dilation=2)",
        X3,
        lambda m, x: F.conv_transpose1d(x, m.weight, m.bias, 3, dilation=2),
    ),
    (
        "conv_transpose3d(3, 2, stride=2, bias=false)",
        X5,
        lambda m, x: F.conv_transpose3d(x, m.weight, None, 2),
    ),
    ("linear(3, bias=false)", "[2, 5]", lambda m, x: x @ m.weight.T),
    ("bilinear(3)", "[2, 4] [2, 5]", lambda m, a, b: torch.einsum("bi,kij,bj->bk", a, m.weight, b) + m.bias),
    ("layer_norm(eps=0.5, bias=false)", X3, lambda m, x: normed(x, -1, 0.5) * m.weight),
    (
        "layer_norm(axis=1, eps=0.5)",
        X4,
        lambda m, x: normed(x, 1, 0.5) * per_channel(m.weight, x) + per_channel(m.bias, x),
    ),
    ("rms_norm(eps=0.5)", X3, lambda m, x: x / (x.square().mean(-1, keepdim=True) + 0.5).sqrt() * m.weight),
    (
        "group_norm(2, eps=0.5)",
        X4,
        lambda m, x: (
            normed(x.reshape(2, 2, -1), -1, 0.5).view_as(x) * per_channel(m.weight, x)
            + per_channel(m.bias, x)
        ),
    ),
    (
        "batch_norm(eps=0.5)",
        X4,
        lambda m, x: (
            (x - per_channel(m.running_mean, x))
            / (per_channel(m.running_var, x) + 0.5).sqrt()
            * per_channel(m.weight, x)
            + per_channel(m.bias, x)
        ),
    ),
    ("batch_norm(eps=0.5, affine=false, track=false)", X3, lambda m, x: normed(x, (0, 2), 0.5)),
    (
        "instance_norm(eps=0.5, affine=true)",
        X4,
        lambda m, x: normed(x, (2, 3), 0.5) * per_channel(m.weight, x) + per_channel(m.bias, x),
    ),
    ("prelu(4)", X4, lambda m, x: x.clamp(min=0) + per_channel(m.weight, x) * x.clamp(max=0)),
]

PLAIN: list[Row] = [
    ("instance_norm(eps=0.5)", X3, lambda x: normed(x, 2, 0.5)),
    ("l2_normalize(axis=1, eps=100)", X3, lambda x: x / x.norm(dim=1, keepdim=True).clamp(min=100)),
    (
        "local_response_norm(3, alpha=0.5, beta=0.7, k=2)",
        X4,
        lambda x: x / (2 + 0.5 / 3 * F.pad(x.square(), (0, 0, 0, 0, 1, 1)).unfold(1, 3, 1).sum(-1)) ** 0.7,
    ),
    ("relu6", X3, lambda x: x.clamp(0, 6)),
    ("leaky_relu(0.3)", X3, lambda x: torch.where(x > 0, x, 0.3 * x)),
    ("elu(alpha=0.3)", X3, lambda x: torch.where(x > 0, x, 0.3 * x.expm1())),
    ("gelu", X3, lambda x: x * 0.5 * (1 + torch.erf(x / 2**0.5))),
    ("gelu(tanh)", X3, lambda x: 0.5 * x * (1 + torch.tanh((2 / math.pi) ** 0.5 * (x + 0.044715 * x**3)))),
    ("mish", X3, lambda x: x * torch.tanh(torch.log1p(x.exp()))),
    ("swish", X3, lambda x: x / (1 + (-x).exp())),
    ("hardsigmoid", X3, lambda x: (x + 3).clamp(0, 6) / 6),
    ("hardswish", X3, lambda x: x * (x + 3).clamp(0, 6) / 6),
    ("softplus(beta=2)", X3, lambda x: torch.log1p((2 * x).exp()) / 2),
    ("softmax(axis=1)", X3, lambda x: x.exp() / x.exp().sum(1, keepdim=True)),
    ("log_softmax(axis=0)", X3, lambda x: x - x.exp().sum(0, keepdim=True).log()),
    ("clamp(min=-0.2, max=0.4)", X3, lambda x: x.minimum(torch.tensor(0.4)).maximum(torch.tensor(-0.2))),
    ("rsqrt", "[3]+", lambda x: 1 / x.sqrt()),
    ("where", "bool[3, 1] [3, 4] [4]", lambda c, a, b: a * c + b * ~c),
    ("masked_fill(7.5)", "[3, 4] bool[4]", lambda x, m: torch.where(m, 7.5, x)),
    (
        "max_pool2d(3, stride=2, padding=1)",
        X4,
        lambda x: windows(F.pad(x, (1,) * 4, value=-math.inf), 3, 2).amax((-1, -2)),
    ),
    ("max_pool1d(2, stride=1, dilation=3)", X3, lambda x: torch.maximum(x[..., :-3], x[..., 3:])),
    ("avg_pool2d(2)", X4, lambda x: windows(x, 2, 2).mean((-1, -2))),
    ("avg_pool2d(3, stride=2, padding=1)", X4, lambda x: windows(F.pad(x, (1,) * 4), 3, 2).mean((-1, -2))),
    (
        "avg_pool2d(3, stride=2, padding=1, count_include_pad=false)",
        X4,
        lambda x: (
            windows(F.pad(x, (1,) * 4), 3, 2).sum((-1, -2))
            / windows(F.pad(torch.ones_like(x), (1,) * 4), 3, 2).sum((-1, -2))
        ),
    ),
    (
        "adaptive_avg_pool2d([3, 1])",
        X4,
        lambda x: torch.stack([x[:, :, 3 * i : 3 * i + 3].mean((2, 3)) for i in range(3)], 2)[..., None],
    ),
    (
        "adaptive_max_pool2d([1, 4])",
        X4,
        lambda x: torch.stack([x[..., 2 * i : 2 * i + 2].amax((2, 3)) for i in range(4)], 2)[:, :, None],
    ),
    ("upsample(2)", X3, lambda x: x.repeat_interleave(2, -1)),
    ("upsample([2, 1])", X4, lambda x: x.repeat_interleave(2, 2)),
    (
        "resize([17, 8], mode=bilinear, align_corners=true)",
        X4,
        lambda x: F.interpolate(x, (17, 8), mode="bilinear", align_corners=True),
    ),
    (
        "pixel_shuffle(2)",
        X4,
        lambda x: x.view(2, 1, 2, 2, 9, 8).permute(0, 1, 4, 2, 5, 3).reshape(2, 1, 18, 16),
    ),
    (
        "pixel_unshuffle(2)",
        "[2, 1, 4, 6]",
        lambda x: x.view(2, 2, 2, 3, 2).permute(0, 2, 4, 1, 3).reshape(2, 4, 2, 3),
    ),
    (
        "pad([1, 0, 0, 2], value=3)",
        "[2, 3]",
        lambda x: torch.cat([torch.cat([torch.full((2, 1), 3.0), x], 1), torch.full((2, 4), 3.0)]),
    ),
    ("pad([2, 1], mode=replicate)", X3, lambda x: torch.cat([x[..., :1], x[..., :1], x, x[..., -1:]], -1)),
    ("pad_like", "[2, 3, 4, 4] [1, 1, 7, 4]", lambda x, _: F.pad(x, (0, 0, 1, 2))),
    ("crop_like", "[2, 3, 7, 4] [1, 1, 4, 4]", lambda x, _: x[:, :, 1:5]),
    ("transpose(0, -1)", X3, lambda x: x.permute(2, 1, 0)),
    ("flatten(1, 2)", X4, lambda x: x.reshape(2, 36, 8)),
    ("expand([3, -1, 4])", "[2, 1]", lambda x: x[None].repeat(3, 1, 4)),
    ("roll([1, -2], [0, 2])", X3, lambda x: torch.cat([x[-1:], x[:-1]])[..., [2, 3, 4, 5, 6, 7, 8, 0, 1]]),
    ("flip([0, 2])", X3, lambda x: x[[1, 0]][..., torch.arange(8, -1, -1)]),
    ("concat(1)", "[2, 3, 4] [2, 1, 4]", lambda a, b: torch.cat([a, b], 1)),
    ("stack(-1)", "[2, 3] [2, 3]", lambda a, b: torch.cat([a[..., None], b[..., None]], -1)),
    (
        "unfold([2, 3], stride=[1, 2])",
        X4,
        lambda x: x.unfold(2, 2, 1).unfold(3, 3, 2).permute(0, 1, 4, 5, 2, 3).reshape(2, 24, 24),
    ),
    ("sum([0, -1], keepdim=true)", X3, lambda x: torch.einsum("abc->b", x)[None, :, None]),
    ("var(1, unbiased=false)", X3, lambda x: (x - x.mean(1, keepdim=True)).square().mean(1)),
    ("var(1)", X3, lambda x: (x - x.mean(1, keepdim=True)).square().sum(1) / 3),
    ("norm(1, p=3)", X3, lambda x: x.abs().pow(3).sum(1) ** (1 / 3)),
    ("norm([1, 2])", X3, lambda x: x.square().sum((1, 2)).sqrt()),
    ("prod(1)", X3, lambda x: x[:, 0] * x[:, 1] * x[:, 2] * x[:, 3]),
    ("max([0, 1])", X3, lambda x: x.flatten(0, 1).sort(0).values[-1]),
    ("min(1, keepdim=true)", X3, lambda x: x.sort(1).values[:, :1]),
    ("cumsum(1)", X3, lambda x: torch.stack([x[:, : i + 1].sum(1) for i in range(4)], 1)),
    ("sort(1, descending=true)", X3, lambda x: (-(-x).sort(1).values, (-x).argsort(1))),
    ("topk(2, axis=1)", X3, lambda x: ((-x).sort(1).values[:, :2].neg(), (-x).argsort(1)[:, :2])),
    ("argmin(0)", X3, lambda x: (x[0] > x[1]).long()),
    ("one_hot(5, dtype=float)", "int64[3]", lambda x: torch.eye(5)[x]),
    ("pick(axis=2)", "[3, 2, 4] int64[3]", lambda x, i: torch.stack([x[n, :, i[n]] for n in range(3)])),
    ("gather(1)", "[2, 4] int64[2, 3]", lambda x, i: torch.stack([x[n][i[n]] for n in range(2)])),
    ('einsum("b i d, b j d -> b i j")', "[2, 3, 4] [2, 5, 4]", lambda a, b: a @ b.mT),
    ('reduce("b c (t 3) -> b t c", max)', X3, lambda x: x.view(2, 4, 3, 3).amax(-1).mT),
    (
        'repeat_axes("b c -> b (r c) t", r=2, t=3)',
        "[2, 3]",
        lambda x: torch.cat([x, x], 1)[..., None].repeat(1, 1, 3),
    ),
    (
        "attention(scale=0.3)",
        "[2, 4, 3, 5] [2, 2, 6, 5] [2, 2, 6, 7] bool[2, 1, 3, 6]! [4, 3, 6]",
        lambda q, k, v, m, b: by_head(q, k, v, 0.3, m, b),
    ),
    (
        "attention(causal=true)",
        "[2, 4, 3, 5] [2, 4, 6, 5] [2, 4, 6, 7]",
        lambda q, k, v: by_head(q, k, v, 5**-0.5, torch.arange(6) <= torch.arange(3)[:, None] + 3),
    ),
    (
        "sinusoidal_embedding(6, flip=true, shift=0, scale=2, max_period=100)",
        "[4]",
        lambda t: torch.cat(
            [f(2 * t[:, None] * 100 ** -(torch.arange(3) / 3)) for f in (torch.cos, torch.sin)], -1
        ),
    ),
    (
        "alibi(4)",
        "int64[3] int64[5]",
        lambda q, k: -(2.0 ** -torch.arange(2, 9, 2.0))[:, None, None] * (q[:, None] - k).abs(),
    ),
]


def drawn(text: str, generator: torch.Generator) -> Tensor:
    """An input: a trailing `+` makes it positive, `!` true in some place of every row."""
    mark, text = text[-1] if text[-1] in "+!" else "", text.rstrip("+!")
    dtype, _, shape = text.partition("[")
    sizes = [int(s) for s in shape.rstrip("]").split(",")]
    if dtype == "int64":
        return torch.randint(0, 4, sizes, generator=generator)
    found = torch.randn(sizes, generator=generator)
    if dtype == "bool":
        return torch.cat([torch.ones(*sizes[:-1], 1) > 0, found[..., 1:] > 0], -1) if mark else found > 0
    return found.abs() + 0.1 if mark else found


def built(step: str, inputs: str, owns: bool) -> tuple[Any, list[Tensor]]:
    shapes = inputs.replace(", ", ",").split(" ")
    names = "abcde"[: len(shapes)]
    declared = "".join(
        f'      {n}: "{s.rstrip("+!").replace(",", ", ")}"\n' for n, s in zip(names, shapes, strict=True)
    )
    node = f"    nodes:\n      node: '{step}'\n" if owns else ""
    flow = f"    flow:\n      out: {', '.join(names)} -> {'node' if owns else step}\n"
    outputs = "    outputs: [out]\n"
    if step.startswith(("sort", "topk")):
        flow, outputs = flow.replace("out:", "v, i:"), "    outputs: [v, i]\n"
    model = archc.load(archc.text(f"archc: 1\nblocks:\n  Net:\n    inputs:\n{declared}{node}{flow}{outputs}"))
    generator = torch.Generator().manual_seed(3)
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            tensor.data = torch.rand(tensor.shape, generator=generator) + 0.2
    return model.eval(), [drawn(s, generator) for s in shapes]


@pytest.mark.parametrize(("step", "inputs", "expected"), OWNING, ids=[row[0] for row in OWNING])
def test_with_weights(step: str, inputs: str, expected: Callable[..., Any]) -> None:
    model, tensors = built(step, inputs, True)
    owned = model.node if hasattr(model, "node") else None
    torch.testing.assert_close(model(*tensors), expected(owned, *tensors), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("step", "inputs", "expected"), PLAIN, ids=[row[0] for row in PLAIN])
def test_without_weights(step: str, inputs: str, expected: Callable[..., Any]) -> None:
    model, tensors = built(step, inputs, False)
    torch.testing.assert_close(model(*tensors), expected(*tensors), rtol=1e-4, atol=1e-5)
