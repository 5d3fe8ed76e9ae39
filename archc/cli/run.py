"""Go the whole way once: check, build, compile, run on random inputs, and draw."""

from __future__ import annotations

import argparse
import gc
import sys
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from archc.cli.draw import format_for, note
from archc.cli.files import check_target, write
from archc.cli.main import FINE, WRONG, Parser, UsageError
from archc.cli.running import add_running, run_sizes, there, told_shape, weights_there
from archc.cli.spec import add_output, as_json, checked, show, status, told
from archc.cli.terminal import bold, working
from archc.draw.options import DrawError
from archc.graph.ir import Graph
from archc.report.cost import Costs
from archc.report.summary import flops_text
from archc.report.text import seconds, size, table
from archc.source.diagnostic import SpecError

if TYPE_CHECKING:
    from archc.runtime.session import Outcome

EXAMPLE = "  archc run 'specs/vq/nets.yaml#Encoder@iris' --size B=2 -p H=64 -p W=64 --draw encoder.svg"


def arguments(parser: Parser) -> None:
    add_running(parser)
    parser.add_argument("--no-compile", action="store_true", help="run the module as it stands")
    parser.add_argument(
        "--optimize", choices=("inference",), help="fuse and fold what gives the same up to rounding"
    )
    parser.add_argument(
        "--input", metavar="FILE", type=Path, help="a safetensors file with the inputs, by name"
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="write the outputs as safetensors")
    parser.add_argument(
        "--draw", metavar="FILE", type=Path, help="write the diagram too; its ending tells the format"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_output(parser)


def execute(options: argparse.Namespace) -> int:
    chosen = run_sizes(options.size)
    for path in (options.draw, options.output):
        if path:
            check_target(path, options.force)
    format = format_for(options.draw) if options.draw else None
    there(options.input)
    weights_there(options.weights, options.names)
    start = perf_counter()
    result = checked(options)
    if not told(result):
        return status(result)
    graph, took = result.graph, perf_counter() - start
    assert graph is not None
    if format:
        from archc.draw.draw import draw

        try:
            write(options.draw, draw(graph, format, tell=note), options.force)
        except DrawError as error:
            print(f"archc run: {error}", file=sys.stderr)
            return WRONG
    with working("starting torch"):
        from archc.runtime.example import NoSizes, inputs, sizes
        from archc.runtime.session import CannotRun, run
    import torch

    gc.enable()  # what torch makes is large, and hangs together in circles
    try:
        free = {} if options.input else sizes(graph, chosen)
        made = read_inputs(graph, options.input) if options.input else None
        outcome = run(
            graph,
            lambda device, dtype: _placed(made, device) if made else inputs(graph, free, device, dtype),
            device=options.device,
            dtype=getattr(torch, options.dtype),
            compile=not options.no_compile,
            optimize=options.optimize,
            keep_memory=options.keep_memory,
            weights=options.weights,
            names=options.names,
            stage=working,
        )
    except (NoSizes, CannotRun) as error:
        print(f"archc run: {error}", file=sys.stderr)
        return WRONG
    except SpecError as error:  # weights that do not fit
        show(error.diagnostics, sys.stderr)
        return WRONG
    if options.output:
        write(options.output, packed(outcome.outputs), options.force)
    report = facts(graph, outcome, took, options)
    print(as_json(report) if options.json else told_facts(graph, report, outcome, options))
    return FINE


def read_inputs(graph: Graph, path: Path) -> dict[str, Any]:
    """The inputs in a safetensors file, in the model's order."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise UsageError(f"{path} is no safetensors file: {error}") from None
    wanted = [name for name, ref in graph.inputs.items() if not graph.node(ref).outputs[0].open]
    missing = [name for name in wanted if name not in tensors]
    strange = [name for name in tensors if name not in graph.inputs]
    if missing or strange:
        parts = [f"misses {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(strange)}"] * bool(
            strange
        )
        raise UsageError(f"{path} {' and '.join(parts)}; the inputs are {', '.join(graph.inputs)}")
    return {name: tensors.get(name) for name in graph.inputs}


def _placed(made: dict[str, Any], device: str) -> dict[str, Any]:
    return {name: None if tensor is None else tensor.to(device) for name, tensor in made.items()}


def packed(outputs: dict[str, Any]) -> bytes:
    """Outputs as the bytes of a safetensors file; those of a bundle are numbered."""
    from safetensors.torch import save

    tensors = {}
    for name, value in outputs.items():
        parts = (
            {f"{name}.{i}": part for i, part in enumerate(value)}
            if isinstance(value, list | tuple)
            else {name: value}
        )
        tensors |= {key: part.contiguous().cpu() for key, part in parts.items() if part is not None}
    return save(tensors, metadata={"format": "pt", "comment": "Written by archc"})


def facts(graph: Graph, outcome: Outcome, took: float, options: argparse.Namespace) -> dict[str, Any]:
    """What a run tells, as JSON holds it: times in seconds, memory in bytes."""
    return {
        "block": graph.name,
        "inputs": {name: _shape(value) for name, value in outcome.inputs.items()},
        "outputs": {name: _shape(value) for name, value in outcome.outputs.items()},
        "device": outcome.device,
        "dtype": options.dtype,
        "parameters": outcome.parameters,
        "weights_bytes": outcome.weights,
        "check_seconds": round(took, 4),
        "build_seconds": round(outcome.build, 4),
        "compile_seconds": None if outcome.compile is None else round(outcome.compile, 4),
        "compilations": [asdict(record) for record in outcome.compilations],
        "optimizations": [record._asdict() for record in outcome.optimizations],
        "run_seconds": round(outcome.run, 6),
        "memory_bytes": outcome.memory,
        "memory_kept": outcome.memory_kept,
        "diagram": str(options.draw) if options.draw else None,
    }


def _shape(value: Any) -> Any:
    if value is None:
        return None
    return [_shape(part) for part in value] if isinstance(value, list | tuple) else list(value.shape)


def told_facts(graph: Graph, report: dict[str, Any], outcome: Outcome, options: argparse.Namespace) -> str:
    """The short table that a person reads."""
    rows = [[name, told_shape(shape), "input"] for name, shape in report["inputs"].items()]
    rows += [[name, told_shape(shape), "output"] for name, shape in report["outputs"].items()]
    flops = flops_text(flops_at(graph, outcome.inputs))
    lines = [
        ["parameters", f"{outcome.parameters:,}", size(outcome.weights)],
        ["FLOPs", flops, ""],
        ["check", seconds(report["check_seconds"]), ""],
        ["build", seconds(outcome.build), ""],
        ["compile", "off" if outcome.compile is None else seconds(outcome.compile), ""],
        ["run", seconds(outcome.run), f"{outcome.place}, {options.dtype}"],
        ["memory", size(outcome.memory), _told_memory(outcome)],
    ]
    if flops in ("…", "?", "-"):
        del lines[1]
    if options.draw:
        lines.append(["diagram", str(options.draw), ""])
    told = f"{bold(graph.name, sys.stdout)}\n{table(rows + lines, indent='  ')}"
    done = [f"  {record}" for record in (*outcome.compilations, *outcome.optimizations)]
    return "\n".join([told, "", *done] if done else [told])


def _told_memory(outcome: Outcome) -> str:
    """What the number of bytes is of, and what was done with memory that was freed."""
    if outcome.device == "cuda":
        return "peak"
    kept = {None: "", True: ", memory kept", False: ", memory not kept: that takes glibc"}[
        outcome.memory_kept
    ]
    return f"peak of the process{kept}"


def flops_at(graph: Graph, inputs: dict[str, Any]) -> Any:
    """The FLOPs of one call on inputs: their free dimensions are known. None: cannot be told."""
    from archc.shapes import evaluate, symbols

    flops = Costs().graph(graph).flops
    found: dict[str, int] = {}
    for name, ref in graph.inputs.items():
        shape = getattr(graph.type(ref), "shape", None) or ()
        sizes = getattr(inputs.get(name), "shape", None)
        if sizes is not None:
            found |= {str(s): n for s, n in zip(shape, sizes, strict=True) if not isinstance(s, int)}
    return evaluate(flops, found) if flops is not None and symbols(flops) <= found.keys() else None
