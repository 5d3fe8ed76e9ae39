"""The process of one strategy: builds, compiles and calls a model as `bench.py` asks it to."""

from __future__ import annotations

import gc
import json
import math
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from archc.runtime.allocator import keep_freed_memory
from archc.runtime.bench import Built, Called, Job, Machine, Memory, Sample, Strategy
from archc.runtime.compiler import NO_COMPILER, lacks_compiler
from archc.runtime.example import NoSizes, inputs, sizes
from archc.runtime.load import load
from archc.runtime.session import (
    CannotRun,
    applied,
    choose_device,
    compiled,
    device_name,
    peak,
)
from archc.source.diagnostic import SpecError

WARM_SECONDS, WARM_CALLS = 0.3, 3
"""A model is warm after so many seconds, and no fewer calls."""
SAMPLE_SECONDS = 0.05
"""So long at least is a call, or calls in a row, that are timed."""


def serve(connection: Connection, job: Job, strategy: Strategy) -> None:
    """Answer what comes through a connection, until its other end is closed."""
    os.dup2(2, 1)  # what a model prints does not get into a report
    worker = _Model(job, strategy)
    while True:
        try:
            what, arguments = connection.recv()
        except EOFError:
            return
        connection.send(_answer(getattr(worker, what), arguments))


def _answer(method: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[str, Any]:
    try:
        return "done", method(*arguments)
    except SpecError as error:
        return "wrong", error.diagnostics
    except (CannotRun, NoSizes) as error:
        return "refused", str(error)
    except Exception as error:
        if lacks_compiler(error):
            return "failed", NO_COMPILER
        first = (str(error).strip() or "no message").splitlines()[0]
        return "failed", f"{type(error).__name__}: {first}"


class _Model:
    """A model, its inputs, and how it is called."""

    def __init__(self, job: Job, strategy: Strategy) -> None:
        self.job, self.strategy = job, strategy

    def build(self) -> Built:
        job, strategy = self.job, self.strategy
        if strategy.keep_memory or job.keep_memory:
            keep_freed_memory()
        if job.threads is not None:
            torch.set_num_threads(job.threads)
        graph = job.make()
        self.device = choose_device(job.device)
        dtype = getattr(torch, job.dtype)
        chosen = sizes(graph, job.sizes)
        toolchain = _seconds(lambda: _compile_a_line(self.device)) if strategy.compile else None
        torch.manual_seed(0)
        start = perf_counter()
        self.model = load(
            graph,
            device=self.device,
            dtype=dtype,
            weights=job.weights,
            names=job.names,
            compile=strategy.compile,
            optimize=strategy.optimize,
        ).train(job.train)
        build = perf_counter() - start
        torch.manual_seed(1)
        self.inputs = inputs(graph, chosen, self.device, dtype)
        self.pull: list[Tensor] = []
        return Built(
            machine=_machine(self.device),
            shapes={name: _shape(value) for name, value in self.inputs.items()},
            parameters=sum(p.numel() for p in self.model.parameters()),
            build=build,
            toolchain=toolchain,
        )

    def call(self, reference: Path) -> Called:
        """Call it for the first time, and until it is warm."""
        first = self._timed(1)
        difference = self._difference(reference)
        start = perf_counter()
        times = [self._timed(1)]
        while len(times) < WARM_CALLS or perf_counter() - start < WARM_SECONDS:
            times.append(self._timed(1))
        self.calls = max(1, math.ceil(SAMPLE_SECONDS / min(times)))
        return Called(
            compile=max(first - min(times), 0.0) if self.strategy.compile else None,
            difference=difference,
            compilations=compiled(self.model) if self.strategy.compile else (),
            optimizations=applied(self.model),
        )

    def sample(self) -> Sample:
        gc.collect()
        cpu = process_time()
        clock = self._timed(self.calls)
        return Sample(clock / self.calls, (process_time() - cpu) / self.calls)

    def memory(self) -> Memory:
        """Measured in a call of its own, since watching costs time. Gradients are part of the call."""
        self.model.zero_grad()
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
            self._call()
            torch.cuda.synchronize()
            call = torch.cuda.max_memory_allocated()
        else:
            held = [*self.model.parameters(), *self.model.buffers(), *_tensors(self.inputs)]
            call = sum(t.numel() * t.element_size() for t in held) + _most_at_once(self._call)
        return Memory(call, peak())

    # Calls

    def _call(self) -> list[Tensor]:
        """One call: forward, in training backward too. Gradients are left in the parameters."""
        if not self.job.train:
            with torch.inference_mode():
                return _tensors(self.model(*self.inputs.values()))
        self.model.zero_grad()
        found = [t for t in _tensors(self.model(*self.inputs.values())) if t.requires_grad]
        if not self.pull:
            if not found:
                raise CannotRun("no output of the model has a gradient: there is nothing to train")
            torch.manual_seed(2)
            self.pull = [torch.randn_like(t) for t in found]
        torch.autograd.backward(found, self.pull)
        return found

    def _timed(self, calls: int) -> float:
        """Seconds of the clock for some calls."""
        start = perf_counter()
        for _ in range(calls):
            self._call()
        if self.device == "cuda":
            torch.cuda.synchronize()
        return perf_counter() - start

    def _results(self) -> list[Tensor]:
        """The outputs of a call, in training the gradients too, in the order of the model's parameters."""
        found = [t.detach().clone() for t in self._call()]
        if self.job.train:
            found += [p.grad.clone() for p in self.model.parameters() if p.grad is not None]
        return found

    def _difference(self, reference: Path) -> float | None:
        """How far results are from those in a file, which the first strategy writes."""
        found = self._results()
        if reference.exists():
            expected = torch.load(reference, map_location=self.device)
            return _apart(found, expected) if expected else None
        steady = _apart(self._results(), found) == 0 or not self.job.train
        torch.save(found if steady else [], reference)
        return 0.0 if steady else None


def _apart(found: list[Tensor], expected: list[Tensor]) -> float:
    """The largest difference, relative to the largest number of its tensor."""
    worst = 0.0
    for a, b in zip(found, expected, strict=True):
        if a.numel() and (a.is_floating_point() or a.is_complex()):
            wide = torch.complex128 if a.is_complex() else torch.float64
            most = b.to(wide).abs().max().item() or 1.0
            worst = max(worst, (a.to(wide) - b.to(wide)).abs().max().item() / most)
        elif not torch.equal(a, b):
            worst = max(worst, 1.0)
    return worst


def _tensors(result: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]


def _shape(value: Any) -> Any:
    return [_shape(part) for part in value] if isinstance(value, list) else list(value.shape)


# The machine


def _seconds(function: Callable[[], object]) -> float:
    start = perf_counter()
    function()
    return perf_counter() - start


def _compile_a_line(device: str) -> None:
    """Start the compiler: whatever it imports and asks once is not the compilation of a model."""
    line = torch.compile(lambda x: (x.sin() + 1).sum())
    line(torch.ones(64, device=device, requires_grad=True)).backward()
    with torch.inference_mode():
        line(torch.ones(64, device=device))
    torch._dynamo.reset()


def _machine(device: str) -> Machine:
    return Machine(
        device, device_name(device), torch.get_num_threads(), torch.__version__, platform.python_version()
    )


def _most_at_once(call: Callable[[], object]) -> int:
    """The most bytes that tensors of a call take at once on the CPU: what they allocate, one after another,
    less what they free."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        with torch.profiler.profile(activities=activities, profile_memory=True, acc_events=True) as profile:
            call()
        profile.export_chrome_trace(str(path))
        events = json.loads(path.read_text(encoding="utf-8", errors="replace"))["traceEvents"]
    most = now = 0
    for event in sorted(_allocations(events), key=lambda event: event["ts"]):
        now += event["args"]["Bytes"]
        most = max(most, now)
    return most


def _allocations(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (event for event in events if event.get("name") == "[memory]")
