"""What every benchmark needs: an allocator that keeps its memory, interleaved CPU times, Markdown.

Times are CPU seconds of this process and of its children that have ended. What is compared runs in turn,
in every round, so that a busy machine slows all alike; a control, which is the yardstick a second time,
tells how far its ratios are to be trusted.
"""

from __future__ import annotations

import gc
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

ROOT = Path(__file__).parents[1]

CONTROL = "control"
"""The name of what is the yardstick a second time."""


def pin_allocator() -> bool:
    """Keep the memory that tensors free; tell whether that was possible.

    Without it a call of a network returns its tensors to the system and asks for them again: tens of
    thousands of page faults, which decide more than the code that is compared.
    """
    from archc.runtime.allocator import keep_freed_memory

    return keep_freed_memory()


def cpu_seconds() -> float:
    """The CPU time of this process and of its children that have ended."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in spent)


@dataclass(frozen=True)
class Times:
    """CPU seconds of one function, a sample each round, and those of the yardstick beside it."""

    samples: Sequence[float]
    beside: Sequence[float] = field(repr=False)

    @property
    def seconds(self) -> float:
        return median(self.samples)

    @property
    def ratios(self) -> list[float]:
        """What it took in parts of the yardstick, round by round."""
        return [own / other for own, other in zip(self.samples, self.beside, strict=True)]

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    @property
    def spread(self) -> float:
        """How far apart the middle half of the ratios lies."""
        if len(self.samples) < 2:
            return 0.0
        low, _, high = quantiles(self.ratios, n=4)
        return high - low

    def told(self) -> str:
        """The ratio with its spread."""
        return f"{self.ratio:.2f} ± {self.spread / 2:.2f}"


def interleaved(
    functions: Mapping[str, Callable[[], object]],
    rounds: int,
    *,
    least: float = 0.0,
    warm: int = 1,
    clock: Callable[[], float] = cpu_seconds,
) -> dict[str, Times]:
    """The times of functions, all of them in turn in every round; the first is the yardstick.

    Every other round goes through them backwards, so that none has a better place. A sample is the mean of
    as many calls as take `least` seconds together. The first `warm` rounds are not counted. `clock` tells the
    seconds that are counted, for what does not run on the CPU.
    """
    calls = {name: _calls(function, least, clock) for name, function in functions.items()}
    found: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(warm + rounds):
        gc.collect()
        for name in list(functions) if number % 2 else reversed(list(functions)):
            taken = _sample(functions[name], calls[name], clock)
            if number >= warm:
                found[name].append(taken)
    beside = next(iter(found.values()))
    return {name: Times(samples, beside) for name, samples in found.items()}


def _sample(function: Callable[[], object], calls: int, clock: Callable[[], float]) -> float:
    if calls > 1:  # what ran before has taken the caches
        function()
    before = clock()
    for _ in range(calls):
        function()
    return (clock() - before) / calls


def _calls(function: Callable[[], object], least: float, clock: Callable[[], float]) -> int:
    if not least:
        return 1
    function()
    return max(1, round(least / max(_sample(function, 2, clock), 1e-6)))


def timed(functions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median CPU seconds of functions, all of them in turn in each round."""
    return {name: times.seconds for name, times in interleaved(functions, rounds).items()}


class Spent(NamedTuple):
    """What a process took: CPU seconds, and at most so many MB of memory."""

    seconds: float
    megabytes: float


class Processes:
    """Runs Python in processes of its own, with bytecode that is written to a folder and kept."""

    def __init__(self, folder: Path) -> None:
        self.environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(self, words: Sequence[str]) -> Spent:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise RuntimeError(f"{' '.join(words)} ended with status {status}")
        scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
        return Spent(used.ru_utime + used.ru_stime, used.ru_maxrss / scale)

    def interleaved(self, commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, Spent]:
        """The medians of each command, all of them in turn in each round."""
        for words in commands.values():
            self.run(words)
        found: dict[str, list[Spent]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, words in commands.items():
                found[name].append(self.run(words))
        return {name: Spent(*map(median, zip(*spent, strict=True))) for name, spent in found.items()}


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return f"## {title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:,.0f} ms" if seconds >= 0.02 else f"{seconds * 1e3:.1f} ms"


def machine(*packages: str) -> str:
    """What figures were measured on: the processor, Python, and versions of packages."""
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        processor = next(li.partition(": ")[2] for li in info.splitlines() if li.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    told = [processor, f"{os.cpu_count()} cores", f"load {os.getloadavg()[0]:.1f}"]
    told.append(f"Python {platform.python_version()}")
    return ", ".join([*told, *(f"{name} {version(name)}" for name in packages)])
