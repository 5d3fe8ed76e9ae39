"""What `archc bench` tells: as JSON, as a table, as a picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from archc.cli.main import UsageError
from archc.cli.running import told_shape
from archc.cli.terminal import bold
from archc.graph.inference import Optimization
from archc.graph.ir import Graph
from archc.report.text import seconds, size, table

if TYPE_CHECKING:
    from archc.runtime.bench import Bench, Measured

TRUSTED = 0.03
"""As far as the control may be from 1."""


def facts(graph: Graph, bench: Bench, options: argparse.Namespace) -> dict[str, Any]:
    """What was measured, as JSON holds it: times in seconds, memory in bytes."""
    assert bench.base.built is not None
    machine = bench.machine
    return {
        "block": graph.name,
        "mode": "training" if options.train else "forward",
        "dtype": options.dtype,
        "inputs": bench.base.built.shapes,
        "parameters": bench.base.built.parameters,
        "keep_memory": options.keep_memory,
        "machine": {
            "device": machine.device,
            "name": machine.name,
            "threads": machine.threads,
            "torch": machine.torch,
            "python": machine.python,
        },
        "rounds": bench.rounds,
        "control": round(bench.control, 3),
        "toolchain_seconds": _rounded(bench.toolchain),
        "strategies": {key: _strategy(one, bench) for key, one in bench.measured.items()},
    }


def _strategy(one: Measured, bench: Bench) -> dict[str, Any]:
    if one.failure:
        return {"name": one.name, "failure": one.failure}
    assert one.built and one.called and one.memory and bench.base.memory
    whole = bench.measured.get("whole")
    return {
        "name": one.name,
        "build_seconds": _rounded(one.built.build),
        "compile_seconds": _rounded(one.compile),
        "compile_ratio": _ratio(one.compile, whole and whole.compile),
        "run_seconds": _rounded(one.run),
        "run_quartiles": [_rounded(end) for end in one.quartiles],
        "run_cpu_seconds": _rounded(median(sample.cpu for sample in one.samples)),
        "run_ratio": _ratio(one.run, bench.base.run),
        "memory_bytes": one.memory.call,
        "memory_ratio": _ratio(one.memory.call, bench.base.memory.call),
        "process_bytes": one.memory.process,
        "difference": one.called.difference,
        "compilations": [asdict(record) for record in one.called.compilations],
        "optimizations": [record._asdict() for record in one.called.optimizations],
    }


def _ratio(value: float | None, base: float | None) -> float | None:
    return round(value / base, 3) if value is not None and base else None


def _rounded(value: float | None) -> float | None:
    """To six digits: no clock has more."""
    return None if value is None else float(f"{value:.6g}")


# For people

HEAD = ("", "compile", "", "run", "", "", "memory", "", "difference")


def told_bench(report: dict[str, Any]) -> str:
    """A table of the strategies, what was measured how, and what was compiled and optimised."""
    rows = [list(HEAD), *(_row(one) for one in report["strategies"].values())]
    parts = [
        bold(title(report), sys.stdout),
        table(rows, right=frozenset(range(1, len(HEAD))), indent="  "),
        table([["", *line] for line in _notes(report)]),
    ]
    for one in report["strategies"].values():
        if done := _done(one):
            parts.append("\n".join([f"  {one['name']}", *(f"    {line}" for line in done)]))
    return "\n\n".join([f"{parts[0]}\n{parts[1]}", *parts[2:]])


def _done(one: dict[str, Any]) -> list[str]:
    """What was compiled how often and why, and what was optimised."""
    from archc.runtime.compiling import Compilation

    compilations = (Compilation(**record) for record in one.get("compilations", ()))
    optimizations = (Optimization(**record) for record in one.get("optimizations", ()))
    return [*map(str, compilations), *map(str, optimizations)]


def title(report: dict[str, Any]) -> str:
    shapes = ", ".join(f"{name} {told_shape(shape)}" for name, shape in report["inputs"].items())
    return f"{report['block']}: {report['mode']}, {report['dtype']}, {shapes}"


def _row(one: dict[str, Any]) -> list[str]:
    if "failure" in one:
        return [one["name"], "failed", *[""] * (len(HEAD) - 2)]
    low, high = one["run_quartiles"]
    difference = one["difference"]
    return [
        one["name"],
        "-" if one["compile_seconds"] is None else seconds(one["compile_seconds"]),
        _times(one["compile_ratio"]),
        seconds(one["run_seconds"]),
        _times(one["run_ratio"]),
        f"±{(high - low) / 2 / one['run_seconds']:.0%}",
        size(one["memory_bytes"]),
        _times(one["memory_ratio"]),
        "?" if difference is None else f"{difference:.0e}" if difference else "0",
    ]


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def machine(report: dict[str, Any]) -> str:
    """The machine and the versions, in one line."""
    found = report["machine"]
    threads = f"{found['threads']} thread{'s' * (found['threads'] != 1)} of "
    place = (threads if found["device"] == "cpu" else "") + found["name"]
    return f"{place}, torch {found['torch']}, Python {found['python']}"


def _notes(report: dict[str, Any]) -> list[list[str]]:
    control = report["control"]
    trust = "" if abs(control - 1) <= TRUSTED else "; the machine is busy: ratios are no better than that"
    first = next(iter(report["strategies"].values()))["name"]
    lines = [
        ["machine", machine(report)],
        ["control", f"{control:.2f}, {first} against itself, {report['rounds']} rounds{trust}"],
    ]
    if report["toolchain_seconds"] is not None:
        took = seconds(report["toolchain_seconds"])
        lines.append(["compiler", f"{took} to start with an empty cache, not counted"])
    if report["keep_memory"]:
        lines.append(["memory", "kept for the next call"])
    return lines


# As a picture


def picture(path: Path) -> Callable[[dict[str, Any]], str | bytes]:
    """What draws a report for a file. Raises UsageError for an ending that is none of a picture's, DrawError
    where a package is missing: before minutes are spent."""
    from archc.draw.bars import FORMATS, Bar, Panel, bars, writer_for

    writer = writer_for(path)
    if writer is None:
        raise UsageError(f"{path} is no picture: its ending is none of {', '.join(FORMATS)}")
    writer(bars("", [], [""], [Panel("", "conv", [Bar(1.0, "")])]))  # is all that it needs here?
    return lambda report: writer(drawing(report))


def drawing(report: dict[str, Any]) -> Any:
    """Three panels: run, cold compilation, memory."""
    from archc.draw.bars import Bar, Panel, bars

    rows = list(report["strategies"].values())

    def panel(heading: str, ink: str, what: str, unit: str, text: Callable[[float], str], base: int) -> Panel:
        found = []
        for row in rows:
            value = row.get(f"{what}_{unit}")
            failed = "failed" if "failure" in row else "-"
            spread = tuple(row["run_quartiles"]) if what == "run" and value is not None else None
            ratio = _times(row.get(f"{what}_ratio"))
            found.append(Bar(value, failed if value is None else text(value), ratio, spread))
        return Panel(heading, ink, found, base)

    keys = list(report["strategies"])
    panels = [panel("run", "conv", "run", "seconds", seconds, 0)]
    if any(row.get("compile_seconds") is not None for row in rows):
        base = keys.index("whole") if "whole" in keys else 0
        panels.append(panel("cold compile", "activation", "compile", "seconds", seconds, base))
    panels.append(panel("memory of a call", "norm", "memory", "bytes", size, 0))
    lines = [f"{name}: {line}" for name, line in _notes(report)]
    return bars(title(report), lines, [row["name"] for row in rows], panels)
