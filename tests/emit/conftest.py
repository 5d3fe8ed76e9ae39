"""Specs as sources and as models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archc.emit import Emitted, emit
from archc.graph.compile import Text, graph

SPECS = Path(__file__).parent / "specs"

# Every block of the specs here with numbers that it needs.
BUILT: dict[str, dict[str, Any]] = {
    "residual.yaml#ResnetBlock": {"C": 64, "c_out": 128, "D": 32},
    "residual.yaml#AttentionBlock": {"C": 64},
    "residual.yaml#Level": {"C": 64, "c_out": 128, "D": 32, "attn": True},
    "residual.yaml#Encoder": {"D": 32},
    "nets.yaml#GPT": {},
    "nets.yaml#UNet": {"E": 7},
    "nets.yaml#Inception": {"C": 4},
    "nets.yaml#Opt": {"D": 8},
    "nets.yaml#Cat": {"D": 8},
    "hard.yaml#Names": {"H": 5},
    "hard.yaml#Rt": {"C": 3},
    "hard.yaml#UseHalf": {},
    "hard.yaml#Par": {"D": 4},
    "hard.yaml#When": {"D": 4},
    "hard.yaml#DropNet": {"D": 4},
    "hard.yaml#AVeryLongBlockNameThatGoesOnAndOnForEverAndEverUntilTheLineIsFullOfIt": {"D": 4},
}


@pytest.fixture
def emitted() -> Callable[..., Emitted]:
    """The source of a spec's text, whose last block is the root."""

    def make(blocks: str, **settings: Any) -> Emitted:
        options = {k: settings.pop(k) for k in ("given", "absent") if k in settings}
        return emit(graph(Text(f"archc: 1\nblocks:\n{blocks}"), settings, **options))

    return make


@pytest.fixture
def model(emitted: Callable[..., Emitted]) -> Callable[..., Any]:
    """The model of a spec's text, with random weights, in evaluation."""
    import torch

    from archc.runtime.build import build_module

    def make(blocks: str, **settings: Any):
        torch.manual_seed(0)
        built = build_module(emitted(blocks, **settings))().eval()
        with torch.no_grad():
            for tensor in built.state_dict().values():
                if tensor.is_floating_point():
                    tensor.copy_(torch.rand_like(tensor) - 0.3)
        return built

    return make
