"""One run of a model from its Graph: build, compile, call once more, and what all that took."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import nn

from archc.graph.ir import Graph
from archc.runtime.load import load

Values = dict[str, Any]
Stage = Callable[[str], AbstractContextManager[None]]
"""Told what begins; its context lasts as long as that does."""


class CannotRun(Exception):
    """This machine cannot run the model as asked. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave. Times are in seconds, memory in bytes.

    `run` is the fastest of a few calls; `compile` is what the very first took longer than that, None
    without compilation.
    `memory` is the most that was in use: of the device, on a CPU of the whole process.
    """

    model: nn.Module
    inputs: Values
    outputs: Values
    device: str
    parameters: int
    weights: int
    build: float
    compile: float | None
    run: float
    memory: int


def choose_device(name: str) -> str:
    """The device that `auto`, `cpu` or `cuda` asks for; raises CannotRun."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise CannotRun("torch finds no CUDA device here; use --device cpu")
    return ("cuda" if there else "cpu") if name == "auto" else name


def run(
    graph: Graph,
    make_inputs: Callable[[str, torch.dtype], Values],
    *,
    device: str = "auto",
    dtype: torch.dtype = torch.float32,
    compile: bool = True,
    weights: str | Path | None = None,
    names: str | None = None,
    stage: Stage = lambda what: nullcontext(),
) -> Outcome:
    """Build the model of a Graph and call it on inputs.

    `make_inputs` gets the device and the dtype. Raises CannotRun where the device or a compiler is
    missing, SpecError where the weights do not fit.
    """
    place = choose_device(device)
    torch.manual_seed(0)
    start = perf_counter()
    with stage("building"):
        model = load(graph, device=place, dtype=dtype, weights=weights, names=names, compile=compile).eval()
    built = perf_counter() - start
    values = make_inputs(place, dtype)
    if place == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with torch.inference_mode():
        first = None
        if compile:
            with stage("compiling"):
                _, first = _first_call(model, values, place)
        with stage("running"):
            result, seconds = _timed(model, values, place)
    tensors = [*model.parameters()]
    return Outcome(
        model,
        values,
        outputs(graph, result),
        place,
        sum(t.numel() for t in tensors),
        sum(t.numel() * t.element_size() for t in tensors),
        built,
        None if first is None else max(first - seconds, 0.0),
        seconds,
        torch.cuda.max_memory_allocated() if place == "cuda" else _peak(),
    )


def _call(model: nn.Module, values: Mapping[str, Any], device: str) -> tuple[Any, float]:
    start = perf_counter()
    result = model(*values.values())
    if device == "cuda":
        torch.cuda.synchronize()
    return result, perf_counter() - start


def _timed(model: nn.Module, values: Mapping[str, Any], device: str) -> tuple[Any, float]:
    """The result, and the time of the fastest of a few calls: the first ones warm caches."""
    result, best = _call(model, values, device)
    spent = best
    for _ in range(4):
        if spent > 0.5:
            break
        _, seconds = _call(model, values, device)
        best, spent = min(best, seconds), spent + seconds
    return result, best


def _first_call(model: nn.Module, values: Mapping[str, Any], device: str) -> tuple[Any, float]:
    try:
        return _call(model, values, device)
    except Exception as error:
        if "InvalidCxxCompiler" in f"{type(error).__name__} {error}" or "No working C++ compiler" in str(
            error
        ):
            raise CannotRun(
                "torch.compile needs a C++ compiler and finds none; install g++, or use --no-compile"
            ) from None
        raise


def outputs(graph: Graph, result: Any) -> Values:
    """What a model returned, by the names of its outputs."""
    names = list(graph.outputs)
    if isinstance(result, Mapping):
        return dict(result)
    if len(names) == 1:
        return {names[0]: result}
    return dict(zip(names, result, strict=True))


def _peak() -> int:
    """The most memory that this process has held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
