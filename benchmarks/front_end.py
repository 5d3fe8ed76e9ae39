"""Times of everything in front of torch: starting, reading, elaborating, emitting, drawing.

    python benchmarks/front_end.py            a table
    python benchmarks/front_end.py --json     the same as JSON, seconds

Times are process CPU time, the least of a few runs: other programs on the machine do not count.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENCODER = f"{ROOT}/specs/vq/nets.yaml#Encoder@iris"


def chain(lines: int) -> str:
    """A block of that many flow lines, an operator with weights in every fourth."""
    nodes = "\n".join(f"      fc{i}: linear(64)" for i in range(0, lines, 4))
    flow = []
    for i in range(lines):
        step = f"fc{i}" if i % 4 == 0 else "relu"
        flow.append(
            f"      h{i + 1}: h{i} -> {step}"
            if i % 8
            else f"      h{i + 1}: h{i} + h{max(i - 5, 0)} -> {step}"
        )
    return (
        "archc: 1\nblocks:\n  Chain:\n    inputs:\n      h0: [B, 64]\n"
        f"    nodes:\n{nodes}\n    flow:\n" + "\n".join(flow) + "\n"
    )


def gpt(layers: int) -> str:
    """A decoder-only transformer: four distinct blocks, whatever the number of layers."""
    return f"""\
archc: 1
blocks:
  Attention:
    params: {{heads: int = 4}}
    inputs:
      x: [B, T, D]
    nodes:
      qkv: linear(3 * D)
      proj: linear(D)
    flow:
      q, k, v: x -> qkv -> rearrange("b t (n h d) -> n b h t d", n=3, h=heads) -> unbind(0)
      out: q, k, v -> attention(causal=true) -> rearrange("b h t d -> b t (h d)") -> proj
  Mlp:
    inputs:
      x: [B, T, D]
    nodes:
      fc: linear(4 * D)
      proj: linear(D)
    flow:
      out: x -> fc -> gelu -> proj
  Layer:
    inputs:
      x: [B, T, D]
    nodes:
      norm1: layer_norm
      attn: Attention
      norm2: layer_norm
      mlp: Mlp
    flow:
      h: x + (x -> norm1 -> attn)
      out: h + (h -> norm2 -> mlp)
  Gpt:
    inputs:
      x: [B, T, 64]
    nodes:
      h: {{call: Layer, repeat: {layers}}}
      norm: layer_norm
    flow:
      out: x -> h -> norm
"""


def least(runs: int, function: Callable[[], object]) -> float:
    """The least CPU time of a function, in seconds."""
    times = []
    for _ in range(runs):
        gc.collect()
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def command(*words: str) -> float:
    """The CPU time of a command in a process of its own, least of five."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], check=True, capture_output=True, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def measure() -> Iterator[tuple[str, float]]:
    """Each measurement with its name."""
    yield "python, empty", command("-c", "")
    yield "archc --help", command("-m", "archc", "--help")
    yield "archc check, VQ encoder", command("-m", "archc", "check", ENCODER)
    yield "archc draw, VQ encoder", command("-m", "archc", "draw", ENCODER)

    import archc
    from archc.draw.stage import scene
    from archc.draw.svg import svg

    for lines in (1_000, 10_000):
        spec = archc.text(chain(lines))
        yield f"read, {lines:,} lines", least(3, lambda spec=spec: archc.read(spec))
        yield f"check, {lines:,} lines", least(3, lambda spec=spec: archc.check(spec))
    for layers in (12, 96, 1_000):
        spec = archc.text(gpt(layers))
        graph = archc.graph(spec)
        yield f"check, GPT of {layers:,} layers", least(3, lambda spec=spec: archc.check(spec))
        yield f"emit, GPT of {layers:,} layers", least(3, lambda graph=graph: archc.source(graph))
        yield f"draw, GPT of {layers:,} layers", least(3, lambda graph=graph: archc.draw(graph))
    for lines in (500, 5_000):
        graph = archc.graph(archc.text(chain(lines)))
        yield f"draw, {lines:,} nodes", least(3, lambda graph=graph: svg(scene(graph)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, float] = {}
    for name, seconds in measure():
        found[name] = seconds
        if not options.json:
            print(f"{name:<32} {seconds * 1e3:9.1f} ms", flush=True)
    if options.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
