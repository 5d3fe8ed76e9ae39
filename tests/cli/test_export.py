"""`archc export`: what it writes and tells, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import torch

import archc

from .conftest import Run


def test_it_writes_a_program_and_tells_what_it_takes(run: Run, tmp_path: Path) -> None:
    ended = run("export", "net.yaml#Net", "-o", "net.pt2")
    assert ended.status == 0, ended.err
    rows = [line.split() for line in ended.out.splitlines()]
    assert rows[0] == ["Net"]
    assert ["x", "float32[B,", "3,", "H,", "W]", "input"] in rows
    assert ["mask", "left", "out", "--given", "mask"] in rows
    assert ["asks", "H", "%", "2", "==", "0"] in rows
    assert any(row[:2] == ["out", "float32[B,"] and row[-1] == "output" for row in rows)
    assert archc.open_exported(tmp_path / "net.pt2")(torch.ones(2, 3, 4, 6)).shape == (2, 8, 4, 6)


def test_json(run: Run) -> None:
    ended = run("export", "net.yaml#Net@wide", "-o", "net.pt2", "--given", "mask", "-p", "B=2", "--json")
    found = json.loads(ended.out)
    assert found["file"] == "net.pt2" and found["kind"] == "program" and found["bytes"] > 1000
    assert found["inputs"] == {"x": "float32[2, 3, H, W]", "mask": "float32[2, 1, H, W]"}
    assert found["outputs"] == {"out": "float32[2, 16, H, W]"}
    assert found["sizes"] == ["H", "W"] and "H % 2 == 0" in found["guards"]
    assert found["difference"] == 0.0 and found["left_out"] == []


def test_sizes_to_trace_with(run: Run) -> None:
    ended = run("export", "net.yaml#Net", "-o", "net.pt2", "--size", "H=6", "--json")
    assert all(sizes["H"] in (6, 1) for sizes in json.loads(ended.out)["tried"])
    ended = run("export", "net.yaml#Net", "-o", "net.pt2", "--size", "H=7")
    assert ended.status == 1 and "asks H % 2 == 0, and H = 7" in ended.err and "H=7" not in ended.out


def test_weights_there_and_back(run: Run, tmp_path: Path) -> None:
    assert run("export", "net.yaml#Net", "-o", "net.safetensors").status == 0
    assert run("export", "net.yaml#Net", "-o", "net.safetensors").status == 0  # it is ours to overwrite
    model = archc.load("net.yaml#Net", weights="net.safetensors").eval()
    assert run("export", "net.yaml#Net", "--weights", "net.safetensors", "-o", "net.pt2").status == 0
    x = torch.randn(1, 3, 4, 4)
    torch.testing.assert_close(archc.open_exported("net.pt2")(x), model(x))
    ended = run("export", "net.yaml#Net@wide", "--weights", "net.safetensors", "-o", "wide.pt2")
    assert ended.status == 1 and "A604" in ended.err and not (tmp_path / "wide.pt2").exists()


def test_files_of_others_are_kept(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "net.pt2"
    for content in (b"mine", b"PK\x03\x04 an archive of somebody's"):
        target.write_bytes(content)
        ended = run("export", "net.yaml#Net", "-o", "net.pt2")
        assert ended.status == 2 and "archc did not write it" in ended.err
        assert target.read_bytes() == content
    assert run("export", "net.yaml#Net", "-o", "net.pt2", "--force").status == 0
    assert run("export", "net.yaml#Net", "-o", "net.pt2").status == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.pt2", "net.yaml"]


def test_wrong_command_lines(run: Run, tmp_path: Path) -> None:
    wrong = {
        "`net.txt` should end in .pt2, .onnx or .safetensors": ["-o", "net.txt"],
        "AOTInductor compiles ends in .pt2: `net.pt2`": ["-o", "net.onnx", "--aot"],
        "name one instead of -": ["-o", "-"],
        "--write-names is for .safetensors": ["-o", "net.pt2", "--write-names", "old"],
        "there is no --weights": ["-o", "net.pt2", "--names", "old"],
        "there is no file w.safetensors": ["-o", "net.pt2", "--weights", "w.safetensors"],
        "is not NAME=SIZE": ["-o", "net.pt2", "--size", "H"],
        "there is no folder": ["-o", "none/net.pt2"],
    }
    for message, words in wrong.items():
        ended = run("export", "net.yaml#Net", *words)
        assert ended.status == 2 and message in ended.err, (message, ended.err)
    assert [p.name for p in tmp_path.iterdir()] == ["net.yaml"]


def test_a_wrong_spec_is_told_before_torch_starts(run: Run, tmp_path: Path) -> None:
    ended = run("export", "net.yaml#Net", "-p", "ch=0", "-o", "net.pt2")
    assert ended.status != 0 and "error[" in ended.err
    assert [p.name for p in tmp_path.iterdir()] == ["net.yaml"]
