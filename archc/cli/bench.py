"""Measure a model as it is, compiled by block, compiled whole, and optimised: compilation, run, memory.

Each has a process of its own. A compiled one begins with an empty cache, so that its compilation is a cold
one, and calls of all are timed in turn. What is measured is told with its ratio: of a run and of memory to
the first strategy, of a compilation to that of the whole model. A GPU has to hold the model as often as there
are strategies; --strategy takes fewer.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from archc.cli.files import check_target, write
from archc.cli.main import FINE, WRONG, Parser, UsageError
from archc.cli.running import add_running, run_sizes, weights_there
from archc.cli.spec import add_output, as_json, checked, file, status, told
from archc.cli.terminal import working
from archc.draw.options import DrawError
from archc.graph.compile import Result
from archc.graph.ir import Graph

EXAMPLE = "  archc bench 'specs/vq/nets.yaml#Encoder@iris' --size B=4 -o encoder.svg"

STRATEGIES = ("eager", "memory", "block", "whole", "inference", "inference-block")


def arguments(parser: Parser) -> None:
    add_running(parser)
    parser.add_argument("--train", action="store_true", help="measure forward and backward, in training")
    parser.add_argument(
        "--strategy",
        choices=STRATEGIES,
        action="append",
        default=[],
        help="measure only this one, or these; may be given again",
    )
    parser.add_argument(
        "--rounds", metavar="N", type=least(2), default=15, help="how often each is timed (default: 15)"
    )
    parser.add_argument(
        "--threads", metavar="N", type=least(1), help="of the CPU (default: as many as torch takes)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=file, help="draw what was measured: .svg, .png or .pdf"
    )
    add_output(parser)


def least(fewest: int) -> Callable[[str], int]:
    """What reads a number that is not less than another."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < fewest:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {fewest} on")
        return int(text)

    return read


def execute(options: argparse.Namespace) -> int:
    from archc.cli.bench_report import facts, picture, told_bench

    sizes = run_sizes(options.size)
    weights_there(options.weights, options.names)
    target = Path(options.output) if options.output else None
    if target:
        check_target(target, options.force)
    text = _standard_input(options.address)
    result = _check(options, text)
    if not told(result):
        return status(result)
    graph = result.graph
    assert graph is not None
    with working("starting torch"):
        from archc.runtime.allocator import can_keep
        from archc.runtime.bench import Job, bench
        from archc.runtime.session import CannotRun, choose_device
    try:
        draw = picture(target) if target else None
        chosen = strategies(options, keeps=can_keep() and choose_device(options.device) == "cpu")
        job = Job(
            partial(_graph, options, text),
            sizes=sizes,
            device=options.device,
            dtype=options.dtype,
            weights=options.weights and options.weights.absolute(),
            names=options.names,
            train=options.train,
            keep_memory=options.keep_memory,
            threads=options.threads,
        )
        found = bench(job, chosen, rounds=options.rounds, stage=working)
    except (CannotRun, DrawError) as error:
        print(f"archc bench: {error}", file=sys.stderr)
        return WRONG
    report = facts(graph, found, options)
    if draw and target:
        write(target, draw(report), options.force)
    print(as_json(report) if options.json else told_bench(report))
    failed = [one for one in found.measured.values() if one.failure]
    for one in failed:
        print(f"archc bench: {one.name} fails: {one.failure}", file=sys.stderr)
    return WRONG if failed else FINE


def strategies(options: argparse.Namespace, *, keeps: bool) -> list[str]:
    """The strategies that are asked for, else all that there can be; `keeps`: memory can be kept."""
    from archc.runtime.bench import STRATEGIES

    for key in options.strategy:
        if options.train and not STRATEGIES[key].trains:
            raise UsageError(f"--strategy {key} is for inference alone; leave out --train")
    if options.strategy:
        return [key for key in STRATEGIES if key in options.strategy]
    left = {"memory"} if options.keep_memory or not keeps else set()
    return [
        k for k, strategy in STRATEGIES.items() if k not in left and (strategy.trains or not options.train)
    ]


def _standard_input(address: str) -> bytes | None:
    """The text of standard input, if that is where the spec is: each process has to read it."""
    return sys.stdin.buffer.read() if address == "-" else None


def _check(options: argparse.Namespace, text: bytes | None) -> Result:
    """The check of the spec; `text` is that of standard input."""
    if text is not None:
        sys.stdin = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8")
    return checked(options)


def _graph(options: argparse.Namespace, text: bytes | None) -> Graph:
    """The Graph in a process that measures: what was fine once is fine again."""
    graph = _check(options, text).graph
    assert graph is not None
    return graph
