"""What all commands that take a spec have in common: their arguments, and checking it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archc.api import checked as check_all
from archc.cli.main import FINE, MISUSED, WRONG, Parser
from archc.cli.terminal import colored
from archc.graph.compile import Result
from archc.source.catalogue import COMMANDS
from archc.source.diagnostic import Diagnostic


def add_arguments(parser: Parser, nargs: str | None = None) -> None:
    """The address of a spec, and what binds it."""
    parser.add_argument(
        "address",
        metavar="ADDRESS",
        **({"nargs": nargs} if nargs else {}),  # type: ignore[arg-type]
        help="file.yaml, file.yaml#Block@preset, zoo:vision/resnet@resnet50 of archc's own specs, or - "
        "(standard input)",
    )
    add_settings(parser)


def add_settings(parser: Parser) -> None:
    """What binds a block's numbers and inputs, and what it may read and run."""
    parser.add_argument(
        "-p",
        "--param",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="set a param or a free dimension; may be given again",
    )
    parser.add_argument(
        "--given", metavar="INPUT", action="append", default=[], help="an optional input that is always there"
    )
    parser.add_argument(
        "--absent", metavar="INPUT", action="append", default=[], help="an optional input that never is"
    )
    add_sources(parser)


def add_sources(parser: Parser) -> None:
    """What a spec may read and run."""
    parser.add_argument(
        "--root", metavar="DIR", type=Path, help="the folder that `use` may not leave (default: the spec's)"
    )
    parser.add_argument(
        "--allow-ops",
        metavar="MODULE",
        action="append",
        default=[],
        help="let the spec load this Python module of operators; it is code that runs",
    )


def add_output(parser: Parser) -> None:
    """Where a command writes, and over what."""
    parser.add_argument(
        "--force", action="store_true", help="overwrite a file even where archc did not write it"
    )


def file(text: str) -> str:
    """The name of a file to write, or `-`."""
    if not text:
        raise argparse.ArgumentTypeError("the name of a file is empty")
    if text.endswith(("/", os.sep)):
        raise argparse.ArgumentTypeError(f"{text} is a folder; name a file in it")
    return text


def level(text: str) -> int:
    """A depth of opened blocks, from 0."""
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return int(text)


def checked(
    options: argparse.Namespace,
    address: str | None = None,
    extra: Sequence[str] = (),
    *,
    unbound: bool = False,
) -> Result:
    """Check the spec at an address (the command line's, where none is named); `extra` are further
    `name=value` settings; `unbound`: numbers that are not given may be missing."""
    return check_all(
        options.address if address is None else address,
        [*options.param, *extra],
        given=options.given,
        absent=options.absent,
        root=options.root,
        ops=options.allow_ops,
        unbound=unbound,
    )


def status(*results: Result) -> int:
    """The exit code of some checks."""
    return status_of([found for result in results for found in result.diagnostics])


def status_of(diagnostics: Sequence[Diagnostic]) -> int:
    """The exit code: of a wrong command line, where it is that which is to blame."""
    errors = [found for found in diagnostics if found.severity == "error"]
    if any(_of_command_line(error) for error in errors):
        return MISUSED
    return WRONG if errors else FINE


def _of_command_line(error: Diagnostic) -> bool:
    """Is it an address, a setting or a flag that is wrong, and not what a spec says?"""
    if error.span is None:
        return error.code in COMMANDS or error.code == "A001"
    return error.code in COMMANDS or error.span.source.name.startswith(("-p ", "--"))


def told(result: Result, stream: Any = None) -> bool:
    """Show the diagnostics of a result, on standard error unless told otherwise; is it fine?"""
    show(result.diagnostics, sys.stderr if stream is None else stream)
    return result.ok


def show(diagnostics: tuple[Diagnostic, ...], stream: Any) -> None:
    """Print diagnostics, and how many errors and warnings there are."""
    if not diagnostics:
        return
    from archc.source.render import render  # here, since few specs are wrong

    print(render(diagnostics, color=colored(stream)), file=stream)
    counts = []
    for severity in ("error", "warning"):
        count = sum(1 for diagnostic in diagnostics if diagnostic.severity == severity)
        if count:
            counts.append(f"{count} {severity}{'s' * (count > 1)}")
    if counts:
        print(", ".join(counts), file=stream)


def as_json(value: Any) -> str:
    """A value as the JSON that tools read."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def diagnostics_json(result: Result) -> dict[str, Any]:
    """The object that `check --json` prints of one spec."""
    from archc.source.render import to_json

    return {
        "ok": result.ok,
        "diagnostics": to_json(result.diagnostics),
        "guards": list(result.guards),
    }
