"""Check specs: errors at their place, warnings, and the conditions on sizes that a model guards."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from archc.cli.main import Parser, UsageError
from archc.cli.spec import add_settings, as_json, checked, diagnostics_json, show, status
from archc.graph.checkpoints import resolve
from archc.graph.compile import Result
from archc.graph.ir import Graph
from archc.graph.recipes import text
from archc.graph.weights import weights
from archc.report.cost import Costs
from archc.report.summary import shape_text
from archc.report.text import table
from archc.source.diagnostic import Report

EXAMPLE = "  archc check 'specs/vq/nets.yaml#Encoder@iris' specs/gpt --shapes"

SUFFIXES = (".yaml", ".yml")


def arguments(parser: Parser) -> None:
    parser.add_argument(
        "addresses",
        metavar="ADDRESS",
        nargs="+",
        help="file.yaml, file.yaml#Block@preset, zoo:vision/resnet of archc's own specs, a folder, a glob, "
        "or - (standard input)",
    )
    add_settings(parser)
    parser.add_argument("--shapes", action="store_true", help="print the shape of every line")
    parser.add_argument(
        "--names", metavar="NAME", help="print how the checkpoint map of that name calls every tensor"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def execute(options: argparse.Namespace) -> int:
    addresses = [found for given in options.addresses for found in expand(given)]
    results = [(address, _checked(options, address)) for address in addresses]
    if options.json:
        print(as_json(_joined([result for _, result in results], options.names)))
    else:
        for address, result in results:
            _tell(address, result, options)
    return status(*[result for _, result in results])


def _checked(options: argparse.Namespace, address: str) -> Result:
    """The result for an address, the mistakes of the checkpoint map that is asked for among it."""
    # A file or a folder by itself may be a library of blocks; who names a block wants it built.
    result = checked(options, address, unbound=not options.param and not set("#@") & set(address))
    if options.names is None or result.graph is None:
        return result
    report = Report()
    for diagnostic in result.diagnostics:
        report.add(diagnostic)
    resolve(result.graph, options.names, report)
    return replace(result, ok=report.ok, diagnostics=report.diagnostics)


def expand(given: str) -> list[str]:
    """The addresses that a word of the command line stands for: those of a folder, of a glob, or itself.

    In a folder, a spec is a YAML file that says `archc:`. A glob may carry `#Block@preset`.
    """
    # os.path takes a name that is too long for one that is not there.
    if os.path.isdir(given):
        files = Path(given).rglob("*")
        found = sorted(str(file) for file in files if file.suffix in SUFFIXES and _is_spec(file))
        if not found:
            raise UsageError(f"there is no spec in the folder {given}")
        return found
    if set(given).isdisjoint("*?[") or os.path.exists(given):
        return [given]
    from glob import glob  # here, since most words are addresses

    marks = [at for at in (given.find(mark) for mark in "#@") if at >= 0]
    pattern, rest = (given[: min(marks)], given[min(marks) :]) if marks else (given, "")
    found = sorted(file for file in glob(pattern, recursive=True) if Path(file).is_file())
    if not found:
        raise UsageError(f"no file is named like {pattern}")
    return [file + rest for file in found]


def _is_spec(file: Path) -> bool:
    return file.is_file() and any(
        line.startswith(b"archc:") for line in file.read_bytes()[:65536].splitlines()
    )


def _joined(results: list[Result], names: str | None) -> dict[str, Any]:
    parts = [diagnostics_json(result) for result in results]
    graphs = [result.graph for result in results if result.ok and result.graph is not None]
    extra = {}
    if names:
        layouts = [resolve(graph, names) for graph in graphs]
        extra["names"] = {ours: text(r) for layout in layouts for ours, r in layout.recipes.items()}
        extra["ignored"] = [pattern for layout in layouts for pattern in layout.ignored]
    return {
        "ok": all(part["ok"] for part in parts),
        "diagnostics": [item for part in parts for item in part["diagnostics"]],
        "guards": [guard for part in parts for guard in part["guards"]],
        **extra,
    }


def _tell(address: str, result: Result, options: argparse.Namespace) -> None:
    show(result.diagnostics, sys.stdout)
    if not result.ok:
        return
    graph = result.graph
    if graph is None:
        print(f"{address}: ok")
        return
    blocks, parameters = count_blocks(graph), Costs().graph(graph).parameters
    print(f"{address}: ok, {blocks} block{'s' * (blocks != 1)}, {parameters:,} parameters")
    for sentence in result.guards:
        print(f"    {sentence}")
    if options.shapes:
        print(shape_table(graph))
    if options.names:
        print(name_table(graph, options.names))


def count_blocks(graph: Graph) -> int:
    """How many blocks a model is made of, itself and those at every depth, each copy counted."""
    known: dict[Graph, int] = {}

    def inside(graph: Graph) -> int:
        if graph not in known:
            targets = [copy.target for member in graph.members.values() for copy in member.copies]
            known[graph] = 1 + sum(inside(target) for target in targets if isinstance(target, Graph))
        return known[graph]

    return inside(graph)


def shape_table(graph: Graph) -> str:
    """Each flow line's values and shapes, aligned, block by block; each distinct block once."""
    parts: list[str] = []
    seen: set[Graph] = set()
    waiting = [graph]
    while waiting:
        here = waiting.pop(0)
        if here in seen:
            continue
        seen.add(here)
        title = here.name + _numbers(here)
        inputs = [[name, shape_text(here.type(ref)), "input"] for name, ref in here.inputs.items()]
        lines = [
            [name, shape_text(here.type(ref)), f"line {line.span.line}"]
            for line in here.lines
            for name, ref in zip(line.names, line.refs, strict=True)
        ]
        parts.append(f"\n  {title}\n" + table(inputs + lines, indent="    "))
        for member in here.members.values():
            waiting += [copy.target for copy in member.copies if isinstance(copy.target, Graph)]
    return "\n".join(parts)


def name_table(graph: Graph, names: str) -> str:
    """Each tensor of a model, its shape, and what it is of a checkpoint's; then what is passed over there."""
    shapes = weights(graph)
    layout = resolve(graph, names)
    rows = [["tensor", "shape", names]]
    for ours, recipe in layout.recipes.items():
        shape = str([int(size) for size in shapes[ours].shape])
        twin = layout.same.get(ours)
        rows.append([ours, shape, text(recipe) + (f"  (tied to {twin})" if twin is not None else "")])
    ignored = [f"    passed over: {', '.join(layout.ignored)}"] if layout.ignored else []
    return "\n".join([table(rows, indent="    "), *ignored])


def _numbers(graph: Graph) -> str:
    known = {**graph.dims, **graph.params}
    sizes = [f"{name}={value}" for name, value in known.items() if isinstance(value, int | float | str)]
    return f" ({', '.join(sizes)})" if sizes else ""
