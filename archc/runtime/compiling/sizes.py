"""Free sizes: what may differ from call to call without another compilation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from archc.runtime.compiling.signature import convolves

_spec: Any
try:
    from torch.fx.experimental import dynamic_spec as _spec
except ImportError:  # torch < 2.13
    _spec = None

Axes = tuple[str | None, ...]
"""The axes of a tensor: the name of a free size, None for a size that is fixed."""

Free = Mapping[str, Axes | list[Axes]]
"""By argument of a forward: the axes of its tensor, or of each tensor of a bundle."""


def tensors(free: Free) -> list[Axes]:
    """The axes of every tensor among the arguments."""
    found: list[Axes] = []
    for axes in free.values():
        found += [axes] if isinstance(axes, tuple) else axes
    return found


def names(free: Free) -> set[str]:
    """The names of the free sizes."""
    return {name for axes in tensors(free) for name in axes if name is not None}


def choices(free: Free, module: nn.Module) -> list[frozenset[str]]:
    """The sets of sizes to leave open in compiled code, the best first; the last one is empty.

    The batch is what stands first in a tensor of more than one axis. Beside it the lengths of sequences
    stay open; sizes of images, and all that a convolution slides along, do not: for those Inductor
    has to know which of two strides is the larger. Before torch 2.13 there is no way to leave a size
    open that holds for every block (with `mark_unbacked` strides of convolutions come out wrong), and
    every size is compiled by itself.
    """
    if _spec is None:
        return [frozenset()]
    axes = tensors(free)
    batch = frozenset(a[0] for a in axes if len(a) > 1 and a[0] is not None)
    images = {name for a in axes if len(a) > 3 for name in a if name is not None}
    further = frozenset() if convolves(module) else frozenset(names(free) - images)
    found = dict.fromkeys((batch | further, batch, frozenset[str]()))
    return list(found)


def shapes_spec(free: Free, open_: frozenset[str]) -> Any:
    """torch's form of it: `open_` are of any size from 1, everything else is as the first call has it."""
    variables = {name: _spec.ShapeVar(name, min=1) for name in sorted(open_)}

    def tensor(axes: Axes) -> Any:
        return _spec.TensorSpec([variables.get(name) if name else None for name in axes])

    return _spec.ParamsSpec(
        {
            argument: tensor(axes) if isinstance(axes, tuple) else _spec.SeqSpec([tensor(a) for a in axes])
            for argument, axes in free.items()
        }
    )
