"""Generated networks on a GPU: eager, compiled by block and whole, in CUDA graphs, beside hand-written ones.

    python benchmarks/gpu.py                  on the first GPU, in bfloat16, in under eight minutes
    python benchmarks/gpu.py --minutes 3      less
    python benchmarks/gpu.py --smoke          on the CPU, tiny: that everything works and is right

Needs torch and this checkout, nothing else: the networks stand in `generated/`, as `generate.py` writes them.
Prints Markdown. Before anything is timed its result, in
training its gradients, is held against the hand-written network in float32. What there is no time for is
left out, and told.
"""

from __future__ import annotations

import argparse
import copy
import gc
import importlib.util
import sys
import time
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
if importlib.util.find_spec("pydantic") is None:  # what compiles by block needs torch alone
    runtime = types.ModuleType("archc.runtime")
    runtime.__path__ = [str(HERE.parent / "archc" / "runtime")]
    sys.modules["archc.runtime"] = runtime

import plain  # noqa: E402
import torch  # noqa: E402
from generated import gpt2, resnet, vit, vq_decoder  # noqa: E402
from measure import CONTROL, Times, interleaved, machine, table  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from archc.runtime.compiling import compile_blocks, compile_whole  # noqa: E402


class Network(NamedTuple):
    """A generated network, its hand-written twin, and an input for each of two sizes."""

    ours: Callable[..., nn.Module]
    theirs: Callable[..., nn.Module]
    shape: tuple[int, ...]
    small: tuple[int, ...]
    vocab: int | None = None
    """Inputs are numbers of words below it."""
    tiny: tuple[Mapping[str, int], Mapping[str, int]] = ({}, {})
    """The arguments of the two for `--smoke`."""


_GPT = {"vocab": 64, "width": 32, "layers": 3, "heads": 2}
_VIT = {"dim": 32, "depth": 3, "heads": 2}
NETWORKS: Mapping[str, Network] = {
    "GPT-2 medium, 8 × 1024 tokens": Network(gpt2.GPT2, plain.Gpt2, (8, 1024), (2, 8), 50257, (_GPT, _GPT)),
    "GPT-2 medium, 1 token": Network(gpt2.GPT2, plain.Gpt2, (1, 1), (1, 1), 50257, (_GPT, _GPT)),
    "VQ decoder, 8 images of 256 × 256": Network(
        vq_decoder.Decoder, plain.VqDecoder, (8, 256, 16, 16), (1, 256, 2, 2)
    ),
    "ViT-B/16, 64 images of 224 × 224": Network(
        *(vit.ViT, plain.Vit, (64, 3, 224, 224), (1, 3, 224, 224)), tiny=({**_VIT, "hidden": 128}, _VIT)
    ),
    "ResNet-50, 64 images of 224 × 224": Network(
        *(resnet.ResNet, plain.ResNet, (64, 3, 224, 224), (4, 3, 64, 64)), tiny=({"width": 8}, {"width": 8})
    ),
}
JOBS = [(name, training) for name in NETWORKS for training in (False, True)]
JOBS.remove(("GPT-2 medium, 1 token", True))
"""What is measured, forward or training, in the order of what matters more."""


