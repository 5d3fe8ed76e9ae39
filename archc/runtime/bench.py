"""A model measured as each strategy runs it: eager, compiled by block, compiled whole, optimised.

Each strategy has a process of its own, whose compiler finds an empty cache, so that a cold compilation is
one, and memory is that of one strategy. Only one of them works at a time. When all are ready their calls are
timed in turn, round by round: whatever else slows the machine slows all alike.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from archc.graph.inference import Optimization
from archc.graph.ir import Graph
from archc.runtime.session import CannotRun
from archc.source.diagnostic import SpecError

if TYPE_CHECKING:
    from archc.runtime.compiling import Compilation


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to run a model: its name in tables, what `load` is asked for, and whether the process keeps freed
    memory."""

    name: str
    compile: bool | Literal["whole"] = False
    optimize: Literal["inference"] | None = None
    keep_memory: bool = False

    @property
    def trains(self) -> bool:
        """Does it give gradients?"""
        return self.optimize != "inference"


STRATEGIES = {
    "eager": Strategy("eager"),
    "memory": Strategy("eager, memory kept", keep_memory=True),
    "block": Strategy("by block", compile=True),
    "whole": Strategy("whole", compile="whole"),
    "inference": Strategy("optimised", optimize="inference"),
    "inference-block": Strategy("optimised, by block", compile=True, optimize="inference"),
}
"""All strategies, in the order of tables. The first is what the others are held against."""

ROUNDS, FEWEST_ROUNDS = 15, 5
LONG = 60.0
"""Once the rounds took so many seconds, the fewest are enough."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is measured. `make` gives the Graph, in each process anew; it must be picklable.

    `sizes` are sizes of free dimensions, the others are chosen; `train` measures forward and backward;
    `threads` of the CPU are used, None leaves it to torch."""

    make: Callable[[], Graph]
    sizes: Mapping[str, int] = field(default_factory=dict)
    device: str = "auto"
    dtype: str = "float32"
    weights: Path | None = None
    names: str | None = None
    train: bool = False
    keep_memory: bool = False
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """What it was measured on: `device` is `cpu` or `cuda`, `name` the processor's own."""

    device: str
    name: str
    threads: int
    torch: str
    python: str


@dataclass(frozen=True, slots=True)
class Built:
    """What a process tells when it has built its model. Times are in seconds.

    `toolchain` is what the compiler took for a function of one line: its own start, and with an empty cache
    its questions to the C++ compiler. None where nothing is compiled.
    """

    machine: Machine
    shapes: dict[str, Any]
    parameters: int
    build: float
    toolchain: float | None


