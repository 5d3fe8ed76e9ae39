"""`archc bench`: eager, by block, whole."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from archc.cli import bench as command
from archc.cli.bench_report import drawing, facts, picture, told_bench
from archc.draw.formats.marks import Text, flat
from archc.draw.formats.svg import svg
from archc.runtime.bench import STRATEGIES, Bench, Built, Called, Machine, Measured, Memory, Sample
from archc.runtime.compiling import Compilation

LAYERS = """\
archc: 1
blocks:
  Layer:
    inputs: {x: "[B, 16]"}
    nodes: {fc: linear(16)}
    flow: {y: x + (x -> fc -> gelu)}
  Net:
    inputs: {x: "[B, 16]"}
    nodes: {layer: {call: Layer, repeat: 4}}
    flow: {y: x -> layer}
"""

LAYER = Compilation("Layer", 4, 1, 1.9, ("first call",), "B free")
MACHINE = Machine("cpu", "A Processor", 2, "2.13.0", "3.11.7")
BUILT = Built(MACHINE, {"x": [1, 3, 32, 32], "parts": [[1], [2]]}, 2240, 0.01, 11.0)


def measured(
    key: str, run: float, compile: float | None, memory: int, difference: float | None = 0.0
) -> Measured:
    samples = [Sample(run * factor, run) for factor in (0.9, 1.0, 1.1)]
    called = Called(compile, difference, (LAYER,) * (compile is not None), ())
    return Measured(key, BUILT, called, samples, Memory(memory, 10 * memory))


BENCH = Bench(
    {
        "eager": measured("eager", 0.010, None, 2 << 20),
        "block": measured("block", 0.008, 2.0, 1 << 20, 2.4e-7),
        "whole": measured("whole", 0.005, 8.0, 1 << 20, None),
    },
    control=1.02,
    rounds=3,
)
OPTIONS = SimpleNamespace(train=False, dtype="float32", keep_memory=False)


def report(bench: Bench = BENCH, **options) -> dict:
    graph = SimpleNamespace(name="Net")
    return facts(graph, bench, SimpleNamespace(**vars(OPTIONS) | options))  # type: ignore[arg-type]


def test_what_people_read() -> None:
    assert (
        told_bench(report())
        == """\
