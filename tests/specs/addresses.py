"""The specs that come with archc, for tests that try all of them.

A library (`std`, `vq`) is tried block by block. A published architecture is tried as a whole: its
blocks are in it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import archc
from archc.lang.schema import Block

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
LIBRARIES = ("std", "vq")


def is_library(address: str) -> bool:
    """Is an address below `specs/` one of a library?"""
    return address.partition("/")[0] in LIBRARIES


@cache
def blocks() -> dict[str, Block]:
    """The blocks to try, by their addresses below `specs/`."""
    found: dict[str, Block] = {}
    for path in sorted(SPECS.rglob("*.yaml")):
        file = archc.read(path).entry
        assert file is not None
        below = path.relative_to(SPECS).as_posix()
        for name, block in file.blocks.items():
            if is_library(below) or block is file.entry:
                found[f"{below}#{name}"] = block
    return found