@dataclass
class Bench:
    """Where it runs, what the card can do, and how much time is left."""

    device: torch.device
    dtype: torch.dtype
    smoke: bool
    deadline: float
    reference: torch.dtype = torch.float32
    backend: str = "inductor"
    matrix: float = 0.0
    """Floating-point operations a second, of a large product of matrices."""
    memory: float = 0.0
    """Bytes a second, read or written, of a large copy."""
    cold: dict[str, float] = field(
        default_factory=lambda: {"by block": 15.0, "original, compiled": 40.0, "whole": 40.0}
    )
    """What a compilation may take: the longest so far, in seconds."""
    skipped: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def left(self) -> float:
        return self.deadline - time.perf_counter()

    def clock(self) -> float:
        """Seconds, once the card has done what it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def times(self, calls: Mapping[str, Callable[[], object]]) -> dict[str, Times]:
        if self.smoke:
            return interleaved(calls, 1, warm=0, clock=self.clock)
        return interleaved(calls, 7, least=0.05, clock=self.clock)


class Row(NamedTuple):
    """One way to run a network: a call that gives what is compared, and the seconds it took to compile."""

    call: Callable[[], list[Tensor]]
    compiled: float | None = None


# What the card can do


def roofline(bench: Bench) -> str:
    """Measure the rates that shares are told of."""
    size = 256 if bench.smoke else 8192
    a, b = (torch.randn(size, size, device=bench.device, dtype=bench.dtype) for _ in range(2))
    bench.matrix = 2 * size**3 / bench.times({"": lambda: a @ b})[""].seconds
    source = torch.randn(1 << (16 if bench.smoke else 29), device=bench.device)
    target = torch.empty_like(source)
    bench.memory = 2 * source.nbytes / bench.times({"": lambda: target.copy_(source)})[""].seconds
    small = torch.randn(64, device=bench.device)
    before = bench.clock()
    torch.compile(lambda x: x.sin() + 1, backend=bench.backend)(small)  # the toolchain is found once
    first = bench.clock() - before
    return (
        f"A product of {size} × {size} matrices runs at {bench.matrix / 1e12:.1f} TFLOP/s, a copy at "
        f"{bench.memory / 1e12:.2f} TB/s. What only the first compilation of a process takes, {first:.1f} s, "
        "is in no row."
    )


# The ways to run a network


def run(bench: Bench, name: str, training: bool) -> str | None:
    """The table of one network, forward or training; None where there is no time for it."""
    network = NETWORKS[name]
    name = f"{name.split(',')[0]}, tiny" if bench.smoke else name
    title = f"{name}, {'forward and backward' if training else 'forward'}"
    if bench.left() < 5:
        bench.skipped.append(title)
        return None
    torch.manual_seed(0)
    theirs = network.theirs(**network.tiny[1] if bench.smoke else {})
    ours = _like(network.ours(**network.tiny[0] if bench.smoke else {}), theirs)
    x = _input(bench, network)
    models = [model.to(bench.device, bench.reference).train(training) for model in (theirs, ours)]
    with torch.no_grad():
        seed = torch.randn_like(_first(theirs(x))) if training else None
    exact = [made.double() for made in _call(theirs, x, seed)()]
    names = [name for name, _ in theirs.named_parameters()]
    wanted = {
        theirs: exact,
        ours: list(plain.arranged(zip(names, exact, strict=True))) if training else exact,
    }
    for model in models:
        model.zero_grad()
        model.to(bench.dtype)
    x = x if network.vocab else x.to(bench.dtype)
    seed = seed.to(bench.dtype) if seed is not None else None

    rows = {"original": Row(_call(theirs, x, seed)), "eager": Row(_call(ours, x, seed))}
    compiled: Mapping[str, tuple[nn.Module, Callable[[nn.Module], object]]] = {
        "by block": (ours, lambda m: compile_blocks(m, backend=bench.backend)),
        "original, compiled": (theirs, lambda m: m.compile(dynamic=False, backend=bench.backend)),
        "whole": (ours, lambda m: compile_whole(m, backend=bench.backend)),
    }
    for told, (model, compile) in compiled.items():
        if bench.left() < bench.cold[told] + 10:
            bench.skipped.append(f"{title}: {told}, no time")
            continue
        own = copy.deepcopy(model)
        compile(own)
        rows[told] = _first_call(bench, told, _call(own, x, seed))
    for told in compiled if bench.device.type == "cuda" else ():
        if told in rows:
            try:
                rows[f"{told}, CUDA graph"] = Row(_captured(rows[told].call))
            except RuntimeError as error:
                bench.skipped.append(f"{title}: {told}, CUDA graph: {str(error).splitlines()[0]}")

    allowed = 2 * _error(rows["original"].call(), exact) + 1e-5
    for told in list(rows):
        error = _error(rows[told].call(), wanted[theirs if told.startswith("original") else ours])
        if not error <= allowed:
            bench.wrong.append(f"{title}: {told} is off by {error:.1e}, and {allowed:.1e} is allowed")
            del rows[told]
    del exact, wanted

    peaks = {told: _peak(bench, row.call) for told, row in rows.items()}
    yardstick = "original, compiled" if "original, compiled" in rows else "original"
    order = [yardstick, *sorted((t for t in rows if t != yardstick), key=lambda t: not t.startswith("orig"))]
    calls = {told: rows[told].call for told in order} | {CONTROL: rows[yardstick].call}
    times = bench.times(calls)
    work = _work(theirs, x, seed)
    lines = [
        [told, *_figures(bench, times[told], work), *_told(rows.get(told), peaks.get(told))] for told in times
    ]
    head = ["", "time", f"in parts of: {yardstick}", "matrix rate", "memory rate", "cold compile", "peak"]
    return table(title, head, lines)


def _first_call(bench: Bench, told: str, call: Callable[[], list[Tensor]]) -> Row:
    before = bench.clock()
    call()
    took = bench.clock() - before
    bench.cold[told] = max(bench.cold[told], took)
    return Row(call, took)


def _like(ours: nn.Module, theirs: nn.Module) -> nn.Module:
    """Give a generated network the weights of its twin."""
    own = [*ours.parameters(), *ours.buffers()]
    named = (*theirs.named_parameters(), *theirs.named_buffers())
    with torch.no_grad():
        for target, source in zip(own, plain.arranged(named), strict=True):
            assert target.shape == source.shape, "the twins have their weights in one order"
            target.copy_(source)
    return ours


def _input(bench: Bench, network: Network) -> Tensor:
    shape = network.small if bench.smoke else network.shape
    if network.vocab is None:
        return torch.randn(shape, device=bench.device, dtype=bench.reference)
    most = network.tiny[0]["vocab"] if bench.smoke else network.vocab
    return torch.randint(most, shape, device=bench.device)


def _call(model: nn.Module, x: Tensor, seed: Tensor | None) -> Callable[[], list[Tensor]]:
    """A call of a model that gives its output; with `seed`, the gradient of the output, one that gives the
    gradients of its parameters."""

    def forward() -> list[Tensor]:
        with torch.no_grad():
            return [_first(model(x))]

    def train() -> list[Tensor]:
        model.zero_grad(set_to_none=True)
        torch.autograd.backward(_first(model(x)), seed)
        return [_given(parameter.grad) for parameter in model.parameters()]

    return forward if seed is None else train


def _given(gradient: Tensor | None) -> Tensor:
    assert gradient is not None, "every parameter takes part"
    return gradient


def _first(made: Any) -> Tensor:
    return made[0] if isinstance(made, tuple) else made


def _captured(call: Callable[[], list[Tensor]]) -> Callable[[], list[Tensor]]:
    """All of a call's kernels as one CUDA graph, launched at once."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        made = call()

    def replay() -> list[Tensor]:
        graph.replay()
        return made

    return replay


