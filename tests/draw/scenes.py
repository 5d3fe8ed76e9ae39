"""Small scenes that charts are tested on."""

from __future__ import annotations

from itertools import pairwise

import archc
from archc.draw.scene.items import Box, Edge, Frame, Scene
from archc.graph.compile import graph
from tests.specs.addresses import SPECS, blocks

BLOCKS = {address: f"{SPECS}/{address}" for address in blocks()}
"""The blocks of the specs to try, by their addresses below `specs/`."""

GRAPH = graph(archc.text("archc: 1\nblocks: {A: {inputs: {x: '[B, 8]'}, flow: {y: x -> relu}}}"))
"""What makes a frame an opened block."""

IN, OUT = Box("f.x", "x", form="port", kind="input"), Box("f.out:", "out", form="port", kind="output")


def chart(*items: Box | Frame, edges: list[Edge] | None = None, insets: list[Frame] | None = None) -> Scene:
    """A scene of these items, in a row where no edges are given."""
    main = Frame("Net", "Net", items=list(items))
    main.edges = edges or [Edge(a.id, b.id) for a, b in pairwise(items)]
    return Scene("Net", ["12 params"], main, insets or [])


def opened(*ports: Box, edges: list[Edge]) -> Scene:
    """A block with two operators, opened, between two others."""
    inner = [*ports, Box("f.n", "norm"), Box("f.c", "conv")]
    frame = Frame("f", "block", "1,200 each", 2, items=inner, edges=edges, graph=GRAPH)
    around = [Edge("a", "f", target_port=ports[0].id), Edge("f", "z", source_port=ports[-1].id)]
    return chart(Box("a", "a"), frame, Box("z", "z"), edges=around)
