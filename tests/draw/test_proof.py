"""Every block of the libraries and every published architecture, bound and unbound, at every level: its
drawing keeps what a layout promises, and shows what its Graph says, no more and no less. Blocks of
the libraries are drawn in every direction, too."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import product
from typing import Any

import pytest

import archc
from archc.api import to_draw
from archc.draw.draw import draw
from archc.draw.options import DEFAULTS, Options
from archc.graph.ir import Graph, graphs
from archc.report.cost import Costs
from tests.draw.faithful import definitions, differences, parameters
from tests.draw.geometry import violations
from tests.specs.addresses import ROOT, SPECS, blocks, is_library

DIRECTIONS = ("TB", "BT", "LR", "RL")
LARGE = 150
"""A drawing of more items than this is not tried in every way."""

NUMBERS: dict[str, dict[str, Any]] = {
    "std/transformer.yaml#Mlp": {"D": 32},
    "std/transformer.yaml#SelfAttention": {"D": 32},
    "std/transformer.yaml#CrossAttention": {"D": 32, "E": 24},
    "std/transformer.yaml#EncoderLayer": {"D": 32},
    "std/vision.yaml#ConvNormAct": {"C": 8, "c_out": 16},
    "std/vision.yaml#SqueezeExcite": {"C": 32},
    "std/vision.yaml#BasicBlock": {"C": 8, "c_out": 16},
    "std/vision.yaml#Bottleneck": {"C": 8, "width": 4},
    "std/vision.yaml#PatchEmbed": {"C": 3, "dim": 32},
    "vq/discriminator.yaml#Stage": {"C": 8, "c_out": 16},
    "vq/nets.yaml#Upsample": {"C": 8},
    "vq/nets.yaml#Downsample": {"C": 8},
    "vq/nets.yaml#ResnetBlock": {"C": 32, "c_out": 64, "D": 16},
    "vq/nets.yaml#AttentionBlock": {"C": 32},
    "vq/nets.yaml#Layer": {"C": 32, "D": 16, "attention": True},
    "vq/nets.yaml#SamplerBlock": {"C": 32, "D": 16, "layers": 3, "sampler": "up"},
    "vq/nets.yaml#MidBlock": {"C": 32, "D": 16},
    "vq/tokenizer.yaml#Quantizer": {"C": 16},
    "vq/unet.yaml#TimeEmbedding": {"ch": 8},
    "vq/unet.yaml#DownLevel": {
        **{"C": 32, "D": 16, "c_out": 32, "layers": 2, "attention": True, "sampled": True},
        **{"res": "ResnetBlock", "attn": "AttentionBlock", "down": "Downsample"},
    },
    "vq/unet.yaml#UpLayer": {
        **{"C": 32, "S": 32, "D": 16, "c_out": 32, "attention": True},
        **{"res": "ResnetBlock", "attn": "AttentionBlock"},
    },
}
"""What blocks are bound to that do not say it themselves."""
UNBINDABLE = {"vq/unet.yaml#UpLevel"}
"""Blocks that a caller's bundle binds, and no number."""


def cases() -> Iterator[str]:
    """Addresses with a mark: unbound, or bound by defaults, numbers of ours or each preset."""
    for address, block in blocks().items():
        yield f"{address} unbound"
        if address not in UNBINDABLE:
            yield f"{address} bound"
        if is_library(address):
            yield from (f"{address}@{name} bound" for name, preset in block.presets.items() if preset.values)


@cache
def graph_of(case: str) -> Graph:
    address, how = case.split()
    settings = NUMBERS.get(address, {}) if how == "bound" else {}
    result = to_draw(f"{SPECS}/{address}", settings, unbound=how == "unbound")
    assert result.graph is not None, [diagnostic.message for diagnostic in result.diagnostics]
    return result.graph


@lru_cache(maxsize=32)
def page(case: str, options: Options = DEFAULTS) -> Any:
    return json.loads(draw(graph_of(case), "json", options))


def depth(graph: Graph) -> int:
    """How deep blocks nest in a Graph."""
    inside = {b for member in graph.members.values() for copy in member.copies for b in copy.targets}
    return max((1 + depth(block) for block in inside if isinstance(block, Graph)), default=0)


def levels(case: str) -> list[int | None]:
    return [None, *range(depth(graph_of(case)) + 1)]


