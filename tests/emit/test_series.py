"""Copies that differ in numbers are a generator: over their index, or over a table."""

from __future__ import annotations

import inspect
import re

import pytest

from archc.runtime.build import build_module

STACK = """\
  Layer:
    params: {{d: int, k: int = 3, gap: int = 1, by: float = 1.0}}
    inputs: {{x: '[B, C, T]'}}
    nodes: {{conv: 'conv1d(d, k, dilation=gap, padding=gap * (k // 2))'}}
    flow: {{y: "(x -> conv) * by"}}
  Net:
    params: {{layers: int = 6, stack: int = 3, width: int = 4, scale: float = 1.0}}
    inputs: {{x: '[B, 4, T]'}}
    nodes:
      layer: {{call: "Layer({call})", repeat: {repeat}}}
    flow: {{y: x -> layer}}
"""

CASES = {
    "an expression of the index": (
        "width, gap=2 ** (i % stack)",
        "layers as i",
        "Layer(4 if i == 0 else width, width, k=3, gap=2 ** (i % stack), by=1.0) for i in range(6)",
        {"stack", "width"},
    ),
    "a first copy that is other": (
        "width * (i + 1), k=5 if i == 0 else 3",
        "layers as i",
        "Layer(c, width * (i + 1), k=5 if i == 0 else 3, gap=1, by=1.0) for i, c in enumerate((4, width,",
        {"width"},
    ),
    "a first copy that is other in all that differs": (
        "width, k=5 if i == 0 else 3",
        "layers as i",
        "[Layer(4, width, k=5, gap=1, by=1.0), *(Layer(width, width, k=3, gap=1, by=1.0) for",
        {"width"},
    ),
    "a table": (
        "[4, width, width, 4, width][i], k=[1, 3, 5, 3, 3][i]",
        "5 as i",
        "Layer(c, d, k=k, gap=1, by=1.0) for c, d, k in ((4, 4, 1), (4, width, 3), (width,",
        {"width"},
    ),
    "texts that differ, and one number": (
        "4, by=scale ** (layers - max(i, 1))",
        "layers as i",
        "Layer(4, 4, k=3, gap=1, by=1.0) for _ in range(6)",
        set(),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_copies_are_written_once(emitted, name: str) -> None:
    call, repeat, expected, taken = CASES[name]
    made = emitted(STACK.format(call=call, repeat=repeat))
    print(made.source)
    assert expected in " ".join(re.sub(r"(?<=[(\[])\s+|,?\s+(?=[)\]])", "", made.source).split())
    root = build_module(made)
    assert set(inspect.signature(root).parameters) == taken
    for settings in ({name: 2} for name in taken):
        ours = {n: t.shape for n, t in root(**settings).state_dict().items()}
        spec = build_module(emitted(STACK.format(call=call, repeat=repeat), **settings))().state_dict()
        assert ours == {n: t.shape for n, t in spec.items()}
