"""What `load(optimize="inference")` gains, and each of its levers.

    python benchmarks/inference.py                      every network, some minutes
    python benchmarks/inference.py ResNet-50 GPT-2
    python benchmarks/inference.py --levers             beside it, without each of the levers

Prints Markdown. Both models have the same weights and inputs, in evaluation mode and without gradients, on
one thread. Every figure is the median ratio of CPU times to the plain model's, taken in turn in each round,
and half the distance between its quartiles; `control` is the plain model a second time. A lever gains where
the figure without it is the larger one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from unittest.mock import patch

import torch
from measure import CONTROL, interleaved, machine, milliseconds, pin_allocator, table
from networks import NETWORKS, Network
from torch import Tensor, nn

from archc.graph.inference import ACTIVATED, FOLDED, JOINED, LEVERS, PACKED

LEAST = 0.02  # seconds that a sample takes at least

SHORT = {FOLDED: "folding", ACTIVATED: "activations", JOINED: "joining", PACKED: "packing"}
"""What the levers are called at the head of a column."""


def models(network: Network, inputs: Sequence[Tensor], levers: bool) -> dict[str, nn.Module]:
    """What is compared, by name; those for inference have seen the inputs and made ready for them."""
    plain = network.ours()
    found = {"plain": plain, CONTROL: plain, "original": network.theirs}
    found["inference"] = network.ours(optimize="inference")
    for lever, short in SHORT.items() if levers else ():
        packs = patch("archc.runtime.fused.packs", lambda packed=lever != PACKED: packed)
        with packs, patch("archc.runtime.inference.LEVERS", LEVERS - {lever}):
            model = found[f"without {short}"] = network.ours(optimize="inference")
            with torch.inference_mode():
                network.call_ours(model, inputs)
    return found


def row(name: str, size: str, rounds: int, levers: bool) -> list[str]:
    """The figures of one network on inputs of one size."""
    network = NETWORKS[name]
    inputs = network.inputs(size)
    runs = {}
    for key, model in models(network, inputs, levers).items():
        theirs = key == "original"
        runs[key] = (
            partial(network.call_theirs, inputs) if theirs else partial(network.call_ours, model, inputs)
        )
    with torch.inference_mode():
        expected, found = runs["plain"](), runs["inference"]()
        off = float((found - expected).abs().max() / expected.abs().max())
        times = interleaved(runs, rounds, least=LEAST)
    told = [name, size, milliseconds(times["plain"].seconds)]
    return [*told, *(times[key].told() for key in list(runs)[1:]), f"{off:.0e}"]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    parser.add_argument("--size", choices=["small", "large"], help="of inputs; both without it")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--levers", action="store_true", help="beside it, without each of the levers")
    given = parser.parse_args(arguments)
    if not set(given.networks) <= NETWORKS.keys():
        parser.error(f"there are {', '.join(NETWORKS)}")
    torch.set_num_threads(1)
    pinned = "allocator pinned" if pin_allocator() else "allocator not pinned"
    print(f"# Inference\n\n{machine('torch')}, one thread, {pinned}\n", flush=True)
    without = [f"without {short}" for short in SHORT.values()] if given.levers else []
    head = ["network", "inputs", "plain", CONTROL, "original", "inference", *without, "off by"]
    found = []
    for name in given.networks or NETWORKS:
        for size in [given.size] if given.size else ["small", "large"]:
            found.append(row(name, size, given.rounds, given.levers))
            print(*found[-1], sep="  ", file=sys.stderr, flush=True)
    print(table("In parts of the plain model", head, found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
