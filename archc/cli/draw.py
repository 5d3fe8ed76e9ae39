"""Draw a spec: an SVG picture, or the text of a dot or mermaid chart."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from archc.cli.files import check_target, write
from archc.cli.main import FINE, Parser, UsageError
from archc.cli.spec import add_arguments, add_output, checked, level, status, told
from archc.draw.formats import FORMATS, draw, format_of
from archc.draw.options import Options

EXAMPLE = "  archc draw 'specs/vq/nets.yaml#Encoder@iris' -o encoder.svg"


def arguments(parser: Parser) -> None:
    add_arguments(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="the file to write; its ending tells the format (default: svg)"
    )
    parser.add_argument("--format", choices=FORMATS, help="the format, whatever the file's ending")
    parser.add_argument(
        "--level",
        type=level,
        metavar="N",
        help="how many blocks deep to open (default: all but the innermost, about 40 boxes)",
    )
    add_output(parser)


def execute(options: argparse.Namespace) -> int:
    path = Path(options.output) if options.output and options.output != "-" else None
    if path:
        check_target(path, options.force)
    name = options.format or format_for(path)
    result = checked(options)
    if not told(result):
        return status(result)
    assert result.graph is not None
    text = draw(result.graph, name, Options(level=options.level))
    if path is None:
        sys.stdout.write(text)
    else:
        write(path, text, options.force)
    return FINE


def format_for(path: Path | None) -> str:
    """The format that a file's ending tells; svg where there is no file."""
    if path is None:
        return "svg"
    name = format_of(path)
    if name is None:
        raise UsageError(
            f"no format ends in {path.suffix or path.name!r}: use {', '.join(FORMATS)} or --format"
        )
    return name
