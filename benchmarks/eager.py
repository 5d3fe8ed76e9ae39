"""What a generated forward takes in parts of the original, without compilation.

    python benchmarks/eager.py                         every network, some minutes
    python benchmarks/eager.py ViT "tiny GPT"          some of them
    python benchmarks/eager.py --size small --rounds 9
    python benchmarks/eager.py --compiled              beside it, both compiled whole

Prints Markdown. Both have the same weights and inputs, on one thread. `forward` is a call without gradients
in evaluation mode, `both` one in training mode with the gradients of all weights. Every figure is the
median ratio of CPU times, taken in turn in each round, and half the distance between its quartiles.
`control` is the original a second time: as far as it is from 1.00, the others are to be trusted. `strict` is
the model of `strict_numerics=True`. What a result is off by is its largest difference, in parts of the
original's largest value.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from measure import CONTROL, interleaved, machine, milliseconds, pin_allocator, table
from networks import NETWORKS, Network
from torch import Tensor, nn

LEAST = 0.02  # seconds that a sample takes at least

Call = Callable[[], Tensor]

MODELS: Mapping[str, Mapping[str, Any]] = {"archc": {}, "strict": {"strict_numerics": True}}
"""The models beside the original: what `archc.load` is told."""


def forward(model: nn.Module, call: Call) -> Callable[[], object]:
    """A call without gradients, in evaluation mode."""
    model.eval()

    def run() -> None:
        with torch.no_grad():
            call()

    return run


def both(model: nn.Module, call: Call) -> Callable[[], object]:
    """A call and the gradients of all weights, in training mode."""
    model.train()
    with torch.no_grad():
        upstream = torch.randn(call().shape, generator=torch.Generator().manual_seed(3))

    def run() -> None:
        call().backward(upstream)
        model.zero_grad()

    return run


PASSES = {"forward": forward, "both": both}


def models(network: Network, inputs: tuple[Tensor, ...], compiled: bool) -> dict[str, tuple[nn.Module, Call]]:
    """What is compared, by name: modules, and how each is called."""
    theirs = network.theirs
    found: dict[str, tuple[nn.Module, Call]] = {
        "original": (theirs, partial(network.call_theirs, inputs)),
        CONTROL: (theirs, partial(network.call_theirs, inputs)),
    }
    for name, options in MODELS.items():
        model = network.ours(**options)
        found[name] = model, partial(network.call_ours, model, inputs)
    if compiled:
        model = network.ours(compile="whole")
        found["compiled"] = model, partial(network.call_ours, model, inputs)
    return found


def rows(name: str, sizes: list[str], rounds: int, compiled: bool) -> Iterator[list[str]]:
    """The figures of one network."""
    network = NETWORKS[name]
    for size in sizes:
        compared = models(network, network.inputs(size), compiled)
        for model, _ in compared.values():
            model.eval()
        with torch.no_grad():
            results = {key: call() for key, (_, call) in compared.items()}
        largest = float(results["original"].abs().max())
        for which, make in PASSES.items():
            runs = {key: make(model, call) for key, (model, call) in compared.items()}
            times = interleaved(runs, rounds, least=LEAST)
            told = [name, size, which, milliseconds(times["original"].seconds)]
            for key in list(compared)[1:]:
                off = float((results[key] - results["original"]).abs().max()) / largest
                told.append(times[key].told() + ("" if key == CONTROL else f", off by {off:.0e}"))
            yield told


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    parser.add_argument("--size", choices=["small", "large"], help="of inputs; both without it")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--compiled", action="store_true", help="beside it, compiled whole")
    given = parser.parse_args(arguments)
    if not set(given.networks) <= NETWORKS.keys():
        parser.error(f"there are {', '.join(NETWORKS)}")
    torch.set_num_threads(1)
    pinned = "allocator pinned" if pin_allocator() else "allocator not pinned"
    print(f"# Eager\n\n{machine('torch')}, one thread, {pinned}\n", flush=True)
    more = ["compiled"] if given.compiled else []
    head = ["network", "inputs", "pass", "original", CONTROL, *MODELS, *more]
    sizes = [given.size] if given.size else ["small", "large"]
    found = []
    for name in given.networks or NETWORKS:
        for told in rows(name, sizes, given.rounds, given.compiled):
            print(*told, sep="  ", file=sys.stderr, flush=True)
            found.append(told)
    print(table("In parts of the original", head, found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
