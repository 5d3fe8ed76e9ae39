"""`archc run`: build, compile, run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

GPT = """\
archc: 1
blocks:
  Emb:
    inputs: {ids: "int64[B, T]"}
    nodes:
      wte: embedding(3, 8)
    flow: {y: ids -> wte}
  Net:
    inputs: {ids: "int64[B, T]"}
    nodes: {emb: Emb}
    flow: {y: ids -> emb}
"""


def test_run_prints_shapes_parameters_and_times(run, tmp_path: Path) -> None:
    ended = run("run", "net.yaml", "--no-compile", "--draw", "net.svg")
    assert ended.status == 0, ended.err
    rows = {line.split()[0]: line.split() for line in ended.out.splitlines()[1:]}
    assert rows["x"] == ["x", "[1,", "3,", "32,", "32]", "input"]
    assert rows["out"] == ["out", "[1,", "8,", "32,", "32]", "output"]
    assert rows["parameters"][1] == "2,240"
    assert rows["FLOPs"][1].endswith("M")
    assert rows["compile"][1] == "off"
    assert rows["run"][3:] == ["cpu,", "float32"]
    assert (tmp_path / "net.svg").read_text().startswith("<svg")


def test_run_compiles(run, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        "archc: 1\nblocks:\n  A:\n    inputs: {x: '[B, 4]'}\n    nodes: {fc: linear(2)}\n"
        "    flow: {y: x -> fc -> relu}\n"
    )
    told = json.loads(run("run", "one.yaml", "--json").out)
    assert told["compile_seconds"] > 0 and told["outputs"] == {"y": [1, 2]}


def test_what_was_compiled_is_told(run, tmp_path: Path) -> None:
    ended = run("run", "net.yaml", "--absent", "mask")
    assert ended.status == 0, ended.err
    assert "  Res x 3: " in ended.out
    assert "compilations" in json.loads(run("run", "net.yaml", "--no-compile", "--json").out)


def test_optimised_for_inference(run, tmp_path: Path) -> None:
    (tmp_path / "norm.yaml").write_text(
        "archc: 1\nblocks:\n  A:\n    inputs: {x: '[B, 3, H, W]'}\n"
        "    nodes: {conv: 'conv2d(4, 1)', norm: batch_norm}\n    flow: {y: x -> conv -> norm}\n"
    )
    words = ("run", "norm.yaml", "--no-compile", "--optimize", "inference")
    assert "batch norm folded into the layer before it: 1 place (conv)" in run(*words).out
    assert json.loads(run(*words, "--json").out)["optimizations"][0]["places"] == ["conv"]
    assert json.loads(run(*words[:3], "--json").out)["optimizations"] == []


@pytest.mark.parametrize(("kept", "told"), [(True, "memory kept"), (False, "not kept: that takes glibc")])
def test_memory_that_is_kept(run, monkeypatch: pytest.MonkeyPatch, kept: bool, told: str) -> None:
    monkeypatch.setattr("archc.runtime.session.keep_freed_memory", lambda: kept)
    assert told in run("run", "net.yaml", "--no-compile", "--keep-memory").out


@pytest.mark.parametrize("command", [("run",), ("export", "-o", "net.pt2")])
def test_names_without_weights(run, command: tuple[str, ...]) -> None:
    ended = run(*command, "net.yaml", "--names", "original")
    assert ended.status == 2 and "there is no --weights" in ended.err


def test_run_json_and_sizes(run) -> None:
    ended = run(
        "run", "net.yaml", "--no-compile", "--json", "--size", "B=2", "-p", "H=6", "--dtype", "float64"
    )
    told = json.loads(ended.out)
    assert told["inputs"] == {"x": [2, 3, 6, 32], "mask": [2, 1, 6, 32]}
    assert told["dtype"] == "float64" and told["weights_bytes"] == 8 * 2240
    assert told["compile_seconds"] is None


def test_sizes_obey_the_guards(run) -> None:
    ended = run("run", "net.yaml", "--no-compile", "--size", "H=7")
    assert ended.status == 1
    assert "asks H % 2 == 0, and H = 7" in ended.err
    ended = run("run", "net.yaml", "--no-compile", "--size", "Z=7")
    assert ended.status == 1 and "has no free dimension Z: free are B, H, W" in ended.err


def test_inputs_and_outputs_in_files(run, tmp_path: Path) -> None:
    save_file({"x": torch.ones(1, 3, 4, 4)}, tmp_path / "x.safetensors")
    words = ("run", "net.yaml", "--no-compile", "--input", "x.safetensors", "--output", "y.safetensors")
    assert run(*words).status == 0
    first = load_file(tmp_path / "y.safetensors")
    assert first["out"].shape == (1, 8, 4, 4)
    assert run(*words).status == 0, "our own output may be overwritten"
    torch.testing.assert_close(load_file(tmp_path / "y.safetensors"), first)


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({"y": torch.ones(1)}, "misses x and has y; the inputs are x, mask"),
        (None, "is no safetensors file"),
    ],
)
def test_wrong_input_files(run, tmp_path: Path, tensors, told: str) -> None:
    path = tmp_path / "x.safetensors"
    if tensors is None:
        path.write_text("nonsense")
    else:
        save_file(tensors, path)
    ended = run("run", "net.yaml", "--no-compile", "--input", "x.safetensors")
    assert ended.status == 2 and told in ended.err


def test_weights_that_do_not_fit(run, tmp_path: Path) -> None:
    save_file({"conv_in.weight": torch.ones(3, 3)}, tmp_path / "w.safetensors")
    ended = run("run", "net.yaml", "--no-compile", "--weights", "w.safetensors")
    assert ended.status == 1 and "error[A6" in ended.err


def test_whole_number_inputs_stay_inside_their_tables(run, tmp_path: Path) -> None:
    (tmp_path / "gpt.yaml").write_text(GPT)
    for _ in range(3):
        assert run("run", "gpt.yaml", "--no-compile").status == 0


def test_no_cuda_is_told(run) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    ended = run("run", "net.yaml", "--device", "cuda")
    assert ended.status == 1 and "torch finds no CUDA device here; use --device cpu" in ended.err


def test_a_missing_compiler_is_told(run, monkeypatch: pytest.MonkeyPatch) -> None:
    class InvalidCxxCompiler(RuntimeError):
        pass

    def fail(*_: object) -> None:
        raise InvalidCxxCompiler("No working C++ compiler found")

    monkeypatch.setattr("archc.runtime.session._call", fail)
    ended = run("run", "net.yaml")
    assert ended.status == 1
    assert "install g++, or use --no-compile" in ended.err and "Traceback" not in ended.err