Net: forward, float32, x [1, 3, 32, 32], parts 2 tensors
            compile          run              memory        difference
  eager           -        10 ms  1.00  ±5%  2.0 MiB  1.00           0
  by block    2.0 s  0.25   8 ms  0.80  ±5%  1.0 MiB  0.50       2e-07
  whole       8.0 s  1.00   5 ms  0.50  ±5%  1.0 MiB  0.50           ?

  machine   2 threads of A Processor, torch 2.13.0, Python 3.11.7
  control   1.02, eager against itself, 3 rounds
  compiler  11.0 s to start with an empty cache, not counted

  by block
    Layer x 4: 1 graph in 1.9 s; B free

  whole
    Layer x 4: 1 graph in 1.9 s; B free"""
    )


def test_a_busy_machine_and_kept_memory_are_told() -> None:
    told = told_bench(report(Bench(BENCH.measured, 1.2, 3), keep_memory=True))
    assert "1.20, eager against itself, 3 rounds; the machine is busy: ratios are no better than that" in told
    assert "memory    kept for the next call" in told


def test_one_that_failed() -> None:
    failed = Bench(BENCH.measured | {"whole": Measured("whole", failure="Broken: it is")}, 1.0, 3)
    told = report(failed)
    assert told["strategies"]["whole"] == {"name": "whole", "failure": "Broken: it is"}
    assert told["strategies"]["block"]["compile_ratio"] is None, "there is nothing to hold it against"
    assert told_bench(told).splitlines()[4].split() == ["whole", "failed"]
    words = [mark.text for mark in flat(drawing(told).marks) if isinstance(mark, Text)]
    assert words.count("failed") == 3


def test_json_has_every_figure() -> None:
    told = json.loads(json.dumps(report(train=True)))
    assert told["mode"] == "training" and told["machine"]["threads"] == 2
    assert told["strategies"]["block"] == {
        "name": "by block",
        "build_seconds": 0.01,
        "compile_seconds": 2.0,
        "compile_ratio": 0.25,
        "run_seconds": 0.008,
        "run_quartiles": [0.0076, 0.0084],
        "run_cpu_seconds": 0.008,
        "run_ratio": 0.8,
        "memory_bytes": 1 << 20,
        "memory_ratio": 0.5,
        "process_bytes": 10 << 20,
        "difference": 2.4e-7,
        "compilations": [
            {
                "block": "Layer",
                "copies": 4,
                "graphs": 1,
                "seconds": 1.9,
                "why": ["first call"],
                "sizes": "B free",
                "note": "",
            }
        ],
        "optimizations": [],
    }


def test_the_picture(tmp_path: Path) -> None:
    page = drawing(report())
    texts = [mark for mark in flat(page.marks) if isinstance(mark, Text)]
    words = [text.text for text in texts]
    assert [word for word in words if word in ("run", "cold compile", "memory of a call")] == [
        "run",
        "cold compile",
        "memory of a call",
    ]
    assert [text.text for text in texts if text.bold][4:] == ["5 ms", "2.0 s", "1.0 MiB", "1.0 MiB"]
    for text in texts:
        x, y, w, h = text.box
        assert x >= 0 and y >= 0 and x + w <= page.width and y + h <= page.height, text.text
    drawn = svg(page)
    assert "prefers-color-scheme:dark" in drawn and "Drawn by archc" in drawn
    assert picture(tmp_path / "a.svg")(report()) == drawn


@pytest.mark.parametrize("format", ["png", "pdf"])
def test_the_picture_in_other_formats(format: str, tmp_path: Path) -> None:
    drawn = picture(tmp_path / f"a.{format}")(report())
    assert isinstance(drawn, bytes) and b"Drawn by archc" in drawn[:4096]


def test_the_command_offers_the_strategies_that_there_are() -> None:
    assert tuple(STRATEGIES) == command.STRATEGIES


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-o", "bench.json"), "bench.json is no picture: its ending is none of svg, png, pdf"),
        (("-o", "nowhere/bench.svg"), "there is no folder nowhere"),
        (("-o", "net.yaml"), "net.yaml exists and archc did not write it"),
        (("--rounds", "1"), "'1' is no number from 2 on"),
        (("--threads", "0"), "'0' is no number from 1 on"),
        (("--size", "B"), "--size 'B' is not NAME=SIZE"),
        (("--weights", "none.safetensors"), "there is no file none.safetensors"),
        (("--names", "original"), "--names tells how the tensors of --weights are named"),
        (("--strategy", "fast"), "invalid choice: 'fast'"),
        (("--strategy", "inference", "--train"), "inference is for inference alone; leave out --train"),
    ],
)
def test_wrong_command_lines(run, words: tuple[str, ...], told: str) -> None:
    ended = run("bench", "net.yaml", *words)
    assert ended.status == 2 and told in ended.err and not ended.out


def test_no_cuda_is_told(run) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    ended = run("bench", "net.yaml", "--device", "cuda")
    assert ended.status == 1 and "torch finds no CUDA device here; use --device cpu" in ended.err


def test_sizes_that_the_model_refuses(run) -> None:
    ended = run("bench", "net.yaml", "--size", "H=7", "--strategy", "eager")
    assert ended.status == 1 and ended.err.count("\n") == 1
    assert "asks H % 2 == 0, and H = 7" in ended.err


def test_weights_that_do_not_fit(run, tmp_path: Path) -> None:
    save_file({"conv_in.weight": torch.ones(3, 3)}, tmp_path / "w.safetensors")
    ended = run("bench", "net.yaml", "--weights", "w.safetensors", "--strategy", "eager")
    assert ended.status == 1 and not ended.out
    assert (
        ended.err.count("error[A6") == int(ended.err.split("\n")[-2].split()[0])
        and "Traceback" not in ended.err
    )


def test_a_spec_from_standard_input_in_a_process_of_its_own(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LAYERS.encode())))
    words = ("--strategy", "eager", "--rounds", "2", "--threads", "1", "--json", "--train")
    ended = run("bench", "-", *words, "--size", "B=3", "--keep-memory")
    assert ended.status == 0, ended.err
    told = json.loads(ended.out)
    assert told["inputs"] == {"x": [3, 16]} and told["rounds"] == 2 and told["parameters"] == 4 * 272
    assert list(told["strategies"]) == ["eager"]


def test_cold_compilations(run, tmp_path: Path) -> None:
    """A whole bench, of what is compiled too; the picture beside it."""
    (tmp_path / "layers.yaml").write_text(LAYERS)
    words = ("--strategy", "block", "--strategy", "eager", "--rounds", "2", "--threads", "1")
    ended = run("bench", "layers.yaml", *words, "--json", "-o", "bench.svg")
    assert ended.status == 0, ended.err
    told = json.loads(ended.out)
    eager, block = told["strategies"]["eager"], told["strategies"]["block"]
    assert list(told["strategies"]) == ["eager", "block"]
    assert eager["compile_seconds"] is None and eager["difference"] == 0.0 and eager["run_ratio"] == 1.0
    assert [(record["block"], record["copies"]) for record in block["compilations"]] == [("Layer", 4)]
    assert block["compile_seconds"] > 0 and block["difference"] < 1e-5
    assert told["toolchain_seconds"] > 0
    assert "by block" in (tmp_path / "bench.svg").read_text()


def test_what_is_measured_without_being_asked() -> None:
    def chosen(*, keeps: bool = True, train: bool = False, keep_memory: bool = False) -> list[str]:
        options = SimpleNamespace(strategy=[], train=train, keep_memory=keep_memory)
        return command.strategies(options, keeps=keeps)  # type: ignore[arg-type]

    assert chosen() == list(STRATEGIES)
    assert chosen(keeps=False) == chosen(keep_memory=True) == [key for key in STRATEGIES if key != "memory"]
    assert chosen(train=True) == ["eager", "memory", "block", "whole"]
