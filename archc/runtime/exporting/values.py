"""Inputs to trace a model with and to compare an exported file on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from archc.graph.ir import Graph
from archc.runtime.example import NoSizes, inputs
from archc.runtime.example import sizes as usual_sizes
from archc.runtime.exporting.taken import Taken
from archc.runtime.exporting.trace import ExportError, flat


def bound(graph: Graph, example: Any) -> dict[str, Any]:
    """An example by the names of the inputs: it is a tensor, a sequence in their order, or a mapping.

    Its tensors lie in memory in order: what is compiled for them takes that for granted."""
    names = list(graph.inputs)
    if isinstance(example, Tensor):
        example = (example,)
    if isinstance(example, Mapping):
        if strange := sorted(example.keys() - set(names)):
            raise TypeError(f"the example has {', '.join(strange)}; the inputs are {', '.join(names)}")
        return {name: _in_order(example[name]) for name in names if example.get(name) is not None}
    if not isinstance(example, Sequence) or len(example) > len(names):
        raise TypeError(f"an example is a tensor, a sequence or a mapping of: {', '.join(names)}")
    return {n: _in_order(value) for n, value in zip(names, example, strict=False) if value is not None}


def _in_order(value: Any) -> Any:
    return value.contiguous() if isinstance(value, Tensor) else [tensor.contiguous() for tensor in value]


def required(graph: Graph) -> tuple[str, ...]:
    """The inputs that a call must give."""
    return tuple(name for name in graph.inputs if name not in graph.open)


def example_sizes(taken: Taken, fixed: Mapping[str, int]) -> list[dict[str, int]]:
    """Sizes to trace with, and others to compare at, in which the batch is 1 where that is allowed."""
    if strange := sorted(fixed.keys() - {*taken.free}):
        known = f"free are {', '.join(taken.free)}" if taken.free else "all its sizes are set"
        raise ExportError(f"{taken.graph.name} has no free dimension {', '.join(strange)}: {known}")
    found = taken.plain_sizes(fixed)
    if not found:
        try:
            every = usual_sizes(taken.graph, fixed)
        except NoSizes as none:
            raise ExportError(str(none)) from None
        found = [{name: every[name] for name in taken.free}]
    first, *rest = found
    single = {name: 1 for name in taken.batch if name not in fixed}
    others = [{**sizes, **single} for sizes in (*rest, first)]
    return [first, *[sizes for sizes in others if sizes != first and taken.allows(sizes)][:1]]


def single_sizes(taken: Taken, sizes: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """By free size the example's sizes with this one as 1, where the guards allow that."""
    tried = {name: {**sizes, name: 1} for name in taken.free if sizes[name] != 1}
    return {name: single for name, single in tried.items() if taken.allows(single)}


def random_values(taken: Taken, sizes: Mapping[str, int], device: str, dtype: torch.dtype) -> dict[str, Any]:
    """Random inputs of these sizes, the same each time.

    A mask of bools lets something through in each row: of one that does not, attention makes what it likes.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = inputs(taken.graph, sizes, device, dtype, taken.inputs)
    for tensor in flat(made.values()):
        if tensor.dtype is torch.bool and tensor.ndim:
            tensor[..., :1] = True
    return made