@dataclass(frozen=True, slots=True)
class Called:
    """What a process tells when its model has been called.

    `compile` is what the first call took longer than a later one, None where nothing is compiled.
    `difference` is how far outputs (in training gradients too) are from those of the first strategy, relative
    to the largest of their tensor; None where the model gives others each time.
    """

    compile: float | None
    difference: float | None
    compilations: tuple[Compilation, ...]
    optimizations: tuple[Optimization, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """In bytes. `call`: the most that tensors took at once in a call, with the model and its inputs;
    `process`: the most that the process held of the machine's, with Python, torch and its compiler."""

    call: int
    process: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds for a call, the mean of a few in a row: of the clock, and of all cores together."""

    clock: float
    cpu: float


@dataclass(slots=True)
class Measured:
    """A strategy and what was measured. `failure` is why there is nothing, else empty."""

    key: str
    built: Built | None = None
    called: Called | None = None
    samples: list[Sample] = field(default_factory=list)
    memory: Memory | None = None
    failure: str = ""

    @property
    def name(self) -> str:
        return STRATEGIES[self.key].name

    @property
    def run(self) -> float:
        """Seconds for a call: the median of the rounds."""
        return median(sample.clock for sample in self.samples)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between them lies the middle half of the rounds."""
        low, _, high = quantiles((sample.clock for sample in self.samples), n=4, method="inclusive")
        return low, high

    @property
    def compile(self) -> float | None:
        """Seconds of the cold compilation."""
        return self.called.compile if self.called else None


@dataclass(frozen=True, slots=True)
class Bench:
    """What was measured, in the order of STRATEGIES. `control` is the first strategy against itself: as far
    as it is from 1.00, the ratios are to be trusted."""

    measured: dict[str, Measured]
    control: float
    rounds: int

    @property
    def base(self) -> Measured:
        return next(iter(self.measured.values()))

    @property
    def machine(self) -> Machine:
        assert self.base.built is not None
        return self.base.built.machine

    @property
    def toolchain(self) -> float | None:
        """Seconds that the compiler took to start with an empty cache."""
        found = [one.built.toolchain for one in self.measured.values() if one.built]
        return next((seconds for seconds in found if seconds is not None), None)


Stage = Callable[[str], AbstractContextManager[None]]


def bench(
    job: Job,
    strategies: Sequence[str],
    *,
    rounds: int = ROUNDS,
    stage: Stage = lambda what: nullcontext(),
) -> Bench:
    """Measure a job by some of STRATEGIES.

    `stage` is told what begins. A strategy that fails is in the result with its failure; raises CannotRun
    where the first one does, or all would, and SpecError where weights do not fit.
    """
    measured = {key: Measured(key) for key in strategies}
    with tempfile.TemporaryDirectory(prefix="archc-bench-") as name:
        folder = Path(name)
        with _workers(measured, job, folder) as workers:
            for key, one in measured.items():
                _start(workers[key], one, folder, stage)
            ready = {key: one for key, one in measured.items() if not one.failure}
            control = _in_turn(workers, ready, rounds, stage)
            for key, one in ready.items():
                with stage(f"{one.name}: memory"):
                    one.memory = workers[key].ask("memory")
    return Bench(measured, control, len(next(iter(measured.values())).samples))


def _start(worker: _Worker, one: Measured, folder: Path, stage: Stage) -> None:
    """Build, compile and call a model. What the first strategy gives is what others are compared with."""
    try:
        with stage(f"{one.name}: building"):
            one.built = worker.ask("build")
        with stage(f"{one.name}: " + ("compiling" if STRATEGIES[one.key].compile else "first call")):
            one.called = worker.ask("call", folder / "reference.pt")
    except Failed as failed:
        if worker.first:
            raise CannotRun(f"the model fails: {failed}") from None
        one.failure = str(failed)


def _in_turn(
    workers: Mapping[str, _Worker], measured: Mapping[str, Measured], rounds: int, stage: Stage
) -> float:
    """Time all in turn, again and again; the control."""
    again: list[float] = []
    start = perf_counter()
    with stage("running, each in turn"):
        for number in range(rounds):
            if number >= min(rounds, FEWEST_ROUNDS) and perf_counter() - start > LONG:
                break
            for key, one in measured.items():
                one.samples.append(workers[key].ask("sample"))
            again.append(workers[next(iter(measured))].ask("sample").clock)
    return median(again) / next(iter(measured.values())).run


class Failed(Exception):
    """A strategy failed; the message says why."""


class _Worker:
    """A process that runs one strategy and does as it is asked."""

    def __init__(self, key: str, job: Job, folder: Path, first: bool) -> None:
        from archc.runtime.bench_worker import serve

        self.first = first
        self._cache, self._toolchain = folder / key, folder / "toolchain"
        context = multiprocessing.get_context("spawn")  # a process that shares nothing with another
        self._end, self._other = context.Pipe()
        arguments = (self._other, job, STRATEGIES[key])
        self._process = context.Process(target=serve, args=arguments, name=f"archc {key}", daemon=False)

    def ask(self, what: str, *arguments: Any) -> Any:
        """The result of a method of the other side; raises Failed, CannotRun, SpecError."""
        if self._process.pid is None:
            self._begin()
        try:
            self._end.send((what, arguments))
            kind, result = self._end.recv()
        except (EOFError, OSError):
            self._process.join(5)
            raise Failed(f"its process ended {_ended(self._process.exitcode)}") from None
        if what == "build" and not self._toolchain.exists() and self._cache.exists():
            shutil.copytree(self._cache, self._toolchain)
        if kind == "wrong":
            raise SpecError(result)
        if kind == "refused":
            raise CannotRun(result)
        if kind == "failed":
            raise Failed(result)
        return result

    def _begin(self) -> None:
        """Start the process. What another has asked the C++ compiler already, this one need not ask."""
        if self._toolchain.exists():
            shutil.copytree(self._toolchain, self._cache)
        warnings = [*filter(None, [os.environ.get("PYTHONWARNINGS")]), "ignore:resource_tracker"]
        with (
            _uninterrupted(),
            _environment(
                TORCHINDUCTOR_CACHE_DIR=str(self._cache),
                TRITON_CACHE_DIR=str(self._cache / "triton"),
                KINETO_LOG_LEVEL="99",  # torch's profiler, which tells the memory of a call, is talkative
                PYTHONWARNINGS=",".join(warnings),  # of what a killed process has not put away
            ),
        ):
            self._process.start()
        self._other.close()

    def end(self, *, wait: float) -> None:
        """Let the process end, as it does when nobody can ask it any more; kill it where that takes long."""
        self._end.close()
        if self._process.pid is not None:
            self._process.join(wait)
            self._process.kill()
            self._process.join()


def _ended(status: int | None) -> str:
    """How a process ended, in words."""
    if status is not None and status < 0:
        return f"by signal {-status}" + ("; was the memory too little?" if status == -9 else "")
    return f"with status {status}"


@contextmanager
def _workers(keys: Mapping[str, Any], job: Job, folder: Path) -> Iterator[dict[str, _Worker]]:
    workers = {key: _Worker(key, job, folder, first=not number) for number, key in enumerate(keys)}
    wait = 0.0  # where something went wrong, which may be an impatient user
    try:
        yield workers
        wait = 5.0
    finally:
        for worker in workers.values():
            worker.end(wait=wait)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes that are started meanwhile ignore Ctrl-C: who asks them is interrupted, and ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Variables of the environment, for processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