def ways(case: str) -> Iterator[Options]:
    """Every level, direction and form; of what is large or no library's two a level, others at each."""
    for level in levels(case):
        few = not is_library(case) or len(page(case, Options(level=level))["panels"][0]["items"]) > LARGE
        for number, (direction, compact) in enumerate(product(DIRECTIONS, (False, True))):
            if not few or number in (0, 1 + (level or 0)):
                yield Options(level=level, direction=direction if number else None, compact=compact)


CASES = list(cases())


@pytest.mark.parametrize("case", CASES)
def test_geometry(case: str) -> None:
    for options in ways(case):
        found = violations(page(case, options))
        assert not found, (options, found[:5])


@pytest.mark.parametrize("case", CASES)
def test_faithful(case: str) -> None:
    """At every level, what is drawn is isomorphic to the Graph as far as that is opened; each node is in
    one item; and the counts, times the repeats, are the model's."""
    graph = graph_of(case)
    for level in levels(case):
        for compact in (False, True):
            panel = page(case, Options(level=level, compact=compact))["panels"][0]
            found = differences(panel, graph)
            assert not found, (level, found[:5])
            if not graph.outline:
                assert parameters(panel) == Costs().graph(graph).parameters


@pytest.mark.parametrize("case", CASES)
def test_fully_expanded_no_block_is_closed(case: str) -> None:
    graph = graph_of(case)
    panel = page(case, Options(level=depth(graph)))["panels"][0]
    names = {each.name for each in graphs(graph)}
    assert not [item["id"] for item in panel["items"] if item["what"] == "box" and item["block"] in names]


@pytest.mark.parametrize("case", CASES)
def test_an_inset_shows_the_block_that_leads_to_it(case: str) -> None:
    for level in levels(case):
        drawing = page(case, Options(level=level))
        panels = {panel["id"]: panel for panel in drawing["panels"][1:]}
        waiting = list(definitions(drawing["panels"][0], graph_of(case)))
        seen = set()
        while waiting:
            name, block = waiting.pop()
            if name is None:
                name = next((id for id in panels if not differences(panels[id], block)), None)
            if name in panels and (name, block) not in seen:
                seen.add((name, block))
                assert not differences(panels[name], block), (level, name)
                waiting += definitions(panels[name], block)
        assert panels.keys() == {name for name, _ in seen}, "an inset that no box leads to"


# Sizes, numbers and bytes

ENCODER = "vq/nets.yaml#Encoder@iris bound"


def test_the_encoder_is_one_page() -> None:
    graph_of(ENCODER)
    svg = draw(graph_of(ENCODER), "svg")
    assert isinstance(svg, str) and len(svg.encode()) <= 60_000
    drawing = page(ENCODER)
    assert drawing["width"] <= 1200 and drawing["height"] <= 1600
    assert min(float(size) for size in re.findall(r'font-size[=:]"?([\d.]+)', svg)) >= 9


@pytest.mark.parametrize(
    "case",
    ["vq/nets.yaml#Encoder bound", "vq/unet.yaml#UNet bound", "std/transformer.yaml#EncoderLayer bound"],
)
def test_the_counts_are_those_of_the_torch_model(case: str) -> None:
    model = archc.load(graph_of(case), device="meta")
    count = sum(parameter.numel() for parameter in model.parameters())
    for level in levels(case):
        assert parameters(page(case, Options(level=level))["panels"][0]) == count


PYTHONS = [sys.executable, *filter(None, (shutil.which(f"python3.{minor}") for minor in (12, 13, 14)))]
SCRIPT = """\
import sys
from archc.draw.draw import draw
from archc.draw.options import Options
from archc.graph.compile import check
for address, outline in (("Encoder@iris", False), ("SamplerBlock", True)):
    graph = check(sys.argv[1] + "#" + address, outline=outline).graph
    for format in ("svg", "json", "dot", "mermaid", "html"):
        sys.stdout.write(draw(graph, format, Options()))
"""


def test_the_bytes_are_the_same_everywhere() -> None:
    """Whatever the seed of hashes, and whatever Python has what drawing needs."""
    found = set()
    for number, python in enumerate([*PYTHONS, sys.executable]):
        if subprocess.run(
            [python, "-c", "import yaml, pydantic, networkx, graphviz"], capture_output=True
        ).returncode:
            continue
        ended = subprocess.run(
            [python, "-c", SCRIPT, str(SPECS / "vq" / "nets.yaml")],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(number)},
            capture_output=True,
        )
        assert ended.returncode == 0, ended.stderr.decode()
        found.add(ended.stdout)
    assert len(found) == 1
