"""Print a spec as a tree table: path, block, output shape, parameters and FLOPs, with totals."""

from __future__ import annotations

import argparse

from archc.cli.main import FINE, Parser
from archc.cli.spec import add_arguments, as_json, checked, level, status, told
from archc.report.summary import Summary, flops_text, shape_text

EXAMPLE = "  archc summary 'specs/vq/nets.yaml#Encoder@iris' -p H=64 -p W=64 --level 2"


def arguments(parser: Parser) -> None:
    add_arguments(parser)
    parser.add_argument("--level", type=level, metavar="N", help="how many blocks deep (default: all)")
    parser.add_argument("--json", action="store_true", help="print a JSON list, a row each")


def execute(options: argparse.Namespace) -> int:
    result = checked(options)
    if not told(result):
        return status(result)
    assert result.graph is not None
    summary = Summary(result.graph, options.level)
    print(as_json(rows(summary)) if options.json else summary)
    return FINE


def rows(summary: Summary) -> list[dict[str, object]]:
    """The rows as JSON holds them; counts are of one copy, the first row is the whole."""
    return [
        {
            "path": row.path,
            "depth": depth,
            "block": row.what,
            "output": shape_text(row.output),
            "copies": row.copies,
            "parameters": row.parameters,
            "flops": flops_text(row.flops) if not isinstance(row.flops, int) else row.flops,
        }
        for depth, row in summary.rows
    ]
