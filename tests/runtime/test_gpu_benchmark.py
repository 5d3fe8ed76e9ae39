"""The benchmark for GPUs, which starts where nothing but torch is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.append(str(BENCHMARKS))

import generate  # noqa: E402
import gpu  # noqa: E402

WITHOUT = """\
import runpy, sys
for name in ("pydantic", "yaml", "safetensors", "numpy"):
    sys.modules[name] = None
sys.argv = ["gpu.py", "--smoke"]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("name", generate.SOURCES)
def test_generated_modules_are_what_their_specs_say(name: str) -> None:
    written = (generate.FOLDER / name).read_text(encoding="utf-8")
    assert written == generate.source(name), "python benchmarks/generate.py"


def test_all_of_it_runs_on_a_cpu_with_torch_alone() -> None:
    """Results and gradients of every strategy are held against the hand-written networks."""
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=BENCHMARKS, text=True, capture_output=True, timeout=600
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Left out" not in ended.stdout
    titles = re.findall(r"^## (.*)", ended.stdout, re.MULTILINE)
    assert len(titles) == len(gpu.JOBS)
    for row in ("original", "original, compiled", "eager", "by block", "whole", "control"):
        assert len(re.findall(rf"^\| {row} \| [\d.]+ ms", ended.stdout, re.MULTILINE)) == len(titles), row


def test_errors_are_told_in_parts_of_all() -> None:
    wanted = [torch.tensor([3.0, 0.0]), torch.tensor([[4.0]])]
    assert gpu._error(wanted, wanted) == 0
    assert gpu._error([torch.tensor([3.0, 1.0]), torch.tensor([[4.0]])], wanted) == pytest.approx(0.2)
