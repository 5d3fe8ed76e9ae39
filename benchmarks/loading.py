"""How much memory and time it takes to load weights.

    python benchmarks/loading.py          a model of about 500 MB, every kind of file
    python benchmarks/loading.py 4000     of about 4 GB

Prints Markdown. Each line is a process of its own: `memory` is the peak of resident memory while weights
are loaded, above what the process had before, in parts of the file; where the model takes another dtype,
in parts of the model. archc is held to 1.2. Beside it stands torch's own way. Files have been read
before, so that disks are not compared. Needs Linux, for /proc.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
WIDTH = 1024
SPEC = """\
archc: 1
blocks:
  Layer:
    inputs: {x: "[B, T, D]"}
    nodes: {q: linear(D), k: linear(D), v: linear(D), up: linear(4 * D), down: linear(D)}
    flow:
      y: (x -> q) + (x -> k) + (x -> v)
      z: y -> up -> gelu -> down
    checkpoints:
      fused:
        q.*: qkv.*[:D]
        k.*: qkv.*[D:2 * D]
        v.*: qkv.*[2 * D:]
        up.weight: up.weight.T
        down.weight: down.weight.T
      stacked: {}
  Net:
    params: {layers: int = 8, words: int = 32000}
    inputs: {ids: "int64[B, T]"}
    nodes:
      wte: embedding(words, 1024)
      h: {call: Layer, repeat: layers}
    flow: {out: ids -> wte -> h}
    checkpoints:
      fused: {h.<i>.*: layers.<i>.*}
      stacked: {h.<i>.*: "layers.*[i]"}
main: Net
"""


def spec(megabytes: int) -> tuple[Any, dict[str, Any]]:
    """The spec and the settings for a model of that size."""
    import archc

    of_layer = 11 * WIDTH * WIDTH * 4
    words = 32000 if megabytes >= 500 else 8000
    layers = max(2, (megabytes * 1_000_000 - words * WIDTH * 4) // of_layer)
    return archc.text(SPEC), {"layers": layers, "words": words}


def write(folder: Path, megabytes: int) -> None:
    """The files: one model in every kind of file."""
    import torch
    from safetensors.torch import save_file

    import archc

    text, settings = spec(megabytes)
    model = archc.load(text, device="meta", **settings).to_empty(device="cpu")
    for tensor in model.parameters():
        tensor.data.normal_()
    archc.save_weights(model, folder / "plain.safetensors")
    archc.save_weights(model, folder / "fused.safetensors", names="fused")
    archc.save_weights(model, folder / "stacked.safetensors", names="stacked")
    archc.save_weights(model, folder / "shards.safetensors", max_shard_size=megabytes * 250_000)
    torch.save(model.state_dict(), folder / "plain.pt")
    half = {name: tensor.half() for name, tensor in model.state_dict().items()}
    save_file(half, folder / "half.safetensors")


def status(key: str) -> int:
    """A figure of this process from /proc, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


def load(way: str, file: Path, megabytes: int) -> dict[str, float]:
    """Load a file in one of the ways below, in this process."""
    import torch

    import archc

    text, settings = spec(megabytes)
    graph = archc.graph(text, **settings)
    model = archc.load(graph) if "memory" in way else archc.load(graph, device="meta")
    names = file.stem if file.stem in ("fused", "stacked") else None
    torch.ones(4).add(1)
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    start = time.perf_counter()
    if way == "torch":
        model = model.to_empty(device="cpu")
        model.load_state_dict(torch.load(file, weights_only=True) if file.suffix == ".pt" else _loaded(file))
    else:
        archc.load_weights(model, file, names=names)
    took = time.perf_counter() - start
    return {"peak": status("VmHWM") - before, "seconds": took}


def _loaded(file: Path) -> dict:
    from safetensors.torch import load_file

    return load_file(file)


WAYS = [
    ("archc", "plain.safetensors", "one safetensors file"),
    ("torch", "plain.safetensors", "torch: `load_state_dict(load_file(...))`"),
    ("archc", "shards.safetensors.index.json", "four shards with an index"),
    ("archc", "plain.pt", "a pickle"),
    ("torch", "plain.pt", "torch: `load_state_dict(torch.load(...))`"),
    ("archc", "fused.safetensors", "fused and transposed, by a map"),
    ("archc", "stacked.safetensors", "layers stacked, by a map"),
    ("archc", "half.safetensors", "float16 into float32"),
    ("memory", "plain.safetensors", "into a model that has memory"),
]


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(f"Python {platform.python_version()}, torch {version('torch')}\n")
    print("| file | size | memory | seconds |\n| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        run("write", Path(folder), megabytes)
        whole = (Path(folder) / "plain.safetensors").stat().st_size
        for way, name, told in WAYS:
            found = json.loads(run(way, Path(folder) / name, megabytes))
            size = whole if name.startswith("shards") else (Path(folder) / name).stat().st_size
            part = whole if name.startswith("half") else size
            print(f"| {told} | {size / 1e6:.0f} MB | {found['peak'] / part:.2f} | {found['seconds']:.2f} |")


def run(way: str, path: Path, megabytes: int) -> str:
    """Do one thing in a process of its own; what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, str(megabytes), way, str(path)]
    return subprocess.run(command, check=True, env=environment, text=True, stdout=subprocess.PIPE).stdout


if __name__ == "__main__":
    if len(sys.argv) < 4:
        main()
    elif sys.argv[2] == "write":
        write(Path(sys.argv[3]), int(sys.argv[1]))
    else:
        print(json.dumps(load(sys.argv[2], Path(sys.argv[3]), int(sys.argv[1]))))
