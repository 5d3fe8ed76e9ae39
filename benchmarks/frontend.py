"""How fast archc is in front of torch: starting, checking, emitting, drawing.

    python benchmarks/frontend.py             all tables, some minutes
    python benchmarks/frontend.py startup     one of: startup, depth, lines

Prints Markdown. Every figure is CPU time, of processes of their own (with bytecode written, as on a
user's machine) or within this one, and the median of several rounds; what is compared runs in turn
in each round, so that a busy machine slows all alike. `control` is the yardstick a second time:
as far as it is from 1.00, the ratios are to be trusted. Nodes are those of the checked Graph: inputs,
and each application of an operator.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measure import Processes, machine, milliseconds, table, timed

ENCODER = "specs/vq/nets.yaml#Encoder@iris"
YARDSTICK = "import yaml, pydantic, networkx"


# Specs


def flow(lines: int) -> str:
    """A block of that many flow lines: chains, sums, chains in brackets, several names, attributes."""
    kinds = (
        "v{i}: {a} -> fc -> relu",
        "v{i}: {a} + {b}",
        "v{i}: {a} + ({b} -> gelu -> tanh)",
        "p{i}, v{i}: {a} -> split(2, 1)",
        "v{i}: p{p}, {a} -> concat(axis=1)",
        "v{i}: {a} -> softmax(axis=-1)",
        "v{i}: 0.5 * ({a} - {b})",
    )
    written = ""
    a = b = "x"
    for i in range(lines - 1):
        written += f"      {kinds[i % len(kinds)]}\n".format(i=i, a=a, b=b, p=i - 1)
        a, b = f"v{i}", a if i % len(kinds) not in (3, 4) else f"v{i}"
    return f"""\
archc: 1
blocks:
  Lines:
    inputs: {{x: [B, 64]}}
    nodes:
      fc: linear(64)
    flow:
{written}      y: {a} -> relu
"""


def gpt(layers: int) -> str:
    """A decoder-only transformer: few distinct blocks, whatever the number of layers."""
    return f"""\
archc: 1
blocks:
  Attention:
    params: {{heads: int = 4}}
    inputs: {{x: [B, T, D]}}
    nodes:
      qkv: linear(3 * D)
      proj: linear(D)
    flow:
      q, k, v: x -> qkv -> rearrange("b t (n h d) -> n b h t d", n=3, h=heads) -> unbind(0)
      out: q, k, v -> attention(causal=true) -> rearrange("b h t d -> b t (h d)") -> proj
  Layer:
    inputs: {{x: [B, T, D]}}
    nodes:
      norm1: layer_norm
      attn: Attention
      norm2: layer_norm
      fc: linear(4 * D)
      proj: linear(D)
    flow:
      h: x + (x -> norm1 -> attn)
      out: h + (h -> norm2 -> fc -> gelu -> proj)
  GPT:
    params: {{depth: int = {layers}, dim: int = 64, vocab: int = 1000, context: int = 128}}
    inputs: {{ids: "int64[B, T]"}}
    nodes:
      wte: embedding(vocab, dim)
      wpe: embedding(context, dim)
      h: {{call: Layer, repeat: depth}}
      norm: layer_norm
      head: linear(vocab, bias=false)
    flow:
      e: (ids -> wte) + (arange(T) -> wpe)
      logits: e -> h -> norm -> head
    tie: {{head.weight: wte.weight}}
    init:
      - {{op: [linear, embedding], weight: normal(0.02)}}
      - {{at: "h.*.proj", weight: normal(0.02 / sqrt(2 * depth))}}
"""


# Tables


def startup(processes: Processes, folder: Path) -> str:
    """Cold processes against the import of three libraries."""
    commands = {
        f'`python -c "{YARDSTICK}"`': ["-c", YARDSTICK],
        "control": ["-c", YARDSTICK],
        "`archc --help`": ["-m", "archc", "--help"],
        f"`archc check '{ENCODER}'`": ["-m", "archc", "check", ENCODER],
        f"`archc draw '{ENCODER}'`": ["-m", "archc", "draw", ENCODER],
    }
    found = processes.interleaved(commands, 21)
    whole = next(iter(found.values())).seconds
    limits = {name: "at most 1.30" if "check" in name else "" for name in found}
    rows = [
        [name, milliseconds(spent.seconds), f"{spent.seconds / whole:.2f}", limits[name]]
        for name, spent in found.items()
    ]
    return table("Start-up", ["a process of its own", "CPU time", "ratio", "target"], rows)


def depth(processes: Processes, folder: Path) -> str:
    """Transformers checked, emitted and drawn within this process: what is beyond start-up."""
    import archc

    rows = []
    for layers in (10, 100, 1000):
        spec = archc.text(gpt(layers))
        graph = archc.graph(spec)
        steps = {
            "check": lambda spec=spec: archc.check(spec),
            "source": lambda graph=graph: archc.source(graph),
            "draw": lambda graph=graph: archc.draw(graph, format="svg"),
        }
        found = timed(steps, 7)
        rows.append([f"{layers:,}", *(milliseconds(found[step]) for step in steps), ""])
    rows[-1][-1] = "each under 1,000 ms"
    head = ["layers", "check", "source", "draw (svg)", "target"]
    return table("A transformer, beyond start-up", head, rows)


def lines(processes: Processes, folder: Path) -> str:
    """Checks of long flows, each in a process of its own, start-up counted in."""
    import archc

    commands, paths = {}, {}
    for count in (1_000, 10_000, 100_000):
        paths[f"{count:,}"] = path = folder / f"lines{count}.yaml"
        path.write_text(flow(count), encoding="utf-8")
        commands[f"{count:,}"] = ["-m", "archc", "check", str(path)]
    found = processes.interleaved(commands, 5)
    # Afterwards: what this process takes would be counted as its children's memory.
    nodes = {name: len(archc.graph(path).nodes) for name, path in paths.items()}
    base = found["10,000"].seconds
    targets = ("", "", "ratio at most 11, 25,000 a second")
    rows = [
        [
            name,
            f"{nodes[name]:,}",
            milliseconds(s.seconds),
            f"{s.seconds / base:.2f}",
            f"{nodes[name] / s.seconds:,.0f}",
            f"{s.megabytes:.0f} MB",
            target,
        ]
        for (name, s), target in zip(found.items(), targets, strict=True)
    ]
    head = ["flow lines", "nodes", "CPU time", "ratio", "nodes a second", "memory", "target"]
    return table("Check of a long flow", head, rows)


TABLES = {"startup": startup, "depth": depth, "lines": lines}


def main(names: Sequence[str]) -> int:
    if not set(names) <= TABLES.keys():
        print(f"there are {', '.join(TABLES)}", file=sys.stderr)
        return 2
    print(f"# Front end\n\n{machine('pydantic', 'networkx', 'pyyaml')}\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in names or TABLES:
            print(TABLES[name](Processes(Path(folder)), Path(folder)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
