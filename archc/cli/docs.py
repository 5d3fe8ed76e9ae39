"""Write a Markdown document of spec files: each block with its charts, params, inputs and formula.

The charts stand beside it as SVG, those of docs/nets.md in the folder docs/nets.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from shlex import join

from archc.api import ask_torch
from archc.cli.check import expand
from archc.cli.files import check_target, write_all
from archc.cli.main import FINE, WRONG, Parser, UsageError
from archc.cli.spec import add_output, add_sources, file, show, status_of
from archc.document.document import Document, document
from archc.draw.options import DrawError
from archc.source.diagnostic import SpecError

EXAMPLE = "  archc docs specs/vq -o docs/vq_nets.md --title 'Networks of VQ image models'"


def arguments(parser: Parser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="a spec, a folder of specs or a glob")
    parser.add_argument(
        "-o", "--output", type=file, metavar="FILE.md", required=True, help="the document to write"
    )
    parser.add_argument("--title", help="its heading (default: the name of the spec or of the document)")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 1 where a file is not what would be written, and say which",
    )
    add_sources(parser)
    add_output(parser)


def execute(options: argparse.Namespace) -> int:
    if options.output == "-":
        raise UsageError("pictures stand beside a document: name a file instead of -")
    target = Path(options.output)
    if target.suffix.lower() not in (".md", ".markdown"):
        raise UsageError(f"a document is Markdown: name {target.with_suffix('.md')}, not {target}")
    files = [found for given in options.files for found in expand(_file(given))]
    if not options.check:
        check_target(target, options.force)
    try:
        made = document(
            files, target, title=options.title, root=options.root, ops=options.allow_ops, probe=ask_torch
        )
    except SpecError as wrong:
        show(wrong.diagnostics, sys.stderr)
        return status_of(wrong.diagnostics)
    except DrawError as error:
        print(f"archc docs: {error}", file=sys.stderr)
        return WRONG
    show(made.diagnostics, sys.stderr)
    if options.check:
        return _compare(made, options)
    write_all(made.files, options.force)
    return FINE


def _file(given: str) -> str:
    """A word of the command line, which names whole files."""
    if given == "-":
        raise UsageError("a document tells where its specs are: name a file instead of -")
    if not Path(given).exists() and ("#" in given or "@" in given):
        raise UsageError(f"a document is of whole files: {given.split('#')[0].split('@')[0]}, not {given}")
    return given


def _compare(made: Document, options: argparse.Namespace) -> int:
    """Tell the files that are not what would be written."""
    stale = made.stale()
    if not stale:
        return FINE
    for path, state in stale.items():
        print(f"{path} is {state}", file=sys.stderr)
    words = [*options.files, "-o", options.output, *(["--title", options.title] if options.title else [])]
    print(f"write {'it' if len(stale) == 1 else 'them'}: archc docs {join(words)}", file=sys.stderr)
    return WRONG
