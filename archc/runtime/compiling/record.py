"""What was compiled, how often, and why."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

logger = logging.getLogger("archc.compile")

Description = Mapping[str, str]
"""A call: everything that compiled code may depend on, as texts by what they tell."""


@dataclass(frozen=True)
class Compilation:
    """The compilations of one block for all its copies.

    `graphs` is how often it was compiled, `why` the reason each time, `seconds` what the calls took that
    compiled (a backward is compiled when it is first called for, and is not in it). `sizes` tells which
    sizes are open and which are compiled as they come, `note` what it is not compiled for.
    """

    block: str
    copies: int
    graphs: int
    seconds: float | None
    why: tuple[str, ...]
    sizes: str = ""
    note: str = ""

    def __str__(self) -> str:
        copies = f" x {self.copies}" if self.copies > 1 else ""
        graphs = f"{self.graphs} graph{'s' * (self.graphs != 1)}"
        took = f" in {self.seconds:.1f} s" if self.seconds else ""
        further = [part for part in (self.sizes, *self.why[1:], self.note) if part]
        return "; ".join([f"{self.block}{copies}: {graphs}{took}", *further])


def describe(module: nn.Module, arguments: Iterable[tuple[str, Any, Any]]) -> dict[str, str]:
    """What compiled code may depend on, of one call with arguments: name, value, and names of open sizes."""
    weights = list(module.parameters())
    found = {
        "gradients": mode(),
        "training mode": "on" if module.training else "off",
        "autocast": _autocast(weights[0].device.type if weights else "cpu"),
        "weights": ", ".join(sorted({f"{p.dtype} on {p.device}".removeprefix("torch.") for p in weights})),
        "frozen weights": str(sum(not p.requires_grad for p in weights)),
    }
    for name, value, axes in arguments:
        if isinstance(value, Tensor):
            found |= _tensor(name, value, axes)
        elif isinstance(value, list | tuple):
            for number, member in enumerate(value):
                named = axes[number] if axes and number < len(axes) else None
                if isinstance(member, Tensor):
                    found |= _tensor(f"{name}[{number}]", member, named)
        else:
            found[name] = "absent" if value is None else str(value)
    return found


def mode() -> str:
    """Are gradients wanted?"""
    if torch.is_inference_mode_enabled():
        return "none, inference mode"
    return "wanted" if torch.is_grad_enabled() else "none"


def _autocast(device: str) -> str:
    on = torch.is_autocast_enabled(device)
    return str(torch.get_autocast_dtype(device)).removeprefix("torch.") if on else "off"


def _tensor(name: str, value: Tensor, axes: Sequence[str | None] | None) -> dict[str, str]:
    order = sorted(range(value.dim()), key=lambda axis: -value.stride(axis))
    named = axes if axes and len(axes) == value.dim() else [None] * value.dim()
    sizes = ", ".join(n or str(size) for n, size in zip(named, value.shape, strict=True))
    return {
        name: f"[{sizes}]",
        f"{name}'s type": f"{value.dtype} on {value.device}".removeprefix("torch."),
        f"{name}'s axes in memory": str(order),
        f"{name}'s gradient": "wanted" if value.requires_grad else "none",
    }


def reason(now: Description, before: Sequence[Description]) -> str:
    """Why it is compiled again: in what this call differs from the most similar one before."""
    if not before:
        return "first call"
    nearest = min((_differences(now, other) for other in reversed(before)), key=len)
    return "; ".join(nearest) or "torch compiled it again for the same call"


def _differences(now: Description, before: Description) -> list[str]:
    told = dict.fromkeys((*now, *before))
    return [
        f"{what}: {now.get(what, 'absent')}, before {before.get(what, 'absent')}"
        for what in told
        if now.get(what) != before.get(what)
    ]
