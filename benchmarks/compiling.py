"""What compilation takes, by block and whole, and what runs then.

    python benchmarks/compiling.py                       everything: half an hour
    python benchmarks/compiling.py cold                  compilation alone
    python benchmarks/compiling.py run --only "VQ decoder"
    python benchmarks/compiling.py cold --only transformer

Prints Markdown. `whole` is `torch.compile(model)` as torch has it, `by block` is `load(compile=True)`, and
`as one` is `load(compile="whole")`. All are of the model that archc generates.

Compilation is CPU time, with that of the C++ compiler, of the first call in a process of its own whose cache
folder is empty; what torch does once, with such a folder (it tries the compiler) and in a process (imports),
is done before and told apart.
`forward` is a call without gradients, `training` one with a backward. A run is the median ratio of CPU
times on one thread, taken in turn in each round, with half the distance between its quartiles;
`control` is the yardstick a second time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from eager import PASSES
from measure import CONTROL, cpu_seconds, interleaved, machine, milliseconds, pin_allocator, table
from networks import NETWORKS, Network, transformer
from torch import nn

from archc.runtime.compiling import compilations

CASES: Mapping[str, Callable[[], Network]] = {
    "transformer, 24 layers": lambda: transformer(24),
    "transformer, 48 layers": lambda: transformer(48),
    **{name: (lambda network=network: network) for name, network in NETWORKS.items()},
}

COLD = [
    ("transformer, 24 layers", "forward"),
    ("transformer, 48 layers", "forward"),
    ("transformer, 24 layers", "training"),
    ("VQ decoder", "forward"),
    ("VQ decoder", "training"),
    ("VQ U-Net", "training"),
    ("ResNet-50", "forward"),
]

RUN = [
    ("transformer, 24 layers", "forward", "small"),
    ("transformer, 24 layers", "both", "small"),
    ("VQ decoder", "forward", "large"),
    ("VQ decoder", "both", "large"),
    ("VQ encoder", "forward", "large"),
    ("VQ U-Net", "forward", "large"),
    ("GPT-2", "forward", "large"),
    ("ViT", "forward", "large"),
    ("ResNet-50", "forward", "large"),
    ("tiny GPT", "forward", "large"),
]


def whole(network: Network) -> nn.Module:
    model = network.ours()
    model.compile()
    return model


STRATEGIES: Mapping[str, Callable[[Network], nn.Module]] = {
    "whole": whole,
    "by block": lambda network: network.ours(compile=True),
    "as one": lambda network: network.ours(compile="whole"),
}


class Cold(NamedTuple):
    """What a process with an empty cache took, in CPU seconds, and how many graphs it compiled."""

    seconds: float
    toolchain: float
    graphs: int


def cold(case: str, strategy: str, way: str) -> Cold:
    """Compile in this process, whose cache has to be empty."""
    torch.set_num_threads(1)
    start = cpu_seconds()
    with torch.no_grad():
        torch.compile(lambda x: x.softmax(1).mm(x), dynamic=True)(torch.ones(8, 8))
    toolchain = cpu_seconds() - start
    network = CASES[case]()
    model = STRATEGIES[strategy](network)
    inputs = network.inputs("small")
    torch._dynamo.utils.counters.clear()
    start = cpu_seconds()
    if way == "training":
        network.call_ours(model.train(), inputs).square().mean().backward()
    else:
        with torch.no_grad():
            network.call_ours(model.eval(), inputs)
    taken = cpu_seconds() - start
    return Cold(taken, toolchain, torch._dynamo.utils.counters["stats"]["unique_graphs"])


def in_a_process(case: str, strategy: str, way: str) -> Cold:
    """`cold` in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "TORCHINDUCTOR_CACHE_DIR": folder,
            "TORCHINDUCTOR_COMPILE_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        words = [sys.executable, __file__, "--process", case, strategy, way]
        done = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return Cold(*json.loads(done.stdout.splitlines()[-1]))


def cold_table(chosen: str, strategies: Sequence[str], rounds: int) -> Iterator[str]:
    rows, spent = [], {}
    for case, way in (c for c in COLD if chosen in c[0]):
        found = {s: [in_a_process(case, s, way) for _ in range(rounds)] for s in strategies}
        best = {s: min(tries) for s, tries in found.items()}
        spent[case, way] = best
        yardstick = best[strategies[0]]
        row = [case, way]
        for each in best.values():
            row += [f"{each.seconds:.1f} s", str(each.graphs), f"{each.seconds / yardstick.seconds:.2f}"]
        rows.append([*row, f"{yardstick.toolchain:.1f} s"])
        print(*rows[-1], file=sys.stderr)
    head = ["network", "pass", *(t for s in strategies for t in (s, "graphs", "ratio")), "once"]
    yield table("Cold compilation", head, rows)
    few, many = (spent.get((f"transformer, {n} layers", "forward")) for n in (24, 48))
    if few and many:
        grown = [f"{s} {many[s].seconds / few[s].seconds:.2f}" for s in strategies]
        yield f"48 layers in parts of 24: {', '.join(grown)}.\n"


def run_table(chosen: str, rounds: int, least: float) -> Iterator[str]:
    rows = []
    names = ["whole", "by block", "as one", "eager"]
    for case, way, size in (r for r in RUN if chosen in r[0]):
        network = CASES[case]()
        inputs = network.inputs(size)
        models = {s: make(network) for s, make in STRATEGIES.items()} | {"eager": network.ours()}
        calls = {
            name: PASSES[way](model, partial(network.call_ours, model, inputs))
            for name, model in models.items()
        }
        for call in calls.values():
            call()
        times = interleaved({**calls, CONTROL: calls["whole"]}, rounds, least=least, warm=2)
        compiled = sum(record.graphs for record in compilations(models["by block"]))
        row = [f"{case}, {size}", way, milliseconds(times["whole"].seconds)]
        row += [times[name].told() for name in (*names[1:], CONTROL)]
        best = min(times["by block"].seconds, times["as one"].seconds)
        rows.append([*row, f"{best / times['eager'].seconds:.2f}", str(compiled)])
        print(*rows[-1], file=sys.stderr)
        torch._dynamo.reset()
    head = ["network", "pass", *names, CONTROL, "compiled / eager", "graphs by block"]
    yield table("Run", head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("cold", "run"), help="one of the tables (default: both)")
    parser.add_argument("--only", default="", metavar="TEXT", help="networks whose name holds a text")
    parser.add_argument("--rounds", type=int, default=0, help="default: 1 cold, 9 of runs")
    parser.add_argument("--least", type=float, default=0.05, help="seconds that a sample takes at least")
    parser.add_argument("--process", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.process:
        print(json.dumps(cold(*options.process)))
        return
    torch.set_num_threads(1)
    pin_allocator()
    print(f"{machine('torch')}\n")
    parts: list[Any] = []
    if options.what != "run":
        parts.append(cold_table(options.only, list(STRATEGIES), options.rounds or 1))
    if options.what != "cold":
        parts.append(run_table(options.only, options.rounds or 9, options.least))
    for part in parts:
        for text in part:
            print(text)


if __name__ == "__main__":
    main()
