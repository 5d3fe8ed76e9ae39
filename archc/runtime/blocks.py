"""Compilation block by block: each distinct block once, whatever the number of its copies."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import nn

_SIZES = 16  # sizes of inputs, training and evaluation: variants of one block's compiled code


def compile_blocks(model: nn.Module, **options: Any) -> list[nn.Module]:
    """Compile the repeated blocks of a model in place, and tell them; options as of `torch.compile`.

    Blocks that repeat with the same weights' shapes are compiled as they stand; what does not
    repeat is opened, down to blocks without blocks. Instances share their class's code, so
    equal blocks cost one compilation. A model without blocks is compiled whole.

    Sizes are static unless `dynamic` says otherwise: a block that is used at several resolutions
    would become dynamic in all, and what is saved for the gradient then crashes Inductor
    (torch 2.13). Each further size of an input compiles the blocks that see it once more.
    """
    options.setdefault("dynamic", False)
    counts = Counter(_signature(m) for m in model.modules() if _is_block(m, model))
    found: list[nn.Module] = []
    _collect(model, model, counts, found)
    variants = Counter(type(m) for m in {_signature(m): m for m in found}.values())
    if variants:
        needed = _SIZES * max(variants.values())
        torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, needed)
    for block in found:
        block.compile(fullgraph=block is not model and not _is_recurrent(block), **options)
    return found


def _is_recurrent(module: nn.Module) -> bool:
    """Is there a layer within that Dynamo leaves as it is, so that one graph cannot hold the block?"""
    return any(isinstance(m, nn.RNNBase) for m in module.modules())


def _is_block(module: nn.Module, model: nn.Module) -> bool:
    return type(module).__module__ == type(model).__module__ and module is not model


def _signature(module: nn.Module) -> tuple:
    """What compiled code depends on: the class, and its weights' and buffers' shapes."""
    state = [*module.named_parameters(), *module.named_buffers()]
    return type(module), tuple((name, tuple(t.shape), t.dtype) for name, t in state)


def _collect(module: nn.Module, model: nn.Module, counts: Counter, found: list[nn.Module]) -> None:
    if _is_block(module, model) and counts[_signature(module)] > 1:
        found.append(module)
        return
    inner = [m for m in module.modules() if m is not module and _is_block(m, model)]
    if not inner and (_is_block(module, model) or module is model):
        found.append(module)
        return
    for child in module.children():
        if _is_block(child, model) or any(_is_block(m, model) for m in child.modules()):
            _collect(child, model, counts, found)
