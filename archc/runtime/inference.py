"""Models for inference alone: what `load(optimize="inference")` gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import torch
from torch import nn

from archc.graph.inference import ACTIVATED, FOLDED, LEVERS, Optimization, Optimized, optimized
from archc.graph.ir import Graph
from archc.runtime.fused import packs

M = TypeVar("M", bound=nn.Module)


def for_inference(
    graph: Graph, optimize: str, device: Any, dtype: torch.dtype | None, compiled: bool
) -> Optimized:
    """A Graph with what gains on this device, in this dtype; a compiler joins layers by itself."""
    if optimize != "inference":
        raise ValueError(f'`optimize` is "inference" or None, not {optimize!r}')
    here = device is None or torch.device(device).type == "cpu"
    plain = (dtype or torch.get_default_dtype()) is torch.float32
    if compiled:
        return optimized(graph, ())
    return optimized(graph, LEVERS if here and plain and packs() else (FOLDED, ACTIVATED))


class _Frozen(nn.Module):
    """What a model for inference has besides: it tells what was done, and does not train."""

    optimizations: tuple[Optimization, ...] = ()

    def train(self, mode: bool = True) -> Any:
        if mode:
            raise RuntimeError(
                'a model loaded with optimize="inference" cannot train: load it without to train it'
            )
        return super().train(False)


def frozen(cls: type[nn.Module], done: Sequence[Optimization], names: Any) -> type[nn.Module]:
    """A class of models that stay in evaluation mode. `model.optimizations` tells what was `done`, unless one
    of `names`, the model's own, is that."""
    more: dict[str, Any] = {"__module__": cls.__module__, "__doc__": cls.__doc__}
    if "optimizations" not in names:
        more["optimizations"] = tuple(done)
    return type(cls.__name__, (_Frozen, cls), more)


def settled(model: M) -> M:
    """In evaluation mode, its weights without gradients."""
    return model.eval().requires_grad_(False)