# What comes of it


def _error(made: list[Tensor], wanted: list[Tensor]) -> float:
    """How far tensors are from those that are wanted, in parts of these, by the norms of all together."""
    off = sum(float((a.double() - b).square().sum()) for a, b in zip(made, wanted, strict=True))
    return (off / sum(float(b.square().sum()) for b in wanted)) ** 0.5


def _peak(bench: Bench, call: Callable[[], object]) -> int:
    """Bytes that a call takes at its peak, above what it begins with."""
    if bench.device.type != "cuda":
        return 0
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


class Work(NamedTuple):
    """What has to be done, however it is done: floating-point operations, and the fewest bytes."""

    flops: float
    bytes: float


def _work(model: nn.Module, x: Tensor, seed: Tensor | None) -> Work:
    """Products of matrices and convolutions; weights are read once, in training twice, and their gradients
    written."""
    with FlopCounterMode(display=False) as counter:
        _call(model, x, seed)()
    with torch.no_grad():
        out = _first(model(x))
    weights = sum(p.nbytes for p in model.parameters())
    return Work(counter.get_total_flops(), (1 if seed is None else 3) * weights + x.nbytes + out.nbytes)


def _figures(bench: Bench, times: Times, work: Work) -> list[str]:
    rates = (work.flops / bench.matrix, work.bytes / bench.memory)
    shares = [f"{100 * at_best / times.seconds:.0f} %" for at_best in rates]
    return [f"{times.seconds * 1e3:.2f} ms", times.told(), *shares]


def _told(row: Row | None, peak: int | None) -> list[str]:
    cold = f"{row.compiled:.1f} s" if row and row.compiled is not None else ""
    return [cold, f"{peak / 1e6:,.0f} MB" if peak else ""]


NOTES = """\
*matrix rate* and *memory rate* are shares of what the card was measured to do: of its products of
matrices, for the operations of products and convolutions; of its copies, for the fewest bytes that have to
move (weights read once, in training twice and their gradients written, inputs and outputs). *cold compile*
is the first call with no cache. *peak* is what a call takes above weights and gradients.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=7.0, help="the time that it may take (7)")
    parser.add_argument("--smoke", action="store_true", help="on the CPU, tiny")
    options = parser.parse_args()
    torch.compiler.config.force_disable_caches = True  # so that what is called cold is cold
    deadline = time.perf_counter() + 60 * options.minutes
    if options.smoke:
        torch.set_num_threads(1)
        bench = Bench(torch.device("cpu"), torch.float32, True, deadline, torch.float64, "eager")
    elif torch.cuda.is_available():
        torch.backends.cudnn.allow_tf32 = False
        bench = Bench(torch.device("cuda"), torch.bfloat16, False, deadline)
        print(f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}, ", end="")
    else:
        raise SystemExit("there is no GPU here; `--smoke` tries everything on the CPU")
    print(f"{machine('torch')}, {str(bench.dtype).removeprefix('torch.')}\n\n{roofline(bench)}\n\n{NOTES}")
    for name, training in JOBS:
        try:
            made = run(bench, name, training)
        except torch.OutOfMemoryError as error:
            made = None
            bench.skipped.append(f"{name}: {str(error).splitlines()[0]}")
        if made:
            print(made, flush=True)
        torch.compiler.reset()  # else the eighth network meets Dynamo's limit, and is not compiled
        gc.collect()
        torch.cuda.empty_cache()
    for title, found in (("Left out", bench.skipped), ("Wrong, and not timed", bench.wrong)):
        if found:
            print(f"{title}:\n\n" + "\n".join(f"- {told}" for told in found) + "\n")
    sys.exit(bool(bench.wrong))


if __name__ == "__main__":
    main()
