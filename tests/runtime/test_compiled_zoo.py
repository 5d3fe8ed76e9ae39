"""A model that is compiled has the gradients of the one that is not, whatever the strategy, over the zoo.

The measure is the largest gradient: all differ from eager's by at most 1e-5 of it. Random numbers (dropout)
are drawn as eager draws them, so training is compared too. A strategy that fails here is not offered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._inductor import config

from tests.small_zoo import SMALL

TOLERANCE = 1e-5

SHORT = {"gpt2", "resnet basic", "vit", "autoencoder_kl", "silero_vad"}
"""Of each kind one. The whole zoo takes half an hour: `pytest --long tests/runtime/test_compiled_zoo.py`."""


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """No graph of another test, one thread, and random numbers as without compilation."""
    torch._dynamo.reset()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with config.patch(fallback_random=True):
        yield
    torch.set_num_threads(threads)
    torch._dynamo.reset()


def names(strategy: str) -> list[Any]:
    short = SHORT if strategy == "block" else {"gpt2"}
    return [pytest.param(name, marks=() if name in short else pytest.mark.long) for name in SMALL]


@pytest.mark.parametrize("name", names("block"))
def test_by_block(name: str) -> None:
    check(name, True)


@pytest.mark.parametrize("name", names("whole"))
def test_whole(name: str) -> None:
    check(name, "whole")


def check(name: str, compile: Any) -> None:
    """Compare a model compiled in one way with the same one as it is, in training, for two batches."""
    small = SMALL[name]
    graph = small.graph()
    eager, compiled = small.built(graph).train(), small.built(graph, compile=compile).train()
    for batch in (2, 3):
        inputs = small.inputs(graph, **{n: batch for n in small.sizes if n in ("B", "N")})
        expected, found = gradients(eager, inputs), gradients(compiled, inputs)
        assert expected.keys() <= found.keys()
        largest = max(gradient.abs().max() for gradient in expected.values())
        assert largest > 0
        for key, gradient in found.items():  # what nothing needs has none in eager, and zeros in a block
            difference = (gradient - expected.get(key, 0.0)).abs().max() / largest
            assert difference <= TOLERANCE, f"{key}, batch {batch}: {difference:.1e}"


def gradients(model: nn.Module, inputs: Mapping[str, Any]) -> dict[str, Tensor]:
    """The gradients of weights and float inputs, of outputs weighted at random."""
    own = {name: leaf(value) for name, value in inputs.items()}
    model.zero_grad()
    torch.manual_seed(3)
    outputs = [out for out in flat(model(*own.values())) if out.requires_grad]
    torch.manual_seed(4)
    sum((out * torch.randn_like(out)).sum() for out in outputs).backward()  # type: ignore[union-attr]
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    of_inputs = {f"input {n}.{i}": t.grad for n, v in own.items() for i, t in enumerate(flat(v))}
    return found | {name: grad for name, grad in of_inputs.items() if grad is not None}


def leaf(value: Any) -> Any:
    if isinstance(value, list):
        return [leaf(part) for part in value]
    return value.clone().requires_grad_(value.is_floating_point())


def flat(value: Any) -> list[Tensor]:
    parts = value.values() if isinstance(value, Mapping) else value
    if isinstance(value, Mapping | list | tuple):
        return [tensor for part in parts for tensor in flat(part)]
    return [] if value is None else [value]
