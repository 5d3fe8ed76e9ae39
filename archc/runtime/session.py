"""One run of a model from its Graph: build, compile, call once more, and what all that took."""

from __future__ import annotations

import platform
import resource
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn

from archc.graph.inference import Optimization
from archc.graph.ir import Graph
from archc.runtime.allocator import keep_freed_memory
from archc.runtime.compiler import NO_COMPILER, lacks_compiler
from archc.runtime.load import load

if TYPE_CHECKING:
    from archc.runtime.compiling import Compilation

Values = dict[str, Any]
Stage = Callable[[str], AbstractContextManager[None]]
"""Told what begins; its context lasts as long as that does."""


class CannotRun(Exception):
    """This machine cannot run the model as asked. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave. Times are in seconds, memory in bytes.

    `run` is the fastest of a few calls; `compile` is what the very first took longer than that, None
    without compilation. `compilations` tell what was compiled how often, and why, `optimizations` what was
    changed where.
    `place` is the processor's name.
    `memory` is the most that was in use: of the device, on a CPU of the whole process. `memory_kept`: could
    freed memory be kept, None where that was not asked for.
    """

    model: nn.Module
    inputs: Values
    outputs: Values
    device: str
    place: str
    parameters: int
    weights: int
    build: float
    compile: float | None
    run: float
    memory: int
    memory_kept: bool | None = None
    compilations: tuple[Compilation, ...] = ()
    optimizations: tuple[Optimization, ...] = ()


def choose_device(name: str) -> str:
    """The device that `auto`, `cpu` or `cuda` asks for; raises CannotRun."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise CannotRun("torch finds no CUDA device here; use --device cpu")
    return ("cuda" if there else "cpu") if name == "auto" else name


def device_name(device: str) -> str:
    """The processor's own name, as far as it is told: of the GPU, or of the CPU."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    return _processor() or platform.processor() or platform.machine()


def _processor() -> str:
    """What Linux calls the CPU; nothing elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def run(
    graph: Graph,
    make_inputs: Callable[[str, torch.dtype], Values],
    *,
    device: str = "auto",
    dtype: torch.dtype = torch.float32,
    compile: bool = True,
    optimize: Literal["inference"] | None = None,
    keep_memory: bool = False,
    weights: str | Path | None = None,
    names: str | None = None,
    stage: Stage = lambda what: nullcontext(),
) -> Outcome:
    """Build the model of a Graph and call it on inputs.

    `make_inputs` gets the device and the dtype. Raises CannotRun where the device or a compiler is
    missing, SpecError where the weights do not fit.
    """
    place = choose_device(device)
    kept = keep_freed_memory() if keep_memory else None
    torch.manual_seed(0)
    start = perf_counter()
    with stage("building"):
        how: dict[str, Any] = {"device": place, "dtype": dtype, "compile": compile, "optimize": optimize}
        model = load(graph, weights=weights, names=names, **how).eval()
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
        device_name(place) if place == "cuda" else place,
        sum(t.numel() for t in tensors),
        sum(t.numel() * t.element_size() for t in tensors),
        built,
        None if first is None else max(first - seconds, 0.0),
        seconds,
        torch.cuda.max_memory_allocated() if place == "cuda" else peak(),
        kept,
        compiled(model) if compile else (),
        applied(model),
    )


def compiled(model: nn.Module) -> tuple[Compilation, ...]:
    """What of a model was compiled. It imports torch's compiler, which takes as long as torch."""
    from archc.runtime.compiling import compilations

    return tuple(compilations(model))


def applied(model: nn.Module) -> tuple[Optimization, ...]:
    """The optimisations of a model: none where it was loaded without, or has a member of that name."""
    found = getattr(model, "optimizations", ())
    return found if isinstance(found, tuple) else ()


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
        if lacks_compiler(error):
            raise CannotRun(f"{NO_COMPILER}, or use --no-compile") from None
        raise


def outputs(graph: Graph, result: Any) -> Values:
    """What a model returned, by the names of its outputs."""
    names = list(graph.outputs)
    if isinstance(result, Mapping):
        return dict(result)
    if len(names) == 1:
        return {names[0]: result}
    return dict(zip(names, result, strict=True))


def peak() -> int:
    """The most memory that this process has held, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
