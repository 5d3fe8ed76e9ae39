"""How fast an exported model starts in a new process, beside a warm torch.compile, and how fast it runs.

    python benchmarks/export.py
    python benchmarks/export.py --only "tiny GPT" --rounds 3

Prints Markdown. A start is the CPU time from `import torch` on to the first result, in a process of its own:
what the compiled package needs is imported, it is opened, its inputs are checked and it is called. Beside
it stands the first call alone of `torch.compile(model)`, with everything in its caches and the model built;
the yardstick is that. `control` is the yardstick a second time. A run is a call on one thread, beside the
eager model's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from measure import CONTROL, ROOT, cpu_seconds, interleaved, machine, milliseconds, pin_allocator, table

import archc

CASES = ("tiny GPT", "GPT-2", "VQ decoder")
STARTS = ("whole", CONTROL, "by block", "program", "aot")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=CASES, help="one network")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--start", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.start:
        kind, network, folder = options.start
        print(json.dumps(start(kind, network, Path(folder))))
        return
    torch.set_num_threads(1)
    pin_allocator()
    print(machine("torch"), end="\n\n")
    starts, runs = [], []
    for name in CASES if options.only is None else (options.only,):
        with tempfile.TemporaryDirectory() as folder:
            taken, run = measured(name, Path(folder), options.rounds)
        starts.append([name, *taken])
        runs.append([name, *run])
    print(table("To the first result", ["network", "warm whole", *STARTS[1:]], starts))
    print(table("A call, beside eager", ["network", CONTROL, "aot"], runs))


def measured(name: str, folder: Path, rounds: int) -> tuple[list[str], list[str]]:
    from networks import NETWORKS

    network = NETWORKS[name]
    model, inputs = network.ours(), network.inputs()
    torch.save(inputs, folder / "inputs.pt")
    archc.export(model, folder / "program.pt2", inputs)
    archc.export(model, folder / "aot.pt2", inputs, aot=True)
    environment = {
        **os.environ,
        "TORCHINDUCTOR_CACHE_DIR": str(folder / "cache"),
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }
    found: dict[str, list[float]] = {kind: [] for kind in STARTS}
    for number in range(rounds + 1):  # the first one fills the caches
        for kind in STARTS if number % 2 else reversed(STARTS):
            words = [sys.executable, __file__, "--start", kind, name, str(folder)]
            made = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
            if made.returncode:
                raise RuntimeError(made.stderr)
            if number:
                found[kind].append(json.loads(made.stdout.splitlines()[-1]))
    whole = median(found["whole"])
    ratios = [
        f"{median(found[kind]) / whole:.3f} ({milliseconds(median(found[kind]))})" for kind in STARTS[1:]
    ]
    opened = archc.open_exported(folder / "aot.pt2")
    with torch.inference_mode():
        times = interleaved(
            {
                "eager": lambda: model(*inputs),
                CONTROL: lambda: model(*inputs),
                "aot": lambda: opened(*inputs),
            },
            4 * rounds,
            least=0.1,
        )
    return [milliseconds(whole), *ratios], [times[CONTROL].told(), times["aot"].told()]


def start(kind: str, name: str, folder: Path) -> float:
    """CPU seconds to the first result in this process."""
    torch.set_num_threads(1)
    inputs = torch.load(folder / "inputs.pt")
    if kind in ("program", "aot"):

        def first() -> Any:
            import archc  # what it imports by itself counts

            return archc.open_exported(folder / f"{kind}.pt2")(*inputs)
    else:
        first = _compiled(kind, name, inputs)
    with torch.no_grad():
        before = cpu_seconds()
        first()
        return cpu_seconds() - before


def _compiled(kind: str, name: str, inputs: Any) -> Callable[[], Any]:
    from networks import NETWORKS

    network = NETWORKS[name]
    settings = {**network.settings, "compile": kind == "by block"}
    model = archc.load(f"{ROOT}/specs/{network.address}", **settings).eval()
    called = model if kind == "by block" else torch.compile(model)
    return lambda: called(*inputs)


if __name__ == "__main__":
    main()
