"""How much memory and time it takes to build models and to load weights.

    python benchmarks/loading.py          a billion parameters, then every kind of file of about 500 MB
    python benchmarks/loading.py 4000     files of about 4 GB

Prints Markdown. Each line is a process of its own, with CPU times at one thread.

Of a billion parameters `first` is the first `archc.load` of a process, from the YAML on, and `again` a later
one; `memory` is the peak above that of `import torch`, with all that archc imports. The file has holes for
data: none of it is read, since nothing is used.

Of files, `memory` is the peak of resident memory while weights are loaded, above what the process had
before, in parts of the file; where the model takes another dtype, in parts of the model. archc is held to
1.2. Beside it stands torch's own way. Files have been read before, so that disks are not compared. Needs
Linux, for /proc.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measure import CONTROL, ROOT, interleaved, machine, milliseconds, pin_allocator, table

if TYPE_CHECKING:
    from torch import nn

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


def by_hand(layers: int, words: int) -> nn.Module:
    """The same model, written by hand."""
    from torch import Tensor, nn

    class Layer(nn.Module):
        def __init__(self, d: int) -> None:
            super().__init__()
            self.q = nn.Linear(d, d)
            self.k = nn.Linear(d, d)
            self.v = nn.Linear(d, d)
            self.up = nn.Linear(d, 4 * d)
            self.down = nn.Linear(4 * d, d)

        def forward(self, x: Tensor) -> Tensor:
            return self.down(nn.functional.gelu(self.up(self.q(x) + self.k(x) + self.v(x))))

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wte = nn.Embedding(words, WIDTH)
            self.h = nn.ModuleList([Layer(WIDTH) for _ in range(layers)])

        def forward(self, ids: Tensor) -> Tensor:
            x = self.wte(ids)
            for layer in self.h:
                x = layer(x)
            return x

    return Net()


# A billion parameters

LARGE: dict[str, tuple[str, dict[str, Any]]] = {
    "GPT-2 of a width of 2048": ("text/gpt2.yaml", {"width": 2048, "layers": 18, "heads": 16}),
    "TinyLlama": ("text/llama.yaml@tiny-1.1b", {}),
}
"""Specs of the zoo with about a billion parameters, and their settings."""


def large(name: str) -> tuple[str, dict[str, Any]]:
    address, settings = LARGE[name]
    return f"{ROOT}/specs/{address}", settings


def write_holes(name: str, file: Path) -> None:
    """A safetensors file with the weights of a model, all of them holes."""
    import archc

    text, settings = large(name)
    model = archc.load(text, device="meta", **settings)
    names = {id(parameter): name for name, parameter in reversed(list(model.named_parameters()))}
    header: dict[str, Any] = {}
    end = 0
    for parameter in model.parameters():
        offsets = [end, end := end + parameter.nbytes]
        header[names[id(parameter)]] = {"dtype": "F32", "shape": [*parameter.shape], "data_offsets": offsets}
    raw = json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    with file.open("wb") as out:
        out.write(len(raw).to_bytes(8, "little") + raw)
        out.truncate(8 + len(raw) + end)


def build(way: str, name: str, file: Path) -> dict[str, float]:
    """Build a model in one of the ways of `BUILDS`, in this process."""
    import torch

    torch.set_num_threads(1)
    torch.ones(4).add(1)
    before, start = status("VmRSS"), time.process_time()
    import archc
    import archc.runtime.load  # with all that it needs

    imported = time.process_time()
    text, settings = large(name)
    options: Mapping[str, Any] = {"meta": {"device": "meta"}, "mapped": {"weights": file}, "default": {}}[way]
    seconds = []
    for _ in range(1 if way == "default" else 6):
        begun = time.process_time()
        model = archc.load(text, **settings, **options)
        seconds.append(time.process_time() - begun)
    again = sorted(seconds[1:])[2] if len(seconds) > 1 else seconds[0]
    count = sum(parameter.numel() for parameter in model.parameters())
    return {
        **{"imports": imported - start, "first": seconds[0], "again": again},
        **{"memory": status("VmHWM") - before, "parameters": count},
    }


BUILDS = {
    "meta": 'without memory: `device="meta"`',
    "mapped": "with the weights of a file",
    "default": "with memory and first values",
}


def billion(folder: Path) -> str:
    rows = []
    for name in LARGE:
        file = folder / "holes.safetensors"
        run("holes", file, name)
        found = {way: json.loads(run(way, file, name)) for way in BUILDS}
        file.unlink()
        count = found["default"]["parameters"] / 1e9
        for way, told in BUILDS.items():
            one = found[way]
            ratio = one["again"] / found["default"]["first"]
            times = [milliseconds(one["first"]), milliseconds(one["again"]) if way != "default" else ""]
            memory = f"{one['memory'] / 1e6:,.0f} MB"
            rows.append([f"{name} ({count:.2f} billion), {told}", *times, memory, f"{ratio:.4f}"])
    imports = (
        f"Before the first, `import archc` and its runtime take {milliseconds(found['meta']['imports'])}.\n"
    )
    return (
        table("A billion parameters", ["", "first", "again", "memory", "to first values"], rows)
        + "\n"
        + imports
    )


def beside_hand() -> str:
    """Default builds beside a class that is written by hand."""
    import torch

    import archc

    torch.set_num_threads(1)
    settings = {"layers": 4, "words": 1000}
    graph = archc.graph(archc.text(SPEC), **settings)
    calls: dict[str, Callable[[], object]] = {
        "by hand": lambda: by_hand(**settings),
        "`archc.load(graph)`": lambda: archc.load(graph),
        CONTROL: lambda: by_hand(**settings),
    }
    times = interleaved(calls, 7)
    rows = [[name, milliseconds(one.seconds), one.told()] for name, one in times.items()]
    return table("Memory and first values, 47 million parameters", ["", "CPU time", "to by hand"], rows)


# Files of weights


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


def files(folder: Path, megabytes: int) -> str:
    run("write", folder, str(megabytes))
    whole = (folder / "plain.safetensors").stat().st_size
    rows = []
    for way, name, told in WAYS:
        found = json.loads(run(f"load {way}", folder / name, str(megabytes)))
        size = whole if name.startswith("shards") else (folder / name).stat().st_size
        part = whole if name.startswith("half") else size
        rows.append([told, f"{size / 1e6:.0f} MB", f"{found['peak'] / part:.2f}", f"{found['seconds']:.2f}"])
    return table("Weights of files", ["file", "size", "memory", "seconds"], rows)


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    pin_allocator()
    print(f"{machine('torch')}\n")
    with tempfile.TemporaryDirectory() as folder:
        print(billion(Path(folder)), flush=True)
        print(beside_hand(), flush=True)
        print(files(Path(folder), megabytes))


def run(way: str, path: Path, of: str) -> str:
    """Do one thing in a process of its own; what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment["PYTHONPYCACHEPREFIX"] = str(path.parent / "bytecode")
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, __file__, way, str(path), of]
    return subprocess.run(command, check=True, env=environment, text=True, stdout=subprocess.PIPE).stdout


def alone(way: str, path: Path, of: str) -> None:
    """What `run` asks for, in this process."""
    if way == "holes":
        write_holes(of, path)
    elif way == "write":
        write(path, int(of))
    elif way in BUILDS:
        print(json.dumps(build(way, of, path)))
    else:
        print(json.dumps(load(way.removeprefix("load "), path, int(of))))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        main()
    else:
        alone(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
