"""Write the PyTorch module of a spec: a Python file that imports torch only, and the modules of its `ops`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from archc.cli.files import check_target, write
from archc.cli.main import FINE, WRONG, Parser, UsageError
from archc.cli.spec import add_arguments, add_output, checked, file, status, told

EXAMPLE = "  archc build 'specs/vq/nets.yaml#Encoder@iris' -o encoder.py"


def arguments(parser: Parser) -> None:
    add_arguments(parser)
    parser.add_argument(
        "-o", "--output", type=file, metavar="FILE", help="the file to write (default: standard output)"
    )
    parser.add_argument(
        "--strict-numerics",
        action="store_true",
        help="compute as the spec is written, to the bit, where other operators would be quicker",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 1 where the file is not what would be written",
    )
    add_output(parser)


def execute(options: argparse.Namespace) -> int:
    if options.check and options.output in (None, "-"):
        raise UsageError("--check compares with a file: name it with -o FILE")
    path = Path(options.output) if options.output not in (None, "-") else None
    if path and not options.check:
        check_target(path, options.force)
    result = checked(options)
    if not told(result):
        return status(result)
    assert result.graph is not None
    from archc.emit import source

    text = source(result.graph, strict=options.strict_numerics)
    if options.check:
        assert path is not None
        return _compare(path, text, options.address)
    if path is None:
        sys.stdout.write(text)
    else:
        write(path, text, options.force)
    return FINE


def _compare(path: Path, text: str, address: str) -> int:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return FINE
    state = "is stale" if path.exists() else "does not exist"
    print(f"{path} {state}; write it: archc build '{address}' -o {path}", file=sys.stderr)
    return WRONG
