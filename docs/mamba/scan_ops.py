"""The operators of `mamba.yaml`: the selective scan, and how its weights begin."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

import archc


@archc.op(shape="[B, D, T], [B, D, T], [D, N], [B, N, T], [B, N, T], [D]?, [B, D, T]? -> [B, D, T]")
def selective_scan(
    u: Tensor,
    dt: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    skip: Tensor | None = None,
    gate: Tensor | None = None,
) -> Tensor:
    """A state space model whose steps, inputs and outputs depend on what is read.

    `h[t] = exp(dt[t] A) h[t-1] + dt[t] B[t] u[t]` and `y[t] = C[t] h[t]`, to which `skip * u` is added and
    which `silu(gate)` multiplies. Gu and Dao 2023.
    """
    decay = torch.exp(dt[:, :, None] * A[:, :, None])  # [B, D, N, T]
    driven = (dt * u)[:, :, None] * B[:, None]  # [B, D, N, T]
    h = torch.zeros_like(driven[..., 0])
    outputs = []
    for t in range(u.shape[-1]):
        h = decay[..., t] * h + driven[..., t]
        outputs.append(torch.einsum("bdn,bn->bd", h, C[..., t]))
    y = torch.stack(outputs, dim=-1)
    if skip is not None:
        y = y + u * skip[:, None]
    return y if gate is None else y * F.silu(gate)


@archc.initialiser
@torch.no_grad()
def s4d_real(tensor: Tensor) -> Tensor:
    """The logarithms of 1 to N in every row: A is -1 to -N. Gu et al. 2022."""
    return tensor.copy_(torch.arange(1, tensor.shape[-1] + 1).log())


@archc.initialiser
@torch.no_grad()
def inverse_softplus_log_uniform(tensor: Tensor, low: float = 0.001, high: float = 0.1) -> Tensor:
    """What softplus makes log-uniform between `low` and `high`."""
    torch.nn.init.uniform_(tensor, math.log(low), math.log(high)).exp_()
    return tensor.add_((-(-tensor).expm1()).log())
