"""Operators as users write them, for the tests."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

import archc


@archc.op
def squared_relu(x: Tensor) -> Tensor:
    """max(x, 0) squared."""
    return torch.relu(x).square()


@archc.op(shape="[..., D], [D]? -> [..., D // every]", kind="resampling", flops=lambda x, w, every: 7)
def thin(x: Tensor, w: Tensor | None = None, *, every: int = 2) -> Tensor:
    """Every so manieth channel."""
    x = x if w is None else x * w
    return x[..., : x.shape[-1] // every * every : every]


@archc.op(outputs=("low", "high"))
def halves(x: Tensor, axis: int = -1) -> tuple[Tensor, Tensor]:
    """Two halves."""
    low, high = x.chunk(2, axis)
    return low, high


@archc.op
def total(*xs: Tensor, how: Literal["sum", "mean"] = "sum") -> Tensor:
    """The sum or mean of all."""
    whole = torch.stack(xs)
    return whole.sum(0) if how == "sum" else whole.mean(0)


@archc.op
def jitter(x: Tensor, scale: float, training: bool) -> Tensor:
    """Noise in training only."""
    return x + scale * torch.randn_like(x) if training else x


@archc.op(shape=lambda n: (n, n))
def chessboard(n: int) -> Tensor:
    """A source."""
    return (torch.arange(n)[:, None] + torch.arange(n)).remainder(2).float()


@archc.op
class Gate(nn.Module):
    """A layer without attributes."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sigmoid()


@archc.op(shape="[..., D] -> [..., n]")
class NormedLinear(nn.Module):
    """A linear map with weight norm."""

    def __init__(self, D: int, n: int, bias: bool = True) -> None:  # noqa: N803
        super().__init__()
        self.linear = nn.utils.parametrizations.weight_norm(nn.Linear(D, n, bias))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


@archc.op
class Scale(nn.Module):
    """One learned number."""

    def __init__(self, start: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(start))
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


@archc.op(shape="[B, T] -> [B, T + 1]")
def wrongly_ruled(x: Tensor) -> Tensor:
    """Its rule is wrong."""
    return x


@archc.op
def nonzero(x: Tensor) -> Tensor:
    """The shape depends on the values."""
    return x.nonzero()


@archc.initialiser
@torch.no_grad()
def ramp(tensor: Tensor, step: float = 1.0) -> Tensor:
    """0, step, 2 step, ..."""
    return tensor.copy_(torch.arange(tensor.numel()).view_as(tensor) * step)
