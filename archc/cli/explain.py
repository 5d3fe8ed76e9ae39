"""Print the page of an error's code: what it means, how to mend it, and an example."""

from __future__ import annotations

import argparse

from archc.cli.main import FINE, Parser, UsageError, unknown
from archc.report.pages import page
from archc.source.catalogue import CODES

EXAMPLE = "  archc explain A301"


def arguments(parser: Parser) -> None:
    parser.add_argument("code", metavar="CODE", help="a code, such as A301")


def execute(options: argparse.Namespace) -> int:
    code = options.code.upper()
    if code not in CODES:
        raise UsageError(unknown("code", code, list(CODES)))
    print(page(code), end="")
    return FINE
