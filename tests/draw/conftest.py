"""The Graphs that drawing is tested on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from archc.graph.compile import graph
from archc.graph.ir import Graph

HERE = Path(__file__).parent
SHAPES = HERE / "shapes.yaml"
VQ = HERE.parents[1] / "specs" / "vq"

ADDRESSES = {
    "unet": (f"{SHAPES}#Net", ["D=128"]),
    "res": (f"{SHAPES}#Res", ["C=64", "D=64", "c_out=128"]),
    "chain": (f"{SHAPES}#Chain", []),
    "open": (f"{SHAPES}#Open", []),
    "parallel": (f"{SHAPES}#Parallel", []),
    "encoder": (f"{VQ}/nets.yaml#Encoder@iris", []),
    "decoder": (f"{VQ}/nets.yaml#Decoder@taming", []),
    "time": (f"{VQ}/unet.yaml", []),
    "tokenizer": (f"{VQ}/tokenizer.yaml", []),
}


@cache
def _graph(name: str) -> Graph:
    address, settings = ADDRESSES[name]
    return graph(address, settings)


@pytest.fixture(scope="session")
def checked() -> Callable[[str], Graph]:
    """The Graph of one of ADDRESSES, by its name."""
    return _graph


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `model` runs on every Graph, one for `level` too at every level."""
    if "model" in metafunc.fixturenames:
        metafunc.parametrize("model", [_Model(name) for name in ADDRESSES], ids=list(ADDRESSES))
    if "level" in metafunc.fixturenames:
        metafunc.parametrize("level", [None, 0, 1, 2, 5])


class _Model:
    """A Graph that is made when it is first wanted, so that collecting tests costs nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def graph(self) -> Graph:
        return _graph(self.name)
