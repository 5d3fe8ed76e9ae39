"""Loading holds little more than the model in memory, whatever the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import archc
from archc.runtime.load import load
from archc.runtime.saving import save_weights

SPEC = """\
archc: 1
blocks:
  Net:
    inputs: {ids: "int64[B, T]"}
    nodes:
      wte: embedding(8192, 1024)
      h: {call: "linear(1024, bias=false)", repeat: 16}
    flow: {out: ids -> wte -> h}
    checkpoints:
      stacked: {h.<i>.weight: "h[i].T"}
main: Net
"""

MEASURE = """\
import json, sys
from pathlib import Path
import archc, torch
torch.set_num_threads(1)

def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))

graph = archc.graph("spec.yaml")
found = {}
for file, names in 2 * json.loads(sys.argv[1]):  # the second time all code is in memory
    model = archc.load(graph, device="meta")
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    archc.load_weights(model, file, names=names)
    found[file] = (status("VmHWM") - before) / Path(file).stat().st_size
    del model
print(json.dumps(found))
"""

FILES = [("plain.safetensors", None), ("stacked.safetensors", "stacked"), ("plain.pt", None)]
COPIED = "stacked.safetensors"
"""What a map transposes, two thirds of it, is read and written; the pages of the rest are the model's."""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_memory_stays_within_1_2_times_the_file(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    model = load(archc.text(SPEC), device="meta").to_empty(device="cpu")
    save_weights(model, tmp_path / "plain.safetensors")
    save_weights(model, tmp_path / "stacked.safetensors", names="stacked")
    torch.save(model.state_dict(), tmp_path / "plain.pt")
    command = [sys.executable, "-c", MEASURE, json.dumps(FILES)]
    free = {"MALLOC_MMAP_THRESHOLD_": "65536"}  # what is freed is given back at once
    ended = subprocess.run(
        command, cwd=tmp_path, check=True, text=True, stdout=subprocess.PIPE, env=os.environ | free
    )
    found = json.loads(ended.stdout)
    assert len(found) == len(FILES)
    assert 0.6 <= found.pop(COPIED) <= 1.2, found
    assert max(found.values()) <= 0.05, found
