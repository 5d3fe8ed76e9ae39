"""Draw a spec: svg, png, pdf or an html viewer, the text of a dot or mermaid chart, or the layout as json."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import get_args

from archc.api import to_draw
from archc.cli.files import check_target, write
from archc.cli.main import FINE, WRONG, Parser, UsageError
from archc.cli.spec import add_arguments, add_output, file, level, status, told
from archc.draw.draw import BINARY, ENDINGS, ENGINES, FORMATS, draw, format_of
from archc.draw.options import DrawError, Options
from archc.draw.scene.items import Direction
from archc.graph.compile import Result

EXAMPLE = """\
  archc draw 'specs/vq/nets.yaml#Encoder@iris' -o encoder.svg
  archc draw 'specs/vq/nets.yaml#SamplerBlock' -o sampler.html     names in place of numbers"""


def arguments(parser: Parser) -> None:
    add_arguments(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=file,
        metavar="FILE",
        help="the file to write; its ending tells the format (default: svg on standard output)",
    )
    parser.add_argument("--format", choices=FORMATS, help="the format, whatever the file's ending")
    parser.add_argument(
        "--level",
        type=level,
        metavar="N",
        help="how many blocks deep to open (default: all but the innermost, about 40 boxes)",
    )
    parser.add_argument(
        "--expand",
        metavar="PATH",
        action="append",
        default=[],
        help="open this member, whatever the level: down.2.layer; may be given again",
    )
    parser.add_argument(
        "--collapse",
        metavar="BLOCK",
        action="append",
        default=[],
        help="keep the blocks of this name closed, or the member at this path; may be given again",
    )
    parser.add_argument(
        "--direction",
        choices=get_args(Direction),
        help="the way the main path runs: top to bottom, bottom to top, left to right, right to left",
    )
    parser.add_argument("--compact", action="store_true", help="make norms, activations and dropout slim")
    parser.add_argument("--no-insets", action="store_true", help="leave out what is in the closed blocks")
    bound = parser.add_mutually_exclusive_group()
    bound.add_argument(
        "--unbound",
        action="store_true",
        default=None,
        help="draw names in place of numbers that are not given "
        "(default: where nothing is given of a block that is named, or a number is missing)",
    )
    bound.add_argument("--bound", dest="unbound", action="store_false", help="take the defaults")
    parser.add_argument("--engine", choices=ENGINES, default=ENGINES[0], help="what finds the places")
    add_output(parser)


def execute(options: argparse.Namespace) -> int:
    path = Path(options.output) if options.output not in (None, "-") else None
    if path:
        check_target(path, options.force)
    name = options.format or format_for(path)
    if name in BINARY and options.output is None and sys.stdout.isatty():
        raise UsageError(f"{name} is no text for a terminal: name a file with -o")
    result = to_draw(
        options.address,
        options.param,
        unbound=options.unbound,
        given=options.given,
        absent=options.absent,
        root=options.root,
        ops=options.allow_ops,
    )
    if not told(result):
        return status(result)
    assert result.graph is not None
    wanted = Options(
        options.level,
        tuple(options.expand),
        tuple(options.collapse),
        options.direction,
        options.compact,
        not options.no_insets,
    )
    if result.graph.outline and options.unbound is None:
        note(how_to_bind(result, options.address))
    try:
        picture = draw(result.graph, name, wanted, engine=options.engine, tell=note)
    except DrawError as error:
        print(f"archc draw: {error}", file=sys.stderr)
        return WRONG
    if path is None:
        show(picture)
    else:
        write(path, picture, options.force)
    return FINE


def format_for(path: Path | None) -> str:
    """The format that a file's ending tells; svg where there is no file."""
    if path is None:
        return "svg"
    name = format_of(path)
    if name is None:
        wrong = f"no format ends in {path.suffix!r}" if path.suffix else f"{path.name!r} has no ending"
        raise UsageError(f"{wrong}: use {', '.join(ENDINGS)}, or --format")
    return name


def show(picture: str | bytes) -> None:
    """Write a picture to standard output."""
    if isinstance(picture, str):
        sys.stdout.write(picture)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(picture)
        sys.stdout.buffer.flush()


def note(text: str) -> None:
    """Tell what a user may not expect of a picture."""
    print(f"note: {text}", file=sys.stderr)


def how_to_bind(result: Result, address: str) -> str:
    """The line of a drawing that has names where numbers were not given."""
    block = result.block
    assert block is not None
    ways = ["-p NAME=VALUE gives one"]
    if "#" in address:  # bare addresses are drawn unbound where defaults do not do
        ways.insert(0, "--bound takes the defaults")
    if block.presets:
        ways.insert(0, f"{'@' + next(iter(block.presets))} takes a preset")
    return f"{block.name} is drawn with names in place of its numbers; {', '.join(ways)}"
