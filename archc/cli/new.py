"""Write a starter spec that checks, to be changed into your own."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from archc.cli.files import check_target, write
from archc.cli.main import FINE, Parser, UsageError
from archc.cli.spec import add_output

EXAMPLE = "  archc new mlp_mixer"

STARTER = """\
archc: 1
doc: A residual two-layer perceptron, stacked.

blocks:
  {block}Layer:
    params:
      hidden: int = 4 * C
      dropout: float = 0.0
    inputs:
      x: [B, T, C]
    nodes:
      norm: layer_norm
      fc1: linear(hidden)
      fc2: linear(C)
      drop: dropout(dropout)
    flow:
      h: x -> norm -> fc1 -> gelu -> fc2 -> drop
      out: x + h

  {block}:
    params:
      depth: int = 4
      classes: int = 10
    inputs:
      x: [B, T, C]
    nodes:
      layers: {{call: {block}Layer, repeat: depth}}
      norm: layer_norm
      head: linear(classes)
    flow:
      h: x -> layers -> norm
      out: h -> reduce("b t c -> b c", "mean") -> head
    presets:
      base: {{C: 64}}

main: {block}
"""


def arguments(parser: Parser) -> None:
    parser.add_argument(
        "name", metavar="NAME", help="the spec's name: mlp_mixer, or a path to mlp_mixer.yaml"
    )
    add_output(parser)


def execute(options: argparse.Namespace) -> int:
    path = Path(options.name)
    if path.suffix not in (".yaml", ".yml"):
        path = path.with_name(path.name + ".yaml")
    block = pascal(path.stem)
    if not block.isidentifier() or not block.isascii():
        raise UsageError(f"{path.stem!r} makes no name of a block; use letters and digits, a letter first")
    # A starter is its user's from the first day: it is never overwritten without being asked.
    check_target(path, options.force)
    write(path, STARTER.format(block=block), options.force)
    print(f"{path}: a spec of the block {block}")
    print(f"  archc check {path}@base --shapes")
    print(f"  archc run {path}@base --draw {path.with_suffix('.svg')}")
    return FINE


def pascal(name: str) -> str:
    """A name in the style of blocks.

    >>> pascal("mlp_mixer"), pascal("unet"), pascal("MyNet")
    ('MlpMixer', 'Unet', 'MyNet')
    """
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    return "".join(word[0].upper() + word[1:] for word in words)
